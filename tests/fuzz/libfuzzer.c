/* Where libFuzzer calls; in the end it says how many bytes of input that were. */
#include "fuzz.h"

#include <inttypes.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t inputs_count, bytes_count;

static void say_counts(void) {
    fprintf(stderr, "%" PRIu64 " inputs, %" PRIu64 " bytes\n", inputs_count, bytes_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (inputs_count++ == 0 && atexit(say_counts) != 0)
        abort();
    bytes_count += size;
    fuzz_target(PARLEY_SPAN(data, size));
    return 0;
}
