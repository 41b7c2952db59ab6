#include "story.h"

#include <stdio.h>
#include <stdlib.h>

#define WALL_START UINT64_C(1767225600000)

/* --- people -------------------------------------------------------------------------------- */

void story_person(struct story_person *person, uint8_t number) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_secret_key root;
    struct parley_root_key root_key;
    struct parley_seed seed;
    memset(person, 0, sizeof *person);
    memset(entropy, number, sizeof entropy);
    memset(seed.bytes, number, sizeof seed.bytes);
    parley_author_derive(&person->author, entropy);
    parley_root_derive(&root, &root_key, entropy, 0);
    parley_key_pair(&person->device, person->device_key.bytes, &seed);
    parley_log_derive(&person->log, &person->author, &person->device_key);
    assert_int_equal(parley_rotation_make(&person->inception, person->inception_bytes,
                                          sizeof person->inception_bytes, entropy, 0, NULL, 0),
                     PARLEY_E_OK);
    assert_int_equal(parley_certificate_make(&person->certificate, person->certificate_bytes,
                                             sizeof person->certificate_bytes, &root,
                                             &person->device, &person->author, 0),
                     PARLEY_E_OK);
}

struct parley_span story_entry(struct story_person *person, const char *text,
                               uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE]) {
    struct parley_entry entry = {.has_body = true, .body = PARLEY_SPAN(text, strlen(text))};
    struct parley_chunk_writer writer;
    entry.header.version = PARLEY_ENTRY_VERSION;
    entry.header.log = person->log;
    entry.header.seq = ++person->seq;
    entry.header.prev = person->id;
    entry.header.time = WALL_START;
    parley_entry_sign(&entry, &person->device);
    person->id = entry.id;
    parley_chunk_writer_init(&writer, buffer, PARLEY_CHUNK_BUFFER_SIZE);
    assert_int_equal(parley_chunk_add(&writer, &entry, true), PARLEY_E_OK);
    return parley_chunk_finish(&writer);
}

/* --- writing down -------------------------------------------------------------------------- */

static void say(struct story *story, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct story *story, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(story->trace + story->trace_size, STORY_TRACE_SIZE - story->trace_size,
                         format, arguments);
    va_end(arguments);
    story->trace_size += (size_t)size;
    assert_true(story->trace_size + 2 < STORY_TRACE_SIZE);
    story->trace[story->trace_size++] = '\n';
    story->trace[story->trace_size] = 0;
}

static const char *const mode_names[] = {"nothing", "everything", "authors"};

static unsigned long long chunk_top(struct parley_span bytes) {
    struct parley_chunk chunk;
    assert_int_equal(parley_chunk_decode(&chunk, bytes).error, PARLEY_E_OK);
    return parley_chunk_seq_last(&chunk);
}

static void say_message(struct story *story, char name, struct parley_span bytes) {
    struct parley_wire_message message;
    assert_int_equal(parley_wire_decode(&message, bytes).error, PARLEY_E_OK);
    switch (message.type) {
    case PARLEY_WIRE_HELLO:
        say(story, "%c hello", name);
        return;
    case PARLEY_WIRE_GOODBYE:
        say(story, "%c goodbye %llu", name, (unsigned long long)message.as.goodbye.reason);
        return;
    case PARLEY_WIRE_INTEREST:
        say(story, "%c interest %s %zu", name, mode_names[message.as.interest.mode],
            message.as.interest.authors.count);
        return;
    case PARLEY_WIRE_INTEREST_CHANGE:
        say(story, "%c interest +%zu -%zu", name, message.as.interest_change.added.count,
            message.as.interest_change.removed.count);
        return;
    case PARLEY_WIRE_HEADS:
        say(story, "%c heads of %zu", name, message.as.heads.authors.count);
        return;
    case PARLEY_WIRE_PUSH:
        say(story, "%c push %llu", name, chunk_top(message.as.push.chunk));
        return;
    case PARLEY_WIRE_ASK_RUN:
        say(story, "%c ask run", name);
        return;
    case PARLEY_WIRE_RUN:
        say(story, "%c run", name);
        return;
    case PARLEY_WIRE_ANNOUNCE:
    case PARLEY_WIRE_ASK_BODIES:
    case PARLEY_WIRE_BODIES:
    case PARLEY_WIRE_ASK_IDENTITY:
    case PARLEY_WIRE_IDENTITY:
    case PARLEY_WIRE_EVIDENCE:
    case PARLEY_WIRE_ASK_HEADS:
    case PARLEY_WIRE_PING:
    case PARLEY_WIRE_PONG:
    case PARLEY_WIRE_ADDRESSES:
    case PARLEY_WIRE_IGNORED:
        say(story, "%c message %d", name, (int)message.type);
        return;
    }
}

static void say_store(struct story *story, const struct parley_store_op *op) {
    static const char *const names[] = {"append",   "fill", "top",  "bodies",   "drop",
                                        "prune",    "cut",  "fork", "evidence", "record",
                                        "unrecord", "meta", "erase"};
    if (op->kind > PARLEY_STORE_TOP) {
        say(story, "STORE %s", names[op->kind]);
        return;
    }
    struct parley_chunk chunk;
    assert_int_equal(parley_chunk_decode(&chunk, op->bytes).error, PARLEY_E_OK);
    say(story, "STORE %s %llu..%llu", names[op->kind], (unsigned long long)chunk.seq_first,
        (unsigned long long)parley_chunk_seq_last(&chunk));
}

/* --- effects ------------------------------------------------------------------------------- */

static struct story_puppet *puppet_of(struct story *story, parley_connection connection) {
    for (size_t i = 0; i < STORY_PUPPETS_MAX; i++)
        if (story->puppets[i].is_open && story->puppets[i].connection == connection)
            return &story->puppets[i];
    return NULL;
}

static char name_of(struct story *story, parley_connection connection) {
    const struct story_puppet *puppet = puppet_of(story, connection);
    return puppet == NULL ? '?' : puppet->name;
}

static void keep_bytes(struct story *story, const struct parley_effect *effect) {
    struct story_puppet *puppet = puppet_of(story, effect->send.connection);
    if (puppet == NULL)
        return;
    size_t size = effect->send.bytes.size;
    puppet->in = realloc(puppet->in, puppet->in_size + size);
    assert_non_null(puppet->in);
    memcpy(puppet->in + puppet->in_size, effect->send.bytes.data, size);
    puppet->in_size += size;
}

/* Opens what has come; flights are answered after the step. */
static void puppet_read(struct story *story, struct story_puppet *puppet) {
    static uint8_t scratch[PARLEY_MESSAGE_BYTES_MAX];
    static struct parley_replay replay;
    while (puppet->in_size > 0) {
        struct parley_link_step step;
        bool listens = !puppet->link.is_dialler;
        if (parley_link_receive(&puppet->link, listens ? &replay : NULL,
                                PARLEY_SPAN(puppet->in, puppet->in_size), scratch,
                                &step) != PARLEY_E_OK ||
            step.consumed == 0)
            return;
        puppet->in_size -= step.consumed;
        memmove(puppet->in, puppet->in + step.consumed, puppet->in_size);
        if (step.message.size > 0)
            say_message(story, puppet->name, step.message);
        if (step.flight_size > 0) {
            uint8_t flight[PARLEY_LINK_FLIGHT_MAX];
            memcpy(flight, step.flight, step.flight_size);
            story_send_bytes(story, puppet, PARLEY_SPAN(flight, step.flight_size));
        }
    }
}

static void note(struct story *story, const struct parley_effect *effect) {
    switch (effect->kind) {
    case PARLEY_EFFECT_SEND:
        keep_bytes(story, effect);
        return;
    case PARLEY_EFFECT_DIAL:
        story->dialled = effect->dial.connection;
        say(story, "DIAL %s", effect->dial.address.host);
        return;
    case PARLEY_EFFECT_CLOSE:
        say(story, "CLOSE %c %s", name_of(story, effect->close.connection),
            parley_error_name(effect->close.reason));
        return;
    case PARLEY_EFFECT_RESUME:
        say(story, "RESUME %c", name_of(story, effect->resume));
        return;
    case PARLEY_EFFECT_STORE:
        assert_true(story->stores_count < STORY_WAITING_MAX);
        story->stores[story->stores_count++] = effect->store.ticket;
        say_store(story, &effect->store.op);
        return;
    case PARLEY_EFFECT_READ:
        say(story, "READ");
        return;
    case PARLEY_EFFECT_VERIFY:
        assert_true(story->verifies_count < STORY_WAITING_MAX);
        story->verifies[story->verifies_count].ticket = effect->verify.ticket;
        story->verifies[story->verifies_count++].check = effect->verify.check;
        say(story, "VERIFY");
        return;
    case PARLEY_EFFECT_SHOW:
        say(story, "SHOW %llu..%llu", (unsigned long long)effect->show.seq_low,
            (unsigned long long)effect->show.seq_high);
        return;
    case PARLEY_EFFECT_REPLY:
        say(story, "REPLY %llu %s %llu", (unsigned long long)effect->reply.request,
            parley_error_name(effect->reply.error), (unsigned long long)effect->reply.seq);
        return;
    case PARLEY_EFFECT_LOG:
        if (effect->log.level >= PARLEY_LOG_WARNING)
            say(story, "LOG %s", effect->log.text);
        return;
    }
}

void story_step(struct story *story, struct parley_event *event) {
    struct parley_effects effects;
    event->now = story->now;
    event->wall = WALL_START + story->now;
    story->consumed = parley_node_step(story->node, event, &effects);
    for (size_t i = 0; i < effects.count; i++)
        note(story, &effects.items[i]);
    parley_node_check_invariants(story->node);
    for (size_t i = 0; i < STORY_PUPPETS_MAX; i++)
        if (story->puppets[i].is_open)
            puppet_read(story, &story->puppets[i]);
}

void story_wait(struct story *story, parley_time_ms ms) {
    struct parley_event event = {.kind = PARLEY_EVENT_TIMER};
    story->now += ms;
    story_step(story, &event);
}

void story_stored(struct story *story, enum parley_error error) {
    struct parley_event event = {.kind = PARLEY_EVENT_STORED};
    assert_true(story->stores_count > 0);
    event.stored.ticket = story->stores[0];
    event.stored.error = error;
    story->stores_count--;
    memmove(story->stores, story->stores + 1, story->stores_count * sizeof story->stores[0]);
    story_step(story, &event);
}

void story_verified(struct story *story) {
    struct parley_event event = {.kind = PARLEY_EVENT_VERIFIED};
    assert_true(story->verifies_count > 0);
    event.verified.ticket = story->verifies[0].ticket;
    event.verified.holds = parley_check_holds(&story->verifies[0].check);
    story->verifies_count--;
    memmove(story->verifies, story->verifies + 1,
            story->verifies_count * sizeof story->verifies[0]);
    story_step(story, &event);
}

void story_settle(struct story *story) {
    while (story->stores_count > 0 || story->verifies_count > 0)
        if (story->verifies_count > 0)
            story_verified(story);
        else
            story_stored(story, PARLEY_E_OK);
}

/* --- begin and end ------------------------------------------------------------------------- */

static void load_own(struct story *story, struct parley_span record) {
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_RECORD};
    event.load_record.author = story->own.author;
    event.load_record.record = record;
    story_step(story, &event);
}

static void begin(struct story *story, bool relay) {
    memset(story, 0, sizeof *story);
    struct parley_seed seed = {{7}};
    parley_random_init(&story->random, &seed);
    parley_node_config_defaults(&story->config);
    story->config.seed = seed;
    struct parley_node_key key;
    seed.bytes[0] = 8;
    parley_key_pair(&story->config.node_key, key.bytes, &seed);
    story->config.relay = relay;
    story->config.peers_max = 4;
    story->config.logs_max = 16;
    story->config.authors_max = 16;
    story_person(&story->own, 1);
    if (!relay) {
        story->config.has_device = true;
        story->config.author = story->own.author;
        story->config.device_key = story->own.device;
    }
    story->node = parley_node_create(&story->config);
    assert_non_null(story->node);
    if (!relay) {
        load_own(story, story->own.inception);
        load_own(story, story->own.certificate);
    }
    struct parley_event event = {.kind = PARLEY_EVENT_START};
    story_step(story, &event);
    story_settle(story);
    story_forget(story);
}

void story_begin(struct story *story) {
    begin(story, false);
}

void story_begin_relay(struct story *story) {
    begin(story, true);
}

void story_end(struct story *story) {
    parley_node_free(story->node);
    for (size_t i = 0; i < STORY_PUPPETS_MAX; i++)
        free(story->puppets[i].in);
}

/* --- the owner ----------------------------------------------------------------------------- */

void story_publish(struct story *story, parley_request request, const char *text) {
    struct parley_event event = {.kind = PARLEY_EVENT_PUBLISH};
    event.publish.request = request;
    event.publish.body = PARLEY_SPAN(text, strlen(text));
    story_step(story, &event);
}

void story_follow(struct story *story, parley_request request, const struct parley_author *author,
                  bool on, bool is_private) {
    struct parley_event event = {.kind = PARLEY_EVENT_FOLLOW};
    event.follow.request = request;
    event.follow.author = *author;
    event.follow.on = on;
    event.follow.is_private = is_private;
    story_step(story, &event);
}

static struct story_puppet *puppet_make(struct story *story, char name) {
    struct story_puppet *puppet = &story->puppets[name - 'A'];
    struct parley_seed seed = {{0}};
    seed.bytes[0] = (uint8_t)name;
    puppet->name = name;
    puppet->in_size = 0;
    parley_key_pair(&puppet->secret, puppet->key.bytes, &seed);
    return puppet;
}

void story_connect(struct story *story, parley_request request, char name) {
    struct parley_event event = {.kind = PARLEY_EVENT_CONNECT};
    struct story_puppet *puppet = puppet_make(story, name);
    event.connect.request = request;
    event.connect.address.key = puppet->key;
    snprintf(event.connect.address.transport, sizeof event.connect.address.transport, "tcp");
    snprintf(event.connect.address.host, sizeof event.connect.address.host, "%c", name);
    event.connect.address.port = 1;
    story_step(story, &event);
}

/* --- puppets ------------------------------------------------------------------------------- */

struct story_puppet *story_accept(struct story *story, char name) {
    static parley_connection next = 2;
    struct story_puppet *puppet = puppet_make(story, name);
    struct parley_link_chance chance;
    struct parley_node_key listener;
    uint8_t prelude[PARLEY_PRELUDE_BYTES_DEFAULT], flight[PARLEY_LINK_FLIGHT_MAX];
    size_t size;
    memcpy(listener.bytes, story->config.node_key.bytes + 32, sizeof listener.bytes);
    puppet->connection = next;
    next += 2;
    puppet->is_open = true;
    struct parley_event event = {.kind = PARLEY_EVENT_ACCEPTED};
    event.connection = puppet->connection;
    story_step(story, &event);
    parley_link_chance_draw(&chance, &story->random);
    parley_link_prelude_draw(prelude, sizeof prelude, &story->random);
    assert_int_equal(parley_link_init_dialler(&puppet->link, &puppet->secret, &listener, &chance,
                                              PARLEY_SPAN(prelude, sizeof prelude)),
                     PARLEY_E_OK);
    assert_int_equal(parley_link_start(&puppet->link, flight, &size), PARLEY_E_OK);
    story_send_bytes(story, puppet, PARLEY_SPAN(flight, size));
    return puppet;
}

struct story_puppet *story_answer(struct story *story, char name) {
    struct story_puppet *puppet = puppet_make(story, name);
    struct parley_link_chance chance;
    parley_link_chance_draw(&chance, &story->random);
    parley_link_init_listener(&puppet->link, &puppet->secret, &chance,
                              PARLEY_PRELUDE_BYTES_DEFAULT);
    puppet->connection = story->dialled;
    puppet->is_open = true;
    struct parley_event event = {.kind = PARLEY_EVENT_DIALLED};
    event.connection = puppet->connection;
    story_step(story, &event);
    return puppet;
}

struct parley_span story_seal(struct story_puppet *puppet, uint8_t out[PARLEY_LINK_SEALED_MAX],
                              const struct parley_wire_message *message) {
    static uint8_t plain[PARLEY_MESSAGE_BYTES_MAX];
    struct parley_writer writer;
    struct parley_span bytes;
    size_t size;
    parley_writer_init(&writer, plain, sizeof plain);
    parley_wire_encode(&writer, message);
    assert_int_equal(parley_writer_finish(&writer, &bytes), PARLEY_E_OK);
    assert_int_equal(parley_link_seal(&puppet->link, out, PARLEY_LINK_SEALED_MAX, &size, bytes),
                     PARLEY_E_OK);
    return PARLEY_SPAN(out, size);
}

void story_send_bytes(struct story *story, struct story_puppet *puppet, struct parley_span bytes) {
    struct parley_event event = {.kind = PARLEY_EVENT_RECEIVED};
    event.received.connection = puppet->connection;
    event.received.bytes = bytes;
    story_step(story, &event);
}

void story_send(struct story *story, struct story_puppet *puppet,
                const struct parley_wire_message *message) {
    static uint8_t out[PARLEY_LINK_SEALED_MAX];
    story_send_bytes(story, puppet, story_seal(puppet, out, message));
}

void story_hello(struct story *story, struct story_puppet *puppet) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_HELLO};
    message.as.hello.version = PARLEY_WIRE_VERSION;
    message.as.hello.node_key = puppet->key;
    story_send(story, puppet, &message);
}

void story_interest(struct story *story, struct story_puppet *puppet,
                    enum parley_interest_mode mode) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_INTEREST};
    message.as.interest.mode = mode;
    story_send(story, puppet, &message);
}

struct story_puppet *story_peer(struct story *story, char name) {
    struct story_puppet *puppet = story_accept(story, name);
    story_hello(story, puppet);
    story_interest(story, puppet, PARLEY_INTEREST_EVERYTHING);
    story_settle(story);
    return puppet;
}

void story_push(struct story *story, struct story_puppet *puppet, struct parley_span chunk) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_PUSH};
    message.as.push.chunk = chunk;
    story_send(story, puppet, &message);
}

void story_introduce(struct story *story, struct story_puppet *puppet,
                     const struct story_person *person) {
    uint8_t bytes[1024];
    struct parley_writer writer;
    struct parley_wire_message message = {.type = PARLEY_WIRE_IDENTITY};
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_record(&writer, person->inception);
    parley_wire_put_record(&writer, person->certificate);
    message.as.identity.records = parley_wire_list_of(&writer, 2);
    story_send(story, puppet, &message);
}

void story_closed(struct story *story, struct story_puppet *puppet) {
    struct parley_event event = {.kind = PARLEY_EVENT_CLOSED};
    event.connection = puppet->connection;
    puppet->is_open = false;
    story_step(story, &event);
}

/* --- expecting ----------------------------------------------------------------------------- */

void story_expect(struct story *story, const char *lines) {
    story->trace[story->trace_size] = 0;
    assert_string_equal(story->trace, lines);
    story_forget(story);
}

void story_forget(struct story *story) {
    story->trace_size = 0;
    story->trace[0] = 0;
}

bool story_has(const struct story *story, const char *line) {
    size_t size = strlen(line);
    for (const char *at = story->trace; *at != 0; at = strchr(at, '\n') + 1)
        if (strncmp(at, line, size) == 0 && at[size] == '\n')
            return true;
    return false;
}
