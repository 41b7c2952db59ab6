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

void disk_close(struct sim *sim, uint32_t node) {
    struct scale_disk *disk = &sim->nodes[node].disk;
    kept_ops_free(disk->first);
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

static void tell(struct sim *sim, uint32_t node, const struct kept_op *op,
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
    struct kept_op *batch = disk->first;
    size_t count = 0, i = 0;
    disk->first = disk->last = NULL;
    for (const struct kept_op *op = batch; op != NULL; op = op->next)
        count++;
    struct parley_store_op *ops = must(malloc(count * sizeof *ops));
    enum parley_error *results = must(malloc(count * sizeof *results));
    for (const struct kept_op *op = batch; op != NULL; op = op->next)
        ops[i++] = op->op;
    parley_store_commit(disk->store, ops, count, results);
    i = 0;
    for (const struct kept_op *op = batch; op != NULL; op = op->next)
        tell(sim, item->node, op, results[i++]);
    free(ops);
    free(results);
    kept_ops_free(batch);
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

void disk_store(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    struct scale_disk *disk = &sim->nodes[node].disk;
    struct kept_op *copy = kept_op_make(effect);
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
    event.read_done.ticket = effect->read.ticket;
    store_read(store, effect, sim->scratch, &event.read_done.error, &event.read_done.bytes,
               &event.read_done.count);
    (void)host_step(sim, item->node, &event);
}

void disk_read(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    struct parley_effect *copy = must(malloc(sizeof *copy));
    *copy = *effect;
    sim_put(sim, chance_below(sim, READ_MS_MAX + 1), node, run_read, copy, 0);
}
