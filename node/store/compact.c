/* Compaction in pieces. Segments are most of the bytes, and stand by the numbers of their logs: as
 * many logs at a time as make a piece; the other rows are two pieces, below and above.
 */
#include "cost.h"
#include "internal.h"

/* Read and written anew in well under a second, so that a store that has to be closed and opened
 * again is not waited for long. */
#define PIECE_BYTES ((uint64_t)16 << 20)

static uint64_t bytes_between(struct parley_store *store, uint32_t from, uint32_t to) {
    struct key low, high;
    key_letter_number(&low, 's', from);
    key_letter_number(&high, 's', to);
    return store->kv->calls->bytes(store->kv, key_span(&low), key_span(&high));
}

/* The first number above a piece that begins with from: twice as many logs as long as they fit. */
static uint32_t end_of_piece(struct parley_store *store, uint32_t from) {
    uint64_t count = 1;
    while (count < UINT32_MAX - from &&
           bytes_between(store, from, (uint32_t)(from + count)) < PIECE_BYTES)
        count *= 2;
    return count < UINT32_MAX - from ? (uint32_t)(from + count) : UINT32_MAX;
}

static void compact_numbers(struct parley_store *store, uint32_t from, uint32_t to) {
    struct key low, high;
    key_letter_number(&low, 's', from);
    key_letter_number(&high, 's', to);
    store->kv->calls->compact(store->kv, key_span(&low), key_span(&high));
}

static void compact_others(struct parley_store *store) {
    struct key segments, above;
    key_letter(&segments, 's');
    key_after(&above, &segments);
    store->kv->calls->compact(store->kv, PARLEY_NO_SPAN, key_span(&segments));
    store->kv->calls->compact(store->kv, key_span(&above), PARLEY_NO_SPAN);
}

void parley_store_compact_next(struct parley_store *store,
                               struct parley_store_compaction *compaction) {
    if (!compaction->is_begun) {
        compact_others(store);
        compaction->is_begun = true;
        return;
    }
    uint32_t from = compaction->log_number, to = end_of_piece(store, from);
    compact_numbers(store, from, to);
    compaction->log_number = to;
    compaction->is_done = to == UINT32_MAX;
}
