/* Cryptography that costs nothing, for targets whose subject is what is done with its answers: the
 * linker puts these in the place of the real ones (--wrap).
 *
 * A signature holds unless the highest bit of its last byte is set: that of a real one never is,
 * for the second half is a number below 2^253 (RFC 8032, 5.1.7). So real vectors hold, and one bit
 * says "bad". The curve is a toy whose secrets are its public keys; agreement is still agreement,
 * so a handshake completes exactly where the real one would. What is signed here holds. Hashes and
 * seals are the real ones, unless cheap_crypto.c is there too.
 * The filter of first flights compares with the marks it holds, not with all its places.
 */
#include <parley/crypto.h>
#include <parley/replay.h>

void __wrap_parley_sign(struct parley_signature *out, const struct parley_secret_key *key,
                        const struct parley_digest *digest);
bool __wrap_parley_check_holds(const struct parley_check *check);
bool __wrap_parley_replay_note(struct parley_replay *replay, struct parley_span flight);
int __wrap_crypto_sign_ed25519_sk_to_curve25519(unsigned char *out, const unsigned char *secret);
int __wrap_crypto_sign_ed25519_pk_to_curve25519(unsigned char *out, const unsigned char *key);
int __wrap_crypto_scalarmult_base(unsigned char *out, const unsigned char *secret);
int __wrap_crypto_scalarmult(unsigned char *out, const unsigned char *secret,
                             const unsigned char *key);

void __wrap_parley_sign(struct parley_signature *out, const struct parley_secret_key *key,
                        const struct parley_digest *digest) {
    memcpy(out->bytes, digest->bytes, 32);
    memcpy(out->bytes + 32, key->bytes + 32, 32); /* libsodium keeps the public key there */
    out->bytes[63] &= 0x7f;
}

bool __wrap_parley_check_holds(const struct parley_check *check) {
    return (check->signature.bytes[63] & 0x80) == 0;
}

/* libsodium keeps the public key behind the seed. */
int __wrap_crypto_sign_ed25519_sk_to_curve25519(unsigned char *out, const unsigned char *secret) {
    memcpy(out, secret + 32, 32);
    return 0;
}

/* As on the real curve, some keys are no points. */
int __wrap_crypto_sign_ed25519_pk_to_curve25519(unsigned char *out, const unsigned char *key) {
    memcpy(out, key, 32);
    return parley_is_zero(key, 32) ? -1 : 0;
}

int __wrap_crypto_scalarmult_base(unsigned char *out, const unsigned char *secret) {
    memcpy(out, secret, 32);
    return 0;
}

/* As on the real curve, some points lead to zero. */
int __wrap_crypto_scalarmult(unsigned char *out, const unsigned char *secret,
                             const unsigned char *key) {
    for (size_t i = 0; i < 32; i++)
        out[i] = secret[i] ^ key[i];
    return parley_is_zero(out, 32) ? -1 : 0;
}

bool __wrap_parley_replay_note(struct parley_replay *replay, struct parley_span flight) {
    uint8_t hash[32];
    parley_hash_one(hash, "a flight", flight);
    uint64_t mark = parley_get_u64(hash);
    for (uint64_t i = 0; i < replay->noted && i < PARLEY_REPLAY_MARKS_COUNT; i++)
        if (replay->marks[i] == mark)
            return false;
    replay->marks[replay->noted++ % PARLEY_REPLAY_MARKS_COUNT] = mark;
    return true;
}
