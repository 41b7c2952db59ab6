#include "api_fresh.h"
#include "api_telling.h"
#include <parley/codec.h>
#include <stdlib.h>

/* As many as come between two turns of the loop where posts come one by one. */
#define KEPT_MAX 8u
/* Of what was stored: a long article, or many posts, would make everybody's acknowledgement wait.
 */
#define READ_BYTES_MAX   (16u * 1024u)
#define READ_ENTRIES_MAX 8u

struct kept {
    bool is_used;
    struct parley_log log;
    parley_seq low, high;
    struct api_entries entries;
    struct api_view view;
};

struct api_fresh {
    struct parley_host *host;
    uv_mutex_t lock;
    struct kept kept[KEPT_MAX]; /* a ring */
    size_t next;
};

static void clear(struct kept *kept) {
    api_view_clear(&kept->view);
    api_entries_clear(&kept->entries);
    *kept = (struct kept){0};
}

static bool on_entry(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received) {
    struct kept *kept = context;
    if (api_telling_is_any(entry) &&
        !api_entries_add(&kept->entries, api_entry_copy(log, entry, place, received)))
        kept->is_used = false;
    return kept->is_used;
}

static bool read_all(struct kept *kept, struct parley_store *store) {
    return parley_store_entries(store, &kept->log, kept->low, kept->high, on_entry, kept) ==
               PARLEY_E_OK &&
           kept->is_used && api_view_read(&kept->view, store, &kept->entries);
}

/* On the committing thread. */
static void on_commit(void *context, struct parley_store *store, const struct parley_store_op *op) {
    struct api_fresh *fresh = context;
    struct parley_chunk chunk;
    if (op->kind != PARLEY_STORE_APPEND || op->bytes.size > READ_BYTES_MAX ||
        parley_chunk_decode(&chunk, op->bytes).error != PARLEY_E_OK ||
        chunk.count > READ_ENTRIES_MAX)
        return;
    struct kept kept = {.is_used = true,
                        .log = op->log,
                        .low = chunk.seq_first,
                        .high = parley_chunk_seq_last(&chunk)};
    if (!read_all(&kept, store)) {
        clear(&kept);
        return;
    }
    uv_mutex_lock(&fresh->lock);
    clear(&fresh->kept[fresh->next]);
    fresh->kept[fresh->next] = kept;
    fresh->next = (fresh->next + 1) % KEPT_MAX;
    uv_mutex_unlock(&fresh->lock);
}

void api_fresh_listen(struct api_fresh *fresh, bool listens) {
    parley_host_listen_commits(fresh->host, listens ? on_commit : NULL, fresh);
    uv_mutex_lock(&fresh->lock);
    for (size_t i = 0; !listens && i < KEPT_MAX; i++)
        clear(&fresh->kept[i]);
    uv_mutex_unlock(&fresh->lock);
}

bool api_fresh_take(struct api_fresh *fresh, const struct parley_log *log, parley_seq low,
                    parley_seq high, struct api_entries *entries, struct api_view *view) {
    bool is_here = false;
    uv_mutex_lock(&fresh->lock);
    for (size_t i = 0; !is_here && i < KEPT_MAX; i++) {
        struct kept *kept = &fresh->kept[i];
        is_here = kept->is_used && kept->low == low && kept->high == high &&
                  PARLEY_EQUAL(kept->log, *log);
        if (!is_here)
            continue;
        *entries = kept->entries;
        *view = kept->view;
        *kept = (struct kept){0};
    }
    uv_mutex_unlock(&fresh->lock);
    return is_here;
}

struct api_fresh *api_fresh_create(struct parley_host *host) {
    struct api_fresh *fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL)
        return NULL;
    fresh->host = host;
    if (uv_mutex_init(&fresh->lock) != 0)
        abort(); /* without memory for a lock nothing goes */
    return fresh;
}

void api_fresh_free(struct api_fresh *fresh) {
    if (fresh == NULL)
        return;
    for (size_t i = 0; i < KEPT_MAX; i++)
        clear(&fresh->kept[i]);
    uv_mutex_destroy(&fresh->lock);
    free(fresh);
}
