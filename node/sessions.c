#include "internal.h"

#include <stdlib.h>

/* Sessions of reconciliation: when and with whom, turn by turn, and what follows from what they
 * find. A few at a time, those that we open and those that we answer apart: who answers never waits
 * for who answers. */

#define TURN_BYTES_MAX 16384u /* of one message; more go into the next */
#define ROWS_TO_COME   64u    /* while a set is made; what does not fit differs until the next */

/* --- places -------------------------------------------------------------------------------- */

bool sessions_create(struct parley_node *node) {
    struct sessions *all = &node->sessions;
    size_t items = (size_t)node->config.logs_max + node->config.authors_max;
    size_t buckets = parley_reconcile_buckets_for((uint32_t)items);
    size_t one = items * sizeof(struct parley_reconcile_item) +
                 buckets * sizeof(struct parley_reconcile_bucket);
    all->memory = calloc(1, PARLEY_SESSIONS_MAX * one + 2 * PARLEY_SMALL_BATCH_BYTES);
    all->said = calloc(PARLEY_SAID_MAX, sizeof *all->said);
    if (all->memory == NULL || all->said == NULL)
        return false;
    uint8_t *at = all->memory;
    for (size_t i = 0; i < PARLEY_SESSIONS_MAX; i++, at += one) {
        all->slots[i].items = (struct parley_reconcile_item *)at;
        all->slots[i].buckets = (struct parley_reconcile_bucket *)(all->slots[i].items + items);
    }
    parley_writer_init(&all->asks.writer, at, PARLEY_SMALL_BATCH_BYTES);
    parley_writer_init(&all->runs.writer, at + PARLEY_SMALL_BATCH_BYTES, PARLEY_SMALL_BATCH_BYTES);
    return true;
}

void sessions_free(struct parley_node *node) {
    free(node->sessions.memory);
    free(node->sessions.said);
}

/* Places below PARLEY_SESSIONS_OURS are for what we open. The one that was free for longest. */
static struct session *free_slot(struct parley_node *node, bool is_ours) {
    size_t from = is_ours ? 0 : PARLEY_SESSIONS_OURS;
    size_t to = is_ours ? PARLEY_SESSIONS_OURS : PARLEY_SESSIONS_MAX;
    struct session *found = NULL;
    for (size_t i = from; i < to; i++) {
        struct session *slot = &node->sessions.slots[i];
        if (slot->phase == SESSION_FREE && (found == NULL || slot->deadline < found->deadline))
            found = slot;
    }
    return found;
}

static struct session *session_of(struct parley_node *node, const struct peer *peer) {
    for (size_t i = 0; i < PARLEY_SESSIONS_MAX; i++) {
        struct session *slot = &node->sessions.slots[i];
        if (slot->phase != SESSION_FREE && slot->phase != SESSION_TELLING &&
            slot->connection == peer->connection)
            return slot;
    }
    return NULL;
}

static void take_slot(struct parley_node *node, struct session *slot, struct peer *peer,
                      bool is_ours, uint64_t number) {
    *slot = (struct session){.items = slot->items,
                             .buckets = slot->buckets,
                             .is_ours = is_ours,
                             .peer = peer_slot(node, peer),
                             .connection = peer->connection,
                             .number = number,
                             .deadline = node->now + PARLEY_SESSION_IDLE_MS,
                             .end_at = node->now + PARLEY_SESSION_LONGEST_MS};
}

/* --- beginning and end --------------------------------------------------------------------- */

static void begin_set(struct parley_node *node, struct session *session) {
    struct peer *peer = &node->peers[session->peer];
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    parley_reconcile_key(key, &peer->link, session->number);
    size_t most = node->config.logs_max + node->config.authors_max;
    size_t rows = node->logs_used + node->authors_used + ROWS_TO_COME;
    parley_reconcile_init(&session->set, key, session->items, session->buckets,
                          (uint32_t)(rows < most ? rows : most));
    session->phase = SESSION_BUILDING;
    session->changes = node->changes_count;
    session->is_again |= peer->session.is_again;
    missing_ask(node, peer);
    if (node->config.relay)
        session->set.room = named_room(node, peer);
    deadline_lower(node, node->now);
}

/* The same found again and again, or no answer at all: ever more rarely. Whoever always differs, or
 * is always silent, costs a bounded amount. */
static void note_findings(struct parley_node *node, struct peer *peer,
                          const struct session *session, bool is_unanswered) {
    struct peer_session *state = &peer->session;
    bool is_same =
        is_unanswered || (session->set.differences > 0 && session->findings == state->findings);
    state->findings = session->findings;
    state->fruitless = is_same ? state->fruitless + 1 : 0;
    unsigned doublings =
        state->fruitless < PARLEY_SESSION_DOUBLINGS ? state->fruitless : PARLEY_SESSION_DOUBLINGS;
    state->open_at =
        node->now + (state->fruitless == 0 ? PARLEY_SESSION_EVERY_MS
                                           : (parley_time_ms)PARLEY_HEADS_EVERY_MS << doublings);
}

/* is_cut: what was to follow did not come, which is no refusal. */
static void end_session(struct parley_node *node, struct session *session, bool is_cut) {
    struct peer *peer = &node->peers[session->peer];
    bool had_set = session->phase == SESSION_TALKING;
    /* While the store has failed nobody is read: then nobody is silent either. */
    bool is_unanswered = session->phase == SESSION_OPENING && is_cut && !node->is_failed;
    session->phase = session->tells_left > 0 ? SESSION_TELLING : SESSION_FREE;
    session->deadline = node->now;
    peer->is_forgotten |= is_cut;
    if (had_set && session->set.room == 0) {
        peer->has_more_names = true;
        peer->is_forgotten |= peer->named_count == 0;
    }
    if (!session->is_ours) {
        /* What differs may take several: names that there was no room for, asks that ended. */
        if (had_set && session->set.differences > 0)
            peer->session.answer_at = node->now + PARLEY_SESSION_AGAIN_MS;
        if (!is_cut)
            peer->session.pushed_out = 0;
        return;
    }
    session->findings += is_cut; /* another end than a whole one */
    note_findings(node, peer, session, is_unanswered);
}

void sessions_open_link(struct parley_node *node, struct peer *peer, uint64_t features) {
    peer->session.is_spoken = (features & PARLEY_WIRE_RECONCILES) != 0 && !node->config.tells_all;
    peer->session.ours = peer->is_dialled ? 0 : 1;
    peer->session.is_due = peer->session.is_spoken && peer->is_dialled;
    if (peer->session.is_spoken)
        unwanted_begin(node, peer);
}

void sessions_drop_peer(struct parley_node *node, struct peer *peer) {
    for (size_t i = 0; i < PARLEY_SESSIONS_MAX; i++) {
        struct session *slot = &node->sessions.slots[i];
        if (slot->connection != peer->connection)
            continue;
        slot->phase = SESSION_FREE;
        slot->connection = 0;
        slot->deadline = 0;
    }
    small_drop_peer(node, peer);
}

void sessions_stop(struct parley_node *node) {
    for (size_t i = 0; i < PARLEY_SESSIONS_MAX; i++) {
        struct session *slot = &node->sessions.slots[i];
        slot->tells_left = 0;
        if (slot->phase != SESSION_FREE)
            end_session(node, slot, true);
        slot->connection = 0;
    }
}

/* One that is not answered for a while is no work: the other has others, or tells us less. */
static bool is_work(const struct parley_node *node, const struct session *slot) {
    parley_time_ms since = slot->deadline - PARLEY_SESSION_IDLE_MS;
    if (slot->phase != SESSION_OPENING || !node->peers[slot->peer].session.is_begun)
        return slot->phase != SESSION_FREE;
    return node->now < since + PARLEY_SESSION_PATIENCE_MS;
}

bool sessions_are_under_way(const struct parley_node *node) {
    for (size_t i = 0; i < PARLEY_SESSIONS_MAX; i++)
        if (is_work(node, &node->sessions.slots[i]))
            return true;
    return false;
}

/* --- when ---------------------------------------------------------------------------------- */

bool sessions_ask(struct parley_node *node, struct peer *peer) {
    struct peer_session *state = &peer->session;
    if (!state->is_spoken)
        return false;
    bool is_under_way = state->is_due || state->is_asked || session_of(node, peer) != NULL;
    bool waits_for_first = !state->is_begun && !peer->is_dialled;
    if (is_under_way || waits_for_first)
        return true;
    state->turns++;
    /* Also a first one that came to nothing: the dialler asks for heads in no other way before. */
    bool wants = !state->is_begun || peer->is_forgotten || state->has_lost ||
                 state->turns >= PARLEY_SESSION_TURNS;
    if (!wants || node->now < state->open_at)
        return !state->is_begun;
    state->is_due = true;
    return true;
}

static bool say(struct parley_node *node, struct peer *peer, uint64_t number, bool last, bool again,
                const struct parley_reconcile_out *out) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_RECONCILE};
    message.as.reconcile.session = number;
    message.as.reconcile.last = last;
    message.as.reconcile.again = again;
    if (out != NULL)
        message.as.reconcile.ranges = parley_wire_list_of(&out->writer, out->count);
    return peer_send_message(node, peer, &message);
}

/* Whose place somebody else may have: of who has not said a word for longest. NULL: of nobody yet.
 * Of ours only what is told goes: a turn that does not come ends them by itself. */
static struct session *silent_slot(struct parley_node *node, bool is_ours) {
    struct session *found = NULL;
    size_t from = is_ours ? 0 : PARLEY_SESSIONS_OURS;
    size_t to = is_ours ? PARLEY_SESSIONS_OURS : PARLEY_SESSIONS_MAX;
    for (size_t i = from; i < to; i++) {
        struct session *slot = &node->sessions.slots[i];
        parley_time_ms until = slot->deadline - PARLEY_SESSION_IDLE_MS + PARLEY_SESSION_PATIENCE_MS;
        if (slot->phase == SESSION_TELLING) /* it takes what is told too slowly */
            until = slot->end_at;
        else if (slot->phase != SESSION_TALKING || is_ours)
            continue;
        if (node->now < until)
            deadline_lower(node, until);
        else if (found == NULL || slot->deadline < found->deadline)
            found = slot;
    }
    return found;
}

/* It may have been nobody's fault: later, and ever later, it has another. */
static void push_out(struct parley_node *node, struct session *slot) {
    struct peer *peer = &node->peers[slot->peer];
    struct peer_session *state = &peer->session;
    bool is_telling = slot->phase == SESSION_TELLING;
    slot->tells_left = 0;
    if (is_telling) {
        slot->phase = SESSION_FREE;
        peer->budget.owes_all = true; /* what it did not hear */
        return;
    }
    end_session(node, slot, true);
    unsigned doublings =
        state->pushed_out < PARLEY_SESSION_DOUBLINGS ? state->pushed_out : PARLEY_SESSION_DOUBLINGS;
    state->answer_at = node->now + ((parley_time_ms)PARLEY_SESSION_EVERY_MS << doublings);
    state->pushed_out++;
}

static void open_ours(struct parley_node *node, struct peer *peer) {
    struct peer_session *state = &peer->session;
    struct session *slot = free_slot(node, true);
    if (slot == NULL && (slot = silent_slot(node, true)) != NULL)
        push_out(node, slot);
    if (slot == NULL || !effects_have_room(node) || state->ours + 2 > PARLEY_WIRE_REQUEST_MAX)
        return;
    state->is_due = false;
    if (!say(node, peer, state->ours + 2, true, state->has_lost, NULL))
        return;
    state->ours += 2;
    state->turns = 0;
    take_slot(node, slot, peer, true, state->ours);
    slot->phase = SESSION_OPENING;
    slot->is_again = state->has_lost;
    state->has_lost = false;
    peer->is_forgotten = false;
}

/* Strangers after the others, and then whoever waits for longest. */
static struct peer *next_to_answer(struct parley_node *node) {
    struct peer *found = NULL;
    for (size_t i = 0; i < node->peers_count; i++) {
        struct peer *peer = &node->peers[i];
        if (peer->phase != PEER_OPEN || !peer->session.is_asked || session_of(node, peer) != NULL)
            continue;
        if (node->now < peer->session.answer_at) {
            deadline_lower(node, peer->session.answer_at);
            continue;
        }
        bool is_before = found == NULL || peer_is_stranger(peer) < peer_is_stranger(found) ||
                         (peer_is_stranger(peer) == peer_is_stranger(found) &&
                          peer->session.asked_at < found->session.asked_at);
        if (is_before && budget_may_tell(node, peer))
            found = peer;
    }
    return found;
}

/* False: nobody waits, or there is no place. */
static bool answer_next(struct parley_node *node) {
    struct peer *peer = next_to_answer(node);
    struct session *slot = peer == NULL ? NULL : free_slot(node, false);
    if (peer != NULL && slot == NULL) {
        slot = silent_slot(node, false);
        if (slot != NULL)
            push_out(node, slot);
    }
    if (slot == NULL)
        return false;
    struct peer_session *state = &peer->session;
    state->is_asked = false;
    state->answer_at = node->now + PARLEY_SESSION_EVERY_MS;
    take_slot(node, slot, peer, false, state->theirs);
    begin_set(node, slot);
    if (state->is_again)
        unwanted_lost(node, peer);
    state->is_again = false;
    state->turns = 0;
    peer->is_forgotten = false; /* a session serves both */
    return true;
}

/* --- what was found ------------------------------------------------------------------------ */

struct hearing {
    struct parley_node *node;
    struct peer *peer;
    struct session *session;
};

bool said_before(struct parley_node *node, struct parley_span what) {
    uint64_t mark = table_hash_of(node, what);
    uint64_t *place = &node->sessions.said[mark % PARLEY_SAID_MAX];
    bool was = *place == mark;
    *place = mark;
    return was;
}

/* Whether this was said to this peer before, while both items were these; from now on it was. */
static bool was_said(struct parley_node *node, const struct hearing *hearing, uint64_t hash,
                     const struct parley_reconcile_found *found) {
    bool is_other = found->finding == PARLEY_RECONCILE_OTHER;
    struct {
        uint64_t connection, hash, is_other, seq, set, time;
    } all = {hearing->peer->connection,
             hash,
             is_other,
             found->seq,
             found->set,
             is_other ? node->now / PARLEY_SAID_AGAIN_MS : 0};
    return said_before(node, PARLEY_SPAN(&all, sizeof all)) && !hearing->session->is_again;
}

static bool on_found(void *context, const struct parley_reconcile_found *found) {
    struct hearing *hearing = context;
    struct parley_node *node = hearing->node;
    uint64_t hash = session_hash(node, hearing->session, found->item);
    hearing->session->findings += hash;
    if (found->finding != PARLEY_RECONCILE_ABOVE) {
        if (was_said(node, hearing, hash, found))
            return false;
        session_tell(hearing->session, found->item);
        return true;
    }
    uint32_t log = session_log(node, hearing->session, found->item);
    if (log == NONE || !author_is_wanted(node, node->logs[log].author))
        return true;
    /* Its id is not known; nor how far down it goes: to the start, as most do. */
    struct parley_id unknown = {{0}};
    want(node, hearing->peer, log, found->seq, &unknown, 1);
    bodies_want(node, hearing->peer, log, found->seq);
    return true;
}

/* --- turns --------------------------------------------------------------------------------- */

/* False: it is over. */
static bool flush(struct parley_node *node, struct hearing *hearing,
                  struct parley_reconcile_out *out, bool last) {
    struct session *session = hearing->session;
    size_t size = PARLEY_LINK_SEALED_SIZE(out->writer.size + 16);
    bool fits = size <= session->bytes_left && session->turns < PARLEY_SESSION_TURNS_MAX;
    if (!fits || !say(node, hearing->peer, session->number, last, false, out)) {
        end_session(node, session, true);
        return false;
    }
    session->bytes_left -= size;
    if (!session->is_ours)
        budget_take_telling(hearing->peer, size);
    session->is_answering |= out->is_answered;
    parley_writer_init(&out->writer, node->items, TURN_BYTES_MAX);
    out->count = 0;
    out->is_answered = false;
    return true;
}

static void begin_turns(struct parley_node *node, struct session *session) {
    struct hearing hearing = {node, &node->peers[session->peer], session};
    struct parley_reconcile_out out = {0};
    session->phase = SESSION_TALKING;
    session->bytes_left = PARLEY_SESSION_BYTES_MIN + 16u * (size_t)session->set.count;
    hearing.peer->session.places = session->number;
    hearing.peer->session.is_begun = true;
    /* From here on what changes is told as it changes. */
    if (!hearing.peer->is_told && session->changes > hearing.peer->heads_told)
        hearing.peer->heads_told = session->changes;
    if (session->is_ours)
        return;
    parley_writer_init(&out.writer, node->items, TURN_BYTES_MAX);
    parley_reconcile_open(&session->set, &out);
    session->turns++;
    (void)flush(node, &hearing, &out, true);
    session->is_answering = false;
}

static void end_turn(struct parley_node *node, struct hearing *hearing,
                     struct parley_reconcile_out *out) {
    struct session *session = hearing->session;
    if (!session->is_expecting) {
        end_session(node, session, false);
        return;
    }
    session->is_expecting = false;
    session->turns++;
    if (!flush(node, hearing, out, true))
        return;
    if (!session->is_answering)
        end_session(node, session, false);
    session->is_answering = false;
}

static void hear(struct parley_node *node, struct hearing *hearing,
                 const struct parley_wire_reconcile *message) {
    struct parley_reconcile_out out = {0};
    struct parley_wire_list ranges = message->ranges;
    struct parley_wire_range range;
    hearing->session->deadline = node->now + PARLEY_SESSION_IDLE_MS;
    parley_writer_init(&out.writer, node->items, TURN_BYTES_MAX);
    while (parley_wire_next_range(&ranges, &range)) {
        hearing->session->is_expecting |= range.form != PARLEY_RANGE_MORE;
        if ((out.count + 8 > PARLEY_WIRE_RANGES_MAX ||
             out.writer.size + PARLEY_RECONCILE_ANSWER_MAX > TURN_BYTES_MAX) &&
            !flush(node, hearing, &out, false))
            return;
        parley_reconcile_answer(&hearing->session->set, &out, &range, on_found, hearing);
    }
    if (message->last)
        end_turn(node, hearing, &out);
    else if (out.count > 0)
        (void)flush(node, hearing, &out, false);
    identity_pump(node);
    fetch_pump(node);
}

/* A number of theirs that is new opens a session, if nothing else is said. */
static bool is_opening(const struct peer *peer, const struct parley_wire_reconcile *message) {
    return message->ranges.count == 0 && message->session > peer->session.theirs &&
           message->session % 2 == (peer->is_dialled ? 1 : 0);
}

static void on_opening(struct parley_node *node, struct peer *peer,
                       const struct parley_wire_reconcile *message) {
    struct session *own = session_of(node, peer);
    peer->session.theirs = message->session;
    peer->session.is_begun = true;
    if (own != NULL && own->is_ours && peer->is_dialled)
        return; /* of two that cross the dialler's stays */
    if (own != NULL) {
        bool is_cut = own->phase != SESSION_OPENING;
        end_session(node, own, is_cut);
    }
    peer->session.is_due = false;
    if (!peer->session.is_asked)
        peer->session.asked_at = node->now;
    peer->session.is_asked = true;
    peer->session.is_again = message->again;
}

void on_reconcile(struct parley_node *node, struct peer *peer,
                  const struct parley_wire_reconcile *message) {
    struct session *session = session_of(node, peer);
    if (!peer->session.is_spoken)
        return;
    if (is_opening(peer, message)) {
        on_opening(node, peer, message);
        return;
    }
    if (session == NULL || session->number != message->session) {
        if (message->ranges.count > 0)
            (void)say(node, peer, message->session, true, false, NULL);
        return;
    }
    if (session->phase != SESSION_TALKING) { /* ended before it began */
        end_session(node, session, true);
        return;
    }
    struct hearing hearing = {node, peer, session};
    hear(node, &hearing, message);
}

void sessions_prepare(struct parley_node *node, struct peer *peer,
                      const struct parley_wire_message *message) {
    if (message->type != PARLEY_WIRE_RECONCILE || message->as.reconcile.ranges.count == 0)
        return;
    struct session *session = session_of(node, peer);
    if (session != NULL && session->phase == SESSION_OPENING &&
        session->number == message->as.reconcile.session)
        begin_set(node, session);
}

bool sessions_must_wait(const struct parley_node *node, const struct peer *peer,
                        const struct parley_wire_message *message) {
    for (size_t i = 0; i < PARLEY_SESSIONS_MAX; i++) {
        const struct session *slot = &node->sessions.slots[i];
        if (slot->phase == SESSION_BUILDING && slot->is_ours &&
            slot->connection == peer->connection)
            return message->type == PARLEY_WIRE_RECONCILE &&
                   slot->number == message->as.reconcile.session;
    }
    return false;
}

/* --- at the end of a step ------------------------------------------------------------------ */

static void session_go_on(struct parley_node *node, struct session *session) {
    struct peer *peer = &node->peers[session->peer];
    switch (session->phase) {
    case SESSION_FREE:
        return;
    case SESSION_BUILDING:
        if (effects_have_room(node) && session_build(node, peer, session))
            begin_turns(node, session);
        deadline_lower(node, node->now);
        return;
    case SESSION_OPENING:
    case SESSION_TALKING:
        session_tell_on(node, peer, session);
        if (node->now >= session->deadline || node->now >= session->end_at)
            end_session(node, session, true);
        else
            deadline_lower(node, session->deadline < session->end_at ? session->deadline
                                                                     : session->end_at);
        return;
    case SESSION_TELLING:
        session_tell_on(node, peer, session);
        if (session->tells_left == 0)
            session->phase = SESSION_FREE;
        return;
    }
}

void sessions_pump(struct parley_node *node) {
    for (size_t i = 0; i < node->peers_count; i++) {
        struct peer *peer = &node->peers[i];
        if (peer->phase != PEER_OPEN || session_of(node, peer) != NULL)
            continue;
        if (!peer->session.is_asked && peer->session.is_due)
            open_ours(node, peer);
    }
    for (size_t i = 0; i < PARLEY_SESSIONS_MAX && answer_next(node); i++)
        continue;
    for (size_t i = 0; i < PARLEY_SESSIONS_MAX; i++)
        session_go_on(node, &node->sessions.slots[i]);
}

void sessions_check(const struct parley_node *node) {
    for (size_t i = 0; i < PARLEY_SESSIONS_MAX; i++) {
        const struct session *slot = &node->sessions.slots[i];
        if (slot->phase == SESSION_FREE)
            continue;
        assert(slot->is_ours == (i < PARLEY_SESSIONS_OURS));
        assert(node->peers[slot->peer].connection == slot->connection);
        assert(node->peers[slot->peer].phase != PEER_FREE);
        assert(slot->tells_left <= slot->set.count);
    }
}
