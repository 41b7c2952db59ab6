#include "scale.h"

#include <parley/wire.h>
#include <stdlib.h>

/* Connections: what is sent leaves through the sender's line, then travels, then comes in through
 * the receiver's. The lines of a node are shared by all its connections; a slow link has a line of
 * its own as well. What the receiver does not take stays unsent for the sender, as with TCP. */

#define SLOW_RATE    64u    /* bytes a millisecond */
#define SENT_TOLD    32768u /* what has left is told in pieces of this: windows are sixteen of it */
#define SENT_TOLD_MS 5000u  /* and no later: who takes nothing is closed */
#define DIAL_LOST_MS 3000u

static const uint16_t rtt_ms[5][5] = {{24, 85, 145, 220, 200},
                                      {85, 20, 65, 200, 120},
                                      {145, 65, 20, 130, 180},
                                      {220, 200, 130, 60, 290},
                                      {200, 120, 180, 290, 30}};

static uint32_t draw_way(struct sim *sim, uint32_t a, uint32_t b) {
    double rtt = rtt_ms[sim->nodes[a].region][sim->nodes[b].region] * chance_log_normal(sim, 0.3);
    rtt = rtt < 10 ? 10 : rtt > 300 ? 300 : rtt;
    return (uint32_t)(rtt / 2);
}

/* --- finding ------------------------------------------------------------------------------- */

static void wire_put(struct scale_node *host, parley_connection connection,
                     struct scale_wire *wire) {
    size_t at = (size_t)(connection / 2), kind = connection & 1;
    if (at >= host->wires_max[kind]) {
        size_t size = host->wires_max[kind] == 0 ? 8 : host->wires_max[kind];
        while (size <= at)
            size *= 2;
        host->wires[kind] = must(realloc(host->wires[kind], size * sizeof(struct scale_wire *)));
        memset(host->wires[kind] + host->wires_max[kind], 0,
               (size - host->wires_max[kind]) * sizeof(struct scale_wire *));
        host->wires_max[kind] = size;
    }
    host->wires[kind][at] = wire;
}

static struct scale_wire *wire_find(const struct scale_node *host, parley_connection connection) {
    size_t at = (size_t)(connection / 2), kind = connection & 1;
    return at < host->wires_max[kind] ? host->wires[kind][at] : NULL;
}

static unsigned end_of(const struct scale_wire *wire, uint32_t node, parley_connection connection) {
    return wire->ends[0].node == node && wire->ends[0].connection == connection ? 0 : 1;
}

uint32_t net_other(const struct sim *sim, uint32_t node, parley_connection connection) {
    const struct scale_wire *wire = wire_find(&sim->nodes[node], connection);
    return wire == NULL ? NOBODY : wire->ends[!end_of(wire, node, connection)].node;
}

/* --- the end ------------------------------------------------------------------------------- */

struct telling {
    struct scale_wire *wire;
    unsigned end;
};

static void tell_closed(struct sim *sim, struct scale_wire *wire, unsigned end) {
    struct scale_end *at = &wire->ends[end];
    if (!at->is_told)
        return;
    at->is_told = false;
    free(at->arrived);
    at->arrived = NULL;
    at->arrived_size = at->arrived_max = 0;
    wire_put(&sim->nodes[at->node], at->connection, NULL);
    struct parley_event event = {.kind = PARLEY_EVENT_CLOSED};
    event.connection = at->connection;
    (void)host_step(sim, at->node, &event);
}

static void run_closed(struct sim *sim, struct sim_item *item) {
    const struct telling *telling = item->data;
    tell_closed(sim, telling->wire, telling->end);
}

static void closed_later(struct sim *sim, struct scale_wire *wire, unsigned end,
                         parley_time_ms delay) {
    struct telling *telling = must(malloc(sizeof *telling));
    *telling = (struct telling){wire, end};
    sim_put(sim, delay, wire->ends[end].node, run_closed, telling, 0);
}

/* --- arriving ------------------------------------------------------------------------------ */

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

struct arriving {
    struct scale_wire *wire;
    unsigned to;
    bool is_in; /* through the receiver's line */
    struct scale_piece piece;
};

static void tell_now(struct sim *sim, struct scale_end *end) {
    struct parley_event event = {.kind = PARLEY_EVENT_SENT};
    event.sent.connection = end->connection;
    event.sent.bytes_count = end->untold_bytes;
    end->untold_bytes = 0;
    if (event.sent.bytes_count > 0 && end->is_told)
        (void)host_step(sim, end->node, &event);
}

static void run_tell_sent(struct sim *sim, struct sim_item *item) {
    const struct telling *telling = item->data;
    telling->wire->ends[telling->end].is_telling = false;
    tell_now(sim, &telling->wire->ends[telling->end]);
}

static void tell_sent(struct sim *sim, struct scale_wire *wire, unsigned from, size_t bytes) {
    struct scale_end *end = &wire->ends[from];
    end->untold_bytes += bytes;
    if (end->untold_bytes >= SENT_TOLD)
        tell_now(sim, end);
    if (end->untold_bytes == 0 || end->is_telling || !end->is_told)
        return;
    struct telling *telling = must(malloc(sizeof *telling));
    *telling = (struct telling){wire, from};
    end->is_telling = true;
    sim_put(sim, SENT_TOLD_MS, end->node, run_tell_sent, telling, 0);
}

static size_t offer_once(struct sim *sim, struct scale_end *end, const uint8_t *bytes,
                         size_t size) {
    struct parley_event event = {.kind = PARLEY_EVENT_RECEIVED};
    event.received.connection = end->connection;
    event.received.bytes =
        PARLEY_SPAN(bytes, size < PARLEY_RECEIVE_BYTES_MAX ? size : PARLEY_RECEIVE_BYTES_MAX);
    return host_step(sim, end->node, &event);
}

static void keep(struct scale_end *end, const uint8_t *bytes, size_t size) {
    if (end->arrived_size + size > end->arrived_max) {
        end->arrived_max = 2 * (end->arrived_size + size);
        end->arrived = must(realloc(end->arrived, end->arrived_max));
    }
    memcpy(end->arrived + end->arrived_size, bytes, size);
    end->arrived_size += size;
}

/* The node may close the connection while it takes. */
static void offer_kept(struct sim *sim, struct scale_wire *wire, unsigned to) {
    struct scale_end *end = &wire->ends[to];
    uint32_t life = end->life;
    while (end->is_told && end->arrived_size > 0 && sim->nodes[end->node].life == life) {
        size_t taken = offer_once(sim, end, end->arrived, end->arrived_size);
        if (taken == 0 || end->arrived == NULL)
            return;
        end->arrived_size -= taken;
        memmove(end->arrived, end->arrived + taken, end->arrived_size);
        tell_sent(sim, wire, !to, taken);
    }
}

static void take(struct sim *sim, const struct arriving *arriving) {
    struct scale_wire *wire = arriving->wire;
    struct scale_end *end = &wire->ends[arriving->to];
    const struct scale_piece *piece = &arriving->piece;
    if (piece->is_end) {
        tell_closed(sim, wire, arriving->to);
        return;
    }
    post_on_arrived(sim, wire, arriving->to, &piece->load);
    size_t taken = 0, step;
    bool waits = end->arrived_size > 0;
    while (!waits && taken < piece->size && end->is_told &&
           (step = offer_once(sim, end, piece->bytes + taken, piece->size - taken)) > 0)
        taken += step;
    tell_sent(sim, wire, !arriving->to, taken);
    if (taken == piece->size || !end->is_told)
        return;
    keep(end, piece->bytes + taken, piece->size - taken);
    if (waits)
        offer_kept(sim, wire, arriving->to);
}

static void run_arrived(struct sim *sim, struct sim_item *item) {
    struct arriving *arriving = item->data;
    struct scale_end *end = &arriving->wire->ends[arriving->to];
    struct scale_node *host = &sim->nodes[end->node];
    if (arriving->wire->is_silent || !end->is_told)
        return;
    if (!arriving->is_in) {
        uint64_t us = (uint64_t)arriving->piece.size * 1000 / host->down_rate;
        host->down_free_us = later(host->down_free_us, sim->now * 1000) + us;
        arriving->is_in = true;
        parley_time_ms at = host->down_free_us / 1000;
        if (at > sim->now || end->waiting_count > 0) { /* in order, behind what waits already */
            end->waiting_count++;
            item->data = NULL;
            sim_put(sim, at - sim->now, item->node, run_arrived, arriving, 1);
            return;
        }
    }
    end->waiting_count -= item->number;
    take(sim, arriving);
}

static void run_resume(struct sim *sim, struct sim_item *item) {
    struct scale_wire *wire = wire_find(&sim->nodes[item->node], item->number);
    if (wire != NULL)
        offer_kept(sim, wire, end_of(wire, item->node, item->number));
}

/* Not from within the step that asks for it. */
void net_resume(struct sim *sim, uint32_t node, parley_connection connection) {
    sim_put(sim, 0, node, run_resume, NULL, connection);
}

/* --- sending ------------------------------------------------------------------------------- */

/* When it is at the receiver's line, in ms. */
static parley_time_ms arrival_of(struct sim *sim, struct scale_wire *wire, unsigned from,
                                 size_t size) {
    struct scale_node *sender = &sim->nodes[wire->ends[from].node];
    struct scale_end *end = &wire->ends[from];
    uint64_t at = sim->now * 1000, wide = (uint64_t)size * 1000;
    at = sender->up_free_us = later(at, sender->up_free_us) + wide / sender->up_rate;
    if (wire->is_slow)
        at = end->free_us = later(at, end->free_us) + wide / SLOW_RATE;
    uint64_t way = wire->way_ms + (wire->is_slow ? SLOW_WAY_MS : 0);
    at += way * 1000 + chance_below(sim, 1 + way * 100);
    parley_time_ms ms = (at + 999) / 1000;
    if (ms < end->last_at)
        ms = end->last_at;
    end->last_at = ms;
    return ms;
}

static void put_piece(struct sim *sim, struct scale_wire *wire, unsigned from,
                      struct parley_span bytes, const struct scale_load *load) {
    struct arriving *arriving = must(malloc(sizeof *arriving + bytes.size));
    *arriving =
        (struct arriving){.wire = wire,
                          .to = !from,
                          .piece = {.load = *load, .is_end = bytes.size == 0, .size = bytes.size}};
    if (bytes.size > 0)
        memcpy(arriving->piece.bytes, bytes.data, bytes.size);
    parley_time_ms at = arrival_of(sim, wire, from, bytes.size);
    sim_put(sim, at - sim->now, wire->ends[!from].node, run_arrived, arriving, 0);
}

void net_send(struct sim *sim, uint32_t node, parley_connection connection,
              struct parley_span bytes) {
    struct scale_wire *wire = wire_find(&sim->nodes[node], connection);
    struct scale_load load = {.author = NOBODY, .type = TYPES_MAX - 1};
    bool is_message = sealed_find(bytes.data, &load);
    if (node >= sim->config.nodes_count) {
        sim->sybils_sent += bytes.size;
        is_message = false;
    } else {
        sim->traffic.wire_bytes += bytes.size;
    }
    if (is_message) {
        sim->traffic.messages[load.type]++;
        sim->traffic.bytes[load.type] += bytes.size;
        sim->traffic.payload[load.type] += load.payload_bytes;
    }
    if (wire == NULL)
        return;
    if (wire->ends[!end_of(wire, node, connection)].node >= sim->config.nodes_count)
        sim->sybils_received += bytes.size;
    if (wire->ends[!end_of(wire, node, connection)].node >= sim->config.nodes_count &&
        load.author == NOBODY) {
        bool is_asked = load.type == PARLEY_WIRE_HEADS || load.type == PARLEY_WIRE_PONG ||
                        load.type == PARLEY_WIRE_RECONCILE;
        sim->sybils_answered += is_asked ? bytes.size : 0;
        sim->sybils_told += bytes.size;
    }
    if ((wire->ends[0].node ^ wire->ends[1].node) % 2 != 0) {
        sim->crossed_bytes += bytes.size;
        sim->crossed_payload += load.payload_bytes;
    }
    put_piece(sim, wire, end_of(wire, node, connection), bytes, &load);
}

void net_close(struct sim *sim, uint32_t node, parley_connection connection) {
    struct scale_wire *wire = wire_find(&sim->nodes[node], connection);
    if (wire == NULL)
        return;
    unsigned from = end_of(wire, node, connection);
    struct scale_end *end = &wire->ends[from];
    if (end->is_closing)
        return;
    end->is_closing = true;
    if (!wire->is_silent)
        put_piece(sim, wire, from, PARLEY_NO_SPAN, &(struct scale_load){.author = NOBODY});
    closed_later(sim, wire, from, 1);
}

void net_node_died(struct sim *sim, uint32_t node, bool in_silence) {
    struct scale_node *host = &sim->nodes[node];
    for (unsigned kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < host->wires_max[kind]; i++) {
            struct scale_wire *wire = host->wires[kind][i];
            if (wire == NULL)
                continue;
            unsigned end = wire->ends[0].node == node ? 0 : 1;
            wire->ends[end].is_told = false;
            wire->is_silent |= in_silence;
            if (!in_silence)
                closed_later(sim, wire, !end, wire->way_ms);
        }
        free(host->wires[kind]);
        host->wires[kind] = NULL;
        host->wires_max[kind] = 0;
    }
}

/* --- dialling ------------------------------------------------------------------------------ */

struct dialling {
    uint32_t to;
    parley_connection connection;
    uint32_t way_ms;
};

static void run_dial_failed(struct sim *sim, struct sim_item *item) {
    struct parley_event event = {.kind = PARLEY_EVENT_DIAL_FAILED};
    event.connection = item->number;
    (void)host_step(sim, item->node, &event);
}

static struct parley_remote remote_of(const struct sim *sim, uint32_t node) {
    struct parley_remote remote = {.network = PARLEY_NETWORK_CLEAR};
    if (!parley_ip_decode(&remote.ip, sim->nodes[node].address.host))
        abort();
    return remote;
}

static void run_dialled(struct sim *sim, struct sim_item *item) {
    const struct dialling *dialling = item->data;
    struct scale_node *from = &sim->nodes[item->node], *to = &sim->nodes[dialling->to];
    if (to->core == NULL) {
        sim_put(sim, to->is_gone ? DIAL_LOST_MS : 0, item->node, run_dial_failed, NULL,
                dialling->connection);
        return;
    }
    struct scale_wire *wire = must(calloc(1, sizeof *wire));
    wire->next = sim->wires;
    sim->wires = wire;
    sim->wires_count++;
    wire->way_ms = dialling->way_ms;
    wire->is_slow = chance_below(sim, 100) < sim->config.slow_percent;
    wire->since = sim->now;
    wire->ends[0] = (struct scale_end){.node = item->node,
                                       .life = from->life,
                                       .connection = dialling->connection,
                                       .is_told = true};
    wire->ends[1] = (struct scale_end){
        .node = dialling->to, .life = to->life, .connection = to->next_accept, .is_told = true};
    to->next_accept += 2;
    wire_put(from, wire->ends[0].connection, wire);
    wire_put(to, wire->ends[1].connection, wire);
    struct parley_event event = {.kind = PARLEY_EVENT_ACCEPTED};
    event.opened.connection = wire->ends[1].connection;
    event.opened.remote = remote_of(sim, item->node);
    (void)host_step(sim, dialling->to, &event);
    event = (struct parley_event){.kind = PARLEY_EVENT_DIALLED};
    event.opened.connection = dialling->connection;
    event.opened.remote = remote_of(sim, dialling->to);
    (void)host_step(sim, item->node, &event);
}

void net_dial(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    struct dialling *dialling = must(malloc(sizeof *dialling));
    uint32_t to = people_at(sim, effect->dial.address.host);
    uint32_t way = to == NOBODY ? 0 : draw_way(sim, node, to);
    *dialling = (struct dialling){to, effect->dial.connection, way};
    if (to == NOBODY) {
        free(dialling);
        sim_put(sim, DIAL_LOST_MS, node, run_dial_failed, NULL, effect->dial.connection);
        return;
    }
    sim_put(sim, 2 * way, node, run_dialled, dialling, 0);
}

void net_clear(struct sim *sim) {
    while (sim->wires != NULL) {
        struct scale_wire *wire = sim->wires;
        sim->wires = wire->next;
        free(wire->ends[0].arrived);
        free(wire->ends[1].arrived);
        free(wire);
    }
}
