/* Which links are eager (SPEC 9.9.2, 9.9.3), for gossip.c. */
#ifndef PARLEY_PROTO_GOSSIP_LINKS_H
#define PARLEY_PROTO_GOSSIP_LINKS_H

#include <parley/gossip.h>

/* A link that was open has gone. True: *word is to be sent. */
bool gossip_links_replace(struct parley_gossip *gossip, uint64_t lost,
                          struct parley_gossip_word *word);
/* The link brought what is new. */
bool gossip_links_on_news(struct parley_gossip *gossip, uint32_t link, uint64_t bit,
                          struct parley_gossip_word *word);
/* Two brought the same. */
bool gossip_links_on_second(struct parley_gossip *gossip, uint32_t first, uint32_t late,
                            uint64_t bit, struct parley_gossip_word *word);
/* Over the link is to come what did not come over any other. *word has no buckets where the peer
 * need not be told. */
void gossip_links_graft(struct parley_gossip *gossip, uint32_t link, uint64_t bit,
                        struct parley_gossip_word *word);
/* Whether what is announced there is not waited for. */
bool gossip_links_asks_at_once(const struct parley_gossip *gossip, uint32_t link, uint64_t bit);
/* Whether what came over that link (NOBODY: one's own) goes over this one at once. */
bool gossip_links_pushes(const struct parley_gossip *gossip, uint32_t to, uint32_t source,
                         uint64_t bit);

#endif
