#include "scale.h"

#include <stdlib.h>

/* The store of the product over memory. What gathers while a commit is under way is the next group;
 * nothing fails here. */

#define COMMIT_MS_MIN 2u
#define COMMIT_MS_MAX 8u
#define READ_MS_MAX   4u

void disk_open(struct sim *sim, uint32_t node) {
    struct scale_disk *disk = &sim->nodes[node].disk;
    if (parley_kv_memory_open(&disk->kv, disk->disk, true) != PARLEY_E_OK ||
        parley_store_open(&disk->store, disk->kv, true) != PARLEY_E_OK)
        abort();
}

static void ops_free(struct scale_op *op) {
    while (op != NULL) {
        struct scale_op *next = op->next;
        free(op);
        op = next;
    }
}

void disk_close(struct sim *sim, uint32_t node) {
    struct scale_disk *disk = &sim->nodes[node].disk;
    ops_free(disk->first);
    disk->first = disk->last = NULL;
    disk->is_writing = false;
    if (disk->store == NULL)
        return;
    parley_store_close(disk->store);
    disk->store = NULL;
    disk->kv->calls->close(disk->kv);
    disk->kv = NULL;
}

void disk_create(struct sim *sim, uint32_t node) {
    struct scale_node *host = &sim->nodes[node];
    host->disk.disk = must(parley_disk_create());
    disk_open(sim, node);
}

/* --- writing ------------------------------------------------------------------------------- */

static void tell(struct sim *sim, uint32_t node, const struct scale_op *op,
                 enum parley_error error) {
    struct parley_event event = {.kind = PARLEY_EVENT_STORED};
    struct parley_store_log log;
    event.stored.ticket = op->ticket;
    event.stored.error = error;
    if (error == PARLEY_E_OK && op->op.kind != PARLEY_STORE_META &&
        op->op.kind != PARLEY_STORE_RECORD &&
        parley_store_log_get(sim->nodes[node].disk.store, &op->op.log, &log) == PARLEY_E_OK)
        event.stored.log = &log;
    (void)host_step(sim, node, &event);
}

static void commit_begin(struct sim *sim, uint32_t node);

static void run_commit(struct sim *sim, struct sim_item *item) {
    struct scale_disk *disk = &sim->nodes[item->node].disk;
    struct scale_op *batch = disk->first;
    size_t count = 0, i = 0;
    disk->first = disk->last = NULL;
    for (const struct scale_op *op = batch; op != NULL; op = op->next)
        count++;
    struct parley_store_op *ops = must(malloc(count * sizeof *ops));
    enum parley_error *results = must(malloc(count * sizeof *results));
    for (const struct scale_op *op = batch; op != NULL; op = op->next)
        ops[i++] = op->op;
    parley_store_commit(disk->store, ops, count, results);
    i = 0;
    for (const struct scale_op *op = batch; op != NULL; op = op->next)
        tell(sim, item->node, op, results[i++]);
    free(ops);
    free(results);
    ops_free(batch);
    disk->is_writing = false;
    commit_begin(sim, item->node);
}

static void commit_begin(struct sim *sim, uint32_t node) {
    struct scale_disk *disk = &sim->nodes[node].disk;
    if (disk->is_writing || disk->first == NULL)
        return;
    disk->is_writing = true;
    sim_put(sim, COMMIT_MS_MIN + chance_below(sim, COMMIT_MS_MAX - COMMIT_MS_MIN + 1), node,
            run_commit, NULL, 0);
}

static struct parley_span copy_span(uint8_t **at, struct parley_span span) {
    if (span.size == 0)
        return PARLEY_NO_SPAN;
    memcpy(*at, span.data, span.size);
    struct parley_span copy = PARLEY_SPAN(*at, span.size);
    *at += span.size;
    return copy;
}

void disk_store(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    struct scale_disk *disk = &sim->nodes[node].disk;
    const struct parley_store_op *op = &effect->store.op;
    struct scale_op *copy = must(malloc(sizeof *copy + op->bytes.size + op->key.size));
    uint8_t *at = copy->bytes;
    *copy = (struct scale_op){.ticket = effect->store.ticket, .op = *op};
    copy->op.bytes = copy_span(&at, op->bytes);
    copy->op.key = copy_span(&at, op->key);
    if (disk->last == NULL)
        disk->first = copy;
    else
        disk->last->next = copy;
    disk->last = copy;
    commit_begin(sim, node);
}

/* --- reading ------------------------------------------------------------------------------- */

static void run_read(struct sim *sim, struct sim_item *item) {
    const struct parley_effect *effect = item->data;
    struct parley_store *store = sim->nodes[item->node].disk.store;
    struct parley_event event = {.kind = PARLEY_EVENT_READ_DONE};
    struct parley_span *bytes = &event.read_done.bytes;
    parley_seq next = 0;
    event.read_done.ticket = effect->read.ticket;
    switch (effect->read.kind) {
    case PARLEY_READ_RUN:
        event.read_done.error = parley_store_read_run(
            store, &effect->read.log, effect->read.seq_top, effect->read.seq_low,
            effect->read.bodies, effect->read.bytes_max, sim->scratch, bytes);
        break;
    case PARLEY_READ_EVIDENCE:
        event.read_done.error = parley_store_read_evidence(store, &effect->read.log,
                                                           effect->read.index, sim->scratch, bytes);
        break;
    case PARLEY_READ_RECORDS:
        event.read_done.error =
            parley_store_read_records(store, &effect->read.author, effect->read.index, sim->scratch,
                                      effect->read.bytes_max, bytes, &event.read_done.count);
        break;
    case PARLEY_READ_LACKING:
        event.read_done.error =
            parley_store_read_lacking(store, &effect->read.log, effect->read.seq_top,
                                      effect->read.seq_low, sim->scratch, bytes, &next);
        event.read_done.count = (size_t)next;
        break;
    }
    (void)host_step(sim, item->node, &event);
}

void disk_read(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    struct parley_effect *copy = must(malloc(sizeof *copy));
    *copy = *effect;
    sim_put(sim, chance_below(sim, READ_MS_MAX + 1), node, run_read, copy, 0);
}
