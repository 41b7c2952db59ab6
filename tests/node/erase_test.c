#include "story.h"

#include <parley/body.h>

/* When the bytes of what was erased go: at once where it was typed, else after a week; not while
 * the erasure's word does not count; and over a restart. */

#define WEEK_MS PARLEY_ERASE_AFTER_MS

static struct parley_span erase_body(const struct story_person *person, uint8_t bytes[512]) {
    struct parley_body body = {.kind = PARLEY_BODY_ERASE};
    struct parley_span out;
    body.erase.refs_count = 1;
    body.erase.refs[0] = (struct parley_ref){person->author, person->log, 1, person->id};
    assert_int_equal(parley_body_encode(&out, bytes, 512, &body), PARLEY_E_OK);
    return out;
}

/* The person's next entry erases their first. */
static struct parley_span erase_entry(struct story_person *person,
                                      uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE]) {
    struct parley_entry entry = {.has_body = true};
    struct parley_chunk_writer writer;
    uint8_t bytes[512];
    entry.body = erase_body(person, bytes);
    entry.header.version = PARLEY_ENTRY_VERSION;
    entry.header.log = person->log;
    entry.header.seq = ++person->seq;
    entry.header.prev = person->id;
    parley_entry_sign(&entry, &person->device);
    person->id = entry.id;
    parley_chunk_writer_init(&writer, buffer, PARLEY_CHUNK_BUFFER_SIZE);
    assert_int_equal(parley_chunk_add(&writer, &entry, true), PARLEY_E_OK);
    return parley_chunk_finish(&writer);
}

static void publish_erase(struct story *story, parley_request request) {
    uint8_t bytes[512];
    struct parley_event event = {.kind = PARLEY_EVENT_PUBLISH};
    event.publish.request = request;
    event.publish.body = erase_body(&story->own, bytes);
    story_step(story, &event);
}

static void test_own_goes_at_once(void **state) {
    struct story story;
    story_begin(&story);
    story_publish(&story, 1, "said too much");
    story_settle(&story);
    story_forget(&story);
    /* In one group with the erasure itself: whoever reads the store sees both or neither. */
    publish_erase(&story, 2);
    story_expect(&story, "STORE append 2..2\nSTORE erase\n");
    story_settle(&story);
    assert_true(story_has(&story, "REPLY 2 OK 2"));
    story_forget(&story);
    story_wait(&story, WEEK_MS);
    assert_false(story_has(&story, "STORE erase"));
    story_end(&story);
}

/* A person whom the node follows, with one post and its erasure, pushed by puppet A. */
static void begin_foreign(struct story *story, struct story_person *other) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin(story);
    story_person(other, 9);
    story_follow(story, 1, &other->author, true, true);
    struct story_puppet *puppet = story_peer(story, 'A');
    story_introduce(story, puppet, other);
    story_verified(story);
    story_verified(story);
    story_settle(story);
    story_push(story, puppet, story_entry(other, "said too much", buffer));
    story_settle(story);
    story_push(story, puppet, erase_entry(other, buffer));
    story_settle(story);
    struct parley_node_log held;
    assert_true(parley_node_log_find(story->node, &other->log, &held));
    assert_int_equal(held.head_seq, 2);
}

static void test_foreign_waits_a_week(void **state) {
    struct story story;
    struct story_person other;
    begin_foreign(&story, &other);
    assert_false(story_has(&story, "STORE erase"));
    story_wait(&story, WEEK_MS - 1000);
    assert_false(story_has(&story, "STORE erase"));
    story_wait(&story, PARLEY_ERASE_LOOK_MAX_MS);
    assert_true(story_has(&story, "STORE erase"));
    /* Others of that log wait, says the disk: it is asked again, and then no more. */
    story_forget(&story);
    story_stored(&story, PARLEY_E_EXISTS);
    story_wait(&story, PARLEY_ERASE_LOOK_MAX_MS);
    assert_true(story_has(&story, "STORE erase"));
    story_settle(&story);
    story_forget(&story);
    story_wait(&story, WEEK_MS);
    assert_false(story_has(&story, "STORE erase"));
    story_end(&story);
}

/* What waits still came later, says the disk: nobody looks before its time. */
static void test_the_next_one_has_its_time(void **state) {
    struct story story;
    struct story_person other;
    begin_foreign(&story, &other);
    struct parley_store_log told = {.author = other.author, .log = other.log};
    story_wait(&story, WEEK_MS + PARLEY_ERASE_LOOK_MAX_MS);
    assert_true(story_has(&story, "STORE erase"));
    told.erase_ms = STORY_WALL_START + story.now;
    struct parley_event event = {.kind = PARLEY_EVENT_STORED};
    event.stored.ticket = story.stores[0];
    event.stored.error = PARLEY_E_EXISTS;
    event.stored.log = &told;
    story.stores_count--;
    memmove(story.stores, story.stores + 1, story.stores_count * sizeof story.stores[0]);
    story_step(&story, &event);
    story_settle(&story);
    story_forget(&story);
    story_wait(&story, WEEK_MS - 1000);
    assert_false(story_has(&story, "STORE erase"));
    story_wait(&story, PARLEY_ERASE_LOOK_MAX_MS);
    assert_true(story_has(&story, "STORE erase"));
    story_end(&story);
}

/* What the disk tells at start: an erasure by `erased` waits in a log, which may be forked. */
static void load(struct story *story, const struct story_person *person, parley_time_ms erase_ms,
                 parley_seq forked) {
    struct parley_store_log log = {.author = person->author,
                                   .device = person->device_key,
                                   .log = person->log,
                                   .forked = forked,
                                   .erase_ms = erase_ms};
    struct parley_run run = {.lo = 1, .hi = 2, .hi_is_signed = true};
    memset(run.hi_id.bytes, 7, sizeof run.hi_id);
    log.ranges.count = 1;
    log.ranges.ranges[0] = run;
    log.entries_count = 2;
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_RECORD};
    event.load_record.author = person->author;
    event.load_record.record = person->inception;
    story_step(story, &event);
    event = (struct parley_event){.kind = PARLEY_EVENT_LOAD_RECORD};
    event.load_record.author = person->author;
    event.load_record.record = person->certificate;
    story_step(story, &event);
    event = (struct parley_event){.kind = PARLEY_EVENT_LOAD_LOG};
    event.load_log = &log;
    story_step(story, &event);
}

static void test_over_a_restart(void **state) {
    struct story story;
    struct story_person other;
    story_begin(&story);
    story_person(&other, 9);
    load(&story, &other, 1, 0); /* long ago */
    story_wait(&story, PARLEY_ERASE_LOOK_MAX_MS);
    assert_true(story_has(&story, "STORE erase"));
    story_end(&story);
}

static void test_forked_away(void **state) {
    struct story story;
    struct story_person other;
    story_begin(&story);
    story_person(&other, 9);
    load(&story, &other, 1, 1); /* forked at its first entry: no erasure there counts */
    story_wait(&story, PARLEY_ERASE_LOOK_MAX_MS);
    assert_false(story_has(&story, "STORE erase"));
    story_end(&story);
}

static void test_purge(void **state) {
    struct story story;
    struct story_person other;
    begin_foreign(&story, &other);
    story_forget(&story);
    struct parley_event event = {.kind = PARLEY_EVENT_PURGE};
    event.purge.request = 7;
    event.purge.log = other.log;
    event.purge.seq_low = 1;
    event.purge.seq_high = 1;
    story_step(&story, &event);
    story_expect(&story, "STORE drop\n"); /* and nothing leaves the node */
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "REPLY 7 OK 0\n");
    event.purge.log.bytes[0] ^= 1;
    story_step(&story, &event);
    story_expect(&story, "REPLY 7 NOT_FOUND 0\n");
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_goes_at_once),
        cmocka_unit_test(test_foreign_waits_a_week),
        cmocka_unit_test(test_the_next_one_has_its_time),
        cmocka_unit_test(test_over_a_restart),
        cmocka_unit_test(test_forked_away),
        cmocka_unit_test(test_purge),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("erase", tests, NULL, NULL) == 0 ? 0 : 1;
}
