/* What the files of the HTTP server share: one request with its answer, and who owns it.
 *
 * libwebsockets owns the connection, the API owns the time between: either may end first, so an
 * exchange is freed by whoever ends last.
 */
#ifndef PARLEY_SHELL_HTTP_INTERNAL_H
#define PARLEY_SHELL_HTTP_INTERNAL_H

#include "http.h"
#include "http_session.h"
#include <libwebsockets.h>
#include <limits.h>

#define HTTP_PATH_SIZE 512u

struct exchange {
    struct exchange *next; /* in http->exchanges */
    struct parley_http *http;
    struct lws *wsi; /* NULL: the connection is gone */
    bool is_tcp;
    bool is_dispatched;
    bool is_asked; /* the API will call back */
    bool is_gone;  /* who asked is not there any more */
    bool is_answered;
    bool is_drained; /* close after the answer */
    bool headers_sent;

    enum parley_api_method method;
    char path[HTTP_PATH_SIZE];
    char content_type[64];
    char last_event[64];
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
    char answer_cookie[256]; /* Set-Cookie; "": none */
    const char *policy;      /* of a file of the page: its Content-Security-Policy; NULL: none */
    bool is_lasting;         /* a browser may keep the answer */
    uint8_t *out;            /* of a stream: what is not sent yet */
    size_t out_size, out_at, out_room;
    struct parley_api_watch *watch;
    struct hangup *hangup; /* NULL: who asked is not looked for */
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
    struct http_sessions sessions;
    char key_path[PATH_MAX];
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
/* As the API's problems: status, title, detail, error, field. */
void exchange_problem(struct exchange *exchange, unsigned status, const char *text);
/* What the API calls. */
void exchange_on_answer(void *context, const struct parley_api_answer *answer);
void exchange_on_event(void *context, const struct parley_api_event *event);
void exchange_ping(struct exchange *exchange);
/* Like those of libwebsockets: not 0 closes the connection. */
int exchange_on_writable(struct session *session);

/* http_hangup.c */
/* From now on the connection is closed as soon as who reads the stream has gone. False: no memory
 * or no descriptor. */
bool hangup_open(struct exchange *exchange);
/* NULL is none. */
void hangup_close(struct hangup *hangup);

/* http_request.c */
/* Like those of libwebsockets: not 0 closes the connection. */
int request_on_head(struct lws *wsi, struct session *session);
int request_on_body(struct exchange *exchange, const void *data, size_t size);
/* The request is whole; libwebsockets says so again after a body of size 0. */
void request_dispatch(struct exchange *exchange);

/* http_door.c: the page's files, and who is let in to it */
/* The key of HOME/page.key, made where there is none. Errors: DISK_FULL, DISK_FAILED. */
PARLEY_USE_RESULT enum parley_error door_open(struct parley_http *http, const char *home);
/* "parley_PORT": browsers know no ports where cookies are concerned. */
#define DOOR_COOKIE_NAME_SIZE 16u
void door_cookie_name(char name[DOOR_COOKIE_NAME_SIZE], const struct parley_http *http);
/* Asks for what needs no session: the page's files, whether the node lives, to be let in. */
bool door_is_open(const struct exchange *exchange);
/* Admits a device or ends one: wants a link that was used a moment ago. */
bool door_changes_keys(const struct exchange *exchange);
/* Asks for a link: for programs of the owner's alone. */
bool door_makes_link(const struct exchange *exchange);
/* Answers what is the door's own; false: it is the API's. */
bool door_answer(struct exchange *exchange);
/* Wall time, ms since 1970. */
parley_time_ms door_now(void);

#endif
