#include "crowd.h"

#include <stdio.h>

/* Most of a network blocks an author: that is theirs to do, and nobody else's access changes. */

#define NODES   50u
#define READERS 4u /* nodes 1 .. 4: a tenth of all, with the author's own node, does not block */

static bool blocks(unsigned node) {
    return node > READERS;
}

static void block(struct crowd *crowd, const struct crowd_author *author, bool on) {
    for (unsigned i = 0; i < NODES; i++) {
        if (!blocks(i))
            continue;
        struct parley_event event = {.kind = PARLEY_EVENT_LIST};
        event.list.listed.list = PARLEY_LIST_BLOCK;
        event.list.listed.author = author->person.author;
        event.list.on = on;
        event.list.request = 1;
        crowd_step(crowd, i, &event, NULL);
        crowd_settle(crowd);
        assert_int_equal(crowd->nodes[i].reply, PARLEY_E_OK);
    }
}

/* The author's node knows one reader and two who will block; the last reader is alone at first. */
static void link_all(struct crowd *crowd) {
    crowd_link(crowd, 0, 1);
    crowd_link(crowd, 0, 20);
    crowd_link(crowd, 0, 35);
    crowd_link(crowd, 1, 2);
    crowd_link(crowd, 2, 3);
    for (unsigned i = 1; i < READERS; i++)
        crowd_link(crowd, i, 10 + i);
    for (unsigned i = READERS + 1; i < NODES; i++)
        crowd_link(crowd, i, i + 1 < NODES ? i + 1 : READERS + 1);
}

static parley_seq head_of(struct crowd *crowd, unsigned node, const struct crowd_author *author) {
    return crowd_log(crowd, node, &author->person.log).head_seq;
}

static void expect(struct crowd *crowd, const struct crowd_author *author, unsigned node,
                   parley_seq seq) {
    if (head_of(crowd, node, author) != seq)
        fail_msg("node %u holds %llu, not %llu", node,
                 (unsigned long long)head_of(crowd, node, author), (unsigned long long)seq);
}

static void test_ninety_percent_block(void **state) {
    struct crowd crowd;
    struct crowd_author author, other;
    crowd_begin(&crowd, NODES, 5);
    crowd_author(&author, 9);
    crowd_author(&other, 10);
    crowd_introduce(&crowd, &author);
    crowd_introduce(&crowd, &other);
    link_all(&crowd);
    uint32_t top = crowd_write(&author, CROWD_NOTHING, 5);
    crowd_give(&crowd, 0, &author, top, 1);
    crowd_wait(&crowd, 60);
    for (unsigned i = 0; i < NODES; i++)
        expect(&crowd, &author, i, i == READERS ? 0 : 5);

    block(&crowd, &author, true);
    top = crowd_write(&author, top, 5);
    crowd_give(&crowd, 0, &author, top, 6);
    /* Somebody else writes on the far side of those who block. */
    uint32_t others = crowd_write(&other, CROWD_NOTHING, 3);
    crowd_give(&crowd, 30, &other, others, 1);
    crowd_wait(&crowd, 120);
    for (unsigned i = 0; i < NODES; i++) {
        bool is_alone = i == READERS;
        expect(&crowd, &author, i, blocks(i) ? 5 : is_alone ? 0 : 10);
        expect(&crowd, &other, i, is_alone ? 0 : 3);
    }

    /* Who reads the author and knows blockers alone gets none of it, not even what they hold; one
     * way around them is enough, and all of it comes. */
    crowd_link(&crowd, READERS, 25);
    crowd_link(&crowd, READERS, 40);
    crowd_wait(&crowd, 120);
    expect(&crowd, &author, READERS, 0);
    expect(&crowd, &other, READERS, 3);
    crowd_link(&crowd, READERS, 3);
    crowd_wait(&crowd, 120);
    expect(&crowd, &author, READERS, 10);
    assert_int_equal(crowd_log(&crowd, READERS, &author.person.log).good.count, 1);

    /* Who thinks better of it gets what was missed. */
    block(&crowd, &author, false);
    crowd_wait(&crowd, 240);
    for (unsigned i = 0; i < NODES; i++)
        expect(&crowd, &author, i, 10);
    assert_int_equal(crowd.blamed, 0);
    crowd_author_end(&author);
    crowd_author_end(&other);
    crowd_end(&crowd);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ninety_percent_block)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("block", tests, NULL, NULL) == 0 ? 0 : 1;
}
