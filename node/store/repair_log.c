/* One log: its segments from the newest down. What the judge does not take goes, and so does what
 * nothing vouches for: a range stands on an entry whose own signature holds, or that the records
 * name.
 */
#include "repair.h"
#include <stdlib.h>

struct salvage {
    struct repair *repair;
    struct batch batch;
    struct log_row row; /* as it will be: ranges from what stays */
    struct parley_policy policy;
};

/* The lowest range so far, which goes on when what comes ends right below it; else NULL. It does so
 * whatever was dropped in between: two ranges that touch are one. */
static struct parley_run *above(struct salvage *salvage, parley_seq last) {
    struct parley_ranges *ranges = &salvage->row.held.ranges;
    struct parley_run *lowest = ranges->count > 0 ? &ranges->ranges[ranges->count - 1] : NULL;
    return lowest != NULL && lowest->lo == last + 1 ? lowest : NULL;
}

static void lose(struct salvage *salvage, enum parley_damage_kind kind, parley_seq low,
                 parley_seq high) {
    repair_lose(salvage->repair, kind, 's', &salvage->row.held, low, high);
}

static void drop(struct salvage *salvage, struct parley_span key) {
    struct key doomed = {.size = key.size};
    memcpy(doomed.bytes, key.data, key.size);
    batch_drop(&salvage->batch, &doomed);
}

/* As the judge has it: with an anchor the top is the one that the segment above names; without one
 * its own signature holds, or the records name it. */
static enum parley_error judge(struct salvage *salvage, const struct segment *segment,
                               struct parley_run *run) {
    struct parley_judged judged;
    struct parley_entry top = {0};
    parley_seq last = segment_seq_last(segment);
    const struct parley_run *linked = above(salvage, last);
    struct parley_anchor anchor = {last, {{0}}};
    if (!parley_chunk_find(&segment->chunk, last, &top))
        return PARLEY_E_BAD_ANCHOR;
    anchor.id = linked != NULL ? linked->lo_prev : top.id;
    struct parley_fault fault =
        parley_judge_chunk(&judged, &salvage->row.held.log, &salvage->policy,
                           &salvage->row.held.device, &anchor, segment->chunk.bytes);
    *run = judged.run;
    if (fault.error != PARLEY_E_OK || linked != NULL)
        return fault.error;
    bool is_named = salvage->policy.seq == last && PARLEY_EQUAL(salvage->policy.id, top.id);
    run->hi_is_signed = parley_check_holds(&judged.check);
    return run->hi_is_signed || is_named ? PARLEY_E_OK : PARLEY_E_BAD_SIGNATURE;
}

static void keep(struct salvage *salvage, const struct parley_run *run) {
    struct parley_ranges *ranges = &salvage->row.held.ranges;
    struct parley_run *linked = above(salvage, run->hi);
    if (linked == NULL) {
        ranges->ranges[ranges->count++] = *run;
        return;
    }
    linked->lo = run->lo;
    linked->lo_prev = run->lo_prev;
}

static bool on_segment(void *context, struct parley_span key, struct parley_span value) {
    struct salvage *salvage = context;
    const struct parley_ranges *ranges = &salvage->row.held.ranges;
    struct segment segment;
    struct parley_run run;
    parley_seq seq = parley_get_u48(key.data + key.size - 6);
    if (segment_decode(&segment, value) != PARLEY_E_OK ||
        !PARLEY_EQUAL(segment.chunk.log, salvage->row.held.log) || segment.chunk.seq_first != seq ||
        (ranges->count > 0 && segment_seq_last(&segment) >= ranges->ranges[ranges->count - 1].lo)) {
        lose(salvage, PARLEY_DAMAGE_ENTRIES, seq, seq);
        drop(salvage, key);
        return true;
    }
    enum parley_error error = judge(salvage, &segment, &run);
    if (error == PARLEY_E_OK && above(salvage, run.hi) == NULL &&
        ranges->count == PARLEY_RANGES_MAX)
        error = PARLEY_E_FULL;
    if (error == PARLEY_E_OK) {
        keep(salvage, &run);
        return true;
    }
    lose(salvage, error == PARLEY_E_BAD_SIGNATURE ? PARLEY_DAMAGE_SIGNATURE : PARLEY_DAMAGE_ENTRIES,
         seq, segment_seq_last(&segment));
    drop(salvage, key);
    return true;
}

/* What the row named before and is not held now, but for what was objected to by itself. */
static void tell_missing(struct salvage *salvage, const struct parley_ranges *before) {
    for (size_t i = 0; i < before->count; i++) {
        parley_seq from, to, next = before->ranges[i].lo;
        while (next <= before->ranges[i].hi &&
               parley_ranges_missing(&salvage->row.held.ranges, next, before->ranges[i].hi, &from,
                                     &to)) {
            lose(salvage, PARLEY_DAMAGE_MISSING, from, to);
            next = to + 1;
        }
    }
}

static bool holds_evidence(struct salvage *salvage, uint8_t index) {
    struct key key;
    struct parley_span value;
    struct parley_chunk chunk;
    key_evidence(&key, salvage->row.number, index);
    return batch_get(&salvage->batch, &key, &value) &&
           parley_chunk_decode(&chunk, value).error == PARLEY_E_OK &&
           PARLEY_EQUAL(chunk.log, salvage->row.held.log);
}

static bool on_extra(void *context, struct parley_span key, struct parley_span value) {
    struct salvage *salvage = context;
    (void)value;
    if (key.data[key.size - 1] >= salvage->row.evidence_count)
        drop(salvage, key);
    return true;
}

/* All of it or nothing: a fork is told again by whoever knows of it. */
static void mend_evidence(struct salvage *salvage) {
    struct log_row *row = &salvage->row;
    struct key low, high;
    uint8_t good = 0;
    while (good < row->evidence_count && holds_evidence(salvage, good))
        good++;
    if (good < row->evidence_count) {
        repair_lose(salvage->repair, PARLEY_DAMAGE_EVIDENCE, 'e', &row->held, 0, 0);
        row->evidence_count = 0;
        row->held.forked = 0;
    }
    key_letter_number(&low, 'e', row->number);
    key_after(&high, &low);
    repair_scan(salvage->repair, &low, &high, on_extra, salvage);
}

static void load_policy(struct salvage *salvage) {
    struct repair *repair = salvage->repair;
    struct parley_device_key device;
    salvage->policy = PARLEY_NO_POLICY;
    repair->error = author_set_load(&repair->set, repair->kv, NULL, &salvage->row.held.author,
                                    false, NULL, NULL);
    if (repair->set.set.revealed)
        (void)parley_identity_log_policy(&salvage->policy, &device, &repair->set.set,
                                         &salvage->row.held.log);
}

static void salvage_log(struct repair *repair, struct salvage *salvage) {
    struct key low, high, key;
    struct parley_span value;
    struct parley_ranges before = salvage->row.held.ranges;
    load_policy(salvage);
    salvage->row.held.ranges = (struct parley_ranges){0};
    salvage->row.tail_small = salvage->row.tail_medium = 0;
    salvage->row.held.erase_ms = 0; /* rebuilding finds those that wait */
    key_letter_number(&low, 's', salvage->row.number);
    key_after(&high, &low);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), true};
    if (repair->error == PARLEY_E_OK)
        repair->error = repair->kv->calls->scan(repair->kv, NULL, &bounds, on_segment, salvage);
    tell_missing(salvage, &before);
    key_erased(&key, salvage->row.number);
    salvage->row.has_erased = batch_get(&salvage->batch, &key, &value);
    mend_evidence(salvage);
    row_save(&salvage->batch, &salvage->row);
}

/* ---- every log */

struct logs {
    struct repair *repair;
    struct parley_store store;
    struct parley_log last;
    bool is_first, any;
};

static bool on_log(void *context, struct parley_span key, struct parley_span value) {
    struct logs *logs = context;
    (void)value;
    struct parley_log log;
    memcpy(log.bytes, key.data + 1, sizeof log);
    if (!logs->is_first && PARLEY_EQUAL(log, logs->last))
        return true;
    logs->last = log;
    logs->any = true;
    return false;
}

static bool next_log(struct logs *logs) {
    struct key low, high, letter;
    key_letter(&letter, 'l');
    key_after(&high, &letter);
    low = letter;
    if (!logs->is_first)
        key_log(&low, &logs->last);
    logs->any = false;
    repair_scan(logs->repair, &low, &high, on_log, logs);
    logs->is_first = false;
    return logs->any && logs->repair->error == PARLEY_E_OK;
}

/* A log keeps its number unless that is another's, by what stands under it or by the rows that were
 * mended before. */
static void mend_number(struct logs *logs, struct salvage *salvage) {
    struct log_row *row = &salvage->row;
    struct key key;
    struct parley_span name;
    key_log_name(&key, row->number);
    if (batch_get(&salvage->batch, &key, &name) ||
        repair_claim(logs->repair, row->number, &row->held.log) == REPAIR_CLAIM_OF_OTHERS)
        row->number = logs->store.next_number++;
    key_log_name(&key, row->number);
    batch_put_span(&salvage->batch, &key, PARLEY_SPAN_OF(row->held.log));
}

/* The numbers of authors are given anew: all logs of one author get the same. */
static void mend_log(struct logs *logs, struct salvage *salvage) {
    struct repair *repair = logs->repair;
    struct commit commit = {.store = &logs->store};
    *salvage = (struct salvage){.repair = repair};
    batch_init(&salvage->batch, repair->kv);
    repair->error = row_load(&salvage->batch, &logs->last, &salvage->row);
    if (repair->error == PARLEY_E_OK) {
        commit.batch = salvage->batch;
        salvage->row.author_number = author_number(&commit, &salvage->row.held.author);
        salvage->batch = commit.batch;
        mend_number(logs, salvage);
        salvage_log(repair, salvage);
        version_save(&salvage->batch, logs->store.next_number);
    }
    if (repair->error == PARLEY_E_OK)
        repair_write(repair, &salvage->batch);
    batch_clear(&salvage->batch);
}

static bool on_doomed(void *context, struct parley_span key, struct parley_span value) {
    struct key doomed = {.size = key.size < sizeof doomed.bytes ? key.size : sizeof doomed.bytes};
    (void)value;
    memcpy(doomed.bytes, key.data, doomed.size);
    batch_drop(context, &doomed);
    return true;
}

void repair_logs(struct repair *repair) {
    struct logs logs = {.repair = repair,
                        .store = {.kv = repair->kv, .next_number = repair->next_number},
                        .is_first = true};
    struct batch batch;
    struct salvage *salvage = malloc(sizeof *salvage);
    if (salvage == NULL && repair->error == PARLEY_E_OK)
        repair->error = PARLEY_E_NO_MEMORY;
    batch_init(&batch, repair->kv);
    repair_scan_letter(repair, 'a', on_doomed, &batch);
    repair_scan_letter(repair, 'i', on_doomed, &batch);
    repair_write(repair, &batch);
    while (salvage != NULL && repair->error == PARLEY_E_OK && next_log(&logs))
        mend_log(&logs, salvage);
    repair->next_number = logs.store.next_number;
    free(salvage);
}
