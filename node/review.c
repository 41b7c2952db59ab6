#include "internal.h"

/* The queue of reviews, and what comes back to one: whatever waits for the disk or for a check is
 * answered here; if the log has changed meanwhile, all is asked again. */

/* --- the queue ----------------------------------------------------------------------------- */

void review_want(struct parley_node *node, uint32_t log) {
    struct log_row *row = &node->logs[log];
    if (row->is_doubted)
        return;
    row->is_doubted = true;
    row->review_next = NONE;
    if (node->reviews_first == NONE)
        node->reviews_first = log;
    else
        node->logs[node->reviews_last].review_next = log;
    node->reviews_last = log;
}

void review_await_first(struct parley_node *node, uint32_t log) {
    struct log_row *row = &node->logs[log];
    if (!row->is_doubted || row->is_unreviewed)
        return;
    row->is_unreviewed = true;
    node->unreviewed_count++;
}

void review_end_first(struct parley_node *node, uint32_t log) {
    struct log_row *row = &node->logs[log];
    node->unreviewed_count -= row->is_unreviewed;
    row->is_unreviewed = false;
}

static uint32_t queue_take(struct parley_node *node) {
    uint32_t log = node->reviews_first;
    node->reviews_first = node->logs[log].review_next;
    return log;
}

/* Only what is on the disk can be read: the first in the queue whose stores are done. */
static bool begin_one(struct parley_node *node) {
    struct review *review = &node->review;
    uint32_t waiting = NONE;
    while (node->reviews_first != NONE && node->reviews_first != waiting) {
        uint32_t log = queue_take(node);
        struct log_row *row = &node->logs[log];
        row->is_doubted = false;
        if (row->stores_in_flight > 0) {
            review_want(node, log);
            if (waiting == NONE)
                waiting = log;
            continue;
        }
        row->is_doubted = true;
        review->is_active = true;
        review->log = log;
        review->step = REVIEW_START;
        return true;
    }
    return false;
}

void reviews_forget(struct parley_node *node) {
    node->review.is_active = node->review.is_waiting = false;
    node->review.generation++;
    node->reviews_first = NONE;
    for (uint32_t i = 0; i < node->logs_count; i++)
        review_end_first(node, i);
    for (size_t i = 0; i < SUSPECTS_MAX; i++)
        node->suspects[i].is_used = false;
}

void reviews_pump(struct parley_node *node) {
    struct review *review = &node->review;
    while (!review->is_waiting && !node->is_failed && effects_have_room(node)) {
        if (review->is_active && node->now < review->retry_at) {
            deadline_lower(node, review->retry_at);
            return;
        }
        if (!review->is_active && !begin_one(node))
            return;
        if (review->step != REVIEW_START && review->world != node->logs[review->log].world)
            review->step = REVIEW_START;
        if (review->step == REVIEW_START && node->logs[review->log].stores_in_flight > 0)
            return; /* its STORED comes back here */
        if (!review_step(node) && review->step == REVIEW_DECIDED && review->is_active) {
            deadline_lower(node, node->now + REVIEW_RETRY_MS); /* no room for what it decided */
            return;
        }
    }
}

/* --- answers ------------------------------------------------------------------------------- */

static bool is_awaited(const struct review *review, parley_ticket ticket) {
    return review->is_waiting && review->generation == ticket_generation(ticket);
}

void review_on_read(struct parley_node *node, parley_ticket ticket, enum parley_error error,
                    struct parley_span bytes) {
    struct review *review = &node->review;
    if (!is_awaited(review, ticket))
        return;
    review->is_waiting = false;
    review->error = error;
    review->answer = PARLEY_NO_SPAN;
    if (error != PARLEY_E_OK || bytes.size > PARLEY_CHUNK_BUFFER_SIZE)
        return;
    assert(review->blocks_used < REVIEW_BLOCKS_COUNT);
    uint8_t *block = review->blocks + review->blocks_used++ * PARLEY_CHUNK_BUFFER_SIZE;
    memcpy(block, bytes.data, bytes.size);
    review->answer = PARLEY_SPAN(block, bytes.size);
}

void review_on_verified(struct parley_node *node, parley_ticket ticket, bool holds) {
    struct review *review = &node->review;
    if (!is_awaited(review, ticket))
        return;
    review->is_waiting = false;
    review->read_top = 0;
    review->holds = holds;
}
