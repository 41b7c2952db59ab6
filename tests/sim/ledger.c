#include "sim.h"

#include <stdlib.h>

/* The ledger is kept outside of all nodes: which entries there are, on whose disk, which of them
 * their author was told are kept. */

struct sim_known *ledger_find(struct sim_log *log, parley_seq seq, const struct parley_id *id) {
    for (size_t i = log->known_count; i-- > 0;)
        if (log->known[i].seq == seq && (id == NULL || PARLEY_EQUAL(log->known[i].id, *id)))
            return &log->known[i];
    return NULL;
}

struct sim_known *ledger_take(struct sim_log *log, parley_seq seq, const struct parley_id *id) {
    struct sim_known *known = ledger_find(log, seq, id);
    if (known != NULL)
        return known;
    if (log->known_count == log->known_max) {
        log->known_max = log->known_max == 0 ? 256 : log->known_max * 2;
        log->known = realloc(log->known, log->known_max * sizeof *log->known);
        if (log->known == NULL)
            abort();
    }
    known = &log->known[log->known_count++];
    *known = (struct sim_known){.seq = seq, .id = *id};
    return known;
}

void ledger_forget_node(struct sim *sim, uint32_t node) {
    for (uint32_t i = 0; i < sim->logs_count; i++)
        for (size_t j = 0; j < sim->logs[i].known_count; j++)
            sim->logs[i].known[j].durable_on &= ~(UINT32_C(1) << node);
}
