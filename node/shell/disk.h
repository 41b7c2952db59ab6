/* The database of a home as one thing: the engine's handle and the store over it. */
#ifndef PARLEY_DISK_H
#define PARLEY_DISK_H

#include "problem.h"
#include <limits.h>
#include <parley/store.h>

struct parley_disk {
    struct parley_kv *kv;
    struct parley_store *store; /* NULL: closed */
    char directory[PATH_MAX];
    uint64_t quota_bytes; /* 0: none, or not known */
};

/* Opens the database in the directory. create: a new one, in a directory that is not there yet;
 * else a missing one is STORE_MISSING and nothing is made. What is not as it was closed, or has
 * fewer commits than were acknowledged, is STORE_DAMAGED (seal.h). Errors: those of
 * parley_store_open; the problem says what to type. */
PARLEY_USE_RESULT enum parley_error parley_disk_open(struct parley_disk *disk,
                                                     const char *directory, bool create,
                                                     uint64_t quota_bytes,
                                                     struct parley_problem *problem);
/* Stores an identity record of an author, synced; one that is there already is fine. Errors: those
 * of parley_store_commit. */
PARLEY_USE_RESULT enum parley_error parley_disk_put_record(struct parley_disk *disk,
                                                           const struct parley_author *author,
                                                           struct parley_span record,
                                                           struct parley_problem *problem);
/* Keeps the number of commits outside of the database, so that a loss is noticed though the closing
 * never came. A millisecond; what fails is left. */
void parley_disk_note(const struct parley_disk *disk);
/* Seals what is as it should be. Closing twice is nothing. */
void parley_disk_close(struct parley_disk *disk);

#endif
