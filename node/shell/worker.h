/* The store off the loop. One thread commits: everything queued while a commit runs is the next
 * batch, without a timer. Reads run beside it on libuv's pool. Answers come back on the loop.
 *
 * After an error of the disk (traps: one failed append poisons LevelDB's handle) the whole queue is
 * answered with it, the database is closed and opened again, at first at once and then with pauses
 * of up to five seconds; a full disk stays open for reading until there is space. Once it is open,
 * on_reopened is called with committing held back: the owner reads what is there, and then calls
 * parley_worker_resume. Until then every operation is answered with the error.
 */
#ifndef PARLEY_WORKER_H
#define PARLEY_WORKER_H

#include "disk.h"
#include <uv.h>

struct parley_worker_handlers {
    /* In the order of parley_worker_store. */
    /* log: what is held of the operation's log after its batch; NULL: nothing. */
    void (*on_stored)(void *context, uint64_t ticket, enum parley_error error,
                      const struct parley_store_log *log);
    void (*on_reopened)(void *context, struct parley_store *store);
    /* Nothing of what parley_worker_compact asked for is left to do, or it failed. */
    void (*on_compacted)(void *context);
    /* After parley_worker_stop: all is answered, the database is closed. */
    void (*on_stopped)(void *context);
    void *context;
};

struct parley_worker;

/* Takes the open disk over; it lives in `directory`, for opening again. Committing is held back
 * until parley_worker_resume; parley_worker_held gives the store to read until then. */
struct parley_worker *parley_worker_create(uv_loop_t *loop, const struct parley_disk *disk,
                                           const char *directory,
                                           const struct parley_worker_handlers *handlers);
struct parley_store *parley_worker_held(struct parley_worker *worker);
/* Copies the operation. */
void parley_worker_store(struct parley_worker *worker, uint64_t ticket,
                         const struct parley_store_op *op);
void parley_worker_resume(struct parley_worker *worker);

/* work on a pool thread while the database is open, then done on the loop, exactly once; error is
 * RETRY, and work was not called, while it is not open. */
typedef void parley_worker_work(void *context, struct parley_store *store);
typedef void parley_worker_done(void *context, enum parley_error error);
void parley_worker_read(struct parley_worker *worker, parley_worker_work *work,
                        parley_worker_done *done, void *context);

/* Called on the committing thread with what was just stored, before that is answered: what is read
 * there needs no thread to be woken, and is short, for everybody waits. NULL: no more, and no call
 * is under way when it returns. */
typedef void parley_worker_on_commit(void *context, struct parley_store *store,
                                     const struct parley_store_op *op);
void parley_worker_listen(struct parley_worker *worker, parley_worker_on_commit *on_commit,
                          void *context);

/* Gives the disk back what was dropped, piece by piece on a pool thread; asked again while it goes
 * on it begins anew when it has ended. */
void parley_worker_compact(struct parley_worker *worker);
bool parley_worker_is_compacting(const struct parley_worker *worker);

/* Nothing queued, committing, reading or waiting to be told. */
bool parley_worker_is_idle(const struct parley_worker *worker);
/* The same but for a compaction, which nobody waits for: it ends with the piece at hand. */
bool parley_worker_may_stop(const struct parley_worker *worker);
/* The last error of the disk; OK again once it is open again. */
enum parley_error parley_worker_error(const struct parley_worker *worker);
/* Bytes on disk; 0 while it is not open. */
uint64_t parley_worker_bytes(struct parley_worker *worker);

/* Whether the committing thread has moved since the last call, or rests. False: it has been within
 * one commit, or one opening, ever since. */
bool parley_worker_moves(struct parley_worker *worker);
#define PARLEY_COMMIT_BUCKETS 13u /* the last: the most operations that one commit takes, 4,096 */
/* Since the worker was created. */
struct parley_worker_counts {
    uint64_t commits_count, operations_count, bytes, failures_count;
    uint64_t up_to[PARLEY_COMMIT_BUCKETS]; /* commits of at most 2^i operations */
};
void parley_worker_counts(const struct parley_worker *worker, struct parley_worker_counts *out);

/* Commits what is queued, waits for reads, closes the database, then on_stopped. */
void parley_worker_stop(struct parley_worker *worker);
/* After on_stopped. NULL is allowed. */
void parley_worker_free(struct parley_worker *worker);

#endif
