/* The last resort for a home whose database is damaged. The copy comes first, whole and synced;
 * then the lease is spent, so that whatever is lost the device's log is not continued; only then is
 * anything changed.
 */
#include "home_repair.h"
#include "disk.h"
#include "home.h"
#include "key_file.h"
#include "kv_leveldb.h"
#include "lease.h"
#include "seal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPIES_MAX      10000u
#define COPY_PIECE_SIZE 65536u

/* ---- copying --------------------------------------------------------------------------------- */

static int write_all(int file, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t written = write(file, bytes, size);
        if (written < 0)
            return errno;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

/* errno, or 0. */
static int copy_bytes(int to, int from) {
    static char piece[COPY_PIECE_SIZE];
    ssize_t size;
    while ((size = read(from, piece, sizeof piece)) > 0) {
        int error_number = write_all(to, piece, (size_t)size);
        if (error_number != 0)
            return error_number;
    }
    if (size < 0)
        return errno;
    return fdatasync(to) == 0 ? 0 : errno;
}

static int copy_file(const char *to_path, const char *from_path) {
    int from = open(from_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (from < 0)
        return errno;
    int to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int error_number = to < 0 ? errno : copy_bytes(to, from);
    close(from);
    if (to >= 0)
        close(to);
    return error_number;
}

static int sync_directory(const char *path) {
    int file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error_number = file < 0 || fsync(file) != 0 ? errno : 0;
    if (file >= 0)
        close(file);
    return error_number;
}

static bool join(char path[PATH_MAX], const char *directory, const char *name) {
    int size = snprintf(path, PATH_MAX, "%s/%s", directory, name);
    return size > 0 && size < PATH_MAX;
}

static bool is_regular(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Files only: what an earlier repair put into a folder beside them stands in its own copy. */
static enum parley_error copy_files(const char *to, const char *from,
                                    struct parley_problem *problem) {
    char to_path[PATH_MAX], from_path[PATH_MAX];
    DIR *listing = opendir(from);
    if (listing == NULL)
        return parley_file_problem(problem, "read", from, errno);
    enum parley_error error = PARLEY_E_OK;
    for (struct dirent *file = readdir(listing); file != NULL && error == PARLEY_E_OK;
         file = readdir(listing)) {
        if (!join(to_path, to, file->d_name) || !join(from_path, from, file->d_name) ||
            !is_regular(from_path))
            continue;
        int error_number = copy_file(to_path, from_path);
        if (error_number != 0)
            error = parley_file_problem(problem, "copy", from_path, error_number);
    }
    closedir(listing);
    int error_number = error == PARLEY_E_OK ? sync_directory(to) : 0;
    return error_number == 0 ? error : parley_file_problem(problem, "sync", to, error_number);
}

/* The first free name: no copy is ever written over. */
static enum parley_error make_copy(char copy[PATH_MAX], const struct parley_home *home,
                                   const char *database, struct parley_problem *problem) {
    char name[32];
    int status = -1;
    for (unsigned number = 1; status != 0 && number < COPIES_MAX; number++) {
        (void)snprintf(name, sizeof name, "db.before-repair-%u", number);
        if (!parley_home_file(copy, home, name))
            return parley_file_problem(problem, "copy", home->path, ENAMETOOLONG);
        status = mkdir(copy, 0700);
        if (status != 0 && errno != EEXIST)
            return parley_file_problem(problem, "make", copy, errno);
    }
    enum parley_error error = copy_files(copy, database, problem);
    if (error != PARLEY_E_OK)
        (void)rmdir(copy); /* where nothing could be copied */
    int error_number = error == PARLEY_E_OK ? sync_directory(home->path) : 0;
    return error_number == 0 ? error
                             : parley_file_problem(problem, "sync", home->path, error_number);
}

/* ---- mending --------------------------------------------------------------------------------- */

static enum parley_error mend(struct parley_repair *repair, const char *database,
                              parley_store_on_damage *on_damage, void *context,
                              struct parley_problem *problem) {
    char words[256] = "";
    struct parley_kv *kv = NULL;
    struct parley_disk disk;
    parley_seal_remove(database);
    enum parley_error error = parley_kv_leveldb_repair(database, words, sizeof words);
    if (error == PARLEY_E_OK)
        error = parley_kv_leveldb_open(&kv, database, false, 0, words, sizeof words);
    if (error == PARLEY_E_OK) {
        error = parley_store_repair(kv, on_damage, context);
        kv->calls->close(kv);
    }
    if (error != PARLEY_E_OK)
        return parley_problem_set(problem, error,
                                  "%s cannot be repaired: %s%s%s; it is as it was "
                                  "in %s",
                                  database, parley_strerror(error), words[0] == '\0' ? "" : ": ",
                                  words, repair->copy);
    error = parley_disk_open(&disk, database, false, 0, problem);
    if (error != PARLEY_E_OK)
        return error;
    repair->commits = parley_store_commits_count(disk.store);
    parley_disk_close(&disk);
    return PARLEY_E_OK;
}

enum parley_error parley_home_repair(struct parley_repair *repair, const char *path,
                                     parley_store_on_damage *on_damage, void *context,
                                     struct parley_problem *problem) {
    struct parley_home home;
    char database[PATH_MAX];
    memset(repair, 0, sizeof *repair);
    enum parley_error error = parley_home_open_keys(&home, path, problem);
    if (error == PARLEY_E_OK && !parley_home_file(database, &home, "db"))
        error = parley_file_problem(problem, "repair", path, ENAMETOOLONG);
    if (error == PARLEY_E_OK) {
        repair->has_commits_before = parley_seal_commits(database, &repair->commits_before);
        error = make_copy(repair->copy, &home, database, problem);
    }
    repair->ends_log = home.has_device;
    if (error == PARLEY_E_OK && home.has_device)
        error = parley_lease_spend(home.path, &home.device, problem);
    if (error == PARLEY_E_OK)
        error = mend(repair, database, on_damage, context, problem);
    parley_home_close(&home);
    return error;
}
