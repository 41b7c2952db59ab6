#include <parley/gossip.h>

#include <assert.h>
#include <sodium.h>

#define WORD_BITS 64u

static_assert(PARLEY_GOSSIP_BUCKETS == WORD_BITS, "lazy has a bit for each bucket");
static_assert(sizeof(((struct parley_gossip *)0)->key) == crypto_shorthash_KEYBYTES,
              "SipHash takes the key as it is");
static_assert(sizeof(struct parley_wire_place) ==
                  sizeof(struct parley_log) + sizeof(parley_seq) + sizeof(struct parley_id),
              "a place is hashed as it stands in memory: nothing is between its fields");

static size_t words_for(uint32_t links) {
    return (links + WORD_BITS - 1) / WORD_BITS;
}

size_t parley_gossip_memory(const struct parley_gossip_sizes *sizes) {
    return sizes->entries *
               (sizeof(struct parley_gossip_entry) + words_for(sizes->links) * sizeof(uint64_t)) +
           sizes->links * sizeof(struct parley_gossip_link);
}

void parley_gossip_init(struct parley_gossip *gossip, const struct parley_gossip_sizes *sizes,
                        const uint8_t key[16], void *memory) {
    assert(sizes->entries >= PARLEY_GOSSIP_WAYS && (sizes->entries & (sizes->entries - 1)) == 0);
    assert(sizes->wait_ms > 0 && sizes->again_ms > 0);
    *gossip = (struct parley_gossip){.links_count = sizes->links,
                                     .entries_count = sizes->entries,
                                     .holder_words = words_for(sizes->links),
                                     .waits_per_link = sizes->waits_per_link,
                                     .is_broad = sizes->is_broad,
                                     .wait_ms = sizes->wait_ms,
                                     .again_ms = sizes->again_ms,
                                     .next = UINT64_MAX,
                                     .pass_next = UINT64_MAX};
    memcpy(gossip->key, key, sizeof gossip->key);
    gossip->entries = memory;
    gossip->holders = (uint64_t *)(void *)(gossip->entries + sizes->entries);
    gossip->links = (struct parley_gossip_link *)(void *)(gossip->holders +
                                                          sizes->entries * gossip->holder_words);
}

unsigned parley_gossip_bucket(const struct parley_log *log) {
    return log->bytes[0] % PARLEY_GOSSIP_BUCKETS;
}

uint64_t parley_gossip_bit(const struct parley_log *log) {
    return UINT64_C(1) << parley_gossip_bucket(log);
}

/* --- who has an entry ---------------------------------------------------------------------- */

static uint64_t *holders_of(const struct parley_gossip *gossip,
                            const struct parley_gossip_entry *entry) {
    return gossip->holders + (size_t)(entry - gossip->entries) * gossip->holder_words;
}

static bool has(const struct parley_gossip *gossip, const struct parley_gossip_entry *entry,
                uint32_t link) {
    return holders_of(gossip, entry)[link / WORD_BITS] >> link % WORD_BITS & 1;
}

static void set_has(struct parley_gossip *gossip, const struct parley_gossip_entry *entry,
                    uint32_t link, bool on) {
    uint64_t bit = UINT64_C(1) << link % WORD_BITS;
    uint64_t *word = &holders_of(gossip, entry)[link / WORD_BITS];
    *word = on ? *word | bit : *word & ~bit;
}

/* The first that has it, from that link on and round; NOBODY: none. */
static uint32_t holder_from(const struct parley_gossip *gossip,
                            const struct parley_gossip_entry *entry, uint32_t from) {
    for (uint32_t i = 0; i < gossip->links_count; i++) {
        uint32_t link = (from + i) % gossip->links_count;
        if (has(gossip, entry, link))
            return link;
    }
    return PARLEY_GOSSIP_NOBODY;
}

/* --- the table ----------------------------------------------------------------------------- */

static bool is_waiting(const struct parley_gossip_entry *entry) {
    return entry->state == PARLEY_GOSSIP_AWAITED || entry->state == PARLEY_GOSSIP_ASKED;
}

/* The places in which it may stand, one after the other. */
static struct parley_gossip_entry *ways_of(const struct parley_gossip *gossip,
                                           const struct parley_wire_place *place) {
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, (const uint8_t *)place, sizeof *place, gossip->key);
    size_t groups = gossip->entries_count / PARLEY_GOSSIP_WAYS;
    return gossip->entries + (parley_get_u64(hash) & (groups - 1)) * PARLEY_GOSSIP_WAYS;
}

static bool is_of(const struct parley_gossip_entry *entry, const struct parley_wire_place *place) {
    return entry->state != PARLEY_GOSSIP_FREE && entry->place.seq == place->seq &&
           PARLEY_EQUAL(entry->place.log, place->log) && PARLEY_EQUAL(entry->place.id, place->id);
}

static struct parley_gossip_entry *find(const struct parley_gossip *gossip,
                                        const struct parley_wire_place *place) {
    struct parley_gossip_entry *ways = ways_of(gossip, place);
    for (size_t i = 0; i < PARLEY_GOSSIP_WAYS; i++)
        if (is_of(&ways[i], place))
            return &ways[i];
    return NULL;
}

/* A place for one that has none: the oldest that is here gives way, but none that is waited for. */
static struct parley_gossip_entry *take(struct parley_gossip *gossip,
                                        const struct parley_wire_place *place) {
    struct parley_gossip_entry *ways = ways_of(gossip, place), *taken = NULL;
    for (size_t i = 0; i < PARLEY_GOSSIP_WAYS; i++) {
        if (ways[i].state == PARLEY_GOSSIP_FREE) {
            taken = &ways[i];
            break;
        }
        if (!is_waiting(&ways[i]) && (taken == NULL || ways[i].at < taken->at))
            taken = &ways[i];
    }
    if (taken == NULL)
        return NULL;
    *taken = (struct parley_gossip_entry){.source = PARLEY_GOSSIP_NOBODY, .place = *place};
    memset(holders_of(gossip, taken), 0, gossip->holder_words * sizeof(uint64_t));
    return taken;
}

static void wait_begin(struct parley_gossip *gossip, struct parley_gossip_entry *entry,
                       enum parley_gossip_state state, uint32_t link, parley_time_ms at) {
    entry->state = state;
    entry->source = link;
    entry->at = at;
    gossip->links[link].waits++;
    gossip->waits++;
    if (at < gossip->next)
        gossip->next = at;
}

static void wait_end(struct parley_gossip *gossip, const struct parley_gossip_entry *entry) {
    if (!is_waiting(entry))
        return;
    gossip->links[entry->source].waits--;
    gossip->waits--;
}

/* --- links --------------------------------------------------------------------------------- */

void parley_gossip_open(struct parley_gossip *gossip, uint32_t link, bool is_tree) {
    assert(link < gossip->links_count && !gossip->links[link].is_open);
    gossip->links[link] = (struct parley_gossip_link){.is_open = true, .is_tree = is_tree};
}

/* What waited for it is due at once, if somebody else announced it as well. */
static void lose_source(struct parley_gossip *gossip, struct parley_gossip_entry *entry) {
    uint32_t other = holder_from(gossip, entry, entry->source);
    enum parley_gossip_state state = entry->state;
    wait_end(gossip, entry);
    entry->state = PARLEY_GOSSIP_FREE;
    if (other != PARLEY_GOSSIP_NOBODY)
        wait_begin(gossip, entry, state == PARLEY_GOSSIP_ASKED ? PARLEY_GOSSIP_AWAITED : state,
                   other, state == PARLEY_GOSSIP_ASKED ? 0 : entry->at);
}

/* For which buckets somebody has to be eager again, and who: rather one that brings everything. */
static bool replace_eager(struct parley_gossip *gossip, struct parley_gossip_word *word) {
    uint64_t eager = 0, broad_eager = 0;
    uint32_t broad = PARLEY_GOSSIP_NOBODY, any = PARLEY_GOSSIP_NOBODY;
    for (uint32_t i = gossip->links_count; i-- > 0;) {
        const struct parley_gossip_link *link = &gossip->links[i];
        if (!link->is_open)
            continue;
        any = i;
        broad = link->is_broad ? i : broad;
        eager |= ~link->lazy;
        broad_eager |= link->is_broad ? ~link->lazy : 0;
    }
    bool has_broad = broad != PARLEY_GOSSIP_NOBODY;
    *word = (struct parley_gossip_word){has_broad ? broad : any, true,
                                        ~(has_broad ? broad_eager : eager)};
    if (word->link == PARLEY_GOSSIP_NOBODY || word->buckets == 0)
        return false;
    gossip->links[word->link].lazy &= ~word->buckets;
    return true;
}

bool parley_gossip_close(struct parley_gossip *gossip, uint32_t link,
                         struct parley_gossip_word *word) {
    if (!gossip->links[link].is_open)
        return false;
    for (size_t i = 0; i < gossip->entries_count; i++) {
        struct parley_gossip_entry *entry = &gossip->entries[i];
        if (entry->state == PARLEY_GOSSIP_FREE)
            continue;
        set_has(gossip, entry, link, false);
        if (entry->source == link && is_waiting(entry))
            lose_source(gossip, entry);
        else if (entry->source == link)
            entry->source = PARLEY_GOSSIP_NOBODY;
    }
    assert(gossip->links[link].waits == 0);
    gossip->links[link].is_open = false;
    return replace_eager(gossip, word);
}

bool parley_gossip_is_lazy(const struct parley_gossip *gossip, uint32_t link, unsigned bucket) {
    return gossip->links[link].lazy >> bucket & 1;
}

/* The buckets for which another link than this one is eager, of those that bring everything if
 * there is any such link; and those that one may be pruned of with the bucket at hand. Where one of
 * two brings all of what is wanted here, and nobody's tree hangs on this node, that is all of them:
 * a link shows once that it is not needed, and not once for each bucket. Otherwise, that others
 * serve and this link never did. */
struct others {
    bool is_leaf;
    uint64_t eager, spare;
};

static struct others of_others(const struct parley_gossip *gossip, uint32_t link) {
    const struct parley_gossip_link *this = &gossip->links[link];
    uint64_t by_any = 0, by_broad = 0, served = 0;
    bool has_broad = false;
    for (uint32_t i = 0; i < gossip->links_count; i++) {
        const struct parley_gossip_link *other = &gossip->links[i];
        if (!other->is_open)
            continue;
        has_broad |= other->is_broad;
        if (i == link)
            continue;
        by_any |= ~other->lazy;
        by_broad |= other->is_broad ? ~other->lazy : 0;
        served |= ~other->lazy & other->served;
    }
    bool is_leaf = has_broad && !(gossip->is_broad && this->is_broad);
    struct others others = {.is_leaf = is_leaf, .eager = has_broad ? by_broad : by_any};
    others.spare = ~this->lazy & others.eager & (is_leaf ? UINT64_MAX : served & ~this->served);
    return others;
}

uint64_t parley_gossip_on_prune(struct parley_gossip *gossip, uint32_t link, uint64_t buckets) {
    struct others others = of_others(gossip, link);
    if (!gossip->links[link].is_tree)
        return 0;
    gossip->links[link].lazy |= buckets & others.eager;
    return buckets & ~others.eager;
}

void parley_gossip_on_graft(struct parley_gossip *gossip, uint32_t link, uint64_t buckets) {
    gossip->links[link].lazy &= ~buckets;
}

/* The bucket of that bit, if it may be, and with it the spare ones. */
static bool prune(struct parley_gossip *gossip, uint32_t link, uint64_t bit,
                  struct parley_gossip_word *word) {
    struct parley_gossip_link *late = &gossip->links[link];
    struct others others = of_others(gossip, link);
    if (!late->is_tree || (others.eager & bit) == 0)
        return false;
    /* The one of that bit may be lazy already: then the peer has not heard yet. */
    *word = (struct parley_gossip_word){link, false, bit | others.spare};
    late->lazy |= word->buckets;
    return true;
}

/* Two brought the same. The later one is pruned; but who is asked for everything needs, of those
 * that have everything, one to whom all else is known, and those who want everything need a tree
 * among themselves: what hangs between them on somebody who wants less holds for that one's authors
 * only. */
static bool prune_one(struct parley_gossip *gossip, uint32_t first, uint32_t late, uint64_t bit,
                      struct parley_gossip_word *word) {
    if (!gossip->links[late].is_broad || gossip->links[first].is_broad)
        return prune(gossip, late, bit, word);
    return (!gossip->is_broad && prune(gossip, late, bit, word)) || prune(gossip, first, bit, word);
}

bool parley_gossip_set_broad(struct parley_gossip *gossip, uint32_t link, bool is_broad,
                             struct parley_gossip_word *word) {
    struct parley_gossip_link *this = &gossip->links[link];
    this->is_broad = is_broad;
    if (gossip->is_broad || !this->is_tree)
        return false;
    /* Somebody else brings all of it already. */
    struct others others = of_others(gossip, link);
    *word = (struct parley_gossip_word){link, false, others.is_leaf ? others.spare : 0};
    this->lazy |= word->buckets;
    return word->buckets != 0;
}

/* --- entries ------------------------------------------------------------------------------- */

static void hold(struct parley_gossip *gossip, uint32_t link, const struct parley_wire_place *place,
                 parley_time_ms now) {
    struct parley_gossip_entry *entry = find(gossip, place);
    if (entry == NULL)
        entry = take(gossip, place);
    if (entry == NULL)
        return;
    wait_end(gossip, entry);
    entry->state = PARLEY_GOSSIP_HELD;
    entry->source = link;
    entry->at = now;
    if (link != PARLEY_GOSSIP_NOBODY)
        set_has(gossip, entry, link, true);
}

/* Who brings what is new is where the tree leads, and is told so, since a prune may be under way.
 */
static bool lead_to(struct parley_gossip *gossip, uint32_t link, uint64_t bit,
                    struct parley_gossip_word *word) {
    struct parley_gossip_link *from = &gossip->links[link];
    bool was_lazy = (from->lazy & bit) != 0;
    from->served |= bit;
    from->lazy &= ~bit;
    *word = (struct parley_gossip_word){link, true, bit};
    return was_lazy;
}

bool parley_gossip_on_entry(struct parley_gossip *gossip, uint32_t link,
                            const struct parley_wire_place *place, bool is_new, parley_time_ms now,
                            struct parley_gossip_word *word) {
    uint64_t bit = parley_gossip_bit(&place->log);
    if (is_new) {
        hold(gossip, link, place, now);
        return link != PARLEY_GOSSIP_NOBODY && lead_to(gossip, link, bit, word);
    }
    const struct parley_gossip_entry *entry = find(gossip, place);
    if (entry == NULL || link == PARLEY_GOSSIP_NOBODY)
        return false;
    set_has(gossip, entry, link, true);
    uint32_t first = entry->source;
    if (entry->state != PARLEY_GOSSIP_HELD || first == PARLEY_GOSSIP_NOBODY || first == link)
        return false;
    return prune_one(gossip, first, link, bit, word);
}

bool parley_gossip_has(const struct parley_gossip *gossip, uint32_t link,
                       const struct parley_wire_place *place) {
    const struct parley_gossip_entry *entry = find(gossip, place);
    return entry != NULL && has(gossip, entry, link);
}

enum parley_gossip_way parley_gossip_way(const struct parley_gossip *gossip, uint32_t link,
                                         const struct parley_wire_place *place) {
    const struct parley_gossip_link *to = &gossip->links[link];
    if (!to->is_tree)
        return PARLEY_GOSSIP_PUSH;
    if (parley_gossip_has(gossip, link, place))
        return PARLEY_GOSSIP_NOTHING;
    return (to->lazy & parley_gossip_bit(&place->log)) == 0 ? PARLEY_GOSSIP_PUSH
                                                            : PARLEY_GOSSIP_ANNOUNCE;
}

void parley_gossip_note(struct parley_gossip *gossip, uint32_t link,
                        const struct parley_wire_place *place) {
    const struct parley_gossip_entry *entry = find(gossip, place);
    if (entry != NULL)
        set_has(gossip, entry, link, true);
}

enum parley_gossip_hearing parley_gossip_on_announce(struct parley_gossip *gossip, uint32_t link,
                                                     const struct parley_wire_place *place,
                                                     parley_time_ms now) {
    struct parley_gossip_link *from = &gossip->links[link];
    struct parley_gossip_entry *entry = find(gossip, place);
    if (entry != NULL)
        set_has(gossip, entry, link, true);
    if (!from->is_tree || (from->lazy & parley_gossip_bit(&place->log)) == 0)
        return PARLEY_GOSSIP_ASK;
    if (entry != NULL)
        return is_waiting(entry) ? PARLEY_GOSSIP_WAIT : PARLEY_GOSSIP_LEAVE;
    entry = from->waits < gossip->waits_per_link ? take(gossip, place) : NULL;
    if (entry == NULL)
        return PARLEY_GOSSIP_LEAVE;
    set_has(gossip, entry, link, true);
    wait_begin(gossip, entry, PARLEY_GOSSIP_AWAITED, link, now + gossip->wait_ms);
    return PARLEY_GOSSIP_WAIT;
}

bool parley_gossip_is_awaited(const struct parley_gossip *gossip,
                              const struct parley_wire_place *place) {
    const struct parley_gossip_entry *entry = find(gossip, place);
    return entry != NULL && is_waiting(entry);
}

/* --- what did not come --------------------------------------------------------------------- */

/* One pass over the table when something may be due, whatever happens to what it finds. */
struct parley_gossip_entry *parley_gossip_due(struct parley_gossip *gossip, parley_time_ms now) {
    if (now < gossip->next)
        return NULL;
    for (; gossip->waits > 0 && gossip->pass < gossip->entries_count; gossip->pass++) {
        struct parley_gossip_entry *entry = &gossip->entries[gossip->pass];
        if (!is_waiting(entry))
            continue;
        if (entry->at <= now)
            return entry;
        if (entry->at < gossip->pass_next)
            gossip->pass_next = entry->at;
    }
    gossip->next = gossip->pass_next;
    gossip->pass = 0;
    gossip->pass_next = UINT64_MAX;
    return NULL;
}

uint32_t parley_gossip_graft(struct parley_gossip *gossip, struct parley_gossip_entry *entry,
                             parley_time_ms now, bool *was_lazy) {
    uint32_t from = entry->source + (entry->state == PARLEY_GOSSIP_ASKED);
    uint32_t link = holder_from(gossip, entry, from);
    *was_lazy = false;
    if (link == PARLEY_GOSSIP_NOBODY) {
        parley_gossip_forget(gossip, entry);
        return link;
    }
    uint64_t bit = parley_gossip_bit(&entry->place.log);
    *was_lazy = (gossip->links[link].lazy & bit) != 0;
    gossip->links[link].lazy &= ~bit;
    /* Who does not send it is not taken to have it any more. */
    set_has(gossip, entry, link, false);
    wait_end(gossip, entry);
    wait_begin(gossip, entry, PARLEY_GOSSIP_ASKED, link, now + gossip->again_ms);
    return link;
}

void parley_gossip_put_off(struct parley_gossip_entry *entry, parley_time_ms at) {
    entry->at = at;
}

void parley_gossip_forget(struct parley_gossip *gossip, struct parley_gossip_entry *entry) {
    wait_end(gossip, entry);
    entry->state = PARLEY_GOSSIP_FREE;
}

void parley_gossip_fail(struct parley_gossip *gossip, uint32_t link, const struct parley_log *log) {
    for (size_t i = 0; gossip->waits > 0 && i < gossip->entries_count; i++) {
        struct parley_gossip_entry *entry = &gossip->entries[i];
        if (!is_waiting(entry) || !PARLEY_EQUAL(entry->place.log, *log))
            continue;
        set_has(gossip, entry, link, false);
        if (entry->source == link)
            lose_source(gossip, entry);
    }
}

/* --- checking ------------------------------------------------------------------------------ */

void parley_gossip_check(const struct parley_gossip *gossip) {
    size_t waits = 0, of_links = 0;
    for (size_t i = 0; i < gossip->entries_count; i++) {
        const struct parley_gossip_entry *entry = &gossip->entries[i];
        if (entry->state == PARLEY_GOSSIP_FREE)
            continue;
        assert(entry->source == PARLEY_GOSSIP_NOBODY || gossip->links[entry->source].is_open);
        waits += is_waiting(entry);
        assert(!is_waiting(entry) || entry->at >= gossip->next);
    }
    for (uint32_t i = 0; i < gossip->links_count; i++) {
        of_links += gossip->links[i].waits;
        assert(gossip->links[i].is_open || gossip->links[i].waits == 0);
        assert(gossip->links[i].is_tree || gossip->links[i].lazy == 0);
    }
    assert(waits == gossip->waits && of_links == waits);
}
