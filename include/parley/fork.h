/* Forks: two authentic statements of one log that give different ids for one seq. SPEC 6.8, 6.9.
 *
 * A statement is an entry's id, or the prev of the entry above. It is authentic when it stands at
 * most PARLEY_EVIDENCE_REACH entries below a valid own signature on its branch; what the policy
 * names is authentic by itself. The verdict is the lowest forked seq, a pure function of policy and
 * branches.
 */
#ifndef PARLEY_FORK_H
#define PARLEY_FORK_H

#include <parley/log.h>

/* One chain of one log, as decoded chunks in ascending order, each following the one before. */
struct parley_branch {
    const struct parley_chunk *chunks;
    size_t chunks_count;
    const parley_seq *signed_seqs; /* ascending; whose own signature holds. At least one. */
    size_t signed_count;
};
#define PARLEY_BRANCHES_MAX 8u

struct parley_fork_piece {
    size_t branch; /* index into branches */
    parley_seq from;
    parley_seq to; /* its own signature holds */
};
struct parley_fork {
    parley_seq raw;      /* lowest seq with two ids; 0: no fork */
    parley_seq seq;      /* hidden from here on: above what the policy names; 0: no fork */
    size_t pieces_count; /* 1 where what the policy names is the other side, else 2 */
    struct parley_fork_piece pieces[2]; /* the shortest evidence in these branches */
};

/* Looks for the lowest fork among branches (1 .. PARLEY_BRANCHES_MAX; one branch can fork with what
 * the policy names). A policy that is not open has no forks. Statements below the policy's seq are
 * not looked at. Cost: one walk of all chunks, two hashes an entry. */
void parley_fork_find(struct parley_fork *fork, const struct parley_policy *policy,
                      const struct parley_branch *branches, size_t branches_count);

/* The next chunk of a piece, without bodies, newest first as any run travels: *to starts as
 * piece->to and is moved below what was written; false when it has passed piece->from. A buffer of
 * PARLEY_CHUNK_BUFFER_SIZE always suffices. The first chunk's top has the valid own signature, the
 * next ones are anchored by it. */
bool parley_fork_evidence(struct parley_span *out, uint8_t *data, size_t size_max,
                          const struct parley_branch *branches,
                          const struct parley_fork_piece *piece, parley_seq *to);

#endif
