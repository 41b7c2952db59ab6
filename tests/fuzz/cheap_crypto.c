/* Seals, hashes and masks that cost next to nothing, for targets in whose inputs none was made by
 * the real ones: made for each input, they would be most of its time. The linker puts these in the
 * place of libsodium's (--wrap).
 *
 * All are made of one mixing of 64 bits, which nothing here needs to withstand: an input says what
 * is done, and whoever chose it has not seen these words. What matters stays as it is: a seal that
 * was touched, or opened under another key, number or associated data, does not hold; a hash is the
 * same however its bytes came. Tags are compared inside libsodium, where libFuzzer does not look:
 * what it sees compared it would write into its inputs.
 */
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* No input gets further by a new edge in here. */
#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#endif

#define ODD  UINT64_C(0x9e3779b97f4a7c15)
#define TAG  16u
#define KEY  32u
#define HASH 32u

int __wrap_crypto_generichash_init(crypto_generichash_state *state, const unsigned char *key,
                                   size_t key_size, size_t out_size);
int __wrap_crypto_generichash_update(crypto_generichash_state *state, const unsigned char *in,
                                     unsigned long long size);
int __wrap_crypto_generichash_final(crypto_generichash_state *state, unsigned char *out,
                                    size_t out_size);
int __wrap_crypto_aead_chacha20poly1305_ietf_encrypt(
    unsigned char *out, unsigned long long *size, const unsigned char *in,
    unsigned long long in_size, const unsigned char *with, unsigned long long with_size,
    const unsigned char *secret_nonce, const unsigned char *nonce, const unsigned char *key);
int __wrap_crypto_aead_chacha20poly1305_ietf_decrypt(
    unsigned char *out, unsigned long long *size, unsigned char *secret_nonce,
    const unsigned char *in, unsigned long long in_size, const unsigned char *with,
    unsigned long long with_size, const unsigned char *nonce, const unsigned char *key);
int __wrap_crypto_stream_xchacha20_xor(unsigned char *out, const unsigned char *in,
                                       unsigned long long size, const unsigned char *nonce,
                                       const unsigned char *key);

static uint64_t mix(uint64_t sum, uint64_t word) {
    sum = (sum ^ word) * ODD;
    return sum ^ sum >> 29;
}

static uint64_t word_at(const unsigned char *in, size_t size) {
    uint64_t word = 0;
    if (size >= 8)
        memcpy(&word, in, 8);
    else
        for (size_t i = 0; i < size; i++)
            word |= (uint64_t)in[i] << 8 * i;
    return word;
}

static void put_word(unsigned char *out, uint64_t word, size_t size) {
    if (size >= 8)
        memcpy(out, &word, 8);
    else
        for (size_t i = 0; i < size; i++)
            out[i] = (unsigned char)(word >> 8 * i);
}

static uint64_t mix_all(uint64_t sum, const unsigned char *in, size_t size) {
    sum = mix(sum, size);
    for (size_t at = 0; at < size; at += 8)
        sum = mix(sum, word_at(in + at, size - at));
    return sum;
}

/* ---- hashes: words as they get full */

struct hashing {
    uint64_t sum, size;
    unsigned char word[8];
};
_Static_assert(sizeof(struct hashing) <= sizeof(crypto_generichash_state), "it fits");

int __wrap_crypto_generichash_init(crypto_generichash_state *state, const unsigned char *key,
                                   size_t key_size, size_t out_size) {
    struct hashing *hashing = (struct hashing *)(void *)state;
    *hashing = (struct hashing){.sum = mix_all(out_size, key, key_size)};
    return 0;
}

int __wrap_crypto_generichash_update(crypto_generichash_state *state, const unsigned char *in,
                                     unsigned long long size) {
    struct hashing *hashing = (struct hashing *)(void *)state;
    size_t used = hashing->size % 8;
    hashing->size += size;
    for (; size > 0 && used > 0; in++, size--) {
        hashing->word[used++] = *in;
        if (used == 8) {
            hashing->sum = mix(hashing->sum, word_at(hashing->word, 8));
            used = 0;
        }
    }
    for (; size >= 8; in += 8, size -= 8)
        hashing->sum = mix(hashing->sum, word_at(in, 8));
    for (; size > 0; in++, size--)
        hashing->word[used++] = *in;
    return 0;
}

int __wrap_crypto_generichash_final(crypto_generichash_state *state, unsigned char *out,
                                    size_t out_size) {
    const struct hashing *hashing = (const struct hashing *)(const void *)state;
    uint64_t sum = mix(hashing->sum, word_at(hashing->word, hashing->size % 8));
    sum = mix(sum, hashing->size);
    for (size_t at = 0; at < out_size; at += 8) {
        sum = mix(sum, ODD);
        put_word(out + at, sum, out_size - at);
    }
    return 0;
}

/* ---- streams and seals */

static void stream_xor(unsigned char *out, const unsigned char *in, size_t size, uint64_t seed) {
    for (size_t at = 0; at < size; at += 8) {
        uint64_t word = word_at(in + at, size - at) ^ mix(seed, at + 1);
        put_word(out + at, word, size - at);
    }
}

int __wrap_crypto_stream_xchacha20_xor(unsigned char *out, const unsigned char *in,
                                       unsigned long long size, const unsigned char *nonce,
                                       const unsigned char *key) {
    stream_xor(out, in, size,
               mix_all(mix_all(1, key, KEY), nonce, crypto_stream_xchacha20_NONCEBYTES));
    return 0;
}

static uint64_t seed_of(const unsigned char *key, const unsigned char *nonce) {
    return mix_all(mix_all(2, key, KEY), nonce, crypto_aead_chacha20poly1305_ietf_NPUBBYTES);
}

static void make_tag(unsigned char tag[TAG], uint64_t seed, const unsigned char *sealed,
                     size_t size, const unsigned char *with, size_t with_size) {
    uint64_t sum = mix_all(mix_all(seed, with, with_size), sealed, size);
    uint64_t second = mix(sum, seed);
    memcpy(tag, &sum, 8);
    memcpy(tag + 8, &second, 8);
}

int __wrap_crypto_aead_chacha20poly1305_ietf_encrypt(
    unsigned char *out, unsigned long long *size, const unsigned char *in,
    unsigned long long in_size, const unsigned char *with, unsigned long long with_size,
    const unsigned char *secret_nonce, const unsigned char *nonce, const unsigned char *key) {
    uint64_t seed = seed_of(key, nonce);
    (void)secret_nonce;
    stream_xor(out, in, in_size, seed);
    make_tag(out + in_size, seed, out, in_size, with, with_size);
    if (size != NULL)
        *size = in_size + TAG;
    return 0;
}

int __wrap_crypto_aead_chacha20poly1305_ietf_decrypt(
    unsigned char *out, unsigned long long *size, unsigned char *secret_nonce,
    const unsigned char *in, unsigned long long in_size, const unsigned char *with,
    unsigned long long with_size, const unsigned char *nonce, const unsigned char *key) {
    unsigned char tag[TAG];
    uint64_t seed = seed_of(key, nonce);
    (void)secret_nonce;
    if (in_size < TAG)
        return -1;
    make_tag(tag, seed, in, in_size - TAG, with, with_size);
    if (sodium_memcmp(tag, in + in_size - TAG, TAG) != 0)
        return -1;
    stream_xor(out, in, in_size - TAG, seed);
    if (size != NULL)
        *size = in_size - TAG;
    return 0;
}

#ifdef __clang__
#pragma clang attribute pop
#endif
