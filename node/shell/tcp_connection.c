/* One connection: reading with back pressure, writing in batches, ending. */
#include "log.h"
#include "memory.h"
#include "tcp_internal.h"
#include <stdlib.h>

/* --- life ------------------------------------------------------------------------------------ */

struct connection *connection_new(struct parley_tcp *tcp, uint64_t number) {
    struct connection *connection = parley_memory(sizeof *connection);
    struct connection **bucket = &tcp->buckets[number % TCP_BUCKETS_COUNT];
    connection->tcp = tcp;
    connection->number = number;
    connection->socket.data = connection->timer.data = connection;
    connection->resolving.data = connection->connecting.data = connection;
    connection->shutting.data = connection;
    connection->next_in_bucket = *bucket;
    *bucket = connection;
    tcp->connections_count++;
    return connection;
}

static void unlink_connection(struct connection *connection) {
    struct parley_tcp *tcp = connection->tcp;
    struct connection **place = &tcp->buckets[connection->number % TCP_BUCKETS_COUNT];
    while (*place != connection)
        place = &(*place)->next_in_bucket;
    *place = connection->next_in_bucket;
    tcp->connections_count--;
}

static void tell_end(struct connection *connection) {
    const struct parley_tcp_handlers *handlers = &connection->tcp->config.handlers;
    if (connection->is_told)
        return;
    connection->is_told = true;
    if (connection->was_open)
        handlers->on_closed(handlers->context, connection->number);
    else
        handlers->on_dial_failed(handlers->context, connection->number);
}

/* The end is told when nothing of the connection is left, from a callback of the loop. */
void connection_release(struct connection *connection) {
    struct parley_tcp *tcp = connection->tcp;
    if (--connection->pending > 0 || connection->state != CONNECTION_CLOSED)
        return;
    unlink_connection(connection);
    tell_end(connection);
    free(connection->open_write);
    free(connection->kept);
    free(connection);
    listeners_accept_waiting(tcp);
    tcp_end_if_done(tcp);
}

static void on_handle_closed(uv_handle_t *handle) {
    connection_release(handle->data);
}

void connection_drop(struct connection *connection) {
    if (connection->state == CONNECTION_CLOSED)
        return;
    connection->state = CONNECTION_CLOSED;
    if (connection->has_tcp && !connection->is_tcp_closing)
        uv_close((uv_handle_t *)&connection->socket, on_handle_closed);
    if (connection->has_timer)
        uv_close((uv_handle_t *)&connection->timer, on_handle_closed);
}

void connection_start_timer(struct connection *connection, uv_timer_cb on_timer, uint64_t ms) {
    if (!connection->has_timer) {
        (void)uv_timer_init(connection->tcp->loop, &connection->timer);
        connection->has_timer = true;
        connection->pending++;
    }
    /* The loop's clock stands still within a turn; a long one would shorten the time. */
    uv_update_time(connection->tcp->loop);
    (void)uv_timer_start(&connection->timer, on_timer, ms, 0);
}

/* --- reading --------------------------------------------------------------------------------- */

static size_t kept_bytes_max(const struct connection *connection) {
    return connection->tcp->config.receive_bytes_max;
}

static bool is_turn_over(struct parley_tcp *tcp) {
    uint64_t now = uv_hrtime();
    if (tcp->turn_began_ns == 0)
        tcp->turn_began_ns = now;
    return now - tcp->turn_began_ns > TCP_TURN_NS;
}

/* With nothing kept, one buffer of the whole set is enough: it is empty again before the next
 * read. Without a buffer libuv reads nothing, and finds the bytes again in the next turn; whom the
 * kernel told of is then behind whom it did not (epoll). */
static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    struct connection *connection = handle->data;
    struct parley_tcp *tcp = connection->tcp;
    if (is_turn_over(tcp)) {
        *buffer = uv_buf_init(NULL, 0);
        return;
    }
    if (connection->kept_size == 0) {
        *buffer = uv_buf_init((char *)tcp->scratch, sizeof tcp->scratch);
        if (kept_bytes_max(connection) < buffer->len)
            buffer->len = kept_bytes_max(connection);
        return;
    }
    size_t wanted = connection->kept_size + TCP_READ_BYTES;
    if (wanted > kept_bytes_max(connection))
        wanted = kept_bytes_max(connection);
    if (connection->kept_capacity < wanted) {
        connection->kept = parley_memory_resize(connection->kept, wanted);
        connection->kept_capacity = wanted;
    }
    *buffer = uv_buf_init((char *)connection->kept + connection->kept_size,
                          (unsigned)(connection->kept_capacity - connection->kept_size));
}

static void keep(struct connection *connection, struct parley_span rest) {
    if (rest.size == 0) {
        free(connection->kept);
        connection->kept = NULL;
        connection->kept_size = connection->kept_capacity = 0;
        return;
    }
    if (connection->kept == NULL) {
        connection->kept = parley_memory(rest.size);
        connection->kept_capacity = rest.size;
    }
    memmove(connection->kept, rest.data, rest.size);
    connection->kept_size = rest.size;
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer);

static void read_while_there_is_room(struct connection *connection) {
    uv_stream_t *stream = (uv_stream_t *)&connection->socket;
    bool has_room = connection->kept_size < kept_bytes_max(connection);
    if (connection->state != CONNECTION_OPEN || connection->is_reading == has_room)
        return;
    if (has_room) {
        connection->is_reading = uv_read_start(stream, on_allocate, on_read) == 0;
    } else {
        (void)uv_read_stop(stream);
        connection->is_reading = false;
    }
}

static void offer(struct connection *connection, struct parley_span bytes) {
    const struct parley_tcp_handlers *handlers = &connection->tcp->config.handlers;
    size_t consumed = handlers->on_received(handlers->context, connection->number, bytes);
    if (consumed > bytes.size)
        consumed = bytes.size;
    keep(connection, PARLEY_SPAN(bytes.data + consumed, bytes.size - consumed));
    read_while_there_is_room(connection);
}

void connection_offer(struct connection *connection) {
    if (connection->state == CONNECTION_OPEN && connection->kept_size > 0)
        offer(connection, PARLEY_SPAN(connection->kept, connection->kept_size));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer) {
    struct connection *connection = stream->data;
    if (size == UV_ENOBUFS)
        return; /* on_allocate gave none */
    if (size < 0) {
        connection_drop(connection);
        return;
    }
    if (size == 0 || connection->state != CONNECTION_OPEN)
        return; /* an ending connection reads only to notice that the other side has gone */
    if (connection->kept_size == 0) {
        offer(connection, PARLEY_SPAN(buffer->base, size));
        return;
    }
    connection->kept_size += (size_t)size;
    offer(connection, PARLEY_SPAN(connection->kept, connection->kept_size));
}

void connection_opened(struct connection *connection) {
    if (connection->state != CONNECTION_OPEN)
        return; /* told to close while it was told of */
    (void)uv_tcp_nodelay(&connection->socket, 1);
    (void)uv_tcp_keepalive(&connection->socket, 1, 60);
    read_while_there_is_room(connection);
    if (!connection->is_reading)
        connection_drop(connection);
}

/* --- writing --------------------------------------------------------------------------------- */

static void shut_when_sent(struct connection *connection);

static void on_written(uv_write_t *request, int status) {
    struct write_job *job = request->data;
    struct connection *connection = job->connection;
    const struct parley_tcp_handlers *handlers = &connection->tcp->config.handlers;
    connection->writes_count--;
    connection->waiting_bytes -= job->size;
    if (status == 0 && connection->state == CONNECTION_OPEN)
        handlers->on_sent(handlers->context, connection->number, job->size);
    free(job);
    if (status != 0)
        connection_drop(connection);
    else
        shut_when_sent(connection);
    connection_release(connection);
}

void connection_flush(struct connection *connection) {
    struct write_job *job = connection->open_write;
    bool is_open = connection->state == CONNECTION_OPEN || connection->state == CONNECTION_ENDING;
    if (job == NULL || !is_open)
        return;
    connection->open_write = NULL;
    uv_buf_t buffer = uv_buf_init((char *)job->data, (unsigned)job->size);
    job->request.data = job;
    int status =
        uv_write(&job->request, (uv_stream_t *)&connection->socket, &buffer, 1, on_written);
    if (status != 0) {
        free(job);
        connection_drop(connection);
        return;
    }
    connection->writes_count++;
    connection->pending++;
}

static struct write_job *room_for(struct connection *connection, size_t size) {
    struct write_job *job = connection->open_write;
    size_t used = job == NULL ? 0 : job->size;
    size_t capacity = job == NULL ? 0 : job->capacity;
    if (used + size > capacity) {
        capacity = used + size + used / 2;
        job = parley_memory_resize(job, sizeof *job + capacity);
        job->capacity = capacity;
        job->size = used;
        job->connection = connection;
        connection->open_write = job;
    }
    return job;
}

void parley_tcp_send(struct parley_tcp *tcp, uint64_t number, struct parley_span bytes) {
    struct connection *connection = connection_find(tcp, number);
    if (connection == NULL || bytes.size == 0 || connection->state == CONNECTION_CLOSED ||
        connection->state == CONNECTION_ENDING)
        return;
    if (connection->waiting_bytes + bytes.size > TCP_WAITING_BYTES_MAX) {
        parley_log_line(PARLEY_LOG_ERROR, "connection %llu: too much is waiting to be sent",
                        (unsigned long long)number);
        connection_drop(connection);
        return;
    }
    struct write_job *job = room_for(connection, bytes.size);
    memcpy(job->data + job->size, bytes.data, bytes.size);
    job->size += bytes.size;
    connection->waiting_bytes += bytes.size;
    if (job->size >= TCP_WRITE_BYTES)
        connection_flush(connection);
    else
        connection_flush_later(connection);
}

void parley_tcp_resume(struct parley_tcp *tcp, uint64_t number) {
    struct connection *connection = connection_find(tcp, number);
    if (connection == NULL || connection->state != CONNECTION_OPEN)
        return;
    /* Whatever is kept: told while it is offered, what it leaves of that is kept right after. */
    connection->is_to_resume = true;
    connection_flush_later(connection);
}

/* --- ending ---------------------------------------------------------------------------------- */

static void on_shut(uv_shutdown_t *request, int status) {
    struct connection *connection = request->data;
    if (status != 0)
        connection_drop(connection);
    connection_release(connection);
}

/* Bytes that came and were not read would make the kernel answer a close with a reset, which can
 * overtake what we sent last. So: say that we are done, read until the other side has closed. */
static void shut_when_sent(struct connection *connection) {
    if (connection->state != CONNECTION_ENDING || connection->writes_count > 0 ||
        connection->open_write != NULL || connection->is_shut)
        return;
    connection->is_shut = true;
    if (uv_shutdown(&connection->shutting, (uv_stream_t *)&connection->socket, on_shut) != 0) {
        connection_drop(connection);
        return;
    }
    connection->pending++;
}

static void on_end_timer(uv_timer_t *timer) {
    connection_drop(timer->data);
}

void connection_end(struct connection *connection) {
    if (connection->state == CONNECTION_ENDING || connection->state == CONNECTION_CLOSED)
        return;
    if (connection->state == CONNECTION_DIALLING || connection->state == CONNECTION_RESOLVING) {
        if (connection->state == CONNECTION_RESOLVING)
            (void)uv_cancel((uv_req_t *)&connection->resolving);
        connection_drop(connection);
        return;
    }
    connection->state = CONNECTION_ENDING;
    keep(connection, PARLEY_NO_SPAN);
    if (!connection->is_reading &&
        uv_read_start((uv_stream_t *)&connection->socket, on_allocate, on_read) == 0)
        connection->is_reading = true;
    connection_start_timer(connection, on_end_timer, TCP_CLOSE_MS);
    connection_flush(connection);
    shut_when_sent(connection);
}

void parley_tcp_close(struct parley_tcp *tcp, uint64_t number) {
    struct connection *connection = connection_find(tcp, number);
    if (connection != NULL)
        connection_end(connection);
}
