#include "log_fixture.h"

#include <parley/digest.h>
#include <parley/random.h>

static struct parley_id id_of(parley_seq seq) {
    struct parley_id id = {{0}};
    memset(id.bytes, (int)seq, seq > 0 ? 32 : 0);
    return id;
}

static void add(struct parley_ranges *ranges, parley_seq lo, parley_seq hi) {
    struct parley_run run = {lo, id_of(lo - 1), hi, id_of(hi), true};
    parley_seq conflict;
    assert_int_equal(parley_ranges_add(ranges, &run, PARLEY_PLACE_ANY, NULL, NULL, &conflict),
                     PARLEY_E_OK);
}

static struct parley_hash leaf_of(const struct parley_ranges *ranges,
                                  const struct parley_policy *policy) {
    static const struct parley_log log = {{5}};
    struct parley_digest_range counted[PARLEY_DIGEST_RANGES_MAX];
    struct parley_hash hash;
    parley_digest_log(&hash, &log, counted, parley_digest_counted(counted, ranges, policy));
    return hash;
}

/* What is counted, seq by seq, told apart from how it came to be held. */
static uint64_t counted_bits(const struct parley_ranges *ranges,
                             const struct parley_policy *policy) {
    struct parley_anchor head = {0};
    uint64_t bits = 0;
    parley_ranges_head(ranges, policy, &head);
    if (policy->kind == PARLEY_POLICY_VOID)
        return 0;
    for (parley_seq seq = head.seq; seq > 0 && parley_ranges_covers(ranges, seq); seq--)
        bits |= UINT64_C(1) << seq;
    for (parley_seq seq = policy->seq; seq > 0 && parley_ranges_covers(ranges, seq); seq--)
        bits |= UINT64_C(1) << seq;
    return bits;
}

static void draw(struct parley_ranges *ranges, struct parley_random *random) {
    *ranges = (struct parley_ranges){0};
    bool held[17] = {false};
    for (size_t i = 1; i < 17; i++)
        held[i] = parley_random_below(random, 4) > 0;
    for (parley_seq lo = 1; lo < 17; lo++) {
        parley_seq hi = lo;
        while (hi < 17 && held[hi])
            hi++;
        if (hi > lo)
            add(ranges, lo, hi - 1);
        lo = hi;
    }
}

static void test_equal_exactly_when_the_same_is_counted(void **state) {
    struct parley_random random;
    struct parley_seed seed = {{3}};
    struct parley_ranges a, b;
    size_t equal = 0;
    (void)state;
    parley_random_init(&random, &seed);
    for (size_t round = 0; round < 20000; round++) {
        struct parley_policy policy = {PARLEY_POLICY_OPEN, parley_random_below(&random, 12), {{0}}};
        policy.id = id_of(policy.seq);
        if (policy.seq > 0 && parley_random_below(&random, 3) == 0)
            policy.kind = PARLEY_POLICY_CLOSED;
        draw(&a, &random);
        draw(&b, &random);
        if (policy.kind == PARLEY_POLICY_CLOSED) {
            struct parley_anchor top = {policy.seq, policy.id};
            parley_ranges_cut(&a, &top, false);
            parley_ranges_cut(&b, &top, false);
        }
        struct parley_hash one = leaf_of(&a, &policy), two = leaf_of(&b, &policy);
        bool same = counted_bits(&a, &policy) == counted_bits(&b, &policy);
        assert_int_equal(PARLEY_EQUAL(one, two), same);
        equal += same;
    }
    assert_true(equal > 100);
}

static void test_a_void_log_counts_nothing(void **state) {
    struct parley_ranges ranges = {0};
    struct parley_policy none = PARLEY_NO_POLICY;
    struct parley_digest_range counted[PARLEY_DIGEST_RANGES_MAX];
    (void)state;
    add(&ranges, 1, 5);
    assert_int_equal(parley_digest_counted(counted, &ranges, &none), 0);
}

static struct parley_hash author_of(enum parley_digest_kind kind, uint8_t author_number,
                                    uint8_t log_number, const struct parley_hash *leaf) {
    struct parley_digest_hasher hasher;
    struct parley_author author = {{author_number}};
    struct parley_log log = {{log_number}};
    struct parley_hash hash;
    parley_digest_author_init(&hasher, kind, &author);
    parley_digest_author_add(&hasher, &log, leaf);
    parley_digest_finish(&hasher, &hash);
    return hash;
}

static void test_every_part_is_in_the_digest(void **state) {
    struct parley_hash leaf = {{1}}, other = {{2}};
    (void)state;
    struct parley_hash base = author_of(PARLEY_DIGEST_HEADERS, 1, 1, &leaf);
    const struct parley_hash others[] = {
        author_of(PARLEY_DIGEST_BODIES, 1, 1, &leaf),
        author_of(PARLEY_DIGEST_HEADERS, 2, 1, &leaf),
        author_of(PARLEY_DIGEST_HEADERS, 1, 2, &leaf),
        author_of(PARLEY_DIGEST_HEADERS, 1, 1, &other),
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(PARLEY_EQUAL(base, others[i]));
    struct parley_hash again = author_of(PARLEY_DIGEST_HEADERS, 1, 1, &leaf);
    assert_true(PARLEY_EQUAL(base, again));
}

static void test_levels_do_not_meet(void **state) {
    struct parley_digest_hasher all;
    struct parley_author author = {{1}};
    struct parley_hash leaf = {{1}}, of_all, of_author;
    (void)state;
    parley_digest_all_init(&all, PARLEY_DIGEST_HEADERS);
    parley_digest_all_add(&all, &author, &leaf);
    parley_digest_finish(&all, &of_all);
    of_author = author_of(PARLEY_DIGEST_HEADERS, 1, 1, &leaf);
    assert_false(PARLEY_EQUAL(of_all, of_author));
}

static void test_bodies_by_their_stretches(void **state) {
    struct parley_log log = {{5}};
    struct parley_digest_bodies_range one[] = {{1, 4}, {6, 9}}, two[] = {{1, 4}, {7, 9}};
    struct parley_hash a, b, c;
    (void)state;
    parley_digest_bodies_log(&a, &log, one, 2);
    parley_digest_bodies_log(&b, &log, two, 2);
    parley_digest_bodies_log(&c, &log, one, 2);
    assert_false(PARLEY_EQUAL(a, b));
    assert_true(PARLEY_EQUAL(a, c));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_exactly_when_the_same_is_counted),
        cmocka_unit_test(test_a_void_log_counts_nothing),
        cmocka_unit_test(test_every_part_is_in_the_digest),
        cmocka_unit_test(test_levels_do_not_meet),
        cmocka_unit_test(test_bodies_by_their_stretches),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests_name("digest", tests, NULL, NULL);
    return 0;
}
