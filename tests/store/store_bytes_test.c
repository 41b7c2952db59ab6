/* How many bytes a log takes, what is left of one that was forgotten, and what compaction gives
 * back.
 */
#include "harness.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define T0 UINT64_C(1600000000000)

static struct parley_store_log get(struct harness *harness, const struct fixture_log *log) {
    struct parley_store_log held = {0};
    enum parley_error error = parley_store_log_get(harness->store, &log->log, &held);
    assert_true(error == PARLEY_E_OK || error == PARLEY_E_NOT_FOUND);
    return held;
}

static struct parley_store_op on_log(enum parley_store_kind kind, const struct fixture_log *log,
                                     parley_seq seq_low, parley_seq seq_high) {
    return (struct parley_store_op){
        .kind = kind, .log = log->log, .seq_low = seq_low, .seq_high = seq_high};
}

static void test_times_and_floor(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 60, T0);
    assert_int_equal(harness_run(harness, PARLEY_STORE_TOP, log, 21, 40, true, T0 + 1000000),
                     PARLEY_E_OK);
    assert_int_equal(get(harness, log).low_ms, T0 + 20000);
    assert_int_equal(get(harness, log).active_ms, T0 + 39000);
    /* It came before it says that it was written. */
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 41, 60, true, T0 + 45000),
                     PARLEY_E_OK);
    assert_int_equal(get(harness, log).active_ms, T0 + 45000);
    assert_int_equal(harness_run(harness, PARLEY_STORE_FILL, log, 11, 20, true, T0 + 2000),
                     PARLEY_E_OK);
    assert_int_equal(get(harness, log).low_ms, T0 + 2000);
    struct parley_store_op prune = on_log(PARLEY_STORE_PRUNE, log, 31, 0);
    assert_int_equal(get(harness, log).floor, 0);
    assert_int_equal(harness_commit(harness, &prune), PARLEY_E_OK);
    assert_int_equal(get(harness, log).low_ms, T0 + 30000);
    harness_reopen(harness);
    assert_int_equal(parley_store_rebuild(harness->store), PARLEY_E_OK);
    assert_int_equal(get(harness, log).floor, 31);
    assert_int_equal(get(harness, log).low_ms, T0 + 30000);
    free(log);
}

static void test_bytes(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 60, T0);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 20, true, T0), PARLEY_E_OK);
    uint64_t some = get(harness, log).bytes;
    assert_true(some > 20 * 150);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 21, 40, true, T0), PARLEY_E_OK);
    uint64_t more = get(harness, log).bytes;
    assert_true(more > some + 20 * 150);
    struct parley_store_op drop = on_log(PARLEY_STORE_DROP_BODIES, log, 1, 40);
    assert_int_equal(harness_commit(harness, &drop), PARLEY_E_OK);
    assert_true(get(harness, log).bytes < more);
    struct parley_store_op prune = on_log(PARLEY_STORE_PRUNE, log, 41, 0);
    assert_int_equal(harness_commit(harness, &prune), PARLEY_E_OK);
    assert_true(get(harness, log).bytes < 500); /* its rows */
    free(log);
}

struct rows {
    char letters[64];
};

static bool on_row(void *context, struct parley_span key, struct parley_span value) {
    struct rows *rows = context;
    size_t used = strlen(rows->letters);
    (void)value;
    assert_true(used + 1 < sizeof rows->letters);
    rows->letters[used] = (char)key.data[0];
    rows->letters[used + 1] = '\0';
    return true;
}

static void assert_rows(struct harness *harness, const char *letters) {
    struct rows rows = {""};
    struct parley_kv_bounds all = {PARLEY_NO_SPAN, PARLEY_NO_SPAN, .is_descending = false};
    assert_int_equal(harness->engine.kv->calls->scan(harness->engine.kv, NULL, &all, on_row, &rows),
                     PARLEY_E_OK);
    assert_string_equal(rows.letters, letters);
}

static void test_forget(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 60, T0);
    struct fixture_chunk chunk;
    struct parley_store_op forget = on_log(PARLEY_STORE_FORGET, log, 0, 0);
    assert_int_equal(harness_commit(harness, &forget), PARLEY_E_NOT_FOUND);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 20, true, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_TOP, log, 50, 60, true, T0), PARLEY_E_OK);
    struct parley_store_op evidence = {.kind = PARLEY_STORE_EVIDENCE,
                                       .log = log->log,
                                       .bytes = fixture_chunk(&chunk, log, 30, 31, false)};
    assert_int_equal(harness_commit(harness, &evidence), PARLEY_E_OK);
    forget.forget = true;
    assert_int_equal(harness_commit(harness, &forget), PARLEY_E_OK);
    assert_rows(harness, "CV");
    harness_assert_ranges(harness, log, "");
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 20, true, T0), PARLEY_E_OK);
    harness_assert_entries(harness, log, 1, 20, NULL);
    harness_records(harness, log);
    harness_assert_sound(harness);
    free(log);
}

/* What the owner purged stays out when a stranger comes back; another log of theirs is theirs. */
static void test_forget_purged(void **state) {
    struct harness *harness = *state;
    struct fixture_log *log = fixture_log_make(1, 60, T0), *other = fixture_log_make(2, 60, T0);
    static const parley_seq purged[] = {5, 6, 0};
    struct parley_store_op purge = on_log(PARLEY_STORE_DROP_BODIES, log, 5, 6);
    struct parley_store_op forget = on_log(PARLEY_STORE_FORGET, log, 0, 0);
    purge.forget = true;
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 20, true, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, other, 1, 20, true, T0),
                     PARLEY_E_OK);
    assert_int_equal(harness_commit(harness, &purge), PARLEY_E_OK);
    assert_int_equal(harness_commit(harness, &forget), PARLEY_E_OK);
    forget = on_log(PARLEY_STORE_FORGET, other, 0, 0);
    forget.forget = true;
    assert_int_equal(harness_commit(harness, &forget), PARLEY_E_OK);
    assert_rows(harness, "CVilx");
    harness_assert_sound(harness);
    assert_int_equal(parley_store_rebuild(harness->store), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, other, 1, 9, true, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, log, 1, 20, true, T0), PARLEY_E_OK);
    harness_assert_entries(harness, log, 1, 20, purged);
    harness_records(harness, log);
    harness_records(harness, other);
    harness_assert_sound(harness);
    free(log);
    free(other);
}

/* ---- what is told against what the files are */

#define LOGS_COUNT 300u

static uint64_t files_bytes(const char *path) {
    uint64_t bytes = 0;
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (struct dirent *file = readdir(directory); file != NULL; file = readdir(directory)) {
        char name[512];
        struct stat status;
        (void)snprintf(name, sizeof name, "%s/%s", path, file->d_name);
        if (file->d_name[0] != '.' && stat(name, &status) == 0)
            bytes += (uint64_t)status.st_size;
    }
    closedir(directory);
    return bytes;
}

static bool add_bytes(void *context, const struct parley_store_log *log) {
    *(uint64_t *)context += log->bytes;
    return true;
}

static bool add_record(void *context, const struct parley_author *author,
                       struct parley_span record) {
    (void)author;
    *(uint64_t *)context += parley_store_record_bytes(record.size);
    return true;
}

static uint64_t told_bytes(struct harness *harness) {
    uint64_t bytes = 0;
    struct parley_store_visitor visitor = {
        .context = &bytes, .on_log = add_bytes, .on_record = add_record};
    assert_int_equal(parley_store_load(harness->store, &visitor), PARLEY_E_OK);
    return bytes;
}

static void compact(struct harness *harness) {
    struct parley_store_compaction compaction = {0};
    while (!compaction.is_done)
        parley_store_compact_next(harness->store, &compaction);
}

static void assert_near(uint64_t told, uint64_t files) {
    print_message("# told %llu, files %llu\n", (unsigned long long)told, (unsigned long long)files);
    assert_in_range(files, told - told / 25, told + told / 25);
}

static void test_files(void **state) {
    struct harness *harness = *state;
    for (unsigned i = 0; i < LOGS_COUNT; i++) {
        struct fixture_log *log = fixture_log_make(i * 8, 1 + i % 30, T0);
        harness_records(harness, log);
        assert_int_equal(
            harness_run(harness, PARLEY_STORE_APPEND, log, 1, log->count, true, T0 + i),
            PARLEY_E_OK);
        free(log);
    }
    compact(harness);
    assert_near(told_bytes(harness), files_bytes(harness->engine.path));
    for (unsigned i = 0; i < LOGS_COUNT; i++) {
        struct fixture_log *log = fixture_log_make(i * 8, 1, T0);
        struct parley_store_op op = i % 30 < 10 ? on_log(PARLEY_STORE_FORGET, log, 0, 0)
                                                : on_log(PARLEY_STORE_PRUNE, log, 11, 0);
        op.forget = true;
        assert_int_equal(harness_commit(harness, &op), PARLEY_E_OK);
        free(log);
    }
    compact(harness);
    assert_near(told_bytes(harness), files_bytes(harness->engine.path));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_times_and_floor),
        ON_BOTH(test_bytes),
        ON_BOTH(test_forget),
        ON_BOTH(test_forget_purged),
        cmocka_unit_test_setup_teardown(test_files, harness_setup_leveldb, harness_teardown),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
