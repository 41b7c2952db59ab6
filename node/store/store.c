#include "cost.h"
#include "internal.h"
#include <assert.h>
#include <stdlib.h>

static bool on_any(void *context, struct parley_span key, struct parley_span value) {
    (void)key, (void)value;
    *(bool *)context = true;
    return false;
}

/* An engine with anything in it is not made new. */
static enum parley_error make_layout(struct parley_store *store) {
    bool is_used = false;
    struct parley_kv_bounds everything = {PARLEY_NO_SPAN, PARLEY_NO_SPAN, false};
    enum parley_error error =
        store->kv->calls->scan(store->kv, NULL, &everything, on_any, &is_used);
    if (error != PARLEY_E_OK)
        return error;
    if (is_used)
        return PARLEY_E_STORE_DAMAGED;
    struct batch batch;
    batch_init(&batch, store->kv);
    store->next_number = 1;
    version_save(&batch, store->next_number);
    error = batch_write(&batch);
    batch_clear(&batch);
    return error;
}

static enum parley_error read_commits(struct parley_store *store) {
    struct key key;
    uint8_t value[8];
    size_t size = 0;
    key_letter(&key, 'C');
    enum parley_error error =
        store->kv->calls->get(store->kv, NULL, key_span(&key), value, sizeof value, &size);
    if (error == PARLEY_E_OK && size == sizeof value)
        store->commits_count = parley_get_u64(value);
    return error == PARLEY_E_NOT_FOUND ? PARLEY_E_OK : error;
}

static enum parley_error read_version(struct parley_store *store, bool create) {
    enum parley_error error = version_read(store->kv, NULL, &store->next_number, &store->is_old);
    if (error == PARLEY_E_STORE_MISSING && create)
        error = make_layout(store);
    return error != PARLEY_E_OK ? error : read_commits(store);
}

/* Indexes whose making was cut short are made again, and those that an older layout lacks. */
static enum parley_error finish_rebuild(struct parley_store *store) {
    struct key key;
    uint8_t value[1];
    size_t size = 0;
    key_letter(&key, 'R');
    enum parley_error error =
        store->kv->calls->get(store->kv, NULL, key_span(&key), value, sizeof value, &size);
    /* The row stands or does not; what is in it says nothing. */
    bool stands = error == PARLEY_E_OK || error == PARLEY_E_NO_SPACE;
    store->is_old = store->is_old || stands;
    if (stands || error == PARLEY_E_NOT_FOUND)
        error = PARLEY_E_OK;
    return error == PARLEY_E_OK && store->is_old ? parley_store_rebuild(store) : error;
}

enum parley_error parley_store_open(struct parley_store **store, struct parley_kv *kv,
                                    bool create) {
    *store = NULL;
    struct parley_store *made = calloc(1, sizeof *made);
    if (made == NULL)
        return PARLEY_E_NO_MEMORY;
    made->kv = kv;
    enum parley_error error = read_version(made, create);
    if (error == PARLEY_E_OK)
        error = finish_rebuild(made);
    if (error != PARLEY_E_OK) {
        free(made);
        return error;
    }
    *store = made;
    return PARLEY_E_OK;
}

void parley_store_close(struct parley_store *store) {
    free(store);
}

/* ---- commit */

/* The second element of a record, which keeps an author's records in their order. */
static bool record_kind(struct parley_span record, uint8_t *kind) {
    struct parley_reader reader;
    parley_reader_init(&reader, record);
    parley_read_array(&reader, "record", 2, UINT16_MAX);
    parley_read_uint(&reader, "version", 0, PARLEY_VERSION_MAX);
    *kind = (uint8_t)parley_read_uint(&reader, "kind", 0, UINT8_MAX);
    return reader.fault.error == PARLEY_E_OK;
}

static enum parley_error apply_record(struct batch *batch, const struct parley_store_op *op) {
    struct key key;
    struct parley_span held;
    uint8_t kind = 0;
    if (op->key.size != sizeof(struct parley_hash) || !record_kind(op->bytes, &kind))
        return PARLEY_E_BAD_INPUT;
    key_record(&key, &op->author, kind, op->key);
    if (batch_get(batch, &key, &held))
        return PARLEY_E_EXISTS;
    batch_put_span(batch, &key, op->bytes);
    return batch->error;
}

/* Keys of the records that are to be dropped, gathered first: a scan must not change anything. */
struct doomed {
    struct batch *batch;
    struct parley_span hash; /* empty: all */
    struct doomed_key {
        struct doomed_key *next;
        struct key key;
    } * keys;
};

static bool on_doomed(void *context, struct parley_span key, struct parley_span value) {
    struct doomed *doomed = context;
    size_t hash_size = sizeof(struct parley_hash);
    (void)value;
    bool is_meant =
        doomed->hash.size == 0 ||
        (key.size > hash_size &&
         parley_span_equal(doomed->hash, PARLEY_SPAN(key.data + key.size - hash_size, hash_size)));
    if (!is_meant)
        return true;
    struct doomed_key *kept = batch_allocate(doomed->batch, sizeof *kept);
    if (kept == NULL)
        return false;
    kept->next = doomed->keys;
    kept->key.size = key.size;
    memcpy(kept->key.bytes, key.data, key.size);
    doomed->keys = kept;
    return true;
}

static enum parley_error apply_unrecord(struct batch *batch, const struct parley_store_op *op) {
    struct key low, high;
    struct doomed doomed = {.batch = batch, .hash = op->key};
    key_records(&low, &op->author);
    key_after(&high, &low);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), false};
    batch_scan(batch, &bounds, on_doomed, &doomed);
    for (const struct doomed_key *key = doomed.keys; key != NULL; key = key->next)
        batch_drop(batch, &key->key);
    return batch->error;
}

static enum parley_error apply_meta(struct batch *batch, const struct parley_store_op *op) {
    struct key key;
    if (!key_meta(&key, op->key))
        return PARLEY_E_TOO_LARGE;
    if (op->bytes.size == 0)
        batch_drop(batch, &key);
    else
        batch_put_span(batch, &key, op->bytes);
    return batch->error;
}

static enum parley_error apply(struct commit *commit, const struct parley_store_op *op) {
    switch (op->kind) {
    case PARLEY_STORE_APPEND:
    case PARLEY_STORE_FILL:
    case PARLEY_STORE_TOP:
        return apply_run(commit, op);
    case PARLEY_STORE_BODIES:
        return apply_bodies(commit, op);
    case PARLEY_STORE_DROP_BODIES:
        return apply_drop_bodies(commit, op);
    case PARLEY_STORE_PRUNE:
        return apply_prune(commit, op);
    case PARLEY_STORE_CUT:
        return apply_cut(commit, op);
    case PARLEY_STORE_FORK:
        return apply_fork(commit, op);
    case PARLEY_STORE_EVIDENCE:
        return apply_evidence(commit, op);
    case PARLEY_STORE_RECORD:
        return apply_record(&commit->batch, op);
    case PARLEY_STORE_UNRECORD:
        return apply_unrecord(&commit->batch, op);
    case PARLEY_STORE_META:
        return apply_meta(&commit->batch, op);
    case PARLEY_STORE_ERASE:
        return apply_erase(commit, op);
    case PARLEY_STORE_FORGET:
        return apply_forget(commit, op);
    case PARLEY_STORE_RECALL:
        return apply_recall(commit, op);
    }
    return PARLEY_E_BAD_INPUT;
}

static void count_commit(struct commit *commit) {
    struct key key;
    uint8_t count[8];
    if (commit->batch.changes_count == 0)
        return;
    key_letter(&key, 'C');
    parley_put_u64(count, commit->store->commits_count + 1);
    batch_put_span(&commit->batch, &key, PARLEY_SPAN(count, sizeof count));
}

void parley_store_commit(struct parley_store *store, const struct parley_store_op *ops,
                         size_t ops_count, enum parley_error *results) {
    struct commit commit = {.store = store};
    batch_init(&commit.batch, store->kv);
    commit.batch.error = store->broken;
    for (size_t i = 0; i < ops_count && commit.batch.error == PARLEY_E_OK; i++)
        results[i] = apply(&commit, &ops[i]);
    count_commit(&commit);
    bool has_changes = commit.batch.changes_count > 0;
    store->broken = batch_write(&commit.batch);
    store->commits_count += has_changes && store->broken == PARLEY_E_OK;
    for (size_t i = 0; i < ops_count && store->broken != PARLEY_E_OK; i++)
        results[i] = store->broken;
    batch_clear(&commit.batch);
}

/* ---- loading */

struct loading {
    const struct parley_store_visitor *visitor;
    enum parley_error error;
    bool is_stopped;
};

static bool on_record_row(void *context, struct parley_span key, struct parley_span value) {
    struct loading *loading = context;
    struct parley_author author;
    if (key.size != 1 + sizeof author + 1 + sizeof(struct parley_hash)) {
        loading->error = PARLEY_E_STORE_DAMAGED;
        return false;
    }
    memcpy(author.bytes, key.data + 1, sizeof author);
    loading->is_stopped = !loading->visitor->on_record(loading->visitor->context, &author, value);
    return !loading->is_stopped;
}

static bool on_log_row(void *context, struct parley_span key, struct parley_span value) {
    struct loading *loading = context;
    struct parley_log log;
    struct log_row row;
    if (key.size != 1 + sizeof log) {
        loading->error = PARLEY_E_STORE_DAMAGED;
        return false;
    }
    memcpy(log.bytes, key.data + 1, sizeof log);
    loading->error = log_row_decode(&row, &log, value);
    row.held.bytes += cost_of_row(value.size);
    if (loading->error == PARLEY_E_OK && !log_row_is_empty(&row))
        loading->is_stopped = !loading->visitor->on_log(loading->visitor->context, &row.held);
    return loading->error == PARLEY_E_OK && !loading->is_stopped;
}

static bool on_meta_row(void *context, struct parley_span key, struct parley_span value) {
    struct loading *loading = context;
    struct parley_span name = PARLEY_SPAN(key.data + 1, key.size - 1);
    loading->is_stopped = !loading->visitor->on_meta(loading->visitor->context, name, value);
    return !loading->is_stopped;
}

static void load_letter(struct parley_store *store, struct loading *loading, char letter,
                        parley_kv_on_pair *on_pair) {
    struct key low, high;
    if (loading->error != PARLEY_E_OK || loading->is_stopped)
        return;
    key_letter(&low, letter);
    key_after(&high, &low);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), false};
    enum parley_error error = store->kv->calls->scan(store->kv, NULL, &bounds, on_pair, loading);
    if (loading->error == PARLEY_E_OK)
        loading->error = error;
}

enum parley_error parley_store_load(struct parley_store *store,
                                    const struct parley_store_visitor *visitor) {
    struct loading loading = {.visitor = visitor};
    if (visitor->on_meta != NULL)
        load_letter(store, &loading, 'm', on_meta_row);
    if (visitor->on_record != NULL)
        load_letter(store, &loading, 'r', on_record_row);
    if (visitor->on_log != NULL)
        load_letter(store, &loading, 'l', on_log_row);
    return loading.error;
}

enum parley_error parley_store_log_get(struct parley_store *store, const struct parley_log *log,
                                       struct parley_store_log *out) {
    struct log_row row;
    enum parley_error error = row_read(store->kv, NULL, log, &row);
    if (error == PARLEY_E_OK && log_row_is_empty(&row))
        error = PARLEY_E_NOT_FOUND;
    if (error != PARLEY_E_OK)
        return error;
    uint8_t encoded[LOG_ROW_SIZE_MAX];
    *out = row.held;
    out->bytes += cost_of_row(log_row_encode(encoded, &row));
    return error;
}

uint64_t parley_store_bytes(struct parley_store *store) {
    return store->kv->calls->bytes(store->kv, PARLEY_NO_SPAN, PARLEY_NO_SPAN);
}

uint64_t parley_store_commits_count(const struct parley_store *store) {
    return store->commits_count;
}

enum parley_error parley_store_broken(const struct parley_store *store) {
    return store->broken;
}
