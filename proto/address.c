/* Address records: made, read, and what must be checked of them. SPEC 9.11.1. */
#include <parley/address.h>
#include <parley/codec.h>

#define RECORD_ELEMENTS 5u

static void make_digest(struct parley_digest *digest, struct parley_span signed_part) {
    parley_hash_one(digest->bytes, PARLEY_DOMAIN_ADDRESS, signed_part);
}

enum parley_error parley_address_record_make(struct parley_span *record, uint8_t *data,
                                             size_t size_max, const struct parley_secret_key *node,
                                             parley_time_ms time,
                                             const struct parley_address *places,
                                             size_t places_count) {
    struct parley_node_key key;
    struct parley_writer writer;
    struct parley_digest digest;
    struct parley_signature signature;
    if (places_count == 0 || places_count > PARLEY_PLACES_MAX || time > PARLEY_TIME_MAX)
        return PARLEY_E_BAD_INPUT;
    memcpy(key.bytes, node->bytes + 32, sizeof key.bytes);
    if (size_max > PARLEY_ADDRESS_RECORD_MAX)
        size_max = PARLEY_ADDRESS_RECORD_MAX;
    parley_writer_init(&writer, data, size_max);
    parley_write_array(&writer, RECORD_ELEMENTS);
    parley_write_uint(&writer, PARLEY_ADDRESS_RECORD_VERSION);
    PARLEY_WRITE_FIXED(&writer, key);
    parley_write_uint(&writer, time);
    parley_write_array(&writer, places_count);
    for (size_t i = 0; i < places_count; i++) {
        char text[PARLEY_PLACE_TEXT_SIZE];
        parley_place_encode(text, &places[i]);
        parley_write_text(&writer, PARLEY_SPAN(text, strlen(text)));
    }
    make_digest(&digest, PARLEY_SPAN(writer.data, writer.size));
    parley_sign(&signature, node, &digest);
    PARLEY_WRITE_FIXED(&writer, signature);
    return parley_writer_finish(&writer, record);
}

/* One place has one text: that in which it is written. */
static void read_place(struct parley_reader *reader, struct parley_address *address) {
    char again[PARLEY_PLACE_TEXT_SIZE];
    struct parley_span text = parley_read_text(reader, "place", 1, PARLEY_PLACE_TEXT_MAX);
    if (reader->fault.error != PARLEY_E_OK)
        return;
    if (parley_place_decode(address, text).error != PARLEY_E_OK) {
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, "place");
        return;
    }
    parley_place_encode(again, address);
    if (!parley_span_equal(text, PARLEY_SPAN(again, strlen(again))))
        parley_reader_fail(reader, PARLEY_E_NOT_CANONICAL, "place");
}

static void read_fields(struct parley_reader *reader, struct parley_address_record *record,
                        size_t elements) {
    struct parley_address unused = {.port = 0};
    if (elements != RECORD_ELEMENTS)
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, "address record");
    parley_read_fixed(reader, "node key", record->key.bytes, sizeof record->key.bytes);
    record->time = parley_read_uint(reader, "time", 0, PARLEY_TIME_MAX);
    record->places_count = parley_read_array(reader, "places", 1, PARLEY_PLACES_MAX);
    const uint8_t *start = reader->at;
    for (size_t i = 0; i < record->places_count; i++)
        read_place(reader, &unused);
    record->places = PARLEY_SPAN(start, reader->at - start);
    record->signed_part = PARLEY_SPAN(reader->start, parley_reader_offset(reader));
    parley_read_fixed(reader, "signature", record->signature.bytes, sizeof record->signature.bytes);
}

struct parley_fault parley_address_record_decode(struct parley_address_record *record,
                                                 struct parley_span bytes) {
    struct parley_reader reader;
    memset(record, 0, sizeof *record);
    if (bytes.size > PARLEY_ADDRESS_RECORD_MAX)
        return (struct parley_fault){PARLEY_E_TOO_LARGE, PARLEY_ADDRESS_RECORD_MAX,
                                     "address record"};
    parley_reader_init(&reader, bytes);
    /* Of another version nothing behind it is asked, its count of elements included. */
    size_t elements = parley_read_array_head(&reader, "address record");
    uint64_t version = parley_read_uint(&reader, "version", 1, PARLEY_VERSION_MAX);
    if (version != PARLEY_ADDRESS_RECORD_VERSION)
        parley_reader_fail(&reader, PARLEY_E_BAD_VERSION, "version");
    if (reader.fault.error != PARLEY_E_OK)
        return reader.fault;
    read_fields(&reader, record, elements);
    return parley_reader_finish(&reader);
}

void parley_address_record_check(struct parley_check *check,
                                 const struct parley_address_record *record) {
    memcpy(check->key, record->key.bytes, sizeof check->key);
    make_digest(&check->digest, record->signed_part);
    check->signature = record->signature;
}

bool parley_address_record_next(struct parley_address *address,
                                const struct parley_address_record *record,
                                struct parley_span *places) {
    struct parley_reader reader;
    if (places->size == 0)
        return false;
    parley_reader_init(&reader, *places);
    address->key = record->key;
    read_place(&reader, address);
    *places = PARLEY_SPAN(reader.at, reader.end - reader.at);
    return reader.fault.error == PARLEY_E_OK;
}
