#include "crowd.h"

/* What identity records say of a log, and what is then good of it. */

/* Closed on either branch of a fork: settled, and who held the other one fetches that branch. */
static void test_closing_settles(void **state) {
    for (unsigned which = 0; which < 2; which++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            struct crowd crowd;
            struct crowd_author author;
            crowd_begin_written(&crowd, &author, 3, seed);
            uint32_t common = crowd_write(&author, CROWD_NOTHING, 4);
            uint32_t tops[2] = {crowd_write(&author, common, 3), crowd_write(&author, common, 5)};
            crowd_give(&crowd, 0, &author, tops[0], 1);
            crowd_give(&crowd, 1, &author, tops[1], 1);
            crowd_meet(&crowd);
            crowd_agrees(&crowd, &author.person.log);
            crowd_close(&crowd, 2, &author, tops[which]);
            crowd_agrees(&crowd, &author.person.log);
            crowd_wait(&crowd, 60);
            for (unsigned i = 0; i < 3; i++) {
                struct parley_node_log log = crowd_log(&crowd, i, &author.person.log);
                assert_int_equal(log.forked, 0);
                assert_int_equal(log.head_seq, crowd_seq(&author, tops[which]));
                assert_int_equal(log.good.count, 1);
                assert_int_equal(log.good.ranges[0].lo, 1);
            }
            crowd_end_unblamed(&crowd, &author);
        }
}

/* Listed on either branch, and open: that branch goes on; who wrote the other one above the entry
 * that is listed forks it there again. */
static void test_listing_settles(void **state) {
    for (unsigned which = 0; which < 2; which++)
        for (unsigned forks_again = 0; forks_again < 2; forks_again++) {
            struct crowd crowd;
            struct crowd_author author;
            crowd_begin_written(&crowd, &author, 3, which);
            uint32_t common = crowd_write(&author, CROWD_NOTHING, 4);
            uint32_t listed = crowd_write(&author, common, 3);
            uint32_t other = crowd_write(&author, common, forks_again ? 5 : 2);
            crowd_give(&crowd, which, &author, listed, 1);
            crowd_give(&crowd, !which, &author, other, 1);
            crowd_meet(&crowd);
            crowd_agrees(&crowd, &author.person.log);
            assert_int_equal(crowd_log(&crowd, 2, &author.person.log).forked, 5);
            uint64_t before = crowd.nodes[which].shown_count;
            crowd_rotate(&crowd, 2, &author, 1, listed, false);
            crowd_agrees(&crowd, &author.person.log);
            /* Who held that branch all along shows now what the fork hid. */
            assert_int_equal(crowd.nodes[which].shown_count - before, 3);
            crowd_wait(&crowd, 60);
            uint32_t top = crowd_write(&author, listed, 2);
            crowd_give(&crowd, 0, &author, top, 1);
            crowd_agrees(&crowd, &author.person.log);
            crowd_wait(&crowd, 60);
            for (unsigned i = 0; i < 3; i++) {
                struct parley_node_log log = crowd_log(&crowd, i, &author.person.log);
                assert_int_equal(log.forked, forks_again ? 8 : 0);
                assert_int_equal(log.head_seq, forks_again ? 7 : 9);
                assert_true(
                    PARLEY_EQUAL(log.head_id, author.entries[forks_again ? listed : top].entry.id));
            }
            crowd_end_unblamed(&crowd, &author);
        }
}

/* What the records named was taken without a look at its own signature. Once they name another
 * entry that signature decides, and where it does not hold the newest one below that does. */
static void test_named_before(void **state) {
    for (unsigned i = 0; i < 3; i++) {
        bool is_bad = i == 1, is_island = i == 2; /* or held down to the first */
        struct crowd crowd;
        struct crowd_author author;
        crowd_begin_written(&crowd, &author, 2, i);
        uint32_t listed = crowd_write(&author, CROWD_NOTHING, 2);
        uint32_t below = crowd_write(&author, listed, 2);
        uint32_t named =
            is_bad ? crowd_write_bad(&author, below, 2) : crowd_write(&author, below, 2);
        crowd_close(&crowd, 0, &author, named);
        crowd_give(&crowd, 0, &author, named, is_island ? 4 : 1);
        assert_int_equal(crowd_log(&crowd, 0, &author.person.log).head_seq, 6);
        crowd_rotate(&crowd, 0, &author, 1, listed, false);
        uint32_t head = is_bad ? below : named;
        for (unsigned n = 0; n < 2; n++) {
            struct parley_node_log log = crowd_log(&crowd, n, &author.person.log);
            assert_int_equal(log.head_seq, crowd_seq(&author, head));
            assert_true(PARLEY_EQUAL(log.head_id, author.entries[head].entry.id));
            assert_int_equal(log.forked, 0);
            crowd_meet(&crowd);
            crowd_agrees(&crowd, &author.person.log);
        }
        crowd_restart(&crowd, 0);
        assert_int_equal(crowd_log(&crowd, 0, &author.person.log).head_seq,
                         crowd_seq(&author, head));
        /* The author goes on from there. */
        uint32_t top = crowd_write(&author, head, 1);
        crowd_give(&crowd, 1, &author, top, 1);
        crowd_meet(&crowd);
        crowd_agrees(&crowd, &author.person.log);
        assert_int_equal(crowd_log(&crowd, 0, &author.person.log).head_seq,
                         crowd_seq(&author, top));
        assert_int_equal(crowd_log(&crowd, 0, &author.person.log).forked, 0);
        crowd_end_unblamed(&crowd, &author);
    }
}

static void test_cut_and_void(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    crowd_begin_written(&crowd, &author, 2, 1);
    uint32_t third = crowd_write(&author, CROWD_NOTHING, 3), top = crowd_write(&author, third, 5);
    crowd_give(&crowd, 0, &author, top, 1);
    crowd_meet(&crowd);
    crowd_agrees(&crowd, &author.person.log);
    crowd_close(&crowd, 0, &author, third);
    crowd_agrees(&crowd, &author.person.log);
    struct parley_node_log log = crowd_log(&crowd, 1, &author.person.log);
    assert_int_equal(log.head_seq, 3);
    assert_int_equal(log.good.ranges[0].hi, 3);
    assert_int_equal(log.ranges.ranges[0].hi, 8);
    /* Also when it is loaded so. */
    crowd_restart(&crowd, 1);
    assert_int_equal(crowd_log(&crowd, 1, &author.person.log).head_seq, 3);
    crowd_meet(&crowd);
    /* A void log shows nothing; a rotation brings back what it lists. */
    crowd_close(&crowd, 0, &author, CROWD_NOTHING);
    crowd_agrees(&crowd, &author.person.log);
    crowd_wait(&crowd, 60);
    assert_int_equal(crowd_log(&crowd, 1, &author.person.log).good.count, 0);
    crowd_rotate(&crowd, 1, &author, 1, top, false);
    crowd_agrees(&crowd, &author.person.log);
    crowd_wait(&crowd, 60);
    assert_int_equal(crowd_log(&crowd, 0, &author.person.log).head_seq, 8);
    crowd_end_unblamed(&crowd, &author);
}

/* Closed at an entry that is not here: it is asked for by its name. */
static void test_named_and_not_held(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    crowd_begin_written(&crowd, &author, 2, 1);
    uint32_t common = crowd_write(&author, CROWD_NOTHING, 700);
    uint32_t one = crowd_write(&author, common, 900), other = crowd_write(&author, common, 1200);
    crowd_give(&crowd, 0, &author, one, 1);
    crowd_close(&crowd, 0, &author, other);
    assert_int_equal(crowd_log(&crowd, 0, &author.person.log).head_seq, 0);
    crowd_give(&crowd, 1, &author, other, 1);
    crowd_meet(&crowd);
    crowd_agrees(&crowd, &author.person.log);
    crowd_wait(&crowd, 60);
    struct parley_node_log log = crowd_log(&crowd, 0, &author.person.log);
    assert_int_equal(log.head_seq, 1900);
    assert_int_equal(log.good.count, 1);
    assert_int_equal(log.good.ranges[0].lo, 1);
    crowd_end_unblamed(&crowd, &author);
}

/* Listed at an entry that is here as the evidence of a fork and nowhere in the log: it comes into
 * the log, since nobody can be asked for what no log holds. */
static void test_named_in_evidence(void **state) {
    for (unsigned seed = 1; seed <= 4; seed++) {
        struct crowd crowd;
        struct crowd_author author;
        crowd_begin_written(&crowd, &author, 2, seed);
        uint32_t other = crowd_write(&author, CROWD_NOTHING, 7);
        uint32_t named = crowd_write(&author, CROWD_NOTHING, 1);
        crowd_give(&crowd, 0, &author, other, 1);
        crowd_give(&crowd, 0, &author, named, 1);
        crowd_wait(&crowd, 1);
        assert_int_equal(crowd_log(&crowd, 0, &author.person.log).forked, 1);
        crowd_rotate(&crowd, 0, &author, 1, named, false);
        crowd_wait(&crowd, 1);
        assert_int_equal(crowd_log(&crowd, 0, &author.person.log).head_seq, 1);
        crowd_restart(&crowd, 0);
        assert_int_equal(crowd_log(&crowd, 0, &author.person.log).head_seq, 1);
        crowd_meet(&crowd);
        crowd_wait(&crowd, 60);
        crowd_agrees(&crowd, &author.person.log);
        assert_int_equal(crowd_log(&crowd, 1, &author.person.log).head_seq, 1);
        crowd_end_unblamed(&crowd, &author);
    }
}

/* Listed at an entry that is not here, below a link that nobody can fill: whose head stands above
 * that link does not say what it holds below, and is asked for what the records name. */
static void test_named_below_an_island(void **state) {
    for (unsigned held = 0; held < 2; held++) {
        struct crowd crowd;
        struct crowd_author author;
        crowd_begin_written(&crowd, &author, 2, 1);
        uint32_t third = crowd_write(&author, CROWD_NOTHING, 3),
                 listed = crowd_write(&author, third, 2);
        uint32_t top = crowd_write(&author, crowd_write(&author, listed, 2), 1);
        crowd_give(&crowd, 0, &author, top, 8);
        /* Of what lies below that link it holds another part, or a part of the same. */
        crowd_give(&crowd, 0, &author, held ? listed : third, held ? 5 : 1);
        crowd_give(&crowd, 1, &author, top, 8);
        crowd_give(&crowd, 1, &author, listed, 1);
        for (unsigned i = 0; i < 2; i++)
            crowd_rotate(&crowd, i, &author, 1, listed, false);
        crowd_meet(&crowd);
        crowd_wait(&crowd, 60);
        crowd_agrees(&crowd, &author.person.log);
        struct parley_node_log log = crowd_log(&crowd, 0, &author.person.log);
        assert_int_equal(log.good.count, 2);
        assert_int_equal(log.good.ranges[1].hi, 5);
        assert_int_equal(log.good.ranges[1].lo, 1);
        crowd_end_unblamed(&crowd, &author);
    }
}

/* What came because the records named it, its own signature unseen, is a head once they name
 * something lower: a peer that knows so shows it. */
static void test_named_no_more(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    crowd_begin_written(&crowd, &author, 2, 1);
    uint32_t first = crowd_write(&author, CROWD_NOTHING, 1), top = crowd_write(&author, first, 1);
    crowd_close(&crowd, 0, &author, top);
    crowd_give(&crowd, 1, &author, top, 1);
    crowd_meet(&crowd);
    crowd_wait(&crowd, 60);
    crowd_agrees(&crowd, &author.person.log);
    assert_false(crowd_log(&crowd, 0, &author.person.log).ranges.ranges[0].hi_is_signed);
    crowd_rotate(&crowd, 0, &author, 1, first, false);
    crowd_wait(&crowd, 60);
    crowd_agrees(&crowd, &author.person.log);
    assert_int_equal(crowd_log(&crowd, 0, &author.person.log).head_seq, 2);
    crowd_end_unblamed(&crowd, &author);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closing_settles),       cmocka_unit_test(test_listing_settles),
        cmocka_unit_test(test_named_before),          cmocka_unit_test(test_cut_and_void),
        cmocka_unit_test(test_named_and_not_held),    cmocka_unit_test(test_named_in_evidence),
        cmocka_unit_test(test_named_below_an_island), cmocka_unit_test(test_named_no_more),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("closing", tests, NULL, NULL) == 0 ? 0 : 1;
}
