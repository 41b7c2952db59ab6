#include <parley/reconcile.h>

#include <assert.h>

/* The exchange: each range that comes is answered from the set alone, so that neither side has to
 * remember what it said. SPEC 11.4 to 11.6. */

#define CHILDREN         (1u << PARLEY_RECONCILE_SPLIT_BITS)
#define FINGERPRINT_SIZE 16u
#define SHORT_SIZE       4u
#define LIST_MAX         PARLEY_RECONCILE_LIST_MAX

static_assert(PARLEY_RECONCILE_LEAF <= LIST_MAX, "what is listed is answered");
static_assert(LIST_MAX * (1 + 1 + 5 + 9) + 32 <= PARLEY_RECONCILE_ANSWER_MAX, "one answer fits");
static_assert(CHILDREN * (PARLEY_RECONCILE_LEAF * SHORT_SIZE + 16) <= PARLEY_RECONCILE_ANSWER_MAX &&
                  CHILDREN * (CHILDREN * FINGERPRINT_SIZE + 20) <= PARLEY_RECONCILE_ANSWER_MAX,
              "answers to a split fit");

static unsigned bits_of(uint64_t path) {
    return 63u - (unsigned)__builtin_clzll(path);
}

static void put_range(struct parley_reconcile_out *out, const struct parley_wire_range *range) {
    parley_wire_put_range(&out->writer, range);
    out->count++;
    out->is_answered |= range->form != PARLEY_RANGE_MORE;
}

/* ---- Splitting and listing --------------------------------------------------------------------
 */

static void put_split(const struct parley_reconcile *set, struct parley_reconcile_out *out,
                      uint64_t path) {
    uint8_t bytes[CHILDREN * FINGERPRINT_SIZE];
    struct parley_wire_range range = {.path = path, .form = PARLEY_RANGE_SPLIT};
    size_t size = 0;
    for (unsigned child = 0; child < CHILDREN; child++) {
        struct parley_reconcile_sum sum;
        if (parley_reconcile_sum_of(&sum, set, path * CHILDREN + child) == 0)
            continue;
        range.children |= (uint8_t)(1u << child);
        parley_put_u64(bytes + size, sum.high);
        parley_put_u64(bytes + size + 8, sum.low);
        size += FINGERPRINT_SIZE;
    }
    range.bytes = PARLEY_SPAN(bytes, size);
    put_range(out, &range);
}

static uint32_t short_of(const struct parley_reconcile_item *item) {
    return (uint32_t)(item->state.high >> 32);
}

static void put_list(const struct parley_reconcile *set, struct parley_reconcile_out *out,
                     uint64_t path) {
    uint8_t bytes[LIST_MAX * SHORT_SIZE];
    struct parley_wire_range range = {.path = path, .form = PARLEY_RANGE_LIST};
    struct parley_reconcile_cursor cursor;
    size_t size = 0;
    parley_reconcile_start(&cursor, set, path);
    for (struct parley_reconcile_item *item;
         size < sizeof bytes && (item = parley_reconcile_next(&cursor)) != NULL; size += SHORT_SIZE)
        parley_put_u32(bytes + size, short_of(item));
    range.bytes = PARLEY_SPAN(bytes, size);
    put_range(out, &range);
}

/* A range in which the two sides differ, from here. */
static void put_own(const struct parley_reconcile *set, struct parley_reconcile_out *out,
                    uint64_t path, uint32_t count, uint32_t listed_max) {
    if (count <= listed_max || bits_of(path) >= PARLEY_RECONCILE_DEPTH_BITS)
        put_list(set, out, path);
    else
        put_split(set, out, path);
}

void parley_reconcile_open(struct parley_reconcile *set, struct parley_reconcile_out *out) {
    put_own(set, out, 1, set->count, PARLEY_RECONCILE_LEAF);
}

static void answer_split(const struct parley_reconcile *set, struct parley_reconcile_out *out,
                         const struct parley_wire_range *range) {
    const uint8_t *theirs = range->bytes.data;
    for (unsigned child = 0; child < CHILDREN; child++) {
        uint64_t path = range->path * CHILDREN + child;
        bool is_there = (range->children >> child & 1) != 0;
        struct parley_reconcile_sum sum;
        uint32_t count = parley_reconcile_sum_of(&sum, set, path);
        bool is_same = is_there ? count > 0 && parley_get_u64(theirs) == sum.high &&
                                      parley_get_u64(theirs + 8) == sum.low
                                : count == 0;
        theirs += is_there ? FINGERPRINT_SIZE : 0;
        if (!is_same)
            put_own(set, out, path, count, PARLEY_RECONCILE_LEAF);
    }
}

/* ---- Comparing item by item -------------------------------------------------------------------
 */

/* The items of a small range by their indexes; more than LIST_MAX are not looked at. */
static size_t gather(struct parley_reconcile_item *items[LIST_MAX],
                     const struct parley_reconcile *set, uint64_t path) {
    struct parley_reconcile_cursor cursor;
    size_t count = 0;
    parley_reconcile_start(&cursor, set, path);
    while (count < LIST_MAX && (items[count] = parley_reconcile_next(&cursor)) != NULL)
        count++;
    return count;
}

/* Both are in their own order of places: a place of the list is taken once. */
static void match(struct parley_reconcile_item *const *own, size_t own_count, bool *own_is_there,
                  struct parley_span list, bool *is_here) {
    for (size_t i = 0; i < own_count; i++)
        for (size_t j = 0; j < list.size / SHORT_SIZE; j++) {
            if (is_here[j] || parley_get_u32(list.data + j * SHORT_SIZE) != short_of(own[i]))
                continue;
            is_here[j] = own_is_there[i] = true;
            break;
        }
}

static size_t count_false(const bool *flags, size_t count) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += !flags[i];
    return found;
}

/* As many as there is room for, of what can only be new here. */
static size_t lacks_wanted(struct parley_reconcile *set, size_t lacks, size_t own) {
    size_t new = lacks > own ? lacks - own : 0, most = set->room;
    size_t taken = new < most ? new : most;
    if (set->room != UINT32_MAX)
        set->room -= (uint32_t)taken;
    return lacks - new + taken;
}

/* In a range this half of the place is as good as the whole. */
static uint32_t tag_of(const struct parley_reconcile_item *item) {
    return (uint32_t)(item->place & UINT32_MAX);
}

static uint8_t set_of(const struct parley_reconcile_item *item) {
    return item->seq_and_set & 0xff;
}

static void answer_list(struct parley_reconcile *set, struct parley_reconcile_out *out,
                        const struct parley_wire_range *range) {
    struct parley_reconcile_item *own[LIST_MAX];
    bool own_is_there[LIST_MAX] = {false}, is_here[LIST_MAX] = {false};
    uint8_t lacks[LIST_MAX], items[LIST_MAX * 16];
    struct parley_wire_range answer = {.path = range->path, .form = PARLEY_RANGE_DIFFER};
    struct parley_reconcile_sum sum;
    uint32_t all = parley_reconcile_sum_of(&sum, set, range->path);
    if (all > LIST_MAX && bits_of(range->path) < PARLEY_RECONCILE_DEPTH_BITS) {
        put_split(set, out, range->path);
        return;
    }
    size_t count = gather(own, set, range->path), listed = range->bytes.size / SHORT_SIZE;
    match(own, count, own_is_there, range->bytes, is_here);
    size_t own_left = count_false(own_is_there, count);
    size_t wanted = lacks_wanted(set, count_false(is_here, listed), own_left);
    struct parley_writer writer;
    parley_writer_init(&writer, lacks, sizeof lacks);
    size_t lacks_count = 0;
    for (size_t j = 0; j < listed && lacks_count < wanted; j++)
        if (!is_here[j]) {
            parley_wire_put_index(&writer, (uint8_t)j);
            lacks_count++;
        }
    answer.lacks = parley_wire_list_of(&writer, lacks_count);
    parley_writer_init(&writer, items, sizeof items);
    for (size_t i = 0; i < count; i++) {
        struct parley_wire_item item = {(uint8_t)i, tag_of(own[i]), parley_reconcile_seq(own[i]),
                                        set_of(own[i])};
        if (!own_is_there[i])
            parley_wire_put_item(&writer, PARLEY_RANGE_DIFFER, &item);
    }
    answer.items = parley_wire_list_of(&writer, own_left);
    set->differences += (uint32_t)(lacks_count > own_left ? lacks_count : own_left);
    if (lacks_count > 0 || own_left > 0)
        put_range(out, &answer);
}

/* ---- What follows ------------------------------------------------------------------------------
 */

/* An answer to a DIFFER while it is made. */
struct more {
    uint8_t whole[LIST_MAX], items[LIST_MAX * 16];
    struct parley_writer whole_writer, items_writer;
    size_t whole_count, items_count;
    parley_reconcile_on_found *on_found;
    void *context;
};

static bool tell(const struct more *more, enum parley_reconcile_finding finding,
                 struct parley_reconcile_item *item, const struct parley_wire_item *theirs) {
    struct parley_reconcile_found found = {.finding = finding, .item = item};
    if (theirs != NULL) {
        found.seq = theirs->seq;
        found.set = theirs->set;
    }
    return more->on_found(more->context, &found);
}

static void compare(struct more *more, struct parley_reconcile_item *own,
                    const struct parley_wire_item *theirs) {
    parley_seq seq = parley_reconcile_seq(own);
    bool is_ordered =
        seq != 0 && theirs->seq != 0 && seq != theirs->seq && theirs->set == set_of(own);
    if (is_ordered && theirs->seq > seq) {
        (void)tell(more, PARLEY_RECONCILE_ABOVE, own, theirs);
    } else if (is_ordered) {
        struct parley_wire_item item = {.index = theirs->index, .seq = seq};
        parley_wire_put_item(&more->items_writer, PARLEY_RANGE_MORE, &item);
        more->items_count++;
    } else if (tell(more, PARLEY_RECONCILE_OTHER, own, theirs)) {
        parley_wire_put_index(&more->whole_writer, theirs->index);
        more->whole_count++;
    }
}

/* The item that they lack in this form and have in another. */
static struct parley_reconcile_item *take_same(struct parley_reconcile_item **own, bool *is_lacked,
                                               size_t count, uint32_t tag) {
    for (size_t i = 0; i < count; i++)
        if (is_lacked[i] && tag_of(own[i]) == tag) {
            is_lacked[i] = false;
            return own[i];
        }
    return NULL;
}

static void ask_whole(struct parley_reconcile *set, struct more *more, uint8_t index) {
    if (set->room == 0)
        return;
    if (set->room != UINT32_MAX)
        set->room--;
    parley_wire_put_index(&more->whole_writer, index);
    more->whole_count++;
}

static void answer_differ(struct parley_reconcile *set, struct parley_reconcile_out *out,
                          const struct parley_wire_range *range,
                          parley_reconcile_on_found *on_found, void *context) {
    struct parley_reconcile_item *own[LIST_MAX];
    bool is_lacked[LIST_MAX] = {false};
    struct more more = {.on_found = on_found, .context = context};
    struct parley_wire_range answer = {.path = range->path, .form = PARLEY_RANGE_MORE};
    struct parley_wire_list lacks = range->lacks, items = range->items;
    struct parley_wire_item theirs;
    uint8_t index;
    size_t count = gather(own, set, range->path);
    parley_writer_init(&more.whole_writer, more.whole, sizeof more.whole);
    parley_writer_init(&more.items_writer, more.items, sizeof more.items);
    while (parley_wire_next_index(&lacks, &index))
        if (index < count)
            is_lacked[index] = true;
    while (parley_wire_next_item(&items, PARLEY_RANGE_DIFFER, &theirs)) {
        struct parley_reconcile_item *same = take_same(own, is_lacked, count, theirs.tag);
        if (same != NULL)
            compare(&more, same, &theirs);
        else
            ask_whole(set, &more, theirs.index);
    }
    for (size_t i = 0; i < count; i++)
        if (is_lacked[i])
            (void)tell(&more, PARLEY_RECONCILE_ABSENT, own[i], NULL);
    set->differences += (uint32_t)(range->lacks.count > range->items.count ? range->lacks.count
                                                                           : range->items.count);
    answer.lacks = parley_wire_list_of(&more.whole_writer, more.whole_count);
    answer.items = parley_wire_list_of(&more.items_writer, more.items_count);
    if (more.whole_count > 0 || more.items_count > 0)
        put_range(out, &answer);
}

static void hear_more(const struct parley_reconcile *set, const struct parley_wire_range *range,
                      parley_reconcile_on_found *on_found, void *context) {
    struct parley_reconcile_item *own[LIST_MAX];
    struct more more = {.on_found = on_found, .context = context};
    struct parley_wire_list whole = range->lacks, items = range->items;
    struct parley_wire_item theirs;
    uint8_t index;
    size_t count = gather(own, set, range->path);
    while (parley_wire_next_index(&whole, &index))
        if (index < count)
            (void)tell(&more, PARLEY_RECONCILE_ASKED, own[index], NULL);
    while (parley_wire_next_item(&items, PARLEY_RANGE_MORE, &theirs))
        if (theirs.index < count && theirs.seq > parley_reconcile_seq(own[theirs.index]))
            (void)tell(&more, PARLEY_RECONCILE_ABOVE, own[theirs.index], &theirs);
}

void parley_reconcile_answer(struct parley_reconcile *set, struct parley_reconcile_out *out,
                             const struct parley_wire_range *range,
                             parley_reconcile_on_found *on_found, void *context) {
    switch (range->form) {
    case PARLEY_RANGE_SPLIT:
        answer_split(set, out, range);
        return;
    case PARLEY_RANGE_LIST:
        answer_list(set, out, range);
        return;
    case PARLEY_RANGE_DIFFER:
        answer_differ(set, out, range, on_found, context);
        return;
    case PARLEY_RANGE_MORE:
        hear_more(set, range, on_found, context);
        return;
    }
}
