/* Whether a bundle holds, section by section, and where it does not. SPEC 7.4.
 *
 * A record must bear its signatures; a chunk's top must bear its own, or be the very entry that a
 * record names, or be what the next chunk of its run is built on; every entry below follows by
 * hash. Only when a top bears nothing itself are the entries checked one by one, to name the first
 * that is damaged should nothing vouch for it later.
 */
#include <assert.h>

#include <parley/bundle.h>

void parley_bundle_judge_init(struct parley_bundle_judge *judge) {
    memset(judge, 0, sizeof *judge);
    parley_bundle_reader_init(&judge->reader);
}

/* ---- Saying no ----------------------------------------------------------------------------- */

static bool refuse(struct parley_bundle_finding *finding, enum parley_error error, uint64_t offset,
                   const char *field) {
    finding->kind = PARLEY_FINDING_REFUSED;
    finding->error = error;
    finding->offset = offset;
    finding->field = field;
    return false;
}

static bool refuse_entry(struct parley_bundle_finding *finding, enum parley_error error,
                         uint64_t offset, const char *field, const struct parley_log *log,
                         parley_seq seq) {
    finding->has_entry = true;
    finding->log = *log;
    finding->seq = seq;
    return refuse(finding, error, offset, field);
}

/* ---- Entries of a chunk with their places in the file -------------------------------------- */

static void start_entries(struct parley_bundle_entries *entries, const struct parley_chunk *chunk,
                          const struct parley_device_key *device, uint64_t chunk_offset) {
    parley_chunk_start(&entries->cursor, chunk);
    entries->device = *device;
    entries->offset = chunk_offset + (uint64_t)(chunk->items.data - chunk->bytes.data);
}

/* Without the signature. */
static bool next_entry(struct parley_bundle_entries *entries, struct parley_bundle_entry *out) {
    uint64_t offset = entries->offset + parley_reader_offset(&entries->cursor.reader);
    if (!parley_chunk_next(&entries->cursor, &out->entry))
        return false;
    out->offset = offset;
    out->is_signed = false;
    return true;
}

static bool is_signed_by(const struct parley_entry *entry, const struct parley_device_key *device) {
    struct parley_check check;
    parley_entry_check(&check, entry, device);
    return parley_check_holds(&check);
}

void parley_bundle_entries_start(struct parley_bundle_entries *entries,
                                 const struct parley_bundle_finding *finding) {
    assert(finding->kind == PARLEY_FINDING_CHUNK);
    start_entries(entries, &finding->chunk, &finding->device, finding->offset);
}

bool parley_bundle_entries_next(struct parley_bundle_entries *entries,
                                struct parley_bundle_entry *out) {
    if (!next_entry(entries, out))
        return false;
    out->is_signed = is_signed_by(&out->entry, &entries->device);
    return true;
}

static bool is_named(const struct parley_policy *policy, const struct parley_entry *entry) {
    return policy->seq == entry->header.seq && PARLEY_EQUAL(policy->id, entry->id);
}

/* Damage anywhere changes the ids from there on, so nothing behind it verifies or is the entry that
 * is named; and an entry that does and is commits to all below it. So the damage is right behind
 * the last of these: a seq and where it begins in the file, perhaps the end of what the chunk
 * holds. False when the chunk has none: it begins with its first entry, or before. */
static bool find_damage(struct parley_bundle_damage *damage, const struct parley_chunk *chunk,
                        const struct parley_device_key *device, const struct parley_policy *policy,
                        uint64_t chunk_offset) {
    struct parley_bundle_entries entries;
    struct parley_bundle_entry entry;
    bool found = false;
    start_entries(&entries, chunk, device, chunk_offset);
    *damage = (struct parley_bundle_damage){chunk->seq_first, entries.offset};
    while (parley_bundle_entries_next(&entries, &entry))
        if (entry.is_signed || is_named(policy, &entry.entry)) {
            found = true;
            damage->seq = entry.entry.header.seq + 1;
            damage->offset = entries.offset + parley_reader_offset(&entries.cursor.reader);
        }
    return found;
}

/* ---- The end of a run ---------------------------------------------------------------------- */

/* Nothing vouches for a last top that bears no good signature and is not named; and of an ended or
 * listed log, what stands at or below the named entry hangs on it. */
static bool end_run(struct parley_bundle_judge *judge, struct parley_bundle_finding *finding) {
    if (!judge->has_run)
        return true;
    judge->has_run = false;
    if (judge->is_hanging)
        return refuse_entry(finding, PARLEY_E_BAD_SIGNATURE, judge->damage.offset, "signature",
                            &judge->log, judge->damage.seq);
    return judge->seq_last >= judge->policy.seq ||
           refuse_entry(finding, PARLEY_E_LOG_CLOSED, judge->run_offset, "end of the run",
                        &judge->log, judge->seq_last);
}

/* ---- Records ------------------------------------------------------------------------------- */

static void start_author(struct parley_bundle_judge *judge, const struct parley_author *author) {
    const struct parley_identity_storage storage = {judge->facts, PARLEY_SET_RECORDS_MAX,
                                                    judge->listings, PARLEY_ROTATION_ITEMS_MAX};
    parley_identity_init(&judge->set, author, &storage);
    judge->has_author = true;
    judge->has_chunks = false;
    judge->authors_count++;
}

/* The logs of an author whose runs have begun must not change their verdicts behind them. */
static bool admit_record(struct parley_bundle_judge *judge, struct parley_bundle_finding *finding,
                         uint64_t offset) {
    const struct parley_record *record = &finding->record;
    bool is_same = judge->has_author && PARLEY_EQUAL(judge->set.author, record->author);
    if (is_same && !judge->has_chunks)
        return true;
    if (record->kind != PARLEY_RECORD_ROTATION)
        return refuse(finding, is_same ? PARLEY_E_NOT_CANONICAL : PARLEY_E_UNREVEALED, offset,
                      "record");
    start_author(judge, &record->author);
    return true;
}

/* Beaten, repeated and surplus records change nothing and are no damage. */
static void add_record(struct parley_bundle_judge *judge, const struct parley_record *record) {
    struct parley_identity_change change;
    enum parley_identity_answer answer = parley_identity_add(&judge->set, record, &change);
    assert(answer != PARLEY_IDENTITY_FULL && answer != PARLEY_IDENTITY_UNREVEALED);
}

static bool judge_signatures(const struct parley_bundle_judge *judge,
                             struct parley_bundle_finding *finding, uint64_t offset) {
    struct parley_fault fault = parley_record_verify(&finding->record, &judge->set.root);
    return fault.error == PARLEY_E_OK ||
           refuse(finding, fault.error, offset + fault.offset, fault.field);
}

/* A statement counts in the generation of the rotation before it, which brings the root; one of a
 * lower generation is void, whatever it bears. */
static bool judge_statement(const struct parley_bundle_judge *judge,
                            struct parley_bundle_finding *finding, uint64_t offset) {
    const struct parley_record *record = &finding->record;
    if (record->generation > judge->set.generation)
        return refuse(finding, PARLEY_E_UNREVEALED, offset, "generation");
    return record->generation < judge->set.generation || judge_signatures(judge, finding, offset);
}

/* Of a version or kind that later readers know: nobody's fault, and no part of what is read here.
 */
static bool is_passed_over(enum parley_error error) {
    return error == PARLEY_E_BAD_VERSION || error == PARLEY_E_BAD_KIND;
}

static bool judge_record(struct parley_bundle_judge *judge, struct parley_bundle_finding *finding,
                         const struct parley_bundle_section *section) {
    uint64_t offset = section->payload_offset;
    struct parley_fault fault = parley_record_decode(&finding->record, section->payload);
    finding->bytes = section->payload;
    finding->offset = offset;
    finding->kind = PARLEY_FINDING_PASSED;
    if (is_passed_over(fault.error))
        return true;
    if (fault.error != PARLEY_E_OK)
        return refuse(finding, fault.error, offset + fault.offset, fault.field);
    if (!end_run(judge, finding))
        return false;
    bool is_rotation = finding->record.kind == PARLEY_RECORD_ROTATION;
    if (is_rotation && !judge_signatures(judge, finding, offset))
        return false;
    if (!admit_record(judge, finding, offset))
        return false;
    if (!is_rotation && !judge_statement(judge, finding, offset))
        return false;
    add_record(judge, &finding->record);
    finding->kind = PARLEY_FINDING_RECORD;
    finding->author = judge->set.author;
    judge->records_count++;
    return true;
}

/* ---- Chunks -------------------------------------------------------------------------------- */

/* The logs of an author ascend by name, so that none comes back and a reader needs to remember
 * one. */
static bool start_run(struct parley_bundle_judge *judge, struct parley_bundle_finding *finding,
                      uint64_t offset) {
    const struct parley_chunk *chunk = &finding->chunk;
    if (!judge->has_author)
        return refuse(finding, PARLEY_E_UNKNOWN_AUTHOR, offset, "log");
    if (!parley_identity_log_policy(&judge->policy, &judge->device, &judge->set, &chunk->log))
        return refuse(finding, PARLEY_E_UNKNOWN_LOG, offset, "log");
    if (judge->policy.kind == PARLEY_POLICY_VOID)
        return refuse(finding, PARLEY_E_LOG_VOID, offset, "log");
    int order = judge->has_chunks ? PARLEY_COMPARE(chunk->log, judge->log) : 1;
    if (order < 0 || (order == 0 && chunk->seq_first <= judge->seq_last))
        return refuse(finding, PARLEY_E_NOT_CANONICAL, offset, "order of chunks");
    if (order == 0 && chunk->seq_first == judge->seq_last + 1)
        return refuse(finding, PARLEY_E_PREV_MISMATCH, offset, "prev");
    judge->log = chunk->log;
    judge->has_run = true;
    judge->is_hanging = false;
    judge->vouched_seq = 0;
    return true;
}

/* The next chunk of the run at hand, another run of the same log further up, or another log. */
static bool place_chunk(struct parley_bundle_judge *judge, struct parley_bundle_finding *finding,
                        uint64_t offset) {
    const struct parley_chunk *chunk = &finding->chunk;
    finding->continues = judge->has_run && PARLEY_EQUAL(judge->log, chunk->log) &&
                         chunk->seq_first == judge->seq_last + 1 &&
                         PARLEY_EQUAL(chunk->prev_first, judge->id_last);
    return finding->continues || (end_run(judge, finding) && start_run(judge, finding, offset));
}

/* One entry, by what the records say of its place. */
static bool judge_place(const struct parley_policy *policy, struct parley_bundle_finding *finding,
                        const struct parley_bundle_entry *entry) {
    const struct parley_header *header = &entry->entry.header;
    enum parley_error error = PARLEY_E_OK;
    if (policy->kind == PARLEY_POLICY_CLOSED && header->seq > policy->seq)
        error = PARLEY_E_LOG_CLOSED;
    else if (header->seq == policy->seq && !PARLEY_EQUAL(entry->entry.id, policy->id))
        error = PARLEY_E_FORKED;
    else if (policy->seq > 0 && header->seq == policy->seq + 1 &&
             !PARLEY_EQUAL(header->prev, policy->id))
        error = PARLEY_E_FORKED;
    return error == PARLEY_E_OK ||
           refuse_entry(finding, error, entry->offset, NULL, &header->log, header->seq);
}

static bool judge_places(const struct parley_bundle_judge *judge,
                         struct parley_bundle_finding *finding, uint64_t offset) {
    struct parley_bundle_entries entries;
    struct parley_bundle_entry entry;
    /* Open from the start: no place is named, and hashing again would tell nothing. */
    if (judge->policy.seq == 0)
        return true;
    start_entries(&entries, &finding->chunk, &judge->device, offset);
    while (next_entry(&entries, &entry))
        if (!judge_place(&judge->policy, finding, &entry))
            /* Damage makes another entry of the named one: then it is the damage that is told. */
            return judge->is_hanging
                       ? refuse_entry(finding, PARLEY_E_BAD_SIGNATURE, judge->damage.offset,
                                      "signature", &judge->log, judge->damage.seq)
                       : false;
    return true;
}

static void find_top(const struct parley_bundle_judge *judge, struct parley_bundle_finding *finding,
                     uint64_t offset) {
    struct parley_bundle_entries entries;
    struct parley_bundle_entry top;
    start_entries(&entries, &finding->chunk, &judge->device, offset);
    bool has_top = false;
    for (size_t i = 0; i < finding->chunk.count; i++)
        has_top = next_entry(&entries, &top);
    assert(has_top && "a decoded chunk has count entries");
    finding->top_id = top.entry.id;
    finding->top_is_signed = is_signed_by(&top.entry, &judge->device);
    finding->top_is_vouched = finding->top_is_signed || is_named(&judge->policy, &top.entry);
}

/* How far the run is vouched for with this chunk, and where it is damaged if nothing above vouches
 * for more. */
static void judge_top(struct parley_bundle_judge *judge, struct parley_bundle_finding *finding,
                      uint64_t offset) {
    struct parley_bundle_damage damage;
    bool was_hanging = judge->is_hanging;
    parley_seq vouched = 0;
    find_top(judge, finding, offset);
    judge->is_hanging = !finding->top_is_vouched;
    if (!judge->is_hanging) {
        vouched = parley_chunk_seq_last(&finding->chunk);
    } else {
        bool found = find_damage(&damage, &finding->chunk, &judge->device, &judge->policy, offset);
        if (found || !was_hanging)
            judge->damage = damage;
        if (found)
            vouched = damage.seq - 1;
    }
    if (vouched > 0 && vouched >= judge->policy.seq)
        judge->vouched_seq = vouched;
}

/* A chunk that does not parse: of the entries in front the last that verifies tells, as elsewhere.
 * When they all do and nothing else is left to be an entry, the damage is outside any. */
static bool refuse_form(struct parley_bundle_judge *judge, struct parley_bundle_finding *finding,
                        const struct parley_bundle_section *section,
                        const struct parley_fault *fault) {
    const struct parley_chunk *chunk = &finding->chunk;
    uint64_t offset = section->payload_offset;
    struct parley_bundle_damage damage;
    struct parley_policy policy;
    struct parley_device_key device;
    if (chunk->items.data == NULL || !judge->has_author ||
        !parley_identity_log_policy(&policy, &device, &judge->set, &chunk->log))
        return refuse(finding, fault->error, offset + fault->offset, fault->field);
    (void)find_damage(&damage, chunk, &device, &policy, offset);
    bool is_behind = damage.seq == chunk->seq_first + chunk->count;
    if (is_behind &&
        (fault->error == PARLEY_E_TRAILING || damage.offset == offset + section->payload.size))
        return refuse(finding, fault->error, offset + fault->offset, fault->field);
    return refuse_entry(finding, fault->error, damage.offset, fault->field, &chunk->log,
                        damage.seq);
}

static bool judge_chunk(struct parley_bundle_judge *judge, struct parley_bundle_finding *finding,
                        const struct parley_bundle_section *section) {
    uint64_t offset = section->payload_offset;
    struct parley_fault fault = parley_chunk_decode(&finding->chunk, section->payload);
    if (fault.error != PARLEY_E_OK)
        return refuse_form(judge, finding, section, &fault);
    if (!place_chunk(judge, finding, offset))
        return false;
    judge_top(judge, finding, offset);
    if (!judge_places(judge, finding, offset))
        return false;
    judge->has_chunks = true;
    judge->seq_last = parley_chunk_seq_last(&finding->chunk);
    judge->id_last = finding->top_id;
    judge->run_offset = offset;
    judge->entries_count += finding->chunk.count;
    finding->kind = PARLEY_FINDING_CHUNK;
    finding->author = judge->set.author;
    finding->device = judge->device;
    finding->policy = judge->policy;
    finding->vouched_seq = judge->vouched_seq;
    finding->bytes = section->payload;
    finding->offset = offset;
    return true;
}

/* ---- All of it ----------------------------------------------------------------------------- */

static bool judge_trailer(struct parley_bundle_judge *judge, struct parley_bundle_finding *finding,
                          const struct parley_bundle_section *section) {
    finding->kind = PARLEY_FINDING_MORE;
    finding->offset = section->offset;
    if (!end_run(judge, finding))
        return false;
    return section->entries_count == judge->entries_count ||
           refuse(finding, PARLEY_E_BAD_TRAILER, section->offset, "count");
}

static bool judge_section(struct parley_bundle_judge *judge, struct parley_bundle_finding *finding,
                          const struct parley_bundle_section *section) {
    switch (section->kind) {
    case PARLEY_SECTION_RECORD:
        return judge_record(judge, finding, section);
    case PARLEY_SECTION_CHUNK:
        return judge_chunk(judge, finding, section);
    case PARLEY_SECTION_TRAILER:
        return judge_trailer(judge, finding, section);
    case PARLEY_SECTION_NONE:
        finding->kind = PARLEY_FINDING_MORE;
        return true;
    case PARLEY_SECTION_END:
        finding->kind = PARLEY_FINDING_END;
        finding->offset = section->offset;
        return true;
    }
    return false;
}

void parley_bundle_judge_next(struct parley_bundle_judge *judge,
                              struct parley_bundle_finding *finding, size_t *consumed,
                              struct parley_span bytes, bool is_last) {
    *consumed = 0;
    memset(finding, 0, sizeof *finding);
    if (judge->is_refused) {
        *finding = judge->refusal;
        return;
    }
    struct parley_bundle_section section;
    struct parley_fault fault =
        parley_bundle_read(&judge->reader, &section, consumed, bytes, is_last);
    /* Damage in the last run shows in the trailer's hash, too: the run tells more. */
    bool holds = fault.error == PARLEY_E_BAD_TRAILER ? end_run(judge, finding) : true;
    if (holds)
        holds = fault.error != PARLEY_E_OK ? refuse(finding, fault.error, fault.offset, fault.field)
                                           : judge_section(judge, finding, &section);
    if (holds)
        return;
    judge->is_refused = true;
    judge->refusal = *finding;
}
