#include "internal.h"

/* What everything takes on the disk, and when something has to go. The store tells after each
 * operation what a log takes; here it is added up, for all and for strangers. Above the high mark
 * pruning begins, below the low one it ends, so that it comes in strokes, each followed by one
 * compaction, and not with every post. Strangers go above their own marks, too: of the table, of
 * the disk and of the memory for records a part is left for whom the owner wants. */

#define RECORD_BYTES_USUAL 300u /* one that was dropped: a closing or a certificate */
#define LOOK_AGAIN_MS      1000u

/* --- adding up ----------------------------------------------------------------------------- */

bool quota_is_stranger(const struct parley_node *node, uint32_t author) {
    return node->authors[author].depth > node->config.hops;
}

static void change(struct parley_node *node, uint32_t author, uint64_t before, uint64_t now) {
    struct quota *quota = &node->quota;
    quota->bytes += now - before;
    if (quota_is_stranger(node, author))
        quota->strangers_bytes += now - before;
    if (now < before)
        quota->dropped_bytes += before - now;
}

void quota_told(struct parley_node *node, uint32_t log, const struct parley_store_log *told) {
    struct log_row *row = &node->logs[log];
    if (told == NULL || node->authors[row->author].quota.is_leaving)
        return;
    change(node, row->author, row->quota.bytes, told->bytes);
    row->quota.bytes = told->bytes;
    row->quota.active_ms = told->active_ms;
    row->quota.low_ms = told->low_ms;
}

void quota_add_record(struct parley_node *node, uint32_t author, size_t size) {
    struct author_quota *row = &node->authors[author].quota;
    uint64_t before = row->records_bytes;
    row->records_bytes += parley_store_record_bytes(size);
    row->heard_ms = node->wall;
    change(node, author, before, row->records_bytes);
}

void quota_drop_records(struct parley_node *node, uint32_t author, bool all) {
    struct author_quota *row = &node->authors[author].quota;
    uint64_t before = row->records_bytes;
    uint64_t gone = all || before < RECORD_BYTES_USUAL ? before : RECORD_BYTES_USUAL;
    row->records_bytes -= gone;
    change(node, author, before, row->records_bytes);
}

static uint64_t author_bytes(const struct parley_node *node, uint32_t author) {
    uint64_t bytes = node->authors[author].quota.records_bytes;
    for (uint32_t i = node->authors[author].logs_first; i != NONE; i = node->logs[i].next_of_author)
        bytes += node->logs[i].quota.bytes;
    return bytes;
}

void quota_set_depth(struct parley_node *node, uint32_t author, uint8_t depth) {
    if (quota_is_stranger(node, author))
        node->quota.strangers_bytes -= author_bytes(node, author);
    node->authors[author].depth = depth;
    if (quota_is_stranger(node, author))
        node->quota.strangers_bytes += author_bytes(node, author);
    node->quota.victims_count = node->quota.victims_next = 0; /* they were chosen before */
}

void quota_recount(struct parley_node *node) {
    node->quota.strangers_bytes = 0;
    node->quota.victims_count = node->quota.victims_next = 0; /* they were chosen before */
    for (uint32_t i = 0; i < node->authors_count; i++)
        if (!node->authors[i].is_free && quota_is_stranger(node, i))
            node->quota.strangers_bytes += author_bytes(node, i);
}

void quota_forget(struct parley_node *node) {
    struct evicted *evicted = node->quota.evicted;
    node->quota = (struct quota){.evicted = evicted};
    for (size_t i = 0; i < node->authors_count; i++)
        node->authors[i].quota = (struct author_quota){0};
    for (size_t i = 0; i < node->logs_count; i++)
        node->logs[i].quota = (struct log_quota){0};
}

void quota_check_invariants(const struct parley_node *node) {
    uint64_t bytes = 0, strangers = 0;
    for (uint32_t i = 0; i < node->authors_count; i++) {
        if (node->authors[i].is_free)
            continue;
        uint64_t of_author = author_bytes(node, i);
        bytes += of_author;
        strangers += quota_is_stranger(node, i) ? of_author : 0;
    }
    assert(bytes == node->quota.bytes && strangers == node->quota.strangers_bytes);
}

void quota_allow(struct parley_node *node, uint32_t author) {
    for (uint32_t i = node->authors[author].logs_first; i != NONE; i = node->logs[i].next_of_author)
        node->logs[i].quota.floor = 0;
    node->quota.victims_count = node->quota.victims_next = 0; /* they were chosen before */
    heads_forget_and_ask(node);                               /* others may hold it */
}

/* --- marks --------------------------------------------------------------------------------- */

/* So many sixteenths of it. */
static uint64_t part(uint64_t of, unsigned sixteenths) {
    return of / PARLEY_QUOTA_PARTS * sixteenths +
           of % PARLEY_QUOTA_PARTS * sixteenths / PARLEY_QUOTA_PARTS;
}

static uint64_t of_strangers(uint64_t all) {
    return all - all / PARLEY_OWNERS_SHARE;
}

static bool is_above(const struct parley_node *node, unsigned sixteenths) {
    return node->quota.bytes - node->quota.prunes_bytes >
           part(node->config.quota_bytes, sixteenths);
}

/* Names alone cost nothing to say, and take nobody's place (named.c). */
static bool strangers_are_above(const struct parley_node *node, unsigned sixteenths) {
    const struct parley_node_config *config = &node->config;
    return node->quota.strangers_bytes > of_strangers(part(config->quota_bytes, sixteenths)) ||
           node->authors_used - node->named_count - node->quota.leaving_count >
               part(of_strangers(config->authors_max), sixteenths) ||
           node->logs_used - node->quota.leaving_logs_count >
               part(of_strangers(config->logs_max), sixteenths) ||
           node->quota.lacks_memory;
}

/* --- victims ------------------------------------------------------------------------------- */

void quota_add_victim(struct parley_node *node, uint64_t rank, uint32_t row) {
    struct quota *quota = &node->quota;
    size_t low = 0, high = quota->victims_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (quota->victims[middle].rank <= rank)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == PARLEY_QUOTA_VICTIMS_MAX)
        return;
    if (quota->victims_count < PARLEY_QUOTA_VICTIMS_MAX)
        quota->victims_count++;
    memmove(&quota->victims[low + 1], &quota->victims[low],
            (quota->victims_count - 1 - low) * sizeof *quota->victims);
    quota->victims[low] = (struct victim){rank, row};
}

bool quota_log_is_quiet(const struct parley_node *node, uint32_t log) {
    const struct log_row *row = &node->logs[log];
    if (row->stores_in_flight > 0 || row->bodies.storing > 0 || row->quota.pruning != 0 ||
        row->is_doubted || row->is_unjudged || log == node->own_log)
        return false;
    if (suspects_wait(node, log))
        return false;
    return !node->review.is_active || node->review.log != log;
}

/* Whoever goes next, strangers as long as there are any. False: nobody may go at the moment. */
static bool find_victims(struct parley_node *node) {
    struct quota *quota = &node->quota;
    quota->victims_count = quota->victims_next = 0;
    quota->victims_are_authors = true;
    evict_find(node);
    /* Strangers who cannot go at the moment are waited for: nobody else goes before them. */
    if (quota->victims_count == 0 && quota->strangers_bytes == 0 && quota->leaving_count == 0 &&
        quota->prunes_in_flight == 0 && is_above(node, PARLEY_QUOTA_LOW)) {
        quota->victims_are_authors = false;
        prune_find(node);
    }
    return quota->victims_count > 0;
}

static void say_full(struct parley_node *node, bool is_full) {
    if (is_full && !node->quota.is_full)
        effect_log(node, PARLEY_LOG_WARNING, PARLEY_E_FULL, 0,
                   "the quota is taken by what is never pruned");
    node->quota.is_full = is_full;
}

static void look_later(struct parley_node *node) {
    bool waits = node->quota.leaving_count > 0 || node->quota.prunes_in_flight > 0;
    say_full(node, !waits && is_above(node, PARLEY_QUOTA_PARTS));
    node->quota.look_at = node->now + LOOK_AGAIN_MS;
    deadline_lower(node, node->quota.look_at);
}

static bool go_next(struct parley_node *node) {
    struct quota *quota = &node->quota;
    if (quota->leaving_count == PARLEY_QUOTA_VICTIMS_MAX)
        return false; /* some have left at the next step */
    if (quota->victims_next == quota->victims_count && !find_victims(node)) {
        look_later(node);
        return false;
    }
    uint32_t row = quota->victims[quota->victims_next].row;
    bool goes = quota->victims_are_authors ? evict_next(node, row) : prune_next(node, row);
    quota->victims_next += goes;
    return goes;
}

static bool is_wanted(const struct parley_node *node, unsigned sixteenths) {
    return is_above(node, sixteenths) || strangers_are_above(node, sixteenths);
}

bool quota_is_reached(const struct parley_node *node) {
    uint64_t mark = part(node->config.quota_bytes, PARLEY_QUOTA_LOW - 1);
    return node->config.quota_bytes > 0 &&
           (node->quota.bytes > mark || node->quota.strangers_bytes > of_strangers(mark));
}

/* What lies in the files, and nobody needs. Below the quota what is written over takes no room from
 * anybody: there the engine's own pace will do. */
static uint64_t garbage(const struct parley_node *node) {
    const struct quota *quota = &node->quota;
    return quota->dropped_bytes + (quota_is_reached(node) ? quota->written_bytes : 0);
}

bool quota_strangers_wait(const struct parley_node *node) {
    uint64_t most = node->config.quota_bytes;
    return most > 0 && (node->quota.bytes > most || garbage(node) > part(most, 1));
}

/* When what went is worth the work. */
static void ask_for_compaction(struct parley_node *node) {
    struct quota *quota = &node->quota;
    if (garbage(node) < part(node->config.quota_bytes, 1) / 2 || quota->is_compacting ||
        quota->leaving_count > 0 || quota->prunes_in_flight > 0)
        return;
    quota->dropped_bytes = quota->written_bytes = 0;
    quota->is_compacting = true;
    effect_push(node, PARLEY_EFFECT_COMPACT);
}

void quota_pump(struct parley_node *node) {
    struct quota *quota = &node->quota;
    if (node->config.quota_bytes == 0 || node->is_failed)
        return;
    evict_finish(node);
    if (!quota->is_pruning && is_wanted(node, PARLEY_QUOTA_HIGH)) {
        quota->is_pruning = true;
        quota->victims_count = quota->victims_next = 0;
    }
    while (quota->is_pruning && effects_have_room(node) && store_has_room(node)) {
        quota->is_pruning = is_wanted(node, PARLEY_QUOTA_LOW);
        if (!quota->is_pruning || node->now < quota->look_at || !go_next(node))
            break;
    }
    if (quota->is_pruning && node->now < quota->look_at)
        deadline_lower(node, quota->look_at);
    if (!quota->is_pruning)
        say_full(node, false);
    ask_for_compaction(node);
}
