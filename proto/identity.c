/* The set of an author's records and its verdicts. SPEC 4.6 and 4.7.
 *
 * The rules in short: the highest generation revealed is the only one that counts; of its
 * rotations the one with the smallest hash; of its certificates and closings the first 1,024,
 * closings before certificates, then by hash. Facts stand in that very order, so the bound cuts
 * off the end. Each of the three is a maximum or a "first n" over a total order, which is why the
 * order of arrival cannot matter.
 */
#include <assert.h>

#include <parley/identity.h>

void parley_identity_init(struct parley_identity *set, const struct parley_author *author,
                          const struct parley_identity_storage *storage) {
    memset(set, 0, sizeof *set);
    set->author = *author;
    set->facts_count_bound = PARLEY_SET_RECORDS_MAX;
    set->storage = *storage;
}

void parley_identity_move(struct parley_identity *set,
                          const struct parley_identity_storage *storage) {
    assert(storage->facts_count_max >= set->facts_count);
    assert(storage->listings_count_max >= set->listings_count);
    if (set->facts_count > 0)
        memmove(storage->facts, set->storage.facts, set->facts_count * sizeof *storage->facts);
    if (set->listings_count > 0)
        memmove(storage->listings, set->storage.listings,
                set->listings_count * sizeof *storage->listings);
    set->storage = *storage;
}

/* The set's order: closings, which only ever narrow, before certificates; then by hash. */
static int compare_to_fact(const struct parley_record *record,
                           const struct parley_identity_fact *fact) {
    if ((uint8_t)record->kind != fact->kind)
        return (uint8_t)record->kind < fact->kind ? -1 : 1;
    return PARLEY_COMPARE(record->hash, fact->hash);
}

/* The first place whose fact is not before the record. */
static uint32_t find_place(const struct parley_identity *set, const struct parley_record *record) {
    uint32_t low = 0, high = set->facts_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_to_fact(record, &set->storage.facts[middle]) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum parley_identity_answer preview_rotation(const struct parley_identity *set,
                                                    const struct parley_record *record,
                                                    struct parley_identity_change *change) {
    bool raises = !set->revealed || record->generation > set->generation;
    if (!raises) {
        if (record->generation < set->generation)
            return PARLEY_IDENTITY_VOID;
        int order = PARLEY_COMPARE(record->hash, set->rotation_hash);
        if (order == 0)
            return PARLEY_IDENTITY_EXISTS;
        if (order > 0)
            return PARLEY_IDENTITY_VOID;
    }
    change->facts_count_needed = raises ? 0 : set->facts_count;
    change->listings_count_needed = record->listings_count;
    if (record->listings_count > set->storage.listings_count_max)
        return PARLEY_IDENTITY_FULL;
    if (!set->revealed)
        return PARLEY_IDENTITY_ADDED;
    change->removed = raises ? PARLEY_REMOVED_ALL : PARLEY_REMOVED_ONE;
    change->removed_hash = set->rotation_hash;
    return PARLEY_IDENTITY_ADDED;
}

static enum parley_identity_answer preview_statement(const struct parley_identity *set,
                                                     const struct parley_record *record,
                                                     struct parley_identity_change *change) {
    if (!set->revealed || record->generation > set->generation)
        return PARLEY_IDENTITY_UNREVEALED;
    if (record->generation < set->generation)
        return PARLEY_IDENTITY_VOID;
    uint32_t place = find_place(set, record);
    if (place < set->facts_count && compare_to_fact(record, &set->storage.facts[place]) == 0)
        return PARLEY_IDENTITY_EXISTS;
    if (place >= set->facts_count_bound)
        return PARLEY_IDENTITY_BEYOND;
    change->listings_count_needed = set->listings_count;
    change->facts_count_needed = set->facts_count;
    if (set->facts_count < set->facts_count_bound) {
        change->facts_count_needed++;
        return change->facts_count_needed > set->storage.facts_count_max ? PARLEY_IDENTITY_FULL
                                                                         : PARLEY_IDENTITY_ADDED;
    }
    const struct parley_identity_fact *last = &set->storage.facts[set->facts_count - 1];
    change->removed = PARLEY_REMOVED_ONE;
    change->removed_hash = last->hash;
    change->removed_device = last->device;
    return PARLEY_IDENTITY_ADDED;
}

enum parley_identity_answer parley_identity_preview(const struct parley_identity *set,
                                                    const struct parley_record *record,
                                                    struct parley_identity_change *change) {
    assert(PARLEY_EQUAL(set->author, record->author));
    memset(change, 0, sizeof *change);
    return record->kind == PARLEY_RECORD_ROTATION ? preview_rotation(set, record, change)
                                                  : preview_statement(set, record, change);
}

static void derive_log_start(uint8_t log_start[7], const struct parley_author *author,
                             const struct parley_device_key *device) {
    struct parley_log log;
    parley_log_derive(&log, author, device);
    memcpy(log_start, log.bytes, 7);
}

static void add_rotation(struct parley_identity *set, const struct parley_record *record) {
    if (!set->revealed || record->generation > set->generation)
        set->facts_count = 0;
    set->revealed = true;
    set->generation = record->generation;
    set->root = record->root;
    set->rotation_hash = record->hash;
    set->listings_count = 0;
    struct parley_span rest = record->listings;
    struct parley_listing listing;
    while (parley_listing_next(&listing, &rest)) {
        derive_log_start(listing.log_start, &set->author, &listing.device);
        set->storage.listings[set->listings_count++] = listing;
    }
    assert(set->listings_count == record->listings_count);
}

static void add_statement(struct parley_identity *set, const struct parley_record *record) {
    struct parley_identity_fact fact = {
        .kind = (uint8_t)record->kind,
        .device = record->device,
        .seq = record->seq,
        .id = record->id,
        .hash = record->hash,
    };
    derive_log_start(fact.log_start, &set->author, &fact.device);
    uint32_t place = find_place(set, record);
    /* At the bound the last one falls off the end. */
    if (set->facts_count < set->facts_count_bound)
        set->facts_count++;
    struct parley_identity_fact *at = &set->storage.facts[place];
    memmove(at + 1, at, (set->facts_count - 1 - place) * sizeof *at);
    *at = fact;
}

enum parley_identity_answer parley_identity_add(struct parley_identity *set,
                                                const struct parley_record *record,
                                                struct parley_identity_change *change) {
    enum parley_identity_answer answer = parley_identity_preview(set, record, change);
    if (answer != PARLEY_IDENTITY_ADDED)
        return answer;
    if (record->kind == PARLEY_RECORD_ROTATION)
        add_rotation(set, record);
    else
        add_statement(set, record);
    return answer;
}

/* Verdicts. */

/* What the records say of one device's log, gathered in any order. */
struct gathered {
    bool is_closed, is_listed, is_certified;
    parley_seq closed_seq;
    struct parley_id closed_id;
    parley_seq listed_seq;
    struct parley_id listed_id;
};

/* Of several ends the lowest seq, then the smaller id. */
static void gather_end(struct gathered *all, parley_seq seq, const struct parley_id *id) {
    bool is_lower = seq < all->closed_seq ||
                    (seq == all->closed_seq && PARLEY_COMPARE(*id, all->closed_id) < 0);
    if (all->is_closed && !is_lower)
        return;
    all->is_closed = true;
    all->closed_seq = seq;
    all->closed_id = *id;
}

static void gather_listing(struct gathered *all, const struct parley_listing *listing) {
    if (listing->ended) {
        gather_end(all, listing->seq, &listing->id);
        return;
    }
    all->is_listed = true;
    all->listed_seq = listing->seq;
    all->listed_id = listing->id;
}

static void gather_fact(struct gathered *all, const struct parley_identity_fact *fact) {
    if (fact->kind == PARLEY_RECORD_CLOSING)
        gather_end(all, fact->seq, &fact->id);
    else
        all->is_certified = true;
}

/* Listings are ascending by device: NULL when there is none. */
static const struct parley_listing *find_listing(const struct parley_identity *set,
                                                 const struct parley_device_key *device) {
    uint32_t low = 0, high = set->listings_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = PARLEY_COMPARE(set->storage.listings[middle].device, *device);
        if (order == 0)
            return &set->storage.listings[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void gather(struct gathered *all, const struct parley_identity *set,
                   const struct parley_device_key *device) {
    memset(all, 0, sizeof *all);
    const struct parley_listing *listing = find_listing(set, device);
    if (listing != NULL)
        gather_listing(all, listing);
    for (uint32_t i = 0; i < set->facts_count; i++)
        if (PARLEY_EQUAL(set->storage.facts[i].device, *device))
            gather_fact(all, &set->storage.facts[i]);
}

struct parley_policy parley_identity_policy(const struct parley_identity *set,
                                            const struct parley_device_key *device) {
    struct gathered all;
    gather(&all, set, device);
    if (all.is_closed && all.closed_seq > 0)
        return (struct parley_policy){PARLEY_POLICY_CLOSED, all.closed_seq, all.closed_id};
    if (all.is_closed)
        return PARLEY_NO_POLICY;
    /* A certificate beside a listing loosens nothing. */
    if (all.is_listed)
        return (struct parley_policy){PARLEY_POLICY_OPEN, all.listed_seq, all.listed_id};
    if (all.is_certified)
        return (struct parley_policy){PARLEY_POLICY_OPEN, 0, {{0}}};
    return PARLEY_NO_POLICY;
}

/* Going over the logs: positions 0 .. listings_count - 1 are listings, then come the facts. */

static const struct parley_device_key *device_at(const struct parley_identity *set, size_t position,
                                                 const uint8_t **log_start) {
    if (position < set->listings_count) {
        *log_start = set->storage.listings[position].log_start;
        return &set->storage.listings[position].device;
    }
    const struct parley_identity_fact *fact = &set->storage.facts[position - set->listings_count];
    *log_start = fact->log_start;
    return &fact->device;
}

static size_t positions_count(const struct parley_identity *set) {
    return (size_t)set->listings_count + set->facts_count;
}

bool parley_identity_log_policy(struct parley_policy *policy, struct parley_device_key *device,
                                const struct parley_identity *set, const struct parley_log *log) {
    *policy = PARLEY_NO_POLICY;
    memset(device, 0, sizeof *device);
    for (size_t position = 0; position < positions_count(set); position++) {
        const uint8_t *log_start;
        const struct parley_device_key *candidate = device_at(set, position, &log_start);
        if (memcmp(log_start, log->bytes, 7) != 0)
            continue;
        struct parley_log derived;
        parley_log_derive(&derived, &set->author, candidate);
        if (!PARLEY_EQUAL(derived, *log))
            continue;
        *device = *candidate;
        *policy = parley_identity_policy(set, candidate);
        return true;
    }
    return false;
}

/* Whether an earlier position speaks of the same device. */
static bool is_repeated(const struct parley_identity *set, size_t position,
                        const struct parley_device_key *device) {
    if (position < set->listings_count)
        return false;
    if (find_listing(set, device) != NULL)
        return true;
    for (size_t i = 0; i < position - set->listings_count; i++)
        if (PARLEY_EQUAL(set->storage.facts[i].device, *device))
            return true;
    return false;
}

bool parley_identity_log_next(struct parley_identity_log *out, const struct parley_identity *set,
                              size_t *position) {
    while (*position < positions_count(set)) {
        const uint8_t *log_start;
        size_t here = (*position)++;
        const struct parley_device_key *device = device_at(set, here, &log_start);
        if (is_repeated(set, here, device))
            continue;
        out->device = *device;
        parley_log_derive(&out->log, &set->author, device);
        out->policy = parley_identity_policy(set, device);
        return true;
    }
    return false;
}

void parley_identity_hash(struct parley_identity_hash *hash, const struct parley_identity *set) {
    memset(hash, 0, sizeof *hash);
    if (!set->revealed)
        return;
    struct parley_hasher hasher;
    uint8_t whole[32];
    parley_hash_init(&hasher, PARLEY_DOMAIN_SET);
    parley_hash_add(&hasher, set->author.bytes, sizeof set->author.bytes);
    parley_hash_add(&hasher, set->rotation_hash.bytes, sizeof set->rotation_hash.bytes);
    for (uint32_t i = 0; i < set->facts_count; i++)
        parley_hash_add(&hasher, set->storage.facts[i].hash.bytes,
                        sizeof set->storage.facts[i].hash.bytes);
    parley_hash_finish(&hasher, whole);
    memcpy(hash->bytes, whole, sizeof hash->bytes);
}
