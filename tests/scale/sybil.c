#include "scale.h"

#include <parley/link.h>
#include <parley/log.h>
#include <stdlib.h>

/* Peers that are nobody: they dial honest nodes, relays above all, do the real handshake and speak
 * the real messages. Their numbers stand above those of the nodes. */

#define SYBIL_IN_MAX (2 * PARLEY_RECEIVE_BYTES_MAX)
#define AGAIN_MS     4000u
#define LIE_MS       1000u
#define FLOOD_MS     200u
#define STAYS_MS     2000u /* who is always another */
#define PLACES       4u
#define CUT_ONE_IN   50u
/* One of a stranger; most of the rest is what time adds to those that hardly say a word. */
#define ANSWERED_MOST 1.9

enum sybil_kind { SYBIL_SILENT, SYBIL_LIAR, SYBIL_FLOODER, SYBIL_STRANGER, SYBIL_KINDS };

struct scale_sybil {
    enum sybil_kind kind;
    uint32_t dials_count; /* a connection has the number 2 n + 1 */
    uint32_t target;
    bool is_linked, has_greeted;
    struct parley_secret_key secret;
    struct parley_node_key key;
    struct parley_link link;
    uint8_t *in;
    size_t in_size;
};

/* The newest push that any of them saw. */
static uint8_t seen[PARLEY_MESSAGE_BYTES_MAX];
static size_t seen_size;

static struct scale_sybil *sybil_of(const struct sim *sim, uint32_t node) {
    return &sim->sybils[node - sim->config.nodes_count];
}

static parley_connection connection_of(const struct scale_sybil *sybil) {
    return 2 * (parley_connection)sybil->dials_count + 1;
}

/* --- saying -------------------------------------------------------------------------------- */

static void say(struct sim *sim, uint32_t node, const struct parley_wire_message *message) {
    static uint8_t plain[PARLEY_MESSAGE_BYTES_MAX], sealed[PARLEY_LINK_SEALED_MAX];
    struct scale_sybil *sybil = sybil_of(sim, node);
    struct parley_writer writer;
    struct parley_span bytes;
    size_t size;
    if (!sybil->is_linked || sybil->link.state != PARLEY_LINK_OPEN)
        return;
    parley_writer_init(&writer, plain, sizeof plain);
    parley_wire_encode(&writer, message);
    if (parley_writer_finish(&writer, &bytes) != PARLEY_E_OK ||
        parley_link_seal(&sybil->link, sealed, sizeof sealed, &size, bytes) != PARLEY_E_OK)
        abort();
    net_send(sim, node, connection_of(sybil), PARLEY_SPAN(sealed, size));
}

static void say_hello(struct sim *sim, uint32_t node) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_HELLO};
    message.as.hello.version = PARLEY_WIRE_VERSION;
    message.as.hello.features = PARLEY_WIRE_SERVES_RUNS | PARLEY_WIRE_TREE;
    message.as.hello.node_key = sybil_of(sim, node)->key;
    say(sim, node, &message);
}

static void say_interest(struct sim *sim, uint32_t node) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_INTEREST};
    message.as.interest.mode = PARLEY_INTEREST_EVERYTHING;
    say(sim, node, &message);
}

/* Entries of real logs that are nowhere. */
static void lie(struct sim *sim, uint32_t node) {
    uint8_t buffer[PLACES * 80];
    struct parley_wire_message message = {.type = PARLEY_WIRE_ANNOUNCE};
    struct parley_writer writer;
    parley_writer_init(&writer, buffer, sizeof buffer);
    for (unsigned i = 0; i < PLACES; i++) {
        struct parley_wire_place place = {.seq = 1 + chance_below(sim, 1000)};
        place.log = sim->nodes[people_pick_popular(sim)].log;
        parley_random_bytes(&sim->random, place.id.bytes, sizeof place.id.bytes);
        parley_wire_put_place(&writer, &place);
    }
    message.as.announce.places = parley_wire_list_of(&writer, PLACES);
    say(sim, node, &message);
}

/* What everybody has, now and then cut short; and asking for everything. A bit flipped would not be
 * spoilt here: signatures are not checked. */
static void flood(struct sim *sim, uint32_t node) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_PUSH};
    if (seen_size > 0) {
        size_t cut = chance_below(sim, CUT_ONE_IN) == 0;
        message.as.push.chunk = PARLEY_SPAN(seen, seen_size - cut);
        say(sim, node, &message);
    }
    message = (struct parley_wire_message){.type = PARLEY_WIRE_ASK_HEADS};
    say(sim, node, &message);
}

/* --- coming and going ---------------------------------------------------------------------- */

static void run_dial(struct sim *sim, struct sim_item *item) {
    uint32_t node = (uint32_t)item->number;
    struct scale_sybil *sybil = sybil_of(sim, node);
    struct parley_effect effect = {.kind = PARLEY_EFFECT_DIAL};
    uint32_t relays = sim->config.relays_count;
    bool is_relay = relays > 0 && chance_below(sim, 2) == 0;
    sybil->target = (uint32_t)chance_below(sim, is_relay ? relays : sim->config.nodes_count);
    sybil->dials_count++;
    if (sybil->kind == SYBIL_STRANGER) {
        struct parley_seed seed;
        parley_random_bytes(&sim->random, seed.bytes, sizeof seed.bytes);
        parley_key_pair(&sybil->secret, sybil->key.bytes, &seed);
    }
    effect.dial.connection = connection_of(sybil);
    effect.dial.address = sim->nodes[sybil->target].address;
    net_dial(sim, node, &effect);
}

static void dial_later(struct sim *sim, uint32_t node) {
    sim_put(sim, AGAIN_MS / 4 + chance_below(sim, AGAIN_MS), NOBODY, run_dial, NULL, node);
}

static void run_act(struct sim *sim, struct sim_item *item) {
    struct scale_sybil *sybil = sybil_of(sim, item->node);
    if (!sybil->is_linked || item->number != sybil->dials_count)
        return;
    parley_time_ms again = sybil->kind == SYBIL_LIAR ? LIE_MS : FLOOD_MS;
    if (sybil->kind == SYBIL_LIAR)
        lie(sim, item->node);
    else if (sybil->kind == SYBIL_FLOODER)
        flood(sim, item->node);
    else if (sybil->kind == SYBIL_STRANGER)
        net_close(sim, item->node, connection_of(sybil));
    if (sybil->kind == SYBIL_LIAR || sybil->kind == SYBIL_FLOODER)
        sim_put(sim, again, item->node, run_act, NULL, item->number);
}

static void on_dialled(struct sim *sim, uint32_t node) {
    struct scale_sybil *sybil = sybil_of(sim, node);
    struct parley_link_chance chance;
    uint8_t prelude[PARLEY_PRELUDE_BYTES_DEFAULT], flight[PARLEY_LINK_FLIGHT_MAX];
    size_t size;
    parley_link_chance_draw(&chance, &sim->random);
    parley_link_prelude_draw(prelude, sizeof prelude, &sim->random);
    if (parley_link_init_dialler(&sybil->link, &sybil->secret,
                                 &sim->nodes[sybil->target].address.key, &chance,
                                 PARLEY_SPAN(prelude, sizeof prelude)) != PARLEY_E_OK ||
        parley_link_start(&sybil->link, flight, &size) != PARLEY_E_OK)
        abort();
    sybil->is_linked = true;
    sybil->has_greeted = false;
    sybil->in_size = 0;
    net_send(sim, node, connection_of(sybil), PARLEY_SPAN(flight, size));
}

static void on_message(struct sim *sim, uint32_t node, struct parley_span bytes) {
    struct scale_sybil *sybil = sybil_of(sim, node);
    struct parley_wire_message message;
    if (!sybil->has_greeted) {
        sybil->has_greeted = true;
        say_interest(sim, node);
        sim_put(sim, sybil->kind == SYBIL_STRANGER ? STAYS_MS : chance_below(sim, LIE_MS), node,
                run_act, NULL, sybil->dials_count);
    }
    if (sybil->kind == SYBIL_SILENT || parley_wire_decode(&message, bytes).error != PARLEY_E_OK)
        return;
    if (message.type == PARLEY_WIRE_PING) {
        message.type = PARLEY_WIRE_PONG;
        say(sim, node, &message);
    } else if (message.type == PARLEY_WIRE_PUSH) {
        seen_size = message.as.push.chunk.size;
        memcpy(seen, message.as.push.chunk.data, seen_size);
    }
}

static void on_received(struct sim *sim, uint32_t node, struct parley_span bytes) {
    static uint8_t scratch[PARLEY_MESSAGE_BYTES_MAX];
    struct scale_sybil *sybil = sybil_of(sim, node);
    if (!sybil->is_linked || sybil->in_size + bytes.size > SYBIL_IN_MAX)
        return;
    memcpy(sybil->in + sybil->in_size, bytes.data, bytes.size);
    sybil->in_size += bytes.size;
    size_t at = 0;
    while (at < sybil->in_size && sybil->is_linked) {
        struct parley_link_step step;
        bool was_open = sybil->link.state == PARLEY_LINK_OPEN;
        if (parley_link_receive(&sybil->link, NULL,
                                PARLEY_SPAN(sybil->in + at, sybil->in_size - at), scratch,
                                &step) != PARLEY_E_OK ||
            step.consumed == 0)
            break;
        at += step.consumed;
        if (step.flight_size > 0)
            net_send(sim, node, connection_of(sybil), PARLEY_SPAN(step.flight, step.flight_size));
        if (!was_open && sybil->link.state == PARLEY_LINK_OPEN)
            say_hello(sim, node);
        if (step.message.size > 0)
            on_message(sim, node, step.message);
    }
    sybil->in_size -= at;
    memmove(sybil->in, sybil->in + at, sybil->in_size);
}

size_t sybil_step(struct sim *sim, uint32_t node, const struct parley_event *event) {
    struct scale_sybil *sybil = sybil_of(sim, node);
    sealed_begin();
    if (event->kind == PARLEY_EVENT_DIALLED) {
        on_dialled(sim, node);
    } else if (event->kind == PARLEY_EVENT_RECEIVED) {
        on_received(sim, node, event->received.bytes);
        return event->received.bytes.size;
    } else if (event->kind == PARLEY_EVENT_CLOSED || event->kind == PARLEY_EVENT_DIAL_FAILED) {
        if (sybil->is_linked)
            parley_link_close(&sybil->link);
        sybil->is_linked = false;
        dial_later(sim, node);
    }
    return 0;
}

void sybils_make(struct sim *sim) {
    uint32_t count = sim->config.sybils_count;
    sim->sybils = must(calloc(count + 1, sizeof *sim->sybils));
    seen_size = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct parley_seed seed;
        sim->sybils[i].kind = (enum sybil_kind)(i % SYBIL_KINDS);
        sim->sybils[i].in = must(malloc(SYBIL_IN_MAX));
        parley_random_bytes(&sim->random, seed.bytes, sizeof seed.bytes);
        parley_key_pair(&sim->sybils[i].secret, sim->sybils[i].key.bytes, &seed);
    }
}

void sybils_begin(struct sim *sim) {
    for (uint32_t i = 0; i < sim->config.sybils_count; i++)
        sim_put(sim, chance_below(sim, 20000), NOBODY, run_dial, NULL, sim->config.nodes_count + i);
}

void sybils_clear(struct sim *sim) {
    for (uint32_t i = 0; i < sim->config.sybils_count; i++)
        free(sim->sybils[i].in);
    free(sim->sybils);
}

/* --- the world ----------------------------------------------------------------------------- */

static void judge_sybil(struct sim *sim) {
    const struct scale_phase *calm = &sim->phases[1], *beset = &sim->phases[2];
    bound_below(sim, "share of interested nodes reached",
                (double)beset->reached / (double)beset->pairs, 1);
    bound(sim, "p99 delay, times that of the calm",
          (double)beset->delay_ms.p99 / calm->delay_ms.p99, 6);
    bound(sim, "honest peers closed for a fault by honest ones", (double)sim->closed_for_fault, 0);
    bound(sim, "bytes that a node touches, most", (double)sim->memory_touched_max, 64.0 * 1048576);
    bound(sim, "bytes of answers to sybils, for each of theirs",
          (double)sim->sybils_answered / (double)sim->sybils_sent, ANSWERED_MOST);
    bound(sim, "bytes to sybils beside entries, for each of theirs",
          (double)sim->sybils_told / (double)sim->sybils_sent, 2);
    figure(sim, "sybils closed for a fault", (double)sim->sybils_closed);
    figure(sim, "bytes of sybils", (double)sim->sybils_sent);
    figure(sim, "bytes to sybils, for each of theirs",
           (double)sim->sybils_received / (double)sim->sybils_sent);
}

void run_sybil(struct sim *sim) {
    settle(sim);
    phase_begin(sim, "calm");
    posts_schedule(sim, sim->config.posts, 60000);
    run_for(sim, 70000);
    phase_end(sim);
    sybils_begin(sim);
    run_for(sim, 30000);
    phase_begin(sim, "beset");
    posts_schedule(sim, sim->config.posts, 60000);
    run_for(sim, 120000);
    phase_end(sim);
    memory_measure(sim);
    sim->judge = judge_sybil;
}
