#include "story.h"

#include <stdio.h>

/* Tables that are full: an ordinary answer, and never at the cost of whom the owner follows. */

static const struct story_sizes SIZES = {.peers = 4, .authors = 64, .logs = 24};

static struct parley_author name_of(uint32_t number) {
    struct parley_author author = {{0}};
    parley_put_u32(author.bytes, number + 1);
    return author;
}

static struct parley_node_status status_of(const struct story *story) {
    struct parley_node_status status;
    parley_node_status(story->node, &status);
    return status;
}

/* --- names --------------------------------------------------------------------------------- */

static void put_name(struct parley_writer *writer, const struct parley_author *author) {
    struct parley_wire_author_heads item = {.author = *author};
    item.set_hash[0] = 1; /* it says that it has records */
    parley_wire_put_author_heads(writer, &item);
}

static void send_names(struct story *story, struct story_puppet *peer, struct parley_writer *names,
                       size_t count) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_HEADS};
    message.as.heads.last = true;
    message.as.heads.authors = parley_wire_list_of(names, count);
    story_send(story, peer, &message);
}

static void name_many(struct story *story, struct story_puppet *peer, uint32_t from, size_t count) {
    static uint8_t bytes[PARLEY_MESSAGE_BYTES_MAX];
    struct parley_writer writer;
    parley_writer_init(&writer, bytes, sizeof bytes);
    for (uint32_t i = 0; i < count; i++) {
        struct parley_author author = name_of(from + i);
        put_name(&writer, &author);
    }
    send_names(story, peer, &writer, count);
}

struct asked {
    const struct parley_author *author;
    bool is_asked;
};

static void look_for_ask(struct story *story, const struct story_puppet *puppet,
                         const struct parley_wire_message *message) {
    struct asked *asked = story->context;
    (void)puppet;
    if (message->type != PARLEY_WIRE_ASK_IDENTITY)
        return;
    struct parley_wire_list authors = message->as.ask_identity.authors;
    struct parley_author author;
    while (parley_wire_next_author(&authors, &author))
        asked->is_asked |= PARLEY_EQUAL(author, *asked->author);
}

/* A peer says a hundred thousand names and knows nobody; then somebody honest brings a newcomer. */
static void test_names_without_end(void **state) {
    struct story story;
    struct story_person newcomer;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_sized(&story, true, &SIZES);
    story_person(&newcomer, 9);
    struct asked asked = {.author = &newcomer.author};
    struct story_puppet *hostile = story_peer(&story, 'A'), *honest = story_peer(&story, 'B');
    story.is_silent = true;
    for (uint32_t from = 0; from < 100000; from += 1000) {
        name_many(&story, hostile, from, 1000);
        story_wait(&story, 100); /* as fast as it is read */
    }
    story.on_message = look_for_ask;
    story.context = &asked;
    struct parley_writer writer;
    parley_writer_init(&writer, buffer, sizeof buffer);
    put_name(&writer, &newcomer.author);
    send_names(&story, honest, &writer, 1);
    assert_true(asked.is_asked);
    story_introduce(&story, honest, &newcomer);
    story_settle(&story);
    story_push(&story, honest, story_entry(&newcomer, "hello", buffer));
    story_settle(&story);
    assert_int_equal(status_of(&story).entries_count, 1);
    /* And when nobody answers for the names, their rows go. */
    for (uint32_t i = 0; i < 20; i++) {
        name_many(&story, hostile, 110000 + 1000 * i, 1000);
        story_wait(&story, PARLEY_FETCH_MS);
    }
    asked.is_asked = false;
    struct parley_author last = name_of(200000);
    asked.author = &last;
    name_many(&story, hostile, 200000, 1);
    assert_true(asked.is_asked);
    story_end(&story);
}

/* A record whose signature does not hold leaves nothing behind. */
static void test_bad_records_take_no_row(void **state) {
    struct story story;
    story_begin_sized(&story, true, &SIZES);
    story.is_silent = true;
    for (unsigned i = 0; i < 2 * SIZES.authors; i++) {
        struct story_person person;
        struct story_puppet *peer = story_peer(&story, 'A');
        story_person(&person, (uint8_t)(i + 2));
        person.inception_bytes[person.inception.size - 1] ^= 1;
        story_introduce(&story, peer, &person);
        story_settle(&story);
        assert_true(story_has(&story, "CLOSE A BAD_SIGNATURE"));
        story_closed(&story, peer);
        story_wait(&story, PARLEY_BAN_MIN_MS << PARLEY_BAN_DOUBLINGS_MAX); /* let in again */
        story_forget(&story);
    }
    struct parley_node_author author;
    size_t rows = 0;
    while (parley_node_author_at(story.node, rows, &author))
        rows++;
    assert_int_equal(rows, 0);
    story_end(&story);
}

/* --- strangers ----------------------------------------------------------------------------- */

/* Real people, as many as one likes to make: they take their part of the tables and no more. */
static void test_strangers_leave_room(void **state) {
    struct story story;
    struct story_person friend;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_sized(&story, true, &SIZES);
    struct story_puppet *peer = story_peer(&story, 'A');
    story.is_silent = true;
    for (unsigned i = 0; i < SIZES.authors + 8; i++) {
        struct story_person stranger;
        story_person(&stranger, (uint8_t)(i + 100));
        story_introduce(&story, peer, &stranger);
        story_settle(&story);
        story_forget(&story);
    }
    assert_int_equal(status_of(&story).authors_count,
                     SIZES.authors - SIZES.authors / PARLEY_OWNERS_SHARE);
    assert_int_equal(status_of(&story).peers_count, 1); /* nobody's fault */
    story_person(&friend, 9);
    story_import(&story, 5, PARLEY_EVENT_IMPORT_RECORD, friend.inception);
    story_settle(&story);
    assert_true(story_has(&story, "REPLY 5 FULL 0"));
    story_follow(&story, 6, &friend.author, true, true);
    story_settle(&story);
    assert_true(story_has(&story, "REPLY 6 OK 0"));
    story_introduce(&story, peer, &friend);
    story_settle(&story);
    story_push(&story, peer, story_entry(&friend, "hello", buffer));
    story_settle(&story);
    assert_int_equal(status_of(&story).entries_count, 1);
    story_end(&story);
}

/* --- what one peer and the owner may fill --------------------------------------------------- */

static struct parley_wire_list put_authors(struct parley_writer *writer, uint32_t from,
                                           size_t count) {
    for (uint32_t i = 0; i < count; i++) {
        struct parley_author author = name_of(from + i);
        parley_wire_put_author(writer, &author);
    }
    return parley_wire_list_of(writer, count);
}

/* An interest of more authors than one peer may name: those that fit are served, it stays. */
static void test_interest_is_full(void **state) {
    static uint8_t bytes[PARLEY_MESSAGE_BYTES_MAX];
    struct story story;
    struct parley_writer writer;
    struct parley_wire_message change = {.type = PARLEY_WIRE_INTEREST_CHANGE};
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_interest(&story, peer, PARLEY_INTEREST_NOTHING);
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_author(&writer, &story.own.author);
    change.as.interest_change.added = parley_wire_list_of(&writer, 1);
    story_send(&story, peer, &change);
    for (uint32_t from = 0; from < PARLEY_INTEREST_AUTHORS_MAX + 2000; from += 1000) {
        parley_writer_init(&writer, bytes, sizeof bytes);
        change.as.interest_change.added = put_authors(&writer, from, 1000);
        story_send(&story, peer, &change);
    }
    story_forget(&story);
    story_publish(&story, 1, "still heard");
    story_settle(&story);
    assert_true(story_has(&story, "A push 1"));
    assert_int_equal(status_of(&story).peers_count, 1);
    story_end(&story);
}

/* More addresses than the book has places for: the owner hears it; one that is there is no other.
 */
static void test_book_is_full(void **state) {
    struct story story;
    struct parley_event event = {.kind = PARLEY_EVENT_CONNECT};
    story_begin(&story);
    snprintf(event.connect.address.transport, sizeof event.connect.address.transport, "tcp");
    snprintf(event.connect.address.host, sizeof event.connect.address.host, "far");
    event.connect.address.port = 1;
    for (unsigned i = 0; i <= PARLEY_BOOK_ADDRESSES_MAX + 1; i++) {
        struct parley_author name = name_of(i == PARLEY_BOOK_ADDRESSES_MAX + 1 ? 7 : i);
        memcpy(event.connect.address.key.bytes, name.bytes, sizeof name.bytes);
        event.connect.request = i + 1;
        story_forget(&story);
        story_step(&story, &event);
        story_settle(&story);
        char line[32];
        snprintf(line, sizeof line, "REPLY %u %s 0", i + 1,
                 i == PARLEY_BOOK_ADDRESSES_MAX ? "FULL" : "OK");
        assert_true(story_has(&story, line));
    }
    story_end(&story);
}

/* A disk that is slower than what comes: the owner is told to wait, a peer is not read, and both go
 * on when it has caught up. */
static void test_stores_are_full(void **state) {
    static char text[PARLEY_BODY_BYTES_MAX - 64];
    static uint8_t sealed[PARLEY_LINK_SEALED_MAX];
    struct story story;
    struct story_person writer;
    struct parley_wire_message ping = {.type = PARLEY_WIRE_PING};
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    struct story_puppet *peer = story_peer(&story, 'A');
    memset(text, 'x', sizeof text - 1);
    struct parley_span last;
    size_t imports = 0;
    do {
        story_forget(&story);
        last = story_entry(&writer, text, buffer);
        story_import(&story, ++imports, PARLEY_EVENT_IMPORT_CHUNK, last);
        if (story.verifies_count > 0)
            story_verified(&story);
    } while (story.stores_count == imports && imports < STORY_WAITING_MAX);
    char line[32];
    snprintf(line, sizeof line, "REPLY %zu RETRY 0", imports);
    assert_true(story_has(&story, line));
    assert_true((imports - 1) * sizeof text >= PARLEY_STORE_BYTES_MAX - sizeof text);
    struct parley_span waiting = story_seal(peer, sealed, &ping);
    story_send_bytes(&story, peer, waiting);
    assert_int_equal(story.consumed, 0);
    story_forget(&story);
    story_stored(&story, PARLEY_E_OK);
    assert_true(story_has(&story, "RESUME A"));
    story_settle(&story);
    story_send_bytes(&story, peer, waiting);
    assert_int_equal(story.consumed, waiting.size);
    /* What was refused is taken now. */
    story_forget(&story);
    story_import(&story, 1000, PARLEY_EVENT_IMPORT_CHUNK, last);
    story_settle(&story);
    assert_int_equal(status_of(&story).entries_count, imports);
    story_end(&story);
}

/* Addresses of strangers are not dialled, and cost nothing but their bytes. */
static void test_addresses_are_passed_over(void **state) {
    static uint8_t bytes[PARLEY_MESSAGE_BYTES_MAX];
    struct story story;
    struct parley_writer writer;
    struct parley_wire_message message = {.type = PARLEY_WIRE_ADDRESSES};
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_forget(&story);
    parley_writer_init(&writer, bytes, sizeof bytes);
    for (unsigned i = 0; i < 16; i++)
        parley_wire_put_address(&writer, PARLEY_SPAN("pnode1x@far:1", 13));
    message.as.addresses.records = parley_wire_list_of(&writer, 16);
    for (unsigned i = 0; i < 1000; i++)
        story_send(&story, peer, &message);
    story_expect(&story, "");
    assert_int_equal(status_of(&story).peers_count, 1);
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_without_end),
        cmocka_unit_test(test_bad_records_take_no_row),
        cmocka_unit_test(test_strangers_leave_room),
        cmocka_unit_test(test_interest_is_full),
        cmocka_unit_test(test_book_is_full),
        cmocka_unit_test(test_stores_are_full),
        cmocka_unit_test(test_addresses_are_passed_over),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("bounds", tests, NULL, NULL) == 0 ? 0 : 1;
}
