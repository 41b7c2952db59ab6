#include "api_concern.h"
#include "api_hide.h"
#include "api_unread.h"
#include "search_internal.h"
#include "search_words.h"
#include <sodium.h>
#include <stdlib.h>

/* ---- marks -------------------------------------------------------------------------------- */

uint32_t search_mark(const struct search *search, enum mark_kind kind, struct parley_span bytes) {
    uint8_t hash[crypto_shorthash_BYTES];
    uint32_t mark;
    crypto_shorthash(hash, bytes.data, bytes.size, search->keys[kind]);
    memcpy(&mark, hash, sizeof mark);
    return mark;
}

static void mark(struct search *search, enum mark_kind kind, struct parley_span bytes) {
    if (search->marks_count == SEARCH_MARKS_MAX) {
        search->has_all = true;
        return;
    }
    search->marks[search->marks_count++] = search_mark(search, kind, bytes);
}

static void on_word(void *context, struct parley_span word) {
    mark(context, MARK_WORD, word);
}

static void mark_text(struct search *search, struct parley_span text) {
    size_t size;
    char *folded = text.size == 0 ? NULL : api_fold(text, &size);
    if (folded != NULL)
        search_words_each(PARLEY_SPAN(folded, size), false, on_word, search);
    else if (text.size != 0)
        search->has_all = true; /* for want of memory */
    free(folded);
}

static int compare_marks(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Each once. */
static void sort_marks(struct search *search) {
    size_t kept = 0;
    qsort(search->marks, search->marks_count, sizeof search->marks[0], compare_marks);
    for (size_t i = 0; i < search->marks_count; i++)
        if (kept == 0 || search->marks[i] != search->marks[kept - 1])
            search->marks[kept++] = search->marks[i];
    search->marks_count = kept;
}

/* False: it says nothing that is looked for. */
static bool mark_entry(struct search *search, const struct parley_author *author,
                       const struct parley_entry *entry) {
    static _Thread_local struct parley_body body; /* 7 KiB */
    search->marks_count = 0;
    search->has_all = false;
    if (!entry->has_body || entry->header.version != PARLEY_ENTRY_VERSION ||
        entry->header.ext_size != 0 || parley_body_decode(&body, entry->body).error != PARLEY_E_OK)
        return false;
    bool concerns = search->has_owner && api_concern_of(&body, author, &search->owner) != NULL;
    if (body.kind != PARLEY_BODY_POST && body.kind != PARLEY_BODY_ECHO && !concerns)
        return false;
    if (concerns)
        mark(search, MARK_CONCERN, PARLEY_NO_SPAN);
    mark(search, MARK_AUTHOR, PARLEY_SPAN_OF(*author));
    for (size_t i = 0; body.kind == PARLEY_BODY_POST && i < body.post.tags_count; i++) {
        mark(search, MARK_TAG, body.post.tags[i]);
        mark_text(search, body.post.tags[i]);
    }
    if (body.kind == PARLEY_BODY_POST)
        mark_text(search, body.post.warning);
    if (body.kind == PARLEY_BODY_POST)
        mark_text(search, body.post.text);
    if (body.kind == PARLEY_BODY_ECHO)
        mark_text(search, body.echo.comment);
    sort_marks(search);
    return true;
}

/* ---- rows --------------------------------------------------------------------------------- */

static void drop_all(struct search *search) {
    while (search->blocks != NULL) {
        struct block *next = search->blocks->next;
        free(search->blocks);
        search->blocks = next;
    }
    search->bytes = search->rows_count = 0;
    search->is_whole = search->is_full = false;
    search->unread = PARLEY_E_OK;
    search->floor = (struct parley_timeline_place){.time = UINT64_MAX};
}

static size_t row_size(size_t marks_count) {
    size_t size = sizeof(struct row) + marks_count * sizeof(uint32_t);
    return (size + _Alignof(struct row) - 1) / _Alignof(struct row) * _Alignof(struct row);
}

/* False: out of memory. */
static bool add_row(struct search *search, const struct parley_timeline_place *place) {
    size_t marks_count = search->has_all ? 0 : search->marks_count;
    size_t size = row_size(marks_count);
    _Static_assert(sizeof(struct row) + SEARCH_MARKS_MAX * sizeof(uint32_t) < BLOCK_BYTES,
                   "a row fits a block");
    if (search->blocks == NULL || search->blocks->used + size > BLOCK_BYTES) {
        struct block *block = malloc(sizeof *block);
        if (block == NULL)
            return false;
        block->next = search->blocks;
        block->used = 0;
        search->blocks = block;
    }
    struct row *row = (struct row *)(void *)(search->blocks->bytes + search->blocks->used);
    search->blocks->used += size;
    search->bytes += size;
    search->rows_count++;
    row->place = *place;
    row->marks_count = (uint32_t)marks_count;
    row->has_all = search->has_all;
    if (marks_count > 0)
        memcpy(row->marks, search->marks, marks_count * sizeof search->marks[0]);
    return true;
}

struct row *search_next_row(const struct block *block, size_t *at) {
    if (*at >= block->used)
        return NULL;
    struct row *row = (struct row *)(void *)((uint8_t *)(uintptr_t)block->bytes + *at);
    *at += row_size(row->marks_count);
    return row;
}

/* ---- filling it --------------------------------------------------------------------------- */

/* Down from the floor, which goes down with it. */
static bool on_older(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received_ms) {
    struct search *search = context;
    (void)received_ms;
    if (mark_entry(search, &log->author, entry) && !add_row(search, place))
        search->is_full = true;
    else
        search->floor = *place;
    if (search->bytes >= search->bytes_max / 4 * 3)
        search->is_full = true;
    return --search->turn > 0 && !search->is_full;
}

/* What is below the floor will be met there. */
static bool on_noted(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received_ms) {
    struct search *search = context;
    (void)received_ms;
    if (search_place_compare(place, &search->floor) >= 0 &&
        mark_entry(search, &log->author, entry) && !add_row(search, place))
        search->turn = 1;
    return --search->turn > 0;
}

/* The part of the first run that fits the turn. False: none is left, or too many were: then it is
 * made anew. */
static bool take_run(struct search *search, struct run *run) {
    uv_mutex_lock(&search->runs_lock);
    bool is_lost = search->is_lost, is_any = search->runs_count > 0;
    search->is_lost = false;
    if (is_any) {
        struct run *first = &search->runs[search->runs_first];
        *run = *first;
        if (run->high - run->low >= search->turn)
            run->high = run->low + search->turn - 1;
        first->low = run->high + 1;
        if (first->low > first->high) {
            search->runs_first = (search->runs_first + 1) % SEARCH_RUNS_MAX;
            search->runs_count--;
        }
    }
    uv_mutex_unlock(&search->runs_lock);
    if (is_lost)
        drop_all(search);
    return is_any;
}

static bool has_runs(struct search *search) {
    uv_mutex_lock(&search->runs_lock);
    bool has = search->runs_count > 0;
    uv_mutex_unlock(&search->runs_lock);
    return has;
}

/* What is damaged is passed over, entry by entry: the run is of one turn at most. A run that is no
 * more there is none. */
static void read_run(struct search *search, struct parley_store *store, const struct run *run) {
    enum parley_error error =
        parley_store_entries(store, &run->log, run->low, run->high, on_noted, search);
    if (!api_is_unread(error))
        return;
    api_unread_keep(&search->unread, error);
    for (parley_seq seq = run->low; error == PARLEY_E_STORE_DAMAGED && seq <= run->high; seq++) {
        search->turn += search->turn == 0; /* those that were met before are met again */
        (void)!parley_store_entries(store, &run->log, seq, seq, on_noted, search);
    }
}

/* A store that fails now leaves its posts to the next start. */
void search_read_noted(struct search *search, struct parley_store *store) {
    struct run run;
    search->turn = SEARCH_TURN_ENTRIES;
    while (search->turn > 0 && take_run(search, &run))
        read_run(search, store, &run);
    if (search->bytes >= search->bytes_max)
        drop_all(search);
}

static bool read_older(struct search *search, struct parley_store *store) {
    const struct parley_timeline_place floor = search->floor;
    search->turn = SEARCH_TURN_ENTRIES;
    enum parley_error error = parley_store_timeline(store, floor.time == UINT64_MAX ? NULL : &floor,
                                                    NULL, on_older, search);
    bool has_walked = error == PARLEY_E_OK || error == PARLEY_E_STORE_DAMAGED;
    if (has_walked) /* else it is read again from the floor on */
        api_unread_keep(&search->unread, error);
    if (has_walked && search->turn > 0 && !search->is_full) {
        search->is_whole = true;
        search->floor = (struct parley_timeline_place){0};
    }
    return has_walked && !search->is_whole && !search->is_full;
}

void search_unlock(struct search *search) {
    uv_mutex_lock(&search->runs_lock);
    search->counts =
        (struct search_counts){search->rows_count, search->bytes, search->is_whole, search->unread};
    uv_mutex_unlock(&search->runs_lock);
    uv_mutex_unlock(&search->lock);
}

bool search_fill(struct search *search, struct parley_store *store) {
    uv_mutex_lock(&search->lock);
    search_read_noted(search, store);
    bool goes_on = has_runs(search);
    if (!goes_on && !search->is_whole && !search->is_full)
        goes_on = read_older(search, store);
    search_unlock(search);
    return goes_on;
}

void search_note(struct search *search, const struct parley_log *log, parley_seq low,
                 parley_seq high) {
    uv_mutex_lock(&search->runs_lock);
    if (search->runs_count == SEARCH_RUNS_MAX) {
        search->runs_count = 0;
        search->is_lost = true;
    }
    search->runs[(search->runs_first + search->runs_count++) % SEARCH_RUNS_MAX] =
        (struct run){*log, low, high};
    uv_mutex_unlock(&search->runs_lock);
}

void search_renew(struct search *search) {
    uv_mutex_lock(&search->runs_lock);
    search->is_lost = true;
    uv_mutex_unlock(&search->runs_lock);
}

void search_forget(struct search *search, const struct parley_log *log, parley_seq low,
                   parley_seq high) {
    uv_mutex_lock(&search->lock);
    for (const struct block *block = search->blocks; block != NULL; block = block->next) {
        size_t at = 0;
        for (struct row *row; (row = search_next_row(block, &at)) != NULL;)
            if (row->place.seq >= low && row->place.seq <= high &&
                PARLEY_EQUAL(row->place.log, *log)) {
                memset(row->marks, 0, row->marks_count * sizeof row->marks[0]);
                row->has_all = false;
            }
    }
    search_unlock(search);
}

/* ---- the whole ---------------------------------------------------------------------------- */

struct search *search_create(const struct parley_author *owner, size_t bytes_max) {
    struct search *search = calloc(1, sizeof *search);
    if (search == NULL)
        return NULL;
    randombytes_buf(search->keys, sizeof search->keys);
    search->has_owner = owner != NULL;
    if (owner != NULL)
        search->owner = *owner;
    search->bytes_max = bytes_max;
    if (uv_mutex_init(&search->lock) != 0 || uv_mutex_init(&search->runs_lock) != 0)
        abort(); /* without memory for a lock nothing goes */
    drop_all(search);
    return search;
}

void search_free(struct search *search) {
    if (search == NULL)
        return;
    drop_all(search);
    uv_mutex_destroy(&search->lock);
    uv_mutex_destroy(&search->runs_lock);
    free(search);
}

/* Without the lock, which is held for a portion at a time: the loop asks. */
struct search_counts search_counts(struct search *search) {
    uv_mutex_lock(&search->runs_lock);
    struct search_counts counts = search->counts;
    uv_mutex_unlock(&search->runs_lock);
    return counts;
}
