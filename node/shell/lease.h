/* Whether this home is the one that its device's log was last written from.
 *
 * A log that is continued from a copy or an old backup forks. So a turn, drawn at random at each
 * opening and each clean closing, stands in the home and, with the machine's id, outside of it.
 * Only where both are the same does a device go on with its log. The one inside is written first
 * and names the turn before it: a change that was cut off between the two files, however often,
 * goes on from the one outside, and of a home and its copy only the first to reach the file outside
 * does. A lock beside the file outside tells a copy of a home that is in use. Not seen: a copy
 * taken from a running node that was then killed, and a whole machine rolled back.
 *
 *   HOME/lease
 *   $XDG_STATE_HOME/parley/lease-... (else ~/.local/state/parley)
 */
#ifndef PARLEY_LEASE_H
#define PARLEY_LEASE_H

#include "problem.h"
#include <parley/bytes.h>

enum parley_lease {
    PARLEY_LEASE_SAME,    /* go on; the next turn has been drawn and synced */
    PARLEY_LEASE_FRESH,   /* of this device nothing is known inside or outside; begun */
    PARLEY_LEASE_MOVED,   /* as SAME, on the owner's word alone */
    PARLEY_LEASE_OTHER,   /* a copy, or put back from a backup: this device must not write */
    PARLEY_LEASE_NOWHERE, /* nothing can be kept outside of the home: nothing is known */
};

/* *lock: a descriptor to be kept open while the device is in use, and closed after; -1 when there
 * is none. is_moved: the owner says that this home was moved and is the only one; what would be
 * OTHER is MOVED then, but for a device that was ended or is in use. Errors: DISK_FULL, DISK_FAILED
 * (the home itself cannot be written). */
PARLEY_USE_RESULT enum parley_error parley_lease_take(enum parley_lease *answer, int *lock,
                                                      const char *home,
                                                      const struct parley_device_key *device,
                                                      bool is_moved,
                                                      struct parley_problem *problem);
/* Ends the device: from now on it is OTHER, here and anywhere. For a home whose newest entries may
 * be lost. Errors: DISK_FULL, DISK_FAILED. */
PARLEY_USE_RESULT enum parley_error parley_lease_spend(const char *home,
                                                       const struct parley_device_key *device,
                                                       struct parley_problem *problem);
/* At a clean end, before the lock is closed: copies that were taken until now are behind. */
void parley_lease_end(const char *home, const struct parley_device_key *device);

#endif
