#include "internal.h"
#include "traffic.h"

/* One opened message, to where it belongs. */

static bool log_of_message(const struct parley_wire_message *message, struct parley_log *log) {
    struct parley_span chunk = PARLEY_NO_SPAN;
    if (message->type == PARLEY_WIRE_RUN)
        chunk = message->as.run.chunk;
    else if (message->type == PARLEY_WIRE_PUSH)
        chunk = message->as.push.chunk;
    else if (message->type == PARLEY_WIRE_EVIDENCE)
        chunk = message->as.evidence.chunk;
    return chunk.size != 0 && parley_chunk_peek_log(log, chunk).error == PARLEY_E_OK;
}

static bool heads_are_of_others(struct parley_wire_list authors,
                                const struct parley_author *author) {
    struct parley_wire_author_heads item;
    while (parley_wire_next_author_heads(&authors, &item))
        if (PARLEY_EQUAL(item.author, *author))
            return false;
    return true;
}

/* What says nothing of that author: he is not in it by name, nor by a log that is known. */
static bool is_of_others(const struct parley_node *node, const struct parley_wire_message *message,
                         const struct parley_author *author) {
    struct parley_author other;
    struct parley_log log;
    if (message->type == PARLEY_WIRE_HEADS)
        return heads_are_of_others(message->as.heads.authors, author);
    if (message->type == PARLEY_WIRE_IDENTITY)
        return records_are_of_one(message->as.identity.records, &other) &&
               !PARLEY_EQUAL(other, *author);
    uint32_t row = log_of_message(message, &log) ? log_find(node, &log) : NONE;
    return row != NONE && !PARLEY_EQUAL(node->authors[node->logs[row].author].set.author, *author);
}

static bool records_hold_back(const struct parley_node *node, const struct peer *peer,
                              const struct parley_wire_message *message) {
    uint32_t slot = peer_slot(node, peer);
    for (size_t i = 0; peer->jobs_count > 0 && i < PARLEY_JOBS_MAX; i++) {
        const struct job *job = &node->jobs[i];
        if (job->state == JOB_CHECKING && job->kind == JOB_RECORDS && job->peer == slot &&
            (!job->records.is_of_one || !is_of_others(node, message, &job->records.author)))
            return true;
    }
    return false;
}

/* Entries of one log are judged one after the other, and nothing overtakes identity records of the
 * author of whom it is. */
bool message_must_wait(const struct parley_node *node, const struct peer *peer,
                       const struct parley_wire_message *message) {
    struct parley_log log;
    if (records_hold_back(node, peer, message) || sessions_must_wait(node, peer, message))
        return true;
    if (message->type == PARLEY_WIRE_RUN && message->as.run.chunk.size == 0)
        return peer->jobs_count > 0; /* the end of a run comes after its chunks */
    return log_of_message(message, &log) && log_has_job(node, &log);
}

/* One entry: what is older comes in runs, where the top alone is judged. */
static void on_push(struct parley_node *node, struct peer *peer, struct parley_span bytes) {
    struct chunk_task task = {.source = CHUNK_PUSH, .fetch = NONE};
    struct parley_chunk chunk;
    struct parley_fault fault = parley_chunk_decode(&chunk, bytes);
    if (fault.error == PARLEY_E_OK && chunk.count != 1)
        fault.error = PARLEY_E_BAD_MESSAGE;
    task.log = chunk.log;
    if (fault.error != PARLEY_E_OK)
        peer_close(node, peer, fault.error, PARLEY_GOODBYE_FAULT);
    else
        ingest_chunk(node, peer, 0, &task, bytes);
}

/* Whether that log is known here or not. */
static bool is_of_its_log(const struct parley_wire_evidence *evidence) {
    struct parley_log log;
    return parley_chunk_peek_log(&log, evidence->chunk).error != PARLEY_E_OK ||
           PARLEY_EQUAL(log, evidence->log); /* what is no chunk is refused by the judge */
}

static void on_goodbye(struct parley_node *node, struct peer *peer, uint64_t reason) {
    effect_log(node, PARLEY_LOG_INFO, PARLEY_E_OK, peer->connection, "peer said goodbye");
    peer->is_leaving = true;
    peer->view.is_turned_away = reason == PARLEY_GOODBYE_FULL;
    peer_close(node, peer, PARLEY_E_OK, PARLEY_GOODBYE_STOPPING);
}

static void on_open_message(struct parley_node *node, struct peer *peer,
                            struct parley_wire_message *message, struct parley_span bytes) {
    struct parley_wire_message answer = {.type = PARLEY_WIRE_PONG};
    budget_take_message(node, peer, message);
    switch (message->type) {
    case PARLEY_WIRE_PING:
        answer.as.pong = message->as.ping;
        if (peer->unsent_bytes < peer_window(node, PARLEY_WINDOW_BYTES))
            (void)peer_send_message(node, peer, &answer);
        budget_take_telling(peer, PARLEY_LINK_SEALED_SIZE(bytes.size));
        return;
    case PARLEY_WIRE_INTEREST:
        on_interest(node, peer, &message->as.interest);
        return;
    case PARLEY_WIRE_INTEREST_CHANGE:
        on_interest_change(node, peer, &message->as.interest_change);
        return;
    case PARLEY_WIRE_HEADS:
        on_heads(node, peer, &message->as.heads);
        return;
    case PARLEY_WIRE_ASK_HEADS:
        if (message->as.ask_heads.session == PARLEY_HEADS_CHANGES)
            heads_send_changes(node, peer);
        else
            heads_answer_all(node, peer);
        return;
    case PARLEY_WIRE_ASK_RUN:
        on_ask_run(node, peer, &message->as.ask_run);
        return;
    case PARLEY_WIRE_RUN:
        on_run(node, peer, &message->as.run);
        return;
    case PARLEY_WIRE_ASK_BODIES:
        on_ask_bodies(node, peer, &message->as.ask_bodies);
        return;
    case PARLEY_WIRE_BODIES:
        on_bodies(node, peer, &message->as.bodies);
        return;
    case PARLEY_WIRE_PUSH:
        on_push(node, peer, message->as.push.chunk);
        return;
    case PARLEY_WIRE_EVIDENCE:
        if (is_of_its_log(&message->as.evidence))
            on_evidence(node, peer, &message->as.evidence);
        else
            peer_close(node, peer, PARLEY_E_BAD_MESSAGE, PARLEY_GOODBYE_FAULT);
        return;
    case PARLEY_WIRE_ANNOUNCE:
        on_announce(node, peer, &message->as.announce);
        return;
    case PARLEY_WIRE_PRUNE:
        on_prune(node, peer, &message->as.prune);
        return;
    case PARLEY_WIRE_GRAFT:
        on_graft(node, peer, &message->as.graft);
        return;
    case PARLEY_WIRE_ASK_IDENTITY:
        on_ask_identity(node, peer, &message->as.ask_identity);
        return;
    case PARLEY_WIRE_IDENTITY:
        ingest_records(node, peer, 0, false, message->as.identity.records, bytes);
        return;
    case PARLEY_WIRE_GOODBYE:
        on_goodbye(node, peer, message->as.goodbye.reason);
        return;
    case PARLEY_WIRE_HELLO: /* a second one */
        peer_close(node, peer, PARLEY_E_BAD_MESSAGE, PARLEY_GOODBYE_FAULT);
        return;
    case PARLEY_WIRE_ADDRESSES:
        on_addresses(node, peer, &message->as.addresses);
        return;
    case PARLEY_WIRE_SHUFFLE:
        on_shuffle(node, peer, &message->as.shuffle, bytes.size);
        return;
    case PARLEY_WIRE_RECONCILE:
        on_reconcile(node, peer, &message->as.reconcile);
        return;
    case PARLEY_WIRE_ASK_HEADS_OF:
        on_ask_heads_of(node, peer, &message->as.ask_heads_of);
        return;
    case PARLEY_WIRE_ASK_RUNS:
        on_ask_runs(node, peer, &message->as.ask_runs);
        return;
    case PARLEY_WIRE_INVITE:
        on_invite(node, peer, &message->as.invite);
        return;
    case PARLEY_WIRE_WELCOME:
        on_welcome(node, peer, &message->as.welcome);
        return;
    case PARLEY_WIRE_RUNS: /* handle_runs */
    case PARLEY_WIRE_PONG:
    case PARLEY_WIRE_IGNORED:
        return;
    }
}

/* What it brought is kept as a job until its turn comes. done: of its runs. */
static void stall(struct parley_node *node, struct peer *peer, struct parley_span bytes,
                  size_t done) {
    struct job *job = job_take(node, peer, JOB_MESSAGE, bytes);
    assert(job != NULL); /* may_read saw a free one */
    job->state = JOB_STALLED;
    job->done = done;
    peer->stalled = (uint32_t)(job - node->jobs);
}

/* One after the other; true when all of them need no more. */
static bool handle_runs(struct parley_node *node, struct peer *peer,
                        const struct parley_wire_message *message, size_t *done) {
    *done = on_runs(node, peer, &message->as.runs, *done);
    return *done == message->as.runs.runs.count;
}

void message_handle(struct parley_node *node, struct peer *peer, struct parley_span bytes) {
    struct parley_wire_message message;
    struct parley_fault fault = parley_wire_decode(&message, bytes);
    traffic_count(node->received, bytes);
    if (fault.error != PARLEY_E_OK) {
        peer_close(node, peer, fault.error, PARLEY_GOODBYE_FAULT);
        return;
    }
    if (peer->phase == PEER_HELLO) {
        if (message.type == PARLEY_WIRE_HELLO)
            (void)on_hello(node, peer, &message.as.hello);
        else if (message.type == PARLEY_WIRE_GOODBYE)
            on_goodbye(node, peer, message.as.goodbye.reason);
        else
            peer_close(node, peer, PARLEY_E_BAD_MESSAGE, PARLEY_GOODBYE_FAULT);
        return;
    }
    size_t done = 0;
    sessions_prepare(node, peer, &message);
    if (message.type == PARLEY_WIRE_RUNS) {
        budget_take_message(node, peer, &message);
        if (!handle_runs(node, peer, &message, &done) && peer->phase == PEER_OPEN)
            stall(node, peer, bytes, done);
        return;
    }
    if (message_must_wait(node, peer, &message)) {
        stall(node, peer, bytes, 0);
        return;
    }
    on_open_message(node, peer, &message, bytes);
}

void message_retry_stalled(struct parley_node *node, struct peer *peer) {
    struct job *job = &node->jobs[peer->stalled];
    struct parley_span bytes = PARLEY_SPAN(job->buffer, job->size);
    struct parley_wire_message message;
    bool decodes = parley_wire_decode(&message, bytes).error == PARLEY_E_OK;
    assert(decodes); /* it did before */
    /* The stalled job itself does not count. */
    peer->jobs_count--;
    bool is_runs = message.type == PARLEY_WIRE_RUNS;
    bool waits = is_runs ? !handle_runs(node, peer, &message, &job->done)
                         : message_must_wait(node, peer, &message);
    peer->jobs_count++;
    if (peer->phase != PEER_OPEN || waits || (!is_runs && node->jobs_free == 0))
        return;
    peer->stalled = NONE;
    if (!is_runs)
        on_open_message(node, peer, &message, bytes);
    if (job->state == JOB_STALLED)
        job_give(node, job);
}
