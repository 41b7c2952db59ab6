#include "api_filter.h"
#include "api_hide.h"
#include <stdio.h>
#include <stdlib.h>

void api_filter_init(struct api_filter *filter, const struct parley_host *host,
                     const struct parley_author *author, const char *tag) {
    *filter = (struct api_filter){0};
    filter->has_author = author != NULL;
    if (author != NULL)
        filter->author = *author;
    filter->is_everybody = parley_host_is_relay(host) || !parley_host_home(host)->has_author;
    snprintf(filter->tag, sizeof(filter->tag), "%s", tag != NULL ? tag : "");
}

static int compare_authors(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct parley_author));
}

bool api_wanted_init(struct api_wanted *wanted, const struct parley_host *host) {
    const struct parley_node *node = parley_host_node(host);
    const struct parley_home *home = parley_host_home(host);
    struct parley_node_author at;
    size_t count = 1;
    *wanted = (struct api_wanted){0};
    for (size_t i = 0; parley_node_author_at(node, i, &at); i++)
        count += at.is_wanted || at.is_followed;
    wanted->authors = calloc(count, sizeof(*wanted->authors));
    if (wanted->authors == NULL)
        return false;
    if (home->has_author)
        wanted->authors[wanted->count++] = home->author;
    for (size_t i = 0; parley_node_author_at(node, i, &at); i++)
        if (at.is_wanted || at.is_followed)
            wanted->authors[wanted->count++] = at.author;
    qsort(wanted->authors, wanted->count, sizeof(*wanted->authors), compare_authors);
    return true;
}

void api_wanted_clear(struct api_wanted *wanted) {
    free(wanted->authors);
    *wanted = (struct api_wanted){0};
}

bool api_filter_is_of(const struct api_filter *filter, const struct api_wanted *wanted,
                      const struct parley_author *author) {
    if (filter->has_author)
        return PARLEY_EQUAL(filter->author, *author);
    return filter->is_everybody || bsearch(author, wanted->authors, wanted->count, sizeof(*author),
                                           compare_authors) != NULL;
}

bool api_filter_shows(const struct api_filter *filter, const struct api_wanted *wanted,
                      const struct parley_node *node, const struct api_entry *entry) {
    if (!api_filter_is_of(filter, wanted, &entry->author))
        return false;
    enum api_hiding hiding = api_hiding_of(node, entry, NULL);
    /* Who is asked for by name is not left out for being muted. */
    if (hiding != API_HIDES_NOTHING && !(hiding == API_HIDES_MUTED && filter->has_author))
        return false;
    return api_entry_is_good(node, entry) && !api_entry_is_erased(node, entry);
}

bool api_filter_may_show(const struct parley_node *node, const struct api_entry *entry) {
    return api_hiding_of(node, entry, NULL) == API_HIDES_NOTHING &&
           api_entry_is_good(node, entry) && !api_entry_is_erased(node, entry);
}
