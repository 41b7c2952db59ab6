/* A review: what is held of one log, judged anew with the disk's help. One at a time in a node, so
 * that its memory is bounded; the logs that want one wait in a queue. SPEC 6.7 to 6.10.
 *
 * A review reads the stored evidence, then looks where the chain that is held has what the policy
 * names, then lays every chunk that speaks of another branch beside what is held: where they first
 * differ, and by which own signatures that is shown. The verdict itself is proto/fork.c's.
 */
#ifndef PARLEY_NODE_REVIEW_H
#define PARLEY_NODE_REVIEW_H

#include <parley/fork.h>
#include <parley/ranges.h>

#define REVIEW_WINDOW 320u /* headers in one read: with the longest ext they fit a chunk */
/* A chunk of 1,024 headers or evidence, one more at either end, and 1,025 above it to find an own
 * signature in: windows of 320. */
#define SIDE_CHUNKS_MAX 12u
#define REVIEW_PIECES_MAX                                                                          \
    8u /* PARLEY_BRANCHES_MAX: two stored, two new ones, a few that disagree */
#define EVIDENCE_CHUNKS_MAX 16u /* what the store keeps */
#define REVIEW_BLOCKS_COUNT (EVIDENCE_CHUNKS_MAX + 2u * SIDE_CHUNKS_MAX)
/* Own signatures that one review checks: an honest log needs three. Who plants more bad ones than
 * this hides their own log. */
#define REVIEW_CHECKS_MAX 8192u
#define REVIEW_RETRY_MS   1000u /* after a read that failed */

static_assert(REVIEW_PIECES_MAX <= PARLEY_BRANCHES_MAX, "all are looked at together");

/* Chunks that contradict what is held, or evidence of which the other half is still to come. */
#define SUSPECTS_MAX      32u
#define EVIDENCE_WAITS_MS 60000u /* for its other half, which comes right behind it or is lost */
struct suspect {
    bool is_used;
    bool is_signed;   /* the own signature of its top holds */
    bool is_evidence; /* kept after a review that found nothing: the other branch may follow */
    uint32_t log;
    uint64_t order;
    parley_time_ms at;
    struct parley_run run;
    size_t size;
    uint8_t *bytes;
};

/* A chain in memory, and how far it can be read on upwards. */
struct side {
    struct parley_chunk chunks[SIDE_CHUNKS_MAX]; /* ascending, each following the one before */
    size_t count;
    size_t base_count; /* of them, what it was made of; the rest was read on */
    parley_seq next;   /* to be read next */
    parley_seq reach;  /* the last that can be */
    parley_seq known;  /* its own signature is known to hold; 0: none */
    parley_seq signed_seqs[2];
    size_t signed_count;
    uint32_t suspect; /* what it was made of, or NONE: stored, or held */
};

enum review_step {
    REVIEW_START,
    REVIEW_EVIDENCE, /* what is stored of it */
    REVIEW_PIN,
    REVIEW_OFF_PIN, /* the chain held leaves what a listing names */
    REVIEW_PIECE,   /* the next one, the next range */
    REVIEW_WINDOWS, /* of the held range */
    REVIEW_SEARCH_PIECE,
    REVIEW_SEARCH_HELD,
    REVIEW_COMPARED,
    REVIEW_TOGETHER, /* pieces with one another */
    REVIEW_HEAD,
    REVIEW_DECIDED,
};

struct review {
    bool is_active;
    bool is_waiting; /* for the disk or a check */
    uint32_t log;
    uint16_t generation; /* part of its tickets */
    uint32_t world;      /* the log's, when it began */
    parley_time_ms retry_at;
    enum review_step step;
    uint32_t checks;
    /* the answer that came last */
    bool asked; /* of a step that asks once: the answer is here */
    bool holds;
    struct parley_span answer; /* in a block */
    enum parley_error error;
    parley_seq read_top, read_low; /* top 0: evidence, or a check */

    uint8_t *blocks; /* REVIEW_BLOCKS_COUNT chunks that were read */
    size_t blocks_used;
    size_t blocks_kept; /* of them hold stored evidence */
    size_t evidence_index;
    struct side pieces[REVIEW_PIECES_MAX];
    size_t pieces_count, stored_count;
    size_t piece, range; /* being compared; ranges from the lowest up */
    struct side held;
    parley_seq window_to;
    parley_seq raw;
    parley_seq search; /* candidate for an own signature; 0: not begun */
    struct parley_chunk_cursor cursor;
    size_t cursor_chunk;

    enum pin_state pin;
    struct parley_fork best;
    bool best_is_stored;
    struct parley_span evidence[EVIDENCE_CHUNKS_MAX];
    size_t evidence_count;
    uint8_t *evidence_memory;
    struct parley_anchor below; /* nothing above it is good */
    bool hides;                 /* something that is held, and below the fork, is above it */
    parley_seq below_at;        /* its own signature is being checked; 0: none yet */
    /* a held chain that gives way: cut above cut_top, up to cut_hi; then the suspect takes its
     * place */
    bool cuts;
    struct parley_anchor cut_top;
    parley_seq cut_hi;
    bool cut_at_link; /* it may differ further down as well */
    uint32_t cut_for;
};

#endif
