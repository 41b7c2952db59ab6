#include "words.h"

/* At the very end every byte of every log on every disk goes through the judge, and what owners
 * were told is kept is there. */

static void check_chunk_ids(struct sim *sim, uint32_t node, const struct parley_store_log *held,
                            const struct parley_chunk *chunk) {
    struct parley_chunk_cursor cursor;
    struct parley_entry entry;
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next(&cursor, &entry)) {
        struct sim_log *log = &sim->logs[log_of(sim, &entry.header.log)];
        if (log->kind == LOG_HONEST)
            words_check(sim, node, log, held, &entry);
        check_seen(sim, node, &entry.header.log, entry.header.seq, &entry.id);
    }
}

/* One range from its top down: the top by its own signature, each chunk below by the id that the
 * one above names. */
static void check_range(struct sim *sim, uint32_t node, const struct parley_store_log *log,
                        const struct parley_run *range) {
    struct parley_policy open = {.kind = PARLEY_POLICY_OPEN};
    struct parley_anchor anchor = {range->hi, range->hi_id};
    for (bool is_top = true; anchor.seq >= range->lo && anchor.seq != 0; is_top = false) {
        struct parley_span bytes;
        struct parley_judged judged;
        enum parley_error error =
            parley_store_read_run(sim->nodes[node].disk.store, &log->log, anchor.seq, range->lo,
                                  true, PARLEY_CHUNK_BYTES_MAX, sim->scratch, &bytes);
        if (error != PARLEY_E_OK)
            sim_fail(sim, "n%u cannot read seq %llu: %s", node, (unsigned long long)anchor.seq,
                     parley_strerror(error));
        bool is_signed = is_top && range->hi_is_signed;
        struct parley_fault fault = parley_judge_chunk(&judged, &log->log, &open, &log->device,
                                                       is_signed ? NULL : &anchor, bytes);
        if (fault.error != PARLEY_E_OK)
            sim_fail(sim, "n%u holds what the judge refuses: %s", node,
                     parley_strerror(fault.error));
        if (judged.run.hi != anchor.seq || !PARLEY_EQUAL(judged.run.hi_id, anchor.id))
            sim_fail(sim, "n%u holds another entry at seq %llu than it says", node,
                     (unsigned long long)anchor.seq);
        if (judged.needs_check && !host_check_holds(&judged.check))
            sim_fail(sim, "n%u holds a signature that does not verify", node);
        check_chunk_ids(sim, node, log, &judged.chunk);
        anchor = (struct parley_anchor){judged.run.lo - 1, judged.run.lo_prev};
    }
}

struct disk_check {
    struct sim *sim;
    uint32_t node;
};

static bool on_log(void *context, const struct parley_store_log *log) {
    struct disk_check *check = context;
    uint64_t entries = 0;
    for (unsigned i = 0; i < log->ranges.count; i++) {
        check_range(check->sim, check->node, log, &log->ranges.ranges[i]);
        entries += log->ranges.ranges[i].hi - log->ranges.ranges[i].lo + 1;
    }
    if (entries != log->entries_count)
        sim_fail(check->sim, "n%u counts %llu entries and holds %llu", check->node,
                 (unsigned long long)log->entries_count, (unsigned long long)entries);
    return true;
}

void disks_check(struct sim *sim) {
    for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
        struct disk_check check = {sim, i};
        struct parley_store_visitor visitor = {.context = &check, .on_log = on_log};
        if (parley_store_load(sim->nodes[i].disk.store, &visitor) != PARLEY_E_OK)
            sim_fail(sim, "the disk of n%u cannot be read", i);
        check_after_load(sim, i);
    }
}

/* --- the owners' words --------------------------------------------------------------------- */

/* By whoever reaches the node. Not what went with a newer disk: a home that comes back from an old
 * one may have been the only one that held what its owner closed a log at. */
static bool can_be_had(const struct sim *sim, uint32_t node, const struct sim_log *log,
                       const struct sim_known *known) {
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        if ((known->durable_on >> i & 1) != 0 &&
            (i == node ||
             (settled_wants(sim, i, log->author) && settled_reaches(sim, i, node, log->author))))
            return true;
    return false;
}

struct owned {
    struct sim *sim;
    uint32_t node;
    struct sim_log *log;
    parley_seq up_to;
    uint64_t found;
};

static bool is_owed(const struct owned *owned, const struct sim_known *known) {
    return known->is_acknowledged && known->seq <= owned->up_to &&
           can_be_had(owned->sim, owned->node, owned->log, known);
}

static bool on_owned(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received_ms) {
    struct owned *owned = context;
    const struct sim_known *known = ledger_find(owned->log, entry->header.seq, &entry->id);
    owned->found += known != NULL && is_owed(owned, known);
    return true;
}

/* Each that its author was told is kept and that can be had, up to a seq. */
static void all_are_there(struct sim *sim, uint32_t node, uint32_t log, parley_seq up_to) {
    struct owned owned = {sim, node, &sim->logs[log], up_to, 0};
    uint64_t acknowledged = 0;
    for (size_t i = 0; i < owned.log->known_count; i++)
        acknowledged += is_owed(&owned, &owned.log->known[i]);
    enum parley_error error = parley_store_entries(sim->nodes[node].disk.store, &owned.log->log, 1,
                                                   PARLEY_SEQ_MAX, on_owned, &owned);
    if ((error != PARLEY_E_OK && acknowledged > 0) || owned.found != acknowledged)
        sim_fail(sim, "n%u has %llu of %llu acknowledged entries of log %u", node,
                 (unsigned long long)owned.found, (unsigned long long)acknowledged, log);
}

static void check_ended(struct sim *sim, uint32_t node, uint32_t log,
                        const struct parley_node_log *row) {
    struct sim_log *of = &sim->logs[log];
    bool is_right = of->end.seq == 0 ? row->policy.kind == PARLEY_POLICY_VOID
                                     : row->policy.kind == PARLEY_POLICY_CLOSED &&
                                           row->policy.seq == of->end.seq &&
                                           PARLEY_EQUAL(row->policy.id, of->end.id);
    if (!is_right)
        sim_fail(sim, "n%u: log %u, closed by its owner at %llu, is %d at %llu", node, log,
                 (unsigned long long)of->end.seq, (int)row->policy.kind,
                 (unsigned long long)row->policy.seq);
    const struct sim_known *end =
        of->end.seq == 0 ? NULL : ledger_find(of, of->end.seq, &of->end.id);
    bool is_there = of->end.seq > 0 && (end == NULL || can_be_had(sim, node, of, end));
    if (is_there && (row->head_seq != of->end.seq || !PARLEY_EQUAL(row->head_id, of->end.id)))
        sim_fail(sim, "n%u: log %u, closed by its owner at %llu, has its head at %llu", node, log,
                 (unsigned long long)of->end.seq, (unsigned long long)row->head_seq);
    const struct parley_run *run =
        of->end.seq == 0 ? NULL : parley_ranges_find(&row->ranges, of->end.seq);
    /* The next one below, on the way down from the end: there may be others of that seq. */
    const struct sim_known *next =
        run == NULL || run->lo == 1 ? NULL : ledger_find(of, run->lo - 1, &run->lo_prev);
    if (is_there && (run == NULL || (next != NULL && can_be_had(sim, node, of, next))))
        sim_fail(sim, "n%u: log %u, closed by its owner, has holes", node, log);
    if (of->kind != LOG_TORN)
        all_are_there(sim, node, log, of->end.seq);
}

static void check_word(struct sim *sim, uint32_t node, uint32_t log) {
    const struct sim_log *of = &sim->logs[log];
    struct parley_node_log row = {.policy = PARLEY_NO_POLICY};
    bool is_known = parley_node_log_find(sim->nodes[node].core, &of->log, &row);
    if (of->kind == LOG_FORGED) {
        if (row.policy.kind != PARLEY_POLICY_VOID)
            sim_fail(sim, "n%u: log %u of a thief is not void", node, log);
        return;
    }
    if (of->is_ended) {
        check_ended(sim, node, log, &row);
        return;
    }
    if (of->kind == LOG_HONEST && of->tip.seq > 0 &&
        (!is_known || row.policy.kind != PARLEY_POLICY_OPEN || row.forked != 0 ||
         row.head_seq < of->tip.seq))
        sim_fail(sim, "n%u: log %u of an honest owner is not whole: policy %d at %llu, head %llu",
                 node, log, (int)row.policy.kind, (unsigned long long)row.policy.seq,
                 (unsigned long long)row.head_seq);
    if (of->kind == LOG_HONEST)
        all_are_there(sim, node, log, of->tip.seq);
    if (of->kind == LOG_STOLEN && row.policy.kind == PARLEY_POLICY_OPEN)
        all_are_there(sim, node, log, row.policy.seq);
}

/* At the person's own node, where the words were said; all who want him agree with it. A device
 * that is behind nobody who carries him has not heard them. */
void disks_check_words(struct sim *sim) {
    for (uint32_t log = 0; log < sim->logs_count; log++) {
        uint32_t author = sim->logs[log].author, home = author_home(sim, author);
        uint32_t host = sim->logs[log].host == SIM_NOBODY ? home : sim->logs[log].host;
        if (!author_is_lost(sim, author) && settled_reaches(sim, home, host, author))
            check_word(sim, home, log);
    }
}
