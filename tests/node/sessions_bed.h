/* A puppet that speaks sessions of reconciliation with the node, and what the node says in them. */
#ifndef PARLEY_TESTS_SESSIONS_BED_H
#define PARLEY_TESTS_SESSIONS_BED_H

#include "story.h"

#include <parley/reconcile.h>

#define ITEMS_MAX    600u
#define MISSING_LOGS 600u /* more than one message names */

/* What the puppet holds, and what the node said in the session. */
struct other {
    struct story_puppet *puppet;
    struct parley_reconcile set;
    struct parley_reconcile_item items[ITEMS_MAX];
    struct parley_reconcile_bucket buckets[256];
    uint64_t session; /* of the newest message of the node */
    struct parley_wire_list ranges;
    uint8_t bytes[PARLEY_MESSAGE_BYTES_MAX];
    size_t messages, ranges_count, heads, asks_small, asks_named, asks_of, openings, runs, named;
    bool last, again;
    uint64_t request;
    struct parley_log told;
    struct parley_log *missing; /* asked for by name: which, and how often */
    unsigned missing_asks[MISSING_LOGS];
    struct parley_author named_last;
};

void other_listen(struct story *story, const struct story_puppet *puppet,
                  const struct parley_wire_message *message);
/* A turn of the puppet; out NULL: it opens the session, or ends it. */
void other_say(struct story *story, struct other *other, uint64_t session, bool again,
               const struct parley_reconcile_out *out);
/* The puppet dials, so its sessions are even. */
void other_connect(struct story *story, struct other *other, char name);
/* The node dials it, and opens sessions itself. */
void other_is_dialled(struct story *story, struct other *other, char name);
void other_open_session(struct story *story, struct other *other, uint64_t session, bool again);
/* Its set for that session: nothing. */
void other_has_nothing(struct other *other, uint64_t session);
/* Answers whatever the node said last, until one of the two has nothing more to say. */
void other_talk(struct story *story, struct other *other);
/* Time goes by, and the puppet is not idle. */
void other_stays(struct story *story, struct other *other, parley_time_ms ms);
/* Writers whose logs have one entry each. */
void know_writers(struct story *story, struct story_person *writers, uint8_t count);

#endif
