#include "scale.h"

#include <sys/resource.h>
#include <time.h>

/* One JSON object. What the machine decides (times, resident memory) stands under "machine": the
 * rest is the same for a seed. */

static const char *type_name(unsigned type) {
    switch (type) {
    case PARLEY_WIRE_HELLO:
        return "hello";
    case PARLEY_WIRE_PING:
        return "ping";
    case PARLEY_WIRE_GOODBYE:
        return "goodbye";
    case PARLEY_WIRE_PONG:
        return "pong";
    case PARLEY_WIRE_INTEREST:
        return "interest";
    case PARLEY_WIRE_ADDRESSES:
        return "addresses";
    case PARLEY_WIRE_INVITE:
        return "invite";
    case PARLEY_WIRE_WELCOME:
        return "welcome";
    case PARLEY_WIRE_INTEREST_CHANGE:
        return "interest change";
    case PARLEY_WIRE_HEADS:
        return "heads";
    case PARLEY_WIRE_ASK_RUN:
        return "ask run";
    case PARLEY_WIRE_RUN:
        return "run";
    case PARLEY_WIRE_ASK_BODIES:
        return "ask bodies";
    case PARLEY_WIRE_BODIES:
        return "bodies";
    case PARLEY_WIRE_PUSH:
        return "push";
    case PARLEY_WIRE_ANNOUNCE:
        return "announce";
    case PARLEY_WIRE_ASK_IDENTITY:
        return "ask identity";
    case PARLEY_WIRE_IDENTITY:
        return "identity";
    case PARLEY_WIRE_EVIDENCE:
        return "evidence";
    case PARLEY_WIRE_ASK_HEADS:
        return "ask heads";
    case PARLEY_WIRE_PRUNE:
        return "prune";
    case PARLEY_WIRE_GRAFT:
        return "graft";
    default:
        return NULL;
    }
}

static void put_spread(FILE *out, const char *name, const struct scale_spread *spread,
                       double scale) {
    fprintf(out,
            "\"%s\": {\"count\": %llu, \"mean\": %.3f, \"p50\": %.9g, \"p90\": %.9g, \"p99\": %.9g,"
            " \"max\": %.9g}",
            name, (unsigned long long)spread->count, spread->mean * scale, spread->p50 * scale,
            spread->p90 * scale, spread->p99 * scale, spread->max * scale);
}

static void put_traffic(FILE *out, const struct scale_traffic *traffic) {
    const char *comma = "";
    fprintf(out, "\"wire_bytes\": %llu, \"traffic\": {", (unsigned long long)traffic->wire_bytes);
    for (unsigned i = 0; i < TYPES_MAX; i++) {
        if (traffic->messages[i] == 0)
            continue;
        char number[32];
        const char *name = type_name(i);
        snprintf(number, sizeof number, "type %u", i);
        fprintf(out, "%s\"%s\": {\"messages\": %llu, \"bytes\": %llu, \"payload\": %llu}", comma,
                name == NULL ? number : name, (unsigned long long)traffic->messages[i],
                (unsigned long long)traffic->bytes[i], (unsigned long long)traffic->payload[i]);
        comma = ", ";
    }
    fprintf(out, "}");
}

static void put_ways(FILE *out, const char *name, const uint64_t counts[WAYS_COUNT]) {
    const char *comma = "";
    fprintf(out, "\"%s\": {", name);
    for (unsigned way = 0; way < WAYS_COUNT; way++) {
        if (counts[way] == 0)
            continue;
        fprintf(out, "%s\"%s %s to %s%s\": %llu", comma, way & WAY_PULLED ? "run" : "push",
                way & WAY_FROM_PERSON ? "person" : "relay",
                way & WAY_TO_PERSON ? "person" : "relay", way & WAY_SLOW ? ", slow" : "",
                (unsigned long long)counts[way]);
        comma = ", ";
    }
    fprintf(out, "}");
}

static void put_phase(FILE *out, const struct scale_phase *phase) {
    double pairs = phase->pairs == 0 ? 1 : (double)phase->pairs;
    fprintf(out, "  {\"name\": \"%s\", \"from_s\": %.3f, \"until_s\": %.3f, \"posts\": %llu,\n",
            phase->name, (double)phase->from / 1000, (double)phase->until / 1000,
            (unsigned long long)phase->posts);
    fprintf(out,
            "   \"pairs\": %llu, \"reached\": %llu, \"reached_share\": %.6f, "
            "\"reached_share_worst_post\": %.6f,\n   ",
            (unsigned long long)phase->pairs, (unsigned long long)phase->reached,
            phase->pairs == 0 ? 1.0 : (double)phase->reached / pairs, phase->reached_worst);
    put_spread(out, "delay_ms", &phase->delay_ms, 1);
    fprintf(out, ",\n   ");
    put_spread(out, "late_ms", &phase->late_ms, 1);
    fprintf(out, ",\n   ");
    put_spread(out, "hops", &phase->hops, 1);
    fprintf(out, ",\n   ");
    put_spread(out, "copies_by_node", &phase->copies_permille, 0.001);
    fprintf(out, ",\n   ");
    put_ways(out, "copies_again", phase->again);
    fprintf(out, ",\n   ");
    put_ways(out, "of_these_crossed", phase->crossed);
    fprintf(out, ",\n   ");
    put_ways(out, "late", phase->late);
    fprintf(out, ",\n   \"control_bytes_per_post\": %.1f,\n   ", phase->control_bytes_per_post);
    put_traffic(out, &phase->traffic);
    fprintf(out, "}");
}

static bool holds(const struct scale_bound *bound) {
    return bound->is_minimum ? bound->value >= bound->limit : bound->value <= bound->limit;
}

static bool put_bounds(struct sim *sim, FILE *out) {
    bool all = true;
    fprintf(out, " \"bounds\": [");
    for (unsigned i = 0; i < sim->bounds_count; i++) {
        const struct scale_bound *bound = &sim->bounds[i];
        all &= holds(bound);
        fprintf(out, "%s\n  {\"what\": \"%s\", \"value\": %.6g, \"%s\": %.6g, \"holds\": %s}",
                i == 0 ? "" : ",", bound->what, bound->value,
                bound->is_minimum ? "at_least" : "at_most", bound->limit,
                holds(bound) ? "true" : "false");
    }
    fprintf(out, "],\n \"figures\": {");
    for (unsigned i = 0; i < sim->figures_count; i++)
        fprintf(out, "%s\"%s\": %.6g", i == 0 ? "" : ", ", sim->figures[i].what,
                sim->figures[i].value);
    fprintf(out, "},\n");
    return all;
}

static void put_machine(const struct sim *sim, FILE *out) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
                 (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double wall = (double)(now.tv_sec - sim->wall_began.tv_sec) +
                  (double)(now.tv_nsec - sim->wall_began.tv_nsec) / 1e9;
    fprintf(out,
            " \"machine\": {\"cpu_s\": %.2f, \"wall_s\": %.2f, \"node_allocated_bytes\": %zu, "
            "\"node_touched_bytes_mean\": %zu, \"node_touched_bytes_max\": %zu, "
            "\"process_bytes_max\": %zu}}\n",
            cpu, wall, sim->memory_allocated, sim->memory_touched_mean, sim->memory_touched_max,
            (size_t)usage.ru_maxrss * 1024);
}

bool report(struct sim *sim, FILE *out) {
    const struct scale_config *config = &sim->config;
    phases_count(sim);
    fprintf(out,
            "{\"scenario\": \"%s\", \"seed\": %llu, \"nodes\": %u, \"relays\": %u, "
            "\"follows_mean\": %u, \"slow_percent\": %u, \"flooding\": %s,\n",
            sim->scenario, (unsigned long long)config->seed, config->nodes_count,
            config->relays_count, config->follows_mean, config->slow_percent,
            config->is_flooding ? "true" : "false");
    fprintf(out,
            " \"simulated_s\": %.3f, \"steps\": %llu, \"events\": %llu, \"connections\": %llu, "
            "\"departures\": %llu, \"warnings\": %llu, \"closed_for_fault\": %llu,\n",
            (double)sim->now / 1000, (unsigned long long)sim->steps,
            (unsigned long long)sim->queue.order, (unsigned long long)sim->wires_count,
            (unsigned long long)sim->departures, (unsigned long long)sim->warnings,
            (unsigned long long)sim->closed_for_fault);
    fprintf(out, " \"phases\": [\n");
    for (unsigned i = 0; i < sim->phases_count; i++) {
        put_phase(out, &sim->phases[i]);
        fprintf(out, i + 1 < sim->phases_count ? ",\n" : "],\n");
    }
    if (sim->judge != NULL)
        sim->judge(sim);
    bool all = put_bounds(sim, out);
    put_machine(sim, out);
    return all;
}
