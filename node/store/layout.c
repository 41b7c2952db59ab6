#include "layout.h"
#include <assert.h>

static void start(struct key *key, char letter) {
    key->bytes[0] = (uint8_t)letter;
    key->size = 1;
}

static void add_bytes(struct key *key, const void *data, size_t size) {
    assert(size <= sizeof key->bytes - key->size);
    if (size > 0)
        memcpy(key->bytes + key->size, data, size);
    key->size += size;
}

static void add_u32(struct key *key, uint32_t value) {
    parley_put_u32(key->bytes + key->size, value);
    key->size += 4;
}

static void add_u48(struct key *key, uint64_t value) {
    parley_put_u48(key->bytes + key->size, value);
    key->size += 6;
}

static void add_u64(struct key *key, uint64_t value) {
    parley_put_u64(key->bytes + key->size, value);
    key->size += 8;
}

void key_version(struct key *key) {
    start(key, 'V');
}

void key_log(struct key *key, const struct parley_log *log) {
    start(key, 'l');
    add_bytes(key, log->bytes, sizeof log->bytes);
}

void key_log_name(struct key *key, uint32_t log_number) {
    key_letter_number(key, 'i', log_number);
}

void key_author(struct key *key, const struct parley_author *author) {
    start(key, 'a');
    add_bytes(key, author->bytes, sizeof author->bytes);
}

void key_segment(struct key *key, uint32_t log_number, parley_seq seq_first) {
    key_letter_number(key, 's', log_number);
    add_u48(key, seq_first);
}

void key_timeline(struct key *key, uint32_t author_number, parley_time_ms time, uint32_t log_number,
                  parley_seq seq_first) {
    key_letter_number(key, 't', author_number);
    add_u64(key, time);
    add_u32(key, log_number);
    add_u48(key, seq_first);
}

void key_evidence(struct key *key, uint32_t log_number, uint8_t index) {
    key_letter_number(key, 'e', log_number);
    add_bytes(key, &index, 1);
}

void key_erased(struct key *key, uint32_t log_number) {
    key_letter_number(key, 'x', log_number);
}

void key_links(struct key *key, const struct parley_log *log, parley_seq seq, uint8_t kind) {
    start(key, 'b');
    add_bytes(key, log->bytes, sizeof log->bytes);
    add_u48(key, seq);
    add_bytes(key, &kind, 1);
}

void key_link(struct key *key, const struct parley_log *log, parley_seq seq, uint8_t kind,
              uint32_t group, parley_time_ms time, uint32_t from_number, parley_seq from_seq) {
    key_links(key, log, seq, kind);
    add_u32(key, group);
    add_u64(key, time);
    add_u32(key, from_number);
    add_u48(key, from_seq);
}

void key_profile(struct key *key, uint32_t author_number, parley_time_ms time, uint32_t log_number,
                 parley_seq seq) {
    key_letter_number(key, 'p', author_number);
    add_u64(key, time);
    add_u32(key, log_number);
    add_u48(key, seq);
}

void key_erasures(struct key *key, uint32_t log_number, parley_seq seq) {
    key_letter_number(key, 'h', log_number);
    add_u48(key, seq);
}

void key_erasure(struct key *key, uint32_t log_number, parley_seq seq, parley_seq erasing) {
    key_erasures(key, log_number, seq);
    add_u48(key, erasing);
}

void key_pending(struct key *key, uint32_t log_number, parley_time_ms received_ms,
                 parley_seq erasing) {
    key_letter_number(key, 'd', log_number);
    add_u64(key, received_ms);
    add_u48(key, erasing);
}

void key_records(struct key *key, const struct parley_author *author) {
    start(key, 'r');
    add_bytes(key, author->bytes, sizeof author->bytes);
}

void key_record(struct key *key, const struct parley_author *author, uint8_t kind,
                struct parley_span hash) {
    key_records(key, author);
    add_bytes(key, &kind, 1);
    add_bytes(key, hash.data, hash.size);
}

bool key_meta(struct key *key, struct parley_span name) {
    start(key, 'm');
    if (name.size > META_KEY_SIZE_MAX)
        return false;
    add_bytes(key, name.data, name.size);
    return true;
}

void key_letter(struct key *key, char letter) {
    start(key, letter);
}

void key_letter_number(struct key *key, char letter, uint32_t number) {
    start(key, letter);
    add_u32(key, number);
}

void key_after(struct key *key, const struct key *prefix) {
    *key = *prefix;
    while (key->size > 0 && key->bytes[key->size - 1] == 0xff)
        key->size--;
    assert(key->size > 0); /* every key begins with a letter */
    key->bytes[key->size - 1]++;
}

/* number 4, author number 4, author 32, device 32, forked 6, entries 8, bodies 8, evidence 1,
 * flags 1, tails 4 + 4, where flagged erasures since 8, lacking from 6 to 6, bytes 8 and newest and
 * lowest time 8 + 8, floor 6; ranges */
#define ROW_FIXED_SIZE (4u + 4u + 32u + 32u + 6u + 8u + 8u + 1u + 1u + 4u + 4u)
#define FLAG_ERASED    1u
#define FLAG_ERASE_MS  2u
#define FLAG_LACKS     4u
#define FLAG_BYTES     8u /* not in rows of older layouts */
#define FLAG_FLOOR     16u
#define FLAG_PURGED    32u
#define FLAGS_ALL      63u

static uint8_t flags_of(const struct log_row *row) {
    return (uint8_t)((row->has_erased ? FLAG_ERASED : 0) | (row->is_purged ? FLAG_PURGED : 0) |
                     (row->held.erase_ms != 0 ? FLAG_ERASE_MS : 0) |
                     (row->held.lacks_high != 0 ? FLAG_LACKS : 0) |
                     (row->held.floor != 0 ? FLAG_FLOOR : 0) | FLAG_BYTES);
}

size_t log_row_encode(uint8_t out[LOG_ROW_SIZE_MAX], const struct log_row *row) {
    parley_put_u32(out, row->number);
    parley_put_u32(out + 4, row->author_number);
    memcpy(out + 8, row->held.author.bytes, 32);
    memcpy(out + 40, row->held.device.bytes, 32);
    parley_put_u48(out + 72, row->held.forked);
    parley_put_u64(out + 78, row->held.entries_count);
    parley_put_u64(out + 86, row->held.bodies_count);
    out[94] = row->evidence_count;
    out[95] = flags_of(row);
    parley_put_u32(out + 96, row->tail_small);
    parley_put_u32(out + 100, row->tail_medium);
    size_t size = ROW_FIXED_SIZE;
    if (row->held.erase_ms != 0) {
        parley_put_u64(out + size, row->held.erase_ms);
        size += 8;
    }
    if (row->held.lacks_high != 0) {
        parley_put_u48(out + size, row->held.lacks_low);
        parley_put_u48(out + size + 6, row->held.lacks_high);
        size += 12;
    }
    parley_put_u64(out + size, row->held.bytes);
    parley_put_u64(out + size + 8, row->held.active_ms);
    parley_put_u64(out + size + 16, row->held.low_ms);
    size += 24;
    if (row->held.floor != 0) {
        parley_put_u48(out + size, row->held.floor);
        size += 6;
    }
    return size + parley_ranges_pack(out + size, &row->held.ranges);
}

/* What the flags say is there, in their order. False: the bytes end before. */
static bool decode_flagged(struct log_row *row, uint8_t flags, struct parley_span *bytes) {
    struct parley_store_log *held = &row->held;
    const uint8_t *in = bytes->data;
    size_t size = ((flags & FLAG_ERASE_MS) != 0 ? 8u : 0) + ((flags & FLAG_LACKS) != 0 ? 12u : 0) +
                  ((flags & FLAG_BYTES) != 0 ? 24u : 0) + ((flags & FLAG_FLOOR) != 0 ? 6u : 0);
    if (bytes->size < size)
        return false;
    if ((flags & FLAG_ERASE_MS) != 0) {
        held->erase_ms = parley_get_u64(in);
        in += 8;
    }
    if ((flags & FLAG_LACKS) != 0) {
        held->lacks_low = parley_get_u48(in);
        held->lacks_high = parley_get_u48(in + 6);
        in += 12;
    }
    if ((flags & FLAG_BYTES) != 0) {
        held->bytes = parley_get_u64(in);
        held->active_ms = parley_get_u64(in + 8);
        held->low_ms = parley_get_u64(in + 16);
        in += 24;
    }
    if ((flags & FLAG_FLOOR) != 0)
        held->floor = parley_get_u48(in);
    *bytes = PARLEY_SPAN(bytes->data + size, bytes->size - size);
    /* What is zero has no flag: a row has one form. */
    return ((flags & FLAG_ERASE_MS) == 0) == (held->erase_ms == 0) &&
           ((flags & FLAG_LACKS) == 0) == (held->lacks_high == 0) &&
           ((flags & FLAG_FLOOR) == 0) == (held->floor == 0);
}

enum parley_error log_row_decode(struct log_row *row, const struct parley_log *log,
                                 struct parley_span bytes) {
    *row = (struct log_row){.held.log = *log};
    if (bytes.size < ROW_FIXED_SIZE || bytes.data[95] > FLAGS_ALL)
        return PARLEY_E_STORE_DAMAGED;
    const uint8_t *in = bytes.data;
    struct parley_span rest = PARLEY_SPAN(in + ROW_FIXED_SIZE, bytes.size - ROW_FIXED_SIZE);
    row->number = parley_get_u32(in);
    row->author_number = parley_get_u32(in + 4);
    memcpy(row->held.author.bytes, in + 8, 32);
    memcpy(row->held.device.bytes, in + 40, 32);
    row->held.forked = parley_get_u48(in + 72);
    row->held.entries_count = parley_get_u64(in + 78);
    row->held.bodies_count = parley_get_u64(in + 86);
    row->evidence_count = in[94];
    row->has_erased = (in[95] & FLAG_ERASED) != 0;
    row->is_purged = (in[95] & FLAG_PURGED) != 0;
    row->tail_small = parley_get_u32(in + 96);
    row->tail_medium = parley_get_u32(in + 100);
    if (!decode_flagged(row, in[95], &rest))
        return PARLEY_E_STORE_DAMAGED;
    return parley_ranges_unpack(&row->held.ranges, rest);
}

bool log_row_is_empty(const struct log_row *row) {
    return row->held.ranges.count == 0 && row->held.forked == 0 && row->evidence_count == 0;
}

enum parley_error timeline_row_decode(struct timeline_row *row, struct parley_span key,
                                      struct parley_span value) {
    if (key.size != TIMELINE_KEY_SIZE || value.size != 8)
        return PARLEY_E_STORE_DAMAGED;
    row->time_newest = parley_get_u64(key.data + 5);
    row->log_number = parley_get_u32(key.data + 13);
    row->seq_first = parley_get_u48(key.data + 17);
    row->time_oldest = parley_get_u64(value.data);
    return PARLEY_E_OK;
}
