/* A disk in memory with the faults of real ones, and the key-value engine that stands on it.
 *
 * The disk outlives its handles as a directory outlives a process: close a handle and open another,
 * and everything that was acknowledged is there. Single-threaded, deterministic: faults come when
 * they are ordered, never by themselves.
 */
#ifndef PARLEY_KV_MEMORY_H
#define PARLEY_KV_MEMORY_H

#include "../../node/store/kv.h"

struct parley_disk;

/* NULL when out of memory. */
struct parley_disk *parley_disk_create(void);
/* No handle may be open on it. */
void parley_disk_free(struct parley_disk *disk);

/* As a LevelDB directory: an empty disk is STORE_MISSING without `create`; one handle at a time
 * (STORE_LOCKED); NO_MEMORY. */
PARLEY_USE_RESULT enum parley_error parley_kv_memory_open(struct parley_kv **kv,
                                                          struct parley_disk *disk, bool create);

/* What becomes of a write that is answered with an error: a real disk may have it or not. */
enum parley_disk_fate { PARLEY_DISK_LOST, PARLEY_DISK_WRITTEN };
/* After `skip` further writes the next one fails with `error`. The handle is unusable from then on.
 */
void parley_disk_fail_write(struct parley_disk *disk, unsigned skip, enum parley_error error,
                            enum parley_disk_fate fate);
/* DISK_FULL for every write that would take the contents above it; 0: no bound. */
void parley_disk_set_bytes_max(struct parley_disk *disk, uint64_t bytes_max);
/* Unplugged: every call fails with DISK_FAILED, opening too, until it is plugged in again. */
void parley_disk_set_unplugged(struct parley_disk *disk, bool is_unplugged);
/* The process died: the handle is gone without closing. What was not acknowledged was dropped
 * already, as every write is whole. */
void parley_disk_crash(struct parley_disk *disk);
/* A copy of the contents, for backups that are restored and for torn states. NULL: no memory. */
struct parley_disk *parley_disk_copy(const struct parley_disk *disk);
/* A disk with the same contents, which are not copied: the other one outlives it and stays as it
 * is. No bit of it is to be flipped. Costs 40 bytes a key. */
struct parley_disk *parley_disk_share(const struct parley_disk *disk);
/* Flips one bit of the value that `index` (counted over all keys, modulo their count) names; for
 * tests of what damage does. False when the disk is empty. */
bool parley_disk_flip_bit(struct parley_disk *disk, uint64_t index, uint64_t bit);

uint64_t parley_disk_bytes(const struct parley_disk *disk);
uint64_t parley_disk_writes_count(const struct parley_disk *disk);

#endif
