#include "internal.h"

/* The owner's lists: kept in the store under a name for each list, in memory as marks in the rows
 * of authors and as a small table of words and posts. Nothing of them is ever said to a peer; that
 * an author is blocked shows only as an interest that is not there. */

#define POST_BYTES (32u + 8u + 32u)

static_assert(POST_BYTES <= PARLEY_WORD_BYTES_MAX, "an item holds either");

/* By enum parley_list: the beginning of the keys of its rows. None begins with another. */
static const char *const NAMES[PARLEY_LISTS_COUNT] = {"mute/", "block/", "allow/", "word/",
                                                      "post/"};

static bool is_of_authors(enum parley_list list) {
    return list == PARLEY_LIST_MUTE || list == PARLEY_LIST_BLOCK || list == PARLEY_LIST_ALLOW;
}

static uint8_t mark_of(enum parley_list list) {
    return (uint8_t)(1u << list);
}

bool author_is_blocked(const struct parley_node *node, uint32_t author) {
    return (node->authors[author].lists & mark_of(PARLEY_LIST_BLOCK)) != 0;
}

bool author_is_allowed(const struct parley_node *node, uint32_t author) {
    return (node->authors[author].lists & mark_of(PARLEY_LIST_ALLOW)) != 0;
}

/* --- words and posts ----------------------------------------------------------------------- */

/* What stands behind the list's name in the key. */
static struct parley_span item_bytes(const struct parley_listed *listed,
                                     uint8_t out[PARLEY_WORD_BYTES_MAX]) {
    if (listed->list == PARLEY_LIST_WORD)
        return listed->word;
    if (is_of_authors(listed->list))
        return PARLEY_SPAN(listed->author.bytes, sizeof listed->author.bytes);
    memcpy(out, listed->log.bytes, 32);
    parley_put_u64(out + 32, listed->seq);
    memcpy(out + 40, listed->id.bytes, 32);
    return PARLEY_SPAN(out, POST_BYTES);
}

static struct list_item *item_find(struct lists *lists, enum parley_list list,
                                   struct parley_span bytes) {
    for (size_t i = 0; i < lists->count; i++)
        if (lists->items[i].list == list &&
            parley_span_equal(PARLEY_SPAN(lists->items[i].bytes, lists->items[i].size), bytes))
            return &lists->items[i];
    return NULL;
}

static enum parley_error item_set(struct lists *lists, enum parley_list list,
                                  struct parley_span bytes, bool on) {
    struct list_item *item = item_find(lists, list, bytes);
    if (!on) {
        if (item == NULL)
            return PARLEY_E_NOT_FOUND;
        *item = lists->items[--lists->count];
        return PARLEY_E_OK;
    }
    if (item != NULL)
        return PARLEY_E_OK;
    if (lists->count == PARLEY_LIST_ITEMS_MAX)
        return PARLEY_E_FULL;
    item = &lists->items[lists->count++];
    item->list = list;
    item->size = (uint8_t)bytes.size;
    memcpy(item->bytes, bytes.data, bytes.size);
    return PARLEY_E_OK;
}

/* --- authors ------------------------------------------------------------------------------- */

/* What is under way with them ends: answers that wait for the disk give nothing any more, asks end
 * by themselves, since nothing of what they bring is taken. */
static void block_changed(struct parley_node *node, uint32_t author, bool was_wanted) {
    bool is_wanted = author_is_wanted(node, author);
    author_changed(node, author);
    edges_changed(node);
    if (was_wanted == is_wanted)
        return;
    interest_send_change(node, &node->authors[author].set.author, is_wanted);
    if (!is_wanted)
        return;
    heads_tell(node, author);
    if (!node->config.relay)
        return;
    heads_lose(node); /* who is told that all is wanted tells of this author when asked */
    node->sessions.missing_anew++;
    missing_name(node, author);
}

static enum parley_error author_set(struct parley_node *node, enum parley_list list,
                                    const struct parley_author *author, bool on) {
    uint32_t row = on ? author_take(node, author) : author_find(node, author);
    if (row == NONE)
        return on ? PARLEY_E_FULL : PARLEY_E_NOT_FOUND;
    if (node->authors[row].depth == 0 && list != PARLEY_LIST_ALLOW)
        return PARLEY_E_BAD_INPUT;
    bool was = (node->authors[row].lists & mark_of(list)) != 0;
    if (!on && !was)
        return PARLEY_E_NOT_FOUND;
    bool was_wanted = author_is_wanted(node, row);
    named_is_real(node, row); /* the row stays */
    node->authors[row].lists ^= was == on ? 0 : mark_of(list);
    if (list == PARLEY_LIST_ALLOW && on)
        quota_allow(node, row);
    if (list == PARLEY_LIST_BLOCK && was != on)
        block_changed(node, row, was_wanted);
    return PARLEY_E_OK;
}

/* --- the owner, and the disk --------------------------------------------------------------- */

static enum parley_error list_set(struct parley_node *node, const struct parley_listed *listed,
                                  bool on) {
    uint8_t buffer[PARLEY_WORD_BYTES_MAX];
    struct parley_span bytes = item_bytes(listed, buffer);
    if (bytes.size == 0 || bytes.size > PARLEY_WORD_BYTES_MAX)
        return PARLEY_E_BAD_INPUT;
    return is_of_authors(listed->list) ? author_set(node, listed->list, &listed->author, on)
                                       : item_set(&node->lists, listed->list, bytes, on);
}

void on_list(struct parley_node *node, const struct parley_event *event) {
    const struct parley_listed *listed = &event->list.listed;
    parley_request request = event->list.request;
    if (!store_has_room(node)) {
        effect_reply(node, request, PARLEY_E_READ_ONLY);
        return;
    }
    enum parley_error error = list_set(node, listed, event->list.on);
    if (error != PARLEY_E_OK) {
        effect_reply(node, request, error);
        return;
    }
    uint8_t key[16 + PARLEY_WORD_BYTES_MAX], buffer[PARLEY_WORD_BYTES_MAX], value = 1;
    struct parley_span bytes = item_bytes(listed, buffer);
    size_t size = strlen(NAMES[listed->list]);
    memcpy(key, NAMES[listed->list], size);
    memcpy(key + size, bytes.data, bytes.size);
    meta_put(node, PARLEY_SPAN(key, size + bytes.size),
             event->list.on ? PARLEY_SPAN(&value, 1) : PARLEY_NO_SPAN, request);
}

static bool item_parse(struct parley_listed *listed, enum parley_list list,
                       struct parley_span bytes) {
    *listed = (struct parley_listed){.list = list};
    if (list == PARLEY_LIST_WORD) {
        listed->word = bytes;
        return bytes.size > 0 && bytes.size <= PARLEY_WORD_BYTES_MAX;
    }
    if (is_of_authors(list)) {
        if (bytes.size == sizeof listed->author.bytes)
            memcpy(listed->author.bytes, bytes.data, bytes.size);
        return bytes.size == sizeof listed->author.bytes;
    }
    if (bytes.size != POST_BYTES)
        return false;
    memcpy(listed->log.bytes, bytes.data, 32);
    listed->seq = parley_get_u64(bytes.data + 32);
    memcpy(listed->id.bytes, bytes.data + 40, 32);
    return true;
}

bool lists_load_meta(struct parley_node *node, struct parley_span key, struct parley_span value) {
    for (unsigned list = 0; list < PARLEY_LISTS_COUNT; list++) {
        size_t size = strlen(NAMES[list]);
        struct parley_listed listed;
        if (key.size <= size || memcmp(key.data, NAMES[list], size) != 0)
            continue;
        if (item_parse(&listed, (enum parley_list)list,
                       PARLEY_SPAN(key.data + size, key.size - size)))
            (void)list_set(node, &listed, value.size > 0);
        return true;
    }
    return false;
}

/* --- questions ----------------------------------------------------------------------------- */

bool parley_node_list_at(const struct parley_node *node, size_t index, struct parley_listed *out) {
    if (index >= node->lists.count)
        return false;
    const struct list_item *item = &node->lists.items[index];
    bool parses = item_parse(out, item->list, PARLEY_SPAN(item->bytes, item->size));
    assert(parses);
    return true;
}

bool parley_node_post_is_allowed(const struct parley_node *node, const struct parley_log *log,
                                 parley_seq seq, const struct parley_id *id) {
    uint8_t buffer[PARLEY_WORD_BYTES_MAX];
    struct parley_listed listed = {.list = PARLEY_LIST_POST, .log = *log, .seq = seq, .id = *id};
    struct lists lists = node->lists;
    return item_find(&lists, PARLEY_LIST_POST, item_bytes(&listed, buffer)) != NULL;
}
