#include "internal.h"

/* Bodies to the headers that are held without: those that were asked for, and those that pushes and
 * runs of what is held bring. The store keeps none that is not its entry's. */

/* [[seq, salt, body]...], to where they belong; hi with its id is the newest of them. */
static bool store(struct parley_node *node, uint32_t log, struct parley_wire_list list,
                  const struct parley_run *run) {
    struct log_row *row = &node->logs[log];
    struct pending_store after = {.after = AFTER_BODIES, .log = log, .author = row->author};
    struct parley_writer writer;
    struct parley_span bytes;
    uint8_t *out = store_has_room(node) ? out_take(node, list.bytes.size + 5) : NULL;
    if (out == NULL)
        return false;
    parley_writer_init(&writer, out, list.bytes.size + 5);
    parley_write_array(&writer, list.count);
    memcpy(out + writer.size, list.bytes.data, list.bytes.size);
    bytes = PARLEY_SPAN(out, writer.size + list.bytes.size);
    after.run = *run;
    struct parley_store_op op = {.kind = PARLEY_STORE_BODIES, .log = row->log, .bytes = bytes};
    if (!store_emit(node, &op, &after))
        return false;
    row->bodies.storing++;
    return true;
}

static bool matches(const struct parley_item *item, const struct parley_wire_body *body) {
    struct parley_header header = {.body_size = item->body_size};
    memcpy(header.body_hash.bytes, item->body_hash.data, sizeof header.body_hash.bytes);
    return parley_body_check(&header, &body->salt, body->body) == PARLEY_E_OK;
}

/* What was asked for and does not match is the peer's fault: the id that was named commits to it.
 */
static enum parley_error check(struct bodies_ask *ask, struct parley_wire_list list,
                               struct parley_run *run) {
    struct parley_chunk chunk;
    struct parley_chunk_cursor cursor;
    struct parley_item item = {.seq = 0};
    struct parley_wire_body body;
    struct parley_entry top;
    bool decodes =
        parley_chunk_decode(&chunk, PARLEY_SPAN(ask->headers, ask->size)).error == PARLEY_E_OK;
    assert(decodes);
    *run = (struct parley_run){.lo = 0};
    parley_chunk_start(&cursor, &chunk);
    while (parley_wire_next_body(&list, &body)) {
        while (item.seq < body.seq && parley_chunk_next_item(&cursor, &item))
            continue;
        if (item.seq != body.seq || body.seq < ask->low || !matches(&item, &body))
            return PARLEY_E_BAD_BODY;
        run->lo = run->lo == 0 ? body.seq : run->lo;
        run->hi = body.seq;
    }
    if (run->hi != 0 && parley_chunk_find(&chunk, run->hi, &top))
        run->hi_id = top.id;
    return PARLEY_E_OK;
}

static void look_at(struct parley_node *node, const struct bodies_ask *ask,
                    struct parley_wire_list list) {
    struct parley_wire_body body;
    uint32_t log = ask->log;
    own_look_at_bodies(node, log, PARLEY_SPAN(ask->headers, ask->size), list);
    while (parley_wire_next_body(&list, &body)) {
        interest_look_at_body(node, log, body.seq, 0, body.body);
        erase_look_at_body(node, log, body.body);
    }
}

void on_bodies(struct parley_node *node, struct peer *peer,
               const struct parley_wire_bodies *message) {
    struct bodies_ask *ask = NULL;
    for (size_t i = 0; i < PARLEY_BODIES_ASKS_MAX; i++)
        if (node->bodies_asks[i].state == BODIES_ASKED &&
            node->bodies_asks[i].request == message->request &&
            node->bodies_asks[i].connection == peer->connection)
            ask = &node->bodies_asks[i];
    if (ask == NULL)
        return; /* given up meanwhile */
    struct parley_run run;
    enum parley_error error = PARLEY_EQUAL(message->log, node->logs[ask->log].log)
                                  ? check(ask, message->bodies, &run)
                                  : PARLEY_E_BAD_MESSAGE;
    if (error != PARLEY_E_OK) {
        peer_close(node, peer, error, PARLEY_GOODBYE_FAULT);
        return;
    }
    ask->deadline = node->now + PARLEY_FETCH_MS;
    budget_give_back(node, peer, message->bodies.bytes.size);
    if (message->bodies.count > 0 && store(node, ask->log, message->bodies, &run))
        look_at(node, ask, message->bodies);
    if (message->last)
        bodies_ask_done(node, ask);
}

void bodies_offer(struct parley_node *node, uint32_t log, const struct parley_chunk *chunk) {
    const struct log_bodies *bodies = &node->logs[log].bodies;
    struct parley_chunk_cursor cursor;
    struct parley_item item;
    struct parley_writer writer;
    struct parley_entry top;
    struct parley_run run = {.lo = 0};
    size_t count = 0;
    if (bodies->high == 0 || chunk->bodies_count == 0 || chunk->seq_first > bodies->high ||
        parley_chunk_seq_last(chunk) < bodies->low)
        return;
    parley_writer_init(&writer, node->compose, PARLEY_MESSAGE_BYTES_MAX);
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next_item(&cursor, &item)) {
        if (!item.has_body || item.seq < bodies->low || item.seq > bodies->high)
            continue;
        struct parley_wire_body body = {.seq = item.seq, .body = item.body};
        memcpy(body.salt.bytes, item.salt.data, sizeof body.salt.bytes);
        parley_wire_put_body(&writer, &body);
        run.lo = count++ == 0 ? item.seq : run.lo;
        run.hi = item.seq;
    }
    if (count == 0 || writer.overflowed || !parley_chunk_find(chunk, run.hi, &top))
        return;
    run.hi_id = top.id;
    /* Whether they are of the entries held, the store asks their hashes. */
    if (store(node, log, parley_wire_list_of(&writer, count), &run)) {
        interest_look_at(node, log, chunk->bytes);
        erase_look_at(node, log, chunk);
    }
}

void bodies_on_stored(struct parley_node *node, const struct pending_store *pending,
                      enum parley_error error) {
    struct log_row *row = &node->logs[pending->log];
    row->bodies.storing--;
    row->bodies.any_new |=
        error == PARLEY_E_OK; /* not what was held: a source could go on for ever */
    bodies_go_on(node, pending->log);
    if (error != PARLEY_E_OK || !log_shows(row, pending->run.hi))
        return;
    struct parley_effect *show = effect_push(node, PARLEY_EFFECT_SHOW);
    show->show.author = node->authors[pending->author].set.author;
    show->show.log = row->log;
    show->show.seq_low = pending->run.lo;
    show->show.seq_high = pending->run.hi;
    show->show.id = pending->run.hi_id;
}
