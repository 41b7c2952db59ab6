/* What lies between a node's effects and its store, for who performs them late: operations that are
 * kept until they are committed, reads, and what is told of a store when it was opened.
 */
#ifndef PARLEY_SIM_STORE_PARTS_H
#define PARLEY_SIM_STORE_PARTS_H

#include <parley/node.h>

struct kept_op {
    struct kept_op *next;
    parley_ticket ticket;
    struct parley_store_op op; /* its spans point behind it */
    uint8_t bytes[];
};

/* A copy of what a STORE says. */
struct kept_op *kept_op_make(const struct parley_effect *effect);
/* A whole list. */
void kept_ops_free(struct kept_op *op);

/* The answer to a READ. scratch: PARLEY_MESSAGE_BYTES_MAX and a chunk's head. */
void store_read(struct parley_store *store, const struct parley_effect *effect, uint8_t *scratch,
                enum parley_error *error, struct parley_span *bytes, size_t *count);

/* False ends it. */
typedef bool store_tell(void *context, struct parley_event *event);
/* LOAD_META, LOAD_RECORD and LOAD_LOG of all that is held. False: it cannot be read. */
bool store_tell_all(struct parley_store *store, store_tell *tell, void *context);

#endif
