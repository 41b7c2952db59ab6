#include "internal.h"

/* The first message of a link: who is there. And the first flights that were answered. */

void say_hello(struct parley_node *node, struct peer *peer) {
    peer->phase = PEER_HELLO;
    struct parley_wire_message message = {.type = PARLEY_WIRE_HELLO};
    message.as.hello.version = PARLEY_WIRE_VERSION;
    message.as.hello.features =
        PARLEY_WIRE_SERVES_RUNS | (node->config.tells_all ? 0 : PARLEY_WIRE_RECONCILES) |
        (node->config.relay ? PARLEY_WIRE_RELAY : 0) | (node->config.flood ? 0 : PARLEY_WIRE_TREE) |
        (node->config.discover ? PARLEY_WIRE_ADDRESSING : 0);
    message.as.hello.node_key = node->node_key;
    (void)peer_send_message(node, peer, &message);
}

/* A link proves a node key up to its sign (SPEC 8.1.1): the two keys that differ in it alone are
 * one node, whatever it calls itself. */
bool node_keys_meet(const struct parley_node_key *a, const struct parley_node_key *b) {
    size_t last = sizeof a->bytes - 1;
    return memcmp(a->bytes, b->bytes, last) == 0 && ((a->bytes[last] ^ b->bytes[last]) & 0x7f) == 0;
}

/* Of two connections of the same two nodes both sides keep the same one: that which the smaller
 * node key dialled; of two in one direction the newer, since the older may be dead. */
static bool keeps_newer(const struct parley_node *node, const struct peer *older,
                        const struct peer *newer) {
    if (older->is_dialled == newer->is_dialled)
        return true;
    bool own_is_smaller = PARLEY_COMPARE(node->node_key, newer->node_key) < 0;
    return newer->is_dialled == own_is_smaller;
}

bool on_hello(struct parley_node *node, struct peer *peer, const struct parley_wire_hello *hello) {
    if (node_keys_meet(&hello->node_key, &node->node_key)) {
        effect_log(node, PARLEY_LOG_INFO, PARLEY_E_OK, peer->connection,
                   "an address leads to this node itself");
        (void)book_forget(node, &node->node_key, 0);
        peer_close(node, peer, PARLEY_E_OK, PARLEY_GOODBYE_DUPLICATE);
        return false;
    }
    if (!parley_link_peer_is(&peer->link, &hello->node_key) ||
        (peer->is_dialled && !PARLEY_EQUAL(peer->node_key, hello->node_key))) {
        peer_close(node, peer, PARLEY_E_BAD_MESSAGE, PARLEY_GOODBYE_FAULT);
        return false;
    }
    peer->node_key = hello->node_key;
    peer->is_known = true;
    peer->is_owners = !peer->is_dialled && book_holds(node, &peer->node_key);
    peer->is_relay = (hello->features & PARLEY_WIRE_RELAY) != 0;
    peer->is_silent = (hello->features & PARLEY_WIRE_SERVES_RUNS) == 0;
    peer->view.is_addressing = (hello->features & PARLEY_WIRE_ADDRESSING) != 0;
    if (bans_until(node, &peer->node_key) != 0) {
        peer_close(node, peer, PARLEY_E_FULL, PARLEY_GOODBYE_FULL);
        return false;
    }
    for (size_t i = 0; i < node->peers_count; i++) {
        struct peer *other = &node->peers[i];
        if (other == peer || other->phase != PEER_OPEN ||
            !node_keys_meet(&other->node_key, &peer->node_key))
            continue;
        bool newer = keeps_newer(node, other, peer);
        peer_close(node, newer ? other : peer, PARLEY_E_OK, PARLEY_GOODBYE_DUPLICATE);
        if (!newer)
            return false;
    }
    peer->phase = PEER_OPEN;
    source_open(peer);
    tree_open(node, peer, hello->features);
    sessions_open_link(node, peer, hello->features);
    peer->deadline = node->now + PARLEY_IDLE_MS;
    peer->ping_at = node->now + PARLEY_PING_AFTER_MS;
    peer->opened_at = node->now;
    peer->asked = node->heads_turns; /* opening tells all; coming back takes no turn from others */
    deadline_lower(node, peer->ping_at);
    effect_log(node, PARLEY_LOG_INFO, PARLEY_E_OK, peer->connection, "peer connected");
    if (!views_on_open(node, peer))
        return false;
    interest_send(node, peer);
    return true;
}

/* --- first flights are remembered over a restart ------------------------------------------- */

#define META_REPLAY_KEY  "replay-key"
#define META_REPLAY_MARK "replay/" /* and its place in the ring, two bytes */

void replay_keep(struct parley_node *node) {
    uint64_t number = node->replay.noted - 1;
    uint8_t key[sizeof META_REPLAY_MARK - 1 + 4], value[16];
    memcpy(key, META_REPLAY_MARK, sizeof META_REPLAY_MARK - 1);
    parley_put_u32(key + sizeof META_REPLAY_MARK - 1,
                   (uint32_t)(number % PARLEY_REPLAY_MARKS_COUNT));
    parley_put_u64(value, node->replay.noted);
    parley_put_u64(value + 8, node->replay.marks[number % PARLEY_REPLAY_MARKS_COUNT]);
    meta_put(node, PARLEY_SPAN(key, sizeof key), PARLEY_SPAN(value, sizeof value), 0);
}

void replay_load(struct parley_node *node, struct parley_span key, struct parley_span value) {
    size_t prefix = sizeof META_REPLAY_MARK - 1;
    if (key.size == sizeof META_REPLAY_KEY - 1 && value.size == sizeof node->replay.key) {
        memcpy(node->replay.key, value.data, value.size);
        node->replay_is_kept = true;
    } else if (key.size == prefix + 4 && value.size == 16) {
        uint32_t place = parley_get_u32(key.data + prefix);
        uint64_t noted = parley_get_u64(value.data);
        if (place < PARLEY_REPLAY_MARKS_COUNT)
            node->replay.marks[place] = parley_get_u64(value.data + 8);
        if (noted > node->replay.noted)
            node->replay.noted = noted;
    }
}

void replay_start(struct parley_node *node) {
    if (!node->replay_is_kept)
        meta_put(node, PARLEY_SPAN(META_REPLAY_KEY, sizeof META_REPLAY_KEY - 1),
                 PARLEY_SPAN(node->replay.key, sizeof node->replay.key), 0);
    node->replay_is_kept = true;
}
