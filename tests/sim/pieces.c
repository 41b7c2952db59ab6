#include "sim.h"

#include <stdio.h>
#include <stdlib.h>

/* What the test's own hand made: records and entries of owners, bad authors and thieves. Hostile
 * peers pass them on as they like; here each is brought to one honest node in any case, as a person
 * brings in a file, in its turn or long after it. */

#define WALL_START    UINT64_C(1767225600000)
#define LOOK_MS       150u
#define LATE_MS       90000u
#define CHUNK_ENTRIES 600u
#define TRIES         4u

static uint8_t chunk_buffer[PARLEY_CHUNK_BUFFER_SIZE];

/* --- making -------------------------------------------------------------------------------- */

/* Somebody who carries the author: a relay, a reader, a home. */
static uint32_t choose_node(struct sim *sim, uint32_t author) {
    uint32_t count = sim->config.nodes_count, from = (uint32_t)sim_below(sim, count);
    bool any_relay = sim_chance(sim, 2);
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_node *host = &sim->nodes[(from + i) % count];
        if (any_relay ? host->is_relay : host->author == author || host->follows_wanted[author])
            return (from + i) % count;
    }
    return 0; /* the first node is a relay */
}

static struct sim_piece_made *piece_add(struct sim *sim, uint32_t author) {
    if (sim->pieces_count == sim->pieces_max) {
        sim->pieces_max = sim->pieces_max == 0 ? 256 : sim->pieces_max * 2;
        sim->pieces = realloc(sim->pieces, sim->pieces_max * sizeof *sim->pieces);
        if (sim->pieces == NULL)
            abort();
    }
    struct sim_piece_made *piece = &sim->pieces[sim->pieces_count++];
    *piece = (struct sim_piece_made){.author = author, .log = SIM_NOBODY};
    piece->node = choose_node(sim, author);
    piece->at = sim->now + sim_below(sim, sim_chance(sim, 2) ? 2000 : LATE_MS);
    return piece;
}

static struct parley_span keep(struct parley_span bytes) {
    uint8_t *copy = malloc(bytes.size + 1);
    if (copy == NULL)
        abort();
    memcpy(copy, bytes.data, bytes.size);
    return PARLEY_SPAN(copy, bytes.size);
}

struct sim_piece_made *piece_record(struct sim *sim, uint32_t author, struct parley_span record) {
    struct sim_piece_made *piece = piece_add(sim, author);
    piece->is_record = true;
    piece->record = keep(record);
    return piece;
}

static void make_strange(struct sim *sim, struct parley_header *header) {
    header->version = (uint8_t)(1 + sim_below(sim, PARLEY_VERSION_MAX));
    if (sim_chance(sim, 2))
        header->ext_size = (uint8_t)(1 + sim_below(sim, PARLEY_EXT_BYTES_MAX));
    parley_random_bytes(&sim->random, header->ext, header->ext_size);
    fault_fired(sim, BAD_STRANGE_ENTRY);
}

struct parley_anchor piece_entry(struct sim *sim, uint32_t log, const struct parley_anchor *base,
                                 bool is_signed) {
    struct sim_piece_made *piece = piece_add(sim, sim->logs[log].author);
    struct parley_entry *entry = &piece->entry;
    char text[48];
    piece->log = log;
    piece->is_signed = is_signed;
    entry->header.version = PARLEY_ENTRY_VERSION;
    entry->header.log = sim->logs[log].log;
    entry->header.seq = base->seq + 1;
    entry->header.prev = base->id;
    entry->header.time = WALL_START + sim_below(sim, 1u << 20);
    if (sim->enabled[BAD_STRANGE_ENTRY] && sim_chance(sim, 12))
        make_strange(sim, &entry->header);
    int size = snprintf(text, sizeof text, "piece %zu", sim->pieces_count);
    entry->has_body = true;
    entry->body = keep(PARLEY_SPAN(text, (size_t)size));
    parley_random_bytes(&sim->random, entry->salt.bytes, sizeof entry->salt.bytes);
    parley_entry_sign(entry, &sim->logs[log].device);
    if (!is_signed) {
        entry->signature.bytes[sim_below(sim, sizeof entry->signature.bytes)] ^= 4;
        parley_entry_id(entry);
        fault_fired(sim, BAD_PLANTED);
    }
    return (struct parley_anchor){entry->header.seq, entry->id};
}

/* --- finding ------------------------------------------------------------------------------- */

const struct sim_piece_made *piece_of_id(const struct sim *sim, const struct parley_id *id) {
    for (size_t i = sim->pieces_count; i-- > 0;)
        if (!sim->pieces[i].is_record && PARLEY_EQUAL(sim->pieces[i].entry.id, *id))
            return &sim->pieces[i];
    return NULL;
}

const struct sim_piece_made *piece_any_entry(struct sim *sim, uint32_t log) {
    size_t count = sim->pieces_count, from = count == 0 ? 0 : (size_t)sim_below(sim, count);
    for (size_t i = 0; i < count; i++) {
        const struct sim_piece_made *piece = &sim->pieces[(from + i) % count];
        if (!piece->is_record && (log == SIM_NOBODY || piece->log == log))
            return piece;
    }
    return NULL;
}

static const struct sim_piece_made *piece_below(const struct sim *sim,
                                                const struct sim_piece_made *piece) {
    const struct parley_header *header = &piece->entry.header;
    const struct sim_piece_made *below = piece > sim->pieces ? piece - 1 : NULL;
    /* Usually the one that was made just before. */
    if (below == NULL || below->is_record || !PARLEY_EQUAL(below->entry.id, header->prev))
        below = piece_of_id(sim, &header->prev);
    bool is_next =
        below != NULL && below->log == piece->log && below->entry.header.seq + 1 == header->seq;
    return is_next ? below : NULL;
}

struct parley_span piece_chunk(struct sim *sim, const struct sim_piece_made *top, size_t count,
                               bool with_bodies, uint8_t *buffer) {
    const struct sim_piece_made *chain[CHUNK_ENTRIES];
    struct parley_chunk_writer writer;
    size_t length = 0;
    while (top != NULL && length < count && length < CHUNK_ENTRIES) {
        chain[length++] = top;
        top = piece_below(sim, top);
    }
    /* What does not fit is left off below. */
    for (;; length--) {
        size_t i = length;
        parley_chunk_writer_init(&writer, buffer, PARLEY_CHUNK_BUFFER_SIZE);
        while (i > 0 && parley_chunk_add(&writer, &chain[i - 1]->entry, with_bodies) == PARLEY_E_OK)
            i--;
        if (i == 0)
            return parley_chunk_finish(&writer);
    }
}

/* --- bringing in --------------------------------------------------------------------------- */

/* A made entry whose own signature holds and which commits to this one, some way above it. */
static const struct sim_piece_made *choose_top(struct sim *sim, const struct sim_piece_made *piece,
                                               size_t *length) {
    const struct sim_piece_made *top = piece, *best = piece;
    size_t wanted = (size_t)sim_below(sim, sim_chance(sim, 3) ? 300 : 7);
    *length = 1;
    for (size_t height = 1; height <= wanted; height++) {
        const struct sim_piece_made *above = top + 1;
        if (above == sim->pieces + sim->pieces_count || above->is_record ||
            !PARLEY_EQUAL(above->entry.header.prev, top->entry.id))
            break;
        top = above;
        if (top->is_signed) {
            best = top;
            *length = height + 1;
        }
    }
    return best;
}

static void bring(struct sim *sim, size_t index) {
    struct sim_piece_made *piece = &sim->pieces[index];
    struct parley_event event = {.kind = PARLEY_EVENT_IMPORT_RECORD};
    event.import.bytes = piece->record;
    if (!piece->is_record) {
        size_t length;
        const struct sim_piece_made *top = choose_top(sim, piece, &length);
        event.kind = PARLEY_EVENT_IMPORT_CHUNK;
        event.import.bytes = piece_chunk(sim, top, length, !sim_chance(sim, 4), chunk_buffer);
    }
    event.import.request = people_ask(
        sim,
        (struct sim_request){.kind = REQUEST_IMPORT, .node = piece->node, .whom = (uint32_t)index});
    piece->is_asked = true;
    piece->request = event.import.request;
    fault_fired(sim, BAD_IMPORTED);
    host_step(sim, piece->node, &event);
}

static void run_bring(struct sim *sim, struct sim_item *item) {
    unsigned brought = 0;
    for (size_t i = 0; i < sim->pieces_count && brought < 8; i++) {
        struct sim_piece_made *piece = &sim->pieces[i];
        const struct sim_node *host = &sim->nodes[piece->node];
        bool is_due = piece->at <= sim->now || !sim->has_faults;
        if (piece->is_delivered || !is_due || host->core == NULL)
            continue;
        if (piece->is_asked && sim->requests[piece->request - 1].life == host->life &&
            !sim->requests[piece->request - 1].is_answered)
            continue;
        bring(sim, i);
        brought++;
    }
    sim_put(sim, 1 + sim_below(sim, 2 * LOOK_MS), SIM_NOBODY, run_bring, NULL, 0);
}

void pieces_begin(struct sim *sim) {
    sim_put(sim, sim_below(sim, LOOK_MS), SIM_NOBODY, run_bring, NULL, 0);
}

void piece_on_reply(struct sim *sim, const struct sim_request *request, enum parley_error error) {
    struct sim_piece_made *piece = &sim->pieces[request->whom];
    bool later = error == PARLEY_E_RETRY || error == PARLEY_E_READ_ONLY ||
                 parley_error_class(error) == PARLEY_CLASS_LOCAL;
    /* What says it is too early for it gets it again, when more of the rest has come. */
    bool is_early =
        error == PARLEY_E_UNREVEALED || error == PARLEY_E_UNKNOWN_LOG || error == PARLEY_E_LOG_VOID;
    if (is_early && piece->refusals++ < TRIES)
        piece->at = sim->now + 3000 + sim_below(sim, 20000);
    else
        piece->is_delivered |= !later;
}

bool pieces_are_delivered(const struct sim *sim) {
    for (size_t i = 0; i < sim->pieces_count; i++)
        if (!sim->pieces[i].is_delivered)
            return false;
    return true;
}

void pieces_clear(struct sim *sim) {
    for (size_t i = 0; i < sim->pieces_count; i++) {
        free((void *)sim->pieces[i].record.data);
        free((void *)sim->pieces[i].entry.body.data);
    }
    free(sim->pieces);
    sim->pieces = NULL;
}
