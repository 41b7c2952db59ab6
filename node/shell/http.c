/* HTTP for the local API through libwebsockets: its two doors, and what it tells of. See http.h. */
#include "http_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PING_EVERY_MS      15000u
#define CONNECTIONS_MAX    256u
#define HEADER_BYTES_MAX   16384u
#define REQUEST_SECONDS    20
#define KEEP_ALIVE_SECONDS 60

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size) {
    struct session *session = user;
    if (reason == LWS_CALLBACK_HTTP)
        return request_on_head(wsi, session);
    if (reason == LWS_CALLBACK_HTTP_BODY)
        return request_on_body(session->exchange, in, size);
    if (reason == LWS_CALLBACK_HTTP_BODY_COMPLETION) {
        if (session->exchange != NULL)
            request_dispatch(session->exchange);
        return 0;
    }
    if (reason == LWS_CALLBACK_HTTP_WRITEABLE)
        return exchange_on_writable(session);
    if (reason == LWS_CALLBACK_CLOSED_HTTP || reason == LWS_CALLBACK_HTTP_DROP_PROTOCOL) {
        if (session != NULL)
            exchange_leave(session);
        return 0;
    }
    return 0;
}

static void on_ping(uv_timer_t *timer) {
    struct parley_http *http = timer->data;
    for (struct exchange *exchange = http->exchanges; exchange != NULL; exchange = exchange->next)
        exchange_ping(exchange);
}

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
    if (http->tcp_vhost == NULL && config->is_optional) {
        info.port = 0;
        http->tcp_vhost = lws_create_vhost(http->context, &info);
    }
    if (http->tcp_vhost == NULL)
        return config->is_optional ? PARLEY_E_OK : PARLEY_E_BAD_INPUT;
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
    struct parley_http *http = *out = calloc(1, sizeof(*http));
    if (http == NULL)
        return PARLEY_E_NO_MEMORY;
    http->api = config->api;
    http->home_fd = -1;
    enum parley_error error = open_context(http, config->loop);
    if (error == PARLEY_E_OK)
        error = open_unix(http, config->home);
    if (error == PARLEY_E_OK && config->tcp_host != NULL) {
        error = door_open(http, config->home);
        if (error == PARLEY_E_OK)
            error = open_tcp(http, config);
    }
    return error;
}

const char *parley_http_url(const struct parley_http *http) {
    return http->url[0] != '\0' ? http->url : NULL;
}

static void free_handle(uv_handle_t *handle) {
    free(handle);
}

void parley_http_stop(struct parley_http *http) {
    if (http->unix_vhost != NULL)
        unlink(http->iface);
    if (http->home_fd >= 0)
        close(http->home_fd);
    if (http->ping != NULL)
        uv_close((uv_handle_t *)http->ping, free_handle);
    while (http->exchanges != NULL)
        exchange_detach(http->exchanges);
    if (http->context != NULL)
        lws_context_destroy(http->context);
}

/* On a loop that is not its own libwebsockets can only begin to close: its handles end on the loop,
 * and what they stood in goes with the second call. */
void parley_http_free(struct parley_http *http) {
    if (http->context != NULL)
        lws_context_destroy(http->context);
    sodium_memzero(http->token, sizeof(http->token));
    sodium_memzero(&http->sessions, sizeof(http->sessions));
    free(http);
}
