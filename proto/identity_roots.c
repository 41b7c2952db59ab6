/* From the recovery words to roots, to the name that commits to all of them. SPEC 4.1, 4.2.
 *
 * Every secret lives in a local that is wiped on the way out.
 */
#include <assert.h>

#include <parley/identity.h>

void parley_root_derive(struct parley_secret_key *secret, struct parley_root_key *key,
                        const uint8_t entropy[PARLEY_ENTROPY_SIZE], uint8_t generation) {
    assert(generation < PARLEY_GENERATIONS_COUNT);
    struct parley_seed seed;
    parley_hash_two(seed.bytes, PARLEY_DOMAIN_ROOT_SEED, PARLEY_SPAN(entropy, PARLEY_ENTROPY_SIZE),
                    PARLEY_SPAN(&generation, 1));
    parley_key_pair(secret, key->bytes, &seed);
    parley_wipe(&seed, sizeof seed);
}

static void derive_root_key(struct parley_root_key *key, const uint8_t entropy[PARLEY_ENTROPY_SIZE],
                            uint8_t generation) {
    struct parley_secret_key secret;
    parley_root_derive(&secret, key, entropy, generation);
    parley_wipe(&secret, sizeof secret);
}

void parley_root_commitment(struct parley_hash *next, const uint8_t entropy[PARLEY_ENTROPY_SIZE],
                            uint8_t generation) {
    assert(generation < PARLEY_GENERATIONS_COUNT);
    struct parley_hash c = {{0}};
    for (uint8_t g = PARLEY_GENERATIONS_COUNT - 1; g > generation; g--) {
        struct parley_root_key root;
        derive_root_key(&root, entropy, g);
        parley_hash_two(c.bytes, PARLEY_DOMAIN_NEXT, PARLEY_SPAN_OF(root), PARLEY_SPAN_OF(c));
    }
    *next = c;
}

void parley_author_derive(struct parley_author *author,
                          const uint8_t entropy[PARLEY_ENTROPY_SIZE]) {
    struct parley_root_key root;
    struct parley_hash next;
    derive_root_key(&root, entropy, 0);
    parley_root_commitment(&next, entropy, 0);
    parley_hash_two(author->bytes, PARLEY_DOMAIN_AUTHOR, PARLEY_SPAN_OF(root),
                    PARLEY_SPAN_OF(next));
}

void parley_log_derive(struct parley_log *log, const struct parley_author *author,
                       const struct parley_device_key *device) {
    parley_hash_two(log->bytes, PARLEY_DOMAIN_LOG, PARLEY_SPAN_OF(*author),
                    PARLEY_SPAN_OF(*device));
}
