#include "scale.h"

#include <stdlib.h>

/* Newcomers within a short time: as many as there are nodes, or a hundred times as many in an hour
 * (--nodes 2020 --old 20 --relays 5 --minutes 60). Persons with high numbers are the newcomers;
 * relays are all there before. */

#define SCREEN_POSTS    50u /* the newest of whom somebody follows */
#define SCREEN_MS       10000u
#define RELAY_BYTES_MAX (64.0 * 1024 * 1024)

static uint32_t first_newcomer(const struct sim *sim) {
    uint32_t persons = sim->config.nodes_count - sim->config.relays_count;
    if (sim->config.old_count > 0)
        return sim->config.old_count;
    return sim->config.relays_count + persons / 2;
}

/* From its start until its screen was full; UINT32_MAX: it is not. */
static uint32_t screen_ms(const struct sim *sim, uint32_t node) {
    const struct scale_node *host = &sim->nodes[node];
    uint32_t posts = 0, slowest = 0;
    for (size_t p = sim->posts_count; p-- > 0 && posts < SCREEN_POSTS;) {
        const struct scale_post *post = &sim->posts[p];
        if (post->at >= host->up_since || post->seq == 0 ||
            !person_follows(sim, node, post->author))
            continue;
        posts++;
        if (post->arrivals[node].after_ms == 0)
            return UINT32_MAX;
        parley_time_ms at = post->at + post->arrivals[node].after_ms - 1;
        uint32_t after = at < host->up_since ? 0 : (uint32_t)(at - host->up_since);
        slowest = after > slowest ? after : slowest;
    }
    return slowest;
}

static void judge_surge(struct sim *sim) {
    uint32_t nodes = sim->config.nodes_count, late = 0;
    uint32_t *screens = must(malloc(nodes * sizeof *screens));
    size_t count = 0;
    for (uint32_t i = first_newcomer(sim); i < nodes; i++) {
        screens[count] = screen_ms(sim, i);
        late += screens[count++] > SCREEN_MS;
    }
    struct scale_spread spread = spread_of(screens, count);
    free(screens);
    bound(sim, "p99 delay of the old in the surge, times that before",
          (double)sim->phases[2].delay_ms.p99 / sim->phases[1].delay_ms.p99, 2);
    bound(sim, "newcomers without a first screen after 10 s", late, 0);
    bound(sim, "bytes that a node touches, most", (double)sim->memory_touched_max, RELAY_BYTES_MAX);
    bound(sim, "connections closed for a fault", (double)sim->closed_for_fault, 0);
    figure(sim, "first screen, p50 ms", spread.p50);
    figure(sim, "first screen, p99 ms", spread.p99);
    figure(sim, "first screen, max ms", spread.max);
}

void run_surge(struct sim *sim) {
    uint32_t newcomers = first_newcomer(sim);
    parley_time_ms surge_ms = sim->config.surge_minutes * UINT64_C(60000);
    sim->delays_below = newcomers;
    for (uint32_t i = 0; i < sim->config.relays_count; i++)
        sim->nodes[i].peers_max = sim->config.places;
    phase_begin(sim, "settling");
    for (uint32_t i = 0; i < newcomers; i++)
        host_boot(sim, i, chance_below(sim, 10000));
    run_for(sim, 60000);
    posts_schedule(sim, sim->config.warm_posts, 90000);
    run_for(sim, 100000);
    phase_end(sim);
    phase_begin(sim, "before");
    posts_schedule(sim, sim->config.posts, 120000);
    run_for(sim, 130000);
    phase_end(sim);
    phase_begin(sim, "surge");
    for (uint32_t i = newcomers; i < sim->config.nodes_count; i++)
        host_boot(sim, i, chance_below(sim, surge_ms));
    posts_schedule(sim, sim->config.posts, surge_ms);
    run_for(sim, surge_ms + 60000);
    phase_end(sim);
    memory_measure(sim);
    sim->judge = judge_surge;
}
