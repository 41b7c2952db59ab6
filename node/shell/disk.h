/* The database of a home as one thing: the engine's handle and the store over it. */
#ifndef PARLEY_DISK_H
#define PARLEY_DISK_H

#include "problem.h"
#include <parley/store.h>

struct parley_disk {
    struct parley_kv *kv;
    struct parley_store *store; /* NULL: closed */
};

/* Opens the database in the directory. create: a new one, in a directory that is not there yet;
 * else a missing one is STORE_MISSING and nothing is made. Errors: those of parley_store_open. */
PARLEY_USE_RESULT enum parley_error parley_disk_open(struct parley_disk *disk,
                                                     const char *directory, bool create,
                                                     struct parley_problem *problem);
/* Stores an identity record of an author, synced; one that is there already is fine. Errors: those
 * of parley_store_commit. */
PARLEY_USE_RESULT enum parley_error parley_disk_put_record(struct parley_disk *disk,
                                                           const struct parley_author *author,
                                                           struct parley_span record,
                                                           struct parley_problem *problem);
/* Closing twice is nothing. */
void parley_disk_close(struct parley_disk *disk);

#endif
