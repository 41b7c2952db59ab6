#include "internal.h"

#include <stdlib.h>

/* Create, free, step, deadline: the one switch on what happened, and the invariants. */

void parley_node_config_defaults(struct parley_node_config *config) {
    *config = (struct parley_node_config){.hops = 1,
                                          .erase_after_ms = PARLEY_ERASE_AFTER_MS,
                                          .prelude_size = PARLEY_PRELUDE_BYTES_DEFAULT,
                                          .peers_max = PARLEY_PEERS_DEFAULT,
                                          .logs_max = PARLEY_LOGS_DEFAULT,
                                          .authors_max = PARLEY_AUTHORS_DEFAULT,
                                          .discover = true,
                                          .outbound = PARLEY_OUTBOUND_PERSON};
}

/* A peer's list grows by doubling, and what it grew out of is another's: each size at most once for
 * each peer. */
#define INTERESTS_BYTES_PER_PEER (2 * PARLEY_INTEREST_AUTHORS_MAX * sizeof(uint64_t))

/* --- create -------------------------------------------------------------------------------- */

static bool create_memory(struct parley_node *node) {
    const struct parley_node_config *config = &node->config;
    size_t authors_places = table_places(config->authors_max);
    size_t logs_places = table_places(config->logs_max);
    size_t interests_size = INTERESTS_BYTES_PER_PEER * (config->peers_max + 1);
    size_t facts_size =
        config->authors_max * PARLEY_FACTS_BYTES_PER_AUTHOR + 4 * PARLEY_SET_RECORDS_MAX * 128;
    node->authors = calloc(config->authors_max, sizeof *node->authors);
    node->authors_index = malloc(authors_places * sizeof *node->authors_index);
    node->logs = calloc(config->logs_max, sizeof *node->logs);
    node->logs_index = malloc(logs_places * sizeof *node->logs_index);
    node->facts_memory = calloc(1, facts_size);
    node->edges.items = calloc(PARLEY_EDGES_MAX, sizeof *node->edges.items);
    node->lists.items = calloc(PARLEY_LIST_ITEMS_MAX, sizeof *node->lists.items);
    node->peers = calloc(config->peers_max, sizeof *node->peers);
    node->views.table = calloc(1, sizeof *node->views.table);
    if (config->quota_bytes > 0)
        node->quota.evicted = calloc(PARLEY_EVICTED_MAX, sizeof *node->quota.evicted);
    node->interests_memory = calloc(1, interests_size);
    node->jobs_memory = calloc(PARLEY_JOBS_MAX, PARLEY_MESSAGE_BYTES_MAX);
    node->bodies_memory = calloc(PARLEY_BODIES_ASKS_MAX, PARLEY_CHUNK_LARGEST);
    node->stores = calloc(PARLEY_STORES_MAX, sizeof *node->stores);
    node->stage = calloc(1, PARLEY_STAGE_BYTES_MAX);
    node->effects = calloc(PARLEY_EFFECTS_MAX, sizeof *node->effects);
    node->out = calloc(1, PARLEY_OUT_BYTES_MAX);
    node->scratch = calloc(1, PARLEY_MESSAGE_BYTES_MAX + PARLEY_CHUNK_HEAD_MAX);
    node->compose = calloc(1, PARLEY_MESSAGE_BYTES_MAX + PARLEY_CHUNK_HEAD_MAX);
    node->heads = calloc(1, PARLEY_HEADS_BYTES);
    node->items = calloc(1, PARLEY_ITEMS_BYTES);
    bool has_tree = tree_create(node) && sessions_create(node);
    node->review_memory =
        calloc(SUSPECTS_MAX + EVIDENCE_CHUNKS_MAX + REVIEW_BLOCKS_COUNT, PARLEY_CHUNK_BUFFER_SIZE);
    if (node->interests_memory != NULL)
        arena_init(&node->interests, node->interests_memory, interests_size);
    if (node->facts_memory != NULL)
        arena_init(&node->facts, node->facts_memory, facts_size);
    return node->authors && node->authors_index && node->logs && node->logs_index &&
           node->facts_memory && node->edges.items && node->lists.items && node->peers &&
           node->views.table && node->interests_memory && node->jobs_memory && node->stores &&
           node->stage && node->effects && node->out && node->scratch && node->compose &&
           node->heads && node->items && node->review_memory && node->bodies_memory && has_tree &&
           (config->quota_bytes == 0 || node->quota.evicted != NULL);
}

static void set_empty(struct parley_node *node) {
    tables_begin(node);
    node->own_log = NONE;
    node->queue_first = node->queue_last = NONE;
    node->bodies_first = node->bodies_last = NONE;
    node->authors_queue_first = node->authors_queue_last = NONE;
    node->reviews_first = node->reviews_last = NONE;
    node->authors_free = node->logs_free = NONE;
    node->next_dial = 1;
    node->next_request = 1;
    node->jobs_free = PARLEY_JOBS_MAX;
    node->serve_round = 1;
    budgets_fill(node);
    node->deadline = node->settle_due = UINT64_MAX;
    for (size_t i = 0; i < PARLEY_JOBS_MAX; i++)
        node->jobs[i].buffer = node->jobs_memory + i * PARLEY_MESSAGE_BYTES_MAX;
    for (size_t i = 0; i < PARLEY_BODIES_ASKS_MAX; i++)
        node->bodies_asks[i].headers = node->bodies_memory + i * PARLEY_CHUNK_LARGEST;
    for (size_t i = 0; i < PARLEY_BOOK_ADDRESSES_MAX; i++)
        node->book[i].peer = NONE;
    uint8_t *memory = node->review_memory;
    for (size_t i = 0; i < SUSPECTS_MAX; i++, memory += PARLEY_CHUNK_BUFFER_SIZE)
        node->suspects[i].bytes = memory;
    node->review.evidence_memory = memory;
    node->review.blocks = memory + EVIDENCE_CHUNKS_MAX * PARLEY_CHUNK_BUFFER_SIZE;
}

struct parley_node *parley_node_create(const struct parley_node_config *config) {
    assert(config->peers_max > 0 && config->logs_max > 0 && config->authors_max > 0);
    assert(config->prelude_size <= PARLEY_PRELUDE_BYTES_MAX);
    struct parley_node *node = calloc(1, sizeof *node);
    if (node == NULL)
        return NULL;
    node->config = *config;
    parley_random_init(&node->random, &config->seed);
    parley_random_bytes(&node->random, node->table_key, sizeof node->table_key);
    if (!create_memory(node)) {
        parley_node_free(node);
        return NULL;
    }
    set_empty(node);
    /* An Ed25519 secret key of libsodium ends in its public key. */
    memcpy(node->node_key.bytes, config->node_key.bytes + 32, 32);
    /* The rest of it is zero already; parley_replay_init would touch all. */
    parley_random_bytes(&node->random, node->replay.key, sizeof node->replay.key);
    views_create(node, config);
    if (config->has_device || config->has_author)
        own_author(node, &config->author);
    if (config->has_device)
        on_device(node, &config->device_key);
    for (size_t i = 0; i < config->peers_count; i++)
        (void)book_take(node, &config->peers[i]);
    node->config.peers = NULL;
    node->config.prelude = PARLEY_NO_SPAN;
    if (config->prelude.size == config->prelude_size && config->prelude.size != 0) {
        memcpy(node->prelude, config->prelude.data, config->prelude.size);
        node->config.prelude = PARLEY_SPAN(node->prelude, config->prelude.size);
    }
    return node;
}

void parley_node_free(struct parley_node *node) {
    if (node == NULL)
        return;
    for (size_t i = 0; node->peers != NULL && i < node->peers_count; i++)
        parley_link_close(&node->peers[i].link);
    free(node->authors);
    free(node->authors_index);
    free(node->logs);
    free(node->logs_index);
    free(node->facts_memory);
    free(node->lists.items);
    free(node->edges.items);
    free(node->peers);
    free(node->views.table);
    free(node->interests_memory);
    free(node->jobs_memory);
    free(node->bodies_memory);
    free(node->stores);
    free(node->stage);
    free(node->effects);
    free(node->out);
    free(node->scratch);
    free(node->compose);
    free(node->heads);
    free(node->items);
    free(node->review_memory);
    free(node->quota.evicted);
    free(node->tree.memory);
    sessions_free(node);
    parley_random_clear(&node->random);
    parley_wipe(node, sizeof *node);
    free(node);
}

/* --- step ---------------------------------------------------------------------------------- */

static void on_load_meta(struct parley_node *node, struct parley_span key,
                         struct parley_span value) {
    reload_begin(node);
    if (key.size > 5 && memcmp(key.data, "peer/", 5) == 0)
        book_load(node, value);
    else if (key.size > 6 && memcmp(key.data, "replay", 6) == 0)
        replay_load(node, key, value);
    else if (!node->is_reloading && !views_load_meta(node, key, value) &&
             !lists_load_meta(node, key, value) && !edges_load_meta(node, key, value))
        interest_load_meta(node, key, value);
}

static void on_start(struct parley_node *node) {
    node->is_started = true;
    budgets_fill(node);
    edges_changed(node);
    node->heads_at = node->now + PARLEY_HEADS_EVERY_MS;
    replay_start(node);
    views_start(node);
    deadline_lower(node, node->now);
}

static void on_connect(struct parley_node *node, const struct parley_event *event) {
    bool is_self = node_keys_meet(&event->connect.address.key, &node->node_key);
    if (!event->connect.is_heard)
        bans_lift(node, &event->connect.address.key);
    uint32_t book = is_self ? NONE : book_take(node, &event->connect.address);
    if (book == NONE)
        effect_reply(node, event->connect.request, is_self ? PARLEY_E_BAD_INPUT : PARLEY_E_FULL);
    else if (event->connect.is_passing)
        effect_reply(node, event->connect.request, PARLEY_E_OK);
    else
        book_keep(node, book, event->connect.request);
    book_on_timer(node);
}

static void on_disconnect(struct parley_node *node, const struct parley_event *event) {
    enum parley_error error = PARLEY_E_NOT_FOUND;
    views_shun(node, &event->disconnect.key);
    for (size_t i = 0; i < node->peers_count; i++) {
        struct peer *peer = &node->peers[i];
        if (peer->phase == PEER_FREE || !peer->is_known ||
            !node_keys_meet(&peer->node_key, &event->disconnect.key))
            continue;
        peer_close(node, peer, PARLEY_E_OK, PARLEY_GOODBYE_STOPPING);
        error = PARLEY_E_OK;
    }
    if (!book_forget(node, &event->disconnect.key, event->disconnect.request))
        effect_reply(node, event->disconnect.request, error);
}

static void on_timer(struct parley_node *node) {
    if (node->now < node->deadline)
        return;
    node->deadline = UINT64_MAX;
    peers_on_timer(node);
    book_on_timer(node);
    views_on_timer(node);
    if (node->is_started)
        catchup_on_timer(node);
    tree_on_timer(node);
    erase_on_timer(node);
}

/* What goes through all peers is most of the work of a step where they are many: then it is done in
 * one step of each millisecond. */
static bool must_wait(struct parley_node *node) {
    bool waits = node->peers_count > PARLEY_PEERS_FEW && node->settled_at == node->now;
    node->settle_due = waits ? node->now + 1 : UINT64_MAX;
    node->settled_at = node->now;
    return waits;
}

static void settle_peers(struct parley_node *node) {
    if (must_wait(node))
        return;
    heads_pump(node);
    sessions_pump(node);
    missing_pump(node);
    for (size_t i = 0; i < node->peers_count; i++) {
        struct peer *peer = &node->peers[i];
        if (peer->phase != PEER_OPEN)
            continue;
        if (peer->stalled != NONE && effects_have_room(node) && store_has_room(node))
            message_retry_stalled(node, peer);
    }
    budget_pump(node);
    edges_pump(node);
}

/* What could not be done before and can be now. */
static void settle(struct parley_node *node) {
    reviews_pump(node);
    serve_pump(node);
    settle_peers(node);
    identity_pump(node);
    fetch_pump(node);
    parents_pump(node);
    bodies_pump(node);
    small_runs_pump(node);
    quota_pump(node);
}

static size_t dispatch(struct parley_node *node, const struct parley_event *event) {
    switch (event->kind) {
    case PARLEY_EVENT_LOAD_RECORD:
        on_load_record(node, &event->load_record.author, event->load_record.record);
        return 0;
    case PARLEY_EVENT_LOAD_LOG:
        on_load_log(node, event->load_log);
        return 0;
    case PARLEY_EVENT_LOAD_META:
        on_load_meta(node, event->load_meta.key, event->load_meta.value);
        return 0;
    case PARLEY_EVENT_START:
        on_start(node);
        return 0;
    case PARLEY_EVENT_ACCEPTED:
        on_accepted(node, event->opened.connection, &event->opened.remote);
        return 0;
    case PARLEY_EVENT_DIALLED:
        on_dialled(node, event->opened.connection, &event->opened.remote);
        return 0;
    case PARLEY_EVENT_DIAL_FAILED:
        on_dial_failed(node, event->connection);
        return 0;
    case PARLEY_EVENT_RECEIVED:
        return on_received(node, event->received.connection, event->received.bytes);
    case PARLEY_EVENT_SENT:
        on_sent(node, event->sent.connection, event->sent.bytes_count);
        return 0;
    case PARLEY_EVENT_CLOSED:
        on_closed(node, event->connection);
        return 0;
    case PARLEY_EVENT_STORED:
        on_stored(node, event->stored.ticket, event->stored.error, event->stored.log);
        return 0;
    case PARLEY_EVENT_READ_DONE:
        on_read_done(node, event->read_done.ticket, event->read_done.error, event->read_done.bytes,
                     event->read_done.count);
        return 0;
    case PARLEY_EVENT_VERIFIED:
        on_verified(node, event->verified.ticket, event->verified.holds);
        return 0;
    case PARLEY_EVENT_STORE_OPENED:
        on_store_opened(node);
        return 0;
    case PARLEY_EVENT_COMPACTED:
        node->quota.is_compacting = false;
        return 0;
    case PARLEY_EVENT_STOP:
        peers_stop(node);
        return 0;
    case PARLEY_EVENT_TIMER:
        return 0; /* below, like at every step */
    case PARLEY_EVENT_DEVICE:
        on_device(node, event->device);
        return 0;
    case PARLEY_EVENT_PUBLISH:
        on_publish(node, event->publish.request, event->publish.body, event->publish.time);
        return 0;
    case PARLEY_EVENT_FOLLOW:
        on_follow(node, event);
        return 0;
    case PARLEY_EVENT_CONNECT:
        on_connect(node, event);
        return 0;
    case PARLEY_EVENT_DISCONNECT:
        on_disconnect(node, event);
        return 0;
    case PARLEY_EVENT_PURGE:
        on_purge(node, event);
        return 0;
    case PARLEY_EVENT_LIST:
        on_list(node, event);
        return 0;
    case PARLEY_EVENT_PLACES:
        on_places(node, event);
        return 0;
    case PARLEY_EVENT_SAY:
        on_say(node, event);
        return 0;
    case PARLEY_EVENT_IMPORT_RECORD:
    case PARLEY_EVENT_IMPORT_CHUNK:
        on_import(node, event);
        return 0;
    }
    return 0;
}

size_t parley_node_step(struct parley_node *node, const struct parley_event *event,
                        struct parley_effects *effects) {
    assert(event->now >= node->now);
    node->now = event->now;
    node->wall = event->wall;
    effects_begin(node);
    size_t consumed = dispatch(node, event);
    if (node->is_started) {
        on_timer(node);
        settle(node);
    }
    *effects = (struct parley_effects){node->effects, node->effects_count};
    return consumed;
}

parley_time_ms parley_node_deadline(const struct parley_node *node) {
    return node->settle_due < node->deadline ? node->settle_due : node->deadline;
}
