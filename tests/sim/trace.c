#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Every field in a fixed order, numbers as eight bytes, spans behind their size: two runs agree on
 * the hash exactly when they agree on every byte of every event and effect. */

static void feed(struct sim *sim, const void *data, size_t size) {
    if (size != 0)
        crypto_generichash_update(&sim->trace.hash, data, size);
}

static void feed_number(struct sim *sim, uint64_t number) {
    uint8_t bytes[8];
    parley_put_u64(bytes, number);
    feed(sim, bytes, sizeof bytes);
}

static void feed_span(struct sim *sim, struct parley_span span) {
    feed_number(sim, span.size);
    feed(sim, span.data, span.size);
}

#define FEED(sim, thing) feed(sim, (thing).bytes, sizeof(thing).bytes)

static void feed_address(struct sim *sim, const struct parley_address *address) {
    FEED(sim, address->key);
    feed_span(sim, PARLEY_SPAN(address->transport, strlen(address->transport)));
    feed_span(sim, PARLEY_SPAN(address->host, strlen(address->host)));
    feed_number(sim, address->port);
}

void trace_begin(struct sim *sim) {
    crypto_generichash_init(&sim->trace.hash, NULL, 0, 32);
    feed_number(sim, sim->config.seed);
    feed_number(sim, sim->config.nodes_count);
}

void trace_say(struct sim *sim, const char *format, ...) {
    char *line = sim->trace.lines[sim->trace.lines_count++ % TRACE_LINES];
    int used = snprintf(line, TRACE_LINE_SIZE, "%8llu.%03llu ", (unsigned long long)sim->now / 1000,
                        (unsigned long long)sim->now % 1000);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, TRACE_LINE_SIZE - (size_t)used, format, arguments);
    va_end(arguments);
    if (sim->config.is_verbose)
        printf("# %s\n", line);
}

static const char *const event_names[] = {
#define NAME(kind) [PARLEY_EVENT_##kind] = #kind
    NAME(LOAD_RECORD),  NAME(LOAD_LOG), NAME(LOAD_META),   NAME(START),      NAME(STOP),
    NAME(ACCEPTED),     NAME(DIALLED),  NAME(DIAL_FAILED), NAME(RECEIVED),   NAME(SENT),
    NAME(CLOSED),       NAME(STORED),   NAME(READ_DONE),   NAME(VERIFIED),   NAME(STORE_OPENED),
    NAME(COMPACTED),    NAME(DEVICE),   NAME(SAY),         NAME(PLACES),     NAME(TIMER),
    NAME(PUBLISH),      NAME(FOLLOW),   NAME(CONNECT),     NAME(DISCONNECT), NAME(IMPORT_RECORD),
    NAME(IMPORT_CHUNK), NAME(PURGE),    NAME(LIST),
#undef NAME
};

static void say_event(struct sim *sim, uint32_t node, const struct parley_event *event,
                      uint64_t number, uint64_t more) {
    trace_say(sim, "n%u <- %s %llu %llu", node, event_names[event->kind],
              (unsigned long long)number, (unsigned long long)more);
}

static void feed_log_row(struct sim *sim, const struct parley_store_log *log) {
    FEED(sim, log->author);
    FEED(sim, log->device);
    FEED(sim, log->log);
    uint8_t ranges[PARLEY_RANGES_PACKED_MAX];
    feed_span(sim, PARLEY_SPAN(ranges, parley_ranges_pack(ranges, &log->ranges)));
    feed_number(sim, log->forked);
    feed_number(sim, log->entries_count);
    feed_number(sim, log->bodies_count);
    feed_number(sim, log->erase_ms);
}

static void feed_owner(struct sim *sim, const struct parley_event *event) {
    if (event->kind == PARLEY_EVENT_PUBLISH) {
        feed_number(sim, event->publish.request);
        feed_span(sim, event->publish.body);
        feed_number(sim, event->publish.time);
    } else if (event->kind == PARLEY_EVENT_FOLLOW) {
        feed_number(sim, event->follow.request);
        FEED(sim, event->follow.author);
        feed_number(sim, event->follow.on);
        feed_number(sim, event->follow.is_private);
    } else if (event->kind == PARLEY_EVENT_DISCONNECT) {
        feed_number(sim, event->disconnect.request);
        FEED(sim, event->disconnect.key);
    } else if (event->kind == PARLEY_EVENT_IMPORT_RECORD ||
               event->kind == PARLEY_EVENT_IMPORT_CHUNK) {
        feed_number(sim, event->import.request);
        feed_span(sim, event->import.bytes);
    } else if (event->kind == PARLEY_EVENT_CONNECT) {
        feed_number(sim, event->connect.request);
        feed_address(sim, &event->connect.address);
    }
}

void trace_event(struct sim *sim, uint32_t node, const struct parley_event *event) {
    sim->trace.events_count++;
    feed_number(sim, node);
    feed_number(sim, event->kind);
    feed_number(sim, event->now);
    feed_number(sim, event->wall);
    switch (event->kind) {
    case PARLEY_EVENT_PLACES:
        feed_number(sim, event->places.places_count);
        say_event(sim, node, event, event->places.places_count, 0);
        return;
    case PARLEY_EVENT_SAY:
        feed_number(sim, event->say.connection);
        FEED(sim, event->say.said->author);
        say_event(sim, node, event, event->say.connection, 0);
        return;
    case PARLEY_EVENT_LOAD_RECORD:
        FEED(sim, event->load_record.author);
        feed_span(sim, event->load_record.record);
        say_event(sim, node, event, event->load_record.record.size, 0);
        return;
    case PARLEY_EVENT_LOAD_LOG:
        feed_log_row(sim, event->load_log);
        say_event(sim, node, event, event->load_log->entries_count, 0);
        return;
    case PARLEY_EVENT_LOAD_META:
        feed_span(sim, event->load_meta.key);
        feed_span(sim, event->load_meta.value);
        say_event(sim, node, event, event->load_meta.key.size, event->load_meta.value.size);
        return;
    case PARLEY_EVENT_ACCEPTED:
    case PARLEY_EVENT_DIALLED:
    case PARLEY_EVENT_DIAL_FAILED:
    case PARLEY_EVENT_CLOSED:
        feed_number(sim, event->connection);
        say_event(sim, node, event, event->connection, 0);
        return;
    case PARLEY_EVENT_RECEIVED:
        feed_number(sim, event->received.connection);
        feed_span(sim, event->received.bytes);
        say_event(sim, node, event, event->received.connection, event->received.bytes.size);
        return;
    case PARLEY_EVENT_SENT:
        feed_number(sim, event->sent.connection);
        feed_number(sim, event->sent.bytes_count);
        say_event(sim, node, event, event->sent.connection, event->sent.bytes_count);
        return;
    case PARLEY_EVENT_STORED:
        feed_number(sim, event->stored.ticket);
        feed_number(sim, event->stored.error);
        say_event(sim, node, event, event->stored.ticket, event->stored.error);
        return;
    case PARLEY_EVENT_READ_DONE:
        feed_number(sim, event->read_done.ticket);
        feed_number(sim, event->read_done.error);
        feed_span(sim, event->read_done.bytes);
        feed_number(sim, event->read_done.count);
        say_event(sim, node, event, event->read_done.ticket, event->read_done.bytes.size);
        return;
    case PARLEY_EVENT_VERIFIED:
        feed_number(sim, event->verified.ticket);
        feed_number(sim, event->verified.holds);
        say_event(sim, node, event, event->verified.ticket, event->verified.holds);
        return;
    case PARLEY_EVENT_DEVICE:
        FEED(sim, *event->device);
        say_event(sim, node, event, 0, 0);
        return;
    case PARLEY_EVENT_PUBLISH:
    case PARLEY_EVENT_FOLLOW:
    case PARLEY_EVENT_CONNECT:
    case PARLEY_EVENT_DISCONNECT:
    case PARLEY_EVENT_IMPORT_RECORD:
    case PARLEY_EVENT_IMPORT_CHUNK:
        feed_owner(sim, event);
        say_event(sim, node, event, event->publish.request, 0);
        return;
    case PARLEY_EVENT_START:
    case PARLEY_EVENT_STOP:
    case PARLEY_EVENT_STORE_OPENED:
    case PARLEY_EVENT_COMPACTED:
    case PARLEY_EVENT_TIMER:
        say_event(sim, node, event, 0, 0);
        return;
    case PARLEY_EVENT_PURGE: /* the worlds here use none, nor lists */
    case PARLEY_EVENT_LIST:
        abort();
    }
}

static void feed_op(struct sim *sim, const struct parley_store_op *op) {
    feed_number(sim, op->kind);
    FEED(sim, op->author);
    FEED(sim, op->device);
    FEED(sim, op->log);
    feed_span(sim, op->bytes);
    feed_span(sim, op->key);
    feed_number(sim, op->seq_low);
    feed_number(sim, op->seq_high);
    feed_number(sim, op->received_ms);
    feed_number(sim, (uint64_t)op->top_signed << 1 | op->forget);
}

static void say_effect(struct sim *sim, uint32_t node, const char *name, uint64_t number,
                       uint64_t more) {
    trace_say(sim, "n%u -> %s %llu %llu", node, name, (unsigned long long)number,
              (unsigned long long)more);
}

void trace_effect(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    sim->trace.effects_count++;
    feed_number(sim, effect->kind);
    switch (effect->kind) {
    case PARLEY_EFFECT_SAID:
        feed_number(sim, effect->said.connection);
        FEED(sim, effect->said.said.author);
        say_effect(sim, node, "SAID", effect->said.connection, effect->said.said.is_answer);
        return;
    case PARLEY_EFFECT_SEND:
        feed_number(sim, effect->send.connection);
        feed_span(sim, effect->send.bytes);
        say_effect(sim, node, "SEND", effect->send.connection, effect->send.bytes.size);
        return;
    case PARLEY_EFFECT_DIAL:
        feed_number(sim, effect->dial.connection);
        feed_address(sim, &effect->dial.address);
        trace_say(sim, "n%u -> DIAL %llu %s", node, (unsigned long long)effect->dial.connection,
                  effect->dial.address.host);
        return;
    case PARLEY_EFFECT_CLOSE:
        feed_number(sim, effect->close.connection);
        feed_number(sim, effect->close.reason);
        trace_say(sim, "n%u -> CLOSE %llu %s", node, (unsigned long long)effect->close.connection,
                  parley_error_name(effect->close.reason));
        return;
    case PARLEY_EFFECT_RESUME:
        feed_number(sim, effect->resume);
        say_effect(sim, node, "RESUME", effect->resume, 0);
        return;
    case PARLEY_EFFECT_STORE:
        feed_number(sim, effect->store.ticket);
        feed_op(sim, &effect->store.op);
        trace_say(sim, "n%u -> STORE %llu kind %d, %zu bytes", node,
                  (unsigned long long)effect->store.ticket, (int)effect->store.op.kind,
                  effect->store.op.bytes.size);
        return;
    case PARLEY_EFFECT_READ:
        feed_number(sim, effect->read.ticket);
        feed_number(sim, effect->read.kind);
        FEED(sim, effect->read.log);
        FEED(sim, effect->read.author);
        feed_number(sim, effect->read.seq_top);
        feed_number(sim, effect->read.seq_low);
        feed_number(sim, effect->read.bodies);
        feed_number(sim, effect->read.bytes_max);
        feed_number(sim, effect->read.index);
        say_effect(sim, node, "READ", effect->read.ticket, effect->read.seq_top);
        return;
    case PARLEY_EFFECT_VERIFY:
        feed_number(sim, effect->verify.ticket);
        feed(sim, effect->verify.check.key, sizeof effect->verify.check.key);
        FEED(sim, effect->verify.check.digest);
        FEED(sim, effect->verify.check.signature);
        say_effect(sim, node, "VERIFY", effect->verify.ticket, 0);
        return;
    case PARLEY_EFFECT_SHOW:
        FEED(sim, effect->show.author);
        FEED(sim, effect->show.log);
        feed_number(sim, effect->show.seq_low);
        feed_number(sim, effect->show.seq_high);
        FEED(sim, effect->show.id);
        say_effect(sim, node, "SHOW", effect->show.seq_low, effect->show.seq_high);
        return;
    case PARLEY_EFFECT_REPLY:
        feed_number(sim, effect->reply.request);
        feed_number(sim, effect->reply.error);
        FEED(sim, effect->reply.log);
        feed_number(sim, effect->reply.seq);
        FEED(sim, effect->reply.id);
        feed_number(sim, effect->reply.count);
        trace_say(sim, "n%u -> REPLY %llu %s seq %llu", node,
                  (unsigned long long)effect->reply.request, parley_error_name(effect->reply.error),
                  (unsigned long long)effect->reply.seq);
        return;
    case PARLEY_EFFECT_LOG:
        feed_number(sim, effect->log.level);
        feed_number(sim, effect->log.error);
        feed_number(sim, effect->log.connection);
        feed_span(sim, PARLEY_SPAN(effect->log.text, strlen(effect->log.text)));
        trace_say(sim, "n%u -> LOG %s (%s)", node, effect->log.text,
                  parley_error_name(effect->log.error));
        return;
    case PARLEY_EFFECT_COMPACT:
        trace_say(sim, "n%u -> COMPACT", node);
        return;
    }
}

void trace_end(struct sim *sim, uint8_t out[32]) {
    crypto_generichash_final(&sim->trace.hash, out, 32);
}

noreturn void sim_fail(struct sim *sim, const char *format, ...) {
    va_list arguments;
    uint64_t all = sim->trace.lines_count;
    for (uint64_t i = all > TRACE_LINES ? all - TRACE_LINES : 0; i < all; i++)
        printf("# %s\n", sim->trace.lines[i % TRACE_LINES]);
    printf("# seed %llu failed: ", (unsigned long long)sim->config.seed);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n# again: sim --start %llu --seeds 1 --nodes %u%s\n",
           (unsigned long long)sim->config.seed, sim->config.nodes_count,
           sim->config.has_villains ? " --bad" : "");
    fflush(stdout);
    _exit(1);
}
