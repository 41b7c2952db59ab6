/* Finding the authors and posts that a request names. cli.md: an author is parley1..., any unique
 * beginning of it, or the name of a followed person; a post is post1... or AUTHOR/n/SEQ, where n
 * counts the person's logs from 1 in ascending order of their names.
 *
 *   parse (loop) -> names of people (worker) -> logs (loop) -> entries (worker) -> the route
 */
#include "api_job.h"
#include "api_unread.h"
#include "api_view.h"
#include <stdlib.h>

#define NAMES_MAX PARLEY_API_PARAMETERS_MAX

bool api_name_add(struct api_job *job, enum api_name_kind kind, const char *field,
                  const char *text) {
    if (text[0] == '\0' || strlen(text) >= API_NAME_SIZE_MAX || job->names_count == NAMES_MAX) {
        api_refuse(job, PARLEY_E_BAD_INPUT, field, "%s is empty or too long", field);
        return false;
    }
    if (job->names == NULL)
        job->names = calloc(NAMES_MAX, sizeof(*job->names));
    if (job->names == NULL) {
        api_no_memory(job);
        return false;
    }
    struct api_name *name = &job->names[job->names_count++];
    name->kind = kind;
    name->field = field;
    memcpy(name->text, text, strlen(text) + 1);
    return true;
}

/* ---- parsing ------------------------------------------------------------------------------ */

static bool starts_with(const char *text, const char *start) {
    return strncasecmp(text, start, strlen(start)) == 0;
}

/* A beginning of one known author's text. False: the job was refused. */
static bool find_beginning(struct api_job *job, struct api_name *name, const char *text) {
    const struct parley_node *node = parley_host_node(job->api->host);
    const struct parley_home *home = parley_host_home(job->api->host);
    struct parley_node_author at;
    size_t matches = 0;
    if (home->has_author) {
        char own[PARLEY_AUTHOR_TEXT_SIZE];
        parley_author_encode(own, &home->author);
        if (starts_with(own, text)) {
            name->author = home->author;
            matches = 1;
        }
    }
    for (size_t i = 0; matches < 2 && parley_node_author_at(node, i, &at); i++) {
        char full[PARLEY_AUTHOR_TEXT_SIZE];
        if (home->has_author && PARLEY_EQUAL(at.author, home->author))
            continue;
        parley_author_encode(full, &at.author);
        if (!starts_with(full, text))
            continue;
        name->author = at.author;
        matches++;
    }
    name->has_author = matches == 1;
    if (matches == 0)
        api_refuse(job, PARLEY_E_UNKNOWN_AUTHOR, name->field,
                   "no author known here begins with %s: give the whole name", text);
    if (matches > 1)
        api_refuse(job, PARLEY_E_AMBIGUOUS, name->field,
                   "%s begins more than one author's name: give more of it", text);
    return matches == 1;
}

static bool parse_author(struct api_job *job, struct api_name *name, const char *text) {
    if (!starts_with(text, "parley1"))
        return true; /* a person's name: the worker looks for it */
    struct parley_fault fault =
        parley_author_decode(&name->author, PARLEY_SPAN(text, strlen(text)));
    name->has_author = fault.error == PARLEY_E_OK;
    if (name->has_author)
        return true;
    if (strlen(text) < PARLEY_AUTHOR_TEXT_SIZE - 1 && text[7] != '\0')
        return find_beginning(job, name, text);
    api_refuse(job, fault.error, name->field, "%s: %s (at letter %zu)", name->field,
               parley_strerror(fault.error), fault.offset + 1);
    return false;
}

static bool parse_number(const char *text, size_t size, uint64_t *value) {
    if (size == 0 || size > 15 || strspn(text, "0123456789") < size)
        return false;
    *value = strtoull(text, NULL, 10);
    return *value > 0;
}

/* AUTHOR/SEQ or AUTHOR/n/SEQ. A person's name may hold slashes: read from the end. */
static bool parse_handle(struct api_job *job, struct api_name *name) {
    char *slash = strrchr(name->owner, '/');
    if (slash == NULL || slash == name->owner ||
        !parse_number(slash + 1, strlen(slash + 1), &name->seq) || name->seq > PARLEY_SEQ_MAX) {
        api_refuse(job, PARLEY_E_BAD_INPUT, name->field,
                   "%s must be post1... or AUTHOR/SEQ or AUTHOR/n/SEQ", name->field);
        return false;
    }
    *slash = '\0';
    name->is_handle = true;
    slash = strrchr(name->owner, '/');
    if (slash != NULL && slash != name->owner &&
        parse_number(slash + 1, strlen(slash + 1), &name->log_number))
        *slash = '\0';
    return parse_author(job, name, name->owner);
}

static bool parse_post(struct api_job *job, struct api_name *name) {
    struct parley_post_address post;
    if (!starts_with(name->text, "post1")) {
        memcpy(name->owner, name->text, sizeof(name->owner));
        return parse_handle(job, name);
    }
    struct parley_fault fault =
        parley_post_address_decode(&post, PARLEY_SPAN(name->text, strlen(name->text)));
    if (fault.error != PARLEY_E_OK) {
        api_refuse(job, fault.error, name->field, "%s: %s (at letter %zu)", name->field,
                   parley_strerror(fault.error), fault.offset + 1);
        return false;
    }
    name->log = post.log;
    name->has_log = true;
    name->seq = post.seq;
    memcpy(name->id_start, post.id_start, sizeof(name->id_start));
    name->has_id_start = true;
    return true;
}

/* ---- entries (worker) --------------------------------------------------------------------- */

static bool on_named_entry(void *context, const struct parley_store_log *log,
                           const struct parley_entry *entry,
                           const struct parley_timeline_place *place, parley_time_ms received) {
    struct api_name *name = context;
    if (!name->has_id_start ||
        memcmp(name->id_start, entry->id.bytes, sizeof(name->id_start)) == 0) {
        api_entry_free(name->entry);
        name->entry = api_entry_copy(log, entry, place, received);
    }
    return false;
}

static void read_entries(struct api_job *job, struct parley_store *store) {
    for (size_t i = 0; i < job->names_count; i++) {
        struct api_name *name = &job->names[i];
        if (name->kind == API_POST && name->has_log)
            api_unread_keep(&name->error, parley_store_entries(store, &name->log, name->seq,
                                                               name->seq, on_named_entry, name));
        if (name->entry != NULL)
            api_unread_keep(&name->error, api_entry_read_state(name->entry, store));
    }
}

static void refuse_unread(struct api_job *job, const struct api_name *name,
                          enum parley_error error) {
    api_refuse(job, error, name->field, "%s cannot be read: %s; see parley check", name->text,
               parley_strerror(error));
}

static void check_entries(struct api_job *job) {
    for (size_t i = 0; i < job->names_count; i++) {
        struct api_name *name = &job->names[i];
        if (name->kind != API_POST)
            continue;
        if (name->error != PARLEY_E_OK) {
            refuse_unread(job, name, name->error);
            return;
        }
        if (name->entry != NULL || name->may_be_missing)
            continue;
        api_refuse(job, PARLEY_E_NOT_FOUND, name->field, "%s is not here", name->text);
        return;
    }
    job->route->run(job);
}

/* ---- logs (loop) -------------------------------------------------------------------------- */

static int compare_logs(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct parley_log));
}

#define HANDLE_LOGS_MAX 1024u
static bool find_log(struct api_job *job, struct api_name *name) {
    const struct parley_node *node = parley_host_node(job->api->host);
    struct parley_log logs[HANDLE_LOGS_MAX];
    struct parley_node_log at;
    size_t count = 0;
    for (size_t i = 0; count < HANDLE_LOGS_MAX && parley_node_log_at(node, i, &at); i++)
        if (PARLEY_EQUAL(at.author, name->author) && at.ranges.count > 0)
            logs[count++] = at.log;
    qsort(logs, count, sizeof(logs[0]), compare_logs);
    if (name->log_number == 0 && count > 1) {
        api_refuse(job, PARLEY_E_AMBIGUOUS, name->field,
                   "%s: the person has %zu logs: say AUTHOR/n/SEQ", name->text, count);
        return false;
    }
    size_t index = name->log_number == 0 ? 0 : (size_t)name->log_number - 1;
    if (index >= count) {
        api_refuse(job, PARLEY_E_NOT_FOUND, name->field, "%s is not here", name->text);
        return false;
    }
    name->log = logs[index];
    name->has_log = true;
    return true;
}

static void find_logs(struct api_job *job) {
    bool reads = false;
    for (size_t i = 0; i < job->names_count; i++) {
        struct api_name *name = &job->names[i];
        if (name->kind != API_POST)
            continue;
        reads = true;
        if (!name->has_log && !find_log(job, name))
            return;
    }
    if (reads)
        api_read(job, read_entries, check_entries);
    else
        job->route->run(job);
}

/* ---- people's names (worker) -------------------------------------------------------------- */

static const char *wanted_name(const struct api_name *name) {
    return name->is_handle ? name->owner : name->text;
}

static bool is_person_wanted(const struct api_name *name) {
    return !name->has_author && (name->kind == API_AUTHOR || name->is_handle);
}

/* By the person's newest profile alone. */
static void match_person(struct api_job *job, const struct parley_author *author,
                         const struct api_entry *profile) {
    struct parley_body body;
    if (!api_entry_body(profile, &body) || body.kind != PARLEY_BODY_PROFILE)
        return;
    for (size_t i = 0; i < job->names_count; i++) {
        struct api_name *name = &job->names[i];
        const char *text = wanted_name(name);
        if (is_person_wanted(name) &&
            parley_span_equal(body.profile.name, PARLEY_SPAN(text, strlen(text))) &&
            name->matches_count++ == 0)
            name->author = *author;
    }
}

static void match_people(struct api_job *job) {
    const struct parley_node *node = parley_host_node(job->api->host);
    const struct api_people *people = job->state;
    for (size_t i = 0; i < people->count; i++) {
        const struct parley_author *author = &people->items[i].author;
        const struct api_entry *profile = api_people_profile(people, node, author);
        if (profile != NULL && !people->items[i].is_unread) /* else it may be an old name */
            match_person(job, author, profile);
    }
}

static void read_people(struct api_job *job, struct parley_store *store) {
    api_people_read(job->state, store);
}

static void check_people(struct api_job *job) {
    enum parley_error unread = ((const struct api_people *)job->state)->unread;
    match_people(job);
    job->free_state(job->state);
    job->free_state = NULL;
    job->state = NULL;
    for (size_t i = 0; i < job->names_count; i++) {
        struct api_name *name = &job->names[i];
        if (!is_person_wanted(name))
            continue;
        if (name->matches_count == 1) {
            name->has_author = true;
            continue;
        }
        if (name->matches_count == 0 && unread != PARLEY_E_OK)
            refuse_unread(job, name, unread); /* it may be whose profile is damaged */
        else if (name->matches_count == 0)
            api_refuse(job, PARLEY_E_UNKNOWN_AUTHOR, name->field,
                       "%s is neither parley1... nor the name of a person who is followed",
                       wanted_name(name));
        else
            api_refuse(job, PARLEY_E_AMBIGUOUS, name->field,
                       "%s is the name of more than one person: give parley1...",
                       wanted_name(name));
        return;
    }
    find_logs(job);
}

static void free_people(void *state) {
    api_people_clear(state);
    free(state);
}

/* The owner and whom they follow. NULL: out of memory. */
static struct api_people *list_people(struct api_job *job) {
    const struct parley_node *node = parley_host_node(job->api->host);
    const struct parley_home *home = parley_host_home(job->api->host);
    struct parley_node_author at;
    struct api_people *people = calloc(1, sizeof(*people));
    bool done = people != NULL && (!home->has_author || api_people_add(people, &home->author));
    for (size_t i = 0; done && parley_node_author_at(node, i, &at); i++)
        if (at.is_followed)
            done = api_people_add(people, &at.author);
    if (done)
        return people;
    if (people != NULL)
        free_people(people);
    return NULL;
}

void api_names_find(struct api_job *job) {
    bool has_people = false;
    for (size_t i = 0; i < job->names_count; i++) {
        struct api_name *name = &job->names[i];
        if (!(name->kind == API_AUTHOR ? parse_author(job, name, name->text)
                                       : parse_post(job, name)))
            return;
        has_people = has_people || is_person_wanted(name);
    }
    if (!has_people) {
        find_logs(job);
        return;
    }
    job->state = list_people(job);
    if (job->state == NULL) {
        api_no_memory(job);
        return;
    }
    job->free_state = free_people;
    api_read(job, read_people, check_people);
}
