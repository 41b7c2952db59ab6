#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <parley/crypto.h>
#include <parley/replay.h>

#define COUNT PARLEY_REPLAY_MARKS_COUNT

static struct parley_replay filter;
static struct parley_replay other;
static uint8_t encoding[PARLEY_REPLAY_BYTES + 1];

static void init_filter(uint8_t seed_byte) {
    const struct parley_seed seed = {{seed_byte}};
    struct parley_random random;
    parley_random_init(&random, &seed);
    parley_replay_init(&filter, &random);
}

static bool note(struct parley_replay *replay, uint32_t number) {
    uint8_t flight[56] = {0};
    parley_put_u32(flight, number);
    return parley_replay_note(replay, PARLEY_SPAN(flight, sizeof flight));
}

static void test_a_repeat_is_seen(void **state) {
    (void)state;
    init_filter(1);
    assert_true(note(&filter, 1));
    assert_true(note(&filter, 2));
    assert_false(note(&filter, 1));
    assert_int_equal(filter.noted, 2);
}

static void test_a_full_filter_forgets_the_oldest(void **state) {
    (void)state;
    init_filter(2);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_true(note(&filter, i));
    for (uint32_t i = 0; i < COUNT; i++)
        assert_false(note(&filter, i));
    for (uint32_t i = COUNT; i < COUNT + 100; i++)
        assert_true(note(&filter, i));
    for (uint32_t i = 100; i < COUNT + 100; i++)
        assert_false(note(&filter, i));
    assert_true(note(&filter, 0));
}

static void test_kept_over_a_restart(void **state) {
    (void)state;
    init_filter(3);
    for (uint32_t i = 0; i < 5000; i++)
        assert_true(note(&filter, i));
    parley_replay_encode(&filter, encoding);
    assert_int_equal(parley_replay_decode(&other, PARLEY_SPAN(encoding, PARLEY_REPLAY_BYTES)),
                     PARLEY_E_OK);
    assert_memory_equal(&filter, &other, sizeof filter);
    for (uint32_t i = 0; i < 5000; i++)
        assert_false(note(&other, i));
    assert_true(note(&other, 5000));
}

static void test_bytes_of_another_size(void **state) {
    (void)state;
    init_filter(4);
    other = filter;
    assert_int_equal(parley_replay_decode(&filter, PARLEY_SPAN(encoding, PARLEY_REPLAY_BYTES - 1)),
                     PARLEY_E_TRUNCATED);
    assert_int_equal(parley_replay_decode(&filter, PARLEY_SPAN(encoding, PARLEY_REPLAY_BYTES + 1)),
                     PARLEY_E_TRAILING);
    assert_memory_equal(&filter, &other, sizeof filter);
}

int main(void) {
    if (parley_crypto_self_test() != PARLEY_E_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_repeat_is_seen),
        cmocka_unit_test(test_a_full_filter_forgets_the_oldest),
        cmocka_unit_test(test_kept_over_a_restart),
        cmocka_unit_test(test_bytes_of_another_size),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
