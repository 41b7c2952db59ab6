#include "arena.h"

#include <assert.h>
#include <string.h>

static unsigned class_of(size_t size) {
    unsigned class = 0;
    while (((size_t)1 << (class + ARENA_CLASS_MIN)) < size)
        class ++;
    return class;
}

void arena_init(struct arena *arena, void *memory, size_t size) {
    memset(arena, 0, sizeof *arena);
    arena->memory = memory;
    arena->size = size;
}

void *arena_take(struct arena *arena, size_t size, size_t kept) {
    unsigned class = class_of(size);
    if (class >= ARENA_CLASS_COUNT)
        return NULL;
    void *piece = arena->free_lists[class];
    if (piece != NULL) {
        memcpy(&arena->free_lists[class], piece, sizeof(void *));
        return piece;
    }
    size_t whole = (size_t)1 << (class + ARENA_CLASS_MIN);
    if (arena->size - arena->used < whole + kept)
        return NULL;
    piece = arena->memory + arena->used;
    arena->used += whole;
    return piece;
}

void arena_give(struct arena *arena, void *memory, size_t size) {
    if (memory == NULL)
        return;
    unsigned class = class_of(size);
    assert(class < ARENA_CLASS_COUNT);
    memcpy(memory, &arena->free_lists[class], sizeof(void *));
    arena->free_lists[class] = memory;
}
