#include "internal.h"

/* What peers want of us, and what we want of them. A relay wants everything; a person's node wants
 * the authors whom the owner follows, and whom those follow up to the owner's number of hops. */

#define META_FOLLOW  "follow/"
#define NAMED        1u  /* a mark: told because it was named */
#define INTEREST_MIN 16u /* the smallest piece of the memory of all: 128 bytes */

/* Heap sort: in place and without an allocator, which libc's qsort does not promise. */
static void sift(uint64_t *items, size_t from, size_t count) {
    for (size_t child; (child = 2 * from + 1) < count; from = child) {
        if (child + 1 < count && items[child + 1] > items[child])
            child++;
        if (items[from] >= items[child])
            return;
        uint64_t swap = items[from];
        items[from] = items[child];
        items[child] = swap;
    }
}

static void sort_hashes(uint64_t *items, size_t count) {
    for (size_t i = count / 2; i-- > 0;)
        sift(items, i, count);
    for (size_t end = count; end-- > 1;) {
        uint64_t swap = items[0];
        items[0] = items[end];
        items[end] = swap;
        sift(items, 0, end);
    }
}

/* The first place whose value is not below the hash. */
static uint32_t interest_place(const struct peer *peer, uint64_t hash) {
    uint32_t low = 0, high = peer->interest_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (peer->interest[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool interest_has(const struct peer *peer, uint64_t hash) {
    uint32_t at = interest_place(peer, hash);
    return at < peer->interest_count && peer->interest[at] == hash;
}

bool peer_wants(const struct parley_node *node, const struct peer *peer, uint32_t author) {
    if (author_is_blocked(node, author))
        return false; /* and gets nothing */
    switch (peer->mode) {
    case PARLEY_INTEREST_NOTHING:
        return false;
    case PARLEY_INTEREST_EVERYTHING:
        return true;
    case PARLEY_INTEREST_AUTHORS:
        return interest_has(peer, table_hash(node, node->authors[author].set.author.bytes));
    }
    return false;
}

/* --- ours ---------------------------------------------------------------------------------- */

void interest_send(struct parley_node *node, struct peer *peer) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_INTEREST};
    message.as.interest.mode =
        node->config.relay ? PARLEY_INTEREST_EVERYTHING : PARLEY_INTEREST_AUTHORS;
    if (node->config.relay) {
        (void)peer_send_message(node, peer, &message);
        missing_name_all(node, peer);
        return;
    }
    uint8_t buffer[PARLEY_INTEREST_PER_MESSAGE * 34];
    struct parley_writer writer;
    size_t count = 0;
    parley_writer_init(&writer, buffer, sizeof buffer);
    for (uint32_t i = 0; i <= node->authors_count; i++) {
        if (i < node->authors_count && author_is_wanted(node, i)) {
            parley_wire_put_author(&writer, &node->authors[i].set.author);
            count++;
        }
        bool is_end = i == node->authors_count;
        if (count < PARLEY_INTEREST_PER_MESSAGE && !is_end)
            continue;
        struct parley_wire_list list = parley_wire_list_of(&writer, count);
        if (message.type == PARLEY_WIRE_INTEREST)
            message.as.interest.authors = list;
        else
            message.as.interest_change.added = list;
        if (message.type == PARLEY_WIRE_INTEREST || count > 0)
            (void)peer_send_message(node, peer, &message);
        message = (struct parley_wire_message){.type = PARLEY_WIRE_INTEREST_CHANGE};
        parley_writer_init(&writer, buffer, sizeof buffer);
        count = 0;
    }
}

void interest_send_change(struct parley_node *node, const struct parley_author *author, bool on) {
    uint8_t buffer[34];
    struct parley_writer writer;
    parley_writer_init(&writer, buffer, sizeof buffer);
    parley_wire_put_author(&writer, author);
    struct parley_wire_list list = parley_wire_list_of(&writer, 1);
    struct parley_wire_list nobody = {PARLEY_NO_SPAN, 0};
    interest_send_lists(node, on ? list : nobody, on ? nobody : list);
}

void interest_send_lists(struct parley_node *node, struct parley_wire_list added,
                         struct parley_wire_list removed) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_INTEREST_CHANGE};
    message.as.interest_change.added = added;
    message.as.interest_change.removed = removed;
    if (node->config.relay)
        return;
    for (size_t i = 0; i < node->peers_count; i++)
        if (node->peers[i].phase == PEER_OPEN)
            (void)peer_send_message(node, &node->peers[i], &message);
}

/* --- theirs -------------------------------------------------------------------------------- */

void interest_clear(struct parley_node *node, struct peer *peer) {
    arena_give(&node->interests, peer->interest, peer->interest_max * sizeof *peer->interest);
    peer->interest = NULL;
    peer->interest_count = peer->interest_max = 0;
}

/* Most peers name a few authors, and there may be thousands of peers. False: that is too many. */
static bool interest_reserve(struct parley_node *node, struct peer *peer, size_t count) {
    if (count <= peer->interest_max)
        return true;
    uint32_t max = INTEREST_MIN;
    while (max < count)
        max *= 2;
    uint64_t *grown = max > PARLEY_INTEREST_AUTHORS_MAX
                          ? NULL
                          : arena_take(&node->interests, max * sizeof *grown, 0);
    if (grown == NULL)
        return false;
    if (peer->interest_count > 0)
        memcpy(grown, peer->interest, peer->interest_count * sizeof *grown);
    arena_give(&node->interests, peer->interest, peer->interest_max * sizeof *peer->interest);
    peer->interest = grown;
    peer->interest_max = max;
    return true;
}

void on_interest(struct parley_node *node, struct peer *peer,
                 const struct parley_wire_interest *interest) {
    interest_clear(node, peer);
    peer->mode = interest->mode;
    tree_on_interest(node, peer);
    struct parley_wire_list list = interest->authors;
    struct parley_author author;
    while (parley_wire_next_author(&list, &author))
        if (interest_reserve(node, peer, peer->interest_count + 1))
            peer->interest[peer->interest_count++] = table_hash(node, author.bytes);
    sort_hashes(peer->interest, peer->interest_count);
    if (!peer->session.is_spoken)
        heads_answer_all(node, peer);
    else if (peer->session.is_begun) { /* another one than that of the first session */
        peer->is_forgotten = true;
        unwanted_lost(node, peer);
    }
}

static bool interest_insert(struct parley_node *node, struct peer *peer, uint64_t hash) {
    uint32_t at = interest_place(peer, hash);
    if (at < peer->interest_count && peer->interest[at] == hash)
        return true;
    if (!interest_reserve(node, peer, peer->interest_count + 1))
        return false;
    memmove(&peer->interest[at + 1], &peer->interest[at],
            (peer->interest_count - at) * sizeof *peer->interest);
    peer->interest[at] = hash;
    peer->interest_count++;
    return true;
}

static void interest_remove(struct peer *peer, uint64_t hash) {
    uint32_t at = interest_place(peer, hash);
    if (at == peer->interest_count || peer->interest[at] != hash)
        return;
    peer->interest_count--;
    memmove(&peer->interest[at], &peer->interest[at + 1],
            (peer->interest_count - at) * sizeof *peer->interest);
}

/* By name, at once. Of whom this link names for the first time, as a session would tell it; all
 * else is paid for. False: that has to wait. */
static bool tell_named(struct parley_node *node, struct peer *peer, uint32_t author) {
    struct {
        uint64_t connection, author, named;
    } all = {peer->connection, author, NAMED};
    if (!author_is_told(node, author))
        return true;
    bool is_news = !said_before(node, PARLEY_SPAN(&all, sizeof all)) &&
                   peer->budget.named_free < PARLEY_INTEREST_AUTHORS_MAX;
    if (!is_news && !budget_may_tell(node, peer))
        return false;
    size_t bytes = heads_send_author(node, peer, author, 0);
    peer->budget.named_free += is_news;
    if (!is_news)
        budget_take_telling(peer, bytes);
    return true;
}

void on_interest_change(struct parley_node *node, struct peer *peer,
                        struct parley_wire_interest_change *change) {
    struct parley_author author;
    if (peer->mode == PARLEY_INTEREST_NOTHING)
        peer->mode = PARLEY_INTEREST_AUTHORS;
    while (parley_wire_next_author(&change->removed, &author))
        interest_remove(peer, table_hash(node, author.bytes));
    while (parley_wire_next_author(&change->added, &author)) {
        uint32_t row = author_find(node, &author);
        if (peer->mode == PARLEY_INTEREST_EVERYTHING) { /* it names these once more, if need be */
            (void)(row != NONE && tell_named(node, peer, row));
            continue;
        }
        bool is_told = !peer->session.is_spoken || peer->session.is_begun;
        if (interest_insert(node, peer, table_hash(node, author.bytes)) && row != NONE && is_told &&
            !tell_named(node, peer, row))
            peer->budget.owes_all = true; /* with all the others, when there is more */
    }
}

/* --- the owner's follows ------------------------------------------------------------------- */

static struct parley_span meta_name(const char *prefix, const struct parley_author *author,
                                    uint8_t out[64]) {
    size_t size = strlen(prefix);
    memcpy(out, prefix, size);
    memcpy(out + size, author->bytes, sizeof author->bytes);
    return PARLEY_SPAN(out, size + sizeof author->bytes);
}

static void depth_set(struct parley_node *node, uint32_t author, uint8_t depth) {
    bool was = author_is_wanted(node, author);
    quota_set_depth(node, author, depth);
    if (depth != UINT8_MAX)
        named_is_real(node, author);
    bool is = author_is_wanted(node, author);
    if (was != is)
        interest_send_change(node, &node->authors[author].set.author, is);
    missing_name(node, author);
}

void follow_set(struct parley_node *node, uint32_t author, bool on, bool is_private) {
    struct author_row *row = &node->authors[author];
    if (row->depth == 0)
        return;
    row->is_followed = on;
    row->is_private = on && is_private;
    depth_set(node, author, on ? 1 : UINT8_MAX);
    edges_changed(node);
}

void follow_keep(struct parley_node *node, uint32_t author, parley_request request) {
    const struct author_row *row = &node->authors[author];
    uint8_t name[64], value[OWN_FOLLOW_BYTES];
    meta_put(node, meta_name(META_FOLLOW, &row->set.author, name),
             own_follow_write(value, row->is_followed, row->is_private, &row->said), request);
}

void follows_keep(struct parley_node *node) {
    for (uint32_t i = 0; i < node->authors_count; i++)
        if (!node->authors[i].is_free && node->authors[i].said.time != 0 &&
            effects_have_room(node) && store_has_room(node))
            follow_keep(node, i, 0);
}

static void load_follow(struct parley_node *node, const struct parley_author *author,
                        struct parley_span value) {
    struct own_stamp said;
    bool on, is_private;
    uint32_t row =
        own_follow_read(value, &on, &is_private, &said) ? author_take(node, author) : NONE;
    if (row == NONE)
        return;
    node->authors[row].said = said;
    if (on)
        follow_set(node, row, true, is_private);
}

void interest_load_meta(struct parley_node *node, struct parley_span key,
                        struct parley_span value) {
    struct parley_author author;
    size_t follow = strlen(META_FOLLOW);
    if (key.size == follow + sizeof author.bytes && memcmp(key.data, META_FOLLOW, follow) == 0) {
        memcpy(author.bytes, key.data + follow, sizeof author.bytes);
        load_follow(node, &author, value);
    }
}

void on_follow(struct parley_node *node, const struct parley_event *event) {
    parley_request request = event->follow.request;
    const struct parley_author *author = &event->follow.author;
    uint32_t row = author_take(node, author);
    if (row == NONE || !store_has_room(node)) {
        effect_reply(node, request, row == NONE ? PARLEY_E_FULL : PARLEY_E_READ_ONLY);
        return;
    }
    if (node->authors[row].depth == 0) {
        effect_reply(node, request, PARLEY_E_BAD_INPUT);
        return;
    }
    if (event->follow.on && author_is_blocked(node, row)) {
        effect_reply(node, request, PARLEY_E_BLOCKED);
        return;
    }
    bool was_public = node->authors[row].is_followed && !node->authors[row].is_private;
    follow_set(node, row, event->follow.on, event->follow.is_private);
    /* What is said here and now is the last word, whatever the clocks of other devices say. */
    struct own_stamp *said = &node->authors[row].said;
    *said = (struct own_stamp){said->time < node->wall ? node->wall : said->time + 1, 0};
    /* Public following is said, and unsaid, in one's own log. */
    bool says = event->follow.on ? !event->follow.is_private && !was_public : was_public;
    says = says && node->config.has_device;
    follow_keep(node, row, says ? 0 : request);
    if (!says)
        return;
    node->body = (struct parley_body){.kind = PARLEY_BODY_FOLLOW};
    node->body.follow.author = *author;
    node->body.follow.on = event->follow.on;
    uint8_t bytes[64];
    struct parley_span body;
    if (parley_body_encode(&body, bytes, sizeof bytes, &node->body) == PARLEY_E_OK)
        on_publish(node, request, body, said->time);
    else
        effect_reply(node, request, PARLEY_E_BAD_INPUT);
}

void interest_look_at_body(struct parley_node *node, uint32_t log, parley_seq seq,
                           parley_time_ms time, struct parley_span body) {
    if (node->config.relay || node->config.hops < 2)
        return;
    if (parley_body_decode(&node->body, body).error == PARLEY_E_OK &&
        node->body.kind == PARLEY_BODY_FOLLOW)
        edges_say(node, log, seq, time, &node->body.follow.author, node->body.follow.on);
}

void interest_look_at(struct parley_node *node, uint32_t log, struct parley_span bytes) {
    if (node->config.relay || node->config.hops < 2)
        return;
    struct parley_chunk chunk;
    if (parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK)
        return;
    struct parley_chunk_cursor cursor;
    struct parley_item item;
    parley_chunk_start(&cursor, &chunk);
    while (parley_chunk_next_item(&cursor, &item))
        if (item.has_body)
            interest_look_at_body(node, log, item.seq, item.time, item.body);
}
