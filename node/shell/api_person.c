/* People as the page shows them: names, and how the owner stands to them; and what is being
 * fetched of whom. */
#include "api_job.h"
#include "api_unread.h"
#include "api_view.h"
#include <stdlib.h>

#define PEOPLE_DEFAULT 100u
#define PEOPLE_MAX     500u
/* Logs that are told of one by one; the others are counted. */
#define FETCHING_MAX 50u

/* ---- people ------------------------------------------------------------------------------- */

struct crowd {
    struct api_view view; /* for the names */
    struct parley_author *authors;
    size_t count;
    bool is_more;
};

static void free_crowd(void *state) {
    struct crowd *crowd = state;
    api_view_clear(&crowd->view);
    free(crowd->authors);
    free(crowd);
}

static bool is_self(const struct api_job *job, const struct parley_author *author) {
    const struct parley_home *home = parley_host_home(job->api->host);
    return home->has_author && PARLEY_EQUAL(home->author, *author);
}

/* False: the job was refused. */
static bool take_crowd(struct api_job *job, size_t count_max) {
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    job->state = crowd;
    job->free_state = crowd != NULL ? free_crowd : NULL;
    if (crowd != NULL)
        crowd->authors = calloc(count_max, sizeof(*crowd->authors));
    if (crowd != NULL && crowd->authors != NULL)
        return true;
    api_no_memory(job);
    return false;
}

static void read_crowd(struct api_job *job, struct parley_store *store) {
    struct crowd *crowd = job->state;
    for (size_t i = 0; i < crowd->count; i++)
        if (!api_people_add(&crowd->view.people, &crowd->authors[i]))
            return; /* then some have no name */
    api_people_read(&crowd->view.people, store);
}

static void set_profile(json_t *json, const struct crowd *crowd,
                        const struct parley_author *author) {
    struct parley_body body;
    const struct api_entry *profile =
        api_people_profile(&crowd->view.people, crowd->view.node, author);
    bool is_there =
        profile != NULL && api_entry_body(profile, &body) && body.kind == PARLEY_BODY_PROFILE;
    bool has_about = is_there && body.profile.about.data != NULL;
    json_object_set_new(json, "name", api_view_name(&crowd->view, author));
    json_object_set_new(
        json, "about",
        has_about ? json_stringn((const char *)body.profile.about.data, body.profile.about.size)
                  : json_null());
    json_object_set_new(json, "profile",
                        is_there ? api_json_post_address(&profile->log, profile->seq, &profile->id)
                                 : json_null());
}

static void set_logs(json_t *json, const struct parley_node *node,
                     const struct parley_author *author) {
    struct parley_node_log log;
    json_int_t logs = 0, entries = 0;
    size_t position = 0;
    while (parley_node_log_of(node, author, &position, &log)) {
        logs += log.ranges.count > 0;
        for (size_t i = 0; i < log.ranges.count; i++)
            entries += (json_int_t)(log.ranges.ranges[i].hi - log.ranges.ranges[i].lo + 1);
    }
    json_object_set_new(json, "logs", json_integer(logs));
    json_object_set_new(json, "entries", json_integer(entries));
}

static json_t *json_person(const struct api_job *job, const struct parley_author *author) {
    const struct crowd *crowd = job->state;
    struct parley_node_author at = {0};
    bool is_known = parley_node_author_find(crowd->view.node, author, &at);
    json_t *json = json_object();
    json_object_set_new(json, "author", api_json_author(author));
    set_profile(json, crowd, author);
    api_unread_name(json, api_people_is_unread(&crowd->view.people, author), "profile");
    json_object_set_new(json, "self", json_boolean(is_self(job, author)));
    json_object_set_new(json, "known", json_boolean(is_known && at.is_revealed));
    json_object_set_new(json, "followed", json_boolean(at.is_followed));
    json_object_set_new(json, "private", json_boolean(at.is_private));
    json_object_set_new(json, "wanted", json_boolean(at.is_wanted));
    json_object_set_new(json, "muted", json_boolean(at.is_muted));
    json_object_set_new(json, "blocked", json_boolean(at.is_blocked));
    json_object_set_new(json, "allowed", json_boolean(at.is_allowed));
    set_logs(json, crowd->view.node, author);
    return json;
}

static void answer_person(struct api_job *job) {
    struct crowd *crowd = job->state;
    crowd->view.node = parley_host_node(job->api->host);
    json_t *json = json_person(job, &crowd->authors[0]);
    json_object_set_new(json, "problem", api_unread_json(crowd->view.people.unread));
    api_answer_json(job, 200, json);
}

void api_run_person(struct api_job *job) {
    if (!take_crowd(job, 1))
        return;
    struct crowd *crowd = job->state;
    crowd->authors[crowd->count++] = job->names[0].author;
    api_read(job, read_crowd, answer_person);
}

static void answer_people(struct api_job *job) {
    struct crowd *crowd = job->state;
    json_t *list = json_array();
    crowd->view.node = parley_host_node(job->api->host);
    for (size_t i = 0; i < crowd->count; i++)
        json_array_append_new(list, json_person(job, &crowd->authors[i]));
    api_answer_json(job, 200,
                    json_pack("{s:o, s:b, s:o}", "people", list, "more", (int)crowd->is_more,
                              "problem", api_unread_json(crowd->view.people.unread)));
}

/* Who is followed first, then the others; the owner is none of them. */
static void gather(struct api_job *job, bool followed, size_t count_max) {
    const struct parley_node *node = parley_host_node(job->api->host);
    struct crowd *crowd = job->state;
    struct parley_node_author at;
    for (size_t i = 0; parley_node_author_at(node, i, &at); i++) {
        if (at.is_followed != followed || is_self(job, &at.author))
            continue;
        if (crowd->count == count_max) {
            crowd->is_more = true;
            return;
        }
        crowd->authors[crowd->count++] = at.author;
    }
}

void api_run_people(struct api_job *job) {
    uint64_t limit = PEOPLE_DEFAULT, followed = 0;
    if (!api_parameter_number(job, "limit", &limit, 1, PEOPLE_MAX) ||
        !api_parameter_number(job, "followed", &followed, 0, 1) || !take_crowd(job, limit))
        return;
    gather(job, true, limit);
    if (followed == 0)
        gather(job, false, limit);
    api_read(job, read_crowd, answer_people);
}

/* ---- what is being fetched ---------------------------------------------------------------- */

/* Entries that are not here between the oldest that may come and the newest that is. */
static uint64_t count_missing(const struct parley_node_log *log) {
    uint64_t missing = 0;
    for (size_t i = 0; i < log->ranges.count; i++) {
        parley_seq floor = log->floor > 0 ? log->floor - 1 : 0;
        parley_seq below = i + 1 < log->ranges.count ? log->ranges.ranges[i + 1].hi : floor;
        parley_seq low = log->ranges.ranges[i].lo;
        missing += low > below + 1 ? low - below - 1 : 0;
    }
    return missing;
}

static json_t *json_asking(const struct parley_node_log *log,
                           const struct parley_node_asking *asking, uint64_t missing) {
    char key[PARLEY_NODE_TEXT_SIZE];
    parley_node_key_encode(key, &asking->peer);
    return json_pack(
        "{s:o, s:o, s:I, s:b, s:s?, s:i, s:I}", "author", api_json_author(&log->author), "log",
        api_json_hex(log->log.bytes, sizeof(log->log.bytes)), "missing", (json_int_t)missing,
        "asked", (int)asking->is_asked, "peer", asking->has_source ? key : NULL, "failures",
        (int)asking->failures, "again_in_ms", (json_int_t)asking->again_in_ms);
}

void api_run_fetching(struct api_job *job) {
    const struct parley_node *node = parley_host_node(job->api->host);
    struct parley_node_log log;
    struct parley_node_author who;
    struct parley_node_asking asking;
    json_t *list = json_array();
    json_int_t count = 0;
    for (size_t i = 0; parley_node_log_at(node, i, &log); i++) {
        bool is_wanted = parley_node_author_find(node, &log.author, &who) && who.is_wanted;
        uint64_t missing = is_wanted ? count_missing(&log) : 0;
        (void)parley_node_asking(node, &log.log, false, &asking);
        if (missing == 0 && !asking.is_asked)
            continue;
        if (count++ < (json_int_t)FETCHING_MAX)
            json_array_append_new(list, json_asking(&log, &asking, missing));
    }
    api_answer_json(job, 200, json_pack("{s:o, s:I}", "logs", list, "count", count));
}
