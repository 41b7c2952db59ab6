#include "words.h"

#include <stdio.h>
#include <stdlib.h>

/* Bodies: which may be missing, and which must be gone. A header that came alone is of use at once;
 * its body follows as long as somebody asks for it, so what is at rest has all that can be had. */

static bool may_be_missing(const struct sim_known *known) {
    return known != NULL && known->is_taken_back;
}

static bool on_body(void *context, const struct parley_store_log *log,
                    const struct parley_entry *entry, const struct parley_timeline_place *place,
                    parley_time_ms received_ms) {
    *(bool *)context = entry->has_body;
    return false;
}

static bool has_body(struct sim *sim, uint32_t node, const struct sim_log *log, parley_seq seq) {
    bool has = false;
    return parley_store_entries(sim->nodes[node].disk.store, &log->log, seq, seq, on_body, &has) ==
               PARLEY_E_OK &&
           has;
}

void words_check(struct sim *sim, uint32_t node, struct sim_log *log,
                 const struct parley_store_log *held, const struct parley_entry *entry) {
    parley_seq seq = entry->header.seq;
    const struct sim_known *known = ledger_find(log, seq, &entry->id);
    bool is_lacking = seq >= held->lacks_low && seq <= held->lacks_high;
    if (!entry->has_body && !may_be_missing(known) && !is_lacking)
        sim_fail(sim, "n%u lost the body of seq %llu", node, (unsigned long long)seq);
    if (entry->has_body && known != NULL && known->erased_by != 0 && held->erase_ms == 0 &&
        parley_ranges_covers(&held->ranges, known->erased_by) &&
        has_body(sim, node, log, known->erased_by))
        sim_fail(sim, "n%u still has the body of seq %llu, which %llu erased", node,
                 (unsigned long long)seq, (unsigned long long)known->erased_by);
}

/* --- at rest ------------------------------------------------------------------------------- */

struct bodies {
    struct sim_log *log;
    parley_seq highest;
    uint32_t node;
    uint32_t *has, *lacks; /* by seq; bit of each node */
};

static bool on_entry(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received_ms) {
    const struct bodies *bodies = context;
    parley_seq seq = entry->header.seq;
    if (seq > bodies->highest)
        return false;
    if (entry->has_body)
        bodies->has[seq] |= UINT32_C(1) << bodies->node;
    else if (!may_be_missing(ledger_find(bodies->log, seq, &entry->id)))
        bodies->lacks[seq] |= UINT32_C(1) << bodies->node;
    return true;
}

/* Who wants the author lacks nothing that somebody has who reaches them. */
static bool seq_is_whole(const struct sim *sim, const struct bodies *bodies, parley_seq seq,
                         char *why, size_t why_size) {
    uint32_t author = bodies->log->author;
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        for (uint32_t j = 0; j < sim->config.nodes_count; j++)
            if ((bodies->lacks[seq] >> i & 1) != 0 && (bodies->has[seq] >> j & 1) != 0 &&
                settled_wants(sim, i, author) && settled_wants(sim, j, author) &&
                settled_reaches(sim, j, i, author)) {
                snprintf(why, why_size, "n%u lacks the body of seq %llu of n%u, which n%u has", i,
                         (unsigned long long)seq, bodies->log->host, j);
                return false;
            }
    return true;
}

static bool log_is_whole(struct sim *sim, struct sim_log *log, char *why, size_t why_size) {
    struct bodies bodies = {.log = log, .highest = log->known_highest};
    if (log->is_ended && log->end.seq < bodies.highest)
        bodies.highest = log->end.seq; /* nobody asks for what is above the end */
    size_t size = (size_t)bodies.highest + 1;
    bodies.has = calloc(2 * size, sizeof *bodies.has);
    if (bodies.has == NULL)
        abort();
    bodies.lacks = bodies.has + size;
    bool is_whole = true;
    for (bodies.node = 0; is_whole && bodies.node < sim->config.nodes_count; bodies.node++) {
        enum parley_error error = parley_store_entries(
            sim->nodes[bodies.node].disk.store, &log->log, 1, PARLEY_SEQ_MAX, on_entry, &bodies);
        is_whole = error == PARLEY_E_OK || error == PARLEY_E_NOT_FOUND;
    }
    if (!is_whole)
        snprintf(why, why_size, "a disk cannot be read");
    for (parley_seq seq = 1; is_whole && seq < size; seq++)
        is_whole = seq_is_whole(sim, &bodies, seq, why, why_size);
    free(bodies.has);
    return is_whole;
}

bool words_are_whole(struct sim *sim, char *why, size_t why_size) {
    for (uint32_t log = 0; log < sim->logs_count; log++)
        if (sim->logs[log].kind == LOG_HONEST &&
            sim->authors[sim->logs[log].author].stolen_roots == 0 &&
            !log_is_whole(sim, &sim->logs[log], why, why_size))
            return false;
    return true;
}
