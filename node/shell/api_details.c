#include "api_details.h"
#include "api_hide.h"
#include "api_job.h"
#include "api_unread.h"
#include <stdlib.h>

/* ---- on a worker -------------------------------------------------------------------------- */

struct counting {
    const struct api_entry *entry;
    size_t count;
};

static bool on_link(void *context, const struct parley_store_link *link) {
    struct counting *counting = context;
    if (memcmp(link->id_start, counting->entry->id.bytes, sizeof(link->id_start)) == 0)
        counting->count++;
    return counting->count < API_DETAILS_COUNT_MAX;
}

static size_t count_links(struct parley_store *store, const struct api_entry *entry,
                          enum parley_link_kind kind, bool *is_unread, enum parley_error *unread) {
    struct counting counting = {entry, 0};
    enum parley_error error =
        parley_store_links(store, &entry->log, entry->seq, kind, NULL, on_link, &counting);
    *is_unread = api_is_unread(error);
    api_unread_keep(unread, error);
    return counting.count;
}

/* NULL: it is not here, or cannot be read. */
static struct api_entry *read_beside(struct parley_store *store, const struct parley_ref *ref,
                                     bool *is_unread, enum parley_error *unread) {
    enum parley_error error = PARLEY_E_OK;
    struct api_entry *entry = api_entry_read(store, ref, &error);
    *is_unread = error != PARLEY_E_OK;
    api_unread_keep(unread, error);
    return entry;
}

struct api_details *api_details_read(struct parley_store *store, const struct api_entry *entry) {
    struct api_details *details = calloc(1, sizeof(*details));
    struct parley_body body;
    if (details == NULL)
        return NULL;
    bool is_decoded = api_entry_body(entry, &body);
    bool is_post = is_decoded && body.kind == PARLEY_BODY_POST;
    details->is_root = is_post && !body.post.has_parent;
    if (is_post && body.post.has_parent)
        details->about =
            read_beside(store, &body.post.parent, &details->is_about_unread, &details->unread);
    if (is_post && body.post.has_quote)
        details->quoted =
            read_beside(store, &body.post.quote, &details->is_quoted_unread, &details->unread);
    if (is_decoded && body.kind == PARLEY_BODY_VOTE)
        details->about =
            read_beside(store, &body.vote.ref, &details->is_about_unread, &details->unread);
    api_votes_read(&details->votes, store, entry);
    api_unread_keep(&details->unread, details->votes.unread);
    details->echoes_count =
        count_links(store, entry, PARLEY_LINK_ECHO, &details->is_echoes_unread, &details->unread);
    if (details->is_root)
        details->replies_count = count_links(store, entry, PARLEY_LINK_REPLY,
                                             &details->is_replies_unread, &details->unread);
    return details;
}

void api_details_free(struct api_details *details) {
    if (details == NULL)
        return;
    api_entry_free(details->about);
    api_entry_free(details->quoted);
    api_votes_clear(&details->votes);
    free(details);
}

static bool add_of(struct api_people *people, const struct api_entry *entry) {
    return entry == NULL || api_people_add(people, &entry->author);
}

bool api_details_add_people(struct api_people *people, const struct api_entry *entry) {
    struct parley_body body;
    bool done = entry->details == NULL ||
                (add_of(people, entry->details->about) && add_of(people, entry->details->quoted));
    if (!done || !api_entry_body(entry, &body))
        return done;
    if (body.kind == PARLEY_BODY_FOLLOW)
        return api_people_add(people, &body.follow.author);
    if (body.kind != PARLEY_BODY_POST)
        return true;
    if (body.post.has_parent)
        done = api_people_add(people, &body.post.parent.author);
    if (done && body.post.has_quote)
        done = api_people_add(people, &body.post.quote.author);
    for (size_t i = 0; done && i < body.post.mentions_count; i++)
        done = api_people_add(people, &body.post.mentions[i]);
    return done;
}

/* ---- on the loop -------------------------------------------------------------------------- */

static void add_name(json_t *names, const struct api_view *view,
                     const struct parley_author *author) {
    char text[PARLEY_AUTHOR_TEXT_SIZE];
    parley_author_encode(text, author);
    json_object_set_new(names, text, api_view_name(view, author));
}

static void set_author(json_t *json, json_t *names, const char *key, bool is_there,
                       const struct parley_ref *ref, const struct api_view *view) {
    json_object_set_new(json, key, is_there ? api_json_author(&ref->author) : json_null());
    if (is_there)
        add_name(names, view, &ref->author);
}

static void set_names(json_t *json, const struct api_entry *entry, const struct api_view *view) {
    struct parley_body body;
    json_t *names = json_object();
    if (api_entry_body(entry, &body) && body.kind == PARLEY_BODY_POST) {
        const struct parley_post *post = &body.post;
        set_author(json, names, "reply_to_author", post->has_parent, &post->parent, view);
        set_author(json, names, "quote_author", post->has_quote, &post->quote, view);
        for (size_t i = 0; i < post->mentions_count; i++)
            add_name(names, view, &post->mentions[i]);
    }
    json_object_set_new(json, "names", names);
}

static json_t *json_count(bool is_known, size_t count) {
    return is_known ? json_integer((json_int_t)count) : json_null();
}

void api_details_set(json_t *json, const struct api_entry *entry, const struct api_view *view) {
    const struct api_details *details = entry->details;
    const char *kind = json_string_value(json_object_get(json, "kind"));
    bool is_hidden = strcmp(kind, "muted") == 0 || strcmp(kind, "blocked") == 0 ||
                     strcmp(kind, "hidden") == 0 || strcmp(kind, "erased") == 0;
    if (details == NULL)
        return;
    if (!is_hidden) {
        set_names(json, entry, view);
        json_object_set_new(json, "about", api_entry_json_beside(details->about, view));
        json_object_set_new(json, "quoted", api_entry_json_beside(details->quoted, view));
    }
    json_object_set_new(
        json, "votes",
        api_votes_json(&details->votes, view->node, view->has_owner ? &view->owner : NULL));
    json_object_set_new(
        json, "replies",
        json_count(details->is_root && !details->is_replies_unread, details->replies_count));
    json_object_set_new(json, "echoes",
                        json_count(!details->is_echoes_unread, details->echoes_count));
    api_unread_name(json, !is_hidden && details->is_about_unread, "about");
    api_unread_name(json, !is_hidden && details->is_quoted_unread, "quoted");
    api_unread_name(json, details->votes.unread != PARLEY_E_OK, "votes");
    api_unread_name(json, details->is_replies_unread, "replies");
    api_unread_name(json, details->is_echoes_unread, "echoes");
}
