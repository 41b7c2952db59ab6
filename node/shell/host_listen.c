/* Where a host listens: the set can change while it runs. */
#include "host_internal.h"
#include "log.h"
#include <stdio.h>
#include <string.h>

static bool is_same(const struct parley_host_endpoint *a, const struct parley_host_endpoint *b) {
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

static bool is_among(const struct parley_host_endpoint *endpoint,
                     const struct parley_host_endpoint *endpoints, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (is_same(endpoint, &endpoints[i]))
            return true;
    return false;
}

static bool is_open(const struct host_listener *listeners, size_t count,
                    const struct parley_host_endpoint *endpoint) {
    for (size_t i = 0; i < count; i++)
        if (is_same(endpoint, &listeners[i].at))
            return true;
    return false;
}

static enum parley_error open_one(struct parley_host *host,
                                  const struct parley_host_endpoint *endpoint,
                                  struct parley_problem *problem) {
    struct host_listener *listener = &host->listeners[host->listeners_count];
    struct parley_address address = {.key = host->home.node, .transport = "tcp"};
    enum parley_error error =
        parley_tcp_listen(host->tcp, &listener->socket, endpoint->host, endpoint->port, problem);
    if (error != PARLEY_E_OK)
        return error;
    host->listeners_count++;
    listener->at = *endpoint;
    address.port = listener->socket.port;
    (void)snprintf(address.host, sizeof address.host, "%s",
                   endpoint->host[0] == '\0' ? "0.0.0.0" : endpoint->host);
    parley_address_encode(listener->text, &address);
    return PARLEY_E_OK;
}

static void close_last(struct parley_host *host) {
    parley_tcp_unlisten(host->tcp, host->listeners[--host->listeners_count].socket.number);
}

static void close_others(struct parley_host *host, const struct parley_host_endpoint *endpoints,
                         size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < host->listeners_count; i++) {
        if (is_among(&host->listeners[i].at, endpoints, count))
            host->listeners[kept++] = host->listeners[i];
        else
            parley_tcp_unlisten(host->tcp, host->listeners[i].socket.number);
    }
    host->listeners_count = kept;
}

/* As it was: with the ports that were chosen then. What another process took in this moment is
 * lost, and said. */
static void restore(struct parley_host *host, const struct host_listener *old, size_t old_count,
                    size_t kept_count) {
    struct parley_problem problem;
    while (host->listeners_count > kept_count)
        close_last(host);
    for (size_t i = 0; i < old_count; i++) {
        struct parley_host_endpoint chosen = old[i].at;
        chosen.port = old[i].socket.port;
        if (is_open(host->listeners, kept_count, &old[i].at))
            continue;
        if (open_one(host, &chosen, &problem) == PARLEY_E_OK)
            host->listeners[host->listeners_count - 1].at = old[i].at;
        else
            parley_log_line(PARLEY_LOG_ERROR, "%s", problem.text);
    }
}

/* What is not wanted closes first: a new address may take in the one that goes. */
enum parley_error parley_host_listen(struct parley_host *host,
                                     const struct parley_host_endpoint *endpoints,
                                     size_t endpoints_count, struct parley_problem *problem) {
    struct host_listener old[HOST_LISTENERS_MAX];
    size_t old_count = host->listeners_count;
    if (host->is_offline || host->is_stopping)
        return PARLEY_E_OK;
    if (endpoints_count > HOST_LISTENERS_MAX)
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT, "at most %u listeners",
                                  HOST_LISTENERS_MAX);
    memcpy(old, host->listeners, sizeof old);
    close_others(host, endpoints, endpoints_count);
    size_t kept_count = host->listeners_count;
    for (size_t i = 0; i < endpoints_count; i++) {
        if (is_open(host->listeners, kept_count, &endpoints[i]))
            continue;
        enum parley_error error = open_one(host, &endpoints[i], problem);
        if (error != PARLEY_E_OK) {
            restore(host, old, old_count, kept_count);
            return error;
        }
    }
    return PARLEY_E_OK;
}
