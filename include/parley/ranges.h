/* What is held of one log, as at most eight ranges, and what follows from it. Pure. SPEC 6.7, 6.10.
 *
 * All ranges are one chain: of a fork only one branch stands here (the other is evidence). Between
 * two ranges there is a hole: the lower end of each range names the id below it, which is an anchor
 * to ask for. Because every id commits to all below it, two runs that agree at one seq agree at
 * every seq below; so one comparison decides a whole overlap.
 */
#ifndef PARLEY_RANGES_H
#define PARLEY_RANGES_H

#include <parley/log.h>

struct parley_ranges {
    uint8_t count;                               /* 0 .. PARLEY_RANGES_MAX */
    struct parley_run ranges[PARLEY_RANGES_MAX]; /* newest first, none touching another */
};

/* Bytes in memory or on disk: 40 for one range that is whole from seq 1, the usual log. */
#define PARLEY_RANGES_PACKED_USUAL 40u
#define PARLEY_RANGES_PACKED_MAX   (1u + PARLEY_RANGES_MAX * 77u)
/* Returns the size written; asserts that ranges are well formed. */
size_t parley_ranges_pack(uint8_t out[PARLEY_RANGES_PACKED_MAX],
                          const struct parley_ranges *ranges);
/* STORE_DAMAGED when the bytes are not what pack writes. */
PARLEY_USE_RESULT enum parley_error parley_ranges_unpack(struct parley_ranges *ranges,
                                                         struct parley_span bytes);
/* Order, bounds, links, nothing touching: for invariants. */
bool parley_ranges_is_valid(const struct parley_ranges *ranges);

/* Where a run may go. */
enum parley_placing {
    PARLEY_PLACE_APPEND, /* it begins right above the newest range (or at 1 of an empty log) */
    PARLEY_PLACE_LINKED, /* that, or it meets a held range at either end */
    PARLEY_PLACE_ANY,    /* also a new range with an open link */
};
/* An overlap is decided by one id: that of the run being added (side RUN) or that held (side HELD)
 * at seq. False when it cannot be told now. */
enum parley_side { PARLEY_SIDE_RUN, PARLEY_SIDE_HELD };
typedef bool (*parley_id_at)(void *context, enum parley_side side, parley_seq seq,
                             struct parley_id *id);

/* Adds a run, joining what meets. Answers
 *   OK      it is held now; before the call parley_ranges_missing told which part was new
 *   EXISTS  every entry of it was held (hi_is_signed is taken over when it tells more)
 *   GAP     it may not stand at this place
 *   FORKED  two ids for *conflict, a seq at or above the lowest fork; nothing changed
 *   FULL    a ninth range; nothing changed: drop or fill one
 *   RETRY   an id that id_at could not tell is needed: side HELD at *conflict; nothing changed
 * id_at may be NULL: then every overlap that only an id can decide answers RETRY. */
PARLEY_USE_RESULT enum parley_error parley_ranges_add(struct parley_ranges *ranges,
                                                      const struct parley_run *run,
                                                      enum parley_placing place, parley_id_at id_at,
                                                      void *context, parley_seq *conflict);

/* The lowest stretch of [lo, hi] that is not held; false when all of it is. */
bool parley_ranges_missing(const struct parley_ranges *ranges, parley_seq lo, parley_seq hi,
                           parley_seq *from, parley_seq *to);
/* Drops all below seq; prev is the id of seq - 1 (only looked at when seq - 1 and seq are held). */
void parley_ranges_prune(struct parley_ranges *ranges, parley_seq seq,
                         const struct parley_id *prev);
/* Drops all above the anchor; its id is only looked at when seq and seq + 1 are held, and
 * is_signed then says whether that entry's own signature was checked. */
void parley_ranges_cut(struct parley_ranges *ranges, const struct parley_anchor *top,
                       bool is_signed);
/* The same of one range alone, the one that holds top->seq + 1; what stands above it stays. Nothing
 * when none does. */
void parley_ranges_cut_one(struct parley_ranges *ranges, const struct parley_anchor *top,
                           bool is_signed);
/* Drops the range that holds seq; false when none does. */
bool parley_ranges_drop(struct parley_ranges *ranges, parley_seq seq);

bool parley_ranges_covers(const struct parley_ranges *ranges, parley_seq seq);
/* The range that holds seq, or NULL. */
const struct parley_run *parley_ranges_find(const struct parley_ranges *ranges, parley_seq seq);
/* The range that gives seq an id: it holds it, or begins right above. NULL when none does. */
const struct parley_run *parley_ranges_naming(const struct parley_ranges *ranges, parley_seq seq);
/* The newest end whose own signature holds, or that the policy names; zero anchor and false when
 * there is none (or the log is void). */
bool parley_ranges_head(const struct parley_ranges *ranges, const struct parley_policy *policy,
                        struct parley_anchor *head);
/* The lowest seq held unbroken below the head; 0 when there is no head. */
parley_seq parley_ranges_low(const struct parley_ranges *ranges,
                             const struct parley_policy *policy);

/* Whether the entry at seq is held and good: committed to by a newest entry of its range that is
 * good by itself. What lies below a link that is still open is; what lies below one that the
 * policy's (seq, id) is still above is not. */
bool parley_ranges_shows(const struct parley_ranges *ranges, const struct parley_policy *policy,
                         parley_seq seq);

/* What to ask for, anchored: the run from (seq, id) downwards to above `down`. */
struct parley_hole {
    struct parley_anchor top;
    parley_seq down; /* exclusive: held, or below the floor */
};
#define PARLEY_HOLES_MAX (PARLEY_RANGES_MAX + 1u)
/* Newest first; also the policy's own (seq, id) when it is not held. Nothing below floor, the
 * lowest seq that the caller wants (1: all). Returns the count. */
size_t parley_ranges_holes(const struct parley_ranges *ranges, const struct parley_policy *policy,
                           parley_seq floor, struct parley_hole holes[PARLEY_HOLES_MAX]);

#endif
