/* Bodies that come apart from their headers: what a log's row knows of them, and the asks on their
 * way. A part of internal.h. */
#ifndef PARLEY_NODE_BODIES_H
#define PARLEY_NODE_BODIES_H

#include <parley/node.h>
#include <parley/wire.h>

struct peer;
struct pending_store;

/* Bodies of a log that may still come. */
struct log_bodies {
    parley_seq low, high; /* entries that lack one stand in this stretch; high 0: none does */
    uint32_t changes;     /* counts when the stretch grew: what was read before may miss some */
    uint32_t storing; /* operations on their way to the disk: what is read now may lack less soon */
    uint32_t ask;     /* slot of the ask in flight, or NONE */
    bool is_queued;
    bool any_new;  /* the source has given some that lacked */
    bool is_swept; /* the source was asked for all; what it gave is on its way to the disk */
    uint8_t failures;
    uint32_t queue_next;
    parley_connection source; /* a peer that holds entries up to source_seq; 0: none is known */
    parley_seq source_seq;
    parley_seq top; /* the source was asked for all above; 0: for nothing yet */
    parley_time_ms at;
};

enum bodies_state { BODIES_FREE, BODIES_READING, BODIES_ASKED };

struct bodies_ask {
    enum bodies_state state;
    uint16_t generation;
    uint32_t log, peer;
    parley_connection connection;
    uint32_t changes;    /* of the log's when it was read */
    parley_seq top, low; /* READING: looked through; ASKED: asked for */
    uint32_t request;
    parley_time_ms deadline;
    size_t size; /* ASKED: of headers, a chunk of the entries whose bodies are to come */
    uint8_t *headers;
};

/* bodies.c: asking */
/* Which of a chunk's entries low .. high come without a body, for when it is stored. */
void bodies_missing(const struct parley_chunk *chunk, parley_seq low, parley_seq high,
                    struct pending_store *after);
/* It is stored. */
void bodies_lack(struct parley_node *node, const struct pending_store *pending);
/* The peer holds the log up to seq. */
void bodies_want(struct parley_node *node, struct peer *peer, uint32_t log, parley_seq seq);
void bodies_on_read(struct parley_node *node, parley_ticket ticket, enum parley_error error,
                    struct parley_span bytes, parley_seq next);
void bodies_load(struct parley_node *node, uint32_t log, parley_seq low, parley_seq high);
/* The same of what did not lack before: peers are to tell again who has it. */
void bodies_again(struct parley_node *node, uint32_t log, parley_seq low, parley_seq high);
void bodies_pump(struct parley_node *node);
void bodies_drop_peer(struct parley_node *node, uint32_t peer);
void bodies_on_timer(struct parley_node *node);

/* bodies_take.c */
/* A chunk of entries that are held: it may bring bodies that lack. */
void bodies_offer(struct parley_node *node, uint32_t log, const struct parley_chunk *chunk);
void on_bodies(struct parley_node *node, struct peer *peer,
               const struct parley_wire_bodies *message);
void bodies_on_stored(struct parley_node *node, const struct pending_store *pending,
                      enum parley_error error);

/* Between the two. */
void bodies_queue(struct parley_node *node, uint32_t log);
/* What the ask was for has come, or does not. */
void bodies_ask_done(struct parley_node *node, struct bodies_ask *ask);
/* What came is on the disk, or is not wanted there. */
void bodies_go_on(struct parley_node *node, uint32_t log);

#endif
