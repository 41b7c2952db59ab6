/* Text forms: what is read is written back as the same thing. SPEC 3, 4.10. */
#include "fuzz.h"

#include <parley/identity.h>
#include <parley/text.h>

static bool is_ok(struct parley_fault fault, struct parley_span text) {
    FUZZ_HOLDS(fault.offset <= text.size);
    return fault.error == PARLEY_E_OK;
}

/* Equal but for the case of ASCII letters: upper case is read too, and never written. */
static bool is_same_text(const char *written, struct parley_span read) {
    if (strlen(written) != read.size)
        return false;
    for (size_t i = 0; i < read.size; i++) {
        uint8_t letter = read.data[i];
        letter |= letter >= 'A' && letter <= 'Z' ? 0x20 : 0;
        if ((uint8_t)written[i] != letter)
            return false;
    }
    return true;
}

static void try_keys(struct parley_span text) {
    struct parley_author author;
    struct parley_node_key key;
    struct parley_post_address post;
    char again[PARLEY_POST_TEXT_SIZE];
    if (is_ok(parley_author_decode(&author, text), text)) {
        parley_author_encode(again, &author);
        FUZZ_HOLDS(is_same_text(again, text));
    }
    if (is_ok(parley_node_key_decode(&key, text), text)) {
        parley_node_key_encode(again, &key);
        FUZZ_HOLDS(is_same_text(again, text));
    }
    if (is_ok(parley_post_address_decode(&post, text), text)) {
        parley_post_address_encode(again, &post);
        FUZZ_HOLDS(is_same_text(again, text));
    }
}

static void try_address(struct parley_span text) {
    struct parley_address address, again;
    char written[PARLEY_ADDRESS_TEXT_SIZE];
    char host[PARLEY_HOST_SIZE_MAX + 1];
    uint16_t port;
    if (is_ok(parley_host_port_decode(host, &port, text), text))
        FUZZ_HOLDS(memchr(host, 0, sizeof host));
    if (!is_ok(parley_address_decode(&address, text), text))
        return;
    parley_address_encode(written, &address);
    struct parley_span form = PARLEY_SPAN(written, strlen(written));
    FUZZ_HOLDS(parley_address_decode(&again, form).error == PARLEY_E_OK);
    FUZZ_HOLDS(PARLEY_EQUAL(again.key, address.key) && again.port == address.port);
    FUZZ_HOLDS(strcmp(again.host, address.host) == 0);
    FUZZ_HOLDS(strcmp(again.transport, address.transport) == 0);
}

static void try_place(struct parley_span text) {
    struct parley_address place, again;
    char written[PARLEY_PLACE_TEXT_SIZE];
    if (!is_ok(parley_place_decode(&place, text), text))
        return;
    parley_place_encode(written, &place);
    struct parley_span form = PARLEY_SPAN(written, strlen(written));
    FUZZ_HOLDS(parley_place_decode(&again, form).error == PARLEY_E_OK);
    FUZZ_HOLDS(strcmp(again.host, place.host) == 0 && again.port == place.port);
    FUZZ_HOLDS(strcmp(again.transport, place.transport) == 0);
}

static void try_words(struct parley_span text) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE], again[PARLEY_ENTROPY_SIZE];
    char words[PARLEY_WORDS_TEXT_SIZE];
    if (!is_ok(parley_words_decode(entropy, text), text))
        return;
    parley_words_encode(words, entropy);
    FUZZ_HOLDS(parley_words_decode(again, PARLEY_SPAN(words, strlen(words))).error == PARLEY_E_OK);
    FUZZ_HOLDS(memcmp(entropy, again, sizeof again) == 0);
}

static void try_device_request(struct parley_span text) {
    struct parley_device_request request;
    char again[PARLEY_DEVICE_REQUEST_TEXT_SIZE];
    if (!is_ok(parley_device_request_decode(&request, text), text))
        return;
    FUZZ_HOLDS(request.generation < PARLEY_GENERATIONS_COUNT);
    parley_device_request_encode(again, &request);
    FUZZ_HOLDS(is_same_text(again, text));
}

void fuzz_target(struct parley_span text) {
    try_keys(text);
    try_address(text);
    try_place(text);
    try_words(text);
    try_device_request(text);
}
