#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <msgpack.h>
#include <parley/codec.h>
#include <parley/random.h>

#include "../vector_file.h"

#define DEPTH_MAX 8

static enum parley_error read_whole(struct parley_span bytes) {
    struct parley_reader reader;
    parley_reader_init(&reader, bytes);
    parley_read_skip(&reader, "value", DEPTH_MAX);
    return parley_reader_finish(&reader).error;
}

static void test_every_vector(void **state) {
    struct vector_file file;
    vector_open(&file, "codec.txt", "\t");
    while (vector_next(&file)) {
        uint8_t bytes[1024];
        size_t size;
        assert_int_equal(file.columns_count, 3);
        assert_true(vector_bytes(file.columns[0], bytes, sizeof bytes, &size));
        const char *verdict = parley_error_name(read_whole(PARLEY_SPAN(bytes, size)));
        if (strcmp(verdict, file.columns[1]) != 0)
            fail_msg("%s (%s): %s", file.columns[0], file.columns[2], verdict);
    }
    assert_true(file.rows_count > 100);
}

/* ---- The second opinion: msgpack-c's own reader
 * -------------------------------------------------- */

static bool is_map_canonical(const msgpack_object_map *map);

static bool is_in_subset(const msgpack_object *object, size_t depth_left) {
    bool is_deep = object->type == MSGPACK_OBJECT_ARRAY || object->type == MSGPACK_OBJECT_MAP;
    if (is_deep && depth_left == 0)
        return false;
    if (object->type == MSGPACK_OBJECT_ARRAY) {
        for (uint32_t i = 0; i < object->via.array.size; i++)
            if (!is_in_subset(&object->via.array.ptr[i], depth_left - 1))
                return false;
        return true;
    }
    if (object->type == MSGPACK_OBJECT_MAP) {
        for (uint32_t i = 0; i < object->via.map.size; i++)
            if (!is_in_subset(&object->via.map.ptr[i].val, depth_left - 1))
                return false;
        return is_map_canonical(&object->via.map);
    }
    if (object->type == MSGPACK_OBJECT_STR)
        return parley_utf8_is_valid(PARLEY_SPAN(object->via.str.ptr, object->via.str.size));
    return object->type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
           object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER || object->type == MSGPACK_OBJECT_BIN;
}

static bool is_map_canonical(const msgpack_object_map *map) {
    int64_t last = -1;
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object *key = &map->ptr[i].key;
        if (key->type != MSGPACK_OBJECT_POSITIVE_INTEGER || key->via.u64 > 127 ||
            (int64_t)key->via.u64 <= last)
            return false;
        last = (int64_t)key->via.u64;
    }
    return true;
}

/* One value of the subset, nothing after it, and packing it again gives the same bytes. */
static bool is_canonical_for_msgpack(struct parley_span bytes) {
    msgpack_unpacked unpacked;
    msgpack_sbuffer again;
    size_t offset = 0;
    msgpack_unpacked_init(&unpacked);
    msgpack_sbuffer_init(&again);
    bool is_canonical = msgpack_unpack_next(&unpacked, (const char *)bytes.data, bytes.size,
                                            &offset) == MSGPACK_UNPACK_SUCCESS &&
                        offset == bytes.size && is_in_subset(&unpacked.data, DEPTH_MAX);
    if (is_canonical) {
        msgpack_packer packer;
        msgpack_packer_init(&packer, &again, msgpack_sbuffer_write);
        msgpack_pack_object(&packer, unpacked.data);
        is_canonical = parley_span_equal(bytes, PARLEY_SPAN(again.data, again.size));
    }
    msgpack_sbuffer_destroy(&again);
    msgpack_unpacked_destroy(&unpacked);
    return is_canonical;
}

static void write_random(struct parley_writer *writer, struct parley_random *random, size_t depth) {
    static const char text[] =
        "parley spricht \xc3\xa4 und \xf0\x9f\x98\x80, forty letters and a few more";
    uint8_t bytes[300];
    uint64_t wide = parley_random_below(random, UINT64_MAX) >> parley_random_below(random, 64);
    size_t count = (size_t)parley_random_below(random, 20);
    switch (parley_random_below(random, depth > 0 ? 6 : 4)) {
    case 0:
        parley_write_uint(writer, wide);
        break;
    case 1:
        parley_write_int(writer, (int64_t)(wide >> 1) * (count % 2 == 0 ? -1 : 1));
        break;
    case 2:
        parley_random_bytes(random, bytes, sizeof bytes);
        parley_write_bin(writer, PARLEY_SPAN(bytes, parley_random_below(random, sizeof bytes)));
        break;
    case 3:
        parley_write_text(writer, PARLEY_SPAN(text, count % 15));
        break;
    case 4:
        parley_write_array(writer, count);
        for (size_t i = 0; i < count; i++)
            write_random(writer, random, depth - 1);
        break;
    default:
        parley_write_map(writer, count);
        for (size_t i = 0; i < count; i++) {
            parley_write_uint(writer, 3 * i + parley_random_below(random, 3));
            write_random(writer, random, depth - 1);
        }
    }
}

static void test_random_values(void **state) {
    static uint8_t buffer[1 << 20];
    struct parley_random random;
    struct parley_seed seed = {{1}};
    parley_random_init(&random, &seed);
    for (size_t i = 0; i < 3000; i++) {
        struct parley_writer writer;
        struct parley_span bytes;
        parley_writer_init(&writer, buffer, sizeof buffer);
        write_random(&writer, &random, i % 4);
        assert_int_equal(parley_writer_finish(&writer, &bytes), PARLEY_E_OK);
        assert_int_equal(read_whole(bytes), PARLEY_E_OK);
        assert_true(is_canonical_for_msgpack(bytes));
    }
}

/* Lead bytes of 32-bit counts make msgpack-c allocate what they claim: never shown to it unless our
 * reader has accepted them. */
static bool is_safe_for_msgpack(struct parley_span bytes) {
    return memchr(bytes.data, 0xdd, bytes.size) == NULL &&
           memchr(bytes.data, 0xdf, bytes.size) == NULL;
}

/* Both readers must agree on values with a few bytes changed, and on rubbish. */
static void test_agreement_on_damage(void **state) {
    struct parley_random random;
    struct parley_seed seed = {{2}};
    size_t accepted_count = 0;
    parley_random_init(&random, &seed);
    for (size_t i = 0; i < 200000; i++) {
        uint8_t bytes[24];
        size_t size = 1 + parley_random_below(&random, sizeof bytes);
        struct parley_writer writer;
        parley_random_bytes(&random, bytes, sizeof bytes);
        parley_writer_init(&writer, bytes, sizeof bytes);
        if (i % 4 != 0)
            write_random(&writer, &random, 2);
        if (writer.size > 0 && !writer.overflowed && i % 4 != 1)
            size = writer.size;
        if (i % 4 == 2)
            bytes[parley_random_below(&random, size)] = (uint8_t)parley_random_below(&random, 256);
        struct parley_span span = PARLEY_SPAN(bytes, size);
        bool is_accepted = read_whole(span) == PARLEY_E_OK;
        accepted_count += is_accepted;
        if ((is_accepted || is_safe_for_msgpack(span)) &&
            is_accepted != is_canonical_for_msgpack(span)) {
            char hex[2 * sizeof bytes + 1];
            parley_hex_encode(hex, bytes, size);
            fail_msg("%s: %s", hex, is_accepted ? "accepted" : "refused");
        }
    }
    assert_in_range(accepted_count, 20000, 180000);
}

/* ---- The typed reads
 * ------------------------------------------------------------------------------ */

#define READER(reader, bytes) parley_reader_init(&(reader), PARLEY_SPAN(bytes, sizeof(bytes) - 1))
#define ASSERT_FAULT(reader, name, at, in)                                                         \
    do {                                                                                           \
        struct parley_fault fault = parley_reader_finish(&(reader));                               \
        assert_string_equal(parley_error_name(fault.error), #name);                                \
        assert_int_equal(fault.offset, at);                                                        \
        assert_string_equal(fault.field, in);                                                      \
    } while (0)

static void test_a_record_both_ways(void **state) {
    uint8_t buffer[256];
    uint8_t key[32];
    struct parley_writer writer;
    struct parley_reader reader;
    struct parley_span bytes;
    struct parley_id id = {{1, 2, 3}};
    int last = -1;
    parley_writer_init(&writer, buffer, sizeof buffer);
    parley_write_array(&writer, 6);
    parley_write_uint(&writer, PARLEY_E_OK);
    parley_write_int(&writer, -500);
    PARLEY_WRITE_FIXED(&writer, id);
    parley_write_text(&writer, PARLEY_SPAN("abc", 3));
    parley_write_map(&writer, 2);
    parley_write_uint(&writer, 0);
    parley_write_uint(&writer, 10);
    parley_write_uint(&writer, 127);
    parley_write_bin(&writer, PARLEY_NO_SPAN);
    parley_write_raw(&writer, PARLEY_SPAN("\x91\x05", 2));
    assert_int_equal(parley_writer_finish(&writer, &bytes), PARLEY_E_OK);

    parley_reader_init(&reader, bytes);
    assert_int_equal(parley_read_array(&reader, "record", 6, 6), 6);
    assert_int_equal(parley_read_uint(&reader, "uint", 0, 0), 0);
    assert_int_equal(parley_read_int(&reader, "int", -500, 500), -500);
    assert_true(parley_next_is_bin(&reader));
    parley_read_fixed(&reader, "id", key, sizeof key);
    assert_memory_equal(key, id.bytes, sizeof key);
    assert_false(parley_next_is_bin(&reader));
    assert_true(parley_span_equal(parley_read_text(&reader, "text", 3, 3), PARLEY_SPAN("abc", 3)));
    assert_int_equal(parley_read_map(&reader, "map", 2), 2);
    assert_int_equal(parley_read_key(&reader, "key", &last), 0);
    assert_int_equal(parley_read_uint(&reader, "ten", 10, 10), 10);
    assert_int_equal(parley_read_key(&reader, "key", &last), 127);
    assert_int_equal(last, 127);
    assert_int_equal(parley_read_bin(&reader, "empty", 0, 0).size, 0);
    assert_int_equal(parley_reader_offset(&reader), bytes.size - 2);
    assert_false(parley_reader_is_done(&reader));
    parley_read_skip(&reader, "raw", 1);
    assert_true(parley_reader_is_done(&reader));
    assert_int_equal(parley_reader_finish(&reader).error, PARLEY_E_OK);
}

static void test_bounds_of_numbers(void **state) {
    struct parley_reader reader;
    READER(reader, "\x05");
    parley_read_uint(&reader, "n", 6, 10);
    ASSERT_FAULT(reader, OUT_OF_RANGE, 0, "n");
    READER(reader, "\x05");
    parley_read_uint(&reader, "n", 0, 4);
    ASSERT_FAULT(reader, OUT_OF_RANGE, 0, "n");
    READER(reader, "\xff");
    parley_read_uint(&reader, "n", 0, UINT64_MAX);
    ASSERT_FAULT(reader, OUT_OF_RANGE, 0, "n");
    READER(reader, "\xff");
    parley_read_int(&reader, "n", 0, 10);
    ASSERT_FAULT(reader, OUT_OF_RANGE, 0, "n");
    READER(reader, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
    parley_read_int(&reader, "n", INT64_MIN, INT64_MAX);
    ASSERT_FAULT(reader, OUT_OF_RANGE, 0, "n");
    READER(reader, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
    assert_true(parley_read_uint(&reader, "n", 0, UINT64_MAX) == UINT64_MAX);
    assert_int_equal(parley_reader_finish(&reader).error, PARLEY_E_OK);
    READER(reader, "\xd3\x80\0\0\0\0\0\0\0");
    assert_true(parley_read_int(&reader, "n", INT64_MIN, 0) == INT64_MIN);
    assert_int_equal(parley_reader_finish(&reader).error, PARLEY_E_OK);
}

static void test_bounds_of_sizes(void **state) {
    struct parley_reader reader;
    uint8_t key[32];
    memset(key, 9, sizeof key);
    READER(reader, "\xc4\x02zz");
    parley_read_bin(&reader, "b", 0, 1);
    ASSERT_FAULT(reader, TOO_LARGE, 0, "b");
    READER(reader, "\xc4\x02zz");
    parley_read_bin(&reader, "b", 3, 9);
    ASSERT_FAULT(reader, OUT_OF_RANGE, 0, "b");
    READER(reader, "\xc4\x02zz");
    parley_read_fixed(&reader, "k", key, sizeof key);
    assert_true(parley_is_zero(key, sizeof key));
    ASSERT_FAULT(reader, OUT_OF_RANGE, 0, "k");
    READER(reader, "\xa2zz");
    parley_read_bin(&reader, "b", 0, 9);
    ASSERT_FAULT(reader, WRONG_TYPE, 0, "b");
    READER(reader, "\xa2zz");
    parley_read_text(&reader, "t", 0, 1);
    ASSERT_FAULT(reader, TOO_LARGE, 0, "t");
    READER(reader, "\x93\1\2\3");
    parley_read_array(&reader, "a", 0, 2);
    ASSERT_FAULT(reader, TOO_LARGE, 0, "a");
    READER(reader, "\x93\1\2\3");
    parley_read_array(&reader, "a", 4, 5);
    ASSERT_FAULT(reader, OUT_OF_RANGE, 0, "a");
    READER(reader, "\x82\1\2\3\4");
    parley_read_map(&reader, "m", 1);
    ASSERT_FAULT(reader, TOO_LARGE, 0, "m");
    /* Refused at the count, before the caller sees it: a pair needs two bytes. */
    READER(reader, "\x82\1\2\3");
    assert_int_equal(parley_read_map(&reader, "m", 9), 0);
    ASSERT_FAULT(reader, TRUNCATED, 0, "m");
    READER(reader, "\x93\1\2");
    assert_int_equal(parley_read_array(&reader, "a", 0, 9), 0);
    ASSERT_FAULT(reader, TRUNCATED, 0, "a");
}

static void test_the_first_fault_stays(void **state) {
    struct parley_reader reader;
    READER(reader, "\x93\x01\xc0\x03");
    parley_read_array(&reader, "array", 3, 3);
    parley_read_uint(&reader, "first", 0, 9);
    assert_int_equal(parley_read_uint(&reader, "second", 0, 9), 0);
    assert_int_equal(parley_read_uint(&reader, "third", 0, 9), 0);
    assert_int_equal(parley_read_bin(&reader, "fourth", 0, 9).size, 0);
    assert_int_equal(parley_read_array(&reader, "fifth", 0, 9), 0);
    parley_read_skip(&reader, "sixth", 3);
    parley_reader_fail(&reader, PARLEY_E_BAD_KIND, "seventh");
    assert_true(parley_reader_is_done(&reader));
    assert_false(parley_next_is_bin(&reader));
    ASSERT_FAULT(reader, NOT_CANONICAL, 2, "second");
}

static void test_no_bytes(void **state) {
    struct parley_reader reader;
    parley_reader_init(&reader, PARLEY_NO_SPAN);
    assert_true(parley_reader_is_done(&reader));
    assert_int_equal(parley_reader_finish(&reader).error, PARLEY_E_OK);
    parley_read_skip(&reader, "value", 1);
    ASSERT_FAULT(reader, TRUNCATED, 0, "value");
}

/* Whatever the space, nothing is written beyond it, and finish says so. */
static void test_a_writer_that_overflows(void **state) {
    for (size_t size_max = 0; size_max <= 20; size_max++) {
        uint8_t buffer[21];
        struct parley_writer writer;
        struct parley_span bytes;
        memset(buffer, 0xee, sizeof buffer);
        parley_writer_init(&writer, buffer, size_max);
        parley_write_array(&writer, 3);
        parley_write_bin(&writer, PARLEY_SPAN("0123456789", 10));
        parley_write_int(&writer, -70000);
        parley_write_uint(&writer, 1);
        bool is_enough = size_max >= 19;
        assert_int_equal(parley_writer_finish(&writer, &bytes),
                         is_enough ? PARLEY_E_OK : PARLEY_E_NO_SPACE);
        assert_int_equal(bytes.size, is_enough ? 19 : 0);
        for (size_t i = size_max; i < sizeof buffer; i++)
            assert_int_equal(buffer[i], 0xee);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_vector),
        cmocka_unit_test(test_random_values),
        cmocka_unit_test(test_agreement_on_damage),
        cmocka_unit_test(test_a_record_both_ways),
        cmocka_unit_test(test_bounds_of_numbers),
        cmocka_unit_test(test_bounds_of_sizes),
        cmocka_unit_test(test_the_first_fault_stays),
        cmocka_unit_test(test_no_bytes),
        cmocka_unit_test(test_a_writer_that_overflows),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
