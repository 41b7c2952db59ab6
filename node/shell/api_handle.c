#include "api_handle.h"
#include <parley/text.h>
#include <stdio.h>
#include <stdlib.h>

/* "parley1" and nine letters: 45 bits, enough among all whom one node holds. */
#define BEGINNING_SIZE 16u

static int compare_authors(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct parley_author));
}

static int compare_logs(const void *a, const void *b) {
    const struct handle_log *left = a, *right = b;
    int order = PARLEY_COMPARE(left->author, right->author);
    return order != 0 ? order : PARLEY_COMPARE(left->log, right->log);
}

static bool add_log(struct api_handles *handles, size_t *room, const struct parley_node_log *log) {
    if (handles->count == *room) {
        *room = 2 * *room + 16;
        struct handle_log *grown = realloc(handles->logs, *room * sizeof(*grown));
        if (grown == NULL)
            return false;
        handles->logs = grown;
    }
    handles->logs[handles->count++] = (struct handle_log){log->author, log->log};
    return true;
}

bool api_handles_init(struct api_handles *handles, const struct parley_node *node,
                      struct api_entry *const *entries, size_t entries_count) {
    struct parley_node_log log;
    size_t room = 0;
    bool done = true;
    *handles = (struct api_handles){0};
    struct parley_author *authors = calloc(entries_count + 1, sizeof(*authors));
    if (authors == NULL)
        return false;
    for (size_t i = 0; i < entries_count; i++)
        authors[i] = entries[i]->author;
    qsort(authors, entries_count, sizeof(*authors), compare_authors);
    for (size_t i = 0; done && entries_count > 0 && parley_node_log_at(node, i, &log); i++)
        if (log.ranges.count > 0 &&
            bsearch(&log.author, authors, entries_count, sizeof(*authors), compare_authors) != NULL)
            done = add_log(handles, &room, &log);
    free(authors);
    if (handles->count > 0)
        qsort(handles->logs, handles->count, sizeof(*handles->logs), compare_logs);
    return done;
}

void api_handles_clear(struct api_handles *handles) {
    free(handles->logs);
    *handles = (struct api_handles){0};
}

void api_handle_text(char text[API_HANDLE_SIZE], const struct api_handles *handles,
                     const struct api_entry *entry) {
    char author[PARLEY_AUTHOR_TEXT_SIZE];
    size_t count = 0, number = 0;
    for (size_t i = 0; i < handles->count; i++) {
        if (!PARLEY_EQUAL(handles->logs[i].author, entry->author))
            continue;
        count++;
        if (PARLEY_EQUAL(handles->logs[i].log, entry->log))
            number = count;
    }
    parley_author_encode(author, &entry->author);
    author[BEGINNING_SIZE] = '\0';
    if (count > 1)
        snprintf(text, API_HANDLE_SIZE, "%s/%zu/%llu", author, number,
                 (unsigned long long)entry->seq);
    else
        snprintf(text, API_HANDLE_SIZE, "%s/%llu", author, (unsigned long long)entry->seq);
}
