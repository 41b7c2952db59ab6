#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <parley/codec.h>
#include <parley/crypto.h>
#include <parley/link.h>
#include <parley/wire.h>

#include "vector_file.h"

static struct parley_replay replay;
static uint8_t plain[PARLEY_MESSAGE_BYTES_MAX];
static uint8_t scratch[PARLEY_MESSAGE_BYTES_MAX];
static uint8_t sealed[PARLEY_LINK_SEALED_MAX];

/* One line's value. */
static uint8_t value[1024];
static size_t value_size;

struct side {
    struct parley_secret_key secret;
    struct parley_node_key key;
    struct parley_link_chance chance;
    struct parley_link link;
};

static void expect_line(struct vector_file *vectors, const char *key) {
    assert_true(vector_next(vectors));
    assert_string_equal(vectors->key, key);
    value_size = vector_hex(vectors, value, sizeof value);
}

static void expect_bytes(struct vector_file *vectors, const char *key, const uint8_t *bytes,
                         size_t size) {
    expect_line(vectors, key);
    assert_int_equal(value_size, size);
    assert_memory_equal(value, bytes, size);
}

/* Seed, node key, static, ephemeral and r of one side; true when there is another vector. */
static void read_side(struct vector_file *vectors, struct side *side, const char *name) {
    struct parley_seed seed;
    char key[32];
    snprintf(key, sizeof key, "%s.seed", name);
    if (strcmp(vectors->key, key) != 0)
        expect_line(vectors, key);
    else
        value_size = vector_hex(vectors, value, sizeof value);
    memcpy(seed.bytes, value, sizeof seed.bytes);
    parley_key_pair(&side->secret, side->key.bytes, &seed);
    snprintf(key, sizeof key, "%s.node_key", name);
    expect_bytes(vectors, key, side->key.bytes, sizeof side->key.bytes);
    snprintf(key, sizeof key, "%s.static", name);
    expect_line(vectors, key);
    snprintf(key, sizeof key, "%s.ephemeral", name);
    expect_line(vectors, key);
    memcpy(side->chance.ephemeral, value, sizeof side->chance.ephemeral);
    snprintf(key, sizeof key, "%s.r", name);
    expect_line(vectors, key);
    memcpy(side->chance.mask_nonce, value, sizeof side->chance.mask_nonce);
}

/* Feeds the flight that is in value; the answer must be the vector's next one. */
static struct parley_link_step feed_value(struct side *side) {
    struct parley_link_step step;
    assert_int_equal(
        parley_link_receive(&side->link, &replay, PARLEY_SPAN(value, value_size), scratch, &step),
        PARLEY_E_OK);
    assert_int_equal(step.consumed, value_size);
    return step;
}

static void check_handshake(struct vector_file *vectors, struct side *dialler,
                            struct side *listener) {
    uint8_t flight[PARLEY_LINK_FLIGHT_MAX];
    size_t size;
    expect_line(vectors, "prelude");
    assert_int_equal(parley_link_init_dialler(&dialler->link, &dialler->secret, &listener->key,
                                              &dialler->chance, PARLEY_SPAN(value, value_size)),
                     PARLEY_E_OK);
    parley_link_init_listener(&listener->link, &listener->secret, &listener->chance, value_size);
    assert_int_equal(parley_link_start(&dialler->link, flight, &size), PARLEY_E_OK);
    expect_bytes(vectors, "flight.first", flight, size);
    struct parley_link_step second = feed_value(listener);
    expect_bytes(vectors, "flight.second", second.flight, second.flight_size);
    struct parley_link_step third = feed_value(dialler);
    expect_bytes(vectors, "flight.third", third.flight, third.flight_size);
    feed_value(listener);
    expect_line(vectors, "handshake_hash");
    expect_bytes(vectors, "dialler.key", dialler->link.sending.key, 32);
    expect_bytes(vectors, "listener.key", listener->link.sending.key, 32);
    assert_true(parley_link_peer_is(&listener->link, &dialler->key));
}

/* Seals what is in plain, opens it on the other side; the sealed size. */
static size_t pass(struct side *from, struct side *to, size_t size) {
    struct parley_link_step step;
    size_t sealed_size;
    assert_int_equal(parley_link_seal(&from->link, sealed, sizeof sealed, &sealed_size,
                                      PARLEY_SPAN(plain, size)),
                     PARLEY_E_OK);
    assert_int_equal(
        parley_link_receive(&to->link, &replay, PARLEY_SPAN(sealed, sealed_size), scratch, &step),
        PARLEY_E_OK);
    assert_true(parley_span_equal(step.message, PARLEY_SPAN(plain, size)));
    return sealed_size;
}

/* The message is in value; the next line is its sealed form. */
static void check_message(struct vector_file *vectors, struct side *from, struct side *to,
                          const char *sealed_name) {
    struct parley_wire_message message;
    memcpy(plain, value, value_size);
    assert_int_equal(parley_wire_decode(&message, PARLEY_SPAN(plain, value_size)).error,
                     PARLEY_E_OK);
    size_t size = pass(from, to, value_size);
    expect_bytes(vectors, sealed_name, sealed, size);
}

static void pass_pings(struct side *from, struct side *to, size_t count) {
    for (size_t token = 0; token < count; token++) {
        struct parley_wire_message ping = {.type = PARLEY_WIRE_PING, .as.ping.token = token};
        struct parley_writer writer;
        parley_writer_init(&writer, plain, sizeof plain);
        parley_wire_encode(&writer, &ping);
        pass(from, to, writer.size);
    }
}

static void check_large(struct vector_file *vectors, struct side *from, struct side *to) {
    uint8_t number[3];
    uint8_t hash[32];
    assert_int_equal((size_t)value[0] << 16 | (size_t)value[1] << 8 | value[2], sizeof plain);
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(7 * i + i / 251);
    size_t size = pass(from, to, sizeof plain);
    number[0] = (uint8_t)(size >> 16);
    number[1] = (uint8_t)(size >> 8);
    number[2] = (uint8_t)size;
    expect_bytes(vectors, "dialler.large_sealed", number, sizeof number);
    crypto_generichash(hash, sizeof hash, sealed, size, NULL, 0);
    expect_bytes(vectors, "dialler.large_hash", hash, sizeof hash);
    expect_bytes(vectors, "dialler.key", from->link.sending.key, 32);
}

/* Every line up to the blank one; how many messages there were. */
static size_t check_conversation(struct vector_file *vectors, struct side *dialler,
                                 struct side *listener) {
    size_t count = 0;
    for (; vector_next(vectors) && vectors->key[0] != 0; count++) {
        value_size = vector_hex(vectors, value, sizeof value);
        if (vector_is(vectors, "dialler.message"))
            check_message(vectors, dialler, listener, "dialler.sealed");
        else if (vector_is(vectors, "listener.message"))
            check_message(vectors, listener, dialler, "listener.sealed");
        else if (vector_is(vectors, "dialler.pings"))
            pass_pings(dialler, listener, (size_t)value[0] << 8 | value[1]);
        else if (vector_is(vectors, "dialler.large"))
            check_large(vectors, dialler, listener);
        else
            fail_msg("what is %s?", vectors->key);
    }
    return count;
}

static void test_conversations(void **state) {
    (void)state;
    const struct parley_seed seed = {{1}};
    struct parley_random random;
    struct vector_file vectors;
    static struct side dialler;
    static struct side listener;
    size_t conversations = 0;
    size_t messages = 0;
    vector_open(&vectors, "link.txt");
    while (vector_next(&vectors)) {
        if (vectors.key[0] == 0)
            continue;
        parley_random_init(&random, &seed);
        parley_replay_init(&replay, &random);
        read_side(&vectors, &dialler, "dialler");
        read_side(&vectors, &listener, "listener");
        check_handshake(&vectors, &dialler, &listener);
        messages += check_conversation(&vectors, &dialler, &listener);
        conversations++;
    }
    vector_close(&vectors);
    assert_int_equal(conversations, 2);
    assert_int_equal(messages, 12);
}

int main(void) {
    if (parley_crypto_self_test() != PARLEY_E_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversations),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
