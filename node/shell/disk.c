#include "disk.h"
#include "kv_leveldb.h"
#include <parley/crypto.h>

static enum parley_error explain(struct parley_problem *problem, enum parley_error error,
                                 const char *directory, const char *words) {
    const char *advice = "";
    if (error == PARLEY_E_STORE_DAMAGED)
        advice = ": keep a copy of it before anything else is tried";
    if (error == PARLEY_E_STORE_MISSING)
        advice = ": put it back from a backup, nothing is made in its place";
    return parley_problem_set(problem, error, "cannot open the database %s: %s%s%s%s%s", directory,
                              parley_strerror(error), advice, words[0] == '\0' ? "" : " (", words,
                              words[0] == '\0' ? "" : ")");
}

enum parley_error parley_disk_open(struct parley_disk *disk, const char *directory, bool create,
                                   struct parley_problem *problem) {
    memset(disk, 0, sizeof *disk);
    char words[256] = "";
    enum parley_error error =
        parley_kv_leveldb_open(&disk->kv, directory, create, words, sizeof words);
    if (error != PARLEY_E_OK) {
        disk->kv = NULL;
        return explain(problem, error, directory, words);
    }
    error = parley_store_open(&disk->store, disk->kv, create);
    if (error == PARLEY_E_OK)
        return PARLEY_E_OK;
    disk->store = NULL;
    parley_disk_close(disk);
    return explain(problem, error, directory, "");
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

void parley_disk_close(struct parley_disk *disk) {
    if (disk->store != NULL)
        parley_store_close(disk->store);
    if (disk->kv != NULL)
        disk->kv->calls->close(disk->kv);
    memset(disk, 0, sizeof *disk);
}
