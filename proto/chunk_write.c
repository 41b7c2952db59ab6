#include "chunk_form.h"

void parley_chunk_writer_init(struct parley_chunk_writer *writer, uint8_t *data, size_t size_max) {
    *writer = (struct parley_chunk_writer){
        .data = data, .size_max = size_max, .used = PARLEY_CHUNK_HEAD_MAX};
}

static size_t write_head(const struct parley_chunk_writer *writer, size_t count,
                         uint8_t head[PARLEY_CHUNK_HEAD_MAX]) {
    struct parley_writer out;
    parley_writer_init(&out, head, PARLEY_CHUNK_HEAD_MAX);
    parley_write_array(&out, CHUNK_ELEMENTS_COUNT);
    PARLEY_WRITE_FIXED(&out, writer->log);
    parley_write_uint(&out, writer->seq_first);
    PARLEY_WRITE_FIXED(&out, writer->prev_first);
    parley_write_array(&out, count);
    assert(!out.overflowed);
    return out.size;
}

/* Sizes of the heads' parts that are not fixed, without writing them. */
static size_t head_size(const struct parley_chunk_writer *writer, size_t count) {
    parley_seq seq = writer->seq_first;
    size_t seq_size = seq < 128           ? 1
                      : seq <= UINT8_MAX  ? 2
                      : seq <= UINT16_MAX ? 3
                      : seq <= UINT32_MAX ? 5
                                          : 9;
    return 1 + 34 + seq_size + 34 + (count < 16 ? 1 : 3);
}

/* All of an item but its elements' count and time. */
static void write_rest(struct parley_writer *out, const struct parley_entry *entry,
                       bool with_body) {
    const struct parley_header *header = &entry->header;
    uint8_t fixed[SIGNED_BODY_HASH_SIZE];
    memcpy(fixed, entry->signature.bytes, SIGNATURE_SIZE);
    if (with_body) {
        memcpy(fixed + SIGNATURE_SIZE, entry->salt.bytes, sizeof entry->salt);
        parley_write_bin(out, PARLEY_SPAN(fixed, SIGNED_BODY_SIZE));
        parley_write_bin(out, entry->body);
    } else {
        memcpy(fixed + SIGNATURE_SIZE, header->body_hash.bytes, sizeof header->body_hash);
        parley_write_bin(out, PARLEY_SPAN(fixed, SIGNED_BODY_HASH_SIZE));
        parley_write_uint(out, header->body_size);
    }
    if (header->version != PARLEY_ENTRY_VERSION || header->ext_size > 0)
        parley_write_uint(out, header->version);
    if (header->ext_size > 0)
        parley_write_bin(out, PARLEY_SPAN(header->ext, header->ext_size));
}

static size_t elements_count(const struct parley_header *header) {
    if (header->ext_size > 0)
        return ITEM_ELEMENTS_MAX;
    return header->version == PARLEY_ENTRY_VERSION ? ITEM_ELEMENTS_MIN : ITEM_ELEMENTS_MIN + 1;
}

static int64_t time_delta(const struct parley_chunk_writer *writer, parley_time_ms time) {
    return (int64_t)time - (int64_t)writer->time_last;
}

/* Takes an item that was written behind the others, if the chunk stays within its bounds. */
static enum parley_error take_item(struct parley_chunk_writer *writer,
                                   const struct parley_writer *out, parley_time_ms time) {
    size_t used = writer->used + out->size;
    size_t chunk_size = used - PARLEY_CHUNK_HEAD_MAX + head_size(writer, writer->count + 1);
    if (out->overflowed || writer->count == PARLEY_CHUNK_ENTRIES_MAX ||
        (chunk_size > PARLEY_CHUNK_BYTES_MAX && writer->count > 0))
        return PARLEY_E_NO_SPACE;
    writer->used = used;
    writer->count++;
    writer->time_last = time;
    return PARLEY_E_OK;
}

static void begin_item(struct parley_writer *out, struct parley_chunk_writer *writer,
                       size_t elements, parley_time_ms time) {
    size_t room = writer->used < writer->size_max ? writer->size_max - writer->used : 0;
    parley_writer_init(out, writer->data + writer->used, room);
    parley_write_array(out, elements);
    parley_write_int(out, time_delta(writer, time));
}

enum parley_error parley_chunk_add(struct parley_chunk_writer *writer,
                                   const struct parley_entry *entry, bool with_body) {
    const struct parley_header *header = &entry->header;
    struct parley_writer out;
    assert(!with_body || entry->has_body);
    if (writer->count == 0) {
        writer->log = header->log;
        writer->seq_first = header->seq;
        writer->prev_first = header->prev;
        writer->time_last = 0;
    }
    assert(header->seq == writer->seq_first + writer->count &&
           PARLEY_EQUAL(header->log, writer->log));
    begin_item(&out, writer, elements_count(header), header->time);
    write_rest(&out, entry, with_body);
    return take_item(writer, &out, header->time);
}

struct parley_span parley_chunk_finish(struct parley_chunk_writer *writer) {
    uint8_t head[PARLEY_CHUNK_HEAD_MAX];
    if (writer->count == 0)
        return PARLEY_NO_SPAN;
    size_t size = write_head(writer, writer->count, head);
    uint8_t *start = writer->data + PARLEY_CHUNK_HEAD_MAX - size;
    memcpy(start, head, size);
    return PARLEY_SPAN(start, writer->used - PARLEY_CHUNK_HEAD_MAX + size);
}

/* ---- a part of a chunk */

/* What follows an item's time: needs no decoding to be copied. */
static struct parley_span rest_of(const struct parley_item *item) {
    struct parley_reader reader;
    parley_reader_init(&reader, item->bytes);
    parley_read_array(&reader, "entry", ITEM_ELEMENTS_MIN, ITEM_ELEMENTS_MAX);
    parley_read_int(&reader, "time", INT64_MIN, INT64_MAX);
    size_t offset = parley_reader_offset(&reader);
    return PARLEY_SPAN(item->bytes.data + offset, item->bytes.size - offset);
}

static enum parley_error copy_item(struct parley_chunk_writer *writer,
                                   const struct parley_item *item) {
    struct parley_writer out;
    size_t elements = item->bytes.data[0] & 0x0fu; /* an array of less than 16 elements */
    begin_item(&out, writer, elements, item->time);
    parley_write_raw(&out, rest_of(item));
    return take_item(writer, &out, item->time);
}

static enum parley_error copy_without_body(struct parley_chunk_writer *writer,
                                           const struct parley_item *item) {
    struct parley_entry entry = {.header = {.log = writer->log,
                                            .seq = item->seq,
                                            .time = item->time,
                                            .body_size = item->body_size,
                                            .version = item->version,
                                            .ext_size = (uint8_t)item->ext.size}};
    if (item->ext.size > 0)
        memcpy(entry.header.ext, item->ext.data, item->ext.size);
    memcpy(entry.signature.bytes, item->signature.data, sizeof entry.signature);
    memcpy(entry.salt.bytes, item->salt.data, sizeof entry.salt);
    parley_body_hash(&entry.header.body_hash, &entry.salt, item->body);
    struct parley_writer out;
    begin_item(&out, writer, elements_count(&entry.header), item->time);
    write_rest(&out, &entry, false);
    return take_item(writer, &out, item->time);
}

/* Moves the cursor to `from`, hashing only what its prev needs. */
static void seek(struct parley_chunk_cursor *cursor, parley_seq from) {
    struct parley_entry entry;
    while (cursor->seq < from) {
        bool more = parley_chunk_next(cursor, &entry);
        assert(more);
    }
}

enum parley_error parley_chunk_slice(struct parley_span *out, uint8_t *data, size_t size_max,
                                     const struct parley_chunk *chunk, parley_seq from,
                                     parley_seq to, bool with_bodies) {
    struct parley_chunk_cursor cursor;
    struct parley_chunk_writer writer;
    struct parley_item item;
    enum parley_error error = PARLEY_E_OK;
    assert(chunk->seq_first <= from && from <= to && to <= parley_chunk_seq_last(chunk));
    parley_chunk_start(&cursor, chunk);
    seek(&cursor, from);
    parley_chunk_writer_init(&writer, data, size_max);
    writer.log = chunk->log;
    writer.seq_first = from;
    writer.prev_first = cursor.prev;
    while (error == PARLEY_E_OK && cursor.seq <= to && parley_chunk_next_item(&cursor, &item))
        error = item.has_body && !with_bodies ? copy_without_body(&writer, &item)
                                              : copy_item(&writer, &item);
    *out = error == PARLEY_E_OK ? parley_chunk_finish(&writer) : PARLEY_NO_SPAN;
    return error;
}
