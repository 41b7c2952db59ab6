/* Messages: what is understood is written back in the very same bytes, and its lists hold as many
 * elements as they say. SPEC 9. */
#include "fuzz.h"

#include <parley/wire.h>

/* As many elements as it says, each of them put into the very same bytes again. */
#define WALK(list, next, put, type)                                                                \
    do {                                                                                           \
        struct parley_wire_list rest = (list);                                                     \
        struct parley_writer list_writer;                                                          \
        struct type element;                                                                       \
        size_t count = 0;                                                                          \
        parley_writer_init(&list_writer, list_room, sizeof list_room);                             \
        while (next(&rest, &element)) {                                                            \
            put(&list_writer, &element);                                                           \
            count++;                                                                               \
        }                                                                                          \
        FUZZ_HOLDS(count == (list).count && rest.bytes.size == 0);                                 \
        FUZZ_HOLDS(                                                                                \
            parley_span_equal(parley_wire_list_of(&list_writer, count).bytes, (list).bytes));      \
    } while (0)

static uint8_t list_room[PARLEY_MESSAGE_BYTES_MAX];

static void walk_heads(struct parley_wire_list authors) {
    struct parley_wire_author_heads author;
    while (parley_wire_next_author_heads(&authors, &author))
        WALK(author.heads, parley_wire_next_head, parley_wire_put_head, parley_wire_head);
    FUZZ_HOLDS(authors.bytes.size == 0);
}

static void walk_ranges(struct parley_wire_list ranges) {
    struct parley_wire_range range;
    while (parley_wire_next_range(&ranges, &range)) {
        struct parley_wire_list rest = range.lacks;
        struct parley_writer writer;
        struct parley_wire_item item;
        uint8_t index;
        size_t count = 0;
        parley_writer_init(&writer, list_room, sizeof list_room);
        for (; parley_wire_next_index(&rest, &index); count++)
            parley_wire_put_index(&writer, index);
        FUZZ_HOLDS(count == range.lacks.count && rest.bytes.size == 0);
        rest = range.items;
        for (count = 0; parley_wire_next_item(&rest, range.form, &item); count++)
            parley_wire_put_item(&writer, range.form, &item);
        FUZZ_HOLDS(count == range.items.count && rest.bytes.size == 0);
        FUZZ_HOLDS(writer.size == range.lacks.bytes.size + range.items.bytes.size);
    }
    FUZZ_HOLDS(ranges.bytes.size == 0);
}

static void put_record(struct parley_writer *writer, const struct parley_span *record) {
    parley_wire_put_record(writer, *record);
}

static void put_address(struct parley_writer *writer, const struct parley_span *record) {
    parley_wire_put_address(writer, *record);
}

static void walk_lists(const struct parley_wire_message *message) {
    switch (message->type) {
    case PARLEY_WIRE_INTEREST:
        WALK(message->as.interest.authors, parley_wire_next_author, parley_wire_put_author,
             parley_author);
        break;
    case PARLEY_WIRE_INTEREST_CHANGE:
        WALK(message->as.interest_change.added, parley_wire_next_author, parley_wire_put_author,
             parley_author);
        WALK(message->as.interest_change.removed, parley_wire_next_author, parley_wire_put_author,
             parley_author);
        break;
    case PARLEY_WIRE_ASK_IDENTITY:
        WALK(message->as.ask_identity.authors, parley_wire_next_author, parley_wire_put_author,
             parley_author);
        break;
    case PARLEY_WIRE_HEADS:
        WALK(message->as.heads.authors, parley_wire_next_author_heads, parley_wire_put_author_heads,
             parley_wire_author_heads);
        walk_heads(message->as.heads.authors);
        break;
    case PARLEY_WIRE_BODIES:
        WALK(message->as.bodies.bodies, parley_wire_next_body, parley_wire_put_body,
             parley_wire_body);
        break;
    case PARLEY_WIRE_ANNOUNCE:
        WALK(message->as.announce.places, parley_wire_next_place, parley_wire_put_place,
             parley_wire_place);
        break;
    case PARLEY_WIRE_IDENTITY:
        WALK(message->as.identity.records, parley_wire_next_record, put_record, parley_span);
        break;
    case PARLEY_WIRE_ADDRESSES:
        WALK(message->as.addresses.records, parley_wire_next_address, put_address, parley_span);
        break;
    case PARLEY_WIRE_SHUFFLE:
        WALK(message->as.shuffle.records, parley_wire_next_address, put_address, parley_span);
        break;
    case PARLEY_WIRE_RECONCILE:
        WALK(message->as.reconcile.ranges, parley_wire_next_range, parley_wire_put_range,
             parley_wire_range);
        walk_ranges(message->as.reconcile.ranges);
        break;
    case PARLEY_WIRE_ASK_HEADS_OF:
        WALK(message->as.ask_heads_of.logs, parley_wire_next_log, parley_wire_put_log, parley_log);
        break;
    case PARLEY_WIRE_ASK_RUNS:
        WALK(message->as.ask_runs.asks, parley_wire_next_ask_small, parley_wire_put_ask_small,
             parley_wire_ask_small);
        break;
    case PARLEY_WIRE_RUNS:
        WALK(message->as.runs.runs, parley_wire_next_run, parley_wire_put_run, parley_wire_run);
        break;
    case PARLEY_WIRE_HELLO:
    case PARLEY_WIRE_PING:
    case PARLEY_WIRE_GOODBYE:
    case PARLEY_WIRE_PONG:
    case PARLEY_WIRE_ASK_RUN:
    case PARLEY_WIRE_RUN:
    case PARLEY_WIRE_ASK_BODIES:
    case PARLEY_WIRE_PUSH:
    case PARLEY_WIRE_INVITE:
    case PARLEY_WIRE_WELCOME:
    case PARLEY_WIRE_PRUNE:
    case PARLEY_WIRE_GRAFT:
    case PARLEY_WIRE_EVIDENCE:
    case PARLEY_WIRE_ASK_HEADS:
    case PARLEY_WIRE_IGNORED:
        break;
    }
}

void fuzz_target(struct parley_span bytes) {
    static uint8_t data[PARLEY_MESSAGE_BYTES_MAX];
    struct parley_wire_message message;
    struct parley_writer writer;
    struct parley_span again;
    uint64_t type = 0;
    struct parley_fault fault = parley_wire_decode(&message, bytes);
    bool has_type = parley_wire_type(&type, bytes).error == PARLEY_E_OK;
    if (fault.error != PARLEY_E_OK) {
        FUZZ_HOLDS(fault.offset <= bytes.size);
        return;
    }
    FUZZ_HOLDS(has_type && (message.type == PARLEY_WIRE_IGNORED || type == message.type));
    if (message.type == PARLEY_WIRE_IGNORED)
        return;
    walk_lists(&message);
    parley_writer_init(&writer, data, sizeof data);
    parley_wire_encode(&writer, &message);
    FUZZ_HOLDS(parley_writer_finish(&writer, &again) == PARLEY_E_OK);
    FUZZ_HOLDS(parley_span_equal(bytes, again));
}
