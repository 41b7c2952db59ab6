/* The check of the store in words that a program reads. */
#ifndef PARLEY_SHELL_API_STORE_H
#define PARLEY_SHELL_API_STORE_H

#include <jansson.h>
#include <parley/store.h>

/* Entries and rows that one page of a check looks at: a fraction of a second. */
#define PARLEY_API_CHECK_WORK 50000u

/* {"damage", "words", "row", "author", "log", "seq_low", "seq_high"}; null what is not known. NULL:
 * out of memory. */
json_t *parley_api_damage(const struct parley_damage *damage);

#endif
