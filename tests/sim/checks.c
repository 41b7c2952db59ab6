#include "sim.h"

/* What must hold after every step, about which the ledger knows: what was on whose disk, what was
 * acknowledged, which id each seq of an honest log has. Of logs that a thief or a bad author writes
 * everything may be said; the verdict on them is compared at rest. */

static struct sim_log *honest_log(struct sim *sim, uint32_t node, const struct parley_log *log) {
    uint32_t index = log_of(sim, log);
    if (index == SIM_NOBODY)
        sim_fail(sim, "n%u speaks of a log that nobody has", node);
    return sim->logs[index].kind == LOG_HONEST ? &sim->logs[index] : NULL;
}

static uint32_t bit(uint32_t node) {
    return UINT32_C(1) << node;
}

void check_seen(struct sim *sim, uint32_t node, const struct parley_log *log, parley_seq seq,
                const struct parley_id *id) {
    struct sim_log *of = honest_log(sim, node, log);
    if (of == NULL)
        return;
    const struct sim_known *known = ledger_find(of, seq, NULL);
    if (known != NULL && !PARLEY_EQUAL(known->id, *id))
        sim_fail(sim, "n%u shows a fork of the honest n%u at seq %llu", node, of->host,
                 (unsigned long long)seq);
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

/* What another node stores has left somebody: it was on his disk before, and they have met. */
static void entry_has_travelled(struct sim *sim, uint32_t node, const struct parley_entry *entry) {
    struct sim_log *log = honest_log(sim, node, &entry->header.log);
    if (log == NULL)
        return;
    const struct sim_known *known = ledger_find(log, entry->header.seq, &entry->id);
    if (known == NULL)
        sim_fail(sim, "n%u holds seq %llu of n%u, which was never on the author's disk", node,
                 (unsigned long long)entry->header.seq, log->host);
    if (!known->is_given && (known->maybe_on & sim->net.met[node]) == 0 &&
        (known->maybe_on & bit(node)) == 0)
        sim_fail(sim, "n%u holds seq %llu of n%u, which was on the disk of nobody whom it met",
                 node, (unsigned long long)entry->header.seq, log->host);
}

void check_shown(struct sim *sim, uint32_t node, const struct parley_log *log, parley_seq seq,
                 const struct parley_id *id) {
    struct sim_log *of = honest_log(sim, node, log);
    struct sim_known *known = of == NULL ? NULL : ledger_find(of, seq, id);
    if (of == NULL)
        return;
    if (known == NULL || (known->maybe_on & bit(node)) == 0)
        sim_fail(sim, "n%u sends seq %llu of n%u before it is on its own disk", node,
                 (unsigned long long)seq, of->host);
    known->is_given = true;
}

static void entry_is_given(struct sim *sim, uint32_t node, const struct parley_entry *entry) {
    struct sim_log *log = honest_log(sim, node, &entry->header.log);
    struct sim_known *known = log == NULL ? NULL : ledger_find(log, entry->header.seq, &entry->id);
    if (known != NULL)
        known->is_given = true;
}

void check_given(struct sim *sim, uint32_t node, struct parley_span chunk) {
    each_entry(sim, node, chunk, entry_is_given);
}

static bool is_chunk(enum parley_store_kind kind) {
    return kind == PARLEY_STORE_APPEND || kind == PARLEY_STORE_FILL || kind == PARLEY_STORE_TOP;
}

static bool writes(const struct sim *sim, uint32_t node, const struct parley_log *log) {
    return sim->nodes[node].has_author && PARLEY_EQUAL(sim->logs[sim->nodes[node].log].log, *log);
}

void check_stores(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    const struct parley_store_op *op = &effect->store.op;
    bool is_fork =
        op->kind == PARLEY_STORE_EVIDENCE || (op->kind == PARLEY_STORE_FORK && op->seq_low != 0);
    if (is_fork && honest_log(sim, node, &op->log) != NULL)
        sim_fail(sim, "n%u sees a fork where everybody is honest", node);
    if (is_chunk(op->kind) && !writes(sim, node, &op->log))
        each_entry(sim, node, op->bytes, entry_has_travelled);
}

/* --- on the disk --------------------------------------------------------------------------- */

static void note_durable(struct sim *sim, uint32_t node, const struct parley_entry *entry,
                         bool is_sure) {
    const struct parley_header *header = &entry->header;
    uint32_t index = log_of(sim, &header->log);
    check_seen(sim, node, &header->log, header->seq, &entry->id);
    struct sim_log *log = &sim->logs[index];
    bool is_own = writes(sim, node, &header->log);
    /* A write that failed may be on the disk, which shows when the node comes back: perhaps with
     * another device. */
    bool is_new = is_sure && (is_own || log->host == node);
    struct sim_known *known = is_new ? ledger_take(log, header->seq, &entry->id)
                                     : ledger_find(log, header->seq, &entry->id);
    if (known == NULL)
        return; /* a thief's, or of a node whose disk is an old one */
    known->maybe_on |= bit(node);
    known->durable_on |= is_sure ? bit(node) : 0;
    if (is_own && is_sure) {
        log->host = node;
        if (header->seq > log->known_highest)
            log->known_highest = header->seq;
    }
}

static void entry_is_durable(struct sim *sim, uint32_t node, const struct parley_entry *entry) {
    note_durable(sim, node, entry, true);
}

static void entry_may_be_durable(struct sim *sim, uint32_t node, const struct parley_entry *entry) {
    note_durable(sim, node, entry, false);
}

void check_durable(struct sim *sim, uint32_t node, const struct parley_store_op *op, bool is_sure) {
    if (is_chunk(op->kind))
        each_entry(sim, node, op->bytes, is_sure ? entry_is_durable : entry_may_be_durable);
}

void check_acknowledged(struct sim *sim, uint32_t node, parley_seq seq,
                        const struct parley_id *id) {
    struct sim_log *log = &sim->logs[sim->nodes[node].log];
    struct sim_known *known = ledger_find(log, seq, id);
    check_seen(sim, node, &log->log, seq, id);
    if (known == NULL || (known->durable_on & bit(node)) == 0)
        sim_fail(sim, "n%u acknowledged seq %llu before it was on disk", node,
                 (unsigned long long)seq);
    if (known->is_acknowledged && log->kind == LOG_HONEST)
        sim_fail(sim, "n%u acknowledged seq %llu twice", node, (unsigned long long)seq);
    known->is_acknowledged = true;
    if (seq > log->tip.seq)
        log->tip = (struct parley_anchor){seq, *id};
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
    bool is_honest = honest_log(walk->sim, walk->node, &log->log) != NULL;
    if (is_honest && entry->header.seq != walk->next)
        sim_fail(walk->sim, "n%u lost seq %llu of its own log", walk->node,
                 (unsigned long long)walk->next);
    walk->next = entry->header.seq + 1;
    entry_is_durable(walk->sim, walk->node, entry);
    return true;
}

static bool on_loaded(void *context, const struct parley_store_log *log,
                      const struct parley_entry *entry, const struct parley_timeline_place *place,
                      parley_time_ms received_ms) {
    const struct walk *walk = context;
    entry_is_durable(walk->sim, walk->node, entry);
    return true;
}

/* An old disk holds what was forgotten with the newer one. */
static void note_disk(struct sim *sim, uint32_t node) {
    struct walk walk = {sim, node, 1};
    for (uint32_t log = 0; log < sim->logs_count; log++) {
        enum parley_error error = parley_store_entries(
            sim->nodes[node].disk.store, &sim->logs[log].log, 1, PARLEY_SEQ_MAX, on_loaded, &walk);
        if (error != PARLEY_E_OK && error != PARLEY_E_NOT_FOUND)
            sim_fail(sim, "n%u cannot read log %u: %s", node, log, parley_strerror(error));
    }
}

/* What its owner ended may have gone above the end. */
static parley_seq must_be_kept(const struct sim *sim, const struct sim_log *log) {
    if (log->kind != LOG_HONEST || sim->authors[log->author].stolen_roots != 0)
        return 0;
    return log->is_ended && log->end.seq < log->known_highest ? log->end.seq : log->known_highest;
}

void check_after_load(struct sim *sim, uint32_t node) {
    struct sim_node *host = &sim->nodes[node];
    struct walk walk = {sim, node, 1};
    note_disk(sim, node);
    if (!host->has_author)
        return;
    const struct sim_log *log = &sim->logs[host->log];
    enum parley_error error =
        parley_store_entries(host->disk.store, &log->log, 1, PARLEY_SEQ_MAX, on_held, &walk);
    if (error != PARLEY_E_OK && error != PARLEY_E_NOT_FOUND)
        sim_fail(sim, "n%u cannot read its own log: %s", node, parley_strerror(error));
    if (walk.next <= must_be_kept(sim, log))
        sim_fail(sim, "n%u came back with %llu entries of its own, %llu were on its disk", node,
                 (unsigned long long)walk.next - 1, (unsigned long long)log->known_highest);
}

/* Devices of one person follow together: the newest word counts, of whichever it is. */
static bool has_another_device(const struct sim *sim, uint32_t node) {
    const struct sim_node *host = &sim->nodes[node];
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        if (host->has_author && i != node && sim->nodes[i].has_author &&
            sim->nodes[i].author == host->author)
            return true;
    return false;
}

void check_follows(struct sim *sim, uint32_t node) {
    const struct sim_node *host = &sim->nodes[node];
    bool followed[SIM_AUTHORS_MAX] = {false};
    struct parley_node_author row;
    if (has_another_device(sim, node))
        return;
    for (size_t i = 0; parley_node_author_at(host->core, i, &row); i++)
        for (uint32_t j = 0; j < sim->authors_count; j++)
            if (PARLEY_EQUAL(sim->authors[j].author, row.author))
                followed[j] = row.is_followed;
    for (uint32_t j = 0; j < sim->authors_count; j++)
        if ((host->follows[j] == FOLLOW_ON && !followed[j]) ||
            (host->follows[j] == FOLLOW_OFF && followed[j]))
            sim_fail(sim, "n%u forgot that it was told to %s author %u", node,
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
    /* Nobody honest is at fault, whatever villains signed and whatever the network does to bytes.
     */
    if (strcmp(effect->log.text, "peer kept out for a while") == 0 &&
        !net_is_puppets(sim, node, effect->log.connection))
        sim_fail(sim, "n%u keeps an honest node out (%s)", node,
                 parley_strerror(effect->log.error));
    if (effect->log.level == PARLEY_LOG_ERROR && !is_disk)
        sim_fail(sim, "n%u says: %s (%s)", node, effect->log.text,
                 parley_strerror(effect->log.error));
}
