/* HTTP for the local API through libwebsockets. See http.h.
 *
 * An exchange is one request with its answer. libwebsockets owns the connection, the API owns the
 * time between: either may end first, so an exchange is freed by whoever ends last.
 */
#include "http.h"
#include "http_guard.h"
#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE          512u
#define PARAMETER_SIZE     512u
#define WRITE_BYTES_MAX    16384u
#define DRAIN_BYTES_MAX    (16u * 1024u * 1024u) /* of a body that is refused: read over */
#define STREAM_BYTES_MAX   (1024u * 1024u)       /* unsent on one stream; more closes it */
#define PING_EVERY_MS      15000u
#define CONNECTIONS_MAX    256u
#define HEADER_BYTES_MAX   16384u
#define REQUEST_SECONDS    20
#define KEEP_ALIVE_SECONDS 60
#define ANSWER_SECONDS     120

struct exchange {
    struct exchange *next; /* in http->exchanges */
    struct parley_http *http;
    struct lws *wsi; /* NULL: the connection is gone */
    bool is_dispatched;
    bool is_asked; /* the API will call back */
    bool is_answered;
    bool is_drained; /* close after the answer */
    bool headers_sent;

    enum parley_api_method method;
    char path[PATH_SIZE];
    char content_type[64];
    char *parameters_text;
    struct parley_api_parameter parameters[PARLEY_API_PARAMETERS_MAX];
    size_t parameters_count;
    uint8_t *body;
    size_t body_size, body_size_max;
    unsigned refusal; /* a status that was decided before the body was read; 0: none */
    const char *refusal_text;

    unsigned status;
    char answer_type[64];
    char answer_next[256];
    uint8_t *out; /* of a stream: what is not sent yet */
    size_t out_size, out_at, out_room;
    struct parley_api_watch *watch;
};

struct session {
    struct exchange *exchange;
};

struct parley_http {
    struct lws_context *context;
    struct lws_vhost *unix_vhost, *tcp_vhost;
    struct parley_api *api;
    uv_timer_t *ping;
    struct exchange *exchanges;
    char token[128];
    char url[320];
    uint16_t port;
    int home_fd;
    char iface[64]; /* must outlive the vhost */
    char tcp_host[256];
};

/* ---- exchanges ---------------------------------------------------------------------------- */

static void unlink_exchange(struct exchange *exchange) {
    if (exchange->http == NULL)
        return;
    struct exchange **at = &exchange->http->exchanges;
    while (*at != exchange)
        at = &(*at)->next;
    *at = exchange->next;
    exchange->http = NULL;
}

static void free_exchange(struct exchange *exchange) {
    unlink_exchange(exchange);
    if (exchange->watch != NULL)
        parley_api_watch_close(exchange->watch);
    free(exchange->parameters_text);
    free(exchange->body);
    free(exchange->out);
    free(exchange);
}

/* The connection is done with it. */
static void leave_exchange(struct session *session) {
    struct exchange *exchange = session->exchange;
    session->exchange = NULL;
    if (exchange == NULL)
        return;
    exchange->wsi = NULL;
    if (exchange->watch != NULL) {
        parley_api_watch_close(exchange->watch);
        exchange->watch = NULL;
    }
    if (!exchange->is_asked)
        free_exchange(exchange);
}

static bool append_out(struct exchange *exchange, const void *data, size_t size) {
    if (exchange->out_at > 0 && exchange->out_at == exchange->out_size)
        exchange->out_at = exchange->out_size = 0;
    if (exchange->out_size + size > exchange->out_room) {
        size_t room = exchange->out_size + size + 4096;
        uint8_t *grown = realloc(exchange->out, room);
        if (grown == NULL)
            return false;
        exchange->out = grown;
        exchange->out_room = room;
    }
    if (size > 0)
        memcpy(exchange->out + exchange->out_size, data, size);
    exchange->out_size += size;
    return true;
}

static void set_answer(struct exchange *exchange, unsigned status, const char *type,
                       struct parley_span body, const char *next) {
    exchange->is_answered = true;
    exchange->status = status;
    snprintf(exchange->answer_type, sizeof(exchange->answer_type), "%s", type);
    snprintf(exchange->answer_next, sizeof(exchange->answer_next), "%s", next ? next : "");
    if (!append_out(exchange, body.data, body.size))
        exchange->status = 500;
    if (exchange->wsi == NULL)
        return;
    if (exchange->watch == NULL) /* who does not read what was asked for is closed */
        lws_set_timeout(exchange->wsi, PENDING_TIMEOUT_HTTP_CONTENT, ANSWER_SECONDS);
    lws_callback_on_writable(exchange->wsi);
}

static void set_problem(struct exchange *exchange, unsigned status, const char *text) {
    char json[256];
    int size = snprintf(json, sizeof(json), "{\"status\":%u,\"title\":\"%s\"}\n", status, text);
    set_answer(exchange, status, "application/problem+json", PARLEY_SPAN(json, size), NULL);
}

static void on_answer(void *context, const struct parley_api_answer *answer) {
    struct exchange *exchange = context;
    exchange->is_asked = false;
    if (exchange->wsi == NULL)
        free_exchange(exchange);
    else
        set_answer(exchange, answer->status, answer->content_type, answer->body, answer->next);
}

static void on_post(void *context, struct parley_span json) {
    struct exchange *exchange = context;
    if (exchange->wsi == NULL)
        return;
    bool fits = exchange->out_size - exchange->out_at + json.size <= STREAM_BYTES_MAX;
    if (!fits || !append_out(exchange, "data: ", 6) ||
        !append_out(exchange, json.data, json.size) || !append_out(exchange, "\n\n", 2)) {
        exchange->is_drained = true; /* too slow: closed, and the reader catches up by asking */
        exchange->out_at = exchange->out_size;
    }
    lws_callback_on_writable(exchange->wsi);
}

/* ---- the guard ---------------------------------------------------------------------------- */

/* A header that does not fit becomes one that fits nobody. */
static void copy_header(char *text, size_t size, struct lws *wsi, enum lws_token_indexes token) {
    if (lws_hdr_total_length(wsi, token) > 0 && lws_hdr_copy(wsi, text, (int)size, token) <= 0)
        snprintf(text, size, "?");
}

/* NULL when the request may go on; else why not. */
static const char *refuse_visitor(struct parley_http *http, struct lws *wsi, unsigned *status) {
    struct http_visitor visitor = {0};
    if (lws_get_vhost(wsi) != http->tcp_vhost)
        return NULL;
    copy_header(visitor.host, sizeof(visitor.host), wsi, WSI_TOKEN_HOST);
    copy_header(visitor.origin, sizeof(visitor.origin), wsi, WSI_TOKEN_ORIGIN);
    copy_header(visitor.authorization, sizeof(visitor.authorization), wsi,
                WSI_TOKEN_HTTP_AUTHORIZATION);
    return http_guard_refuse(&visitor, http->port, http->token, status);
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
    unsigned status;
    const char *why = refuse_visitor(exchange->http, wsi, &status);
    if (why != NULL)
        refuse(exchange, status, why);
    status = read_method(exchange, wsi);
    if (status != 0)
        refuse(exchange, status, status == 405 ? "no such method" : "the path is too long");
    if (!read_parameters(exchange, wsi))
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
        parley_api_watch_open(exchange->http->api, request, on_post, exchange, &problem);
    if (exchange->watch == NULL)
        set_answer(exchange, problem.status, problem.content_type, problem.body, NULL);
    else
        set_answer(exchange, 200, "text/event-stream", PARLEY_SPAN(": hello\n\n", 9), NULL);
}

/* The request is whole; libwebsockets says so again after a body of size 0. */
static void dispatch(struct exchange *exchange) {
    if (exchange->is_dispatched)
        return;
    exchange->is_dispatched = true;
    lws_set_timeout(exchange->wsi, NO_PENDING_TIMEOUT, 0);
    if (exchange->refusal != 0) {
        set_problem(exchange, exchange->refusal, exchange->refusal_text);
        return;
    }
    struct parley_api_request request = {
        .method = exchange->method,
        .path = exchange->path,
        .parameters = exchange->parameters,
        .parameters_count = exchange->parameters_count,
        .content_type = exchange->content_type[0] ? exchange->content_type : NULL,
        .body = PARLEY_SPAN(exchange->body, exchange->body_size),
    };
    if (exchange->method == PARLEY_API_GET && strcmp(exchange->path, "/v1/events") == 0) {
        open_stream(exchange, &request);
        return;
    }
    exchange->is_asked = true;
    parley_api_handle(exchange->http->api, &request, on_answer, exchange);
}

static int on_request(struct lws *wsi, struct session *session) {
    struct parley_http *http = lws_context_user(lws_get_context(wsi));
    leave_exchange(session);
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL)
        return -1;
    exchange->http = http;
    exchange->wsi = wsi;
    exchange->next = http->exchanges;
    http->exchanges = exchange;
    session->exchange = exchange;
    size_t size = read_head(exchange, wsi);
    if (size == 0) {
        dispatch(exchange);
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

static int on_body(struct exchange *exchange, const void *data, size_t size) {
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

/* ---- writing an answer -------------------------------------------------------------------- */

static int add_header(struct lws *wsi, const char *name, const char *value, uint8_t **at,
                      uint8_t *end) {
    return lws_add_http_header_by_name(wsi, (const uint8_t *)name, (const uint8_t *)value,
                                       (int)strlen(value), at, end);
}

static int write_headers(struct exchange *exchange) {
    uint8_t buffer[LWS_PRE + 2048];
    uint8_t *start = buffer + LWS_PRE, *at = start, *end = buffer + sizeof(buffer) - 1;
    struct lws *wsi = exchange->wsi;
    lws_filepos_t length =
        exchange->watch != NULL ? LWS_ILLEGAL_HTTP_CONTENT_LEN : exchange->out_size;
    if (lws_add_http_common_headers(wsi, exchange->status, exchange->answer_type, length, &at,
                                    end) ||
        add_header(wsi, "cache-control:", "no-store", &at, end) ||
        add_header(wsi, "x-content-type-options:", "nosniff", &at, end))
        return -1;
    if (exchange->answer_next[0] != '\0' &&
        add_header(wsi, "parley-next:", exchange->answer_next, &at, end))
        return -1;
    exchange->headers_sent = true;
    return lws_finalize_write_http_header(wsi, start, &at, end);
}

static int write_some(struct exchange *exchange) {
    uint8_t buffer[LWS_PRE + WRITE_BYTES_MAX];
    size_t size = exchange->out_size - exchange->out_at;
    if (size > WRITE_BYTES_MAX)
        size = WRITE_BYTES_MAX;
    memcpy(buffer + LWS_PRE, exchange->out + exchange->out_at, size);
    exchange->out_at += size;
    bool is_last = exchange->watch == NULL && exchange->out_at == exchange->out_size;
    return lws_write(exchange->wsi, buffer + LWS_PRE, size,
                     is_last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0;
}

static int on_writable(struct session *session) {
    struct exchange *exchange = session->exchange;
    if (exchange == NULL || !exchange->is_answered)
        return 0;
    struct lws *wsi = exchange->wsi;
    if (!exchange->headers_sent) {
        if (write_headers(exchange))
            return -1;
        lws_callback_on_writable(wsi);
        return 0;
    }
    if (exchange->watch != NULL && exchange->is_drained)
        return -1;
    if (exchange->out_at < exchange->out_size && write_some(exchange))
        return -1;
    if (exchange->out_at < exchange->out_size) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    if (exchange->watch != NULL)
        return 0;
    bool closes = exchange->is_drained;
    leave_exchange(session);
    return lws_http_transaction_completed(wsi) || closes ? -1 : 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size) {
    struct session *session = user;
    if (reason == LWS_CALLBACK_HTTP)
        return on_request(wsi, session);
    if (reason == LWS_CALLBACK_HTTP_BODY)
        return on_body(session->exchange, in, size);
    if (reason == LWS_CALLBACK_HTTP_BODY_COMPLETION) {
        if (session->exchange != NULL)
            dispatch(session->exchange);
        return 0;
    }
    if (reason == LWS_CALLBACK_HTTP_WRITEABLE)
        return on_writable(session);
    if (reason == LWS_CALLBACK_CLOSED_HTTP || reason == LWS_CALLBACK_HTTP_DROP_PROTOCOL) {
        if (session != NULL)
            leave_exchange(session);
        return 0;
    }
    return 0;
}

static void on_ping(uv_timer_t *timer) {
    struct parley_http *http = timer->data;
    for (struct exchange *exchange = http->exchanges; exchange != NULL; exchange = exchange->next)
        if (exchange->watch != NULL && exchange->wsi != NULL &&
            exchange->out_at == exchange->out_size && append_out(exchange, ": ping\n\n", 8))
            lws_callback_on_writable(exchange->wsi);
}

/* ---- opening and closing ------------------------------------------------------------------ */

static const struct lws_protocols PROTOCOLS[] = {
    {.name = "http", .callback = on_event, .per_session_data_size = sizeof(struct session)},
    {0},
};

/* Through the folder's descriptor, so that a path of any length works. The mode is set after the
 * socket is made, whatever the umask; until then the umask keeps others out. */
static enum parley_error open_unix(struct parley_http *http, const char *home) {
    http->home_fd = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (http->home_fd < 0)
        return PARLEY_E_DISK_FAILED;
    snprintf(http->iface, sizeof(http->iface), "/proc/self/fd/%d/api.sock", http->home_fd);
    if (unlink(http->iface) != 0 && errno != ENOENT)
        return PARLEY_E_DISK_FAILED;
    struct lws_context_creation_info info = {
        .vhost_name = "unix",
        .iface = http->iface,
        .protocols = PROTOCOLS,
        .options = LWS_SERVER_OPTION_UNIX_SOCK | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
        .timeout_secs = REQUEST_SECONDS,
        .keepalive_timeout = KEEP_ALIVE_SECONDS,
        .server_string = "parley",
    };
    mode_t before = umask(0177);
    http->unix_vhost = lws_create_vhost(http->context, &info);
    umask(before);
    if (http->unix_vhost == NULL || chmod(http->iface, 0600) != 0)
        return PARLEY_E_DISK_FAILED;
    return PARLEY_E_OK;
}

static enum parley_error open_tcp(struct parley_http *http,
                                  const struct parley_http_config *config) {
    bool is_local = strcmp(config->tcp_host, "localhost") == 0;
    snprintf(http->tcp_host, sizeof(http->tcp_host), "%s",
             is_local ? "127.0.0.1" : config->tcp_host);
    struct lws_context_creation_info info = {
        .vhost_name = "tcp",
        .iface = http->tcp_host,
        .port = config->tcp_port,
        .protocols = PROTOCOLS,
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
        .timeout_secs = REQUEST_SECONDS,
        .keepalive_timeout = KEEP_ALIVE_SECONDS,
        .server_string = "parley",
    };
    http->tcp_vhost = lws_create_vhost(http->context, &info);
    if (http->tcp_vhost == NULL)
        return PARLEY_E_BAD_INPUT;
    http->port = (uint16_t)lws_get_vhost_listen_port(http->tcp_vhost);
    bool is_v6 = strchr(http->tcp_host, ':') != NULL;
    snprintf(http->url, sizeof(http->url), is_v6 ? "http://[%s]:%u" : "http://%s:%u",
             http->tcp_host, http->port);
    snprintf(http->token, sizeof(http->token), "%s", config->token ? config->token : "");
    return PARLEY_E_OK;
}

static enum parley_error open_context(struct parley_http *http, uv_loop_t *loop) {
    lws_set_log_level(0, NULL); /* what failed comes back as an error */
    void *loops[] = {loop};
    struct lws_context_creation_info info = {
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN,
        .foreign_loops = loops,
        .port = CONTEXT_PORT_NO_LISTEN,
        .fd_limit_per_thread = CONNECTIONS_MAX,
        .max_http_header_data2 = HEADER_BYTES_MAX,
        .max_http_header_pool2 = CONNECTIONS_MAX,
        .user = http,
    };
    http->context = lws_create_context(&info);
    if (http->context == NULL)
        return PARLEY_E_NO_MEMORY;
    http->ping = malloc(sizeof(*http->ping));
    if (http->ping == NULL)
        return PARLEY_E_NO_MEMORY;
    uv_timer_init(loop, http->ping);
    http->ping->data = http;
    uv_timer_start(http->ping, on_ping, PING_EVERY_MS, PING_EVERY_MS);
    return PARLEY_E_OK;
}

enum parley_error parley_http_open(struct parley_http **out,
                                   const struct parley_http_config *config) {
    struct parley_http *http = calloc(1, sizeof(*http));
    if (http == NULL)
        return PARLEY_E_NO_MEMORY;
    http->api = config->api;
    http->home_fd = -1;
    enum parley_error error = open_context(http, config->loop);
    if (error == PARLEY_E_OK)
        error = open_unix(http, config->home);
    if (error == PARLEY_E_OK && config->tcp_host != NULL)
        error = open_tcp(http, config);
    if (error != PARLEY_E_OK) {
        parley_http_close(http);
        return error;
    }
    *out = http;
    return PARLEY_E_OK;
}

const char *parley_http_url(const struct parley_http *http) {
    return http->url[0] != '\0' ? http->url : NULL;
}

static void free_handle(uv_handle_t *handle) {
    free(handle);
}

void parley_http_close(struct parley_http *http) {
    if (http->unix_vhost != NULL)
        unlink(http->iface);
    if (http->home_fd >= 0)
        close(http->home_fd);
    if (http->ping != NULL)
        uv_close((uv_handle_t *)http->ping, free_handle);
    while (http->exchanges != NULL) {
        if (http->exchanges->watch != NULL)
            parley_api_watch_close(http->exchanges->watch);
        http->exchanges->watch = NULL;
        unlink_exchange(http->exchanges);
    }
    if (http->context != NULL)
        lws_context_destroy(http->context);
    sodium_memzero(http->token, sizeof(http->token));
    free(http);
}
