/* The strict reader; msgpack-c is the second opinion on what it accepts. SPEC 1. */
#include "fuzz.h"

#include <msgpack.h>
#include <parley/codec.h>
#include <parley/limits.h>

/* What is canonical is also well-formed, and msgpack-c writes it in the very same bytes. */
static void compare_with_msgpack(struct parley_span bytes) {
    msgpack_unpacked unpacked;
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    size_t offset = 0;
    msgpack_unpacked_init(&unpacked);
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    FUZZ_HOLDS(msgpack_unpack_next(&unpacked, (const char *)bytes.data, bytes.size, &offset) ==
               MSGPACK_UNPACK_SUCCESS);
    FUZZ_HOLDS(offset == bytes.size);
    FUZZ_HOLDS(msgpack_pack_object(&packer, unpacked.data) == 0);
    FUZZ_HOLDS(parley_span_equal(bytes, PARLEY_SPAN(buffer.data, buffer.size)));
    msgpack_sbuffer_destroy(&buffer);
    msgpack_unpacked_destroy(&unpacked);
}

void fuzz_target(struct parley_span bytes) {
    struct parley_reader reader;
    parley_reader_init(&reader, bytes);
    parley_read_skip(&reader, "value", PARLEY_BODY_DEPTH_MAX);
    FUZZ_HOLDS(parley_reader_offset(&reader) <= bytes.size);
    struct parley_fault fault = parley_reader_finish(&reader);
    if (fault.error == PARLEY_E_OK)
        compare_with_msgpack(bytes);
    else
        FUZZ_HOLDS(fault.offset <= bytes.size);
}
