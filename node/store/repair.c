/* The last resort. In an order in which each step stands on the one before: what cannot be a row
 * goes; records that do not hold go; logs that have lost their row get one from the records; of
 * each log what the judge takes stays; indexes are made anew.
 *
 * Every step is a batch of its own and may be done again.
 */
#include "repair.h"
#include <stdlib.h>

void repair_lose(struct repair *repair, enum parley_damage_kind kind, char letter,
                 const struct parley_store_log *log, parley_seq low, parley_seq high) {
    struct parley_damage damage = {
        .kind = kind, .letter = letter, .seq_low = low, .seq_high = high};
    if (log != NULL) {
        damage.has_log = true;
        damage.log = log->log;
        damage.has_author = !PARLEY_IS_ZERO(log->author);
        damage.author = log->author;
    }
    repair->on_damage(repair->context, &damage);
}

void repair_write(struct repair *repair, struct batch *batch) {
    enum parley_error error = batch_write(batch);
    if (repair->error == PARLEY_E_OK)
        repair->error = error;
    batch_clear(batch);
}

/* What an engine says after it was repaired itself is to be taken: what it cannot read is gone. */
void repair_scan(struct repair *repair, const struct key *low, const struct key *high,
                 parley_kv_on_pair *on_pair, void *context) {
    struct parley_kv_bounds bounds = {key_span(low), key_span(high), false};
    if (repair->error == PARLEY_E_OK)
        repair->error = repair->kv->calls->scan(repair->kv, NULL, &bounds, on_pair, context);
}

void repair_scan_letter(struct repair *repair, char letter, parley_kv_on_pair *on_pair,
                        void *context) {
    struct key low, high;
    key_letter(&low, letter);
    key_after(&high, &low);
    repair_scan(repair, &low, &high, on_pair, context);
}

/* ---- numbers: none may be given again that stands in any key */

static void raise(struct repair *repair, uint32_t number) {
    if (number >= repair->next_number && number < UINT32_MAX)
        repair->next_number = number + 1;
}

static bool on_numbered(void *context, struct parley_span key, struct parley_span value) {
    struct repair *repair = context;
    (void)value;
    if (key.size >= 5)
        raise(repair, parley_get_u32(key.data + 1));
    return true;
}

static bool on_log_numbers(void *context, struct parley_span key, struct parley_span value) {
    struct repair *repair = context;
    (void)key;
    if (value.size >= 8) {
        raise(repair, parley_get_u32(value.data));
        raise(repair, parley_get_u32(value.data + 4));
    }
    return true;
}

static bool on_any(void *context, struct parley_span key, struct parley_span value) {
    (void)key, (void)value;
    *(bool *)context = true;
    return false;
}

/* The row of the version stands first, so that the store opens. */
static void restore_version(struct repair *repair) {
    struct batch batch;
    struct key low = {.size = 0}, high = {.size = 0};
    bool is_used = false;
    repair_scan(repair, &low, &high, on_any, &is_used);
    if (repair->error == PARLEY_E_OK && !is_used)
        repair->error = PARLEY_E_STORE_MISSING;
    if (repair->error != PARLEY_E_OK)
        return;
    bool is_old;
    repair->next_number = 1;
    enum parley_error error = version_read(repair->kv, NULL, &repair->next_number, &is_old);
    if (error == PARLEY_E_BAD_VERSION)
        repair->error = error;
    for (const char *letter = "eistx"; *letter != '\0'; letter++)
        repair_scan_letter(repair, *letter, on_numbered, repair);
    repair_scan_letter(repair, 'l', on_log_numbers, repair);
    batch_init(&batch, repair->kv);
    version_save(&batch, repair->next_number);
    if (repair->error == PARLEY_E_OK)
        repair_write(repair, &batch);
    batch_clear(&batch);
}

/* ---- rows that are none, and records */

struct sweep {
    struct repair *repair;
    struct batch batch;
};

static void drop_key(struct sweep *sweep, struct parley_span key) {
    struct key doomed = {.size = key.size < sizeof doomed.bytes ? key.size : sizeof doomed.bytes};
    memcpy(doomed.bytes, key.data, doomed.size);
    batch_drop(&sweep->batch, &doomed);
}

static bool is_row(struct parley_span key, struct parley_span value) {
    struct parley_log log = {{0}};
    struct log_row row;
    switch (key.data[0]) {
    case 'C':
    case 'V':
        return key.size == 1 && value.size == 8;
    case 'e':
        return key.size == 6;
    case 'l':
        if (key.size != 33)
            return false;
        memcpy(log.bytes, key.data + 1, sizeof log);
        if (log_row_decode(&row, &log, value) != PARLEY_E_OK || row.number == 0)
            return false;
        parley_log_derive(&log, &row.held.author, &row.held.device);
        return memcmp(log.bytes, key.data + 1, sizeof log) == 0;
    case 'm':
        return true;
    case 'r':
        return key.size == 66;
    case 's':
        return key.size == 11;
    case 'x':
        return key.size == 5 && erased_is_valid(value);
    case 'R':
    case 'a':
    case 'b':
    case 'd':
    case 'h':
    case 'i':
    case 'p':
    case 't':
        return true; /* made anew in the end */
    default:
        return false;
    }
}

static bool on_row(void *context, struct parley_span key, struct parley_span value) {
    struct sweep *sweep = context;
    if (key.size == 0 || !is_row(key, value)) {
        repair_lose(sweep->repair, PARLEY_DAMAGE_ROW, key.size > 0 ? (char)key.data[0] : 0, NULL, 0,
                    0);
        drop_key(sweep, key);
    }
    return true;
}

static void on_bad_record(void *context, struct parley_span key) {
    struct sweep *sweep = context;
    struct parley_damage damage = {.kind = PARLEY_DAMAGE_RECORD, .letter = 'r', .has_author = true};
    memcpy(damage.author.bytes, key.data + 1, sizeof damage.author);
    sweep->repair->on_damage(sweep->repair->context, &damage);
    drop_key(sweep, key);
}

/* Every record of every author once, with its signatures. */
static bool on_record(void *context, struct parley_span key, struct parley_span value) {
    struct sweep *sweep = context;
    struct repair *repair = sweep->repair;
    struct parley_author author;
    (void)value;
    memcpy(author.bytes, key.data + 1, sizeof author);
    if (repair->has_author && PARLEY_EQUAL(author, repair->author))
        return true;
    repair->has_author = true;
    repair->author = author;
    if (repair->error == PARLEY_E_OK)
        repair->error =
            author_set_load(&repair->set, repair->kv, NULL, &author, true, on_bad_record, sweep);
    return repair->error == PARLEY_E_OK;
}

static void sweep_rows(struct repair *repair) {
    struct sweep sweep = {.repair = repair};
    struct key low = {.size = 0}, high = {.size = 0};
    batch_init(&sweep.batch, repair->kv);
    repair_scan(repair, &low, &high, on_row, &sweep);
    repair_write(repair, &sweep.batch);
    batch_init(&sweep.batch, repair->kv);
    repair_scan_letter(repair, 'r', on_record, &sweep);
    repair_write(repair, &sweep.batch);
}

/* ---- all of it */

static void rebuild(struct repair *repair) {
    struct parley_store *store = NULL;
    if (repair->error == PARLEY_E_OK)
        repair->error = parley_store_open(&store, repair->kv, false);
    if (repair->error == PARLEY_E_OK)
        repair->error = parley_store_rebuild(store);
    parley_store_close(store);
}

enum parley_error parley_store_repair(struct parley_kv *kv, parley_store_on_damage *on_damage,
                                      void *context) {
    struct repair *repair = calloc(1, sizeof *repair);
    if (repair == NULL)
        return PARLEY_E_NO_MEMORY;
    repair->kv = kv;
    repair->on_damage = on_damage;
    repair->context = context;
    sweep_rows(repair);
    restore_version(repair);
    repair_owners(repair);
    repair_logs(repair);
    rebuild(repair);
    enum parley_error error = repair->error;
    free(repair);
    return error;
}
