/* Ranges: bytes and ranges are a bijection, and what is added and taken away is what a plain set
 * of numbers says. SPEC 6.7.
 *
 * The input is read twice: as the packed form, and as a list of operations on a log of 64 entries,
 * four bytes each, beside the set as one bit for each entry. */
#include "fuzz.h"

#include <parley/ranges.h>

#define SEQS           64u
#define OPERATIONS_MAX 24u /* each is compared with the plain set */

/* Entries of two branches; they part above entry `fork`. */
static struct parley_id id_of(parley_seq seq, bool other, parley_seq fork) {
    struct parley_id id = {{0}};
    id.bytes[0] = (uint8_t)seq;
    id.bytes[1] = other && seq > fork;
    return id;
}

struct model {
    struct parley_ranges ranges;
    uint64_t held; /* bit seq - 1 */
    parley_seq fork;
    bool other;    /* of the run that is added */
    bool is_blind; /* no id can be looked up */
};

static bool id_at(void *context, enum parley_side side, parley_seq seq, struct parley_id *id) {
    const struct model *model = context;
    *id = id_of(seq, side == PARLEY_SIDE_RUN && model->other, model->fork);
    return !model->is_blind;
}

static uint64_t bits(parley_seq lo, parley_seq hi) {
    return (hi < 64 ? (UINT64_C(1) << hi) - 1 : UINT64_MAX) & ~((UINT64_C(1) << (lo - 1)) - 1);
}

/* The question is put for the ends of what an operation named: for all entries it would be most of
 * an input's time. */
static void compare(const struct model *model, parley_seq lo, parley_seq hi) {
    const parley_seq asked[] = {lo, hi, lo > 1 ? lo - 1 : 1, hi < SEQS ? hi + 1 : SEQS};
    uint64_t held = 0;
    FUZZ_HOLDS(parley_ranges_is_valid(&model->ranges));
    for (size_t i = 0; i < model->ranges.count; i++)
        held |= bits(model->ranges.ranges[i].lo, model->ranges.ranges[i].hi);
    FUZZ_HOLDS(held == model->held);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
        FUZZ_HOLDS(parley_ranges_covers(&model->ranges, asked[i]) ==
                   (model->held >> (asked[i] - 1) & 1));
}

static void add(struct model *model, parley_seq lo, parley_seq hi, unsigned place) {
    struct parley_run run = {.lo = lo, .hi = hi, .hi_is_signed = place & 4};
    parley_seq conflict;
    uint64_t wanted = bits(lo, hi);
    run.hi_id = id_of(hi, model->other, model->fork);
    if (lo > 1)
        run.lo_prev = id_of(lo - 1, model->other, model->fork);
    struct parley_ranges before = model->ranges;
    bool is_alike = !model->other || hi <= model->fork;
    bool was_held = (model->held & wanted) == wanted;
    enum parley_error error = parley_ranges_add(
        &model->ranges, &run, (enum parley_placing)(place % 3), id_at, model, &conflict);
    switch ((int)error) {
    case PARLEY_E_OK:
    case PARLEY_E_EXISTS:
        FUZZ_HOLDS(was_held == (error == PARLEY_E_EXISTS));
        FUZZ_HOLDS(is_alike || (model->held & wanted & bits(model->fork + 1, hi)) == 0);
        if (is_alike)
            model->held |= wanted;
        else
            model->ranges = before; /* one branch is held, so that ids are known */
        break;
    case PARLEY_E_FORKED:
        FUZZ_HOLDS(!is_alike && conflict > model->fork && conflict <= hi);
        break;
    case PARLEY_E_RETRY:
        FUZZ_HOLDS(model->is_blind && conflict > 0);
        break;
    case PARLEY_E_GAP:
        FUZZ_HOLDS(!was_held && place % 3 != PARLEY_PLACE_ANY);
        break;
    case PARLEY_E_FULL:
        FUZZ_HOLDS(model->ranges.count == PARLEY_RANGES_MAX);
        break;
    default:
        FUZZ_HOLDS(!"no such answer");
    }
}

static void take_away(struct model *model, unsigned how, parley_seq seq) {
    const struct parley_run *range = parley_ranges_find(&model->ranges, seq);
    struct parley_id prev = {{0}};
    struct parley_anchor top = {seq, id_of(seq, false, 0)};
    switch (how) {
    case 0:
        if (seq > 1)
            prev = id_of(seq - 1, false, 0);
        parley_ranges_prune(&model->ranges, seq, &prev);
        model->held &= bits(seq, SEQS);
        break;
    case 1:
        parley_ranges_cut(&model->ranges, &top, true);
        model->held &= bits(1, seq);
        break;
    case 2: /* that range alone, from its `seq` on */
        top = (struct parley_anchor){seq - 1, id_of(seq - 1, false, 0)};
        if (range != NULL)
            model->held &= ~bits(seq, range->hi);
        parley_ranges_cut_one(&model->ranges, &top, true);
        break;
    default:
        if (range != NULL)
            model->held &= ~bits(range->lo, range->hi);
        FUZZ_HOLDS(parley_ranges_drop(&model->ranges, seq) == (range != NULL));
    }
}

static void ask(const struct model *model, parley_seq lo, parley_seq hi) {
    parley_seq from, to;
    bool is_missing = parley_ranges_missing(&model->ranges, lo, hi, &from, &to);
    FUZZ_HOLDS(is_missing == ((model->held & bits(lo, hi)) != bits(lo, hi)));
    if (!is_missing)
        return;
    FUZZ_HOLDS(lo <= from && from <= to && to <= hi);
    FUZZ_HOLDS((model->held & bits(from, to)) == 0);
    FUZZ_HOLDS(from == lo || (model->held & bits(lo, from - 1)) == bits(lo, from - 1));
}

/* A hole is not held, ends above what is held, and stays off the floor. */
static void ask_holes(const struct parley_ranges *ranges, const struct parley_policy *policy,
                      parley_seq floor) {
    struct parley_hole holes[PARLEY_HOLES_MAX];
    struct parley_anchor head;
    size_t count = parley_ranges_holes(ranges, policy, floor, holes);
    FUZZ_HOLDS(count <= PARLEY_HOLES_MAX);
    for (size_t i = 0; i < count; i++) {
        FUZZ_HOLDS(holes[i].down < holes[i].top.seq &&
                   !parley_ranges_covers(ranges, holes[i].top.seq));
        FUZZ_HOLDS(floor == 0 || holes[i].down + 1 >= floor);
        FUZZ_HOLDS(i == 0 || holes[i].top.seq < holes[i - 1].top.seq);
    }
    if (!parley_ranges_head(ranges, policy, &head)) {
        FUZZ_HOLDS(parley_ranges_low(ranges, policy) == 0);
        return;
    }
    parley_seq low = parley_ranges_low(ranges, policy);
    FUZZ_HOLDS(parley_ranges_shows(ranges, policy, head.seq));
    FUZZ_HOLDS(low >= 1 && low <= head.seq && parley_ranges_find(ranges, low)->hi == head.seq);
}

static void run_operations(struct parley_span bytes) {
    struct model model = {.fork = 20};
    for (size_t at = 0; at + 4 <= bytes.size && at < 4 * OPERATIONS_MAX; at += 4) {
        const uint8_t *in = bytes.data + at;
        parley_seq lo = in[1] % SEQS + 1, hi = lo + in[2] % (SEQS - lo + 1);
        struct parley_policy policy = {.kind = (enum parley_policy_kind)(in[3] % 3),
                                       .seq = in[2] % SEQS};
        policy.id = id_of(policy.seq, in[3] & 16, 0);
        model.other = in[0] & 16;
        model.is_blind = in[0] & 32;
        if (in[0] & 8)
            take_away(&model, in[0] % 3 + (in[0] >> 6 & 1), lo);
        else
            add(&model, lo, hi, in[0] & 7);
        compare(&model, lo, hi);
        ask(&model, lo, hi);
        if (policy.seq > 0 || policy.kind == PARLEY_POLICY_OPEN)
            ask_holes(&model.ranges, &policy, in[3] >> 5);
    }
}

void fuzz_target(struct parley_span bytes) {
    static const struct parley_policy open = {.kind = PARLEY_POLICY_OPEN};
    struct parley_ranges ranges;
    uint8_t again[PARLEY_RANGES_PACKED_MAX];
    if (parley_ranges_unpack(&ranges, bytes) == PARLEY_E_OK) {
        FUZZ_HOLDS(parley_ranges_is_valid(&ranges));
        size_t size = parley_ranges_pack(again, &ranges);
        FUZZ_HOLDS(parley_span_equal(bytes, PARLEY_SPAN(again, size)));
        ask_holes(&ranges, &open, 0);
    }
    run_operations(bytes);
}
