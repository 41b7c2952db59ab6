/* What the page shows around an entry beyond the entry itself: what it answers, quotes or votes
 * for, and what others say of it. Read on a worker, written as JSON on the loop. */
#ifndef PARLEY_SHELL_API_DETAILS_H
#define PARLEY_SHELL_API_DETAILS_H

#include "api_view.h"
#include "api_votes.h"

/* Counted to so many; more is "at least". Each costs the store two reads, and a page has fifty
 * posts. */
#define API_DETAILS_COUNT_MAX 100u

struct api_details {
    struct api_entry *about;  /* what a reply answers, a vote is for; NULL: nothing, or not here */
    struct api_entry *quoted; /* NULL: nothing, or not here */
    struct api_votes votes;
    bool is_root; /* of a thread: its answers are counted */
    size_t replies_count, echoes_count;
    /* Which of them lack, or are of a part; and why (api_unread.h). */
    bool is_about_unread, is_quoted_unread, is_replies_unread, is_echoes_unread;
    enum parley_error unread;
};

/* On a worker. NULL: out of memory. */
struct api_details *api_details_read(struct parley_store *store, const struct api_entry *entry);
void api_details_free(struct api_details *details);
/* Everybody whose name stands around the entry. False: out of memory. */
bool api_details_add_people(struct api_people *people, const struct api_entry *entry);
/* Adds "reply_to_author", "quote_author", "names" (of whom the entry names, by their authors),
 * "about", "quoted", "votes", "replies" and "echoes" (null: not counted, or not to be read). */
void api_details_set(json_t *json, const struct api_entry *entry, const struct api_view *view);

#endif
