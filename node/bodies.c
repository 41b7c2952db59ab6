#include "internal.h"

/* Bodies that come apart from their headers. Whoever sends headers alone must not keep the words
 * away: entries held without a body, neither erased nor purged here, are asked for from peers that
 * hold the log, newest first, down to the lowest and then again with a growing pause. Where they
 * are, the store knows; a row here keeps the stretch that has all of them inside. SPEC 9.8. */

#define QUEUE_LOOKS    64u /* logs looked at in one pump */
#define QUEUE_REFUSALS 16u /* in a row: their time has not come, or their peers are busy */
#define PEERS_A_PAUSE  4u  /* tried before the pause doubles: one alone may have them */
#define FAILURES_MAX   64u /* the pause is the longest by then */

/* --- which are missing --------------------------------------------------------------------- */

void bodies_missing(const struct parley_chunk *chunk, parley_seq low, parley_seq high,
                    struct pending_store *after) {
    struct parley_chunk_cursor cursor;
    struct parley_item item;
    after->bare_low = after->bare_high = 0;
    if (chunk->bodies_count == chunk->count)
        return;
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next_item(&cursor, &item))
        if (!item.has_body && item.seq >= low && item.seq <= high) {
            after->bare_low = after->bare_high == 0 ? item.seq : after->bare_low;
            after->bare_high = item.seq;
        }
}

void bodies_queue(struct parley_node *node, uint32_t log) {
    struct log_bodies *bodies = &node->logs[log].bodies;
    if (bodies->is_queued)
        return;
    bodies->is_queued = true;
    bodies->queue_next = NONE;
    if (node->bodies_first == NONE)
        node->bodies_first = log;
    else
        node->logs[node->bodies_last].bodies.queue_next = log;
    node->bodies_last = log;
}

static uint32_t queue_take(struct parley_node *node) {
    uint32_t log = node->bodies_first;
    if (log == NONE)
        return NONE;
    node->bodies_first = node->logs[log].bodies.queue_next;
    node->logs[log].bodies.is_queued = false;
    return log;
}

static void take_source(struct log_bodies *bodies, parley_connection source, parley_seq seq) {
    bodies->source = source;
    bodies->source_seq = seq;
    bodies->top = 0;
    bodies->any_new = false;
    bodies->is_swept = false;
}

void bodies_lack(struct parley_node *node, const struct pending_store *pending) {
    struct log_bodies *bodies = &node->logs[pending->log].bodies;
    if (pending->bare_high == 0)
        return;
    if (bodies->high == 0 || pending->bare_low < bodies->low)
        bodies->low = pending->bare_low;
    if (pending->bare_high > bodies->high)
        bodies->high = pending->bare_high;
    bodies->changes++;
    if (bodies->source == 0)
        take_source(bodies, pending->source_connection, pending->run.hi);
    bodies_queue(node, pending->log);
}

void bodies_want(struct parley_node *node, struct peer *peer, uint32_t log, parley_seq seq) {
    struct log_bodies *bodies = &node->logs[log].bodies;
    if (bodies->high == 0 || peer->is_silent || seq == 0)
        return;
    bool is_same = bodies->source == peer->connection;
    bool is_gone = bodies->source == 0 || peer_find(node, bodies->source) == NULL;
    if (is_same && seq > bodies->source_seq)
        bodies->source_seq = seq;
    else if (is_gone || (!is_same && bodies->ask == NONE && seq > bodies->source_seq))
        take_source(bodies, peer->connection, seq);
    bodies_queue(node, log);
}

/* The next stretch to be looked through for what its source may have. False: none is left. */
static bool next_stretch(const struct log_row *row, parley_seq *top) {
    const struct log_bodies *bodies = &row->bodies;
    parley_seq forked = log_forked(row);
    *top = bodies->high < bodies->source_seq ? bodies->high : bodies->source_seq;
    if (bodies->top != 0 && *top > bodies->top)
        *top = bodies->top;
    if (row->policy.kind == PARLEY_POLICY_VOID || row->is_unjudged)
        return false;
    if (row->policy.kind == PARLEY_POLICY_CLOSED && *top > row->policy.seq)
        *top = row->policy.seq;
    if (forked != 0 && *top >= forked)
        *top = forked - 1;
    return bodies->low != 0 && *top >= bodies->low;
}

/* The source was asked for all that it may have. What it gave leaves fewer to look through; what is
 * left then, others may have. */
static void sweep_end(struct parley_node *node, uint32_t log) {
    struct log_bodies *bodies = &node->logs[log].bodies;
    bool any = bodies->any_new;
    bodies->top = 0;
    bodies->any_new = false;
    bodies->is_swept = false;
    if (bodies->high == 0) {
        bodies->failures = 0;
        return;
    }
    if (any) {
        bodies->failures = 0;
        bodies_queue(node, log);
        return;
    }
    bodies->source = 0;
    bodies->source_seq = 0;
    bodies->failures += bodies->failures < FAILURES_MAX;
    parley_time_ms pause = (parley_time_ms)PARLEY_LOG_BACKOFF_MIN_MS
                           << bodies->failures / PEERS_A_PAUSE;
    bodies->at =
        node->now + (pause < PARLEY_BODIES_BACKOFF_MAX_MS ? pause : PARLEY_BODIES_BACKOFF_MAX_MS);
    bodies_queue(node, log);
}

/* --- asking -------------------------------------------------------------------------------- */

static struct bodies_ask *ask_take(struct parley_node *node, struct peer *peer, uint32_t log) {
    for (uint32_t i = 0; i < PARLEY_BODIES_ASKS_MAX; i++) {
        struct bodies_ask *ask = &node->bodies_asks[i];
        if (ask->state != BODIES_FREE)
            continue;
        ask->generation++;
        ask->log = log;
        ask->peer = peer_slot(node, peer);
        ask->connection = peer->connection;
        ask->changes = node->logs[log].bodies.changes;
        node->logs[log].bodies.ask = i;
        peer->bodies_count++;
        return ask;
    }
    return NULL;
}

static void ask_give(struct parley_node *node, struct bodies_ask *ask) {
    struct peer *peer = &node->peers[ask->peer];
    if (peer->phase != PEER_FREE && peer->connection == ask->connection)
        peer->bodies_count--;
    node->logs[ask->log].bodies.ask = NONE;
    ask->state = BODIES_FREE;
    ask->generation++;
    bodies_queue(node, ask->log);
}

/* The source is of no use now: as if it had been asked for all. */
static void ask_fail(struct parley_node *node, struct bodies_ask *ask) {
    uint32_t log = ask->log;
    ask_give(node, ask);
    node->logs[log].bodies.any_new = false;
    sweep_end(node, log);
}

void bodies_ask_done(struct parley_node *node, struct bodies_ask *ask) {
    struct log_bodies *bodies = &node->logs[ask->log].bodies;
    uint32_t log = ask->log;
    bodies->top = ask->low - 1;
    ask_give(node, ask);
    bodies->is_swept = bodies->top < bodies->low;
    bodies_go_on(node, log);
}

void bodies_go_on(struct parley_node *node, uint32_t log) {
    struct log_bodies *bodies = &node->logs[log].bodies;
    if (bodies->storing > 0)
        return; /* whether the source gave anything new, the disk says */
    if (bodies->is_swept)
        sweep_end(node, log);
    else if (bodies->high != 0)
        bodies_queue(node, log);
}

/* True when the log needs no place in the queue any more. */
static bool start(struct parley_node *node, uint32_t log) {
    struct log_row *row = &node->logs[log];
    struct log_bodies *bodies = &row->bodies;
    if (bodies->high == 0 || bodies->ask != NONE || bodies->storing > 0 ||
        !author_is_wanted(node, row->author))
        return true;
    if (node->now < bodies->at) {
        deadline_lower(node, bodies->at);
        return false;
    }
    struct peer *peer = bodies->source == 0 ? NULL : peer_find(node, bodies->source);
    if (peer == NULL || peer->phase != PEER_OPEN || peer->is_silent) {
        bodies->source = 0;
        heads_forget(node); /* the next exchange of heads tells who else has it */
        return true;
    }
    parley_seq top;
    if (!next_stretch(row, &top)) {
        sweep_end(node, log);
        return true;
    }
    struct bodies_ask *ask =
        peer->bodies_count < PARLEY_BODIES_ASKS_PER_PEER ? ask_take(node, peer, log) : NULL;
    if (ask == NULL)
        return false;
    ask->state = BODIES_READING;
    ask->top = top;
    ask->low = bodies->low;
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_READ);
    effect->read.ticket =
        ticket_make(TICKET_BODIES, (uint32_t)(ask - node->bodies_asks), ask->generation);
    effect->read.kind = PARLEY_READ_LACKING;
    effect->read.log = row->log;
    effect->read.seq_top = ask->top;
    effect->read.seq_low = ask->low;
    return true;
}

void bodies_pump(struct parley_node *node) {
    if (node->bodies_first == NONE || node->is_failed)
        return;
    unsigned refusals = 0;
    for (unsigned looks = 0; looks < QUEUE_LOOKS && refusals < QUEUE_REFUSALS; looks++) {
        uint32_t log = effects_have_room(node) ? queue_take(node) : NONE;
        if (log == NONE)
            return;
        bool done = start(node, log);
        refusals = done ? 0 : refusals + 1;
        if (!done)
            bodies_queue(node, log);
    }
}

/* As many entries from the newest down as their bodies fit into one answer. */
static parley_seq low_of_ask(const struct parley_chunk *chunk) {
    struct parley_chunk_cursor cursor;
    struct parley_item item;
    uint64_t all = 0, passed = 0;
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next_item(&cursor, &item))
        all += item.body_size;
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next_item(&cursor, &item)) {
        if (all - passed <= PARLEY_RUN_ASK_BYTES || item.seq == parley_chunk_seq_last(chunk))
            return item.seq;
        passed += item.body_size;
    }
    return parley_chunk_seq_last(chunk);
}

static bool send_ask(struct parley_node *node, struct bodies_ask *ask, struct parley_span bytes) {
    struct peer *peer = &node->peers[ask->peer];
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_BODIES};
    struct parley_wire_ask_bodies *asked = &message.as.ask_bodies;
    struct parley_chunk chunk;
    struct parley_entry top;
    if (bytes.size > PARLEY_CHUNK_LARGEST ||
        parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK ||
        !parley_chunk_find(&chunk, parley_chunk_seq_last(&chunk), &top))
        return false;
    ask->size = bytes.size;
    memcpy(ask->headers, bytes.data, bytes.size);
    ask->top = parley_chunk_seq_last(&chunk);
    ask->low = low_of_ask(&chunk);
    ask->request = node->next_request++;
    ask->deadline = node->now + PARLEY_FETCH_MS;
    ask->state = BODIES_ASKED;
    deadline_lower(node, ask->deadline);
    asked->request = ask->request;
    asked->log = node->logs[ask->log].log;
    asked->top_seq = ask->top;
    asked->top_id = top.id;
    asked->low_seq = ask->low;
    return peer_send_message(node, peer, &message);
}

/* Nothing lacks from `from` up to what was looked at, unless more came meanwhile. */
static void narrow(struct log_bodies *bodies, const struct bodies_ask *ask, parley_seq from) {
    if (ask->changes != bodies->changes || ask->top < bodies->high)
        return;
    bodies->high = from - 1;
    if (bodies->high < bodies->low)
        bodies->low = bodies->high = 0;
}

void bodies_on_read(struct parley_node *node, parley_ticket ticket, enum parley_error error,
                    struct parley_span bytes, parley_seq next) {
    uint32_t index = ticket_index(ticket);
    struct bodies_ask *ask = &node->bodies_asks[index];
    if (index >= PARLEY_BODIES_ASKS_MAX || ask->state != BODIES_READING ||
        ask->generation != ticket_generation(ticket))
        return;
    struct log_bodies *bodies = &node->logs[ask->log].bodies;
    if (error != PARLEY_E_OK) {
        ask_fail(node, ask);
        return;
    }
    if (bytes.size == 0) { /* none down to next */
        parley_seq from = next < ask->low ? ask->low : next + 1;
        narrow(bodies, ask, from);
        bodies->top = from - 1;
        uint32_t log = ask->log;
        ask_give(node, ask);
        if (bodies->top < bodies->low || bodies->high == 0)
            sweep_end(node, log);
        return;
    }
    struct parley_chunk chunk;
    if (parley_chunk_decode(&chunk, bytes).error == PARLEY_E_OK)
        narrow(bodies, ask, parley_chunk_seq_last(&chunk) + 1);
    if (!send_ask(node, ask, bytes))
        ask_fail(node, ask);
}

/* --- the end ------------------------------------------------------------------------------- */

void bodies_load(struct parley_node *node, uint32_t log, parley_seq low, parley_seq high) {
    struct log_bodies *bodies = &node->logs[log].bodies;
    bodies->low = low;
    bodies->high = high;
    bodies->changes++;
}

void bodies_again(struct parley_node *node, uint32_t log, parley_seq low, parley_seq high) {
    bodies_load(node, log, low, high);
    struct log_bodies *bodies = &node->logs[log].bodies;
    bodies->failures = 0;
    bodies->at = 0;
    if (bodies->ask == NONE)
        take_source(bodies, 0, 0); /* whoever holds the log is asked, by name */
    heads_forget_and_ask(node);
}

void bodies_drop_peer(struct parley_node *node, uint32_t peer) {
    for (size_t i = 0; i < PARLEY_BODIES_ASKS_MAX; i++)
        if (node->bodies_asks[i].state != BODIES_FREE && node->bodies_asks[i].peer == peer)
            ask_fail(node, &node->bodies_asks[i]);
}

void bodies_on_timer(struct parley_node *node) {
    for (size_t i = 0; i < PARLEY_BODIES_ASKS_MAX; i++) {
        struct bodies_ask *ask = &node->bodies_asks[i];
        if (ask->state != BODIES_ASKED)
            continue;
        if (node->now >= ask->deadline)
            ask_fail(node, ask);
        else
            deadline_lower(node, ask->deadline);
    }
    bodies_pump(node);
}
