#include <parley/link.h>

#include <assert.h>
#include <parley/crypto.h>

#define TAG_SIZE          PARLEY_NOISE_TAG_SIZE
#define EPHEMERAL_SIZE    32u
#define MASK_NONCE_SIZE   PARLEY_LINK_MASK_NONCE_SIZE
#define MASKED_SIZE       (MASK_NONCE_SIZE + EPHEMERAL_SIZE) /* r and the masked key */
#define FLIGHT_2_SIZE     (MASKED_SIZE + TAG_SIZE)
#define LENGTH_SIZE       3u
#define PROLOGUE          "parley link 1" /* its final zero byte belongs to it */
#define PROLOGUE_SIZE_MAX (sizeof PROLOGUE + PARLEY_PRELUDE_BYTES_MAX)

enum direction { DIALLERS = 1, LISTENERS = 2 };

static_assert(MASK_NONCE_SIZE == crypto_stream_xchacha20_NONCEBYTES, "r is the nonce");
static_assert(LENGTH_SIZE + TAG_SIZE == PARLEY_LINK_LENGTH_FRAME, "SPEC 8.4");
static_assert(PARLEY_MESSAGE_BYTES_MAX < 1u << 24, "a length fits three bytes");
static_assert(sizeof(struct parley_link) <= 768, "a link a peer, and thousands of peers");

void parley_link_chance_draw(struct parley_link_chance *chance, struct parley_random *random) {
    parley_random_bytes(random, chance->ephemeral, sizeof chance->ephemeral);
    parley_random_bytes(random, chance->mask_nonce, sizeof chance->mask_nonce);
}

void parley_link_prelude_draw(uint8_t *prelude, size_t size, struct parley_random *random) {
    for (size_t i = 0; i < size; i++)
        prelude[i] = (uint8_t)('a' + parley_random_below(random, 26));
}

/* ---- Beginning and end ------------------------------------------------------------------------
 */

/* Whatever was secret goes at once; the state stays to tell what happened. */
static void end_link(struct parley_link *link, enum parley_link_state state) {
    sodium_memzero(link, sizeof *link);
    link->state = state;
}

void parley_link_close(struct parley_link *link) {
    end_link(link, PARLEY_LINK_CLOSED);
}

static void init_common(struct parley_link *link, const struct parley_secret_key *own,
                        const struct parley_link_chance *chance, size_t prelude_size,
                        const uint8_t *peer_static) {
    assert(prelude_size <= PARLEY_PRELUDE_BYTES_MAX);
    uint8_t static_secret[32];
    int converted = crypto_sign_ed25519_sk_to_curve25519(static_secret, own->bytes);
    assert(converted == 0);
    memset(link, 0, sizeof *link);
    link->state = PARLEY_LINK_HANDSHAKING;
    link->flight = 1;
    link->prelude_size = (uint8_t)prelude_size;
    link->chance = *chance;
    parley_noise_init(&link->noise, static_secret, peer_static);
    sodium_memzero(static_secret, sizeof static_secret);
}

enum parley_error parley_link_init_dialler(struct parley_link *link,
                                           const struct parley_secret_key *own,
                                           const struct parley_node_key *listener,
                                           const struct parley_link_chance *chance,
                                           struct parley_span prelude) {
    uint8_t peer_static[32];
    if (crypto_sign_ed25519_pk_to_curve25519(peer_static, listener->bytes) != 0) {
        end_link(link, PARLEY_LINK_FAILED);
        return PARLEY_E_BAD_INPUT;
    }
    init_common(link, own, chance, prelude.size, peer_static);
    link->is_dialler = true;
    link->listener_key = *listener;
    memcpy(link->peer_static, peer_static, sizeof link->peer_static);
    if (prelude.size > 0)
        memcpy(link->prelude, prelude.data, prelude.size);
    return PARLEY_E_OK;
}

void parley_link_init_listener(struct parley_link *link, const struct parley_secret_key *own,
                               const struct parley_link_chance *chance, size_t prelude_size) {
    init_common(link, own, chance, prelude_size, NULL);
    /* libsodium keeps the public key behind the seed. */
    memcpy(link->listener_key.bytes, own->bytes + 32, sizeof link->listener_key.bytes);
}

bool parley_link_peer_is(const struct parley_link *link, const struct parley_node_key *key) {
    uint8_t converted[32];
    return !parley_is_zero(link->peer_static, sizeof link->peer_static) &&
           crypto_sign_ed25519_pk_to_curve25519(converted, key->bytes) == 0 &&
           sodium_memcmp(converted, link->peer_static, sizeof converted) == 0;
}

/* ---- Masks: SPEC 8.2 ---------------------------------------------------------------------------
 */

/* Masks and unmasks: the same keystream either way. */
static void mask_ephemeral(const struct parley_link *link, enum direction direction, uint8_t *out,
                           const uint8_t *in, const uint8_t *mask_nonce) {
    uint8_t key[32];
    const uint8_t byte = (uint8_t)direction;
    parley_hash_two(key, PARLEY_DOMAIN_MASK, PARLEY_SPAN(&byte, 1),
                    PARLEY_SPAN_OF(link->listener_key));
    crypto_stream_xchacha20_xor(out, in, EPHEMERAL_SIZE, mask_nonce, key);
    sodium_memzero(key, sizeof key);
}

/* r ‖ masked e ‖ tag, from e ‖ tag. */
static void put_masked(const struct parley_link *link, enum direction direction, uint8_t *out,
                       const uint8_t flight[EPHEMERAL_SIZE + TAG_SIZE]) {
    memcpy(out, link->chance.mask_nonce, MASK_NONCE_SIZE);
    mask_ephemeral(link, direction, out + MASK_NONCE_SIZE, flight, out);
    memcpy(out + MASKED_SIZE, flight + EPHEMERAL_SIZE, TAG_SIZE);
}

/* The other way. */
static void get_masked(const struct parley_link *link, enum direction direction,
                       uint8_t flight[EPHEMERAL_SIZE + TAG_SIZE], const uint8_t *in) {
    mask_ephemeral(link, direction, flight, in + MASK_NONCE_SIZE, in);
    memcpy(flight + EPHEMERAL_SIZE, in + MASKED_SIZE, TAG_SIZE);
}

/* ---- Flights: SPEC 8.3 -------------------------------------------------------------------------
 */

static void begin_noise(struct parley_link *link) {
    uint8_t prologue[PROLOGUE_SIZE_MAX];
    memcpy(prologue, PROLOGUE, sizeof PROLOGUE);
    memcpy(prologue + sizeof PROLOGUE, link->prelude, link->prelude_size);
    parley_noise_begin(&link->noise, PARLEY_SPAN(prologue, sizeof PROLOGUE + link->prelude_size));
}

/* The keys of both directions replace everything that the handshake needed. */
static void open_link(struct parley_link *link) {
    memcpy(link->peer_static, link->noise.remote_static, sizeof link->peer_static);
    parley_noise_split(&link->noise, &link->sending, &link->receiving);
    memcpy(link->hash.bytes, link->noise.hash, sizeof link->hash.bytes);
    parley_noise_clear(&link->noise);
    sodium_memzero(&link->chance, sizeof link->chance);
    link->state = PARLEY_LINK_OPEN;
}

enum parley_error parley_link_start(struct parley_link *link,
                                    uint8_t flight[PARLEY_LINK_FLIGHT_MAX], size_t *size) {
    assert(link->is_dialler && link->state == PARLEY_LINK_HANDSHAKING && link->flight == 1);
    uint8_t bare[PARLEY_NOISE_FLIGHT_1_SIZE];
    *size = 0;
    begin_noise(link);
    enum parley_error error =
        parley_noise_write_first(&link->noise, bare, link->chance.ephemeral, PARLEY_NO_SPAN);
    if (error != PARLEY_E_OK) {
        end_link(link, PARLEY_LINK_FAILED);
        return error;
    }
    memcpy(flight, link->prelude, link->prelude_size);
    put_masked(link, DIALLERS, flight + link->prelude_size, bare);
    *size = link->prelude_size + FLIGHT_2_SIZE;
    link->flight = 2;
    return PARLEY_E_OK;
}

/* The listener: the first flight in, the second one out. */
static enum parley_error on_first_flight(struct parley_link *link, struct parley_replay *replay,
                                         const uint8_t *in, struct parley_link_step *step) {
    uint8_t bare[PARLEY_NOISE_FLIGHT_1_SIZE];
    const uint8_t *masked = in + link->prelude_size;
    memcpy(link->prelude, in, link->prelude_size);
    begin_noise(link);
    get_masked(link, DIALLERS, bare, masked);
    enum parley_error error =
        parley_noise_read_first(&link->noise, NULL, PARLEY_SPAN(bare, sizeof bare));
    if (error != PARLEY_E_OK)
        return error;
    /* Only after the tag held: a stranger cannot push anything out of the filter. */
    if (!parley_replay_note(replay, PARLEY_SPAN(masked, MASKED_SIZE)))
        return PARLEY_E_REPLAYED;
    error = parley_noise_write_second(&link->noise, bare, link->chance.ephemeral, PARLEY_NO_SPAN);
    if (error != PARLEY_E_OK)
        return error;
    put_masked(link, LISTENERS, step->flight, bare);
    step->flight_size = FLIGHT_2_SIZE;
    link->flight = 3;
    return PARLEY_E_OK;
}

/* The dialler: the second flight in, the third one out, and it is open. */
static enum parley_error on_second_flight(struct parley_link *link, const uint8_t *in,
                                          struct parley_link_step *step) {
    uint8_t bare[PARLEY_NOISE_FLIGHT_2_SIZE];
    get_masked(link, LISTENERS, bare, in);
    enum parley_error error =
        parley_noise_read_second(&link->noise, NULL, PARLEY_SPAN(bare, sizeof bare));
    if (error == PARLEY_E_OK)
        error = parley_noise_write_third(&link->noise, step->flight, PARLEY_NO_SPAN);
    if (error != PARLEY_E_OK)
        return error;
    step->flight_size = PARLEY_NOISE_FLIGHT_3_SIZE;
    open_link(link);
    return PARLEY_E_OK;
}

/* The listener: the third flight in, and it is open. */
static enum parley_error on_third_flight(struct parley_link *link, const uint8_t *in) {
    enum parley_error error =
        parley_noise_read_third(&link->noise, NULL, PARLEY_SPAN(in, PARLEY_NOISE_FLIGHT_3_SIZE));
    if (error == PARLEY_E_OK)
        open_link(link);
    return error;
}

static size_t flight_size(const struct parley_link *link) {
    switch (link->flight) {
    case 1:
        return link->prelude_size + FLIGHT_2_SIZE;
    case 2:
        return FLIGHT_2_SIZE;
    default:
        return PARLEY_NOISE_FLIGHT_3_SIZE;
    }
}

static enum parley_error take_flight(struct parley_link *link, struct parley_replay *replay,
                                     const uint8_t *in, struct parley_link_step *step) {
    switch (link->flight) {
    case 1:
        return on_first_flight(link, replay, in, step);
    case 2:
        return on_second_flight(link, in, step);
    default:
        return on_third_flight(link, in);
    }
}

static enum parley_error receive_flight(struct parley_link *link, struct parley_replay *replay,
                                        struct parley_span in, struct parley_link_step *step) {
    assert(link->is_dialler == (link->flight == 2));
    assert(link->is_dialler || replay != NULL);
    size_t size = flight_size(link);
    if (in.size < size) {
        step->needed = size;
        return PARLEY_E_OK;
    }
    enum parley_error error = take_flight(link, replay, in.data, step);
    step->consumed = size;
    if (error != PARLEY_E_OK) {
        /* What a prober may see of a listener is nothing, so the rest goes the same way. */
        step->consumed = in.size;
        step->flight_size = 0;
        sodium_memzero(step->flight, sizeof step->flight);
        end_link(link, link->is_dialler ? PARLEY_LINK_FAILED : PARLEY_LINK_MUTED);
    }
    return error;
}

/* ---- Messages: SPEC 8.4 ------------------------------------------------------------------------
 */

static void put_length(uint8_t out[LENGTH_SIZE], size_t size) {
    out[0] = (uint8_t)(size >> 16);
    out[1] = (uint8_t)(size >> 8);
    out[2] = (uint8_t)size;
}

static size_t get_length(const uint8_t in[LENGTH_SIZE]) {
    return (size_t)in[0] << 16 | (size_t)in[1] << 8 | in[2];
}

static size_t frame_size(size_t left) {
    return left < PARLEY_FRAME_BYTES_MAX ? left : PARLEY_FRAME_BYTES_MAX;
}

static bool open_frames(struct parley_noise_cipher *cipher, uint8_t *out, size_t size,
                        const uint8_t *in) {
    for (size_t done = 0; done < size;) {
        size_t part = frame_size(size - done);
        if (!parley_noise_open(cipher, out + done, PARLEY_SPAN(in, part + TAG_SIZE)))
            return false;
        done += part;
        in += part + TAG_SIZE;
    }
    return true;
}

/* All on a copy of the cipher, which becomes the link's once the whole message is open. A length
 * is opened again when the rest has come: 19 bytes are cheaper than a state that could be wrong. */
static enum parley_error open_message(struct parley_noise_cipher *cipher, struct parley_span in,
                                      uint8_t *scratch, struct parley_link_step *step) {
    uint8_t length[LENGTH_SIZE];
    step->needed = PARLEY_LINK_LENGTH_FRAME;
    if (in.size < step->needed)
        return PARLEY_E_OK;
    if (!parley_noise_open(cipher, length, PARLEY_SPAN(in.data, PARLEY_LINK_LENGTH_FRAME)))
        return PARLEY_E_BAD_SEAL;
    size_t size = get_length(length);
    if (size == 0)
        return PARLEY_E_BAD_SEAL;
    if (size > PARLEY_MESSAGE_BYTES_MAX)
        return PARLEY_E_TOO_LARGE;
    step->needed = PARLEY_LINK_SEALED_SIZE(size);
    if (in.size < step->needed)
        return PARLEY_E_OK;
    if (!open_frames(cipher, scratch, size, in.data + PARLEY_LINK_LENGTH_FRAME))
        return PARLEY_E_BAD_SEAL;
    step->consumed = step->needed;
    step->needed = 0;
    step->message = PARLEY_SPAN(scratch, size);
    return PARLEY_E_OK;
}

static enum parley_error receive_message(struct parley_link *link, struct parley_span in,
                                         uint8_t *scratch, struct parley_link_step *step) {
    struct parley_noise_cipher cipher = link->receiving;
    enum parley_error error = open_message(&cipher, in, scratch, step);
    if (error != PARLEY_E_OK) {
        step->consumed = in.size;
        step->needed = 0;
        end_link(link, PARLEY_LINK_FAILED);
    } else if (step->consumed > 0) {
        link->receiving = cipher;
    }
    sodium_memzero(&cipher, sizeof cipher);
    return error;
}

enum parley_error parley_link_receive(struct parley_link *link, struct parley_replay *replay,
                                      struct parley_span in, uint8_t *scratch,
                                      struct parley_link_step *step) {
    memset(step, 0, sizeof *step);
    switch (link->state) {
    case PARLEY_LINK_HANDSHAKING:
        return receive_flight(link, replay, in, step);
    case PARLEY_LINK_OPEN:
        return receive_message(link, in, scratch, step);
    case PARLEY_LINK_MUTED:
        step->consumed = in.size;
        return PARLEY_E_OK;
    case PARLEY_LINK_FAILED:
    case PARLEY_LINK_CLOSED:
        break;
    }
    assert(!"a link that is over receives nothing");
    return PARLEY_E_BAD_SEAL;
}

enum parley_error parley_link_seal(struct parley_link *link, uint8_t *out, size_t size_max,
                                   size_t *size, struct parley_span message) {
    assert(link->state == PARLEY_LINK_OPEN);
    assert(message.size > 0 && message.size <= PARLEY_MESSAGE_BYTES_MAX);
    uint8_t length[LENGTH_SIZE];
    *size = 0;
    if (size_max < PARLEY_LINK_SEALED_SIZE(message.size))
        return PARLEY_E_NO_SPACE;
    put_length(length, message.size);
    parley_noise_seal(&link->sending, out, PARLEY_SPAN(length, sizeof length));
    uint8_t *at = out + PARLEY_LINK_LENGTH_FRAME;
    for (size_t done = 0; done < message.size;) {
        size_t part = frame_size(message.size - done);
        parley_noise_seal(&link->sending, at, PARLEY_SPAN(message.data + done, part));
        done += part;
        at += part + TAG_SIZE;
    }
    *size = (size_t)(at - out);
    return PARLEY_E_OK;
}
