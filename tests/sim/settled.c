#include "sim.h"

#include <stdio.h>

/* What must hold once nothing goes wrong any more: all that wants an author and is reached through
 * nodes that carry him holds exactly what his own node holds; and at the very end every byte of
 * every log on every disk goes through the judge. */

static bool wants(const struct sim *sim, uint32_t node, uint32_t author) {
    struct parley_node_author row;
    for (size_t i = 0; parley_node_author_at(sim->nodes[node].core, i, &row); i++)
        if (PARLEY_EQUAL(row.author, sim->nodes[author].author))
            return row.is_wanted;
    return sim->nodes[node].is_relay;
}

static bool is_linked(const struct sim *sim, uint32_t a, uint32_t b) {
    if (sim->nodes[a].friends[b] || sim->nodes[b].friends[a])
        return true;
    for (size_t i = 0; i < sim->nodes[a].peers_count; i++)
        if (sim->nodes[a].peers_index[i] == b)
            return true;
    for (size_t i = 0; i < sim->nodes[b].peers_count; i++)
        if (sim->nodes[b].peers_index[i] == a)
            return true;
    return false;
}

/* Spreads from the author over links of nodes that want him. */
static void reach(const struct sim *sim, uint32_t author, bool reached[SIM_NODES_MAX]) {
    memset(reached, 0, SIM_NODES_MAX * sizeof *reached);
    reached[author] = true;
    for (bool any = true; any;) {
        any = false;
        for (uint32_t i = 0; i < sim->config.nodes_count; i++)
            for (uint32_t j = 0; j < sim->config.nodes_count; j++)
                if (reached[i] && !reached[j] && is_linked(sim, i, j) && wants(sim, j, author))
                    reached[j] = any = true;
    }
}

static bool holds_the_same(struct sim *sim, uint32_t node, uint32_t author, char *why,
                           size_t why_size) {
    const struct sim_node *own = &sim->nodes[author], *other = &sim->nodes[node];
    struct parley_node_log at_author, here;
    struct parley_hash digest_author, digest_here;
    if (!parley_node_log_find(own->core, &own->log, &at_author))
        return false;
    if (!parley_node_log_find(other->core, &own->log, &here)) {
        snprintf(why, why_size, "n%u does not know the log of n%u", node, author);
        return false;
    }
    if (here.head_seq != at_author.head_seq || !PARLEY_EQUAL(here.head_id, at_author.head_id)) {
        const struct parley_run *top = &here.ranges.ranges[0];
        snprintf(why, why_size, "n%u has n%u up to %llu of %llu; %u ranges, top %llu to %llu%s",
                 node, author, (unsigned long long)here.head_seq,
                 (unsigned long long)at_author.head_seq, here.ranges.count,
                 (unsigned long long)top->lo, (unsigned long long)top->hi,
                 top->hi_is_signed ? ", signed" : "");
        return false;
    }
    parley_node_digest(own->core, &own->author, 1, &digest_author);
    parley_node_digest(other->core, &own->author, 1, &digest_here);
    if (!PARLEY_EQUAL(digest_author, digest_here)) {
        snprintf(why, why_size, "n%u has holes in n%u: %u ranges", node, author, here.ranges.count);
        return false;
    }
    return true;
}

bool settled(struct sim *sim, char *why, size_t why_size) {
    snprintf(why, why_size, "not every node is up and idle");
    for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
        struct parley_node_status status;
        if (sim->nodes[i].core == NULL)
            return false;
        parley_node_status(sim->nodes[i].core, &status);
        if (!status.is_writable || status.stores_in_flight != 0)
            return false;
    }
    for (uint32_t author = 0; author < sim->config.nodes_count; author++) {
        bool reached[SIM_NODES_MAX];
        if (!sim->nodes[author].has_author)
            continue;
        reach(sim, author, reached);
        for (uint32_t node = 0; node < sim->config.nodes_count; node++)
            if (reached[node] && !holds_the_same(sim, node, author, why, why_size))
                return false;
    }
    snprintf(why, why_size, "an owner waits for an answer");
    return people_are_done(sim);
}

/* --- the disks ----------------------------------------------------------------------------- */

static void check_chunk_ids(struct sim *sim, uint32_t node, const struct parley_chunk *chunk) {
    struct parley_chunk_cursor cursor;
    struct parley_entry entry;
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next(&cursor, &entry)) {
        if (!entry.has_body)
            sim_fail(sim, "n%u lost the body of seq %llu", node,
                     (unsigned long long)entry.header.seq);
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
        if (judged.needs_check && !parley_check_holds(&judged.check))
            sim_fail(sim, "n%u holds a signature that does not verify", node);
        check_chunk_ids(sim, node, &judged.chunk);
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

void settled_check_disks(struct sim *sim) {
    for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
        struct disk_check check = {sim, i};
        struct parley_store_visitor visitor = {.context = &check, .on_log = on_log};
        if (parley_store_load(sim->nodes[i].disk.store, &visitor) != PARLEY_E_OK)
            sim_fail(sim, "the disk of n%u cannot be read", i);
        check_after_load(sim, i);
    }
}
