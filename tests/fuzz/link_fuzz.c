/* The link: no bytes of somebody without the keys open anything or draw an answer. SPEC 8. */
#include "fuzz.h"

#include "../proto/link_pair.h"

static uint8_t scratch[PARLEY_MESSAGE_BYTES_MAX];

/* Feeds all bytes, in two parts; counts what came out. */
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

static void pass_flight(struct parley_link *to, struct parley_replay *replay, const uint8_t *flight,
                        size_t size, struct parley_link_step *step) {
    FUZZ_HOLDS(parley_link_receive(to, replay, PARLEY_SPAN(flight, size), scratch, step) ==
               PARLEY_E_OK);
    FUZZ_HOLDS(step->consumed == size);
}

struct ends {
    struct parley_link fresh_listener, waiting_dialler, open_listener;
    struct parley_replay replay;
};

/* Made once: each input begins with copies of these. */
static const struct ends *ends_of_links(void) {
    static struct ends ends;
    static bool is_made;
    if (is_made)
        return &ends;
    struct parley_random random;
    struct parley_link_step step, answer;
    uint8_t flight[PARLEY_LINK_FLIGHT_MAX];
    size_t size;
    FUZZ_HOLDS(parley_crypto_self_test() == PARLEY_E_OK);
    parley_random_init(&random, &(struct parley_seed){{7}});
    parley_replay_init(&ends.replay, &random);
    ends.fresh_listener = listener_of(1, 11, strlen(PRELUDE));
    ends.waiting_dialler = dialler_of(2, 1, 12, PARLEY_SPAN(PRELUDE, strlen(PRELUDE)));
    FUZZ_HOLDS(parley_link_start(&ends.waiting_dialler, flight, &size) == PARLEY_E_OK);
    ends.open_listener = ends.fresh_listener;
    struct parley_link dialler = ends.waiting_dialler;
    struct parley_replay replay = ends.replay;
    pass_flight(&ends.open_listener, &replay, flight, size, &answer);
    pass_flight(&dialler, NULL, answer.flight, answer.flight_size, &step);
    memcpy(flight, step.flight, step.flight_size);
    size = step.flight_size;
    pass_flight(&ends.open_listener, &replay, flight, size, &answer);
    FUZZ_HOLDS(ends.open_listener.state == PARLEY_LINK_OPEN);
    is_made = true;
    return &ends;
}

void fuzz_target(struct parley_span bytes) {
    const struct ends *ends = ends_of_links();
    struct parley_link link = ends->fresh_listener;
    struct parley_replay replay = ends->replay;
    feed(&link, &replay, bytes);
    FUZZ_HOLDS(link.state == PARLEY_LINK_HANDSHAKING || link.state == PARLEY_LINK_MUTED);
    link = ends->waiting_dialler;
    feed(&link, NULL, bytes);
    FUZZ_HOLDS(link.state == PARLEY_LINK_HANDSHAKING || link.state == PARLEY_LINK_FAILED);
    link = ends->open_listener;
    feed(&link, &replay, bytes);
    FUZZ_HOLDS(link.state == PARLEY_LINK_OPEN || link.state == PARLEY_LINK_FAILED);
}
