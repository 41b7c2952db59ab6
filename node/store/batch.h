/* What a commit has done so far, over what is on disk: later operations of the group see it, and
 * it becomes one synced write at the end. The first error of the engine sticks: nothing of the
 * group is written then.
 */
#ifndef PARLEY_STORE_BATCH_H
#define PARLEY_STORE_BATCH_H

#include "kv.h"
#include "layout.h"

struct batch_block;

struct batch {
    struct parley_kv *kv;
    struct parley_kv_change *changes; /* in order of their keys, each key once */
    size_t changes_count;
    size_t changes_max;
    struct batch_block *blocks;
    uint8_t *scratch;        /* segment_find's */
    enum parley_error error; /* the first one */
};

void batch_init(struct batch *batch, struct parley_kv *kv);
/* Drops everything that waits. */
void batch_clear(struct batch *batch);
/* Memory until clear; NULL and the error when there is none. */
void *batch_allocate(struct batch *batch, size_t size);
/* False when the key is not there or an error stands. The value stays until clear. */
bool batch_get(struct batch *batch, const struct key *key, struct parley_span *value);
/* Room for a value of that size, to be filled by the caller before the next call; NULL on error. */
uint8_t *batch_put(struct batch *batch, const struct key *key, size_t size);
void batch_put_span(struct batch *batch, const struct key *key, struct parley_span value);
void batch_drop(struct batch *batch, const struct key *key);
/* As the engine's scan, over both. The callback must not put or drop. */
void batch_scan(struct batch *batch, const struct parley_kv_bounds *bounds,
                parley_kv_on_pair *on_pair, void *context);
/* One synced write of all, or what went wrong before. */
PARLEY_USE_RESULT enum parley_error batch_write(struct batch *batch);

#endif
