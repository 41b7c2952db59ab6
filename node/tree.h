/* The broadcast tree (proto/gossip.c) in a node: over which links a new entry is pushed, and over
 * which it is announced. A part of internal.h. */
#ifndef PARLEY_NODE_TREE_H
#define PARLEY_NODE_TREE_H

#include <parley/gossip.h>
#include <parley/node_limits.h>

struct parley_node;
struct peer;
struct chunk_task;
struct pending_store;

/* A log of which something is to be announced. */
struct announced {
    uint32_t log;
    parley_connection except; /* who brought it; 0: several, or nobody */
};

struct tree {
    struct parley_gossip gossip;
    void *memory;
    struct announced announced[PARLEY_ANNOUNCED_MAX];
    size_t announced_count;
    parley_time_ms announce_at; /* when there are any */
};

/* False: out of memory. The key is that of all tables. */
bool tree_create(struct parley_node *node);
void tree_open(struct parley_node *node, struct peer *peer, uint64_t features);
/* What it wants is known now, or anew. */
void tree_on_interest(struct parley_node *node, const struct peer *peer);
void tree_close(struct parley_node *node, struct peer *peer);

/* What came of a chunk that a peer, or nobody, brought. */
void tree_look_at(struct parley_node *node, struct peer *peer, const struct chunk_task *task,
                  enum parley_error error, const struct parley_run *run);
/* Whether the top of a run was announced and asked for, so that others may wait for it, too. */
bool tree_awaits(const struct parley_node *node, const struct parley_log *log,
                 const struct parley_run *run);
/* A live entry is on the disk: to whoever wants it, at once or announced. */
void tree_push(struct parley_node *node, const struct pending_store *pending,
               struct parley_span chunk);
/* The durable head of a log has moved. is_prompt: eager links hear of it at once. */
void tree_announce(struct parley_node *node, uint32_t log, parley_connection except,
                   bool is_prompt);

void on_announce(struct parley_node *node, struct peer *peer,
                 const struct parley_wire_announce *announce);
void on_prune(struct parley_node *node, struct peer *peer, const struct parley_wire_prune *prune);
void on_graft(struct parley_node *node, struct peer *peer, const struct parley_wire_prune *graft);
/* What is below an entry that was just pushed is missing: whoever announced that may have it. */
void tree_ask_announcers(struct parley_node *node, uint32_t log, const struct parley_run *run);
/* A peer that was asked for the log had nothing that is new. */
void tree_gave_nothing(struct parley_node *node, uint32_t peer, uint32_t log);
void tree_on_timer(struct parley_node *node);

#endif
