/* An engine that cannot read some of the keys of another one: a store with damage in it. One at a
 * time. */
#ifndef PARLEY_TESTS_DAMAGED_KV_H
#define PARLEY_TESTS_DAMAGED_KV_H

#include "../../node/store/internal.h"

/* whole stays the caller's; all can be read so far. */
struct parley_kv *damaged_kv_around(struct parley_kv *whole);

/* Keys that begin with that letter cannot be read; a scan goes on behind them, where that is asked
 * for. What was damaged before is not any more. */
void damage(char letter);
/* Nor can it be told which of them there are. */
void damage_range(char letter);
/* Of those that end with a seq that one alone. */
void damage_row(char letter, parley_seq seq);
/* The segment that begins there. */
void damage_entry(parley_seq seq);
void damage_nothing(void);

#endif
