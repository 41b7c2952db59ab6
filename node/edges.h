/* Who follows whom, as far as the owner's hops reach. A part of internal.h. */
#ifndef PARLEY_NODE_EDGES_H
#define PARLEY_NODE_EDGES_H

#include <parley/bytes.h>
#include <parley/identity.h>

/* The newest word of one author about another. Also a no is kept: history comes newest first. */
struct edge {
    struct parley_author to;
    uint32_t next; /* of the same author, or NONE */
    bool on;
    uint64_t log; /* the start of its name */
    parley_seq seq;
    parley_time_ms time; /* 0: not known */
};

struct edges {
    struct edge *items; /* PARLEY_EDGES_MAX */
    uint32_t count;
    bool is_stale; /* depths are to be counted anew */
};

/* False: this is no row of it. */
bool edges_load_meta(struct parley_node *node, struct parley_span key, struct parley_span value);
/* Somebody's word, in an entry of that log; time 0: not known. Passed over where it cannot make
 * anybody wanted, or where no place is left. */
void edges_say(struct parley_node *node, uint32_t log, parley_seq seq, parley_time_ms time,
               const struct parley_author *to, bool on);
/* Whom the owner follows or blocks has changed. */
void edges_changed(struct parley_node *node);
/* At the end of a step: who is wanted is counted anew if it has to be, and peers are told. */
void edges_pump(struct parley_node *node);

#endif
