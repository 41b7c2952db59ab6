#include "home_make.h"

#include <stdlib.h>

static struct parley_store_op record_op(const struct parley_author *author,
                                        struct parley_span bytes, struct parley_hash *hash) {
    struct parley_record record;
    if (parley_record_decode(&record, bytes).error != PARLEY_E_OK)
        abort();
    *hash = record.hash;
    return (struct parley_store_op){.kind = PARLEY_STORE_RECORD,
                                    .author = *author,
                                    .bytes = bytes,
                                    .key = PARLEY_SPAN_OF(*hash)};
}

bool home_make(struct parley_store *store, const uint8_t entropy[PARLEY_ENTROPY_SIZE],
               const struct parley_author *author, const struct parley_secret_key *device) {
    struct parley_root_key root_key;
    struct parley_secret_key root;
    parley_root_derive(&root, &root_key, entropy, 0);

    static uint8_t inception[PARLEY_RECORD_BYTES_MAX];
    uint8_t certificate[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_span made;
    struct parley_hash hashes[2];
    struct parley_store_op ops[2];
    enum parley_error results[2];
    if (parley_rotation_make(&made, inception, sizeof inception, entropy, 0, NULL, 0) !=
        PARLEY_E_OK)
        abort();
    ops[0] = record_op(author, made, &hashes[0]);
    if (parley_certificate_make(&made, certificate, sizeof certificate, &root, device, author, 0) !=
        PARLEY_E_OK)
        abort();
    ops[1] = record_op(author, made, &hashes[1]);
    parley_store_commit(store, ops, 2, results);
    return results[0] == PARLEY_E_OK && results[1] == PARLEY_E_OK;
}
