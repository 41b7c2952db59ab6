#include "gossip_links.h"

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
                                     .late_ms = sizes->late_ms,
                                     .above = PARLEY_GOSSIP_NOBODY,
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

/* The first that has it, from that link on and round, but one that brings everything before any
 * other: what comes from below comes into the tree at a second place. NOBODY: none. */
static uint32_t holder_from(const struct parley_gossip *gossip,
                            const struct parley_gossip_entry *entry, uint32_t from) {
    uint32_t any = PARLEY_GOSSIP_NOBODY;
    for (uint32_t i = 0; i < gossip->links_count; i++) {
        uint32_t link = (from + i) % gossip->links_count;
        if (!has(gossip, entry, link))
            continue;
        if (gossip->links[link].is_broad)
            return link;
        any = any == PARLEY_GOSSIP_NOBODY ? link : any;
    }
    return any;
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
    bool is_behind = entry < gossip->entries + gossip->pass; /* of the pass that is under way */
    if (is_behind && at < gossip->pass_next)
        gossip->pass_next = at;
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
    gossip->links[link] = (struct parley_gossip_link){
        .is_open = true, .is_tree = is_tree, .unasked = is_tree ? UINT64_MAX : 0};
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
    struct parley_gossip_link *this = &gossip->links[link];
    assert(this->waits == 0);
    this->is_open = false;
    if (gossip->above == link)
        gossip->above = PARLEY_GOSSIP_NOBODY;
    return gossip_links_replace(gossip, this->is_broad ? ~this->lazy : 0, word);
}

bool parley_gossip_set_broad(struct parley_gossip *gossip, uint32_t link, bool is_broad,
                             struct parley_gossip_word *word) {
    struct parley_gossip_link *this = &gossip->links[link];
    if (this->is_broad == is_broad)
        return false;
    this->is_broad = is_broad;
    this->unasked = this->is_tree ? UINT64_MAX : 0;
    return gossip_links_replace(gossip, 0, word);
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

/* Whether it was announced by one that brings everything long before it came over the one that is
 * eager, as what went before: then that one is tried. The slower of them is pruned with the next.
 */
static bool was_overtaken(struct parley_gossip *gossip, uint32_t link,
                          const struct parley_gossip_entry *entry, parley_time_ms now,
                          struct parley_gossip_word *word) {
    struct parley_gossip_link *from = &gossip->links[link];
    bool is_late = entry != NULL && entry->state == PARLEY_GOSSIP_AWAITED &&
                   entry->source != link && gossip->links[entry->source].is_broad &&
                   now + gossip->wait_ms >= entry->at + gossip->late_ms;
    if (gossip->is_broad || !from->is_broad)
        return false;
    from->lates = is_late ? from->lates + 1 : 0;
    if (from->lates < PARLEY_GOSSIP_LATES)
        return false;
    from->lates = 0;
    gossip_links_graft(gossip, entry->source, parley_gossip_bit(&entry->place.log), word);
    return word->buckets != 0;
}

bool parley_gossip_on_entry(struct parley_gossip *gossip, uint32_t link,
                            const struct parley_wire_place *place, bool is_new, parley_time_ms now,
                            struct parley_gossip_word *word) {
    uint64_t bit = parley_gossip_bit(&place->log);
    const struct parley_gossip_entry *entry = find(gossip, place);
    if (is_new) {
        bool is_told =
            link != PARLEY_GOSSIP_NOBODY && (was_overtaken(gossip, link, entry, now, word) ||
                                             gossip_links_on_news(gossip, link, bit, word));
        hold(gossip, link, place, now);
        return is_told;
    }
    if (entry == NULL || link == PARLEY_GOSSIP_NOBODY)
        return false;
    set_has(gossip, entry, link, true);
    uint32_t first = entry->source;
    if (entry->state != PARLEY_GOSSIP_HELD || first == PARLEY_GOSSIP_NOBODY || first == link)
        return false;
    return gossip_links_on_second(gossip, first, link, bit, word);
}

bool parley_gossip_has(const struct parley_gossip *gossip, uint32_t link,
                       const struct parley_wire_place *place) {
    const struct parley_gossip_entry *entry = find(gossip, place);
    return entry != NULL && has(gossip, entry, link);
}

enum parley_gossip_way parley_gossip_way(const struct parley_gossip *gossip, uint32_t link,
                                         const struct parley_wire_place *place) {
    if (gossip->links[link].is_tree && parley_gossip_has(gossip, link, place))
        return PARLEY_GOSSIP_NOTHING;
    const struct parley_gossip_entry *entry = find(gossip, place);
    uint32_t source = entry == NULL ? PARLEY_GOSSIP_NOBODY : entry->source;
    return gossip_links_pushes(gossip, link, source, parley_gossip_bit(&place->log))
               ? PARLEY_GOSSIP_PUSH
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
    if (gossip_links_asks_at_once(gossip, link, parley_gossip_bit(&place->log)))
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

uint32_t parley_gossip_announcer(const struct parley_gossip *gossip,
                                 const struct parley_gossip_entry *entry) {
    return holder_from(gossip, entry, entry->source + (entry->state == PARLEY_GOSSIP_ASKED));
}

uint32_t parley_gossip_graft(struct parley_gossip *gossip, struct parley_gossip_entry *entry,
                             parley_time_ms now, struct parley_gossip_word *word) {
    uint32_t link = parley_gossip_announcer(gossip, entry);
    word->buckets = 0;
    if (link == PARLEY_GOSSIP_NOBODY) {
        parley_gossip_forget(gossip, entry);
        return link;
    }
    gossip_links_graft(gossip, link, parley_gossip_bit(&entry->place.log), word);
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
    uint64_t eager = 0;
    bool any_broad = false, any = false;
    for (size_t i = 0; i < gossip->entries_count; i++) {
        const struct parley_gossip_entry *entry = &gossip->entries[i];
        if (entry->state == PARLEY_GOSSIP_FREE)
            continue;
        assert(entry->source == PARLEY_GOSSIP_NOBODY || gossip->links[entry->source].is_open);
        waits += is_waiting(entry);
        assert(!is_waiting(entry) || entry->at >= gossip->next);
    }
    for (uint32_t i = 0; i < gossip->links_count; i++)
        any_broad |= gossip->links[i].is_open && gossip->links[i].is_broad;
    for (uint32_t i = 0; i < gossip->links_count; i++) {
        of_links += gossip->links[i].waits;
        if (gossip->links[i].is_open && gossip->links[i].is_broad == any_broad) {
            eager |= ~gossip->links[i].lazy;
            any = true;
        }
        assert(gossip->links[i].is_open || (gossip->links[i].waits == 0 && gossip->above != i));
        assert(gossip->links[i].is_tree || (gossip->links[i].lazy | gossip->links[i].unasked) == 0);
    }
    assert(waits == gossip->waits && of_links == waits);
    /* Nobody is cut off. Of those below it is their own word what is pushed to them. */
    assert(!any || (gossip->is_broad && !any_broad) || eager == UINT64_MAX);
}
