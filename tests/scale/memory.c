#include "scale.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* What a node allocates when it is created stands in a place of its own among the addresses, with
 * something between that nobody may touch: so the kernel counts its resident pages apart (a page
 * that was only read is none), and all of it goes at once. The linker puts these in the place of
 * calloc, malloc and free (--wrap). */

#define PLACE_BYTES ((size_t)1 << 30) /* addresses alone */
#define PAGE        4096u
#define LARGE       (64u * 1024) /* begins at a page, as it does in the product */

void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void __real_free(void *memory);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void __wrap_free(void *memory);

static struct scale_memory *taking;
static uint8_t *places;
static size_t places_bytes;

static void *take(size_t size) {
    size_t align = size >= LARGE ? PAGE : 16;
    size_t at = (taking->allocated + align - 1) / align * align;
    if (at + size > PLACE_BYTES - PAGE)
        return NULL;
    taking->allocated = at + size;
    return taking->base + at;
}

void *__wrap_calloc(size_t count, size_t size) {
    return taking == NULL ? __real_calloc(count, size) : take(count * size);
}

void *__wrap_malloc(size_t size) {
    return taking == NULL ? __real_malloc(size) : take(size);
}

void __wrap_free(void *memory) {
    uint8_t *at = memory;
    if (places == NULL || at < places || at >= places + places_bytes)
        __real_free(memory);
}

void memory_reserve(uint32_t places_count) {
    places_bytes = places_count * PLACE_BYTES;
    void *all =
        mmap(NULL, places_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED)
        abort();
    places = all;
}

void memory_release(void) {
    if (munmap(places, places_bytes) != 0)
        abort();
    places = NULL;
}

void memory_begin(struct scale_memory *memory, uint32_t place) {
    *memory = (struct scale_memory){.base = places + place * PLACE_BYTES};
    if (mprotect(memory->base, PLACE_BYTES - PAGE, PROT_READ | PROT_WRITE) != 0)
        abort();
    taking = memory;
}

void memory_end(void) {
    taking = NULL;
}

void memory_clear(struct scale_memory *memory) {
    if (memory->base == NULL)
        return;
    if (madvise(memory->base, PLACE_BYTES - PAGE, MADV_DONTNEED) != 0 ||
        mprotect(memory->base, PLACE_BYTES - PAGE, PROT_NONE) != 0)
        abort();
    *memory = (struct scale_memory){0};
}

void memory_touched(size_t *touched, size_t count) {
    FILE *file = fopen("/proc/self/smaps", "re");
    char line[256];
    size_t place = SIZE_MAX;
    memset(touched, 0, count * sizeof *touched);
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        unsigned long from, to, size;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            place = from < (uintptr_t)places ? SIZE_MAX : (from - (uintptr_t)places) / PLACE_BYTES;
        else if (sscanf(line, "Rss: %lu kB", &size) == 1 && place < count)
            touched[place] += size * 1024;
    }
    if (file != NULL)
        (void)fclose(file);
}

size_t memory_of_process(void) {
    unsigned long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL && fscanf(file, "%lu %lu", &all, &resident) != 2)
        resident = 0;
    if (file != NULL)
        (void)fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}
