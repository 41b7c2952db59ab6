/* Addresses that peers told, so that whoever tells most of them does not own what is dialled.
 *
 * As in Bitcoin's addrman (Heilman, Kendler, Zohar, Goldberg: Eclipse Attacks on Bitcoin's
 * Peer-to-Peer Network, 2015): what was only heard of is *new*, what was reached is *tried*. Each
 * has a place that a keyed hash gives: a new one by the network group of who told it and its own,
 * a tried one by its own. So one group that tells reaches few of the buckets, and an address that
 * is chosen comes from a bucket chosen first: who fills a few buckets owns the share of those. A
 * tried one gives way only after it was dialled and failed.
 *
 * Knows no peer, no clock and no disk. Nobody without the secret can tell who lies where.
 */
#ifndef PARLEY_NODE_BOOK_TABLE_H
#define PARLEY_NODE_BOOK_TABLE_H

#include <parley/address.h>
#include <parley/node_limits.h>
#include <parley/node_network.h>
#include <parley/random.h>

#define BOOK_NONE UINT32_MAX

/* A node that somebody told of. */
struct book_item {
    bool is_used, is_tried;
    bool is_changed; /* not as it is on the disk */
    bool is_busy;    /* dialled or linked: it is not dropped */
    bool is_reached; /* at a place of this very record: it may be told on */
    uint8_t place;   /* which of the record's places is dialled next */
    uint8_t failures;
    uint16_t record_size;
    struct parley_node_key key;
    parley_time_ms time; /* of the record */
    uint64_t group;      /* of the place, keyed */
    uint64_t source;     /* of who told it, keyed */
    parley_time_ms dial_at;
    uint32_t linked_s, kept_s; /* how long in all; as on the disk */
    uint8_t record[PARLEY_BOOK_RECORD_BYTES_MAX];
};

/* A tried one whose place another wants that was reached, too. */
struct book_test {
    uint32_t holder, challenger; /* BOOK_NONE: no test */
};

struct book_table {
    uint8_t secret[16];
    struct book_item items[PARLEY_BOOK_ITEMS_MAX];
    uint16_t fresh[PARLEY_BOOK_NEW_BUCKETS][PARLEY_BOOK_BUCKET_SIZE];
    uint16_t tried[PARLEY_BOOK_TRIED_BUCKETS][PARLEY_BOOK_BUCKET_SIZE];
    struct book_test tests[PARLEY_BOOK_TESTS_MAX];
    size_t count, tried_count;
    uint64_t
        marks[PARLEY_BOOK_ITEMS_MAX]; /* the start of each key, close together to look through */
};

/* table: of zeros, or one that was used. */
void book_table_init(struct book_table *table, const uint8_t secret[16]);

/* The group of a place, and of who tells at the other end of a link. */
uint64_t book_group_of_place(const struct book_table *table, const struct parley_address *address);
uint64_t book_group_of_remote(const struct book_table *table, const struct parley_remote *remote,
                              const struct parley_node_key *key);

uint32_t book_table_find(const struct book_table *table, const struct parley_node_key *key);
/* A record whose signature held. Its index; BOOK_NONE: what is there is newer, or the place is
 * taken by one that is not worse. */
uint32_t book_table_add(struct book_table *table, const struct parley_address_record *record,
                        struct parley_span bytes, uint64_t source);
/* As it was on the disk, at that index. False: its place is taken. */
PARLEY_USE_RESULT bool book_table_put(struct book_table *table, uint32_t index,
                                      const struct parley_address_record *record,
                                      struct parley_span bytes, uint64_t source, unsigned place,
                                      bool is_tried);
void book_table_drop(struct book_table *table, uint32_t index);
/* The place that is dialled next. */
void book_table_address(const struct book_table *table, uint32_t index,
                        struct parley_address *address);

/* It was reached at that place. */
void book_table_reached(struct book_table *table, uint32_t index);
/* It was not. */
void book_table_failed(struct book_table *table, uint32_t index);
/* A tried one to dial because another wants its place; BOOK_NONE. */
uint32_t book_table_test(const struct book_table *table);

/* One of those that may be chosen: a bucket first, then one of its items; BOOK_NONE: there is none.
 */
typedef bool book_may(const void *context, const struct book_item *item);
uint32_t book_table_choose(const struct book_table *table, bool is_tried,
                           struct parley_random *random, book_may *may, const void *context);

/* Of those that may be chosen the one that was linked for longest in all: who wants to be that must
 * first be a good peer for as long. */
uint32_t book_table_longest(const struct book_table *table, book_may *may, const void *context);
/* It was linked for so much longer. */
void book_table_linked(struct book_table *table, uint32_t index, uint32_t seconds);

/* Recomputes what is kept incrementally; aborts on a difference. */
void book_table_check(const struct book_table *table);

#endif
