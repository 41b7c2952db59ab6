#include "internal.h"

/* Which log is the owner's here, and whether this node may go on with it. */

void own_author(struct parley_node *node, const struct parley_author *author) {
    uint32_t own = author_take(node, author);
    if (own == NONE)
        return;
    node->config.has_author = true;
    node->config.author = *author;
    quota_set_depth(node, own, 0);
}

void on_device(struct parley_node *node, const struct parley_secret_key *device) {
    struct parley_log log;
    if (!node->config.has_author)
        return;
    node->config.has_device = true;
    node->config.device_key = *device;
    memcpy(node->device_key.bytes, device->bytes + 32, sizeof node->device_key.bytes);
    node->own_is_elsewhere = false;
    parley_log_derive(&log, &node->config.author, &node->device_key);
    node->own_log = log_find(node, &log);
}

/* What was lost with a write that failed comes back from those who got it by nobody: an entry
 * leaves this node only when it is on the disk. So whoever has more of the log than this node has
 * it from another instance. */
void own_notice(struct parley_node *node, const struct chunk_task *task, uint32_t log,
                parley_seq seq_high) {
    const struct log_row *row = &node->logs[log];
    parley_seq newest = row->ranges.count == 0 ? 0 : row->ranges.ranges[0].hi;
    if (log == node->own_log && task->source != CHUNK_OWN && seq_high > newest)
        node->own_is_elsewhere = true;
}

/* So does what stands above a hole: this node writes one after the other. */
static bool is_elsewhere(const struct parley_node *node) {
    const struct parley_ranges *held = &node->logs[node->own_log].ranges;
    return node->own_is_elsewhere || held->count > 1 ||
           (held->count == 1 && held->ranges[0].lo > 1);
}

enum parley_own parley_node_own(const struct parley_node *node) {
    if (!node->config.has_device)
        return PARLEY_OWN_NONE;
    if (node->own_log == NONE)
        return PARLEY_OWN_WAITING;
    const struct log_row *row = &node->logs[node->own_log];
    switch (row->policy.kind) {
    case PARLEY_POLICY_VOID:
        return row->ranges.count == 0 ? PARLEY_OWN_WAITING : PARLEY_OWN_CLOSED;
    case PARLEY_POLICY_CLOSED:
        return PARLEY_OWN_CLOSED;
    case PARLEY_POLICY_OPEN:
        break;
    }
    bool is_forked = row->forked != 0 || row->pin == PIN_OTHER;
    if (row->is_unjudged || !is_forked)
        return is_elsewhere(node) ? PARLEY_OWN_ELSEWHERE : PARLEY_OWN_OPEN;
    return PARLEY_OWN_FORKED;
}
