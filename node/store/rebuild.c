/* Every index anew from the segments. The row R stands while it goes on, so that one that was cut
 * short is done again when the store is opened.
 */
#include "cost.h"
#include "internal.h"

#define DROPS_MAX 4096u

/* ---- dropping the rows of a letter, some at a time */

struct drops {
    struct batch *batch;
    struct key *keys;
    size_t count;
};

static bool on_drop(void *context, struct parley_span key, struct parley_span value) {
    struct drops *drops = context;
    (void)value;
    struct key *kept = &drops->keys[drops->count++];
    kept->size = key.size;
    memcpy(kept->bytes, key.data, key.size);
    return drops->count < DROPS_MAX;
}

static enum parley_error drop_some(struct parley_store *store, char letter, size_t *count) {
    struct batch batch;
    struct key low, high;
    batch_init(&batch, store->kv);
    struct drops drops = {&batch, batch_allocate(&batch, DROPS_MAX * sizeof(struct key)), 0};
    key_letter(&low, letter);
    key_after(&high, &low);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), false};
    if (drops.keys != NULL)
        batch_scan(&batch, &bounds, on_drop, &drops);
    for (size_t i = 0; i < drops.count; i++)
        batch_drop(&batch, &drops.keys[i]);
    enum parley_error error = batch_write(&batch);
    *count = drops.count;
    batch_clear(&batch);
    return error;
}

static enum parley_error drop_letter(struct parley_store *store, char letter) {
    size_t count = DROPS_MAX;
    enum parley_error error = PARLEY_E_OK;
    while (error == PARLEY_E_OK && count == DROPS_MAX)
        error = drop_some(store, letter, &count);
    return error;
}

/* ---- one log */

/* What is missing, or another than it was, must not be forgotten: with its head gone a log would be
 * continued below it. */
static bool holds_all(const struct parley_ranges *ranges, const struct parley_ranges *before) {
    parley_seq from, to;
    for (size_t i = 0; i < before->count; i++) {
        const struct parley_run *run = &before->ranges[i], *now;
        if (parley_ranges_missing(ranges, run->lo, run->hi, &from, &to))
            return false;
        now = parley_ranges_find(ranges, run->hi);
        if (now->hi == run->hi && !PARLEY_EQUAL(now->hi_id, run->hi_id))
            return false;
    }
    return true;
}

static uint64_t evidence_cost(struct batch *batch, const struct log_row *row) {
    uint64_t cost = 0;
    struct key key;
    struct parley_span held;
    for (uint8_t i = 0; i < row->evidence_count; i++) {
        key_evidence(&key, row->number, i);
        if (batch_get(batch, &key, &held))
            cost += cost_of_evidence(held.size);
    }
    return cost;
}

/* The row's ranges and counts from its segments. What the old row knew of checked signatures stays
 * where the same entry is a range's newest still. */
static enum parley_error rebuild_row(struct commit *commit, struct log_row *row) {
    parley_seq seq = 1, above;
    struct parley_ranges before = row->held.ranges;
    struct segment segment;
    struct parley_entry top = {0};
    parley_seq conflict;
    struct erased erased;
    row->held.ranges = (struct parley_ranges){0};
    row->held.entries_count = 0;
    row->held.bodies_count = 0;
    row->held.erase_ms = 0;
    row->held.active_ms = 0;
    lacks_keep(row, 1, 0);
    erased_load(&commit->batch, row, &erased);
    row->held.bytes =
        COST_OF_LOG + cost_of_erased(erased.pairs.size) + evidence_cost(&commit->batch, row);
    while (above = seq, segment_walk(&commit->batch, row->number, &seq, PARLEY_SEQ_MAX, &segment)) {
        struct parley_run run = {.lo = segment.chunk.seq_first,
                                 .lo_prev = segment.chunk.prev_first,
                                 .hi = segment_seq_last(&segment)};
        if (!PARLEY_EQUAL(segment.chunk.log, row->held.log) || run.lo < above ||
            !parley_chunk_find(&segment.chunk, run.hi, &top))
            return PARLEY_E_STORE_DAMAGED;
        run.hi_id = top.id;
        const struct parley_run *known = parley_ranges_find(&before, run.hi);
        run.hi_is_signed = known != NULL && known->hi == run.hi && known->hi_is_signed &&
                           PARLEY_EQUAL(known->hi_id, run.hi_id);
        if (parley_ranges_add(&row->held.ranges, &run, PARLEY_PLACE_ANY, NULL, NULL, &conflict) !=
            PARLEY_E_OK)
            return PARLEY_E_STORE_DAMAGED;
        row->held.bytes += cost_of_segment(segment.bytes.size);
        segment_put_timeline(&commit->batch, row, &segment);
        index_add_segment(&commit->batch, row, &segment);
        row->held.entries_count += segment.chunk.count;
        row->held.bodies_count += segment.chunk.bodies_count;
        lacks_add(row, &segment.chunk, run.lo, run.hi, &erased);
    }
    row_note_low(&commit->batch, row);
    return holds_all(&row->held.ranges, &before) ? commit->batch.error : PARLEY_E_STORE_DAMAGED;
}

/* is_trial: nothing is written. */
static enum parley_error rebuild_log(struct parley_store *store, const struct parley_log *log,
                                     bool is_trial) {
    struct commit commit = {.store = store};
    struct log_row row;
    struct key key;
    uint8_t number[4];
    batch_init(&commit.batch, store->kv);
    enum parley_error error = row_load(&commit.batch, log, &row);
    if (error == PARLEY_E_OK)
        error = rebuild_row(&commit, &row);
    if (error == PARLEY_E_OK && !is_trial) {
        uint32_t highest = row.number > row.author_number ? row.number : row.author_number;
        if (store->next_number <= highest)
            store->next_number = highest + 1;
        key_log_name(&key, row.number);
        batch_put_span(&commit.batch, &key, PARLEY_SPAN_OF(row.held.log));
        key_author(&key, &row.held.author);
        parley_put_u32(number, row.author_number);
        if (!log_row_is_empty(&row))
            batch_put_span(&commit.batch, &key, PARLEY_SPAN(number, sizeof number));
        row_save(&commit.batch, &row);
        version_save(&commit.batch, store->next_number);
        error = batch_write(&commit.batch);
    }
    batch_clear(&commit.batch);
    return error;
}

/* ---- all logs, by the order of their names */

struct next_log {
    struct parley_log log;
    bool any;
};

static bool on_next_log(void *context, struct parley_span key, struct parley_span value) {
    struct next_log *next = context;
    (void)value;
    next->any = key.size == 1 + sizeof next->log;
    if (next->any)
        memcpy(next->log.bytes, key.data + 1, sizeof next->log);
    return false;
}

static enum parley_error rebuild_logs(struct parley_store *store, bool is_trial) {
    struct key low, high, letter;
    struct next_log next = {.any = true};
    enum parley_error error = PARLEY_E_OK;
    key_letter(&letter, 'l');
    key_after(&high, &letter);
    low = letter;
    while (error == PARLEY_E_OK) {
        struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), false};
        next.any = false;
        error = store->kv->calls->scan(store->kv, NULL, &bounds, on_next_log, &next);
        if (error != PARLEY_E_OK || !next.any)
            break;
        error = rebuild_log(store, &next.log, is_trial);
        key_log(&low, &next.log);
        low.bytes[low.size++] = 0; /* the next one after it */
    }
    return error;
}

static enum parley_error mark(struct parley_store *store, bool is_going_on) {
    struct batch batch;
    struct key key;
    batch_init(&batch, store->kv);
    key_letter(&key, 'R');
    if (is_going_on)
        batch_put_span(&batch, &key, PARLEY_NO_SPAN);
    else
        batch_drop(&batch, &key);
    if (!is_going_on)
        version_save(&batch, store->next_number); /* an older layout is this one now */
    enum parley_error error = batch_write(&batch);
    batch_clear(&batch);
    return error;
}

enum parley_error parley_store_rebuild(struct parley_store *store) {
    if (store->broken != PARLEY_E_OK)
        return store->broken;
    enum parley_error error = rebuild_logs(store, true);
    if (error == PARLEY_E_OK)
        error = mark(store, true);
    if (error == PARLEY_E_OK)
        error = drop_letter(store, 't');
    if (error == PARLEY_E_OK)
        error = drop_letter(store, 'i');
    if (error == PARLEY_E_OK)
        error = drop_letter(store, 'a');
    for (const char *letter = INDEX_LETTERS; error == PARLEY_E_OK && *letter != 0; letter++)
        error = drop_letter(store, *letter);
    if (error == PARLEY_E_OK)
        error = rebuild_logs(store, false);
    if (error == PARLEY_E_OK)
        error = mark(store, false);
    return error;
}
