#include "internal.h"

/* A person's words become the next entry of their own log, through the same door as everything
 * else. */

static enum parley_error may_publish(const struct parley_node *node, struct parley_span body) {
    if (!node->config.has_device || node->own_log == NONE)
        return PARLEY_E_NO_IDENTITY;
    if (body.size > PARLEY_BODY_BYTES_MAX)
        return PARLEY_E_TOO_LARGE;
    const struct log_row *row = &node->logs[node->own_log];
    if (!store_has_room(node))
        return PARLEY_E_READ_ONLY;
    switch (row->policy.kind) {
    case PARLEY_POLICY_VOID:
        return PARLEY_E_LOG_VOID;
    case PARLEY_POLICY_CLOSED:
        return PARLEY_E_LOG_CLOSED;
    case PARLEY_POLICY_OPEN:
        break;
    }
    if (row->forked != 0 || row->pin == PIN_OTHER)
        return PARLEY_E_FORKED;
    if (row->is_unjudged || row->is_doubted)
        return PARLEY_E_RETRY; /* what is here is being looked at: soon */
    /* The newest entry here must be one that our own signature stands on. */
    const struct parley_run *top = &row->ranges.ranges[0];
    parley_seq newest = row->ranges.count == 0 ? 0 : top->hi;
    /* Nor on an island: who else signs for this device may have put it there. */
    if (newest < row->policy.seq || row->ranges.count > 1 || (newest > 0 && top->lo > 1))
        return PARLEY_E_GAP;
    if (node->own_is_elsewhere)
        return PARLEY_E_FORKED; /* as soon as both have said the next thing */
    return newest == PARLEY_SEQ_MAX ? PARLEY_E_FULL : PARLEY_E_OK;
}

void on_publish(struct parley_node *node, parley_request request, struct parley_span body,
                parley_time_ms time) {
    enum parley_error error = may_publish(node, body);
    if (error != PARLEY_E_OK) {
        effect_reply(node, request, error);
        return;
    }
    const struct log_row *row = &node->logs[node->own_log];
    struct parley_entry entry = {.has_body = true, .body = body};
    entry.header.version = PARLEY_ENTRY_VERSION;
    entry.header.log = row->log;
    entry.header.seq = 1;
    if (row->ranges.count > 0) {
        entry.header.seq = row->ranges.ranges[0].hi + 1;
        entry.header.prev = row->ranges.ranges[0].hi_id;
    }
    entry.header.time = time != 0 ? time : node->wall;
    if (entry.header.time > PARLEY_TIME_MAX)
        entry.header.time = PARLEY_TIME_MAX;
    parley_random_bytes(&node->random, entry.salt.bytes, sizeof entry.salt.bytes);
    parley_entry_sign(&entry, &node->config.device_key);

    struct parley_chunk_writer writer;
    parley_chunk_writer_init(&writer, node->scratch, PARLEY_CHUNK_BUFFER_SIZE);
    error = parley_chunk_add(&writer, &entry, true);
    if (error != PARLEY_E_OK) {
        effect_reply(node, request, error);
        return;
    }
    struct chunk_task task = {
        .source = CHUNK_OWN, .log = row->log, .check_held = true, .fetch = NONE};
    ingest_chunk(node, NULL, request, &task, parley_chunk_finish(&writer));
}
