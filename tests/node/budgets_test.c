#include "story.h"

#include <stdio.h>

/* Work in flight, and tables of logs and of records, filled to the brim: what does not fit is told
 * or asked again, nothing that was taken is lost, and nobody is blamed. */

static struct parley_node_status status_of(const struct story *story) {
    struct parley_node_status status;
    parley_node_status(story->node, &status);
    return status;
}

struct seen {
    unsigned runs_of_b;
    size_t asks, runs, empty_runs;
    uint64_t requests[1024]; /* of the asks */
};

static void count(struct story *story, const struct story_puppet *puppet,
                  const struct parley_wire_message *message) {
    struct seen *seen = story->context;
    if (message->type == PARLEY_WIRE_ASK_RUN)
        seen->requests[seen->asks++] = message->as.ask_run.request;
    bool is_run = message->type == PARLEY_WIRE_RUN && message->as.run.chunk.size > 0;
    seen->runs_of_b += is_run && puppet->name == 'B';
    if (is_run)
        seen->runs++;
    else if (message->type == PARLEY_WIRE_RUN)
        seen->empty_runs++;
}

static void begin(struct story *story, struct seen *seen, const struct story_sizes *sizes) {
    memset(seen, 0, sizeof *seen);
    story_begin_sized(story, true, sizes);
    story->on_message = count;
    story->context = seen;
    story->is_silent = true;
}

/* --- jobs ---------------------------------------------------------------------------------- */

/* As many signatures in check as there are places: an import is told to come again, a peer is not
 * read on; both get their turn. */
static void test_all_jobs(void **state) {
    static const struct story_sizes sizes = {
        .peers = 4, .authors = 2 * PARLEY_JOBS_MAX, .logs = 2 * PARLEY_JOBS_MAX};
    static uint8_t sealed[PARLEY_LINK_SEALED_MAX], buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct story story;
    struct seen seen;
    struct story_person last, pushed;
    begin(&story, &seen, &sizes);
    story_person(&pushed, 200);
    story_know(&story, &pushed);
    struct story_puppet *peer = story_peer(&story, 'A');
    for (unsigned i = 0; i <= PARLEY_JOBS_MAX; i++) {
        story_person(&last, (uint8_t)(i + 10));
        story_import(&story, i + 1, PARLEY_EVENT_IMPORT_RECORD, last.inception);
    }
    assert_int_equal(story.verifies_count, PARLEY_JOBS_MAX);
    char line[32];
    snprintf(line, sizeof line, "REPLY %u RETRY 0", PARLEY_JOBS_MAX + 1);
    assert_true(story_has(&story, line));
    struct parley_wire_message push = {.type = PARLEY_WIRE_PUSH};
    push.as.push.chunk = story_entry(&pushed, "hello", buffer);
    struct parley_span waiting = story_seal(peer, sealed, &push);
    story_send_bytes(&story, peer, waiting);
    assert_int_equal(story.consumed, 0);
    story_forget(&story);
    story_verified(&story);
    story_verified(&story); /* the last place is the owner's */
    assert_true(story_has(&story, "RESUME A"));
    story_send_bytes(&story, peer, waiting);
    assert_int_equal(story.consumed, waiting.size);
    story_settle(&story);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_RECORD, last.inception);
    story_settle(&story);
    assert_int_equal(status_of(&story).authors_count, PARLEY_JOBS_MAX + 2);
    assert_int_equal(status_of(&story).entries_count, 1);
    story_end(&story);
}

/* --- answers ------------------------------------------------------------------------------- */

static void ask_run(struct story *story, struct story_puppet *peer, uint64_t request,
                    const struct parley_log *log) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_RUN};
    message.as.ask_run.request = request;
    message.as.ask_run.log = *log;
    message.as.ask_run.kind = PARLEY_RUN_FROM_HEAD;
    message.as.ask_run.bodies = true;
    message.as.ask_run.bytes_max = PARLEY_RUN_ASK_BYTES;
    story_send(story, peer, &message);
}

/* Who asks for more than their share gets an empty answer for the rest, at once; of the others so
 * many are read at a time. */
static void test_serves_and_reads(void **state) {
    static const struct story_sizes sizes = {.peers = 4, .authors = 16, .logs = 16};
    const unsigned beyond = 10;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct story story;
    struct seen seen;
    struct story_person writer;
    begin(&story, &seen, &sizes);
    story_person(&writer, 9);
    story_know(&story, &writer);
    struct parley_span chunk = story_entry(&writer, "hello", buffer);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK, chunk);
    story_settle(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    for (unsigned i = 0; i < PARLEY_SERVES_PER_PEER + beyond; i++)
        ask_run(&story, peer, i + 1, &writer.log);
    assert_int_equal(story.reads_count, PARLEY_READS_MAX);
    assert_int_equal(seen.empty_runs, beyond);
    assert_int_equal(seen.runs, 0);
    while (story.reads_count > 0) {
        assert_true(story.reads_count <= PARLEY_READS_MAX);
        story_read(&story, PARLEY_E_OK, chunk, 1);
    }
    assert_int_equal(seen.runs, PARLEY_SERVES_PER_PEER);
    assert_int_equal(seen.empty_runs, beyond);
    /* And then there is room again. */
    ask_run(&story, peer, 1000, &writer.log);
    story_read(&story, PARLEY_E_OK, chunk, 1);
    assert_int_equal(seen.runs, PARLEY_SERVES_PER_PEER + 1);
    story_end(&story);
}

/* Who asks for one thing waits for what is being read, not for all that others asked for before. */
static void test_serves_in_turn(void **state) {
    static const struct story_sizes sizes = {.peers = 4, .authors = 16, .logs = 16};
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct story story;
    struct seen seen;
    struct story_person writer;
    begin(&story, &seen, &sizes);
    story_person(&writer, 9);
    story_know(&story, &writer);
    struct parley_span chunk = story_entry(&writer, "hello", buffer);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK, chunk);
    story_settle(&story);
    struct story_puppet *greedy = story_peer(&story, 'A'), *other = story_peer(&story, 'B');
    for (unsigned i = 0; i < PARLEY_SERVES_PER_PEER; i++)
        ask_run(&story, greedy, i + 1, &writer.log);
    ask_run(&story, other, 1, &writer.log);
    for (unsigned i = 0; i < PARLEY_READS_MAX + 2; i++)
        story_read(&story, PARLEY_E_OK, chunk, 1);
    assert_int_equal(seen.runs_of_b, 1);
    story_end(&story);
}

/* --- asks ---------------------------------------------------------------------------------- */

static void tell_head(struct story *story, struct story_puppet *peer,
                      const struct story_person *writer) {
    struct parley_wire_head head = {.log = writer->log, .seq = 7, .id = {{7}}, .low_seq = 1};
    story_tell(story, peer, &writer->author, &head, PARLEY_HEADS_AFTER_RECORDS);
}

/* More logs to ask for than may be asked of one peer at once: the rest waits, and each is asked. A
 * part is kept for whom the owner follows. */
static void test_fetches(void **state) {
    static const struct story_sizes sizes = {.peers = 4, .authors = 64, .logs = 64};
    const unsigned logs = PARLEY_FETCHES_PER_PEER + 8;
    const unsigned of_strangers =
        PARLEY_FETCHES_PER_PEER - PARLEY_FETCHES_PER_PEER / PARLEY_OWNERS_SHARE;
    struct story story;
    struct seen seen;
    struct story_person writers[PARLEY_FETCHES_PER_PEER + 8];
    begin(&story, &seen, &sizes);
    story_connect(&story, 1, 'A'); /* of the owner's: believed from the first */
    story_settle(&story);
    struct story_puppet *peer = story_answer(&story, 'A');
    story_hello(&story, peer);
    for (unsigned i = 0; i < logs; i++) {
        story_person(&writers[i], (uint8_t)(i + 10));
        story_know(&story, &writers[i]);
    }
    for (unsigned i = 0; i + 1 < logs; i++)
        tell_head(&story, peer, &writers[i]);
    assert_int_equal(seen.asks, of_strangers);
    story_follow(&story, 1, &writers[logs - 1].author, true, true);
    tell_head(&story, peer, &writers[logs - 1]);
    assert_int_equal(seen.asks, of_strangers + 1);
    for (unsigned i = 0; i < logs; i++) {
        struct parley_wire_message run = {.type = PARLEY_WIRE_RUN};
        run.as.run.request = seen.requests[i];
        run.as.run.last = true;
        story_send(&story, peer, &run);
        assert_true(seen.asks <= PARLEY_FETCHES_PER_PEER + i + 1);
    }
    assert_int_equal(seen.asks, logs);
    story_end(&story);
}

/* --- tables -------------------------------------------------------------------------------- */

/* A stranger with more devices than there are rows for logs: those that fit are carried, and what
 * the owner follows has its part of the table. */
static void test_logs_are_full(void **state) {
    static const struct story_sizes sizes = {.peers = 4, .authors = 16, .logs = 16};
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct story story;
    struct seen seen;
    struct story_person stranger, friend;
    begin(&story, &seen, &sizes);
    story_person(&stranger, 9);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_RECORD, stranger.inception);
    story_settle(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    for (unsigned i = 0; i < sizes.logs + 4; i++) {
        story_device(&stranger, 9, i);
        story_introduce(&story, peer, &stranger);
        story_settle(&story);
        story_push(&story, peer, story_entry(&stranger, "hello", buffer));
        story_settle(&story);
    }
    assert_int_equal(status_of(&story).logs_count, sizes.logs - sizes.logs / PARLEY_OWNERS_SHARE);
    story_person(&friend, 10);
    story_follow(&story, 1, &friend.author, true, true);
    story_settle(&story);
    story_introduce(&story, peer, &friend);
    story_settle(&story);
    story_push(&story, peer, story_entry(&friend, "hello", buffer));
    story_settle(&story);
    struct parley_node_log log;
    assert_true(parley_node_log_find(story.node, &friend.log, &log));
    assert_int_equal(log.head_seq, 1);
    assert_int_equal(status_of(&story).peers_count, 1);
    story_end(&story);
}

/* As many devices as are taken of this person; false when all were. */
static bool is_full_of(struct story *story, struct story_person *person, uint8_t number,
                       unsigned devices) {
    bool is_full = false;
    story_person(person, number);
    story_import(story, 0, PARLEY_EVENT_IMPORT_RECORD, person->inception);
    story_settle(story);
    for (unsigned i = 0; i < devices && !is_full; i++) {
        story_device(person, number, i);
        story_import(story, 1, PARLEY_EVENT_IMPORT_RECORD, person->certificate);
        story_settle(story);
        is_full = story_has(story, "REPLY 1 FULL 0");
        story_forget(story);
    }
    return is_full;
}

/* Strangers with so many records that the memory for them is used up: an import says so, and a
 * friend with many devices still fits. */
static void test_facts_are_full(void **state) {
    static const struct story_sizes sizes = {.peers = 4, .authors = 16, .logs = 16};
    struct story story;
    struct seen seen;
    struct story_person stranger, friend;
    unsigned full = 0;
    begin(&story, &seen, &sizes);
    for (uint8_t i = 0; i < sizes.authors - sizes.authors / PARLEY_OWNERS_SHARE; i++)
        full += is_full_of(&story, &stranger, (uint8_t)(20 + i), PARLEY_SET_RECORDS_MAX);
    assert_true(full > 0);
    story_person(&friend, 10);
    story_follow(&story, 2, &friend.author, true, true);
    story_settle(&story);
    assert_false(is_full_of(&story, &friend, 10, 100));
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_jobs),       cmocka_unit_test(test_serves_and_reads),
        cmocka_unit_test(test_serves_in_turn), cmocka_unit_test(test_fetches),
        cmocka_unit_test(test_logs_are_full),  cmocka_unit_test(test_facts_are_full),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("budgets", tests, NULL, NULL) == 0 ? 0 : 1;
}
