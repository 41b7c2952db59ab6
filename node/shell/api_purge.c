/* The owner's purge: bytes go here, and only here. Of a person all that is held, a stretch at a
 * time, so that no group of the disk becomes large. Who is allowed is asked for again.
 */
#include "api_purge.h"
#include "api_search.h"
#include <stdlib.h>
#include <string.h>

#define STRETCH_ENTRIES_MAX 1024u

struct purge {
    struct stretch {
        struct parley_log log;
        parley_seq low, high;
    } * stretches;
    size_t count, room, done;
    uint64_t entries_count;
    struct parley_api *api; /* its purging_count holds what is left of this one: */
    uint64_t left_count;
    api_handler *then; /* of what may come again; NULL: it goes */
};

static void free_purge(void *state) {
    struct purge *purge = state;
    purge->api->purging_count -= purge->left_count;
    free(purge->stretches);
    free(purge);
}

static bool add_stretch(struct purge *purge, const struct parley_log *log, parley_seq low,
                        parley_seq high) {
    if (purge->count == purge->room) {
        size_t room = purge->room ? 2 * purge->room : 16;
        struct stretch *grown = realloc(purge->stretches, room * sizeof(*grown));
        if (grown == NULL)
            return false;
        purge->stretches = grown;
        purge->room = room;
    }
    purge->stretches[purge->count++] = (struct stretch){*log, low, high};
    purge->entries_count += high - low + 1;
    return true;
}

static bool add_log(struct purge *purge, const struct parley_node_log *log) {
    for (unsigned i = 0; i < log->ranges.count; i++) {
        const struct parley_run *range = &log->ranges.ranges[i];
        for (parley_seq low = range->lo; low <= range->hi; low += STRETCH_ENTRIES_MAX) {
            parley_seq high = low + STRETCH_ENTRIES_MAX - 1;
            if (!add_stretch(purge, &log->log, low, high < range->hi ? high : range->hi))
                return false;
        }
    }
    return true;
}

static bool add_author(struct purge *purge, const struct parley_node *node,
                       const struct parley_author *author) {
    struct parley_node_log log;
    for (size_t i = 0; parley_node_log_at(node, i, &log); i++)
        if (PARLEY_EQUAL(log.author, *author) && !add_log(purge, &log))
            return false;
    return true;
}

/* ---- one stretch after the other ---------------------------------------------------------- */

static void submit_next(struct api_job *job);

static void note_done(struct purge *purge, const struct stretch *stretch) {
    uint64_t count = stretch->high - stretch->low + 1;
    purge->left_count -= count;
    purge->api->purging_count -= count;
}

static void on_purged(void *context, const struct parley_effect *effect) {
    struct api_job *job = context;
    struct purge *purge = job->state;
    enum parley_error error = api_reply_error(job->api, effect);
    bool is_gone = purge->then != NULL && error == PARLEY_E_NOT_FOUND; /* nothing of it is here */
    const struct stretch *stretch = &purge->stretches[purge->done - 1];
    if (error == PARLEY_E_OK && purge->then == NULL)
        api_search_forget(job->api->search, &stretch->log, stretch->low, stretch->high);
    note_done(purge, stretch);
    if (error != PARLEY_E_OK && !is_gone)
        api_refuse(job, error, NULL, "%s", parley_strerror(error));
    else
        submit_next(job);
}

static void submit_next(struct api_job *job) {
    struct purge *purge = job->state;
    if (purge->done == purge->count && purge->then != NULL) {
        purge->then(job);
        return;
    }
    if (purge->done == purge->count) {
        parley_host_compact(job->api->host); /* the bytes are to go, not only the way to them */
        api_answer_json(job, 200, json_pack("{s:I}", "entries", (json_int_t)purge->entries_count));
        return;
    }
    const struct stretch *stretch = &purge->stretches[purge->done++];
    struct parley_event event = {.kind = PARLEY_EVENT_PURGE};
    event.purge.log = stretch->log;
    event.purge.seq_low = stretch->low;
    event.purge.seq_high = stretch->high;
    event.purge.undo = purge->then != NULL;
    parley_host_submit(job->api->host, &event, on_purged, job);
}

/* Of the first name of the job, an author or a post. NULL: out of memory. */
static struct purge *purge_of(struct api_job *job) {
    const struct parley_node *node = parley_host_node(job->api->host);
    const struct api_name *name = &job->names[0];
    struct purge *purge = calloc(1, sizeof(*purge));
    if (purge == NULL)
        return NULL;
    purge->api = job->api;
    job->state = purge;
    job->free_state = free_purge;
    bool is_whole = name->kind == API_AUTHOR
                        ? add_author(purge, node, &name->author)
                        : add_stretch(purge, &name->entry->log, name->entry->seq, name->entry->seq);
    purge->left_count = purge->entries_count;
    job->api->purging_count += purge->left_count;
    return is_whole ? purge : NULL;
}

void api_purge_undo(struct api_job *job, api_handler *then) {
    struct purge *purge = purge_of(job);
    if (purge == NULL) {
        api_no_memory(job);
        return;
    }
    purge->then = then;
    submit_next(job);
}

/* ---- the request -------------------------------------------------------------------------- */

void api_names_purge(struct api_job *job) {
    const char *post = api_member_text(job->json, "post");
    const char *author = api_member_text(job->json, "author");
    const json_t *force = json_object_get(job->json, "force");
    if ((post == NULL) == (author == NULL))
        api_refuse(job, PARLEY_E_BAD_INPUT, "post", "either post or author must be given");
    else if (force != NULL && !json_is_boolean(force))
        api_refuse(job, PARLEY_E_BAD_INPUT, "force", "force must be true or false");
    else if (post != NULL ? api_name_add(job, API_POST, "post", post)
                          : api_name_add(job, API_AUTHOR, "author", author))
        api_names_find(job);
}

void api_run_purge(struct api_job *job) {
    const struct parley_home *home = parley_host_home(job->api->host);
    const struct api_name *name = &job->names[0];
    const struct parley_author *author =
        name->kind == API_POST ? &name->entry->author : &name->author;
    if (home->has_author && PARLEY_EQUAL(*author, home->author) &&
        !json_is_true(json_object_get(job->json, "force"))) {
        api_refuse(job, PARLEY_E_BAD_INPUT, name->field,
                   "%s is your own, and no other copy may exist: say --force to purge it here",
                   name->text);
        return;
    }
    struct purge *purge = purge_of(job);
    if (purge == NULL)
        api_no_memory(job);
    else if (purge->count == 0)
        api_refuse(job, PARLEY_E_NOT_FOUND, name->field, "nothing of %s is here", name->text);
    else
        submit_next(job);
}
