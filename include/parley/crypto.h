/* Hashing and signing, each with a domain, so that no byte string is valid in two roles.
 *
 * H(domain, parts) is BLAKE2b-256 over the domain's letters, one zero byte, then the parts. A
 * signature is Ed25519 over the 32 bytes of such a hash: what is checked is always (key, digest,
 * signature), of fixed size. The rule for a signature is exactly libsodium's
 * crypto_sign_verify_detached, pinned by parley_crypto_self_test. SPEC 2.
 */
#ifndef PARLEY_CRYPTO_H
#define PARLEY_CRYPTO_H

#include <parley/bytes.h>
#include <parley/error.h>
#include <sodium.h>

#define PARLEY_DOMAIN_ENTRY       "parley entry"
#define PARLEY_DOMAIN_ID          "parley id"
#define PARLEY_DOMAIN_BODY        "parley body"
#define PARLEY_DOMAIN_ROOT_SEED   "parley root seed"
#define PARLEY_DOMAIN_NEXT        "parley next"
#define PARLEY_DOMAIN_AUTHOR      "parley author"
#define PARLEY_DOMAIN_LOG         "parley log"
#define PARLEY_DOMAIN_ROTATION    "parley rotation"
#define PARLEY_DOMAIN_CLOSING     "parley closing"
#define PARLEY_DOMAIN_CERTIFICATE "parley certificate"
#define PARLEY_DOMAIN_DEVICE      "parley device"
#define PARLEY_DOMAIN_RECORD      "parley record"
#define PARLEY_DOMAIN_SET         "parley identity set"
#define PARLEY_DOMAIN_BUNDLE      "parley bundle"
#define PARLEY_DOMAIN_MASK        "parley mask"
#define PARLEY_DOMAIN_DIGEST      "parley digest"
#define PARLEY_DOMAIN_DIGEST_BODY "parley digest bodies"
#define PARLEY_DOMAIN_ADDRESS     "parley address"
#define PARLEY_DOMAIN_INVITE      "parley invite"
#define PARLEY_DOMAIN_RECONCILE   "parley reconcile"

/* A hash being made. Lives on the caller's stack; holds nothing secret unless fed with it. */
struct parley_hasher {
    crypto_generichash_state state;
};

void parley_hash_init(struct parley_hasher *hasher, const char *domain);
void parley_hash_add(struct parley_hasher *hasher, const void *data, size_t size);
void parley_hash_finish(struct parley_hasher *hasher, uint8_t out[32]);

/* H(domain, one part) and H(domain, two parts). Cost: about 0.5 us for 300 bytes. */
void parley_hash_one(uint8_t out[32], const char *domain, struct parley_span part);
void parley_hash_two(uint8_t out[32], const char *domain, struct parley_span first,
                     struct parley_span second);

/* One signature check as plain data: it can cross to another thread and come back as an answer. */
struct parley_check {
    uint8_t key[32];
    struct parley_digest digest;
    struct parley_signature signature;
};

/* Deterministic: the same key and digest always give the same signature. About 30 us. */
void parley_sign(struct parley_signature *out, const struct parley_secret_key *key,
                 const struct parley_digest *digest);
/* The consensus rule. About 100 us. */
PARLEY_USE_RESULT bool parley_check_holds(const struct parley_check *check);

/* The key pair of a seed. */
void parley_key_pair(struct parley_secret_key *secret, uint8_t public_key[32],
                     const struct parley_seed *seed);

void parley_wipe(void *secret, size_t size);

/* Call once at start, before any other function of the library: initialises libsodium and checks
 * a pinned set of accepting and rejecting signatures and hashes. Errors: SELF_TEST. */
PARLEY_USE_RESULT enum parley_error parley_crypto_self_test(void);

#endif
