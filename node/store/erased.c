#include "cost.h"
#include "internal.h"

#define PAIR_SIZE 12u

static parley_seq pair_low(const struct erased *erased, size_t index) {
    return parley_get_u48(erased->pairs.data + index * PAIR_SIZE);
}

static parley_seq pair_high(const struct erased *erased, size_t index) {
    return parley_get_u48(erased->pairs.data + index * PAIR_SIZE + 6);
}

static size_t put_pair(uint8_t *out, parley_seq low, parley_seq high) {
    parley_put_u48(out, low);
    parley_put_u48(out + 6, high);
    return PAIR_SIZE;
}

bool erased_is_valid(struct parley_span pairs) {
    struct erased erased = {pairs};
    parley_seq last = 0;
    if (pairs.size == 0 || pairs.size % PAIR_SIZE != 0)
        return false;
    for (size_t i = 0; i < pairs.size / PAIR_SIZE; i++) {
        if (pair_low(&erased, i) <= last || pair_high(&erased, i) < pair_low(&erased, i))
            return false;
        last = pair_high(&erased, i);
    }
    return true;
}

void erased_load(struct batch *batch, const struct log_row *row, struct erased *erased) {
    struct key key;
    erased->pairs = PARLEY_NO_SPAN;
    if (!row->has_erased)
        return;
    key_erased(&key, row->number);
    if (batch_get(batch, &key, &erased->pairs) && !erased_is_valid(erased->pairs))
        batch->error = PARLEY_E_STORE_DAMAGED;
}

bool erased_covers(const struct erased *erased, parley_seq seq) {
    size_t low = 0, high = erased->pairs.size / PAIR_SIZE;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pair_high(erased, middle) < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < erased->pairs.size / PAIR_SIZE && pair_low(erased, low) <= seq;
}

void erased_add(struct batch *batch, struct log_row *row, parley_seq low, parley_seq high) {
    struct erased erased;
    struct key key;
    erased_load(batch, row, &erased);
    size_t count = erased.pairs.size / PAIR_SIZE, before = 0, after;
    while (before < count && pair_high(&erased, before) + 1 < low)
        before++;
    after = before;
    for (; after < count && pair_low(&erased, after) <= high + 1; after++) {
        low = pair_low(&erased, after) < low ? pair_low(&erased, after) : low;
        high = pair_high(&erased, after) > high ? pair_high(&erased, after) : high;
    }
    key_erased(&key, row->number);
    uint8_t *out = batch_put(batch, &key, (before + 1 + count - after) * PAIR_SIZE);
    if (out == NULL)
        return;
    if (before > 0)
        memcpy(out, erased.pairs.data, before * PAIR_SIZE);
    (void)put_pair(out + before * PAIR_SIZE, low, high);
    if (count > after)
        memcpy(out + (before + 1) * PAIR_SIZE, erased.pairs.data + after * PAIR_SIZE,
               (count - after) * PAIR_SIZE);
    row->has_erased = true;
    row->held.bytes += cost_of_erased((before + 1 + count - after) * PAIR_SIZE);
    row->held.bytes -= cost_of_erased(erased.pairs.size);
}

void erased_take(struct batch *batch, struct log_row *row, parley_seq low, parley_seq high) {
    struct erased erased;
    struct key key;
    size_t size = 0;
    erased_load(batch, row, &erased);
    uint8_t *left = batch_allocate(batch, erased.pairs.size + PAIR_SIZE);
    if (left == NULL || erased.pairs.size == 0)
        return;
    for (size_t i = 0; i < erased.pairs.size / PAIR_SIZE; i++) {
        parley_seq from = pair_low(&erased, i), to = pair_high(&erased, i);
        if (from < low)
            size += put_pair(left + size, from, to < low ? to : low - 1);
        if (to > high)
            size += put_pair(left + size, from > high ? from : high + 1, to);
    }
    key_erased(&key, row->number);
    if (size == 0)
        batch_drop(batch, &key);
    else
        batch_put_span(batch, &key, PARLEY_SPAN(left, size));
    row->has_erased = size > 0;
    row->is_purged = row->is_purged && size > 0;
    row->held.bytes += cost_of_erased(size);
    row->held.bytes -= cost_of_erased(erased.pairs.size);
}
