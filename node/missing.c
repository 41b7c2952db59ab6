#include "internal.h"

/* Logs that miss something and have nobody to be asked for it. Who holds the same head may have it,
 * and no session finds that: every peer is asked for its heads of them, by name. SPEC 11.8. So is
 * it for authors whom a relay's owner follows and of whom nothing is here: of all that a peer has a
 * session tells only as much as there is room for, in any order. SPEC 9.2.2.
 *
 * However many are missed by all, each has its turn: what is asked of a peer goes on where it
 * stopped the last time. */

#define PORTION_ROWS 2048u /* logs looked at in one step: a millisecond or two */
#define NAMES_MAX    4096u /* asked for in one turn */

static_assert(PARLEY_INTEREST_PER_MESSAGE * 34 <= PARLEY_HEADS_BYTES, "a list of names fits");

/* What a peer was asked before is asked again as its link gets twice as old, and regularly in the
 * end; at once when something else is missing, or whoever is asked in its place is another, or had
 * nothing. */
static uint64_t turn_of(const struct parley_node *node, const struct peer *peer) {
    parley_time_ms age = node->now - peer->opened_at;
    uint64_t doublings = 0;
    if (age >= PARLEY_MISSING_AGAIN_MS)
        return PARLEY_MISSING_AGAIN_MS + age / PARLEY_MISSING_AGAIN_MS;
    for (; age >= PARLEY_HEADS_EVERY_MS; age /= 2)
        doublings++;
    return doublings;
}

static bool was_named(struct parley_node *node, const struct peer *peer, uint32_t author) {
    const struct author_row *row = &node->authors[author];
    struct {
        uint64_t connection, author, asked, turn, anew;
    } all = {peer->connection, author, (uint64_t)row->asked_s * 2 + row->is_asked,
             turn_of(node, peer), node->sessions.missing_anew};
    return said_before(node, PARLEY_SPAN(&all, sizeof all));
}

static bool was_asked(struct parley_node *node, const struct peer *peer, uint32_t log) {
    const struct log_row *row = &node->logs[log];
    struct {
        uint64_t connection, log, newest, count, bodies, source, turn, anew;
    } all = {peer->connection, log,         log_newest(row),     row->entries_count,
             row->bodies.high, row->source, turn_of(node, peer), node->sessions.missing_anew};
    return said_before(node, PARLEY_SPAN(&all, sizeof all));
}

static bool is_unheard(const struct parley_node *node, uint32_t author) {
    const struct author_row *row = &node->authors[author];
    return !row->is_free && !row->set.revealed && !quota_is_stranger(node, author) &&
           author_is_wanted(node, author);
}

static bool is_missing(struct parley_node *node, const struct peer *peer, uint32_t log) {
    const struct log_row *row = &node->logs[log];
    const struct log_bodies *bodies = &row->bodies;
    if (row->is_free)
        return false;
    bool lacks_named = row->pin == PIN_ABSENT && row->policy.seq != 0 && row->fetch == NONE;
    bool lacks_bodies = bodies->high != 0 && bodies->ask == NONE &&
                        (bodies->source == 0 || peer_find(node, bodies->source) == NULL);
    return (lacks_named || lacks_bodies || log_misses(node, row)) &&
           author_is_wanted(node, row->author) && peer_wants(node, peer, row->author) &&
           node->authors[row->author].set.revealed;
}

/* A portion; false: it could not be sent. */
static bool name_some(struct parley_node *node, struct peer *peer) {
    struct peer_session *state = &peer->session;
    struct parley_wire_message message = {.type = PARLEY_WIRE_INTEREST_CHANGE};
    struct parley_writer names;
    size_t count = 0;
    parley_writer_init(&names, node->heads, PARLEY_HEADS_BYTES);
    for (uint32_t looks = 0; looks < PORTION_ROWS && state->unheard_next < state->unheard_end &&
                             count < PARLEY_INTEREST_PER_MESSAGE && count < state->unheard_left;
         looks++, state->unheard_next++) {
        uint32_t author = state->unheard_next;
        if (!is_unheard(node, author) || was_named(node, peer, author))
            continue;
        parley_wire_put_author(&names, &node->authors[author].set.author);
        count++;
    }
    state->unheard_left -= (uint32_t)count;
    if (state->unheard_left == 0)
        state->unheard_end = 0; /* the others in its next turn */
    message.as.interest_change.added = parley_wire_list_of(&names, count);
    return count == 0 || peer_send_message(node, peer, &message);
}

/* A portion; false: it could not be sent. */
static bool ask_some(struct parley_node *node, struct peer *peer) {
    struct peer_session *state = &peer->session;
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_HEADS_OF};
    struct parley_writer names;
    size_t count = 0;
    parley_writer_init(&names, node->heads, PARLEY_HEADS_BYTES);
    for (uint32_t looks = 0; looks < PORTION_ROWS && state->missing_looks > 0 &&
                             count < state->missing_left && count < PARLEY_WIRE_LOGS_MAX;
         looks++, state->missing_looks--, state->missing_next++) {
        if (state->missing_next >= node->logs_count)
            state->missing_next = 0;
        if (!is_missing(node, peer, state->missing_next) ||
            was_asked(node, peer, state->missing_next))
            continue;
        parley_wire_put_log(&names, &node->logs[state->missing_next].log);
        count++;
    }
    state->missing_left -= (uint32_t)count;
    message.as.ask_heads_of.logs = parley_wire_list_of(&names, count);
    return count == 0 || peer_send_message(node, peer, &message);
}

void missing_ask(struct parley_node *node, struct peer *peer) {
    missing_name_all(node, peer);
    if (!peer->session.is_spoken || peer->is_silent)
        return;
    peer->session.missing_left = NAMES_MAX;
    peer->session.missing_looks = node->logs_count;
    deadline_lower(node, node->now);
}

/* Of authors from .. to - 1, beside what is to be named already. Whom the owner follows is said to
 * peers of our own choice, not to whoever links. */
static void name_range(struct parley_node *node, struct peer *peer, uint32_t from, uint32_t to) {
    struct peer_session *state = &peer->session;
    if (!node->config.relay || peer->phase != PEER_OPEN || peer_is_stranger(peer) || from >= to)
        return;
    bool is_none = state->unheard_next >= state->unheard_end;
    state->unheard_next = is_none || from < state->unheard_next ? from : state->unheard_next;
    state->unheard_end = is_none || to > state->unheard_end ? to : state->unheard_end;
    state->unheard_left = NAMES_MAX;
    deadline_lower(node, node->now);
}

void missing_name_all(struct parley_node *node, struct peer *peer) {
    name_range(node, peer, 0, node->authors_count);
}

void missing_name(struct parley_node *node, uint32_t author) {
    if (!is_unheard(node, author))
        return;
    for (size_t i = 0; i < node->peers_count; i++)
        name_range(node, &node->peers[i], author, author + 1);
}

static void go_on(struct parley_node *node, struct peer *peer) {
    struct peer_session *state = &peer->session;
    bool is_naming = state->unheard_next < state->unheard_end;
    bool is_asking = state->missing_left > 0 && state->missing_looks > 0;
    if (peer->phase != PEER_OPEN || !(is_naming || is_asking) ||
        peer->unsent_bytes >= peer_window(node, PARLEY_WINDOW_BYTES))
        return;
    deadline_lower(node, node->now);
    if (is_naming && effects_have_room(node) && !name_some(node, peer))
        state->unheard_end = 0; /* until its next turn */
    if (is_asking && effects_have_room(node) && !ask_some(node, peer))
        state->missing_left = 0;
}

/* Nothing while the store tells anew what it holds: all would be unheard of. */
void missing_pump(struct parley_node *node) {
    for (size_t i = 0; i < node->peers_count && !node->is_reloading; i++)
        go_on(node, &node->peers[i]);
}
