/* The index of words within: rows in blocks, and what of the store waits to be read. */
#ifndef PARLEY_SHELL_SEARCH_INTERNAL_H
#define PARLEY_SHELL_SEARCH_INTERNAL_H

#include "search.h"
#include <sodium.h>
#include <uv.h>

#define BLOCK_BYTES (1024u * 1024u)

/* What a mark is of; each has a key of its own. */
enum mark_kind { MARK_WORD, MARK_TAG, MARK_AUTHOR, MARK_CONCERN, MARK_KINDS };

struct row {
    struct parley_timeline_place place;
    uint32_t marks_count; /* ascending, each once */
    bool has_all;         /* more words than have a place: it may bear anything */
    uint32_t marks[];
};

struct block {
    struct block *next;
    size_t used;
    _Alignas(struct row) uint8_t bytes[BLOCK_BYTES];
};

struct run {
    struct parley_log log;
    parley_seq low, high;
};

struct search {
    uint8_t keys[MARK_KINDS][crypto_shorthash_KEYBYTES];
    bool has_owner;
    struct parley_author owner;
    size_t bytes_max;

    uv_mutex_t lock; /* of all that follows */
    struct block *blocks;
    size_t bytes, rows_count;
    struct parley_timeline_place floor;
    bool is_whole; /* the floor is the ground */
    bool is_full;  /* it goes no further down */
    enum parley_error unread;
    size_t turn; /* entries that may still be read in this one */
    uint32_t marks[SEARCH_MARKS_MAX];
    size_t marks_count;
    bool has_all;

    uv_mutex_t runs_lock; /* of these: held for moments */
    struct run runs[SEARCH_RUNS_MAX];
    size_t runs_first, runs_count;
    bool is_lost;
    struct search_counts counts; /* as the lock was let go last */
};

uint32_t search_mark(const struct search *search, enum mark_kind kind, struct parley_span bytes);
/* NULL: it was the last of the block. *at begins at 0. */
struct row *search_next_row(const struct block *block, size_t *at);
/* Lets the lock go, and says what there is now. */
void search_unlock(struct search *search);
/* With the lock held: a turn of what was noted. */
void search_read_noted(struct search *search, struct parley_store *store);

#endif
