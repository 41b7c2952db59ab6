/* What a peer may cause here: a bucket each for bytes, asks and signature checks, one of each for
 * all strangers together, and an account of what is told again. SPEC 9.2.9. A part of internal.h.
 */
#ifndef PARLEY_NODE_BUDGET_H
#define PARLEY_NODE_BUDGET_H

#include <parley/node.h>
#include <parley/node_limits.h>

struct parley_node;
struct peer;
struct parley_wire_message;

enum budget_kind { BUDGET_BYTES, BUDGET_ASKS, BUDGET_CHECKS };
#define BUDGET_KINDS 3

/* In thousandths; below zero by what the last message took too much. */
struct bucket {
    int64_t left;
    parley_time_ms at; /* filled until here */
};

/* Of a link. */
struct peer_budget {
    uint32_t named_free; /* authors that the link has named for the first time */
    struct bucket own[BUDGET_KINDS];
    struct bucket share[BUDGET_KINDS]; /* what nobody takes from it, when that of all is empty */
    struct bucket telling;             /* bytes that may be told again */
    bool was_told_all;                 /* once, which costs it nothing */
    bool owes_all;                     /* all heads again, when the account pays for it */
    bool is_paid;                      /* what is being told is told again */
    unsigned step_asks;                /* in this step */
    parley_time_ms wait_until;         /* not looked at before */
};

/* Of all strangers: who came in and is not of the owner's book. */
struct budget {
    struct bucket all[BUDGET_KINDS];
    struct bucket handshakes;
    uint32_t resume_next; /* peer to begin with: each has its turn */
};

/* It came in, and the owner has not named it. */
bool peer_is_stranger(const struct peer *peer);
/* Within create, and when what is held has been loaded. */
void budgets_fill(struct parley_node *node);
void budget_begin(struct parley_node *node, struct peer *peer);
/* Whether the next message of this peer may be read now; if not, a step comes when it may. */
bool budget_may_read(struct parley_node *node, struct peer *peer);
/* Whether another flight of a handshake may be looked at; it was. */
bool budget_may_shake(struct parley_node *node);
void budget_take_flight(struct parley_node *node);
void budget_take(struct parley_node *node, struct peer *peer, enum budget_kind kind, size_t count);
/* It was of use: what it took is given back. */
void budget_give_back(struct parley_node *node, struct peer *peer, size_t bytes);
/* So many signatures were good and told something new. Of strangers they still count, since names
 * cost nothing: whom the owner has named may bring as much as there is. */
void budget_give_back_checks(struct peer *peer, size_t count);
/* What a message asks of this node beyond being read. */
void budget_take_message(struct parley_node *node, struct peer *peer,
                         const struct parley_wire_message *message);

/* Whether something may be told again; if not, a step comes to look again. */
bool budget_may_tell(struct parley_node *node, struct peer *peer);
/* Whether so much may, or all that the account can hold. */
bool budget_may_tell_all(struct parley_node *node, struct peer *peer, size_t bytes);
/* Of one that may be told something: bytes that may be at once, at most so many. */
size_t budget_telling(struct parley_node *node, struct peer *peer, size_t most);
void budget_take_telling(struct peer *peer, size_t bytes);

/* Unsent bytes above which answers and pushes wait: less for each when all take little. */
size_t peer_window(const struct parley_node *node, size_t window);

/* At the end of every step: those that were not read and may be now, in turn. */
void budget_pump(struct parley_node *node);

#endif
