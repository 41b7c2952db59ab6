#include "story.h"

#include <parley/node_limits.h>
#include <stdlib.h>

/* Who says too much is not read for a while, is not blamed for it, and delays nobody else. */

static uint8_t sealed[PARLEY_LINK_SEALED_MAX];

/* One that costs 16. False: it was not read. */
static bool ask_heads(struct story *story, struct story_puppet *puppet) {
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_HEADS};
    ask.as.ask_heads.session = PARLEY_HEADS_CHANGES;
    struct parley_span bytes = story_seal(puppet, sealed, &ask);
    story_send_bytes(story, puppet, bytes);
    return story->consumed == bytes.size;
}

/* Until it is not read; how many were. */
static unsigned flood(struct story *story, struct story_puppet *puppet) {
    unsigned count = 0;
    while (count < 10000 && ask_heads(story, puppet))
        count++;
    return count;
}

static void begin(struct story *story) {
    story_begin_relay(story);
    story->is_silent = true;
}

static void test_flood_waits(void **state) {
    struct story story;
    begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    unsigned count = flood(&story, peer);
    assert_in_range(count, PARLEY_STRANGERS_ASKS_RATE / 16 - 8,
                    2 * PARLEY_STRANGERS_ASKS_RATE / 16);
    story_forget(&story);
    story_wait(&story, 1000);
    assert_true(story_has(&story, "RESUME A"));
    assert_false(story_has(&story, "CLOSE A OVER_BUDGET"));
    /* What was not read is still there; so is the link. */
    story_send_bytes(&story, peer, PARLEY_SPAN(sealed, PARLEY_LINK_SEALED_SIZE(3)));
    assert_int_equal(story.consumed, PARLEY_LINK_SEALED_SIZE(3));
    story_end(&story);
}

/* The bucket of all strangers is empty: each has its share, and who was named by the owner needs
 * none. */
static void test_flood_delays_nobody_else(void **state) {
    struct story story;
    begin(&story);
    struct story_puppet *quiet = story_peer(&story, 'B');
    story_wait(&story, 1000);
    (void)flood(&story, story_peer(&story, 'A'));
    assert_true(ask_heads(&story, quiet));
    story_connect(&story, 1, 'C');
    story_settle(&story);
    struct story_puppet *named = story_answer(&story, 'C');
    story_hello(&story, named);
    assert_in_range(flood(&story, named), PARLEY_PEER_ASKS_BURST / 16 - 2,
                    PARLEY_PEER_ASKS_BURST / 16 + 2);
    story_end(&story);
}

/* Who copies asks for each author and each log: the more is held, the more may be asked at once. */
static void test_all_that_is_held(void **state) {
    static const struct story_sizes sizes = {.peers = 4, .authors = 256, .logs = 256};
    struct story story;
    struct story_person writer;
    story_begin_sized(&story, true, &sizes);
    story.is_silent = true;
    for (unsigned i = 0; i < 100; i++) {
        story_person(&writer, (uint8_t)(20 + i));
        story_know(&story, &writer);
        story_settle(&story);
    }
    story_connect(&story, 1, 'C');
    story_settle(&story);
    struct story_puppet *named = story_answer(&story, 'C');
    story_hello(&story, named);
    /* An author and a log of each. */
    assert_in_range(flood(&story, named),
                    (PARLEY_PEER_ASKS_BURST + 200 * PARLEY_ASKS_FOR_HELD) / 16 - 2,
                    (PARLEY_PEER_ASKS_BURST + 200 * PARLEY_ASKS_FOR_HELD) / 16 + 2);
    story_end(&story);
}

#define PINGS_COUNT 200u
static uint8_t many[PINGS_COUNT * 64];

/* So many in `many`; returns their size. */
static size_t seal_pings(struct story_puppet *peer, size_t *one) {
    struct parley_wire_message ping = {.type = PARLEY_WIRE_PING};
    size_t size = 0;
    for (unsigned i = 0; i < PINGS_COUNT; i++) {
        struct parley_span bytes = story_seal(peer, sealed, &ping);
        memcpy(many + size, bytes.data, bytes.size);
        size += *one = bytes.size;
    }
    return size;
}

/* Much in one piece is read in portions: others have their turn in between. */
static void test_portions(void **state) {
    struct story story;
    size_t one;
    begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    size_t size = seal_pings(peer, &one);
    for (size_t at = 0; at < size; at += story.consumed) {
        story_forget(&story);
        story_send_bytes(&story, peer, PARLEY_SPAN(many + at, size - at));
        assert_in_range(story.consumed, one, PARLEY_ASKS_PER_STEP * one);
        assert_true(at + story.consumed == size || story_has(&story, "RESUME A"));
    }
    story_end(&story);
}

/* Where peers are many, all of them are looked at in one step of each millisecond. */
static void test_many_peers(void **state) {
    struct story story;
    size_t one;
    story_begin_sized(
        &story, true,
        &(struct story_sizes){.peers = 4 * PARLEY_PEERS_FEW, .authors = 8, .logs = 8});
    story.is_silent = true;
    struct story_puppet *peer = story_peer(&story, 'A');
    for (unsigned i = 0; i < PARLEY_PEERS_FEW; i++) {
        struct parley_event event = {.kind = PARLEY_EVENT_ACCEPTED};
        event.opened.connection = 1000000 + 2 * i;
        story_step(&story, &event);
    }
    story_wait(&story, 10);
    size_t size = seal_pings(peer, &one);
    story_forget(&story);
    for (size_t at = 0; at < size; at += story.consumed) {
        story_send_bytes(&story, peer, PARLEY_SPAN(many + at, size - at));
        if (story.consumed == 0)
            break;
    }
    assert_false(story_has(&story, "RESUME A"));
    assert_int_equal(parley_node_deadline(story.node), story.now + 1);
    story_wait(&story, 1);
    assert_true(story_has(&story, "RESUME A"));
    assert_true(parley_node_deadline(story.node) > story.now + 1);
    story_end(&story);
}

/* What was not here costs nothing, however much it is. */
static void test_new_entries_are_free(void **state) {
    struct story story;
    struct story_person writer;
    static uint8_t chunk[PARLEY_CHUNK_BUFFER_SIZE], body[60000];
    begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_person(&writer, 9);
    story_introduce(&story, peer, &writer);
    story_settle(&story);
    for (size_t bytes = 0; bytes < 2 * PARLEY_PEER_BYTES_BURST; bytes += sizeof body) {
        story_push(&story, peer, story_body(&writer, PARLEY_SPAN(body, sizeof body), chunk));
        assert_true(story.consumed > 0);
        story_settle(&story);
        story_forget(&story);
    }
    /* Once more, it was for nothing. */
    struct parley_wire_message again = {.type = PARLEY_WIRE_PUSH};
    again.as.push.chunk = story_body(&writer, PARLEY_SPAN(body, sizeof body), chunk);
    story_send(&story, peer, &again);
    story_settle(&story);
    size_t bytes = 0;
    do {
        story_send(&story, peer, &again);
        bytes += sizeof body;
    } while (bytes <= PARLEY_PEER_BYTES_BURST && story.consumed > 0);
    assert_in_range(bytes, PARLEY_PEER_BYTES_BURST / 2, PARLEY_PEER_BYTES_BURST + sizeof body);
    story_end(&story);
}

/* Pushes new entries until one is not read, or so many. */
static unsigned push_new(struct story *story, struct story_puppet *peer, unsigned most) {
    static uint8_t chunk[PARLEY_CHUNK_BUFFER_SIZE];
    struct story_person writer;
    unsigned count = 0;
    story_person(&writer, 9);
    story_introduce(story, peer, &writer);
    story_settle(story);
    do {
        story_push(story, peer, story_entry(&writer, "new", chunk));
        if (story->consumed == 0)
            break;
        story_settle(story);
        story_forget(story);
    } while (++count < most);
    return count;
}

/* Whom the owner named may bring as much as there is; of strangers, whose names cost nothing, each
 * check counts. */
static void test_good_checks_are_free(void **state) {
    const unsigned most = PARLEY_PEER_CHECKS_BURST + 100;
    struct story story;
    begin(&story);
    (void)story_peer(&story, 'B');
    story_connect(&story, 1, 'C');
    story_settle(&story);
    struct story_puppet *named = story_answer(&story, 'C');
    story_hello(&story, named);
    assert_int_equal(push_new(&story, named, most), most);
    story_end(&story);
    begin(&story);
    assert_in_range(push_new(&story, story_peer(&story, 'A'), most),
                    PARLEY_STRANGERS_CHECKS_RATE - 8, 2 * PARLEY_STRANGERS_CHECKS_RATE);
    story_end(&story);
}

/* --- what is told again -------------------------------------------------------------------- */

#define WRITERS 12

struct told {
    unsigned asks, authors;
};

static void count_told(struct story *story, const struct story_puppet *puppet,
                       const struct parley_wire_message *message) {
    struct told *told = story->context;
    (void)puppet;
    if (message->type == PARLEY_WIRE_HEADS)
        told->authors += (unsigned)message->as.heads.authors.count;
}

static struct story_puppet *begin_with(struct story *story, struct told *told,
                                       struct story_person *writers, unsigned count) {
    static const struct story_sizes sizes = {.peers = 4, .authors = 128, .logs = 128};
    story_begin_sized(story, true, &sizes);
    story->is_silent = true;
    for (unsigned i = 0; i < count; i++) {
        uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
        story_person(&writers[i], (uint8_t)(9 + i));
        story_know(story, &writers[i]);
        story_import(story, 0, PARLEY_EVENT_IMPORT_CHUNK, story_entries(&writers[i], 1, buffer));
        story_settle(story);
    }
    story->on_message = count_told;
    story->context = told;
    return story_peer(story, 'A');
}

static struct story_puppet *begin_with_writers(struct story *story, struct told *told,
                                               struct story_person writers[WRITERS]) {
    return begin_with(story, told, writers, WRITERS);
}

/* A link costs a stranger nothing: what it asks for at first is paid for, too, and comes as it is.
 */
static void test_heads_of_a_stranger(void **state) {
    struct story_person writers[100];
    struct story story;
    struct told told = {0};
    unsigned at_once = PARLEY_TELLING_START / PARLEY_HEAD_BYTES;
    (void)begin_with(&story, &told, writers, 100);
    assert_in_range(told.authors, at_once, at_once + 8); /* what it said pays for some */
    story_wait(&story, 20000);
    assert_in_range(told.authors, at_once + 8, 90);
    for (unsigned i = 0; i < 90; i++)
        story_wait(&story, 1000);
    assert_int_equal(told.authors, 100);
    story_end(&story);
}

/* Sent to it for each byte of its own, beyond what it may be told at first. */
static double times_more(struct story *story, const struct parley_node_peer *before) {
    struct parley_node_peer now;
    assert_true(parley_node_peer_next(story->node, &(size_t){0}, &now));
    return ((double)(now.sent_bytes - before->sent_bytes) - PARLEY_TELLING_BURST) /
           (double)(now.received_bytes - before->received_bytes);
}

/* All heads again and again: as many bytes as that costs its asker, and a few in time. */
static void test_heads_again_are_paid_for(void **state) {
    struct story story;
    struct story_person writers[WRITERS];
    struct told told = {0};
    struct parley_node_peer before;
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_HEADS};
    struct story_puppet *peer = begin_with_writers(&story, &told, writers);
    assert_int_equal(told.authors, WRITERS); /* at once: few */
    assert_true(parley_node_peer_next(story.node, &(size_t){0}, &before));
    for (unsigned i = 0; i < 3000; i++) {
        story_send(&story, peer, &ask);
        if (i % 100 == 99)
            story_wait(&story, 300);
    }
    assert_true(times_more(&story, &before) < PARLEY_TELLING_FOR_EACH + 0.5);
    /* What it asked for comes. */
    told.authors = 0;
    for (unsigned i = 0; i < 300; i++) {
        story_wait(&story, 1000);
        if (i % 60 == 59)
            (void)ask_heads(&story, peer);
    }
    assert_int_equal(told.authors, WRITERS);
    /* Asked for every second it comes when there is that much again. */
    told.authors = 0;
    for (unsigned i = 0; i < 300; i++) {
        story_send(&story, peer, &ask);
        story_wait(&story, 1000);
    }
    assert_in_range(told.authors, WRITERS, 300 * WRITERS / 4);
    story_end(&story);
}

static void change_interest(struct story *story, struct story_puppet *peer,
                            const struct parley_author *author, bool on) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_INTEREST_CHANGE};
    struct parley_writer writer;
    uint8_t bytes[64];
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_author(&writer, author);
    if (on)
        message.as.interest_change.added = parley_wire_list_of(&writer, 1);
    else
        message.as.interest_change.removed = parley_wire_list_of(&writer, 1);
    story_send(story, peer, &message);
}

/* In and out of its interest; and asked for by name. */
static void test_names_again_are_paid_for(void **state) {
    struct story story;
    struct story_person writers[WRITERS];
    struct told told = {0};
    struct parley_node_peer before;
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_HEADS_OF};
    struct parley_writer writer;
    uint8_t bytes[64 * WRITERS];
    struct story_puppet *peer = begin_with_writers(&story, &told, writers);
    story_interest(&story, peer, PARLEY_INTEREST_NOTHING);
    assert_true(parley_node_peer_next(story.node, &(size_t){0}, &before));
    parley_writer_init(&writer, bytes, sizeof bytes);
    for (unsigned i = 0; i < WRITERS; i++)
        parley_wire_put_log(&writer, &writers[i].log);
    ask.as.ask_heads_of.logs = parley_wire_list_of(&writer, WRITERS);
    told.authors = 0;
    for (unsigned i = 0; i < 3000; i++) {
        change_interest(&story, peer, &writers[0].author, i % 2 == 0);
        story_send(&story, peer, &ask);
        story_wait(&story, 3);
        assert_true(told.authors >= 1 + WRITERS); /* at first they come at once */
    }
    assert_true(times_more(&story, &before) < PARLEY_TELLING_FOR_EACH + 0.5);
    story_end(&story);
}

/* Of an author with many devices, each time behind a name that is new: whatever the link wants. */
static void test_many_logs_again_are_paid_for(void **state) {
    static const struct story_sizes sizes = {.peers = 8, .authors = 16, .logs = 128};
    static const enum parley_interest_mode modes[] = {PARLEY_INTEREST_NOTHING,
                                                      PARLEY_INTEREST_EVERYTHING};
    for (size_t mode = 0; mode < 2; mode++) {
        struct story story;
        struct story_person writer;
        struct parley_node_peer before;
        uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE], bytes[128];
        story_begin_sized(&story, true, &sizes);
        story_person(&writer, 9);
        story_know(&story, &writer);
        for (unsigned i = 0; i < 60; i++) {
            story_device(&writer, 9, i);
            story_import(&story, 0, PARLEY_EVENT_IMPORT_RECORD, writer.certificate);
            story_settle(&story);
            story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK, story_entry(&writer, "1", buffer));
            story_settle(&story);
        }
        story.is_silent = true;
        struct story_puppet *peer = story_peer(&story, 'A');
        story_interest(&story, peer, modes[mode]);
        assert_true(parley_node_peer_next(story.node, &(size_t){0}, &before));
        for (unsigned i = 0; i < 3000; i++) {
            struct parley_wire_message message = {.type = PARLEY_WIRE_INTEREST_CHANGE};
            struct parley_author junk = {{1}};
            struct parley_writer names;
            parley_put_u64(junk.bytes + 8, i);
            change_interest(&story, peer, &writer.author, false);
            parley_writer_init(&names, bytes, sizeof bytes);
            parley_wire_put_author(&names, &junk);
            parley_wire_put_author(&names, &writer.author);
            message.as.interest_change.added = parley_wire_list_of(&names, 2);
            story_send(&story, peer, &message);
            story_wait(&story, 3);
        }
        assert_true(times_more(&story, &before) < PARLEY_TELLING_FOR_EACH + 0.5);
        story_end(&story);
    }
}

/* Of forks that it shows nobody: who is told each time how far this node's logs go, pays for it. */
static void test_forked_again_is_paid_for(void **state) {
    static uint8_t bytes[8192];
    struct story story;
    struct story_person writers[WRITERS];
    struct told told = {0};
    struct parley_node_peer before;
    struct story_puppet *peer = begin_with_writers(&story, &told, writers);
    struct parley_log first = writers[0].log;
    story_device(&writers[0], 9, 1);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_RECORD, writers[0].certificate);
    story_settle(&story);
    struct parley_wire_message message = {.type = PARLEY_WIRE_HEADS};
    struct parley_wire_author_heads item = {.author = writers[0].author};
    struct parley_writer writer;
    parley_writer_init(&writer, bytes, sizeof bytes);
    for (unsigned i = 0; i < 60;
         i++) { /* a log that stands twice in a row would be its second head */
        struct parley_wire_head head = {.log = i % 2 == 0 ? first : writers[0].log,
                                        .forked_seq = 1};
        parley_wire_put_head(&writer, &head);
    }
    item.heads = parley_wire_list_of(&writer, 60);
    uint8_t one[sizeof bytes];
    parley_writer_init(&writer, one, sizeof one);
    parley_wire_put_author_heads(&writer, &item);
    message.as.heads.authors = parley_wire_list_of(&writer, 1);
    assert_true(parley_node_peer_next(story.node, &(size_t){0}, &before));
    told.authors = 0;
    for (unsigned i = 0; i < 300; i++) {
        story_send(&story, peer, &message);
        story_wait(&story, 100);
    }
    assert_true(told.authors > 300);
    assert_true(times_more(&story, &before) < 1.4); /* a stranger's byte pays for one */
    story_end(&story);
}

/* Flights beyond a rate wait: two of each who comes in. */
static void test_handshakes_wait(void **state) {
    struct story story;
    begin(&story);
    for (unsigned i = 0; i < PARLEY_HANDSHAKES_RATE / 2; i++) {
        struct story_puppet *puppet = story_accept(&story, 'A');
        assert_true(story.consumed > 0);
        story_closed(&story, puppet);
        story_forget(&story);
    }
    (void)story_accept(&story, 'A');
    assert_int_equal(story.consumed, 0);
    story_forget(&story);
    story_wait(&story, 100);
    assert_true(story_has(&story, "RESUME A"));
    story_end(&story);
}

/* --- time ---------------------------------------------------------------------------------- */

/* A byte now and then is no message. */
static void test_frame_without_end(void **state) {
    struct story story;
    struct parley_wire_message ping = {.type = PARLEY_WIRE_PING};
    begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    struct parley_span bytes = story_seal(peer, sealed, &ping);
    for (unsigned i = 0; i < PARLEY_IDLE_MS / 10000; i++) {
        assert_false(story_has(&story, "CLOSE A OK"));
        story_send_bytes(&story, peer, PARLEY_SPAN(bytes.data, 2 + i));
        story_wait(&story, 10000);
    }
    assert_true(story_has(&story, "CLOSE A OK"));
    story_end(&story);
}

/* Who says that it is there and takes nothing of what is sent. */
static void test_nothing_is_taken(void **state) {
    struct story story;
    begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story.is_withheld = true;
    for (unsigned i = 0; i < PARLEY_STUCK_MS / 10000; i++) {
        assert_false(story_has(&story, "CLOSE A OK"));
        (void)ask_heads(&story, peer);
        story_wait(&story, 10000);
    }
    assert_true(story_has(&story, "CLOSE A OK"));
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_flood_waits),
                                       cmocka_unit_test(test_flood_delays_nobody_else),
                                       cmocka_unit_test(test_all_that_is_held),
                                       cmocka_unit_test(test_portions),
                                       cmocka_unit_test(test_many_peers),
                                       cmocka_unit_test(test_new_entries_are_free),
                                       cmocka_unit_test(test_good_checks_are_free),
                                       cmocka_unit_test(test_forked_again_is_paid_for),
                                       cmocka_unit_test(test_handshakes_wait),
                                       cmocka_unit_test(test_frame_without_end),
                                       cmocka_unit_test(test_heads_of_a_stranger),
                                       cmocka_unit_test(test_heads_again_are_paid_for),
                                       cmocka_unit_test(test_names_again_are_paid_for),
                                       cmocka_unit_test(test_many_logs_again_are_paid_for),
                                       cmocka_unit_test(test_nothing_is_taken)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("flood", tests, NULL, NULL) == 0 ? 0 : 1;
}
