/* How much of the disk a node takes, and what goes first when it is too much. A part of internal.h;
 * the order is that of protocol.md: strangers, then whom only followed people follow, then what is
 * old. README, "A limit on the disk".
 *
 *   quota.c  what everything takes, and when to prune
 *   prune.c  which log is shortened from below, and by how much
 *   evict.c  a stranger goes whole, and is not asked for again as long as nothing is new of him
 */
#ifndef PARLEY_NODE_QUOTA_H
#define PARLEY_NODE_QUOTA_H

#include <parley/node.h>
#include <parley/node_limits.h>
#include <parley/wire.h>

struct log_row;

/* Of an author's row. */
struct author_quota {
    uint64_t records_bytes;
    parley_time_ms heard_ms; /* wall; when his newest record came: while no entry of his is here */
    bool is_leaving; /* he was a stranger; what is here of him goes, nothing more is taken */
    bool has_left;   /* the disk holds nothing of him any more */
};

/* Of a log's row. */
struct log_quota {
    uint64_t bytes; /* as the store told last; 0: nothing is held */
    parley_time_ms active_ms, low_ms;
    parley_seq floor;   /* below it entries were pruned here: not asked for, not taken from peers */
    parley_seq pruning; /* the floor that is on its way to the disk; 0: none */
};

/* Whoever goes next: sorted, the first one first. */
struct victim {
    uint64_t rank; /* the kind's, then the time's */
    uint32_t row;  /* of an author, when strangers go; else of a log */
};

/* Somebody who was here and went: what the heads told of him then. */
struct evicted {
    uint64_t tag;       /* keyed hash of his name; 0: free */
    uint64_t heads_sum; /* of the seqs of the heads of his logs */
};

struct quota {
    uint64_t bytes;           /* all logs and records */
    uint64_t strangers_bytes; /* of them those of strangers */
    uint64_t dropped_bytes;   /* since a compaction was asked for */
    uint64_t written_bytes;   /* of operations, since then: each leaves older versions of rows */
    bool is_pruning;          /* from the high mark down to the low one */
    bool is_compacting;       /* asked for, and not told of as ended */
    bool is_full;             /* too much is held, and nothing of it may go */
    bool lacks_memory;        /* a stranger's records found none */
    parley_time_ms look_at;   /* when to look for victims again; 0: at once */
    bool victims_are_authors;
    size_t victims_count, victims_next;
    struct victim victims[PARLEY_QUOTA_VICTIMS_MAX];
    size_t leaving_count, leaving_logs_count;
    uint32_t leaving[PARLEY_QUOTA_VICTIMS_MAX]; /* authors */
    size_t prunes_in_flight;
    uint64_t prunes_bytes;   /* what those in flight will free, guessed */
    struct evicted *evicted; /* PARLEY_EVICTED_MAX; NULL without a quota */
};

/* quota.c */
/* What the store says of a log after an operation on it, and of one that is loaded. */
void quota_told(struct parley_node *node, uint32_t log, const struct parley_store_log *told);
/* A record of the author was stored, of that size; one was dropped, or all. */
void quota_add_record(struct parley_node *node, uint32_t author, size_t size);
void quota_drop_records(struct parley_node *node, uint32_t author, bool all);
/* How far from the owner he is decides whether he is a stranger. */
void quota_set_depth(struct parley_node *node, uint32_t author, uint8_t depth);
/* After changes of many at once. */
void quota_recount(struct parley_node *node);
/* The store tells anew what it holds. */
void quota_forget(struct parley_node *node);
/* At the end of every step. */
void quota_pump(struct parley_node *node);
/* What comes pushes out what is here. */
bool quota_is_reached(const struct parley_node *node);
/* A relay asks for nothing of strangers: what is here has to go first, and the disk to get it back.
 */
bool quota_strangers_wait(const struct parley_node *node);
bool quota_is_stranger(const struct parley_node *node, uint32_t author);
void quota_check_invariants(const struct parley_node *node);

/* For the two below: into the sorted list of victims; those that go last fall out when it is full.
 */
void quota_add_victim(struct parley_node *node, uint64_t rank, uint32_t row);
/* Nothing of the log is under way that a change from below would disturb. */
bool quota_log_is_quiet(const struct parley_node *node, uint32_t log);

/* fetch.c */
/* The lowest seq that is wanted: what was pruned here is not asked for again. */
parley_seq log_floor(const struct log_row *row);

/* Nothing of his is pruned from now on, and what was may come again. */
void quota_allow(struct parley_node *node, uint32_t author);

/* prune.c */
/* Logs that may be shortened, the oldest first, far ones before all. */
void prune_find(struct parley_node *node);
/* False: no room now. */
bool prune_next(struct parley_node *node, uint32_t log);
void prune_on_stored(struct parley_node *node, uint32_t log, enum parley_error error,
                     const struct parley_store_log *told);

/* evict.c */
void evict_find(struct parley_node *node);
bool evict_next(struct parley_node *node, uint32_t author);
void evict_on_stored(struct parley_node *node, uint32_t author);
/* Gives back the rows of those who have left. */
void evict_finish(struct parley_node *node);
/* Whether heads tell nothing that was not here when he was evicted. */
bool evict_knows(const struct parley_node *node, const struct parley_wire_author_heads *item);

#endif
