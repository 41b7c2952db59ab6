#include "gossip_bed.h"

/* The broadcast tree: what those who want everything and those who want less are to one another. */

/* Of links that bring everything whoever wants less has one, and no prune takes that. */
static void test_one_that_brings_everything(void **state) {
    struct bed bed;
    struct parley_gossip_word word;
    begin(&bed);
    open_links(&bed, 4);
    /* The first friend is pruned when it comes, the second relay as soon as it tells. */
    assert_false(parley_gossip_spare(&bed.gossip, 3, &word));
    assert_false(parley_gossip_set_broad(&bed.gossip, 0, true, &word));
    for (uint32_t friend = 1; friend < 4; friend ++) {
        assert_true(parley_gossip_spare(&bed.gossip, 0, &word));
        assert_true(word.link == friend && !word.is_graft && word.buckets == ALL);
    }
    assert_false(parley_gossip_spare(&bed.gossip, 0, &word));
    parley_gossip_on_graft(&bed.gossip, 1, ALL);
    assert_false(parley_gossip_set_broad(&bed.gossip, 1, true, &word));
    assert_true(parley_gossip_spare(&bed.gossip, 1, &word));
    assert_true(word.link == 1 && !word.is_graft && word.buckets == ALL);
    assert_false(parley_gossip_spare(&bed.gossip, 1, &word));
    assert_true(parley_gossip_on_prune(&bed.gossip, 0, 1 << 5 | 1) == 0);
    assert_int_equal(way(&bed, 0, 5, 1), PARLEY_GOSSIP_PUSH);
    assert_int_equal(way(&bed, 1, 5, 1), PARLEY_GOSSIP_ANNOUNCE);
    /* When a friend was first, it is the friend who is pruned. */
    parley_gossip_on_graft(&bed.gossip, 2, ALL);
    struct parley_wire_place at = place(5, 1);
    assert_false(parley_gossip_on_entry(&bed.gossip, 2, &at, true, 1, &word));
    assert_true(parley_gossip_on_entry(&bed.gossip, 0, &at, false, 1, &word));
    assert_true(word.link == 2 && !word.is_graft && word.buckets == UINT64_C(1) << 5);
    /* It goes, and the next is eager at once. */
    assert_true(parley_gossip_close(&bed.gossip, 0, &word));
    assert_true(word.link == 1 && word.is_graft && word.buckets == ALL);
    assert_false(parley_gossip_is_lazy(&bed.gossip, 1, 5));
    /* That one wants less all of a sudden, and another one everything. */
    assert_false(parley_gossip_set_broad(&bed.gossip, 1, false, &word));
    parley_gossip_check(&bed.gossip);
    (void)!parley_gossip_on_prune(&bed.gossip, 2, ALL);
    assert_true(parley_gossip_set_broad(&bed.gossip, 2, true, &word));
    assert_true(word.link == 2 && word.is_graft && word.buckets == ALL);
    end(&bed);
}

/* Up goes what those above do not have: one's own and a friend's, to one of them; and what one of
 * them asks for. */
static void test_what_goes_up(void **state) {
    struct bed bed;
    struct parley_gossip_word word;
    begin(&bed);
    open_links(&bed, 4);
    be_broad(&bed, 3);
    assert_false(brings(&bed, PARLEY_GOSSIP_NOBODY, 5, 1, true));
    assert_false(brings(&bed, 3, 5, 2, true));
    for (parley_seq seq = 1; seq <= 2; seq++) {
        assert_int_equal(way(&bed, 0, 5, seq), PARLEY_GOSSIP_PUSH);
        assert_int_equal(way(&bed, 1, 5, seq), PARLEY_GOSSIP_ANNOUNCE);
    }
    /* A second one that is eager gets what nobody above has from there. */
    struct parley_gossip_entry *entry;
    (void)announces(&bed, 1, 5, 3, 0);
    entry = parley_gossip_due(&bed.gossip, WAIT_MS);
    assert_int_equal(parley_gossip_graft(&bed.gossip, entry, WAIT_MS, &word), 1);
    assert_true(word.buckets == ALL);
    assert_int_equal(way(&bed, 0, 5, 2), PARLEY_GOSSIP_PUSH);
    assert_int_equal(way(&bed, 1, 5, 2), PARLEY_GOSSIP_ANNOUNCE);
    /* What comes from above is there. */
    assert_false(brings(&bed, 1, 5, 3, true));
    assert_int_equal(way(&bed, 0, 5, 3), PARLEY_GOSSIP_ANNOUNCE);
    assert_int_equal(way(&bed, 2, 5, 3), PARLEY_GOSSIP_ANNOUNCE);
    /* Be it that another one has brought something since. */
    assert_false(brings(&bed, 0, 5, 5, true));
    assert_int_equal(way(&bed, 0, 5, 3), PARLEY_GOSSIP_ANNOUNCE);
    assert_false(brings(&bed, 1, 5, 6, true));
    /* One's own goes where that came from. */
    assert_false(brings(&bed, PARLEY_GOSSIP_NOBODY, 5, 4, true));
    assert_int_equal(way(&bed, 0, 5, 4), PARLEY_GOSSIP_ANNOUNCE);
    assert_int_equal(way(&bed, 1, 5, 4), PARLEY_GOSSIP_PUSH);
    parley_gossip_on_graft(&bed.gossip, 2, UINT64_C(1) << 5);
    assert_int_equal(way(&bed, 2, 5, 3), PARLEY_GOSSIP_PUSH);
    assert_true(parley_gossip_is_lazy(&bed.gossip, 2, 5)); /* that is the other way */
    assert_true(parley_gossip_on_prune(&bed.gossip, 2, UINT64_C(1) << 5) == 0);
    assert_int_equal(way(&bed, 2, 5, 3), PARLEY_GOSSIP_ANNOUNCE);
    end(&bed);
}

/* Whoever wants everything keeps a tree with those that do: it is not cut for somebody in between.
 */
static void test_a_tree_of_those_who_want_everything(void **state) {
    struct bed bed;
    struct parley_gossip_word word;
    begin(&bed);
    bed.gossip.is_broad = true;
    open_links(&bed, 4);
    be_broad(&bed, 3);
    /* An author below was first, or second: neither is told anything. */
    assert_false(brings(&bed, 3, 5, 1, true));
    assert_false(brings(&bed, 0, 5, 1, false));
    assert_false(brings(&bed, 3, 5, 1, false));
    assert_int_equal(way(&bed, 0, 5, 2), PARLEY_GOSSIP_PUSH);
    assert_int_equal(way(&bed, 3, 5, 2), PARLEY_GOSSIP_PUSH);
    /* Of two among them the later one goes, of this bucket alone. */
    assert_false(brings(&bed, 1, 5, 2, true));
    assert_true(brings(&bed, 2, 5, 2, false));
    assert_int_equal(way(&bed, 2, 5, 3), PARLEY_GOSSIP_ANNOUNCE);
    assert_int_equal(way(&bed, 2, 6, 3), PARLEY_GOSSIP_PUSH);
    /* Below it is the others' word what is pushed, be it all or nothing. */
    assert_true(parley_gossip_on_prune(&bed.gossip, 3, ALL) == 0);
    assert_int_equal(way(&bed, 3, 5, 3), PARLEY_GOSSIP_ANNOUNCE);
    parley_gossip_on_graft(&bed.gossip, 3, ALL);
    assert_int_equal(way(&bed, 3, 5, 3), PARLEY_GOSSIP_PUSH);
    /* An eager one that goes may have been the only way to some: a lazy one takes its place. */
    assert_true(parley_gossip_close(&bed.gossip, 0, &word));
    assert_true(word.link == 2 && word.is_graft && word.buckets == UINT64_C(1) << 5);
    assert_false(parley_gossip_is_lazy(&bed.gossip, 2, 5));
    /* The last one of them stays. */
    assert_true(parley_gossip_on_prune(&bed.gossip, 2, ALL) == 0);
    assert_true(parley_gossip_on_prune(&bed.gossip, 1, ALL) == ALL);
    end(&bed);
}

/* Who wants everything asks those below last, and what they bring from then on is a second way when
 * it comes another way, too. */
static void test_what_is_asked_for_below(void **state) {
    struct bed bed;
    bool was_lazy;
    begin(&bed);
    bed.gossip.is_broad = true;
    open_links(&bed, 4);
    be_broad(&bed, 3);
    (void)!parley_gossip_on_prune(&bed.gossip, 2, ALL);
    assert_int_equal(announces(&bed, 3, 5, 1, 0), PARLEY_GOSSIP_WAIT);
    assert_int_equal(announces(&bed, 2, 5, 1, 0), PARLEY_GOSSIP_WAIT);
    assert_int_equal(asked(&bed, WAIT_MS, &was_lazy), 2);
    assert_int_equal(asked(&bed, WAIT_MS + AGAIN, &was_lazy), 3);
    assert_true(was_lazy);
    assert_int_equal(announces(&bed, 3, 5, 2, 0), PARLEY_GOSSIP_ASK);
    assert_false(brings(&bed, 0, 5, 2, true));
    assert_true(brings(&bed, 3, 5, 2, false));
    assert_false(brings(&bed, 3, 5, 2, false));
    assert_int_equal(announces(&bed, 3, 5, 3, 0), PARLEY_GOSSIP_WAIT);
    /* With nobody above there is nothing to wait for. */
    for (uint32_t link = 0; link < 3; link++)
        close_link(&bed.gossip, link);
    assert_int_equal(announces(&bed, 3, 5, 4, 0), PARLEY_GOSSIP_ASK);
    end(&bed);
}

/* A link over which all comes long after another one tells of it is no good one. */
static void test_a_slow_one_is_overtaken(void **state) {
    struct bed bed;
    struct parley_gossip_word word;
    begin(&bed);
    open_links(&bed, 3);
    be_broad(&bed, 2);
    for (parley_seq seq = 1; seq <= 2 * PARLEY_GOSSIP_LATES; seq++) {
        struct parley_wire_place at = place((uint8_t)seq, seq);
        parley_time_ms now = 1000 * seq;
        (void)announces(&bed, 1, (uint8_t)seq, seq, now);
        /* Just in time, once: they are not in a row. */
        now += LATE_MS - (seq == PARLEY_GOSSIP_LATES);
        bool is_tried = parley_gossip_on_entry(&bed.gossip, 0, &at, true, now, &word);
        assert_int_equal(is_tried, seq == 2 * PARLEY_GOSSIP_LATES);
    }
    assert_true(word.link == 1 && word.is_graft && word.buckets == ALL);
    /* The faster one stays. */
    assert_false(brings(&bed, 1, 5, 100, true));
    assert_true(brings(&bed, 0, 5, 100, false));
    assert_true(parley_gossip_is_lazy(&bed.gossip, 0, 9));
    assert_false(parley_gossip_is_lazy(&bed.gossip, 1, 9));
    /* What a friend tells early is no measure. */
    for (parley_seq seq = 200; seq < 200 + 2 * PARLEY_GOSSIP_LATES; seq++) {
        (void)announces(&bed, 2, 5, seq, 1000 * seq);
        struct parley_wire_place at = place(5, seq);
        assert_false(parley_gossip_on_entry(&bed.gossip, 1, &at, true, 1000 * seq + 500, &word));
    }
    end(&bed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_that_brings_everything),
        cmocka_unit_test(test_what_goes_up),
        cmocka_unit_test(test_a_tree_of_those_who_want_everything),
        cmocka_unit_test(test_what_is_asked_for_below),
        cmocka_unit_test(test_a_slow_one_is_overtaken),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("gossip_links", tests, NULL, NULL) == 0 ? 0 : 1;
}
