/* The world around one node of which a fuzz input is the weather: its disk, its clock, its
 * signature checker, its owner, and four peers that hold real links to it.
 *
 * Nothing happens by itself: what the node asks for waits until a deed lets it come. What must hold
 * is checked at every step: nothing of an entry is sent before it is on disk and the node was told
 * so; nothing is sent after a close; what the node sends opens and decodes; nothing is stored after
 * the store failed; each owner's request is answered at most once, and once in the end.
 */
#ifndef PARLEY_TESTS_FUZZ_NODE_WORLD_H
#define PARLEY_TESTS_FUZZ_NODE_WORLD_H

#include "fuzz.h"

#include "../sim/kv_memory.h"
#include "node_people.h"
#include <parley/link.h>
#include <parley/node.h>

#define WALL_START     UINT64_C(1767225600000)
#define PUPPETS_COUNT  4u
#define WAITING_MAX    1024u /* stores, checks, reads that wait; long before, deeds answer some */
#define ENTRIES_MAX    4096u /* known to be on disk; an input that makes more is over */
#define ASKS_MAX       32u   /* of the node's, by one peer */
#define LISTS_MAX      8u
#define LIST_BYTES_MAX 20480u /* more than the node puts into one message of a session */
#define OUTBOX_MAX     (2u * PARLEY_RECEIVE_BYTES_MAX)
#define REQUESTS_MAX   512u

/* What the node asked, without what is borrowed: the author of an ask for records, and the list of
 * what belongs to a session, which has a place. */
struct ask {
    struct parley_wire_message message;
    struct parley_author author;
    size_t list; /* LISTS_MAX: none */
};

struct puppet {
    bool is_there;   /* the connection stands: CLOSED was not said */
    bool is_closing; /* the node said CLOSE */
    bool is_resumed; /* the node said RESUME in this step */
    struct parley_secret_key secret;
    struct parley_node_key key;
    struct parley_link link;
    parley_connection connection;
    uint8_t outbox[OUTBOX_MAX];  /* bytes for the node */
    size_t outbox_size, visible; /* of them the node may see this many */
    uint8_t inbox[1u << 20];     /* bytes of the node */
    size_t inbox_size;
    size_t unsent;             /* bytes of SENDs that have not left yet */
    struct ask asks[ASKS_MAX]; /* ask_*, reconcile and ping */
    size_t asks_count;
    uint8_t lists[LISTS_MAX][LIST_BYTES_MAX];
    bool is_list_used[LISTS_MAX];
    uint64_t session, heard; /* numbers: the newest of its own, and of what the node said last */
};

struct waiting_store {
    parley_ticket ticket;
    struct parley_store_op op;
    uint8_t *bytes; /* of op: allocated */
    bool is_committed;
    enum parley_error result;
};

struct known_entry {
    struct parley_id id;
    bool is_told;
};

struct world {
    struct parley_node *node;
    struct parley_node_config config;
    struct parley_random random;
    parley_time_ms now;
    bool is_over; /* more entries than can be told apart: nothing is checked any more */
    /* the disk */
    struct parley_disk *disk;
    struct parley_kv *kv;
    struct parley_store *store;
    bool is_failed;
    struct waiting_store stores[WAITING_MAX];
    size_t stores_count;
    struct known_entry entries[ENTRIES_MAX];
    size_t entries_count;
    struct parley_effect reads[WAITING_MAX];
    size_t reads_count;
    struct parley_effect verifies[WAITING_MAX];
    size_t verifies_count;
    /* the owner */
    bool is_waiting[REQUESTS_MAX];
    parley_request next_request;
    /* the network */
    struct puppet puppets[PUPPETS_COUNT];
    parley_connection next_accept;
    struct parley_effect dials[8];
    size_t dials_count;
};
extern struct world world;

/* A new node with an empty disk; with a person of its own, or a relay. */
void world_begin(bool is_relay);
void world_end(void);
void world_step(struct parley_event *event);

/* The process dies, and starts again from its disk. */
void world_restart(void);
/* The oldest operations become durable, or what the disk makes of them. */
void world_commit(size_t count);
void world_tell(size_t count);
void world_reopen(void);
void world_read(bool fails);
void world_verify(void);
void world_wait(parley_time_ms ms);
/* An owner's event, with a number to be answered. */
void world_ask(struct parley_event *event);
/* Everything that waits, in order, until nothing does. */
void world_settle(void);

void puppet_connect(struct puppet *puppet);
/* The oldest dial finds the puppet whose key it wants, or nobody. */
void puppet_answer_dial(bool fails);
void puppet_close(struct puppet *puppet);
/* So many bytes of the outbox reach the node. */
void puppet_deliver(struct puppet *puppet, size_t count);
void puppet_put_raw(struct puppet *puppet, struct parley_span bytes);
/* Seals and queues a message; nothing happens where the link is not open. */
void puppet_put(struct puppet *puppet, struct parley_span message);
void puppet_sent(struct puppet *puppet);
/* The oldest ask; its list stands until another one is heard. False: there is none. */
bool puppet_take_ask(struct puppet *puppet, struct ask *ask);
/* node_world.c calls these of node_puppet.c. */
void puppet_take(struct puppet *puppet, struct parley_span bytes);
void puppet_read_inbox(struct puppet *puppet);
struct puppet *puppet_find(parley_connection connection);
/* And these of node_disk.c. */
void disk_take_store(const struct parley_effect *effect);
void disk_drop_stores(size_t count);
/* Whoever loads the store knows all of it. */
void disk_tell_all_entries(void);
void disk_close(void);
/* Whether the entry is on disk, and the node knows. */
bool world_is_told(const struct parley_id *id);

#endif
