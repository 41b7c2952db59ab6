#include "internal.h"

/* What is missing, and asking for it: logs wait in a queue until the peer that has more of them has
 * room for another ask. Newest first: the run from its head, then the holes below. */

#define FAILURES_MAX   8u   /* then the log waits for the next exchange of heads */
#define QUEUE_LOOKS    256u /* logs looked at in one pump */
#define QUEUE_REFUSALS 16u  /* in a row: their sources are busy, the rest waits its turn */

parley_seq log_newest(const struct log_row *row) {
    return row->ranges.count == 0 ? 0 : row->ranges.ranges[0].hi;
}

/* --- wanting ------------------------------------------------------------------------------- */

/* One number for what was asked because of a difference: asking again brings nothing new before
 * one of these changes. */
static uint64_t difference(const struct parley_node *node, const struct log_row *row,
                           const struct parley_anchor *head) {
    struct {
        uint64_t source, source_seq, head_seq, forked, kind, named;
        struct parley_id source_id, head_id, named_id;
    } all = {row->source,     row->source_seq, head->seq, log_forked(row), row->policy.kind,
             row->policy.seq, row->source_id,  head->id,  row->policy.id};
    return table_hash_of(node, PARLEY_SPAN(&all, sizeof all));
}

/* From the source's head, if that may tell something. */
static bool ask_from_head(const struct parley_node *node, const struct log_row *row,
                          const struct parley_ranges *view, struct parley_wire_ask_run *ask) {
    struct parley_anchor head;
    parley_seq newest = view->count == 0 ? 0 : view->ranges[0].hi;
    parley_seq forked = log_forked(row);
    (void)parley_ranges_head(view, &row->policy, &head);
    bool is_seq_alone = PARLEY_IS_ZERO(row->source_id); /* as a session finds it */
    ask->kind = PARLEY_RUN_FROM_HEAD;
    ask->top_seq = 0;
    if (row->policy.kind != PARLEY_POLICY_OPEN || row->source_seq <= row->policy.seq ||
        (forked != 0 && row->source_seq >= forked))
        return false; /* who does not know of the fork is told of it, not asked */
    /* A log with all its ranges taken makes room first: what is hidden goes, or a hole is filled.
     */
    bool has_room =
        row->ranges.count < PARLEY_RANGES_MAX || log_may_make_room(row) || log_may_drop_island(row);
    if (row->source_seq > newest && has_room) {
        ask->down_seq = newest > row->policy.seq ? newest : row->policy.seq;
        return true;
    }
    /* Two branches of one height: a chunk of theirs shows the lowest place where they part. */
    if (is_seq_alone || row->source_seq != head.seq || PARLEY_EQUAL(row->source_id, head.id) ||
        row->tried == difference(node, row, &head))
        return false;
    ask->down_seq = row->policy.seq;
    ask->bytes_max = PARLEY_CHUNK_BYTES_MAX;
    return true;
}

parley_seq log_floor(const struct log_row *row) {
    return row->quota.floor > 1 ? row->quota.floor : 1;
}

/* By what it told: down from its head, and down from what the identity records name. */
static bool source_has(const struct log_row *row, parley_seq seq) {
    return (row->source_low <= seq && seq <= row->source_seq) ||
           (row->source_named != 0 && row->source_named <= seq && seq <= row->policy.seq);
}

/* Newest first. What the records name beside a log of this node's own would never be taken. */
static size_t holes_of(const struct parley_node *node, const struct log_row *row,
                       const struct parley_ranges *view,
                       struct parley_hole holes[PARLEY_HOLES_MAX]) {
    bool is_own = node->own_log != NONE && row == &node->logs[node->own_log];
    if (is_own && row->pin == PIN_OTHER)
        return 0;
    return parley_ranges_holes(view, &row->policy, log_floor(row), holes);
}

/* What to ask the source of a log for. False: nothing that it has. */
bool fetch_next_ask(const struct parley_node *node, const struct log_row *row,
                    struct parley_wire_ask_run *ask) {
    struct parley_ranges view;
    if (!author_is_wanted(node, row->author))
        return false; /* unfollowed, blocked or evicted since: nothing of it would be taken */
    if (row->policy.kind == PARLEY_POLICY_VOID || row->is_unjudged || row->is_doubted)
        return false; /* the review queues it again */
    ask->log = row->log;
    ask->bodies = true;
    ask->bytes_max = PARLEY_RUN_ASK_BYTES;
    log_view(row, &view);
    if (ask_from_head(node, row, &view, ask))
        return true;
    struct parley_hole holes[PARLEY_HOLES_MAX];
    size_t count = holes_of(node, row, &view, holes);
    for (size_t i = 0; i < count; i++) {
        /* One that nobody can fill does not stand before the others for ever. */
        const struct parley_hole *hole = &holes[(i + row->failures) % count];
        if (!source_has(row, hole->top.seq))
            continue;
        ask->kind = PARLEY_RUN_ANCHORED;
        ask->top_seq = hole->top.seq;
        ask->top_id = hole->top.id;
        ask->down_seq = row->overlaps ? log_floor(row) - 1 : hole->down;
        return true;
    }
    return false;
}

bool log_has_holes(const struct parley_node *node, const struct log_row *row) {
    struct parley_hole holes[PARLEY_HOLES_MAX];
    struct parley_ranges view;
    log_view(row, &view);
    return holes_of(node, row, &view, holes) > 0;
}

bool log_misses(struct parley_node *node, const struct log_row *row) {
    bool is_next = row->is_queued && row->failures == 0 && source_is_believed(node, row->source);
    bool is_asked =
        row->fetch != NONE && source_is_believed(node, node->fetches[row->fetch].connection);
    if (is_next || is_asked)
        return false;
    return !row->is_doubted && !row->is_unjudged && log_has_holes(node, row);
}

/* Whom the owner of a relay follows goes before strangers, however many these are. */
static bool goes_first(const struct parley_node *node, uint32_t log) {
    return node->config.relay && !quota_is_stranger(node, node->logs[log].author);
}

static void queue_add(struct parley_node *node, uint32_t log, bool first) {
    struct log_row *row = &node->logs[log];
    if (row->is_queued)
        return;
    row->is_queued = true;
    row->queue_next = first ? node->queue_first : NONE;
    if (first && node->queue_first != NONE) {
        node->queue_first = log;
        return;
    }
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

void queue_log(struct parley_node *node, uint32_t log) {
    struct parley_wire_ask_run ask;
    if (node->logs[log].fetch == NONE && fetch_next_ask(node, &node->logs[log], &ask))
        queue_add(node, log, goes_first(node, log));
}

/* --- asking -------------------------------------------------------------------------------- */

/* Strangers have a part of the asks that a relay has on their way, in all and of each peer. */
static size_t share_of(size_t most, bool is_stranger) {
    return is_stranger ? most - most / PARLEY_OWNERS_SHARE : most;
}

static bool peer_has_room(const struct parley_node *node, const struct peer *peer, uint32_t log) {
    bool is_stranger = node->config.relay && !goes_first(node, log);
    if (is_stranger && quota_strangers_wait(node))
        return false;
    return peer->fetches_count < share_of(source_window(peer), is_stranger);
}

static struct fetch *fetch_take(struct parley_node *node, const struct peer *peer, uint32_t log) {
    bool is_stranger = node->config.relay && !goes_first(node, log);
    size_t count = 0, of_doubted = 0;
    struct fetch *free = NULL;
    for (size_t i = 0; i < PARLEY_FETCHES_MAX; i++) {
        count += node->fetches[i].is_used;
        of_doubted += node->fetches[i].is_used && node->peers[node->fetches[i].peer].vain > 0;
        if (!node->fetches[i].is_used && free == NULL)
            free = &node->fetches[i];
    }
    if (peer->vain > 0 && of_doubted >= PARLEY_FETCHES_OF_DOUBTED)
        return NULL;
    return count < share_of(PARLEY_FETCHES_MAX, is_stranger) ? free : NULL;
}

/* When it ends if nothing comes. */
static parley_time_ms fetch_deadline(const struct parley_node *node, const struct fetch *fetch) {
    if (fetch->is_hurried)
        return fetch->since + PARLEY_GRAFT_AGAIN_MS;
    bool is_doubted = node->peers[fetch->peer].vain > 0;
    return fetch->since + (is_doubted ? PARLEY_FETCH_DOUBTED_MS : PARLEY_FETCH_MS);
}

/* True when the log needs no place in the queue any more. */
static bool fetch_start(struct parley_node *node, uint32_t log) {
    struct log_row *row = &node->logs[log];
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_RUN};
    struct parley_wire_ask_run *ask = &message.as.ask_run;
    struct peer *peer = row->source == 0 ? NULL : peer_find(node, row->source);
    /* Of who leaves: his rows go when nothing waits for them, and others wait for that. */
    if (!author_is_wanted(node, row->author))
        return true;
    /* First what costs least: while everything is fetched this is how nearly all of them end. */
    if (peer != NULL && peer->phase == PEER_OPEN && !peer_has_room(node, peer, log)) {
        peer->session.is_refilled = false;
        return false;
    }
    if (peer != NULL && small_is_asked(peer, row) && !small_may_ask(peer))
        return false;
    if (row->fetch != NONE || !fetch_next_ask(node, row, ask))
        return true;
    if (peer == NULL || peer->phase != PEER_OPEN) {
        heads_forget(node); /* the next exchange of heads tells who else has it */
        return true;
    }
    struct fetch *fetch = fetch_take(node, peer, log);
    if (node->now < row->retry_at) {
        deadline_lower(node, row->retry_at);
        return false;
    }
    if (fetch == NULL)
        return false;
    ask->request = node->next_request;
    bool is_small =
        ask->kind == PARLEY_RUN_FROM_HEAD && ask->bytes_max == PARLEY_RUN_ASK_BYTES &&
        small_ask(node, peer, (uint32_t)(fetch - node->fetches), ask->request, log, ask->down_seq);
    if (!is_small && !peer_send_message(node, peer, &message))
        return false;
    *fetch = (struct fetch){.is_used = true,
                            .request = node->next_request++,
                            .peer = peer_slot(node, peer),
                            .connection = peer->connection,
                            .log = log,
                            .is_small = is_small,
                            .is_anchored = ask->kind == PARLEY_RUN_ANCHORED,
                            .anchor = {ask->top_seq, ask->top_id},
                            .down = ask->down_seq,
                            .is_late = ask->kind == PARLEY_RUN_ANCHORED && !row->goes_on,
                            .since = node->now};
    row->fetch = (uint32_t)(fetch - node->fetches);
    if (ask->kind == PARLEY_RUN_FROM_HEAD) {
        struct parley_anchor head;
        bool is_signed;
        (void)log_told(row, &head, &is_signed);
        row->tried = difference(node, row, &head);
    }
    peer->fetches_count++;
    deadline_lower(node, fetch_deadline(node, fetch));
    return true;
}

static void fetch_some(struct parley_node *node) {
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
            queue_add(node, log, false); /* whoever it is: others may be asked meanwhile */
    }
}

void fetch_pump(struct parley_node *node) {
    fetch_some(node);
    small_asks_flush(node);
}

void log_back_off(struct parley_node *node, uint32_t log) {
    struct log_row *row = &node->logs[log];
    row->failures++;
    parley_time_ms pause = (parley_time_ms)PARLEY_LOG_BACKOFF_MIN_MS << row->failures;
    row->retry_at =
        node->now + (pause < PARLEY_LOG_BACKOFF_MAX_MS ? pause : PARLEY_LOG_BACKOFF_MAX_MS);
    if (row->failures < FAILURES_MAX)
        return;
    row->source = 0;
    row->source_seq = 0;
    row->failures = 0;
    heads_forget(node);
}

void fetch_hurry(struct parley_node *node, uint32_t log, const struct peer *other) {
    struct fetch *fetch =
        node->logs[log].fetch == NONE ? NULL : &node->fetches[node->logs[log].fetch];
    if (fetch == NULL || other->vain >= node->peers[fetch->peer].vain)
        return;
    fetch->is_hurried = true;
    deadline_lower(node, fetch_deadline(node, fetch));
}

static void fetch_give(struct parley_node *node, struct fetch *fetch) {
    if (node->peers[fetch->peer].phase != PEER_FREE &&
        node->peers[fetch->peer].connection == fetch->connection) {
        node->peers[fetch->peer].fetches_count--;
        node->peers[fetch->peer].session.small_fetches -= fetch->is_small;
    }
    fetch->is_used = false;
    node->logs[fetch->log].fetch = NONE;
}

/* A hole of long standing: whoever waits for the same hears of it now, not when it is their turn.
 * Else what is in pieces at many nodes would come together a step in each exchange of heads. */
void log_is_filled(struct parley_node *node, uint32_t log) {
    struct log_row *row = &node->logs[log];
    struct parley_anchor head;
    bool is_signed;
    if (!row->is_late || row->fetch != NONE || row->stores_in_flight > 0)
        return;
    row->is_late = false;
    if (log_told(row, &head, &is_signed))
        heads_tell_log(node, log);
}

void fetch_end(struct parley_node *node, struct fetch *fetch, bool failed) {
    struct log_row *row = &node->logs[fetch->log];
    fetch_give(node, fetch);
    bool is_source = row->source == fetch->connection;
    if (!failed && fetch->any_new)
        row->failures = 0;
    else if (is_source && (failed || !fetch->is_contradicted))
        log_back_off(node, fetch->log); /* another that took its place is asked at once */
    if (!fetch->any_new && !fetch->is_contradicted)
        tree_gave_nothing(node, fetch->peer, fetch->log);
    if (failed)
        row->tried = 0; /* cut short is not declined */
    queue_log(node, fetch->log);
    row->goes_on = row->is_queued && !fetch->is_late;
    row->is_late |= fetch->is_late && fetch->any_new;
    log_is_filled(node, fetch->log);
    bool misses = row->is_queued ? row->failures > 0 : !row->is_doubted && log_has_holes(node, row);
    if (misses)
        heads_forget(node); /* somebody else may have said that they have it */
}

parley_time_ms fetch_give_up(struct parley_node *node, uint32_t log, parley_time_ms silence_ms,
                             const struct peer *other) {
    struct log_row *row = &node->logs[log];
    if (row->fetch == NONE) {
        const struct peer *next = row->is_queued ? peer_find(node, row->source) : NULL;
        bool is_next =
            next != NULL && row->failures == 0 && (other == NULL || other->vain >= next->vain);
        return is_next ? node->now + silence_ms : 0;
    }
    struct fetch *fetch = &node->fetches[row->fetch];
    struct peer *peer = &node->peers[fetch->peer];
    parley_time_ms until = fetch->since + silence_ms;
    if (node->now < until)
        return until;
    if (other != NULL && other->vain > peer->vain)
        return node->now + silence_ms; /* nothing is won */
    source_was_silent(peer);
    fetch_give(node, fetch);
    tree_gave_nothing(node, fetch->peer, log);
    row->source = 0;
    row->tried = 0; /* cut short is not declined */
    return 0;
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
    if (fetch == NULL) {
        parents_on_run(node, peer, run); /* or given up meanwhile */
        return;
    }
    fetch->since = node->now;
    fetch->is_hurried = false;
    if (run->chunk.size == 0) {
        struct parley_wire_ask_run ask;
        struct log_row *row = &node->logs[fetch->log];
        /* Of a set that has gone there no place is known any more (SPEC 11.9): asked by name. */
        bool is_unplaced = fetch->is_small && !fetch->any_new;
        /* Nobody tells where they have holes, and what somebody else brought meanwhile is here. */
        if (!is_unplaced && !fetch->any_new && !fetch->is_anchored &&
            row->source == peer->connection && fetch_next_ask(node, row, &ask))
            source_was_empty(peer);
        fetch_end(node, fetch, false);
        if (is_unplaced)
            row->retry_at = node->now;
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

void fetch_on_timer(struct parley_node *node) {
    for (size_t i = 0; i < PARLEY_FETCHES_MAX; i++) {
        struct fetch *fetch = &node->fetches[i];
        if (!fetch->is_used)
            continue;
        if (node->now >= fetch_deadline(node, fetch)) {
            source_was_silent(&node->peers[fetch->peer]);
            fetch_end(node, fetch, true);
        } else {
            deadline_lower(node, fetch_deadline(node, fetch));
        }
    }
    fetch_pump(node);
}

bool node_is_catching_up(const struct parley_node *node) {
    for (size_t i = 0; i < PARLEY_FETCHES_MAX; i++)
        if (node->fetches[i].is_used)
            return true;
    return node->queue_first != NONE || sessions_are_under_way(node) || node->review.is_active ||
           node->reviews_first != NONE;
}
