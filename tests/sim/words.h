/* What must hold of the bodies on every disk. */
#ifndef PARLEY_SIM_WORDS_H
#define PARLEY_SIM_WORDS_H

#include "sim.h"

/* An entry of an honest log as it is on the disk: without its body only where the author took it
 * back or the store says that it lacks; without it where the erasure is and its time has come. */
void words_check(struct sim *sim, uint32_t node, struct sim_log *log,
                 const struct parley_store_log *held, const struct parley_entry *entry);
/* That nobody who wants an author lacks a body of an honest log that reaches them from who has it;
 * else says in `why` who does. */
bool words_are_whole(struct sim *sim, char *why, size_t why_size);

#endif
