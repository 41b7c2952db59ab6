/* Identity records: made, read, and what must be checked of them. SPEC 4.3 to 4.5.
 *
 * A record is one msgpack array whose last elements are the signatures. Signed is everything
 * before them, with the header of the complete array, so that nothing is encoded twice.
 */
#include <assert.h>

#include <parley/codec.h>
#include <parley/identity.h>

/* Elements of the outermost array, signatures included. */
#define ROTATION_ELEMENTS    6u
#define CLOSING_ELEMENTS     8u
#define CERTIFICATE_ELEMENTS 7u
#define LISTING_ELEMENTS     4u

static const char *const sign_domains[] = {
    [PARLEY_RECORD_ROTATION] = PARLEY_DOMAIN_ROTATION,
    [PARLEY_RECORD_CLOSING] = PARLEY_DOMAIN_CLOSING,
    [PARLEY_RECORD_CERTIFICATE] = PARLEY_DOMAIN_CERTIFICATE,
};

/* Making. */

static void write_start(struct parley_writer *writer, size_t elements,
                        enum parley_record_kind kind) {
    parley_write_array(writer, elements);
    parley_write_uint(writer, PARLEY_RECORD_VERSION);
    parley_write_uint(writer, (uint64_t)kind);
}

static struct parley_span written(const struct parley_writer *writer) {
    return PARLEY_SPAN(writer->data, writer->size);
}

/* Appends the signature of what has been written up to signed_part's end. */
static void write_signature(struct parley_writer *writer, const char *domain,
                            struct parley_span signed_part, const struct parley_secret_key *key) {
    struct parley_digest digest;
    struct parley_signature signature;
    parley_hash_one(digest.bytes, domain, signed_part);
    parley_sign(&signature, key, &digest);
    PARLEY_WRITE_FIXED(writer, signature);
}

static bool is_place(parley_seq seq, const struct parley_id *id) {
    return seq <= PARLEY_SEQ_MAX && (seq == 0) == PARLEY_IS_ZERO(*id);
}

static bool are_listings(const struct parley_listing *listings, size_t count) {
    if (count > PARLEY_ROTATION_ITEMS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!is_place(listings[i].seq, &listings[i].id) || listings[i].ended > 1)
            return false;
        if (i > 0 && PARLEY_COMPARE(listings[i - 1].device, listings[i].device) >= 0)
            return false;
    }
    return true;
}

/* [root_0 .. root_g], c_g; leaves the secret of root_g. */
static void write_roots(struct parley_writer *writer, struct parley_secret_key *secret,
                        const uint8_t entropy[PARLEY_ENTROPY_SIZE], uint8_t generation) {
    parley_write_array(writer, generation + 1u);
    for (uint8_t g = 0; g <= generation; g++) {
        struct parley_root_key root;
        parley_root_derive(secret, &root, entropy, g);
        PARLEY_WRITE_FIXED(writer, root);
    }
    struct parley_hash next;
    parley_root_commitment(&next, entropy, generation);
    PARLEY_WRITE_FIXED(writer, next);
}

static void write_listings(struct parley_writer *writer, const struct parley_listing *listings,
                           size_t count) {
    parley_write_array(writer, count);
    for (size_t i = 0; i < count; i++) {
        parley_write_array(writer, LISTING_ELEMENTS);
        PARLEY_WRITE_FIXED(writer, listings[i].device);
        parley_write_uint(writer, listings[i].seq);
        PARLEY_WRITE_FIXED(writer, listings[i].id);
        parley_write_uint(writer, listings[i].ended);
    }
}

enum parley_error parley_rotation_make(struct parley_span *record, uint8_t *data, size_t size_max,
                                       const uint8_t entropy[PARLEY_ENTROPY_SIZE],
                                       uint8_t generation, const struct parley_listing *listings,
                                       size_t listings_count) {
    if (generation >= PARLEY_GENERATIONS_COUNT || !are_listings(listings, listings_count))
        return PARLEY_E_BAD_INPUT;
    struct parley_secret_key secret;
    struct parley_writer writer;
    parley_writer_init(&writer, data, size_max);
    write_start(&writer, ROTATION_ELEMENTS, PARLEY_RECORD_ROTATION);
    write_roots(&writer, &secret, entropy, generation);
    write_listings(&writer, listings, listings_count);
    write_signature(&writer, PARLEY_DOMAIN_ROTATION, written(&writer), &secret);
    parley_wipe(&secret, sizeof secret);
    return parley_writer_finish(&writer, record);
}

void parley_listings_sort(struct parley_listing *listings, size_t count) {
    assert(count <= PARLEY_ROTATION_ITEMS_MAX);
    /* By insertion: few, nearly in order, and no library call that might allocate. */
    for (size_t i = 1; i < count; i++) {
        struct parley_listing moving = listings[i];
        size_t at = i;
        for (; at > 0 && PARLEY_COMPARE(listings[at - 1].device, moving.device) > 0; at--)
            listings[at] = listings[at - 1];
        listings[at] = moving;
    }
}

/* What root and device sign. */
static struct parley_span write_certified(struct parley_writer *writer,
                                          const struct parley_author *author, uint8_t generation,
                                          const struct parley_device_key *device) {
    write_start(writer, CERTIFICATE_ELEMENTS, PARLEY_RECORD_CERTIFICATE);
    PARLEY_WRITE_FIXED(writer, *author);
    parley_write_uint(writer, generation);
    PARLEY_WRITE_FIXED(writer, *device);
    return written(writer);
}

void parley_device_request_make(struct parley_device_request *request,
                                const struct parley_secret_key *device,
                                const struct parley_author *author, uint8_t generation) {
    uint8_t data[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_writer writer;
    struct parley_digest digest;
    assert(generation < PARLEY_GENERATIONS_COUNT);
    *request = (struct parley_device_request){.author = *author, .generation = generation};
    crypto_sign_ed25519_sk_to_pk(request->device.bytes, device->bytes);
    parley_writer_init(&writer, data, sizeof data);
    parley_hash_one(digest.bytes, PARLEY_DOMAIN_DEVICE,
                    write_certified(&writer, author, generation, &request->device));
    parley_sign(&request->signature, device, &digest);
}

bool parley_device_request_holds(const struct parley_device_request *request) {
    uint8_t data[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_writer writer;
    struct parley_check check = {.signature = request->signature};
    memcpy(check.key, request->device.bytes, sizeof check.key);
    parley_writer_init(&writer, data, sizeof data);
    parley_hash_one(
        check.digest.bytes, PARLEY_DOMAIN_DEVICE,
        write_certified(&writer, &request->author, request->generation, &request->device));
    return parley_check_holds(&check);
}

enum parley_error parley_certificate_grant(struct parley_span *record, uint8_t *data,
                                           size_t size_max, const struct parley_secret_key *root,
                                           const struct parley_device_request *request) {
    struct parley_writer writer;
    if (request->generation >= PARLEY_GENERATIONS_COUNT)
        return PARLEY_E_BAD_INPUT;
    parley_writer_init(&writer, data, size_max);
    struct parley_span signed_part =
        write_certified(&writer, &request->author, request->generation, &request->device);
    write_signature(&writer, PARLEY_DOMAIN_CERTIFICATE, signed_part, root);
    PARLEY_WRITE_FIXED(&writer, request->signature);
    return parley_writer_finish(&writer, record);
}

enum parley_error parley_certificate_make(struct parley_span *record, uint8_t *data,
                                          size_t size_max, const struct parley_secret_key *root,
                                          const struct parley_secret_key *device,
                                          const struct parley_author *author, uint8_t generation) {
    struct parley_device_request request;
    if (generation >= PARLEY_GENERATIONS_COUNT)
        return PARLEY_E_BAD_INPUT;
    parley_device_request_make(&request, device, author, generation);
    return parley_certificate_grant(record, data, size_max, root, &request);
}

enum parley_error parley_closing_make(struct parley_span *record, uint8_t *data, size_t size_max,
                                      const struct parley_secret_key *root,
                                      const struct parley_author *author, uint8_t generation,
                                      const struct parley_device_key *device, parley_seq seq,
                                      const struct parley_id *id) {
    if (generation >= PARLEY_GENERATIONS_COUNT || !is_place(seq, id))
        return PARLEY_E_BAD_INPUT;
    struct parley_writer writer;
    parley_writer_init(&writer, data, size_max);
    write_start(&writer, CLOSING_ELEMENTS, PARLEY_RECORD_CLOSING);
    PARLEY_WRITE_FIXED(&writer, *author);
    parley_write_uint(&writer, generation);
    PARLEY_WRITE_FIXED(&writer, *device);
    parley_write_uint(&writer, seq);
    PARLEY_WRITE_FIXED(&writer, *id);
    write_signature(&writer, PARLEY_DOMAIN_CLOSING, written(&writer), root);
    return parley_writer_finish(&writer, record);
}

/* Reading. */

static void read_place(struct parley_reader *reader, parley_seq *seq, struct parley_id *id) {
    *seq = parley_read_uint(reader, "seq", 0, PARLEY_SEQ_MAX);
    parley_read_fixed(reader, "id", id->bytes, sizeof id->bytes);
    if (!is_place(*seq, id))
        parley_reader_fail(reader, PARLEY_E_NOT_CANONICAL, "id");
}

static void read_listing(struct parley_reader *reader, struct parley_listing *listing) {
    memset(listing, 0, sizeof *listing);
    parley_read_array(reader, "listing", LISTING_ELEMENTS, LISTING_ELEMENTS);
    parley_read_fixed(reader, "device", listing->device.bytes, sizeof listing->device.bytes);
    read_place(reader, &listing->seq, &listing->id);
    listing->ended = (uint8_t)parley_read_uint(reader, "ended", 0, 1);
}

/* author = H("parley author", root_0, c_0), where each c follows from the one above; so the name
 * judges the chain, and there is none that leads nowhere. */
static void derive_author(struct parley_author *author, const struct parley_root_key *roots,
                          uint8_t generation, const struct parley_hash *next) {
    struct parley_hash c = *next;
    for (uint8_t g = generation; g > 0; g--)
        parley_hash_two(c.bytes, PARLEY_DOMAIN_NEXT, PARLEY_SPAN_OF(roots[g]), PARLEY_SPAN_OF(c));
    parley_hash_two(author->bytes, PARLEY_DOMAIN_AUTHOR, PARLEY_SPAN_OF(roots[0]),
                    PARLEY_SPAN_OF(c));
}

static void read_roots(struct parley_reader *reader, struct parley_record *record) {
    struct parley_root_key roots[PARLEY_GENERATIONS_COUNT];
    struct parley_hash next = {{0}};
    size_t count = parley_read_array(reader, "roots", 1, PARLEY_GENERATIONS_COUNT);
    for (size_t i = 0; i < count; i++)
        parley_read_fixed(reader, "root", roots[i].bytes, sizeof roots[i].bytes);
    parley_read_fixed(reader, "commitment", next.bytes, sizeof next.bytes);
    if (count == PARLEY_GENERATIONS_COUNT && !PARLEY_IS_ZERO(next))
        parley_reader_fail(reader, PARLEY_E_BAD_ROOT_CHAIN, "commitment");
    if (reader->fault.error != PARLEY_E_OK)
        return;
    record->generation = (uint8_t)(count - 1);
    record->root = roots[count - 1];
    derive_author(&record->author, roots, record->generation, &next);
}

static void read_listings(struct parley_reader *reader, struct parley_record *record) {
    record->listings_count = parley_read_array(reader, "listings", 0, PARLEY_ROTATION_ITEMS_MAX);
    const uint8_t *start = reader->at;
    struct parley_listing before = {0};
    for (size_t i = 0; i < record->listings_count; i++) {
        struct parley_listing listing;
        read_listing(reader, &listing);
        if (i > 0 && PARLEY_COMPARE(before.device, listing.device) >= 0)
            parley_reader_fail(reader, PARLEY_E_NOT_CANONICAL, "listings");
        before = listing;
    }
    record->listings = PARLEY_SPAN(start, reader->at - start);
}

static void read_signature(struct parley_reader *reader, const char *field,
                           struct parley_signature *signature) {
    parley_read_fixed(reader, field, signature->bytes, sizeof signature->bytes);
}

static void read_author_and_generation(struct parley_reader *reader, struct parley_record *record) {
    parley_read_fixed(reader, "author", record->author.bytes, sizeof record->author.bytes);
    record->generation =
        (uint8_t)parley_read_uint(reader, "generation", 0, PARLEY_GENERATIONS_COUNT - 1);
    parley_read_fixed(reader, "device", record->device.bytes, sizeof record->device.bytes);
}

static void end_signed_part(const struct parley_reader *reader, struct parley_record *record) {
    record->signed_part = PARLEY_SPAN(reader->start, parley_reader_offset(reader));
}

static void read_rotation(struct parley_reader *reader, struct parley_record *record) {
    read_roots(reader, record);
    read_listings(reader, record);
    end_signed_part(reader, record);
    read_signature(reader, "root signature", &record->root_signature);
}

static void read_closing(struct parley_reader *reader, struct parley_record *record) {
    read_author_and_generation(reader, record);
    read_place(reader, &record->seq, &record->id);
    end_signed_part(reader, record);
    read_signature(reader, "root signature", &record->root_signature);
}

static void read_certificate(struct parley_reader *reader, struct parley_record *record) {
    read_author_and_generation(reader, record);
    end_signed_part(reader, record);
    read_signature(reader, "root signature", &record->root_signature);
    read_signature(reader, "device signature", &record->device_signature);
}

static void read_kind(struct parley_reader *reader, struct parley_record *record, size_t elements) {
    static const size_t elements_of[] = {ROTATION_ELEMENTS, CLOSING_ELEMENTS, CERTIFICATE_ELEMENTS};
    static void (*const read_of[])(struct parley_reader *, struct parley_record *) = {
        read_rotation, read_closing, read_certificate};
    uint64_t kind = parley_read_uint(reader, "kind", 0, 127);
    if (kind > PARLEY_RECORD_CERTIFICATE)
        parley_reader_fail(reader, PARLEY_E_BAD_KIND, "kind");
    else if (elements != elements_of[kind])
        parley_reader_fail(reader, PARLEY_E_NOT_CANONICAL, "record");
    if (reader->fault.error != PARLEY_E_OK)
        return;
    record->kind = (enum parley_record_kind)kind;
    read_of[kind](reader, record);
}

struct parley_fault parley_record_decode(struct parley_record *record, struct parley_span bytes) {
    memset(record, 0, sizeof *record);
    if (bytes.size > PARLEY_RECORD_BYTES_MAX)
        return (struct parley_fault){PARLEY_E_TOO_LARGE, PARLEY_RECORD_BYTES_MAX, "record"};
    struct parley_reader reader;
    parley_reader_init(&reader, bytes);
    /* Of another version or kind nothing behind it is asked, its count of elements included. */
    size_t elements = parley_read_array_head(&reader, "record");
    uint64_t version = parley_read_uint(&reader, "version", 1, PARLEY_VERSION_MAX);
    if (version != PARLEY_RECORD_VERSION)
        parley_reader_fail(&reader, PARLEY_E_BAD_VERSION, "version");
    read_kind(&reader, record, elements);
    struct parley_fault fault = parley_reader_finish(&reader);
    if (fault.error == PARLEY_E_OK)
        parley_hash_one(record->hash.bytes, PARLEY_DOMAIN_RECORD, bytes);
    return fault;
}

bool parley_listing_next(struct parley_listing *listing, struct parley_span *rest) {
    if (rest->size == 0)
        return false;
    struct parley_reader reader;
    parley_reader_init(&reader, *rest);
    read_listing(&reader, listing);
    /* Decoding has accepted these very bytes. */
    assert(reader.fault.error == PARLEY_E_OK);
    size_t used = parley_reader_offset(&reader);
    *rest = PARLEY_SPAN(rest->data + used, rest->size - used);
    return true;
}

/* Checking. */

static void make_check(struct parley_check *check, const uint8_t key[32], const char *domain,
                       struct parley_span signed_part, const struct parley_signature *signature) {
    memcpy(check->key, key, sizeof check->key);
    parley_hash_one(check->digest.bytes, domain, signed_part);
    check->signature = *signature;
}

size_t parley_record_checks(struct parley_check checks[2], const struct parley_record *record,
                            const struct parley_root_key *set_root) {
    const struct parley_root_key *root =
        record->kind == PARLEY_RECORD_ROTATION ? &record->root : set_root;
    make_check(&checks[0], root->bytes, sign_domains[record->kind], record->signed_part,
               &record->root_signature);
    if (record->kind != PARLEY_RECORD_CERTIFICATE)
        return 1;
    make_check(&checks[1], record->device.bytes, PARLEY_DOMAIN_DEVICE, record->signed_part,
               &record->device_signature);
    return 2;
}

struct parley_fault parley_record_verify(const struct parley_record *record,
                                         const struct parley_root_key *set_root) {
    static const char *const fields[] = {"root signature", "device signature"};
    struct parley_check checks[2];
    size_t count = parley_record_checks(checks, record, set_root);
    for (size_t i = 0; i < count; i++)
        if (!parley_check_holds(&checks[i]))
            return (struct parley_fault){PARLEY_E_BAD_SIGNATURE, record->signed_part.size,
                                         fields[i]};
    return PARLEY_NO_FAULT;
}
