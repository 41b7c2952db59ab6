#include "gossip_bed.h"

#include <parley/random.h>

/* The broadcast tree by itself: no node, no bytes. */

/* --- eager and lazy ------------------------------------------------------------------------- */

static void test_a_fresh_link_is_eager(void **state) {
    struct bed bed;
    begin(&bed);
    open_links(&bed, 2);
    for (unsigned log = 0; log < 256; log++)
        assert_int_equal(way(&bed, 1, (uint8_t)log, 1), PARLEY_GOSSIP_PUSH);
    end(&bed);
}

static void test_the_later_one_is_pruned(void **state) {
    struct bed bed;
    begin(&bed);
    open_links(&bed, 2);
    assert_false(brings(&bed, 0, 5, 1, true));
    assert_true(brings(&bed, 1, 5, 1, false));
    assert_int_equal(way(&bed, 1, 5, 2), PARLEY_GOSSIP_ANNOUNCE);
    assert_int_equal(way(&bed, 0, 5, 2), PARLEY_GOSSIP_PUSH);
    /* For these logs alone: 69 is in the bucket of 5. */
    assert_int_equal(way(&bed, 1, 69, 1), PARLEY_GOSSIP_ANNOUNCE);
    assert_int_equal(way(&bed, 1, 6, 1), PARLEY_GOSSIP_PUSH);
    /* A peer that has not heard of it yet is told again. */
    assert_false(brings(&bed, 0, 5, 2, true));
    assert_true(brings(&bed, 1, 5, 2, false));
    end(&bed);
}

static void test_who_came_first_is_not_pruned(void **state) {
    struct bed bed;
    begin(&bed);
    open_links(&bed, 2);
    assert_false(brings(&bed, 0, 5, 1, true));
    assert_false(brings(&bed, 0, 5, 1, false)); /* once more over the same link */
    /* Nor anybody when it came some other way: that says nothing of links. */
    assert_false(brings(&bed, PARLEY_GOSSIP_NOBODY, 5, 2, true));
    assert_false(brings(&bed, 1, 5, 2, false));
    assert_false(brings(&bed, 1, 5, 9, false)); /* or is not remembered */
    end(&bed);
}

/* Two entries that cross, one first from here and one first from there, would cut off both. */
static void test_the_last_eager_link_stays(void **state) {
    struct bed bed;
    begin(&bed);
    open_links(&bed, 2);
    assert_false(brings(&bed, 0, 5, 1, true));
    assert_true(brings(&bed, 1, 5, 1, false));
    (void)!parley_gossip_on_prune(&bed.gossip, 1, UINT64_C(1) << 5);
    struct parley_wire_place second = place(5, 2);
    /* From the lazy one, as it was on its way. */
    struct parley_gossip_word word;
    (void)!parley_gossip_on_entry(&bed.gossip, 1, &second, true, 2, &word);
    (void)!parley_gossip_on_prune(&bed.gossip, 1, UINT64_C(1) << 5);
    assert_false(brings(&bed, 0, 5, 2, false));
    assert_false(parley_gossip_is_lazy(&bed.gossip, 0, 5));
    end(&bed);
}

static void test_who_brings_news_is_eager(void **state) {
    struct bed bed;
    begin(&bed);
    open_links(&bed, 2);
    (void)!parley_gossip_on_prune(&bed.gossip, 1, UINT64_C(1) << 5);
    assert_false(brings(&bed, 1, 5, 1, true));
    assert_int_equal(way(&bed, 1, 5, 2), PARLEY_GOSSIP_PUSH);
    end(&bed);
}

static void test_prune_and_graft_of_the_peer(void **state) {
    struct bed bed;
    begin(&bed);
    open_links(&bed, 1);
    parley_gossip_open(&bed.gossip, 1, false);
    assert_true(parley_gossip_on_prune(&bed.gossip, 0, UINT64_MAX) == 0);
    assert_true(parley_gossip_on_prune(&bed.gossip, 1, UINT64_MAX) == 0);
    parley_gossip_on_graft(&bed.gossip, 0, UINT64_C(1) << 5);
    assert_int_equal(way(&bed, 0, 4, 1), PARLEY_GOSSIP_ANNOUNCE);
    assert_int_equal(way(&bed, 0, 5, 1), PARLEY_GOSSIP_PUSH);
    /* Who knows nothing of trees gets all, be it a second time, and prunes nothing. */
    assert_int_equal(way(&bed, 1, 4, 1), PARLEY_GOSSIP_PUSH);
    assert_false(brings(&bed, 0, 4, 1, true));
    assert_false(brings(&bed, 1, 4, 1, false));
    assert_int_equal(way(&bed, 1, 4, 1), PARLEY_GOSSIP_PUSH);
    end(&bed);
}

static void test_nothing_for_who_has_it(void **state) {
    struct bed bed;
    begin(&bed);
    open_links(&bed, 4);
    struct parley_wire_place at = place(5, 1);
    assert_false(brings(&bed, 0, 5, 1, true));
    (void)brings(&bed, 1, 5, 1, false);
    parley_gossip_note(&bed.gossip, 2, &at);
    for (uint32_t link = 0; link < 3; link++)
        assert_int_equal(way(&bed, link, 5, 1), PARLEY_GOSSIP_NOTHING);
    assert_int_equal(way(&bed, 3, 5, 1), PARLEY_GOSSIP_PUSH);
    /* Another one in its place had nothing. */
    close_link(&bed.gossip, 2);
    parley_gossip_open(&bed.gossip, 2, true);
    assert_int_equal(way(&bed, 2, 5, 1), PARLEY_GOSSIP_PUSH);
    end(&bed);
}

/* --- what does not come --------------------------------------------------------------------- */

static void test_an_eager_link_announces(void **state) {
    struct bed bed;
    begin(&bed);
    open_links(&bed, 1);
    assert_int_equal(announces(&bed, 0, 5, 1, 0), PARLEY_GOSSIP_ASK);
    assert_true(bed.gossip.next == UINT64_MAX);
    end(&bed);
}

static void test_announced_and_not_pushed(void **state) {
    struct bed bed;
    bool was_lazy;
    begin(&bed);
    open_links(&bed, 3);
    (void)!parley_gossip_on_prune(&bed.gossip, 1, UINT64_C(1) << 5);
    (void)!parley_gossip_on_prune(&bed.gossip, 2, UINT64_C(1) << 5);
    assert_int_equal(announces(&bed, 1, 5, 1, 10), PARLEY_GOSSIP_WAIT);
    assert_int_equal(announces(&bed, 2, 5, 1, 20), PARLEY_GOSSIP_WAIT);
    assert_int_equal(bed.gossip.next, 10 + WAIT_MS);
    assert_int_equal(asked(&bed, 9 + WAIT_MS, &was_lazy), PARLEY_GOSSIP_NOBODY);
    assert_int_equal(asked(&bed, 10 + WAIT_MS, &was_lazy), 1);
    assert_true(was_lazy);
    assert_false(parley_gossip_is_lazy(&bed.gossip, 1, 5));
    /* Who does not send it gives way to the next, and who never does is not asked again. */
    assert_int_equal(asked(&bed, 9 + WAIT_MS + AGAIN, &was_lazy), PARLEY_GOSSIP_NOBODY);
    assert_int_equal(asked(&bed, 10 + WAIT_MS + AGAIN, &was_lazy), 2);
    assert_int_equal(asked(&bed, 10 + WAIT_MS + 2 * AGAIN, &was_lazy), PARLEY_GOSSIP_NOBODY);
    assert_int_equal(bed.gossip.waits, 0);
    assert_true(bed.gossip.next == UINT64_MAX);
    end(&bed);
}

static void test_it_came_in_time(void **state) {
    struct bed bed;
    bool was_lazy;
    begin(&bed);
    open_links(&bed, 2);
    (void)!parley_gossip_on_prune(&bed.gossip, 1, UINT64_C(1) << 5);
    assert_int_equal(announces(&bed, 1, 5, 1, 0), PARLEY_GOSSIP_WAIT);
    assert_false(brings(&bed, 0, 5, 1, true));
    assert_int_equal(asked(&bed, WAIT_MS, &was_lazy), PARLEY_GOSSIP_NOBODY);
    assert_true(parley_gossip_is_lazy(&bed.gossip, 1, 5));
    /* And who announced it needs nothing. */
    assert_int_equal(way(&bed, 1, 5, 1), PARLEY_GOSSIP_NOTHING);
    assert_int_equal(announces(&bed, 1, 5, 1, WAIT_MS), PARLEY_GOSSIP_LEAVE);
    end(&bed);
}

static void test_put_off_and_forgotten(void **state) {
    struct bed bed;
    bool was_lazy;
    begin(&bed);
    open_links(&bed, 2);
    (void)!parley_gossip_on_prune(&bed.gossip, 1, UINT64_C(1) << 5);
    (void)!parley_gossip_on_prune(&bed.gossip, 1, UINT64_C(1) << 6);
    (void)announces(&bed, 1, 5, 1, 0);
    (void)announces(&bed, 1, 6, 1, 0);
    struct parley_gossip_entry *entry = parley_gossip_due(&bed.gossip, WAIT_MS);
    parley_gossip_forget(&bed.gossip, entry);
    entry = parley_gossip_due(&bed.gossip, WAIT_MS);
    parley_gossip_put_off(entry, 2 * WAIT_MS);
    assert_null(parley_gossip_due(&bed.gossip, WAIT_MS));
    assert_int_equal(bed.gossip.next, 2 * WAIT_MS);
    assert_int_equal(asked(&bed, 2 * WAIT_MS, &was_lazy), 1);
    end(&bed);
}

/* While one is looked at, another that was looked at before becomes due: it is in the next pass. */
static void test_due_behind_the_pass(void **state) {
    struct bed bed;
    struct parley_gossip_word word;
    begin(&bed);
    open_links(&bed, 3);
    (void)!parley_gossip_on_prune(&bed.gossip, 1, UINT64_C(1) << 5);
    (void)!parley_gossip_on_prune(&bed.gossip, 2, UINT64_C(1) << 5);
    for (parley_seq seq = 1; seq <= 2; seq++) {
        (void)announces(&bed, 1, 5, seq, 0);
        (void)announces(&bed, 2, 5, seq, 0);
    }
    struct parley_gossip_entry *first = parley_gossip_due(&bed.gossip, WAIT_MS);
    assert_int_equal(parley_gossip_graft(&bed.gossip, first, WAIT_MS, &word), 1);
    struct parley_gossip_entry *second = parley_gossip_due(&bed.gossip, WAIT_MS);
    assert_ptr_not_equal(first, second);
    parley_gossip_fail(&bed.gossip, 1, &second->place.log);
    assert_int_equal(parley_gossip_graft(&bed.gossip, second, WAIT_MS, &word), 2);
    assert_null(parley_gossip_due(&bed.gossip, WAIT_MS));
    parley_gossip_check(&bed.gossip);
    assert_ptr_equal(parley_gossip_due(&bed.gossip, WAIT_MS), first);
    assert_int_equal(parley_gossip_graft(&bed.gossip, first, WAIT_MS, &word), 2);
    end(&bed);
}

static void test_who_is_waited_for_goes(void **state) {
    struct bed bed;
    bool was_lazy;
    begin(&bed);
    open_links(&bed, 3);
    (void)!parley_gossip_on_prune(&bed.gossip, 1, UINT64_C(1) << 5);
    (void)!parley_gossip_on_prune(&bed.gossip, 2, UINT64_C(1) << 5);
    (void)announces(&bed, 1, 5, 1, 0);
    (void)announces(&bed, 2, 5, 1, 0);
    (void)announces(&bed, 1, 69, 1, 0);
    close_link(&bed.gossip, 1);
    parley_gossip_check(&bed.gossip);
    assert_int_equal(bed.gossip.waits, 1); /* of the other nobody else knows */
    assert_int_equal(asked(&bed, WAIT_MS, &was_lazy), 2);
    close_link(&bed.gossip, 2);
    assert_int_equal(bed.gossip.waits, 0);
    /* Asked already, and its place is taken by another peer: the next one at once. */
    open_links(&bed, 0);
    parley_gossip_open(&bed.gossip, 1, true);
    parley_gossip_open(&bed.gossip, 2, true);
    (void)!parley_gossip_on_prune(&bed.gossip, 1, UINT64_C(1) << 5);
    (void)!parley_gossip_on_prune(&bed.gossip, 2, UINT64_C(1) << 5);
    (void)announces(&bed, 1, 5, 2, 0);
    (void)announces(&bed, 2, 5, 2, 0);
    assert_int_equal(asked(&bed, WAIT_MS, &was_lazy), 1);
    close_link(&bed.gossip, 1);
    assert_int_equal(asked(&bed, WAIT_MS + 1, &was_lazy), 2);
    end(&bed);
}

/* --- bounds --------------------------------------------------------------------------------- */

/* A peer that announces what does not exist has its share of places, and others find theirs. */
static void test_a_liar_has_a_share(void **state) {
    struct bed bed;
    begin(&bed);
    open_links(&bed, LINKS);
    for (uint32_t link = 1; link < LINKS; link++)
        (void)!parley_gossip_on_prune(&bed.gossip, link, UINT64_MAX);
    for (parley_seq seq = 1; seq <= 1000; seq++)
        (void)announces(&bed, 1, 5, seq, 0);
    assert_int_equal(bed.gossip.links[1].waits, WAITS);
    assert_int_equal(announces(&bed, LINKS - 1, 5, 2000, 0), PARLEY_GOSSIP_WAIT);
    /* What is here never pushes out what is waited for, and finds a place or none. */
    for (parley_seq seq = 1; seq <= 1000; seq++)
        (void)brings(&bed, 0, 7, seq, true);
    assert_int_equal(bed.gossip.waits, WAITS + 1);
    /* With all places taken there is nothing to do, and nothing breaks. */
    for (uint32_t link = 1; link < LINKS; link++)
        for (parley_seq seq = 1; seq <= 8; seq++)
            (void)announces(&bed, link, 9, link * 100 + seq, 0);
    assert_int_equal(bed.gossip.waits, ENTRIES);
    assert_int_equal(announces(&bed, 2, 9, 99999, 0), PARLEY_GOSSIP_LEAVE);
    assert_false(brings(&bed, 0, 7, 5000, true));
    for (uint32_t link = 0; link < LINKS; link++)
        close_link(&bed.gossip, link);
    assert_int_equal(bed.gossip.waits, 0);
    end(&bed);
}

/* Whatever happens in whatever order. */
static void anything(bool is_broad) {
    struct parley_random random;
    struct parley_seed seed = {{9}};
    struct bed bed;
    parley_random_init(&random, &seed);
    begin(&bed);
    bed.gossip.is_broad = is_broad;
    parley_time_ms now = 0;
    for (unsigned step = 0; step < 200000; step++) {
        uint32_t link = (uint32_t)parley_random_below(&random, LINKS);
        struct parley_wire_place at =
            place((uint8_t)parley_random_below(&random, 4), 1 + parley_random_below(&random, 200));
        struct parley_gossip_entry *entry;
        struct parley_gossip_word word;
        now += parley_random_below(&random, 20);
        if (!bed.gossip.links[link].is_open) {
            parley_gossip_open(&bed.gossip, link, parley_random_below(&random, 4) != 0);
            continue;
        }
        switch (parley_random_below(&random, 11)) {
        case 0:
            close_link(&bed.gossip, link);
            break;
        case 1:
            (void)!parley_gossip_on_prune(&bed.gossip, link, parley_gossip_bit(&at.log));
            break;
        case 2:
            parley_gossip_on_graft(&bed.gossip, link, parley_gossip_bit(&at.log));
            break;
        case 3:
        case 4:
            (void)!parley_gossip_on_entry(&bed.gossip, link, &at, step % 2 == 0, now, &word);
            break;
        case 5:
            (void)!parley_gossip_on_entry(&bed.gossip, PARLEY_GOSSIP_NOBODY, &at, true, now, &word);
            break;
        case 6:
            for (unsigned i = 0; (entry = parley_gossip_due(&bed.gossip, now)) != NULL; i++) {
                assert_in_range(i, 0, ENTRIES);
                if (i % 3 == 0)
                    parley_gossip_put_off(entry, now + 100);
                else if (i % 3 == 1)
                    parley_gossip_forget(&bed.gossip, entry);
                else
                    (void)!parley_gossip_graft(&bed.gossip, entry, now, &word);
            }
            break;
        case 7:
            (void)!parley_gossip_set_broad(&bed.gossip, link, parley_random_below(&random, 2) == 0,
                                           &word);
            while (parley_gossip_spare(&bed.gossip, link, &word))
                ;
            break;
        default:
            (void)parley_gossip_on_announce(&bed.gossip, link, &at, now);
        }
        if (step % 16 == 0)
            parley_gossip_check(&bed.gossip);
    }
    end(&bed);
}

static void test_anything(void **state) {
    anything(false);
    anything(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fresh_link_is_eager),
        cmocka_unit_test(test_the_later_one_is_pruned),
        cmocka_unit_test(test_who_came_first_is_not_pruned),
        cmocka_unit_test(test_the_last_eager_link_stays),
        cmocka_unit_test(test_who_brings_news_is_eager),
        cmocka_unit_test(test_prune_and_graft_of_the_peer),
        cmocka_unit_test(test_nothing_for_who_has_it),
        cmocka_unit_test(test_an_eager_link_announces),
        cmocka_unit_test(test_announced_and_not_pushed),
        cmocka_unit_test(test_it_came_in_time),
        cmocka_unit_test(test_put_off_and_forgotten),
        cmocka_unit_test(test_due_behind_the_pass),
        cmocka_unit_test(test_who_is_waited_for_goes),
        cmocka_unit_test(test_a_liar_has_a_share),
        cmocka_unit_test(test_anything),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("gossip", tests, NULL, NULL) == 0 ? 0 : 1;
}
