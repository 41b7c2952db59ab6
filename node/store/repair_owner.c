/* Rows that lead to a log by its number, when the log's own row is lost: the name of the log stands
 * in its segments, and its author and device in their records.
 */
#include "repair.h"

struct owners {
    struct repair *repair;
    struct commit commit;
    struct parley_store store; /* for the commit: engine and free number */
    uint32_t number;           /* whose keys were looked at last */
    bool is_owned;
};

/* ---- by records */

struct search {
    struct repair *repair;
    const struct parley_log *log;
    struct parley_author author;
    struct parley_device_key device;
    struct parley_author last;
    bool is_found;
};

static bool on_search(void *context, struct parley_span key, struct parley_span value) {
    struct search *search = context;
    struct parley_author author;
    struct parley_policy policy;
    (void)value;
    memcpy(author.bytes, key.data + 1, sizeof author);
    if (PARLEY_EQUAL(author, search->last))
        return true;
    search->last = author;
    search->is_found =
        author_set_load(&search->repair->set, search->repair->kv, NULL, &author, false, NULL,
                        NULL) == PARLEY_E_OK &&
        parley_identity_log_policy(&policy, &search->device, &search->repair->set.set, search->log);
    search->author = author;
    return !search->is_found;
}

static bool find_owner(struct repair *repair, struct parley_store_log *held) {
    struct search search = {.repair = repair, .log = &held->log};
    repair_scan_letter(repair, 'r', on_search, &search);
    held->author = search.author;
    held->device = search.device;
    return search.is_found;
}

/* ---- by segments */

struct claim {
    const struct parley_log *log;
    enum repair_claim found;
};

static bool on_claim(void *context, struct parley_span key, struct parley_span value) {
    struct claim *claim = context;
    struct segment segment;
    (void)key;
    if (segment_decode(&segment, value) == PARLEY_E_OK)
        claim->found = PARLEY_EQUAL(segment.chunk.log, *claim->log) ? REPAIR_CLAIM_OF_LOG
                                                                    : REPAIR_CLAIM_OF_OTHERS;
    return claim->found != REPAIR_CLAIM_OF_LOG;
}

enum repair_claim repair_claim(struct repair *repair, uint32_t number,
                               const struct parley_log *log) {
    struct claim claim = {.log = log, .found = REPAIR_CLAIM_NONE};
    struct key low, high;
    key_letter_number(&low, 's', number);
    key_after(&high, &low);
    repair_scan(repair, &low, &high, on_claim, &claim);
    return claim.found;
}

/* ---- rows without an owner */

struct owned {
    uint32_t number;
    bool is_found;
};

static bool on_owned(void *context, struct parley_span key, struct parley_span value) {
    struct owned *owned = context;
    (void)key;
    owned->is_found = value.size >= 4 && parley_get_u32(value.data) == owned->number;
    return !owned->is_found;
}

/* Without a segment that names the log: is it any log's? */
static bool is_any_log(struct owners *owners, uint32_t number) {
    struct owned owned = {.number = number};
    repair_scan_letter(owners->repair, 'l', on_owned, &owned);
    return owned.is_found;
}

static bool adopt(struct owners *owners, const struct parley_log *log) {
    struct log_row row = {.held.log = *log, .number = owners->number};
    struct parley_store_log held = {.log = *log};
    if (!find_owner(owners->repair, &held))
        return false;
    row.held = held;
    row.author_number = author_number(&owners->commit, &held.author);
    row_save(&owners->commit.batch, &row);
    return true;
}

/* Whether the log stands under the number. A row that says another number, under which there is
 * nothing of it, was read wrong in that: what is here names it. */
static bool is_numbered(struct owners *owners, const struct parley_log *log) {
    struct log_row row;
    if (row_load(&owners->commit.batch, log, &row) != PARLEY_E_OK)
        return adopt(owners, log);
    if (row.number == owners->number)
        return true;
    if (repair_claim(owners->repair, row.number, log) == REPAIR_CLAIM_OF_LOG)
        return false;
    row.number = owners->number;
    owners->repair->is_renumbered = true;
    row_save(&owners->commit.batch, &row);
    return true;
}

static void drop(struct owners *owners, struct parley_span key) {
    struct key doomed = {.size = key.size};
    memcpy(doomed.bytes, key.data, key.size);
    batch_drop(&owners->commit.batch, &doomed);
}

static bool on_segment(void *context, struct parley_span key, struct parley_span value) {
    struct owners *owners = context;
    struct segment segment;
    uint32_t number = parley_get_u32(key.data + 1);
    bool is_readable = segment_decode(&segment, value) == PARLEY_E_OK;
    if (number != owners->number) {
        owners->number = number;
        owners->is_owned = false;
    }
    if (!owners->is_owned && is_readable)
        owners->is_owned = is_numbered(owners, &segment.chunk.log);
    if (owners->is_owned || (!is_readable && is_any_log(owners, number)))
        return true;
    struct parley_store_log lost = {.ranges = {0}};
    if (is_readable)
        lost.log = segment.chunk.log;
    repair_lose(owners->repair, PARLEY_DAMAGE_UNOWNED, 's', is_readable ? &lost : NULL,
                is_readable ? segment.chunk.seq_first : 0,
                is_readable ? segment_seq_last(&segment) : 0);
    drop(owners, key);
    return true;
}

static bool on_beside(void *context, struct parley_span key, struct parley_span value) {
    struct owners *owners = context;
    (void)value;
    if (!is_any_log(owners, parley_get_u32(key.data + 1))) {
        repair_lose(owners->repair, PARLEY_DAMAGE_ROW, (char)key.data[0], NULL, 0, 0);
        drop(owners, key);
    }
    return true;
}

static void walk(struct repair *repair, char letter, parley_kv_on_pair *on_pair) {
    struct owners owners = {.repair = repair,
                            .store = {.kv = repair->kv, .next_number = repair->next_number}};
    owners.commit.store = &owners.store;
    batch_init(&owners.commit.batch, repair->kv);
    repair_scan_letter(repair, letter, on_pair, &owners);
    if (owners.store.next_number != repair->next_number)
        version_save(&owners.commit.batch, owners.store.next_number);
    repair->next_number = owners.store.next_number;
    repair_write(repair, &owners.commit.batch);
}

void repair_owners(struct repair *repair) {
    walk(repair, 's', on_segment);
    /* What cannot be read under the number that it had is nobody's now. */
    if (repair->is_renumbered)
        walk(repair, 's', on_segment);
    walk(repair, 'e', on_beside);
    walk(repair, 'x', on_beside);
}
