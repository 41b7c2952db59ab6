#include "internal.h"

/* Erasing. An erasure that was stored hides what it names by itself, for whoever reads the store
 * (SPEC 5.7); when the bytes go is decided here: at once in the log of this device, else when the
 * owner's time has passed, so that a closing can undo what a thief erased. The store keeps which
 * erasures wait and since when, so nothing is lost by a restart; a log's row keeps the oldest. */

static parley_time_ms look_every(const struct parley_node *node) {
    parley_time_ms every = node->config.erase_after_ms / 8;
    if (every < PARLEY_ERASE_LOOK_MIN_MS)
        return PARLEY_ERASE_LOOK_MIN_MS;
    return every > PARLEY_ERASE_LOOK_MAX_MS ? PARLEY_ERASE_LOOK_MAX_MS : every;
}

static void wait_for(struct parley_node *node, struct log_row *row, parley_time_ms since) {
    if (row->erase_ms == 0)
        node->erases_count++;
    row->erase_ms = row->erase_ms == 0 || since < row->erase_ms ? since : row->erase_ms;
    if (node->erase_at == 0)
        node->erase_at = node->now + look_every(node);
    deadline_lower(node, node->erase_at);
}

/* The last entry whose word counts: a fork and a closing take it from what is above. */
static parley_seq last_good(const struct log_row *row) {
    switch (row->policy.kind) {
    case PARLEY_POLICY_VOID:
        return 0;
    case PARLEY_POLICY_CLOSED:
        return row->policy.seq;
    case PARLEY_POLICY_OPEN:
        break;
    }
    return row->forked != 0 ? row->forked - 1 : PARLEY_SEQ_MAX;
}

/* Of erasures that came until then. */
static void sweep(struct parley_node *node, uint32_t log, parley_time_ms until) {
    const struct log_row *row = &node->logs[log];
    struct pending_store after = {.after = AFTER_ERASE, .log = log};
    struct parley_store_op op = {.kind = PARLEY_STORE_ERASE,
                                 .log = row->log,
                                 .seq_high = last_good(row),
                                 .received_ms = until};
    if (op.seq_high > 0)
        (void)store_emit(node, &op, &after); /* else when it is looked at again */
}

/* Map, key 0, kind. */
static bool says_erase(struct parley_span body) {
    return body.size > 2 && body.data[2] == PARLEY_BODY_ERASE;
}

void erase_look_at(struct parley_node *node, uint32_t log, const struct parley_chunk *chunk) {
    struct parley_chunk_cursor cursor;
    struct parley_item item;
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next_item(&cursor, &item))
        if (item.has_body && says_erase(item.body)) {
            erase_look_at_body(node, log, item.body);
            return; /* one look sees all of them */
        }
}

void erase_look_at_body(struct parley_node *node, uint32_t log, struct parley_span body) {
    if (!says_erase(body))
        return;
    wait_for(node, &node->logs[log], node->wall > 0 ? node->wall : 1);
    if (log == node->own_log)
        sweep(node, log, PARLEY_TIME_MAX);
}

void erase_load(struct parley_node *node, uint32_t log, parley_time_ms since) {
    struct log_row *row = &node->logs[log];
    node->erases_count -= row->erase_ms != 0;
    row->erase_ms = 0;
    if (since != 0)
        wait_for(node, row, since);
}

/* EXISTS: more of the log wait, for their time or for the next look; since when, the disk says. So
 * may what is on its way to the disk behind the sweep. */
void erase_on_stored(struct parley_node *node, uint32_t log, enum parley_error error,
                     const struct parley_store_log *told) {
    struct log_row *row = &node->logs[log];
    if (row->erase_ms == 0 || row->stores_in_flight > 0)
        return;
    if (error == PARLEY_E_EXISTS && told != NULL && told->erase_ms != 0)
        row->erase_ms = told->erase_ms;
    if (error != PARLEY_E_OK)
        return;
    row->erase_ms = 0;
    node->erases_count--;
}

void erase_on_timer(struct parley_node *node) {
    if (node->erases_count == 0) {
        node->erase_at = 0;
        return;
    }
    if (node->now >= node->erase_at) {
        for (uint32_t i = 0; i < node->logs_count; i++) {
            parley_time_ms after = i == node->own_log ? 0 : node->config.erase_after_ms;
            if (node->logs[i].erase_ms != 0 && after < PARLEY_TIME_MAX && node->wall >= after &&
                node->logs[i].erase_ms <= node->wall - after && store_has_room(node))
                sweep(node, i, node->wall - after);
        }
        node->erase_at = node->now + look_every(node);
    }
    deadline_lower(node, node->erase_at);
}

/* --- the owner's purge --------------------------------------------------------------------- */

void on_purge(struct parley_node *node, const struct parley_event *event) {
    parley_request request = event->purge.request;
    uint32_t log = log_find(node, &event->purge.log);
    if (log == NONE || !store_has_room(node)) {
        effect_reply(node, request, log == NONE ? PARLEY_E_NOT_FOUND : PARLEY_E_READ_ONLY);
        return;
    }
    const struct log_row *row = &node->logs[log];
    bool undo = event->purge.undo;
    struct pending_store after = {
        .after = undo ? AFTER_RECALL : AFTER_PURGE, .log = log, .request = request};
    struct parley_store_op op = {.kind = undo ? PARLEY_STORE_RECALL : PARLEY_STORE_DROP_BODIES,
                                 .author = node->authors[row->author].set.author,
                                 .device = row->device,
                                 .log = row->log,
                                 .seq_low = event->purge.seq_low,
                                 .seq_high = event->purge.seq_high,
                                 .forget = !undo};
    if (!store_emit(node, &op, &after))
        effect_reply(node, request, PARLEY_E_READ_ONLY);
}
