#include "node_world.h"

#include <parley/node_limits.h>

struct world world;

/* ---- opening and loading */

static void open_store(bool create) {
    FUZZ_HOLDS(parley_kv_memory_open(&world.kv, world.disk, create) == PARLEY_E_OK);
    FUZZ_HOLDS(parley_store_open(&world.store, world.kv, create) == PARLEY_E_OK);
}

static bool load_record(void *context, const struct parley_author *author,
                        struct parley_span record) {
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_RECORD};
    event.load_record.author = *author;
    event.load_record.record = record;
    world_step(&event);
    return true;
}

static bool load_log(void *context, const struct parley_store_log *log) {
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_LOG};
    event.load_log = log;
    world_step(&event);
    return true;
}

static bool load_meta(void *context, struct parley_span key, struct parley_span value) {
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_META};
    event.load_meta.key = key;
    event.load_meta.value = value;
    world_step(&event);
    return true;
}

static void load_all(enum parley_event_kind then) {
    struct parley_store_visitor visitor = {NULL, load_record, load_log, load_meta};
    struct parley_event event = {.kind = then};
    disk_tell_all_entries();
    FUZZ_HOLDS(parley_store_load(world.store, &visitor) == PARLEY_E_OK);
    world_step(&event);
}

void world_reopen(void) {
    if (!world.is_failed || world.store != NULL)
        return;
    open_store(false);
    world.is_failed = false;
    load_all(PARLEY_EVENT_STORE_OPENED);
}

static void put_own_records(void) {
    enum parley_error result;
    for (size_t i = 0; i < people[0].records_count; i++) {
        struct parley_record record;
        struct parley_store_op op = {.kind = PARLEY_STORE_RECORD, .author = people[0].author};
        op.bytes = people[0].records[i];
        FUZZ_HOLDS(parley_record_decode(&record, op.bytes).error == PARLEY_E_OK);
        op.key = PARLEY_SPAN_OF(record.hash);
        parley_store_commit(world.store, &op, 1, &result);
        FUZZ_HOLDS(result == PARLEY_E_OK);
    }
}

static void start_node(void) {
    world.node = parley_node_create(&world.config);
    FUZZ_HOLDS(world.node != NULL);
    world.next_accept = 2;
    load_all(PARLEY_EVENT_START);
}

/* Made once: a key pair takes as long as a dozen deeds. */
static struct keys {
    struct parley_secret_key secret;
    struct parley_node_key key;
} node_keys, puppet_keys[PUPPETS_COUNT];

static void make_keys(struct keys *keys, uint8_t number) {
    parley_key_pair(&keys->secret, keys->key.bytes, &(struct parley_seed){{number}});
}

static void make_all_keys(void) {
    static bool are_made;
    if (are_made)
        return;
    are_made = true;
    make_keys(&node_keys, 8);
    /* The third one is the first one's node: two connections of one peer are told apart. The last
     * one is the node itself, which an address may lead to. */
    for (size_t i = 0; i + 1 < PUPPETS_COUNT; i++)
        make_keys(&puppet_keys[i], (uint8_t)(100 + i % 2));
    puppet_keys[PUPPETS_COUNT - 1] = node_keys;
}

static const struct parley_address own_place = {
    .transport = "tcp", .host = "9.9.9.8", .port = 7373};

static void set_config(bool is_relay) {
    struct parley_seed seed = {{7}};
    parley_node_config_defaults(&world.config);
    world.config.seed = seed;
    world.config.node_key = node_keys.secret;
    world.config.relay = is_relay;
    world.config.hops = 2;
    world.config.discover = true;
    world.config.outbound = 1;
    world.config.places = &own_place;
    world.config.places_count = 1;
    world.config.peers_max = 4; /* of which accepted ones take three */
    world.config.logs_max = 6;
    world.config.authors_max = 6;
    world.config.has_device = !is_relay;
    world.config.author = people[0].author;
    world.config.device_key = people[0].device;
    /* Other chance than the node's: one ephemeral of both would agree on zero. */
    parley_random_init(&world.random, &(struct parley_seed){{9}});
}

void world_begin(bool is_relay) {
    memset(&world, 0, offsetof(struct world, puppets));
    make_all_keys();
    for (size_t i = 0; i < PUPPETS_COUNT; i++) {
        world.puppets[i].is_there = false;
        world.puppets[i].secret = puppet_keys[i].secret;
        world.puppets[i].key = puppet_keys[i].key;
    }
    world.dials_count = 0;
    world.next_request = 1;
    set_config(is_relay);
    world.disk = parley_disk_create();
    FUZZ_HOLDS(world.disk != NULL);
    open_store(true);
    if (!is_relay)
        put_own_records();
    start_node();
}

static void forget_process(void) {
    parley_node_free(world.node);
    disk_drop_stores(world.stores_count);
    world.reads_count = world.verifies_count = world.dials_count = 0;
    memset(world.is_waiting, 0, sizeof world.is_waiting);
    for (size_t i = 0; i < PUPPETS_COUNT; i++)
        world.puppets[i].is_there = false;
}

void world_restart(void) {
    forget_process();
    if (world.store != NULL)
        disk_close();
    open_store(false);
    world.is_failed = false;
    start_node();
}

void world_end(void) {
    forget_process();
    if (world.store != NULL)
        disk_close();
    parley_disk_free(world.disk);
}

/* ---- a step */

static void take_reply(const struct parley_effect *effect) {
    parley_request request = effect->reply.request;
    FUZZ_HOLDS(request < REQUESTS_MAX && world.is_waiting[request]);
    world.is_waiting[request] = false;
    if (effect->reply.error == PARLEY_E_OK && effect->reply.seq > 0)
        FUZZ_HOLDS(world_is_told(&effect->reply.id));
}

static void take_close(parley_connection connection) {
    struct puppet *puppet = puppet_find(connection);
    FUZZ_HOLDS(puppet != NULL && !puppet->is_closing);
    puppet->is_closing = true;
}

static void perform(const struct parley_effect *effect) {
    struct puppet *puppet;
    switch (effect->kind) {
    case PARLEY_EFFECT_SEND:
        puppet = puppet_find(effect->send.connection);
        FUZZ_HOLDS(puppet != NULL && !puppet->is_closing);
        puppet_take(puppet, effect->send.bytes);
        return;
    case PARLEY_EFFECT_DIAL:
        FUZZ_HOLDS(world.dials_count < sizeof world.dials / sizeof world.dials[0]);
        world.dials[world.dials_count++] = *effect;
        return;
    case PARLEY_EFFECT_CLOSE:
        take_close(effect->close.connection);
        return;
    case PARLEY_EFFECT_RESUME:
        puppet = puppet_find(effect->resume);
        FUZZ_HOLDS(puppet != NULL);
        puppet->is_resumed = true;
        return;
    case PARLEY_EFFECT_STORE:
        disk_take_store(effect);
        return;
    case PARLEY_EFFECT_READ:
        FUZZ_HOLDS(world.reads_count < PARLEY_READS_MAX + PARLEY_JOBS_MAX);
        world.reads[world.reads_count++] = *effect;
        return;
    case PARLEY_EFFECT_VERIFY:
        /* Of a job that ended with its peer, and of a review that began anew with the store, the
         * check stays behind: so not those of all jobs and of a review alone. */
        FUZZ_HOLDS(world.verifies_count < WAITING_MAX);
        world.verifies[world.verifies_count++] = *effect;
        return;
    case PARLEY_EFFECT_SHOW:
        FUZZ_HOLDS(world_is_told(&effect->show.id));
        return;
    case PARLEY_EFFECT_REPLY:
        take_reply(effect);
        return;
    case PARLEY_EFFECT_LOG:
        FUZZ_HOLDS(effect->log.text != NULL);
        return;
    case PARLEY_EFFECT_SAID:
        FUZZ_HOLDS(puppet_find(effect->said.connection) != NULL);
        return;
    case PARLEY_EFFECT_COMPACT:
        return;
    }
}

/* Offers again what the node let lie, when it says so. */
static void resume_puppets(void) {
    for (size_t i = 0; i < PUPPETS_COUNT; i++) {
        struct puppet *puppet = &world.puppets[i];
        if (!puppet->is_resumed)
            continue;
        puppet->is_resumed = false;
        puppet_deliver(puppet, 0);
    }
}

void world_step(struct parley_event *event) {
    struct parley_effects effects;
    struct puppet *from = NULL;
    if (event->kind == PARLEY_EVENT_RECEIVED)
        from = puppet_find(event->received.connection);
    event->now = world.now;
    event->wall = WALL_START + world.now;
    size_t consumed = parley_node_step(world.node, event, &effects);
    FUZZ_HOLDS(from == NULL ? consumed == 0 : consumed <= event->received.bytes.size);
    for (size_t i = 0; i < effects.count; i++)
        perform(&effects.items[i]);
    if (from != NULL) {
        from->outbox_size -= consumed;
        from->visible -= consumed;
        memmove(from->outbox, from->outbox + consumed, from->outbox_size);
    }
    for (size_t i = 0; i < PUPPETS_COUNT; i++)
        puppet_read_inbox(&world.puppets[i]);
    resume_puppets();
}

/* ---- the other answers */

static void read_store(const struct parley_effect *read, struct parley_event *event) {
    static uint8_t buffer[PARLEY_MESSAGE_BYTES_MAX];
    size_t count = 0;
    struct parley_span *bytes = &event->read_done.bytes;
    switch (read->read.kind) {
    case PARLEY_READ_RUN:
        event->read_done.error = parley_store_read_run(
            world.store, &read->read.log, read->read.seq_top, read->read.seq_low, read->read.bodies,
            read->read.bytes_max, buffer, bytes);
        break;
    case PARLEY_READ_LACKING: {
        parley_seq next = 0;
        event->read_done.error =
            parley_store_read_lacking(world.store, &read->read.log, read->read.seq_top,
                                      read->read.seq_low, buffer, bytes, &next);
        count = (size_t)next;
        break;
    }
    case PARLEY_READ_EVIDENCE:
        event->read_done.error = parley_store_read_evidence(world.store, &read->read.log,
                                                            read->read.index, buffer, bytes);
        break;
    case PARLEY_READ_RECORDS:
        event->read_done.error =
            parley_store_read_records(world.store, &read->read.author, read->read.index, buffer,
                                      read->read.bytes_max, bytes, &count);
        break;
    }
    event->read_done.count = count;
}

void world_read(bool fails) {
    if (world.reads_count == 0)
        return;
    struct parley_effect read = world.reads[0];
    struct parley_event event = {.kind = PARLEY_EVENT_READ_DONE};
    world.reads_count--;
    memmove(world.reads, world.reads + 1, world.reads_count * sizeof world.reads[0]);
    event.read_done.ticket = read.read.ticket;
    event.read_done.error = PARLEY_E_DISK_FAILED;
    if (!fails && world.store != NULL)
        read_store(&read, &event);
    world_step(&event);
}

void world_verify(void) {
    if (world.verifies_count == 0)
        return;
    struct parley_effect verify = world.verifies[0];
    struct parley_event event = {.kind = PARLEY_EVENT_VERIFIED};
    world.verifies_count--;
    memmove(world.verifies, world.verifies + 1, world.verifies_count * sizeof world.verifies[0]);
    event.verified.ticket = verify.verify.ticket;
    event.verified.holds = parley_check_holds(&verify.verify.check);
    world_step(&event);
}

/* A node that always has something to do at once would keep its thread busy for ever. */
void world_wait(parley_time_ms ms) {
    struct parley_event event = {.kind = PARLEY_EVENT_TIMER};
    world.now += ms;
    world_step(&event);
    for (size_t i = 0; parley_node_deadline(world.node) <= world.now; i++) {
        FUZZ_HOLDS(i < 1000);
        world_step(&event);
    }
}

void world_ask(struct parley_event *event) {
    parley_request request = world.next_request;
    if (request >= REQUESTS_MAX)
        return;
    world.next_request++;
    world.is_waiting[request] = true;
    switch ((int)event->kind) {
    case PARLEY_EVENT_PUBLISH:
        event->publish.request = request;
        break;
    case PARLEY_EVENT_FOLLOW:
        event->follow.request = request;
        break;
    case PARLEY_EVENT_LIST:
        event->list.request = request;
        break;
    case PARLEY_EVENT_CONNECT:
        event->connect.request = request;
        break;
    case PARLEY_EVENT_DISCONNECT:
        event->disconnect.request = request;
        break;
    default:
        event->import.request = request;
    }
    world_step(event);
}

static bool settle_once(void) {
    bool any = world.stores_count + world.verifies_count + world.reads_count > 0;
    for (size_t i = 0; i < PUPPETS_COUNT; i++) {
        struct puppet *puppet = &world.puppets[i];
        if (!puppet->is_there)
            continue;
        any |= puppet->visible < puppet->outbox_size || puppet->is_closing || puppet->unsent > 0;
        puppet_deliver(puppet, SIZE_MAX);
        puppet_sent(puppet);
        if (puppet->is_closing)
            puppet_close(puppet);
    }
    world_verify();
    world_commit(SIZE_MAX);
    world_tell(SIZE_MAX);
    world_read(false);
    if (world.is_failed) {
        world_reopen();
        any = true;
    }
    return any;
}

void world_settle(void) {
    for (size_t i = 0; settle_once(); i++)
        FUZZ_HOLDS(i < 10000);
}
