/* Identity records: bounds and listings. SPEC 4. */
#include "fuzz.h"

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

void fuzz_target(struct parley_span bytes) {
    struct parley_record record;
    struct parley_check checks[2];
    if (parley_record_decode(&record, bytes).error != PARLEY_E_OK)
        return;
    FUZZ_HOLDS(bytes.size <= PARLEY_RECORD_BYTES_MAX);
    FUZZ_HOLDS(record.generation < PARLEY_GENERATIONS_COUNT);
    FUZZ_HOLDS((record.seq == 0) == PARLEY_IS_ZERO(record.id));
    FUZZ_HOLDS(record.signed_part.data >= bytes.data &&
               record.signed_part.data + record.signed_part.size <= bytes.data + bytes.size);
    FUZZ_HOLDS(parley_record_checks(checks, &record, &record.root) ==
               (record.kind == PARLEY_RECORD_CERTIFICATE ? 2u : 1u));
    if (record.kind == PARLEY_RECORD_ROTATION)
        walk_listings(&record);
}
