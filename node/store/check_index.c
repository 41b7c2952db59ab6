/* The rows of what entries say of others, both ways: index.c says which rows an entry makes, and
 * these are compared with those that are there.
 */
#include "check.h"

static bool is_there(struct checking *checking, const struct parley_kv_change *change) {
    uint8_t value[32];
    size_t size = 0;
    struct key key = {.size = change->key.size};
    memcpy(key.bytes, change->key.data, change->key.size);
    return check_get(checking, &key, value, sizeof value, &size) &&
           parley_span_equal(PARLEY_SPAN(value, size), change->value);
}

/* An erasure waits (row d) until it has had its effect: its row may be gone already. */
bool check_has_sayings(struct checking *checking, const struct log_row *row,
                       const struct segment *segment) {
    struct batch batch;
    struct log_row scratch = *row;
    bool is_good = true;
    batch_init(&batch, checking->kv);
    index_add_segment(&batch, &scratch, segment);
    for (size_t i = 0; i < batch.changes_count && is_good; i++)
        is_good = batch.changes[i].key.data[0] == 'd' || is_there(checking, &batch.changes[i]);
    batch_clear(&batch);
    return is_good;
}

/* ---- the reverse */

struct origin {
    struct checking *checking;
    const struct log_row *row;
    parley_seq seq;
    struct parley_span key, value; /* of the row at hand */
    bool is_found;
};

static bool on_origin(void *context, struct parley_span key, struct parley_span value) {
    struct origin *origin = context;
    struct segment segment;
    struct segment_cursor cursor;
    struct parley_item item;
    struct batch batch;
    struct log_row scratch = *origin->row;
    (void)key;
    if (segment_decode(&segment, value) != PARLEY_E_OK)
        return false;
    batch_init(&batch, origin->checking->kv);
    segment_start(&cursor, &segment);
    while (segment_next_item(&cursor, &item))
        if (item.seq == origin->seq)
            index_add(&batch, &scratch, &item, cursor.received_ms);
    for (size_t i = 0; i < batch.changes_count; i++)
        origin->is_found |= parley_span_equal(batch.changes[i].key, origin->key) &&
                            parley_span_equal(batch.changes[i].value, origin->value);
    batch_clear(&batch);
    return false;
}

/* Where in the key of each letter the log's number stands, and the seq of who says it: last. */
static bool origin_of(struct parley_span key, uint32_t *number, parley_seq *seq) {
    size_t size = 0, at = 1;
    switch (key.data[0]) {
    case 'b':
        size = LINK_KEY_SIZE;
        at = size - 10;
        break;
    case 'p':
        size = PROFILE_KEY_SIZE;
        at = size - 10;
        break;
    case 'h':
        size = ERASURE_KEY_SIZE;
        break;
    case 'd':
        size = PENDING_KEY_SIZE;
        break;
    }
    if (key.size != size)
        return false;
    *number = parley_get_u32(key.data + at);
    *seq = parley_get_u48(key.data + size - 6);
    return true;
}

void check_saying(struct checking *checking) {
    struct key low, high;
    struct log_row row;
    uint32_t number = 0;
    struct origin origin = {.checking = checking,
                            .row = &row,
                            .key = key_span(&checking->key),
                            .value = checking->value};
    char letter = (char)checking->key.bytes[0];
    bool is_owned =
        origin_of(origin.key, &number, &origin.seq) && check_owner_of(checking, number, &row);
    if (is_owned) {
        key_segment(&low, number, 0);
        key_segment(&high, number, origin.seq + 1);
        struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), true};
        enum parley_error error =
            checking->kv->calls->scan(checking->kv, checking->view, &bounds, on_origin, &origin);
        check_scanned(checking, error, letter, &row.held);
    }
    if (!origin.is_found || (letter == 'd' && row.held.erase_ms == 0))
        check_object(checking, PARLEY_DAMAGE_INDEX, letter, is_owned ? &row.held : NULL, 0, 0);
}
