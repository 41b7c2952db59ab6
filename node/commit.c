#include "internal.h"

/* The disk said yes, or no; and what it held at start. Nothing leaves this node, is shown or is
 * answered before the yes. */

/* The durable head moves to the top of a run whose own signature holds. */
static bool head_moved(struct log_row *row, const struct parley_run *run) {
    bool moved = run->hi_is_signed && run->hi > row->durable.seq;
    if (moved)
        row->durable = (struct parley_anchor){run->hi, run->hi_id};
    return moved;
}

/* Nothing new but, it may be, that the signature of its top holds. */
static void chunk_was_held(struct parley_node *node, const struct pending_store *pending) {
    author_changed(node, pending->author);
    if (head_moved(&node->logs[pending->log], &pending->run))
        tree_announce(node, pending->log, pending->source_connection, false);
}

static void chunk_is_stored(struct parley_node *node, const struct pending_store *pending) {
    struct log_row *row = &node->logs[pending->log];
    node->entries_count += pending->count;
    row->entries_count += pending->count;
    bool moved = head_moved(row, &pending->run);
    author_changed(node, pending->author);
    queue_log(node, pending->log);
    bodies_lack(node, pending);
    if (!log_shows(row, pending->run.hi))
        return; /* hidden by a fork, or until what the identity records name is here */
    struct parley_effect *show = effect_push(node, PARLEY_EFFECT_SHOW);
    show->show.author = node->authors[pending->author].set.author;
    show->show.log = row->log;
    show->show.seq_low = pending->run.lo;
    show->show.seq_high = pending->run.hi;
    show->show.id = pending->run.hi_id;
    if (pending->is_live)
        tree_push(node, pending, PARLEY_SPAN(node->stage + pending->stage_offset, pending->bytes));
    else if (moved)
        tree_announce(node, pending->log, pending->source_connection, pending->is_prompt);
    log_is_filled(node, pending->log);
}

static void answer(struct parley_node *node, const struct pending_store *pending,
                   enum parley_error error) {
    if (pending->request == 0)
        return;
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_REPLY);
    effect->reply.request = pending->request;
    effect->reply.error = error == PARLEY_E_EXISTS ? PARLEY_E_OK : error;
    effect->reply.count = pending->count;
    if (error != PARLEY_E_OK || pending->after != AFTER_CHUNK)
        return;
    effect->reply.log = node->logs[pending->log].log;
    effect->reply.seq = pending->run.hi;
    effect->reply.id = pending->run.hi_id;
}

void heads_tell(struct parley_node *node, uint32_t author) {
    for (size_t i = 0; i < node->peers_count; i++)
        if (node->peers[i].phase == PEER_OPEN &&
            node->peers[i].unsent_bytes < peer_window(node, PARLEY_PUSH_WINDOW_BYTES) &&
            peer_wants(node, &node->peers[i], author))
            heads_send_author(node, &node->peers[i], author, 0);
}

/* The last of several tells of all. */
static void record_is_stored(struct parley_node *node, uint32_t author, enum parley_error error) {
    struct author_row *row = &node->authors[author];
    assert(row->records_in_flight > 0);
    if (--row->records_in_flight == 0 && error == PARLEY_E_OK)
        heads_tell(node, author);
}

/* After which of them the log is told of. */
static bool tells_of_log(enum store_after after) {
    switch (after) {
    case AFTER_NOTHING:
    case AFTER_RECORD:
    case AFTER_EVICT:
        return false;
    case AFTER_CHUNK:
    case AFTER_ERASE:
    case AFTER_CUT:
    case AFTER_VERDICT:
    case AFTER_BODIES:
    case AFTER_PURGE:
    case AFTER_RECALL:
    case AFTER_PRUNE:
        return true;
    }
    return false;
}

void on_stored(struct parley_node *node, parley_ticket ticket, enum parley_error error,
               const struct parley_store_log *log) {
    assert(ticket_kind_of(ticket) == TICKET_STORE && node->stores_head < node->stores_tail);
    assert(ticket_index(ticket) == node->stores_head % PARLEY_STORES_MAX);
    struct pending_store pending = node->stores[node->stores_head++ % PARLEY_STORES_MAX];
    node->store_bytes -= pending.bytes;
    node->stage_used -= pending.stage_size;
    /* Whoever is never far behind touches the beginnings of these rings alone. What is told below
     * still stands where it was staged, and is read before anything else is. */
    if (node->stores_head == node->stores_tail)
        node->stores_head = node->stores_tail = node->stage_head = 0;
    bool failed = parley_error_class(error) == PARLEY_CLASS_LOCAL;
    if (failed && !node->is_failed) {
        node->is_failed = true;
        effect_log(node, PARLEY_LOG_ERROR, error, 0, "the store failed: read-only until it opens");
    }
    bool is_of_log = pending.after == AFTER_CHUNK || pending.after == AFTER_CUT ||
                     pending.after == AFTER_VERDICT;
    /* What the disk did not take stays in flight: what is held here is ahead of it, and is not
     * told, until the store says anew what is there. */
    if (is_of_log && !failed)
        node->logs[pending.log].stores_in_flight--;
    if (tells_of_log(pending.after))
        quota_told(node, pending.log, log);
    if (pending.after == AFTER_PRUNE)
        prune_on_stored(node, pending.log, error, log);
    if (pending.after == AFTER_EVICT && !failed)
        evict_on_stored(node, pending.author);
    if (pending.after == AFTER_CUT && error == PARLEY_E_OK) {
        node->logs[pending.log].entries_count -= pending.count;
        node->entries_count -= pending.count;
    }
    if (pending.after == AFTER_VERDICT && !failed)
        verdict_is_stored(node, pending.log);
    if (pending.after == AFTER_CHUNK) {
        if (error == PARLEY_E_OK)
            chunk_is_stored(node, &pending);
        else if (error == PARLEY_E_EXISTS)
            chunk_was_held(node, &pending);
        else if (!failed)
            effect_log(node, PARLEY_LOG_ERROR, error, 0, "the store and the node disagree");
    }
    if (pending.after == AFTER_BODIES)
        bodies_on_stored(node, &pending, error);
    if (pending.after == AFTER_ERASE)
        erase_on_stored(node, pending.log, error, log);
    if (pending.after == AFTER_RECALL && error == PARLEY_E_OK && log != NULL)
        bodies_again(node, pending.log, log->lacks_low, log->lacks_high);
    if (pending.after == AFTER_RECORD)
        record_is_stored(node, pending.author, error);
    answer(node, &pending, failed ? PARLEY_E_READ_ONLY : error);
    if (error == PARLEY_E_OK && node->owes_follows && !node->is_failed) {
        node->owes_follows = false;
        follows_keep(node);
    }
}

/* --- loading ------------------------------------------------------------------------------- */

/* What was staged and never stored is forgotten, when the store tells anew what it holds. */
void reload_begin(struct parley_node *node) {
    if (!node->is_failed || node->is_reloading)
        return;
    /* Before the store opens, all that waited for it is answered. */
    assert(node->stores_head == node->stores_tail);
    sessions_stop(node);
    node->is_reloading = true;
    node->entries_count = 0;
    quota_forget(node);
    for (size_t i = 0; i < node->authors_count; i++) {
        struct parley_identity *set = &node->authors[i].set;
        struct parley_author author = set->author;
        struct parley_identity_storage storage = set->storage;
        parley_identity_init(set, &author, &storage);
    }
    for (size_t i = 0; i < node->logs_count; i++) {
        struct log_row *row = &node->logs[i];
        if (row->is_free)
            continue;
        row->ranges.count = 0;
        row->durable = (struct parley_anchor){0};
        row->policy = PARLEY_NO_POLICY;
        row->entries_count = 0;
        row->stores_in_flight = 0;
        row->forked = row->marked = 0;
        row->is_proved = row->is_unjudged = row->is_doubted = row->overlaps = false;
        row->pin = PIN_ABSENT;
        bodies_load(node, (uint32_t)i, 0, 0);
        row->world++;
    }
    reviews_forget(node);
}

void on_load_record(struct parley_node *node, const struct parley_author *author,
                    struct parley_span bytes) {
    struct parley_record record;
    struct parley_identity_change change;
    reload_begin(node);
    uint32_t row = author_take(node, author);
    if (row == NONE || parley_record_decode(&record, bytes).error != PARLEY_E_OK) {
        effect_log(node, PARLEY_LOG_ERROR, PARLEY_E_STORE_DAMAGED, 0, "a record was passed over");
        return;
    }
    quota_add_record(node, row, bytes.size);
    if (author_add_record(node, row, &record, &change) == PARLEY_IDENTITY_ADDED)
        author_refresh_logs(node, row, &record, &change);
    else
        effect_log(node, PARLEY_LOG_ERROR, PARLEY_E_STORE_DAMAGED, 0, "a record did not fit");
}

void on_load_log(struct parley_node *node, const struct parley_store_log *log) {
    reload_begin(node);
    uint32_t author = author_take(node, &log->author);
    uint32_t index = author == NONE ? NONE : log_take(node, author, &log->device);
    if (index == NONE) {
        effect_log(node, PARLEY_LOG_ERROR, PARLEY_E_FULL, 0, "a log was passed over");
        return;
    }
    struct log_row *row = &node->logs[index];
    author_changed(node, author);
    row->ranges = log->ranges;
    row->forked = row->marked = log->forked;
    row->is_proved = log->forked != 0;
    row->entries_count = log->entries_count;
    node->entries_count += log->entries_count;
    erase_load(node, index, log->erase_ms);
    bodies_load(node, index, log->lacks_low, log->lacks_high);
    /* Without a quota, or of whom the owner allows, what went may come again. */
    bool is_kept = node->config.quota_bytes == 0 || author_is_allowed(node, author);
    row->quota.floor = is_kept ? 0 : log->floor;
    quota_told(node, index, log);
    row->durable = (struct parley_anchor){0};
    for (unsigned i = 0; i < log->ranges.count; i++)
        if (log->ranges.ranges[i].hi_is_signed) {
            row->durable =
                (struct parley_anchor){log->ranges.ranges[i].hi, log->ranges.ranges[i].hi_id};
            break;
        }
    log_judge_anew(node, index);
    review_await_first(node, index);
}

void on_store_opened(struct parley_node *node) {
    assert(node->stores_head == node->stores_tail);
    reload_begin(node);
    node->is_failed = false;
    node->is_reloading = false;
    heads_lose(node);
    node->owes_follows = true;
    node->sessions.missing_anew++;
    node->heads_at = node->now; /* what was lost on the way is asked for again */
    deadline_lower(node, node->now);
    effect_log(node, PARLEY_LOG_INFO, PARLEY_E_OK, 0, "the store is open again");
}
