/* Catching up: who tells whom what they have, and who is asked for it. A part of internal.h. */
#ifndef PARLEY_NODE_CATCHUP_H
#define PARLEY_NODE_CATCHUP_H

/* To an ask for all of them, or an interest: once for nothing, then as it is paid for. */
void heads_answer_all(struct parley_node *node, struct peer *peer);
void heads_send_all(struct parley_node *node, struct peer *peer, uint64_t session);
/* Those that changed since the peer was told last. */
void heads_send_changes(struct parley_node *node, struct peer *peer);
/* What the heads of this author tell is different now. */
void author_changed(struct parley_node *node, uint32_t author);
void heads_ask(struct parley_node *node, struct peer *peer);
/* Something that a peer told was given up: each is asked for everything, once. */
void heads_forget(struct parley_node *node);
/* And the first of them now: the owner waits. */
void heads_forget_and_ask(struct parley_node *node);
/* The same, and what else it told is not known here any more, not even by name. */
void heads_lose(struct parley_node *node);
/* One author's element with one log, or without any (NONE), also if there is nothing to tell of it.
 */
void heads_put_log(struct parley_node *node, struct parley_writer *out, uint32_t author,
                   uint32_t log);
/* As an answer of one message. */
bool heads_send(struct parley_node *node, struct peer *peer, struct parley_writer *items,
                size_t count);
/* All of an author's, in as many messages; the bytes of these. */
size_t heads_send_author(struct parley_node *node, struct peer *peer, uint32_t author,
                         uint64_t session);
void on_heads(struct parley_node *node, struct peer *peer, const struct parley_wire_heads *heads);
/* To whoever wants the author: of all logs, or of one. */
void heads_tell(struct parley_node *node, uint32_t author);
void heads_tell_log(struct parley_node *node, uint32_t log);
void catchup_on_timer(struct parley_node *node);
/* At the end of every step: what is still to be told. */
void heads_pump(struct parley_node *node);

#endif
