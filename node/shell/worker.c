#include "worker.h"
#include "log.h"
#include "memory.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One synced batch. Beyond this the gain from sharing a sync is gone, and the memory is bounded. */
#define BATCH_OPS_MAX   4096u
#define BATCH_BYTES_MAX ((size_t)8 << 20)
/* LevelDB writes out its log when it opens: two buffers of kv_leveldb.c, and a little. */
#define OPENING_BYTES ((off_t)5 << 20)
/* Between two notes of how many commits there are: few enough to cost nothing. */
#define NOTE_EVERY_NS  (UINT64_C(5) * 1000 * 1000 * 1000)
#define PAUSE_FIRST_NS (UINT64_C(1) * 1000 * 1000 * 1000)
#define PAUSE_MAX_NS   (UINT64_C(5) * 1000 * 1000 * 1000)

struct job {
    struct job *next;
    uint64_t ticket;
    struct parley_store_op op; /* spans point behind this struct */
    enum parley_error result;
};

struct job_queue {
    struct job *first, *last;
};

enum worker_state {
    WORKER_OPEN,     /* committing */
    WORKER_BROKEN,   /* closed; the thread tries to open it again */
    WORKER_REOPENED, /* open; the loop has not been told */
    WORKER_LOADING,  /* open; the loop reads what is there, committing is held back; at first */
};

struct parley_worker {
    struct parley_worker_handlers handlers;
    uv_loop_t *loop;
    uv_thread_t thread;
    uv_async_t async;
    char directory[PATH_MAX];
    size_t reads_count;     /* loop only */
    size_t undelivered;     /* loop only: stores not answered */
    bool is_stop_requested; /* loop only */
    bool is_closed;         /* loop only */

    uv_rwlock_t disk_lock; /* readers use the disk; the thread writes when it opens and closes */
    struct parley_disk disk;
    enum parley_error reopen_error; /* the thread only: the last attempt's, said once */
    uint64_t noted_ns;              /* the thread only */

    uv_mutex_t mutex; /* all below */
    uv_cond_t wake;
    struct job_queue queue;
    struct job_queue done;
    enum worker_state state;
    enum parley_error error;       /* why it is broken */
    enum parley_error shown_error; /* until it is open again */
    bool is_stopping;
    bool has_ended; /* the thread */
};

struct read_job {
    uv_work_t request;
    struct parley_worker *worker;
    parley_worker_work *work;
    parley_worker_done *done;
    void *context;
    enum parley_error error;
};

/* --- queues --------------------------------------------------------------------------------- */

static void push(struct job_queue *queue, struct job *job) {
    job->next = NULL;
    if (queue->last == NULL)
        queue->first = job;
    else
        queue->last->next = job;
    queue->last = job;
}

static struct job *pop(struct job_queue *queue) {
    struct job *job = queue->first;
    if (job == NULL)
        return NULL;
    queue->first = job->next;
    if (queue->first == NULL)
        queue->last = NULL;
    return job;
}

static struct job *copy_job(uint64_t ticket, const struct parley_store_op *op) {
    struct job *job = parley_memory(sizeof *job + op->bytes.size + op->key.size);
    uint8_t *space = (uint8_t *)(job + 1);
    job->ticket = ticket;
    job->op = *op;
    if (op->bytes.size > 0)
        memcpy(space, op->bytes.data, op->bytes.size);
    job->op.bytes.data = space;
    if (op->key.size > 0)
        memcpy(space + op->bytes.size, op->key.data, op->key.size);
    job->op.key.data = space + op->bytes.size;
    return job;
}

/* --- the committing thread ------------------------------------------------------------------ */

struct batch {
    struct job *jobs[BATCH_OPS_MAX];
    struct parley_store_op ops[BATCH_OPS_MAX];
    enum parley_error results[BATCH_OPS_MAX];
    size_t count;
};

static void take_batch(struct batch *batch, struct parley_worker *worker) {
    size_t bytes = 0;
    batch->count = 0;
    while (worker->queue.first != NULL && batch->count < BATCH_OPS_MAX && bytes < BATCH_BYTES_MAX) {
        struct job *job = pop(&worker->queue);
        bytes += job->op.bytes.size;
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
    for (struct job *job = pop(&worker->queue); job != NULL; job = pop(&worker->queue)) {
        job->result = worker->error;
        push(&worker->done, job);
    }
}

static void note(struct parley_worker *worker) {
    uint64_t now = uv_hrtime();
    if (now - worker->noted_ns < NOTE_EVERY_NS)
        return;
    worker->noted_ns = now;
    parley_disk_note(&worker->disk);
}

/* Called and returns with the mutex held. */
static void commit_batch(struct parley_worker *worker, struct batch *batch) {
    take_batch(batch, worker);
    uv_mutex_unlock(&worker->mutex);
    uv_rwlock_rdlock(&worker->disk_lock);
    parley_store_commit(worker->disk.store, batch->ops, batch->count, batch->results);
    uv_rwlock_rdunlock(&worker->disk_lock);
    enum parley_error error = batch_error(batch);
    uv_mutex_lock(&worker->mutex);
    for (size_t i = 0; i < batch->count; i++) {
        batch->jobs[i]->result = error != PARLEY_E_OK ? error : batch->results[i];
        push(&worker->done, batch->jobs[i]);
    }
    if (error != PARLEY_E_OK) {
        worker->error = worker->shown_error = error;
        worker->state = WORKER_BROKEN;
        refuse_queue(worker);
    }
    (void)uv_async_send(&worker->async);
    if (error != PARLEY_E_OK)
        return;
    uv_mutex_unlock(&worker->mutex);
    note(worker);
    uv_mutex_lock(&worker->mutex);
}

static enum parley_error open_again(struct parley_worker *worker) {
    struct parley_problem problem = {0};
    uv_rwlock_wrlock(&worker->disk_lock);
    parley_disk_close(&worker->disk);
    enum parley_error error = parley_disk_open(&worker->disk, worker->directory, false, &problem);
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
    int file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    int status = file < 0 ? errno : posix_fallocate(file, 0, OPENING_BYTES);
    if (file >= 0)
        close(file);
    (void)unlink(path);
    return status == 0;
}

/* With the mutex held. */
static void wait_for(struct parley_worker *worker, uint64_t pause_ns) {
    uint64_t end = uv_hrtime() + pause_ns, now;
    while (!worker->is_stopping && (now = uv_hrtime()) < end)
        (void)uv_cond_timedwait(&worker->wake, &worker->mutex, end - now);
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

static void run_thread(void *argument) {
    struct parley_worker *worker = argument;
    struct batch *batch = parley_memory(sizeof *batch);
    uint64_t pause_ns = 0;
    uv_mutex_lock(&worker->mutex);
    for (;;) {
        if (worker->state == WORKER_OPEN && worker->queue.first != NULL) {
            commit_batch(worker, batch);
            if (worker->state == WORKER_OPEN)
                pause_ns = 0;
        } else if (worker->is_stopping) {
            break;
        } else if (worker->state == WORKER_BROKEN) {
            mend(worker, &pause_ns);
        } else {
            uv_cond_wait(&worker->wake, &worker->mutex);
        }
    }
    refuse_queue(worker);
    worker->has_ended = true;
    (void)uv_async_send(&worker->async);
    uv_mutex_unlock(&worker->mutex);
    free(batch);
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
    struct job *job = pop(&worker->done);
    uv_mutex_unlock(&worker->mutex);
    if (job == NULL)
        return false;
    worker->undelivered--;
    worker->handlers.on_stored(worker->handlers.context, job->ticket, job->result);
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
                 uv_cond_init(&worker->wake) | uv_async_init(loop, &worker->async, on_async);
    worker->async.data = worker;
    if (failed != 0 || uv_thread_create(&worker->thread, run_thread, worker) != 0) {
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
        push(&worker->done, job);
        (void)uv_async_send(&worker->async);
    } else {
        push(&worker->queue, job);
        uv_cond_signal(&worker->wake);
    }
    uv_mutex_unlock(&worker->mutex);
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

/* --- questions and the end -------------------------------------------------------------------- */

bool parley_worker_is_idle(const struct parley_worker *worker) {
    return worker->undelivered == 0 && worker->reads_count == 0;
}

enum parley_error parley_worker_error(const struct parley_worker *worker) {
    uv_mutex_t *mutex = (uv_mutex_t *)&worker->mutex;
    uv_mutex_lock(mutex);
    enum parley_error error = worker->shown_error;
    uv_mutex_unlock(mutex);
    return error;
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
    uv_mutex_destroy(&worker->mutex);
    uv_cond_destroy(&worker->wake);
    free(worker);
}
