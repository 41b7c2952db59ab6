/* Reading: the timeline, what concerns the owner, and what bears some words.
 *
 * A page is gathered in turns: a worker copies a few listed entries out of the store, the loop
 * keeps those that the filter shows, until the page is full or the store is at its end. Of words,
 * tags and concerns an index in memory says which entries may be meant (search.h). Below its floor
 * everything held is looked through, newest first, so many entries a request; then the page ends
 * short, and `next` goes on.
 */
#include "api_concern.h"
#include "api_filter.h"
#include "api_hide.h"
#include "api_job.h"
#include "api_search.h"
#include "api_unread.h"
#include "api_view.h"
#include <stdio.h>
#include <stdlib.h>

#define PAGE_POSTS_DEFAULT 50u
#define PAGE_POSTS_MAX     1000u
#define PAGE_BYTES_MAX     (2u * 1024u * 1024u) /* of bodies: a page of long articles is shorter */
#define TURN_ENTRIES_MAX   20000u               /* looked at in one turn of a worker */
#define LOOKED_MAX         60000u /* for words and concerns in one request: a second, about */
#define WORDS_MAX          16u
#define WORDS_BYTES_MAX    512u

enum selecting { SELECTS_LISTED, SELECTS_CONCERNS, SELECTS_WORDS };

struct page {
    struct api_filter filter;
    enum selecting selects;
    struct parley_author owner; /* of SELECTS_CONCERNS */
    char *folded;               /* of SELECTS_WORDS: what the words lie in */
    struct parley_span words[WORDS_MAX];
    size_t words_count;
    struct search *search; /* NULL: it is of no use here, or no more */
    struct search_asked asked;
    bool shows_hidden; /* what is hidden stands there without its words */
    bool has_before;
    struct parley_timeline_place before; /* goes down with each turn */
    size_t posts_max;
    json_t *posts;
    size_t bytes;
    bool is_full;
    /* of one turn */
    struct api_wanted wanted;
    struct api_entries found;
    struct api_view view;
    size_t looked_count, looked_all;
    size_t found_bytes;
    bool is_at_end;
    bool is_out_of_memory;
    enum parley_error unread; /* of all turns (api_unread.h) */
};

static void free_page(void *state) {
    struct page *page = state;
    json_decref(page->posts);
    api_wanted_clear(&page->wanted);
    api_view_clear(&page->view);
    api_entries_clear(&page->found);
    free(page->folded);
    free(page);
}

/* ---- one turn ----------------------------------------------------------------------------- */

/* An entry whose body is gone may have been a post. */
static bool is_hollow(const struct page *page, const struct parley_entry *entry) {
    return page->shows_hidden && !entry->has_body && page->filter.tag[0] == '\0';
}

static bool is_selected(const struct page *page, const struct parley_store_log *log,
                        const struct parley_entry *entry) {
    static _Thread_local struct parley_body body; /* 7 KiB */
    const char *tag = page->filter.tag[0] != '\0' ? page->filter.tag : NULL;
    /* A turn ends with as many as fit the page: not with those of strangers, who may be most. */
    if (page->selects == SELECTS_LISTED)
        return api_filter_is_of(&page->filter, &page->wanted, &log->author) &&
               (api_entry_is_listed(entry, tag) || is_hollow(page, entry));
    if (!entry->has_body || entry->header.version != PARLEY_ENTRY_VERSION ||
        entry->header.ext_size != 0 || parley_body_decode(&body, entry->body).error != PARLEY_E_OK)
        return false;
    if (page->selects == SELECTS_CONCERNS)
        return api_concern_of(&body, &log->author, &page->owner) != NULL;
    for (size_t i = 0; i < page->words_count; i++)
        if (!api_body_has(&body, page->words[i]))
            return false;
    return true;
}

static bool on_entry(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received) {
    struct page *page = context;
    page->before = *place;
    page->has_before = true;
    page->looked_count++;
    if (is_selected(page, log, entry)) {
        if (!api_entries_add(&page->found, api_entry_copy(log, entry, place, received))) {
            page->is_out_of_memory = true;
            return false;
        }
        page->found_bytes += entry->has_body ? entry->body.size : 0;
    }
    page->is_at_end =
        !(page->looked_count >= TURN_ENTRIES_MAX || page->found.count >= page->posts_max ||
          page->found_bytes >= PAGE_BYTES_MAX);
    return page->is_at_end;
}

static enum parley_error read_all(struct page *page, struct parley_store *store) {
    const struct parley_timeline_place before = page->before;
    page->is_at_end = true;
    return parley_store_timeline(store, page->has_before ? &before : NULL,
                                 page->filter.has_author ? &page->filter.author : NULL, on_entry,
                                 page);
}

/* From where the index ends on, everything is looked at. */
static void go_below(struct page *page, const struct parley_timeline_place *floor) {
    page->search = NULL;
    if (floor->time == UINT64_MAX ||
        (page->has_before && search_place_compare(&page->before, floor) <= 0))
        return;
    page->before = *floor;
    page->has_before = true;
}

/* As long as the index grows it is what is read on: once for all who ask, and a portion a turn, so
 * that a thread is soon free for others. False: it does not, for want of room or because of the
 * store. */
static bool fill_index(struct page *page, struct parley_store *store) {
    page->looked_count += SEARCH_TURN_ENTRIES;
    return search_fill(page->search, store) || search_counts(page->search).is_whole;
}

static enum parley_error read_indexed(struct page *page, struct parley_store *store) {
    struct parley_timeline_place places[SEARCH_FOUND_ROOM];
    size_t count;
    bool is_whole;
    enum parley_error unread = PARLEY_E_OK;
    const struct parley_timeline_place floor =
        search_find(page->search, store, &page->asked, page->has_before ? &page->before : NULL,
                    places, &count, &is_whole, &unread);
    page->is_at_end = true;
    for (size_t i = 0; i < count && page->is_at_end; i++) {
        page->before = places[i]; /* whether it is here still or not */
        page->has_before = true;
        api_unread_keep(&unread, parley_store_entries(store, &places[i].log, places[i].seq,
                                                      places[i].seq, on_entry, page));
    }
    if (!page->is_at_end || (count < SEARCH_FOUND_MAX && is_whole))
        return unread;
    page->is_at_end = false;
    if (count < SEARCH_FOUND_MAX && !fill_index(page, store))
        go_below(page, &floor);
    return unread;
}

static void read_turn(struct api_job *job, struct parley_store *store) {
    struct page *page = job->state;
    page->looked_count = page->found_bytes = 0;
    enum parley_error error =
        page->search != NULL ? read_indexed(page, store) : read_all(page, store);
    if (error == PARLEY_E_NO_MEMORY || !api_view_read(&page->view, store, &page->found))
        page->is_out_of_memory = true;
    api_unread_keep(&page->unread, error);
    api_unread_keep(&page->unread, page->view.unread);
}

static bool is_shown(const struct page *page, const struct parley_node *node,
                     const struct api_entry *entry) {
    if (page->selects != SELECTS_LISTED)
        return api_filter_may_show(node, entry);
    return page->shows_hidden || api_filter_shows(&page->filter, &page->wanted, node, entry);
}

static json_t *json_of(const struct page *page, const struct api_entry *entry) {
    json_t *json = api_entry_json(entry, &page->view);
    if (json != NULL && page->selects == SELECTS_CONCERNS)
        json_object_set_new(json, "concerns", json_string(api_entry_concern(entry, &page->owner)));
    return json;
}

/* False: out of memory. */
static bool add_posts(struct api_job *job) {
    struct page *page = job->state;
    const struct parley_node *node = parley_host_node(job->api->host);
    bool done = api_view_finish(&page->view, node, &page->found);
    for (size_t i = 0; done && i < page->found.count && !page->is_full; i++) {
        const struct api_entry *entry = page->found.items[i];
        if (!is_shown(page, node, entry))
            continue;
        done = json_array_append_new(page->posts, json_of(page, entry)) == 0;
        page->bytes += entry->body_size;
        page->before = entry->place;
        page->is_full =
            json_array_size(page->posts) >= page->posts_max || page->bytes >= PAGE_BYTES_MAX;
    }
    return done;
}

static void answer_page(struct api_job *job) {
    struct page *page = job->state;
    char next[API_PLACE_TEXT_SIZE];
    api_place_encode(next, &page->before);
    json_t *json = json_object();
    json_object_set(json, "posts", page->posts);
    json_object_set_new(json, "next", page->is_full ? json_string(next) : json_null());
    json_object_set_new(json, "problem", api_unread_json(page->unread));
    api_search_expect(job->api->search); /* before the answer: an API that closes goes with it */
    api_answer_json(job, 200, json);
}

static void begin_turn(struct api_job *job);

static void on_turn(struct api_job *job) {
    struct page *page = job->state;
    const struct parley_timeline_place looked_at = page->before;
    bool done = !page->is_out_of_memory && add_posts(job);
    api_wanted_clear(&page->wanted);
    if (!done) {
        api_no_memory(job);
        return;
    }
    page->looked_all += page->looked_count;
    bool is_gone = job->is_gone != NULL && *job->is_gone;
    bool is_long = is_gone || (page->selects != SELECTS_LISTED && page->looked_all >= LOOKED_MAX);
    if (!page->is_full && !page->is_at_end) {
        page->before = looked_at;
        page->is_full = is_long;
    }
    if (page->is_full || page->is_at_end) {
        if (page->unread != PARLEY_E_OK && !page->is_full && json_array_size(page->posts) == 0)
            api_unread_refuse(job, page->unread);
        else
            answer_page(job);
        return;
    }
    api_view_clear(&page->view);
    api_entries_clear(&page->found);
    begin_turn(job);
}

static void begin_turn(struct api_job *job) {
    struct page *page = job->state;
    if (api_wanted_init(&page->wanted, job->api->host))
        api_read(job, read_turn, on_turn);
    else
        api_no_memory(job);
}

/* ---- the timeline ------------------------------------------------------------------------- */

void api_names_timeline(struct api_job *job) {
    const char *author = api_parameter(job, "author");
    const char *before = api_parameter(job, "before");
    const char *tag = api_parameter(job, "tag");
    struct parley_timeline_place place;
    if (tag != NULL && (tag[0] == '\0' || strlen(tag) > PARLEY_TAG_BYTES_MAX)) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "tag", "tag must have 1 to %u bytes",
                   PARLEY_TAG_BYTES_MAX);
        return;
    }
    if (author != NULL && !api_name_add(job, API_AUTHOR, "author", author))
        return;
    if (before != NULL && before[0] != '\0' && strspn(before, "-.0123456789") == strlen(before) &&
        !api_place_decode(&place, before)) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "before",
                   "before must be a post, or a time in whole milliseconds since 1970 of at most "
                   "16 digits");
        return;
    }
    if (before != NULL && !api_place_decode(&place, before) &&
        !api_name_add(job, API_POST, "before", before))
        return;
    api_names_find(job);
}

static const struct api_name *find_name(const struct api_job *job, enum api_name_kind kind) {
    for (size_t i = 0; i < job->names_count; i++)
        if (job->names[i].kind == kind)
            return &job->names[i];
    return NULL;
}

/* "1" and "0"; false: the job was refused. */
static bool read_switch(struct api_job *job, const char *name, bool *value) {
    uint64_t number = 0;
    if (!api_parameter_number(job, name, &number, 0, 1))
        return false;
    *value = number == 1;
    return true;
}

/* NULL: the job was refused. */
static struct page *take_page(struct api_job *job) {
    const struct api_name *author = find_name(job, API_AUTHOR);
    const struct api_name *before = find_name(job, API_POST);
    const struct parley_home *home = parley_host_home(job->api->host);
    const char *before_text = api_parameter(job, "before");
    uint64_t limit = PAGE_POSTS_DEFAULT;
    bool is_detailed, shows_hidden;
    if (!api_parameter_number(job, "limit", &limit, 1, PAGE_POSTS_MAX) ||
        !read_switch(job, "details", &is_detailed) || !read_switch(job, "hidden", &shows_hidden))
        return NULL;
    struct page *page = calloc(1, sizeof(*page));
    if (page == NULL) {
        api_no_memory(job);
        return NULL;
    }
    job->state = page;
    job->free_state = free_page;
    page->posts = json_array();
    page->posts_max = (size_t)limit;
    page->shows_hidden = page->view.hides = shows_hidden;
    page->view.is_detailed = is_detailed;
    page->view.has_owner = home->has_author;
    page->view.owner = page->owner = home->author;
    api_filter_init(&page->filter, job->api->host, author != NULL ? &author->author : NULL,
                    api_parameter(job, "tag"));
    page->has_before = before_text != NULL;
    if (before != NULL)
        page->before = before->entry->place;
    else if (before_text != NULL)
        (void)api_place_decode(&page->before, before_text);
    return page;
}

/* What was asked of the index, it answers; and of an author alone the store has an order. */
static void use_index(struct api_job *job, struct page *page) {
    page->search = api_search_ask(job->api->search);
    if (page->filter.has_author)
        search_ask_author(page->search, &page->asked, &page->filter.author);
}

void api_run_timeline(struct api_job *job) {
    struct page *page = take_page(job);
    if (page == NULL)
        return;
    const char *tag = page->filter.tag;
    if (tag[0] != '\0') {
        use_index(job, page);
        search_ask_tag(page->search, &page->asked, PARLEY_SPAN(tag, strlen(tag)));
    }
    begin_turn(job);
}

void api_run_notifications(struct api_job *job) {
    struct page *page = take_page(job);
    if (page == NULL)
        return;
    if (!page->view.has_owner) {
        api_refuse(job, PARLEY_E_NO_IDENTITY, NULL, "%s", parley_strerror(PARLEY_E_NO_IDENTITY));
        return;
    }
    page->selects = SELECTS_CONCERNS;
    use_index(job, page);
    search_ask_concern(page->search, &page->asked);
    begin_turn(job);
}

/* False: no word, or too many. */
static bool split_words(struct page *page, size_t size) {
    for (size_t at = 0; at < size;) {
        size_t end = at;
        while (end < size && page->folded[end] != ' ')
            end++;
        if (end > at && page->words_count == WORDS_MAX)
            return false;
        if (end > at)
            page->words[page->words_count++] = PARLEY_SPAN(page->folded + at, end - at);
        at = end + 1;
    }
    return page->words_count > 0;
}

static void read_words(struct api_job *job, struct page *page) {
    bool has_letters = false;
    use_index(job, page);
    for (size_t i = 0; i < page->words_count; i++)
        has_letters |= search_ask_word(page->search, &page->asked, page->words[i]);
    if (!has_letters)
        page->search = NULL; /* signs alone: any post may have them */
    begin_turn(job);
}

void api_run_search(struct api_job *job) {
    const char *text = api_parameter(job, "q");
    size_t size = text != NULL ? strlen(text) : 0;
    if (size == 0 || size > WORDS_BYTES_MAX) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "q", "q must have 1 to %u bytes", WORDS_BYTES_MAX);
        return;
    }
    struct page *page = take_page(job);
    if (page == NULL)
        return;
    page->selects = SELECTS_WORDS;
    page->folded = api_fold(PARLEY_SPAN(text, size), &size);
    if (page->folded == NULL || !split_words(page, size))
        api_refuse(job, PARLEY_E_BAD_INPUT, "q", "q must have 1 to %u words", WORDS_MAX);
    else
        read_words(job, page);
}
