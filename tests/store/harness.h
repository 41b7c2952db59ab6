/* A store over one of the engines, and the questions that its tests ask. */
#ifndef PARLEY_TEST_STORE_HARNESS_H
#define PARLEY_TEST_STORE_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine.h"
#include "fixture.h"

struct harness {
    struct engine engine;
    struct parley_store *store;
};

int harness_setup_memory(void **state);
int harness_setup_leveldb(void **state);
int harness_teardown(void **state);
#define ON_BOTH(test)                                                                              \
    cmocka_unit_test_setup_teardown(test, harness_setup_memory, harness_teardown),                 \
        cmocka_unit_test_setup_teardown(test, harness_setup_leveldb, harness_teardown)

void harness_open(struct harness *harness, bool create);
/* Closes store and engine and opens both again. */
void harness_reopen(struct harness *harness);
enum parley_error harness_commit(struct harness *harness, const struct parley_store_op *op);
/* A chunk low .. high in one commit. */
enum parley_error harness_run(struct harness *harness, enum parley_store_kind kind,
                              const struct fixture_log *log, parley_seq low, parley_seq high,
                              bool bodies, parley_time_ms received_ms);
/* The records of the log's author and device. */
void harness_records(struct harness *harness, const struct fixture_log *log);
/* A check of all: what it objects to, one line each, "KIND letter low-high"; "" when nothing. */
#define HARNESS_OBJECTIONS_SIZE 4096u
void harness_check(struct harness *harness, char text[HARNESS_OBJECTIONS_SIZE]);
void harness_assert_sound(struct harness *harness);
/* Closes the store, repairs the engine, opens the store again; losses as above. */
void harness_repair(struct harness *harness, char text[HARNESS_OBJECTIONS_SIZE]);
/* What is held of the log is exactly these stretches [low, high], newest first, as text:
 * "7-9 1-3"; "" when nothing is. */
void harness_assert_ranges(struct harness *harness, const struct fixture_log *log,
                           const char *expected);
/* Exactly these entries, equal in everything to the fixture's; `without` names seqs whose body is
 * not here, 0-terminated. */
void harness_assert_entries(struct harness *harness, const struct fixture_log *log, parley_seq low,
                            parley_seq high, const parley_seq *without);

#endif
