/* Invites that were made here, each good once, and those of others that were accepted here and wait
 * for their makers' nodes.
 *
 * Who made one keeps the id of its secret (invite_text.h) until it expires. Who accepts one dials
 * its places, gives the secret over the sealed link (SPEC 9.12), and follows its maker when that
 * says welcome; the maker follows the author who came with it. Both lists lie in the file `invites`
 * of the home, so that an invite is used once over restarts, too, and may be accepted while its
 * maker's machine sleeps. So do the places that were named by way of one and are kept: what a
 * stranger named leads nowhere else only because it is dialled again later.
 */
#ifndef PARLEY_INVITES_H
#define PARLEY_INVITES_H

#include "finding.h"
#include "invite_text.h"

#define INVITES_MADE_MAX  256u /* not expired; a person hands out so many in a week */
#define INVITES_TAKEN_MAX 16u  /* accepted, and not answered yet */
#define INVITE_DAYS       7u   /* where nothing is said */
#define INVITE_DAYS_MAX   30u  /* addresses and secrets are not to lie about for longer */
#define INVITE_DAY_MS     (UINT64_C(24) * 3600 * 1000)
/* So long who accepts one is kept waiting; it goes on after that. */
#define INVITE_PATIENCE_MS 20000u

struct parley_invites;

/* Reads what is in the home. What is damaged there is put aside, which the log says. */
struct parley_invites *parley_invites_open(struct parley_host *host,
                                           struct parley_finding *finding);
/* Before the host stops; who waits is answered RETRY. NULL is allowed. */
void parley_invites_close(struct parley_invites *invites);

/* A new one, on disk when this returns. Places are those of finding.h, or, where there are none,
 * loopback: good on this machine. Errors: NO_IDENTITY (nobody is here who could be followed), FULL,
 * NOT_FOUND (nothing is listened at), DISK_FULL, DISK_FAILED; with words in the problem. */
PARLEY_USE_RESULT enum parley_error parley_invites_make(struct parley_invites *invites,
                                                        struct parley_invite *invite,
                                                        bool is_private, unsigned days,
                                                        struct parley_problem *problem);

/* words: for a person; a literal. OK: both follow. NOT_FOUND: it was used, has expired or is none.
 * TIMED_OUT: nobody answers yet, and it goes on. */
typedef void parley_invites_done(void *context, enum parley_error error, const char *words);

/* Calls done once, later, unless it answers an error itself: BAD_INPUT (one's own, expired, or of a
 * network that is not reached from here), NO_IDENTITY, FULL, DISK_FULL, DISK_FAILED. Nobody is
 * followed or dialled then. */
PARLEY_USE_RESULT enum parley_error parley_invites_accept(struct parley_invites *invites,
                                                          const struct parley_invite *invite,
                                                          bool is_private,
                                                          parley_invites_done *done, void *context,
                                                          struct parley_problem *problem);

#endif
