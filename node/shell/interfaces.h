/* The addresses of this machine, as the networks that it is in: each with how many of its bits all
 * of that network share.
 */
#ifndef PARLEY_INTERFACES_H
#define PARLEY_INTERFACES_H

#include <parley/node_network.h>
#include <sys/socket.h>

#define PARLEY_INTERFACES_MAX 32u /* beyond are a container host's bridges */

struct parley_interface {
    struct parley_ip ip;
    unsigned prefix_bits; /* of ip */
    char text[46];        /* as uv_ip_name writes it; no zone */
};

/* False: neither IPv4 nor IPv6. */
bool parley_ip_of_socket(struct parley_ip *ip, const struct sockaddr *address);
bool parley_ip_shares(const struct parley_ip *a, const struct parley_ip *b, unsigned bits);

/* Whether that address is of one of these networks. */
bool parley_ip_is_near(const struct parley_ip *ip, const struct parley_interface *interfaces,
                       size_t count);

/* Those that are up, without loopback; how many. Asks the system. */
size_t parley_interfaces_find(struct parley_interface found[PARLEY_INTERFACES_MAX]);

#endif
