#include "key_file.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <parley/crypto.h>
#include <parley/text.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX 512
#define CHECK_BYTES    8

static const char *const kind_words[] = {"node", "device", "root"};

enum parley_error parley_file_problem(struct parley_problem *problem, const char *verb,
                                      const char *path, int error_number) {
    bool is_full = error_number == ENOSPC || error_number == EDQUOT;
    return parley_problem_set(problem, is_full ? PARLEY_E_DISK_FULL : PARLEY_E_DISK_FAILED,
                              "cannot %s %s: %s", verb, path, strerror(error_number));
}

static int write_all(int file, struct parley_span bytes) {
    while (bytes.size > 0) {
        ssize_t written = write(file, bytes.data, bytes.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno;
        bytes.data += written;
        bytes.size -= (size_t)written;
    }
    return fsync(file) == 0 ? 0 : errno;
}

static int sync_directory_of(const char *path) {
    char copy[PATH_MAX];
    (void)snprintf(copy, sizeof copy, "%s", path);
    int directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return errno;
    int error_number = fsync(directory) == 0 ? 0 : errno;
    close(directory);
    return error_number;
}

enum parley_error parley_file_write(const char *path, struct parley_span bytes,
                                    struct parley_problem *problem) {
    char temporary[PATH_MAX];
    int size = snprintf(temporary, sizeof temporary, "%s.new", path);
    if (size < 0 || (size_t)size >= sizeof temporary)
        return parley_file_problem(problem, "write", path, ENAMETOOLONG);
    (void)unlink(temporary); /* of a write that was cut off */
    int file = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return parley_file_problem(problem, "write", temporary, errno);
    int error_number = fchmod(file, 0600) == 0 ? write_all(file, bytes) : errno;
    if (close(file) != 0 && error_number == 0)
        error_number = errno;
    if (error_number == 0 && rename(temporary, path) != 0)
        error_number = errno;
    if (error_number == 0)
        error_number = sync_directory_of(path);
    if (error_number == 0)
        return PARLEY_E_OK;
    (void)unlink(temporary);
    return parley_file_problem(problem, "write", path, error_number);
}

/* --- the text ------------------------------------------------------------------------------- */

static void put_check(char out[2 * CHECK_BYTES + 1], const char *text, size_t size) {
    uint8_t hash[32];
    parley_hash_one(hash, "parley key file", PARLEY_SPAN(text, size));
    parley_hex_encode(out, hash, CHECK_BYTES);
}

static size_t encode(char text[FILE_BYTES_MAX], const struct parley_key_file *key) {
    char seed[2 * sizeof key->seed.bytes + 1], check[2 * CHECK_BYTES + 1];
    char author[PARLEY_AUTHOR_TEXT_SIZE];
    int size = snprintf(text, FILE_BYTES_MAX, "parley %s key 1\n", kind_words[key->kind]);
    if (key->kind != PARLEY_KEY_FILE_NODE) {
        parley_author_encode(author, &key->author);
        size += snprintf(text + size, FILE_BYTES_MAX - (size_t)size, "author %s\n", author);
    }
    if (key->kind == PARLEY_KEY_FILE_ROOT)
        size += snprintf(text + size, FILE_BYTES_MAX - (size_t)size, "generation %u\n",
                         key->generation);
    parley_hex_encode(seed, key->seed.bytes, sizeof key->seed.bytes);
    size += snprintf(text + size, FILE_BYTES_MAX - (size_t)size, "seed %s\n", seed);
    put_check(check, text, (size_t)size);
    size += snprintf(text + size, FILE_BYTES_MAX - (size_t)size, "check %s\n", check);
    parley_wipe(seed, sizeof seed);
    return (size_t)size;
}

/* The line's value when the line begins with the word; moves the rest behind it. */
static bool take_line(struct parley_span *value, struct parley_span *rest, const char *word) {
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    size_t word_size = strlen(word);
    if (end == NULL)
        return false;
    size_t line_size = (size_t)(end - rest->data);
    if (line_size < word_size || memcmp(rest->data, word, word_size) != 0)
        return false;
    *value = PARLEY_SPAN(rest->data + word_size, line_size - word_size);
    *rest = PARLEY_SPAN(end + 1, rest->size - line_size - 1);
    return true;
}

static bool take_generation(uint8_t *generation, struct parley_span value) {
    unsigned number = 0;
    if (value.size == 0 || value.size > 2)
        return false;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
        number = number * 10 + (value.data[i] - '0');
    }
    *generation = (uint8_t)number;
    return true;
}

/* NULL, or the name of the field that is wrong. */
static const char *decode(struct parley_key_file *key, struct parley_span text) {
    struct parley_span rest = text, value;
    char first[32], check[2 * CHECK_BYTES + 1];
    (void)snprintf(first, sizeof first, "parley %s key 1", kind_words[key->kind]);
    if (!take_line(&value, &rest, first) || value.size != 0)
        return "first line";
    if (key->kind != PARLEY_KEY_FILE_NODE &&
        (!take_line(&value, &rest, "author ") ||
         parley_author_decode(&key->author, value).error != PARLEY_E_OK))
        return "author";
    if (key->kind == PARLEY_KEY_FILE_ROOT &&
        (!take_line(&value, &rest, "generation ") || !take_generation(&key->generation, value)))
        return "generation";
    if (!take_line(&value, &rest, "seed ") ||
        !parley_hex_decode(key->seed.bytes, sizeof key->seed.bytes, value))
        return "seed";
    put_check(check, (const char *)text.data, text.size - rest.size);
    if (!take_line(&value, &rest, "check ") ||
        !parley_span_equal(value, PARLEY_SPAN(check, strlen(check))) || rest.size != 0)
        return "checksum";
    return NULL;
}

enum parley_error parley_key_file_write(const char *path, const struct parley_key_file *key,
                                        struct parley_problem *problem) {
    char text[FILE_BYTES_MAX];
    size_t size = encode(text, key);
    enum parley_error error = parley_file_write(path, PARLEY_SPAN(text, size), problem);
    parley_wipe(text, sizeof text);
    return error;
}

static enum parley_error read_open_file(struct parley_key_file *key, int file, const char *path,
                                        struct parley_problem *problem) {
    struct stat status;
    if (fstat(file, &status) != 0)
        return parley_file_problem(problem, "read", path, errno);
    if ((status.st_mode & 077) != 0)
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT,
                                  "others may read the key in %s (mode %03o): chmod 600 it", path,
                                  (unsigned)status.st_mode & 0777u);
    char text[FILE_BYTES_MAX];
    ssize_t size = read(file, text, sizeof text);
    if (size < 0)
        return parley_file_problem(problem, "read", path, errno);
    const char *field = decode(key, PARLEY_SPAN(text, (size_t)size));
    parley_wipe(text, sizeof text);
    if (field == NULL)
        return PARLEY_E_OK;
    parley_wipe(&key->seed, sizeof key->seed);
    return parley_problem_set(problem, PARLEY_E_STORE_DAMAGED,
                              "the key file %s is damaged (%s): put a copy of it there", path,
                              field);
}

enum parley_error parley_key_file_read(struct parley_key_file *key, const char *path,
                                       struct parley_problem *problem) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT)
        return parley_problem_set(problem, PARLEY_E_NOT_FOUND, "there is no %s", path);
    if (file < 0)
        return parley_file_problem(problem, "read", path, errno);
    enum parley_error error = read_open_file(key, file, path, problem);
    close(file);
    return error;
}
