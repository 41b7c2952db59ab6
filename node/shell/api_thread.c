/* Reading one post, and the thread that it belongs to.
 *
 * A thread's first entry stands first, then its replies in the order of time, a page at a time.
 * What is answered may be missing here: that is said, not guessed. What is held of it without its
 * words (erased, purged) stands ahead of its first answer, so it may come on several pages.
 */
#include "api_hide.h"
#include "api_job.h"
#include "api_unread.h"
#include "api_view.h"
#include "api_votes.h"
#include <stdlib.h>

#define PAGE_POSTS_DEFAULT 200u
#define PAGE_POSTS_MAX     500u
#define PAGE_BYTES_MAX     (1024u * 1024u) /* of bodies */

/* One entry of the page. */
struct answer {
    struct api_votes votes;
    bool has_parent, is_parent_here, is_parent_unread;
};

struct thread {
    bool is_one; /* show: the post alone */
    struct parley_ref root;
    bool has_after;
    struct parley_timeline_place after;
    size_t posts_max;
    /* read by a worker */
    bool is_root_here, is_root_unread;
    enum parley_error unread; /* what lacks though it is held (api_unread.h) */
    struct api_entries entries;
    struct answer *answers; /* one for each of entries */
    struct api_view view;
    size_t bytes;
    bool is_more;
    struct parley_timeline_place last;
    bool is_out_of_memory;
};

static void free_thread(void *state) {
    struct thread *thread = state;
    for (size_t i = 0; thread->answers != NULL && i < thread->entries.count; i++)
        api_votes_clear(&thread->answers[i].votes);
    free(thread->answers);
    api_view_clear(&thread->view);
    api_entries_clear(&thread->entries);
    free(thread);
}

/* ---- on a worker -------------------------------------------------------------------------- */

struct replies {
    struct thread *thread;
    struct parley_store *store;
};

static bool on_reply_entry(void *context, const struct parley_store_log *log,
                           const struct parley_entry *entry,
                           const struct parley_timeline_place *place, parley_time_ms received) {
    struct thread *thread = context;
    if (!api_entries_add(&thread->entries, api_entry_copy(log, entry, place, received)))
        thread->is_out_of_memory = true;
    thread->bytes += entry->has_body ? entry->body.size : 0;
    return false;
}

static bool on_reply(void *context, const struct parley_store_link *link) {
    const struct replies *replies = context;
    struct thread *thread = replies->thread;
    if (memcmp(link->id_start, thread->root.id.bytes, sizeof(link->id_start)) != 0)
        return true;
    if (thread->entries.count >= thread->posts_max || thread->bytes >= PAGE_BYTES_MAX) {
        thread->is_more = true;
        return false;
    }
    thread->last = (struct parley_timeline_place){link->time, link->log.log, link->seq};
    api_unread_keep(&thread->unread, parley_store_entries(replies->store, &link->log.log, link->seq,
                                                          link->seq, on_reply_entry, thread));
    return !thread->is_out_of_memory;
}

static bool on_any(void *context, const struct parley_store_log *log,
                   const struct parley_entry *entry, const struct parley_timeline_place *place,
                   parley_time_ms received) {
    *(struct parley_id *)context = entry->id;
    return false;
}

static void read_answer(struct thread *thread, struct answer *answer, struct parley_store *store,
                        const struct api_entry *entry) {
    struct parley_body body;
    struct parley_id id = {{0}};
    api_votes_read(&answer->votes, store, entry);
    api_unread_keep(&thread->unread, answer->votes.unread);
    if (!api_entry_body(entry, &body) || body.kind != PARLEY_BODY_POST || !body.post.has_parent)
        return;
    const struct parley_ref *parent = &body.post.parent;
    answer->has_parent = true;
    enum parley_error error =
        parley_store_entries(store, &parent->log, parent->seq, parent->seq, on_any, &id);
    answer->is_parent_here = error == PARLEY_E_OK && PARLEY_EQUAL(id, parent->id);
    answer->is_parent_unread = api_is_unread(error);
    api_unread_keep(&thread->unread, error);
}

/* The parent of a reply, when it is held without its words: its own body no longer says that it
 * belongs to this thread. */
static struct api_entry *silent_parent(const struct api_entries *listed, struct parley_store *store,
                                       const struct api_entry *entry, enum parley_error *unread) {
    struct parley_body body;
    if (!api_entry_body(entry, &body) || body.kind != PARLEY_BODY_POST || !body.post.has_parent)
        return NULL;
    for (size_t i = 0; i < listed->count; i++)
        if (PARLEY_EQUAL(listed->items[i]->id, body.post.parent.id))
            return NULL;
    struct api_entry *parent = api_entry_read(store, &body.post.parent, unread);
    if (parent != NULL && !parent->has_body)
        return parent;
    api_entry_free(parent);
    return NULL;
}

/* Each ahead of the first reply to it. */
static void add_silent_parents(struct thread *thread, struct parley_store *store) {
    struct api_entries all = {0};
    for (size_t i = 0; i < thread->entries.count; i++) {
        struct api_entry *entry = thread->entries.items[i];
        struct api_entry *parent = i == 0 && thread->is_root_here
                                       ? NULL
                                       : silent_parent(&all, store, entry, &thread->unread);
        if ((parent != NULL && !api_entries_add(&all, parent)) || !api_entries_add(&all, entry))
            thread->is_out_of_memory = true; /* what was not added is freed */
    }
    free(thread->entries.items);
    thread->entries = all;
}

static void read_entries(struct thread *thread, struct parley_store *store) {
    struct replies replies = {thread, store};
    struct api_entry *root =
        thread->has_after ? NULL : api_entry_read(store, &thread->root, &thread->unread);
    thread->is_root_here = root != NULL;
    thread->is_root_unread = root == NULL && thread->unread != PARLEY_E_OK;
    if (root != NULL && !api_entries_add(&thread->entries, root))
        thread->is_out_of_memory = true;
    if (thread->is_one)
        return;
    api_unread_keep(&thread->unread,
                    parley_store_links(store, &thread->root.log, thread->root.seq,
                                       PARLEY_LINK_REPLY, thread->has_after ? &thread->after : NULL,
                                       on_reply, &replies));
    add_silent_parents(thread, store);
}

static void read_thread(struct api_job *job, struct parley_store *store) {
    struct thread *thread = job->state;
    read_entries(thread, store);
    thread->answers = calloc(thread->entries.count + 1, sizeof(*thread->answers));
    if (thread->answers == NULL || !api_view_read(&thread->view, store, &thread->entries)) {
        thread->is_out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < thread->entries.count; i++) {
        read_answer(thread, &thread->answers[i], store, thread->entries.items[i]);
        if (thread->answers[i].votes.is_out_of_memory)
            thread->is_out_of_memory = true;
    }
    api_unread_keep(&thread->unread, thread->view.unread);
    if (thread->unread == PARLEY_E_NO_MEMORY)
        thread->is_out_of_memory = true;
}

/* ---- on the loop -------------------------------------------------------------------------- */

static json_t *json_one(const struct api_job *job, const struct thread *thread, size_t index) {
    const struct parley_home *home = parley_host_home(job->api->host);
    const struct answer *answer = &thread->answers[index];
    json_t *json = api_entry_json(thread->entries.items[index], &thread->view);
    if (json == NULL)
        return NULL;
    json_object_set_new(
        json, "votes",
        api_votes_json(&answer->votes, thread->view.node, home->has_author ? &home->author : NULL));
    json_object_set_new(json, "parent_here",
                        answer->has_parent && !answer->is_parent_unread
                            ? json_boolean(answer->is_parent_here)
                            : json_null());
    api_unread_name(json, answer->is_parent_unread, "parent_here");
    api_unread_name(json, !thread->view.is_detailed && answer->votes.unread != PARLEY_E_OK,
                    "votes");
    return json;
}

static bool finish(struct api_job *job) {
    struct thread *thread = job->state;
    if (!thread->is_out_of_memory &&
        api_view_finish(&thread->view, parley_host_node(job->api->host), &thread->entries))
        return true;
    api_no_memory(job);
    return false;
}

static void answer_one(struct api_job *job) {
    const struct thread *thread = job->state;
    if (!finish(job))
        return;
    if (thread->entries.count == 0) { /* it was there a moment ago */
        if (thread->unread != PARLEY_E_OK)
            api_unread_refuse(job, thread->unread);
        else
            api_refuse(job, PARLEY_E_NOT_FOUND, "post", "%s is not here", job->names[0].text);
        return;
    }
    json_t *json = json_one(job, thread, 0);
    json_object_set_new(json, "problem", api_unread_json(thread->unread));
    api_answer_json(job, 200, json);
}

static void answer_thread(struct api_job *job) {
    struct thread *thread = job->state;
    json_t *posts = json_array(), *json = json_object();
    char next[API_PLACE_TEXT_SIZE];
    if (!finish(job)) {
        json_decref(posts);
        json_decref(json);
        return;
    }
    bool is_root_shown = false;
    for (size_t i = 0; i < thread->entries.count; i++) {
        if (!api_entry_is_good(thread->view.node, thread->entries.items[i]))
            continue;
        is_root_shown = is_root_shown || (i == 0 && thread->is_root_here);
        json_array_append_new(posts, json_one(job, thread, i));
    }
    api_place_encode(next, &thread->last);
    json_object_set_new(
        json, "root", api_json_post_address(&thread->root.log, thread->root.seq, &thread->root.id));
    json_object_set_new(json, "root_here",
                        thread->is_root_unread ? json_null()
                                               : json_boolean(thread->has_after || is_root_shown));
    json_object_set_new(json, "posts", posts);
    json_object_set_new(json, "next", thread->is_more ? json_string(next) : json_null());
    json_object_set_new(json, "problem", api_unread_json(thread->unread));
    api_answer_json(job, 200, json);
}

/* ---- requests ----------------------------------------------------------------------------- */

void api_names_post(struct api_job *job) {
    if (api_name_add(job, API_POST, "post", job->rest))
        api_names_find(job);
}

/* NULL: the job was refused. */
static struct thread *take_thread(struct api_job *job) {
    const struct api_name *name = &job->names[0];
    const struct parley_home *home = parley_host_home(job->api->host);
    uint64_t details = 0;
    if (!api_parameter_number(job, "details", &details, 0, 1))
        return NULL;
    if (!api_entry_is_good(parley_host_node(job->api->host), name->entry)) {
        api_refuse(job, PARLEY_E_NOT_FOUND, name->field,
                   "%s is here but hidden: its log is void, closed before it, or forked",
                   name->text);
        return NULL;
    }
    if (api_hiding_of(parley_host_node(job->api->host), name->entry, NULL) == API_HIDES_BLOCKED) {
        api_refuse(job, PARLEY_E_BLOCKED, name->field,
                   "%s is by somebody whom you block: parley why %s", name->text, name->text);
        return NULL;
    }
    struct thread *thread = calloc(1, sizeof(*thread));
    if (thread == NULL) {
        api_no_memory(job);
        return NULL;
    }
    job->state = thread;
    job->free_state = free_thread;
    thread->root = api_entry_ref(name->entry);
    thread->view.is_detailed = details == 1;
    thread->view.has_owner = home->has_author;
    thread->view.owner = home->author;
    return thread;
}

void api_run_show(struct api_job *job) {
    struct thread *thread = take_thread(job);
    if (thread == NULL)
        return;
    thread->is_one = true;
    api_read(job, read_thread, answer_one);
}

/* Where the post's thread begins. */
static void find_root(struct thread *thread, const struct api_entry *entry) {
    struct parley_body body;
    if (!api_entry_body(entry, &body) || body.kind != PARLEY_BODY_POST)
        return;
    if (body.post.has_root)
        thread->root = body.post.root;
    else if (body.post.has_parent)
        thread->root = body.post.parent;
}

void api_run_thread(struct api_job *job) {
    const char *after = api_parameter(job, "after");
    uint64_t limit = PAGE_POSTS_DEFAULT;
    struct parley_timeline_place place = {0};
    if (after != NULL && !api_place_decode(&place, after)) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "after", "after is not what `next` said");
        return;
    }
    if (!api_parameter_number(job, "limit", &limit, 1, PAGE_POSTS_MAX))
        return;
    struct thread *thread = take_thread(job);
    if (thread == NULL)
        return;
    thread->view.hides = true;
    find_root(thread, job->names[0].entry);
    thread->has_after = after != NULL;
    thread->after = place;
    thread->posts_max = (size_t)limit;
    api_read(job, read_thread, answer_thread);
}
