#include "log_fixture.h"

#include <stdlib.h>

static void test_sign_then_check(void **state) {
    struct fixture_device device;
    struct parley_check check;
    struct parley_entry entries[2];
    (void)state;
    fixture_device(&device, 1);
    fixture_log(&device, entries, 2);
    for (size_t i = 0; i < 2; i++) {
        parley_entry_check(&check, &entries[i], &device.key);
        assert_true(parley_check_holds(&check));
        assert_int_equal(parley_body_check(&entries[i].header, &entries[i].salt, entries[i].body),
                         PARLEY_E_OK);
    }
    assert_true(PARLEY_EQUAL(entries[1].header.prev, entries[0].id));
    parley_entry_check(&check, &entries[1], &device.key);
    check.digest.bytes[3] ^= 1;
    assert_false(parley_check_holds(&check));
}

static void test_signing_again_is_the_same(void **state) {
    struct fixture_device device;
    struct parley_entry first[3], second[3];
    (void)state;
    fixture_device(&device, 2);
    fixture_log(&device, first, 3);
    fixture_log(&device, second, 3);
    assert_true(PARLEY_EQUAL(first[2].id, second[2].id));
}

static void test_a_body_is_its_size_salt_and_bytes(void **state) {
    struct fixture_device device;
    struct parley_entry entry;
    (void)state;
    fixture_device(&device, 1);
    fixture_log(&device, &entry, 1);
    struct parley_salt salt = entry.salt;
    struct parley_span shorter = {entry.body.data, entry.body.size - 1};
    assert_int_equal(parley_body_check(&entry.header, &salt, shorter), PARLEY_E_BAD_BODY);
    assert_int_equal(parley_body_check(&entry.header, &salt, PARLEY_SPAN("b0 e2", 5)),
                     PARLEY_E_BAD_BODY);
    salt.bytes[15] ^= 1;
    assert_int_equal(parley_body_check(&entry.header, &salt, entry.body), PARLEY_E_BAD_BODY);
}

static void test_every_bit_of_a_header_moves_the_id(void **state) {
    struct fixture_device device;
    struct parley_entry entry;
    uint8_t bytes[PARLEY_HEADER_BYTES_MAX];
    (void)state;
    fixture_device(&device, 1);
    fixture_log(&device, &entry, 1);
    size_t size = parley_header_encode(bytes, &entry.header);
    for (size_t bit = 0; bit < size * 8; bit++) {
        struct parley_entry other = entry;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct parley_fault fault = parley_header_decode(&other.header, PARLEY_SPAN(bytes, size));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (fault.error != PARLEY_E_OK)
            continue;
        parley_entry_id(&other);
        assert_false(PARLEY_EQUAL(other.id, entry.id));
    }
}

static void test_fields_out_of_range_are_named(void **state) {
    struct fixture_device device;
    struct parley_entry entry;
    (void)state;
    fixture_device(&device, 1);
    fixture_log(&device, &entry, 1);
    const struct {
        const char *field;
        struct parley_header header;
    } rows[] = {
#define ROW(name, change)                                                                          \
    {name, ({                                                                                      \
         struct parley_header h = entry.header;                                                    \
         change;                                                                                   \
         h;                                                                                        \
     })}
        ROW("version", h.version = 0),
        ROW("version", h.version = 128),
        ROW("seq", h.seq = 0),
        ROW("seq", h.seq = PARLEY_SEQ_MAX + 1),
        ROW("prev", h.seq = 2),
        ROW("prev", h.prev.bytes[0] = 1),
        ROW("time", h.time = PARLEY_TIME_MAX + 1),
        ROW("body size", h.body_size = PARLEY_BODY_BYTES_MAX + 1),
        ROW("ext", h.ext_size = PARLEY_EXT_BYTES_MAX + 1),
#undef ROW
    };
    assert_int_equal(parley_header_validate(&entry.header).error, PARLEY_E_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parley_fault fault = parley_header_validate(&rows[i].header);
        assert_int_equal(fault.error, PARLEY_E_OUT_OF_RANGE);
        assert_string_equal(fault.field, rows[i].field);
    }
}

/* header NAME EXPECT HEX; what is accepted encodes to the same bytes. */
static void check_header(struct vector_file *file) {
    struct parley_span bytes;
    struct parley_header header;
    uint8_t again[PARLEY_HEADER_BYTES_MAX];
    uint8_t *memory = vector_bytes(file->words[3], &bytes);
    struct parley_fault fault = parley_header_decode(&header, bytes);
    assert_string_equal(parley_error_name(fault.error), file->words[2]);
    if (fault.error == PARLEY_E_OK)
        assert_true(
            parley_span_equal(PARLEY_SPAN(again, parley_header_encode(again, &header)), bytes));
    free(memory);
}

/* entry NAME EXPECT DEVICE_KEY HEADER SIGNATURE SALT BODY DIGEST ID */
static void check_entry(struct vector_file *file) {
    struct parley_entry entry = {.has_body = true};
    struct parley_device_key key;
    struct parley_check check;
    uint8_t *memory[7];
    struct parley_span spans[7];
    for (size_t i = 0; i < 7; i++)
        memory[i] = vector_bytes(file->words[3 + i], &spans[i]);
    memcpy(key.bytes, spans[0].data, sizeof key);
    assert_int_equal(parley_header_decode(&entry.header, spans[1]).error, PARLEY_E_OK);
    memcpy(entry.signature.bytes, spans[2].data, sizeof entry.signature);
    memcpy(entry.salt.bytes, spans[3].data, sizeof entry.salt);
    entry.body = spans[4];
    parley_entry_id(&entry);
    parley_entry_check(&check, &entry, &key);
    assert_true(parley_span_equal(PARLEY_SPAN_OF(check.digest), spans[5]));
    assert_true(parley_span_equal(PARLEY_SPAN_OF(entry.id), spans[6]));
    enum parley_error error = parley_body_check(&entry.header, &entry.salt, entry.body);
    if (error == PARLEY_E_OK && !parley_check_holds(&check))
        error = PARLEY_E_BAD_SIGNATURE;
    assert_string_equal(parley_error_name(error), file->words[2]);
    for (size_t i = 0; i < 7; i++)
        free(memory[i]);
}

static void test_vectors(void **state) {
    struct vector_file file;
    size_t count = 0;
    (void)state;
    vector_open(&file, "entries.txt");
    while (vector_next(&file)) {
        if (strcmp(file.words[0], "header") == 0)
            check_header(&file);
        else if (strcmp(file.words[0], "entry") == 0)
            check_entry(&file);
        else
            continue; /* bodies: body_test.c */
        count++;
    }
    vector_close(&file);
    assert_true(count >= 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign_then_check),
        cmocka_unit_test(test_signing_again_is_the_same),
        cmocka_unit_test(test_a_body_is_its_size_salt_and_bytes),
        cmocka_unit_test(test_every_bit_of_a_header_moves_the_id),
        cmocka_unit_test(test_fields_out_of_range_are_named),
        cmocka_unit_test(test_vectors),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests_name("entry", tests, NULL, NULL);
    return 0;
}
