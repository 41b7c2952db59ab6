#include "story.h"

#include <stdlib.h>

/* What a message may be, and what is done about one that is not: SPEC 9 to the letter. */

static void send_push(struct story *story, struct story_puppet *peer, struct story_person *writer,
                      size_t count) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_push(story, peer, story_entries(writer, count, buffer));
}

/* A push is one entry: of several only the top's signature would be looked at. */
static void test_push_of_two(void **state) {
    struct story story;
    struct story_person writer;
    story_begin_relay(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    struct story_puppet *peer = story_peer(&story, 'A');
    send_push(&story, peer, &writer, 1);
    story_settle(&story);
    story_forget(&story);
    send_push(&story, peer, &writer, 2);
    story_expect(&story, "CLOSE A BAD_MESSAGE\nLOG peer closed\nA goodbye 1\n");
    story_end(&story);
}

/* Evidence names the log of its chunk, or it is the sender's fault, be the log known here or not.
 */
static void test_evidence_of_another_log(void **state) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct story story;
    struct story_person writer;
    struct parley_wire_message message = {.type = PARLEY_WIRE_EVIDENCE};
    story_begin_relay(&story);
    story_person(&writer, 9);
    struct story_puppet *peer = story_peer(&story, 'A');
    message.as.evidence.log = writer.log;
    message.as.evidence.chunk = story_entries(&writer, 1, buffer);
    story_forget(&story);
    story_send(&story, peer, &message);
    story_expect(&story, ""); /* nobody knows the log */
    message.as.evidence.log.bytes[0] ^= 1;
    story_send(&story, peer, &message);
    story_expect(&story, "CLOSE A BAD_MESSAGE\nLOG peer closed\nA goodbye 1\n");
    story_end(&story);
}

/* The peer is gone: nobody reads an answer. */
static void test_goodbye_is_not_answered(void **state) {
    struct story story;
    struct parley_wire_message message = {.type = PARLEY_WIRE_GOODBYE};
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_forget(&story);
    story_send(&story, peer, &message);
    story_expect(&story, "CLOSE A OK\n");
    story_end(&story);
}

static void send_plain(struct story *story, struct story_puppet *puppet, const char *bytes,
                       size_t count) {
    static uint8_t out[PARLEY_LINK_SEALED_MAX];
    size_t size;
    assert_int_equal(
        parley_link_seal(&puppet->link, out, sizeof out, &size, PARLEY_SPAN(bytes, count)),
        PARLEY_E_OK);
    story_send_bytes(story, puppet, PARLEY_SPAN(out, size));
}

/* What a later version says with odd types is not looked into. */
static void test_odd_types_are_passed_over(void **state) {
    struct story story;
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_forget(&story);
    send_plain(&story, peer, "\x95\x7d", 2);
    send_plain(&story, peer, "\xdd\xff\xff\xff\xff\x7d", 6);
    send_plain(&story, peer, "\x93\x7d\xc1", 3);
    story_expect(&story, "");
    send_plain(&story, peer, "\x92\x26\x00", 3);
    assert_true(story_has(&story, "CLOSE A BAD_MESSAGE"));
    story_end(&story);
}

/* --- who does not answer asks is not asked ------------------------------------------------- */

static void hello_with(struct story *story, struct story_puppet *peer, uint64_t features,
                       const struct parley_node_key *key) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_HELLO};
    message.as.hello.version = PARLEY_WIRE_VERSION;
    message.as.hello.features = features;
    message.as.hello.node_key = *key;
    story_send(story, peer, &message);
}

static void send_head(struct story *story, struct story_puppet *peer,
                      const struct story_person *writer, uint64_t session, uint8_t set,
                      parley_seq seq) {
    uint8_t head_bytes[128], item_bytes[256];
    struct parley_writer heads, items;
    struct parley_wire_message message = {.type = PARLEY_WIRE_HEADS};
    struct parley_wire_head head = {.log = writer->log, .seq = seq, .low_seq = seq == 0 ? 0 : 1};
    struct parley_wire_author_heads item = {.author = writer->author};
    memset(head.id.bytes, seq == 0 ? 0 : 1, sizeof head.id.bytes);
    memset(item.set_hash, set, sizeof item.set_hash);
    parley_writer_init(&heads, head_bytes, sizeof head_bytes);
    parley_wire_put_head(&heads, &head);
    item.heads = parley_wire_list_of(&heads, 1);
    parley_writer_init(&items, item_bytes, sizeof item_bytes);
    parley_wire_put_author_heads(&items, &item);
    message.as.heads.session = session;
    message.as.heads.last = true;
    message.as.heads.authors = parley_wire_list_of(&items, 1);
    story_send(story, peer, &message);
}

static void test_who_does_not_answer_is_not_asked(void **state) {
    struct story story;
    struct story_person writer;
    story_begin_relay(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    struct story_puppet *mute = story_accept(&story, 'A');
    hello_with(&story, mute, 0, &mute->key);
    struct story_puppet *able = story_peer(&story, 'B');
    story_settle(&story);
    story_forget(&story);
    send_head(&story, mute, &writer, 0, 0xee, 5);
    story_expect(&story, "");
    send_head(&story, able, &writer, 0, 0xee, 5);
    story_expect(&story, "B message 22\nB ask run\n");
    story_end(&story);
}

/* A session of a later version means what 0 means: records that differ are asked for. */
static void test_unknown_session_is_zero(void **state) {
    struct story story;
    struct story_person writer;
    story_begin_relay(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_forget(&story);
    send_head(&story, peer, &writer, PARLEY_HEADS_AFTER_RECORDS, 0xee, 0);
    story_expect(&story, "");
    send_head(&story, peer, &writer, 2, 0xee, 0);
    story_expect(&story, "A message 22\n");
    story_end(&story);
}

/* --- one node, whatever the sign of its key ------------------------------------------------ */

static struct parley_node_key flipped(struct parley_node_key key) {
    key.bytes[sizeof key.bytes - 1] ^= 0x80;
    return key;
}

/* The link proves a key up to its sign: the other sign is no second node. */
static void test_the_other_sign_is_the_same_node(void **state) {
    struct story story;
    struct parley_node_key other;
    story_begin(&story);
    struct story_puppet *first = story_peer(&story, 'A');
    struct story_puppet kept = *first;
    first->in = NULL;
    first->is_open = false;
    struct story_puppet *second = story_accept(&story, 'A');
    story_forget(&story);
    other = flipped(kept.key);
    hello_with(&story, second, PARLEY_WIRE_SERVES_RUNS, &other);
    assert_true(story_has(&story, "CLOSE ? OK"));
    struct parley_node_peer peer;
    size_t open = 0;
    for (size_t place = 0; parley_node_peer_next(story.node, &place, &peer);)
        open += peer.is_open;
    assert_int_equal(open, 1);
    free(kept.in);
    story_end(&story);
}

/* --- bodies are of what the named top commits to ------------------------------------------- */

static void ask_bodies(struct story *story, struct story_puppet *peer,
                       const struct story_person *writer, const struct parley_id *id) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_BODIES};
    message.as.ask_bodies.request = 7;
    message.as.ask_bodies.log = writer->log;
    message.as.ask_bodies.top_seq = writer->seq;
    message.as.ask_bodies.top_id = *id;
    message.as.ask_bodies.low_seq = 1;
    story_send(story, peer, &message);
}

struct bodies_seen {
    size_t messages, bodies;
};

static void count_bodies(struct story *story, const struct story_puppet *puppet,
                         const struct parley_wire_message *message) {
    struct bodies_seen *seen = story->context;
    (void)puppet;
    if (message->type == PARLEY_WIRE_BODIES) {
        seen->messages++;
        seen->bodies += message->as.bodies.bodies.count;
    }
}

static void test_bodies_of_the_named_entry(void **state) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct story story;
    struct story_person writer;
    struct bodies_seen seen = {0};
    story_begin_relay(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    struct parley_span chunk = story_entries(&writer, 3, buffer);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK, chunk);
    story_settle(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story.on_message = count_bodies;
    story.context = &seen;
    ask_bodies(&story, peer, &writer, &writer.id);
    story_read(&story, PARLEY_E_OK, chunk, 0);
    assert_int_equal(seen.bodies, 3);
    /* The other branch's top is not held: nothing of ours is sent for it. */
    struct parley_id other = writer.id;
    other.bytes[0] ^= 1;
    seen = (struct bodies_seen){0};
    ask_bodies(&story, peer, &writer, &other);
    story_read(&story, PARLEY_E_OK, chunk, 0);
    assert_int_equal(seen.messages, 1);
    assert_int_equal(seen.bodies, 0);
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_push_of_two),
        cmocka_unit_test(test_evidence_of_another_log),
        cmocka_unit_test(test_goodbye_is_not_answered),
        cmocka_unit_test(test_odd_types_are_passed_over),
        cmocka_unit_test(test_who_does_not_answer_is_not_asked),
        cmocka_unit_test(test_unknown_session_is_zero),
        cmocka_unit_test(test_the_other_sign_is_the_same_node),
        cmocka_unit_test(test_bodies_of_the_named_entry),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
