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

void parley_memory_give_back(void) {
    (void)malloc_trim(0);
}
