#include "sessions_bed.h"

/* The few places that sessions have: who is silent in one, or takes nothing of what it is told,
 * gives it to who waits. */

/* Silence ends a session, and gives its place to the next one. */
static void test_silence(void **state) {
    struct story story;
    struct story_person writers[1];
    static struct other others[4];
    static const struct story_sizes sizes = {.peers = 8, .authors = 16, .logs = 64};
    story_begin_sized(&story, true, &sizes);
    know_writers(&story, writers, 1);
    for (unsigned i = 0; i < 4; i++) {
        other_connect(&story, &others[i], (char)('A' + i));
        other_open_session(&story, &others[i], 2, false);
    }
    /* Two are answered at a time. */
    assert_int_equal(others[0].messages + others[1].messages, 2);
    assert_int_equal(others[2].messages + others[3].messages, 0);
    story.context = &others[2];
    story_wait(&story, PARLEY_SESSION_IDLE_MS);
    story_wait(&story, 1);
    assert_int_equal(others[2].messages, 1);
    story_end(&story);
}

/* With somebody who waits, silence of seconds is enough; and who was silent has to wait longer than
 * they. */
static void test_silent_gives_way(void **state) {
    struct story story;
    struct story_person writers[1];
    static struct other others[4];
    static const struct story_sizes sizes = {.peers = 8, .authors = 16, .logs = 64};
    memset(others, 0, sizeof others);
    story_begin_sized(&story, true, &sizes);
    know_writers(&story, writers, 1);
    for (unsigned i = 0; i < 4; i++)
        other_connect(&story, &others[i], (char)('A' + i));
    other_open_session(&story, &others[1], 2, false);
    story.context = &others[0];
    other_open_session(&story, &others[0], 2, false);
    story_wait(&story, 2 * PARLEY_SESSION_PATIENCE_MS); /* nobody waits: it has its place still */
    other_has_nothing(&others[0], 2);
    other_talk(&story, &others[0]);
    assert_int_equal(others[0].heads, 1);
    other_open_session(&story, &others[2], 2, false); /* in the free place */
    story_wait(&story, PARLEY_SESSION_PATIENCE_MS / 2);
    story.context = &others[3];
    others[3].messages = 0;
    other_open_session(&story, &others[3], 2, false); /* the second one is silent for long */
    story_wait(&story, 1);
    assert_int_equal(others[3].messages, 1);
    story.context = &others[1];
    others[1].messages = 0;
    other_open_session(&story, &others[1], 4, false);
    for (unsigned ms = 0; ms < PARLEY_SESSION_EVERY_MS; ms += 1000) {
        assert_int_equal(others[1].messages, 0);
        story_wait(&story, 1000);
    }
    story_wait(&story, PARLEY_SESSION_PATIENCE_MS);
    assert_int_equal(others[1].messages, 1);
    story_end(&story);
}

/* So much of what the node serves that what it tells has to wait. */
static void fill_window(struct story *story, struct other *other, const struct parley_log *log,
                        struct parley_span chunk) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_RUN};
    message.as.ask_run.log = *log;
    message.as.ask_run.kind = PARLEY_RUN_FROM_HEAD;
    message.as.ask_run.bodies = true;
    message.as.ask_run.bytes_max = PARLEY_RUN_ASK_BYTES;
    for (size_t bytes = 0; bytes < PARLEY_WINDOW_BYTES; bytes += chunk.size) {
        message.as.ask_run.request++;
        story_send(story, other->puppet, &message);
        story_read(story, PARLEY_E_OK, chunk, 1);
    }
}

/* It is there, and a little of what was sent to it has left. */
static void take_one(struct story *story, const struct other *other) {
    struct parley_wire_message ping = {.type = PARLEY_WIRE_PING};
    struct parley_event event = {.kind = PARLEY_EVENT_SENT};
    story_send(story, other->puppet, &ping);
    event.sent.connection = other->puppet->connection;
    event.sent.bytes_count = 1;
    other->puppet->unsent--;
    story_step(story, &event);
}

/* The node's own session with who has nothing, to its end: all that is held is to be told. */
static void find_all(struct story *story, struct other *other) {
    struct parley_reconcile_out out = {0};
    uint8_t memory[64];
    other_has_nothing(other, other->session);
    parley_writer_init(&out.writer, memory, sizeof memory);
    parley_reconcile_open(&other->set, &out);
    other_say(story, other, other->session, false, &out);
    other_talk(story, other);
}

/* Who takes what is told too slowly has its place as long as a session may last, and then gives it
 * to who waits; it is told when it takes something again. */
static void test_slow_gives_way(void **state) {
    static uint8_t body[60000], buffer[PARLEY_CHUNK_BUFFER_SIZE];
    static struct other others[PARLEY_SESSIONS_OURS + 1];
    struct other *last = &others[PARLEY_SESSIONS_OURS];
    struct story story;
    struct story_person writer;
    memset(others, 0, sizeof others);
    story_begin_relay(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    struct parley_span chunk = story_body(&writer, PARLEY_SPAN(body, sizeof body), buffer);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK, chunk);
    story_settle(&story);
    story.is_withheld = story.is_silent = true;
    for (unsigned i = 0; i < PARLEY_SESSIONS_OURS; i++) {
        other_is_dialled(&story, &others[i], (char)('A' + i));
        assert_int_equal(others[i].openings, 1);
        fill_window(&story, &others[i], &writer.log, chunk);
        find_all(&story, &others[i]);
        assert_int_equal(others[i].heads, 0);
    }
    other_is_dialled(&story, last, 'A' + PARLEY_SESSIONS_OURS);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(last->openings, 0);
        for (unsigned j = 0; j <= PARLEY_SESSIONS_OURS; j++)
            take_one(&story, &others[j]);
        story_wait(&story, PARLEY_SESSION_LONGEST_MS / 4);
    }
    assert_int_equal(last->openings, 1);
    story.is_withheld = false;
    story.context = &others[0]; /* the first one has lost its place */
    story_wait(&story, 1);
    story_wait(&story, 1000);
    assert_int_equal(others[0].heads, 1);
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_silent_gives_way),
        cmocka_unit_test(test_slow_gives_way),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("session places", tests, NULL, NULL) == 0 ? 0 : 1;
}
