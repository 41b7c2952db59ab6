/* How this node and others find each other, beside what peers tell: the local network, the router,
 * and whether anybody has come in from outside.
 */
#ifndef PARLEY_FINDING_H
#define PARLEY_FINDING_H

#include "host.h"
#include "nat.h"

struct parley_finding;

struct parley_finding_config {
    struct parley_host *host; /* started; outlives it */
    bool lan, nat;
    const struct parley_address *advertised; /* by the owner; kept, not copied */
    size_t advertised_count;
};

struct parley_finding *parley_finding_open(const struct parley_finding_config *config);
/* Before the host stops. The memory goes when the loop has let all go. NULL is allowed. */
void parley_finding_close(struct parley_finding *finding);

/* The owner wants it otherwise, or it is listened elsewhere now: what is on already stays as it is.
 */
void parley_finding_set(struct parley_finding *finding, bool lan, bool nat);

bool parley_finding_lan(const struct parley_finding *finding);
/* False: the router is not asked. */
bool parley_finding_nat(struct parley_finding *finding, struct parley_nat_status *status);

/* Where others may reach this node, the best first: what the owner advertises, what the router
 * passes on, addresses of this machine that are listened at. Keys are this node's. */
size_t parley_finding_places(struct parley_finding *finding, struct parley_address *places,
                             size_t places_max);

enum parley_reach {
    PARLEY_REACH_UNKNOWN, /* nobody has come in yet; that proves nothing */
    PARLEY_REACH_LAN,     /* somebody of a local network has */
    PARLEY_REACH_YES,     /* somebody from outside has, since the node was started */
    PARLEY_REACH_NO,      /* nothing is listened at beyond this machine, or the router is behind
                             another */
};
/* words: why, for a person; a literal. */
enum parley_reach parley_finding_reach(struct parley_finding *finding, const char **words);

#endif
