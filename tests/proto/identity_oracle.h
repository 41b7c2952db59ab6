/* A node's side of an identity set, to hold against the obvious writing of its rules. Included by
 * one test.
 */
#ifndef TESTS_IDENTITY_ORACLE_H
#define TESTS_IDENTITY_ORACLE_H

#include "identity_obvious.h"

static struct person alice;

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
