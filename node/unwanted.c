#include "internal.h"

/* What this node holds and does not want: authors out of a file, or whom the owner does not follow
 * any more. A session compares what both want (SPEC 11.2), so such authors are told of beside it:
 * all of them behind the first session of a link, and again when the peer has lost something. */

void unwanted_begin(struct parley_node *node, struct peer *peer) {
    if (node->config.relay) /* wants whatever it holds */
        return;
    peer->unwanted.told = node->changes_count; /* until then by what follows */
    peer->unwanted.is_owed = true;
    peer->unwanted.is_paid = peer_is_stranger(peer);
}

void unwanted_lost(struct parley_node *node, struct peer *peer) {
    if (node->config.relay)
        return;
    peer->unwanted.is_owed = true;
    peer->unwanted.is_paid = true;
}

/* Names come faster than records, so a peer may have no place for all. What it has asked for it has
 * taken: the next telling goes on behind that, and around. */
void unwanted_asked(struct parley_node *node, struct peer *peer, uint32_t author) {
    if (!author_is_wanted(node, author))
        peer->unwanted.next = author + 1;
}

void unwanted_pay(struct parley_node *node, struct peer *peer) {
    struct peer_unwanted *unwanted = &peer->unwanted;
    if (!unwanted->is_owed || peer->is_told || peer->session.places == 0)
        return;
    if (unwanted->is_paid && !budget_may_tell(node, peer))
        return;
    heads_send_changes(node, peer);
    peer->unwanted.since = 0;
    peer->heads_next = unwanted->next < node->authors_count ? unwanted->next : 0;
    peer->budget.is_paid = unwanted->is_paid;
    unwanted->is_owed = false;
}
