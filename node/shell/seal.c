#include "seal.h"
#include "key_file.h"
#include "log.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <parley/crypto.h>
#include <parley/text.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A closed database has one log, or two when it was about to change them, and one manifest. */
#define FILES_MAX      16u
#define NAME_BYTES_MAX 63
#define TEXT_BYTES_MAX (128u + FILES_MAX * 256u)
#define CHECK_BYTES    8u

struct sealed_file {
    char name[NAME_BYTES_MAX + 1];
    uint64_t size;
    char hash[65];
};

struct seal {
    uint64_t commits;
    struct sealed_file files[FILES_MAX];
    size_t files_count;
};

static bool join(char path[PATH_MAX], const char *directory, const char *name) {
    int size = snprintf(path, PATH_MAX, "%s/%s", directory, name);
    return size > 0 && size < PATH_MAX;
}

static bool is_believed(const char *name) {
    const char *suffix = strrchr(name, '.');
    return strcmp(name, "CURRENT") == 0 || strncmp(name, "MANIFEST-", 9) == 0 ||
           (suffix != NULL && strcmp(suffix, ".log") == 0);
}

/* ---- what is there -------------------------------------------------------------------------- */

/* False with errno when it cannot be read. */
static bool measure(struct sealed_file *out, const char *directory, const char *name) {
    uint8_t bytes[16384], hash[32];
    char path[PATH_MAX];
    struct parley_hasher hasher;
    ssize_t size = 0;
    int file = join(path, directory, name) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return false;
    out->size = 0;
    parley_hash_init(&hasher, "parley seal file");
    while ((size = read(file, bytes, sizeof bytes)) > 0) {
        parley_hash_add(&hasher, bytes, (size_t)size);
        out->size += (uint64_t)size;
    }
    close(file);
    parley_hash_finish(&hasher, hash);
    parley_hex_encode(out->hash, hash, sizeof hash);
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    return size == 0;
}

static bool measure_all(struct seal *seal, const char *directory) {
    DIR *listing = opendir(directory);
    bool is_good = listing != NULL;
    while (is_good) {
        struct dirent *entry = readdir(listing);
        if (entry == NULL)
            break;
        if (!is_believed(entry->d_name))
            continue;
        is_good = seal->files_count < FILES_MAX && strlen(entry->d_name) <= NAME_BYTES_MAX &&
                  measure(&seal->files[seal->files_count++], directory, entry->d_name);
    }
    if (listing != NULL)
        closedir(listing);
    return is_good;
}

/* ---- the text ------------------------------------------------------------------------------- */

static void put_check(char check[2 * CHECK_BYTES + 1], const char *text, size_t size) {
    uint8_t hash[32];
    parley_hash_one(hash, "parley seal", PARLEY_SPAN(text, size));
    parley_hex_encode(check, hash, CHECK_BYTES);
}

static size_t encode(char text[TEXT_BYTES_MAX], const struct seal *seal) {
    char check[2 * CHECK_BYTES + 1];
    size_t size = (size_t)snprintf(text, TEXT_BYTES_MAX, "parley seal 1\ncommits %" PRIu64 "\n",
                                   seal->commits);
    for (size_t i = 0; i < seal->files_count; i++)
        size += (size_t)snprintf(text + size, TEXT_BYTES_MAX - size, "file %s %" PRIu64 " %s\n",
                                 seal->files[i].name, seal->files[i].size, seal->files[i].hash);
    put_check(check, text, size);
    return size + (size_t)snprintf(text + size, TEXT_BYTES_MAX - size, "check %s\n", check);
}

static bool decode(struct seal *seal, const char *text) {
    char check[2 * CHECK_BYTES + 1];
    int size = 0;
    const char *rest = strstr(text, "check ");
    memset(seal, 0, sizeof *seal);
    if (rest == NULL || (rest != text && rest[-1] != '\n'))
        return false;
    put_check(check, text, (size_t)(rest - text));
    if (strncmp(rest + 6, check, 2 * CHECK_BYTES) != 0 ||
        sscanf(text, "parley seal 1 commits %" SCNu64 "%n", &seal->commits, &size) != 1)
        return false;
    for (const char *line = text + size; seal->files_count < FILES_MAX; line += size) {
        struct sealed_file *file = &seal->files[seal->files_count];
        if (sscanf(line, " file %63s %" SCNu64 " %64s%n", file->name, &file->size, file->hash,
                   &size) != 3)
            break;
        seal->files_count++;
    }
    return true;
}

/* False when it is not there, or is damaged: that is said. */
static bool load(struct seal *seal, const char *directory, const char *name) {
    char path[PATH_MAX], text[TEXT_BYTES_MAX];
    int file = join(path, directory, name) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return false;
    ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    text[size < 0 ? 0 : size] = '\0';
    if (decode(seal, text))
        return true;
    parley_log_line(PARLEY_LOG_WARNING, "%s is damaged and not believed", path);
    return false;
}

static void save(const char *directory, const char *name, const struct seal *seal) {
    char path[PATH_MAX], text[TEXT_BYTES_MAX];
    if (join(path, directory, name))
        (void)!parley_file_write(path, PARLEY_SPAN(text, encode(text, seal)), NULL);
}

/* ---- breaking and writing ------------------------------------------------------------------- */

static bool is_as_sealed(const struct sealed_file *sealed, const char *directory, char *words,
                         size_t words_size) {
    struct sealed_file now;
    const char *what = NULL;
    errno = 0;
    if (!measure(&now, directory, sealed->name))
        what = errno == ENOENT ? "is missing" : "cannot be read";
    else if (now.size != sealed->size)
        what = "has another size than it was closed with";
    else if (strcmp(now.hash, sealed->hash) != 0)
        what = "is not what it was closed with";
    if (what != NULL)
        (void)snprintf(words, words_size, "%s %s", sealed->name, what);
    return what == NULL;
}

/* The number stays in force, the list does not. On disk before anything else changes: a seal that
 * came back with a power cut would object to what is right. */
static enum parley_error change_name(const char *directory) {
    char from[PATH_MAX], to[PATH_MAX];
    int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0 || !join(from, directory, "SEAL") || !join(to, directory, "COUNT"))
        return PARLEY_E_DISK_FAILED;
    int status = rename(from, to);
    if (status == 0)
        status = fsync(file);
    close(file);
    return status == 0 ? PARLEY_E_OK : PARLEY_E_DISK_FAILED;
}

enum parley_error parley_seal_break(const char *directory, uint64_t *commits_min, char *words,
                                    size_t words_size) {
    struct seal seal;
    char path[PATH_MAX];
    *commits_min = 0;
    if (!load(&seal, directory, "SEAL")) {
        if (join(path, directory, "SEAL"))
            (void)unlink(path); /* damaged, and what comes now makes it old */
        if (load(&seal, directory, "COUNT"))
            *commits_min = seal.commits;
        return PARLEY_E_OK;
    }
    *commits_min = seal.commits;
    for (size_t i = 0; i < seal.files_count; i++)
        if (!is_as_sealed(&seal.files[i], directory, words, words_size))
            return PARLEY_E_STORE_DAMAGED;
    return change_name(directory);
}

bool parley_seal_commits(const char *directory, uint64_t *commits) {
    struct seal seal;
    if (!load(&seal, directory, "SEAL") && !load(&seal, directory, "COUNT"))
        return false;
    *commits = seal.commits;
    return true;
}

void parley_seal_write(const char *directory, uint64_t commits) {
    struct seal seal = {.commits = commits};
    char path[PATH_MAX];
    if (!measure_all(&seal, directory))
        return;
    save(directory, "SEAL", &seal);
    if (join(path, directory, "COUNT"))
        (void)unlink(path);
}

void parley_seal_count(const char *directory, uint64_t commits) {
    struct seal seal = {.commits = commits};
    save(directory, "COUNT", &seal);
}

void parley_seal_remove(const char *directory) {
    char path[PATH_MAX];
    if (join(path, directory, "SEAL"))
        (void)unlink(path);
    if (join(path, directory, "COUNT"))
        (void)unlink(path);
}
