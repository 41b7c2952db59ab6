#include "internal.h"

/* The one door for every identity record and every entry: own, gossiped, fetched, imported.
 * Cheap questions come first, the signature last, a place in a table only after it held. What has
 * to wait for a check or for the disk waits in a job, in its sender's budget; when the answer comes
 * all is asked again, since the world may have changed. */

/* The judge is not asked the same twice: nothing that it goes by has changed while the signature
 * was checked. */
static bool was_judged(const struct job *job, const struct chunk_task *task,
                       const struct log_row *row) {
    return job != NULL && job->is_judged && task->check_held && !task->is_anchored &&
           parley_policy_equal(&job->policy, &row->policy) &&
           memcmp(job->judged.check.key, row->device.bytes, sizeof row->device) == 0;
}

static enum parley_error judge_task(struct parley_node *node, struct peer *peer,
                                    const struct chunk_task *task, struct parley_span bytes,
                                    const struct job *job, uint32_t *log,
                                    struct parley_judged *judged, parley_seq *needed) {
    *log = log_find(node, &task->log);
    if (*log == NONE)
        return PARLEY_E_UNKNOWN_LOG;
    struct log_row *row = &node->logs[*log];
    if (author_is_blocked(node, row->author))
        return PARLEY_E_BLOCKED; /* on a stick, too */
    if (peer != NULL && !author_is_wanted(node, row->author) && task->source != CHUNK_PARENT)
        return PARLEY_E_NOT_WANTED;
    if (node->authors[row->author].quota.is_leaving)
        return PARLEY_E_RETRY; /* in a moment he is unknown */
    if (was_judged(job, task, row)) {
        *judged = job->judged;
        return PARLEY_E_OK;
    }
    if (task->source == CHUNK_IMPORT)
        return import_judge(row, task, bytes, judged, needed);
    struct parley_fault fault = parley_judge_chunk(judged, &task->log, &row->policy, &row->device,
                                                   task->is_anchored ? &task->anchor : NULL, bytes);
    return fault.error;
}

/* What came of a chunk of that size, told to who brought it. judged: zeros where it did not come to
 * that. */
static void finish_chunk(struct parley_node *node, struct peer *peer, parley_request request,
                         const struct chunk_task *task, enum parley_error error,
                         const struct parley_judged *judged, size_t size) {
    if ((error == PARLEY_E_EXISTS || error == PARLEY_E_OK) &&
        (task->source == CHUNK_PUSH || task->source == CHUNK_RUN))
        bodies_offer(node, log_find(node, &task->log), &judged->chunk);
    if (peer != NULL && (error == PARLEY_E_OK || task->source == CHUNK_RUN))
        budget_give_back(node, peer, size);
    if (peer != NULL && error == PARLEY_E_OK)
        budget_give_back_checks(peer, task->check_held);
    if (error == PARLEY_E_EXISTS)
        node->duplicates_count += task->source == CHUNK_PUSH;
    tree_look_at(node, peer, task, error, &judged->run);
    if (error == PARLEY_E_EXISTS && task->source == CHUNK_IMPORT && judged->chunk.bodies_count > 0)
        import_bodies(node, log_find(node, &task->log), &judged->chunk, request);
    else if (error == PARLEY_E_EXISTS)
        reply_when_durable(node, request, 0); /* it may be here and not yet on disk */
    else if (error != PARLEY_E_OK)            /* otherwise STORED answers */
        effect_reply(node, request, error);
    if (task->source == CHUNK_PARENT) {
        parents_end(node, task, error);
        return; /* what a reply names may be as bad as it likes: no fault of who has it */
    }
    if (peer != NULL && parley_error_class(error) == PARLEY_CLASS_REMOTE) {
        peer_close(node, peer, error, PARLEY_GOODBYE_FAULT);
        return;
    }
    if (task->source == CHUNK_RUN && task->fetch != NONE && node->fetches[task->fetch].is_used &&
        node->fetches[task->fetch].request == task->fetch_request) {
        struct fetch *fetch = &node->fetches[task->fetch];
        bool good = error == PARLEY_E_OK || error == PARLEY_E_EXISTS;
        /* What contradicts is news, too: the review says whether to ask on. */
        bool told = good || error == PARLEY_E_FORKED;
        if (peer != NULL && error == PARLEY_E_OK)
            source_gave(peer);
        fetch->any_new |= error == PARLEY_E_OK;
        fetch->is_contradicted |= error == PARLEY_E_FORKED;
        if (good && judged->run.lo > 1) {
            fetch->is_anchored = true;
            fetch->anchor = (struct parley_anchor){judged->run.lo - 1, judged->run.lo_prev};
        }
        bool is_whole = good && judged->run.lo <= log_floor(&node->logs[fetch->log]);
        if (!good || task->is_last || is_whole)
            fetch_end(node, fetch, !told);
    }
    if (task->source == CHUNK_PUSH && error == PARLEY_E_OK && judged->run.lo > 1) {
        uint32_t log = log_find(node, &task->log);
        if (parley_ranges_covers(&node->logs[log].ranges, judged->run.lo - 1))
            return;
        want(node, peer, log, judged->run.hi, &judged->run.hi_id, 1);
        /* Whoever pushes need not answer. */
        tree_ask_announcers(node, log, &judged->run);
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

/* The newest entry once more, as all links but one bring it: its signature was checked then. */
static bool is_newest_again(const struct log_row *row, const struct chunk_task *task,
                            const struct parley_run *run) {
    const struct parley_run *newest = &row->ranges.ranges[0];
    return task->source == CHUNK_PUSH && row->ranges.count > 0 && row->forked == 0 &&
           row->policy.kind == PARLEY_POLICY_OPEN && newest->hi_is_signed &&
           newest->hi == run->hi && PARLEY_EQUAL(newest->hi_id, run->hi_id);
}

static struct parley_span moved(struct parley_span part, const uint8_t *from, const uint8_t *to) {
    return PARLEY_SPAN(to + (part.data - from), part.size);
}

/* What was judged is in the job's own bytes from now on. */
static void job_keep_judged(struct job *job, const struct parley_judged *judged,
                            const struct parley_policy *policy) {
    const uint8_t *from = judged->chunk.bytes.data;
    job->judged = *judged;
    job->judged.chunk.bytes = moved(judged->chunk.bytes, from, job->buffer);
    job->judged.chunk.items = moved(judged->chunk.items, from, job->buffer);
    job->policy = *policy;
    job->is_judged = true;
}

/* Runs as far as it can; job is where it waited until now, or NULL. */
static void run_chunk(struct parley_node *node, struct peer *peer, parley_request request,
                      struct chunk_task *task, struct parley_span bytes, struct job *job) {
    uint32_t log;
    struct parley_judged judged = {0};
    parley_seq conflict = 0;
    enum parley_error error = judge_task(node, peer, task, bytes, job, &log, &judged, &conflict);
    if (error == PARLEY_E_OK && is_newest_again(&node->logs[log], task, &judged.run))
        error = PARLEY_E_EXISTS;
    bool checks = error == PARLEY_E_OK && judged.needs_check && !task->check_held;
    if (error == PARLEY_E_OK && !checks) {
        bool has_bodies = import_has_bodies(&node->logs[log], task, &judged.chunk);
        error = place_chunk(node, peer, request, task, log, &judged, &conflict);
        if (error == PARLEY_E_OK && has_bodies)
            import_bodies(node, log, &judged.chunk, 0);
    }
    bool reads = error == PARLEY_E_RETRY && conflict != 0 && !task->id_known;
    if (!checks && !reads) {
        if (job != NULL)
            job_give(node, job);
        finish_chunk(node, peer, request, task, error, &judged, bytes.size);
        return;
    }
    if (job == NULL)
        job = job_take(node, peer, JOB_CHUNK, bytes);
    if (job == NULL) {
        finish_chunk(node, peer, request, task, PARLEY_E_RETRY, &judged, bytes.size);
        return;
    }
    job->request = request;
    job->chunk = *task;
    job->state = checks ? JOB_CHECKING : JOB_READING;
    if (checks) {
        job_keep_judged(job, &judged, &node->logs[log].policy);
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
        size_t size = job->size;
        job_give(node, job);
        enum parley_error missing = log_is_storing(node, &task.log) ? PARLEY_E_RETRY : PARLEY_E_GAP;
        finish_chunk(node, peer, request, &task, missing, &judged, size);
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
    size_t size = job->size;
    job_give(node, job);
    finish_chunk(node, peer, request, &task, PARLEY_E_BAD_SIGNATURE, &judged, size);
}

/* A piece of evidence may take several chunks, newest first: only the top of the first one is
 * signed. Which chunk goes on with the one before is told by its id alone, whatever became of that
 * one here: otherwise a bad own signature that an author planted would be laid to the peer. */
void on_evidence(struct parley_node *node, struct peer *peer,
                 const struct parley_wire_evidence *evidence) {
    struct chunk_task task = {.source = CHUNK_EVIDENCE, .log = evidence->log, .fetch = NONE};
    struct parley_chunk chunk;
    struct parley_entry top;
    if (parley_chunk_decode(&chunk, evidence->chunk).error == PARLEY_E_OK) {
        parley_seq last = parley_chunk_seq_last(&chunk);
        if (last == peer->evidence_next.seq && PARLEY_EQUAL(chunk.log, peer->evidence_log) &&
            parley_chunk_find(&chunk, last, &top) && PARLEY_EQUAL(top.id, peer->evidence_next.id)) {
            task.is_anchored = true;
            task.anchor = peer->evidence_next;
        }
        peer->evidence_log = chunk.log;
        peer->evidence_next = (struct parley_anchor){chunk.seq_first - 1, chunk.prev_first};
    }
    ingest_chunk(node, peer, 0, &task, evidence->chunk);
}
