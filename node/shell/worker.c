/* The loop's side: what is asked of the thread, its answers, and reads. See worker.h. */
#include "log.h"
#include "memory.h"
#include "worker_internal.h"
#include <stdio.h>
#include <stdlib.h>

struct read_job {
    uv_work_t request;
    struct parley_worker *worker;
    parley_worker_work *work;
    parley_worker_done *done;
    void *context;
    enum parley_error error;
};

static struct job *copy_job(uint64_t ticket, const struct parley_store_op *op) {
    struct job *job = parley_memory_raw(sizeof *job + op->bytes.size + op->key.size);
    memset(job, 0, sizeof *job);
    uint8_t *space = (uint8_t *)(job + 1);
    job->ticket = ticket;
    job->op = *op;
    job->has_log = false;
    if (op->bytes.size > 0)
        memcpy(space, op->bytes.data, op->bytes.size);
    job->op.bytes.data = space;
    if (op->key.size > 0)
        memcpy(space + op->bytes.size, op->key.data, op->key.size);
    job->op.key.data = space + op->bytes.size;
    return job;
}

/* --- on the loop ----------------------------------------------------------------------------- */

static void on_async_closed(uv_handle_t *handle) {
    struct parley_worker *worker = handle->data;
    worker->is_closed = true;
    worker->handlers.on_stopped(worker->handlers.context);
}

static void end_if_done(struct parley_worker *worker) {
    uv_mutex_lock(&worker->mutex);
    bool has_ended = worker->has_ended && worker->done.first == NULL;
    uv_mutex_unlock(&worker->mutex);
    if (!has_ended || worker->reads_count > 0 || uv_is_closing((uv_handle_t *)&worker->async))
        return;
    uv_thread_join(&worker->thread);
    parley_disk_close(&worker->disk);
    uv_close((uv_handle_t *)&worker->async, on_async_closed);
}

static bool deliver_one(struct parley_worker *worker) {
    uv_mutex_lock(&worker->mutex);
    struct job *job = worker_pop(&worker->done);
    uv_mutex_unlock(&worker->mutex);
    if (job == NULL)
        return false;
    worker->undelivered--;
    worker->handlers.on_stored(worker->handlers.context, job->ticket, job->result,
                               job->has_log ? &job->log : NULL);
    free(job);
    return true;
}

static bool take_reopened(struct parley_worker *worker) {
    uv_mutex_lock(&worker->mutex);
    bool is_reopened = worker->state == WORKER_REOPENED && !worker->is_stopping;
    if (is_reopened)
        worker->state = WORKER_LOADING;
    uv_mutex_unlock(&worker->mutex);
    return is_reopened;
}

static void on_async(uv_async_t *async) {
    struct parley_worker *worker = async->data;
    while (deliver_one(worker))
        ;
    /* All that failed has been told now, so what comes after is about the store anew. */
    if (take_reopened(worker)) {
        parley_log_line(PARLEY_LOG_WARNING, "the database is open again");
        worker->handlers.on_reopened(worker->handlers.context, worker->disk.store);
    }
    end_if_done(worker);
}

struct parley_worker *parley_worker_create(uv_loop_t *loop, const struct parley_disk *disk,
                                           const char *directory,
                                           const struct parley_worker_handlers *handlers) {
    struct parley_worker *worker = parley_memory(sizeof *worker);
    worker->handlers = *handlers;
    worker->loop = loop;
    worker->disk = *disk;
    worker->state = WORKER_LOADING;
    worker->noted_ns = uv_hrtime();
    (void)snprintf(worker->directory, sizeof worker->directory, "%s", directory);
    int failed = uv_rwlock_init(&worker->disk_lock) | uv_mutex_init(&worker->mutex) |
                 uv_mutex_init(&worker->commit_lock) | uv_cond_init(&worker->wake) |
                 uv_async_init(loop, &worker->async, on_async);
    worker->async.data = worker;
    if (failed != 0 || uv_thread_create(&worker->thread, worker_run, worker) != 0) {
        parley_log_line(PARLEY_LOG_ERROR, "no thread can be made for the database");
        abort();
    }
    return worker;
}

struct parley_store *parley_worker_held(struct parley_worker *worker) {
    return worker->disk.store;
}

void parley_worker_store(struct parley_worker *worker, uint64_t ticket,
                         const struct parley_store_op *op) {
    struct job *job = copy_job(ticket, op);
    worker->undelivered++;
    uv_mutex_lock(&worker->mutex);
    bool is_refused =
        worker->state == WORKER_BROKEN || worker->state == WORKER_REOPENED || worker->has_ended;
    if (is_refused) {
        job->result = worker->error != PARLEY_E_OK ? worker->error : PARLEY_E_DISK_FAILED;
        worker_push(&worker->done, job);
    } else {
        worker_push(&worker->queue, job);
    }
    bool rests = worker->is_resting;
    uv_mutex_unlock(&worker->mutex);
    /* Whoever is woken wants the mutex at once. */
    if (is_refused)
        (void)uv_async_send(&worker->async);
    else if (rests)
        uv_cond_signal(&worker->wake);
}

void parley_worker_resume(struct parley_worker *worker) {
    uv_mutex_lock(&worker->mutex);
    if (worker->state == WORKER_LOADING)
        worker->state = WORKER_OPEN;
    worker->shown_error = PARLEY_E_OK;
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->mutex);
}

/* --- reads ----------------------------------------------------------------------------------- */

static void run_read(uv_work_t *request) {
    struct read_job *job = request->data;
    struct parley_worker *worker = job->worker;
    uv_rwlock_rdlock(&worker->disk_lock);
    if (worker->disk.store == NULL)
        job->error = PARLEY_E_RETRY;
    else
        job->work(job->context, worker->disk.store);
    uv_rwlock_rdunlock(&worker->disk_lock);
}

static void on_read(uv_work_t *request, int status) {
    struct read_job *job = request->data;
    struct parley_worker *worker = job->worker;
    worker->reads_count--;
    job->done(job->context, job->error);
    free(job);
    end_if_done(worker);
}

void parley_worker_read(struct parley_worker *worker, parley_worker_work *work,
                        parley_worker_done *done, void *context) {
    struct read_job *job = parley_memory(sizeof *job);
    job->request.data = job;
    job->worker = worker;
    job->work = work;
    job->done = done;
    job->context = context;
    worker->reads_count++;
    int status = uv_queue_work(worker->loop, &job->request, run_read, on_read);
    if (status != 0)
        abort(); /* only without a callback, which is our own bug */
}

void parley_worker_listen(struct parley_worker *worker, parley_worker_on_commit *on_commit,
                          void *context) {
    uv_mutex_lock(&worker->commit_lock);
    worker->on_commit = on_commit;
    worker->commit_context = context;
    uv_mutex_unlock(&worker->commit_lock);
}

/* --- compaction ------------------------------------------------------------------------------ */

static void compact_piece(void *context, struct parley_store *store) {
    struct parley_worker *worker = context;
    parley_store_compact_next(store, &worker->compaction);
}

static bool is_stopping(struct parley_worker *worker) {
    uv_mutex_lock(&worker->mutex);
    bool is_stopping = worker->is_stopping;
    uv_mutex_unlock(&worker->mutex);
    return is_stopping;
}

static void on_compacted(void *context, enum parley_error error) {
    struct parley_worker *worker = context;
    bool is_over = error != PARLEY_E_OK || worker->compaction.is_done;
    worker->is_compacting =
        error == PARLEY_E_OK && !is_stopping(worker) && (!is_over || worker->compacts_again);
    if (is_over) {
        worker->compaction = (struct parley_store_compaction){0};
        worker->compacts_again = false;
    }
    if (worker->is_compacting)
        parley_worker_read(worker, compact_piece, on_compacted, worker);
    else
        worker->handlers.on_compacted(worker->handlers.context);
}

bool parley_worker_is_compacting(const struct parley_worker *worker) {
    return worker->is_compacting;
}

void parley_worker_compact(struct parley_worker *worker) {
    worker->compacts_again = worker->is_compacting;
    if (worker->is_compacting)
        return;
    worker->is_compacting = true;
    parley_worker_read(worker, compact_piece, on_compacted, worker);
}

/* --- questions and the end -------------------------------------------------------------------- */

bool parley_worker_is_idle(const struct parley_worker *worker) {
    return worker->undelivered == 0 && worker->reads_count == 0;
}

bool parley_worker_may_stop(const struct parley_worker *worker) {
    return worker->undelivered == 0 && worker->reads_count == worker->is_compacting;
}

enum parley_error parley_worker_error(const struct parley_worker *worker) {
    uv_mutex_t *mutex = (uv_mutex_t *)&worker->mutex;
    uv_mutex_lock(mutex);
    enum parley_error error = worker->shown_error;
    uv_mutex_unlock(mutex);
    return error;
}

bool parley_worker_moves(struct parley_worker *worker) {
    uv_mutex_lock(&worker->mutex);
    bool moves = worker->is_resting || worker->turns != worker->turns_seen;
    worker->turns_seen = worker->turns;
    uv_mutex_unlock(&worker->mutex);
    return moves;
}

void parley_worker_counts(const struct parley_worker *worker, struct parley_worker_counts *out) {
    uv_mutex_t *mutex = (uv_mutex_t *)&worker->mutex;
    uv_mutex_lock(mutex);
    *out = worker->counts;
    uv_mutex_unlock(mutex);
}

uint64_t parley_worker_bytes(struct parley_worker *worker) {
    /* The loop does not wait for an opening that takes long. */
    if (uv_rwlock_tryrdlock(&worker->disk_lock) != 0)
        return 0;
    uint64_t bytes = worker->disk.store == NULL ? 0 : parley_store_bytes(worker->disk.store);
    uv_rwlock_rdunlock(&worker->disk_lock);
    return bytes;
}

void parley_worker_stop(struct parley_worker *worker) {
    uv_mutex_lock(&worker->mutex);
    worker->is_stopping = true;
    if (worker->state == WORKER_LOADING)
        worker->state = WORKER_OPEN;
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->mutex);
}

void parley_worker_free(struct parley_worker *worker) {
    if (worker == NULL)
        return;
    uv_rwlock_destroy(&worker->disk_lock);
    uv_mutex_destroy(&worker->commit_lock);
    uv_mutex_destroy(&worker->mutex);
    uv_cond_destroy(&worker->wake);
    free(worker);
}
