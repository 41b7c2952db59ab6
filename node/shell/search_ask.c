/* Asking the index of words. */
#include "api_unread.h"
#include "search_internal.h"
#include "search_words.h"
#include <stdlib.h>

int search_place_compare(const struct parley_timeline_place *a,
                         const struct parley_timeline_place *b) {
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    int order = PARLEY_COMPARE(a->log, b->log);
    return order != 0 ? order : (a->seq > b->seq) - (a->seq < b->seq);
}

static void ask_of(const struct search *search, struct search_asked *asked, enum mark_kind kind,
                   struct parley_span bytes) {
    if (asked->count < SEARCH_ASKED_MAX)
        asked->marks[asked->count++] = search_mark(search, kind, bytes);
}

struct asking {
    const struct search *search;
    struct search_asked *asked;
};

static void ask(void *context, struct parley_span word) {
    const struct asking *asking = context;
    ask_of(asking->search, asking->asked, MARK_WORD, word);
}

bool search_ask_word(const struct search *search, struct search_asked *asked,
                     struct parley_span folded) {
    struct asking asking = {search, asked};
    size_t before = asked->count;
    search_words_each(folded, true, ask, &asking);
    return asked->count > before;
}

void search_ask_tag(const struct search *search, struct search_asked *asked,
                    struct parley_span tag) {
    ask_of(search, asked, MARK_TAG, tag);
}

void search_ask_author(const struct search *search, struct search_asked *asked,
                       const struct parley_author *author) {
    ask_of(search, asked, MARK_AUTHOR, PARLEY_SPAN_OF(*author));
}

void search_ask_concern(const struct search *search, struct search_asked *asked) {
    ask_of(search, asked, MARK_CONCERN, PARLEY_NO_SPAN);
}

/* Both are sorted but for what was asked, which is little. */
static bool bears(const struct row *row, const struct search_asked *asked) {
    if (row->has_all)
        return true;
    for (size_t i = 0; i < asked->count; i++) {
        size_t low = 0, high = row->marks_count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (row->marks[middle] < asked->marks[i])
                low = middle + 1;
            else
                high = middle;
        }
        if (low == row->marks_count || row->marks[low] != asked->marks[i])
            return false;
    }
    return true;
}

static int compare_newest_first(const void *a, const void *b) {
    return search_place_compare(b, a);
}

/* The newest of what was gathered, each once: a post that was noted twice has two rows. */
static size_t keep_newest(struct parley_timeline_place *places, size_t count, size_t places_max) {
    size_t kept = 0;
    qsort(places, count, sizeof places[0], compare_newest_first);
    for (size_t i = 0; i < count && kept < places_max; i++)
        if (kept == 0 || search_place_compare(&places[i], &places[kept - 1]) != 0)
            places[kept++] = places[i];
    return kept;
}

struct parley_timeline_place search_find(struct search *search, struct parley_store *store,
                                         const struct search_asked *asked,
                                         const struct parley_timeline_place *before,
                                         struct parley_timeline_place places[SEARCH_FOUND_ROOM],
                                         size_t *count, bool *is_whole, enum parley_error *unread) {
    size_t gathered = 0;
    const struct parley_timeline_place *lowest = NULL; /* of as many as are wanted */
    uv_mutex_lock(&search->lock);
    search_read_noted(search, store);
    for (const struct block *block = search->blocks; block != NULL; block = block->next) {
        size_t at = 0;
        for (const struct row *row; (row = search_next_row(block, &at)) != NULL;) {
            if ((before != NULL && search_place_compare(&row->place, before) >= 0) ||
                (lowest != NULL && search_place_compare(&row->place, lowest) <= 0) ||
                !bears(row, asked))
                continue;
            places[gathered++] = row->place;
            if (gathered < SEARCH_FOUND_ROOM)
                continue;
            gathered = keep_newest(places, gathered, SEARCH_FOUND_MAX);
            lowest = gathered == SEARCH_FOUND_MAX ? &places[SEARCH_FOUND_MAX - 1] : NULL;
        }
    }
    *count = keep_newest(places, gathered, SEARCH_FOUND_MAX);
    *is_whole = search->is_whole;
    api_unread_keep(unread, search->unread);
    struct parley_timeline_place floor = search->floor;
    search_unlock(search);
    return floor;
}
