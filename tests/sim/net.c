#include "sim.h"

#include <stdlib.h>

/* A connection is two ways of pieces in order, each with a time of arrival. A partition and a
 * receiver that takes nothing stop a way; a lost connection breaks it anywhere in the stream. */

#define STALL_LOOK_MS   50u
#define BROKEN_AFTER_MS 1000u /* node.h: CLOSE fails within a second */
#define SOCKET_BYTES    (PARLEY_RECEIVE_BYTES_MAX + 65536u) /* what waits at a receiver at most */

static struct sim_wire *wire_add(struct sim *sim) {
    struct sim_net *net = &sim->net;
    if (net->wires_count == net->wires_max) {
        net->wires_max = net->wires_max == 0 ? 256 : net->wires_max * 2;
        net->wires = realloc(net->wires, net->wires_max * sizeof *net->wires);
    }
    struct sim_wire *wire = calloc(1, sizeof *wire);
    if (net->wires == NULL || wire == NULL)
        abort();
    net->wires[net->wires_count++] = wire;
    wire->since = sim->now;
    wire->delay_ms = 1 + (unsigned)sim_below(sim, sim_chance(sim, 4) ? 200 : 30);
    return wire;
}

/* The newest ones are those in use: looked at first. */
static struct sim_wire *wire_find(struct sim *sim, uint32_t node, parley_connection connection,
                                  unsigned *side, size_t *index) {
    for (size_t i = sim->net.wires_count; i-- > 0;)
        for (unsigned s = 0; s < 2; s++) {
            const struct sim_end *end = &sim->net.wires[i]->ends[s];
            if (end->is_attached && end->node == node && end->connection == connection &&
                end->life == sim->nodes[node].life) {
                *side = s;
                *index = i;
                return sim->net.wires[i];
            }
        }
    return NULL;
}

static void way_clear(struct sim_way *way) {
    while (way->first != NULL) {
        struct sim_piece *next = way->first->next;
        free(way->first);
        way->first = next;
    }
    way->last = NULL;
    way->bytes_count = 0;
}

static void end_clear(struct sim_end *end) {
    free(end->arrived);
    end->arrived = NULL;
    end->arrived_size = end->arrived_max = 0;
}

static bool is_cut(const struct sim *sim, const struct sim_wire *wire) {
    return !wire->is_stranger &&
           sim->net.side[wire->ends[0].node] != sim->net.side[wire->ends[1].node];
}

/* Each connection is told CLOSED once. */
static void end_closed(struct sim *sim, struct sim_wire *wire, unsigned side) {
    struct sim_end *end = &wire->ends[side];
    if (!end->is_attached)
        return;
    end->is_attached = false;
    end_clear(end);
    if (!host_is_alive(sim, end->node, end->life))
        return;
    bool was_dialled = side == 1 || wire->is_dialled;
    struct parley_event event = {.kind =
                                     was_dialled ? PARLEY_EVENT_CLOSED : PARLEY_EVENT_DIAL_FAILED};
    event.connection = end->connection;
    host_step(sim, end->node, &event);
}

/* --- arriving ------------------------------------------------------------------------------ */

/* Offers what has arrived until the node takes no more. */
static void offer(struct sim *sim, struct sim_wire *wire, unsigned side) {
    struct sim_end *end = &wire->ends[side];
    while (end->is_attached && end->arrived_size > 0) {
        size_t size = end->arrived_size;
        if (size > PARLEY_RECEIVE_BYTES_MAX)
            size = PARLEY_RECEIVE_BYTES_MAX;
        struct parley_event event = {.kind = PARLEY_EVENT_RECEIVED};
        event.received.connection = end->connection;
        event.received.bytes = PARLEY_SPAN(end->arrived, size);
        size_t consumed = host_step(sim, end->node, &event);
        if (consumed > size)
            sim_fail(sim, "n%u consumed more than it was given", end->node);
        end->arrived_size -= consumed;
        memmove(end->arrived, end->arrived + consumed, end->arrived_size);
        if (consumed == 0 || end->arrived_size < PARLEY_RECEIVE_BYTES_MAX)
            return;
    }
}

static void run_resume(struct sim *sim, struct sim_item *item) {
    unsigned side;
    size_t index;
    struct sim_wire *wire = wire_find(sim, item->node, item->number, &side, &index);
    if (wire != NULL)
        offer(sim, wire, side);
}

void net_resume(struct sim *sim, uint32_t node, parley_connection connection) {
    sim_put(sim, 0, node, run_resume, NULL, connection);
}

static void end_receive(struct sim *sim, struct sim_end *end, const struct sim_piece *piece) {
    if (end->arrived_size + piece->size > end->arrived_max) {
        end->arrived_max = (end->arrived_size + piece->size) * 2;
        end->arrived = realloc(end->arrived, end->arrived_max);
        if (end->arrived == NULL)
            abort();
    }
    memcpy(end->arrived + end->arrived_size, piece->bytes, piece->size);
    end->arrived_size += piece->size;
}

static void tell_sent(struct sim *sim, struct sim_wire *wire, unsigned from, size_t size) {
    struct sim_end *end = &wire->ends[from];
    if (!end->is_attached || !host_is_alive(sim, end->node, end->life))
        return;
    struct parley_event event = {.kind = PARLEY_EVENT_SENT};
    event.sent.connection = end->connection;
    event.sent.bytes_count = size;
    host_step(sim, end->node, &event);
}

static void piece_arrives(struct sim *sim, struct sim_wire *wire, unsigned from) {
    struct sim_way *way = &wire->ways[from];
    struct sim_piece *piece = way->first;
    struct sim_end *to = &wire->ends[1 - from];
    struct sim_puppet *puppet = from == 1 ? wire->puppet : NULL;
    way->first = piece->next;
    if (way->first == NULL)
        way->last = NULL;
    way->bytes_count -= piece->size;
    if (piece->is_end) {
        free(piece);
        end_closed(sim, wire, 1 - from);
        end_closed(sim, wire, from);
        return;
    }
    bool is_read = to->is_attached && host_is_alive(sim, to->node, to->life);
    if (is_read)
        end_receive(sim, to, piece);
    if (puppet != NULL)
        puppet_receive(sim, puppet, PARLEY_SPAN(piece->bytes, piece->size));
    size_t size = piece->size;
    free(piece);
    tell_sent(sim, wire, from, size);
    if (is_read)
        offer(sim, wire, 1 - from);
}

static void pump_later(struct sim *sim, size_t wire, unsigned from, parley_time_ms delay);

static void run_pump(struct sim *sim, struct sim_item *item) {
    size_t index = (size_t)(item->number >> 1);
    unsigned from = (unsigned)(item->number & 1);
    struct sim_wire *wire = sim->net.wires[index];
    struct sim_way *way = &wire->ways[from];
    way->is_pumping = false;
    if (wire->is_silent)
        return;
    while (way->first != NULL) {
        const struct sim_end *to = &wire->ends[1 - from];
        if (way->first->at > sim->now) {
            pump_later(sim, index, from, way->first->at - sim->now);
            return;
        }
        if (is_cut(sim, wire) || (to->is_attached && to->arrived_size > SOCKET_BYTES)) {
            pump_later(sim, index, from, STALL_LOOK_MS);
            return;
        }
        if (fault_hits(sim, FAULT_BACKPRESSURE, 1000)) {
            pump_later(sim, index, from, 200 + sim_below(sim, 6000));
            return;
        }
        piece_arrives(sim, wire, from);
    }
}

static void pump_later(struct sim *sim, size_t wire, unsigned from, parley_time_ms delay) {
    if (sim->net.wires[wire]->ways[from].is_pumping)
        return;
    sim->net.wires[wire]->ways[from].is_pumping = true;
    sim_put(sim, delay, SIM_NOBODY, run_pump, NULL, (uint64_t)wire << 1 | from);
}

/* --- sending ------------------------------------------------------------------------------- */

static void way_add(struct sim *sim, size_t index, unsigned from, struct parley_span bytes,
                    bool is_end) {
    struct sim_wire *wire = sim->net.wires[index];
    struct sim_way *way = &wire->ways[from];
    struct sim_piece *piece = malloc(sizeof *piece + bytes.size);
    if (piece == NULL)
        abort();
    parley_time_ms at = sim->now + wire->delay_ms + sim_below(sim, wire->delay_ms + 1);
    if (fault_hits(sim, FAULT_SLOW_PIECE, 300))
        at += 500 + sim_below(sim, 8000);
    if (at < way->last_at)
        at = way->last_at;
    way->last_at = at;
    *piece = (struct sim_piece){.at = at, .is_end = is_end, .size = bytes.size};
    if (bytes.size > 0)
        memcpy(piece->bytes, bytes.data, bytes.size);
    if (!is_end && !wire->is_stranger) {
        parley_time_ms *newest = &sim->net.newest_send_arrived[wire->ends[1 - from].node];
        if (at < *newest && sim->has_faults)
            fault_fired(sim, FAULT_REORDERED);
        if (at > *newest)
            *newest = at;
        if (bytes.size > 0 && fault_hits(sim, FAULT_BIT_FLIPPED, 1500)) {
            uint64_t bit = sim_below(sim, bytes.size * 8);
            piece->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            wire->is_tainted = true;
            trace_say(sim, "a bit flipped between n%u and n%u", wire->ends[0].node,
                      wire->ends[1].node);
        }
    }
    if (way->last == NULL)
        way->first = piece;
    else
        way->last->next = piece;
    way->last = piece;
    way->bytes_count += bytes.size;
    pump_later(sim, index, from, way->first->at > sim->now ? way->first->at - sim->now : 0);
}

void net_send(struct sim *sim, uint32_t node, parley_connection connection,
              struct parley_span bytes) {
    unsigned side;
    size_t index;
    struct sim_wire *wire = wire_find(sim, node, connection, &side, &index);
    if (wire == NULL)
        return; /* closed in the same step */
    if (wire->is_stranger && !wire->has_puppet)
        sim_fail(sim, "n%u answered a stranger who does not know its key", node);
    while (bytes.size > 1 && fault_hits(sim, FAULT_SPLIT, 4)) {
        size_t size = 1 + (size_t)sim_below(sim, bytes.size - 1);
        way_add(sim, index, side, PARLEY_SPAN(bytes.data, size), false);
        bytes = PARLEY_SPAN(bytes.data + size, bytes.size - size);
    }
    way_add(sim, index, side, bytes, false);
}

/* --- dialling ------------------------------------------------------------------------------ */

/* All are on the clear net, each node in a group of its own; who is nobody comes from anywhere. */
static struct parley_remote remote_of(struct sim *sim, uint32_t node) {
    struct parley_remote remote = {.network = PARLEY_NETWORK_CLEAR};
    bool is_ip = parley_ip_decode(&remote.ip,
                                  node == SIM_NOBODY ? "11.0.0.1" : sim->nodes[node].address.host);
    if (!is_ip)
        abort();
    if (node == SIM_NOBODY)
        parley_put_u32(remote.ip.bytes + 12, UINT32_C(11) << 24 | (uint32_t)sim_below(sim, 65536));
    return remote;
}

bool net_is_puppets(struct sim *sim, uint32_t node, parley_connection connection) {
    unsigned side;
    size_t index;
    const struct sim_wire *wire = wire_find(sim, node, connection, &side, &index);
    return wire != NULL && wire->is_stranger;
}

struct dial {
    uint32_t to;
    size_t wire;
};

static void run_dial_failed(struct sim *sim, struct sim_item *item) {
    struct parley_event event = {.kind = PARLEY_EVENT_DIAL_FAILED};
    event.connection = item->number;
    host_step(sim, item->node, &event);
}

static void run_dialled(struct sim *sim, struct sim_item *item) {
    struct sim_wire *wire = sim->net.wires[((struct dial *)item->data)->wire];
    if (!wire->ends[0].is_attached)
        return;
    wire->is_dialled = true;
    struct parley_event event = {.kind = PARLEY_EVENT_DIALLED};
    event.opened.connection = item->number;
    event.opened.remote = remote_of(sim, wire->ends[1].node);
    host_step(sim, item->node, &event);
}

static void run_arrived(struct sim *sim, struct sim_item *item) {
    struct dial *dial = item->data;
    struct sim_node *to = &sim->nodes[dial->to];
    bool is_reachable = to->core != NULL && sim->net.side[item->node] == sim->net.side[dial->to];
    if (!is_reachable || fault_hits(sim, FAULT_DIAL_FAILED, 6)) {
        sim_put(sim, sim_below(sim, is_reachable ? 50 : 3000), item->node, run_dial_failed, NULL,
                item->number);
        return;
    }
    struct sim_wire *wire = wire_add(sim);
    size_t index = sim->net.wires_count - 1;
    wire->ends[0] = (struct sim_end){
        .node = item->node, .life = item->life, .connection = item->number, .is_attached = true};
    wire->ends[1] = (struct sim_end){
        .node = dial->to, .life = to->life, .connection = to->next_accept, .is_attached = true};
    to->next_accept += 2;
    sim->net.met[item->node] |= UINT32_C(1) << dial->to;
    sim->net.met[dial->to] |= UINT32_C(1) << item->node;
    struct dial *kept = malloc(sizeof *kept);
    if (kept == NULL)
        abort();
    *kept = (struct dial){.to = dial->to, .wire = index};
    sim_put(sim, wire->delay_ms, item->node, run_dialled, kept, item->number);
    struct parley_event event = {.kind = PARLEY_EVENT_ACCEPTED};
    event.opened.connection = wire->ends[1].connection;
    event.opened.remote = remote_of(sim, item->node);
    host_step(sim, dial->to, &event);
}

void net_dial(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    if (!effect->dial.is_owners)
        fault_fired(sim, FAULT_LEARNED);
    for (uint32_t to = 0; to < sim->config.nodes_count; to++) {
        if (strcmp(sim->nodes[to].address.host, effect->dial.address.host) != 0)
            continue;
        struct dial *dial = malloc(sizeof *dial);
        if (dial == NULL)
            abort();
        *dial = (struct dial){.to = to};
        sim_put(sim, 1 + sim_below(sim, 30), node, run_arrived, dial, effect->dial.connection);
        return;
    }
    sim_fail(sim, "n%u dials %s, which is nobody", node, effect->dial.address.host);
}

/* --- the end ------------------------------------------------------------------------------- */

static void run_closed(struct sim *sim, struct sim_item *item) {
    size_t index = (size_t)(item->number >> 1);
    unsigned side = (unsigned)(item->number & 1);
    struct sim_wire *wire = sim->net.wires[index];
    if (!wire->ends[side].is_attached)
        return;
    /* What could not leave within a second never does; the other end hears of it when it can. */
    way_clear(&wire->ways[side]);
    end_closed(sim, wire, side);
    if (!wire->is_stranger)
        way_add(sim, index, side, PARLEY_NO_SPAN, true);
}

void net_close(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    unsigned side;
    size_t index;
    struct sim_wire *wire = wire_find(sim, node, effect->close.connection, &side, &index);
    if (wire == NULL)
        return;
    check_close(sim, node, wire, effect->close.reason);
    if (wire->ends[side].is_closing)
        sim_fail(sim, "n%u closes a connection twice", node);
    wire->ends[side].is_closing = true;
    if (!wire->is_stranger)
        way_add(sim, index, side, PARLEY_NO_SPAN, true);
    sim_put(sim, BROKEN_AFTER_MS, SIM_NOBODY, run_closed, NULL, (uint64_t)index << 1 | side);
}

/* A broken connection: what is on its way may still arrive in part, then both ends are told. */
static void wire_break(struct sim *sim, size_t index) {
    struct sim_wire *wire = sim->net.wires[index];
    for (unsigned side = 0; side < 2; side++) {
        struct sim_way *way = &wire->ways[side];
        size_t pieces = 0;
        for (struct sim_piece *piece = way->first; piece != NULL; piece = piece->next)
            pieces++;
        size_t kept = pieces == 0 ? 0 : (size_t)sim_below(sim, pieces + 1);
        if (kept < pieces && sim->has_faults)
            fault_fired(sim, FAULT_LOST_BYTES);
        if (kept == 0) {
            way_clear(way);
        } else {
            struct sim_piece *piece = way->first;
            for (size_t i = 1; i < kept; i++)
                piece = piece->next;
            struct sim_way rest = {.first = piece->next};
            way_clear(&rest);
            piece->next = NULL;
            way->last = piece;
        }
        way_add(sim, index, side, PARLEY_NO_SPAN, true);
    }
}

static bool is_breakable(const struct sim_wire *wire) {
    return !wire->is_stranger && !wire->is_silent && wire->is_dialled &&
           wire->ends[0].is_attached && wire->ends[1].is_attached;
}

static size_t choose_wire(struct sim *sim) {
    size_t count = 0, chosen;
    for (size_t i = 0; i < sim->net.wires_count; i++)
        count += is_breakable(sim->net.wires[i]);
    if (count == 0)
        return SIZE_MAX;
    chosen = (size_t)sim_below(sim, count);
    for (size_t i = 0; i < sim->net.wires_count; i++)
        if (is_breakable(sim->net.wires[i]) && chosen-- == 0)
            return i;
    return SIZE_MAX;
}

void net_lose_one(struct sim *sim) {
    size_t index = choose_wire(sim);
    if (index == SIZE_MAX)
        return;
    fault_fired(sim, FAULT_LOST_CONNECTION);
    trace_say(sim, "the connection of n%u and n%u is lost", sim->net.wires[index]->ends[0].node,
              sim->net.wires[index]->ends[1].node);
    wire_break(sim, index);
}

void net_silence_one(struct sim *sim) {
    size_t index = choose_wire(sim);
    if (index == SIZE_MAX)
        return;
    fault_fired(sim, FAULT_SILENT_CONNECTION);
    trace_say(sim, "the connection of n%u and n%u goes silent", sim->net.wires[index]->ends[0].node,
              sim->net.wires[index]->ends[1].node);
    sim->net.wires[index]->is_silent = true;
}

void net_node_died(struct sim *sim, uint32_t node) {
    for (size_t i = 0; i < sim->net.wires_count; i++) {
        struct sim_wire *wire = sim->net.wires[i];
        for (unsigned side = 0; side < 2; side++) {
            struct sim_end *end = &wire->ends[side];
            if (!end->is_attached || end->node != node)
                continue;
            end->is_attached = false;
            end_clear(end);
            if (!wire->is_stranger && !wire->is_silent)
                wire_break(sim, i);
        }
    }
}

/* --- strangers and puppets ------------------------------------------------------------------ */

/* A connection that nobody's node dialled. */
static size_t wire_from_nobody(struct sim *sim, uint32_t node, struct sim_puppet *puppet) {
    struct sim_node *to = &sim->nodes[node];
    struct sim_wire *wire = wire_add(sim);
    size_t index = sim->net.wires_count - 1;
    wire->is_stranger = wire->is_tainted = wire->is_dialled = true;
    wire->puppet = puppet;
    wire->has_puppet = puppet != NULL;
    wire->ends[0] = (struct sim_end){.node = SIM_NOBODY};
    wire->ends[1] = (struct sim_end){
        .node = node, .life = to->life, .connection = to->next_accept, .is_attached = true};
    to->next_accept += 2;
    struct parley_event event = {.kind = PARLEY_EVENT_ACCEPTED};
    event.opened.connection = wire->ends[1].connection;
    event.opened.remote = remote_of(sim, SIM_NOBODY);
    host_step(sim, node, &event);
    return index;
}

size_t net_puppet(struct sim *sim, uint32_t node, struct sim_puppet *puppet) {
    return sim->nodes[node].core == NULL ? SIZE_MAX : wire_from_nobody(sim, node, puppet);
}

void net_puppet_send(struct sim *sim, size_t wire, struct parley_span bytes) {
    way_add(sim, wire, 0, bytes, false);
}

bool net_puppet_is_open(const struct sim *sim, size_t wire) {
    const struct sim_end *end = &sim->net.wires[wire]->ends[1];
    return end->is_attached && !end->is_closing && host_is_alive(sim, end->node, end->life);
}

void net_puppet_close(struct sim *sim, size_t wire) {
    sim->net.wires[wire]->puppet = NULL;
    way_add(sim, wire, 0, PARLEY_NO_SPAN, true);
}

void net_stranger(struct sim *sim, uint32_t node) {
    if (sim->nodes[node].core == NULL)
        return;
    fault_fired(sim, FAULT_STRANGER);
    size_t index = wire_from_nobody(sim, node, NULL);
    uint8_t rubbish[512];
    parley_random_bytes(&sim->random, rubbish, sizeof rubbish);
    way_add(sim, index, 0, PARLEY_SPAN(rubbish, 1 + (size_t)sim_below(sim, sizeof rubbish)), false);
}

void net_clear(struct sim *sim) {
    for (size_t i = 0; i < sim->net.wires_count; i++) {
        struct sim_wire *wire = sim->net.wires[i];
        for (unsigned side = 0; side < 2; side++) {
            way_clear(&wire->ways[side]);
            end_clear(&wire->ends[side]);
        }
        free(wire);
    }
    free(sim->net.wires);
    sim->net = (struct sim_net){0};
}
