#include "sim.h"

#include <stdlib.h>

/* What must hold after every step. The ledger of each author is kept outside of all nodes: what
 * was on its disk, what it acknowledged, which id each seq has. */

uint32_t author_of_log(const struct sim *sim, const struct parley_log *log) {
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        if (sim->nodes[i].has_author && PARLEY_EQUAL(sim->nodes[i].log, *log))
            return i;
    return SIM_NOBODY;
}

static struct sim_known *known_at(struct sim_node *author, parley_seq seq) {
    if (seq >= author->known_max) {
        size_t size = author->known_max == 0 ? 256 : author->known_max;
        while (size <= seq)
            size *= 2;
        author->known = realloc(author->known, size * sizeof *author->known);
        if (author->known == NULL)
            abort();
        memset(author->known + author->known_max, 0,
               (size - author->known_max) * sizeof *author->known);
        author->known_max = size;
    }
    return &author->known[seq];
}

void check_seen(struct sim *sim, uint32_t node, const struct parley_log *log, parley_seq seq,
                const struct parley_id *id) {
    uint32_t author = author_of_log(sim, log);
    if (author == SIM_NOBODY)
        sim_fail(sim, "n%u speaks of a log that nobody has", node);
    struct sim_known *known = known_at(&sim->nodes[author], seq);
    if (known->is_known && !PARLEY_EQUAL(known->id, *id))
        sim_fail(sim, "n%u shows a fork of the honest n%u at seq %llu", node, author,
                 (unsigned long long)seq);
    known->is_known = true;
    known->id = *id;
    if (seq > sim->nodes[author].known_highest)
        sim->nodes[author].known_highest = seq;
}

/* Calls back with each entry of a chunk that the core itself made or passed. */
static void each_entry(struct sim *sim, uint32_t node, struct parley_span bytes,
                       void (*on_entry)(struct sim *, uint32_t, const struct parley_entry *)) {
    struct parley_chunk chunk;
    struct parley_chunk_cursor cursor;
    struct parley_entry entry;
    if (parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK)
        sim_fail(sim, "n%u handles a chunk that does not decode", node);
    parley_chunk_start(&cursor, &chunk);
    while (parley_chunk_next(&cursor, &entry))
        on_entry(sim, node, &entry);
}

/* What another node stores has left its author: it was on the author's disk before. */
static void entry_has_travelled(struct sim *sim, uint32_t node, const struct parley_entry *entry) {
    uint32_t author = author_of_log(sim, &entry->header.log);
    if (author == SIM_NOBODY)
        sim_fail(sim, "n%u stores a log that nobody has", node);
    struct sim_known *known = known_at(&sim->nodes[author], entry->header.seq);
    if (!known->is_known || !PARLEY_EQUAL(known->id, entry->id))
        sim_fail(sim, "n%u holds seq %llu of n%u, which was never on the author's disk", node,
                 (unsigned long long)entry->header.seq, author);
}

static bool is_chunk(enum parley_store_kind kind) {
    return kind == PARLEY_STORE_APPEND || kind == PARLEY_STORE_FILL || kind == PARLEY_STORE_TOP;
}

void check_stores(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    const struct parley_store_op *op = &effect->store.op;
    if (op->kind == PARLEY_STORE_FORK || op->kind == PARLEY_STORE_EVIDENCE)
        sim_fail(sim, "n%u sees a fork where everybody is honest", node);
    if (is_chunk(op->kind) && author_of_log(sim, &op->log) != node)
        each_entry(sim, node, op->bytes, entry_has_travelled);
}

static void entry_is_durable(struct sim *sim, uint32_t node, const struct parley_entry *entry) {
    check_seen(sim, node, &entry->header.log, entry->header.seq, &entry->id);
    if (author_of_log(sim, &entry->header.log) == node)
        known_at(&sim->nodes[node], entry->header.seq)->is_durable = true;
}

void check_durable(struct sim *sim, uint32_t node, const struct parley_store_op *op) {
    if (is_chunk(op->kind))
        each_entry(sim, node, op->bytes, entry_is_durable);
}

void check_acknowledged(struct sim *sim, uint32_t node, parley_seq seq,
                        const struct parley_id *id) {
    struct sim_known *known = known_at(&sim->nodes[node], seq);
    check_seen(sim, node, &sim->nodes[node].log, seq, id);
    if (!known->is_durable)
        sim_fail(sim, "n%u acknowledged seq %llu before it was on disk", node,
                 (unsigned long long)seq);
    if (known->is_acknowledged)
        sim_fail(sim, "n%u acknowledged seq %llu twice", node, (unsigned long long)seq);
    known->is_acknowledged = true;
}

struct walk {
    struct sim *sim;
    uint32_t node;
    parley_seq next;
};

static bool on_held(void *context, const struct parley_store_log *log,
                    const struct parley_entry *entry, const struct parley_timeline_place *place,
                    parley_time_ms received_ms) {
    struct walk *walk = context;
    if (entry->header.seq != walk->next)
        sim_fail(walk->sim, "n%u lost seq %llu of its own log", walk->node,
                 (unsigned long long)walk->next);
    walk->next++;
    entry_is_durable(walk->sim, walk->node, entry);
    return true;
}

void check_after_load(struct sim *sim, uint32_t node) {
    struct sim_node *host = &sim->nodes[node];
    struct walk walk = {sim, node, 1};
    if (!host->has_author)
        return;
    enum parley_error error =
        parley_store_entries(host->disk.store, &host->log, 1, PARLEY_SEQ_MAX, on_held, &walk);
    if (error != PARLEY_E_OK && error != PARLEY_E_NOT_FOUND)
        sim_fail(sim, "n%u cannot read its own log: %s", node, parley_strerror(error));
    if (walk.next <= host->known_highest)
        sim_fail(sim, "n%u came back with %llu entries of its own, %llu were on its disk", node,
                 (unsigned long long)walk.next - 1, (unsigned long long)host->known_highest);
}

void check_follows(struct sim *sim, uint32_t node) {
    const struct sim_node *host = &sim->nodes[node];
    bool followed[SIM_NODES_MAX] = {false};
    struct parley_node_author row;
    for (size_t i = 0; parley_node_author_at(host->core, i, &row); i++)
        for (uint32_t j = 0; j < sim->config.nodes_count; j++)
            if (PARLEY_EQUAL(sim->nodes[j].author, row.author))
                followed[j] = row.is_followed;
    for (uint32_t j = 0; j < sim->config.nodes_count; j++)
        if ((host->follows[j] == FOLLOW_ON && !followed[j]) ||
            (host->follows[j] == FOLLOW_OFF && followed[j]))
            sim_fail(sim, "n%u forgot that it was told to %s n%u", node,
                     followed[j] ? "unfollow" : "follow", j);
}

void check_close(struct sim *sim, uint32_t node, const struct sim_wire *wire,
                 enum parley_error reason) {
    if (parley_error_class(reason) != PARLEY_CLASS_REMOTE || wire->is_tainted)
        return;
    /* A handshake over a link that stalls looks like a stranger's. */
    if (reason == PARLEY_E_BAD_HANDSHAKE && sim->now - wire->since >= 10000)
        return;
    sim_fail(sim, "n%u closes an honest peer: %s", node, parley_strerror(reason));
}

void check_log_line(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    bool is_disk = parley_error_class(effect->log.error) == PARLEY_CLASS_LOCAL;
    if (effect->log.level == PARLEY_LOG_ERROR && !is_disk)
        sim_fail(sim, "n%u says: %s (%s)", node, effect->log.text,
                 parley_strerror(effect->log.error));
}
