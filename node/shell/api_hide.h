/* What the owner's lists leave out of what is shown: README, "Muting and blocking". */
#ifndef PARLEY_SHELL_API_HIDE_H
#define PARLEY_SHELL_API_HIDE_H

#include "api_entry.h"

enum api_hiding {
    API_HIDES_NOTHING,
    API_HIDES_BLOCKED, /* the author is blocked */
    API_HIDES_MUTED,   /* the author is muted */
    API_HIDES_WORD,    /* it bears a muted word */
};

/* Which list hides the entry; an echo also for whom and what it passes on. word (may be NULL) is
 * the one, good until the node's next step. A post that is allowed is hidden by none. */
enum api_hiding api_hiding_of(const struct parley_node *node, const struct api_entry *entry,
                              struct parley_span *word);
/* Whether its words or tags bear a folded word. */
bool api_body_has(const struct parley_body *body, struct parley_span word);
/* On the list of posts that are shown all the same, or of an author on theirs. */
bool api_entry_is_allowed(const struct parley_node *node, const struct api_entry *entry);

/* The text as words are compared: compatibility forms and letter case are one, what is not seen is
 * left out. NULL: out of memory, or no UTF-8. Free with free. */
char *api_fold(struct parley_span text, size_t *size);
/* Whether folded text bears a folded word: as a whole where the script parts words by spaces. */
bool api_fold_has(struct parley_span text, struct parley_span word);

/* The letter that begins there, and how many bytes it has; 0: none does, and it is -1. */
size_t api_letter(int32_t *letter, struct parley_span text, size_t at);
/* Parts words: a space, a line end, a control character. */
bool api_letter_is_space(int32_t letter);
/* Of a script that writes words without spaces between them. */
bool api_letter_is_unspaced(int32_t letter);
/* Of any other: within a word. */
bool api_letter_is_of_word(int32_t letter);

#endif
