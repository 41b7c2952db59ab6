#include "crowd.h"

/* People and machines that were apart for long: what they carry to one another makes them equal. */

#define DAY_MS UINT64_C(86400000)

/* Far ahead, with a moment for everybody every hour. */
static void days_go_by(struct crowd *crowd, unsigned days) {
    for (unsigned hour = 0; hour < 24 * days; hour++) {
        crowd->now += DAY_MS / 24;
        crowd_wait(crowd, 1);
    }
}

/* --- a stick -------------------------------------------------------------------------------- */

struct stick {
    struct crowd *crowd;
    unsigned from, to;
    uint64_t chunks_count;
};

static bool carry_record(void *context, const struct parley_author *author,
                         struct parley_span record) {
    const struct stick *stick = context;
    crowd_record(stick->crowd, stick->to, record);
    return true;
}

/* A log's ranges, newest chunk first, as a bundle has them (SPEC 7.6.2). */
static bool carry_log(void *context, const struct parley_store_log *log) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct stick *stick = context;
    for (unsigned i = 0; i < log->ranges.count; i++) {
        const struct parley_run *run = &log->ranges.ranges[i];
        for (parley_seq top = run->hi; top >= run->lo;) {
            struct parley_chunk chunk;
            struct parley_span bytes;
            assert_int_equal(parley_store_read_run(stick->crowd->nodes[stick->from].store,
                                                   &log->log, top, run->lo, true,
                                                   PARLEY_CHUNK_BYTES_MAX, buffer, &bytes),
                             PARLEY_E_OK);
            assert_int_equal(parley_chunk_decode(&chunk, bytes).error, PARLEY_E_OK);
            top = chunk.seq_first - 1;
            crowd_import(stick->crowd, stick->to, bytes);
            stick->chunks_count++;
        }
    }
    return true;
}

static void carry(struct crowd *crowd, unsigned from, unsigned to) {
    struct stick stick = {crowd, from, to, 0};
    struct parley_store_visitor records = {.context = &stick, .on_record = carry_record};
    struct parley_store_visitor logs = {.context = &stick, .on_log = carry_log};
    assert_int_equal(parley_store_load(crowd->nodes[from].store, &records), PARLEY_E_OK);
    assert_int_equal(parley_store_load(crowd->nodes[from].store, &logs), PARLEY_E_OK);
    assert_true(stick.chunks_count > 0);
}

#define HALF    3u
#define AUTHORS 4u

/* Two halves of a network, thirty days apart, with people in each, and people with a device in
 * each of whom one half revokes what the other goes on with. */
static void test_two_halves_and_a_stick(void **state) {
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct crowd crowd;
        struct crowd_author authors[AUTHORS];
        uint32_t tops[AUTHORS];
        crowd_begin(&crowd, 2 * HALF, seed);
        for (uint8_t i = 0; i < AUTHORS; i++) {
            crowd_author(&authors[i], (uint8_t)(20 + i));
            crowd_introduce(&crowd, &authors[i]);
            tops[i] = crowd_write(&authors[i], CROWD_NOTHING, 5 + i);
            crowd_give(&crowd, i % 2 * HALF, &authors[i], tops[i], 1);
        }
        crowd_meet(&crowd);
        crowd_wait(&crowd, 60);
        crowd_agrees(&crowd, &authors[0].person.log);
        crowd_part(&crowd);
        for (unsigned half = 0; half < 2; half++)
            for (unsigned i = 1; i < HALF; i++)
                crowd_link(&crowd, half * HALF + i, half * HALF + i - 1);
        for (unsigned week = 0; week < 4; week++) {
            for (uint8_t i = 0; i < AUTHORS; i++) {
                uint32_t below = tops[i];
                tops[i] = crowd_write(&authors[i], below, 40 + i * 100);
                crowd_give(&crowd, i % 2 * HALF + week % HALF, &authors[i], tops[i],
                           crowd_seq(&authors[i], below) + 1);
            }
            days_go_by(&crowd, 7);
        }
        /* One of the first half's is revoked in the second, at what was known there. */
        crowd_close(&crowd, HALF, &authors[0], 4);
        days_go_by(&crowd, 2);
        carry(&crowd, 2, HALF + 1);
        carry(&crowd, HALF + 1, 2);
        for (uint8_t i = 0; i < AUTHORS; i++)
            crowd_agrees(&crowd, &authors[i].person.log);
        assert_int_equal(crowd_log(&crowd, 0, &authors[0].person.log).head_seq, 5);
        for (uint8_t i = 1; i < AUTHORS; i++)
            assert_int_equal(crowd_log(&crowd, HALF, &authors[i].person.log).head_seq,
                             crowd_seq(&authors[i], tops[i]));
        assert_int_equal(crowd.blamed, 0);
        for (uint8_t i = 0; i < AUTHORS; i++)
            crowd_author_end(&authors[i]);
        crowd_end(&crowd);
    }
}

/* --- an empty machine ----------------------------------------------------------------------- */

enum { FIRST, SECOND, FRIEND, THIRD, READER, MACHINES };

/* A node whose owner has this device. */
static void own(struct crowd *crowd, unsigned node, const struct story_person *person) {
    struct parley_node_config *config = &crowd->nodes[node].config;
    config->has_device = true;
    config->author = person->author;
    config->device_key = person->device;
    crowd_restart(crowd, node);
    crowd_record(crowd, node, person->inception);
    crowd_record(crowd, node, person->certificate);
}

static void publish(struct crowd *crowd, unsigned node, unsigned count) {
    for (; count > 0; count--) {
        struct parley_event event = {.kind = PARLEY_EVENT_PUBLISH};
        event.publish.request = 1;
        event.publish.body = PARLEY_SPAN("hello", 5);
        crowd_step(crowd, node, &event, NULL);
        crowd_settle(crowd);
        assert_int_equal(crowd->nodes[node].reply, PARLEY_E_OK);
    }
}

/* Two devices, the first of which is gone with its disk, and a third that its owner made from the
 * words on an empty machine: one feed on every reader, no fork, and the history is back. */
static void test_restored_on_an_empty_machine(void **state) {
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct crowd crowd;
        struct story_person devices[3];
        crowd_begin(&crowd, MACHINES, seed);
        for (unsigned i = 0; i < 3; i++) {
            story_person(&devices[i], 9);
            story_device(&devices[i], 9, i);
        }
        own(&crowd, FIRST, &devices[0]);
        own(&crowd, SECOND, &devices[1]);
        crowd_record(&crowd, FIRST, devices[1].certificate);
        crowd_link(&crowd, FIRST, FRIEND);
        crowd_link(&crowd, SECOND, FRIEND);
        publish(&crowd, FIRST, 30);
        publish(&crowd, SECOND, 7);
        crowd_wait(&crowd, 60);
        publish(&crowd, FIRST, 3);
        crowd_wait(&crowd, seed % 2 == 0 ? 0 : 30);
        struct parley_event gone = {.kind = PARLEY_EVENT_DISCONNECT};
        gone.disconnect.key = crowd.nodes[FIRST].address.key;
        crowd_step(&crowd, FRIEND, &gone, NULL);
        crowd_part(&crowd);
        /* Alone at first, and nothing of the history is there. */
        own(&crowd, THIRD, &devices[2]);
        publish(&crowd, THIRD, 4);
        crowd_link(&crowd, THIRD, FRIEND);
        crowd_link(&crowd, SECOND, FRIEND);
        crowd_link(&crowd, READER, SECOND);
        crowd_wait(&crowd, 90);
        publish(&crowd, THIRD, 2);
        publish(&crowd, SECOND, 2);
        crowd_wait(&crowd, 90);
        struct parley_hash digests[MACHINES];
        for (unsigned i = SECOND; i < MACHINES; i++) {
            static const parley_seq heads[] = {33, 9, 6};
            for (unsigned device = 0; device < 3; device++) {
                struct parley_node_log log = crowd_log(&crowd, i, &devices[device].log);
                assert_int_equal(log.forked, 0);
                assert_int_equal(log.head_seq, heads[device]);
                assert_int_equal(log.good.ranges[0].lo, 1);
            }
            parley_node_digest(crowd.nodes[i].core, NULL, 0, &digests[i]);
            assert_true(PARLEY_EQUAL(digests[i], digests[SECOND]));
        }
        assert_int_equal(crowd.blamed, 0);
        crowd_end(&crowd);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_two_halves_and_a_stick),
                                       cmocka_unit_test(test_restored_on_an_empty_machine)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("apart", tests, NULL, NULL) == 0 ? 0 : 1;
}
