#include "api_view.h"
#include "api_details.h"
#include "api_unread.h"
#include <stdlib.h>

/* ---- people ------------------------------------------------------------------------------- */

static int compare_people(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct parley_author)); /* the author stands first */
}

bool api_people_add(struct api_people *people, const struct parley_author *author) {
    if (people->count == people->room) {
        size_t room = people->room ? 2 * people->room : 16;
        struct api_person *grown = realloc(people->items, room * sizeof(*grown));
        if (grown == NULL)
            return false;
        people->items = grown;
        people->room = room;
    }
    people->items[people->count++] = (struct api_person){.author = *author};
    return true;
}

static void sort_people(struct api_people *people) {
    size_t kept = 0;
    if (people->count > 0)
        qsort(people->items, people->count, sizeof(*people->items), compare_people);
    for (size_t i = 0; i < people->count; i++)
        if (kept == 0 || !PARLEY_EQUAL(people->items[i].author, people->items[kept - 1].author))
            people->items[kept++] = people->items[i];
    people->count = kept;
}

/* Places of the newest profiles. Equal times are rare and may be more than fit: then the order of
 * logs is that of this node. */
struct places {
    struct parley_ref refs[API_PROFILES_MAX];
    parley_time_ms times[API_PROFILES_MAX];
    size_t count;
};

static bool is_newer(const struct places *places, size_t a, size_t b) {
    if (places->times[a] != places->times[b])
        return places->times[a] > places->times[b];
    int order = PARLEY_COMPARE(places->refs[a].log, places->refs[b].log);
    return order != 0 ? order > 0 : places->refs[a].seq > places->refs[b].seq;
}

static bool on_profile(void *context, const struct parley_store_link *link) {
    struct places *places = context;
    size_t at = places->count++;
    places->refs[at] =
        (struct parley_ref){.author = link->log.author, .log = link->log.log, .seq = link->seq};
    places->times[at] = link->time;
    for (; at > 0 && is_newer(places, at, at - 1); at--) {
        struct parley_ref ref = places->refs[at];
        parley_time_ms time = places->times[at];
        places->refs[at] = places->refs[at - 1];
        places->times[at] = places->times[at - 1];
        places->refs[at - 1] = ref;
        places->times[at - 1] = time;
    }
    return places->count < API_PROFILES_MAX;
}

static bool on_profile_entry(void *context, const struct parley_store_log *log,
                             const struct parley_entry *entry,
                             const struct parley_timeline_place *place, parley_time_ms received) {
    *(struct api_entry **)context = api_entry_copy(log, entry, place, received);
    return false;
}

static enum parley_error read_person(struct api_person *person, struct parley_store *store) {
    struct places places = {.count = 0};
    enum parley_error unread = PARLEY_E_OK;
    api_unread_keep(&unread, parley_store_profiles(store, &person->author, on_profile, &places));
    for (size_t i = 0; i < places.count; i++) {
        const struct parley_ref *ref = &places.refs[i];
        struct api_entry *entry = NULL;
        api_unread_keep(&unread, parley_store_entries(store, &ref->log, ref->seq, ref->seq,
                                                      on_profile_entry, &entry));
        if (entry == NULL)
            continue;
        api_unread_keep(&unread, api_entry_read_state(entry, store));
        person->profiles[person->profiles_count++] = entry;
    }
    person->is_unread = unread != PARLEY_E_OK;
    return unread;
}

void api_people_read(struct api_people *people, struct parley_store *store) {
    sort_people(people);
    for (size_t i = 0; i < people->count; i++)
        if (people->items[i].profiles_count == 0)
            api_unread_keep(&people->unread, read_person(&people->items[i], store));
}

void api_people_clear(struct api_people *people) {
    for (size_t i = 0; i < people->count; i++)
        for (size_t j = 0; j < people->items[i].profiles_count; j++)
            api_entry_free(people->items[i].profiles[j]);
    free(people->items);
    *people = (struct api_people){0};
}

static const struct api_person *find_person(const struct api_people *people,
                                            const struct parley_author *author) {
    return people->count == 0 ? NULL
                              : bsearch(author, people->items, people->count,
                                        sizeof(*people->items), compare_people);
}

bool api_people_is_unread(const struct api_people *people, const struct parley_author *author) {
    const struct api_person *person = find_person(people, author);
    return person != NULL && person->is_unread;
}

const struct api_entry *api_people_profile(const struct api_people *people,
                                           const struct parley_node *node,
                                           const struct parley_author *author) {
    const struct api_person *person = find_person(people, author);
    for (size_t i = 0; person != NULL && i < person->profiles_count; i++)
        if (api_entry_is_good(node, person->profiles[i]) &&
            !api_entry_is_erased(node, person->profiles[i]) && person->profiles[i]->has_body)
            return person->profiles[i];
    return NULL;
}

/* ---- a page ------------------------------------------------------------------------------- */

static void read_echoed(struct api_entry *entry, struct parley_store *store,
                        enum parley_error *unread) {
    struct parley_body body;
    enum parley_error error = PARLEY_E_OK;
    if (entry->echoed == NULL && api_entry_body(entry, &body) && body.kind == PARLEY_BODY_ECHO)
        entry->echoed = api_entry_read(store, &body.echo.ref, &error);
    entry->is_echoed_unread = error != PARLEY_E_OK;
    api_unread_keep(unread, error);
}

/* False: out of memory. */
static bool read_details(struct api_view *view, struct parley_store *store,
                         struct api_entry *entry) {
    if (entry == NULL || !view->is_detailed)
        return true;
    if (entry->details == NULL)
        entry->details = api_details_read(store, entry);
    if (entry->details != NULL)
        api_unread_keep(&view->unread, entry->details->unread);
    return entry->details != NULL && api_details_add_people(&view->people, entry);
}

bool api_view_read(struct api_view *view, struct parley_store *store,
                   const struct api_entries *entries) {
    for (size_t i = 0; i < entries->count; i++) {
        struct api_entry *entry = entries->items[i];
        api_unread_keep(&view->unread, api_entry_read_state(entry, store));
        read_echoed(entry, store, &view->unread);
        if (!api_people_add(&view->people, &entry->author) ||
            (entry->echoed != NULL && !api_people_add(&view->people, &entry->echoed->author)) ||
            !read_details(view, store, entry) || !read_details(view, store, entry->echoed))
            return false;
    }
    api_people_read(&view->people, store);
    api_unread_keep(&view->unread, view->people.unread);
    return true;
}

/* An entry and what it passes on, and with each two others beside it. */
#define ENTRIES_EACH 6u

static void list_entry(struct api_entry **all, size_t *count, struct api_entry *entry) {
    if (entry == NULL)
        return;
    all[(*count)++] = entry;
    if (entry->details != NULL && entry->details->about != NULL)
        all[(*count)++] = entry->details->about;
    if (entry->details != NULL && entry->details->quoted != NULL)
        all[(*count)++] = entry->details->quoted;
}

bool api_view_finish(struct api_view *view, const struct parley_node *node,
                     const struct api_entries *entries) {
    struct api_entry **all = calloc(ENTRIES_EACH * entries->count + 1, sizeof(struct api_entry *));
    size_t count = 0;
    if (all == NULL)
        return false;
    for (size_t i = 0; i < entries->count; i++) {
        list_entry(all, &count, entries->items[i]);
        list_entry(all, &count, entries->items[i]->echoed);
    }
    view->node = node;
    api_handles_clear(&view->handles);
    bool done = api_handles_init(&view->handles, node, all, count);
    free(all);
    return done;
}

void api_view_clear(struct api_view *view) {
    api_handles_clear(&view->handles);
    api_people_clear(&view->people);
    view->unread = PARLEY_E_OK;
}

json_t *api_view_name(const struct api_view *view, const struct parley_author *author) {
    struct parley_body body;
    const struct api_entry *profile = api_people_profile(&view->people, view->node, author);
    if (profile == NULL || !api_entry_body(profile, &body) || body.kind != PARLEY_BODY_PROFILE)
        return json_null();
    return json_stringn((const char *)body.profile.name.data, body.profile.name.size);
}
