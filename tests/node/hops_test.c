#include "story.h"

#include <parley/body.h>

#include <stdlib.h>

/* A person's node that also carries whom those follow whom the owner follows: who is wanted only
 * through somebody is wanted no more when that ends. */

static const struct story_sizes SIZES = {.peers = 4, .authors = 16, .logs = 16, .hops = 2};

struct world {
    struct story story;
    struct story_person middle, other, far;
    struct story_puppet *peer;
};

static bool is_wanted(const struct story *story, const struct parley_author *author) {
    struct parley_node_author row;
    for (size_t i = 0; parley_node_author_at(story->node, i, &row); i++)
        if (PARLEY_EQUAL(row.author, *author))
            return row.is_wanted;
    return false;
}

static struct parley_span follow_body(const struct story_person *whom, bool on, uint8_t bytes[64]) {
    struct parley_body body = {.kind = PARLEY_BODY_FOLLOW};
    struct parley_span span;
    body.follow.author = whom->author;
    body.follow.on = on;
    assert_int_equal(parley_body_encode(&span, bytes, 64, &body), PARLEY_E_OK);
    return span;
}

static void say(struct world *world, struct story_person *who, const struct story_person *whom,
                bool on) {
    uint8_t bytes[64], buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_push(&world->story, world->peer, story_body(who, follow_body(whom, on, bytes), buffer));
    story_settle(&world->story);
}

/* The owner follows two; the first of them follows somebody. */
static struct world *begin(void) {
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    struct story *story = &world->story;
    story_begin_sized(story, false, &SIZES);
    story_person(&world->middle, 9);
    story_person(&world->other, 10);
    story_person(&world->far, 11);
    story_follow(story, 0, &world->middle.author, true, true);
    story_follow(story, 0, &world->other.author, true, true);
    story_settle(story);
    story_know(story, &world->middle);
    story_know(story, &world->other);
    world->peer = story_peer(story, 'A');
    say(world, &world->middle, &world->far, true);
    assert_true(is_wanted(story, &world->far.author));
    assert_true(story_has(story, "A interest +1 -0"));
    story_forget(story);
    return world;
}

static void end(struct world *world) {
    story_end(&world->story);
    free(world);
}

static void test_someone_in_the_middle_unfollows(void **state) {
    struct world *world = begin();
    say(world, &world->middle, &world->far, false);
    assert_false(is_wanted(&world->story, &world->far.author));
    assert_true(story_has(&world->story, "A interest +0 -1"));
    /* And again, and by two: then it takes both. */
    say(world, &world->middle, &world->far, true);
    say(world, &world->other, &world->far, true);
    say(world, &world->middle, &world->far, false);
    assert_true(is_wanted(&world->story, &world->far.author));
    say(world, &world->other, &world->far, false);
    assert_false(is_wanted(&world->story, &world->far.author));
    end(world);
}

static void test_the_owner_unfollows(void **state) {
    struct world *world = begin();
    story_follow(&world->story, 0, &world->middle.author, false, true);
    story_settle(&world->story);
    assert_false(is_wanted(&world->story, &world->middle.author));
    assert_false(is_wanted(&world->story, &world->far.author));
    story_follow(&world->story, 0, &world->middle.author, true, true);
    story_settle(&world->story);
    assert_true(is_wanted(&world->story, &world->far.author));
    end(world);
}

/* What was said is known after a restart, and so is what was taken back. */
static void test_over_a_restart(void **state) {
    struct world *world = begin();
    struct story *story = &world->story;
    story_restart(story);
    assert_true(is_wanted(story, &world->far.author));
    story_follow(story, 0, &world->middle.author, false, true);
    story_settle(story);
    assert_false(is_wanted(story, &world->far.author));
    story_restart(story);
    assert_true(is_wanted(story, &world->other.author));
    assert_false(is_wanted(story, &world->far.author));
    end(world);
}

/* Catching up brings what is newest first: an older yes does not undo a later no. */
static void test_history_comes_backwards(void **state) {
    static uint8_t newer[PARLEY_CHUNK_BUFFER_SIZE], older[PARLEY_CHUNK_BUFFER_SIZE];
    uint8_t bytes[64];
    struct world *world = begin();
    struct story *story = &world->story;
    story_follow(story, 0, &world->far.author, false, true);
    struct parley_span yes =
        story_body(&world->other, follow_body(&world->far, true, bytes), older);
    struct parley_span no =
        story_body(&world->other, follow_body(&world->far, false, bytes), newer);
    say(world, &world->middle, &world->far, false);
    story_import(story, 0, PARLEY_EVENT_IMPORT_CHUNK, no);
    story_settle(story);
    story_import(story, 0, PARLEY_EVENT_IMPORT_CHUNK, yes);
    story_settle(story);
    struct parley_node_log log;
    assert_true(parley_node_log_find(story->node, &world->other.log, &log));
    assert_int_equal(log.good.ranges[0].lo, 1);
    assert_false(is_wanted(story, &world->far.author));
    end(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_someone_in_the_middle_unfollows),
        cmocka_unit_test(test_the_owner_unfollows),
        cmocka_unit_test(test_over_a_restart),
        cmocka_unit_test(test_history_comes_backwards),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("hops", tests, NULL, NULL) == 0 ? 0 : 1;
}
