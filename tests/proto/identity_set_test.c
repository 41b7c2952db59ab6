/* The set against a slow and obvious second writing of its rules, in every order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <parley/random.h>

#include "identity_oracle.h"

/* ---- Random sets. */

#define GENERATIONS 3
#define DEVICES     4u
#define POOL_MAX    80

static struct made_record pool[POOL_MAX];
static size_t pool_count;

static void fill_pool(void) {
    for (uint8_t g = 0; g < GENERATIONS; g++) {
        for (uint8_t k = 0; k < 3; k++) {
            struct parley_listing listings[DEVICES];
            size_t count = 0;
            for (unsigned d = 0; d < k + 1u; d++)
                listings[count++] = person_listing(d, (d + k) % 3, k, (d + k) % 2 == 1);
            make_rotation(&pool[pool_count++], &alice, g, listings, count);
        }
        for (unsigned d = 0; d < DEVICES; d++) {
            make_certificate(&pool[pool_count++], &alice, g, d);
            for (parley_seq seq = 0; seq < 3; seq++)
                make_closing(&pool[pool_count++], &alice, g, d, seq, (uint8_t)(d % 2));
            make_closing(&pool[pool_count++], &alice, g, d, 2, 3);
        }
    }
    assert_true(pool_count <= POOL_MAX);
}

static size_t draw(struct parley_random *random, const struct made_record **out) {
    uint64_t of_ten = 1 + parley_random_below(random, 9);
    size_t count = 0;
    for (size_t i = 0; i < pool_count; i++)
        if (parley_random_below(random, 10) < of_ten)
            out[count++] = &pool[i];
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)parley_random_below(random, i);
        const struct made_record *moving = out[i - 1];
        out[i - 1] = out[other];
        out[other] = moving;
    }
    return count;
}

static const struct made_record *find_in_pool(const struct parley_hash *hash) {
    for (size_t i = 0; i < pool_count; i++)
        if (PARLEY_EQUAL(pool[i].record.hash, *hash))
            return &pool[i];
    return NULL;
}

/* What a side keeps, the rotation first. */
static size_t list_kept(const struct made_record **out, const struct side *side) {
    size_t count = 0;
    if (side->set.revealed)
        out[count++] = find_in_pool(&side->set.rotation_hash);
    for (size_t i = 0; i < side->set.facts_count; i++)
        out[count++] = find_in_pool(&side->set.storage.facts[i].hash);
    return count;
}

static void assert_same_hash(const struct side *a, const struct side *b) {
    struct parley_identity_hash hash_a, hash_b;
    parley_identity_hash(&hash_a, &a->set);
    parley_identity_hash(&hash_b, &b->set);
    assert_true(PARLEY_EQUAL(hash_a, hash_b));
}

/* Two sides that drew different records exchange what they keep. */
static void exchange(struct side *a, struct side *b, uint32_t bound) {
    static struct reduced reduced;
    const struct made_record *kept[2 * POOL_MAX];
    size_t count_a = list_kept(kept, a);
    size_t count = count_a + list_kept(kept + count_a, b);
    reduce(&reduced, kept, count, bound);
    side_add_all(a, kept + count_a, count - count_a);
    side_add_all(b, kept, count_a);
    assert_reduced(a, &reduced, DEVICES);
    assert_reduced(b, &reduced, DEVICES);
    assert_same_hash(a, b);
}

static void test_random_sets_in_random_orders(void **state) {
    static struct side a, b;
    static struct reduced reduced;
    const struct made_record *drawn[2 * POOL_MAX];
    struct parley_seed seed = {{5}};
    struct parley_random random;
    parley_random_init(&random, &seed);
    for (unsigned round = 0; round < 1500; round++) {
        uint32_t bound = (uint32_t)(1 + parley_random_below(&random, 12));
        side_init(&a, bound);
        side_init(&b, bound);
        size_t count_a = draw(&random, drawn);
        side_add_all(&a, drawn, count_a);
        reduce(&reduced, drawn, count_a, bound);
        assert_reduced(&a, &reduced, DEVICES);
        size_t count = count_a + draw(&random, drawn + count_a);
        side_add_all(&b, drawn + count_a, count - count_a);
        exchange(&a, &b, bound);
        /* What was refused as unrevealed comes again. */
        side_add_all(&a, drawn, count);
        reduce(&reduced, drawn, count, bound);
        assert_reduced(&a, &reduced, DEVICES);
        side_clear(&a);
        side_clear(&b);
    }
}

/* ---- Every order of a few records. */

static void permute(const struct made_record **records, size_t count, size_t fixed,
                    const struct reduced *reduced, uint32_t bound) {
    static struct side side;
    if (fixed == count) {
        side_init(&side, bound);
        side_add_all(&side, records, count);
        assert_reduced(&side, reduced, DEVICES);
        side_clear(&side);
        return;
    }
    for (size_t i = fixed; i < count; i++) {
        const struct made_record *first = records[i];
        records[i] = records[fixed];
        records[fixed] = first;
        permute(records, count, fixed + 1, reduced, bound);
        records[fixed] = records[i];
        records[i] = first;
    }
}

static void test_every_order_of_six_records(void **state) {
    struct parley_listing listings[2] = {person_listing(0, 5, 0, false),
                                         person_listing(1, 3, 0, true)};
    struct made_record made[6];
    const struct made_record *records[6];
    make_rotation(&made[0], &alice, 0, NULL, 0);
    make_certificate(&made[1], &alice, 0, 0);
    make_closing(&made[2], &alice, 0, 0, 4, 0);
    make_rotation(&made[3], &alice, 1, listings, 2);
    make_closing(&made[4], &alice, 1, 0, 7, 0);
    make_certificate(&made[5], &alice, 1, 2);
    for (size_t i = 0; i < 6; i++)
        records[i] = &made[i];
    static struct reduced reduced;
    for (uint32_t bound = 1; bound <= 2; bound++) {
        reduce(&reduced, records, 6, bound);
        permute(records, 6, 0, &reduced, bound);
    }
    free_records(made, 6);
}

/* ---- Stories. */

#define STORY_MAX 8

/* One story: what is published, in this order, and what then holds of device 1. */
struct story_record {
    char what; /* r rotation listing device 1, x rotation listing nothing, c closing, + certificate
                */
    uint8_t generation;
    unsigned device;
    parley_seq seq;
    bool ended; /* of a listing */
};

static const struct {
    const char *name;
    struct story_record records[STORY_MAX];
    enum parley_policy_kind kind;
    parley_seq seq;
} stories[] = {
    {"a certified device writes from the start",
     {{'x', 0, 0, 0, 0}, {'+', 0, 1, 0, 0}},
     PARLEY_POLICY_OPEN,
     0},
    {"nobody spoke of the device", {{'x', 0, 0, 0, 0}, {'+', 0, 2, 0, 0}}, PARLEY_POLICY_VOID, 0},
    {"the owner closes a stolen device at its last good entry",
     {{'x', 0, 0, 0, 0}, {'+', 0, 1, 0, 0}, {'c', 0, 1, 9, 0}},
     PARLEY_POLICY_CLOSED,
     9},
    {"a closing makes the log the author's without a certificate",
     {{'x', 0, 0, 0, 0}, {'c', 0, 1, 9, 0}},
     PARLEY_POLICY_CLOSED,
     9},
    {"a thief of the root closes lower",
     {{'x', 0, 0, 0, 0}, {'+', 0, 1, 0, 0}, {'c', 0, 1, 9, 0}, {'c', 0, 1, 2, 0}},
     PARLEY_POLICY_CLOSED,
     2},
    {"a thief of the root voids the log",
     {{'x', 0, 0, 0, 0}, {'+', 0, 1, 0, 0}, {'c', 0, 1, 0, 0}},
     PARLEY_POLICY_VOID,
     0},
    {"rotating undoes what the thief closed",
     {{'x', 0, 0, 0, 0}, {'c', 0, 1, 0, 0}, {'r', 1, 1, 9, 0}, {'c', 0, 1, 2, 0}},
     PARLEY_POLICY_OPEN,
     9},
    {"a log that the rotation does not list is void",
     {{'x', 0, 0, 0, 0}, {'+', 0, 1, 0, 0}, {'x', 1, 0, 0, 0}},
     PARLEY_POLICY_VOID,
     0},
    {"a log listed as ended stays readable",
     {{'x', 0, 0, 0, 0}, {'+', 0, 1, 0, 0}, {'r', 1, 1, 9, 1}},
     PARLEY_POLICY_CLOSED,
     9},
    {"a certificate loosens no listing",
     {{'x', 0, 0, 0, 0}, {'r', 1, 1, 9, 0}, {'+', 1, 1, 0, 0}},
     PARLEY_POLICY_OPEN,
     9},
    {"a certificate reopens nothing that is closed",
     {{'x', 0, 0, 0, 0}, {'c', 0, 1, 9, 0}, {'+', 0, 1, 0, 0}},
     PARLEY_POLICY_CLOSED,
     9},
    {"a closing above the listing ends it there",
     {{'r', 1, 1, 9, 0}, {'c', 1, 1, 12, 0}},
     PARLEY_POLICY_CLOSED,
     12},
    {"the lower of listed end and closing counts",
     {{'r', 1, 1, 9, 1}, {'c', 1, 1, 4, 0}},
     PARLEY_POLICY_CLOSED,
     4},
};

static void make_story_record(struct made_record *out, const struct story_record *what) {
    struct parley_listing listing = person_listing(what->device, what->seq, 0, what->ended);
    if (what->what == 'r' || what->what == 'x')
        make_rotation(out, &alice, what->generation, &listing, what->what == 'r');
    else if (what->what == 'c')
        make_closing(out, &alice, what->generation, what->device, what->seq, 0);
    else
        make_certificate(out, &alice, what->generation, what->device);
}

static void test_stories(void **state) {
    static struct side side;
    struct parley_device_key device = person_device_key(1);
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
        struct made_record made[STORY_MAX];
        const struct made_record *records[STORY_MAX];
        size_t count = 0;
        for (; count < STORY_MAX && stories[i].records[count].what != 0; count++) {
            make_story_record(&made[count], &stories[i].records[count]);
            records[count] = &made[count];
        }
        side_init(&side, PARLEY_SET_RECORDS_MAX);
        side_add_all(&side, records, count);
        struct parley_policy policy = parley_identity_policy(&side.set, &device);
        if (policy.kind != stories[i].kind || policy.seq != stories[i].seq)
            fail_msg("%s: %d at %lu", stories[i].name, policy.kind, (unsigned long)policy.seq);
        side_clear(&side);
        free_records(made, count);
    }
}

/* The owner recovers on two machines with the same words: two lists in one generation. All nodes go
 * by the same one, whichever came first. */
static void test_two_rotations_of_one_generation(void **state) {
    static struct side side;
    struct made_record made[2];
    struct parley_device_key device = person_device_key(1);
    for (size_t i = 0; i < 2; i++) {
        struct parley_listing listing = person_listing(1, 5 + i, 0, false);
        make_rotation(&made[i], &alice, 1, &listing, 1);
    }
    size_t least = PARLEY_COMPARE(made[0].record.hash, made[1].record.hash) < 0 ? 0 : 1;
    for (size_t first = 0; first < 2; first++) {
        side_init(&side, PARLEY_SET_RECORDS_MAX);
        side_add(&side, &made[first]);
        side_add(&side, &made[!first]);
        assert_int_equal(side.kept_count, 1);
        assert_true(PARLEY_EQUAL(side.set.rotation_hash, made[least].record.hash));
        assert_int_equal(parley_identity_policy(&side.set, &device).seq, 5 + least);
        side_clear(&side);
    }
    free_records(made, 2);
}

static void test_answers(void **state) {
    static struct side side;
    struct made_record made[6];
    make_certificate(&made[0], &alice, 1, 1);
    make_rotation(&made[1], &alice, 1, NULL, 0);
    make_certificate(&made[2], &alice, 0, 1);
    make_rotation(&made[3], &alice, 0, NULL, 0);
    make_certificate(&made[4], &alice, 2, 1);
    make_rotation(&made[5], &alice, 2, NULL, 0);
    side_init(&side, PARLEY_SET_RECORDS_MAX);
    assert_int_equal(side_add(&side, &made[0]), PARLEY_IDENTITY_UNREVEALED);
    assert_int_equal(side_add(&side, &made[1]), PARLEY_IDENTITY_ADDED);
    assert_int_equal(side_add(&side, &made[1]), PARLEY_IDENTITY_EXISTS);
    assert_int_equal(side_add(&side, &made[0]), PARLEY_IDENTITY_ADDED);
    assert_int_equal(side_add(&side, &made[0]), PARLEY_IDENTITY_EXISTS);
    assert_int_equal(side_add(&side, &made[2]), PARLEY_IDENTITY_VOID);
    assert_int_equal(side_add(&side, &made[3]), PARLEY_IDENTITY_VOID);
    assert_int_equal(side_add(&side, &made[4]), PARLEY_IDENTITY_UNREVEALED);
    assert_int_equal(side_add(&side, &made[5]), PARLEY_IDENTITY_ADDED);
    assert_int_equal(side_add(&side, &made[0]), PARLEY_IDENTITY_VOID);
    assert_int_equal(side.kept_count, 1);
    side_clear(&side);
    free_records(made, 6);
}

/* ---- The bound at its real size: a thief of the root floods, closings still narrow. */

#define FLOOD 1030

static struct made_record flood[FLOOD + 2];

static void test_the_bound_and_the_flood(void **state) {
    static struct side side;
    static struct reduced reduced;
    const struct made_record *records[FLOOD + 2];
    make_rotation(&flood[0], &alice, 0, NULL, 0);
    for (unsigned i = 1; i <= FLOOD; i++)
        make_certificate(&flood[i], &alice, 0, i);
    make_closing(&flood[FLOOD + 1], &alice, 0, 5000, 3, 0);
    for (size_t i = 0; i < FLOOD + 2; i++)
        records[i] = &flood[i];
    side_init(&side, PARLEY_SET_RECORDS_MAX);
    size_t beyond = 0;
    for (size_t i = 0; i < FLOOD + 2; i++)
        beyond += side_add(&side, records[i]) == PARLEY_IDENTITY_BEYOND;
    assert_true(beyond <= FLOOD - PARLEY_SET_RECORDS_MAX);
    assert_int_equal(side.set.facts_count, PARLEY_SET_RECORDS_MAX);
    struct parley_device_key closed = person_device_key(5000);
    assert_int_equal(parley_identity_policy(&side.set, &closed).kind, PARLEY_POLICY_CLOSED);
    reduce(&reduced, records, FLOOD + 2, PARLEY_SET_RECORDS_MAX);
    assert_reduced(&side, &reduced, FLOOD + 1);
    /* The owner rotates, and the flood is gone: a rotation stands outside the bound. */
    struct made_record rotation;
    make_rotation(&rotation, &alice, 1, NULL, 0);
    assert_int_equal(side_add(&side, &rotation), PARLEY_IDENTITY_ADDED);
    assert_int_equal(side.kept_count, 1);
    assert_int_equal(side.set.facts_count, 0);
    side_clear(&side);
    free_records(flood, FLOOD + 2);
    free_records(&rotation, 1);
}

static void test_an_evicted_device_is_told(void **state) {
    struct made_record made[3];
    struct parley_identity_storage storage = allocate(1, 0);
    struct parley_identity set;
    struct parley_identity_change change;
    make_rotation(&made[0], &alice, 0, NULL, 0);
    make_certificate(&made[1], &alice, 0, 1);
    make_closing(&made[2], &alice, 0, 2, 3, 0);
    parley_identity_init(&set, &alice.author, &storage);
    set.facts_count_bound = 1;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(parley_identity_add(&set, &made[i].record, &change),
                         PARLEY_IDENTITY_ADDED);
    assert_int_equal(change.removed, PARLEY_REMOVED_ONE);
    assert_true(PARLEY_EQUAL(change.removed_hash, made[1].record.hash));
    assert_true(PARLEY_EQUAL(change.removed_device, made[1].record.device));
    release(&storage);
    free_records(made, 3);
}

static void test_the_hash_tells_sets_apart(void **state) {
    static struct side side;
    struct made_record made[3];
    struct parley_identity_hash seen[4];
    make_rotation(&made[0], &alice, 0, NULL, 0);
    make_certificate(&made[1], &alice, 0, 1);
    make_closing(&made[2], &alice, 0, 1, 3, 0);
    side_init(&side, PARLEY_SET_RECORDS_MAX);
    parley_identity_hash(&seen[0], &side.set);
    assert_true(PARLEY_IS_ZERO(seen[0]));
    for (size_t i = 0; i < 3; i++) {
        side_add(&side, &made[i]);
        parley_identity_hash(&seen[i + 1], &side.set);
        for (size_t before = 0; before <= i; before++)
            assert_false(PARLEY_EQUAL(seen[before], seen[i + 1]));
    }
    side_clear(&side);
    free_records(made, 3);
}

static int start(void **state) {
    if (parley_crypto_self_test() != PARLEY_E_OK)
        return -1;
    person_init(&alice, 1);
    fill_pool();
    return 0;
}

static int stop(void **state) {
    free_records(pool, pool_count);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_sets_in_random_orders),
        cmocka_unit_test(test_every_order_of_six_records),
        cmocka_unit_test(test_stories),
        cmocka_unit_test(test_two_rotations_of_one_generation),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_the_bound_and_the_flood),
        cmocka_unit_test(test_an_evicted_device_is_told),
        cmocka_unit_test(test_the_hash_tells_sets_apart),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, start, stop);
    return 0;
}
