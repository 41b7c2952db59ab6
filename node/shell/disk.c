#include "disk.h"
#include "kv_leveldb.h"
#include "seal.h"
#include <parley/crypto.h>
#include <stdio.h>

/* The directory is HOME/db; the commands want the home. */
static enum parley_error explain(struct parley_problem *problem, enum parley_error error,
                                 const char *directory, const char *words) {
    char advice[PATH_MAX + 128] = "";
    const char *end = strrchr(directory, '/');
    int home_size = end == NULL ? 0 : (int)(end - directory);
    if (error == PARLEY_E_STORE_DAMAGED)
        (void)snprintf(advice, sizeof advice,
                       "; parley --home %.*s repair saves what can be read, after a copy",
                       home_size, directory);
    if (error == PARLEY_E_STORE_MISSING)
        (void)snprintf(advice, sizeof advice,
                       "; put it back from a backup, nothing is made in its place (of files that "
                       "are left parley --home %.*s repair saves what can be read)",
                       home_size, directory);
    return parley_problem_set(problem, error, "cannot open the database %s: %s%s%s%s%s", directory,
                              parley_strerror(error), words[0] == '\0' ? "" : " (", words,
                              words[0] == '\0' ? "" : ")", advice);
}

static enum parley_error open_store(struct parley_disk *disk, bool create, uint64_t commits_min,
                                    char *words, size_t words_size) {
    enum parley_error error = parley_kv_leveldb_open(&disk->kv, disk->directory, create,
                                                     disk->quota_bytes, words, words_size);
    if (error == PARLEY_E_OK)
        error = parley_store_open(&disk->store, disk->kv, create);
    if (error != PARLEY_E_OK || parley_store_commits_count(disk->store) >= commits_min)
        return error;
    (void)snprintf(words, words_size, "of %llu commits that were acknowledged %llu are there",
                   (unsigned long long)commits_min,
                   (unsigned long long)parley_store_commits_count(disk->store));
    return PARLEY_E_STORE_DAMAGED;
}

/* Without a seal: what is not as it should be must not look so the next time. */
static void abandon(struct parley_disk *disk) {
    parley_store_close(disk->store);
    if (disk->kv != NULL)
        disk->kv->calls->close(disk->kv);
    disk->store = NULL;
    disk->kv = NULL;
}

enum parley_error parley_disk_open(struct parley_disk *disk, const char *directory, bool create,
                                   uint64_t quota_bytes, struct parley_problem *problem) {
    char words[256] = "";
    uint64_t commits_min = 0;
    memset(disk, 0, sizeof *disk);
    disk->quota_bytes = quota_bytes;
    (void)snprintf(disk->directory, sizeof disk->directory, "%s", directory);
    enum parley_error error =
        create ? PARLEY_E_OK : parley_seal_break(directory, &commits_min, words, sizeof words);
    if (error == PARLEY_E_OK)
        error = open_store(disk, create, commits_min, words, sizeof words);
    if (error == PARLEY_E_OK)
        return PARLEY_E_OK;
    abandon(disk);
    return explain(problem, error, directory, words);
}

enum parley_error parley_disk_put_record(struct parley_disk *disk,
                                         const struct parley_author *author,
                                         struct parley_span record,
                                         struct parley_problem *problem) {
    struct parley_hash hash;
    enum parley_error result = PARLEY_E_OK;
    parley_hash_one(hash.bytes, PARLEY_DOMAIN_RECORD, record);
    struct parley_store_op op = {.kind = PARLEY_STORE_RECORD,
                                 .author = *author,
                                 .bytes = record,
                                 .key = PARLEY_SPAN_OF(hash)};
    parley_store_commit(disk->store, &op, 1, &result);
    if (result == PARLEY_E_OK || result == PARLEY_E_EXISTS)
        return PARLEY_E_OK;
    return parley_problem_set(problem, result, "cannot store the identity: %s",
                              parley_strerror(result));
}

void parley_disk_note(const struct parley_disk *disk) {
    parley_seal_count(disk->directory, parley_store_commits_count(disk->store));
}

void parley_disk_close(struct parley_disk *disk) {
    bool is_whole = disk->store != NULL && parley_store_broken(disk->store) == PARLEY_E_OK;
    uint64_t commits = disk->store == NULL ? 0 : parley_store_commits_count(disk->store);
    abandon(disk);
    if (is_whole)
        parley_seal_write(disk->directory, commits);
}
