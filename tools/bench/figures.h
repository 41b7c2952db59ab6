/* What the benches share: a clock, and chance that is the same in every run. */
#ifndef PARLEY_BENCH_FIGURES_H
#define PARLEY_BENCH_FIGURES_H

#include <stdint.h>
#include <time.h>

/* Marsaglia's xorshift64. */
static inline uint64_t next_chance(void) {
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static inline double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#endif
