/* Runs for peers and bundles. */
#include "internal.h"
#include <assert.h>

/* What time and head may add to an item that begins a chunk or follows another segment. */
#define TIME_SIZE_MAX 9u
/* array, time, signature and body hash, body size, version, ext */
#define HEADER_ITEM_SIZE_MAX (1u + TIME_SIZE_MAX + 98u + 5u + 1u + 2u)

/* First pass, downwards: how far the chunk goes. */
struct measure {
    const struct parley_log *log;
    parley_seq top;
    parley_seq low;
    bool bodies;
    size_t left;        /* bytes that may still be used */
    size_t left_target; /* below this a segment's end is a good end */
    size_t count;
    parley_seq from;          /* lowest seq taken; 0: none */
    uint8_t *buffer;          /* PARLEY_CHUNK_BUFFER_SIZE */
    struct parley_span chunk; /* empty unless the first segment had all of it */
    enum parley_error error;
};

static size_t item_cost(const struct measure *measure, const struct parley_item *item) {
    if (item->has_body && !measure->bodies)
        return HEADER_ITEM_SIZE_MAX + item->ext.size;
    return item->bytes.size;
}

/* Sizes of the segment's entries that may be taken; returns how many. */
static size_t item_costs(const struct measure *measure, const struct segment *segment,
                         uint32_t costs[PARLEY_CHUNK_ENTRIES_MAX], size_t *sum) {
    struct segment_cursor cursor;
    struct parley_item item;
    size_t count = 0;
    *sum = TIME_SIZE_MAX;
    segment_start(&cursor, segment);
    while (segment_next_item(&cursor, &item)) {
        if (item.seq < measure->low || item.seq > measure->top)
            continue;
        costs[count] = (uint32_t)item_cost(measure, &item);
        *sum += costs[count++];
    }
    return count;
}

/* True when more may be taken below. */
static bool take_from_above(struct measure *measure, parley_seq last,
                            const uint32_t costs[PARLEY_CHUNK_ENTRIES_MAX], size_t count) {
    size_t taken = 0, joint = TIME_SIZE_MAX;
    while (taken < count) {
        size_t cost = costs[count - 1 - taken] + joint;
        bool is_first = measure->count == 0;
        if (!is_first && (cost > measure->left || measure->count == PARLEY_CHUNK_ENTRIES_MAX))
            return false;
        measure->left -= cost < measure->left ? cost : measure->left;
        measure->count++;
        measure->from = last - taken++;
        joint = 0;
    }
    return measure->from > measure->low;
}

/* One segment holds all of it: its bytes are copied, not restored. */
static bool copy_whole(struct measure *measure, const struct segment *segment) {
    return segment_seq_last(segment) >= measure->top && segment->chunk.seq_first <= measure->from &&
           parley_chunk_slice(&measure->chunk, measure->buffer, PARLEY_CHUNK_BUFFER_SIZE,
                              &segment->chunk, measure->from, measure->top,
                              measure->bodies) == PARLEY_E_OK;
}

static bool on_measured(void *context, struct parley_span key, struct parley_span value) {
    struct measure *measure = context;
    struct segment segment;
    uint32_t costs[PARLEY_CHUNK_ENTRIES_MAX];
    size_t sum;
    measure->error = segment_decode_row(&segment, measure->log, segment_key_seq(key), value);
    if (measure->error != PARLEY_E_OK)
        return false;
    parley_seq last = segment_seq_last(&segment);
    bool is_first = measure->from == 0;
    if (is_first ? last < measure->top : last + 1 != measure->from)
        return false; /* a hole */
    size_t count = item_costs(measure, &segment, costs, &sum);
    if (!is_first && sum > measure->left && measure->left < measure->left_target)
        return false;
    if (take_from_above(measure, last < measure->top ? last : measure->top, costs, count))
        return true;
    (void)copy_whole(measure, &segment);
    return false;
}

/* What begins a segment often ends in it, too: a log of a few hundred posts is one. Otherwise
 * nothing is taken. */
static bool on_guessed(void *context, struct parley_span key, struct parley_span value) {
    struct measure *measure = context;
    struct segment segment;
    measure->error = segment_decode_row(&segment, measure->log, segment_key_seq(key), value);
    if (measure->error == PARLEY_E_OK && segment_seq_last(&segment) >= measure->top)
        (void)on_measured(context, key, value);
    return false;
}

/* Second pass, upwards: writes it. */
struct writing {
    struct measure *measure;
    struct parley_chunk_writer writer;
    enum parley_error error;
};

static bool on_written(void *context, struct parley_span key, struct parley_span value) {
    struct writing *writing = context;
    struct measure *measure = writing->measure;
    struct segment segment;
    struct segment_cursor cursor;
    struct parley_entry entry;
    writing->error = segment_decode_row(&segment, measure->log, segment_key_seq(key), value);
    if (writing->error != PARLEY_E_OK || copy_whole(measure, &segment))
        return false;
    segment_start(&cursor, &segment);
    while (writing->error == PARLEY_E_OK && segment_next(&cursor, &entry)) {
        if (entry.header.seq < measure->from || entry.header.seq > measure->top)
            continue;
        writing->error =
            parley_chunk_add(&writing->writer, &entry, measure->bodies && entry.has_body);
    }
    return writing->error == PARLEY_E_OK && segment_seq_last(&segment) < measure->top;
}

/* The bounds of the segments whose first seq is in [from, to]. */
static enum parley_error scan_segments(struct parley_kv *kv, const void *view, uint32_t number,
                                       parley_seq from, parley_seq to, bool is_descending,
                                       parley_kv_on_pair *on_pair, void *context) {
    struct key low, high;
    key_segment(&low, number, from);
    key_segment(&high, number, to);
    high.bytes[high.size++] = 0;
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), is_descending};
    return kv->calls->scan(kv, view, &bounds, on_pair, context);
}

struct first_key {
    parley_seq seq;
};

static bool on_first_key(void *context, struct parley_span key, struct parley_span value) {
    (void)value;
    ((struct first_key *)context)->seq = segment_key_seq(key);
    return false;
}

/* Where the segment that holds seq begins, or seq itself. */
static enum parley_error segment_begin(struct parley_kv *kv, const void *view, uint32_t number,
                                       parley_seq seq, parley_seq *begin) {
    struct first_key first = {seq};
    enum parley_error error = scan_segments(kv, view, number, 0, seq, true, on_first_key, &first);
    *begin = first.seq;
    return error;
}

/* One key is found by itself; a walk down reads the segments around the run, too. */
static enum parley_error measure_run(struct parley_kv *kv, const void *view, uint32_t number,
                                     struct measure *measure) {
    enum parley_error error = PARLEY_E_OK;
    if (measure->top - measure->low < PARLEY_CHUNK_ENTRIES_MAX)
        error =
            scan_segments(kv, view, number, measure->low, measure->low, false, on_guessed, measure);
    if (error != PARLEY_E_OK || measure->error != PARLEY_E_OK || measure->from != 0)
        return error;
    return scan_segments(kv, view, number, 0, measure->top, true, on_measured, measure);
}

static enum parley_error read_run(struct parley_kv *kv, const void *view, uint32_t number,
                                  struct measure *measure, struct parley_span *chunk) {
    parley_seq begin = 0;
    struct writing writing = {.measure = measure};
    enum parley_error error = measure_run(kv, view, number, measure);
    if (error == PARLEY_E_OK)
        error = measure->error;
    if (error == PARLEY_E_OK && measure->from == 0)
        error = PARLEY_E_NOT_FOUND;
    *chunk = measure->chunk;
    if (error != PARLEY_E_OK || chunk->size > 0)
        return error;
    error = segment_begin(kv, view, number, measure->from, &begin);
    if (error != PARLEY_E_OK)
        return error;
    parley_chunk_writer_init(&writing.writer, measure->buffer, PARLEY_CHUNK_BUFFER_SIZE);
    error = scan_segments(kv, view, number, begin, measure->top, false, on_written, &writing);
    if (error == PARLEY_E_OK)
        error = writing.error;
    *chunk = measure->chunk.size > 0 ? measure->chunk : parley_chunk_finish(&writing.writer);
    return error;
}

enum parley_error parley_store_read_run(struct parley_store *store, const struct parley_log *log,
                                        parley_seq seq_top, parley_seq seq_low, bool bodies,
                                        size_t bytes_max, uint8_t *buffer,
                                        struct parley_span *chunk) {
    struct parley_kv *kv = store->kv;
    const void *view = NULL;
    struct log_row row;
    size_t room = bytes_max < PARLEY_CHUNK_BYTES_MAX ? bytes_max : PARLEY_CHUNK_BYTES_MAX;
    room = room > PARLEY_CHUNK_HEAD_MAX ? room - PARLEY_CHUNK_HEAD_MAX : 0;
    struct measure measure = {
        .log = log,
        .top = seq_top,
        .low = seq_low == 0 ? 1 : seq_low,
        .bodies = bodies,
        .left = room,
        .left_target = room / 2,
        .buffer = buffer,
    };
    *chunk = PARLEY_NO_SPAN;
    if (seq_top < measure.low || seq_top > PARLEY_SEQ_MAX)
        return PARLEY_E_NOT_FOUND;
    enum parley_error error = kv->calls->view_begin(kv, &view);
    if (error != PARLEY_E_OK)
        return error;
    error = row_read(kv, view, log, &row);
    if (error == PARLEY_E_OK)
        error = read_run(kv, view, row.number, &measure, chunk);
    kv->calls->view_end(kv, view);
    return error;
}

/* ---- headers that lack a body */

/* A look costs one or two reads of the size of the segments that it passes: so many of them at
 * most. */
#define LACKING_SEGMENTS_MAX 256u

struct lacking {
    struct parley_kv *kv;
    const void *view;
    const struct parley_log *log;
    uint32_t number;
    const struct erased *erased;
    parley_seq low, top;
    parley_seq found_low, found_high; /* found_high 0: none */
    parley_seq next;
    size_t segments_left;
    enum parley_error error;
};

static bool on_any(void *context, struct parley_span key, struct parley_span value) {
    (void)key, (void)value;
    *(bool *)context = true;
    return false;
}

/* Bytes that were erased here, or will be: an erasure of that entry is held. */
static bool is_lacking(struct lacking *lacking, const struct parley_item *item) {
    struct key low, high;
    bool is_erased = false;
    if (item->has_body || item->seq < lacking->low || item->seq > lacking->top ||
        erased_covers(lacking->erased, item->seq))
        return false;
    key_erasures(&low, lacking->number, item->seq);
    key_after(&high, &low);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), false};
    lacking->error =
        lacking->kv->calls->scan(lacking->kv, lacking->view, &bounds, on_any, &is_erased);
    return !is_erased;
}

static bool on_lacking_segment(void *context, struct parley_span key, struct parley_span value) {
    struct lacking *lacking = context;
    struct segment segment;
    struct segment_cursor cursor;
    struct parley_item item;
    lacking->error = segment_decode_row(&segment, lacking->log, segment_key_seq(key), value);
    if (lacking->error != PARLEY_E_OK || segment_seq_last(&segment) < lacking->low)
        return false;
    segment_start(&cursor, &segment);
    while (segment.chunk.bodies_count < segment.chunk.count && segment_next_item(&cursor, &item))
        if (is_lacking(lacking, &item)) {
            lacking->found_low = lacking->found_high == 0 ? item.seq : lacking->found_low;
            lacking->found_high = item.seq;
        }
    if (lacking->error != PARLEY_E_OK || lacking->found_high != 0 ||
        segment.chunk.seq_first <= lacking->low)
        return false;
    bool is_enough = --lacking->segments_left == 0;
    lacking->next = is_enough ? segment.chunk.seq_first - 1 : 0;
    return !is_enough;
}

static enum parley_error read_lacking(struct parley_kv *kv, const void *view, uint32_t number,
                                      struct lacking *lacking, uint8_t *buffer,
                                      struct parley_span *chunk) {
    enum parley_error error =
        scan_segments(kv, view, number, 0, lacking->top, true, on_lacking_segment, lacking);
    if (error == PARLEY_E_OK)
        error = lacking->error;
    if (error != PARLEY_E_OK || lacking->found_high == 0)
        return error;
    struct measure measure = {.log = lacking->log,
                              .top = lacking->found_high,
                              .low = lacking->found_low,
                              .left = PARLEY_CHUNK_BYTES_MAX - PARLEY_CHUNK_HEAD_MAX,
                              .buffer = buffer};
    return read_run(kv, view, number, &measure, chunk);
}

enum parley_error parley_store_read_lacking(struct parley_store *store,
                                            const struct parley_log *log, parley_seq seq_top,
                                            parley_seq seq_low, uint8_t *buffer,
                                            struct parley_span *chunk, parley_seq *next) {
    struct parley_kv *kv = store->kv;
    const void *view = NULL;
    struct log_row row;
    struct batch batch;
    struct erased erased;
    *chunk = PARLEY_NO_SPAN;
    *next = 0;
    if (seq_top < seq_low || seq_top > PARLEY_SEQ_MAX)
        return PARLEY_E_OK;
    enum parley_error error = kv->calls->view_begin(kv, &view);
    if (error != PARLEY_E_OK)
        return error;
    batch_init(&batch, kv); /* nothing is written: it keeps the row that it reads */
    error = row_read(kv, view, log, &row);
    if (error == PARLEY_E_OK) {
        erased_load(&batch, &row, &erased);
        error = batch.error;
    }
    if (error == PARLEY_E_OK) {
        struct lacking lacking = {.kv = kv,
                                  .view = view,
                                  .log = log,
                                  .number = row.number,
                                  .erased = &erased,
                                  .low = seq_low,
                                  .top = seq_top,
                                  .segments_left = LACKING_SEGMENTS_MAX};
        error = read_lacking(kv, view, row.number, &lacking, buffer, chunk);
        *next = lacking.next;
    }
    batch_clear(&batch);
    kv->calls->view_end(kv, view);
    return error;
}

/* ---- entries, one by one */

struct entries {
    const struct parley_store_log *log;
    parley_seq low;
    parley_seq high;
    parley_store_on_entry *on_entry;
    void *context;
    enum parley_error error;
};

static bool on_entries_segment(void *context, struct parley_span key, struct parley_span value) {
    struct entries *entries = context;
    struct segment segment;
    struct segment_cursor cursor;
    struct parley_entry entry;
    entries->error = segment_decode_row(&segment, &entries->log->log, segment_key_seq(key), value);
    if (entries->error != PARLEY_E_OK)
        return false;
    segment_start(&cursor, &segment);
    while (segment_next(&cursor, &entry)) {
        struct parley_timeline_place place = {
            effective_time(entry.header.time, cursor.received_ms),
            entries->log->log,
            entry.header.seq,
        };
        if (entry.header.seq > entries->high)
            return false;
        if (entry.header.seq >= entries->low &&
            !entries->on_entry(entries->context, entries->log, &entry, &place, cursor.received_ms))
            return false;
    }
    return true;
}

enum parley_error parley_store_entries(struct parley_store *store, const struct parley_log *log,
                                       parley_seq seq_low, parley_seq seq_high,
                                       parley_store_on_entry *on_entry, void *context) {
    struct parley_kv *kv = store->kv;
    const void *view = NULL;
    struct log_row row;
    parley_seq begin = 0;
    enum parley_error error = kv->calls->view_begin(kv, &view);
    if (error != PARLEY_E_OK)
        return error;
    struct entries entries = {&row.held, seq_low, seq_high, on_entry, context, PARLEY_E_OK};
    if (entries.high > PARLEY_SEQ_MAX)
        entries.high = PARLEY_SEQ_MAX;
    error = row_read(kv, view, log, &row);
    if (error == PARLEY_E_OK && entries.low <= entries.high)
        error = segment_begin(kv, view, row.number, entries.low, &begin);
    if (error == PARLEY_E_OK && entries.low <= entries.high)
        error = scan_segments(kv, view, row.number, begin, entries.high, false, on_entries_segment,
                              &entries);
    kv->calls->view_end(kv, view);
    return error != PARLEY_E_OK ? error : entries.error;
}
