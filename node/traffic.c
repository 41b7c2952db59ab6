#include "traffic.h"
#include "internal.h"

/* A message is an array of fewer than 16 elements, the first its type (SPEC 8): the second byte. */
void traffic_count(struct parley_node_traffic kinds[PARLEY_TRAFFIC_KINDS],
                   struct parley_span message) {
    unsigned type = message.size < 2 ? PARLEY_TRAFFIC_KINDS : message.data[1];
    if (type >= PARLEY_TRAFFIC_KINDS)
        type = PARLEY_TRAFFIC_KINDS - 1;
    kinds[type].messages_count++;
    kinds[type].bytes += message.size;
}

void parley_node_traffic(const struct parley_node *node, unsigned type,
                         struct parley_node_traffic *received, struct parley_node_traffic *sent) {
    assert(type < PARLEY_TRAFFIC_KINDS);
    *received = node->received[type];
    *sent = node->sent[type];
}
