#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "address_fixture.h"

static enum parley_error verdict_of(struct parley_span bytes) {
    struct parley_address_record record;
    struct parley_check check;
    enum parley_error error = parley_address_record_decode(&record, bytes).error;
    if (error != PARLEY_E_OK)
        return error;
    parley_address_record_check(&check, &record);
    return parley_check_holds(&check) ? PARLEY_E_OK : PARLEY_E_BAD_SIGNATURE;
}

static void test_every_row(void **state) {
    struct address_row row;
    for (size_t i = 0; address_row_at(&row, i); i++)
        if (verdict_of(row.bytes) != row.verdict)
            fail_msg("%s: %s", row.name, parley_error_name(verdict_of(row.bytes)));
}

static struct parley_address place(const char *text) {
    struct parley_address address = {.port = 0};
    assert_int_equal(parley_place_decode(&address, PARLEY_SPAN(text, strlen(text))).error,
                     PARLEY_E_OK);
    return address;
}

static void test_made_is_read(void **state) {
    struct parley_seed seed = {{3}};
    struct parley_secret_key secret;
    struct parley_node_key key;
    struct parley_address_record record;
    struct parley_address address, places[] = {place("tcp/9.1.2.3:7373"), place("tor/x.onion:9")};
    uint8_t bytes[PARLEY_ADDRESS_RECORD_MAX];
    struct parley_span made, left;
    parley_key_pair(&secret, key.bytes, &seed);
    assert_int_equal(parley_address_record_make(&made, bytes, sizeof bytes, &secret, 77, places, 2),
                     PARLEY_E_OK);
    assert_int_equal(verdict_of(made), PARLEY_E_OK);
    assert_int_equal(parley_address_record_decode(&record, made).error, PARLEY_E_OK);
    assert_true(PARLEY_EQUAL(record.key, key));
    assert_int_equal(record.time, 77);
    left = record.places;
    for (size_t i = 0; i < 2; i++) {
        assert_true(parley_address_record_next(&address, &record, &left));
        assert_true(PARLEY_EQUAL(address.key, key));
        assert_string_equal(address.transport, places[i].transport);
        assert_string_equal(address.host, places[i].host);
        assert_int_equal(address.port, places[i].port);
    }
    assert_false(parley_address_record_next(&address, &record, &left));
}

static void test_what_cannot_be_made(void **state) {
    struct parley_secret_key secret = {{1}};
    struct parley_address places[PARLEY_PLACES_MAX + 1];
    uint8_t bytes[2 * PARLEY_ADDRESS_RECORD_MAX];
    struct parley_span made;
    for (size_t i = 0; i < PARLEY_PLACES_MAX + 1; i++) {
        places[i] = place("h:1");
        memset(places[i].host, 'h', PARLEY_HOST_SIZE_MAX);
        places[i].host[PARLEY_HOST_SIZE_MAX] = '\0';
    }
    assert_int_equal(parley_address_record_make(&made, bytes, sizeof bytes, &secret, 0, places, 0),
                     PARLEY_E_BAD_INPUT);
    assert_int_equal(parley_address_record_make(&made, bytes, sizeof bytes, &secret, 0, places,
                                                PARLEY_PLACES_MAX + 1),
                     PARLEY_E_BAD_INPUT);
    assert_int_equal(parley_address_record_make(&made, bytes, sizeof bytes, &secret,
                                                UINT64_C(1) << 53, places, 1),
                     PARLEY_E_BAD_INPUT);
    /* Whatever the room: nobody would take it. */
    assert_int_equal(parley_address_record_make(&made, bytes, sizeof bytes, &secret, 0, places, 4),
                     PARLEY_E_NO_SPACE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_made_is_read),
        cmocka_unit_test(test_what_cannot_be_made),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("address", tests, NULL, NULL) == 0 ? 0 : 1;
}
