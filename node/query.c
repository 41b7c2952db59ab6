#include "internal.h"

#include <parley/digest.h>

/* What the owner's programs may ask between steps. */

void parley_node_status(const struct parley_node *node, struct parley_node_status *out) {
    *out = (struct parley_node_status){0};
    for (size_t i = 0; i < node->peers_count; i++) {
        out->connections_count += node->peers[i].phase != PEER_FREE;
        out->peers_count += node->peers[i].phase == PEER_OPEN;
    }
    out->outbound_count = views_outbound(node);
    out->addresses_count = node->views.table->count;
    out->reached_count = node->views.table->tried_count;
    out->has_nobody_to_dial = out->peers_count == 0 && book_is_empty(node) &&
                              out->addresses_count == 0 && node->views.bootstrap_count == 0;
    for (size_t i = 0; i < node->logs_count; i++) {
        out->logs_count += node->logs[i].entries_count != 0;
        out->is_judging |= node->logs[i].is_unjudged || node->logs[i].is_doubted;
    }
    for (size_t i = 0; i < node->authors_count; i++)
        out->authors_count += node->authors[i].set.revealed;
    out->entries_count = node->entries_count;
    out->is_writable = !node->is_failed;
    out->is_catching_up = node_is_catching_up(node);
    out->stores_in_flight = node->stores_tail - node->stores_head;
    out->duplicates_count = node->duplicates_count;
    out->held_bytes = node->quota.bytes;
    out->strangers_bytes = node->quota.strangers_bytes;
    out->quota_bytes = node->config.quota_bytes;
    out->is_at_quota = quota_is_reached(node);
    out->is_full = node->quota.is_full;
}

size_t parley_node_unreviewed(const struct parley_node *node) {
    return node->is_failed ? 0 : node->unreviewed_count;
}

bool parley_node_peer_next(const struct parley_node *node, size_t *place,
                           struct parley_node_peer *out) {
    while (*place < node->peers_count) {
        const struct peer *peer = &node->peers[(*place)++];
        if (peer->phase == PEER_FREE || peer->phase == PEER_CLOSING)
            continue;
        *out = (struct parley_node_peer){.connection = peer->connection,
                                         .key = peer->node_key,
                                         .is_open = peer->phase == PEER_OPEN,
                                         .is_dialled = peer->is_dialled,
                                         .is_relay = peer->is_relay,
                                         .remote = peer->view.remote,
                                         .since = peer->since,
                                         .received_bytes = peer->received_bytes,
                                         .sent_bytes = peer->sent_bytes};
        return true;
    }
    return false;
}

static void fill_log(const struct parley_node *node, const struct log_row *row,
                     struct parley_node_log *out) {
    memset(&out->author, 0, sizeof out->author);
    if (!row->is_free)
        out->author = node->authors[row->author].set.author;
    out->device = row->device;
    out->log = row->log;
    out->policy = row->policy;
    out->ranges = row->ranges;
    log_view(row, &out->good);
    out->floor = row->quota.floor;
    out->forked = log_forked(row);
    struct parley_anchor head;
    bool is_signed;
    (void)log_told(row, &head, &is_signed);
    out->head_seq = head.seq;
    out->head_id = head.id;
}

bool parley_node_log_at(const struct parley_node *node, size_t index, struct parley_node_log *out) {
    if (index >= node->logs_count)
        return false;
    fill_log(node, &node->logs[index], out);
    return true;
}

/* position: 0, then the row after the one that was told, and past the last one the end. */
bool parley_node_log_of(const struct parley_node *node, const struct parley_author *author,
                        size_t *position, struct parley_node_log *out) {
    uint32_t row = author_find(node, author), log = NONE;
    if (*position == 0 && row != NONE)
        log = node->authors[row].logs_first;
    else if (*position != 0)
        log = node->logs[*position - 1].next_of_author;
    if (log == NONE)
        return false;
    *position = (size_t)log + 1;
    fill_log(node, &node->logs[log], out);
    return true;
}

bool parley_node_log_find(const struct parley_node *node, const struct parley_log *log,
                          struct parley_node_log *out) {
    uint32_t row = log_find(node, log);
    if (row == NONE)
        return false;
    fill_log(node, &node->logs[row], out);
    return true;
}

static bool has_mark(const struct author_row *row, enum parley_list list) {
    return (row->lists >> list & 1) != 0;
}

bool parley_node_author_find(const struct parley_node *node, const struct parley_author *author,
                             struct parley_node_author *out) {
    uint32_t row = author_find(node, author);
    return row != NONE && parley_node_author_at(node, row, out);
}

bool parley_node_author_at(const struct parley_node *node, size_t index,
                           struct parley_node_author *out) {
    if (index >= node->authors_count)
        return false;
    const struct author_row *row = &node->authors[index];
    *out = (struct parley_node_author){.author = row->set.author,
                                       .is_followed = row->is_followed,
                                       .is_private = row->is_private,
                                       .is_wanted =
                                           !row->is_free && author_is_wanted(node, (uint32_t)index),
                                       .is_muted = has_mark(row, PARLEY_LIST_MUTE),
                                       .is_blocked = has_mark(row, PARLEY_LIST_BLOCK),
                                       .is_allowed = has_mark(row, PARLEY_LIST_ALLOW),
                                       .generation = row->set.generation,
                                       .is_revealed = row->set.revealed};
    return true;
}

bool parley_node_asking(const struct parley_node *node, const struct parley_log *log, bool bodies,
                        struct parley_node_asking *out) {
    uint32_t index = log_find(node, log);
    *out = (struct parley_node_asking){0};
    if (index == NONE)
        return false;
    const struct log_row *row = &node->logs[index];
    parley_connection source = bodies ? row->bodies.source : row->source;
    parley_time_ms at = bodies ? row->bodies.at : row->retry_at;
    for (size_t i = 0; source != 0 && i < node->peers_count; i++)
        if (node->peers[i].phase == PEER_OPEN && node->peers[i].connection == source) {
            out->has_source = true;
            out->peer = node->peers[i].node_key;
        }
    out->is_asked = (bodies ? row->bodies.ask : row->fetch) != NONE;
    out->failures = bodies ? row->bodies.failures : row->failures;
    out->again_in_ms = at > node->now ? at - node->now : 0;
    return true;
}

/* --- digest -------------------------------------------------------------------------------- */

/* The next row above `last` in the order of names; NONE at the end. Quadratic, and of few. */
static uint32_t next_log(const struct parley_node *node, uint32_t author, const uint8_t *last) {
    uint32_t best = NONE;
    for (uint32_t i = node->authors[author].logs_first; i != NONE;
         i = node->logs[i].next_of_author) {
        const uint8_t *name = node->logs[i].log.bytes;
        if ((last == NULL || memcmp(name, last, 32) > 0) &&
            (best == NONE || memcmp(name, node->logs[best].log.bytes, 32) < 0))
            best = i;
    }
    return best;
}

/* False when nothing of the author is counted. */
static bool author_digest(const struct parley_node *node, uint32_t author,
                          struct parley_hash *out) {
    struct parley_digest_hasher hasher;
    bool any = false;
    parley_digest_author_init(&hasher, PARLEY_DIGEST_HEADERS, &node->authors[author].set.author);
    uint32_t i = next_log(node, author, NULL);
    for (; i != NONE; i = next_log(node, author, node->logs[i].log.bytes)) {
        const struct log_row *row = &node->logs[i];
        struct parley_digest_range ranges[PARLEY_DIGEST_RANGES_MAX];
        struct parley_hash leaf;
        struct parley_ranges view;
        log_view(row, &view);
        size_t count = parley_digest_counted(ranges, &view, &row->policy);
        if (count == 0)
            continue;
        parley_digest_log(&leaf, &row->log, ranges, count);
        parley_digest_author_add(&hasher, &row->log, &leaf);
        any = true;
    }
    parley_digest_finish(&hasher, out);
    return any;
}

static void digest_add(const struct parley_node *node, struct parley_digest_hasher *hasher,
                       uint32_t author) {
    struct parley_hash digest;
    if (author_digest(node, author, &digest))
        parley_digest_all_add(hasher, &node->authors[author].set.author, &digest);
}

void parley_node_digest(const struct parley_node *node, const struct parley_author *authors,
                        size_t authors_count, struct parley_hash *out) {
    struct parley_digest_hasher hasher;
    parley_digest_all_init(&hasher, PARLEY_DIGEST_HEADERS);
    /* Ascending without an allocator: the least name above the last one, again and again. */
    const uint8_t *last = NULL;
    for (;;) {
        uint32_t best = NONE;
        size_t all = authors == NULL ? node->authors_count : authors_count;
        for (size_t i = 0; i < all; i++) {
            uint32_t row = authors == NULL ? (uint32_t)i : author_find(node, &authors[i]);
            if (row == NONE)
                continue;
            const uint8_t *name = node->authors[row].set.author.bytes;
            if ((last == NULL || memcmp(name, last, 32) > 0) &&
                (best == NONE || memcmp(name, node->authors[best].set.author.bytes, 32) < 0))
                best = row;
        }
        if (best == NONE)
            break;
        digest_add(node, &hasher, best);
        last = node->authors[best].set.author.bytes;
    }
    parley_digest_finish(&hasher, out);
}
