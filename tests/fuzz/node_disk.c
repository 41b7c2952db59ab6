/* The disk of node_world.h: what waits to be written, what is written, and what was told of it. */
#include "node_world.h"

/* ---- what is on disk */

static struct known_entry *find_entry(const struct parley_id *id) {
    for (size_t i = 0; i < world.entries_count; i++)
        if (PARLEY_EQUAL(world.entries[i].id, *id))
            return &world.entries[i];
    return NULL;
}

bool world_is_told(const struct parley_id *id) {
    const struct known_entry *entry = find_entry(id);
    return world.is_over || (entry != NULL && entry->is_told);
}

/* Every entry of an operation that took a chunk. */
static void know_entries(const struct parley_store_op *op, bool is_told) {
    struct parley_chunk chunk;
    struct parley_chunk_cursor cursor;
    struct parley_entry entry;
    if (op->kind > PARLEY_STORE_TOP && op->kind != PARLEY_STORE_EVIDENCE)
        return;
    FUZZ_HOLDS(parley_chunk_decode(&chunk, op->bytes).error == PARLEY_E_OK);
    parley_chunk_start(&cursor, &chunk);
    while (parley_chunk_next(&cursor, &entry)) {
        struct known_entry *known = find_entry(&entry.id);
        if (known == NULL && world.entries_count == ENTRIES_MAX) {
            world.is_over = true;
            return;
        }
        if (known == NULL) {
            known = &world.entries[world.entries_count++];
            *known = (struct known_entry){.id = entry.id};
        }
        known->is_told |= is_told;
    }
}

/* Whoever loads the store knows all of it. */
void disk_tell_all_entries(void) {
    for (size_t i = 0; i < world.entries_count; i++)
        world.entries[i].is_told = true;
}

static struct parley_span copy_span(uint8_t **at, struct parley_span span) {
    if (span.size == 0)
        return PARLEY_NO_SPAN;
    memcpy(*at, span.data, span.size);
    struct parley_span copy = PARLEY_SPAN(*at, span.size);
    *at += span.size;
    return copy;
}

void disk_take_store(const struct parley_effect *effect) {
    FUZZ_HOLDS(!world.is_failed);
    FUZZ_HOLDS(world.stores_count < WAITING_MAX);
    struct waiting_store *store = &world.stores[world.stores_count++];
    const struct parley_store_op *op = &effect->store.op;
    *store = (struct waiting_store){.ticket = effect->store.ticket, .op = *op};
    uint8_t *at = store->bytes = malloc(op->bytes.size + op->key.size + 1);
    FUZZ_HOLDS(at != NULL);
    store->op.bytes = copy_span(&at, op->bytes);
    store->op.key = copy_span(&at, op->key);
}

void disk_drop_stores(size_t count) {
    for (size_t i = 0; i < count; i++)
        free(world.stores[i].bytes);
    world.stores_count -= count;
    memmove(world.stores, world.stores + count, world.stores_count * sizeof world.stores[0]);
}

void world_commit(size_t count) {
    static struct parley_store_op ops[WAITING_MAX];
    static enum parley_error results[WAITING_MAX];
    size_t first = 0, ops_count = 0;
    while (first < world.stores_count && world.stores[first].is_committed)
        first++;
    while (ops_count < count && first + ops_count < world.stores_count) {
        ops[ops_count] = world.stores[first + ops_count].op;
        ops_count++;
    }
    if (ops_count == 0 || world.is_failed)
        return;
    parley_store_commit(world.store, ops, ops_count, results);
    for (size_t i = 0; i < ops_count; i++) {
        world.stores[first + i].is_committed = true;
        world.stores[first + i].result = results[i];
        /* A write that failed may be on disk all the same: whoever loads it will know. */
        if (results[i] == PARLEY_E_OK || parley_error_class(results[i]) == PARLEY_CLASS_LOCAL)
            know_entries(&ops[i], false);
    }
}

void disk_close(void) {
    parley_store_close(world.store);
    world.kv->calls->close(world.kv);
    world.store = NULL;
    world.kv = NULL;
}

/* After an error all that waits fails with it, then the store is closed. */
static void fail_rest(enum parley_error error) {
    world.is_failed = true;
    while (world.stores_count > 0) {
        struct parley_event event = {.kind = PARLEY_EVENT_STORED};
        event.stored.ticket = world.stores[0].ticket;
        event.stored.error = error;
        disk_drop_stores(1);
        world_step(&event);
    }
    disk_close();
}

void world_tell(size_t count) {
    for (; count > 0 && world.stores_count > 0 && world.stores[0].is_committed; count--) {
        struct waiting_store store = world.stores[0];
        struct parley_event event = {.kind = PARLEY_EVENT_STORED};
        event.stored.ticket = store.ticket;
        struct parley_store_log log;
        event.stored.error = store.result;
        if (store.result == PARLEY_E_OK &&
            parley_store_log_get(world.store, &store.op.log, &log) == PARLEY_E_OK)
            event.stored.log = &log;
        bool is_local =
            parley_error_class(store.result) == PARLEY_CLASS_LOCAL && store.result != PARLEY_E_OK;
        if (store.result == PARLEY_E_OK)
            know_entries(&store.op, true);
        world.is_failed |= is_local;
        disk_drop_stores(1);
        world_step(&event);
        if (is_local) {
            fail_rest(store.result);
            return;
        }
    }
}
