/* One log: its row, the names that lead to it, and its segments from the newest down, each through
 * the judge with what the one above commits to.
 */
#include "check.h"
#include <stdlib.h>

/* More than a row can name: the rest is objected to in one piece. */
#define STRETCHES_MAX (8u * PARLEY_RANGES_MAX)

/* Entries that were found and touch each other. */
struct stretch {
    struct parley_run run;
    struct parley_check check; /* of its newest entry's own signature */
    bool is_bad;               /* bytes are there and were objected to */
};

struct log_walk {
    struct checking *checking;
    const struct log_row *row;
    struct parley_policy policy;
    struct stretch found[STRETCHES_MAX]; /* newest first */
    size_t found_count;
    bool is_chained; /* the segment above was good: its first entry names the next one */
    uint64_t entries_count, bodies_count;
    struct log_row lacking;  /* those found without a body */
    uint64_t damages_before; /* counts that differ then are news only when nothing else is */
};

static void object(struct log_walk *walk, enum parley_damage_kind kind, char letter, parley_seq low,
                   parley_seq high) {
    check_object(walk->checking, kind, letter, &walk->row->held, low, high);
}

/* ---- segments, newest first */

static struct stretch *last_found(struct log_walk *walk) {
    return walk->found_count == 0 ? NULL : &walk->found[walk->found_count - 1];
}

/* How far up bytes that do not say so themselves may have reached. */
static parley_seq high_of_bad(struct log_walk *walk, parley_seq seq) {
    const struct stretch *above = last_found(walk);
    const struct parley_run *run = parley_ranges_find(&walk->row->held.ranges, seq);
    parley_seq high = run == NULL ? seq : run->hi;
    return above != NULL && above->run.lo <= high && above->run.lo > seq ? above->run.lo - 1 : high;
}

static void add_stretch(struct log_walk *walk, const struct stretch *stretch) {
    if (walk->found_count == STRETCHES_MAX)
        object(walk, PARLEY_DAMAGE_INDEX, 'l', stretch->run.lo, stretch->run.hi);
    else
        walk->found[walk->found_count++] = *stretch;
}

static void add_bad(struct log_walk *walk, parley_seq low, parley_seq high) {
    struct stretch stretch = {.run = {.lo = low, .hi = high}, .is_bad = true};
    object(walk, PARLEY_DAMAGE_ENTRIES, 's', low, high);
    add_stretch(walk, &stretch);
    walk->is_chained = false;
}

/* What the top of the segment must be: as the segment above says, or the log's row. False when
 * nobody says. */
static bool anchor_of(struct log_walk *walk, parley_seq last, struct parley_anchor *anchor) {
    const struct stretch *above = last_found(walk);
    const struct parley_run *run = parley_ranges_find(&walk->row->held.ranges, last);
    anchor->seq = last;
    if (walk->is_chained && above->run.lo == last + 1)
        anchor->id = above->run.lo_prev;
    else if (run != NULL && run->hi == last)
        anchor->id = run->hi_id;
    else
        return false;
    return true;
}

/* False when the judge refuses it. */
static bool judge(struct log_walk *walk, const struct segment *segment, struct stretch *stretch) {
    struct parley_judged judged;
    struct parley_entry top = {0};
    struct parley_anchor anchor;
    parley_seq last = segment_seq_last(segment);
    if (!anchor_of(walk, last, &anchor)) {
        if (!parley_chunk_find(&segment->chunk, last, &top))
            return false;
        anchor.id = top.id;
    }
    struct parley_fault fault =
        parley_judge_chunk(&judged, &walk->row->held.log, &walk->policy, &walk->row->held.device,
                           &anchor, segment->chunk.bytes);
    stretch->run = judged.run;
    stretch->check = judged.check;
    return fault.error == PARLEY_E_OK;
}

static void add_good(struct log_walk *walk, const struct stretch *stretch) {
    struct stretch *above = last_found(walk);
    if (walk->is_chained && above->run.lo == stretch->run.hi + 1) {
        above->run.lo = stretch->run.lo;
        above->run.lo_prev = stretch->run.lo_prev;
    } else {
        add_stretch(walk, stretch);
    }
    walk->is_chained = walk->found_count > 0 && !last_found(walk)->is_bad;
}

static bool on_segment(void *context, struct parley_span key, struct parley_span value) {
    struct log_walk *walk = context;
    const struct stretch *above = last_found(walk);
    struct segment segment;
    struct stretch stretch = {.is_bad = false};
    parley_seq seq = parley_get_u48(key.data + key.size - 6);
    walk->checking->work++;
    bool is_good = segment_decode(&segment, value) == PARLEY_E_OK &&
                   PARLEY_EQUAL(segment.chunk.log, walk->row->held.log) &&
                   segment.chunk.seq_first == seq &&
                   (above == NULL || segment_seq_last(&segment) < above->run.lo) &&
                   judge(walk, &segment, &stretch);
    if (!is_good) {
        add_bad(walk, seq, high_of_bad(walk, seq));
        return true;
    }
    add_good(walk, &stretch);
    walk->entries_count += segment.chunk.count;
    walk->bodies_count += segment.chunk.bodies_count;
    if (!walk->row->has_erased)
        lacks_add(&walk->lacking, &segment.chunk, seq, stretch.run.hi,
                  &(struct erased){PARLEY_NO_SPAN});
    walk->checking->work += segment.chunk.count;
    if (!check_has_timeline(walk->checking, walk->row, &segment))
        object(walk, PARLEY_DAMAGE_INDEX, 't', seq, stretch.run.hi);
    if (!check_has_sayings(walk->checking, walk->row, &segment))
        object(walk, PARLEY_DAMAGE_INDEX, 'b', seq, stretch.run.hi);
    return true;
}

/* ---- what was found against what the row says */

static void object_to_missing(struct log_walk *walk, const struct parley_run *run) {
    parley_seq next = run->hi; /* downwards, as the stretches */
    for (size_t i = 0; i < walk->found_count && next >= run->lo; i++) {
        const struct parley_run *found = &walk->found[i].run;
        if (found->lo > next || found->hi < run->lo)
            continue;
        if (found->hi < next)
            object(walk, PARLEY_DAMAGE_MISSING, 's', found->hi + 1, next);
        next = found->lo - 1;
    }
    if (next >= run->lo)
        object(walk, PARLEY_DAMAGE_MISSING, 's', run->lo, next);
}

/* The newest entry must be vouched for: by itself, or by what the records name. Where the records
 * hide the log nothing is asked. */
static bool is_vouched_for(const struct log_walk *walk, const struct parley_run *run,
                           const struct parley_check *check) {
    const struct parley_policy *policy = &walk->policy;
    if (!run->hi_is_signed && (policy->kind != PARLEY_POLICY_OPEN ||
                               (policy->seq == run->hi && PARLEY_EQUAL(policy->id, run->hi_id))))
        return true;
    return parley_check_holds(check);
}

static void compare_ends(struct log_walk *walk, const struct parley_run *run) {
    for (size_t i = 0; i < walk->found_count; i++) {
        const struct stretch *stretch = &walk->found[i];
        if (stretch->is_bad)
            continue;
        if (stretch->run.hi == run->hi && !is_vouched_for(walk, run, &stretch->check))
            object(walk, PARLEY_DAMAGE_SIGNATURE, 's', run->hi, run->hi);
        if (stretch->run.lo == run->lo && !PARLEY_EQUAL(stretch->run.lo_prev, run->lo_prev))
            object(walk, PARLEY_DAMAGE_ENTRIES, 's', run->lo, run->lo);
    }
}

/* The row's stretch has all of them inside. */
static bool knows_what_lacks(const struct log_walk *walk) {
    const struct parley_store_log *found = &walk->lacking.held, *held = &walk->row->held;
    return found->lacks_high == 0 ||
           (held->lacks_high >= found->lacks_high && held->lacks_low <= found->lacks_low);
}

static void compare(struct log_walk *walk) {
    const struct parley_ranges *ranges = &walk->row->held.ranges;
    for (size_t i = 0; i < ranges->count; i++) {
        object_to_missing(walk, &ranges->ranges[i]);
        compare_ends(walk, &ranges->ranges[i]);
    }
    for (size_t i = 0; i < walk->found_count; i++) {
        parley_seq from, to;
        const struct parley_run *found = &walk->found[i].run;
        if (!walk->found[i].is_bad &&
            parley_ranges_missing(ranges, found->lo, found->hi, &from, &to))
            object(walk, PARLEY_DAMAGE_INDEX, 'l', from, to);
    }
    bool is_counted = walk->entries_count == walk->row->held.entries_count &&
                      walk->bodies_count == walk->row->held.bodies_count && knows_what_lacks(walk);
    if (!is_counted && walk->checking->check->damages_count == walk->damages_before)
        object(walk, PARLEY_DAMAGE_INDEX, 'l', 0, 0);
}

/* ---- the row and its names */

static void check_names(struct checking *checking, const struct log_row *row) {
    struct key key;
    uint8_t value[32];
    size_t size = 0;
    key_log_name(&key, row->number);
    if (!check_get(checking, &key, value, sizeof value, &size) || size != 32 ||
        memcmp(value, row->held.log.bytes, 32) != 0)
        check_object(checking, PARLEY_DAMAGE_INDEX, 'i', &row->held, 0, 0);
    key_author(&key, &row->held.author);
    /* Of what is only remembered the author may be forgotten. */
    if (!log_row_is_empty(row) && (!check_get(checking, &key, value, sizeof value, &size) ||
                                   size != 4 || parley_get_u32(value) != row->author_number))
        check_object(checking, PARLEY_DAMAGE_INDEX, 'a', &row->held, 0, 0);
    if (row->number >= checking->next_number || row->author_number >= checking->next_number)
        check_object(checking, PARLEY_DAMAGE_INDEX, 'V', &row->held, 0, 0);
}

static void check_evidence(struct checking *checking, const struct log_row *row) {
    struct key key;
    struct parley_chunk chunk;
    size_t size = 0;
    for (uint8_t i = 0; i < row->evidence_count; i++) {
        key_evidence(&key, row->number, i);
        if (!check_get(checking, &key, checking->buffer, sizeof checking->buffer, &size) ||
            parley_chunk_decode(&chunk, PARLEY_SPAN(checking->buffer, size)).error != PARLEY_E_OK ||
            !PARLEY_EQUAL(chunk.log, row->held.log))
            check_object(checking, PARLEY_DAMAGE_EVIDENCE, 'e', &row->held, 0, 0);
    }
}

/* The records judge; one's author of whom none is here judges nothing. */
static struct parley_policy policy_of(struct checking *checking, const struct log_row *row) {
    struct parley_policy policy = PARLEY_NO_POLICY;
    struct parley_device_key device;
    enum parley_error error = author_set_load(&checking->set, checking->kv, checking->view,
                                              &row->held.author, false, NULL, NULL);
    check_scanned(checking, error, 'r', &row->held);
    if (!checking->set.set.revealed && !log_row_is_empty(row))
        check_object(checking, PARLEY_DAMAGE_RECORDS_MISSING, 'r', &row->held, 0, 0);
    else if (checking->set.set.revealed)
        (void)parley_identity_log_policy(&policy, &device, &checking->set.set, &row->held.log);
    return policy;
}

static void check_segments(struct checking *checking, const struct log_row *row) {
    struct key low, high;
    struct log_walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL) {
        checking->error = PARLEY_E_NO_MEMORY;
        return;
    }
    walk->checking = checking;
    walk->row = row;
    walk->damages_before = checking->check->damages_count;
    walk->policy = policy_of(checking, row);
    key_letter_number(&low, 's', row->number);
    key_after(&high, &low);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), true, true};
    check_scanned(
        checking,
        checking->kv->calls->scan(checking->kv, checking->view, &bounds, on_segment, walk), 's',
        &row->held);
    compare(walk);
    checking->check->entries_count += walk->entries_count;
    free(walk);
}

static bool is_sound(const struct log_row *row, struct parley_span key) {
    struct parley_log log;
    parley_log_derive(&log, &row->held.author, &row->held.device);
    return row->number != 0 && memcmp(log.bytes, key.data + 1, sizeof log) == 0;
}

void check_log(struct checking *checking) {
    struct log_row row;
    struct parley_log log;
    struct parley_span key = key_span(&checking->key);
    if (key.size == 1 + sizeof log)
        memcpy(log.bytes, key.data + 1, sizeof log);
    if (key.size != 1 + sizeof log || log_row_decode(&row, &log, checking->value) != PARLEY_E_OK ||
        !is_sound(&row, key)) {
        check_object(checking, PARLEY_DAMAGE_ROW, 'l', NULL, 0, 0);
        return;
    }
    checking->check->logs_count++;
    check_names(checking, &row);
    check_evidence(checking, &row);
    check_segments(checking, &row);
}
