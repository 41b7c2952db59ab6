/* Invites: one's own, as text and as a code for a camera; and accepting those of others. */
#include "api_job.h"
#include "invites.h"
#include <parley/crypto.h>
#include <qrencode.h>
#include <stdlib.h>

/* ---- making ------------------------------------------------------------------------------- */

/* The modules of a QR code, a text of 0 and 1 for each row; NULL when the text is too long. */
static json_t *json_qr(const char *text) {
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    if (code == NULL)
        return json_null();
    json_t *rows = json_array();
    size_t width = (size_t)code->width;
    char row[256];
    for (size_t y = 0; y < width && width < sizeof row; y++) {
        for (size_t x = 0; x < width; x++)
            row[x] = code->data[y * width + x] & 1 ? '1' : '0';
        json_array_append_new(rows, json_stringn(row, width));
    }
    QRcode_free(code);
    return rows;
}

static json_t *json_invite(const struct parley_invite *invite) {
    char text[INVITE_TEXT_SIZE];
    json_t *places = json_array();
    for (size_t i = 0; i < invite->places_count; i++) {
        char place[PARLEY_PLACE_TEXT_SIZE];
        parley_place_encode(place, &invite->places[i]);
        json_array_append_new(places, json_string(place));
    }
    parley_invite_encode(text, invite);
    json_t *json = json_pack("{s:s, s:I, s:o, s:o}", "invite", text, "expires",
                             (json_int_t)invite->expires, "places", places, "qr", json_qr(text));
    parley_wipe(text, sizeof text);
    return json;
}

static bool read_private(struct api_job *job, bool *is_private) {
    const json_t *member = json_object_get(job->json, "private");
    *is_private = json_is_true(member);
    if (member == NULL || json_is_boolean(member))
        return true;
    api_refuse(job, PARLEY_E_BAD_INPUT, "private", "private must be true or false");
    return false;
}

static bool is_offline(struct api_job *job) {
    if (job->api->invites != NULL)
        return false;
    api_refuse(job, PARLEY_E_RETRY, NULL, "no node runs: start parleyd");
    return true;
}

void api_run_invite(struct api_job *job) {
    const json_t *days = json_object_get(job->json, "days");
    json_int_t count = days == NULL ? (json_int_t)INVITE_DAYS : json_integer_value(days);
    struct parley_problem problem = {0};
    struct parley_invite invite;
    bool is_private;
    if (is_offline(job) || !read_private(job, &is_private))
        return;
    if ((days != NULL && !json_is_integer(days)) || count < 1 ||
        count > (json_int_t)INVITE_DAYS_MAX) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "days", "days must be a number from 1 to %u",
                   INVITE_DAYS_MAX);
        return;
    }
    enum parley_error error =
        parley_invites_make(job->api->invites, &invite, is_private, (unsigned)count, &problem);
    if (error == PARLEY_E_OK)
        api_answer_json(job, 201, json_invite(&invite));
    else
        api_refuse(job, error, NULL, "%s", problem.text);
    parley_wipe(&invite, sizeof invite);
}

/* ---- accepting ---------------------------------------------------------------------------- */

static void on_accepted(void *context, enum parley_error error, const char *words) {
    struct api_job *job = context;
    const struct parley_invite *invite = job->state;
    char node[PARLEY_NODE_TEXT_SIZE];
    if (error != PARLEY_E_OK) {
        api_refuse(job, error, error == PARLEY_E_NOT_FOUND ? "invite" : NULL, "%s", words);
        return;
    }
    parley_node_key_encode(node, &invite->node);
    api_answer_json(
        job, 200,
        json_pack("{s:o, s:s}", "author", api_json_author(&invite->author), "node_key", node));
}

static void refuse_text(struct api_job *job, enum parley_error error) {
    const char *words = "this is no invite: it begins with pinvite1, and must be pasted whole";
    if (error == PARLEY_E_BAD_CHECKSUM)
        words = "a letter of the invite is wrong or missing: copy it again";
    else if (error == PARLEY_E_BAD_VERSION)
        words = "this invite is of a newer parley than this";
    else if (error == PARLEY_E_BAD_INPUT)
        words = "this invite names no address that can be dialled";
    api_refuse(job, error == PARLEY_E_BAD_VERSION ? PARLEY_E_BAD_INPUT : error, "invite", "%s",
               words);
}

void api_run_accept(struct api_job *job) {
    const char *text = api_member_text(job->json, "invite");
    struct parley_problem problem = {0};
    bool is_private;
    if (is_offline(job) || !read_private(job, &is_private))
        return;
    if (text == NULL) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "invite", "invite is missing or not text");
        return;
    }
    struct parley_invite *invite = calloc(1, sizeof *invite);
    if (invite == NULL) {
        api_no_memory(job);
        return;
    }
    job->state = invite;
    job->free_state = free;
    enum parley_error error = parley_invite_decode(invite, PARLEY_SPAN(text, strlen(text)));
    if (error != PARLEY_E_OK) {
        refuse_text(job, error);
        return;
    }
    error =
        parley_invites_accept(job->api->invites, invite, is_private, on_accepted, job, &problem);
    parley_wipe(invite->secret, sizeof invite->secret);
    if (error != PARLEY_E_OK)
        api_refuse(job, error, error == PARLEY_E_BAD_INPUT ? "invite" : NULL, "%s", problem.text);
}
