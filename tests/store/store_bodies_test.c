/* Bodies come and go, logs are cut, forks and evidence are kept; the same over both engines. */
#include "harness.h"
#include <parley/codec.h>
#include <stdlib.h>

#define T0 UINT64_C(1600000000000)

static struct parley_store_op on_log(enum parley_store_kind kind, const struct fixture_log *log,
                                     parley_seq low, parley_seq high) {
    return (struct parley_store_op){
        .kind = kind, .log = log->log, .seq_low = low, .seq_high = high};
}

struct bodies {
    uint8_t data[PARLEY_CHUNK_LARGEST];
};

/* The bodies of low .. high, every `step`th, as BODIES takes them. */
static struct parley_store_op bodies_of(struct bodies *bodies, const struct fixture_log *log,
                                        parley_seq low, parley_seq high, parley_seq step) {
    struct parley_store_op op = on_log(PARLEY_STORE_BODIES, log, 0, 0);
    struct parley_writer writer;
    parley_writer_init(&writer, bodies->data, sizeof bodies->data);
    parley_write_array(&writer, (size_t)((high - low) / step + 1));
    for (parley_seq seq = low; seq <= high; seq += step) {
        const struct parley_entry *entry = &log->entries[seq - 1];
        parley_write_array(&writer, 3);
        parley_write_uint(&writer, seq);
        PARLEY_WRITE_FIXED(&writer, entry->salt);
        parley_write_bin(&writer, entry->body);
    }
    assert_int_equal(parley_writer_finish(&writer, &op.bytes), PARLEY_E_OK);
    return op;
}

static void assert_counts(struct harness *harness, const struct fixture_log *log, uint64_t entries,
                          uint64_t bodies) {
    struct parley_store_log held;
    assert_int_equal(parley_store_log_get(harness->store, &log->log, &held), PARLEY_E_OK);
    assert_int_equal(held.entries_count, entries);
    assert_int_equal(held.bodies_count, bodies);
}

static void test_bodies_come(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 60, T0);
    struct fixture_log *other = fixture_log_fork(log, 20);
    struct bodies bodies;
    struct parley_store_op op = bodies_of(&bodies, log, 1, 60, 1);
    assert_int_equal(harness_commit(harness, &op), PARLEY_E_NOT_FOUND);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 30, false, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 31, 50, false, T0),
                     PARLEY_E_OK);
    assert_counts(harness, log, 50, 0);
    op = bodies_of(&bodies, other, 20, 24, 1);
    assert_int_equal(harness_commit(harness, &op), PARLEY_E_EXISTS); /* none matches */
    op = bodies_of(&bodies, log, 1, 49, 2);
    assert_int_equal(harness_commit(harness, &op), PARLEY_E_OK);
    assert_counts(harness, log, 50, 25);
    op = bodies_of(&bodies, log, 20, 60, 1);
    assert_int_equal(harness_commit(harness, &op), PARLEY_E_OK);
    static const parley_seq without[] = {2, 4, 6, 8, 10, 12, 14, 16, 18, 0};
    harness_assert_entries(harness, log, 1, 50, without);
    op = bodies_of(&bodies, log, 30, 40, 1);
    assert_int_equal(harness_commit(harness, &op), PARLEY_E_EXISTS);
    op.bytes.size--;
    assert_int_equal(harness_commit(harness, &op), PARLEY_E_TRUNCATED);
    free(other);
    free(log);
}

static void test_bodies_go(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 60, T0);
    struct bodies bodies;
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 50, true, T0), PARLEY_E_OK);
    struct parley_store_op drop = on_log(PARLEY_STORE_DROP_BODIES, log, 10, 12);
    assert_int_equal(harness_commit(harness, &drop), PARLEY_E_OK);
    struct parley_store_op erase = on_log(PARLEY_STORE_DROP_BODIES, log, 20, 22);
    erase.forget = true;
    assert_int_equal(harness_commit(harness, &erase), PARLEY_E_OK);
    erase.seq_low = 23;
    erase.seq_high = 23;
    assert_int_equal(harness_commit(harness, &erase), PARLEY_E_OK);
    erase.seq_low = 55; /* erased before it came */
    erase.seq_high = 55;
    assert_int_equal(harness_commit(harness, &erase), PARLEY_E_OK);
    assert_counts(harness, log, 50, 43);
    harness_reopen(harness);
    static const parley_seq dropped[] = {10, 11, 12, 20, 21, 22, 23, 0};
    harness_assert_entries(harness, log, 1, 50, dropped);
    struct parley_store_op again = bodies_of(&bodies, log, 1, 50, 1);
    assert_int_equal(harness_commit(harness, &again), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 51, 60, true, T0), PARLEY_E_OK);
    static const parley_seq erased[] = {20, 21, 22, 23, 55, 0};
    harness_assert_entries(harness, log, 1, 60, erased);
    assert_int_equal(harness_commit(harness, &again), PARLEY_E_EXISTS);
    struct parley_store_op wrong = on_log(PARLEY_STORE_DROP_BODIES, log, 5, 4);
    assert_int_equal(harness_commit(harness, &wrong), PARLEY_E_OUT_OF_RANGE);
    free(log);
}

/* Where bodies lack that may still come: "low-high of the row; top-bottom of what is read". */
static void assert_lacking(struct harness *harness, const struct fixture_log *log, parley_seq low,
                           parley_seq high, parley_seq from, parley_seq to) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_store_log held;
    struct parley_span bytes;
    struct parley_chunk chunk;
    parley_seq next;
    assert_int_equal(parley_store_log_get(harness->store, &log->log, &held), PARLEY_E_OK);
    assert_int_equal(held.lacks_low, low);
    assert_int_equal(held.lacks_high, high);
    assert_int_equal(parley_store_read_lacking(harness->store, &log->log, PARLEY_SEQ_MAX, 1, buffer,
                                               &bytes, &next),
                     PARLEY_E_OK);
    assert_int_equal(next, 0);
    if (from == 0) {
        assert_int_equal(bytes.size, 0);
        return;
    }
    assert_int_equal(parley_chunk_decode(&chunk, bytes).error, PARLEY_E_OK);
    assert_int_equal(chunk.bodies_count, 0);
    assert_int_equal(chunk.seq_first, from);
    assert_int_equal(parley_chunk_seq_last(&chunk), to);
}

static void test_lacking(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 60, T0);
    struct bodies bodies;
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 10, true, T0), PARLEY_E_OK);
    assert_lacking(harness, log, 0, 0, 0, 0);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 11, 30, false, T0),
                     PARLEY_E_OK);
    assert_lacking(harness, log, 11, 30, 11, 30);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 31, 50, true, T0), PARLEY_E_OK);
    /* What was erased never comes. */
    struct parley_store_op erase = on_log(PARLEY_STORE_DROP_BODIES, log, 28, 35);
    erase.forget = true;
    assert_int_equal(harness_commit(harness, &erase), PARLEY_E_OK);
    assert_lacking(harness, log, 11, 27, 11, 27);
    struct parley_store_op op = bodies_of(&bodies, log, 20, 27, 1);
    assert_int_equal(harness_commit(harness, &op), PARLEY_E_OK);
    harness_reopen(harness);
    assert_lacking(harness, log, 11, 19, 11, 19);
    op = bodies_of(&bodies, log, 14, 16, 1); /* in the middle: the row keeps both ends */
    assert_int_equal(harness_commit(harness, &op), PARLEY_E_OK);
    assert_lacking(harness, log, 11, 19, 11, 19);
    op = bodies_of(&bodies, log, 17, 19, 1);
    assert_int_equal(harness_commit(harness, &op), PARLEY_E_OK);
    assert_lacking(harness, log, 11, 16, 11, 13);
    assert_int_equal(parley_store_rebuild(harness->store), PARLEY_E_OK);
    assert_lacking(harness, log, 11, 13, 11, 13);
    op = bodies_of(&bodies, log, 11, 13, 1);
    assert_int_equal(harness_commit(harness, &op), PARLEY_E_OK);
    assert_lacking(harness, log, 0, 0, 0, 0);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 51, 60, false, T0),
                     PARLEY_E_OK);
    struct parley_store_op cut = on_log(PARLEY_STORE_CUT, log, 0, 54);
    assert_int_equal(harness_commit(harness, &cut), PARLEY_E_OK);
    assert_lacking(harness, log, 51, 54, 51, 54);
    struct parley_store_op prune = on_log(PARLEY_STORE_PRUNE, log, 53, 0);
    assert_int_equal(harness_commit(harness, &prune), PARLEY_E_OK);
    assert_lacking(harness, log, 53, 54, 53, 54);
    free(log);
}

static void test_prune(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 60, T0);
    struct parley_store_op prune = on_log(PARLEY_STORE_PRUNE, log, 21, 0);
    assert_int_equal(harness_commit(harness, &prune), PARLEY_E_NOT_FOUND);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 15, true, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 16, 40, true, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_TOP, log, 50, 60, true, T0), PARLEY_E_OK);
    assert_int_equal(harness_commit(harness, &prune), PARLEY_E_OK);
    harness_assert_ranges(harness, log, "50-60 21-40");
    harness_assert_entries(harness, log, 21, 40, NULL);
    assert_counts(harness, log, 31, 31);
    assert_int_equal(harness_run(harness, PARLEY_STORE_FILL, log, 5, 20, true, T0), PARLEY_E_OK);
    harness_assert_ranges(harness, log, "50-60 5-40");
    prune.seq_low = 45;
    assert_int_equal(harness_commit(harness, &prune), PARLEY_E_OK);
    harness_assert_ranges(harness, log, "50-60");
    prune.seq_low = 61;
    assert_int_equal(harness_commit(harness, &prune), PARLEY_E_OK);
    harness_assert_ranges(harness, log, "");
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 15, true, T0), PARLEY_E_OK);
    harness_assert_entries(harness, log, 1, 15, NULL);
    free(log);
}

static void test_cut(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 60, T0);
    struct fixture_log *other = fixture_log_fork(log, 31);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 15, true, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 16, 40, true, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_TOP, log, 50, 60, true, T0), PARLEY_E_OK);
    struct parley_store_op cut = on_log(PARLEY_STORE_CUT, log, 0, 45);
    assert_int_equal(harness_commit(harness, &cut), PARLEY_E_OK);
    harness_assert_ranges(harness, log, "1-40");
    cut.seq_high = 30;
    assert_int_equal(harness_commit(harness, &cut), PARLEY_E_OK);
    harness_assert_ranges(harness, log, "1-30");
    assert_counts(harness, log, 30, 30);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, other, 31, 40, true, T0),
                     PARLEY_E_OK);
    harness_assert_entries(harness, other, 1, 40, NULL);
    cut.seq_high = 0;
    assert_int_equal(harness_commit(harness, &cut), PARLEY_E_OK);
    harness_assert_ranges(harness, log, "");
    free(other);
    free(log);
}

static void test_fork_and_evidence(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 60, T0);
    struct fixture_log *other = fixture_log_fork(log, 31);
    struct fixture_chunk chunk, read;
    struct parley_store_log held;
    struct parley_span evidence;
    struct parley_store_op fork = on_log(PARLEY_STORE_FORK, log, 31, 0);
    assert_int_equal(harness_commit(harness, &fork), PARLEY_E_NOT_FOUND);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 40, true, T0), PARLEY_E_OK);
    struct parley_store_op proof =
        fixture_run(&chunk, PARLEY_STORE_EVIDENCE, other, 31, 33, false, T0);
    proof.author = (struct parley_author){{0}};
    assert_int_equal(harness_commit(harness, &proof), PARLEY_E_OK);
    assert_int_equal(harness_commit(harness, &proof), PARLEY_E_EXISTS);
    assert_int_equal(harness_commit(harness, &fork), PARLEY_E_OK);
    assert_int_equal(harness_commit(harness, &fork), PARLEY_E_EXISTS);
    harness_reopen(harness);
    assert_int_equal(parley_store_log_get(harness->store, &log->log, &held), PARLEY_E_OK);
    assert_int_equal(held.forked, 31);
    assert_int_equal(parley_store_read_evidence(harness->store, &log->log, 0, read.data, &evidence),
                     PARLEY_E_OK);
    assert_true(parley_span_equal(evidence, chunk.bytes));
    assert_int_equal(parley_store_read_evidence(harness->store, &log->log, 1, read.data, &evidence),
                     PARLEY_E_NOT_FOUND);
    for (parley_seq seq = 34; seq < 60; seq++) {
        proof.bytes = fixture_chunk(&chunk, other, seq, seq, false);
        assert_int_equal(harness_commit(harness, &proof), PARLEY_E_OK);
    }
    assert_int_equal(
        parley_store_read_evidence(harness->store, &log->log, 16, read.data, &evidence),
        PARLEY_E_NOT_FOUND);
    fork.seq_low = 0;
    assert_int_equal(harness_commit(harness, &fork), PARLEY_E_OK);
    assert_int_equal(parley_store_read_evidence(harness->store, &log->log, 0, read.data, &evidence),
                     PARLEY_E_NOT_FOUND);
    harness_assert_entries(harness, log, 1, 40, NULL);
    free(other);
    free(log);
}

/* What the simulator's disk does to a commit: all of the group or nothing, and no word after it. */
static void test_failed_commit(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 60, T0);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 10, true, T0), PARLEY_E_OK);
    parley_disk_fail_write(harness->engine.disk, 0, PARLEY_E_DISK_FULL, PARLEY_DISK_LOST);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 11, 20, true, T0),
                     PARLEY_E_DISK_FULL);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 11, 20, true, T0),
                     PARLEY_E_DISK_FULL);
    harness_reopen(harness);
    harness_assert_ranges(harness, log, "1-10");
    parley_disk_fail_write(harness->engine.disk, 0, PARLEY_E_DISK_FAILED, PARLEY_DISK_WRITTEN);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 11, 20, true, T0),
                     PARLEY_E_DISK_FAILED);
    harness_reopen(harness);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 11, 20, true, T0),
                     PARLEY_E_EXISTS);
    harness_assert_entries(harness, log, 1, 20, NULL);
    free(log);
}

static void test_open_answers(void **state) {
    (void)state;
    for (int kind = ENGINE_MEMORY; kind <= ENGINE_LEVELDB; kind++) {
        struct engine engine;
        struct parley_store *store;
        struct parley_kv_change stray = {PARLEY_SPAN("z", 1), PARLEY_SPAN("z", 1), false};
        engine_init(&engine, kind);
        assert_int_equal(engine_open(&engine, true), PARLEY_E_OK);
        assert_int_equal(parley_store_open(&store, engine.kv, false), PARLEY_E_STORE_MISSING);
        assert_int_equal(engine.kv->calls->write(engine.kv, &stray, 1), PARLEY_E_OK);
        assert_int_equal(parley_store_open(&store, engine.kv, true), PARLEY_E_STORE_DAMAGED);
        struct parley_kv_change newer = {PARLEY_SPAN("V", 1), PARLEY_SPAN("\0\0\0\5\0\0\0\1", 8),
                                         false};
        assert_int_equal(engine.kv->calls->write(engine.kv, &newer, 1), PARLEY_E_OK);
        assert_int_equal(parley_store_open(&store, engine.kv, false), PARLEY_E_BAD_VERSION);
        engine_clear(&engine);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_bodies_come),
        ON_BOTH(test_bodies_go),
        ON_BOTH(test_lacking),
        ON_BOTH(test_prune),
        ON_BOTH(test_cut),
        ON_BOTH(test_fork_and_evidence),
        cmocka_unit_test_setup_teardown(test_failed_commit, harness_setup_memory, harness_teardown),
        cmocka_unit_test(test_open_answers),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
