/* Connections, and whom the owner wants dialled. A part of internal.h. */
#ifndef PARLEY_NODE_PEERS_H
#define PARLEY_NODE_PEERS_H

/* peers.c */
void on_accepted(struct parley_node *node, parley_connection connection,
                 const struct parley_remote *remote);
void on_dialled(struct parley_node *node, parley_connection connection,
                const struct parley_remote *remote);
void on_dial_failed(struct parley_node *node, parley_connection connection);
size_t on_received(struct parley_node *node, parley_connection connection, struct parley_span in);
void on_sent(struct parley_node *node, parley_connection connection, size_t bytes_count);
void on_closed(struct parley_node *node, parley_connection connection);
bool node_keys_meet(const struct parley_node_key *a, const struct parley_node_key *b);
struct peer *peer_find(struct parley_node *node, parley_connection connection);
uint32_t peer_slot(const struct parley_node *node, const struct peer *peer);
/* Seals and sends; false when there is no room: nothing was sent. */
bool peer_send(struct parley_node *node, struct peer *peer, struct parley_span message);
bool peer_send_message(struct parley_node *node, struct peer *peer,
                       const struct parley_wire_message *message);
void peer_close(struct parley_node *node, struct peer *peer, enum parley_error reason,
                enum parley_goodbye goodbye);
void peers_on_timer(struct parley_node *node);
/* A goodbye to everybody, and no peer from here on. */
void peers_stop(struct parley_node *node);
bool peer_dial(struct parley_node *node, uint32_t book);
/* NULL: there is no place. */
struct peer *peer_dial_at(struct parley_node *node, const struct parley_address *address,
                          bool is_owners);

/* hello.c */
void say_hello(struct parley_node *node, struct peer *peer);
void replay_keep(struct parley_node *node);
void replay_load(struct parley_node *node, struct parley_span key, struct parley_span value);
void replay_start(struct parley_node *node);
bool on_hello(struct parley_node *node, struct peer *peer, const struct parley_wire_hello *hello);

/* book.c */
bool book_is_empty(const struct parley_node *node);
bool book_holds(const struct parley_node *node, const struct parley_node_key *key);
uint32_t book_take(struct parley_node *node, const struct parley_address *address);
/* Over a restart, too; the request is answered then. */
void book_keep(struct parley_node *node, uint32_t book, parley_request request);
void book_on_timer(struct parley_node *node);
/* lasted: the link was open long enough that the address is as good as new. */
void book_on_closed(struct parley_node *node, uint32_t book, bool lasted);
/* True when it was kept: the request is answered when it is kept no more. */
bool book_forget(struct parley_node *node, const struct parley_node_key *key,
                 parley_request request);
void book_load(struct parley_node *node, struct parley_span value);

#endif
