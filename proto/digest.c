#include <parley/digest.h>

/* What is hashed is told apart by its first byte, for headers and bodies each in its own domain. */
enum level { LEVEL_LOG = 0, LEVEL_AUTHOR = 1, LEVEL_ALL = 2 };

static const char *const domains[] = {
    [PARLEY_DIGEST_HEADERS] = PARLEY_DOMAIN_DIGEST,
    [PARLEY_DIGEST_BODIES] = PARLEY_DOMAIN_DIGEST_BODY,
};

static void begin(struct parley_hasher *hasher, enum parley_digest_kind kind, enum level level) {
    uint8_t byte = (uint8_t)level;
    parley_hash_init(hasher, domains[kind]);
    parley_hash_add(hasher, &byte, 1);
}

static void add_seq(struct parley_hasher *hasher, parley_seq seq) {
    uint8_t bytes[6];
    parley_put_u48(bytes, seq);
    parley_hash_add(hasher, bytes, sizeof bytes);
}

size_t parley_digest_counted(struct parley_digest_range out[PARLEY_DIGEST_RANGES_MAX],
                             const struct parley_ranges *ranges,
                             const struct parley_policy *policy) {
    struct parley_anchor head;
    size_t count = 0;
    if (policy->kind == PARLEY_POLICY_VOID)
        return 0;
    if (parley_ranges_head(ranges, policy, &head)) {
        parley_seq lo = parley_ranges_low(ranges, policy);
        out[count++] = (struct parley_digest_range){lo, head.seq, head.id};
        if (lo <= policy->seq)
            return count;
    }
    const struct parley_run *named =
        policy->seq > 0 ? parley_ranges_find(ranges, policy->seq) : NULL;
    if (named != NULL && (named->hi > policy->seq || PARLEY_EQUAL(named->hi_id, policy->id)))
        out[count++] = (struct parley_digest_range){named->lo, policy->seq, policy->id};
    return count;
}

void parley_digest_log(struct parley_hash *out, const struct parley_log *log,
                       const struct parley_digest_range *ranges, size_t ranges_count) {
    struct parley_hasher hasher;
    begin(&hasher, PARLEY_DIGEST_HEADERS, LEVEL_LOG);
    parley_hash_add(&hasher, log->bytes, sizeof *log);
    for (size_t i = 0; i < ranges_count; i++) {
        assert(i == 0 || ranges[i].hi < ranges[i - 1].lo);
        add_seq(&hasher, ranges[i].lo);
        add_seq(&hasher, ranges[i].hi);
        parley_hash_add(&hasher, ranges[i].hi_id.bytes, sizeof ranges[i].hi_id);
    }
    parley_hash_finish(&hasher, out->bytes);
}

void parley_digest_bodies_log(struct parley_hash *out, const struct parley_log *log,
                              const struct parley_digest_bodies_range *ranges,
                              size_t ranges_count) {
    struct parley_hasher hasher;
    begin(&hasher, PARLEY_DIGEST_BODIES, LEVEL_LOG);
    parley_hash_add(&hasher, log->bytes, sizeof *log);
    for (size_t i = 0; i < ranges_count; i++) {
        assert(ranges[i].lo <= ranges[i].hi && (i == 0 || ranges[i].lo > ranges[i - 1].hi + 1));
        add_seq(&hasher, ranges[i].lo);
        add_seq(&hasher, ranges[i].hi);
    }
    parley_hash_finish(&hasher, out->bytes);
}

/* One order and no name twice, so that the same things always give the same bytes. */
static void add_named(struct parley_digest_hasher *hasher, const uint8_t name[32],
                      const struct parley_hash *hash) {
    assert(!hasher->any || memcmp(hasher->last, name, sizeof hasher->last) < 0);
    memcpy(hasher->last, name, sizeof hasher->last);
    hasher->any = true;
    parley_hash_add(&hasher->hasher, name, sizeof hasher->last);
    parley_hash_add(&hasher->hasher, hash->bytes, sizeof *hash);
}

void parley_digest_author_init(struct parley_digest_hasher *hasher, enum parley_digest_kind kind,
                               const struct parley_author *author) {
    hasher->any = false;
    begin(&hasher->hasher, kind, LEVEL_AUTHOR);
    parley_hash_add(&hasher->hasher, author->bytes, sizeof *author);
}

void parley_digest_author_add(struct parley_digest_hasher *hasher, const struct parley_log *log,
                              const struct parley_hash *leaf) {
    add_named(hasher, log->bytes, leaf);
}

void parley_digest_all_init(struct parley_digest_hasher *hasher, enum parley_digest_kind kind) {
    hasher->any = false;
    begin(&hasher->hasher, kind, LEVEL_ALL);
}

void parley_digest_all_add(struct parley_digest_hasher *hasher, const struct parley_author *author,
                           const struct parley_hash *digest) {
    add_named(hasher, author->bytes, digest);
}

void parley_digest_finish(struct parley_digest_hasher *hasher, struct parley_hash *out) {
    parley_hash_finish(&hasher->hasher, out->bytes);
}
