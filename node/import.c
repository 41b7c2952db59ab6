#include "internal.h"

/* What the owner brings in by hand: records and chunks of a bundle, newest chunk of a run first, so
 * that what is held vouches for the next one (SPEC 7.6.2). */

/* Asked with each id that the top could have: to learn the top's own first would be to hash all of
 * the chunk twice. */
enum parley_error import_judge(const struct log_row *row, const struct chunk_task *task,
                               struct parley_span bytes, struct parley_judged *judged,
                               parley_seq *needed) {
    struct parley_anchor anchors[2];
    size_t count = 0;
    struct parley_fault fault = parley_judge_read(judged, bytes);
    if (fault.error != PARLEY_E_OK)
        return fault.error;
    parley_seq hi = judged->run.hi;
    const struct parley_run *range = parley_ranges_find(&row->ranges, hi);
    if (range != NULL && hi < range->hi && !task->id_known) {
        *needed = hi;
        return PARLEY_E_RETRY;
    }
    /* A newest entry whose own signature is not known yet is checked: it may be a head then. */
    bool may_be_head = range != NULL && hi == range->hi && !range->hi_is_signed &&
                       row->policy.kind == PARLEY_POLICY_OPEN && hi > row->policy.seq;
    if (!may_be_head && log_commits(row, task, hi, &anchors[count].id))
        anchors[count++].seq = hi;
    if (!may_be_head && row->policy.seq == hi)
        anchors[count++] = (struct parley_anchor){hi, row->policy.id};
    for (size_t i = 0; i < count; i++) {
        fault =
            parley_judge_what_was_read(judged, &task->log, &row->policy, &row->device, &anchors[i]);
        if (fault.error != PARLEY_E_BAD_ANCHOR)
            return fault.error;
    }
    fault = parley_judge_what_was_read(judged, &task->log, &row->policy, &row->device, NULL);
    return fault.error;
}

/* ---- bodies of what is held without them --------------------------------------------------- */

static bool overlaps(const struct log_row *row, const struct parley_chunk *chunk) {
    for (size_t i = 0; i < row->ranges.count; i++)
        if (row->ranges.ranges[i].lo <= parley_chunk_seq_last(chunk) &&
            chunk->seq_first <= row->ranges.ranges[i].hi)
            return true;
    return false;
}

bool import_has_bodies(const struct log_row *row, const struct chunk_task *task,
                       const struct parley_chunk *chunk) {
    return task->source == CHUNK_IMPORT && chunk->bodies_count > 0 && overlaps(row, chunk);
}

void import_bodies(struct parley_node *node, uint32_t log, const struct parley_chunk *chunk,
                   parley_request request) {
    const struct log_row *row = &node->logs[log];
    /* Smaller than the chunk: of each entry the seq stands for the signature. */
    uint8_t *data = out_take(node, chunk->bytes.size);
    struct parley_chunk_cursor cursor;
    struct parley_writer writer;
    struct parley_item item;
    struct pending_store after = {.after = AFTER_NOTHING, .request = request};
    struct parley_store_op op = {.kind = PARLEY_STORE_BODIES, .log = row->log};
    if (data == NULL) {
        effect_reply(node, request, PARLEY_E_RETRY);
        return;
    }
    parley_writer_init(&writer, data, chunk->bytes.size);
    parley_write_array(&writer, chunk->bodies_count);
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next_item(&cursor, &item)) {
        if (!item.has_body)
            continue;
        parley_write_array(&writer, 3);
        parley_write_uint(&writer, item.seq);
        parley_write_bin(&writer, item.salt);
        parley_write_bin(&writer, item.body);
    }
    enum parley_error error = parley_writer_finish(&writer, &op.bytes);
    assert(error == PARLEY_E_OK);
    if (!store_emit(node, &op, &after)) {
        effect_reply(node, request, PARLEY_E_RETRY);
        return;
    }
    interest_look_at(node, log, chunk->bytes);
    erase_look_at(node, log, chunk);
}

/* ---- the owner's events --------------------------------------------------------------------- */

/* Of a closed log what stands above its end is left out, and the entry that is named becomes the
 * top: what brought it may know of no closing. */
static struct parley_span cut_at_the_end(struct parley_node *node, const struct parley_log *log,
                                         struct parley_span bytes) {
    uint32_t index = log_find(node, log);
    const struct log_row *row = index == NONE ? NULL : &node->logs[index];
    struct parley_chunk chunk;
    struct parley_span part;
    if (row == NULL || row->policy.kind != PARLEY_POLICY_CLOSED ||
        parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK ||
        chunk.seq_first > row->policy.seq || row->policy.seq >= parley_chunk_seq_last(&chunk))
        return bytes;
    uint8_t *data = out_take(node, PARLEY_CHUNK_BUFFER_SIZE);
    if (data == NULL || parley_chunk_slice(&part, data, PARLEY_CHUNK_BUFFER_SIZE, &chunk,
                                           chunk.seq_first, row->policy.seq, true) != PARLEY_E_OK)
        return bytes; /* refused as a whole, and nobody's fault */
    return part;
}

static void on_import_chunk(struct parley_node *node, parley_request request,
                            struct parley_span bytes) {
    struct chunk_task task = {.source = CHUNK_IMPORT, .fetch = NONE};
    struct parley_fault fault = parley_chunk_peek_log(&task.log, bytes);
    if (fault.error == PARLEY_E_OK && bytes.size > PARLEY_MESSAGE_BYTES_MAX)
        fault.error = PARLEY_E_TOO_LARGE;
    if (fault.error != PARLEY_E_OK)
        effect_reply(node, request, fault.error);
    else
        ingest_chunk(node, NULL, request, &task, cut_at_the_end(node, &task.log, bytes));
}

static void on_import_record(struct parley_node *node, parley_request request,
                             struct parley_span bytes, bool is_followed) {
    struct parley_writer writer;
    struct parley_span list;
    parley_writer_init(&writer, node->scratch, PARLEY_MESSAGE_BYTES_MAX);
    parley_wire_put_record(&writer, bytes);
    if (bytes.size > PARLEY_RECORD_BYTES_MAX || parley_writer_finish(&writer, &list) != PARLEY_E_OK)
        effect_reply(node, request, PARLEY_E_TOO_LARGE);
    else
        ingest_records(node, NULL, request, is_followed, parley_wire_list_of(&writer, 1), list);
}

void on_import(struct parley_node *node, const struct parley_event *event) {
    parley_request request = event->import.request;
    /* The last job is the owner's: peers leave it free. */
    if (!store_has_room_for_more(node) || node->jobs_free == 0)
        effect_reply(node, request, node->is_failed ? PARLEY_E_READ_ONLY : PARLEY_E_RETRY);
    else if (event->kind == PARLEY_EVENT_IMPORT_CHUNK)
        on_import_chunk(node, request, event->import.bytes);
    else
        on_import_record(node, request, event->import.bytes, event->import.is_followed);
}
