#include "sim.h"

#include "../proto/identity_obvious.h"

#include <parley/digest.h>
#include <stdlib.h>

/* The verdicts on an identity set and on a log, written a second time: slowly, from all records and
 * all headers that a node has on its disk, with every own signature checked. What the node says
 * must be the same. SPEC 4.6, 4.7, 6.7 to 6.10, 10. */

/* --- what is held -------------------------------------------------------------------------- */

struct header {
    parley_seq seq;
    struct parley_id id, prev;
    struct header *below; /* the one that prev names, if it is held and has the seq before */
    bool is_signed;       /* its own signature holds */
    bool is_good, is_counted;
};

struct held {
    struct header *headers;
    size_t count, max;
    struct parley_policy policy;
    struct parley_anchor head;
    parley_seq forked;
};

static const struct parley_device_key *device_of(const struct sim *sim,
                                                 const struct parley_log *log) {
    return &sim->logs[log_of(sim, log)].device_key;
}

static void hold(struct sim *sim, struct held *held, const struct parley_entry *entry) {
    struct parley_check check;
    for (size_t i = 0; i < held->count; i++)
        if (PARLEY_EQUAL(held->headers[i].id, entry->id))
            return;
    if (held->count == held->max) {
        held->max = held->max == 0 ? 256 : held->max * 2;
        held->headers = realloc(held->headers, held->max * sizeof *held->headers);
        if (held->headers == NULL)
            abort();
    }
    parley_entry_check(&check, entry, device_of(sim, &entry->header.log));
    held->headers[held->count++] = (struct header){.seq = entry->header.seq,
                                                   .id = entry->id,
                                                   .prev = entry->header.prev,
                                                   .is_signed = host_check_holds(&check)};
}

struct holding {
    struct sim *sim;
    struct held *held;
};

static bool on_entry(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received_ms) {
    const struct holding *holding = context;
    hold(holding->sim, holding->held, entry);
    return true;
}

static int by_seq_and_id(const void *left, const void *right) {
    const struct header *a = left, *b = right;
    if (a->seq != b->seq)
        return a->seq < b->seq ? 1 : -1;
    return -PARLEY_COMPARE(a->id, b->id);
}

/* The ranges and the evidence, newest first. */
static void hold_all(struct sim *sim, uint32_t node, const struct parley_log *log,
                     struct held *held) {
    struct parley_store *store = sim->nodes[node].disk.store;
    struct holding holding = {sim, held};
    struct parley_span bytes;
    (void)!parley_store_entries(store, log, 1, PARLEY_SEQ_MAX, on_entry, &holding);
    for (size_t i = 0;
         parley_store_read_evidence(store, log, i, sim->scratch, &bytes) == PARLEY_E_OK; i++) {
        struct parley_chunk chunk;
        struct parley_chunk_cursor cursor;
        struct parley_entry entry;
        if (parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK)
            sim_fail(sim, "n%u holds evidence that does not decode", node);
        parley_chunk_start(&cursor, &chunk);
        while (parley_chunk_next(&cursor, &entry))
            hold(sim, held, &entry);
    }
    if (held->count == 0)
        return;
    qsort(held->headers, held->count, sizeof *held->headers, by_seq_and_id);
    for (size_t i = 0; i < held->count; i++)
        for (size_t j = i + 1; j < held->count && held->headers[j].seq + 1 >= held->headers[i].seq;
             j++)
            if (held->headers[j].seq + 1 == held->headers[i].seq &&
                PARLEY_EQUAL(held->headers[j].id, held->headers[i].prev))
                held->headers[i].below = &held->headers[j];
}

static struct header *find(struct held *held, parley_seq seq, const struct parley_id *id) {
    for (size_t i = 0; i < held->count; i++)
        if (held->headers[i].seq == seq && PARLEY_EQUAL(held->headers[i].id, *id))
            return &held->headers[i];
    return NULL;
}

/* --- the judge ----------------------------------------------------------------------------- */

/* What is said of each seq: one id, and whether a second one is said. */
struct said {
    struct parley_id id;
    bool is_said, is_twice;
};

static void say(struct said *said, parley_seq seq, const struct parley_id *id) {
    said[seq].is_twice |= said[seq].is_said && !PARLEY_EQUAL(said[seq].id, *id);
    said[seq].is_said = true;
    said[seq].id = *id;
}

static void say_below(struct said *said, const struct held *held, const struct header *top) {
    parley_seq named = held->policy.seq;
    for (const struct header *at = top; at != NULL; at = at->below) {
        if (at->seq <= named || top->seq - at->seq > PARLEY_EVIDENCE_REACH)
            return;
        say(said, at->seq, &at->id);
        if (at->seq > 1 && at->seq - 1 >= named)
            say(said, at->seq - 1, &at->prev);
    }
}

/* The lowest seq of which two things are said; hidden from there on, and above what is named. */
static parley_seq find_fork(const struct held *held) {
    parley_seq newest = held->policy.seq, raw = 0;
    for (size_t i = 0; i < held->count; i++)
        if (held->headers[i].seq > newest)
            newest = held->headers[i].seq;
    struct said *said = calloc(newest + 1, sizeof *said);
    if (said == NULL)
        abort();
    if (held->policy.seq > 0)
        say(said, held->policy.seq, &held->policy.id);
    for (size_t i = 0; i < held->count; i++)
        if (held->headers[i].is_signed && held->headers[i].seq > held->policy.seq)
            say_below(said, held, &held->headers[i]);
    for (parley_seq seq = 1; seq <= newest && raw == 0; seq++)
        raw = said[seq].is_twice ? seq : 0;
    free(said);
    return raw == 0 || raw > held->policy.seq ? raw : held->policy.seq + 1;
}

static void count_from(struct header *top, parley_seq above) {
    for (; top != NULL && top->seq > above; top = top->below)
        top->is_counted = true;
}

static void judge_open(struct held *held) {
    held->forked = find_fork(held);
    for (size_t i = 0; i < held->count; i++) {
        struct header *top = &held->headers[i];
        bool is_hidden = held->forked != 0 && top->seq >= held->forked;
        if (!top->is_signed || top->seq <= held->policy.seq || is_hidden)
            continue;
        held->head = (struct parley_anchor){top->seq, top->id};
        count_from(top, held->policy.seq);
        return;
    }
}

/* From policy and headers to fork, head and what is counted. */
static void judge(struct held *held) {
    const struct parley_policy *policy = &held->policy;
    struct header *named = policy->seq == 0 ? NULL : find(held, policy->seq, &policy->id);
    held->head = (struct parley_anchor){0};
    held->forked = 0;
    if (policy->kind == PARLEY_POLICY_VOID)
        return;
    if (named != NULL) {
        held->head = (struct parley_anchor){policy->seq, policy->id};
        count_from(named, 0);
    }
    if (policy->kind == PARLEY_POLICY_OPEN)
        judge_open(held);
}

/* False when nothing is counted. */
static bool digest_of(const struct held *held, const struct parley_log *log,
                      struct parley_hash *leaf) {
    struct parley_digest_range *ranges = calloc(held->count + 1, sizeof *ranges);
    size_t count = 0;
    if (ranges == NULL)
        abort();
    const struct header *above = NULL;
    for (size_t i = 0; i < held->count; i++) {
        const struct header *at = &held->headers[i];
        if (!at->is_counted)
            continue;
        if (above != NULL && above->below == at)
            ranges[count - 1].lo = at->seq;
        else
            ranges[count++] = (struct parley_digest_range){at->seq, at->seq, at->id};
        above = at;
    }
    if (count > 0)
        parley_digest_log(leaf, log, ranges, count);
    free(ranges);
    return count > 0;
}

/* --- against the node ---------------------------------------------------------------------- */

struct records {
    struct sim *sim;
    const struct parley_author *author;
    struct made_record *made;
    size_t count, max;
};

static bool on_record(void *context, const struct parley_author *author,
                      struct parley_span record) {
    struct records *records = context;
    if (!PARLEY_EQUAL(*author, *records->author))
        return true;
    if (records->count == records->max) {
        records->max = records->max == 0 ? 16 : records->max * 2;
        records->made = realloc(records->made, records->max * sizeof *records->made);
        if (records->made == NULL)
            abort();
    }
    keep_record(&records->made[records->count++], PARLEY_E_OK, record);
    return true;
}

/* The set that the records on the disk make; they must be that set and nothing else. */
static void read_records(struct sim *sim, uint32_t node, struct records *records,
                         struct reduced *reduced) {
    struct parley_store_visitor visitor = {.context = records, .on_record = on_record};
    if (parley_store_load(sim->nodes[node].disk.store, &visitor) != PARLEY_E_OK)
        sim_fail(sim, "the disk of n%u cannot be read", node);
    const struct made_record **list = calloc(records->count + 1, sizeof *list);
    if (list == NULL)
        abort();
    for (size_t i = 0; i < records->count; i++)
        list[i] = &records->made[i];
    reduce(reduced, list, records->count, PARLEY_SET_RECORDS_MAX);
    free(list);
    if (records->count != reduced->rest_count + (reduced->rotation != NULL))
        sim_fail(sim, "n%u keeps %zu records of a set of %zu", node, records->count,
                 reduced->rest_count + (reduced->rotation != NULL));
}

static void compare_log(struct sim *sim, uint32_t node, const struct parley_node_log *row,
                        const struct held *held) {
    uint32_t log = log_of(sim, &row->log);
    if (row->forked != held->forked)
        sim_fail(sim, "n%u says that log %u is forked at %llu, the oracle %llu", node, log,
                 (unsigned long long)row->forked, (unsigned long long)held->forked);
    if (row->head_seq != held->head.seq || !PARLEY_EQUAL(row->head_id, held->head.id))
        sim_fail(sim, "n%u says that the head of log %u is %llu, the oracle %llu", node, log,
                 (unsigned long long)row->head_seq, (unsigned long long)held->head.seq);
}

/* One log's policy, verdict and leaf. */
static bool check_log(struct sim *sim, uint32_t node, const struct reduced *reduced,
                      const struct parley_node_log *row, struct parley_hash *leaf) {
    struct held held = {.policy = obvious_policy(reduced, &row->device)};
    if (!parley_policy_equal(&held.policy, &row->policy))
        sim_fail(sim, "n%u says policy %d at %llu of a log, the oracle %d at %llu", node,
                 (int)row->policy.kind, (unsigned long long)row->policy.seq, (int)held.policy.kind,
                 (unsigned long long)held.policy.seq);
    if (log_of(sim, &row->log) == SIM_NOBODY)
        return false; /* a device that a flood made up: nothing is ever held of it */
    hold_all(sim, node, &row->log, &held);
    judge(&held);
    compare_log(sim, node, row, &held);
    bool any = digest_of(&held, &row->log, leaf);
    free(held.headers);
    return any;
}

/* The author's log above the last one, in the order of names; false at the end. */
static bool next_row(const struct sim *sim, uint32_t node, const struct parley_author *author,
                     const struct parley_log *last, struct parley_node_log *out) {
    struct parley_node_log row;
    bool found = false;
    for (size_t i = 0; parley_node_log_at(sim->nodes[node].core, i, &row); i++)
        if (PARLEY_EQUAL(row.author, *author) &&
            (last == NULL || PARLEY_COMPARE(row.log, *last) > 0) &&
            (!found || PARLEY_COMPARE(row.log, out->log) < 0)) {
            *out = row;
            found = true;
        }
    return found;
}

static void check_author(struct sim *sim, uint32_t node, const struct parley_author *author) {
    static struct reduced reduced;
    struct records records = {.sim = sim, .author = author};
    struct parley_digest_hasher hasher, all;
    struct parley_node_log row;
    struct parley_hash leaf, digest, expected, said;
    bool any = false;
    read_records(sim, node, &records, &reduced);
    parley_digest_author_init(&hasher, PARLEY_DIGEST_HEADERS, author);
    for (bool more = next_row(sim, node, author, NULL, &row); more;) {
        if (check_log(sim, node, &reduced, &row, &leaf)) {
            parley_digest_author_add(&hasher, &row.log, &leaf);
            any = true;
        }
        struct parley_log last = row.log;
        more = next_row(sim, node, author, &last, &row);
    }
    parley_digest_finish(&hasher, &digest);
    parley_digest_all_init(&all, PARLEY_DIGEST_HEADERS);
    if (any)
        parley_digest_all_add(&all, author, &digest);
    parley_digest_finish(&all, &expected);
    parley_node_digest(sim->nodes[node].core, author, 1, &said);
    if (!PARLEY_EQUAL(expected, said))
        sim_fail(sim, "n%u says another digest of author %u than the oracle", node,
                 author_of(sim, author));
    free_records(records.made, records.count);
    free(records.made);
}

void oracle_check(struct sim *sim, uint32_t node) {
    struct parley_node_author row;
    /* Of whom it does not want a node may hold what it has not looked at. */
    for (size_t i = 0; parley_node_author_at(sim->nodes[node].core, i, &row); i++)
        if (row.is_wanted)
            check_author(sim, node, &row.author);
}
