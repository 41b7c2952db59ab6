#include "sessions_bed.h"

/* Whose turn it is to go when too much is held. */

#define QUOTA 100000u

/* What the disk tells of a person's log of so many entries. */
static struct parley_store_log log_of(const struct story_person *person, uint64_t bytes) {
    struct parley_store_log log = {.author = person->author,
                                   .device = person->device_key,
                                   .log = person->log,
                                   .entries_count = person->seq,
                                   .bodies_count = person->seq,
                                   .bytes = bytes,
                                   .active_ms = STORY_WALL_START,
                                   .low_ms = STORY_WALL_START};
    log.ranges.count = 1;
    log.ranges.ranges[0] =
        (struct parley_run){.lo = 1, .hi = person->seq, .hi_id = person->id, .hi_is_signed = true};
    return log;
}

static void load(struct story *story, const struct story_person *person, uint64_t bytes) {
    struct parley_store_log log = log_of(person, bytes);
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_LOG};
    event.load_log = &log;
    story_step(story, &event);
}

/* The only STORE is answered, with what is held then. */
static void stored(struct story *story, const struct story_person *person, uint64_t bytes) {
    struct parley_store_log log = log_of(person, bytes);
    struct parley_event event = {.kind = PARLEY_EVENT_STORED};
    assert_int_equal(story->stores_count, 1);
    event.stored.ticket = story->stores[--story->stores_count];
    event.stored.log = &log;
    story_step(story, &event);
}

/* A stranger's log that cannot go for the moment, since an entry of his is on its way to the disk:
 * nothing goes of whom the owner follows. Then the stranger goes. */
static void test_a_stranger_is_waited_for(void **state) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct story story;
    struct story_person friend, stranger;
    story_begin(&story);
    story.config.quota_bytes = QUOTA;
    story_restart(&story);
    story_person(&friend, 9);
    story_person(&stranger, 10);
    story_know(&story, &friend);
    story_know(&story, &stranger);
    story_follow(&story, 1, &friend.author, true, true);
    story_settle(&story);
    (void)story_entries(&stranger, 50, buffer);
    load(&story, &stranger, QUOTA / 2);
    story_import(&story, 2, PARLEY_EVENT_IMPORT_CHUNK, story_entries(&stranger, 1, buffer));
    story_verified(&story);
    assert_true(story_has(&story, "STORE append 51..51"));
    (void)story_entries(&friend, 100, buffer);
    load(&story, &friend, QUOTA / 8 * 5);
    for (unsigned i = 0; i < 10; i++)
        story_wait(&story, 2000);
    assert_false(story_has(&story, "STORE prune"));
    assert_false(story_has(&story, "STORE forget"));
    story_stored(&story, PARLEY_E_OK);
    story_wait(&story, 2000);
    assert_true(story_has(&story, "STORE forget"));
    story_settle(&story);
    story_wait(&story, 2000);
    assert_false(story_has(&story, "STORE prune"));
    /* Alone and above the quota, it is the oldest posts of whom the owner follows that go. */
    story_import(&story, 3, PARLEY_EVENT_IMPORT_CHUNK, story_entries(&friend, 1, buffer));
    story_verified(&story);
    stored(&story, &friend, QUOTA);
    story_wait(&story, 2000);
    assert_true(story_has(&story, "STORE prune"));
    story_end(&story);
}

static void tell(struct story *story, struct story_puppet *puppet,
                 const struct story_person *person, parley_seq seq) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_HEADS};
    struct parley_wire_author_heads item = {.author = person->author};
    struct parley_wire_head head = {.log = person->log, .seq = seq, .id = {{1}}, .low_seq = 1};
    struct parley_writer heads, items;
    uint8_t heads_bytes[256], items_bytes[512];
    parley_writer_init(&heads, heads_bytes, sizeof heads_bytes);
    parley_wire_put_head(&heads, &head);
    item.heads = parley_wire_list_of(&heads, 1);
    parley_writer_init(&items, items_bytes, sizeof items_bytes);
    parley_wire_put_author_heads(&items, &item);
    message.as.heads.last = true;
    message.as.heads.authors = parley_wire_list_of(&items, 1);
    story_send(story, puppet, &message);
}

/* While too much is held nothing of strangers is asked for, and nothing is while what went still
 * fills the files: who leaves does not wait for what was to be asked of him. */
static void test_who_leaves_is_not_fetched(void **state) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct story story;
    struct story_person quiet, loud;
    struct parley_node_log log;
    story_begin_relay(&story);
    story.config.quota_bytes = QUOTA;
    story_restart(&story);
    story_person(&quiet, 10);
    story_person(&loud, 11);
    story_know(&story, &quiet);
    story_know(&story, &loud);
    (void)story_entries(&quiet, 50, buffer);
    load(&story, &quiet, QUOTA / 2);
    struct story_puppet *peer = story_peer(&story, 'A');
    tell(&story, peer, &quiet, 60);
    assert_true(story_has(&story, "A ask run"));
    story_wait(&story, PARLEY_FETCH_DOUBTED_MS); /* no answer: later again */
    (void)story_entries(&loud, 50, buffer);
    load(&story, &loud, QUOTA / 4 * 3);
    for (unsigned i = 0; i < 15; i++) {
        story_settle(&story);
        story_wait(&story, 2000);
    }
    assert_true(story_has(&story, "STORE forget"));
    assert_false(parley_node_log_find(story.node, &quiet.log, &log));
    assert_true(story_has(&story, "COMPACT"));
    story_end(&story);
}

/* Followed on his way out: what he had goes, and then he is asked for by name, as somebody of whom
 * nothing is here. */
static void test_followed_while_he_leaves(void **state) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    static struct other other;
    struct story story;
    struct story_person leaver;
    other = (struct other){0};
    story_begin_relay(&story);
    story.config.quota_bytes = QUOTA;
    story_restart(&story);
    story_person(&leaver, 10);
    story_know(&story, &leaver);
    other_is_dialled(&story, &other, 'A');
    (void)story_entries(&leaver, 50, buffer);
    load(&story, &leaver, QUOTA);
    story_wait(&story, 1);
    assert_true(story_has(&story, "STORE forget"));
    story_follow(&story, 0, &leaver.author, true, true);
    story_wait(&story, 1);
    assert_int_equal(other.named, 0);
    story_settle(&story);
    story_wait(&story, 1);
    assert_int_equal(other.named, 1);
    assert_true(PARLEY_EQUAL(other.named_last, leaver.author));
    story_end(&story);
}

/* What may prove a fork keeps its log for the minute in which the other half may come. */
static void test_evidence_keeps_for_a_minute(void **state) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct story story;
    struct story_person friend, stranger;
    struct parley_wire_message message = {.type = PARLEY_WIRE_EVIDENCE};
    story_begin_relay(&story);
    story.config.quota_bytes = QUOTA;
    story_restart(&story);
    story_person(&friend, 9);
    story_person(&stranger, 10);
    story_know(&story, &friend);
    story_know(&story, &stranger);
    story_follow(&story, 1, &friend.author, true, true);
    story_settle(&story);
    (void)story_entries(&stranger, 50, buffer);
    load(&story, &stranger, QUOTA / 2);
    (void)story_entries(&stranger, 9, buffer);
    message.as.evidence.log = stranger.log;
    message.as.evidence.chunk = story_entries(&stranger, 1, buffer);
    story_send(&story, story_peer(&story, 'A'), &message);
    story_settle(&story);
    (void)story_entries(&friend, 100, buffer);
    load(&story, &friend, QUOTA / 8 * 5);
    for (unsigned ms = 0; ms < 58000; ms += 2000) {
        story_wait(&story, 2000);
        assert_false(story_has(&story, "STORE forget"));
    }
    story_wait(&story, 2000);
    story_wait(&story, 2000);
    assert_true(story_has(&story, "STORE forget"));
    assert_false(story_has(&story, "STORE prune"));
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stranger_is_waited_for),
        cmocka_unit_test(test_who_leaves_is_not_fetched),
        cmocka_unit_test(test_followed_while_he_leaves),
        cmocka_unit_test(test_evidence_keeps_for_a_minute),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("quota", tests, NULL, NULL) == 0 ? 0 : 1;
}
