/* Hashes that were made before, for targets whose inputs change little of what is hashed: made
 * again for each input, they would be most of its time. The linker puts these in the place of
 * libsodium's
 * (--wrap); every answer is libsodium's own, of the same bytes.
 *
 * What is short is gathered in the state itself, of which the real one leaves the end unused.
 */
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define GATHERED_MAX 352u
#define PLACES_COUNT 4096u
#define HASH_SIZE    32u

int __real_crypto_generichash_init(crypto_generichash_state *state, const unsigned char *key,
                                   size_t key_size, size_t out_size);
int __real_crypto_generichash_update(crypto_generichash_state *state, const unsigned char *in,
                                     unsigned long long size);
int __real_crypto_generichash_final(crypto_generichash_state *state, unsigned char *out,
                                    size_t out_size);
int __wrap_crypto_generichash_init(crypto_generichash_state *state, const unsigned char *key,
                                   size_t key_size, size_t out_size);
int __wrap_crypto_generichash_update(crypto_generichash_state *state, const unsigned char *in,
                                     unsigned long long size);
int __wrap_crypto_generichash_final(crypto_generichash_state *state, unsigned char *out,
                                    size_t out_size);

struct gathered {
    uint8_t bytes[GATHERED_MAX];
    uint8_t padding[16];
    uint64_t is_gathering; /* behind all that the real state uses */
    uint64_t size;
};
_Static_assert(sizeof(struct gathered) <= sizeof(crypto_generichash_state), "it fits");

static struct place {
    uint64_t size;
    uint8_t bytes[GATHERED_MAX];
    uint8_t hash[HASH_SIZE];
    bool is_used;
} places[PLACES_COUNT];

int __wrap_crypto_generichash_init(crypto_generichash_state *state, const unsigned char *key,
                                   size_t key_size, size_t out_size) {
    struct gathered *gathered = (struct gathered *)(void *)state;
    bool is_gathering = key_size == 0 && out_size == HASH_SIZE;
    int result = is_gathering ? 0 : __real_crypto_generichash_init(state, key, key_size, out_size);
    gathered->is_gathering = is_gathering;
    gathered->size = 0;
    return result;
}

/* From here on it is the real one's. */
static void hand_over(crypto_generichash_state *state) {
    struct gathered *gathered = (struct gathered *)(void *)state;
    struct gathered copy = *gathered;
    __real_crypto_generichash_init(state, NULL, 0, HASH_SIZE);
    __real_crypto_generichash_update(state, copy.bytes, copy.size);
    gathered->is_gathering = false;
}

int __wrap_crypto_generichash_update(crypto_generichash_state *state, const unsigned char *in,
                                     unsigned long long size) {
    struct gathered *gathered = (struct gathered *)(void *)state;
    if (gathered->is_gathering && size > GATHERED_MAX - gathered->size)
        hand_over(state);
    if (!gathered->is_gathering)
        return __real_crypto_generichash_update(state, in, size);
    if (size > 0)
        memcpy(gathered->bytes + gathered->size, in, size);
    gathered->size += size;
    return 0;
}

/* Where a hash of these bytes is kept. Words from all over them, so that what differs in one place
 * is mostly kept apart. */
static struct place *place_of(const struct gathered *gathered) {
    uint64_t sum = gathered->size;
    uint64_t word;
    for (size_t i = 0; i + 8 <= gathered->size; i += 8) {
        memcpy(&word, gathered->bytes + i, 8);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 32;
    }
    return &places[sum % PLACES_COUNT];
}

int __wrap_crypto_generichash_final(crypto_generichash_state *state, unsigned char *out,
                                    size_t out_size) {
    struct gathered *gathered = (struct gathered *)(void *)state;
    if (!gathered->is_gathering)
        return __real_crypto_generichash_final(state, out, out_size);
    struct place *place = place_of(gathered);
    if (!place->is_used || place->size != gathered->size ||
        memcmp(place->bytes, gathered->bytes, gathered->size) != 0) {
        *place = (struct place){.size = gathered->size, .is_used = true};
        memcpy(place->bytes, gathered->bytes, gathered->size);
        hand_over(state);
        __real_crypto_generichash_final(state, place->hash, HASH_SIZE);
    }
    memcpy(out, place->hash, out_size < HASH_SIZE ? out_size : HASH_SIZE);
    return 0;
}
