/* Which entries a timeline or a stream shows: of one author, or of whom this node wants (all, on a
 * relay or without a device); with a tag or any. */
#ifndef PARLEY_SHELL_API_FILTER_H
#define PARLEY_SHELL_API_FILTER_H

#include "api_entry.h"
#include "host.h"

#define API_TAG_SIZE (PARLEY_TAG_BYTES_MAX + 1)

struct api_filter {
    bool has_author;
    struct parley_author author;
    bool is_everybody;
    char tag[API_TAG_SIZE]; /* "": any */
};

void api_filter_init(struct api_filter *filter, const struct parley_host *host,
                     const struct parley_author *author, const char *tag);

/* The authors whom the node wants, the owner among them; sorted. Made anew for each use. */
struct api_wanted {
    struct parley_author *authors;
    size_t count;
};
/* False: out of memory. */
bool api_wanted_init(struct api_wanted *wanted, const struct parley_host *host);
void api_wanted_clear(struct api_wanted *wanted);

/* Asked on the loop, of an entry that is listed (api_entry_is_listed). */
bool api_filter_shows(const struct api_filter *filter, const struct api_wanted *wanted,
                      const struct parley_node *node, const struct api_entry *entry);

/* The first half of it: of whom it asks for, hidden or not. On any thread. */
bool api_filter_is_of(const struct api_filter *filter, const struct api_wanted *wanted,
                      const struct parley_author *author);
/* Of whomever: nothing of the owner's lists hides it, it is good and not taken back. */
bool api_filter_may_show(const struct parley_node *node, const struct api_entry *entry);

#endif
