#include "scale.h"

#include <math.h>
#include <parley/identity.h>
#include <stdlib.h>

/* Who is there: relays that know one another, and persons who dial some of them and a few of those
 * whom they follow. Whom somebody follows grows as such nets do: mostly whom others follow already.
 * Nodes 0 .. relays_count - 1 are the relays; each other node is a person with one log. */

#define FOLLOWS_ALPHA   1.5 /* of how many somebody follows */
#define POPULAR_PERCENT 80u /* of choices that copy somebody else's */
#define RELAYS_OF_RELAY 4u
#define UP_HOME         2000.0 /* bytes a millisecond, the median */
#define DOWN_HOME       8000.0
#define RATE_RELAY      50000u

/* --- chance -------------------------------------------------------------------------------- */

uint64_t chance_below(struct sim *sim, uint64_t bound) {
    return parley_random_below(&sim->random, bound);
}

double chance_unit(struct sim *sim) {
    return (double)parley_random_below(&sim->random, UINT64_C(1) << 52) /
           (double)(UINT64_C(1) << 52);
}

double chance_log_normal(struct sim *sim, double sigma) {
    double sum = 0;
    for (unsigned i = 0; i < 12; i++)
        sum += chance_unit(sim);
    return exp((sum - 6) * sigma);
}

double chance_pareto(struct sim *sim, double least, double alpha) {
    return least * pow(1 - chance_unit(sim), -1 / alpha);
}

/* --- lists --------------------------------------------------------------------------------- */

static void list_put(uint32_t **list, uint32_t *count, uint32_t *max, uint32_t value) {
    if (*count == *max) {
        *max = *max == 0 ? 8 : 2 * *max;
        *list = must(realloc(*list, *max * sizeof **list));
    }
    (*list)[(*count)++] = value;
}

static int compare_numbers(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* --- making -------------------------------------------------------------------------------- */

static void make_key(struct sim *sim, struct parley_secret_key *secret, uint8_t key[32]) {
    struct parley_seed seed;
    parley_random_bytes(&sim->random, seed.bytes, sizeof seed.bytes);
    parley_key_pair(secret, key, &seed);
}

static uint32_t *log_place(const struct sim *sim, const struct parley_log *log) {
    size_t mask = sim->logs_index_size - 1;
    for (size_t at = parley_get_u64(log->bytes) & mask;; at = (at + 1) & mask) {
        uint32_t person = sim->logs_index[at];
        if (person == NOBODY || PARLEY_EQUAL(sim->nodes[person].log, *log))
            return &sim->logs_index[at];
    }
}

uint32_t person_of_log(const struct sim *sim, const struct parley_log *log) {
    return *log_place(sim, log);
}

/* Each in a network of its own. */
uint32_t people_at(const struct sim *sim, const char *host) {
    unsigned first, second;
    if (sscanf(host, "%u.%u.", &first, &second) != 2 || first < 20 || first >= 100)
        return NOBODY;
    uint32_t node = second * 80 + first - 20;
    return node < sim->config.nodes_count ? node : NOBODY;
}

static void make_person(struct sim *sim, uint32_t node) {
    struct scale_node *host = &sim->nodes[node];
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    parley_random_bytes(&sim->random, entropy, sizeof entropy);
    parley_author_derive(&host->author, entropy);
    make_key(sim, &host->device, host->device_key.bytes);
    parley_log_derive(&host->log, &host->author, &host->device_key);
    *log_place(sim, &host->log) = node;
    if (!home_make(host->disk.store, entropy, &host->author, &host->device))
        abort();
    host->up_rate = (uint32_t)(UP_HOME * chance_log_normal(sim, 0.7)) + 100;
    host->down_rate = (uint32_t)(DOWN_HOME * chance_log_normal(sim, 0.7)) + 400;
}

/* Where it is, and its line. */
static void make_place(struct sim *sim, uint32_t node) {
    static const uint8_t regions[10] = {0, 0, 0, 0, 1, 1, 2, 3, 3, 4};
    struct scale_node *host = &sim->nodes[node];
    snprintf(host->address.transport, sizeof host->address.transport, "tcp");
    snprintf(host->address.host, sizeof host->address.host, "%u.%u.1.1", 20 + node % 80, node / 80);
    host->address.port = 4000;
    host->region = regions[chance_below(sim, sizeof regions)];
    host->up_rate = host->down_rate = RATE_RELAY;
}

static void make_node(struct sim *sim, uint32_t node) {
    struct scale_node *host = &sim->nodes[node];
    make_place(sim, node);
    make_key(sim, &host->key, host->address.key.bytes);
    host->is_relay = node < sim->config.relays_count;
    disk_create(sim, node);
    if (!host->is_relay)
        make_person(sim, node);
    disk_close(sim, node);
}

void people_dial(struct sim *sim, uint32_t node, uint32_t to) {
    struct scale_node *host = &sim->nodes[node];
    bool is_new = node != to && host->dialled_count < DIALLED_MAX &&
                  !(sim->config.is_halved && (node ^ to) % 2 != 0);
    for (size_t i = 0; i < host->dialled_count; i++)
        is_new &= host->dialled[i] != to;
    if (is_new)
        host->dialled[host->dialled_count++] = to;
}

uint32_t people_pick_popular(struct sim *sim) {
    uint32_t relays = sim->config.relays_count, persons = sim->config.nodes_count - relays;
    if (sim->edges_count > 0 && chance_below(sim, 100) < POPULAR_PERCENT)
        return sim->edges[chance_below(sim, sim->edges_count)];
    return relays + (uint32_t)chance_below(sim, persons);
}

static void draw_follows(struct sim *sim, uint32_t node) {
    struct scale_node *host = &sim->nodes[node];
    uint32_t persons = sim->config.nodes_count - sim->config.relays_count;
    double least = sim->config.follows_mean * (FOLLOWS_ALPHA - 1) / FOLLOWS_ALPHA;
    double drawn = chance_pareto(sim, least, FOLLOWS_ALPHA);
    uint32_t count = drawn > persons / 4.0 ? persons / 4 : (uint32_t)(drawn + 0.5);
    for (uint32_t tries = 0; host->follows_count < count && tries < 4 * count; tries++) {
        uint32_t whom = people_pick_popular(sim);
        if (whom == node || person_follows(sim, node, whom))
            continue;
        list_put(&host->follows, &host->follows_count, &host->follows_max, whom);
        qsort(host->follows, host->follows_count, sizeof *host->follows, compare_numbers);
        struct scale_node *other = &sim->nodes[whom];
        list_put(&other->followers, &other->followers_count, &other->followers_max, node);
        if (sim->edges_count == sim->edges_max) {
            sim->edges_max = sim->edges_max == 0 ? 1024 : 2 * sim->edges_max;
            sim->edges = must(realloc(sim->edges, sim->edges_max * sizeof *sim->edges));
        }
        sim->edges[sim->edges_count++] = whom;
    }
}

/* Of one's own half, where there are two: who knew the relays of the other one alone would be in
 * neither. */
static uint32_t draw_relay(struct sim *sim, uint32_t node) {
    uint32_t relays = sim->config.relays_count;
    if (!sim->config.is_halved)
        return (uint32_t)chance_below(sim, relays);
    uint32_t half = node % 2, own = (relays + 1 - half) / 2;
    return own == 0 ? node : 2 * (uint32_t)chance_below(sim, own) + half;
}

static void draw_links(struct sim *sim, uint32_t node) {
    const struct scale_config *config = &sim->config;
    struct scale_node *host = &sim->nodes[node];
    unsigned relays = host->is_relay ? RELAYS_OF_RELAY : config->relays_dialled;
    if (config->is_halved && host->is_relay && node >= 2)
        people_dial(sim, node, node - 2); /* a half is in one piece before the halves are */
    for (unsigned i = 0; config->relays_count > 0 && i < relays; i++)
        people_dial(sim, node, draw_relay(sim, node));
    for (unsigned i = 0; host->follows_count > 0 && i < config->friends_dialled; i++)
        people_dial(sim, node, host->follows[chance_below(sim, host->follows_count)]);
}

void people_make(struct sim *sim) {
    uint32_t count = sim->config.nodes_count;
    memory_reserve(count);
    sim->nodes = must(calloc(count + sim->config.sybils_count, sizeof *sim->nodes));
    sim->logs_index_size = 16;
    while (sim->logs_index_size < 2 * (size_t)count)
        sim->logs_index_size *= 2;
    sim->logs_index = must(malloc(sim->logs_index_size * sizeof *sim->logs_index));
    memset(sim->logs_index, 0xff, sim->logs_index_size * sizeof *sim->logs_index);
    for (uint32_t i = 0; i < count; i++)
        make_node(sim, i);
    for (uint32_t i = count; i < count + sim->config.sybils_count; i++)
        make_place(sim, i);
    for (uint32_t i = sim->config.relays_count; i < count; i++)
        draw_follows(sim, i);
    for (uint32_t i = 0; i < count; i++)
        draw_links(sim, i);
}

void people_clear(struct sim *sim) {
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        host_kill(sim, i, true);
    for (uint32_t i = 0; i < sim->config.nodes_count + sim->config.sybils_count; i++) {
        struct scale_node *host = &sim->nodes[i];
        free(host->wires[0]);
        free(host->wires[1]);
        parley_disk_free(host->disk.disk);
        free(host->follows);
        free(host->followers);
        free(host->posts);
    }
    memory_release();
    free(sim->nodes);
    free(sim->logs_index);
    free(sim->edges);
}

/* --- asking -------------------------------------------------------------------------------- */

bool person_follows(const struct sim *sim, uint32_t node, uint32_t author) {
    const struct scale_node *host = &sim->nodes[node];
    return host->follows_count > 0 && bsearch(&author, host->follows, host->follows_count,
                                              sizeof *host->follows, compare_numbers) != NULL;
}

bool node_wants(const struct sim *sim, uint32_t node, uint32_t author) {
    return node != author && (sim->nodes[node].is_relay || person_follows(sim, node, author));
}

uint32_t people_pick_author(struct sim *sim) {
    for (unsigned tries = 0; tries < 1000; tries++) {
        uint32_t author = people_pick_popular(sim);
        if (sim->nodes[author].core != NULL)
            return author;
    }
    return NOBODY;
}

/* At home alone: nothing of it is published. */
void people_follow(struct sim *sim, uint32_t node, uint32_t author) {
    struct parley_event event = {.kind = PARLEY_EVENT_FOLLOW};
    event.follow.author = sim->nodes[author].author;
    event.follow.on = event.follow.is_private = true;
    (void)host_step(sim, node, &event);
}
