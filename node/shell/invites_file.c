/* The file of invites: JSON, written whole or not at all. */
#include "invites_internal.h"
#include "key_file.h"
#include "log.h"
#include <errno.h>
#include <jansson.h>
#include <parley/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME      "invites"
#define FILE_VERSION   1
#define FILE_BYTES_MAX ((size_t)512 << 10) /* all tables full are a third of it */

/* --- writing ---------------------------------------------------------------------------------- */

static json_t *json_made(const struct invite_made *made) {
    char id[2 * INVITE_ID_SIZE + 1], author[PARLEY_AUTHOR_TEXT_SIZE];
    parley_hex_encode(id, made->id, sizeof made->id);
    parley_author_encode(author, &made->author);
    return json_pack("{s:s, s:I, s:b, s:s?, s:b}", "id", id, "expires", (json_int_t)made->expires,
                     "private", (int)made->is_private, "author", made->is_used ? author : NULL,
                     "followed", (int)made->is_followed);
}

static json_t *json_taken(const struct invite_taken *taken) {
    char text[INVITE_TEXT_SIZE];
    parley_invite_encode(text, &taken->invite);
    json_t *json = json_pack("{s:s, s:b}", "invite", text, "private", (int)taken->is_private);
    parley_wipe(text, sizeof text);
    return json;
}

static json_t *json_met(const struct parley_address *place) {
    char text[PARLEY_ADDRESS_TEXT_SIZE];
    parley_address_encode(text, place);
    return json_string(text);
}

enum parley_error invites_save(const struct parley_invites *invites,
                               struct parley_problem *problem) {
    char path[PATH_MAX];
    json_t *made = json_array(), *taken = json_array(), *met = json_array();
    for (size_t i = 0; i < invites->made_count; i++)
        json_array_append_new(made, json_made(&invites->made[i]));
    for (size_t i = 0; i < invites->taken_count; i++)
        json_array_append_new(taken, json_taken(&invites->taken[i]));
    for (size_t i = 0; i < invites->met_count; i++)
        json_array_append_new(met, json_met(&invites->met[i]));
    json_t *json = json_pack("{s:i, s:o, s:o, s:o}", "version", FILE_VERSION, "made", made, "taken",
                             taken, "met", met);
    char *text = json_dumps(json, JSON_INDENT(1));
    enum parley_error error = PARLEY_E_NO_MEMORY;
    if (text != NULL && parley_home_file(path, parley_host_home(invites->host), FILE_NAME))
        error = parley_file_write(path, PARLEY_SPAN(text, strlen(text)), problem);
    if (text != NULL)
        parley_wipe(text, strlen(text));
    free(text);
    json_decref(json);
    return error;
}

void invites_forget_expired(struct parley_invites *invites) {
    parley_time_ms wall = parley_host_wall(invites->host);
    size_t count = 0;
    for (size_t i = 0; i < invites->made_count; i++)
        if (invites->made[i].expires + INVITE_DAY_MS >= wall)
            invites->made[count++] = invites->made[i];
    invites->made_count = count;
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool read_made(struct parley_invites *invites, const json_t *json) {
    struct invite_made *made = &invites->made[invites->made_count];
    const char *id = json_string_value(json_object_get(json, "id"));
    const char *author = json_string_value(json_object_get(json, "author"));
    const json_t *followed = json_object_get(json, "followed");
    if (invites->made_count == INVITES_MADE_MAX)
        return false;
    memset(made, 0, sizeof *made);
    if (id == NULL || strlen(id) != 2 * sizeof made->id ||
        !parley_hex_decode(made->id, sizeof made->id, PARLEY_SPAN(id, strlen(id))))
        return false;
    if (author != NULL &&
        parley_author_decode(&made->author, PARLEY_SPAN(author, strlen(author))).error !=
            PARLEY_E_OK)
        return false;
    made->is_used = author != NULL;
    made->is_followed = made->is_used && (followed == NULL || json_is_true(followed));
    made->is_private = json_is_true(json_object_get(json, "private"));
    made->expires = (parley_time_ms)json_integer_value(json_object_get(json, "expires"));
    invites->made_count++;
    return true;
}

static bool read_taken(struct parley_invites *invites, const json_t *json) {
    struct invite_taken *taken = &invites->taken[invites->taken_count];
    const char *text = json_string_value(json_object_get(json, "invite"));
    if (invites->taken_count == INVITES_TAKEN_MAX)
        return false;
    memset(taken, 0, sizeof *taken);
    if (text == NULL ||
        parley_invite_decode(&taken->invite, PARLEY_SPAN(text, strlen(text))) != PARLEY_E_OK)
        return false;
    parley_invite_id(taken->id, taken->invite.secret);
    taken->is_private = json_is_true(json_object_get(json, "private"));
    invites->taken_count++;
    return true;
}

static bool read_met(struct parley_invites *invites, const json_t *json) {
    const char *text = json_string_value(json);
    return invites->met_count < INVITES_MET_MAX && text != NULL &&
           parley_address_decode(&invites->met[invites->met_count++],
                                 PARLEY_SPAN(text, strlen(text)))
                   .error == PARLEY_E_OK;
}

static bool read_json(struct parley_invites *invites, const json_t *json) {
    const json_t *item;
    size_t i;
    bool is_whole = json_integer_value(json_object_get(json, "version")) == FILE_VERSION;
    json_array_foreach(json_object_get(json, "made"), i, item) is_whole =
        is_whole && read_made(invites, item);
    json_array_foreach(json_object_get(json, "taken"), i, item) is_whole =
        is_whole && read_taken(invites, item);
    json_array_foreach(json_object_get(json, "met"), i, item) is_whole =
        is_whole && read_met(invites, item);
    return is_whole;
}

void invites_load(struct parley_invites *invites) {
    char path[PATH_MAX], aside[PATH_MAX + 16];
    if (!parley_home_file(path, parley_host_home(invites->host), FILE_NAME))
        return;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    char *text = calloc(1, FILE_BYTES_MAX);
    size_t size = text == NULL ? 0 : fread(text, 1, FILE_BYTES_MAX, file);
    (void)fclose(file);
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (!read_json(invites, json)) {
        invites->made_count = invites->taken_count = invites->met_count = 0;
        (void)snprintf(aside, sizeof aside, "%s.damaged", path);
        (void)rename(path, aside);
        parley_log_line(PARLEY_LOG_ERROR,
                        "the file of invites is damaged and was put aside: those that are out do "
                        "not work any more");
    }
    invites_forget_expired(invites);
    json_decref(json);
    if (text != NULL)
        parley_wipe(text, FILE_BYTES_MAX);
    free(text);
}
