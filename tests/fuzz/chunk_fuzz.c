/* Chunks: the walk finds what decode counted, the writer makes the same bytes of it again, and
 * slices keep every id. SPEC 6. */
#include "fuzz.h"

#include <parley/log.h>

static uint8_t room[PARLEY_CHUNK_BUFFER_SIZE];

static struct parley_id id_of_last(const struct parley_chunk *chunk) {
    struct parley_chunk_cursor cursor;
    struct parley_entry entry;
    size_t count = 0, bodies_count = 0;
    parley_seq seq = chunk->seq_first;
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next(&cursor, &entry)) {
        FUZZ_HOLDS(entry.header.seq == seq++);
        FUZZ_HOLDS(parley_header_validate(&entry.header).error == PARLEY_E_OK);
        FUZZ_HOLDS(!entry.has_body ||
                   parley_body_check(&entry.header, &entry.salt, entry.body) == PARLEY_E_OK);
        bodies_count += entry.has_body;
        count++;
    }
    FUZZ_HOLDS(count == chunk->count && bodies_count == chunk->bodies_count);
    FUZZ_HOLDS(entry.header.seq == parley_chunk_seq_last(chunk));
    FUZZ_HOLDS(entry.header.time == chunk->time_last);
    return entry.id;
}

static void walk_items(const struct parley_chunk *chunk) {
    struct parley_chunk_cursor cursor;
    struct parley_item item;
    size_t count = 0;
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next_item(&cursor, &item))
        FUZZ_HOLDS(item.seq == chunk->seq_first + count++);
    FUZZ_HOLDS(count == chunk->count);
}

/* The upper half, and the whole without its bodies: both end in the same entry. */
static void slice(const struct parley_chunk *chunk, const struct parley_id *last) {
    struct parley_span out;
    struct parley_chunk part;
    parley_seq seq_last = parley_chunk_seq_last(chunk);
    for (int with_bodies = 0; with_bodies < 2; with_bodies++) {
        parley_seq from = with_bodies ? chunk->seq_first + chunk->count / 2 : chunk->seq_first;
        if (parley_chunk_slice(&out, room, sizeof room, chunk, from, seq_last, with_bodies) !=
            PARLEY_E_OK)
            continue;
        FUZZ_HOLDS(parley_chunk_decode(&part, out).error == PARLEY_E_OK);
        FUZZ_HOLDS(part.seq_first == from && parley_chunk_seq_last(&part) == seq_last);
        struct parley_id id = id_of_last(&part);
        FUZZ_HOLDS(PARLEY_EQUAL(id, *last));
    }
}

/* Entry by entry into a new one: the same bytes. */
static void write_again(const struct parley_chunk *chunk) {
    struct parley_chunk_writer writer;
    struct parley_chunk_cursor cursor;
    struct parley_entry entry;
    parley_chunk_writer_init(&writer, room, sizeof room);
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next(&cursor, &entry))
        FUZZ_HOLDS(parley_chunk_add(&writer, &entry, entry.has_body) == PARLEY_E_OK);
    FUZZ_HOLDS(parley_span_equal(parley_chunk_finish(&writer), chunk->bytes));
}

static void find_each_end(const struct parley_chunk *chunk, const struct parley_id *last) {
    struct parley_entry entry;
    parley_seq seq_last = parley_chunk_seq_last(chunk);
    FUZZ_HOLDS(parley_chunk_find(chunk, seq_last, &entry) && PARLEY_EQUAL(entry.id, *last));
    FUZZ_HOLDS(parley_chunk_find(chunk, chunk->seq_first, &entry));
    FUZZ_HOLDS(PARLEY_EQUAL(entry.header.prev, chunk->prev_first));
    FUZZ_HOLDS(!parley_chunk_find(chunk, seq_last + 1, &entry));
    FUZZ_HOLDS(!parley_chunk_find(chunk, chunk->seq_first - 1, &entry));
}

void fuzz_target(struct parley_span bytes) {
    struct parley_chunk chunk;
    struct parley_log log;
    bool has_log = parley_chunk_peek_log(&log, bytes).error == PARLEY_E_OK;
    struct parley_fault fault = parley_chunk_decode(&chunk, bytes);
    if (fault.error != PARLEY_E_OK) {
        FUZZ_HOLDS(fault.offset <= bytes.size);
        return;
    }
    FUZZ_HOLDS(has_log && PARLEY_EQUAL(log, chunk.log));
    struct parley_id last = id_of_last(&chunk);
    walk_items(&chunk);
    slice(&chunk, &last);
    write_again(&chunk);
    find_each_end(&chunk, &last);
}
