/* What is on disk, into the node: records before the logs that they judge. */
#include "host_internal.h"

static bool load_record(void *context, const struct parley_author *author,
                        struct parley_span record) {
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_RECORD};
    event.load_record.author = *author;
    event.load_record.record = record;
    (void)host_step(context, &event);
    return true;
}

static bool load_log(void *context, const struct parley_store_log *log) {
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_LOG};
    event.load_log = log;
    (void)host_step(context, &event);
    return true;
}

static bool load_meta(void *context, struct parley_span key, struct parley_span value) {
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_META};
    event.load_meta.key = key;
    event.load_meta.value = value;
    host_note_meta(context, key, value);
    (void)host_step(context, &event);
    return true;
}

enum parley_error host_load_all(struct parley_host *host, struct parley_store *store) {
    struct parley_store_visitor records = {.context = host, .on_record = load_record};
    struct parley_store_visitor logs = {.context = host, .on_log = load_log};
    struct parley_store_visitor metas = {.context = host, .on_meta = load_meta};
    enum parley_error error = parley_store_load(store, &records);
    if (error == PARLEY_E_OK)
        error = parley_store_load(store, &logs);
    if (error == PARLEY_E_OK)
        error = parley_store_load(store, &metas);
    return error;
}
