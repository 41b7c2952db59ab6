#include "internal.h"

/* The table over a restart: one row for each item, written now and then and a few at a time, and
 * the secret, since places follow from it. Of a private network nothing is kept: the machine may
 * wake up in another that looks alike. */

#define META_SECRET "book-key"
#define META_ROW    "book/" /* and the item's number, four bytes */
#define ROW_HEAD    15u     /* marks, place, failures, source, how long it was linked */
#define ROW_TRIED   1u
#define ROW_REACHED 2u

static struct parley_span row_key(uint32_t index, uint8_t out[16]) {
    size_t prefix = sizeof META_ROW - 1;
    memcpy(out, META_ROW, prefix);
    parley_put_u32(out + prefix, index);
    return PARLEY_SPAN(out, prefix + 4);
}

static bool key_is(struct parley_span key, const char *name) {
    return parley_span_equal(key, PARLEY_SPAN(name, strlen(name)));
}

void views_keep_secret(struct parley_node *node) {
    struct views *views = &node->views;
    if (!views->is_kept)
        meta_put(node, PARLEY_SPAN(META_SECRET, sizeof META_SECRET - 1),
                 PARLEY_SPAN(views->table->secret, sizeof views->table->secret), 0);
    views->is_kept = true;
}

/* ---- loading ------------------------------------------------------------------------------- */

static void load_row(struct parley_node *node, uint32_t index, struct parley_span value) {
    struct parley_address_record record;
    if (value.size <= ROW_HEAD || index >= PARLEY_BOOK_ITEMS_MAX)
        return;
    struct book_item *item = &node->views.table->items[index];
    struct parley_span bytes = PARLEY_SPAN(value.data + ROW_HEAD, value.size - ROW_HEAD);
    if (parley_address_record_decode(&record, bytes).error == PARLEY_E_OK &&
        book_table_put(node->views.table, index, &record, bytes, parley_get_u64(value.data + 3),
                       value.data[1], (value.data[0] & ROW_TRIED) != 0)) {
        item->failures = value.data[2];
        item->linked_s = item->kept_s = parley_get_u32(value.data + 11);
        item->is_reached = (value.data[0] & ROW_REACHED) != 0;
    } else if (!item->is_used) {
        item->is_changed = true; /* the row goes */
    }
}

bool views_load_meta(struct parley_node *node, struct parley_span key, struct parley_span value) {
    size_t prefix = sizeof META_ROW - 1;
    if (key_is(key, META_SECRET)) {
        if (!node->views.is_kept && value.size == sizeof node->views.table->secret)
            book_table_init(node->views.table, value.data);
        node->views.is_kept = true;
    } else if (key.size == prefix + 4 && memcmp(key.data, META_ROW, prefix) == 0) {
        if (!node->is_started)
            load_row(node, parley_get_u32(key.data + prefix), value);
    } else {
        return false;
    }
    return true;
}

/* ---- keeping ------------------------------------------------------------------------------- */

static bool is_private(const struct book_table *table, uint32_t index) {
    struct parley_network_place place;
    struct parley_address address;
    book_table_address(table, index, &address);
    parley_network_of_place(&place, &address);
    return place.network == PARLEY_NETWORK_LAN;
}

static void keep_item(struct parley_node *node, uint32_t index) {
    struct book_item *item = &node->views.table->items[index];
    uint8_t key[16], value[ROW_HEAD + PARLEY_BOOK_RECORD_BYTES_MAX];
    struct parley_span bytes = PARLEY_NO_SPAN;
    item->is_changed = false;
    item->kept_s = item->linked_s;
    if (item->is_used && !is_private(node->views.table, index)) {
        value[0] = (item->is_tried ? ROW_TRIED : 0) | (item->is_reached ? ROW_REACHED : 0);
        value[1] = item->place;
        value[2] = item->failures;
        parley_put_u64(value + 3, item->source);
        parley_put_u32(value + 11, item->linked_s);
        memcpy(value + ROW_HEAD, item->record, item->record_size);
        bytes = PARLEY_SPAN(value, ROW_HEAD + item->record_size);
    }
    meta_put(node, row_key(index, key), bytes, 0);
}

void views_keep(struct parley_node *node) {
    struct views *views = &node->views;
    size_t written = 0;
    for (size_t i = 0; i < node->peers_count; i++)
        if (node->peers[i].phase == PEER_OPEN)
            views_count_link(node, &node->peers[i]);
    for (uint32_t i = 0; i < PARLEY_BOOK_ITEMS_MAX && written < PARLEY_BOOK_KEEP_ROWS; i++) {
        uint32_t index = (views->keep_cursor + i) % PARLEY_BOOK_ITEMS_MAX;
        if (!views->table->items[index].is_changed)
            continue;
        if (!store_has_room(node))
            return;
        keep_item(node, index);
        written++;
        views->keep_cursor = (index + 1) % PARLEY_BOOK_ITEMS_MAX;
    }
}
