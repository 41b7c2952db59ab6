/* The link: no bytes of somebody without the keys open anything or draw an answer, and of what two
 * who have them say, exactly what was not touched arrives. SPEC 8.
 *
 * The first byte of an input chooses: 0 feeds the rest to links in each state; else the rest is a
 * list of deeds on a conversation of two, three bytes each. The curve is crypto_stub.c's toy; seals
 * and hashes are those of cheap_crypto.c. The link meets the real ones in their own tests, with
 * vectors.
 */
#include "fuzz.h"

#include "../proto/link_pair.h"

#define STREAM_MAX   (6u * PARLEY_LINK_SEALED_MAX)
#define MESSAGES_MAX 8192u

static uint8_t scratch[PARLEY_MESSAGE_BYTES_MAX];

/* ---- bytes of a stranger */

/* Feeds all bytes, in two parts; nothing may come out. */
static void feed(struct parley_link *link, struct parley_replay *replay, struct parley_span bytes) {
    size_t start = 0;
    for (size_t end = bytes.size / 2;; end = bytes.size) {
        struct parley_link_step step;
        do {
            if (link->state == PARLEY_LINK_FAILED)
                return;
            enum parley_error error = parley_link_receive(
                link, replay, PARLEY_SPAN(bytes.data + start, end - start), scratch, &step);
            FUZZ_HOLDS(step.consumed <= end - start);
            FUZZ_HOLDS(step.flight_size == 0 && step.message.size == 0);
            FUZZ_HOLDS(error == PARLEY_E_OK || link->state == PARLEY_LINK_MUTED ||
                       link->state == PARLEY_LINK_FAILED);
            start += step.consumed;
        } while (step.consumed > 0);
        FUZZ_HOLDS(step.needed <= PARLEY_LINK_SEALED_MAX);
        if (end == bytes.size)
            return;
    }
}

/* ---- two who talk */

/* One direction: what was said, and what the other end was given of it. */
struct stream {
    uint8_t sent[STREAM_MAX], given[STREAM_MAX];
    size_t sent_size, cursor; /* of sent: what is given next */
    size_t given_size, taken; /* of given: consumed by a link that did not object */
    size_t good;              /* the given bytes up to here are those that were sent */
    size_t messages_sent, messages_taken;
    uint32_t sizes[MESSAGES_MAX];
};

struct talk {
    struct parley_link dialler, listener;
    struct parley_replay replay;
    struct stream to_listener, to_dialler;
};
static struct talk talk;

static struct ends {
    struct parley_link fresh_listener, waiting_dialler, open_listener;
    struct parley_node_key listener_key, dialler_key;
    uint8_t flight[PARLEY_LINK_FLIGHT_MAX];
    size_t flight_size;
} ends, strangers; /* those that strangers meet have other keys than those who talk: libFuzzer sees
                      what is compared, and would say again what it has seen sealed */

static void clear_stream(struct stream *stream) {
    stream->sent_size = stream->cursor = stream->given_size = stream->taken = 0;
    stream->good = stream->messages_sent = stream->messages_taken = 0;
}

static void put_sent(struct stream *stream, const uint8_t *bytes, size_t size) {
    FUZZ_HOLDS(size <= STREAM_MAX - stream->sent_size);
    memcpy(stream->sent + stream->sent_size, bytes, size);
    stream->sent_size += size;
}

static void clear_replay(void) {
    memset(talk.replay.marks, 0, 8 * sizeof talk.replay.marks[0]); /* no input notes more */
    talk.replay.noted = 0;
}

static void begin_talk(void) {
    clear_stream(&talk.to_listener);
    clear_stream(&talk.to_dialler);
    clear_replay();
    talk.dialler = ends.waiting_dialler;
    talk.listener = ends.fresh_listener;
    put_sent(&talk.to_listener, ends.flight, ends.flight_size);
}

/* What a message holds follows from its number, so that a wrong order shows. */
static uint8_t filling(size_t number) {
    return (uint8_t)(number * 7 + 1);
}

static void say(struct parley_link *from, struct stream *stream, size_t message_size) {
    static uint8_t plain[PARLEY_MESSAGE_BYTES_MAX];
    size_t size;
    if (from->state != PARLEY_LINK_OPEN || stream->messages_sent == MESSAGES_MAX ||
        STREAM_MAX - stream->sent_size < PARLEY_LINK_SEALED_SIZE(message_size))
        return;
    memset(plain, filling(stream->messages_sent), message_size);
    struct parley_span message = PARLEY_SPAN(plain, message_size);
    uint8_t *out = stream->sent + stream->sent_size;
    size_t needed = PARLEY_LINK_SEALED_SIZE(message_size);
    FUZZ_HOLDS(parley_link_seal(from, out, needed - 1, &size, message) == PARLEY_E_NO_SPACE);
    FUZZ_HOLDS(parley_link_seal(from, out, needed, &size, message) == PARLEY_E_OK);
    FUZZ_HOLDS(size == needed);
    stream->sent_size += size;
    stream->sizes[stream->messages_sent++] = (uint32_t)message_size;
}

static void take_message(struct stream *in, struct parley_span message) {
    FUZZ_HOLDS(in->messages_taken < in->messages_sent);
    FUZZ_HOLDS(message.size == in->sizes[in->messages_taken]);
    FUZZ_HOLDS(message.data[0] == filling(in->messages_taken));
    FUZZ_HOLDS(message.data[message.size - 1] == filling(in->messages_taken));
    in->messages_taken++;
}

static bool is_over(const struct parley_link *link) {
    return link->state == PARLEY_LINK_FAILED || link->state == PARLEY_LINK_CLOSED;
}

/* Gives the receiver all that came; what it takes must be what was sent. */
static void receive_all(struct parley_link *to, struct stream *in, struct stream *out) {
    bool is_whole = in->good == in->given_size;
    struct parley_link_step step;
    do {
        if (is_over(to))
            return;
        struct parley_span rest = PARLEY_SPAN(in->given + in->taken, in->given_size - in->taken);
        enum parley_error error = parley_link_receive(to, &talk.replay, rest, scratch, &step);
        if (error != PARLEY_E_OK || to->state == PARLEY_LINK_MUTED) {
            FUZZ_HOLDS(!is_whole);
            FUZZ_HOLDS(step.flight_size == 0 && step.message.size == 0);
            in->taken = in->given_size;
            return;
        }
        in->taken += step.consumed;
        FUZZ_HOLDS(in->taken <= in->good);
        FUZZ_HOLDS(step.consumed > 0 || step.needed > rest.size);
        if (step.message.size > 0)
            take_message(in, step.message);
        put_sent(out, step.flight, step.flight_size);
    } while (step.consumed > 0);
}

/* How many of the bytes from a place on are those that were sent. */
static size_t equal_size(const struct stream *in, size_t at, size_t size) {
    size_t count = 0;
    if (at + size > in->sent_size)
        size = at < in->sent_size ? in->sent_size - at : 0;
    if (memcmp(in->given + at, in->sent + at, size) == 0)
        return size;
    while (in->given[at + count] == in->sent[at + count])
        count++;
    return count;
}

static void give(struct stream *in, const uint8_t *bytes, size_t size, uint8_t flip) {
    bool is_good = in->good == in->given_size;
    size_t at = in->given_size;
    if (size > STREAM_MAX - at)
        size = STREAM_MAX - at;
    if (size == 0)
        return;
    memmove(in->given + at, bytes, size);
    in->given[at + size - 1] ^= flip;
    in->given_size += size;
    if (is_good)
        in->good += equal_size(in, at, size);
}

static void give_next(struct stream *in, size_t size, uint8_t flip) {
    size_t left = in->sent_size - in->cursor;
    size = size < left ? size : left;
    give(in, in->sent + in->cursor, size, flip);
    in->cursor += size;
}

/* A flight that was answered once draws nothing from another listener of the same node. */
static void replay_flight(void) {
    struct parley_link other = ends.fresh_listener;
    struct parley_link_step step;
    if (talk.replay.noted == 0)
        return;
    FUZZ_HOLDS(parley_link_receive(&other, &talk.replay,
                                   PARLEY_SPAN(talk.to_listener.sent, ends.flight_size), scratch,
                                   &step) == PARLEY_E_REPLAYED);
    FUZZ_HOLDS(other.state == PARLEY_LINK_MUTED && step.flight_size == 0);
}

static const size_t message_sizes[] = {1,
                                       2,
                                       200,
                                       2 * PARLEY_FRAME_BYTES_MAX,
                                       PARLEY_FRAME_BYTES_MAX - 1,
                                       PARLEY_FRAME_BYTES_MAX,
                                       PARLEY_FRAME_BYTES_MAX + 1,
                                       2 * PARLEY_FRAME_BYTES_MAX + 1};

/* The largest is two hundred frames, so it is rare. */
static size_t message_size_of(const uint8_t deed[3]) {
    bool is_largest = deed[1] == UINT8_MAX && deed[2] == UINT8_MAX;
    return is_largest ? PARLEY_MESSAGE_BYTES_MAX : message_sizes[deed[1] & 7];
}

static void do_deed(const uint8_t deed[3]) {
    bool is_back = deed[0] & 1;
    struct parley_link *to = is_back ? &talk.dialler : &talk.listener;
    struct parley_link *from = is_back ? &talk.listener : &talk.dialler;
    struct stream *in = is_back ? &talk.to_dialler : &talk.to_listener;
    struct stream *out = is_back ? &talk.to_listener : &talk.to_dialler;
    size_t size = (size_t)deed[1] << (deed[2] & 7);
    switch (deed[0] >> 1 & 15) {
    case 0:
        give_next(in, SIZE_MAX, 0);
        break;
    case 1:
        give_next(in, size, 0);
        break;
    case 2:
        give_next(in, size, (uint8_t)(1u << (deed[2] >> 3 & 7)));
        break;
    case 3:
        in->cursor += size < in->sent_size - in->cursor ? size : in->sent_size - in->cursor;
        break;
    case 4:
        in->cursor -= size < in->cursor ? size : in->cursor;
        break;
    case 5: /* reflected */
        give(in, out->sent, size < out->sent_size ? size : out->sent_size, 0);
        break;
    case 6:
        say(from, in, message_size_of(deed));
        break;
    case 7:
        for (size_t i = 0; i < 8; i++)
            say(from, in, 1 + deed[1] % 4);
        break;
    case 8:
        replay_flight();
        break;
    case 9:
        give(in, deed, 3, 0);
        break;
    case 10:
        parley_link_close(to);
        break;
    case 11:
        if (to->state == PARLEY_LINK_OPEN)
            FUZZ_HOLDS(!parley_link_peer_is(to, &(struct parley_node_key){{deed[1]}}));
        break;
    default:
        break;
    }
    receive_all(to, in, out);
}

static void run_talk(struct parley_span deeds) {
    begin_talk();
    for (size_t at = 0; at + 3 <= deeds.size && at < 3 * 64; at += 3)
        do_deed(deeds.data + at);
    if (talk.dialler.state == PARLEY_LINK_OPEN)
        FUZZ_HOLDS(parley_link_peer_is(&talk.dialler, &ends.listener_key));
    if (talk.listener.state == PARLEY_LINK_OPEN)
        FUZZ_HOLDS(parley_link_peer_is(&talk.listener, &ends.dialler_key));
}

/* ---- both */

/* Made once: each input begins with copies of these. */
static void make_ends(uint8_t chance) {
    struct parley_random random;
    FUZZ_HOLDS(sodium_init() >= 0);
    parley_random_init(&random, &(struct parley_seed){{7}});
    parley_replay_init(&talk.replay, &random);
    ends.dialler_key = node_keys_of(2).key;
    ends.listener_key = node_keys_of(1).key;
    ends.fresh_listener = listener_of(1, chance, strlen(PRELUDE));
    ends.waiting_dialler = dialler_of(2, 1, chance + 1, PARLEY_SPAN(PRELUDE, strlen(PRELUDE)));
    FUZZ_HOLDS(parley_link_start(&ends.waiting_dialler, ends.flight, &ends.flight_size) ==
               PARLEY_E_OK);
    begin_talk();
    static const uint8_t both[3] = {0}, back[3] = {1};
    do_deed(both);
    do_deed(back);
    do_deed(both);
    FUZZ_HOLDS(talk.listener.state == PARLEY_LINK_OPEN);
    ends.open_listener = talk.listener;
}

static void make_all(void) {
    make_ends(21);
    strangers = ends;
    make_ends(11);
}

static void feed_strangers(struct parley_span bytes) {
    struct parley_link link = strangers.fresh_listener;
    clear_replay();
    feed(&link, &talk.replay, bytes);
    FUZZ_HOLDS(link.state == PARLEY_LINK_HANDSHAKING || link.state == PARLEY_LINK_MUTED);
    link = strangers.waiting_dialler;
    feed(&link, NULL, bytes);
    FUZZ_HOLDS(link.state == PARLEY_LINK_HANDSHAKING || link.state == PARLEY_LINK_FAILED);
    link = strangers.open_listener;
    feed(&link, &talk.replay, bytes);
    FUZZ_HOLDS(link.state == PARLEY_LINK_OPEN || link.state == PARLEY_LINK_FAILED);
}

void fuzz_target(struct parley_span bytes) {
    if (ends.flight_size == 0)
        make_all();
    if (bytes.size == 0)
        return;
    struct parley_span rest = PARLEY_SPAN(bytes.data + 1, bytes.size - 1);
    if (bytes.data[0] == 0)
        feed_strangers(rest);
    else
        run_talk(rest);
}
