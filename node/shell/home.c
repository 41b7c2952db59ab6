#include "home.h"
#include "key_file.h"
#include "lease.h"
#include <errno.h>
#include <fcntl.h>
#include <parley/crypto.h>
#include <parley/identity.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool join(char path[PATH_MAX], const char *directory, const char *name) {
    int size = snprintf(path, PATH_MAX, "%s/%s", directory, name);
    return size > 0 && size < PATH_MAX;
}

bool parley_home_file(char path[PATH_MAX], const struct parley_home *home, const char *name) {
    return join(path, home->path, name);
}

static bool is_there(const char *directory, const char *name) {
    char path[PATH_MAX];
    struct stat status;
    return join(path, directory, name) && lstat(path, &status) == 0;
}

void parley_home_inspect(struct parley_home_state *state, const char *path) {
    state->has_node_key = is_there(path, "node.key");
    state->has_device_key = is_there(path, "device.key");
    state->has_marker = is_there(path, "marker");
    state->has_database = is_there(path, "db");
    state->has_lease = is_there(path, "lease");
}

enum parley_error parley_home_without_person(const char *path, struct parley_problem *problem) {
    struct parley_home_state state;
    char inside[PATH_MAX];
    /* What cannot be looked into is no empty home. */
    if (join(inside, path, ".") && access(inside, F_OK) != 0 && errno != ENOENT)
        return parley_file_problem(problem, "open", path, errno);
    parley_home_inspect(&state, path);
    if (state.has_lease && !state.has_device_key)
        return parley_problem_set(problem, PARLEY_E_NO_IDENTITY,
                                  "device.key is missing in %s, which is somebody's: put it back, "
                                  "or make another with parley --home %s recover",
                                  path, path);
    return parley_problem_set(problem, PARLEY_E_NO_IDENTITY,
                              "no identity in %s: make one with parley --home %s init", path, path);
}

/* --- where it is ---------------------------------------------------------------------------- */

static const char *set_variable(const char *name) {
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static const char *user_directory(void) {
    const char *home = set_variable("HOME");
    if (home != NULL)
        return home;
    const struct passwd *user = getpwuid(geteuid());
    return user == NULL ? NULL : user->pw_dir;
}

static bool choose(char path[PATH_MAX], const char *option) {
    if (option == NULL)
        option = set_variable("PARLEY_HOME");
    if (option != NULL) {
        int size = snprintf(path, PATH_MAX, "%s", option);
        return size > 0 && size < PATH_MAX;
    }
    const char *data = set_variable("XDG_DATA_HOME");
    /* The XDG specification: a relative path is to be ignored. */
    if (data != NULL && data[0] == '/')
        return join(path, data, "parley");
    const char *user = user_directory();
    return user != NULL && join(path, user, ".local/share/parley");
}

enum parley_error parley_home_resolve(char path[PATH_MAX], const char *option,
                                      struct parley_problem *problem) {
    char chosen[PATH_MAX], current[PATH_MAX];
    if (!choose(chosen, option))
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT,
                                  "no home directory: say --home DIR, of less than %d bytes",
                                  PATH_MAX - 64);
    size_t size = strlen(chosen);
    while (size > 1 && chosen[size - 1] == '/')
        chosen[--size] = '\0';
    bool fits = true;
    if (chosen[0] == '/')
        memcpy(path, chosen, size + 1);
    else
        fits = getcwd(current, sizeof current) != NULL && join(path, current, chosen);
    if (!fits || strlen(path) > PATH_MAX - 64)
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT, "the path of the home is too long");
    return PARLEY_E_OK;
}

/* --- one process ---------------------------------------------------------------------------- */

static enum parley_error take_lock(struct parley_home *home, struct parley_problem *problem) {
    char path[PATH_MAX];
    if (!join(path, home->path, "lock"))
        return parley_file_problem(problem, "open", home->path, ENAMETOOLONG);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return parley_file_problem(problem, "open", path, errno);
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        int error_number = errno;
        close(file);
        if (error_number != EWOULDBLOCK)
            return parley_file_problem(problem, "lock", path, error_number);
        return parley_problem_set(problem, PARLEY_E_STORE_LOCKED,
                                  "another process uses the home %s: stop it first", home->path);
    }
    home->lock = file;
    return PARLEY_E_OK;
}

enum parley_error parley_home_lock(struct parley_home *home, const char *path,
                                   struct parley_problem *problem) {
    memset(home, 0, sizeof *home);
    home->lock = home->lease_lock = -1;
    (void)snprintf(home->path, sizeof home->path, "%s", path);
    /* A copy of the folder may have come with the modes of another system. Where that cannot be
     * put right (a file system without modes) the key files decide. */
    (void)chmod(path, 0700);
    return take_lock(home, problem);
}

/* --- keys ----------------------------------------------------------------------------------- */

static enum parley_error read_key(struct parley_key_file *key, const struct parley_home *home,
                                  enum parley_key_file_kind kind, const char *name,
                                  struct parley_problem *problem) {
    char path[PATH_MAX];
    memset(key, 0, sizeof *key);
    key->kind = kind;
    if (!join(path, home->path, name))
        return parley_file_problem(problem, "read", home->path, ENAMETOOLONG);
    return parley_key_file_read(key, path, problem);
}

static enum parley_error read_node(struct parley_home *home, struct parley_problem *problem) {
    struct parley_key_file key;
    enum parley_error error = read_key(&key, home, PARLEY_KEY_FILE_NODE, "node.key", problem);
    if (error == PARLEY_E_NOT_FOUND)
        return parley_home_without_person(home->path, problem);
    if (error == PARLEY_E_OK)
        parley_key_pair(&home->node_secret, home->node.bytes, &key.seed);
    parley_wipe(&key, sizeof key);
    return error;
}

static enum parley_error read_device(struct parley_home *home, struct parley_problem *problem) {
    struct parley_key_file key;
    enum parley_error error = read_key(&key, home, PARLEY_KEY_FILE_DEVICE, "device.key", problem);
    if (error == PARLEY_E_OK) {
        home->has_author = home->has_device = true;
        home->author = key.author;
        parley_key_pair(&home->device_secret, home->device.bytes, &key.seed);
        parley_log_derive(&home->log, &home->author, &home->device);
    }
    parley_wipe(&key, sizeof key);
    if (error != PARLEY_E_NOT_FOUND)
        return error;
    struct parley_home_state state;
    parley_home_inspect(&state, home->path);
    return state.has_lease ? parley_home_without_person(home->path, problem) : PARLEY_E_OK;
}

static enum parley_error read_root(struct parley_home *home, struct parley_problem *problem) {
    struct parley_key_file key;
    uint8_t public_key[32];
    enum parley_error error = read_key(&key, home, PARLEY_KEY_FILE_ROOT, "root.key", problem);
    if (error == PARLEY_E_OK && home->has_author && !PARLEY_EQUAL(key.author, home->author))
        error = parley_problem_set(problem, PARLEY_E_BAD_INPUT,
                                   "root.key and device.key in %s are of different authors",
                                   home->path);
    if (error == PARLEY_E_OK) {
        home->has_root = true;
        home->root_generation = key.generation;
        parley_key_pair(&home->root_secret, public_key, &key.seed);
    }
    parley_wipe(&key, sizeof key);
    return error == PARLEY_E_NOT_FOUND ? PARLEY_E_OK : error;
}

static enum parley_error check_store(const struct parley_home *home,
                                     struct parley_problem *problem) {
    struct parley_home_state state;
    parley_home_inspect(&state, home->path);
    if (state.has_database)
        return PARLEY_E_OK;
    return parley_problem_set(problem, PARLEY_E_STORE_MISSING,
                              "the database %s/db is missing though it was made once: put it back "
                              "from a backup, nothing is made in its place",
                              home->path);
}

static bool is_other_than_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

enum parley_error parley_home_open_keys(struct parley_home *home, const char *path,
                                        struct parley_problem *problem) {
    struct parley_home_state state;
    memset(home, 0, sizeof *home);
    home->lock = home->lease_lock = -1;
    if (is_other_than_folder(path))
        return parley_problem_set(problem, PARLEY_E_DISK_FAILED, "%s is not a folder", path);
    parley_home_inspect(&state, path);
    if (!state.has_node_key && !state.has_marker)
        return parley_home_without_person(path, problem);
    enum parley_error error = parley_home_lock(home, path, problem);
    if (error == PARLEY_E_OK)
        error = read_node(home, problem);
    if (error == PARLEY_E_OK)
        error = read_device(home, problem);
    if (error == PARLEY_E_OK)
        error = read_root(home, problem);
    if (error != PARLEY_E_OK)
        parley_home_close(home);
    return error;
}

enum parley_error parley_home_open(struct parley_home *home, const char *path, bool same_device,
                                   struct parley_problem *problem) {
    enum parley_error error = parley_home_open_keys(home, path, problem);
    if (error != PARLEY_E_OK)
        return error;
    error = check_store(home, problem);
    if (error == PARLEY_E_OK && home->has_device)
        error = parley_home_check_lease(home, same_device, problem);
    if (error != PARLEY_E_OK)
        parley_home_close(home);
    return error;
}

/* Into *home what *read has of device and root. */
static enum parley_error take_keys(struct parley_home *home, const struct parley_home *read,
                                   bool *is_other, struct parley_problem *problem) {
    enum parley_lease lease;
    *is_other = read->has_device && !PARLEY_EQUAL(read->device, home->device);
    *is_other |= read->has_device && !home->has_device;
    home->has_root = read->has_root;
    home->root_secret = read->root_secret;
    home->root_generation = read->root_generation;
    if (!*is_other)
        return PARLEY_E_OK;
    if (home->lease_lock >= 0)
        close(home->lease_lock);
    home->lease_lock = -1;
    home->has_device = home->has_author = true;
    home->author = read->author;
    home->device_secret = read->device_secret;
    home->device = read->device;
    home->log = read->log;
    return parley_lease_take(&lease, &home->lease_lock, home->path, &home->device, false, problem);
}

enum parley_error parley_home_read_again(struct parley_home *home, bool *is_other,
                                         struct parley_problem *problem) {
    struct parley_home read = {.lock = -1, .lease_lock = -1};
    (void)snprintf(read.path, sizeof read.path, "%s", home->path);
    *is_other = false;
    enum parley_error error = read_device(&read, problem);
    if (error == PARLEY_E_OK)
        error = read_root(&read, problem);
    if (error == PARLEY_E_OK && home->has_author && !PARLEY_EQUAL(read.author, home->author))
        error = parley_problem_set(problem, PARLEY_E_BAD_INPUT,
                                   "the keys in %s are of another author than before", home->path);
    if (error == PARLEY_E_OK)
        error = take_keys(home, &read, is_other, problem);
    parley_wipe(&read, sizeof read);
    return error;
}

void parley_home_close(struct parley_home *home) {
    if (home->lease_lock >= 0) {
        parley_lease_end(home->path, &home->device);
        close(home->lease_lock);
    }
    if (home->lock >= 0)
        close(home->lock);
    parley_wipe(home, sizeof *home);
    home->lock = home->lease_lock = -1;
}
