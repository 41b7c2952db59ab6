/* Headers: bytes and fields are a bijection. SPEC 5. */
#include "fuzz.h"

#include <parley/entry.h>

void fuzz_target(struct parley_span bytes) {
    struct parley_header header;
    uint8_t again[PARLEY_HEADER_BYTES_MAX];
    if (parley_header_decode(&header, bytes).error != PARLEY_E_OK)
        return;
    FUZZ_HOLDS(parley_header_validate(&header).error == PARLEY_E_OK);
    size_t size = parley_header_encode(again, &header);
    FUZZ_HOLDS(parley_span_equal(bytes, PARLEY_SPAN(again, size)));
}
