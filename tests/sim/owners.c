#include "sim.h"

#include <stdlib.h>

/* What an owner says with the root: closing a log at the newest entry that he knows is kept,
 * rotating, going on with a new device. The records are made here and brought to his node as the
 * owner's commands would. */

#define GENERATIONS_USED 6u /* a rotation reveals every root up to it: small ones are enough */

static struct parley_secret_key root_of(const struct sim_author *author, uint8_t generation) {
    struct parley_secret_key secret;
    struct parley_root_key key;
    parley_root_derive(&secret, &key, author->entropy, generation);
    return secret;
}

/* To a node of the person; at once. */
static void say(struct sim *sim, uint32_t author, struct parley_span record) {
    struct sim_piece_made *piece = piece_record(sim, author, record);
    uint32_t home = author_home(sim, author);
    if (home != SIM_NOBODY)
        piece->node = home;
    piece->at = sim->now;
}

void owner_certifies(struct sim *sim, uint32_t log) {
    const struct sim_log *of = &sim->logs[log];
    const struct sim_author *author = &sim->authors[of->author];
    struct parley_secret_key root = root_of(author, author->generation);
    uint8_t bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_span record;
    if (parley_certificate_make(&record, bytes, sizeof bytes, &root, &of->device, &author->author,
                                author->generation) != PARLEY_E_OK)
        abort();
    say(sim, of->author, record);
}

/* What the owner takes for the log's end: the newest that he was told is kept. Where his own nodes
 * forked it, whatever one of them holds as its head. */
static struct parley_anchor end_of(struct sim *sim, const struct sim_log *log) {
    struct parley_node_log row;
    if (log->is_ended)
        return log->end;
    if (log->kind != LOG_TORN)
        return log->tip;
    uint32_t host = log->host;
    if (sim->nodes[host].core != NULL &&
        parley_node_log_find(sim->nodes[host].core, &log->log, &row) && row.head_seq > 0)
        return (struct parley_anchor){row.head_seq, row.head_id};
    return (struct parley_anchor){0};
}

static void end_at(struct sim_log *log, const struct parley_anchor *end) {
    log->is_ended = true;
    log->end = *end;
}

/* Every node that writes the log, but `keeps`, goes on with another device. */
static void replace_device(struct sim *sim, uint32_t log, uint32_t keeps) {
    for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
        const struct sim_node *host = &sim->nodes[i];
        if (i == keeps || !host->has_author || host->log != log)
            continue;
        uint32_t new = log_add(sim, sim->logs[log].author, i, LOG_HONEST);
        if (new == SIM_NOBODY)
            continue;
        fault_fired(sim, BAD_NEW_DEVICE);
        sim->nodes[i].log = new;
        owner_certifies(sim, new);
        if (sim->nodes[i].core == NULL)
            continue; /* it boots with the new one as it is */
        host_kill(sim, i);
        host_boot(sim, i, sim_below(sim, 2000));
    }
}

void owner_closes(struct sim *sim, uint32_t log) {
    struct sim_log *of = &sim->logs[log];
    const struct sim_author *author = &sim->authors[of->author];
    struct parley_secret_key root = root_of(author, author->generation);
    struct parley_anchor end = end_of(sim, of);
    uint8_t bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_span record;
    if (of->is_ended)
        return;
    if (parley_closing_make(&record, bytes, sizeof bytes, &root, &author->author,
                            author->generation, &of->device_key, end.seq, &end.id) != PARLEY_E_OK)
        abort();
    end_at(of, &end);
    fault_fired(sim, BAD_OWNER_CLOSES);
    trace_say(sim, "the owner of log %u closes it at %llu", log, (unsigned long long)end.seq);
    say(sim, of->author, record);
    replace_device(sim, log, SIM_NOBODY);
}

/* Every log that an own node writes or wrote. */
static size_t list_logs(struct sim *sim, uint32_t author, struct parley_listing *listings) {
    size_t count = 0;
    for (uint32_t i = 0; i < sim->logs_count; i++) {
        struct sim_log *log = &sim->logs[i];
        if (log->author != author || log->kind == LOG_FORGED)
            continue;
        struct parley_anchor at = end_of(sim, log);
        bool is_doubtful = log->kind == LOG_STOLEN || log->kind == LOG_TORN;
        if (!log->is_ended && is_doubtful && (at.seq == 0 || !sim_chance(sim, 3)))
            end_at(log, &at);
        log->listed = at;
        listings[count++] = (struct parley_listing){
            .ended = log->is_ended, .device = log->device_key, .seq = at.seq, .id = at.id};
    }
    parley_listings_sort(listings, count);
    return count;
}

static void say_rotation(struct sim *sim, uint32_t author) {
    static uint8_t bytes[PARLEY_RECORD_BYTES_MAX];
    struct sim_author *of = &sim->authors[author];
    struct parley_listing listings[SIM_LOGS_MAX];
    struct parley_span record;
    size_t count = list_logs(sim, author, listings);
    if (parley_rotation_make(&record, bytes, sizeof bytes, of->entropy, of->generation, listings,
                             count) != PARLEY_E_OK)
        abort();
    fault_fired(sim, BAD_OWNER_ROTATES);
    trace_say(sim, "the owner of author %u rotates to %u, %zu logs", author, of->generation, count);
    say(sim, author, record);
}

void owner_rotates(struct sim *sim, uint32_t author) {
    struct sim_author *of = &sim->authors[author];
    if (of->generation + 1u == GENERATIONS_USED)
        return;
    of->generation++;
    say_rotation(sim, author);
    for (uint32_t i = 0; i < sim->logs_count; i++)
        if (sim->logs[i].author == author && sim->logs[i].is_ended)
            replace_device(sim, i, SIM_NOBODY);
        else if (sim->logs[i].author == author && sim->logs[i].kind == LOG_TORN)
            replace_device(sim, i, sim->logs[i].host); /* it goes on with that one's branch */
}

/* The same words on two machines: whichever list counts, it lists the owner's own chains. */
static void rotate_twice(struct sim *sim, uint32_t author) {
    for (uint32_t i = 0; i < sim->logs_count; i++)
        if (sim->logs[i].author == author &&
            (sim->logs[i].kind != LOG_HONEST || sim->logs[i].is_ended))
            return;
    if (sim->authors[author].stolen_roots != 0)
        return;
    owner_rotates(sim, author);
    say_rotation(sim, author);
    fault_fired(sim, BAD_OWNER_ROTATES_TWICE);
}

static bool is_troubled(struct sim *sim, uint32_t node) {
    const struct sim_log *log = &sim->logs[sim->nodes[node].log];
    struct parley_node_log row;
    if (log->kind != LOG_HONEST || author_is_lost(sim, log->author))
        return true;
    return parley_node_log_find(sim->nodes[node].core, &log->log, &row) && row.forked != 0;
}

void owner_acts(struct sim *sim, uint32_t node) {
    const struct sim_node *host = &sim->nodes[node];
    struct sim_author *author = &sim->authors[host->author];
    if (sim->now < author->act_at)
        return;
    author->act_at = sim->now + 5000 + sim_below(sim, 60000);
    bool is_lost = author_is_lost(sim, host->author), is_troubled_now = is_troubled(sim, node);
    if (!is_troubled_now && !sim_chance(sim, 5))
        return;
    if (sim->enabled[BAD_OWNER_ROTATES_TWICE] && sim_chance(sim, 4))
        rotate_twice(sim, host->author);
    else if (sim->enabled[BAD_OWNER_ROTATES] && (is_lost || sim_chance(sim, 2)))
        owner_rotates(sim, host->author);
    else if (sim->enabled[BAD_OWNER_CLOSES])
        owner_closes(sim, host->log);
}
