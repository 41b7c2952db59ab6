/* Errors as statuses and problems, keys and names as JSON. */
#include "api_job.h"
#include <stdio.h>
#include <stdlib.h>

static unsigned status_of_class(enum parley_error error) {
    switch (parley_error_class(error)) {
    case PARLEY_CLASS_NONE:
        return 200;
    case PARLEY_CLASS_REMOTE:
        return 422;
    case PARLEY_CLASS_NOBODY:
        return 409;
    case PARLEY_CLASS_CALLER:
        return 400;
    case PARLEY_CLASS_LOCAL:
        return 500;
    }
    return 500;
}

unsigned api_status_of(enum parley_error error) {
    if (error == PARLEY_E_NOT_FOUND || error == PARLEY_E_UNKNOWN_AUTHOR)
        return 404;
    if (error == PARLEY_E_AMBIGUOUS || error == PARLEY_E_READ_ONLY || error == PARLEY_E_NO_IDENTITY)
        return 409;
    if (error == PARLEY_E_DISK_FULL)
        return 507;
    if (error == PARLEY_E_RETRY || error == PARLEY_E_TIMED_OUT || error == PARLEY_E_FULL)
        return 503;
    return status_of_class(error);
}

enum parley_error api_reply_error(const struct parley_api *api, const struct parley_effect *reply) {
    struct parley_node_status status;
    enum parley_error store = parley_host_store_error(api->host);
    if (reply->reply.error != PARLEY_E_READ_ONLY)
        return reply->reply.error;
    if (store != PARLEY_E_OK)
        return store;
    parley_node_status(parley_host_node(api->host), &status);
    return status.is_writable ? PARLEY_E_RETRY : PARLEY_E_READ_ONLY;
}

json_t *api_problem(enum parley_error error, const char *field, const char *detail) {
    json_t *json =
        json_pack("{s:i, s:s, s:s, s:s?}", "status", (int)api_status_of(error), "title",
                  parley_strerror(error), "error", parley_error_name(error), "field", field);
    if (json == NULL)
        return NULL;
    json_t *text = json_string(detail);
    /* words cut within a character are no text */
    json_object_set_new(json, "detail", text ? text : json_string(parley_strerror(error)));
    return json;
}

char *api_dump(const json_t *json, size_t *size) {
    char *text = json_dumps(json, JSON_COMPACT);
    *size = text != NULL ? strlen(text) : 0;
    return text;
}

json_t *api_json_hex(const uint8_t *data, size_t size) {
    char text[129];
    parley_hex_encode(text, data, size);
    return json_string(text);
}

json_t *api_json_author(const struct parley_author *author) {
    char text[PARLEY_AUTHOR_TEXT_SIZE];
    parley_author_encode(text, author);
    return json_string(text);
}

json_t *api_json_post_address(const struct parley_log *log, parley_seq seq,
                              const struct parley_id *id) {
    struct parley_post_address address = {.log = *log, .seq = seq};
    char text[PARLEY_POST_TEXT_SIZE];
    memcpy(address.id_start, id->bytes, sizeof(address.id_start));
    parley_post_address_encode(text, &address);
    return json_string(text);
}

void api_place_encode(char text[API_PLACE_TEXT_SIZE], const struct parley_timeline_place *place) {
    char log[65];
    parley_hex_encode(log, place->log.bytes, sizeof(place->log.bytes));
    snprintf(text, API_PLACE_TEXT_SIZE, "%llu.%s.%llu", (unsigned long long)place->time, log,
             (unsigned long long)place->seq);
}

bool api_place_decode(struct parley_timeline_place *place, const char *text) {
    size_t digits = strspn(text, "0123456789");
    *place = (struct parley_timeline_place){0};
    if (digits == 0 || digits > 16)
        return false;
    place->time = strtoull(text, NULL, 10);
    text += digits;
    if (*text == '\0')
        return true;
    size_t size = strlen(text);
    if (text[0] != '.' || size < 67 || text[65] != '.' || size > 66 + 15 ||
        strspn(text + 66, "0123456789") != size - 66)
        return false;
    place->seq = strtoull(text + 66, NULL, 10);
    return parley_hex_decode(place->log.bytes, sizeof(place->log.bytes), PARLEY_SPAN(text + 1, 64));
}
