#include "chunk_form.h"

/* Either what makes a body checkable, or what stands for a body that is not here. */
static void read_body(struct parley_reader *reader, struct parley_item *item) {
    struct parley_span fixed =
        parley_read_bin(reader, "signature", SIGNED_BODY_SIZE, SIGNED_BODY_HASH_SIZE);
    if (fixed.size == SIGNED_BODY_SIZE) {
        item->has_body = true;
        item->salt = PARLEY_SPAN(fixed.data + SIGNATURE_SIZE, sizeof(struct parley_salt));
        item->body = parley_read_bin(reader, "body", 0, PARLEY_BODY_BYTES_MAX);
        item->body_size = (uint32_t)item->body.size;
    } else if (fixed.size == SIGNED_BODY_HASH_SIZE) {
        item->body_hash = PARLEY_SPAN(fixed.data + SIGNATURE_SIZE, sizeof(struct parley_body_hash));
        item->body_size = (uint32_t)parley_read_uint(reader, "body size", 0, PARLEY_BODY_BYTES_MAX);
    } else {
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, "signature");
    }
    item->signature = PARLEY_SPAN(fixed.data, SIGNATURE_SIZE);
}

static void read_version(struct parley_reader *reader, struct parley_item *item, size_t elements) {
    item->version = PARLEY_ENTRY_VERSION;
    if (elements <= ITEM_ELEMENTS_MIN)
        return;
    item->version = (uint8_t)parley_read_uint(reader, "version", 1, PARLEY_VERSION_MAX);
    if (elements == ITEM_ELEMENTS_MAX)
        item->ext = parley_read_bin(reader, "ext", 1, PARLEY_EXT_BYTES_MAX);
    else if (item->version == PARLEY_ENTRY_VERSION)
        parley_reader_fail(reader, PARLEY_E_NOT_CANONICAL, "version");
}

static void read_item(struct parley_reader *reader, struct parley_item *item, parley_seq seq,
                      parley_time_ms time_before) {
    const int64_t time_span = (int64_t)PARLEY_TIME_MAX;
    const uint8_t *start = reader->at;
    *item = (struct parley_item){.seq = seq};
    size_t elements = parley_read_array(reader, "entry", ITEM_ELEMENTS_MIN, ITEM_ELEMENTS_MAX);
    int64_t time = (int64_t)time_before + parley_read_int(reader, "time", -time_span, time_span);
    if (time < 0 || time > time_span)
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, "time");
    item->time = (parley_time_ms)time;
    read_body(reader, item);
    read_version(reader, item, elements);
    item->bytes = PARLEY_SPAN(start, reader->at - start);
}

static void read_head(struct parley_reader *reader, struct parley_chunk *chunk) {
    parley_read_array(reader, "chunk", CHUNK_ELEMENTS_COUNT, CHUNK_ELEMENTS_COUNT);
    parley_read_fixed(reader, "log", chunk->log.bytes, sizeof chunk->log);
    chunk->seq_first = parley_read_uint(reader, "seq", 1, PARLEY_SEQ_MAX);
    parley_read_fixed(reader, "prev", chunk->prev_first.bytes, sizeof chunk->prev_first);
    if ((chunk->seq_first == 1) != PARLEY_IS_ZERO(chunk->prev_first))
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, "prev");
    chunk->count = parley_read_array(reader, "entries", 1, PARLEY_CHUNK_ENTRIES_MAX);
    if (chunk->count > PARLEY_SEQ_MAX - chunk->seq_first + 1)
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, "seq");
}

static void take_item(struct parley_chunk *chunk, const struct parley_item *item) {
    if (chunk->count == 0)
        chunk->time_first = chunk->time_low = chunk->time_high = item->time;
    chunk->time_last = item->time;
    chunk->time_low = item->time < chunk->time_low ? item->time : chunk->time_low;
    chunk->time_high = item->time > chunk->time_high ? item->time : chunk->time_high;
    chunk->bodies_count += item->has_body;
    chunk->items.size += item->bytes.size;
    chunk->count++;
}

struct parley_fault parley_chunk_decode(struct parley_chunk *chunk, struct parley_span bytes) {
    struct parley_reader reader;
    struct parley_item item = {0};
    *chunk = (struct parley_chunk){.bytes = bytes};
    if (bytes.size > PARLEY_CHUNK_LARGEST)
        return (struct parley_fault){PARLEY_E_TOO_LARGE, PARLEY_CHUNK_LARGEST, "chunk"};
    parley_reader_init(&reader, bytes);
    read_head(&reader, chunk);
    if (bytes.size > PARLEY_CHUNK_BYTES_MAX && chunk->count > 1)
        parley_reader_fail(&reader, PARLEY_E_TOO_LARGE, "chunk");
    size_t count = chunk->count;
    chunk->count = 0;
    if (reader.fault.error == PARLEY_E_OK)
        chunk->items = PARLEY_SPAN(reader.at, 0);
    for (size_t i = 0; i < count; i++) {
        read_item(&reader, &item, chunk->seq_first + i, item.time);
        if (reader.fault.error != PARLEY_E_OK)
            break;
        take_item(chunk, &item);
    }
    return parley_reader_finish(&reader);
}

struct parley_fault parley_chunk_peek_log(struct parley_log *log, struct parley_span bytes) {
    struct parley_reader reader;
    parley_reader_init(&reader, bytes);
    parley_read_array(&reader, "chunk", CHUNK_ELEMENTS_COUNT, CHUNK_ELEMENTS_COUNT);
    parley_read_fixed(&reader, "log", log->bytes, sizeof *log);
    return reader.fault;
}

parley_seq parley_chunk_seq_last(const struct parley_chunk *chunk) {
    return chunk->seq_first + chunk->count - 1;
}

void parley_chunk_start(struct parley_chunk_cursor *cursor, const struct parley_chunk *chunk) {
    parley_reader_init(&cursor->reader, chunk->items);
    cursor->left = chunk->count;
    cursor->seq = chunk->seq_first;
    cursor->time = 0;
    cursor->log = chunk->log;
    cursor->prev = chunk->prev_first;
}

bool parley_chunk_next_item(struct parley_chunk_cursor *cursor, struct parley_item *item) {
    if (cursor->left == 0)
        return false;
    read_item(&cursor->reader, item, cursor->seq, cursor->time);
    assert(cursor->reader.fault.error == PARLEY_E_OK); /* decode has read all of it */
    cursor->left--;
    cursor->seq++;
    cursor->time = item->time;
    return true;
}

/* The header bit for bit, from the item and what follows from its neighbours; then the id. */
static void restore_entry(struct parley_entry *entry, const struct parley_item *item,
                          const struct parley_log *log, const struct parley_id *prev) {
    struct parley_header *header = &entry->header;
    header->log = *log;
    header->seq = item->seq;
    header->prev = *prev;
    header->time = item->time;
    header->body_size = item->body_size;
    header->version = item->version;
    header->ext_size = (uint8_t)item->ext.size;
    memset(header->ext, 0, sizeof header->ext);
    if (item->ext.size > 0)
        memcpy(header->ext, item->ext.data, item->ext.size);
    memcpy(entry->signature.bytes, item->signature.data, sizeof entry->signature);
    entry->has_body = item->has_body;
    entry->body = item->body;
    entry->salt = (struct parley_salt){{0}};
    if (item->has_body) {
        memcpy(entry->salt.bytes, item->salt.data, sizeof entry->salt);
        parley_body_hash(&header->body_hash, &entry->salt, entry->body);
    } else {
        memcpy(header->body_hash.bytes, item->body_hash.data, sizeof header->body_hash);
    }
    parley_entry_id(entry);
}

bool parley_chunk_next(struct parley_chunk_cursor *cursor, struct parley_entry *entry) {
    struct parley_item item;
    if (!parley_chunk_next_item(cursor, &item))
        return false;
    restore_entry(entry, &item, &cursor->log, &cursor->prev);
    cursor->prev = entry->id;
    return true;
}

bool parley_chunk_find(const struct parley_chunk *chunk, parley_seq seq,
                       struct parley_entry *entry) {
    struct parley_chunk_cursor cursor;
    if (seq < chunk->seq_first || seq > parley_chunk_seq_last(chunk))
        return false;
    parley_chunk_start(&cursor, chunk);
    do {
        bool more = parley_chunk_next(&cursor, entry);
        assert(more);
    } while (entry->header.seq < seq);
    return true;
}
