#include "internal.h"

/* The steps of a review, one for each thing that it may have to wait for. */

/* --- asking -------------------------------------------------------------------------------- */

static parley_ticket next_ticket(struct parley_node *node) {
    struct review *review = &node->review;
    review->is_waiting = true;
    return ticket_make(TICKET_REVIEW, 0, ++review->generation);
}

void review_read_headers(struct parley_node *node, parley_seq low, parley_seq top) {
    struct review *review = &node->review;
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_READ);
    effect->read.ticket = next_ticket(node);
    effect->read.kind = PARLEY_READ_RUN;
    effect->read.log = node->logs[review->log].log;
    effect->read.seq_top = top;
    effect->read.seq_low = low;
    effect->read.bytes_max = PARLEY_CHUNK_BYTES_MAX;
    review->read_low = low;
    review->read_top = top;
}

static void read_evidence(struct parley_node *node) {
    struct review *review = &node->review;
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_READ);
    effect->read.ticket = next_ticket(node);
    effect->read.kind = PARLEY_READ_EVIDENCE;
    effect->read.log = node->logs[review->log].log;
    effect->read.index = review->evidence_index;
    review->read_top = 0;
}

void review_check(struct parley_node *node, const struct parley_entry *entry) {
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_VERIFY);
    effect->verify.ticket = next_ticket(node);
    parley_entry_check(&effect->verify.check, entry, &node->logs[node->review.log].device);
    node->review.checks++;
}

bool review_read_is_whole(const struct review *review) {
    struct parley_chunk chunk;
    return review->error == PARLEY_E_OK &&
           parley_chunk_decode(&chunk, review->answer).error == PARLEY_E_OK &&
           chunk.seq_first == review->read_low && parley_chunk_seq_last(&chunk) == review->read_top;
}

bool review_fail(struct parley_node *node) {
    node->review.step = REVIEW_START;
    node->review.retry_at = node->now + REVIEW_RETRY_MS;
    deadline_lower(node, node->review.retry_at);
    /* Damage would keep whoever waits for it waiting for ever; the log stays hidden. */
    review_end_first(node, node->review.log);
    return false;
}

/* --- own signatures ------------------------------------------------------------------------ */

static void search_begin(struct review *review, const struct side *side, parley_seq from) {
    review->search = side->count > 0 && from < side_lo(side) ? side_lo(side) : from;
    review->cursor_chunk = NONE;
}

/* Up to an entry of the side; the cursor goes on where it was. */
static bool search_entry(struct review *review, const struct side *side,
                         struct parley_entry *entry) {
    if (review->cursor_chunk == NONE) {
        review->cursor_chunk = 0;
        while (parley_chunk_seq_last(&side->chunks[review->cursor_chunk]) < review->search)
            review->cursor_chunk++;
        parley_chunk_start(&review->cursor, &side->chunks[review->cursor_chunk]);
    }
    do {
        while (!parley_chunk_next(&review->cursor, entry)) {
            if (++review->cursor_chunk == side->count)
                return false;
            parley_chunk_start(&review->cursor, &side->chunks[review->cursor_chunk]);
        }
    } while (entry->header.seq < review->search);
    return true;
}

static bool search_end(struct review *review, struct side *side, parley_seq found) {
    review->search = 0;
    side_sign(side, found);
    return true;
}

/* The lowest own signature at or above `from`, within reach of it. True when the search is over:
 * the side is then signed by what was found, if anything was. */
static bool search_side(struct parley_node *node, struct side *side, parley_seq from) {
    struct review *review = &node->review;
    struct parley_entry entry;
    if (review->search == 0) {
        search_begin(review, side, from);
    } else if (review->read_top != 0) {
        if (!review_read_is_whole(review) || !side_add_above(side, review->answer))
            return review_fail(node);
    } else if (review->holds) {
        return search_end(review, side, review->search);
    } else {
        review->search++;
    }
    if (review->search > from + PARLEY_EVIDENCE_REACH + 1)
        return search_end(review, side, 0);
    if (review->search > side_hi(side)) {
        if (side->next > side->reach || side->count == SIDE_CHUNKS_MAX)
            return search_end(review, side, 0);
        parley_seq top = side->next + REVIEW_WINDOW - 1;
        review_read_headers(node, side->next, top < side->reach ? top : side->reach);
        return false;
    }
    if (review->search == side->known)
        return search_end(review, side, review->search);
    if (review->checks >= REVIEW_CHECKS_MAX || !search_entry(review, side, &entry))
        return search_end(review, side, 0);
    review_check(node, &entry);
    return false;
}

/* --- steps --------------------------------------------------------------------------------- */

static void start(struct parley_node *node) {
    struct review *review = &node->review;
    const struct log_row *row = &node->logs[review->log];
    review->world = row->world;
    review->checks = 0;
    review->blocks_used = review->blocks_kept = 0;
    review->evidence_index = review->evidence_count = 0;
    review->pieces_count = review->stored_count = 0;
    review->piece = review->range = 0;
    review->search = 0;
    review->pin = PIN_ABSENT;
    review->best = (struct parley_fork){0};
    review->best_is_stored = false;
    review->below = (struct parley_anchor){0};
    review->below_at = 0;
    review->hides = false;
    review->cuts = false;
    review->asked = false;
    review->step = row->marked != 0 ? REVIEW_EVIDENCE : REVIEW_PIN;
}

static struct side *piece_new(struct review *review, struct parley_span bytes) {
    if (review->pieces_count == REVIEW_PIECES_MAX)
        return NULL;
    struct side *piece = &review->pieces[review->pieces_count];
    *piece = (struct side){.suspect = NONE};
    if (!side_add_above(piece, bytes))
        return NULL;
    piece->base_count = 1;
    review->pieces_count++;
    return piece;
}

/* Stored evidence: newest chunk first, and each piece begins with a top that is signed. */
static bool step_evidence(struct parley_node *node) {
    struct review *review = &node->review;
    if (!review->asked || review->evidence_index < EVIDENCE_CHUNKS_MAX) {
        if (review->asked && review->error == PARLEY_E_OK && review->answer.size > 0) {
            struct side *last =
                review->pieces_count == 0 ? NULL : &review->pieces[review->pieces_count - 1];
            if (last == NULL || !side_add_below(last, review->answer)) {
                struct side *piece = piece_new(review, review->answer);
                if (piece != NULL)
                    piece->known = side_hi(piece);
            }
            review->evidence_index++;
        } else if (review->asked && review->error != PARLEY_E_NOT_FOUND) {
            return review_fail(node);
        }
        if (!review->asked || review->error == PARLEY_E_OK) {
            review->asked = true;
            read_evidence(node);
            return false;
        }
    }
    review->asked = false;
    review->stored_count = review->pieces_count;
    review->blocks_kept = review->blocks_used;
    review->step = REVIEW_PIN;
    return true;
}

static bool step_pin(struct parley_node *node) {
    struct review *review = &node->review;
    const struct log_row *row = &node->logs[review->log];
    parley_seq seq = row->policy.kind == PARLEY_POLICY_VOID ? 0 : row->policy.seq;
    const struct parley_run *run = seq == 0 ? NULL : parley_ranges_naming(&row->ranges, seq);
    struct parley_chunk chunk;
    struct parley_entry entry;
    bool is_link = run != NULL && run->lo == seq + 1;
    if (run != NULL && run->hi != seq && !is_link && !review->asked) {
        review->asked = true;
        review_read_headers(node, seq, seq);
        return false;
    }
    struct parley_id id = run == NULL ? (struct parley_id){{0}}
                          : is_link   ? run->lo_prev
                                      : run->hi_id;
    if (review->asked) {
        if (!review_read_is_whole(review) ||
            parley_chunk_decode(&chunk, review->answer).error != PARLEY_E_OK ||
            !parley_chunk_find(&chunk, seq, &entry))
            return review_fail(node);
        id = entry.id;
    }
    if (run != NULL && !PARLEY_EQUAL(id, row->policy.id))
        review->pin = PIN_OTHER;
    else if (run != NULL && !is_link)
        review->pin = PIN_HELD;
    review->asked = false;
    review->blocks_used = review->blocks_kept;
    review->step = REVIEW_DECIDED;
    if (row->policy.kind == PARLEY_POLICY_VOID)
        return true;
    /* Before what came goes on with it downwards: that is not on the disk. */
    if (row->policy.kind == PARLEY_POLICY_OPEN)
        verdict_stored(node);
    suspects_gather(node);
    review->step = REVIEW_PIECE;
    if (row->policy.kind != PARLEY_POLICY_OPEN)
        return true;
    if (review->pin == PIN_OTHER && run->hi > seq) {
        review->held = (struct side){
            .next = seq + 1, .reach = run->hi, .known = run->hi_is_signed ? run->hi : 0};
        review->step = REVIEW_OFF_PIN;
    }
    return true;
}

/* What is held has another id where a listing names one: the entry above it says so, too. */
static bool step_off_pin(struct parley_node *node) {
    struct review *review = &node->review;
    if (!search_side(node, &review->held, node->logs[review->log].policy.seq + 1))
        return false;
    verdict_consider(node, &review->held, NULL);
    review->blocks_used = review->blocks_kept;
    review->step = REVIEW_PIECE;
    return true;
}

/* The next range that meets the next piece, ranges from the lowest up. */
static bool step_piece(struct parley_node *node) {
    struct review *review = &node->review;
    const struct parley_ranges *ranges = &node->logs[review->log].ranges;
    for (; review->piece < review->pieces_count; review->piece++, review->range = 0) {
        struct side *piece = &review->pieces[review->piece];
        side_reset(piece);
        if (!verdict_may_tell(node, piece))
            continue;
        for (; review->range < ranges->count; review->range++) {
            const struct parley_run *run = &ranges->ranges[ranges->count - 1 - review->range];
            parley_seq from = side_lo(piece) > run->lo + 1 ? side_lo(piece) - 1 : run->lo;
            parley_seq to = side_hi(piece) + 1 < run->hi ? side_hi(piece) + 1 : run->hi;
            if (from > to)
                continue;
            review->held = (struct side){
                .next = from, .reach = run->hi, .known = run->hi_is_signed ? run->hi : 0};
            review->window_to = to;
            review->asked = false;
            review->blocks_used = review->blocks_kept;
            review->step = REVIEW_WINDOWS;
            return true;
        }
    }
    review->step = REVIEW_TOGETHER;
    return true;
}

static bool step_windows(struct parley_node *node) {
    struct review *review = &node->review;
    struct side *held = &review->held, *piece = &review->pieces[review->piece];
    if (review->asked && (!review_read_is_whole(review) || !side_add_above(held, review->answer)))
        return review_fail(node);
    review->asked = held->next <= review->window_to && held->count < SIDE_CHUNKS_MAX;
    if (review->asked) {
        parley_seq top = held->next + REVIEW_WINDOW - 1;
        review_read_headers(node, held->next, top < review->window_to ? top : review->window_to);
        return false;
    }
    review->raw = verdict_differ(node, piece);
    review->step = review->raw == 0 ? REVIEW_PIECE : REVIEW_SEARCH_PIECE;
    if (review->raw == 0)
        review->range++;
    else if (verdict_is_named(node, piece))
        review->step = REVIEW_SEARCH_HELD;
    return true;
}

/* A statement about raw: by the entry itself, or by the prev of the one above. */
static parley_seq first_signature(const struct parley_node *node, const struct side *side) {
    const struct review *review = &node->review;
    parley_seq named = node->logs[review->log].policy.seq;
    if (verdict_is_named(node, &review->pieces[review->piece]))
        return named + 1; /* what leaves it above */
    return review->raw >= side_lo(side) && review->raw > named ? review->raw : review->raw + 1;
}

static bool step_search(struct parley_node *node) {
    struct review *review = &node->review;
    bool is_piece = review->step == REVIEW_SEARCH_PIECE;
    struct side *side = is_piece ? &review->pieces[review->piece] : &review->held;
    if (!search_side(node, side, first_signature(node, side)))
        return false;
    review->step = is_piece ? REVIEW_SEARCH_HELD : REVIEW_COMPARED;
    return true;
}

static bool step_compared(struct parley_node *node) {
    struct review *review = &node->review;
    struct side *piece = &review->pieces[review->piece];
    bool is_named = verdict_is_named(node, piece);
    if (!verdict_consider(node, is_named ? NULL : piece, &review->held) || is_named)
        verdict_give_way(node, piece);
    side_reset(piece);
    review->range++;
    review->step = review->cuts ? REVIEW_DECIDED : REVIEW_PIECE;
    return true;
}

bool review_step(struct parley_node *node) {
    switch (node->review.step) {
    case REVIEW_START:
        start(node);
        return true;
    case REVIEW_EVIDENCE:
        return step_evidence(node);
    case REVIEW_PIN:
        return step_pin(node);
    case REVIEW_OFF_PIN:
        return step_off_pin(node);
    case REVIEW_PIECE:
        return step_piece(node);
    case REVIEW_WINDOWS:
        return step_windows(node);
    case REVIEW_SEARCH_PIECE:
    case REVIEW_SEARCH_HELD:
        return step_search(node);
    case REVIEW_COMPARED:
        return step_compared(node);
    case REVIEW_TOGETHER:
        verdict_together(node);
        review_head_begin(node);
        return true;
    case REVIEW_HEAD:
        return review_head_step(node);
    case REVIEW_DECIDED:
        verdict_apply(node);
        return false;
    }
    return false;
}
