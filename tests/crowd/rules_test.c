#include "crowd.h"

/* Rules without which honest nodes would come to different verdicts, blame one another or never
 * fall silent, each with the shortest story that breaks when the rule is missing. */

static void begin(struct crowd *crowd, struct crowd_author *author, unsigned count, uint64_t seed) {
    crowd_begin(crowd, count, seed);
    crowd_author(author, 9);
    crowd_introduce(crowd, author);
}

static void end(struct crowd *crowd, struct crowd_author *author) {
    assert_int_equal(crowd->blamed, 0);
    crowd_author_end(author);
    crowd_end(crowd);
}

/* Who stole a device key, or got its consent, says of it what they like: under their own name it
 * is another log. */
static void test_another_author_cannot_touch_a_log(void **state) {
    struct crowd crowd;
    struct crowd_author author, thief;
    uint8_t entropy[PARLEY_ENTROPY_SIZE], bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_secret_key root;
    struct parley_root_key root_key;
    struct parley_span record;
    const struct parley_id none = {{0}};
    begin(&crowd, &author, 2, 1);
    crowd_give(&crowd, 0, &author, crowd_write(&author, CROWD_NOTHING, 5), 1);
    crowd_author(&thief, 10);
    crowd_introduce(&crowd, &thief);
    memset(entropy, 10, sizeof entropy);
    parley_root_derive(&root, &root_key, entropy, 0);
    assert_int_equal(parley_certificate_make(&record, bytes, sizeof bytes, &root,
                                             &author.person.device, &thief.person.author, 0),
                     PARLEY_E_OK);
    crowd_record(&crowd, 0, record);
    assert_int_equal(parley_closing_make(&record, bytes, sizeof bytes, &root, &thief.person.author,
                                         0, &author.person.device_key, 0, &none),
                     PARLEY_E_OK);
    crowd_record(&crowd, 0, record);
    crowd_meet(&crowd);
    crowd_wait(&crowd, 60);
    crowd_agrees(&crowd, &author.person.log);
    for (unsigned i = 0; i < 2; i++) {
        struct parley_node_log log = crowd_log(&crowd, i, &author.person.log);
        assert_true(PARLEY_EQUAL(log.author, author.person.author));
        assert_int_equal(log.policy.kind, PARLEY_POLICY_OPEN);
        assert_int_equal(log.head_seq, 5);
    }
    crowd_author_end(&thief);
    end(&crowd, &author);
}

/* Of what is good below a fork the newest may be an entry with a bad signature, planted so that
 * whoever serves it as a head is blamed: the head is the newest whose own signature holds. */
static void test_a_planted_signature_is_no_head(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    begin(&crowd, &author, 3, 1);
    uint32_t third = crowd_write(&author, CROWD_NOTHING, 3);
    uint32_t planted = crowd_write_bad(&author, third, 1);
    crowd_give(&crowd, 0, &author, crowd_write(&author, planted, 2), 1);
    crowd_give(&crowd, 1, &author, crowd_write(&author, planted, 3), 1);
    crowd_meet(&crowd);
    crowd_wait(&crowd, 60);
    crowd_agrees(&crowd, &author.person.log);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(crowd_log(&crowd, i, &author.person.log).forked, 5);
        assert_int_equal(crowd_log(&crowd, i, &author.person.log).head_seq, 3);
    }
    end(&crowd, &author);
}

/* An entry that only a later one vouches for is good, and is not pushed on: who gets it alone could
 * not tell it from a forged one. */
static void test_what_is_chained_is_not_pushed(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    begin(&crowd, &author, 3, 1);
    uint32_t fourth = crowd_write(&author, CROWD_NOTHING, 4);
    uint32_t chained = crowd_write_bad(&author, fourth, 1);
    uint32_t top = crowd_write(&author, chained, 1);
    for (unsigned i = 0; i < 3; i++) {
        crowd_give(&crowd, i, &author, i == 0 ? top : fourth, 1);
        crowd_give(&crowd, i, &author, top, 6);
    }
    crowd_link(&crowd, 2, 1);
    crowd_wait(&crowd, 60);
    assert_int_equal(crowd_log(&crowd, 1, &author.person.log).good.count, 2);
    crowd_link(&crowd, 1, 0);
    crowd_wait(&crowd, 120);
    crowd_agrees(&crowd, &author.person.log);
    assert_int_equal(crowd_log(&crowd, 2, &author.person.log).good.count, 1);
    end(&crowd, &author);
}

/* Both have the same head; one of them knows that what stands above it is forked. */
static void test_equal_heads_and_two_verdicts(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    begin(&crowd, &author, 2, 1);
    uint32_t common = crowd_write(&author, CROWD_NOTHING, 4);
    crowd_give(&crowd, 0, &author, crowd_write(&author, common, 3), 1);
    crowd_give(&crowd, 0, &author, crowd_write(&author, common, 2), 1);
    crowd_give(&crowd, 1, &author, common, 1);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(crowd_log(&crowd, i, &author.person.log).head_seq, 4);
    crowd_meet(&crowd);
    crowd_agrees(&crowd, &author.person.log);
    assert_int_equal(crowd_log(&crowd, 1, &author.person.log).forked, 5);
    end(&crowd, &author);
}

/* What a signature says reaches so many entries down, so that evidence is bounded. A branch that
 * none reaches is no side of a fork there: all go with the higher top, of what no fork hides. */
static void test_beyond_the_reach_is_no_fork(void **state) {
    static const struct {
        unsigned bad, other; /* entries of a branch that are signed badly; of the other one */
        parley_seq forked, head;
    } rows[] = {
        /* An entry's prev speaks of the entry below it. */
        {PARLEY_EVIDENCE_REACH + 1, 3, 5, 4},
        {PARLEY_EVIDENCE_REACH + 2, 1, 0, PARLEY_EVIDENCE_REACH + 7},
        {PARLEY_EVIDENCE_REACH + 2, 3, 6, 5},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct crowd crowd;
        struct crowd_author author;
        begin(&crowd, &author, 2, i);
        uint32_t common = crowd_write(&author, CROWD_NOTHING, 4);
        uint32_t high = crowd_write(&author, crowd_write_bad(&author, common, rows[i].bad), 1);
        crowd_give(&crowd, 0, &author, high, 1);
        crowd_give(&crowd, 1, &author, crowd_write(&author, common, rows[i].other), 1);
        crowd_meet(&crowd);
        crowd_wait(&crowd, 60);
        crowd_agrees(&crowd, &author.person.log);
        for (unsigned node = 0; node < 2; node++) {
            struct parley_node_log log = crowd_log(&crowd, node, &author.person.log);
            assert_int_equal(log.forked, rows[i].forked);
            assert_int_equal(log.head_seq, rows[i].head);
        }
        end(&crowd, &author);
    }
}

/* A prev that names an entry of another number leads nowhere: nobody can fill it, and what is held
 * below is no part of what the head commits to. Nor does a closing with a wrong number name it. */
static void test_a_prev_of_another_number_leads_nowhere(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    begin(&crowd, &author, 2, 1);
    uint32_t third = crowd_write(&author, CROWD_NOTHING, 3);
    uint32_t bent = crowd_write_bent(&author, third, 6);
    crowd_give(&crowd, 0, &author, third, 1);
    crowd_give(&crowd, 0, &author, bent, 6);
    crowd_give(&crowd, 1, &author, third, 1);
    crowd_meet(&crowd);
    crowd_wait(&crowd, 120);
    crowd_agrees(&crowd, &author.person.log);
    for (unsigned i = 0; i < 2; i++) {
        struct parley_node_log log = crowd_log(&crowd, i, &author.person.log);
        assert_int_equal(log.head_seq, 6);
        assert_int_equal(log.good.count, 2);
    }
    crowd_close_at(&crowd, 0, &author, third, 5);
    crowd_wait(&crowd, 60);
    crowd_agrees(&crowd, &author.person.log);
    assert_int_equal(crowd_log(&crowd, 1, &author.person.log).policy.kind, PARLEY_POLICY_CLOSED);
    assert_int_equal(crowd_log(&crowd, 1, &author.person.log).head_seq, 0);
    end(&crowd, &author);
}

/* Who holds entries below a link that nobody can fill, and who cannot have them, are equal. */
static void test_an_island_is_not_counted(void **state) {
    struct crowd crowd;
    struct crowd_author author;
    begin(&crowd, &author, 2, 1);
    uint32_t third = crowd_write(&author, CROWD_NOTHING, 3), top = crowd_write(&author, third, 6);
    for (unsigned i = 0; i < 2; i++)
        crowd_give(&crowd, i, &author, top, 9);
    crowd_give(&crowd, 0, &author, third, 1);
    crowd_meet(&crowd);
    crowd_wait(&crowd, 60);
    assert_int_equal(crowd_log(&crowd, 0, &author.person.log).good.count, 2);
    assert_int_equal(crowd_log(&crowd, 1, &author.person.log).good.count, 1);
    crowd_agrees(&crowd, &author.person.log);
    end(&crowd, &author);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_author_cannot_touch_a_log),
        cmocka_unit_test(test_a_planted_signature_is_no_head),
        cmocka_unit_test(test_what_is_chained_is_not_pushed),
        cmocka_unit_test(test_equal_heads_and_two_verdicts),
        cmocka_unit_test(test_beyond_the_reach_is_no_fork),
        cmocka_unit_test(test_a_prev_of_another_number_leads_nowhere),
        cmocka_unit_test(test_an_island_is_not_counted),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("rules", tests, NULL, NULL) == 0 ? 0 : 1;
}
