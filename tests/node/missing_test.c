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
    story_begin_relay(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    know_above_a_hole(&story, &writer);
    other = (struct other){0};
    other_connect(&story, &liar, 'B');
    struct parley_wire_head head = {
        .log = writer.log, .seq = writer.seq, .id = writer.id, .low_seq = 1};
    story_tell(&story, liar.puppet, &writer.author, &head, 0);
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

/* What was said of him while the store was failing is lost: he is named again as it opens. */
static void test_named_after_a_failed_store(void **state) {
    struct story story;
    struct story_person friend, other_one;
    static struct other other;
    story_begin_relay(&story);
    other = (struct other){0};
    other_is_dialled(&story, &other, 'A');
    story_person(&friend, 9);
    story_follow(&story, 0, &friend.author, true, true);
    story_settle(&story);
    story_wait(&story, PARLEY_HEADS_EVERY_MS / 4);
    assert_int_equal(other.named, 1);
    story_person(&other_one, 10);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_RECORD, other_one.inception);
    story_verified(&story);
    story_stored(&story, PARLEY_E_DISK_FULL);
    story_wait(&story, 1);
    assert_int_equal(other.named, 1);
    struct parley_event event = {.kind = PARLEY_EVENT_STORE_OPENED};
    story_step(&story, &event);
    story_wait(&story, 1);
    assert_int_equal(other.named, 2);
    story_end(&story);
}

/* --- bounds -------------------------------------------------------------------------------- */

#define NAMES_MAX 4096u /* as missing.c has it */
#define FOLLOWED  (NAMES_MAX + 100u)

struct names {
    unsigned count;
    bool was_named[FOLLOWED];
};

static void note_names(struct story *story, const struct story_puppet *puppet,
                       const struct parley_wire_message *message) {
    struct names *names = story->context;
    struct parley_author named;
    (void)puppet;
    if (message->type != PARLEY_WIRE_INTEREST_CHANGE)
        return;
    for (struct parley_wire_list added = message->as.interest_change.added;
         parley_wire_next_author(&added, &named); names->count++)
        names->was_named[parley_get_u64(named.bytes)] = true;
}

/* Whoever follows very many: so many names in one turn, and the others in the next. */
static void test_names_of_one_turn(void **state) {
    static const struct story_sizes sizes = {.peers = 4, .authors = FOLLOWED + 8, .logs = 16};
    static struct story story;
    static struct names names;
    struct parley_author author = {{0}};
    names = (struct names){0};
    story_begin_sized(&story, true, &sizes);
    for (unsigned i = 0; i < FOLLOWED; i++) {
        parley_put_u64(author.bytes, i);
        story_follow(&story, 0, &author, true, true);
        story_settle(&story);
        story_forget(&story);
    }
    story.is_silent = true;
    story.on_message = note_names;
    story.context = &names;
    story_connect(&story, 1, 'A');
    story_settle(&story);
    struct story_puppet *peer = story_answer(&story, 'A');
    story_hello(&story, peer);
    for (unsigned i = 0; i < 20; i++)
        story_wait(&story, 1);
    assert_int_equal(names.count, NAMES_MAX);
    for (unsigned i = 0; i < 20; i++)
        story_wait(&story, i < 10 ? PARLEY_HEADS_EVERY_MS / 5 : 1);
    for (unsigned i = 0; i < FOLLOWED; i++)
        assert_true(names.was_named[i]);
    story_end(&story);
}

#define IN_ONE 512u /* message */
#define BEYOND (4 * IN_ONE)
#define PEOPLE (PARLEY_INTEREST_AUTHORS_MAX + BEYOND)

/* From the disk, which is believed: other people's keys cost too much here. */
static void load_people(struct story *story, struct parley_author *authors) {
    struct story_person person;
    struct parley_record record;
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_RECORD};
    story_person(&person, 9);
    for (unsigned i = 0; i < PEOPLE; i++) {
        /* In the middle of the commitment, which stands behind the only root. */
        parley_put_u64(person.inception_bytes + 50, i);
        assert_int_equal(parley_record_decode(&record, person.inception).error, PARLEY_E_OK);
        authors[i] = record.author;
        event.load_record.author = record.author;
        event.load_record.record = person.inception;
        story_step(story, &event);
    }
}

static void count_told(struct story *story, const struct story_puppet *puppet,
                       const struct parley_wire_message *message) {
    unsigned *told = story->context;
    (void)puppet;
    if (message->type == PARLEY_WIRE_HEADS)
        *told += (unsigned)message->as.heads.authors.count;
}

/* Whom a link names for the first time is told of without being paid for; but a link may not name
 * more than anybody may follow. What comes beyond costs it what it may be told again. */
static void test_named_beyond_all_measure(void **state) {
    static const struct story_sizes sizes = {.peers = 4, .authors = PEOPLE + 8, .logs = 16};
    static struct story story;
    static struct parley_author authors[PEOPLE];
    static struct other other;
    static uint8_t bytes[IN_ONE * 34];
    unsigned told = 0, told_free = 0;
    other = (struct other){0};
    story_begin_sized(&story, true, &sizes);
    load_people(&story, authors);
    story.is_silent = true;
    other_connect(&story, &other, 'A');
    story.on_message = count_told;
    story.context = &told;
    for (unsigned i = 0; i < PEOPLE;) {
        struct parley_wire_message change = {.type = PARLEY_WIRE_INTEREST_CHANGE};
        struct parley_writer names;
        size_t count = 0;
        parley_writer_init(&names, bytes, sizeof bytes);
        for (; count < IN_ONE; count++)
            parley_wire_put_author(&names, &authors[i++]);
        change.as.interest_change.added = parley_wire_list_of(&names, count);
        story_send(&story, other.puppet, &change);
        story_wait(&story, 1);
        if (i == PARLEY_INTEREST_AUTHORS_MAX)
            told_free = told;
    }
    assert_int_equal(told_free, PARLEY_INTEREST_AUTHORS_MAX);
    assert_in_range(told - told_free, 1, BEYOND - BEYOND / 8);
    story_end(&story);
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
        cmocka_unit_test(test_named_after_a_failed_store),
        cmocka_unit_test(test_named_by_a_relay),
        cmocka_unit_test(test_names_of_one_turn),
        cmocka_unit_test(test_named_beyond_all_measure),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("missing", tests, NULL, NULL);
}
