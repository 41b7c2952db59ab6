/* The timeline against a sorted list of everything, whole and in pages, and after its index was
 * made anew.
 */
#include "harness.h"
#include <stdlib.h>

#define LOGS_COUNT    12u
#define ENTRIES_COUNT 60u
#define T0            UINT64_C(1600000000000)

struct shown {
    struct parley_timeline_place place;
    unsigned log;
};

struct scene {
    struct fixture_log *logs[LOGS_COUNT];
    struct shown all[LOGS_COUNT * ENTRIES_COUNT]; /* newest first */
    size_t count;
};

static int order_shown(const void *a, const void *b) {
    const struct parley_timeline_place *left = &((const struct shown *)a)->place;
    const struct parley_timeline_place *right = &((const struct shown *)b)->place;
    if (left->time != right->time)
        return left->time < right->time ? 1 : -1;
    int order = PARLEY_COMPARE(right->log, left->log);
    return order != 0 ? order : (left->seq < right->seq) - (left->seq > right->seq);
}

/* Logs that overlap in time and share milliseconds; some posts claim to be from the future. */
static void make_scene(struct harness *harness, struct scene *scene) {
    *scene = (struct scene){.count = 0};
    for (unsigned i = 0; i < LOGS_COUNT; i++) {
        scene->logs[i] = fixture_log_make(i, ENTRIES_COUNT, T0 + i / 2 * 7000);
        for (parley_seq low = 1; low <= ENTRIES_COUNT;) {
            parley_seq high = low + (i * 5 + low) % 23;
            high = high > ENTRIES_COUNT ? ENTRIES_COUNT : high;
            parley_time_ms received = T0 + (i % 3 == 0 ? 20000 : high * 1500);
            assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, scene->logs[i], low, high,
                                         low % 4 != 0, received),
                             PARLEY_E_OK);
            for (parley_seq seq = low; seq <= high; seq++) {
                parley_time_ms claimed = scene->logs[i]->entries[seq - 1].header.time;
                scene->all[scene->count++] = (struct shown){
                    {claimed < received ? claimed : received, scene->logs[i]->log, seq}, i};
            }
            low = high + 1;
        }
    }
    qsort(scene->all, scene->count, sizeof scene->all[0], order_shown);
}

static void clear_scene(struct scene *scene) {
    for (unsigned i = 0; i < LOGS_COUNT; i++)
        free(scene->logs[i]);
}

struct reading {
    const struct scene *scene;
    const struct parley_author *author;
    size_t index; /* of the next one expected */
    size_t left;  /* until the page is full */
};

static void pass_others(struct reading *reading) {
    const struct scene *scene = reading->scene;
    while (reading->author != NULL && reading->index < scene->count &&
           !PARLEY_EQUAL(scene->logs[scene->all[reading->index].log]->author, *reading->author))
        reading->index++;
}

static bool on_entry(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received_ms) {
    struct reading *reading = context;
    pass_others(reading);
    assert_true(reading->index < reading->scene->count);
    const struct shown *shown = &reading->scene->all[reading->index++];
    const struct fixture_log *expected = reading->scene->logs[shown->log];
    assert_int_equal(place->time, shown->place.time);
    assert_int_equal(place->seq, shown->place.seq);
    assert_true(PARLEY_EQUAL(place->log, shown->place.log));
    assert_true(PARLEY_EQUAL(log->author, expected->author));
    assert_true(PARLEY_EQUAL(entry->id, expected->entries[place->seq - 1].id));
    assert_true(received_ms >= place->time);
    return --reading->left > 0;
}

/* Pages of `page` entries until nothing is left. */
static void assert_timeline(struct harness *harness, const struct scene *scene,
                            const struct parley_author *author, size_t page) {
    struct reading reading = {.scene = scene, .author = author};
    const struct parley_timeline_place *before = NULL;
    do {
        reading.left = page;
        assert_int_equal(parley_store_timeline(harness->store, before, author, on_entry, &reading),
                         PARLEY_E_OK);
        if (reading.index > 0)
            before = &scene->all[reading.index - 1].place;
    } while (reading.left == 0);
    pass_others(&reading);
    assert_int_equal(reading.index, scene->count);
}

static void test_timeline(void **state) {
    struct harness *harness = *state;
    struct scene *scene = malloc(sizeof *scene);
    struct parley_author stranger = {{9}};
    make_scene(harness, scene);
    assert_timeline(harness, scene, NULL, SIZE_MAX);
    assert_timeline(harness, scene, NULL, 1 + scene->count / 9);
    assert_timeline(harness, scene, NULL, 7);
    assert_timeline(harness, scene, &scene->logs[0]->author, 10);
    assert_timeline(harness, scene, &scene->logs[LOGS_COUNT - 1]->author, SIZE_MAX);
    assert_int_equal(parley_store_timeline(harness->store, NULL, &stranger, on_entry, NULL),
                     PARLEY_E_OK);
    clear_scene(scene);
    free(scene);
}

static void test_before_any_time(void **state) {
    struct harness *harness = *state;
    struct scene *scene = malloc(sizeof *scene);
    make_scene(harness, scene);
    for (parley_time_ms time = T0 - 1000; time < T0 + 120000; time += 3500) {
        struct parley_timeline_place before = {.time = time};
        struct reading reading = {.scene = scene, .left = 5};
        while (reading.index < scene->count && scene->all[reading.index].place.time >= time)
            reading.index++;
        size_t expected = scene->count - reading.index;
        assert_int_equal(parley_store_timeline(harness->store, &before, NULL, on_entry, &reading),
                         PARLEY_E_OK);
        assert_int_equal(5 - reading.left, expected < 5 ? expected : 5);
    }
    clear_scene(scene);
    free(scene);
}

static void test_rebuilt(void **state) {
    struct harness *harness = *state;
    struct scene *scene = malloc(sizeof *scene);
    struct parley_store_log before, after;
    make_scene(harness, scene);
    assert_int_equal(parley_store_log_get(harness->store, &scene->logs[3]->log, &before),
                     PARLEY_E_OK);
    assert_int_equal(parley_store_rebuild(harness->store), PARLEY_E_OK);
    harness_reopen(harness);
    assert_int_equal(parley_store_log_get(harness->store, &scene->logs[3]->log, &after),
                     PARLEY_E_OK);
    assert_int_equal(before.ranges.ranges[0].hi_is_signed, after.ranges.ranges[0].hi_is_signed);
    assert_int_equal(before.entries_count, after.entries_count);
    assert_int_equal(before.bodies_count, after.bodies_count);
    harness_assert_ranges(harness, scene->logs[3], "1-60");
    assert_timeline(harness, scene, NULL, SIZE_MAX);
    assert_timeline(harness, scene, &scene->logs[0]->author, 10);
    clear_scene(scene);
    free(scene);
}

/* A rebuild that the disk cut short is done again when the store is opened. */
static void test_rebuild_cut_short(void **state) {
    struct harness *harness = *state;
    struct scene *scene = malloc(sizeof *scene);
    make_scene(harness, scene);
    for (unsigned skip = 1; skip < 12; skip += 3) {
        parley_disk_fail_write(harness->engine.disk, skip, PARLEY_E_DISK_FAILED, PARLEY_DISK_LOST);
        assert_int_equal(parley_store_rebuild(harness->store), PARLEY_E_DISK_FAILED);
        harness_reopen(harness);
        assert_timeline(harness, scene, NULL, SIZE_MAX);
    }
    clear_scene(scene);
    free(scene);
}

/* More segments than the walk keeps at once, all spanning the same time: each holds a new entry and
 * an old one, so that after the new ones all of them wait. */
#define WIDE_COUNT 4500u

static parley_time_ms wide_time(parley_seq seq) {
    parley_seq segment = (seq - 1) / 2;
    return seq % 2 == 1 ? T0 + segment : T0 * 2 - segment;
}

static void append_wide(struct harness *harness, const struct fixture_log *names) {
    static uint8_t data[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_entry entry = {.header = {.log = names->log, .version = PARLEY_ENTRY_VERSION}};
    for (parley_seq segment = 0; segment < WIDE_COUNT; segment++) {
        struct parley_chunk_writer writer;
        parley_chunk_writer_init(&writer, data, sizeof data);
        for (parley_seq seq = 2 * segment + 1; seq <= 2 * segment + 2; seq++) {
            entry.header.prev = entry.id;
            entry.header.seq = seq;
            entry.header.time = wide_time(seq);
            memset(entry.signature.bytes, (int)seq, sizeof entry.signature);
            parley_entry_id(&entry);
            assert_int_equal(parley_chunk_add(&writer, &entry, false), PARLEY_E_OK);
        }
        struct parley_store_op op = {.kind = PARLEY_STORE_APPEND,
                                     .author = names->author,
                                     .device = names->device,
                                     .log = names->log,
                                     .bytes = parley_chunk_finish(&writer),
                                     .received_ms = PARLEY_TIME_MAX,
                                     .top_id = entry.id};
        /* A cut forgets what waits at the end of the log: the small segments stay apart. */
        struct parley_store_op cut = {
            .kind = PARLEY_STORE_CUT, .log = names->log, .seq_high = 2 * segment + 2};
        struct parley_store_op ops[] = {op, cut};
        enum parley_error results[2];
        parley_store_commit(harness->store, ops, 2, results);
        assert_int_equal(results[0], PARLEY_E_OK);
        assert_int_equal(results[1], PARLEY_E_OK);
    }
}

struct wide {
    uint64_t count;
    parley_time_ms last;
};

static bool on_wide(void *context, const struct parley_store_log *log,
                    const struct parley_entry *entry, const struct parley_timeline_place *place,
                    parley_time_ms received_ms) {
    struct wide *wide = context;
    (void)log, (void)received_ms;
    assert_int_equal(place->time, wide_time(entry->header.seq));
    assert_true(place->time < wide->last);
    wide->last = place->time;
    wide->count++;
    return true;
}

static void test_more_segments_than_fit(void **state) {
    struct harness *harness = *state;
    struct fixture_log *names = fixture_log_make(1, 1, T0);
    struct wide wide = {.last = UINT64_MAX};
    append_wide(harness, names);
    assert_int_equal(parley_store_timeline(harness->store, NULL, NULL, on_wide, &wide),
                     PARLEY_E_OK);
    assert_int_equal(wide.count, 2 * WIDE_COUNT);
    free(names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_timeline),
        ON_BOTH(test_before_any_time),
        ON_BOTH(test_rebuilt),
        cmocka_unit_test_setup_teardown(test_more_segments_than_fit, harness_setup_memory,
                                        harness_teardown),
        cmocka_unit_test_setup_teardown(test_rebuild_cut_short, harness_setup_memory,
                                        harness_teardown),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
