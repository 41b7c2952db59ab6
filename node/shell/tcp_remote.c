/* Who is at the other end, and where a peer's word may lead. SPEC 9.11.3, 9.11.4. */
#include "interfaces.h"
#include "tcp_internal.h"
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Of the interface with that address, when the other end is behind it without a router between. */
static unsigned prefix_of(const struct parley_ip *own, const struct parley_ip *other) {
    struct parley_interface interfaces[PARLEY_INTERFACES_MAX];
    size_t count = parley_interfaces_find(interfaces);
    unsigned bits = PARLEY_IP_BITS;
    for (size_t i = 0; i < count; i++)
        if (memcmp(&interfaces[i].ip, own, sizeof *own) == 0 &&
            parley_ip_shares(own, other, interfaces[i].prefix_bits))
            bits = interfaces[i].prefix_bits;
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
        is_found = parley_ip_of_socket(&ip, (const struct sockaddr *)&interfaces[i].address) &&
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
        !parley_ip_of_socket(&remote->ip, (const struct sockaddr *)&there) ||
        !parley_ip_of_socket(&own, (const struct sockaddr *)&here))
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
    if (!parley_ip_of_socket(&ip, address) || is_own(&ip))
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
