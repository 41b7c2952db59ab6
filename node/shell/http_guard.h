/* Who may speak to the API over TCP. A web page that the owner opens runs on the owner's machine
 * and can reach loopback too: so the Host and Origin headers are looked at before anything else,
 * and then who it is: a program with the token of HOME/api.token, or the node's own page with both
 * halves of a session. Pure.
 */
#ifndef PARLEY_SHELL_HTTP_GUARD_H
#define PARLEY_SHELL_HTTP_GUARD_H

#include "http_session.h"

/* Headers as text; "" when one is missing. */
struct http_visitor {
    char host[160];
    char origin[192];
    char authorization[192];
    char cookie[HTTP_COOKIE_SIZE + 1]; /* the value of the cookie named for the port */
    char word[HTTP_WORD_SIZE + 1];     /* the page's own half */
    char site[16];                     /* Sec-Fetch-Site: where a browser says that it comes from */
    bool changes;                      /* not a GET */
    bool changes_keys;                 /* says which devices are the owner's */
    bool makes_link;                   /* asks for a link, which whoever has a session has not to */
    bool is_open; /* asks for what anybody may have who names this node: the page's own files */
};

struct http_door {
    uint16_t port;
    const char *token;                    /* "": nobody has it */
    const struct http_sessions *sessions; /* NULL: no page is served */
    parley_time_ms now;                   /* wall */
};

/* NULL when the visitor may go on; else why not, with the status (403, or 401 for who it is). */
const char *http_guard_refuse(const struct http_visitor *visitor, const struct http_door *door,
                              unsigned *status);
/* The value of the first cookie of that name in a Cookie header; "" when there is none, or when it
 * has not room: none of ours is as long. */
void http_guard_cookie(char *value, size_t value_size, const char *header, const char *name);

#endif
