/* Reading a request: who asks, for what, and its body. See http_internal.h. */
#include "http_guard.h"
#include "http_internal.h"
#include <stdio.h>
#include <stdlib.h>

#define PARAMETER_SIZE  512u
#define COOKIES_SIZE    8192u                 /* of all ports of this machine */
#define DRAIN_BYTES_MAX (16u * 1024u * 1024u) /* of a body that is refused: read over */

/* ---- the guard ---------------------------------------------------------------------------- */

/* A header that does not fit becomes one that fits nobody. */
static void copy_header(char *text, size_t size, struct lws *wsi, enum lws_token_indexes token) {
    if (lws_hdr_total_length(wsi, token) > 0 && lws_hdr_copy(wsi, text, (int)size, token) <= 0)
        snprintf(text, size, "?");
}

/* libwebsockets has no number for these. */
static void copy_named(char *text, size_t size, struct lws *wsi, const char *name) {
    int length = lws_hdr_custom_length(wsi, name, (int)strlen(name));
    if (length > 0 && lws_hdr_custom_copy(wsi, text, (int)size, name, (int)strlen(name)) <= 0)
        snprintf(text, size, "?");
}

static void copy_cookie(struct http_visitor *visitor, struct parley_http *http, struct lws *wsi) {
    char header[COOKIES_SIZE] = "", name[DOOR_COOKIE_NAME_SIZE];
    copy_header(header, sizeof(header), wsi, WSI_TOKEN_HTTP_COOKIE);
    door_cookie_name(name, http);
    http_guard_cookie(visitor->cookie, sizeof(visitor->cookie), header, name);
}

/* NULL when the request may go on; else why not. */
static const char *refuse_visitor(const struct exchange *exchange, struct lws *wsi,
                                  unsigned *status) {
    struct parley_http *http = exchange->http;
    struct http_visitor visitor = {.changes = exchange->method != PARLEY_API_GET,
                                   .changes_keys = door_changes_keys(exchange),
                                   .makes_link = door_makes_link(exchange),
                                   .is_open = door_is_open(exchange)};
    struct http_door door = {http->port, http->token, &http->sessions, door_now()};
    copy_header(visitor.host, sizeof(visitor.host), wsi, WSI_TOKEN_HOST);
    copy_header(visitor.origin, sizeof(visitor.origin), wsi, WSI_TOKEN_ORIGIN);
    copy_header(visitor.authorization, sizeof(visitor.authorization), wsi,
                WSI_TOKEN_HTTP_AUTHORIZATION);
    copy_named(visitor.word, sizeof(visitor.word), wsi, "parley-page:");
    copy_named(visitor.site, sizeof(visitor.site), wsi, "sec-fetch-site:");
    copy_cookie(&visitor, http, wsi);
    return http_guard_refuse(&visitor, &door, status);
}

/* ---- reading a request -------------------------------------------------------------------- */

static bool read_parameters(struct exchange *exchange, struct lws *wsi) {
    size_t room = (size_t)lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS);
    if (room == 0)
        return true;
    char *text = exchange->parameters_text = malloc(room + PARLEY_API_PARAMETERS_MAX + 1);
    if (text == NULL)
        return false;
    char part[PARAMETER_SIZE];
    for (int i = 0; lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i) > 0; i++) {
        int size = lws_hdr_copy_fragment(wsi, part, sizeof(part), WSI_TOKEN_HTTP_URI_ARGS, i);
        if (size < 0 || exchange->parameters_count == PARLEY_API_PARAMETERS_MAX)
            return false;
        part[size] = '\0';
        size = (int)strlen(part);
        memcpy(text, part, (size_t)size + 1);
        char *equals = strchr(text, '=');
        struct parley_api_parameter *parameter =
            &exchange->parameters[exchange->parameters_count++];
        parameter->name = text;
        parameter->value = equals ? equals + 1 : text + size;
        if (equals != NULL)
            *equals = '\0';
        text += size + 1;
    }
    return true;
}

/* A browser's own way to say how far it came in a stream; the parameter says the same. */
static bool read_last_event(struct exchange *exchange, struct lws *wsi) {
    copy_named(exchange->last_event, sizeof(exchange->last_event), wsi, "last-event-id:");
    if (exchange->last_event[0] == '\0')
        return true;
    if (exchange->parameters_count == PARLEY_API_PARAMETERS_MAX)
        return false;
    exchange->parameters[exchange->parameters_count++] =
        (struct parley_api_parameter){"after", exchange->last_event};
    return true;
}

static unsigned read_method(struct exchange *exchange, struct lws *wsi) {
    char *path = NULL;
    int size = 0;
    switch (lws_http_get_uri_and_method(wsi, &path, &size)) {
    case LWSHUMETH_GET:
        exchange->method = PARLEY_API_GET;
        break;
    case LWSHUMETH_POST:
        exchange->method = PARLEY_API_POST;
        break;
    case LWSHUMETH_DELETE:
        exchange->method = PARLEY_API_DELETE;
        break;
    default:
        return 405;
    }
    if (path == NULL || (size_t)size >= sizeof(exchange->path))
        return 414;
    memcpy(exchange->path, path, (size_t)size);
    exchange->path[size] = '\0';
    return 0;
}

static void refuse(struct exchange *exchange, unsigned status, const char *text) {
    if (exchange->refusal == 0) {
        exchange->refusal = status;
        exchange->refusal_text = text;
    }
}

/* The size of the body to come; decides on what can be said before it is here. */
static size_t read_head(struct exchange *exchange, struct lws *wsi) {
    unsigned wrong = read_method(exchange, wsi), status;
    exchange->is_tcp = lws_get_vhost(wsi) == exchange->http->tcp_vhost;
    const char *why = exchange->is_tcp ? refuse_visitor(exchange, wsi, &status) : NULL;
    if (why != NULL)
        refuse(exchange, status, why);
    status = wrong;
    if (status != 0)
        refuse(exchange, status, status == 405 ? "no such method" : "the path is too long");
    if (!read_parameters(exchange, wsi) || !read_last_event(exchange, wsi))
        refuse(exchange, 400, "too many parameters, or one is too long");
    lws_hdr_copy(wsi, exchange->content_type, sizeof(exchange->content_type),
                 WSI_TOKEN_HTTP_CONTENT_TYPE);
    char length[32] = "";
    if (lws_hdr_copy(wsi, length, sizeof(length), WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0) {
        if (exchange->method == PARLEY_API_POST) {
            refuse(exchange, 411, "a Content-Length is needed");
            exchange->is_drained = true;
        }
        return 0;
    }
    unsigned long long size = strtoull(length, NULL, 10);
    if (size > PARLEY_API_BODY_BYTES_MAX)
        refuse(exchange, 413, "the body is larger than 1 MiB");
    if (size > DRAIN_BYTES_MAX) {
        exchange->is_drained = true;
        return 0;
    }
    return (size_t)size;
}

static void open_stream(struct exchange *exchange, const struct parley_api_request *request) {
    struct parley_api_answer problem = {0};
    exchange->watch =
        parley_api_watch_open(exchange->http->api, request, exchange_on_event, exchange, &problem);
    if (exchange->watch == NULL)
        exchange_answer(exchange, problem.status, problem.content_type, problem.body, NULL);
    else {
        exchange->is_drained = !hangup_open(exchange);
        exchange_answer(exchange, 200, "text/event-stream", PARLEY_NO_SPAN, NULL);
    }
}

void request_dispatch(struct exchange *exchange) {
    if (exchange->is_dispatched)
        return;
    exchange->is_dispatched = true;
    lws_set_timeout(exchange->wsi, NO_PENDING_TIMEOUT, 0);
    if (exchange->refusal != 0) {
        exchange_problem(exchange, exchange->refusal, exchange->refusal_text);
        return;
    }
    struct parley_api_request request = {
        .method = exchange->method,
        .path = exchange->path,
        .parameters = exchange->parameters,
        .parameters_count = exchange->parameters_count,
        .content_type = exchange->content_type[0] ? exchange->content_type : NULL,
        .body = PARLEY_SPAN(exchange->body, exchange->body_size),
        .is_gone = &exchange->is_gone,
    };
    if (door_answer(exchange))
        return;
    if (exchange->method == PARLEY_API_GET && strcmp(exchange->path, "/v1/events") == 0) {
        open_stream(exchange, &request);
        return;
    }
    exchange->is_asked = true;
    parley_api_handle(exchange->http->api, &request, exchange_on_answer, exchange);
    if (exchange->is_asked && !hangup_open(exchange))
        lws_set_timeout(exchange->wsi, PENDING_TIMEOUT_HTTP_CONTENT, LWS_TO_KILL_ASYNC);
}

int request_on_head(struct lws *wsi, struct session *session) {
    struct exchange *exchange = exchange_open(session, wsi);
    if (exchange == NULL)
        return -1;
    size_t size = read_head(exchange, wsi);
    if (size == 0) {
        request_dispatch(exchange);
        return 0;
    }
    exchange->body_size_max = size <= PARLEY_API_BODY_BYTES_MAX ? size : 0;
    if (exchange->body_size_max > 0) {
        exchange->body = malloc(exchange->body_size_max);
        if (exchange->body == NULL)
            return -1;
    }
    return 0;
}

int request_on_body(struct exchange *exchange, const void *data, size_t size) {
    if (exchange == NULL)
        return -1;
    if (exchange->refusal != 0)
        return 0;
    if (size > exchange->body_size_max - exchange->body_size)
        return -1;
    memcpy(exchange->body + exchange->body_size, data, size);
    exchange->body_size += size;
    return 0;
}
