#include "sessions_bed.h"

/* What a person's node holds and its owner does not follow (imported from a file, say) is no item
 * of a session. Whoever wants it is told of it all the same. */

#define WRITERS 80u /* more than a stranger is told for nothing */
#define OWN     1u  /* the owner's log, which a session tells */

static const struct story_sizes SIZES = {.peers = 8, .authors = 100, .logs = 200};
static struct story_person writers[WRITERS];

static void begin(struct story *story, struct other *other, uint8_t count) {
    memset(other, 0, sizeof *other);
    story_begin_sized(story, false, &SIZES);
    know_writers(story, writers, count);
}

/* The first session of a link that the node has dialled, to its end. */
static void first_session(struct story *story, struct other *other) {
    other_is_dialled(story, other, 'A');
    other_has_nothing(other, other->session);
    struct parley_reconcile_out out = {0};
    uint8_t memory[64];
    parley_writer_init(&out.writer, memory, sizeof memory);
    parley_reconcile_open(&other->set, &out);
    other_say(story, other, other->session, false, &out);
    other_talk(story, other);
}

/* Behind the first session of a link, unasked, and once. */
static void test_told_after_session(void **state) {
    struct story story;
    static struct other other;
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_HEADS};
    ask.as.ask_heads.session = PARLEY_HEADS_CHANGES;
    begin(&story, &other, 3);
    first_session(&story, &other);
    story_settle(&story);
    assert_int_equal(other.heads, OWN + 3);
    story_send(&story, other.puppet, &ask);
    story_settle(&story);
    assert_int_equal(other.heads, OWN + 3);
    story_end(&story);
}

/* Not before: until then it is not known what the other one wants. And who wants none of it hears
 * nothing of it. */
static void test_who_wants_it(void **state) {
    struct story story;
    static struct other other;
    begin(&story, &other, 3);
    other_connect(&story, &other, 'A');
    story_wait(&story, 1000);
    assert_int_equal(other.heads, 0);
    story_interest(&story, other.puppet, PARLEY_INTEREST_AUTHORS);
    other_open_session(&story, &other, 2, false);
    other_say(&story, &other, 2, false, NULL);
    story_wait(&story, 1000);
    assert_int_equal(other.heads, 0);
    story_interest(&story, other.puppet, PARLEY_INTEREST_EVERYTHING);
    story_wait(&story, 1000);
    assert_int_equal(other.heads, 3);
    story_end(&story);
}

/* Who lost something says so by a session again: from the one on behind the last whose records it
 * asked for, around to that one. */
static void test_lost(void **state) {
    struct story story;
    static struct other other;
    uint8_t bytes[34];
    struct parley_writer writer;
    begin(&story, &other, 3);
    first_session(&story, &other);
    assert_int_equal(other.heads, OWN + 3);
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_author(&writer, &writers[0].author);
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_IDENTITY};
    ask.as.ask_identity.authors = parley_wire_list_of(&writer, 1);
    story_send(&story, other.puppet, &ask);
    story_settle(&story);
    for (uint64_t session = 1001; session <= 1005; session += 2) {
        bool again = session > 1001;
        other.heads = 0;
        story_wait(&story, PARLEY_SESSION_EVERY_MS);
        other_open_session(&story, &other, session, again);
        other_say(&story, &other, session, false, NULL);
        story_wait(&story, 1000);
        assert_int_equal(other.heads, again ? 3 : 0);
        if (again) /* the last one of the round */
            assert_memory_equal(&other.told, &writers[0].log, sizeof other.told);
    }
    story_end(&story);
}

/* A stranger is told as much as is paid for, and the rest in time; and so is whoever says again and
 * again that something was lost. */
static void test_paid(void **state) {
    struct story story;
    static struct other other;
    begin(&story, &other, WRITERS);
    story.is_silent = true;
    other_connect(&story, &other, 'A');
    other_open_session(&story, &other, 2, false);
    other_say(&story, &other, 2, false, NULL);
    assert_in_range(other.heads, 1, WRITERS / 2);
    /* What has changed is told when it is asked for, and waits for nothing. */
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_HEADS};
    ask.as.ask_heads.session = PARLEY_HEADS_CHANGES;
    story_publish(&story, 1, "mine");
    story_settle(&story);
    size_t before = other.heads;
    story_send(&story, other.puppet, &ask);
    assert_int_equal(other.heads, before + OWN);
    assert_memory_equal(&other.told, &story.own.log, sizeof other.told);
    for (unsigned i = 0; i < 60; i++)
        story_wait(&story, 1000);
    assert_int_equal(other.heads, WRITERS + OWN);
    for (uint64_t session = 4; session <= 24; session += 2) {
        story_wait(&story, PARLEY_SESSION_EVERY_MS);
        other_open_session(&story, &other, session, true);
        other_say(&story, &other, session, false, NULL);
    }
    assert_in_range(other.heads, WRITERS + OWN + 1, 4 * WRITERS);
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told_after_session),
        cmocka_unit_test(test_who_wants_it),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_paid),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("unwanted", tests, NULL, NULL) == 0 ? 0 : 1;
}
