#include "story.h"

/* Bodies that come apart from their headers: who is asked, when, and what is taken. */

/* The same entries as the chunk's, headers alone. */
static struct parley_span bare(struct parley_span bytes, uint8_t *buffer) {
    struct parley_chunk chunk;
    struct parley_span out;
    assert_int_equal(parley_chunk_decode(&chunk, bytes).error, PARLEY_E_OK);
    assert_int_equal(parley_chunk_slice(&out, buffer, PARLEY_CHUNK_BUFFER_SIZE, &chunk,
                                        chunk.seq_first, parley_chunk_seq_last(&chunk), false),
                     PARLEY_E_OK);
    return out;
}

struct asks {
    size_t bodies, heads_all;
    struct parley_wire_ask_bodies last;
};

static void count_asks(struct story *story, const struct story_puppet *puppet,
                       const struct parley_wire_message *message) {
    struct asks *asks = story->context;
    (void)puppet;
    if (message->type == PARLEY_WIRE_ASK_BODIES) {
        asks->bodies++;
        asks->last = message->as.ask_bodies;
    }
    asks->heads_all +=
        message->type == PARLEY_WIRE_ASK_HEADS && message->as.ask_heads.session == PARLEY_HEADS_ALL;
}

struct tale {
    struct story story;
    struct story_person writer;
    struct story_puppet *peer;
    struct asks asks;
    uint8_t whole_bytes[PARLEY_CHUNK_BUFFER_SIZE], bare_bytes[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_span whole, bare; /* the writer's entries */
};

/* A relay that knows the writer; A is a peer. */
static void begin(struct tale *tale, size_t count) {
    memset(tale, 0, sizeof *tale);
    story_begin_relay(&tale->story);
    story_person(&tale->writer, 9);
    story_know(&tale->story, &tale->writer);
    tale->story.on_message = count_asks;
    tale->story.context = &tale->asks;
    tale->whole = story_entries(&tale->writer, count, tale->whole_bytes);
    tale->bare = bare(tale->whole, tale->bare_bytes);
    tale->peer = story_peer(&tale->story, 'A');
    story_forget(&tale->story);
}

/* Headers come from A alone, and are on disk. */
static void push_bare(struct tale *tale) {
    story_push(&tale->story, tale->peer, tale->bare);
    story_settle(&tale->story);
}

static void send_bodies(struct tale *tale, struct story_puppet *peer, bool breaks) {
    static uint8_t bytes[PARLEY_MESSAGE_BYTES_MAX];
    struct parley_chunk chunk;
    struct parley_chunk_cursor cursor;
    struct parley_item item;
    struct parley_writer writer;
    struct parley_wire_message message = {.type = PARLEY_WIRE_BODIES};
    assert_int_equal(parley_chunk_decode(&chunk, tale->whole).error, PARLEY_E_OK);
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_chunk_start(&cursor, &chunk);
    while (parley_chunk_next_item(&cursor, &item)) {
        struct parley_wire_body body = {.seq = item.seq, .body = item.body};
        memcpy(body.salt.bytes, item.salt.data, sizeof body.salt.bytes);
        body.salt.bytes[0] ^= breaks;
        parley_wire_put_body(&writer, &body);
    }
    message.as.bodies.request = tale->asks.last.request;
    message.as.bodies.log = tale->writer.log;
    message.as.bodies.last = true;
    message.as.bodies.bodies = parley_wire_list_of(&writer, chunk.count);
    story_send(&tale->story, peer, &message);
}

static void send_none(struct tale *tale, struct story_puppet *peer) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_BODIES};
    message.as.bodies.request = tale->asks.last.request;
    message.as.bodies.log = tale->writer.log;
    message.as.bodies.last = true;
    story_send(&tale->story, peer, &message);
}

static void send_head(struct tale *tale, struct story_puppet *peer) {
    story_tell_newest(&tale->story, peer, &tale->writer);
}

/* Who sent the header is asked for the body, by the id of the entry. */
static void test_asked_of_who_sent_the_header(void **state) {
    struct tale tale;
    begin(&tale, 1);
    push_bare(&tale);
    assert_int_equal(tale.story.reads_count, 1); /* where it lacks, the store says */
    story_read(&tale.story, PARLEY_E_OK, tale.bare, 0);
    assert_int_equal(tale.asks.bodies, 1);
    assert_int_equal(tale.asks.last.top_seq, 1);
    assert_int_equal(tale.asks.last.low_seq, 1);
    assert_memory_equal(&tale.asks.last.top_id, &tale.writer.id, sizeof tale.writer.id);
    story_forget(&tale.story);
    send_bodies(&tale, tale.peer, false);
    story_expect(&tale.story, "STORE bodies\n");
    story_settle(&tale.story);
    /* Shown now; and once more the store is asked, which knows of nothing that lacks. */
    story_expect(&tale.story, "SHOW 1..1\nREAD\n");
    story_read(&tale.story, PARLEY_E_OK, PARLEY_NO_SPAN, 0);
    story_wait(&tale.story, PARLEY_BODIES_BACKOFF_MAX_MS);
    assert_int_equal(tale.asks.bodies, 1);
    assert_int_equal(tale.story.reads_count, 0);
    story_end(&tale.story);
}

/* Who has none of them is left alone for a while; another that holds the log is asked. */
static void test_asked_of_others(void **state) {
    struct tale tale;
    begin(&tale, 1);
    push_bare(&tale);
    story_read(&tale.story, PARLEY_E_OK, tale.bare, 0);
    send_none(&tale, tale.peer);
    struct story_puppet *other = story_peer(&tale.story, 'B');
    send_head(&tale, other);
    assert_int_equal(tale.story.reads_count, 0); /* not at once */
    story_wait(&tale.story, 2 * PARLEY_LOG_BACKOFF_MIN_MS);
    assert_int_equal(tale.story.reads_count, 1);
    story_read(&tale.story, PARLEY_E_OK, tale.bare, 0);
    assert_int_equal(tale.asks.bodies, 2);
    send_bodies(&tale, other, false);
    assert_true(story_has(&tale.story, "STORE bodies"));
    story_end(&tale.story);
}

/* When nobody is known to have them, everybody is asked what they hold, ever more rarely. */
static void test_backs_off(void **state) {
    struct tale tale;
    parley_time_ms last = 0;
    begin(&tale, 1);
    push_bare(&tale);
    for (unsigned i = 1; i <= 20; i++) { /* a few peers may be tried before it doubles */
        assert_int_equal(tale.story.reads_count, 1);
        story_read(&tale.story, PARLEY_E_OK, tale.bare, 0);
        assert_int_equal(tale.asks.bodies, i);
        send_none(&tale, tale.peer);
        send_head(&tale, tale.peer);
        parley_time_ms from = tale.story.now;
        while (tale.story.reads_count == 0) {
            struct parley_wire_message pong = {.type = PARLEY_WIRE_PONG};
            story_wait(&tale.story, 500);
            story_send(&tale.story, tale.peer, &pong);
        }
        assert_true(tale.story.now - from >= last);
        last = tale.story.now - from;
    }
    assert_true(last >= 32 * PARLEY_LOG_BACKOFF_MIN_MS);
    story_end(&tale.story);
}

/* Who answers with what is held already has brought nothing: it does not keep an ask and a write
 * going without a pause. */
static void test_nothing_new_backs_off(void **state) {
    struct tale tale;
    begin(&tale, 1);
    push_bare(&tale);
    story_read(&tale.story, PARLEY_E_OK, tale.bare, 0);
    assert_int_equal(tale.asks.bodies, 1);
    send_bodies(&tale, tale.peer, false);
    story_stored(&tale.story, PARLEY_E_EXISTS);
    send_head(&tale, tale.peer);
    assert_int_equal(tale.story.reads_count, 0); /* not at once */
    story_wait(&tale.story, 2 * PARLEY_LOG_BACKOFF_MIN_MS);
    assert_int_equal(tale.story.reads_count, 1);
    story_end(&tale.story);
}

/* A body that is not the entry's is the fault of who was asked: the id commits to it. */
static void test_wrong_body_is_a_fault(void **state) {
    struct tale tale;
    begin(&tale, 1);
    push_bare(&tale);
    story_read(&tale.story, PARLEY_E_OK, tale.bare, 0);
    story_forget(&tale.story);
    send_bodies(&tale, tale.peer, true);
    assert_true(story_has(&tale.story, "CLOSE A BAD_BODY"));
    assert_true(story_has(&tale.story, "A goodbye 1"));
    assert_false(story_has(&tale.story, "STORE bodies"));
    story_end(&tale.story);
}

/* Bodies that nobody asked for are not looked at, good or bad. */
static void test_unasked_is_passed_over(void **state) {
    struct tale tale;
    begin(&tale, 1);
    tale.asks.last.request = 77;
    send_bodies(&tale, tale.peer, true);
    story_expect(&tale.story, "");
    story_end(&tale.story);
}

/* Whoever is first with the header does not keep the words away: a push with the body, later,
 * brings it. */
static void test_push_brings_the_body(void **state) {
    struct tale tale;
    begin(&tale, 1);
    push_bare(&tale);
    story_forget(&tale.story);
    struct story_puppet *other = story_peer(&tale.story, 'B');
    story_forget(&tale.story);
    story_push(&tale.story, other, tale.whole);
    story_settle(&tale.story);
    assert_true(story_has(&tale.story, "STORE bodies"));
    assert_true(story_has(&tale.story, "SHOW 1..1"));
    /* And one that is here whole brings nothing. */
    story_read(&tale.story, PARLEY_E_OK, PARLEY_NO_SPAN, 0);
    story_forget(&tale.story);
    story_push(&tale.story, other, tale.whole);
    story_settle(&tale.story);
    assert_false(story_has(&tale.story, "STORE bodies"));
    story_end(&tale.story);
}

/* What the disk tells at start is asked for, too. */
static void test_asked_after_a_restart(void **state) {
    struct tale tale;
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_LOG};
    begin(&tale, 3);
    struct parley_store_log log = {.author = tale.writer.author,
                                   .device = tale.writer.device_key,
                                   .log = tale.writer.log,
                                   .entries_count = 3,
                                   .lacks_low = 1,
                                   .lacks_high = 3};
    log.ranges.count = 1;
    log.ranges.ranges[0] =
        (struct parley_run){.lo = 1, .hi = 3, .hi_id = tale.writer.id, .hi_is_signed = true};
    event.load_log = &log;
    story_step(&tale.story, &event);
    assert_int_equal(tale.story.reads_count, 0); /* nobody is known to hold it */
    send_head(&tale, tale.peer);
    story_read(&tale.story, PARLEY_E_OK, tale.bare, 0);
    assert_int_equal(tale.asks.bodies, 1);
    assert_int_equal(tale.asks.last.top_seq, 3);
    assert_int_equal(tale.asks.last.low_seq, 1);
    story_end(&tale.story);
}

/* A peer that goes while it is asked gives way to another. */
static void test_peer_goes(void **state) {
    struct tale tale;
    begin(&tale, 1);
    push_bare(&tale);
    story_read(&tale.story, PARLEY_E_OK, tale.bare, 0);
    story_closed(&tale.story, tale.peer);
    struct story_puppet *other = story_peer(&tale.story, 'B');
    send_head(&tale, other);
    story_wait(&tale.story, 2 * PARLEY_LOG_BACKOFF_MIN_MS);
    story_read(&tale.story, PARLEY_E_OK, tale.bare, 0);
    assert_int_equal(tale.asks.bodies, 2);
    story_end(&tale.story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked_of_who_sent_the_header),
        cmocka_unit_test(test_asked_of_others),
        cmocka_unit_test(test_backs_off),
        cmocka_unit_test(test_nothing_new_backs_off),
        cmocka_unit_test(test_wrong_body_is_a_fault),
        cmocka_unit_test(test_unasked_is_passed_over),
        cmocka_unit_test(test_push_brings_the_body),
        cmocka_unit_test(test_asked_after_a_restart),
        cmocka_unit_test(test_peer_goes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
