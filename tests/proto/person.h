/* A person with devices for tests, the same in every run: entropy and device seeds are one byte
 * repeated. Records are made into a pool, so that their spans live as long as the pool.
 */
#ifndef TESTS_PERSON_H
#define TESTS_PERSON_H

#include <stdlib.h>

#include <parley/identity.h>

struct person {
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_author author;
};

struct made_record {
    struct parley_record record;
    struct parley_span bytes; /* allocated */
};

static inline void person_init(struct person *person, uint8_t number) {
    memset(person->entropy, number, sizeof person->entropy);
    parley_author_derive(&person->author, person->entropy);
}

/* Device numbers may go beyond a byte: two bytes repeated. */
static inline void person_device(struct parley_secret_key *secret, struct parley_device_key *key,
                                 unsigned number) {
    struct parley_seed seed;
    for (size_t i = 0; i < sizeof seed.bytes; i += 2) {
        seed.bytes[i] = (uint8_t)(number >> 8);
        seed.bytes[i + 1] = (uint8_t)number;
    }
    parley_key_pair(secret, key->bytes, &seed);
}

static inline struct parley_device_key person_device_key(unsigned number) {
    struct parley_secret_key secret;
    struct parley_device_key key;
    person_device(&secret, &key, number);
    return key;
}

/* An id like no other, zero for seq 0. */
static inline struct parley_id person_id(parley_seq seq, uint8_t branch) {
    struct parley_id id = {{0}};
    if (seq > 0) {
        parley_put_u64(id.bytes, seq);
        id.bytes[31] = branch;
        id.bytes[30] = 1;
    }
    return id;
}

static inline struct parley_listing person_listing(unsigned device, parley_seq seq, uint8_t branch,
                                                   bool ended) {
    return (struct parley_listing){.device = person_device_key(device),
                                   .seq = seq,
                                   .id = person_id(seq, branch),
                                   .ended = ended};
}

static inline void keep_record(struct made_record *out, enum parley_error made,
                               struct parley_span bytes) {
    if (made != PARLEY_E_OK)
        abort();
    uint8_t *copy = malloc(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    out->bytes = PARLEY_SPAN(copy, bytes.size);
    if (parley_record_decode(&out->record, out->bytes).error != PARLEY_E_OK)
        abort();
}

static inline void make_rotation(struct made_record *out, const struct person *person,
                                 uint8_t generation, struct parley_listing *listings,
                                 size_t count) {
    static uint8_t data[PARLEY_RECORD_BYTES_MAX];
    struct parley_span bytes;
    parley_listings_sort(listings, count);
    keep_record(out,
                parley_rotation_make(&bytes, data, sizeof data, person->entropy, generation,
                                     listings, count),
                bytes);
}

static inline void make_certificate(struct made_record *out, const struct person *person,
                                    uint8_t generation, unsigned device) {
    uint8_t data[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_span bytes;
    struct parley_secret_key root, secret;
    struct parley_root_key root_key;
    struct parley_device_key key;
    parley_root_derive(&root, &root_key, person->entropy, generation);
    person_device(&secret, &key, device);
    keep_record(out,
                parley_certificate_make(&bytes, data, sizeof data, &root, &secret, &person->author,
                                        generation),
                bytes);
}

static inline void make_closing(struct made_record *out, const struct person *person,
                                uint8_t generation, unsigned device, parley_seq seq,
                                uint8_t branch) {
    uint8_t data[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_span bytes;
    struct parley_secret_key root;
    struct parley_root_key root_key;
    struct parley_device_key key = person_device_key(device);
    struct parley_id id = person_id(seq, branch);
    parley_root_derive(&root, &root_key, person->entropy, generation);
    keep_record(out,
                parley_closing_make(&bytes, data, sizeof data, &root, &person->author, generation,
                                    &key, seq, &id),
                bytes);
}

static inline void free_records(struct made_record *records, size_t count) {
    for (size_t i = 0; i < count; i++)
        free((void *)records[i].bytes.data);
}

#endif
