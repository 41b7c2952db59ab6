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

const char *http_guard_refuse(const struct http_visitor *visitor, uint16_t port, const char *token,
                              unsigned *status) {
    *status = 403;
    if (!is_own_host(visitor->host, port))
        return "the Host header does not name this node by its address";
    if (visitor->origin[0] != '\0' && !is_own_origin(visitor->origin, visitor->host))
        return "the request comes from a page of another origin";
    *status = 401;
    return has_token(visitor->authorization, token) ? NULL
                                                    : "the token of api.token is missing or wrong";
}
