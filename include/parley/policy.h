/* What an author's identity records say of one log, as plain data: the identity set answers it and
 * the judge of a log takes it. SPEC 4.7.
 */
#ifndef PARLEY_POLICY_H
#define PARLEY_POLICY_H

#include <parley/bytes.h>

enum parley_policy_kind {
    PARLEY_POLICY_VOID,   /* nothing of the log is good */
    PARLEY_POLICY_CLOSED, /* good is exactly what id, the entry at seq >= 1, commits to */
    PARLEY_POLICY_OPEN, /* good is what id at seq commits to, and what is built on it; seq 0: all */
};

struct parley_policy {
    enum parley_policy_kind kind;
    parley_seq seq;      /* 0 when void, or when open from the start */
    struct parley_id id; /* zero exactly when seq is 0 */
};

#define PARLEY_NO_POLICY ((struct parley_policy){PARLEY_POLICY_VOID, 0, {{0}}})

static inline bool parley_policy_equal(const struct parley_policy *a,
                                       const struct parley_policy *b) {
    return a->kind == b->kind && a->seq == b->seq && PARLEY_EQUAL(a->id, b->id);
}

#endif
