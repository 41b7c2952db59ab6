#include "internal.h"

/* Rows never move while the node lives. A log's row and that of an author whose records are here
 * are dropped when he is evicted (evict.c); an author who was only named has a row as long as his
 * records are asked for (named.c). The indexes are open addressing at most half full, with keyed
 * hashes since peers choose the keys; they grow with the rows, since each row touches a place
 * somewhere in them. */

#define INDEX_SIZE_MIN 64u

uint64_t table_hash_of(const struct parley_node *node, struct parley_span bytes) {
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, bytes.data, bytes.size, node->table_key);
    return parley_get_u64(hash);
}

uint64_t table_hash(const struct parley_node *node, const uint8_t key[32]) {
    return table_hash_of(node, PARLEY_SPAN(key, 32));
}

static uint32_t *author_place(const struct parley_node *node, const struct parley_author *author) {
    size_t mask = node->authors_index_size - 1;
    for (size_t at = table_hash(node, author->bytes) & mask;; at = (at + 1) & mask) {
        uint32_t row = node->authors_index[at];
        if (row == NONE || PARLEY_EQUAL(node->authors[row].set.author, *author))
            return &node->authors_index[at];
    }
}

static uint32_t *log_place(const struct parley_node *node, const struct parley_log *log) {
    size_t mask = node->logs_index_size - 1;
    for (size_t at = table_hash(node, log->bytes) & mask;; at = (at + 1) & mask) {
        uint32_t row = node->logs_index[at];
        if (row == NONE || PARLEY_EQUAL(node->logs[row].log, *log))
            return &node->logs_index[at];
    }
}

size_t table_places(size_t rows) {
    size_t size = INDEX_SIZE_MIN;
    while (size < rows * 2)
        size *= 2;
    return size;
}

void tables_begin(struct parley_node *node) {
    node->authors_index_size = node->logs_index_size = INDEX_SIZE_MIN;
    memset(node->authors_index, 0xff, INDEX_SIZE_MIN * sizeof *node->authors_index);
    memset(node->logs_index, 0xff, INDEX_SIZE_MIN * sizeof *node->logs_index);
}

/* Room for one more row. Cost: by all rows, each time that they have doubled. */
static void authors_index_grow(struct parley_node *node) {
    if (2 * (node->authors_used + 1) <= node->authors_index_size)
        return;
    node->authors_index_size *= 2;
    memset(node->authors_index, 0xff, node->authors_index_size * sizeof *node->authors_index);
    for (uint32_t i = 0; i < node->authors_count; i++)
        if (!node->authors[i].is_free)
            *author_place(node, &node->authors[i].set.author) = i;
}

static void logs_index_grow(struct parley_node *node) {
    if (2 * (node->logs_used + 1) <= node->logs_index_size)
        return;
    node->logs_index_size *= 2;
    memset(node->logs_index, 0xff, node->logs_index_size * sizeof *node->logs_index);
    for (uint32_t i = 0; i < node->logs_count; i++)
        if (!node->logs[i].is_free)
            *log_place(node, &node->logs[i].log) = i;
}

uint32_t author_find(const struct parley_node *node, const struct parley_author *author) {
    return *author_place(node, author);
}

/* What is kept of a table of that size for whom the owner wants. */
static size_t kept_of(size_t size) {
    return size / PARLEY_OWNERS_SHARE;
}

static uint32_t free_row(struct parley_node *node) {
    uint32_t index = node->authors_free;
    if (index != NONE)
        node->authors_free = node->authors[index].queue_next;
    else if (node->authors_count < node->config.authors_max)
        index = (uint32_t)node->authors_count++;
    return index;
}

uint32_t author_take_stranger(struct parley_node *node, const struct parley_author *author) {
    uint32_t row = author_find(node, author);
    bool has_room =
        node->authors_used + kept_of(node->config.authors_max) < node->config.authors_max;
    return row != NONE || !has_room ? row : author_take(node, author);
}

uint32_t author_take(struct parley_node *node, const struct parley_author *author) {
    uint32_t found = author_find(node, author);
    if (found != NONE || node->authors_used == node->config.authors_max)
        return found;
    authors_index_grow(node);
    uint32_t *place = author_place(node, author);
    uint32_t index = free_row(node);
    struct author_row *row = &node->authors[index];
    *row = (struct author_row){0};
    node->authors_used++;
    struct parley_identity_storage nothing = {NULL, 0, NULL, 0};
    parley_identity_init(&row->set, author, &nothing);
    row->logs_first = row->edges_first = NONE;
    row->depth = UINT8_MAX;
    *place = index;
    return index;
}

static const uint8_t *author_name(const struct parley_node *node, uint32_t row) {
    return node->authors[row].set.author.bytes;
}

static const uint8_t *log_name(const struct parley_node *node, uint32_t row) {
    return node->logs[row].log.bytes;
}

/* The places behind an emptied one move up, so that no search ends too early. */
static void index_remove(const struct parley_node *node, uint32_t *index, size_t index_size,
                         uint32_t *place,
                         const uint8_t *(*name_of)(const struct parley_node *, uint32_t)) {
    size_t mask = index_size - 1, hole = (size_t)(place - index);
    for (size_t at = (hole + 1) & mask; index[at] != NONE; at = (at + 1) & mask) {
        size_t home = table_hash(node, name_of(node, index[at])) & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        index[hole] = index[at];
        hole = at;
    }
    index[hole] = NONE;
}

void author_give(struct parley_node *node, uint32_t author) {
    struct author_row *row = &node->authors[author];
    assert(!row->set.revealed && row->logs_first == NONE && !row->is_asked && !row->is_queued);
    index_remove(node, node->authors_index, node->authors_index_size,
                 author_place(node, &row->set.author), author_name);
    struct parley_identity_storage nothing = {NULL, 0, NULL, 0};
    parley_identity_init(&row->set, &(struct parley_author){{0}}, &nothing);
    row->is_free = true;
    row->queue_next = node->authors_free;
    node->authors_free = author;
    node->authors_used--;
}

static bool is_stranger(const struct parley_node *node, uint32_t author) {
    return node->is_started && !node->is_reloading &&
           node->authors[author].depth > node->config.hops;
}

bool author_is_wanted(const struct parley_node *node, uint32_t author) {
    const struct author_row *row = &node->authors[author];
    return !author_is_blocked(node, author) && !row->quota.is_leaving &&
           (node->config.relay || row->depth <= node->config.hops);
}

uint32_t log_find(const struct parley_node *node, const struct parley_log *log) {
    return *log_place(node, log);
}

static uint32_t free_log(struct parley_node *node) {
    uint32_t index = node->logs_free;
    if (index != NONE)
        node->logs_free = node->logs[index].queue_next;
    else
        index = (uint32_t)node->logs_count++;
    node->logs_used++;
    return index;
}

void log_give(struct parley_node *node, uint32_t log) {
    struct log_row *row = &node->logs[log];
    assert(row->stores_in_flight == 0 && row->entries_count == 0 && row->fetch == NONE);
    review_end_first(node, log);
    index_remove(node, node->logs_index, node->logs_index_size, log_place(node, &row->log),
                 log_name);
    *row = (struct log_row){.is_free = true, .author = NONE, .queue_next = node->logs_free};
    row->fetch = row->bodies.ask = NONE;
    node->logs_free = log;
    node->logs_used--;
}

uint32_t log_take(struct parley_node *node, uint32_t author,
                  const struct parley_device_key *device) {
    struct parley_log log;
    parley_log_derive(&log, &node->authors[author].set.author, device);
    uint32_t found = log_find(node, &log);
    size_t kept = is_stranger(node, author) ? kept_of(node->config.logs_max) : 0;
    if (found != NONE || node->logs_used + kept >= node->config.logs_max)
        return found;
    logs_index_grow(node);
    uint32_t *place = log_place(node, &log);
    uint32_t index = free_log(node);
    struct log_row *row = &node->logs[index];
    *row = (struct log_row){.log = log, .device = *device, .author = author};
    row->fetch = NONE;
    row->bodies.ask = NONE;
    row->queue_next = NONE;
    row->next_of_author = node->authors[author].logs_first;
    node->authors[author].logs_first = index;
    if (node->config.has_device && PARLEY_EQUAL(*device, node->device_key) &&
        PARLEY_EQUAL(node->authors[author].set.author, node->config.author))
        node->own_log = index;
    *place = index;
    return index;
}

void author_clear_set(struct parley_node *node, uint32_t author) {
    struct parley_identity *set = &node->authors[author].set;
    const struct parley_identity_storage old = set->storage, nothing = {NULL, 0, NULL, 0};
    struct parley_author name = set->author;
    parley_identity_init(set, &name, &nothing);
    arena_give(&node->facts, old.facts, old.facts_count_max * sizeof *old.facts);
    arena_give(&node->facts, old.listings, old.listings_count_max * sizeof *old.listings);
}

static bool grow_set(struct parley_node *node, uint32_t author,
                     const struct parley_identity_change *change) {
    struct parley_identity *set = &node->authors[author].set;
    size_t kept = is_stranger(node, author) ? kept_of(node->facts.size) : 0;
    struct parley_identity_storage old = set->storage, new = old;
    if (change->facts_count_needed > old.facts_count_max) {
        new.facts_count_max = 1;
        while (new.facts_count_max < change->facts_count_needed)
            new.facts_count_max *= 2;
        new.facts = arena_take(&node->facts, new.facts_count_max * sizeof *new.facts, kept);
        if (new.facts == NULL)
            return false;
    }
    if (change->listings_count_needed > old.listings_count_max) {
        new.listings_count_max = change->listings_count_needed;
        new.listings =
            arena_take(&node->facts, new.listings_count_max * sizeof *new.listings, kept);
        if (new.listings == NULL) {
            if (new.facts != old.facts)
                arena_give(&node->facts, new.facts, new.facts_count_max * sizeof *new.facts);
            return false;
        }
    }
    parley_identity_move(set, &new);
    if (new.facts != old.facts)
        arena_give(&node->facts, old.facts, old.facts_count_max * sizeof *old.facts);
    if (new.listings != old.listings)
        arena_give(&node->facts, old.listings, old.listings_count_max * sizeof *old.listings);
    return true;
}

enum parley_identity_answer author_add_record(struct parley_node *node, uint32_t author,
                                              const struct parley_record *record,
                                              struct parley_identity_change *change) {
    struct parley_identity *set = &node->authors[author].set;
    enum parley_identity_answer answer = parley_identity_add(set, record, change);
    if (answer == PARLEY_IDENTITY_FULL && grow_set(node, author, change))
        answer = parley_identity_add(set, record, change);
    node->quota.lacks_memory |= answer == PARLEY_IDENTITY_FULL && is_stranger(node, author);
    return answer;
}

/* A set of 1,024 records costs one walk each, not a walk of all logs each. */
static void refresh_device(struct parley_node *node, uint32_t author,
                           const struct parley_device_key *device) {
    uint32_t log = log_take(node, author, device);
    struct parley_policy policy = parley_identity_policy(&node->authors[author].set, device);
    if (log != NONE)
        log_set_policy(node, log, &policy);
}

static void refresh_all(struct parley_node *node, uint32_t author) {
    const struct parley_identity *set = &node->authors[author].set;
    for (uint32_t i = node->authors[author].logs_first; i != NONE;
         i = node->logs[i].next_of_author) {
        struct parley_policy policy = parley_identity_policy(set, &node->logs[i].device);
        log_set_policy(node, i, &policy);
    }
    struct parley_identity_log said;
    size_t position = 0;
    while (parley_identity_log_next(&said, set, &position)) {
        uint32_t log = log_take(node, author, &said.device);
        if (log != NONE)
            log_set_policy(node, log, &said.policy);
    }
}

bool log_is_storing(const struct parley_node *node, const struct parley_log *log) {
    uint32_t row = log_find(node, log);
    return row != NONE && node->logs[row].stores_in_flight > 0;
}

static struct parley_run *range_ending_at(struct log_row *row, parley_seq seq) {
    for (unsigned i = 0; i < row->ranges.count; i++)
        if (row->ranges.ranges[i].hi == seq)
            return &row->ranges.ranges[i];
    return NULL;
}

void log_learn_signed(struct parley_node *node, uint32_t log, const struct parley_run *run,
                      struct parley_span bytes) {
    struct log_row *row = &node->logs[log];
    struct parley_run *held = run->hi_is_signed ? range_ending_at(row, run->hi) : NULL;
    if (held == NULL || held->hi_is_signed || !store_has_room(node))
        return;
    uint8_t *copy = out_take(node, bytes.size);
    if (copy == NULL)
        return;
    memcpy(copy, bytes.data, bytes.size);
    struct parley_store_op op = {.kind = PARLEY_STORE_TOP,
                                 .author = node->authors[row->author].set.author,
                                 .device = row->device,
                                 .log = row->log,
                                 .bytes = PARLEY_SPAN(copy, bytes.size),
                                 .received_ms = node->wall,
                                 .top_id = run->hi_id,
                                 .top_signed = true};
    struct pending_store after = {
        .after = AFTER_CHUNK, .log = log, .author = row->author, .run = *run};
    if (!store_emit(node, &op, &after))
        return;
    row->stores_in_flight++;
    held->hi_is_signed = true;
}

void author_refresh_logs(struct parley_node *node, uint32_t author,
                         const struct parley_record *record,
                         const struct parley_identity_change *change) {
    author_changed(node, author);
    if (record->kind == PARLEY_RECORD_ROTATION) {
        refresh_all(node, author);
        return;
    }
    refresh_device(node, author, &record->device);
    if (change->removed == PARLEY_REMOVED_ONE)
        refresh_device(node, author, &change->removed_device);
}
