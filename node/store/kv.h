/* The small ordered key-value engine that a store stands on: LevelDB in the product, a disk in
 * memory that fails on command in the simulator.
 *
 * Keys are ordered as memcmp orders them, a shorter key before a longer one that it begins. A write
 * is atomic and on disk when it returns. After the first write that failed the handle refuses every
 * write with that error until it is closed and opened again: what an engine says of a write after
 * an error is not to be believed. It may refuse reads, too; those that it answers show what was on
 * disk before the error.
 *
 * Reads may run on several threads beside one writer. No iterator outlives a call: a scan calls
 * back and is over. A view is a frozen state for several reads; it pins space, so it lives for one
 * call of the store only.
 */
#ifndef PARLEY_KV_H
#define PARLEY_KV_H

#include <parley/bytes.h>
#include <parley/error.h>

struct parley_kv;

struct parley_kv_change {
    struct parley_span key;
    struct parley_span value; /* not looked at when the key is dropped */
    bool is_delete;           /* a key that is not there may be dropped */
};

/* from <= key < to; an empty `to` is no bound. */
struct parley_kv_bounds {
    struct parley_span from;
    struct parley_span to;
    bool is_descending;
    /* What cannot be read ends a scan before anything behind it is called, so that nobody takes
     * two pairs for neighbours that are none. With this it goes on behind, and says so in the end:
     * for whoever looks for damage. */
    bool is_past_damage;
};

/* key and value are borrowed until it returns. False ends the scan. It may get and scan, and must
 * not write. */
typedef bool parley_kv_on_pair(void *context, struct parley_span key, struct parley_span value);

/* Errors of every call: DISK_FULL, DISK_FAILED, STORE_DAMAGED, NO_MEMORY. */
struct parley_kv_calls {
    /* All changes or none, synced. Of two changes of one key the later one counts. */
    enum parley_error (*write)(struct parley_kv *kv, const struct parley_kv_change *changes,
                               size_t changes_count);
    enum parley_error (*view_begin)(struct parley_kv *kv, const void **view);
    void (*view_end)(struct parley_kv *kv, const void *view);
    /* view NULL: the state now. NOT_FOUND; NO_SPACE when the value exceeds size_max. */
    enum parley_error (*get)(struct parley_kv *kv, const void *view, struct parley_span key,
                             uint8_t *value, size_t size_max, size_t *size);
    enum parley_error (*scan)(struct parley_kv *kv, const void *view,
                              const struct parley_kv_bounds *bounds, parley_kv_on_pair *on_pair,
                              void *context);
    /* Bytes on disk of from <= key < to (empty: no bound), roughly and cheaply. */
    uint64_t (*bytes)(struct parley_kv *kv, struct parley_span from, struct parley_span to);
    /* Gives the disk back what was dropped or overwritten between them. May take seconds, beside
     * writes and reads; it changes nothing, and what fails is left for the next time. */
    void (*compact)(struct parley_kv *kv, struct parley_span from, struct parley_span to);
    /* Ends the handle; nothing else may run. What was written stays. */
    void (*close)(struct parley_kv *kv);
};

struct parley_kv {
    const struct parley_kv_calls *calls;
};

/* The order of keys. */
static inline int parley_kv_compare(struct parley_span a, struct parley_span b) {
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

#endif
