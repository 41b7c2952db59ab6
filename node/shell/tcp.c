/* Listeners, and the set of connections. */
#include "log.h"
#include "memory.h"
#include "tcp_internal.h"
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 511

/* --- the loop's turns ------------------------------------------------------------------------ */

/* Takes the list first: offering may send and resume, which is then for the next turn, as is what
 * there is no time for. */
static void on_prepare(uv_prepare_t *prepare) {
    struct parley_tcp *tcp = prepare->data;
    struct connection *list = tcp->to_flush;
    uint64_t began = uv_hrtime();
    tcp->to_flush = NULL;
    tcp->turn_began_ns = 0;
    uv_idle_stop(&tcp->idle);
    while (list != NULL) {
        struct connection *connection = list;
        list = connection->next_to_flush;
        connection->is_to_flush = false;
        connection_flush(connection);
        if (connection->is_to_resume && uv_hrtime() - began > TCP_TURN_NS) {
            connection_flush_later(connection);
        } else if (connection->is_to_resume) {
            connection->is_to_resume = false;
            connection_offer(connection);
            connection_flush(connection);
        }
        connection_release(connection);
    }
}

static void on_idle(uv_idle_t *idle) {
    /* Only there so that the loop does not sleep. */
}

struct parley_tcp *parley_tcp_create(uv_loop_t *loop, const struct parley_tcp_config *config) {
    struct parley_tcp *tcp = parley_memory(sizeof *tcp);
    tcp->config = *config;
    tcp->loop = loop;
    (void)uv_prepare_init(loop, &tcp->prepare);
    (void)uv_idle_init(loop, &tcp->idle);
    tcp->prepare.data = tcp->idle.data = tcp;
    tcp->handles_count = 2;
    (void)uv_prepare_start(&tcp->prepare, on_prepare);
    return tcp;
}

void connection_flush_later(struct connection *connection) {
    struct parley_tcp *tcp = connection->tcp;
    if (connection->is_to_flush)
        return;
    connection->is_to_flush = true;
    connection->pending++;
    connection->next_to_flush = NULL;
    if (tcp->to_flush == NULL)
        tcp->to_flush = connection;
    else
        tcp->to_flush_last->next_to_flush = connection;
    tcp->to_flush_last = connection;
    (void)uv_idle_start(&tcp->idle, on_idle);
}

/* --- listening ------------------------------------------------------------------------------- */

static bool is_full(struct parley_tcp *tcp) {
    if (tcp->connections_count < tcp->config.connections_max)
        return false;
    if (!tcp->is_full_logged)
        parley_log_line(PARLEY_LOG_WARNING, "%zu connections: no more are accepted until one ends",
                        tcp->connections_count);
    tcp->is_full_logged = true;
    return true;
}

static void accept_one(struct listener *listener) {
    struct parley_tcp *tcp = listener->tcp;
    tcp->accepted_last += 2;
    struct connection *connection = connection_new(tcp, tcp->accepted_last);
    (void)uv_tcp_init(tcp->loop, &connection->socket);
    connection->has_tcp = true;
    connection->pending++;
    if (uv_accept((uv_stream_t *)&listener->socket, (uv_stream_t *)&connection->socket) != 0) {
        connection->is_told = true;
        connection_drop(connection);
        return;
    }
    connection->was_open = true;
    connection->state = CONNECTION_OPEN;
    tcp->config.handlers.on_accepted(tcp->config.handlers.context, connection->number);
    connection_opened(connection);
}

/* A client that is not taken now stays in libuv's hand and stops the listener, which is what a
 * full table wants. */
static void on_client(uv_stream_t *server, int status) {
    struct listener *listener = server->data;
    if (status != 0) {
        parley_log_line(PARLEY_LOG_WARNING, "cannot accept: %s", uv_strerror(status));
        return;
    }
    if (listener->tcp->is_stopping || is_full(listener->tcp))
        listener->is_waiting = true;
    else
        accept_one(listener);
}

void listeners_accept_waiting(struct parley_tcp *tcp) {
    for (struct listener *listener = tcp->listeners; listener != NULL; listener = listener->next) {
        if (tcp->is_stopping || tcp->connections_count >= tcp->config.connections_max)
            return;
        if (!listener->is_waiting)
            continue;
        listener->is_waiting = false;
        tcp->is_full_logged = false;
        accept_one(listener);
    }
}

static void on_listener_closed(uv_handle_t *handle) {
    struct listener *listener = handle->data;
    struct parley_tcp *tcp = listener->tcp;
    struct listener **place = &tcp->listeners;
    while (*place != listener)
        place = &(*place)->next;
    *place = listener->next;
    free(listener);
    tcp->handles_count--;
    tcp_end_if_done(tcp);
}

static uint16_t port_of(const struct sockaddr *address) {
    if (address->sa_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

static uint16_t bound_port(const uv_tcp_t *socket) {
    struct sockaddr_storage address;
    int size = sizeof address;
    if (uv_tcp_getsockname(socket, (struct sockaddr *)&address, &size) != 0)
        return 0;
    return port_of((const struct sockaddr *)&address);
}

static int listen_at(struct parley_tcp *tcp, const struct sockaddr *address,
                     struct parley_tcp_listener *made) {
    struct listener *listener = parley_memory(sizeof *listener);
    listener->tcp = tcp;
    listener->number = ++tcp->listener_last;
    (void)uv_tcp_init(tcp->loop, &listener->socket);
    listener->socket.data = listener;
    listener->next = tcp->listeners;
    tcp->listeners = listener;
    tcp->handles_count++;
    int status = uv_tcp_bind(&listener->socket, address, 0);
    if (status == 0)
        status = uv_listen((uv_stream_t *)&listener->socket, BACKLOG, on_client);
    if (status == 0)
        *made = (struct parley_tcp_listener){listener->number, bound_port(&listener->socket)};
    else
        uv_close((uv_handle_t *)&listener->socket, on_listener_closed);
    return status;
}

static enum parley_error explain(struct parley_problem *problem, const char *host, uint16_t port,
                                 int status) {
    enum parley_error error = PARLEY_E_DISK_FAILED;
    const char *advice = "";
    if (status == UV_EADDRINUSE) {
        error = PARLEY_E_RETRY;
        advice = ": choose another with --listen";
    } else if (status == UV_EADDRNOTAVAIL) {
        error = PARLEY_E_BAD_INPUT;
    }
    return parley_problem_set(problem, error, "cannot listen on %s port %u: %s%s",
                              host[0] == '\0' ? "any address" : host, port, uv_strerror(status),
                              advice);
}

/* A socket of IPv6 for every address takes IPv4 along; where there is no IPv6, IPv4 alone. */
static enum parley_error listen_everywhere(struct parley_tcp *tcp, struct parley_tcp_listener *made,
                                           uint16_t port, struct parley_problem *problem) {
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    (void)uv_ip6_addr("::", port, &six);
    (void)uv_ip4_addr("0.0.0.0", port, &four);
    int status = listen_at(tcp, (const struct sockaddr *)&six, made);
    if (status == UV_EAFNOSUPPORT || status == UV_EADDRNOTAVAIL)
        status = listen_at(tcp, (const struct sockaddr *)&four, made);
    return status == 0 ? PARLEY_E_OK : explain(problem, "", port, status);
}

enum parley_error parley_tcp_listen(struct parley_tcp *tcp, struct parley_tcp_listener *made,
                                    const char *host, uint16_t port,
                                    struct parley_problem *problem) {
    if (host[0] == '\0')
        return listen_everywhere(tcp, made, port, problem);
    char service[8];
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    (void)snprintf(service, sizeof service, "%u", port);
    int status = getaddrinfo(host, service, &hints, &found);
    if (status != 0)
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT, "cannot listen on %s: %s", host,
                                  gai_strerror(status));
    status = listen_at(tcp, found->ai_addr, made);
    freeaddrinfo(found);
    return status == 0 ? PARLEY_E_OK : explain(problem, host, port, status);
}

static void close_listener(struct listener *listener) {
    if (!uv_is_closing((uv_handle_t *)&listener->socket))
        uv_close((uv_handle_t *)&listener->socket, on_listener_closed);
    listener->is_waiting = false; /* who waited there is turned away with it */
}

void parley_tcp_unlisten(struct parley_tcp *tcp, unsigned number) {
    for (struct listener *listener = tcp->listeners; listener != NULL; listener = listener->next)
        if (listener->number == number)
            close_listener(listener);
}

/* --- the set --------------------------------------------------------------------------------- */

struct connection *connection_find(struct parley_tcp *tcp, uint64_t number) {
    struct connection *connection = tcp->buckets[number % TCP_BUCKETS_COUNT];
    while (connection != NULL && connection->number != number)
        connection = connection->next_in_bucket;
    return connection;
}

size_t parley_tcp_connections_count(const struct parley_tcp *tcp) {
    return tcp->connections_count;
}

/* --- the end --------------------------------------------------------------------------------- */

static void on_own_handle_closed(uv_handle_t *handle) {
    struct parley_tcp *tcp = handle->data;
    tcp->handles_count--;
    tcp_end_if_done(tcp);
}

void tcp_end_if_done(struct parley_tcp *tcp) {
    if (!tcp->is_stopping || tcp->is_stopped || tcp->connections_count > 0)
        return;
    if (tcp->handles_count == 0) {
        tcp->is_stopped = true;
        tcp->config.handlers.on_stopped(tcp->config.handlers.context);
    } else if (tcp->handles_count == 2 && !uv_is_closing((uv_handle_t *)&tcp->idle)) {
        uv_close((uv_handle_t *)&tcp->prepare, on_own_handle_closed);
        uv_close((uv_handle_t *)&tcp->idle, on_own_handle_closed);
    }
}

/* on_stopped must not come before this call returns: the last to close is always a handle, and
 * libuv tells its closing later. */
void parley_tcp_stop(struct parley_tcp *tcp) {
    tcp->is_stopping = true;
    for (struct listener *listener = tcp->listeners; listener != NULL; listener = listener->next)
        close_listener(listener);
    for (size_t i = 0; i < TCP_BUCKETS_COUNT; i++) {
        struct connection *connection = tcp->buckets[i];
        for (; connection != NULL; connection = connection->next_in_bucket)
            connection_end(connection);
    }
    tcp_end_if_done(tcp);
}

void parley_tcp_free(struct parley_tcp *tcp) {
    free(tcp);
}
