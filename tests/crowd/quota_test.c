#include "quota.h"

#include <stdlib.h>

/* What goes when it is too much: strangers, then whom only followed people follow, then what is
 * old; and that what went is not fetched again. Node 0 holds everything; node 1 has the quota. */

#define STRANGERS_COUNT 40u
#define FIRST_STRANGER  100u

static unsigned count_held(struct crowd *crowd, unsigned node, const struct crowd_author *authors,
                           unsigned from, unsigned to) {
    unsigned count = 0;
    for (unsigned i = from; i < to; i++)
        count += crowd_log(crowd, node, &authors[i].person.log).head_seq != 0;
    return count;
}

/* Stranger i has 5 + i entries: the higher his number, the later his newest one. */
static void strangers(struct crowd *crowd, unsigned node, struct crowd_author *authors,
                      unsigned count) {
    for (unsigned i = 0; i < count; i++)
        (void)author_at(crowd, node, &authors[i], (uint8_t)(FIRST_STRANGER + i), 5 + i);
}

static void test_flood(void **state) {
    struct crowd crowd;
    struct crowd_author friend, others[STRANGERS_COUNT];
    begin(&crowd, 2, 1);
    limit(&crowd, QUOTA);
    (void)author_at(&crowd, 0, &friend, 9, 30);
    follow(&crowd, 1, &friend, true);
    crowd_meet(&crowd);
    strangers(&crowd, 0, others, STRANGERS_COUNT);
    crowd_wait(&crowd, 120);
    struct parley_node_log log = crowd_log(&crowd, 1, &friend.person.log);
    assert_int_equal(log.head_seq, 30);
    assert_int_equal(log.good.count, 1);
    assert_int_equal(log.good.ranges[0].lo, 1);
    struct parley_node_status status = status_of(&crowd, 1);
    assert_true(status.held_bytes <= QUOTA / 16 * 15 && !status.is_full);
    assert_true(status.strangers_bytes > QUOTA / 2);
    assert_counted(&crowd, 1);
    /* Who spoke last is here; who was silent for longest has gone. */
    unsigned held = count_held(&crowd, 1, others, 0, STRANGERS_COUNT);
    assert_in_range(held, 3, STRANGERS_COUNT / 2);
    assert_int_equal(count_held(&crowd, 1, others, STRANGERS_COUNT - 3, STRANGERS_COUNT), 3);
    assert_int_equal(count_held(&crowd, 1, others, 0, 10), 0);
    assert_true(crowd.nodes[1].compactions_count > 0);
    assert_int_equal(status.logs_count, held + 1);
    /* What went does not come again, however often it is told. */
    uint64_t checks = crowd.checks_count;
    crowd_part(&crowd);
    crowd_meet(&crowd);
    crowd_wait(&crowd, 300);
    assert_int_equal(crowd.checks_count, checks);
    assert_int_equal(count_held(&crowd, 1, others, 0, STRANGERS_COUNT), held);
    /* But who says something new does. */
    uint32_t top = crowd_write(&others[0], 4, 60);
    crowd_give(&crowd, 0, &others[0], top, 6);
    crowd_wait(&crowd, 120);
    assert_int_equal(crowd_log(&crowd, 1, &others[0].person.log).head_seq, 65);
    /* All of it again from the disk. */
    crowd_restart(&crowd, 1);
    assert_counted(&crowd, 1);
    assert_int_equal(crowd_log(&crowd, 1, &friend.person.log).good.ranges[0].lo, 1);
    crowd_author_end(&friend);
    end(&crowd, others, STRANGERS_COUNT);
}

/* What was dropped lies in the files until they are compacted: strangers wait for that. */
static void test_slow_disk(void **state) {
    struct crowd crowd;
    struct crowd_author others[STRANGERS_COUNT];
    begin(&crowd, 2, 4);
    limit(&crowd, QUOTA);
    crowd.nodes[1].compacts_for_ever = true;
    crowd_meet(&crowd);
    strangers(&crowd, 0, others, STRANGERS_COUNT);
    crowd_wait(&crowd, 120);
    assert_int_equal(crowd.nodes[1].compactions_count, 1);
    assert_int_equal(count_held(&crowd, 1, others, STRANGERS_COUNT - 3, STRANGERS_COUNT), 0);
    crowd.nodes[1].compacts_for_ever = false;
    struct parley_event event = {.kind = PARLEY_EVENT_COMPACTED};
    crowd_step(&crowd, 1, &event, NULL);
    crowd_wait(&crowd, 120);
    assert_in_range(crowd.nodes[1].compactions_count, 2, 100);
    assert_int_equal(count_held(&crowd, 1, others, STRANGERS_COUNT - 3, STRANGERS_COUNT), 3);
    assert_counted(&crowd, 1);
    end(&crowd, others, STRANGERS_COUNT);
}

/* Below the quota the table alone can be too small. */
static void test_full_table(void **state) {
    struct crowd crowd;
    struct crowd_author others[STRANGERS_COUNT];
    begin(&crowd, 2, 2);
    crowd.nodes[1].config.authors_max = crowd.nodes[1].config.logs_max = 32;
    limit(&crowd, UINT64_C(1) << 30);
    crowd_meet(&crowd);
    strangers(&crowd, 0, others, STRANGERS_COUNT);
    crowd_wait(&crowd, 300);
    assert_int_equal(count_held(&crowd, 1, others, STRANGERS_COUNT - 8, STRANGERS_COUNT), 8);
    assert_in_range(status_of(&crowd, 1).logs_count, 16, 28);
    assert_counted(&crowd, 1);
    end(&crowd, others, STRANGERS_COUNT);
}

/* Nobody is a stranger: what is old goes, one's own never. */
static void test_old(void **state) {
    struct crowd crowd;
    struct crowd_author authors[3];
    begin(&crowd, 3, 3);
    crowd_author(&authors[2], 33);
    crowd.nodes[1].config.relay = false;
    crowd.nodes[1].config.has_device = true;
    crowd.nodes[1].config.author = authors[2].person.author;
    crowd.nodes[1].config.device_key = authors[2].person.device;
    limit(&crowd, 2 * QUOTA);
    introduce(&crowd, 1, &authors[2]);
    crowd_give(&crowd, 1, &authors[2], crowd_write(&authors[2], CROWD_NOTHING, 50), 1);
    for (unsigned i = 0; i < 2; i++) {
        (void)author_at(&crowd, 0, &authors[i], (uint8_t)(40 + i), 300);
        follow(&crowd, 1, &authors[i], true);
    }
    crowd_link(&crowd, 1, 0);
    crowd_wait(&crowd, 120);
    struct parley_node_log own = crowd_log(&crowd, 1, &authors[2].person.log);
    assert_int_equal(own.head_seq, 50);
    assert_int_equal(own.ranges.ranges[0].lo, 1);
    assert_true(status_of(&crowd, 1).held_bytes <= 2 * QUOTA / 16 * 15);
    assert_counted(&crowd, 1);
    parley_seq low[2];
    for (unsigned i = 0; i < 2; i++) {
        struct parley_node_log log = crowd_log(&crowd, 1, &authors[i].person.log);
        assert_int_equal(log.head_seq, 300);
        assert_int_equal(log.ranges.count, 1);
        low[i] = lowest(&log);
        assert_in_range(low[i], 20, 290);
    }
    /* Of both the same age, for they were written at the same time. */
    assert_true(low[0] < low[1] + 80 && low[1] < low[0] + 80);
    uint64_t bytes = crowd.messages_bytes;
    crowd_wait(&crowd, 300);
    assert_true(crowd.messages_bytes < bytes + 20000);
    /* Also after a restart; who asks here gets what is here. */
    crowd_restart(&crowd, 1);
    bytes = crowd.messages_bytes;
    crowd_link(&crowd, 1, 0);
    crowd_wait(&crowd, 120);
    print_message("# %llu bytes after a restart\n",
                  (unsigned long long)(crowd.messages_bytes - bytes));
    assert_true(crowd.messages_bytes < bytes + 4000); /* what was pruned is more */
    for (unsigned i = 0; i < 2; i++)
        assert_true(lowest(&(struct parley_node_log){
                        .ranges = crowd_log(&crowd, 1, &authors[i].person.log).ranges}) >= low[i]);
    crowd_part(&crowd);
    crowd_link(&crowd, 2, 1);
    crowd_wait(&crowd, 60);
    struct parley_node_log log = crowd_log(&crowd, 1, &authors[0].person.log),
                           copy = crowd_log(&crowd, 2, &authors[0].person.log);
    assert_int_equal(copy.head_seq, 300);
    assert_int_equal(lowest(&copy), lowest(&log));
    end(&crowd, authors, 3);
}

static void allow(struct crowd *crowd, unsigned node, const struct crowd_author *author, bool on) {
    struct parley_event event = {.kind = PARLEY_EVENT_LIST};
    event.list.listed.list = PARLEY_LIST_ALLOW;
    event.list.listed.author = author->person.author;
    event.list.on = on;
    crowd_step(crowd, node, &event, NULL);
    crowd_settle(crowd);
}

static parley_seq lowest_of(struct crowd *crowd, unsigned node, const struct crowd_author *author) {
    struct parley_node_log log = crowd_log(crowd, node, &author->person.log);
    return log.good.count == 0 ? 0 : log.good.ranges[log.good.count - 1].lo;
}

/* What was pruned comes back of whom the owner allows, and stays; of the other one more goes. */
static void test_allowed(void **state) {
    struct crowd crowd;
    struct crowd_author authors[2];
    begin(&crowd, 2, 6);
    limit(&crowd, QUOTA / 2 * 3);
    for (unsigned i = 0; i < 2; i++) {
        (void)author_at(&crowd, 0, &authors[i], (uint8_t)(40 + i), 300);
        follow(&crowd, 1, &authors[i], true);
    }
    crowd_meet(&crowd);
    crowd_wait(&crowd, 120);
    parley_seq low = lowest_of(&crowd, 1, &authors[1]);
    assert_true(lowest_of(&crowd, 1, &authors[0]) > 1 && low > 1);
    allow(&crowd, 1, &authors[0], true);
    crowd_wait(&crowd, 240);
    assert_int_equal(lowest_of(&crowd, 1, &authors[0]), 1);
    assert_true(lowest_of(&crowd, 1, &authors[1]) > low);
    assert_true(status_of(&crowd, 1).held_bytes <= QUOTA / 2 * 3 / 16 * 15);
    crowd_restart(&crowd, 1);
    crowd_meet(&crowd);
    crowd_wait(&crowd, 120);
    assert_int_equal(lowest_of(&crowd, 1, &authors[0]), 1);
    assert_counted(&crowd, 1);
    end(&crowd, authors, 2);
}

/* A quota that is no more: what it pruned comes back. */
static void test_no_quota_any_more(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    begin(&crowd, 2, 7);
    limit(&crowd, QUOTA / 4 * 3);
    (void)author_at(&crowd, 0, &author, 40, 300);
    follow(&crowd, 1, &author, true);
    crowd_meet(&crowd);
    crowd_wait(&crowd, 120);
    assert_true(lowest_of(&crowd, 1, &author) > 1);
    limit(&crowd, 0);
    crowd_meet(&crowd);
    crowd_wait(&crowd, 120);
    assert_int_equal(lowest_of(&crowd, 1, &author), 1);
    assert_int_equal(crowd_log(&crowd, 1, &author.person.log).good.count, 1);
    end(&crowd, &author, 1);
}

/* Of a log that is closed the entry that the closing names stays, and all of it stays good. */
static void test_named(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    begin(&crowd, 2, 4);
    uint32_t top = author_at(&crowd, 0, &author, 40, 300);
    follow(&crowd, 1, &author, true);
    crowd_meet(&crowd);
    crowd_wait(&crowd, 30);
    crowd_close(&crowd, 0, &author, 19);
    crowd_wait(&crowd, 60);
    limit(&crowd, 8000);
    assert_int_equal(crowd_seq(&author, 19), 20);
    assert_int_equal(crowd_seq(&author, top), 300);
    crowd_meet(&crowd);
    crowd_wait(&crowd, 60);
    struct parley_node_log log = crowd_log(&crowd, 1, &author.person.log);
    assert_int_equal(log.head_seq, 20);
    assert_int_equal(lowest(&log), 20);
    assert_true(status_of(&crowd, 1).is_full);
    assert_true(crowd.nodes[1].warnings > 0);
    end(&crowd, &author, 1);
}

/* The disk fails while strangers go: nothing is believed to be gone that is there, or there that is
 * gone. */
static void test_failing_disk(void **state) {
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct crowd crowd;
        struct crowd_author others[STRANGERS_COUNT];
        begin(&crowd, 2, seed);
        limit(&crowd, QUOTA);
        crowd_meet(&crowd);
        strangers(&crowd, 0, others, STRANGERS_COUNT);
        for (unsigned i = 0; i < 10; i++) {
            crowd.fails_next_store = i % 3 == 0;
            crowd_wait(&crowd, 7);
        }
        crowd.fails_next_store = false;
        crowd_wait(&crowd, 60);
        assert_counted(&crowd, 1);
        assert_true(status_of(&crowd, 1).held_bytes <= QUOTA / 16 * 15);
        end(&crowd, others, STRANGERS_COUNT);
    }
}

/* Who is followed while he goes stays, and comes whole. */
static void test_unfollowed_and_followed(void **state) {
    struct crowd crowd;
    struct crowd_author authors[2];
    begin(&crowd, 2, 5);
    (void)author_at(&crowd, 0, &authors[0], 40, 200);
    (void)author_at(&crowd, 0, &authors[1], 41, 200);
    crowd.nodes[1].config.relay = false;
    limit(&crowd, QUOTA);
    follow(&crowd, 1, &authors[0], true);
    crowd_meet(&crowd);
    crowd_wait(&crowd, 30);
    assert_int_equal(crowd_log(&crowd, 1, &authors[0].person.log).head_seq, 200);
    assert_int_equal(status_of(&crowd, 1).strangers_bytes, 0);
    follow(&crowd, 1, &authors[0], false);
    assert_true(status_of(&crowd, 1).strangers_bytes > 10000);
    follow(&crowd, 1, &authors[1], true);
    crowd_wait(&crowd, 60);
    assert_int_equal(crowd_log(&crowd, 1, &authors[0].person.log).head_seq, 0);
    assert_int_equal(lowest(&(struct parley_node_log){
                         .ranges = crowd_log(&crowd, 1, &authors[1].person.log).ranges}),
                     1);
    follow(&crowd, 1, &authors[1], false);
    follow(&crowd, 1, &authors[0], true);
    crowd_wait(&crowd, 60);
    assert_int_equal(crowd_log(&crowd, 1, &authors[0].person.log).head_seq, 200);
    assert_counted(&crowd, 1);
    end(&crowd, authors, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_slow_disk),
        cmocka_unit_test(test_full_table),
        cmocka_unit_test(test_old),
        cmocka_unit_test(test_named),
        cmocka_unit_test(test_failing_disk),
        cmocka_unit_test(test_unfollowed_and_followed),
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_no_quota_any_more),

    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("quota", tests, NULL, NULL) == 0 ? 0 : 1;
}
