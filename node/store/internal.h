/* What the files of the store share. */
#ifndef PARLEY_STORE_INTERNAL_H
#define PARLEY_STORE_INTERNAL_H

#include "index.h"
#include "segment.h"

/* Only the committer touches what changes here; reads use the engine alone, so they may run beside
 * it. */
struct parley_store {
    struct parley_kv *kv;
    uint32_t next_number;
    uint64_t commits_count;
    bool is_old;              /* its indexes are made anew before anything else */
    enum parley_error broken; /* the disk error after which nothing is acknowledged */
    struct segment_writer writer;
};

/* One operation of a group. */
struct commit {
    struct parley_store *store;
    struct batch batch;
};

/* ---- rows (rows.c) */

/* NOT_FOUND when the log has no row; the batch's error when one stands. */
PARLEY_USE_RESULT enum parley_error row_load(struct batch *batch, const struct parley_log *log,
                                             struct log_row *row);
/* The row, or a new one for the op's author and device. NOT_FOUND when the op names none. */
PARLEY_USE_RESULT enum parley_error
row_load_or_make(struct commit *commit, const struct parley_store_op *op, struct log_row *row);
/* Gives a new row its numbers. Before the first segment is put. */
void row_number(struct commit *commit, struct log_row *row);
void row_save(struct batch *batch, const struct log_row *row);
/* The time of the lowest entry, looked up. */
void row_note_low(struct batch *batch, struct log_row *row);
/* The same, if that entry is another than before; it may have come with the chunk. */
void row_note_low_of(struct batch *batch, struct log_row *row, const struct parley_ranges *before,
                     const struct parley_chunk *chunk, parley_time_ms received_ms);
/* The same reads straight from the engine, for the calls that read. */
PARLEY_USE_RESULT enum parley_error row_read(struct parley_kv *kv, const void *view,
                                             const struct parley_log *log, struct log_row *row);
/* The row of the log with that number. */
PARLEY_USE_RESULT enum parley_error row_read_by_number(struct parley_kv *kv, const void *view,
                                                       uint32_t number, struct log_row *row);
/* The author's number, or a new one. 0 with the batch's error. */
uint32_t author_number(struct commit *commit, const struct parley_author *author);
/* NOT_FOUND when nothing of the author is held. */
PARLEY_USE_RESULT enum parley_error author_number_read(struct parley_kv *kv, const void *view,
                                                       const struct parley_author *author,
                                                       uint32_t *number);
/* The free number from the row of the version, and whether it is an older one. STORE_MISSING when
 * there is none, BAD_VERSION. */
PARLEY_USE_RESULT enum parley_error version_read(struct parley_kv *kv, const void *view,
                                                 uint32_t *next_number, bool *is_old);
/* The rows of the version and the free number. */
void version_save(struct batch *batch, uint32_t next_number);

/* ---- operations on one log */

/* op_run.c: APPEND, FILL, TOP */
PARLEY_USE_RESULT enum parley_error apply_run(struct commit *commit,
                                              const struct parley_store_op *op);
/* op_body.c: BODIES, DROP_BODIES */
PARLEY_USE_RESULT enum parley_error apply_bodies(struct commit *commit,
                                                 const struct parley_store_op *op);
PARLEY_USE_RESULT enum parley_error apply_drop_bodies(struct commit *commit,
                                                      const struct parley_store_op *op);
/* op_erase.c: ERASE */
PARLEY_USE_RESULT enum parley_error apply_erase(struct commit *commit,
                                                const struct parley_store_op *op);
/* Applies the erasures by entries low .. high that wait and came until then. False: some wait
 * still. */
bool erase_sweep(struct commit *commit, struct log_row *row, parley_seq low, parley_seq high,
                 parley_time_ms until);
/* op_recall.c: RECALL */
PARLEY_USE_RESULT enum parley_error apply_recall(struct commit *commit,
                                                 const struct parley_store_op *op);
/* op_cut.c: PRUNE, CUT, FORK, EVIDENCE, FORGET */
PARLEY_USE_RESULT enum parley_error apply_prune(struct commit *commit,
                                                const struct parley_store_op *op);
PARLEY_USE_RESULT enum parley_error apply_cut(struct commit *commit,
                                              const struct parley_store_op *op);
PARLEY_USE_RESULT enum parley_error apply_fork(struct commit *commit,
                                               const struct parley_store_op *op);
PARLEY_USE_RESULT enum parley_error apply_evidence(struct commit *commit,
                                                   const struct parley_store_op *op);
PARLEY_USE_RESULT enum parley_error apply_forget(struct commit *commit,
                                                 const struct parley_store_op *op);

/* The id of a held entry; false with the batch's error set when it is not where it should be. */
bool held_id(struct batch *batch, const struct log_row *row, parley_seq seq, struct parley_id *id);

/* Whether the entry is to have its body afterwards; may fill in body and salt. */
typedef bool keep_body(void *context, struct parley_entry *entry);
/* op_body.c: writes each segment with entries low .. high anew where any of them has (has_body) or
 * lacks a body. Returns how many entries changed. */
uint64_t bodies_rewrite(struct commit *commit, struct log_row *row, parley_seq low, parley_seq high,
                        bool has_body, keep_body *keep, void *context);

/* ---- what was erased (erased.c); what lacks a body is below */

/* Ranges [low, high] of seqs, ascending, not touching, as 12 bytes each. */
struct erased {
    struct parley_span pairs;
};
/* Whether bytes are such ranges, and at least one. */
bool erased_is_valid(struct parley_span pairs);
void erased_load(struct batch *batch, const struct log_row *row, struct erased *erased);
bool erased_covers(const struct erased *erased, parley_seq seq);
/* Adds [low, high] and writes the row. */
void erased_add(struct batch *batch, struct log_row *row, parley_seq low, parley_seq high);
/* Takes [low, high] out of them and writes the row. */
void erased_take(struct batch *batch, struct log_row *row, parley_seq low, parley_seq high);

/* ---- entries whose bodies may still come (lacks.c); each changes row->held.lacks_* alone */

/* Those of the chunk's entries low .. high that are here without. */
void lacks_add(struct log_row *row, const struct parley_chunk *chunk, parley_seq low,
               parley_seq high, const struct erased *erased);
/* Entries outside of low .. high are gone. */
void lacks_keep(struct log_row *row, parley_seq low, parley_seq high);
/* Bodies of low .. high went, and may come again. */
void lacks_again(struct commit *commit, struct log_row *row, parley_seq low, parley_seq high);
/* Bodies came to some of low .. high, or were said to come no more. Cost: a walk of these entries.
 */
void lacks_settle(struct commit *commit, struct log_row *row, parley_seq low, parley_seq high);

#endif
