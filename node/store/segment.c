#include "segment.h"
#include "cost.h"
#include <assert.h>

/* Also checks that the times are for as many entries as there are, so that a cursor cannot fail. */
static bool read_times(struct parley_reader *reader, uint64_t *count) {
    size_t elements = parley_read_array(reader, "times", 2, 2 * PARLEY_CHUNK_ENTRIES_MAX);
    int64_t time = 0;
    *count = 0;
    for (size_t i = 0; i < elements / 2; i++) {
        *count += parley_read_uint(reader, "count", 1, PARLEY_CHUNK_ENTRIES_MAX);
        time += parley_read_int(reader, "time", -(int64_t)PARLEY_TIME_MAX, PARLEY_TIME_MAX);
        if (time < 0)
            return false;
    }
    return elements % 2 == 0 && reader->fault.error == PARLEY_E_OK;
}

/* The array's own head, whose size follows from how many elements it has. */
static size_t array_head_size(uint8_t first) {
    return first == 0xdc ? 3 : 1;
}

enum parley_error segment_decode(struct segment *segment, struct parley_span bytes) {
    struct parley_reader reader;
    uint64_t count = 0;
    parley_reader_init(&reader, bytes);
    if (!read_times(&reader, &count))
        return PARLEY_E_STORE_DAMAGED;
    size_t times_size = parley_reader_offset(&reader);
    size_t head_size = array_head_size(bytes.data[0]);
    segment->bytes = bytes;
    segment->times = PARLEY_SPAN(bytes.data + head_size, times_size - head_size);
    struct parley_fault fault = parley_chunk_decode(
        &segment->chunk, PARLEY_SPAN(bytes.data + times_size, bytes.size - times_size));
    if (fault.error != PARLEY_E_OK || segment->chunk.count != count)
        return PARLEY_E_STORE_DAMAGED;
    return PARLEY_E_OK;
}

enum parley_error segment_decode_row(struct segment *segment, const struct parley_log *log,
                                     parley_seq seq_first, struct parley_span bytes) {
    if (segment_decode(segment, bytes) != PARLEY_E_OK || segment->chunk.seq_first != seq_first ||
        !PARLEY_EQUAL(segment->chunk.log, *log))
        return PARLEY_E_STORE_DAMAGED;
    return PARLEY_E_OK;
}

void segment_start(struct segment_cursor *cursor, const struct segment *segment) {
    parley_chunk_start(&cursor->chunk, &segment->chunk);
    parley_reader_init(&cursor->times, segment->times);
    cursor->left = 0;
    cursor->received_ms = 0;
}

static void next_time(struct segment_cursor *cursor) {
    if (cursor->left == 0) {
        cursor->left = parley_read_uint(&cursor->times, "count", 1, PARLEY_CHUNK_ENTRIES_MAX);
        cursor->received_ms += (uint64_t)parley_read_int(
            &cursor->times, "time", -(int64_t)PARLEY_TIME_MAX, PARLEY_TIME_MAX);
        assert(cursor->times.fault.error == PARLEY_E_OK); /* decode has read all of it */
    }
    cursor->left--;
}

bool segment_next(struct segment_cursor *cursor, struct parley_entry *entry) {
    if (!parley_chunk_next(&cursor->chunk, entry))
        return false;
    next_time(cursor);
    return true;
}

bool segment_next_item(struct segment_cursor *cursor, struct parley_item *item) {
    if (!parley_chunk_next_item(&cursor->chunk, item))
        return false;
    next_time(cursor);
    return true;
}

/* Times of the oldest and newest entry. */
struct extent {
    parley_time_ms oldest;
    parley_time_ms newest;
};

static void extend(struct extent *extent, parley_time_ms time) {
    extent->oldest = time < extent->oldest ? time : extent->oldest;
    extent->newest = time > extent->newest ? time : extent->newest;
}

static struct extent chunk_extent(const struct parley_chunk *chunk, parley_time_ms received_ms) {
    return (struct extent){effective_time(chunk->time_low, received_ms),
                           effective_time(chunk->time_high, received_ms)};
}

static struct extent segment_extent(const struct segment *segment) {
    struct extent extent = {UINT64_MAX, 0};
    struct segment_cursor cursor;
    struct parley_item item;
    segment_start(&cursor, segment);
    while (segment_next_item(&cursor, &item))
        extend(&extent, effective_time(item.time, cursor.received_ms));
    return extent;
}

static void put_timeline(struct batch *batch, struct log_row *row, parley_seq seq_first,
                         struct extent extent) {
    struct key key;
    uint8_t oldest[8];
    if (extent.newest > row->held.active_ms)
        row->held.active_ms = extent.newest;
    parley_put_u64(oldest, extent.oldest);
    key_timeline(&key, 0, extent.newest, row->number, seq_first);
    batch_put_span(batch, &key, PARLEY_SPAN(oldest, sizeof oldest));
    key_timeline(&key, row->author_number, extent.newest, row->number, seq_first);
    batch_put_span(batch, &key, PARLEY_SPAN(oldest, sizeof oldest));
}

static void put_segment(struct batch *batch, struct log_row *row, parley_seq seq_first,
                        struct parley_span times, struct parley_span chunk) {
    struct key key;
    key_segment(&key, row->number, seq_first);
    row->held.bytes += cost_of_segment(times.size + chunk.size);
    uint8_t *value = batch_put(batch, &key, times.size + chunk.size);
    if (value == NULL)
        return;
    memcpy(value, times.data, times.size);
    memcpy(value + times.size, chunk.data, chunk.size);
}

void segment_put_chunk(struct batch *batch, struct log_row *row, const struct parley_chunk *chunk,
                       parley_time_ms received_ms) {
    uint8_t times[32];
    struct parley_writer writer;
    struct parley_span written;
    parley_writer_init(&writer, times, sizeof times);
    parley_write_array(&writer, 2);
    parley_write_uint(&writer, chunk->count);
    parley_write_int(&writer, (int64_t)received_ms);
    enum parley_error error = parley_writer_finish(&writer, &written);
    assert(error == PARLEY_E_OK);
    put_segment(batch, row, chunk->seq_first, written, chunk->bytes);
    put_timeline(batch, row, chunk->seq_first, chunk_extent(chunk, received_ms));
}

void segment_put_timeline(struct batch *batch, struct log_row *row, const struct segment *segment) {
    put_timeline(batch, row, segment->chunk.seq_first, segment_extent(segment));
}

void segment_timeline_row(struct timeline_row *row, uint32_t log_number,
                          const struct segment *segment) {
    struct extent extent = segment_extent(segment);
    *row =
        (struct timeline_row){extent.newest, extent.oldest, log_number, segment->chunk.seq_first};
}

void segment_drop(struct batch *batch, struct log_row *row, const struct segment *segment) {
    struct key key;
    struct extent extent = segment_extent(segment);
    parley_seq seq_first = segment->chunk.seq_first;
    key_segment(&key, row->number, seq_first);
    batch_drop(batch, &key);
    row->held.bytes -= cost_of_segment(segment->bytes.size);
    key_timeline(&key, 0, extent.newest, row->number, seq_first);
    batch_drop(batch, &key);
    key_timeline(&key, row->author_number, extent.newest, row->number, seq_first);
    batch_drop(batch, &key);
}

/* ---- finding */

struct found {
    struct batch *batch;
    struct parley_span value;
    bool any;
};

static bool on_found(void *context, struct parley_span key, struct parley_span value) {
    struct found *found = context;
    struct batch *batch = found->batch;
    (void)key;
    if (batch->scratch == NULL)
        batch->scratch = batch_allocate(batch, SEGMENT_SIZE_MAX);
    if (batch->scratch == NULL)
        return false;
    if (value.size > SEGMENT_SIZE_MAX) {
        batch->error = PARLEY_E_STORE_DAMAGED;
        return false;
    }
    memcpy(batch->scratch, value.data, value.size);
    found->value = PARLEY_SPAN(batch->scratch, value.size);
    found->any = true;
    return false;
}

static bool take_found(struct batch *batch, const struct found *found, struct segment *segment) {
    if (!found->any || batch->error != PARLEY_E_OK)
        return false;
    batch->error = segment_decode(segment, found->value);
    return batch->error == PARLEY_E_OK;
}

/* The first segment that a scan of the keys [from, to] meets. */
static bool find_first(struct batch *batch, uint32_t log_number, parley_seq from, parley_seq to,
                       bool is_descending, struct segment *segment) {
    struct key low, high;
    struct found found = {.batch = batch};
    key_segment(&low, log_number, from);
    key_segment(&high, log_number, to);
    high.bytes[high.size++] = 0; /* `to` itself is inside */
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), is_descending};
    batch_scan(batch, &bounds, on_found, &found);
    return take_found(batch, &found, segment);
}

bool segment_find(struct batch *batch, uint32_t log_number, parley_seq seq, parley_seq seq_high,
                  struct segment *segment) {
    if (find_first(batch, log_number, 0, seq, true, segment) && segment_seq_last(segment) >= seq)
        return true;
    if (seq >= seq_high || batch->error != PARLEY_E_OK)
        return false;
    return find_first(batch, log_number, seq + 1, seq_high, false, segment);
}

bool segment_walk(struct batch *batch, uint32_t log_number, parley_seq *seq, parley_seq seq_high,
                  struct segment *segment) {
    if (*seq > seq_high || !segment_find(batch, log_number, *seq, seq_high, segment))
        return false;
    *seq = segment_seq_last(segment) + 1;
    return true;
}

/* ---- writing */

static void begin(struct segment_writer *writer) {
    parley_chunk_writer_init(&writer->chunk, writer->buffer, PARLEY_CHUNK_BUFFER_SIZE);
    writer->times_count = 0;
    writer->time_newest = 0;
    writer->time_oldest = UINT64_MAX;
}

void segment_writer_init(struct segment_writer *writer, struct batch *batch, struct log_row *row) {
    writer->batch = batch;
    writer->row = row;
    writer->buffer = batch_allocate(batch, PARLEY_CHUNK_BUFFER_SIZE);
    writer->entries_count = 0;
    writer->bodies_count = 0;
    begin(writer);
}

static void add_time(struct segment_writer *writer, parley_time_ms claimed,
                     parley_time_ms received_ms) {
    size_t last = writer->times_count - 1;
    if (writer->times_count > 0 && writer->times[last].received_ms == received_ms) {
        writer->times[last].count++;
    } else {
        writer->times[writer->times_count].count = 1;
        writer->times[writer->times_count++].received_ms = received_ms;
    }
    struct extent extent = {writer->time_oldest, writer->time_newest};
    extend(&extent, effective_time(claimed, received_ms));
    writer->time_oldest = extent.oldest;
    writer->time_newest = extent.newest;
}

void segment_writer_add(struct segment_writer *writer, const struct parley_entry *entry,
                        bool with_body, parley_time_ms received_ms) {
    if (writer->batch->error != PARLEY_E_OK)
        return;
    if (parley_chunk_add(&writer->chunk, entry, with_body) != PARLEY_E_OK) {
        segment_writer_flush(writer);
        enum parley_error error = parley_chunk_add(&writer->chunk, entry, with_body);
        assert(error == PARLEY_E_OK); /* the buffer takes every entry */
    }
    add_time(writer, entry->header.time, received_ms);
    writer->entries_count++;
    writer->bodies_count += with_body;
}

void segment_writer_add_outside(struct segment_writer *writer, const struct segment *segment,
                                parley_seq low, parley_seq high) {
    struct segment_cursor cursor;
    struct parley_entry entry;
    segment_start(&cursor, segment);
    while (segment_next(&cursor, &entry))
        if (entry.header.seq < low || entry.header.seq > high)
            segment_writer_add(writer, &entry, entry.has_body, cursor.received_ms);
}

static struct parley_span write_times(const struct segment_writer *segment, uint8_t *out) {
    struct parley_writer writer;
    struct parley_span written = PARLEY_NO_SPAN;
    parley_time_ms before = 0;
    parley_writer_init(&writer, out, SEGMENT_TIMES_SIZE_MAX);
    parley_write_array(&writer, 2 * segment->times_count);
    for (size_t i = 0; i < segment->times_count; i++) {
        parley_write_uint(&writer, segment->times[i].count);
        parley_write_int(&writer, (int64_t)(segment->times[i].received_ms - before));
        before = segment->times[i].received_ms;
    }
    enum parley_error error = parley_writer_finish(&writer, &written);
    assert(error == PARLEY_E_OK);
    return written;
}

void segment_writer_flush(struct segment_writer *writer) {
    uint8_t times[SEGMENT_TIMES_SIZE_MAX];
    if (writer->batch->error != PARLEY_E_OK || writer->times_count == 0)
        return;
    parley_seq seq_first = writer->chunk.seq_first;
    struct parley_span chunk = parley_chunk_finish(&writer->chunk);
    put_segment(writer->batch, writer->row, seq_first, write_times(writer, times), chunk);
    put_timeline(writer->batch, writer->row, seq_first,
                 (struct extent){writer->time_oldest, writer->time_newest});
    begin(writer);
}
