/* The filter of first flights: bytes and filter are a bijection, and it remembers exactly the last
 * so many. SPEC 8.5.
 *
 * An input is the filter's head (key, count), how its marks repeat, and flights of one byte each
 * to be noted. Tried against a list of what was noted last. The filter is small here (meson.build),
 * so that an input goes around it.
 */
#include "fuzz.h"

#include <parley/crypto.h>
#include <parley/replay.h>

#define HEAD_SIZE    24u
#define PATTERN_SIZE 16u
#define FLIGHTS_MAX  (3u * PARLEY_REPLAY_MARKS_COUNT)

static uint8_t form[PARLEY_REPLAY_BYTES + PATTERN_SIZE], again[PARLEY_REPLAY_BYTES];
static struct parley_replay replay, other;

/* The whole form from few bytes. */
static void make_form(struct parley_span bytes) {
    memcpy(form, bytes.data, HEAD_SIZE);
    for (size_t at = HEAD_SIZE; at < PARLEY_REPLAY_BYTES; at += PATTERN_SIZE)
        memcpy(form + at, bytes.data + HEAD_SIZE, PATTERN_SIZE);
    form[PARLEY_REPLAY_BYTES] = 0;
}

static void try_sizes(void) {
    other.noted = 77;
    FUZZ_HOLDS(parley_replay_decode(&other, PARLEY_SPAN(form, PARLEY_REPLAY_BYTES - 1)) ==
               PARLEY_E_TRUNCATED);
    FUZZ_HOLDS(parley_replay_decode(&other, PARLEY_SPAN(form, PARLEY_REPLAY_BYTES + 1)) ==
               PARLEY_E_TRAILING);
    FUZZ_HOLDS(other.noted == 77);
    FUZZ_HOLDS(parley_replay_decode(&replay, PARLEY_SPAN(form, PARLEY_REPLAY_BYTES)) ==
               PARLEY_E_OK);
    parley_replay_encode(&replay, again);
    FUZZ_HOLDS(memcmp(form, again, sizeof again) == 0);
}

/* A flight is new unless it is one of the newest that were noted; a filter that was kept and read
 * again knows them, too. */
static void note_flights(struct parley_span flights) {
    size_t noted_at[256] = {0}; /* its number among those noted, from 1; 0: never */
    size_t noted = 0;
    uint64_t before = replay.noted;
    size_t count = flights.size < FLIGHTS_MAX ? flights.size : FLIGHTS_MAX;
    for (size_t i = 0; i < count; i++) {
        uint8_t flight = flights.data[i];
        size_t at = noted_at[flight];
        bool is_held = at > 0 && noted - at < PARLEY_REPLAY_MARKS_COUNT;
        bool is_new = parley_replay_note(&replay, PARLEY_SPAN(&flight, 1));
        /* The marks it began with may be those of a flight, until they are all gone. */
        FUZZ_HOLDS(is_held ? !is_new : is_new || noted < PARLEY_REPLAY_MARKS_COUNT);
        if (is_new)
            noted_at[flight] = ++noted;
        FUZZ_HOLDS(replay.noted == before + noted);
        FUZZ_HOLDS(!parley_replay_note(&replay, PARLEY_SPAN(&flight, 1)));
    }
    if (count == 0)
        return;
    parley_replay_encode(&replay, again);
    FUZZ_HOLDS(parley_replay_decode(&other, PARLEY_SPAN(again, sizeof again)) == PARLEY_E_OK);
    FUZZ_HOLDS(!parley_replay_note(&other, PARLEY_SPAN(flights.data + count - 1, 1)));
}

/* A filter that is empty takes exactly as many as it has places, then forgets the oldest first. */
static void fill_up(void) {
    struct parley_random random;
    uint8_t flight[4];
    parley_random_init(&random, &(struct parley_seed){{3}});
    parley_replay_init(&replay, &random);
    for (uint32_t i = 0; i < PARLEY_REPLAY_MARKS_COUNT + 1; i++) {
        parley_put_u32(flight, i);
        FUZZ_HOLDS(parley_replay_note(&replay, PARLEY_SPAN(flight, sizeof flight)));
    }
    parley_put_u32(flight, 1);
    FUZZ_HOLDS(!parley_replay_note(&replay, PARLEY_SPAN(flight, sizeof flight)));
    parley_put_u32(flight, 0);
    FUZZ_HOLDS(parley_replay_note(&replay, PARLEY_SPAN(flight, sizeof flight)));
}

void fuzz_target(struct parley_span bytes) {
    if (bytes.size == 0)
        fill_up();
    if (bytes.size < HEAD_SIZE + PATTERN_SIZE)
        return;
    make_form(bytes);
    try_sizes();
    note_flights(
        PARLEY_SPAN(bytes.data + HEAD_SIZE + PATTERN_SIZE, bytes.size - HEAD_SIZE - PATTERN_SIZE));
}
