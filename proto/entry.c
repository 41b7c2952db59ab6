#include <parley/codec.h>
#include <parley/entry.h>

#define ELEMENTS_COUNT 7u /* and one more with ext */

struct parley_fault parley_header_validate(const struct parley_header *header) {
    const char *field = NULL;
    if (header->version < 1 || header->version > PARLEY_VERSION_MAX)
        field = "version";
    else if (header->seq < 1 || header->seq > PARLEY_SEQ_MAX)
        field = "seq";
    else if ((header->seq == 1) != PARLEY_IS_ZERO(header->prev))
        field = "prev";
    else if (header->time > PARLEY_TIME_MAX)
        field = "time";
    else if (header->body_size > PARLEY_BODY_BYTES_MAX)
        field = "body size";
    else if (header->ext_size > PARLEY_EXT_BYTES_MAX)
        field = "ext";
    return field ? (struct parley_fault){PARLEY_E_OUT_OF_RANGE, 0, field} : PARLEY_NO_FAULT;
}

size_t parley_header_encode(uint8_t out[PARLEY_HEADER_BYTES_MAX],
                            const struct parley_header *header) {
    assert(parley_header_validate(header).error == PARLEY_E_OK);
    struct parley_writer writer;
    parley_writer_init(&writer, out, PARLEY_HEADER_BYTES_MAX);
    parley_write_array(&writer, ELEMENTS_COUNT + (header->ext_size > 0));
    parley_write_uint(&writer, header->version);
    PARLEY_WRITE_FIXED(&writer, header->log);
    parley_write_uint(&writer, header->seq);
    PARLEY_WRITE_FIXED(&writer, header->prev);
    parley_write_uint(&writer, header->time);
    parley_write_uint(&writer, header->body_size);
    PARLEY_WRITE_FIXED(&writer, header->body_hash);
    if (header->ext_size > 0)
        parley_write_bin(&writer, PARLEY_SPAN(header->ext, header->ext_size));
    assert(!writer.overflowed);
    return writer.size;
}

/* What the two sides of the bijection must agree on, for every header that is let in. */
static void assert_same_bytes(const struct parley_header *header, struct parley_span bytes) {
    uint8_t again[PARLEY_HEADER_BYTES_MAX];
    size_t size = parley_header_encode(again, header);
    assert(parley_span_equal(PARLEY_SPAN(again, size), bytes));
}

struct parley_fault parley_header_decode(struct parley_header *header, struct parley_span bytes) {
    struct parley_reader reader;
    *header = (struct parley_header){0};
    if (bytes.size > PARLEY_HEADER_BYTES_MAX)
        return (struct parley_fault){PARLEY_E_TOO_LARGE, PARLEY_HEADER_BYTES_MAX, "header"};
    parley_reader_init(&reader, bytes);
    size_t elements = parley_read_array(&reader, "header", ELEMENTS_COUNT, ELEMENTS_COUNT + 1);
    header->version = (uint8_t)parley_read_uint(&reader, "version", 1, PARLEY_VERSION_MAX);
    parley_read_fixed(&reader, "log", header->log.bytes, sizeof header->log);
    header->seq = parley_read_uint(&reader, "seq", 1, PARLEY_SEQ_MAX);
    parley_read_fixed(&reader, "prev", header->prev.bytes, sizeof header->prev);
    if ((header->seq == 1) != PARLEY_IS_ZERO(header->prev))
        parley_reader_fail(&reader, PARLEY_E_OUT_OF_RANGE, "prev");
    header->time = parley_read_uint(&reader, "time", 0, PARLEY_TIME_MAX);
    header->body_size = (uint32_t)parley_read_uint(&reader, "body size", 0, PARLEY_BODY_BYTES_MAX);
    parley_read_fixed(&reader, "body hash", header->body_hash.bytes, sizeof header->body_hash);
    if (elements > ELEMENTS_COUNT) {
        struct parley_span ext = parley_read_bin(&reader, "ext", 1, PARLEY_EXT_BYTES_MAX);
        header->ext_size = (uint8_t)ext.size;
        if (ext.size > 0)
            memcpy(header->ext, ext.data, ext.size);
    }
    struct parley_fault fault = parley_reader_finish(&reader);
    if (fault.error == PARLEY_E_OK)
        assert_same_bytes(header, bytes);
    return fault;
}

void parley_body_hash(struct parley_body_hash *out, const struct parley_salt *salt,
                      struct parley_span body) {
    parley_hash_two(out->bytes, PARLEY_DOMAIN_BODY, PARLEY_SPAN_OF(*salt), body);
}

enum parley_error parley_body_check(const struct parley_header *header,
                                    const struct parley_salt *salt, struct parley_span body) {
    struct parley_body_hash hash;
    if (body.size != header->body_size)
        return PARLEY_E_BAD_BODY;
    parley_body_hash(&hash, salt, body);
    return PARLEY_EQUAL(hash, header->body_hash) ? PARLEY_E_OK : PARLEY_E_BAD_BODY;
}

void parley_entry_id(struct parley_entry *entry) {
    uint8_t header[PARLEY_HEADER_BYTES_MAX];
    size_t size = parley_header_encode(header, &entry->header);
    parley_hash_two(entry->id.bytes, PARLEY_DOMAIN_ID, PARLEY_SPAN(header, size),
                    PARLEY_SPAN_OF(entry->signature));
}

static void sign_digest(struct parley_digest *digest, const struct parley_header *header) {
    uint8_t bytes[PARLEY_HEADER_BYTES_MAX];
    size_t size = parley_header_encode(bytes, header);
    parley_hash_one(digest->bytes, PARLEY_DOMAIN_ENTRY, PARLEY_SPAN(bytes, size));
}

void parley_entry_sign(struct parley_entry *entry, const struct parley_secret_key *device) {
    struct parley_digest digest;
    if (entry->has_body) {
        assert(entry->body.size <= PARLEY_BODY_BYTES_MAX);
        entry->header.body_size = (uint32_t)entry->body.size;
        parley_body_hash(&entry->header.body_hash, &entry->salt, entry->body);
    }
    sign_digest(&digest, &entry->header);
    parley_sign(&entry->signature, device, &digest);
    parley_entry_id(entry);
}

void parley_entry_check(struct parley_check *check, const struct parley_entry *entry,
                        const struct parley_device_key *device) {
    memcpy(check->key, device->bytes, sizeof check->key);
    sign_digest(&check->digest, &entry->header);
    check->signature = entry->signature;
}
