#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <parley/crypto.h>

#include "../vector_file.h"

static void test_self_test(void **state) {
    assert_int_equal(parley_crypto_self_test(), PARLEY_E_OK);
}

static bool is_accepted(const uint8_t key[32], const uint8_t *message, size_t message_size,
                        const uint8_t *signature, size_t signature_size) {
    /* A signature of another size never reaches the rule: the codec reads 64 bytes or fails. */
    return signature_size == 64 &&
           crypto_sign_verify_detached(signature, message, message_size, key) == 0;
}

/* What a check says must be the same verdict; it can be asked only of 32-byte messages. */
static bool is_check_agreeing(const uint8_t key[32], const uint8_t *message,
                              const uint8_t *signature, bool verdict) {
    struct parley_check check;
    memcpy(check.key, key, 32);
    memcpy(check.digest.bytes, message, 32);
    memcpy(check.signature.bytes, signature, 64);
    return parley_check_holds(&check) == verdict;
}

static void test_every_published_verdict(void **state) {
    struct vector_file file;
    size_t accepted_count = 0;
    vector_open(&file, "ed25519_verify_cases.txt", " ");
    while (vector_next(&file)) {
        uint8_t key[32];
        uint8_t message[2048];
        uint8_t signature[128];
        size_t key_size;
        size_t message_size;
        size_t signature_size;
        assert_int_equal(file.columns_count, 6);
        assert_true(vector_bytes(file.columns[3], key, sizeof key, &key_size));
        assert_true(vector_bytes(file.columns[4], message, sizeof message, &message_size));
        assert_true(vector_bytes(file.columns[5], signature, sizeof signature, &signature_size));
        assert_int_equal(key_size, 32);
        bool verdict = is_accepted(key, message, message_size, signature, signature_size);
        if (verdict != (strcmp(file.columns[2], "1") == 0))
            fail_msg("%s %s", file.columns[0], file.columns[1]);
        if (message_size == 32 && signature_size == 64)
            assert_true(is_check_agreeing(key, message, signature, verdict));
        accepted_count += verdict;
    }
    assert_int_equal(file.rows_count, 1077);
    assert_int_equal(accepted_count, 88 + 1 + 43);
}

static struct parley_secret_key key_pair_of(uint8_t first, uint8_t public_key[32]) {
    struct parley_seed seed = {{first}};
    struct parley_secret_key secret;
    parley_key_pair(&secret, public_key, &seed);
    return secret;
}

static void test_sign_and_check(void **state) {
    struct parley_check check;
    struct parley_signature again;
    struct parley_secret_key secret = key_pair_of(1, check.key);
    parley_hash_one(check.digest.bytes, PARLEY_DOMAIN_ENTRY, PARLEY_SPAN("words", 5));
    parley_sign(&check.signature, &secret, &check.digest);
    parley_sign(&again, &secret, &check.digest);
    assert_true(PARLEY_EQUAL(check.signature, again));
    assert_true(parley_check_holds(&check));
    for (size_t bit = 0; bit < 8 * sizeof check.signature; bit++) {
        struct parley_check flipped = check;
        flipped.signature.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(parley_check_holds(&flipped));
    }
    for (size_t bit = 0; bit < 8 * sizeof check.digest; bit++) {
        struct parley_check flipped = check;
        flipped.digest.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(parley_check_holds(&flipped));
    }
    key_pair_of(2, check.key);
    assert_false(parley_check_holds(&check));
}

static void test_domains_keep_hashes_apart(void **state) {
    static const char *const domains[] = {
        PARLEY_DOMAIN_ENTRY,       PARLEY_DOMAIN_ID,          PARLEY_DOMAIN_BODY,
        PARLEY_DOMAIN_ROOT_SEED,   PARLEY_DOMAIN_NEXT,        PARLEY_DOMAIN_AUTHOR,
        PARLEY_DOMAIN_LOG,         PARLEY_DOMAIN_ROTATION,    PARLEY_DOMAIN_CLOSING,
        PARLEY_DOMAIN_CERTIFICATE, PARLEY_DOMAIN_DEVICE,      PARLEY_DOMAIN_RECORD,
        PARLEY_DOMAIN_SET,         PARLEY_DOMAIN_BUNDLE,      PARLEY_DOMAIN_MASK,
        PARLEY_DOMAIN_DIGEST,      PARLEY_DOMAIN_DIGEST_BODY, PARLEY_DOMAIN_ADDRESS,
        PARLEY_DOMAIN_INVITE,      PARLEY_DOMAIN_RECONCILE,
    };
    const size_t count = sizeof domains / sizeof domains[0];
    struct parley_hash hashes[sizeof domains / sizeof domains[0]];
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(domains[i], "parley ", 7);
        parley_hash_one(hashes[i].bytes, domains[i], PARLEY_SPAN("x", 1));
        for (size_t j = 0; j < i; j++)
            assert_false(PARLEY_EQUAL(hashes[i], hashes[j]));
    }
}

static void test_hash_of_parts(void **state) {
    struct parley_hasher hasher;
    struct parley_hash whole;
    struct parley_hash parts;
    char hex[65];
    parley_hash_one(whole.bytes, PARLEY_DOMAIN_ENTRY, PARLEY_SPAN("abc", 3));
    parley_hex_encode(hex, whole.bytes, sizeof whole.bytes);
    assert_string_equal(hex, "06ce4a6bce5e66e170f64ab98fe1c911d6e4c16e818fb6822d3da5487d97b794");
    parley_hash_two(parts.bytes, PARLEY_DOMAIN_ENTRY, PARLEY_SPAN("a", 1), PARLEY_SPAN("bc", 2));
    assert_true(PARLEY_EQUAL(whole, parts));
    parley_hash_init(&hasher, PARLEY_DOMAIN_ENTRY);
    parley_hash_add(&hasher, "ab", 2);
    parley_hash_add(&hasher, NULL, 0);
    parley_hash_add(&hasher, "c", 1);
    parley_hash_finish(&hasher, parts.bytes);
    assert_true(PARLEY_EQUAL(whole, parts));
}

static void test_wipe(void **state) {
    uint8_t secret[40];
    memset(secret, 7, sizeof secret);
    parley_wipe(secret, sizeof secret);
    assert_true(parley_is_zero(secret, sizeof secret));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_self_test),      cmocka_unit_test(test_every_published_verdict),
        cmocka_unit_test(test_sign_and_check), cmocka_unit_test(test_domains_keep_hashes_apart),
        cmocka_unit_test(test_hash_of_parts),  cmocka_unit_test(test_wipe),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
