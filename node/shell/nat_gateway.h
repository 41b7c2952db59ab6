/* Asking a router to pass a TCP port on to this machine, by NAT-PMP (RFC 6886) or UPnP. Blocks for
 * seconds: for a thread of its own. What a router answers is not believed to be more than a number
 * and an address; with UPnP also where to ask, which leads to neighbours alone. Who answers slowly
 * on purpose blocks for as long as he likes.
 */
#ifndef PARLEY_NAT_GATEWAY_H
#define PARLEY_NAT_GATEWAY_H

#include <parley/node_network.h>

enum nat_protocol { NAT_NOBODY, NAT_PMP, NAT_UPNP };

struct nat_mapping {
    enum nat_protocol protocol; /* NAT_NOBODY: no router does it */
    uint16_t port_inside, port_outside;
    struct parley_ip ip; /* of the router, outside */
    char url[256];       /* UPNP: where it describes itself, so that it is not looked for again */
};

/* Maps the port, or renews the mapping; port_outside is wished for, 0: like the one inside. Up to
 * five seconds where routers mean well. False: mapping->protocol is NAT_NOBODY. */
bool nat_gateway_map(struct nat_mapping *mapping, unsigned lease_s);
/* Takes it back. As long. */
void nat_gateway_unmap(const struct nat_mapping *mapping);

#endif
