#include "internal.h"

/* Authors who are a name so far: a relay hears of somebody in heads and asks for his records. A
 * name costs nothing to say, so such rows are bounded apart and go when the asking ends without a
 * record: a peer that says names without end takes no place from anybody whose records exist.
 *
 * One peer may have PARLEY_NAMED_PER_PEER of them; once half of all are taken, only its even share
 * of the other half, so that whoever comes last has as much of it as whoever came first. */

static size_t named_max(const struct parley_node *node) {
    size_t share = node->config.authors_max / PARLEY_NAMED_SHARE;
    return share > 2 * node->config.peers_max ? share : 2 * node->config.peers_max;
}

/* Of one peer, now. */
static size_t name_max(const struct parley_node *node) {
    size_t half = named_max(node) / 2;
    return node->named_count < half ? PARLEY_NAMED_PER_PEER : half / node->config.peers_max;
}

uint32_t named_room(const struct parley_node *node, const struct peer *peer) {
    size_t max = name_max(node);
    return max > peer->named_count ? (uint32_t)(max - peer->named_count) : 0;
}

uint32_t named_take(struct parley_node *node, struct peer *peer,
                    const struct parley_author *author) {
    uint32_t row = author_find(node, author);
    if (row != NONE)
        return row;
    row = named_room(node, peer) > 0 ? author_take_stranger(node, author) : NONE;
    if (row == NONE) {
        peer->session.has_lost = true;
        peer->has_more_names = true; /* it is asked again when those it named are settled */
        return NONE;
    }
    node->authors[row].is_named = true;
    node->authors[row].named_slot = peer_slot(node, peer);
    node->authors[row].named_by = peer->connection;
    node->named_count++;
    peer->named_count++;
    return row;
}

void named_is_real(struct parley_node *node, uint32_t author) {
    struct author_row *row = &node->authors[author];
    if (!row->is_named)
        return;
    struct peer *peer = &node->peers[row->named_slot];
    row->is_named = false;
    node->named_count--;
    if (peer->phase == PEER_FREE || peer->connection != row->named_by)
        return;
    peer->named_count--;
    if (peer->named_count > 0 || !peer->has_more_names || peer->phase != PEER_OPEN)
        return;
    peer->has_more_names = false;
    peer->is_forgotten = true;
    peer->session.open_at = node->now;
    heads_ask(node, peer); /* there was no place for all: the next ones */
}

void named_end(struct parley_node *node, uint32_t author) {
    struct author_row *row = &node->authors[author];
    if (!row->is_named || row->is_asked || row->is_queued)
        return;
    named_is_real(node, author);
    author_give(node, author);
}
