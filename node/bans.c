#include "internal.h"

/* Faults cost points, points are forgiven with time; who has too many is kept out, for a time that
 * doubles and whose doubling is forgiven, too. A node is known by its key alone, which costs
 * nothing: so the place that an accepted connection came from has points of its own, and more of
 * them before it is closed, since others may live there. Bytes that do not open are nobody's: who
 * sits on the path can make them. */

static uint64_t who_of_key(const struct parley_node *node, const struct parley_node_key *key) {
    uint8_t bytes[33] = {1};
    memcpy(bytes + 1, key->bytes, sizeof key->bytes);
    bytes[32] &= 0x7f; /* SPEC 8.1.2 */
    return table_hash_of(node, PARLEY_SPAN(bytes, sizeof bytes)) | 1;
}

/* One address of IPv4, or what a home is given of IPv6. 0: nobody can be told apart there. */
static uint64_t who_of_place(const struct parley_node *node, const struct parley_remote *remote) {
    uint8_t bytes[17] = {2};
    if (remote->network != PARLEY_NETWORK_CLEAR && remote->network != PARLEY_NETWORK_LAN)
        return 0;
    memcpy(bytes + 1, remote->ip.bytes, parley_ip_is_v4(&remote->ip) ? 16 : 8);
    return table_hash_of(node, PARLEY_SPAN(bytes, sizeof bytes)) | 1;
}

static const struct ban *find(const struct parley_node *node, uint64_t who) {
    for (size_t i = 0; who != 0 && i < PARLEY_BANS_MAX; i++)
        if (node->bans.rows[i].who == who)
            return &node->bans.rows[i];
    return NULL;
}

static void forgive(struct ban *row, parley_time_ms now) {
    while (row->points > 0 && now - row->points_at >= PARLEY_BAN_POINT_MS) {
        row->points--;
        row->points_at += PARLEY_BAN_POINT_MS;
    }
    while (row->times > 0 && now - row->times_at >= PARLEY_BAN_FORGIVEN_MS) {
        row->times--;
        row->times_at += PARLEY_BAN_FORGIVEN_MS;
    }
}

/* When nothing of the row counts any more. */
static parley_time_ms forgotten_at(const struct ban *row) {
    parley_time_ms at = row->until;
    if (row->points_at + row->points * PARLEY_BAN_POINT_MS > at)
        at = row->points_at + row->points * PARLEY_BAN_POINT_MS;
    if (row->times_at + row->times * PARLEY_BAN_FORGIVEN_MS > at)
        at = row->times_at + row->times * PARLEY_BAN_FORGIVEN_MS;
    return row->who == 0 ? 0 : at;
}

/* The row of who, or that which is forgotten first. */
static struct ban *take(struct parley_node *node, uint64_t who) {
    struct ban *row = &node->bans.rows[0];
    const struct ban *found = find(node, who);
    if (found != NULL)
        return &node->bans.rows[found - node->bans.rows];
    for (size_t i = 0; i < PARLEY_BANS_MAX; i++)
        if (forgotten_at(&node->bans.rows[i]) < forgotten_at(row))
            row = &node->bans.rows[i];
    *row = (struct ban){.who = who, .points_at = node->now, .times_at = node->now};
    return row;
}

/* True: a ban begins. */
static bool add_points(struct parley_node *node, uint64_t who, unsigned points, unsigned enough) {
    if (who == 0)
        return false;
    struct ban *row = take(node, who);
    forgive(row, node->now);
    if (row->points == 0)
        row->points_at = node->now;
    row->points += points;
    if (row->points < enough)
        return false;
    row->until = node->now + (PARLEY_BAN_MIN_MS << row->times);
    row->points = 0;
    row->times += row->times < PARLEY_BAN_DOUBLINGS_MAX;
    row->times_at = node->now;
    return true;
}

/* Points of a close for this reason. */
static unsigned points_of(enum parley_error reason) {
    if (parley_error_class(reason) != PARLEY_CLASS_REMOTE || reason == PARLEY_E_BAD_SEAL ||
        reason == PARLEY_E_BAD_HANDSHAKE || reason == PARLEY_E_REPLAYED)
        return 0;
    /* A slow reader is a burden before he is a fault. */
    return reason == PARLEY_E_OVER_BUDGET ? 1 : PARLEY_BAN_FAULT_POINTS;
}

void bans_blame(struct parley_node *node, struct peer *peer, enum parley_error reason) {
    unsigned points = points_of(reason);
    if (points == 0)
        return;
    bool is_banned = peer->is_known && add_points(node, who_of_key(node, &peer->node_key), points,
                                                  PARLEY_BAN_KEY_POINTS);
    if (!peer->is_dialled)
        is_banned |= add_points(node, who_of_place(node, &peer->view.remote), points,
                                PARLEY_BAN_PLACE_POINTS);
    if (is_banned)
        effect_log(node, PARLEY_LOG_INFO, reason, peer->connection, "peer kept out for a while");
}

static parley_time_ms until_of(const struct parley_node *node, uint64_t who) {
    const struct ban *row = find(node, who);
    return row != NULL && row->until > node->now ? row->until : 0;
}

parley_time_ms bans_until(const struct parley_node *node, const struct parley_node_key *key) {
    return until_of(node, who_of_key(node, key));
}

bool bans_hold_place(const struct parley_node *node, const struct parley_remote *remote) {
    return until_of(node, who_of_place(node, remote)) != 0;
}

void bans_lift(struct parley_node *node, const struct parley_node_key *key) {
    const struct ban *row = find(node, who_of_key(node, key));
    if (row != NULL)
        node->bans.rows[row - node->bans.rows] = (struct ban){.who = 0};
}
