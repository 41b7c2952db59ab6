#include "internal.h"

/* Asks for runs from the head, and the answers to them, many in one message: where few entries of
 * many logs are new, names and seals would cost more than what is asked for. SPEC 11.8, 11.9. */

#define SMALL_RUN_MAX   4096u  /* larger ones go alone: what is around them is little then */
#define SMALL_ASKS_LOW  4u     /* of one peer on their way: then as many as may be */
#define RUNS_BYTES_FULL 16384u /* of answers: more do not wait */

static void batch_reset(struct small_batch *batch) {
    batch->connection = 0;
    batch->count = 0;
    parley_writer_init(&batch->writer, batch->writer.data, batch->writer.size_max);
}

/* --- asking -------------------------------------------------------------------------------- */

void small_asks_flush(struct parley_node *node) {
    struct small_batch *batch = &node->sessions.asks;
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_RUNS};
    struct peer *peer = batch->count == 0 ? NULL : peer_find(node, batch->connection);
    if (batch->count == 0)
        return;
    message.as.ask_runs.session = batch->session;
    message.as.ask_runs.asks = parley_wire_list_of(&batch->writer, batch->count);
    bool is_sent = peer != NULL && peer_send_message(node, peer, &message);
    size_t count = batch->count;
    batch_reset(batch);
    for (size_t i = 0; i < count && !is_sent; i++)
        if (node->fetches[batch->fetches[i]].is_used)
            fetch_end(node, &node->fetches[batch->fetches[i]], true);
}

/* Only what a session found has no id; what did not come so is asked for by name. */
bool small_is_asked(const struct peer *peer, const struct log_row *row) {
    return peer->session.places != 0 && row->failures == 0 && PARLEY_IS_ZERO(row->source_id);
}

bool small_may_ask(struct peer *peer) {
    peer->session.is_refilled |= peer->session.small_fetches <= SMALL_ASKS_LOW;
    return peer->session.is_refilled;
}

bool small_ask(struct parley_node *node, struct peer *peer, uint32_t fetch, uint64_t request,
               uint32_t log, parley_seq down) {
    struct small_batch *batch = &node->sessions.asks;
    const struct log_row *row = &node->logs[log];
    if (!small_is_asked(peer, row))
        return false;
    if (batch->count > 0 &&
        (batch->connection != peer->connection || batch->count == PARLEY_WIRE_RUNS_MAX))
        small_asks_flush(node);
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    parley_reconcile_key(key, &peer->link, peer->session.places);
    struct parley_wire_ask_small ask = {
        .request = request, .place = parley_reconcile_place(key, row->log.bytes), .down_seq = down};
    batch->connection = peer->connection;
    batch->session = peer->session.places;
    batch->fetches[batch->count++] = fetch;
    peer->session.small_fetches++;
    parley_wire_put_ask_small(&batch->writer, &ask);
    return true;
}

/* --- answering ----------------------------------------------------------------------------- */

static void runs_flush(struct parley_node *node) {
    struct small_batch *batch = &node->sessions.runs;
    struct parley_wire_message message = {.type = PARLEY_WIRE_RUNS};
    struct peer *peer = batch->count == 0 ? NULL : peer_find(node, batch->connection);
    if (peer != NULL) {
        message.as.runs.runs = parley_wire_list_of(&batch->writer, batch->count);
        (void)peer_send_message(node, peer, &message);
    }
    batch_reset(batch);
}

void small_run(struct parley_node *node, struct peer *peer, uint64_t request,
               struct parley_span chunk) {
    struct small_batch *batch = &node->sessions.runs;
    struct parley_wire_run run = {.request = request, .last = true, .chunk = chunk};
    if (chunk.size > SMALL_RUN_MAX) {
        struct parley_wire_message message = {.type = PARLEY_WIRE_RUN};
        message.as.run = run;
        (void)peer_send_message(node, peer, &message);
        return;
    }
    if (batch->count > 0 &&
        (batch->connection != peer->connection || batch->count == PARLEY_WIRE_RUNS_MAX ||
         batch->writer.size > RUNS_BYTES_FULL))
        runs_flush(node);
    batch->connection = peer->connection;
    parley_wire_put_run(&batch->writer, &run);
    batch->count++;
}

void small_runs_pump(struct parley_node *node) {
    struct small_batch *batch = &node->sessions.runs;
    struct peer *peer = batch->count == 0 ? NULL : peer_find(node, batch->connection);
    if (batch->count > 0 && effects_have_room(node) &&
        (peer == NULL || peer->session.small_serves == 0 || batch->writer.size > RUNS_BYTES_FULL))
        runs_flush(node);
}

void small_drop_peer(struct parley_node *node, const struct peer *peer) {
    if (node->sessions.runs.connection == peer->connection)
        batch_reset(&node->sessions.runs);
}

/* Of a session that ended before its set was begun there is none. */
static const struct session *set_of(const struct parley_node *node, const struct peer *peer,
                                    uint64_t number) {
    for (size_t i = 0; i < PARLEY_SESSIONS_MAX; i++) {
        const struct session *slot = &node->sessions.slots[i];
        if (slot->connection == peer->connection && slot->number == number &&
            slot->phase != SESSION_OPENING && slot->phase != SESSION_BUILDING &&
            slot->set.buckets != NULL)
            return slot;
    }
    return NULL;
}

void on_ask_runs(struct parley_node *node, struct peer *peer,
                 const struct parley_wire_ask_runs *asks) {
    const struct session *session = set_of(node, peer, asks->session);
    struct parley_wire_list list = asks->asks;
    struct parley_wire_ask_small small;
    while (parley_wire_next_ask_small(&list, &small)) {
        const struct parley_reconcile_item *item =
            session == NULL ? NULL : parley_reconcile_find(&session->set, small.place);
        uint32_t log = item == NULL ? NONE : session_log(node, session, item);
        struct parley_wire_ask_run ask = {.request = small.request,
                                          .kind = PARLEY_RUN_FROM_HEAD,
                                          .down_seq = small.down_seq,
                                          .bodies = true,
                                          .bytes_max = PARLEY_RUN_ASK_BYTES};
        if (log != NONE)
            ask.log = node->logs[log].log;
        serve_small_ask(node, peer, &ask, log != NONE);
    }
}

void on_ask_heads_of(struct parley_node *node, struct peer *peer,
                     const struct parley_wire_ask_heads_of *ask) {
    struct parley_wire_list logs = ask->logs;
    struct parley_log name;
    struct parley_writer items;
    size_t count = 0;
    if (!budget_may_tell(node, peer))
        return; /* asked again, more rarely */
    parley_writer_init(&items, node->items, PARLEY_ITEMS_BYTES);
    while (parley_wire_next_log(&logs, &name)) {
        uint32_t log = log_find(node, &name), author = log == NONE ? NONE : node->logs[log].author;
        if (log == NONE || !node->authors[author].set.revealed || author_is_blocked(node, author) ||
            node->authors[author].quota.is_leaving)
            continue;
        heads_put_log(node, &items, author, log);
        budget_take_telling(peer, PARLEY_HEAD_BYTES);
        if (++count < PARLEY_TELLS_PER_MESSAGE)
            continue;
        (void)heads_send(node, peer, &items, count);
        parley_writer_init(&items, node->items, PARLEY_ITEMS_BYTES);
        count = 0;
    }
    if (count > 0)
        (void)heads_send(node, peer, &items, count);
}

/* --- hearing ------------------------------------------------------------------------------- */

size_t on_runs(struct parley_node *node, struct peer *peer, const struct parley_wire_runs *runs,
               size_t done) {
    struct parley_wire_list list = runs->runs;
    struct parley_wire_run run;
    for (size_t i = 0; parley_wire_next_run(&list, &run); i++) {
        if (i < done)
            continue;
        struct parley_wire_message one = {.type = PARLEY_WIRE_RUN};
        one.as.run = run;
        if (peer->phase != PEER_OPEN)
            return runs->runs.count; /* it was closed for one of them */
        if (node->jobs_free < 2 || peer->jobs_count >= PARLEY_JOBS_PER_PEER ||
            !store_has_room(node) || !effects_have_room(node) ||
            message_must_wait(node, peer, &one))
            return i;
        on_run(node, peer, &run);
    }
    return runs->runs.count;
}
