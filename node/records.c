#include "internal.h"

/* Identity records, through the same door as entries: what needs no check is settled at once, then
 * each signature is checked, then the set takes the record and the disk keeps it. */

static void store_record(struct parley_node *node, const struct parley_record *record,
                         struct parley_span bytes, const struct parley_identity_change *change,
                         uint32_t author) {
    struct pending_store nothing = {.after = AFTER_NOTHING};
    uint8_t *copy = out_take(node, bytes.size + 64);
    if (copy == NULL)
        return;
    memcpy(copy, record->hash.bytes, 32);
    memcpy(copy + 32, change->removed_hash.bytes, 32);
    memcpy(copy + 64, bytes.data, bytes.size);
    struct parley_store_op op = {.kind = PARLEY_STORE_UNRECORD, .author = record->author};
    if (change->removed == PARLEY_REMOVED_ONE)
        op.key = PARLEY_SPAN(copy + 32, 32);
    if (change->removed != PARLEY_REMOVED_NOTHING)
        (void)store_emit(node, &op, &nothing);
    if (change->removed != PARLEY_REMOVED_NOTHING)
        quota_drop_records(node, author, change->removed != PARLEY_REMOVED_ONE);
    quota_add_record(node, author, bytes.size);
    op.kind = PARLEY_STORE_RECORD;
    op.key = PARLEY_SPAN(copy, 32);
    op.bytes = PARLEY_SPAN(copy + 64, bytes.size);
    struct pending_store after = {.after = AFTER_RECORD, .author = author};
    if (store_emit(node, &op, &after))
        node->authors[author].records_in_flight++;
}

/* The set that the record would come into. NULL: it is not wanted. A relay and an import take those
 * of authors without a row, too: *row is NONE then, and he gets one when a signature held. */
static const struct parley_identity *set_for_record(struct parley_node *node,
                                                    const struct peer *peer,
                                                    const struct parley_record *record,
                                                    uint32_t *row) {
    static const struct parley_identity_storage nothing = {NULL, 0, NULL, 0};
    *row = author_find(node, &record->author);
    if (*row != NONE && node->authors[*row].quota.is_leaving)
        return NULL;
    if (*row != NONE)
        return peer == NULL || author_is_wanted(node, *row) ||
                       parents_expect(node, peer, &record->author)
                   ? &node->authors[*row].set
                   : NULL;
    if (peer != NULL && !node->config.relay && !parents_expect(node, peer, &record->author))
        return NULL;
    parley_identity_init(&node->nobody, &record->author, &nothing);
    return &node->nobody;
}

/* Looks at the first of the records left; true when its signatures must be checked. */
static enum parley_error preview_record(struct parley_node *node, const struct peer *peer,
                                        struct parley_span bytes, struct parley_record *record,
                                        const struct parley_identity **set, uint32_t *row) {
    struct parley_identity_change change;
    struct parley_fault fault = parley_record_decode(record, bytes);
    if (fault.error != PARLEY_E_OK)
        return fault.error;
    *set = set_for_record(node, peer, record, row);
    if (*set == NULL)
        return PARLEY_E_NOT_WANTED;
    switch (parley_identity_preview(*set, record, &change)) {
    case PARLEY_IDENTITY_ADDED:
    case PARLEY_IDENTITY_FULL:
        return PARLEY_E_OK;
    case PARLEY_IDENTITY_EXISTS:
    case PARLEY_IDENTITY_VOID:
    case PARLEY_IDENTITY_BEYOND:
        return PARLEY_E_EXISTS;
    case PARLEY_IDENTITY_UNREVEALED:
        return PARLEY_E_UNREVEALED;
    }
    return PARLEY_E_BAD_KIND;
}

static void finish_records(struct parley_node *node, struct job *job, enum parley_error error) {
    struct peer *peer = job_peer(node, job);
    parley_request request = job->request;
    uint64_t added = job->records.added;
    size_t checks_good = job->records.checks_good;
    bool is_followed = job->records.is_followed;
    if (peer != NULL && added > 0)
        budget_give_back(node, peer, job->size);
    if (peer != NULL)
        budget_give_back_checks(peer, checks_good);
    job_give(node, job);
    if (peer != NULL && parley_error_class(error) == PARLEY_CLASS_REMOTE)
        peer_close(node, peer, error, PARLEY_GOODBYE_FAULT);
    if (error == PARLEY_E_OK && !is_followed)
        reply_when_durable(node, request, added);
    else
        effect_reply(node, request, error);
}

/* Goes on with the records of a job until one needs a check or none is left. */
static void run_records(struct parley_node *node, struct job *job) {
    struct parley_wire_list ahead = job->records.left;
    struct parley_span bytes;
    enum parley_error last = PARLEY_E_OK;
    while (parley_wire_next_record(&ahead, &bytes)) {
        struct parley_record record;
        const struct parley_identity *set;
        uint32_t row;
        enum parley_error error =
            preview_record(node, job_peer(node, job), bytes, &record, &set, &row);
        if (error == PARLEY_E_OK) {
            struct parley_check checks[2];
            size_t count = parley_record_checks(checks, &record, &set->root);
            job->state = JOB_CHECKING;
            job->records.checks_left = (uint32_t)count;
            job->records.check_failed = false;
            for (size_t i = 0; i < count; i++)
                verify_emit(node, job, &checks[i]);
            return;
        }
        if (parley_error_class(error) == PARLEY_CLASS_REMOTE) {
            finish_records(node, job, error);
            return;
        }
        if (error != PARLEY_E_EXISTS)
            last = error;
        job->records.left = ahead;
    }
    finish_records(node, job, job->request != 0 ? last : PARLEY_E_OK);
}

static enum parley_error add_record(struct parley_node *node, struct job *job,
                                    struct parley_span bytes) {
    struct parley_record record;
    const struct parley_identity *set;
    uint32_t row;
    struct parley_identity_change change;
    if (preview_record(node, job_peer(node, job), bytes, &record, &set, &row) != PARLEY_E_OK)
        return PARLEY_E_OK; /* the set has changed meanwhile */
    if (!store_has_room(node))
        return PARLEY_E_RETRY; /* a set holds nothing that the disk never gets */
    if (row == NONE)
        row = author_take_stranger(node, &record.author);
    if (row == NONE)
        return PARLEY_E_FULL; /* of strangers */
    if (author_add_record(node, row, &record, &change) != PARLEY_IDENTITY_ADDED)
        return PARLEY_E_FULL;
    named_is_real(node, row);
    node->authors[row].is_given = true;
    job->records.added++;
    job->records.checks_good += record.kind == PARLEY_RECORD_CERTIFICATE ? 2 : 1;
    store_record(node, &record, bytes, &change, row);
    author_refresh_logs(node, row, &record, &change);
    return PARLEY_E_OK;
}

void records_on_verified(struct parley_node *node, struct job *job, bool holds) {
    job->records.check_failed |= !holds;
    if (--job->records.checks_left > 0)
        return;
    struct parley_span bytes;
    bool any = parley_wire_next_record(&job->records.left, &bytes);
    assert(any);
    if (job->records.check_failed) {
        finish_records(node, job, PARLEY_E_BAD_SIGNATURE);
        return;
    }
    enum parley_error error = add_record(node, job, bytes);
    if (error != PARLEY_E_OK && job->request != 0)
        finish_records(node, job, error); /* who imports hears it; a peer tells again */
    else
        run_records(node, job);
}

bool records_are_of_one(struct parley_wire_list records, struct parley_author *author) {
    struct parley_span bytes;
    struct parley_record record;
    for (size_t i = 0; parley_wire_next_record(&records, &bytes); i++) {
        if (parley_record_decode(&record, bytes).error != PARLEY_E_OK ||
            (i > 0 && !PARLEY_EQUAL(record.author, *author)))
            return false;
        *author = record.author;
    }
    return true;
}

void ingest_records(struct parley_node *node, struct peer *peer, parley_request request,
                    bool is_followed, struct parley_wire_list records, struct parley_span bytes) {
    struct job *job = job_take(node, peer, JOB_RECORDS, bytes);
    if (job == NULL) {
        effect_reply(node, request, PARLEY_E_RETRY);
        return;
    }
    size_t offset = (size_t)(records.bytes.data - bytes.data);
    job->state = JOB_CHECKING;
    job->request = request;
    job->records = (struct records_task){.is_followed = is_followed};
    job->records.left.bytes = PARLEY_SPAN(job->buffer + offset, records.bytes.size);
    job->records.left.count = records.count;
    job->records.is_of_one = records_are_of_one(job->records.left, &job->records.author);
    run_records(node, job);
}
