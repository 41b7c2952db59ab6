#include <parley/log.h>

static struct parley_fault refuse(enum parley_error error, const char *field) {
    return (struct parley_fault){error, 0, field};
}

/* Whether a run may come whose top nobody vouched for. Never a peer's fault: policies travel apart
 * from entries, and the peer may know another one. */
static enum parley_error admit_unanchored(const struct parley_policy *policy, parley_seq top) {
    switch (policy->kind) {
    case PARLEY_POLICY_VOID:
        return PARLEY_E_LOG_VOID;
    case PARLEY_POLICY_CLOSED:
        return PARLEY_E_LOG_CLOSED;
    case PARLEY_POLICY_OPEN:
        return top > policy->seq ? PARLEY_E_OK : PARLEY_E_NOT_WANTED;
    }
    return PARLEY_E_LOG_VOID;
}

/* Walks up to the top: every id on the way is a link of the chain that the top commits to. */
static void hash_to_top(struct parley_judged *out, struct parley_entry *top) {
    struct parley_chunk_cursor cursor;
    parley_chunk_start(&cursor, &out->chunk);
    while (parley_chunk_next(&cursor, top))
        ;
    out->run.hi_id = top->id;
}

static void fill_run(struct parley_judged *out) {
    out->run.lo = out->chunk.seq_first;
    out->run.lo_prev = out->chunk.prev_first;
    out->run.hi = parley_chunk_seq_last(&out->chunk);
    out->top_time = out->chunk.time_last;
}

struct parley_fault parley_judge_read(struct parley_judged *out, struct parley_span bytes) {
    *out = (struct parley_judged){0};
    struct parley_fault fault = parley_chunk_decode(&out->chunk, bytes);
    if (fault.error == PARLEY_E_OK)
        fill_run(out);
    return fault;
}

struct parley_fault parley_judge_what_was_read(struct parley_judged *out,
                                               const struct parley_log *log,
                                               const struct parley_policy *policy,
                                               const struct parley_device_key *device,
                                               const struct parley_anchor *anchor) {
    struct parley_entry top;
    if (!PARLEY_EQUAL(out->chunk.log, *log))
        return refuse(PARLEY_E_BAD_ANCHOR, "log");
    if (anchor != NULL && anchor->seq != out->run.hi)
        return refuse(PARLEY_E_BAD_ANCHOR, "seq");
    if (anchor == NULL) {
        enum parley_error error = admit_unanchored(policy, out->run.hi);
        if (error != PARLEY_E_OK)
            return refuse(error, NULL);
    }
    hash_to_top(out, &top);
    if (anchor != NULL && !PARLEY_EQUAL(anchor->id, out->run.hi_id))
        return refuse(PARLEY_E_BAD_ANCHOR, "id");
    out->needs_check = anchor == NULL;
    if (device != NULL)
        parley_entry_check(&out->check, &top, device);
    assert(device != NULL || anchor != NULL);
    return PARLEY_NO_FAULT;
}

struct parley_fault parley_judge_chunk(struct parley_judged *out, const struct parley_log *log,
                                       const struct parley_policy *policy,
                                       const struct parley_device_key *device,
                                       const struct parley_anchor *anchor,
                                       struct parley_span bytes) {
    struct parley_fault fault = parley_judge_read(out, bytes);
    if (fault.error != PARLEY_E_OK)
        return fault;
    return parley_judge_what_was_read(out, log, policy, device, anchor);
}
