/* Reconciliation of two sets: whatever ranges come, each is answered within its bounds by ranges
 * that decode; and two sides that are honest end knowing what differs, and nothing else. SPEC 11.
 *
 * The first byte of an input chooses how many items there are; two bytes for each say what becomes
 * of it on either side. What is left is a message of ranges, which is said to the first side before
 * the two begin. Places of few items all begin with the same six bits.
 */
#include "fuzz.h"

#include <parley/reconcile.h>

#define ITEMS_MAX  192u
#define TALK_MAX   48u /* items of two who talk: what they say of these fits one message */
#define TURNS_MAX  64u
#define ALIKE_MAX  16u /* so many or fewer: all places begin alike */
#define ALIKE_BITS 6u
#define NUMBERED   2u /* bytes of an input for each item */
#define TURN_BYTES 65536u

enum fate { SAME, HERE_ABOVE, THERE_ABOVE, OTHER_ID, OTHER_SET, FORKED, HERE_ALONE, THERE_ALONE };

struct side {
    struct parley_reconcile set;
    struct parley_reconcile_item items[ITEMS_MAX];
    struct parley_reconcile_bucket buckets[ITEMS_MAX];
    bool is_found[ITEMS_MAX];
    uint8_t out[TURN_BYTES];
};
static struct side sides[2];
static enum fate fates[ITEMS_MAX];
static size_t items_count;
/* Whoever knows of no honest other side expects nothing. */
static bool is_judged;

static bool on_found(void *context, const struct parley_reconcile_found *found) {
    struct side *side = context;
    FUZZ_HOLDS(found->item >= side->items && found->item < side->items + side->set.count);
    FUZZ_HOLDS(found->item->mark < items_count);
    bool is_above = found->finding == PARLEY_RECONCILE_ABOVE;
    FUZZ_HOLDS(!is_above || found->seq > parley_reconcile_seq(found->item));
    if (is_judged) {
        enum fate fate = fates[found->item->mark];
        FUZZ_HOLDS(fate != SAME && !side->is_found[found->item->mark]);
        FUZZ_HOLDS(is_above == (fate == (side == &sides[0] ? THERE_ABOVE : HERE_ABOVE)));
    }
    side->is_found[found->item->mark] = true;
    return true;
}

/* ---- a message, through the real form */

static struct parley_wire_list through(const struct parley_reconcile_out *out) {
    static uint8_t bytes[2][2 * TURN_BYTES];
    static struct parley_wire_message heard;
    static unsigned turn;
    struct parley_wire_message message = {.type = PARLEY_WIRE_RECONCILE};
    struct parley_writer writer;
    struct parley_span span;
    turn++;
    parley_writer_init(&writer, bytes[turn % 2], sizeof bytes[0]);
    message.as.reconcile.session = 2;
    message.as.reconcile.ranges = parley_wire_list_of(&out->writer, out->count);
    parley_wire_encode(&writer, &message);
    FUZZ_HOLDS(parley_writer_finish(&writer, &span) == PARLEY_E_OK);
    FUZZ_HOLDS(parley_wire_decode(&heard, span).error == PARLEY_E_OK);
    return heard.as.reconcile.ranges;
}

/* Within what one range may bring. */
static void answer(struct side *side, struct parley_reconcile_out *out,
                   const struct parley_wire_range *range) {
    size_t size = out->writer.size, count = out->count;
    parley_reconcile_answer(&side->set, out, range, on_found, side);
    FUZZ_HOLDS(out->writer.size - size <= PARLEY_RECONCILE_ANSWER_MAX && out->count - count <= 8);
}

/* ---- the two */

static void add(struct side *side, const struct parley_reconcile_log *log, uint32_t mark) {
    FUZZ_HOLDS(parley_reconcile_add(&side->set, log, mark));
    const struct parley_reconcile_item *found =
        parley_reconcile_find(&side->set, parley_reconcile_place(side->set.key, log->name));
    FUZZ_HOLDS(found != NULL && found->mark == mark);
}

/* Made once for each number: those that few items have are looked for. */
static void make_name(struct parley_reconcile_log *log, uint32_t number, bool is_alike) {
    static uint64_t names[2][ITEMS_MAX];
    uint64_t *name = &names[is_alike][number];
    if (*name == 0)
        do {
            *name += 1u << 16 | (*name == 0 ? number : 0);
            parley_put_u64(log->name, *name);
        } while (is_alike &&
                 parley_reconcile_place(sides[0].set.key, log->name) >> (64 - ALIKE_BITS) != 0);
    parley_put_u64(log->name, *name);
}

static void add_item(const uint8_t *in, uint32_t number, bool is_alike) {
    struct parley_reconcile_log here = {.seq = 1 + in[1] % 16}, there;
    enum fate fate = (enum fate)(in[0] & 7);
    make_name(&here, number, is_alike);
    here.id.bytes[0] = in[1];
    here.set_hash[0] = in[0] >> 4;
    there = here;
    fates[number] = fate;
    here.seq += fate == HERE_ABOVE ? 20 : 0;
    there.seq += fate == THERE_ABOVE ? 20 : 0;
    there.id.bytes[1] = fate == OTHER_ID || fate == HERE_ABOVE || fate == THERE_ABOVE;
    there.set_hash[0] ^= fate == OTHER_SET;
    there.forked_seq = fate == FORKED ? 50 : 0;
    if (fate != THERE_ALONE)
        add(&sides[0], &here, number);
    if (fate != HERE_ALONE)
        add(&sides[1], &there, number);
}

static void begin(uint8_t first, struct parley_span bytes) {
    static const struct parley_link link = {.state = PARLEY_LINK_OPEN};
    static uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    if (parley_is_zero(key, sizeof key))
        parley_reconcile_key(key, &link, 2);
    for (size_t i = 0; i < 2; i++) {
        parley_reconcile_init(&sides[i].set, key, sides[i].items, sides[i].buckets, ITEMS_MAX);
        memset(sides[i].is_found, 0, sizeof sides[i].is_found);
    }
    items_count = first % ITEMS_MAX;
    if (items_count > bytes.size / NUMBERED)
        items_count = bytes.size / NUMBERED;
    for (uint32_t i = 0; i < items_count; i++)
        add_item(bytes.data + NUMBERED * i, i, items_count <= ALIKE_MAX);
}

/* The whole session; the first side begins. */
static void talk(void) {
    struct parley_reconcile_out out = {0};
    size_t turns = 0;
    parley_writer_init(&out.writer, sides[0].out, TURN_BYTES);
    parley_reconcile_open(&sides[0].set, &out);
    for (unsigned from = 0; out.count > 0; from = !from) {
        struct parley_wire_list ranges = through(&out);
        struct parley_wire_range range;
        struct parley_reconcile_out answers = {0};
        FUZZ_HOLDS(++turns < TURNS_MAX);
        parley_writer_init(&answers.writer, sides[!from].out, TURN_BYTES);
        while (parley_wire_next_range(&ranges, &range))
            answer(&sides[!from], &answers, &range);
        FUZZ_HOLDS(answers.count <= PARLEY_WIRE_RANGES_MAX);
        out = answers;
    }
}

/* Each side was told of all that is its affair. */
static void check_found(void) {
    for (size_t i = 0; i < items_count; i++) {
        bool is_both = fates[i] == OTHER_ID || fates[i] == OTHER_SET || fates[i] == FORKED;
        FUZZ_HOLDS(sides[0].is_found[i] ==
                   (is_both || fates[i] == THERE_ABOVE || fates[i] == HERE_ALONE));
        FUZZ_HOLDS(sides[1].is_found[i] ==
                   (is_both || fates[i] == HERE_ABOVE || fates[i] == THERE_ALONE));
    }
}

/* Ranges of a stranger, then of one who knows the node's set of a session that has gone. */
static void hear_stranger(struct parley_span bytes) {
    struct parley_wire_message message;
    struct parley_reconcile_out out = {0};
    struct parley_wire_range range;
    if (parley_wire_decode(&message, bytes).error != PARLEY_E_OK ||
        message.type != PARLEY_WIRE_RECONCILE)
        return;
    struct parley_wire_list ranges = message.as.reconcile.ranges;
    sides[0].set.room = message.as.reconcile.again ? 3 : UINT32_MAX;
    is_judged = false;
    while (parley_wire_next_range(&ranges, &range)) {
        parley_writer_init(&out.writer, sides[0].out, TURN_BYTES);
        out.count = 0;
        answer(&sides[0], &out, &range);
        (void)through(&out);
    }
    sides[0].set.room = UINT32_MAX;
    memset(sides[0].is_found, 0, sizeof sides[0].is_found);
}

void fuzz_target(struct parley_span bytes) {
    if (bytes.size == 0)
        return;
    struct parley_span rest = PARLEY_SPAN(bytes.data + 1, bytes.size - 1);
    begin(bytes.data[0], rest);
    size_t used = NUMBERED * items_count;
    hear_stranger(PARLEY_SPAN(rest.data + used, rest.size - used));
    if (items_count > TALK_MAX)
        return;
    is_judged = true;
    talk();
    check_found();
}
