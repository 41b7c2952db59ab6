#include "story.h"

#include <parley/address.h>
#include <stdio.h>
#include <stdlib.h>

/* Addresses told and taken, links of its own, and who is kept out. */

static const struct story_sizes SIZES = {.peers = 32, .authors = 16, .logs = 16};

static struct parley_remote remote_of(const char *host, unsigned bits) {
    struct parley_remote remote = {.prefix_bits = bits};
    assert_true(parley_ip_decode(&remote.ip, host));
    remote.network = parley_network_of_ip(&remote.ip);
    return remote;
}

static void begin(struct story *story) {
    story_begin_sized(story, true, &SIZES);
    story_wait(story, 1000);
    story->features = PARLEY_WIRE_ADDRESSING;
    story->remote = remote_of("9.1.0.1", 0);
}

/* What the puppet's node, and one of any other name, would say of itself. */
static struct parley_span record_of(struct story *story, char name, const char *place) {
    static uint8_t room[8][PARLEY_ADDRESS_RECORD_MAX];
    static unsigned next;
    uint8_t *bytes = room[next++ % 8];
    struct parley_address address = {.port = 0};
    struct parley_seed seed = {{0}};
    struct parley_secret_key secret;
    struct parley_node_key key;
    struct parley_span record;
    seed.bytes[0] = (uint8_t)name;
    parley_key_pair(&secret, key.bytes, &seed);
    assert_int_equal(parley_place_decode(&address, PARLEY_SPAN(place, strlen(place))).error,
                     PARLEY_E_OK);
    assert_int_equal(parley_address_record_make(&record, bytes, PARLEY_ADDRESS_RECORD_MAX, &secret,
                                                STORY_WALL_START + story->now, &address, 1),
                     PARLEY_E_OK);
    return record;
}

static void say(struct story *story, struct story_puppet *puppet, enum parley_wire_type type,
                const struct parley_span *records, size_t count, size_t padding) {
    static uint8_t bytes[PARLEY_MESSAGE_BYTES_MAX], zeros[PARLEY_WIRE_PADDING_MAX];
    struct parley_wire_message message = {.type = type};
    struct parley_writer writer;
    parley_writer_init(&writer, bytes, sizeof bytes);
    for (size_t i = 0; i < count; i++)
        parley_wire_put_address(&writer, records[i]);
    if (type == PARLEY_WIRE_ADDRESSES)
        message.as.addresses.records = parley_wire_list_of(&writer, count);
    else
        message.as.shuffle.records = parley_wire_list_of(&writer, count);
    message.as.shuffle.padding = PARLEY_SPAN(zeros, padding);
    story_send(story, puppet, &message);
}

/* An answer to the shuffle that waits for one. */
static void answer(struct story *story, struct story_puppet *puppet, struct parley_span record) {
    say(story, puppet, PARLEY_WIRE_ADDRESSES, &record, 1, 0);
}

static void wait_for(struct story *story, parley_time_ms ms) {
    parley_time_ms end = story->now + ms;
    while (story->now < end) {
        story_wait(story, 250);
        story_settle(story);
    }
}

static void test_learns_and_dials(void **state) {
    struct story story;
    begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    assert_true(story_has(&story, "A message 11")); /* asked at once */
    answer(&story, peer, record_of(&story, 'B', "9.2.0.1:7373"));
    assert_true(story_has(&story, "VERIFY"));
    story_settle(&story);
    wait_for(&story, 2 * PARLEY_DIAL_PACE_MS);
    assert_true(story_has(&story, "DIAL 9.2.0.1"));
    assert_false(story.is_owners); /* by a peer's word: the shell looks where it leads */
    story.remote = remote_of("9.2.0.1", 0);
    story_hello(&story, story_answer(&story, 'B'));
    assert_true(story_has(&story, "B message 11"));
    struct parley_node_status status;
    parley_node_status(story.node, &status);
    assert_int_equal(status.outbound_count, 1);
    assert_int_equal(status.addresses_count, 1);
    assert_int_equal(status.reached_count, 1);
    story_end(&story);
}

static void test_unasked_is_not_heard(void **state) {
    struct story story;
    begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    say(&story, peer, PARLEY_WIRE_ADDRESSES, NULL, 0, 0); /* that was the answer */
    story_forget(&story);
    for (unsigned i = 0; i < 100; i++)
        answer(&story, peer, record_of(&story, 'B', "9.2.0.1:7373"));
    assert_false(story_has(&story, "VERIFY"));
    story_end(&story);
}

/* Nor anything while the owner wants his own peers alone, or over a link within this machine. */
static void test_closed_nodes_do_not_learn(void **state) {
    struct story story;
    begin(&story);
    story.config.discover = false;
    story_restart(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    assert_false(story_has(&story, "A message 11"));
    struct parley_span record = record_of(&story, 'B', "9.2.0.1:7373");
    say(&story, peer, PARLEY_WIRE_SHUFFLE, &record, 1, 640);
    story_end(&story);
    begin(&story);
    story.remote = (struct parley_remote){.network = PARLEY_NETWORK_NONE};
    peer = story_peer(&story, 'A');
    say(&story, peer, PARLEY_WIRE_SHUFFLE, &record, 1, 640);
    assert_false(story_has(&story, "A message 11") || story_has(&story, "A message 5"));
    assert_false(story_has(&story, "VERIFY"));
    story_end(&story);
}

/* What a puppet is told of the node itself. */
struct records {
    bool has_place;
};

static void note_records(struct story *story, const struct story_puppet *puppet,
                         const struct parley_wire_message *message) {
    struct records *told = story->context;
    struct parley_wire_list records = message->as.shuffle.records;
    struct parley_span bytes;
    if (message->type != PARLEY_WIRE_SHUFFLE)
        return;
    while (parley_wire_next_address(&records, &bytes)) {
        struct parley_address_record record;
        struct parley_address address;
        assert_int_equal(parley_address_record_decode(&record, bytes).error, PARLEY_E_OK);
        struct parley_span places = record.places;
        while (parley_address_record_next(&address, &record, &places))
            told->has_place |= strcmp(address.host, "9.7.7.7") == 0;
    }
}

static void test_where_no_word_leads(void **state) {
    static const char *const places[] = {
        "127.0.0.1:7373", "0.0.0.0:7373",   "224.0.0.1:7373", "10.0.0.1:7373",
        "9.2.0.1:80",     "localhost:7373", "127.1:7373",     "x.onion:7373",
        "[::1]:7373",     "9.9.0.1:7373", /* ours */
    };
    struct story story;
    struct parley_address own = {.transport = "tcp", .host = "9.9.0.1", .port = 7373};
    begin(&story);
    story.config.places = &own;
    story.config.places_count = 1;
    story_restart(&story);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct story_puppet *peer = story_peer(&story, 'A');
        answer(&story, peer, record_of(&story, (char)('b' + i), places[i]));
        if (story_has(&story, "VERIFY") || !peer->is_open)
            fail_msg("%s", places[i]);
        story_closed(&story, peer);
        story_forget(&story);
    }
    story_end(&story);
}

static void test_old_and_early_are_passed_over(void **state) {
    struct story story;
    begin(&story);
    story_wait(&story, PARLEY_RECORD_AGE_MAX_MS + 1000);
    struct story_puppet *peer = story_peer(&story, 'A');
    parley_time_ms now = story.now;
    story.now = 500;
    struct parley_span old = record_of(&story, 'B', "9.2.0.1:7373");
    story.now = now + 2 * PARLEY_RECORD_AHEAD_MS;
    struct parley_span early = record_of(&story, 'C', "9.3.0.1:7373");
    story.now = now;
    struct parley_span both[] = {old, early};
    say(&story, peer, PARLEY_WIRE_ADDRESSES, both, 2, 0);
    assert_false(story_has(&story, "VERIFY") || story_has(&story, "A goodbye 1"));
    story_end(&story);
}

/* ---- networks ------------------------------------------------------------------------------ */

static void note_places(struct story *story, const struct story_puppet *puppet,
                        const struct parley_wire_message *message) {
    char *text = story->context;
    struct parley_wire_list records = message->as.shuffle.records;
    struct parley_span bytes;
    if (message->type != PARLEY_WIRE_SHUFFLE)
        return;
    while (parley_wire_next_address(&records, &bytes)) {
        struct parley_address_record record;
        struct parley_address address;
        assert_int_equal(parley_address_record_decode(&record, bytes).error, PARLEY_E_OK);
        struct parley_span places = record.places;
        while (parley_address_record_next(&address, &record, &places)) {
            strcat(text, address.host);
            strcat(text, " ");
        }
    }
}

static void test_networks_are_kept_apart(void **state) {
    static const struct parley_address own[] = {
        {.transport = "tcp", .host = "10.7.1.1", .port = 7373},
        {.transport = "tcp", .host = "10.7.2.1", .port = 7373},
        {.transport = "tcp", .host = "9.9.0.1", .port = 7373},
    };
    char said[512] = "";
    struct story story;
    begin(&story);
    story.config.places = own;
    story.config.places_count = 3;
    story_restart(&story);
    story.on_message = note_places;
    story.context = said;
    story.remote = remote_of("10.7.1.2", 96 + 24);
    struct story_puppet *left = story_peer(&story, 'A');
    assert_string_equal(said, "10.7.1.1 ");
    struct parley_span records[] = {record_of(&story, 'X', "10.7.1.9:7373"),
                                    record_of(&story, 'Y', "10.7.2.9:7373"),
                                    record_of(&story, 'Z', "9.2.0.1:7373")};
    say(&story, left, PARLEY_WIRE_ADDRESSES, records, 3, 0);
    assert_int_equal(story.verifies_count, 1); /* that of its own network */
    story_settle(&story);
    wait_for(&story, 2 * PARLEY_DIAL_PACE_MS);
    assert_true(story_has(&story, "DIAL 10.7.1.9"));
    said[0] = '\0';
    story.remote = remote_of("10.7.2.2", 96 + 24);
    (void)story_peer(&story, 'B');
    assert_string_equal(said, "10.7.2.1 ");
    said[0] = '\0';
    story.remote = remote_of("9.1.0.1", 0);
    (void)story_peer(&story, 'C');
    assert_string_equal(said, "9.9.0.1 ");
    story_end(&story);
}

/* ---- bounds -------------------------------------------------------------------------------- */

static size_t answered;

static void note_size(struct story *story, const struct story_puppet *puppet,
                      const struct parley_wire_message *message) {
    struct parley_wire_list records = message->as.addresses.records;
    if (message->type == PARLEY_WIRE_ADDRESSES)
        answered = records.bytes.size;
}

/* No answer is worth more than twice its question, and none comes while one has just been given. */
static void test_answers_are_no_larger(void **state) {
    static const struct parley_address own = {.transport = "tcp", .host = "9.9.0.1", .port = 7373};
    struct story story;
    begin(&story);
    story.config.places = &own;
    story.config.places_count = 1;
    story_restart(&story);
    story.on_message = note_size;
    answered = SIZE_MAX;
    struct story_puppet *peer = story_peer(&story, 'A');
    say(&story, peer, PARLEY_WIRE_SHUFFLE, NULL, 0, 20);
    assert_int_equal(answered, 0);
    answered = SIZE_MAX;
    say(&story, peer, PARLEY_WIRE_SHUFFLE, NULL, 0, 640);
    assert_int_equal(answered, SIZE_MAX);
    wait_for(&story, PARLEY_SHUFFLE_PAUSE_MS);
    say(&story, peer, PARLEY_WIRE_SHUFFLE, NULL, 0, 640);
    assert_in_range(answered, 100, 2 * 650);
    story_end(&story);
}

static void test_floods_are_not_looked_at(void **state) {
    struct story story;
    begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    for (unsigned i = 0; i < 60; i++) {
        char place[32];
        snprintf(place, sizeof place, "9.%u.0.1:7373", i + 2);
        struct parley_span record = record_of(&story, (char)(i + 100), place);
        say(&story, peer, PARLEY_WIRE_SHUFFLE, &record, 1, 0);
    }
    assert_int_equal(story.verifies_count, PARLEY_RECORDS_BURST);
    story_settle(&story);
    story_wait(&story, 3 * PARLEY_RECORD_EVERY_MS);
    story_settle(&story);
    for (unsigned i = 60; i < 70; i++) {
        char place[32];
        snprintf(place, sizeof place, "9.%u.0.1:7373", i + 2);
        struct parley_span record = record_of(&story, (char)(i + 100), place);
        say(&story, peer, PARLEY_WIRE_SHUFFLE, &record, 1, 0);
    }
    assert_int_equal(story.verifies_count, 3);
    story_end(&story);
}

static void test_no_place_but_addresses(void **state) {
    static const struct parley_address own = {.transport = "tcp", .host = "9.9.0.1", .port = 7373};
    struct story story;
    begin(&story);
    story.config.places = &own;
    story.config.places_count = 1;
    story_restart(&story);
    for (parley_connection i = 0; i < 24; i++) {
        struct parley_event event = {.kind = PARLEY_EVENT_ACCEPTED};
        event.opened.connection = 100000 + 2 * i;
        story_step(&story, &event);
    }
    story_forget(&story);
    struct story_puppet *peer = story_accept(&story, 'A');
    story_hello(&story, peer);
    assert_true(story_has(&story, "A message 5") && story_has(&story, "A goodbye 4"));
    assert_true(story_has(&story, "CLOSE A FULL"));
    story_end(&story);
}

/* ---- over a restart ------------------------------------------------------------------------ */

static void test_anchors_come_first(void **state) {
    struct story story;
    begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    struct parley_wire_message pong = {.type = PARLEY_WIRE_PONG};
    answer(&story, peer, record_of(&story, 'B', "9.2.0.1:7373"));
    story_settle(&story);
    story_wait(&story, PARLEY_DIAL_PACE_MS);
    assert_true(story_has(&story, "DIAL 9.2.0.1"));
    story.remote = remote_of("9.2.0.1", 0);
    struct story_puppet *linked = story_answer(&story, 'B');
    story_hello(&story, linked);
    wait_for(&story, PARLEY_LINK_LASTED_MS);
    for (unsigned i = 0; i < 7; i++) {
        char place[32];
        snprintf(place, sizeof place, "9.%u.0.1:7373", i + 3);
        struct parley_span record = record_of(&story, (char)('C' + i), place);
        say(&story, peer, PARLEY_WIRE_SHUFFLE, &record, 1, 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        story_send(&story, peer, &pong);
        story_send(&story, linked, &pong);
        wait_for(&story, PARLEY_BOOK_KEEP_MS);
    }
    for (unsigned i = 0; i < 5; i++) {
        story.host[0] = '\0';
        story_restart(&story);
        assert_string_equal(story.host, "9.2.0.1");
        struct parley_node_status status;
        parley_node_status(story.node, &status);
        assert_in_range(status.addresses_count, 6, 8); /* two may want one place */
    }
    story_end(&story);
}

/* ---- who is kept out ----------------------------------------------------------------------- */

/* A connection of A from another place each time; true: it was let in. */
static bool is_let_in(struct story *story, unsigned number) {
    char host[32];
    snprintf(host, sizeof host, "9.77.0.%u", number);
    story->remote = remote_of(host, 0);
    struct story_puppet *peer = story_accept(story, 'A');
    story_hello(story, peer);
    bool is_in = !story_has(story, "A goodbye 4");
    if (!is_in)
        story_closed(story, peer);
    story_forget(story);
    return is_in;
}

static void be_at_fault(struct story *story) {
    story_hello(story, &story->puppets[0]); /* a second one */
    assert_true(story_has(story, "CLOSE A BAD_MESSAGE"));
    story_closed(story, &story->puppets[0]);
    story_forget(story);
}

static void test_faults_keep_out(void **state) {
    struct story story;
    begin(&story);
    assert_true(is_let_in(&story, 1));
    for (unsigned i = 0; i < 4; i++) {
        parley_time_ms length = PARLEY_BAN_MIN_MS << i;
        be_at_fault(&story);
        assert_false(is_let_in(&story, 2));
        story_wait(&story, length - 1000);
        assert_false(is_let_in(&story, 3));
        story_wait(&story, 1000);
        assert_true(is_let_in(&story, 4)); /* and twice as long the next time */
    }
    /* Forgiven after a while without a fault. */
    story_closed(&story, &story.puppets[0]);
    story_wait(&story, 5 * PARLEY_BAN_FORGIVEN_MS);
    assert_true(is_let_in(&story, 5));
    be_at_fault(&story);
    story_wait(&story, PARLEY_BAN_MIN_MS);
    assert_true(is_let_in(&story, 6));
    story_end(&story);
}

static void connect_to(struct story *story, const struct parley_node_key *key, bool is_heard) {
    struct parley_event event = {.kind = PARLEY_EVENT_CONNECT};
    event.connect.address = (struct parley_address){.key = *key, .host = "9.77.0.9", .port = 1};
    snprintf(event.connect.address.transport, sizeof event.connect.address.transport, "tcp");
    event.connect.is_passing = true;
    event.connect.is_heard = is_heard;
    story_step(story, &event);
}

/* What anybody says on the network brings nobody back; the owner's hand does. */
static void test_only_the_owner_lets_in_again(void **state) {
    struct story story;
    begin(&story);
    assert_true(is_let_in(&story, 1));
    struct parley_node_key key = story.puppets[0].key;
    be_at_fault(&story);
    story.host[0] = '\0';
    connect_to(&story, &key, true);
    story_wait(&story, 1000);
    assert_string_equal(story.host, "");
    assert_false(is_let_in(&story, 2));
    connect_to(&story, &key, false);
    assert_string_equal(story.host, "9.77.0.9");
    story_end(&story);
}

/* Whatever key it says: after several faults the place itself is closed, without a word. */
static void test_places_are_kept_out(void **state) {
    struct story story;
    begin(&story);
    for (unsigned i = 0; i < PARLEY_BAN_PLACE_POINTS / PARLEY_BAN_FAULT_POINTS; i++) {
        story.remote = remote_of("9.77.0.1", 0);
        struct story_puppet *peer = story_accept(&story, (char)('A' + i % 4));
        story_hello(&story, peer);
        story_hello(&story, peer);
        story_closed(&story, peer);
    }
    story_forget(&story);
    struct parley_event event = {.kind = PARLEY_EVENT_ACCEPTED};
    event.opened.connection = 100000;
    event.opened.remote = story.remote;
    story_step(&story, &event);
    assert_true(story_has(&story, "CLOSE ? FULL"));
    story_forget(&story);
    event.opened.connection = 100002;
    event.opened.remote = remote_of("9.77.0.2", 0);
    story_step(&story, &event);
    assert_false(story_has(&story, "CLOSE ? FULL"));
    story_end(&story);
}

/* Who sits on the path can make bytes that do not open: nobody is kept out for them. */
static void test_broken_bytes_are_nobodys(void **state) {
    static uint8_t out[PARLEY_LINK_SEALED_MAX];
    struct parley_wire_message message = {.type = PARLEY_WIRE_PING};
    struct story story;
    begin(&story);
    for (unsigned i = 0; i < 20; i++) {
        assert_true(is_let_in(&story, 1));
        struct parley_span sealed = story_seal(&story.puppets[0], out, &message);
        out[5] ^= 1;
        story_send_bytes(&story, &story.puppets[0], sealed);
        assert_true(story_has(&story, "CLOSE A BAD_SEAL"));
        story_closed(&story, &story.puppets[0]);
        story_forget(&story);
    }
    story_end(&story);
}

static void test_false_records_are_a_fault(void **state) {
    struct story story;
    begin(&story);
    assert_true(is_let_in(&story, 1));
    struct parley_span record = record_of(&story, 'B', "9.2.0.1:7373");
    ((uint8_t *)(uintptr_t)record.data)[record.size - 1] ^= 1;
    answer(&story, &story.puppets[0], record);
    story_settle(&story);
    assert_true(story_has(&story, "CLOSE A BAD_SIGNATURE"));
    story_closed(&story, &story.puppets[0]);
    story_forget(&story);
    assert_false(is_let_in(&story, 2));
    /* The owner's word lets it in again. */
    story_connect(&story, 9, 'A');
    story_settle(&story);
    struct parley_event event = {.kind = PARLEY_EVENT_DIAL_FAILED};
    event.connection = story.dialled;
    story_step(&story, &event);
    assert_true(is_let_in(&story, 3));
    story_end(&story);
}

/* A router has passed a port on: what is told from then on says so, and is newer. */
static void test_places_change(void **state) {
    struct story story;
    begin(&story);
    struct parley_address place = {.transport = "tcp", .port = 7373};
    struct parley_event event = {.kind = PARLEY_EVENT_PLACES};
    struct records told = {0};
    (void)snprintf(place.host, sizeof place.host, "9.7.7.7");
    event.places.request = 9;
    event.places.places = &place;
    event.places.places_count = 1;
    story_step(&story, &event);
    assert_true(story_has(&story, "REPLY 9 OK 0"));
    story.on_message = note_records;
    story.context = &told;
    (void)story_peer(&story, 'A');
    assert_true(told.has_place);
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns_and_dials),
        cmocka_unit_test(test_unasked_is_not_heard),
        cmocka_unit_test(test_closed_nodes_do_not_learn),
        cmocka_unit_test(test_where_no_word_leads),
        cmocka_unit_test(test_old_and_early_are_passed_over),
        cmocka_unit_test(test_networks_are_kept_apart),
        cmocka_unit_test(test_answers_are_no_larger),
        cmocka_unit_test(test_floods_are_not_looked_at),
        cmocka_unit_test(test_no_place_but_addresses),
        cmocka_unit_test(test_anchors_come_first),
        cmocka_unit_test(test_faults_keep_out),
        cmocka_unit_test(test_only_the_owner_lets_in_again),
        cmocka_unit_test(test_places_are_kept_out),
        cmocka_unit_test(test_broken_bytes_are_nobodys),
        cmocka_unit_test(test_false_records_are_a_fault),
        cmocka_unit_test(test_places_change),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("views", tests, NULL, NULL) == 0 ? 0 : 1;
}
