/* Memory of changing size out of one block taken at create: power-of-two classes with free lists.
 * For identity facts, of which most authors need one and a few a thousand.
 */
#ifndef PARLEY_NODE_ARENA_H
#define PARLEY_NODE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define ARENA_CLASS_MIN   7u  /* 128 bytes */
#define ARENA_CLASS_COUNT 12u /* to 256 KiB: 1,024 facts of 112 bytes take 128 KiB */

struct arena {
    uint8_t *memory;
    size_t size, used;
    void *free_lists[ARENA_CLASS_COUNT];
};

void arena_init(struct arena *arena, void *memory, size_t size);
/* NULL when there is no room, or when less than kept bytes would be left of what was never used.
 * Aligned to 16 bytes. */
void *arena_take(struct arena *arena, size_t size, size_t kept);
/* size as it was taken. NULL is ignored. */
void arena_give(struct arena *arena, void *memory, size_t size);

#endif
