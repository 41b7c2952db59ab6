/* The check: a walk over all rows in the order of their keys, each compared with those that it
 * follows from and with those that follow from it.
 *
 * An engine that meets bytes that it cannot read goes on behind them and says so in the end; so
 * does this.
 */
#include "check.h"
#include <stdlib.h>

const char *parley_damage_name(enum parley_damage_kind kind) {
    switch (kind) {
#define X(name, words)                                                                             \
    case PARLEY_DAMAGE_##name:                                                                     \
        return #name;
        PARLEY_DAMAGES(X)
#undef X
    }
    return "?";
}

const char *parley_damage_words(enum parley_damage_kind kind) {
    switch (kind) {
#define X(name, words)                                                                             \
    case PARLEY_DAMAGE_##name:                                                                     \
        return words;
        PARLEY_DAMAGES(X)
#undef X
    }
    return "?";
}

void check_object(struct checking *checking, enum parley_damage_kind kind, char letter,
                  const struct parley_store_log *log, parley_seq low, parley_seq high) {
    struct parley_damage damage = {
        .kind = kind, .letter = letter, .seq_low = low, .seq_high = high};
    if (log != NULL) {
        damage.has_author = damage.has_log = true;
        damage.author = log->author;
        damage.log = log->log;
    }
    checking->check->damages_count++;
    checking->on_damage(checking->context, &damage);
}

void check_scanned(struct checking *checking, enum parley_error error, char letter,
                   const struct parley_store_log *log) {
    if (error == PARLEY_E_STORE_DAMAGED)
        check_object(checking, PARLEY_DAMAGE_UNREADABLE, letter, log, 0, 0);
    else if (error != PARLEY_E_OK && checking->error == PARLEY_E_OK)
        checking->error = error;
}

bool check_get(struct checking *checking, const struct key *key, uint8_t *value, size_t size_max,
               size_t *size) {
    enum parley_error error = checking->kv->calls->get(checking->kv, checking->view, key_span(key),
                                                       value, size_max, size);
    bool is_answer = error == PARLEY_E_OK || error == PARLEY_E_NOT_FOUND ||
                     error == PARLEY_E_NO_SPACE || error == PARLEY_E_STORE_DAMAGED;
    if (!is_answer && checking->error == PARLEY_E_OK)
        checking->error = error;
    return error == PARLEY_E_OK;
}

/* ---- rows that lead to a log by its number */

bool check_owner_of(struct checking *checking, uint32_t number, struct log_row *row) {
    struct key key;
    struct parley_log log;
    uint8_t value[LOG_ROW_SIZE_MAX];
    size_t size = 0;
    key_log_name(&key, number);
    if (!check_get(checking, &key, log.bytes, sizeof log, &size) || size != sizeof log)
        return false;
    key_log(&key, &log);
    return check_get(checking, &key, value, sizeof value, &size) &&
           log_row_decode(row, &log, PARLEY_SPAN(value, size)) == PARLEY_E_OK &&
           row->number == number;
}

static void check_name(struct checking *checking) {
    struct log_row row;
    if (checking->key.size != 5 ||
        !check_owner_of(checking, parley_get_u32(checking->key.bytes + 1), &row))
        check_object(checking, PARLEY_DAMAGE_INDEX, 'i', NULL, 0, 0);
}

/* Only whose they are: the log's row has led to the segments themselves. */
static void check_owner(struct checking *checking) {
    struct log_row row;
    struct segment segment;
    struct key *key = &checking->key;
    if (key->size == 11 && check_owner_of(checking, parley_get_u32(key->bytes + 1), &row)) {
        key_letter_number(key, 's', row.number); /* the next one's first */
        key_after(key, key);
        return;
    }
    struct parley_store_log log = {0};
    bool is_readable = segment_decode(&segment, checking->value) == PARLEY_E_OK;
    if (is_readable)
        log.log = segment.chunk.log;
    check_object(checking, PARLEY_DAMAGE_UNOWNED, 's', is_readable ? &log : NULL,
                 is_readable ? segment.chunk.seq_first : 0,
                 is_readable ? segment_seq_last(&segment) : 0);
}

static void check_erased(struct checking *checking) {
    struct log_row row;
    bool is_good = checking->key.size == 5 && erased_is_valid(checking->value) &&
                   check_owner_of(checking, parley_get_u32(checking->key.bytes + 1), &row) &&
                   row.has_erased;
    if (!is_good)
        check_object(checking, PARLEY_DAMAGE_ROW, 'x', NULL, 0, 0);
}

static void check_kept_evidence(struct checking *checking) {
    struct log_row row;
    const struct key *key = &checking->key;
    if (key->size != 6 || !check_owner_of(checking, parley_get_u32(key->bytes + 1), &row) ||
        key->bytes[5] >= row.evidence_count)
        check_object(checking, PARLEY_DAMAGE_EVIDENCE, 'e', NULL, 0, 0);
}

/* ---- the timeline */

static bool has_row(struct checking *checking, uint32_t author_number,
                    const struct timeline_row *row) {
    struct key key;
    uint8_t oldest[8];
    size_t size = 0;
    key_timeline(&key, author_number, row->time_newest, row->log_number, row->seq_first);
    return check_get(checking, &key, oldest, sizeof oldest, &size) && size == sizeof oldest &&
           parley_get_u64(oldest) == row->time_oldest;
}

bool check_has_timeline(struct checking *checking, const struct log_row *row,
                        const struct segment *segment) {
    struct timeline_row expected;
    segment_timeline_row(&expected, row->number, segment);
    return has_row(checking, 0, &expected) && has_row(checking, row->author_number, &expected);
}

/* The reverse: there is such a segment, and its times are these. */
static void check_timeline_row(struct checking *checking) {
    struct timeline_row row, expected;
    struct log_row owner;
    struct segment segment;
    struct key key;
    size_t size = 0;
    bool is_good =
        timeline_row_decode(&row, key_span(&checking->key), checking->value) == PARLEY_E_OK;
    uint32_t author_number = is_good ? parley_get_u32(checking->key.bytes + 1) : 0;
    is_good = is_good && check_owner_of(checking, row.log_number, &owner) &&
              (author_number == 0 || author_number == owner.author_number);
    if (is_good)
        key_segment(&key, row.log_number, row.seq_first);
    is_good = is_good &&
              check_get(checking, &key, checking->buffer, sizeof checking->buffer, &size) &&
              segment_decode(&segment, PARLEY_SPAN(checking->buffer, size)) == PARLEY_E_OK;
    if (is_good)
        segment_timeline_row(&expected, row.log_number, &segment);
    if (!is_good || expected.time_newest != row.time_newest ||
        expected.time_oldest != row.time_oldest)
        check_object(checking, PARLEY_DAMAGE_INDEX, 't', NULL, 0, 0);
}

/* ---- records */

static void on_bad_record(void *context, struct parley_span key) {
    struct checking *checking = context;
    struct parley_damage damage = {.kind = PARLEY_DAMAGE_RECORD, .letter = 'r'};
    damage.has_author = key.size >= 33;
    if (damage.has_author)
        memcpy(damage.author.bytes, key.data + 1, 32);
    checking->check->damages_count++;
    checking->on_damage(checking->context, &damage);
}

/* All records of one author, whose first is at hand. */
static void check_records(struct checking *checking) {
    struct parley_author author;
    if (checking->key.size < 1 + sizeof author) {
        check_object(checking, PARLEY_DAMAGE_ROW, 'r', NULL, 0, 0);
        return;
    }
    memcpy(author.bytes, checking->key.bytes + 1, sizeof author);
    enum parley_error error = author_set_load(&checking->set, checking->kv, checking->view, &author,
                                              true, on_bad_record, checking);
    check_scanned(checking, error, 'r', NULL);
    checking->check->records_count += checking->set.records_count;
    checking->work += checking->set.records_count;
    key_records(&checking->key, &author); /* on to the next author's */
    key_after(&checking->key, &checking->key);
}

/* ---- the walk */

static void check_row(struct checking *checking) {
    switch (checking->key.bytes[0]) {
    case 'C':
    case 'V':
        if (checking->value.size != 8)
            check_object(checking, PARLEY_DAMAGE_ROW, checking->key.bytes[0], NULL, 0, 0);
        return;
    case 'R':
        check_object(checking, PARLEY_DAMAGE_INDEX, 'R', NULL, 0, 0);
        return;
    case 'a': /* a number that no log uses does no harm: none is given twice */
        if (checking->key.size != 33 || checking->value.size != 4)
            check_object(checking, PARLEY_DAMAGE_INDEX, 'a', NULL, 0, 0);
        return;
    case 'b':
    case 'd':
    case 'h':
    case 'p':
        check_saying(checking);
        return;
    case 'e':
        check_kept_evidence(checking);
        return;
    case 'i':
        check_name(checking);
        return;
    case 'l':
        check_log(checking);
        return;
    case 'm':
        return;
    case 'r':
        check_records(checking);
        return;
    case 's':
        check_owner(checking);
        return;
    case 't':
        check_timeline_row(checking);
        return;
    case 'x':
        check_erased(checking);
        return;
    default:
        check_object(checking, PARLEY_DAMAGE_ROW, checking->key.bytes[0], NULL, 0, 0);
    }
}

static bool on_next(void *context, struct parley_span key, struct parley_span value) {
    struct checking *checking = context;
    if (key.size > sizeof checking->key.bytes) {
        checking->error = PARLEY_E_STORE_DAMAGED; /* longer than any that was ever written */
        return false;
    }
    if (value.size > sizeof checking->buffer)
        value = PARLEY_NO_SPAN; /* decodes as nothing */
    memcpy(checking->key.bytes, key.data, key.size);
    checking->key.size = key.size;
    if (value.size > 0)
        memcpy(checking->buffer, value.data, value.size);
    checking->value = PARLEY_SPAN(checking->buffer, value.size);
    return false;
}

/* The row at or behind the place of the check. False at the end. */
static bool next_row(struct checking *checking) {
    struct parley_store_check *check = checking->check;
    struct parley_kv_bounds bounds = {.from = PARLEY_SPAN(check->key, check->key_size),
                                      .is_past_damage = true};
    checking->key.size = 0;
    enum parley_error error =
        checking->kv->calls->scan(checking->kv, checking->view, &bounds, on_next, checking);
    char letter = check->key_size > 0 ? (char)check->key[0] : 'C';
    check_scanned(checking, error, letter, NULL);
    return checking->error == PARLEY_E_OK && checking->key.size > 0;
}

/* The next place is right behind the key at hand, which the row may have moved on. */
static void step(struct checking *checking) {
    struct parley_store_check *check = checking->check;
    struct key at = checking->key;
    check_row(checking);
    checking->work++;
    bool is_moved = parley_kv_compare(key_span(&checking->key), key_span(&at)) > 0;
    memcpy(check->key, checking->key.bytes, checking->key.size);
    check->key_size = checking->key.size;
    if (!is_moved && check->key_size < sizeof check->key)
        check->key[check->key_size++] = 0;
    else if (!is_moved)
        check->is_done = true; /* no key is longer */
}

static void walk(struct checking *checking, uint64_t work_max) {
    do {
        if (!next_row(checking)) {
            checking->check->is_done = checking->error == PARLEY_E_OK;
            return;
        }
        step(checking);
    } while (checking->error == PARLEY_E_OK && !checking->check->is_done &&
             checking->work < work_max);
}

enum parley_error parley_store_check_next(struct parley_store *store,
                                          struct parley_store_check *check, uint64_t work_max,
                                          parley_store_on_damage *on_damage, void *context) {
    struct parley_kv *kv = store->kv;
    struct checking *checking = calloc(1, sizeof *checking);
    if (checking == NULL)
        return PARLEY_E_NO_MEMORY;
    checking->kv = kv;
    checking->check = check;
    checking->on_damage = on_damage;
    checking->context = context;
    checking->error = kv->calls->view_begin(kv, &checking->view);
    bool is_old, has_view = checking->error == PARLEY_E_OK;
    if (has_view)
        checking->error = version_read(kv, checking->view, &checking->next_number, &is_old);
    if (checking->error == PARLEY_E_OK)
        walk(checking, work_max);
    if (has_view)
        kv->calls->view_end(kv, checking->view);
    enum parley_error error = checking->error;
    free(checking);
    return error;
}
