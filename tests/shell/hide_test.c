/* How words are compared: letter case and compatibility forms are one, and a word stands for itself
 * alone where a script parts words by spaces. */
#include "../../node/shell/api_hide.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include <cmocka.h>

static void ascii_is_folded_as_all_else(void **state) {
    for (unsigned i = 0; i < 0x80; i++) {
        uint8_t text[3] = {'A', (uint8_t)i, 'z'};
        utf8proc_uint8_t *slow = NULL;
        size_t size;
        char *quick = api_fold(PARLEY_SPAN(text, 3), &size);
        utf8proc_ssize_t slow_size =
            utf8proc_map(text, 3, &slow,
                         UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
                             UTF8PROC_IGNORE);
        assert_non_null(quick);
        assert_int_equal(size, slow_size);
        assert_memory_equal(quick, slow, size + 1);
        free(quick);
        free(slow);
    }
}

static void rows_are_found_or_not(void **state) {
    static const struct {
        const char *text, *word;
        bool has;
    } rows[] = {
        {"a spider in the kitchen", "spider", true},
        {"spiders", "spider", false},
        {"SPIDER!", "Spider", true},
        {"", "x", false},
        {"x", "x", true},
        {"in the kitchen", "the kitchen", true},
        {"Straße", "STRASSE", true},
        {"STRASSE", "straße", true},
        {"ＦＵＬＬ width", "full", true},
        {"cafe\xCC\x81", "caf\xC3\xA9", true},
        {"spi\xC2\xAD"
         "der",
         "spider", true}, /* a soft hyphen is not seen */
        {"ไปตลาดกัน", "ตลาด", true},
        {"ascii before é", "BEFORE", true},
        {"a-b_c 9", "c", true},
        {"a1b", "1", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t text_size, word_size;
        char *text = api_fold(PARLEY_SPAN(rows[i].text, strlen(rows[i].text)), &text_size);
        char *word = api_fold(PARLEY_SPAN(rows[i].word, strlen(rows[i].word)), &word_size);
        assert_true(text != NULL && word != NULL);
        if (api_fold_has(PARLEY_SPAN(text, text_size), PARLEY_SPAN(word, word_size)) != rows[i].has)
            fail_msg("%s in %s", rows[i].word, rows[i].text);
        free(text);
        free(word);
    }
}

static void what_is_no_text_is_not_folded(void **state) {
    size_t size = 5;
    assert_null(api_fold(PARLEY_SPAN("a\xFF", 2), &size));
    assert_int_equal(size, 0);
}

int main(void) {
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(ascii_is_folded_as_all_else),
        cmocka_unit_test(rows_are_found_or_not),
        cmocka_unit_test(what_is_no_text_is_not_folded),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("hide", TESTS, NULL, NULL) != 0;
}
