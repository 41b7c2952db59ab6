#include "api_votes.h"
#include "api_unread.h"
#include <stdlib.h>

struct collecting {
    struct api_votes *votes;
    const struct api_entry *entry;
};

static bool on_vote(void *context, const struct parley_store_link *link) {
    const struct collecting *collecting = context;
    struct api_votes *votes = collecting->votes;
    if (memcmp(link->id_start, collecting->entry->id.bytes, sizeof(link->id_start)) != 0)
        return true;
    if (votes->count == API_VOTES_MAX) {
        votes->is_cut = true;
        return false;
    }
    if (votes->count == votes->room) {
        size_t room = votes->room ? 2 * votes->room : 16;
        struct api_vote *grown = realloc(votes->items, room * sizeof(*grown));
        if (grown == NULL) {
            votes->is_out_of_memory = true;
            return false;
        }
        votes->items = grown;
        votes->room = room;
    }
    votes->items[votes->count++] = (struct api_vote){.author = link->log.author,
                                                     .log = link->log.log,
                                                     .seq = link->seq,
                                                     .time = link->time,
                                                     .value = link->vote};
    return true;
}

static bool on_vote_entry(void *context, const struct parley_store_log *log,
                          const struct parley_entry *entry,
                          const struct parley_timeline_place *place, parley_time_ms received) {
    *(struct parley_id *)context = entry->id;
    return false;
}

/* A vote that its author erased counts no more, though its row may still be there. */
static enum parley_error read_state(struct api_vote *vote, struct parley_store *store) {
    struct parley_id id = {{0}};
    enum parley_error error =
        parley_store_entries(store, &vote->log, vote->seq, vote->seq, on_vote_entry, &id);
    if (error == PARLEY_E_OK)
        error = parley_store_body_state(store, &vote->log, vote->seq, &id, &vote->body_state);
    if (error != PARLEY_E_OK)
        vote->body_state = (struct parley_store_body_state){0};
    return error;
}

/* One that cannot be read may have been taken back: it is not counted. */
static void read_states(struct api_votes *votes, struct parley_store *store) {
    size_t kept = 0;
    for (size_t i = 0; i < votes->count; i++) {
        struct api_vote *vote = &votes->items[i];
        enum parley_error error = read_state(vote, store);
        api_unread_keep(&votes->unread, error);
        if (!api_is_unread(error))
            votes->items[kept++] = *vote;
    }
    votes->count = kept;
}

void api_votes_read(struct api_votes *votes, struct parley_store *store,
                    const struct api_entry *entry) {
    struct collecting collecting = {votes, entry};
    api_unread_keep(&votes->unread,
                    parley_store_links(store, &entry->log, entry->seq, PARLEY_LINK_VOTE, NULL,
                                       on_vote, &collecting));
    read_states(votes, store);
    if (votes->unread == PARLEY_E_NO_MEMORY)
        votes->is_out_of_memory = true;
    votes->is_cut |= votes->unread != PARLEY_E_OK;
}

void api_votes_clear(struct api_votes *votes) {
    free(votes->items);
    *votes = (struct api_votes){0};
}

/* As api_entry_is_good and api_entry_is_erased ask. */
static bool counts(const struct api_vote *vote, const struct parley_node *node) {
    struct api_entry entry = {.log = vote->log, .seq = vote->seq, .body_state = vote->body_state};
    return api_entry_is_good(node, &entry) && !api_entry_is_erased(node, &entry);
}

/* Nothing of whom the owner blocks is shown, nor how they vote. */
static bool is_heard(const struct parley_author *voter, const struct parley_node *node) {
    struct parley_node_author author;
    return !parley_node_author_find(node, voter, &author) || !author.is_blocked;
}

static bool is_newer(const struct api_vote *a, const struct api_vote *b) {
    if (a->time != b->time)
        return a->time > b->time;
    int order = PARLEY_COMPARE(a->log, b->log);
    return order != 0 ? order > 0 : a->seq > b->seq;
}

json_t *api_votes_json(const struct api_votes *votes, const struct parley_node *node,
                       const struct parley_author *own) {
    json_int_t up = 0, down = 0, mine = 0;
    for (size_t i = 0; i < votes->count;) {
        const struct api_vote *first = &votes->items[i], *newest = NULL;
        for (; i < votes->count && PARLEY_EQUAL(votes->items[i].author, first->author); i++)
            if (counts(&votes->items[i], node) &&
                (newest == NULL || is_newer(&votes->items[i], newest)))
                newest = &votes->items[i];
        if (newest == NULL || !is_heard(&newest->author, node))
            continue;
        up += newest->value > 0;
        down += newest->value < 0;
        if (own != NULL && PARLEY_EQUAL(*own, newest->author))
            mine = newest->value;
    }
    return json_pack("{s:I, s:I, s:b, s:I}", "up", up, "down", down, "complete",
                     (int)!votes->is_cut, "mine", mine);
}
