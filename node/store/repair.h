/* What the files of the repair share. */
#ifndef PARLEY_STORE_REPAIR_H
#define PARLEY_STORE_REPAIR_H

#include "author_set.h"
#include "internal.h"

struct repair {
    struct parley_kv *kv;
    parley_store_on_damage *on_damage;
    void *context;
    uint32_t next_number;
    enum parley_error error; /* the first one ends it */
    bool is_renumbered;      /* a log has got another number than its row said */
    bool has_author;
    struct parley_author author; /* whose records were looked at last */
    struct author_set set;
};

/* Tells of a loss; log may be NULL. */
void repair_lose(struct repair *repair, enum parley_damage_kind kind, char letter,
                 const struct parley_store_log *log, parley_seq low, parley_seq high);
/* Writes and clears the batch. */
void repair_write(struct repair *repair, struct batch *batch);
void repair_scan(struct repair *repair, const struct key *low, const struct key *high,
                 parley_kv_on_pair *on_pair, void *context);
void repair_scan_letter(struct repair *repair, char letter, parley_kv_on_pair *on_pair,
                        void *context);

/* Whose segments stand under a number, as they say themselves: none can be read, one of them names
 * the log, or others do alone. */
enum repair_claim {
    REPAIR_CLAIM_NONE,
    REPAIR_CLAIM_OF_LOG,
    REPAIR_CLAIM_OF_OTHERS,
};
enum repair_claim repair_claim(struct repair *repair, uint32_t number,
                               const struct parley_log *log);
/* Segments, evidence and erased seqs whose log has no row, or a row with another number: a row by
 * what the records say, the number that the segments have, or they go (repair_owner.c). */
void repair_owners(struct repair *repair);
/* Of every log with a row: what the judge takes (repair_log.c). */
void repair_logs(struct repair *repair);

#endif
