#include "internal.h"

/* Whom to dial, and when: addresses that the owner gave, each tried again with a growing pause. */

#define META_BOOK "peer/"

static uint32_t book_find(const struct parley_node *node, const struct parley_node_key *key) {
    for (uint32_t i = 0; i < PARLEY_BOOK_ADDRESSES_MAX; i++)
        if (node->book[i].is_used && node_keys_meet(&node->book[i].address.key, key))
            return i;
    return NONE;
}

bool book_is_empty(const struct parley_node *node) {
    for (uint32_t i = 0; i < PARLEY_BOOK_ADDRESSES_MAX; i++)
        if (node->book[i].is_used)
            return false;
    return true;
}

bool book_holds(const struct parley_node *node, const struct parley_node_key *key) {
    return book_find(node, key) != NONE;
}

static struct parley_span meta_key(const struct parley_node_key *key, uint8_t out[64]) {
    size_t prefix = strlen(META_BOOK);
    memcpy(out, META_BOOK, prefix);
    memcpy(out + prefix, key->bytes, sizeof key->bytes);
    return PARLEY_SPAN(out, prefix + sizeof key->bytes);
}

uint32_t book_take(struct parley_node *node, const struct parley_address *address) {
    uint32_t at = book_find(node, &address->key);
    if (at != NONE && !PARLEY_EQUAL(node->book[at].address.key, address->key)) {
        (void)book_forget(node, &address->key, 0); /* its row on disk bears the other sign */
        at = NONE;
    }
    for (uint32_t i = 0; at == NONE && i < PARLEY_BOOK_ADDRESSES_MAX; i++)
        if (!node->book[i].is_used)
            at = i;
    if (at == NONE)
        return NONE;
    struct book_row *row = &node->book[at];
    if (!row->is_used)
        row->peer = NONE;
    row->is_used = true;
    row->address = *address;
    row->failures = 0;
    row->dial_at = node->now;
    deadline_lower(node, node->now);
    return at;
}

void book_keep(struct parley_node *node, uint32_t book, parley_request request) {
    struct book_row *row = &node->book[book];
    uint8_t key[64];
    char text[PARLEY_ADDRESS_TEXT_SIZE];
    parley_address_encode(text, &row->address);
    meta_put(node, meta_key(&row->address.key, key), PARLEY_SPAN(text, strlen(text)), request);
    row->is_kept = true;
}

void book_load(struct parley_node *node, struct parley_span value) {
    struct parley_address address;
    if (parley_address_decode(&address, value).error == PARLEY_E_OK) {
        uint32_t at = book_take(node, &address);
        if (at != NONE)
            node->book[at].is_kept = true;
    }
}

bool book_forget(struct parley_node *node, const struct parley_node_key *key,
                 parley_request request) {
    uint32_t at = book_find(node, key);
    if (at == NONE)
        return false;
    bool was_kept = node->book[at].is_kept;
    if (was_kept) {
        uint8_t name[64];
        meta_put(node, meta_key(&node->book[at].address.key, name), PARLEY_NO_SPAN, request);
    }
    if (node->book[at].peer != NONE)
        node->peers[node->book[at].peer].book = NONE;
    node->book[at].is_used = false;
    node->book[at].is_kept = false;
    return was_kept;
}

void book_on_closed(struct parley_node *node, uint32_t book, bool lasted) {
    struct book_row *row = &node->book[book];
    row->peer = NONE;
    if (lasted)
        row->failures = 0;
    parley_time_ms pause = (parley_time_ms)PARLEY_DIAL_BACKOFF_MIN_MS
                           << (row->failures < 16 ? row->failures : 16);
    if (pause > PARLEY_DIAL_BACKOFF_MAX_MS)
        pause = PARLEY_DIAL_BACKOFF_MAX_MS;
    row->failures = row->failures < 16 ? row->failures + 1 : 16;
    /* Jitter of a half, so that peers of a relay that came back do not all come at once. */
    row->dial_at = node->now + pause / 2 + parley_random_below(&node->random, pause / 2 + 1);
    deadline_lower(node, row->dial_at);
}

static bool is_connected(const struct parley_node *node, const struct parley_node_key *key) {
    for (size_t i = 0; i < node->peers_count; i++)
        if (node->peers[i].phase == PEER_OPEN && node_keys_meet(&node->peers[i].node_key, key))
            return true;
    return false;
}

void book_on_timer(struct parley_node *node) {
    if (!node->is_started || node->is_stopping)
        return;
    for (uint32_t i = 0; i < PARLEY_BOOK_ADDRESSES_MAX; i++) {
        struct book_row *row = &node->book[i];
        if (!row->is_used || row->peer != NONE)
            continue;
        if (node_keys_meet(&row->address.key, &node->node_key)) {
            row->is_used = false;
            continue;
        }
        parley_time_ms banned_until = bans_until(node, &row->address.key);
        if (banned_until > row->dial_at)
            row->dial_at = banned_until;
        if (node->now >= row->dial_at &&
            (is_connected(node, &row->address.key) || !peer_dial(node, i)))
            row->dial_at = node->now + PARLEY_DIAL_BACKOFF_MAX_MS;
        if (row->peer == NONE)
            deadline_lower(node, row->dial_at);
    }
}
