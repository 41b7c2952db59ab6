#include "store_parts.h"

#include <stdlib.h>

static struct parley_span copy_span(uint8_t **at, struct parley_span span) {
    if (span.size == 0)
        return PARLEY_NO_SPAN;
    memcpy(*at, span.data, span.size);
    struct parley_span copy = PARLEY_SPAN(*at, span.size);
    *at += span.size;
    return copy;
}

struct kept_op *kept_op_make(const struct parley_effect *effect) {
    const struct parley_store_op *op = &effect->store.op;
    struct kept_op *copy = malloc(sizeof *copy + op->bytes.size + op->key.size);
    if (copy == NULL)
        abort();
    uint8_t *at = copy->bytes;
    *copy = (struct kept_op){.ticket = effect->store.ticket, .op = *op};
    copy->op.bytes = copy_span(&at, op->bytes);
    copy->op.key = copy_span(&at, op->key);
    return copy;
}

void kept_ops_free(struct kept_op *op) {
    while (op != NULL) {
        struct kept_op *next = op->next;
        free(op);
        op = next;
    }
}

void store_read(struct parley_store *store, const struct parley_effect *effect, uint8_t *scratch,
                enum parley_error *error, struct parley_span *bytes, size_t *count) {
    *bytes = PARLEY_NO_SPAN;
    *count = 0;
    switch (effect->read.kind) {
    case PARLEY_READ_RUN:
        *error = parley_store_read_run(store, &effect->read.log, effect->read.seq_top,
                                       effect->read.seq_low, effect->read.bodies,
                                       effect->read.bytes_max, scratch, bytes);
        return;
    case PARLEY_READ_EVIDENCE:
        *error = parley_store_read_evidence(store, &effect->read.log, effect->read.index, scratch,
                                            bytes);
        return;
    case PARLEY_READ_RECORDS:
        *error = parley_store_read_records(store, &effect->read.author, effect->read.index, scratch,
                                           effect->read.bytes_max, bytes, count);
        return;
    case PARLEY_READ_LACKING: {
        parley_seq next = 0;
        *error = parley_store_read_lacking(store, &effect->read.log, effect->read.seq_top,
                                           effect->read.seq_low, scratch, bytes, &next);
        *count = (size_t)next;
        return;
    }
    }
}

struct telling {
    store_tell *tell;
    void *context;
    bool is_stopped;
};

static bool tell_event(struct telling *telling, struct parley_event *event) {
    telling->is_stopped = !telling->tell(telling->context, event);
    return !telling->is_stopped;
}

static bool tell_record(void *context, const struct parley_author *author,
                        struct parley_span record) {
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_RECORD};
    event.load_record.author = *author;
    event.load_record.record = record;
    return tell_event(context, &event);
}

static bool tell_log(void *context, const struct parley_store_log *log) {
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_LOG};
    event.load_log = log;
    return tell_event(context, &event);
}

static bool tell_meta(void *context, struct parley_span key, struct parley_span value) {
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_META};
    event.load_meta.key = key;
    event.load_meta.value = value;
    return tell_event(context, &event);
}

bool store_tell_all(struct parley_store *store, store_tell *tell, void *context) {
    struct telling telling = {.tell = tell, .context = context};
    struct parley_store_visitor visitor = {&telling, tell_record, tell_log, tell_meta};
    return parley_store_load(store, &visitor) == PARLEY_E_OK && !telling.is_stopped;
}
