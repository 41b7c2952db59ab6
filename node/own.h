/* The owner's own log, and what the owner said on other devices. The part of internal.h that is
 * about it. */
#ifndef PARLEY_NODE_OWN_H
#define PARLEY_NODE_OWN_H

#include <parley/log.h>
#include <parley/wire.h>

struct parley_node;
struct chunk_task;

/* When the owner last said of somebody whether they follow them: the later statement counts, then
 * that of the higher seq, then "no". */
struct own_stamp {
    parley_time_ms time; /* min(claimed, the wall when it came) */
    parley_seq seq;      /* 0: said here and not read from a log */
};

/* own.c */
/* Whose node this is. */
void own_author(struct parley_node *node, const struct parley_author *author);
/* The owner goes on with this key. */
void on_device(struct parley_node *node, const struct parley_secret_key *device);
/* Before a run is placed: what is beyond what is held of the own log and was not signed here says
 * that somebody else signs with this device's key. */
void own_notice(struct parley_node *node, const struct chunk_task *task, uint32_t log,
                parley_seq seq_high);

/* own_follows.c */
/* What is kept of a statement: a letter and the stamp. */
#define OWN_FOLLOW_BYTES 17u
struct parley_span own_follow_write(uint8_t value[OWN_FOLLOW_BYTES], bool on, bool is_private,
                                    const struct own_stamp *stamp);
/* False: no value of this program. One of a letter alone has the stamp zero. */
bool own_follow_read(struct parley_span value, bool *on, bool *is_private, struct own_stamp *stamp);
/* Public follows in a log of the owner's own: applied, and kept. Call before the entries are
 * stored, so that a crash between leaves nothing out. False: no room for them now. */
bool own_look_at(struct parley_node *node, const struct chunk_task *task, uint32_t log,
                 const struct parley_chunk *chunk);
/* The same of bodies that came apart from their headers, which are a chunk. */
void own_look_at_bodies(struct parley_node *node, uint32_t log, struct parley_span headers,
                        struct parley_wire_list bodies);

/* interest.c */
void interest_send_lists(struct parley_node *node, struct parley_wire_list added,
                         struct parley_wire_list removed);
/* What the author's row says of following them, to the store. */
void follow_keep(struct parley_node *node, uint32_t author, uint64_t request);
/* All that were ever said once more: of those that the store lost nobody else knows any more. */
void follows_keep(struct parley_node *node);

/* publish.c */
void on_publish(struct parley_node *node, uint64_t request, struct parley_span body,
                parley_time_ms time);

#endif
