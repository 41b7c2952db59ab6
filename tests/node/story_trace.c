/* What the node does, written down line by line. */
#include "story.h"

#include <stdio.h>
#include <stdlib.h>

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

static void say_message(struct story *story, char name, const struct parley_wire_message *message) {
    switch (message->type) {
    case PARLEY_WIRE_HELLO:
        say(story, "%c hello", name);
        return;
    case PARLEY_WIRE_GOODBYE:
        say(story, "%c goodbye %llu", name, (unsigned long long)message->as.goodbye.reason);
        return;
    case PARLEY_WIRE_INTEREST:
        say(story, "%c interest %s %zu", name, mode_names[message->as.interest.mode],
            message->as.interest.authors.count);
        return;
    case PARLEY_WIRE_INTEREST_CHANGE:
        say(story, "%c interest +%zu -%zu", name, message->as.interest_change.added.count,
            message->as.interest_change.removed.count);
        return;
    case PARLEY_WIRE_HEADS:
        say(story, "%c heads of %zu", name, message->as.heads.authors.count);
        return;
    case PARLEY_WIRE_PUSH:
        say(story, "%c push %llu", name, chunk_top(message->as.push.chunk));
        return;
    case PARLEY_WIRE_ASK_RUN:
        say(story, "%c ask run", name);
        return;
    case PARLEY_WIRE_RUN:
        say(story, "%c run", name);
        return;
    case PARLEY_WIRE_PRUNE:
        say(story, "%c prune", name);
        return;
    case PARLEY_WIRE_GRAFT:
        say(story, "%c graft", name);
        return;
    case PARLEY_WIRE_RECONCILE:
        say(story, "%c reconcile %zu%s", name, message->as.reconcile.ranges.count,
            message->as.reconcile.again ? " again" : "");
        return;
    case PARLEY_WIRE_ASK_HEADS_OF:
        say(story, "%c ask heads of %zu", name, message->as.ask_heads_of.logs.count);
        return;
    case PARLEY_WIRE_ASK_RUNS:
        say(story, "%c ask runs %zu", name, message->as.ask_runs.asks.count);
        return;
    case PARLEY_WIRE_RUNS:
        say(story, "%c runs %zu", name, message->as.runs.runs.count);
        return;
    case PARLEY_WIRE_ANNOUNCE:
        say(story, "%c announce %zu", name, message->as.announce.places.count);
        return;
    case PARLEY_WIRE_ASK_BODIES:
    case PARLEY_WIRE_BODIES:
    case PARLEY_WIRE_ASK_IDENTITY:
    case PARLEY_WIRE_IDENTITY:
    case PARLEY_WIRE_EVIDENCE:
    case PARLEY_WIRE_ASK_HEADS:
    case PARLEY_WIRE_PING:
    case PARLEY_WIRE_PONG:
    case PARLEY_WIRE_ADDRESSES:
    case PARLEY_WIRE_SHUFFLE:
    case PARLEY_WIRE_INVITE:
    case PARLEY_WIRE_WELCOME:
    case PARLEY_WIRE_IGNORED:
        say(story, "%c message %d", name, (int)message->type);
        return;
    }
}

static void on_message(struct story *story, const struct story_puppet *puppet,
                       struct parley_span bytes) {
    struct parley_wire_message message;
    assert_int_equal(parley_wire_decode(&message, bytes).error, PARLEY_E_OK);
    if (!story->is_silent)
        say_message(story, puppet->name, &message);
    if (story->on_message != NULL)
        story->on_message(story, puppet, &message);
}

static void say_store(struct story *story, const struct parley_store_op *op) {
    static const char *const names[] = {"append",   "fill", "top",   "bodies",   "drop",
                                        "prune",    "cut",  "fork",  "evidence", "record",
                                        "unrecord", "meta", "erase", "forget",   "recall"};
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
    puppet->unsent += size;
}

/* First flights that puppets have heard in this story. */
static struct parley_replay replay;

void story_forget_flights(void) {
    memset(&replay, 0, sizeof replay);
}

/* Opens what has come; flights are answered after the step. */
void story_puppet_read(struct story *story, struct story_puppet *puppet) {
    static uint8_t scratch[PARLEY_MESSAGE_BYTES_MAX];
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
            on_message(story, puppet, step.message);
        if (step.flight_size > 0) {
            uint8_t flight[PARLEY_LINK_FLIGHT_MAX];
            memcpy(flight, step.flight, step.flight_size);
            story_send_bytes(story, puppet, PARLEY_SPAN(flight, step.flight_size));
        }
    }
}

/* In place of the one of that name. */
static void keep_meta(struct story *story, const struct parley_store_op *op) {
    struct story_meta *meta = story->metas;
    const struct story_meta *end = meta + story->metas_count;
    while (meta < end &&
           (meta->key_size != op->key.size || memcmp(meta->key, op->key.data, op->key.size) != 0))
        meta++;
    if (meta == story->metas + STORY_METAS_MAX || op->key.size > sizeof meta->key ||
        op->bytes.size > sizeof meta->value)
        return;
    story->metas_count += meta == end;
    meta->key_size = op->key.size;
    meta->value_size = op->bytes.size;
    memcpy(meta->key, op->key.data, op->key.size);
    if (op->bytes.size > 0)
        memcpy(meta->value, op->bytes.data, op->bytes.size);
}

void story_note(struct story *story, const struct parley_effect *effect) {
    switch (effect->kind) {
    case PARLEY_EFFECT_SEND:
        keep_bytes(story, effect);
        return;
    case PARLEY_EFFECT_DIAL:
        story->dialled = effect->dial.connection;
        story->is_owners = effect->dial.is_owners;
        memcpy(story->host, effect->dial.address.host, sizeof story->host);
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
        if (effect->store.op.kind == PARLEY_STORE_META)
            keep_meta(story, &effect->store.op);
        return;
    case PARLEY_EFFECT_READ:
        assert_true(story->reads_count < STORY_WAITING_MAX);
        story->reads[story->reads_count++] = effect->read.ticket;
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
    case PARLEY_EFFECT_SAID:
        story->said = effect->said.said;
        say(story, "SAID %c %s", name_of(story, effect->said.connection),
            effect->said.said.is_answer   ? "answer"
            : effect->said.said.has_place ? effect->said.said.place.host
                                          : "-");
        return;
    case PARLEY_EFFECT_COMPACT:
        say(story, "COMPACT");
        return;
    }
}
