/* The rows of a store, damaged in any way: what is read is good or is called damaged, a check that
 * finds nothing means that everything can be read, and what a repair leaves has nothing wrong.
 *
 * The first byte of an input chooses: 0 is a segment, 1 a log row, 2 a row of the timeline, by
 * themselves; else the rest is a list of changes, five bytes each, to the rows of a small store.
 * Then what is of one of its people is read; in one input of 4, by all of its bytes, also the
 * timeline of all, one of 16 is checked as well, and one of 64 repaired, and everything read.
 * Signatures are judged by crypto_stub.c, hashes made by cheap_crypto.c.
 */
#include "fuzz.h"

#include "../../node/store/segment.h"
#include "../sim/kv_memory.h"
#include "node_people.h"
#include <parley/store.h>

#define CHANGE_SIZE 5u
#define CHANGES_MAX 6u
#define PAIRS_MAX   256u
/* What a log row holds since it says what a log takes of the disk. */
#define LOG_ROW_SINCE_SIZE 24u

/* ---- single rows */

static void try_segment(struct parley_span bytes) {
    struct segment segment;
    struct segment_cursor cursor, again;
    struct parley_entry entry;
    struct parley_item item;
    if (segment_decode(&segment, bytes) != PARLEY_E_OK)
        return;
    size_t count = 0;
    segment_start(&cursor, &segment);
    segment_start(&again, &segment);
    while (segment_next(&cursor, &entry)) {
        FUZZ_HOLDS(segment_next_item(&again, &item));
        FUZZ_HOLDS(item.seq == entry.header.seq && again.received_ms == cursor.received_ms);
        count++;
    }
    FUZZ_HOLDS(!segment_next_item(&again, &item) && count == segment.chunk.count);
    FUZZ_HOLDS(cursor.left == 0 && parley_reader_is_done(&cursor.times));
    FUZZ_HOLDS(segment.chunk.bytes.data + segment.chunk.bytes.size == bytes.data + bytes.size);
}

static void try_log_row(struct parley_span bytes) {
    static const struct parley_log log = {{1}};
    struct log_row row, other;
    uint8_t again[LOG_ROW_SIZE_MAX], once_more[LOG_ROW_SIZE_MAX];
    if (log_row_decode(&row, &log, bytes) != PARLEY_E_OK)
        return;
    size_t size = log_row_encode(again, &row);
    /* A row of an older layout is written again in today's, which says more. */
    bool is_old = size == bytes.size + LOG_ROW_SINCE_SIZE;
    if (!is_old)
        FUZZ_HOLDS(parley_span_equal(bytes, PARLEY_SPAN(again, size)));
    FUZZ_HOLDS(log_row_decode(&other, &log, PARLEY_SPAN(again, size)) == PARLEY_E_OK);
    FUZZ_HOLDS(log_row_encode(once_more, &other) == size && memcmp(again, once_more, size) == 0);
}

static void try_timeline_row(struct parley_span bytes) {
    struct timeline_row row;
    struct key key;
    uint8_t oldest[8];
    size_t key_size = bytes.size < TIMELINE_KEY_SIZE ? bytes.size : TIMELINE_KEY_SIZE;
    struct parley_span value = PARLEY_SPAN(bytes.data + key_size, bytes.size - key_size);
    if (timeline_row_decode(&row, PARLEY_SPAN(bytes.data, key_size), value) != PARLEY_E_OK)
        return;
    key_timeline(&key, parley_get_u32(bytes.data + 1), row.time_newest, row.log_number,
                 row.seq_first);
    FUZZ_HOLDS(parley_span_equal(PARLEY_SPAN(key.bytes + 1, key.size - 1),
                                 PARLEY_SPAN(bytes.data + 1, key_size - 1)));
    parley_put_u64(oldest, row.time_oldest);
    FUZZ_HOLDS(parley_span_equal(value, PARLEY_SPAN(oldest, sizeof oldest)));
}

/* ---- a store of four people */

static struct parley_disk *whole;
static void gather_pairs(struct parley_kv *kv);

static void commit(struct parley_store *store, const struct parley_store_op *op) {
    enum parley_error result;
    parley_store_commit(store, op, 1, &result);
    FUZZ_HOLDS(result == PARLEY_E_OK);
}

static void put_records(struct parley_store *store, const struct person *person) {
    for (size_t i = 0; i < person->records_count; i++) {
        struct parley_record record;
        struct parley_store_op op = {.kind = PARLEY_STORE_RECORD, .author = person->author};
        FUZZ_HOLDS(parley_record_decode(&record, person->records[i]).error == PARLEY_E_OK);
        op.bytes = person->records[i];
        op.key = PARLEY_SPAN_OF(record.hash);
        commit(store, &op);
    }
}

static void put_run(struct parley_store *store, const struct person *person,
                    enum parley_store_kind kind, size_t branch, size_t low, size_t high) {
    struct parley_store_op op = {.kind = kind, .author = person->author, .log = person->log};
    op.device = person->device_key;
    op.bytes = people_chunk(person, branch, low, high, low != 3, false);
    op.received_ms = 1767225600000 + high * 500;
    op.top_signed = true;
    commit(store, &op);
}

static void make_whole(void) {
    struct parley_kv *kv = NULL;
    struct parley_store *store;
    people_make();
    whole = parley_disk_create();
    FUZZ_HOLDS(whole && parley_kv_memory_open(&kv, whole, true) == PARLEY_E_OK);
    FUZZ_HOLDS(parley_store_open(&store, kv, true) == PARLEY_E_OK);
    for (size_t i = 0; i < PEOPLE_COUNT; i++)
        put_records(store, &people[i]);
    put_run(store, &people[0], PARLEY_STORE_APPEND, 0, 1, 2);
    put_run(store, &people[0], PARLEY_STORE_APPEND, 0, 3, 5);
    put_run(store, &people[0], PARLEY_STORE_APPEND, 0, 6, CHAIN_SIZE);
    put_run(store, &people[1], PARLEY_STORE_APPEND, 0, 1, 4);
    put_run(store, &people[1], PARLEY_STORE_TOP, 0, 9, 11);
    put_run(store, &people[1], PARLEY_STORE_EVIDENCE, 1, 6, 8);
    put_run(store, &people[2], PARLEY_STORE_APPEND, 0, 1, 4);
    struct parley_store_op fork = {.kind = PARLEY_STORE_FORK, .log = people[1].log, .seq_low = 6};
    fork.author = people[1].author;
    fork.device = people[1].device_key;
    commit(store, &fork);
    struct parley_store_op drop = {.kind = PARLEY_STORE_DROP_BODIES, .log = people[0].log};
    drop.seq_low = drop.seq_high = 7;
    drop.forget = true;
    commit(store, &drop);
    struct parley_store_op meta = {.kind = PARLEY_STORE_META};
    meta.key = PARLEY_SPAN("name", 4);
    meta.bytes = PARLEY_SPAN("value", 5);
    commit(store, &meta);
    parley_store_close(store);
    gather_pairs(kv);
    kv->calls->close(kv);
}

/* ---- damage */

struct pair {
    uint8_t key[256], value[2048];
    size_t key_size, value_size;
};
/* As they are, and as an input makes them. */
static struct pair whole_pairs[PAIRS_MAX], pairs[PAIRS_MAX];
static size_t pairs_count;

static bool on_pair(void *context, struct parley_span key, struct parley_span value) {
    FUZZ_HOLDS(pairs_count < PAIRS_MAX);
    struct pair *pair = &whole_pairs[pairs_count++];
    FUZZ_HOLDS(key.size <= sizeof pair->key && value.size <= sizeof pair->value / 2);
    memcpy(pair->key, key.data, key.size);
    memcpy(pair->value, value.data, value.size);
    pair->key_size = key.size;
    pair->value_size = value.size;
    return true;
}

static void gather_pairs(struct parley_kv *kv) {
    static const struct parley_kv_bounds all = {{NULL, 0}, {NULL, 0}, false};
    FUZZ_HOLDS(kv->calls->scan(kv, NULL, &all, on_pair, NULL) == PARLEY_E_OK);
    memcpy(pairs, whole_pairs, sizeof pairs);
}

static void change(struct parley_kv *kv, const uint8_t *in) {
    struct pair *pair = &pairs[in[0] % pairs_count];
    const struct pair *other = &pairs[in[3] % pairs_count];
    struct parley_kv_change changes[2] = {{.key = PARLEY_SPAN(pair->key, pair->key_size)}};
    uint8_t key[sizeof pair->key];
    size_t at = pair->value_size > 0 ? (size_t)in[2] * pair->value_size / 256 : 0;
    size_t changes_count = 1;
    memcpy(key, pair->key, pair->key_size);
    switch (in[1] % 6) {
    case 0:
        pair->value[at] ^= in[3];
        break;
    case 1:
        pair->value_size = at;
        break;
    case 2:
        changes[0].is_delete = true;
        break;
    case 3:
        pair->value[pair->value_size++] = in[3];
        break;
    case 4:
        pair->value_size = other->value_size;
        memmove(pair->value, other->value, other->value_size);
        break;
    default: /* under another key */
        changes[0].is_delete = in[4] & 1;
        key[1 + in[2] % pair->key_size - (in[2] % pair->key_size + 1 == pair->key_size)] ^= in[3];
        changes[1].key = PARLEY_SPAN(key, pair->key_size);
        changes[1].value = PARLEY_SPAN(pair->value, pair->value_size);
        changes_count = 2;
    }
    changes[0].value = PARLEY_SPAN(pair->value, pair->value_size);
    FUZZ_HOLDS(kv->calls->write(kv, changes, changes_count) == PARLEY_E_OK);
}

/* ---- reading all of it */

struct reading {
    size_t first, end; /* of people: whose rows are read */
    bool is_whole;     /* and what is of nobody's */
    bool is_damaged;   /* some answer said so */
    uint64_t entries_count;
};

static enum parley_error take(struct reading *reading, enum parley_error error) {
    FUZZ_HOLDS(error == PARLEY_E_OK || error == PARLEY_E_NOT_FOUND ||
               error == PARLEY_E_STORE_DAMAGED);
    reading->is_damaged |= error == PARLEY_E_STORE_DAMAGED;
    return error;
}

static bool on_entry(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received_ms) {
    struct reading *reading = context;
    FUZZ_HOLDS(PARLEY_EQUAL(log->log, place->log) && entry->header.seq == place->seq);
    FUZZ_HOLDS(place->time <= received_ms && place->time <= entry->header.time);
    reading->entries_count++;
    return reading->entries_count < 200;
}

static bool on_first(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received_ms) {
    FUZZ_HOLDS(entry->header.seq >= 4);
    return false;
}

/* Headers that lack their bodies are a chunk at or below the top that was asked for. */
static void read_lacking(struct parley_store *store, struct reading *reading,
                         const struct person *person, parley_seq top) {
    static uint8_t buffer[PARLEY_MESSAGE_BYTES_MAX];
    struct parley_chunk chunk;
    struct parley_span bytes;
    parley_seq next;
    if (take(reading, parley_store_read_lacking(store, &person->log, top, 1, buffer, &bytes,
                                                &next)) != PARLEY_E_OK)
        return;
    if (bytes.size == 0) {
        FUZZ_HOLDS(next <= top);
        return;
    }
    FUZZ_HOLDS(parley_chunk_decode(&chunk, bytes).error == PARLEY_E_OK);
    FUZZ_HOLDS(parley_chunk_seq_last(&chunk) <= top);
}

static void read_log(struct parley_store *store, struct reading *reading,
                     const struct person *person) {
    static uint8_t buffer[PARLEY_MESSAGE_BYTES_MAX];
    struct parley_store_log row;
    struct parley_chunk chunk;
    struct parley_span bytes;
    size_t count;
    if (take(reading, parley_store_log_get(store, &person->log, &row)) == PARLEY_E_OK)
        FUZZ_HOLDS(parley_ranges_is_valid(&row.ranges));
    for (parley_seq top = 1; top <= CHAIN_SIZE; top += 3) {
        read_lacking(store, reading, person, top);
        if (take(reading, parley_store_read_run(store, &person->log, top, 1, top & 1, 400 * top,
                                                buffer, &bytes)) != PARLEY_E_OK)
            continue;
        FUZZ_HOLDS(parley_chunk_decode(&chunk, bytes).error == PARLEY_E_OK);
        FUZZ_HOLDS(parley_chunk_seq_last(&chunk) == top);
    }
    FUZZ_HOLDS(parley_store_read_run(store, &person->log, 0, 0, true, 400, buffer, &bytes) ==
               PARLEY_E_NOT_FOUND);
    (void)take(reading,
               parley_store_entries(store, &person->log, 4, UINT64_MAX, on_first, reading));
    for (size_t skip = 1; skip < 4; skip++)
        (void)take(reading, parley_store_read_records(store, &person->author, skip, buffer, 400,
                                                      &bytes, &count));
    for (size_t i = 0; i < 3; i++)
        (void)take(reading, parley_store_read_evidence(store, &person->log, i, buffer, &bytes));
    if (take(reading, parley_store_read_records(store, &person->author, 0, buffer, sizeof buffer,
                                                &bytes, &count)) == PARLEY_E_OK)
        FUZZ_HOLDS(count > 0 && bytes.size > count);
    (void)take(reading,
               parley_store_entries(store, &person->log, 1, CHAIN_SIZE, on_entry, reading));
    (void)take(reading, parley_store_timeline(store, NULL, &person->author, on_entry, reading));
}

/* A row of another size than an author's number is none. */
static bool has_sound_number(struct parley_kv *kv, const struct person *person) {
    struct key key;
    uint8_t value[64];
    size_t size = 0;
    key_author(&key, &person->author);
    enum parley_error error = kv->calls->get(kv, NULL, key_span(&key), value, sizeof value, &size);
    return error == PARLEY_E_NOT_FOUND || (error == PARLEY_E_OK && size == 4);
}

static void check_numbers(struct parley_store *store, struct parley_kv *kv,
                          struct reading reading) {
    for (size_t i = reading.first; i < reading.end; i++)
        if (!has_sound_number(kv, &people[i]))
            FUZZ_HOLDS(parley_store_timeline(store, NULL, &people[i].author, on_entry, &reading) ==
                       PARLEY_E_STORE_DAMAGED);
}

static void read_all(struct parley_store *store, struct reading *reading) {
    static const struct parley_store_visitor nobody;
    for (size_t i = reading->first; i < reading->end; i++)
        read_log(store, reading, &people[i]);
    if (!reading->is_whole)
        return;
    (void)take(reading, parley_store_timeline(store, NULL, NULL, on_entry, reading));
    (void)take(reading, parley_store_load(store, &nobody));
}

struct damages {
    uint64_t count;
    uint64_t unmended; /* what no repair may leave; records come back from peers alone */
};

static void on_damage(void *context, const struct parley_damage *damage) {
    struct damages *damages = context;
    FUZZ_HOLDS(parley_damage_words(damage->kind)[0] != '\0');
    damages->count++;
    damages->unmended += damage->kind != PARLEY_DAMAGE_RECORDS_MISSING;
}

static struct damages find_damages(struct parley_store *store) {
    struct parley_store_check check = {.is_done = false};
    struct damages found = {0, 0};
    for (size_t i = 0; !check.is_done; i++) {
        FUZZ_HOLDS(i < 1000);
        FUZZ_HOLDS(parley_store_check_next(store, &check, 40, on_damage, &found) == PARLEY_E_OK);
    }
    FUZZ_HOLDS(found.count == check.damages_count);
    return found;
}

static void open_and_read(struct parley_kv *kv, struct reading reading, bool checks) {
    struct parley_store *store;
    if (parley_store_open(&store, kv, false) != PARLEY_E_OK)
        return;
    check_numbers(store, kv, reading);
    read_all(store, &reading);
    if (checks)
        FUZZ_HOLDS(find_damages(store).count > 0 || !reading.is_damaged);
    parley_store_close(store);
}

static void repair_and_check(struct parley_kv *kv, struct reading reading) {
    struct parley_store *store;
    struct damages losses = {0, 0};
    enum parley_error error = parley_store_repair(kv, on_damage, &losses);
    FUZZ_HOLDS(error == PARLEY_E_OK || error == PARLEY_E_BAD_VERSION ||
               error == PARLEY_E_STORE_MISSING || error == PARLEY_E_STORE_DAMAGED);
    if (error != PARLEY_E_OK)
        return;
    FUZZ_HOLDS(parley_store_open(&store, kv, false) == PARLEY_E_OK);
    FUZZ_HOLDS(find_damages(store).unmended == 0);
    read_all(store, &reading);
    FUZZ_HOLDS(!reading.is_damaged);
    parley_store_close(store);
}

/* A number that any other byte makes another one. */
static unsigned draw(struct parley_span bytes) {
    uint32_t sum = 0;
    for (size_t i = 0; i < bytes.size; i++)
        sum = (sum ^ bytes.data[i]) * UINT32_C(0x9e3779b1);
    return sum >> 24;
}

static void try_changes(struct parley_span bytes) {
    struct parley_disk *disk = parley_disk_share(whole);
    struct parley_kv *kv = NULL;
    unsigned drawn = draw(bytes);
    bool is_all = drawn % 64 == 0;
    size_t first = drawn / 64, end;
    struct reading reading = {.first = is_all ? 0 : first,
                              .end = is_all ? PEOPLE_COUNT : first + 1};
    FUZZ_HOLDS(parley_kv_memory_open(&kv, disk, false) == PARLEY_E_OK);
    for (end = 0; end + CHANGE_SIZE <= bytes.size && end < CHANGES_MAX * CHANGE_SIZE;
         end += CHANGE_SIZE)
        change(kv, bytes.data + end);
    open_and_read(kv, reading, drawn % 16 == 0);
    if (is_all)
        repair_and_check(kv, reading);
    kv->calls->close(kv);
    parley_disk_free(disk);
    for (size_t at = 0; at < end; at += CHANGE_SIZE)
        pairs[bytes.data[at] % pairs_count] = whole_pairs[bytes.data[at] % pairs_count];
}

void fuzz_target(struct parley_span bytes) {
    if (whole == NULL)
        make_whole();
    if (bytes.size == 0)
        return;
    struct parley_span rest = PARLEY_SPAN(bytes.data + 1, bytes.size - 1);
    switch (bytes.data[0]) {
    case 0:
        try_segment(rest);
        return;
    case 1:
        try_log_row(rest);
        return;
    case 2:
        try_timeline_row(rest);
        return;
    default:
        try_changes(rest);
    }
}
