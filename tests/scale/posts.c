#include "scale.h"

#include <parley/body.h>
#include <stdlib.h>

/* Who posts when, and who has got it. */

#define TEXT_MEDIAN    120.0
#define TEXT_BYTES_MAX (POST_BYTES_MAX - 96)
#define SETTLED_MS     10000u /* a node that runs for so long has its links */
#define LINK_OLD_MS    5000u  /* a link that is older has told what it has */

struct parley_span post_body(struct sim *sim, uint8_t *bytes, size_t size_max) {
    static struct parley_body body;
    static char text[TEXT_BYTES_MAX];
    double drawn = TEXT_MEDIAN * chance_log_normal(sim, 0.8);
    size_t size = drawn > TEXT_BYTES_MAX ? TEXT_BYTES_MAX : (size_t)drawn + 1;
    for (size_t i = 0; i < size; i++)
        text[i] = (char)('a' + (i * 7 + sim->posts_count) % 26);
    body = (struct parley_body){.kind = PARLEY_BODY_POST};
    body.post.text = PARLEY_SPAN(text, size);
    struct parley_span span;
    if (parley_body_encode(&span, bytes, size_max, &body) != PARLEY_E_OK)
        abort();
    return span;
}

void post_now(struct sim *sim, uint32_t author) {
    static uint8_t bytes[POST_BYTES_MAX];
    struct parley_event event = {.kind = PARLEY_EVENT_PUBLISH};
    event.publish.body = post_body(sim, bytes, sizeof bytes);
    if (sim->posts_count == sim->posts_max) {
        sim->posts_max = sim->posts_max == 0 ? 256 : 2 * sim->posts_max;
        sim->posts = must(realloc(sim->posts, sim->posts_max * sizeof *sim->posts));
    }
    sim->posts[sim->posts_count++] = (struct scale_post){
        .author = author,
        .at = sim->now,
        .phase = sim->phases_count - 1,
        .is_early = sim->nodes[author].up_since + SETTLED_MS > sim->now,
        .size = (uint32_t)event.publish.body.size,
        .arrivals = must(calloc(sim->config.nodes_count, sizeof(struct scale_arrival)))};
    event.publish.request = sim->posts_count;
    (void)host_step(sim, author, &event);
}

static void run_post(struct sim *sim, struct sim_item *item) {
    uint32_t author = people_pick_author(sim);
    if (author != NOBODY)
        post_now(sim, author);
}

void posts_schedule(struct sim *sim, unsigned count, parley_time_ms duration) {
    for (unsigned i = 0; i < count; i++)
        sim_put(sim, chance_below(sim, duration), NOBODY, run_post, NULL, 0);
}

/* --- arriving ------------------------------------------------------------------------------ */

static struct scale_post *post_find(struct sim *sim, uint32_t author, parley_seq seq) {
    const struct scale_node *host = &sim->nodes[author];
    bool is_known = seq > 0 && seq <= host->posts_count && host->posts[seq - 1] != NOBODY;
    return is_known ? &sim->posts[host->posts[seq - 1]] : NULL;
}

void post_on_reply(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    struct scale_node *host = &sim->nodes[node];
    parley_request request = effect->reply.request;
    if (request == 0 || request > sim->posts_count || effect->reply.error != PARLEY_E_OK)
        return;
    parley_seq seq = effect->reply.seq;
    if (seq > host->posts_max) {
        host->posts_max = host->posts_max == 0 ? 8 : host->posts_max;
        while (host->posts_max < seq)
            host->posts_max *= 2;
        host->posts = must(realloc(host->posts, host->posts_max * sizeof *host->posts));
    }
    while (host->posts_count < seq)
        host->posts[host->posts_count++] = NOBODY;
    host->posts[seq - 1] = (uint32_t)request - 1;
    sim->posts[request - 1].seq = seq;
}

void post_on_show(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    uint32_t author = person_of_log(sim, &effect->show.log);
    if (author == NOBODY || author == node)
        return;
    for (parley_seq seq = effect->show.seq_low; seq <= effect->show.seq_high; seq++) {
        struct scale_post *post = post_find(sim, author, seq);
        if (post == NULL || post->arrivals[node].after_ms != 0)
            continue;
        struct scale_arrival *arrival = &post->arrivals[node];
        arrival->after_ms = (uint32_t)(sim->now - post->at) + 1;
        arrival->was_away = post->is_early || sim->nodes[node].up_since + SETTLED_MS > post->at;
    }
}

static uint8_t way_of(const struct sim *sim, const struct scale_wire *wire, uint32_t from,
                      uint32_t node, const struct scale_load *load) {
    return (uint8_t)((load->type == PARLEY_WIRE_PUSH ? 0 : WAY_PULLED) |
                     (wire->is_slow ? WAY_SLOW : 0) |
                     (sim->nodes[from].is_relay ? 0 : WAY_FROM_PERSON) |
                     (sim->nodes[node].is_relay ? 0 : WAY_TO_PERSON));
}

/* What was here, or on its way. crossed: the sender could not have heard of that. */
static void count_again(struct sim *sim, const struct scale_post *post, uint32_t node,
                        const struct scale_wire *wire, uint8_t way) {
    struct scale_phase *phase = &sim->phases[post->phase];
    const struct scale_arrival *arrival = &post->arrivals[node];
    parley_time_ms there_and_back = 2 * (wire->way_ms + (wire->is_slow ? SLOW_WAY_MS : 0));
    phase->again[way]++;
    phase->crossed[way] +=
        arrival->after_ms == 0 || sim->now - post->at <= arrival->after_ms + there_and_back;
}

void post_on_arrived(struct sim *sim, const struct scale_wire *wire, unsigned to,
                     const struct scale_load *load) {
    uint32_t node = wire->ends[to].node, from = wire->ends[!to].node;
    if (load->author == NOBODY || node >= sim->config.nodes_count)
        return;
    uint8_t way = way_of(sim, wire, from, node, load);
    for (parley_seq seq = load->low; seq <= load->high; seq++) {
        struct scale_post *post = post_find(sim, load->author, seq);
        if (post == NULL)
            continue;
        struct scale_arrival *arrival = &post->arrivals[node];
        arrival->copies += arrival->copies < UINT8_MAX;
        if (arrival->copies > 1 || node == load->author) {
            count_again(sim, post, node, wire, way);
        } else if (from < sim->config.nodes_count) {
            arrival->hops = (uint8_t)(post->arrivals[from].hops + 1);
            arrival->from = (uint16_t)from;
            arrival->way = way;
        }
    }
}

/* --- who must have it ---------------------------------------------------------------------- */

/* Marks who wants it and is connected with somebody who has it, through such as want it. */
static void reach(struct sim *sim, const struct scale_post *post, uint8_t *is_reached,
                  uint32_t *stack) {
    size_t count = 0;
    uint32_t nodes = sim->config.nodes_count;
    memset(is_reached, 0, nodes);
    for (uint32_t i = 0; i < nodes; i++) {
        bool has = i == post->author || post->arrivals[i].after_ms != 0;
        is_reached[i] = has && sim->nodes[i].core != NULL;
        if (is_reached[i])
            stack[count++] = i;
    }
    while (count > 0) {
        const struct scale_node *host = &sim->nodes[stack[--count]];
        for (unsigned kind = 0; kind < 2; kind++)
            for (size_t i = 0; i < host->wires_max[kind]; i++) {
                const struct scale_wire *wire = host->wires[kind][i];
                if (wire == NULL || wire->is_silent || !wire->ends[0].is_told ||
                    !wire->ends[1].is_told || wire->since + LINK_OLD_MS > sim->now)
                    continue;
                uint32_t other = wire->ends[&sim->nodes[wire->ends[0].node] == host].node;
                if (is_reached[other] || !node_wants(sim, other, post->author))
                    continue;
                is_reached[other] = 1;
                stack[count++] = other;
            }
    }
}

struct scale_missing posts_missing(struct sim *sim, parley_time_ms from, parley_time_ms until) {
    struct scale_missing missing = {0};
    uint32_t nodes = sim->config.nodes_count;
    uint8_t *is_reached = must(malloc(nodes));
    uint32_t *stack = must(malloc(nodes * sizeof *stack));
    for (size_t p = 0; p < sim->posts_count; p++) {
        const struct scale_post *post = &sim->posts[p];
        if (post->seq == 0 || post->at < from || post->at > until)
            continue;
        reach(sim, post, is_reached, stack);
        for (uint32_t i = 0; i < nodes; i++) {
            if (sim->nodes[i].core == NULL || !node_wants(sim, i, post->author))
                continue;
            bool has = post->arrivals[i].after_ms != 0;
            missing.wanted++;
            missing.had += has;
            missing.missed += !has && is_reached[i];
            missing.cut_off += !is_reached[i];
        }
    }
    free(is_reached);
    free(stack);
    return missing;
}

void posts_clear(struct sim *sim) {
    for (size_t i = 0; i < sim->posts_count; i++)
        free(sim->posts[i].arrivals);
    free(sim->posts);
}
