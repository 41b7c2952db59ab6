/* Random operations in random groups against a naive model: one byte for each entry of each log.
 * The same seed on both engines; a failure prints it.
 */
#include "harness.h"
#include <parley/codec.h>
#include <stdio.h>
#include <stdlib.h>

#define LOGS_COUNT    3u
#define ENTRIES_COUNT 160u
#define GROUP_MAX     6u
#define T0            UINT64_C(1600000000000)

struct model_log {
    struct fixture_log *log;
    struct parley_ranges ranges; /* for the answers; what is held is checked by the bytes */
    bool held[ENTRIES_COUNT + 2];
    bool body[ENTRIES_COUNT + 2];
    bool erased[ENTRIES_COUNT + 2];
};

struct model {
    struct model_log logs[LOGS_COUNT];
    uint64_t chance;
};

static uint64_t next_chance(struct model *model, uint64_t below) {
    model->chance ^= model->chance << 13;
    model->chance ^= model->chance >> 7;
    model->chance ^= model->chance << 17;
    return (model->chance >> 11) % below;
}

static bool id_at(void *context, enum parley_side side, parley_seq seq, struct parley_id *id) {
    const struct model_log *log = context;
    (void)side;
    *id = log->log->entries[seq - 1].id;
    return true;
}

static enum parley_error model_run(struct model_log *log, enum parley_store_kind kind,
                                   parley_seq low, parley_seq high, bool bodies) {
    static const enum parley_placing placings[] = {PARLEY_PLACE_APPEND, PARLEY_PLACE_LINKED,
                                                   PARLEY_PLACE_ANY};
    const struct parley_entry *entries = log->log->entries;
    struct parley_run run = {
        low, entries[low - 1].header.prev, high, entries[high - 1].id, true,
    };
    parley_seq conflict;
    enum parley_error error = parley_ranges_add(
        &log->ranges, &run, placings[kind - PARLEY_STORE_APPEND], id_at, log, &conflict);
    for (parley_seq seq = low; seq <= high && error == PARLEY_E_OK; seq++) {
        if (!log->held[seq])
            log->body[seq] = bodies && !log->erased[seq];
        log->held[seq] = true;
    }
    return error;
}

struct step {
    struct fixture_chunk chunk;
    struct parley_store_op op;
    enum parley_error expected;
};

static void make_run(struct model *model, struct model_log *log, struct step *step) {
    enum parley_store_kind kind = (enum parley_store_kind)next_chance(model, 3);
    parley_seq low = 1 + next_chance(model, ENTRIES_COUNT);
    if (next_chance(model, 3) > 0 && log->ranges.count > 0) {
        const struct parley_run *run = &log->ranges.ranges[next_chance(model, log->ranges.count)];
        low = run->hi + 1;
        if (low > ENTRIES_COUNT)
            low = run->lo;
    } else if (kind == PARLEY_STORE_APPEND && next_chance(model, 2) == 0) {
        low = 1;
    }
    parley_seq high = low + next_chance(model, next_chance(model, 4) == 0 ? 60 : 4);
    high = high > ENTRIES_COUNT ? ENTRIES_COUNT : high;
    bool bodies = next_chance(model, 4) > 0;
    step->op = fixture_run(&step->chunk, kind, log->log, low, high, bodies,
                           T0 + next_chance(model, 200) * 1000);
    if (next_chance(model, 2) == 0)
        step->op.top_id = log->log->entries[high - 1].id;
    step->expected = model_run(log, kind, low, high, bodies);
}

static void make_bodies(struct model *model, struct model_log *log, struct step *step) {
    parley_seq low = 1 + next_chance(model, ENTRIES_COUNT);
    parley_seq high = low + next_chance(model, 30);
    high = high > ENTRIES_COUNT ? ENTRIES_COUNT : high;
    struct parley_writer writer;
    step->op = (struct parley_store_op){.kind = PARLEY_STORE_BODIES, .log = log->log->log};
    parley_writer_init(&writer, step->chunk.data, sizeof step->chunk.data);
    parley_write_array(&writer, (size_t)(high - low + 1));
    step->expected = PARLEY_E_EXISTS;
    for (parley_seq seq = high; seq >= low; seq--) {
        const struct parley_entry *entry = &log->log->entries[seq - 1];
        parley_write_array(&writer, 3);
        parley_write_uint(&writer, seq);
        PARLEY_WRITE_FIXED(&writer, entry->salt);
        parley_write_bin(&writer, entry->body);
        if (log->held[seq] && !log->body[seq] && !log->erased[seq]) {
            log->body[seq] = true;
            step->expected = PARLEY_E_OK;
        }
    }
    assert_int_equal(parley_writer_finish(&writer, &step->op.bytes), PARLEY_E_OK);
}

static void make_drop(struct model *model, struct model_log *log, struct step *step) {
    parley_seq low = 1 + next_chance(model, ENTRIES_COUNT);
    parley_seq high = low + next_chance(model, 12);
    bool forget = next_chance(model, 3) == 0;
    high = high > ENTRIES_COUNT ? ENTRIES_COUNT : high;
    step->op = (struct parley_store_op){.kind = PARLEY_STORE_DROP_BODIES,
                                        .log = log->log->log,
                                        .seq_low = low,
                                        .seq_high = high,
                                        .forget = forget};
    step->expected = PARLEY_E_OK;
    for (parley_seq seq = low; seq <= high; seq++) {
        log->body[seq] = false;
        log->erased[seq] = log->erased[seq] || forget;
    }
}

/* What was dropped for good may come again where its entry is held. */
static void make_recall(struct model *model, struct model_log *log, struct step *step) {
    parley_seq low = 1 + next_chance(model, ENTRIES_COUNT);
    parley_seq high = low + next_chance(model, 40);
    high = high > ENTRIES_COUNT ? ENTRIES_COUNT : high;
    step->op = (struct parley_store_op){
        .kind = PARLEY_STORE_RECALL, .log = log->log->log, .seq_low = low, .seq_high = high};
    step->expected = PARLEY_E_EXISTS;
    for (parley_seq seq = low; seq <= high; seq++)
        if (log->held[seq] && log->erased[seq]) {
            log->erased[seq] = false;
            step->expected = PARLEY_E_OK;
        }
}

static void make_cut(struct model *model, struct model_log *log, struct step *step) {
    bool is_prune = next_chance(model, 2) == 0;
    parley_seq edge = is_prune ? 1 + next_chance(model, ENTRIES_COUNT / 2)
                               : ENTRIES_COUNT / 2 + next_chance(model, ENTRIES_COUNT / 2);
    parley_seq low = is_prune ? 1 : edge + 1, high = is_prune ? edge - 1 : ENTRIES_COUNT;
    step->op = (struct parley_store_op){.kind = is_prune ? PARLEY_STORE_PRUNE : PARLEY_STORE_CUT,
                                        .log = log->log->log,
                                        .seq_low = is_prune ? edge : 0,
                                        .seq_high = edge};
    step->expected = PARLEY_E_OK;
    for (parley_seq seq = low; seq <= high; seq++)
        log->held[seq] = log->body[seq] = false;
    struct parley_anchor top = {edge, log->log->entries[edge - 1].id};
    if (is_prune)
        parley_ranges_prune(&log->ranges, edge, edge > 1 ? &log->log->entries[edge - 2].id : NULL);
    else
        parley_ranges_cut(&log->ranges, &top, false);
}

/* Of what the owner purged the store remembers, as long as anything was. */
static void make_forget(const struct model *model, struct model_log *log, struct step *step) {
    bool is_alone = log == &model->logs[LOGS_COUNT - 1]; /* of its author */
    step->op = (struct parley_store_op){
        .kind = PARLEY_STORE_FORGET, .log = log->log->log, .forget = is_alone};
    step->expected = PARLEY_E_OK;
    log->ranges.count = 0;
    memset(log->held, 0, sizeof log->held);
    memset(log->body, 0, sizeof log->body);
}

static void make_step(struct model *model, struct step *step) {
    struct model_log *log = &model->logs[next_chance(model, LOGS_COUNT)];
    uint64_t kind = next_chance(model, 20);
    if (kind < 14 || log->ranges.count == 0)
        make_run(model, log, step);
    else if (kind < 17)
        make_bodies(model, log, step);
    else if (next_chance(model, 30) == 0)
        make_forget(model, log, step);
    else if (next_chance(model, 5) == 0)
        make_recall(model, log, step);
    else if (kind < 19)
        make_drop(model, log, step);
    else
        make_cut(model, log, step);
}

/* What the store says is held, entry by entry. */
struct walk {
    const struct model_log *log;
    bool seen[ENTRIES_COUNT + 2];
};

static bool on_entry(void *context, const struct parley_store_log *held,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received_ms) {
    struct walk *walk = context;
    parley_seq seq = entry->header.seq;
    (void)held, (void)received_ms;
    assert_true(seq >= 1 && seq <= ENTRIES_COUNT && !walk->seen[seq] && place->seq == seq);
    const struct parley_entry *expected = &walk->log->log->entries[seq - 1];
    assert_true(PARLEY_EQUAL(entry->id, expected->id));
    assert_int_equal(entry->has_body, walk->log->body[seq]);
    if (entry->has_body)
        assert_true(parley_span_equal(entry->body, expected->body));
    walk->seen[seq] = true;
    return true;
}

static void check_log(struct harness *harness, const struct model_log *log) {
    struct parley_store_log row = {0};
    struct walk walk = {.log = log};
    uint64_t entries = 0, bodies = 0;
    enum parley_error error = parley_store_log_get(harness->store, &log->log->log, &row);
    assert_true(error == PARLEY_E_OK || (error == PARLEY_E_NOT_FOUND && log->ranges.count == 0));
    assert_int_equal(row.ranges.count, log->ranges.count);
    for (size_t i = 0; i < row.ranges.count; i++) {
        assert_int_equal(row.ranges.ranges[i].lo, log->ranges.ranges[i].lo);
        assert_int_equal(row.ranges.ranges[i].hi, log->ranges.ranges[i].hi);
        assert_true(PARLEY_EQUAL(row.ranges.ranges[i].hi_id, log->ranges.ranges[i].hi_id));
        assert_true(PARLEY_EQUAL(row.ranges.ranges[i].lo_prev, log->ranges.ranges[i].lo_prev));
    }
    error =
        parley_store_entries(harness->store, &log->log->log, 1, PARLEY_SEQ_MAX, on_entry, &walk);
    assert_true(error == PARLEY_E_OK || error == PARLEY_E_NOT_FOUND);
    for (parley_seq seq = 1; seq <= ENTRIES_COUNT; seq++) {
        assert_int_equal(walk.seen[seq], log->held[seq]);
        entries += log->held[seq];
        bodies += log->body[seq];
    }
    assert_int_equal(row.entries_count, entries);
    assert_int_equal(row.bodies_count, bodies);
}

static void check_run(struct harness *harness, struct model *model, const struct model_log *log) {
    static struct fixture_chunk read;
    struct parley_span bytes;
    struct parley_chunk chunk;
    struct parley_chunk_cursor cursor;
    struct parley_entry entry = {0};
    parley_seq top = 1 + next_chance(model, ENTRIES_COUNT), low = 1 + next_chance(model, top);
    bool with_bodies = next_chance(model, 2) == 0;
    enum parley_error error =
        parley_store_read_run(harness->store, &log->log->log, top, low, with_bodies,
                              next_chance(model, PARLEY_CHUNK_BYTES_MAX), read.data, &bytes);
    assert_int_equal(error, log->held[top] ? PARLEY_E_OK : PARLEY_E_NOT_FOUND);
    if (error != PARLEY_E_OK)
        return;
    assert_int_equal(parley_chunk_decode(&chunk, bytes).error, PARLEY_E_OK);
    assert_int_equal(parley_chunk_seq_last(&chunk), top);
    assert_true(chunk.seq_first >= low);
    parley_chunk_start(&cursor, &chunk);
    while (parley_chunk_next(&cursor, &entry)) {
        assert_true(log->held[entry.header.seq]);
        assert_int_equal(entry.has_body, with_bodies && log->body[entry.header.seq]);
    }
    assert_true(PARLEY_EQUAL(entry.id, log->log->entries[top - 1].id));
}

/* What operations have added up is what a walk of everything finds. */
static void check_bytes(struct harness *harness, const struct model_log *log) {
    struct parley_store_log before = {0}, after = {0};
    enum parley_error error = parley_store_log_get(harness->store, &log->log->log, &before);
    assert_int_equal(parley_store_rebuild(harness->store), PARLEY_E_OK);
    assert_int_equal(parley_store_log_get(harness->store, &log->log->log, &after), error);
    /* A stretch of bodies that lacked may have nothing lacking left in it. */
    bool has_empty_stretch = before.lacks_high != 0 && after.lacks_high == 0;
    assert_int_equal(before.bytes, after.bytes + (has_empty_stretch ? 12 : 0));
    assert_int_equal(before.low_ms, after.low_ms);
    assert_int_equal(before.floor, after.floor);
    assert_true(before.active_ms >= after.active_ms);
}

struct order {
    struct parley_timeline_place last;
    uint64_t count;
};

static bool on_ordered(void *context, const struct parley_store_log *log,
                       const struct parley_entry *entry, const struct parley_timeline_place *place,
                       parley_time_ms received_ms) {
    struct order *order = context;
    (void)log, (void)entry, (void)received_ms;
    bool is_below = order->count == 0 || place->time < order->last.time;
    if (!is_below && place->time == order->last.time) {
        int logs = PARLEY_COMPARE(place->log, order->last.log);
        is_below = logs < 0 || (logs == 0 && place->seq < order->last.seq);
    }
    assert_true(is_below);
    order->last = *place;
    order->count++;
    return true;
}

static void check_timeline(struct harness *harness, const struct model *model) {
    struct order order = {.count = 0};
    uint64_t count = 0;
    for (size_t i = 0; i < LOGS_COUNT; i++)
        for (parley_seq seq = 1; seq <= ENTRIES_COUNT; seq++)
            count += model->logs[i].held[seq];
    assert_int_equal(parley_store_timeline(harness->store, NULL, NULL, on_ordered, &order),
                     PARLEY_E_OK);
    assert_int_equal(order.count, count);
}

static void run_group(struct harness *harness, struct model *model, struct step *steps) {
    struct parley_store_op ops[GROUP_MAX];
    enum parley_error results[GROUP_MAX];
    size_t count = 1 + next_chance(model, GROUP_MAX);
    for (size_t i = 0; i < count; i++) {
        make_step(model, &steps[i]);
        ops[i] = steps[i].op;
    }
    parley_store_commit(harness->store, ops, count, results);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(results[i], steps[i].expected);
}

static void run_seed(struct harness *harness, uint64_t seed, size_t groups) {
    struct model *model = calloc(1, sizeof *model);
    struct step *steps = calloc(GROUP_MAX, sizeof *steps);
    model->chance = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (unsigned i = 0; i < LOGS_COUNT; i++)
        model->logs[i].log =
            fixture_log_make((unsigned)seed * 16 + i * 5, ENTRIES_COUNT, T0 + i * 333);
    for (size_t i = 0; i < LOGS_COUNT; i++)
        harness_records(harness, model->logs[i].log);
    print_message("# seed %llu, %zu groups\n", (unsigned long long)seed, groups);
    for (size_t group = 0; group < groups; group++) {
        run_group(harness, model, steps);
        for (size_t i = 0; i < LOGS_COUNT; i++) {
            check_log(harness, &model->logs[i]);
            check_run(harness, model, &model->logs[i]);
        }
        if (group % 8 == 7)
            check_timeline(harness, model);
        if (group % 32 == 31)
            harness_assert_sound(harness);
        if (next_chance(model, 40) == 0)
            harness_reopen(harness);
        if (next_chance(model, 80) == 0)
            assert_int_equal(parley_store_rebuild(harness->store), PARLEY_E_OK);
    }
    for (unsigned i = 0; i < LOGS_COUNT; i++)
        check_bytes(harness, &model->logs[i]);
    for (unsigned i = 0; i < LOGS_COUNT; i++)
        free(model->logs[i].log);
    free(steps);
    free(model);
}

/* Each seed has logs of its own in a store of its own. */
static void run_seeds(void **state, uint64_t seeds, size_t groups) {
    struct harness *harness = *state;
    enum engine_kind kind = harness->engine.kind;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        parley_store_close(harness->store);
        engine_clear(&harness->engine);
        engine_init(&harness->engine, kind);
        harness_open(harness, true);
        run_seed(harness, seed, groups);
    }
}

static void test_random_memory(void **state) {
    run_seeds(state, 12, 250);
}

static void test_random_leveldb(void **state) {
    run_seeds(state, 3, 120);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_memory, harness_setup_memory, harness_teardown),
        cmocka_unit_test_setup_teardown(test_random_leveldb, harness_setup_leveldb,
                                        harness_teardown),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
