/* The rules of the identity set written a second time, slowly and obviously: from whole lists of
 * records to the set and a verdict. For tests and for the simulator's oracle.
 */
#ifndef TESTS_IDENTITY_OBVIOUS_H
#define TESTS_IDENTITY_OBVIOUS_H

#include "person.h"

#define REDUCED_MAX 2048

struct reduced {
    const struct made_record *rotation; /* NULL: nothing revealed */
    const struct made_record *rest[REDUCED_MAX];
    size_t rest_count;
};

static int hash_order(const struct made_record *a, const struct made_record *b) {
    return PARLEY_COMPARE(a->record.hash, b->record.hash);
}

static int rest_order(const void *left, const void *right) {
    const struct made_record *a = *(const struct made_record *const *)left;
    const struct made_record *b = *(const struct made_record *const *)right;
    if (a->record.kind != b->record.kind)
        return a->record.kind < b->record.kind ? -1 : 1;
    return hash_order(a, b);
}

static void reduce(struct reduced *out, const struct made_record *const *records, size_t count,
                   size_t bound) {
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < count; i++) {
        const struct made_record *best = out->rotation, *one = records[i];
        if (one->record.kind != PARLEY_RECORD_ROTATION)
            continue;
        if (best == NULL || one->record.generation > best->record.generation ||
            (one->record.generation == best->record.generation && hash_order(one, best) < 0))
            out->rotation = one;
    }
    for (size_t i = 0; out->rotation != NULL && i < count; i++)
        if (records[i]->record.kind != PARLEY_RECORD_ROTATION &&
            records[i]->record.generation == out->rotation->record.generation)
            out->rest[out->rest_count++] = records[i];
    qsort(out->rest, out->rest_count, sizeof *out->rest, rest_order);
    size_t unique = 0;
    for (size_t i = 0; i < out->rest_count; i++)
        if (unique == 0 || hash_order(out->rest[unique - 1], out->rest[i]) != 0)
            out->rest[unique++] = out->rest[i];
    out->rest_count = unique < bound ? unique : bound;
}

/* Ends and starts as a list; the least end wins, else the greatest start. */
struct place {
    parley_seq seq;
    struct parley_id id;
};

static int place_order(const struct place *a, const struct place *b) {
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return PARLEY_COMPARE(a->id, b->id);
}

static struct parley_policy obvious_policy(const struct reduced *set,
                                           const struct parley_device_key *device) {
    static struct place ends[REDUCED_MAX], starts[REDUCED_MAX];
    size_t ends_count = 0, starts_count = 0;
    if (set->rotation == NULL)
        return PARLEY_NO_POLICY;
    struct parley_span rest = set->rotation->record.listings;
    struct parley_listing listing;
    while (parley_listing_next(&listing, &rest)) {
        struct place place = {listing.seq, listing.id};
        if (!PARLEY_EQUAL(listing.device, *device))
            continue;
        if (listing.ended)
            ends[ends_count++] = place;
        else
            starts[starts_count++] = place;
    }
    for (size_t i = 0; i < set->rest_count; i++) {
        const struct parley_record *record = &set->rest[i]->record;
        if (!PARLEY_EQUAL(record->device, *device))
            continue;
        struct place place = {record->seq, record->id};
        if (record->kind == PARLEY_RECORD_CLOSING)
            ends[ends_count++] = place;
        else
            starts[starts_count++] = place;
    }
    if (ends_count > 0) {
        struct place least = ends[0];
        for (size_t i = 1; i < ends_count; i++)
            if (place_order(&ends[i], &least) < 0)
                least = ends[i];
        return least.seq == 0 ? PARLEY_NO_POLICY
                              : (struct parley_policy){PARLEY_POLICY_CLOSED, least.seq, least.id};
    }
    if (starts_count == 0)
        return PARLEY_NO_POLICY;
    struct place greatest = starts[0];
    for (size_t i = 1; i < starts_count; i++)
        if (place_order(&starts[i], &greatest) > 0)
            greatest = starts[i];
    return (struct parley_policy){PARLEY_POLICY_OPEN, greatest.seq, greatest.id};
}

#endif
