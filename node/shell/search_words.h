/* The words of folded text: what api_fold_has can find stands in one of them, or across several. */
#ifndef PARLEY_SHELL_SEARCH_WORDS_H
#define PARLEY_SHELL_SEARCH_WORDS_H

#include <parley/bytes.h>
#include <stdbool.h>

typedef void search_on_word(void *context, struct parley_span word);

/* Each run of letters, marks and numbers, whole. Where a script is written without spaces, each
 * letter and each two that stand together; with `fewest` the pairs alone, and a letter where it
 * stands alone: whatever has these has the others. */
void search_words_each(struct parley_span folded, bool fewest, search_on_word *on_word,
                       void *context);

#endif
