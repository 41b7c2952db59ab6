#include "node_message.h"
#include "node_session.h"

#include <parley/address.h>

#define ADDRESSES_COUNT 9u

static struct parley_wire_message message;
static uint8_t room[PARLEY_MESSAGE_BYTES_MAX];

static struct parley_writer start(enum parley_wire_type type) {
    struct parley_writer writer;
    memset(&message, 0, sizeof message);
    message.type = type;
    parley_writer_init(&writer, room, sizeof room);
    return writer;
}

enum parley_wire_type message_type(unsigned number) {
    static const enum parley_wire_type types[] = {
        PARLEY_WIRE_HELLO,      PARLEY_WIRE_PING,      PARLEY_WIRE_GOODBYE,
        PARLEY_WIRE_PONG,       PARLEY_WIRE_INTEREST,  PARLEY_WIRE_ADDRESSES,
        PARLEY_WIRE_HEADS,      PARLEY_WIRE_ASK_RUN,   PARLEY_WIRE_RUN,
        PARLEY_WIRE_ASK_BODIES, PARLEY_WIRE_BODIES,    PARLEY_WIRE_PUSH,
        PARLEY_WIRE_ANNOUNCE,   PARLEY_WIRE_IDENTITY,  PARLEY_WIRE_ASK_IDENTITY,
        PARLEY_WIRE_EVIDENCE,   PARLEY_WIRE_ASK_HEADS, PARLEY_WIRE_INTEREST_CHANGE,
        PARLEY_WIRE_PRUNE,      PARLEY_WIRE_GRAFT,
    };
    static const enum parley_wire_type of_sessions[] = {
        PARLEY_WIRE_RECONCILE, PARLEY_WIRE_ASK_HEADS_OF, PARLEY_WIRE_ASK_RUNS,
        PARLEY_WIRE_RUNS,      PARLEY_WIRE_RECONCILE,    PARLEY_WIRE_SHUFFLE,
    };
    size_t count = sizeof types / sizeof types[0];
    if (number >= 254)
        return number == 254 ? PARLEY_WIRE_INVITE : PARLEY_WIRE_WELCOME;
    return number < 2 * count ? types[number % count]
                              : of_sessions[number % (sizeof of_sessions / sizeof of_sessions[0])];
}

/* ---- what they are made of */

struct parley_span message_chunk(const struct person *person, uint8_t how, uint8_t place) {
    size_t low = place % CHAIN_SIZE + 1;
    size_t high = low + (size_t)(place / CHAIN_SIZE) % (CHAIN_SIZE - low + 1);
    return people_chunk(person, how & 1, low, high, (how & 2) == 0, how & 4);
}

/* Those whom the lower bits name, and as many strangers as the upper ones say. */
static struct parley_wire_list list_authors(struct parley_writer *writer, uint8_t bits) {
    size_t count = 0;
    for (size_t i = 0; i < 3u * (bits >> PEOPLE_COUNT); i++) {
        struct parley_author stranger = {{(uint8_t)(i + 1)}};
        parley_wire_put_author(writer, &stranger);
        count++;
    }
    for (size_t i = 0; i < PEOPLE_COUNT; i++)
        if (bits >> i & 1) {
            parley_wire_put_author(writer, &people[i].author);
            count++;
        }
    return parley_wire_list_of(writer, count);
}

static void put_head(struct parley_writer *writer, const struct person *person, size_t seq,
                     size_t branch, uint8_t forked) {
    struct parley_wire_head head = {.log = person->log, .seq = seq, .low_seq = seq > 0};
    if (seq > 0)
        head.id = person->chain[branch][seq - 1].id;
    if (forked > seq)
        head.forked_seq = forked;
    parley_wire_put_head(writer, &head);
}

/* The heads of one person; bits of `how`: the other branch, a fork, another set, the last. In the
 * end the place that the records name, or might. */
static const struct parley_wire_message *make_heads(const struct person *person, uint8_t how,
                                                    size_t seq, bool has_second) {
    uint8_t heads_room[256];
    struct parley_writer heads;
    struct parley_writer writer = start(PARLEY_WIRE_HEADS);
    struct parley_wire_author_heads author = {.author = person->author};
    parley_writer_init(&heads, heads_room, sizeof heads_room);
    put_head(&heads, person, seq, how & 1, how & 2 ? FORK_AT + 1 : 0);
    if (has_second)
        put_head(&heads, person, 4, 0, how & 2 ? FORK_AT + 1 : 0);
    author.heads = parley_wire_list_of(&heads, has_second ? 2 : 1);
    memcpy(author.set_hash, person->set_hash, sizeof author.set_hash);
    author.set_hash[0] ^= how & 4;
    parley_wire_put_author_heads(&writer, &author);
    message.as.heads.authors = parley_wire_list_of(&writer, 1);
    message.as.heads.last = (how & 8) == 0;
    message.as.heads.session = how >> 4;
    return &message;
}

/* A record ends in a signature. */
struct parley_span message_record(const struct person *person, size_t index, bool is_badly_signed) {
    static uint8_t changed[sizeof person->record_bytes[0]];
    struct parley_span record = person->records[index];
    if (!is_badly_signed)
        return record;
    memcpy(changed, record.data, record.size);
    changed[record.size - 1] |= 0x80;
    return PARLEY_SPAN(changed, record.size);
}

const struct parley_wire_message *message_records(const struct person *person, uint8_t which) {
    struct parley_writer writer = start(PARLEY_WIRE_IDENTITY);
    size_t count = 0;
    for (size_t i = 0; i < person->records_count; i++)
        if ((which >> i & 1) == 0) {
            bool is_last = i + 1 == person->records_count;
            parley_wire_put_record(&writer, message_record(person, i, is_last && which & 0x80));
            count++;
        }
    if (count == 0) {
        parley_wire_put_record(&writer, person->records[0]);
        count = 1;
    }
    message.as.identity.records = parley_wire_list_of(&writer, count);
    return &message;
}

const struct parley_wire_message *message_push(struct parley_span chunk) {
    (void)start(PARLEY_WIRE_PUSH);
    message.as.push.chunk = chunk;
    return &message;
}

static const struct parley_wire_message *make_run(uint64_t request, struct parley_span chunk,
                                                  bool is_last) {
    (void)start(PARLEY_WIRE_RUN);
    message.as.run.request = request;
    message.as.run.chunk = chunk;
    message.as.run.last = is_last || chunk.size == 0;
    return &message;
}

static const struct parley_wire_message *make_bodies(uint64_t request, const struct person *person,
                                                     size_t low, size_t high, bool is_last) {
    struct parley_writer writer = start(PARLEY_WIRE_BODIES);
    for (size_t seq = low; seq <= high; seq++) {
        struct parley_wire_body body = {seq, person->chain[0][seq - 1].salt,
                                        person->chain[0][seq - 1].body};
        parley_wire_put_body(&writer, &body);
    }
    message.as.bodies.request = request;
    message.as.bodies.log = person->log;
    message.as.bodies.last = is_last;
    message.as.bodies.bodies = parley_wire_list_of(&writer, high - low + 1);
    return &message;
}

static const struct parley_wire_message *make_ask_run(const struct person *person, uint8_t a,
                                                      uint8_t b) {
    (void)start(PARLEY_WIRE_ASK_RUN);
    struct parley_wire_ask_run *ask = &message.as.ask_run;
    size_t seq = b % CHAIN_SIZE + 1;
    ask->request = a;
    ask->log = person->log;
    ask->bodies = a & 4;
    ask->bytes_max = 1u + ((unsigned)b << 8);
    if (a & 8) {
        ask->kind = PARLEY_RUN_ANCHORED;
        ask->top_seq = seq;
        ask->top_id = person->chain[a >> 4 & 1][seq - 1].id;
        ask->down_seq = b / CHAIN_SIZE % seq;
    }
    return &message;
}

static const struct parley_wire_message *make_announce(const struct person *person, uint8_t a,
                                                       uint8_t b) {
    struct parley_writer writer = start(PARLEY_WIRE_ANNOUNCE);
    size_t seq = b % CHAIN_SIZE + 1;
    struct parley_wire_place place = {person->log, seq, person->chain[a >> 4 & 1][seq - 1].id};
    parley_wire_put_place(&writer, &place);
    message.as.announce.places = parley_wire_list_of(&writer, 1);
    return &message;
}

/* Made once: of two puppets, of a stranger, of long ago, of this machine, of somewhere else, and
 * one that has no form. */
static struct parley_span address_record(size_t number) {
    static const char *const places[] = {"9.8.7.0:7373",   "9.8.7.1:7373",   "9.9.9.9:7373",
                                         "9.9.9.1:7373",   "127.0.0.1:7373", "10.0.0.2:7373",
                                         "tor/a.onion:80", "9.9.9.2:80"};
    static uint8_t bytes[ADDRESSES_COUNT][256];
    static struct parley_span records[ADDRESSES_COUNT];
    struct parley_address place;
    struct parley_secret_key secret = world.puppets[number % 2].secret;
    struct parley_node_key key;
    if (number == ADDRESSES_COUNT - 1)
        return PARLEY_SPAN("nowhere", 7);
    if (records[number].size > 0)
        return records[number];
    if (number > 1)
        parley_key_pair(&secret, key.bytes, &(struct parley_seed){{(uint8_t)(200 + number)}});
    FUZZ_HOLDS(
        parley_place_decode(&place, PARLEY_SPAN(places[number], strlen(places[number]))).error ==
        PARLEY_E_OK);
    FUZZ_HOLDS(parley_address_record_make(&records[number], bytes[number], sizeof bytes[number],
                                          &secret, number == 3 ? 1 : WALL_START, &place,
                                          1) == PARLEY_E_OK);
    return records[number];
}

/* a: how many, from where on; the highest bit of b: the last one is badly signed. */
static const struct parley_wire_message *make_addresses(enum parley_wire_type type, uint8_t a,
                                                        uint8_t b) {
    static const uint8_t padding[PARLEY_WIRE_PADDING_MAX];
    struct parley_writer writer = start(type);
    size_t count = a % 5;
    for (size_t i = 0; i < count; i++) {
        struct parley_span record = address_record((i + b) % ADDRESSES_COUNT);
        uint8_t changed[256];
        memcpy(changed, record.data, record.size);
        if (i + 1 == count)
            changed[record.size - 1] |= b & 0x80;
        parley_wire_put_address(&writer, PARLEY_SPAN(changed, record.size));
    }
    struct parley_wire_list records = parley_wire_list_of(&writer, count);
    if (type == PARLEY_WIRE_ADDRESSES) {
        message.as.addresses.records = records;
        return &message;
    }
    message.as.shuffle.records = records;
    message.as.shuffle.padding = PARLEY_SPAN(padding, (size_t)(a >> 5) * 200);
    return &message;
}

static const struct parley_wire_message *make_interest_change(uint8_t a, uint8_t b) {
    static uint8_t removed_room[(PEOPLE_COUNT + 45) * 34];
    struct parley_writer writer = start(PARLEY_WIRE_INTEREST_CHANGE), removed;
    parley_writer_init(&removed, removed_room, sizeof removed_room);
    message.as.interest_change.added = list_authors(&writer, a);
    message.as.interest_change.removed = list_authors(&removed, b);
    return &message;
}

static struct parley_span invite_place(uint8_t how) {
    static const char *const places[] = {
        "",  "192.0.2.7:7373",     "10.0.0.9:7373", "127.0.0.1:22", "9.9.9.9:7373",
        "x", "tor/abc.onion:7373", "[fe80::1]:9"};
    const char *place = places[how % (sizeof places / sizeof places[0])];
    return PARLEY_SPAN(place, strlen(place));
}

/* ---- all of them */

const struct parley_wire_message *message_make(struct puppet *puppet, enum parley_wire_type type,
                                               uint8_t a, uint8_t b) {
    const struct person *person = &people[a % PEOPLE_COUNT];
    struct parley_writer writer;
    size_t seq = b % (CHAIN_SIZE + 1);
    switch ((int)type) {
    case PARLEY_WIRE_HEADS:
        return make_heads(person, a >> 2, seq, b & 0x80);
    case PARLEY_WIRE_ASK_RUN:
        return make_ask_run(person, a, b);
    case PARLEY_WIRE_RUN:
        return make_run(a >> 4, message_chunk(person, a >> 2, b), b & 1);
    case PARLEY_WIRE_BODIES:
        return make_bodies(a >> 4, person, 1, b % CHAIN_SIZE + 1, a & 4);
    case PARLEY_WIRE_PUSH:
        return message_push(message_chunk(person, a >> 2, b));
    case PARLEY_WIRE_ANNOUNCE:
        return make_announce(person, a, b);
    case PARLEY_WIRE_IDENTITY:
        return message_records(person, b);
    case PARLEY_WIRE_ADDRESSES:
    case PARLEY_WIRE_SHUFFLE:
        return make_addresses(type, a, b);
    case PARLEY_WIRE_RECONCILE:
    case PARLEY_WIRE_ASK_HEADS_OF:
    case PARLEY_WIRE_ASK_RUNS:
    case PARLEY_WIRE_RUNS:
        return session_make(puppet, type, a, b);
    case PARLEY_WIRE_INTEREST_CHANGE:
        return make_interest_change(a, b);
    default:
        break;
    }
    writer = start(type);
    switch ((int)type) {
    case PARLEY_WIRE_HELLO:
        message.as.hello.version = a ? a : PARLEY_WIRE_VERSION;
        message.as.hello.features = b;
        message.as.hello.node_key = puppet->key;
        break;
    case PARLEY_WIRE_GOODBYE:
        message.as.goodbye.reason = a;
        break;
    case PARLEY_WIRE_INTEREST:
        message.as.interest.mode = (enum parley_interest_mode)(a % 3);
        if (a % 3 == PARLEY_INTEREST_AUTHORS)
            message.as.interest.authors = list_authors(&writer, b);
        break;
    case PARLEY_WIRE_ASK_BODIES:
        message.as.ask_bodies.log = person->log;
        message.as.ask_bodies.top_seq = b % CHAIN_SIZE + 1;
        message.as.ask_bodies.top_id = person->chain[0][b % CHAIN_SIZE].id;
        message.as.ask_bodies.low_seq = 1 + (a >> 4) % message.as.ask_bodies.top_seq;
        break;
    case PARLEY_WIRE_ASK_IDENTITY:
        message.as.ask_identity.authors = list_authors(&writer, a % 16 ? a : 1);
        break;
    case PARLEY_WIRE_EVIDENCE:
        message.as.evidence.log = person->log;
        message.as.evidence.chunk = message_chunk(person, a >> 2, b);
        break;
    case PARLEY_WIRE_INVITE:
        memset(message.as.invite.secret, a, sizeof message.as.invite.secret);
        message.as.invite.author = person->author;
        message.as.invite.place = invite_place(b);
        break;
    case PARLEY_WIRE_WELCOME:
        memset(message.as.welcome.id, a, sizeof message.as.welcome.id);
        message.as.welcome.verdict = b;
        break;
    case PARLEY_WIRE_PRUNE:
        message.as.prune.buckets = UINT64_C(1) << a % PARLEY_GOSSIP_BUCKETS | b;
        break;
    case PARLEY_WIRE_GRAFT:
        message.as.graft.buckets = UINT64_C(1) << a % PARLEY_GOSSIP_BUCKETS | b;
        break;
    case PARLEY_WIRE_ASK_HEADS:
        message.as.ask_heads.session = a;
        break;
    default:
        message.as.ping.token = a;
    }
    return &message;
}

static const struct person *person_of(const struct parley_log *log) {
    for (size_t i = 0; i < PEOPLE_COUNT; i++)
        if (PARLEY_EQUAL(people[i].log, *log))
            return &people[i];
    return NULL;
}

/* The run that was asked for; how: the other branch, without bodies, badly signed, too little. */
static const struct parley_wire_message *answer_run(const struct parley_wire_ask_run *ask,
                                                    uint8_t how) {
    const struct person *person = person_of(&ask->log);
    size_t high = ask->kind == PARLEY_RUN_ANCHORED ? ask->top_seq : CHAIN_SIZE;
    size_t low = ask->down_seq + 1;
    if (person == NULL || high > CHAIN_SIZE || low > high)
        return make_run(ask->request, PARLEY_NO_SPAN, true);
    if (how & 8)
        low = high;
    if (how & 16 && high > low)
        high--;
    return make_run(ask->request, people_chunk(person, how & 1, low, high, (how & 2) == 0, how & 4),
                    (how & 32) == 0);
}

const struct parley_wire_message *message_answer(struct puppet *puppet, const struct ask *asked,
                                                 uint8_t how) {
    const struct person *person = &people[how >> 4 & 3];
    const struct parley_wire_message *ask = &asked->message;
    switch ((int)ask->type) {
    case PARLEY_WIRE_ASK_RUN:
        return answer_run(&ask->as.ask_run, how);
    case PARLEY_WIRE_ASK_BODIES:
        person = person_of(&ask->as.ask_bodies.log);
        if (person == NULL || ask->as.ask_bodies.top_seq > CHAIN_SIZE)
            return NULL;
        return make_bodies(ask->as.ask_bodies.request, person, ask->as.ask_bodies.low_seq,
                           ask->as.ask_bodies.top_seq, true);
    case PARLEY_WIRE_ASK_IDENTITY:
        for (size_t i = 0; i < PEOPLE_COUNT; i++)
            if (PARLEY_EQUAL(people[i].author, asked->author))
                return message_records(&people[i], how);
        return NULL;
    case PARLEY_WIRE_ASK_HEADS:
        (void)make_heads(person, how & 7, CHAIN_SIZE - how % 4, how & 8);
        message.as.heads.session = ask->as.ask_heads.session;
        return &message;
    case PARLEY_WIRE_RECONCILE:
    case PARLEY_WIRE_ASK_HEADS_OF:
    case PARLEY_WIRE_ASK_RUNS:
        return session_answer(puppet, asked, how);
    default:
        (void)start(PARLEY_WIRE_PONG);
        message.as.pong.token = ask->as.ping.token;
        return &message;
    }
}

struct parley_span message_write(const struct parley_wire_message *wanted) {
    static uint8_t plain[PARLEY_MESSAGE_BYTES_MAX];
    struct parley_writer writer;
    struct parley_span bytes;
    parley_writer_init(&writer, plain, sizeof plain);
    parley_wire_encode(&writer, wanted);
    return parley_writer_finish(&writer, &bytes) == PARLEY_E_OK ? bytes : PARLEY_NO_SPAN;
}
