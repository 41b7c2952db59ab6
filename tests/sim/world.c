#include "sim.h"

#include <stdio.h>
#include <stdlib.h>

/* One seed from the first boot to the last comparison. */

#define FAULTS_MS_MIN 120000u
#define FAULTS_MS_MAX 1500000u
#define ENTRIES_MIN   300u /* acknowledged while faults happen */
/* What was lost, or is mistaken for the same in one session of 256, is found in the next: after
 * sixteen regular turns of that peer, of which each of a node's few has one in half a minute. */
#define SETTLE_MS_MAX  3600000u
#define SETTLE_LOOK_MS 1000u
#define ALONE_MS       20000u /* for reading and judging what the disk holds */

static void run_until(struct sim *sim, parley_time_ms until) {
    while (sim->queue.count > 0 && sim->queue.items[0].at <= until)
        (void)sim_next(sim);
    sim->now = until;
}

static void faulty_phase(struct sim *sim) {
    faults_begin(sim);
    people_begin(sim);
    if (sim->has_villains)
        villains_begin(sim);
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        host_boot(sim, i, sim_below(sim, 3000));
    while (sim->now < FAULTS_MS_MIN || sim->acknowledged < ENTRIES_MIN) {
        run_until(sim, sim->now + SETTLE_LOOK_MS);
        if (sim->now > FAULTS_MS_MAX)
            sim_fail(sim, "only %llu entries were acknowledged",
                     (unsigned long long)sim->acknowledged);
    }
}

static parley_time_ms settling_phase(struct sim *sim) {
    char why[1024] = "";
    parley_time_ms from = sim->now;
    trace_say(sim, "the faults end");
    faults_stop(sim);
    do {
        run_until(sim, sim->now + SETTLE_LOOK_MS);
        if (sim->now - from > SETTLE_MS_MAX) {
            (void)settled(sim, why, sizeof why);
            sim_fail(sim, "does not converge: %s", why);
        }
    } while (!settled(sim, why, sizeof why));
    return sim->now - from;
}

/* Authors whom a node wants, and their digest before it was killed. */
struct wanted {
    struct parley_author authors[SIM_AUTHORS_MAX];
    size_t count;
    struct parley_hash digest;
};

static void note_wanted(const struct sim *sim, uint32_t node, struct wanted *wanted) {
    wanted->count = 0;
    for (uint32_t i = 0; i < sim->authors_count; i++)
        if (settled_wants(sim, node, i))
            wanted->authors[wanted->count++] = sim->authors[i].author;
    parley_node_digest(sim->nodes[node].core, wanted->authors, wanted->count, &wanted->digest);
}

/* Killed once more and started with nobody to talk to, every node says from its disk alone what it
 * said before. */
static void last_kill(struct sim *sim) {
    static struct wanted before[SIM_NODES_MAX];
    struct parley_hash after;
    for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
        note_wanted(sim, i, &before[i]);
        sim->net.side[i] = i;
    }
    for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
        host_kill(sim, i);
        host_boot(sim, i, 0);
    }
    run_until(sim, sim->now + ALONE_MS);
    for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
        parley_node_digest(sim->nodes[i].core, before[i].authors, before[i].count, &after);
        if (!PARLEY_EQUAL(before[i].digest, after))
            sim_fail(sim, "n%u says something else after a kill", i);
    }
}

static void fill_report(struct sim *sim, struct sim_report *report) {
    trace_end(sim, report->trace);
    report->steps = sim->steps_count;
    report->events = sim->trace.events_count;
    report->effects = sim->trace.effects_count;
    report->acknowledged = sim->acknowledged;
    report->simulated_ms = sim->now;
    for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
        report->published += sim->nodes[i].published;
        report->refused += sim->nodes[i].refused;
    }
    memcpy(report->fired, sim->fired, sizeof report->fired);
}

static void world_clear(struct sim *sim) {
    for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
        host_kill(sim, i);
        parley_disk_free(sim->nodes[i].disk.disk);
        if (sim->nodes[i].disk.old != NULL)
            parley_disk_free(sim->nodes[i].disk.old);
    }
    for (uint32_t i = 0; i < sim->logs_count; i++)
        free(sim->logs[i].known);
    sim_queue_clear(sim);
    net_clear(sim);
    people_clear(sim);
    pieces_clear(sim);
    puppets_clear(sim);
    free(sim->scratch);
    free(sim);
}

void sim_run_seed(const struct sim_config *config, struct sim_report *report) {
    struct sim *sim = calloc(1, sizeof *sim);
    if (sim == NULL)
        abort();
    *report = (struct sim_report){0};
    sim->config = *config;
    sim->scratch = malloc(PARLEY_MESSAGE_BYTES_MAX + PARLEY_CHUNK_LARGEST);
    struct parley_seed seed = {{0}};
    parley_put_u64(seed.bytes, config->seed);
    parley_random_init(&sim->random, &seed);
    sim_current = sim;
    trace_begin(sim);
    faults_draw(sim);
    people_make(sim);
    if (sim->has_villains)
        villains_make(sim);
    faulty_phase(sim);
    report->healed_ms = settling_phase(sim);
    disks_check(sim);
    disks_check_words(sim);
    for (uint32_t i = 0; i < config->nodes_count; i++)
        oracle_check(sim, i);
    last_kill(sim);
    fill_report(sim, report);
    sim_current = NULL;
    world_clear(sim);
}
