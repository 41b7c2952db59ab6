/* A fuzz target for each parser. A target takes any bytes and ends the process when something does
 * not hold; beyond "does not crash", each one states what must be true of whatever it accepts.
 *
 * Two programs come of each: NAME_replay, a plain main, runs in the test run over all vectors and
 * their damaged forms; NAME_fuzz is libFuzzer's, in a clang build with sanitizers.
 */
#ifndef PARLEY_TESTS_FUZZ_H
#define PARLEY_TESTS_FUZZ_H

#include <parley/bytes.h>
#include <stdio.h>
#include <stdlib.h>

#define FUZZ_HOLDS(claim) ((claim) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #claim))

static inline void fuzz_broken(const char *file, int line, const char *claim) {
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, claim);
    abort();
}

/* What one file of targets defines. */
void fuzz_target(struct parley_span bytes);

#endif
