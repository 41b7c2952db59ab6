#include "gossip_links.h"

#include <assert.h>

/* Three kinds of link, and each has its rule. Between two that want everything, and between two
 * that want less, a link is eager both ways or lazy both ways, and what is left eager is a tree.
 * Between one that wants everything and one that wants less each way has a state of its own: down,
 * whoever wants less has one that brings all of what it wants, and every other link is lazy; up
 * goes only what is not there already, that is one's own. Otherwise an entry would come into the
 * tree of those above at many places at once, and where two waves of it meet, both sides would
 * prune what is no second way at all. */

static bool is_mixed(const struct parley_gossip *gossip, uint32_t link) {
    return gossip->links[link].is_broad != gossip->is_broad;
}

/* Of the others, for which buckets one is eager: of those that bring everything, if there is any
 * such link. */
struct others {
    bool has_broad; /* this one included */
    uint64_t eager;
};

static struct others of_others(const struct parley_gossip *gossip, uint32_t link) {
    uint64_t by_any = 0, by_broad = 0;
    bool has_broad = false;
    for (uint32_t i = 0; i < gossip->links_count; i++) {
        const struct parley_gossip_link *other = &gossip->links[i];
        if (!other->is_open)
            continue;
        has_broad |= other->is_broad;
        by_any |= i == link ? 0 : ~other->lazy;
        by_broad |= i == link || !other->is_broad ? 0 : ~other->lazy;
    }
    return (struct others){has_broad, has_broad ? by_broad : by_any};
}

/* --- what the peer says --------------------------------------------------------------------- */

uint64_t parley_gossip_on_prune(struct parley_gossip *gossip, uint32_t link, uint64_t buckets) {
    struct parley_gossip_link *from = &gossip->links[link];
    if (!from->is_tree)
        return 0;
    if (is_mixed(gossip, link)) {
        *(gossip->is_broad ? &from->lazy : &from->unasked) |= buckets;
        return 0;
    }
    uint64_t others = of_others(gossip, link).eager;
    from->lazy |= buckets & others;
    return buckets & ~others;
}

void parley_gossip_on_graft(struct parley_gossip *gossip, uint32_t link, uint64_t buckets) {
    struct parley_gossip_link *from = &gossip->links[link];
    bool is_up = is_mixed(gossip, link) && !gossip->is_broad;
    if (from->is_tree)
        *(is_up ? &from->unasked : &from->lazy) &= ~buckets;
}

/* --- what a peer is told -------------------------------------------------------------------- */

/* Of two that bring everything whoever wants less does without one of them for good; of all others
 * for the bucket at hand. */
static bool prune(struct parley_gossip *gossip, uint32_t link, uint64_t bit,
                  struct parley_gossip_word *word) {
    struct parley_gossip_link *late = &gossip->links[link];
    *word = (struct parley_gossip_word){link, false, bit};
    if (!late->is_tree)
        return false;
    if (is_mixed(gossip, link) && gossip->is_broad) { /* unless it does so for what is its own */
        bool was_asked = (late->unasked & bit) == 0;
        late->unasked |= bit;
        return was_asked;
    }
    uint64_t others = of_others(gossip, link).eager;
    if ((others & bit) == 0)
        return false;
    /* The one of that bit may be lazy already: then the peer has not heard yet. */
    if (is_mixed(gossip, link))
        word->buckets |= ~late->lazy & others;
    late->lazy |= word->buckets;
    return true;
}

bool gossip_links_on_second(struct parley_gossip *gossip, uint32_t first, uint32_t late,
                            uint64_t bit, struct parley_gossip_word *word) {
    if (!gossip->links[late].is_broad || gossip->links[first].is_broad)
        return prune(gossip, late, bit, word);
    /* Somebody below was faster than the tree above: that says nothing of the tree. */
    return (!gossip->is_broad && prune(gossip, late, bit, word)) || prune(gossip, first, bit, word);
}

bool gossip_links_on_news(struct parley_gossip *gossip, uint32_t link, uint64_t bit,
                          struct parley_gossip_word *word) {
    struct parley_gossip_link *from = &gossip->links[link];
    bool was_lazy = (from->lazy & bit) != 0;
    *word = (struct parley_gossip_word){link, true, bit};
    if (!gossip->is_broad && from->is_broad)
        gossip->above = link;
    if (is_mixed(gossip, link) || (!gossip->is_broad && of_others(gossip, link).has_broad))
        return false; /* its prune is on its way */
    from->lazy &= ~bit;
    return was_lazy;
}

void gossip_links_graft(struct parley_gossip *gossip, uint32_t link, uint64_t bit,
                        struct parley_gossip_word *word) {
    struct parley_gossip_link *to = &gossip->links[link];
    bool is_up = is_mixed(gossip, link) && gossip->is_broad;
    bool is_down = is_mixed(gossip, link) && !gossip->is_broad;
    uint64_t *which = is_up ? &to->unasked : &to->lazy;
    *word = (struct parley_gossip_word){link, true, *which & (is_down ? UINT64_MAX : bit)};
    *which &= ~word->buckets;
}

static unsigned count_of(uint64_t bits) {
    unsigned count = 0;
    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

/* What hung on the lost one needs another way: a lazy link in its place, the one of most of these
 * buckets, is tried before anything is missed. It costs a second copy at most where it is none. */
bool gossip_links_replace(struct parley_gossip *gossip, uint64_t lost,
                          struct parley_gossip_word *word) {
    bool is_broad = gossip->is_broad || of_others(gossip, PARLEY_GOSSIP_NOBODY).has_broad;
    uint64_t eager = 0;
    *word = (struct parley_gossip_word){.link = PARLEY_GOSSIP_NOBODY, .is_graft = true};
    for (uint32_t i = 0; i < gossip->links_count; i++) {
        const struct parley_gossip_link *link = &gossip->links[i];
        if (!link->is_open || link->is_broad != is_broad)
            continue;
        eager |= ~link->lazy;
        if (word->link == PARLEY_GOSSIP_NOBODY ||
            count_of(link->lazy & lost) > count_of(gossip->links[word->link].lazy & lost))
            word->link = i;
    }
    if (word->link == PARLEY_GOSSIP_NOBODY)
        return false;
    uint64_t *lazy = &gossip->links[word->link].lazy;
    word->buckets = (gossip->is_broad ? *lazy & lost : 0) | ~eager;
    *lazy &= ~word->buckets;
    return word->buckets != 0;
}

bool parley_gossip_spare(struct parley_gossip *gossip, uint32_t link,
                         struct parley_gossip_word *word) {
    struct parley_gossip_link *this = &gossip->links[link];
    struct others others = of_others(gossip, link);
    if (gossip->is_broad || !others.has_broad)
        return false;
    *word = (struct parley_gossip_word){link, false, ~this->lazy & others.eager};
    for (uint32_t i = 0; word->buckets == 0 && this->is_broad && i < gossip->links_count; i++)
        if (i != link && gossip->links[i].is_open && gossip->links[i].is_tree)
            *word = (struct parley_gossip_word){i, false, ~gossip->links[i].lazy & ~this->lazy};
    if (word->buckets == 0 || !gossip->links[word->link].is_tree)
        return false;
    gossip->links[word->link].lazy |= word->buckets;
    return true;
}

/* --- asking --------------------------------------------------------------------------------- */

bool parley_gossip_is_lazy(const struct parley_gossip *gossip, uint32_t link, unsigned bucket) {
    return gossip->links[link].lazy >> bucket & 1;
}

bool gossip_links_asks_at_once(const struct parley_gossip *gossip, uint32_t link, uint64_t bit) {
    const struct parley_gossip_link *from = &gossip->links[link];
    if (!from->is_tree)
        return true;
    if (is_mixed(gossip, link) && gossip->is_broad)
        return (from->unasked & bit) == 0 || !of_others(gossip, link).has_broad;
    return (from->lazy & bit) == 0;
}

/* Of those that bring everything, the one over which one's own goes: that which brings the rest. */
static bool leads_up(const struct parley_gossip *gossip, uint32_t link, uint64_t bit) {
    uint32_t above = gossip->above;
    bool is_above = above != PARLEY_GOSSIP_NOBODY && gossip->links[above].is_broad &&
                    (gossip->links[above].lazy & bit) == 0;
    for (uint32_t i = 0; !is_above && i <= link; i++) {
        is_above = gossip->links[i].is_open && gossip->links[i].is_broad &&
                   (gossip->links[i].lazy & bit) == 0;
        above = i;
    }
    return is_above && above == link;
}

bool gossip_links_pushes(const struct parley_gossip *gossip, uint32_t to, uint32_t source,
                         uint64_t bit) {
    const struct parley_gossip_link *link = &gossip->links[to];
    if (!link->is_tree)
        return true;
    if (gossip->is_broad || !link->is_broad)
        return (link->lazy & bit) == 0;
    bool is_from_above = source != PARLEY_GOSSIP_NOBODY && gossip->links[source].is_broad;
    return (link->unasked & bit) == 0 || (!is_from_above && leads_up(gossip, to, bit));
}
