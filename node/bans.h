/* Who was at fault is kept out for a while. A part of internal.h. */
#ifndef PARLEY_NODE_BANS_H
#define PARLEY_NODE_BANS_H

#include <parley/node.h>
#include <parley/node_limits.h>

struct parley_node;
struct peer;

/* A node, by its key, or a place that it came in from. */
struct ban {
    uint64_t who;                       /* keyed hash; 0: nobody */
    unsigned points;                    /* of faults not forgiven yet */
    unsigned times;                     /* bans not forgiven yet: each doubles the next */
    parley_time_ms points_at, times_at; /* counted down to here */
    parley_time_ms until;
};

struct bans {
    struct ban rows[PARLEY_BANS_MAX];
};

/* The peer was closed for this: a ban, when it is a fault of its own that only it can have made. */
void bans_blame(struct parley_node *node, struct peer *peer, enum parley_error reason);
/* When the node may be dialled and let in; 0: now. */
parley_time_ms bans_until(const struct parley_node *node, const struct parley_node_key *key);
/* Whether who comes in from there is turned away. */
bool bans_hold_place(const struct parley_node *node, const struct parley_remote *remote);
/* The owner's word: let in again. */
void bans_lift(struct parley_node *node, const struct parley_node_key *key);

#endif
