#include "internal.h"

/* A log is shortened from below: whole entries, since one without its words is of no use to a
 * reader and takes half of the room. What the peers are told is how far down it goes; what is gone
 * is not asked for again. The newest entry stays, and so does what the identity records name. */

#define STEP_ENTRIES_MIN 8u
#define STEP_ENTRIES_MAX 256u /* 75 KB of posts: oldest first holds within it */
#define STEP_SHARE       8u

/* The highest floor that it may get. */
static parley_seq floor_max(const struct log_row *row) {
    parley_seq keeps = log_newest(row);
    if (row->policy.kind != PARLEY_POLICY_VOID && row->policy.seq != 0 && row->policy.seq < keeps)
        keeps = row->policy.seq;
    if (row->forked != 0 && row->below.seq < keeps)
        keeps = row->below.seq;
    return keeps;
}

static const struct parley_run *lowest(const struct log_row *row) {
    return row->ranges.count == 0 ? NULL : &row->ranges.ranges[row->ranges.count - 1];
}

static bool may_prune(const struct parley_node *node, uint32_t log) {
    const struct log_row *row = &node->logs[log];
    uint8_t depth = row->is_free ? 0 : node->authors[row->author].depth;
    return depth != 0 && !author_is_allowed(node, row->author) && lowest(row) != NULL &&
           lowest(row)->lo < floor_max(row) && !quota_is_stranger(node, row->author) &&
           quota_log_is_quiet(node, log);
}

void prune_find(struct parley_node *node) {
    const uint64_t near = UINT64_C(1) << 63;
    for (uint32_t i = 0; i < node->logs_count; i++) {
        const struct log_row *row = &node->logs[i];
        if (may_prune(node, i))
            quota_add_victim(
                node, row->quota.low_ms | (node->authors[row->author].depth > 1 ? 0 : near), i);
    }
}

static parley_seq next_floor(const struct log_row *row, parley_seq lowest_held) {
    uint64_t step = row->entries_count / STEP_SHARE;
    step = step < STEP_ENTRIES_MIN ? STEP_ENTRIES_MIN : step;
    step = step > STEP_ENTRIES_MAX ? STEP_ENTRIES_MAX : step;
    parley_seq floor = lowest_held + step, max = floor_max(row);
    return floor < max ? floor : max;
}

static uint64_t entries_below(const struct log_row *row, parley_seq floor) {
    uint64_t count = 0;
    for (size_t i = 0; i < row->ranges.count; i++) {
        const struct parley_run *run = &row->ranges.ranges[i];
        if (run->lo < floor)
            count += (run->hi < floor ? run->hi + 1 : floor) - run->lo;
    }
    return count;
}

static uint64_t guess_bytes(const struct log_row *row, parley_seq floor) {
    return row->entries_count == 0
               ? 0
               : row->quota.bytes / row->entries_count * entries_below(row, floor);
}

bool prune_next(struct parley_node *node, uint32_t log) {
    struct log_row *row = &node->logs[log];
    const struct parley_run *low = lowest(row);
    if (low == NULL || !may_prune(node, log))
        return true; /* not any more */
    struct parley_store_op op = {
        .kind = PARLEY_STORE_PRUNE, .log = row->log, .seq_low = next_floor(row, low->lo)};
    struct pending_store after = {.after = AFTER_PRUNE, .log = log, .author = row->author};
    if (!store_emit(node, &op, &after))
        return false;
    row->quota.pruning = op.seq_low;
    node->quota.prunes_in_flight++;
    node->quota.prunes_bytes += guess_bytes(row, op.seq_low);
    return true;
}

/* The id below the new lowest entry is the store's to tell. */
static void shorten(struct parley_node *node, uint32_t log, parley_seq floor,
                    const struct parley_store_log *told) {
    struct log_row *row = &node->logs[log];
    const struct parley_run *now = parley_ranges_find(&told->ranges, floor);
    uint64_t gone = entries_below(row, floor);
    bool is_whole =
        parley_ranges_covers(&row->ranges, floor) && parley_ranges_covers(&row->ranges, floor - 1);
    assert(!is_whole || (now != NULL && now->lo == floor));
    parley_ranges_prune(&row->ranges, floor, now == NULL ? NULL : &now->lo_prev);
    row->quota.floor = author_is_allowed(node, row->author) ? 0 : floor;
    row->entries_count -= gone;
    node->entries_count -= gone;
    row->world++;
    if (row->bodies.high < floor)
        row->bodies.low = row->bodies.high = 0;
    else if (row->bodies.low < floor)
        row->bodies.low = floor;
    author_changed(node, row->author);
}

void prune_on_stored(struct parley_node *node, uint32_t log, enum parley_error error,
                     const struct parley_store_log *told) {
    struct log_row *row = &node->logs[log];
    parley_seq floor = row->quota.pruning;
    row->quota.pruning = 0;
    if (--node->quota.prunes_in_flight == 0)
        node->quota.prunes_bytes = 0;
    if (error == PARLEY_E_OK && told != NULL)
        shorten(node, log, floor, told);
}
