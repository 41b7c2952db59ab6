#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <parley/error.h>
#include <string.h>

static void test_words_and_classes(void **state) {
    (void)state;
    assert_string_equal(parley_error_name(PARLEY_E_OK), "OK");
    assert_int_equal(parley_error_class(PARLEY_E_OK), PARLEY_CLASS_NONE);
    assert_int_equal(parley_error_class(PARLEY_E_BAD_SIGNATURE), PARLEY_CLASS_REMOTE);
    assert_int_equal(parley_error_class(PARLEY_E_PREV_MISMATCH), PARLEY_CLASS_NOBODY);
    assert_int_equal(parley_error_class(PARLEY_E_BAD_WORDS), PARLEY_CLASS_CALLER);
    assert_int_equal(parley_error_class(PARLEY_E_DISK_FULL), PARLEY_CLASS_LOCAL);
}

static void test_a_number_outside_the_list(void **state) {
    (void)state;
    assert_string_equal(parley_error_name((enum parley_error)9999), "UNKNOWN");
    assert_int_equal(parley_error_class((enum parley_error)9999), PARLEY_CLASS_LOCAL);
}

static void test_words_are_unique_and_plain(void **state) {
    (void)state;
    for (int a = 0; a <= PARLEY_E_SELF_TEST; a++) {
        const char *words = parley_strerror((enum parley_error)a);
        assert_true(strlen(words) > 4);
        assert_true(words[strlen(words) - 1] != '.');
        for (int b = a + 1; b <= PARLEY_E_SELF_TEST; b++)
            assert_string_not_equal(words, parley_strerror((enum parley_error)b));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_and_classes),
        cmocka_unit_test(test_a_number_outside_the_list),
        cmocka_unit_test(test_words_are_unique_and_plain),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
