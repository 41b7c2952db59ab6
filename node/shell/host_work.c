/* Signature checks and reads off the loop. */
#include "host_internal.h"
#include "memory.h"
#include <parley/crypto.h>
#include <stdlib.h>

/* --- checks ---------------------------------------------------------------------------------- */

static void check_all(struct verify_batch *batch) {
    for (size_t i = 0; i < batch->count; i++)
        batch->holds[i] = parley_check_holds(&batch->checks[i]);
}

static void run_checks(uv_work_t *request) {
    check_all(request->data);
}

static void answer_batch(struct parley_host *host, const struct verify_batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        struct parley_event event = {.kind = PARLEY_EVENT_VERIFIED};
        event.verified.ticket = batch->tickets[i];
        event.verified.holds = batch->holds[i];
        host->checks_good_count += batch->holds[i];
        host->checks_bad_count += !batch->holds[i];
        (void)host_step(host, &event);
    }
}

/* Batches run beside each other, and are answered in order: entries of one log stay in theirs. */
static void on_checked(uv_work_t *request, int status) {
    struct verify_batch *batch = request->data;
    struct parley_host *host = batch->host;
    batch->is_done = true;
    while (host->verify_first != NULL && host->verify_first->is_done) {
        struct verify_batch *first = host->verify_first;
        host->verify_first = first->next;
        if (host->verify_first == NULL)
            host->verify_last = NULL;
        answer_batch(host, first);
        free(first);
    }
    host_continue_stop(host);
}

static void flush(struct parley_host *host) {
    struct verify_batch *batch = host->verify_open;
    if (batch == NULL)
        return;
    host->verify_open = NULL;
    batch->request.data = batch;
    if (uv_queue_work(host->loop, &batch->request, run_checks, on_checked) != 0)
        abort(); /* only without a callback, which is our own bug */
}

/* To wake a thread and to be woken by it takes longer than one check. One a turn: where a check
 * follows from the answer, or more come than one in the time of one, threads share them. */
void host_verify_turn(struct parley_host *host) {
    struct verify_batch *batch = host->verify_open;
    if (batch != NULL && batch->count == 1 && batch == host->verify_first) {
        host->verify_open = host->verify_first = host->verify_last = NULL;
        check_all(batch);
        answer_batch(host, batch);
        free(batch);
        host_continue_stop(host);
    }
    flush(host);
}

static struct verify_batch *open_batch(struct parley_host *host) {
    if (host->verify_open != NULL)
        return host->verify_open;
    struct verify_batch *batch = parley_memory(sizeof *batch);
    batch->host = host;
    if (host->verify_last == NULL)
        host->verify_first = batch;
    else
        host->verify_last->next = batch;
    host->verify_last = host->verify_open = batch;
    return batch;
}

void host_verify(struct parley_host *host, parley_ticket ticket, const struct parley_check *check) {
    struct verify_batch *batch = open_batch(host);
    batch->tickets[batch->count] = ticket;
    batch->checks[batch->count++] = *check;
    if (batch->count == HOST_CHECKS_A_BATCH)
        flush(host);
}

/* --- reads for the node ----------------------------------------------------------------------- */

struct node_read {
    struct parley_host *host;
    struct parley_effect effect; /* READ: holds no span */
    enum parley_error error;
    struct parley_span bytes;
    size_t count;
    uint8_t buffer[PARLEY_MESSAGE_BYTES_MAX];
};

static void run_read(void *context, struct parley_store *store) {
    struct node_read *read = context;
    const struct parley_effect *effect = &read->effect;
    size_t bytes_max = effect->read.bytes_max;
    switch (effect->read.kind) {
    case PARLEY_READ_RUN:
        read->error = parley_store_read_run(store, &effect->read.log, effect->read.seq_top,
                                            effect->read.seq_low, effect->read.bodies,
                                            effect->read.bytes_max, read->buffer, &read->bytes);
        break;
    case PARLEY_READ_EVIDENCE:
        read->error = parley_store_read_evidence(store, &effect->read.log, effect->read.index,
                                                 read->buffer, &read->bytes);
        break;
    case PARLEY_READ_RECORDS:
        if (bytes_max == 0 || bytes_max > sizeof read->buffer)
            bytes_max = sizeof read->buffer;
        read->error =
            parley_store_read_records(store, &effect->read.author, effect->read.index, read->buffer,
                                      bytes_max, &read->bytes, &read->count);
        break;
    case PARLEY_READ_LACKING: {
        parley_seq next = 0;
        read->error =
            parley_store_read_lacking(store, &effect->read.log, effect->read.seq_top,
                                      effect->read.seq_low, read->buffer, &read->bytes, &next);
        read->count = (size_t)next;
        break;
    }
    }
}

static void on_read(void *context, enum parley_error error) {
    struct node_read *read = context;
    struct parley_host *host = read->host;
    struct parley_event event = {.kind = PARLEY_EVENT_READ_DONE};
    event.read_done.ticket = read->effect.read.ticket;
    event.read_done.error = error != PARLEY_E_OK ? error : read->error;
    if (event.read_done.error == PARLEY_E_OK) {
        event.read_done.bytes = read->bytes;
        event.read_done.count = read->count;
    }
    (void)host_step(host, &event);
    free(read);
    host_continue_stop(host);
}

void host_read(struct parley_host *host, const struct parley_effect *effect) {
    struct node_read *read = parley_memory_raw(sizeof *read);
    memset(read, 0, offsetof(struct node_read, buffer));
    read->host = host;
    read->effect = *effect;
    parley_worker_read(host->worker, run_read, on_read, read);
}

/* --- reads for the API ------------------------------------------------------------------------ */

struct host_read {
    struct parley_host *host;
    parley_host_work *work;
    parley_host_done *done;
    void *context;
};

static void run_host_read(void *context, struct parley_store *store) {
    struct host_read *read = context;
    read->work(read->context, store);
}

static void on_host_read(void *context, enum parley_error error) {
    struct host_read read = *(struct host_read *)context;
    free(context);
    read.done(read.context, error);
    host_continue_stop(read.host);
}

void parley_host_listen_commits(struct parley_host *host, parley_host_on_commit *on_commit,
                                void *context) {
    parley_worker_listen(host->worker, on_commit, context);
}

void parley_host_read(struct parley_host *host, parley_host_work *work, parley_host_done *done,
                      void *context) {
    struct host_read *read = parley_memory(sizeof *read);
    *read = (struct host_read){host, work, done, context};
    parley_worker_read(host->worker, run_host_read, on_host_read, read);
}
