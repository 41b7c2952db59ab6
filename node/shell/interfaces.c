#include "interfaces.h"
#include <netinet/in.h>
#include <uv.h>

bool parley_ip_of_socket(struct parley_ip *ip, const struct sockaddr *address) {
    static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (address->sa_family == AF_INET6) {
        memcpy(ip->bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
        return true;
    }
    memcpy(ip->bytes, v4_prefix, sizeof v4_prefix);
    memcpy(ip->bytes + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
    return address->sa_family == AF_INET;
}

bool parley_ip_shares(const struct parley_ip *a, const struct parley_ip *b, unsigned bits) {
    for (unsigned i = 0; i < bits; i++)
        if (((a->bytes[i / 8] ^ b->bytes[i / 8]) & 0x80u >> i % 8) != 0)
            return false;
    return true;
}

bool parley_ip_is_near(const struct parley_ip *ip, const struct parley_interface *interfaces,
                       size_t count) {
    for (size_t i = 0; i < count; i++)
        if (parley_ip_shares(ip, &interfaces[i].ip, interfaces[i].prefix_bits))
            return true;
    return false;
}

/* The leading ones of a mask, counted as those of IPv6. */
static unsigned bits_of(const struct sockaddr *mask) {
    struct parley_ip ip;
    unsigned bits = mask->sa_family == AF_INET ? 96 : 0;
    if (!parley_ip_of_socket(&ip, mask))
        return PARLEY_IP_BITS;
    while (bits < PARLEY_IP_BITS && (ip.bytes[bits / 8] & 0x80u >> bits % 8) != 0)
        bits++;
    return bits;
}

static bool write_text(char text[46], const struct sockaddr *address) {
    if (address->sa_family == AF_INET6)
        return uv_ip6_name((const struct sockaddr_in6 *)address, text, 46) == 0;
    return uv_ip4_name((const struct sockaddr_in *)address, text, 46) == 0;
}

size_t parley_interfaces_find(struct parley_interface found[PARLEY_INTERFACES_MAX]) {
    uv_interface_address_t *all;
    int all_count;
    size_t count = 0;
    if (uv_interface_addresses(&all, &all_count) != 0)
        return 0;
    for (int i = 0; i < all_count && count < PARLEY_INTERFACES_MAX; i++) {
        const struct sockaddr *address = (const struct sockaddr *)&all[i].address;
        struct parley_interface *one = &found[count];
        if (all[i].is_internal || !parley_ip_of_socket(&one->ip, address) ||
            !write_text(one->text, address))
            continue;
        one->prefix_bits = bits_of((const struct sockaddr *)&all[i].netmask);
        count++;
    }
    uv_free_interface_addresses(all, all_count);
    return count;
}
