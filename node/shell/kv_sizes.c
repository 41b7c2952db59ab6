#include "kv_sizes.h"
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

/* Of what comes in a stream less is merged, the larger the tables are that it begins as; and two of
 * them are in memory while it comes. */
#define BUFFER_SIZE_MAX   (8u << 20)
#define BUFFER_SIZE_MIN   (512u << 10)
#define BUFFERS_OF_LITTLE 200u /* at least so many, of what there is room for */

/* Few descriptors for much; of little no large part that is written beside the old files. LevelDB
 * takes no less than 1 MiB. */
#define FILE_SIZE_MAX   (8u << 20)
#define FILE_SIZE_MIN   (1u << 20)
#define FILES_OF_LITTLE 200u /* at least so many, of what there is room for */

/* A merge takes a table and up to ten times its size of the level below (LevelDB's own limit), or
 * all of the upper level, 10 MiB, with what came new; a table more for what waits in its log, and
 * two because a limit has a margin. */
#define FILES_OF_MERGE 14u

/* Beside its log: a manifest, and the blocks of directories. */
#define OPENING_BYTES_MIN (1u << 20)

static size_t share(uint64_t bytes_max, uint64_t parts, size_t least, size_t most) {
    uint64_t size = bytes_max == 0 ? most : bytes_max / parts;
    if (size < least)
        return least;
    return size < most ? (size_t)size : most;
}

size_t parley_kv_file_size(uint64_t bytes_max) {
    return share(bytes_max, FILES_OF_LITTLE, FILE_SIZE_MIN, FILE_SIZE_MAX);
}

size_t parley_kv_buffer_size(uint64_t bytes_max) {
    return share(bytes_max, BUFFERS_OF_LITTLE, BUFFER_SIZE_MIN, BUFFER_SIZE_MAX);
}

uint64_t parley_kv_room(uint64_t bytes_max) {
    uint64_t merge = FILES_OF_MERGE * (uint64_t)parley_kv_file_size(bytes_max);
    uint64_t all = bytes_max / 2 + parley_kv_buffer_size(bytes_max); /* and what is in the log */
    uint64_t spare = merge < all ? merge : all;
    return bytes_max - (spare < bytes_max / 4 * 3 ? spare : bytes_max / 4 * 3);
}

uint64_t parley_kv_opening_bytes(const char *path) {
    uint64_t bytes = OPENING_BYTES_MIN;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return bytes;
    for (struct dirent *file = readdir(directory); file != NULL; file = readdir(directory)) {
        const char *end = strrchr(file->d_name, '.');
        struct stat status;
        if (end != NULL && strcmp(end, ".log") == 0 &&
            fstatat(dirfd(directory), file->d_name, &status, 0) == 0)
            bytes += (uint64_t)status.st_size;
    }
    closedir(directory);
    return bytes;
}
