#include "internal.h"

/* What one message can cause at most: an effect for every peer and a few for itself. */
#define EFFECTS_SPARE 2048u
#define OUT_SPARE     (1u << 20)

void effects_begin(struct parley_node *node) {
    node->effects_count = 0;
    node->out_used = 0;
}

struct parley_effect *effect_push(struct parley_node *node, enum parley_effect_kind kind) {
    assert(node->effects_count < PARLEY_EFFECTS_MAX);
    struct parley_effect *effect = &node->effects[node->effects_count++];
    memset(effect, 0, sizeof *effect);
    effect->kind = kind;
    return effect;
}

bool effects_have_room(const struct parley_node *node) {
    return node->effects_count + EFFECTS_SPARE <= PARLEY_EFFECTS_MAX &&
           node->out_used + OUT_SPARE <= PARLEY_OUT_BYTES_MAX;
}

uint8_t *out_take(struct parley_node *node, size_t size) {
    if (PARLEY_OUT_BYTES_MAX - node->out_used < size)
        return NULL;
    uint8_t *out = node->out + node->out_used;
    node->out_used += size;
    return out;
}

void effect_log(struct parley_node *node, enum parley_log_level level, enum parley_error error,
                parley_connection connection, const char *text) {
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_LOG);
    effect->log.level = level;
    effect->log.error = error;
    effect->log.connection = connection;
    effect->log.text = text;
}

void effect_reply(struct parley_node *node, parley_request request, enum parley_error error) {
    if (request == 0)
        return;
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_REPLY);
    effect->reply.request = request;
    effect->reply.error = error;
}

void deadline_lower(struct parley_node *node, parley_time_ms at) {
    if (at < node->deadline)
        node->deadline = at;
}

bool store_has_room(const struct parley_node *node) {
    return !node->is_failed && node->stores_tail - node->stores_head + 64 < PARLEY_STORES_MAX &&
           node->store_bytes < PARLEY_STORE_BYTES_MAX;
}

/* Beside all that waits in jobs: what was let in is not refused for want of room later. */
bool store_has_room_for_more(const struct parley_node *node) {
    size_t jobs_bytes = (PARLEY_JOBS_MAX - node->jobs_free) * PARLEY_CHUNK_LARGEST;
    return store_has_room(node) && node->store_bytes + jobs_bytes < PARLEY_STORE_BYTES_MAX;
}

/* Rows that an operation writes beside its bytes: a log's own, and two of the timeline. */
#define STORE_ROWS_BYTES 256u

bool store_emit(struct parley_node *node, const struct parley_store_op *op,
                const struct pending_store *after) {
    if (node->is_failed || node->stores_tail - node->stores_head == PARLEY_STORES_MAX)
        return false;
    uint64_t number = node->stores_tail++;
    struct pending_store *pending = &node->stores[number % PARLEY_STORES_MAX];
    *pending = *after;
    pending->bytes = op->bytes.size;
    node->store_bytes += op->bytes.size;
    node->quota.written_bytes += op->bytes.size + STORE_ROWS_BYTES;
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_STORE);
    effect->store.ticket = ticket_make(TICKET_STORE, (uint32_t)(number % PARLEY_STORES_MAX), 0);
    effect->store.op = *op;
    return true;
}

/* STOREDs come in order: an operation without effect is answered after all before it. */
void reply_when_durable(struct parley_node *node, parley_request request, uint64_t count) {
    if (request == 0)
        return;
    if (node->stores_head == node->stores_tail && !node->is_failed) {
        effect_reply(node, request, PARLEY_E_OK);
        node->effects[node->effects_count - 1].reply.count = count;
        return;
    }
    static const uint8_t barrier[] = "barrier";
    struct parley_store_op op = {.kind = PARLEY_STORE_META, .key = PARLEY_SPAN(barrier, 7)};
    struct pending_store after = {.after = AFTER_NOTHING, .request = request, .count = count};
    if (!store_emit(node, &op, &after))
        effect_reply(node, request, PARLEY_E_READ_ONLY);
}

/* Key and value are copied: they stay until the step is over. */
void meta_put(struct parley_node *node, struct parley_span key, struct parley_span value,
              parley_request request) {
    uint8_t *copy = out_take(node, key.size + value.size);
    if (copy == NULL) {
        effect_reply(node, request, PARLEY_E_RETRY);
        return;
    }
    memcpy(copy, key.data, key.size);
    if (value.size != 0)
        memcpy(copy + key.size, value.data, value.size);
    struct parley_store_op op = {.kind = PARLEY_STORE_META,
                                 .key = PARLEY_SPAN(copy, key.size),
                                 .bytes = PARLEY_SPAN(copy + key.size, value.size)};
    struct pending_store after = {.after = AFTER_NOTHING, .request = request};
    if (store_emit(node, &op, &after))
        return;
    effect_log(node, PARLEY_LOG_WARNING, PARLEY_E_RETRY, 0, "a setting was not kept");
    effect_reply(node, request, PARLEY_E_READ_ONLY);
}
