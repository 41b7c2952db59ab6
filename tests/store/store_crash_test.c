/* A failure at each write of a scripted life: what was acknowledged is there, what failed is there
 * whole or not at all, nothing is acknowledged on a handle that failed, and going on after opening
 * again ends where the undisturbed life ends.
 */
#include "harness.h"
#include <stdlib.h>

#define T0        UINT64_C(1600000000000)
#define STEPS_MAX 64u
#define GROUP_MAX 4u

struct step {
    struct parley_store_op ops[GROUP_MAX];
    size_t ops_count; /* 0: rebuild */
    enum parley_error results[GROUP_MAX];
};

struct life {
    struct fixture_log *log, *fork;
    struct fixture_records records;
    struct fixture_chunk chunks[STEPS_MAX];
    size_t chunks_count;
    struct step steps[STEPS_MAX];
    size_t steps_count;
    struct parley_hash states[STEPS_MAX + 1]; /* of all rows, after so many steps */
};

/* ---- the script */

static void add(struct life *life, struct parley_store_op op, bool same_group) {
    if (!same_group)
        life->steps_count++;
    assert_true(life->steps_count <= STEPS_MAX);
    struct step *step = &life->steps[life->steps_count - 1];
    assert_true(step->ops_count < GROUP_MAX);
    step->ops[step->ops_count++] = op;
}

static void add_run(struct life *life, enum parley_store_kind kind, parley_seq low, parley_seq high,
                    bool bodies, bool same_group) {
    struct fixture_chunk *chunk = &life->chunks[life->chunks_count++];
    add(life, fixture_run(chunk, kind, life->log, low, high, bodies, T0 + high), same_group);
}

static void add_plain(struct life *life, enum parley_store_kind kind, parley_seq low,
                      parley_seq high, bool forget) {
    add(life,
        (struct parley_store_op){.kind = kind,
                                 .log = life->log->log,
                                 .seq_low = low,
                                 .seq_high = high,
                                 .forget = forget},
        false);
}

static void add_evidence(struct life *life, parley_seq low, parley_seq high) {
    struct fixture_chunk *chunk = &life->chunks[life->chunks_count++];
    struct parley_store_op op = {.kind = PARLEY_STORE_EVIDENCE,
                                 .log = life->log->log,
                                 .bytes = fixture_chunk(chunk, life->fork, low, high, false)};
    add(life, op, false);
}

static struct parley_store_op meta(const char *key, const char *value) {
    return (struct parley_store_op){.kind = PARLEY_STORE_META,
                                    .key = PARLEY_SPAN(key, strlen(key)),
                                    .bytes = PARLEY_SPAN(value, strlen(value))};
}

static struct life *make_life(void) {
    struct life *life = calloc(1, sizeof *life);
    life->log = fixture_log_make(1, 200, T0);
    life->fork = fixture_log_fork(life->log, 150);
    fixture_records(&life->records, life->log);
    add(life, life->records.ops[0], false);
    add(life, life->records.ops[1], true);
    add(life, meta("follow", "somebody"), true);
    for (parley_seq seq = 1; seq <= 20; seq++) /* small segments, joined on the way */
        add_run(life, PARLEY_STORE_APPEND, seq, seq, true, seq % 3 == 0);
    add_run(life, PARLEY_STORE_TOP, 101, 160, false, false);
    add_run(life, PARLEY_STORE_FILL, 61, 100, true, false);
    add_run(life, PARLEY_STORE_APPEND, 161, 170, true, true);
    add_plain(life, PARLEY_STORE_DROP_BODIES, 5, 9, true);
    add_run(life, PARLEY_STORE_FILL, 21, 60, true, false);
    add_evidence(life, 145, 150);
    add_plain(life, PARLEY_STORE_FORK, 150, 0, false);
    add_evidence(life, 151, 160);
    life->steps_count++; /* rebuild */
    add_plain(life, PARLEY_STORE_CUT, 0, 149, false);
    add_plain(life, PARLEY_STORE_FORK, 0, 0, false);
    add_plain(life, PARLEY_STORE_PRUNE, 4, 0, false);
    add(life, meta("follow", ""), false);
    add_run(life, PARLEY_STORE_APPEND, 150, 200, true, false);
    return life;
}

static void free_life(struct life *life) {
    free(life->log);
    free(life->fork);
    free(life);
}

/* ---- living it */

static bool on_pair(void *context, struct parley_span key, struct parley_span value) {
    uint8_t sizes[16];
    parley_put_u64(sizes, key.size);
    parley_put_u64(sizes + 8, value.size);
    parley_hash_add(context, sizes, sizeof sizes);
    parley_hash_add(context, key.data, key.size);
    parley_hash_add(context, value.data, value.size);
    return true;
}

static struct parley_hash state_of(struct harness *harness) {
    struct parley_hash hash;
    struct parley_hasher hasher;
    struct parley_kv *kv = harness->engine.kv;
    struct parley_kv_bounds all = {PARLEY_NO_SPAN, PARLEY_NO_SPAN, false};
    parley_hash_init(&hasher, "parley test state");
    assert_int_equal(kv->calls->scan(kv, NULL, &all, on_pair, &hasher), PARLEY_E_OK);
    parley_hash_finish(&hasher, hash.bytes);
    return hash;
}

/* The error of the disk, or OK. */
static enum parley_error take_step(struct harness *harness, struct step *step) {
    if (step->ops_count == 0)
        return parley_store_rebuild(harness->store);
    parley_store_commit(harness->store, step->ops, step->ops_count, step->results);
    for (size_t i = 0; i < step->ops_count; i++)
        if (parley_error_class(step->results[i]) == PARLEY_CLASS_LOCAL)
            return step->results[i];
    return PARLEY_E_OK;
}

/* Undisturbed; how many writes it takes. */
static uint64_t live(struct harness *harness, struct life *life) {
    life->states[0] = state_of(harness);
    for (size_t i = 0; i < life->steps_count; i++) {
        assert_int_equal(take_step(harness, &life->steps[i]), PARLEY_E_OK);
        for (size_t j = 0; j < life->steps[i].ops_count; j++)
            assert_int_equal(life->steps[i].results[j], PARLEY_E_OK);
        life->states[i + 1] = state_of(harness);
        harness_assert_sound(harness);
    }
    return parley_disk_writes_count(harness->engine.disk);
}

static void begin_anew(struct harness *harness) {
    parley_store_close(harness->store);
    engine_clear(&harness->engine);
    engine_init(&harness->engine, ENGINE_MEMORY);
    harness_open(harness, true);
}

static void assert_state(struct harness *harness, const struct parley_hash *expected) {
    struct parley_hash state = state_of(harness);
    assert_memory_equal(state.bytes, expected->bytes, sizeof state);
}

/* The life with one write that fails, from the step at which it does to its end. */
static void live_with_failure(struct harness *harness, struct life *life, unsigned skip,
                              enum parley_error error, enum parley_disk_fate fate) {
    size_t i = 0;
    begin_anew(harness);
    parley_disk_fail_write(harness->engine.disk, skip, error, fate);
    while (i < life->steps_count && take_step(harness, &life->steps[i]) == PARLEY_E_OK)
        i++;
    assert_true(i < life->steps_count);
    bool is_rebuild = life->steps[i].ops_count == 0;
    for (size_t j = 0; j < life->steps[i].ops_count; j++)
        assert_int_equal(life->steps[i].results[j], error);
    /* Whatever comes now is refused, though the disk would take it. */
    struct step again = {.ops = {meta("late", "x")}, .ops_count = 1};
    assert_int_equal(take_step(harness, &again), error);
    harness_reopen(harness);
    harness_assert_sound(harness);
    if (is_rebuild || fate == PARLEY_DISK_WRITTEN)
        i++;
    assert_state(harness, &life->states[i]);
    for (; i < life->steps_count; i++)
        assert_int_equal(take_step(harness, &life->steps[i]), PARLEY_E_OK);
    assert_state(harness, &life->states[life->steps_count]);
}

static void test_every_write(void **state) {
    struct harness *harness = *state;
    struct life *life = make_life();
    static const enum parley_error errors[] = {PARLEY_E_DISK_FAILED, PARLEY_E_DISK_FULL};
    begin_anew(harness);
    uint64_t begun = parley_disk_writes_count(harness->engine.disk);
    uint64_t writes = live(harness, life) - begun;
    print_message("# %llu writes\n", (unsigned long long)writes);
    assert_true(writes > life->steps_count);
    for (unsigned skip = 0; skip < writes; skip++) {
        live_with_failure(harness, life, skip, errors[skip % 2], PARLEY_DISK_LOST);
        live_with_failure(harness, life, skip, errors[skip % 2], PARLEY_DISK_WRITTEN);
    }
    free_life(life);
}

/* A disk that fills at every level: the write that does not fit is refused, and all of it comes
 * when there is space. */
static void test_every_fill_level(void **state) {
    struct harness *harness = *state;
    struct life *life = make_life();
    begin_anew(harness);
    uint64_t smallest = parley_disk_bytes(harness->engine.disk) + 1, largest = 0;
    (void)live(harness, life);
    largest = parley_disk_bytes(harness->engine.disk);
    for (unsigned level = 0; level < 200; level++) {
        size_t i = 0;
        begin_anew(harness);
        parley_disk_set_bytes_max(harness->engine.disk,
                                  smallest + (largest - smallest) * level / 200);
        while (i < life->steps_count && take_step(harness, &life->steps[i]) == PARLEY_E_OK)
            i++;
        parley_disk_set_bytes_max(harness->engine.disk, 0);
        harness_reopen(harness);
        harness_assert_sound(harness);
        for (; i < life->steps_count; i++)
            assert_int_equal(take_step(harness, &life->steps[i]), PARLEY_E_OK);
        assert_state(harness, &life->states[life->steps_count]);
    }
    free_life(life);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_write, harness_setup_memory, harness_teardown),
        cmocka_unit_test_setup_teardown(test_every_fill_level, harness_setup_memory,
                                        harness_teardown),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
