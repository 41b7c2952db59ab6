#include "memory.h"
#include "log.h"
#include <malloc.h>
#include <stdlib.h>

static void *checked(void *memory) {
    if (memory == NULL) {
        parley_log_line(PARLEY_LOG_ERROR, "out of memory");
        abort();
    }
    return memory;
}

void *parley_memory(size_t size) {
    return checked(calloc(1, size));
}

void *parley_memory_raw(size_t size) {
    return checked(malloc(size));
}

void *parley_memory_resize(void *memory, size_t size) {
    return checked(realloc(memory, size));
}

/* The tables of 64 KiB, and a node has several, are above it. */
#define BEGINNING_MAPPED_FROM (60 * 1024)
/* Mapping costs a fault a page, each time. Bodies of requests, the largest of what comes and goes,
 * are below it; and so much may stay free at the heap's end before the system has it back. */
#define SETTLED_MAPPED_FROM (4 * 1024 * 1024)
#define SETTLED_KEPT_FREE   (2 * SETTLED_MAPPED_FROM)

void parley_memory_begin(void) {
    (void)mallopt(M_MMAP_THRESHOLD, BEGINNING_MAPPED_FROM);
}

void parley_memory_settle(void) {
    (void)malloc_trim(0);
    (void)mallopt(M_MMAP_THRESHOLD, SETTLED_MAPPED_FROM);
    (void)mallopt(M_TRIM_THRESHOLD, SETTLED_KEPT_FREE);
}
