/* The engines' contract (node/store/kv.h), the same for both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../node/shell/kv_leveldb.h"
#include "../../node/store/batch.h"
#include "engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT(literal) PARLEY_SPAN(literal, sizeof(literal) - 1)

static int setup(void **state, enum engine_kind kind) {
    struct engine *engine = malloc(sizeof *engine);
    engine_init(engine, kind);
    assert_int_equal(engine_open(engine, true), PARLEY_E_OK);
    *state = engine;
    return 0;
}

static int setup_memory(void **state) {
    return setup(state, ENGINE_MEMORY);
}

static int setup_leveldb(void **state) {
    return setup(state, ENGINE_LEVELDB);
}

static int teardown(void **state) {
    engine_clear(*state);
    free(*state);
    return 0;
}

static enum parley_error put(struct engine *engine, struct parley_span key,
                             struct parley_span value) {
    struct parley_kv_change change = {key, value, false};
    return engine->kv->calls->write(engine->kv, &change, 1);
}

static void assert_holds(struct engine *engine, const void *view, struct parley_span key,
                         const char *value) {
    uint8_t held[64];
    size_t size = 0;
    enum parley_error error =
        engine->kv->calls->get(engine->kv, view, key, held, sizeof held, &size);
    if (value == NULL) {
        assert_int_equal(error, PARLEY_E_NOT_FOUND);
        return;
    }
    assert_int_equal(error, PARLEY_E_OK);
    assert_int_equal(size, strlen(value));
    assert_memory_equal(held, value, size);
}

static void test_put_get_drop(void **state) {
    struct engine *engine = *state;
    uint8_t small[2];
    size_t size = 0;
    assert_int_equal(put(engine, TEXT("a"), TEXT("one")), PARLEY_E_OK);
    assert_int_equal(put(engine, TEXT("b\0c"), TEXT("")), PARLEY_E_OK);
    assert_holds(engine, NULL, TEXT("a"), "one");
    assert_holds(engine, NULL, TEXT("b\0c"), "");
    assert_holds(engine, NULL, TEXT("b"), NULL);
    assert_int_equal(engine->kv->calls->get(engine->kv, NULL, TEXT("a"), small, 2, &size),
                     PARLEY_E_NO_SPACE);
    assert_int_equal(size, 3);
    struct parley_kv_change changes[] = {
        {TEXT("a"), TEXT("two"), false},
        {TEXT("b\0c"), PARLEY_NO_SPAN, true},
        {TEXT("never"), PARLEY_NO_SPAN, true},
        {TEXT("a"), TEXT("three"), false},
    };
    assert_int_equal(engine->kv->calls->write(engine->kv, changes, 4), PARLEY_E_OK);
    assert_holds(engine, NULL, TEXT("a"), "three");
    assert_holds(engine, NULL, TEXT("b\0c"), NULL);
}

struct seen {
    char text[64];
    size_t count_max;
};

static bool on_pair(void *context, struct parley_span key, struct parley_span value) {
    struct seen *seen = context;
    size_t used = strlen(seen->text);
    snprintf(seen->text + used, sizeof seen->text - used, "%.*s=%.*s ", (int)key.size,
             (const char *)key.data, (int)value.size, (const char *)value.data);
    return --seen->count_max > 0;
}

static void assert_scan(struct engine *engine, struct parley_span from, struct parley_span to,
                        bool is_descending, size_t count_max, const char *expected) {
    struct seen seen = {.count_max = count_max};
    struct parley_kv_bounds bounds = {from, to, is_descending};
    assert_int_equal(engine->kv->calls->scan(engine->kv, NULL, &bounds, on_pair, &seen),
                     PARLEY_E_OK);
    assert_string_equal(seen.text, expected);
}

static void test_scans(void **state) {
    struct engine *engine = *state;
    struct parley_kv_change changes[] = {
        {TEXT("b"), TEXT("2"), false},    {TEXT("a"), TEXT("1"), false},
        {TEXT("ba"), TEXT("3"), false},   {TEXT("c"), TEXT("4"), false},
        {TEXT("\xff"), TEXT("5"), false},
    };
    assert_int_equal(engine->kv->calls->write(engine->kv, changes, 5), PARLEY_E_OK);
    assert_scan(engine, TEXT("a"), TEXT("c"), false, 9, "a=1 b=2 ba=3 ");
    assert_scan(engine, TEXT("a"), TEXT("c"), true, 9, "ba=3 b=2 a=1 ");
    assert_scan(engine, TEXT("aa"), TEXT("bb"), true, 9, "ba=3 b=2 ");
    assert_scan(engine, TEXT("b"), PARLEY_NO_SPAN, false, 9, "b=2 ba=3 c=4 \xff=5 ");
    assert_scan(engine, TEXT("c"), PARLEY_NO_SPAN, true, 9, "\xff=5 c=4 ");
    assert_scan(engine, TEXT("d"), TEXT("e"), true, 9, "");
    assert_scan(engine, TEXT("d"), TEXT("e"), false, 9, "");
    assert_scan(engine, TEXT("b"), TEXT("b\0"), false, 9, "b=2 ");
    assert_scan(engine, TEXT("b"), TEXT("b\0"), true, 9, "b=2 ");
    assert_scan(engine, TEXT("bb"), TEXT("bb\0"), false, 9, "");
    assert_scan(engine, TEXT(""), TEXT("a"), true, 9, "");
    assert_scan(engine, TEXT(""), TEXT("zz"), true, 2, "c=4 ba=3 ");
}

/* What a batch put itself and drops again was never there; what the engine has is deleted. */
static void test_batch_drops(void **state) {
    struct engine *engine = *state;
    struct key known = {.bytes = "known", .size = 5}, own = {.bytes = "own", .size = 3};
    struct batch batch;
    struct parley_span value;
    assert_int_equal(put(engine, TEXT("known"), TEXT("old")), PARLEY_E_OK);
    batch_init(&batch, engine->kv);
    batch_put_span(&batch, &known, TEXT("new"));
    batch_put_span(&batch, &own, TEXT("new"));
    batch_drop(&batch, &own);
    batch_drop(&batch, &known);
    assert_false(batch_get(&batch, &own, &value));
    assert_false(batch_get(&batch, &known, &value));
    assert_int_equal(batch.changes_count, 1);
    assert_true(batch.changes[0].is_delete);
    batch_put_span(&batch, &own, TEXT("again"));
    assert_true(batch_get(&batch, &own, &value));
    assert_int_equal(batch_write(&batch), PARLEY_E_OK);
    batch_clear(&batch);
    assert_holds(engine, NULL, TEXT("known"), NULL);
    assert_holds(engine, NULL, TEXT("own"), "again");
}

static void test_reopened(void **state) {
    struct engine *engine = *state;
    assert_int_equal(put(engine, TEXT("k"), TEXT("kept")), PARLEY_E_OK);
    engine_close(engine);
    assert_int_equal(engine_open(engine, false), PARLEY_E_OK);
    assert_holds(engine, NULL, TEXT("k"), "kept");
}

static void test_one_handle_at_a_time(void **state) {
    struct engine *engine = *state;
    struct engine second = *engine;
    second.kv = NULL;
    assert_int_equal(engine_open(&second, false), PARLEY_E_STORE_LOCKED);
    assert_int_equal(engine_open(&second, true), PARLEY_E_STORE_LOCKED);
}

static void test_a_view_stands_still(void **state) {
    struct engine *engine = *state;
    const void *view = NULL;
    assert_int_equal(put(engine, TEXT("k"), TEXT("old")), PARLEY_E_OK);
    assert_int_equal(engine->kv->calls->view_begin(engine->kv, &view), PARLEY_E_OK);
    assert_int_equal(put(engine, TEXT("k"), TEXT("new")), PARLEY_E_OK);
    assert_holds(engine, view, TEXT("k"), "old");
    engine->kv->calls->view_end(engine->kv, view);
    assert_holds(engine, NULL, TEXT("k"), "new");
}

static void test_missing(void **state) {
    (void)state;
    for (int kind = ENGINE_MEMORY; kind <= ENGINE_LEVELDB; kind++) {
        struct engine engine;
        engine_init(&engine, kind);
        assert_int_equal(engine_open(&engine, false), PARLEY_E_STORE_MISSING);
        assert_int_equal(engine_open(&engine, true), PARLEY_E_OK);
        engine_clear(&engine);
    }
}

/* LevelDB itself would make an empty database here and drop the tables. */
static void test_leveldb_without_current(void **state) {
    struct engine *engine = *state;
    char path[128];
    assert_int_equal(put(engine, TEXT("k"), TEXT("kept")), PARLEY_E_OK);
    engine_close(engine);
    snprintf(path, sizeof path, "%s/CURRENT", engine->path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(engine_open(engine, false), PARLEY_E_STORE_MISSING);
    assert_int_equal(engine_open(engine, true), PARLEY_E_STORE_MISSING);
}

static void test_leveldb_error_words(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum parley_error error;
    } rows[] = {
        {"IO error: db/000003.log: No space left on device", PARLEY_E_DISK_FULL},
        {"IO error: db/000003.log: Disk quota exceeded", PARLEY_E_DISK_FULL},
        {"IO error: lock db/LOCK: already held by process", PARLEY_E_STORE_LOCKED},
        {"IO error: lock db/LOCK: Resource temporarily unavailable", PARLEY_E_STORE_LOCKED},
        {"Corruption: checksum mismatch: db/000005.ldb", PARLEY_E_STORE_DAMAGED},
        {"Invalid argument: db: does not exist (create_if_missing is false)",
         PARLEY_E_STORE_MISSING},
        {"IO error: db/000005.ldb: Input/output error", PARLEY_E_DISK_FAILED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(parley_kv_leveldb_error(rows[i].text), rows[i].error);
}

static void test_a_failed_write_ends_the_handle(void **state) {
    struct engine *engine = *state;
    uint8_t value[8];
    size_t size;
    assert_int_equal(put(engine, TEXT("a"), TEXT("1")), PARLEY_E_OK);
    parley_disk_fail_write(engine->disk, 1, PARLEY_E_DISK_FAILED, PARLEY_DISK_LOST);
    assert_int_equal(put(engine, TEXT("b"), TEXT("2")), PARLEY_E_OK);
    assert_int_equal(put(engine, TEXT("c"), TEXT("3")), PARLEY_E_DISK_FAILED);
    assert_int_equal(put(engine, TEXT("d"), TEXT("4")), PARLEY_E_DISK_FAILED);
    assert_int_equal(
        engine->kv->calls->get(engine->kv, NULL, TEXT("a"), value, sizeof value, &size),
        PARLEY_E_DISK_FAILED);
    engine_close(engine);
    assert_int_equal(engine_open(engine, false), PARLEY_E_OK);
    assert_holds(engine, NULL, TEXT("b"), "2");
    assert_holds(engine, NULL, TEXT("c"), NULL);
    parley_disk_fail_write(engine->disk, 0, PARLEY_E_DISK_FULL, PARLEY_DISK_WRITTEN);
    assert_int_equal(put(engine, TEXT("c"), TEXT("3")), PARLEY_E_DISK_FULL);
    parley_disk_crash(engine->disk);
    engine->kv = NULL;
    assert_int_equal(engine_open(engine, false), PARLEY_E_OK);
    assert_holds(engine, NULL, TEXT("c"), "3");
}

static void test_full_and_unplugged(void **state) {
    struct engine *engine = *state;
    parley_disk_set_bytes_max(engine->disk, 4);
    assert_int_equal(put(engine, TEXT("a"), TEXT("123")), PARLEY_E_OK);
    assert_int_equal(put(engine, TEXT("b"), TEXT("")), PARLEY_E_DISK_FULL);
    engine_close(engine);
    parley_disk_set_bytes_max(engine->disk, 0);
    parley_disk_set_unplugged(engine->disk, true);
    assert_int_equal(engine_open(engine, false), PARLEY_E_DISK_FAILED);
    parley_disk_set_unplugged(engine->disk, false);
    assert_int_equal(engine_open(engine, false), PARLEY_E_OK);
    assert_holds(engine, NULL, TEXT("a"), "123");
}

#define ON_BOTH(test)                                                                              \
    cmocka_unit_test_setup_teardown(test, setup_memory, teardown),                                 \
        cmocka_unit_test_setup_teardown(test, setup_leveldb, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_put_get_drop),
        ON_BOTH(test_batch_drops),
        ON_BOTH(test_scans),
        ON_BOTH(test_reopened),
        ON_BOTH(test_one_handle_at_a_time),
        cmocka_unit_test_setup_teardown(test_a_view_stands_still, setup_leveldb, teardown),
        cmocka_unit_test(test_missing),
        cmocka_unit_test_setup_teardown(test_leveldb_without_current, setup_leveldb, teardown),
        cmocka_unit_test(test_leveldb_error_words),
        cmocka_unit_test_setup_teardown(test_a_failed_write_ends_the_handle, setup_memory,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_full_and_unplugged, setup_memory, teardown),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
