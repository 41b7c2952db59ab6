#include "words.h"

#include <assert.h>
#include <parley/digest.h>
#include <stdio.h>

/* What must hold once nothing goes wrong any more: nodes that want an author and reach one another
 * through nodes that carry him hold the same of him: policies, forks, heads, digests, records, and
 * the bodies that there are. */

bool settled_wants(const struct sim *sim, uint32_t node, uint32_t author) {
    struct parley_node_author row;
    for (size_t i = 0; parley_node_author_at(sim->nodes[node].core, i, &row); i++)
        if (PARLEY_EQUAL(row.author, sim->authors[author].author))
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

/* Spreads from one node over links of nodes that want the author. */
static void reach(const struct sim *sim, uint32_t from, const bool wants[SIM_NODES_MAX],
                  bool reached[SIM_NODES_MAX]) {
    memset(reached, 0, SIM_NODES_MAX * sizeof *reached);
    reached[from] = true;
    for (bool any = true; any;) {
        any = false;
        for (uint32_t i = 0; i < sim->config.nodes_count; i++)
            for (uint32_t j = 0; j < sim->config.nodes_count; j++)
                if (reached[i] && !reached[j] && wants[j] && is_linked(sim, i, j))
                    reached[j] = any = true;
    }
}

/* --- two nodes ----------------------------------------------------------------------------- */

struct pair {
    struct sim *sim;
    uint32_t a, b, author;
    char *why;
    size_t why_size;
};

static size_t say_ranges(char *out, size_t size, const struct parley_ranges *ranges) {
    size_t at = 0;
    for (size_t i = 0; i < ranges->count && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%llu-%llu%s", i == 0 ? "" : ",",
                               (unsigned long long)ranges->ranges[i].lo,
                               (unsigned long long)ranges->ranges[i].hi,
                               ranges->ranges[i].hi_is_signed ? "" : " unsigned");
    return at < size ? at : size;
}

static size_t say_row(char *out, size_t size, const struct parley_node_log *row) {
    size_t at =
        (size_t)snprintf(out, size, "; policy %d at %llu, forked %llu, head %llu, holds ",
                         (int)row->policy.kind, (unsigned long long)row->policy.seq,
                         (unsigned long long)row->forked, (unsigned long long)row->head_seq);
    at = at < size ? at : size;
    at += say_ranges(out + at, size - at, &row->ranges);
    at += (size_t)snprintf(out + at, size - at, ", good ");
    at = at < size ? at : size;
    return at + say_ranges(out + at, size - at, &row->good);
}

static void say_log(const struct pair *pair, uint32_t log, const char *what,
                    const struct parley_node_log *a, const struct parley_node_log *b) {
    bool is_honest = pair->sim->logs[log].kind == LOG_HONEST;
    size_t at = (size_t)snprintf(pair->why, pair->why_size, "n%u and n%u: %s of log %u (%s)",
                                 pair->a, pair->b, what, log, is_honest ? "honest" : "not honest");
    assert(at < pair->why_size);
    at += say_row(pair->why + at, pair->why_size - at, a);
    (void)say_row(pair->why + at, pair->why_size - at, b);
}

static bool counts_equally(const struct parley_node_log *a, const struct parley_node_log *b) {
    struct parley_digest_range of_a[PARLEY_DIGEST_RANGES_MAX], of_b[PARLEY_DIGEST_RANGES_MAX];
    size_t count = parley_digest_counted(of_a, &a->good, &a->policy);
    bool is_equal = count == parley_digest_counted(of_b, &b->good, &b->policy);
    for (size_t i = 0; is_equal && i < count; i++)
        is_equal = of_a[i].lo == of_b[i].lo && of_a[i].hi == of_b[i].hi &&
                   PARLEY_EQUAL(of_a[i].hi_id, of_b[i].hi_id);
    return is_equal;
}

static void row_of(const struct pair *pair, uint32_t node, uint32_t log,
                   struct parley_node_log *row) {
    *row = (struct parley_node_log){.policy = PARLEY_NO_POLICY};
    (void)parley_node_log_find(pair->sim->nodes[node].core, &pair->sim->logs[log].log, row);
}

static bool logs_agree(const struct pair *pair, uint32_t log) {
    struct parley_node_log a, b;
    const char *what = NULL;
    row_of(pair, pair->a, log, &a);
    row_of(pair, pair->b, log, &b);
    if (!parley_policy_equal(&a.policy, &b.policy))
        what = "policies";
    else if (a.forked != b.forked)
        what = "forked seqs";
    else if (a.head_seq != b.head_seq || !PARLEY_EQUAL(a.head_id, b.head_id))
        what = "heads";
    else if (!counts_equally(&a, &b))
        what = "counted stretches";
    if (what != NULL)
        say_log(pair, log, what, &a, &b);
    return what == NULL;
}

static bool digests_agree(const struct pair *pair) {
    const struct parley_author *author = &pair->sim->authors[pair->author].author;
    struct parley_hash a, b;
    parley_node_digest(pair->sim->nodes[pair->a].core, author, 1, &a);
    parley_node_digest(pair->sim->nodes[pair->b].core, author, 1, &b);
    if (!PARLEY_EQUAL(a, b))
        snprintf(pair->why, pair->why_size, "n%u and n%u: digests of author %u", pair->a, pair->b,
                 pair->author);
    return PARLEY_EQUAL(a, b);
}

/* The hash of every record of the author, one after the other as the store has them. */
static void records_hash(const struct pair *pair, uint32_t node, struct parley_hash *out) {
    struct parley_store *store = pair->sim->nodes[node].disk.store;
    struct parley_hasher hasher;
    struct parley_span records;
    size_t skip = 0, count;
    parley_hash_init(&hasher, PARLEY_DOMAIN_SET);
    while (parley_store_read_records(store, &pair->sim->authors[pair->author].author, skip,
                                     pair->sim->scratch, PARLEY_MESSAGE_BYTES_MAX, &records,
                                     &count) == PARLEY_E_OK) {
        parley_hash_add(&hasher, records.data, records.size);
        skip += count;
    }
    parley_hash_finish(&hasher, out->bytes);
}

static bool records_agree(const struct pair *pair) {
    struct parley_hash a, b;
    records_hash(pair, pair->a, &a);
    records_hash(pair, pair->b, &b);
    if (!PARLEY_EQUAL(a, b))
        snprintf(pair->why, pair->why_size, "n%u and n%u: identity records of author %u", pair->a,
                 pair->b, pair->author);
    return PARLEY_EQUAL(a, b);
}

/* Whether what the node holds right below a hole that reaches to what is named is another entry
 * than what the other node of the pair, which holds the named one, has there. */
static bool is_other_below(const struct pair *pair, uint32_t node, uint32_t log,
                           const struct parley_node_log *row) {
    uint32_t other = pair->a == node ? pair->b : pair->a;
    struct parley_chunk chunk;
    struct parley_entry entry;
    struct parley_span bytes;
    struct parley_node_log theirs;
    row_of(pair, other, log, &theirs);
    if (!parley_ranges_covers(&theirs.good, row->policy.seq))
        return false;
    for (size_t i = 0; i < row->ranges.count; i++) {
        const struct parley_run *run = &row->ranges.ranges[i];
        if (run->hi >= row->policy.seq || !parley_ranges_covers(&theirs.good, run->hi))
            continue;
        return parley_store_read_run(pair->sim->nodes[other].disk.store, &pair->sim->logs[log].log,
                                     run->hi, run->hi, false, PARLEY_CHUNK_BYTES_MAX,
                                     pair->sim->scratch, &bytes) == PARLEY_E_OK &&
               parley_chunk_decode(&chunk, bytes).error == PARLEY_E_OK &&
               parley_chunk_find(&chunk, run->hi, &entry) && !PARLEY_EQUAL(entry.id, run->hi_id);
    }
    return false;
}

/* Whether the node writes the log, and has there another entry than the records name, or below
 * another than stands below that: what is its own never gives way (SPEC 6.11), and an owner who
 * lost the root cannot have it named either. */
static bool keeps_its_own(const struct pair *pair, uint32_t node, uint32_t log) {
    struct parley_node_log row;
    if (pair->sim->nodes[node].log != log || pair->sim->logs[log].kind == LOG_HONEST)
        return false;
    row_of(pair, node, log, &row);
    if (row.policy.seq == 0)
        return false;
    if (parley_ranges_covers(&row.ranges, row.policy.seq))
        return !parley_ranges_covers(&row.good, row.policy.seq);
    return is_other_below(pair, node, log, &row);
}

static bool nodes_agree(const struct pair *pair) {
    bool keeps = false;
    for (uint32_t log = 0; log < pair->sim->logs_count; log++) {
        if (pair->sim->logs[log].author != pair->author)
            continue;
        if (keeps_its_own(pair, pair->a, log) || keeps_its_own(pair, pair->b, log))
            keeps = true;
        else if (!logs_agree(pair, log))
            return false;
    }
    return (keeps || digests_agree(pair)) && records_agree(pair);
}

/* --- all of them --------------------------------------------------------------------------- */

bool settled_reaches(const struct sim *sim, uint32_t from, uint32_t to, uint32_t author) {
    bool wants[SIM_NODES_MAX] = {false}, reached[SIM_NODES_MAX];
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        wants[i] = settled_wants(sim, i, author);
    reach(sim, from, wants, reached);
    return reached[to];
}

static bool author_is_settled(struct sim *sim, uint32_t author, char *why, size_t why_size) {
    bool wants[SIM_NODES_MAX] = {false}, done[SIM_NODES_MAX] = {false};
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        wants[i] = settled_wants(sim, i, author);
    for (uint32_t from = 0; from < sim->config.nodes_count; from++) {
        bool reached[SIM_NODES_MAX];
        if (!wants[from] || done[from])
            continue;
        reach(sim, from, wants, reached);
        for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
            struct pair pair = {sim, from, i, author, why, why_size};
            done[i] |= reached[i];
            if (reached[i] && i != from && !nodes_agree(&pair))
                return false;
        }
    }
    return true;
}

static bool is_idle(const struct sim *sim, uint32_t node) {
    struct parley_node_status status;
    if (sim->nodes[node].core == NULL)
        return false;
    parley_node_status(sim->nodes[node].core, &status);
    return status.is_writable && !status.is_judging && status.stores_in_flight == 0;
}

bool settled(struct sim *sim, char *why, size_t why_size) {
    /* A node may be at work at this look by chance: what an earlier one saw tells more. */
    if (why[0] == '\0')
        snprintf(why, why_size, "not every node is up and idle");
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        if (!is_idle(sim, i))
            return false;
    snprintf(why, why_size, "an owner waits for an answer");
    if (!people_are_done(sim) || !pieces_are_delivered(sim))
        return false;
    for (uint32_t author = 0; author < sim->authors_count; author++)
        if (!author_is_settled(sim, author, why, why_size))
            return false;
    return words_are_whole(sim, why, why_size);
}
