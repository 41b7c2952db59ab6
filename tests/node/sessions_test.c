#include "story.h"

#include <parley/reconcile.h>
#include <stdlib.h>

/* Sessions of reconciliation with a puppet that speaks them: when they begin, what they may take,
 * what they leave told. */

#define ITEMS_MAX    600u
#define MISSING_LOGS 600u /* more than one message names */

/* What the puppet holds, and what the node said in the session. */
struct other {
    struct story_puppet *puppet;
    struct parley_reconcile set;
    struct parley_reconcile_item items[ITEMS_MAX];
    struct parley_reconcile_bucket buckets[256];
    uint64_t session; /* of the newest message of the node */
    struct parley_wire_list ranges;
    uint8_t bytes[PARLEY_MESSAGE_BYTES_MAX];
    size_t messages, ranges_count, heads, asks_small, asks_named, asks_of, openings, runs;
    bool last, again;
    uint64_t request;
    struct parley_log told;
    struct parley_log *missing; /* asked for by name: which, and how often */
    unsigned missing_asks[MISSING_LOGS];
};

static void count_missing(struct other *other, struct parley_wire_list logs) {
    struct parley_log log;
    while (other->missing != NULL && parley_wire_next_log(&logs, &log))
        for (size_t i = 0; i < MISSING_LOGS; i++)
            other->missing_asks[i] += PARLEY_EQUAL(other->missing[i], log);
}

static void listen(struct story *story, const struct story_puppet *puppet,
                   const struct parley_wire_message *message) {
    struct other *other = story->context;
    if (puppet != other->puppet)
        return;
    if (message->type == PARLEY_WIRE_HEADS) {
        struct parley_wire_list authors = message->as.heads.authors;
        struct parley_wire_author_heads item;
        struct parley_wire_head head;
        while (parley_wire_next_author_heads(&authors, &item)) {
            other->heads += item.heads.count;
            if (parley_wire_next_head(&item.heads, &head))
                other->told = head.log;
        }
    }
    if (message->type == PARLEY_WIRE_ASK_RUNS) {
        struct parley_wire_list asks = message->as.ask_runs.asks;
        struct parley_wire_ask_small ask;
        while (parley_wire_next_ask_small(&asks, &ask))
            other->request = ask.request;
        other->asks_small += message->as.ask_runs.asks.count;
    }
    if (message->type == PARLEY_WIRE_RUNS)
        other->runs += message->as.runs.runs.count;
    other->asks_named += message->type == PARLEY_WIRE_ASK_RUN;
    if (message->type == PARLEY_WIRE_ASK_HEADS_OF) {
        other->asks_of += message->as.ask_heads_of.logs.count;
        count_missing(other, message->as.ask_heads_of.logs);
    }
    if (message->type != PARLEY_WIRE_RECONCILE)
        return;
    const struct parley_wire_reconcile *said = &message->as.reconcile;
    other->messages++;
    other->openings += said->ranges.count == 0 && said->session != other->session;
    other->session = said->session;
    other->last = said->last;
    other->again = said->again;
    other->ranges_count = said->ranges.count;
    other->ranges = said->ranges;
    if (said->ranges.bytes.size > 0)
        memcpy(other->bytes, said->ranges.bytes.data, said->ranges.bytes.size);
    other->ranges.bytes.data = other->bytes;
}

static void say(struct story *story, struct other *other, uint64_t session, bool again,
                const struct parley_reconcile_out *out) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_RECONCILE};
    message.as.reconcile.session = session;
    message.as.reconcile.last = true;
    message.as.reconcile.again = again;
    if (out != NULL)
        message.as.reconcile.ranges = parley_wire_list_of(&out->writer, out->count);
    story_send(story, other->puppet, &message);
    story_settle(story);
}

/* The puppet dialled, so its sessions are even. */
static void connect_other(struct story *story, struct other *other, char name) {
    struct parley_wire_message hello = {.type = PARLEY_WIRE_HELLO};
    story->on_message = listen;
    story->context = other;
    other->puppet = story_accept(story, name);
    hello.as.hello.version = PARLEY_WIRE_VERSION;
    hello.as.hello.features = PARLEY_WIRE_SERVES_RUNS | PARLEY_WIRE_RECONCILES;
    hello.as.hello.node_key = other->puppet->key;
    story_send(story, other->puppet, &hello);
    story_interest(story, other->puppet, PARLEY_INTEREST_EVERYTHING);
    story_settle(story);
}

static void empty_set(struct other *other, uint64_t session) {
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    parley_reconcile_key(key, &other->puppet->link, session);
    parley_reconcile_init(&other->set, key, other->items, other->buckets, ITEMS_MAX);
}

static bool found_nothing(void *context, const struct parley_reconcile_found *found) {
    (void)context;
    (void)found;
    return true;
}

/* Answers whatever the node said last, until one of the two has nothing more to say. */
static void talk(struct story *story, struct other *other) {
    static uint8_t memory[PARLEY_MESSAGE_BYTES_MAX];
    for (bool is_over = false; !is_over;) {
        struct parley_reconcile_out out = {0};
        struct parley_wire_list ranges = other->ranges;
        struct parley_wire_range range;
        bool expects = false;
        size_t before = other->messages;
        parley_writer_init(&out.writer, memory, sizeof memory - 64);
        while (parley_wire_next_range(&ranges, &range)) {
            expects |= range.form != PARLEY_RANGE_MORE;
            parley_reconcile_answer(&other->set, &out, &range, found_nothing, NULL);
        }
        if (expects)
            say(story, other, other->session, false, &out);
        is_over = !expects || other->messages == before;
    }
}

static void open_session(struct story *story, struct other *other, uint64_t session, bool again) {
    say(story, other, session, again, NULL);
}

/* Writers whose logs have one entry each. */
static void know_writers(struct story *story, struct story_person *writers, uint8_t count) {
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    for (uint8_t i = 0; i < count; i++) {
        story_person(&writers[i], (uint8_t)(9 + i));
        story_know(story, &writers[i]);
        story_import(story, 0, PARLEY_EVENT_IMPORT_CHUNK, story_entry(&writers[i], "1", buffer));
        story_settle(story);
    }
    story_forget(story);
}

/* --- the course ---------------------------------------------------------------------------- */

/* Interest is not answered with heads; the dialler opens, and has all that it lacks told. */
static void test_first_session(void **state) {
    struct story story;
    struct story_person writers[3];
    struct other other = {0};
    story_begin_relay(&story);
    know_writers(&story, writers, 3);
    connect_other(&story, &other, 'A');
    assert_int_equal(other.heads + other.messages, 0);
    open_session(&story, &other, 2, false);
    assert_int_equal(other.messages, 1);
    assert_int_equal(other.ranges_count, 1);
    empty_set(&other, 2);
    talk(&story, &other);
    assert_int_equal(other.heads, 3);
    /* It is over: what is said in it now is answered with its end. */
    size_t before = other.messages;
    struct parley_reconcile_out out = {0};
    uint8_t memory[64];
    parley_writer_init(&out.writer, memory, sizeof memory);
    parley_reconcile_open(&other.set, &out);
    say(&story, &other, 2, false, &out);
    assert_int_equal(other.messages, before + 1);
    assert_true(other.ranges_count == 0 && other.last);
    say(&story, &other, 2, false, NULL);
    assert_int_equal(other.messages, before + 1);
    story_end(&story);
}

/* After a session the cheap ask goes on from where it began. */
static void test_changes_go_on(void **state) {
    struct story story;
    struct story_person writers[3];
    struct other other = {0};
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_HEADS};
    ask.as.ask_heads.session = PARLEY_HEADS_CHANGES;
    story_begin_relay(&story);
    know_writers(&story, writers, 3);
    connect_other(&story, &other, 'A');
    open_session(&story, &other, 2, false);
    empty_set(&other, 2);
    talk(&story, &other);
    other.heads = 0;
    story_send(&story, other.puppet, &ask);
    assert_int_equal(other.heads, 0);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK, story_entry(&writers[1], "2", buffer));
    story_settle(&story);
    other.heads = 0;
    story_send(&story, other.puppet, &ask);
    assert_int_equal(other.heads, 1);
    story_end(&story);
}

/* What was told whole is not told again on this link, unless the other lost it, or it changed. */
static void test_told_once(void **state) {
    struct story story;
    struct story_person writers[3];
    struct other other = {0};
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    static const struct {
        bool again, changed;
        size_t heads;
    } sessions[] = {{false, false, 3}, {false, false, 0}, {true, false, 3}, {false, true, 1}};
    story_begin_relay(&story);
    know_writers(&story, writers, 3);
    connect_other(&story, &other, 'A');
    for (size_t i = 0; i < sizeof sessions / sizeof *sessions; i++) {
        if (sessions[i].changed)
            story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK,
                         story_entry(&writers[1], "2", buffer));
        story_settle(&story);
        other.heads = 0;
        open_session(&story, &other, 2 * i + 2, sessions[i].again);
        empty_set(&other, 2 * i + 2);
        talk(&story, &other);
        assert_int_equal(other.heads, sessions[i].heads);
        story_wait(&story, PARLEY_SESSION_EVERY_MS);
    }
    story_end(&story);
}

/* --- bounds -------------------------------------------------------------------------------- */

/* One session of a link in ten seconds, whoever asks for more; the newest is answered then. */
static void test_not_too_often(void **state) {
    struct story story;
    struct story_person writers[1];
    struct other other = {0};
    story_begin_relay(&story);
    know_writers(&story, writers, 1);
    connect_other(&story, &other, 'A');
    for (uint64_t session = 2; session < 40; session += 2)
        open_session(&story, &other, session, false);
    assert_int_equal(other.messages, 1);
    story_wait(&story, PARLEY_SESSION_EVERY_MS);
    assert_int_equal(other.messages, 2);
    assert_int_equal(other.session, 38);
    story_end(&story);
}

/* Whoever says the same for ever is answered a bounded number of times. */
static void test_never_agrees(void **state) {
    struct story story;
    struct story_person writers[3];
    struct other other = {0};
    uint8_t memory[64];
    size_t answers = 0;
    story_begin_relay(&story);
    know_writers(&story, writers, 3);
    connect_other(&story, &other, 'A');
    open_session(&story, &other, 2, false);
    empty_set(&other, 2);
    for (unsigned i = 0; i < 100; i++) {
        struct parley_reconcile_out out = {0};
        parley_writer_init(&out.writer, memory, sizeof memory);
        parley_reconcile_open(&other.set, &out);
        say(&story, &other, 2, false, &out);
        answers += other.ranges_count > 0;
    }
    assert_in_range(answers, 1, PARLEY_SESSION_TURNS_MAX);
    story_end(&story);
}

/* Silence ends a session, and gives its place to the next one; what was cut is begun anew. */
static void test_silence(void **state) {
    struct story story;
    struct story_person writers[1];
    static struct other others[4];
    static const struct story_sizes sizes = {.peers = 8, .authors = 16, .logs = 64};
    story_begin_sized(&story, true, &sizes);
    know_writers(&story, writers, 1);
    for (unsigned i = 0; i < 4; i++) {
        connect_other(&story, &others[i], (char)('A' + i));
        open_session(&story, &others[i], 2, false);
    }
    /* Two are answered at a time. */
    assert_int_equal(others[0].messages + others[1].messages, 2);
    assert_int_equal(others[2].messages + others[3].messages, 0);
    story.context = &others[2];
    story_wait(&story, PARLEY_SESSION_IDLE_MS);
    story_wait(&story, 1);
    assert_int_equal(others[2].messages, 1);
    story_end(&story);
}

/* With somebody who waits, silence of seconds is enough; and who was silent has to wait longer than
 * they. */
static void test_silent_gives_way(void **state) {
    struct story story;
    struct story_person writers[1];
    static struct other others[4];
    static const struct story_sizes sizes = {.peers = 8, .authors = 16, .logs = 64};
    memset(others, 0, sizeof others);
    story_begin_sized(&story, true, &sizes);
    know_writers(&story, writers, 1);
    for (unsigned i = 0; i < 4; i++)
        connect_other(&story, &others[i], (char)('A' + i));
    open_session(&story, &others[1], 2, false);
    story.context = &others[0];
    open_session(&story, &others[0], 2, false);
    story_wait(&story, 2 * PARLEY_SESSION_PATIENCE_MS); /* nobody waits: it has its place still */
    empty_set(&others[0], 2);
    talk(&story, &others[0]);
    assert_int_equal(others[0].heads, 1);
    open_session(&story, &others[2], 2, false); /* in the free place */
    story_wait(&story, PARLEY_SESSION_PATIENCE_MS / 2);
    story.context = &others[3];
    others[3].messages = 0;
    open_session(&story, &others[3], 2, false); /* the second one is silent for long */
    story_wait(&story, 1);
    assert_int_equal(others[3].messages, 1);
    story.context = &others[1];
    others[1].messages = 0;
    open_session(&story, &others[1], 4, false);
    for (unsigned ms = 0; ms < PARLEY_SESSION_EVERY_MS; ms += 1000) {
        assert_int_equal(others[1].messages, 0);
        story_wait(&story, 1000);
    }
    story_wait(&story, PARLEY_SESSION_PATIENCE_MS);
    assert_int_equal(others[1].messages, 1);
    story_end(&story);
}

static void test_cut_is_begun_anew(void **state) {
    struct story story;
    struct story_person writers[1];
    struct other other = {0};
    story_begin_relay(&story);
    know_writers(&story, writers, 1);
    connect_other(&story, &other, 'A');
    open_session(&story, &other, 2, false);
    for (unsigned i = 0; i < 8; i++)
        story_wait(&story, PARLEY_SESSION_IDLE_MS / 2);
    assert_int_equal(other.openings, 1);
    assert_int_equal(other.session % 2, 1); /* its own */
    story_end(&story);
}

/* --- what follows -------------------------------------------------------------------------- */

/* A head above is asked for by its place; what is not known there by its name. */
static void test_small_ask(void **state) {
    struct story story;
    struct story_person writers[2];
    struct other other = {0};
    struct parley_reconcile_log log = {.seq = 5, .id = {{7}}};
    struct parley_wire_message runs = {.type = PARLEY_WIRE_RUNS};
    struct parley_wire_run nothing = {.last = true};
    struct parley_writer writer;
    uint8_t bytes[32];
    story_begin_relay(&story);
    know_writers(&story, writers, 1);
    connect_other(&story, &other, 'A');
    open_session(&story, &other, 2, false);
    empty_set(&other, 2);
    memcpy(log.name, writers[0].log.bytes, sizeof log.name);
    /* Any first byte of a set hash: one of 256 is that of the node. */
    for (unsigned byte = 0; byte < 256 && other.asks_small == 0; byte++) {
        if (byte > 0) {
            story_wait(&story, PARLEY_SESSION_EVERY_MS);
            open_session(&story, &other, 2 + 2 * byte, true);
            empty_set(&other, 2 + 2 * byte);
        }
        log.set_hash[0] = (uint8_t)byte;
        assert_true(parley_reconcile_add(&other.set, &log, 0));
        talk(&story, &other);
    }
    assert_int_equal(other.asks_small, 1);
    assert_int_equal(other.asks_named, 0);
    nothing.request = other.request;
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_run(&writer, &nothing);
    runs.as.runs.runs = parley_wire_list_of(&writer, 1);
    story_send(&story, other.puppet, &runs);
    /* The set may have gone there: no lie, and asked by name at once. */
    assert_int_equal(other.asks_small, 1);
    assert_int_equal(other.asks_named, 1);
    story_end(&story);
}

/* A place that no session knows is answered with nothing. */
static void test_small_ask_of_nothing(void **state) {
    struct story story;
    struct story_person writers[1];
    struct other other = {0};
    struct parley_wire_message asks = {.type = PARLEY_WIRE_ASK_RUNS};
    struct parley_wire_ask_small ask = {.request = 3, .place = 99};
    struct parley_writer writer;
    uint8_t bytes[32];
    story_begin_relay(&story);
    know_writers(&story, writers, 1);
    connect_other(&story, &other, 'A');
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_ask_small(&writer, &ask);
    asks.as.ask_runs.session = 2;
    asks.as.ask_runs.asks = parley_wire_list_of(&writer, 1);
    story_send(&story, other.puppet, &asks);
    assert_int_equal(other.runs, 1);
    story_end(&story);
}

/* Heads of some logs: of those that are held. */
static void test_heads_of(void **state) {
    struct story story;
    struct story_person writers[3];
    struct other other = {0};
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_HEADS_OF};
    struct parley_log unknown = {{1}};
    struct parley_writer writer;
    uint8_t bytes[128];
    story_begin_relay(&story);
    know_writers(&story, writers, 3);
    connect_other(&story, &other, 'A');
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_log(&writer, &unknown);
    parley_wire_put_log(&writer, &writers[2].log);
    ask.as.ask_heads_of.logs = parley_wire_list_of(&writer, 2);
    story_send(&story, other.puppet, &ask);
    assert_int_equal(other.heads, 1);
    assert_true(PARLEY_EQUAL(other.told, writers[2].log));
    story_end(&story);
}

/* --- what no session finds ----------------------------------------------------------------- */

/* The second entry of a log alone. */
static void know_above_a_hole(struct story *story, struct story_person *writer) {
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_import(story, 0, PARLEY_EVENT_IMPORT_RECORD, writer->certificate);
    story_settle(story);
    (void)story_entry(writer, "1", buffer);
    story_import(story, 0, PARLEY_EVENT_IMPORT_CHUNK, story_entry(writer, "2", buffer));
    story_settle(story);
    story_forget(story);
}

/* Time goes by, and the puppet is not idle. */
static void stay(struct story *story, struct other *other, parley_time_ms ms) {
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_HEADS};
    ask.as.ask_heads.session = PARLEY_HEADS_CHANGES;
    for (parley_time_ms until = story->now + ms; story->now < until;) {
        story_wait(story, PARLEY_HEADS_EVERY_MS / 2);
        story_settle(story);
        story_send(story, other->puppet, &ask);
        story_forget(story);
    }
}

/* A first session that nobody answered: by its dialler, and ever more rarely. */
static void test_first_is_begun_anew(void **state) {
    struct story story;
    struct other other = {0};
    story_begin(&story);
    story.on_message = listen;
    story.context = &other;
    story_connect(&story, 1, 'A');
    other.puppet = story_answer(&story, 'A');
    story.features |= PARLEY_WIRE_RECONCILES;
    story_hello(&story, other.puppet);
    story_interest(&story, other.puppet, PARLEY_INTEREST_EVERYTHING);
    story_settle(&story);
    assert_int_equal(other.openings, 1);
    stay(&story, &other, 5 * PARLEY_SESSION_IDLE_MS);
    assert_int_equal(other.openings, 2);
    assert_int_equal(other.session % 2, 0);
    stay(&story, &other, 60 * PARLEY_SESSION_IDLE_MS);
    assert_in_range(other.openings, 4, 6);
    story_end(&story);
}

/* However many logs miss something, each is asked for, again and again and ever more rarely; with
 * or without sessions. */
static void test_all_missing(void **state) {
    struct story story;
    struct story_person writer;
    static struct parley_log logs[MISSING_LOGS];
    static struct other other;
    static const struct story_sizes sizes = {.peers = 8, .authors = 16, .logs = 1024};
    story_begin_sized(&story, true, &sizes);
    other = (struct other){.missing = logs};
    for (unsigned i = 0; i < MISSING_LOGS; i++) {
        if (i % 200 == 0) {
            story_person(&writer, (uint8_t)(9 + i / 200));
            story_know(&story, &writer);
        }
        story_device(&writer, (uint8_t)(9 + i / 200), i);
        know_above_a_hole(&story, &writer);
        logs[i] = writer.log;
    }
    connect_other(&story, &other, 'A');
    open_session(&story, &other, 2, false);
    stay(&story, &other, 300000);
    for (unsigned i = 0; i < MISSING_LOGS; i++)
        assert_int_not_equal(other.missing_asks[i], 0);
    assert_in_range(other.asks_of, MISSING_LOGS, 6 * MISSING_LOGS);
    stay(&story, &other, 3300000);
    /* In an hour: five times until the link is eight minutes old, and then every eight minutes. */
    for (unsigned i = 0; i < MISSING_LOGS; i++)
        assert_true(other.missing_asks[i] >= 8);
    assert_in_range(other.asks_of, 8 * MISSING_LOGS, 14 * MISSING_LOGS);
    story_end(&story);
}

/* One says that it has what is missing, and never gives it: others are asked meanwhile. */
static void test_missing_from_a_liar(void **state) {
    struct story story;
    struct story_person writer;
    static struct other other, liar;
    struct parley_wire_message heads = {.type = PARLEY_WIRE_HEADS};
    struct parley_wire_author_heads item = {0};
    struct parley_wire_head head = {.low_seq = 1};
    struct parley_writer list, of_author;
    uint8_t bytes[256], more[256];
    story_begin_relay(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    know_above_a_hole(&story, &writer);
    other = (struct other){0};
    connect_other(&story, &liar, 'B');
    head.log = writer.log;
    head.seq = writer.seq;
    head.id = writer.id;
    parley_writer_init(&of_author, more, sizeof more);
    parley_wire_put_head(&of_author, &head);
    item.author = writer.author;
    item.heads = parley_wire_list_of(&of_author, 1);
    parley_writer_init(&list, bytes, sizeof bytes);
    parley_wire_put_author_heads(&list, &item);
    heads.as.heads.last = true;
    heads.as.heads.authors = parley_wire_list_of(&list, 1);
    story_send(&story, liar.puppet, &heads);
    story_settle(&story);
    assert_int_equal(liar.asks_named, 1);
    story_wait(&story, PARLEY_FETCH_MS);
    connect_other(&story, &other, 'A');
    open_session(&story, &other, 2, false);
    story_settle(&story);
    assert_int_equal(other.asks_of, 1);
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_session),
        cmocka_unit_test(test_changes_go_on),
        cmocka_unit_test(test_told_once),
        cmocka_unit_test(test_not_too_often),
        cmocka_unit_test(test_never_agrees),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_silent_gives_way),
        cmocka_unit_test(test_cut_is_begun_anew),
        cmocka_unit_test(test_first_is_begun_anew),
        cmocka_unit_test(test_small_ask),
        cmocka_unit_test(test_small_ask_of_nothing),
        cmocka_unit_test(test_heads_of),
        cmocka_unit_test(test_all_missing),
        cmocka_unit_test(test_missing_from_a_liar),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
