/* Evidence and identity records for peers and bundles. */
#include "internal.h"

enum parley_error parley_store_read_evidence(struct parley_store *store,
                                             const struct parley_log *log, size_t index,
                                             uint8_t *buffer, struct parley_span *chunk) {
    struct parley_kv *kv = store->kv;
    const void *view = NULL;
    struct log_row row;
    struct key key;
    size_t size = 0;
    *chunk = PARLEY_NO_SPAN;
    enum parley_error error = kv->calls->view_begin(kv, &view);
    if (error != PARLEY_E_OK)
        return error;
    error = row_read(kv, view, log, &row);
    if (error == PARLEY_E_OK && index >= row.evidence_count)
        error = PARLEY_E_NOT_FOUND;
    if (error == PARLEY_E_OK) {
        key_evidence(&key, row.number, (uint8_t)index);
        error = kv->calls->get(kv, view, key_span(&key), buffer, PARLEY_CHUNK_BUFFER_SIZE, &size);
        if (error == PARLEY_E_NOT_FOUND || error == PARLEY_E_NO_SPACE)
            error = PARLEY_E_STORE_DAMAGED;
    }
    kv->calls->view_end(kv, view);
    if (error == PARLEY_E_OK)
        *chunk = PARLEY_SPAN(buffer, size);
    return error;
}

struct records {
    struct parley_writer writer;
    size_t size_max;
    size_t skip;
    size_t count;
};

#define BIN_HEAD_SIZE_MAX 5u

static bool on_record(void *context, struct parley_span key, struct parley_span value) {
    struct records *records = context;
    (void)key;
    if (records->skip > 0) {
        records->skip--;
        return true;
    }
    if (records->writer.size + BIN_HEAD_SIZE_MAX + value.size > records->size_max)
        return false;
    parley_write_bin(&records->writer, value);
    records->count++;
    return true;
}

enum parley_error parley_store_read_records(struct parley_store *store,
                                            const struct parley_author *author, size_t skip,
                                            uint8_t *buffer, size_t buffer_size,
                                            struct parley_span *records, size_t *count) {
    struct key low, high;
    struct records reading = {.skip = skip, .size_max = buffer_size};
    parley_writer_init(&reading.writer, buffer, buffer_size);
    key_records(&low, author);
    key_after(&high, &low);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), false};
    enum parley_error error = store->kv->calls->scan(store->kv, NULL, &bounds, on_record, &reading);
    *records = PARLEY_NO_SPAN;
    *count = reading.count;
    if (error != PARLEY_E_OK)
        return error;
    return reading.count == 0 ? PARLEY_E_NOT_FOUND : parley_writer_finish(&reading.writer, records);
}
