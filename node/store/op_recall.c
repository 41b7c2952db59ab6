/* The owner thinks better of a purge: what went may come again. What the author erased stays out.
 */
#include "internal.h"

struct erasing {
    const struct parley_id *id;
    bool is_erased;
};

static bool on_erasing(void *context, struct parley_span key, struct parley_span value) {
    struct erasing *erasing = context;
    (void)key;
    erasing->is_erased = parley_span_equal(value, PARLEY_SPAN_OF(*erasing->id));
    return !erasing->is_erased;
}

static bool is_erased(struct commit *commit, const struct log_row *row,
                      const struct parley_entry *entry) {
    struct erasing erasing = {.id = &entry->id};
    struct key low, high;
    key_erasures(&low, row->number, entry->header.seq);
    key_after(&high, &low);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), false};
    batch_scan(&commit->batch, &bounds, on_erasing, &erasing);
    return erasing.is_erased;
}

/* Of one segment, in stretches: what was forgotten is a few of them, however many entries. */
static bool recall_segment(struct commit *commit, struct log_row *row,
                           const struct parley_store_op *op, const struct segment *segment) {
    struct segment_cursor cursor;
    struct parley_entry entry;
    struct erased erased;
    parley_seq from = 0, to = 0;
    bool any = false;
    erased_load(&commit->batch, row, &erased);
    segment_start(&cursor, segment);
    while (segment_next(&cursor, &entry)) {
        parley_seq seq = entry.header.seq;
        if (seq < op->seq_low || seq > op->seq_high || entry.has_body ||
            !erased_covers(&erased, seq) || is_erased(commit, row, &entry))
            continue;
        if (from != 0 && seq != to + 1)
            erased_take(&commit->batch, row, from, to);
        from = from == 0 || seq != to + 1 ? seq : from;
        to = seq;
        any = true;
    }
    if (any)
        erased_take(&commit->batch, row, from, to);
    return any;
}

enum parley_error apply_recall(struct commit *commit, const struct parley_store_op *op) {
    struct log_row row;
    struct segment segment;
    bool any = false;
    if (op->seq_low == 0 || op->seq_high < op->seq_low || op->seq_high > PARLEY_SEQ_MAX)
        return PARLEY_E_OUT_OF_RANGE;
    enum parley_error error = row_load(&commit->batch, &op->log, &row);
    if (error != PARLEY_E_OK)
        return error;
    parley_seq seq = op->seq_low;
    while (row.has_erased && segment_walk(&commit->batch, row.number, &seq, op->seq_high, &segment))
        any |= recall_segment(commit, &row, op, &segment);
    if (!any)
        return commit->batch.error != PARLEY_E_OK ? commit->batch.error : PARLEY_E_EXISTS;
    lacks_again(commit, &row, op->seq_low, op->seq_high);
    row_save(&commit->batch, &row);
    return commit->batch.error;
}
