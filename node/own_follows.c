#include "internal.h"

/* A person follows with all of their devices: what one of them said in its log, the others do. The
 * last word counts, in whatever order the words arrive, so a "no" is remembered like a "yes". */

/* No chunk holds more: an entry that names an author has a signature, a salt and that name. Each
 * costs a row of the store; all of them, one message to each peer. */
#define FOLLOWS_PER_CHUNK_MAX 640u

static_assert(PARLEY_CHUNK_LARGEST / (64 + 16 + 32) < FOLLOWS_PER_CHUNK_MAX, "as it says");
static_assert(2 * FOLLOWS_PER_CHUNK_MAX < PARLEY_STORES_MAX, "there is room for a chunk at rest");

/* ---- what is kept -------------------------------------------------------------------------- */

struct parley_span own_follow_write(uint8_t value[OWN_FOLLOW_BYTES], bool on, bool is_private,
                                    const struct own_stamp *stamp) {
    value[0] = !on ? 'u' : is_private ? 'p' : 'f';
    parley_put_u64(value + 1, stamp->time);
    parley_put_u64(value + 9, stamp->seq);
    return PARLEY_SPAN(value, OWN_FOLLOW_BYTES);
}

bool own_follow_read(struct parley_span value, bool *on, bool *is_private,
                     struct own_stamp *stamp) {
    *stamp = (struct own_stamp){0};
    if (value.size != 1 && value.size != OWN_FOLLOW_BYTES)
        return false;
    *on = value.data[0] != 'u';
    *is_private = value.data[0] == 'p';
    if (value.size == OWN_FOLLOW_BYTES)
        *stamp = (struct own_stamp){parley_get_u64(value.data + 1), parley_get_u64(value.data + 9)};
    return true;
}

/* ---- one statement ------------------------------------------------------------------------- */

static bool is_news(const struct author_row *row, const struct own_stamp *stamp, bool on) {
    if (stamp->time != row->said.time)
        return stamp->time > row->said.time;
    if (stamp->seq != row->said.seq)
        return stamp->seq > row->said.seq;
    return row->is_followed && !on;
}

/* Peers are told of all that changes at once. */
struct changes {
    uint8_t added_bytes[34 * FOLLOWS_PER_CHUNK_MAX], removed_bytes[34 * FOLLOWS_PER_CHUNK_MAX];
    struct parley_writer added, removed;
    size_t added_count, removed_count;
};

static void apply(struct parley_node *node, const struct parley_author *author, bool on,
                  const struct own_stamp *stamp, struct changes *changes) {
    /* A "no" to somebody unknown may take no place from whom the owner follows. */
    uint32_t index = on ? author_take(node, author) : author_take_stranger(node, author);
    if (index == NONE || node->authors[index].depth == 0 ||
        !is_news(&node->authors[index], stamp, on))
        return;
    bool was = author_is_wanted(node, index);
    named_is_real(node, index);
    struct author_row *row = &node->authors[index];
    row->said = *stamp;
    row->is_followed = on;
    row->is_private = false;
    quota_set_depth(node, index, on ? 1 : UINT8_MAX);
    edges_changed(node);
    missing_name(node, index);
    follow_keep(node, index, 0);
    bool is = author_is_wanted(node, index);
    if (is && !was && ++changes->added_count > 0)
        parley_wire_put_author(&changes->added, author);
    if (!is && was && ++changes->removed_count > 0)
        parley_wire_put_author(&changes->removed, author);
}

static void apply_body(struct parley_node *node, struct parley_span bytes, parley_time_ms time,
                       parley_seq seq, struct changes *changes) {
    struct own_stamp stamp = {time < node->wall ? time : node->wall, seq};
    if (parley_body_decode(&node->body, bytes).error == PARLEY_E_OK &&
        node->body.kind == PARLEY_BODY_FOLLOW)
        apply(node, &node->body.follow.author, node->body.follow.on, &stamp, changes);
}

/* ---- where they come from ------------------------------------------------------------------ */

static bool is_own(const struct parley_node *node, uint32_t log) {
    return node->authors[node->logs[log].author].depth == 0;
}

static bool has_room(const struct parley_node *node) {
    return store_has_room(node) && effects_have_room(node) &&
           node->stores_tail - node->stores_head + FOLLOWS_PER_CHUNK_MAX < PARLEY_STORES_MAX &&
           node->effects_count + 2 * FOLLOWS_PER_CHUNK_MAX < PARLEY_EFFECTS_MAX;
}

static void begin(struct changes *changes) {
    parley_writer_init(&changes->added, changes->added_bytes, sizeof changes->added_bytes);
    parley_writer_init(&changes->removed, changes->removed_bytes, sizeof changes->removed_bytes);
    changes->added_count = changes->removed_count = 0;
}

static void tell(struct parley_node *node, const struct changes *changes) {
    if (changes->added_count + changes->removed_count > 0)
        interest_send_lists(node, parley_wire_list_of(&changes->added, changes->added_count),
                            parley_wire_list_of(&changes->removed, changes->removed_count));
}

bool own_look_at(struct parley_node *node, const struct chunk_task *task, uint32_t log,
                 const struct parley_chunk *chunk) {
    struct changes changes;
    struct parley_chunk_cursor cursor;
    struct parley_item item;
    if (!is_own(node, log) || task->source == CHUNK_OWN || chunk->bodies_count == 0)
        return true;
    if (!has_room(node))
        return false;
    begin(&changes);
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next_item(&cursor, &item))
        if (item.has_body)
            apply_body(node, item.body, item.time, item.seq, &changes);
    tell(node, &changes);
    return true;
}

void own_look_at_bodies(struct parley_node *node, uint32_t log, struct parley_span headers,
                        struct parley_wire_list bodies) {
    struct changes changes;
    struct parley_chunk chunk;
    struct parley_wire_body body;
    struct parley_entry entry;
    if (!is_own(node, log) || !has_room(node) ||
        parley_chunk_decode(&chunk, headers).error != PARLEY_E_OK)
        return;
    begin(&changes);
    while (parley_wire_next_body(&bodies, &body))
        if (parley_chunk_find(&chunk, body.seq, &entry))
            apply_body(node, body.body, entry.header.time, body.seq, &changes);
    tell(node, &changes);
}
