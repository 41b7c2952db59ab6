/* The simulator: the second shell of the core. One world has a seed, a clock of its own, nodes
 * with disks, a network between them, and a ledger of what honest authors did. Everything that the
 * product's shell does late, in pieces or not at all happens here on a schedule that follows from
 * the seed alone; the core and the store are the very object code of the product.
 *
 *   queue.c    simulated time: what happens next (heap.c), as far as its node still lives
 *   trace.c    the hash over every byte of every event and effect; the last lines in words
 *   net.c      connections: delay, splits, loss, partitions, silence
 *   disk.c     the store: late, group commits, failing writes, full, reopened
 *   host.c     a node's life: boot, steps and their effects, kill -9
 *   authors.c  persons and their devices; records and entries made by the test's own hand
 *   people.c   who is there: homes (home_make.c), whom they follow and dial, what owners do
 *   owners.c   what an owner says with the root: closings, rotations, new devices
 *   villains.c bad authors and thieves
 *   puppet.c   hostile peers on the real link, and what they are asked
 *   nonsense.c what they send of their own accord
 *   pieces.c   what was made reaches some honest node in any case
 *   faults.c   what goes wrong, drawn by the seed
 *   ledger.c   which entries there are; checks.c what must hold after every step
 *   oracle.c   the verdicts on a log, written a second time, slowly
 *   settled.c  what must hold once the faults have stopped
 *   disks.c    what must stand on every disk at the very end
 *   words.c    the bodies on every disk
 *   world.c    one seed from its first boot to the last comparison
 *   main.c     seeds over processes, and the report
 */
#ifndef PARLEY_SIM_H
#define PARLEY_SIM_H

#include <stdnoreturn.h>

#include "home_make.h"
#include "kv_memory.h"
#include "queue.h"
#include "store_parts.h"

#include <parley/identity.h>
#include <parley/link.h>
#include <parley/node.h>
#include <parley/random.h>

#define SIM_NODES_MAX   24u
#define SIM_AUTHORS_MAX 48u
#define SIM_LOGS_MAX    192u

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
    X(CLOCK_JUMPED, "a wall clock that jumped")                                                    \
    X(ERASED, "an author who takes words back")                                                    \
    X(LEARNED, "a node dialled on a peer's word")

/* Who is bad, and the honest acts that answer it. Drawn and counted in the same way. */
#define SIM_VILLAINS(X)                                                                            \
    X(BRANCH, "a branch beside an entry that has a successor")                                     \
    X(DEEP_BRANCH, "a branch that leaves its log far below the newest entry")                      \
    X(PLANTED, "an entry whose own signature is bad")                                              \
    X(COMMITTED, "an entry that commits to one whose own signature is bad")                        \
    X(WRONG_SEQ, "a prev that names an entry of another seq, or none at all")                      \
    X(STRANGE_ENTRY, "an entry of an unknown version, or with ext")                                \
    X(DEVICE_STOLEN, "a device key stolen")                                                        \
    X(REWRITES, "a thief of a device key who writes history anew")                                 \
    X(POSTS_ON, "a thief of a device key who posts on")                                            \
    X(ROOT_STOLEN, "today's root stolen")                                                          \
    X(CERTIFIES, "a thief of the root who admits a device")                                        \
    X(CLOSES, "a thief of the root who closes a log at another id")                                \
    X(ROTATES, "a thief of the root who makes a second rotation")                                  \
    X(FLOODS, "a thief of the root who floods the set beyond its bound")                           \
    X(ADOPTS, "a stranger who certifies another's device as his own")                              \
    X(TWINS, "two nodes with one device key")                                                      \
    X(OLD_DISK, "a node that came back from an old disk")                                          \
    X(OWNER_CLOSES, "an owner closes a log")                                                       \
    X(OWNER_ROTATES, "an owner rotates")                                                           \
    X(OWNER_ROTATES_TWICE, "an owner rotates on two machines")                                     \
    X(NEW_DEVICE, "an owner goes on with another device")                                          \
    X(SECOND_DEVICE, "an author with two devices")                                                 \
    X(DISCONNECTS, "an owner forgets a peer")                                                      \
    X(IMPORTED, "a piece brought in as a file is")                                                 \
    X(HOSTILE_PEER, "a hostile peer on the real link")                                             \
    X(PEER_RECORDS, "identity records of a hostile peer, some, in any order")                      \
    X(PEER_PUSH, "a push of a hostile peer")                                                       \
    X(PEER_HEADS, "heads of a hostile peer")                                                       \
    X(PEER_EVIDENCE, "evidence of a hostile peer")                                                 \
    X(PEER_RUN, "a run that was asked of a hostile peer")                                          \
    X(PEER_WORDLESS, "headers alone of a hostile peer")                                            \
    X(PEER_REFUSES, "an ask that a hostile peer answers with nothing")                             \
    X(PEER_ASKS, "an ask of a hostile peer")                                                       \
    X(PEER_NONSENSE, "what the wire allows and makes no sense")                                    \
    X(PEER_SESSION, "a turn of a hostile peer in a session of reconciliation")                     \
    X(PEER_RUNS, "runs that a session found, asked of a hostile peer")                             \
    X(PEER_BLAMED, "a hostile peer closed for its fault")

enum sim_fault {
#define X(name, words) FAULT_##name,
    SIM_FAULTS(X)
#undef X
        FAULTS_ONLY_COUNT,
    FAULT_BEFORE_VILLAINS = FAULTS_ONLY_COUNT - 1,
#define X(name, words) BAD_##name,
    SIM_VILLAINS(X)
#undef X
        FAULTS_COUNT
};

struct sim;

/* --- queue.c ------------------------------------------------------------------------------- */

#define SIM_NOBODY QUEUE_NOBODY

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

struct sim_puppet;
struct sim_wire {
    struct sim_end ends[2]; /* who dialled, who accepted */
    struct sim_way ways[2];
    bool is_silent;            /* nothing arrives any more, and nobody is told */
    bool is_tainted;           /* a bit was flipped, or one end is a stranger */
    bool is_stranger;          /* ends[0] is nobody's, or a puppet's */
    struct sim_puppet *puppet; /* who speaks at ends[0] */
    bool has_puppet;           /* there was one, or there is */
    bool is_dialled;           /* ends[0] was told DIALLED */
    parley_time_ms since;
    unsigned delay_ms;
};

struct sim_net {
    struct sim_wire **wires;
    size_t wires_count, wires_max;
    uint32_t side[SIM_NODES_MAX]; /* of the partition, if there is one */
    parley_time_ms newest_send_arrived[SIM_NODES_MAX];
    uint32_t met[SIM_NODES_MAX]; /* bit j: had a connection with node j */
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
/* A connection of a puppet to a running node; SIZE_MAX when there is none. */
size_t net_puppet(struct sim *sim, uint32_t node, struct sim_puppet *puppet);
void net_puppet_send(struct sim *sim, size_t wire, struct parley_span bytes);
/* The puppet's own end of it. */
void net_puppet_close(struct sim *sim, size_t wire);
bool net_puppet_is_open(const struct sim *sim, size_t wire);
/* Whether a puppet speaks, or spoke, at the other end. */
bool net_is_puppets(struct sim *sim, uint32_t node, parley_connection connection);
void net_clear(struct sim *sim);

/* --- disk.c -------------------------------------------------------------------------------- */

struct sim_disk {
    struct parley_disk *disk;
    struct parley_disk *old; /* a copy to come back from, or NULL */
    struct parley_kv *kv;
    struct parley_store *store;
    struct kept_op *first, *last; /* not begun */
    struct kept_op *batch;        /* being written, or written and not told */
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

/* --- authors.c ----------------------------------------------------------------------------- */

struct sim_author {
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_author author;
    uint8_t generation;    /* the newest that the owner revealed */
    uint64_t stolen_roots; /* bit g */
    bool is_bad;           /* everything goes: only agreement is asked for */
    parley_time_ms act_at; /* the owner does not act before */
};

enum sim_log_kind {
    LOG_HONEST, /* written by one honest node alone: no fork, ever */
    LOG_STOLEN, /* somebody else has the device key, too */
    LOG_TORN,   /* its own honest nodes fork it: a copied home, an old disk */
    LOG_FORGED, /* no honest node writes it */
};

struct sim_known { /* an entry that an honest node had on its disk, or was told to pass on */
    parley_seq seq;
    struct parley_id id;
    uint32_t durable_on; /* bit of each node */
    uint32_t maybe_on;   /* the same, and where a failed write may have left it */
    bool is_acknowledged;
    bool is_given; /* handed out by the world itself, beside the network */
    bool is_erasure;
    bool is_taken_back;   /* its author asked to erase it: it may be without a body */
    parley_seq erased_by; /* and was told that this entry does it; 0: was not */
};

struct sim_log {
    uint32_t author, host; /* host: who wrote in it last, or SIM_NOBODY */
    enum sim_log_kind kind;
    struct parley_secret_key device;
    struct parley_device_key device_key;
    struct parley_log log;
    bool is_ended; /* by the owner, at `end` */
    struct parley_anchor end;
    struct parley_anchor listed; /* by the owner's newest rotation */
    struct parley_anchor tip;    /* newest that its owner was told is kept */
    struct sim_known *known;
    size_t known_count, known_max;
    parley_seq known_highest; /* on the disk of its host */
};

uint32_t author_add(struct sim *sim);
/* Derived from the seed, of a device that is new. SIM_NOBODY: no place. */
uint32_t log_add(struct sim *sim, uint32_t author, uint32_t host, enum sim_log_kind kind);
/* The same device under another author. */
uint32_t log_adopt(struct sim *sim, uint32_t author, uint32_t log);
uint32_t log_of(const struct sim *sim, const struct parley_log *log);
uint32_t author_of(const struct sim *sim, const struct parley_author *author);
/* A node of the person that is not killed, or SIM_NOBODY. */
uint32_t author_home(const struct sim *sim, uint32_t author);

struct sim_request;
/* --- pieces.c ------------------------------------------------------------------------------ */

/* A record or an entry made by the test's own hand. */
struct sim_piece_made {
    uint32_t author, log; /* log: SIM_NOBODY of a record */
    bool is_record;
    struct parley_span record; /* owned */
    struct parley_entry entry; /* its body is owned */
    bool is_signed;            /* the entry's own signature holds */
    uint32_t node;             /* who shall get it in any case */
    parley_time_ms at;         /* not before */
    bool is_asked, is_delivered;
    unsigned refusals;
    uint64_t request;
};
struct sim_piece_made *piece_record(struct sim *sim, uint32_t author, struct parley_span record);
/* The entry above base; `is_signed` false: its own signature is a bad one. */
struct parley_anchor piece_entry(struct sim *sim, uint32_t log, const struct parley_anchor *base,
                                 bool is_signed);
const struct sim_piece_made *piece_of_id(const struct sim *sim, const struct parley_id *id);
/* Up to `count` made entries of one chain that end in the piece, as a chunk in `buffer`
 * (PARLEY_CHUNK_BUFFER_SIZE). */
struct parley_span piece_chunk(struct sim *sim, const struct sim_piece_made *top, size_t count,
                               bool with_bodies, uint8_t *buffer);
const struct sim_piece_made *piece_any_entry(struct sim *sim, uint32_t log);
void pieces_begin(struct sim *sim);
bool pieces_are_delivered(const struct sim *sim);
void piece_on_reply(struct sim *sim, const struct sim_request *request, enum parley_error error);
void pieces_clear(struct sim *sim);

/* --- owners.c ------------------------------------------------------------------------------ */

/* The certificate of the log's device in the owner's newest generation. */
void owner_certifies(struct sim *sim, uint32_t log);
void owner_closes(struct sim *sim, uint32_t log);
void owner_rotates(struct sim *sim, uint32_t author);
/* One thing that the owner of this node does with the root. */
void owner_acts(struct sim *sim, uint32_t node);

/* True when a thief has the generation that counts. */
bool author_is_lost(const struct sim *sim, uint32_t author);

/* --- villains.c ---------------------------------------------------------------------------- */

void villains_make(struct sim *sim);
void villains_begin(struct sim *sim);

/* --- puppet.c ------------------------------------------------------------------------------ */

#define PUPPET_ITEMS_SIZE 65536u

struct sim_puppet {
    struct sim_puppet *next;
    uint32_t node;
    size_t wire; /* SIZE_MAX: gone */
    struct parley_secret_key secret;
    struct parley_node_key key;
    struct parley_link link;
    uint8_t *in; /* bytes of the node that are not whole yet */
    size_t in_size;
    bool has_greeted;
    unsigned acts_left;
    unsigned omits; /* of ten things that it knows */
    uint32_t requests_count;
    uint64_t session, heard; /* numbers: its own newest, and the one it was told of last */
    /* As it was told of them; zero: not yet. */
    uint8_t set_hashes[SIM_AUTHORS_MAX][PARLEY_SET_HASH_SIZE];
};
/* One comes to the node, says and asks for this and that, and goes. */
void puppet_come(struct sim *sim, uint32_t node);
void puppet_receive(struct sim *sim, struct sim_puppet *puppet, struct parley_span bytes);
/* False when it is gone. */
bool puppet_send(struct sim *sim, struct sim_puppet *puppet,
                 const struct parley_wire_message *message);
/* The author's records, some, in any order. */
void puppet_send_records(struct sim *sim, struct sim_puppet *puppet, uint32_t author);
void puppet_send_heads(struct sim *sim, struct sim_puppet *puppet, uint64_t session);
/* A run that it may have been asked for; empty: it has none, or will not give it. */
struct parley_span puppet_run(struct sim *sim, struct sim_puppet *puppet, uint32_t log,
                              uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE]);

/* --- talker.c: a hostile peer that reconciles ----------------------------------------------- */

/* Answers one of RECONCILE, ASK_RUNS and ASK_HEADS_OF as it likes. */
void talker_answer(struct sim *sim, struct sim_puppet *puppet,
                   const struct parley_wire_message *message);
/* Says something of a session of its own accord. */
void talker_act(struct sim *sim, struct sim_puppet *puppet);
void puppets_clear(struct sim *sim);

/* --- nonsense.c ---------------------------------------------------------------------------- */

/* One thing of the puppet's own accord. */
void nonsense_act(struct sim *sim, struct sim_puppet *puppet);

/* --- host.c -------------------------------------------------------------------------------- */

/* What the owner was told: UNKNOWN while a change is not answered. */
enum sim_follow { FOLLOW_NEVER, FOLLOW_UNKNOWN, FOLLOW_ON, FOLLOW_OFF };

struct sim_node {
    /* what outlives the process */
    struct parley_secret_key key;
    struct parley_address address;
    bool is_relay;
    bool has_author;
    unsigned hops;
    uint32_t author;                            /* index; SIM_NOBODY without one */
    uint32_t log;                               /* index of the one it writes now */
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
    uint64_t published, acknowledged, refused;
    /* by index of the author */
    bool follows_wanted[SIM_AUTHORS_MAX];
    enum sim_follow follows[SIM_AUTHORS_MAX];
    uint64_t follow_asked[SIM_AUTHORS_MAX]; /* the newest request about it */
    bool friends_wanted[SIM_NODES_MAX];     /* whom the owner connects to by hand */
    bool friends[SIM_NODES_MAX];
};

/* What an owner asked of a node, and which of its lives was asked. */
struct sim_request {
    enum {
        REQUEST_PUBLISH,
        REQUEST_FOLLOW,
        REQUEST_CONNECT,
        REQUEST_DISCONNECT,
        REQUEST_IMPORT
    } kind;
    uint32_t node, life;
    uint32_t whom; /* an author, a node, or a piece */
    bool on;
    bool is_answered;
    parley_seq erased; /* PUBLISH: of this entry of the own log; 0: a post */
};

struct sim_config {
    uint64_t seed;
    unsigned nodes_count;
    bool is_verbose;
    bool has_villains;
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
    struct sim_author authors[SIM_AUTHORS_MAX];
    uint32_t authors_count;
    struct sim_log logs[SIM_LOGS_MAX];
    uint32_t logs_count;
    struct sim_piece_made *pieces;
    size_t pieces_count, pieces_max;
    struct sim_puppet *puppets; /* a list */
    bool has_villains, is_flooded;
    uint64_t steps_count, acknowledged, requests_count;
    struct sim_request *requests; /* [request - 1] */
    size_t requests_max;
    uint8_t *scratch; /* PARLEY_MESSAGE_BYTES_MAX and a chunk's head */
};

/* Starts the process after delay. */
void host_boot(struct sim *sim, uint32_t node, parley_time_ms delay);
size_t host_step(struct sim *sim, uint32_t node, struct parley_event *event);
void host_kill(struct sim *sim, uint32_t node);
/* Tells the core what the store holds. After stop_after things: false, without the rest. */
bool host_load(struct sim *sim, uint32_t node, uint64_t stop_after);
/* Remembers its answers. */
bool host_check_holds(const struct parley_check *check);
bool host_is_alive(const struct sim *sim, uint32_t node, uint32_t life);

/* --- people.c ------------------------------------------------------------------------------ */

void people_make(struct sim *sim);
/* Owners begin to act; once the faults have stopped they only finish what they began. */
void people_begin(struct sim *sim);
/* Every change that an owner wants was acknowledged. */
bool people_are_done(const struct sim *sim);
/* The number of a new request. */
uint64_t people_ask(struct sim *sim, struct sim_request request);
void people_on_reply(struct sim *sim, uint32_t node, const struct parley_effect *effect);
void people_clear(struct sim *sim);

/* --- faults.c ------------------------------------------------------------------------------ */

uint64_t sim_below(struct sim *sim, uint64_t bound);
bool sim_chance(struct sim *sim, unsigned one_in);
/* True when this fault happens now; counts it. */
bool fault_hits(struct sim *sim, enum sim_fault fault, unsigned one_in);
void fault_fired(struct sim *sim, enum sim_fault fault);
/* Without villains owners still close, rotate and change devices, and peers who ask for too much
 * and answer with nothing come by; but nobody signs two histories. */
bool fault_is_of(const struct sim_config *config, enum sim_fault fault);
/* Which of them this seed has. */
void faults_draw(struct sim *sim);
void faults_begin(struct sim *sim);
void faults_stop(struct sim *sim);
extern const char *const sim_fault_words[FAULTS_COUNT];
extern const char *const sim_fault_names[FAULTS_COUNT];

/* --- ledger.c ------------------------------------------------------------------------------ */

/* NULL: not known. id NULL: any of that seq. */
struct sim_known *ledger_find(struct sim_log *log, parley_seq seq, const struct parley_id *id);
/* Another disk was put in: nothing is known to be on it. */
void ledger_forget_node(struct sim *sim, uint32_t node);
struct sim_known *ledger_take(struct sim_log *log, parley_seq seq, const struct parley_id *id);

/* --- checks.c ------------------------------------------------------------------------------ */

void check_stores(struct sim *sim, uint32_t node, const struct parley_effect *effect);
void check_close(struct sim *sim, uint32_t node, const struct sim_wire *wire,
                 enum parley_error reason);
void check_log_line(struct sim *sim, uint32_t node, const struct parley_effect *effect);
/* An id of an honest author's entry was seen; two for one seq fail. */
void check_seen(struct sim *sim, uint32_t node, const struct parley_log *log, parley_seq seq,
                const struct parley_id *id);
void check_acknowledged(struct sim *sim, uint32_t node, parley_seq seq, const struct parley_id *id);
/* is_sure false: the write failed, and the disk has it or not. */
void check_durable(struct sim *sim, uint32_t node, const struct parley_store_op *op, bool is_sure);
/* The world itself hands these entries to the node. */
void check_given(struct sim *sim, uint32_t node, struct parley_span chunk);
/* A peer was shown an entry of an honest log: it is on the disk of who showed it. */
void check_shown(struct sim *sim, uint32_t node, const struct parley_log *log, parley_seq seq,
                 const struct parley_id *id);
/* What a node finds on its disk: nothing acknowledged is missing, nothing is another. */
void check_after_load(struct sim *sim, uint32_t node);
/* What the owner was told is followed, is; what is not, is not. */
void check_follows(struct sim *sim, uint32_t node);

/* --- settled.c ----------------------------------------------------------------------------- */

/* True when everything has converged; else says in `why`, empty at the first look, what has not. */
bool settled(struct sim *sim, char *why, size_t why_size);
/* That node i wants the author, and its links. */
bool settled_wants(const struct sim *sim, uint32_t node, uint32_t author);
/* That what one of them says of the author comes to the other. */
bool settled_reaches(const struct sim *sim, uint32_t from, uint32_t to, uint32_t author);

/* --- oracle.c ------------------------------------------------------------------------------ */

/* What a node says of every log of each author whom it wants is what the obvious judge says of the
 * records and headers on its disk. Digest, head, fork and policy. */
void oracle_check(struct sim *sim, uint32_t node);

/* --- disks.c ------------------------------------------------------------------------------- */

/* Every stored log from disk, chunk by chunk, through the judge. */
void disks_check(struct sim *sim);
/* What owners were told is kept, and still say themselves, is on the disk of each that wants it. */
void disks_check_words(struct sim *sim);

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
