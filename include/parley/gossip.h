/* The broadcast tree: over which links a new entry goes at once, and over which it is announced.
 * Leitão, Pereira, Rodrigues: Epidemic Broadcast Trees (2007); SPEC 9.9. Pure: what is to be sent
 * is answered, time is an argument, memory is the caller's.
 *
 * Each link is eager or lazy, for each bucket of logs by itself. It begins eager. Of two that bring
 * the same entry the later one becomes lazy (prune), so that what is left eager is a tree. Over a
 * lazy link entries are announced; an announced entry that does not come in time is asked for of
 * who announced it, and that link becomes eager (graft). So a tree that broke grows together again.
 *
 * Such a tree holds among those who want the same. Whoever wants less hangs on it as a leaf, by one
 * link of those to peers who want everything, and gives up what is its own by that one alone
 * (gossip_links.c).
 *
 * It is for speed alone: every table here may be full, and whatever it forgets is found by catching
 * up. What a peer says here costs a place in a table at most, of which it has a share.
 *
 *   push:      entry -> parley_gossip_way of each link but its source: PUSH it, or ANNOUNCE it soon
 *   a push came in:   parley_gossip_on_entry -> true: send prune
 *   an announcement:  parley_gossip_on_announce -> ASK now, or WAIT
 *   the deadline:     parley_gossip_due -> parley_gossip_graft: send graft, and ask; or _forget
 *   prune, graft:     parley_gossip_on_prune, parley_gossip_on_graft
 */
#ifndef PARLEY_GOSSIP_H
#define PARLEY_GOSSIP_H

#include <parley/wire.h>

#define PARLEY_GOSSIP_NOBODY UINT32_MAX /* no link: what is one's own, or came some other way */
#define PARLEY_GOSSIP_WAYS   8u         /* places in which one entry may stand in the table */
#define PARLEY_GOSSIP_LATES  3u         /* in a row, and another link is tried */

enum parley_gossip_state {
    PARLEY_GOSSIP_FREE,
    PARLEY_GOSSIP_HELD,    /* it is here */
    PARLEY_GOSSIP_AWAITED, /* it was announced, and may still come by itself */
    PARLEY_GOSSIP_ASKED,   /* it did not, and was asked for */
};

/* An entry that is new, or is to come. Who has it stands in a row of bits elsewhere. */
struct parley_gossip_entry {
    enum parley_gossip_state state;
    uint32_t
        source; /* HELD: the link that brought it. Else: that announced it first, or was asked */
    parley_time_ms at; /* HELD: since when. Else: when something is to be done */
    struct parley_wire_place place;
};

struct parley_gossip_link {
    bool is_open;
    bool is_tree;     /* the peer knows of prune and graft; else it is eager for ever */
    bool is_broad;    /* the peer wants everything, and so has what others have */
    uint64_t lazy;    /* a bit for each bucket */
    uint64_t unasked; /* lazy is the way down where one of the two wants less: this is the way up */
    uint32_t lates;   /* in a row, what it brought was announced long before by a better one */
    uint32_t waits;   /* entries awaited or asked for of which it is the source */
};

struct parley_gossip {
    struct parley_gossip_link *links;
    uint32_t links_count;
    struct parley_gossip_entry *entries;
    uint64_t *holders; /* of each entry, words of bits */
    size_t entries_count, holder_words;
    size_t waits; /* entries awaited or asked for */
    uint32_t waits_per_link;
    parley_time_ms wait_ms, again_ms, late_ms;
    bool is_broad;
    uint32_t above;      /* the link that wants everything and last brought something; NOBODY */
    parley_time_ms next; /* nothing is due before; UINT64_MAX: nothing at all */
    size_t pass;         /* of the look for what is due, where it goes on */
    parley_time_ms pass_next;
    uint8_t key[16]; /* of the hash that finds entries: peers choose what is hashed */
};

struct parley_gossip_sizes {
    uint32_t links;   /* numbers of links are below */
    uint32_t entries; /* remembered: a power of two, at least PARLEY_GOSSIP_WAYS */
    uint32_t waits_per_link;
    parley_time_ms wait_ms;  /* from an announcement until the entry is asked for */
    parley_time_ms again_ms; /* from there until it is asked for of another one */
    parley_time_ms late_ms;  /* from an announcement until what comes by itself is late */
    bool is_broad;           /* this node wants everything */
};

/* Bytes that init wants, aligned like a uint64_t and zero. */
size_t parley_gossip_memory(const struct parley_gossip_sizes *sizes);
void parley_gossip_init(struct parley_gossip *gossip, const struct parley_gossip_sizes *sizes,
                        const uint8_t key[16], void *memory);

/* Of a log: the lower six bits of its first byte. */
unsigned parley_gossip_bucket(const struct parley_log *log);
uint64_t parley_gossip_bit(const struct parley_log *log);

/* What a peer is to be told: prune, or graft, of these buckets. */
struct parley_gossip_word {
    uint32_t link;
    bool is_graft;
    uint64_t buckets;
};

/* A link is there; it is eager. */
void parley_gossip_open(struct parley_gossip *gossip, uint32_t link, bool is_tree);
/* Whether its peer wants everything, and so brings everything. True: *word is to be sent. */
PARLEY_USE_RESULT bool parley_gossip_set_broad(struct parley_gossip *gossip, uint32_t link,
                                               bool is_broad, struct parley_gossip_word *word);
/* Once what the peer wants is known, until false: *word is to be sent. Whoever wants less has one
 * link that brings everything and is eager, and needs no other. */
PARLEY_USE_RESULT bool parley_gossip_spare(struct parley_gossip *gossip, uint32_t link,
                                           struct parley_gossip_word *word);
/* Drops all that hangs on it; of one that is not open, nothing. True: *word is to be sent to
 * another one, which is eager now where this was the last. */
PARLEY_USE_RESULT bool parley_gossip_close(struct parley_gossip *gossip, uint32_t link,
                                           struct parley_gossip_word *word);
bool parley_gossip_is_lazy(const struct parley_gossip *gossip, uint32_t link, unsigned bucket);

/* An entry whose own signature holds is here: is_new, or it was already and came once more. The
 * link brought it (NOBODY: none). True: links have changed, and *word is to be sent. */
PARLEY_USE_RESULT bool parley_gossip_on_entry(struct parley_gossip *gossip, uint32_t link,
                                              const struct parley_wire_place *place, bool is_new,
                                              parley_time_ms now, struct parley_gossip_word *word);

enum parley_gossip_way { PARLEY_GOSSIP_PUSH, PARLEY_GOSSIP_ANNOUNCE, PARLEY_GOSSIP_NOTHING };
/* What a new entry is to a link. NOTHING: its peer is known to have it. Whoever knows nothing of
 * trees gets all. */
enum parley_gossip_way parley_gossip_way(const struct parley_gossip *gossip, uint32_t link,
                                         const struct parley_wire_place *place);
/* The peer has it, or is about to: it was sent there, or it announced it. */
void parley_gossip_note(struct parley_gossip *gossip, uint32_t link,
                        const struct parley_wire_place *place);

bool parley_gossip_has(const struct parley_gossip *gossip, uint32_t link,
                       const struct parley_wire_place *place);

/* Of an entry that is not here. */
enum parley_gossip_hearing {
    PARLEY_GOSSIP_ASK,   /* now: over an eager link who announces will not push */
    PARLEY_GOSSIP_WAIT,  /* it may come by itself; else it is due */
    PARLEY_GOSSIP_LEAVE, /* there is no place for it, or it has just come */
};
enum parley_gossip_hearing parley_gossip_on_announce(struct parley_gossip *gossip, uint32_t link,
                                                     const struct parley_wire_place *place,
                                                     parley_time_ms now);
/* Whether it was announced and is not here: to be asked for, or asked for already. */
bool parley_gossip_is_awaited(const struct parley_gossip *gossip,
                              const struct parley_wire_place *place);

/* An entry that did not come in time, or NULL. Until NULL each is grafted, put off or forgotten. */
struct parley_gossip_entry *parley_gossip_due(struct parley_gossip *gossip, parley_time_ms now);
/* Whose turn it is to be asked for it; NOBODY: none is left. */
uint32_t parley_gossip_announcer(const struct parley_gossip *gossip,
                                 const struct parley_gossip_entry *entry);
/* Of whom to ask: of each that announced it once, in turn. The link is eager now; *word: what its
 * peer is to be told (graft). NOBODY: none is left, and it is forgotten. */
PARLEY_USE_RESULT uint32_t parley_gossip_graft(struct parley_gossip *gossip,
                                               struct parley_gossip_entry *entry,
                                               parley_time_ms now, struct parley_gossip_word *word);
/* Nobody can be asked before then. */
void parley_gossip_put_off(struct parley_gossip_entry *entry, parley_time_ms at);
/* The link was asked for something of this log and gave nothing: what it announced of it so far, it
 * is not taken to have. Others that announced the same are due in its place. */
void parley_gossip_fail(struct parley_gossip *gossip, uint32_t link, const struct parley_log *log);
/* It is here by now, or is not wanted any more. */
void parley_gossip_forget(struct parley_gossip *gossip, struct parley_gossip_entry *entry);

/* Of the last link that is eager for a bucket no prune is heard, as none is said: for those that
 * are returned the peer is to be told so (graft). Where one of the two wants less, both are of the
 * way to the peer alone. */
PARLEY_USE_RESULT uint64_t parley_gossip_on_prune(struct parley_gossip *gossip, uint32_t link,
                                                  uint64_t buckets);
void parley_gossip_on_graft(struct parley_gossip *gossip, uint32_t link, uint64_t buckets);

/* What holds between its parts, recomputed. Cost: by entries. */
void parley_gossip_check(const struct parley_gossip *gossip);

#endif
