#include "lease.h"
#include "key_file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <parley/crypto.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BYTES     8 /* of the device's hash: names a file, decides nothing */
#define MACHINE_BYTES  16
#define TURN_BYTES     16
#define FILE_BYTES_MAX 512
/* In the place of a machine, which is hex. */
#define SPENT "spent"

struct lease {
    char device[2 * NAME_BYTES + 1];
    char machine[2 * MACHINE_BYTES + 1];
    char turn[2 * TURN_BYTES + 1];   /* drawn at each change: a count alone can be reached twice */
    char before[2 * TURN_BYTES + 1]; /* the turn that stood outside when this one was drawn */
    uint64_t counter;                /* for people: how often */
};
/* Of a first one. */
#define NO_TURN "none"

static void hash_text(char *text, size_t bytes_count, const char *domain, struct parley_span part) {
    uint8_t hash[32];
    parley_hash_one(hash, domain, part);
    parley_hex_encode(text, hash, bytes_count);
}

static ssize_t read_small(char *bytes, size_t size_max, const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    ssize_t size = read(file, bytes, size_max);
    close(file);
    return size;
}

/* The machine's id is nobody's business, so a hash of it stands in the files. A machine without
 * one is told from others by the file outside alone. */
static void this_machine(char text[2 * MACHINE_BYTES + 1]) {
    char id[64];
    ssize_t size = read_small(id, sizeof id, "/etc/machine-id");
    hash_text(text, MACHINE_BYTES, "parley lease machine", PARLEY_SPAN(id, size < 0 ? 0 : size));
}

/* --- files ------------------------------------------------------------------------------------ */

static bool make_directories(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool is_there = mkdir(path, 0700) == 0 || errno == EEXIST;
        *slash = '/';
        if (!is_there)
            return false;
    }
    return true;
}

static bool outside_path(char path[PATH_MAX], const char *device) {
    const char *state = getenv("XDG_STATE_HOME");
    const char *user = getenv("HOME");
    const struct passwd *entry = user == NULL ? getpwuid(geteuid()) : NULL;
    if (entry != NULL)
        user = entry->pw_dir;
    int size = -1;
    if (state != NULL && state[0] == '/')
        size = snprintf(path, PATH_MAX, "%s/parley/lease-%s", state, device);
    else if (user != NULL && user[0] == '/')
        size = snprintf(path, PATH_MAX, "%s/.local/state/parley/lease-%s", user, device);
    return size > 0 && size < PATH_MAX && make_directories(path);
}

static bool lease_read(struct lease *lease, const char *path) {
    char text[FILE_BYTES_MAX];
    ssize_t size = read_small(text, sizeof text - 1, path);
    if (size < 0)
        return false;
    text[size] = '\0';
    return sscanf(text,
                  "parley lease 1 device %16s machine %32s turn %32s before %32s counter %" SCNu64,
                  lease->device, lease->machine, lease->turn, lease->before, &lease->counter) == 5;
}

static enum parley_error lease_write(const char *path, const struct lease *lease,
                                     struct parley_problem *problem) {
    char text[FILE_BYTES_MAX];
    int size =
        snprintf(text, sizeof text,
                 "parley lease 1\ndevice %s\nmachine %s\nturn %s\nbefore %s\ncounter %" PRIu64 "\n",
                 lease->device, lease->machine, lease->turn, lease->before, lease->counter);
    return parley_file_write(path, PARLEY_SPAN(text, size), problem);
}

/* --- the verdict ------------------------------------------------------------------------------ */

static bool is_same(const struct lease *inside, const struct lease *outside,
                    const struct lease *own) {
    bool is_here =
        strcmp(inside->machine, own->machine) == 0 && strcmp(outside->machine, own->machine) == 0;
    /* The second: a change that was cut off after the first of its two writes. */
    return is_here &&
           (strcmp(inside->turn, outside->turn) == 0 || strcmp(inside->before, outside->turn) == 0);
}

static void draw_turn(struct lease *own, const struct lease *outside, uint64_t counter) {
    uint8_t bytes[TURN_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    parley_hex_encode(own->turn, bytes, sizeof bytes);
    if (outside == NULL)
        memcpy(own->before, NO_TURN, sizeof NO_TURN);
    else
        memcpy(own->before, outside->turn, sizeof own->before);
    own->counter = counter;
}

/* What own says next is drawn. */
static enum parley_lease judge(struct lease *own, const char *inside_path,
                               const char *outside_path) {
    struct lease inside, outside;
    /* A file inside that is of an earlier device of this home says nothing of this one. */
    bool has_inside = lease_read(&inside, inside_path) && strcmp(inside.device, own->device) == 0;
    bool has_outside = lease_read(&outside, outside_path);
    if (!has_inside && !has_outside) {
        draw_turn(own, NULL, 1);
        return PARLEY_LEASE_FRESH;
    }
    bool is_known = has_inside && has_outside && is_same(&inside, &outside, own);
    draw_turn(own, has_outside ? &outside : NULL, has_inside ? inside.counter + 1 : 1);
    return is_known ? PARLEY_LEASE_SAME : PARLEY_LEASE_OTHER;
}

/* False when somebody else holds it. */
static bool take_lock(int *lock, const char *outside) {
    char path[PATH_MAX + 8];
    (void)snprintf(path, sizeof path, "%s.lock", outside);
    *lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (*lock < 0 || flock(*lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    close(*lock);
    *lock = -1;
    return false;
}

static bool name_lease(struct lease *own, char inside[PATH_MAX], const char *home,
                       const struct parley_device_key *device) {
    hash_text(own->device, NAME_BYTES, "parley lease device", PARLEY_SPAN_OF(*device));
    this_machine(own->machine);
    int size = snprintf(inside, PATH_MAX, "%s/lease", home);
    return size > 0 && size < PATH_MAX;
}

static bool is_spent(const struct lease *own, const char *inside_path) {
    struct lease inside;
    return lease_read(&inside, inside_path) && strcmp(inside.device, own->device) == 0 &&
           strcmp(inside.machine, SPENT) == 0;
}

enum parley_error parley_lease_spend(const char *home, const struct parley_device_key *device,
                                     struct parley_problem *problem) {
    struct lease own = {.turn = NO_TURN, .before = NO_TURN};
    char inside[PATH_MAX];
    if (!name_lease(&own, inside, home, device))
        return parley_file_problem(problem, "write", home, ENAMETOOLONG);
    memcpy(own.machine, SPENT, sizeof SPENT);
    return lease_write(inside, &own, problem);
}

/* A file inside alone would look like a copy at the next opening. */
static void give_up(enum parley_lease *answer, const char *inside) {
    (void)unlink(inside);
    *answer = PARLEY_LEASE_NOWHERE;
}

enum parley_error parley_lease_take(enum parley_lease *answer, int *lock, const char *home,
                                    const struct parley_device_key *device, bool is_moved,
                                    struct parley_problem *problem) {
    struct lease own;
    char inside[PATH_MAX], outside[PATH_MAX];
    *lock = -1;
    if (!name_lease(&own, inside, home, device))
        return parley_file_problem(problem, "write", home, ENAMETOOLONG);
    if (is_spent(&own, inside)) {
        *answer = PARLEY_LEASE_OTHER;
        return PARLEY_E_OK;
    }
    if (!outside_path(outside, own.device)) {
        give_up(answer, inside);
        return PARLEY_E_OK;
    }
    *answer = PARLEY_LEASE_OTHER;
    if (!take_lock(lock, outside))
        return PARLEY_E_OK;
    *answer = judge(&own, inside, outside);
    if (*answer == PARLEY_LEASE_OTHER && is_moved)
        *answer = PARLEY_LEASE_MOVED;
    if (*answer == PARLEY_LEASE_OTHER)
        return PARLEY_E_OK;
    enum parley_error error = lease_write(inside, &own, problem);
    if (error == PARLEY_E_OK && lease_write(outside, &own, NULL) != PARLEY_E_OK)
        give_up(answer, inside);
    return error;
}

/* What cannot be written now leaves the two as they are, or the one inside ahead: both go on. */
void parley_lease_end(const char *home, const struct parley_device_key *device) {
    struct lease own;
    char inside[PATH_MAX], outside[PATH_MAX];
    if (!name_lease(&own, inside, home, device) || !outside_path(outside, own.device))
        return;
    if (judge(&own, inside, outside) == PARLEY_LEASE_SAME &&
        lease_write(inside, &own, NULL) == PARLEY_E_OK)
        (void)!lease_write(outside, &own, NULL);
}
