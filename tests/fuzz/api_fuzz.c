/* Requests to the local API, without HTTP: each is answered exactly once, with a status and with
 * JSON where JSON is said; and what a request makes the node do is what it said, in forms that
 * decode.
 *
 * An input: how (method, type of the body, what the node replies, who the owner is), then a line
 * for the path, a line for the parameters ("name=value&..."), and the body. The host is a stand-in
 * (api_host.c) with a node that knows four people and a store that holds their posts. '$n' in path,
 * parameters and JSON stands for the text form of person n, '%n' for a post.
 */
#include "api_host.h"
#include "fuzz.h"

#include <jansson.h>
#include <parley/body.h>
#include <parley/bundle.h>

#define TEXT_MAX       4096u
#define PARAMETERS_MAX 8u

/* ---- the request */

/* Up to `end` or a line's end, with names put in; false when it does not fit or holds a zero. */
static bool take_text(char *out, struct parley_span *rest, char end) {
    size_t used = 0;
    while (rest->size > 0 && *rest->data != '\n' && *rest->data != (uint8_t)end) {
        size_t size = api_host_put_name(out + used, rest);
        used += size;
        if (size == 0 || used > TEXT_MAX - API_HOST_NAME_MAX)
            return false;
    }
    out[used] = '\0';
    return true;
}

static bool take_one(struct parley_span *rest, char what) {
    if (rest->size == 0 || *rest->data != (uint8_t)what)
        return false;
    *rest = PARLEY_SPAN(rest->data + 1, rest->size - 1);
    return true;
}

static bool take_parameters(struct parley_api_parameter *parameters, size_t *count,
                            struct parley_span *rest) {
    static char names[PARAMETERS_MAX][TEXT_MAX], values[PARAMETERS_MAX][TEXT_MAX];
    for (*count = 0; *count < PARAMETERS_MAX && rest->size > 0 && *rest->data != '\n'; ++*count) {
        size_t i = *count;
        if (!take_text(names[i], rest, '='))
            return false;
        values[i][0] = '\0';
        if (take_one(rest, '=') && !take_text(values[i], rest, '&'))
            return false;
        (void)take_one(rest, '&');
        parameters[i] = (struct parley_api_parameter){names[i], values[i]};
    }
    return rest->size == 0 || take_one(rest, '\n');
}

/* A JSON body has names put in, too; where it does not fit it stays as it is. */
static struct parley_span take_body(struct parley_span bytes) {
    static char body[2 * TEXT_MAX];
    size_t used = 0;
    for (struct parley_span rest = bytes; rest.size > 0;) {
        if (used > sizeof body - API_HOST_NAME_MAX)
            return bytes;
        size_t size = api_host_put_name(body + used, &rest);
        used += size > 0 ? size : 1;
    }
    return PARLEY_SPAN(body, used);
}

static bool take_request(struct parley_api_request *request, uint8_t how,
                         struct parley_span bytes) {
    static char path[TEXT_MAX];
    static struct parley_api_parameter parameters[PARAMETERS_MAX];
    static const char *const types[] = {NULL, "application/json; charset=utf-8",
                                        "application/x-ndjson", "application/octet-stream"};
    memset(request, 0, sizeof *request);
    if (!take_text(path, &bytes, '\n'))
        return false;
    (void)take_one(&bytes, '\n');
    if (!take_parameters(parameters, &request->parameters_count, &bytes))
        return false;
    request->method = (enum parley_api_method)((how & 3) % 3);
    request->content_type = types[how >> 2 & 3];
    request->path = path;
    request->parameters = parameters;
    request->body = (how >> 2 & 3) == 1 ? take_body(bytes) : bytes;
    return true;
}

/* ---- the answer */

static unsigned answers_count;
static unsigned answer_status;

static void check_json(struct parley_span text, bool is_problem) {
    json_t *json =
        json_loadb((const char *)text.data, text.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    FUZZ_HOLDS(json != NULL);
    if (is_problem) {
        FUZZ_HOLDS(json_integer_value(json_object_get(json, "status")) == answer_status);
        FUZZ_HOLDS(json_is_string(json_object_get(json, "detail")));
    }
    json_decref(json);
}

static void check_lines(struct parley_span text) {
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        FUZZ_HOLDS(end != NULL);
        check_json(PARLEY_SPAN(text.data, end - text.data), false);
        text = PARLEY_SPAN(end + 1, text.size - (size_t)(end + 1 - text.data));
    }
}

/* Prometheus's text: a comment or a number in each line. */
static void check_metrics(struct parley_span text) {
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        FUZZ_HOLDS(end != NULL);
        FUZZ_HOLDS(text.data[0] == '#' || (end > text.data && end[-1] >= '0' && end[-1] <= '9'));
        text = PARLEY_SPAN(end + 1, text.size - (size_t)(end + 1 - text.data));
    }
}

static void on_answer(void *context, const struct parley_api_answer *answer) {
    answers_count++;
    answer_status = answer->status;
    FUZZ_HOLDS(answer->status >= 200 && answer->status < 600);
    bool is_problem = strcmp(answer->content_type, "application/problem+json") == 0;
    FUZZ_HOLDS(is_problem == (answer->status >= 400));
    if (is_problem || strcmp(answer->content_type, "application/json") == 0)
        check_json(answer->body, is_problem);
    else if (strcmp(answer->content_type, "application/x-ndjson") == 0)
        check_lines(answer->body);
    else if (strncmp(answer->content_type, "text/plain;", 11) == 0)
        check_metrics(answer->body);
    else
        FUZZ_HOLDS(strcmp(answer->content_type, "application/octet-stream") == 0);
}

/* ---- what the node is made to do */

/* The text of a post that was published is that of the request. */
static void check_publish(const struct parley_event *event, const struct parley_api_request *from) {
    static struct parley_body body;
    FUZZ_HOLDS(parley_body_decode(&body, event->publish.body).error == PARLEY_E_OK);
    FUZZ_HOLDS(event->publish.time <= PARLEY_TIME_MAX);
    if (strcmp(from->path, "/v1/posts") != 0)
        return;
    json_t *json = json_loadb((const char *)from->body.data, from->body.size, JSON_ALLOW_NUL, NULL);
    json_t *text = json_object_get(json, "text");
    FUZZ_HOLDS(body.kind == PARLEY_BODY_POST && text != NULL);
    FUZZ_HOLDS(parley_span_equal(body.post.text,
                                 PARLEY_SPAN(json_string_value(text), json_string_length(text))));
    FUZZ_HOLDS(body.post.tags_count == json_array_size(json_object_get(json, "tags")));
    json_decref(json);
}

static void on_event(const struct parley_event *event, const void *context) {
    switch ((int)event->kind) {
    case PARLEY_EVENT_PUBLISH:
        check_publish(event, context);
        return;
    case PARLEY_EVENT_CONNECT:
        FUZZ_HOLDS(event->connect.address.port > 0 && event->connect.address.host[0] != '\0');
        return;
    case PARLEY_EVENT_FOLLOW:
    case PARLEY_EVENT_PURGE:
    case PARLEY_EVENT_LIST:
    case PARLEY_EVENT_DISCONNECT:
    case PARLEY_EVENT_IMPORT_RECORD:
    case PARLEY_EVENT_IMPORT_CHUNK:
        return;
    default:
        FUZZ_HOLDS(!"no event of an owner");
    }
}

static void on_told(void *context, const struct parley_api_event *event) {
    static const char *const kinds[] = {"post", "vote", "profile", "follow", "erase", "gap"};
    size_t known = 0;
    FUZZ_HOLDS(strlen(event->cursor) < 64);
    if (strcmp(event->kind, "start") == 0) {
        FUZZ_HOLDS(event->json.size == 0);
        return;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        known += strcmp(event->kind, kinds[i]) == 0;
    FUZZ_HOLDS(known == 1);
    check_json(event->json, false);
}

/* A stream of posts takes the parameters of a timeline. */
static void watch(const struct parley_api_request *request) {
    struct parley_api_answer problem = {0};
    struct parley_api_watch *watched =
        parley_api_watch_open(api_host_api(), request, on_told, NULL, &problem);
    FUZZ_HOLDS((watched == NULL) == (problem.status >= 400));
    if (watched == NULL)
        return;
    api_host_show();
    api_host_run();
    parley_api_watch_close(watched);
    api_host_run();
}

/* More at once than there is room for, and an API that is freed while they are under way. */
static void try_limits(void) {
    static const struct parley_api_request request = {.path = "/v1/digest"};
    struct parley_api *api = api_host_make();
    answers_count = 0;
    parley_api_set_url(api, "http://127.0.0.1:8080");
    for (size_t i = 0; i < PARLEY_API_REQUESTS_MAX; i++)
        parley_api_handle(api, &request, on_answer, NULL);
    FUZZ_HOLDS(answers_count == 0);
    parley_api_handle(api, &request, on_answer, NULL);
    FUZZ_HOLDS(answers_count == 1 && answer_status == 503);
    static uint8_t large[PARLEY_API_BODY_BYTES_MAX + 1];
    struct parley_api_request too_large = {.method = PARLEY_API_POST, .path = "/v1/posts"};
    too_large.content_type = "application/json";
    too_large.body = PARLEY_SPAN(large, sizeof large);
    parley_api_handle(api, &too_large, on_answer, NULL);
    FUZZ_HOLDS(answers_count == 2 && answer_status == 413);
    parley_api_free(api);
    api_host_run();
    FUZZ_HOLDS(answers_count == PARLEY_API_REQUESTS_MAX + 2);
    static struct parley_api_watch *watched[PARLEY_API_WATCHERS_MAX + 1];
    struct parley_api_answer problem = {0};
    for (size_t i = 0; i <= PARLEY_API_WATCHERS_MAX; i++)
        watched[i] = parley_api_watch_open(api_host_api(), &request, on_told, NULL, &problem);
    FUZZ_HOLDS(watched[PARLEY_API_WATCHERS_MAX] == NULL && problem.status == 503);
    for (size_t i = 0; i < PARLEY_API_WATCHERS_MAX; i++)
        parley_api_watch_close(watched[i]);
}

void fuzz_target(struct parley_span bytes) {
    struct parley_api_request request = {0};
    if (bytes.size == 0) {
        api_host_begin(0, on_event, &request);
        try_limits();
    }
    if (bytes.size < 2)
        return;
    api_host_begin(bytes.data[1], on_event, &request);
    if (!take_request(&request, bytes.data[0], PARLEY_SPAN(bytes.data + 2, bytes.size - 2)))
        return;
    if (strcmp(request.path, "/v1/events") == 0) {
        watch(&request);
        return;
    }
    answers_count = 0;
    parley_api_handle(api_host_api(), &request, on_answer, NULL);
    api_host_run();
    FUZZ_HOLDS(answers_count == 1);
}
