#include "internal.h"

/* Parts of a log that go: a branch that gives way, and ranges that make room for a better one. */

static void newest_signed(struct log_row *row) {
    row->durable = (struct parley_anchor){0};
    for (size_t i = 0; i < row->ranges.count && row->durable.seq == 0; i++)
        if (row->ranges.ranges[i].hi_is_signed)
            row->durable =
                (struct parley_anchor){row->ranges.ranges[i].hi, row->ranges.ranges[i].hi_id};
}

bool log_cut(struct parley_node *node, uint32_t log, const struct parley_anchor *top,
             parley_seq hi) {
    struct log_row *row = &node->logs[log];
    struct parley_store_op op = {
        .kind = PARLEY_STORE_CUT, .log = row->log, .seq_high = top->seq, .seq_low = hi};
    struct pending_store after = {
        .after = AFTER_CUT, .log = log, .author = row->author, .count = (size_t)(hi - top->seq)};
    const struct parley_run *run = parley_ranges_find(&row->ranges, hi);
    assert(run != NULL && run->hi == hi && run->lo <= top->seq + 1);
    if (log == node->own_log || !store_has_room(node) || !store_emit(node, &op, &after))
        return false;
    row->stores_in_flight++;
    row->world++;
    author_changed(node, row->author);
    parley_ranges_cut_one(&row->ranges, top, false);
    newest_signed(row);
    return true;
}

bool log_may_make_room(const struct log_row *row) {
    const struct parley_run *newest = &row->ranges.ranges[0];
    if (row->ranges.count == 0)
        return false;
    return row->policy.kind == PARLEY_POLICY_OPEN ? row->forked != 0 && newest->lo >= row->forked
                                                  : newest->lo > row->policy.seq;
}

bool log_make_room(struct parley_node *node, uint32_t log) {
    const struct log_row *row = &node->logs[log];
    const struct parley_run *newest = &row->ranges.ranges[0];
    struct parley_anchor top = {newest->lo - 1, {{0}}};
    return log_may_make_room(row) && row->stores_in_flight == 0 &&
           log_cut(node, log, &top, newest->hi);
}

/* The smallest range between the newest and the one that goes down to the first, but not what the
 * records name; NULL: none. No head or digest tells of it, and it comes again with what is above.
 */
static const struct parley_run *least_island(const struct log_row *row) {
    const struct parley_run *least = NULL;
    for (size_t i = 1; i < row->ranges.count; i++) {
        const struct parley_run *run = &row->ranges.ranges[i];
        bool is_named = run->lo <= row->policy.seq && row->policy.seq <= run->hi;
        if (!is_named && run->lo != 1 &&
            (least == NULL || run->hi - run->lo <= least->hi - least->lo))
            least = run;
    }
    return least;
}

bool log_may_drop_island(const struct log_row *row) {
    return row->policy.kind == PARLEY_POLICY_OPEN && least_island(row) != NULL;
}

bool log_drop_island(struct parley_node *node, uint32_t log, const struct parley_run *run) {
    const struct log_row *row = &node->logs[log];
    const struct parley_run *least = least_island(row);
    struct parley_ranges view;
    log_view(row, &view);
    /* Above a fork there may be more, of which no head tells. */
    parley_seq newest = view.count == 0 ? 0 : view.ranges[0].hi;
    bool is_head = log_may_drop_island(row) && run->hi > newest;
    bool is_named = run->hi == row->policy.seq && PARLEY_EQUAL(run->hi_id, row->policy.id);
    if (least == NULL || (!is_head && !is_named) || row->stores_in_flight > 0)
        return false;
    struct parley_anchor top = {least->lo - 1, {{0}}};
    return log_cut(node, log, &top, least->hi);
}
