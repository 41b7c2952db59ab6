#include "damaged_kv.h"

struct damaged_kv {
    struct parley_kv kv; /* first */
    struct parley_kv *whole;
    char letter;   /* of the keys that cannot be read; 0: all can */
    bool is_range; /* nor may there be none of them */
    bool is_one;   /* of those that end with a seq: of that one alone */
    parley_seq seq;
};
static struct damaged_kv damaged;

static bool is_damaged(struct parley_span key) {
    if (damaged.letter == 0 || key.size == 0 || key.data[0] != (uint8_t)damaged.letter)
        return false;
    return !damaged.is_one ||
           (key.size > 6 && parley_get_u48(key.data + key.size - 6) == damaged.seq);
}

static enum parley_error view_begin(struct parley_kv *kv, const void **view) {
    return damaged.whole->calls->view_begin(damaged.whole, view);
}

static void view_end(struct parley_kv *kv, const void *view) {
    damaged.whole->calls->view_end(damaged.whole, view);
}

static enum parley_error get(struct parley_kv *kv, const void *view, struct parley_span key,
                             uint8_t *value, size_t size_max, size_t *size) {
    return is_damaged(key)
               ? PARLEY_E_STORE_DAMAGED
               : damaged.whole->calls->get(damaged.whole, view, key, value, size_max, size);
}

struct scanning {
    parley_kv_on_pair *on_pair;
    void *context;
    bool is_past_damage, has_met;
};

/* As an iterator does: it moves on to what it can read, and remembers. */
static bool on_pair(void *context, struct parley_span key, struct parley_span value) {
    struct scanning *scanning = context;
    if (!is_damaged(key))
        return scanning->on_pair(scanning->context, key, value);
    scanning->has_met = true;
    return scanning->is_past_damage;
}

static enum parley_error scan(struct parley_kv *kv, const void *view,
                              const struct parley_kv_bounds *bounds, parley_kv_on_pair *on_own,
                              void *context) {
    struct scanning scanning = {on_own, context, bounds->is_past_damage, false};
    if (damaged.is_range && is_damaged(bounds->from))
        return PARLEY_E_STORE_DAMAGED;
    enum parley_error error =
        damaged.whole->calls->scan(damaged.whole, view, bounds, on_pair, &scanning);
    return scanning.has_met ? PARLEY_E_STORE_DAMAGED : error;
}

static enum parley_error write_changes(struct parley_kv *kv, const struct parley_kv_change *changes,
                                       size_t count) {
    return damaged.whole->calls->write(damaged.whole, changes, count);
}

static uint64_t bytes(struct parley_kv *kv, struct parley_span from, struct parley_span to) {
    return damaged.whole->calls->bytes(damaged.whole, from, to);
}

static void compact(struct parley_kv *kv, struct parley_span from, struct parley_span to) {
    damaged.whole->calls->compact(damaged.whole, from, to);
}

static const struct parley_kv_calls CALLS = {.write = write_changes,
                                             .view_begin = view_begin,
                                             .view_end = view_end,
                                             .get = get,
                                             .scan = scan,
                                             .bytes = bytes,
                                             .compact = compact};

struct parley_kv *damaged_kv_around(struct parley_kv *whole) {
    damaged = (struct damaged_kv){.kv = {&CALLS}, .whole = whole};
    return &damaged.kv;
}

void damage(char letter) {
    damaged.letter = letter;
    damaged.is_one = damaged.is_range = false;
}

void damage_range(char letter) {
    damage(letter);
    damaged.is_range = true;
}

void damage_row(char letter, parley_seq seq) {
    damage(letter);
    damaged.is_one = true;
    damaged.seq = seq;
}

void damage_entry(parley_seq seq) {
    damage_row('s', seq);
}

void damage_nothing(void) {
    damage(0);
}
