/* A segment: consecutive entries of one log as one value (layout.h), read in place and written one
 * entry at a time.
 */
#ifndef PARLEY_STORE_SEGMENT_H
#define PARLEY_STORE_SEGMENT_H

#include "batch.h"
#include <parley/codec.h>

/* Each entry with a time of its own: 1 + 9 bytes for each, and the array's head. */
#define SEGMENT_TIMES_SIZE_MAX (5u + 12u * PARLEY_CHUNK_ENTRIES_MAX)
#define SEGMENT_SIZE_MAX       (SEGMENT_TIMES_SIZE_MAX + PARLEY_CHUNK_BUFFER_SIZE)
/* Below these a segment waits to be joined with its neighbours. A small one is a few posts, a
 * medium one a few dozen; beyond that LevelDB gains nothing from larger values. */
#define SEGMENT_SMALL_SIZE  (3u * 1024u)
#define SEGMENT_MEDIUM_SIZE (24u * 1024u)

struct segment {
    struct parley_span bytes;
    struct parley_span times; /* the array's elements */
    struct parley_chunk chunk;
};

/* STORE_DAMAGED when the bytes are not a segment. About 30 ns an entry. */
PARLEY_USE_RESULT enum parley_error segment_decode(struct segment *segment,
                                                   struct parley_span bytes);
/* The same, and that it is the segment of that log which its row's key names: what reads joins
 * segments, and must not join those of two logs or places. */
PARLEY_USE_RESULT enum parley_error segment_decode_row(struct segment *segment,
                                                       const struct parley_log *log,
                                                       parley_seq seq_first,
                                                       struct parley_span bytes);
static inline parley_seq segment_key_seq(struct parley_span key) {
    return parley_get_u48(key.data + key.size - 6);
}
static inline parley_seq segment_seq_last(const struct segment *segment) {
    return parley_chunk_seq_last(&segment->chunk);
}

/* Walks a segment upwards, as a chunk's cursor with the time at which each entry came. */
struct segment_cursor {
    struct parley_chunk_cursor chunk;
    struct parley_reader times;
    uint64_t left; /* entries of that time to come */
    parley_time_ms received_ms;
};
void segment_start(struct segment_cursor *cursor, const struct segment *segment);
bool segment_next(struct segment_cursor *cursor, struct parley_entry *entry);
bool segment_next_item(struct segment_cursor *cursor, struct parley_item *item);

static inline parley_time_ms effective_time(parley_time_ms claimed, parley_time_ms received) {
    return claimed < received ? claimed : received;
}

/* What follows counts in row->held.bytes what it puts and drops, but for segment_put_timeline, and
 * notes the newest time. */
/* Puts a chunk as it came, all received at one time, with its rows of the timeline. */
void segment_put_chunk(struct batch *batch, struct log_row *row, const struct parley_chunk *chunk,
                       parley_time_ms received_ms);
/* The rows of the timeline of a segment that is there. */
void segment_put_timeline(struct batch *batch, struct log_row *row, const struct segment *segment);
/* What those rows say. */
void segment_timeline_row(struct timeline_row *row, uint32_t log_number,
                          const struct segment *segment);
/* Drops a segment with its rows. segment->bytes is what is there. */
void segment_drop(struct batch *batch, struct log_row *row, const struct segment *segment);

/* The segment that holds seq, or else the next one above; false when there is none up to seq_high,
 * or an error stands in the batch. It stays until the next is looked for. */
bool segment_find(struct batch *batch, uint32_t log_number, parley_seq seq, parley_seq seq_high,
                  struct segment *segment);

/* Walks upwards over the segments of a log that have entries *seq .. seq_high: begin with the
 * lowest seq; it moves on behind each. False at the end, or when an error stands in the batch. The
 * segment at hand may be dropped and written anew. */
bool segment_walk(struct batch *batch, uint32_t log_number, parley_seq *seq, parley_seq seq_high,
                  struct segment *segment);

/* Entries one by one into as many segments as they need. */
struct segment_writer {
    struct batch *batch;
    struct log_row *row;
    uint8_t *buffer; /* PARLEY_CHUNK_BUFFER_SIZE, of the batch */
    struct parley_chunk_writer chunk;
    struct {
        uint32_t count;
        parley_time_ms received_ms;
    } times[PARLEY_CHUNK_ENTRIES_MAX];
    size_t times_count;
    parley_time_ms time_newest;
    parley_time_ms time_oldest;
    uint64_t entries_count; /* over all segments written */
    uint64_t bodies_count;
};
/* The writer is large: keep it in the store, not on a stack. */
void segment_writer_init(struct segment_writer *writer, struct batch *batch, struct log_row *row);
/* Consecutive entries; a new segment begins by itself where one is full. */
void segment_writer_add(struct segment_writer *writer, const struct parley_entry *entry,
                        bool with_body, parley_time_ms received_ms);
/* The segment's entries as they are, but for those low .. high. */
void segment_writer_add_outside(struct segment_writer *writer, const struct segment *segment,
                                parley_seq low, parley_seq high);
/* Puts what waits. The next entry added may then have any seq. */
void segment_writer_flush(struct segment_writer *writer);

#endif
