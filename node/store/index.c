#include "index.h"
#include "cost.h"
#include <parley/body.h>

/* A body in its one encoding begins with the map's head, key 0 and the kind. A post of nothing but
 * its text, and a follow, say nothing of other entries. */
static bool says_something(const struct parley_item *item) {
    const uint8_t *body = item->body.data;
    if (!item->has_body || item->version != PARLEY_ENTRY_VERSION || item->ext.size != 0 ||
        item->body.size < 4 || (body[0] & 0xf0) != 0x80 || body[1] != 0)
        return false;
    return body[2] == PARLEY_BODY_POST ? body[0] > 0x82 : body[2] != PARLEY_BODY_FOLLOW;
}

/* One entry being looked at. */
struct saying {
    struct batch *batch;
    struct log_row *row;
    parley_seq seq;
    parley_time_ms time, received_ms;
    bool is_put; /* else dropped */
};

static void change_row(const struct saying *saying, const struct key *key,
                       struct parley_span value) {
    uint64_t cost = cost_of(key->size, value.size);
    /* Rows d go by themselves when their time has come, and are few. */
    if (key->bytes[0] != 'd')
        saying->row->held.bytes += saying->is_put ? cost : -cost;
    if (saying->is_put)
        batch_put_span(saying->batch, key, value);
    else
        batch_drop(saying->batch, key);
}

static void change_link(const struct saying *saying, const struct parley_ref *to,
                        enum parley_link_kind kind, int8_t vote) {
    struct key key;
    uint8_t value[LINK_VALUE_SIZE];
    uint32_t group = kind == PARLEY_LINK_VOTE ? saying->row->author_number : 0;
    key_link(&key, &to->log, to->seq, (uint8_t)kind, group, saying->time, saying->row->number,
             saying->seq);
    memcpy(value, to->id.bytes, 8);
    value[8] = (uint8_t)vote;
    change_row(saying, &key, PARLEY_SPAN(value, sizeof value));
}

static void change_profile(const struct saying *saying) {
    struct key key;
    key_profile(&key, saying->row->author_number, saying->time, saying->row->number, saying->seq);
    change_row(saying, &key, PARLEY_NO_SPAN);
}

/* SPEC 5.7: an erasure reaches entries of its own log, below itself. */
static bool change_erasure(const struct saying *saying, const struct parley_erase *erase) {
    struct key key;
    bool any = false;
    for (size_t i = 0; i < erase->refs_count; i++) {
        const struct parley_ref *ref = &erase->refs[i];
        if (!PARLEY_EQUAL(ref->log, saying->row->held.log) || ref->seq >= saying->seq)
            continue;
        key_erasure(&key, saying->row->number, ref->seq, saying->seq);
        change_row(saying, &key, PARLEY_SPAN_OF(ref->id));
        any = true;
    }
    if (any) {
        key_pending(&key, saying->row->number, saying->received_ms, saying->seq);
        change_row(saying, &key, PARLEY_NO_SPAN);
    }
    return any;
}

/* True when it was an erasure that reaches something. */
static bool change_rows(const struct saying *saying, struct parley_span bytes) {
    struct parley_body body;
    if (parley_body_decode(&body, bytes).error != PARLEY_E_OK)
        return false;
    switch (body.kind) {
    case PARLEY_BODY_PROFILE:
        change_profile(saying);
        return false;
    case PARLEY_BODY_POST:
        if (body.post.has_root || body.post.has_parent)
            change_link(saying, body.post.has_root ? &body.post.root : &body.post.parent,
                        PARLEY_LINK_REPLY, 0);
        return false;
    case PARLEY_BODY_ECHO:
        change_link(saying, &body.echo.ref, PARLEY_LINK_ECHO, 0);
        return false;
    case PARLEY_BODY_VOTE:
        change_link(saying, &body.vote.ref, PARLEY_LINK_VOTE, body.vote.value);
        return false;
    case PARLEY_BODY_ERASE:
        return change_erasure(saying, &body.erase);
    case PARLEY_BODY_FOLLOW:
        return false;
    }
    return false;
}

static bool change(struct batch *batch, struct log_row *row, const struct parley_item *item,
                   parley_time_ms received_ms, bool is_put) {
    if (!says_something(item))
        return false;
    struct saying saying = {.batch = batch,
                            .row = row,
                            .seq = item->seq,
                            .time = effective_time(item->time, received_ms),
                            .received_ms = received_ms,
                            .is_put = is_put};
    return change_rows(&saying, item->body);
}

void index_add(struct batch *batch, struct log_row *row, const struct parley_item *item,
               parley_time_ms received_ms) {
    /* 0 says that none waits. */
    parley_time_ms since = received_ms > 0 ? received_ms : 1;
    if (change(batch, row, item, received_ms, true) &&
        (row->held.erase_ms == 0 || row->held.erase_ms > since))
        row->held.erase_ms = since;
}

void index_drop(struct batch *batch, struct log_row *row, const struct parley_item *item,
                parley_time_ms received_ms) {
    (void)change(batch, row, item, received_ms, false);
}

void index_add_chunk(struct batch *batch, struct log_row *row, const struct parley_chunk *chunk,
                     parley_time_ms received_ms) {
    struct parley_chunk_cursor cursor;
    struct parley_item item;
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next_item(&cursor, &item))
        index_add(batch, row, &item, received_ms);
}

void index_add_segment(struct batch *batch, struct log_row *row, const struct segment *segment) {
    struct segment_cursor cursor;
    struct parley_item item;
    segment_start(&cursor, segment);
    while (segment_next_item(&cursor, &item))
        index_add(batch, row, &item, cursor.received_ms);
}

void index_drop_segment(struct batch *batch, struct log_row *row, const struct segment *segment,
                        parley_seq low, parley_seq high) {
    struct segment_cursor cursor;
    struct parley_item item;
    segment_start(&cursor, segment);
    while (segment_next_item(&cursor, &item))
        if (item.seq >= low && item.seq <= high)
            index_drop(batch, row, &item, cursor.received_ms);
}

struct parley_item index_item(const struct parley_entry *entry) {
    return (struct parley_item){.seq = entry->header.seq,
                                .time = entry->header.time,
                                .has_body = entry->has_body,
                                .version = entry->header.version,
                                .body = entry->body,
                                .ext = {entry->header.ext, entry->header.ext_size}};
}
