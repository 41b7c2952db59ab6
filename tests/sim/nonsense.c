#include "sim.h"

#include <stdlib.h>

/* What a hostile peer says of its own accord: pieces as pushes and evidence, claims, asks, and what
 * the wire allows and makes no sense. */

#define EVIDENCE_ENTRIES 40u

static uint8_t chunk_buffer[PARLEY_CHUNK_BUFFER_SIZE];

static void push(struct sim *sim, struct sim_puppet *puppet) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_PUSH};
    const struct sim_piece_made *piece = piece_any_entry(sim, SIM_NOBODY);
    /* Most of them are no fault: a peer that is closed at once does no harm. */
    if (piece == NULL || (!piece->is_signed && !sim_chance(sim, 10)))
        return;
    message.as.push.chunk = piece_chunk(sim, piece, 1, !sim_chance(sim, 4), chunk_buffer);
    fault_fired(sim, BAD_PEER_PUSH);
    (void)puppet_send(sim, puppet, &message);
}

static void show_evidence(struct sim *sim, struct sim_puppet *puppet) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_EVIDENCE};
    const struct sim_piece_made *piece = piece_any_entry(sim, SIM_NOBODY);
    if (piece == NULL || (!piece->is_signed && !sim_chance(sim, 10)))
        return;
    message.as.evidence.log = sim->logs[piece->log].log;
    size_t count = 1 + (size_t)sim_below(sim, EVIDENCE_ENTRIES);
    message.as.evidence.chunk = piece_chunk(sim, piece, count, sim_chance(sim, 4), chunk_buffer);
    fault_fired(sim, BAD_PEER_EVIDENCE);
    (void)puppet_send(sim, puppet, &message);
}

/* An entry that honest nodes have, as if it had just come. */
static void push_honest(struct sim *sim, struct sim_puppet *puppet) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_PUSH};
    struct sim_log *log = &sim->logs[sim_below(sim, sim->logs_count)];
    struct parley_store *store = log->host == SIM_NOBODY ? NULL : sim->nodes[log->host].disk.store;
    if (store == NULL || log->known_highest == 0)
        return;
    parley_seq seq = 1 + sim_below(sim, log->known_highest);
    if (parley_store_read_run(store, &log->log, seq, seq, true, PARLEY_CHUNK_BYTES_MAX,
                              chunk_buffer, &message.as.push.chunk) != PARLEY_E_OK)
        return;
    check_given(sim, log->host, message.as.push.chunk);
    fault_fired(sim, BAD_PEER_PUSH);
    (void)puppet_send(sim, puppet, &message);
}

static void ask(struct sim *sim, struct sim_puppet *puppet) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_RUN};
    const struct sim_piece_made *piece = piece_any_entry(sim, SIM_NOBODY);
    uint8_t author[64];
    struct parley_writer writer;
    parley_writer_init(&writer, author, sizeof author);
    uint64_t drawn = sim_below(sim, 5);
    struct parley_wire_ask_run *run = &message.as.ask_run;
    run->request = puppet->requests_count++;
    run->log = sim->logs[sim_below(sim, sim->logs_count)].log;
    run->bodies = sim_chance(sim, 2);
    run->bytes_max = 1 + sim_below(sim, 1u << 20);
    if (drawn == 0 && piece != NULL) {
        run->log = sim->logs[piece->log].log;
        run->kind = PARLEY_RUN_ANCHORED;
        run->top_seq = piece->entry.header.seq;
        run->top_id = piece->entry.id;
        run->down_seq = sim_below(sim, run->top_seq);
    } else if (drawn == 1) {
        message = (struct parley_wire_message){.type = PARLEY_WIRE_ASK_HEADS};
    } else if (drawn == 2) {
        message = (struct parley_wire_message){.type = PARLEY_WIRE_ASK_IDENTITY};
        parley_wire_put_author(&writer, &sim->authors[sim_below(sim, sim->authors_count)].author);
        message.as.ask_identity.authors = parley_wire_list_of(&writer, 1);
    } else if (drawn == 3) {
        struct parley_log log = run->log;
        message = (struct parley_wire_message){.type = PARLEY_WIRE_ASK_BODIES};
        message.as.ask_bodies.log = log;
        message.as.ask_bodies.low_seq = 1 + sim_below(sim, 4);
        message.as.ask_bodies.top_seq = message.as.ask_bodies.low_seq + sim_below(sim, 6);
    }
    fault_fired(sim, BAD_PEER_ASKS);
    (void)puppet_send(sim, puppet, &message);
}

static void announce(struct sim *sim, struct sim_puppet *puppet) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ANNOUNCE};
    const struct sim_piece_made *piece = piece_any_entry(sim, SIM_NOBODY);
    uint8_t bytes[128];
    struct parley_writer writer;
    if (piece == NULL)
        return;
    struct parley_wire_place place = {sim->logs[piece->log].log,
                                      piece->entry.header.seq + sim_below(sim, 3), piece->entry.id};
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_place(&writer, &place);
    message.as.announce.places = parley_wire_list_of(&writer, 1);
    (void)puppet_send(sim, puppet, &message);
}

static void babble(struct sim *sim, struct sim_puppet *puppet) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_PING};
    const struct sim_piece_made *piece = piece_any_entry(sim, SIM_NOBODY);
    fault_fired(sim, BAD_PEER_NONSENSE);
    switch (sim_below(sim, 6)) {
    case 0: /* a run that nobody asked for */
        message.type = PARLEY_WIRE_RUN;
        message.as.run.request = sim_below(sim, 1000);
        message.as.run.last = piece == NULL || sim_chance(sim, 2);
        message.as.run.chunk = PARLEY_NO_SPAN;
        if (piece != NULL)
            message.as.run.chunk = piece_chunk(sim, piece, 5, true, chunk_buffer);
        break;
    case 1:
        message.type = PARLEY_WIRE_BODIES;
        message.as.bodies.request = sim_below(sim, 1000);
        message.as.bodies.last = true;
        message.as.bodies.log = sim->logs[sim_below(sim, sim->logs_count)].log;
        message.as.bodies.bodies = (struct parley_wire_list){0};
        break;
    case 2:
        message.type = PARLEY_WIRE_PONG;
        message.as.pong.token = sim_below(sim, 1000);
        break;
    case 3:
        message.type = PARLEY_WIRE_INTEREST;
        message.as.interest.mode = PARLEY_INTEREST_NOTHING;
        message.as.interest.authors = (struct parley_wire_list){0};
        break;
    case 4: /* of the tree, as it comes to mind */
        message.type = sim_chance(sim, 2) ? PARLEY_WIRE_PRUNE : PARLEY_WIRE_GRAFT;
        message.as.prune.buckets =
            sim_chance(sim, 2) ? UINT64_MAX : UINT64_C(1) << sim_below(sim, PARLEY_GOSSIP_BUCKETS);
        break;
    default:
        message.as.ping.token = sim_below(sim, UINT32_MAX);
    }
    (void)puppet_send(sim, puppet, &message);
}

void nonsense_act(struct sim *sim, struct sim_puppet *puppet) {
    switch (sim_below(sim, 14)) {
    case 12:
    case 13:
        if (sim->enabled[BAD_PEER_SESSION])
            talker_act(sim, puppet);
        return;
    case 0:
    case 1:
        if (sim->enabled[BAD_PEER_RECORDS])
            puppet_send_records(sim, puppet, (uint32_t)sim_below(sim, sim->authors_count));
        return;
    case 2:
    case 3:
    case 4:
        if (sim->enabled[BAD_PEER_PUSH])
            push(sim, puppet);
        return;
    case 5:
        if (sim->enabled[BAD_PEER_PUSH])
            push_honest(sim, puppet);
        return;
    case 6:
        if (sim->enabled[BAD_PEER_EVIDENCE])
            show_evidence(sim, puppet);
        return;
    case 7:
    case 8:
        if (sim->enabled[BAD_PEER_HEADS])
            puppet_send_heads(sim, puppet, 0);
        return;
    case 9:
        ask(sim, puppet);
        return;
    case 10:
        announce(sim, puppet);
        return;
    default:
        if (sim->enabled[BAD_PEER_NONSENSE])
            babble(sim, puppet);
    }
}
