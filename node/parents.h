/* What replies answer, of authors whom this node does not carry. A part of internal.h. */
#ifndef PARLEY_NODE_PARENTS_H
#define PARLEY_NODE_PARENTS_H

#include <parley/body.h>
#include <parley/node.h>
#include <parley/node_limits.h>
#include <parley/wire.h>

struct peer;
struct chunk_task;

enum parent_state {
    PARENT_FREE,
    PARENT_RECORDS, /* the author's records were asked for */
    PARENT_RUN,     /* the entry was asked for */
    PARENT_JUDGED,  /* it has come */
};

struct parent {
    enum parent_state state;
    struct parley_ref ref;
    parley_connection connection; /* the way that brought the reply */
    unsigned depth;               /* replies between it and the one that brought it in */
    uint32_t request;
    parley_time_ms deadline;
};

/* More than may be asked for at a time: each has its turn. */
struct parent_waiting {
    struct parley_ref ref;
    parley_connection connection;
    unsigned depth;
};

struct parents {
    struct parent items[PARLEY_PARENTS_MAX];
    struct parent_waiting waiting[PARLEY_PARENTS_WAITING_MAX]; /* a ring */
    size_t waiting_first, waiting_count;
    bool is_turn;                             /* a place was given since they were looked at */
    uint64_t tried[PARLEY_PARENTS_TRIED_MAX]; /* keyed hashes of what was asked for last */
    size_t tried_next;
    size_t kept_count; /* since the node was created */
};

/* Those that wait, as far as there is room. */
void parents_pump(struct parley_node *node);
/* Replies in what is being stored: what they answer and where their thread begins is asked for. */
void parents_look_at(struct parley_node *node, struct peer *peer, const struct chunk_task *task,
                     struct parley_span chunk);
/* This author's records are waited for from this peer. */
bool parents_expect(const struct parley_node *node, const struct peer *peer,
                    const struct parley_author *author);
/* His records have come, as far as the peer has them. */
void parents_on_records(struct parley_node *node, struct peer *peer,
                        const struct parley_author *author);
void parents_on_run(struct parley_node *node, struct peer *peer, const struct parley_wire_run *run);
/* What became of an entry that was asked for. */
void parents_end(struct parley_node *node, const struct chunk_task *task, enum parley_error error);
void parents_drop_peer(struct parley_node *node, const struct peer *peer);
void parents_on_timer(struct parley_node *node);

#endif
