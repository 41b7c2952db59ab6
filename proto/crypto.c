#include <parley/crypto.h>

void parley_hash_init(struct parley_hasher *hasher, const char *domain) {
    crypto_generichash_init(&hasher->state, NULL, 0, 32);
    /* The zero byte that ends the letters is the separator: no domain is the start of another. */
    parley_hash_add(hasher, domain, strlen(domain) + 1);
}

void parley_hash_add(struct parley_hasher *hasher, const void *data, size_t size) {
    if (size > 0)
        crypto_generichash_update(&hasher->state, data, size);
}

void parley_hash_finish(struct parley_hasher *hasher, uint8_t out[32]) {
    crypto_generichash_final(&hasher->state, out, 32);
}

void parley_hash_one(uint8_t out[32], const char *domain, struct parley_span part) {
    parley_hash_two(out, domain, part, PARLEY_NO_SPAN);
}

void parley_hash_two(uint8_t out[32], const char *domain, struct parley_span first,
                     struct parley_span second) {
    struct parley_hasher hasher;
    parley_hash_init(&hasher, domain);
    parley_hash_add(&hasher, first.data, first.size);
    parley_hash_add(&hasher, second.data, second.size);
    parley_hash_finish(&hasher, out);
    /* Seeds are hashed from the words by this too. */
    sodium_memzero(&hasher, sizeof hasher);
}

void parley_sign(struct parley_signature *out, const struct parley_secret_key *key,
                 const struct parley_digest *digest) {
    crypto_sign_detached(out->bytes, NULL, digest->bytes, sizeof digest->bytes, key->bytes);
}

bool parley_check_holds(const struct parley_check *check) {
    return crypto_sign_verify_detached(check->signature.bytes, check->digest.bytes,
                                       sizeof check->digest.bytes, check->key) == 0;
}

void parley_key_pair(struct parley_secret_key *secret, uint8_t public_key[32],
                     const struct parley_seed *seed) {
    crypto_sign_seed_keypair(public_key, secret->bytes, seed->bytes);
}

void parley_wipe(void *secret, size_t size) {
    sodium_memzero(secret, size);
}

/* ---- The pinned rule, SPEC 2.5 ----------------------------------------------------------------
 */

struct pinned_check {
    const char *key;
    const char *digest;
    const char *signature;
    bool holds;
};

/* The 12 edge cases of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020;
 * github.com/novifinancial/ed25519-speccheck, Apache-2.0): small and mixed orders, a large S,
 * non-canonical R and key. Libraries differ on them; what stands here is the protocol's answer. */
static const struct pinned_check pinned_checks[] = {
    {"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
     "0000000000000000000000000000000000000000000000000000000000000000",
     false},
    {"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
     "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
     false},
    {"f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
     "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
     false},
    {"cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
     "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
     true},
    {"cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
     "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
     false},
    {"cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
     "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
     false},
    {"442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
     "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
     false},
    {"442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
     "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
     false},
    {"f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
     false},
    {"f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "ca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
     false},
    {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
     "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc"
     "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
     false},
    {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
     "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc"
     "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
     false},
};

/* From another implementation of both: seed 00 01 .. 1f signs H("parley entry", "abc"). */
static const char pinned_hash[] =
    "06ce4a6bce5e66e170f64ab98fe1c911d6e4c16e818fb6822d3da5487d97b794";
static const char pinned_key[] = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
static const char pinned_signature[] =
    "590fcbfb36a41e413957378372b73a0fc61046799ab048ea9690903258642ef6"
    "c1ca6a9a063f39663fbc57d4ddb850824c2482a0a3b687dc6ecb2db00146bb0e";

static struct parley_span span_of(const char *text) {
    return PARLEY_SPAN(text, strlen(text));
}

static bool is_hex_of(const char *text, const uint8_t *data, size_t size) {
    uint8_t wanted[64];
    return size <= sizeof wanted && parley_hex_decode(wanted, size, span_of(text)) &&
           memcmp(wanted, data, size) == 0;
}

static bool is_pinned_check_good(const struct pinned_check *row) {
    struct parley_check check;
    return parley_hex_decode(check.key, sizeof check.key, span_of(row->key)) &&
           parley_hex_decode(check.digest.bytes, sizeof check.digest, span_of(row->digest)) &&
           parley_hex_decode(check.signature.bytes, sizeof check.signature,
                             span_of(row->signature)) &&
           parley_check_holds(&check) == row->holds;
}

static bool is_signing_good(void) {
    struct parley_seed seed;
    struct parley_secret_key secret;
    struct parley_signature signature;
    struct parley_check check;
    for (size_t i = 0; i < sizeof seed.bytes; i++)
        seed.bytes[i] = (uint8_t)i;
    parley_key_pair(&secret, check.key, &seed);
    parley_hash_one(check.digest.bytes, PARLEY_DOMAIN_ENTRY, PARLEY_SPAN("abc", 3));
    parley_sign(&signature, &secret, &check.digest);
    check.signature = signature;
    return is_hex_of(pinned_hash, check.digest.bytes, sizeof check.digest) &&
           is_hex_of(pinned_key, check.key, sizeof check.key) &&
           is_hex_of(pinned_signature, signature.bytes, sizeof signature) &&
           parley_check_holds(&check);
}

enum parley_error parley_crypto_self_test(void) {
    if (sodium_init() < 0 || !is_signing_good())
        return PARLEY_E_SELF_TEST;
    for (size_t i = 0; i < sizeof pinned_checks / sizeof pinned_checks[0]; i++)
        if (!is_pinned_check_good(&pinned_checks[i]))
            return PARLEY_E_SELF_TEST;
    return PARLEY_E_OK;
}
