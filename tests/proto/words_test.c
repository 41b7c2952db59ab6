#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <parley/crypto.h>
#include <parley/text.h>

#include "../../proto/words_english.h"
#include "../vector_file.h"

static void test_the_published_list(void **state) {
    /* SHA-256 of BIP 39's english.txt: every word and a line end. */
    crypto_hash_sha256_state hash;
    uint8_t digest[32];
    char hex[65];
    crypto_hash_sha256_init(&hash);
    for (size_t i = 0; i < WORDS_ENGLISH_COUNT; i++) {
        const char *word = words_english[i];
        crypto_hash_sha256_update(&hash, (const uint8_t *)word, strlen(word));
        crypto_hash_sha256_update(&hash, (const uint8_t *)"\n", 1);
        assert_true(i == 0 || strcmp(words_english[i - 1], word) < 0);
    }
    crypto_hash_sha256_final(&hash, digest);
    parley_hex_encode(hex, digest, sizeof digest);
    assert_string_equal(hex, "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
}

static void test_published_vectors(void **state) {
    struct vector_file file;
    vector_open(&file, "bip39.txt", "\t");
    while (vector_next(&file)) {
        uint8_t entropy[PARLEY_ENTROPY_SIZE];
        uint8_t back[PARLEY_ENTROPY_SIZE];
        char text[PARLEY_WORDS_TEXT_SIZE];
        size_t size;
        assert_int_equal(file.columns_count, 2);
        assert_true(vector_bytes(file.columns[0], entropy, sizeof entropy, &size));
        parley_words_encode(text, entropy);
        assert_string_equal(text, file.columns[1]);
        assert_int_equal(parley_words_decode(back, vector_text(text)).error, PARLEY_E_OK);
        assert_memory_equal(back, entropy, sizeof entropy);
    }
    assert_int_equal(file.rows_count, 8);
}

static void test_every_word_both_ways(void **state) {
    for (unsigned index = 0; index < WORDS_ENGLISH_COUNT; index++) {
        uint8_t entropy[PARLEY_ENTROPY_SIZE] = {0};
        uint8_t back[PARLEY_ENTROPY_SIZE];
        char text[PARLEY_WORDS_TEXT_SIZE];
        entropy[0] = (uint8_t)(index >> 3);
        entropy[1] = (uint8_t)(index << 5);
        parley_words_encode(text, entropy);
        size_t size = strlen(words_english[index]);
        assert_memory_equal(text, words_english[index], size);
        assert_int_equal(text[size], ' ');
        assert_int_equal(parley_words_decode(back, vector_text(text)).error, PARLEY_E_OK);
        assert_memory_equal(back, entropy, sizeof entropy);
    }
}

struct words_row {
    const char *text;
    enum parley_error error;
    size_t offset;
};

static const struct words_row rows[] = {
    {"  Zoo zoo\tZOO zoo\nzoo zoo zoo zoo zoo\r\n zoo zoo wrong\n", PARLEY_E_OK, 0},
    {"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo", PARLEY_E_BAD_CHECKSUM, 0},
    {"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong zoo", PARLEY_E_BAD_CHECKSUM, 0},
    {"", PARLEY_E_BAD_WORDS, 0},
    {"   ", PARLEY_E_BAD_WORDS, 3},
    {"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong", PARLEY_E_BAD_WORDS, 45},
    {"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong zoo", PARLEY_E_BAD_WORDS, 50},
    {"zoo zoo zoo, zoo", PARLEY_E_BAD_WORDS, 8},
    {"zoo zo", PARLEY_E_BAD_WORDS, 4},
    {"zoo zoos", PARLEY_E_BAD_WORDS, 4},
    {"abandonabandonabandon", PARLEY_E_BAD_WORDS, 0},
    {"zoo abstractx", PARLEY_E_BAD_WORDS, 4},
    {"\xc3\xa4 zoo", PARLEY_E_BAD_WORDS, 0},
};

static void test_what_people_type(void **state) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t entropy[PARLEY_ENTROPY_SIZE] = {5};
        struct parley_fault fault = parley_words_decode(entropy, vector_text(rows[i].text));
        if (fault.error != rows[i].error || fault.offset != rows[i].offset)
            fail_msg("row %zu: %s at %zu", i, parley_error_name(fault.error), fault.offset);
        assert_int_equal(entropy[0], fault.error == PARLEY_E_OK ? 0xff : 5);
    }
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    assert_int_equal(parley_words_decode(entropy, PARLEY_NO_SPAN).error, PARLEY_E_BAD_WORDS);
    assert_int_equal(parley_words_decode(entropy, PARLEY_SPAN("act\0 zoo", 8)).error,
                     PARLEY_E_BAD_WORDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_published_list),
        cmocka_unit_test(test_published_vectors),
        cmocka_unit_test(test_every_word_both_ways),
        cmocka_unit_test(test_what_people_type),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
