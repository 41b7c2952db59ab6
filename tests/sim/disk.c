#include "sim.h"

#include <limits.h>
#include <stdlib.h>

/* A process commits what has gathered as one group, one group at a time, and is told a while after
 * it is on disk: between these moments it can be killed. After an error everything that waits is
 * answered with it, then the store is closed, opened again and told anew. */

static parley_time_ms commit_delay(struct sim *sim, const struct sim_disk *disk) {
    if (sim->now < disk->slow_until)
        return 200 + sim_below(sim, 2500);
    return 1 + sim_below(sim, 10);
}

static void batch_begin(struct sim *sim, uint32_t node);

/* --- opening ------------------------------------------------------------------------------- */

bool disk_open(struct sim *sim, uint32_t node) {
    struct sim_disk *disk = &sim->nodes[node].disk;
    if (parley_kv_memory_open(&disk->kv, disk->disk, false) != PARLEY_E_OK)
        return false;
    if (parley_store_open(&disk->store, disk->kv, false) == PARLEY_E_OK)
        return true;
    disk->kv->calls->close(disk->kv);
    disk->kv = NULL;
    disk->store = NULL;
    return false;
}

static void disk_close(struct sim_disk *disk) {
    if (disk->store != NULL)
        parley_store_close(disk->store);
    if (disk->kv != NULL)
        disk->kv->calls->close(disk->kv);
    disk->store = NULL;
    disk->kv = NULL;
}

static void run_reopen(struct sim *sim, struct sim_item *item) {
    struct sim_disk *disk = &sim->nodes[item->node].disk;
    if (!disk_open(sim, item->node)) {
        sim_put(sim, 100 + sim_below(sim, 900), item->node, run_reopen, NULL, 0);
        return;
    }
    fault_fired(sim, FAULT_REOPENED);
    disk->is_failed = false;
    check_after_load(sim, item->node);
    if (!host_load(sim, item->node, UINT64_MAX))
        sim_fail(sim, "n%u cannot load its store", item->node);
    struct parley_event event = {.kind = PARLEY_EVENT_STORE_OPENED};
    host_step(sim, item->node, &event);
}

/* --- writing ------------------------------------------------------------------------------- */

static void disk_failed(struct sim *sim, uint32_t node) {
    struct sim_disk *disk = &sim->nodes[node].disk;
    disk_close(disk);
    disk->is_failed = true;
    sim_put(sim, 100 + sim_below(sim, 900), node, run_reopen, NULL, 0);
}

static void tell(struct sim *sim, uint32_t node, const struct kept_op *op,
                 enum parley_error error) {
    struct parley_event event = {.kind = PARLEY_EVENT_STORED};
    struct parley_store *store = sim->nodes[node].disk.store;
    struct parley_store_log log;
    event.stored.ticket = op->ticket;
    event.stored.error = error;
    if (error == PARLEY_E_OK && store != NULL &&
        parley_store_log_get(store, &op->op.log, &log) == PARLEY_E_OK)
        event.stored.log = &log;
    host_step(sim, node, &event);
}

static void run_tell(struct sim *sim, struct sim_item *item) {
    struct sim_disk *disk = &sim->nodes[item->node].disk;
    enum parley_error error = PARLEY_E_OK;
    size_t i = 0;
    /* The batch stays the one being worked on until all of it is told. */
    for (const struct kept_op *op = disk->batch; op != NULL; op = op->next, i++) {
        if (parley_error_class(disk->results[i]) == PARLEY_CLASS_LOCAL)
            error = disk->results[i];
        tell(sim, item->node, op, disk->results[i]);
    }
    kept_ops_free(disk->batch);
    free(disk->results);
    disk->results = NULL;
    disk->is_committed = false;
    /* What came meanwhile fails with it. */
    for (const struct kept_op *op = disk->first; error != PARLEY_E_OK && op != NULL; op = op->next)
        tell(sim, item->node, op, error);
    disk->batch = NULL;
    if (error != PARLEY_E_OK) {
        kept_ops_free(disk->first);
        disk->first = disk->last = NULL;
        disk_failed(sim, item->node);
    } else {
        batch_begin(sim, item->node);
    }
}

static void run_commit(struct sim *sim, struct sim_item *item) {
    struct sim_disk *disk = &sim->nodes[item->node].disk;
    size_t count = 0, i = 0;
    for (struct kept_op *op = disk->batch; op != NULL; op = op->next)
        count++;
    struct parley_store_op *ops = calloc(count, sizeof *ops);
    disk->results = calloc(count, sizeof *disk->results);
    if (ops == NULL || disk->results == NULL)
        abort();
    for (struct kept_op *op = disk->batch; op != NULL; op = op->next)
        ops[i++] = op->op;
    if (count > 1 && sim->has_faults)
        fault_fired(sim, FAULT_GROUP_COMMIT);
    parley_store_commit(disk->store, ops, count, disk->results);
    disk->is_committed = true;
    for (i = 0; i < count; i++)
        if (disk->results[i] == PARLEY_E_OK)
            check_durable(sim, item->node, &ops[i], true);
        else if (parley_error_class(disk->results[i]) == PARLEY_CLASS_LOCAL)
            check_durable(sim, item->node, &ops[i], false);
    free(ops);
    sim_put(sim, sim_below(sim, 4), item->node, run_tell, NULL, 0);
    /* The moments that matter most are short: aimed at. */
    if (fault_hits(sim, FAULT_UNTOLD_COMMIT, 2000)) {
        host_kill(sim, item->node);
        host_boot(sim, item->node, sim_below(sim, 3000));
    }
}

static void batch_begin(struct sim *sim, uint32_t node) {
    struct sim_disk *disk = &sim->nodes[node].disk;
    if (disk->batch != NULL || disk->first == NULL || disk->is_failed)
        return;
    disk->batch = disk->first;
    disk->first = disk->last = NULL;
    sim_put(sim, commit_delay(sim, disk), node, run_commit, NULL, 0);
}

void disk_store(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    struct sim_disk *disk = &sim->nodes[node].disk;
    if (disk->is_failed)
        sim_fail(sim, "n%u stores after its store failed", node);
    struct kept_op *copy = kept_op_make(effect);
    if (disk->last == NULL)
        disk->first = copy;
    else
        disk->last->next = copy;
    disk->last = copy;
    batch_begin(sim, node);
}

void disk_crash(struct sim *sim, uint32_t node) {
    struct sim_disk *disk = &sim->nodes[node].disk;
    if (disk->batch != NULL && sim->has_faults && !disk->is_committed)
        fault_fired(sim, FAULT_LOST_COMMIT);
    kept_ops_free(disk->batch);
    kept_ops_free(disk->first);
    disk->batch = disk->first = disk->last = NULL;
    free(disk->results);
    disk->results = NULL;
    disk->is_committed = disk->is_failed = false;
    if (disk->store != NULL)
        parley_store_close(disk->store);
    disk->store = NULL;
    disk->kv = NULL;
    parley_disk_crash(disk->disk);
}

/* --- reading ------------------------------------------------------------------------------- */

struct reading {
    struct parley_effect effect;
    bool is_read; /* at once; else when it is answered */
    enum parley_error error;
    size_t size, count;
    uint8_t bytes[];
};

static void read_now(struct sim *sim, uint32_t node, const struct parley_effect *effect,
                     enum parley_error *error, struct parley_span *bytes, size_t *count) {
    struct parley_store *store = sim->nodes[node].disk.store;
    *bytes = PARLEY_NO_SPAN;
    *count = 0;
    *error = PARLEY_E_DISK_FAILED;
    if (store == NULL || fault_hits(sim, FAULT_READ_FAILED, 200))
        return;
    store_read(store, effect, sim->scratch, error, bytes, count);
}

static void run_read(struct sim *sim, struct sim_item *item) {
    struct reading *reading = item->data;
    struct parley_event event = {.kind = PARLEY_EVENT_READ_DONE};
    event.read_done.ticket = reading->effect.read.ticket;
    if (reading->is_read) {
        event.read_done.error = reading->error;
        event.read_done.bytes = PARLEY_SPAN(reading->bytes, reading->size);
        event.read_done.count = reading->count;
    } else {
        read_now(sim, item->node, &reading->effect, &event.read_done.error, &event.read_done.bytes,
                 &event.read_done.count);
    }
    host_step(sim, item->node, &event);
}

void disk_read(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    enum parley_error error = PARLEY_E_OK;
    struct parley_span bytes = PARLEY_NO_SPAN;
    size_t count = 0;
    bool is_read = sim_chance(sim, 2);
    if (is_read)
        read_now(sim, node, effect, &error, &bytes, &count);
    struct reading *reading = malloc(sizeof *reading + bytes.size);
    if (reading == NULL)
        abort();
    *reading = (struct reading){
        .effect = *effect, .is_read = is_read, .error = error, .size = bytes.size, .count = count};
    if (bytes.size > 0)
        memcpy(reading->bytes, bytes.data, bytes.size);
    parley_time_ms delay = sim_below(sim, 8);
    if (fault_hits(sim, FAULT_READ_LATE, 40))
        delay += 300 + sim_below(sim, 5000);
    sim_put(sim, delay, node, run_read, reading, 0);
}

/* --- faults -------------------------------------------------------------------------------- */

static void run_emptier(struct sim *sim, struct sim_item *item) {
    struct sim_disk *disk = &sim->nodes[item->number].disk;
    if (sim->now >= disk->full_until)
        parley_disk_set_bytes_max(disk->disk, 0);
}

void disk_fill_up(struct sim *sim, uint32_t node, parley_time_ms duration) {
    struct sim_disk *disk = &sim->nodes[node].disk;
    disk->full_until = sim->now + duration;
    parley_disk_set_bytes_max(disk->disk, parley_disk_bytes(disk->disk) + sim_below(sim, 4000) + 1);
    sim_put(sim, duration, SIM_NOBODY, run_emptier, NULL, node);
}

void disk_heal(struct sim *sim, uint32_t node) {
    struct sim_disk *disk = &sim->nodes[node].disk;
    disk->slow_until = 0;
    disk->full_until = 0;
    parley_disk_set_bytes_max(disk->disk, 0);
    parley_disk_set_unplugged(disk->disk, false);
    /* A fault that is still armed shall not fire any more. */
    parley_disk_fail_write(disk->disk, UINT_MAX, PARLEY_E_DISK_FAILED, PARLEY_DISK_LOST);
}
