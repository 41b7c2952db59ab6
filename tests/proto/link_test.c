#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "link_pair.h"

#define DIALLER        1
#define LISTENER       2
#define STRANGER       3
#define MESSAGES_COUNT 3

static struct parley_replay replay;
static uint8_t scratch[PARLEY_MESSAGE_BYTES_MAX];
static uint8_t sealed_buffer[PARLEY_LINK_SEALED_MAX];
static uint8_t large_message[PARLEY_MESSAGE_BYTES_MAX];

static const char *const messages[MESSAGES_COUNT] = {"hello", "a post", "goodbye"};

/* All bytes of one direction of a whole conversation, and both ends when the handshake is done. */
struct stream {
    uint8_t bytes[1024];
    size_t size;
};
struct talk {
    struct stream dialler;
    struct stream listener;
    struct parley_link dialler_link;
    struct parley_link listener_link;
};

static void reset_replay(void) {
    const struct parley_seed seed = {{9}};
    struct parley_random random;
    parley_random_init(&random, &seed);
    parley_replay_init(&replay, &random);
}

static struct parley_link new_dialler(void) {
    return dialler_of(DIALLER, LISTENER, 0x11, PARLEY_SPAN(PRELUDE, strlen(PRELUDE)));
}

static struct parley_link new_listener(void) {
    reset_replay();
    return listener_of(LISTENER, 0x22, strlen(PRELUDE));
}

static void append(struct stream *stream, const uint8_t *bytes, size_t size) {
    assert_true(stream->size + size <= sizeof stream->bytes);
    memcpy(stream->bytes + stream->size, bytes, size);
    stream->size += size;
}

static void append_messages(struct stream *stream, struct parley_link link) {
    uint8_t out[128];
    size_t size;
    for (size_t i = 0; i < MESSAGES_COUNT; i++) {
        struct parley_span message = PARLEY_SPAN(messages[i], strlen(messages[i]));
        assert_int_equal(parley_link_seal(&link, out, sizeof out, &size, message), PARLEY_E_OK);
        assert_int_equal(size, PARLEY_LINK_SEALED_SIZE(message.size));
        append(stream, out, size);
    }
}

/* A flight into a link that must take all of it. */
static struct parley_link_step feed_flight(struct parley_link *link, const uint8_t *bytes,
                                           size_t size) {
    struct parley_link_step step;
    assert_int_equal(parley_link_receive(link, &replay, PARLEY_SPAN(bytes, size), scratch, &step),
                     PARLEY_E_OK);
    assert_int_equal(step.consumed, size);
    return step;
}

static void shake_hands(struct parley_link *dialler, struct parley_link *listener,
                        struct talk *talk) {
    uint8_t first[PARLEY_LINK_FLIGHT_MAX];
    size_t size;
    assert_int_equal(parley_link_start(dialler, first, &size), PARLEY_E_OK);
    append(&talk->dialler, first, size);
    struct parley_link_step second = feed_flight(listener, first, size);
    append(&talk->listener, second.flight, second.flight_size);
    assert_int_equal(listener->state, PARLEY_LINK_HANDSHAKING);
    struct parley_link_step third = feed_flight(dialler, second.flight, second.flight_size);
    append(&talk->dialler, third.flight, third.flight_size);
    assert_int_equal(dialler->state, PARLEY_LINK_OPEN);
    struct parley_link_step last = feed_flight(listener, third.flight, third.flight_size);
    assert_int_equal(last.flight_size, 0);
    assert_int_equal(listener->state, PARLEY_LINK_OPEN);
}

static struct talk new_talk(void) {
    struct talk talk = {.dialler_link = new_dialler(), .listener_link = new_listener()};
    shake_hands(&talk.dialler_link, &talk.listener_link, &talk);
    append_messages(&talk.dialler, talk.dialler_link);
    append_messages(&talk.listener, talk.listener_link);
    return talk;
}

/* ---- Whole handshakes --------------------------------------------------------------------------
 */

static void test_both_sides_know_each_other(void **state) {
    (void)state;
    struct talk talk = new_talk();
    struct node_keys dialler = node_keys_of(DIALLER);
    struct node_keys listener = node_keys_of(LISTENER);
    struct node_keys stranger = node_keys_of(STRANGER);
    assert_true(parley_link_peer_is(&talk.dialler_link, &listener.key));
    assert_true(parley_link_peer_is(&talk.listener_link, &dialler.key));
    assert_false(parley_link_peer_is(&talk.listener_link, &listener.key));
    assert_false(parley_link_peer_is(&talk.listener_link, &stranger.key));
    struct parley_link unknown = new_listener();
    assert_false(parley_link_peer_is(&unknown, &dialler.key));
    /* Nothing of the handshake stays. */
    assert_true(parley_is_zero((uint8_t *)&talk.listener_link.noise, sizeof(struct parley_noise)));
    assert_true(
        parley_is_zero((uint8_t *)&talk.dialler_link.chance, sizeof(struct parley_link_chance)));
}

static void test_preludes_of_every_size(void **state) {
    (void)state;
    static const uint8_t prelude[PARLEY_PRELUDE_BYTES_MAX] = {'G', 'E', 'T', ' '};
    for (size_t size = 0; size <= sizeof prelude; size++) {
        struct talk talk = {0};
        struct parley_link dialler =
            dialler_of(DIALLER, LISTENER, 0x11, PARLEY_SPAN(prelude, size));
        reset_replay();
        struct parley_link listener = listener_of(LISTENER, 0x22, size);
        shake_hands(&dialler, &listener, &talk);
        assert_int_equal(talk.listener.size, 72);
        assert_int_equal(talk.dialler.size, size + 72 + 64);
        assert_memory_equal(talk.dialler.bytes, prelude, size);
    }
}

static void test_drawn_chance_opens_a_link(void **state) {
    (void)state;
    const struct parley_seed seed = {{5}};
    struct parley_random random;
    struct parley_link_chance chance;
    uint8_t prelude[PARLEY_PRELUDE_BYTES_DEFAULT];
    struct node_keys own = node_keys_of(DIALLER);
    struct node_keys peer = node_keys_of(LISTENER);
    struct parley_link dialler;
    struct talk talk = {0};
    parley_random_init(&random, &seed);
    parley_link_chance_draw(&chance, &random);
    parley_link_prelude_draw(prelude, sizeof prelude, &random);
    for (size_t i = 0; i < sizeof prelude; i++)
        assert_in_range(prelude[i], 'a', 'z');
    assert_int_equal(parley_link_init_dialler(&dialler, &own.secret, &peer.key, &chance,
                                              PARLEY_SPAN(prelude, sizeof prelude)),
                     PARLEY_E_OK);
    struct parley_link listener = new_listener();
    shake_hands(&dialler, &listener, &talk);
}

static void test_a_key_that_is_no_point(void **state) {
    (void)state;
    struct node_keys own = node_keys_of(DIALLER);
    struct parley_link_chance chance = chance_of(1);
    struct parley_node_key listener = {{2}};
    struct parley_link link;
    assert_int_equal(
        parley_link_init_dialler(&link, &own.secret, &listener, &chance, PARLEY_NO_SPAN),
        PARLEY_E_BAD_INPUT);
    assert_int_equal(link.state, PARLEY_LINK_FAILED);
}

/* ---- Cuts --------------------------------------------------------------------------------------
 */

struct reading {
    struct stream out;   /* flights that went out */
    struct stream words; /* messages that came in, one after another */
};

/* Everything that can be taken from the front of in; what is not taken changes nothing. */
static size_t take_all(struct parley_link *link, struct parley_span in, struct reading *reading) {
    size_t taken = 0;
    for (;;) {
        struct parley_link before = *link;
        struct parley_link_step step;
        struct parley_span rest = PARLEY_SPAN(in.data + taken, in.size - taken);
        assert_int_equal(parley_link_receive(link, &replay, rest, scratch, &step), PARLEY_E_OK);
        if (step.consumed == 0) {
            assert_memory_equal(&before, link, sizeof before);
            assert_true(step.needed > rest.size && step.needed <= PARLEY_LINK_SEALED_MAX);
            assert_int_equal(step.flight_size, 0);
            return taken;
        }
        append(&reading->out, step.flight, step.flight_size);
        if (step.message.size > 0)
            append(&reading->words, step.message.data, step.message.size);
        taken += step.consumed;
    }
}

static void check_cut(struct parley_link link, const struct stream *in, size_t cut,
                      const struct stream *out, size_t out_size) {
    struct reading reading = {0};
    size_t taken = take_all(&link, PARLEY_SPAN(in->bytes, cut), &reading);
    taken += take_all(&link, PARLEY_SPAN(in->bytes + taken, in->size - taken), &reading);
    assert_int_equal(taken, in->size);
    assert_int_equal(reading.out.size, out_size);
    assert_memory_equal(reading.out.bytes, out->bytes, out_size);
    assert_int_equal(reading.words.size, 5 + 6 + 7);
    assert_memory_equal(reading.words.bytes, "helloa postgoodbye", 18);
}

static void test_cuts_at_every_byte(void **state) {
    (void)state;
    struct talk talk = new_talk();
    for (size_t cut = 0; cut <= talk.dialler.size; cut++)
        check_cut(new_listener(), &talk.dialler, cut, &talk.listener, 72);
    struct parley_link dialler = new_dialler();
    uint8_t first[PARLEY_LINK_FLIGHT_MAX];
    size_t size;
    assert_int_equal(parley_link_start(&dialler, first, &size), PARLEY_E_OK);
    struct stream third = {.size = 64};
    memcpy(third.bytes, talk.dialler.bytes + size, 64);
    for (size_t cut = 0; cut <= talk.listener.size; cut++)
        check_cut(dialler, &talk.listener, cut, &third, 64);
}

static void test_byte_by_byte(void **state) {
    (void)state;
    struct talk talk = new_talk();
    struct parley_link listener = new_listener();
    struct reading reading = {0};
    size_t taken = 0;
    for (size_t size = 1; size <= talk.dialler.size; size++)
        taken +=
            take_all(&listener, PARLEY_SPAN(talk.dialler.bytes + taken, size - taken), &reading);
    assert_int_equal(taken, talk.dialler.size);
    assert_memory_equal(reading.words.bytes, "helloa postgoodbye", 18);
}

/* ---- Damage, repeats, probes -------------------------------------------------------------------
 */

/* It refuses with this error, sends nothing, and from then on swallows all and sends nothing. */
static void check_mute(struct parley_link *listener, struct parley_span in,
                       enum parley_error expected) {
    struct parley_link_step step;
    struct node_keys dialler = node_keys_of(DIALLER);
    assert_int_equal(parley_link_receive(listener, &replay, in, scratch, &step), expected);
    assert_int_equal(step.consumed, in.size);
    assert_int_equal(step.flight_size, 0);
    assert_int_equal(step.message.size, 0);
    assert_int_equal(listener->state, PARLEY_LINK_MUTED);
    assert_false(parley_link_peer_is(listener, &dialler.key));
    struct talk talk = new_talk();
    struct parley_span all = PARLEY_SPAN(talk.dialler.bytes, talk.dialler.size);
    assert_int_equal(parley_link_receive(listener, &replay, all, scratch, &step), PARLEY_E_OK);
    assert_int_equal(step.consumed, all.size);
    assert_int_equal(step.flight_size, 0);
    assert_int_equal(listener->state, PARLEY_LINK_MUTED);
}

static void flip(uint8_t *bytes, size_t bit) {
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static void test_flips_of_the_first_flight(void **state) {
    (void)state;
    struct talk talk = new_talk();
    for (size_t bit = 0; bit < 8 * (16 + 72); bit++) {
        struct parley_link listener = new_listener();
        flip(talk.dialler.bytes, bit);
        check_mute(&listener, PARLEY_SPAN(talk.dialler.bytes, 16 + 72), PARLEY_E_BAD_HANDSHAKE);
        assert_int_equal(replay.noted, 1); /* by the good talk that followed alone */
        flip(talk.dialler.bytes, bit);
    }
}

static void test_flips_of_the_second_flight(void **state) {
    (void)state;
    struct talk talk = new_talk();
    struct parley_link started = new_dialler();
    uint8_t first[PARLEY_LINK_FLIGHT_MAX];
    size_t size;
    assert_int_equal(parley_link_start(&started, first, &size), PARLEY_E_OK);
    for (size_t bit = 0; bit < 8 * 72; bit++) {
        struct parley_link dialler = started;
        struct parley_link_step step;
        flip(talk.listener.bytes, bit);
        assert_int_equal(parley_link_receive(&dialler, NULL, PARLEY_SPAN(talk.listener.bytes, 72),
                                             scratch, &step),
                         PARLEY_E_BAD_HANDSHAKE);
        assert_int_equal(dialler.state, PARLEY_LINK_FAILED);
        assert_int_equal(step.flight_size, 0);
        flip(talk.listener.bytes, bit);
    }
}

static void test_flips_of_the_third_flight(void **state) {
    (void)state;
    struct talk talk = new_talk();
    uint8_t *third = talk.dialler.bytes + 16 + 72;
    struct parley_link waiting = new_listener();
    feed_flight(&waiting, talk.dialler.bytes, 16 + 72);
    for (size_t bit = 0; bit < 8 * 64; bit++) {
        struct parley_link listener = waiting;
        flip(third, bit);
        check_mute(&listener, PARLEY_SPAN(third, 64), PARLEY_E_BAD_HANDSHAKE);
        flip(third, bit);
    }
}

static void test_flips_of_a_message(void **state) {
    (void)state;
    struct talk talk = new_talk();
    uint8_t *sealed = talk.dialler.bytes + 16 + 72 + 64;
    for (size_t bit = 0; bit < 8 * PARLEY_LINK_SEALED_SIZE(5); bit++) {
        struct parley_link listener = talk.listener_link;
        struct parley_link_step step;
        flip(sealed, bit);
        assert_int_equal(parley_link_receive(&listener, &replay,
                                             PARLEY_SPAN(sealed, PARLEY_LINK_SEALED_SIZE(5)),
                                             scratch, &step),
                         PARLEY_E_BAD_SEAL);
        assert_int_equal(listener.state, PARLEY_LINK_FAILED);
        assert_int_equal(step.message.size, 0);
        assert_true(
            parley_is_zero((uint8_t *)&listener.receiving, sizeof(struct parley_noise_cipher)));
        flip(sealed, bit);
    }
}

static void test_a_repeated_first_flight(void **state) {
    (void)state;
    struct talk talk = new_talk(); /* its first flight stands in the filter */
    struct parley_link listener = listener_of(LISTENER, 0x33, strlen(PRELUDE));
    check_mute(&listener, PARLEY_SPAN(talk.dialler.bytes, 16 + 72), PARLEY_E_REPLAYED);
    /* Over a restart as well. */
    static uint8_t encoding[PARLEY_REPLAY_BYTES];
    parley_replay_encode(&replay, encoding);
    reset_replay();
    assert_int_equal(parley_replay_decode(&replay, PARLEY_SPAN(encoding, sizeof encoding)),
                     PARLEY_E_OK);
    listener = listener_of(LISTENER, 0x33, strlen(PRELUDE));
    check_mute(&listener, PARLEY_SPAN(talk.dialler.bytes, 16 + 72), PARLEY_E_REPLAYED);
}

static void test_reflected_and_repeated_flights(void **state) {
    (void)state;
    struct talk talk = new_talk();
    struct parley_link listener = new_listener();
    struct stream back = {0};
    /* The listener's own flight as a first one. */
    append(&back, (const uint8_t *)PRELUDE, 16);
    append(&back, talk.listener.bytes, 72);
    check_mute(&listener, PARLEY_SPAN(back.bytes, back.size), PARLEY_E_BAD_HANDSHAKE);
    /* The first flight again, where the third belongs. */
    listener = new_listener();
    feed_flight(&listener, talk.dialler.bytes, 16 + 72);
    check_mute(&listener, PARLEY_SPAN(talk.dialler.bytes, 64), PARLEY_E_BAD_HANDSHAKE);
    /* The second flight, reflected there. */
    listener = new_listener();
    feed_flight(&listener, talk.dialler.bytes, 16 + 72);
    check_mute(&listener, PARLEY_SPAN(talk.listener.bytes, 64), PARLEY_E_BAD_HANDSHAKE);
    /* The dialler's own first flight, reflected to it. */
    struct parley_link dialler = new_dialler();
    struct parley_link_step step;
    uint8_t first[PARLEY_LINK_FLIGHT_MAX];
    size_t size;
    assert_int_equal(parley_link_start(&dialler, first, &size), PARLEY_E_OK);
    assert_int_equal(
        parley_link_receive(&dialler, NULL, PARLEY_SPAN(first + 16, 72), scratch, &step),
        PARLEY_E_BAD_HANDSHAKE);
    /* A third flight of another handshake. */
    listener = listener_of(LISTENER, 0x44, 16);
    reset_replay();
    feed_flight(&listener, talk.dialler.bytes, 16 + 72);
    check_mute(&listener, PARLEY_SPAN(talk.dialler.bytes + 88, 64), PARLEY_E_BAD_HANDSHAKE);
}

static void test_cut_first_flights_get_no_byte(void **state) {
    (void)state;
    struct talk talk = new_talk();
    for (size_t size = 0; size < 16 + 72; size++) {
        struct parley_link listener = new_listener();
        struct parley_link_step step;
        assert_int_equal(parley_link_receive(&listener, &replay,
                                             PARLEY_SPAN(talk.dialler.bytes, size), scratch, &step),
                         PARLEY_E_OK);
        assert_int_equal(step.consumed, 0);
        assert_int_equal(step.needed, 16 + 72);
        assert_int_equal(step.flight_size, 0);
    }
}

static void test_probes_get_no_byte(void **state) {
    (void)state;
    const struct parley_seed seed = {{77}};
    struct parley_random random;
    parley_random_init(&random, &seed);
    for (size_t i = 0; i < 1000; i++) {
        uint8_t probe[400];
        size_t size = parley_random_below(&random, sizeof probe);
        struct parley_link listener = new_listener();
        struct parley_link_step step;
        parley_random_bytes(&random, probe, size);
        enum parley_error error =
            parley_link_receive(&listener, &replay, PARLEY_SPAN(probe, size), scratch, &step);
        assert_int_equal(error, size < 88 ? PARLEY_E_OK : PARLEY_E_BAD_HANDSHAKE);
        assert_int_equal(step.flight_size, 0);
        assert_int_equal(replay.noted, 0);
    }
}

static void test_who_lacks_the_node_key_gets_no_byte(void **state) {
    (void)state;
    struct parley_link dialler =
        dialler_of(DIALLER, STRANGER, 0x11, PARLEY_SPAN(PRELUDE, strlen(PRELUDE)));
    struct parley_link listener = new_listener();
    uint8_t first[PARLEY_LINK_FLIGHT_MAX];
    size_t size;
    assert_int_equal(parley_link_start(&dialler, first, &size), PARLEY_E_OK);
    check_mute(&listener, PARLEY_SPAN(first, size), PARLEY_E_BAD_HANDSHAKE);
}

/* ---- The stream --------------------------------------------------------------------------------
 */

static void pass_message(struct parley_link *from, struct parley_link *to, size_t size) {
    struct parley_link_step step;
    size_t sealed_size;
    assert_int_equal(parley_link_seal(from, sealed_buffer, sizeof sealed_buffer, &sealed_size,
                                      PARLEY_SPAN(large_message, size)),
                     PARLEY_E_OK);
    assert_int_equal(sealed_size, PARLEY_LINK_SEALED_SIZE(size));
    assert_int_equal(
        parley_link_receive(to, &replay, PARLEY_SPAN(sealed_buffer, sealed_size), scratch, &step),
        PARLEY_E_OK);
    assert_int_equal(step.consumed, sealed_size);
    assert_int_equal(step.message.size, size);
    assert_memory_equal(step.message.data, large_message, size);
}

static void fill_large_message(void) {
    for (size_t i = 0; i < sizeof large_message; i++)
        large_message[i] = (uint8_t)(i * 7 + i / 251);
}

static void test_messages_of_every_shape(void **state) {
    (void)state;
    const size_t sizes[] = {1,     2,     255,   256,   65518,
                            65519, 65520, 65536, 67583, PARLEY_MESSAGE_BYTES_MAX};
    struct talk talk = new_talk();
    fill_large_message();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        pass_message(&talk.dialler_link, &talk.listener_link, sizes[i]);
        pass_message(&talk.listener_link, &talk.dialler_link, sizes[i]);
    }
}

static void test_keys_are_replaced(void **state) {
    (void)state;
    struct talk talk = new_talk();
    struct parley_link *from = &talk.dialler_link;
    struct parley_link *to = &talk.listener_link;
    uint8_t key[32];
    fill_large_message();
    memcpy(key, from->sending.key, sizeof key);
    for (size_t i = 0; i < 511; i++)
        pass_message(from, to, 3);
    assert_int_equal(from->sending.nonce, 1022);
    assert_memory_equal(key, from->sending.key, sizeof key);
    /* Three frames: the key changes after the second one, inside the message. */
    pass_message(from, to, PARLEY_MESSAGE_BYTES_MAX);
    assert_int_equal(from->sending.nonce, 1025);
    assert_memory_not_equal(key, from->sending.key, sizeof key);
    assert_memory_equal(to->receiving.key, from->sending.key, sizeof key);
    for (size_t i = 0; i < 1100; i++)
        pass_message(from, to, 3);
    assert_int_equal(from->sending.nonce, 1025 + 2200);
    /* The other direction has its own count. */
    assert_int_equal(to->sending.nonce, 0);
    pass_message(to, from, 3);
}

/* A length frame that our own seal would never write. */
static enum parley_error open_length(size_t size) {
    struct talk talk = new_talk();
    struct parley_link_step step;
    const uint8_t length[3] = {(uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};
    parley_noise_seal(&talk.dialler_link.sending, sealed_buffer, PARLEY_SPAN(length, 3));
    enum parley_error error = parley_link_receive(&talk.listener_link, &replay,
                                                  PARLEY_SPAN(sealed_buffer, 19), scratch, &step);
    assert_int_equal(talk.listener_link.state,
                     error == PARLEY_E_OK ? PARLEY_LINK_OPEN : PARLEY_LINK_FAILED);
    return error;
}

static void test_lengths_at_their_bounds(void **state) {
    (void)state;
    assert_int_equal(open_length(0), PARLEY_E_BAD_SEAL);
    assert_int_equal(open_length(1), PARLEY_E_OK);
    assert_int_equal(open_length(PARLEY_MESSAGE_BYTES_MAX), PARLEY_E_OK);
    assert_int_equal(open_length(PARLEY_MESSAGE_BYTES_MAX + 1), PARLEY_E_TOO_LARGE);
    assert_int_equal(open_length(0xffffff), PARLEY_E_TOO_LARGE);
}

static void test_too_little_space_changes_nothing(void **state) {
    (void)state;
    struct talk talk = new_talk();
    struct parley_link before = talk.dialler_link;
    size_t size;
    assert_int_equal(parley_link_seal(&talk.dialler_link, sealed_buffer,
                                      PARLEY_LINK_SEALED_SIZE(5) - 1, &size,
                                      PARLEY_SPAN("hello", 5)),
                     PARLEY_E_NO_SPACE);
    assert_int_equal(size, 0);
    assert_memory_equal(&before, &talk.dialler_link, sizeof before);
}

static void test_a_message_repeated_or_reordered(void **state) {
    (void)state;
    struct talk talk = new_talk();
    const uint8_t *sealed = talk.dialler.bytes + 16 + 72 + 64;
    const size_t first = PARLEY_LINK_SEALED_SIZE(5);
    struct parley_link listener = talk.listener_link;
    struct parley_link_step step;
    assert_int_equal(
        parley_link_receive(&listener, &replay, PARLEY_SPAN(sealed + first, 100), scratch, &step),
        PARLEY_E_BAD_SEAL);
    listener = talk.listener_link;
    feed_flight(&listener, sealed, first);
    assert_int_equal(
        parley_link_receive(&listener, &replay, PARLEY_SPAN(sealed, first), scratch, &step),
        PARLEY_E_BAD_SEAL);
}

static void test_closing_wipes(void **state) {
    (void)state;
    struct talk talk = new_talk();
    struct parley_link closed;
    memset(&closed, 0, sizeof closed);
    closed.state = PARLEY_LINK_CLOSED;
    parley_link_close(&talk.dialler_link);
    assert_memory_equal(&talk.dialler_link, &closed, sizeof closed);
}

int main(void) {
    if (parley_crypto_self_test() != PARLEY_E_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_sides_know_each_other),
        cmocka_unit_test(test_preludes_of_every_size),
        cmocka_unit_test(test_drawn_chance_opens_a_link),
        cmocka_unit_test(test_a_key_that_is_no_point),
        cmocka_unit_test(test_cuts_at_every_byte),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_flips_of_the_first_flight),
        cmocka_unit_test(test_flips_of_the_second_flight),
        cmocka_unit_test(test_flips_of_the_third_flight),
        cmocka_unit_test(test_flips_of_a_message),
        cmocka_unit_test(test_a_repeated_first_flight),
        cmocka_unit_test(test_reflected_and_repeated_flights),
        cmocka_unit_test(test_cut_first_flights_get_no_byte),
        cmocka_unit_test(test_probes_get_no_byte),
        cmocka_unit_test(test_who_lacks_the_node_key_gets_no_byte),
        cmocka_unit_test(test_messages_of_every_shape),
        cmocka_unit_test(test_keys_are_replaced),
        cmocka_unit_test(test_lengths_at_their_bounds),
        cmocka_unit_test(test_too_little_space_changes_nothing),
        cmocka_unit_test(test_a_message_repeated_or_reordered),
        cmocka_unit_test(test_closing_wipes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
