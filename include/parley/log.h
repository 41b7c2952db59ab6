/* One device's log: chunks, the one packed form of consecutive entries, and the one judge of them.
 * SPEC 6.1 to 6.6.
 *
 * A chunk is the form on the wire, in bundles and in the store. It is decoded in place: decode
 * checks the whole form once, without hashing; the cursor then walks it and cannot fail. prev of
 * each entry is the computed id of the one before, so what was changed anywhere changes the id of
 * the top, and one signature or one known id at the top vouches for all of it.
 */
#ifndef PARLEY_LOG_H
#define PARLEY_LOG_H

#include <parley/codec.h>
#include <parley/entry.h>
#include <parley/policy.h>

/* ---- reading a chunk */

struct parley_chunk {
    struct parley_log log;
    parley_seq seq_first;
    struct parley_id prev_first; /* of the first entry */
    size_t count;                /* 1 .. PARLEY_CHUNK_ENTRIES_MAX */
    size_t bodies_count;         /* entries whose body is here */
    parley_time_ms time_first;   /* as claimed */
    parley_time_ms time_last;
    parley_time_ms time_low, time_high; /* of all */
    struct parley_span items;           /* borrowed, as bytes */
    struct parley_span bytes;
};

/* Strict and bounded; hashes nothing. About 30 ns an entry. After a fault the chunk holds what
 * parses in front of it, for words about the damage: items is NULL when the head does not. */
PARLEY_USE_RESULT struct parley_fault parley_chunk_decode(struct parley_chunk *chunk,
                                                          struct parley_span bytes);
/* The log alone, to look up who may write it before anything else is read. */
PARLEY_USE_RESULT struct parley_fault parley_chunk_peek_log(struct parley_log *log,
                                                            struct parley_span bytes);
parley_seq parley_chunk_seq_last(const struct parley_chunk *chunk);

/* What one item says by itself, with nothing hashed. */
struct parley_item {
    parley_seq seq;
    parley_time_ms time;
    uint32_t body_size;
    bool has_body;
    uint8_t version;
    struct parley_span signature; /* 64 bytes */
    struct parley_span salt;      /* 16 bytes, with has_body */
    struct parley_span body;      /* with has_body */
    struct parley_span body_hash; /* 32 bytes, without */
    struct parley_span ext;       /* empty when none */
    struct parley_span bytes;     /* the whole item */
};

/* Walks a decoded chunk upwards. */
struct parley_chunk_cursor {
    struct parley_reader reader;
    size_t left;
    parley_seq seq;      /* of the next item */
    parley_time_ms time; /* of the item before */
    struct parley_log log;
    struct parley_id prev; /* of the next entry; right only while parley_chunk_next walks */
};
void parley_chunk_start(struct parley_chunk_cursor *cursor, const struct parley_chunk *chunk);
/* False at the end. Two hashes an entry with its body, one without: about 1 us. */
bool parley_chunk_next(struct parley_chunk_cursor *cursor, struct parley_entry *entry);
/* The same without hashing, for what only reads bodies and times: about 30 ns. Use one of the two
 * on one cursor, never both. */
bool parley_chunk_next_item(struct parley_chunk_cursor *cursor, struct parley_item *item);
/* The entry seq of the chunk; false when it is not in it. Hashes up to it. */
bool parley_chunk_find(const struct parley_chunk *chunk, parley_seq seq,
                       struct parley_entry *entry);

/* ---- writing a chunk */

/* Room for the head, which is written last, right in front of the items. */
#define PARLEY_CHUNK_HEAD_MAX 96u
/* A buffer of this size takes every chunk, with that room. */
#define PARLEY_CHUNK_BUFFER_SIZE PARLEY_CHUNK_LARGEST

struct parley_chunk_writer {
    uint8_t *data;
    size_t size_max;
    size_t used; /* of data, the head's room included */
    struct parley_log log;
    parley_seq seq_first;
    struct parley_id prev_first;
    parley_time_ms time_last;
    size_t count;
};
/* data stays the caller's and must outlive what finish returns. A smaller buffer makes smaller
 * chunks. */
void parley_chunk_writer_init(struct parley_chunk_writer *writer, uint8_t *data, size_t size_max);
/* The next entry (that of seq_first + count, asserted; the first one may be any). Header and
 * signature must be filled; the id is not looked at. with_body needs entry->has_body. NO_SPACE when
 * it does not fit: then nothing changed, finish and begin the next chunk. */
PARLEY_USE_RESULT enum parley_error parley_chunk_add(struct parley_chunk_writer *writer,
                                                     const struct parley_entry *entry,
                                                     bool with_body);
/* The chunk, inside data; empty when nothing was added. */
struct parley_span parley_chunk_finish(struct parley_chunk_writer *writer);

/* The part of a chunk with from <= seq <= to (at least one entry, asserted), with the bodies that
 * are here or without any. Hashes up to `from` for its prev, copies from there on; without bodies
 * one hash for each that is dropped. Never larger than the chunk plus 48 bytes for each body
 * dropped: NO_SPACE when that leaves the bounds of a chunk or of the buffer; then slice a smaller
 * part. */
PARLEY_USE_RESULT enum parley_error parley_chunk_slice(struct parley_span *out, uint8_t *data,
                                                       size_t size_max,
                                                       const struct parley_chunk *chunk,
                                                       parley_seq from, parley_seq to,
                                                       bool with_bodies);

/* ---- the one judge, for the wire, verify, import and check */

/* Consecutive entries of one log, by their ends. */
struct parley_run {
    parley_seq lo;
    struct parley_id lo_prev; /* names lo - 1; zero when lo is 1 */
    parley_seq hi;
    struct parley_id hi_id;
    bool hi_is_signed; /* the own signature of hi was checked and holds */
};

struct parley_judged {
    struct parley_chunk chunk;
    struct parley_run run; /* hi_is_signed false: set it when the check held */
    parley_time_ms top_time;
    bool needs_check;          /* accepted only if the check holds; BAD_SIGNATURE if it does not */
    struct parley_check check; /* of the top; filled with device, needed or not */
};

/* Judges one chunk, whole. log is the one that was asked for, or that policy and device were looked
 * up by. With an anchor the top must be exactly it, and nothing else is asked; without one the log
 * must be open, the top above the policy's seq, and the top's own signature must hold
 * (needs_check). device may be NULL where anchored. A peer's fault: what decode says, BAD_ANCHOR
 * (also: of another log); BAD_SIGNATURE later. Nobody's fault: LOG_VOID, LOG_CLOSED, NOT_WANTED (at
 * or below a listed entry: such are served anchored only). out is filled as far as it was read, for
 * words about it. Cost: a hash or two of each entry. SPEC 6.5. */
PARLEY_USE_RESULT struct parley_fault
parley_judge_chunk(struct parley_judged *out, const struct parley_log *log,
                   const struct parley_policy *policy, const struct parley_device_key *device,
                   const struct parley_anchor *anchor, struct parley_span bytes);
/* The same in two steps, for who learns from the chunk's place what could be its anchor: the second
 * may be asked again with another one. */
PARLEY_USE_RESULT struct parley_fault parley_judge_read(struct parley_judged *out,
                                                        struct parley_span bytes);
PARLEY_USE_RESULT struct parley_fault parley_judge_what_was_read(
    struct parley_judged *out, const struct parley_log *log, const struct parley_policy *policy,
    const struct parley_device_key *device, const struct parley_anchor *anchor);

#endif
