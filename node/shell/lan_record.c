#include "lan_record.h"
#include <parley/node_limits.h>
#include <stdio.h>

enum parley_error lan_record_make(struct parley_span *datagram,
                                  uint8_t data[LAN_DATAGRAM_BYTES_MAX],
                                  const struct parley_secret_key *node, parley_time_ms wall,
                                  const struct parley_interface *at, uint16_t port) {
    struct parley_address place = {.transport = "tcp", .port = port};
    (void)snprintf(place.host, sizeof place.host, "%s", at->text);
    return parley_address_record_make(datagram, data, LAN_DATAGRAM_BYTES_MAX, node, wall, &place,
                                      1);
}

/* Of one of our links, and not this machine: what a router lets through is none of it. */
static bool is_neighbour(const struct parley_ip *source, const struct parley_interface *interfaces,
                         size_t count) {
    bool is_near = false;
    enum parley_network network = parley_network_of_ip(source);
    if (network != PARLEY_NETWORK_LAN && network != PARLEY_NETWORK_CLEAR)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (memcmp(source, &interfaces[i].ip, sizeof *source) == 0)
            return false;
        is_near |= parley_ip_shares(source, &interfaces[i].ip, interfaces[i].prefix_bits);
    }
    return is_near;
}

/* The place of a record that is the address from which it came: nobody is sent elsewhere. */
static bool find_place(struct parley_address *address, const struct parley_address_record *record,
                       const struct parley_ip *source) {
    struct parley_span places = record->places;
    while (parley_address_record_next(address, record, &places)) {
        struct parley_network_place place;
        parley_network_of_place(&place, address);
        if (place.is_ip && place.network != PARLEY_NETWORK_NONE &&
            memcmp(&place.ip, source, sizeof *source) == 0 &&
            address->port >= PARLEY_LEARNED_PORT_MIN)
            return true;
    }
    return false;
}

bool lan_record_judge(struct parley_address *address, struct parley_check *check,
                      struct parley_span datagram, const struct parley_ip *source,
                      parley_time_ms wall, const struct parley_node_key *own,
                      const struct parley_interface *interfaces, size_t interfaces_count) {
    struct parley_address_record record;
    if (datagram.size > LAN_DATAGRAM_BYTES_MAX ||
        !is_neighbour(source, interfaces, interfaces_count) ||
        parley_address_record_decode(&record, datagram).error != PARLEY_E_OK)
        return false;
    if (record.time + LAN_CLOCK_SKEW_MS < wall || record.time > wall + LAN_CLOCK_SKEW_MS ||
        PARLEY_EQUAL(record.key, *own) || !find_place(address, &record, source))
        return false;
    parley_address_record_check(check, &record);
    return true;
}
