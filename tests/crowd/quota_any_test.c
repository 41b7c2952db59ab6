#include "quota.h"

#include <stdlib.h>

/* A flood and whatever else may happen meanwhile, in any order: strangers and friends who write on,
 * forks, closings, a disk that fails, restarts, people who are followed and are not any more. Whom
 * the owner follows stays whole, and the quota holds. */

#define RANDOM_SEEDS   25u
#define RANDOM_AUTHORS 30u
#define RANDOM_FRIENDS 4u /* the first of them, small enough to stay whole */

struct weather {
    struct crowd crowd;
    struct crowd_author authors[RANDOM_AUTHORS];
    uint32_t tops[RANDOM_AUTHORS];
    bool is_followed[RANDOM_AUTHORS];
};

static uint64_t chance(struct weather *weather, uint64_t below) {
    return parley_random_below(&weather->crowd.random, below);
}

static void speak(struct weather *weather, unsigned author) {
    struct crowd_author *who = &weather->authors[author];
    unsigned count = author < RANDOM_FRIENDS ? 1 + (unsigned)chance(weather, 3)
                                             : 1 + (unsigned)chance(weather, 60);
    uint32_t below = weather->tops[author];
    if (who->count + count > 120)
        return;
    weather->tops[author] = crowd_write(who, below, count);
    crowd_give(&weather->crowd, chance(weather, 3) == 0 ? 2 : 0, who, weather->tops[author], 1);
}

/* A second branch: evidence goes the same way as entries. */
static void fork_one(struct weather *weather, unsigned author) {
    struct crowd_author *who = &weather->authors[author];
    if (author < RANDOM_FRIENDS || who->count < 3 || who->count > 100)
        return;
    crowd_give(&weather->crowd, 2, who, crowd_write(who, 1, 2), 1);
}

static void happen(struct weather *weather) {
    struct crowd *crowd = &weather->crowd;
    unsigned author = (unsigned)chance(weather, RANDOM_AUTHORS);
    switch (chance(weather, 12)) {
    case 0:
        crowd_restart(crowd, 1);
        crowd_link(crowd, 1, 0);
        crowd_link(crowd, 1, 2);
        return;
    case 1:
        crowd->fails_next_store = true;
        return;
    case 2:
        follow(crowd, 1, &weather->authors[author],
               weather->is_followed[author] = author < RANDOM_FRIENDS || chance(weather, 3) == 0);
        return;
    case 3:
        fork_one(weather, author);
        return;
    case 4:
        if (author >= RANDOM_FRIENDS && weather->authors[author].count > 0)
            crowd_close(crowd, 0, &weather->authors[author],
                        (uint32_t)chance(weather, weather->authors[author].count));
        return;
    case 5:
    case 6:
        crowd_wait(crowd, 1 + (unsigned)chance(weather, 40));
        return;
    default:
        speak(weather, author);
        return;
    }
}

static void expect_friends_whole(struct weather *weather, uint64_t seed) {
    for (unsigned i = 0; i < RANDOM_FRIENDS; i++) {
        struct parley_node_log log = crowd_log(&weather->crowd, 1, &weather->authors[i].person.log);
        parley_seq newest = crowd_seq(&weather->authors[i], weather->tops[i]);
        if (log.head_seq != newest || log.good.count != 1 || log.good.ranges[0].lo != 1)
            fail_msg("seed %llu: of friend %u there are %llu of %llu, from %llu on",
                     (unsigned long long)seed, i, (unsigned long long)log.head_seq,
                     (unsigned long long)newest, (unsigned long long)lowest(&log));
    }
}

static void run_weather(uint64_t seed) {
    struct weather *weather = calloc(1, sizeof *weather);
    struct crowd *crowd = &weather->crowd;
    begin(crowd, 3, seed);
    limit(crowd, 2 * QUOTA);
    for (unsigned i = 0; i < RANDOM_AUTHORS; i++) {
        unsigned first = i < RANDOM_FRIENDS ? 10 : 1 + (unsigned)chance(weather, 40);
        weather->tops[i] = author_at(crowd, 0, &weather->authors[i], (uint8_t)(20 + i), first);
        introduce(crowd, 2, &weather->authors[i]);
        weather->is_followed[i] = i < RANDOM_FRIENDS;
        if (i < RANDOM_FRIENDS)
            follow(crowd, 1, &weather->authors[i], true);
    }
    crowd_meet(crowd);
    for (unsigned i = 0; i < 60; i++)
        happen(weather);
    crowd->fails_next_store = false;
    for (unsigned i = 0; i < RANDOM_FRIENDS; i++) /* what a disk has lost is told again */
        crowd_give(crowd, 0, &weather->authors[i], weather->tops[i], 1);
    crowd_wait(crowd, 240);
    struct parley_node_status status = status_of(crowd, 1);
    if (status.held_bytes > 2 * QUOTA / 16 * 15 && !status.is_full)
        fail_msg("seed %llu: %llu bytes are held", (unsigned long long)seed,
                 (unsigned long long)status.held_bytes);
    expect_friends_whole(weather, seed);
    assert_counted(crowd, 1);
    crowd_restart(crowd, 1);
    expect_friends_whole(weather, seed);
    assert_counted(crowd, 1);
    end(crowd, weather->authors, RANDOM_AUTHORS);
    free(weather);
}

static void test_any_order(void **state) {
    const char *count = getenv("CROWD_SEEDS");
    uint64_t last = count == NULL ? RANDOM_SEEDS : strtoull(count, NULL, 10);
    for (uint64_t seed = 1; seed <= last; seed++)
        run_weather(seed);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_any_order)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("quota_any", tests, NULL, NULL) == 0 ? 0 : 1;
}
