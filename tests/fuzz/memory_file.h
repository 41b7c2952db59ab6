/* A file in memory for decoders that take a path. */
#ifndef PARLEY_TESTS_FUZZ_MEMORY_FILE_H
#define PARLEY_TESTS_FUZZ_MEMORY_FILE_H

#include "fuzz.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct memory_file {
    int number;
    mode_t mode;
    char path[64]; /* good for open(2) in this process */
};

static inline void memory_file_make(struct memory_file *file) {
    file->number = memfd_create("parley fuzz", MFD_CLOEXEC);
    FUZZ_HOLDS(file->number >= 0);
    snprintf(file->path, sizeof file->path, "/proc/self/fd/%d", file->number);
}

/* Cut behind what was written: a file that is emptied first gives its page back and takes another.
 */
static inline void memory_file_fill(struct memory_file *file, struct parley_span bytes,
                                    mode_t mode) {
    FUZZ_HOLDS(pwrite(file->number, bytes.data, bytes.size, 0) == (ssize_t)bytes.size);
    FUZZ_HOLDS(ftruncate(file->number, (off_t)bytes.size) == 0);
    FUZZ_HOLDS(mode == file->mode || fchmod(file->number, mode) == 0);
    file->mode = mode;
}

#endif
