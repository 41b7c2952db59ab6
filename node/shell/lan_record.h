/* What is said to the local network, and what is believed of it. Pure.
 *
 * A datagram is an address record (SPEC 9.11.1) whose place is the address that it comes from. It
 * says nothing else: no author, no name, no version.
 */
#ifndef PARLEY_LAN_RECORD_H
#define PARLEY_LAN_RECORD_H

#include "interfaces.h"
#include <parley/address.h>

#define LAN_DATAGRAM_BYTES_MAX 512u /* one place and no fragments, on any link */
/* Clocks of home machines are wrong by minutes, and what was recorded here yesterday is not to move
 * anybody today. */
#define LAN_CLOCK_SKEW_MS (UINT64_C(3600) * 1000)

/* Errors: those of parley_address_record_make. */
PARLEY_USE_RESULT enum parley_error
lan_record_make(struct parley_span *datagram, uint8_t data[LAN_DATAGRAM_BYTES_MAX],
                const struct parley_secret_key *node, parley_time_ms wall,
                const struct parley_interface *at, uint16_t port);

/* Whether it leads to another machine on a link of ours, all but its signature looked at; then
 * where to, and what must hold. */
bool lan_record_judge(struct parley_address *address, struct parley_check *check,
                      struct parley_span datagram, const struct parley_ip *source,
                      parley_time_ms wall, const struct parley_node_key *own,
                      const struct parley_interface *interfaces, size_t interfaces_count);

#endif
