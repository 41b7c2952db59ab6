#include <parley/reconcile.h>

#include <assert.h>
#include <parley/crypto.h>
#include <sodium.h>

/* The set of a session: items in buckets by the first bits of their places. A range is some whole
 * buckets, or a part of one; buckets keep their sums, so that nothing has to be sorted and an item
 * costs the same whenever it is added. */

#define NO_ITEM          UINT32_MAX
#define ITEMS_PER_BUCKET 8u
#define BUCKETS_MIN      8u
#define BITS_MAX         24u

static_assert(sizeof(((struct parley_reconcile *)0)->key) == crypto_shorthash_siphashx24_KEYBYTES,
              "SipHash takes the key as it is");

uint32_t parley_reconcile_buckets_for(uint32_t items_max) {
    uint32_t buckets = BUCKETS_MIN;
    while (buckets < items_max / ITEMS_PER_BUCKET && buckets < 1u << BITS_MAX)
        buckets *= 2;
    return buckets;
}

void parley_reconcile_key(uint8_t key[PARLEY_RECONCILE_KEY_SIZE], const struct parley_link *link,
                          uint64_t session) {
    uint8_t number[4], whole[32];
    parley_put_u32(number, (uint32_t)session);
    parley_hash_two(whole, PARLEY_DOMAIN_RECONCILE, PARLEY_SPAN_OF(link->hash),
                    PARLEY_SPAN(number, sizeof number));
    memcpy(key, whole, PARLEY_RECONCILE_KEY_SIZE);
}

void parley_reconcile_init(struct parley_reconcile *set,
                           const uint8_t key[PARLEY_RECONCILE_KEY_SIZE],
                           struct parley_reconcile_item *items,
                           struct parley_reconcile_bucket *buckets, uint32_t items_max) {
    uint32_t buckets_count = parley_reconcile_buckets_for(items_max);
    *set = (struct parley_reconcile){
        .items = items, .buckets = buckets, .items_max = items_max, .room = UINT32_MAX};
    memcpy(set->key, key, sizeof set->key);
    while (1u << set->bucket_bits < buckets_count)
        set->bucket_bits++;
    for (uint32_t i = 0; i < buckets_count; i++)
        buckets[i] = (struct parley_reconcile_bucket){.first = NO_ITEM};
}

/* ---- Items ------------------------------------------------------------------------------------
 */

static struct parley_reconcile_sum hash_of(const uint8_t *key, const uint8_t *data, size_t size) {
    uint8_t hash[crypto_shorthash_siphashx24_BYTES];
    crypto_shorthash_siphashx24(hash, data, size, key);
    return (struct parley_reconcile_sum){parley_get_u64(hash), parley_get_u64(hash + 8)};
}

static void add_to(struct parley_reconcile_sum *sum, const struct parley_reconcile_sum *more) {
    sum->low += more->low;
    sum->high += more->high + (sum->low < more->low);
}

uint64_t parley_reconcile_place(const uint8_t key[PARLEY_RECONCILE_KEY_SIZE],
                                const uint8_t name[32]) {
    return hash_of(key, name, 32).high;
}

static struct parley_reconcile_sum state_of(const uint8_t *key,
                                            const struct parley_reconcile_log *log) {
    uint8_t bytes[32 + 6 + 32 + 6 + PARLEY_SET_HASH_SIZE];
    memcpy(bytes, log->name, 32);
    parley_put_u48(bytes + 32, log->seq);
    memcpy(bytes + 38, log->id.bytes, 32);
    parley_put_u48(bytes + 70, log->forked_seq);
    memcpy(bytes + 76, log->set_hash, PARLEY_SET_HASH_SIZE);
    return hash_of(key, bytes, sizeof bytes);
}

static uint32_t bucket_of(const struct parley_reconcile *set, uint64_t place) {
    return (uint32_t)(place >> (64 - set->bucket_bits));
}

bool parley_reconcile_add(struct parley_reconcile *set, const struct parley_reconcile_log *log,
                          uint32_t mark) {
    if (set->count == set->items_max)
        return false;
    struct parley_reconcile_item *item = &set->items[set->count];
    /* A fork is looked at whole: which seq is higher says nothing then. */
    parley_seq seq = log->forked_seq == 0 ? log->seq : 0;
    *item = (struct parley_reconcile_item){.place = parley_reconcile_place(set->key, log->name),
                                           .state = state_of(set->key, log),
                                           .seq_and_set = seq << 8 | log->set_hash[0],
                                           .mark = mark};
    struct parley_reconcile_bucket *bucket = &set->buckets[bucket_of(set, item->place)];
    uint32_t *at = &bucket->first;
    while (*at != NO_ITEM && set->items[*at].place <= item->place)
        at = &set->items[*at].next;
    item->next = *at;
    *at = set->count++;
    bucket->count++;
    add_to(&bucket->sum, &item->state);
    return true;
}

parley_seq parley_reconcile_seq(const struct parley_reconcile_item *item) {
    return item->seq_and_set >> 8;
}

const struct parley_reconcile_item *parley_reconcile_find(const struct parley_reconcile *set,
                                                          uint64_t place) {
    const struct parley_reconcile_item *found = NULL;
    for (uint32_t i = set->buckets[bucket_of(set, place)].first; i != NO_ITEM;
         i = set->items[i].next) {
        if (set->items[i].place != place)
            continue;
        if (found != NULL)
            return NULL;
        found = &set->items[i];
    }
    return found;
}

/* ---- Ranges -----------------------------------------------------------------------------------
 */

static unsigned bits_of(uint64_t path) {
    return 63u - (unsigned)__builtin_clzll(path);
}

static bool has_place(uint64_t path, uint64_t place) {
    unsigned bits = bits_of(path);
    return bits == 0 || place >> (64 - bits) == (path ^ UINT64_C(1) << bits);
}

static void buckets_of(const struct parley_reconcile *set, uint64_t path, uint32_t *first,
                       uint32_t *end) {
    unsigned bits = bits_of(path);
    uint64_t prefix = path ^ UINT64_C(1) << bits;
    if (bits >= set->bucket_bits) {
        *first = (uint32_t)(prefix >> (bits - set->bucket_bits));
        *end = *first + 1;
    } else {
        *first = (uint32_t)(prefix << (set->bucket_bits - bits));
        *end = *first + (1u << (set->bucket_bits - bits));
    }
}

void parley_reconcile_start(struct parley_reconcile_cursor *cursor,
                            const struct parley_reconcile *set, uint64_t path) {
    *cursor = (struct parley_reconcile_cursor){.set = set, .path = path};
    buckets_of(set, path, &cursor->bucket, &cursor->bucket_end);
    cursor->item = set->buckets[cursor->bucket].first;
}

struct parley_reconcile_item *parley_reconcile_next(struct parley_reconcile_cursor *cursor) {
    const struct parley_reconcile *set = cursor->set;
    while (cursor->bucket < cursor->bucket_end) {
        while (cursor->item != NO_ITEM) {
            struct parley_reconcile_item *item = &set->items[cursor->item];
            cursor->item = item->next;
            if (has_place(cursor->path, item->place))
                return item;
        }
        if (++cursor->bucket < cursor->bucket_end)
            cursor->item = set->buckets[cursor->bucket].first;
    }
    return NULL;
}

uint32_t parley_reconcile_sum_of(struct parley_reconcile_sum *sum,
                                 const struct parley_reconcile *set, uint64_t path) {
    uint32_t first, end, count = 0;
    *sum = (struct parley_reconcile_sum){0};
    if (bits_of(path) <= set->bucket_bits) {
        buckets_of(set, path, &first, &end);
        for (uint32_t i = first; i < end; i++) {
            add_to(sum, &set->buckets[i].sum);
            count += set->buckets[i].count;
        }
        return count;
    }
    struct parley_reconcile_cursor cursor;
    parley_reconcile_start(&cursor, set, path);
    for (struct parley_reconcile_item *item; (item = parley_reconcile_next(&cursor)) != NULL;
         count++)
        add_to(sum, &item->state);
    return count;
}
