/* Reconciliation: in what this node and a peer differ. SPEC 11. A part of internal.h.
 *   sessions.c     when and with whom, turn by turn      small.c  asks and answers in one message
 *   session_set.c  what is compared, and told whole
 *   missing.c      whom to ask for what no session finds
 */
#ifndef PARLEY_NODE_SESSIONS_H
#define PARLEY_NODE_SESSIONS_H

#include <parley/node_limits.h>
#include <parley/reconcile.h>

struct parley_node;
struct peer;
struct log_row;

enum session_phase {
    SESSION_FREE,     /* its set stays, for small asks, until another session takes the place */
    SESSION_OPENING,  /* we opened it; their first turn is awaited */
    SESSION_BUILDING, /* the set is being made, a portion in each step */
    SESSION_TALKING,
    SESSION_TELLING, /* it is over; what is to be told whole is still going out */
};

struct session {
    enum session_phase phase;
    bool is_ours;                 /* opened by this node */
    bool is_again;                /* what was said before counts as not said */
    uint32_t peer;                /* slot; only while it is not FREE */
    parley_connection connection; /* of the set; 0: none */
    uint64_t number;
    struct parley_reconcile set;
    struct parley_reconcile_item *items;
    struct parley_reconcile_bucket *buckets;
    uint32_t author;   /* BUILDING: the next one */
    uint64_t changes;  /* of node.changes_count when it began */
    bool is_expecting; /* their turn so far asks for an answer */
    bool is_answering; /* our turn so far does */
    unsigned turns;
    size_t bytes_left;       /* that we may still say */
    uint64_t findings;       /* a sum over what was found: to see whether it is the same again */
    parley_time_ms deadline; /* of their silence */
    parley_time_ms end_at;
    uint32_t tells_left, tells_next; /* items to be told whole: how many, and where to look on */
};

/* Of a link. */
struct peer_session {
    bool is_spoken;         /* by both sides */
    bool is_begun;          /* the first session of the link: interest is answered as it changes */
    bool is_due;            /* one of ours is to be opened */
    bool is_asked;          /* one of theirs is to be answered */
    bool is_again;          /* it counts what was said as not said */
    bool has_lost;          /* names that it told; the next of ours says so */
    uint64_t ours, theirs;  /* numbers of the newest */
    uint64_t places;        /* the session whose places the peer knows; 0: none */
    unsigned turns;         /* regular ones since the last session */
    parley_time_ms open_at; /* not before */
    parley_time_ms answer_at; /* likewise */
    parley_time_ms asked_at;  /* since when it waits for a place */
    unsigned pushed_out;      /* how often in a row others had its place for its silence */
    uint64_t findings;        /* of our last one */
    unsigned fruitless;       /* of ours in a row in which the same was found */
    uint32_t small_serves;    /* small asks of it that are not answered */
    uint32_t small_fetches;   /* of ours to it */
    bool is_refilled;         /* more of them go out */
    uint32_t missing_next;    /* of the logs: where to look on for what it is asked for by name */
    uint32_t missing_looks;   /* how many of them in this turn */
    uint32_t missing_left;    /* how many names may still be said in it */
    uint32_t unheard_next;    /* of the authors: where to look on for whom it is asked by name */
    uint32_t unheard_end;     /* where that ends in this turn */
    uint32_t unheard_left;    /* how many names may still be said in it */
};

/* Small asks, or the answers to some, of one peer until they go out together. */
struct small_batch {
    parley_connection connection;
    uint64_t session;
    size_t count;
    struct parley_writer writer;
    uint32_t fetches[PARLEY_WIRE_RUNS_MAX]; /* of asks */
};

struct sessions {
    struct session slots[PARLEY_SESSIONS_MAX];
    void *memory;
    uint64_t *said;        /* hashes of what was told, and to whom: PARLEY_SAID_MAX */
    uint64_t missing_anew; /* counts how often all that misses something was to be asked for anew */
    struct small_batch asks, runs;
};

/* Within create. */
bool sessions_create(struct parley_node *node);
void sessions_free(struct parley_node *node);
/* Both hellos were said. */
void sessions_open_link(struct parley_node *node, struct peer *peer, uint64_t features);
void sessions_drop_peer(struct parley_node *node, struct peer *peer);
/* The store tells anew what it holds. */
void sessions_stop(struct parley_node *node);
/* In the place of an ask for heads. False: ask for heads. */
bool sessions_ask(struct parley_node *node, struct peer *peer);
/* Whether the message waits for a set that is being made; the first one begins it. */
void sessions_prepare(struct parley_node *node, struct peer *peer,
                      const struct parley_wire_message *message);
bool sessions_must_wait(const struct parley_node *node, const struct peer *peer,
                        const struct parley_wire_message *message);
void on_reconcile(struct parley_node *node, struct peer *peer,
                  const struct parley_wire_reconcile *reconcile);
/* At the end of every step. */
void sessions_pump(struct parley_node *node);
bool sessions_are_under_way(const struct parley_node *node);
/* Whether the same was asked here not long ago, of whatever one tells once; from now on it was. */
bool said_before(struct parley_node *node, struct parley_span what);
void sessions_check(const struct parley_node *node);

/* session_set.c */
/* A portion of the set; true when it is whole. */
bool session_build(struct parley_node *node, struct peer *peer, struct session *session);
/* The log of an item, or NONE when its row is of another by now. */
uint32_t session_log(const struct parley_node *node, const struct session *session,
                     const struct parley_reconcile_item *item);
void session_tell(struct session *session, struct parley_reconcile_item *item);
/* As much as the peer takes of what is to be told whole. */
void session_tell_on(struct parley_node *node, struct peer *peer, struct session *session);
/* Of what is compared of the item as it is now. */
uint64_t session_hash(const struct parley_node *node, const struct session *session,
                      const struct parley_reconcile_item *item);

/* missing.c */
/* From time to time: heads of logs that miss something, and of whom nothing was heard. */
void missing_ask(struct parley_node *node, struct peer *peer);
/* The latter alone, as a link opens. */
void missing_name_all(struct parley_node *node, struct peer *peer);
/* One of the latter, to all: the owner has named him just now, or whoever was asked gave nothing.
 */
void missing_name(struct parley_node *node, uint32_t author);
/* At the end of every step. */
void missing_pump(struct parley_node *node);

/* fetch.c */
/* Entries of it are missing, and nobody is asked for them or about to be, or whoever is has failed
 * before. */
bool log_misses(struct parley_node *node, const struct log_row *row);

/* small.c */
/* Whether it would be asked for so, of that peer. */
bool small_is_asked(const struct peer *peer, const struct log_row *row);
/* Not one by one as others end: false until few of them are on their way. */
bool small_may_ask(struct peer *peer);
/* Takes part in a batch; false: it has to be asked for by name. */
bool small_ask(struct parley_node *node, struct peer *peer, uint32_t fetch, uint64_t request,
               uint32_t log, parley_seq down);
void small_asks_flush(struct parley_node *node);
void on_ask_runs(struct parley_node *node, struct peer *peer,
                 const struct parley_wire_ask_runs *asks);
void small_run(struct parley_node *node, struct peer *peer, uint64_t request,
               struct parley_span chunk);
/* At the end of every step. */
void small_runs_pump(struct parley_node *node);
void small_drop_peer(struct parley_node *node, const struct peer *peer);
/* Runs of a message from the given one on; how many of them need no more. */
size_t on_runs(struct parley_node *node, struct peer *peer, const struct parley_wire_runs *runs,
               size_t done);
void on_ask_heads_of(struct parley_node *node, struct peer *peer,
                     const struct parley_wire_ask_heads_of *ask);

/* serve.c: as an ask for a run; the answer may go with others. */
void serve_small_ask(struct parley_node *node, struct peer *peer,
                     const struct parley_wire_ask_run *ask, bool is_known);
/* messages.c: for what came before it. */
bool message_must_wait(const struct parley_node *node, const struct peer *peer,
                       const struct parley_wire_message *message);

#endif
