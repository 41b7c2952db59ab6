/* Which network an address belongs to, and whether a peer's word may lead there. SPEC 9.11.3,
 * 9.11.4. Pure: of the address alone.
 */
#ifndef PARLEY_NODE_NETWORK_H
#define PARLEY_NODE_NETWORK_H

#include <parley/text.h>

enum parley_network {
    PARLEY_NETWORK_NONE,  /* this machine, or nothing that a node is reached at */
    PARLEY_NETWORK_CLEAR, /* what everybody reaches */
    PARLEY_NETWORK_LAN,   /* private or link-local: those who share the prefix */
    PARLEY_NETWORK_OTHER, /* of a transport of its own */
};

/* An address of IPv6, or of IPv4 as ::ffff:a.b.c.d. */
struct parley_ip {
    uint8_t bytes[16];
};
#define PARLEY_IP_BITS 128u

/* The other end of a connection, as the shell sees it. All zero: nothing is told or taken there. */
struct parley_remote {
    enum parley_network network;
    struct parley_ip ip;  /* CLEAR, LAN */
    unsigned prefix_bits; /* LAN: how many of ip all of that network share; 128: not known */
    char transport[17];   /* OTHER */
};

/* Dotted decimal, or what stands in brackets in an address; false: it is a name. */
bool parley_ip_decode(struct parley_ip *ip, const char *host);
bool parley_ip_is_v4(const struct parley_ip *ip);
enum parley_network parley_network_of_ip(const struct parley_ip *ip);

/* What is known of a place by its text. */
struct parley_network_place {
    enum parley_network network;
    bool is_ip;
    struct parley_ip ip;
    char transport[17]; /* OTHER */
};
void parley_network_of_place(struct parley_network_place *place,
                             const struct parley_address *address);

/* Whether the place is of the link's network: told and taken there. */
bool parley_network_holds(const struct parley_remote *remote,
                          const struct parley_network_place *place);

#endif
