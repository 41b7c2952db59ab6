/* Who is at the other end, and where a peer's word may lead. SPEC 9.11.3, 9.11.4. */
#include "tcp_internal.h"
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

static bool ip_of(struct parley_ip *ip, const struct sockaddr *address) {
    static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (address->sa_family == AF_INET6) {
        memcpy(ip->bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
        return true;
    }
    memcpy(ip->bytes, v4_prefix, sizeof v4_prefix);
    memcpy(ip->bytes + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
    return address->sa_family == AF_INET;
}

/* The leading ones of a mask, counted as those of IPv6. */
static unsigned bits_of(const struct sockaddr *mask) {
    struct parley_ip ip;
    unsigned bits = mask->sa_family == AF_INET ? 96 : 0;
    if (!ip_of(&ip, mask))
        return PARLEY_IP_BITS;
    while (bits < PARLEY_IP_BITS && (ip.bytes[bits / 8] & 0x80u >> bits % 8) != 0)
        bits++;
    return bits;
}

static bool shares(const struct parley_ip *a, const struct parley_ip *b, unsigned bits) {
    for (unsigned i = 0; i < bits; i++)
        if (((a->bytes[i / 8] ^ b->bytes[i / 8]) & 0x80u >> i % 8) != 0)
            return false;
    return true;
}

/* Of the interface with that address, when the other end is behind it without a router between. */
static unsigned prefix_of(const struct parley_ip *own, const struct parley_ip *other) {
    uv_interface_address_t *interfaces;
    int count;
    unsigned bits = PARLEY_IP_BITS;
    if (uv_interface_addresses(&interfaces, &count) != 0)
        return bits;
    for (int i = 0; i < count; i++) {
        struct parley_ip ip;
        const struct sockaddr *mask = (const struct sockaddr *)&interfaces[i].netmask;
        if (ip_of(&ip, (const struct sockaddr *)&interfaces[i].address) &&
            memcmp(&ip, own, sizeof ip) == 0 && shares(own, other, bits_of(mask)))
            bits = bits_of(mask);
    }
    uv_free_interface_addresses(interfaces, count);
    return bits;
}

static bool is_own(const struct parley_ip *other) {
    uv_interface_address_t *interfaces;
    int count;
    bool is_found = false;
    if (uv_interface_addresses(&interfaces, &count) != 0)
        return true;
    for (int i = 0; i < count && !is_found; i++) {
        struct parley_ip ip;
        is_found = ip_of(&ip, (const struct sockaddr *)&interfaces[i].address) &&
                   memcmp(&ip, other, sizeof ip) == 0;
    }
    uv_free_interface_addresses(interfaces, count);
    return is_found;
}

void parley_tcp_remote(struct parley_tcp *tcp, uint64_t number, struct parley_remote *remote) {
    const struct connection *connection = connection_find(tcp, number);
    struct sockaddr_storage there, here;
    struct parley_ip own;
    int there_size = sizeof there, here_size = sizeof here;
    memset(remote, 0, sizeof *remote);
    if (connection == NULL || !connection->has_tcp ||
        uv_tcp_getpeername(&connection->socket, (struct sockaddr *)&there, &there_size) != 0 ||
        uv_tcp_getsockname(&connection->socket, (struct sockaddr *)&here, &here_size) != 0 ||
        !ip_of(&remote->ip, (const struct sockaddr *)&there) ||
        !ip_of(&own, (const struct sockaddr *)&here))
        return;
    if (memcmp(&own, &remote->ip, sizeof own) == 0)
        return; /* this machine, by another of its names */
    remote->network = parley_network_of_ip(&remote->ip);
    if (remote->network == PARLEY_NETWORK_LAN)
        remote->prefix_bits = prefix_of(&own, &remote->ip);
}

/* A private address may be told as such, on its own network; a name must not lead to one. */
bool connection_may_lead(const struct connection *connection, const struct sockaddr *address) {
    struct parley_ip ip, literal;
    if (connection->is_owners)
        return true;
    if (!ip_of(&ip, address) || is_own(&ip))
        return false;
    switch (parley_network_of_ip(&ip)) {
    case PARLEY_NETWORK_CLEAR:
        return true;
    case PARLEY_NETWORK_LAN:
        return parley_ip_decode(&literal, connection->host);
    case PARLEY_NETWORK_NONE:
    case PARLEY_NETWORK_OTHER:
        return false;
    }
    return false;
}
