/* Short handles of posts, AUTHOR/n/SEQ: a beginning of the author's name, the number of the log
 * among those held of the person (left out when there is one), the place in the log. For typing on
 * this node: n may change when another log of the person comes. */
#ifndef PARLEY_SHELL_API_HANDLE_H
#define PARLEY_SHELL_API_HANDLE_H

#include "api_entry.h"

#define API_HANDLE_SIZE 128u

struct api_handles {
    struct handle_log {
        struct parley_author author;
        struct parley_log log;
    } * logs; /* ascending, of the entries' authors */
    size_t count;
};

/* For a page of entries. False: out of memory. Cost: one walk over the node's logs. */
bool api_handles_init(struct api_handles *handles, const struct parley_node *node,
                      struct api_entry *const *entries, size_t entries_count);
void api_handles_clear(struct api_handles *handles);
void api_handle_text(char text[API_HANDLE_SIZE], const struct api_handles *handles,
                     const struct api_entry *entry);

#endif
