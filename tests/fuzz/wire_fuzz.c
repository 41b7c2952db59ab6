/* Messages: what is understood is written back in the very same bytes, and its lists hold as many
 * elements as they say. SPEC 9. */
#include "fuzz.h"

#include <parley/wire.h>

#define WALK(list, next, type)                                                                     \
    do {                                                                                           \
        struct parley_wire_list rest = (list);                                                     \
        struct type element;                                                                       \
        size_t count = 0;                                                                          \
        while (next(&rest, &element))                                                              \
            count++;                                                                               \
        FUZZ_HOLDS(count == (list).count && rest.bytes.size == 0);                                 \
    } while (0)

static void walk_heads(struct parley_wire_list authors) {
    struct parley_wire_author_heads author;
    while (parley_wire_next_author_heads(&authors, &author))
        WALK(author.heads, parley_wire_next_head, parley_wire_head);
    FUZZ_HOLDS(authors.bytes.size == 0);
}

static void walk_lists(const struct parley_wire_message *message) {
    switch (message->type) {
    case PARLEY_WIRE_INTEREST:
        WALK(message->as.interest.authors, parley_wire_next_author, parley_author);
        break;
    case PARLEY_WIRE_INTEREST_CHANGE:
        WALK(message->as.interest_change.added, parley_wire_next_author, parley_author);
        WALK(message->as.interest_change.removed, parley_wire_next_author, parley_author);
        break;
    case PARLEY_WIRE_ASK_IDENTITY:
        WALK(message->as.ask_identity.authors, parley_wire_next_author, parley_author);
        break;
    case PARLEY_WIRE_HEADS:
        walk_heads(message->as.heads.authors);
        break;
    case PARLEY_WIRE_BODIES:
        WALK(message->as.bodies.bodies, parley_wire_next_body, parley_wire_body);
        break;
    case PARLEY_WIRE_ANNOUNCE:
        WALK(message->as.announce.places, parley_wire_next_place, parley_wire_place);
        break;
    case PARLEY_WIRE_IDENTITY:
        WALK(message->as.identity.records, parley_wire_next_record, parley_span);
        break;
    case PARLEY_WIRE_ADDRESSES:
        WALK(message->as.addresses.addresses, parley_wire_next_address, parley_wire_address);
        break;
    case PARLEY_WIRE_HELLO:
    case PARLEY_WIRE_PING:
    case PARLEY_WIRE_GOODBYE:
    case PARLEY_WIRE_PONG:
    case PARLEY_WIRE_ASK_RUN:
    case PARLEY_WIRE_RUN:
    case PARLEY_WIRE_ASK_BODIES:
    case PARLEY_WIRE_PUSH:
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
    struct parley_fault fault = parley_wire_decode(&message, bytes);
    if (fault.error != PARLEY_E_OK) {
        FUZZ_HOLDS(fault.offset <= bytes.size);
        return;
    }
    if (message.type == PARLEY_WIRE_IGNORED)
        return;
    walk_lists(&message);
    parley_writer_init(&writer, data, sizeof data);
    parley_wire_encode(&writer, &message);
    FUZZ_HOLDS(parley_writer_finish(&writer, &again) == PARLEY_E_OK);
    FUZZ_HOLDS(parley_span_equal(bytes, again));
}
