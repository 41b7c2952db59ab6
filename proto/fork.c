#include <parley/fork.h>

/* ---- one branch, statement by statement */

struct walker {
    const struct parley_branch *branch;
    size_t chunk_index;
    struct parley_chunk_cursor cursor;
    size_t signed_index; /* the lowest own signature at or above the statement */
    bool is_first;       /* the prev of the first entry is still to be said */
    parley_seq seq;      /* of the statement; 0 when there is none left */
    struct parley_id id;
};

static parley_seq branch_lo(const struct parley_branch *branch) {
    return branch->chunks[0].seq_first;
}

static parley_seq branch_hi(const struct parley_branch *branch) {
    return parley_chunk_seq_last(&branch->chunks[branch->chunks_count - 1]);
}

static bool next_entry(struct walker *walker, struct parley_entry *entry) {
    while (!parley_chunk_next(&walker->cursor, entry)) {
        if (++walker->chunk_index == walker->branch->chunks_count)
            return false;
        parley_chunk_start(&walker->cursor, &walker->branch->chunks[walker->chunk_index]);
    }
    return true;
}

static void next_statement(struct walker *walker) {
    struct parley_entry entry;
    if (walker->is_first) {
        walker->is_first = false;
        walker->seq = branch_lo(walker->branch) - 1;
        walker->id = walker->branch->chunks[0].prev_first;
        if (walker->seq > 0)
            return;
    }
    walker->seq = 0;
    if (!next_entry(walker, &entry))
        return;
    walker->seq = entry.header.seq;
    walker->id = entry.id;
}

static void start(struct walker *walker, const struct parley_branch *branch) {
    assert(branch->chunks_count > 0 && branch->signed_count > 0);
    *walker = (struct walker){.branch = branch, .is_first = true};
    parley_chunk_start(&walker->cursor, &branch->chunks[0]);
    next_statement(walker);
}

/* The lowest own signature by which this statement is authentic, 0 when none reaches it. An entry
 * stands at most REACH below it; its prev names one more. What is at or below the policy's seq
 * states nothing: that is settled. */
static parley_seq authentic_by(struct walker *walker, parley_seq named) {
    const struct parley_branch *branch = walker->branch;
    bool is_entry = walker->seq >= branch_lo(branch) && walker->seq > named;
    parley_seq lowest = is_entry ? walker->seq : walker->seq + 1;
    while (walker->signed_index < branch->signed_count &&
           branch->signed_seqs[walker->signed_index] < lowest)
        walker->signed_index++;
    if (walker->signed_index == branch->signed_count)
        return 0;
    parley_seq by = branch->signed_seqs[walker->signed_index];
    return by <= branch_hi(branch) && by <= walker->seq + 1 + PARLEY_EVIDENCE_REACH ? by : 0;
}

/* ---- the lowest seq with two ids */

/* One of the ids that are said of a seq, and the shortest piece that says it. */
struct said {
    struct parley_id id;
    parley_seq by; /* 0: the policy says it */
    size_t branch;
};

struct saids {
    struct said said[PARLEY_BRANCHES_MAX + 1];
    size_t count;
};

/* Of those that say the same the one with the nearest signature stays. */
static void say(struct saids *saids, const struct parley_id *id, parley_seq by, size_t branch) {
    for (size_t i = 0; i < saids->count; i++) {
        if (!PARLEY_EQUAL(saids->said[i].id, *id))
            continue;
        if (by < saids->said[i].by) {
            saids->said[i].by = by;
            saids->said[i].branch = branch;
        }
        return;
    }
    saids->said[saids->count++] = (struct said){*id, by, branch};
}

static parley_seq lowest_seq(const struct walker *walkers, size_t count) {
    parley_seq lowest = 0;
    for (size_t i = 0; i < count; i++)
        if (walkers[i].seq > 0 && (lowest == 0 || walkers[i].seq < lowest))
            lowest = walkers[i].seq;
    return lowest;
}

/* All that is said of one seq; walkers that stand there go on. */
static void gather(struct saids *saids, struct walker *walkers, size_t count, parley_seq seq,
                   const struct parley_policy *policy) {
    saids->count = 0;
    if (seq == policy->seq)
        say(saids, &policy->id, 0, 0);
    for (size_t i = 0; i < count; i++) {
        if (walkers[i].seq != seq)
            continue;
        parley_seq by = seq < policy->seq ? 0 : authentic_by(&walkers[i], policy->seq);
        if (by > 0)
            say(saids, &walkers[i].id, by, i);
        next_statement(&walkers[i]);
    }
}

static const struct said *nearest(const struct saids *saids, const struct said *but) {
    const struct said *best = NULL;
    for (size_t i = 0; i < saids->count; i++) {
        const struct said *said = &saids->said[i];
        if (said != but && (best == NULL || said->by < best->by))
            best = said;
    }
    return best;
}

/* Down to the forked entry itself where it is here and in reach, else to the one whose prev names
 * it. */
static void add_piece(struct parley_fork *fork, const struct parley_branch *branches,
                      const struct said *said, parley_seq named) {
    if (said->by == 0)
        return;
    parley_seq from = fork->raw;
    if (from < branch_lo(&branches[said->branch]) || from <= named ||
        said->by - from > PARLEY_EVIDENCE_REACH)
        from++;
    fork->pieces[fork->pieces_count++] = (struct parley_fork_piece){said->branch, from, said->by};
}

void parley_fork_find(struct parley_fork *fork, const struct parley_policy *policy,
                      const struct parley_branch *branches, size_t branches_count) {
    struct walker walkers[PARLEY_BRANCHES_MAX];
    struct saids saids;
    *fork = (struct parley_fork){0};
    assert(branches_count <= PARLEY_BRANCHES_MAX);
    if (policy->kind != PARLEY_POLICY_OPEN)
        return;
    for (size_t i = 0; i < branches_count; i++)
        start(&walkers[i], &branches[i]);
    for (parley_seq seq; (seq = lowest_seq(walkers, branches_count)) > 0;) {
        gather(&saids, walkers, branches_count, seq, policy);
        if (saids.count < 2)
            continue;
        fork->raw = seq;
        fork->seq = seq > policy->seq ? seq : policy->seq + 1;
        const struct said *first = nearest(&saids, NULL);
        add_piece(fork, branches, first, policy->seq);
        add_piece(fork, branches, nearest(&saids, first), policy->seq);
        return;
    }
}

/* ---- evidence to send */

static const struct parley_chunk *chunk_with(const struct parley_branch *branch, parley_seq seq) {
    for (size_t i = 0; i < branch->chunks_count; i++)
        if (seq <= parley_chunk_seq_last(&branch->chunks[i]))
            return &branch->chunks[i];
    return NULL;
}

bool parley_fork_evidence(struct parley_span *out, uint8_t *data, size_t size_max,
                          const struct parley_branch *branches,
                          const struct parley_fork_piece *piece, parley_seq *to) {
    *out = PARLEY_NO_SPAN;
    if (*to < piece->from)
        return false;
    const struct parley_chunk *chunk = chunk_with(&branches[piece->branch], *to);
    assert(chunk != NULL && chunk->seq_first <= *to);
    parley_seq from = chunk->seq_first > piece->from ? chunk->seq_first : piece->from;
    /* Short bodies give way to longer hashes: what does not fit is cut in halves. */
    while (parley_chunk_slice(out, data, size_max, chunk, from, *to, false) != PARLEY_E_OK) {
        assert(from < *to);
        from += (*to - from + 1) / 2;
    }
    *to = from - 1;
    return true;
}
