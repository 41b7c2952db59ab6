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
#define WRITE_MAX     (1024u * 1024)
#define PAGE_SIZE     4096u

void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void __real_free(void *memory);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void __wrap_free(void *memory);

static struct kept {
    uint8_t *memory;
    size_t size;
    bool is_used;
} kept[KEPT_MAX];
static size_t kept_count;

/* To write a small one is cheaper than what faults its pages in again; of a large one few pages are
 * touched, and the kernel takes those back. */
static void make_zero(const struct kept *block) {
    if (block->size <= WRITE_MAX) {
        memset(block->memory, 0, block->size);
        return;
    }
    uint8_t *end = block->memory + block->size;
    uint8_t *first =
        (uint8_t *)(((uintptr_t)block->memory + PAGE_SIZE - 1) & -(uintptr_t)PAGE_SIZE);
    uint8_t *last = (uint8_t *)((uintptr_t)end & -(uintptr_t)PAGE_SIZE);
    memset(block->memory, 0, (size_t)(first - block->memory));
    memset(last, 0, (size_t)(end - last));
    if (last > first && madvise(first, (size_t)(last - first), MADV_DONTNEED) != 0)
        abort();
}

/* What malloc gives may hold anything. */
static void *take(size_t size, bool is_zero) {
    for (size_t i = 0; i < kept_count; i++)
        if (!kept[i].is_used && kept[i].size == size) {
            kept[i].is_used = true;
            if (is_zero)
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
