#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <parley/crypto.h>
#include <parley/noise.h>

#include "vector_file.h"

#define MESSAGES_MAX 8
#define TEXT_MAX     256

struct text {
    uint8_t bytes[TEXT_MAX];
    size_t size;
};

struct noise_vector {
    struct text init_prologue;
    struct text resp_prologue;
    struct text init_ephemeral;
    struct text resp_ephemeral;
    struct text init_static;
    struct text resp_static;
    struct text init_remote_static;
    struct text handshake_hash;
    struct text payloads[MESSAGES_MAX];
    struct text ciphertexts[MESSAGES_MAX];
    size_t messages_count;
};

static struct text *field_of(struct noise_vector *vector, const char *key) {
    const struct {
        const char *key;
        struct text *text;
    } rows[] = {
        {"init_prologue", &vector->init_prologue},
        {"resp_prologue", &vector->resp_prologue},
        {"init_ephemeral", &vector->init_ephemeral},
        {"resp_ephemeral", &vector->resp_ephemeral},
        {"init_static", &vector->init_static},
        {"resp_static", &vector->resp_static},
        {"init_remote_static", &vector->init_remote_static},
        {"handshake_hash", &vector->handshake_hash},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].key, key) == 0)
            return rows[i].text;
    unsigned number;
    char what[16];
    if (sscanf(key, "msg%u.%15s", &number, what) != 2 || number >= MESSAGES_MAX)
        return NULL;
    if (number >= vector->messages_count)
        vector->messages_count = number + 1;
    return strcmp(what, "payload") == 0 ? &vector->payloads[number] : &vector->ciphertexts[number];
}

/* False at the end of the file. */
static bool read_vector(struct vector_file *vectors, struct noise_vector *vector) {
    memset(vector, 0, sizeof *vector);
    while (vector_next(vectors)) {
        if (vectors->key[0] == 0 && vector->messages_count > 0)
            return true;
        struct text *text = field_of(vector, vectors->key);
        if (text != NULL)
            text->size = vector_hex(vectors, text->bytes, sizeof text->bytes);
    }
    return vector->messages_count > 0;
}

static struct parley_span span_of(const struct text *text) {
    return PARLEY_SPAN(text->bytes, text->size);
}

static void write_flight(struct parley_noise *noise, const struct noise_vector *vector,
                         size_t number, uint8_t *out) {
    struct parley_span payload = span_of(&vector->payloads[number]);
    enum parley_error error;
    if (number == 0)
        error = parley_noise_write_first(noise, out, vector->init_ephemeral.bytes, payload);
    else if (number == 1)
        error = parley_noise_write_second(noise, out, vector->resp_ephemeral.bytes, payload);
    else
        error = parley_noise_write_third(noise, out, payload);
    assert_int_equal(error, PARLEY_E_OK);
}

static enum parley_error read_flight(struct parley_noise *noise, size_t number, uint8_t *out,
                                     struct parley_span in) {
    if (number == 0)
        return parley_noise_read_first(noise, out, in);
    if (number == 1)
        return parley_noise_read_second(noise, out, in);
    return parley_noise_read_third(noise, out, in);
}

/* A flight with any one byte changed is refused, and the reader is as it was. */
static void check_damage(const struct parley_noise *reader, size_t number,
                         const struct text *sealed) {
    uint8_t plain[TEXT_MAX];
    for (size_t i = 0; i < sealed->size; i++) {
        struct parley_noise copy = *reader;
        struct text damaged = *sealed;
        damaged.bytes[i] ^= 0x40;
        assert_int_equal(read_flight(&copy, number, plain, span_of(&damaged)),
                         PARLEY_E_BAD_HANDSHAKE);
        assert_memory_equal(&copy, reader, sizeof copy);
    }
}

static void check_handshake(const struct noise_vector *vector, struct parley_noise sides[2]) {
    uint8_t out[TEXT_MAX];
    parley_noise_init(&sides[0], vector->init_static.bytes, vector->init_remote_static.bytes);
    parley_noise_init(&sides[1], vector->resp_static.bytes, NULL);
    parley_noise_begin(&sides[0], span_of(&vector->init_prologue));
    parley_noise_begin(&sides[1], span_of(&vector->resp_prologue));
    for (size_t i = 0; i < 3; i++) {
        const struct text *sealed = &vector->ciphertexts[i];
        const struct text *payload = &vector->payloads[i];
        struct parley_noise *reader = &sides[(i + 1) % 2];
        write_flight(&sides[i % 2], vector, i, out);
        assert_memory_equal(out, sealed->bytes, sealed->size);
        check_damage(reader, i, sealed);
        assert_int_equal(read_flight(reader, i, out, span_of(sealed)), PARLEY_E_OK);
        assert_memory_equal(out, payload->bytes, payload->size);
    }
    assert_memory_equal(sides[0].hash, sides[1].hash, sizeof sides[0].hash);
    if (vector->handshake_hash.size > 0)
        assert_memory_equal(sides[0].hash, vector->handshake_hash.bytes, sizeof sides[0].hash);
    assert_memory_equal(sides[1].remote_static, sides[0].static_public, 32);
}

static void check_transport(const struct noise_vector *vector, const struct parley_noise sides[2]) {
    struct parley_noise_cipher sending[2];
    struct parley_noise_cipher receiving[2];
    uint8_t out[TEXT_MAX];
    for (size_t i = 0; i < 2; i++)
        parley_noise_split(&sides[i], &sending[i], &receiving[i]);
    for (size_t i = 3; i < vector->messages_count; i++) {
        const struct text *sealed = &vector->ciphertexts[i];
        const struct text *payload = &vector->payloads[i];
        parley_noise_seal(&sending[i % 2], out, span_of(payload));
        assert_memory_equal(out, sealed->bytes, sealed->size);
        assert_true(parley_noise_open(&receiving[(i + 1) % 2], out, span_of(sealed)));
        assert_memory_equal(out, payload->bytes, payload->size);
    }
}

static void test_published_vectors(void **state) {
    (void)state;
    static struct noise_vector vector;
    struct vector_file vectors;
    size_t count = 0;
    vector_open(&vectors, "noise_xk.txt");
    while (read_vector(&vectors, &vector)) {
        struct parley_noise sides[2];
        assert_true(vector.messages_count > 3);
        check_handshake(&vector, sides);
        check_transport(&vector, sides);
        count++;
    }
    vector_close(&vectors);
    assert_int_equal(count, 3);
}

static void test_an_all_zero_secret_ends_it(void **state) {
    (void)state;
    static const uint8_t secret[32] = {7};
    static const uint8_t zero_point[32] = {0};
    struct parley_noise initiator;
    uint8_t out[PARLEY_NOISE_FLIGHT_1_SIZE];
    parley_noise_init(&initiator, secret, zero_point);
    parley_noise_begin(&initiator, PARLEY_NO_SPAN);
    assert_int_equal(parley_noise_write_first(&initiator, out, secret, PARLEY_NO_SPAN),
                     PARLEY_E_BAD_HANDSHAKE);

    struct parley_noise responder;
    memset(out, 0, sizeof out);
    parley_noise_init(&responder, secret, NULL);
    parley_noise_begin(&responder, PARLEY_NO_SPAN);
    assert_int_equal(parley_noise_read_first(&responder, NULL, PARLEY_SPAN(out, sizeof out)),
                     PARLEY_E_BAD_HANDSHAKE);
}

static void test_a_failed_open_changes_nothing(void **state) {
    (void)state;
    struct parley_noise_cipher sending = {.key = {1}, .nonce = 5};
    struct parley_noise_cipher receiving = sending;
    uint8_t sealed[5 + PARLEY_NOISE_TAG_SIZE];
    uint8_t plain[5];
    parley_noise_seal(&sending, sealed, PARLEY_SPAN("hello", 5));
    sealed[2] ^= 1;
    assert_false(parley_noise_open(&receiving, plain, PARLEY_SPAN(sealed, sizeof sealed)));
    assert_int_equal(receiving.nonce, 5);
    sealed[2] ^= 1;
    assert_true(parley_noise_open(&receiving, plain, PARLEY_SPAN(sealed, sizeof sealed)));
    assert_memory_equal(plain, "hello", 5);
}

int main(void) {
    if (parley_crypto_self_test() != PARLEY_E_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vectors),
        cmocka_unit_test(test_an_all_zero_secret_ends_it),
        cmocka_unit_test(test_a_failed_open_changes_nothing),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
