/* Invites: what is read is written as the same text, and nothing is kept of what is none.
 *
 * The first byte of an input says whether it is the text itself, or the bytes of one, to which the
 * checksum is then put: without that no damaged one would come past it. */
#include "fuzz.h"

#include "../../node/shell/invite_text.h"
#include <parley/crypto.h>
#include <string.h>

#define IS_BYTES 1u

static size_t put_text(char *text, struct parley_span bytes) {
    uint8_t whole[INVITE_BYTES_MAX], hash[32];
    size_t size = bytes.size < sizeof whole - 4 ? bytes.size : sizeof whole - 4;
    if (size > 0)
        memcpy(whole, bytes.data, size);
    parley_hash_one(hash, "parley invite text", PARLEY_SPAN(whole, size));
    memcpy(whole + size, hash, 4);
    memcpy(text, "pinvite1", 8);
    (void)sodium_bin2base64(text + 8, INVITE_TEXT_SIZE - 8, whole, size + 4,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return strlen(text);
}

static void check_good(const struct parley_invite *invite) {
    struct parley_invite again;
    char text[INVITE_TEXT_SIZE];
    FUZZ_HOLDS(invite->places_count > 0 && invite->places_count <= INVITE_PLACES_MAX);
    for (size_t i = 0; i < invite->places_count; i++)
        FUZZ_HOLDS(PARLEY_EQUAL(invite->places[i].key, invite->node) && invite->places[i].port > 0);
    parley_invite_encode(text, invite);
    FUZZ_HOLDS(parley_invite_decode(&again, PARLEY_SPAN(text, strlen(text))) == PARLEY_E_OK);
    FUZZ_HOLDS(PARLEY_EQUAL(again.author, invite->author) &&
               again.places_count == invite->places_count && again.expires == invite->expires &&
               memcmp(again.secret, invite->secret, sizeof again.secret) == 0);
}

void fuzz_target(struct parley_span bytes) {
    static const struct parley_invite none;
    struct parley_invite invite;
    char text[INVITE_TEXT_SIZE];
    if (bytes.size == 0)
        return;
    struct parley_span rest = PARLEY_SPAN(bytes.data + 1, bytes.size - 1);
    if (bytes.data[0] & IS_BYTES)
        rest = PARLEY_SPAN(text, put_text(text, rest));
    enum parley_error error = parley_invite_decode(&invite, rest);
    if (error == PARLEY_E_OK)
        check_good(&invite);
    else
        FUZZ_HOLDS(memcmp(&invite, &none, sizeof none) == 0);
}
