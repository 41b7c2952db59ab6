#include "internal.h"

/* The one door for every identity record and every entry: own, gossiped, fetched, imported.
 * Cheap questions come first, the signature last, a place in a table only after it held. What has
 * to wait for a check or for the disk waits in a job, in its sender's budget; when the answer comes
 * all is asked again, since the world may have changed. */

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

static void note_fork(struct parley_node *node, uint32_t log, const struct parley_judged *judged,
                      parley_seq conflict) {
    struct log_row *row = &node->logs[log];
    if (row->policy.kind != PARLEY_POLICY_OPEN || judged->run.hi - conflict > PARLEY_EVIDENCE_REACH)
        return;
    parley_seq forked = conflict > row->policy.seq ? conflict : row->policy.seq + 1;
    if (row->forked != 0 && row->forked <= forked)
        return;
    uint8_t *copy = out_take(node, judged->chunk.bytes.size);
    if (copy == NULL)
        return;
    memcpy(copy, judged->chunk.bytes.data, judged->chunk.bytes.size);
    row->forked = forked;
    author_changed(node, row->author);
    struct pending_store after = {.after = AFTER_NOTHING};
    struct parley_store_op mark = {.kind = PARLEY_STORE_FORK, .log = row->log, .seq_low = forked};
    struct parley_store_op proof = {.kind = PARLEY_STORE_EVIDENCE,
                                    .log = row->log,
                                    .bytes = PARLEY_SPAN(copy, judged->chunk.bytes.size),
                                    .received_ms = node->wall,
                                    .top_signed = true};
    (void)store_emit(node, &proof, &after);
    (void)store_emit(node, &mark, &after);
    effect_log(node, PARLEY_LOG_WARNING, PARLEY_E_FORKED, 0, "a log is forked");
}

/* What a rotation lists is authentic by itself: a run past it that has another id there is the
 * other branch. */
static bool leaves_listing(const struct log_row *row, const struct parley_judged *judged,
                           struct id_source *source) {
    struct parley_id id;
    return row->policy.kind == PARLEY_POLICY_OPEN && row->policy.seq != 0 &&
           judged->run.lo <= row->policy.seq + 1 && judged->run.hi >= row->policy.seq &&
           id_at(source, PARLEY_SIDE_RUN, row->policy.seq, &id) &&
           !PARLEY_EQUAL(id, row->policy.id);
}

/* Puts a judged chunk, whose check holds, where it belongs. */
static enum parley_error place_chunk(struct parley_node *node, struct peer *peer,
                                     parley_request request, struct chunk_task *task, uint32_t log,
                                     struct parley_judged *judged, parley_seq *conflict) {
    struct log_row *row = &node->logs[log];
    struct parley_ranges whole = row->ranges, stored = row->ranges;
    struct id_source source = {judged, task};
    if (row->forked != 0 && judged->run.hi >= row->forked && task->source != CHUNK_EVIDENCE)
        return PARLEY_E_FORKED;
    judged->run.hi_is_signed = task->check_held;
    if (leaves_listing(row, judged, &source)) {
        *conflict = row->policy.seq + 1;
        if (task->check_held && judged->run.hi >= *conflict)
            note_fork(node, log, judged, *conflict);
        return PARLEY_E_FORKED;
    }
    enum parley_error error =
        parley_ranges_add(&whole, &judged->run, PARLEY_PLACE_ANY, id_at, &source, conflict);
    if (error == PARLEY_E_EXISTS)
        log_learn_signed(node, log, &judged->run, judged->chunk.bytes);
    if (error != PARLEY_E_OK) {
        /* Evidence is passed on with a top whose own signature was checked here, or not at all. */
        if (error == PARLEY_E_FORKED && task->check_held)
            note_fork(node, log, judged, *conflict);
        return error;
    }
    if (task->source == CHUNK_EVIDENCE)
        return PARLEY_E_OK; /* it proves nothing here: no branch contradicts it */
    bool is_live = task->source == CHUNK_PUSH || task->source == CHUNK_OWN;
    struct pending_store after = {.after = AFTER_CHUNK,
                                  .log = log,
                                  .author = row->author,
                                  .source_peer = peer_slot(node, peer),
                                  .source_connection = peer == NULL ? 0 : peer->connection,
                                  .is_live = is_live && judged->chunk.count == 1};
    parley_seq from, to;
    bool any = false;
    while (parley_ranges_missing(&stored, judged->run.lo, judged->run.hi, &from, &to)) {
        /* The last stretch answers; its top may be below what is held. */
        parley_seq next_from, next_to;
        bool ends = to == judged->run.hi ||
                    !parley_ranges_missing(&stored, to + 1, judged->run.hi, &next_from, &next_to);
        after.request = ends ? request : 0;
        error = store_part(node, log, judged, &stored, from, to, &after);
        if (error != PARLEY_E_OK)
            return any && request == 0 && error != PARLEY_E_FULL ? PARLEY_E_OK : error;
        row->ranges = stored;
        any = true;
    }
    interest_look_at(node, row->author, judged->chunk.bytes);
    erase_look_at(node, log, judged->chunk.bytes);
    return PARLEY_E_OK;
}

static enum parley_error judge_task(struct parley_node *node, struct peer *peer,
                                    const struct chunk_task *task, struct parley_span bytes,
                                    uint32_t *log, struct parley_judged *judged) {
    *log = log_find(node, &task->log);
    if (*log == NONE)
        return PARLEY_E_UNKNOWN_LOG;
    struct log_row *row = &node->logs[*log];
    if (peer != NULL && !author_is_wanted(node, row->author))
        return PARLEY_E_NOT_WANTED;
    struct parley_anchor anchor = task->anchor;
    bool is_anchored = task->is_anchored;
    if (!is_anchored && row->policy.seq != 0) {
        /* An import or a push may be exactly what the identity records name. */
        struct parley_chunk chunk;
        struct parley_fault fault = parley_chunk_decode(&chunk, bytes);
        if (fault.error != PARLEY_E_OK)
            return fault.error;
        is_anchored =
            parley_chunk_seq_last(&chunk) == row->policy.seq && task->source == CHUNK_IMPORT;
        anchor = (struct parley_anchor){row->policy.seq, row->policy.id};
    }
    struct parley_fault fault = parley_judge_chunk(judged, &task->log, &row->policy, &row->device,
                                                   is_anchored ? &anchor : NULL, bytes);
    return fault.error;
}

/* What came of it, told to who brought it. */
static void finish_chunk(struct parley_node *node, struct peer *peer, parley_request request,
                         const struct chunk_task *task, enum parley_error error,
                         const struct parley_judged *judged) {
    if (error == PARLEY_E_EXISTS)
        node->duplicates_count += task->source == CHUNK_PUSH;
    if (error == PARLEY_E_EXISTS)
        reply_when_durable(node, request, 0); /* it may be here and not yet on disk */
    else if (error != PARLEY_E_OK)            /* otherwise STORED answers */
        effect_reply(node, request, error);
    if (peer != NULL && parley_error_class(error) == PARLEY_CLASS_REMOTE) {
        peer_close(node, peer, error, PARLEY_GOODBYE_FAULT);
        return;
    }
    if (task->source == CHUNK_RUN && task->fetch != NONE && node->fetches[task->fetch].is_used &&
        node->fetches[task->fetch].request == task->fetch_request) {
        struct fetch *fetch = &node->fetches[task->fetch];
        bool good = error == PARLEY_E_OK || error == PARLEY_E_EXISTS;
        fetch->any_new |= error == PARLEY_E_OK;
        if (good && judged->run.lo > 1) {
            fetch->is_anchored = true;
            fetch->anchor = (struct parley_anchor){judged->run.lo - 1, judged->run.lo_prev};
        }
        if (!good || task->is_last || judged->run.lo == 1)
            fetch_end(node, fetch, !good);
    }
    if (task->source == CHUNK_PUSH && error == PARLEY_E_OK && judged->run.lo > 1) {
        uint32_t log = log_find(node, &task->log);
        if (!parley_ranges_covers(&node->logs[log].ranges, judged->run.lo - 1))
            want(node, peer, log, judged->run.hi, &judged->run.hi_id, 1);
    }
}

static void read_emit(struct parley_node *node, struct job *job, parley_seq seq) {
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_READ);
    effect->read.ticket = ticket_make(TICKET_JOB, (uint32_t)(job - node->jobs), job->generation);
    effect->read.kind = PARLEY_READ_RUN;
    effect->read.log = job->chunk.log;
    effect->read.seq_top = seq;
    effect->read.seq_low = seq;
    effect->read.bytes_max = PARLEY_CHUNK_BYTES_MAX;
}

/* Runs as far as it can; job is where it waited until now, or NULL. */
static void run_chunk(struct parley_node *node, struct peer *peer, parley_request request,
                      struct chunk_task *task, struct parley_span bytes, struct job *job) {
    uint32_t log;
    struct parley_judged judged;
    parley_seq conflict = 0;
    enum parley_error error = judge_task(node, peer, task, bytes, &log, &judged);
    bool checks = error == PARLEY_E_OK && judged.needs_check && !task->check_held;
    if (error == PARLEY_E_OK && !checks)
        error = place_chunk(node, peer, request, task, log, &judged, &conflict);
    bool reads = error == PARLEY_E_RETRY && conflict != 0 && !task->id_known;
    if (!checks && !reads) {
        if (job != NULL)
            job_give(node, job);
        finish_chunk(node, peer, request, task, error, &judged);
        return;
    }
    if (job == NULL)
        job = job_take(node, peer, JOB_CHUNK, bytes);
    if (job == NULL) {
        finish_chunk(node, peer, request, task, PARLEY_E_RETRY, &judged);
        return;
    }
    job->request = request;
    job->chunk = *task;
    job->state = checks ? JOB_CHECKING : JOB_READING;
    if (checks) {
        verify_emit(node, job, &judged.check);
    } else {
        job->chunk.known_seq = conflict;
        read_emit(node, job, conflict);
    }
}

void ingest_chunk(struct parley_node *node, struct peer *peer, parley_request request,
                  const struct chunk_task *task, struct parley_span bytes) {
    struct chunk_task copy = *task;
    run_chunk(node, peer, request, &copy, bytes, NULL);
}

void ingest_on_read(struct parley_node *node, uint32_t index, uint16_t generation,
                    enum parley_error error, struct parley_span bytes) {
    struct job *job = &node->jobs[index];
    if (index >= PARLEY_JOBS_MAX || job->state != JOB_READING || job->generation != generation)
        return;
    struct parley_chunk chunk;
    struct parley_entry entry;
    job->chunk.id_known = error == PARLEY_E_OK &&
                          parley_chunk_decode(&chunk, bytes).error == PARLEY_E_OK &&
                          parley_chunk_find(&chunk, job->chunk.known_seq, &entry);
    if (job->chunk.id_known)
        job->chunk.known_id = entry.id;
    struct chunk_task task = job->chunk;
    if (!job->chunk.id_known) { /* not on disk yet; or pruned or cut meanwhile */
        struct parley_judged judged = {0};
        struct peer *peer = job_peer(node, job);
        parley_request request = job->request;
        job_give(node, job);
        enum parley_error missing = log_is_storing(node, &task.log) ? PARLEY_E_RETRY : PARLEY_E_GAP;
        finish_chunk(node, peer, request, &task, missing, &judged);
        return;
    }
    run_chunk(node, job_peer(node, job), job->request, &task, PARLEY_SPAN(job->buffer, job->size),
              job);
}

void chunk_on_verified(struct parley_node *node, struct job *job, bool holds) {
    struct chunk_task task = job->chunk;
    if (holds) {
        task.check_held = true;
        run_chunk(node, job_peer(node, job), job->request, &task,
                  PARLEY_SPAN(job->buffer, job->size), job);
        return;
    }
    struct parley_judged judged = {0};
    struct peer *peer = job_peer(node, job);
    parley_request request = job->request;
    job_give(node, job);
    finish_chunk(node, peer, request, &task, PARLEY_E_BAD_SIGNATURE, &judged);
}
