/* Digests of headers and of bodies, SPEC 10. What is counted is copied from the node; which bodies
 * are here, the store knows: a log that has all of them costs one row, another one a walk. All of
 * the hashing is done on a worker, so that a relay with many authors goes on meanwhile.
 */
#include "api_job.h"
#include "api_unread.h"
#include <parley/digest.h>
#include <stdlib.h>

struct counted {
    struct parley_author author;
    struct parley_log log;
    struct parley_digest_range ranges[PARLEY_DIGEST_RANGES_MAX]; /* newest first */
    size_t ranges_count;
};

struct api_digest {
    struct counted *logs; /* ascending by author, then log */
    size_t logs_count;
    struct parley_hash headers, bodies;
    api_handler *then;
    bool is_out_of_memory;
    enum parley_error unread; /* of which bodies are here (api_unread.h) */
    /* of the log at hand: stretches with bodies */
    struct parley_digest_bodies_range *held;
    size_t held_count, held_room;
};

static void free_digest(void *state) {
    struct api_digest *digest = state;
    free(digest->logs);
    free(digest->held);
    free(digest);
}

/* ---- which logs --------------------------------------------------------------------------- */

static int compare_logs(const void *a, const void *b) {
    const struct counted *left = a, *right = b;
    int order = PARLEY_COMPARE(left->author, right->author);
    return order != 0 ? order : PARLEY_COMPARE(left->log, right->log);
}

static int compare_authors(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct parley_author));
}

/* authors sorted; NULL: all. False: out of memory. */
static bool list_logs(struct api_digest *digest, const struct parley_node *node,
                      const struct parley_author *authors, size_t authors_count) {
    struct parley_node_log at;
    size_t count = 0;
    for (size_t i = 0; parley_node_log_at(node, i, &at); i++)
        count++;
    digest->logs = calloc(count + 1, sizeof(*digest->logs));
    if (digest->logs == NULL)
        return false;
    for (size_t i = 0; i < count && parley_node_log_at(node, i, &at); i++) {
        struct counted *log = &digest->logs[digest->logs_count];
        if (authors != NULL &&
            bsearch(&at.author, authors, authors_count, sizeof(at.author), compare_authors) == NULL)
            continue;
        log->author = at.author;
        log->log = at.log;
        log->ranges_count = parley_digest_counted(log->ranges, &at.good, &at.policy);
        digest->logs_count += log->ranges_count > 0;
    }
    qsort(digest->logs, digest->logs_count, sizeof(*digest->logs), compare_logs);
    return true;
}

/* ---- which bodies (worker) ---------------------------------------------------------------- */

static bool add_held(struct api_digest *digest, parley_seq lo, parley_seq hi) {
    if (digest->held_count == digest->held_room) {
        size_t room = 2 * digest->held_room + 16;
        struct parley_digest_bodies_range *grown =
            realloc(digest->held, room * sizeof(*digest->held));
        if (grown == NULL) {
            digest->is_out_of_memory = true;
            return false;
        }
        digest->held = grown;
        digest->held_room = room;
    }
    digest->held[digest->held_count++] = (struct parley_digest_bodies_range){lo, hi};
    return true;
}

static bool on_entry(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received) {
    struct api_digest *digest = context;
    parley_seq seq = entry->header.seq;
    if (!entry->has_body)
        return true;
    if (digest->held_count > 0 && digest->held[digest->held_count - 1].hi + 1 == seq) {
        digest->held[digest->held_count - 1].hi = seq;
        return true;
    }
    return add_held(digest, seq, seq);
}

static void read_bodies(struct api_digest *digest, struct parley_store *store,
                        const struct counted *log) {
    struct parley_store_log row;
    digest->held_count = 0;
    enum parley_error error = parley_store_log_get(store, &log->log, &row);
    api_unread_keep(&digest->unread, error);
    if (error != PARLEY_E_OK)
        return;
    bool has_all = row.bodies_count == row.entries_count;
    for (size_t i = log->ranges_count; i-- > 0;) {
        const struct parley_digest_range *range = &log->ranges[i];
        if (has_all)
            (void)add_held(digest, range->lo, range->hi);
        else
            api_unread_keep(&digest->unread, parley_store_entries(store, &log->log, range->lo,
                                                                  range->hi, on_entry, digest));
    }
}

/* One tree of both kinds, built in step. */
struct tree {
    enum parley_digest_kind kind;
    struct parley_digest_hasher all, author;
};

static void tree_add(struct tree *tree, const struct counted *log, bool is_first, bool is_last,
                     const struct parley_hash *leaf) {
    struct parley_hash digest;
    if (is_first)
        parley_digest_author_init(&tree->author, tree->kind, &log->author);
    parley_digest_author_add(&tree->author, &log->log, leaf);
    if (!is_last)
        return;
    parley_digest_finish(&tree->author, &digest);
    parley_digest_all_add(&tree->all, &log->author, &digest);
}

static void read_digest(struct api_job *job, struct parley_store *store) {
    struct api_digest *digest = job->state;
    struct tree headers = {.kind = PARLEY_DIGEST_HEADERS}, bodies = {.kind = PARLEY_DIGEST_BODIES};
    struct parley_hash leaf;
    parley_digest_all_init(&headers.all, headers.kind);
    parley_digest_all_init(&bodies.all, bodies.kind);
    for (size_t i = 0; i < digest->logs_count; i++) {
        const struct counted *log = &digest->logs[i];
        bool is_first = i == 0 || !PARLEY_EQUAL(log->author, log[-1].author);
        bool is_last = i + 1 == digest->logs_count || !PARLEY_EQUAL(log->author, log[1].author);
        parley_digest_log(&leaf, &log->log, log->ranges, log->ranges_count);
        tree_add(&headers, log, is_first, is_last, &leaf);
        read_bodies(digest, store, log);
        parley_digest_bodies_log(&leaf, &log->log, digest->held, digest->held_count);
        tree_add(&bodies, log, is_first, is_last, &leaf);
    }
    parley_digest_finish(&headers.all, &digest->headers);
    parley_digest_finish(&bodies.all, &digest->bodies);
}

/* ---- for handlers ------------------------------------------------------------------------- */

static void on_digest(struct api_job *job) {
    struct api_digest *digest = job->state;
    if (digest->is_out_of_memory)
        api_no_memory(job);
    else
        digest->then(job);
}

void api_digest_read(struct api_job *job, const struct parley_author *authors, size_t authors_count,
                     api_handler *then) {
    const struct parley_node *node = parley_host_node(job->api->host);
    struct api_digest *digest = calloc(1, sizeof(*digest));
    if (digest == NULL) {
        api_no_memory(job);
        return;
    }
    job->state = digest;
    job->free_state = free_digest;
    digest->then = then;
    if (list_logs(digest, node, authors, authors_count))
        api_read(job, read_digest, on_digest);
    else
        api_no_memory(job);
}

void api_digest_set(const struct api_job *job, json_t *json) {
    const struct api_digest *digest = job->state;
    json_object_set_new(json, "digest", api_json_hex(digest->headers.bytes, 32));
    json_object_set_new(json, "digest_bodies",
                        digest->unread == PARLEY_E_OK ? api_json_hex(digest->bodies.bytes, 32)
                                                      : json_null());
    json_object_set_new(json, "problem", api_unread_json(digest->unread));
}

/* ---- GET digest --------------------------------------------------------------------------- */

void api_names_digest(struct api_job *job) {
    for (size_t i = 0; i < job->parameters_count; i++)
        if (strcmp(job->parameters[i].name, "author") == 0 &&
            !api_name_add(job, API_AUTHOR, "author", job->parameters[i].value))
            return;
    api_names_find(job);
}

static void answer_digest(struct api_job *job) {
    json_t *json = json_object();
    api_digest_set(job, json);
    api_answer_json(job, 200, json);
}

void api_run_digest(struct api_job *job) {
    struct parley_author authors[PARLEY_API_PARAMETERS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < job->names_count; i++)
        authors[i] = job->names[i].author;
    qsort(authors, job->names_count, sizeof(authors[0]), compare_authors);
    for (size_t i = 0; i < job->names_count; i++)
        if (i == 0 || !PARLEY_EQUAL(authors[i], authors[count - 1]))
            authors[count++] = authors[i];
    api_digest_read(job, count > 0 ? authors : NULL, count, answer_digest);
}
