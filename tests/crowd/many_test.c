#include "crowd.h"

/* An author with more logs than a message of heads takes, and more certificates than one of
 * records: whoever meets them gets all of it. */

#define DEVICES_COUNT 601u

static void write_all(struct crowd *crowd, struct story_person *writer, unsigned number) {
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    crowd_record(crowd, 0, writer->inception);
    for (unsigned i = 0; i < DEVICES_COUNT; i++) {
        story_device(writer, (uint8_t)number, i);
        crowd_record(crowd, 0, writer->certificate);
        crowd_import(crowd, 0, story_entry(writer, "hello", buffer));
    }
}

static size_t logs_held(const struct crowd *crowd, unsigned node) {
    struct parley_node_status status;
    parley_node_status(crowd->nodes[node].core, &status);
    return status.logs_count;
}

static void test_all_logs_of_one_author(void **state) {
    struct crowd crowd;
    struct story_person writer;
    crowd_begin(&crowd, 2, 1);
    story_person(&writer, 9);
    write_all(&crowd, &writer, 9);
    assert_int_equal(logs_held(&crowd, 0), DEVICES_COUNT);
    crowd_meet(&crowd);
    /* Within the budgets of one peer, and without waiting for a regular exchange. */
    crowd_wait(&crowd, 1);
    assert_int_equal(logs_held(&crowd, 1), DEVICES_COUNT);
    crowd_agrees(&crowd, &writer.log);
    assert_int_equal(crowd.blamed, 0);
    crowd_end(&crowd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_logs_of_one_author),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("many", tests, NULL, NULL) == 0 ? 0 : 1;
}
