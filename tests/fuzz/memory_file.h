/* A file in memory for decoders that take a path. */
#ifndef PARLEY_TESTS_FUZZ_MEMORY_FILE_H
#define PARLEY_TESTS_FUZZ_MEMORY_FILE_H

#include "fuzz.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct memory_file {
    int number;
    char path[64]; /* good for open(2) in this process */
};

static inline void memory_file_make(struct memory_file *file) {
    file->number = memfd_create("parley fuzz", MFD_CLOEXEC);
    FUZZ_HOLDS(file->number >= 0);
    snprintf(file->path, sizeof file->path, "/proc/self/fd/%d", file->number);
}

static inline void memory_file_fill(const struct memory_file *file, struct parley_span bytes,
                                    mode_t mode) {
    FUZZ_HOLDS(ftruncate(file->number, 0) == 0 && fchmod(file->number, mode) == 0);
    FUZZ_HOLDS(pwrite(file->number, bytes.data, bytes.size, 0) == (ssize_t)bytes.size);
}

#endif
