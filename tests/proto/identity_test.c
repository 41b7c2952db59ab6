#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "person.h"

static struct person alice;

static struct parley_root_key root_of(const struct person *person, uint8_t generation) {
    struct parley_secret_key secret;
    struct parley_root_key key;
    parley_root_derive(&secret, &key, person->entropy, generation);
    return key;
}

static void test_the_name_commits_to_every_root(void **state) {
    /* Every rotation of whatever generation derives the same author. */
    for (unsigned g = 0; g < PARLEY_GENERATIONS_COUNT; g++) {
        struct made_record rotation;
        make_rotation(&rotation, &alice, (uint8_t)g, NULL, 0);
        assert_int_equal(rotation.record.generation, g);
        assert_true(PARLEY_EQUAL(rotation.record.author, alice.author));
        struct parley_root_key root = root_of(&alice, (uint8_t)g);
        assert_true(PARLEY_EQUAL(rotation.record.root, root));
        assert_int_equal(parley_record_verify(&rotation.record, NULL).error, PARLEY_E_OK);
        free_records(&rotation, 1);
    }
}

static void test_roots_differ_and_so_do_people(void **state) {
    struct person bob;
    person_init(&bob, 2);
    assert_false(PARLEY_EQUAL(alice.author, bob.author));
    for (uint8_t g = 1; g < 8; g++) {
        struct parley_root_key one = root_of(&alice, g), before = root_of(&alice, g - 1);
        assert_false(PARLEY_EQUAL(one, before));
    }
}

static void test_a_log_belongs_to_author_and_device(void **state) {
    struct person bob;
    person_init(&bob, 2);
    struct parley_device_key one = person_device_key(1), two = person_device_key(2);
    struct parley_log a, b, c;
    parley_log_derive(&a, &alice.author, &one);
    parley_log_derive(&b, &alice.author, &two);
    parley_log_derive(&c, &bob.author, &one);
    assert_false(PARLEY_EQUAL(a, b));
    assert_false(PARLEY_EQUAL(a, c));
}

static void test_a_rotation_comes_back(void **state) {
    struct parley_listing listings[3] = {person_listing(3, 9, 0, false),
                                         person_listing(1, 0, 0, true),
                                         person_listing(2, PARLEY_SEQ_MAX, 1, true)};
    struct made_record made;
    make_rotation(&made, &alice, 5, listings, 3);
    assert_int_equal(made.record.kind, PARLEY_RECORD_ROTATION);
    assert_int_equal(made.record.listings_count, 3);
    struct parley_span rest = made.record.listings;
    struct parley_listing listing;
    for (size_t i = 0; i < 3; i++) {
        assert_true(parley_listing_next(&listing, &rest));
        assert_memory_equal(&listing, &listings[i], sizeof listing);
    }
    assert_false(parley_listing_next(&listing, &rest));
    free_records(&made, 1);
}

static void test_the_largest_rotation_fits(void **state) {
    static struct parley_listing listings[PARLEY_ROTATION_ITEMS_MAX];
    for (unsigned i = 0; i < PARLEY_ROTATION_ITEMS_MAX; i++)
        listings[i] = person_listing(i, PARLEY_SEQ_MAX, 0, false);
    struct made_record made;
    make_rotation(&made, &alice, PARLEY_GENERATIONS_COUNT - 1, listings, PARLEY_ROTATION_ITEMS_MAX);
    assert_true(made.bytes.size <= PARLEY_RECORD_BYTES_MAX);
    free_records(&made, 1);
}

static void test_statements_come_back(void **state) {
    struct parley_root_key root = root_of(&alice, 3);
    struct parley_device_key device = person_device_key(7);
    struct parley_id id = person_id(12, 4);
    struct made_record made[2];
    make_certificate(&made[0], &alice, 3, 7);
    make_closing(&made[1], &alice, 3, 7, 12, 4);
    for (size_t i = 0; i < 2; i++) {
        const struct parley_record *record = &made[i].record;
        assert_true(PARLEY_EQUAL(record->author, alice.author));
        assert_true(PARLEY_EQUAL(record->device, device));
        assert_int_equal(record->generation, 3);
        assert_true(made[i].bytes.size <= PARLEY_STATEMENT_BYTES_MAX);
        assert_int_equal(parley_record_verify(record, &root).error, PARLEY_E_OK);
    }
    assert_int_equal(made[0].record.kind, PARLEY_RECORD_CERTIFICATE);
    assert_int_equal(made[1].record.kind, PARLEY_RECORD_CLOSING);
    assert_int_equal(made[1].record.seq, 12);
    assert_true(PARLEY_EQUAL(made[1].record.id, id));
    free_records(made, 2);
}

static void test_another_root_signs_nothing(void **state) {
    struct parley_root_key other = root_of(&alice, 4);
    struct made_record made[2];
    make_certificate(&made[0], &alice, 3, 7);
    make_closing(&made[1], &alice, 3, 7, 12, 4);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(parley_record_verify(&made[i].record, &other).error,
                         PARLEY_E_BAD_SIGNATURE);
    free_records(made, 2);
}

static void test_the_makers_refuse(void **state) {
    uint8_t data[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_span bytes;
    struct parley_secret_key root;
    struct parley_root_key root_key;
    parley_root_derive(&root, &root_key, alice.entropy, 0);
    struct parley_device_key device = person_device_key(1);
    struct parley_id id = person_id(1, 0), zero = {{0}};
    assert_int_equal(
        parley_closing_make(&bytes, data, sizeof data, &root, &alice.author, 0, &device, 1, &zero),
        PARLEY_E_BAD_INPUT);
    assert_int_equal(
        parley_closing_make(&bytes, data, sizeof data, &root, &alice.author, 0, &device, 0, &id),
        PARLEY_E_BAD_INPUT);
    assert_int_equal(
        parley_closing_make(&bytes, data, 100, &root, &alice.author, 0, &device, 1, &id),
        PARLEY_E_NO_SPACE);
    struct parley_listing twice[2] = {person_listing(1, 0, 0, false),
                                      person_listing(1, 1, 0, false)};
    assert_int_equal(parley_rotation_make(&bytes, data, sizeof data, alice.entropy, 0, twice, 2),
                     PARLEY_E_BAD_INPUT);
    assert_int_equal(parley_rotation_make(&bytes, data, sizeof data, alice.entropy,
                                          PARLEY_GENERATIONS_COUNT, NULL, 0),
                     PARLEY_E_BAD_INPUT);
}

/* Each flipped bit is a decoding fault, another author, or a signature that fails. */
static void refuse_every_flip(const struct made_record *made, const struct parley_root_key *root) {
    uint8_t copy[1024];
    assert_true(made->bytes.size <= sizeof copy);
    for (size_t bit = 0; bit < made->bytes.size * 8; bit++) {
        memcpy(copy, made->bytes.data, made->bytes.size);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct parley_record record;
        struct parley_fault fault =
            parley_record_decode(&record, PARLEY_SPAN(copy, made->bytes.size));
        if (fault.error != PARLEY_E_OK) {
            assert_non_null(fault.field);
            assert_true(fault.offset <= made->bytes.size);
            continue;
        }
        assert_false(PARLEY_EQUAL(record.hash, made->record.hash));
        if (PARLEY_EQUAL(record.author, alice.author) &&
            record.generation == made->record.generation)
            assert_int_equal(parley_record_verify(&record, root).error, PARLEY_E_BAD_SIGNATURE);
    }
}

static void test_every_flip_is_refused(void **state) {
    struct parley_root_key root = root_of(&alice, 2);
    struct parley_listing listings[2] = {person_listing(1, 3, 0, false),
                                         person_listing(2, 5, 0, true)};
    struct made_record made[3];
    make_rotation(&made[0], &alice, 2, listings, 2);
    make_closing(&made[1], &alice, 2, 1, 3, 0);
    make_certificate(&made[2], &alice, 2, 1);
    for (size_t i = 0; i < 3; i++)
        refuse_every_flip(&made[i], &root);
    free_records(made, 3);
}

static void test_every_cut_is_refused(void **state) {
    struct parley_listing listings[1] = {person_listing(1, 3, 0, false)};
    struct made_record made[3];
    make_rotation(&made[0], &alice, 2, listings, 1);
    make_closing(&made[1], &alice, 2, 1, 3, 0);
    make_certificate(&made[2], &alice, 2, 1);
    for (size_t i = 0; i < 3; i++)
        for (size_t size = 0; size < made[i].bytes.size; size++) {
            struct parley_record record;
            struct parley_span cut = PARLEY_SPAN(made[i].bytes.data, size);
            assert_int_equal(parley_record_decode(&record, cut).error, PARLEY_E_TRUNCATED);
        }
    free_records(made, 3);
}

static void test_trailing_bytes_are_refused(void **state) {
    struct made_record made;
    make_closing(&made, &alice, 2, 1, 3, 0);
    uint8_t longer[PARLEY_STATEMENT_BYTES_MAX];
    memcpy(longer, made.bytes.data, made.bytes.size);
    longer[made.bytes.size] = 0;
    struct parley_record record;
    assert_int_equal(parley_record_decode(&record, PARLEY_SPAN(longer, made.bytes.size + 1)).error,
                     PARLEY_E_TRAILING);
    free_records(&made, 1);
}

/* A byte put in, and what decoding says. */
static void test_bytes_that_are_no_record(void **state) {
    struct made_record made;
    make_closing(&made, &alice, 2, 1, 3, 0);
    static const struct {
        size_t offset;
        uint8_t byte;
        enum parley_error error;
    } rows[] = {
        {0, 0x97, PARLEY_E_NOT_CANONICAL}, /* one element fewer than a closing has */
        {0, 0xc0, PARLEY_E_NOT_CANONICAL}, /* nil */
        {1, 2, PARLEY_E_BAD_VERSION},      /* another version */
        {1, 0, PARLEY_E_OUT_OF_RANGE},     /* there is no version 0 */
        {2, 3, PARLEY_E_BAD_KIND},         /* another kind */
        {2, 2, PARLEY_E_NOT_CANONICAL},    /* a certificate has other elements */
        {37, 64, PARLEY_E_OUT_OF_RANGE},   /* generation */
        {72, 0, PARLEY_E_NOT_CANONICAL},   /* seq 0 with an id */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t copy[PARLEY_STATEMENT_BYTES_MAX];
        memcpy(copy, made.bytes.data, made.bytes.size);
        copy[rows[i].offset] = rows[i].byte;
        struct parley_record record;
        assert_int_equal(parley_record_decode(&record, PARLEY_SPAN(copy, made.bytes.size)).error,
                         rows[i].error);
    }
    free_records(&made, 1);
}

static void test_the_last_generation_commits_to_nothing_more(void **state) {
    struct made_record made;
    make_rotation(&made, &alice, PARLEY_GENERATIONS_COUNT - 1, NULL, 0);
    uint8_t copy[4096];
    memcpy(copy, made.bytes.data, made.bytes.size);
    /* Before the end: listings 1, signature 2 + 64, and the commitment's last byte. */
    copy[made.bytes.size - 68] = 1;
    struct parley_record record;
    assert_int_equal(parley_record_decode(&record, PARLEY_SPAN(copy, made.bytes.size)).error,
                     PARLEY_E_BAD_ROOT_CHAIN);
    free_records(&made, 1);
}

/* With root and device on two machines it is the same certificate. */
static void test_a_request_is_granted(void **state) {
    struct parley_secret_key device, root;
    struct parley_root_key root_key;
    struct parley_device_key key;
    struct parley_device_request request, read;
    struct made_record made;
    char text[PARLEY_DEVICE_REQUEST_TEXT_SIZE];
    uint8_t bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_span record;
    person_device(&device, &key, 7);
    parley_root_derive(&root, &root_key, alice.entropy, 3);
    parley_device_request_make(&request, &device, &alice.author, 3);
    assert_true(parley_device_request_holds(&request));
    parley_device_request_encode(text, &request);
    struct parley_span word = PARLEY_SPAN(text, strlen(text));
    assert_int_equal(word.size, PARLEY_DEVICE_REQUEST_TEXT_SIZE - 1);
    assert_int_equal(parley_device_request_decode(&read, word).error, PARLEY_E_OK);
    assert_int_equal(parley_certificate_grant(&record, bytes, sizeof bytes, &root, &read),
                     PARLEY_E_OK);
    make_certificate(&made, &alice, 3, 7);
    assert_true(parley_span_equal(record, made.bytes));
    free_records(&made, 1);
    for (size_t i = 8; i < word.size; i++) {
        char before = text[i];
        text[i] = before == '0' ? '1' : '0';
        if (parley_device_request_decode(&read, word).error == PARLEY_E_OK)
            assert_false(parley_device_request_holds(&read));
        text[i] = before;
    }
    word.size--;
    assert_int_equal(parley_device_request_decode(&read, word).error, PARLEY_E_BAD_TEXT);
}

static int start(void **state) {
    if (parley_crypto_self_test() != PARLEY_E_OK)
        return -1;
    person_init(&alice, 1);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_name_commits_to_every_root),
        cmocka_unit_test(test_roots_differ_and_so_do_people),
        cmocka_unit_test(test_a_log_belongs_to_author_and_device),
        cmocka_unit_test(test_a_rotation_comes_back),
        cmocka_unit_test(test_the_largest_rotation_fits),
        cmocka_unit_test(test_statements_come_back),
        cmocka_unit_test(test_a_request_is_granted),
        cmocka_unit_test(test_another_root_signs_nothing),
        cmocka_unit_test(test_the_makers_refuse),
        cmocka_unit_test(test_every_flip_is_refused),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_trailing_bytes_are_refused),
        cmocka_unit_test(test_bytes_that_are_no_record),
        cmocka_unit_test(test_the_last_generation_commits_to_nothing_more),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, start, NULL);
    return 0;
}
