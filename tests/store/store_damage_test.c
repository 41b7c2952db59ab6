/* Damage of every kind, on both engines: the check names it, rebuilding mends what is an index, and
 * repairing leaves a store that holds nothing but what was there and is good.
 */
#include "../../node/store/layout.h"
#include "harness.h"
#include <stdlib.h>

#define T0 UINT64_C(1600000000000)

struct scene {
    struct harness *harness;
    struct fixture_log *logs[3]; /* 0 and 1 of one author */
    uint32_t numbers[3];
};

/* Three logs of 60 entries in segments of 20, and one that has a hole. */
static void make_scene(struct scene *scene, struct harness *harness) {
    scene->harness = harness;
    for (unsigned i = 0; i < 3; i++) {
        struct fixture_log *log = fixture_log_make(i == 2 ? 8 : i, 60, T0 + i * 100);
        struct parley_span row;
        scene->logs[i] = log;
        harness_records(harness, log);
        for (parley_seq low = 1; low <= 60; low += 20)
            if (i != 2 || low != 21)
                assert_int_equal(
                    harness_run(harness,
                                i == 2 && low == 41 ? PARLEY_STORE_TOP : PARLEY_STORE_APPEND, log,
                                low, low + 19, true, T0 * 2),
                    PARLEY_E_OK);
        struct key key;
        uint8_t value[LOG_ROW_SIZE_MAX];
        size_t size = 0;
        key_log(&key, &log->log);
        assert_int_equal(harness->engine.kv->calls->get(harness->engine.kv, NULL, key_span(&key),
                                                        value, sizeof value, &size),
                         PARLEY_E_OK);
        row = PARLEY_SPAN(value, size);
        scene->numbers[i] = parley_get_u32(row.data);
    }
    harness_assert_sound(harness);
}

static void clear_scene(struct scene *scene) {
    for (unsigned i = 0; i < 3; i++)
        free(scene->logs[i]);
}

/* ---- changing the engine under the store */

static void put(struct scene *scene, const struct key *key, struct parley_span value) {
    struct parley_kv_change change = {key_span(key), value, false};
    struct parley_kv *kv = scene->harness->engine.kv;
    assert_int_equal(kv->calls->write(kv, &change, 1), PARLEY_E_OK);
}

static void drop(struct scene *scene, const struct key *key) {
    struct parley_kv_change change = {key_span(key), PARLEY_NO_SPAN, true};
    struct parley_kv *kv = scene->harness->engine.kv;
    assert_int_equal(kv->calls->write(kv, &change, 1), PARLEY_E_OK);
}

static size_t get(struct scene *scene, const struct key *key, uint8_t *value, size_t size_max) {
    struct parley_kv *kv = scene->harness->engine.kv;
    size_t size = 0;
    assert_int_equal(kv->calls->get(kv, NULL, key_span(key), value, size_max, &size), PARLEY_E_OK);
    return size;
}

static void flip(struct scene *scene, const struct key *key, size_t back) {
    static uint8_t value[PARLEY_CHUNK_LARGEST * 2];
    size_t size = get(scene, key, value, sizeof value);
    value[size - 1 - back] ^= 1;
    put(scene, key, PARLEY_SPAN(value, size));
}

struct first {
    struct key key;
    bool any;
};

static bool on_first(void *context, struct parley_span key, struct parley_span value) {
    struct first *first = context;
    (void)value;
    memcpy(first->key.bytes, key.data, key.size);
    first->key.size = key.size;
    first->any = true;
    return false;
}

static struct key first_of(struct scene *scene, char letter) {
    struct key low, high;
    struct first first = {.any = false};
    struct parley_kv *kv = scene->harness->engine.kv;
    key_letter(&low, letter);
    key_after(&high, &low);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), false};
    assert_int_equal(kv->calls->scan(kv, NULL, &bounds, on_first, &first), PARLEY_E_OK);
    assert_true(first.any);
    return first.key;
}

/* ---- the rows: what is done, what the check says, what repair leaves of each log */

static void lose_a_segment(struct scene *scene) {
    struct key key;
    key_segment(&key, scene->numbers[0], 21);
    drop(scene, &key);
}

static void lose_the_top(struct scene *scene) {
    struct key key;
    key_segment(&key, scene->numbers[1], 41);
    drop(scene, &key);
}

static void change_a_body(struct scene *scene) {
    struct key key;
    key_segment(&key, scene->numbers[0], 21);
    flip(scene, &key, 3); /* in the last body */
}

static void change_the_newest(struct scene *scene) {
    struct key key;
    key_segment(&key, scene->numbers[0], 41);
    flip(scene, &key, 3);
}

static void break_a_segment(struct scene *scene) {
    struct key key;
    key_segment(&key, scene->numbers[0], 21);
    put(scene, &key, PARLEY_SPAN("no segment", 10));
}

static void lose_a_row(struct scene *scene) {
    struct key key;
    key_log(&key, &scene->logs[1]->log);
    drop(scene, &key);
}

static void break_a_row(struct scene *scene) {
    struct key key;
    key_log(&key, &scene->logs[1]->log);
    flip(scene, &key, 500 % 80);
}

/* What the row of a log says that its number is: the first thing in it. */
static void say_number(struct scene *scene, size_t log, uint32_t number) {
    static uint8_t value[PARLEY_CHUNK_LARGEST * 2];
    struct key key;
    key_log(&key, &scene->logs[log]->log);
    size_t size = get(scene, &key, value, sizeof value);
    parley_put_u32(value, number);
    put(scene, &key, PARLEY_SPAN(value, size));
}

static void say_nobodys_number(struct scene *scene) {
    say_number(scene, 1, 200);
}

static void say_anothers_number(struct scene *scene) {
    say_number(scene, 1, scene->numbers[0]);
}

static void say_anothers_number_without_segments(struct scene *scene) {
    struct key key;
    for (parley_seq seq = 1; seq <= 41; seq += 20) {
        key_segment(&key, scene->numbers[1], seq);
        drop(scene, &key);
    }
    say_number(scene, 1, scene->numbers[2]);
}

static void say_one_number_without_segments(struct scene *scene) {
    say_anothers_number_without_segments(scene);
    struct key key;
    for (parley_seq seq = 1; seq <= 41; seq += 40) {
        key_segment(&key, scene->numbers[2], seq);
        drop(scene, &key);
    }
}

static void move_the_only_readable(struct scene *scene) {
    static uint8_t value[PARLEY_CHUNK_LARGEST * 2];
    struct key key, moved;
    key_segment(&key, scene->numbers[1], 41);
    key_segment(&moved, 200, 41);
    put(scene, &moved, PARLEY_SPAN(value, get(scene, &key, value, sizeof value)));
    drop(scene, &key);
    for (parley_seq seq = 1; seq <= 21; seq += 20) {
        key_segment(&key, scene->numbers[1], seq);
        put(scene, &key, PARLEY_SPAN("no segment", 10));
    }
}

static void lose_the_records(struct scene *scene) {
    struct parley_store_op op = {.kind = PARLEY_STORE_UNRECORD, .author = scene->logs[2]->author};
    assert_int_equal(harness_commit(scene->harness, &op), PARLEY_E_OK);
}

static void change_a_record(struct scene *scene) {
    struct key key = first_of(scene, 'r');
    flip(scene, &key, 0);
}

static void lose_a_name(struct scene *scene) {
    struct key key;
    key_log_name(&key, scene->numbers[0]);
    drop(scene, &key);
}

static void lose_an_author(struct scene *scene) {
    struct key key;
    key_author(&key, &scene->logs[0]->author);
    drop(scene, &key);
}

static void lose_a_time(struct scene *scene) {
    struct key key = first_of(scene, 't');
    drop(scene, &key);
}

static void change_a_time(struct scene *scene) {
    struct key key = first_of(scene, 't');
    flip(scene, &key, 0);
}

static void add_a_time(struct scene *scene) {
    struct key key;
    uint8_t oldest[8] = {0};
    key_timeline(&key, 0, T0, scene->numbers[0], 7);
    put(scene, &key, PARLEY_SPAN(oldest, sizeof oldest));
}

static void add_a_row(struct scene *scene) {
    struct key key;
    key_letter_number(&key, 'z', 1);
    put(scene, &key, PARLEY_SPAN("x", 1));
}

static void add_evidence(struct scene *scene) {
    struct key key;
    key_evidence(&key, scene->numbers[0], 0);
    put(scene, &key, PARLEY_SPAN("x", 1));
}

static const struct damage_case {
    void (*damage)(struct scene *scene);
    const char *objections;
    bool is_index;       /* rebuilding mends it */
    const char *left[3]; /* ranges of the logs after repair */
} CASES[] = {
    {lose_a_segment,
     "MISSING s 21-40\nINDEX t 0-0\nINDEX t 0-0\n",
     false,
     {"41-60 1-20", "1-60", "41-60 1-20"}},
    {lose_the_top,
     "MISSING s 41-60\nINDEX t 0-0\nINDEX t 0-0\n",
     false,
     {"1-60", "1-40", "41-60 1-20"}},
    {change_a_body, "ENTRIES s 21-40\n", false, {"41-60 1-20", "1-60", "41-60 1-20"}},
    {change_the_newest, "ENTRIES s 41-60\n", false, {"1-40", "1-60", "41-60 1-20"}},
    {break_a_segment,
     "ENTRIES s 21-40\nINDEX t 0-0\nINDEX t 0-0\n",
     false,
     {"41-60 1-20", "1-60", "41-60 1-20"}},
    {lose_a_row,
     "INDEX i 0-0\nUNOWNED s 1-20\nUNOWNED s 21-40\nUNOWNED s 41-60\n"
     "INDEX t 0-0\nINDEX t 0-0\nINDEX t 0-0\nINDEX t 0-0\nINDEX t 0-0\nINDEX t 0-0\n",
     false,
     {"1-60", "1-60", "41-60 1-20"}},
    {break_a_row, NULL, false, {"1-60", "1-60", "41-60 1-20"}},
    {say_nobodys_number, NULL, false, {"1-60", "1-60", "41-60 1-20"}},
    {say_anothers_number, NULL, false, {"1-60", "1-60", "41-60 1-20"}},
    {say_anothers_number_without_segments, NULL, false, {"1-60", "", "41-60 1-20"}},
    {say_one_number_without_segments, NULL, false, {"1-60", "", ""}},
    {move_the_only_readable, NULL, false, {"1-60", "41-60", "41-60 1-20"}},
    {lose_the_records, "RECORDS_MISSING r 0-0\n", false, {"1-60", "1-60", "41-60 1-20"}},
    {change_a_record, NULL, false, {NULL, NULL, NULL}},
    {lose_a_name, NULL, true, {"1-60", "1-60", "41-60 1-20"}},
    {lose_an_author, "INDEX a 0-0\nINDEX a 0-0\n", true, {"1-60", "1-60", "41-60 1-20"}},
    {lose_a_time, NULL, true, {"1-60", "1-60", "41-60 1-20"}},
    {change_a_time, NULL, true, {"1-60", "1-60", "41-60 1-20"}},
    {add_a_time, "INDEX t 0-0\n", true, {"1-60", "1-60", "41-60 1-20"}},
    {add_a_row, "ROW z 0-0\n", false, {"1-60", "1-60", "41-60 1-20"}},
    {add_evidence, "EVIDENCE e 0-0\n", false, {"1-60", "1-60", "41-60 1-20"}},
};

static void assert_left(struct scene *scene, const struct damage_case *row) {
    for (size_t i = 0; i < 3; i++)
        if (row->left[i] != NULL)
            harness_assert_ranges(scene->harness, scene->logs[i], row->left[i]);
}

static void run_case(struct harness *harness, const struct damage_case *row) {
    char text[HARNESS_OBJECTIONS_SIZE];
    struct scene scene;
    make_scene(&scene, harness);
    row->damage(&scene);
    harness_check(harness, text);
    assert_string_not_equal(text, "");
    if (row->objections != NULL)
        assert_string_equal(text, row->objections);
    enum parley_error error = parley_store_rebuild(harness->store);
    if (row->is_index) {
        assert_int_equal(error, PARLEY_E_OK);
        harness_assert_sound(harness);
    } else {
        if (strstr(text, "MISSING s") != NULL || strstr(text, "ENTRIES") != NULL) {
            char again[HARNESS_OBJECTIONS_SIZE];
            assert_int_equal(error, PARLEY_E_STORE_DAMAGED);
            harness_check(harness, again);
            assert_string_equal(again, text);
        }
        harness_repair(harness, text);
        harness_check(harness, text);
        bool lacks_records = strstr(text, "RECORDS_MISSING") != NULL;
        assert_true(text[0] == '\0' || (lacks_records && strstr(text, "INDEX") == NULL));
    }
    assert_left(&scene, row);
    clear_scene(&scene);
}

static void run_cases(void **state) {
    struct harness *harness = *state;
    enum engine_kind kind = harness->engine.kind;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        print_message("# case %zu\n", i);
        parley_store_close(harness->store);
        engine_clear(&harness->engine);
        engine_init(&harness->engine, kind);
        harness_open(harness, true);
        run_case(harness, &CASES[i]);
    }
}

/* ---- any bit of any value: nothing that is not good is left, and the check says so */

static bool on_entry(void *context, const struct parley_store_log *held,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received_ms) {
    const struct fixture_log *log = context;
    const struct parley_entry *expected = &log->entries[entry->header.seq - 1];
    (void)held, (void)place, (void)received_ms;
    assert_true(PARLEY_EQUAL(entry->id, expected->id));
    assert_true(PARLEY_EQUAL(entry->signature, expected->signature));
    assert_true(entry->has_body && parley_span_equal(entry->body, expected->body));
    return true;
}

static void assert_only_good(struct scene *scene) {
    for (size_t i = 0; i < 3; i++) {
        enum parley_error error = parley_store_entries(scene->harness->store, &scene->logs[i]->log,
                                                       1, PARLEY_SEQ_MAX, on_entry, scene->logs[i]);
        assert_true(error == PARLEY_E_OK || error == PARLEY_E_NOT_FOUND);
    }
}

static void test_flips(void **state) {
    struct harness *harness = *state;
    char text[HARNESS_OBJECTIONS_SIZE];
    for (uint64_t index = 0; index < 1000; index++) {
        struct scene scene;
        parley_store_close(harness->store);
        engine_clear(&harness->engine);
        engine_init(&harness->engine, ENGINE_MEMORY);
        harness_open(harness, true);
        make_scene(&scene, harness);
        parley_store_close(harness->store);
        harness->store = NULL;
        (void)parley_disk_flip_bit(harness->engine.disk, index,
                                   index * UINT64_C(0x9e3779b97f4a7c15) >> 20);
        text[0] = '\0';
        enum parley_error error = parley_store_open(&harness->store, harness->engine.kv, false);
        if (error == PARLEY_E_OK)
            harness_check(harness, text);
        bool is_good = error == PARLEY_E_OK && text[0] == '\0';
        if (error != PARLEY_E_BAD_VERSION) { /* else of another version, as far as can be told */
            harness_repair(harness, text);
            harness_check(harness, text);
            assert_true(text[0] == '\0' || strstr(text, "RECORDS_MISSING") != NULL);
            assert_only_good(&scene);
        }
        for (size_t i = 0; is_good && i < 3; i++)
            harness_assert_ranges(harness, scene.logs[i], i == 2 ? "41-60 1-20" : "1-60");
        clear_scene(&scene);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_BOTH(run_cases),
        cmocka_unit_test_setup_teardown(test_flips, harness_setup_memory, harness_teardown),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
