#include "log_fixture.h"

#include <parley/random.h>
#include <stdlib.h>

static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
static uint8_t other_buffer[PARLEY_CHUNK_BUFFER_SIZE];

/* Entries of every shape: bodies or none, versions, ext, times that go backwards. */
static void odd_log(struct parley_entry *entries, size_t count) {
    struct fixture_device device;
    struct parley_id prev = {{0}};
    fixture_device(&device, 3);
    for (size_t i = 0; i < count; i++) {
        struct parley_entry *entry = &entries[i];
        *entry = fixture_entry(&device, i + 1, &prev, 5000000 - i * i * 1000, "a few words");
        entry->header.version = i % 3 == 1 ? 2 : 1;
        entry->header.ext_size = i % 4 == 2 ? (uint8_t)(1 + i % PARLEY_EXT_BYTES_MAX) : 0;
        memset(entry->header.ext, 0x5a, entry->header.ext_size);
        parley_entry_sign(entry, &device.secret);
        entry->has_body = i % 5 != 4;
        prev = entry->id;
    }
}

static void assert_same_entry(const struct parley_entry *a, const struct parley_entry *b,
                              bool with_body) {
    assert_true(PARLEY_EQUAL(a->id, b->id));
    assert_int_equal(a->header.time, b->header.time);
    assert_int_equal(a->header.version, b->header.version);
    assert_int_equal(a->header.ext_size, b->header.ext_size);
    assert_int_equal(b->has_body, with_body);
    if (with_body)
        assert_true(parley_span_equal(a->body, b->body));
}

static struct parley_span pack(uint8_t *data, const struct parley_entry *entries, size_t count) {
    struct parley_chunk_writer writer;
    parley_chunk_writer_init(&writer, data, PARLEY_CHUNK_BUFFER_SIZE);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(parley_chunk_add(&writer, &entries[i], entries[i].has_body), PARLEY_E_OK);
    return parley_chunk_finish(&writer);
}

static void test_what_goes_in_comes_out(void **state) {
    struct parley_entry entries[40], entry;
    struct parley_chunk chunk;
    struct parley_chunk_cursor cursor;
    (void)state;
    odd_log(entries, 40);
    assert_int_equal(parley_chunk_decode(&chunk, pack(buffer, entries, 40)).error, PARLEY_E_OK);
    assert_int_equal(chunk.count, 40);
    assert_int_equal(chunk.bodies_count, 32);
    assert_int_equal(chunk.time_first, entries[0].header.time);
    assert_int_equal(chunk.time_last, entries[39].header.time);
    parley_chunk_start(&cursor, &chunk);
    for (size_t i = 0; i < 40; i++) {
        assert_true(parley_chunk_next(&cursor, &entry));
        assert_same_entry(&entries[i], &entry, entries[i].has_body);
    }
    assert_false(parley_chunk_next(&cursor, &entry));
    assert_true(parley_chunk_find(&chunk, 17, &entry));
    assert_same_entry(&entries[16], &entry, entries[16].has_body);
    assert_false(parley_chunk_find(&chunk, 41, &entry));
}

static void test_items_without_hashing(void **state) {
    struct parley_entry entries[40];
    struct parley_item item;
    struct parley_chunk chunk;
    struct parley_chunk_cursor cursor;
    (void)state;
    odd_log(entries, 40);
    assert_int_equal(parley_chunk_decode(&chunk, pack(buffer, entries, 40)).error, PARLEY_E_OK);
    parley_chunk_start(&cursor, &chunk);
    for (size_t i = 0; i < 40; i++) {
        assert_true(parley_chunk_next_item(&cursor, &item));
        assert_int_equal(item.seq, i + 1);
        assert_int_equal(item.time, entries[i].header.time);
        assert_int_equal(item.body_size, entries[i].header.body_size);
        assert_int_equal(item.has_body, entries[i].has_body);
    }
    assert_false(parley_chunk_next_item(&cursor, &item));
}

/* A slice is the very bytes that packing the part anew would give. */
static void test_slices_are_canonical(void **state) {
    struct parley_entry entries[40];
    struct parley_chunk chunk;
    struct parley_span slice;
    (void)state;
    odd_log(entries, 40);
    static uint8_t whole[PARLEY_CHUNK_BUFFER_SIZE];
    assert_int_equal(parley_chunk_decode(&chunk, pack(whole, entries, 40)).error, PARLEY_E_OK);
    for (size_t from = 1; from <= 40; from += 3) {
        for (size_t to = from; to <= 40; to += 2) {
            for (int bodies = 0; bodies < 2; bodies++) {
                assert_int_equal(
                    parley_chunk_slice(&slice, buffer, sizeof buffer, &chunk, from, to, bodies),
                    PARLEY_E_OK);
                struct parley_span anew =
                    bodies ? pack(other_buffer, entries + from - 1, to - from + 1)
                           : fixture_chunk(other_buffer, entries + from - 1, to - from + 1, false);
                assert_true(parley_span_equal(slice, anew));
            }
        }
    }
}

/* Adds until the chunk is full; returns how many went in. */
static size_t fill(struct parley_chunk_writer *writer, struct fixture_device *device,
                   const char *text) {
    struct parley_entry entry;
    struct parley_id prev = {{0}};
    size_t count = 0;
    for (;; count++) {
        entry = fixture_entry(device, count + 1, &prev, 1700000000000 + count, text);
        if (parley_chunk_add(writer, &entry, true) != PARLEY_E_OK)
            return count;
        prev = entry.id;
    }
}

static void test_a_chunk_is_full_at_64_kib(void **state) {
    struct fixture_device device;
    struct parley_chunk_writer writer;
    struct parley_chunk chunk;
    char text[2001] = {0};
    (void)state;
    fixture_device(&device, 1);
    for (size_t size = 0; size <= 2000; size += 250) {
        memset(text, 'x', size);
        parley_chunk_writer_init(&writer, buffer, sizeof buffer);
        size_t count = fill(&writer, &device, text);
        struct parley_span bytes = parley_chunk_finish(&writer);
        assert_true(bytes.size <= PARLEY_CHUNK_BYTES_MAX);
        assert_true(bytes.size + size + 100 > PARLEY_CHUNK_BYTES_MAX);
        assert_int_equal(parley_chunk_decode(&chunk, bytes).error, PARLEY_E_OK);
        assert_int_equal(chunk.count, count);
    }
}

static void test_one_entry_of_any_size_fits(void **state) {
    struct fixture_device device;
    struct parley_id prev;
    struct parley_chunk chunk;
    static char text[PARLEY_BODY_BYTES_MAX + 1];
    (void)state;
    fixture_device(&device, 1);
    memset(text, 'x', PARLEY_BODY_BYTES_MAX);
    memset(prev.bytes, 7, sizeof prev);
    struct parley_entry entry =
        fixture_entry(&device, PARLEY_SEQ_MAX, &prev, PARLEY_TIME_MAX, text);
    entry.header.version = PARLEY_VERSION_MAX;
    entry.header.ext_size = PARLEY_EXT_BYTES_MAX;
    parley_entry_sign(&entry, &device.secret);
    struct parley_span bytes = fixture_chunk(buffer, &entry, 1, true);
    assert_true(bytes.size > PARLEY_CHUNK_BYTES_MAX && bytes.size <= PARLEY_CHUNK_LARGEST);
    assert_int_equal(parley_chunk_decode(&chunk, bytes).error, PARLEY_E_OK);
    assert_int_equal(chunk.time_last, PARLEY_TIME_MAX);
}

static void test_a_small_buffer_is_not_overrun(void **state) {
    struct fixture_device device;
    struct parley_entry entries[3];
    struct parley_chunk_writer writer;
    struct parley_chunk chunk;
    uint8_t small[PARLEY_CHUNK_HEAD_MAX + 250];
    (void)state;
    fixture_device(&device, 1);
    fixture_log(&device, entries, 3);
    parley_chunk_writer_init(&writer, small, sizeof small);
    assert_int_equal(parley_chunk_add(&writer, &entries[0], true), PARLEY_E_OK);
    assert_int_equal(parley_chunk_add(&writer, &entries[1], true), PARLEY_E_OK);
    assert_int_equal(parley_chunk_add(&writer, &entries[2], true), PARLEY_E_NO_SPACE);
    assert_int_equal(parley_chunk_decode(&chunk, parley_chunk_finish(&writer)).error, PARLEY_E_OK);
    assert_int_equal(chunk.count, 2);
}

/* Any bit and any cut: refused, or another chunk with another id at its top. */
static void test_flips_and_cuts_change_the_top(void **state) {
    struct fixture_device device;
    struct parley_entry entries[3], entry;
    struct parley_chunk chunk;
    (void)state;
    fixture_device(&device, 1);
    fixture_log(&device, entries, 3);
    struct parley_span bytes = fixture_chunk(buffer, entries, 3, true);
    uint8_t *at = buffer + (bytes.data - buffer);
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_not_equal(parley_chunk_decode(&chunk, PARLEY_SPAN(at, size)).error, PARLEY_E_OK);
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (parley_chunk_decode(&chunk, bytes).error == PARLEY_E_OK) {
            assert_true(parley_chunk_find(&chunk, parley_chunk_seq_last(&chunk), &entry));
            assert_false(PARLEY_EQUAL(entry.id, entries[2].id) &&
                         PARLEY_EQUAL(chunk.log, entries[2].header.log));
        }
        at[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* chunk NAME EXPECT HEX LOG SEQ_FIRST COUNT BODIES TOP_ID (the last five "-" when refused) */
static void check_vector(struct vector_file *file) {
    struct parley_span bytes;
    struct parley_chunk chunk;
    struct parley_entry entry;
    char hex[65];
    uint8_t *memory = vector_bytes(file->words[3], &bytes);
    struct parley_fault fault = parley_chunk_decode(&chunk, bytes);
    assert_string_equal(parley_error_name(fault.error), file->words[2]);
    if (fault.error == PARLEY_E_OK) {
        parley_hex_encode(hex, chunk.log.bytes, 32);
        assert_string_equal(hex, file->words[4]);
        assert_int_equal(chunk.seq_first, strtoull(file->words[5], NULL, 10));
        assert_int_equal(chunk.count, strtoull(file->words[6], NULL, 10));
        assert_int_equal(chunk.bodies_count, strtoull(file->words[7], NULL, 10));
        assert_true(parley_chunk_find(&chunk, parley_chunk_seq_last(&chunk), &entry));
        parley_hex_encode(hex, entry.id.bytes, 32);
        assert_string_equal(hex, file->words[8]);
    }
    free(memory);
}

static void test_vectors(void **state) {
    struct vector_file file;
    size_t count = 0;
    (void)state;
    vector_open(&file, "chunks.txt");
    for (; vector_next(&file); count++)
        check_vector(&file);
    vector_close(&file);
    assert_true(count >= 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_goes_in_comes_out),
        cmocka_unit_test(test_items_without_hashing),
        cmocka_unit_test(test_slices_are_canonical),
        cmocka_unit_test(test_a_chunk_is_full_at_64_kib),
        cmocka_unit_test(test_one_entry_of_any_size_fits),
        cmocka_unit_test(test_a_small_buffer_is_not_overrun),
        cmocka_unit_test(test_flips_and_cuts_change_the_top),
        cmocka_unit_test(test_vectors),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests_name("chunk", tests, NULL, NULL);
    return 0;
}
