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
    peer->unwanted.left = 0;
}

/* Names come faster than records, so a peer may have no place for all. What it has asked for it has
 * taken: the next telling goes on behind that, and around. */
void unwanted_asked(struct parley_node *node, struct peer *peer, uint32_t author) {
    if (!author_is_wanted(node, author))
        peer->unwanted.asked = author + 1;
}

bool unwanted_gives_way(struct peer *peer) {
    struct peer_unwanted *unwanted = &peer->unwanted;
    if (!peer->is_told || !unwanted->is_telling)
        return false;
    if (!unwanted->is_owed) { /* else all of it, anew */
        unwanted->next = peer->heads_next;
        unwanted->log = peer->heads_log;
        unwanted->left = peer->heads_left;
    }
    unwanted->is_owed = true;
    unwanted->is_telling = peer->is_told = false;
    return true;
}

void unwanted_pay(struct parley_node *node, struct peer *peer) {
    struct peer_unwanted *unwanted = &peer->unwanted;
    if (!unwanted->is_owed || peer->is_told || peer->session.places == 0)
        return;
    if (unwanted->is_paid && !budget_may_tell(node, peer))
        return;
    uint32_t next = unwanted->left > 0 ? unwanted->next : unwanted->asked;
    heads_send_changes(node, peer);
    unwanted->since = 0;
    peer->heads_next = next < node->authors_count ? next : 0;
    if (unwanted->left > 0) {
        peer->heads_left = unwanted->left;
        peer->heads_log = unwanted->log;
        unwanted->left = 0;
    }
    peer->budget.is_paid = unwanted->is_paid;
    unwanted->is_owed = false;
    unwanted->is_telling = true;
}
