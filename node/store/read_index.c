/* What is said of an entry, for people: replies, echoes, votes, profiles, erasures. What is damaged
 * among links is passed over: a walk goes on behind, and answers STORE_DAMAGED at its end. */
#include "internal.h"

struct links {
    struct parley_kv *kv;
    const void *view;
    const struct key *skip; /* the row that the reader has seen; NULL: none */
    parley_store_on_link *on_link;
    void *context;
    struct log_row row; /* of the log at hand: links of one log often stand together */
    bool is_damaged;    /* something was passed over */
    enum parley_error error;
};

/* Damage ends nothing. */
static bool goes_on(struct links *links) {
    if (links->error == PARLEY_E_STORE_DAMAGED) {
        links->is_damaged = true;
        links->error = PARLEY_E_OK;
    }
    return links->error == PARLEY_E_OK;
}

/* Of the row's end: time u64, log number u32, seq u48. */
static bool give_link(struct links *links, const uint8_t *end, struct parley_span value) {
    uint32_t number = parley_get_u32(end + 8);
    if (links->row.number != number) {
        links->error = row_read_by_number(links->kv, links->view, number, &links->row);
        links->row.number = links->error == PARLEY_E_OK ? number : 0;
    }
    if (links->error != PARLEY_E_OK)
        return goes_on(links);
    struct parley_store_link link = {
        .log = links->row.held, .time = parley_get_u64(end), .seq = parley_get_u48(end + 12)};
    if (value.size == LINK_VALUE_SIZE) {
        memcpy(link.id_start, value.data, sizeof link.id_start);
        link.vote = (int8_t)value.data[8];
    }
    return links->on_link(links->context, &link);
}

#define LINK_END_SIZE (8u + 4u + 6u)

static bool on_link_row(void *context, struct parley_span key, struct parley_span value) {
    struct links *links = context;
    if (links->skip != NULL && parley_span_equal(key_span(links->skip), key))
        return true;
    if (key.size < LINK_END_SIZE) {
        links->error = PARLEY_E_STORE_DAMAGED;
        return goes_on(links);
    }
    return give_link(links, key.data + key.size - LINK_END_SIZE, value);
}

static enum parley_error walk(struct links *links, const struct parley_kv_bounds *bounds) {
    enum parley_error error =
        links->kv->calls->scan(links->kv, links->view, bounds, on_link_row, links);
    if (links->error == PARLEY_E_OK && links->is_damaged)
        return PARLEY_E_STORE_DAMAGED;
    return links->error != PARLEY_E_OK ? links->error : error;
}

/* Where the reader goes on; a log that is gone begins its millisecond again. */
static enum parley_error find_place(struct links *links, struct key *key,
                                    const struct parley_log *log, parley_seq seq, uint8_t kind,
                                    const struct parley_timeline_place *after) {
    struct log_row row;
    enum parley_error error = row_read(links->kv, links->view, &after->log, &row);
    bool is_held = error == PARLEY_E_OK;
    if (error == PARLEY_E_OK || error == PARLEY_E_NOT_FOUND)
        key_link(key, log, seq, kind, 0, after->time, is_held ? row.number : 0,
                 is_held ? after->seq : 0);
    return error == PARLEY_E_NOT_FOUND ? PARLEY_E_OK : error;
}

enum parley_error parley_store_links(struct parley_store *store, const struct parley_log *log,
                                     parley_seq seq, enum parley_link_kind kind,
                                     const struct parley_timeline_place *after,
                                     parley_store_on_link *on_link, void *context) {
    struct links links = {.kv = store->kv, .on_link = on_link, .context = context};
    struct key low, high, prefix;
    key_links(&prefix, log, seq, (uint8_t)kind);
    key_after(&high, &prefix);
    low = prefix;
    enum parley_error error = links.kv->calls->view_begin(links.kv, &links.view);
    if (error != PARLEY_E_OK)
        return error;
    if (after != NULL && kind != PARLEY_LINK_VOTE) {
        error = find_place(&links, &low, log, seq, (uint8_t)kind, after);
        links.skip = &low;
    }
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), .is_past_damage = true};
    if (error == PARLEY_E_OK)
        error = walk(&links, &bounds);
    links.kv->calls->view_end(links.kv, links.view);
    return error;
}

enum parley_error parley_store_profiles(struct parley_store *store,
                                        const struct parley_author *author,
                                        parley_store_on_link *on_link, void *context) {
    struct links links = {.kv = store->kv, .on_link = on_link, .context = context};
    struct key low, high;
    uint32_t number = 0;
    enum parley_error error = links.kv->calls->view_begin(links.kv, &links.view);
    if (error != PARLEY_E_OK)
        return error;
    error = author_number_read(links.kv, links.view, author, &number);
    key_letter_number(&low, 'p', number);
    key_after(&high, &low);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), .is_descending = true,
                                      .is_past_damage = true};
    if (error == PARLEY_E_OK)
        error = walk(&links, &bounds);
    links.kv->calls->view_end(links.kv, links.view);
    return error == PARLEY_E_NOT_FOUND ? PARLEY_E_OK : error;
}

/* ---- what became of a body */

struct erasures {
    const struct parley_id *id;
    parley_seq erased_by;
};

static bool on_erasure(void *context, struct parley_span key, struct parley_span value) {
    struct erasures *erasures = context;
    if (key.size != ERASURE_KEY_SIZE || !parley_span_equal(value, PARLEY_SPAN_OF(*erasures->id)))
        return true;
    erasures->erased_by = parley_get_u48(key.data + 11);
    return false;
}

/* The row x of a log with holes in what it forgot may be long; it is scanned, not copied. */
struct forgotten {
    parley_seq seq;
    bool is_covered;
};

static bool on_forgotten(void *context, struct parley_span key, struct parley_span value) {
    struct forgotten *forgotten = context;
    struct erased erased = {value};
    (void)key;
    forgotten->is_covered = erased_covers(&erased, forgotten->seq);
    return false;
}

static enum parley_error read_forgotten(struct parley_kv *kv, const void *view,
                                        const struct log_row *row, struct forgotten *forgotten) {
    struct key low, high;
    key_erased(&low, row->number);
    key_after(&high, &low);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), false};
    return row->has_erased ? kv->calls->scan(kv, view, &bounds, on_forgotten, forgotten)
                           : PARLEY_E_OK;
}

enum parley_error parley_store_body_state(struct parley_store *store, const struct parley_log *log,
                                          parley_seq seq, const struct parley_id *id,
                                          struct parley_store_body_state *out) {
    struct parley_kv *kv = store->kv;
    const void *view = NULL;
    struct log_row row;
    struct key low, high;
    struct erasures erasures = {.id = id};
    struct forgotten forgotten = {.seq = seq};
    *out = (struct parley_store_body_state){0};
    enum parley_error error = kv->calls->view_begin(kv, &view);
    if (error != PARLEY_E_OK)
        return error;
    error = row_read(kv, view, log, &row);
    if (error == PARLEY_E_OK) {
        key_erasures(&low, row.number, seq);
        key_after(&high, &low);
        struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), false};
        error = kv->calls->scan(kv, view, &bounds, on_erasure, &erasures);
    }
    if (error == PARLEY_E_OK)
        error = read_forgotten(kv, view, &row, &forgotten);
    kv->calls->view_end(kv, view);
    if (error == PARLEY_E_NOT_FOUND)
        return PARLEY_E_OK;
    out->erased_by = erasures.erased_by;
    out->is_forgotten = forgotten.is_covered;
    return error;
}
