/* Votes for one entry: of each person the newest counts (SPEC 5.7.1). Collected on a worker, judged
 * and counted on the loop. */
#ifndef PARLEY_SHELL_API_VOTES_H
#define PARLEY_SHELL_API_VOTES_H

#include "api_entry.h"

/* Looked at for one entry; beyond them the counts are "at least". */
#define API_VOTES_MAX 10000u

struct api_votes {
    struct api_vote {
        struct parley_author author;
        struct parley_log log;
        parley_seq seq;
        parley_time_ms time;
        struct parley_store_body_state body_state;
        int8_t value;
    } * items; /* by voter, each's newest last */
    size_t count, room;
    bool is_cut; /* there were more, or some could not be read */
    enum parley_error unread;
    bool is_out_of_memory;
};

void api_votes_read(struct api_votes *votes, struct parley_store *store,
                    const struct api_entry *entry);
void api_votes_clear(struct api_votes *votes);
/* {"up", "down", "complete", "mine"}: mine is -1, 0 or 1, the owner's own (author NULL: 0). */
json_t *api_votes_json(const struct api_votes *votes, const struct parley_node *node,
                       const struct parley_author *own);

#endif
