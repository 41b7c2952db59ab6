/* The encrypted link between two nodes: bytes in, flights and whole messages out. SPEC 8.
 *
 * Noise XK: the dialler must know the listener's node key, and who does not know it gets no byte.
 * Ephemeral keys go out masked and the first flight begins with a prelude, so that nothing on the
 * wire has a shape of its own; lengths are encrypted, keys replaced regularly. A link owns no
 * memory but itself, knows no clock (deadlines are the caller's) and draws nothing by itself.
 *
 * Use: init, for the dialler start; then receive again and again with all bytes that are here,
 * until it consumes nothing; seal once the state is OPEN; close at the end, whatever happened.
 */
#ifndef PARLEY_LINK_H
#define PARLEY_LINK_H

#include <parley/bytes.h>
#include <parley/error.h>
#include <parley/limits.h>
#include <parley/noise.h>
#include <parley/random.h>
#include <parley/replay.h>

#define PARLEY_PRELUDE_BYTES_DEFAULT 16u
#define PARLEY_LINK_MASK_NONCE_SIZE  24u
/* The largest flight: the first one with the longest prelude. */
#define PARLEY_LINK_FLIGHT_MAX                                                                     \
    (PARLEY_PRELUDE_BYTES_MAX + PARLEY_LINK_MASK_NONCE_SIZE + PARLEY_NOISE_FLIGHT_1_SIZE)
/* Bytes of a sealed message of size n: a frame for the length, then as many as it takes. */
#define PARLEY_LINK_LENGTH_FRAME 19u
#define PARLEY_LINK_SEALED_SIZE(n)                                                                 \
    (PARLEY_LINK_LENGTH_FRAME + (n) +                                                              \
     PARLEY_NOISE_TAG_SIZE * (((n) + PARLEY_FRAME_BYTES_MAX - 1) / PARLEY_FRAME_BYTES_MAX))
#define PARLEY_LINK_SEALED_MAX PARLEY_LINK_SEALED_SIZE(PARLEY_MESSAGE_BYTES_MAX)

enum parley_link_state {
    PARLEY_LINK_HANDSHAKING,
    PARLEY_LINK_OPEN,
    PARLEY_LINK_MUTED,  /* a listener whose handshake failed: swallows all, says nothing; keep the
                           connection until the deadline that every handshake has, then close */
    PARLEY_LINK_FAILED, /* the other side's bytes do not open: close the connection */
    PARLEY_LINK_CLOSED, /* closed by us: wiped */
};

/* The chance of one link, fresh for each. Secret. */
struct parley_link_chance {
    uint8_t ephemeral[32]; /* X25519 secret */
    uint8_t mask_nonce[PARLEY_LINK_MASK_NONCE_SIZE];
};
void parley_link_chance_draw(struct parley_link_chance *chance, struct parley_random *random);
/* Lower-case letters, the default content of a prelude. */
void parley_link_prelude_draw(uint8_t *prelude, size_t size, struct parley_random *random);

/* Secret; lives in the caller's table of peers. */
struct parley_link {
    enum parley_link_state state;
    bool is_dialler;
    uint8_t flight; /* 1..3: the flight that comes next, while handshaking */
    uint8_t prelude_size;
    uint8_t prelude[PARLEY_PRELUDE_BYTES_MAX];
    struct parley_node_key listener_key; /* masks are made from it */
    struct parley_link_chance chance;
    struct parley_noise noise;
    uint8_t peer_static[32]; /* X25519; all zero until it is known */
    struct parley_hash hash; /* OPEN: the first half of the handshake hash, of this link alone */
    struct parley_noise_cipher sending;
    struct parley_noise_cipher receiving;
};

/* prelude: 0..PARLEY_PRELUDE_BYTES_MAX bytes, of the length that the listener expects.
 * Errors: BAD_INPUT when the listener's key is no point of the curve. Wipe chance afterwards. */
PARLEY_USE_RESULT enum parley_error
parley_link_init_dialler(struct parley_link *link, const struct parley_secret_key *own,
                         const struct parley_node_key *listener,
                         const struct parley_link_chance *chance, struct parley_span prelude);
/* own must be a valid key pair. */
void parley_link_init_listener(struct parley_link *link, const struct parley_secret_key *own,
                               const struct parley_link_chance *chance, size_t prelude_size);

/* The dialler's first flight, once, right after init. Errors: BAD_HANDSHAKE (the listener's key
 * gives an all-zero secret); the link has then FAILED. */
PARLEY_USE_RESULT enum parley_error
parley_link_start(struct parley_link *link, uint8_t flight[PARLEY_LINK_FLIGHT_MAX], size_t *size);

/* What one call of receive did. */
struct parley_link_step {
    size_t consumed;            /* bytes taken off the front of in */
    size_t needed;              /* when nothing was consumed: give at least so many bytes at once */
    struct parley_span message; /* in scratch; size 0 when none was opened */
    uint8_t flight[PARLEY_LINK_FLIGHT_MAX]; /* to be sent now */
    size_t flight_size;                     /* 0 when there is none */
};

/* Does at most one thing: a flight, or one message. Nothing is consumed and nothing of the state
 * changes while a flight or message is not whole. replay is the listener's, and NULL for a
 * dialler; scratch holds PARLEY_MESSAGE_BYTES_MAX bytes. A needed never exceeds
 * PARLEY_LINK_SEALED_MAX. Not to be called once FAILED or CLOSED.
 * Errors (the state says what to do; final in each case): BAD_HANDSHAKE, REPLAYED, BAD_SEAL,
 * TOO_LARGE. A muted link answers its error once, then OK for whatever it swallows. */
PARLEY_USE_RESULT enum parley_error parley_link_receive(struct parley_link *link,
                                                        struct parley_replay *replay,
                                                        struct parley_span in, uint8_t *scratch,
                                                        struct parley_link_step *step);

/* Seals one message of 1..PARLEY_MESSAGE_BYTES_MAX bytes on an OPEN link. out must not overlap it.
 * Errors: NO_SPACE (less than PARLEY_LINK_SEALED_SIZE(message.size)); nothing changed then. */
PARLEY_USE_RESULT enum parley_error parley_link_seal(struct parley_link *link, uint8_t *out,
                                                     size_t size_max, size_t *size,
                                                     struct parley_span message);

/* True when the peer has proved this node key: it converts to the peer's static key. False while
 * that is not known. About 50 us. */
bool parley_link_peer_is(const struct parley_link *link, const struct parley_node_key *key);

/* Wipes; the state is CLOSED. A goodbye is a message (SPEC 9.3): seal and send it before. */
void parley_link_close(struct parley_link *link);

#endif
