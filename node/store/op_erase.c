/* Erasures whose time has come: the bodies that they name go, and stay out. SPEC 5.7. */
#include "internal.h"
#include <parley/body.h>

/* Each names up to PARLEY_ERASE_REFS_MAX entries, and each of these may rewrite a segment. */
#define ERASURES_A_SWEEP 16u

struct waiting {
    parley_time_ms received_ms;
    parley_seq seq;
};

struct waiting_list {
    struct waiting items[ERASURES_A_SWEEP];
    size_t count;
    parley_seq low, high; /* only erasures by these entries are taken */
};

static bool on_waiting(void *context, struct parley_span key, struct parley_span value) {
    struct waiting_list *list = context;
    (void)value;
    if (key.size != PENDING_KEY_SIZE)
        return true;
    struct waiting waiting = {parley_get_u64(key.data + 5), parley_get_u48(key.data + 13)};
    if (waiting.seq < list->low || waiting.seq > list->high)
        return true;
    list->items[list->count++] = waiting;
    return list->count < ERASURES_A_SWEEP;
}

static void list_waiting(struct commit *commit, const struct log_row *row, parley_time_ms until,
                         struct waiting_list *list) {
    struct key low, high;
    key_letter_number(&low, 'd', row->number);
    if (until >= PARLEY_TIME_MAX)
        key_after(&high, &low);
    else
        key_pending(&high, row->number, until + 1, 0);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), false};
    batch_scan(&commit->batch, &bounds, on_waiting, list);
}

/* ---- one erasure */

/* Drops the body of the entry that is meant; that of an erasure stays. */
struct target {
    struct parley_id id;
    bool is_other;
};

static bool keep_unless_meant(void *context, struct parley_entry *entry) {
    struct target *target = context;
    struct parley_body body;
    bool is_erasure = parley_body_decode(&body, entry->body).error == PARLEY_E_OK &&
                      body.kind == PARLEY_BODY_ERASE;
    target->is_other = is_erasure || !PARLEY_EQUAL(entry->id, target->id);
    return target->is_other;
}

static void erase_one(struct commit *commit, struct log_row *row, const struct parley_ref *ref) {
    struct target target = {.id = ref->id};
    bodies_rewrite(commit, row, ref->seq, ref->seq, true, keep_unless_meant, &target);
    /* What is not held yet is remembered by its number: below the erasing entry there is one entry
     * of that number. */
    if (!target.is_other) {
        erased_add(&commit->batch, row, ref->seq, ref->seq);
        lacks_settle(commit, row, ref->seq, ref->seq);
    }
}

/* The refs of the erasing entry; they are copied, for its segment is overwritten by the next one
 * that is looked for. */
static bool read_refs(struct commit *commit, const struct log_row *row, parley_seq seq,
                      struct parley_erase *erase) {
    struct segment segment;
    struct segment_cursor cursor;
    struct parley_item item;
    struct parley_body body;
    if (!segment_find(&commit->batch, row->number, seq, seq, &segment))
        return false;
    segment_start(&cursor, &segment);
    while (segment_next_item(&cursor, &item))
        if (item.seq == seq && item.has_body &&
            parley_body_decode(&body, item.body).error == PARLEY_E_OK &&
            body.kind == PARLEY_BODY_ERASE) {
            *erase = body.erase;
            return true;
        }
    return false;
}

static void apply_waiting(struct commit *commit, struct log_row *row,
                          const struct waiting *waiting) {
    struct parley_erase erase;
    struct key key;
    bool is_held = read_refs(commit, row, waiting->seq, &erase);
    for (size_t i = 0; is_held && i < erase.refs_count; i++)
        if (PARLEY_EQUAL(erase.refs[i].log, row->held.log) && erase.refs[i].seq < waiting->seq)
            erase_one(commit, row, &erase.refs[i]);
    key_pending(&key, row->number, waiting->received_ms, waiting->seq);
    batch_drop(&commit->batch, &key);
}

/* ---- all of a log */

/* Since when the first of those waits that are left. */
static void find_next(struct commit *commit, struct log_row *row) {
    struct waiting_list first = {.high = PARLEY_SEQ_MAX};
    list_waiting(commit, row, UINT64_MAX, &first);
    row->held.erase_ms = first.count == 0 ? 0 : first.items[0].received_ms;
    if (first.count > 0 && row->held.erase_ms == 0)
        row->held.erase_ms = 1; /* 0 says that none waits */
}

bool erase_sweep(struct commit *commit, struct log_row *row, parley_seq low, parley_seq high,
                 parley_time_ms until) {
    struct waiting_list list = {.low = low, .high = high};
    if (row->held.erase_ms == 0)
        return true;
    list_waiting(commit, row, until, &list);
    for (size_t i = 0; i < list.count; i++)
        apply_waiting(commit, row, &list.items[i]);
    find_next(commit, row);
    return row->held.erase_ms == 0;
}

enum parley_error apply_erase(struct commit *commit, const struct parley_store_op *op) {
    struct log_row row;
    enum parley_error error = row_load(&commit->batch, &op->log, &row);
    if (error != PARLEY_E_OK)
        return error;
    if (row.held.erase_ms == 0)
        return PARLEY_E_OK;
    bool is_done = erase_sweep(commit, &row, 1, op->seq_high, op->received_ms);
    row_save(&commit->batch, &row);
    if (commit->batch.error != PARLEY_E_OK)
        return commit->batch.error;
    return is_done ? PARLEY_E_OK : PARLEY_E_EXISTS;
}
