/* The owner's lists. A part of internal.h. */
#ifndef PARLEY_NODE_LISTS_H
#define PARLEY_NODE_LISTS_H

#include <parley/node.h>
#include <parley/node_limits.h>

/* A word or a post; authors are marked in their rows. */
struct list_item {
    enum parley_list list;
    uint8_t size;
    uint8_t bytes[PARLEY_WORD_BYTES_MAX];
};

struct lists {
    struct list_item *items; /* PARLEY_LIST_ITEMS_MAX */
    size_t count;
};

void on_list(struct parley_node *node, const struct parley_event *event);
/* False: this is no row of a list. */
bool lists_load_meta(struct parley_node *node, struct parley_span key, struct parley_span value);
bool author_is_blocked(const struct parley_node *node, uint32_t author);
/* He is known here, and peers may be told of him. */
bool author_is_told(const struct parley_node *node, uint32_t author);
/* Neither words, closings and forks nor the quota take anything from his posts. */
bool author_is_allowed(const struct parley_node *node, uint32_t author);

#endif
