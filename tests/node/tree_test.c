#include "tree_bed.h"

/* The broadcast tree in one node: what is pushed, announced, pruned and grafted. */

/* --- eager and lazy ------------------------------------------------------------------------- */

/* A fresh link is eager: what is on the disk goes out in the same step. */
static void test_pushed_at_once(void **state) {
    struct story story;
    story_begin(&story);
    (void)tree_peer(&story, 'A');
    story_publish(&story, 1, "hello");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "STORE append 1..1\nSHOW 1..1\nREPLY 1 OK 1\nA push 1\n");
    story_end(&story);
}

static void test_a_duplicate_prunes(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    struct parley_span entry = next(bed);
    story_push(story, bed->a, entry);
    story_verified(story);
    story_expect(story, "VERIFY\nSTORE append 1..1\n");
    /* No second check, and nothing for who has it. */
    story_push(story, bed->b, entry);
    story_expect(story, "B prune\n");
    story_stored(story, PARLEY_E_OK);
    story_expect(story, "SHOW 1..1\nC push 1\n");
    /* From then on it is announced there, in a while. */
    story_push(story, bed->a, next(bed));
    story_settle(story);
    story_expect(story, "VERIFY\nSTORE append 2..2\nSHOW 2..2\nC push 2\n");
    story_wait(story, PARLEY_ANNOUNCE_AFTER_MS - 1);
    story_expect(story, "");
    story_wait(story, 1);
    story_expect(story, "B announce 1\n");
    story_end(story);
}

/* Only after its own signature was found good here; until then it says nothing of links. */
static void test_a_bad_signature_prunes_nobody(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    static uint8_t bad[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_span entry = next(bed);
    memcpy(bad, entry.data, entry.size);
    bad[entry.size - 1] ^= 1; /* of the body: another hash under the same signature */
    story_push(story, bed->a, PARLEY_SPAN(bad, entry.size));
    story_push(story, bed->b, entry);
    story_settle(story);
    assert_false(story_has(story, "B prune"));
    assert_true(story_has(story, "STORE append 1..1"));
    story_end(story);
}

/* What was caught up with, from the very peer that pushes it then, says nothing of links. */
static void test_a_run_prunes_nobody(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    struct parley_span entry = next(bed);
    send_announce(story, bed->a, &bed->writer.log, 1, &bed->writer.id);
    answer(story, bed->a, entry);
    story_settle(story);
    story_forget(story);
    story_push(story, bed->a, entry);
    story_push(story, bed->b, entry);
    story_expect(story, "");
    story_end(story);
}

static void test_without_the_bit_all_is_pushed(void **state) {
    struct story story;
    struct story_person writer;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_relay(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    struct story_puppet *a = tree_peer(&story, 'A'), *old = story_peer(&story, 'B');
    story_forget(&story);
    for (parley_seq seq = 1; seq <= 2; seq++) {
        struct parley_span entry = story_entry(&writer, "hello", buffer);
        story_push(&story, a, entry);
        story_settle(&story);
        assert_true(story_has(&story, seq == 1 ? "B push 1" : "B push 2"));
        story_push(&story, old, entry);
        /* And what it says of prunes means nothing. */
        send_bucket(&story, old, PARLEY_WIRE_PRUNE, &writer.log);
        story_wait(&story, 2 * PARLEY_ANNOUNCE_AFTER_MS);
        assert_false(story_has(&story, "B prune"));
        assert_false(story_has(&story, "B announce 1"));
        story_forget(&story);
    }
    story_end(&story);
}

static void test_flood(void **state) {
    struct story story;
    struct story_person writer;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_relay(&story);
    story.config.flood = true;
    story_restart(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    struct story_puppet *a = tree_peer(&story, 'A'), *b = tree_peer(&story, 'B');
    send_bucket(&story, b, PARLEY_WIRE_PRUNE, &writer.log);
    struct parley_span entry = story_entry(&writer, "hello", buffer);
    story_push(&story, a, entry);
    story_settle(&story);
    assert_true(story_has(&story, "B push 1"));
    story_push(&story, b, entry);
    assert_false(story_has(&story, "B prune"));
    story_end(&story);
}

static void test_prune_and_graft(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    make_lazy(bed, bed->c);
    make_lazy(bed, bed->b);
    send_bucket(story, bed->c, PARLEY_WIRE_GRAFT, &bed->writer.log);
    story_push(story, bed->a, next(bed));
    story_settle(story);
    story_expect(story, "VERIFY\nSTORE append 1..1\nSHOW 1..1\nC push 1\n");
    story_end(story);
}

/* Nobody is cut off: whose last eager link is pruned says so. */
static void test_the_last_eager_link_stays(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    make_lazy(bed, bed->a);
    make_lazy(bed, bed->b);
    story_expect(story, "");
    make_lazy(bed, bed->c);
    story_expect(story, "C graft\n");
    story_end(story);
}

/* --- announcements -------------------------------------------------------------------------- */

/* What comes within a moment goes in one message, of each log the newest alone. */
static void test_announcements_are_gathered(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    struct story_person others[3];
    for (uint8_t i = 0; i < 3; i++) {
        story_person(&others[i], (uint8_t)(20 + i));
        story_know(story, &others[i]);
        send_bucket(story, bed->b, PARLEY_WIRE_PRUNE, &others[i].log);
    }
    make_lazy(bed, bed->b);
    for (unsigned i = 0; i < 3; i++) {
        story_push(story, bed->a, next(bed));
        story_settle(story);
        story_push(story, bed->a, story_entry(&others[i], "hello", bed->buffer));
        story_settle(story);
    }
    story_forget(story);
    story_wait(story, PARLEY_ANNOUNCE_AFTER_MS);
    story_expect(story, "B announce 4\n");
    story_wait(story, PARLEY_ANNOUNCE_AFTER_MS);
    story_expect(story, "");
    story_end(story);
}

/* More than a message takes does not wait. */
static void test_a_full_message_goes(void **state) {
    static const struct story_sizes sizes = {.peers = 4, .authors = 256, .logs = 256};
    static struct story story;
    struct asked asked = {0};
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_sized(&story, true, &sizes);
    struct story_puppet *a = tree_peer(&story, 'A'), *b = tree_peer(&story, 'B');
    for (unsigned bucket = 0; bucket < PARLEY_GOSSIP_BUCKETS; bucket++) {
        struct parley_log log = {{(uint8_t)bucket}};
        send_bucket(&story, b, PARLEY_WIRE_PRUNE, &log);
    }
    story.on_message = look;
    story.context = &asked;
    for (unsigned i = 0; i <= PARLEY_ANNOUNCED_MAX; i++) {
        struct story_person writer;
        story_person(&writer, (uint8_t)(100 + i));
        story_know(&story, &writer);
        assert_int_equal(asked.announced, 0);
        story_push(&story, a, story_entry(&writer, "hello", buffer));
        story_settle(&story);
    }
    assert_int_equal(asked.announced, PARLEY_ANNOUNCED_MAX);
    story_wait(&story, PARLEY_ANNOUNCE_AFTER_MS);
    assert_int_equal(asked.announced, PARLEY_ANNOUNCED_MAX + 1);
    story_end(&story);
}

/* Who announced it, or sent it, has it. */
static void test_nothing_for_who_has_it(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    struct parley_span entry = next(bed);
    make_lazy(bed, bed->b);
    make_lazy(bed, bed->c);
    announce_newest(story, bed->b, &bed->writer);
    story_push(story, bed->a, entry);
    story_settle(story);
    announce_newest(story, bed->c, &bed->writer);
    story_forget(story);
    story_wait(story, PARLEY_ANNOUNCE_AFTER_MS);
    story_expect(story, "");
    /* It is here: nobody is asked. */
    story_wait(story, PARLEY_GRAFT_AFTER_MS);
    story_expect(story, "");
    story_end(story);
}

/* What an eager link announces it will not push: it is too large. */
static void test_an_eager_link_is_asked_at_once(void **state) {
    static char text[PARLEY_PUSH_BYTES_MAX + 2];
    struct bed *bed = begin();
    struct story *story = &bed->story;
    memset(text, 'x', sizeof text - 1);
    struct parley_span entry = story_entry(&bed->writer, text, bed->buffer);
    make_lazy(bed, bed->c);
    announce_newest(story, bed->a, &bed->writer);
    story_expect(story, "A ask run\n");
    answer(story, bed->a, entry);
    story_settle(story);
    story_forget(story);
    story_wait(story, PARLEY_ANNOUNCE_AFTER_MS);
    story_expect(story, "B announce 1\nC announce 1\n");
    story_end(story);
}

/* And one's own is announced over eager links at once, over lazy ones in its turn. */
static void test_a_large_one_is_announced_at_once(void **state) {
    static char text[PARLEY_PUSH_BYTES_MAX + 2];
    struct story story;
    memset(text, 'x', sizeof text - 1);
    story_begin(&story);
    (void)tree_peer(&story, 'A');
    send_bucket(&story, tree_peer(&story, 'B'), PARLEY_WIRE_PRUNE, &story.own.log);
    story_publish(&story, 1, text);
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "STORE append 1..1\nSHOW 1..1\nREPLY 1 OK 1\nA announce 1\n");
    story_wait(&story, PARLEY_ANNOUNCE_AFTER_MS);
    story_expect(&story, "B announce 1\n");
    story_end(&story);
}

/* --- grafts --------------------------------------------------------------------------------- */

/* The way of the tree is broken somewhere: who announced the entry gives it, and pushes from then
 * on; and it goes on from here, to where it is waited for as well. */
static void test_announced_and_not_pushed(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    struct parley_span entry = next(bed);
    make_lazy(bed, bed->b);
    make_lazy(bed, bed->c);
    announce_newest(story, bed->b, &bed->writer);
    story_wait(story, PARLEY_GRAFT_AFTER_MS - 1);
    story_expect(story, "");
    story_wait(story, 1);
    story_expect(story, "B graft\nB ask run\n");
    answer(story, bed->b, entry);
    story_settle(story);
    story_expect(story, "VERIFY\nSTORE append 1..1\nSHOW 1..1\nA push 1\n");
    story_wait(story, PARLEY_ANNOUNCE_AFTER_MS);
    story_expect(story, "C announce 1\n");
    /* Both sides took the link for eager. */
    story_push(story, bed->a, next(bed));
    story_settle(story);
    assert_true(story_has(story, "B push 2"));
    story_end(story);
}

/* Who announces and does not send holds up nobody: the next one is asked, and a late answer is
 * passed over. */
static void test_the_next_one_is_asked(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    struct parley_span entry = next(bed);
    make_lazy(bed, bed->b);
    make_lazy(bed, bed->c);
    announce_newest(story, bed->b, &bed->writer);
    announce_newest(story, bed->c, &bed->writer);
    story_wait(story, PARLEY_GRAFT_AFTER_MS);
    story_expect(story, "B graft\nB ask run\n");
    uint64_t first = bed->asked.request;
    story_wait(story, PARLEY_GRAFT_AGAIN_MS - 1);
    story_expect(story, "");
    story_wait(story, 1);
    story_expect(story, "C graft\nC ask run\n");
    uint64_t second = bed->asked.request;
    bed->asked.request = first;
    answer(story, bed->b, entry);
    story_expect(story, "");
    bed->asked.request = second;
    answer(story, bed->c, entry);
    story_settle(story);
    assert_true(story_has(story, "STORE append 1..1"));
    story_wait(story, 10 * PARLEY_GRAFT_AGAIN_MS);
    assert_false(story_has(story, "B ask run"));
    story_end(story);
}

/* One above it comes meanwhile, from somebody who does not give what is below: whoever announced
 * that is asked all the same. */
static void test_one_below_what_came(void **state) {
    static uint8_t kept[PARLEY_CHUNK_BUFFER_SIZE];
    struct bed *bed = begin();
    struct story *story = &bed->story;
    story_push(story, bed->a, next(bed));
    story_settle(story);
    make_lazy(bed, bed->c);
    struct parley_span second = next(bed);
    memcpy(kept, second.data, second.size);
    announce_newest(story, bed->c, &bed->writer);
    story_push(story, bed->b, next(bed));
    story_settle(story);
    assert_true(story_has(story, "B ask run"));
    story_forget(story);
    story_wait(story, PARLEY_GRAFT_AFTER_MS + PARLEY_GRAFT_AGAIN_MS);
    assert_true(story_has(story, "C ask run"));
    answer(story, bed->c, PARLEY_SPAN(kept, second.size));
    story_settle(story);
    assert_true(story_has(story, "STORE fill 2..2"));
    story_end(story);
}

/* Of two entries the newest is announced alone, and then comes from somebody who does not give the
 * other one: whoever announced it is asked at once, where their word counts for more. */
static void test_below_what_was_announced(void **state) {
    static uint8_t kept[PARLEY_CHUNK_BUFFER_SIZE];
    struct bed *bed = begin();
    struct story *story = &bed->story;
    const struct parley_id nothing = {{7}};
    story_push(story, bed->a, next(bed));
    story_settle(story);
    send_announce(story, bed->b, &bed->writer.log, 1000000, &nothing);
    story_wait(story, PARLEY_FETCH_DOUBTED_MS); /* B had nothing of what it told of */
    make_lazy(bed, bed->c);
    struct parley_span second = next(bed);
    memcpy(kept, second.data, second.size);
    struct parley_span third = next(bed);
    announce_newest(story, bed->c, &bed->writer);
    story_forget(story);
    story_push(story, bed->b, third);
    story_settle(story);
    assert_true(story_has(story, "C ask run"));
    answer(story, bed->c, PARLEY_SPAN(kept, second.size));
    story_settle(story);
    assert_true(story_has(story, "STORE fill 2..2"));
    story_end(story);
}

/* Nor does who was asked for the log before, of an entry that nobody has. */
static void test_a_silent_ask_gives_way(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    struct parley_span entry = next(bed);
    struct parley_id nothing = {{7}};
    send_announce(story, bed->a, &bed->writer.log, 1000000, &nothing);
    story_expect(story, "A ask run\n");
    make_lazy(bed, bed->b);
    announce_newest(story, bed->b, &bed->writer);
    /* It was asked just before: it has its time. */
    story_wait(story, PARLEY_GRAFT_AFTER_MS);
    story_expect(story, "");
    story_wait(story, PARLEY_GRAFT_AGAIN_MS - PARLEY_GRAFT_AFTER_MS);
    story_expect(story, "B graft\nB ask run\n");
    answer(story, bed->b, entry);
    story_settle(story);
    assert_true(story_has(story, "STORE append 1..1"));
    story_end(story);
}

/* Of two who announced it the one that was asked dies: the other one at once. */
static void test_who_was_asked_dies(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    (void)next(bed);
    make_lazy(bed, bed->b);
    make_lazy(bed, bed->c);
    announce_newest(story, bed->b, &bed->writer);
    announce_newest(story, bed->c, &bed->writer);
    story_wait(story, PARLEY_GRAFT_AFTER_MS);
    story_forget(story);
    story_closed(story, bed->b);
    assert_true(story_has(story, "C graft"));
    assert_true(story_has(story, "C ask run"));
    story_end(story);
}

/* The only eager peer dies: another one is eager at once, the rest stays as it is. */
static void test_an_eager_peer_dies(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    struct parley_span entry = next(bed);
    story_push(story, bed->a, entry);
    story_settle(story);
    story_push(story, bed->b, entry);
    story_push(story, bed->c, entry);
    assert_true(story_has(story, "B prune") && story_has(story, "C prune"));
    story_wait(story, PARLEY_ANNOUNCE_AFTER_MS);
    story_forget(story);
    story_closed(story, bed->a);
    story_expect(story, "B graft\n");
    story_push(story, bed->b, next(bed));
    story_settle(story);
    story_wait(story, PARLEY_ANNOUNCE_AFTER_MS);
    story_expect(story, "VERIFY\nSTORE append 2..2\nSHOW 2..2\nC announce 1\n");
    story_end(story);
}

/* --- who is hostile ------------------------------------------------------------------------- */

struct count {
    size_t asks, grafts, all;
};

static void count_all(struct story *story, const struct story_puppet *puppet,
                      const struct parley_wire_message *message) {
    struct count *count = story->context;
    count->asks += message->type == PARLEY_WIRE_ASK_RUN;
    count->grafts += message->type == PARLEY_WIRE_GRAFT;
    count->all++;
}

/* Announces a thousand entries that nobody has. It is asked for a share of them, one after the
 * other, and what an honest peer announces meanwhile comes. */
static void test_who_announces_what_is_not(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    struct count count = {0};
    struct parley_span entry = next(bed);
    make_lazy(bed, bed->b);
    make_lazy(bed, bed->c);
    for (parley_seq seq = 2; seq < 1000; seq++) {
        struct parley_id nothing = {{7}};
        send_announce(story, bed->b, &bed->writer.log, seq, &nothing);
    }
    announce_newest(story, bed->c, &bed->writer);
    story_forget(story);
    story->on_message = count_all;
    story->context = &count;
    story_wait(story, PARLEY_GRAFT_AFTER_MS);
    for (unsigned i = 0; i < 4 && !story_has(story, "C ask run"); i++)
        story_wait(story, PARLEY_GRAFT_AGAIN_MS);
    assert_true(story_has(story, "C ask run"));
    assert_in_range(count.asks, 1, 4);
    story->context = &bed->asked;
    story->on_message = look;
    (void)entry;
    count = (struct count){0};
    story->context = &count;
    story->on_message = count_all;
    for (unsigned i = 0; i < 1000; i++)
        story_wait(story, PARLEY_GRAFT_AGAIN_MS / 10);
    /* In 200 seconds: a try for each of its share at most, and no more than one every two. */
    assert_in_range(count.asks, 0, 110);
    story_end(story);
}

/* Prunes and grafts by the thousand move bits, and nothing is said to them. */
static void test_who_prunes_and_grafts(void **state) {
    struct bed *bed = begin();
    struct story *story = &bed->story;
    struct count count = {0};
    story->on_message = count_all;
    story->context = &count;
    for (unsigned i = 0; i < 1000; i++) {
        struct parley_log log = {{(uint8_t)i}};
        send_bucket(story, bed->b, i % 2 == 0 ? PARLEY_WIRE_PRUNE : PARLEY_WIRE_GRAFT, &log);
        send_bucket(story, bed->b, i % 2 == 0 ? PARLEY_WIRE_GRAFT : PARLEY_WIRE_PRUNE, &log);
    }
    assert_int_equal(count.all, 0);
    /* Whoever prunes all hears of all the same. */
    make_lazy(bed, bed->b);
    story_push(story, bed->a, next(bed));
    story_settle(story);
    story_forget(story);
    story_wait(story, PARLEY_ANNOUNCE_AFTER_MS);
    story_expect(story, "B announce 1\n");
    story_end(story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pushed_at_once),
        cmocka_unit_test(test_a_duplicate_prunes),
        cmocka_unit_test(test_a_bad_signature_prunes_nobody),
        cmocka_unit_test(test_a_run_prunes_nobody),
        cmocka_unit_test(test_without_the_bit_all_is_pushed),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_prune_and_graft),
        cmocka_unit_test(test_the_last_eager_link_stays),
        cmocka_unit_test(test_announcements_are_gathered),
        cmocka_unit_test(test_a_full_message_goes),
        cmocka_unit_test(test_nothing_for_who_has_it),
        cmocka_unit_test(test_an_eager_link_is_asked_at_once),
        cmocka_unit_test(test_a_large_one_is_announced_at_once),
        cmocka_unit_test(test_announced_and_not_pushed),
        cmocka_unit_test(test_the_next_one_is_asked),
        cmocka_unit_test(test_one_below_what_came),
        cmocka_unit_test(test_below_what_was_announced),
        cmocka_unit_test(test_a_silent_ask_gives_way),
        cmocka_unit_test(test_who_was_asked_dies),
        cmocka_unit_test(test_an_eager_peer_dies),
        cmocka_unit_test(test_who_announces_what_is_not),
        cmocka_unit_test(test_who_prunes_and_grafts),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL) == 0 ? 0 : 1;
}
