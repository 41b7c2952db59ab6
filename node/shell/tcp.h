/* Sockets: listeners, connections, dials. Bytes in, bytes out, on one libuv loop; nothing here
 * knows what they mean.
 *
 * Bytes that are received and not consumed are kept, at most bytes_max for a connection; with that
 * many the socket is not read until some are consumed. What is sent within one turn of the loop
 * leaves in one write.
 */
#ifndef PARLEY_TCP_H
#define PARLEY_TCP_H

#include "problem.h"
#include <parley/bytes.h>
#include <parley/node_network.h>
#include <parley/text.h>
#include <uv.h>

struct parley_tcp;

/* All are called from the loop, never before the call that caused them has returned. */
struct parley_tcp_handlers {
    void *context;
    void (*on_accepted)(void *context, uint64_t connection);
    void (*on_dialled)(void *context, uint64_t connection);
    void (*on_dial_failed)(void *context, uint64_t connection);
    /* Answers how many were consumed. */
    size_t (*on_received)(void *context, uint64_t connection, struct parley_span bytes);
    void (*on_sent)(void *context, uint64_t connection, size_t bytes_count);
    void (*on_closed)(void *context, uint64_t connection);
    void (*on_stopped)(void *context);
};

struct parley_tcp_config {
    struct parley_tcp_handlers handlers;
    size_t receive_bytes_max; /* kept for a connection */
    size_t connections_max;   /* accepted and dialled; listeners wait beyond */
};

struct parley_tcp *parley_tcp_create(uv_loop_t *loop, const struct parley_tcp_config *config);
struct parley_tcp_listener {
    unsigned number; /* from 1; never the same again */
    uint16_t port;
};
/* Listens at an address or name ("": all of both families); port 0 is chosen. Errors: BAD_INPUT (no
 * address of this machine), RETRY (the port is in use), DISK_FAILED (the system says no). */
PARLEY_USE_RESULT enum parley_error parley_tcp_listen(struct parley_tcp *tcp,
                                                      struct parley_tcp_listener *listener,
                                                      const char *host, uint16_t port,
                                                      struct parley_problem *problem);
/* Accepts there no more; what was accepted stays. A number that is gone is passed over. */
void parley_tcp_unlisten(struct parley_tcp *tcp, unsigned number);

/* Ends as on_dialled or on_dial_failed, within ten seconds. connection: odd, not used before. Not
 * by the owner's word: only to where a peer's may lead, whatever a name resolves to. */
void parley_tcp_dial(struct parley_tcp *tcp, uint64_t connection, const char *host, uint16_t port,
                     bool is_owners);
/* The other end of an open connection; all zero when it is this machine, or not known. */
void parley_tcp_remote(struct parley_tcp *tcp, uint64_t connection, struct parley_remote *remote);
/* Copies. A connection that is gone swallows them. */
void parley_tcp_send(struct parley_tcp *tcp, uint64_t connection, struct parley_span bytes);
/* Offers again what was not consumed. */
void parley_tcp_resume(struct parley_tcp *tcp, uint64_t connection);
/* Reads no more; closes when what was sent has left, or after a second. */
void parley_tcp_close(struct parley_tcp *tcp, uint64_t connection);

size_t parley_tcp_connections_count(const struct parley_tcp *tcp);

/* Closes everything as parley_tcp_close does, then on_stopped. */
void parley_tcp_stop(struct parley_tcp *tcp);
/* After on_stopped. NULL is allowed. */
void parley_tcp_free(struct parley_tcp *tcp);

#endif
