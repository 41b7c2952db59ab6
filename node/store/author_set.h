/* The identity records of one author, from their rows: what check and repair judge entries by. */
#ifndef PARLEY_STORE_AUTHOR_SET_H
#define PARLEY_STORE_AUTHOR_SET_H

#include "kv.h"
#include "layout.h"
#include <parley/identity.h>

/* 160 KiB: allocate it. */
struct author_set {
    struct parley_identity set;
    struct parley_identity_fact facts[PARLEY_SET_RECORDS_MAX];
    struct parley_listing listings[PARLEY_ROTATION_ITEMS_MAX];
    uint64_t records_count;
};

/* A row whose record is not what its key says, does not decode, or is not signed as it must be. */
typedef void author_set_on_bad(void *context, struct parley_span key);

/* Fills the set from the rows of the author. With verify the signatures are checked, 100 us each;
 * without, the hash in the key is believed to have been. on_bad may be NULL. Answers the engine's
 * error. */
PARLEY_USE_RESULT enum parley_error author_set_load(struct author_set *set, struct parley_kv *kv,
                                                    const void *view,
                                                    const struct parley_author *author, bool verify,
                                                    author_set_on_bad *on_bad, void *context);

#endif
