#include "sim.h"

#include <stdlib.h>

/* Bad authors and thieves. An author who equivocates has keys of his own and no node; a thief has
 * an honest person's device key, or the root of one generation. Each makes pieces; peers and files
 * carry them. What a seed enables is drawn as faults are. */

#define ACT_MS        1500u
#define BAD_AUTHORS   2u
#define DEVICES       2u
#define PIECES_MAX    220u /* of one seed, but for the long logs and the floods of a few */
#define DEEP          20u  /* entries between a branch's base and the newest of its log */
#define LONG_ONE_IN   24u
#define LONG_ENTRIES  (PARLEY_EVIDENCE_REACH + 60u)
#define FLOOD_ONE_IN  48u
#define FLOOD_RECORDS (PARLEY_SET_RECORDS_MAX + 6u)
#define THIEF_DEVICES 3u

/* --- entries ------------------------------------------------------------------------------- */

static bool has_successor(const struct sim *sim, uint32_t log, const struct parley_id *id) {
    for (size_t i = 0; i < sim->pieces_count; i++)
        if (!sim->pieces[i].is_record && sim->pieces[i].log == log &&
            PARLEY_EQUAL(sim->pieces[i].entry.header.prev, *id))
            return true;
    return false;
}

static parley_seq newest_of(const struct sim *sim, uint32_t log) {
    parley_seq newest = sim->logs[log].known_highest;
    for (size_t i = 0; i < sim->pieces_count; i++)
        if (!sim->pieces[i].is_record && sim->pieces[i].log == log &&
            sim->pieces[i].entry.header.seq > newest)
            newest = sim->pieces[i].entry.header.seq;
    return newest;
}

/* What prev shall name instead: nothing there is, or an entry of another seq. */
static void break_base(struct sim *sim, uint32_t log, struct parley_anchor *base) {
    const struct sim_piece_made *other = piece_any_entry(sim, log);
    if (other == NULL || sim_chance(sim, 2))
        parley_random_bytes(&sim->random, base->id.bytes, sizeof base->id.bytes);
    else
        base->id = other->entry.id;
    fault_fired(sim, BAD_WRONG_SEQ);
}

/* Entries above base; of ten, `bad` have a bad own signature. */
static void branch(struct sim *sim, uint32_t log, struct parley_anchor base, size_t count,
                   unsigned bad) {
    bool has_bad = sim->enabled[BAD_PLANTED];
    bool breaks = sim->enabled[BAD_WRONG_SEQ] && sim_chance(sim, 4);
    bool below_is_bad = false;
    if (base.seq > 0 && has_successor(sim, log, &base.id))
        fault_fired(sim, BAD_BRANCH);
    if (newest_of(sim, log) >= base.seq + DEEP)
        fault_fired(sim, BAD_DEEP_BRANCH);
    for (size_t i = 0; i < count; i++) {
        bool is_bad = has_bad && sim_below(sim, 10) < bad;
        if (i + 1 == count && sim_below(sim, 10) < 8)
            is_bad = false;
        if (base.seq > 0 && breaks && sim_chance(sim, 10))
            break_base(sim, log, &base);
        base = piece_entry(sim, log, &base, !is_bad);
        if (below_is_bad)
            fault_fired(sim, BAD_COMMITTED);
        below_is_bad = is_bad;
    }
}

/* A few entries, of which none, some or most have a bad own signature. */
static void branch_somehow(struct sim *sim, uint32_t log, struct parley_anchor base) {
    static const unsigned bad_of_ten[] = {0, 0, 1, 3, 9};
    unsigned bad = bad_of_ten[sim_below(sim, 5)];
    branch(sim, log, base, 1 + (size_t)sim_below(sim, 7), bad);
}

/* --- records ------------------------------------------------------------------------------- */

static void say(struct sim *sim, uint32_t author, enum parley_error made,
                struct parley_span record) {
    if (made != PARLEY_E_OK)
        abort();
    (void)piece_record(sim, author, record);
}

static void rotate(struct sim *sim, uint32_t author, uint8_t generation,
                   struct parley_listing *listings, size_t count) {
    static uint8_t bytes[PARLEY_RECORD_BYTES_MAX];
    struct parley_span record = PARLEY_NO_SPAN;
    parley_listings_sort(listings, count);
    enum parley_error error = parley_rotation_make(
        &record, bytes, sizeof bytes, sim->authors[author].entropy, generation, listings, count);
    say(sim, author, error, record);
}

static void certify(struct sim *sim, uint32_t log, uint8_t generation) {
    const struct sim_log *of = &sim->logs[log];
    const struct sim_author *author = &sim->authors[of->author];
    uint8_t bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_secret_key root;
    struct parley_root_key key;
    struct parley_span record = PARLEY_NO_SPAN;
    parley_root_derive(&root, &key, author->entropy, generation);
    enum parley_error error = parley_certificate_make(&record, bytes, sizeof bytes, &root,
                                                      &of->device, &author->author, generation);
    say(sim, of->author, error, record);
}

static void close_at(struct sim *sim, uint32_t author, uint8_t generation,
                     const struct parley_device_key *device, const struct parley_anchor *at) {
    uint8_t bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_secret_key root;
    struct parley_root_key key;
    struct parley_span record = PARLEY_NO_SPAN;
    parley_root_derive(&root, &key, sim->authors[author].entropy, generation);
    enum parley_error error =
        parley_closing_make(&record, bytes, sizeof bytes, &root, &sim->authors[author].author,
                            generation, device, at->seq, &at->id);
    say(sim, author, error, record);
}

/* Closings of devices that there are not, so many that the bound must drop some. */
static void flood(struct sim *sim, uint32_t author, uint8_t generation, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct parley_device_key device;
        struct parley_anchor at = {1 + sim_below(sim, 3), {{0}}};
        parley_random_bytes(&sim->random, device.bytes, sizeof device.bytes);
        parley_random_bytes(&sim->random, at.id.bytes, sizeof at.id.bytes);
        close_at(sim, author, generation, &device, &at);
    }
}

static void flood_sometimes(struct sim *sim, uint32_t author, uint8_t generation) {
    if (!sim->enabled[BAD_FLOODS] || sim->is_flooded || !sim_chance(sim, FLOOD_ONE_IN)) {
        flood(sim, author, generation, 1 + (size_t)sim_below(sim, 4));
        return;
    }
    sim->is_flooded = true;
    fault_fired(sim, BAD_FLOODS);
    flood(sim, author, generation, FLOOD_RECORDS);
}

/* --- an author to whom nothing is holy ----------------------------------------------------- */

static uint32_t choose_log(struct sim *sim, bool (*is_right)(const struct sim *, uint32_t)) {
    uint32_t count = sim->logs_count, from = count == 0 ? 0 : (uint32_t)sim_below(sim, count);
    for (uint32_t i = 0; i < count; i++)
        if (is_right(sim, (from + i) % count))
            return (from + i) % count;
    return SIM_NOBODY;
}

static bool is_of_bad(const struct sim *sim, uint32_t log) {
    return sim->authors[sim->logs[log].author].is_bad;
}

/* Some entry of the log, often the newest, sometimes its id with another seq. */
static struct parley_anchor any_base(struct sim *sim, uint32_t log) {
    const struct sim_piece_made *piece = piece_any_entry(sim, log);
    if (piece == NULL || sim_chance(sim, 10))
        return (struct parley_anchor){0};
    if (sim_chance(sim, 2))
        for (size_t i = 0; i < sim->pieces_count; i++)
            if (sim->pieces[i].log == log && !sim->pieces[i].is_record &&
                sim->pieces[i].entry.header.seq > piece->entry.header.seq)
                piece = &sim->pieces[i];
    return (struct parley_anchor){piece->entry.header.seq, piece->entry.id};
}

static void list_somehow(struct sim *sim, uint32_t author, const struct parley_anchor *base,
                         uint32_t log) {
    struct parley_listing listings[DEVICES * 2];
    size_t count = 0;
    for (uint32_t i = 0; i < sim->logs_count && count < DEVICES * 2; i++) {
        if (sim->logs[i].author != author || sim_chance(sim, 4))
            continue;
        struct parley_listing *listing = &listings[count++];
        *listing = (struct parley_listing){.device = sim->logs[i].device_key};
        if (i == log) {
            listing->seq = base->seq;
            listing->id = base->id;
            listing->ended = base->seq > 0 && sim_chance(sim, 3);
        }
    }
    struct sim_author *of = &sim->authors[author];
    if (of->generation < 4 && sim_chance(sim, 2))
        of->generation++;
    rotate(sim, author, of->generation, listings, count);
}

static void bad_author_acts(struct sim *sim) {
    uint32_t log = choose_log(sim, is_of_bad);
    if (log == SIM_NOBODY)
        return;
    uint32_t author = sim->logs[log].author;
    struct parley_anchor base = any_base(sim, log);
    uint8_t generation = sim->authors[author].generation;
    uint64_t drawn = sim_below(sim, 100);
    if (drawn >= 70 && base.seq > 1 && sim_chance(sim, 5))
        base.seq += sim_chance(sim, 2) ? 1 : UINT64_MAX;
    if (drawn < 70)
        branch_somehow(sim, log, base);
    else if (drawn < 85 && sim_chance(sim, 3))
        close_at(sim, author, generation, &sim->logs[log].device_key, &base);
    else if (drawn < 85)
        certify(sim, log, generation);
    else if (drawn < 93)
        list_somehow(sim, author, &base, log);
    else
        flood_sometimes(sim, author, generation);
}

/* A log beyond the reach of one signature: most entries of one branch have a bad own one. */
static void make_long_branches(struct sim *sim) {
    uint32_t log = choose_log(sim, is_of_bad);
    if (log == SIM_NOBODY)
        return;
    branch(sim, log, (struct parley_anchor){0}, LONG_ENTRIES, sim_chance(sim, 2) ? 9 : 0);
    const struct sim_piece_made *low = piece_any_entry(sim, log);
    struct parley_anchor base = {low->entry.header.seq, low->entry.id};
    branch(sim, log, base, 1 + (size_t)sim_below(sim, 30), 3);
}

/* --- thieves ------------------------------------------------------------------------------- */

static bool is_stealable(const struct sim *sim, uint32_t log) {
    const struct sim_log *of = &sim->logs[log];
    return of->kind == LOG_HONEST && of->host != SIM_NOBODY;
}

static bool is_stolen(const struct sim *sim, uint32_t log) {
    return sim->logs[log].kind == LOG_STOLEN;
}

static void steal_device(struct sim *sim) {
    uint32_t log = choose_log(sim, is_stealable);
    if (log == SIM_NOBODY)
        return;
    sim->logs[log].kind = LOG_STOLEN;
    fault_fired(sim, BAD_DEVICE_STOLEN);
    trace_say(sim, "the device of log %u is stolen", log);
}

static void thief_writes(struct sim *sim) {
    uint32_t log = choose_log(sim, is_stolen);
    if (log == SIM_NOBODY)
        return;
    const struct sim_log *of = &sim->logs[log];
    struct parley_anchor base = {0};
    bool rewrites =
        sim->enabled[BAD_REWRITES] && (!sim->enabled[BAD_POSTS_ON] || sim_chance(sim, 2));
    if (!rewrites) {
        if (!sim->enabled[BAD_POSTS_ON])
            return;
        base = of->tip;
    } else if (of->known_count > 0 && !sim_chance(sim, 8)) {
        const struct sim_known *known = &of->known[sim_below(sim, of->known_count)];
        base = (struct parley_anchor){known->seq, known->id};
    }
    fault_fired(sim, rewrites ? BAD_REWRITES : BAD_POSTS_ON);
    branch_somehow(sim, log, base);
}

static void steal_root(struct sim *sim) {
    uint32_t home = (uint32_t)sim_below(sim, sim->config.nodes_count);
    if (!sim->nodes[home].has_author)
        return;
    struct sim_author *author = &sim->authors[sim->nodes[home].author];
    author->stolen_roots |= UINT64_C(1) << author->generation;
    fault_fired(sim, BAD_ROOT_STOLEN);
    trace_say(sim, "the root of author %u is stolen", sim->nodes[home].author);
}

static void thief_certifies(struct sim *sim, uint32_t author, uint8_t generation) {
    uint32_t devices = 0;
    for (uint32_t i = 0; i < sim->logs_count; i++)
        devices += sim->logs[i].author == author && sim->logs[i].kind == LOG_FORGED;
    if (devices >= THIEF_DEVICES)
        return;
    uint32_t log = log_add(sim, author, SIM_NOBODY, LOG_FORGED);
    if (log == SIM_NOBODY)
        return;
    certify(sim, log, generation);
    branch(sim, log, (struct parley_anchor){0}, 1 + (size_t)sim_below(sim, 3), 0);
    fault_fired(sim, BAD_CERTIFIES);
}

static void thief_closes(struct sim *sim, uint32_t author, uint8_t generation) {
    for (uint32_t i = 0; i < sim->logs_count; i++) {
        const struct sim_log *log = &sim->logs[i];
        struct parley_anchor at = {0};
        if (log->author != author || !sim_chance(sim, 2))
            continue;
        if (log->known_count > 0 && !sim_chance(sim, 3)) {
            const struct sim_known *known = &log->known[sim_below(sim, log->known_count)];
            at = (struct parley_anchor){known->seq, known->id};
        }
        close_at(sim, author, generation, &log->device_key, &at);
        fault_fired(sim, BAD_CLOSES);
        return;
    }
}

static void thief_rotates(struct sim *sim, uint32_t author, uint8_t generation) {
    struct parley_listing listings[THIEF_DEVICES];
    size_t count = 0;
    for (uint32_t i = 0; i < sim->logs_count && count < THIEF_DEVICES; i++)
        if (sim->logs[i].author == author && sim->logs[i].kind == LOG_FORGED)
            listings[count++] = (struct parley_listing){.device = sim->logs[i].device_key};
    rotate(sim, author, generation, listings, sim_chance(sim, 2) ? count : 0);
    fault_fired(sim, BAD_ROTATES);
}

/* A thief of a root, of today's or an older one, says something. */
static void thief_of_root_acts(struct sim *sim) {
    uint32_t author = (uint32_t)sim_below(sim, sim->authors_count);
    const struct sim_author *of = &sim->authors[author];
    uint8_t generation = (uint8_t)sim_below(sim, of->generation + 1u);
    if (of->is_bad || (of->stolen_roots >> generation & 1) == 0)
        return;
    switch (sim_below(sim, 8)) {
    case 0:
    case 1:
        if (sim->enabled[BAD_CERTIFIES])
            thief_certifies(sim, author, generation);
        return;
    case 2:
        if (sim->enabled[BAD_ROTATES])
            thief_rotates(sim, author, generation);
        return;
    case 3:
    case 4:
        flood_sometimes(sim, author, generation);
        return;
    default:
        if (sim->enabled[BAD_CLOSES])
            thief_closes(sim, author, generation);
    }
}

/* A stranger says that a stolen device, or one of a thief, is his own: the device key consents. */
static void adopt(struct sim *sim) {
    uint32_t log = choose_log(sim, is_stolen), adopter = SIM_NOBODY;
    for (uint32_t i = 0; i < sim->authors_count; i++)
        if (sim->authors[i].is_bad)
            adopter = i;
    if (log == SIM_NOBODY || adopter == SIM_NOBODY)
        return;
    for (uint32_t i = 0; i < sim->logs_count; i++)
        if (sim->logs[i].author == adopter &&
            PARLEY_EQUAL(sim->logs[i].device_key, sim->logs[log].device_key))
            return;
    uint32_t adopted = log_adopt(sim, adopter, log);
    if (adopted == SIM_NOBODY)
        return;
    certify(sim, adopted, sim->authors[adopter].generation);
    branch(sim, adopted, (struct parley_anchor){0}, (size_t)sim_below(sim, 4), 0);
    fault_fired(sim, BAD_ADOPTS);
}

/* --- a home that came back from an old disk ------------------------------------------------- */

static void old_disk(struct sim *sim) {
    uint32_t node = (uint32_t)sim_below(sim, sim->config.nodes_count);
    struct sim_node *host = &sim->nodes[node];
    if (host->core == NULL || host->disk.is_failed)
        return;
    if (host->disk.old == NULL) {
        host->disk.old = parley_disk_copy(host->disk.disk);
        return;
    }
    host_kill(sim, node);
    parley_disk_free(host->disk.disk);
    host->disk.disk = host->disk.old;
    host->disk.old = NULL;
    for (unsigned i = 0; i < SIM_AUTHORS_MAX; i++) /* its owner tells it anew */
        if (host->follows[i] != FOLLOW_NEVER)
            host->follows[i] = FOLLOW_UNKNOWN;
    memset(host->friends, 0, sizeof host->friends);
    if (host->has_author)
        sim->logs[host->log].kind = LOG_TORN;
    ledger_forget_node(sim, node);
    for (size_t i = 0; i < sim->pieces_count; i++) /* what was brought to it is brought again */
        sim->pieces[i].is_delivered &= sim->pieces[i].node != node;
    fault_fired(sim, BAD_OLD_DISK);
    trace_say(sim, "n%u comes back from an old disk", node);
    host_boot(sim, node, sim_below(sim, 3000));
}

/* --- in their turn ------------------------------------------------------------------------- */

static void act(struct sim *sim) {
    static const struct {
        enum sim_fault needs;
        void (*act)(struct sim *sim);
        unsigned weight;
    } acts[] = {
        {BAD_BRANCH, bad_author_acts, 10},
        {BAD_DEVICE_STOLEN, steal_device, 1},
        {BAD_DEVICE_STOLEN, thief_writes, 4},
        {BAD_ROOT_STOLEN, steal_root, 1},
        {BAD_ROOT_STOLEN, thief_of_root_acts, 6},
        {BAD_ADOPTS, adopt, 1},
        {BAD_OLD_DISK, old_disk, 1},
    };
    uint64_t drawn = sim_below(sim, 24);
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (drawn < acts[i].weight) {
            if (sim->enabled[acts[i].needs] && sim->pieces_count < PIECES_MAX)
                acts[i].act(sim);
            return;
        }
        drawn -= acts[i].weight;
    }
}

static void run_villains(struct sim *sim, struct sim_item *item) {
    if (!sim->has_faults)
        return;
    uint32_t node = (uint32_t)sim_below(sim, sim->config.nodes_count);
    if (sim->enabled[BAD_HOSTILE_PEER] && sim_chance(sim, 3))
        puppet_come(sim, node);
    else
        act(sim);
    if (sim->nodes[node].has_author && sim->nodes[node].core != NULL)
        owner_acts(sim, node);
    sim_put(sim, sim_below(sim, 2 * ACT_MS), SIM_NOBODY, run_villains, NULL, 0);
}

void villains_make(struct sim *sim) {
    unsigned count = sim->enabled[BAD_BRANCH] ? 1 + (unsigned)sim_below(sim, BAD_AUTHORS) : 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t author = author_add(sim);
        if (author == SIM_NOBODY)
            return;
        sim->authors[author].is_bad = true;
        for (uint32_t node = 0; node < sim->config.nodes_count; node++)
            sim->nodes[node].follows_wanted[author] = sim_chance(sim, 2);
        rotate(sim, author, 0, NULL, 0);
        sim->pieces[sim->pieces_count - 1].at = 0;
        for (unsigned device = 0; device < DEVICES; device++) {
            uint32_t log = log_add(sim, author, SIM_NOBODY, LOG_FORGED);
            if (log != SIM_NOBODY)
                certify(sim, log, 0);
        }
    }
    if (count > 0 && sim_chance(sim, LONG_ONE_IN))
        make_long_branches(sim);
}

void villains_begin(struct sim *sim) {
    sim_put(sim, sim_below(sim, 10000), SIM_NOBODY, run_villains, NULL, 0);
    pieces_begin(sim);
}
