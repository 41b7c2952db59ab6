/* When erased bytes go, and the owner's purge. A part of internal.h. */
#ifndef PARLEY_NODE_ERASE_H
#define PARLEY_NODE_ERASE_H

#include <parley/node.h>

/* Erasures in what was stored. */
void erase_look_at(struct parley_node *node, uint32_t log, const struct parley_chunk *chunk);
/* In one body. */
void erase_look_at_body(struct parley_node *node, uint32_t log, struct parley_span body);
/* since: when the oldest came whose bytes wait; 0: none does. */
void erase_load(struct parley_node *node, uint32_t log, parley_time_ms since);
void erase_on_stored(struct parley_node *node, uint32_t log, enum parley_error error,
                     const struct parley_store_log *told);
void erase_on_timer(struct parley_node *node);
void on_purge(struct parley_node *node, const struct parley_event *event);

#endif
