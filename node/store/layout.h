/* How a store lies in the key-value engine. Private to a node, versioned by the row "V"; a store of
 * another version is refused.
 *
 * Numbers in keys are big endian, so that the order of bytes is theirs. A log and an author have a
 * number of their own (u32, given here, never given twice), which keeps keys short.
 *
 *   V                                      layout version u32, next free number u32
 *   C                                      how many commits have changed the store u64
 *   R                                      stands while indexes are made anew
 *   l  log 32                              log row: number, author, device, ranges, counts, fork
 *   i  log number                          log 32
 *   a  author 32                           author number
 *   s  log number, first seq u48           segment
 *   t  author number | 0, time u64,        the time of its oldest entry u64
 *      log number, first seq u48
 *   e  log number, index u8                evidence: a chunk
 *   x  log number                          erased seqs: pairs of u48, ascending, not touching
 *   b  log 32, seq u48, kind u8,           an entry says something of (log, seq), held or not:
 *      author number | 0, time u64,        the first 8 bytes of the id that it names, a vote's i8
 *      log number, seq u48
 *   p  author number, time u64,            a profile
 *      log number, seq u48
 *   h  log number, seq u48, seq u48        an entry of the log, and one above that erases it: the
 *                                          id that is named
 *   d  log number, time u64, seq u48       an erasure whose bytes are still to go, by its arrival
 *   r  author 32, kind u8, hash 32         identity record: rotation, closings, certificates
 *   m  key                                 value of a meta row
 *
 * A segment is a stretch of consecutive entries of one log: a msgpack array of integers (how many
 * entries came at which time: count, time as difference to the one before, ...), and then the
 * chunk, bit for bit as it came or as the wire would carry it. Measured on 2 million posts: one
 * value for each entry takes 165,000 puts/s and 234 bytes a post where segments take 303,000 and
 * 217; Snappy saves 13 % of them and costs 40 % of puts and of reads, for hashes and signatures do
 * not compress: it is off.
 *
 * A live post comes alone. It is a small segment; when small ones gather at the end of a log to a
 * medium one's size they become one, and medium ones a large one, so that each entry is written
 * three times at most.
 *
 * The timeline has a row for each segment, not for each entry: by the time of its newest entry,
 * min(claimed, received), once under author number 0 for all and once under its author's. Rows i,
 * a, t, b, p, h, d, and in l the ranges and counts follow from segments: parley_store_rebuild makes
 * them anew. Of these b, p, h and d are made by index.c; the author number in b is that of a vote's
 * author, so that the newest vote of each stands last of theirs.
 */
#ifndef PARLEY_STORE_LAYOUT_H
#define PARLEY_STORE_LAYOUT_H

#include <parley/store.h>

/* Version 1 had no rows b, p, h, d, version 2 did not know where bodies lack, and version 3 not how
 * many bytes a log takes: a store of them gets these when it is opened. */
#define LAYOUT_VERSION     4u
#define LAYOUT_VERSION_OLD 1u

#define META_KEY_SIZE_MAX 255u

struct key {
    uint8_t bytes[1 + META_KEY_SIZE_MAX];
    size_t size;
};

static inline struct parley_span key_span(const struct key *key) {
    return PARLEY_SPAN(key->bytes, key->size);
}

void key_version(struct key *key);
void key_log(struct key *key, const struct parley_log *log);
void key_log_name(struct key *key, uint32_t log_number);
void key_author(struct key *key, const struct parley_author *author);
void key_segment(struct key *key, uint32_t log_number, parley_seq seq_first);
void key_timeline(struct key *key, uint32_t author_number, parley_time_ms time, uint32_t log_number,
                  parley_seq seq_first);
void key_evidence(struct key *key, uint32_t log_number, uint8_t index);
void key_erased(struct key *key, uint32_t log_number);
/* All that is said of an entry in one way, and one such row. */
void key_links(struct key *key, const struct parley_log *log, parley_seq seq, uint8_t kind);
void key_link(struct key *key, const struct parley_log *log, parley_seq seq, uint8_t kind,
              uint32_t group, parley_time_ms time, uint32_t from_number, parley_seq from_seq);
#define LINK_KEY_SIZE   (1u + 32u + 6u + 1u + 4u + 8u + 4u + 6u)
#define LINK_VALUE_SIZE 9u
void key_profile(struct key *key, uint32_t author_number, parley_time_ms time, uint32_t log_number,
                 parley_seq seq);
#define PROFILE_KEY_SIZE (1u + 4u + 8u + 4u + 6u)
/* All erasures of an entry, and one. */
void key_erasures(struct key *key, uint32_t log_number, parley_seq seq);
void key_erasure(struct key *key, uint32_t log_number, parley_seq seq, parley_seq erasing);
#define ERASURE_KEY_SIZE (1u + 4u + 6u + 6u)
void key_pending(struct key *key, uint32_t log_number, parley_time_ms received_ms,
                 parley_seq erasing);
#define PENDING_KEY_SIZE (1u + 4u + 8u + 6u)
void key_record(struct key *key, const struct parley_author *author, uint8_t kind,
                struct parley_span hash);
/* False when the name is longer than META_KEY_SIZE_MAX. */
bool key_meta(struct key *key, struct parley_span name);
/* All keys that begin with one letter, and those of one letter and number. */
void key_letter(struct key *key, char letter);
void key_letter_number(struct key *key, char letter, uint32_t number);
void key_records(struct key *key, const struct parley_author *author);
/* The first key after all that begin with this one; for use as an upper bound. */
void key_after(struct key *key, const struct key *prefix);

/* What the row l says. */
struct log_row {
    struct parley_store_log held;
    uint32_t number; /* 0: has no row yet */
    uint32_t author_number;
    uint8_t evidence_count;
    bool has_erased;
    bool is_purged; /* some of what was erased, the owner purged */
    /* Bytes of the small and of the medium segments at the end, to know when to join them; a wrong
     * value costs speed only. */
    uint32_t tail_small;
    uint32_t tail_medium;
};

#define LOG_ROW_SIZE_MAX (160u + PARLEY_RANGES_PACKED_MAX)
size_t log_row_encode(uint8_t out[LOG_ROW_SIZE_MAX], const struct log_row *row);
/* STORE_DAMAGED when the bytes are not a log row. */
PARLEY_USE_RESULT enum parley_error
log_row_decode(struct log_row *row, const struct parley_log *log, struct parley_span bytes);
/* A log of which nothing is kept but its number and what was erased. */
bool log_row_is_empty(const struct log_row *row);

#define TIMELINE_KEY_SIZE (1u + 4u + 8u + 4u + 6u)
struct timeline_row {
    parley_time_ms time_newest;
    parley_time_ms time_oldest;
    uint32_t log_number;
    parley_seq seq_first;
};
PARLEY_USE_RESULT enum parley_error
timeline_row_decode(struct timeline_row *row, struct parley_span key, struct parley_span value);

#endif
