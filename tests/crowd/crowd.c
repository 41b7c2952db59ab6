#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>

static struct parley_span keep(uint8_t **at, struct parley_span span) {
    struct parley_span copy = PARLEY_SPAN(*at, span.size);
    if (span.size > 0)
        memcpy(*at, span.data, span.size);
    *at += span.size;
    return copy;
}

static void add_task(struct crowd_task **list, const struct parley_effect *effect) {
    size_t size = effect->kind == PARLEY_EFFECT_STORE
                      ? effect->store.op.bytes.size + effect->store.op.key.size
                      : 0;
    struct crowd_task *task = calloc(1, sizeof *task + size);
    assert_non_null(task);
    uint8_t *at = task->bytes;
    task->effect = *effect;
    if (effect->kind == PARLEY_EFFECT_STORE) {
        task->effect.store.op.bytes = keep(&at, effect->store.op.bytes);
        task->effect.store.op.key = keep(&at, effect->store.op.key);
    }
    while (*list != NULL)
        list = &(*list)->next;
    *list = task;
}

/* --- links --------------------------------------------------------------------------------- */

static struct crowd_link *link_of(struct crowd *crowd, unsigned node, parley_connection connection,
                                  unsigned *end) {
    for (size_t i = 0; i < CROWD_LINKS_MAX; i++)
        for (*end = 0; *end < 2; (*end)++)
            if (crowd->links[i].is_told[*end] && crowd->links[i].nodes[*end] == node &&
                crowd->links[i].connections[*end] == connection)
                return &crowd->links[i];
    return NULL;
}

static void send_bytes(struct crowd *crowd, unsigned node, const struct parley_effect *effect) {
    unsigned end;
    struct crowd_link *link = link_of(crowd, node, effect->send.connection, &end);
    if (link == NULL || !link->is_open)
        return;
    size_t size = effect->send.bytes.size, old = link->sizes[!end];
    link->bytes[!end] = realloc(link->bytes[!end], old + size);
    assert_non_null(link->bytes[!end]);
    memcpy(link->bytes[!end] + old, effect->send.bytes.data, size);
    link->sizes[!end] = old + size;
    link->is_fresh[!end] = true;
    crowd->messages_bytes += size;
    struct parley_effect sent = *effect;
    add_task(&crowd->nodes[node].others, &sent);
}

void crowd_close_link(struct crowd *crowd, struct crowd_link *link) {
    link->is_open = false;
    for (unsigned end = 0; end < 2; end++) {
        if (!link->is_told[end])
            continue;
        link->is_told[end] = false;
        struct parley_effect closed = {.kind = PARLEY_EFFECT_CLOSE};
        closed.close.connection = link->connections[end];
        add_task(&crowd->nodes[link->nodes[end]].others, &closed);
    }
}

static void answer_dial(struct crowd *crowd, unsigned node, const struct parley_effect *effect) {
    unsigned other = (unsigned)atoi(effect->dial.address.host);
    for (size_t i = 0; i < CROWD_LINKS_MAX; i++) {
        struct crowd_link *link = &crowd->links[i];
        if (link->is_open || link->is_told[0] || link->is_told[1])
            continue;
        link->is_open = true;
        link->nodes[0] = node;
        link->nodes[1] = other;
        link->connections[0] = effect->dial.connection;
        link->connections[1] = crowd->nodes[other].next_accept;
        crowd->nodes[other].next_accept += 2;
        link->sizes[0] = link->sizes[1] = 0;
        struct parley_event event = {.kind = PARLEY_EVENT_ACCEPTED};
        event.connection = link->connections[1];
        link->is_told[0] = link->is_told[1] = true;
        crowd_step(crowd, other, &event, NULL);
        event = (struct parley_event){.kind = PARLEY_EVENT_DIALLED};
        event.connection = link->connections[0];
        crowd_step(crowd, node, &event, NULL);
        return;
    }
    fail_msg("too many links");
}

static void on_close(struct crowd *crowd, unsigned node, const struct parley_effect *effect) {
    unsigned end;
    struct crowd_link *link = link_of(crowd, node, effect->close.connection, &end);
    if (parley_error_class(effect->close.reason) == PARLEY_CLASS_REMOTE) {
        crowd->blamed++;
        print_message("# node %u blames a peer: %s\n", node,
                      parley_error_name(effect->close.reason));
    }
    if (link != NULL)
        crowd_close_link(crowd, link);
}

/* --- effects ------------------------------------------------------------------------------- */

static void resume(struct crowd *crowd, unsigned node, parley_connection connection) {
    unsigned end;
    struct crowd_link *link = link_of(crowd, node, connection, &end);
    if (link != NULL)
        link->is_fresh[end] = true;
}

static void note(struct crowd *crowd, unsigned node, const struct parley_effect *effect) {
    struct crowd_node *host = &crowd->nodes[node];
    switch (effect->kind) {
    case PARLEY_EFFECT_SEND:
        send_bytes(crowd, node, effect);
        return;
    case PARLEY_EFFECT_CLOSE:
        on_close(crowd, node, effect);
        return;
    case PARLEY_EFFECT_RESUME:
        resume(crowd, node, effect->resume);
        return;
    case PARLEY_EFFECT_STORE:
        add_task(&host->stores, effect);
        return;
    case PARLEY_EFFECT_VERIFY:
        crowd->checks_count++;
        add_task(&host->others, effect);
        return;
    case PARLEY_EFFECT_READ:
    case PARLEY_EFFECT_DIAL:
        add_task(&host->others, effect);
        return;
    case PARLEY_EFFECT_REPLY:
        host->reply = effect->reply.error;
        return;
    case PARLEY_EFFECT_SAID:
        return;
    case PARLEY_EFFECT_LOG:
        host->warnings += effect->log.level >= PARLEY_LOG_WARNING;
        if (getenv("CROWD_LOG") != NULL)
            print_message("# n%u: %s\n", node, effect->log.text);
        return;
    case PARLEY_EFFECT_COMPACT:
        host->compactions_count++;
        if (!host->compacts_for_ever)
            add_task(&host->others, effect);
        return;
    case PARLEY_EFFECT_SHOW:
        host->shown_count += effect->show.seq_high - effect->show.seq_low + 1;
        return;
    }
}

void crowd_step(struct crowd *crowd, unsigned node, struct parley_event *event, size_t *consumed) {
    struct parley_effects effects;
    event->now = crowd->now;
    event->wall = STORY_WALL_START + crowd->now;
    size_t taken = parley_node_step(crowd->nodes[node].core, event, &effects);
    for (size_t i = 0; i < effects.count; i++)
        note(crowd, node, &effects.items[i]);
    parley_node_check_invariants(crowd->nodes[node].core);
    if (consumed != NULL)
        *consumed = taken;
}

static void read_now(struct crowd *crowd, unsigned node, const struct parley_effect *effect) {
    static uint8_t buffer[PARLEY_MESSAGE_BYTES_MAX + PARLEY_CHUNK_HEAD_MAX];
    struct parley_store *store = crowd->nodes[node].store;
    struct parley_event event = {.kind = PARLEY_EVENT_READ_DONE};
    event.read_done.ticket = effect->read.ticket;
    if (effect->read.kind == PARLEY_READ_RUN)
        event.read_done.error = parley_store_read_run(
            store, &effect->read.log, effect->read.seq_top, effect->read.seq_low,
            effect->read.bodies, effect->read.bytes_max, buffer, &event.read_done.bytes);
    else if (effect->read.kind == PARLEY_READ_EVIDENCE)
        event.read_done.error = parley_store_read_evidence(
            store, &effect->read.log, effect->read.index, buffer, &event.read_done.bytes);
    else
        event.read_done.error = parley_store_read_records(
            store, &effect->read.author, effect->read.index, buffer, effect->read.bytes_max,
            &event.read_done.bytes, &event.read_done.count);
    crowd_step(crowd, node, &event, NULL);
}

static bool load_record(void *context, const struct parley_author *author,
                        struct parley_span record) {
    void **at = context;
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_RECORD};
    event.load_record.author = *author;
    event.load_record.record = record;
    crowd_step(at[0], (unsigned)(uintptr_t)at[1], &event, NULL);
    return true;
}

static bool load_log(void *context, const struct parley_store_log *log) {
    void **at = context;
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_LOG};
    event.load_log = log;
    crowd_step(at[0], (unsigned)(uintptr_t)at[1], &event, NULL);
    return true;
}

/* Whom it follows and allows; what it dialled is not dialled again by itself. */
static bool load_meta(void *context, struct parley_span key, struct parley_span value) {
    void **at = context;
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_META};
    event.load_meta.key = key;
    event.load_meta.value = value;
    bool is_told = (key.size > 7 && memcmp(key.data, "follow/", 7) == 0) ||
                   (key.size > 6 && memcmp(key.data, "allow/", 6) == 0);
    if (is_told)
        crowd_step(at[0], (unsigned)(uintptr_t)at[1], &event, NULL);
    return true;
}

void crowd_load(struct crowd *crowd, unsigned node) {
    void *context[] = {crowd, (void *)(uintptr_t)node};
    struct parley_store_visitor visitor = {context, load_record, load_log, load_meta};
    assert_int_equal(parley_store_load(crowd->nodes[node].store, &visitor), PARLEY_E_OK);
}

static void store_one(struct crowd *crowd, unsigned node) {
    struct crowd_node *host = &crowd->nodes[node];
    struct crowd_task *task = host->stores;
    struct parley_event event = {.kind = PARLEY_EVENT_STORED};
    host->is_failed |= crowd->fails_next_store;
    crowd->fails_next_store = false;
    if (host->is_failed)
        event.stored.error = PARLEY_E_DISK_FULL;
    else
        parley_store_commit(host->store, &task->effect.store.op, 1, &event.stored.error);
    struct parley_store_log log;
    if (event.stored.error == PARLEY_E_OK &&
        parley_store_log_get(host->store, &task->effect.store.op.log, &log) == PARLEY_E_OK)
        event.stored.log = &log;
    event.stored.ticket = task->effect.store.ticket;
    host->stores = task->next;
    free(task);
    crowd_step(crowd, node, &event, NULL);
    if (!host->is_failed || host->stores != NULL)
        return;
    host->is_failed = false;
    crowd_load(crowd, node);
    event = (struct parley_event){.kind = PARLEY_EVENT_STORE_OPENED};
    crowd_step(crowd, node, &event, NULL);
}

static void other_one(struct crowd *crowd, unsigned node, size_t index) {
    struct crowd_task **at = &crowd->nodes[node].others;
    struct parley_event event = {0};
    /* What closes or was sent keeps its order. */
    while (index-- > 0 && (*at)->next != NULL && (*at)->effect.kind != PARLEY_EFFECT_CLOSE &&
           (*at)->effect.kind != PARLEY_EFFECT_SEND)
        at = &(*at)->next;
    struct crowd_task *task = *at;
    *at = task->next;
    switch (task->effect.kind) {
    case PARLEY_EFFECT_READ:
        read_now(crowd, node, &task->effect);
        break;
    case PARLEY_EFFECT_VERIFY:
        event.kind = PARLEY_EVENT_VERIFIED;
        event.verified.ticket = task->effect.verify.ticket;
        event.verified.holds = parley_check_holds(&task->effect.verify.check);
        crowd_step(crowd, node, &event, NULL);
        break;
    case PARLEY_EFFECT_CLOSE:
        event.kind = PARLEY_EVENT_CLOSED;
        event.connection = task->effect.close.connection;
        crowd_step(crowd, node, &event, NULL);
        break;
    case PARLEY_EFFECT_SEND:
        event.kind = PARLEY_EVENT_SENT;
        event.sent.connection = task->effect.send.connection;
        event.sent.bytes_count = task->effect.send.bytes.size;
        crowd_step(crowd, node, &event, NULL);
        break;
    case PARLEY_EFFECT_DIAL:
        answer_dial(crowd, node, &task->effect);
        break;
    case PARLEY_EFFECT_COMPACT:
        event.kind = PARLEY_EVENT_COMPACTED;
        crowd_step(crowd, node, &event, NULL);
        break;
    case PARLEY_EFFECT_RESUME:
    case PARLEY_EFFECT_STORE:
    case PARLEY_EFFECT_SHOW:
    case PARLEY_EFFECT_REPLY:
    case PARLEY_EFFECT_LOG:
    case PARLEY_EFFECT_SAID:
        fail();
    }
    free(task);
}

static void deliver(struct crowd *crowd, struct crowd_link *link, unsigned end) {
    struct parley_event event = {.kind = PARLEY_EVENT_RECEIVED};
    size_t size =
        link->sizes[end] < PARLEY_RECEIVE_BYTES_MAX ? link->sizes[end] : PARLEY_RECEIVE_BYTES_MAX;
    size_t consumed = 0;
    uint8_t *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, link->bytes[end], size);
    event.received.connection = link->connections[end];
    event.received.bytes = PARLEY_SPAN(copy, size);
    link->is_fresh[end] = false;
    crowd_step(crowd, link->nodes[end], &event, &consumed);
    free(copy);
    link->sizes[end] -= consumed;
    memmove(link->bytes[end], link->bytes[end] + consumed, link->sizes[end]);
    link->is_fresh[end] |= consumed > 0 && link->sizes[end] > 0;
}

/* One of all the things that can happen now, by chance. False: nothing can. */
static bool happen(struct crowd *crowd) {
    struct choice {
        unsigned kind, node;
        size_t index;
    } choices[CROWD_NODES_MAX * 2 + CROWD_LINKS_MAX * 2];
    size_t count = 0;
    for (unsigned i = 0; i < crowd->count; i++) {
        if (crowd->nodes[i].stores != NULL)
            choices[count++] = (struct choice){0, i, 0};
        if (crowd->nodes[i].others != NULL)
            choices[count++] = (struct choice){1, i, parley_random_below(&crowd->random, 3)};
    }
    for (unsigned i = 0; i < CROWD_LINKS_MAX; i++)
        for (unsigned end = 0; end < 2; end++)
            if (crowd->links[i].is_open && crowd->links[i].is_fresh[end] &&
                crowd->links[i].sizes[end] > 0)
                choices[count++] = (struct choice){2 + end, i, 0};
    if (count == 0)
        return false;
    struct choice choice = choices[parley_random_below(&crowd->random, count)];
    if (choice.kind == 0)
        store_one(crowd, choice.node);
    else if (choice.kind == 1)
        other_one(crowd, choice.node, choice.index);
    else
        deliver(crowd, &crowd->links[choice.node], choice.kind - 2);
    return true;
}

void crowd_settle(struct crowd *crowd) {
    for (unsigned left = 2000000; happen(crowd); left--)
        assert_true(left > 0);
}

void crowd_wait(struct crowd *crowd, unsigned seconds) {
    for (; seconds > 0; seconds--) {
        crowd->now += 1000;
        for (unsigned i = 0; i < crowd->count; i++) {
            struct parley_event event = {.kind = PARLEY_EVENT_TIMER};
            crowd_step(crowd, i, &event, NULL);
        }
        crowd_settle(crowd);
    }
}
