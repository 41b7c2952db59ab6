#include "tree_bed.h"

/* The broadcast tree in one node: relays above, and people below. */

/* Of relays a person's node has one that pushes; when that goes, the next. */
static void test_a_person_has_one_relay(void **state) {
    struct story story;
    story_begin(&story);
    struct story_puppet *a = tree_peer(&story, 'A');
    struct story_puppet *b = story_accept(&story, 'B');
    hello(&story, b, PARLEY_WIRE_SERVES_RUNS | PARLEY_WIRE_TREE);
    story_forget(&story);
    story_interest(&story, b, PARLEY_INTEREST_EVERYTHING);
    assert_true(story_has(&story, "B prune"));
    story_settle(&story);
    story_forget(&story);
    story_publish(&story, 1, "hello");
    story_stored(&story, PARLEY_E_OK);
    story_wait(&story, PARLEY_ANNOUNCE_AFTER_MS);
    story_expect(&story, "STORE append 1..1\nSHOW 1..1\nREPLY 1 OK 1\nA push 1\nB announce 1\n");
    story_closed(&story, a);
    assert_true(story_has(&story, "B graft"));
    story_forget(&story);
    story_publish(&story, 2, "again");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "STORE append 2..2\nSHOW 2..2\nREPLY 2 OK 2\nB push 2\n");
    story_end(&story);
}

/* A person's node that follows the writer, with the relays A and B, of which A pushes. */
static void begin_person(struct story *story, struct story_person *writer) {
    story_begin(story);
    story_person(writer, 9);
    story_follow(story, 1, &writer->author, true, true);
    story_settle(story);
    story_know(story, writer);
}

/* What relays have is no news to relays: they hear of it, in a while, and get it if they ask. */
static void test_a_person_pushes_little_up(void **state) {
    struct story story;
    struct story_person writer;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    begin_person(&story, &writer);
    struct story_puppet *a = tree_peer(&story, 'A'), *b = tree_peer(&story, 'B');
    struct story_puppet *c = reader(&story, 'C', &writer.author);
    assert_true(story_has(&story, "C prune"));
    story_forget(&story);
    /* Its own ask is answered, which ends nothing that was agreed on. */
    send_bucket(&story, b, PARLEY_WIRE_PRUNE, &writer.log);
    story_expect(&story, "");
    story_push(&story, a, story_entry(&writer, "hello", buffer));
    story_settle(&story);
    story_expect(&story, "VERIFY\nSTORE append 1..1\nSHOW 1..1\n");
    story_wait(&story, PARLEY_ANNOUNCE_AFTER_MS);
    story_expect(&story, "B announce 1\nC announce 1\n");
    send_bucket(&story, b, PARLEY_WIRE_GRAFT, &writer.log);
    story_push(&story, a, story_entry(&writer, "again", buffer));
    story_settle(&story);
    story_expect(&story, "VERIFY\nSTORE append 2..2\nSHOW 2..2\nB push 2\n");
    send_bucket(&story, b, PARLEY_WIRE_PRUNE, &writer.log);
    story_wait(&story, PARLEY_ANNOUNCE_AFTER_MS);
    story_forget(&story);
    /* What a friend was the first to bring goes up, to one of them. */
    send_bucket(&story, c, PARLEY_WIRE_GRAFT, &writer.log);
    story_push(&story, c, story_entry(&writer, "from a friend", buffer));
    story_settle(&story);
    story_expect(&story, "VERIFY\nSTORE append 3..3\nSHOW 3..3\nA push 3\n");
    story_end(&story);
}

/* A relay that is behind another one with all it brings is tried against that one. */
static void test_a_person_tries_another_relay(void **state) {
    struct story story;
    struct story_person writer;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    begin_person(&story, &writer);
    struct story_puppet *a = tree_peer(&story, 'A'), *b = tree_peer(&story, 'B');
    struct parley_span entry = PARLEY_NO_SPAN;
    for (unsigned i = 1; i <= PARLEY_GOSSIP_LATES; i++) {
        entry = story_entry(&writer, "hello", buffer);
        announce_newest(&story, b, &writer);
        story_wait(&story, PARLEY_PUSH_LATE_MS);
        assert_false(story_has(&story, "B graft"));
        story_push(&story, a, entry);
        story_settle(&story);
    }
    assert_true(story_has(&story, "B graft"));
    entry = story_entry(&writer, "faster", buffer);
    story_push(&story, b, entry);
    story_settle(&story);
    story_wait(&story, PARLEY_ANNOUNCE_AFTER_MS);
    story_forget(&story);
    story_push(&story, a, entry);
    story_expect(&story, "A prune\n");
    story_end(&story);
}

/* Whether an author is faster than other relays says nothing of the tree between relays. */
static void test_an_author_below_a_relay(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    struct story_puppet *d = reader(story, 'D', &bed->writer.author);
    story_forget(story);
    struct parley_span entry = next(bed);
    story_push(story, d, entry);
    story_settle(story);
    story_expect(story, "VERIFY\nSTORE append 1..1\nSHOW 1..1\nA push 1\nB push 1\nC push 1\n");
    story_push(story, bed->a, entry);
    story_expect(story, "");
    entry = next(bed);
    story_push(story, bed->a, entry);
    story_push(story, d, entry);
    story_settle(story);
    assert_false(story_has(story, "D prune"));
    story_wait(story, PARLEY_ANNOUNCE_AFTER_MS);
    story_forget(story);
    /* What those below tell of is waited for, and asked for when it does not come from above. */
    (void)next(bed);
    announce_newest(story, d, &bed->writer);
    story_wait(story, PARLEY_GRAFT_AFTER_MS - 1);
    story_expect(story, "");
    story_wait(story, 1);
    story_expect(story, "D graft\nD ask run\n");
    story_end(story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_person_has_one_relay),
        cmocka_unit_test(test_a_person_pushes_little_up),
        cmocka_unit_test(test_a_person_tries_another_relay),
        cmocka_unit_test(test_an_author_below_a_relay),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("tree_people", tests, NULL, NULL) == 0 ? 0 : 1;
}
