#include "scale.h"

#include <stdlib.h>

/* The worlds that are asked about, and their bounds. */

#define KILLED_LOOK_MS   30000u
#define SMALL_NODE_BYTES 524288u /* touched by a node that follows some twenty people */
#define FLOODING_P99_MS  600u    /* a slow link is half a second there and back; few need one */

void settle(struct sim *sim) {
    phase_begin(sim, "settling");
    boot_all(sim, 10000);
    run_for(sim, 60000);
    /* A broadcast tree needs posts to grow on, in each of its 64 buckets: at rest is what comes
     * after that, with the same links. Copies and delays are those of posts made from then on, at
     * whoever is interested or carries them, and nobody comes or catches up. */
    posts_schedule(sim, sim->config.warm_posts, 90000);
    run_for(sim, 100000);
    phase_end(sim);
}

/* --- spread -------------------------------------------------------------------------------- */

static void judge_spread(struct sim *sim) {
    const struct scale_phase *rest = &sim->phases[1], *churn = &sim->phases[2];
    bound_below(sim, "share of interested nodes reached",
                (double)rest->reached / (double)rest->pairs, 1);
    bound_below(sim, "share of interested nodes reached under churn",
                (double)churn->reached / (double)churn->pairs, 1);
    if (sim->config.is_flooding) {
        bound(sim, "p99 delay at rest, ms", rest->delay_ms.p99, FLOODING_P99_MS);
        bound(sim, "p99 delay under churn, ms", churn->delay_ms.p99, FLOODING_P99_MS);
    } else {
        bound(sim, "copies of a payload at rest", rest->copies_permille.mean / 1000,
              sim->config.copies_most);
        bound(sim, "p99 delay at rest, times that of flooding",
              (double)rest->delay_ms.p99 / sim->flooding_p99_ms[1], sim->config.delay_times);
        bound(sim, "p99 delay under churn, times that of flooding",
              (double)churn->delay_ms.p99 / sim->flooding_p99_ms[2], sim->config.delay_times);
    }
    bound(sim, "connections closed for a fault", (double)sim->closed_for_fault, 0);
}

static void run_spread(struct sim *sim) {
    settle(sim);
    phase_begin(sim, "rest");
    posts_schedule(sim, sim->config.posts, 120000);
    run_for(sim, 130000);
    phase_end(sim);
    memory_measure(sim);
    phase_begin(sim, "churn");
    churn_begin(sim);
    posts_schedule(sim, sim->config.posts, 240000);
    run_for(sim, 250000);
    churn_end(sim);
    run_for(sim, 120000);
    phase_end(sim);
    sim->judge = judge_spread;
}

/* --- killed -------------------------------------------------------------------------------- */

static void judge_killed(struct sim *sim) {
    bound(sim, "posts missed by a connected node 30 s after", (double)sim->missing.missed, 0);
    figure(sim, "pairs of a post and a node", (double)sim->missing.wanted);
    figure(sim, "pairs with nobody in between", (double)sim->missing.cut_off);
    bound(sim, "connections closed for a fault", (double)sim->closed_for_fault, 0);
}

static void run_killed(struct sim *sim) {
    settle(sim);
    phase_begin(sim, "killed");
    parley_time_ms from = sim->now;
    posts_schedule(sim, sim->config.posts, 40000);
    run_for(sim, 15000);
    /* Half of them without a word to anybody, as machines die; the others as processes do. */
    for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
        if (chance_below(sim, 2) == 0)
            continue;
        host_kill(sim, i, chance_below(sim, 2) == 0);
        sim->nodes[i].is_gone = true;
        sim->departures++;
    }
    run_for(sim, KILLED_LOOK_MS);
    sim->missing = posts_missing(sim, from, sim->now - 5000);
    phase_end(sim);
    memory_measure(sim);
    sim->judge = judge_killed;
}

/* --- big ----------------------------------------------------------------------------------- */

static void judge_big(struct sim *sim) {
    const struct scale_phase *rest = &sim->phases[1];
    bound_below(sim, "share of interested nodes reached",
                (double)rest->reached / (double)rest->pairs, 1);
    bound(sim, "bytes of memory of the process", (double)memory_of_process(), 12e9);
    bound(sim, "bytes that a person's node touches, mean", (double)sim->memory_of_persons_mean,
          SMALL_NODE_BYTES);
}

static void run_big(struct sim *sim) {
    settle(sim);
    phase_begin(sim, "rest");
    posts_schedule(sim, sim->config.posts, 60000);
    run_for(sim, 100000);
    phase_end(sim);
    memory_measure(sim);
    sim->judge = judge_big;
}

/* --- idle ---------------------------------------------------------------------------------- */

#define IDLE_PEER_BYTES 8192u

static void judge_idle(struct sim *sim) {
    bound(sim, "bytes touched for an idle peer", sim->idle_bytes, IDLE_PEER_BYTES);
    bound(sim, "bytes touched before anybody came", (double)sim->idle_before, SMALL_NODE_BYTES);
    bound_below(sim, "idle peers", (double)sim->idle_peers, sim->config.nodes_count - 1);
}

static size_t touched_by_hub(void) {
    size_t touched;
    memory_touched(&touched, 1);
    return touched;
}

/* Node 0 is dialled by all the others, who follow whom they follow and never say a word. */
static void run_idle(struct sim *sim) {
    sim->nodes[0].peers_max = 2 * (size_t)sim->config.nodes_count;
    phase_begin(sim, "idle");
    host_boot(sim, 0, 0);
    run_for(sim, 10000);
    size_t before = touched_by_hub();
    for (uint32_t i = 1; i < sim->config.nodes_count; i++)
        host_boot(sim, i, chance_below(sim, 30000));
    run_for(sim, 120000);
    struct parley_node_status status;
    parley_node_status(sim->nodes[0].core, &status);
    size_t after = touched_by_hub();
    phase_end(sim);
    sim->idle_peers = status.peers_count;
    sim->idle_bytes = (double)(after - before) / (double)(sim->config.nodes_count - 1);
    memory_measure(sim);
    sim->idle_before = before;
    sim->judge = judge_idle;
}

/* ------------------------------------------------------------------------------------------- */

#define PEOPLE                                                                                     \
    .seed = 1, .follows_mean = 20, .relays_dialled = 3, .friends_dialled = 2, .slow_percent = 2,   \
    .copies_most = 1.15, .delay_times = 3

const struct scenario scenarios[] = {
    {"spread",
     "1,000 nodes at rest, then with people who come and go",
     {PEOPLE, .nodes_count = 1000, .relays_count = 50, .posts = 200, .warm_posts = 600},
     run_spread,
     true},
    {"killed",
     "half of the nodes go at once",
     {PEOPLE, .nodes_count = 1000, .relays_count = 50, .posts = 200, .warm_posts = 600},
     run_killed},
    {"big",
     "5,000 nodes",
     {PEOPLE, .nodes_count = 5000, .relays_count = 100, .posts = 200, .warm_posts = 200},
     run_big},
    {"idle",
     "one node and 2,000 peers who say nothing",
     {.seed = 1, .nodes_count = 2001, .relays_count = 1, .follows_mean = 20, .relays_dialled = 1},
     run_idle},
    {"halves",
     "two halves of 250 nodes, a day and 50,000 posts apart, joined by one link",
     {PEOPLE, .nodes_count = 500, .relays_count = 20, .posts = 50000, .is_halved = true},
     run_halves},
    {"surge",
     "as many newcomers as there are nodes, in ten minutes",
     {PEOPLE, .nodes_count = 1000, .relays_count = 50, .posts = 200, .warm_posts = 600,
      .surge_minutes = 10},
     run_surge},
    {"sybil",
     "500 nodes and 2,500 peers that are nobody",
     {PEOPLE, .nodes_count = 500, .relays_count = 25, .posts = 200, .warm_posts = 600,
      .sybils_count = 2500},
     run_sybil},
    {NULL, NULL, {0}, NULL},
};

const struct scenario *scenario_find(const char *name) {
    for (const struct scenario *at = scenarios; at->name != NULL; at++)
        if (strcmp(at->name, name) == 0)
            return at;
    return NULL;
}
