/* "Did you mean": the word of a list that is nearest to what somebody typed. */
#ifndef PARLEY_NEAREST_H
#define PARLEY_NEAREST_H

#include <stddef.h>

/* Word number index of a list; NULL past the last. */
typedef const char *parley_word_at(size_t index);

/* The word with the fewest letters inserted, left out or changed, if that is at most two and fewer
 * than half of what was typed; else NULL. Words of more than 32 letters are near to none. */
const char *parley_nearest(const char *typed, parley_word_at *word_at);

#endif
