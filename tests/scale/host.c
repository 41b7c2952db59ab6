#include "scale.h"

#include <stdlib.h>

/* One node's life: it boots from its disk, steps, and goes without a word. */

/* Sessions of people, and the time between: most are short, some are long. */
#define SESSION_MS_LEAST 60000.0
#define AWAY_MS_LEAST    30000.0
#define SESSION_ALPHA    1.5
/* Of a small disk, beside everything else. */
#define COMPACTION_MS 1000u

struct sim *sim_current;

/* --- a step and what comes of it ----------------------------------------------------------- */

struct verifying {
    parley_ticket ticket;
    struct parley_check check;
};

static void run_verified(struct sim *sim, struct sim_item *item) {
    const struct verifying *verifying = item->data;
    struct parley_event event = {.kind = PARLEY_EVENT_VERIFIED};
    event.verified.ticket = verifying->ticket;
    event.verified.holds = parley_check_holds(&verifying->check);
    (void)host_step(sim, item->node, &event);
}

static void verify_later(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    struct verifying *verifying = must(malloc(sizeof *verifying));
    *verifying = (struct verifying){.ticket = effect->verify.ticket, .check = effect->verify.check};
    sim_put(sim, chance_below(sim, 2), node, run_verified, verifying, 0);
}

static void run_compacted(struct sim *sim, struct sim_item *item) {
    struct parley_event event = {.kind = PARLEY_EVENT_COMPACTED};
    (void)host_step(sim, item->node, &event);
}

static void note_log(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    if (effect->log.level < PARLEY_LOG_WARNING)
        return;
    sim->warnings++;
    if (sim->config.is_verbose)
        fprintf(stderr, "%8.3f n%u: %s: %s\n", (double)sim->now / 1000, node, effect->log.text,
                parley_strerror(effect->log.error));
}

/* A handshake whose other side died in it is nobody's fault. */
static void note_close(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    if (effect->close.reason == PARLEY_E_BAD_HANDSHAKE ||
        parley_error_class(effect->close.reason) != PARLEY_CLASS_REMOTE)
        return;
    if (net_other(sim, node, effect->close.connection) < sim->config.nodes_count)
        sim->closed_for_fault++;
    else
        sim->sybils_closed++;
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
        note_close(sim, node, effect);
        net_close(sim, node, effect->close.connection);
        return;
    case PARLEY_EFFECT_RESUME:
        net_resume(sim, node, effect->resume);
        return;
    case PARLEY_EFFECT_STORE:
        disk_store(sim, node, effect);
        return;
    case PARLEY_EFFECT_READ:
        disk_read(sim, node, effect);
        return;
    case PARLEY_EFFECT_VERIFY:
        verify_later(sim, node, effect);
        return;
    case PARLEY_EFFECT_SHOW:
        post_on_show(sim, node, effect);
        return;
    case PARLEY_EFFECT_REPLY:
        post_on_reply(sim, node, effect);
        return;
    case PARLEY_EFFECT_LOG:
        note_log(sim, node, effect);
        return;
    case PARLEY_EFFECT_COMPACT:
        sim_put(sim, COMPACTION_MS, node, run_compacted, NULL, 0);
        return;
    case PARLEY_EFFECT_SAID: /* nobody here invites */
        return;
    }
}

static void timer_set(struct sim *sim, uint32_t node);

static void run_timer(struct sim *sim, struct sim_item *item) {
    struct scale_node *host = &sim->nodes[item->node];
    if (item->number != host->timer_at)
        return;
    host->timer_at = UINT64_MAX;
    if (parley_node_deadline(host->core) > sim->now) {
        timer_set(sim, item->node);
        return;
    }
    struct parley_event event = {.kind = PARLEY_EVENT_TIMER};
    (void)host_step(sim, item->node, &event);
}

static void timer_set(struct sim *sim, uint32_t node) {
    struct scale_node *host = &sim->nodes[node];
    parley_time_ms at = parley_node_deadline(host->core);
    if (at < sim->now)
        at = sim->now;
    if (at >= host->timer_at)
        return;
    host->timer_at = at;
    sim_put(sim, at - sim->now, node, run_timer, NULL, at);
}

size_t host_step(struct sim *sim, uint32_t node, struct parley_event *event) {
    struct parley_effects effects;
    if (node >= sim->config.nodes_count)
        return sybil_step(sim, node, event);
    event->now = sim->now;
    event->wall = WALL_START + sim->now;
    sealed_begin();
    size_t consumed = parley_node_step(sim->nodes[node].core, event, &effects);
    sim->steps++;
    for (size_t i = 0; i < effects.count; i++)
        perform(sim, node, &effects.items[i]);
    timer_set(sim, node);
    return consumed;
}

/* --- boot and kill ------------------------------------------------------------------------- */

struct loading {
    struct sim *sim;
    uint32_t node;
};

static bool load_step(void *context, struct parley_event *event) {
    const struct loading *loading = context;
    (void)host_step(loading->sim, loading->node, event);
    return true;
}

static void create_core(struct sim *sim, uint32_t node) {
    struct scale_node *host = &sim->nodes[node];
    struct parley_address peers[DIALLED_MAX];
    struct parley_node_config config;
    parley_node_config_defaults(&config);
    parley_random_bytes(&sim->random, config.seed.bytes, sizeof config.seed.bytes);
    config.node_key = host->key;
    config.has_device = config.has_author = !host->is_relay;
    config.author = host->author;
    config.device_key = host->device;
    config.relay = host->is_relay;
    config.flood = sim->config.is_flooding;
    if (host->peers_max != 0)
        config.peers_max = host->peers_max;
    for (size_t i = 0; i < host->dialled_count; i++)
        peers[i] = sim->nodes[host->dialled[i]].address;
    config.discover = sim->config.discovers;
    config.places = &host->address;
    config.places_count = 1;
    config.peers = peers;
    config.peers_count = host->dialled_count;
    memory_begin(&host->memory, node);
    host->core = must(parley_node_create(&config));
    memory_end();
    host->next_accept = 2;
    host->timer_at = UINT64_MAX;
    host->up_since = sim->now;
    host->up_free_us = host->down_free_us = 0;
}

static void run_boot(struct sim *sim, struct sim_item *item) {
    uint32_t node = (uint32_t)item->number;
    struct scale_node *host = &sim->nodes[node];
    if (host->core != NULL)
        return;
    disk_open(sim, node);
    create_core(sim, node);
    struct loading loading = {sim, node};
    if (!store_tell_all(host->disk.store, load_step, &loading))
        abort();
    struct parley_event event = {.kind = PARLEY_EVENT_START};
    (void)host_step(sim, node, &event);
    for (uint32_t i = 0; !host->has_followed && i < host->follows_count; i++)
        people_follow(sim, node, host->follows[i]);
    host->has_followed = true;
}

void host_boot(struct sim *sim, uint32_t node, parley_time_ms delay) {
    sim->nodes[node].is_gone = false;
    sim_put(sim, delay, NOBODY, run_boot, NULL, node);
}

void host_kill(struct sim *sim, uint32_t node, bool in_silence) {
    struct scale_node *host = &sim->nodes[node];
    if (host->core == NULL)
        return;
    parley_node_free(host->core);
    host->core = NULL;
    memory_clear(&host->memory);
    disk_close(sim, node);
    net_node_died(sim, node, in_silence);
    host->life++; /* whatever was to happen to it does not */
}

/* --- coming and going ---------------------------------------------------------------------- */

static void run_leave(struct sim *sim, struct sim_item *item);

static void run_come_back(struct sim *sim, struct sim_item *item) {
    uint32_t node = (uint32_t)item->number;
    if (sim->nodes[node].core == NULL && !sim->nodes[node].is_gone)
        run_boot(sim, item);
    if (sim->is_churning)
        sim_put(sim, (parley_time_ms)chance_pareto(sim, SESSION_MS_LEAST, SESSION_ALPHA), NOBODY,
                run_leave, NULL, node);
}

static void run_leave(struct sim *sim, struct sim_item *item) {
    uint32_t node = (uint32_t)item->number;
    if (!sim->is_churning || sim->nodes[node].core == NULL)
        return;
    host_kill(sim, node, chance_below(sim, 4) == 0);
    sim->departures++;
    sim_put(sim, (parley_time_ms)chance_pareto(sim, AWAY_MS_LEAST, SESSION_ALPHA), NOBODY,
            run_come_back, NULL, node);
}

void churn_begin(struct sim *sim) {
    sim->is_churning = true;
    for (uint32_t i = sim->config.relays_count; i < sim->config.nodes_count; i++) {
        /* It is somewhere within its session. */
        double session = chance_pareto(sim, SESSION_MS_LEAST, SESSION_ALPHA);
        sim_put(sim, (parley_time_ms)(session * chance_unit(sim)), NOBODY, run_leave, NULL, i);
    }
}

void churn_end(struct sim *sim) {
    sim->is_churning = false;
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        if (sim->nodes[i].core == NULL && !sim->nodes[i].is_gone)
            sim_put(sim, chance_below(sim, 5000), NOBODY, run_boot, NULL, i);
}
