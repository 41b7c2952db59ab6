#include "author_set.h"

struct loading_set {
    struct author_set *set;
    bool verify;
    author_set_on_bad *on_bad;
    void *context;
};

/* 'r', author, kind, hash */
#define RECORD_KEY_SIZE (1u + 32u + 1u + 32u)

static bool is_as_named(const struct parley_record *record, const struct parley_author *author,
                        struct parley_span key) {
    return key.size == RECORD_KEY_SIZE && key.data[33] == record->kind &&
           memcmp(key.data + 34, record->hash.bytes, sizeof record->hash) == 0 &&
           PARLEY_EQUAL(record->author, *author);
}

/* A record of a generation that no longer counts, or not yet, says nothing that could be checked:
 * its hash alone is. */
static bool is_signed(const struct loading_set *loading, const struct parley_record *record) {
    const struct parley_identity *set = &loading->set->set;
    bool is_rotation = record->kind == PARLEY_RECORD_ROTATION;
    if (!loading->verify || (!is_rotation && record->generation != set->generation))
        return true;
    return parley_record_verify(record, &set->root).error == PARLEY_E_OK;
}

static bool take(struct loading_set *loading, struct parley_span key, struct parley_span value) {
    struct parley_identity *set = &loading->set->set;
    struct parley_record record;
    struct parley_identity_change change;
    if (parley_record_decode(&record, value).error != PARLEY_E_OK ||
        !is_as_named(&record, &set->author, key) || !is_signed(loading, &record))
        return false;
    (void)parley_identity_add(set, &record, &change);
    return true;
}

static bool on_record(void *context, struct parley_span key, struct parley_span value) {
    struct loading_set *loading = context;
    loading->set->records_count++;
    if (!take(loading, key, value) && loading->on_bad != NULL)
        loading->on_bad(loading->context, key);
    return true;
}

enum parley_error author_set_load(struct author_set *set, struct parley_kv *kv, const void *view,
                                  const struct parley_author *author, bool verify,
                                  author_set_on_bad *on_bad, void *context) {
    struct key low, high;
    struct loading_set loading = {set, verify, on_bad, context};
    struct parley_identity_storage storage = {set->facts, PARLEY_SET_RECORDS_MAX, set->listings,
                                              PARLEY_ROTATION_ITEMS_MAX};
    parley_identity_init(&set->set, author, &storage);
    set->records_count = 0;
    key_records(&low, author);
    key_after(&high, &low);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), false, true};
    return kv->calls->scan(kv, view, &bounds, on_record, &loading);
}
