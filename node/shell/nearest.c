#include "nearest.h"
#include <string.h>

#define LETTERS_MAX 32u
#define CHANGES_MAX 2u

static size_t least(size_t a, size_t b, size_t c) {
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Levenshtein's distance, a row of his table at a time. */
static size_t distance(const char *a, const char *b) {
    size_t row[LETTERS_MAX + 1];
    size_t a_size = strlen(a), b_size = strlen(b);
    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_size];
}

const char *parley_nearest(const char *typed, parley_word_at *word_at) {
    const char *nearest = NULL, *word;
    size_t size = strlen(typed);
    size_t changes = CHANGES_MAX + 1;
    if (size > LETTERS_MAX)
        return NULL;
    for (size_t i = 0; (word = word_at(i)) != NULL; i++) {
        size_t count = strlen(word) > LETTERS_MAX ? changes : distance(typed, word);
        if (count >= changes || 2 * count >= size)
            continue;
        changes = count;
        nearest = word;
    }
    return nearest;
}
