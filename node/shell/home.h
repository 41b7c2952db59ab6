/* A person's or relay's home directory: where it is, the keys in it, and that only one process
 * uses it.
 *
 *   node.key    the node's Ed25519 seed
 *   device.key  the author and the device's seed; missing in a relay's home
 *   root.key    author, generation and root key; missing when the owner keeps it elsewhere
 *   marker      a database was made here once and must exist
 *   db/         the database; db.before-repair-N as it was before a repair
 *   lock        held by the process that uses the home
 *   lease       see lease.h
 *   invites     see invites.h
 *   api.sock, api.token
 *
 * Directory 0700, files 0600: a key file that others may read is refused. Key files are text with
 * a version and a checksum, so that a damaged one is named. Nothing secret but these three seeds is
 * kept; the recovery words never touch the disk.
 */
#ifndef PARLEY_HOME_H
#define PARLEY_HOME_H

#include "problem.h"
#include <limits.h>
#include <parley/bytes.h>
#include <parley/identity.h>
#include <parley/text.h>

/* Holds secrets: clear with parley_home_close. */
struct parley_home {
    char path[PATH_MAX];
    int lock;       /* descriptor, -1: not held */
    int lease_lock; /* the same, see lease.h */
    struct parley_secret_key node_secret;
    struct parley_node_key node;
    bool has_author; /* of a person; false in a relay's home */
    struct parley_author author;
    bool has_device; /* the fields below; false also in a copy whose root key is not here */
    struct parley_secret_key device_secret;
    struct parley_device_key device;
    struct parley_log log;
    bool has_root;
    struct parley_secret_key root_secret;
    uint8_t root_generation;
};

/* What stands in a directory, without opening anything. */
struct parley_home_state {
    bool has_node_key;
    bool has_device_key;
    bool has_marker;
    bool has_database;
    bool has_lease; /* a device key was made here once */
};

/* The path: option if not NULL, else $PARLEY_HOME, else $XDG_DATA_HOME/parley, else
 * ~/.local/share/parley; made absolute. Errors: BAD_INPUT (too long, or no home to be found). */
PARLEY_USE_RESULT enum parley_error parley_home_resolve(char path[PATH_MAX], const char *option,
                                                        struct parley_problem *problem);
void parley_home_inspect(struct parley_home_state *state, const char *path);
/* NO_IDENTITY, in words: what is missing there, and what makes it; DISK_FAILED where nobody may
 * look. */
PARLEY_USE_RESULT enum parley_error parley_home_without_person(const char *path,
                                                               struct parley_problem *problem);

/* Makes a person's home: roots from fresh entropy, the first device, the node key, and the
 * database with the inception and the device's certificate in it, all synced. words receives the
 * recovery words: show them once, then parley_wipe them. The home is left closed.
 * Errors: HAS_IDENTITY, STORE_LOCKED, DISK_FULL, DISK_FAILED. */
PARLEY_USE_RESULT enum parley_error parley_home_init(const char *path,
                                                     char words[PARLEY_WORDS_TEXT_SIZE],
                                                     struct parley_problem *problem);
/* The same on an empty machine, from the words of somebody who was here before: their roots, a new
 * device. Of generation 0, as if nothing was ever rotated: what has happened since, peers tell.
 * Errors: as above. */
PARLEY_USE_RESULT enum parley_error parley_home_recover(const char *path,
                                                        const uint8_t entropy[PARLEY_ENTROPY_SIZE],
                                                        struct parley_problem *problem);
/* Makes the home of a further device, whose certificate another machine is to make: a device key,
 * and no root. Errors: as above. */
PARLEY_USE_RESULT enum parley_error parley_home_join(const char *path,
                                                     const struct parley_author *author,
                                                     struct parley_problem *problem);
/* Makes a relay's home: node key and database. Errors: as above; STORE_MISSING when a marker says
 * that there was a database. */
PARLEY_USE_RESULT enum parley_error parley_home_init_relay(const char *path,
                                                           struct parley_problem *problem);

/* Takes the lock, reads the keys, and makes sure that the device may go on with its log (SPEC 4: a
 * copied home never forks). In a copy, or a home put back from a backup, a new device is made with
 * the root key and said so in the log; without the root key has_device is false: read-only.
 * same_device: the owner says that it was moved, and goes on with its log. Errors: NO_IDENTITY (no
 * node key here), STORE_LOCKED, STORE_MISSING (no database), BAD_INPUT (a key file open to others),
 * STORE_DAMAGED (a key file damaged), DISK_FAILED. */
PARLEY_USE_RESULT enum parley_error parley_home_open(struct parley_home *home, const char *path,
                                                     bool same_device,
                                                     struct parley_problem *problem);
/* Lock and keys alone: neither the database nor the lease is looked at. Nothing may be signed.
 * Errors: as above, but for the database. */
PARLEY_USE_RESULT enum parley_error
parley_home_open_keys(struct parley_home *home, const char *path, struct parley_problem *problem);
/* What parley_home_open does about a copy; home has its keys. */
PARLEY_USE_RESULT enum parley_error
parley_home_check_lease(struct parley_home *home, bool same_device, struct parley_problem *problem);
/* Device and root key again, which a command has changed. *is_other: the device is another one, and
 * its lease is taken. Errors: as of parley_home_open; BAD_INPUT when they are another author's;
 * after one, the home is as before. */
PARLEY_USE_RESULT enum parley_error parley_home_read_again(struct parley_home *home, bool *is_other,
                                                           struct parley_problem *problem);

/* A device that takes the place of the home's: a fresh key and its certificate by the home's root
 * key, which stands in the store before the key is used. Secret: wipe it. */
struct parley_new_device {
    struct parley_seed seed;
    uint8_t certificate_bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_span certificate;
};
PARLEY_USE_RESULT enum parley_error parley_new_device_make(struct parley_new_device *device,
                                                           const struct parley_home *home,
                                                           struct parley_problem *problem);
/* Into device.key, with a lease of its own. */
PARLEY_USE_RESULT enum parley_error parley_new_device_use(struct parley_home *home,
                                                          const struct parley_new_device *device,
                                                          struct parley_problem *problem);

/* The lock alone, for whoever makes a home. The directory must exist. */
PARLEY_USE_RESULT enum parley_error parley_home_lock(struct parley_home *home, const char *path,
                                                     struct parley_problem *problem);
/* Wipes the keys and gives the lock back. */
void parley_home_close(struct parley_home *home);

/* HOME/name into path. False when it is too long. */
PARLEY_USE_RESULT bool parley_home_file(char path[PATH_MAX], const struct parley_home *home,
                                        const char *name);

#endif
