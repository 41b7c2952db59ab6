#include "internal.h"

/* Buckets that fill with time. Who has emptied one is not read until there is something in it: the
 * transport then holds back whatever else it says, and nobody is blamed. What was of use (an entry
 * or record that was not here, an answer that was asked for) costs nothing.
 *
 * Strangers have a bucket together, too. When that is empty each still has a share that nobody
 * takes from it, so that who says little is heard whatever the others do. */

#define MILLI 1000

struct rate {
    int64_t in_a_second, most;
};

static const struct rate OWN[BUDGET_KINDS] = {
    [BUDGET_BYTES] = {PARLEY_PEER_BYTES_RATE, PARLEY_PEER_BYTES_BURST},
    [BUDGET_ASKS] = {PARLEY_PEER_ASKS_RATE, PARLEY_PEER_ASKS_BURST},
    [BUDGET_CHECKS] = {PARLEY_PEER_CHECKS_RATE, PARLEY_PEER_CHECKS_BURST},
};
static const struct rate ALL[BUDGET_KINDS] = {
    [BUDGET_BYTES] = {PARLEY_STRANGERS_BYTES_RATE, PARLEY_STRANGERS_BYTES_RATE},
    [BUDGET_ASKS] = {PARLEY_STRANGERS_ASKS_RATE, PARLEY_STRANGERS_ASKS_RATE},
    [BUDGET_CHECKS] = {PARLEY_STRANGERS_CHECKS_RATE, PARLEY_STRANGERS_CHECKS_RATE},
};
static const struct rate HANDSHAKES = {PARLEY_HANDSHAKES_RATE, PARLEY_HANDSHAKES_RATE};

static int64_t fill(struct bucket *bucket, const struct rate *rate, parley_time_ms now) {
    parley_time_ms since = now - bucket->at;
    int64_t most = rate->most * MILLI;
    if (since > 3600 * MILLI)
        since = 3600 * MILLI;
    bucket->left += (int64_t)since * rate->in_a_second; /* a thousandth for each in a ms */
    if (bucket->left > most)
        bucket->left = most;
    bucket->at = now;
    return bucket->left;
}

/* What is held may be asked for once as fast as it goes: whoever begins asks for each author and
 * each log, and after a while in which nobody asked that is no more than was left over. */
static struct rate with_held(const struct parley_node *node, enum budget_kind kind,
                             struct rate rate) {
    if (kind == BUDGET_ASKS)
        rate.most += (int64_t)PARLEY_ASKS_FOR_HELD * (node->authors_used + node->logs_used);
    return rate;
}

static struct rate own_rate(const struct parley_node *node, enum budget_kind kind) {
    return with_held(node, kind, OWN[kind]);
}

static struct rate rate_of_all(const struct parley_node *node, enum budget_kind kind) {
    return with_held(node, kind, ALL[kind]);
}

/* A part of that of all, so that all shares together are as much again. */
static struct rate share_of(const struct parley_node *node, enum budget_kind kind) {
    int64_t rate = ALL[kind].in_a_second / (int64_t)node->config.peers_max;
    rate = rate > 0 ? rate : 1;
    return (struct rate){rate, rate};
}

bool peer_is_stranger(const struct peer *peer) {
    return !peer->is_dialled && !peer->is_owners;
}

void budgets_fill(struct parley_node *node) {
    for (int kind = 0; kind < BUDGET_KINDS; kind++)
        node->budget.all[kind].left = rate_of_all(node, (enum budget_kind)kind).most * MILLI;
    node->budget.handshakes.left = HANDSHAKES.most * MILLI;
}

void budget_begin(struct parley_node *node, struct peer *peer) {
    struct peer_budget *budget = &peer->budget;
    *budget = (struct peer_budget){0};
    for (int kind = 0; kind < BUDGET_KINDS; kind++) {
        struct rate rate = own_rate(node, (enum budget_kind)kind);
        budget->own[kind] = (struct bucket){rate.most * MILLI, node->now};
        budget->share[kind] = (struct bucket){0, node->now};
    }
    budget->telling = (struct bucket){
        (int64_t)(peer->is_dialled ? PARLEY_TELLING_BURST : PARLEY_TELLING_START) * MILLI,
        node->now};
}

bool budget_may_read(struct parley_node *node, struct peer *peer) {
    struct peer_budget *budget = &peer->budget;
    bool may = budget->step_asks < PARLEY_ASKS_PER_STEP;
    for (int kind = 0; may && kind < BUDGET_KINDS; kind++) {
        struct rate own = own_rate(node, (enum budget_kind)kind);
        struct rate all = rate_of_all(node, (enum budget_kind)kind);
        may = fill(&budget->own[kind], &own, node->now) > 0;
        if (!may || !peer_is_stranger(peer) || fill(&node->budget.all[kind], &all, node->now) > 0)
            continue;
        struct rate share = share_of(node, (enum budget_kind)kind);
        may = fill(&budget->share[kind], &share, node->now) > 0;
    }
    if (!may && budget->step_asks < PARLEY_ASKS_PER_STEP)
        budget->wait_until = node->now + PARLEY_RESUME_EVERY_MS;
    return may;
}

bool budget_may_shake(struct parley_node *node) {
    return fill(&node->budget.handshakes, &HANDSHAKES, node->now) > 0;
}

void budget_take_flight(struct parley_node *node) {
    node->budget.handshakes.left -= MILLI;
}

void budget_take(struct parley_node *node, struct peer *peer, enum budget_kind kind, size_t count) {
    int64_t all = (int64_t)count * MILLI;
    peer->budget.own[kind].left -= all;
    if (kind == BUDGET_BYTES)
        peer->budget.telling.left += peer_is_stranger(peer) ? all : PARLEY_TELLING_FOR_EACH * all;
    if (kind == BUDGET_ASKS)
        peer->budget.step_asks += (unsigned)count;
    if (!peer_is_stranger(peer))
        return;
    if (node->budget.all[kind].left > 0)
        node->budget.all[kind].left -= all;
    else
        peer->budget.share[kind].left -= all;
}

void budget_give_back(struct parley_node *node, struct peer *peer, size_t bytes) {
    peer->budget.own[BUDGET_BYTES].left += (int64_t)bytes * MILLI;
    peer->budget.own[BUDGET_ASKS].left += MILLI;
    if (!peer_is_stranger(peer))
        return;
    node->budget.all[BUDGET_BYTES].left += (int64_t)bytes * MILLI;
    node->budget.all[BUDGET_ASKS].left += MILLI;
}

void budget_give_back_checks(struct peer *peer, size_t count) {
    if (!peer_is_stranger(peer))
        peer->budget.own[BUDGET_CHECKS].left += (int64_t)count * MILLI;
}

/* Each is about what it costs: a look at a table is 1. */
static size_t asks_of(const struct parley_wire_message *message) {
    switch (message->type) {
    case PARLEY_WIRE_ASK_HEADS: /* goes through all authors */
    case PARLEY_WIRE_INTEREST:
        return 16;
    case PARLEY_WIRE_ASK_RUN:
    case PARLEY_WIRE_ASK_BODIES: /* reads from the disk */
        return 4;
    case PARLEY_WIRE_RECONCILE:
    case PARLEY_WIRE_SHUFFLE:
        return 8;
    case PARLEY_WIRE_ASK_IDENTITY:
        return 4 * message->as.ask_identity.authors.count;
    case PARLEY_WIRE_ASK_RUNS:
        return 1 + message->as.ask_runs.asks.count;
    case PARLEY_WIRE_ASK_HEADS_OF:
        return 1 + message->as.ask_heads_of.logs.count / 4;
    case PARLEY_WIRE_INTEREST_CHANGE:
        return 1 + message->as.interest_change.added.count / 4;
    case PARLEY_WIRE_HEADS:
        return 1 + message->as.heads.authors.count / 4;
    case PARLEY_WIRE_ANNOUNCE:
        return 1 + message->as.announce.places.count / 8;
    case PARLEY_WIRE_ADDRESSES:
        return 1 + message->as.addresses.records.count;
    case PARLEY_WIRE_HELLO:
    case PARLEY_WIRE_PING:
    case PARLEY_WIRE_GOODBYE:
    case PARLEY_WIRE_PONG:
    case PARLEY_WIRE_PRUNE:
    case PARLEY_WIRE_GRAFT:
    case PARLEY_WIRE_INVITE:
    case PARLEY_WIRE_WELCOME:
    case PARLEY_WIRE_RUN:
    case PARLEY_WIRE_BODIES:
    case PARLEY_WIRE_PUSH:
    case PARLEY_WIRE_IDENTITY:
    case PARLEY_WIRE_EVIDENCE:
    case PARLEY_WIRE_RUNS:
    case PARLEY_WIRE_IGNORED:
        return 1;
    }
    return 1;
}

void budget_take_message(struct parley_node *node, struct peer *peer,
                         const struct parley_wire_message *message) {
    budget_take(node, peer, BUDGET_ASKS, asks_of(message));
}

/* --- what is told again -------------------------------------------------------------------- */

/* Who was told much again pays for it within the hour. */
static int64_t telling(struct parley_node *node, struct peer *peer) {
    size_t rows = node->authors_used + node->logs_used;
    struct rate rate = {PARLEY_TELLING_RATE +
                            (int64_t)(rows * PARLEY_HEAD_BYTES / PARLEY_TELLING_SECONDS),
                        PARLEY_TELLING_BURST};
    return fill(&peer->budget.telling, &rate, node->now);
}

bool budget_may_tell(struct parley_node *node, struct peer *peer) {
    return budget_may_tell_all(node, peer, 0);
}

bool budget_may_tell_all(struct parley_node *node, struct peer *peer, size_t bytes) {
    int64_t left = telling(node, peer);
    bool may = left > 0 &&
               (left >= (int64_t)bytes * MILLI || left >= (int64_t)PARLEY_TELLING_BURST * MILLI);
    if (!may)
        deadline_lower(node, node->now + MILLI);
    return may;
}

size_t budget_telling(struct parley_node *node, struct peer *peer, size_t most) {
    int64_t left = telling(node, peer) / MILLI + 1; /* of less than a byte: one author */
    return left < (int64_t)most ? (size_t)left : most;
}

void budget_take_telling(struct peer *peer, size_t bytes) {
    peer->budget.telling.left -= (int64_t)bytes * MILLI;
}

/* --- what waits ---------------------------------------------------------------------------- */

size_t peer_window(const struct parley_node *node, size_t window) {
    return node->unsent_bytes < PARLEY_UNSENT_ALL_BYTES_MAX / 2 ? window
                                                                : window / PARLEY_WINDOW_SHARE;
}

static bool may_resume(struct parley_node *node, struct peer *peer) {
    if (peer->phase == PEER_LINKING)
        return budget_may_shake(node);
    return node->now >= peer->budget.wait_until && peer->stalled == NONE && node->jobs_free >= 2 &&
           store_has_room_for_more(node) && peer->jobs_count < PARLEY_JOBS_PER_PEER &&
           budget_may_read(node, peer);
}

/* A few at a time, whoever had no turn for longest first: who is resumed takes what is free, and
 * many that wait for one bucket do not all wake for what one of them takes. */
void budget_pump(struct parley_node *node) {
    struct budget *all = &node->budget;
    uint32_t resumed = 0;
    bool any = false;
    for (size_t i = 0; i < node->peers_count; i++)
        node->peers[i].budget.step_asks = 0;
    for (size_t i = 0; i < node->peers_count && resumed < PARLEY_RESUMES_PER_STEP; i++) {
        uint32_t slot = (uint32_t)((all->resume_next + i) % node->peers_count);
        struct peer *peer = &node->peers[slot];
        bool waits = peer->is_starved && (peer->phase == PEER_LINKING ||
                                          peer->phase == PEER_HELLO || peer->phase == PEER_OPEN);
        any |= waits;
        if (!waits || !may_resume(node, peer))
            continue;
        peer->is_starved = false;
        effect_push(node, PARLEY_EFFECT_RESUME)->resume = peer->connection;
        all->resume_next = slot + 1;
        resumed++;
    }
    if (any)
        deadline_lower(node, node->now + PARLEY_RESUME_EVERY_MS);
}
