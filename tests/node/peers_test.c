#include "story.h"

#include <stdlib.h>

/* Connections: who is let in, who is sent away, and with which reason. */

static void test_opens(void **state) {
    struct story story;
    story_begin(&story);
    struct story_puppet *peer = story_accept(&story, 'A');
    /* Ours goes out as soon as the link is sealed; nothing else before the peer's. The first flight
     * is remembered, so that a recording of it opens nothing. */
    story_expect(&story, "STORE meta\nA hello\n");
    story_hello(&story, peer);
    story_expect(&story, "A interest authors 1\n");
    story_interest(&story, peer, PARLEY_INTEREST_EVERYTHING);
    story_expect(&story, "A heads of 1\n");
    story_end(&story);
}

static void test_backoff_grows(void **state) {
    struct story story;
    parley_time_ms last = 0;
    story_begin(&story);
    story_connect(&story, 5, 'A');
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "STORE meta\nDIAL A\nREPLY 5 OK 0\n");
    for (unsigned i = 0; i < 12; i++) {
        struct parley_event event = {.kind = PARLEY_EVENT_DIAL_FAILED};
        event.connection = story.dialled;
        parley_time_ms from = story.now, full = (parley_time_ms)PARLEY_DIAL_BACKOFF_MIN_MS << i;
        story_step(&story, &event);
        story_forget(&story);
        while (!story_has(&story, "DIAL A")) {
            parley_time_ms deadline = parley_node_deadline(story.node);
            assert_true(deadline > story.now);
            story_wait(&story, deadline - story.now);
        }
        last = story.now - from;
        if (full > PARLEY_DIAL_BACKOFF_MAX_MS)
            full = PARLEY_DIAL_BACKOFF_MAX_MS;
        /* Half of it is jitter, so that the peers of a relay do not come back all at once. */
        assert_true(last >= full / 2 && last <= full);
    }
    assert_true(last >= PARLEY_DIAL_BACKOFF_MAX_MS / 2);
    story_end(&story);
}

static void test_rubbish_is_closed(void **state) {
    struct story story;
    struct parley_wire_message message = {.type = PARLEY_WIRE_PUSH};
    uint8_t nothing[3] = {0xc1, 0xc1, 0xc1}; /* no msgpack type at all */
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_forget(&story);
    message.as.push.chunk = PARLEY_SPAN(nothing, sizeof nothing);
    story_send(&story, peer, &message);
    assert_true(story_has(&story, "A goodbye 1"));
    assert_true(story_has(&story, "LOG peer closed"));
    assert_true(story_has(&story, "CLOSE A WRONG_TYPE") ||
                story_has(&story, "CLOSE A NOT_CANONICAL"));
    /* What it goes on to send is swallowed. */
    story_forget(&story);
    story_send_bytes(&story, peer, PARLEY_SPAN(nothing, sizeof nothing));
    assert_int_equal(story.consumed, sizeof nothing);
    story_closed(&story, peer);
    story_expect(&story, "");
    story_end(&story);
}

static void test_broken_seal_is_closed(void **state) {
    struct story story;
    static uint8_t out[PARLEY_LINK_SEALED_MAX];
    struct parley_wire_message message = {.type = PARLEY_WIRE_PING};
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_forget(&story);
    struct parley_span sealed = story_seal(peer, out, &message);
    out[5] ^= 1;
    story_send_bytes(&story, peer, sealed);
    assert_true(story_has(&story, "CLOSE A BAD_SEAL"));
    story_end(&story);
}

static void test_handshake_deadline(void **state) {
    struct story story;
    uint8_t some[10] = "GET / HTTP";
    story_begin(&story);
    struct story_puppet *peer = &story.puppets[0];
    struct parley_event event = {.kind = PARLEY_EVENT_ACCEPTED};
    *peer = (struct story_puppet){.name = 'A', .connection = 2, .is_open = true};
    event.connection = 2;
    story_step(&story, &event);
    story_send_bytes(&story, peer, PARLEY_SPAN(some, sizeof some));
    story_wait(&story, PARLEY_HANDSHAKE_MS - 1);
    story_expect(&story, ""); /* not a byte, and not a hint in time */
    story_wait(&story, PARLEY_HANDSHAKE_JITTER_MS + 1);
    story_expect(&story, "CLOSE A BAD_HANDSHAKE\n");
    assert_int_equal(peer->in_size, 0);
    story_end(&story);
}

static void test_wrong_key_gets_no_byte(void **state) {
    struct story story;
    uint8_t rubbish[400];
    story_begin(&story);
    struct story_puppet *peer = &story.puppets[0];
    struct parley_event event = {.kind = PARLEY_EVENT_ACCEPTED};
    *peer = (struct story_puppet){.name = 'A', .connection = 2, .is_open = true};
    event.connection = 2;
    story_step(&story, &event);
    parley_random_bytes(&story.random, rubbish, sizeof rubbish);
    story_send_bytes(&story, peer, PARLEY_SPAN(rubbish, sizeof rubbish));
    story_send_bytes(&story, peer, PARLEY_SPAN(rubbish, sizeof rubbish));
    story_expect(&story, "");
    assert_int_equal(peer->in_size, 0);
    story_end(&story);
}

static void test_second_hello(void **state) {
    struct story story;
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_forget(&story);
    story_hello(&story, peer);
    story_expect(&story, "CLOSE A BAD_MESSAGE\nLOG peer closed\nA goodbye 1\n");
    story_end(&story);
}

static void test_hello_comes_first(void **state) {
    struct story story;
    story_begin(&story);
    struct story_puppet *peer = story_accept(&story, 'A');
    story_forget(&story);
    story_interest(&story, peer, PARLEY_INTEREST_EVERYTHING);
    story_expect(&story, "CLOSE A BAD_MESSAGE\nLOG peer closed\nA goodbye 1\n");
    story_end(&story);
}

static void test_hello_of_another(void **state) {
    struct story story;
    struct parley_wire_message message = {.type = PARLEY_WIRE_HELLO};
    story_begin(&story);
    struct story_puppet *peer = story_accept(&story, 'A');
    story_forget(&story);
    /* The link proved one key, the words claim another. */
    message.as.hello.version = PARLEY_WIRE_VERSION;
    message.as.hello.node_key = peer->key;
    message.as.hello.node_key.bytes[0] ^= 1;
    story_send(&story, peer, &message);
    assert_true(story_has(&story, "CLOSE A BAD_MESSAGE"));
    story_end(&story);
}

/* Two connections of the same two nodes, one dialled by each: both sides must keep the same one. */
static void test_duplicates(void **state) {
    struct story story;
    story_begin(&story);
    struct story_puppet *accepted = story_peer(&story, 'A');
    struct story_puppet kept = *accepted;
    story_connect(&story, 1, 'A'); /* is connected: not dialled */
    story_settle(&story);
    assert_false(story_has(&story, "DIAL A"));
    story_forget(&story);

    /* A second one from the same side: the older may be dead, so the newer stays. */
    accepted->in = NULL;
    accepted->is_open = false;
    struct story_puppet *again = story_peer(&story, 'A');
    assert_true(story_has(&story, "CLOSE ? OK"));
    assert_int_not_equal(again->connection, kept.connection);
    struct parley_node_status status;
    parley_node_status(story.node, &status);
    assert_int_equal(status.peers_count, 1);
    free(kept.in);
    story_end(&story);
}

static void test_crossed_dials(void **state) {
    struct story story;
    story_begin(&story);
    /* It dials us while we dial it. */
    story_connect(&story, 1, 'B');
    story.puppets[0].name = 'A';
    parley_connection ours = story.dialled;
    struct story_puppet *theirs = story_peer(&story, 'B');
    assert_true(theirs->connection != ours);
    struct story_puppet first = *theirs;
    theirs->in = NULL;
    story_forget(&story);
    /* Ours comes to its hello second. */
    story.dialled = ours;
    struct story_puppet *dialled = story_answer(&story, 'B');
    story_hello(&story, dialled);
    struct parley_node_key own;
    memcpy(own.bytes, story.config.node_key.bytes + 32, sizeof own.bytes);
    bool keeps_ours = PARLEY_COMPARE(own, dialled->key) < 0;
    assert_true(story_has(&story, keeps_ours ? "CLOSE ? OK" : "CLOSE B OK"));
    struct parley_node_status status;
    parley_node_status(story.node, &status);
    assert_int_equal(status.peers_count, 1);
    free(first.in);
    story_end(&story);
}

static void test_silence_is_closed(void **state) {
    struct story story;
    story_begin(&story);
    (void)story_peer(&story, 'A');
    story_forget(&story);
    story_wait(&story, PARLEY_PING_AFTER_MS);
    assert_true(story_has(&story, "A message 1"));
    story_wait(&story, PARLEY_IDLE_MS - PARLEY_PING_AFTER_MS - 1);
    assert_false(story_has(&story, "CLOSE A OK"));
    story_wait(&story, 1);
    assert_true(story_has(&story, "CLOSE A OK"));
    assert_true(story_has(&story, "A goodbye 6"));
    story_end(&story);
}

static void test_table_is_full(void **state) {
    struct story story;
    story_begin(&story);
    for (char name = 'A'; name <= 'C'; name++)
        (void)story_peer(&story, name);
    story_forget(&story);
    struct parley_event event = {.kind = PARLEY_EVENT_ACCEPTED};
    event.connection = 1000;
    story_step(&story, &event);
    story_expect(&story, "LOG no place for a peer\nCLOSE ? FULL\n");
    event = (struct parley_event){.kind = PARLEY_EVENT_CLOSED};
    event.connection = 1000;
    story_step(&story, &event);
    story_expect(&story, "");
    /* Of four places one is for those whom we dial: strangers cannot take them all. */
    story_connect(&story, 1, 'D');
    story_settle(&story);
    struct story_puppet *dialled = story_answer(&story, 'D');
    story_hello(&story, dialled);
    assert_true(story_has(&story, "D hello"));
    struct parley_node_status status;
    parley_node_status(story.node, &status);
    assert_int_equal(status.peers_count, 4);
    story_end(&story);
}

/* --- dialling again ------------------------------------------------------------------------ */

/* How long until it is dialled again after the puppet hung up. */
static parley_time_ms pause_after(struct story *story, struct story_puppet *puppet) {
    parley_time_ms from = story->now;
    story_closed(story, puppet);
    story_forget(story);
    for (unsigned i = 0; i < 100 && !story_has(story, "DIAL A"); i++) {
        parley_time_ms deadline = parley_node_deadline(story->node);
        story_wait(story, deadline > story->now ? deadline - story->now : 0);
    }
    assert_true(story_has(story, "DIAL A"));
    return story->now - from;
}

/* Whoever says hello and hangs up is not a peer worth running after. */
static void test_backoff_needs_a_link_that_lasts(void **state) {
    struct story story;
    parley_time_ms pause = 0;
    story_begin(&story);
    story_connect(&story, 1, 'A');
    story_settle(&story);
    for (unsigned i = 0; i < 9; i++) {
        struct story_puppet *peer = story_answer(&story, 'A');
        story_hello(&story, peer);
        story_settle(&story);
        pause = pause_after(&story, peer);
    }
    assert_true(pause >= PARLEY_DIAL_BACKOFF_MAX_MS / 2);
    /* One that lasted makes up for them. */
    struct story_puppet *peer = story_answer(&story, 'A');
    story_hello(&story, peer);
    story_wait(&story, PARLEY_LINK_LASTED_MS);
    story_settle(&story);
    assert_true(pause_after(&story, peer) <= PARLEY_DIAL_BACKOFF_MIN_MS);
    story_end(&story);
}

/* --- waiting ------------------------------------------------------------------------------- */

/* While the disk is away nothing is read: silence of our own making closes nobody. */
static void test_stalled_by_us_is_not_silent(void **state) {
    struct story story;
    static uint8_t out[PARLEY_LINK_SEALED_MAX];
    struct parley_wire_message ping = {.type = PARLEY_WIRE_PING};
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_publish(&story, 1, "lost");
    story_stored(&story, PARLEY_E_DISK_FULL);
    struct parley_span waiting = story_seal(peer, out, &ping);
    story_send_bytes(&story, peer, waiting);
    assert_int_equal(story.consumed, 0);
    story_forget(&story);
    for (parley_time_ms ms = 0; ms < 4 * PARLEY_IDLE_MS; ms += PARLEY_PING_AFTER_MS)
        story_wait(&story, PARLEY_PING_AFTER_MS);
    assert_false(story_has(&story, "CLOSE A OK"));
    assert_true(story_has(&story, "A message 1")); /* and it hears that we are there */
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_RECORD};
    event.load_record.author = story.own.author;
    event.load_record.record = story.own.inception;
    story_step(&story, &event);
    event = (struct parley_event){.kind = PARLEY_EVENT_STORE_OPENED};
    story_forget(&story);
    story_step(&story, &event);
    assert_true(story_has(&story, "RESUME A"));
    story_send_bytes(&story, peer, waiting);
    assert_int_equal(story.consumed, waiting.size);
    /* From here on its silence is its own again. */
    story_wait(&story, PARLEY_IDLE_MS);
    assert_true(story_has(&story, "CLOSE A OK"));
    story_end(&story);
}

/* Asks on and takes nothing: answers pile up to a bound, then it is closed. */
static void test_unsent_is_bounded(void **state) {
    struct story story;
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_RUN};
    struct parley_node_status status;
    struct parley_node_peer seen = {0};
    unsigned asks = 0;
    static uint8_t out[PARLEY_LINK_SEALED_MAX];
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story.is_silent = story.is_withheld = true;
    ask.as.ask_run.kind = PARLEY_RUN_FROM_HEAD;
    ask.as.ask_run.bytes_max = 1;
    do {
        (void)parley_node_peer_next(story.node, &(size_t){0}, &seen);
        struct parley_span bytes = story_seal(peer, out, &ask);
        story_send_bytes(&story, peer, bytes);
        while (story.consumed == 0) { /* its asks are read as its budget lets it */
            story_wait(&story, 100);
            story_send_bytes(&story, peer, bytes);
        }
        parley_node_status(story.node, &status);
    } while (status.peers_count > 0 && ++asks < PARLEY_UNSENT_BYTES_MAX / 16);
    assert_int_equal(status.peers_count, 0);
    assert_true(story_has(&story, "CLOSE A OVER_BUDGET"));
    assert_true(seen.sent_bytes <= PARLEY_UNSENT_BYTES_MAX + PARLEY_LINK_SEALED_MAX);
    story_end(&story);
}

/* --- stopping ------------------------------------------------------------------------------ */

static void test_stop_says_goodbye(void **state) {
    struct story story;
    story_begin(&story);
    story_connect(&story, 1, 'C');
    story_settle(&story);
    (void)story_peer(&story, 'A');
    (void)story_accept(&story, 'B'); /* no hello yet */
    story_settle(&story);
    story_forget(&story);
    struct parley_event event = {.kind = PARLEY_EVENT_STOP};
    story_step(&story, &event);
    story_expect(&story, "CLOSE A OK\nCLOSE B OK\nA goodbye 0\nB goodbye 0\n");
    /* Nobody comes in behind them, and a dial that was under way is told the same. */
    event = (struct parley_event){.kind = PARLEY_EVENT_ACCEPTED, .connection = 1000};
    story_step(&story, &event);
    story_expect(&story, "CLOSE ? OK\n");
    struct story_puppet *late = story_answer(&story, 'C');
    story_expect(&story, "CLOSE C OK\n");
    story_closed(&story, late);
    story_wait(&story, 2 * PARLEY_DIAL_BACKOFF_MAX_MS);
    story_expect(&story, "");
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens),
        cmocka_unit_test(test_backoff_grows),
        cmocka_unit_test(test_rubbish_is_closed),
        cmocka_unit_test(test_broken_seal_is_closed),
        cmocka_unit_test(test_handshake_deadline),
        cmocka_unit_test(test_wrong_key_gets_no_byte),
        cmocka_unit_test(test_second_hello),
        cmocka_unit_test(test_hello_comes_first),
        cmocka_unit_test(test_hello_of_another),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_crossed_dials),
        cmocka_unit_test(test_silence_is_closed),
        cmocka_unit_test(test_table_is_full),
        cmocka_unit_test(test_backoff_needs_a_link_that_lasts),
        cmocka_unit_test(test_stalled_by_us_is_not_silent),
        cmocka_unit_test(test_unsent_is_bounded),
        cmocka_unit_test(test_stop_says_goodbye),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("peers", tests, NULL, NULL) == 0 ? 0 : 1;
}
