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

#define PARLEY_WIRE_VERSION     1u
#define PARLEY_WIRE_RELAY       (UINT64_C(1) << 0) /* feature: carries for strangers */
#define PARLEY_WIRE_SERVES_RUNS (UINT64_C(1) << 1) /* feature: answers asks */
#define PARLEY_WIRE_TREE        (UINT64_C(1) << 3) /* feature: prunes and grafts */
#define PARLEY_WIRE_ADDRESSING  (UINT64_C(1) << 4) /* feature: takes and gives addresses */
#define PARLEY_SET_HASH_SIZE    16u                /* an identity set's hash, shortened */
#define PARLEY_WIRE_REQUEST_MAX UINT32_MAX         /* request and session numbers */

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
    PARLEY_WIRE_ASK_BODIES = 14,
    PARLEY_WIRE_BODIES = 16,
    PARLEY_WIRE_PUSH = 18,
    PARLEY_WIRE_ANNOUNCE = 20,
    PARLEY_WIRE_ASK_IDENTITY = 22,
    PARLEY_WIRE_IDENTITY = 24,
    PARLEY_WIRE_EVIDENCE = 26,
    PARLEY_WIRE_ASK_HEADS = 28,
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
    unsigned bucket;       /* of logs: below PARLEY_GOSSIP_BUCKETS */
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

/* Writes one element. */
void parley_wire_put_author(struct parley_writer *writer, const struct parley_author *author);
void parley_wire_put_author_heads(struct parley_writer *writer,
                                  const struct parley_wire_author_heads *heads);
void parley_wire_put_head(struct parley_writer *writer, const struct parley_wire_head *head);
void parley_wire_put_body(struct parley_writer *writer, const struct parley_wire_body *body);
void parley_wire_put_place(struct parley_writer *writer, const struct parley_wire_place *place);
void parley_wire_put_record(struct parley_writer *writer, struct parley_span record);
void parley_wire_put_address(struct parley_writer *writer, struct parley_span record);

#endif
