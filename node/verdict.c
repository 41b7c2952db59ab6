#include "internal.h"

/* What a review decides of a log, and what follows from it on the disk and towards the peers. */

static struct log_row *row_of(struct parley_node *node) {
    return &node->logs[node->review.log];
}

/* --- pieces -------------------------------------------------------------------------------- */

/* The range that names the run's newest entry as what lies below it. */
static const struct parley_run *linked_above(const struct log_row *row,
                                             const struct parley_run *run) {
    for (size_t i = 0; i < row->ranges.count; i++)
        if (row->ranges.ranges[i].lo == run->hi + 1 &&
            PARLEY_EQUAL(row->ranges.ranges[i].lo_prev, run->hi_id))
            return &row->ranges.ranges[i];
    return NULL;
}

/* Of the suspects that go on below the piece the one that reaches lowest: another node may have cut
 * the same elsewhere, and where that one ends nothing may go on. NONE: none does. */
static uint32_t next_below(const struct parley_node *node, const struct side *piece) {
    uint32_t next = NONE;
    for (uint32_t i = 0; i < SUSPECTS_MAX; i++) {
        const struct suspect *suspect = &node->suspects[i];
        if (suspect->is_used && suspect->log == node->review.log && suspect->is_evidence &&
            !suspect->is_signed && suspect->run.hi + 1 == side_lo(piece) &&
            PARLEY_EQUAL(suspect->run.hi_id, piece->chunks[0].prev_first) &&
            (next == NONE || suspect->run.lo < node->suspects[next].run.lo))
            next = i;
    }
    return next;
}

static void gather_top(struct parley_node *node, uint32_t index) {
    struct review *review = &node->review;
    const struct suspect *suspect = &node->suspects[index];
    if (review->pieces_count == REVIEW_PIECES_MAX)
        return;
    struct side *piece = &review->pieces[review->pieces_count];
    *piece = (struct side){.suspect = index};
    if (!side_add_above(piece, PARLEY_SPAN(suspect->bytes, suspect->size)))
        return;
    piece->base_count = 1;
    const struct parley_run *above = linked_above(row_of(node), &suspect->run);
    if (suspect->is_signed) {
        piece->known = suspect->run.hi;
    } else if (above != NULL) {
        piece->reach = above->hi;
        piece->known = above->hi_is_signed ? above->hi : 0;
    }
    review->pieces_count++;
}

/* The log's suspect that came next before that one; NONE: no other. */
static uint32_t one_before(const struct parley_node *node, uint64_t order) {
    uint32_t next = NONE;
    for (uint32_t i = 0; i < SUSPECTS_MAX; i++) {
        const struct suspect *suspect = &node->suspects[i];
        if (suspect->is_used && suspect->log == node->review.log && suspect->order < order &&
            (next == NONE || suspect->order > node->suspects[next].order))
            next = i;
    }
    return next;
}

/* Tops first, the newest before all: what came long ago and told nothing is no hindrance. Then what
 * they go on with. */
void suspects_gather(struct parley_node *node) {
    struct review *review = &node->review;
    uint32_t i = one_before(node, UINT64_MAX);
    for (; i != NONE; i = one_before(node, node->suspects[i].order))
        if (node->suspects[i].is_signed || !node->suspects[i].is_evidence)
            gather_top(node, i);
    for (size_t p = 0; p < review->pieces_count; p++) {
        struct side *piece = &review->pieces[p];
        while ((i = next_below(node, piece)) != NONE &&
               side_add_below(piece, PARLEY_SPAN(node->suspects[i].bytes, node->suspects[i].size)))
            continue;
    }
}

/* The range that is being compared; NULL: none is. */
static const struct parley_run *held_run(const struct parley_node *node) {
    const struct parley_ranges *ranges = &node->logs[node->review.log].ranges;
    size_t range = node->review.range;
    return range < ranges->count ? &ranges->ranges[ranges->count - 1 - range] : NULL;
}

/* The piece has what a listing names, or stands on it, and the range leaves that or ends below. As
 * long as nothing signed stands on the range no fork shows it, and the listing has chosen. */
static bool is_built_on_named(const struct parley_node *node, const struct side *piece) {
    const struct parley_policy *policy = &node->logs[node->review.log].policy;
    const struct parley_run *run = held_run(node);
    struct parley_id id;
    if (policy->kind != PARLEY_POLICY_OPEN || run == NULL || !side_id(piece, policy->seq, &id) ||
        !PARLEY_EQUAL(id, policy->id))
        return false;
    return run->hi < policy->seq || (run->lo <= policy->seq + 1 && node->review.pin == PIN_OTHER);
}

bool verdict_is_named(const struct parley_node *node, const struct side *piece) {
    const struct log_row *row = &node->logs[node->review.log];
    parley_seq named = row->policy.seq;
    if (piece->suspect == NONE || named == 0 || node->suspects[piece->suspect].is_evidence)
        return false;
    if (is_built_on_named(node, piece))
        return true;
    const struct parley_run *run = &node->suspects[piece->suspect].run;
    if (run->hi == named)
        return PARLEY_EQUAL(run->hi_id, row->policy.id);
    const struct parley_run *above = linked_above(row, run);
    return above != NULL && node->review.pin == PIN_HELD && above->lo <= named &&
           named <= above->hi;
}

bool verdict_may_tell(const struct parley_node *node, const struct side *piece) {
    if (node->logs[node->review.log].policy.kind != PARLEY_POLICY_OPEN)
        return verdict_is_named(node, piece);
    return piece->known != 0 || piece->reach != 0 || verdict_is_named(node, piece);
}

/* --- forks --------------------------------------------------------------------------------- */

parley_seq verdict_differ(const struct parley_node *node, const struct side *piece) {
    const struct parley_policy *policy = &node->logs[node->review.log].policy;
    const struct parley_policy from_the_start = {PARLEY_POLICY_OPEN, 0, {{0}}};
    return sides_differ(piece, &node->review.held,
                        verdict_is_named(node, piece) ? &from_the_start : policy);
}

static void keep_evidence(struct review *review, const struct parley_fork *fork,
                          const struct parley_branch *branches) {
    review->best = *fork;
    review->best_is_stored = false;
    review->evidence_count = 0;
    for (size_t i = 0; i < fork->pieces_count; i++) {
        parley_seq to = fork->pieces[i].to;
        while (review->evidence_count < EVIDENCE_CHUNKS_MAX) {
            uint8_t *data =
                review->evidence_memory + review->evidence_count * PARLEY_CHUNK_BUFFER_SIZE;
            if (!parley_fork_evidence(&review->evidence[review->evidence_count], data,
                                      PARLEY_CHUNK_BUFFER_SIZE, branches, &fork->pieces[i], &to))
                break;
            review->evidence_count++;
        }
    }
}

static bool consider(struct parley_node *node, const struct side *const *sides, size_t count) {
    struct review *review = &node->review;
    struct parley_branch branches[PARLEY_BRANCHES_MAX];
    struct parley_fork fork;
    size_t branches_count = 0;
    for (size_t i = 0; i < count; i++)
        if (sides[i] != NULL && sides[i]->count > 0 && sides[i]->signed_count > 0)
            side_branch(sides[i], &branches[branches_count++]);
    parley_fork_find(&fork, &row_of(node)->policy, branches, branches_count);
    if (fork.seq != 0 && (review->best.seq == 0 || fork.seq < review->best.seq))
        keep_evidence(review, &fork, branches);
    return fork.seq != 0;
}

bool verdict_consider(struct parley_node *node, const struct side *a, const struct side *b) {
    const struct side *sides[] = {a, b};
    return consider(node, sides, 2);
}

static void consider_pieces(struct parley_node *node, size_t count) {
    struct review *review = &node->review;
    const struct side *sides[REVIEW_PIECES_MAX];
    for (size_t i = 0; i < count; i++) {
        side_reset(&review->pieces[i]);
        side_sign(&review->pieces[i], 0);
        sides[i] = &review->pieces[i];
    }
    (void)consider(node, sides, count);
}

void verdict_stored(struct parley_node *node) {
    consider_pieces(node, node->review.stored_count);
    node->review.best_is_stored = node->review.best.seq != 0;
}

void verdict_together(struct parley_node *node) {
    if (row_of(node)->policy.kind == PARLEY_POLICY_OPEN)
        consider_pieces(node, node->review.pieces_count);
}

/* --- a held chain that gives way ----------------------------------------------------------- */

/* What the range makes the head: its newest entry, or the newest that is signed, where a fork is
 * above or no signature vouches for more. */
static struct parley_anchor visible_top(const struct parley_node *node,
                                        const struct parley_run *run) {
    const struct log_row *row = &node->logs[node->review.log];
    bool is_unsigned = !run->hi_is_signed && row->unsigned_hi == run->hi;
    bool is_forked =
        row->forked != 0 && row->forked == node->review.best.seq && run->hi >= row->forked;
    if (!is_unsigned && !is_forked)
        return (struct parley_anchor){run->hi, run->hi_id};
    if (row->below.seq < run->lo)
        return (struct parley_anchor){0};
    return row->below;
}

/* What the piece would make it: its own top, or that of the range that stands on it. Seq 0: it is
 * not known that any of it is signed. */
static struct parley_anchor top_of_piece(const struct parley_node *node,
                                         const struct suspect *suspect) {
    const struct parley_run *above = linked_above(&node->logs[node->review.log], &suspect->run);
    if (suspect->is_signed)
        return (struct parley_anchor){suspect->run.hi, suspect->run.hi_id};
    return above != NULL && above->hi_is_signed ? visible_top(node, above)
                                                : (struct parley_anchor){0};
}

/* To what the identity records name, always. To another branch where no fork can be shown, since
 * more bad own signatures stand there than evidence may carry, if its top is the higher one of what
 * is not hidden: so all come to the same. What is our own never does. */
void verdict_give_way(struct parley_node *node, const struct side *piece) {
    struct review *review = &node->review;
    const struct parley_run *run = held_run(node);
    struct parley_id of_piece, of_held;
    if (run == NULL || piece->suspect == NONE || review->log == node->own_log ||
        node->suspects[piece->suspect].is_evidence || review->raw > run->hi ||
        !side_id(piece, review->raw, &of_piece) || !side_id(&review->held, review->raw, &of_held) ||
        PARLEY_EQUAL(of_piece, of_held))
        return;
    struct parley_anchor held = visible_top(node, run);
    struct parley_anchor other = top_of_piece(node, &node->suspects[piece->suspect]);
    bool is_higher =
        other.seq > held.seq || (other.seq == held.seq && PARLEY_COMPARE(other.id, held.id) > 0);
    if (!verdict_is_named(node, piece) && !is_higher)
        return;
    review->cuts = true;
    review->cut_hi = run->hi;
    review->cut_top = (struct parley_anchor){run->lo - 1, {{0}}};
    if (review->raw > run->lo) {
        bool is_here = side_id(&review->held, review->raw - 1, &review->cut_top.id);
        assert(is_here);
        review->cut_top.seq = review->raw - 1;
    }
    review->cut_at_link = review->raw < side_lo(piece);
    review->cut_for = piece->suspect;
}

static void place_suspect(struct parley_node *node, uint32_t index) {
    struct suspect *suspect = &node->suspects[index];
    struct chunk_task task = {.source = CHUNK_RUN,
                              .log = node->logs[suspect->log].log,
                              .is_anchored = !suspect->is_signed,
                              .anchor = {suspect->run.hi, suspect->run.hi_id},
                              .check_held = suspect->is_signed,
                              .fetch = NONE};
    memcpy(node->scratch, suspect->bytes, suspect->size);
    suspect->is_used = false;
    ingest_chunk(node, NULL, 0, &task, PARLEY_SPAN(node->scratch, suspect->size));
}

static void cut(struct parley_node *node) {
    struct review *review = &node->review;
    struct log_row *row = row_of(node);
    if (!log_cut(node, review->log, &review->cut_top, review->cut_hi))
        return;
    row->pin = PIN_ABSENT;
    row->is_unjudged = true;
    row->overlaps = review->cut_at_link;
    review->step = REVIEW_START; /* once it is on the disk */
    place_suspect(node, review->cut_for);
}

/* --- the end ------------------------------------------------------------------------------- */

static bool emit(struct parley_node *node, enum parley_store_kind kind, parley_seq seq,
                 struct parley_span bytes, enum store_after what) {
    const struct log_row *row = row_of(node);
    uint8_t *copy = out_take(node, bytes.size);
    if (copy == NULL)
        return false;
    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    struct parley_store_op op = {.kind = kind,
                                 .author = node->authors[row->author].set.author,
                                 .device = row->device,
                                 .log = row->log,
                                 .seq_low = seq,
                                 .bytes = PARLEY_SPAN(copy, bytes.size),
                                 .received_ms = node->wall,
                                 .top_signed = true};
    struct pending_store after = {.after = what, .log = node->review.log, .author = row->author};
    return store_emit(node, &op, &after);
}

/* Mark and evidence on the disk; false when there is no room now. */
static bool store_verdict(struct parley_node *node, parley_seq forked) {
    struct review *review = &node->review;
    struct log_row *row = row_of(node);
    bool rewrites = forked == 0 ? row->marked != 0 : !review->best_is_stored;
    if (!rewrites && row->marked == forked)
        return true;
    if (!store_has_room(node))
        return false;
    size_t size = 0;
    for (size_t i = 0; i < review->evidence_count; i++)
        size += review->evidence[i].size;
    if (PARLEY_OUT_BYTES_MAX - node->out_used < size)
        return false;
    bool stored = true;
    row->is_proved = false;
    if (rewrites)
        stored = emit(node, PARLEY_STORE_FORK, 0, PARLEY_NO_SPAN,
                      forked == 0 ? AFTER_VERDICT : AFTER_NOTHING);
    for (size_t i = 0; rewrites && forked != 0 && i < review->evidence_count; i++)
        stored = stored && emit(node, PARLEY_STORE_EVIDENCE, 0, review->evidence[i], AFTER_NOTHING);
    if (forked != 0)
        stored = stored && emit(node, PARLEY_STORE_FORK, forked, PARLEY_NO_SPAN, AFTER_VERDICT);
    row->marked = forked;
    row->evidence_version++;
    row->stores_in_flight++; /* the next review reads it; peers are told when it is there */
    assert(stored);          /* there was room */
    return true;
}

static void say_verdict(struct parley_node *node, parley_seq before, parley_seq now) {
    if (before == 0 && now != 0)
        effect_log(node, PARLEY_LOG_WARNING, PARLEY_E_FORKED, 0,
                   node->review.log == node->own_log
                       ? "the log of this device is forked: nothing more is signed in it"
                       : "a log is forked");
    if (before != 0 && now == 0)
        effect_log(node, PARLEY_LOG_INFO, PARLEY_E_OK, 0, "a fork is settled");
}

static void end(struct parley_node *node) {
    node->review.is_active = false;
    row_of(node)->is_doubted = false;
    review_end_first(node, node->review.log);
}

void verdict_is_stored(struct parley_node *node, uint32_t log) {
    struct log_row *row = &node->logs[log];
    row->is_proved = row->marked != 0;
    author_changed(node, row->author);
    heads_tell(node, row->author);
}

/* What a fork hid until now and is good: whoever reads along gets it late rather than never. */
static void show_again(struct parley_node *node, const struct log_row *row, parley_seq hidden) {
    struct parley_ranges view;
    log_view(row, &view);
    for (size_t i = view.count; i-- > 0;) {
        const struct parley_run *run = &view.ranges[i];
        if (run->hi < hidden || !parley_ranges_shows(&view, &row->policy, run->hi))
            continue;
        struct parley_effect *show = effect_push(node, PARLEY_EFFECT_SHOW);
        show->show.author = node->authors[row->author].set.author;
        show->show.log = row->log;
        show->show.seq_low = run->lo > hidden ? run->lo : hidden;
        show->show.seq_high = run->hi;
        show->show.id = run->hi_id;
    }
}

void verdict_apply(struct parley_node *node) {
    struct review *review = &node->review;
    struct log_row *row = row_of(node);
    if (row->policy.kind == PARLEY_POLICY_VOID) { /* nothing is told of it, and nothing forgotten */
        row->is_unjudged = false;
        suspects_drop(node, review->log, true);
        end(node);
        return;
    }
    if (review->cuts) {
        /* What gives way may be one side of a fork: that is kept first. */
        if (review->best.seq == 0 || store_verdict(node, review->best.seq))
            cut(node);
        return;
    }
    if (!store_verdict(node, review->best.seq))
        return; /* again at the next step */
    bool hides = review->hides && review->best.seq == 0;
    parley_seq unsigned_hi = hides ? row->ranges.ranges[0].hi : 0;
    bool changes = row->is_unjudged || row->forked != review->best.seq ||
                   row->unsigned_hi != unsigned_hi ||
                   (unsigned_hi != 0 && !PARLEY_EQUAL(row->below.id, review->below.id));
    bool was_suspected = false;
    for (size_t i = 0; i < SUSPECTS_MAX; i++)
        was_suspected |= node->suspects[i].is_used && node->suspects[i].log == review->log &&
                         !node->suspects[i].is_evidence;
    parley_seq hidden = row->forked;
    say_verdict(node, hidden, review->best.seq);
    row->forked = review->best.seq;
    row->below = review->below;
    row->unsigned_hi = unsigned_hi;
    row->pin = review->pin;
    row->is_unjudged = false;
    if (hidden != 0 && (row->forked == 0 || row->forked > hidden))
        show_again(node, row, hidden);
    suspects_drop(node, review->log, false);
    end(node);
    bool grows = review_place_named(node);
    if (!changes && was_suspected && !grows)
        log_back_off(node, review->log);
    if (changes)
        row->failures = 0;
    if (changes)
        author_changed(node, row->author);
    if (changes && row->stores_in_flight == 0)
        heads_tell(node, row->author);
    queue_log(node, review->log);
}
