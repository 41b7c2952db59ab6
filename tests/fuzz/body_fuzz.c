/* Bodies: what is understood can be written, and is then understood as the same. SPEC 5. */
#include "fuzz.h"

#include <parley/body.h>

void fuzz_target(struct parley_span bytes) {
    static uint8_t first_data[PARLEY_BODY_BYTES_MAX], second_data[PARLEY_BODY_BYTES_MAX];
    struct parley_body body;
    struct parley_span first, second;
    if (bytes.size > PARLEY_BODY_BYTES_MAX || parley_body_decode(&body, bytes).error != PARLEY_E_OK)
        return;
    /* Unknown keys are skipped, so the first writing may be shorter than what was read. */
    FUZZ_HOLDS(parley_body_encode(&first, first_data, sizeof first_data, &body) == PARLEY_E_OK);
    FUZZ_HOLDS(first.size <= bytes.size);
    FUZZ_HOLDS(parley_body_decode(&body, first).error == PARLEY_E_OK);
    FUZZ_HOLDS(parley_body_encode(&second, second_data, sizeof second_data, &body) == PARLEY_E_OK);
    FUZZ_HOLDS(parley_span_equal(first, second));
}
