/* The thread that commits, in batches, and opens the database again when it broke. See worker.h. */
#include "kv_sizes.h"
#include "log.h"
#include "memory.h"
#include "worker_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One synced batch. Beyond this the gain from sharing a sync is gone, and the memory is bounded. */
#define BATCH_OPS_MAX   4096u
#define BATCH_BYTES_MAX ((size_t)2 << 20)
/* Of a larger batch nobody is told before it is answered: what is read of it takes its time, and a
 * thread for that is soon awake. */
#define TOLD_OF_OPS_MAX 4u
/* Between two notes of how many commits there are: few enough to cost nothing. */
#define NOTE_EVERY_NS  (UINT64_C(5) * 1000 * 1000 * 1000)
#define PAUSE_FIRST_NS (UINT64_C(1) * 1000 * 1000 * 1000)
#define PAUSE_MAX_NS   (UINT64_C(5) * 1000 * 1000 * 1000)

void worker_push(struct job_queue *queue, struct job *job) {
    job->next = NULL;
    if (queue->last == NULL)
        queue->first = job;
    else
        queue->last->next = job;
    queue->last = job;
}

struct job *worker_pop(struct job_queue *queue) {
    struct job *job = queue->first;
    if (job == NULL)
        return NULL;
    queue->first = job->next;
    if (queue->first == NULL)
        queue->last = NULL;
    return job;
}

/* --- committing ----------------------------------------------------------------------------- */

struct batch {
    struct job *jobs[BATCH_OPS_MAX];
    struct parley_store_op ops[BATCH_OPS_MAX];
    enum parley_error results[BATCH_OPS_MAX];
    size_t count;
    size_t bytes;
};

static void take_batch(struct batch *batch, struct parley_worker *worker) {
    batch->bytes = 0;
    batch->count = 0;
    while (worker->queue.first != NULL && batch->count < BATCH_OPS_MAX &&
           batch->bytes < BATCH_BYTES_MAX) {
        struct job *job = worker_pop(&worker->queue);
        batch->bytes += job->op.bytes.size;
        batch->ops[batch->count] = job->op;
        batch->jobs[batch->count++] = job;
    }
}

static enum parley_error batch_error(const struct batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        if (parley_error_class(batch->results[i]) == PARLEY_CLASS_LOCAL)
            return batch->results[i];
    }
    return PARLEY_E_OK;
}

/* With the mutex held: what was asked after the failure cannot be stored, either. */
static void refuse_queue(struct parley_worker *worker) {
    for (struct job *job = worker_pop(&worker->queue); job != NULL;
         job = worker_pop(&worker->queue)) {
        job->result = worker->error;
        worker_push(&worker->done, job);
    }
}

static void note(struct parley_worker *worker) {
    uint64_t now = uv_hrtime();
    if (now - worker->noted_ns < NOTE_EVERY_NS)
        return;
    worker->noted_ns = now;
    parley_disk_note(&worker->disk);
}

/* With the mutex held. */
static void count_commit(struct parley_worker_counts *counts, const struct batch *batch,
                         enum parley_error error) {
    _Static_assert(BATCH_OPS_MAX == 1u << (PARLEY_COMMIT_BUCKETS - 1), "the buckets take all");
    if (error != PARLEY_E_OK) {
        counts->failures_count++;
        return;
    }
    counts->commits_count++;
    counts->operations_count += batch->count;
    counts->bytes += batch->bytes;
    for (unsigned i = 0; i < PARLEY_COMMIT_BUCKETS; i++)
        counts->up_to[i] += batch->count <= (size_t)1 << i;
}

/* What was just written is in the engine's memory still: microseconds. Posts that come together are
 * of one log, as a rule. */
static void look_at_logs(struct parley_worker *worker, struct batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        struct job *job = batch->jobs[i];
        const struct job *before = i > 0 ? batch->jobs[i - 1] : NULL;
        if (before != NULL && PARLEY_EQUAL(before->op.log, job->op.log)) {
            job->has_log = before->has_log;
            job->log = before->log;
            continue;
        }
        job->has_log =
            !PARLEY_IS_ZERO(job->op.log) &&
            parley_store_log_get(worker->disk.store, &job->op.log, &job->log) == PARLEY_E_OK;
    }
}

static void tell_of(struct parley_worker *worker, const struct batch *batch) {
    uv_mutex_lock(&worker->commit_lock);
    for (size_t i = 0; worker->on_commit != NULL && i < batch->count; i++)
        if (batch->results[i] == PARLEY_E_OK)
            worker->on_commit(worker->commit_context, worker->disk.store, &batch->ops[i]);
    uv_mutex_unlock(&worker->commit_lock);
}

/* Called and returns with the mutex held. */
static void commit_batch(struct parley_worker *worker, struct batch *batch) {
    take_batch(batch, worker);
    uv_mutex_unlock(&worker->mutex);
    uv_rwlock_rdlock(&worker->disk_lock);
    parley_store_commit(worker->disk.store, batch->ops, batch->count, batch->results);
    enum parley_error error = batch_error(batch);
    if (error == PARLEY_E_OK) {
        look_at_logs(worker, batch);
        if (batch->count <= TOLD_OF_OPS_MAX)
            tell_of(worker, batch);
    }
    uv_rwlock_rdunlock(&worker->disk_lock);
    uv_mutex_lock(&worker->mutex);
    count_commit(&worker->counts, batch, error);
    for (size_t i = 0; i < batch->count; i++) {
        batch->jobs[i]->result = error != PARLEY_E_OK ? error : batch->results[i];
        worker_push(&worker->done, batch->jobs[i]);
    }
    if (error != PARLEY_E_OK) {
        worker->error = worker->shown_error = error;
        worker->state = WORKER_BROKEN;
        refuse_queue(worker);
    }
    /* Whoever is woken wants the mutex at once. */
    uv_mutex_unlock(&worker->mutex);
    (void)uv_async_send(&worker->async);
    if (error == PARLEY_E_OK)
        note(worker);
    uv_mutex_lock(&worker->mutex);
}

static enum parley_error open_again(struct parley_worker *worker) {
    struct parley_problem problem = {0};
    uv_rwlock_wrlock(&worker->disk_lock);
    parley_disk_close(&worker->disk);
    enum parley_error error = parley_disk_open(&worker->disk, worker->directory, false,
                                               worker->disk.quota_bytes, &problem);
    uv_rwlock_wrunlock(&worker->disk_lock);
    bool is_news = error != PARLEY_E_OK && error != worker->reopen_error;
    worker->reopen_error = error;
    if (is_news)
        parley_log_line(PARLEY_LOG_ERROR, "%s", problem.text);
    return error;
}

/* Whether there is room for what opening writes. Asked by taking it: free space that statvfs tells
 * of may be beyond a quota. */
static bool has_space(const struct parley_worker *worker) {
    char path[PATH_MAX + 8];
    (void)snprintf(path, sizeof path, "%s.space", worker->directory);
    off_t bytes = (off_t)parley_kv_opening_bytes(worker->directory);
    int file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    int status = file < 0 ? errno : posix_fallocate(file, 0, bytes);
    if (file >= 0)
        close(file);
    (void)unlink(path);
    return status == 0;
}

/* With the mutex held. */
static void wait_for(struct parley_worker *worker, uint64_t pause_ns) {
    uint64_t end = uv_hrtime() + pause_ns, now;
    worker->is_resting = true;
    while (!worker->is_stopping && (now = uv_hrtime()) < end)
        (void)uv_cond_timedwait(&worker->wake, &worker->mutex, end - now);
    worker->is_resting = false;
    worker->turns++;
}

static uint64_t longer(uint64_t pause_ns) {
    uint64_t twice = pause_ns == 0 ? PAUSE_FIRST_NS : pause_ns * 2;
    return twice < PAUSE_MAX_NS ? twice : PAUSE_MAX_NS;
}

/* Called and returns with the mutex held. *pause_ns grows until something is stored again, so that
 * a disk with room for opening alone is not worn out. A full disk is left open for reading until
 * there is room: closed, it could not be opened again. */
static void mend(struct parley_worker *worker, uint64_t *pause_ns) {
    enum parley_error error = PARLEY_E_RETRY;
    parley_log_line(PARLEY_LOG_ERROR, "cannot store: %s; read-only until it can be opened again",
                    parley_strerror(worker->error));
    wait_for(worker, *pause_ns);
    while (error != PARLEY_E_OK && !worker->is_stopping) {
        uv_mutex_unlock(&worker->mutex);
        bool is_full = worker->error == PARLEY_E_DISK_FULL && !has_space(worker);
        if (!is_full)
            error = open_again(worker);
        uv_mutex_lock(&worker->mutex);
        if (!is_full)
            *pause_ns = longer(*pause_ns);
        if (error != PARLEY_E_OK)
            wait_for(worker, is_full ? PAUSE_FIRST_NS : *pause_ns);
    }
    if (error != PARLEY_E_OK)
        return;
    worker->state = WORKER_REOPENED;
    (void)uv_async_send(&worker->async);
}

void worker_run(void *argument) {
    struct parley_worker *worker = argument;
    struct batch *batch = parley_memory(sizeof *batch);
    uint64_t pause_ns = 0;
    uv_mutex_lock(&worker->mutex);
    for (;; worker->turns++) {
        if (worker->state == WORKER_OPEN && worker->queue.first != NULL) {
            commit_batch(worker, batch);
            if (worker->state == WORKER_OPEN)
                pause_ns = 0;
        } else if (worker->is_stopping) {
            break;
        } else if (worker->state == WORKER_BROKEN) {
            mend(worker, &pause_ns);
        } else {
            worker->is_resting = true;
            uv_cond_wait(&worker->wake, &worker->mutex);
            worker->is_resting = false;
        }
    }
    refuse_queue(worker);
    worker->has_ended = true;
    (void)uv_async_send(&worker->async);
    uv_mutex_unlock(&worker->mutex);
    free(batch);
}
