/* The rules of the identity set written a second time, slowly and obviously, and a node's side to
 * hold against it. Included by one test.
 */
#ifndef TESTS_IDENTITY_ORACLE_H
#define TESTS_IDENTITY_ORACLE_H

#include "person.h"

static struct person alice;

/* ---- The second writing: from whole lists of records to the set and a verdict. */

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

/* ---- A node's side: the set in growing memory, and beside it the hashes that a store keeps. */

struct side {
    struct parley_identity set;
    size_t moves;
    struct parley_hash kept[REDUCED_MAX];
    size_t kept_count;
};

static struct parley_identity_storage allocate(size_t facts, size_t listings) {
    return (struct parley_identity_storage){
        calloc(facts + 1, sizeof(struct parley_identity_fact)), facts,
        calloc(listings + 1, sizeof(struct parley_listing)), listings};
}

static void release(struct parley_identity_storage *storage) {
    free(storage->facts);
    free(storage->listings);
}

static void side_init(struct side *side, uint32_t bound) {
    struct parley_identity_storage storage = allocate(0, 0);
    memset(side, 0, sizeof *side);
    parley_identity_init(&side->set, &alice.author, &storage);
    side->set.facts_count_bound = bound;
}

static void side_clear(struct side *side) {
    release(&side->set.storage);
}

static void keep(struct side *side, const struct parley_record *record,
                 const struct parley_identity_change *change) {
    size_t at = 0;
    switch (change->removed) {
    case PARLEY_REMOVED_NOTHING:
        break;
    case PARLEY_REMOVED_ALL:
        side->kept_count = 0;
        break;
    case PARLEY_REMOVED_ONE:
        while (!PARLEY_EQUAL(side->kept[at], change->removed_hash))
            assert_true(++at < side->kept_count);
        side->kept[at] = side->kept[--side->kept_count];
        break;
    }
    side->kept[side->kept_count++] = record->hash;
}

/* Adds, grows the memory exactly when told, and asks the preview beforehand. */
static enum parley_identity_answer side_add(struct side *side, const struct made_record *made) {
    struct parley_identity_change foreseen, change;
    enum parley_identity_answer preview =
        parley_identity_preview(&side->set, &made->record, &foreseen);
    enum parley_identity_answer answer = parley_identity_add(&side->set, &made->record, &change);
    assert_int_equal(preview, answer);
    assert_memory_equal(&foreseen, &change, sizeof change);
    if (answer == PARLEY_IDENTITY_FULL) {
        struct parley_identity_storage old = side->set.storage;
        struct parley_identity_storage larger = allocate(
            change.facts_count_needed > side->set.facts_count ? change.facts_count_needed
                                                              : side->set.facts_count,
            change.listings_count_needed > side->set.listings_count ? change.listings_count_needed
                                                                    : side->set.listings_count);
        parley_identity_move(&side->set, &larger);
        release(&old);
        side->moves++;
        answer = parley_identity_add(&side->set, &made->record, &change);
        assert_int_not_equal(answer, PARLEY_IDENTITY_FULL);
    }
    if (answer == PARLEY_IDENTITY_ADDED)
        keep(side, &made->record, &change);
    return answer;
}

/* All records in the order given; those of an unrevealed generation come again at the end. */
static void side_add_all(struct side *side, const struct made_record *const *records,
                         size_t count) {
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < count; i++) {
            bool reveals = records[i]->record.kind == PARLEY_RECORD_ROTATION;
            if (side_add(side, records[i]) == PARLEY_IDENTITY_ADDED && reveals)
                again = true;
        }
    }
}

static void assert_hash_is_kept(const struct side *side, const struct parley_hash *hash) {
    size_t at = 0;
    while (at < side->kept_count && !PARLEY_EQUAL(side->kept[at], *hash))
        at++;
    assert_true(at < side->kept_count);
}

static void assert_log(const struct parley_identity *set, const struct reduced *reduced,
                       const struct parley_device_key *device) {
    struct parley_policy expected = obvious_policy(reduced, device), by_log;
    struct parley_policy policy = parley_identity_policy(set, device);
    assert_true(parley_policy_equal(&policy, &expected));
    struct parley_log log;
    struct parley_device_key found;
    parley_log_derive(&log, &set->author, device);
    bool is_known = parley_identity_log_policy(&by_log, &found, set, &log);
    assert_true(parley_policy_equal(&by_log, &expected));
    assert_true(is_known ? PARLEY_EQUAL(found, *device) : expected.kind == PARLEY_POLICY_VOID);
}

/* The set is the reduced one, the store holds its records and no other, each verdict is the same.
 */
static void assert_reduced(const struct side *side, const struct reduced *reduced,
                           unsigned devices_count) {
    const struct parley_identity *set = &side->set;
    assert_int_equal(set->revealed, reduced->rotation != NULL);
    assert_int_equal(set->facts_count, reduced->rest_count);
    assert_int_equal(side->kept_count, reduced->rest_count + (reduced->rotation != NULL));
    if (reduced->rotation != NULL) {
        assert_true(PARLEY_EQUAL(set->rotation_hash, reduced->rotation->record.hash));
        assert_hash_is_kept(side, &set->rotation_hash);
    }
    for (size_t i = 0; i < reduced->rest_count; i++) {
        assert_true(PARLEY_EQUAL(set->storage.facts[i].hash, reduced->rest[i]->record.hash));
        assert_hash_is_kept(side, &set->storage.facts[i].hash);
    }
    for (unsigned d = 0; d < devices_count; d++) {
        struct parley_device_key device = person_device_key(d);
        assert_log(set, reduced, &device);
    }
    struct parley_identity_log log;
    size_t position = 0, visited = 0;
    while (parley_identity_log_next(&log, set, &position)) {
        struct parley_policy policy = parley_identity_policy(set, &log.device);
        assert_true(parley_policy_equal(&policy, &log.policy));
        visited++;
    }
    assert_true(visited <= devices_count);
}

#endif
