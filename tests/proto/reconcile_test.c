#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <parley/random.h>

#include "reconcile_pair.h"

/* Two sets of any sizes: both sides end knowing exactly what differs. */

static struct parley_random dice;

static void roll(uint64_t seed) {
    struct parley_seed bytes = {{0}};
    parley_put_u64(bytes.bytes, seed);
    parley_random_init(&dice, &bytes);
}

static void fill(struct parley_reconcile_log *log) {
    *log = (struct parley_reconcile_log){.seq = 1 + parley_random_below(&dice, 1000)};
    parley_random_bytes(&dice, log->name, sizeof log->name);
    parley_random_bytes(&dice, log->id.bytes, sizeof log->id.bytes);
    log->set_hash[0] = log->name[0];
}

enum change { SAME, HERE_ABOVE, THERE_ABOVE, OTHER_ID, OTHER_SET, FORKED, HERE_ALONE, THERE_ALONE };

static void change(struct parley_reconcile_log *here, struct parley_reconcile_log *there,
                   enum change kind) {
    parley_random_bytes(&dice, there->id.bytes, kind == SAME || kind == OTHER_SET ? 0 : 32);
    here->seq += kind == HERE_ABOVE ? 70000 : 0;
    there->seq += kind == THERE_ABOVE ? 70000 : 0;
    there->set_hash[0] ^= kind == OTHER_SET;
    there->forked_seq = kind == FORKED ? there->seq + 1 : 0;
}

/* What each side must find of an item, in sight of what the other has. */
struct expected {
    enum change kind;
    bool is_seen[2];
};

static void check_finding(const struct pair_finding *finding, struct expected *expected,
                          unsigned side, const struct parley_reconcile_log *other) {
    bool is_above = finding->finding == PARLEY_RECONCILE_ABOVE;
    switch (expected->kind) {
    case SAME:
        fail_msg("a finding of what is the same");
        break;
    case HERE_ABOVE:
    case THERE_ABOVE:
        assert_true(is_above && side == (expected->kind == HERE_ABOVE));
        assert_int_equal(finding->seq, other->seq);
        break;
    case OTHER_ID:
    case OTHER_SET:
    case FORKED:
        assert_true(finding->finding == PARLEY_RECONCILE_OTHER ||
                    finding->finding == PARLEY_RECONCILE_ASKED);
        break;
    case HERE_ALONE:
    case THERE_ALONE:
        assert_true(finding->finding == PARLEY_RECONCILE_ABSENT ||
                    finding->finding == PARLEY_RECONCILE_ASKED);
        assert_int_equal(side, expected->kind == THERE_ALONE);
        break;
    }
    assert_false(expected->is_seen[side]); /* once */
    expected->is_seen[side] = true;
}

static void check_all_seen(const struct expected *all, size_t count) {
    for (size_t i = 0; i < count; i++) {
        enum change kind = all[i].kind;
        bool first = kind == THERE_ABOVE || kind == HERE_ALONE,
             second = kind == HERE_ABOVE || kind == THERE_ALONE;
        bool both = kind == OTHER_ID || kind == OTHER_SET || kind == FORKED;
        assert_int_equal(all[i].is_seen[0], first || both);
        assert_int_equal(all[i].is_seen[1], second || both);
    }
}

/* count items in all, one in so many of them changed. */
static struct pair run_random(size_t count, size_t one_in, uint64_t seed) {
    struct pair pair = {0};
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    struct expected *expected = calloc(count + 1, sizeof *expected);
    uint32_t *items[2] = {calloc(count + 1, 4), calloc(count + 1, 4)};
    roll(seed);
    parley_random_bytes(&dice, key, sizeof key);
    for (unsigned side = 0; side < 2; side++)
        pair_side_begin(&pair.sides[side], key, count);
    for (uint32_t i = 0; i < count; i++) {
        struct parley_reconcile_log here, there;
        enum change kind = SAME;
        fill(&here);
        there = here;
        if (one_in > 0 && parley_random_below(&dice, one_in) == 0)
            kind = (enum change)(1 + parley_random_below(&dice, THERE_ALONE));
        change(&here, &there, kind);
        expected[i].kind = kind;
        items[0][pair.sides[0].set.count] = items[1][pair.sides[1].set.count] = i;
        if (kind != THERE_ALONE)
            pair_side_add(&pair.sides[0], &here);
        if (kind != HERE_ALONE)
            pair_side_add(&pair.sides[1], &there);
    }
    pair_run(&pair);
    assert_true(pair.turns < 30);
    for (unsigned side = 0; side < 2; side++)
        for (size_t i = 0; i < pair.sides[side].findings_count; i++) {
            const struct pair_finding *finding = &pair.sides[side].findings[i];
            uint32_t item = items[side][finding->mark];
            uint32_t other = 0;
            while (other < pair.sides[!side].set.count && items[!side][other] != item)
                other++;
            check_finding(finding, &expected[item], side, &pair.sides[!side].logs[other]);
        }
    check_all_seen(expected, count);
    for (unsigned side = 0; side < 2; side++) {
        pair_side_end(&pair.sides[side]);
        free(items[side]);
    }
    free(expected);
    return pair;
}

static void test_every_size(void **state) {
    static const size_t sizes[] = {0,   1,   2,   5,   39,  40,   41,   42,   80,
                                   127, 128, 129, 130, 300, 1000, 1025, 3000, 9000};
    static const size_t one_in[] = {0, 1, 2, 10, 100, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t j = 0; j < sizeof one_in / sizeof *one_in; j++)
            for (uint64_t seed = 0; seed < (sizes[i] < 500 ? 20 : 2); seed++)
                (void)run_random(sizes[i], one_in[j], seed * 1000 + i * 10 + j);
}

/* The sets have nothing in common, or one of them has nothing. */
static void test_strangers(void **state) {
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE] = {7};
    for (size_t first = 0; first < 3; first++)
        for (size_t second = 0; second < 3; second++) {
            static const size_t sizes[] = {0, 100, 2000};
            struct pair pair = {0};
            size_t counts[2] = {sizes[first], sizes[second]};
            roll(first * 3 + second);
            for (unsigned side = 0; side < 2; side++) {
                pair_side_begin(&pair.sides[side], key, 2000);
                for (size_t i = 0; i < counts[side]; i++) {
                    struct parley_reconcile_log log;
                    fill(&log);
                    pair_side_add(&pair.sides[side], &log);
                }
            }
            pair_run(&pair);
            for (unsigned side = 0; side < 2; side++) {
                assert_int_equal(pair.sides[side].findings_count, counts[side]);
                assert_int_equal(pair.sides[side].set.differences >= counts[side] / 2, true);
                pair_side_end(&pair.sides[side]);
            }
        }
}

/* Whoever has room for a few new ones asks for a few; what both have is compared all the same. */
static void test_room(void **state) {
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE] = {9};
    struct pair pair = {0};
    size_t told = 0, above = 0;
    roll(5);
    for (unsigned side = 0; side < 2; side++)
        pair_side_begin(&pair.sides[side], key, 600);
    for (size_t i = 0; i < 600; i++) {
        struct parley_reconcile_log log;
        fill(&log);
        pair_side_add(&pair.sides[1], &log);
        log.seq += 1;
        log.id.bytes[0] ^= 1;
        if (i < 100)
            pair_side_add(&pair.sides[0], &log);
    }
    pair.sides[0].set.room = 10;
    pair_run(&pair);
    for (size_t i = 0; i < pair.sides[1].findings_count; i++) {
        told += pair.sides[1].findings[i].finding != PARLEY_RECONCILE_ABOVE;
        above += pair.sides[1].findings[i].finding == PARLEY_RECONCILE_ABOVE;
    }
    assert_int_equal(pair.sides[0].set.room, 0);
    assert_in_range(told, 1, 10);
    assert_in_range(above, 1, 100);
    for (unsigned side = 0; side < 2; side++)
        pair_side_end(&pair.sides[side]);
}

/* What it costs: the figures of SPEC 11.8, sealing counted. Above here, the same there. */
static size_t cost(size_t count, size_t differing) {
    struct pair pair = {0};
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE] = {3};
    roll(count + differing);
    for (unsigned side = 0; side < 2; side++)
        pair_side_begin(&pair.sides[side], key, count);
    for (size_t i = 0; i < count; i++) {
        struct parley_reconcile_log log;
        fill(&log);
        pair_side_add(&pair.sides[0], &log);
        change(&log, &log, i < differing ? THERE_ABOVE : SAME);
        pair_side_add(&pair.sides[1], &log);
    }
    pair_run(&pair);
    assert_int_equal(pair.sides[0].findings_count + pair.sides[1].findings_count, differing);
    for (unsigned side = 0; side < 2; side++)
        pair_side_end(&pair.sides[side]);
    print_message("# %zu of %zu: %zu bytes, %zu messages, %zu turns\n", differing, count,
                  pair.bytes, pair.messages, pair.turns);
    return pair.bytes;
}

static void test_cost(void **state) {
    assert_in_range(cost(1000, 0), 1, 250);
    assert_in_range(cost(100000, 0), 1, 250);
    assert_in_range(cost(1000, 10), 1, 2500);
    assert_in_range(cost(1000, 100), 1, 8000);
    assert_in_range(cost(10000, 100), 1, 22000);
    assert_in_range(cost(100000, 10), 1, 6000);
    assert_in_range(cost(100000, 100), 1, 35000);
    assert_in_range(cost(1000, 1000), 1, 40000);
}

/* --- what nobody honest says ----------------------------------------------------------------- */

static bool ignore(void *context, const struct parley_reconcile_found *found) {
    size_t *count = context;
    assert_non_null(found->item);
    ++*count;
    return true;
}

/* Whatever stands in a range, the answer is of bounded size and decodes. */
static void test_nonsense(void **state) {
    static uint8_t memory[PARLEY_MESSAGE_BYTES_MAX], message[PARLEY_MESSAGE_BYTES_MAX];
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE] = {4};
    struct pair_side side;
    size_t found = 0, answered = 0;
    roll(77);
    pair_side_begin(&side, key, 5000);
    for (size_t i = 0; i < 5000; i++) {
        struct parley_reconcile_log log;
        fill(&log);
        pair_side_add(&side, &log);
    }
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[512], numbers[2048];
        struct parley_wire_range range = {
            .form = (enum parley_range_form)parley_random_below(&dice, 4), .bytes = {bytes, 0}};
        unsigned bits = 3 * (unsigned)parley_random_below(&dice, 20);
        range.path = UINT64_C(1) << bits | parley_random_below(&dice, UINT64_C(1) << bits);
        parley_random_bytes(&dice, bytes, sizeof bytes);
        range.children = (uint8_t)(bytes[0] | 1);
        range.bytes.size = range.form == PARLEY_RANGE_SPLIT
                               ? 16 * (size_t)__builtin_popcount(range.children)
                               : 4 * parley_random_below(&dice, 129);
        struct parley_writer writer;
        size_t count = 0;
        parley_writer_init(&writer, numbers, sizeof numbers);
        for (unsigned i = 0; i < 128; i += 1 + (unsigned)parley_random_below(&dice, 20)) {
            struct parley_wire_item item = {(uint8_t)i, (uint32_t)parley_random_below(&dice, 1000),
                                            1 + parley_random_below(&dice, 2000)};
            parley_wire_put_item(&writer, range.form, &item);
            count++;
        }
        range.items = parley_wire_list_of(&writer, count);
        struct parley_reconcile_out out = {0};
        parley_writer_init(&out.writer, memory, sizeof memory);
        parley_reconcile_answer(&side.set, &out, &range, ignore, &found);
        assert_true(out.writer.size <= PARLEY_RECONCILE_ANSWER_MAX && out.count <= 8);
        struct parley_wire_message said = {.type = PARLEY_WIRE_RECONCILE}, heard;
        said.as.reconcile.last = true;
        said.as.reconcile.ranges = parley_wire_list_of(&out.writer, out.count);
        parley_writer_init(&writer, message, sizeof message);
        parley_wire_encode(&writer, &said);
        assert_int_equal(parley_wire_decode(&heard, PARLEY_SPAN(message, writer.size)).error,
                         PARLEY_E_OK);
        answered += out.count;
    }
    assert_true(answered > 1000 && found > 100);
    pair_side_end(&side);
}

/* Two items in one place are found by nobody: the full name has to be said. */
static void test_find(void **state) {
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE] = {4};
    struct pair_side side;
    struct parley_reconcile_log log;
    roll(78);
    pair_side_begin(&side, key, 3);
    fill(&log);
    pair_side_add(&side, &log);
    uint64_t place = parley_reconcile_place(key, log.name);
    assert_ptr_equal(parley_reconcile_find(&side.set, place), &side.set.items[0]);
    assert_null(parley_reconcile_find(&side.set, place ^ 1));
    pair_side_add(&side, &log);
    assert_null(parley_reconcile_find(&side.set, place));
    pair_side_add(&side, &log);
    assert_false(parley_reconcile_add(&side.set, &log, 0)); /* full */
    pair_side_end(&side);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size), cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_room),       cmocka_unit_test(test_cost),
        cmocka_unit_test(test_nonsense),   cmocka_unit_test(test_find),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("reconcile", tests, NULL, NULL);
}
