#include <parley/replay.h>

#include <assert.h>
#include <sodium.h>

static_assert(sizeof(((struct parley_replay *)0)->key) == crypto_shorthash_KEYBYTES,
              "SipHash takes the key as it is");

void parley_replay_init(struct parley_replay *replay, struct parley_random *random) {
    memset(replay, 0, sizeof *replay);
    parley_random_bytes(random, replay->key, sizeof replay->key);
}

static uint64_t mark_of(const struct parley_replay *replay, struct parley_span flight) {
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, flight.data, flight.size, replay->key);
    uint64_t mark = parley_get_u64(hash);
    return mark == 0 ? 1 : mark; /* 0 says that a place is empty */
}

/* A look at every mark costs a tenth of the two X25519 that come with it, and keeps the filter an
 * array that is its own encoding. */
static bool is_noted(const struct parley_replay *replay, uint64_t mark) {
    bool found = false;
    for (size_t i = 0; i < PARLEY_REPLAY_MARKS_COUNT; i++)
        found |= replay->marks[i] == mark;
    return found;
}

bool parley_replay_note(struct parley_replay *replay, struct parley_span flight) {
    uint64_t mark = mark_of(replay, flight);
    if (is_noted(replay, mark))
        return false;
    replay->marks[replay->noted % PARLEY_REPLAY_MARKS_COUNT] = mark;
    replay->noted++;
    return true;
}

void parley_replay_encode(const struct parley_replay *replay, uint8_t out[PARLEY_REPLAY_BYTES]) {
    memcpy(out, replay->key, sizeof replay->key);
    parley_put_u64(out + 16, replay->noted);
    for (size_t i = 0; i < PARLEY_REPLAY_MARKS_COUNT; i++)
        parley_put_u64(out + 24 + 8 * i, replay->marks[i]);
}

enum parley_error parley_replay_decode(struct parley_replay *replay, struct parley_span bytes) {
    if (bytes.size != PARLEY_REPLAY_BYTES)
        return bytes.size < PARLEY_REPLAY_BYTES ? PARLEY_E_TRUNCATED : PARLEY_E_TRAILING;
    memcpy(replay->key, bytes.data, sizeof replay->key);
    replay->noted = parley_get_u64(bytes.data + 16);
    for (size_t i = 0; i < PARLEY_REPLAY_MARKS_COUNT; i++)
        replay->marks[i] = parley_get_u64(bytes.data + 24 + 8 * i);
    return PARLEY_E_OK;
}
