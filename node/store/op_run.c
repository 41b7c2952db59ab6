/* A chunk comes in: at the head, below a held range, or as a new top. */
#include "internal.h"
#include <assert.h>

/* Ids for the ranges' questions: of the chunk being added, or of what is held. */
struct ids {
    struct batch *batch;
    const struct log_row *row;
    const struct parley_chunk *chunk;
};

bool held_id(struct batch *batch, const struct log_row *row, parley_seq seq, struct parley_id *id) {
    struct segment segment;
    struct parley_entry entry;
    if (!segment_find(batch, row->number, seq, seq, &segment) ||
        !parley_chunk_find(&segment.chunk, seq, &entry)) {
        if (batch->error == PARLEY_E_OK)
            batch->error = PARLEY_E_STORE_DAMAGED;
        return false;
    }
    *id = entry.id;
    return true;
}

static bool id_at(void *context, enum parley_side side, parley_seq seq, struct parley_id *id) {
    const struct ids *ids = context;
    struct parley_entry entry;
    if (side == PARLEY_SIDE_HELD)
        return held_id(ids->batch, ids->row, seq, id);
    if (!parley_chunk_find(ids->chunk, seq, &entry))
        return false;
    *id = entry.id;
    return true;
}

static struct parley_run run_of(const struct parley_chunk *chunk,
                                const struct parley_store_op *op) {
    struct parley_run run = {
        .lo = chunk->seq_first,
        .lo_prev = chunk->prev_first,
        .hi = parley_chunk_seq_last(chunk),
        .hi_id = op->top_id,
        .hi_is_signed = op->top_signed,
    };
    if (PARLEY_IS_ZERO(op->top_id)) {
        struct parley_entry top = {0};
        if (parley_chunk_find(chunk, run.hi, &top))
            run.hi_id = top.id;
    }
    return run;
}

static enum parley_placing placing_of(enum parley_store_kind kind) {
    if (kind == PARLEY_STORE_APPEND)
        return PARLEY_PLACE_APPEND;
    return kind == PARLEY_STORE_FILL ? PARLEY_PLACE_LINKED : PARLEY_PLACE_ANY;
}

/* The entries from .. to of the chunk, without bodies that were erased here. */
static void put_part(struct commit *commit, struct log_row *row, const struct parley_chunk *chunk,
                     parley_seq from, parley_seq to, parley_time_ms received_ms) {
    struct segment_writer *writer = &commit->store->writer;
    struct parley_chunk_cursor cursor;
    struct parley_entry entry;
    struct erased erased;
    erased_load(&commit->batch, row, &erased);
    segment_writer_init(writer, &commit->batch, row);
    parley_chunk_start(&cursor, chunk);
    while (commit->batch.error == PARLEY_E_OK && parley_chunk_next(&cursor, &entry) &&
           entry.header.seq <= to)
        if (entry.header.seq >= from) {
            struct parley_item item = index_item(&entry);
            item.has_body = entry.has_body && !erased_covers(&erased, entry.header.seq);
            segment_writer_add(writer, &entry, item.has_body, received_ms);
            index_add(&commit->batch, row, &item, received_ms);
        }
    segment_writer_flush(writer);
    lacks_add(row, chunk, from, to, &erased);
    row->held.entries_count += writer->entries_count;
    row->held.bodies_count += writer->bodies_count;
}

/* Every stretch of the chunk that is not held yet. A whole new chunk is kept bit for bit. */
static void put_missing(struct commit *commit, struct log_row *row,
                        const struct parley_chunk *chunk, parley_time_ms received_ms) {
    parley_seq last = parley_chunk_seq_last(chunk), from, to;
    parley_seq next = chunk->seq_first;
    while (next <= last && parley_ranges_missing(&row->held.ranges, next, last, &from, &to)) {
        if (from == chunk->seq_first && to == last && !row->has_erased) {
            segment_put_chunk(&commit->batch, row, chunk, received_ms);
            index_add_chunk(&commit->batch, row, chunk, received_ms);
            row->held.entries_count += chunk->count;
            row->held.bodies_count += chunk->bodies_count;
            lacks_add(row, chunk, from, to, &(struct erased){PARLEY_NO_SPAN});
        } else {
            put_part(commit, row, chunk, from, to, received_ms);
        }
        next = to + 1;
    }
}

/* ---- joining small segments at the end of a log */

/* A segment that is to be joined, copied: what a scan shows is its own. */
struct tail_segment {
    struct tail_segment *next; /* upwards */
    struct segment segment;
};

struct tail {
    size_t size_below; /* segments below this size are joined */
    struct batch *batch;
    struct tail_segment *lowest; /* of those seen so far, that all touch each other */
    size_t count;
};

static bool on_tail_segment(void *context, struct parley_span key, struct parley_span value) {
    struct tail *tail = context;
    struct segment segment;
    (void)key;
    if (value.size >= tail->size_below || segment_decode(&segment, value) != PARLEY_E_OK ||
        (tail->lowest != NULL &&
         segment_seq_last(&segment) + 1 != tail->lowest->segment.chunk.seq_first))
        return false;
    struct tail_segment *kept = batch_allocate(tail->batch, sizeof *kept);
    uint8_t *copy = kept == NULL ? NULL : batch_allocate(tail->batch, value.size);
    if (copy == NULL)
        return false;
    memcpy(copy, value.data, value.size);
    enum parley_error error = segment_decode(&kept->segment, PARLEY_SPAN(copy, value.size));
    assert(error == PARLEY_E_OK); /* as a moment ago */
    kept->next = tail->lowest;
    tail->lowest = kept;
    tail->count++;
    return true;
}

/* Writes them anew as one. No more scans: one walks over all that was deleted since the engine last
 * merged. */
static void join(struct commit *commit, struct log_row *row, const struct tail *tail) {
    struct segment_writer *writer = &commit->store->writer;
    segment_writer_init(writer, &commit->batch, row);
    for (const struct tail_segment *at = tail->lowest; at != NULL; at = at->next) {
        segment_drop(&commit->batch, row, &at->segment);
        segment_writer_add_outside(writer, &at->segment, 1, 0); /* all of them */
    }
    segment_writer_flush(writer);
}

static void join_tail(struct commit *commit, struct log_row *row, size_t size_below) {
    struct key low, high;
    struct tail tail = {.size_below = size_below, .batch = &commit->batch};
    parley_seq head = row->held.ranges.ranges[0].hi;
    key_segment(&low, row->number, row->held.ranges.ranges[0].lo);
    key_segment(&high, row->number, head + 1);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), true};
    batch_scan(&commit->batch, &bounds, on_tail_segment, &tail);
    if (tail.count > 1 && commit->batch.error == PARLEY_E_OK)
        join(commit, row, &tail);
}

static void grow_tail(struct commit *commit, struct log_row *row, size_t added_size) {
    if (added_size >= SEGMENT_MEDIUM_SIZE) {
        row->tail_small = 0;
        row->tail_medium = 0;
        return;
    }
    if (added_size < SEGMENT_SMALL_SIZE) {
        row->tail_small += (uint32_t)added_size;
        if (row->tail_small < SEGMENT_SMALL_SIZE)
            return;
        join_tail(commit, row, SEGMENT_SMALL_SIZE);
        added_size = row->tail_small;
    }
    row->tail_small = 0;
    row->tail_medium += (uint32_t)added_size;
    if (row->tail_medium < SEGMENT_MEDIUM_SIZE)
        return;
    join_tail(commit, row, SEGMENT_MEDIUM_SIZE);
    row->tail_medium = 0;
}

static parley_seq newest_seq(const struct parley_ranges *ranges) {
    return ranges->count == 0 ? 0 : ranges->ranges[0].hi;
}

enum parley_error apply_run(struct commit *commit, const struct parley_store_op *op) {
    struct log_row row, before;
    struct parley_chunk chunk;
    parley_seq conflict = 0;
    struct parley_fault fault = parley_chunk_decode(&chunk, op->bytes);
    if (fault.error != PARLEY_E_OK)
        return fault.error;
    if (!PARLEY_EQUAL(chunk.log, op->log))
        return PARLEY_E_UNKNOWN_LOG;
    enum parley_error error = row_load_or_make(commit, op, &row);
    if (error != PARLEY_E_OK)
        return error;
    before = row;
    struct parley_run run = run_of(&chunk, op);
    struct ids ids = {&commit->batch, &before, &chunk};
    error = parley_ranges_add(&row.held.ranges, &run, placing_of(op->kind), id_at, &ids, &conflict);
    if (commit->batch.error != PARLEY_E_OK)
        return commit->batch.error;
    if (error != PARLEY_E_OK && error != PARLEY_E_EXISTS)
        return error;
    row_number(commit, &row);
    struct parley_ranges joined = row.held.ranges;
    if (error == PARLEY_E_EXISTS && memcmp(&joined, &before.held.ranges, sizeof joined) == 0)
        return error;
    row.held.ranges = before.held.ranges;
    parley_time_ms received_ms =
        op->received_ms < PARLEY_TIME_MAX ? op->received_ms : PARLEY_TIME_MAX;
    put_missing(commit, &row, &chunk, received_ms);
    row.held.ranges = joined;
    if (newest_seq(&joined) == run.hi && error == PARLEY_E_OK)
        grow_tail(commit, &row, op->bytes.size);
    row_note_low_of(&commit->batch, &row, &before.held.ranges, &chunk, received_ms);
    row_save(&commit->batch, &row);
    return error;
}
