/* The key files of a home: text of a few lines with a version and a checksum.
 *
 *   parley device key 1
 *   author parley1...
 *   generation 0          (root.key alone)
 *   seed 64 hex digits
 *   check 16 hex digits   the start of H("parley key file", all bytes before this line)
 */
#ifndef PARLEY_KEY_FILE_H
#define PARLEY_KEY_FILE_H

#include "problem.h"
#include <parley/bytes.h>

enum parley_key_file_kind { PARLEY_KEY_FILE_NODE, PARLEY_KEY_FILE_DEVICE, PARLEY_KEY_FILE_ROOT };

/* Secret: wipe with parley_wipe. */
struct parley_key_file {
    enum parley_key_file_kind kind;
    struct parley_author author; /* DEVICE, ROOT */
    uint8_t generation;          /* ROOT */
    struct parley_seed seed;
};

/* Writes anew: a temporary file, synced, renamed, the directory synced. What stood there is
 * replaced. Errors: DISK_FULL, DISK_FAILED. */
PARLEY_USE_RESULT enum parley_error parley_key_file_write(const char *path,
                                                          const struct parley_key_file *key,
                                                          struct parley_problem *problem);
/* key->kind says what is expected. Errors: NOT_FOUND, BAD_INPUT (others may read it),
 * STORE_DAMAGED (form or checksum), DISK_FAILED. */
PARLEY_USE_RESULT enum parley_error
parley_key_file_read(struct parley_key_file *key, const char *path, struct parley_problem *problem);

/* The same care for any small file: written whole or not at all, mode 0600, synced. */
PARLEY_USE_RESULT enum parley_error parley_file_write(const char *path, struct parley_span bytes,
                                                      struct parley_problem *problem);
/* Errors of the file system: DISK_FULL for no space or quota, else DISK_FAILED, with the words of
 * errno in the problem. */
enum parley_error parley_file_problem(struct parley_problem *problem, const char *verb,
                                      const char *path, int error_number);

#endif
