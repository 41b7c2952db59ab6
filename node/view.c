#include "internal.h"

/* What of a log is good: what is held, as the policy and the fork verdict leave it. What they hide
 * stays on the disk; another set of identity records may bring it back. */

static bool ends_unsigned(const struct log_row *row) {
    const struct parley_run *newest = &row->ranges.ranges[0];
    return row->ranges.count > 0 && newest->hi == row->unsigned_hi && !newest->hi_is_signed;
}

void log_view(const struct log_row *row, struct parley_ranges *view) {
    const struct parley_policy *policy = &row->policy;
    *view = row->ranges;
    if (policy->kind == PARLEY_POLICY_VOID || row->is_unjudged) {
        view->count = 0;
        return;
    }
    if (row->pin == PIN_OTHER)
        (void)parley_ranges_drop(view, parley_ranges_naming(view, policy->seq)->hi);
    if (policy->kind == PARLEY_POLICY_CLOSED) {
        struct parley_anchor end = {policy->seq, policy->id};
        parley_ranges_cut(view, &end, false);
    } else if (row->forked != 0 || ends_unsigned(row)) {
        parley_ranges_cut(view, &row->below, row->below.seq != policy->seq);
        /* It has grown across the fork since: the review says where it ends. */
        if (view->count > 0 && view->ranges[0].hi == row->below.seq &&
            PARLEY_IS_ZERO(view->ranges[0].hi_id))
            (void)parley_ranges_drop(view, row->below.seq);
    }
}

parley_seq log_forked(const struct log_row *row) {
    return row->policy.kind == PARLEY_POLICY_OPEN && !row->is_unjudged ? row->forked : 0;
}

/* While something of it waits for the disk, only what is known to be there is told. */
static bool told_early(const struct log_row *row, struct parley_anchor *head) {
    if (row->policy.kind != PARLEY_POLICY_OPEN || row->forked != 0 || row->is_unjudged ||
        row->pin == PIN_OTHER || row->durable.seq <= row->policy.seq)
        return false;
    *head = row->durable;
    return true;
}

bool log_told(const struct log_row *row, struct parley_anchor *head, bool *is_signed) {
    *head = (struct parley_anchor){0};
    *is_signed = true;
    if (row->stores_in_flight > 0)
        return told_early(row, head);
    struct parley_ranges view;
    log_view(row, &view);
    if (!parley_ranges_head(&view, &row->policy, head))
        return false;
    *is_signed = parley_ranges_find(&view, head->seq)->hi_is_signed;
    return true;
}

bool log_told_named(const struct log_row *row, const struct parley_anchor *head, parley_seq *low) {
    struct parley_ranges view;
    if (row->stores_in_flight > 0 || row->policy.kind != PARLEY_POLICY_OPEN ||
        head->seq <= row->policy.seq || row->pin != PIN_HELD)
        return false;
    log_view(row, &view);
    const struct parley_run *run = parley_ranges_find(&view, row->policy.seq);
    if (run == NULL || run->hi >= head->seq)
        return false;
    *low = run->lo;
    return true;
}

bool log_shows(const struct log_row *row, parley_seq seq) {
    struct parley_ranges view;
    log_view(row, &view);
    return parley_ranges_shows(&view, &row->policy, seq);
}

/* --- what changes the verdict ---------------------------------------------------------------- */

/* The range that gives what the records name an id. */
static const struct parley_run *run_at_named(const struct log_row *row) {
    return row->policy.seq == 0 ? NULL : parley_ranges_naming(&row->ranges, row->policy.seq);
}

/* Whether it goes on from what the records name, and does not have that. */
static bool is_right_above(const struct log_row *row, const struct parley_run *run) {
    return run->lo == row->policy.seq + 1 && PARLEY_EQUAL(run->lo_prev, row->policy.id);
}

static bool needs_reading(const struct log_row *row) {
    const struct parley_run *run = run_at_named(row);
    return row->forked != 0 || row->marked != 0 ||
           (run != NULL && run->hi != row->policy.seq && !is_right_above(row, run));
}

/* Whether the newest entry is one by its own signature nobody has asked here: what named it once
 * does not any more. */
static bool is_end_unknown(const struct log_row *row) {
    const struct parley_run *newest = &row->ranges.ranges[0];
    return row->policy.kind == PARLEY_POLICY_OPEN && row->ranges.count > 0 &&
           newest->hi > row->policy.seq && !newest->hi_is_signed;
}

/* Without the disk, from the ends of the ranges alone. */
static void judge_ends(struct log_row *row) {
    const struct parley_run *run = run_at_named(row);
    row->is_unjudged = false;
    row->pin = PIN_ABSENT;
    if (run != NULL && !is_right_above(row, run))
        row->pin = PARLEY_EQUAL(run->hi_id, row->policy.id) ? PIN_HELD : PIN_OTHER;
}

void log_judge_anew(struct parley_node *node, uint32_t log) {
    struct log_row *row = &node->logs[log];
    row->world++;
    row->overlaps = false;
    row->unsigned_hi = 0;
    if (row->policy.kind == PARLEY_POLICY_VOID)
        return; /* nothing is good, whatever is held */
    if (!needs_reading(row)) {
        judge_ends(row);
        if (is_end_unknown(row))
            review_want(node, log);
        return;
    }
    row->is_unjudged = true;
    review_want(node, log);
}

void log_set_policy(struct parley_node *node, uint32_t log, const struct parley_policy *policy) {
    struct log_row *row = &node->logs[log];
    if (parley_policy_equal(&row->policy, policy))
        return;
    row->policy = *policy;
    log_judge_anew(node, log);
    queue_log(node, log);
}

void log_grew(struct parley_node *node, uint32_t log, const struct parley_judged *judged) {
    struct log_row *row = &node->logs[log];
    const struct parley_policy *policy = &row->policy;
    struct parley_entry entry;
    row->world++;
    if (policy->seq != 0 && row->pin == PIN_ABSENT &&
        parley_chunk_find(&judged->chunk, policy->seq, &entry))
        row->pin = PARLEY_EQUAL(entry.id, policy->id) ? PIN_HELD : PIN_OTHER;
    /* Which of the entries below a fork is the newest that is signed may have changed. */
    if (row->forked != 0 && policy->kind == PARLEY_POLICY_OPEN)
        review_want(node, log);
}
