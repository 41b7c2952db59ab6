/* Entries that are held without a body which may still come: neither erased nor purged here. A
 * log's row keeps one stretch that has all of them inside, and may have others: it widens with each
 * entry that comes without, and shrinks where bodies come to its ends. Exact places would cost a
 * row that whoever sends headers and bodies by turns makes as long as he likes. */
#include "internal.h"

static void widen(struct log_row *row, parley_seq seq) {
    struct parley_store_log *held = &row->held;
    if (held->lacks_high == 0 || seq < held->lacks_low)
        held->lacks_low = seq;
    if (seq > held->lacks_high)
        held->lacks_high = seq;
}

static void set(struct log_row *row, parley_seq low, parley_seq high) {
    bool any = low != 0 && low <= high;
    row->held.lacks_low = any ? low : 0;
    row->held.lacks_high = any ? high : 0;
}

void lacks_add(struct log_row *row, const struct parley_chunk *chunk, parley_seq low,
               parley_seq high, const struct erased *erased) {
    struct parley_chunk_cursor cursor;
    struct parley_item item;
    if (chunk->bodies_count == chunk->count)
        return;
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next_item(&cursor, &item))
        if (!item.has_body && item.seq >= low && item.seq <= high &&
            !erased_covers(erased, item.seq))
            widen(row, item.seq);
}

void lacks_keep(struct log_row *row, parley_seq low, parley_seq high) {
    parley_seq from = row->held.lacks_low, to = row->held.lacks_high;
    if (to != 0)
        set(row, from > low ? from : low, to < high ? to : high);
}

/* Of low .. high alone. */
static void find(struct commit *commit, const struct log_row *row, parley_seq low, parley_seq high,
                 struct log_row *found) {
    struct segment segment;
    struct erased erased;
    erased_load(&commit->batch, row, &erased);
    parley_seq seq = low;
    while (segment_walk(&commit->batch, row->number, &seq, high, &segment))
        lacks_add(found, &segment.chunk, low, high, &erased);
}

void lacks_again(struct commit *commit, struct log_row *row, parley_seq low, parley_seq high) {
    find(commit, row, low, high, row);
}

void lacks_settle(struct commit *commit, struct log_row *row, parley_seq low, parley_seq high) {
    struct log_row found = {.held.lacks_high = 0};
    parley_seq from = row->held.lacks_low, to = row->held.lacks_high;
    if (to == 0)
        return;
    if (!row->has_erased && row->held.bodies_count == row->held.entries_count) {
        set(row, 0, 0);
        return;
    }
    if (high < from || low > to || (low > from && high < to))
        return; /* an end is not touched */
    find(commit, row, low, high, &found);
    if (high >= to)
        to = found.held.lacks_high != 0 ? found.held.lacks_high : low - 1;
    if (low <= from)
        from = found.held.lacks_low != 0 ? found.held.lacks_low : high + 1;
    set(row, from, to);
}
