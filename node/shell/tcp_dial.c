/* Dialling: the name's addresses one after the other, ten seconds for all of it. */
#include "memory.h"
#include "tcp_internal.h"
#include <netdb.h>
#include <stdio.h>

static void on_connected(uv_connect_t *request, int status);
static void on_attempt_closed(uv_handle_t *handle);

static void free_addresses(struct connection *connection) {
    uv_freeaddrinfo(connection->addresses);
    connection->addresses = connection->address = NULL;
}

/* The state is DIALLING. Holding the connection is the caller's. */
static void try_address(struct connection *connection) {
    while (connection->address != NULL &&
           !connection_may_lead(connection, connection->address->ai_addr))
        connection->address = connection->address->ai_next;
    if (connection->address == NULL) {
        free_addresses(connection);
        connection_drop(connection);
        return;
    }
    (void)uv_tcp_init(connection->tcp->loop, &connection->socket);
    connection->has_tcp = true;
    connection->pending++;
    if (uv_tcp_connect(&connection->connecting, &connection->socket, connection->address->ai_addr,
                       on_connected) == 0) {
        connection->pending++;
        return;
    }
    connection->is_tcp_closing = true;
    uv_close((uv_handle_t *)&connection->socket, on_attempt_closed);
}

/* A socket whose connect failed cannot be used again. */
static void on_attempt_closed(uv_handle_t *handle) {
    struct connection *connection = handle->data;
    connection->has_tcp = connection->is_tcp_closing = false;
    if (connection->state == CONNECTION_DIALLING) {
        connection->address = connection->address->ai_next;
        try_address(connection);
    } else {
        free_addresses(connection);
    }
    connection_release(connection);
}

static void on_connected(uv_connect_t *request, int status) {
    struct connection *connection = request->data;
    const struct parley_tcp_handlers *handlers = &connection->tcp->config.handlers;
    if (connection->state != CONNECTION_DIALLING) {
        free_addresses(connection);
    } else if (status != 0) {
        connection->is_tcp_closing = true;
        uv_close((uv_handle_t *)&connection->socket, on_attempt_closed);
    } else {
        free_addresses(connection);
        (void)uv_timer_stop(&connection->timer);
        connection->was_open = true;
        connection->state = CONNECTION_OPEN;
        handlers->on_dialled(handlers->context, connection->number);
        connection_opened(connection);
    }
    connection_release(connection);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
    struct connection *connection = request->data;
    if (connection->state == CONNECTION_RESOLVING && status == 0) {
        connection->state = CONNECTION_DIALLING;
        connection->addresses = connection->address = found;
        try_address(connection);
    } else {
        uv_freeaddrinfo(found);
        connection_drop(connection);
    }
    connection_release(connection);
}

/* A resolver that is under way cannot be cut off: the end is told now, the rest stays until it has
 * answered. */
static void on_dial_timer(uv_timer_t *timer) {
    struct connection *connection = timer->data;
    const struct parley_tcp_handlers *handlers = &connection->tcp->config.handlers;
    connection->is_told = true;
    connection_end(connection);
    handlers->on_dial_failed(handlers->context, connection->number);
}

void parley_tcp_dial(struct parley_tcp *tcp, uint64_t number, const char *host, uint16_t port,
                     bool is_owners) {
    struct connection *connection = connection_new(tcp, number);
    connection->is_owners = is_owners;
    /* Not AI_ADDRCONFIG: it hides loopback on a machine without a network. */
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    (void)snprintf(connection->host, sizeof connection->host, "%s", host);
    (void)snprintf(connection->port, sizeof connection->port, "%u", port);
    connection->state = CONNECTION_RESOLVING;
    connection_start_timer(connection, on_dial_timer, TCP_DIAL_MS);
    int status = UV_ECANCELED;
    if (!tcp->is_stopping)
        status = uv_getaddrinfo(tcp->loop, &connection->resolving, on_resolved, connection->host,
                                connection->port, &hints);
    if (status == 0)
        connection->pending++;
    else
        connection_drop(connection);
}
