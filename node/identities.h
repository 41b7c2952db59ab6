/* Asking for identity records, and authors who are a name so far. A part of internal.h. */
#ifndef PARLEY_NODE_IDENTITIES_H
#define PARLEY_NODE_IDENTITIES_H

/* identities.c */
void identity_want(struct parley_node *node, struct peer *peer, uint32_t author);
void identity_answered(struct parley_node *node, struct peer *peer, uint32_t author);
void identity_pump(struct parley_node *node);
void identity_drop_peer(struct parley_node *node, struct peer *peer);
void identity_on_timer(struct parley_node *node);

/* named.c */
/* How many more names one peer may say now. */
uint32_t named_room(const struct parley_node *node, const struct peer *peer);
/* A row for an author whose name this peer says, or NONE when it has its share of them. */
uint32_t named_take(struct parley_node *node, struct peer *peer,
                    const struct parley_author *author);
/* Nobody is asked for the author's records any more: his row goes when there are none. */
void named_end(struct parley_node *node, uint32_t author);
/* He is more than a name: records are here, or the owner wants him. */
void named_is_real(struct parley_node *node, uint32_t author);

#endif
