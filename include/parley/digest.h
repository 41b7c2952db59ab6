/* Digests: two nodes compare 32 bytes instead of all that they hold. SPEC 10.
 *
 * A tree of hashes: a leaf for each log, one hash for each author over their leaves, one over
 * authors. What changed in one log is hashed anew along one path. Counted is what the head (or the
 * id that the policy names) commits to through headers held; a log of which nothing is counted is
 * left out, and so is an author without a log.
 */
#ifndef PARLEY_DIGEST_H
#define PARLEY_DIGEST_H

#include <parley/ranges.h>

/* A stretch that is counted, newest first in arrays. The id of hi commits to all of it. */
struct parley_digest_range {
    parley_seq lo;
    parley_seq hi;
    struct parley_id hi_id;
};
/* At most two: below the head, and below what the policy names where a hole lies between. */
#define PARLEY_DIGEST_RANGES_MAX 2u
/* What of the ranges is counted. The ranges must agree with the policy: what the policy names
 * stands in them or is not held. Returns the count. */
size_t parley_digest_counted(struct parley_digest_range out[PARLEY_DIGEST_RANGES_MAX],
                             const struct parley_ranges *ranges,
                             const struct parley_policy *policy);

void parley_digest_log(struct parley_hash *out, const struct parley_log *log,
                       const struct parley_digest_range *ranges, size_t ranges_count);

/* Which bodies are held, of what is counted: stretches [lo, hi], ascending, none touching another.
 */
struct parley_digest_bodies_range {
    parley_seq lo;
    parley_seq hi;
};
void parley_digest_bodies_log(struct parley_hash *out, const struct parley_log *log,
                              const struct parley_digest_bodies_range *ranges, size_t ranges_count);

/* Both trees above their leaves. */
enum parley_digest_kind { PARLEY_DIGEST_HEADERS, PARLEY_DIGEST_BODIES };
struct parley_digest_hasher {
    struct parley_hasher hasher;
    uint8_t last[32]; /* the name added last: order is asserted */
    bool any;
};
/* An author: leaves in ascending order of their logs. */
void parley_digest_author_init(struct parley_digest_hasher *hasher, enum parley_digest_kind kind,
                               const struct parley_author *author);
void parley_digest_author_add(struct parley_digest_hasher *hasher, const struct parley_log *log,
                              const struct parley_hash *leaf);
/* All: authors in ascending order. */
void parley_digest_all_init(struct parley_digest_hasher *hasher, enum parley_digest_kind kind);
void parley_digest_all_add(struct parley_digest_hasher *hasher, const struct parley_author *author,
                           const struct parley_hash *digest);
void parley_digest_finish(struct parley_digest_hasher *hasher, struct parley_hash *out);

#endif
