#include "sim.h"

#include <stdlib.h>

/* One node's life: a process that boots from its disk, steps, and is killed without a word. */

#define WALL_START      UINT64_C(1767225600000) /* 2026-01-01 */
#define TIMERS_A_SECOND 5000u                   /* more than that is a busy loop */
#define LOGS_OF_A_FLOOD 4096u                   /* rows for every device that a flood names */
/* All invariants after each step would be half of the time, and what breaks one stays broken: they
 * are looked at after every so many steps of the world, and before each kill. */
#define STEPS_A_CHECK 31u

bool host_is_alive(const struct sim *sim, uint32_t node, uint32_t life) {
    return sim->nodes[node].core != NULL && sim->nodes[node].life == life;
}

/* --- a step and what comes of it ----------------------------------------------------------- */

struct verifying {
    parley_ticket ticket;
    struct parley_check check;
};

/* The same signature is checked by every node: it costs once. Deterministic, as the rule is. */
#define CHECKS_CACHED 65536u
static struct {
    struct parley_check check;
    bool is_known, holds;
} checks_cached[CHECKS_CACHED];

bool host_check_holds(const struct parley_check *check) {
    uint32_t at = parley_get_u32(check->signature.bytes) % CHECKS_CACHED;
    if (!checks_cached[at].is_known ||
        memcmp(&checks_cached[at].check, check, sizeof *check) != 0) {
        checks_cached[at].check = *check;
        checks_cached[at].is_known = true;
        checks_cached[at].holds = parley_check_holds(check);
    }
    return checks_cached[at].holds;
}

static void run_verified(struct sim *sim, struct sim_item *item) {
    const struct verifying *verifying = item->data;
    struct parley_event event = {.kind = PARLEY_EVENT_VERIFIED};
    event.verified.ticket = verifying->ticket;
    event.verified.holds = host_check_holds(&verifying->check);
    host_step(sim, item->node, &event);
}

static void verify_later(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    struct verifying *verifying = malloc(sizeof *verifying);
    if (verifying == NULL)
        abort();
    *verifying = (struct verifying){.ticket = effect->verify.ticket, .check = effect->verify.check};
    parley_time_ms delay = sim_below(sim, 3);
    if (fault_hits(sim, FAULT_VERIFY_LATE, 100))
        delay += 100 + sim_below(sim, 3000);
    sim_put(sim, delay, node, run_verified, verifying, 0);
}

/* Nothing dropped takes a byte in memory. */
static void run_compacted(struct sim *sim, struct sim_item *item) {
    struct parley_event event = {.kind = PARLEY_EVENT_COMPACTED};
    host_step(sim, item->node, &event);
}

static void perform(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    switch (effect->kind) {
    case PARLEY_EFFECT_SEND:
        net_send(sim, node, effect->send.connection, effect->send.bytes);
        return;
    case PARLEY_EFFECT_DIAL:
        net_dial(sim, node, effect);
        return;
    case PARLEY_EFFECT_CLOSE:
        net_close(sim, node, effect);
        return;
    case PARLEY_EFFECT_RESUME:
        net_resume(sim, node, effect->resume);
        return;
    case PARLEY_EFFECT_STORE:
        check_stores(sim, node, effect);
        disk_store(sim, node, effect);
        return;
    case PARLEY_EFFECT_READ:
        disk_read(sim, node, effect);
        return;
    case PARLEY_EFFECT_VERIFY:
        verify_later(sim, node, effect);
        return;
    case PARLEY_EFFECT_SHOW:
        check_seen(sim, node, &effect->show.log, effect->show.seq_high, &effect->show.id);
        return;
    case PARLEY_EFFECT_REPLY:
        people_on_reply(sim, node, effect);
        return;
    case PARLEY_EFFECT_LOG:
        check_log_line(sim, node, effect);
        return;
    case PARLEY_EFFECT_COMPACT:
        sim_put(sim, sim_below(sim, 2000), node, run_compacted, NULL, 0);
        return;
    case PARLEY_EFFECT_SAID: /* nobody here invites */
        return;
    }
}

static void timer_set(struct sim *sim, uint32_t node);

static void run_timer(struct sim *sim, struct sim_item *item) {
    struct sim_node *host = &sim->nodes[item->node];
    if (host->core == NULL || item->number != host->timer_at)
        return;
    host->timer_at = UINT64_MAX;
    if (parley_node_deadline(host->core) > sim->now) {
        timer_set(sim, item->node);
        return;
    }
    if (host->timers_second != sim->now / 1000)
        host->timers_count = 0;
    host->timers_second = sim->now / 1000;
    if (++host->timers_count > TIMERS_A_SECOND)
        sim_fail(sim, "n%u spins: its deadline stays in the past", item->node);
    struct parley_event event = {.kind = PARLEY_EVENT_TIMER};
    host_step(sim, item->node, &event);
}

static void timer_set(struct sim *sim, uint32_t node) {
    struct sim_node *host = &sim->nodes[node];
    parley_time_ms at = parley_node_deadline(host->core);
    if (at < sim->now)
        at = sim->now;
    if (at >= host->timer_at)
        return;
    host->timer_at = at;
    sim_put(sim, at - sim->now, node, run_timer, NULL, at);
}

size_t host_step(struct sim *sim, uint32_t node, struct parley_event *event) {
    struct sim_node *host = &sim->nodes[node];
    struct parley_effects effects;
    event->now = sim->now;
    event->wall = (parley_time_ms)((int64_t)(WALL_START + sim->now) + host->wall_offset);
    trace_event(sim, node, event);
    size_t consumed = parley_node_step(host->core, event, &effects);
    sim->steps_count++;
    for (size_t i = 0; i < effects.count; i++) {
        trace_effect(sim, node, &effects.items[i]);
        perform(sim, node, &effects.items[i]);
    }
    if (sim->steps_count % STEPS_A_CHECK == 0)
        parley_node_check_invariants(host->core);
    timer_set(sim, node);
    return consumed;
}

/* --- boot and kill ------------------------------------------------------------------------- */

struct loading {
    struct sim *sim;
    uint32_t node;
    uint64_t left;
};

/* False where the loading is cut off. */
static bool load_step(void *context, struct parley_event *event) {
    struct loading *loading = context;
    if (loading->left == 0)
        return false;
    loading->left--;
    host_step(loading->sim, loading->node, event);
    return true;
}

bool host_load(struct sim *sim, uint32_t node, uint64_t stop_after) {
    struct loading loading = {.sim = sim, .node = node, .left = stop_after};
    return store_tell_all(sim->nodes[node].disk.store, load_step, &loading);
}

static void create_core(struct sim *sim, uint32_t node) {
    struct sim_node *host = &sim->nodes[node];
    struct parley_node_config config;
    parley_node_config_defaults(&config);
    parley_random_bytes(&sim->random, config.seed.bytes, sizeof config.seed.bytes);
    config.node_key = host->key;
    config.has_device = host->has_author;
    if (host->has_author) {
        config.author = sim->authors[host->author].author;
        config.device_key = sim->logs[host->log].device;
    }
    config.relay = host->is_relay;
    config.hops = host->hops;
    config.erase_after_ms = 20000; /* within a run, and longer than its disks are late */
    config.peers_max = 32;
    config.discover = sim->enabled[FAULT_LEARNED];
    config.outbound = 1 + (size_t)sim_below(sim, 3);
    config.places = &host->address;
    config.places_count = 1;
    config.logs_max = sim->has_villains ? LOGS_OF_A_FLOOD : 64;
    config.authors_max = 64;
    config.peers = host->peers;
    config.peers_count = host->peers_count;
    host->core = parley_node_create(&config);
    if (host->core == NULL)
        sim_fail(sim, "no memory for n%u", node);
    host->next_accept = 2;
    host->timer_at = UINT64_MAX;
}

static void run_boot(struct sim *sim, struct sim_item *item) {
    if (sim->nodes[item->node].core != NULL)
        sim_fail(sim, "n%u boots while it runs", item->node);
    if (!disk_open(sim, item->node)) {
        host_boot(sim, item->node, 200 + sim_below(sim, 800));
        return;
    }
    trace_say(sim, "n%u boots", item->node);
    check_after_load(sim, item->node);
    create_core(sim, item->node);
    bool is_killed = fault_hits(sim, FAULT_KILLED_AT_START, 4);
    bool is_loaded = host_load(sim, item->node, is_killed ? sim_below(sim, 8) : UINT64_MAX);
    if (is_loaded) {
        struct parley_event event = {.kind = PARLEY_EVENT_START};
        host_step(sim, item->node, &event);
        check_follows(sim, item->node);
    } else if (!is_killed) {
        sim_fail(sim, "n%u cannot load its store", item->node);
    }
    if (is_killed) {
        host_kill(sim, item->node);
        host_boot(sim, item->node, sim_below(sim, 500));
    }
}

void host_boot(struct sim *sim, uint32_t node, parley_time_ms delay) {
    sim_put(sim, delay, node, run_boot, NULL, 0);
}

void host_kill(struct sim *sim, uint32_t node) {
    struct sim_node *host = &sim->nodes[node];
    if (host->core == NULL)
        return;
    trace_say(sim, "n%u is killed", node);
    parley_node_check_invariants(host->core);
    parley_node_free(host->core);
    host->core = NULL;
    host->life++; /* whatever was to happen to it does not */
    disk_crash(sim, node);
    net_node_died(sim, node);
}
