#include "tree_bed.h"

/* Whom to ask: to tell of entries costs nothing, so the word of who gave some counts for more than
 * that of who did not, and least that of who was asked and had nothing. */

#define NOWHERE 1000000u /* a seq that nobody has */

static void tell_of_nothing(struct bed *bed, struct story_puppet *peer,
                            const struct story_person *writer) {
    const struct parley_id nothing = {{7}};
    send_announce(&bed->story, peer, &writer->log, NOWHERE, &nothing);
}

/* The peer gives an entry that it told of. */
static void prove(struct bed *bed, struct story_puppet *peer) {
    struct parley_span entry = next(bed);
    announce_newest(&bed->story, peer, &bed->writer);
    answer(&bed->story, peer, entry);
    story_settle(&bed->story);
    story_wait(&bed->story, PARLEY_ANNOUNCE_AFTER_MS);
    story_forget(&bed->story);
}

/* The peer is asked for something, and does not answer. */
static void be_vain(struct bed *bed, struct story_puppet *peer, const struct story_person *writer) {
    tell_of_nothing(bed, peer, writer);
    story_wait(&bed->story, PARLEY_FETCH_DOUBTED_MS);
    story_forget(&bed->story);
}

/* Who tells of more takes the log from nobody who gave, and has little time once such a one is
 * known. */
static void test_who_gave_goes_first(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    prove(bed, bed->a);
    tell_of_nothing(bed, bed->b, &bed->writer);
    story_expect(story, "B ask run\n");
    struct parley_span entry = next(bed);
    announce_newest(story, bed->a, &bed->writer);
    story_wait(story, PARLEY_GRAFT_AGAIN_MS - 1);
    story_expect(story, "");
    story_wait(story, 1);
    story_expect(story, "A ask run\n");
    tell_of_nothing(bed, bed->c, &bed->writer);
    story_expect(story, "");
    answer(story, bed->a, entry);
    story_settle(story);
    assert_true(story_has(story, "STORE append 2..2"));
    assert_false(story_has(story, "C ask run"));
    story_end(story);
}

/* What a stranger tells of is asked for while nobody who gave tells of anything. */
static void test_a_stranger_is_asked(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    prove(bed, bed->a);
    struct parley_span entry = next(bed);
    announce_newest(story, bed->b, &bed->writer);
    story_expect(story, "B ask run\n");
    answer(story, bed->b, entry);
    story_settle(story);
    assert_true(story_has(story, "STORE append 2..2"));
    story_end(story);
}

#define LOGS (PARLEY_FETCHES_OF_STRANGER + 4)

static void know_all(struct bed *bed, struct story_person *writers) {
    for (unsigned i = 0; i < LOGS; i++) {
        story_person(&writers[i], (uint8_t)(i + 20));
        story_know(&bed->story, &writers[i]);
    }
}

static size_t asks_of_all(struct bed *bed, struct story_puppet *peer,
                          const struct story_person *writers) {
    const char line[] = {peer->name, ' ', 'a', 's', 'k', ' ', 'r', 'u', 'n', 0};
    size_t count = 0;
    for (unsigned i = 0; i < LOGS; i++) {
        story_forget(&bed->story);
        tell_of_nothing(bed, peer, &writers[i]);
        count += story_has(&bed->story, line);
    }
    return count;
}

/* A stranger is asked for little at a time, who had nothing for one thing, who gave for as much as
 * anybody. */
static void test_how_much_at_a_time(void **state) {
    struct story_person writers[LOGS];
    struct bed *bed = begin();
    know_all(bed, writers);
    prove(bed, bed->a);
    assert_int_equal(asks_of_all(bed, bed->a, writers), LOGS);
    story_end(&bed->story);
    bed = begin();
    know_all(bed, writers);
    /* Of whom the owner does not follow a part is left to others. */
    assert_int_equal(asks_of_all(bed, bed->b, writers),
                     PARLEY_FETCHES_OF_STRANGER - PARLEY_FETCHES_OF_STRANGER / PARLEY_OWNERS_SHARE);
    story_end(&bed->story);
    bed = begin();
    know_all(bed, writers);
    be_vain(bed, bed->c, &bed->writer);
    assert_int_equal(asks_of_all(bed, bed->c, writers), 1);
    story_end(&bed->story);
}

/* All strangers together have a part of the asks, however many they are; the rest is for those who
 * gave something. */
static void test_all_strangers_have_a_part(void **state) {
    enum { STRANGERS = 10, EACH = 8, ALL = STRANGERS * EACH };
    static const struct story_sizes sizes = {.peers = 16, .authors = 128, .logs = 128};
    static struct story_person writers[ALL];
    static struct bed bed;
    memset(&bed, 0, sizeof bed);
    story_begin_sized(&bed.story, true, &sizes);
    story_person(&bed.writer, 9);
    story_know(&bed.story, &bed.writer);
    bed.story.context = &bed.asked;
    bed.a = tree_peer(&bed.story, 'A');
    bed.story.on_message = look;
    prove(&bed, bed.a);
    for (unsigned i = 0; i < ALL; i++) {
        story_person(&writers[i], (uint8_t)(i + 20));
        story_know(&bed.story, &writers[i]);
    }
    size_t asks = 0;
    for (unsigned i = 0; i < STRANGERS; i++) {
        struct story_puppet *stranger = tree_peer(&bed.story, (char)('B' + i));
        const char line[] = {stranger->name, ' ', 'a', 's', 'k', ' ', 'r', 'u', 'n', 0};
        for (unsigned k = 0; k < EACH; k++) {
            story_forget(&bed.story);
            tell_of_nothing(&bed, stranger, &writers[i * EACH + k]);
            asks += story_has(&bed.story, line);
        }
    }
    assert_int_equal(asks, PARLEY_FETCHES_OF_DOUBTED);
    struct parley_span entry = next(&bed);
    story_forget(&bed.story);
    announce_newest(&bed.story, bed.a, &bed.writer);
    assert_true(story_has(&bed.story, "A ask run"));
    (void)entry;
    story_end(&bed.story);
}

/* A log that waits for one who had nothing waits for nobody: who else announces an entry of it is
 * asked as if it did not. */
static void test_no_graft_waits_for_who_had_nothing(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    struct story_person other;
    story_person(&other, 20);
    story_know(story, &other);
    struct parley_span entry = next(bed);
    be_vain(bed, bed->b, &other);
    tell_of_nothing(bed, bed->b, &other);
    story_wait(story, PARLEY_LOG_BACKOFF_MIN_MS * 2);
    story_expect(story, "B ask run\n");
    tell_of_nothing(bed, bed->b, &bed->writer);
    make_lazy(bed, bed->c);
    announce_newest(story, bed->c, &bed->writer);
    story_wait(story, PARLEY_GRAFT_AFTER_MS);
    story_expect(story, "C graft\nC ask run\n");
    answer(story, bed->c, entry);
    story_settle(story);
    assert_true(story_has(story, "STORE append 1..1"));
    story_end(story);
}

/* A hole that cannot be filled does not stand before the others: each time another is asked for. */
static void test_each_hole_has_its_turn(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    bool is_asked[6] = {false};
    for (parley_seq seq = 1; seq <= 5; seq++) {
        struct parley_span entry = next(bed);
        if (seq % 2 == 1)
            story_push(story, bed->a, entry);
        story_settle(story);
    }
    assert_int_equal(bed->asked.top, 2); /* since before the other was known */
    for (unsigned i = 1; i <= 3; i++) {
        bed->asked.top = 0;
        answer(story, bed->a, PARLEY_NO_SPAN);
        story_wait(story, PARLEY_LOG_BACKOFF_MIN_MS << i);
        assert_in_range(bed->asked.top, 1, 5);
        is_asked[bed->asked.top] = true;
    }
    assert_true(is_asked[2] && is_asked[4]);
    story_end(story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_gave_goes_first),
        cmocka_unit_test(test_a_stranger_is_asked),
        cmocka_unit_test(test_how_much_at_a_time),
        cmocka_unit_test(test_all_strangers_have_a_part),
        cmocka_unit_test(test_no_graft_waits_for_who_had_nothing),
        cmocka_unit_test(test_each_hole_has_its_turn),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("source", tests, NULL, NULL) == 0 ? 0 : 1;
}
