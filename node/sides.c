#include "internal.h"

/* Two chains side by side: pieces of evidence and suspects on one side, what is held on the other.
 * Nothing here waits for anything. */

parley_seq side_lo(const struct side *side) {
    return side->chunks[0].seq_first;
}

parley_seq side_hi(const struct side *side) {
    return side->count == 0 ? side->next - 1
                            : parley_chunk_seq_last(&side->chunks[side->count - 1]);
}

bool side_id(const struct side *side, parley_seq seq, struct parley_id *id) {
    struct parley_entry entry;
    if (side->count > 0 && seq + 1 == side_lo(side)) {
        *id = side->chunks[0].prev_first;
        return true;
    }
    for (size_t i = 0; i < side->count; i++)
        if (parley_chunk_find(&side->chunks[i], seq, &entry)) {
            *id = entry.id;
            return true;
        }
    return false;
}

bool side_add_above(struct side *side, struct parley_span bytes) {
    struct parley_chunk *chunk = &side->chunks[side->count];
    if (side->count == SIDE_CHUNKS_MAX || parley_chunk_decode(chunk, bytes).error != PARLEY_E_OK)
        return false;
    struct parley_id top;
    if (side->count > 0 &&
        (chunk->seq_first != side_hi(side) + 1 || !side_id(side, side_hi(side), &top) ||
         !PARLEY_EQUAL(top, chunk->prev_first)))
        return false;
    side->count++;
    side->next = side_hi(side) + 1;
    return true;
}

/* A run travels newest first: what follows is named by the lowest entry so far. */
bool side_add_below(struct side *side, struct parley_span bytes) {
    struct parley_chunk chunk;
    struct parley_entry top;
    if (side->count == 0 || side->count == SIDE_CHUNKS_MAX ||
        parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK ||
        parley_chunk_seq_last(&chunk) + 1 != side_lo(side) ||
        !parley_chunk_find(&chunk, side_lo(side) - 1, &top) ||
        !PARLEY_EQUAL(top.id, side->chunks[0].prev_first))
        return false;
    memmove(&side->chunks[1], &side->chunks[0], side->count * sizeof side->chunks[0]);
    side->chunks[0] = chunk;
    side->count++;
    side->base_count = side->count;
    return true;
}

void side_reset(struct side *side) {
    side->count = side->base_count;
    side->signed_count = 0;
    side->next = side_hi(side) + 1;
}

void side_sign(struct side *side, parley_seq seq) {
    side->signed_count = 0;
    if (seq != 0)
        side->signed_seqs[side->signed_count++] = seq;
    if (side->known > seq && side->known <= side_hi(side))
        side->signed_seqs[side->signed_count++] = side->known;
}

void side_branch(const struct side *side, struct parley_branch *branch) {
    *branch = (struct parley_branch){.chunks = side->chunks,
                                     .chunks_count = side->count,
                                     .signed_seqs = side->signed_seqs,
                                     .signed_count = side->signed_count};
}

/* Where two chains differ first, whoever signed it: own signatures are assumed wherever the reach
 * of one ends. */
#define ASSUMED_MAX (SIDE_CHUNKS_MAX * PARLEY_CHUNK_ENTRIES_MAX / PARLEY_EVIDENCE_REACH + 2u)

static void assume(const struct side *side, struct parley_branch *branch,
                   parley_seq seqs[ASSUMED_MAX]) {
    side_branch(side, branch);
    branch->signed_count = 0;
    branch->signed_seqs = seqs;
    parley_seq at = side_lo(side);
    while (at < side_hi(side) && branch->signed_count + 1 < ASSUMED_MAX) {
        seqs[branch->signed_count++] = at;
        at += PARLEY_EVIDENCE_REACH;
    }
    seqs[branch->signed_count++] = side_hi(side);
}

parley_seq sides_differ(const struct side *a, const struct side *b,
                        const struct parley_policy *policy) {
    struct parley_branch branches[2];
    parley_seq seqs[2][ASSUMED_MAX];
    struct parley_fork fork;
    assume(a, &branches[0], seqs[0]);
    assume(b, &branches[1], seqs[1]);
    parley_fork_find(&fork, policy, branches, 2);
    return fork.raw;
}
