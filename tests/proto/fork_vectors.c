/* Writes tests/vectors/forks.txt: entries that are held of one log, what the identity set says of
 * it, and what follows (SPEC 6.7, 6.8, 6.10, 10.2). The rules are written here a second time, from
 * the words of SPEC and over sets of single entries; nothing of the node is used. */
#include "log_fixture.h"

#include <parley/digest.h>
#include <parley/fork.h>
#include <stdio.h>

#define HELD_MAX 16u

static struct fixture_device device;
static struct parley_entry left[6], right[6]; /* two branches that part above `parted` */

struct held {
    const struct parley_entry *entries[HELD_MAX];
    size_t count;
};

struct verdict {
    parley_seq raw, forked;
    const struct parley_entry *head;
    struct parley_digest_range counted[2];
    size_t counted_count;
};

/* ---- the rules ----------------------------------------------------------------------------- */

static bool is_signed(const struct parley_entry *entry) {
    struct parley_check check;
    parley_entry_check(&check, entry, &device.key);
    return parley_check_holds(&check);
}

static const struct parley_entry *find(const struct held *held, parley_seq seq,
                                       const struct parley_id *id) {
    for (size_t i = 0; i < held->count; i++)
        if (held->entries[i]->header.seq == seq && PARLEY_EQUAL(held->entries[i]->id, *id))
            return held->entries[i];
    return NULL;
}

/* Whether `entry` is `top` or what it commits to through entries held. */
static bool commits_to(const struct held *held, const struct parley_entry *top,
                       const struct parley_entry *entry) {
    while (top != NULL && top != entry)
        top = top->header.seq == 1 ? NULL : find(held, top->header.seq - 1, &top->header.prev);
    return top == entry;
}

/* Its statements count: it or one above it on its chain bears a good signature. */
static bool counts(const struct held *held, const struct parley_entry *entry) {
    for (size_t i = 0; i < held->count; i++)
        if (is_signed(held->entries[i]) && commits_to(held, held->entries[i], entry))
            return true;
    return false;
}

struct statements {
    struct parley_id ids[8]; /* by seq; zero: none yet */
    parley_seq raw;
};

static void state(struct statements *all, parley_seq seq, const struct parley_id *id) {
    if (PARLEY_IS_ZERO(all->ids[seq]))
        all->ids[seq] = *id;
    else if (!PARLEY_EQUAL(all->ids[seq], *id) && (all->raw == 0 || seq < all->raw))
        all->raw = seq;
}

static parley_seq raw_fork(const struct held *held, const struct parley_policy *policy) {
    struct statements all = {0};
    if (policy->kind != PARLEY_POLICY_OPEN)
        return 0;
    if (policy->seq > 0)
        state(&all, policy->seq, &policy->id);
    for (size_t i = 0; i < held->count; i++) {
        const struct parley_entry *entry = held->entries[i];
        if (entry->header.seq <= policy->seq || !counts(held, entry))
            continue;
        state(&all, entry->header.seq, &entry->id);
        if (entry->header.seq - 1 > 0 && entry->header.seq - 1 >= policy->seq)
            state(&all, entry->header.seq - 1, &entry->header.prev);
    }
    return all.raw;
}

static bool is_head(const struct verdict *verdict, const struct parley_policy *policy,
                    const struct parley_entry *entry) {
    parley_seq seq = entry->header.seq;
    if (policy->kind == PARLEY_POLICY_VOID)
        return false;
    if (policy->seq == seq)
        return PARLEY_EQUAL(policy->id, entry->id);
    return policy->kind == PARLEY_POLICY_OPEN && seq > policy->seq &&
           (verdict->forked == 0 || seq < verdict->forked) && is_signed(entry);
}

static void count_from(struct verdict *verdict, const struct held *held,
                       const struct parley_entry *top) {
    struct parley_digest_range *range = &verdict->counted[verdict->counted_count++];
    *range = (struct parley_digest_range){.hi = top->header.seq, .hi_id = top->id};
    for (; top != NULL; top = find(held, range->lo - 1, &top->header.prev))
        range->lo = top->header.seq;
}

static void judge(struct verdict *verdict, const struct held *held,
                  const struct parley_policy *policy) {
    *verdict = (struct verdict){.raw = raw_fork(held, policy)};
    if (verdict->raw != 0)
        verdict->forked = verdict->raw == policy->seq ? policy->seq + 1 : verdict->raw;
    for (size_t i = 0; i < held->count; i++)
        if (is_head(verdict, policy, held->entries[i]) &&
            (verdict->head == NULL || held->entries[i]->header.seq > verdict->head->header.seq))
            verdict->head = held->entries[i];
    if (verdict->head != NULL)
        count_from(verdict, held, verdict->head);
    const struct parley_entry *named =
        policy->seq > 0 ? find(held, policy->seq, &policy->id) : NULL;
    if (named != NULL && verdict->counted_count > 0 && verdict->counted[0].lo > policy->seq)
        count_from(verdict, held, named);
}

/* ---- writing ------------------------------------------------------------------------------- */

static void print_hex(const uint8_t *data, size_t size) {
    static char hex[2 * PARLEY_CHUNK_BUFFER_SIZE + 1];
    parley_hex_encode(hex, data, size);
    printf(" %s", hex);
}

static void print(const char *name, const struct parley_policy *policy, const struct held *held) {
    static const char *const kinds[] = {[PARLEY_POLICY_VOID] = "void",
                                        [PARLEY_POLICY_OPEN] = "open",
                                        [PARLEY_POLICY_CLOSED] = "closed"};
    static const struct parley_id none;
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct verdict verdict;
    struct parley_hash leaf;
    printf("log %s %s %llu", name, kinds[policy->kind], (unsigned long long)policy->seq);
    print_hex(policy->id.bytes, sizeof policy->id);
    print_hex(device.key.bytes, sizeof device.key);
    print_hex(device.log.bytes, sizeof device.log);
    puts("");
    for (size_t i = 0; i < held->count; i++) {
        struct parley_span chunk = fixture_chunk(buffer, held->entries[i], 1, false);
        printf("held %s", name);
        print_hex(chunk.data, chunk.size);
        puts("");
    }
    judge(&verdict, held, policy);
    printf("verdict %s %llu %llu %llu", name, (unsigned long long)verdict.raw,
           (unsigned long long)verdict.forked,
           verdict.head == NULL ? 0ull : (unsigned long long)verdict.head->header.seq);
    print_hex(verdict.head == NULL ? none.bytes : verdict.head->id.bytes, sizeof none);
    printf(" ");
    for (size_t i = 0; i < verdict.counted_count; i++)
        printf("%s%llu-%llu", i == 0 ? "" : ",", (unsigned long long)verdict.counted[i].lo,
               (unsigned long long)verdict.counted[i].hi);
    if (verdict.counted_count == 0) {
        puts("- -");
        return;
    }
    parley_digest_log(&leaf, &device.log, verdict.counted, verdict.counted_count);
    print_hex(leaf.bytes, sizeof leaf);
    puts("");
}

/* ---- the sets ------------------------------------------------------------------------------ */

static void hold(struct held *held, const struct parley_entry *entries, parley_seq from,
                 parley_seq to) {
    for (parley_seq seq = from; seq <= to; seq++)
        held->entries[held->count++] = &entries[seq - 1];
}

static void part_above(parley_seq parted) {
    fixture_log(&device, left, 6);
    memcpy(right, left, sizeof left);
    fixture_branch(&device, right + parted, 6 - parted, &left[parted - 1], 1);
}

static void break_signature(struct parley_entry *entry) {
    entry->signature.bytes[5] ^= 1;
    parley_entry_id(entry);
}

static struct parley_policy named(enum parley_policy_kind kind, const struct parley_entry *entry) {
    return (struct parley_policy){kind, entry->header.seq, entry->id};
}

#define PRINT(name, policy, ...)                                                                   \
    do {                                                                                           \
        const struct parley_policy at = policy;                                                    \
        struct held held = {0};                                                                    \
        __VA_ARGS__;                                                                               \
        print(name, &at, &held);                                                                   \
    } while (0)

static void print_forks(void) {
    part_above(3);
    PRINT("two-branches", fixture_open(), hold(&held, left, 1, 6); hold(&held, right, 4, 5));
    PRINT("by-prev-alone", fixture_open(), hold(&held, left, 1, 6); hold(&held, right, 6, 6));
    PRINT("settled-by-a-closing", named(PARLEY_POLICY_CLOSED, &right[4]), hold(&held, left, 1, 6);
          hold(&held, right, 4, 5));
    PRINT("settled-by-a-listing", named(PARLEY_POLICY_OPEN, &left[4]), hold(&held, left, 1, 6);
          hold(&held, right, 4, 5));
    PRINT("off-the-listing", named(PARLEY_POLICY_OPEN, &left[3]), hold(&held, left, 1, 4);
          hold(&held, right, 4, 6));
    PRINT("the-named-one-is-another", named(PARLEY_POLICY_OPEN, &right[3]),
          hold(&held, left, 1, 6));
    PRINT("closed-at-another", named(PARLEY_POLICY_CLOSED, &right[3]), hold(&held, left, 1, 6));
    break_signature(&right[3]);
    PRINT("the-other-is-not-signed", fixture_open(), hold(&held, left, 1, 6);
          hold(&held, right, 4, 4));
}

static void print_chains(void) {
    part_above(3);
    PRINT("one-branch", fixture_open(), hold(&held, left, 1, 6));
    PRINT("void", PARLEY_NO_POLICY, hold(&held, left, 1, 6));
    PRINT("a-gap", fixture_open(), hold(&held, left, 1, 2); hold(&held, left, 4, 6));
    PRINT("a-gap-above-the-listing", named(PARLEY_POLICY_OPEN, &left[1]), hold(&held, left, 1, 2);
          hold(&held, left, 5, 6));
    PRINT("a-gap-over-it", named(PARLEY_POLICY_OPEN, &left[2]), hold(&held, left, 1, 2);
          hold(&held, left, 5, 6));
    PRINT("closed", named(PARLEY_POLICY_CLOSED, &left[3]), hold(&held, left, 1, 6));
    PRINT("closed-and-not-here", named(PARLEY_POLICY_CLOSED, &left[3]), hold(&held, left, 1, 3));
    fixture_log(&device, left, 4);
    break_signature(&left[3]);
    fixture_branch(&device, left + 4, 1, &left[3], 0);
    PRINT("chained", fixture_open(), hold(&held, left, 1, 5));
    PRINT("chained-at-the-top", fixture_open(), hold(&held, left, 1, 4));
    PRINT("chained-and-listed", named(PARLEY_POLICY_OPEN, &left[3]), hold(&held, left, 1, 4));
}

int main(void) {
    if (parley_crypto_self_test() != PARLEY_E_OK)
        return 1;
    fixture_device(&device, 1);
    puts("# log NAME POLICY ITS_SEQ ITS_ID DEVICE_KEY LOG\n"
         "# held NAME CHUNK of one entry, without its body\n"
         "# verdict NAME RAW FORKED HEAD_SEQ HEAD_ID COUNTED DIGEST_OF_THE_LOG\n"
         "# RAW and FORKED as SPEC 6.8, 0 for none; HEAD as 6.10, 0 for none; COUNTED as 10.2:\n"
         "# stretches LO-HI, newest first, - for none.");
    print_forks();
    print_chains();
    return 0;
}
