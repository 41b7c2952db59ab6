#include "crowd.h"

#include <stdlib.h>

/* Two branches of one log, and all nodes come to the same verdict, whatever came first and by
 * whatever way. */

/* One holds one branch, one the other, one nothing. */
static void test_two_branches(void **state) {
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct crowd crowd;
        struct crowd_author author;
        crowd_begin_written(&crowd, &author, 3, seed);
        uint32_t common = crowd_write(&author, CROWD_NOTHING, 4);
        uint32_t one = crowd_write(&author, common, 3), other = crowd_write(&author, common, 5);
        crowd_give(&crowd, 0, &author, one, 1);
        crowd_give(&crowd, 1, &author, other, 1);
        assert_int_equal(crowd_log(&crowd, 1, &author.person.log).head_seq, 9);
        crowd_meet(&crowd);
        crowd_agrees(&crowd, &author.person.log);
        struct parley_node_log log = crowd_log(&crowd, 2, &author.person.log);
        assert_int_equal(log.forked, 5);
        assert_int_equal(log.head_seq, 4);
        /* Kept, and hidden. */
        assert_int_equal(crowd_log(&crowd, 0, &author.person.log).ranges.ranges[0].hi, 7);
        /* Also after a restart. */
        crowd_restart(&crowd, 0);
        assert_int_equal(crowd_log(&crowd, 0, &author.person.log).forked, 5);
        assert_int_equal(crowd_log(&crowd, 0, &author.person.log).head_seq, 4);
        crowd_end_unblamed(&crowd, &author);
    }
}

/* The evidence is whole by itself: it passes over nodes that hold nothing of the log, and over one
 * that has just that branch. */
static void test_passed_on(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    crowd_begin_written(&crowd, &author, 4, 1);
    uint32_t common = crowd_write(&author, CROWD_NOTHING, 4);
    uint32_t one = crowd_write(&author, common, 3), other = crowd_write(&author, common, 5);
    crowd_give(&crowd, 0, &author, one, 1);
    crowd_give(&crowd, 0, &author, other, 1);
    assert_int_equal(crowd_log(&crowd, 0, &author.person.log).forked, 5);
    crowd_give(&crowd, 2, &author, other, 1); /* the branch that node 0 has as evidence */
    crowd_give(&crowd, 3, &author, one, 1);   /* the branch that node 0 holds */
    for (unsigned i = 1; i < 4; i++) {
        crowd_link(&crowd, i, i - 1);
        crowd_wait(&crowd, 60);
        assert_int_equal(crowd_log(&crowd, i, &author.person.log).forked, 5);
    }
    crowd_agrees(&crowd, &author.person.log);
    crowd_end_unblamed(&crowd, &author);
}

/* A fork far below the heads is found by chunks, not entry by entry. */
static void test_deep(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    crowd_begin_written(&crowd, &author, 2, 1);
    uint32_t common = crowd_write(&author, CROWD_NOTHING, 10);
    uint32_t one = crowd_write(&author, common, 2500), other = crowd_write(&author, common, 2000);
    crowd_give(&crowd, 0, &author, one, 1);
    crowd_give(&crowd, 1, &author, other, 1);
    uint64_t bytes = crowd.messages_bytes;
    crowd_meet(&crowd);
    crowd_wait(&crowd, 60);
    assert_int_equal(crowd_log(&crowd, 0, &author.person.log).forked, 11);
    crowd_agrees(&crowd, &author.person.log);
    /* Each branch goes over once, and a little. */
    assert_true(crowd.messages_bytes - bytes < 3 * 4500 * 200);
    crowd_end_unblamed(&crowd, &author);
}

/* What is loaded is judged at once, log after log, with nothing else going on. */
static void test_loaded(void **state) {
    struct crowd crowd;
    struct crowd_author authors[2];
    crowd_begin(&crowd, 1, 1);
    for (unsigned i = 0; i < 2; i++) {
        crowd_author(&authors[i], (uint8_t)(9 + i));
        crowd_introduce(&crowd, &authors[i]);
        uint32_t common = crowd_write(&authors[i], CROWD_NOTHING, 4);
        crowd_give(&crowd, 0, &authors[i], crowd_write(&authors[i], common, 3), 1);
        crowd_give(&crowd, 0, &authors[i], crowd_write(&authors[i], common, 5), 1);
    }
    crowd_restart(&crowd, 0);
    assert_int_equal(parley_node_unreviewed(crowd.nodes[0].core), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(crowd_log(&crowd, 0, &authors[i].person.log).forked, 5);
        assert_int_equal(crowd_log(&crowd, 0, &authors[i].person.log).head_seq, 4);
        crowd_author_end(&authors[i]);
    }
    crowd_end(&crowd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_branches),
        cmocka_unit_test(test_passed_on),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_loaded),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("fork", tests, NULL, NULL) == 0 ? 0 : 1;
}
