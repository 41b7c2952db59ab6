/* The file form of bundles: sections in, sections out, a running hash over all of them. SPEC 7.1
 * to 7.3.
 */
#include <assert.h>

#include <parley/bundle.h>

/* Elements of a section's array. */
#define PAYLOAD_ELEMENTS 2u
#define TRAILER_ELEMENTS 3u

/* A number that every language holds; no file has more entries. */
#define ENTRIES_COUNT_MAX ((UINT64_C(1) << 53) - 1)

/* ---- Writing ------------------------------------------------------------------------------- */

static void count_written(struct parley_bundle_writer *writer, struct parley_span bytes) {
    parley_hash_add(&writer->hasher, bytes.data, bytes.size);
    writer->bytes_count += bytes.size;
}

void parley_bundle_write_start(struct parley_bundle_writer *writer, struct parley_span *out,
                               uint8_t data[PARLEY_BUNDLE_START_SIZE]) {
    memset(writer, 0, sizeof *writer);
    parley_hash_init(&writer->hasher, PARLEY_DOMAIN_BUNDLE);
    memcpy(data, PARLEY_BUNDLE_START, PARLEY_BUNDLE_START_SIZE);
    *out = PARLEY_SPAN(data, PARLEY_BUNDLE_START_SIZE);
    count_written(writer, *out);
}

static enum parley_error write_payload(struct parley_bundle_writer *writer, struct parley_span *out,
                                       uint8_t *data, size_t size_max,
                                       enum parley_bundle_section_kind kind,
                                       struct parley_span payload) {
    struct parley_writer section;
    parley_writer_init(&section, data, size_max);
    parley_write_array(&section, PAYLOAD_ELEMENTS);
    parley_write_uint(&section, (uint64_t)kind);
    parley_write_bin(&section, payload);
    enum parley_error error = parley_writer_finish(&section, out);
    if (error == PARLEY_E_OK)
        count_written(writer, *out);
    return error;
}

enum parley_error parley_bundle_write_record(struct parley_bundle_writer *writer,
                                             struct parley_span *out, uint8_t *data,
                                             size_t size_max, struct parley_span record) {
    assert(record.size <= PARLEY_RECORD_BYTES_MAX);
    return write_payload(writer, out, data, size_max, PARLEY_SECTION_RECORD, record);
}

enum parley_error parley_bundle_write_chunk(struct parley_bundle_writer *writer,
                                            struct parley_span *out, uint8_t *data, size_t size_max,
                                            const struct parley_chunk *chunk) {
    enum parley_error error =
        write_payload(writer, out, data, size_max, PARLEY_SECTION_CHUNK, chunk->bytes);
    if (error == PARLEY_E_OK)
        writer->entries_count += chunk->count;
    return error;
}

static void finish_hash(struct parley_hash *out, const struct parley_hasher *hasher) {
    struct parley_hasher copy = *hasher;
    parley_hash_finish(&copy, out->bytes);
}

enum parley_error parley_bundle_write_trailer(const struct parley_bundle_writer *writer,
                                              struct parley_span *out, uint8_t *data,
                                              size_t size_max) {
    struct parley_hash hash;
    struct parley_writer section;
    finish_hash(&hash, &writer->hasher);
    parley_writer_init(&section, data, size_max);
    parley_write_array(&section, TRAILER_ELEMENTS);
    parley_write_uint(&section, PARLEY_SECTION_TRAILER);
    parley_write_uint(&section, writer->entries_count);
    PARLEY_WRITE_FIXED(&section, hash);
    return parley_writer_finish(&section, out);
}

/* ---- Reading ------------------------------------------------------------------------------- */

void parley_bundle_reader_init(struct parley_bundle_reader *reader) {
    memset(reader, 0, sizeof *reader);
    parley_hash_init(&reader->hasher, PARLEY_DOMAIN_BUNDLE);
}

static void consume(struct parley_bundle_reader *reader, size_t *consumed, const uint8_t *data,
                    size_t size) {
    parley_hash_add(&reader->hasher, data, size);
    reader->offset += size;
    *consumed += size;
}

/* The eight bytes that every bundle begins with, as far as they are here. */
static struct parley_fault read_start(struct parley_bundle_reader *reader, size_t *consumed,
                                      struct parley_span bytes, bool is_last) {
    size_t size = bytes.size < PARLEY_BUNDLE_START_SIZE ? bytes.size : PARLEY_BUNDLE_START_SIZE;
    for (size_t i = 0; i < size; i++)
        if (bytes.data[i] != (uint8_t)PARLEY_BUNDLE_START[i])
            return (struct parley_fault){PARLEY_E_WRONG_TYPE, i, "start of a bundle"};
    if (size == PARLEY_BUNDLE_START_SIZE) {
        reader->has_started = true;
        consume(reader, consumed, bytes.data, size);
    } else if (is_last) {
        return (struct parley_fault){PARLEY_E_TRUNCATED, size, "start of a bundle"};
    }
    return PARLEY_NO_FAULT;
}

static void read_payload(struct parley_reader *in, const struct parley_bundle_reader *reader,
                         struct parley_bundle_section *section, const char *field,
                         size_t size_max) {
    section->payload = parley_read_bin(in, field, 1, size_max);
    section->payload_offset = reader->offset + parley_reader_offset(in) - section->payload.size;
}

static void read_trailer(struct parley_reader *in, const struct parley_bundle_reader *reader,
                         struct parley_bundle_section *section) {
    struct parley_hash claimed = {{0}}, computed;
    section->entries_count = parley_read_uint(in, "count", 0, ENTRIES_COUNT_MAX);
    parley_read_fixed(in, "hash", claimed.bytes, sizeof claimed.bytes);
    finish_hash(&computed, &reader->hasher);
    if (!PARLEY_EQUAL(claimed, computed))
        parley_reader_fail(in, PARLEY_E_BAD_TRAILER, "hash");
}

static void read_section(struct parley_reader *in, const struct parley_bundle_reader *reader,
                         struct parley_bundle_section *section) {
    size_t elements = parley_read_array(in, "section", PAYLOAD_ELEMENTS, TRAILER_ELEMENTS);
    uint64_t kind = parley_read_uint(in, "section kind", 0, 127);
    if (in->fault.error != PARLEY_E_OK)
        return;
    if (kind > PARLEY_SECTION_CHUNK) {
        parley_reader_fail(in, PARLEY_E_BAD_KIND, "section kind");
        return;
    }
    section->kind = (enum parley_bundle_section_kind)kind;
    bool is_trailer = kind == PARLEY_SECTION_TRAILER;
    if (elements != (is_trailer ? TRAILER_ELEMENTS : PAYLOAD_ELEMENTS))
        parley_reader_fail(in, PARLEY_E_NOT_CANONICAL, "section");
    if (is_trailer)
        read_trailer(in, reader, section);
    else if (kind == PARLEY_SECTION_RECORD)
        read_payload(in, reader, section, "record", PARLEY_RECORD_BYTES_MAX);
    else
        read_payload(in, reader, section, "chunk", PARLEY_CHUNK_LARGEST);
}

/* Nothing may follow the trailer. */
static struct parley_fault read_end(const struct parley_bundle_reader *reader,
                                    struct parley_bundle_section *section, struct parley_span bytes,
                                    bool is_last) {
    if (bytes.size > 0)
        return (struct parley_fault){PARLEY_E_TRAILING, reader->offset, "end of the bundle"};
    if (is_last)
        section->kind = PARLEY_SECTION_END;
    return PARLEY_NO_FAULT;
}

struct parley_fault parley_bundle_read(struct parley_bundle_reader *reader,
                                       struct parley_bundle_section *section, size_t *consumed,
                                       struct parley_span bytes, bool is_last) {
    *consumed = 0;
    memset(section, 0, sizeof *section);
    section->kind = PARLEY_SECTION_NONE;
    if (!reader->has_started) {
        struct parley_fault fault = read_start(reader, consumed, bytes, is_last);
        if (fault.error != PARLEY_E_OK || !reader->has_started)
            return fault;
    }
    section->offset = reader->offset;
    if (*consumed > 0)
        bytes = PARLEY_SPAN(bytes.data + *consumed, bytes.size - *consumed);
    if (reader->has_ended)
        return read_end(reader, section, bytes, is_last);
    struct parley_reader in;
    parley_reader_init(&in, bytes);
    read_section(&in, reader, section);
    if (in.fault.error != PARLEY_E_OK) {
        section->kind = PARLEY_SECTION_NONE;
        /* Sizes are judged before what is missing: more bytes come, and never without bound. */
        if (in.fault.error == PARLEY_E_TRUNCATED && !is_last)
            return PARLEY_NO_FAULT;
        /* Where a cut is, not where the value that it cut began. */
        if (in.fault.error == PARLEY_E_TRUNCATED)
            in.fault.offset = bytes.size;
        in.fault.offset += reader->offset;
        return in.fault;
    }
    consume(reader, consumed, bytes.data, parley_reader_offset(&in));
    reader->has_ended = section->kind == PARLEY_SECTION_TRAILER;
    return PARLEY_NO_FAULT;
}
