#include "book_table.h"

#include <assert.h>

#define EMPTY UINT16_MAX

/* ---- keyed hashes -------------------------------------------------------------------------- */

enum use { USE_GROUP, USE_SPREAD, USE_BUCKET, USE_SLOT, USE_TRIED };

struct keyed {
    uint8_t bytes[2 + 2 * 8 + PARLEY_HOST_SIZE_MAX];
    size_t size;
};

static struct keyed begin(enum use use, unsigned tag) {
    return (struct keyed){.bytes = {(uint8_t)use, (uint8_t)tag}, .size = 2};
}

static void add(struct keyed *keyed, const void *data, size_t size) {
    assert(size <= sizeof keyed->bytes - keyed->size);
    memcpy(keyed->bytes + keyed->size, data, size);
    keyed->size += size;
}

static uint64_t finish(const struct book_table *table, const struct keyed *keyed) {
    uint8_t out[crypto_shorthash_BYTES];
    crypto_shorthash(out, keyed->bytes, keyed->size, table->secret);
    return parley_get_u64(out);
}

static uint64_t hash_two(const struct book_table *table, enum use use, uint64_t a, uint64_t b) {
    struct keyed keyed = begin(use, 0);
    add(&keyed, &a, sizeof a);
    add(&keyed, &b, sizeof b);
    return finish(table, &keyed);
}

static uint64_t hash_key(const struct book_table *table, const struct parley_node_key *key) {
    struct keyed keyed = begin(USE_SPREAD, 1);
    uint8_t last = key->bytes[31] & 0x7f; /* SPEC 8.1.2: one node has two signs */
    add(&keyed, key->bytes, 31);
    add(&keyed, &last, 1);
    return finish(table, &keyed);
}

/* ---- groups -------------------------------------------------------------------------------- */

#define GROUP_V4_BYTES 14u /* /16 below the prefix of 96 */
#define GROUP_V6_BYTES 4u  /* /32: what a provider is given */

static uint64_t group_of_ip(const struct book_table *table, const struct parley_ip *ip,
                            enum parley_network network) {
    struct keyed keyed = begin(USE_GROUP, network);
    add(&keyed, ip->bytes, parley_ip_is_v4(ip) ? GROUP_V4_BYTES : GROUP_V6_BYTES);
    return finish(table, &keyed);
}

/* Where names cost nothing all of a transport are a few groups. */
static uint64_t group_of_other(const struct book_table *table, const char *transport,
                               uint64_t hash) {
    struct keyed keyed = begin(USE_GROUP, PARLEY_NETWORK_OTHER);
    uint8_t part = (uint8_t)(hash % PARLEY_BOOK_OTHER_GROUPS);
    add(&keyed, &part, 1);
    add(&keyed, transport, strlen(transport));
    return finish(table, &keyed);
}

/* The last two labels, without a difference of case: what somebody has registered. */
static uint64_t group_of_name(const struct book_table *table, const char *host) {
    struct keyed keyed = begin(USE_GROUP, 0x80);
    size_t start = strlen(host), dots = 0;
    while (start > 0 && (dots += host[start - 1] == '.') < 2)
        start--;
    for (const char *at = host + start; *at != '\0'; at++) {
        char letter = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
        add(&keyed, &letter, 1);
    }
    return finish(table, &keyed);
}

uint64_t book_group_of_place(const struct book_table *table, const struct parley_address *address) {
    struct parley_network_place place;
    parley_network_of_place(&place, address);
    if (place.network == PARLEY_NETWORK_OTHER) {
        struct keyed keyed = begin(USE_SPREAD, 2);
        add(&keyed, address->host, strlen(address->host));
        return group_of_other(table, place.transport, finish(table, &keyed));
    }
    return place.is_ip ? group_of_ip(table, &place.ip, place.network)
                       : group_of_name(table, address->host);
}

uint64_t book_group_of_remote(const struct book_table *table, const struct parley_remote *remote,
                              const struct parley_node_key *key) {
    if (remote->network == PARLEY_NETWORK_OTHER)
        return group_of_other(table, remote->transport, hash_key(table, key));
    return group_of_ip(table, &remote->ip, remote->network);
}

/* ---- places -------------------------------------------------------------------------------- */

/* One source group reaches PARLEY_BOOK_SOURCE_BUCKETS of the new buckets. */
static uint16_t *fresh_slot(struct book_table *table, const struct book_item *item) {
    uint64_t spread = hash_two(table, USE_SPREAD, item->group, item->source);
    uint64_t bucket =
        hash_two(table, USE_BUCKET, item->source, spread % PARLEY_BOOK_SOURCE_BUCKETS) %
        PARLEY_BOOK_NEW_BUCKETS;
    uint64_t slot = hash_two(table, USE_SLOT, bucket, hash_key(table, &item->key));
    return &table->fresh[bucket][slot % PARLEY_BOOK_BUCKET_SIZE];
}

/* One group reaches PARLEY_BOOK_GROUP_BUCKETS of the tried ones. */
static uint16_t *tried_slot(struct book_table *table, const struct book_item *item) {
    uint64_t key = hash_key(table, &item->key);
    uint64_t bucket = hash_two(table, USE_TRIED, item->group, key % PARLEY_BOOK_GROUP_BUCKETS) %
                      PARLEY_BOOK_TRIED_BUCKETS;
    uint64_t slot = hash_two(table, USE_SLOT, PARLEY_BOOK_NEW_BUCKETS + bucket, key);
    return &table->tried[bucket][slot % PARLEY_BOOK_BUCKET_SIZE];
}

/* Its group changes with the place in use: looked for, not computed. */
static uint16_t *slot_of(struct book_table *table, uint32_t index) {
    uint16_t *slots = table->items[index].is_tried ? &table->tried[0][0] : &table->fresh[0][0];
    while (*slots != index)
        slots++;
    return slots;
}

void book_table_init(struct book_table *table, const uint8_t secret[16]) {
    /* Most rows are never used: those that are empty already are not touched. */
    for (size_t i = 0; i < PARLEY_BOOK_ITEMS_MAX; i++)
        if (table->items[i].is_used || table->items[i].is_changed)
            memset(&table->items[i], 0, sizeof table->items[i]);
    table->count = table->tried_count = 0;
    memcpy(table->secret, secret, sizeof table->secret);
    memset(table->fresh, 0xff, sizeof table->fresh);
    memset(table->tried, 0xff, sizeof table->tried);
    for (size_t i = 0; i < PARLEY_BOOK_TESTS_MAX; i++)
        table->tests[i].holder = BOOK_NONE;
}

uint32_t book_table_find(const struct book_table *table, const struct parley_node_key *key) {
    uint64_t mark = parley_get_u64(key->bytes);
    for (uint32_t i = 0; table->count > 0 && i < PARLEY_BOOK_ITEMS_MAX; i++)
        if (table->marks[i] == mark && table->items[i].is_used &&
            memcmp(table->items[i].key.bytes, key->bytes, sizeof key->bytes - 1) == 0 &&
            ((table->items[i].key.bytes[31] ^ key->bytes[31]) & 0x7f) == 0)
            return i;
    return BOOK_NONE;
}

static void end_tests(struct book_table *table, uint32_t index) {
    for (size_t i = 0; i < PARLEY_BOOK_TESTS_MAX; i++)
        if (table->tests[i].holder == index || table->tests[i].challenger == index)
            table->tests[i].holder = BOOK_NONE;
}

void book_table_drop(struct book_table *table, uint32_t index) {
    struct book_item *item = &table->items[index];
    assert(item->is_used);
    end_tests(table, index);
    *slot_of(table, index) = EMPTY;
    table->count--;
    table->tried_count -= item->is_tried;
    memset(item, 0, sizeof *item);
    item->is_changed = true;
}

/* Heard of, dialled several times, never reached. */
static bool is_worthless(const struct book_item *item) {
    return !item->is_busy && item->failures >= PARLEY_BOOK_FAILURES_MAX;
}

static uint64_t group_of(const struct book_table *table, const struct parley_address_record *record,
                         unsigned place) {
    struct parley_address address = {.port = 0};
    struct parley_span places = record->places;
    for (unsigned i = 0; i <= place; i++)
        if (!parley_address_record_next(&address, record, &places))
            break;
    return book_group_of_place(table, &address);
}

/* What is in the table was decoded before. */
static void decode(struct parley_address_record *record, const struct book_item *item) {
    bool is_good =
        parley_address_record_decode(record, PARLEY_SPAN(item->record, item->record_size)).error ==
        PARLEY_E_OK;
    assert(is_good);
}

static void set_record(struct book_item *item, const struct parley_address_record *record,
                       struct parley_span bytes) {
    item->key = record->key;
    item->time = record->time;
    item->record_size = (uint16_t)bytes.size;
    memcpy(item->record, bytes.data, bytes.size);
    item->is_changed = true;
}

/* Of a node that is here: a newer record. With other places it must be reached anew to be told on,
 * but a tried one keeps its bucket: its group is that of where it was reached. */
static uint32_t renew(struct book_table *table, uint32_t index,
                      const struct parley_address_record *record, struct parley_span bytes) {
    struct book_item *item = &table->items[index];
    struct parley_address_record old;
    if (record->time <= item->time)
        return BOOK_NONE;
    decode(&old, item);
    item->is_reached = item->is_reached && parley_span_equal(old.places, record->places);
    set_record(item, record, bytes);
    if (item->place >= record->places_count)
        item->place = 0;
    return index;
}

static uint32_t free_item(const struct book_table *table) {
    if (table->count == PARLEY_BOOK_ITEMS_MAX)
        return BOOK_NONE;
    for (uint32_t i = 0; i < PARLEY_BOOK_ITEMS_MAX; i++)
        if (!table->items[i].is_used)
            return i;
    return BOOK_NONE;
}

/* An item at index, or BOOK_NONE: where there is room. */
static uint32_t put(struct book_table *table, uint32_t index,
                    const struct parley_address_record *record, struct parley_span bytes,
                    uint64_t source, unsigned place, bool is_tried) {
    struct book_item item = {
        .is_used = true, .is_tried = is_tried, .is_reached = is_tried, .place = (uint8_t)place};
    set_record(&item, record, bytes);
    item.source = source;
    item.group = group_of(table, record, place);
    uint16_t *slot = is_tried ? tried_slot(table, &item) : fresh_slot(table, &item);
    if (*slot != EMPTY && (is_tried || !is_worthless(&table->items[*slot])))
        return BOOK_NONE;
    if (*slot != EMPTY)
        book_table_drop(table, *slot);
    if (index == BOOK_NONE)
        index = free_item(table);
    assert(index != BOOK_NONE); /* there are as many as slots */
    table->items[index] = item;
    table->marks[index] = parley_get_u64(item.key.bytes);
    *slot = (uint16_t)index;
    table->count++;
    table->tried_count += is_tried;
    return index;
}

bool book_table_put(struct book_table *table, uint32_t index,
                    const struct parley_address_record *record, struct parley_span bytes,
                    uint64_t source, unsigned place, bool is_tried) {
    if (index >= PARLEY_BOOK_ITEMS_MAX || table->items[index].is_used ||
        bytes.size > PARLEY_BOOK_RECORD_BYTES_MAX || place >= record->places_count ||
        book_table_find(table, &record->key) != BOOK_NONE)
        return false;
    if (put(table, index, record, bytes, source, place, is_tried) == BOOK_NONE)
        return false;
    table->items[index].is_changed = false;
    return true;
}

uint32_t book_table_add(struct book_table *table, const struct parley_address_record *record,
                        struct parley_span bytes, uint64_t source) {
    uint32_t index = book_table_find(table, &record->key);
    if (bytes.size > PARLEY_BOOK_RECORD_BYTES_MAX)
        return BOOK_NONE;
    if (index != BOOK_NONE)
        return renew(table, index, record, bytes);
    return put(table, BOOK_NONE, record, bytes, source, 0, false);
}

void book_table_address(const struct book_table *table, uint32_t index,
                        struct parley_address *address) {
    const struct book_item *item = &table->items[index];
    struct parley_address_record record;
    bool is_good = item->is_used;
    decode(&record, item);
    struct parley_span places = record.places;
    for (unsigned i = 0; i <= item->place && is_good; i++)
        is_good = parley_address_record_next(address, &record, &places);
    assert(is_good);
}

/* ---- reached and not ----------------------------------------------------------------------- */

static void move(struct book_table *table, uint32_t index, uint16_t *to, bool is_tried) {
    struct book_item *item = &table->items[index];
    assert(*to == EMPTY);
    *slot_of(table, index) = EMPTY;
    *to = (uint16_t)index;
    table->tried_count = table->tried_count + is_tried - item->is_tried;
    item->is_tried = is_tried;
    item->is_changed = true;
}

static void want_test(struct book_table *table, uint32_t holder, uint32_t challenger) {
    size_t at = PARLEY_BOOK_TESTS_MAX;
    for (size_t i = PARLEY_BOOK_TESTS_MAX; i-- > 0;) {
        if (table->tests[i].holder == holder)
            return; /* one challenger at a time */
        if (table->tests[i].holder == BOOK_NONE)
            at = i;
    }
    if (at < PARLEY_BOOK_TESTS_MAX)
        table->tests[at] = (struct book_test){holder, challenger};
}

void book_table_reached(struct book_table *table, uint32_t index) {
    struct book_item *item = &table->items[index];
    struct parley_address address;
    item->failures = 0;
    item->is_reached = true;
    for (size_t i = 0; i < PARLEY_BOOK_TESTS_MAX; i++)
        if (table->tests[i].holder == index)
            table->tests[i].holder = BOOK_NONE; /* it stays where it is */
    if (item->is_tried)
        return;
    book_table_address(table, index, &address);
    item->group = book_group_of_place(table, &address);
    uint16_t *slot = tried_slot(table, item);
    if (*slot == EMPTY)
        move(table, index, slot, true);
    else if (!table->items[*slot].is_busy)
        want_test(table, *slot, index);
}

/* Back among the new ones, if there is a place. */
static void demote(struct book_table *table, uint32_t index) {
    uint16_t *slot = fresh_slot(table, &table->items[index]);
    if (*slot != EMPTY)
        book_table_drop(table, index);
    else
        move(table, index, slot, false);
}

void book_table_failed(struct book_table *table, uint32_t index) {
    struct book_item *item = &table->items[index];
    struct parley_address_record record;
    uint32_t challenger = BOOK_NONE;
    item->failures += item->failures < UINT8_MAX;
    decode(&record, item);
    item->place = (uint8_t)((item->place + 1u) % record.places_count);
    if (!item->is_tried)
        item->group = group_of(table, &record, item->place);
    for (size_t i = 0; i < PARLEY_BOOK_TESTS_MAX; i++)
        if (table->tests[i].holder == index) {
            challenger = table->tests[i].challenger;
            table->tests[i].holder = BOOK_NONE;
        }
    if (challenger == BOOK_NONE)
        return;
    demote(table, index);
    book_table_reached(table, challenger);
}

uint32_t book_table_test(const struct book_table *table) {
    for (size_t i = 0; i < PARLEY_BOOK_TESTS_MAX; i++)
        if (table->tests[i].holder != BOOK_NONE && !table->items[table->tests[i].holder].is_busy)
            return table->tests[i].holder;
    return BOOK_NONE;
}

/* ---- choosing ------------------------------------------------------------------------------ */

struct choice {
    const struct book_table *table;
    struct parley_random *random;
    book_may *may;
    const void *context;
};

/* Of those in the bucket that may be chosen each with the same chance. */
static uint32_t choose_in(const struct choice *choice, const uint16_t *bucket) {
    uint32_t chosen = BOOK_NONE;
    uint64_t seen = 0;
    for (size_t i = 0; i < PARLEY_BOOK_BUCKET_SIZE; i++)
        if (bucket[i] != EMPTY && choice->may(choice->context, &choice->table->items[bucket[i]]) &&
            parley_random_below(choice->random, ++seen) == 0)
            chosen = bucket[i];
    return chosen;
}

uint32_t book_table_choose(const struct book_table *table, bool is_tried,
                           struct parley_random *random, book_may *may, const void *context) {
    struct choice choice = {table, random, may, context};
    size_t buckets = is_tried ? PARLEY_BOOK_TRIED_BUCKETS : PARLEY_BOOK_NEW_BUCKETS;
    uint32_t chosen = BOOK_NONE;
    uint64_t seen = 0;
    for (size_t i = 0; i < buckets; i++) {
        uint32_t one = choose_in(&choice, is_tried ? table->tried[i] : table->fresh[i]);
        if (one != BOOK_NONE && parley_random_below(random, ++seen) == 0)
            chosen = one;
    }
    return chosen;
}

uint32_t book_table_longest(const struct book_table *table, book_may *may, const void *context) {
    uint32_t longest = BOOK_NONE;
    for (uint32_t i = 0; table->tried_count > 0 && i < PARLEY_BOOK_ITEMS_MAX; i++) {
        const struct book_item *item = &table->items[i];
        if (item->is_used && item->linked_s > 0 && item->failures < PARLEY_BOOK_FAILURES_MAX &&
            (longest == BOOK_NONE || item->linked_s > table->items[longest].linked_s) &&
            may(context, item))
            longest = i;
    }
    return longest;
}

/* Written when it has doubled: a link that lasts costs the disk nothing. */
void book_table_linked(struct book_table *table, uint32_t index, uint32_t seconds) {
    struct book_item *item = &table->items[index];
    item->linked_s += seconds < UINT32_MAX - item->linked_s ? seconds : 0;
    item->is_changed |= item->linked_s / 2 >= item->kept_s + PARLEY_LINKED_MIN_S / 2;
}

void book_table_check(const struct book_table *table) {
    size_t count = 0, tried = 0, places = 0;
    for (uint32_t i = 0; i < PARLEY_BOOK_ITEMS_MAX; i++) {
        const struct book_item *item = &table->items[i];
        if (!item->is_used)
            continue;
        count++;
        tried += item->is_tried;
        assert(table->marks[i] == parley_get_u64(item->key.bytes));
        assert(item->record_size > 0 && item->record_size <= PARLEY_BOOK_RECORD_BYTES_MAX);
    }
    for (size_t b = 0; b < PARLEY_BOOK_NEW_BUCKETS; b++)
        for (size_t i = 0; i < PARLEY_BOOK_BUCKET_SIZE; i++)
            if (table->fresh[b][i] != EMPTY) {
                assert(table->items[table->fresh[b][i]].is_used);
                assert(!table->items[table->fresh[b][i]].is_tried);
                places++;
            }
    for (size_t b = 0; b < PARLEY_BOOK_TRIED_BUCKETS; b++)
        for (size_t i = 0; i < PARLEY_BOOK_BUCKET_SIZE; i++)
            if (table->tried[b][i] != EMPTY) {
                assert(table->items[table->tried[b][i]].is_used);
                assert(table->items[table->tried[b][i]].is_tried);
                places++;
            }
    assert(count == table->count && tried == table->tried_count && places == count);
}
