/* The owner's profile: what others see beside the posts. */
#include "api_job.h"
#include <parley/body.h>

static void on_published(void *context, const struct parley_effect *effect) {
    struct api_job *job = context;
    enum parley_error error = api_reply_error(job->api, effect);
    if (error != PARLEY_E_OK) {
        api_refuse(job, error, NULL, "%s", parley_strerror(error));
        return;
    }
    api_answer_json(
        job, 201,
        json_pack("{s:o}", "post",
                  api_json_post_address(&effect->reply.log, effect->reply.seq, &effect->reply.id)));
}

void api_run_profile(struct api_job *job) {
    struct parley_body body = {.kind = PARLEY_BODY_PROFILE};
    uint8_t buffer[PARLEY_BODY_BYTES_MAX];
    struct parley_event event = {.kind = PARLEY_EVENT_PUBLISH};
    const char *name = api_member_text(job->json, "name");
    const char *about = api_member_text(job->json, "about");
    if (name == NULL || name[0] == '\0' || strlen(name) > PARLEY_NAME_BYTES_MAX) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "name", "name must be text of 1 to %u bytes",
                   PARLEY_NAME_BYTES_MAX);
        return;
    }
    if (about != NULL && strlen(about) > PARLEY_ABOUT_BYTES_MAX) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "about", "about must be text of at most %u bytes",
                   PARLEY_ABOUT_BYTES_MAX);
        return;
    }
    body.profile.name = PARLEY_SPAN(name, strlen(name));
    if (about != NULL)
        body.profile.about = PARLEY_SPAN(about, strlen(about));
    if (parley_body_encode(&event.publish.body, buffer, sizeof(buffer), &body) != PARLEY_E_OK)
        api_refuse(job, PARLEY_E_BAD_INPUT, NULL, "the profile is not valid");
    else
        parley_host_submit(job->api->host, &event, on_published, job);
}
