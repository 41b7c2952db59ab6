#include "internal.h"

/* A judged chunk to where it belongs: among what is held, on the disk, or, when it contradicts what
 * is held, before a review. */

struct id_source {
    const struct parley_judged *judged;
    const struct chunk_task *task;
};

static bool id_at(void *context, enum parley_side side, parley_seq seq, struct parley_id *id) {
    const struct id_source *source = context;
    const struct parley_run *run = &source->judged->run;
    if (side == PARLEY_SIDE_HELD) {
        *id = source->task->known_id;
        return source->task->id_known && source->task->known_seq == seq;
    }
    if (seq + 1 == run->lo) {
        *id = run->lo_prev;
        return true;
    }
    struct parley_entry entry;
    if (!parley_chunk_find(&source->judged->chunk, seq, &entry))
        return false;
    *id = entry.id;
    return true;
}

static bool stage_copy(struct parley_node *node, struct parley_span bytes,
                       struct pending_store *after) {
    size_t pad = 0;
    if (PARLEY_STAGE_BYTES_MAX - node->stage_head < bytes.size)
        pad = PARLEY_STAGE_BYTES_MAX - node->stage_head;
    if (PARLEY_STAGE_BYTES_MAX - node->stage_used < bytes.size + pad)
        return false;
    after->stage_offset = (node->stage_head + pad) % PARLEY_STAGE_BYTES_MAX;
    after->stage_size = bytes.size + pad;
    memcpy(node->stage + after->stage_offset, bytes.data, bytes.size);
    node->stage_head = (after->stage_offset + bytes.size) % PARLEY_STAGE_BYTES_MAX;
    node->stage_used += after->stage_size;
    return true;
}

/* One stretch of a chunk to the disk. stored is the log's ranges without and then with it. */
static enum parley_error store_stretch(struct parley_node *node, uint32_t log,
                                       const struct parley_judged *judged,
                                       struct parley_ranges *stored, struct parley_span bytes,
                                       const struct parley_run *run, struct pending_store *after) {
    static const enum parley_store_kind kinds[] = {PARLEY_STORE_APPEND, PARLEY_STORE_FILL,
                                                   PARLEY_STORE_TOP};
    struct log_row *row = &node->logs[log];
    enum parley_error error = PARLEY_E_GAP;
    parley_seq conflict;
    size_t place = 0;
    for (; place < 3; place++) {
        error = parley_ranges_add(stored, run, (enum parley_placing)place, NULL, NULL, &conflict);
        if (error != PARLEY_E_GAP)
            break;
    }
    if (error != PARLEY_E_OK)
        return error;
    uint8_t *copy = out_take(node, bytes.size);
    if (copy == NULL || !store_has_room(node))
        return PARLEY_E_RETRY;
    memcpy(copy, bytes.data, bytes.size);
    struct parley_store_op op = {.kind = kinds[place],
                                 .author = node->authors[row->author].set.author,
                                 .device = row->device,
                                 .log = row->log,
                                 .bytes = PARLEY_SPAN(copy, bytes.size),
                                 .received_ms = node->wall,
                                 .top_id = run->hi_id,
                                 .top_signed = run->hi_is_signed};
    after->run = *run;
    bodies_missing(&judged->chunk, run->lo, run->hi, after);
    after->count = (size_t)(run->hi - run->lo + 1);
    bool whole = run->hi == judged->run.hi && run->lo == judged->run.lo;
    if (after->is_live)
        after->is_live = whole && bytes.size <= PARLEY_PUSH_BYTES_MAX &&
                         stage_copy(node, PARLEY_SPAN(copy, bytes.size), after);
    if (!store_emit(node, &op, after))
        return PARLEY_E_RETRY;
    row->stores_in_flight++;
    return PARLEY_E_OK;
}

/* A part of the chunk: what the ranges do not hold yet. */
static enum parley_error store_part(struct parley_node *node, uint32_t log,
                                    const struct parley_judged *judged,
                                    struct parley_ranges *stored, parley_seq from, parley_seq to,
                                    struct pending_store *after) {
    struct parley_run run = judged->run;
    if (from == run.lo && to == run.hi)
        return store_stretch(node, log, judged, stored, judged->chunk.bytes, &run, after);
    struct parley_span part;
    struct parley_entry top;
    struct parley_chunk chunk;
    enum parley_error error = parley_chunk_slice(&part, node->compose, PARLEY_MESSAGE_BYTES_MAX,
                                                 &judged->chunk, from, to, true);
    if (error != PARLEY_E_OK)
        return error;
    bool found = parley_chunk_find(&judged->chunk, to, &top);
    bool decodes = parley_chunk_decode(&chunk, part).error == PARLEY_E_OK;
    assert(found && decodes);
    run.hi_is_signed = run.hi_is_signed && to == run.hi;
    run.lo = from;
    run.lo_prev = chunk.prev_first;
    run.hi = to;
    run.hi_id = top.id;
    after->is_live = false;
    return store_stretch(node, log, judged, stored, part, &run, after);
}

/* --- what may stand ------------------------------------------------------------------------ */

/* Nothing was checked of an anchored chunk but that it hashes to what somebody named: that must
 * still be named by what is held here, or by the identity records. */
static bool is_vouched_for(const struct log_row *row, const struct chunk_task *task,
                           const struct parley_run *run) {
    const struct parley_anchor top = {run->hi, run->hi_id};
    return run->hi_is_signed || log_vouches(row, task, &top);
}

bool log_commits(const struct log_row *row, const struct chunk_task *task, parley_seq seq,
                 struct parley_id *id) {
    for (size_t i = 0; i < row->ranges.count; i++) {
        const struct parley_run *range = &row->ranges.ranges[i];
        bool is_inside = range->lo <= seq && seq < range->hi;
        if (range->lo == seq + 1)
            *id = range->lo_prev;
        else if (range->hi == seq)
            *id = range->hi_id;
        else if (is_inside && task->id_known && task->known_seq == seq)
            *id = task->known_id;
        else if (is_inside)
            return false;
        else
            continue;
        return true;
    }
    return false;
}

bool log_vouches(const struct log_row *row, const struct chunk_task *task,
                 const struct parley_anchor *top) {
    struct parley_id id;
    return (row->policy.seq == top->seq && PARLEY_EQUAL(row->policy.id, top->id)) ||
           (log_commits(row, task, top->seq, &id) && PARLEY_EQUAL(id, top->id));
}

/* What the identity records name is authentic by itself: a run past it that has another id there is
 * another branch. */
static bool leaves_named(const struct log_row *row, const struct parley_judged *judged,
                         const struct chunk_task *task) {
    struct parley_id id;
    struct id_source source = {judged, task};
    return row->policy.kind != PARLEY_POLICY_VOID && row->policy.seq != 0 &&
           judged->run.lo <= row->policy.seq + 1 && judged->run.hi >= row->policy.seq &&
           id_at(&source, PARLEY_SIDE_RUN, row->policy.seq, &id) &&
           !PARLEY_EQUAL(id, row->policy.id);
}

/* Above a fork nothing is taken; what reaches below it may show a lower one. */
static bool is_hidden(const struct log_row *row, const struct parley_run *run) {
    return row->policy.kind == PARLEY_POLICY_OPEN && row->forked != 0 && run->hi >= row->forked;
}

static enum parley_error contradict(struct parley_node *node, uint32_t log,
                                    const struct parley_judged *judged, bool is_vouched) {
    if (!is_vouched)
        return PARLEY_E_GAP;
    return suspect_keep(node, log, judged, judged->run.hi_is_signed, false) ? PARLEY_E_FORKED
                                                                            : PARLEY_E_RETRY;
}

/* Whether it may be added to what is held, and *whole, the ranges with it. */
static enum parley_error may_stand(struct parley_node *node, const struct chunk_task *task,
                                   uint32_t log, const struct parley_judged *judged,
                                   struct parley_ranges *whole, parley_seq *conflict) {
    const struct log_row *row = &node->logs[log];
    struct id_source source = {judged, task};
    bool is_vouched = is_vouched_for(row, task, &judged->run);
    if (row->policy.kind == PARLEY_POLICY_VOID)
        return PARLEY_E_LOG_VOID;
    if (is_hidden(row, &judged->run))
        return is_vouched && judged->run.lo <= row->forked ? contradict(node, log, judged, true)
                                                           : PARLEY_E_FORKED;
    if (leaves_named(row, judged, task))
        return contradict(node, log, judged, is_vouched);
    enum parley_error error =
        parley_ranges_add(whole, &judged->run, PARLEY_PLACE_ANY, id_at, &source, conflict);
    if (error == PARLEY_E_FORKED)
        return contradict(node, log, judged, is_vouched);
    if (error == PARLEY_E_EXISTS)
        log_learn_signed(node, log, &judged->run, judged->chunk.bytes);
    if (error == PARLEY_E_OK && !is_vouched)
        return PARLEY_E_GAP; /* what named it was cut meanwhile */
    bool is_asked = task->source == CHUNK_RUN;
    if (error == PARLEY_E_FULL &&
        (log_make_room(node, log) || (is_asked && log_drop_island(node, log, &judged->run))))
        return PARLEY_E_RETRY;
    return error;
}

enum parley_error place_chunk(struct parley_node *node, struct peer *peer, parley_request request,
                              const struct chunk_task *task, uint32_t log,
                              struct parley_judged *judged, parley_seq *conflict) {
    struct log_row *row = &node->logs[log];
    struct parley_ranges whole = row->ranges, stored = row->ranges;
    judged->run.hi_is_signed = task->check_held;
    if (task->source == CHUNK_EVIDENCE)
        return suspect_keep(node, log, judged, task->check_held, true) ? PARLEY_E_OK
                                                                       : PARLEY_E_RETRY;
    enum parley_error error = may_stand(node, task, log, judged, &whole, conflict);
    if (error == PARLEY_E_OK && !own_look_at(node, task, log, &judged->chunk))
        error = PARLEY_E_RETRY;
    if (error != PARLEY_E_OK)
        return error;
    own_notice(node, task, log, judged->run.hi);
    /* Others may wait for what was asked for because it did not come by itself, too. */
    bool is_live = task->source == CHUNK_PUSH || task->source == CHUNK_OWN ||
                   (task->source == CHUNK_RUN && task->check_held &&
                    tree_awaits(node, &task->log, &judged->run));
    struct pending_store after = {.after = AFTER_CHUNK,
                                  .log = log,
                                  .author = row->author,
                                  .source_peer = peer_slot(node, peer),
                                  .source_connection = peer == NULL ? 0 : peer->connection,
                                  .is_live = is_live && judged->chunk.count == 1,
                                  .is_prompt = is_live};
    /* What was pruned here comes back by the owner's hand alone. */
    parley_seq floor = task->source == CHUNK_IMPORT ? 0 : row->quota.floor;
    parley_seq lo = judged->run.lo > floor ? judged->run.lo : floor, from, to;
    bool any = false;
    if (row->quota.pruning > judged->run.lo)
        return PARLEY_E_RETRY; /* the disk is about to say how far down it goes */
    if (judged->run.hi < lo)
        return PARLEY_E_NOT_WANTED;
    while (parley_ranges_missing(&stored, lo, judged->run.hi, &from, &to)) {
        /* The last stretch answers; its top may be below what is held. */
        parley_seq next_from, next_to;
        bool ends = to == judged->run.hi ||
                    !parley_ranges_missing(&stored, to + 1, judged->run.hi, &next_from, &next_to);
        after.request = ends ? request : 0;
        error = store_part(node, log, judged, &stored, from, to, &after);
        if (error != PARLEY_E_OK)
            break;
        row->ranges = stored;
        any = true;
    }
    if (any)
        log_grew(node, log, judged);
    row->is_late |= any && task->source == CHUNK_IMPORT; /* peers have done without it so far */
    if (error != PARLEY_E_OK)
        return any && request == 0 && error != PARLEY_E_FULL ? PARLEY_E_OK : error;
    interest_look_at(node, log, judged->chunk.bytes);
    parents_look_at(node, peer, task, judged->chunk.bytes);
    erase_look_at(node, log, &judged->chunk);
    return PARLEY_E_OK;
}
