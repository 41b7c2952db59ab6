/* Every operation and its answers, the same over both engines. */
#include "harness.h"
#include <stdlib.h>

#define T0 UINT64_C(1600000000000)

static void test_append(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 40, T0);
    struct fixture_log *other = fixture_log_fork(log, 11);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 2, 3, true, T0), PARLEY_E_GAP);
    harness_assert_ranges(harness, log, "");
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 1, true, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 2, 10, true, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 2, 10, true, T0),
                     PARLEY_E_EXISTS);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 12, 13, true, T0),
                     PARLEY_E_GAP);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, other, 12, 13, true, T0),
                     PARLEY_E_GAP);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 11, 12, true, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, other, 13, 14, true, T0),
                     PARLEY_E_FORKED);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, other, 11, 12, true, T0),
                     PARLEY_E_FORKED);
    harness_assert_ranges(harness, log, "1-12");
    harness_assert_entries(harness, log, 1, 12, NULL);
    free(other);
    free(log);
}

/* A group sees what its earlier operations did, and each is judged by itself. */
static void test_group(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 40, T0);
    struct fixture_log *second = fixture_log_make(2, 40, T0);
    struct fixture_chunk chunks[6];
    struct parley_store_op ops[6] = {
        fixture_run(&chunks[0], PARLEY_STORE_APPEND, log, 1, 4, true, T0),
        fixture_run(&chunks[1], PARLEY_STORE_APPEND, log, 6, 7, true, T0),
        fixture_run(&chunks[2], PARLEY_STORE_APPEND, log, 5, 6, true, T0),
        fixture_run(&chunks[3], PARLEY_STORE_APPEND, log, 5, 6, true, T0),
        fixture_run(&chunks[4], PARLEY_STORE_APPEND, second, 1, 3, true, T0),
        {.kind = PARLEY_STORE_META, .key = PARLEY_SPAN("k", 1), .bytes = PARLEY_SPAN("v", 1)},
    };
    enum parley_error results[6];
    parley_store_commit(harness->store, ops, 6, results);
    assert_int_equal(results[0], PARLEY_E_OK);
    assert_int_equal(results[1], PARLEY_E_GAP);
    assert_int_equal(results[2], PARLEY_E_OK);
    assert_int_equal(results[3], PARLEY_E_EXISTS);
    assert_int_equal(results[4], PARLEY_E_OK);
    assert_int_equal(results[5], PARLEY_E_OK);
    harness_reopen(harness);
    harness_assert_ranges(harness, log, "1-6");
    harness_assert_ranges(harness, second, "1-3");
    harness_assert_entries(harness, log, 1, 6, NULL);
    free(second);
    free(log);
}

static void test_top_and_fill(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 100, T0);
    struct fixture_log *other = fixture_log_fork(log, 30);
    assert_int_equal(harness_run(harness, PARLEY_STORE_TOP, log, 90, 100, true, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_FILL, log, 70, 80, true, T0), PARLEY_E_GAP);
    assert_int_equal(harness_run(harness, PARLEY_STORE_FILL, log, 80, 89, true, T0), PARLEY_E_OK);
    harness_assert_ranges(harness, log, "80-100");
    assert_int_equal(harness_run(harness, PARLEY_STORE_TOP, log, 40, 50, true, T0), PARLEY_E_OK);
    harness_assert_ranges(harness, log, "80-100 40-50");
    assert_int_equal(harness_run(harness, PARLEY_STORE_FILL, other, 51, 79, true, T0),
                     PARLEY_E_FORKED);
    assert_int_equal(harness_run(harness, PARLEY_STORE_FILL, log, 45, 85, false, T0), PARLEY_E_OK);
    harness_assert_ranges(harness, log, "40-100");
    assert_int_equal(harness_run(harness, PARLEY_STORE_FILL, log, 1, 39, true, T0), PARLEY_E_OK);
    harness_assert_ranges(harness, log, "1-100");
    struct parley_store_log held;
    assert_int_equal(parley_store_log_get(harness->store, &log->log, &held), PARLEY_E_OK);
    assert_int_equal(held.entries_count, 100);
    assert_int_equal(held.bodies_count, 100 - 29);
    parley_seq without[30] = {0};
    for (size_t i = 0; i < 29; i++)
        without[i] = 51 + i;
    harness_assert_entries(harness, log, 1, 100, without);
    free(other);
    free(log);
}

static void test_full(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 60, T0);
    for (parley_seq seq = 0; seq < PARLEY_RANGES_MAX; seq++)
        assert_int_equal(
            harness_run(harness, PARLEY_STORE_TOP, log, 5 + 3 * seq, 5 + 3 * seq, true, T0),
            PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_TOP, log, 50, 51, true, T0), PARLEY_E_FULL);
    assert_int_equal(harness_run(harness, PARLEY_STORE_FILL, log, 6, 7, true, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_TOP, log, 50, 51, true, T0), PARLEY_E_OK);
    harness_assert_ranges(harness, log, "50-51 26-26 23-23 20-20 17-17 14-14 11-11 5-8");
    free(log);
}

/* Posts that come one by one are joined to larger segments; nothing of them changes. */
static void test_small_segments_join(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 300, T0);
    struct fixture_chunk expected, whole;
    struct parley_span chunk;
    for (parley_seq seq = 1; seq <= 300; seq++)
        assert_int_equal(
            harness_run(harness, PARLEY_STORE_APPEND, log, seq, seq, true, T0 + seq % 7 * 100),
            PARLEY_E_OK);
    harness_assert_entries(harness, log, 1, 300, NULL);
    harness_reopen(harness);
    harness_assert_entries(harness, log, 1, 300, NULL);
    assert_int_equal(parley_store_read_run(harness->store, &log->log, 280, 101, true,
                                           PARLEY_CHUNK_BYTES_MAX, whole.data, &chunk),
                     PARLEY_E_OK);
    fixture_chunk(&expected, log, 101, 280, true);
    assert_true(parley_span_equal(chunk, expected.bytes));
    free(log);
}

static void assert_run(struct harness *harness, const struct fixture_log *log, parley_seq top,
                       parley_seq low, bool bodies, size_t bytes_max, parley_seq expected_low) {
    struct fixture_chunk expected, read;
    struct parley_span chunk;
    assert_int_equal(parley_store_read_run(harness->store, &log->log, top, low, bodies, bytes_max,
                                           read.data, &chunk),
                     PARLEY_E_OK);
    fixture_chunk(&expected, log, expected_low, top, bodies);
    assert_true(parley_span_equal(chunk, expected.bytes));
}

static void test_read_run(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 400, T0);
    struct parley_chunk decoded;
    struct fixture_chunk read;
    struct parley_span chunk;
    assert_int_equal(
        parley_store_read_run(harness->store, &log->log, 1, 1, true, 4000, read.data, &chunk),
        PARLEY_E_NOT_FOUND);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 150, true, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 151, 200, true, T0),
                     PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_TOP, log, 211, 230, true, T0), PARLEY_E_OK);
    assert_run(harness, log, 150, 1, true, PARLEY_CHUNK_BYTES_MAX, 1);
    assert_run(harness, log, 200, 1, true, PARLEY_CHUNK_BYTES_MAX, 1);
    assert_run(harness, log, 200, 140, true, PARLEY_CHUNK_BYTES_MAX, 140);
    assert_run(harness, log, 180, 140, false, PARLEY_CHUNK_BYTES_MAX, 140);
    assert_run(harness, log, 100, 50, false, PARLEY_CHUNK_BYTES_MAX, 50);
    assert_run(harness, log, 230, 1, true, PARLEY_CHUNK_BYTES_MAX, 211);
    assert_run(harness, log, 77, 1, true, 0, 77);
    assert_int_equal(
        parley_store_read_run(harness->store, &log->log, 205, 1, true, 4000, read.data, &chunk),
        PARLEY_E_NOT_FOUND);
    for (size_t bytes_max = 300; bytes_max < 60000; bytes_max += 1777) {
        assert_int_equal(parley_store_read_run(harness->store, &log->log, 200, 1, true, bytes_max,
                                               read.data, &chunk),
                         PARLEY_E_OK);
        assert_int_equal(parley_chunk_decode(&decoded, chunk).error, PARLEY_E_OK);
        assert_int_equal(parley_chunk_seq_last(&decoded), 200);
        assert_true(chunk.size <= bytes_max || decoded.count == 1);
    }
    free(log);
}

struct seen {
    size_t records;
    size_t logs;
    size_t metas;
    char last_meta[32];
};

static bool on_record(void *context, const struct parley_author *author,
                      struct parley_span record) {
    (void)author;
    assert_true(record.size > 0);
    ((struct seen *)context)->records++;
    return true;
}

static bool on_log(void *context, const struct parley_store_log *log) {
    assert_true(log->ranges.count > 0);
    ((struct seen *)context)->logs++;
    return true;
}

static bool on_meta(void *context, struct parley_span key, struct parley_span value) {
    struct seen *seen = context;
    seen->metas++;
    assert_true(key.size + value.size < sizeof seen->last_meta);
    memcpy(seen->last_meta, key.data, key.size);
    memcpy(seen->last_meta + key.size, value.data, value.size);
    seen->last_meta[key.size + value.size] = '\0';
    return true;
}

static struct seen load(struct harness *harness) {
    struct seen seen = {0};
    struct parley_store_visitor visitor = {&seen, on_record, on_log, on_meta};
    assert_int_equal(parley_store_load(harness->store, &visitor), PARLEY_E_OK);
    return seen;
}

static struct parley_store_op meta(const char *key, const char *value) {
    return (struct parley_store_op){.kind = PARLEY_STORE_META,
                                    .key = PARLEY_SPAN(key, strlen(key)),
                                    .bytes = PARLEY_SPAN(value, strlen(value))};
}

static void test_meta_and_load(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 5, T0);
    struct parley_store_op ops[] = {meta("one", "1"), meta("two", "2"), meta("one", "")};
    enum parley_error results[3];
    parley_store_commit(harness->store, ops, 3, results);
    assert_int_equal(results[2], PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 5, true, T0), PARLEY_E_OK);
    harness_reopen(harness);
    struct seen seen = load(harness);
    assert_int_equal(seen.metas, 1);
    assert_string_equal(seen.last_meta, "two2");
    assert_int_equal(seen.logs, 1);
    assert_int_equal(seen.records, 0);
    char long_key[300];
    memset(long_key, 'k', sizeof long_key - 1);
    long_key[sizeof long_key - 1] = '\0';
    struct parley_store_op too_long = meta(long_key, "x");
    assert_int_equal(harness_commit(harness, &too_long), PARLEY_E_TOO_LARGE);
    free(log);
}

/* [1, kind, number] stands for a record: the store reads no more of it. */
static struct parley_store_op record(enum parley_store_kind kind, unsigned author, uint8_t *bytes,
                                     struct parley_hash *hash, uint8_t record_kind,
                                     uint8_t number) {
    struct parley_store_op op = {.kind = kind};
    bytes[0] = 0x93;
    bytes[1] = 1;
    bytes[2] = record_kind;
    bytes[3] = number;
    memset(hash->bytes, 255 - number, sizeof hash->bytes);
    parley_put_u32(op.author.bytes, author);
    op.bytes = PARLEY_SPAN(bytes, 4);
    op.key = PARLEY_SPAN_OF(*hash);
    return op;
}

static void test_records(void **state) {
    struct harness *harness = *state;
    uint8_t bytes[6][4], buffer[64];
    struct parley_hash hashes[6];
    struct parley_span read;
    size_t count;
    struct parley_store_op ops[6] = {
        record(PARLEY_STORE_RECORD, 5, bytes[0], &hashes[0], 2, 10),
        record(PARLEY_STORE_RECORD, 5, bytes[1], &hashes[1], 1, 11),
        record(PARLEY_STORE_RECORD, 5, bytes[2], &hashes[2], 0, 12),
        record(PARLEY_STORE_RECORD, 6, bytes[3], &hashes[3], 0, 12),
        record(PARLEY_STORE_RECORD, 5, bytes[4], &hashes[4], 1, 11),
        record(PARLEY_STORE_RECORD, 5, bytes[5], &hashes[5], 2, 13),
    };
    enum parley_error results[6];
    parley_store_commit(harness->store, ops, 6, results);
    assert_int_equal(results[0], PARLEY_E_OK);
    assert_int_equal(results[3], PARLEY_E_OK);
    assert_int_equal(results[4], PARLEY_E_EXISTS);
    assert_int_equal(parley_store_read_records(harness->store, &ops[0].author, 0, buffer,
                                               sizeof buffer, &read, &count),
                     PARLEY_E_OK);
    /* rotation, closing, then certificates by hash */
    static const uint8_t expected[] = {0xc4, 4, 0x93, 1, 0, 12, 0xc4, 4, 0x93, 1, 1, 11,
                                       0xc4, 4, 0x93, 1, 2, 13, 0xc4, 4, 0x93, 1, 2, 10};
    assert_int_equal(count, 4);
    assert_int_equal(read.size, sizeof expected);
    assert_memory_equal(read.data, expected, sizeof expected);
    assert_int_equal(
        parley_store_read_records(harness->store, &ops[0].author, 1, buffer, 18, &read, &count),
        PARLEY_E_OK);
    assert_true(count >= 1 && count < 4);
    assert_memory_equal(read.data, expected + 6, read.size);
    assert_int_equal(parley_store_read_records(harness->store, &ops[0].author, 4, buffer,
                                               sizeof buffer, &read, &count),
                     PARLEY_E_NOT_FOUND);
    ops[1].kind = PARLEY_STORE_UNRECORD;
    assert_int_equal(harness_commit(harness, &ops[1]), PARLEY_E_OK);
    assert_int_equal(load(harness).records, 4);
    ops[1].key = PARLEY_NO_SPAN;
    assert_int_equal(harness_commit(harness, &ops[1]), PARLEY_E_OK);
    assert_int_equal(load(harness).records, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_append),
        ON_BOTH(test_group),
        ON_BOTH(test_top_and_fill),
        ON_BOTH(test_full),
        ON_BOTH(test_small_segments_join),
        ON_BOTH(test_read_run),
        ON_BOTH(test_meta_and_load),
        ON_BOTH(test_records),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
