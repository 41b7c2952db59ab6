/* What the owner says of a post that is here: echo, vote, erase. */
#include "api_job.h"
#include <stdlib.h>

void api_names_saying(struct api_job *job) {
    const char *post = api_member_text(job->json, "post");
    if (post == NULL)
        api_refuse(job, PARLEY_E_BAD_INPUT, "post", "post is missing or not text");
    else if (api_name_add(job, API_POST, "post", post))
        api_names_find(job);
}

static void on_published(void *context, const struct parley_effect *effect) {
    struct api_job *job = context;
    enum parley_error error = api_reply_error(job->api, effect);
    if (error != PARLEY_E_OK) {
        api_refuse(job, error, NULL, "%s", api_publish_words(job->api, error));
        return;
    }
    const struct api_entry *to = job->names[0].entry;
    api_answer_json(
        job, 201,
        json_pack("{s:o, s:o}", "post",
                  api_json_post_address(&effect->reply.log, effect->reply.seq, &effect->reply.id),
                  "ref", api_json_post_address(&to->log, to->seq, &to->id)));
}

static void publish(struct api_job *job, const struct parley_body *body) {
    struct parley_event event = {.kind = PARLEY_EVENT_PUBLISH};
    uint8_t *buffer = malloc(PARLEY_BODY_BYTES_MAX);
    if (buffer == NULL) {
        api_no_memory(job);
        return;
    }
    enum parley_error error =
        parley_body_encode(&event.publish.body, buffer, PARLEY_BODY_BYTES_MAX, body);
    if (error == PARLEY_E_OK)
        parley_host_submit(job->api->host, &event, on_published, job);
    else
        api_refuse(job, PARLEY_E_BAD_INPUT, "text",
                   error == PARLEY_E_NO_SPACE ? "the text is too long: at most 65,536 bytes in all"
                                              : "the text is not valid");
    free(buffer);
}

/* False: the job was refused. */
static bool is_shown(struct api_job *job) {
    const struct api_name *name = &job->names[0];
    const struct parley_node *node = parley_host_node(job->api->host);
    if (!api_entry_is_good(node, name->entry))
        api_refuse(job, PARLEY_E_NOT_FOUND, name->field,
                   "%s is here but hidden: its log is void, closed before it, or forked",
                   name->text);
    else if (api_entry_is_erased(node, name->entry))
        api_refuse(job, PARLEY_E_NOT_FOUND, name->field, "%s was erased by its author", name->text);
    else
        return true;
    return false;
}

/* Echoes and votes mean posts and echoes; an entry whose words are not here may be either. */
static bool is_post(struct api_job *job) {
    const struct api_name *name = &job->names[0];
    struct parley_body body;
    if (!is_shown(job))
        return false;
    if (!name->entry->has_body ||
        (api_entry_body(name->entry, &body) &&
         (body.kind == PARLEY_BODY_POST || body.kind == PARLEY_BODY_ECHO)))
        return true;
    api_refuse(job, PARLEY_E_BAD_INPUT, name->field, "%s is no post", name->text);
    return false;
}

void api_run_echo(struct api_job *job) {
    const json_t *text = json_object_get(job->json, "text");
    struct parley_body body = {.kind = PARLEY_BODY_ECHO};
    if (!is_post(job))
        return;
    if (text != NULL && !json_is_null(text) && !json_is_string(text)) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "text", "text must be text");
        return;
    }
    body.echo.ref = api_entry_ref(job->names[0].entry);
    if (json_string_length(text) > 0)
        body.echo.comment = PARLEY_SPAN(json_string_value(text), json_string_length(text));
    publish(job, &body);
}

void api_run_vote(struct api_job *job) {
    const json_t *value = json_object_get(job->json, "value");
    struct parley_body body = {.kind = PARLEY_BODY_VOTE};
    if (!is_post(job))
        return;
    if (!json_is_integer(value) || json_integer_value(value) < -1 ||
        json_integer_value(value) > 1) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "value", "value must be 1, -1 or 0");
        return;
    }
    body.vote.ref = api_entry_ref(job->names[0].entry);
    body.vote.value = (int8_t)json_integer_value(value);
    publish(job, &body);
}

void api_run_erase(struct api_job *job) {
    const struct parley_home *home = parley_host_home(job->api->host);
    const struct api_name *name = &job->names[0];
    struct parley_body body = {.kind = PARLEY_BODY_ERASE};
    struct parley_body erased;
    if (!home->has_device)
        api_refuse(job, PARLEY_E_NO_IDENTITY, NULL, "%s", parley_strerror(PARLEY_E_NO_IDENTITY));
    else if (!PARLEY_EQUAL(name->entry->author, home->author))
        api_refuse(job, PARLEY_E_BAD_INPUT, name->field,
                   "%s is not yours: an author erases their own; purge drops it here", name->text);
    else if (!PARLEY_EQUAL(name->entry->log, home->log))
        api_refuse(job, PARLEY_E_BAD_INPUT, name->field,
                   "%s is in a log of another device of yours: erase it there", name->text);
    else if (api_entry_body(name->entry, &erased) && erased.kind == PARLEY_BODY_ERASE)
        api_refuse(job, PARLEY_E_BAD_INPUT, name->field, "%s is an erasure: it stays", name->text);
    else if (is_shown(job)) {
        body.erase.refs_count = 1;
        body.erase.refs[0] = api_entry_ref(name->entry);
        publish(job, &body);
    }
}
