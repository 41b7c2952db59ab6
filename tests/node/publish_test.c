#include "story.h"

/* A person's words: on disk before anybody hears of them, in the order in which they were said. */

static void test_disk_first(void **state) {
    struct story story;
    story_begin(&story);
    (void)story_peer(&story, 'A');
    story_forget(&story);
    story_publish(&story, 7, "hello");
    /* Nobody hears of it: a crash now must not leave a peer with an entry that we do not know. */
    story_expect(&story, "STORE append 1..1\n");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "SHOW 1..1\nREPLY 7 OK 1\nA push 1\n");
    story_end(&story);
}

static void test_two_heads(void **state) {
    struct story story;
    story_begin(&story);
    story_publish(&story, 1, "one");
    /* Faster than the disk: it stands on the first, which is accepted and not durable yet. */
    story_publish(&story, 2, "two");
    story_expect(&story, "STORE append 1..1\nSTORE append 2..2\n");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "SHOW 1..1\nREPLY 1 OK 1\n");
    struct parley_node_log log;
    assert_true(parley_node_log_find(story.node, &story.own.log, &log));
    assert_int_equal(log.head_seq, 1); /* what is announced is what is on disk */
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "SHOW 2..2\nREPLY 2 OK 2\n");
    story_end(&story);
}

static void test_only_the_interested(void **state) {
    struct story story;
    story_begin(&story);
    struct story_puppet *bored = story_peer(&story, 'A');
    (void)story_peer(&story, 'B');
    story_interest(&story, bored, PARLEY_INTEREST_NOTHING);
    story_forget(&story);
    story_publish(&story, 1, "for B");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "STORE append 1..1\nSHOW 1..1\nREPLY 1 OK 1\nB push 1\n");
    story_end(&story);
}

static void test_large_is_announced(void **state) {
    static char text[PARLEY_PUSH_BYTES_MAX + 2];
    struct story story;
    memset(text, 'x', sizeof text - 1);
    story_begin(&story);
    (void)story_peer(&story, 'A');
    story_forget(&story);
    story_publish(&story, 1, text);
    story_stored(&story, PARLEY_E_OK);
    /* Who wants it asks. */
    story_expect(&story, "STORE append 1..1\nSHOW 1..1\nREPLY 1 OK 1\nA announce 1\n");
    story_end(&story);
}

static void test_passed_on_once_stored(void **state) {
    struct story story;
    struct story_person writer;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_relay(&story);
    story_person(&writer, 9);
    struct story_puppet *source = story_peer(&story, 'A');
    (void)story_peer(&story, 'B');
    story_introduce(&story, source, &writer);
    story_settle(&story);
    story_forget(&story);
    story_push(&story, source, story_entry(&writer, "hello", buffer));
    story_expect(&story, "VERIFY\n");
    story_verified(&story);
    story_expect(&story, "STORE append 1..1\n");
    story_stored(&story, PARLEY_E_OK);
    /* Not back to where it came from. */
    story_expect(&story, "SHOW 1..1\nB push 1\n");
    story_end(&story);
}

static void test_a_second_copy(void **state) {
    struct story story;
    struct story_person writer;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_relay(&story);
    story_person(&writer, 9);
    struct story_puppet *first = story_peer(&story, 'A'), *second = story_peer(&story, 'B');
    story_introduce(&story, first, &writer);
    story_settle(&story);
    struct parley_span chunk = story_entry(&writer, "hello", buffer);
    story_push(&story, first, chunk);
    story_settle(&story);
    story_forget(&story);
    /* Nobody's fault, nothing to do, and no second store. */
    story_push(&story, second, chunk);
    story_settle(&story);
    assert_false(story_has(&story, "STORE append 1..1"));
    assert_false(story_has(&story, "CLOSE B EXISTS"));
    struct parley_node_status status;
    parley_node_status(story.node, &status);
    assert_int_equal(status.duplicates_count, 1);
    assert_int_equal(status.peers_count, 2);
    story_end(&story);
}

static void test_follow(void **state) {
    struct story story;
    struct story_person other;
    story_begin(&story);
    story_person(&other, 9);
    (void)story_peer(&story, 'A');
    story_forget(&story);
    story_follow(&story, 3, &other.author, true, false);
    /* Peers learn at once what to send; the public word is an entry; the answer waits for it. */
    story_expect(&story, "STORE meta\nSTORE append 1..1\nA interest +1 -0\n");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "SHOW 1..1\nREPLY 3 OK 1\nA push 1\n");
    story_follow(&story, 4, &other.author, false, false);
    story_settle(&story);
    story_expect(&story, "STORE meta\nSTORE append 2..2\nA interest +0 -1\nSHOW 2..2\n"
                         "REPLY 4 OK 2\nA push 2\n");
    story_end(&story);
}

static void test_follow_in_private(void **state) {
    struct story story;
    struct story_person other;
    story_begin(&story);
    story_person(&other, 9);
    story_follow(&story, 3, &other.author, true, true);
    /* Nothing is published, and the answer still waits for the disk: it would be lost otherwise. */
    story_expect(&story, "STORE meta\n");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "REPLY 3 OK 0\n");
    story_follow(&story, 4, &story.own.author, true, false);
    story_expect(&story, "REPLY 4 BAD_INPUT 0\n");
    story_end(&story);
}

/* Who has the device's key as well writes above what is here: nothing is signed on top of that, it
 * would be the thief's chain. */
static void test_not_on_an_island(void **state) {
    struct story story;
    struct story_person thief;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    thief = story.own;
    (void)story_entries(&thief, 2, buffer);
    story_push(&story, peer, story_entry(&thief, "the third", buffer));
    story_settle(&story);
    story_forget(&story);
    story_publish(&story, 1, "mine");
    story_expect(&story, "REPLY 1 GAP 0\n");
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disk_first),
        cmocka_unit_test(test_two_heads),
        cmocka_unit_test(test_only_the_interested),
        cmocka_unit_test(test_large_is_announced),
        cmocka_unit_test(test_passed_on_once_stored),
        cmocka_unit_test(test_a_second_copy),
        cmocka_unit_test(test_follow),
        cmocka_unit_test(test_follow_in_private),
        cmocka_unit_test(test_not_on_an_island),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("publish", tests, NULL, NULL) == 0 ? 0 : 1;
}
