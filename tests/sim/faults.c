#include "sim.h"

/* What goes wrong: each seed enables its own mixture, so that some worlds have one kind of trouble
 * only and some have all of them. Nothing goes wrong that the seed did not order. */

#define TICK_MS 1200u

const char *const sim_fault_words[FAULTS_COUNT] = {
#define X(name, words) words,
    SIM_FAULTS(X) SIM_VILLAINS(X)
#undef X
};
const char *const sim_fault_names[FAULTS_COUNT] = {
#define X(name, words) #name,
    SIM_FAULTS(X) SIM_VILLAINS(X)
#undef X
};

uint64_t sim_below(struct sim *sim, uint64_t bound) {
    return parley_random_below(&sim->random, bound);
}

bool sim_chance(struct sim *sim, unsigned one_in) {
    return sim_below(sim, one_in) == 0;
}

void fault_fired(struct sim *sim, enum sim_fault fault) {
    sim->fired[fault]++;
}

bool fault_hits(struct sim *sim, enum sim_fault fault, unsigned one_in) {
    if (!sim->has_faults || !sim->enabled[fault] || !sim_chance(sim, one_in))
        return false;
    fault_fired(sim, fault);
    return true;
}

/* --- partitions ---------------------------------------------------------------------------- */

static void heal_network(struct sim *sim) {
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        sim->net.side[i] = 0;
}

static void run_healed(struct sim *sim, struct sim_item *item) {
    if (!sim->has_faults)
        return; /* it ended with them; what parts the nodes now is not to be undone */
    trace_say(sim, "the partition ends");
    heal_network(sim);
}

static void part_network(struct sim *sim) {
    trace_say(sim, "the network is parted");
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        sim->net.side[i] = (uint32_t)sim_below(sim, 2);
    parley_time_ms length = sim_chance(sim, 8) ? 110000 : 1000 + sim_below(sim, 20000);
    sim_put(sim, length, SIM_NOBODY, run_healed, NULL, 0);
}

/* --- one fault ----------------------------------------------------------------------------- */

static void run_plugged(struct sim *sim, struct sim_item *item) {
    parley_disk_set_unplugged(sim->nodes[item->number].disk.disk, false);
}

static void kill_for_a_while(struct sim *sim, uint32_t node) {
    if (sim->nodes[node].core == NULL)
        return;
    fault_fired(sim, FAULT_KILLED);
    host_kill(sim, node);
    host_boot(sim, node, sim_chance(sim, 3) ? 5 + sim_below(sim, 200) : sim_below(sim, 20000));
}

static void fail_write(struct sim *sim, uint32_t node, bool is_kept) {
    fault_fired(sim, is_kept ? FAULT_WRITE_KEPT : FAULT_WRITE_LOST);
    /* One draw a statement: compilers differ in which argument comes first. */
    unsigned skip = (unsigned)sim_below(sim, 4);
    bool is_full = sim_chance(sim, 2);
    parley_disk_fail_write(sim->nodes[node].disk.disk, skip,
                           is_full ? PARLEY_E_DISK_FULL : PARLEY_E_DISK_FAILED,
                           is_kept ? PARLEY_DISK_WRITTEN : PARLEY_DISK_LOST);
}

static const enum sim_fault ordered[] = {
    FAULT_LOST_CONNECTION, FAULT_SILENT_CONNECTION, FAULT_PARTITION,    FAULT_STRANGER,
    FAULT_KILLED,          FAULT_SLOW_DISK,         FAULT_WRITE_LOST,   FAULT_WRITE_KEPT,
    FAULT_DISK_FULL,       FAULT_UNPLUGGED,         FAULT_CLOCK_JUMPED,
};
#define ORDERED_COUNT (sizeof ordered / sizeof ordered[0])

static void order_fault(struct sim *sim, unsigned kind, uint32_t node) {
    struct sim_node *host = &sim->nodes[node];
    parley_time_ms while_ms = 500 + sim_below(sim, 8000);
    switch (kind) {
    case FAULT_LOST_CONNECTION:
        net_lose_one(sim);
        return;
    case FAULT_SILENT_CONNECTION:
        net_silence_one(sim);
        return;
    case FAULT_PARTITION:
        fault_fired(sim, FAULT_PARTITION);
        part_network(sim);
        return;
    case FAULT_STRANGER:
        net_stranger(sim, node);
        return;
    case FAULT_KILLED:
        kill_for_a_while(sim, node);
        return;
    case FAULT_SLOW_DISK:
        fault_fired(sim, FAULT_SLOW_DISK);
        host->disk.slow_until = sim->now + while_ms;
        return;
    case FAULT_WRITE_LOST:
    case FAULT_WRITE_KEPT:
        fail_write(sim, node, kind == FAULT_WRITE_KEPT);
        return;
    case FAULT_DISK_FULL:
        fault_fired(sim, FAULT_DISK_FULL);
        disk_fill_up(sim, node, while_ms);
        return;
    case FAULT_UNPLUGGED:
        fault_fired(sim, FAULT_UNPLUGGED);
        parley_disk_set_unplugged(host->disk.disk, true);
        sim_put(sim, while_ms, SIM_NOBODY, run_plugged, NULL, node);
        return;
    case FAULT_CLOCK_JUMPED:
        fault_fired(sim, FAULT_CLOCK_JUMPED);
        host->wall_offset += (int64_t)sim_below(sim, 7200000) - 3600000;
        return;
    default:
        return;
    }
}

static void run_fault(struct sim *sim, struct sim_item *item) {
    if (!sim->has_faults)
        return;
    enum sim_fault fault = ordered[sim_below(sim, ORDERED_COUNT)];
    if (sim->enabled[fault])
        order_fault(sim, fault, (uint32_t)sim_below(sim, sim->config.nodes_count));
    sim_put(sim, sim_below(sim, 2 * TICK_MS), SIM_NOBODY, run_fault, NULL, 0);
}

bool fault_is_of(const struct sim_config *config, enum sim_fault fault) {
    static const enum sim_fault honest[] = {
        BAD_OWNER_CLOSES, BAD_OWNER_ROTATES, BAD_NEW_DEVICE,    BAD_SECOND_DEVICE, BAD_DISCONNECTS,
        BAD_IMPORTED,     BAD_HOSTILE_PEER,  BAD_PEER_RECORDS,  BAD_PEER_PUSH,     BAD_PEER_RUN,
        BAD_PEER_REFUSES, BAD_PEER_ASKS,     BAD_PEER_NONSENSE, BAD_PEER_SESSION,  BAD_PEER_RUNS};
    bool is_honest = fault < FAULTS_ONLY_COUNT;
    for (size_t i = 0; i < sizeof honest / sizeof *honest; i++)
        is_honest |= honest[i] == fault;
    return is_honest || config->has_villains;
}

void faults_draw(struct sim *sim) {
    for (unsigned i = 0; i < FAULTS_COUNT; i++)
        sim->enabled[i] = !sim_chance(sim, 4);
    sim->has_villains = !sim_chance(sim, 5);
    for (unsigned i = FAULTS_ONLY_COUNT; i < FAULTS_COUNT; i++)
        sim->enabled[i] = sim->enabled[i] && sim->has_villains && fault_is_of(&sim->config, i);
}

void faults_begin(struct sim *sim) {
    sim->has_faults = true;
    if (sim->enabled[FAULT_CLOCKS_APART])
        for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
            sim->nodes[i].wall_offset = (int64_t)sim_below(sim, 1200000) - 600000;
            fault_fired(sim, FAULT_CLOCKS_APART);
        }
    sim_put(sim, sim_below(sim, TICK_MS), SIM_NOBODY, run_fault, NULL, 0);
}

/* Everything that was ordered ends; what broke stays broken until the nodes mend it. */
void faults_stop(struct sim *sim) {
    sim->has_faults = false;
    heal_network(sim);
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        disk_heal(sim, i);
}
