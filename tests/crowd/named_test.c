#include "crowd.h"

/* What a listing names, and what is built on it, where something else is held. */

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
        crowd_wait(&crowd, 60);
        crowd_agrees(&crowd, &author.person.log);
        struct parley_node_log log = crowd_log(&crowd, 0, &author.person.log);
        assert_int_equal(log.forked, 0);
        assert_int_equal(log.head_seq, 9);
        assert_int_equal(log.good.ranges[0].lo, is_held ? 1 : 6);
        crowd_end_unblamed(&crowd, &author);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_built_on),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("named", tests, NULL, NULL) == 0 ? 0 : 1;
}
