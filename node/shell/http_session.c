#include "http_session.h"
#include <parley/text.h>
#include <sodium.h>
#include <string.h>

#define NUMBER_BYTES 16u
#define END_BYTES    8u

/* Each half is a hash of its own, so that one tells nothing of the other. */
static const char COOKIE_ROLE[] = "parley page cookie";
static const char WORD_ROLE[] = "parley page word";

static void make_hash(uint8_t hash[32], const struct http_sessions *sessions, const char *role,
                      const uint8_t named[NUMBER_BYTES + END_BYTES]) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, sessions->key, sizeof(sessions->key), 32);
    crypto_generichash_update(&state, (const uint8_t *)role, strlen(role) + 1);
    crypto_generichash_update(&state, named, NUMBER_BYTES + END_BYTES);
    crypto_generichash_final(&state, hash, 32);
}

void http_sessions_set_key(struct http_sessions *sessions,
                           const uint8_t key[HTTP_SESSION_KEY_BYTES]) {
    memset(sessions, 0, sizeof(*sessions));
    memcpy(sessions->key, key, sizeof(sessions->key));
}

void http_sessions_open(struct http_sessions *sessions, char secret[HTTP_SECRET_SIZE],
                        const uint8_t random[16], parley_time_ms now) {
    struct http_opening *opening = &sessions->openings[sessions->openings_at];
    sessions->openings_at = (sessions->openings_at + 1) % HTTP_OPENINGS_MAX;
    parley_hex_encode(opening->secret, random, 16);
    opening->until = now + HTTP_OPENING_MS;
    memcpy(secret, opening->secret, HTTP_SECRET_SIZE);
}

/* NULL: no such link, or too late. */
static struct http_opening *find_opening(struct http_sessions *sessions, const char *secret,
                                         parley_time_ms now) {
    for (size_t i = 0; i < HTTP_OPENINGS_MAX; i++) {
        struct http_opening *opening = &sessions->openings[i];
        if (opening->secret[0] != '\0' && now < opening->until &&
            sodium_memcmp(opening->secret, secret, HTTP_SECRET_SIZE - 1) == 0)
            return opening;
    }
    return NULL;
}

bool http_sessions_enter(struct http_sessions *sessions, struct http_pass *pass, const char *secret,
                         const uint8_t random[16], parley_time_ms now) {
    uint8_t named[NUMBER_BYTES + END_BYTES], hash[32];
    struct http_opening *opening =
        strlen(secret) == HTTP_SECRET_SIZE - 1 ? find_opening(sessions, secret, now) : NULL;
    if (opening == NULL)
        return false;
    sodium_memzero(opening, sizeof(*opening));
    pass->until = now + HTTP_SESSION_MS;
    memcpy(named, random, NUMBER_BYTES);
    for (size_t i = 0; i < END_BYTES; i++)
        named[NUMBER_BYTES + i] = (uint8_t)(pass->until >> (8 * (END_BYTES - 1 - i)));
    make_hash(hash, sessions, COOKIE_ROLE, named);
    parley_hex_encode(pass->cookie, named, sizeof(named));
    parley_hex_encode(pass->cookie + 2 * sizeof(named), hash, sizeof(hash));
    make_hash(hash, sessions, WORD_ROLE, named);
    parley_hex_encode(pass->word, hash, sizeof(hash));
    return true;
}

static bool is_hash(const char *text, const struct http_sessions *sessions, const char *role,
                    const uint8_t named[NUMBER_BYTES + END_BYTES]) {
    uint8_t hash[32];
    char expected[HTTP_WORD_SIZE];
    make_hash(hash, sessions, role, named);
    parley_hex_encode(expected, hash, sizeof(hash));
    return sodium_memcmp(expected, text, HTTP_WORD_SIZE - 1) == 0;
}

static bool read_cookie(uint8_t named[NUMBER_BYTES + END_BYTES], parley_time_ms *until,
                        const char *cookie) {
    size_t size = 0, named_size = NUMBER_BYTES + END_BYTES;
    *until = 0;
    if (strlen(cookie) != HTTP_COOKIE_SIZE - 1 ||
        sodium_hex2bin(named, named_size, cookie, 2 * named_size, NULL, &size, NULL) != 0 ||
        size != named_size)
        return false;
    for (size_t i = 0; i < END_BYTES; i++)
        *until = *until << 8 | named[NUMBER_BYTES + i];
    return true;
}

bool http_sessions_is_fresh(const char *cookie, parley_time_ms now) {
    uint8_t named[NUMBER_BYTES + END_BYTES];
    parley_time_ms until;
    return read_cookie(named, &until, cookie) && now + HTTP_SESSION_MS < until + HTTP_FRESH_MS;
}

bool http_sessions_holds(const struct http_sessions *sessions, const char *cookie, const char *word,
                         parley_time_ms now) {
    uint8_t named[NUMBER_BYTES + END_BYTES];
    parley_time_ms until;
    if (!read_cookie(named, &until, cookie) || strlen(word) != HTTP_WORD_SIZE - 1)
        return false;
    bool is_own = is_hash(cookie + 2 * sizeof(named), sessions, COOKIE_ROLE, named);
    return is_hash(word, sessions, WORD_ROLE, named) && is_own && now < until;
}
