/* A whole node: peers, disk, checker, clock and owner do what the input says. An input is a list of
 * deeds of four bytes each, the first of which chooses whether the node is a relay. What must hold
 * is in node_world.h and in the node's own invariants; in the end everything is answered, and the
 * node is as it should be at rest.
 *
 * Keys agree on crypto_stub.c's toy curve and signatures hold unless one bit says otherwise, so
 * that changed entries come as far as good ones; seals, hashes, chunks, messages and the store are
 * real.
 */
#include "node_message.h"
#include "node_session.h"
#include "node_world.h"

#define DEED_SIZE 4u
#define DEEDS_MAX 400u
/* The invariants are looked at after each so many, and at rest: after each one, they would be a
 * third of all time. */
#define DEEDS_PER_CHECK 4u

enum deed {
    DEED_CONNECT,
    DEED_GREET,
    DEED_SAY,
    DEED_SAY_CHANGED,
    DEED_DELIVER,
    DEED_ANSWER,
    DEED_COMMIT,
    DEED_TELL,
    DEED_VERIFY,
    DEED_READ,
    DEED_WAIT,
    DEED_CLOSE,
    DEED_PUBLISH,
    DEED_FOLLOW,
    DEED_DIAL,
    DEED_ANSWER_DIAL,
    DEED_BREAK_DISK,
    DEED_REOPEN,
    DEED_SENT,
    DEED_IMPORT,
    DEED_DISCONNECT,
    DEED_SETTLE,
    DEED_RAW,
    DEED_RESTART,
    DEED_INTRODUCE,
    DEED_PUSH,
    DEEDS_COUNT,
};

/* ---- peers */

static void say(struct puppet *puppet, const struct parley_wire_message *message) {
    puppet_put(puppet, message_write(message));
    puppet_deliver(puppet, SIZE_MAX);
}

/* As far as a peer that is worth something: hello, that it answers asks, and an interest in
 * everything. features: to be had as well, or not. */
static void greet(struct puppet *puppet, uint8_t features) {
    puppet_connect(puppet);
    for (size_t i = 0; i < 3; i++)
        puppet_deliver(puppet, SIZE_MAX);
    say(puppet,
        message_make(puppet, PARLEY_WIRE_HELLO, 0, (uint8_t)(PARLEY_WIRE_SERVES_RUNS ^ features)));
    say(puppet, message_make(puppet, PARLEY_WIRE_INTEREST, 1, 0));
}

/* One byte is another one, somewhere in the message. */
static void say_changed(struct puppet *puppet, const uint8_t *deed) {
    static uint8_t changed[PARLEY_MESSAGE_BYTES_MAX];
    struct parley_span message =
        message_write(message_make(puppet, message_type(deed[1] >> 2), deed[2] & 15, deed[2] >> 4));
    if (message.size == 0)
        return;
    memcpy(changed, message.data, message.size);
    changed[(size_t)deed[3] * message.size / 256] ^= (uint8_t)(1u << (deed[2] & 7));
    puppet_put(puppet, PARLEY_SPAN(changed, message.size));
    puppet_deliver(puppet, SIZE_MAX);
}

/* What the node asked of it, as an honest peer would or nearly so. */
static void answer(struct puppet *puppet, uint8_t how) {
    struct ask ask;
    if (!puppet_take_ask(puppet, &ask))
        return;
    const struct parley_wire_message *message = message_answer(puppet, &ask, how);
    if (message != NULL)
        say(puppet, message);
    if (ask.message.type == PARLEY_WIRE_RECONCILE && (message = session_findings()) != NULL)
        say(puppet, message);
}

/* ---- the owner */

static void publish(const uint8_t *deed) {
    static const uint8_t body[3000];
    struct parley_event event = {.kind = PARLEY_EVENT_PUBLISH};
    size_t person = deed[1] % PEOPLE_COUNT;
    event.publish.body = deed[2] & 1 ? PARLEY_SPAN(body, (size_t)deed[3] << (deed[2] >> 4))
                                     : people[person].chain[0][deed[3] % CHAIN_SIZE].body;
    if (event.publish.body.size > sizeof body)
        event.publish.body.size = sizeof body;
    event.publish.time = deed[2] & 2 ? 1 : 0;
    world_ask(&event);
}

static void block(const struct person *person, bool on) {
    struct parley_event event = {.kind = PARLEY_EVENT_LIST};
    event.list.listed.list = PARLEY_LIST_BLOCK;
    event.list.listed.author = person->author;
    event.list.on = on;
    world_ask(&event);
}

static void follow(const uint8_t *deed) {
    struct parley_event event = {.kind = PARLEY_EVENT_FOLLOW};
    if (deed[2] & 4) {
        block(&people[deed[1] % PEOPLE_COUNT], (deed[2] & 1) == 0);
        return;
    }
    event.follow.author = people[deed[1] % PEOPLE_COUNT].author;
    event.follow.author.bytes[0] ^= deed[3];
    event.follow.on = (deed[2] & 1) == 0;
    event.follow.is_private = deed[2] & 2;
    world_ask(&event);
}

static void dial(const struct puppet *puppet, bool is_end) {
    struct parley_event event = {.kind = is_end ? PARLEY_EVENT_DISCONNECT : PARLEY_EVENT_CONNECT};
    if (is_end) {
        event.disconnect.key = puppet->key;
    } else {
        event.connect.address.key = puppet->key;
        (void)strcpy(event.connect.address.transport, "tcp");
        (void)strcpy(event.connect.address.host, "host");
        event.connect.address.port = 1;
    }
    world_ask(&event);
}

static void import(const uint8_t *deed) {
    const struct person *person = &people[deed[1] % PEOPLE_COUNT];
    struct parley_event event = {.kind = deed[2] & 1 ? PARLEY_EVENT_IMPORT_RECORD
                                                     : PARLEY_EVENT_IMPORT_CHUNK};
    event.import.bytes =
        deed[2] & 1 ? message_record(person, deed[3] % person->records_count, deed[3] & 0x80)
                    : message_chunk(person, deed[2] >> 1, deed[3]);
    world_ask(&event);
}

static void break_disk(const uint8_t *deed) {
    if (deed[1] & 1)
        parley_disk_set_bytes_max(world.disk, deed[1] & 2 ? 0 : parley_disk_bytes(world.disk) + 1);
    else
        parley_disk_fail_write(world.disk, deed[2] & 3,
                               deed[1] & 2 ? PARLEY_E_DISK_FULL : PARLEY_E_DISK_FAILED,
                               deed[1] & 4 ? PARLEY_DISK_WRITTEN : PARLEY_DISK_LOST);
}

/* ---- deeds */

static void do_peer_deed(struct puppet *puppet, enum deed what, const uint8_t *deed) {
    switch ((int)what) {
    case DEED_CONNECT:
        puppet_connect(puppet);
        return;
    case DEED_GREET:
        greet(puppet, deed[2]);
        return;
    case DEED_SAY:
        say(puppet, message_make(puppet, message_type(deed[1] >> 2), deed[2], deed[3]));
        return;
    case DEED_SAY_CHANGED:
        say_changed(puppet, deed);
        return;
    case DEED_DELIVER:
        puppet_deliver(puppet, deed[2]);
        return;
    case DEED_ANSWER:
        answer(puppet, deed[2]);
        return;
    case DEED_CLOSE:
        puppet_close(puppet);
        return;
    case DEED_DIAL:
        dial(puppet, false);
        return;
    case DEED_DISCONNECT:
        dial(puppet, true);
        return;
    case DEED_SENT:
        puppet_sent(puppet);
        return;
    case DEED_RAW:
        puppet_put_raw(puppet, PARLEY_SPAN(deed + 2, 2));
        return;
    case DEED_INTRODUCE:
        say(puppet, message_records(&people[deed[2] % PEOPLE_COUNT], deed[3]));
        return;
    default:
        say(puppet, message_push(message_chunk(&people[deed[1] >> 2 & 3], deed[2], deed[3])));
    }
}

static void do_deed(const uint8_t *deed) {
    static const parley_time_ms waits[] = {0, 1, 50, 600, 3000, 12000, 31000, 95000};
    enum deed what = (enum deed)(deed[0] % DEEDS_COUNT);
    switch (what) {
    case DEED_COMMIT:
        world_commit(deed[1] == 0 ? SIZE_MAX : deed[1]);
        return;
    case DEED_TELL:
        world_tell(deed[1] == 0 ? SIZE_MAX : deed[1]);
        return;
    case DEED_VERIFY:
        world_verify();
        return;
    case DEED_READ:
        world_read(deed[1] & 1);
        return;
    case DEED_WAIT:
        world_wait(waits[deed[1] & 7]);
        return;
    case DEED_PUBLISH:
        publish(deed);
        return;
    case DEED_FOLLOW:
        follow(deed);
        return;
    case DEED_ANSWER_DIAL:
        puppet_answer_dial(deed[1] & 1);
        return;
    case DEED_BREAK_DISK:
        break_disk(deed);
        return;
    case DEED_REOPEN:
        world_reopen();
        return;
    case DEED_IMPORT:
        import(deed);
        return;
    case DEED_SETTLE:
        world_settle();
        return;
    case DEED_RESTART:
        world_restart();
        return;
    case DEED_CONNECT:
    case DEED_GREET:
    case DEED_SAY:
    case DEED_SAY_CHANGED:
    case DEED_DELIVER:
    case DEED_ANSWER:
    case DEED_CLOSE:
    case DEED_DIAL:
    case DEED_DISCONNECT:
    case DEED_SENT:
    case DEED_RAW:
    case DEED_INTRODUCE:
    case DEED_PUSH:
    case DEEDS_COUNT:
        do_peer_deed(&world.puppets[(deed[1] & 3) % PUPPETS_COUNT], what, deed);
    }
}

/* Room for what the next deed may make; the node's own bounds are far above. */
static void make_room(void) {
    if (world.stores_count > WAITING_MAX / 2) {
        world_commit(SIZE_MAX);
        world_tell(SIZE_MAX);
    }
    while (world.dials_count > 4)
        puppet_answer_dial(true);
    while (world.verifies_count > WAITING_MAX / 2)
        world_verify();
}

/* Everything is answered, and what is at rest stays at rest. */
static void come_to_rest(void) {
    struct parley_node_status status;
    parley_disk_set_bytes_max(world.disk, 0);
    parley_disk_fail_write(world.disk, UINT32_MAX, PARLEY_E_DISK_FAILED, PARLEY_DISK_LOST);
    world_settle();
    parley_node_check_invariants(world.node);
    parley_node_status(world.node, &status);
    FUZZ_HOLDS(status.stores_in_flight == 0 && status.is_writable);
    for (parley_request request = 1; request < world.next_request; request++)
        FUZZ_HOLDS(!world.is_waiting[request]);
}

void fuzz_target(struct parley_span bytes) {
    static bool is_made;
    if (!is_made)
        people_make();
    is_made = true;
    if (bytes.size == 0)
        return;
    world_begin(bytes.data[0] & 1);
    for (size_t at = 1; at + DEED_SIZE <= bytes.size && at < DEEDS_MAX * DEED_SIZE;
         at += DEED_SIZE) {
        make_room();
        do_deed(bytes.data + at);
        if (at / DEED_SIZE % DEEDS_PER_CHECK == 0)
            parley_node_check_invariants(world.node);
        if (world.is_over)
            break;
    }
    if (!world.is_over)
        come_to_rest();
    world_end();
}
