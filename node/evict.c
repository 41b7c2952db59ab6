#include "internal.h"

/* Strangers go whole, whoever was silent for longest first: their logs, what proves their forks,
 * their identity records and their rows. In between nothing of them is taken or told. Who has left
 * is remembered by what his heads told: he comes again when they tell of more. The memory is
 * bounded; whom it has lost may come once in vain.
 *
 * Evidence of a fork is kept ahead of what is not evidence: forked logs are the last to go. Beyond
 * that it would be a way to fill the disk. */

#define WAYS 4u /* places that a name may have */

/* --- memory -------------------------------------------------------------------------------- */

static struct evicted *set_of(const struct parley_node *node, uint64_t tag) {
    return &node->quota.evicted[tag % (PARLEY_EVICTED_MAX / WAYS) * WAYS];
}

static uint64_t tag_of(const struct parley_node *node, const struct parley_author *author) {
    uint64_t tag = table_hash(node, author->bytes);
    return tag == 0 ? 1 : tag;
}

/* The newest is the first; the oldest of the set goes. */
static void remember(struct parley_node *node, uint32_t author) {
    const struct author_row *row = &node->authors[author];
    struct evicted now = {.tag = tag_of(node, &row->set.author)};
    for (uint32_t i = row->logs_first; i != NONE; i = node->logs[i].next_of_author)
        now.heads_sum += log_newest(&node->logs[i]);
    struct evicted *set = set_of(node, now.tag);
    size_t at = 0;
    while (at < WAYS - 1 && set[at].tag != now.tag)
        at++;
    memmove(set + 1, set, at * sizeof *set);
    *set = now;
}

bool evict_knows(const struct parley_node *node, const struct parley_wire_author_heads *item) {
    if (node->quota.evicted == NULL)
        return false;
    uint64_t tag = tag_of(node, &item->author), sum = 0;
    const struct evicted *set = set_of(node, tag);
    size_t at = 0;
    while (at < WAYS && set[at].tag != tag)
        at++;
    if (at == WAYS)
        return false;
    struct parley_wire_list heads = item->heads;
    struct parley_wire_head head;
    while (parley_wire_next_head(&heads, &head))
        sum += head.seq;
    return sum <= set[at].heads_sum;
}

/* --- who ----------------------------------------------------------------------------------- */

static bool may_go(const struct parley_node *node, uint32_t author) {
    const struct author_row *row = &node->authors[author];
    if (row->is_free || row->is_named || row->quota.is_leaving ||
        !quota_is_stranger(node, author) || (!row->set.revealed && row->logs_first == NONE))
        return false;
    for (uint32_t i = row->logs_first; i != NONE; i = node->logs[i].next_of_author)
        if (!quota_log_is_quiet(node, i))
            return false;
    return true;
}

/* When he said something last; a fork puts him behind all others, the owner's block before. */
static uint64_t rank(const struct parley_node *node, uint32_t author) {
    const struct author_row *row = &node->authors[author];
    uint64_t last = 0, forked = 0;
    if (author_is_blocked(node, author))
        return 0;
    for (uint32_t i = row->logs_first; i != NONE; i = node->logs[i].next_of_author) {
        const struct log_row *log = &node->logs[i];
        last = log->quota.active_ms > last ? log->quota.active_ms : last;
        forked |= log->forked != 0 ? UINT64_C(1) << 63 : 0;
    }
    return (last == 0 ? row->quota.heard_ms : last) | forked;
}

void evict_find(struct parley_node *node) {
    for (uint32_t i = 0; i < node->authors_count; i++)
        if (may_go(node, i))
            quota_add_victim(node, rank(node, i), i);
}

/* --- going --------------------------------------------------------------------------------- */

static size_t logs_of(const struct parley_node *node, uint32_t author) {
    size_t count = 0;
    for (uint32_t i = node->authors[author].logs_first; i != NONE; i = node->logs[i].next_of_author)
        count++;
    return count;
}

/* Nothing of it is held, wanted or told from here on; the row stays until nothing refers to it. */
static void empty_log(struct parley_node *node, uint32_t log) {
    struct log_row *row = &node->logs[log];
    node->entries_count -= row->entries_count;
    row->entries_count = 0;
    row->ranges.count = 0;
    row->durable = (struct parley_anchor){0};
    row->forked = row->marked = 0;
    row->is_proved = false;
    bodies_load(node, log, 0, 0);
    erase_load(node, log, 0);
    node->quota.bytes -= row->quota.bytes;
    node->quota.strangers_bytes -= row->quota.bytes;
    node->quota.dropped_bytes += row->quota.bytes;
    row->quota = (struct log_quota){0};
    row->world++;
}

static void forget_logs(struct parley_node *node, uint32_t author) {
    struct pending_store nothing = {.after = AFTER_NOTHING};
    for (uint32_t i = node->authors[author].logs_first; i != NONE;
         i = node->logs[i].next_of_author) {
        struct parley_store_op op = {.kind = PARLEY_STORE_FORGET,
                                     .log = node->logs[i].log,
                                     .forget = node->logs[i].next_of_author == NONE};
        bool stored = store_emit(node, &op, &nothing);
        assert(stored);
        empty_log(node, i);
    }
}

bool evict_next(struct parley_node *node, uint32_t author) {
    struct quota *quota = &node->quota;
    size_t ops_count = logs_of(node, author) + 1;
    if (!may_go(node, author))
        return true; /* not any more */
    if (quota->leaving_count == PARLEY_QUOTA_VICTIMS_MAX ||
        PARLEY_STORES_MAX - (node->stores_tail - node->stores_head) < ops_count ||
        PARLEY_EFFECTS_MAX - node->effects_count < ops_count + 64)
        return false;
    remember(node, author);
    forget_logs(node, author);
    quota_drop_records(node, author, true);
    struct parley_store_op op = {.kind = PARLEY_STORE_UNRECORD,
                                 .author = node->authors[author].set.author};
    struct pending_store after = {.after = AFTER_EVICT, .author = author};
    bool stored = store_emit(node, &op, &after);
    assert(stored);
    node->authors[author].quota.is_leaving = true;
    quota->lacks_memory = false;
    quota->leaving[quota->leaving_count++] = author;
    quota->leaving_logs_count += ops_count - 1;
    return true;
}

void evict_on_stored(struct parley_node *node, uint32_t author) {
    node->authors[author].quota.has_left = true;
}

/* --- gone ---------------------------------------------------------------------------------- */

static bool is_referred_to(const struct parley_node *node, uint32_t author) {
    const struct author_row *row = &node->authors[author];
    for (uint32_t i = row->logs_first; i != NONE; i = node->logs[i].next_of_author) {
        const struct log_row *log = &node->logs[i];
        if (log->is_queued || log->fetch != NONE || log->bodies.is_queued ||
            log->bodies.ask != NONE || !quota_log_is_quiet(node, i))
            return true;
    }
    return row->is_asked || row->is_queued;
}

/* A peer that was being told of him is told no more: of whoever has the row then. */
static void skip_in_telling(struct parley_node *node, uint32_t author) {
    for (size_t i = 0; i < node->peers_count; i++) {
        struct peer *peer = &node->peers[i];
        if (peer->heads_next == author)
            peer->heads_log = NONE;
        if (peer->unwanted.next == author)
            peer->unwanted.log = NONE;
    }
}

/* Followed meanwhile, he has a row for what comes; muted, blocked or unfollowed, for the mark; so
 * has one whose word of whom he follows is kept. */
static void give_rows(struct parley_node *node, uint32_t author) {
    struct author_row *row = &node->authors[author];
    skip_in_telling(node, author);
    while (row->logs_first != NONE) {
        uint32_t log = row->logs_first;
        row->logs_first = node->logs[log].next_of_author;
        suspects_drop(node, log, true);
        log_give(node, log);
        node->quota.leaving_logs_count--;
    }
    author_clear_set(node, author);
    row->quota = (struct author_quota){0};
    if (quota_is_stranger(node, author) && row->lists == 0 && row->said.time == 0 &&
        row->edges_first == NONE)
        author_give(node, author);
    else if (author_is_wanted(node, author)) {
        interest_send_change(node, &row->set.author, true);
        missing_name(node, author);
    }
}

void evict_finish(struct parley_node *node) {
    struct quota *quota = &node->quota;
    size_t kept = 0;
    for (size_t i = 0; i < quota->leaving_count; i++) {
        uint32_t author = quota->leaving[i];
        if (node->authors[author].quota.has_left && !is_referred_to(node, author))
            give_rows(node, author);
        else
            quota->leaving[kept++] = author;
    }
    quota->leaving_count = kept;
}
