/* The device of a home: a copy of a home gets another one, of the same person, with a log of its
 * own. The old log stays what it is and is read like any other.
 */
#include "disk.h"
#include "home.h"
#include "key_file.h"
#include "lease.h"
#include "log.h"
#include <parley/crypto.h>
#include <unistd.h>

/* --- a new device ----------------------------------------------------------------------------- */

enum parley_error parley_new_device_make(struct parley_new_device *device,
                                         const struct parley_home *home,
                                         struct parley_problem *problem) {
    struct parley_secret_key secret;
    uint8_t public_key[32];
    randombytes_buf(device->seed.bytes, sizeof device->seed.bytes);
    parley_key_pair(&secret, public_key, &device->seed);
    enum parley_error error = parley_certificate_make(
        &device->certificate, device->certificate_bytes, sizeof device->certificate_bytes,
        &home->root_secret, &secret, &home->author, home->root_generation);
    parley_wipe(&secret, sizeof secret);
    if (error == PARLEY_E_OK)
        return error;
    return parley_problem_set(problem, error, "a new device cannot be certified: %s",
                              parley_strerror(error));
}

static void use_seed(struct parley_home *home, const struct parley_seed *seed) {
    parley_key_pair(&home->device_secret, home->device.bytes, seed);
    parley_log_derive(&home->log, &home->author, &home->device);
    home->has_device = true;
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

static void drop_lease(struct parley_home *home) {
    if (home->lease_lock >= 0)
        close(home->lease_lock);
    home->lease_lock = -1;
}

enum parley_error parley_new_device_use(struct parley_home *home,
                                        const struct parley_new_device *device,
                                        struct parley_problem *problem) {
    enum parley_lease lease;
    enum parley_error error = write_key(home, &device->seed, problem);
    if (error != PARLEY_E_OK)
        return error;
    drop_lease(home);
    use_seed(home, &device->seed);
    return parley_lease_take(&lease, &home->lease_lock, home->path, &home->device, false, problem);
}

/* --- a copy ----------------------------------------------------------------------------------- */

/* The certificate before the key: a key without one could sign nothing that anybody takes. */
static enum parley_error store_certificate(const struct parley_home *home,
                                           const struct parley_new_device *device,
                                           struct parley_problem *problem) {
    char path[PATH_MAX];
    struct parley_disk disk;
    if (!parley_home_file(path, home, "db"))
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT, "the home's path is too long");
    enum parley_error error = parley_disk_open(&disk, path, false, 0, problem);
    if (error != PARLEY_E_OK)
        return error;
    error = parley_disk_put_record(&disk, &home->author, device->certificate, problem);
    parley_disk_close(&disk);
    return error;
}

static enum parley_error replace_device(struct parley_home *home, struct parley_problem *problem) {
    struct parley_new_device device;
    enum parley_error error = parley_new_device_make(&device, home, problem);
    if (error == PARLEY_E_OK)
        error = store_certificate(home, &device, problem);
    if (error == PARLEY_E_OK)
        error = parley_new_device_use(home, &device, problem);
    parley_wipe(&device, sizeof device);
    return error;
}

static enum parley_error answer_copy(struct parley_home *home, struct parley_problem *problem) {
    if (home->has_root) {
        parley_log_line(PARLEY_LOG_WARNING, "this home is a copy or was put back from a backup: "
                                            "posts go on in a new log of the same author");
        return replace_device(home, problem);
    }
    home->has_device = false;
    parley_log_line(PARLEY_LOG_WARNING,
                    "this home is a copy or was put back from a backup, and its "
                    "root key is not here: read-only; put root.key into %s, or type: parley "
                    "recover",
                    home->path);
    return PARLEY_E_OK;
}

enum parley_error parley_home_check_lease(struct parley_home *home, bool same_device,
                                          struct parley_problem *problem) {
    enum parley_lease lease = PARLEY_LEASE_NOWHERE;
    enum parley_error error = parley_lease_take(&lease, &home->lease_lock, home->path,
                                                &home->device, same_device, problem);
    /* A disk that takes no write can still be read from: nothing will be signed on it. */
    if (error == PARLEY_E_DISK_FULL) {
        home->has_device = false;
        parley_log_line(PARLEY_LOG_WARNING, "the disk is full: read-only until the next start");
        return PARLEY_E_OK;
    }
    if (error != PARLEY_E_OK)
        return error;
    switch (lease) {
    case PARLEY_LEASE_SAME:
    case PARLEY_LEASE_FRESH:
        break;
    case PARLEY_LEASE_MOVED:
        parley_log_line(PARLEY_LOG_WARNING, "this home goes on as the same device: where it was "
                                            "before it must never be started again");
        break;
    case PARLEY_LEASE_NOWHERE:
        parley_log_line(PARLEY_LOG_INFO, "nothing can be kept outside of the home, so a copy of it "
                                         "would not be noticed: use one at a time");
        break;
    case PARLEY_LEASE_OTHER:
        return answer_copy(home, problem);
    }
    return PARLEY_E_OK;
}
