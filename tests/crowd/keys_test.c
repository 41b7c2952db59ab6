#include "crowd.h"

/* Devices that are revoked and roots that are rotated, against whoever has stolen them. */

/* ---- a hundred nodes ----------------------------------------------------------------------- */

#define NODES 100u
#define ALONE (NODES - 1) /* comes late */

/* A ring with a chord here and there. */
static void link_all(struct crowd *crowd) {
    for (unsigned i = 0; i < ALONE; i++)
        crowd_link(crowd, i, (i + 1) % ALONE);
    for (unsigned i = 0; i < ALONE; i += 10)
        crowd_link(crowd, i, (i + 37) % ALONE);
}

static void expect_revoked(struct crowd *crowd, const struct crowd_author *author, unsigned node) {
    struct parley_node_log log = crowd_log(crowd, node, &author->person.log);
    if (log.policy.kind != PARLEY_POLICY_CLOSED || log.head_seq != 5 || log.good.count != 1 ||
        log.good.ranges[0].lo != 1 || log.good.ranges[0].hi != 5)
        fail_msg("node %u: policy %d, head %llu", node, (int)log.policy.kind,
                 (unsigned long long)log.head_seq);
}

/* What a revoked device says later is refused by each of them, what it said before is still served.
 * Half of them had taken some of it already. */
static void test_revoked_on_a_hundred(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    crowd_begin(&crowd, NODES, 3);
    crowd_author(&author, 9);
    crowd_introduce(&crowd, &author);
    link_all(&crowd);
    uint32_t good = crowd_write(&author, CROWD_NOTHING, 5);
    crowd_give(&crowd, 0, &author, good, 1);
    crowd_wait(&crowd, 120);
    uint32_t bad = crowd_write(&author, good, 3);
    crowd_give(&crowd, 50, &author, bad, 6);
    crowd_close(&crowd, 0, &author, good);
    crowd_wait(&crowd, 240);
    bad = crowd_write(&author, bad, 2);
    for (unsigned i = 0; i < ALONE; i++) {
        expect_revoked(&crowd, &author, i);
        crowd_give(&crowd, i, &author, bad, 9);
        assert_int_equal(parley_error_class(crowd.nodes[i].reply), PARLEY_CLASS_NOBODY);
        expect_revoked(&crowd, &author, i);
    }
    crowd_link(&crowd, ALONE, 50);
    crowd_wait(&crowd, 120);
    expect_revoked(&crowd, &author, ALONE);
    assert_int_equal(crowd.blamed, 0);
    crowd_author_end(&author);
    crowd_end(&crowd);
}

/* ---- a thief with today's root ------------------------------------------------------------- */

enum { ROTATION, CERTIFICATE, CLOSING, THIEFS_ENTRIES, OWNERS_ENTRY, ARRIVALS };
enum { VICTIM, NEWCOMER, OWNER, THIEF, WATCHERS };

struct theft {
    struct crowd_author owner, thief; /* one person, two devices */
    uint32_t before, after, bad;
};

/* A device of the thief's own, certified with the root of generation 0. */
static void steal(struct theft *theft) {
    struct crowd_author *thief = &theft->thief;
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_secret_key root;
    struct parley_root_key root_key;
    struct parley_seed seed;
    crowd_author(&theft->owner, 9);
    crowd_author(thief, 9);
    memset(entropy, 9, sizeof entropy);
    memset(seed.bytes, 0x66, sizeof seed.bytes);
    parley_root_derive(&root, &root_key, entropy, 0);
    parley_key_pair(&thief->person.device, thief->person.device_key.bytes, &seed);
    parley_log_derive(&thief->person.log, &thief->person.author, &thief->person.device_key);
    assert_int_equal(parley_certificate_make(&thief->person.certificate,
                                             thief->person.certificate_bytes,
                                             sizeof thief->person.certificate_bytes, &root,
                                             &thief->person.device, &thief->person.author, 0),
                     PARLEY_E_OK);
    theft->before = crowd_write(&theft->owner, CROWD_NOTHING, 4);
    theft->after = crowd_write(&theft->owner, theft->before, 1);
    theft->bad = crowd_write(thief, CROWD_NOTHING, 3);
}

static void arrive(struct crowd *crowd, unsigned node, const struct theft *theft, unsigned what) {
    switch (what) {
    case ROTATION:
        crowd_rotate(crowd, node, &theft->owner, 1, theft->before, false);
        break;
    case CERTIFICATE:
        crowd_record(crowd, node, theft->thief.person.certificate);
        break;
    case CLOSING: /* hides what the owner said */
        crowd_close(crowd, node, &theft->owner, 1);
        break;
    case THIEFS_ENTRIES:
        crowd_give(crowd, node, &theft->thief, theft->bad, 1);
        break;
    case OWNERS_ENTRY:
        crowd_give(crowd, node, &theft->owner, theft->after, 5);
        break;
    }
}

static void try_order(const unsigned *order, const struct theft *theft, uint64_t seed) {
    struct crowd crowd;
    crowd_begin(&crowd, WATCHERS, seed);
    for (unsigned i = 0; i < WATCHERS; i++)
        if (i != NEWCOMER)
            crowd_introduce(&crowd, &theft->owner);
    crowd_give(&crowd, VICTIM, &theft->owner, theft->before, 1);
    crowd_give(&crowd, OWNER, &theft->owner, theft->after, 1);
    arrive(&crowd, OWNER, theft, ROTATION);
    for (unsigned i = 0; i < ARRIVALS; i++)
        arrive(&crowd, VICTIM, theft, order[i]);
    arrive(&crowd, THIEF, theft, CERTIFICATE);
    arrive(&crowd, THIEF, theft, CLOSING);
    arrive(&crowd, THIEF, theft, THIEFS_ENTRIES);
    assert_int_equal(crowd_log(&crowd, THIEF, &theft->thief.person.log).head_seq, 3);
    crowd_meet(&crowd);
    crowd_wait(&crowd, 60);
    for (unsigned i = 0; i < WATCHERS; i++) {
        struct parley_node_log log = crowd_log(&crowd, i, &theft->owner.person.log);
        if (log.policy.kind != PARLEY_POLICY_OPEN || log.head_seq != 5 || log.good.count != 1 ||
            crowd_log(&crowd, i, &theft->thief.person.log).good.count != 0)
            fail_msg("order %u%u%u%u%u: the owner lost on node %u, head %llu", order[0], order[1],
                     order[2], order[3], order[4], i, (unsigned long long)log.head_seq);
    }
    assert_int_equal(crowd.blamed, 0);
    crowd_end(&crowd);
}

static unsigned permute(unsigned *order, unsigned count, const struct theft *theft) {
    unsigned tried = 0;
    if (count == 1) {
        try_order(order, theft, order[0] * 5 + order[1]);
        return 1;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned moved = order[i];
        order[i] = order[count - 1];
        order[count - 1] = moved;
        tried += permute(order, count - 1, theft);
        order[count - 1] = order[i];
        order[i] = moved;
    }
    return tried;
}

/* The root that was today's, against a rotation, in every order of arrival: the owner wins on every
 * node. */
static void test_thief_against_rotation(void **state) {
    unsigned order[ARRIVALS] = {ROTATION, CERTIFICATE, CLOSING, THIEFS_ENTRIES, OWNERS_ENTRY};
    struct theft theft;
    steal(&theft);
    assert_int_equal(permute(order, ARRIVALS, &theft), 120);
    crowd_author_end(&theft.owner);
    crowd_author_end(&theft.thief);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_revoked_on_a_hundred),
                                       cmocka_unit_test(test_thief_against_rotation)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("keys", tests, NULL, NULL) == 0 ? 0 : 1;
}
