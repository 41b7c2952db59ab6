/* Routes, jobs, answers. See api.h and api_job.h. */
#include "api_job.h"
#include "api_search.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define JSON_TYPE   "application/json"
#define NDJSON_TYPE "application/x-ndjson"
#define BYTES_TYPE  "application/octet-stream"

static const struct api_route ROUTES[] = {
    {PARLEY_API_GET, "status", false, NULL, NULL, api_run_status, API_JUDGED_IN_TIME},
    {PARLEY_API_GET, "id", false, NULL, NULL, api_run_id, API_AT_ONCE},
    {PARLEY_API_GET, "peers", false, NULL, NULL, api_run_peers, API_AT_ONCE},
    {PARLEY_API_GET, "follows", false, NULL, NULL, api_run_follows},
    {PARLEY_API_GET, "devices", false, NULL, NULL, api_run_devices},
    {PARLEY_API_GET, "digest", false, NULL, api_names_digest, api_run_digest},
    {PARLEY_API_GET, "timeline", false, NULL, api_names_timeline, api_run_timeline},
    {PARLEY_API_GET, "notifications", false, NULL, api_names_timeline, api_run_notifications},
    {PARLEY_API_GET, "search", false, NULL, api_names_timeline, api_run_search},
    {PARLEY_API_GET, "people", false, NULL, NULL, api_run_people},
    {PARLEY_API_GET, "people/", true, NULL, api_names_author, api_run_person},
    {PARLEY_API_GET, "fetching", false, NULL, NULL, api_run_fetching, API_AT_ONCE},
    {PARLEY_API_GET, "posts/", true, NULL, api_names_post, api_run_show},
    {PARLEY_API_GET, "threads/", true, NULL, api_names_post, api_run_thread},
    {PARLEY_API_GET, "profile", false, NULL, NULL, api_run_own_profile},
    {PARLEY_API_GET, "profiles/", true, NULL, api_names_author, api_run_profile},
    {PARLEY_API_GET, "authors/", true, NULL, api_names_author, api_run_author},
    {PARLEY_API_GET, "export", false, NULL, api_names_export, api_run_export},
    {PARLEY_API_GET, "check", false, NULL, NULL, api_run_check, API_AT_ONCE},
    {PARLEY_API_GET, "work", false, NULL, NULL, api_run_work, API_AT_ONCE},
    {PARLEY_API_GET, "metrics", false, NULL, NULL, api_run_metrics, API_AT_ONCE},
    {PARLEY_API_GET, "healthz", false, NULL, NULL, api_run_healthz, API_AT_ONCE},
    {PARLEY_API_GET, "readyz", false, NULL, NULL, api_run_readyz, API_AT_ONCE},
    {PARLEY_API_POST, "posts", false, JSON_TYPE, api_names_publish, api_run_publish},
    {PARLEY_API_POST, "posts/batch", false, NDJSON_TYPE, NULL, api_run_publish_batch},
    {PARLEY_API_POST, "profile", false, JSON_TYPE, NULL, api_run_set_profile},
    {PARLEY_API_POST, "echoes", false, JSON_TYPE, api_names_saying, api_run_echo},
    {PARLEY_API_POST, "votes", false, JSON_TYPE, api_names_saying, api_run_vote},
    {PARLEY_API_POST, "erasures", false, JSON_TYPE, api_names_saying, api_run_erase},
    {PARLEY_API_POST, "purges", false, JSON_TYPE, api_names_purge, api_run_purge},
    {PARLEY_API_POST, "follows", false, JSON_TYPE, api_names_follow, api_run_follow},
    {PARLEY_API_POST, "peers", false, JSON_TYPE, NULL, api_run_connect, API_AT_ONCE},
    {PARLEY_API_POST, "devices", false, JSON_TYPE, NULL, api_run_add_device},
    {PARLEY_API_POST, "keys", false, JSON_TYPE, NULL, api_run_keys},
    {PARLEY_API_POST, "invites", false, JSON_TYPE, NULL, api_run_invite},
    {PARLEY_API_POST, "acceptances", false, JSON_TYPE, NULL, api_run_accept},
    {PARLEY_API_POST, "reach", false, JSON_TYPE, NULL, api_run_reach, API_AT_ONCE},
    {PARLEY_API_POST, "import", false, BYTES_TYPE, NULL, api_run_import},
    {PARLEY_API_GET, "why/", true, NULL, api_names_why, api_run_why},
    {PARLEY_API_GET, "lists", false, NULL, NULL, api_run_lists},
    {PARLEY_API_POST, "lists", false, JSON_TYPE, api_names_list, api_run_list},
    {PARLEY_API_DELETE, "devices/", true, NULL, NULL, api_run_revoke_device},
    {PARLEY_API_DELETE, "follows/", true, NULL, api_names_author, api_run_unfollow},
    {PARLEY_API_DELETE, "peers/", true, NULL, NULL, api_run_disconnect, API_AT_ONCE},
};

/* ---- jobs --------------------------------------------------------------------------------- */

static void free_job(struct api_job *job) {
    if (job->free_state != NULL)
        job->free_state(job->state);
    for (size_t i = 0; i < job->names_count; i++)
        api_entry_free(job->names[i].entry);
    free(job->names);
    for (size_t i = 0; i < job->parameters_count; i++) {
        free((char *)job->parameters[i].name);
        free((char *)job->parameters[i].value);
    }
    free(job->parameters);
    free(job->rest);
    free(job->body);
    json_decref(job->json);
    struct parley_api *api = job->api;
    free(job);
    api->jobs_count--;
    api_settle(api);
}

void api_answer(struct api_job *job, unsigned status, const char *type, struct parley_span body,
                const char *next) {
    struct parley_api_answer answer = {status, type, body, next};
    job->done(job->context, &answer);
    free_job(job);
}

static void answer_typed(struct api_job *job, unsigned status, const char *type, json_t *json) {
    size_t size = 0;
    char *text = json == NULL ? NULL : api_dump(json, &size);
    json_decref(json);
    if (text == NULL) {
        api_no_memory(job);
        return;
    }
    api_answer(job, status, type, PARLEY_SPAN(text, size), NULL);
    free(text);
}

void api_answer_json(struct api_job *job, unsigned status, json_t *json) {
    answer_typed(job, status, JSON_TYPE, json);
}

void api_no_memory(struct api_job *job) {
    static const char text[] = "{\"status\":500,\"title\":\"out of memory\",\"detail\":\"out of "
                               "memory\",\"error\":\"NO_MEMORY\",\"field\":null}";
    api_answer(job, 500, "application/problem+json", PARLEY_SPAN(text, sizeof(text) - 1), NULL);
}

void api_refuse(struct api_job *job, enum parley_error error, const char *field, const char *format,
                ...) {
    char detail[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    answer_typed(job, api_status_of(error), "application/problem+json",
                 api_problem(error, field, detail));
}

static void on_work(void *context, struct parley_store *store) {
    struct api_job *job = context;
    job->work(job, store);
}

static void on_work_done(void *context, enum parley_error error) {
    struct api_job *job = context;
    if (error != PARLEY_E_OK)
        api_refuse(job, error, NULL, "the store cannot be read now: %s", parley_strerror(error));
    else
        job->then(job);
}

void api_read(struct api_job *job, api_work *work, api_handler *then) {
    job->work = work;
    job->then = then;
    parley_host_read(job->api->host, on_work, on_work_done, job);
}

/* ---- what a request says ------------------------------------------------------------------ */

const char *api_parameter(const struct api_job *job, const char *name) {
    for (size_t i = 0; i < job->parameters_count; i++)
        if (strcmp(job->parameters[i].name, name) == 0)
            return job->parameters[i].value;
    return NULL;
}

bool api_parameter_number(struct api_job *job, const char *name, uint64_t *value, uint64_t min,
                          uint64_t max) {
    const char *text = api_parameter(job, name);
    if (text == NULL)
        return true;
    size_t size = strlen(text);
    if (size > 0 && size <= 16 && strspn(text, "0123456789") == size) {
        uint64_t number = strtoull(text, NULL, 10);
        if (number >= min && number <= max) {
            *value = number;
            return true;
        }
    }
    api_refuse(job, PARLEY_E_BAD_INPUT, name, "%s must be a number from %llu to %llu", name,
               (unsigned long long)min, (unsigned long long)max);
    return false;
}

const char *api_member_text(const json_t *object, const char *name) {
    const json_t *member = json_object_get(object, name);
    const char *text = json_string_value(member);
    if (text == NULL || strlen(text) != json_string_length(member))
        return NULL;
    return text;
}

/* ---- taking a request --------------------------------------------------------------------- */

/* NULL and *status when no route takes it. */
static const struct api_route *find_route(const struct parley_api_request *request,
                                          const char **rest, unsigned *status) {
    *status = 404;
    /* What watches over services asks for these paths unless it is told others. */
    bool is_watched = strcmp(request->path, "/metrics") == 0 ||
                      strcmp(request->path, "/healthz") == 0 ||
                      strcmp(request->path, "/readyz") == 0;
    if (!is_watched && strncmp(request->path, "/v1/", 4) != 0)
        return NULL;
    const char *path = request->path + (is_watched ? 1 : 4);
    for (size_t i = 0; i < sizeof(ROUTES) / sizeof(ROUTES[0]); i++) {
        const struct api_route *route = &ROUTES[i];
        size_t size = strlen(route->path);
        bool fits = route->has_rest ? strncmp(path, route->path, size) == 0 && path[size] != '\0'
                                    : strcmp(path, route->path) == 0;
        if (!fits)
            continue;
        *status = 405;
        *rest = path + size;
        if (route->method == request->method)
            return route;
    }
    return NULL;
}

/* A page of another origin can send a form without asking, but never this type. */
static bool has_type(const struct parley_api_request *request, const char *type) {
    if (type == NULL)
        return true;
    size_t size = strlen(type);
    return request->content_type != NULL && strncasecmp(request->content_type, type, size) == 0 &&
           (request->content_type[size] == '\0' || request->content_type[size] == ';' ||
            request->content_type[size] == ' ');
}

static bool copy_request(struct api_job *job, const struct parley_api_request *request,
                         const char *rest) {
    job->rest = strdup(rest);
    job->body = malloc(request->body.size + 1);
    job->parameters = calloc(request->parameters_count + 1, sizeof(*job->parameters));
    if (job->rest == NULL || job->body == NULL || job->parameters == NULL)
        return false;
    if (request->body.size > 0)
        memcpy(job->body, request->body.data, request->body.size);
    job->body[request->body.size] = '\0';
    job->body_size = request->body.size;
    for (size_t i = 0; i < request->parameters_count; i++) {
        struct parley_api_parameter *copy = &job->parameters[job->parameters_count++];
        copy->name = strdup(request->parameters[i].name);
        copy->value = strdup(request->parameters[i].value);
        if (copy->name == NULL || copy->value == NULL)
            return false;
    }
    return true;
}

static void refuse_early(parley_api_done *done, void *context, unsigned status, const char *error,
                         const char *text) {
    char json[256];
    int size = snprintf(json, sizeof(json),
                        "{\"status\":%u,\"title\":\"%s\",\"detail\":\"%s\",\"error\":\"%s\","
                        "\"field\":null}",
                        status, text, text, error);
    struct parley_api_answer answer = {status, "application/problem+json", PARLEY_SPAN(json, size),
                                       NULL};
    done(context, &answer);
}

static bool parse_json(struct api_job *job) {
    json_error_t error;
    if (job->route->type == NULL || strcmp(job->route->type, JSON_TYPE) != 0)
        return true;
    job->json = json_loadb((const char *)job->body, job->body_size,
                           JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (json_is_object(job->json))
        return true;
    api_refuse(job, PARLEY_E_BAD_INPUT, "body", "the body must be one JSON object: %s at byte %d",
               job->json != NULL ? "another value stands" : error.text, error.position);
    return false;
}

void api_run(struct api_job *job) {
    if (!parse_json(job))
        return;
    if (job->route->names != NULL) {
        job->route->names(job);
        return; /* it ends in api_names_find, or in a refusal */
    }
    job->route->run(job);
}

void parley_api_handle(struct parley_api *api, const struct parley_api_request *request,
                       parley_api_done *done, void *context) {
    const char *rest = "";
    unsigned status;
    const struct api_route *route = find_route(request, &rest, &status);
    if (route == NULL) {
        refuse_early(done, context, status, "NOT_FOUND",
                     status == 404 ? "no such path" : "no such method on this path");
        return;
    }
    if (!has_type(request, route->type)) {
        refuse_early(done, context, 415, "BAD_INPUT", "the body is of another content type");
        return;
    }
    if (request->body.size > PARLEY_API_BODY_BYTES_MAX) {
        refuse_early(done, context, 413, "TOO_LARGE", "the body is larger than 1 MiB");
        return;
    }
    struct api_job *job = NULL;
    if (api->jobs_count < PARLEY_API_REQUESTS_MAX)
        job = calloc(1, sizeof(*job));
    if (job == NULL) {
        refuse_early(done, context, 503, "RETRY", "too many requests at once: try again");
        return;
    }
    api->jobs_count++;
    api->asked_at = uv_now(parley_host_loop(api->host));
    *job = (struct api_job){
        .api = api, .route = route, .done = done, .context = context, .is_gone = request->is_gone};
    if (copy_request(job, request, rest))
        api_gate_pass(job);
    else
        api_no_memory(job);
}

/* ---- the API ------------------------------------------------------------------------------ */

struct parley_api *parley_api_create(struct parley_host *host) {
    struct parley_api *api = calloc(1, sizeof(*api));
    if (api == NULL)
        return NULL;
    api->host = host;
    api->judging_ms_max = PARLEY_API_JUDGING_MS_MAX;
    api->feed = api_feed_create(api);
    if (api->feed != NULL && api_gate_create(api))
        api->search = api_search_create(api);
    if (api->search != NULL)
        return api;
    if (api->gate != NULL)
        api_gate_close(api);
    if (api->feed != NULL)
        api_feed_close(api->feed);
    if (api->feed != NULL)
        api_feed_free(api->feed);
    free(api);
    return NULL;
}

void parley_api_free(struct parley_api *api) {
    if (api == NULL)
        return;
    api_gate_close(api);
    api_feed_close(api->feed);
    api_search_close(api->search);
    api->is_closing = true;
    /* Their owner closes them now; what reads the store goes on meanwhile. */
    api->finding = NULL;
    api->invites = NULL;
    api_settle(api);
}

void api_settle(struct parley_api *api) {
    if (!api->is_closing || api->jobs_count > 0 || !api_feed_is_idle(api->feed) ||
        !api_search_is_idle(api->search))
        return;
    api_search_free(api->search);
    api_feed_free(api->feed);
    free(api);
}

void parley_api_set_judging_ms(struct parley_api *api, uint64_t ms_max) {
    api->judging_ms_max = ms_max;
}

void parley_api_set_finding(struct parley_api *api, struct parley_finding *finding,
                            struct parley_invites *invites) {
    api->finding = finding;
    api->invites = invites;
}

void parley_api_set_reach(struct parley_api *api, parley_api_reach *change, void *context) {
    api->change_reach = change;
    api->reach_context = context;
}

void parley_api_set_url(struct parley_api *api, const char *url) {
    snprintf(api->url, sizeof(api->url), "%s", url != NULL ? url : "");
}
