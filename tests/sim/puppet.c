#include "sim.h"

#include <stdlib.h>

/* A hostile peer: it dials a node, does the real handshake, and speaks the real messages. It knows
 * every piece there is, forgets some of them at a whim, and answers asks with what suits it. What
 * it is shown of honest logs must stand on the disk of who showed it. */

#define ACT_MS       400u
#define ACTS_MAX     30u
#define RECORDS_ONCE 20u /* in one message */
#define ANSWERS_MAX  4u  /* chunks to one ask */

static uint8_t items_buffer[PUPPET_ITEMS_SIZE], list_buffer[PUPPET_ITEMS_SIZE];
static uint8_t chunk_buffer[PARLEY_CHUNK_BUFFER_SIZE];

/* --- sending ------------------------------------------------------------------------------- */

bool puppet_send(struct sim *sim, struct sim_puppet *puppet,
                 const struct parley_wire_message *message) {
    static uint8_t plain[PARLEY_MESSAGE_BYTES_MAX], sealed[PARLEY_LINK_SEALED_MAX];
    struct parley_writer writer;
    struct parley_span bytes;
    size_t size;
    if (puppet->wire == SIZE_MAX || puppet->link.state != PARLEY_LINK_OPEN ||
        !net_puppet_is_open(sim, puppet->wire))
        return false;
    parley_writer_init(&writer, plain, sizeof plain);
    parley_wire_encode(&writer, message);
    if (parley_writer_finish(&writer, &bytes) != PARLEY_E_OK)
        return true; /* larger than a message: not said */
    if (parley_link_seal(&puppet->link, sealed, sizeof sealed, &size, bytes) != PARLEY_E_OK)
        abort();
    net_puppet_send(sim, puppet->wire, PARLEY_SPAN(sealed, size));
    return true;
}

void puppet_send_records(struct sim *sim, struct sim_puppet *puppet, uint32_t author) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_IDENTITY};
    struct parley_writer writer;
    size_t count = 0, all = sim->pieces_count, from = all == 0 ? 0 : (size_t)sim_below(sim, all);
    parley_writer_init(&writer, list_buffer, sizeof list_buffer / 2);
    for (size_t i = 0; i < all && count < RECORDS_ONCE; i++) {
        const struct sim_piece_made *piece = &sim->pieces[(from + i) % all];
        if (!piece->is_record || piece->author != author || sim_below(sim, 10) < puppet->omits)
            continue;
        parley_wire_put_record(&writer, piece->record);
        count++;
    }
    if (count == 0 || writer.overflowed)
        return;
    message.as.identity.records = parley_wire_list_of(&writer, count);
    fault_fired(sim, BAD_PEER_RECORDS);
    (void)puppet_send(sim, puppet, &message);
}

/* A claim about the log: that some made entry is its head. */
static bool put_claim(struct sim *sim, struct sim_puppet *puppet, struct parley_writer *writer,
                      uint32_t log) {
    const struct sim_piece_made *piece = piece_any_entry(sim, log);
    if (piece == NULL || sim_below(sim, 10) < puppet->omits)
        return false;
    struct parley_wire_head head = {.log = sim->logs[log].log,
                                    .seq = piece->entry.header.seq,
                                    .id = piece->entry.id,
                                    .low_seq = 1 + sim_below(sim, piece->entry.header.seq)};
    if (sim_chance(sim, 4))
        head.forked_seq = head.seq + 1 + sim_below(sim, 3);
    if (sim_chance(sim, 8))
        head.low_seq = 0;
    parley_wire_put_head(writer, &head);
    return true;
}

void puppet_send_heads(struct sim *sim, struct sim_puppet *puppet, uint64_t session) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_HEADS};
    struct parley_writer items;
    size_t count = 0;
    parley_writer_init(&items, items_buffer, sizeof items_buffer / 2);
    for (uint32_t author = 0; author < sim->authors_count; author++) {
        struct parley_wire_author_heads item = {.author = sim->authors[author].author};
        struct parley_writer heads;
        size_t heads_count = 0;
        parley_writer_init(&heads, list_buffer, sizeof list_buffer);
        for (uint32_t log = 0; log < sim->logs_count; log++)
            if (sim->logs[log].author == author)
                heads_count += put_claim(sim, puppet, &heads, log);
        if (heads_count == 0)
            continue;
        parley_random_bytes(&sim->random, item.set_hash, sizeof item.set_hash);
        item.heads = parley_wire_list_of(&heads, heads_count);
        parley_wire_put_author_heads(&items, &item);
        count++;
    }
    message.as.heads.session = session;
    message.as.heads.last = !sim_chance(sim, 4);
    message.as.heads.authors = parley_wire_list_of(&items, count);
    fault_fired(sim, BAD_PEER_HEADS);
    (void)puppet_send(sim, puppet, &message);
}

/* --- answering ----------------------------------------------------------------------------- */

static void send_run(struct sim *sim, struct sim_puppet *puppet, uint64_t request, bool last,
                     struct parley_span chunk) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_RUN};
    message.as.run.request = request;
    message.as.run.last = last || chunk.size == 0;
    message.as.run.chunk = chunk;
    (void)puppet_send(sim, puppet, &message);
}

/* Now and then without the words: they must come from others then. */
static struct parley_span headers_alone(struct sim *sim, struct parley_span bytes) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_chunk chunk;
    struct parley_span out;
    if (!sim_chance(sim, 3) || parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK ||
        parley_chunk_slice(&out, buffer, sizeof buffer, &chunk, chunk.seq_first,
                           parley_chunk_seq_last(&chunk), false) != PARLEY_E_OK)
        return bytes;
    fault_fired(sim, BAD_PEER_WORDLESS);
    return out;
}

/* What the thief never saw it takes from who has it: the home of the log. */
static struct parley_span chunk_of_home(struct sim *sim, const struct sim_log *log,
                                        const struct parley_anchor *top, parley_seq down) {
    struct parley_span chunk;
    struct parley_store *store = log->host == SIM_NOBODY ? NULL : sim->nodes[log->host].disk.store;
    if (store == NULL || top->seq <= down ||
        parley_store_read_run(store, &log->log, top->seq, down + 1, true, PARLEY_CHUNK_BYTES_MAX,
                              chunk_buffer, &chunk) != PARLEY_E_OK)
        return PARLEY_NO_SPAN;
    check_given(sim, log->host, chunk);
    return headers_alone(sim, chunk);
}

static const struct sim_piece_made *top_for(struct sim *sim, uint32_t log,
                                            const struct parley_wire_ask_run *ask) {
    if (ask->kind == PARLEY_RUN_ANCHORED)
        return piece_of_id(sim, &ask->top_id);
    for (unsigned i = 0; i < 4; i++) {
        const struct sim_piece_made *piece = piece_any_entry(sim, log);
        if (piece != NULL && (piece->is_signed || sim_chance(sim, 8)))
            return piece;
    }
    return NULL;
}

struct parley_span puppet_run(struct sim *sim, struct sim_puppet *puppet, uint32_t log,
                              uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE]) {
    const struct sim_piece_made *piece = piece_any_entry(sim, log);
    if (piece == NULL || (!piece->is_signed && !sim_chance(sim, 8)) ||
        sim_below(sim, 10) < puppet->omits)
        return PARLEY_NO_SPAN;
    bool has_bodies = !sim_chance(sim, 4); /* two draws in one call come in either order */
    size_t count = 1 + (size_t)sim_below(sim, 20);
    return piece_chunk(sim, piece, count, has_bodies, buffer);
}

static void answer_run(struct sim *sim, struct sim_puppet *puppet,
                       const struct parley_wire_ask_run *ask) {
    uint32_t log = log_of(sim, &ask->log);
    if (sim_below(sim, 10) < puppet->omits || log == SIM_NOBODY) {
        fault_fired(sim, BAD_PEER_REFUSES);
        if (sim_chance(sim, 2))
            send_run(sim, puppet, ask->request, true, PARLEY_NO_SPAN);
        return;
    }
    const struct sim_piece_made *top = top_for(sim, log, ask);
    struct parley_anchor home = {ask->top_seq, ask->top_id};
    fault_fired(sim, BAD_PEER_RUN);
    for (unsigned i = 0; i < ANSWERS_MAX; i++) {
        struct parley_span chunk;
        struct parley_chunk decoded;
        bool last = i + 1 == ANSWERS_MAX || sim_chance(sim, 4);
        if (top != NULL)
            chunk =
                piece_chunk(sim, top, 1 + (size_t)sim_below(sim, 600), ask->bodies, chunk_buffer);
        else
            chunk = chunk_of_home(sim, &sim->logs[log], &home, ask->down_seq);
        if (chunk.size == 0 || parley_chunk_decode(&decoded, chunk).error != PARLEY_E_OK) {
            send_run(sim, puppet, ask->request, true, PARLEY_NO_SPAN);
            return;
        }
        last |= decoded.seq_first <= ask->down_seq + 1;
        send_run(sim, puppet, ask->request, last, chunk);
        home = (struct parley_anchor){decoded.seq_first - 1, decoded.prev_first};
        top = piece_of_id(sim, &home.id);
        if (last)
            return;
    }
}

static void answer_identity(struct sim *sim, struct sim_puppet *puppet,
                            struct parley_wire_list authors) {
    struct parley_author author;
    while (parley_wire_next_author(&authors, &author)) {
        uint32_t index = author_of(sim, &author);
        if (index != SIM_NOBODY)
            puppet_send_records(sim, puppet, index);
    }
    puppet_send_heads(sim, puppet, 1);
}

/* --- what it is shown ---------------------------------------------------------------------- */

static void look_at_chunk(struct sim *sim, const struct sim_puppet *puppet,
                          struct parley_span bytes) {
    struct parley_chunk chunk;
    struct parley_chunk_cursor cursor;
    struct parley_entry entry;
    if (bytes.size == 0)
        return;
    if (parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK)
        sim_fail(sim, "n%u sends a chunk that does not decode", puppet->node);
    parley_chunk_start(&cursor, &chunk);
    while (parley_chunk_next(&cursor, &entry))
        check_shown(sim, puppet->node, &chunk.log, entry.header.seq, &entry.id);
}

static void look_at_runs(struct sim *sim, const struct sim_puppet *puppet,
                         struct parley_wire_list runs) {
    struct parley_wire_run run;
    while (parley_wire_next_run(&runs, &run))
        look_at_chunk(sim, puppet, run.chunk);
}

static void look_at_heads(struct sim *sim, struct sim_puppet *puppet,
                          struct parley_wire_list authors) {
    struct parley_wire_author_heads item;
    struct parley_wire_head head;
    while (parley_wire_next_author_heads(&authors, &item)) {
        uint32_t author = author_of(sim, &item.author);
        if (author != SIM_NOBODY)
            memcpy(puppet->set_hashes[author], item.set_hash, sizeof item.set_hash);
        while (parley_wire_next_head(&item.heads, &head))
            if (head.low_seq != 0 && head.seq != 0)
                check_shown(sim, puppet->node, &head.log, head.seq, &head.id);
    }
}

static void look_at_places(struct sim *sim, const struct sim_puppet *puppet,
                           struct parley_wire_list places) {
    struct parley_wire_place place;
    while (parley_wire_next_place(&places, &place))
        check_shown(sim, puppet->node, &place.log, place.seq, &place.id);
}

static void on_message(struct sim *sim, struct sim_puppet *puppet, struct parley_span bytes) {
    struct parley_wire_message message;
    if (parley_wire_decode(&message, bytes).error != PARLEY_E_OK)
        sim_fail(sim, "n%u sends a message that does not decode", puppet->node);
    if (message.type == PARLEY_WIRE_ASK_RUN)
        answer_run(sim, puppet, &message.as.ask_run);
    else if (message.type == PARLEY_WIRE_ASK_IDENTITY)
        answer_identity(sim, puppet, message.as.ask_identity.authors);
    else if (message.type == PARLEY_WIRE_ASK_HEADS)
        puppet_send_heads(sim, puppet, message.as.ask_heads.session);
    else if (message.type == PARLEY_WIRE_PUSH)
        look_at_chunk(sim, puppet, message.as.push.chunk);
    else if (message.type == PARLEY_WIRE_RUN)
        look_at_chunk(sim, puppet, message.as.run.chunk);
    else if (message.type == PARLEY_WIRE_HEADS)
        look_at_heads(sim, puppet, message.as.heads.authors);
    else if (message.type == PARLEY_WIRE_ANNOUNCE)
        look_at_places(sim, puppet, message.as.announce.places);
    else if (message.type == PARLEY_WIRE_RUNS)
        look_at_runs(sim, puppet, message.as.runs.runs);
    else if (message.type == PARLEY_WIRE_RECONCILE || message.type == PARLEY_WIRE_ASK_RUNS ||
             message.type == PARLEY_WIRE_ASK_HEADS_OF)
        talker_answer(sim, puppet, &message);
    else if (message.type == PARLEY_WIRE_GOODBYE &&
             message.as.goodbye.reason == PARLEY_GOODBYE_FAULT)
        fault_fired(sim, BAD_PEER_BLAMED);
}

/* --- its life ------------------------------------------------------------------------------ */

static void leave(struct sim *sim, struct sim_puppet *puppet) {
    if (puppet->wire != SIZE_MAX)
        net_puppet_close(sim, puppet->wire);
    puppet->wire = SIZE_MAX;
    free(puppet->in);
    puppet->in = NULL;
    puppet->in_size = 0;
}

static void greet(struct sim *sim, struct sim_puppet *puppet) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_HELLO};
    message.as.hello.version = PARLEY_WIRE_VERSION;
    message.as.hello.node_key = puppet->key;
    message.as.hello.features = PARLEY_WIRE_RELAY | PARLEY_WIRE_SERVES_RUNS | PARLEY_WIRE_TREE;
    if (sim->enabled[BAD_PEER_SESSION] && !sim_chance(sim, 4))
        message.as.hello.features |= PARLEY_WIRE_RECONCILES;
    puppet->has_greeted = true;
    (void)puppet_send(sim, puppet, &message);
    message = (struct parley_wire_message){.type = PARLEY_WIRE_INTEREST};
    message.as.interest.mode = PARLEY_INTEREST_EVERYTHING;
    if (!sim_chance(sim, 4))
        (void)puppet_send(sim, puppet, &message);
}

void puppet_receive(struct sim *sim, struct sim_puppet *puppet, struct parley_span bytes) {
    static uint8_t scratch[PARLEY_MESSAGE_BYTES_MAX];
    if (puppet->wire == SIZE_MAX)
        return;
    puppet->in = realloc(puppet->in, puppet->in_size + bytes.size);
    if (puppet->in == NULL)
        abort();
    memcpy(puppet->in + puppet->in_size, bytes.data, bytes.size);
    puppet->in_size += bytes.size;
    while (puppet->wire != SIZE_MAX && puppet->in_size > 0) {
        struct parley_link_step step;
        enum parley_error error = parley_link_receive(
            &puppet->link, NULL, PARLEY_SPAN(puppet->in, puppet->in_size), scratch, &step);
        if (error != PARLEY_E_OK)
            sim_fail(sim, "n%u sends bytes that do not open: %s", puppet->node,
                     parley_strerror(error));
        if (step.consumed == 0)
            return;
        puppet->in_size -= step.consumed;
        memmove(puppet->in, puppet->in + step.consumed, puppet->in_size);
        if (step.flight_size > 0)
            net_puppet_send(sim, puppet->wire, PARLEY_SPAN(step.flight, step.flight_size));
        if (puppet->link.state == PARLEY_LINK_OPEN && !puppet->has_greeted)
            greet(sim, puppet);
        if (step.message.size > 0)
            on_message(sim, puppet, step.message);
    }
}

static void run_puppet(struct sim *sim, struct sim_item *item) {
    struct sim_puppet *puppet = NULL;
    for (puppet = sim->puppets; puppet != NULL && puppet->wire != item->number;)
        puppet = puppet->next;
    if (puppet == NULL)
        return;
    if (!sim->has_faults || puppet->acts_left == 0 || !net_puppet_is_open(sim, puppet->wire)) {
        leave(sim, puppet);
        return;
    }
    if (puppet->has_greeted) {
        puppet->acts_left--;
        nonsense_act(sim, puppet);
    }
    sim_put(sim, 1 + sim_below(sim, 2 * ACT_MS), SIM_NOBODY, run_puppet, NULL, item->number);
}

void puppet_come(struct sim *sim, uint32_t node) {
    struct sim_puppet *puppet = calloc(1, sizeof *puppet);
    struct parley_link_chance chance;
    struct parley_seed seed;
    uint8_t prelude[16], flight[PARLEY_LINK_FLIGHT_MAX];
    size_t size;
    if (puppet == NULL)
        abort();
    puppet->node = node;
    puppet->acts_left = 1 + (unsigned)sim_below(sim, ACTS_MAX);
    puppet->omits = (unsigned)sim_below(sim, 6);
    parley_random_bytes(&sim->random, seed.bytes, sizeof seed.bytes);
    parley_key_pair(&puppet->secret, puppet->key.bytes, &seed);
    parley_link_chance_draw(&chance, &sim->random);
    parley_link_prelude_draw(prelude, sizeof prelude, &sim->random);
    if (parley_link_init_dialler(&puppet->link, &puppet->secret, &sim->nodes[node].address.key,
                                 &chance, PARLEY_SPAN(prelude, sizeof prelude)) != PARLEY_E_OK ||
        parley_link_start(&puppet->link, flight, &size) != PARLEY_E_OK)
        abort();
    puppet->wire = net_puppet(sim, node, puppet);
    puppet->next = sim->puppets;
    sim->puppets = puppet;
    if (puppet->wire == SIZE_MAX)
        return;
    fault_fired(sim, BAD_HOSTILE_PEER);
    net_puppet_send(sim, puppet->wire, PARLEY_SPAN(flight, size));
    sim_put(sim, ACT_MS, SIM_NOBODY, run_puppet, NULL, puppet->wire);
}

void puppets_clear(struct sim *sim) {
    while (sim->puppets != NULL) {
        struct sim_puppet *next = sim->puppets->next;
        free(sim->puppets->in);
        free(sim->puppets);
        sim->puppets = next;
    }
}
