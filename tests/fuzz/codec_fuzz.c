/* The strict reader: what it accepts is written back in the very same bytes, by the typed readers
 * and our writer as by msgpack-c, the second opinion. SPEC 1. */
#include "fuzz.h"

#include <msgpack.h>
#include <parley/codec.h>
#include <parley/limits.h>

/* What is canonical is also well-formed, and msgpack-c writes it in the very same bytes. */
static void compare_with_msgpack(struct parley_span bytes) {
    static msgpack_sbuffer
        buffer; /* kept: an allocation for each input would be half of its time */
    msgpack_unpacked unpacked;
    msgpack_packer packer;
    size_t offset = 0;
    msgpack_unpacked_init(&unpacked);
    msgpack_sbuffer_clear(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    FUZZ_HOLDS(msgpack_unpack_next(&unpacked, (const char *)bytes.data, bytes.size, &offset) ==
               MSGPACK_UNPACK_SUCCESS);
    FUZZ_HOLDS(offset == bytes.size);
    FUZZ_HOLDS(msgpack_pack_object(&packer, unpacked.data) == 0);
    FUZZ_HOLDS(parley_span_equal(bytes, PARLEY_SPAN(buffer.data, buffer.size)));
    msgpack_unpacked_destroy(&unpacked);
}

/* ---- one typed call for each value */

static void copy_value(struct parley_reader *reader, struct parley_writer *writer);

static void copy_integer(struct parley_reader *reader, struct parley_writer *writer) {
    uint8_t lead = *reader->at;
    if (lead >= 0xe0 || (lead >= 0xd0 && lead <= 0xd3))
        parley_write_int(writer, parley_read_int(reader, "value", INT64_MIN, -1));
    else
        parley_write_uint(writer, parley_read_uint(reader, "value", 0, UINT64_MAX));
}

static void copy_bin(struct parley_reader *reader, struct parley_writer *writer) {
    uint8_t fixed[32];
    struct parley_reader peek = *reader;
    struct parley_span bin = parley_read_bin(reader, "value", 0, SIZE_MAX);
    if (bin.size == sizeof fixed) {
        parley_read_fixed(&peek, "value", fixed, sizeof fixed);
        FUZZ_HOLDS(parley_reader_offset(&peek) == parley_reader_offset(reader));
        bin = PARLEY_SPAN(fixed, sizeof fixed);
    }
    parley_write_bin(writer, bin);
}

static void copy_array(struct parley_reader *reader, struct parley_writer *writer) {
    size_t count = parley_read_array(reader, "value", 0, SIZE_MAX);
    parley_write_array(writer, count);
    for (size_t i = 0; i < count; i++)
        copy_value(reader, writer);
}

static void copy_map(struct parley_reader *reader, struct parley_writer *writer) {
    size_t count = parley_read_map(reader, "value", 128);
    int last = -1;
    parley_write_map(writer, count);
    for (size_t i = 0; i < count; i++) {
        parley_write_uint(writer, parley_read_key(reader, "value", &last));
        copy_value(reader, writer);
    }
}

static void copy_value(struct parley_reader *reader, struct parley_writer *writer) {
    FUZZ_HOLDS(!parley_reader_is_done(reader));
    uint8_t lead = *reader->at;
    if (parley_next_is_bin(reader))
        copy_bin(reader, writer);
    else if ((lead >= 0xa0 && lead < 0xc0) || (lead >= 0xd9 && lead <= 0xdb))
        parley_write_text(writer, parley_read_text(reader, "value", 0, SIZE_MAX));
    else if ((lead >= 0x90 && lead < 0xa0) || lead == 0xdc || lead == 0xdd)
        copy_array(reader, writer);
    else if ((lead >= 0x80 && lead < 0x90) || lead >= 0xde)
        lead < 0xe0 ? copy_map(reader, writer) : copy_integer(reader, writer);
    else
        copy_integer(reader, writer);
}

static void compare_with_typed(struct parley_span bytes) {
    static uint8_t room[1 << 20];
    struct parley_reader reader;
    struct parley_writer writer;
    struct parley_span again;
    if (bytes.size > sizeof room)
        return;
    for (size_t less = 0; less < 2; less++) {
        parley_reader_init(&reader, bytes);
        parley_writer_init(&writer, room, bytes.size - less);
        copy_value(&reader, &writer);
        FUZZ_HOLDS(parley_reader_finish(&reader).error == PARLEY_E_OK);
        FUZZ_HOLDS(parley_writer_finish(&writer, &again) ==
                   (less ? PARLEY_E_NO_SPACE : PARLEY_E_OK));
        FUZZ_HOLDS(less || parley_span_equal(bytes, again));
    }
}

/* ---- each typed call on any bytes: within its bounds, or nothing was consumed */

#define TRY(call)                                                                                  \
    do {                                                                                           \
        parley_reader_init(&reader, bytes);                                                        \
        call;                                                                                      \
        FUZZ_HOLDS(parley_reader_offset(&reader) <= bytes.size);                                   \
        FUZZ_HOLDS(reader.fault.error == PARLEY_E_OK || parley_reader_offset(&reader) == 0);       \
    } while (0)
#define GOOD (reader.fault.error == PARLEY_E_OK)

static void try_typed(struct parley_span bytes) {
    struct parley_reader reader;
    uint8_t fixed[32];
    int last = 4;
    TRY(uint64_t number = parley_read_uint(&reader, "value", 5, 300);
        FUZZ_HOLDS(!GOOD || (number >= 5 && number <= 300)));
    TRY(int64_t number = parley_read_int(&reader, "value", -300, 5);
        FUZZ_HOLDS(!GOOD || (number >= -300 && number <= 5)));
    TRY(uint8_t key = parley_read_key(&reader, "value", &last); FUZZ_HOLDS(!GOOD || key > 4));
    TRY(struct parley_span bin = parley_read_bin(&reader, "value", 2, 40);
        FUZZ_HOLDS(!GOOD || (bin.size >= 2 && bin.size <= 40)));
    TRY(struct parley_span text = parley_read_text(&reader, "value", 1, 300);
        FUZZ_HOLDS(!GOOD || (text.size >= 1 && parley_utf8_is_valid(text))));
    TRY(size_t count = parley_read_array(&reader, "value", 1, 20);
        FUZZ_HOLDS(!GOOD || (count >= 1 && count <= 20 && count < bytes.size)));
    TRY(size_t count = parley_read_map(&reader, "value", 20);
        FUZZ_HOLDS(!GOOD || (count <= 20 && 2 * count < bytes.size)));
    TRY(parley_read_fixed(&reader, "value", fixed, sizeof fixed);
        FUZZ_HOLDS(GOOD || parley_is_zero(fixed, sizeof fixed)));
}

/* A count that has no form at all is no room, either. */
static void try_too_long(void) {
    uint8_t room[16];
    struct parley_writer writer;
    struct parley_span out;
    parley_writer_init(&writer, room, sizeof room);
    parley_write_array(&writer, (size_t)UINT32_MAX + 1);
    FUZZ_HOLDS(parley_writer_finish(&writer, &out) == PARLEY_E_NO_SPACE && out.size == 0);
}

void fuzz_target(struct parley_span bytes) {
    struct parley_reader reader;
    parley_reader_init(&reader, bytes);
    parley_read_skip(&reader, "value", PARLEY_BODY_DEPTH_MAX);
    FUZZ_HOLDS(parley_reader_offset(&reader) <= bytes.size);
    struct parley_fault fault = parley_reader_finish(&reader);
    if (fault.error == PARLEY_E_OK) {
        compare_with_msgpack(bytes);
        compare_with_typed(bytes);
    } else {
        FUZZ_HOLDS(fault.offset <= bytes.size);
    }
    try_typed(bytes);
    if (bytes.size == 0)
        try_too_long();
}
