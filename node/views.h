/* Whom this node is linked with, and whom it knows of: HyParView's active and passive view (Leitão,
 * Pereira, Rodrigues: HyParView, 2007). The passive view is the book table; what is linked is in
 * the table of peers. A part of internal.h.
 *
 *   views.c    how many links, to whom, and what becomes of them
 *   shuffle.c  records told and taken
 *   views_keep.c  over a restart: the table
 */
#ifndef PARLEY_NODE_VIEWS_H
#define PARLEY_NODE_VIEWS_H

#include "book_table.h"

#include <parley/node.h>

struct parley_node;
struct peer;

#define VIEWS_BOOTSTRAP PARLEY_BOOK_ITEMS_MAX /* `known` from here on: a row of the list */

/* What a peer is in this. */
struct peer_view {
    struct parley_remote remote;
    uint64_t group;        /* where it was dialled */
    uint32_t known;        /* item of the table, VIEWS_BOOTSTRAP and a row, or NONE */
    bool is_feeler;        /* dialled to see whether it is there: no hello is said */
    bool is_felt;          /* it is */
    bool is_lobby;         /* let in to be told of others, and to go */
    bool is_addressing;    /* its hello says so */
    bool is_turned_away;   /* it said that it has no place */
    bool has_asked;        /* our shuffle waits for its answer */
    bool has_given;        /* it said addresses that were not asked for */
    uint32_t records_left; /* that are looked at; refilled with time */
    parley_time_ms records_at, asked_at, answered_at; /* 0: never */
    parley_time_ms counted_at;                        /* until here the link is counted as linked */
};

struct bootstrap_row {
    struct parley_address address;
    parley_time_ms dial_at;
    unsigned failures;
    bool is_busy;
};

/* A record whose signature is being checked. */
struct record_check {
    bool is_used;
    uint16_t generation;
    uint32_t peer;
    parley_connection connection;
    uint64_t source;
    size_t size;
    uint8_t bytes[PARLEY_BOOK_RECORD_BYTES_MAX];
};

struct views {
    struct book_table *table;
    bool is_kept; /* the table's secret is on the disk */
    struct parley_address places[PARLEY_ADVERTISED_MAX];
    size_t places_count;
    parley_time_ms said_at; /* wall time of our own records */
    struct bootstrap_row bootstrap[PARLEY_BOOTSTRAP_MAX];
    size_t bootstrap_count;
    struct record_check checks[PARLEY_RECORD_CHECKS_MAX];
    size_t anchors_left; /* dials at the start that are for those linked for longest */
    parley_time_ms dial_at, feeler_at, shuffle_at, keep_at;
    uint32_t keep_cursor;
};

/* views.c */
void views_create(struct parley_node *node, const struct parley_node_config *config);
void on_places(struct parley_node *node, const struct parley_event *event);
void views_start(struct parley_node *node);
void views_on_timer(struct parley_node *node);
void views_invariants(const struct parley_node *node);
/* A feeler's handshake proved who is there: that was all. */
void views_on_felt(struct parley_node *node, struct peer *peer);
/* The hello was exchanged. False: the link is closed, it has done what it was for. */
bool views_on_open(struct parley_node *node, struct peer *peer);
/* How long it has been linked is counted up to now. */
void views_count_link(struct parley_node *node, struct peer *peer);
/* Its slot is given back. */
void views_on_closed(struct parley_node *node, struct peer *peer);
/* A connection more than there is place for may come in as far as a goodbye with addresses. */
bool views_have_lobby(const struct parley_node *node, const struct parley_remote *remote);
/* Linked, dialled by us and open. */
size_t views_outbound(const struct parley_node *node);
/* The owner sent it away. */
void views_shun(struct parley_node *node, const struct parley_node_key *key);
/* Somebody new is known: whoever waits for an address need not. */
void views_look_again(struct parley_node *node);

/* shuffle.c */
void shuffle_ask(struct parley_node *node, struct peer *peer);
void on_shuffle(struct parley_node *node, struct peer *peer,
                const struct parley_wire_shuffle *shuffle, size_t bytes_count);
void on_addresses(struct parley_node *node, struct peer *peer,
                  const struct parley_wire_addresses *addresses);
/* Before a goodbye for want of a place. */
void shuffle_give(struct parley_node *node, struct peer *peer);
void record_on_verified(struct parley_node *node, parley_ticket ticket, bool holds);

/* invite.c */
void on_invite(struct parley_node *node, struct peer *peer,
               const struct parley_wire_invite *invite);
void on_welcome(struct parley_node *node, struct peer *peer,
                const struct parley_wire_welcome *welcome);
void on_say(struct parley_node *node, const struct parley_event *event);

/* views_keep.c */
bool views_load_meta(struct parley_node *node, struct parley_span key, struct parley_span value);
/* Some of what has changed. */
void views_keep(struct parley_node *node);
void views_keep_secret(struct parley_node *node);

#endif
