/* The owner's devices: each a log of its own, and what the identity records say of it. */
#include "api_job.h"
#include "api_unread.h"
#include <stdlib.h>

struct device_row {
    struct parley_node_log log;
    bool has_first, has_latest;
    parley_time_ms first, latest; /* of entries held and good: min(claimed, received) */
};

struct device_rows {
    enum parley_error unread; /* of the times (api_unread.h) */
    size_t count;
    struct device_row rows[];
};

/* ---- in words ------------------------------------------------------------------------------ */

const char *api_device_word(const struct parley_host *host) {
    switch (parley_node_own(parley_host_node(host))) {
    case PARLEY_OWN_NONE:
        return parley_host_home(host)->has_author ? "copy" : "none";
    case PARLEY_OWN_WAITING:
        return "waiting";
    case PARLEY_OWN_OPEN:
        return "open";
    case PARLEY_OWN_CLOSED:
        return "closed";
    case PARLEY_OWN_FORKED:
        return "forked";
    case PARLEY_OWN_ELSEWHERE:
        return "elsewhere";
    }
    return "none";
}

const char *api_publish_words(const struct parley_api *api, enum parley_error error) {
    if (error != PARLEY_E_NO_IDENTITY && error != PARLEY_E_LOG_VOID &&
        error != PARLEY_E_LOG_CLOSED && error != PARLEY_E_FORKED)
        return parley_strerror(error);
    switch (parley_node_own(parley_host_node(api->host))) {
    case PARLEY_OWN_NONE:
        if (!parley_host_home(api->host)->has_author)
            break;
        return "this home is a copy, and its root key is not here: type parley recover";
    case PARLEY_OWN_WAITING:
        return "this device has no certificate that counts: type parley device add where the root "
               "key is, or parley recover here";
    case PARLEY_OWN_CLOSED:
        return "this device was revoked: type parley recover";
    case PARLEY_OWN_FORKED:
    case PARLEY_OWN_ELSEWHERE:
        return "somebody else signs with this device's key: type it again, or parley recover";
    case PARLEY_OWN_OPEN:
        break;
    }
    return parley_strerror(error);
}

/* ---- times, read from the store ----------------------------------------------------------- */

static bool note_time(void *context, const struct parley_store_log *log,
                      const struct parley_entry *entry, const struct parley_timeline_place *place,
                      parley_time_ms received_ms) {
    parley_time_ms *time = context;
    *time = place->time;
    return false;
}

static bool time_of(struct parley_store *store, const struct parley_node_log *log, parley_seq seq,
                    parley_time_ms *time, enum parley_error *unread) {
    *time = 0;
    if (seq == 0)
        return false;
    enum parley_error error = parley_store_entries(store, &log->log, seq, seq, note_time, time);
    api_unread_keep(unread, error);
    return error == PARLEY_E_OK && *time != 0;
}

static void read_times(struct api_job *job, struct parley_store *store) {
    struct device_rows *rows = job->state;
    for (size_t i = 0; i < rows->count; i++) {
        struct device_row *row = &rows->rows[i];
        const struct parley_ranges *good = &row->log.good;
        parley_seq low = good->count == 0 ? 0 : good->ranges[good->count - 1].lo;
        row->has_first = time_of(store, &row->log, low, &row->first, &rows->unread);
        row->has_latest = time_of(store, &row->log, row->log.head_seq, &row->latest, &rows->unread);
    }
}

/* ---- the answer --------------------------------------------------------------------------- */

static const char *state_word(const struct parley_node_log *log) {
    switch (log->policy.kind) {
    case PARLEY_POLICY_VOID:
        return "void";
    case PARLEY_POLICY_CLOSED:
        return "closed";
    case PARLEY_POLICY_OPEN:
        return log->forked != 0 ? "forked" : "open";
    }
    return "void";
}

/* "seq" and "id" under names that begin with a word; null where there is none. */
static void set_place(json_t *json, const char *seq_name, const char *id_name, parley_seq seq,
                      const struct parley_id *id) {
    json_object_set_new(json, seq_name, json_integer((json_int_t)seq));
    json_object_set_new(json, id_name,
                        seq == 0 ? json_null() : api_json_hex(id->bytes, sizeof id->bytes));
}

static void set_time(json_t *json, const char *name, bool has, parley_time_ms time) {
    json_object_set_new(json, name, has ? json_integer((json_int_t)time) : json_null());
}

static json_t *json_device(const struct device_row *row, const struct parley_home *home) {
    const struct parley_node_log *log = &row->log;
    const struct parley_ranges *held = &log->ranges;
    const struct parley_id none = {{0}};
    bool is_this = home->has_device && PARLEY_EQUAL(log->device, home->device);
    bool is_closed = log->policy.kind == PARLEY_POLICY_CLOSED;
    json_t *json = json_object();
    json_object_set_new(json, "device", api_json_hex(log->device.bytes, sizeof log->device.bytes));
    json_object_set_new(json, "log", api_json_hex(log->log.bytes, sizeof log->log.bytes));
    json_object_set_new(json, "state", json_string(state_word(log)));
    json_object_set_new(json, "this", json_boolean(is_this));
    /* A closed log ends where the records say, held or not. */
    if (is_closed)
        set_place(json, "seq", "id", log->policy.seq, &log->policy.id);
    else
        set_place(json, "seq", "id", log->head_seq, &log->head_id);
    set_place(json, "held_seq", "held_id", held->count == 0 ? 0 : held->ranges[0].hi,
              held->count == 0 ? &none : &held->ranges[0].hi_id);
    set_time(json, "since", row->has_first, row->first);
    set_time(json, "latest", row->has_latest, row->latest);
    return json;
}

/* Its certificate has not come yet. */
static json_t *json_waiting(const struct parley_home *home) {
    struct device_row row = {.log = {.device = home->device, .log = home->log}};
    json_t *json = json_device(&row, home);
    json_object_set_new(json, "state", json_string("waiting"));
    return json;
}

static bool is_waiting(const struct device_row *row, const struct parley_home *home) {
    return home->has_device && PARLEY_EQUAL(row->log.device, home->device) &&
           row->log.policy.kind == PARLEY_POLICY_VOID && row->log.ranges.count == 0;
}

static void answer_devices(struct api_job *job) {
    const struct parley_home *home = parley_host_home(job->api->host);
    const struct parley_node *node = parley_host_node(job->api->host);
    const struct device_rows *rows = job->state;
    struct parley_node_author author;
    json_t *list = json_array(), *json = json_object();
    bool has_this = !home->has_device;
    for (size_t i = 0; i < rows->count; i++) {
        bool waits = is_waiting(&rows->rows[i], home);
        has_this |= !waits && PARLEY_EQUAL(rows->rows[i].log.device, home->device);
        if (!waits)
            json_array_append_new(list, json_device(&rows->rows[i], home));
    }
    if (!has_this)
        json_array_append_new(list, json_waiting(home));
    bool is_revealed = false;
    for (size_t i = 0; !is_revealed && parley_node_author_at(node, i, &author); i++)
        is_revealed = PARLEY_EQUAL(author.author, home->author) && author.is_revealed;
    json_object_set_new(json, "author", api_json_author(&home->author));
    json_object_set_new(json, "generation",
                        is_revealed ? json_integer((json_int_t)author.generation) : json_null());
    json_object_set_new(
        json, "root",
        json_boolean(is_revealed && api_root_is_here(job->api->host, author.generation)));
    json_object_set_new(json, "devices", list);
    json_object_set_new(json, "problem", api_unread_json(rows->unread));
    api_answer_json(job, 200, json);
}

void api_run_devices(struct api_job *job) {
    const struct parley_home *home = parley_host_home(job->api->host);
    const struct parley_node *node = parley_host_node(job->api->host);
    struct parley_node_log log;
    size_t count = 0;
    if (!home->has_author) {
        api_refuse(job, PARLEY_E_NO_IDENTITY, NULL, "%s", parley_strerror(PARLEY_E_NO_IDENTITY));
        return;
    }
    for (size_t i = 0; parley_node_log_at(node, i, &log); i++)
        count += PARLEY_EQUAL(log.author, home->author);
    struct device_rows *rows = calloc(1, sizeof(*rows) + count * sizeof(rows->rows[0]));
    if (rows == NULL) {
        api_no_memory(job);
        return;
    }
    for (size_t i = 0; rows->count < count && parley_node_log_at(node, i, &log); i++)
        if (PARLEY_EQUAL(log.author, home->author))
            rows->rows[rows->count++].log = log;
    job->state = rows;
    job->free_state = free;
    api_read(job, read_times, answer_devices);
}

/* A command has changed the keys in the home. No key crosses the API. */
void api_run_keys(struct api_job *job) {
    struct parley_problem problem = {0};
    enum parley_error error = parley_host_read_keys(job->api->host, &problem);
    if (error != PARLEY_E_OK)
        api_refuse(job, error, NULL, "%s", problem.text);
    else
        api_answer_json(job, 200, json_pack("{s:b}", "done", 1));
}
