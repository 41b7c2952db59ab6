#include "internal.h"

/* Answers to asks: read from the disk piece by piece, as fast as the peer takes them. */

#define RECORDS_READ_BYTES (PARLEY_MESSAGE_BYTES_MAX - 64u) /* what is around them fits, too */
#define RECORD_BYTES       (PARLEY_RECORD_BYTES_MAX + 5u)   /* in a list */

static struct serve *serve_take(struct parley_node *node, struct peer *peer) {
    if (peer->serves_count >= PARLEY_SERVES_PER_PEER)
        return NULL;
    for (size_t i = 0; i < PARLEY_SERVES_MAX; i++)
        if (!node->serves[i].is_used) {
            struct serve *serve = &node->serves[i];
            uint16_t generation = serve->generation;
            *serve = (struct serve){.is_used = true,
                                    .generation = (uint16_t)(generation + 1),
                                    .peer = peer_slot(node, peer),
                                    .connection = peer->connection};
            peer->serves_count++;
            node->serves_count++;
            if (i >= node->serves_high)
                node->serves_high = (uint32_t)i + 1;
            return serve;
        }
    return NULL;
}

static void serve_give(struct parley_node *node, struct serve *serve) {
    struct peer *peer = &node->peers[serve->peer];
    if (peer->phase != PEER_FREE && peer->connection == serve->connection)
        peer->serves_count--;
    if (peer->phase != PEER_FREE && peer->connection == serve->connection && serve->is_small)
        peer->session.small_serves--;
    if (serve->is_reading)
        node->reads_in_flight--; /* its answer finds another generation */
    if (peer->evidence_serve == (uint32_t)(serve - node->serves))
        peer->evidence_serve = NONE;
    node->serves_count--;
    serve->is_used = false;
    serve->is_reading = false;
    serve->generation++;
    while (node->serves_high > 0 && !node->serves[node->serves_high - 1].is_used)
        node->serves_high--;
}

void serve_drop_peer(struct parley_node *node, uint32_t peer) {
    for (size_t i = 0; i < PARLEY_SERVES_MAX; i++)
        if (node->serves[i].is_used && node->serves[i].peer == peer)
            serve_give(node, &node->serves[i]);
}

/* NONE as well for what is held of an author whom the owner blocks: nobody gets it from here. */
static uint32_t log_to_serve(const struct parley_node *node, const struct parley_log *log) {
    uint32_t row = log_find(node, log);
    return row == NONE || author_is_blocked(node, node->logs[row].author) ? NONE : row;
}

static void send_run(struct parley_node *node, struct peer *peer, uint64_t request, bool last,
                     struct parley_span chunk) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_RUN};
    message.as.run.request = request;
    message.as.run.last = last;
    message.as.run.chunk = chunk;
    (void)peer_send_message(node, peer, &message);
}

/* small: the answer goes with others if it is one chunk of little. */
static void send_last(struct parley_node *node, struct peer *peer, uint64_t request, bool is_small,
                      struct parley_span chunk) {
    if (is_small)
        small_run(node, peer, request, chunk);
    else
        send_run(node, peer, request, true, chunk);
}

static void answer_ask(struct parley_node *node, struct peer *peer,
                       const struct parley_wire_ask_run *ask, bool is_small) {
    uint32_t log = log_to_serve(node, &ask->log);
    const struct log_row *row = log == NONE ? NULL : &node->logs[log];
    struct parley_anchor top = {ask->top_seq, ask->top_id};
    bool is_signed = true;
    /* A head that only the identity records name is served anchored only. Anchored, also what is
     * hidden here: the asker knows that it is good. */
    if (row != NULL && ask->kind == PARLEY_RUN_FROM_HEAD)
        (void)log_told(row, &top, &is_signed);
    bool has = row != NULL && is_signed && top.seq > ask->down_seq &&
               parley_ranges_covers(&row->ranges, top.seq);
    struct serve *serve = has ? serve_take(node, peer) : NULL;
    if (serve == NULL) {
        send_last(node, peer, ask->request, is_small, PARLEY_NO_SPAN);
        return;
    }
    serve->kind = SERVE_RUN;
    serve->is_small = is_small;
    peer->session.small_serves += is_small;
    serve->is_anchored = ask->kind == PARLEY_RUN_ANCHORED;
    serve->top_id = top.id;
    serve->request = ask->request;
    serve->log = ask->log;
    serve->top = top.seq;
    serve->down = ask->down_seq;
    serve->bodies = ask->bodies;
    serve->bytes_left = ask->bytes_max;
    serve_pump(node);
}

void on_ask_run(struct parley_node *node, struct peer *peer,
                const struct parley_wire_ask_run *ask) {
    answer_ask(node, peer, ask, false);
}

void serve_small_ask(struct parley_node *node, struct peer *peer,
                     const struct parley_wire_ask_run *ask, bool is_known) {
    if (is_known)
        answer_ask(node, peer, ask, true);
    else
        small_run(node, peer, ask->request, PARLEY_NO_SPAN);
}

static void send_bodies(struct parley_node *node, struct peer *peer, const struct serve *serve,
                        bool last, struct parley_wire_list bodies) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_BODIES};
    message.as.bodies.request = serve->request;
    message.as.bodies.last = last;
    message.as.bodies.log = serve->log;
    message.as.bodies.bodies = bodies;
    (void)peer_send_message(node, peer, &message);
}

void on_ask_bodies(struct parley_node *node, struct peer *peer,
                   const struct parley_wire_ask_bodies *ask) {
    uint32_t log = log_to_serve(node, &ask->log);
    /* Hidden or not: who names the id knows that it is good. */
    bool has = log != NONE && parley_ranges_covers(&node->logs[log].ranges, ask->top_seq);
    struct serve *serve = has ? serve_take(node, peer) : NULL;
    if (serve == NULL) {
        struct serve none = {.request = ask->request, .log = ask->log};
        send_bodies(node, peer, &none, true, (struct parley_wire_list){0});
        return;
    }
    serve->kind = SERVE_BODIES;
    serve->request = ask->request;
    serve->log = ask->log;
    serve->is_anchored = true;
    serve->top_id = ask->top_id;
    serve->top = ask->top_seq;
    serve->down = ask->low_seq - 1;
    serve->bodies = true;
    serve->bytes_left = UINT32_MAX;
    serve_pump(node);
}

void on_ask_identity(struct parley_node *node, struct peer *peer,
                     struct parley_wire_ask_identity *ask) {
    struct parley_author author;
    while (parley_wire_next_author(&ask->authors, &author)) {
        uint32_t row = author_find(node, &author);
        if (row == NONE || !node->authors[row].set.revealed || author_is_blocked(node, row))
            continue;
        struct serve *serve = serve_take(node, peer);
        if (serve == NULL)
            break; /* asked again at the next exchange of heads */
        serve->kind = SERVE_RECORDS;
        serve->author = author;
        unwanted_asked(node, peer, row);
    }
    serve_pump(node);
}

bool serve_evidence(struct parley_node *node, struct peer *peer, uint32_t log) {
    struct serve *serve = serve_take(node, peer);
    if (serve == NULL)
        return false;
    serve->kind = SERVE_EVIDENCE;
    serve->log = node->logs[log].log;
    serve_pump(node);
    return true;
}

/* --- reading ------------------------------------------------------------------------------- */

static uint32_t evidence_version(const struct parley_node *node, const struct serve *serve) {
    uint32_t log = log_find(node, &serve->log);
    return log == NONE ? 0 : node->logs[log].evidence_version;
}

static void read_start(struct parley_node *node, struct serve *serve) {
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_READ);
    effect->read.ticket =
        ticket_make(TICKET_SERVE, (uint32_t)(serve - node->serves), serve->generation);
    effect->read.log = serve->log;
    effect->read.author = serve->author;
    effect->read.seq_top = serve->top;
    effect->read.seq_low = serve->down + 1;
    effect->read.bodies = serve->bodies;
    effect->read.index = serve->index;
    effect->read.bytes_max = PARLEY_CHUNK_BYTES_MAX;
    switch (serve->kind) {
    case SERVE_RUN:
    case SERVE_BODIES:
        effect->read.kind = PARLEY_READ_RUN;
        break;
    case SERVE_RECORDS:
        effect->read.kind = PARLEY_READ_RECORDS;
        effect->read.bytes_max = RECORDS_READ_BYTES;
        break;
    case SERVE_EVIDENCE:
        effect->read.kind = PARLEY_READ_EVIDENCE;
        if (serve->index == 0) /* from here on: what is read may be older than what is on its way */
            serve->evidence_version = evidence_version(node, serve);
        break;
    }
    serve->is_reading = true;
    node->reads_in_flight++;
}

/* A piece may take several messages: nothing of another log comes in between. */
static bool evidence_may_go(struct parley_node *node, const struct serve *serve) {
    uint32_t slot = (uint32_t)(serve - node->serves);
    struct peer *peer = &node->peers[serve->peer];
    if (serve->kind != SERVE_EVIDENCE)
        return true;
    if (peer->evidence_serve == NONE)
        peer->evidence_serve = slot;
    return peer->evidence_serve == slot && (serve->index > 0 || !log_is_storing(node, &serve->log));
}

/* What is written anew while it is sent goes on with nothing that was sent: the peer would find a
 * fault. It is shown from its beginning when heads are told again. */
static bool evidence_is_another(const struct parley_node *node, const struct serve *serve) {
    return serve->kind == SERVE_EVIDENCE &&
           serve->evidence_version != evidence_version(node, serve);
}

/* Identity records go ahead of what needs them: then the heads of that author again. When all other
 * asks had their turn: the peer checks the records of many authors meanwhile. */
static void records_end(struct parley_node *node, struct peer *peer, struct serve *serve) {
    uint32_t author = author_find(node, &serve->author);
    serve_give(node, serve);
    if (author != NONE)
        heads_send_author(node, peer, author, PARLEY_HEADS_AFTER_RECORDS);
}

static bool may_read_now(struct parley_node *node, const struct serve *serve) {
    return serve->is_used && !serve->is_reading && evidence_may_go(node, serve) &&
           node->peers[serve->peer].unsent_bytes < peer_window(node, PARLEY_WINDOW_BYTES) &&
           node->effects_count + 64 <= PARLEY_EFFECTS_MAX;
}

/* One of each peer's. True: somebody who had a turn in it has more. */
static bool serve_round(struct parley_node *node) {
    bool has_more = false;
    uint32_t first = node->serve_cursor;
    for (uint32_t looks = 0; looks < node->serves_high && node->reads_in_flight < PARLEY_READS_MAX;
         looks++) {
        uint32_t slot = (first + looks) % node->serves_high;
        struct serve *serve = &node->serves[slot];
        if (!may_read_now(node, serve))
            continue;
        struct peer *peer = &node->peers[serve->peer];
        bool had_turn = peer->serve_round == node->serve_round;
        has_more |= had_turn;
        if (had_turn)
            continue;
        peer->serve_round = node->serve_round;
        node->serve_cursor = slot + 1; /* of one peer, too, one ask after the other */
        if (serve->is_read)
            records_end(node, peer, serve);
        else
            read_start(node, serve);
    }
    return has_more;
}

/* Round by round: whoever asks for much delays nobody who asks for little. */
void serve_pump(struct parley_node *node) {
    while (node->serves_count > node->reads_in_flight && node->reads_in_flight < PARLEY_READS_MAX &&
           serve_round(node))
        node->serve_round++;
}

/* False when this is not what was asked for: of a fork it may be the other branch. */
static bool decode_asked(struct parley_chunk *chunk, struct serve *serve,
                         struct parley_span bytes) {
    struct parley_entry top;
    bool serves = parley_chunk_decode(chunk, bytes).error == PARLEY_E_OK;
    if (serves && serve->is_anchored)
        serves = parley_chunk_find(chunk, serve->top, &top) && PARLEY_EQUAL(top.id, serve->top_id);
    serve->is_anchored = false;
    return serves;
}

static void run_was_read(struct parley_node *node, struct peer *peer, struct serve *serve,
                         struct parley_span bytes) {
    struct parley_chunk chunk;
    if (!decode_asked(&chunk, serve, bytes)) {
        send_last(node, peer, serve->request, serve->is_small, PARLEY_NO_SPAN);
        serve_give(node, serve);
        return;
    }
    uint64_t left = serve->bytes_left > bytes.size ? serve->bytes_left - bytes.size : 0;
    bool last = chunk.seq_first <= serve->down + 1 || left == 0;
    if (last)
        send_last(node, peer, serve->request, serve->is_small, bytes);
    else
        send_run(node, peer, serve->request, false, bytes);
    serve->bytes_left = left;
    serve->top = chunk.seq_first - 1;
    if (last)
        serve_give(node, serve);
}

static void bodies_were_read(struct parley_node *node, struct peer *peer, struct serve *serve,
                             struct parley_span bytes) {
    struct parley_chunk chunk;
    struct parley_chunk_cursor cursor;
    struct parley_item item;
    struct parley_writer writer;
    size_t count = 0;
    parley_writer_init(&writer, node->scratch, PARLEY_MESSAGE_BYTES_MAX);
    if (decode_asked(&chunk, serve, bytes)) {
        parley_chunk_start(&cursor, &chunk);
        while (parley_chunk_next_item(&cursor, &item)) {
            if (!item.has_body)
                continue;
            struct parley_wire_body body = {.seq = item.seq, .body = item.body};
            memcpy(body.salt.bytes, item.salt.data, sizeof body.salt.bytes);
            parley_wire_put_body(&writer, &body);
            count++;
        }
        serve->top = chunk.seq_first - 1;
        serve->is_anchored = true; /* another branch may follow below */
        serve->top_id = chunk.prev_first;
    } else {
        serve->top = 0;
    }
    bool last = serve->top <= serve->down;
    send_bodies(node, peer, serve, last || count == 0, parley_wire_list_of(&writer, count));
    if (last || count == 0)
        serve_give(node, serve);
}

static void records_were_read(struct parley_node *node, struct peer *peer, struct serve *serve,
                              struct parley_span bytes, size_t count) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_IDENTITY};
    message.as.identity.records.bytes = bytes;
    message.as.identity.records.count = count;
    (void)peer_send_message(node, peer, &message);
    serve->index += count;
    serve->is_read = bytes.size + RECORD_BYTES <= RECORDS_READ_BYTES; /* or one more had come */
}

static void evidence_was_read(struct parley_node *node, struct peer *peer, struct serve *serve,
                              struct parley_span bytes) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_EVIDENCE};
    message.as.evidence.log = serve->log;
    message.as.evidence.chunk = bytes;
    (void)peer_send_message(node, peer, &message);
    serve->index++;
}

static void serve_end(struct parley_node *node, struct peer *peer, struct serve *serve) {
    switch (serve->kind) {
    case SERVE_RUN:
        send_last(node, peer, serve->request, serve->is_small, PARLEY_NO_SPAN);
        break;
    case SERVE_BODIES:
        send_bodies(node, peer, serve, true, (struct parley_wire_list){0});
        break;
    case SERVE_RECORDS:
        records_end(node, peer, serve);
        return;
    case SERVE_EVIDENCE:
        break;
    }
    serve_give(node, serve);
}

/* Blocked while the disk was asked. */
static bool was_blocked(const struct parley_node *node, const struct serve *serve) {
    uint32_t author = author_find(node, &serve->author);
    if (serve->kind == SERVE_RECORDS)
        return author == NONE || author_is_blocked(node, author);
    return log_to_serve(node, &serve->log) == NONE;
}

void on_read_done(struct parley_node *node, parley_ticket ticket, enum parley_error error,
                  struct parley_span bytes, size_t count) {
    uint32_t index = ticket_index(ticket);
    if (ticket_kind_of(ticket) == TICKET_REVIEW) {
        review_on_read(node, ticket, error, bytes);
        return;
    }
    if (ticket_kind_of(ticket) == TICKET_BODIES) {
        bodies_on_read(node, ticket, error, bytes, count);
        return;
    }
    if (ticket_kind_of(ticket) == TICKET_JOB) {
        ingest_on_read(node, index, ticket_generation(ticket), error, bytes);
        return;
    }
    struct serve *serve = &node->serves[index];
    if (ticket_kind_of(ticket) != TICKET_SERVE || index >= PARLEY_SERVES_MAX || !serve->is_used ||
        serve->generation != ticket_generation(ticket))
        return;
    serve->is_reading = false;
    node->reads_in_flight--;
    struct peer *peer = &node->peers[serve->peer];
    if (error != PARLEY_E_OK || bytes.size == 0 || was_blocked(node, serve) ||
        evidence_is_another(node, serve)) {
        serve_end(node, peer, serve);
        return;
    }
    switch (serve->kind) {
    case SERVE_RUN:
        run_was_read(node, peer, serve, bytes);
        return;
    case SERVE_BODIES:
        bodies_were_read(node, peer, serve, bytes);
        return;
    case SERVE_RECORDS:
        records_were_read(node, peer, serve, bytes, count);
        return;
    case SERVE_EVIDENCE:
        evidence_was_read(node, peer, serve, bytes);
        return;
    }
}
