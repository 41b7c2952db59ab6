#include "kv_leveldb.h"
#include "kv_sizes.h"
#include <dirent.h>
#include <errno.h>
#include <leveldb/c.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CACHE_SIZE      (1u << 20)
#define SPARE_BYTES_MAX (3u << 20) /* of a batch that is kept: a full one of the worker */
/* LevelDB keeps tables in descriptors; sockets need the others. */
#define OPEN_FILES_MAX 200
#define BLOOM_BITS     10
#define KEY_SIZE_MAX   256u /* of a key that a compaction may stop at: no store has a longer one */

struct leveldb_kv {
    struct parley_kv kv;
    leveldb_t *database;
    leveldb_options_t *options;
    leveldb_readoptions_t *read_options;
    leveldb_writeoptions_t *write_options;
    leveldb_filterpolicy_t *filter;
    leveldb_cache_t *cache;
    size_t file_size;
    _Atomic int broken; /* enum parley_error of the first failed write */
    /* An empty batch with the memory of an earlier one, so that it need not grow again; or NULL. */
    _Atomic(leveldb_writebatch_t *) spare;
};

enum parley_error parley_kv_leveldb_error(const char *text) {
    if (strstr(text, "No space left on device") != NULL || strstr(text, "Disk quota exceeded"))
        return PARLEY_E_DISK_FULL;
    if (strstr(text, "/LOCK: ") != NULL)
        return PARLEY_E_STORE_LOCKED;
    if (strncmp(text, "Corruption", strlen("Corruption")) == 0)
        return PARLEY_E_STORE_DAMAGED;
    if (strstr(text, "does not exist (create_if_missing is false)") != NULL)
        return PARLEY_E_STORE_MISSING;
    return PARLEY_E_DISK_FAILED;
}

/* Takes LevelDB's error text, which may be NULL for none. */
static enum parley_error take_error(char *text) {
    if (text == NULL)
        return PARLEY_E_OK;
    enum parley_error error = parley_kv_leveldb_error(text);
    leveldb_free(text);
    return error;
}

static enum parley_error state_of(struct leveldb_kv *handle) {
    return (enum parley_error)atomic_load(&handle->broken);
}

static leveldb_writebatch_t *take_batch(struct leveldb_kv *handle) {
    leveldb_writebatch_t *batch = atomic_exchange(&handle->spare, NULL);
    return batch != NULL ? batch : leveldb_writebatch_create();
}

static void give_batch(struct leveldb_kv *handle, leveldb_writebatch_t *batch, size_t bytes) {
    leveldb_writebatch_clear(batch);
    if (bytes <= SPARE_BYTES_MAX)
        batch = atomic_exchange(&handle->spare, batch);
    if (batch != NULL)
        leveldb_writebatch_destroy(batch);
}

/* A batch whose append or sync failed never reaches LevelDB's table in memory, so reads beside a
 * failed write show what was acknowledged: a full disk can still be read. */
static enum parley_error leveldb_kv_write(struct parley_kv *kv,
                                          const struct parley_kv_change *changes,
                                          size_t changes_count) {
    struct leveldb_kv *handle = (struct leveldb_kv *)kv;
    char *text = NULL;
    if (state_of(handle) != PARLEY_E_OK)
        return state_of(handle);
    leveldb_writebatch_t *batch = take_batch(handle);
    size_t bytes = 0;
    for (size_t i = 0; i < changes_count; i++) {
        const struct parley_kv_change *change = &changes[i];
        bytes += change->key.size + change->value.size;
        const char *key = (const char *)change->key.data;
        if (change->is_delete)
            leveldb_writebatch_delete(batch, key, change->key.size);
        else
            leveldb_writebatch_put(batch, key, change->key.size, (const char *)change->value.data,
                                   change->value.size);
    }
    leveldb_write(handle->database, handle->write_options, batch, &text);
    give_batch(handle, batch, bytes);
    enum parley_error error = take_error(text);
    if (error != PARLEY_E_OK)
        atomic_store(&handle->broken, (int)error);
    return error;
}

static enum parley_error leveldb_kv_view_begin(struct parley_kv *kv, const void **view) {
    struct leveldb_kv *handle = (struct leveldb_kv *)kv;
    *view = NULL;
    *view = leveldb_create_snapshot(handle->database);
    return PARLEY_E_OK;
}

static void leveldb_kv_view_end(struct parley_kv *kv, const void *view) {
    if (view != NULL)
        leveldb_release_snapshot(((struct leveldb_kv *)kv)->database, view);
}

/* The read options are shared by all threads, so those with a snapshot are one call's own. */
static leveldb_readoptions_t *options_for(struct leveldb_kv *handle, const void *view) {
    if (view == NULL)
        return handle->read_options;
    leveldb_readoptions_t *options = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(options, 1);
    leveldb_readoptions_set_snapshot(options, view);
    return options;
}

static void release_options(struct leveldb_kv *handle, leveldb_readoptions_t *options) {
    if (options != handle->read_options)
        leveldb_readoptions_destroy(options);
}

static enum parley_error leveldb_kv_get(struct parley_kv *kv, const void *view,
                                        struct parley_span key, uint8_t *value, size_t size_max,
                                        size_t *size) {
    struct leveldb_kv *handle = (struct leveldb_kv *)kv;
    char *text = NULL;
    leveldb_readoptions_t *options = options_for(handle, view);
    char *held =
        leveldb_get(handle->database, options, (const char *)key.data, key.size, size, &text);
    release_options(handle, options);
    enum parley_error error = take_error(text);
    if (error == PARLEY_E_OK && held == NULL)
        error = PARLEY_E_NOT_FOUND;
    if (error == PARLEY_E_OK && *size > size_max)
        error = PARLEY_E_NO_SPACE;
    if (error == PARLEY_E_OK)
        memcpy(value, held, *size);
    leveldb_free(held);
    return error;
}

/* Places a new iterator on the first pair of the scan. */
static void seek_start(leveldb_iterator_t *iterator, const struct parley_kv_bounds *bounds) {
    if (!bounds->is_descending) {
        leveldb_iter_seek(iterator, (const char *)bounds->from.data, bounds->from.size);
        return;
    }
    if (bounds->to.size == 0) {
        leveldb_iter_seek_to_last(iterator);
        return;
    }
    leveldb_iter_seek(iterator, (const char *)bounds->to.data, bounds->to.size);
    if (leveldb_iter_valid(iterator))
        leveldb_iter_prev(iterator);
    else
        leveldb_iter_seek_to_last(iterator);
}

static bool is_inside(const struct parley_kv_bounds *bounds, struct parley_span key) {
    if (bounds->is_descending)
        return parley_kv_compare(key, bounds->from) >= 0;
    return bounds->to.size == 0 || parley_kv_compare(key, bounds->to) < 0;
}

/* An iterator that meets bytes that it cannot read moves on to what it can, and remembers. */
static bool has_met_damage(const leveldb_iterator_t *iterator, char **text) {
    leveldb_iter_get_error(iterator, text);
    return *text != NULL;
}

/* No key lies between one and itself with a zero behind it. */
static bool is_one_key(const struct parley_kv_bounds *bounds) {
    return bounds->to.size == bounds->from.size + 1 && bounds->to.data[bounds->from.size] == 0 &&
           memcmp(bounds->to.data, bounds->from.data, bounds->from.size) == 0;
}

/* An iterator reads a block of every table whose keys go around the one that is sought; a get asks
 * the filters first, and reads one. */
static enum parley_error scan_one(struct leveldb_kv *handle, const void *view,
                                  struct parley_span key, parley_kv_on_pair *on_pair,
                                  void *context) {
    char *text = NULL;
    struct parley_span value;
    leveldb_readoptions_t *options = options_for(handle, view);
    char *held = leveldb_get(handle->database, options, (const char *)key.data, key.size,
                             &value.size, &text);
    release_options(handle, options);
    value.data = (const uint8_t *)held;
    if (held != NULL)
        (void)on_pair(context, key, value);
    leveldb_free(held);
    return take_error(text);
}

static enum parley_error leveldb_kv_scan(struct parley_kv *kv, const void *view,
                                         const struct parley_kv_bounds *bounds,
                                         parley_kv_on_pair *on_pair, void *context) {
    struct leveldb_kv *handle = (struct leveldb_kv *)kv;
    char *text = NULL;
    if (is_one_key(bounds))
        return scan_one(handle, view, bounds->from, on_pair, context);
    leveldb_readoptions_t *options = options_for(handle, view);
    leveldb_iterator_t *iterator = leveldb_create_iterator(handle->database, options);
    seek_start(iterator, bounds);
    while (leveldb_iter_valid(iterator)) {
        struct parley_span key, value;
        key.data = (const uint8_t *)leveldb_iter_key(iterator, &key.size);
        if (!is_inside(bounds, key) || (!bounds->is_past_damage && has_met_damage(iterator, &text)))
            break;
        value.data = (const uint8_t *)leveldb_iter_value(iterator, &value.size);
        if (!on_pair(context, key, value))
            break;
        if (bounds->is_descending)
            leveldb_iter_prev(iterator);
        else
            leveldb_iter_next(iterator);
    }
    if (text == NULL)
        leveldb_iter_get_error(iterator, &text);
    leveldb_iter_destroy(iterator);
    release_options(handle, options);
    return take_error(text);
}

static uint64_t leveldb_kv_bytes(struct parley_kv *kv, struct parley_span from,
                                 struct parley_span to) {
    struct leveldb_kv *handle = (struct leveldb_kv *)kv;
    const char *start = from.size == 0 ? "" : (const char *)from.data;
    const char *limit = to.size == 0 ? "\xff\xff\xff\xff" : (const char *)to.data;
    size_t start_size = from.size, limit_size = to.size == 0 ? 4 : to.size;
    uint64_t bytes = 0;
    leveldb_approximate_sizes(handle->database, 1, &start, &start_size, &limit, &limit_size,
                              &bytes);
    return bytes;
}

/* A part of a range that begins with its first key: `next` is the first key behind it, empty when
 * the part is all that is left. */
struct stroke {
    char next[KEY_SIZE_MAX];
    size_t next_size;
};

/* As much as makes a table. What cannot be read is passed over here: the merge itself meets it. */
static void find_stroke(struct leveldb_kv *handle, struct parley_span from, struct parley_span to,
                        struct stroke *stroke) {
    const struct parley_kv_bounds bounds = {.from = from, .to = to};
    size_t passed = 0;
    leveldb_iterator_t *iterator = leveldb_create_iterator(handle->database, handle->read_options);
    stroke->next_size = 0;
    for (seek_start(iterator, &bounds); leveldb_iter_valid(iterator); leveldb_iter_next(iterator)) {
        struct parley_span key, value;
        key.data = (const uint8_t *)leveldb_iter_key(iterator, &key.size);
        if (!is_inside(&bounds, key))
            break;
        if (passed >= handle->file_size && key.size <= sizeof stroke->next) {
            memcpy(stroke->next, key.data, key.size);
            stroke->next_size = key.size;
            break;
        }
        (void)leveldb_iter_value(iterator, &value.size);
        passed += key.size + value.size;
    }
    leveldb_iter_destroy(iterator);
}

/* LevelDB merges the tables of a level that a range meets in one go, with all that lie below them,
 * and the old ones stand beside the new until the end. A small range meets one table of the upper
 * level, and from left to right each has gone before the next one is met. */
static void leveldb_kv_compact(struct parley_kv *kv, struct parley_span from,
                               struct parley_span to) {
    struct leveldb_kv *handle = (struct leveldb_kv *)kv;
    struct stroke strokes[2];
    for (size_t i = 0;; i ^= 1u) {
        struct stroke *stroke = &strokes[i];
        find_stroke(handle, from, to, stroke);
        struct parley_span next = {(const uint8_t *)stroke->next, stroke->next_size};
        struct parley_span end = next.size > 0 ? next : to;
        leveldb_compact_range(handle->database, from.size == 0 ? NULL : (const char *)from.data,
                              from.size, end.size == 0 ? NULL : (const char *)end.data, end.size);
        if (next.size == 0)
            return;
        from = next;
    }
}

static void leveldb_kv_close(struct parley_kv *kv) {
    struct leveldb_kv *handle = (struct leveldb_kv *)kv;
    if (handle->database != NULL)
        leveldb_close(handle->database);
    leveldb_writebatch_t *spare = atomic_load(&handle->spare);
    if (spare != NULL)
        leveldb_writebatch_destroy(spare);
    leveldb_options_destroy(handle->options);
    leveldb_readoptions_destroy(handle->read_options);
    leveldb_writeoptions_destroy(handle->write_options);
    leveldb_filterpolicy_destroy(handle->filter);
    leveldb_cache_destroy(handle->cache);
    free(handle);
}

static const struct parley_kv_calls leveldb_calls = {
    .write = leveldb_kv_write,
    .view_begin = leveldb_kv_view_begin,
    .view_end = leveldb_kv_view_end,
    .get = leveldb_kv_get,
    .scan = leveldb_kv_scan,
    .bytes = leveldb_kv_bytes,
    .compact = leveldb_kv_compact,
    .close = leveldb_kv_close,
};

static struct leveldb_kv *create_handle(bool create, uint64_t bytes_max) {
    struct leveldb_kv *handle = calloc(1, sizeof *handle);
    if (handle == NULL)
        return NULL;
    handle->kv.calls = &leveldb_calls;
    handle->cache = leveldb_cache_create_lru(CACHE_SIZE);
    handle->filter = leveldb_filterpolicy_create_bloom(BLOOM_BITS);
    handle->options = leveldb_options_create();
    leveldb_options_set_create_if_missing(handle->options, create);
    leveldb_options_set_paranoid_checks(handle->options, 1);
    leveldb_options_set_write_buffer_size(handle->options, parley_kv_buffer_size(bytes_max));
    leveldb_options_set_max_open_files(handle->options, OPEN_FILES_MAX);
    handle->file_size = parley_kv_file_size(bytes_max);
    leveldb_options_set_max_file_size(handle->options, handle->file_size);
    leveldb_options_set_cache(handle->options, handle->cache);
    leveldb_options_set_filter_policy(handle->options, handle->filter);
    leveldb_options_set_compression(handle->options, leveldb_no_compression);
    handle->read_options = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(handle->read_options, 1);
    handle->write_options = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(handle->write_options, 1);
    return handle;
}

/* MANIFEST-000001 alone is what a making that was cut short leaves: nothing was in it. */
static bool is_database_file(const char *name) {
    const char *suffix = strrchr(name, '.');
    return (strncmp(name, "MANIFEST-", 9) == 0 && strcmp(name, "MANIFEST-000001") != 0) ||
           (suffix != NULL && (strcmp(suffix, ".ldb") == 0 || strcmp(suffix, ".sst") == 0 ||
                               strcmp(suffix, ".log") == 0));
}

/* Whether the directory holds files of a database. */
static bool has_remains(const char *path) {
    DIR *directory = opendir(path);
    bool found = false;
    if (directory == NULL)
        return false;
    for (struct dirent *file = readdir(directory); file != NULL && !found;
         file = readdir(directory))
        found = is_database_file(file->d_name);
    closedir(directory);
    return found;
}

/* LevelDB makes an empty database where CURRENT is gone, and drops the tables beside it. */
static enum parley_error check_directory(const char *path, bool create) {
    char current[4096];
    int size = snprintf(current, sizeof current, "%s/CURRENT", path);
    if (size < 0 || (size_t)size >= sizeof current)
        return PARLEY_E_DISK_FAILED;
    if (access(current, F_OK) == 0)
        return PARLEY_E_OK;
    if (errno != ENOENT && errno != ENOTDIR)
        return PARLEY_E_DISK_FAILED;
    return create && !has_remains(path) ? PARLEY_E_OK : PARLEY_E_STORE_MISSING;
}

enum parley_error parley_kv_leveldb_open(struct parley_kv **kv, const char *path, bool create,
                                         uint64_t bytes_max, char *words, size_t words_size) {
    *kv = NULL;
    if (words != NULL && words_size > 0)
        words[0] = '\0';
    enum parley_error error = check_directory(path, create);
    if (error != PARLEY_E_OK)
        return error;
    struct leveldb_kv *handle = create_handle(create, bytes_max);
    if (handle == NULL)
        return PARLEY_E_NO_MEMORY;
    char *text = NULL;
    handle->database = leveldb_open(handle->options, path, &text);
    if (text != NULL && words != NULL)
        snprintf(words, words_size, "%s", text);
    error = take_error(text);
    if (error != PARLEY_E_OK) {
        leveldb_kv_close(&handle->kv);
        return error;
    }
    *kv = &handle->kv;
    return PARLEY_E_OK;
}

enum parley_error parley_kv_leveldb_repair(const char *path, char *words, size_t words_size) {
    char *text = NULL;
    if (access(path, F_OK) != 0)
        return PARLEY_E_STORE_MISSING;
    struct leveldb_kv *handle = create_handle(false, 0);
    if (handle == NULL)
        return PARLEY_E_NO_MEMORY;
    leveldb_repair_db(handle->options, path, &text);
    if (text != NULL)
        (void)snprintf(words, words_size, "%s", text);
    leveldb_kv_close(&handle->kv);
    return take_error(text);
}
