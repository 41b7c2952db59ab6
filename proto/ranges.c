#include <parley/ranges.h>

/* ---- the byte form */

#define FLAG_SIGNED 1u
#define FLAG_WHOLE  2u /* from seq 1: its lower end is not written */
#define END_SIZE    (6u + 32u)

static size_t put_end(uint8_t *out, parley_seq seq, const struct parley_id *id) {
    parley_put_u48(out, seq);
    memcpy(out + 6, id->bytes, sizeof *id);
    return END_SIZE;
}

static void get_end(const uint8_t *in, parley_seq *seq, struct parley_id *id) {
    *seq = parley_get_u48(in);
    memcpy(id->bytes, in + 6, sizeof *id);
}

size_t parley_ranges_pack(uint8_t out[PARLEY_RANGES_PACKED_MAX],
                          const struct parley_ranges *ranges) {
    assert(parley_ranges_is_valid(ranges));
    size_t size = 0;
    out[size++] = ranges->count;
    for (size_t i = 0; i < ranges->count; i++) {
        const struct parley_run *range = &ranges->ranges[i];
        bool whole = range->lo == 1;
        out[size++] = (uint8_t)((range->hi_is_signed ? FLAG_SIGNED : 0) | (whole ? FLAG_WHOLE : 0));
        if (!whole)
            size += put_end(out + size, range->lo, &range->lo_prev);
        size += put_end(out + size, range->hi, &range->hi_id);
    }
    return size;
}

/* Returns the bytes taken; 0 when they are not a range. */
static size_t unpack_range(struct parley_run *range, struct parley_span bytes) {
    if (bytes.size < 1 || bytes.data[0] > (FLAG_SIGNED | FLAG_WHOLE))
        return 0;
    bool whole = bytes.data[0] & FLAG_WHOLE;
    size_t size = 1 + (whole ? 1 : 2) * END_SIZE;
    if (bytes.size < size)
        return 0;
    *range = (struct parley_run){.lo = 1, .hi_is_signed = bytes.data[0] & FLAG_SIGNED};
    if (!whole)
        get_end(bytes.data + 1, &range->lo, &range->lo_prev);
    get_end(bytes.data + size - END_SIZE, &range->hi, &range->hi_id);
    return whole == (range->lo == 1) ? size : 0;
}

enum parley_error parley_ranges_unpack(struct parley_ranges *ranges, struct parley_span bytes) {
    *ranges = (struct parley_ranges){0};
    if (bytes.size < 1 || bytes.data[0] > PARLEY_RANGES_MAX)
        return PARLEY_E_STORE_DAMAGED;
    size_t at = 1;
    for (size_t i = 0; i < bytes.data[0]; i++) {
        size_t size =
            unpack_range(&ranges->ranges[i], PARLEY_SPAN(bytes.data + at, bytes.size - at));
        if (size == 0)
            return PARLEY_E_STORE_DAMAGED;
        at += size;
    }
    ranges->count = bytes.data[0];
    return at == bytes.size && parley_ranges_is_valid(ranges) ? PARLEY_E_OK
                                                              : PARLEY_E_STORE_DAMAGED;
}

static bool is_run_valid(const struct parley_run *run) {
    return run->lo >= 1 && run->lo <= run->hi && run->hi <= PARLEY_SEQ_MAX &&
           (run->lo == 1) == PARLEY_IS_ZERO(run->lo_prev);
}

bool parley_ranges_is_valid(const struct parley_ranges *ranges) {
    if (ranges->count > PARLEY_RANGES_MAX)
        return false;
    for (size_t i = 0; i < ranges->count; i++) {
        if (!is_run_valid(&ranges->ranges[i]))
            return false;
        if (i > 0 && ranges->ranges[i].hi + 1 >= ranges->ranges[i - 1].lo)
            return false;
    }
    return true;
}

/* ---- adding */

struct ids {
    parley_id_at at;
    void *context;
};

/* Whether run and range agree where they meet: OK, FORKED or RETRY at *seq. One comparison at the
 * highest seq that both say something of is enough: ids commit to all below. */
static enum parley_error compare(const struct parley_run *run, const struct parley_run *range,
                                 const struct ids *ids, parley_seq *seq) {
    struct parley_id of_run = run->hi_id, of_range = range->hi_id;
    bool known = true;
    *seq = run->hi < range->hi ? run->hi : range->hi;
    if (run->hi + 1 == range->lo)
        of_range = range->lo_prev;
    else if (range->hi + 1 == run->lo)
        of_run = run->lo_prev;
    else if (run->hi < range->hi)
        known = ids->at && ids->at(ids->context, PARLEY_SIDE_HELD, *seq, &of_range);
    else if (run->hi > range->hi)
        known = ids->at && ids->at(ids->context, PARLEY_SIDE_RUN, *seq, &of_run);
    if (!known)
        return PARLEY_E_RETRY;
    return PARLEY_EQUAL(of_run, of_range) ? PARLEY_E_OK : PARLEY_E_FORKED;
}

static bool meets(const struct parley_run *run, const struct parley_run *range) {
    return run->lo <= range->hi + 1 && range->lo <= run->hi + 1;
}

/* The ranges that meet the run stand side by side: [first, end). */
static enum parley_error find_met(const struct parley_ranges *ranges, const struct parley_run *run,
                                  const struct ids *ids, size_t *first, size_t *end,
                                  parley_seq *conflict) {
    size_t i = 0;
    while (i < ranges->count && ranges->ranges[i].lo > run->hi + 1)
        i++;
    *first = i;
    for (; i < ranges->count && meets(run, &ranges->ranges[i]); i++) {
        enum parley_error error = compare(run, &ranges->ranges[i], ids, conflict);
        if (error != PARLEY_E_OK)
            return error;
    }
    *end = i;
    return PARLEY_E_OK;
}

static bool may_stand(const struct parley_ranges *ranges, const struct parley_run *run,
                      enum parley_placing place, size_t first, size_t end) {
    if (place == PARLEY_PLACE_ANY)
        return true;
    if (ranges->count == 0)
        return run->lo == 1;
    if (place == PARLEY_PLACE_LINKED)
        return first < end;
    return first == 0 && end > 0 && run->hi > ranges->ranges[0].hi;
}

/* What run and range make together; they agree and meet. */
static void join(struct parley_run *run, const struct parley_run *range) {
    if (range->lo < run->lo) {
        run->lo = range->lo;
        run->lo_prev = range->lo_prev;
    }
    if (range->hi == run->hi) {
        run->hi_is_signed = run->hi_is_signed || range->hi_is_signed;
    } else if (range->hi > run->hi) {
        run->hi = range->hi;
        run->hi_id = range->hi_id;
        run->hi_is_signed = range->hi_is_signed;
    }
}

/* Replaces the ranges [first, end) by one. */
static void replace(struct parley_ranges *ranges, size_t first, size_t end,
                    const struct parley_run *run) {
    memmove(&ranges->ranges[first + 1], &ranges->ranges[end],
            (ranges->count - end) * sizeof ranges->ranges[0]);
    ranges->ranges[first] = *run;
    ranges->count = (uint8_t)(ranges->count - (end - first) + 1);
}

enum parley_error parley_ranges_add(struct parley_ranges *ranges, const struct parley_run *run,
                                    enum parley_placing place, parley_id_at id_at, void *context,
                                    parley_seq *conflict) {
    struct parley_run joined = *run;
    struct ids ids = {id_at, context};
    size_t first, end;
    assert(is_run_valid(run));
    *conflict = 0;
    enum parley_error error = find_met(ranges, run, &ids, &first, &end, conflict);
    if (error != PARLEY_E_OK)
        return error;
    *conflict = 0;
    bool is_held =
        !parley_ranges_missing(ranges, run->lo, run->hi, &(parley_seq){0}, &(parley_seq){0});
    if (!is_held && !may_stand(ranges, run, place, first, end))
        return PARLEY_E_GAP;
    if (first == end && ranges->count == PARLEY_RANGES_MAX)
        return PARLEY_E_FULL;
    for (size_t i = first; i < end; i++)
        join(&joined, &ranges->ranges[i]);
    replace(ranges, first, end, &joined);
    return is_held ? PARLEY_E_EXISTS : PARLEY_E_OK;
}

/* ---- taking away */

bool parley_ranges_missing(const struct parley_ranges *ranges, parley_seq lo, parley_seq hi,
                           parley_seq *from, parley_seq *to) {
    parley_seq at = lo; /* all below it is held */
    *to = hi;
    for (size_t i = ranges->count; i-- > 0 && at <= hi;) {
        const struct parley_run *range = &ranges->ranges[i];
        if (range->hi < at)
            continue;
        if (range->lo > at) {
            if (range->lo <= hi)
                *to = range->lo - 1;
            break;
        }
        at = range->hi + 1;
    }
    *from = at;
    return at <= hi;
}

static void remove_at(struct parley_ranges *ranges, size_t index) {
    ranges->count--;
    memmove(&ranges->ranges[index], &ranges->ranges[index + 1],
            (ranges->count - index) * sizeof ranges->ranges[0]);
}

void parley_ranges_prune(struct parley_ranges *ranges, parley_seq seq,
                         const struct parley_id *prev) {
    while (ranges->count > 0 && ranges->ranges[ranges->count - 1].hi < seq)
        ranges->count--;
    if (ranges->count == 0)
        return;
    struct parley_run *last = &ranges->ranges[ranges->count - 1];
    if (last->lo < seq) {
        last->lo = seq;
        last->lo_prev = *prev;
    }
}

void parley_ranges_cut(struct parley_ranges *ranges, const struct parley_anchor *top,
                       bool is_signed) {
    while (ranges->count > 0 && ranges->ranges[0].lo > top->seq)
        remove_at(ranges, 0);
    if (ranges->count == 0 || ranges->ranges[0].hi <= top->seq)
        return;
    ranges->ranges[0].hi = top->seq;
    ranges->ranges[0].hi_id = top->id;
    ranges->ranges[0].hi_is_signed = is_signed;
}

void parley_ranges_cut_one(struct parley_ranges *ranges, const struct parley_anchor *top,
                           bool is_signed) {
    for (size_t i = 0; i < ranges->count; i++) {
        struct parley_run *range = &ranges->ranges[i];
        if (top->seq + 1 < range->lo || top->seq + 1 > range->hi)
            continue;
        if (range->lo > top->seq) {
            remove_at(ranges, i);
            return;
        }
        range->hi = top->seq;
        range->hi_id = top->id;
        range->hi_is_signed = is_signed;
        return;
    }
}

bool parley_ranges_drop(struct parley_ranges *ranges, parley_seq seq) {
    const struct parley_run *range = parley_ranges_find(ranges, seq);
    if (range == NULL)
        return false;
    remove_at(ranges, (size_t)(range - ranges->ranges));
    return true;
}

/* ---- questions */

const struct parley_run *parley_ranges_find(const struct parley_ranges *ranges, parley_seq seq) {
    for (size_t i = 0; i < ranges->count; i++)
        if (ranges->ranges[i].lo <= seq && seq <= ranges->ranges[i].hi)
            return &ranges->ranges[i];
    return NULL;
}

const struct parley_run *parley_ranges_naming(const struct parley_ranges *ranges, parley_seq seq) {
    for (size_t i = 0; i < ranges->count; i++)
        if (ranges->ranges[i].lo <= seq + 1 && seq <= ranges->ranges[i].hi)
            return &ranges->ranges[i];
    return NULL;
}

bool parley_ranges_covers(const struct parley_ranges *ranges, parley_seq seq) {
    return parley_ranges_find(ranges, seq) != NULL;
}

/* Whether the newest entry of a range is good by itself: below what the policy names nothing is,
 * and where the log is closed nothing above it either. */
static bool is_head(const struct parley_run *range, const struct parley_policy *policy) {
    if (policy->kind == PARLEY_POLICY_VOID)
        return false;
    if (range->hi == policy->seq)
        return PARLEY_EQUAL(range->hi_id, policy->id);
    return policy->kind == PARLEY_POLICY_OPEN && range->hi > policy->seq && range->hi_is_signed;
}

static const struct parley_run *head_range(const struct parley_ranges *ranges,
                                           const struct parley_policy *policy) {
    for (size_t i = 0; i < ranges->count; i++)
        if (is_head(&ranges->ranges[i], policy))
            return &ranges->ranges[i];
    return NULL;
}

bool parley_ranges_head(const struct parley_ranges *ranges, const struct parley_policy *policy,
                        struct parley_anchor *head) {
    const struct parley_run *range = head_range(ranges, policy);
    *head = (struct parley_anchor){0};
    if (range != NULL)
        *head = (struct parley_anchor){range->hi, range->hi_id};
    return range != NULL;
}

parley_seq parley_ranges_low(const struct parley_ranges *ranges,
                             const struct parley_policy *policy) {
    const struct parley_run *range = head_range(ranges, policy);
    return range ? range->lo : 0;
}

bool parley_ranges_shows(const struct parley_ranges *ranges, const struct parley_policy *policy,
                         parley_seq seq) {
    const struct parley_run *range = parley_ranges_find(ranges, seq);
    return range != NULL && is_head(range, policy);
}

/* ---- holes */

struct holes {
    struct parley_hole *out;
    size_t count;
    parley_seq floor;
};

static void add_hole(struct holes *holes, parley_seq seq, const struct parley_id *id,
                     parley_seq down) {
    if (holes->floor > down + 1)
        down = holes->floor - 1;
    if (seq > down)
        holes->out[holes->count++] = (struct parley_hole){{seq, *id}, down};
}

size_t parley_ranges_holes(const struct parley_ranges *ranges, const struct parley_policy *policy,
                           parley_seq floor, struct parley_hole holes[PARLEY_HOLES_MAX]) {
    struct holes found = {holes, 0, floor};
    parley_seq named = policy->kind == PARLEY_POLICY_VOID ? 0 : policy->seq;
    parley_seq above = PARLEY_SEQ_MAX + 1; /* the lower end of the range above */
    if (policy->kind == PARLEY_POLICY_VOID)
        return 0;
    for (size_t i = 0; i <= ranges->count; i++) {
        const struct parley_run *range = i < ranges->count ? &ranges->ranges[i] : NULL;
        parley_seq held = range ? range->hi : 0;
        bool is_named_here = named > held && named < above;
        /* The link of the range above is authentic only if that range is: not below what is named.
         */
        if (i > 0 && ranges->ranges[i - 1].hi >= named && above > 1)
            add_hole(&found, above - 1, &ranges->ranges[i - 1].lo_prev,
                     is_named_here && named < above - 1 ? named : held);
        if (is_named_here && (named + 1 < above || i == 0))
            add_hole(&found, named, &policy->id, held);
        above = range ? range->lo : 0;
    }
    return found.count;
}
