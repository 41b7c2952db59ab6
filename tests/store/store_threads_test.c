/* Reads beside commits, as the product's workers do: what a reader sees is whole at every moment,
 * though small segments are joined under it.
 */
#include "harness.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define ENTRIES_COUNT 400u
#define READERS_COUNT 3u
#define T0            UINT64_C(1600000000000)

struct scene {
    struct harness *harness;
    struct fixture_log *log;
    _Atomic uint64_t acknowledged;
    atomic_bool is_done;
};

struct counted {
    uint64_t count;
    parley_seq last;
};

static bool on_entry(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received_ms) {
    struct counted *counted = context;
    (void)log, (void)place, (void)received_ms;
    counted->last = entry->header.seq;
    counted->count++;
    return true;
}

/* 0, or the number of the line that did not hold. */
static int read_once(struct scene *scene, uint8_t *buffer) {
    struct parley_store *store = scene->harness->store;
    const struct parley_log *log = &scene->log->log;
    uint64_t acknowledged = atomic_load(&scene->acknowledged);
    struct counted ascending = {0}, timeline = {0};
    struct parley_span bytes;
    struct parley_chunk chunk;
    if (acknowledged == 0)
        return 0;
    if (parley_store_entries(store, log, 1, PARLEY_SEQ_MAX, on_entry, &ascending) != PARLEY_E_OK ||
        ascending.count < acknowledged || ascending.last != ascending.count)
        return __LINE__;
    if (parley_store_timeline(store, NULL, NULL, on_entry, &timeline) != PARLEY_E_OK ||
        timeline.count < acknowledged || timeline.last != 1)
        return __LINE__;
    if (parley_store_read_run(store, log, acknowledged, 1, true, 20000, buffer, &bytes) !=
            PARLEY_E_OK ||
        parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK ||
        parley_chunk_seq_last(&chunk) != acknowledged)
        return __LINE__;
    return 0;
}

static void *read_always(void *context) {
    struct scene *scene = context;
    uint8_t *buffer = malloc(PARLEY_CHUNK_BUFFER_SIZE);
    int line = 0;
    while (line == 0 && !atomic_load(&scene->is_done))
        line = read_once(scene, buffer);
    free(buffer);
    return (void *)(intptr_t)line;
}

static void test_reads_beside_commits(void **state) {
    struct scene scene = {.harness = *state, .log = fixture_log_make(1, ENTRIES_COUNT, T0)};
    pthread_t readers[READERS_COUNT];
    for (size_t i = 0; i < READERS_COUNT; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_always, &scene), 0);
    for (parley_seq seq = 1; seq <= ENTRIES_COUNT; seq++) {
        assert_int_equal(
            harness_run(scene.harness, PARLEY_STORE_APPEND, scene.log, seq, seq, true, T0 + seq),
            PARLEY_E_OK);
        atomic_store(&scene.acknowledged, seq);
    }
    atomic_store(&scene.is_done, true);
    for (size_t i = 0; i < READERS_COUNT; i++) {
        void *line = NULL;
        assert_int_equal(pthread_join(readers[i], &line), 0);
        assert_int_equal((intptr_t)line, 0);
    }
    free(scene.log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reads_beside_commits, harness_setup_leveldb,
                                        harness_teardown),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
