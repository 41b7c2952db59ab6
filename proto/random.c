#include <parley/random.h>

#include <assert.h>
#include <sodium.h>

void parley_random_init(struct parley_random *random, const struct parley_seed *seed) {
    memcpy(random->key, seed->bytes, sizeof random->key);
    memset(random->pool, 0, sizeof random->pool);
    random->used = sizeof random->pool;
}

void parley_random_clear(struct parley_random *random) {
    sodium_memzero(random, sizeof *random);
    random->used = sizeof random->pool;
}

/* Fast key erasure: the first bytes of each stretch of keystream are the next key, so the key that
 * made the pool is gone before the pool is used, and the nonce can stay zero. */
static void refill_pool(struct parley_random *random) {
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    uint8_t stream[sizeof random->key + sizeof random->pool];
    crypto_stream_chacha20(stream, sizeof stream, nonce, random->key);
    memcpy(random->key, stream, sizeof random->key);
    memcpy(random->pool, stream + sizeof random->key, sizeof random->pool);
    random->used = 0;
    sodium_memzero(stream, sizeof stream);
}

void parley_random_bytes(struct parley_random *random, void *out, size_t size) {
    uint8_t *at = out;
    while (size > 0) {
        if (random->used == sizeof random->pool)
            refill_pool(random);
        size_t left = sizeof random->pool - random->used;
        size_t part = size < left ? size : left;
        memcpy(at, random->pool + random->used, part);
        sodium_memzero(random->pool + random->used, part);
        random->used += part;
        at += part;
        size -= part;
    }
}

uint64_t parley_random_below(struct parley_random *random, uint64_t bound) {
    assert(bound > 0);
    /* 2^64 mod bound: numbers below it are drawn again, so that every rest is equally likely. */
    uint64_t uneven = -bound % bound;
    uint64_t drawn;
    do {
        uint8_t bytes[8];
        parley_random_bytes(random, bytes, sizeof bytes);
        drawn = parley_get_u64(bytes);
    } while (drawn < uneven);
    return drawn % bound;
}
