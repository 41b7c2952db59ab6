#include "log_fixture.h"

#include <stdlib.h>

static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
static struct fixture_device device;
static struct parley_entry entries[10];

static int set_up(void **state) {
    (void)state;
    fixture_device(&device, 1);
    fixture_log(&device, entries, 10);
    return 0;
}

static enum parley_error judge(struct parley_judged *out, const struct parley_policy *policy,
                               const struct parley_anchor *anchor, struct parley_span bytes) {
    return parley_judge_chunk(out, &device.log, policy, &device.key, anchor, bytes).error;
}

static void test_one_signature_for_a_run(void **state) {
    struct parley_judged judged;
    struct parley_policy policy = fixture_open();
    (void)state;
    struct parley_span bytes = fixture_chunk(buffer, entries + 2, 8, true);
    assert_int_equal(judge(&judged, &policy, NULL, bytes), PARLEY_E_OK);
    assert_true(judged.needs_check);
    assert_true(parley_check_holds(&judged.check));
    assert_int_equal(judged.run.lo, 3);
    assert_int_equal(judged.run.hi, 10);
    assert_true(PARLEY_EQUAL(judged.run.lo_prev, entries[1].id));
    assert_true(PARLEY_EQUAL(judged.run.hi_id, entries[9].id));
    assert_false(judged.run.hi_is_signed);
    assert_int_equal(judged.chunk.bodies_count, 8);
    assert_int_equal(judged.top_time, entries[9].header.time);
}

static void test_a_changed_body_fails_the_check_of_the_top(void **state) {
    struct parley_judged judged;
    struct parley_policy policy = fixture_open();
    (void)state;
    struct parley_entry changed = entries[4];
    changed.body = PARLEY_SPAN("b0 e9", 5);
    struct parley_entry five[5] = {entries[2], entries[3], changed, entries[5], entries[6]};
    struct parley_span bytes = fixture_chunk(buffer, five, 5, true);
    assert_int_equal(judge(&judged, &policy, NULL, bytes), PARLEY_E_OK);
    assert_false(parley_check_holds(&judged.check));
}

static void test_anchored_needs_no_signature(void **state) {
    struct parley_judged judged;
    (void)state;
    struct parley_policy none = PARLEY_NO_POLICY;
    struct parley_anchor anchor = {6, entries[5].id};
    struct parley_span bytes = fixture_chunk(buffer, entries + 2, 4, false);
    assert_int_equal(parley_judge_chunk(&judged, &device.log, &none, NULL, &anchor, bytes).error,
                     PARLEY_E_OK);
    assert_false(judged.needs_check);
    anchor.id.bytes[0] ^= 1;
    assert_int_equal(judge(&judged, &none, &anchor, bytes), PARLEY_E_BAD_ANCHOR);
    struct parley_log other = {{9}};
    anchor = (struct parley_anchor){6, entries[5].id};
    assert_int_equal(parley_judge_chunk(&judged, &other, &none, NULL, &anchor, bytes).error,
                     PARLEY_E_BAD_ANCHOR);
}

/* An id under another number names nothing, also where it is the id of what came. */
static void test_an_anchor_of_another_number_names_nothing(void **state) {
    struct parley_judged judged;
    struct parley_policy none = PARLEY_NO_POLICY;
    struct parley_span bytes = fixture_chunk(buffer, entries + 2, 4, false);
    (void)state;
    for (parley_seq seq = 5; seq <= 7; seq++) {
        struct parley_anchor anchor = {seq, entries[5].id};
        assert_int_equal(judge(&judged, &none, &anchor, bytes),
                         seq == 6 ? PARLEY_E_OK : PARLEY_E_BAD_ANCHOR);
    }
}

/* Policies travel apart from entries: their no is nobody's fault. */
static void test_what_the_policy_refuses(void **state) {
    struct parley_judged judged;
    (void)state;
    struct parley_span bytes = fixture_chunk(buffer, entries, 5, true);
    const struct {
        struct parley_policy policy;
        enum parley_error expected;
    } rows[] = {
        {{PARLEY_POLICY_VOID, 0, {{0}}}, PARLEY_E_LOG_VOID},
        {{PARLEY_POLICY_CLOSED, 9, entries[8].id}, PARLEY_E_LOG_CLOSED},
        {{PARLEY_POLICY_OPEN, 5, entries[4].id}, PARLEY_E_NOT_WANTED},
        {{PARLEY_POLICY_OPEN, 6, entries[5].id}, PARLEY_E_NOT_WANTED},
        {{PARLEY_POLICY_OPEN, 4, entries[3].id}, PARLEY_E_OK},
        {{PARLEY_POLICY_OPEN, 0, {{0}}}, PARLEY_E_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum parley_error error = judge(&judged, &rows[i].policy, NULL, bytes);
        assert_int_equal(error, rows[i].expected);
        assert_int_not_equal(parley_error_class(error), PARLEY_CLASS_REMOTE);
    }
}

/* A later entry commits to one whose own signature is bad: accepted as chained, never at the top.
 */
static void test_a_bad_signature_below_the_top_is_chained(void **state) {
    struct parley_judged judged;
    struct parley_policy policy = fixture_open();
    struct parley_entry pair[2];
    (void)state;
    pair[0] = entries[0];
    pair[0].signature.bytes[10] ^= 1;
    parley_entry_id(&pair[0]);
    pair[1] = fixture_entry(&device, 2, &pair[0].id, 1, "above");
    assert_int_equal(judge(&judged, &policy, NULL, fixture_chunk(buffer, pair, 2, true)),
                     PARLEY_E_OK);
    assert_true(parley_check_holds(&judged.check));
    assert_int_equal(judge(&judged, &policy, NULL, fixture_chunk(buffer, pair, 1, true)),
                     PARLEY_E_OK);
    assert_false(parley_check_holds(&judged.check));
}

/* run NAME EXPECT POLICY PIN_SEQ PIN_ID DEVICE ANCHOR_SEQ ANCHOR_ID LOG CHUNK */
static void check_vector(struct vector_file *file) {
    struct parley_policy policy = {PARLEY_POLICY_VOID, 0, {{0}}};
    struct parley_anchor anchor;
    struct parley_device_key key;
    struct parley_log log;
    struct parley_judged judged;
    struct parley_span pin, device_key, anchor_id, log_name, chunk;
    uint8_t *memory[] = {
        vector_bytes(file->words[5], &pin), vector_bytes(file->words[6], &device_key),
        vector_bytes(file->words[8], &anchor_id), vector_bytes(file->words[9], &log_name),
        vector_bytes(file->words[10], &chunk)};
    policy.kind = strcmp(file->words[3], "open") == 0     ? PARLEY_POLICY_OPEN
                  : strcmp(file->words[3], "closed") == 0 ? PARLEY_POLICY_CLOSED
                                                          : PARLEY_POLICY_VOID;
    policy.seq = strtoull(file->words[4], NULL, 10);
    if (pin.size > 0)
        memcpy(policy.id.bytes, pin.data, 32);
    memcpy(key.bytes, device_key.data, 32);
    memcpy(log.bytes, log_name.data, 32);
    bool anchored = anchor_id.size > 0;
    if (anchored) {
        anchor.seq = strtoull(file->words[7], NULL, 10);
        memcpy(anchor.id.bytes, anchor_id.data, 32);
    }
    enum parley_error error =
        parley_judge_chunk(&judged, &log, &policy, &key, anchored ? &anchor : NULL, chunk).error;
    if (error == PARLEY_E_OK && judged.needs_check && !parley_check_holds(&judged.check))
        error = PARLEY_E_BAD_SIGNATURE;
    assert_string_equal(parley_error_name(error), file->words[2]);
    for (size_t i = 0; i < sizeof memory / sizeof memory[0]; i++)
        free(memory[i]);
}

static void test_vectors(void **state) {
    struct vector_file file;
    size_t count = 0;
    (void)state;
    vector_open(&file, "runs.txt");
    for (; vector_next(&file); count++)
        check_vector(&file);
    vector_close(&file);
    assert_true(count >= 15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_signature_for_a_run),
        cmocka_unit_test(test_a_changed_body_fails_the_check_of_the_top),
        cmocka_unit_test(test_anchored_needs_no_signature),
        cmocka_unit_test(test_an_anchor_of_another_number_names_nothing),
        cmocka_unit_test(test_what_the_policy_refuses),
        cmocka_unit_test(test_a_bad_signature_below_the_top_is_chained),
        cmocka_unit_test(test_vectors),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests_name("log", tests, set_up, NULL);
    return 0;
}
