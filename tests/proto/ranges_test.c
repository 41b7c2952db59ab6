#include "log_fixture.h"

#include <parley/random.h>
#include <parley/ranges.h>
#include <stdio.h>

/* Ids that need no signatures: two branches that are one up to FORK_AFTER. */
#define SEQ_END    48u
#define FORK_AFTER 20u

static struct parley_id id_of(unsigned branch, parley_seq seq) {
    struct parley_id id = {{0}};
    if (seq == 0)
        return id;
    id.bytes[0] = (uint8_t)seq;
    id.bytes[1] = seq > FORK_AFTER ? (uint8_t)(branch + 1) : 1;
    return id;
}

static struct parley_run run_of(unsigned branch, parley_seq lo, parley_seq hi) {
    return (struct parley_run){lo, id_of(branch, lo - 1), hi, id_of(branch, hi), true};
}

/* ---- a slow and obvious second implementation: what is held, seq by seq */

struct model {
    uint8_t branch[SEQ_END + 2]; /* 0: not held; else branch + 1 */
    unsigned run_branch;
};

/* The id that what is held says of seq: an entry, or the prev of the one above it. */
static bool held_says(const struct model *model, parley_seq seq, struct parley_id *id) {
    unsigned by = model->branch[seq] ? model->branch[seq] : model->branch[seq + 1];
    if (by == 0 || seq == 0)
        return false;
    *id = id_of(by - 1, seq);
    return true;
}

static bool run_says(const struct parley_run *run, parley_seq seq) {
    return seq + 1 >= run->lo && seq <= run->hi;
}

static bool is_conflict(const struct model *model, const struct parley_run *run) {
    struct parley_id held;
    for (parley_seq seq = 1; seq <= SEQ_END; seq++) {
        struct parley_id own = id_of(model->run_branch, seq);
        if (run_says(run, seq) && held_says(model, seq, &held) && !PARLEY_EQUAL(held, own))
            return true;
    }
    return false;
}

static size_t model_ranges(const struct model *model) {
    size_t count = 0;
    for (parley_seq seq = 1; seq <= SEQ_END; seq++)
        count += model->branch[seq] && !model->branch[seq - 1];
    return count;
}

static bool model_meets(const struct model *model, const struct parley_run *run) {
    for (parley_seq seq = run->lo - 1; seq <= run->hi + 1; seq++)
        if (seq >= 1 && seq <= SEQ_END && model->branch[seq])
            return true;
    return false;
}

static bool model_holds(const struct model *model, const struct parley_run *run) {
    for (parley_seq seq = run->lo; seq <= run->hi; seq++)
        if (!model->branch[seq])
            return false;
    return true;
}

static enum parley_error model_add(struct model *model, const struct parley_run *run) {
    if (is_conflict(model, run))
        return PARLEY_E_FORKED;
    if (model_holds(model, run))
        return PARLEY_E_EXISTS;
    if (!model_meets(model, run) && model_ranges(model) == PARLEY_RANGES_MAX)
        return PARLEY_E_FULL;
    for (parley_seq seq = run->lo; seq <= run->hi; seq++)
        if (!model->branch[seq])
            model->branch[seq] = (uint8_t)(model->run_branch + 1);
    return PARLEY_E_OK;
}

static bool model_id_at(void *context, enum parley_side side, parley_seq seq,
                        struct parley_id *id) {
    struct model *model = context;
    if (side == PARLEY_SIDE_HELD)
        return held_says(model, seq, id);
    *id = id_of(model->run_branch, seq);
    return true;
}

static void assert_same(const struct parley_ranges *ranges, const struct model *model) {
    assert_true(parley_ranges_is_valid(ranges));
    assert_int_equal(ranges->count, model_ranges(model));
    for (parley_seq seq = 1; seq <= SEQ_END; seq++)
        assert_int_equal(parley_ranges_covers(ranges, seq), model->branch[seq] != 0);
    for (size_t i = 0; i < ranges->count; i++) {
        const struct parley_run *range = &ranges->ranges[i];
        struct parley_id top = id_of(model->branch[range->hi] - 1u, range->hi);
        assert_true(PARLEY_EQUAL(range->hi_id, top));
    }
}

static void assert_packs(const struct parley_ranges *ranges) {
    uint8_t packed[PARLEY_RANGES_PACKED_MAX], again[PARLEY_RANGES_PACKED_MAX];
    struct parley_ranges copy;
    size_t size = parley_ranges_pack(packed, ranges);
    assert_int_equal(parley_ranges_unpack(&copy, PARLEY_SPAN(packed, size)), PARLEY_E_OK);
    assert_int_equal(parley_ranges_pack(again, &copy), size);
    assert_memory_equal(packed, again, size);
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(parley_ranges_unpack(&copy, PARLEY_SPAN(packed, cut)),
                         PARLEY_E_STORE_DAMAGED);
}

static void take_away(struct parley_ranges *ranges, struct model *model,
                      struct parley_random *random) {
    parley_seq seq = 1 + parley_random_below(random, SEQ_END);
    struct parley_id id = {{0}};
    if (parley_random_below(random, 2) == 0) {
        held_says(model, seq - 1, &id);
        parley_ranges_prune(ranges, seq, &id);
        memset(model->branch, 0, seq);
    } else {
        struct parley_anchor top = {seq, {{0}}};
        held_says(model, seq, &top.id);
        parley_ranges_cut(ranges, &top, true);
        memset(model->branch + seq + 1, 0, SEQ_END + 1 - seq);
    }
}

static void assert_missing(const struct parley_ranges *ranges, const struct model *model,
                           const struct parley_run *run) {
    parley_seq from, to, seq = run->lo;
    while (seq <= run->hi && model->branch[seq])
        seq++;
    bool any = parley_ranges_missing(ranges, run->lo, run->hi, &from, &to);
    assert_int_equal(any, seq <= run->hi);
    if (!any)
        return;
    assert_int_equal(from, seq);
    while (seq < run->hi && !model->branch[seq + 1])
        seq++;
    assert_int_equal(to, seq);
}

static void test_against_the_model(void **state) {
    struct parley_random random;
    struct parley_seed seed = {{7}};
    size_t seen[PARLEY_E_SELF_TEST + 1] = {0};
    (void)state;
    parley_random_init(&random, &seed);
    for (size_t round = 0; round < 2000; round++) {
        struct parley_ranges ranges = {0};
        struct model model = {0};
        for (size_t step = 0; step < 40; step++) {
            parley_seq lo = 1 + parley_random_below(&random, SEQ_END);
            parley_seq hi = lo + parley_random_below(&random, 4);
            parley_seq conflict;
            hi = hi > SEQ_END ? SEQ_END : hi;
            model.run_branch = parley_random_below(&random, 8) == 0;
            struct parley_run run = run_of(model.run_branch, lo, hi);
            assert_missing(&ranges, &model, &run);
            struct model before = model;
            enum parley_error error =
                parley_ranges_add(&ranges, &run, PARLEY_PLACE_ANY, model_id_at, &before, &conflict);
            assert_int_equal(error, model_add(&model, &run));
            assert_int_equal(conflict > 0, error == PARLEY_E_FORKED);
            seen[error]++;
            assert_same(&ranges, &model);
            if (parley_random_below(&random, 12) == 0)
                take_away(&ranges, &model, &random);
            assert_same(&ranges, &model);
        }
        assert_packs(&ranges);
    }
    assert_true(seen[PARLEY_E_OK] && seen[PARLEY_E_EXISTS] && seen[PARLEY_E_FORKED] &&
                seen[PARLEY_E_FULL]);
}

/* ---- single rows */

static enum parley_error add(struct parley_ranges *ranges, enum parley_placing place, parley_seq lo,
                             parley_seq hi) {
    struct parley_run run = run_of(0, lo, hi);
    parley_seq conflict;
    return parley_ranges_add(ranges, &run, place, NULL, NULL, &conflict);
}

static void test_where_a_run_may_stand(void **state) {
    struct parley_ranges ranges = {0};
    (void)state;
    assert_int_equal(add(&ranges, PARLEY_PLACE_APPEND, 2, 3), PARLEY_E_GAP);
    assert_int_equal(add(&ranges, PARLEY_PLACE_LINKED, 2, 3), PARLEY_E_GAP);
    assert_int_equal(add(&ranges, PARLEY_PLACE_APPEND, 1, 3), PARLEY_E_OK);
    assert_int_equal(add(&ranges, PARLEY_PLACE_APPEND, 5, 6), PARLEY_E_GAP);
    assert_int_equal(add(&ranges, PARLEY_PLACE_LINKED, 5, 6), PARLEY_E_GAP);
    assert_int_equal(add(&ranges, PARLEY_PLACE_ANY, 10, 12), PARLEY_E_OK);
    assert_int_equal(add(&ranges, PARLEY_PLACE_APPEND, 4, 4), PARLEY_E_GAP);
    assert_int_equal(add(&ranges, PARLEY_PLACE_LINKED, 8, 9), PARLEY_E_OK);
    assert_int_equal(add(&ranges, PARLEY_PLACE_APPEND, 13, 13), PARLEY_E_OK);
    assert_int_equal(ranges.count, 2);
    assert_int_equal(add(&ranges, PARLEY_PLACE_LINKED, 4, 7), PARLEY_E_OK);
    assert_int_equal(ranges.count, 1);
    assert_int_equal(ranges.ranges[0].hi, 13);
    /* Inside what is held only the store can tell. */
    assert_int_equal(add(&ranges, PARLEY_PLACE_ANY, 4, 7), PARLEY_E_RETRY);
    assert_int_equal(add(&ranges, PARLEY_PLACE_ANY, 11, 13), PARLEY_E_EXISTS);
}

static void test_a_whole_log_packs_small(void **state) {
    struct parley_ranges ranges = {0};
    uint8_t packed[PARLEY_RANGES_PACKED_MAX];
    (void)state;
    assert_int_equal(parley_ranges_pack(packed, &ranges), 1);
    assert_int_equal(add(&ranges, PARLEY_PLACE_APPEND, 1, 40), PARLEY_E_OK);
    assert_int_equal(parley_ranges_pack(packed, &ranges), PARLEY_RANGES_PACKED_USUAL);
    packed[0] = 9;
    assert_int_equal(parley_ranges_unpack(&ranges, PARLEY_SPAN(packed, 40)),
                     PARLEY_E_STORE_DAMAGED);
}

static void test_drop(void **state) {
    struct parley_ranges ranges = {0};
    (void)state;
    assert_int_equal(add(&ranges, PARLEY_PLACE_ANY, 1, 2), PARLEY_E_OK);
    assert_int_equal(add(&ranges, PARLEY_PLACE_ANY, 5, 6), PARLEY_E_OK);
    assert_false(parley_ranges_drop(&ranges, 3));
    assert_true(parley_ranges_drop(&ranges, 5));
    assert_int_equal(ranges.count, 1);
    assert_int_equal(ranges.ranges[0].hi, 2);
}

/* Held: 3-5, 8-10, 15-20. */
static void some_ranges(struct parley_ranges *ranges) {
    *ranges = (struct parley_ranges){0};
    assert_int_equal(add(ranges, PARLEY_PLACE_ANY, 8, 10), PARLEY_E_OK);
    assert_int_equal(add(ranges, PARLEY_PLACE_ANY, 3, 5), PARLEY_E_OK);
    assert_int_equal(add(ranges, PARLEY_PLACE_ANY, 15, 20), PARLEY_E_OK);
}

static void test_heads(void **state) {
    struct parley_ranges ranges;
    struct parley_anchor head;
    (void)state;
    some_ranges(&ranges);
    const struct {
        enum parley_policy_kind kind;
        parley_seq named, head, low;
    } rows[] = {
        {PARLEY_POLICY_OPEN, 0, 20, 15},   {PARLEY_POLICY_OPEN, 12, 20, 15},
        {PARLEY_POLICY_OPEN, 20, 20, 15},  {PARLEY_POLICY_OPEN, 21, 0, 0},
        {PARLEY_POLICY_CLOSED, 10, 10, 8}, {PARLEY_POLICY_CLOSED, 12, 0, 0},
        {PARLEY_POLICY_VOID, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parley_policy policy = {rows[i].kind, rows[i].named, id_of(0, rows[i].named)};
        assert_int_equal(parley_ranges_head(&ranges, &policy, &head), rows[i].head > 0);
        assert_int_equal(head.seq, rows[i].head);
        assert_int_equal(parley_ranges_low(&ranges, &policy), rows[i].low);
    }
    struct parley_policy open = fixture_open();
    ranges.ranges[0].hi_is_signed = false;
    assert_true(parley_ranges_head(&ranges, &open, &head));
    assert_int_equal(head.seq, 10);
}

static void test_holes(void **state) {
    struct parley_ranges ranges;
    struct parley_hole holes[PARLEY_HOLES_MAX];
    (void)state;
    some_ranges(&ranges);
    const struct {
        enum parley_policy_kind kind;
        parley_seq named, floor;
        size_t count;
        parley_seq top_down[4][2];
    } rows[] = {
        {PARLEY_POLICY_OPEN, 0, 1, 3, {{14, 10}, {7, 5}, {2, 0}}},
        {PARLEY_POLICY_OPEN, 0, 7, 2, {{14, 10}, {7, 6}}},
        {PARLEY_POLICY_OPEN, 0, 13, 1, {{14, 12}}},
        {PARLEY_POLICY_OPEN, 0, 15, 0, {{0}}},
        {PARLEY_POLICY_OPEN, 12, 1, 2, {{14, 12}, {12, 10}}},
        {PARLEY_POLICY_OPEN, 14, 1, 1, {{14, 10}}},
        {PARLEY_POLICY_OPEN, 25, 1, 1, {{25, 20}}},
        {PARLEY_POLICY_OPEN, 16, 1, 1, {{14, 10}}},
        {PARLEY_POLICY_OPEN, 4, 1, 3, {{14, 10}, {7, 5}, {2, 0}}},
        {PARLEY_POLICY_OPEN, 1, 1, 4, {{14, 10}, {7, 5}, {2, 1}, {1, 0}}},
        {PARLEY_POLICY_VOID, 0, 1, 0, {{0}}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parley_policy policy = {rows[i].kind, rows[i].named, id_of(0, rows[i].named)};
        size_t count = parley_ranges_holes(&ranges, &policy, rows[i].floor, holes);
        assert_int_equal(count, rows[i].count);
        for (size_t k = 0; k < count; k++) {
            struct parley_id id = id_of(0, rows[i].top_down[k][0]);
            assert_int_equal(holes[k].top.seq, rows[i].top_down[k][0]);
            assert_int_equal(holes[k].down, rows[i].top_down[k][1]);
            assert_true(PARLEY_EQUAL(holes[k].top.id, id));
        }
    }
    /* Nothing held: what a record names is asked for all the same. */
    struct parley_ranges none = {0};
    struct parley_policy closed = {PARLEY_POLICY_CLOSED, 9, id_of(0, 9)};
    assert_int_equal(parley_ranges_holes(&none, &closed, 1, holes), 1);
    assert_int_equal(holes[0].top.seq, 9);
    assert_int_equal(holes[0].down, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_the_model),
        cmocka_unit_test(test_where_a_run_may_stand),
        cmocka_unit_test(test_a_whole_log_packs_small),
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_holes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
    return 0;
}
