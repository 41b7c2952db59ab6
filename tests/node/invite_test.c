#include "story.h"

#include <stdio.h>

/* What is said about invites: from the owner to a peer, and from a peer to the owner. */

static const struct story_sizes SIZES = {.peers = 8, .authors = 8, .logs = 8};

static struct story_puppet *begin(struct story *story) {
    story_begin_sized(story, true, &SIZES);
    story_wait(story, 1000);
    assert_true(parley_ip_decode(&story->remote.ip, "10.1.2.3"));
    story->remote.network = PARLEY_NETWORK_LAN;
    story->remote.prefix_bits = 96 + 24;
    return story_peer(story, 'A');
}

static void come(struct story *story, struct story_puppet *puppet, const char *place) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_INVITE};
    memset(message.as.invite.secret, 7, sizeof message.as.invite.secret);
    memset(message.as.invite.author.bytes, 9, sizeof message.as.invite.author.bytes);
    message.as.invite.place = PARLEY_SPAN(place, strlen(place));
    story_send(story, puppet, &message);
}

/* The place counts where the link's network holds it; the rest of an invite does in any case. */
static void test_comes_to_the_owner(void **state) {
    static const struct {
        const char *place, *told;
    } rows[] = {
        {"10.1.2.9:7373", "10.1.2.9"}, {"", "-"},
        {"10.1.3.9:7373", "-"},        {"9.9.9.9:7373", "-"},
        {"127.0.0.1:22", "-"},         {"127.0.0.1:7373", "-"},
        {"10.1.2.9:1023", "-"},        {"x", "-"},
        {"example.org:7373", "-"},     {"tor/a.onion:7373", "-"},
        {"10.1.2.9:1024", "10.1.2.9"},
    };
    struct story story;
    struct story_puppet *peer = begin(&story);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[300];
        story_forget(&story);
        come(&story, peer, rows[i].place);
        (void)snprintf(line, sizeof line, "SAID A %s", rows[i].told);
        if (!story_has(&story, line))
            fail_msg("%s", rows[i].place);
        assert_int_equal(story.said.secret[15], 7);
        assert_int_equal(story.said.author.bytes[31], 9);
        assert_false(story.said.is_answer);
        if (story.said.has_place)
            assert_true(PARLEY_EQUAL(story.said.place.key, peer->key));
    }
    assert_false(story_has(&story, "CLOSE A"));
    story_end(&story);
}

static void test_answers_come_to_the_owner(void **state) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_WELCOME};
    struct story story;
    struct story_puppet *peer = begin(&story);
    memset(message.as.welcome.id, 5, sizeof message.as.welcome.id);
    message.as.welcome.verdict = 4000000000;
    story_send(&story, peer, &message);
    assert_true(story_has(&story, "SAID A answer"));
    assert_true(story.said.is_answer && story.said.verdict == 4000000000 && story.said.id[0] == 5);
    story_end(&story);
}

static void submit(struct story *story, parley_connection connection,
                   const struct parley_said *said) {
    struct parley_event event = {.kind = PARLEY_EVENT_SAY};
    event.say.request = 77;
    event.say.connection = connection;
    event.say.said = said;
    story_step(story, &event);
    story_settle(story);
}

static void test_the_owner_says_it(void **state) {
    struct parley_said said = {.has_place = true};
    struct story story;
    struct story_puppet *peer = begin(&story);
    assert_int_equal(parley_place_decode(&said.place, PARLEY_SPAN("10.1.2.1:7373", 13)).error,
                     PARLEY_E_OK);
    submit(&story, peer->connection, &said);
    assert_true(story_has(&story, "A message 13") && story_has(&story, "REPLY 77 OK 0"));
    said.is_answer = true;
    submit(&story, peer->connection, &said);
    assert_true(story_has(&story, "A message 15"));
    submit(&story, peer->connection + 2, &said);
    assert_true(story_has(&story, "REPLY 77 NOT_FOUND 0"));
    story_end(&story);
}

/* Before its hello nobody is listened to. */
static void test_not_before_hello(void **state) {
    struct story story;
    (void)begin(&story);
    struct story_puppet *late = story_accept(&story, 'B');
    struct parley_said said = {.is_answer = true};
    submit(&story, late->connection, &said);
    assert_true(story_has(&story, "REPLY 77 NOT_FOUND 0"));
    come(&story, late, "");
    assert_false(story_has(&story, "SAID B -"));
    assert_true(story_has(&story, "CLOSE B BAD_MESSAGE"));
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_to_the_owner),
        cmocka_unit_test(test_answers_come_to_the_owner),
        cmocka_unit_test(test_the_owner_says_it),
        cmocka_unit_test(test_not_before_hello),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("invite", tests, NULL, NULL) == 0 ? 0 : 1;
}
