/* Range-based set reconciliation: two nodes find out in which logs they differ, at a cost that goes
 * by how many differ. SPEC 11.
 *
 * Each side has a set of items, one for a log. An item has a place in a key space of 64 bits, its
 * log hashed under the session's key, and a state of 128 bits, all that is compared hashed under
 * the same key. The fingerprint of a range (all places that begin with some bits) is the sum of the
 * states in it, modulo 2^128. Ranges whose fingerprints differ are split in eight or listed in
 * short, until both sides know what differs. The key comes from the link's handshake and a number,
 * so neither side chooses it alone, and places are uniform for everybody: ranges need no bounds.
 *
 * A set is built once and then asked; it owns no memory but what it was given. After Meyer,
 * "Range-Based Set Reconciliation" (SRDS 2023), with prefixes in the place of bounds.
 */
#ifndef PARLEY_RECONCILE_H
#define PARLEY_RECONCILE_H

#include <parley/bytes.h>
#include <parley/link.h>
#include <parley/wire.h>

#define PARLEY_RECONCILE_KEY_SIZE 16u

/* A range with at most so many items is listed, not split: each side's own choice. Where 100 of
 * 1,000 and 100 of 100,000 differ a session takes 6,200 and 36,100 bytes with 24, 5,900 and 33,300
 * with 40, which is a turn less. Splitting in four instead of eight would take 7,000 and 30,800, in
 * one and two turns more. */
#ifndef PARLEY_RECONCILE_LEAF /* a fuzz target's is small: a few items are split as many are */
#define PARLEY_RECONCILE_LEAF 40u
#endif

struct parley_reconcile_sum {
    uint64_t high, low; /* of 128 bits */
};

/* Inside; here so that the caller can give memory for it: 48 bytes an item. */
struct parley_reconcile_item {
    uint64_t place;
    struct parley_reconcile_sum state;
    uint64_t seq_and_set; /* six bytes and one */
    uint32_t mark;
    uint32_t next; /* in its bucket, places ascending; UINT32_MAX: none */
};
struct parley_reconcile_bucket { /* items whose places begin with the same bits */
    struct parley_reconcile_sum sum;
    uint32_t count, first;
};

struct parley_reconcile {
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE]; /* of the session; secret to outsiders only */
    struct parley_reconcile_item *items;
    struct parley_reconcile_bucket *buckets; /* 2 to the power of bucket_bits */
    unsigned bucket_bits;
    uint32_t items_max, count;
    uint32_t room;        /* for items that are not known here: so many more are asked for */
    uint32_t differences; /* seen so far: what is listed there and not here, or the reverse */
};

/* Buckets that a set for so many items takes: a power of two, about an eighth as many. */
uint32_t parley_reconcile_buckets_for(uint32_t items_max);

/* The key of a session of a link. */
void parley_reconcile_key(uint8_t key[PARLEY_RECONCILE_KEY_SIZE], const struct parley_link *link,
                          uint64_t session);
/* An empty set for items_max items; buckets holds parley_reconcile_buckets_for(items_max). */
void parley_reconcile_init(struct parley_reconcile *set,
                           const uint8_t key[PARLEY_RECONCILE_KEY_SIZE],
                           struct parley_reconcile_item *items,
                           struct parley_reconcile_bucket *buckets, uint32_t items_max);

/* What of a log is compared. */
struct parley_reconcile_log {
    uint8_t name[32]; /* of the log; of the author where it has none */
    parley_seq seq;   /* of the head, or 0 */
    struct parley_id id;
    parley_seq forked_seq;
    uint8_t set_hash[PARLEY_SET_HASH_SIZE]; /* of the author's identity records */
};
/* mark is the caller's, to find it again. False: the set is full. About 0.3 us. */
bool parley_reconcile_add(struct parley_reconcile *set, const struct parley_reconcile_log *log,
                          uint32_t mark);
/* Where an item of that name has its place. */
uint64_t parley_reconcile_place(const uint8_t key[PARLEY_RECONCILE_KEY_SIZE],
                                const uint8_t name[32]);
/* The item there, or NULL when there is none, or more than one. */
const struct parley_reconcile_item *parley_reconcile_find(const struct parley_reconcile *set,
                                                          uint64_t place);
parley_seq parley_reconcile_seq(const struct parley_reconcile_item *item);

/* Items of a range, places ascending. path: a one, and then the bits that they begin with. */
struct parley_reconcile_cursor {
    const struct parley_reconcile *set;
    uint64_t path;
    uint32_t bucket, bucket_end, item;
};
void parley_reconcile_start(struct parley_reconcile_cursor *cursor,
                            const struct parley_reconcile *set, uint64_t path);
struct parley_reconcile_item *parley_reconcile_next(struct parley_reconcile_cursor *cursor);
/* How many, and their fingerprint. Cost: by the buckets in it. */
uint32_t parley_reconcile_sum_of(struct parley_reconcile_sum *sum,
                                 const struct parley_reconcile *set, uint64_t path);

/* What an exchange found out of one item that is here. */
enum parley_reconcile_finding {
    PARLEY_RECONCILE_ABSENT, /* they lack it: tell it whole */
    PARLEY_RECONCILE_ASKED,  /* they ask for it whole */
    PARLEY_RECONCILE_ABOVE,  /* their head is at seq, above ours */
    PARLEY_RECONCILE_OTHER,  /* what they have is neither above nor below: both tell it whole */
};
struct parley_reconcile_found {
    enum parley_reconcile_finding finding;
    struct parley_reconcile_item *item;
    parley_seq seq; /* ABOVE, OTHER: theirs */
    uint8_t set;    /* OTHER: the first byte of theirs */
};
/* For OTHER: whether to go on with it; false when it was told before and nothing has changed. */
typedef bool parley_reconcile_on_found(void *context, const struct parley_reconcile_found *found);

/* Where answers go: ranges one after another. Each call below adds at most
 * PARLEY_RECONCILE_ANSWER_MAX bytes and eight ranges. */
#define PARLEY_RECONCILE_ANSWER_MAX 2304u
struct parley_reconcile_out {
    struct parley_writer writer;
    size_t count;
    bool is_answered; /* one of them asks for an answer */
};

/* The first range of a session: of all that is here. */
void parley_reconcile_open(struct parley_reconcile *set, struct parley_reconcile_out *out);
/* Answers one range of a decoded message, if there is anything to say. */
void parley_reconcile_answer(struct parley_reconcile *set, struct parley_reconcile_out *out,
                             const struct parley_wire_range *range,
                             parley_reconcile_on_found *on_found, void *context);

#endif
