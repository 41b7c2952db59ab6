#include "story.h"

#include <stdio.h>
#include <stdlib.h>

void story_step(struct story *story, struct parley_event *event) {
    struct parley_effects effects;
    event->now = story->now;
    event->wall = STORY_WALL_START + story->now;
    story->consumed = parley_node_step(story->node, event, &effects);
    for (size_t i = 0; i < effects.count; i++)
        story_note(story, &effects.items[i]);
    parley_node_check_invariants(story->node);
    for (size_t i = 0; i < STORY_PUPPETS_MAX; i++)
        if (story->puppets[i].is_open)
            story_puppet_read(story, &story->puppets[i]);
}

/* What was sent has left. */
static void take_sent(struct story *story) {
    for (size_t i = 0; i < STORY_PUPPETS_MAX; i++) {
        struct story_puppet *puppet = &story->puppets[i];
        struct parley_event event = {.kind = PARLEY_EVENT_SENT};
        event.sent.connection = puppet->connection;
        event.sent.bytes_count = puppet->unsent;
        puppet->unsent = 0;
        if (puppet->is_open && event.sent.bytes_count > 0)
            story_step(story, &event);
    }
}

void story_wait(struct story *story, parley_time_ms ms) {
    if (!story->is_withheld)
        take_sent(story);
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

void story_read(struct story *story, enum parley_error error, struct parley_span bytes,
                size_t count) {
    struct parley_event event = {.kind = PARLEY_EVENT_READ_DONE};
    assert_true(story->reads_count > 0);
    event.read_done.ticket = story->reads[0];
    event.read_done.error = error;
    event.read_done.bytes = bytes;
    event.read_done.count = count;
    story->reads_count--;
    memmove(story->reads, story->reads + 1, story->reads_count * sizeof story->reads[0]);
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

static void load_metas(struct story *story) {
    for (size_t i = 0; i < story->metas_count; i++) {
        const struct story_meta *meta = &story->metas[i];
        if (meta->value_size == 0)
            continue; /* dropped */
        struct parley_event event = {.kind = PARLEY_EVENT_LOAD_META};
        event.load_meta.key = PARLEY_SPAN(meta->key, meta->key_size);
        event.load_meta.value = PARLEY_SPAN(meta->value, meta->value_size);
        story_step(story, &event);
    }
}

static void boot(struct story *story) {
    story->node = parley_node_create(&story->config);
    assert_non_null(story->node);
    load_metas(story);
    if (!story->config.relay) {
        load_own(story, story->own.inception);
        load_own(story, story->own.certificate);
    }
    struct parley_event event = {.kind = PARLEY_EVENT_START};
    story_step(story, &event);
    story_settle(story);
    story_forget(story);
}

void story_begin_sized(struct story *story, bool relay, const struct story_sizes *sizes) {
    memset(story, 0, sizeof *story);
    story_forget_flights();
    struct parley_seed seed = {{7}};
    parley_random_init(&story->random, &seed);
    parley_node_config_defaults(&story->config);
    story->config.seed = seed;
    struct parley_node_key key;
    seed.bytes[0] = 8;
    parley_key_pair(&story->config.node_key, key.bytes, &seed);
    story->config.relay = relay;
    story->config.peers_max = sizes->peers;
    story->config.logs_max = sizes->logs;
    story->config.authors_max = sizes->authors;
    story->config.hops = sizes->hops == 0 ? 1 : sizes->hops;
    story_person(&story->own, 1);
    if (!relay) {
        story->config.has_device = true;
        story->config.author = story->own.author;
        story->config.device_key = story->own.device;
    }
    boot(story);
}

void story_restart(struct story *story) {
    parley_node_free(story->node);
    story->stores_count = story->verifies_count = story->reads_count = 0;
    for (size_t i = 0; i < STORY_PUPPETS_MAX; i++)
        story->puppets[i].is_open = false;
    boot(story);
}

static const struct story_sizes SMALL = {.peers = 4, .authors = 16, .logs = 16};

void story_begin(struct story *story) {
    story_begin_sized(story, false, &SMALL);
}

void story_begin_relay(struct story *story) {
    story_begin_sized(story, true, &SMALL);
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

void story_import(struct story *story, parley_request request, enum parley_event_kind kind,
                  struct parley_span bytes) {
    struct parley_event event = {.kind = kind};
    event.import.request = request;
    event.import.bytes = bytes;
    story_step(story, &event);
}

void story_know(struct story *story, const struct story_person *person) {
    story_import(story, 0, PARLEY_EVENT_IMPORT_RECORD, person->inception);
    story_settle(story);
    story_import(story, 0, PARLEY_EVENT_IMPORT_RECORD, person->certificate);
    story_settle(story);
    story_forget(story);
}

static struct story_puppet *puppet_make(struct story *story, char name) {
    struct story_puppet *puppet = &story->puppets[name - 'A'];
    struct parley_seed seed = {{0}};
    seed.bytes[0] = (uint8_t)name;
    puppet->name = name;
    puppet->in_size = 0;
    puppet->unsent = 0;
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
    event.opened.connection = puppet->connection;
    event.opened.remote = story->remote;
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
    event.opened.connection = puppet->connection;
    event.opened.remote = story->remote;
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

void story_tell(struct story *story, struct story_puppet *puppet,
                const struct parley_author *author, const struct parley_wire_head *head,
                uint64_t session) {
    uint8_t heads[256], items[512];
    struct parley_writer of_heads, of_items;
    struct parley_wire_message message = {.type = PARLEY_WIRE_HEADS};
    struct parley_wire_author_heads item = {.author = *author};
    parley_writer_init(&of_heads, heads, sizeof heads);
    if (head != NULL)
        parley_wire_put_head(&of_heads, head);
    item.heads = parley_wire_list_of(&of_heads, head != NULL);
    parley_writer_init(&of_items, items, sizeof items);
    parley_wire_put_author_heads(&of_items, &item);
    message.as.heads.session = session;
    message.as.heads.last = true;
    message.as.heads.authors = parley_wire_list_of(&of_items, 1);
    story_send(story, puppet, &message);
}

void story_tell_newest(struct story *story, struct story_puppet *puppet,
                       const struct story_person *person) {
    struct parley_wire_head head = {
        .log = person->log, .seq = person->seq, .id = person->id, .low_seq = 1};
    story_tell(story, puppet, &person->author, &head, PARLEY_HEADS_AFTER_RECORDS);
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
    message.as.hello.features = PARLEY_WIRE_SERVES_RUNS | story->features;
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
