#include "sessions_bed.h"
#include "tree_bed.h"

#include <parley/body.h>

/* The owner's own log: which one it is, when this node may go on with it, and what the owner said
 * on other devices. */

/* Another device of the story's owner. */
static void second_device(struct story_person *second, const struct story *story) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_secret_key root;
    struct parley_root_key root_key;
    struct parley_seed seed;
    *second = story->own;
    second->seq = 0;
    second->id = (struct parley_id){{0}};
    memset(entropy, 1, sizeof entropy); /* the story's owner is person 1 */
    memset(seed.bytes, 0x5a, sizeof seed.bytes);
    parley_root_derive(&root, &root_key, entropy, 0);
    parley_key_pair(&second->device, second->device_key.bytes, &seed);
    parley_log_derive(&second->log, &second->author, &second->device_key);
    assert_int_equal(parley_certificate_make(&second->certificate, second->certificate_bytes,
                                             sizeof second->certificate_bytes, &root,
                                             &second->device, &second->author, 0),
                     PARLEY_E_OK);
}

static void begin_with_second(struct story *story, struct story_person *second) {
    story_begin(story);
    second_device(second, story);
    story_import(story, 0, PARLEY_EVENT_IMPORT_RECORD, second->certificate);
    story_settle(story);
    story_forget(story);
}

static void use_device(struct story *story, const struct story_person *person) {
    struct parley_event event = {.kind = PARLEY_EVENT_DEVICE, .device = &person->device};
    story_step(story, &event);
}

/* ---- which log ------------------------------------------------------------------------------ */

static void test_another_key(void **state) {
    struct story story;
    struct story_person second;
    struct parley_node_log log;
    begin_with_second(&story, &second);
    story_publish(&story, 1, "with the first");
    story_settle(&story);
    use_device(&story, &second);
    assert_int_equal(parley_node_own(story.node), PARLEY_OWN_OPEN);
    story_publish(&story, 2, "with the second");
    story_settle(&story);
    assert_true(parley_node_log_find(story.node, &second.log, &log));
    assert_int_equal(log.head_seq, 1);
    assert_true(parley_node_log_find(story.node, &story.own.log, &log));
    assert_int_equal(log.head_seq, 1);
    story_end(&story);
}

/* The key before its certificate: nothing is signed, and when it comes all is well. */
static void test_key_first(void **state) {
    struct story story;
    struct story_person second;
    story_begin(&story);
    second_device(&second, &story);
    use_device(&story, &second);
    assert_int_equal(parley_node_own(story.node), PARLEY_OWN_WAITING);
    story_publish(&story, 1, "too early");
    story_expect(&story, "REPLY 1 NO_IDENTITY 0\n");
    story_import(&story, 2, PARLEY_EVENT_IMPORT_RECORD, second.certificate);
    story_settle(&story);
    assert_int_equal(parley_node_own(story.node), PARLEY_OWN_OPEN);
    story_forget(&story);
    story_publish(&story, 3, "now");
    story_settle(&story);
    story_expect(&story, "STORE append 1..1\nSHOW 1..1\nREPLY 3 OK 1\n");
    story_end(&story);
}

/* An entry leaves a node only when it is on its disk: whoever has more of the own log has it from
 * another instance, and both would fork it. */
static void test_signed_elsewhere(void **state) {
    struct story story;
    struct story_person second, copy;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    begin_with_second(&story, &second);
    struct story_puppet *peer = story_peer(&story, 'A');
    copy = story.own;
    story_push(&story, peer, story_entry(&copy, "not from here", buffer));
    story_settle(&story);
    assert_int_equal(parley_node_own(story.node), PARLEY_OWN_ELSEWHERE);
    story_forget(&story);
    story_publish(&story, 1, "mine");
    story_expect(&story, "REPLY 1 FORKED 0\n");
    use_device(&story, &second);
    assert_int_equal(parley_node_own(story.node), PARLEY_OWN_OPEN);
    story_publish(&story, 2, "mine");
    story_settle(&story);
    story_expect(&story, "STORE append 1..1\nSHOW 1..1\nREPLY 2 OK 1\nA push 1\n");
    story_end(&story);
}

/* What was said here and comes back is no sign of anything. */
static void test_own_words_come_back(void **state) {
    struct story story;
    struct story_person own;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    own = story.own;
    struct parley_span chunk = story_entry(&own, "mine", buffer);
    use_device(&story, &story.own);
    story_import(&story, 1, PARLEY_EVENT_IMPORT_CHUNK, chunk);
    story_settle(&story);
    use_device(&story, &story.own); /* the owner has made sure of it */
    story_push(&story, peer, chunk);
    story_settle(&story);
    assert_int_equal(parley_node_own(story.node), PARLEY_OWN_OPEN);
    story_end(&story);
}

/* A restart forgets who said it; the hole below what this node never wrote still tells. */
static void test_above_a_hole(void **state) {
    struct story story;
    struct story_person copy;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    copy = story.own;
    for (int i = 0; i < 2; i++)
        (void)story_entry(&copy, "not from here", buffer);
    story_push(&story, peer, story_entry(&copy, "above a hole", buffer));
    story_settle(&story);
    use_device(&story, &story.own);
    assert_int_equal(parley_node_own(story.node), PARLEY_OWN_ELSEWHERE);
    story_forget(&story);
    story_publish(&story, 1, "mine");
    story_expect(&story, "REPLY 1 GAP 0\n");
    story_end(&story);
}

/* ---- whom the owner follows ----------------------------------------------------------------- */

/* The device's next entry: follows somebody or no longer. */
static struct parley_span say_follow(struct story_person *person,
                                     const struct parley_author *author, bool on,
                                     parley_time_ms time, uint8_t *buffer) {
    uint8_t bytes[64];
    struct parley_body body = {.kind = PARLEY_BODY_FOLLOW};
    struct parley_entry entry = {.has_body = true};
    struct parley_chunk_writer writer;
    body.follow.author = *author;
    body.follow.on = on;
    assert_int_equal(parley_body_encode(&entry.body, bytes, sizeof bytes, &body), PARLEY_E_OK);
    entry.header.version = PARLEY_ENTRY_VERSION;
    entry.header.log = person->log;
    entry.header.seq = ++person->seq;
    entry.header.prev = person->id;
    entry.header.time = time;
    parley_entry_sign(&entry, &person->device);
    person->id = entry.id;
    parley_chunk_writer_init(&writer, buffer, PARLEY_CHUNK_BUFFER_SIZE);
    assert_int_equal(parley_chunk_add(&writer, &entry, true), PARLEY_E_OK);
    return parley_chunk_finish(&writer);
}

static bool follows(const struct story *story, const struct parley_author *author) {
    struct parley_node_author row;
    for (size_t i = 0; parley_node_author_at(story->node, i, &row); i++)
        if (PARLEY_EQUAL(row.author, *author))
            return row.is_followed && row.is_wanted;
    return false;
}

static void test_follows_of_another_device(void **state) {
    struct story story;
    struct story_person second, other;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    begin_with_second(&story, &second);
    story_person(&other, 9);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_forget(&story);
    story_push(&story, peer,
               say_follow(&second, &other.author, true, STORY_WALL_START - 5, buffer));
    story_verified(&story);
    /* It is kept before the entry is: a crash between the two forgets nothing. */
    story_expect(&story, "VERIFY\nSTORE meta\nSTORE append 1..1\nA interest +1 -0\n");
    story_settle(&story);
    assert_true(follows(&story, &other.author));
    story_forget(&story);
    story_push(&story, peer,
               say_follow(&second, &other.author, false, STORY_WALL_START - 4, buffer));
    story_verified(&story);
    story_expect(&story, "VERIFY\nSTORE meta\nSTORE append 2..2\nA interest +0 -1\n");
    assert_false(follows(&story, &other.author));
    story_end(&story);
}

/* A relay of the owner's own hears of everybody in any order: it asks for him by name. */
static void test_a_relay_names_whom_another_device_follows(void **state) {
    static struct other other;
    struct story story;
    struct story_person second, friend;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    other = (struct other){0};
    story_begin_relay(&story);
    story.config.has_device = true;
    story.config.author = story.own.author;
    story.config.device_key = story.own.device;
    story_restart(&story);
    story_know(&story, &story.own);
    second_device(&second, &story);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_RECORD, second.certificate);
    story_settle(&story);
    other_is_dialled(&story, &other, 'A');
    story_person(&friend, 9);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK,
                 say_follow(&second, &friend.author, true, STORY_WALL_START - 5, buffer));
    story_settle(&story);
    assert_int_equal(other.named, 1);
    assert_true(PARLEY_EQUAL(other.named_last, friend.author));
    story_end(&story);
}

/* What the store lost of it nobody would say again: the entry comes back as one that is known. */
static void test_a_follow_outlives_a_failed_store(void **state) {
    struct story story;
    struct story_person second, other, third;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    begin_with_second(&story, &second);
    story_person(&other, 9);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_settle(&story);
    story_push(&story, peer,
               say_follow(&second, &other.author, true, STORY_WALL_START - 5, buffer));
    story_verified(&story);
    while (story.stores_count > 0)
        story_stored(&story, PARLEY_E_DISK_FULL);
    story_forget(&story);
    struct parley_event event = {.kind = PARLEY_EVENT_STORE_OPENED};
    story_step(&story, &event);
    /* With the first thing that it takes again: a disk that is full would fail for ever. */
    assert_false(story_has(&story, "STORE meta"));
    story_person(&third, 11);
    story_follow(&story, 1, &third.author, true, true);
    story_forget(&story);
    story_stored(&story, PARLEY_E_OK);
    assert_true(story_has(&story, "STORE meta"));
    assert_true(follows(&story, &other.author));
    story_end(&story);
}

/* History comes newest first: the last word counts in whatever order the words arrive, and so does
 * the one that was said here. */
static void test_last_word_counts(void **state) {
    static const struct {
        bool on[3]; /* by the first device, at times 1 to 3; then the second says the opposite */
        parley_time_ms second_at;
    } rows[] = {
        {{true, false, true}, STORY_WALL_START - 2000},
        {{true, false, true}, STORY_WALL_START - 10},
        {{false, true, false}, STORY_WALL_START - 2000},
        {{false, true, false}, STORY_WALL_START - 10},
    };
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
        for (unsigned newest_first = 0; newest_first < 2; newest_first++) {
            static uint8_t buffers[3][PARLEY_CHUNK_BUFFER_SIZE], buffer[PARLEY_CHUNK_BUFFER_SIZE];
            struct story story;
            struct story_person second, other, first;
            struct parley_span said[3];
            bool last = rows[r].on[2];
            begin_with_second(&story, &second);
            story_person(&other, 9);
            first = story.own;
            for (unsigned i = 0; i < 3; i++)
                said[i] = say_follow(&first, &other.author, rows[r].on[i],
                                     STORY_WALL_START - 1000 + i, buffers[i]);
            for (unsigned i = 0; i < 3; i++) {
                story_import(&story, i + 1, PARLEY_EVENT_IMPORT_CHUNK,
                             said[newest_first ? 2 - i : i]);
                story_settle(&story);
            }
            assert_int_equal(follows(&story, &other.author), last);
            story_import(&story, 9, PARLEY_EVENT_IMPORT_CHUNK,
                         say_follow(&second, &other.author, !last, rows[r].second_at, buffer));
            story_settle(&story);
            bool is_later = rows[r].second_at > STORY_WALL_START - 1000;
            assert_int_equal(follows(&story, &other.author), is_later ? !last : last);
            story_end(&story);
        }
}

/* A clock that runs ahead on one device does not silence the others for ever. */
static void test_follow_from_tomorrow(void **state) {
    struct story story;
    struct story_person second, other;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    begin_with_second(&story, &second);
    story_person(&other, 9);
    story_import(&story, 1, PARLEY_EVENT_IMPORT_CHUNK,
                 say_follow(&second, &other.author, true, PARLEY_TIME_MAX, buffer));
    story_settle(&story);
    assert_true(follows(&story, &other.author));
    use_device(&story, &story.own);
    story_follow(&story, 2, &other.author, false, true);
    story_settle(&story);
    assert_false(follows(&story, &other.author));
    story_end(&story);
}

/* The keys end the log at another entry than the one that was said here: what is this node's own
 * stays, so the other one is not asked for. */
static void test_ended_elsewhere(void **state) {
    struct story story;
    const struct parley_id other = {{7}};
    uint8_t entropy[PARLEY_ENTROPY_SIZE], bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_secret_key root;
    struct parley_root_key root_key;
    struct parley_span record;
    struct parley_node_log log;
    story_begin(&story);
    struct story_puppet *peer = tree_peer(&story, 'A');
    story_publish(&story, 1, "said here");
    story_settle(&story);
    memset(entropy, 1, sizeof entropy); /* the story's owner is person 1 */
    parley_root_derive(&root, &root_key, entropy, 0);
    assert_int_equal(parley_closing_make(&record, bytes, sizeof bytes, &root, &story.own.author, 0,
                                         &story.own.device_key, 1, &other),
                     PARLEY_E_OK);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_RECORD, record);
    story_settle(&story);
    story_forget(&story);
    send_announce(&story, peer, &story.own.log, 1, &other);
    story_settle(&story);
    story_wait(&story, PARLEY_GRAFT_AGAIN_MS);
    assert_false(story_has(&story, "A ask run"));
    assert_true(parley_node_log_find(story.node, &story.own.log, &log));
    assert_int_equal(log.policy.kind, PARLEY_POLICY_CLOSED);
    assert_int_equal(log.ranges.ranges[0].hi, 1);
    assert_int_equal(log.head_seq, 0);
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_key),
        cmocka_unit_test(test_key_first),
        cmocka_unit_test(test_signed_elsewhere),
        cmocka_unit_test(test_own_words_come_back),
        cmocka_unit_test(test_above_a_hole),
        cmocka_unit_test(test_follows_of_another_device),
        cmocka_unit_test(test_a_relay_names_whom_another_device_follows),
        cmocka_unit_test(test_last_word_counts),
        cmocka_unit_test(test_follow_from_tomorrow),
        cmocka_unit_test(test_ended_elsewhere),
        cmocka_unit_test(test_a_follow_outlives_a_failed_store),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("own", tests, NULL, NULL) == 0 ? 0 : 1;
}
