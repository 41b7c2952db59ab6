#include "invite_text.h"
#include <parley/crypto.h>
#include <string.h>

#define PREFIX      "pinvite1"
#define PREFIX_SIZE (sizeof PREFIX - 1)
#define VARIANT     sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define VERSION     1u
#define CHECK_SIZE  4u
#define DOMAIN_TEXT "parley invite text"
#define MINUTE_MS   60000u
/* Version, node key, author, secret, minutes. */
#define FIXED_SIZE (1u + 32u + 32u + INVITE_SECRET_SIZE + 4u)

_Static_assert(PREFIX_SIZE + sodium_base64_ENCODED_LEN(INVITE_BYTES_MAX, VARIANT) <=
                   INVITE_TEXT_SIZE,
               "any invite has a text");

void parley_invite_id(uint8_t id[INVITE_ID_SIZE], const uint8_t secret[INVITE_SECRET_SIZE]) {
    uint8_t hash[32];
    parley_hash_one(hash, PARLEY_DOMAIN_INVITE, PARLEY_SPAN(secret, INVITE_SECRET_SIZE));
    memcpy(id, hash, INVITE_ID_SIZE);
}

static void make_check(uint8_t check[CHECK_SIZE], struct parley_span bytes) {
    uint8_t hash[32];
    parley_hash_one(hash, DOMAIN_TEXT, bytes);
    memcpy(check, hash, CHECK_SIZE);
}

/* --- encoding --------------------------------------------------------------------------------- */

static uint8_t *put(uint8_t *at, const void *data, size_t size) {
    memcpy(at, data, size);
    return at + size;
}

static uint8_t *put_place(uint8_t *at, const uint8_t *end, const struct parley_address *address) {
    char text[PARLEY_PLACE_TEXT_SIZE];
    parley_place_encode(text, address);
    size_t size = strlen(text);
    if (size > UINT8_MAX || (size_t)(end - at) < 1 + size + CHECK_SIZE)
        return at;
    *at++ = (uint8_t)size;
    return put(at, text, size);
}

void parley_invite_encode(char text[INVITE_TEXT_SIZE], const struct parley_invite *invite) {
    uint8_t bytes[INVITE_BYTES_MAX];
    uint8_t *at = bytes;
    *at++ = VERSION;
    at = put(at, invite->node.bytes, sizeof invite->node.bytes);
    at = put(at, invite->author.bytes, sizeof invite->author.bytes);
    at = put(at, invite->secret, sizeof invite->secret);
    parley_put_u32(at, (uint32_t)(invite->expires / MINUTE_MS));
    at += 4;
    for (size_t i = 0; i < invite->places_count; i++)
        at = put_place(at, bytes + sizeof bytes, &invite->places[i]);
    make_check(at, PARLEY_SPAN(bytes, (size_t)(at - bytes)));
    at += CHECK_SIZE;
    memcpy(text, PREFIX, PREFIX_SIZE);
    (void)sodium_bin2base64(text + PREFIX_SIZE, INVITE_TEXT_SIZE - PREFIX_SIZE, bytes,
                            (size_t)(at - bytes), VARIANT);
    parley_wipe(bytes, sizeof bytes);
}

/* --- decoding --------------------------------------------------------------------------------- */

static bool is_blank(uint8_t letter) {
    return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
}

static struct parley_span trim(struct parley_span text) {
    while (text.size > 0 && is_blank(text.data[0]))
        text = PARLEY_SPAN(text.data + 1, text.size - 1);
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

static const uint8_t *take(void *out, const uint8_t *at, size_t size) {
    memcpy(out, at, size);
    return at + size;
}

static enum parley_error read_places(struct parley_invite *invite, const uint8_t *at,
                                     const uint8_t *end) {
    while (at < end) {
        struct parley_address *place = &invite->places[invite->places_count];
        size_t size = *at++;
        if (size > (size_t)(end - at) || invite->places_count == INVITE_PLACES_MAX ||
            parley_place_decode(place, PARLEY_SPAN(at, size)).error != PARLEY_E_OK)
            return PARLEY_E_BAD_INPUT;
        place->key = invite->node;
        invite->places_count++;
        at += size;
    }
    return invite->places_count == 0 ? PARLEY_E_BAD_INPUT : PARLEY_E_OK;
}

static enum parley_error read_bytes(struct parley_invite *invite, const uint8_t *bytes,
                                    size_t size) {
    uint8_t check[CHECK_SIZE];
    if (size < 1 + CHECK_SIZE)
        return PARLEY_E_BAD_TEXT;
    size -= CHECK_SIZE;
    make_check(check, PARLEY_SPAN(bytes, size));
    if (memcmp(check, bytes + size, CHECK_SIZE) != 0)
        return PARLEY_E_BAD_CHECKSUM;
    if (bytes[0] != VERSION)
        return PARLEY_E_BAD_VERSION;
    if (size < FIXED_SIZE)
        return PARLEY_E_BAD_TEXT;
    const uint8_t *at = take(invite->node.bytes, bytes + 1, sizeof invite->node.bytes);
    at = take(invite->author.bytes, at, sizeof invite->author.bytes);
    at = take(invite->secret, at, sizeof invite->secret);
    invite->expires = (parley_time_ms)parley_get_u32(at) * MINUTE_MS;
    return read_places(invite, at + 4, bytes + size);
}

enum parley_error parley_invite_decode(struct parley_invite *invite, struct parley_span text) {
    uint8_t bytes[INVITE_BYTES_MAX];
    const char *end = NULL;
    size_t size = 0;
    memset(invite, 0, sizeof *invite);
    text = trim(text);
    if (text.size <= PREFIX_SIZE || memcmp(text.data, PREFIX, PREFIX_SIZE) != 0)
        return PARLEY_E_BAD_TEXT;
    const char *letters = (const char *)text.data + PREFIX_SIZE;
    size_t letters_count = text.size - PREFIX_SIZE;
    if (sodium_base642bin(bytes, sizeof bytes, letters, letters_count, NULL, &size, &end,
                          VARIANT) != 0 ||
        end != letters + letters_count)
        return PARLEY_E_BAD_TEXT;
    enum parley_error error = read_bytes(invite, bytes, size);
    parley_wipe(bytes, sizeof bytes);
    if (error != PARLEY_E_OK)
        parley_wipe(invite, sizeof *invite);
    return error;
}
