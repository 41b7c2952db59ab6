#include "internal.h"

/* The set of a session: which logs are its items, and which of them are to be told whole. */

#define PORTION_ROWS 2048u /* authors and logs looked at in one step: a millisecond or two */

/* An item's mark: the row, and what it is. */
#define MARK_TELL   (1u << 31)
#define MARK_AUTHOR (1u << 30) /* the row is of an author without a log */
#define MARK_ROW    (MARK_AUTHOR - 1)

/* --- what is compared ---------------------------------------------------------------------- */

static void describe_author(const struct parley_node *node, uint32_t author,
                            struct parley_reconcile_log *out) {
    struct parley_identity_hash hash;
    *out = (struct parley_reconcile_log){0};
    parley_identity_hash(&hash, &node->authors[author].set);
    memcpy(out->set_hash, hash.bytes, sizeof out->set_hash);
    memcpy(out->name, node->authors[author].set.author.bytes, sizeof out->name);
}

/* False: it is no item. */
static bool describe_log(const struct log_row *row, struct parley_reconcile_log *out) {
    struct parley_anchor told;
    bool is_signed;
    bool has_head = log_told(row, &told, &is_signed);
    memcpy(out->name, row->log.bytes, sizeof out->name);
    out->seq = has_head ? told.seq : 0;
    out->id = has_head ? told.id : (struct parley_id){{0}};
    out->forked_seq = log_forked(row);
    return has_head || out->forked_seq != 0 || row->policy.kind != PARLEY_POLICY_VOID;
}

static bool is_item(const struct parley_node *node, const struct peer *peer, uint32_t author) {
    return node->authors[author].set.revealed && author_is_wanted(node, author) &&
           peer_wants(node, peer, author);
}

uint32_t session_log(const struct parley_node *node, const struct session *session,
                     const struct parley_reconcile_item *item) {
    uint32_t row = item->mark & MARK_ROW;
    if ((item->mark & MARK_AUTHOR) != 0 || row >= node->logs_count || node->logs[row].is_free ||
        parley_reconcile_place(session->set.key, node->logs[row].log.bytes) != item->place)
        return NONE;
    return row;
}

static uint32_t session_author(const struct parley_node *node, const struct session *session,
                               const struct parley_reconcile_item *item) {
    uint32_t log = session_log(node, session, item), row = item->mark & MARK_ROW;
    if (log != NONE)
        return node->logs[log].author;
    if ((item->mark & MARK_AUTHOR) == 0 || row >= node->authors_count ||
        node->authors[row].is_free ||
        parley_reconcile_place(session->set.key, node->authors[row].set.author.bytes) !=
            item->place)
        return NONE;
    return row;
}

uint64_t session_hash(const struct parley_node *node, const struct session *session,
                      const struct parley_reconcile_item *item) {
    struct parley_reconcile_log all;
    uint32_t log = session_log(node, session, item), author = session_author(node, session, item);
    memset(&all, 0, sizeof all);
    if (author != NONE)
        describe_author(node, author, &all);
    if (log != NONE)
        (void)describe_log(&node->logs[log], &all);
    return table_hash_of(node, PARLEY_SPAN(&all, sizeof all));
}

/* --- making it ----------------------------------------------------------------------------- */

bool session_build(struct parley_node *node, struct peer *peer, struct session *session) {
    uint32_t looks = 0;
    for (; session->author < node->authors_count && looks < PORTION_ROWS; session->author++) {
        uint32_t author = session->author, before = session->set.count;
        struct parley_reconcile_log item, alone;
        looks++;
        if (!is_item(node, peer, author))
            continue;
        describe_author(node, author, &alone);
        item = alone;
        for (uint32_t log = node->authors[author].logs_first; log != NONE;
             log = node->logs[log].next_of_author, looks++) {
            if (describe_log(&node->logs[log], &item))
                (void)parley_reconcile_add(&session->set, &item, log);
        }
        if (session->set.count == before)
            (void)parley_reconcile_add(&session->set, &alone, author | MARK_AUTHOR);
    }
    return session->author == node->authors_count;
}

/* --- telling ------------------------------------------------------------------------------- */

void session_tell(struct session *session, struct parley_reconcile_item *item) {
    uint32_t index = (uint32_t)(item - session->items);
    if ((item->mark & MARK_TELL) != 0)
        return;
    item->mark |= MARK_TELL;
    session->tells_left++;
    if (index < session->tells_next)
        session->tells_next = index;
}

static size_t put_item(struct parley_node *node, const struct session *session,
                       const struct parley_reconcile_item *item, struct parley_writer *out) {
    uint32_t log = session_log(node, session, item), author = session_author(node, session, item);
    if (author == NONE || author_is_blocked(node, author) || node->authors[author].quota.is_leaving)
        return 0;
    heads_put_log(node, out, author, log);
    return 1;
}

void session_tell_on(struct parley_node *node, struct peer *peer, struct session *session) {
    while (session->tells_left > 0 && peer->unsent_bytes < peer_window(node, PARLEY_WINDOW_BYTES) &&
           effects_have_room(node)) {
        struct parley_writer items;
        size_t count = 0;
        uint32_t next = session->tells_next, left = session->tells_left;
        parley_writer_init(&items, node->items, PARLEY_ITEMS_BYTES);
        for (; left > 0 && count < PARLEY_TELLS_PER_MESSAGE; next++)
            if ((session->items[next].mark & MARK_TELL) != 0) {
                count += put_item(node, session, &session->items[next], &items);
                left--;
            }
        if (count > 0 && !heads_send(node, peer, &items, count))
            return;
        if (session->is_again)
            budget_take_telling(peer, items.size);
        for (uint32_t i = session->tells_next; i < next; i++)
            session->items[i].mark &= ~MARK_TELL;
        session->tells_next = next;
        session->tells_left = left;
    }
}
