/* What bodies say of other entries, as rows (layout.h: b, p, h, d). Each row follows from one entry
 * with its body alone, so that the rows of a store can be made anew, and go with the entry or its
 * body. An entry that says nothing of others costs a look at three bytes.
 */
#ifndef PARLEY_STORE_INDEX_H
#define PARLEY_STORE_INDEX_H

#include "segment.h"

/* The row's numbers must be given (row_number). Puts or drops the rows of one entry whose body is
 * here; those of an erasure change row->held.erase_ms, and all are counted in
 * row->held.bytes. */
void index_add(struct batch *batch, struct log_row *row, const struct parley_item *item,
               parley_time_ms received_ms);
void index_drop(struct batch *batch, struct log_row *row, const struct parley_item *item,
                parley_time_ms received_ms);
/* The same for all entries of a chunk that came at one time, and of a segment. */
void index_add_chunk(struct batch *batch, struct log_row *row, const struct parley_chunk *chunk,
                     parley_time_ms received_ms);
void index_add_segment(struct batch *batch, struct log_row *row, const struct segment *segment);
/* Of the segment's entries low .. high. */
void index_drop_segment(struct batch *batch, struct log_row *row, const struct segment *segment,
                        parley_seq low, parley_seq high);
/* An entry as rows look at it. */
struct parley_item index_item(const struct parley_entry *entry);

/* Letters of the rows, for who makes them anew. */
#define INDEX_LETTERS "bphd"

#endif
