/* Reconciliation as a puppet does it (SPEC 11): with a set of its own that the input chooses,
 * honestly, nearly so, or with ranges made of a few bytes. What is returned stands until the next
 * call. */
#ifndef PARLEY_TESTS_FUZZ_NODE_SESSION_H
#define PARLEY_TESTS_FUZZ_NODE_SESSION_H

#include "node_world.h"

/* One of RECONCILE, ASK_HEADS_OF, ASK_RUNS and RUNS. Of RECONCILE, a 0..7 opens a session, and all
 * others say one range of the form that it names. */
const struct parley_wire_message *session_make(struct puppet *puppet, enum parley_wire_type type,
                                               uint8_t a, uint8_t b);
/* An answer to one of these that the node sent; NULL: to none of them. how 0: as an honest peer who
 * has everything; else bits of what it has not, or has otherwise. */
const struct parley_wire_message *session_answer(struct puppet *puppet, const struct ask *ask,
                                                 uint8_t how);
/* What the last answer found is to be told whole; NULL: nothing. */
const struct parley_wire_message *session_findings(void);

#endif
