/* The simulator: the second shell of the core. One world has a seed, a clock of its own, nodes
 * with disks, a network between them, and a ledger of what honest authors did. Everything that the
 * product's shell does late, in pieces or not at all happens here on a schedule that follows from
 * the seed alone; the core and the store are the very object code of the product.
 *
 *   queue.c    simulated time: what happens next
 *   trace.c    the hash over every byte of every event and effect; the last lines in words
 *   net.c      connections: delay, splits, loss, partitions, silence
 *   disk.c     the store: late, group commits, failing writes, full, reopened
 *   host.c     a node's life: boot, steps and their effects, kill -9
 *   people.c   who is there: identities, homes, whom they follow and dial
 *   faults.c   what goes wrong, drawn by the seed
 *   checks.c   what must hold after every step
 *   settled.c  what must hold once the faults have stopped
 *   world.c    one seed from its first boot to the last comparison
 *   main.c     seeds over processes, and the report
 */
#ifndef PARLEY_SIM_H
#define PARLEY_SIM_H

#include <stdnoreturn.h>

#include "kv_memory.h"

#include <parley/identity.h>
#include <parley/node.h>
#include <parley/random.h>

#define SIM_NODES_MAX 24u

/* What goes wrong. A fault that never fires in a whole run fails it: it tests nothing. */
#define SIM_FAULTS(X)                                                                              \
    X(SPLIT, "sent bytes arrived in pieces")                                                       \
    X(REORDERED, "sent later, arrived earlier over another connection")                            \
    X(SLOW_PIECE, "bytes late by seconds")                                                         \
    X(BACKPRESSURE, "a receiver took nothing for a while")                                         \
    X(LOST_CONNECTION, "a connection lost")                                                        \
    X(LOST_BYTES, "bytes lost with their connection")                                              \
    X(SILENT_CONNECTION, "a connection that goes silent")                                          \
    X(BIT_FLIPPED, "a bit flipped on the way")                                                     \
    X(DIAL_FAILED, "a dial that failed")                                                           \
    X(PARTITION, "a partition")                                                                    \
    X(STRANGER, "a stranger who sends rubbish")                                                    \
    X(KILLED, "a node killed")                                                                     \
    X(KILLED_AT_START, "a node killed while it starts")                                            \
    X(LOST_COMMIT, "operations lost with the node before they were on disk")                       \
    X(UNTOLD_COMMIT, "operations on disk, the node killed before it knew")                         \
    X(SLOW_DISK, "a disk slow for seconds")                                                        \
    X(GROUP_COMMIT, "several operations in one commit")                                            \
    X(WRITE_LOST, "a write that failed and was lost")                                              \
    X(WRITE_KEPT, "a write that failed and is there")                                              \
    X(DISK_FULL, "a full disk")                                                                    \
    X(UNPLUGGED, "a disk unplugged")                                                               \
    X(REOPENED, "a store closed and opened under a running node")                                  \
    X(READ_LATE, "a read answered late")                                                           \
    X(READ_FAILED, "a read that failed")                                                           \
    X(VERIFY_LATE, "a signature check answered late")                                              \
    X(CLOCKS_APART, "nodes whose wall clocks are minutes apart")                                   \
    X(CLOCK_JUMPED, "a wall clock that jumped")

enum sim_fault {
#define X(name, words) FAULT_##name,
    SIM_FAULTS(X)
#undef X
        FAULTS_COUNT
};

struct sim;

/* --- queue.c ------------------------------------------------------------------------------- */

#define SIM_NOBODY UINT32_MAX /* an item that belongs to no node's life */

struct sim_item;
typedef void sim_run(struct sim *sim, struct sim_item *item);

struct sim_item {
    parley_time_ms at;
    uint64_t order;  /* of two at one moment the one put first comes first */
    uint32_t node;   /* dropped when that node was killed meanwhile */
    uint32_t life;   /* which of its lives */
    uint64_t number; /* whatever run wants to know */
    sim_run *run;
    void *data; /* one allocation, freed after run; NULL: none */
};

struct sim_queue {
    struct sim_item *items; /* a heap by (at, order) */
    size_t count, count_max;
    uint64_t order;
};

void sim_put(struct sim *sim, parley_time_ms delay, uint32_t node, sim_run *run, void *data,
             uint64_t number);
/* False when nothing is left. */
bool sim_next(struct sim *sim);
void sim_queue_clear(struct sim *sim);

/* --- trace.c ------------------------------------------------------------------------------- */

#define TRACE_LINES     400u
#define TRACE_LINE_SIZE 160u

struct sim_trace {
    crypto_generichash_state hash;
    char lines[TRACE_LINES][TRACE_LINE_SIZE];
    uint64_t lines_count;
    uint64_t events_count, effects_count;
};

void trace_begin(struct sim *sim);
void trace_event(struct sim *sim, uint32_t node, const struct parley_event *event);
void trace_effect(struct sim *sim, uint32_t node, const struct parley_effect *effect);
/* A line for people, not hashed. */
void trace_say(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trace_end(struct sim *sim, uint8_t out[32]);
/* Prints the seed, the words and the last lines, and ends the process with 1. */
noreturn void sim_fail(struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- net.c --------------------------------------------------------------------------------- */

struct sim_piece {
    struct sim_piece *next;
    parley_time_ms at;
    bool is_end;
    size_t size;
    uint8_t bytes[];
};

/* One direction: from ends[i] to the other end. */
struct sim_way {
    struct sim_piece *first, *last;
    size_t bytes_count; /* not arrived yet: unsent, as the sender sees it */
    parley_time_ms last_at;
    bool is_pumping;
};

struct sim_end {
    uint32_t node;
    uint32_t life;
    parley_connection connection;
    bool is_attached; /* the node still waits for its CLOSED */
    bool is_closing;  /* it said CLOSE */
    uint8_t *arrived;
    size_t arrived_size, arrived_max;
};

struct sim_wire {
    struct sim_end ends[2]; /* who dialled, who accepted */
    struct sim_way ways[2];
    bool is_silent;   /* nothing arrives any more, and nobody is told */
    bool is_tainted;  /* a bit was flipped, or one end is a stranger */
    bool is_stranger; /* ends[0] is nobody's */
    bool is_dialled;  /* ends[0] was told DIALLED */
    parley_time_ms since;
    unsigned delay_ms;
};

struct sim_net {
    struct sim_wire **wires;
    size_t wires_count, wires_max;
    uint32_t side[SIM_NODES_MAX]; /* of the partition, if there is one */
    parley_time_ms newest_send_arrived[SIM_NODES_MAX];
};

void net_dial(struct sim *sim, uint32_t node, const struct parley_effect *effect);
void net_send(struct sim *sim, uint32_t node, parley_connection connection,
              struct parley_span bytes);
void net_close(struct sim *sim, uint32_t node, const struct parley_effect *effect);
void net_resume(struct sim *sim, uint32_t node, parley_connection connection);
/* All connections of a killed node break; some of them without a word to the other end. */
void net_node_died(struct sim *sim, uint32_t node);
void net_lose_one(struct sim *sim);
void net_silence_one(struct sim *sim);
void net_stranger(struct sim *sim, uint32_t node);
void net_clear(struct sim *sim);

/* --- disk.c -------------------------------------------------------------------------------- */

struct sim_op {
    struct sim_op *next;
    parley_ticket ticket;
    struct parley_store_op op; /* its spans point behind it */
    uint8_t bytes[];
};

struct sim_disk {
    struct parley_disk *disk;
    struct parley_kv *kv;
    struct parley_store *store;
    struct sim_op *first, *last; /* not begun */
    struct sim_op *batch;        /* being written, or written and not told */
    size_t untold_count;
    enum parley_error *results;
    bool is_committed; /* the batch is on disk; its STOREDs are to come */
    bool is_failed;
    parley_time_ms slow_until, full_until;
};

void disk_store(struct sim *sim, uint32_t node, const struct parley_effect *effect);
void disk_read(struct sim *sim, uint32_t node, const struct parley_effect *effect);
/* Opens disk and store; false when that fails now. */
bool disk_open(struct sim *sim, uint32_t node);
/* The process is gone: what was not committed is lost. */
void disk_crash(struct sim *sim, uint32_t node);
/* Faults. */
void disk_heal(struct sim *sim, uint32_t node);
void disk_fill_up(struct sim *sim, uint32_t node, parley_time_ms duration);

/* --- host.c -------------------------------------------------------------------------------- */

struct sim_known { /* an entry of an honest author */
    struct parley_id id;
    bool is_known;
    bool is_durable; /* on its author's disk */
    bool is_acknowledged;
};

/* What the owner was told: UNKNOWN while a change is not answered. */
enum sim_follow { FOLLOW_NEVER, FOLLOW_UNKNOWN, FOLLOW_ON, FOLLOW_OFF };

struct sim_node {
    /* what outlives the process */
    struct parley_secret_key key;
    struct parley_address address;
    bool is_relay;
    bool has_author;
    unsigned hops;
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_author author;
    struct parley_secret_key device;
    struct parley_log log;
    struct parley_address peers[SIM_NODES_MAX]; /* on its command line */
    uint32_t peers_index[SIM_NODES_MAX];
    size_t peers_count;
    struct sim_disk disk;
    int64_t wall_offset;
    /* the process */
    struct parley_node *core; /* NULL: not running */
    uint32_t life;
    parley_connection next_accept;
    parley_time_ms timer_at;
    uint64_t timers_count; /* of timers_second */
    parley_time_ms timers_second;
    /* the ledger of its own log: [seq] */
    struct sim_known *known;
    size_t known_max;
    parley_seq known_highest;
    uint64_t published, acknowledged, refused;
    /* by index of the author's node */
    bool follows_wanted[SIM_NODES_MAX];
    enum sim_follow follows[SIM_NODES_MAX];
    uint64_t follow_asked[SIM_NODES_MAX]; /* the newest request about it */
    bool friends_wanted[SIM_NODES_MAX];   /* whom the owner connects to by hand */
    bool friends[SIM_NODES_MAX];
};

/* What an owner asked of a node, and which of its lives was asked. */
struct sim_request {
    enum { REQUEST_PUBLISH, REQUEST_FOLLOW, REQUEST_CONNECT } kind;
    uint32_t node, life;
    uint32_t whom;
    bool on;
    bool is_answered;
};

struct sim_config {
    uint64_t seed;
    unsigned nodes_count;
    bool is_verbose;
};

struct sim {
    struct sim_config config;
    struct parley_random random; /* of the whole world; nodes get seeds from it */
    parley_time_ms now;
    bool has_faults; /* the faulty phase */
    bool enabled[FAULTS_COUNT];
    uint64_t fired[FAULTS_COUNT];
    struct sim_queue queue;
    struct sim_trace trace;
    struct sim_net net;
    struct sim_node nodes[SIM_NODES_MAX];
    unsigned authors_count;
    uint64_t steps_count, acknowledged, requests_count;
    struct sim_request *requests; /* [request - 1] */
    size_t requests_max;
    uint8_t *scratch; /* PARLEY_MESSAGE_BYTES_MAX and a chunk's head */
};

/* Starts the process after delay. */
void host_boot(struct sim *sim, uint32_t node, parley_time_ms delay);
size_t host_step(struct sim *sim, uint32_t node, struct parley_event *event);
void host_kill(struct sim *sim, uint32_t node);
/* Kills and loads at once, without START: what is on disk and nothing else. */
void host_reload(struct sim *sim, uint32_t node);
/* Tells the core what the store holds. After stop_after things: false, without the rest. */
bool host_load(struct sim *sim, uint32_t node, uint64_t stop_after);
bool host_is_alive(const struct sim *sim, uint32_t node, uint32_t life);

/* --- people.c ------------------------------------------------------------------------------ */

void people_make(struct sim *sim);
/* Owners begin to act; once the faults have stopped they only finish what they began. */
void people_begin(struct sim *sim);
/* Every change that an owner wants was acknowledged. */
bool people_are_done(const struct sim *sim);
void people_on_reply(struct sim *sim, uint32_t node, const struct parley_effect *effect);
void people_clear(struct sim *sim);

/* --- faults.c ------------------------------------------------------------------------------ */

uint64_t sim_below(struct sim *sim, uint64_t bound);
bool sim_chance(struct sim *sim, unsigned one_in);
/* True when this fault happens now; counts it. */
bool fault_hits(struct sim *sim, enum sim_fault fault, unsigned one_in);
void fault_fired(struct sim *sim, enum sim_fault fault);
void faults_begin(struct sim *sim);
void faults_stop(struct sim *sim);
extern const char *const sim_fault_words[FAULTS_COUNT];
extern const char *const sim_fault_names[FAULTS_COUNT];

/* --- checks.c ------------------------------------------------------------------------------ */

void check_stores(struct sim *sim, uint32_t node, const struct parley_effect *effect);
void check_close(struct sim *sim, uint32_t node, const struct sim_wire *wire,
                 enum parley_error reason);
void check_log_line(struct sim *sim, uint32_t node, const struct parley_effect *effect);
/* An id of an honest author's entry was seen; two for one seq fail. */
void check_seen(struct sim *sim, uint32_t node, const struct parley_log *log, parley_seq seq,
                const struct parley_id *id);
void check_acknowledged(struct sim *sim, uint32_t node, parley_seq seq, const struct parley_id *id);
void check_durable(struct sim *sim, uint32_t node, const struct parley_store_op *op);
/* What a node finds on its disk: nothing acknowledged is missing, nothing is another. */
void check_after_load(struct sim *sim, uint32_t node);
/* What the owner was told is followed, is; what is not, is not. */
void check_follows(struct sim *sim, uint32_t node);
/* The node whose own log it is, or SIM_NOBODY. */
uint32_t author_of_log(const struct sim *sim, const struct parley_log *log);

/* --- settled.c ----------------------------------------------------------------------------- */

/* True when everything has converged; else says in `why` what has not. */
bool settled(struct sim *sim, char *why, size_t why_size);
/* Every stored log from disk, chunk by chunk, through the judge. */
void settled_check_disks(struct sim *sim);

/* --- a whole run --------------------------------------------------------------------------- */

struct sim_report {
    uint8_t trace[32];
    uint64_t steps, events, effects, acknowledged, published, refused;
    uint64_t simulated_ms, healed_ms; /* in all; from the end of faults to convergence */
    uint64_t fired[FAULTS_COUNT];
};
void sim_run_seed(const struct sim_config *config, struct sim_report *report);
/* The world being run, for who catches a signal. */
extern struct sim *sim_current;

#endif
