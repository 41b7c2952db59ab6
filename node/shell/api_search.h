/* Keeps the index of words (search.h) as the store is. On a person's node it is filled from when
 * somebody first reads there, so that it is whole before they search; on a relay, and in a command
 * without a node, from when the first asks it. A node that carries and is not read has none: its
 * memory, and all of the store that is mapped to make it, is several times what the node has. */
#ifndef PARLEY_SHELL_API_SEARCH_H
#define PARLEY_SHELL_API_SEARCH_H

#include "search.h"

struct parley_api;
struct api_search;

/* NULL: out of memory. */
struct api_search *api_search_create(struct parley_api *api);
/* Reads no more, once it is idle. */
void api_search_close(struct api_search *search);
bool api_search_is_idle(const struct api_search *search);
void api_search_free(struct api_search *search);

/* More than what came last is being read into it; *count of the posts that are in it. */
bool api_search_is_reading(const struct api_search *search, size_t *count);
/* To ask it: it is filled from now on. */
struct search *api_search_ask(struct api_search *search);
/* Somebody reads: what they ask next may be for words. */
void api_search_expect(struct api_search *search);
/* What was dropped at the owner's word. */
void api_search_forget(struct api_search *search, const struct parley_log *log, parley_seq low,
                       parley_seq high);
/* What was hidden when it came may be shown now: it is made anew. */
void api_search_renew(struct api_search *search);

#endif
