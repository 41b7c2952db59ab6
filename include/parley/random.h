/* The seam of chance: a deterministic generator that is seeded once by whoever creates it.
 *
 * The product seeds it from the operating system, the simulator from its seed number. ChaCha20
 * keystream with fast key erasure, so that a later look at the state does not tell earlier output.
 */
#ifndef PARLEY_RANDOM_H
#define PARLEY_RANDOM_H

#include <parley/bytes.h>

struct parley_random {
    uint8_t key[32];
    uint8_t pool[480];
    size_t used; /* bytes of pool already given out */
};

void parley_random_init(struct parley_random *random, const struct parley_seed *seed);
void parley_random_clear(struct parley_random *random);
void parley_random_bytes(struct parley_random *random, void *out, size_t size);
/* Uniform in 0 .. bound - 1; bound must not be 0. */
uint64_t parley_random_below(struct parley_random *random, uint64_t bound);

#endif
