#include "story.h"

/* Catching up: who tells whom what, how often, and what is asked for. */

/* --- telling ------------------------------------------------------------------------------- */

struct heads_seen {
    size_t messages, authors, heads, asks_all, asks_changes, identities;
};

static void count_heads(struct story *story, const struct story_puppet *puppet,
                        const struct parley_wire_message *message) {
    struct heads_seen *seen = story->context;
    (void)puppet;
    if (message->type == PARLEY_WIRE_ASK_HEADS) {
        seen->asks_all += message->as.ask_heads.session == PARLEY_HEADS_ALL;
        seen->asks_changes += message->as.ask_heads.session == PARLEY_HEADS_CHANGES;
    }
    if (message->type == PARLEY_WIRE_ASK_IDENTITY)
        seen->identities += message->as.ask_identity.authors.count;
    if (message->type != PARLEY_WIRE_HEADS)
        return;
    struct parley_wire_list authors = message->as.heads.authors;
    struct parley_wire_author_heads item;
    seen->messages++;
    seen->authors += authors.count;
    while (parley_wire_next_author_heads(&authors, &item))
        seen->heads += item.heads.count;
}

static void ask_heads(struct story *story, struct story_puppet *peer, uint64_t session) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_HEADS};
    message.as.ask_heads.session = session;
    story_send(story, peer, &message);
}

/* Another device of the person, with one entry of its own. */
static void add_device(struct story *story, struct story_person *person, uint8_t number,
                       unsigned index) {
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_device(person, number, index);
    story_import(story, 0, PARLEY_EVENT_IMPORT_RECORD, person->certificate);
    story_settle(story);
    story_import(story, 0, PARLEY_EVENT_IMPORT_CHUNK, story_entry(person, "hello", buffer));
    story_settle(story);
    story_forget(story);
}

/* More logs than one message takes of an author: all of them are told, in several. */
static void test_many_logs_of_one_author(void **state) {
    static const struct story_sizes sizes = {.peers = 8, .authors = 16, .logs = 1024};
    const size_t devices = 600;
    struct story story;
    struct story_person writer;
    struct heads_seen seen = {0};
    story_begin_sized(&story, true, &sizes);
    story_person(&writer, 9);
    story_know(&story, &writer);
    for (unsigned i = 0; i < devices; i++)
        add_device(&story, &writer, 9, i);
    story.on_message = count_heads;
    story.context = &seen;
    /* Of the owner's: a stranger would wait for so many. */
    story_connect(&story, 1, 'A');
    story_settle(&story);
    struct story_puppet *peer = story_answer(&story, 'A');
    story_hello(&story, peer);
    story_interest(&story, peer, PARLEY_INTEREST_EVERYTHING);
    assert_int_equal(seen.heads, devices);
    assert_true(seen.messages > 1);
    seen = (struct heads_seen){0};
    ask_heads(&story, peer, PARLEY_HEADS_ALL);
    assert_int_equal(seen.heads, devices);
    story_end(&story);
}

/* At rest an exchange costs an empty message; what changed is told once. */
static void test_only_changes(void **state) {
    struct story story;
    struct story_person writers[3];
    struct heads_seen seen = {0};
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_relay(&story);
    for (uint8_t i = 0; i < 3; i++) {
        story_person(&writers[i], (uint8_t)(9 + i));
        story_know(&story, &writers[i]);
        story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK, story_entry(&writers[i], "1", buffer));
        story_settle(&story);
    }
    struct story_puppet *peer = story_peer(&story, 'A');
    story.on_message = count_heads;
    story.context = &seen;
    ask_heads(&story, peer, PARLEY_HEADS_CHANGES);
    assert_int_equal(seen.messages, 1);
    assert_int_equal(seen.authors, 0);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK, story_entry(&writers[1], "2", buffer));
    story_settle(&story);
    /* Whatever became of the push: it is told, and not again. */
    for (unsigned expected = 2; expected-- > 0;) {
        seen = (struct heads_seen){0};
        ask_heads(&story, peer, PARLEY_HEADS_CHANGES);
        assert_int_equal(seen.messages, 1);
        assert_int_equal(seen.authors, expected);
    }
    ask_heads(&story, peer, PARLEY_HEADS_ALL);
    assert_int_equal(seen.authors, 3);
    story_end(&story);
}

/* --- asking -------------------------------------------------------------------------------- */

/* Names authors that nobody knows; from is the number of the first. */
static void name_authors(struct story *story, struct story_puppet *peer, uint32_t from,
                         size_t count) {
    static uint8_t bytes[PARLEY_MESSAGE_BYTES_MAX];
    struct parley_writer writer;
    struct parley_wire_message message = {.type = PARLEY_WIRE_HEADS};
    parley_writer_init(&writer, bytes, sizeof bytes);
    for (size_t i = 0; i < count; i++) {
        struct parley_wire_author_heads item = {0};
        parley_put_u32(item.author.bytes, from + (uint32_t)i + 1);
        item.author.bytes[31] = (uint8_t)peer->name;
        item.set_hash[0] = 1; /* it says that it has records */
        parley_wire_put_author_heads(&writer, &item);
    }
    message.as.heads.last = true;
    message.as.heads.authors = parley_wire_list_of(&writer, count);
    story_send(story, peer, &message);
}

/* Records are asked for a few at a time; a peer that does not answer holds up nobody else, and is
 * asked for everything again later. */
static void test_identity_queue(void **state) {
    static const struct story_sizes sizes = {.peers = 4, .authors = 1024, .logs = 16};
    struct story story;
    struct heads_seen seen = {0};
    story_begin_sized(&story, true, &sizes);
    struct story_puppet *mute = story_peer(&story, 'A'), *other = story_peer(&story, 'B');
    story.on_message = count_heads;
    story.context = &seen;
    name_authors(&story, mute, 0, 100);
    assert_int_equal(seen.identities, PARLEY_IDENTITIES_PER_PEER);
    seen.identities = 0;
    name_authors(&story, other, 0, 10);
    assert_int_equal(seen.identities, 10);
    seen.identities = 0;
    /* Answered by the heads that come behind the records: then the next ones are asked for, half of
     * the budget at a time. */
    struct parley_wire_message message = {.type = PARLEY_WIRE_HEADS};
    uint8_t bytes[256];
    struct parley_writer writer;
    message.as.heads.session = 1;
    message.as.heads.last = true;
    for (uint32_t i = 1; i <= PARLEY_IDENTITIES_PER_PEER / 2; i++) {
        struct parley_wire_author_heads item = {0};
        assert_int_equal(seen.identities, 0);
        parley_put_u32(item.author.bytes, i);
        item.author.bytes[31] = 'A';
        parley_writer_init(&writer, bytes, sizeof bytes);
        parley_wire_put_author_heads(&writer, &item);
        message.as.heads.authors = parley_wire_list_of(&writer, 1);
        story_send(&story, mute, &message);
    }
    assert_int_equal(seen.identities, PARLEY_IDENTITIES_PER_PEER / 2);
    seen.identities = 0;
    story_wait(&story, PARLEY_FETCH_MS);
    assert_int_equal(seen.identities, 100 - 3 * PARLEY_IDENTITIES_PER_PEER / 2);
    assert_int_equal(seen.asks_all, 0);
    story_wait(&story, 2 * PARLEY_HEADS_EVERY_MS);
    assert_int_equal(seen.asks_all, 1);
    story_end(&story);
}

/* A node to which nothing was lost asks for changes alone. */
static void test_asks_for_changes(void **state) {
    struct story story;
    struct heads_seen seen = {0};
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    struct parley_wire_message ping = {.type = PARLEY_WIRE_PING};
    story.on_message = count_heads;
    story.context = &seen;
    for (unsigned i = 0; i < 20; i++) {
        story_wait(&story, PARLEY_HEADS_EVERY_MS / 2);
        story_send(&story, peer, &ping);
    }
    assert_int_equal(seen.asks_all, 0);
    assert_true(seen.asks_changes >= 5);
    story_end(&story);
}

/* --- whose turn it is ----------------------------------------------------------------------- */

#define TURNS 40u

struct turns {
    struct story_person person;
    struct story_puppet *disagreeing;
    size_t others[3], disagreeing_one;
};

static void count_turns(struct story *story, const struct story_puppet *puppet,
                        const struct parley_wire_message *message) {
    struct turns *turns = story->context;
    if (message->type != PARLEY_WIRE_ASK_HEADS)
        return;
    if (puppet == turns->disagreeing)
        turns->disagreeing_one++;
    else
        turns->others[puppet->name - 'B']++;
}

/* A peer that never agrees has something to tell again for ever: the others have their turns. */
static void test_turns(void **state) {
    struct story story;
    struct story_sizes sizes = {.peers = 8, .authors = 16, .logs = 16};
    struct turns turns = {.others = {0}};
    story_begin_sized(&story, true, &sizes);
    story_person(&turns.person, 7);
    story_know(&story, &turns.person);
    turns.disagreeing = story_peer(&story, 'A');
    for (char name = 'B'; name < 'E'; name++)
        (void)story_peer(&story, name);
    story.on_message = count_turns;
    story.context = &turns;
    struct parley_wire_message ping = {.type = PARLEY_WIRE_PING};
    while (turns.disagreeing_one + turns.others[0] + turns.others[1] + turns.others[2] < TURNS) {
        /* It knows of a fork, says so each time, and never shows it. */
        struct parley_wire_head head = {.log = turns.person.log, .forked_seq = 1};
        story_tell(&story, turns.disagreeing, &turns.person.author, &head,
                   PARLEY_HEADS_AFTER_RECORDS);
        story_wait(&story, PARLEY_HEADS_EVERY_MS / 2);
        for (size_t i = 0; i < 4; i++)
            story_send(&story, &story.puppets[i], &ping);
        story_forget(&story);
    }
    for (size_t i = 0; i < 3; i++)
        assert_in_range(turns.others[i], TURNS / 2 / 4, TURNS);
    assert_in_range(turns.disagreeing_one, TURNS / 2, TURNS);
    story_end(&story);
}

/* --- of whom a run is asked ----------------------------------------------------------------- */

struct asked {
    uint64_t request;
    size_t of_a, of_b;
};

static void note_ask(struct story *story, const struct story_puppet *puppet,
                     const struct parley_wire_message *message) {
    struct asked *asked = story->context;
    if (message->type != PARLEY_WIRE_ASK_RUN)
        return;
    asked->request = message->as.ask_run.request;
    asked->of_a += puppet->name == 'A';
    asked->of_b += puppet->name == 'B';
}

/* A source that gave nothing once is asked again, though another one comes that has nothing at all:
 * what it told it does not tell again. */
static void test_failing_source(void **state) {
    struct story story;
    struct story_person writer;
    struct asked asked = {0};
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_relay(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK, story_entry(&writer, "1", buffer));
    story_settle(&story);
    struct parley_wire_head same = {.log = writer.log, .seq = 1, .id = writer.id, .low_seq = 1};
    (void)story_entries(&writer, 4, buffer);
    struct parley_wire_head more = {.log = writer.log, .seq = 5, .id = writer.id, .low_seq = 1};
    struct story_puppet *a = story_peer(&story, 'A'), *b = story_peer(&story, 'B');
    story.on_message = note_ask;
    story.context = &asked;
    story_tell(&story, a, &writer.author, &more, PARLEY_HEADS_AFTER_RECORDS);
    assert_int_equal(asked.of_a, 1);
    struct parley_wire_message nothing = {.type = PARLEY_WIRE_RUN};
    nothing.as.run.request = asked.request;
    nothing.as.run.last = true;
    story_send(&story, a, &nothing);
    story_tell(&story, b, &writer.author, &same, PARLEY_HEADS_AFTER_RECORDS);
    story_wait(&story, 2 * PARLEY_LOG_BACKOFF_MIN_MS);
    assert_int_equal(asked.of_a, 2);
    assert_int_equal(asked.of_b, 0);
    /* And the one that has as much takes its place. */
    nothing.as.run.request = asked.request;
    story_send(&story, a, &nothing);
    story_tell(&story, b, &writer.author, &more, PARLEY_HEADS_AFTER_RECORDS);
    assert_int_equal(asked.of_b, 1);
    story_end(&story);
}

/* All places of a log are taken by entries below links that nobody fills: what a peer has above
 * them all is asked for all the same, and the least of them goes. */
static void test_head_above_islands(void **state) {
    struct story story;
    struct story_person writer;
    struct asked asked = {0};
    struct parley_node_log log;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_relay(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    for (unsigned i = 0; i < PARLEY_RANGES_MAX; i++) {
        (void)story_entries(&writer, 1, buffer);
        story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK,
                     story_entries(&writer, i == 3 ? 1 : 2, buffer));
        story_settle(&story);
    }
    struct story_puppet *a = story_peer(&story, 'A');
    story.on_message = note_ask;
    story.context = &asked;
    (void)story_entries(&writer, 1, buffer);
    struct parley_wire_message run = {.type = PARLEY_WIRE_RUN};
    run.as.run.last = true;
    run.as.run.chunk = story_entries(&writer, 1, buffer);
    struct parley_wire_head head = {
        .log = writer.log, .seq = writer.seq, .id = writer.id, .low_seq = writer.seq};
    story_tell(&story, a, &writer.author, &head, PARLEY_HEADS_AFTER_RECORDS);
    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(asked.of_a, i);
        run.as.run.request = asked.request;
        story_send(&story, a, &run);
        story_settle(&story);
        story_wait(&story, 2 * PARLEY_LOG_BACKOFF_MIN_MS);
    }
    assert_true(story_has(&story, "STORE cut"));
    assert_true(parley_node_log_find(story.node, &writer.log, &log));
    assert_int_equal(log.head_seq, writer.seq);
    assert_int_equal(log.ranges.count, PARLEY_RANGES_MAX);
    assert_false(parley_ranges_covers(&log.ranges, 11)); /* the one of a single entry */
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_logs_of_one_author),
        cmocka_unit_test(test_only_changes),
        cmocka_unit_test(test_identity_queue),
        cmocka_unit_test(test_asks_for_changes),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_failing_source),
        cmocka_unit_test(test_head_above_islands),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("catchup", tests, NULL, NULL) == 0 ? 0 : 1;
}
