#include "scale.h"

#include <stdlib.h>

#define LATE_MS  600u /* more than nearly all take over a tree that is whole */
#define HOPS_MAX 64u  /* looked back */

/* What is counted, by phases: a post belongs to that in which it was made, a message to that in
 * which it was sent. */

static int compare_numbers(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

struct scale_spread spread_of(uint32_t *values, size_t count) {
    struct scale_spread spread = {.count = count};
    double sum = 0;
    if (count == 0)
        return spread;
    qsort(values, count, sizeof *values, compare_numbers);
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    spread.mean = sum / (double)count;
    spread.p50 = values[(count - 1) / 2];
    spread.p90 = values[(count - 1) * 9 / 10];
    spread.p99 = values[(count - 1) * 99 / 100];
    spread.max = values[count - 1];
    return spread;
}

static void traffic_take(struct scale_traffic *to, const struct scale_traffic *all) {
    for (unsigned i = 0; i < TYPES_MAX; i++) {
        to->messages[i] = all->messages[i] - to->messages[i];
        to->bytes[i] = all->bytes[i] - to->bytes[i];
        to->payload[i] = all->payload[i] - to->payload[i];
    }
    to->wire_bytes = all->wire_bytes - to->wire_bytes;
}

void phase_begin(struct sim *sim, const char *name) {
    if (sim->phases_count == PHASES_MAX)
        abort();
    struct scale_phase *phase = &sim->phases[sim->phases_count++];
    *phase = (struct scale_phase){.name = name, .from = sim->now, .traffic = sim->traffic};
    if (sim->config.is_verbose)
        fprintf(stderr, "%8.3f %s\n", (double)sim->now / 1000, name);
}

void phase_end(struct sim *sim) {
    struct scale_phase *phase = &sim->phases[sim->phases_count - 1];
    phase->until = sim->now;
    traffic_take(&phase->traffic, &sim->traffic);
}

struct gathered {
    uint32_t *delays, *lates, *hops;
    size_t delays_count, lates_count, hops_count, max;
};

static void gather(struct gathered *to, const struct scale_arrival *arrival) {
    if (to->delays_count + to->lates_count == to->max) {
        to->max = to->max == 0 ? 4096 : 2 * to->max;
        to->delays = must(realloc(to->delays, to->max * sizeof *to->delays));
        to->lates = must(realloc(to->lates, to->max * sizeof *to->lates));
        to->hops = must(realloc(to->hops, to->max * sizeof *to->hops));
    }
    uint32_t after = arrival->after_ms - 1;
    if (arrival->was_away)
        to->lates[to->lates_count++] = after;
    else
        to->delays[to->delays_count++] = after;
    to->hops[to->hops_count++] = arrival->hops;
}

/* What took long: by the hop on which it was longest. */
static void count_late(struct sim *sim, struct scale_phase *phase, const struct scale_post *post,
                       uint32_t node) {
    uint32_t longest = 0;
    uint8_t way = 0;
    if (post->arrivals[node].was_away || post->arrivals[node].after_ms <= LATE_MS)
        return;
    for (unsigned i = 0; i < HOPS_MAX && post->arrivals[node].hops > 0; i++) {
        const struct scale_arrival *arrival = &post->arrivals[node];
        uint32_t before = post->arrivals[arrival->from].after_ms;
        if (arrival->after_ms >= before + longest) {
            longest = arrival->after_ms - before;
            way = arrival->way;
        }
        node = arrival->from;
    }
    phase->late[way]++;
}

static void count_post(struct sim *sim, struct scale_phase *phase, const struct scale_post *post,
                       struct gathered *gathered) {
    uint64_t pairs = 0, reached = 0;
    for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
        const struct scale_arrival *arrival = &post->arrivals[i];
        sim->nodes[i].copies += arrival->copies;
        sim->nodes[i].foreign += arrival->after_ms != 0;
        if (!node_wants(sim, i, post->author))
            continue;
        if (arrival->after_ms != 0 && (sim->delays_below == 0 || i < sim->delays_below))
            gather(gathered, arrival);
        if (arrival->after_ms != 0)
            count_late(sim, phase, post, i);
        if (sim->nodes[i].core == NULL)
            continue;
        pairs++;
        reached += arrival->after_ms != 0;
    }
    double share = pairs == 0 ? 1 : (double)reached / (double)pairs;
    phase->posts++;
    phase->pairs += pairs;
    phase->reached += reached;
    if (phase->posts == 1 || share < phase->reached_worst)
        phase->reached_worst = share;
}

/* A node that got nothing says nothing of copies. */
static void count_copies(struct sim *sim, struct scale_phase *phase) {
    uint32_t *ratios = must(malloc(sim->config.nodes_count * sizeof *ratios));
    uint64_t copies = 0, foreign = 0;
    size_t count = 0;
    for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
        struct scale_node *host = &sim->nodes[i];
        if (host->foreign > 0)
            ratios[count++] = (uint32_t)(host->copies * 1000 / host->foreign);
        copies += host->copies;
        foreign += host->foreign;
        host->copies = host->foreign = 0;
    }
    phase->copies_permille = spread_of(ratios, count);
    /* The mean is that of payloads, not of nodes. */
    phase->copies_permille.mean = foreign == 0 ? 0 : 1000.0 * (double)copies / (double)foreign;
    free(ratios);
}

static void count_phase(struct sim *sim, unsigned number) {
    struct scale_phase *phase = &sim->phases[number];
    struct gathered gathered = {0};
    for (size_t p = 0; p < sim->posts_count; p++)
        if (sim->posts[p].phase == number && sim->posts[p].seq != 0)
            count_post(sim, phase, &sim->posts[p], &gathered);
    phase->delay_ms = spread_of(gathered.delays, gathered.delays_count);
    phase->late_ms = spread_of(gathered.lates, gathered.lates_count);
    phase->hops = spread_of(gathered.hops, gathered.hops_count);
    count_copies(sim, phase);
    uint64_t bytes = 0, payload = 0;
    for (unsigned i = 0; i < TYPES_MAX; i++) {
        bytes += phase->traffic.bytes[i];
        payload += phase->traffic.payload[i];
    }
    if (phase->posts > 0)
        phase->control_bytes_per_post = (double)(bytes - payload) / (double)phase->posts;
    free(gathered.delays);
    free(gathered.lates);
    free(gathered.hops);
}

void phases_count(struct sim *sim) {
    for (unsigned i = 0; i < sim->phases_count; i++)
        count_phase(sim, i);
}

/* --- bounds -------------------------------------------------------------------------------- */

static void bound_put(struct sim *sim, struct scale_bound what) {
    if (sim->bounds_count == BOUNDS_MAX)
        abort();
    sim->bounds[sim->bounds_count++] = what;
}

void bound(struct sim *sim, const char *what, double value, double limit) {
    bound_put(sim, (struct scale_bound){what, value, limit, false});
}

void bound_below(struct sim *sim, const char *what, double value, double at_least) {
    bound_put(sim, (struct scale_bound){what, value, at_least, true});
}

void figure(struct sim *sim, const char *what, double value) {
    if (sim->figures_count == BOUNDS_MAX)
        abort();
    sim->figures[sim->figures_count++] = (struct scale_bound){.what = what, .value = value};
}
