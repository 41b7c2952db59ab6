/* What the files of invites share. */
#ifndef PARLEY_INVITES_INTERNAL_H
#define PARLEY_INVITES_INTERNAL_H

#include "invites.h"
#include <parley/node_limits.h>

struct invite_made {
    uint8_t id[INVITE_ID_SIZE];
    parley_time_ms expires;
    bool is_private; /* who comes with it is followed privately */
    bool is_used;
    bool is_followed;            /* they have been: what the owner takes back later stays so */
    struct parley_author author; /* by whom */
};

struct invite_taken {
    struct parley_invite invite;
    uint8_t id[INVITE_ID_SIZE];
    bool is_private;
    size_t place; /* that is dialled */
    unsigned dials;
    uint64_t dialled_at, told_at, since; /* as of uv_now */
    parley_connection told;              /* the link over which it was given; 0: none */
    parley_invites_done *done;           /* NULL: nobody waits */
    void *context;
};

/* A FOLLOW that an invite led to, until it is on disk. */
struct invite_following {
    struct invite_following *next;
    struct parley_invites *invites; /* NULL: closed meanwhile */
    void (*on_end)(struct parley_invites *invites, const struct invite_following *following,
                   bool is_followed);
    uint8_t id[INVITE_ID_SIZE];
    struct parley_author author;
    bool is_private;
    parley_connection connection; /* who waits for it there; 0: nobody */
};

/* Places that others named and that are kept as the owner's: one for each node of the book. */
#define INVITES_MET_MAX PARLEY_BOOK_ADDRESSES_MAX

struct parley_invites {
    struct parley_host *host;
    struct parley_finding *finding;
    struct invite_made made[INVITES_MADE_MAX];
    size_t made_count;
    struct invite_taken taken[INVITES_TAKEN_MAX];
    size_t taken_count;
    struct parley_address met[INVITES_MET_MAX];
    size_t met_count;
    struct invite_following *following;
    uv_timer_t timer; /* runs while something is taken */
};

/* Errors: DISK_FULL, DISK_FAILED. */
PARLEY_USE_RESULT enum parley_error invites_save(const struct parley_invites *invites,
                                                 struct parley_problem *problem);
void invites_load(struct parley_invites *invites);

/* Those that expired a day ago go, so that who is late is told so. What pointed to one may point to
 * another then. */
void invites_forget_expired(struct parley_invites *invites);

/* --- what an invite leads to (invites_follow.c) */

/* Follows, and calls on_end once it is so, or cannot be; what is under way for that invite and end
 * already is not begun again. */
void invites_follow(struct parley_invites *invites, const struct invite_following *following);
/* Places that a stranger named may be kept as the owner's, and stay restricted all the same, over
 * starts, too: before the next save, or until they part. False: there is no room, and it must not
 * be kept. */
PARLEY_USE_RESULT bool invites_meet(struct parley_invites *invites,
                                    const struct parley_address *place);
void invites_part(struct parley_invites *invites, const struct parley_address *place);
bool invites_have_met(const struct parley_invites *invites, const struct parley_address *place);
/* After a load: what is still kept as the owner's is restricted, the rest is forgotten. */
void invites_restrict_met(struct parley_invites *invites);

/* What that author is answered; made NULL: it is none of ours. */
enum parley_invite_verdict invites_judge(const struct parley_invites *invites,
                                         const struct invite_made *made,
                                         const struct parley_author *author);
/* Somebody came with one. */
void invites_on_shown(struct parley_invites *invites, const struct parley_effect *effect);
/* Over that link; a link that is gone swallows it. */
void invites_say(struct parley_invites *invites, parley_connection connection,
                 const struct parley_said *said);

/* Dials, gives, waits: for all that are taken. */
void invites_on_tick(uv_timer_t *timer);
void invites_on_answer(struct parley_invites *invites, const struct parley_effect *effect);
void invites_watch(struct parley_invites *invites);

#endif
