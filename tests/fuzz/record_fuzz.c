/* Identity records: what is read is written back in the very same bytes, by a writer of its own
 * that knows SPEC 4 only. */
#include "fuzz.h"

#include <parley/codec.h>
#include <parley/identity.h>

static void walk_listings(const struct parley_record *record) {
    struct parley_listing listing, before;
    struct parley_span rest = record->listings;
    size_t count = 0;
    while (parley_listing_next(&listing, &rest)) {
        FUZZ_HOLDS(count == 0 || PARLEY_COMPARE(before.device, listing.device) < 0);
        FUZZ_HOLDS((listing.seq == 0) == PARLEY_IS_ZERO(listing.id));
        before = listing;
        count++;
    }
    FUZZ_HOLDS(count == record->listings_count && count <= PARLEY_ROTATION_ITEMS_MAX);
}

static void write_place(struct parley_writer *writer, const struct parley_device_key *device,
                        parley_seq seq, const struct parley_id *id) {
    PARLEY_WRITE_FIXED(writer, *device);
    parley_write_uint(writer, seq);
    PARLEY_WRITE_FIXED(writer, *id);
}

static void write_listings(struct parley_writer *writer, const struct parley_record *record) {
    struct parley_listing listing;
    struct parley_span rest = record->listings;
    parley_write_array(writer, record->listings_count);
    while (parley_listing_next(&listing, &rest)) {
        parley_write_array(writer, 4);
        write_place(writer, &listing.device, listing.seq, &listing.id);
        parley_write_uint(writer, listing.ended);
    }
}

/* The roots below the newest and the commitment are in the name alone: taken from the bytes, of
 * which each root has 34. */
static void write_rotation(struct parley_writer *writer, const struct parley_record *record,
                           struct parley_span bytes) {
    size_t count = record->generation + 1u;
    size_t head = count < 16 ? 1 : 3;
    const uint8_t *roots = bytes.data + 3 + head;
    parley_write_array(writer, count);
    for (size_t i = 0; i < count; i++)
        parley_write_bin(writer, i + 1 < count ? PARLEY_SPAN(roots + 34 * i + 2, 32)
                                               : PARLEY_SPAN_OF(record->root));
    parley_write_bin(writer, PARLEY_SPAN(roots + 34 * count + 2, 32));
    write_listings(writer, record);
}

static void compare(const struct parley_record *record, struct parley_span bytes) {
    static const size_t elements[] = {6, 8, 7};
    static uint8_t room[PARLEY_RECORD_BYTES_MAX];
    struct parley_writer writer;
    struct parley_span again;
    parley_writer_init(&writer, room, sizeof room);
    parley_write_array(&writer, elements[record->kind]);
    parley_write_uint(&writer, PARLEY_RECORD_VERSION);
    parley_write_uint(&writer, (uint64_t)record->kind);
    if (record->kind == PARLEY_RECORD_ROTATION) {
        write_rotation(&writer, record, bytes);
    } else {
        PARLEY_WRITE_FIXED(&writer, record->author);
        parley_write_uint(&writer, record->generation);
    }
    if (record->kind == PARLEY_RECORD_CLOSING)
        write_place(&writer, &record->device, record->seq, &record->id);
    if (record->kind == PARLEY_RECORD_CERTIFICATE)
        PARLEY_WRITE_FIXED(&writer, record->device);
    FUZZ_HOLDS(writer.size == record->signed_part.size);
    PARLEY_WRITE_FIXED(&writer, record->root_signature);
    if (record->kind == PARLEY_RECORD_CERTIFICATE)
        PARLEY_WRITE_FIXED(&writer, record->device_signature);
    FUZZ_HOLDS(parley_writer_finish(&writer, &again) == PARLEY_E_OK);
    FUZZ_HOLDS(parley_span_equal(bytes, again));
}

void fuzz_target(struct parley_span bytes) {
    struct parley_record record;
    struct parley_check checks[2];
    struct parley_fault fault = parley_record_decode(&record, bytes);
    if (fault.error != PARLEY_E_OK) {
        FUZZ_HOLDS(fault.offset <= bytes.size);
        return;
    }
    FUZZ_HOLDS(bytes.size <= PARLEY_RECORD_BYTES_MAX);
    FUZZ_HOLDS(record.generation < PARLEY_GENERATIONS_COUNT);
    FUZZ_HOLDS((record.seq == 0) == PARLEY_IS_ZERO(record.id));
    FUZZ_HOLDS(record.signed_part.data == bytes.data && record.signed_part.size < bytes.size);
    FUZZ_HOLDS(parley_record_checks(checks, &record, &record.root) ==
               (record.kind == PARLEY_RECORD_CERTIFICATE ? 2u : 1u));
    if (record.kind == PARLEY_RECORD_ROTATION)
        walk_listings(&record);
    compare(&record, bytes);
}
