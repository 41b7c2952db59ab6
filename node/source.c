#include "internal.h"

/* Whom to ask for what is missing of a log: one at a time, and which of those who tell that they
 * have it. To tell costs nothing, and an ask that nobody answers takes long: so whoever told of
 * what was not to be had is asked after those who gave what they told of, and for little at a time.
 */

/* --- whose word counts ---------------------------------------------------------------------- */

/* An honest one may be vain now and then: what it gives brings it back. */
#define VAIN_SILENT 2u
#define VAIN_EMPTY  1u /* what it told of may have gone since */

void source_open(struct peer *peer) {
    peer->vain = peer->book != NONE || peer->is_owners ? 0 : PARLEY_VAIN_OF_STRANGERS;
}

void source_gave(struct peer *peer) {
    peer->vain -= peer->vain > 0;
}

static void count_vain(struct peer *peer, unsigned more) {
    unsigned vain = peer->vain + more;
    peer->vain = (uint8_t)(vain < PARLEY_VAIN_MAX ? vain : PARLEY_VAIN_MAX);
}

void source_was_silent(struct peer *peer) {
    count_vain(peer, VAIN_SILENT);
}

void source_was_empty(struct peer *peer) {
    count_vain(peer, VAIN_EMPTY);
}

bool source_is_believed(struct parley_node *node, parley_connection connection) {
    const struct peer *peer = connection == 0 ? NULL : peer_find(node, connection);
    return peer != NULL && peer->vain <= PARLEY_VAIN_OF_STRANGERS;
}

size_t source_window(const struct peer *peer) {
    if (peer->vain > PARLEY_VAIN_OF_STRANGERS)
        return 1;
    return peer->vain == 0 ? PARLEY_FETCHES_PER_PEER : PARLEY_FETCHES_OF_STRANGER;
}

/* --- which ---------------------------------------------------------------------------------- */

struct source {
    parley_connection connection;
    parley_seq seq, low;
    struct parley_id id;
};

static void source_set(struct log_row *row, const struct source *source) {
    row->source = source->connection;
    row->source_seq = source->seq;
    row->source_low = source->low;
    row->source_id = source->id;
    row->source_named = 0;
}

/* Whether the new one takes the place of the row's source, and is in it then. */
static bool source_take(struct parley_node *node, struct log_row *row, const struct source *new) {
    struct source old = {row->source, row->source_seq, row->source_low, row->source_id};
    parley_seq old_named = row->source_named;
    struct parley_wire_ask_run ask;
    bool is_gone = old.connection == 0 || peer_find(node, old.connection) == NULL;
    bool is_better =
        new->seq > old.seq || (new->seq == old.seq &&new->low <= new->seq &&new->low < old.low);
    bool has_more = !is_gone && fetch_next_ask(node, row, &ask);
    struct peer *peer = peer_find(node, new->connection);
    /* Whoever had nothing for this log has no claim to it, whatever their word is worth. */
    bool has_claim = has_more && (row->failures == 0 || old.connection == new->connection);
    unsigned vain = has_claim ? peer_find(node, old.connection)->vain : UINT8_MAX;
    if (peer->vain > vain) {
        peer->is_forgotten |= is_better && peer->vain <= PARLEY_VAIN_OF_STRANGERS; /* told once */
        return false;
    }
    if (!is_better && peer->vain == vain)
        return false;
    source_set(row, new);
    if (!has_more || is_better || fetch_next_ask(node, row, &ask))
        return true;
    source_set(row, &old);
    row->source_named = old_named;
    return false;
}

/* A source that failed gives way to any other that has something of what is missing; but what tells
 * of more is told once, and is heard. */
void want(struct parley_node *node, struct peer *peer, uint32_t log, parley_seq seq,
          const struct parley_id *id, parley_seq low) {
    struct log_row *row = &node->logs[log];
    if (peer->is_silent)
        return;
    bool is_other = row->source != peer->connection;
    struct source source = {peer->connection, seq, low == 0 ? seq + 1 : low, *id};
    if (source_take(node, row, &source) && is_other) {
        row->failures = 0;
        row->retry_at = 0;
        fetch_hurry(node, log, peer);
    }
    queue_log(node, log);
}

void want_named(struct parley_node *node, struct peer *peer, uint32_t log,
                const struct parley_wire_head *head) {
    struct log_row *row = &node->logs[log];
    if (peer->is_silent || head->low_seq == 0 || row->policy.seq != head->seq ||
        !PARLEY_EQUAL(row->policy.id, head->id))
        return; /* its identity set is another one: told again when they are the same */
    if (row->source != peer->connection) {
        want(node, peer, log, head->seq, &head->id, head->low_seq);
        return;
    }
    row->source_named = head->low_seq;
    queue_log(node, log);
}
