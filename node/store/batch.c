#include "batch.h"
#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

#define BLOCK_SIZE        (256u * 1024u)
#define VALUE_SIZE_COMMON 1024u /* rows; what is larger is asked for twice */

struct batch_block {
    struct batch_block *next;
    size_t used;
    size_t size;
    alignas(16) uint8_t data[];
};

void batch_init(struct batch *batch, struct parley_kv *kv) {
    *batch = (struct batch){.kv = kv};
}

void batch_clear(struct batch *batch) {
    while (batch->blocks != NULL) {
        struct batch_block *block = batch->blocks;
        batch->blocks = block->next;
        free(block);
    }
    free(batch->changes);
    batch_init(batch, batch->kv);
}

static void fail(struct batch *batch, enum parley_error error) {
    if (batch->error == PARLEY_E_OK)
        batch->error = error;
}

void *batch_allocate(struct batch *batch, size_t size) {
    size_t rounded = (size + 15) & ~(size_t)15;
    struct batch_block *block = batch->blocks;
    if (block == NULL || block->size - block->used < rounded) {
        size_t block_size = rounded > BLOCK_SIZE ? rounded : BLOCK_SIZE;
        block = malloc(sizeof *block + block_size);
        if (block == NULL) {
            fail(batch, PARLEY_E_NO_MEMORY);
            return NULL;
        }
        *block = (struct batch_block){.next = batch->blocks, .size = block_size};
        batch->blocks = block;
    }
    void *memory = block->data + block->used;
    block->used += rounded;
    return memory;
}

/* The index of the first change whose key is not below. */
static size_t find_lower(const struct batch *batch, struct parley_span key) {
    size_t low = 0, high = batch->changes_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (parley_kv_compare(batch->changes[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool changes_at(const struct batch *batch, size_t index, struct parley_span key) {
    return index < batch->changes_count && parley_kv_compare(batch->changes[index].key, key) == 0;
}

static bool get_from_engine(struct batch *batch, struct parley_span key,
                            struct parley_span *value) {
    uint8_t common[VALUE_SIZE_COMMON];
    size_t size = 0;
    uint8_t *copy = common;
    enum parley_error error =
        batch->kv->calls->get(batch->kv, NULL, key, common, sizeof common, &size);
    if (error == PARLEY_E_NOT_FOUND)
        return false;
    if (error == PARLEY_E_OK || error == PARLEY_E_NO_SPACE) {
        copy = batch_allocate(batch, size);
        if (copy == NULL)
            return false;
        if (error == PARLEY_E_OK && size > 0)
            memcpy(copy, common, size);
    }
    if (error == PARLEY_E_NO_SPACE)
        error = batch->kv->calls->get(batch->kv, NULL, key, copy, size, &size);
    if (error != PARLEY_E_OK) {
        fail(batch, error);
        return false;
    }
    *value = PARLEY_SPAN(copy, size);
    return true;
}

bool batch_get(struct batch *batch, const struct key *key, struct parley_span *value) {
    size_t index = find_lower(batch, key_span(key));
    *value = PARLEY_NO_SPAN;
    if (batch->error != PARLEY_E_OK)
        return false;
    if (!changes_at(batch, index, key_span(key)))
        return get_from_engine(batch, key_span(key), value);
    if (batch->changes[index].is_delete)
        return false;
    *value = batch->changes[index].value;
    return true;
}

static bool make_room(struct batch *batch) {
    if (batch->changes_count < batch->changes_max)
        return true;
    size_t count = batch->changes_max == 0 ? 64 : batch->changes_max * 2;
    struct parley_kv_change *changes = realloc(batch->changes, count * sizeof *changes);
    if (changes == NULL) {
        fail(batch, PARLEY_E_NO_MEMORY);
        return false;
    }
    batch->changes = changes;
    batch->changes_max = count;
    return true;
}

/* The change of that key, new or already there; NULL on error. */
static struct parley_kv_change *change_of(struct batch *batch, const struct key *key) {
    size_t index = find_lower(batch, key_span(key));
    if (batch->error != PARLEY_E_OK)
        return NULL;
    if (changes_at(batch, index, key_span(key)))
        return &batch->changes[index];
    uint8_t *copy = batch_allocate(batch, key->size);
    if (copy == NULL || !make_room(batch))
        return NULL;
    memcpy(copy, key->bytes, key->size);
    struct parley_kv_change *change = &batch->changes[index];
    memmove(change + 1, change, (batch->changes_count - index) * sizeof *change);
    *change = (struct parley_kv_change){.key = PARLEY_SPAN(copy, key->size)};
    batch->changes_count++;
    return change;
}

uint8_t *batch_put(struct batch *batch, const struct key *key, size_t size) {
    uint8_t *room = batch_allocate(batch, size == 0 ? 1 : size);
    struct parley_kv_change *change = room == NULL ? NULL : change_of(batch, key);
    if (change == NULL)
        return NULL;
    change->value = PARLEY_SPAN(room, size);
    change->is_delete = false;
    return room;
}

void batch_put_span(struct batch *batch, const struct key *key, struct parley_span value) {
    uint8_t *room = batch_put(batch, key, value.size);
    if (room != NULL && value.size > 0)
        memcpy(room, value.data, value.size);
}

static bool is_in_engine(struct batch *batch, struct parley_span key) {
    uint8_t nothing[1];
    size_t size;
    enum parley_error error = batch->kv->calls->get(batch->kv, NULL, key, nothing, 0, &size);
    if (error != PARLEY_E_OK && error != PARLEY_E_NO_SPACE && error != PARLEY_E_NOT_FOUND)
        fail(batch, error);
    return error != PARLEY_E_NOT_FOUND;
}

/* What the batch itself put, and nobody else, goes without a trace: a deletion of what was never
 * there would lie in the engine until it merges, and every iterator walk over it until then. */
static bool take_back(struct batch *batch, const struct key *key) {
    size_t index = find_lower(batch, key_span(key));
    if (!changes_at(batch, index, key_span(key)) || batch->changes[index].is_delete ||
        is_in_engine(batch, key_span(key)))
        return false;
    struct parley_kv_change *change = &batch->changes[index];
    batch->changes_count--;
    memmove(change, change + 1, (batch->changes_count - index) * sizeof *change);
    return true;
}

void batch_drop(struct batch *batch, const struct key *key) {
    if (take_back(batch, key))
        return;
    struct parley_kv_change *change = change_of(batch, key);
    if (change != NULL) {
        change->value = PARLEY_NO_SPAN;
        change->is_delete = true;
    }
}

/* A scan of both: the engine's pairs come in order, and the changes between two of them are called
 * in front of the second. */
struct merge {
    const struct batch *batch;
    bool is_descending;
    size_t low, high; /* changes not yet called: low <= index < high */
    parley_kv_on_pair *on_pair;
    void *context;
    bool is_stopped;
};

static const struct parley_kv_change *next_change(const struct merge *merge) {
    if (merge->low == merge->high)
        return NULL;
    return &merge->batch->changes[merge->is_descending ? merge->high - 1 : merge->low];
}

static void call_change(struct merge *merge, const struct parley_kv_change *change) {
    if (merge->is_descending)
        merge->high--;
    else
        merge->low++;
    if (!change->is_delete && !merge->on_pair(merge->context, change->key, change->value))
        merge->is_stopped = true;
}

static bool on_engine_pair(void *context, struct parley_span key, struct parley_span value) {
    struct merge *merge = context;
    const struct parley_kv_change *change;
    while (!merge->is_stopped && (change = next_change(merge)) != NULL) {
        int order = parley_kv_compare(change->key, key);
        if (order == 0) {
            call_change(merge, change);
            return !merge->is_stopped;
        }
        if ((order > 0) != merge->is_descending)
            break;
        call_change(merge, change);
    }
    if (!merge->is_stopped && !merge->on_pair(merge->context, key, value))
        merge->is_stopped = true;
    return !merge->is_stopped;
}

void batch_scan(struct batch *batch, const struct parley_kv_bounds *bounds,
                parley_kv_on_pair *on_pair, void *context) {
    const struct parley_kv_change *change;
    if (batch->error != PARLEY_E_OK)
        return;
    struct merge merge = {
        .batch = batch,
        .is_descending = bounds->is_descending,
        .low = find_lower(batch, bounds->from),
        .high = bounds->to.size == 0 ? batch->changes_count : find_lower(batch, bounds->to),
        .on_pair = on_pair,
        .context = context,
    };
    if (merge.high < merge.low)
        return;
    enum parley_error error =
        batch->kv->calls->scan(batch->kv, NULL, bounds, on_engine_pair, &merge);
    if (error != PARLEY_E_OK)
        fail(batch, error);
    while (error == PARLEY_E_OK && !merge.is_stopped && (change = next_change(&merge)) != NULL)
        call_change(&merge, change);
}

enum parley_error batch_write(struct batch *batch) {
    if (batch->error == PARLEY_E_OK && batch->changes_count > 0)
        fail(batch, batch->kv->calls->write(batch->kv, batch->changes, batch->changes_count));
    return batch->error;
}
