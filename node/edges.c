#include "internal.h"

/* Who follows whom. Beyond those whom the owner follows a person's node wants whom they follow, up
 * to the owner's hops: each word of theirs is an edge, kept in the settings so that a start knows
 * it. How far an author is from the owner is counted anew from the edges whenever one ends, so that
 * nobody stays wanted only because somebody once followed them. */

#define META_EDGE   "edge/"
#define EDGE_PREFIX (sizeof META_EDGE - 1)
#define KEY_BYTES   (EDGE_PREFIX + 64)
#define VALUE_BYTES 25u /* on, log, seq, time */

static void keep(struct parley_node *node, uint32_t from, const struct edge *edge) {
    uint8_t key[KEY_BYTES], value[VALUE_BYTES];
    memcpy(key, META_EDGE, EDGE_PREFIX);
    memcpy(key + EDGE_PREFIX, node->authors[from].set.author.bytes, 32);
    memcpy(key + EDGE_PREFIX + 32, edge->to.bytes, 32);
    value[0] = edge->on;
    parley_put_u64(value + 1, edge->log);
    parley_put_u64(value + 9, edge->seq);
    parley_put_u64(value + 17, edge->time);
    meta_put(node, PARLEY_SPAN(key, sizeof key), PARLEY_SPAN(value, sizeof value), 0);
}

static struct edge *edge_take(struct parley_node *node, uint32_t from,
                              const struct parley_author *to) {
    struct edges *edges = &node->edges;
    uint32_t count = 0;
    for (uint32_t i = node->authors[from].edges_first; i != NONE; i = edges->items[i].next, count++)
        if (PARLEY_EQUAL(edges->items[i].to, *to))
            return &edges->items[i];
    if (edges->count == PARLEY_EDGES_MAX || count == PARLEY_EDGES_PER_AUTHOR)
        return NULL;
    struct edge *edge = &edges->items[edges->count];
    *edge = (struct edge){.to = *to, .next = node->authors[from].edges_first};
    node->authors[from].edges_first = edges->count++;
    return edge;
}

bool edges_load_meta(struct parley_node *node, struct parley_span key, struct parley_span value) {
    struct parley_author from, to;
    if (key.size != KEY_BYTES || memcmp(key.data, META_EDGE, EDGE_PREFIX) != 0)
        return false;
    memcpy(from.bytes, key.data + EDGE_PREFIX, 32);
    memcpy(to.bytes, key.data + EDGE_PREFIX + 32, 32);
    uint32_t row = value.size == VALUE_BYTES ? author_take(node, &from) : NONE;
    struct edge *edge = row == NONE ? NULL : edge_take(node, row, &to);
    if (edge == NULL)
        return true;
    edge->on = value.data[0] == 1;
    edge->log = parley_get_u64(value.data + 1);
    edge->seq = parley_get_u64(value.data + 9);
    edge->time = parley_get_u64(value.data + 17);
    return true;
}

/* In one log the later entry counts, of two logs the later time, then any order that all share. */
static bool is_news(const struct edge *edge, uint64_t log, parley_seq seq, parley_time_ms time) {
    if (edge->log == log)
        return seq > edge->seq;
    return edge->time != time ? time > edge->time : log > edge->log;
}

void edges_say(struct parley_node *node, uint32_t log, parley_seq seq, parley_time_ms time,
               const struct parley_author *to, bool on) {
    uint32_t from = node->logs[log].author;
    unsigned depth = node->authors[from].depth;
    /* One chunk may hold hundreds of follows: the rest of it counts no more than an unread one. */
    if (node->config.relay || depth == 0 || depth >= node->config.hops ||
        author_is_blocked(node, from) || !effects_have_room(node) || !store_has_room(node))
        return;
    uint64_t name = parley_get_u64(node->logs[log].log.bytes);
    struct edge *edge = edge_take(node, from, to);
    if (edge == NULL || (edge->seq != 0 && !is_news(edge, name, seq, time)))
        return;
    node->edges.is_stale |= edge->on != on;
    edge->on = on;
    edge->log = name;
    edge->seq = seq;
    edge->time = time;
    keep(node, from, edge);
}

void edges_changed(struct parley_node *node) {
    node->edges.is_stale = true;
}

/* --- how far from the owner ---------------------------------------------------------------- */

static void reach_from(struct parley_node *node, uint32_t from) {
    unsigned depth = node->authors[from].depth + 1u;
    for (uint32_t i = node->authors[from].edges_first; i != NONE; i = node->edges.items[i].next) {
        const struct edge *edge = &node->edges.items[i];
        uint32_t to = edge->on ? author_take(node, &edge->to) : NONE;
        if (to == NONE || node->authors[to].depth <= depth)
            continue;
        node->authors[to].depth = (uint8_t)depth;
        named_is_real(node, to);
    }
}

static void count_anew(struct parley_node *node) {
    for (uint32_t i = 0; i < node->authors_count; i++) {
        node->authors[i].was_wanted = author_is_wanted(node, i);
        if (node->authors[i].depth > 1)
            node->authors[i].depth = UINT8_MAX;
    }
    for (unsigned depth = 1; depth < node->config.hops; depth++)
        for (uint32_t i = 0; i < node->authors_count; i++)
            if (node->authors[i].depth == depth && !author_is_blocked(node, i))
                reach_from(node, i);
    quota_recount(node);
}

/* --- telling ------------------------------------------------------------------------------- */

#define CHANGES_MAX 512u /* in one message; of more all is told anew */

struct changes {
    uint8_t added_bytes[34 * CHANGES_MAX], removed_bytes[34 * CHANGES_MAX];
    struct parley_writer added, removed;
    size_t added_count, removed_count;
};

/* False: more than one message takes. */
static bool collect(const struct parley_node *node, struct changes *changes) {
    parley_writer_init(&changes->added, changes->added_bytes, sizeof changes->added_bytes);
    parley_writer_init(&changes->removed, changes->removed_bytes, sizeof changes->removed_bytes);
    changes->added_count = changes->removed_count = 0;
    for (uint32_t i = 0; i < node->authors_count; i++) {
        bool is = author_is_wanted(node, i);
        if (is == node->authors[i].was_wanted)
            continue;
        if (changes->added_count + changes->removed_count == CHANGES_MAX)
            return false;
        parley_wire_put_author(is ? &changes->added : &changes->removed,
                               &node->authors[i].set.author);
        changes->added_count += is;
        changes->removed_count += !is;
    }
    return true;
}

static void tell_all_anew(struct parley_node *node) {
    for (size_t i = 0; i < node->peers_count; i++)
        node->peers[i].owes_interest = node->peers[i].phase == PEER_OPEN;
}

static void tell_changes(struct parley_node *node) {
    struct changes changes;
    if (!collect(node, &changes) || !effects_have_room(node))
        tell_all_anew(node);
    else if (changes.added_count + changes.removed_count > 0)
        interest_send_lists(node, parley_wire_list_of(&changes.added, changes.added_count),
                            parley_wire_list_of(&changes.removed, changes.removed_count));
}

void edges_pump(struct parley_node *node) {
    if (node->edges.is_stale && node->is_started && !node->config.relay) {
        count_anew(node);
        tell_changes(node);
    }
    node->edges.is_stale = false;
    for (size_t i = 0; i < node->peers_count; i++) {
        struct peer *peer = &node->peers[i];
        if (peer->phase != PEER_OPEN || !peer->owes_interest || !effects_have_room(node))
            continue;
        peer->owes_interest = false;
        interest_send(node, peer);
    }
}
