#include "story.h"

/* Bytes wait at the door: what is not whole is not taken, and who has much in work waits. */

static void test_not_whole(void **state) {
    struct story story;
    static uint8_t out[PARLEY_LINK_SEALED_MAX];
    struct parley_wire_message message = {.type = PARLEY_WIRE_PING};
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_forget(&story);
    struct parley_span sealed = story_seal(peer, out, &message);
    for (size_t size = 1; size < sealed.size; size++) {
        story_send_bytes(&story, peer, PARLEY_SPAN(sealed.data, size));
        assert_int_equal(story.consumed, 0);
    }
    story_expect(&story, "");
    story_send_bytes(&story, peer, sealed);
    assert_int_equal(story.consumed, sealed.size);
    story_expect(&story, "A message 3\n");
    story_end(&story);
}

static void test_one_and_a_half(void **state) {
    struct story story;
    static uint8_t out[2 * PARLEY_LINK_SEALED_MAX];
    struct parley_wire_message message = {.type = PARLEY_WIRE_PING};
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_forget(&story);
    size_t first = story_seal(peer, out, &message).size;
    size_t second = story_seal(peer, out + first, &message).size;
    story_send_bytes(&story, peer, PARLEY_SPAN(out, first + second / 2));
    assert_int_equal(story.consumed, first);
    story_send_bytes(&story, peer, PARLEY_SPAN(out + first, second));
    assert_int_equal(story.consumed, second);
    story_expect(&story, "A message 3\nA message 3\n");
    story_end(&story);
}

/* Each of many authors has one entry in check: then the peer's budget is used up. */
static void test_budget_and_resume(void **state) {
    struct story story;
    static uint8_t out[16 * 1024], sealed[PARLEY_LINK_SEALED_MAX];
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    size_t size = 0;
    story_begin_relay(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    for (uint8_t i = 0; i < PARLEY_JOBS_PER_PEER + 2; i++) {
        struct story_person writer;
        struct parley_wire_message message = {.type = PARLEY_WIRE_PUSH};
        story_person(&writer, (uint8_t)(20 + i));
        story_introduce(&story, peer, &writer);
        story_settle(&story);
        message.as.push.chunk = story_entry(&writer, "hello", buffer);
        /* Sealed only after all introductions: kept as plain messages until then. */
        memcpy(out + size, message.as.push.chunk.data, message.as.push.chunk.size);
        size += message.as.push.chunk.size;
    }
    struct parley_span chunks = PARLEY_SPAN(out, size);
    size_t each = size / (PARLEY_JOBS_PER_PEER + 2);
    static uint8_t stream[16 * 1024];
    size_t stream_size = 0;
    for (size_t i = 0; i < PARLEY_JOBS_PER_PEER + 2; i++) {
        struct parley_wire_message message = {.type = PARLEY_WIRE_PUSH};
        message.as.push.chunk = PARLEY_SPAN(chunks.data + i * each, each);
        struct parley_span one = story_seal(peer, sealed, &message);
        memcpy(stream + stream_size, one.data, one.size);
        stream_size += one.size;
    }
    story_forget(&story);
    story_send_bytes(&story, peer, PARLEY_SPAN(stream, stream_size));
    size_t consumed = story.consumed;
    assert_int_equal(story.verifies_count, PARLEY_JOBS_PER_PEER);
    assert_true(consumed < stream_size);
    story_forget(&story);
    story_verified(&story);
    /* One is out of the way: it may go on. */
    story_expect(&story, "STORE append 1..1\nRESUME A\n");
    story_send_bytes(&story, peer, PARLEY_SPAN(stream + consumed, stream_size - consumed));
    assert_int_equal(story.verifies_count, PARLEY_JOBS_PER_PEER);
    consumed += story.consumed;
    assert_true(consumed < stream_size);
    story_verified(&story);
    assert_true(story_has(&story, "RESUME A"));
    story_send_bytes(&story, peer, PARLEY_SPAN(stream + consumed, stream_size - consumed));
    assert_int_equal(consumed + story.consumed, stream_size);
    story_settle(&story);
    struct parley_node_status status;
    parley_node_status(story.node, &status);
    assert_int_equal(status.entries_count, PARLEY_JOBS_PER_PEER + 2);
    story_end(&story);
}

/* Entries of one log are judged one after the other. */
static void test_one_log_in_order(void **state) {
    struct story story;
    struct story_person writer;
    uint8_t first[PARLEY_CHUNK_BUFFER_SIZE], second[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_relay(&story);
    story_person(&writer, 9);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_introduce(&story, peer, &writer);
    story_settle(&story);
    struct parley_span one = story_entry(&writer, "one", first);
    struct parley_span two = story_entry(&writer, "two", second);
    story_forget(&story);
    story_push(&story, peer, one);
    story_push(&story, peer, two);
    story_expect(&story, "VERIFY\n"); /* the second waits for the first */
    story_settle(&story);
    story_expect(&story, "STORE append 1..1\nVERIFY\nSTORE append 2..2\nSHOW 1..1\nSHOW 2..2\n");
    story_end(&story);
}

/* Nothing overtakes the identity records of the author of whom it is; others go on meanwhile. */
static void test_records_hold_back_their_own(void **state) {
    struct story story;
    struct story_person known, first, second;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_node_status status;
    story_begin_relay(&story);
    story_person(&known, 9);
    story_person(&first, 10);
    story_person(&second, 11);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_introduce(&story, peer, &known);
    story_settle(&story);
    story_introduce(&story, peer, &first);
    size_t checks = story.verifies_count;
    assert_true(checks > 0);
    story_push(&story, peer, story_entry(&known, "one", buffer));
    assert_int_equal(story.verifies_count, checks + 1);
    story_introduce(&story, peer, &second);
    assert_int_equal(story.verifies_count, 2 * checks + 1);
    story_push(&story, peer, story_entry(&first, "two", buffer));
    assert_int_equal(story.verifies_count, 2 * checks + 1);
    story_settle(&story);
    parley_node_status(story.node, &status);
    assert_int_equal(status.entries_count, 2);
    assert_int_equal(status.authors_count, 3);
    story_end(&story);
}

static void test_closed_in_the_middle(void **state) {
    struct story story;
    struct story_person writer;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_relay(&story);
    story_person(&writer, 9);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_introduce(&story, peer, &writer);
    story_settle(&story);
    story_push(&story, peer, story_entry(&writer, "one", buffer));
    story_closed(&story, peer);
    story_forget(&story);
    /* The answer comes late and finds nobody. */
    story_verified(&story);
    story_expect(&story, "");
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_whole),
        cmocka_unit_test(test_one_and_a_half),
        cmocka_unit_test(test_budget_and_resume),
        cmocka_unit_test(test_one_log_in_order),
        cmocka_unit_test(test_records_hold_back_their_own),
        cmocka_unit_test(test_closed_in_the_middle),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("jobs", tests, NULL, NULL) == 0 ? 0 : 1;
}
