#include "node_session.h"
#include "node_message.h"

#include <parley/reconcile.h>

#define ITEMS_MAX   256u
#define RUN_MARK    0xffu /* an item that is nobody's */
#define ROOM        32768u
#define MANY_ITEMS  140u /* more than a list holds */
#define RANGES_SIZE 4096u
#define NAMED_TIMES 100u /* a log in one message, now and then */

static struct parley_wire_message message;
static uint8_t room[ROOM];

static struct parley_writer start(enum parley_wire_type type) {
    struct parley_writer writer;
    memset(&message, 0, sizeof message);
    message.type = type;
    parley_writer_init(&writer, room, sizeof room);
    return writer;
}

/* ---- what the puppet has */

/* how: whom it lacks, as two bits; a lower head; the other branch; a fork; another set; many more.
 */
enum how {
    HOW_LACKS = 3,
    HOW_LOWER = 4,
    HOW_BRANCH = 8,
    HOW_FORK = 16,
    HOW_SET = 32,
    HOW_MANY = 64,
    HOW_ENDS = 128,
};

static void add_nobody(struct parley_reconcile *set, size_t number) {
    struct parley_reconcile_log log = {.seq = number % CHAIN_SIZE};
    parley_put_u64(log.name, number + 1);
    (void)parley_reconcile_add(set, &log, RUN_MARK);
}

static void add_person(struct parley_reconcile *set, const struct person *person, uint8_t how) {
    size_t head = person->head - ((how & HOW_LOWER) != 0 ? 2 : 0);
    struct parley_reconcile_log log = {.seq = head};
    memcpy(log.name, person->log.bytes, sizeof log.name);
    memcpy(log.set_hash, person->set_hash, sizeof log.set_hash);
    log.set_hash[0] ^= (how & HOW_SET) != 0;
    log.id = person->chain[(how & HOW_BRANCH) != 0][head - 1].id;
    if ((how & HOW_FORK) != 0)
        log.forked_seq = head + 1;
    (void)parley_reconcile_add(set, &log, (uint32_t)(person - people));
}

static void make_set(struct parley_reconcile *set, const struct puppet *puppet, uint64_t session,
                     uint8_t how) {
    static struct parley_reconcile_item items[ITEMS_MAX];
    static struct parley_reconcile_bucket buckets[ITEMS_MAX];
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    FUZZ_HOLDS(parley_reconcile_buckets_for(ITEMS_MAX) <= ITEMS_MAX);
    parley_reconcile_key(key, &puppet->link, session);
    parley_reconcile_init(set, key, items, buckets, ITEMS_MAX);
    for (size_t i = how & HOW_LACKS; i < PEOPLE_COUNT; i++)
        add_person(set, &people[i], how);
    for (size_t i = 0; (how & HOW_MANY) != 0 && i < MANY_ITEMS; i++)
        add_nobody(set, i);
}

static const struct person *person_at(const struct puppet *puppet, uint64_t session,
                                      uint64_t place) {
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    parley_reconcile_key(key, &puppet->link, session);
    for (size_t i = 0; i < PEOPLE_COUNT; i++)
        if (parley_reconcile_place(key, people[i].log.bytes) == place)
            return &people[i];
    return NULL;
}

/* ---- what it finds */

static bool is_found[PEOPLE_COUNT];

static bool on_found(void *context, const struct parley_reconcile_found *found) {
    (void)context;
    FUZZ_HOLDS(found->item != NULL);
    if (found->item->mark < PEOPLE_COUNT && found->finding != PARLEY_RECONCILE_ABOVE)
        is_found[found->item->mark] = true;
    return true;
}

const struct parley_wire_message *session_findings(void) {
    struct parley_writer writer = start(PARLEY_WIRE_HEADS);
    size_t count = 0;
    for (size_t i = 0; i < PEOPLE_COUNT; i++) {
        const struct person *person = &people[i];
        uint8_t head_room[128];
        struct parley_writer heads;
        struct parley_wire_author_heads author = {.author = person->author};
        struct parley_wire_head head = {.log = person->log, .seq = person->head, .low_seq = 1};
        if (!is_found[i])
            continue;
        is_found[i] = false;
        head.id = person->chain[0][person->head - 1].id;
        parley_writer_init(&heads, head_room, sizeof head_room);
        parley_wire_put_head(&heads, &head);
        author.heads = parley_wire_list_of(&heads, 1);
        memcpy(author.set_hash, person->set_hash, sizeof author.set_hash);
        parley_wire_put_author_heads(&writer, &author);
        count++;
    }
    message.as.heads.authors = parley_wire_list_of(&writer, count);
    message.as.heads.last = true;
    return count > 0 ? &message : NULL;
}

/* ---- turns */

static const struct parley_wire_message *
answer_turn(const struct puppet *puppet, const struct parley_wire_reconcile *heard, uint8_t how) {
    struct parley_reconcile set;
    struct parley_reconcile_out out = {.writer = start(PARLEY_WIRE_RECONCILE)};
    struct parley_wire_list ranges = heard->ranges;
    struct parley_wire_range range;
    make_set(&set, puppet, heard->session, how);
    if (heard->ranges.count == 0)
        parley_reconcile_open(&set, &out);
    while (parley_wire_next_range(&ranges, &range) && out.count + 8 <= PARLEY_WIRE_RANGES_MAX &&
           out.writer.size + PARLEY_RECONCILE_ANSWER_MAX <= ROOM)
        parley_reconcile_answer(&set, &out, &range, on_found, NULL);
    message.as.reconcile.session = heard->session;
    message.as.reconcile.last = (how & HOW_ENDS) == 0;
    message.as.reconcile.ranges = parley_wire_list_of(&out.writer, out.count);
    return &message;
}

static const struct parley_wire_message *open_session(struct puppet *puppet, uint8_t a) {
    (void)start(PARLEY_WIRE_RECONCILE);
    puppet->session += (a & 1) != 0 ? 0 : 2;
    message.as.reconcile.session = puppet->session;
    message.as.reconcile.again = a & 2;
    message.as.reconcile.last = (a & 4) == 0;
    return &message;
}

/* ---- one range of a few bytes */

static uint64_t path_of(uint8_t number) {
    static const uint64_t paths[] = {1, 8, 15, 64, 512, UINT64_C(1) << 57, UINT64_C(1) << 60};
    return paths[number % (sizeof paths / sizeof paths[0])];
}

static struct parley_wire_list put_indexes(struct parley_writer *writer, size_t count) {
    for (size_t i = 0; i < count; i++)
        parley_wire_put_index(writer, (uint8_t)i);
    return parley_wire_list_of(writer, count);
}

/* Of people, and then of nobody. */
static struct parley_wire_list put_items(struct parley_writer *writer, const uint8_t *key,
                                         enum parley_range_form form, size_t count, uint8_t b) {
    for (size_t i = 0; i < count; i++) {
        const struct person *person = &people[(i + b) % PEOPLE_COUNT];
        struct parley_wire_item item = {.index = (uint8_t)i, .set = person->set_hash[0]};
        item.tag = (uint32_t)parley_reconcile_place(key, person->log.bytes) + (i >= PEOPLE_COUNT);
        item.seq = form == PARLEY_RANGE_MORE ? 1 + b % 16 : b % 16;
        parley_wire_put_item(writer, form, &item);
    }
    return parley_wire_list_of(writer, count);
}

/* a: the form, and how much of it; b: where, and what. */
static const struct parley_wire_message *make_range(const struct puppet *puppet, uint8_t a,
                                                    uint8_t b) {
    static uint8_t lacks_room[RANGES_SIZE], items_room[RANGES_SIZE], bytes[512];
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    struct parley_writer writer = start(PARLEY_WIRE_RECONCILE), lacks, items;
    struct parley_wire_range range = {.path = path_of(b), .form = (enum parley_range_form)(a & 3)};
    size_t count = (size_t)(a >> 2) * 2 + 1;
    memset(bytes, b, sizeof bytes);
    parley_reconcile_key(key, &puppet->link, puppet->heard);
    parley_writer_init(&lacks, lacks_room, sizeof lacks_room);
    parley_writer_init(&items, items_room, sizeof items_room);
    switch (range.form) {
    case PARLEY_RANGE_SPLIT:
        range.children = (uint8_t)count;
        range.bytes = PARLEY_SPAN(bytes, 16u * (size_t)__builtin_popcount(range.children));
        break;
    case PARLEY_RANGE_LIST:
        range.bytes = PARLEY_SPAN(bytes, 4 * (count - 1));
        break;
    case PARLEY_RANGE_DIFFER:
    case PARLEY_RANGE_MORE:
        range.lacks = put_indexes(&lacks, b & 8 ? count : 0);
        range.items = put_items(&items, key, range.form, b & 8 && b & 16 ? 0 : count, b);
        break;
    }
    parley_wire_put_range(&writer, &range);
    message.as.reconcile.session = puppet->heard;
    message.as.reconcile.last = (b & 0x80) == 0;
    message.as.reconcile.ranges = parley_wire_list_of(&writer, 1);
    return &message;
}

/* ---- what follows a session */

static const struct parley_wire_message *make_ask_heads_of(uint8_t a, uint8_t b) {
    struct parley_writer writer = start(PARLEY_WIRE_ASK_HEADS_OF);
    size_t count = 0, times = (b & 2) != 0 ? NAMED_TIMES : 1;
    for (size_t i = 0; i < times * PEOPLE_COUNT; i++)
        if (a >> i % PEOPLE_COUNT & 1) {
            parley_wire_put_log(&writer, &people[i % PEOPLE_COUNT].log);
            count++;
        }
    if (count == 0 || (b & 1) != 0) {
        parley_wire_put_log(&writer, &(struct parley_log){{b}});
        count++;
    }
    message.as.ask_heads_of.logs = parley_wire_list_of(&writer, count);
    return &message;
}

static const struct parley_wire_message *make_ask_runs(const struct puppet *puppet, uint8_t a,
                                                       uint8_t b) {
    struct parley_writer writer = start(PARLEY_WIRE_ASK_RUNS);
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    uint64_t session = a & 0x80 ? puppet->session : puppet->heard;
    size_t count = 1 + (a & 7);
    parley_reconcile_key(key, &puppet->link, session);
    for (size_t i = 0; i < count; i++) {
        const struct person *person = &people[(i + (a >> 4)) % PEOPLE_COUNT];
        struct parley_wire_ask_small ask = {
            .request = (uint64_t)b + i,
            .place = parley_reconcile_place(key, person->log.bytes) + (a >> 3 & 1),
            .down_seq = b % CHAIN_SIZE};
        parley_wire_put_ask_small(&writer, &ask);
    }
    message.as.ask_runs.session = session;
    message.as.ask_runs.asks = parley_wire_list_of(&writer, count);
    return &message;
}

static const struct parley_wire_message *make_runs(uint8_t a, uint8_t b) {
    struct parley_writer writer = start(PARLEY_WIRE_RUNS);
    size_t count = 1 + (a & 3);
    for (size_t i = 0; i < count; i++) {
        struct parley_wire_run run = {.request = (uint64_t)(a >> 5) + i, .last = (a & 4) == 0};
        if ((a >> 3 & 3) != 3)
            run.chunk = message_chunk(&people[(b + i) % PEOPLE_COUNT], a >> 3 & 3, b);
        run.last |= run.chunk.size == 0;
        parley_wire_put_run(&writer, &run);
    }
    message.as.runs.runs = parley_wire_list_of(&writer, count);
    return &message;
}

/* All that was asked for, in one message. */
static const struct parley_wire_message *
answer_runs(const struct puppet *puppet, const struct parley_wire_ask_runs *asks, uint8_t how) {
    struct parley_writer writer = start(PARLEY_WIRE_RUNS);
    struct parley_wire_list list = asks->asks;
    struct parley_wire_ask_small ask;
    size_t count = 0;
    while (parley_wire_next_ask_small(&list, &ask)) {
        const struct person *person = person_at(puppet, asks->session, ask.place);
        struct parley_wire_run run = {.request = ask.request, .last = (how & 32) == 0};
        if (person != NULL && (how & 16) == 0 && ask.down_seq < person->head)
            run.chunk = people_chunk(person, how & 1, (size_t)ask.down_seq + 1, person->head,
                                     (how & 2) == 0, how & 4);
        run.last |= run.chunk.size == 0;
        parley_wire_put_run(&writer, &run);
        count++;
    }
    message.as.runs.runs = parley_wire_list_of(&writer, count);
    return &message;
}

static const struct parley_wire_message *answer_heads_of(struct parley_wire_list logs) {
    struct parley_log log;
    while (parley_wire_next_log(&logs, &log))
        for (size_t i = 0; i < PEOPLE_COUNT; i++)
            is_found[i] |= PARLEY_EQUAL(people[i].log, log);
    return session_findings();
}

const struct parley_wire_message *session_make(struct puppet *puppet, enum parley_wire_type type,
                                               uint8_t a, uint8_t b) {
    switch ((int)type) {
    case PARLEY_WIRE_RECONCILE:
        return a < 8 ? open_session(puppet, a) : make_range(puppet, a, b);
    case PARLEY_WIRE_ASK_HEADS_OF:
        return make_ask_heads_of(a, b);
    case PARLEY_WIRE_ASK_RUNS:
        return make_ask_runs(puppet, a, b);
    default:
        return make_runs(a, b);
    }
}

const struct parley_wire_message *session_answer(struct puppet *puppet, const struct ask *ask,
                                                 uint8_t how) {
    switch ((int)ask->message.type) {
    case PARLEY_WIRE_RECONCILE:
        return answer_turn(puppet, &ask->message.as.reconcile, how);
    case PARLEY_WIRE_ASK_HEADS_OF:
        return answer_heads_of(ask->message.as.ask_heads_of.logs);
    case PARLEY_WIRE_ASK_RUNS:
        return answer_runs(puppet, &ask->message.as.ask_runs, how);
    default:
        return NULL;
    }
}
