#include "harness.h"
#include <stdio.h>
#include <stdlib.h>

void harness_open(struct harness *harness, bool create) {
    assert_int_equal(engine_open(&harness->engine, create), PARLEY_E_OK);
    assert_int_equal(parley_store_open(&harness->store, harness->engine.kv, create), PARLEY_E_OK);
}

void harness_reopen(struct harness *harness) {
    parley_store_close(harness->store);
    engine_close(&harness->engine);
    harness_open(harness, false);
}

static int setup(void **state, enum engine_kind kind) {
    struct harness *harness = calloc(1, sizeof *harness);
    engine_init(&harness->engine, kind);
    harness_open(harness, true);
    *state = harness;
    return 0;
}

int harness_setup_memory(void **state) {
    return setup(state, ENGINE_MEMORY);
}

int harness_setup_leveldb(void **state) {
    return setup(state, ENGINE_LEVELDB);
}

int harness_teardown(void **state) {
    struct harness *harness = *state;
    parley_store_close(harness->store);
    engine_clear(&harness->engine);
    free(harness);
    return 0;
}

enum parley_error harness_commit(struct harness *harness, const struct parley_store_op *op) {
    enum parley_error result = PARLEY_E_RETRY;
    parley_store_commit(harness->store, op, 1, &result);
    return result;
}

enum parley_error harness_run(struct harness *harness, enum parley_store_kind kind,
                              const struct fixture_log *log, parley_seq low, parley_seq high,
                              bool bodies, parley_time_ms received_ms) {
    struct fixture_chunk chunk;
    struct parley_store_op op = fixture_run(&chunk, kind, log, low, high, bodies, received_ms);
    return harness_commit(harness, &op);
}

void harness_records(struct harness *harness, const struct fixture_log *log) {
    struct fixture_records records;
    enum parley_error results[2];
    fixture_records(&records, log);
    parley_store_commit(harness->store, records.ops, 2, results);
    assert_true(results[0] == PARLEY_E_OK || results[0] == PARLEY_E_EXISTS);
    assert_true(results[1] == PARLEY_E_OK || results[1] == PARLEY_E_EXISTS);
}

static void on_damage(void *context, const struct parley_damage *damage) {
    char *text = context;
    size_t used = strlen(text);
    (void)snprintf(text + used, HARNESS_OBJECTIONS_SIZE - used, "%s %c %llu-%llu\n",
                   parley_damage_name(damage->kind), damage->letter,
                   (unsigned long long)damage->seq_low, (unsigned long long)damage->seq_high);
}

void harness_check(struct harness *harness, char text[HARNESS_OBJECTIONS_SIZE]) {
    struct parley_store_check check = {.key_size = 0};
    text[0] = '\0';
    while (!check.is_done)
        assert_int_equal(parley_store_check_next(harness->store, &check, 100, on_damage, text),
                         PARLEY_E_OK);
    assert_int_equal(check.damages_count == 0, text[0] == '\0');
}

void harness_assert_sound(struct harness *harness) {
    char text[HARNESS_OBJECTIONS_SIZE];
    harness_check(harness, text);
    assert_string_equal(text, "");
}

void harness_repair(struct harness *harness, char text[HARNESS_OBJECTIONS_SIZE]) {
    parley_store_close(harness->store);
    text[0] = '\0';
    assert_int_equal(parley_store_repair(harness->engine.kv, on_damage, text), PARLEY_E_OK);
    assert_int_equal(parley_store_open(&harness->store, harness->engine.kv, false), PARLEY_E_OK);
}

void harness_assert_ranges(struct harness *harness, const struct fixture_log *log,
                           const char *expected) {
    struct parley_store_log held;
    char text[256] = "";
    size_t used = 0;
    enum parley_error error = parley_store_log_get(harness->store, &log->log, &held);
    if (error == PARLEY_E_OK) {
        assert_true(parley_ranges_is_valid(&held.ranges));
        assert_true(PARLEY_EQUAL(held.author, log->author));
        assert_true(PARLEY_EQUAL(held.device, log->device));
        for (size_t i = 0; i < held.ranges.count; i++)
            used +=
                (size_t)snprintf(text + used, sizeof text - used, "%s%llu-%llu", i == 0 ? "" : " ",
                                 (unsigned long long)held.ranges.ranges[i].lo,
                                 (unsigned long long)held.ranges.ranges[i].hi);
    } else {
        assert_int_equal(error, PARLEY_E_NOT_FOUND);
    }
    assert_string_equal(text, expected);
}

struct walk {
    const struct fixture_log *log;
    const parley_seq *without;
    parley_seq next;
};

static bool lacks(const parley_seq *without, parley_seq seq) {
    for (; without != NULL && *without != 0; without++)
        if (*without == seq)
            return true;
    return false;
}

static bool on_entry(void *context, const struct parley_store_log *held,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received_ms) {
    struct walk *walk = context;
    (void)received_ms;
    assert_true(walk->next <= walk->log->count);
    const struct parley_entry *expected = &walk->log->entries[walk->next - 1];
    assert_true(PARLEY_EQUAL(held->log, walk->log->log));
    assert_int_equal(entry->header.seq, walk->next);
    assert_int_equal(place->seq, walk->next);
    assert_true(PARLEY_EQUAL(entry->id, expected->id));
    assert_true(PARLEY_EQUAL(entry->signature, expected->signature));
    assert_int_equal(entry->has_body, !lacks(walk->without, walk->next));
    if (entry->has_body)
        assert_true(parley_span_equal(entry->body, expected->body));
    walk->next++;
    return true;
}

void harness_assert_entries(struct harness *harness, const struct fixture_log *log, parley_seq low,
                            parley_seq high, const parley_seq *without) {
    struct walk walk = {log, without, low};
    assert_int_equal(parley_store_entries(harness->store, &log->log, low, high, on_entry, &walk),
                     PARLEY_E_OK);
    assert_int_equal(walk.next, high + 1);
}
