#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <parley/random.h>

static struct parley_seed counting_seed(void) {
    struct parley_seed seed;
    for (size_t i = 0; i < sizeof seed.bytes; i++)
        seed.bytes[i] = (uint8_t)i;
    return seed;
}

/* Computed with another ChaCha20: key 00 01 .. 1f, nonce zero, 32 bytes of each 512 the next key.
 * The simulator's seeds mean something only while this stays. */
static void test_pinned_stream(void **state) {
    struct parley_seed seed = counting_seed();
    struct parley_random random;
    uint8_t bytes[1200];
    char hex[33];
    parley_random_init(&random, &seed);
    parley_random_bytes(&random, bytes, sizeof bytes);
    parley_hex_encode(hex, bytes, 16);
    assert_string_equal(hex, "2b23cce7a26023ab3f0eef693ac87f64");
    parley_hex_encode(hex, bytes + 472, 16);
    assert_string_equal(hex, "4fe41f026a6d9cf22d41a59c90e41a8e");
    parley_hex_encode(hex, bytes + 1000, 16);
    assert_string_equal(hex, "ed84636dcd709055b9ebada581a4e207");
}

static void test_pieces_make_the_same_stream(void **state) {
    struct parley_seed seed = counting_seed();
    struct parley_random whole;
    struct parley_random pieces;
    uint8_t wanted[3000];
    uint8_t bytes[3000];
    parley_random_init(&whole, &seed);
    parley_random_init(&pieces, &seed);
    parley_random_bytes(&whole, wanted, sizeof wanted);
    for (size_t at = 0, size = 0; at < sizeof bytes; at += size) {
        size = at % 37 + 1;
        if (size > sizeof bytes - at)
            size = sizeof bytes - at;
        parley_random_bytes(&pieces, bytes + at, size);
    }
    assert_memory_equal(bytes, wanted, sizeof bytes);
}

static void test_given_bytes_are_gone(void **state) {
    struct parley_seed seed = counting_seed();
    struct parley_random random;
    uint8_t bytes[100];
    parley_random_init(&random, &seed);
    parley_random_bytes(&random, bytes, sizeof bytes);
    assert_true(parley_is_zero(random.pool, sizeof bytes));
    assert_memory_not_equal(random.key, seed.bytes, sizeof random.key);
    parley_random_clear(&random);
    assert_true(parley_is_zero(random.key, sizeof random.key));
    assert_true(parley_is_zero(random.pool, sizeof random.pool));
}

static void test_below_is_uniform(void **state) {
    struct parley_seed seed = counting_seed();
    struct parley_random random;
    size_t counts[10] = {0};
    parley_random_init(&random, &seed);
    for (size_t i = 0; i < 100000; i++)
        counts[parley_random_below(&random, 10)]++;
    /* Standard deviation 95: five of them. */
    for (size_t i = 0; i < 10; i++)
        assert_in_range(counts[i], 9525, 10475);
}

/* Of 2^64 numbers modulo 3 * 2^62 the low third would come twice as often. */
static void test_below_has_no_bias_at_large_bounds(void **state) {
    struct parley_seed seed = counting_seed();
    struct parley_random random;
    const uint64_t third = UINT64_C(1) << 62;
    size_t counts[3] = {0};
    parley_random_init(&random, &seed);
    for (size_t i = 0; i < 30000; i++)
        counts[parley_random_below(&random, 3 * third) / third]++;
    for (size_t i = 0; i < 3; i++)
        assert_in_range(counts[i], 9590, 10410);
    assert_true(parley_random_below(&random, 1) == 0);
    parley_random_below(&random, UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pinned_stream),
        cmocka_unit_test(test_pieces_make_the_same_stream),
        cmocka_unit_test(test_given_bytes_are_gone),
        cmocka_unit_test(test_below_is_uniform),
        cmocka_unit_test(test_below_has_no_bias_at_large_bounds),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
