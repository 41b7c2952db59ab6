/* Large blocks that are allocated once and kept from input to input, for targets that make a whole
 * node or store for each: mapping, poisoning and giving back some hundred megabytes that an input
 * hardly touches would be nearly all of its time. The linker puts these in the place of calloc,
 * malloc and free (--wrap).
 *
 * A kept block is one of the allocator's own, of exactly the size that was asked for, so a
 * sanitizer sees what is written before and behind it. What is written to it after free it does not
 * see; small blocks, where most of that would happen, are the allocator's as ever.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define KEPT_SIZE_MIN (32u * 1024)
#define KEPT_MAX      128u
#define PAGE_SIZE     4096u
#define PAGES_MAX     8192u /* of one block */
#define WRITTEN_MAX   128u  /* pages of one block; more are given back */

void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void __real_free(void *memory);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void __wrap_free(void *memory);
void __real_parley_wipe(void *memory, size_t size);
void __wrap_parley_wipe(void *memory, size_t size);

static struct kept {
    uint8_t *memory;
    size_t size;
    bool is_used;
} kept[KEPT_MAX];
static size_t kept_count;

static bool is_zero(const uint8_t *page) {
    const uint64_t *words = (const uint64_t *)(const void *)page;
    uint64_t any = 0;
    for (size_t i = 0; i < PAGE_SIZE / 8; i++)
        any |= words[i];
    return any == 0;
}

/* A run of whole pages, of which the kernel knows which were ever touched. To write the few that
 * were is cheaper than what faults them in again; of many it takes them back. Pages that were read
 * alone are one page of the kernel's, as long as nobody writes to them. */
static void make_pages_zero(uint8_t *first, size_t size) {
    static unsigned char touched[PAGES_MAX];
    size_t count = size / PAGE_SIZE, written = 0;
    if (count > PAGES_MAX || mincore(first, size, touched) != 0)
        abort();
    for (size_t i = 0; i < count && written <= WRITTEN_MAX; i++)
        if ((touched[i] & 1) != 0 && !is_zero(first + i * PAGE_SIZE)) {
            memset(first + i * PAGE_SIZE, 0, PAGE_SIZE);
            written++;
        }
    if (written > WRITTEN_MAX && madvise(first, size, MADV_DONTNEED) != 0)
        abort();
}

static void make_zero(const struct kept *block) {
    uint8_t *end = block->memory + block->size;
    uint8_t *first =
        (uint8_t *)(((uintptr_t)block->memory + PAGE_SIZE - 1) & -(uintptr_t)PAGE_SIZE);
    uint8_t *last = (uint8_t *)((uintptr_t)end & -(uintptr_t)PAGE_SIZE);
    memset(block->memory, 0, (size_t)(first - block->memory));
    memset(last, 0, (size_t)(end - last));
    if (last > first)
        make_pages_zero(first, (size_t)(last - first));
}

/* What malloc gives may hold anything. */
static void *take(size_t size, bool is_cleared) {
    for (size_t i = 0; i < kept_count; i++)
        if (!kept[i].is_used && kept[i].size == size) {
            kept[i].is_used = true;
            if (is_cleared)
                make_zero(&kept[i]);
            return kept[i].memory;
        }
    void *memory = __real_calloc(1, size);
    if (memory != NULL && kept_count < KEPT_MAX)
        kept[kept_count++] = (struct kept){memory, size, true};
    return memory;
}

void *__wrap_calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes < KEPT_SIZE_MIN)
        return __real_calloc(count, size);
    return take(bytes, true);
}

void *__wrap_malloc(size_t size) {
    return size < KEPT_SIZE_MIN ? __real_malloc(size) : take(size, false);
}

void __wrap_free(void *memory) {
    for (size_t i = 0; memory != NULL && i < kept_count; i++)
        if (kept[i].memory == memory) {
            kept[i].is_used = false;
            return;
        }
    __real_free(memory);
}

/* A kept block is made zero when it is taken again: to wipe it as well would touch all of it. */
void __wrap_parley_wipe(void *memory, size_t size) {
    for (size_t i = 0; i < kept_count; i++)
        if (kept[i].memory == memory && kept[i].size == size)
            return;
    __real_parley_wipe(memory, size);
}
