/* What holds between the parts of a node after every step: the simulator and the fuzzed world ask
 * after each one. Cost: by peers, logs and tasks. */
#include "internal.h"

/* What is in use, counted once: a peer's own are looked for only when there are any. */
struct in_use {
    size_t jobs, serves, fetches;
};

static struct in_use count_in_use(const struct parley_node *node) {
    struct in_use all = {0};
    for (size_t i = 0; i < PARLEY_JOBS_MAX; i++)
        all.jobs += node->jobs[i].state != JOB_FREE;
    for (size_t i = 0; i < PARLEY_SERVES_MAX; i++)
        all.serves += node->serves[i].is_used;
    for (size_t i = 0; i < PARLEY_FETCHES_MAX; i++)
        all.fetches += node->fetches[i].is_used;
    return all;
}

static void check_peer(const struct parley_node *node, uint32_t slot, const struct in_use *all) {
    const struct peer *peer = &node->peers[slot];
    uint32_t jobs = 0, serves = 0, fetches = 0;
    for (size_t i = 0; all->jobs > 0 && i < PARLEY_JOBS_MAX; i++)
        jobs += node->jobs[i].state != JOB_FREE && node->jobs[i].peer == slot;
    for (size_t i = 0; all->serves > 0 && i < PARLEY_SERVES_MAX; i++)
        serves += node->serves[i].is_used && node->serves[i].peer == slot;
    for (size_t i = 0; all->fetches > 0 && i < PARLEY_FETCHES_MAX; i++)
        fetches += node->fetches[i].is_used && node->fetches[i].peer == slot;
    assert(jobs == peer->jobs_count && serves == peer->serves_count &&
           fetches == peer->fetches_count);
    assert(peer->sent_bytes >= peer->unsent_bytes);
}

static void check_peers(const struct parley_node *node) {
    sessions_check(node);
    struct in_use all = count_in_use(node);
    size_t unsent = 0;
    assert(PARLEY_JOBS_MAX - all.jobs == node->jobs_free && all.serves == node->serves_count);
    for (uint32_t p = 0; p < node->peers_count; p++) {
        if (node->peers[p].phase == PEER_FREE)
            continue;
        check_peer(node, p, &all);
        unsent += node->peers[p].unsent_bytes;
    }
    assert(unsent == node->unsent_bytes);
}

/* Two hashes a log would be most of what a simulated step costs: a name never changes in its row,
 * so each step looks at one. */
static bool is_derived(const struct parley_node *node, const struct log_row *row) {
    struct parley_log log;
    parley_log_derive(&log, &node->authors[row->author].set.author, &row->device);
    return PARLEY_EQUAL(log, row->log);
}

static void check_logs(const struct parley_node *node) {
    uint64_t entries = 0;
    size_t unreviewed = 0;
    uint32_t turn = node->logs_count == 0 ? 0 : (uint32_t)(node->now % node->logs_count);
    for (uint32_t i = 0; i < node->logs_count; i++) {
        const struct log_row *row = &node->logs[i];
        if (row->is_free)
            continue;
        assert(log_find(node, &row->log) == i);
        assert(parley_ranges_is_valid(&row->ranges));
        assert(i != turn || is_derived(node, row));
        /* What is announced is held, and was accepted before. */
        assert(row->durable.seq == 0 || node->is_failed ||
               parley_ranges_covers(&row->ranges, row->durable.seq));
        assert(row->fetch == NONE || node->fetches[row->fetch].log == i);
        entries += row->entries_count;
        unreviewed += row->is_unreviewed;
        assert(!row->is_unreviewed || row->is_doubted);
    }
    assert(entries == node->entries_count && unreviewed == node->unreviewed_count);
}

void parley_node_check_invariants(const struct parley_node *node) {
    check_peers(node);
    check_logs(node);
    views_invariants(node);
    quota_check_invariants(node);
    parley_gossip_check(&node->tree.gossip);
    size_t bytes = 0, staged = 0;
    for (uint64_t i = node->stores_head; i < node->stores_tail; i++) {
        bytes += node->stores[i % PARLEY_STORES_MAX].bytes;
        staged += node->stores[i % PARLEY_STORES_MAX].stage_size;
    }
    assert(bytes == node->store_bytes && staged == node->stage_used);
}
