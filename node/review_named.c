#include "internal.h"

/* What the records name, where evidence alone holds it: it takes its place in the log. Nobody could
 * serve it otherwise, and heads and digests count what is in the log. SPEC 6.8, 6.10. */

static const struct parley_chunk *chunk_with(const struct side *piece, parley_seq seq) {
    for (size_t i = 0; i < piece->base_count; i++)
        if (piece->chunks[i].seq_first <= seq && seq <= parley_chunk_seq_last(&piece->chunks[i]))
            return &piece->chunks[i];
    return NULL;
}

/* The chunk up to what is named, without bodies: evidence has none. */
static bool write_below(struct parley_span *bytes, uint8_t *buffer,
                        const struct parley_chunk *chunk, parley_seq named) {
    struct parley_chunk_writer writer;
    struct parley_chunk_cursor cursor;
    struct parley_entry entry;
    parley_chunk_writer_init(&writer, buffer, PARLEY_CHUNK_BUFFER_SIZE);
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next(&cursor, &entry) && entry.header.seq <= named)
        if (parley_chunk_add(&writer, &entry, false) != PARLEY_E_OK)
            return false;
    *bytes = parley_chunk_finish(&writer);
    return true;
}

bool review_place_named(struct parley_node *node) {
    const struct review *review = &node->review;
    const struct log_row *row = &node->logs[review->log];
    const struct parley_policy *policy = &row->policy;
    /* What is our own never gives way: its node goes on with another device. */
    if (policy->seq == 0 || row->pin == PIN_HELD || review->log == node->own_log ||
        !store_has_room(node))
        return false;
    for (size_t i = 0; i < review->stored_count; i++) {
        const struct parley_chunk *chunk = chunk_with(&review->pieces[i], policy->seq);
        struct parley_entry named;
        struct parley_span bytes;
        if (chunk == NULL || !parley_chunk_find(chunk, policy->seq, &named) ||
            !PARLEY_EQUAL(named.id, policy->id) ||
            !write_below(&bytes, node->scratch, chunk, policy->seq))
            continue;
        struct chunk_task task = {.source = CHUNK_RUN,
                                  .log = row->log,
                                  .is_anchored = true,
                                  .anchor = {policy->seq, policy->id},
                                  .fetch = NONE};
        ingest_chunk(node, NULL, 0, &task, bytes);
        return true;
    }
    return false;
}
