#include "kv_memory.h"
#include <assert.h>
#include <stdlib.h>

struct pair {
    uint8_t *key; /* key and value in one allocation */
    size_t key_size;
    size_t value_size;
    bool is_shared; /* of another disk */
};

struct memory_kv {
    struct parley_kv kv;
    struct parley_disk *disk;
    enum parley_error broken; /* OK until a write failed */
};

/* Pairs in order of their keys. */
struct parley_disk {
    struct pair *pairs;
    size_t pairs_count;
    size_t pairs_max;
    uint64_t bytes;
    uint64_t bytes_max;
    uint64_t writes_count;
    bool is_made;
    bool is_unplugged;
    bool fail_is_armed;
    unsigned fail_skip;
    enum parley_error fail_error;
    enum parley_disk_fate fail_fate;
    struct memory_kv *handle;
};

static struct parley_span pair_key(const struct pair *pair) {
    return PARLEY_SPAN(pair->key, pair->key_size);
}

static struct parley_span pair_value(const struct pair *pair) {
    return PARLEY_SPAN(pair->key + pair->key_size, pair->value_size);
}

/* The index of the first pair whose key is not below. */
static size_t find_lower(const struct parley_disk *disk, struct parley_span key) {
    size_t low = 0, high = disk->pairs_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (parley_kv_compare(pair_key(&disk->pairs[middle]), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool holds_at(const struct parley_disk *disk, size_t index, struct parley_span key) {
    return index < disk->pairs_count && parley_kv_compare(pair_key(&disk->pairs[index]), key) == 0;
}

static void free_pair(const struct pair *pair) {
    if (!pair->is_shared)
        free(pair->key);
}

static void remove_at(struct parley_disk *disk, size_t index) {
    struct pair *pair = &disk->pairs[index];
    disk->bytes -= pair->key_size + pair->value_size;
    free_pair(pair);
    disk->pairs_count--;
    memmove(pair, pair + 1, (disk->pairs_count - index) * sizeof *pair);
}

/* The simulator has memory or gives up: a batch is never applied in part. */
static void *must_allocate(void *memory) {
    if (memory == NULL)
        abort();
    return memory;
}

static void insert_at(struct parley_disk *disk, size_t index, struct parley_span key,
                      struct parley_span value) {
    if (disk->pairs_count == disk->pairs_max) {
        disk->pairs_max = disk->pairs_max == 0 ? 64 : disk->pairs_max * 2;
        disk->pairs = must_allocate(realloc(disk->pairs, disk->pairs_max * sizeof disk->pairs[0]));
    }
    struct pair pair = {.key = must_allocate(malloc(key.size + value.size + 1)),
                        .key_size = key.size,
                        .value_size = value.size};
    memcpy(pair.key, key.data, key.size);
    if (value.size > 0)
        memcpy(pair.key + key.size, value.data, value.size);
    memmove(&disk->pairs[index + 1], &disk->pairs[index],
            (disk->pairs_count - index) * sizeof pair);
    disk->pairs[index] = pair;
    disk->pairs_count++;
    disk->bytes += key.size + value.size;
}

static void apply_change(struct parley_disk *disk, const struct parley_kv_change *change) {
    size_t index = find_lower(disk, change->key);
    if (holds_at(disk, index, change->key))
        remove_at(disk, index);
    if (!change->is_delete)
        insert_at(disk, index, change->key, change->value);
}

static void apply_all(struct parley_disk *disk, const struct parley_kv_change *changes,
                      size_t changes_count) {
    for (size_t i = 0; i < changes_count; i++)
        apply_change(disk, &changes[i]);
}

static uint64_t added_bytes(const struct parley_kv_change *changes, size_t changes_count) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < changes_count; i++)
        if (!changes[i].is_delete)
            bytes += changes[i].key.size + changes[i].value.size;
    return bytes;
}

static enum parley_error state_of(const struct memory_kv *handle) {
    if (handle->broken != PARLEY_E_OK)
        return handle->broken;
    return handle->disk->is_unplugged ? PARLEY_E_DISK_FAILED : PARLEY_E_OK;
}

/* Whether the ordered fault falls on this write. */
static bool take_fault(struct parley_disk *disk) {
    if (!disk->fail_is_armed)
        return false;
    if (disk->fail_skip > 0) {
        disk->fail_skip--;
        return false;
    }
    disk->fail_is_armed = false;
    return true;
}

static enum parley_error memory_write(struct parley_kv *kv, const struct parley_kv_change *changes,
                                      size_t changes_count) {
    struct memory_kv *handle = (struct memory_kv *)kv;
    struct parley_disk *disk = handle->disk;
    enum parley_error error = state_of(handle);
    bool is_written = error == PARLEY_E_OK;
    if (is_written && take_fault(disk)) {
        error = disk->fail_error;
        is_written = disk->fail_fate == PARLEY_DISK_WRITTEN;
    } else if (is_written && disk->bytes_max != 0 &&
               disk->bytes + added_bytes(changes, changes_count) > disk->bytes_max) {
        error = PARLEY_E_DISK_FULL;
        is_written = false;
    }
    if (is_written) {
        apply_all(disk, changes, changes_count);
        disk->writes_count++;
    }
    handle->broken = error;
    return error;
}

static enum parley_error memory_view_begin(struct parley_kv *kv, const void **view) {
    /* Nothing else runs while a call of the store does: the state now is frozen. */
    *view = NULL;
    return state_of((struct memory_kv *)kv);
}

static void memory_view_end(struct parley_kv *kv, const void *view) {
    (void)kv;
    assert(view == NULL);
}

static enum parley_error memory_get(struct parley_kv *kv, const void *view, struct parley_span key,
                                    uint8_t *value, size_t size_max, size_t *size) {
    struct memory_kv *handle = (struct memory_kv *)kv;
    (void)view;
    enum parley_error error = state_of(handle);
    if (error != PARLEY_E_OK)
        return error;
    size_t index = find_lower(handle->disk, key);
    if (!holds_at(handle->disk, index, key))
        return PARLEY_E_NOT_FOUND;
    struct parley_span held = pair_value(&handle->disk->pairs[index]);
    *size = held.size;
    if (held.size > size_max)
        return PARLEY_E_NO_SPACE;
    memcpy(value, held.data, held.size);
    return PARLEY_E_OK;
}

static enum parley_error memory_scan(struct parley_kv *kv, const void *view,
                                     const struct parley_kv_bounds *bounds,
                                     parley_kv_on_pair *on_pair, void *context) {
    struct memory_kv *handle = (struct memory_kv *)kv;
    const struct parley_disk *disk = handle->disk;
    (void)view;
    enum parley_error error = state_of(handle);
    if (error != PARLEY_E_OK)
        return error;
    size_t first = find_lower(disk, bounds->from);
    size_t end = bounds->to.size == 0 ? disk->pairs_count : find_lower(disk, bounds->to);
    for (size_t i = first; i < end; i++) {
        size_t index = bounds->is_descending ? end - 1 - (i - first) : i;
        const struct pair *pair = &disk->pairs[index];
        if (!on_pair(context, pair_key(pair), pair_value(pair)))
            break;
    }
    return PARLEY_E_OK;
}

static uint64_t memory_bytes(struct parley_kv *kv, struct parley_span from, struct parley_span to) {
    (void)from, (void)to;
    return ((struct memory_kv *)kv)->disk->bytes;
}

/* Nothing dropped takes a byte here. */
static void memory_compact(struct parley_kv *kv, struct parley_span from, struct parley_span to) {
    (void)kv, (void)from, (void)to;
}

static void memory_close(struct parley_kv *kv) {
    struct memory_kv *handle = (struct memory_kv *)kv;
    handle->disk->handle = NULL;
    free(handle);
}

static const struct parley_kv_calls memory_calls = {
    .write = memory_write,
    .view_begin = memory_view_begin,
    .view_end = memory_view_end,
    .get = memory_get,
    .scan = memory_scan,
    .bytes = memory_bytes,
    .compact = memory_compact,
    .close = memory_close,
};

enum parley_error parley_kv_memory_open(struct parley_kv **kv, struct parley_disk *disk,
                                        bool create) {
    *kv = NULL;
    if (disk->is_unplugged)
        return PARLEY_E_DISK_FAILED;
    if (disk->handle != NULL)
        return PARLEY_E_STORE_LOCKED;
    if (!disk->is_made && !create)
        return PARLEY_E_STORE_MISSING;
    struct memory_kv *handle = calloc(1, sizeof *handle);
    if (handle == NULL)
        return PARLEY_E_NO_MEMORY;
    handle->kv.calls = &memory_calls;
    handle->disk = disk;
    disk->handle = handle;
    disk->is_made = true;
    *kv = &handle->kv;
    return PARLEY_E_OK;
}

struct parley_disk *parley_disk_create(void) {
    return calloc(1, sizeof(struct parley_disk));
}

void parley_disk_free(struct parley_disk *disk) {
    if (disk == NULL)
        return;
    assert(disk->handle == NULL);
    for (size_t i = 0; i < disk->pairs_count; i++)
        free_pair(&disk->pairs[i]);
    free(disk->pairs);
    free(disk);
}

void parley_disk_fail_write(struct parley_disk *disk, unsigned skip, enum parley_error error,
                            enum parley_disk_fate fate) {
    assert(error != PARLEY_E_OK);
    disk->fail_is_armed = true;
    disk->fail_skip = skip;
    disk->fail_error = error;
    disk->fail_fate = fate;
}

void parley_disk_set_bytes_max(struct parley_disk *disk, uint64_t bytes_max) {
    disk->bytes_max = bytes_max;
}

void parley_disk_set_unplugged(struct parley_disk *disk, bool is_unplugged) {
    disk->is_unplugged = is_unplugged;
}

void parley_disk_crash(struct parley_disk *disk) {
    if (disk->handle != NULL)
        memory_close(&disk->handle->kv);
}

struct parley_disk *parley_disk_copy(const struct parley_disk *disk) {
    struct parley_disk *copy = parley_disk_create();
    if (copy == NULL)
        return NULL;
    for (size_t i = 0; i < disk->pairs_count; i++)
        insert_at(copy, i, pair_key(&disk->pairs[i]), pair_value(&disk->pairs[i]));
    copy->is_made = disk->is_made;
    copy->bytes_max = disk->bytes_max;
    return copy;
}

struct parley_disk *parley_disk_share(const struct parley_disk *disk) {
    struct parley_disk *other = must_allocate(parley_disk_create());
    other->pairs_max = disk->pairs_count + 64;
    other->pairs = must_allocate(malloc(other->pairs_max * sizeof other->pairs[0]));
    other->pairs_count = disk->pairs_count;
    for (size_t i = 0; i < disk->pairs_count; i++) {
        other->pairs[i] = disk->pairs[i];
        other->pairs[i].is_shared = true;
    }
    other->bytes = disk->bytes;
    other->bytes_max = disk->bytes_max;
    other->is_made = disk->is_made;
    return other;
}

bool parley_disk_flip_bit(struct parley_disk *disk, uint64_t index, uint64_t bit) {
    if (disk->pairs_count == 0)
        return false;
    struct pair *pair = &disk->pairs[index % disk->pairs_count];
    if (pair->value_size == 0)
        return false;
    assert(!pair->is_shared);
    bit %= pair->value_size * 8;
    pair->key[pair->key_size + bit / 8] ^= (uint8_t)(1u << (bit % 8));
    return true;
}

uint64_t parley_disk_bytes(const struct parley_disk *disk) {
    return disk->bytes;
}

uint64_t parley_disk_writes_count(const struct parley_disk *disk) {
    return disk->writes_count;
}
