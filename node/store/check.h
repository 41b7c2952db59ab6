/* What the files of the check share. */
#ifndef PARLEY_STORE_CHECK_H
#define PARLEY_STORE_CHECK_H

#include "author_set.h"
#include "internal.h"

/* One call of the check: the row at hand, and one state of the engine to compare it with. */
struct checking {
    struct parley_kv *kv;
    const void *view;
    struct parley_store_check *check;
    parley_store_on_damage *on_damage;
    void *context;
    uint32_t next_number;
    uint64_t work; /* entries and rows looked at */
    enum parley_error error;
    struct key key;
    struct parley_span value; /* in buffer */
    uint8_t buffer[SEGMENT_SIZE_MAX];
    struct author_set set;
};

/* Says what is wrong with a row; log may be NULL. */
void check_object(struct checking *checking, enum parley_damage_kind kind, char letter,
                  const struct parley_store_log *log, parley_seq low, parley_seq high);
/* A value of the state at hand; false when it is not there or cannot be read. */
bool check_get(struct checking *checking, const struct key *key, uint8_t *value, size_t size_max,
               size_t *size);
/* A scan's error: damage is an objection, all else ends the check. */
void check_scanned(struct checking *checking, enum parley_error error, char letter,
                   const struct parley_store_log *log);
/* Whether the rows of the timeline of this segment stand as they must. */
bool check_has_timeline(struct checking *checking, const struct log_row *row,
                        const struct segment *segment);

/* The row of the log with that number; false when no log owns it. */
bool check_owner_of(struct checking *checking, uint32_t number, struct log_row *row);

/* What the entries of the segment say of others stands in the index (check_index.c). */
bool check_has_sayings(struct checking *checking, const struct log_row *row,
                       const struct segment *segment);
/* The reverse, for the row at hand: the entry that it comes from says so. */
void check_saying(struct checking *checking);

/* The row l at hand and all that follows from it (check_log.c). */
void check_log(struct checking *checking);

#endif
