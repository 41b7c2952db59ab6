#include "internal.h"

/* Catching up: who has what, and asking for it, newest first. Gossip is for speed; this is for
 * truth, and it runs whatever was pushed. */

#define HEADS_BYTES_TARGET 32768u /* of one message: several to a window */
#define LOGS_PER_ITEM      256u   /* of one author in one message */
#define FAILURES_MAX       8u     /* then the log waits for the next exchange of heads */
#define QUEUE_LOOKS        256u   /* logs looked at in one pump */
#define QUEUE_REFUSALS     16u    /* in a row: their sources are busy, the rest waits its turn */

/* --- telling ------------------------------------------------------------------------------- */

static void put_head(struct parley_writer *writer, const struct log_row *row) {
    struct parley_wire_head head = {.log = row->log,
                                    .seq = row->durable.seq,
                                    .id = row->durable.id,
                                    .forked_seq = row->forked > row->durable.seq ? row->forked : 0};
    const struct parley_run *run = parley_ranges_find(&row->ranges, row->durable.seq);
    head.low_seq = run == NULL ? 0 : run->lo;
    parley_wire_put_head(writer, &head);
}

/* One author's item, logs from *log on; what does not fit stays in *log. */
static void put_author(struct parley_node *node, struct parley_writer *out, uint32_t author,
                       uint32_t *log) {
    struct parley_wire_author_heads item = {.author = node->authors[author].set.author};
    struct parley_identity_hash hash;
    parley_identity_hash(&hash, &node->authors[author].set);
    memcpy(item.set_hash, hash.bytes, sizeof item.set_hash);
    struct parley_writer heads;
    size_t count = 0;
    parley_writer_init(&heads, node->heads, PARLEY_HEADS_BYTES);
    for (; *log != NONE && count < LOGS_PER_ITEM; *log = node->logs[*log].next_of_author)
        if (node->logs[*log].durable.seq != 0) {
            put_head(&heads, &node->logs[*log]);
            count++;
        }
    item.heads = parley_wire_list_of(&heads, count);
    parley_wire_put_author_heads(out, &item);
}

static bool send_heads(struct parley_node *node, struct peer *peer, struct parley_writer *items,
                       size_t count, uint64_t session, bool last) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_HEADS};
    message.as.heads.session = session;
    message.as.heads.last = last;
    message.as.heads.authors = parley_wire_list_of(items, count);
    return peer_send_message(node, peer, &message);
}

void heads_send_author(struct parley_node *node, struct peer *peer, uint32_t author,
                       uint64_t session) {
    if (!node->authors[author].set.revealed)
        return;
    uint32_t log = node->authors[author].logs_first;
    do {
        struct parley_writer items;
        parley_writer_init(&items, node->items, PARLEY_ITEMS_BYTES);
        put_author(node, &items, author, &log);
        (void)send_heads(node, peer, &items, 1, session, true);
    } while (log != NONE);
}

void heads_send_all(struct parley_node *node, struct peer *peer, uint64_t session) {
    peer->is_told = true;
    peer->heads_next = 0;
    peer->heads_session = session;
    heads_pump(node);
}

static void heads_pump_peer(struct parley_node *node, struct peer *peer) {
    while (peer->is_told && peer->unsent_bytes < PARLEY_WINDOW_BYTES && effects_have_room(node)) {
        struct parley_writer items;
        size_t count = 0;
        uint32_t author = peer->heads_next;
        parley_writer_init(&items, node->items, PARLEY_ITEMS_BYTES);
        for (; author < node->authors_count && items.size < HEADS_BYTES_TARGET &&
               count < PARLEY_WIRE_AUTHORS_MAX;
             author++) {
            uint32_t log = node->authors[author].logs_first;
            if (!node->authors[author].set.revealed || !peer_wants(node, peer, author))
                continue;
            put_author(node, &items, author, &log);
            count++;
        }
        bool last = author == node->authors_count;
        if (!send_heads(node, peer, &items, count, peer->heads_session, last))
            return;
        peer->heads_next = author;
        peer->is_told = !last;
    }
}

void heads_pump(struct parley_node *node) {
    for (size_t i = 0; i < node->peers_count; i++)
        if (node->peers[i].phase == PEER_OPEN && node->peers[i].is_told)
            heads_pump_peer(node, &node->peers[i]);
}

void announce_to_interested(struct parley_node *node, uint32_t log, parley_connection except) {
    const struct log_row *row = &node->logs[log];
    uint8_t buffer[128];
    struct parley_writer writer;
    parley_writer_init(&writer, buffer, sizeof buffer);
    struct parley_wire_place place = {row->log, row->durable.seq, row->durable.id};
    parley_wire_put_place(&writer, &place);
    struct parley_wire_message message = {.type = PARLEY_WIRE_ANNOUNCE};
    message.as.announce.places = parley_wire_list_of(&writer, 1);
    for (size_t i = 0; i < node->peers_count; i++) {
        struct peer *peer = &node->peers[i];
        if (peer->phase == PEER_OPEN && peer->connection != except &&
            peer->unsent_bytes < PARLEY_PUSH_WINDOW_BYTES && peer_wants(node, peer, row->author))
            (void)peer_send_message(node, peer, &message);
    }
}

/* --- hearing ------------------------------------------------------------------------------- */

static parley_seq newest_of(const struct log_row *row) {
    return row->ranges.count == 0 ? 0 : row->ranges.ranges[0].hi;
}

static void on_head(struct parley_node *node, struct peer *peer, uint32_t author,
                    const struct parley_wire_head *head) {
    uint32_t log = log_find(node, &head->log);
    if (log == NONE || node->logs[log].author != author)
        return;
    const struct log_row *row = &node->logs[log];
    if (row->forked != 0 && (head->forked_seq == 0 || row->forked < head->forked_seq))
        serve_evidence(node, peer, log);
    want(node, peer, log, head->seq, &head->id, head->low_seq);
}

static void ask_identities(struct parley_node *node, struct peer *peer,
                           struct parley_writer *authors, size_t count) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_IDENTITY};
    message.as.ask_identity.authors = parley_wire_list_of(authors, count);
    if (count > 0)
        (void)peer_send_message(node, peer, &message);
}

void on_heads(struct parley_node *node, struct peer *peer, const struct parley_wire_heads *heads) {
    uint8_t buffer[34 * 64];
    struct parley_writer asked;
    parley_writer_init(&asked, buffer, sizeof buffer);
    size_t asked_count = 0;
    struct parley_wire_list authors = heads->authors;
    struct parley_wire_author_heads item;
    while (parley_wire_next_author_heads(&authors, &item)) {
        uint32_t author =
            node->config.relay ? author_take(node, &item.author) : author_find(node, &item.author);
        if (author == NONE || !author_is_wanted(node, author))
            continue;
        struct parley_identity_hash hash;
        parley_identity_hash(&hash, &node->authors[author].set);
        /* After records (session 1) a difference means that ours are more: theirs to ask for. */
        if (heads->session == 0 && memcmp(hash.bytes, item.set_hash, sizeof item.set_hash) != 0) {
            parley_wire_put_author(&asked, &item.author);
            if (++asked_count == 32) {
                ask_identities(node, peer, &asked, asked_count);
                parley_writer_init(&asked, buffer, sizeof buffer);
                asked_count = 0;
            }
        }
        struct parley_wire_head head;
        while (parley_wire_next_head(&item.heads, &head))
            on_head(node, peer, author, &head);
    }
    ask_identities(node, peer, &asked, asked_count);
    fetch_pump(node);
}

void on_announce(struct parley_node *node, struct peer *peer,
                 const struct parley_wire_announce *announce) {
    struct parley_wire_list places = announce->places;
    struct parley_wire_place place;
    while (parley_wire_next_place(&places, &place)) {
        uint32_t log = log_find(node, &place.log);
        if (log != NONE && author_is_wanted(node, node->logs[log].author) &&
            place.seq > newest_of(&node->logs[log]))
            want(node, peer, log, place.seq, &place.id, 1);
    }
    fetch_pump(node);
}

/* --- wanting ------------------------------------------------------------------------------- */

/* What to ask the source of a log for. False: nothing that it has. */
static bool next_ask(const struct log_row *row, struct parley_wire_ask_run *ask) {
    if (row->forked != 0 || row->policy.kind == PARLEY_POLICY_VOID)
        return false;
    ask->log = row->log;
    ask->bodies = true;
    ask->bytes_max = PARLEY_RUN_ASK_BYTES;
    parley_seq newest = newest_of(row);
    if (row->policy.kind == PARLEY_POLICY_OPEN && row->source_seq > newest &&
        row->source_seq > row->policy.seq) {
        ask->kind = PARLEY_RUN_FROM_HEAD;
        ask->top_seq = 0;
        ask->down_seq = newest > row->policy.seq ? newest : row->policy.seq;
        return true;
    }
    struct parley_hole holes[PARLEY_HOLES_MAX];
    size_t count = parley_ranges_holes(&row->ranges, &row->policy, 1, holes);
    for (size_t i = 0; i < count; i++)
        if (holes[i].top.seq <= row->source_seq && holes[i].top.seq >= row->source_low) {
            ask->kind = PARLEY_RUN_ANCHORED;
            ask->top_seq = holes[i].top.seq;
            ask->top_id = holes[i].top.id;
            ask->down_seq = holes[i].down;
            return true;
        }
    return false;
}

static void queue_add(struct parley_node *node, uint32_t log) {
    struct log_row *row = &node->logs[log];
    if (row->is_queued)
        return;
    row->is_queued = true;
    row->queue_next = NONE;
    if (node->queue_first == NONE)
        node->queue_first = log;
    else
        node->logs[node->queue_last].queue_next = log;
    node->queue_last = log;
}

static uint32_t queue_take(struct parley_node *node) {
    uint32_t log = node->queue_first;
    if (log == NONE)
        return NONE;
    node->queue_first = node->logs[log].queue_next;
    node->logs[log].is_queued = false;
    return log;
}

void want(struct parley_node *node, struct peer *peer, uint32_t log, parley_seq seq,
          const struct parley_id *id, parley_seq low) {
    struct log_row *row = &node->logs[log];
    struct parley_wire_ask_run ask;
    bool source_gone = row->source == 0 || peer_find(node, row->source) == NULL;
    bool better =
        seq > row->source_seq || (seq == row->source_seq && low != 0 && low < row->source_low);
    if (source_gone || better || !next_ask(row, &ask)) {
        row->source = peer->connection;
        row->source_seq = seq;
        row->source_id = *id;
        row->source_low = low == 0 ? seq + 1 : low;
        row->failures = 0;
        row->retry_at = 0;
    }
    if (row->fetch == NONE && next_ask(row, &ask))
        queue_add(node, log);
}

/* --- asking -------------------------------------------------------------------------------- */

static struct fetch *fetch_take(struct parley_node *node) {
    for (size_t i = 0; i < PARLEY_FETCHES_MAX; i++)
        if (!node->fetches[i].is_used)
            return &node->fetches[i];
    return NULL;
}

/* True when the log needs no place in the queue any more. */
static bool fetch_start(struct parley_node *node, uint32_t log) {
    struct log_row *row = &node->logs[log];
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_RUN};
    struct parley_wire_ask_run *ask = &message.as.ask_run;
    struct peer *peer = row->source == 0 ? NULL : peer_find(node, row->source);
    if (peer == NULL || peer->phase != PEER_OPEN || row->fetch != NONE || !next_ask(row, ask))
        return true; /* the next exchange of heads tells who has it */
    struct fetch *fetch = fetch_take(node);
    if (node->now < row->retry_at) {
        deadline_lower(node, row->retry_at);
        return false;
    }
    if (fetch == NULL || peer->fetches_count >= PARLEY_FETCHES_PER_PEER)
        return false;
    ask->request = node->next_request;
    if (!peer_send_message(node, peer, &message))
        return false;
    *fetch = (struct fetch){.is_used = true,
                            .request = node->next_request++,
                            .peer = peer_slot(node, peer),
                            .connection = peer->connection,
                            .log = log,
                            .is_anchored = ask->kind == PARLEY_RUN_ANCHORED,
                            .anchor = {ask->top_seq, ask->top_id},
                            .down = ask->down_seq,
                            .deadline = node->now + PARLEY_FETCH_MS};
    row->fetch = (uint32_t)(fetch - node->fetches);
    peer->fetches_count++;
    deadline_lower(node, fetch->deadline);
    return true;
}

void fetch_pump(struct parley_node *node) {
    if (node->queue_first == NONE || node->is_failed)
        return;
    unsigned refusals = 0;
    for (unsigned looks = 0; looks < QUEUE_LOOKS && refusals < QUEUE_REFUSALS; looks++) {
        uint32_t log = effects_have_room(node) ? queue_take(node) : NONE;
        if (log == NONE)
            return;
        bool done = fetch_start(node, log);
        refusals = done ? 0 : refusals + 1;
        if (!done)
            queue_add(node, log);
    }
}

void fetch_end(struct parley_node *node, struct fetch *fetch, bool failed) {
    struct log_row *row = &node->logs[fetch->log];
    struct parley_wire_ask_run ask;
    if (node->peers[fetch->peer].phase != PEER_FREE &&
        node->peers[fetch->peer].connection == fetch->connection)
        node->peers[fetch->peer].fetches_count--;
    fetch->is_used = false;
    row->fetch = NONE;
    if (!failed && fetch->any_new) {
        row->failures = 0;
    } else {
        row->failures++;
        row->retry_at = node->now + ((parley_time_ms)PARLEY_LOG_BACKOFF_MIN_MS << row->failures);
    }
    if (row->failures >= FAILURES_MAX) {
        row->source = 0;
        row->source_seq = 0;
        row->failures = 0;
    } else if (next_ask(row, &ask)) {
        queue_add(node, fetch->log);
    }
}

void fetch_drop_peer(struct parley_node *node, uint32_t peer) {
    for (size_t i = 0; i < PARLEY_FETCHES_MAX; i++)
        if (node->fetches[i].is_used && node->fetches[i].peer == peer)
            fetch_end(node, &node->fetches[i], true);
}

void on_run(struct parley_node *node, struct peer *peer, const struct parley_wire_run *run) {
    struct fetch *fetch = NULL;
    for (size_t i = 0; i < PARLEY_FETCHES_MAX; i++)
        if (node->fetches[i].is_used && node->fetches[i].request == run->request &&
            node->fetches[i].connection == peer->connection)
            fetch = &node->fetches[i];
    if (fetch == NULL)
        return; /* given up meanwhile */
    fetch->deadline = node->now + PARLEY_FETCH_MS;
    if (run->chunk.size == 0) {
        fetch_end(node, fetch, false);
        return;
    }
    struct chunk_task task = {.source = CHUNK_RUN,
                              .log = node->logs[fetch->log].log,
                              .is_anchored = fetch->is_anchored,
                              .anchor = fetch->anchor,
                              .fetch = (uint32_t)(fetch - node->fetches),
                              .fetch_request = fetch->request,
                              .is_last = run->last};
    ingest_chunk(node, peer, 0, &task, run->chunk);
}

bool node_is_catching_up(const struct parley_node *node) {
    for (size_t i = 0; i < PARLEY_FETCHES_MAX; i++)
        if (node->fetches[i].is_used)
            return true;
    return node->queue_first != NONE;
}

static void ask_heads(struct parley_node *node, struct peer *peer) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_HEADS};
    message.as.ask_heads.session = 0;
    (void)peer_send_message(node, peer, &message);
}

/* One peer at random each time: cost does not grow with the number of peers. */
static void ask_somebody(struct parley_node *node) {
    size_t open = 0, chosen;
    for (size_t i = 0; i < node->peers_count; i++)
        open += node->peers[i].phase == PEER_OPEN;
    if (open == 0)
        return;
    chosen = parley_random_below(&node->random, open);
    for (size_t i = 0; i < node->peers_count; i++)
        if (node->peers[i].phase == PEER_OPEN && chosen-- == 0)
            ask_heads(node, &node->peers[i]);
}

void catchup_on_timer(struct parley_node *node) {
    for (size_t i = 0; i < PARLEY_FETCHES_MAX; i++) {
        struct fetch *fetch = &node->fetches[i];
        if (!fetch->is_used)
            continue;
        if (node->now >= fetch->deadline)
            fetch_end(node, fetch, true);
        else
            deadline_lower(node, fetch->deadline);
    }
    if (node->now >= node->heads_at) {
        ask_somebody(node);
        node->heads_at = node->now + PARLEY_HEADS_EVERY_MS / 2 +
                         parley_random_below(&node->random, PARLEY_HEADS_EVERY_MS);
    }
    deadline_lower(node, node->heads_at);
    fetch_pump(node);
}
