#include "internal.h"

/* What is said about invites goes from the owner to a peer and from a peer to the owner: the node
 * keeps none, and follows nobody for it. SPEC 9.12. */

static struct parley_effect *push_said(struct parley_node *node, const struct peer *peer) {
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_SAID);
    effect->said.connection = peer->connection;
    effect->said.key = peer->node_key;
    effect->said.remote = peer->view.remote;
    memset(&effect->said.said, 0, sizeof effect->said.said);
    return effect;
}

/* Where the owner may dial on that peer's word. */
static bool may_lead(const struct peer *peer, const struct parley_address *address) {
    struct parley_network_place place;
    parley_network_of_place(&place, address);
    return place.is_ip && parley_network_holds(&peer->view.remote, &place) &&
           address->port >= PARLEY_LEARNED_PORT_MIN;
}

void on_invite(struct parley_node *node, struct peer *peer,
               const struct parley_wire_invite *invite) {
    struct parley_said *said = &push_said(node, peer)->said.said;
    memcpy(said->secret, invite->secret, sizeof said->secret);
    said->author = invite->author;
    said->has_place = invite->place.size > 0 &&
                      parley_place_decode(&said->place, invite->place).error == PARLEY_E_OK &&
                      may_lead(peer, &said->place);
    said->place.key = peer->node_key;
}

void on_welcome(struct parley_node *node, struct peer *peer,
                const struct parley_wire_welcome *welcome) {
    struct parley_said *said = &push_said(node, peer)->said.said;
    said->is_answer = true;
    memcpy(said->id, welcome->id, sizeof said->id);
    said->verdict = welcome->verdict;
}

static enum parley_error say(struct parley_node *node, struct peer *peer,
                             const struct parley_said *said) {
    char place[PARLEY_PLACE_TEXT_SIZE] = "";
    struct parley_wire_message message = {.type = PARLEY_WIRE_INVITE};
    if (peer->unsent_bytes >= peer_window(node, PARLEY_WINDOW_BYTES))
        return PARLEY_E_RETRY;
    if (said->is_answer) {
        message.type = PARLEY_WIRE_WELCOME;
        memcpy(message.as.welcome.id, said->id, sizeof said->id);
        message.as.welcome.verdict = said->verdict;
    } else {
        if (said->has_place)
            parley_place_encode(place, &said->place);
        memcpy(message.as.invite.secret, said->secret, sizeof said->secret);
        message.as.invite.author = said->author;
        message.as.invite.place = PARLEY_SPAN(place, strlen(place));
    }
    return peer_send_message(node, peer, &message) ? PARLEY_E_OK : PARLEY_E_RETRY;
}

void on_say(struct parley_node *node, const struct parley_event *event) {
    struct peer *peer = peer_find(node, event->say.connection);
    enum parley_error error = PARLEY_E_NOT_FOUND;
    if (peer != NULL && peer->phase == PEER_OPEN)
        error = say(node, peer, event->say.said);
    effect_reply(node, event->say.request, error);
}
