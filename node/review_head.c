#include "internal.h"

/* The last step of a review of an open log: its head. A row knows of each range whether the own
 * signature of its newest entry holds. Where a fork, or identity records that name another entry
 * now, make something else the newest, that is looked for on the disk, from the newest range down
 * to what the records name. SPEC 6.10. */

static bool decided(struct review *review, parley_seq seq, const struct parley_id *id) {
    review->below = (struct parley_anchor){seq, *id};
    review->step = REVIEW_DECIDED;
    return true;
}

static parley_seq highest(const struct review *review) {
    return review->best.seq == 0 ? PARLEY_SEQ_MAX : review->best.seq - 1;
}

void review_head_begin(struct parley_node *node) {
    struct review *review = &node->review;
    bool is_open = node->logs[review->log].policy.kind == PARLEY_POLICY_OPEN;
    review->step = is_open ? REVIEW_HEAD : REVIEW_DECIDED;
    review->range = 0;
    review->below_at = 0;
    review->hides = false;
}

/* The range that is looked through now; NULL: none is left that the records do not judge. */
static const struct parley_run *range_now(const struct parley_node *node) {
    const struct review *review = &node->review;
    const struct log_row *row = &node->logs[review->log];
    if (review->range == row->ranges.count)
        return NULL;
    const struct parley_run *run = &row->ranges.ranges[review->range];
    return run->hi > row->policy.seq ? run : NULL;
}

/* Nothing above is hidden but by the fork: where that is, anything may follow. */
static bool end_whole(struct review *review) {
    bool is_forked = review->best.seq != 0;
    return decided(review, is_forked ? highest(review) : 0, &(struct parley_id){{0}});
}

static bool next_range(struct review *review) {
    review->hides = true;
    review->below_at = 0;
    review->range++;
    return true;
}

/* It is on the disk with the range from here on. */
static bool learn(struct parley_node *node, const struct parley_run *run) {
    struct review *review = &node->review;
    const struct parley_chunk *chunk = &review->held.chunks[0];
    struct parley_run signed_run = {.lo = chunk->seq_first,
                                    .lo_prev = chunk->prev_first,
                                    .hi = run->hi,
                                    .hi_id = run->hi_id,
                                    .hi_is_signed = true};
    if (parley_chunk_seq_last(chunk) == run->hi)
        log_learn_signed(node, review->log, &signed_run, chunk->bytes);
    review->below_at = 0;
    return run->hi_is_signed || review_fail(node);
}

/* The entry whose own signature is looked at next, with the headers around it. False: asked for. */
static bool entry_now(struct parley_node *node, parley_seq low, struct parley_entry *entry) {
    struct review *review = &node->review;
    struct side *held = &review->held;
    parley_seq seq = review->below_at;
    if (held->count == 0 || seq < side_lo(held) || seq > side_hi(held)) {
        parley_seq from = seq > REVIEW_WINDOW ? seq - REVIEW_WINDOW + 1 : 1;
        review->blocks_used = review->blocks_kept;
        review_read_headers(node, from > low ? from : low, seq);
        return false;
    }
    bool found = parley_chunk_find(&held->chunks[0], seq, entry);
    assert(found);
    return true;
}

/* One more of the range, downwards from `top`. */
static bool look(struct parley_node *node, const struct parley_run *run, parley_seq low,
                 parley_seq top) {
    struct review *review = &node->review;
    struct parley_entry entry;
    if (review->below_at == 0) {
        review->below_at = top;
        review->held = (struct side){0};
    } else if (review->read_top != 0) {
        review->held = (struct side){0};
        if (!review_read_is_whole(review) || !side_add_above(&review->held, review->answer))
            return review_fail(node);
    } else if (review->holds) {
        bool is_here = entry_now(node, low, &entry);
        assert(is_here);
        if (review->below_at == run->hi)
            return learn(node, run);
        review->hides = true;
        return decided(review, review->below_at, &entry.id);
    } else {
        review->below_at--;
    }
    if (review->below_at < low || review->checks >= REVIEW_CHECKS_MAX)
        return next_range(review);
    if (entry_now(node, low, &entry))
        review_check(node, &entry);
    return false;
}

bool review_head_step(struct parley_node *node) {
    struct review *review = &node->review;
    const struct log_row *row = &node->logs[review->log];
    const struct parley_policy *policy = &row->policy;
    parley_seq top = highest(review);
    while (review->range < row->ranges.count && row->ranges.ranges[review->range].lo > top)
        review->range++;
    const struct parley_run *run = range_now(node);
    if (run == NULL)
        return review->hides ? decided(review, policy->seq, &policy->id) : end_whole(review);
    bool is_across = run->lo <= policy->seq;
    if (run->lo <= policy->seq + 1 && review->pin == PIN_OTHER)
        return next_range(review); /* off what is named: nothing of it is good */
    if (run->hi <= top && run->hi_is_signed)
        return review->hides ? decided(review, run->hi, &run->hi_id) : end_whole(review);
    return look(node, run, is_across ? policy->seq + 1 : run->lo, run->hi < top ? run->hi : top);
}
