#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <parley/bytes.h>

struct utf8_row {
    const char *bytes;
    size_t size;
    bool is_valid;
};

#define ROW(text, is_valid)                                                                        \
    { text, sizeof(text) - 1, is_valid }

static const struct utf8_row utf8_rows[] = {
    ROW("", true),
    ROW("plain", true),
    ROW("a zero \0 inside", true),
    ROW("\x7f", true),
    ROW("\xc2\x80", true),
    ROW("\xdf\xbf", true),
    ROW("\xe0\xa0\x80", true),
    ROW("\xed\x9f\xbf", true),
    ROW("\xee\x80\x80", true),
    ROW("\xef\xbf\xbf", true),
    ROW("\xf0\x90\x80\x80", true),
    ROW("\xf4\x8f\xbf\xbf", true),
    ROW("sixteen letters \xe2\x82\xac and more than sixteen", true),
    ROW("1234567\xe2\x82\xac", true),
    ROW("\x80", false),
    ROW("\xbf", false),
    ROW("\xc0\xaf", false),
    ROW("\xc1\xbf", false),
    ROW("\xc2", false),
    ROW("\xc2 ", false),
    ROW("\xe0\x9f\xbf", false),
    ROW("\xe2\x82", false),
    ROW("\xe2\x82 ", false),
    ROW("\xed\xa0\x80", false),
    ROW("\xed\xbf\xbf", false),
    ROW("\xf0\x8f\xbf\xbf", false),
    ROW("\xf0\x9f\x98", false),
    ROW("\xf4\x90\x80\x80", false),
    ROW("\xf5\x80\x80\x80", false),
    ROW("\xfe", false),
    ROW("\xff", false),
    ROW("long enough for eight at a time\xff", false),
    ROW("1234567\xff", false),
    ROW("\xc3\xc3\xa4", false),
};

static void test_utf8(void **state) {
    for (size_t i = 0; i < sizeof utf8_rows / sizeof utf8_rows[0]; i++) {
        const struct utf8_row *row = &utf8_rows[i];
        if (parley_utf8_is_valid(PARLEY_SPAN(row->bytes, row->size)) != row->is_valid)
            fail_msg("row %zu", i);
    }
    assert_true(parley_utf8_is_valid(PARLEY_NO_SPAN));
}

/* Every character there is, and the same shape for the ones that there are not. */
static void test_utf8_of_every_number(void **state) {
    for (uint32_t number = 0; number < 0x120000; number++) {
        uint8_t bytes[4];
        size_t size = number < 0x80 ? 1 : number < 0x800 ? 2 : number < 0x10000 ? 3 : 4;
        static const uint8_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)(0x80 | (number >> 6 * (size - 1 - i) & 0x3f));
        bytes[0] = (uint8_t)(marks[size] | number >> 6 * (size - 1));
        bool is_character = number < 0x110000 && (number < 0xd800 || number > 0xdfff);
        if (parley_utf8_is_valid(PARLEY_SPAN(bytes, size)) != is_character)
            fail_msg("U+%04X", number);
    }
}

static void test_hex(void **state) {
    const uint8_t data[] = {0x00, 0x0f, 0xa5, 0xff};
    uint8_t back[4];
    char text[9];
    parley_hex_encode(text, data, sizeof data);
    assert_string_equal(text, "000fa5ff");
    assert_true(parley_hex_decode(back, sizeof back, PARLEY_SPAN("000FA5fF", 8)));
    assert_memory_equal(back, data, sizeof data);
    assert_true(parley_hex_decode(back, 0, PARLEY_NO_SPAN));
    static const char *const bad[] = {"000fa5f",  "000fa5ff0", "000fa5ff00", "000fa5fg",
                                      "0x0fa5ff", " 00fa5ff",  "000fa5/f",   "000fa5:f",
                                      "000fa5@f", "000fa5`f"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(parley_hex_decode(back, sizeof back, PARLEY_SPAN(bad[i], strlen(bad[i]))));
}

static void test_big_endian(void **state) {
    uint8_t out[8];
    parley_put_u32(out, 0x01020304);
    assert_memory_equal(out, "\1\2\3\4", 4);
    assert_int_equal(parley_get_u32(out), 0x01020304);
    parley_put_u48(out, UINT64_C(0x010203040506));
    assert_memory_equal(out, "\1\2\3\4\5\6", 6);
    assert_true(parley_get_u48(out) == UINT64_C(0x010203040506));
    parley_put_u64(out, UINT64_C(0xfffefdfcfbfaf9f8));
    assert_memory_equal(out, "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", 8);
    assert_true(parley_get_u64(out) == UINT64_C(0xfffefdfcfbfaf9f8));
}

static void test_equality(void **state) {
    struct parley_id a = {{0}};
    struct parley_id b = {{0}};
    assert_true(PARLEY_IS_ZERO(a));
    assert_true(PARLEY_EQUAL(a, b));
    b.bytes[31] = 1;
    assert_false(PARLEY_IS_ZERO(b));
    assert_false(PARLEY_EQUAL(a, b));
    assert_true(PARLEY_COMPARE(a, b) < 0);
    assert_true(parley_span_equal(PARLEY_NO_SPAN, PARLEY_SPAN("", 0)));
    assert_true(parley_span_equal(PARLEY_SPAN("ab", 2), PARLEY_SPAN("ab", 2)));
    assert_false(parley_span_equal(PARLEY_SPAN("ab", 2), PARLEY_SPAN("ab", 1)));
    assert_false(parley_span_equal(PARLEY_SPAN("ab", 2), PARLEY_SPAN("ac", 2)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8),     cmocka_unit_test(test_utf8_of_every_number),
        cmocka_unit_test(test_hex),      cmocka_unit_test(test_big_endian),
        cmocka_unit_test(test_equality),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
