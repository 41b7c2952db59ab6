/* A disk that fails on command, put under a real program with LD_PRELOAD: the calls by which files
 * under one folder are changed are counted, and the one that is asked for fails, or the process
 * dies at it. Or: a budget of bytes, after which the disk is full until some come back.
 *
 *   FAULTY_FOLDER  only files whose path begins with it are touched
 *   FAULTY_STATE   a file that says what happens, mapped and shared by all processes:
 *                    u64 calls counted so far
 *                    u64 the number of the call that fails, 0: none
 *                    u64 how many from there on fail
 *                    u64 what happens: 1 EIO, 2 ENOSPC, 3 the process dies at once, 4 the
 *                      call does not come back until there is nothing to fail any more
 *                    i64 bytes that may still be written; below 0: any number
 *                    u64 syncs that were done
 */
/* Both names of a call stand here: that of 64-bit offsets must not become the other. */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct state {
    _Atomic uint64_t calls, fail_at, fail_count, what;
    _Atomic int64_t bytes_left;
    _Atomic uint64_t syncs;
};

#define FILES_MAX 4096

static struct state *state;
static char folder[PATH_MAX];
static bool is_watched[FILES_MAX];

__attribute__((constructor)) static void open_state(void) {
    const char *name = getenv("FAULTY_STATE"), *under = getenv("FAULTY_FOLDER");
    if (name == NULL || under == NULL)
        return;
    int (*real_open)(const char *, int, ...) =
        (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    int file = real_open(name, O_RDWR | O_CLOEXEC);
    void *memory = file < 0
                       ? MAP_FAILED
                       : mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED)
        abort();
    close(file);
    (void)snprintf(folder, sizeof folder, "%s", under);
    state = memory;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static bool is_under(const char *path) {
    return state != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static bool is_file_watched(int file) {
    return state != NULL && file >= 0 && file < FILES_MAX && is_watched[file];
}

/* 0, or what this call fails with. */
static int next_fault(void) {
    uint64_t number = atomic_fetch_add(&state->calls, 1) + 1;
    uint64_t fail_at = state->fail_at;
    if (fail_at == 0 || number < fail_at || number >= fail_at + state->fail_count)
        return 0;
    switch (state->what) {
    case 1:
        return EIO;
    case 2:
        return ENOSPC;
    case 4:
        while (state->fail_at != 0)
            (void)usleep(10000);
        return 0;
    default:
        (void)kill(getpid(), SIGKILL);
        return EIO;
    }
}

/* How many of the bytes the disk takes; 0: it is full. In one step: it may be healed at any moment,
 * by a negative number, and what is added to that would fill it again. */
static size_t take_bytes(size_t size) {
    int64_t left = state->bytes_left;
    size_t taken;
    do {
        if (left < 0)
            return size;
        taken = (uint64_t)left < size ? (size_t)left : size;
    } while (!atomic_compare_exchange_weak(&state->bytes_left, &left, left - (int64_t)taken));
    return taken;
}

static void give_bytes(int64_t size) {
    int64_t left = state->bytes_left;
    while (left >= 0 && !atomic_compare_exchange_weak(&state->bytes_left, &left, left + size))
        ;
}

static int opened(const char *path, int flags, int file) {
    if (file >= 0 && file < FILES_MAX)
        is_watched[file] = is_under(path) && (flags & (O_WRONLY | O_RDWR)) != 0;
    return file;
}

static int refuse(int error_number) {
    errno = error_number;
    return -1;
}

/* ---- the calls ------------------------------------------------------------------------------ */

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;        \
        va_end(arguments);                                                                         \
        int fault = is_under(path) && (flags & O_CREAT) != 0 ? next_fault() : 0;                   \
        return fault != 0 ? refuse(fault) : opened(path, flags, REAL(name)(path, flags, mode));    \
    }
OPEN(open)
OPEN(open64)

#define FOPEN(name)                                                                                \
    FILE *name(const char *path, const char *mode) {                                               \
        int fault = is_under(path) && mode[0] != 'r' ? next_fault() : 0;                           \
        if (fault != 0) {                                                                          \
            errno = fault;                                                                         \
            return NULL;                                                                           \
        }                                                                                          \
        return REAL(name)(path, mode);                                                             \
    }
FOPEN(fopen)
FOPEN(fopen64)

int close(int file) {
    if (file >= 0 && file < FILES_MAX)
        is_watched[file] = false;
    return REAL(close)(file);
}

ssize_t write(int file, const void *bytes, size_t size) {
    if (!is_file_watched(file))
        return REAL(write)(file, bytes, size);
    int fault = next_fault();
    size_t taken = fault == 0 ? take_bytes(size) : 0;
    if (fault != 0)
        return refuse(fault);
    if (taken == 0 && size > 0)
        return refuse(ENOSPC);
    return REAL(write)(file, bytes, taken);
}

#define SYNC(name)                                                                                 \
    int name(int file) {                                                                           \
        int fault = is_file_watched(file) ? next_fault() : 0;                                      \
        if (is_file_watched(file) && fault == 0)                                                   \
            state->syncs++;                                                                        \
        return fault != 0 ? refuse(fault) : REAL(name)(file);                                      \
    }
SYNC(fsync)
SYNC(fdatasync)

int rename(const char *from, const char *to) {
    int fault = is_under(to) ? next_fault() : 0;
    return fault != 0 ? refuse(fault) : REAL(rename)(from, to);
}

/* What is removed gives its bytes back. */
static int removed(const char *path, int (*real)(const char *)) {
    struct stat status;
    bool is_counted = is_under(path) && state->bytes_left >= 0 && stat(path, &status) == 0;
    int answer = real(path);
    if (answer == 0 && is_counted)
        give_bytes(status.st_size);
    return answer;
}

int unlink(const char *path) {
    return removed(path, REAL(unlink));
}

#define FALLOCATE(name)                                                                            \
    int name(int file, off_t offset, off_t size) {                                                 \
        if (!is_file_watched(file))                                                                \
            return REAL(name)(file, offset, size);                                                 \
        int fault = next_fault();                                                                  \
        return fault == 0 && state->bytes_left >= 0 && state->bytes_left < size ? ENOSPC : fault;  \
    }
FALLOCATE(posix_fallocate)
FALLOCATE(posix_fallocate64)
