/* Bodies come to entries that are held without, and go. */
#include "internal.h"

static bool segment_changes(const struct segment *segment, parley_seq low, parley_seq high,
                            bool has_body) {
    struct segment_cursor cursor;
    struct parley_item item;
    segment_start(&cursor, segment);
    while (segment_next_item(&cursor, &item))
        if (item.seq >= low && item.seq <= high && item.has_body == has_body)
            return true;
    return false;
}

/* What an entry says of others comes and goes with its body. */
static void change_index(struct commit *commit, struct log_row *row,
                         const struct parley_entry *entry, bool keeps, parley_time_ms received_ms) {
    struct parley_item item = index_item(entry);
    item.has_body = true;
    if (keeps)
        index_add(&commit->batch, row, &item, received_ms);
    else
        index_drop(&commit->batch, row, &item, received_ms);
}

uint64_t bodies_rewrite(struct commit *commit, struct log_row *row, parley_seq low, parley_seq high,
                        bool has_body, keep_body *keep, void *context) {
    struct segment_writer *writer = &commit->store->writer;
    struct segment segment;
    struct segment_cursor cursor;
    struct parley_entry entry;
    uint64_t changed = 0;
    segment_writer_init(writer, &commit->batch, row);
    parley_seq seq = low;
    while (segment_walk(&commit->batch, row->number, &seq, high, &segment)) {
        if (!segment_changes(&segment, low, high, has_body))
            continue;
        segment_drop(&commit->batch, row, &segment);
        segment_start(&cursor, &segment);
        while (segment_next(&cursor, &entry)) {
            bool had_body = entry.has_body;
            bool keeps = entry.header.seq < low || entry.header.seq > high ? had_body
                                                                           : keep(context, &entry);
            segment_writer_add(writer, &entry, keeps, cursor.received_ms);
            row->held.bodies_count += keeps;
            row->held.bodies_count -= had_body;
            changed += keeps != had_body;
            if (keeps != had_body)
                change_index(commit, row, &entry, keeps, cursor.received_ms);
        }
        segment_writer_flush(writer);
    }
    return changed;
}

struct body_item {
    parley_seq seq;
    struct parley_salt salt;
    struct parley_span body;
};

struct bodies {
    const struct body_item *items;
    size_t count;
    struct erased erased;
};

static bool add_body(void *context, struct parley_entry *entry) {
    const struct bodies *bodies = context;
    if (entry->has_body || erased_covers(&bodies->erased, entry->header.seq))
        return entry->has_body;
    for (size_t i = 0; i < bodies->count; i++) {
        const struct body_item *item = &bodies->items[i];
        if (item->seq == entry->header.seq &&
            parley_body_check(&entry->header, &item->salt, item->body) == PARLEY_E_OK) {
            entry->has_body = true;
            entry->salt = item->salt;
            entry->body = item->body;
            return true;
        }
    }
    return false;
}

/* Reads [[seq, salt, body]...]; low and high are the lowest and highest seq named. */
static enum parley_error read_bodies(struct batch *batch, struct parley_span bytes,
                                     struct bodies *bodies, parley_seq *low, parley_seq *high) {
    struct parley_reader reader;
    parley_reader_init(&reader, bytes);
    bodies->count = parley_read_array(&reader, "bodies", 1, PARLEY_CHUNK_ENTRIES_MAX);
    struct body_item *items = batch_allocate(batch, (bodies->count + 1) * sizeof(struct body_item));
    if (items == NULL)
        return batch->error;
    *low = PARLEY_SEQ_MAX;
    *high = 0;
    for (size_t i = 0; i < bodies->count; i++) {
        parley_read_array(&reader, "body", 3, 3);
        items[i].seq = parley_read_uint(&reader, "seq", 1, PARLEY_SEQ_MAX);
        parley_read_fixed(&reader, "salt", items[i].salt.bytes, sizeof items[i].salt);
        items[i].body = parley_read_bin(&reader, "body", 0, PARLEY_BODY_BYTES_MAX);
        *low = items[i].seq < *low ? items[i].seq : *low;
        *high = items[i].seq > *high ? items[i].seq : *high;
    }
    bodies->items = items;
    return parley_reader_finish(&reader).error;
}

enum parley_error apply_bodies(struct commit *commit, const struct parley_store_op *op) {
    struct log_row row;
    struct bodies bodies;
    parley_seq low = 0, high = 0;
    enum parley_error error = row_load(&commit->batch, &op->log, &row);
    if (error == PARLEY_E_OK)
        error = read_bodies(&commit->batch, op->bytes, &bodies, &low, &high);
    if (error != PARLEY_E_OK)
        return error;
    erased_load(&commit->batch, &row, &bodies.erased);
    if (bodies_rewrite(commit, &row, low, high, false, add_body, &bodies) == 0)
        return commit->batch.error != PARLEY_E_OK ? commit->batch.error : PARLEY_E_EXISTS;
    lacks_settle(commit, &row, low, high);
    row_save(&commit->batch, &row);
    return commit->batch.error;
}

static bool drop_body(void *context, struct parley_entry *entry) {
    (void)context, (void)entry;
    return false;
}

enum parley_error apply_drop_bodies(struct commit *commit, const struct parley_store_op *op) {
    struct log_row row;
    if (op->seq_low == 0 || op->seq_high < op->seq_low || op->seq_high > PARLEY_SEQ_MAX)
        return PARLEY_E_OUT_OF_RANGE;
    enum parley_error error =
        op->forget ? row_load_or_make(commit, op, &row) : row_load(&commit->batch, &op->log, &row);
    if (error != PARLEY_E_OK)
        return error;
    row_number(commit, &row);
    /* An erasure that goes has its effect first: its words must not come back with it gone. */
    if (op->forget)
        (void)erase_sweep(commit, &row, op->seq_low, op->seq_high, UINT64_MAX);
    bodies_rewrite(commit, &row, op->seq_low, op->seq_high, true, drop_body, NULL);
    if (op->forget) {
        erased_add(&commit->batch, &row, op->seq_low, op->seq_high);
        row.is_purged = true;
        lacks_settle(commit, &row, op->seq_low, op->seq_high);
    } else {
        lacks_again(commit, &row, op->seq_low, op->seq_high);
    }
    row_save(&commit->batch, &row);
    return commit->batch.error;
}
