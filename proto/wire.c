#include <parley/wire.h>

#include <assert.h>

#include "wire_list.h"

#define VERSION_MAX 65535u
#define FLAG_LAST   1u /* of a turn of reconciliation */
#define FLAG_AGAIN  2u

/* ---- Fields that several messages have ---------------------------------------------------------
 */

static bool read_flag(struct parley_reader *reader, const char *field) {
    return parley_read_uint(reader, field, 0, 1) == 1;
}

static uint64_t read_request(struct parley_reader *reader, const char *field) {
    return parley_read_uint(reader, field, 0, PARLEY_WIRE_REQUEST_MAX);
}

static struct parley_span read_chunk(struct parley_reader *reader, size_t size_min) {
    return parley_read_bin(reader, "chunk", size_min, PARLEY_CHUNK_LARGEST);
}

static struct parley_wire_list read_authors(struct parley_reader *reader, const char *field,
                                            size_t count_min) {
    return parley_wire_read_list(reader, field, WIRE_AUTHOR, count_min, PARLEY_WIRE_AUTHORS_MAX);
}

static void fail_unless(struct parley_reader *reader, const char *field, bool holds) {
    if (!holds)
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, field);
}

/* ---- A pair for each message -------------------------------------------------------------------
 */

static void read_hello(struct parley_reader *reader, struct parley_wire_hello *hello) {
    hello->version = parley_read_uint(reader, "version", 1, VERSION_MAX);
    hello->features = parley_read_uint(reader, "features", 0, UINT64_MAX);
    READ_THING(reader, "node key", hello->node_key);
}

static void write_hello(struct parley_writer *writer, const struct parley_wire_hello *hello) {
    parley_write_uint(writer, hello->version);
    parley_write_uint(writer, hello->features);
    PARLEY_WRITE_FIXED(writer, hello->node_key);
}

static void read_interest(struct parley_reader *reader, struct parley_wire_interest *interest) {
    interest->mode = (enum parley_interest_mode)parley_read_uint(
        reader, "mode", PARLEY_INTEREST_NOTHING, PARLEY_INTEREST_AUTHORS);
    interest->authors = read_authors(reader, "authors", 0);
    fail_unless(reader, "authors",
                interest->authors.count == 0 || interest->mode == PARLEY_INTEREST_AUTHORS);
}

static void write_interest(struct parley_writer *writer,
                           const struct parley_wire_interest *interest) {
    parley_write_uint(writer, interest->mode);
    parley_wire_write_list(writer, &interest->authors);
}

static void read_interest_change(struct parley_reader *reader,
                                 struct parley_wire_interest_change *change) {
    change->added = read_authors(reader, "added", 0);
    change->removed = read_authors(reader, "removed", 0);
}

static void write_interest_change(struct parley_writer *writer,
                                  const struct parley_wire_interest_change *change) {
    parley_wire_write_list(writer, &change->added);
    parley_wire_write_list(writer, &change->removed);
}

static void read_heads(struct parley_reader *reader, struct parley_wire_heads *heads) {
    heads->session = read_request(reader, "session");
    heads->last = read_flag(reader, "last");
    heads->authors =
        parley_wire_read_list(reader, "authors", WIRE_AUTHOR_HEADS, 0, PARLEY_WIRE_AUTHORS_MAX);
}

static void write_heads(struct parley_writer *writer, const struct parley_wire_heads *heads) {
    parley_write_uint(writer, heads->session);
    parley_write_uint(writer, heads->last);
    parley_wire_write_list(writer, &heads->authors);
}

static void read_ask_run(struct parley_reader *reader, struct parley_wire_ask_run *ask) {
    ask->request = read_request(reader, "request");
    READ_THING(reader, "log", ask->log);
    ask->kind = (enum parley_run_kind)parley_read_uint(reader, "kind", PARLEY_RUN_FROM_HEAD,
                                                       PARLEY_RUN_ANCHORED);
    bool is_anchored = ask->kind == PARLEY_RUN_ANCHORED;
    ask->top_seq =
        parley_read_uint(reader, "top seq", is_anchored, is_anchored ? PARLEY_SEQ_MAX : 0);
    READ_THING(reader, "top id", ask->top_id);
    fail_unless(reader, "top id", is_anchored || PARLEY_IS_ZERO(ask->top_id));
    ask->down_seq = parley_read_uint(reader, "down seq", 0, PARLEY_SEQ_MAX);
    fail_unless(reader, "down seq", !is_anchored || ask->down_seq < ask->top_seq);
    ask->bodies = read_flag(reader, "bodies");
    ask->bytes_max = parley_read_uint(reader, "bytes max", 1, UINT32_MAX);
}

static void write_ask_run(struct parley_writer *writer, const struct parley_wire_ask_run *ask) {
    parley_write_uint(writer, ask->request);
    PARLEY_WRITE_FIXED(writer, ask->log);
    parley_write_uint(writer, ask->kind);
    parley_write_uint(writer, ask->top_seq);
    PARLEY_WRITE_FIXED(writer, ask->top_id);
    parley_write_uint(writer, ask->down_seq);
    parley_write_uint(writer, ask->bodies);
    parley_write_uint(writer, ask->bytes_max);
}

static void read_run(struct parley_reader *reader, struct parley_wire_run *run) {
    run->request = read_request(reader, "request");
    run->last = read_flag(reader, "last");
    run->chunk = read_chunk(reader, 0);
    fail_unless(reader, "chunk", run->chunk.size > 0 || run->last);
}

static void write_run(struct parley_writer *writer, const struct parley_wire_run *run) {
    parley_write_uint(writer, run->request);
    parley_write_uint(writer, run->last);
    parley_write_bin(writer, run->chunk);
}

static void read_ask_bodies(struct parley_reader *reader, struct parley_wire_ask_bodies *ask) {
    ask->request = read_request(reader, "request");
    READ_THING(reader, "log", ask->log);
    ask->top_seq = parley_read_uint(reader, "top seq", 1, PARLEY_SEQ_MAX);
    READ_THING(reader, "top id", ask->top_id);
    ask->low_seq = parley_read_uint(reader, "low seq", 1, ask->top_seq);
    fail_unless(reader, "low seq", ask->top_seq - ask->low_seq < PARLEY_CHUNK_ENTRIES_MAX);
}

static void write_ask_bodies(struct parley_writer *writer,
                             const struct parley_wire_ask_bodies *ask) {
    parley_write_uint(writer, ask->request);
    PARLEY_WRITE_FIXED(writer, ask->log);
    parley_write_uint(writer, ask->top_seq);
    PARLEY_WRITE_FIXED(writer, ask->top_id);
    parley_write_uint(writer, ask->low_seq);
}

static bool are_ascending(struct parley_wire_list bodies) {
    struct parley_wire_body body;
    parley_seq last_seq = 0;
    while (parley_wire_next_body(&bodies, &body)) {
        if (body.seq <= last_seq)
            return false;
        last_seq = body.seq;
    }
    return true;
}

static void read_bodies(struct parley_reader *reader, struct parley_wire_bodies *bodies) {
    bodies->request = read_request(reader, "request");
    bodies->last = read_flag(reader, "last");
    READ_THING(reader, "log", bodies->log);
    bodies->bodies =
        parley_wire_read_list(reader, "bodies", WIRE_BODY, 0, PARLEY_CHUNK_ENTRIES_MAX);
    /* Only a list that was read whole may be walked. */
    if (reader->fault.error != PARLEY_E_OK)
        return;
    fail_unless(reader, "bodies", bodies->bodies.count > 0 || bodies->last);
    fail_unless(reader, "bodies", are_ascending(bodies->bodies));
}

static void write_bodies(struct parley_writer *writer, const struct parley_wire_bodies *bodies) {
    parley_write_uint(writer, bodies->request);
    parley_write_uint(writer, bodies->last);
    PARLEY_WRITE_FIXED(writer, bodies->log);
    parley_wire_write_list(writer, &bodies->bodies);
}

static void read_buckets(struct parley_reader *reader, struct parley_wire_prune *prune) {
    prune->buckets = parley_read_uint(reader, "buckets", 1, UINT64_MAX);
}

static void read_evidence(struct parley_reader *reader, struct parley_wire_evidence *evidence) {
    READ_THING(reader, "log", evidence->log);
    evidence->chunk = read_chunk(reader, 1);
}

static void write_evidence(struct parley_writer *writer,
                           const struct parley_wire_evidence *evidence) {
    PARLEY_WRITE_FIXED(writer, evidence->log);
    parley_write_bin(writer, evidence->chunk);
}

static void read_reconcile(struct parley_reader *reader, struct parley_wire_reconcile *reconcile) {
    reconcile->session = read_request(reader, "session");
    uint64_t flags = parley_read_uint(reader, "flags", 0, FLAG_LAST | FLAG_AGAIN);
    reconcile->last = (flags & FLAG_LAST) != 0;
    reconcile->again = (flags & FLAG_AGAIN) != 0;
    reconcile->ranges =
        parley_wire_read_list(reader, "ranges", WIRE_RANGE, 0, PARLEY_WIRE_RANGES_MAX);
    if (reader->fault.error != PARLEY_E_OK)
        return;
    fail_unless(reader, "ranges", reconcile->ranges.count > 0 || reconcile->last);
    fail_unless(reader, "ranges", parley_wire_ranges_ascend(reconcile->ranges));
}

static void write_reconcile(struct parley_writer *writer,
                            const struct parley_wire_reconcile *reconcile) {
    parley_write_uint(writer, reconcile->session);
    parley_write_uint(writer,
                      (reconcile->last ? FLAG_LAST : 0) | (reconcile->again ? FLAG_AGAIN : 0));
    parley_wire_write_list(writer, &reconcile->ranges);
}

static void read_ask_runs(struct parley_reader *reader, struct parley_wire_ask_runs *asks) {
    asks->session = read_request(reader, "session");
    asks->asks = parley_wire_read_list(reader, "asks", WIRE_ASK_SMALL, 1, PARLEY_WIRE_RUNS_MAX);
}

static void write_ask_runs(struct parley_writer *writer, const struct parley_wire_ask_runs *asks) {
    parley_write_uint(writer, asks->session);
    parley_wire_write_list(writer, &asks->asks);
}

static void read_invite(struct parley_reader *reader, struct parley_wire_invite *invite) {
    parley_read_fixed(reader, "secret", invite->secret, sizeof invite->secret);
    READ_THING(reader, "author", invite->author);
    invite->place = parley_read_text(reader, "place", 0, PARLEY_PLACE_TEXT_MAX);
}

static void write_invite(struct parley_writer *writer, const struct parley_wire_invite *invite) {
    parley_write_bin(writer, PARLEY_SPAN(invite->secret, sizeof invite->secret));
    PARLEY_WRITE_FIXED(writer, invite->author);
    parley_write_text(writer, invite->place);
}

static void read_welcome(struct parley_reader *reader, struct parley_wire_welcome *welcome) {
    parley_read_fixed(reader, "invite", welcome->id, sizeof welcome->id);
    welcome->verdict = parley_read_uint(reader, "verdict", 0, UINT32_MAX);
}

static void write_welcome(struct parley_writer *writer, const struct parley_wire_welcome *welcome) {
    parley_write_bin(writer, PARLEY_SPAN(welcome->id, sizeof welcome->id));
    parley_write_uint(writer, welcome->verdict);
}

/* ---- Messages ----------------------------------------------------------------------------------
 */

/* Elements of the message's array, the type included; 0 for a type that is not known. */
static size_t elements_of(uint64_t type) {
    static const uint8_t elements[] = {
        [PARLEY_WIRE_HELLO] = 4,        [PARLEY_WIRE_PING] = 2,
        [PARLEY_WIRE_GOODBYE] = 2,      [PARLEY_WIRE_PONG] = 2,
        [PARLEY_WIRE_INTEREST] = 3,     [PARLEY_WIRE_ADDRESSES] = 2,
        [PARLEY_WIRE_HEADS] = 4,        [PARLEY_WIRE_INTEREST_CHANGE] = 3,
        [PARLEY_WIRE_ASK_RUN] = 9,      [PARLEY_WIRE_RUN] = 4,
        [PARLEY_WIRE_ASK_BODIES] = 6,   [PARLEY_WIRE_BODIES] = 5,
        [PARLEY_WIRE_PUSH] = 2,         [PARLEY_WIRE_ANNOUNCE] = 2,
        [PARLEY_WIRE_ASK_IDENTITY] = 2, [PARLEY_WIRE_IDENTITY] = 2,
        [PARLEY_WIRE_EVIDENCE] = 3,     [PARLEY_WIRE_ASK_HEADS] = 2,
        [PARLEY_WIRE_PRUNE] = 2,        [PARLEY_WIRE_GRAFT] = 2,
        [PARLEY_WIRE_SHUFFLE] = 3,      [PARLEY_WIRE_RECONCILE] = 4,
        [PARLEY_WIRE_ASK_HEADS_OF] = 2, [PARLEY_WIRE_ASK_RUNS] = 3,
        [PARLEY_WIRE_RUNS] = 2,         [PARLEY_WIRE_INVITE] = 4,
        [PARLEY_WIRE_WELCOME] = 3,
    };
    return type < sizeof elements ? elements[type] : 0;
}

/* The array's header and the type; the count of elements. Of an odd type that is not known nothing
 * more is asked, so not even whether there is place for its elements. */
static size_t read_type(struct parley_reader *reader, uint64_t *type) {
    size_t count = parley_read_array_head(reader, "message");
    fail_unless(reader, "message", count > 0);
    *type = parley_read_uint(reader, "type", 0, UINT32_MAX);
    return count;
}

struct parley_fault parley_wire_type(uint64_t *type, struct parley_span bytes) {
    struct parley_reader reader;
    parley_reader_init(&reader, bytes);
    read_type(&reader, type);
    return reader.fault;
}

static void read_fields(struct parley_reader *reader, struct parley_wire_message *message) {
    switch (message->type) {
    case PARLEY_WIRE_HELLO:
        read_hello(reader, &message->as.hello);
        break;
    case PARLEY_WIRE_GOODBYE:
        message->as.goodbye.reason = parley_read_uint(reader, "reason", 0, UINT32_MAX);
        break;
    case PARLEY_WIRE_PING:
        message->as.ping.token = parley_read_uint(reader, "token", 0, UINT64_MAX);
        break;
    case PARLEY_WIRE_PONG:
        message->as.pong.token = parley_read_uint(reader, "token", 0, UINT64_MAX);
        break;
    case PARLEY_WIRE_INTEREST:
        read_interest(reader, &message->as.interest);
        break;
    case PARLEY_WIRE_INTEREST_CHANGE:
        read_interest_change(reader, &message->as.interest_change);
        break;
    case PARLEY_WIRE_HEADS:
        read_heads(reader, &message->as.heads);
        break;
    case PARLEY_WIRE_ASK_HEADS:
        message->as.ask_heads.session = read_request(reader, "session");
        break;
    case PARLEY_WIRE_ASK_RUN:
        read_ask_run(reader, &message->as.ask_run);
        break;
    case PARLEY_WIRE_RUN:
        read_run(reader, &message->as.run);
        break;
    case PARLEY_WIRE_ASK_BODIES:
        read_ask_bodies(reader, &message->as.ask_bodies);
        break;
    case PARLEY_WIRE_BODIES:
        read_bodies(reader, &message->as.bodies);
        break;
    case PARLEY_WIRE_PUSH:
        message->as.push.chunk = read_chunk(reader, 1);
        break;
    case PARLEY_WIRE_ANNOUNCE:
        message->as.announce.places =
            parley_wire_read_list(reader, "places", WIRE_PLACE, 1, PARLEY_WIRE_PLACES_MAX);
        break;
    case PARLEY_WIRE_PRUNE:
        read_buckets(reader, &message->as.prune);
        break;
    case PARLEY_WIRE_GRAFT:
        read_buckets(reader, &message->as.graft);
        break;
    case PARLEY_WIRE_ASK_IDENTITY:
        message->as.ask_identity.authors = read_authors(reader, "authors", 1);
        break;
    case PARLEY_WIRE_IDENTITY:
        message->as.identity.records =
            parley_wire_read_list(reader, "records", WIRE_RECORD, 1, PARLEY_WIRE_RECORDS_MAX);
        break;
    case PARLEY_WIRE_EVIDENCE:
        read_evidence(reader, &message->as.evidence);
        break;
    case PARLEY_WIRE_ADDRESSES:
        message->as.addresses.records =
            parley_wire_read_list(reader, "addresses", WIRE_ADDRESS, 0, PARLEY_WIRE_ADDRESSES_MAX);
        break;
    case PARLEY_WIRE_SHUFFLE:
        message->as.shuffle.records =
            parley_wire_read_list(reader, "addresses", WIRE_ADDRESS, 0, PARLEY_WIRE_ADDRESSES_MAX);
        message->as.shuffle.padding =
            parley_read_bin(reader, "padding", 0, PARLEY_WIRE_PADDING_MAX);
        break;
    case PARLEY_WIRE_INVITE:
        read_invite(reader, &message->as.invite);
        break;
    case PARLEY_WIRE_WELCOME:
        read_welcome(reader, &message->as.welcome);
        break;
    case PARLEY_WIRE_RECONCILE:
        read_reconcile(reader, &message->as.reconcile);
        break;
    case PARLEY_WIRE_ASK_HEADS_OF:
        message->as.ask_heads_of.logs =
            parley_wire_read_list(reader, "logs", WIRE_LOG, 1, PARLEY_WIRE_LOGS_MAX);
        break;
    case PARLEY_WIRE_ASK_RUNS:
        read_ask_runs(reader, &message->as.ask_runs);
        break;
    case PARLEY_WIRE_RUNS:
        message->as.runs.runs =
            parley_wire_read_list(reader, "runs", WIRE_RUN, 1, PARLEY_WIRE_RUNS_MAX);
        break;
    case PARLEY_WIRE_IGNORED:
        break;
    }
}

struct parley_fault parley_wire_decode(struct parley_wire_message *message,
                                       struct parley_span bytes) {
    struct parley_reader reader;
    uint64_t type;
    memset(message, 0, sizeof *message);
    message->type = PARLEY_WIRE_IGNORED;
    parley_reader_init(&reader, bytes);
    size_t count = read_type(&reader, &type);
    if (reader.fault.error != PARLEY_E_OK)
        return reader.fault;
    size_t expected = elements_of(type);
    if (expected == 0 && type % 2 == 1)
        return PARLEY_NO_FAULT; /* what is in it, later versions decide */
    if (expected == 0) {
        parley_reader_fail(&reader, PARLEY_E_BAD_MESSAGE, "type");
        return reader.fault;
    }
    fail_unless(&reader, "message", count == expected);
    message->type = (enum parley_wire_type)type;
    read_fields(&reader, message);
    return parley_reader_finish(&reader);
}

void parley_wire_encode(struct parley_writer *writer, const struct parley_wire_message *message) {
    assert(elements_of(message->type) > 0);
    parley_write_array(writer, elements_of(message->type));
    parley_write_uint(writer, message->type);
    switch (message->type) {
    case PARLEY_WIRE_HELLO:
        write_hello(writer, &message->as.hello);
        break;
    case PARLEY_WIRE_GOODBYE:
        parley_write_uint(writer, message->as.goodbye.reason);
        break;
    case PARLEY_WIRE_PING:
        parley_write_uint(writer, message->as.ping.token);
        break;
    case PARLEY_WIRE_PONG:
        parley_write_uint(writer, message->as.pong.token);
        break;
    case PARLEY_WIRE_INTEREST:
        write_interest(writer, &message->as.interest);
        break;
    case PARLEY_WIRE_INTEREST_CHANGE:
        write_interest_change(writer, &message->as.interest_change);
        break;
    case PARLEY_WIRE_HEADS:
        write_heads(writer, &message->as.heads);
        break;
    case PARLEY_WIRE_ASK_HEADS:
        parley_write_uint(writer, message->as.ask_heads.session);
        break;
    case PARLEY_WIRE_ASK_RUN:
        write_ask_run(writer, &message->as.ask_run);
        break;
    case PARLEY_WIRE_RUN:
        write_run(writer, &message->as.run);
        break;
    case PARLEY_WIRE_ASK_BODIES:
        write_ask_bodies(writer, &message->as.ask_bodies);
        break;
    case PARLEY_WIRE_BODIES:
        write_bodies(writer, &message->as.bodies);
        break;
    case PARLEY_WIRE_PUSH:
        parley_write_bin(writer, message->as.push.chunk);
        break;
    case PARLEY_WIRE_ANNOUNCE:
        parley_wire_write_list(writer, &message->as.announce.places);
        break;
    case PARLEY_WIRE_PRUNE:
        parley_write_uint(writer, message->as.prune.buckets);
        break;
    case PARLEY_WIRE_GRAFT:
        parley_write_uint(writer, message->as.graft.buckets);
        break;
    case PARLEY_WIRE_ASK_IDENTITY:
        parley_wire_write_list(writer, &message->as.ask_identity.authors);
        break;
    case PARLEY_WIRE_IDENTITY:
        parley_wire_write_list(writer, &message->as.identity.records);
        break;
    case PARLEY_WIRE_EVIDENCE:
        write_evidence(writer, &message->as.evidence);
        break;
    case PARLEY_WIRE_ADDRESSES:
        parley_wire_write_list(writer, &message->as.addresses.records);
        break;
    case PARLEY_WIRE_SHUFFLE:
        parley_wire_write_list(writer, &message->as.shuffle.records);
        parley_write_bin(writer, message->as.shuffle.padding);
        break;
    case PARLEY_WIRE_INVITE:
        write_invite(writer, &message->as.invite);
        break;
    case PARLEY_WIRE_WELCOME:
        write_welcome(writer, &message->as.welcome);
        break;
    case PARLEY_WIRE_RECONCILE:
        write_reconcile(writer, &message->as.reconcile);
        break;
    case PARLEY_WIRE_ASK_HEADS_OF:
        parley_wire_write_list(writer, &message->as.ask_heads_of.logs);
        break;
    case PARLEY_WIRE_ASK_RUNS:
        write_ask_runs(writer, &message->as.ask_runs);
        break;
    case PARLEY_WIRE_RUNS:
        parley_wire_write_list(writer, &message->as.runs.runs);
        break;
    case PARLEY_WIRE_IGNORED:
        break;
    }
}
