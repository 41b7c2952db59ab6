#include "scale.h"

#include <stdlib.h>

/* One run, from the first boot to the last figure. */

void *must(void *memory) {
    if (memory == NULL) {
        fprintf(stderr, "scale: no memory\n");
        abort();
    }
    return memory;
}

void sim_put(struct sim *sim, parley_time_ms delay, uint32_t node, sim_run *run, void *data,
             uint64_t number) {
    struct sim_item item = {.at = sim->now + delay,
                            .node = node,
                            .life = node == NOBODY ? 0 : sim->nodes[node].life,
                            .number = number,
                            .run = run,
                            .data = data};
    queue_push(&sim->queue, &item);
}

void run_for(struct sim *sim, parley_time_ms duration) {
    parley_time_ms until = sim->now + duration;
    while (sim->queue.count > 0 && sim->queue.items[0].at <= until) {
        struct sim_item item = queue_pop(&sim->queue);
        sim->now = item.at;
        if (item.node == NOBODY || sim->nodes[item.node].life == item.life)
            item.run(sim, &item);
        free(item.data); /* unless it was put back */
    }
    sim->now = until;
}

void boot_all(struct sim *sim, parley_time_ms within) {
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        host_boot(sim, i, chance_below(sim, within));
}

void memory_measure(struct sim *sim) {
    uint32_t nodes = sim->config.nodes_count;
    size_t *touched = must(malloc(nodes * sizeof *touched));
    size_t sum = 0, running = 0, sum_of_persons = 0, persons = 0;
    memory_touched(touched, nodes);
    sim->memory_touched_max = sim->memory_allocated = 0;
    for (uint32_t i = 0; i < nodes; i++) {
        if (sim->nodes[i].core == NULL)
            continue;
        running++;
        sum += touched[i];
        persons += !sim->nodes[i].is_relay;
        sum_of_persons += sim->nodes[i].is_relay ? 0 : touched[i];
        if (touched[i] > sim->memory_touched_max)
            sim->memory_touched_max = touched[i];
        sim->memory_allocated = sim->nodes[i].memory.allocated;
    }
    sim->memory_touched_mean = running == 0 ? 0 : sum / running;
    sim->memory_of_persons_mean = persons == 0 ? 0 : sum_of_persons / persons;
    free(touched);
}

static struct sim *world_make(const struct scenario *scenario, const struct scale_config *config) {
    struct sim *sim = must(calloc(1, sizeof *sim));
    struct parley_seed seed = {{0}};
    sim->config = *config;
    sim->scenario = scenario->name;
    sim->scratch = must(malloc(2 * PARLEY_MESSAGE_BYTES_MAX));
    clock_gettime(CLOCK_MONOTONIC, &sim->wall_began);
    parley_put_u64(seed.bytes, config->seed);
    parley_random_init(&sim->random, &seed);
    sim_current = sim;
    people_make(sim);
    sybils_make(sim);
    return sim;
}

static void world_free(struct sim *sim) {
    people_clear(sim);
    sybils_clear(sim);
    posts_clear(sim);
    queue_clear(&sim->queue);
    net_clear(sim);
    free(sim->scratch);
    free(sim);
}

/* The same world with every push to everybody. */
static void run_flooding(const struct scenario *scenario, const struct scale_config *config,
                         uint32_t p99_ms[PHASES_MAX]) {
    struct scale_config flooding = *config;
    flooding.is_flooding = true;
    struct sim *sim = world_make(scenario, &flooding);
    scenario->run(sim);
    phases_count(sim);
    for (unsigned i = 0; i < sim->phases_count; i++)
        p99_ms[i] = sim->phases[i].delay_ms.p99;
    world_free(sim);
}

bool world_run(const struct scenario *scenario, const struct scale_config *config, FILE *out) {
    uint32_t p99_ms[PHASES_MAX] = {0};
    if (scenario->compares && !config->is_flooding)
        run_flooding(scenario, config, p99_ms);
    struct sim *sim = world_make(scenario, config);
    memcpy(sim->flooding_p99_ms, p99_ms, sizeof p99_ms);
    scenario->run(sim);
    bool all = report(sim, out);
    world_free(sim);
    return all;
}
