/* What the files of the HTTP server share: one request with its answer, and who owns it.
 *
 * libwebsockets owns the connection, the API owns the time between: either may end first, so an
 * exchange is freed by whoever ends last.
 */
#ifndef PARLEY_SHELL_HTTP_INTERNAL_H
#define PARLEY_SHELL_HTTP_INTERNAL_H

#include "http.h"
#include <libwebsockets.h>

#define HTTP_PATH_SIZE 512u

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
    char path[HTTP_PATH_SIZE];
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

/* http_exchange.c */
/* NULL when there is no memory. */
struct exchange *exchange_open(struct session *session, struct lws *wsi);
/* The connection is done with it. */
void exchange_leave(struct session *session);
/* No watch and no list holds it any more; its connection is about to be closed. */
void exchange_detach(struct exchange *exchange);
/* next: the parley-next header, or NULL. */
void exchange_answer(struct exchange *exchange, unsigned status, const char *type,
                     struct parley_span body, const char *next);
void exchange_problem(struct exchange *exchange, unsigned status, const char *text);
/* What the API calls. */
void exchange_on_answer(void *context, const struct parley_api_answer *answer);
void exchange_on_post(void *context, struct parley_span json);
void exchange_ping(struct exchange *exchange);
/* Like those of libwebsockets: not 0 closes the connection. */
int exchange_on_writable(struct session *session);

/* http_request.c */
/* Like those of libwebsockets: not 0 closes the connection. */
int request_on_head(struct lws *wsi, struct session *session);
int request_on_body(struct exchange *exchange, const void *data, size_t size);
/* The request is whole; libwebsockets says so again after a body of size 0. */
void request_dispatch(struct exchange *exchange);

#endif
