#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <parley/text.h>

#include "../vector_file.h"

/* \xNN to bytes, in place; the size. */
static size_t unescape(char *text) {
    size_t size = 0;
    for (const char *at = text; *at != '\0'; size++) {
        if (at[0] == '\\' && at[1] == 'x') {
            assert_true(parley_hex_decode((uint8_t *)text + size, 1, PARLEY_SPAN(at + 2, 2)));
            at += 4;
        } else {
            text[size] = *at++;
        }
    }
    text[size] = '\0';
    return size;
}

/* What was read must be written again as the same text in lower case. */
static void assert_same_text(const char *hrp, struct parley_span data, char *text) {
    char again[128];
    parley_bech32m_encode(again, hrp, data);
    for (char *at = text; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    assert_string_equal(again, text);
}

static void test_every_published_string(void **state) {
    struct vector_file file;
    vector_open(&file, "bech32m.txt", "\t");
    while (vector_next(&file)) {
        uint8_t data[64];
        assert_int_equal(file.columns_count, 5);
        char *hrp = file.columns[1];
        size_t size = (size_t)atoi(file.columns[2]);
        char *text = file.columns[3];
        unescape(hrp);
        struct parley_span span = PARLEY_SPAN(text, unescape(text));
        struct parley_fault fault = parley_bech32m_decode(data, size, hrp, span);
        const char *verdict = parley_error_name(fault.error);
        if (fault.error == PARLEY_E_BAD_TEXT && strcmp(fault.field, "padding") == 0)
            verdict = "PADDING";
        if (strcmp(verdict, file.columns[0]) != 0)
            fail_msg("%s: %s", text, verdict);
        if (fault.error == PARLEY_E_OK)
            assert_same_text(hrp, PARLEY_SPAN(data, size), text);
    }
    assert_int_equal(file.rows_count, 23);
}

static void test_every_size_both_ways(void **state) {
    for (size_t size = 0; size <= 49; size++) {
        uint8_t data[49];
        uint8_t back[49];
        char text[128];
        for (size_t i = 0; i < size; i++)
            data[i] = (uint8_t)(i * 37 + size);
        parley_bech32m_encode(text, "abc", PARLEY_SPAN(data, size));
        assert_int_equal(strlen(text), 3 + 1 + (size * 8 + 4) / 5 + 6);
        assert_int_equal(parley_bech32m_decode(back, size, "abc", vector_text(text)).error,
                         PARLEY_E_OK);
        assert_memory_equal(back, data, size);
    }
}

/* One wrong letter, or two neighbours that changed places, anywhere: found. */
static void test_slips_are_found(void **state) {
    const uint8_t data[32] = {1, 2, 3, 250};
    uint8_t back[32];
    char text[128];
    parley_bech32m_encode(text, "parley", PARLEY_SPAN(data, sizeof data));
    for (size_t at = 7; text[at] != '\0'; at++) {
        char right = text[at];
        for (const char *wrong = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"; *wrong != '\0'; wrong++) {
            text[at] = *wrong;
            enum parley_error error =
                parley_bech32m_decode(back, 32, "parley", vector_text(text)).error;
            assert_int_equal(error, *wrong == right ? PARLEY_E_OK : PARLEY_E_BAD_CHECKSUM);
        }
        text[at] = right;
        if (text[at + 1] == '\0' || text[at + 1] == right)
            continue;
        text[at] = text[at + 1];
        text[at + 1] = right;
        assert_int_equal(parley_bech32m_decode(back, 32, "parley", vector_text(text)).error,
                         PARLEY_E_BAD_CHECKSUM);
        text[at + 1] = text[at];
        text[at] = right;
    }
}

static void test_a_fault_leaves_the_output_alone(void **state) {
    uint8_t data[20] = {42};
    struct parley_fault fault = parley_bech32m_decode(
        data, sizeof data, "abcdef", vector_text("abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryq"));
    assert_int_equal(fault.error, PARLEY_E_BAD_CHECKSUM);
    assert_int_equal(fault.offset, 39);
    assert_int_equal(data[0], 42);
    assert_true(parley_is_zero(data + 1, sizeof data - 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_published_string),
        cmocka_unit_test(test_every_size_both_ways),
        cmocka_unit_test(test_slips_are_found),
        cmocka_unit_test(test_a_fault_leaves_the_output_alone),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
