#include "internal.h"

/* Identity sets that differ from a peer's: asked for a few at a time, since a newcomer may need
 * those of every author at once. The answer is the records, then that author's heads again. */

#define QUEUE_LOOKS 64u /* authors looked at in one pump */

#define LONGEST_MS (PARLEY_IDENTITY_LONGEST_S * (parley_time_ms)1000)

static uint32_t seconds_since_ask(const struct parley_node *node, const struct author_row *row) {
    return (uint32_t)(node->now / 1000) - row->asked_s;
}

/* It tells of another set while somebody is asked already: it is the next one, should nothing come
 * of that. One of the owner's choice before a stranger. */
static void note_other(struct parley_node *node, struct author_row *row, parley_connection told) {
    const struct peer *old = row->other == 0 ? NULL : peer_find(node, row->other);
    const struct peer *new = peer_find(node, told);
    if (new != NULL && (old == NULL || (peer_is_stranger(old) && !peer_is_stranger(new))))
        row->other = told;
}

/* True when another peer is asked in the place of who gave nothing. */
static bool hand_over(struct parley_node *node, uint32_t author) {
    struct author_row *row = &node->authors[author];
    struct peer *other = row->other == 0 ? NULL : peer_find(node, row->other);
    bool is_else = other != NULL && other->phase == PEER_OPEN && other->connection != row->source;
    row->other = 0;
    if (is_else)
        identity_want(node, other, author);
    return row->is_queued;
}

void identity_want(struct parley_node *node, struct peer *peer, uint32_t author) {
    struct author_row *row = &node->authors[author];
    if (peer->is_silent)
        return;
    if (row->is_queued && row->source != peer->connection &&
        peer->identities_count < PARLEY_IDENTITIES_PER_PEER) {
        note_other(node, row, row->source);
        row->source = peer->connection; /* who has room goes before who was first */
    }
    row->is_stale |= row->is_asked;
    if (row->is_asked || row->is_queued) {
        if (row->source == peer->connection)
            return;
        note_other(node, row, peer->connection);
        peer->is_forgotten = true; /* what it has may be more still: it tells again */
        return;
    }
    row->is_queued = true;
    row->source = peer->connection;
    row->queue_next = NONE;
    if (node->authors_queue_first == NONE)
        node->authors_queue_first = author;
    else
        node->authors[node->authors_queue_last].queue_next = author;
    node->authors_queue_last = author;
}

void identity_answered(struct parley_node *node, struct peer *peer, uint32_t author) {
    struct author_row *row = &node->authors[author];
    if (!row->is_asked || row->source != peer->connection)
        return;
    row->is_asked = false;
    peer->identities_count--;
    peer->identities_deadline = node->now + PARLEY_FETCH_MS;
    bool is_vain = !row->is_given && peer->jobs_count == 0;
    if (!(is_vain && hand_over(node, author)) && row->is_stale) {
        identity_want(node, peer, author);
        row->is_again = !row->is_given;
    }
    named_end(node, author);
}

/* As many authors as one message and the peer's budget allow, from the front of the queue. */
static void ask_some(struct parley_node *node, struct peer *peer) {
    uint8_t buffer[34 * PARLEY_IDENTITIES_PER_ASK];
    struct parley_writer writer;
    size_t count = 0;
    parley_writer_init(&writer, buffer, sizeof buffer);
    while (node->authors_queue_first != NONE && count < PARLEY_IDENTITIES_PER_ASK &&
           peer->identities_count < PARLEY_IDENTITIES_PER_PEER) {
        struct author_row *row = &node->authors[node->authors_queue_first];
        if (row->source != peer->connection)
            break;
        node->authors_queue_first = row->queue_next;
        row->is_queued = false;
        row->is_asked = true;
        row->is_stale = false;
        if (!row->is_again)
            row->asked_s = (uint32_t)(node->now / 1000);
        row->is_again = row->is_given = false;
        if (peer->identities_count++ == 0)
            peer->identities_sweep = node->now + LONGEST_MS;
        parley_wire_put_author(&writer, &row->set.author);
        count++;
    }
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_IDENTITY};
    message.as.ask_identity.authors = parley_wire_list_of(&writer, count);
    peer->identities_deadline = node->now + PARLEY_FETCH_MS;
    deadline_lower(node, peer->identities_deadline);
    if (count > 0)
        (void)peer_send_message(node, peer, &message);
}

/* Half of its budget at a time: an ask for each author that was answered would be as many messages
 * as there are authors. */
static bool has_room(const struct peer *peer) {
    return peer->identities_count <= PARLEY_IDENTITIES_PER_PEER / 2;
}

static bool any_has_room(const struct parley_node *node) {
    for (size_t i = 0; i < node->peers_count; i++)
        if (node->peers[i].phase == PEER_OPEN && has_room(&node->peers[i]))
            return true;
    return false;
}

void identity_pump(struct parley_node *node) {
    if (node->authors_queue_first == NONE || !any_has_room(node))
        return; /* after each step while much is learned: most of the looks would be in vain */
    for (unsigned looks = 0; looks < QUEUE_LOOKS && effects_have_room(node); looks++) {
        uint32_t author = node->authors_queue_first;
        if (author == NONE)
            return;
        struct author_row *row = &node->authors[author];
        struct peer *peer = peer_find(node, row->source);
        bool gone = peer == NULL || peer->phase != PEER_OPEN;
        if (!gone && has_room(peer)) {
            ask_some(node, peer);
            continue;
        }
        node->authors_queue_first = row->queue_next;
        row->is_queued = false;
        if (gone) {
            heads_lose(node);
            named_end(node, author);
        } else {
            identity_want(node, peer, author); /* to the back: others do not wait for this one */
        }
    }
}

void identity_drop_peer(struct parley_node *node, struct peer *peer) {
    if (peer->identities_count > 0)
        heads_lose(node); /* others may have told of them, too */
    for (size_t i = 0; peer->identities_count > 0 && i < node->authors_count; i++)
        if (node->authors[i].is_asked && node->authors[i].source == peer->connection) {
            node->authors[i].is_asked = false;
            peer->identities_count--;
            if (!hand_over(node, (uint32_t)i))
                named_end(node, (uint32_t)i);
        }
}

/* Who answers others, and never this one, would keep it from being asked of anybody else. */
static void pass_over(struct parley_node *node, struct peer *peer) {
    bool is_any = false;
    for (uint32_t i = 0; peer->identities_count > 0 && i < node->authors_count; i++) {
        struct author_row *row = &node->authors[i];
        if (!row->is_asked || row->source != peer->connection ||
            seconds_since_ask(node, row) < PARLEY_IDENTITY_LONGEST_S)
            continue;
        is_any = true;
        row->is_asked = false;
        peer->identities_count--;
        missing_name(node, i);
        if (!hand_over(node, i))
            named_end(node, i);
    }
    if (is_any)
        heads_lose(node); /* others may have told of them, too */
}

void identity_on_timer(struct parley_node *node) {
    for (size_t i = 0; i < node->peers_count; i++) {
        struct peer *peer = &node->peers[i];
        if (peer->phase != PEER_OPEN || peer->identities_count == 0)
            continue;
        if (node->now >= peer->identities_deadline) {
            identity_drop_peer(node, peer);
            continue;
        }
        if (node->now >= peer->identities_sweep) {
            pass_over(node, peer);
            peer->identities_sweep = node->now + LONGEST_MS;
        }
        deadline_lower(node, peer->identities_deadline < peer->identities_sweep
                                 ? peer->identities_deadline
                                 : peer->identities_sweep);
    }
    identity_pump(node);
}
