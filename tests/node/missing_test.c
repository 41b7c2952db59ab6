#include "sessions_bed.h"

/* What no session finds: logs that miss something below equal heads, and authors of whom a relay
 * knows the name alone. */

/* Heads of some logs: of those that are held. */
static void test_heads_of(void **state) {
    struct story story;
    struct story_person writers[3];
    struct other other = {0};
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_HEADS_OF};
    struct parley_log unknown = {{1}};
    struct parley_writer writer;
    uint8_t bytes[128];
    story_begin_relay(&story);
    know_writers(&story, writers, 3);
    other_connect(&story, &other, 'A');
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_log(&writer, &unknown);
    parley_wire_put_log(&writer, &writers[2].log);
    ask.as.ask_heads_of.logs = parley_wire_list_of(&writer, 2);
    story_send(&story, other.puppet, &ask);
    assert_int_equal(other.heads, 1);
    assert_true(PARLEY_EQUAL(other.told, writers[2].log));
    story_end(&story);
}

/* The second entry of a log alone. */
static void know_above_a_hole(struct story *story, struct story_person *writer) {
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_import(story, 0, PARLEY_EVENT_IMPORT_RECORD, writer->certificate);
    story_settle(story);
    (void)story_entry(writer, "1", buffer);
    story_import(story, 0, PARLEY_EVENT_IMPORT_CHUNK, story_entry(writer, "2", buffer));
    story_settle(story);
    story_forget(story);
}

/* However many logs miss something, each is asked for, again and again and ever more rarely; with
 * or without sessions. */
static void test_all_missing(void **state) {
    struct story story;
    struct story_person writer;
    static struct parley_log logs[MISSING_LOGS];
    static struct other other;
    static const struct story_sizes sizes = {.peers = 8, .authors = 16, .logs = 1024};
    story_begin_sized(&story, true, &sizes);
    other = (struct other){.missing = logs};
    for (unsigned i = 0; i < MISSING_LOGS; i++) {
        if (i % 200 == 0) {
            story_person(&writer, (uint8_t)(9 + i / 200));
            story_know(&story, &writer);
        }
        story_device(&writer, (uint8_t)(9 + i / 200), i);
        know_above_a_hole(&story, &writer);
        logs[i] = writer.log;
    }
    other_connect(&story, &other, 'A');
    other_open_session(&story, &other, 2, false);
    other_stays(&story, &other, 300000);
    for (unsigned i = 0; i < MISSING_LOGS; i++)
        assert_int_not_equal(other.missing_asks[i], 0);
    assert_in_range(other.asks_of, MISSING_LOGS, 6 * MISSING_LOGS);
    other_stays(&story, &other, 3300000);
    /* In an hour: five times until the link is eight minutes old, and then every eight minutes. */
    for (unsigned i = 0; i < MISSING_LOGS; i++)
        assert_true(other.missing_asks[i] >= 8);
    assert_in_range(other.asks_of, 8 * MISSING_LOGS, 14 * MISSING_LOGS);
    story_end(&story);
}

/* One says that it has what is missing, and never gives it: others are asked meanwhile. */
static void test_missing_from_a_liar(void **state) {
    struct story story;
    struct story_person writer;
    static struct other other, liar;
    struct parley_wire_message heads = {.type = PARLEY_WIRE_HEADS};
    struct parley_wire_author_heads item = {0};
    struct parley_wire_head head = {.low_seq = 1};
    struct parley_writer list, of_author;
    uint8_t bytes[256], more[256];
    story_begin_relay(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    know_above_a_hole(&story, &writer);
    other = (struct other){0};
    other_connect(&story, &liar, 'B');
    head.log = writer.log;
    head.seq = writer.seq;
    head.id = writer.id;
    parley_writer_init(&of_author, more, sizeof more);
    parley_wire_put_head(&of_author, &head);
    item.author = writer.author;
    item.heads = parley_wire_list_of(&of_author, 1);
    parley_writer_init(&list, bytes, sizeof bytes);
    parley_wire_put_author_heads(&list, &item);
    heads.as.heads.last = true;
    heads.as.heads.authors = parley_wire_list_of(&list, 1);
    story_send(&story, liar.puppet, &heads);
    story_settle(&story);
    assert_int_equal(liar.asks_named, 1);
    story_wait(&story, PARLEY_FETCH_MS);
    other_connect(&story, &other, 'A');
    other_open_session(&story, &other, 2, false);
    story_settle(&story);
    assert_int_equal(other.asks_of, 1);
    story_end(&story);
}

/* --- of whom nothing is here --------------------------------------------------------------- */

/* A relay hears of everybody, as far as there is room, in any order: whom its owner follows it
 * names to whom it dials, as the link opens, and then ever more rarely as long as nothing of him is
 * here. */
static void test_followed_by_name(void **state) {
    struct story story;
    struct story_person friend, known;
    static struct other other, stranger;
    story_begin_relay(&story);
    other = stranger = (struct other){0};
    story_person(&friend, 9);
    story_person(&known, 10);
    story_follow(&story, 0, &friend.author, true, true);
    story_settle(&story);
    story_know(&story, &known);
    story_follow(&story, 0, &known.author, true, true);
    story_settle(&story);
    other_connect(&story, &stranger, 'B');
    other_open_session(&story, &stranger, 2, false);
    other_stays(&story, &stranger, 60000);
    assert_int_equal(stranger.named, 0);
    other_is_dialled(&story, &other, 'A');
    assert_int_equal(other.named, 1);
    assert_true(PARLEY_EQUAL(other.named_last, friend.author));
    other_stays(&story, &other, 3600000);
    assert_in_range(other.named, 8, 14);
    story_know(&story, &friend);
    other.named = 0;
    other_stays(&story, &other, 3600000);
    assert_int_equal(other.named, 0);
    story_end(&story);
}

static void block(struct story *story, const struct parley_author *author, bool on) {
    struct parley_event event = {.kind = PARLEY_EVENT_LIST};
    event.list.listed.list = PARLEY_LIST_BLOCK;
    event.list.listed.author = *author;
    event.list.on = on;
    story_step(story, &event);
    story_settle(story);
}

/* On a link that is open already; and so when he was blocked for a while. A person's node names
 * whom it wants as it is. */
static void test_followed_later(void **state) {
    for (int is_relay = 0; is_relay < 2; is_relay++) {
        struct story story;
        struct story_person friend;
        static struct other other;
        if (is_relay == 1)
            story_begin_relay(&story);
        else
            story_begin(&story);
        other = (struct other){0};
        other_is_dialled(&story, &other, 'A');
        story_person(&friend, 9);
        story_follow(&story, 0, &friend.author, true, true);
        story_settle(&story);
        assert_int_equal(other.named, 1);
        assert_true(PARLEY_EQUAL(other.named_last, friend.author));
        block(&story, &friend.author, true);
        assert_int_equal(other.named, 1);
        block(&story, &friend.author, false);
        assert_int_equal(other.named, 2);
        story_end(&story);
    }
}

/* Who wants everything and names somebody is told of him before all the others, be it before the
 * first session. */
static void test_named_by_a_relay(void **state) {
    struct story story;
    struct story_person writers[3];
    static struct other other;
    struct parley_wire_message change = {.type = PARLEY_WIRE_INTEREST_CHANGE};
    struct parley_author unknown = {{7}};
    struct parley_writer names;
    uint8_t bytes[128];
    story_begin_relay(&story);
    other = (struct other){0};
    know_writers(&story, writers, 3);
    other_connect(&story, &other, 'A');
    parley_writer_init(&names, bytes, sizeof bytes);
    parley_wire_put_author(&names, &unknown);
    parley_wire_put_author(&names, &writers[1].author);
    change.as.interest_change.added = parley_wire_list_of(&names, 2);
    story_send(&story, other.puppet, &change);
    story_settle(&story);
    assert_int_equal(other.heads, 1);
    assert_true(PARLEY_EQUAL(other.told, writers[1].log));
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads_of),
        cmocka_unit_test(test_all_missing),
        cmocka_unit_test(test_missing_from_a_liar),
        cmocka_unit_test(test_followed_by_name),
        cmocka_unit_test(test_followed_later),
        cmocka_unit_test(test_named_by_a_relay),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("missing", tests, NULL, NULL);
}
