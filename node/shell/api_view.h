/* What stands around a page of entries when people see it: short handles, the names that authors
 * give themselves, what echoes pass on.
 *
 *   worker: api_view_read(view, entries)     loop: api_view_finish(view, node, entries), JSON
 */
#ifndef PARLEY_SHELL_API_VIEW_H
#define PARLEY_SHELL_API_VIEW_H

#include "api_handle.h"

/* Profiles of some people. Whether a profile counts is asked on the loop, so a few of the newest
 * are kept of each. */
#define API_PROFILES_MAX 4u
struct api_people {
    struct api_person {
        struct parley_author author;
        struct api_entry *profiles[API_PROFILES_MAX]; /* newest first */
        size_t profiles_count;
        bool is_unread; /* some of them cannot be read: a newer one may be among those */
    } * items;          /* ascending by author once they were read */
    size_t count, room;
    enum parley_error unread; /* the first error of reading them (api_unread.h) */
};
/* An author twice is kept once. False: out of memory. */
bool api_people_add(struct api_people *people, const struct parley_author *author);
/* On a worker. */
void api_people_read(struct api_people *people, struct parley_store *store);
void api_people_clear(struct api_people *people);
/* The newest profile that counts; NULL: none is here. */
const struct api_entry *api_people_profile(const struct api_people *people,
                                           const struct parley_node *node,
                                           const struct parley_author *author);

/* Some of the author's profiles cannot be read: there may be a newer one, or one at all. */
bool api_people_is_unread(const struct api_people *people, const struct parley_author *author);

struct api_view {
    const struct parley_node *node;
    struct api_handles handles;
    struct api_people people;
    bool hides;       /* what the owner's lists hide stands there without its words */
    bool is_detailed; /* what stands around an entry, too (api_details.h) */
    bool has_owner;   /* of a detailed one: whose votes are "mine" */
    struct parley_author owner;
    enum parley_error unread; /* of all that it read */
};
/* On a worker: states of bodies, echoed entries and profiles. False: out of memory. */
bool api_view_read(struct api_view *view, struct parley_store *store,
                   const struct api_entries *entries);
/* On the loop, then api_entry_json for each. False: out of memory. */
bool api_view_finish(struct api_view *view, const struct parley_node *node,
                     const struct api_entries *entries);
/* What it is to show stays said. */
void api_view_clear(struct api_view *view);
/* The author's name as JSON text, or null. */
json_t *api_view_name(const struct api_view *view, const struct parley_author *author);

#endif
