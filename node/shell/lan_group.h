/* Being in a multicast group on every network that this machine is in, while they come and go.
 *
 * The system counts what a socket is in, twenty by default, and a network that has gone counts on
 * until it is left: who joins alone is deaf after so many.
 */
#ifndef PARLEY_LAN_GROUP_H
#define PARLEY_LAN_GROUP_H

#include "interfaces.h"
#include <uv.h>

struct lan_group {
    char joined[PARLEY_INTERFACES_MAX][sizeof((struct parley_interface *)0)->text];
    size_t count;
};

/* Leaves where a network is not any more, joins where one is; of IPv4. */
void lan_group_follow(struct lan_group *group, uv_udp_t *socket, const char *address,
                      const struct parley_interface *interfaces, size_t count);

#endif
