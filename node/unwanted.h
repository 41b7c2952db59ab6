/* What is held and not wanted, and told to whom wants it. SPEC 9.5. A part of internal.h. */
#ifndef PARLEY_NODE_UNWANTED_H
#define PARLEY_NODE_UNWANTED_H

#include <stdbool.h>
#include <stdint.h>

struct parley_node;
struct peer;

/* Of a link. */
struct peer_unwanted {
    bool is_owed; /* all of it is to be told, or what is left of it */
    bool is_paid; /* as far as the account of what is told again covers it */
    bool is_telling;
    uint32_t asked; /* row behind that of whom the peer has asked for last */
    /* where it goes on when it gave way; see heads_next */
    uint32_t next, log;
    uint32_t left;  /* 0: all of it */
    uint64_t since; /* in the telling on its way: only what changed after this */
    uint64_t told;  /* all was told up to this change */
};

/* The link is open, and speaks sessions. */
void unwanted_begin(struct parley_node *node, struct peer *peer);
/* The peer has lost names that it was told. */
void unwanted_lost(struct parley_node *node, struct peer *peer);
/* The peer has asked for the author's records. */
void unwanted_asked(struct parley_node *node, struct peer *peer, uint32_t author);
/* What has changed is asked for, which has no cost: it goes first. False: nothing of this is being
 * told. */
bool unwanted_gives_way(struct peer *peer);
/* At the end of a step: begins to tell what is owed, after the first session and when it is paid.
 */
void unwanted_pay(struct parley_node *node, struct peer *peer);

#endif
