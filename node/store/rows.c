#include "cost.h"
#include "internal.h"
#include <assert.h>

enum parley_error row_load(struct batch *batch, const struct parley_log *log, struct log_row *row) {
    struct key key;
    struct parley_span value;
    key_log(&key, log);
    if (!batch_get(batch, &key, &value))
        return batch->error != PARLEY_E_OK ? batch->error : PARLEY_E_NOT_FOUND;
    batch->error = log_row_decode(row, log, value);
    return batch->error;
}

enum parley_error row_load_or_make(struct commit *commit, const struct parley_store_op *op,
                                   struct log_row *row) {
    enum parley_error error = row_load(&commit->batch, &op->log, row);
    if (error == PARLEY_E_OK && log_row_is_empty(row)) {
        /* The author may have been forgotten since: nothing is listed under that number. */
        row->author_number = author_number(commit, &row->held.author);
        version_save(&commit->batch, commit->store->next_number);
    }
    if (error != PARLEY_E_NOT_FOUND || PARLEY_IS_ZERO(op->author))
        return error;
    *row = (struct log_row){
        .held = {.author = op->author, .device = op->device, .log = op->log},
    };
    return PARLEY_E_OK;
}

uint32_t author_number(struct commit *commit, const struct parley_author *author) {
    struct key key;
    struct parley_span value;
    key_author(&key, author);
    if (batch_get(&commit->batch, &key, &value)) {
        if (value.size == 4)
            return parley_get_u32(value.data);
        commit->batch.error = PARLEY_E_STORE_DAMAGED;
    }
    uint8_t number[4];
    parley_put_u32(number, commit->store->next_number);
    batch_put_span(&commit->batch, &key, PARLEY_SPAN(number, sizeof number));
    return commit->store->next_number++;
}

void row_number(struct commit *commit, struct log_row *row) {
    struct key key;
    if (row->number != 0)
        return;
    row->author_number = author_number(commit, &row->held.author);
    row->number = commit->store->next_number++;
    row->held.bytes = COST_OF_LOG;
    key_log_name(&key, row->number);
    batch_put_span(&commit->batch, &key, PARLEY_SPAN_OF(row->held.log));
    version_save(&commit->batch, commit->store->next_number);
}

void row_save(struct batch *batch, const struct log_row *row) {
    struct key key;
    uint8_t encoded[LOG_ROW_SIZE_MAX];
    assert(row->number != 0);
    key_log(&key, &row->held.log);
    batch_put_span(batch, &key, PARLEY_SPAN(encoded, log_row_encode(encoded, row)));
}

static parley_seq lowest_of(const struct parley_ranges *ranges) {
    return ranges->count == 0 ? 0 : ranges->ranges[ranges->count - 1].lo;
}

void row_note_low_of(struct batch *batch, struct log_row *row, const struct parley_ranges *before,
                     const struct parley_chunk *chunk, parley_time_ms received_ms) {
    parley_seq lowest = lowest_of(&row->held.ranges);
    if (lowest == lowest_of(before))
        return;
    if (lowest == chunk->seq_first)
        row->held.low_ms = effective_time(chunk->time_first, received_ms);
    else
        row_note_low(batch, row);
}

void row_note_low(struct batch *batch, struct log_row *row) {
    parley_seq lowest = lowest_of(&row->held.ranges);
    struct segment segment;
    struct segment_cursor cursor;
    struct parley_item item;
    row->held.low_ms = 0;
    if (lowest == 0 || !segment_find(batch, row->number, lowest, lowest, &segment))
        return;
    segment_start(&cursor, &segment);
    if (segment_next_item(&cursor, &item))
        row->held.low_ms = effective_time(item.time, cursor.received_ms);
}

static enum parley_error get(struct parley_kv *kv, const void *view, const struct key *key,
                             uint8_t *value, size_t size_max, size_t *size) {
    enum parley_error error = kv->calls->get(kv, view, key_span(key), value, size_max, size);
    return error == PARLEY_E_NO_SPACE ? PARLEY_E_STORE_DAMAGED : error;
}

enum parley_error row_read(struct parley_kv *kv, const void *view, const struct parley_log *log,
                           struct log_row *row) {
    struct key key;
    uint8_t value[LOG_ROW_SIZE_MAX];
    size_t size = 0;
    key_log(&key, log);
    enum parley_error error = get(kv, view, &key, value, sizeof value, &size);
    return error != PARLEY_E_OK ? error : log_row_decode(row, log, PARLEY_SPAN(value, size));
}

enum parley_error row_read_by_number(struct parley_kv *kv, const void *view, uint32_t number,
                                     struct log_row *row) {
    struct key key;
    struct parley_log log;
    size_t size = 0;
    key_log_name(&key, number);
    enum parley_error error = get(kv, view, &key, log.bytes, sizeof log.bytes, &size);
    if (error == PARLEY_E_OK && size == sizeof log.bytes)
        error = row_read(kv, view, &log, row);
    return error == PARLEY_E_NOT_FOUND ? PARLEY_E_STORE_DAMAGED : error;
}

enum parley_error author_number_read(struct parley_kv *kv, const void *view,
                                     const struct parley_author *author, uint32_t *number) {
    struct key key;
    uint8_t value[4];
    size_t size = 0;
    key_author(&key, author);
    enum parley_error error = get(kv, view, &key, value, sizeof value, &size);
    if (error == PARLEY_E_OK && size != sizeof value)
        error = PARLEY_E_STORE_DAMAGED;
    if (error == PARLEY_E_OK)
        *number = parley_get_u32(value);
    return error;
}

enum parley_error version_read(struct parley_kv *kv, const void *view, uint32_t *next_number,
                               bool *is_old) {
    struct key key;
    uint8_t value[8];
    size_t size = 0;
    key_version(&key);
    enum parley_error error = kv->calls->get(kv, view, key_span(&key), value, sizeof value, &size);
    if (error == PARLEY_E_NOT_FOUND)
        return PARLEY_E_STORE_MISSING;
    if (error != PARLEY_E_OK && error != PARLEY_E_NO_SPACE)
        return error;
    if (size != sizeof value)
        return PARLEY_E_STORE_DAMAGED;
    uint32_t version = parley_get_u32(value);
    *next_number = parley_get_u32(value + 4);
    *is_old = version >= LAYOUT_VERSION_OLD && version < LAYOUT_VERSION;
    return *is_old || version == LAYOUT_VERSION ? PARLEY_E_OK : PARLEY_E_BAD_VERSION;
}

void version_save(struct batch *batch, uint32_t next_number) {
    struct key key;
    uint8_t value[8];
    key_version(&key);
    parley_put_u32(value, LAYOUT_VERSION);
    parley_put_u32(value + 4, next_number);
    batch_put_span(batch, &key, PARLEY_SPAN(value, sizeof value));
}
