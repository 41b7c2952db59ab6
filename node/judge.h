/* How a log is judged: what of it is good, and how two chains of it come to one verdict. The part
 * of internal.h that is about it; review.h has the structs. */
#ifndef PARLEY_NODE_JUDGE_H
#define PARLEY_NODE_JUDGE_H

/* view.c */
/* The ranges that are good, or may become so: all about heads, holes and digests is asked of it. */
void log_view(const struct log_row *row, struct parley_ranges *view);
/* The fork verdict as it is told: 0 where there is none. */
parley_seq log_forked(const struct log_row *row);
/* The newest good entry on the disk. is_signed: its own signature was checked here. */
bool log_told(const struct log_row *row, struct parley_anchor *head, bool *is_signed);
/* Whether what the identity records name is held apart from the head, and down to where. */
bool log_told_named(const struct log_row *row, const struct parley_anchor *head, parley_seq *low);
bool log_shows(const struct log_row *row, parley_seq seq);
/* The verdict from nothing but policy, headers held and evidence; a review if that needs the disk.
 */
void log_judge_anew(struct parley_node *node, uint32_t log);
void log_set_policy(struct parley_node *node, uint32_t log, const struct parley_policy *policy);
/* A chunk was placed. */
void log_grew(struct parley_node *node, uint32_t log, const struct parley_judged *judged);

/* suspects.c */
/* Copies the chunk and wants a review. False: no place now. */
bool suspect_keep(struct parley_node *node, uint32_t log, const struct parley_judged *judged,
                  bool is_signed, bool is_evidence);
void suspects_drop(struct parley_node *node, uint32_t log, bool evidence);
/* Some of this log are still to be looked at: evidence that came too early for a while only. */
bool suspects_wait(const struct parley_node *node, uint32_t log);

/* review.c */
void review_want(struct parley_node *node, uint32_t log);
/* The log was loaded; its first review has come to an end, or the log goes. */
void review_await_first(struct parley_node *node, uint32_t log);
void review_end_first(struct parley_node *node, uint32_t log);
/* At the end of every step. */
void reviews_pump(struct parley_node *node);
/* The store is opened again: all that was known of the disk is forgotten. */
void reviews_forget(struct parley_node *node);
void review_on_read(struct parley_node *node, parley_ticket ticket, enum parley_error error,
                    struct parley_span bytes);
void review_on_verified(struct parley_node *node, parley_ticket ticket, bool holds);

/* review_steps.c */
/* True when it can go on at once; else it waits, has failed and will be tried again, or is over. */
bool review_step(struct parley_node *node);
/* Headers low .. top of the log, without bodies; comes back as the answer. */
void review_read_headers(struct parley_node *node, parley_seq low, parley_seq top);
/* The own signature of an entry; comes back as holds. */
void review_check(struct parley_node *node, const struct parley_entry *entry);
/* The headers asked for came whole. */
bool review_read_is_whole(const struct review *review);
/* The review begins again after a pause. Always false: what waits does not go on now. */
bool review_fail(struct parley_node *node);

/* review_head.c */
void review_head_begin(struct parley_node *node);
bool review_head_step(struct parley_node *node);

/* review_named.c */
/* At the end of a review: what the records name and only its evidence holds comes into the log. */
bool review_place_named(struct parley_node *node);

/* sides.c */
parley_seq side_lo(const struct side *side);
parley_seq side_hi(const struct side *side);
/* Also of the entry below the lowest. */
bool side_id(const struct side *side, parley_seq seq, struct parley_id *id);
/* False when the chunk does not follow. */
bool side_add_above(struct side *side, struct parley_span bytes);
bool side_add_below(struct side *side, struct parley_span bytes);
/* Without what was read on, and unsigned. */
void side_reset(struct side *side);
/* Signed at seq (0: not found) and where it is known to be. */
void side_sign(struct side *side, parley_seq seq);
void side_branch(const struct side *side, struct parley_branch *branch);
/* The lowest seq of which the two, or one and the policy, say two ids, whoever signed; 0: none. */
parley_seq sides_differ(const struct side *a, const struct side *b,
                        const struct parley_policy *policy);

/* verdict.c */
void suspects_gather(struct parley_node *node);
void verdict_stored(struct parley_node *node);
bool verdict_may_tell(const struct parley_node *node, const struct side *piece);
/* What the identity records name commits to it, or it stands on that: it beats the range that it is
 * compared with. */
bool verdict_is_named(const struct parley_node *node, const struct side *piece);
parley_seq verdict_differ(const struct parley_node *node, const struct side *piece);
/* b may be NULL. True when they show a fork. */
bool verdict_consider(struct parley_node *node, const struct side *a, const struct side *b);
void verdict_give_way(struct parley_node *node, const struct side *piece);
void verdict_together(struct parley_node *node);
void verdict_apply(struct parley_node *node);
void verdict_is_stored(struct parley_node *node, uint32_t log);

/* cut.c */
/* Drops what stands above top, up to hi, the end of a range. False: no room now. */
bool log_cut(struct parley_node *node, uint32_t log, const struct parley_anchor *top,
             parley_seq hi);
/* Of a log with all its ranges taken the newest goes if it is hidden. */
bool log_make_room(struct parley_node *node, uint32_t log);
bool log_may_make_room(const struct log_row *row);
/* Else a small range goes: for the run of a peer's head that ends above all that is held, and for
 * what the records name. */
bool log_drop_island(struct parley_node *node, uint32_t log, const struct parley_run *run);
bool log_may_drop_island(const struct log_row *row);

#endif
