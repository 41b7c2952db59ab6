/* HTTP for the local API, on the shell's own loop. The files http*.c are the ones that know
 * libwebsockets.
 *
 * Two doors: a unix socket in the home, mode 0600, where file permissions are the guard; and, if
 * the owner wants it, TCP, where a web page that the owner opens could knock too. So on TCP the
 * Host and Origin headers are looked at before anything else, and each request must bear the token
 * of HOME/api.token, or come from the node's own page with the session that a link of the owner's
 * opened (http_session.h). The page's files, /healthz and /readyz are anybody's who names this node
 * by its address: they tell nothing. Nothing is ever sent that would let a page of another origin
 * read an answer.
 *
 * The door's own, beside what api.h has: GET / and the page's files, /v1/openapi.json;
 *   POST /v1/openings           makes a link: {"url", "expires"}
 *   POST /v1/sessions           {"secret"} of a link for a cookie and {"word", "expires"}
 *   DELETE /v1/sessions         ends every session
 */
#ifndef PARLEY_SHELL_HTTP_H
#define PARLEY_SHELL_HTTP_H

#include "api.h"
#include <parley/error.h>
#include <uv.h>

struct parley_http;

struct parley_http_config {
    uv_loop_t *loop;
    struct parley_api *api;
    const char *home;     /* api.sock is made there; a path of any length */
    const char *tcp_host; /* NULL: no TCP */
    uint16_t tcp_port;    /* 0: any free one */
    bool is_optional;     /* where the port is taken any free one does, or none */
    const char *token;    /* for TCP: what "Authorization: Bearer" must bear */
};

/* Errors: DISK_FAILED (the socket cannot be made), BAD_INPUT (the TCP address cannot be bound),
 * NO_MEMORY. Whatever comes, *http unless it is NULL is to be stopped and freed. */
PARLEY_USE_RESULT enum parley_error parley_http_open(struct parley_http **http,
                                                     const struct parley_http_config *config);
/* "http://HOST:PORT" of the TCP listener with the real port, or NULL. */
const char *parley_http_url(const struct parley_http *http);
/* Closes listeners and connections. The loop must then run on until nothing is left on it. */
void parley_http_stop(struct parley_http *http);
/* After that. */
void parley_http_free(struct parley_http *http);

#endif
