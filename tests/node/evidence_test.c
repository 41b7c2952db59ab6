#include "story.h"
#include <stdio.h>

/* The proof of a fork: what is asked of it before it is kept, how it is kept, and what is sent of
 * it. */

static struct parley_node_log log_of(const struct story *story, const struct story_person *person) {
    struct parley_node_log log = {0};
    assert_true(parley_node_log_find(story->node, &person->log, &log));
    return log;
}

/* Two entries of one number, both signed by the device. */
static void test_evidence_is_checked(void **state) {
    for (unsigned damaged = 0; damaged < 2; damaged++) {
        struct story story;
        struct story_person writer, other_branch;
        uint8_t one[PARLEY_CHUNK_BUFFER_SIZE], two[PARLEY_CHUNK_BUFFER_SIZE];
        story_begin_relay(&story);
        story_person(&writer, 9);
        other_branch = writer;
        struct story_puppet *peer = story_peer(&story, 'A');
        story_know(&story, &writer);
        struct parley_span held = story_entry(&writer, "one", one);
        story_push(&story, peer, held);
        story_settle(&story);
        story_forget(&story);
        if (damaged)
            other_branch.device.bytes[0] ^= 1; /* signed, but not by the device */
        struct parley_wire_message message = {.type = PARLEY_WIRE_EVIDENCE};
        message.as.evidence.log = writer.log;
        message.as.evidence.chunk = story_entry(&other_branch, "another", two);
        story_send(&story, peer, &message);
        story_expect(&story, "VERIFY\n"); /* nothing is kept on a stranger's word */
        story_settle(&story);
        assert_int_equal(story.reads_count, !damaged); /* what is held, to lay it beside */
        if (!damaged)
            story_read(&story, PARLEY_E_OK, held, 0);
        story_settle(&story);
        assert_int_equal(story_has(&story, "STORE evidence"), !damaged);
        assert_int_equal(story_has(&story, "CLOSE A BAD_SIGNATURE"), damaged);
        assert_int_equal(log_of(&story, &writer).forked, damaged ? 0 : 1);
        story_end(&story);
    }
}

static void send_evidence(struct story *story, const struct story_person *writer,
                          struct parley_span chunk) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_EVIDENCE};
    message.as.evidence.log = writer->log;
    message.as.evidence.chunk = chunk;
    story_send(story, &story->puppets[0], &message);
    story_settle(story);
}

/* What comes later may go on downwards with evidence that is on the disk, and show a lower fork:
 * then that has to be on the disk, too. */
static void test_evidence_goes_on(void **state) {
    struct story story;
    struct story_person writer, other;
    static uint8_t one[PARLEY_CHUNK_BUFFER_SIZE], upper[PARLEY_CHUNK_BUFFER_SIZE],
        lower[PARLEY_CHUNK_BUFFER_SIZE], buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_relay(&story);
    story_person(&writer, 9);
    other = writer;
    (void)story_peer(&story, 'A');
    story_know(&story, &writer);
    (void)story_entry(&writer, "one", buffer);
    (void)story_entry(&other, "another", buffer);
    struct parley_span of_one = story_entry(&writer, "two", one);
    struct parley_span of_other[] = {story_entry(&other, "another two", lower),
                                     story_entries(&other, 2, upper)};
    send_evidence(&story, &writer, of_one);
    send_evidence(&story, &writer, of_other[1]);
    assert_int_equal(log_of(&story, &writer).forked, 2);
    story_forget(&story);
    send_evidence(&story, &writer, of_other[0]);
    story_read(&story, PARLEY_E_OK, of_one, 0);
    story_read(&story, PARLEY_E_OK, of_other[1], 0);
    story_read(&story, PARLEY_E_NOT_FOUND, PARLEY_NO_SPAN, 0);
    assert_int_equal(log_of(&story, &writer).forked, 1);
    assert_true(story_has(&story, "STORE evidence"));
    story_end(&story);
}

/* The newest READ is answered, before those that wait. */
static void read_newest(struct story *story, enum parley_error error, struct parley_span bytes) {
    parley_ticket newest = story->reads[story->reads_count - 1];
    memmove(story->reads + 1, story->reads, (story->reads_count - 1) * sizeof newest);
    story->reads[0] = newest;
    story_read(story, error, bytes, 0);
}

/* What is written anew while it is read for a peer is not sent: it goes on with nothing that the
 * peer has, who would find a fault. */
static void test_evidence_written_anew_while_read(void **state) {
    struct story story;
    struct story_person writer, other;
    static uint8_t one[PARLEY_CHUNK_BUFFER_SIZE], upper[PARLEY_CHUNK_BUFFER_SIZE],
        lower[PARLEY_CHUNK_BUFFER_SIZE], buffer[PARLEY_CHUNK_BUFFER_SIZE];
    char sent[32];
    (void)snprintf(sent, sizeof sent, "B message %d", PARLEY_WIRE_EVIDENCE);
    for (unsigned anew = 0; anew < 2; anew++) {
        story_begin_relay(&story);
        story_person(&writer, 9);
        other = writer;
        (void)story_peer(&story, 'A');
        story_know(&story, &writer);
        (void)story_entry(&writer, "one", buffer);
        (void)story_entry(&other, "another", buffer);
        struct parley_span of_one = story_entry(&writer, "two", one);
        struct parley_span of_other[] = {story_entry(&other, "another two", lower),
                                         story_entries(&other, 2, upper)};
        send_evidence(&story, &writer, of_one);
        send_evidence(&story, &writer, of_other[1]);
        struct story_puppet *reader = story_peer(&story, 'B');
        story_tell_newest(&story, reader, &writer);
        assert_int_equal(story.reads_count, 1);
        if (anew) {
            send_evidence(&story, &writer, of_other[0]);
            read_newest(&story, PARLEY_E_OK, of_one);
            read_newest(&story, PARLEY_E_OK, of_other[1]);
            read_newest(&story, PARLEY_E_NOT_FOUND, PARLEY_NO_SPAN);
            assert_int_equal(log_of(&story, &writer).forked, 1);
        }
        story_forget(&story);
        story_read(&story, PARLEY_E_OK, of_one, 0);
        assert_int_equal(story_has(&story, sent), !anew);
        story_end(&story);
    }
}

/* Two nodes may cut one branch in different places: the lower part of one goes on with the upper
 * part of the same. */
static void test_evidence_cut_anew(void **state) {
    struct story story;
    struct story_person writer, other;
    static uint8_t one[PARLEY_CHUNK_BUFFER_SIZE], upper[PARLEY_CHUNK_BUFFER_SIZE],
        rest[2][PARLEY_CHUNK_BUFFER_SIZE], buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_relay(&story);
    story_person(&writer, 9);
    other = writer;
    (void)story_peer(&story, 'A');
    story_know(&story, &writer);
    (void)story_entry(&writer, "one", buffer);
    (void)story_entry(&other, "another", buffer);
    struct story_person again = other;
    (void)story_entries(&other, 1, buffer);
    struct parley_span of_one = story_entry(&writer, "two", one);
    struct parley_span first = story_entries(&other, 2, upper); /* 3 and 4 */
    struct parley_span lower = story_entries(&again, 2, rest[0]),
                       top = story_entries(&again, 1, rest[1]);
    assert_true(PARLEY_EQUAL(other.id, again.id));
    send_evidence(&story, &writer, of_one);
    send_evidence(&story, &writer, first);
    assert_int_equal(log_of(&story, &writer).forked, 2);
    const struct parley_span second[] = {top, lower};
    for (size_t i = 0; i < 2; i++) {
        send_evidence(&story, &writer, second[i]);
        story_read(&story, PARLEY_E_OK, of_one, 0);
        story_read(&story, PARLEY_E_OK, first, 0);
        story_read(&story, PARLEY_E_NOT_FOUND, PARLEY_NO_SPAN, 0);
        story_settle(&story);
    }
    assert_int_equal(log_of(&story, &writer).forked, 1);
    story_end(&story);
}

/* Of two pieces that go on below the same top the one that reaches lower is taken, whichever came
 * first. */
static void test_evidence_reaches_lowest(void **state) {
    struct story story;
    struct story_person writer, other;
    static uint8_t buffers[6][PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_relay(&story);
    story_person(&writer, 9);
    other = writer;
    (void)story_peer(&story, 'A');
    story_know(&story, &writer);
    (void)story_entry(&writer, "one", buffers[0]);
    (void)story_entry(&other, "another", buffers[0]);
    struct parley_span of_one = story_entry(&writer, "two", buffers[0]);
    struct story_person lower = other;
    (void)story_entries(&other, 1, buffers[1]);
    struct story_person stored = other;
    struct parley_span third = story_entries(&other, 1, buffers[1]),
                       top = story_entries(&other, 1, buffers[2]),
                       kept = story_entries(&stored, 2, buffers[3]),
                       longer = story_entries(&lower, 2, buffers[4]);
    const struct parley_span sent[] = {of_one, top, third, top, longer};
    for (size_t i = 0; i < 5; i++) {
        send_evidence(&story, &writer, sent[i]);
        if (i < 3)
            continue;
        assert_int_equal(log_of(&story, &writer).forked, 2);
        story_read(&story, PARLEY_E_OK, of_one, 0);
        story_read(&story, PARLEY_E_OK, kept, 0);
        story_read(&story, PARLEY_E_NOT_FOUND, PARLEY_NO_SPAN, 0);
        story_settle(&story);
    }
    assert_int_equal(log_of(&story, &writer).forked, 1);
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evidence_is_checked),
        cmocka_unit_test(test_evidence_goes_on),
        cmocka_unit_test(test_evidence_written_anew_while_read),
        cmocka_unit_test(test_evidence_cut_anew),
        cmocka_unit_test(test_evidence_reaches_lowest),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("evidence", tests, NULL, NULL) == 0 ? 0 : 1;
}
