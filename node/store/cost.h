/* What rows take in the files of the engine once these are compacted: key and value, and what
 * LevelDB adds to a pair (8 bytes of number and kind, lengths, its share of the index, the filter
 * and the check sums, less what the key shares with the one before). With these figures the sum is
 * within 2 % of the files, measured on logs of 1 to 30 posts.
 */
#ifndef PARLEY_STORE_COST_H
#define PARLEY_STORE_COST_H

#include "segment.h"

#define COST_OF_PAIR 16u

static inline uint64_t cost_of(size_t key_size, size_t value_size) {
    return key_size + value_size + COST_OF_PAIR;
}
/* With its two rows of the timeline. */
static inline uint64_t cost_of_segment(size_t size) {
    return cost_of(1 + 4 + 6, size) + 2 * cost_of(TIMELINE_KEY_SIZE, 8);
}
/* Rows i and a; row l is counted when it is read, for its size changes with all else. */
#define COST_OF_LOG (1u + 4u + 32u + 1u + 32u + 4u + 2u * COST_OF_PAIR)
static inline uint64_t cost_of_row(size_t size) {
    return cost_of(1 + 32, size);
}
static inline uint64_t cost_of_evidence(size_t size) {
    return cost_of(1 + 4 + 1, size);
}
static inline uint64_t cost_of_erased(size_t size) {
    return size == 0 ? 0 : cost_of(1 + 4, size);
}

#endif
