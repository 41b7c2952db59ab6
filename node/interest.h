/* What peers want of us, and we of them. A part of internal.h. */
#ifndef PARLEY_NODE_INTEREST_H
#define PARLEY_NODE_INTEREST_H

#include <parley/node.h>
#include <parley/wire.h>

struct peer;

#define PARLEY_INTEREST_PER_MESSAGE 512u /* authors: 17 KiB */

void interest_send(struct parley_node *node, struct peer *peer);
void interest_send_change(struct parley_node *node, const struct parley_author *author, bool on);
void on_interest(struct parley_node *node, struct peer *peer,
                 const struct parley_wire_interest *interest);
void on_interest_change(struct parley_node *node, struct peer *peer,
                        struct parley_wire_interest_change *change);
bool peer_wants(const struct parley_node *node, const struct peer *peer, uint32_t author);
/* What it wants is not known any more; its memory is the next one's. */
void interest_clear(struct parley_node *node, struct peer *peer);
void follow_set(struct parley_node *node, uint32_t author, bool on, bool is_private);
void on_follow(struct parley_node *node, const struct parley_event *event);
void interest_load_meta(struct parley_node *node, struct parley_span key, struct parley_span value);
/* Follow statements in what was stored, for who wants hops beyond the first. */
/* Of an author whose follows the owner's hops reach; time 0: not known. */
void interest_look_at(struct parley_node *node, uint32_t log, struct parley_span chunk);
void interest_look_at_body(struct parley_node *node, uint32_t log, parley_seq seq,
                           parley_time_ms time, struct parley_span body);

#endif
