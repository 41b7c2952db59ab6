/* Address records: what is read is written back in the very same bytes. SPEC 9.11.1. */
#include "fuzz.h"

#include <parley/address.h>
#include <parley/codec.h>

static void compare(const struct parley_address_record *record, struct parley_span bytes) {
    static uint8_t room[PARLEY_ADDRESS_RECORD_MAX];
    struct parley_span places = record->places, again;
    struct parley_address address;
    struct parley_writer writer;
    size_t count = 0;
    parley_writer_init(&writer, room, sizeof room);
    parley_write_array(&writer, 5);
    parley_write_uint(&writer, 1);
    PARLEY_WRITE_FIXED(&writer, record->key);
    parley_write_uint(&writer, record->time);
    parley_write_array(&writer, record->places_count);
    for (; parley_address_record_next(&address, record, &places); count++) {
        char text[PARLEY_PLACE_TEXT_SIZE];
        FUZZ_HOLDS(PARLEY_EQUAL(address.key, record->key) && address.port != 0);
        parley_place_encode(text, &address);
        parley_write_text(&writer, PARLEY_SPAN(text, strlen(text)));
    }
    FUZZ_HOLDS(count == record->places_count && places.size == 0);
    FUZZ_HOLDS(count >= 1 && count <= PARLEY_PLACES_MAX);
    FUZZ_HOLDS(writer.size == record->signed_part.size);
    PARLEY_WRITE_FIXED(&writer, record->signature);
    FUZZ_HOLDS(parley_writer_finish(&writer, &again) == PARLEY_E_OK);
    FUZZ_HOLDS(parley_span_equal(bytes, again));
}

void fuzz_target(struct parley_span bytes) {
    struct parley_address_record record;
    struct parley_check check;
    struct parley_fault fault = parley_address_record_decode(&record, bytes);
    if (fault.error != PARLEY_E_OK) {
        FUZZ_HOLDS(fault.offset <= bytes.size || bytes.size > PARLEY_ADDRESS_RECORD_MAX);
        return;
    }
    FUZZ_HOLDS(record.signed_part.data == bytes.data);
    parley_address_record_check(&check, &record);
    FUZZ_HOLDS(memcmp(check.key, record.key.bytes, sizeof check.key) == 0);
    compare(&record, bytes);
}
