/* Entries as people see them. See api_entry.h. */
#include "api_entry.h"
#include "api_details.h"
#include "api_handle.h"
#include "api_hide.h"
#include "api_job.h"
#include "api_unread.h"
#include "api_view.h"
#include <stdlib.h>

struct api_entry *api_entry_copy(const struct parley_store_log *log,
                                 const struct parley_entry *entry,
                                 const struct parley_timeline_place *place,
                                 parley_time_ms received) {
    size_t body_size = entry->has_body ? entry->body.size : 0;
    struct api_entry *copy = calloc(1, sizeof(*copy) + body_size);
    if (copy == NULL)
        return NULL;
    copy->author = log->author;
    copy->device = log->device;
    copy->log = log->log;
    copy->seq = entry->header.seq;
    copy->id = entry->id;
    copy->time = entry->header.time;
    copy->received = received;
    copy->place = *place;
    copy->is_plain = entry->header.version == PARLEY_ENTRY_VERSION && entry->header.ext_size == 0;
    copy->has_body = entry->has_body;
    copy->body_size = body_size;
    if (body_size > 0)
        memcpy(copy->body, entry->body.data, body_size);
    return copy;
}

void api_entry_free(struct api_entry *entry) {
    if (entry == NULL)
        return;
    api_entry_free(entry->echoed);
    api_details_free(entry->details);
    free(entry);
}

enum parley_error api_entry_read_state(struct api_entry *entry, struct parley_store *store) {
    enum parley_error error =
        parley_store_body_state(store, &entry->log, entry->seq, &entry->id, &entry->body_state);
    if (error != PARLEY_E_OK) {
        entry->body_state = (struct parley_store_body_state){0};
        entry->is_state_unread = true;
        entry->has_body = false;
    }
    return error;
}

struct reading {
    const struct parley_ref *ref;
    struct api_entry *entry;
};

static bool on_read_entry(void *context, const struct parley_store_log *log,
                          const struct parley_entry *entry,
                          const struct parley_timeline_place *place, parley_time_ms received) {
    struct reading *reading = context;
    if (PARLEY_EQUAL(entry->id, reading->ref->id))
        reading->entry = api_entry_copy(log, entry, place, received);
    return false;
}

struct api_entry *api_entry_read(struct parley_store *store, const struct parley_ref *ref,
                                 enum parley_error *unread) {
    struct reading reading = {ref, NULL};
    api_unread_keep(unread, parley_store_entries(store, &ref->log, ref->seq, ref->seq,
                                                 on_read_entry, &reading));
    if (reading.entry != NULL)
        api_unread_keep(unread, api_entry_read_state(reading.entry, store));
    return reading.entry;
}

struct parley_ref api_entry_ref(const struct api_entry *entry) {
    return (struct parley_ref){entry->author, entry->log, entry->seq, entry->id};
}

bool api_entry_body(const struct api_entry *entry, struct parley_body *body) {
    return entry->has_body && entry->is_plain &&
           parley_body_decode(body, PARLEY_SPAN(entry->body, entry->body_size)).error ==
               PARLEY_E_OK;
}

static bool is_good_at(const struct parley_node *node, const struct parley_log *name,
                       parley_seq seq) {
    struct parley_node_log at;
    return parley_node_log_find(node, name, &at) && parley_ranges_shows(&at.good, &at.policy, seq);
}

bool api_entry_is_good(const struct parley_node *node, const struct api_entry *entry) {
    return is_good_at(node, &entry->log, entry->seq) || api_entry_is_allowed(node, entry);
}

bool api_entry_is_erased(const struct parley_node *node, const struct api_entry *entry) {
    return entry->body_state.erased_by != 0 &&
           is_good_at(node, &entry->log, entry->body_state.erased_by) &&
           !parley_node_post_is_allowed(node, &entry->log, entry->seq, &entry->id);
}

static bool has_tag(const struct parley_body *body, const char *tag) {
    if (body->kind != PARLEY_BODY_POST)
        return false;
    for (size_t i = 0; i < body->post.tags_count; i++)
        if (parley_span_equal(body->post.tags[i], PARLEY_SPAN(tag, strlen(tag))))
            return true;
    return false;
}

bool api_entry_is_listed(const struct parley_entry *entry, const char *tag) {
    struct parley_body body;
    if (!entry->has_body || entry->header.version != PARLEY_ENTRY_VERSION ||
        entry->header.ext_size != 0 || parley_body_decode(&body, entry->body).error != PARLEY_E_OK)
        return false;
    if (body.kind != PARLEY_BODY_POST && body.kind != PARLEY_BODY_ECHO)
        return false;
    return tag == NULL || has_tag(&body, tag);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static json_t *json_text(struct parley_span text) {
    return text.data == NULL ? json_null() : json_stringn((const char *)text.data, text.size);
}

static json_t *json_ref(bool is_there, const struct parley_ref *ref) {
    return is_there ? api_json_post_address(&ref->log, ref->seq, &ref->id) : json_null();
}

static json_t *json_authors(const struct parley_author *authors, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, api_json_author(&authors[i]));
    return list;
}

static void add_post(json_t *json, const struct parley_post *post) {
    json_t *tags = json_array();
    for (size_t i = 0; i < post->tags_count; i++)
        json_array_append_new(tags, json_text(post->tags[i]));
    json_object_set_new(json, "text", json_text(post->text));
    json_object_set_new(json, "tags", tags);
    json_object_set_new(json, "reply_to", json_ref(post->has_parent, &post->parent));
    json_object_set_new(json, "root", json_ref(post->has_root, &post->root));
    json_object_set_new(json, "quote", json_ref(post->has_quote, &post->quote));
    json_object_set_new(json, "mentions", json_authors(post->mentions, post->mentions_count));
    json_object_set_new(json, "language", json_text(post->language));
    json_object_set_new(json, "warning", json_text(post->warning));
}

/* The keys of every post, of what stands among posts and has none of it. */
static void add_nowhere(json_t *json) {
    json_object_set_new(json, "tags", json_array());
    json_object_set_new(json, "reply_to", json_null());
    json_object_set_new(json, "root", json_null());
}

static void add_erase(json_t *json, const struct parley_erase *erase) {
    json_t *posts = json_array();
    for (size_t i = 0; i < erase->refs_count; i++)
        json_array_append_new(posts, json_ref(true, &erase->refs[i]));
    json_object_set_new(json, "posts", posts);
}

/* The kind's word, and its fields. */
static const char *add_body(json_t *json, const struct parley_body *body) {
    switch (body->kind) {
    case PARLEY_BODY_PROFILE:
        json_object_set_new(json, "name", json_text(body->profile.name));
        json_object_set_new(json, "about", json_text(body->profile.about));
        return "profile";
    case PARLEY_BODY_POST:
        add_post(json, &body->post);
        return "post";
    case PARLEY_BODY_ECHO:
        json_object_set_new(json, "echo_of", json_ref(true, &body->echo.ref));
        json_object_set_new(json, "text", json_text(body->echo.comment));
        add_nowhere(json);
        return "echo";
    case PARLEY_BODY_VOTE:
        json_object_set_new(json, "vote_for", json_ref(true, &body->vote.ref));
        json_object_set_new(json, "value", json_integer(body->vote.value));
        return "vote";
    case PARLEY_BODY_FOLLOW:
        json_object_set_new(json, "follows", api_json_author(&body->follow.author));
        json_object_set_new(json, "on", json_boolean(body->follow.on));
        return "follow";
    case PARLEY_BODY_ERASE:
        add_erase(json, &body->erase);
        return "erase";
    }
    return "unknown";
}

/* A post in words of nobody: its keys stay. */
static const char *describe_nothing(json_t *json, const char *kind) {
    json_object_set_new(json, "text", json_null());
    add_nowhere(json);
    return kind;
}

/* Nobody's words, but where they stand among others. */
static const char *describe_hidden(json_t *json, const struct api_entry *entry, const char *kind) {
    struct parley_body body;
    describe_nothing(json, kind);
    if (api_entry_body(entry, &body) && body.kind == PARLEY_BODY_POST)
        json_object_set_new(json, "reply_to", json_ref(body.post.has_parent, &body.post.parent));
    return kind;
}

static const char *describe_body(json_t *json, const struct api_entry *entry,
                                 const struct api_view *view, bool hides) {
    struct parley_body body;
    enum api_hiding hiding = hides ? api_hiding_of(view->node, entry, NULL) : API_HIDES_NOTHING;
    if (hiding != API_HIDES_NOTHING)
        return describe_hidden(json, entry, hiding == API_HIDES_BLOCKED ? "blocked" : "muted");
    if (hides && !api_entry_is_good(view->node, entry))
        return describe_hidden(json, entry, "hidden");
    if (api_entry_is_erased(view->node, entry))
        return describe_nothing(json, "erased");
    if (!entry->has_body)
        return describe_nothing(json, entry->body_state.is_forgotten ? "purged" : "no_body");
    return api_entry_body(entry, &body) ? add_body(json, &body) : describe_nothing(json, "unknown");
}

/* What an echo passes on, as far as it may be shown. */
static json_t *json_echoed(const struct api_entry *entry, const struct api_view *view) {
    const struct api_entry *echoed = entry->echoed;
    if (echoed == NULL || !api_entry_is_good(view->node, echoed) ||
        api_hiding_of(view->node, echoed, NULL) == API_HIDES_BLOCKED)
        return json_null();
    return api_entry_json(echoed, view);
}

static json_t *json_entry(const struct api_entry *entry, const struct api_view *view, bool hides) {
    char handle[API_HANDLE_SIZE];
    api_handle_text(handle, &view->handles, entry);
    json_t *json = json_object(), *fields = json_object();
    if (json == NULL || fields == NULL) {
        json_decref(json);
        json_decref(fields);
        return NULL;
    }
    const char *kind = describe_body(fields, entry, view, hides);
    json_object_set_new(json, "post", api_json_post_address(&entry->log, entry->seq, &entry->id));
    json_object_set_new(json, "handle", json_string(handle));
    json_object_set_new(json, "author", api_json_author(&entry->author));
    json_object_set_new(json, "author_name", api_view_name(view, &entry->author));
    json_object_set_new(json, "device", api_json_hex(entry->device.bytes, 32));
    json_object_set_new(json, "log", api_json_hex(entry->log.bytes, 32));
    json_object_set_new(json, "seq", json_integer((json_int_t)entry->seq));
    json_object_set_new(json, "id", api_json_hex(entry->id.bytes, 32));
    json_object_set_new(json, "time", json_integer((json_int_t)entry->time));
    json_object_set_new(json, "received", json_integer((json_int_t)entry->received));
    json_object_set_new(json, "kind", json_string(kind));
    json_object_update(json, fields);
    if (strcmp(kind, "echo") == 0)
        json_object_set_new(json, "echoed", json_echoed(entry, view));
    json_decref(fields);
    api_unread_name(json, entry->is_state_unread, "text");
    api_unread_name(json, entry->is_echoed_unread, "echoed");
    api_unread_name(json, api_people_is_unread(&view->people, &entry->author), "author_name");
    json_object_set_new(json, "verified", json_true()); /* nothing else is ever stored */
    api_details_set(json, entry, view);
    return json;
}

json_t *api_entry_json(const struct api_entry *entry, const struct api_view *view) {
    return json_entry(entry, view, view->hides);
}

json_t *api_entry_json_beside(const struct api_entry *entry, const struct api_view *view) {
    return entry != NULL ? json_entry(entry, view, true) : json_null();
}

/* ---- lists -------------------------------------------------------------------------------- */

bool api_entries_add(struct api_entries *list, struct api_entry *entry) {
    if (entry != NULL && list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        struct api_entry **grown = realloc(list->items, room * sizeof(*grown));
        if (grown != NULL) {
            list->items = grown;
            list->room = room;
        }
    }
    if (entry == NULL || list->count == list->room) {
        api_entry_free(entry);
        return false;
    }
    list->items[list->count++] = entry;
    return true;
}

void api_entries_clear(struct api_entries *list) {
    for (size_t i = 0; i < list->count; i++)
        api_entry_free(list->items[i]);
    free(list->items);
    *list = (struct api_entries){0};
}
