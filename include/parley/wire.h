/* The messages between two nodes: one struct each, written and read strictly. SPEC 9.
 *
 * A message is an array that begins with its type. Even types must be understood, odd ones that
 * are not known are ignored. Decoding checks the whole message, lists included, before it answers
 * OK, so walking a list afterwards cannot fail; spans point into the message. Lists are written
 * with the put functions into a buffer of the caller's first and then placed as a whole: who fills
 * one by bytes need not know the count beforehand.
 */
#ifndef PARLEY_WIRE_H
#define PARLEY_WIRE_H

#include <parley/bytes.h>
#include <parley/codec.h>
#include <parley/error.h>
#include <parley/limits.h>

#define PARLEY_WIRE_VERSION       1u
#define PARLEY_WIRE_RELAY         (UINT64_C(1) << 0) /* feature: carries for strangers */
#define PARLEY_WIRE_SERVES_RUNS   (UINT64_C(1) << 1) /* feature: answers asks */
#define PARLEY_WIRE_TREE          (UINT64_C(1) << 3) /* feature: prunes and grafts */
#define PARLEY_WIRE_ADDRESSING    (UINT64_C(1) << 4) /* feature: takes and gives addresses */
#define PARLEY_WIRE_RECONCILES    (UINT64_C(1) << 2) /* feature: SPEC 11 */
#define PARLEY_SET_HASH_SIZE      16u                /* an identity set's hash, shortened */
#define PARLEY_INVITE_SECRET_SIZE 16u
#define PARLEY_INVITE_ID_SIZE     16u
#define PARLEY_WIRE_REQUEST_MAX   UINT32_MAX /* request and session numbers */

enum parley_wire_type {
    PARLEY_WIRE_HELLO = 0,
    PARLEY_WIRE_PING = 1,
    PARLEY_WIRE_GOODBYE = 2,
    PARLEY_WIRE_PONG = 3,
    PARLEY_WIRE_INTEREST = 4,
    PARLEY_WIRE_ADDRESSES = 5,
    PARLEY_WIRE_INTEREST_CHANGE = 6,
    PARLEY_WIRE_PRUNE = 7,
    PARLEY_WIRE_HEADS = 8,
    PARLEY_WIRE_GRAFT = 9,
    PARLEY_WIRE_ASK_RUN = 10,
    PARLEY_WIRE_SHUFFLE = 11,
    PARLEY_WIRE_RUN = 12,
    PARLEY_WIRE_INVITE = 13,
    PARLEY_WIRE_ASK_BODIES = 14,
    PARLEY_WIRE_WELCOME = 15,
    PARLEY_WIRE_BODIES = 16,
    PARLEY_WIRE_PUSH = 18,
    PARLEY_WIRE_ANNOUNCE = 20,
    PARLEY_WIRE_ASK_IDENTITY = 22,
    PARLEY_WIRE_IDENTITY = 24,
    PARLEY_WIRE_EVIDENCE = 26,
    PARLEY_WIRE_ASK_HEADS = 28,
    PARLEY_WIRE_RECONCILE = 30,
    PARLEY_WIRE_ASK_HEADS_OF = 32,
    PARLEY_WIRE_ASK_RUNS = 34,
    PARLEY_WIRE_RUNS = 36,
    PARLEY_WIRE_IGNORED = 127, /* an odd type that is not known: nothing to do */
};

enum parley_goodbye {
    PARLEY_GOODBYE_STOPPING = 0,  /* the node stops, or its owner disconnects */
    PARLEY_GOODBYE_FAULT = 1,     /* the peer sent what it may not */
    PARLEY_GOODBYE_BUDGET = 2,    /* the peer exceeded a budget */
    PARLEY_GOODBYE_VERSION = 3,   /* no common version */
    PARLEY_GOODBYE_FULL = 4,      /* no place for another peer */
    PARLEY_GOODBYE_DUPLICATE = 5, /* another link of the same two nodes stays */
    PARLEY_GOODBYE_IDLE = 6,      /* nothing came for too long */
};

enum parley_invite_verdict {
    PARLEY_INVITE_WELCOME = 0, /* the author is followed */
    PARLEY_INVITE_USED = 1,    /* by another author */
    PARLEY_INVITE_EXPIRED = 2,
    PARLEY_INVITE_UNKNOWN = 3, /* none of this node's, or not of use to that author */
};

enum parley_interest_mode {
    PARLEY_INTEREST_NOTHING = 0,
    PARLEY_INTEREST_EVERYTHING = 1,
    PARLEY_INTEREST_AUTHORS = 2,
};

enum parley_run_kind {
    PARLEY_RUN_FROM_HEAD = 0,
    PARLEY_RUN_ANCHORED = 1,
};

/* Elements one after another, each canonical, and how many. Walk with next, build with put. */
struct parley_wire_list {
    struct parley_span bytes;
    size_t count;
};
/* A list of what was written so far; the writer must not have overflowed. */
struct parley_wire_list parley_wire_list_of(const struct parley_writer *writer, size_t count);

struct parley_wire_hello {
    uint64_t version; /* 1..65,535: the newest that the sender speaks */
    uint64_t features;
    struct parley_node_key node_key;
};
struct parley_wire_goodbye {
    uint64_t reason; /* enum parley_goodbye, or one that is not known here */
};
struct parley_wire_ping { /* and pong */
    uint64_t token;
};
struct parley_wire_interest {
    enum parley_interest_mode mode;
    struct parley_wire_list authors; /* empty unless the mode is AUTHORS */
};
struct parley_wire_interest_change {
    struct parley_wire_list added;
    struct parley_wire_list removed;
};
/* One log in heads. Seq 0: no good entry is known, id is zero. forked_seq: 0, or above seq. low_seq
 * is the lowest entry held unbroken from the head down, or 0 when the head itself is not held. */
struct parley_wire_head {
    struct parley_log log;
    parley_seq seq;
    struct parley_id id;
    parley_seq forked_seq;
    parley_seq low_seq;
};
struct parley_wire_author_heads {
    struct parley_author author;
    uint8_t set_hash[PARLEY_SET_HASH_SIZE];
    struct parley_wire_list heads; /* of struct parley_wire_head */
};
struct parley_wire_heads {
    uint64_t session;
    bool last;
    struct parley_wire_list authors; /* of struct parley_wire_author_heads */
};
/* In heads: they follow the identity records that were asked for. Other numbers mean what 0 does.
 */
#define PARLEY_HEADS_AFTER_RECORDS 1u
#define PARLEY_HEADS_ALL           0u /* in ask heads: of everything wanted */
#define PARLEY_HEADS_CHANGES       1u /* only of what changed since the link told it last */
struct parley_wire_ask_heads {
    uint64_t session;
};
struct parley_wire_ask_run {
    uint64_t request;
    struct parley_log log;
    enum parley_run_kind kind;
    parley_seq top_seq; /* FROM_HEAD: 0, and the id zero */
    struct parley_id top_id;
    parley_seq down_seq; /* entries above this one; below top_seq when ANCHORED */
    bool bodies;
    uint64_t bytes_max; /* 1..2^32-1: of all chunks together; the first one comes in any case */
};
struct parley_wire_run {
    uint64_t request;
    bool last;
    struct parley_span chunk; /* empty only when last */
};
struct parley_wire_ask_bodies {
    uint64_t request;
    struct parley_log log;
    parley_seq top_seq;
    struct parley_id top_id; /* bodies are of what it commits to */
    parley_seq low_seq;      /* both included; at most PARLEY_CHUNK_ENTRIES_MAX entries */
};
struct parley_wire_body {
    parley_seq seq;
    struct parley_salt salt;
    struct parley_span body;
};
struct parley_wire_bodies {
    uint64_t request;
    bool last;
    struct parley_log log;
    struct parley_wire_list bodies; /* of struct parley_wire_body, ascending; empty only if last */
};
struct parley_wire_push {
    struct parley_span chunk;
};
struct parley_wire_place {
    struct parley_log log;
    parley_seq seq;
    struct parley_id id;
};
struct parley_wire_announce {
    struct parley_wire_list places; /* of struct parley_wire_place */
};
struct parley_wire_prune { /* and graft */
    uint64_t buckets;      /* of logs: a bit each, at least one */
};
struct parley_wire_ask_identity {
    struct parley_wire_list authors;
};
struct parley_wire_identity {
    struct parley_wire_list records; /* of spans */
};
struct parley_wire_evidence {
    struct parley_log log;
    struct parley_span chunk;
};
struct parley_wire_addresses {
    struct parley_wire_list records; /* of spans: address records */
};
struct parley_wire_shuffle {
    struct parley_wire_list records; /* likewise */
    struct parley_span padding;      /* makes the question worth its answer; nothing reads it */
};

struct parley_wire_invite {
    uint8_t secret[PARLEY_INVITE_SECRET_SIZE];
    struct parley_author author;
    struct parley_span place; /* text; empty: none is told */
};
struct parley_wire_welcome {
    uint8_t id[PARLEY_INVITE_ID_SIZE]; /* of the secret, SPEC 9.12.2 */
    uint64_t verdict;                  /* enum parley_invite_verdict, or one not known here */
};

/* One range of the key space of a session, in one of four forms. SPEC 11.4. */
enum parley_range_form {
    PARLEY_RANGE_SPLIT = 0,  /* fingerprints of its eighths */
    PARLEY_RANGE_LIST = 1,   /* its items, shortened */
    PARLEY_RANGE_DIFFER = 2, /* answers a list: what of it is not here, and what is here instead */
    PARLEY_RANGE_MORE = 3,   /* answers that: what of it to tell whole, and where there is more */
};
struct parley_wire_range {
    uint64_t path; /* a one, and then the bits that all its keys begin with */
    enum parley_range_form form;
    uint8_t children;              /* SPLIT: which are not empty, the first in the lowest bit */
    struct parley_span bytes;      /* SPLIT: 16 for each; LIST: 4 for each item */
    struct parley_wire_list lacks; /* DIFFER, MORE: of indexes, 0..127, ascending */
    struct parley_wire_list items; /* of struct parley_wire_item, by index */
};
/* Of a DIFFER; a MORE has neither tag nor set. */
struct parley_wire_item {
    uint8_t index;  /* which it is in the range, of who has it */
    uint32_t tag;   /* the low half of its key: most of what the path does not say */
    parley_seq seq; /* 0, of a DIFFER: not to be compared so */
    uint8_t set;    /* the first byte of the hash of its identity set */
};
struct parley_wire_reconcile {
    uint64_t session;
    bool last;                      /* of this turn */
    bool again;                     /* what was told before on this link counts as not told */
    struct parley_wire_list ranges; /* of struct parley_wire_range, in the order of the keys */
};
struct parley_wire_ask_heads_of {
    struct parley_wire_list logs;
};
struct parley_wire_ask_small {
    uint64_t request;
    uint64_t place; /* the log's key in the session */
    parley_seq down_seq;
};
struct parley_wire_ask_runs {
    uint64_t session;
    struct parley_wire_list asks; /* of struct parley_wire_ask_small */
};
struct parley_wire_runs {
    struct parley_wire_list runs; /* of struct parley_wire_run */
};

struct parley_wire_message {
    enum parley_wire_type type;
    union {
        struct parley_wire_hello hello;
        struct parley_wire_goodbye goodbye;
        struct parley_wire_ping ping;
        struct parley_wire_ping pong;
        struct parley_wire_interest interest;
        struct parley_wire_interest_change interest_change;
        struct parley_wire_heads heads;
        struct parley_wire_ask_heads ask_heads;
        struct parley_wire_ask_run ask_run;
        struct parley_wire_run run;
        struct parley_wire_ask_bodies ask_bodies;
        struct parley_wire_bodies bodies;
        struct parley_wire_push push;
        struct parley_wire_announce announce;
        struct parley_wire_prune prune;
        struct parley_wire_prune graft;
        struct parley_wire_ask_identity ask_identity;
        struct parley_wire_identity identity;
        struct parley_wire_evidence evidence;
        struct parley_wire_addresses addresses;
        struct parley_wire_shuffle shuffle;
        struct parley_wire_invite invite;
        struct parley_wire_welcome welcome;
        struct parley_wire_reconcile reconcile;
        struct parley_wire_ask_heads_of ask_heads_of;
        struct parley_wire_ask_runs ask_runs;
        struct parley_wire_runs runs;
    } as;
};

/* The type alone, without judging the rest. Errors: those of the reader. */
PARLEY_USE_RESULT struct parley_fault parley_wire_type(uint64_t *type, struct parley_span bytes);
/* Errors: BAD_MESSAGE for an even type that is not known; those of the reader; OUT_OF_RANGE where
 * fields contradict each other. After a fault the message is not to be used. */
PARLEY_USE_RESULT struct parley_fault parley_wire_decode(struct parley_wire_message *message,
                                                         struct parley_span bytes);
/* The caller keeps to the bounds that decode checks: what it writes must decode. The writer
 * overflows when the message does not fit. */
void parley_wire_encode(struct parley_writer *writer, const struct parley_wire_message *message);

/* The next element of a decoded list, false at its end; the list is shortened by it. */
bool parley_wire_next_author(struct parley_wire_list *list, struct parley_author *author);
bool parley_wire_next_author_heads(struct parley_wire_list *list,
                                   struct parley_wire_author_heads *heads);
bool parley_wire_next_head(struct parley_wire_list *list, struct parley_wire_head *head);
bool parley_wire_next_body(struct parley_wire_list *list, struct parley_wire_body *body);
bool parley_wire_next_place(struct parley_wire_list *list, struct parley_wire_place *place);
bool parley_wire_next_record(struct parley_wire_list *list, struct parley_span *record);
bool parley_wire_next_address(struct parley_wire_list *list, struct parley_span *record);
bool parley_wire_next_log(struct parley_wire_list *list, struct parley_log *log);
bool parley_wire_next_range(struct parley_wire_list *list, struct parley_wire_range *range);
bool parley_wire_next_index(struct parley_wire_list *list, uint8_t *index);
/* Of the items of a range in that form. */
bool parley_wire_next_item(struct parley_wire_list *list, enum parley_range_form form,
                           struct parley_wire_item *item);
bool parley_wire_next_ask_small(struct parley_wire_list *list, struct parley_wire_ask_small *ask);
bool parley_wire_next_run(struct parley_wire_list *list, struct parley_wire_run *run);

/* Writes one element. */
void parley_wire_put_author(struct parley_writer *writer, const struct parley_author *author);
void parley_wire_put_author_heads(struct parley_writer *writer,
                                  const struct parley_wire_author_heads *heads);
void parley_wire_put_head(struct parley_writer *writer, const struct parley_wire_head *head);
void parley_wire_put_body(struct parley_writer *writer, const struct parley_wire_body *body);
void parley_wire_put_place(struct parley_writer *writer, const struct parley_wire_place *place);
void parley_wire_put_record(struct parley_writer *writer, struct parley_span record);
void parley_wire_put_address(struct parley_writer *writer, struct parley_span record);
void parley_wire_put_log(struct parley_writer *writer, const struct parley_log *log);
void parley_wire_put_range(struct parley_writer *writer, const struct parley_wire_range *range);
void parley_wire_put_index(struct parley_writer *writer, uint8_t index);
void parley_wire_put_item(struct parley_writer *writer, enum parley_range_form form,
                          const struct parley_wire_item *item);
void parley_wire_put_ask_small(struct parley_writer *writer,
                               const struct parley_wire_ask_small *ask);
void parley_wire_put_run(struct parley_writer *writer, const struct parley_wire_run *run);

#endif
