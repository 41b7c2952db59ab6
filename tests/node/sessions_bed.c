#include "sessions_bed.h"

static void count_missing(struct other *other, struct parley_wire_list logs) {
    struct parley_log log;
    while (other->missing != NULL && parley_wire_next_log(&logs, &log))
        for (size_t i = 0; i < MISSING_LOGS; i++)
            other->missing_asks[i] += PARLEY_EQUAL(other->missing[i], log);
}

void other_listen(struct story *story, const struct story_puppet *puppet,
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
    struct parley_author named;
    if (message->type == PARLEY_WIRE_INTEREST_CHANGE)
        for (struct parley_wire_list added = message->as.interest_change.added;
             parley_wire_next_author(&added, &named); other->named++)
            other->named_last = named;
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

void other_say(struct story *story, struct other *other, uint64_t session, bool again,
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

void other_connect(struct story *story, struct other *other, char name) {
    struct parley_wire_message hello = {.type = PARLEY_WIRE_HELLO};
    story->on_message = other_listen;
    story->context = other;
    other->puppet = story_accept(story, name);
    hello.as.hello.version = PARLEY_WIRE_VERSION;
    hello.as.hello.features = PARLEY_WIRE_SERVES_RUNS | PARLEY_WIRE_RECONCILES;
    hello.as.hello.node_key = other->puppet->key;
    story_send(story, other->puppet, &hello);
    story_interest(story, other->puppet, PARLEY_INTEREST_EVERYTHING);
    story_settle(story);
}

void other_is_dialled(struct story *story, struct other *other, char name) {
    story->on_message = other_listen;
    story->context = other;
    story_connect(story, 1, name);
    story_settle(story);
    other->puppet = story_answer(story, name);
    story->features |= PARLEY_WIRE_RECONCILES;
    story_hello(story, other->puppet);
    story_interest(story, other->puppet, PARLEY_INTEREST_EVERYTHING);
    story_settle(story);
}

void other_has_nothing(struct other *other, uint64_t session) {
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    parley_reconcile_key(key, &other->puppet->link, session);
    parley_reconcile_init(&other->set, key, other->items, other->buckets, ITEMS_MAX);
}

static bool found_nothing(void *context, const struct parley_reconcile_found *found) {
    (void)context;
    (void)found;
    return true;
}

void other_talk(struct story *story, struct other *other) {
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
            other_say(story, other, other->session, false, &out);
        is_over = !expects || other->messages == before;
    }
}

void other_open_session(struct story *story, struct other *other, uint64_t session, bool again) {
    other_say(story, other, session, again, NULL);
}

void know_writers(struct story *story, struct story_person *writers, uint8_t count) {
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    for (uint8_t i = 0; i < count; i++) {
        story_person(&writers[i], (uint8_t)(9 + i));
        story_know(story, &writers[i]);
        story_import(story, 0, PARLEY_EVENT_IMPORT_CHUNK, story_entry(&writers[i], "1", buffer));
        story_settle(story);
    }
    story_forget(story);
}

void other_stays(struct story *story, struct other *other, parley_time_ms ms) {
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_HEADS};
    ask.as.ask_heads.session = PARLEY_HEADS_CHANGES;
    for (parley_time_ms until = story->now + ms; story->now < until;) {
        story_wait(story, PARLEY_HEADS_EVERY_MS / 2);
        story_settle(story);
        story_send(story, other->puppet, &ask);
        story_forget(story);
    }
}
