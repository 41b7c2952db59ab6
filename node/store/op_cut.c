/* What shortens a log, and what is said of its forks. */
#include "cost.h"
#include "internal.h"

/* Two runs of at most PARLEY_EVIDENCE_REACH headers, each of which takes a few chunks. */
#define EVIDENCE_CHUNKS_MAX 16u

/* Keeps of each segment that has entries low .. high those outside. */
static void drop_entries(struct commit *commit, struct log_row *row, parley_seq low,
                         parley_seq high) {
    struct segment_writer *writer = &commit->store->writer;
    parley_seq seq = low;
    struct segment segment;
    segment_writer_init(writer, &commit->batch, row);
    while (segment_walk(&commit->batch, row->number, &seq, high, &segment)) {
        segment_drop(&commit->batch, row, &segment);
        index_drop_segment(&commit->batch, row, &segment, low, high);
        row->held.entries_count -= segment.chunk.count;
        row->held.bodies_count -= segment.chunk.bodies_count;
        if (segment.chunk.seq_first >= low && segment_seq_last(&segment) <= high)
            continue;
        segment_writer_add_outside(writer, &segment, low, high);
        segment_writer_flush(writer);
    }
    row->held.entries_count += writer->entries_count;
    row->held.bodies_count += writer->bodies_count;
}

/* Zero when seq is not held. */
static struct parley_id id_of(struct commit *commit, const struct log_row *row, parley_seq seq) {
    struct parley_id id = {{0}};
    if (parley_ranges_covers(&row->held.ranges, seq) && !held_id(&commit->batch, row, seq, &id))
        id = (struct parley_id){{0}};
    return id;
}

enum parley_error apply_prune(struct commit *commit, const struct parley_store_op *op) {
    struct log_row row;
    enum parley_error error = row_load(&commit->batch, &op->log, &row);
    if (error != PARLEY_E_OK || op->seq_low <= 1)
        return error;
    struct parley_id prev = id_of(commit, &row, op->seq_low - 1);
    if (commit->batch.error != PARLEY_E_OK)
        return commit->batch.error;
    drop_entries(commit, &row, 1, op->seq_low - 1);
    parley_ranges_prune(&row.held.ranges, op->seq_low, &prev);
    lacks_keep(&row, op->seq_low, PARLEY_SEQ_MAX);
    row_note_low(&commit->batch, &row);
    if (op->seq_low > row.held.floor)
        row.held.floor = op->seq_low;
    row_save(&commit->batch, &row);
    return commit->batch.error;
}

enum parley_error apply_cut(struct commit *commit, const struct parley_store_op *op) {
    struct log_row row;
    enum parley_error error = row_load(&commit->batch, &op->log, &row);
    if (error != PARLEY_E_OK)
        return error;
    struct parley_anchor top = {op->seq_high, {{0}}};
    if (op->seq_high > 0)
        top.id = id_of(commit, &row, op->seq_high);
    if (commit->batch.error != PARLEY_E_OK)
        return commit->batch.error;
    if (op->seq_low != 0) {
        const struct parley_run *range = parley_ranges_find(&row.held.ranges, op->seq_low);
        if (range == NULL || range->hi != op->seq_low || op->seq_high + 1 < range->lo ||
            op->seq_high >= range->hi)
            return PARLEY_E_GAP;
        drop_entries(commit, &row, op->seq_high + 1, op->seq_low);
        parley_ranges_cut_one(&row.held.ranges, &top, op->top_signed);
    } else {
        drop_entries(commit, &row, op->seq_high + 1, PARLEY_SEQ_MAX);
        parley_ranges_cut(&row.held.ranges, &top, op->top_signed);
        lacks_keep(&row, 1, op->seq_high);
    }
    row.tail_small = 0;
    row.tail_medium = 0;
    row_note_low(&commit->batch, &row);
    row_save(&commit->batch, &row);
    return commit->batch.error;
}

static void drop_evidence(struct commit *commit, struct log_row *row) {
    struct key key;
    for (uint8_t i = 0; i < row->evidence_count; i++) {
        struct parley_span held;
        key_evidence(&key, row->number, i);
        if (batch_get(&commit->batch, &key, &held))
            row->held.bytes -= cost_of_evidence(held.size);
        batch_drop(&commit->batch, &key);
    }
    row->evidence_count = 0;
}

enum parley_error apply_fork(struct commit *commit, const struct parley_store_op *op) {
    struct log_row row;
    enum parley_error error = row_load_or_make(commit, op, &row);
    if (error != PARLEY_E_OK)
        return error;
    if (row.held.forked == op->seq_low && (op->seq_low != 0 || row.evidence_count == 0))
        return PARLEY_E_EXISTS;
    row_number(commit, &row);
    if (op->seq_low == 0)
        drop_evidence(commit, &row);
    row.held.forked = op->seq_low;
    row_save(&commit->batch, &row);
    return commit->batch.error;
}

enum parley_error apply_evidence(struct commit *commit, const struct parley_store_op *op) {
    struct log_row row;
    struct parley_chunk chunk;
    struct key key;
    struct parley_span held;
    struct parley_fault fault = parley_chunk_decode(&chunk, op->bytes);
    if (fault.error != PARLEY_E_OK)
        return fault.error;
    if (!PARLEY_EQUAL(chunk.log, op->log))
        return PARLEY_E_UNKNOWN_LOG;
    enum parley_error error = row_load_or_make(commit, op, &row);
    if (error != PARLEY_E_OK)
        return error;
    for (uint8_t i = 0; i < row.evidence_count; i++) {
        key_evidence(&key, row.number, i);
        if (batch_get(&commit->batch, &key, &held) && parley_span_equal(held, op->bytes))
            return PARLEY_E_EXISTS;
    }
    row_number(commit, &row);
    /* Evidence comes again only for a lower fork: what is held says nothing more. */
    if (row.evidence_count == EVIDENCE_CHUNKS_MAX)
        drop_evidence(commit, &row);
    key_evidence(&key, row.number, row.evidence_count++);
    batch_put_span(&commit->batch, &key, op->bytes);
    row.held.bytes += cost_of_evidence(op->bytes.size);
    row_save(&commit->batch, &row);
    return commit->batch.error;
}

/* What the owner purged stays out, should the log ever come again: its number and row are kept. */
static void keep_purged(struct commit *commit, struct log_row *row) {
    struct erased erased;
    erased_load(&commit->batch, row, &erased);
    row->held.bytes = COST_OF_LOG + cost_of_erased(erased.pairs.size);
    row->held.forked = row->held.floor = 0;
    row->held.active_ms = row->held.low_ms = row->held.erase_ms = 0;
    row->tail_small = row->tail_medium = 0;
    row_save(&commit->batch, row);
}

enum parley_error apply_forget(struct commit *commit, const struct parley_store_op *op) {
    struct log_row row;
    struct key key;
    enum parley_error error = row_load(&commit->batch, &op->log, &row);
    if (error != PARLEY_E_OK)
        return error;
    drop_entries(commit, &row, 1, PARLEY_SEQ_MAX);
    drop_evidence(commit, &row);
    row.held.ranges.count = 0;
    lacks_keep(&row, 1, 0);
    if (row.is_purged) {
        keep_purged(commit, &row);
        return commit->batch.error;
    }
    key_erased(&key, row.number);
    batch_drop(&commit->batch, &key);
    key_log_name(&key, row.number);
    batch_drop(&commit->batch, &key);
    key_log(&key, &op->log);
    batch_drop(&commit->batch, &key);
    key_author(&key, &row.held.author);
    if (op->forget)
        batch_drop(&commit->batch, &key);
    return commit->batch.error;
}
