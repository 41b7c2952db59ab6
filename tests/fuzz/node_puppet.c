#include "node_world.h"

#include <parley/wire.h>

struct puppet *puppet_find(parley_connection connection) {
    for (size_t i = 0; i < PUPPETS_COUNT; i++)
        if (world.puppets[i].is_there && world.puppets[i].connection == connection)
            return &world.puppets[i];
    return NULL;
}

/* ---- connecting */

static void begin(struct puppet *puppet, parley_connection connection) {
    puppet->is_there = true;
    puppet->is_closing = puppet->is_resumed = false;
    puppet->connection = connection;
    puppet->outbox_size = puppet->visible = puppet->inbox_size = 0;
    puppet->unsent = puppet->asks_count = 0;
    memset(puppet->is_list_used, 0, sizeof puppet->is_list_used);
    puppet->heard = 0;
}

/* All are in the clear net, but for the third one: a neighbour. */
static struct parley_remote remote_of(const struct puppet *puppet) {
    size_t number = (size_t)(puppet - world.puppets);
    struct parley_remote remote = {.prefix_bits = PARLEY_IP_BITS};
    char host[16];
    snprintf(host, sizeof host, number != 2 ? "9.8.7.%zu" : "10.0.0.%zu", number);
    FUZZ_HOLDS(parley_ip_decode(&remote.ip, host));
    remote.network = parley_network_of_ip(&remote.ip);
    return remote;
}

void puppet_connect(struct puppet *puppet) {
    struct parley_link_chance chance;
    struct parley_node_key listener;
    struct parley_event event = {.kind = PARLEY_EVENT_ACCEPTED};
    uint8_t prelude[PARLEY_PRELUDE_BYTES_DEFAULT], flight[PARLEY_LINK_FLIGHT_MAX];
    size_t size;
    if (puppet->is_there)
        return;
    begin(puppet, world.next_accept);
    world.next_accept += 2;
    parley_link_chance_draw(&chance, &world.random);
    parley_link_prelude_draw(prelude, sizeof prelude, &world.random);
    memcpy(listener.bytes, world.config.node_key.bytes + 32, sizeof listener.bytes);
    FUZZ_HOLDS(parley_link_init_dialler(&puppet->link, &puppet->secret, &listener, &chance,
                                        PARLEY_SPAN(prelude, sizeof prelude)) == PARLEY_E_OK);
    FUZZ_HOLDS(parley_link_start(&puppet->link, flight, &size) == PARLEY_E_OK);
    puppet->session = 0;
    event.opened.connection = puppet->connection;
    event.opened.remote = remote_of(puppet);
    world_step(&event);
    puppet_put_raw(puppet, PARLEY_SPAN(flight, size));
}

static struct puppet *find_free(const struct parley_node_key *key) {
    for (size_t i = 0; i < PUPPETS_COUNT; i++)
        if (!world.puppets[i].is_there && PARLEY_EQUAL(world.puppets[i].key, *key))
            return &world.puppets[i];
    return NULL;
}

void puppet_answer_dial(bool fails) {
    struct parley_link_chance chance;
    struct parley_event event = {.kind = PARLEY_EVENT_DIAL_FAILED};
    if (world.dials_count == 0)
        return;
    struct parley_effect dial = world.dials[0];
    struct puppet *puppet = fails ? NULL : find_free(&dial.dial.address.key);
    world.dials_count--;
    memmove(world.dials, world.dials + 1, world.dials_count * sizeof world.dials[0]);
    if (puppet != NULL) {
        begin(puppet, dial.dial.connection);
        parley_link_chance_draw(&chance, &world.random);
        parley_link_init_listener(&puppet->link, &puppet->secret, &chance,
                                  PARLEY_PRELUDE_BYTES_DEFAULT);
        puppet->session = 1;
        event.kind = PARLEY_EVENT_DIALLED;
        event.opened.remote = remote_of(puppet);
    }
    event.opened.connection = dial.dial.connection;
    world_step(&event);
}

void puppet_close(struct puppet *puppet) {
    struct parley_event event = {.kind = PARLEY_EVENT_CLOSED};
    if (!puppet->is_there)
        return;
    event.connection = puppet->connection;
    puppet->is_there = false;
    world_step(&event);
}

/* ---- bytes for the node */

void puppet_put_raw(struct puppet *puppet, struct parley_span bytes) {
    if (!puppet->is_there || bytes.size > OUTBOX_MAX - puppet->outbox_size)
        return;
    if (bytes.size > 0)
        memcpy(puppet->outbox + puppet->outbox_size, bytes.data, bytes.size);
    puppet->outbox_size += bytes.size;
}

void puppet_put(struct puppet *puppet, struct parley_span message) {
    static uint8_t out[PARLEY_LINK_SEALED_MAX];
    size_t size;
    if (!puppet->is_there || puppet->link.state != PARLEY_LINK_OPEN || message.size == 0 ||
        PARLEY_LINK_SEALED_SIZE(message.size) > OUTBOX_MAX - puppet->outbox_size)
        return;
    FUZZ_HOLDS(parley_link_seal(&puppet->link, out, sizeof out, &size, message) == PARLEY_E_OK);
    puppet_put_raw(puppet, PARLEY_SPAN(out, size));
}

void puppet_deliver(struct puppet *puppet, size_t count) {
    struct parley_event event = {.kind = PARLEY_EVENT_RECEIVED};
    size_t left = puppet->outbox_size - puppet->visible;
    if (!puppet->is_there || puppet->outbox_size == 0)
        return;
    puppet->visible += count < left ? count : left;
    if (puppet->visible > PARLEY_RECEIVE_BYTES_MAX)
        puppet->visible = PARLEY_RECEIVE_BYTES_MAX;
    event.received.connection = puppet->connection;
    event.received.bytes = PARLEY_SPAN(puppet->outbox, puppet->visible);
    world_step(&event);
}

/* ---- bytes of the node */

void puppet_take(struct puppet *puppet, struct parley_span bytes) {
    FUZZ_HOLDS(bytes.size <= sizeof puppet->inbox - puppet->inbox_size);
    memcpy(puppet->inbox + puppet->inbox_size, bytes.data, bytes.size);
    puppet->inbox_size += bytes.size;
    puppet->unsent += bytes.size;
}

void puppet_sent(struct puppet *puppet) {
    struct parley_event event = {.kind = PARLEY_EVENT_SENT};
    if (!puppet->is_there || puppet->unsent == 0)
        return;
    event.sent.connection = puppet->connection;
    event.sent.bytes_count = puppet->unsent;
    puppet->unsent = 0;
    world_step(&event);
}

static void check_chunk(struct parley_span bytes) {
    struct parley_chunk chunk;
    struct parley_chunk_cursor cursor;
    struct parley_entry entry;
    if (bytes.size == 0)
        return;
    FUZZ_HOLDS(parley_chunk_decode(&chunk, bytes).error == PARLEY_E_OK);
    parley_chunk_start(&cursor, &chunk);
    while (parley_chunk_next(&cursor, &entry))
        FUZZ_HOLDS(world_is_told(&entry.id));
}

static void check_heads(struct parley_wire_list authors) {
    struct parley_wire_author_heads heads;
    struct parley_wire_head head;
    while (parley_wire_next_author_heads(&authors, &heads))
        while (parley_wire_next_head(&heads.heads, &head))
            FUZZ_HOLDS(head.seq == 0 || world_is_told(&head.id));
}

static void check_places(struct parley_wire_list places) {
    struct parley_wire_place place;
    while (parley_wire_next_place(&places, &place))
        FUZZ_HOLDS(world_is_told(&place.id));
}

static void check_runs(struct parley_wire_list runs) {
    struct parley_wire_run run;
    while (parley_wire_next_run(&runs, &run))
        if (run.chunk.size > 0)
            check_chunk(run.chunk);
}

/* The list of the ask, if it is of a session. */
static struct parley_span *list_of(struct parley_wire_message *message) {
    switch ((int)message->type) {
    case PARLEY_WIRE_RECONCILE:
        return &message->as.reconcile.ranges.bytes;
    case PARLEY_WIRE_ASK_HEADS_OF:
        return &message->as.ask_heads_of.logs.bytes;
    case PARLEY_WIRE_ASK_RUNS:
        return &message->as.ask_runs.asks.bytes;
    default:
        return NULL;
    }
}

/* False: no place for it. */
static bool keep_list(struct puppet *puppet, struct ask *ask) {
    struct parley_span *list = list_of(&ask->message);
    ask->list = LISTS_MAX;
    if (list == NULL || list->size == 0)
        return true;
    for (size_t i = 0; i < LISTS_MAX && list->size <= LIST_BYTES_MAX; i++)
        if (!puppet->is_list_used[i]) {
            puppet->is_list_used[i] = true;
            memcpy(puppet->lists[i], list->data, list->size);
            list->data = puppet->lists[i];
            ask->list = i;
            return true;
        }
    return false;
}

static void keep_ask(struct puppet *puppet, const struct parley_wire_message *message) {
    struct ask *ask = &puppet->asks[puppet->asks_count];
    if (puppet->asks_count == ASKS_MAX)
        return;
    ask->message = *message;
    if (!keep_list(puppet, ask))
        return;
    if (message->type == PARLEY_WIRE_ASK_IDENTITY) {
        struct parley_wire_list authors = message->as.ask_identity.authors;
        FUZZ_HOLDS(parley_wire_next_author(&authors, &ask->author));
    }
    if (message->type == PARLEY_WIRE_RECONCILE)
        puppet->heard = message->as.reconcile.session;
    puppet->asks_count++;
}

bool puppet_take_ask(struct puppet *puppet, struct ask *ask) {
    if (puppet->asks_count == 0)
        return false;
    *ask = puppet->asks[0];
    puppet->asks_count--;
    memmove(puppet->asks, puppet->asks + 1, puppet->asks_count * sizeof puppet->asks[0]);
    if (ask->list < LISTS_MAX)
        puppet->is_list_used[ask->list] = false;
    return true;
}

/* What the node says is well-formed, and nothing of it is ahead of its disk. */
static void take_message(struct puppet *puppet, struct parley_span bytes) {
    struct parley_wire_message message;
    FUZZ_HOLDS(parley_wire_decode(&message, bytes).error == PARLEY_E_OK);
    switch (message.type) {
    case PARLEY_WIRE_PUSH:
        check_chunk(message.as.push.chunk);
        return;
    case PARLEY_WIRE_RUN:
        check_chunk(message.as.run.chunk);
        return;
    case PARLEY_WIRE_EVIDENCE:
        check_chunk(message.as.evidence.chunk);
        return;
    case PARLEY_WIRE_HEADS:
        check_heads(message.as.heads.authors);
        return;
    case PARLEY_WIRE_ANNOUNCE:
        check_places(message.as.announce.places);
        return;
    case PARLEY_WIRE_ASK_RUN:
    case PARLEY_WIRE_ASK_BODIES:
    case PARLEY_WIRE_ASK_IDENTITY:
    case PARLEY_WIRE_ASK_HEADS:
    case PARLEY_WIRE_PING:
    case PARLEY_WIRE_RECONCILE:
    case PARLEY_WIRE_ASK_HEADS_OF:
    case PARLEY_WIRE_ASK_RUNS:
        keep_ask(puppet, &message);
        return;
    case PARLEY_WIRE_RUNS:
        check_runs(message.as.runs.runs);
        return;
    case PARLEY_WIRE_IGNORED:
        FUZZ_HOLDS(!"a message of no known type");
        return;
    case PARLEY_WIRE_HELLO:
    case PARLEY_WIRE_GOODBYE:
    case PARLEY_WIRE_PONG:
    case PARLEY_WIRE_INVITE:
    case PARLEY_WIRE_WELCOME:
    case PARLEY_WIRE_PRUNE:
    case PARLEY_WIRE_GRAFT:
    case PARLEY_WIRE_INTEREST:
    case PARLEY_WIRE_ADDRESSES:
    case PARLEY_WIRE_SHUFFLE:
    case PARLEY_WIRE_INTEREST_CHANGE:
    case PARLEY_WIRE_BODIES:
    case PARLEY_WIRE_IDENTITY:
        return;
    }
}

void puppet_read_inbox(struct puppet *puppet) {
    static uint8_t scratch[PARLEY_MESSAGE_BYTES_MAX];
    static struct parley_replay replay;
    while (puppet->is_there && puppet->inbox_size > 0) {
        struct parley_link_step step;
        replay.noted = 0;
        replay.marks[0] = 0;
        FUZZ_HOLDS(parley_link_receive(&puppet->link, puppet->link.is_dialler ? NULL : &replay,
                                       PARLEY_SPAN(puppet->inbox, puppet->inbox_size), scratch,
                                       &step) == PARLEY_E_OK);
        FUZZ_HOLDS(step.consumed > 0);
        puppet->inbox_size -= step.consumed;
        memmove(puppet->inbox, puppet->inbox + step.consumed, puppet->inbox_size);
        if (step.message.size > 0)
            take_message(puppet, step.message);
        puppet_put_raw(puppet, PARLEY_SPAN(step.flight, step.flight_size));
    }
}
