/* What the files of invites share. */
#ifndef PARLEY_INVITES_INTERNAL_H
#define PARLEY_INVITES_INTERNAL_H

#include "invites.h"

struct invite_made {
    uint8_t id[INVITE_ID_SIZE];
    parley_time_ms expires;
    bool is_private; /* who comes with it is followed privately */
    bool is_used;
    struct parley_author author; /* by whom */
};

struct invite_taken {
    struct parley_invite invite;
    uint8_t id[INVITE_ID_SIZE];
    bool is_private;
    size_t place; /* that is dialled */
    unsigned dials;
    uint64_t dialled_at, since; /* as of uv_now */
    parley_connection told;     /* the link over which it was given; 0: none */
    parley_invites_done *done;  /* NULL: nobody waits */
    void *context;
};

struct parley_invites {
    struct parley_host *host;
    struct parley_finding *finding;
    struct invite_made made[INVITES_MADE_MAX];
    size_t made_count;
    struct invite_taken taken[INVITES_TAKEN_MAX];
    size_t taken_count;
    uv_timer_t timer; /* runs while something is taken */
};

/* Those that have expired are left out. Errors: DISK_FULL, DISK_FAILED. */
PARLEY_USE_RESULT enum parley_error invites_save(struct parley_invites *invites,
                                                 struct parley_problem *problem);
void invites_load(struct parley_invites *invites);

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
