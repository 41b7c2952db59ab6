#include "http_guard.h"
#include <arpa/inet.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_address(char *name) {
    struct in6_addr address;
    size_t size = strlen(name);
    if (size > 2 && name[0] == '[' && name[size - 1] == ']') {
        name[size - 1] = '\0';
        return inet_pton(AF_INET6, name + 1, &address) == 1;
    }
    return inet_pton(AF_INET, name, &address) == 1;
}

/* A name could be pointed here by a stranger's name server; an address could not. */
static bool is_own_host(const char *host, uint16_t port) {
    char name[128], expected[8];
    const char *colon = strrchr(host, ':');
    if (colon == NULL || (size_t)(colon - host) >= sizeof(name))
        return false;
    snprintf(expected, sizeof(expected), "%u", port);
    memcpy(name, host, (size_t)(colon - host));
    name[colon - host] = '\0';
    return strcmp(colon + 1, expected) == 0 &&
           (strcasecmp(name, "localhost") == 0 || is_address(name));
}

static bool is_own_origin(const char *origin, const char *host) {
    return strncmp(origin, "http://", 7) == 0 && strcmp(origin + 7, host) == 0;
}

static bool has_token(const char *authorization, const char *token) {
    static const char START[] = "Bearer ";
    size_t size = strlen(token), start = sizeof(START) - 1;
    return size > 0 && strlen(authorization) == start + size &&
           strncmp(authorization, START, start) == 0 &&
           sodium_memcmp(authorization + start, token, size) == 0;
}

/* Browsers say so of themselves, and no script can say otherwise; programs and old browsers say
 * nothing. */
static bool is_own_site(const char *site) {
    return site[0] == '\0' || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
}

const char *http_guard_refuse(const struct http_visitor *visitor, const struct http_door *door,
                              unsigned *status) {
    *status = 403;
    if (!is_own_host(visitor->host, door->port))
        return "the Host header does not name this node by its address";
    if (visitor->origin[0] != '\0' && !is_own_origin(visitor->origin, visitor->host))
        return "the request comes from a page of another origin";
    if (has_token(visitor->authorization, door->token))
        return NULL;
    /* A browser names the origin of what changes something. */
    if (visitor->changes && visitor->origin[0] == '\0')
        return "the request says nothing of where it comes from";
    if (visitor->is_open)
        return NULL;
    if (!is_own_site(visitor->site))
        return "the request comes from a page of another site";
    *status = 401;
    bool is_in = door->sessions != NULL &&
                 http_sessions_holds(door->sessions, visitor->cookie, visitor->word, door->now);
    if (!is_in)
        return "the token of api.token is missing or wrong, and no session is open";
    *status = 403;
    /* Else a session would make itself anew for ever, and fresh whenever it likes. */
    if (visitor->makes_link)
        return "a link is made in a terminal on this machine alone: type parley open";
    if (visitor->changes_keys && !http_sessions_is_fresh(visitor->cookie, door->now))
        return "keys are changed within ten minutes of a link alone: type parley open in a "
               "terminal, open the link that it prints in this browser, and do this again";
    return NULL;
}

void http_guard_cookie(char *value, size_t value_size, const char *header, const char *name) {
    size_t name_size = strlen(name);
    value[0] = '\0';
    while (*header != '\0') {
        header += strspn(header, "; \t");
        size_t size = strcspn(header, ";");
        if (size > name_size && strncmp(header, name, name_size) == 0 && header[name_size] == '=') {
            size_t length = size - name_size - 1;
            if (length < value_size) {
                memcpy(value, header + name_size + 1, length);
                value[length] = '\0';
            }
            return;
        }
        header += size;
    }
}
