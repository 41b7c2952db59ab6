/* Who may speak to the API over TCP. A web page that the owner opens runs on the owner's machine
 * and can reach loopback too: so the Host and Origin headers are looked at before anything else,
 * and then the token. Pure.
 */
#ifndef PARLEY_SHELL_HTTP_GUARD_H
#define PARLEY_SHELL_HTTP_GUARD_H

#include <stdint.h>

/* Headers as text; "" when one is missing. */
struct http_visitor {
    char host[160];
    char origin[192];
    char authorization[192];
};

/* NULL when the visitor may go on; else why not, with the status (403, or 401 for the token). */
const char *http_guard_refuse(const struct http_visitor *visitor, uint16_t port, const char *token,
                              unsigned *status);

#endif
