#include <parley/noise.h>

#include <assert.h>
#include <parley/crypto.h>
#include <parley/limits.h>

#define HASH_SIZE  64u
#define BLOCK_SIZE 128u /* of BLAKE2b, for HMAC */
#define TAG_SIZE   PARLEY_NOISE_TAG_SIZE

/* ---- HMAC and HKDF over BLAKE2b-512: Noise 4.3, which libsodium does not have ------------------
 */

struct hmac {
    crypto_generichash_state inner;
    uint8_t outer_pad[BLOCK_SIZE];
};

static void begin_hmac(struct hmac *hmac, const uint8_t key[HASH_SIZE]) {
    uint8_t inner_pad[BLOCK_SIZE];
    memset(inner_pad, 0x36, sizeof inner_pad);
    memset(hmac->outer_pad, 0x5c, sizeof hmac->outer_pad);
    for (size_t i = 0; i < HASH_SIZE; i++) {
        inner_pad[i] ^= key[i];
        hmac->outer_pad[i] ^= key[i];
    }
    crypto_generichash_init(&hmac->inner, NULL, 0, HASH_SIZE);
    crypto_generichash_update(&hmac->inner, inner_pad, sizeof inner_pad);
    sodium_memzero(inner_pad, sizeof inner_pad);
}

static void add_hmac(struct hmac *hmac, const uint8_t *data, size_t size) {
    if (size > 0)
        crypto_generichash_update(&hmac->inner, data, size);
}

static void finish_hmac(struct hmac *hmac, uint8_t out[HASH_SIZE]) {
    uint8_t inner[HASH_SIZE];
    crypto_generichash_final(&hmac->inner, inner, sizeof inner);
    crypto_generichash_init(&hmac->inner, NULL, 0, HASH_SIZE);
    crypto_generichash_update(&hmac->inner, hmac->outer_pad, sizeof hmac->outer_pad);
    crypto_generichash_update(&hmac->inner, inner, sizeof inner);
    crypto_generichash_final(&hmac->inner, out, HASH_SIZE);
    sodium_memzero(inner, sizeof inner);
    sodium_memzero(hmac, sizeof *hmac);
}

/* HKDF with two outputs; first may be the chaining key itself. */
static void derive_two(uint8_t first[HASH_SIZE], uint8_t second[HASH_SIZE],
                       const uint8_t chain[HASH_SIZE], struct parley_span input) {
    struct hmac hmac;
    uint8_t temporary[HASH_SIZE];
    uint8_t counter = 1;
    begin_hmac(&hmac, chain);
    add_hmac(&hmac, input.data, input.size);
    finish_hmac(&hmac, temporary);
    begin_hmac(&hmac, temporary);
    add_hmac(&hmac, &counter, 1);
    finish_hmac(&hmac, first);
    counter = 2;
    begin_hmac(&hmac, temporary);
    add_hmac(&hmac, first, HASH_SIZE);
    add_hmac(&hmac, &counter, 1);
    finish_hmac(&hmac, second);
    sodium_memzero(temporary, sizeof temporary);
}

/* ---- CipherState: Noise 5.1 --------------------------------------------------------------------
 */

/* Four zero bytes, then the number in little endian: Noise 12.3. */
static void make_nonce(uint8_t nonce[12], uint64_t number) {
    memset(nonce, 0, 4);
    for (size_t i = 0; i < 8; i++)
        nonce[4 + i] = (uint8_t)(number >> (8 * i));
}

static void encrypt(struct parley_noise_cipher *cipher, uint8_t *out, struct parley_span plain,
                    struct parley_span associated) {
    uint8_t nonce[12];
    make_nonce(nonce, cipher->nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain.data, plain.size, associated.data,
                                              associated.size, NULL, nonce, cipher->key);
    cipher->nonce++;
}

/* The nonce advances only when the tag holds. */
static bool decrypt(struct parley_noise_cipher *cipher, uint8_t *out, struct parley_span sealed,
                    struct parley_span associated) {
    uint8_t nonce[12];
    make_nonce(nonce, cipher->nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.data, sealed.size,
                                                  associated.data, associated.size, nonce,
                                                  cipher->key) != 0)
        return false;
    cipher->nonce++;
    return true;
}

/* REKEY of Noise 4.2: the key encrypts 32 zeros under the one nonce that no message has. */
static void rekey(struct parley_noise_cipher *cipher) {
    static const uint8_t zeros[32];
    uint8_t nonce[12];
    uint8_t next[32 + TAG_SIZE];
    make_nonce(nonce, UINT64_MAX);
    crypto_aead_chacha20poly1305_ietf_encrypt(next, NULL, zeros, sizeof zeros, NULL, 0, NULL, nonce,
                                              cipher->key);
    memcpy(cipher->key, next, sizeof cipher->key);
    sodium_memzero(next, sizeof next);
}

static void rekey_when_due(struct parley_noise_cipher *cipher) {
    if (cipher->nonce % PARLEY_REKEY_EVERY == 0)
        rekey(cipher);
}

/* ---- SymmetricState: Noise 5.2 -----------------------------------------------------------------
 */

static void mix_hash(struct parley_noise *noise, const uint8_t *data, size_t size) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, HASH_SIZE);
    crypto_generichash_update(&state, noise->hash, sizeof noise->hash);
    if (size > 0)
        crypto_generichash_update(&state, data, size);
    crypto_generichash_final(&state, noise->hash, sizeof noise->hash);
}

/* MixKey of a Diffie-Hellman result. False when that is all zero: the peer sent a point of small
 * order, and anybody would know the key. */
static bool mix_shared(struct parley_noise *noise, const uint8_t secret[32],
                       const uint8_t public_key[32]) {
    uint8_t shared[32];
    uint8_t key[HASH_SIZE];
    bool is_sound = crypto_scalarmult(shared, secret, public_key) == 0;
    if (is_sound) {
        derive_two(noise->chain, key, noise->chain, PARLEY_SPAN(shared, sizeof shared));
        memcpy(noise->cipher.key, key, sizeof noise->cipher.key);
        noise->cipher.nonce = 0;
    }
    sodium_memzero(shared, sizeof shared);
    sodium_memzero(key, sizeof key);
    return is_sound;
}

static void encrypt_and_hash(struct parley_noise *noise, uint8_t *out, struct parley_span plain) {
    encrypt(&noise->cipher, out, plain, PARLEY_SPAN(noise->hash, sizeof noise->hash));
    mix_hash(noise, out, plain.size + TAG_SIZE);
}

static bool decrypt_and_hash(struct parley_noise *noise, uint8_t *out, struct parley_span sealed) {
    if (!decrypt(&noise->cipher, out, sealed, PARLEY_SPAN(noise->hash, sizeof noise->hash)))
        return false;
    mix_hash(noise, sealed.data, sealed.size);
    return true;
}

static void send_ephemeral(struct parley_noise *noise, uint8_t *out, const uint8_t secret[32]) {
    memcpy(noise->ephemeral_secret, secret, sizeof noise->ephemeral_secret);
    crypto_scalarmult_base(noise->ephemeral_public, secret);
    memcpy(out, noise->ephemeral_public, sizeof noise->ephemeral_public);
    mix_hash(noise, out, sizeof noise->ephemeral_public);
}

static void take_ephemeral(struct parley_noise *noise, const uint8_t *in) {
    memcpy(noise->remote_ephemeral, in, sizeof noise->remote_ephemeral);
    mix_hash(noise, in, sizeof noise->remote_ephemeral);
}

/* ---- The handshake -----------------------------------------------------------------------------
 *
 *   XK:
 *     <- s
 *     ...
 *     -> e, es
 *     <- e, ee
 *     -> s, se
 */

void parley_noise_init(struct parley_noise *noise, const uint8_t static_secret[32],
                       const uint8_t *remote_static) {
    memset(noise, 0, sizeof *noise);
    noise->is_initiator = remote_static != NULL;
    memcpy(noise->static_secret, static_secret, sizeof noise->static_secret);
    crypto_scalarmult_base(noise->static_public, static_secret);
    if (remote_static != NULL)
        memcpy(noise->remote_static, remote_static, sizeof noise->remote_static);
}

void parley_noise_begin(struct parley_noise *noise, struct parley_span prologue) {
    /* Shorter than a hash: padded with zeros instead of hashed (Noise 5.2, InitializeSymmetric). */
    static const char name[] = "Noise_XK_25519_ChaChaPoly_BLAKE2b";
    static_assert(sizeof name - 1 <= HASH_SIZE, "the name is padded, not hashed");
    memset(noise->hash, 0, sizeof noise->hash);
    memcpy(noise->hash, name, sizeof name - 1);
    memcpy(noise->chain, noise->hash, sizeof noise->chain);
    mix_hash(noise, prologue.data, prologue.size);
    mix_hash(noise, noise->is_initiator ? noise->remote_static : noise->static_public, 32);
}

void parley_noise_clear(struct parley_noise *noise) {
    sodium_memzero(noise, sizeof *noise);
}

/* The one exit of every flight: the copy becomes the state, or nothing has happened. */
static enum parley_error commit_flight(struct parley_noise *noise, struct parley_noise *next,
                                       bool holds) {
    if (holds)
        *noise = *next;
    sodium_memzero(next, sizeof *next);
    return holds ? PARLEY_E_OK : PARLEY_E_BAD_HANDSHAKE;
}

enum parley_error parley_noise_write_first(struct parley_noise *noise, uint8_t *out,
                                           const uint8_t ephemeral[32],
                                           struct parley_span payload) {
    struct parley_noise next = *noise;
    /* e */
    send_ephemeral(&next, out, ephemeral);
    /* es */
    bool holds = mix_shared(&next, next.ephemeral_secret, next.remote_static);
    if (holds)
        encrypt_and_hash(&next, out + 32, payload);
    return commit_flight(noise, &next, holds);
}

enum parley_error parley_noise_read_first(struct parley_noise *noise, uint8_t *payload_out,
                                          struct parley_span in) {
    assert(in.size >= PARLEY_NOISE_FLIGHT_1_SIZE);
    struct parley_noise next = *noise;
    /* e */
    take_ephemeral(&next, in.data);
    /* es */
    bool holds = mix_shared(&next, next.static_secret, next.remote_ephemeral);
    holds = holds && decrypt_and_hash(&next, payload_out, PARLEY_SPAN(in.data + 32, in.size - 32));
    return commit_flight(noise, &next, holds);
}

enum parley_error parley_noise_write_second(struct parley_noise *noise, uint8_t *out,
                                            const uint8_t ephemeral[32],
                                            struct parley_span payload) {
    struct parley_noise next = *noise;
    /* e */
    send_ephemeral(&next, out, ephemeral);
    /* ee */
    bool holds = mix_shared(&next, next.ephemeral_secret, next.remote_ephemeral);
    if (holds)
        encrypt_and_hash(&next, out + 32, payload);
    return commit_flight(noise, &next, holds);
}

enum parley_error parley_noise_read_second(struct parley_noise *noise, uint8_t *payload_out,
                                           struct parley_span in) {
    assert(in.size >= PARLEY_NOISE_FLIGHT_2_SIZE);
    struct parley_noise next = *noise;
    /* e */
    take_ephemeral(&next, in.data);
    /* ee */
    bool holds = mix_shared(&next, next.ephemeral_secret, next.remote_ephemeral);
    holds = holds && decrypt_and_hash(&next, payload_out, PARLEY_SPAN(in.data + 32, in.size - 32));
    return commit_flight(noise, &next, holds);
}

enum parley_error parley_noise_write_third(struct parley_noise *noise, uint8_t *out,
                                           struct parley_span payload) {
    const size_t sealed_static = 32 + TAG_SIZE;
    struct parley_noise next = *noise;
    /* s */
    encrypt_and_hash(&next, out, PARLEY_SPAN(next.static_public, sizeof next.static_public));
    /* se */
    bool holds = mix_shared(&next, next.static_secret, next.remote_ephemeral);
    if (holds)
        encrypt_and_hash(&next, out + sealed_static, payload);
    return commit_flight(noise, &next, holds);
}

enum parley_error parley_noise_read_third(struct parley_noise *noise, uint8_t *payload_out,
                                          struct parley_span in) {
    const size_t sealed_static = 32 + TAG_SIZE;
    assert(in.size >= PARLEY_NOISE_FLIGHT_3_SIZE);
    struct parley_noise next = *noise;
    /* s */
    bool holds = decrypt_and_hash(&next, next.remote_static, PARLEY_SPAN(in.data, sealed_static));
    /* se */
    holds = holds && mix_shared(&next, next.ephemeral_secret, next.remote_static);
    holds =
        holds && decrypt_and_hash(&next, payload_out,
                                  PARLEY_SPAN(in.data + sealed_static, in.size - sealed_static));
    return commit_flight(noise, &next, holds);
}

void parley_noise_split(const struct parley_noise *noise, struct parley_noise_cipher *sending,
                        struct parley_noise_cipher *receiving) {
    uint8_t initiators[HASH_SIZE];
    uint8_t responders[HASH_SIZE];
    derive_two(initiators, responders, noise->chain, PARLEY_NO_SPAN);
    memcpy(sending->key, noise->is_initiator ? initiators : responders, sizeof sending->key);
    memcpy(receiving->key, noise->is_initiator ? responders : initiators, sizeof receiving->key);
    sending->nonce = 0;
    receiving->nonce = 0;
    sodium_memzero(initiators, sizeof initiators);
    sodium_memzero(responders, sizeof responders);
}

/* ---- Transport ---------------------------------------------------------------------------------
 */

void parley_noise_seal(struct parley_noise_cipher *cipher, uint8_t *out, struct parley_span plain) {
    encrypt(cipher, out, plain, PARLEY_NO_SPAN);
    rekey_when_due(cipher);
}

bool parley_noise_open(struct parley_noise_cipher *cipher, uint8_t *out,
                       struct parley_span sealed) {
    if (!decrypt(cipher, out, sealed, PARLEY_NO_SPAN))
        return false;
    rekey_when_due(cipher);
    return true;
}
