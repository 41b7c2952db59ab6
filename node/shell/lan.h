/* Nodes on the same link find each other: a datagram to a multicast group, which no router passes
 * on, says where a node listens there; who hears it connects.
 *
 * Only what is listened at on that link is told. Who is heard is dialled in the owner's name, so
 * what is believed is bounded here: signed datagrams alone, from a neighbour's address and of it,
 * so many a second, and so many nodes at one time.
 */
#ifndef PARLEY_LAN_H
#define PARLEY_LAN_H

#include "host.h"

#define LAN_GROUP "239.255.73.73" /* of the range that an organisation gives itself, RFC 2365 */
#define LAN_PORT  7373u

struct parley_lan;

/* Announces and listens until close. NULL: no socket can be had, which the log says. The host must
 * outlive it. */
struct parley_lan *parley_lan_open(struct parley_host *host);
/* Soon, and not when its time comes: what is listened at has changed. */
void parley_lan_say(struct parley_lan *lan);
/* Whom nobody else named is dialled no more: before a close after which the host goes on. */
void parley_lan_forget(struct parley_lan *lan);
/* The memory goes when the loop has let its handles go. NULL is allowed. */
void parley_lan_close(struct parley_lan *lan);

#endif
