/* The device of a home that turns out to be a copy: a new one takes its place, of the same person,
 * with a log of its own. The old log stays what it is and is read like any other.
 */
#include "disk.h"
#include "home.h"
#include "key_file.h"
#include "lease.h"
#include "log.h"
#include <parley/crypto.h>
#include <parley/identity.h>
#include <unistd.h>

static void use_device(struct parley_home *home, const struct parley_seed *seed) {
    parley_key_pair(&home->device_secret, home->device.bytes, seed);
    parley_log_derive(&home->log, &home->author, &home->device);
}

/* The certificate before the key: a key without one could sign nothing that anybody takes. */
static enum parley_error store_certificate(const struct parley_home *home,
                                           struct parley_problem *problem) {
    uint8_t bytes[PARLEY_STATEMENT_BYTES_MAX];
    char path[PATH_MAX];
    struct parley_span record;
    struct parley_disk disk;
    enum parley_error error =
        parley_certificate_make(&record, bytes, sizeof bytes, &home->root_secret,
                                &home->device_secret, &home->author, home->root_generation);
    if (error != PARLEY_E_OK || !parley_home_file(path, home, "db"))
        return parley_problem_set(problem, error, "a new device cannot be certified: %s",
                                  parley_strerror(error));
    error = parley_disk_open(&disk, path, false, problem);
    if (error != PARLEY_E_OK)
        return error;
    error = parley_disk_put_record(&disk, &home->author, record, problem);
    parley_disk_close(&disk);
    return error;
}

static enum parley_error write_key(const struct parley_home *home, const struct parley_seed *seed,
                                   struct parley_problem *problem) {
    struct parley_key_file key = {
        .kind = PARLEY_KEY_FILE_DEVICE, .author = home->author, .seed = *seed};
    char path[PATH_MAX];
    enum parley_error error = PARLEY_E_DISK_FAILED;
    if (parley_home_file(path, home, "device.key"))
        error = parley_key_file_write(path, &key, problem);
    parley_wipe(&key, sizeof key);
    return error;
}

static enum parley_error replace_device(struct parley_home *home, struct parley_problem *problem) {
    struct parley_seed seed;
    enum parley_lease lease;
    if (home->lease_lock >= 0)
        close(home->lease_lock);
    home->lease_lock = -1;
    randombytes_buf(seed.bytes, sizeof seed.bytes);
    use_device(home, &seed);
    enum parley_error error = store_certificate(home, problem);
    if (error == PARLEY_E_OK)
        error = write_key(home, &seed, problem);
    if (error == PARLEY_E_OK)
        error = parley_lease_take(&lease, &home->lease_lock, home->path, &home->device, problem);
    parley_wipe(&seed, sizeof seed);
    return error;
}

enum parley_error parley_home_check_lease(struct parley_home *home,
                                          struct parley_problem *problem) {
    enum parley_lease lease = PARLEY_LEASE_NOWHERE;
    enum parley_error error =
        parley_lease_take(&lease, &home->lease_lock, home->path, &home->device, problem);
    /* A disk that takes no write can still be read from: nothing will be signed on it. */
    if (error == PARLEY_E_DISK_FULL) {
        home->has_device = false;
        parley_log_line(PARLEY_LOG_WARNING, "the disk is full: read-only until the next start");
        return PARLEY_E_OK;
    }
    if (error != PARLEY_E_OK || lease == PARLEY_LEASE_SAME || lease == PARLEY_LEASE_FRESH)
        return error;
    if (lease == PARLEY_LEASE_NOWHERE) {
        parley_log_line(PARLEY_LOG_INFO, "nothing can be kept outside of the home, so a copy of it "
                                         "would not be noticed: use one at a time");
        return PARLEY_E_OK;
    }
    if (home->has_root) {
        parley_log_line(PARLEY_LOG_WARNING, "this home is a copy or was put back from a backup: "
                                            "posts go on in a new log of the same author");
        return replace_device(home, problem);
    }
    home->has_device = false;
    parley_log_line(PARLEY_LOG_WARNING,
                    "this home is a copy or was put back from a backup, and its "
                    "root key is not here: read-only; put root.key into %s",
                    home->path);
    return PARLEY_E_OK;
}
