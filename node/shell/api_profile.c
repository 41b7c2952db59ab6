/* Profiles: what people say of themselves, and what the owner says. */
#include "api_job.h"
#include "api_unread.h"
#include "api_view.h"
#include <parley/body.h>
#include <stdlib.h>

static void free_people(void *state) {
    api_people_clear(state);
    free(state);
}

static void read_people(struct api_job *job, struct parley_store *store) {
    api_people_read(job->state, store);
}

/* The author's profiles, then `then`. */
static void find_profile(struct api_job *job, const struct parley_author *author,
                         api_handler *then) {
    struct api_people *people = calloc(1, sizeof(*people));
    job->state = people;
    job->free_state = people != NULL ? free_people : NULL;
    if (people == NULL || !api_people_add(people, author))
        api_no_memory(job);
    else
        api_read(job, read_people, then);
}

/* NULL: none is here. */
static const struct api_entry *found_profile(const struct api_job *job,
                                             const struct parley_author *author,
                                             struct parley_body *body) {
    const struct api_entry *profile =
        api_people_profile(job->state, parley_host_node(job->api->host), author);
    bool is_good =
        profile != NULL && api_entry_body(profile, body) && body->kind == PARLEY_BODY_PROFILE;
    return is_good ? profile : NULL;
}

static enum parley_error unread_of(const struct api_job *job) {
    return ((const struct api_people *)job->state)->unread;
}

/* ---- reading ------------------------------------------------------------------------------ */

static json_t *json_text(struct parley_span text) {
    return text.data == NULL ? json_null() : json_stringn((const char *)text.data, text.size);
}

static void answer_profile(struct api_job *job, const struct parley_author *author) {
    struct parley_body body;
    const struct api_entry *profile = found_profile(job, author, &body);
    enum parley_error unread = unread_of(job);
    if (profile == NULL && unread != PARLEY_E_OK) {
        api_unread_refuse(job, unread);
        return;
    }
    if (profile == NULL) {
        api_refuse(job, PARLEY_E_NOT_FOUND, "author", "no profile of this author is here");
        return;
    }
    json_t *json = json_object();
    json_object_set_new(json, "author", api_json_author(author));
    json_object_set_new(json, "name", json_text(body.profile.name));
    json_object_set_new(json, "about", json_text(body.profile.about));
    json_object_set_new(json, "post",
                        api_json_post_address(&profile->log, profile->seq, &profile->id));
    json_object_set_new(json, "time", json_integer((json_int_t)profile->time));
    json_object_set_new(json, "received", json_integer((json_int_t)profile->received));
    json_object_set_new(json, "problem", api_unread_json(unread));
    api_answer_json(job, 200, json);
}

static void answer_named(struct api_job *job) {
    answer_profile(job, &job->names[0].author);
}

static void answer_own(struct api_job *job) {
    answer_profile(job, &parley_host_home(job->api->host)->author);
}

void api_run_profile(struct api_job *job) {
    find_profile(job, &job->names[0].author, answer_named);
}

/* False: the job was refused. */
static bool has_author(struct api_job *job) {
    if (parley_host_home(job->api->host)->has_device)
        return true;
    api_refuse(job, PARLEY_E_NO_IDENTITY, NULL, "%s", parley_strerror(PARLEY_E_NO_IDENTITY));
    return false;
}

void api_run_own_profile(struct api_job *job) {
    if (has_author(job))
        find_profile(job, &parley_host_home(job->api->host)->author, answer_own);
}

/* ---- writing ------------------------------------------------------------------------------ */

static void on_published(void *context, const struct parley_effect *effect) {
    struct api_job *job = context;
    enum parley_error error = api_reply_error(job->api, effect);
    if (error != PARLEY_E_OK) {
        api_refuse(job, error, NULL, "%s", api_publish_words(job->api, error));
        return;
    }
    api_answer_json(
        job, 201,
        json_pack("{s:o}", "post",
                  api_json_post_address(&effect->reply.log, effect->reply.seq, &effect->reply.id)));
}

/* What is not said stays as it was: what that is must be known. */
static void publish_profile(struct api_job *job) {
    if (unread_of(job) != PARLEY_E_OK) {
        api_unread_refuse(job, unread_of(job));
        return;
    }
    struct parley_body before = {0}, body = {.kind = PARLEY_BODY_PROFILE};
    uint8_t buffer[PARLEY_NAME_BYTES_MAX + PARLEY_ABOUT_BYTES_MAX + 64];
    struct parley_event event = {.kind = PARLEY_EVENT_PUBLISH};
    const char *name = api_member_text(job->json, "name");
    const char *about = api_member_text(job->json, "about");
    if (found_profile(job, &parley_host_home(job->api->host)->author, &before) != NULL)
        body.profile = before.profile;
    if (name != NULL)
        body.profile.name = PARLEY_SPAN(name, strlen(name));
    if (about != NULL)
        body.profile.about = about[0] != '\0' ? PARLEY_SPAN(about, strlen(about)) : PARLEY_NO_SPAN;
    if (body.profile.name.size == 0)
        api_refuse(job, PARLEY_E_BAD_INPUT, "name", "there is no name yet: give one");
    else if (parley_body_encode(&event.publish.body, buffer, sizeof(buffer), &body) != PARLEY_E_OK)
        api_refuse(job, PARLEY_E_BAD_INPUT, NULL, "the profile is not valid");
    else
        parley_host_submit(job->api->host, &event, on_published, job);
}

/* False: the job was refused. */
static bool check_member(struct api_job *job, const char *name, size_t size_min, size_t size_max) {
    const json_t *member = json_object_get(job->json, name);
    const char *text = api_member_text(job->json, name);
    if (member == NULL || json_is_null(member) ||
        (text != NULL && strlen(text) >= size_min && strlen(text) <= size_max))
        return true;
    api_refuse(job, PARLEY_E_BAD_INPUT, name, "%s must be text of %zu to %zu bytes", name, size_min,
               size_max);
    return false;
}

void api_run_set_profile(struct api_job *job) {
    if (!has_author(job) || !check_member(job, "name", 1, PARLEY_NAME_BYTES_MAX) ||
        !check_member(job, "about", 0, PARLEY_ABOUT_BYTES_MAX))
        return;
    if (api_member_text(job->json, "name") == NULL && api_member_text(job->json, "about") == NULL)
        api_refuse(job, PARLEY_E_BAD_INPUT, "name", "name or about must be given");
    else
        find_profile(job, &parley_host_home(job->api->host)->author, publish_profile);
}
