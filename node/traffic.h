/* How much of what went over the links. */
#ifndef PARLEY_NODE_TRAFFIC_H
#define PARLEY_NODE_TRAFFIC_H

#include <parley/node.h>

/* One whole message, as it is before it is sealed. */
void traffic_count(struct parley_node_traffic kinds[PARLEY_TRAFFIC_KINDS],
                   struct parley_span message);

#endif
