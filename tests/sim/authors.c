#include "sim.h"

/* Persons and their devices. What a person or a thief says is made by hand, from the same keys that
 * honest nodes hold. */

uint32_t author_add(struct sim *sim) {
    if (sim->authors_count == SIM_AUTHORS_MAX)
        return SIM_NOBODY;
    struct sim_author *author = &sim->authors[sim->authors_count];
    parley_random_bytes(&sim->random, author->entropy, sizeof author->entropy);
    parley_author_derive(&author->author, author->entropy);
    return sim->authors_count++;
}

static struct sim_log *log_take(struct sim *sim, uint32_t author, uint32_t host,
                                enum sim_log_kind kind) {
    if (sim->logs_count == SIM_LOGS_MAX)
        return NULL;
    struct sim_log *log = &sim->logs[sim->logs_count++];
    *log = (struct sim_log){.author = author, .host = host, .kind = kind};
    return log;
}

uint32_t log_add(struct sim *sim, uint32_t author, uint32_t host, enum sim_log_kind kind) {
    struct sim_log *log = log_take(sim, author, host, kind);
    struct parley_seed seed;
    if (log == NULL)
        return SIM_NOBODY;
    parley_random_bytes(&sim->random, seed.bytes, sizeof seed.bytes);
    parley_key_pair(&log->device, log->device_key.bytes, &seed);
    parley_log_derive(&log->log, &sim->authors[author].author, &log->device_key);
    return sim->logs_count - 1;
}

uint32_t log_adopt(struct sim *sim, uint32_t author, uint32_t of) {
    struct sim_log *log = log_take(sim, author, SIM_NOBODY, LOG_FORGED);
    if (log == NULL)
        return SIM_NOBODY;
    log->device = sim->logs[of].device;
    log->device_key = sim->logs[of].device_key;
    parley_log_derive(&log->log, &sim->authors[author].author, &log->device_key);
    return sim->logs_count - 1;
}

uint32_t log_of(const struct sim *sim, const struct parley_log *log) {
    for (uint32_t i = 0; i < sim->logs_count; i++)
        if (PARLEY_EQUAL(sim->logs[i].log, *log))
            return i;
    return SIM_NOBODY;
}

uint32_t author_of(const struct sim *sim, const struct parley_author *author) {
    for (uint32_t i = 0; i < sim->authors_count; i++)
        if (PARLEY_EQUAL(sim->authors[i].author, *author))
            return i;
    return SIM_NOBODY;
}

uint32_t author_home(const struct sim *sim, uint32_t author) {
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        if (sim->nodes[i].author == author)
            return i;
    return SIM_NOBODY;
}

bool author_is_lost(const struct sim *sim, uint32_t author) {
    const struct sim_author *of = &sim->authors[author];
    return of->is_bad || (of->stolen_roots >> of->generation & 1) != 0;
}
