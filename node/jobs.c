#include "internal.h"

/* Messages that wait: for a signature check, for the disk, or for one another. A job belongs to its
 * sender's budget until the answer comes. */

struct job *job_take(struct parley_node *node, struct peer *peer, enum job_kind kind,
                     struct parley_span bytes) {
    for (size_t i = 0; node->jobs_free > 0 && i < PARLEY_JOBS_MAX; i++) {
        struct job *job = &node->jobs[i];
        if (job->state != JOB_FREE)
            continue;
        assert(bytes.size <= PARLEY_MESSAGE_BYTES_MAX);
        node->jobs_free--;
        job->kind = kind;
        job->generation++;
        job->peer = peer_slot(node, peer);
        job->connection = peer == NULL ? 0 : peer->connection;
        job->request = 0;
        job->is_judged = false;
        job->size = bytes.size;
        memmove(job->buffer, bytes.data, bytes.size);
        if (peer != NULL)
            peer->jobs_count++;
        return job;
    }
    return NULL;
}

void job_give(struct parley_node *node, struct job *job) {
    assert(job->state != JOB_FREE);
    job->state = JOB_FREE;
    job->generation++;
    node->jobs_free++;
    if (job->peer != NONE)
        node->peers[job->peer].jobs_count--;
}

bool log_has_job(const struct parley_node *node, const struct parley_log *log) {
    uint32_t row = log_find(node, log);
    if (row != NONE && node->logs[row].is_doubted)
        return true; /* a review is one, too: nothing changes under it */
    for (size_t i = 0; i < PARLEY_JOBS_MAX; i++)
        if (node->jobs[i].kind == JOB_CHUNK &&
            (node->jobs[i].state == JOB_CHECKING || node->jobs[i].state == JOB_READING) &&
            PARLEY_EQUAL(node->jobs[i].chunk.log, *log))
            return true;
    return false;
}

void verify_emit(struct parley_node *node, const struct job *job,
                 const struct parley_check *check) {
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_VERIFY);
    effect->verify.ticket = ticket_make(TICKET_JOB, (uint32_t)(job - node->jobs), job->generation);
    effect->verify.check = *check;
    if (job->peer != NONE)
        budget_take(node, &node->peers[job->peer], BUDGET_CHECKS, 1);
}

struct peer *job_peer(struct parley_node *node, const struct job *job) {
    return job->peer == NONE ? NULL : &node->peers[job->peer];
}

void on_verified(struct parley_node *node, parley_ticket ticket, bool holds) {
    uint32_t index = ticket_index(ticket);
    if (ticket_kind_of(ticket) == TICKET_REVIEW)
        review_on_verified(node, ticket, holds);
    if (ticket_kind_of(ticket) == TICKET_ADDRESS)
        record_on_verified(node, ticket, holds);
    if (ticket_kind_of(ticket) != TICKET_JOB || index >= PARLEY_JOBS_MAX)
        return;
    struct job *job = &node->jobs[index];
    if (job->state != JOB_CHECKING || job->generation != ticket_generation(ticket))
        return;
    if (job->kind == JOB_CHUNK)
        chunk_on_verified(node, job, holds);
    else
        records_on_verified(node, job, holds);
}
