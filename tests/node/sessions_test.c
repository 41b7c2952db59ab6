#include "sessions_bed.h"

#include <stdlib.h>

/* Sessions of reconciliation with a puppet that speaks them: when they begin, what they may take,
 * what they leave told. */

/* --- the course ---------------------------------------------------------------------------- */

/* Interest is not answered with heads; the dialler opens, and has all that it lacks told. */
static void test_first_session(void **state) {
    struct story story;
    struct story_person writers[3];
    struct other other = {0};
    story_begin_relay(&story);
    know_writers(&story, writers, 3);
    other_connect(&story, &other, 'A');
    assert_int_equal(other.heads + other.messages, 0);
    other_open_session(&story, &other, 2, false);
    assert_int_equal(other.messages, 1);
    assert_int_equal(other.ranges_count, 1);
    other_has_nothing(&other, 2);
    other_talk(&story, &other);
    assert_int_equal(other.heads, 3);
    /* It is over: what is said in it now is answered with its end. */
    size_t before = other.messages;
    struct parley_reconcile_out out = {0};
    uint8_t memory[64];
    parley_writer_init(&out.writer, memory, sizeof memory);
    parley_reconcile_open(&other.set, &out);
    other_say(&story, &other, 2, false, &out);
    assert_int_equal(other.messages, before + 1);
    assert_true(other.ranges_count == 0 && other.last);
    other_say(&story, &other, 2, false, NULL);
    assert_int_equal(other.messages, before + 1);
    story_end(&story);
}

/* After a session the cheap ask goes on from where it began. */
static void test_changes_go_on(void **state) {
    struct story story;
    struct story_person writers[3];
    struct other other = {0};
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_HEADS};
    ask.as.ask_heads.session = PARLEY_HEADS_CHANGES;
    story_begin_relay(&story);
    know_writers(&story, writers, 3);
    other_connect(&story, &other, 'A');
    other_open_session(&story, &other, 2, false);
    other_has_nothing(&other, 2);
    other_talk(&story, &other);
    other.heads = 0;
    story_send(&story, other.puppet, &ask);
    assert_int_equal(other.heads, 0);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK, story_entry(&writers[1], "2", buffer));
    story_settle(&story);
    other.heads = 0;
    story_send(&story, other.puppet, &ask);
    assert_int_equal(other.heads, 1);
    story_end(&story);
}

/* What was told whole is not told again on this link, unless the other lost it, or it changed. */
static void test_told_once(void **state) {
    struct story story;
    struct story_person writers[3];
    struct other other = {0};
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    static const struct {
        bool again, changed;
        size_t heads;
    } sessions[] = {{false, false, 3}, {false, false, 0}, {true, false, 3}, {false, true, 1}};
    story_begin_relay(&story);
    know_writers(&story, writers, 3);
    other_connect(&story, &other, 'A');
    for (size_t i = 0; i < sizeof sessions / sizeof *sessions; i++) {
        if (sessions[i].changed)
            story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK,
                         story_entry(&writers[1], "2", buffer));
        story_settle(&story);
        other.heads = 0;
        other_open_session(&story, &other, 2 * i + 2, sessions[i].again);
        other_has_nothing(&other, 2 * i + 2);
        other_talk(&story, &other);
        assert_int_equal(other.heads, sessions[i].heads);
        story_wait(&story, PARLEY_SESSION_EVERY_MS);
    }
    story_end(&story);
}

/* --- bounds -------------------------------------------------------------------------------- */

/* One session of a link in ten seconds, whoever asks for more; the newest is answered then. */
static void test_not_too_often(void **state) {
    struct story story;
    struct story_person writers[1];
    struct other other = {0};
    story_begin_relay(&story);
    know_writers(&story, writers, 1);
    other_connect(&story, &other, 'A');
    for (uint64_t session = 2; session < 40; session += 2)
        other_open_session(&story, &other, session, false);
    assert_int_equal(other.messages, 1);
    story_wait(&story, PARLEY_SESSION_EVERY_MS);
    assert_int_equal(other.messages, 2);
    assert_int_equal(other.session, 38);
    story_end(&story);
}

/* A session that found something is followed by another soon: there may be more than it had room
 * for. */
static void test_soon_after_a_finding(void **state) {
    struct story story;
    struct story_person writers[3];
    struct other other = {0};
    story_begin_relay(&story);
    know_writers(&story, writers, 3);
    other_connect(&story, &other, 'A');
    other_open_session(&story, &other, 2, false);
    other_has_nothing(&other, 2);
    other_talk(&story, &other);
    assert_int_equal(other.heads, 3);
    other.messages = 0;
    other_open_session(&story, &other, 4, false);
    assert_int_equal(other.messages, 0);
    story_wait(&story, PARLEY_SESSION_AGAIN_MS);
    assert_int_equal(other.messages, 1);
    assert_int_equal(other.session, 4);
    story_end(&story);
}

/* Whoever says the same for ever is answered a bounded number of times. */
static void test_never_agrees(void **state) {
    struct story story;
    struct story_person writers[3];
    struct other other = {0};
    uint8_t memory[64];
    size_t answers = 0;
    story_begin_relay(&story);
    know_writers(&story, writers, 3);
    other_connect(&story, &other, 'A');
    other_open_session(&story, &other, 2, false);
    other_has_nothing(&other, 2);
    for (unsigned i = 0; i < 100; i++) {
        struct parley_reconcile_out out = {0};
        parley_writer_init(&out.writer, memory, sizeof memory);
        parley_reconcile_open(&other.set, &out);
        other_say(&story, &other, 2, false, &out);
        answers += other.ranges_count > 0;
    }
    assert_in_range(answers, 1, PARLEY_SESSION_TURNS_MAX);
    story_end(&story);
}

/* What silence has cut is begun anew. */
static void test_cut_is_begun_anew(void **state) {
    struct story story;
    struct story_person writers[1];
    struct other other = {0};
    story_begin_relay(&story);
    know_writers(&story, writers, 1);
    other_connect(&story, &other, 'A');
    other_open_session(&story, &other, 2, false);
    for (unsigned i = 0; i < 8; i++)
        story_wait(&story, PARLEY_SESSION_IDLE_MS / 2);
    assert_int_equal(other.openings, 1);
    assert_int_equal(other.session % 2, 1); /* its own */
    story_end(&story);
}

/* --- what follows -------------------------------------------------------------------------- */

/* A head above is asked for by its place; what is not known there by its name. */
static void test_small_ask(void **state) {
    struct story story;
    struct story_person writers[2];
    struct other other = {0};
    struct parley_reconcile_log log = {.seq = 5, .id = {{7}}};
    struct parley_wire_message runs = {.type = PARLEY_WIRE_RUNS};
    struct parley_wire_run nothing = {.last = true};
    struct parley_writer writer;
    uint8_t bytes[32];
    story_begin_relay(&story);
    know_writers(&story, writers, 1);
    other_connect(&story, &other, 'A');
    other_open_session(&story, &other, 2, false);
    other_has_nothing(&other, 2);
    memcpy(log.name, writers[0].log.bytes, sizeof log.name);
    /* Any first byte of a set hash: one of 256 is that of the node. */
    for (unsigned byte = 0; byte < 256 && other.asks_small == 0; byte++) {
        if (byte > 0) {
            story_wait(&story, PARLEY_SESSION_EVERY_MS);
            other_open_session(&story, &other, 2 + 2 * byte, true);
            other_has_nothing(&other, 2 + 2 * byte);
        }
        log.set_hash[0] = (uint8_t)byte;
        assert_true(parley_reconcile_add(&other.set, &log, 0));
        other_talk(&story, &other);
    }
    assert_int_equal(other.asks_small, 1);
    assert_int_equal(other.asks_named, 0);
    nothing.request = other.request;
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_run(&writer, &nothing);
    runs.as.runs.runs = parley_wire_list_of(&writer, 1);
    story_send(&story, other.puppet, &runs);
    /* The set may have gone there: no lie, and asked by name at once. */
    assert_int_equal(other.asks_small, 1);
    assert_int_equal(other.asks_named, 1);
    story_end(&story);
}

/* A place that no session knows is answered with nothing. */
static void test_small_ask_of_nothing(void **state) {
    struct story story;
    struct story_person writers[1];
    struct other other = {0};
    struct parley_wire_message asks = {.type = PARLEY_WIRE_ASK_RUNS};
    struct parley_wire_ask_small ask = {.request = 3, .place = 99};
    struct parley_writer writer;
    uint8_t bytes[32];
    story_begin_relay(&story);
    know_writers(&story, writers, 1);
    other_connect(&story, &other, 'A');
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_ask_small(&writer, &ask);
    asks.as.ask_runs.session = 2;
    asks.as.ask_runs.asks = parley_wire_list_of(&writer, 1);
    story_send(&story, other.puppet, &asks);
    assert_int_equal(other.runs, 1);
    story_end(&story);
}

/* A first session that nobody answered: by its dialler, and ever more rarely. */
static void test_first_is_begun_anew(void **state) {
    struct story story;
    struct other other = {0};
    story_begin(&story);
    other_is_dialled(&story, &other, 'A');
    assert_int_equal(other.openings, 1);
    other_stays(&story, &other, 5 * PARLEY_SESSION_IDLE_MS);
    assert_int_equal(other.openings, 2);
    assert_int_equal(other.session % 2, 0);
    other_stays(&story, &other, 60 * PARLEY_SESSION_IDLE_MS);
    assert_in_range(other.openings, 4, 6);
    story_end(&story);
}

/* While the store has failed nobody is read, so nobody is silent: it begins anew as the store
 * opens, without the pause that follows silence. */
static void test_failed_store_blames_nobody(void **state) {
    struct story story;
    struct story_person stranger;
    struct other other = {0};
    struct parley_event opened = {.kind = PARLEY_EVENT_STORE_OPENED};
    story_begin(&story);
    other_is_dialled(&story, &other, 'A');
    assert_int_equal(other.openings, 1);
    story_person(&stranger, 9);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_RECORD, stranger.inception);
    story_verified(&story);
    story_stored(&story, PARLEY_E_DISK_FULL);
    story_wait(&story, PARLEY_SESSION_IDLE_MS);
    story_wait(&story, PARLEY_SESSION_EVERY_MS);
    story_step(&story, &opened);
    story_wait(&story, 1);
    assert_int_equal(other.openings, 2);
    story_end(&story);
}

static bool is_catching_up(const struct story *story) {
    struct parley_node_status status;
    parley_node_status(story->node, &status);
    return status.is_catching_up;
}

/* A session of its own that is not answered for a while: nobody is told that work is under way. */
static void test_unanswered_is_no_work(void **state) {
    struct story story;
    struct other other = {0};
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_HEADS};
    ask.as.ask_heads.session = PARLEY_HEADS_CHANGES;
    story_begin_relay(&story);
    other_connect(&story, &other, 'A');
    other_open_session(&story, &other, 2, false);
    other_has_nothing(&other, 2);
    other_talk(&story, &other);
    assert_false(is_catching_up(&story));
    for (unsigned i = 0; i < 10000 && other.openings == 0; i++) {
        story_wait(&story, 1000);
        if (i % 10 == 0) /* it is there */
            story_send(&story, other.puppet, &ask);
    }
    assert_int_equal(other.openings, 1);
    assert_true(is_catching_up(&story));
    story_wait(&story, PARLEY_SESSION_PATIENCE_MS);
    assert_false(is_catching_up(&story));
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_session),
        cmocka_unit_test(test_changes_go_on),
        cmocka_unit_test(test_told_once),
        cmocka_unit_test(test_not_too_often),
        cmocka_unit_test(test_soon_after_a_finding),
        cmocka_unit_test(test_never_agrees),
        cmocka_unit_test(test_cut_is_begun_anew),
        cmocka_unit_test(test_first_is_begun_anew),
        cmocka_unit_test(test_unanswered_is_no_work),
        cmocka_unit_test(test_failed_store_blames_nobody),
        cmocka_unit_test(test_small_ask),
        cmocka_unit_test(test_small_ask_of_nothing),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
