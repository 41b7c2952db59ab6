/* What `init` leaves in a home: an author's inception and the certificate of a device. */
#ifndef PARLEY_SIM_HOME_MAKE_H
#define PARLEY_SIM_HOME_MAKE_H

#include <parley/identity.h>
#include <parley/store.h>

/* False when the store did not take them. */
bool home_make(struct parley_store *store, const uint8_t entropy[PARLEY_ENTROPY_SIZE],
               const struct parley_author *author, const struct parley_secret_key *device);

#endif
