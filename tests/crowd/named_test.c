#include "crowd.h"

/* What a listing names, and what is built on it, where something else is held; and what comes
 * together of pieces. */

/* A node holds another branch up to the very seq that is listed: that shows no fork, since nothing
 * of it stands above. What is built on the listing still takes its place. */
static void test_built_on(void **state) {
    for (unsigned is_held = 0; is_held < 2; is_held++) {
        struct crowd crowd;
        struct crowd_author author;
        crowd_begin_written(&crowd, &author, 2, is_held);
        uint32_t common = crowd_write(&author, CROWD_NOTHING, 3);
        uint32_t other = crowd_write(&author, common, 2), listed = crowd_write(&author, common, 2);
        uint32_t top = crowd_write(&author, listed, 4);
        crowd_give(&crowd, 0, &author, other, 1);
        crowd_rotate(&crowd, 0, &author, 1, listed, false);
        crowd_rotate(&crowd, 1, &author, 1, listed, false);
        crowd_give(&crowd, 0, &author, top, 7);
        /* The entry that is named may be here, or nobody has it any more. */
        crowd_give(&crowd, 1, &author, top, is_held ? 1 : 6);
        crowd_meet(&crowd);
        crowd_wait(&crowd, 10);
        crowd_agrees(&crowd, &author.person.log);
        struct parley_node_log log = crowd_log(&crowd, 0, &author.person.log);
        assert_int_equal(log.forked, 0);
        assert_int_equal(log.head_seq, 9);
        assert_int_equal(log.good.ranges[0].lo, is_held ? 1 : 6);
        crowd_end_unblamed(&crowd, &author);
    }
}

/* The same where the other branch ends below what is listed, and a run goes past both: it is what
 * the listing names from there down. */
static void test_goes_past(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    crowd_begin_written(&crowd, &author, 1, 1);
    uint32_t common = crowd_write(&author, CROWD_NOTHING, 3);
    uint32_t other = crowd_write(&author, common, 2), listed = crowd_write(&author, common, 4);
    uint32_t above = crowd_write(&author, listed, 1), top = crowd_write(&author, above, 3);
    crowd_give(&crowd, 0, &author, other, 1);
    crowd_rotate(&crowd, 0, &author, 1, listed, false);
    crowd_give(&crowd, 0, &author, above, 7);
    crowd_give(&crowd, 0, &author, top, 1);
    crowd_wait(&crowd, 2);
    struct parley_node_log log = crowd_log(&crowd, 0, &author.person.log);
    assert_int_equal(log.forked, 0);
    assert_int_equal(log.head_seq, 11);
    assert_int_equal(log.good.ranges[0].lo, 1);
    crowd_end_unblamed(&crowd, &author);
}

/* What is held begins right above what a listing names, on another entry: that shows the fork, and
 * what is named is asked for by its name, not by what the held entry calls it. The records may come
 * first or last, and a restart between. */
static void test_right_above(void **state) {
    for (unsigned is_restarted = 0; is_restarted < 2; is_restarted++) {
        struct crowd crowd;
        struct crowd_author author;
        crowd_begin_written(&crowd, &author, 2, is_restarted);
        uint32_t common = crowd_write(&author, CROWD_NOTHING, 3);
        uint32_t other = crowd_write(&author, common, 5), listed = crowd_write(&author, common, 1);
        crowd_give(&crowd, 0, &author, other, 5);
        crowd_rotate(&crowd, 0, &author, 1, listed, false);
        crowd_rotate(&crowd, 1, &author, 1, listed, false);
        crowd_give(&crowd, 1, &author, listed, 1);
        crowd_settle(&crowd);
        if (is_restarted)
            crowd_restart(&crowd, 0);
        struct parley_node_log log = crowd_log(&crowd, 0, &author.person.log);
        assert_int_equal(log.forked, 5);
        assert_int_equal(log.head_seq, 0);
        crowd_meet(&crowd);
        crowd_wait(&crowd, 10);
        crowd_agrees(&crowd, &author.person.log);
        log = crowd_log(&crowd, 0, &author.person.log);
        assert_int_equal(log.forked, 5);
        assert_int_equal(log.head_seq, 4);
        assert_int_equal(log.good.ranges[0].lo, 1);
        crowd_end_unblamed(&crowd, &author);
    }
}

/* The same beside an end: what stands above another entry is hidden, and what is named comes. */
static void test_closed_right_below(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    crowd_begin_written(&crowd, &author, 2, 1);
    uint32_t common = crowd_write(&author, CROWD_NOTHING, 3);
    uint32_t other = crowd_write(&author, common, 5), named = crowd_write(&author, common, 1);
    crowd_give(&crowd, 0, &author, other, 5);
    crowd_close(&crowd, 0, &author, named);
    crowd_close(&crowd, 1, &author, named);
    crowd_give(&crowd, 1, &author, named, 1);
    crowd_meet(&crowd);
    crowd_wait(&crowd, 10);
    crowd_agrees(&crowd, &author.person.log);
    assert_int_equal(crowd_log(&crowd, 0, &author.person.log).head_seq, 4);
    crowd_end_unblamed(&crowd, &author);
}

/* All places for ranges are taken by islands, none of which is what is named: that takes the place
 * of one of them, where the log goes on and where it ends there. */
static void test_among_islands(void **state) {
    for (unsigned is_closed = 0; is_closed < 2; is_closed++) {
        struct crowd crowd;
        struct crowd_author author;
        crowd_begin_written(&crowd, &author, 2, is_closed);
        uint32_t entries[21], below = CROWD_NOTHING;
        for (unsigned i = 1; i <= 20; i++)
            below = entries[i] = crowd_write(&author, below, 1);
        unsigned named = is_closed ? 20 : 10, islands = 0;
        for (unsigned i = 2; islands < PARLEY_RANGES_MAX; i += 2)
            if (i != named) {
                crowd_give(&crowd, 0, &author, entries[i], i);
                islands++;
            }
        assert_int_equal(crowd_log(&crowd, 0, &author.person.log).ranges.count, PARLEY_RANGES_MAX);
        for (unsigned i = 0; i < 2; i++)
            if (is_closed)
                crowd_close(&crowd, i, &author, entries[named]);
            else
                crowd_rotate(&crowd, i, &author, 1, entries[named], false);
        crowd_give(&crowd, 1, &author, entries[named], named); /* and fills no hole */
        crowd_meet(&crowd);
        crowd_wait(&crowd, 60);
        crowd_agrees(&crowd, &author.person.log);
        struct parley_node_log log = crowd_log(&crowd, 0, &author.person.log);
        assert_int_equal(log.head_seq, is_closed ? 20 : 18);
        assert_true(parley_ranges_covers(&log.good, named));
        crowd_end_unblamed(&crowd, &author);
    }
}

/* The first nodes, in a line. */
static void link_all(struct crowd *crowd, unsigned count) {
    for (unsigned i = 1; i < count; i++)
        crowd_link(crowd, i - 1, i);
}

/* By now. */
static void agree(struct crowd *crowd, const struct crowd_author *author) {
    char why[512];
    if (crowd_differs(crowd, &author->person.log, why, sizeof why))
        fail_msg("%s", why);
}

/* The entry between what is named and what is held above it is nowhere: heads tell of both. Who has
 * waited for long hears of it as soon as somebody has it. */
static void test_held_apart(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    crowd_begin_written(&crowd, &author, 6, 1);
    uint32_t listed = crowd_write(&author, CROWD_NOTHING, 5), top = crowd_write(&author, listed, 4);
    for (unsigned i = 0; i < 5; i++) {
        crowd_rotate(&crowd, i, &author, 1, listed, false);
        crowd_give(&crowd, i, &author, top, 7);
    }
    crowd_rotate(&crowd, 5, &author, 1, listed, false);
    link_all(&crowd, 5);
    crowd_wait(&crowd, 420);
    crowd_give(&crowd, 0, &author, listed, 1); /* from a stick */
    crowd_wait(&crowd, 10);
    struct parley_node_log log = crowd_log(&crowd, 4, &author.person.log);
    assert_int_equal(log.good.count, 2);
    assert_int_equal(log.good.ranges[1].lo, 1);
    assert_int_equal(log.good.ranges[1].hi, 5);
    /* Who has just come gets both, and need not be told again for that. */
    crowd_part(&crowd);
    crowd_link(&crowd, 4, 5);
    crowd_wait(&crowd, 2);
    agree(&crowd, &author);
    crowd_end_unblamed(&crowd, &author);
}

/* One end of a line has every other piece of a log, the other end the rest: each piece goes all the
 * way before the next is asked for, and no hop waits for its turn to be asked. */
static void test_pieces(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    crowd_begin_written(&crowd, &author, 6, 1);
    uint32_t tops[6], below = CROWD_NOTHING;
    for (unsigned i = 0; i < 6; i++)
        below = tops[i] = crowd_write(&author, below, 10);
    for (unsigned i = 0; i < crowd.count; i++)
        crowd_give(&crowd, i, &author, tops[5], 51);
    for (unsigned i = 0; i < 5; i++)
        crowd_give(&crowd, i % 2 == 0 ? 0 : crowd.count - 1, &author, tops[i], 10 * i + 1);
    link_all(&crowd, crowd.count);
    crowd_wait(&crowd, 10);
    agree(&crowd, &author);
    assert_int_equal(crowd_log(&crowd, 2, &author.person.log).good.ranges[0].lo, 1);
    crowd_end_unblamed(&crowd, &author);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_built_on),      cmocka_unit_test(test_goes_past),
        cmocka_unit_test(test_right_above),   cmocka_unit_test(test_closed_right_below),
        cmocka_unit_test(test_among_islands), cmocka_unit_test(test_held_apart),
        cmocka_unit_test(test_pieces),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("named", tests, NULL, NULL) == 0 ? 0 : 1;
}
