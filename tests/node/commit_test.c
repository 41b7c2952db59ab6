#include "story.h"

/* The disk says no: nothing is acknowledged until it was opened again and told what it holds. */

static void load_own(struct story *story) {
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_RECORD};
    event.load_record.author = story->own.author;
    event.load_record.record = story->own.inception;
    story_step(story, &event);
    event = (struct parley_event){.kind = PARLEY_EVENT_LOAD_RECORD};
    event.load_record.author = story->own.author;
    event.load_record.record = story->own.certificate;
    story_step(story, &event);
}

static void reopen(struct story *story, const struct parley_node_log *held) {
    load_own(story);
    if (held != NULL && held->ranges.count > 0) {
        struct parley_store_log log = {.author = story->own.author,
                                       .device = story->own.device_key,
                                       .log = story->own.log,
                                       .ranges = held->ranges,
                                       .entries_count = held->ranges.ranges[0].hi};
        struct parley_event event = {.kind = PARLEY_EVENT_LOAD_LOG};
        event.load_log = &log;
        story_step(story, &event);
    }
    struct parley_event event = {.kind = PARLEY_EVENT_STORE_OPENED};
    story_step(story, &event);
}

static bool is_writable(const struct story *story) {
    struct parley_node_status status;
    parley_node_status(story->node, &status);
    return status.is_writable;
}

static void test_read_only_and_back(void **state) {
    struct story story;
    struct parley_node_log first;
    story_begin(&story);
    story_publish(&story, 1, "kept");
    story_stored(&story, PARLEY_E_OK);
    assert_true(parley_node_log_find(story.node, &story.own.log, &first));
    story_publish(&story, 2, "lost");
    story_publish(&story, 3, "lost, too");
    story_forget(&story);
    story_stored(&story, PARLEY_E_DISK_FULL);
    story_expect(&story, "LOG the store failed: read-only until it opens\nREPLY 2 READ_ONLY 0\n");
    /* What had been staged behind it falls with it, even if the disk said yes to it. */
    story_stored(&story, PARLEY_E_DISK_FULL);
    story_expect(&story, "REPLY 3 READ_ONLY 0\n");
    assert_false(is_writable(&story));
    story_publish(&story, 4, "refused");
    story_expect(&story, "REPLY 4 READ_ONLY 0\n");

    reopen(&story, &first);
    assert_true(is_writable(&story));
    story_forget(&story);
    /* Number 2 was never acknowledged, and never left: it is given again. */
    story_publish(&story, 5, "second");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "STORE append 2..2\nSHOW 2..2\nREPLY 5 OK 2\n");
    story_end(&story);
}

static void test_written_though_it_failed(void **state) {
    struct story story;
    struct parley_node_log both;
    story_begin(&story);
    story_publish(&story, 1, "one");
    story_stored(&story, PARLEY_E_OK);
    story_publish(&story, 2, "two");
    assert_true(parley_node_log_find(story.node, &story.own.log, &both));
    story_stored(&story, PARLEY_E_DISK_FAILED);
    /* The disk has it after all: the next number stands on it, and nothing forks. */
    reopen(&story, &both);
    story_forget(&story);
    story_publish(&story, 3, "three");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "STORE append 3..3\nSHOW 3..3\nREPLY 3 OK 3\n");
    story_end(&story);
}

struct heads_told {
    size_t messages;
    parley_seq newest;
};

static void note_heads(struct story *story, const struct story_puppet *puppet,
                       const struct parley_wire_message *message) {
    struct heads_told *told = story->context;
    struct parley_wire_author_heads item;
    struct parley_wire_head head;
    if (message->type != PARLEY_WIRE_HEADS)
        return;
    told->messages++;
    struct parley_wire_list authors = message->as.heads.authors;
    while (parley_wire_next_author_heads(&authors, &item))
        while (parley_wire_next_head(&item.heads, &head))
            told->newest = head.seq > told->newest ? head.seq : told->newest;
}

static void ask_records(struct story *story, struct story_puppet *peer) {
    uint8_t room[64];
    struct parley_writer writer;
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_IDENTITY};
    parley_writer_init(&writer, room, sizeof room);
    parley_wire_put_author(&writer, &story->own.author);
    message.as.ask_identity.authors = parley_wire_list_of(&writer, 1);
    story_send(story, peer, &message);
}

/* Behind the records of an author the heads of its logs go, also when those could not be read. */
static parley_seq newest_told(struct story *story, enum parley_error read) {
    struct heads_told told = {0};
    story->on_message = note_heads;
    story->context = &told;
    story_read(story, read, PARLEY_NO_SPAN, 0);
    story->on_message = NULL;
    assert_int_equal(told.messages, 1);
    return told.newest;
}

/* Who hears of an entry that the disk did not take would wait for another one in its place. */
static void test_what_failed_is_not_told(void **state) {
    struct story story;
    struct parley_node_log first;
    story_begin(&story);
    story_publish(&story, 1, "kept");
    story_settle(&story);
    assert_true(parley_node_log_find(story.node, &story.own.log, &first));
    struct story_puppet *peer = story_peer(&story, 'A');
    story_settle(&story);
    ask_records(&story, peer);
    story_publish(&story, 2, "lost");
    story_stored(&story, PARLEY_E_DISK_FAILED);
    assert_int_equal(newest_told(&story, PARLEY_E_DISK_FAILED), 1);
    reopen(&story, &first);
    ask_records(&story, peer);
    assert_int_equal(newest_told(&story, PARLEY_E_OK), 1);
    /* It is no longer waited for: the next one is told when it is there. */
    story_publish(&story, 3, "kept, too");
    story_settle(&story);
    ask_records(&story, peer);
    assert_int_equal(newest_told(&story, PARLEY_E_OK), 2);
    story_end(&story);
}

static void load_forked(struct story *story, uint8_t number, struct parley_node_log *log) {
    struct story_person other;
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_LOG};
    story_person(&other, number);
    story_know(story, &other);
    struct parley_store_log row = {.author = other.author,
                                   .device = other.device_key,
                                   .log = other.log,
                                   .ranges = {.count = 1},
                                   .entries_count = 4,
                                   .forked = 3};
    row.ranges.ranges[0] =
        (struct parley_run){.lo = 1, .hi = 4, .hi_id = {{4}}, .hi_is_signed = true};
    event.load_log = &row;
    assert_int_equal(parley_node_unreviewed(story->node), 0);
    story_step(story, &event);
    assert_int_equal(parley_node_unreviewed(story->node), 1);
    assert_true(parley_node_log_find(story->node, &other.log, log));
}

/* What is loaded of a forked log is hidden until its evidence was read. Whoever asks may wait for
 * that, but not for what may never come: a row that cannot be read, a disk that takes nothing. */
static void test_loaded_is_awaited(void **state) {
    struct story story;
    struct parley_node_log log;
    story_begin(&story);
    load_forked(&story, 9, &log);
    assert_int_equal(log.good.count, 0);
    story_read(&story, PARLEY_E_STORE_DAMAGED, PARLEY_NO_SPAN, 0);
    assert_int_equal(parley_node_unreviewed(story.node), 0);
    assert_true(parley_node_log_find(story.node, &log.log, &log));
    assert_int_equal(log.good.count, 0);

    load_forked(&story, 10, &log);
    story_publish(&story, 1, "lost");
    story_stored(&story, PARLEY_E_DISK_FULL);
    assert_int_equal(parley_node_unreviewed(story.node), 0);
    reopen(&story, NULL);
    assert_int_equal(parley_node_unreviewed(story.node), 0);
    parley_node_check_invariants(story.node);
    story_end(&story);
}

static void test_settings_fail(void **state) {
    struct story story;
    struct story_person other;
    story_begin(&story);
    story_person(&other, 9);
    story_follow(&story, 1, &other.author, true, true);
    story_forget(&story);
    story_stored(&story, PARLEY_E_DISK_FAILED);
    story_expect(&story, "LOG the store failed: read-only until it opens\nREPLY 1 READ_ONLY 0\n");
    story_follow(&story, 2, &other.author, false, true);
    story_expect(&story, "REPLY 2 READ_ONLY 0\n");
    story_connect(&story, 3, 'A');
    /* It is dialled; that it will be after a restart cannot be promised. */
    assert_true(story_has(&story, "REPLY 3 READ_ONLY 0"));
    assert_true(story_has(&story, "DIAL A"));
    story_end(&story);
}

static bool follows(const struct story *story, const struct parley_author *author) {
    struct parley_node_author row;
    for (size_t i = 0; parley_node_author_at(story->node, i, &row); i++)
        if (PARLEY_EQUAL(row.author, *author))
            return row.is_followed;
    return false;
}

/* As the disk said it last; NULL: never. */
static const struct story_meta *meta_of(const struct story *story, const char *prefix) {
    for (size_t i = 0; i < story->metas_count; i++)
        if (memcmp(story->metas[i].key, prefix, strlen(prefix)) == 0)
            return &story->metas[i];
    return NULL;
}

static void test_reload_keeps_what_the_owner_did(void **state) {
    struct story story;
    struct story_person other;
    story_begin(&story);
    story_person(&other, 9);
    story_follow(&story, 1, &other.author, true, true);
    story_settle(&story);
    assert_true(follows(&story, &other.author));
    assert_non_null(meta_of(&story, "follow/"));
    struct story_meta meta = *meta_of(&story, "follow/");
    story_follow(&story, 2, &other.author, false, true);
    story_settle(&story);
    story_publish(&story, 3, "lost");
    story_stored(&story, PARLEY_E_DISK_FAILED);
    /* Settings first: their order among what is loaded is nobody's business. */
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_META};
    event.load_meta.key = PARLEY_SPAN(meta.key, meta.key_size);
    event.load_meta.value = PARLEY_SPAN(meta.value, meta.value_size);
    story_step(&story, &event);
    reopen(&story, NULL);
    assert_false(follows(&story, &other.author));
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_only_and_back),
        cmocka_unit_test(test_written_though_it_failed),
        cmocka_unit_test(test_what_failed_is_not_told),
        cmocka_unit_test(test_loaded_is_awaited),
        cmocka_unit_test(test_settings_fail),
        cmocka_unit_test(test_reload_keeps_what_the_owner_did),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("commit", tests, NULL, NULL) == 0 ? 0 : 1;
}
