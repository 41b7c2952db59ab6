/* What the loop and the committing thread of a worker share. See worker.h. */
#ifndef PARLEY_SHELL_WORKER_INTERNAL_H
#define PARLEY_SHELL_WORKER_INTERNAL_H

#include "worker.h"
#include <limits.h>

struct job {
    struct job *next;
    uint64_t ticket;
    struct parley_store_op op; /* spans point behind this struct */
    enum parley_error result;
    bool has_log;
    struct parley_store_log log; /* after the batch */
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
    size_t reads_count;                        /* loop only */
    size_t undelivered;                        /* loop only: stores not answered */
    bool is_closed;                            /* loop only */
    struct parley_store_compaction compaction; /* is_compacting: the pool's, else the loop's */
    bool is_compacting, compacts_again;        /* loop only */
    uint64_t turns_seen;                       /* loop only */

    uv_rwlock_t disk_lock; /* readers use the disk; the thread writes when it opens and closes */
    struct parley_disk disk;
    enum parley_error reopen_error; /* the thread only: the last attempt's, said once */
    uint64_t noted_ns;              /* the thread only */

    uv_mutex_t commit_lock; /* these two, and a call of it */
    parley_worker_on_commit *on_commit;
    void *commit_context;

    uv_mutex_t mutex; /* all below */
    uv_cond_t wake;
    struct job_queue queue;
    struct job_queue done;
    enum worker_state state;
    enum parley_error error;       /* why it is broken */
    enum parley_error shown_error; /* until it is open again */
    bool is_stopping;
    bool has_ended;  /* the thread */
    bool is_resting; /* it waits to be woken, or for the end of a pause */
    uint64_t turns;  /* of the thread: they go on while it moves */
    struct parley_worker_counts counts;
};

/* worker_thread.c */
void worker_push(struct job_queue *queue, struct job *job);
/* NULL: the queue is empty. */
struct job *worker_pop(struct job_queue *queue);
/* The thread: commits until the worker stops, and opens the database again when it broke. */
void worker_run(void *worker);

#endif
