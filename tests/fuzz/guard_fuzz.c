/* Who may speak to the API over TCP: a visitor is let in exactly when a slow and obvious reading of
 * the rule says so. An input is the port's low byte and three lines: Host, Origin, Authorization;
 * '$' stands for the token. */
#include "fuzz.h"

#include "../../node/shell/http_guard.h"
#include <arpa/inet.h>
#include <strings.h>

#define TOKEN "0123456789abcdef0123456789abcdef"

/* The next line as text, with the token put in; false when it does not fit: no header is longer. */
static bool take_line(char *out, size_t room, struct parley_span *rest) {
    size_t used = 0;
    for (; rest->size > 0 && *rest->data != '\n'; rest->data++, rest->size--) {
        size_t size = *rest->data == '$' ? strlen(TOKEN) : 1;
        if (*rest->data == 0 || used + size >= room)
            return false;
        memcpy(out + used, size == 1 ? (const char *)rest->data : TOKEN, size);
        used += size;
    }
    if (rest->size > 0)
        *rest = PARLEY_SPAN(rest->data + 1, rest->size - 1);
    out[used] = '\0';
    return true;
}

static bool is_numeric(const char *name) {
    uint8_t address[16];
    char bare[160] = "";
    size_t size = strlen(name);
    if (name[0] != '[')
        return inet_pton(AF_INET, name, address) == 1;
    if (size < 3 || name[size - 1] != ']')
        return false;
    memcpy(bare, name + 1, size - 2);
    return inet_pton(AF_INET6, bare, address) == 1;
}

static bool is_host(const char *host, unsigned port) {
    char name[160], end[16];
    size_t size = strlen(host);
    size_t end_size = (size_t)snprintf(end, sizeof end, ":%u", port);
    if (size < end_size || strcmp(host + size - end_size, end) != 0)
        return false;
    memcpy(name, host, size - end_size);
    name[size - end_size] = '\0';
    return strcasecmp(name, "localhost") == 0 || is_numeric(name);
}

void fuzz_target(struct parley_span bytes) {
    struct http_visitor visitor;
    char origin[200];
    unsigned status = 0;
    if (bytes.size == 0)
        return;
    unsigned port = 8000u + bytes.data[0];
    struct parley_span rest = PARLEY_SPAN(bytes.data + 1, bytes.size - 1);
    if (!take_line(visitor.host, sizeof visitor.host, &rest) ||
        !take_line(visitor.origin, sizeof visitor.origin, &rest) ||
        !take_line(visitor.authorization, sizeof visitor.authorization, &rest))
        return;
    snprintf(origin, sizeof origin, "http://%s", visitor.host);
    bool is_own = is_host(visitor.host, port) &&
                  (visitor.origin[0] == '\0' || strcmp(visitor.origin, origin) == 0);
    bool is_let_in = is_own && strcmp(visitor.authorization, "Bearer " TOKEN) == 0;
    const char *why = http_guard_refuse(&visitor, (uint16_t)port, TOKEN, &status);
    FUZZ_HOLDS(is_let_in == (why == NULL));
    FUZZ_HOLDS(is_let_in || status == (is_own ? 401u : 403u));
    /* A node that has no token lets nobody in. */
    FUZZ_HOLDS(http_guard_refuse(&visitor, (uint16_t)port, "", &status) != NULL);
}
