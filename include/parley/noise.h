/* Noise_XK_25519_ChaChaPoly_BLAKE2b, below masks and prelude: exactly the published protocol, so
 * that the published vectors run through it. noiseprotocol.org, revision 34; SPEC 8.3.
 *
 * Three flights; each write_* has its read_* on the other side. Readers compute on a copy and
 * commit at the end: after an error nothing has changed, and the caller wipes and gives up.
 */
#ifndef PARLEY_NOISE_H
#define PARLEY_NOISE_H

#include <parley/bytes.h>
#include <parley/error.h>

#define PARLEY_NOISE_TAG_SIZE 16u
/* Sizes of the flights without their payloads. */
#define PARLEY_NOISE_FLIGHT_1_SIZE (32u + PARLEY_NOISE_TAG_SIZE)      /* e, tag of the payload */
#define PARLEY_NOISE_FLIGHT_2_SIZE (32u + PARLEY_NOISE_TAG_SIZE)      /* e, tag of the payload */
#define PARLEY_NOISE_FLIGHT_3_SIZE (32u + 2u * PARLEY_NOISE_TAG_SIZE) /* sealed s, two tags */

/* One direction, or the handshake's own key. Secret. */
struct parley_noise_cipher {
    uint8_t key[32];
    uint64_t nonce; /* Noise messages so far */
};

/* A handshake in progress. Secret. */
struct parley_noise {
    bool is_initiator;
    uint8_t hash[64]; /* h; the handshake hash at the end */
    uint8_t chain[64];
    struct parley_noise_cipher cipher;
    uint8_t static_secret[32];
    uint8_t static_public[32];
    uint8_t ephemeral_secret[32];
    uint8_t ephemeral_public[32];
    uint8_t remote_static[32]; /* the responder's: known from the start to the initiator */
    uint8_t remote_ephemeral[32];
};

/* All keys are X25519. remote_static is NULL for the responder. */
void parley_noise_init(struct parley_noise *noise, const uint8_t static_secret[32],
                       const uint8_t *remote_static);
/* Binds the prologue and the responder's static key; once, before the first flight. */
void parley_noise_begin(struct parley_noise *noise, struct parley_span prologue);
void parley_noise_clear(struct parley_noise *noise);

/* Writers: out holds the flight's size and the payload's; ephemeral is a fresh X25519 secret.
 * Readers: payload_out holds in.size less the flight's size, which in must reach.
 * Errors of both: BAD_HANDSHAKE (a tag that does not hold, an all-zero shared secret). About
 * 60 us for each X25519: one or two in each call. */
PARLEY_USE_RESULT enum parley_error parley_noise_write_first(struct parley_noise *noise,
                                                             uint8_t *out,
                                                             const uint8_t ephemeral[32],
                                                             struct parley_span payload);
PARLEY_USE_RESULT enum parley_error
parley_noise_read_first(struct parley_noise *noise, uint8_t *payload_out, struct parley_span in);
PARLEY_USE_RESULT enum parley_error parley_noise_write_second(struct parley_noise *noise,
                                                              uint8_t *out,
                                                              const uint8_t ephemeral[32],
                                                              struct parley_span payload);
PARLEY_USE_RESULT enum parley_error
parley_noise_read_second(struct parley_noise *noise, uint8_t *payload_out, struct parley_span in);
PARLEY_USE_RESULT enum parley_error
parley_noise_write_third(struct parley_noise *noise, uint8_t *out, struct parley_span payload);
PARLEY_USE_RESULT enum parley_error
parley_noise_read_third(struct parley_noise *noise, uint8_t *payload_out, struct parley_span in);
/* After the third flight: the keys of the two directions. */
void parley_noise_split(const struct parley_noise *noise, struct parley_noise_cipher *sending,
                        struct parley_noise_cipher *receiving);

/* One Noise transport message without associated data; after every PARLEY_REKEY_EVERY-th one the
 * key is replaced as Noise's REKEY says and the nonce goes on. out holds plain.size + 16 bytes. */
void parley_noise_seal(struct parley_noise_cipher *cipher, uint8_t *out, struct parley_span plain);
/* out holds sealed.size - 16 bytes. False, and nothing changed, when the tag does not hold. */
PARLEY_USE_RESULT bool parley_noise_open(struct parley_noise_cipher *cipher, uint8_t *out,
                                         struct parley_span sealed);

#endif
