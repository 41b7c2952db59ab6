#include "internal.h"

/* Catching up: who has what. Gossip is for speed; this is for truth, and it runs whatever was
 * pushed. */

#define HEADS_BYTES_TARGET 32768u /* of one message: several to a window */
#define HEADS_PER_ITEM     256u   /* of one author in one message */
#define SOON_MS            1000u /* whatever the owner does, more often than that nobody is asked */

/* --- telling ------------------------------------------------------------------------------- */

/* Returns how many: one, or two where what the identity records name is held apart from it. */
static size_t put_heads(struct parley_writer *writer, const struct log_row *row,
                        const struct parley_anchor *told) {
    struct parley_wire_head head = {.log = row->log, .seq = told->seq, .id = told->id};
    const struct parley_run *run =
        told->seq == 0 ? NULL : parley_ranges_find(&row->ranges, told->seq);
    head.forked_seq = log_forked(row);
    head.low_seq = run == NULL ? 0 : run->lo;
    parley_wire_put_head(writer, &head);
    if (!log_told_named(row, told, &head.low_seq))
        return 1;
    head.seq = row->policy.seq;
    head.id = row->policy.id;
    parley_wire_put_head(writer, &head);
    return 2;
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
    for (; *log != NONE && count + 2 <= HEADS_PER_ITEM; *log = node->logs[*log].next_of_author) {
        struct parley_anchor told;
        bool is_signed;
        if (log_told(&node->logs[*log], &told, &is_signed) || log_forked(&node->logs[*log]) != 0) {
            count += put_heads(&heads, &node->logs[*log], &told);
        }
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

size_t heads_send_author(struct parley_node *node, struct peer *peer, uint32_t author,
                         uint64_t session) {
    size_t bytes = 0;
    if (!author_is_told(node, author))
        return 0;
    uint32_t log = node->authors[author].logs_first;
    do {
        struct parley_writer items;
        parley_writer_init(&items, node->items, PARLEY_ITEMS_BYTES);
        put_author(node, &items, author, &log);
        bytes += PARLEY_LINK_SEALED_SIZE(items.size + 8);
        (void)send_heads(node, peer, &items, 1, session, true);
    } while (log != NONE);
    return bytes;
}

bool author_is_told(const struct parley_node *node, uint32_t author) {
    return node->authors[author].set.revealed && !author_is_blocked(node, author) &&
           !node->authors[author].quota.is_leaving;
}

void heads_put_log(struct parley_node *node, struct parley_writer *out, uint32_t author,
                   uint32_t log) {
    struct parley_wire_author_heads item = {.author = node->authors[author].set.author};
    struct parley_identity_hash hash;
    struct parley_writer heads;
    parley_identity_hash(&hash, &node->authors[author].set);
    memcpy(item.set_hash, hash.bytes, sizeof item.set_hash);
    parley_writer_init(&heads, node->heads, PARLEY_HEADS_BYTES);
    size_t count = 0;
    if (log != NONE) {
        struct parley_anchor told;
        bool is_signed;
        (void)log_told(&node->logs[log], &told, &is_signed);
        count = put_heads(&heads, &node->logs[log], &told);
    }
    item.heads = parley_wire_list_of(&heads, count);
    parley_wire_put_author_heads(out, &item);
}

bool heads_send(struct parley_node *node, struct peer *peer, struct parley_writer *items,
                size_t count) {
    return send_heads(node, peer, items, count, 0, true);
}

/* Of one log, also if there is nothing to tell: that is what is told. */
static void heads_send_log(struct parley_node *node, struct peer *peer, uint32_t log) {
    struct parley_writer items;
    parley_writer_init(&items, node->items, PARLEY_ITEMS_BYTES);
    heads_put_log(node, &items, node->logs[log].author, log);
    (void)heads_send(node, peer, &items, 1);
}

void heads_tell_log(struct parley_node *node, uint32_t log) {
    uint32_t author = node->logs[log].author;
    if (author_is_blocked(node, author) || node->authors[author].quota.is_leaving)
        return;
    for (size_t i = 0; i < node->peers_count; i++)
        if (node->peers[i].phase == PEER_OPEN &&
            node->peers[i].unsent_bytes < peer_window(node, PARLEY_PUSH_WINDOW_BYTES) &&
            peer_wants(node, &node->peers[i], author))
            heads_send_log(node, &node->peers[i], log);
}

void heads_send_all(struct parley_node *node, struct peer *peer, uint64_t session) {
    peer->is_told = true;
    peer->unwanted.is_telling = false;
    peer->budget.is_paid = false;
    peer->heads_next = 0;
    peer->heads_left = node->authors_count;
    peer->heads_log = NONE;
    peer->heads_since = peer->unwanted.since = 0;
    peer->heads_until = node->changes_count;
    peer->heads_session = session; /* the end of the step sends them */
}

void heads_send_changes(struct parley_node *node, struct peer *peer) {
    if (peer->is_told && !unwanted_gives_way(peer))
        return; /* what is on its way tells it, and what changes meanwhile the next time */
    heads_send_all(node, peer, 0);
    peer->heads_since = peer->heads_told;
    peer->unwanted.since = peer->unwanted.told;
}

static bool is_told_to(const struct parley_node *node, const struct peer *peer, uint32_t author) {
    const struct author_row *row = &node->authors[author];
    bool is_wanted = author_is_wanted(node, author);
    return row->set.revealed && !row->quota.is_leaving &&
           row->changed > (is_wanted ? peer->heads_since : peer->unwanted.since) &&
           peer_wants(node, peer, author);
}

/* One message: authors from heads_next on. An author whose logs do not fit goes on in the next. */
static bool heads_send_next(struct parley_node *node, struct peer *peer) {
    struct parley_writer items;
    size_t count = 0;
    uint32_t author = peer->heads_next, left = peer->heads_left, log = peer->heads_log;
    size_t target = HEADS_BYTES_TARGET;
    if (peer->budget.is_paid)
        target = budget_telling(node, peer, target);
    parley_writer_init(&items, node->items, PARLEY_ITEMS_BYTES);
    while (left > 0 && items.size < target && count < PARLEY_WIRE_AUTHORS_MAX) {
        if (log != NONE || is_told_to(node, peer, author)) {
            if (log == NONE)
                log = node->authors[author].logs_first;
            put_author(node, &items, author, &log);
            count++;
        }
        if (log != NONE)
            continue;
        author = (author + 1) % node->authors_count;
        left--;
    }
    bool last = left == 0;
    if (!send_heads(node, peer, &items, count, peer->heads_session, last))
        return false;
    if (peer->budget.is_paid || count == 0) /* that there is nothing new is no news */
        budget_take_telling(peer, PARLEY_LINK_SEALED_SIZE(items.size + 8));
    peer->heads_next = author;
    peer->heads_left = left;
    peer->heads_log = log;
    peer->is_told = !last;
    if (last)
        peer->heads_told = peer->unwanted.told = peer->heads_until;
    return true;
}

static void heads_pump_peer(struct parley_node *node, struct peer *peer) {
    while (peer->is_told && peer->unsent_bytes < peer_window(node, PARLEY_WINDOW_BYTES) &&
           effects_have_room(node) && (!peer->budget.is_paid || budget_may_tell(node, peer)))
        if (!heads_send_next(node, peer))
            return;
}

/* At most: of logs it is not known without looking whose they are. */
static size_t bytes_of_all(const struct parley_node *node, const struct peer *peer) {
    size_t authors =
        peer->mode == PARLEY_INTEREST_AUTHORS ? peer->interest_count : node->authors_used;
    return (authors + node->logs_used) * PARLEY_HEAD_BYTES;
}

void heads_answer_all(struct parley_node *node, struct peer *peer) {
    struct peer_budget *budget = &peer->budget;
    budget->owes_all = budget->was_told_all || peer->is_told;
    budget->was_told_all = true;
    if (!budget->owes_all) {
        heads_send_all(node, peer, 0);
        /* Links cost a stranger nothing, so even the first time is paid for: as much of it at a
         * time as there is. */
        budget->is_paid = peer_is_stranger(peer);
    } else if (!budget_may_tell_all(node, peer, bytes_of_all(node, peer))) {
        heads_send_changes(node, peer);
    }
}

/* What it was told before is told again when that is paid for; until then what has changed. */
static void pay_what_is_owed(struct parley_node *node, struct peer *peer) {
    if (!peer->budget.owes_all || peer->is_told ||
        !budget_may_tell_all(node, peer, bytes_of_all(node, peer)))
        return;
    peer->budget.owes_all = false;
    heads_send_all(node, peer, 0);
    peer->budget.is_paid = true;
}

void heads_pump(struct parley_node *node) {
    for (size_t i = 0; i < node->peers_count; i++) {
        struct peer *peer = &node->peers[i];
        if (peer->phase != PEER_OPEN)
            continue;
        pay_what_is_owed(node, peer);
        unwanted_pay(node, peer);
        if (peer->is_told)
            heads_pump_peer(node, peer);
    }
}

/* --- hearing ------------------------------------------------------------------------------- */

#define EVIDENCE_AGAIN_MS 180000u /* what a busy peer dropped; a few chunks each time */

/* Of two forks that of the lower seq is the verdict: who knows of it shows it. Once, as long as
 * neither changes: who did not take it has other identity records. */
static void show_evidence(struct parley_node *node, struct peer *peer, uint32_t log,
                          const struct parley_wire_head *head) {
    struct log_row *row = &node->logs[log];
    struct {
        uint64_t connection, forked, theirs, head_seq, world, time;
        struct parley_id head_id;
    } all = {peer->connection, row->forked, head->forked_seq,
             head->seq,        row->world,  node->now / EVIDENCE_AGAIN_MS,
             head->id};
    if (!row->is_proved)
        return; /* not on the disk yet; heads are told again when it is */
    uint64_t said = table_hash_of(node, PARLEY_SPAN(&all, sizeof all));
    if (row->shown_to != said && serve_evidence(node, peer, log))
        row->shown_to = said;
}

/* Both know the same fork, and it has less of what is below. A session tells a forked log once and
 * not in order, and what it then told may have given way there to what the fork has made void. */
static bool is_behind(const struct log_row *row, const struct parley_wire_head *head) {
    struct parley_anchor told;
    bool is_signed;
    return head->forked_seq != 0 && head->forked_seq == log_forked(row) &&
           log_told(row, &told, &is_signed) && head->seq < told.seq;
}

/* is_second: of this log, right after its head. */
static void on_head(struct parley_node *node, struct peer *peer, uint32_t author,
                    const struct parley_wire_head *head, bool is_second) {
    uint32_t log = log_find(node, &head->log);
    if (log == NONE || node->logs[log].author != author)
        return;
    if (is_second) {
        want_named(node, peer, log, head);
        return;
    }
    parley_seq forked = log_forked(&node->logs[log]);
    if (forked != 0 && (head->forked_seq == 0 || forked < head->forked_seq))
        show_evidence(node, peer, log, head);
    /* What is not known there yet, and what is not known here, is told again. */
    if (forked != head->forked_seq)
        peer->is_forgotten = true;
    /* Who knows of a lower one shows it to who says that they do not. */
    bool is_lower = head->forked_seq != 0 && (forked == 0 || head->forked_seq < forked);
    if ((is_lower || is_behind(&node->logs[log], head)) && budget_may_tell(node, peer)) {
        heads_send_log(node, peer, log);
        budget_take_telling(peer, PARLEY_HEAD_BYTES);
    }
    want(node, peer, log, head->seq, &head->id, head->low_seq);
    bodies_want(node, peer, log, head->seq);
}

void on_heads(struct parley_node *node, struct peer *peer, const struct parley_wire_heads *heads) {
    struct parley_wire_list authors = heads->authors;
    struct parley_wire_author_heads item;
    while (parley_wire_next_author_heads(&authors, &item)) {
        /* Who answers no asks cannot make a name a person. */
        bool may_be_new = node->config.relay && !peer->is_silent && !evict_knows(node, &item);
        uint32_t author =
            may_be_new ? named_take(node, peer, &item.author) : author_find(node, &item.author);
        if (author == NONE || !author_is_wanted(node, author)) {
            if (heads->session == PARLEY_HEADS_AFTER_RECORDS)
                parents_on_records(node, peer, &item.author);
            continue;
        }
        struct parley_identity_hash hash;
        parley_identity_hash(&hash, &node->authors[author].set);
        /* After records (session 1) a difference means that ours are more: theirs to ask for. */
        if (heads->session == PARLEY_HEADS_AFTER_RECORDS)
            identity_answered(node, peer, author);
        else if (memcmp(hash.bytes, item.set_hash, sizeof item.set_hash) != 0)
            identity_want(node, peer, author);
        struct parley_wire_head head;
        struct parley_log last = {{0}};
        while (parley_wire_next_head(&item.heads, &head)) {
            on_head(node, peer, author, &head, PARLEY_EQUAL(head.log, last));
            last = head.log;
        }
    }
    identity_pump(node);
    fetch_pump(node);
}

/* --- regularly ---------------------------------------------------------------------------- */

/* What changed there since it last told is enough, unless something that it told was lost here. */
void heads_ask(struct parley_node *node, struct peer *peer) {
    if (sessions_ask(node, peer))
        return;
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_HEADS};
    bool is_all = peer->is_forgotten && !peer->session.is_spoken;
    message.as.ask_heads.session = is_all ? PARLEY_HEADS_ALL : PARLEY_HEADS_CHANGES;
    if (peer_send_message(node, peer, &message) && is_all)
        peer->is_forgotten = false;
}

void heads_forget(struct parley_node *node) {
    for (size_t i = 0; i < node->peers_count; i++)
        node->peers[i].is_forgotten = true;
}

void heads_forget_and_ask(struct parley_node *node) {
    heads_forget(node);
    node->sessions.missing_anew++;
    if (node->heads_at > node->now + SOON_MS)
        node->heads_at = node->now + SOON_MS;
    deadline_lower(node, node->heads_at);
}

void heads_lose(struct parley_node *node) {
    heads_forget(node);
    for (size_t i = 0; i < node->peers_count; i++)
        node->peers[i].session.has_lost = true;
}

void author_changed(struct parley_node *node, uint32_t author) {
    node->authors[author].changed = ++node->changes_count;
}

/* The open one whose last turn is longest ago, of those that are asked for everything or of all;
 * NULL: none. */
static struct peer *whose_turn(struct parley_node *node, bool only_forgotten) {
    struct peer *found = NULL;
    for (size_t i = 0; i < node->peers_count; i++) {
        struct peer *peer = &node->peers[i];
        if (peer->phase == PEER_OPEN && (peer->is_forgotten || !only_forgotten) &&
            (found == NULL || peer->asked < found->asked))
            found = peer;
    }
    return found;
}

/* One peer each time: cost does not grow with the number of peers. Every other turn is of those
 * that have something to tell again, if there are any; but a peer that never agrees has that for
 * ever, and keeps nobody else from being asked. */
static void ask_somebody(struct parley_node *node) {
    node->heads_turns++;
    struct peer *peer = node->heads_turns % 2 == 1 ? whose_turn(node, true) : NULL;
    if (peer == NULL)
        peer = whose_turn(node, false);
    if (peer == NULL)
        return;
    peer->asked = node->heads_turns;
    heads_ask(node, peer);
    missing_ask(node, peer);
}

void catchup_on_timer(struct parley_node *node) {
    if (node->now >= node->heads_at) {
        ask_somebody(node);
        node->heads_at = node->now + PARLEY_HEADS_EVERY_MS / 2 +
                         parley_random_below(&node->random, PARLEY_HEADS_EVERY_MS);
    }
    deadline_lower(node, node->heads_at);
    identity_on_timer(node);
    fetch_on_timer(node);
    parents_on_timer(node);
    bodies_on_timer(node);
}
