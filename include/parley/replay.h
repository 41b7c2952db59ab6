/* First flights that a listener has answered, so that a recorded one gets no second answer.
 *
 * Keyed 8-byte hashes (SipHash) of r and e, in a ring: always the newest two generations of 4,096.
 * An attacker cannot aim at it: only a flight whose tag held is noted, and the key is secret. It is
 * kept over restarts by whoever owns it. SPEC 8.5.
 */
#ifndef PARLEY_REPLAY_H
#define PARLEY_REPLAY_H

#include <parley/bytes.h>
#include <parley/error.h>
#include <parley/random.h>

#ifndef PARLEY_REPLAY_GENERATION /* a fuzz target's is small, so that an input can go around it */
#define PARLEY_REPLAY_GENERATION 4096u
#endif
#define PARLEY_REPLAY_MARKS_COUNT (2u * PARLEY_REPLAY_GENERATION)
#define PARLEY_REPLAY_BYTES       (16u + 8u + 8u * PARLEY_REPLAY_MARKS_COUNT)

struct parley_replay {
    uint8_t key[16];
    uint64_t noted; /* first flights ever noted: when it grew, there is something to keep */
    uint64_t marks[PARLEY_REPLAY_MARKS_COUNT]; /* the n-th at n modulo the count; 0 when empty */
};

void parley_replay_init(struct parley_replay *replay, struct parley_random *random);
/* Notes the flight and answers true, or answers false when it stands here already. About 4 us. */
PARLEY_USE_RESULT bool parley_replay_note(struct parley_replay *replay, struct parley_span flight);

/* The whole filter as bytes, to be kept where the node key is kept (it holds the secret key). */
void parley_replay_encode(const struct parley_replay *replay, uint8_t out[PARLEY_REPLAY_BYTES]);
/* Errors: TRUNCATED, TRAILING; replay is then unchanged. */
PARLEY_USE_RESULT enum parley_error parley_replay_decode(struct parley_replay *replay,
                                                         struct parley_span bytes);

#endif
