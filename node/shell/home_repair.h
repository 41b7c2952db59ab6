/* Repairing the database of a home, on the owner's explicit word. */
#ifndef PARLEY_HOME_REPAIR_H
#define PARLEY_HOME_REPAIR_H

#include "problem.h"
#include <limits.h>
#include <parley/store.h>

struct parley_repair {
    char copy[PATH_MAX]; /* where the database lies as it was; "": nothing was changed */
    bool has_commits_before;
    uint64_t commits_before; /* that were acknowledged, at least */
    uint64_t commits;        /* that are there now: fewer are gone without a trace */
    bool ends_log;           /* the device's log ends: a new one goes on (SPEC 4) */
};

/* Takes the home's lock; no node may run. Copies HOME/db to the first free HOME/db.before-repair-N,
 * spends the device's lease, lets LevelDB repair what it can, and then parley_store_repair.
 * on_damage hears of each loss. Errors: NO_IDENTITY, STORE_LOCKED, STORE_MISSING, DISK_FULL,
 * DISK_FAILED (the copy comes first: nothing else was changed then), STORE_DAMAGED, NO_MEMORY. */
PARLEY_USE_RESULT enum parley_error parley_home_repair(struct parley_repair *repair,
                                                       const char *path,
                                                       parley_store_on_damage *on_damage,
                                                       void *context,
                                                       struct parley_problem *problem);

#endif
