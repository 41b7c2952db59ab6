/* Headers: bytes and fields are a bijection, and an entry's id covers all of them. SPEC 5. */
#include "fuzz.h"

#include <parley/entry.h>

/* Another time is another header, another id and another check. */
static void try_ids(const struct parley_header *header) {
    static const struct parley_device_key device = {{1}};
    struct parley_entry entry = {.header = *header}, other;
    struct parley_check check, other_check;
    other = entry;
    other.header.time ^= 1;
    parley_entry_id(&entry);
    parley_entry_id(&other);
    parley_entry_check(&check, &entry, &device);
    parley_entry_check(&other_check, &other, &device);
    FUZZ_HOLDS(!PARLEY_EQUAL(entry.id, other.id));
    FUZZ_HOLDS(!PARLEY_EQUAL(check.digest, other_check.digest));
}

static void try_body(const struct parley_header *header) {
    static const struct parley_salt salt;
    static const uint8_t room[PARLEY_BODY_BYTES_MAX];
    struct parley_header good = *header;
    good.body_size &= 0xff; /* so that no input is slow */
    struct parley_span body = PARLEY_SPAN(room, good.body_size);
    FUZZ_HOLDS(parley_body_check(&good, &salt, PARLEY_SPAN(room, good.body_size + 1)) ==
               PARLEY_E_BAD_BODY);
    parley_body_hash(&good.body_hash, &salt, body);
    FUZZ_HOLDS(parley_body_check(&good, &salt, body) == PARLEY_E_OK);
    good.body_hash.bytes[31] ^= 1;
    FUZZ_HOLDS(parley_body_check(&good, &salt, body) == PARLEY_E_BAD_BODY);
}

/* Fields of any value: validate says exactly whether the encoding is read again. */
static void try_fields(struct parley_span bytes) {
    struct parley_header header = {0}, again;
    uint8_t room[PARLEY_HEADER_BYTES_MAX];
    if (bytes.size < 24)
        return;
    header.version = bytes.data[0];
    header.ext_size = bytes.data[1];
    header.prev.bytes[0] = bytes.data[2];
    header.seq = parley_get_u64(bytes.data + 3) >> (bytes.data[11] & 63);
    header.time = parley_get_u64(bytes.data + 12) >> (bytes.data[20] & 63);
    header.body_size =
        (uint32_t)bytes.data[21] << 16 | (uint32_t)bytes.data[22] << 8 | bytes.data[23];
    if (parley_header_validate(&header).error != PARLEY_E_OK)
        return;
    size_t size = parley_header_encode(room, &header);
    FUZZ_HOLDS(parley_header_decode(&again, PARLEY_SPAN(room, size)).error == PARLEY_E_OK);
    FUZZ_HOLDS(again.seq == header.seq && again.time == header.time);
    FUZZ_HOLDS(again.version == header.version && again.ext_size == header.ext_size);
}

void fuzz_target(struct parley_span bytes) {
    struct parley_header header;
    uint8_t again[PARLEY_HEADER_BYTES_MAX];
    try_fields(bytes);
    struct parley_fault fault = parley_header_decode(&header, bytes);
    if (fault.error != PARLEY_E_OK) {
        FUZZ_HOLDS(fault.offset <= bytes.size);
        return;
    }
    FUZZ_HOLDS(parley_header_validate(&header).error == PARLEY_E_OK);
    size_t size = parley_header_encode(again, &header);
    FUZZ_HOLDS(parley_span_equal(bytes, PARLEY_SPAN(again, size)));
    try_ids(&header);
    try_body(&header);
}
