/* Making a home. What decides whether there is an identity is device.key, so it is written last: an
 * init that was cut off can be done again. The database is made beside its place and renamed, so a
 * `db` is always a whole one.
 */
#include "disk.h"
#include "home.h"
#include "key_file.h"
#include "lease.h"
#include "option_table.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <parley/crypto.h>
#include <parley/identity.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARKER_TEXT "parley home 1\na database was made in db/ and must be there\n"

/* init, recover, init --join. */
enum making { MAKING_NEW, MAKING_RECOVERED, MAKING_JOINED };

/* Secret: all that init derives from the words. */
struct new_person {
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_author author;
    struct parley_secret_key root;
    struct parley_secret_key device;
    uint8_t inception_bytes[PARLEY_STATEMENT_BYTES_MAX];
    uint8_t certificate_bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_span inception;
    struct parley_span certificate;
};

static enum parley_error make_directory(const char *path, struct parley_problem *problem) {
    char part[PATH_MAX];
    size_t size = strlen(path);
    memcpy(part, path, size + 1);
    for (size_t i = 1; i <= size; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        char end = part[i];
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return parley_file_problem(problem, "make the directory", part, errno);
        part[i] = end;
    }
    return PARLEY_E_OK;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
    return remove(path);
}

/* What an init that was cut off has left of a database that was never used. */
static void remove_leftover(const char *directory) {
    (void)nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static enum parley_error sync_directory(const char *path, struct parley_problem *problem) {
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return parley_file_problem(problem, "open", path, errno);
    int status = fsync(directory);
    int error_number = errno;
    close(directory);
    if (status != 0)
        return parley_file_problem(problem, "sync", path, error_number);
    return PARLEY_E_OK;
}

/* --- the database ---------------------------------------------------------------------------- */

/* Whoever makes a device anew where the person is known: the first records may be void by now, and
 * who has the words certifies it by what counts. */
static bool is_known(struct parley_disk *disk, const struct parley_author *author) {
    uint8_t *buffer = malloc(PARLEY_MESSAGE_BYTES_MAX);
    struct parley_span records;
    size_t count = 0;
    if (buffer != NULL &&
        parley_store_read_records(disk->store, author, 0, buffer, PARLEY_MESSAGE_BYTES_MAX,
                                  &records, &count) != PARLEY_E_OK)
        count = 0;
    free(buffer);
    return count > 0;
}

static enum parley_error put_records(struct parley_disk *disk, const struct new_person *person,
                                     struct parley_problem *problem) {
    if (is_known(disk, &person->author))
        return PARLEY_E_OK;
    enum parley_error error =
        parley_disk_put_record(disk, &person->author, person->inception, problem);
    if (error != PARLEY_E_OK)
        return error;
    return parley_disk_put_record(disk, &person->author, person->certificate, problem);
}

/* person NULL: a relay's. */
static enum parley_error fill_database(const char *directory, bool create,
                                       const struct new_person *person,
                                       struct parley_problem *problem) {
    struct parley_disk disk;
    enum parley_error error = parley_disk_open(&disk, directory, create, 0, problem);
    if (error != PARLEY_E_OK)
        return error;
    if (person != NULL)
        error = put_records(&disk, person, problem);
    parley_disk_close(&disk);
    return error;
}

static enum parley_error make_database(const struct parley_home *home,
                                       const struct new_person *person,
                                       struct parley_problem *problem) {
    char fresh[PATH_MAX], place[PATH_MAX];
    if (!parley_home_file(fresh, home, "db.new") || !parley_home_file(place, home, "db"))
        return parley_file_problem(problem, "make", home->path, ENAMETOOLONG);
    remove_leftover(fresh);
    enum parley_error error = fill_database(fresh, true, person, problem);
    if (error != PARLEY_E_OK)
        return error;
    if (rename(fresh, place) != 0)
        return parley_file_problem(problem, "make", place, errno);
    return sync_directory(home->path, problem);
}

/* A database that is here is used: a relay's home may get a person. */
static enum parley_error ensure_database(const struct parley_home *home,
                                         const struct new_person *person,
                                         struct parley_problem *problem) {
    struct parley_home_state state;
    char path[PATH_MAX];
    enum parley_error error;
    parley_home_inspect(&state, home->path);
    if (!parley_home_file(path, home, "db"))
        return parley_file_problem(problem, "make", home->path, ENAMETOOLONG);
    if (state.has_marker && !state.has_database)
        return parley_problem_set(problem, PARLEY_E_STORE_MISSING,
                                  "the database %s is missing though it was made once: put it "
                                  "back, or choose another home",
                                  path);
    if (state.has_database)
        error = fill_database(path, false, person, problem);
    else
        error = make_database(home, person, problem);
    if (error != PARLEY_E_OK || !parley_home_file(path, home, "marker"))
        return error;
    return parley_file_write(path, PARLEY_SPAN(MARKER_TEXT, sizeof MARKER_TEXT - 1), problem);
}

/* --- the keys -------------------------------------------------------------------------------- */

static enum parley_error write_key(const struct parley_home *home, const char *name,
                                   const struct parley_key_file *key,
                                   struct parley_problem *problem) {
    char path[PATH_MAX];
    if (!parley_home_file(path, home, name))
        return parley_file_problem(problem, "write", home->path, ENAMETOOLONG);
    return parley_key_file_write(path, key, problem);
}

static enum parley_error ensure_node_key(const struct parley_home *home,
                                         struct parley_problem *problem) {
    struct parley_home_state state;
    parley_home_inspect(&state, home->path);
    if (state.has_node_key)
        return PARLEY_E_OK;
    struct parley_key_file key = {.kind = PARLEY_KEY_FILE_NODE};
    randombytes_buf(key.seed.bytes, sizeof key.seed.bytes);
    enum parley_error error = write_key(home, "node.key", &key, problem);
    parley_wipe(&key, sizeof key);
    return error;
}

/* What libsodium calls a secret key begins with its seed. */
static enum parley_error write_secret(const struct parley_home *home, const char *name,
                                      enum parley_key_file_kind kind,
                                      const struct parley_author *author,
                                      const struct parley_secret_key *secret,
                                      struct parley_problem *problem) {
    struct parley_key_file key = {.kind = kind, .author = *author, .generation = 0};
    memcpy(key.seed.bytes, secret->bytes, sizeof key.seed.bytes);
    enum parley_error error = write_key(home, name, &key, problem);
    parley_wipe(&key, sizeof key);
    return error;
}

/* --- the configuration ------------------------------------------------------------------------ */

/* With every key commented out, for whoever looks for what can be set. Only the first time: what
 * the owner wrote stays. */
static enum parley_error ensure_config(const struct parley_home *home,
                                       struct parley_problem *problem) {
    char path[PATH_MAX];
    char *text = NULL;
    size_t size = 0;
    if (!parley_home_file(path, home, "parleyd.conf"))
        return parley_file_problem(problem, "write", home->path, ENAMETOOLONG);
    if (access(path, F_OK) == 0)
        return PARLEY_E_OK;
    FILE *file = open_memstream(&text, &size);
    if (file == NULL)
        return parley_file_problem(problem, "write", path, ENOMEM);
    option_table_print(file);
    enum parley_error error = fclose(file) == 0
                                  ? parley_file_write(path, PARLEY_SPAN(text, size), problem)
                                  : parley_file_problem(problem, "write", path, ENOMEM);
    free(text);
    return error;
}

/* --- a person -------------------------------------------------------------------------------- */

static void make_device(struct new_person *person) {
    uint8_t device_key[32];
    struct parley_seed seed;
    randombytes_buf(seed.bytes, sizeof seed.bytes);
    parley_key_pair(&person->device, device_key, &seed);
    parley_wipe(&seed, sizeof seed);
}

/* From the entropy. */
static enum parley_error derive_person(struct new_person *person) {
    struct parley_root_key root_key;
    make_device(person);
    parley_root_derive(&person->root, &root_key, person->entropy, 0);
    parley_author_derive(&person->author, person->entropy);
    enum parley_error error =
        parley_rotation_make(&person->inception, person->inception_bytes,
                             sizeof person->inception_bytes, person->entropy, 0, NULL, 0);
    if (error != PARLEY_E_OK)
        return error;
    return parley_certificate_make(&person->certificate, person->certificate_bytes,
                                   sizeof person->certificate_bytes, &person->root, &person->device,
                                   &person->author, 0);
}

/* From the first moment, so that a copy of a home that was never used is noticed, too. What
 * libsodium calls a secret key ends with the public one. */
static enum parley_error begin_lease(const struct parley_home *home,
                                     const struct parley_secret_key *secret,
                                     struct parley_problem *problem) {
    struct parley_device_key device;
    enum parley_lease lease;
    int lock;
    memcpy(device.bytes, secret->bytes + 32, sizeof device.bytes);
    enum parley_error error = parley_lease_take(&lease, &lock, home->path, &device, false, problem);
    if (lock >= 0)
        close(lock);
    return error;
}

/* Who joins has no root, and nothing to put into the database. */
static enum parley_error write_person(const struct parley_home *home,
                                      const struct new_person *person, bool has_root,
                                      struct parley_problem *problem) {
    enum parley_error error = ensure_node_key(home, problem);
    if (error == PARLEY_E_OK)
        error = ensure_config(home, problem);
    if (error == PARLEY_E_OK)
        error = ensure_database(home, has_root ? person : NULL, problem);
    if (error == PARLEY_E_OK && has_root)
        error = write_secret(home, "root.key", PARLEY_KEY_FILE_ROOT, &person->author, &person->root,
                             problem);
    if (error == PARLEY_E_OK)
        error = write_secret(home, "device.key", PARLEY_KEY_FILE_DEVICE, &person->author,
                             &person->device, problem);
    if (error == PARLEY_E_OK)
        error = begin_lease(home, &person->device, problem);
    return error;
}

static enum parley_error take_home(struct parley_home *home, const char *path,
                                   struct parley_problem *problem) {
    enum parley_error error = make_directory(path, problem);
    return error != PARLEY_E_OK ? error : parley_home_lock(home, path, problem);
}

/* The words of another person would make two people of one home. */
static enum parley_error check_root(const struct parley_home *home, const struct new_person *person,
                                    struct parley_problem *problem) {
    struct parley_key_file key = {.kind = PARLEY_KEY_FILE_ROOT};
    char path[PATH_MAX];
    if (!parley_home_file(path, home, "root.key"))
        return parley_file_problem(problem, "read", home->path, ENAMETOOLONG);
    enum parley_error error = parley_key_file_read(&key, path, problem);
    bool is_other = error == PARLEY_E_OK && !PARLEY_EQUAL(key.author, person->author);
    parley_wipe(&key, sizeof key);
    if (is_other)
        return parley_problem_set(problem, PARLEY_E_HAS_IDENTITY,
                                  "%s is another person's: choose another home", home->path);
    return PARLEY_E_OK; /* what cannot be read is written anew */
}

/* Whether a person may be made there. */
static enum parley_error check_place(const struct parley_home *home,
                                     const struct new_person *person, enum making making,
                                     struct parley_problem *problem) {
    struct parley_home_state state;
    parley_home_inspect(&state, home->path);
    if (state.has_device_key)
        return parley_problem_set(problem, PARLEY_E_HAS_IDENTITY,
                                  "there is an identity in %s already", home->path);
    if (!state.has_lease)
        return PARLEY_E_OK; /* an init that was cut off is none */
    return making == MAKING_NEW ? parley_home_without_person(home->path, problem)
                                : check_root(home, person, problem);
}

/* A home for the person, who is wiped. */
static enum parley_error make_home(const char *path, struct new_person *person, enum making making,
                                   struct parley_problem *problem) {
    struct parley_home home;
    enum parley_error error = take_home(&home, path, problem);
    if (error == PARLEY_E_OK) {
        error = check_place(&home, person, making, problem);
        if (error == PARLEY_E_OK)
            error = write_person(&home, person, making != MAKING_JOINED, problem);
        parley_home_close(&home);
    }
    parley_wipe(person, sizeof *person);
    return error;
}

static enum parley_error no_person(struct parley_problem *problem) {
    return parley_problem_set(problem, PARLEY_E_SELF_TEST, "the identity cannot be derived");
}

static enum parley_error make_of_words(const char *path, const uint8_t entropy[PARLEY_ENTROPY_SIZE],
                                       enum making making, struct parley_problem *problem) {
    struct new_person person = {0};
    memcpy(person.entropy, entropy, sizeof person.entropy);
    if (derive_person(&person) != PARLEY_E_OK)
        return no_person(problem);
    return make_home(path, &person, making, problem);
}

enum parley_error parley_home_recover(const char *path, const uint8_t entropy[PARLEY_ENTROPY_SIZE],
                                      struct parley_problem *problem) {
    return make_of_words(path, entropy, MAKING_RECOVERED, problem);
}

enum parley_error parley_home_init(const char *path, char words[PARLEY_WORDS_TEXT_SIZE],
                                   struct parley_problem *problem) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    randombytes_buf(entropy, sizeof entropy);
    enum parley_error error = make_of_words(path, entropy, MAKING_NEW, problem);
    if (error == PARLEY_E_OK)
        parley_words_encode(words, entropy);
    parley_wipe(entropy, sizeof entropy);
    return error;
}

enum parley_error parley_home_join(const char *path, const struct parley_author *author,
                                   struct parley_problem *problem) {
    struct new_person person = {.author = *author};
    make_device(&person);
    return make_home(path, &person, MAKING_JOINED, problem);
}

enum parley_error parley_home_init_relay(const char *path, struct parley_problem *problem) {
    struct parley_home home;
    struct parley_home_state state;
    enum parley_error error = take_home(&home, path, problem);
    if (error != PARLEY_E_OK)
        return error;
    parley_home_inspect(&state, path);
    if (state.has_node_key && state.has_marker)
        error = parley_problem_set(problem, PARLEY_E_HAS_IDENTITY, "there is a node in %s already",
                                   path);
    if (error == PARLEY_E_OK)
        error = ensure_node_key(&home, problem);
    if (error == PARLEY_E_OK)
        error = ensure_config(&home, problem);
    if (error == PARLEY_E_OK)
        error = ensure_database(&home, NULL, problem);
    parley_home_close(&home);
    return error;
}
