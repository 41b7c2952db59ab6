#include "internal.h"

/* The broadcast tree in a node: proto/gossip.c says over which links an entry goes, here it is
 * sent. What is too large to be pushed, or came in a run, is announced; over an eager link that
 * means that no push will come, so it is asked for at once.
 *
 * Nothing here is needed for an entry to arrive: heads are compared whatever was pushed. */

bool tree_create(struct parley_node *node) {
    const struct parley_gossip_sizes sizes = {.links = (uint32_t)node->config.peers_max,
                                              .entries = PARLEY_TREE_ENTRIES_MAX,
                                              .waits_per_link = PARLEY_TREE_WAITS_PER_PEER,
                                              .wait_ms = PARLEY_GRAFT_AFTER_MS,
                                              .again_ms = PARLEY_GRAFT_AGAIN_MS,
                                              .late_ms = PARLEY_PUSH_LATE_MS,
                                              .is_broad = node->config.relay};
    node->tree.memory = calloc(1, parley_gossip_memory(&sizes));
    if (node->tree.memory != NULL)
        parley_gossip_init(&node->tree.gossip, &sizes, node->table_key, node->tree.memory);
    return node->tree.memory != NULL;
}

void tree_open(struct parley_node *node, struct peer *peer, uint64_t features) {
    bool is_tree = (features & PARLEY_WIRE_TREE) != 0 && !node->config.flood;
    parley_gossip_open(&node->tree.gossip, peer_slot(node, peer), is_tree);
}

static void tell_link(struct parley_node *node, const struct parley_gossip_word *word) {
    struct parley_wire_message message = {.type = word->is_graft ? PARLEY_WIRE_GRAFT
                                                                 : PARLEY_WIRE_PRUNE};
    message.as.prune.buckets = word->buckets;
    (void)peer_send_message(node, &node->peers[word->link], &message);
}

void tree_on_interest(struct parley_node *node, const struct peer *peer) {
    struct parley_gossip_word word;
    uint32_t link = peer_slot(node, peer);
    if (parley_gossip_set_broad(&node->tree.gossip, link, peer->mode == PARLEY_INTEREST_EVERYTHING,
                                &word))
        tell_link(node, &word);
    while (parley_gossip_spare(&node->tree.gossip, link, &word))
        tell_link(node, &word);
}

void tree_close(struct parley_node *node, struct peer *peer) {
    struct parley_gossip_word word;
    if (parley_gossip_close(&node->tree.gossip, peer_slot(node, peer), &word) && !node->is_stopping)
        tell_link(node, &word);
    deadline_lower(node, node->tree.gossip.next);
}

/* --- what came ----------------------------------------------------------------------------- */

static struct parley_wire_place place_of(const struct parley_log *log,
                                         const struct parley_run *run) {
    return (struct parley_wire_place){*log, run->hi, run->hi_id};
}

bool tree_awaits(const struct parley_node *node, const struct parley_log *log,
                 const struct parley_run *run) {
    struct parley_wire_place place = place_of(log, run);
    return parley_gossip_is_awaited(&node->tree.gossip, &place);
}

/* Only what was pushed, or was asked for because it was not: what is caught up with says nothing of
 * which link is the faster one. */
void tree_look_at(struct parley_node *node, struct peer *peer, const struct chunk_task *task,
                  enum parley_error error, const struct parley_run *run) {
    bool is_push = task->source == CHUNK_PUSH || task->source == CHUNK_OWN;
    bool is_new = error == PARLEY_E_OK;
    bool is_answer = is_new && task->source == CHUNK_RUN && task->check_held &&
                     tree_awaits(node, &task->log, run);
    if (!is_answer && !(is_push && (is_new || error == PARLEY_E_EXISTS)))
        return;
    struct parley_wire_place place = place_of(&task->log, run);
    uint32_t link =
        peer != NULL && peer->phase == PEER_OPEN ? peer_slot(node, peer) : PARLEY_GOSSIP_NOBODY;
    struct parley_gossip_word word;
    if (parley_gossip_on_entry(&node->tree.gossip, link, &place, is_new, node->now, &word))
        tell_link(node, &word);
}

void on_prune(struct parley_node *node, struct peer *peer, const struct parley_wire_prune *prune) {
    struct parley_gossip_word word = {peer_slot(node, peer), true, 0};
    word.buckets = parley_gossip_on_prune(&node->tree.gossip, word.link, prune->buckets);
    if (word.buckets != 0)
        tell_link(node, &word);
}

void on_graft(struct parley_node *node, struct peer *peer, const struct parley_wire_prune *graft) {
    parley_gossip_on_graft(&node->tree.gossip, peer_slot(node, peer), graft->buckets);
}

/* --- what goes ----------------------------------------------------------------------------- */

static bool takes(const struct parley_node *node, const struct peer *peer, uint32_t author,
                  parley_connection except) {
    return peer->phase == PEER_OPEN && peer->connection != except &&
           peer->unsent_bytes < peer_window(node, PARLEY_PUSH_WINDOW_BYTES) &&
           peer_wants(node, peer, author);
}

static void announce_now(struct parley_node *node) {
    struct tree *tree = &node->tree;
    uint8_t buffer[PARLEY_ANNOUNCED_MAX * 80];
    for (size_t i = 0; i < node->peers_count; i++) {
        struct peer *peer = &node->peers[i];
        struct parley_wire_message message = {.type = PARLEY_WIRE_ANNOUNCE};
        struct parley_writer writer;
        size_t count = 0;
        parley_writer_init(&writer, buffer, sizeof buffer);
        for (size_t k = 0; k < tree->announced_count; k++) {
            const struct log_row *row = &node->logs[tree->announced[k].log];
            struct parley_wire_place place = {row->log, row->durable.seq, row->durable.id};
            if (row->is_free || place.seq == 0 || !log_shows(row, place.seq) ||
                !takes(node, peer, row->author, tree->announced[k].except) ||
                parley_gossip_has(&tree->gossip, (uint32_t)i, &place))
                continue;
            parley_wire_put_place(&writer, &place);
            count++;
        }
        message.as.announce.places = parley_wire_list_of(&writer, count);
        if (count > 0)
            (void)peer_send_message(node, peer, &message);
    }
    for (size_t k = 0; k < tree->announced_count; k++)
        node->logs[tree->announced[k].log].is_announced = false;
    tree->announced_count = 0;
}

/* With all that comes in a moment, of each log the newest. */
static void announce_soon(struct parley_node *node, uint32_t log, parley_connection except) {
    struct tree *tree = &node->tree;
    if (node->logs[log].is_announced) {
        for (size_t k = 0; k < tree->announced_count; k++)
            if (tree->announced[k].log == log && tree->announced[k].except != except)
                tree->announced[k].except = 0;
        return;
    }
    if (tree->announced_count == PARLEY_ANNOUNCED_MAX)
        announce_now(node);
    if (tree->announced_count == 0) {
        tree->announce_at = node->now + PARLEY_ANNOUNCE_AFTER_MS;
        deadline_lower(node, tree->announce_at);
    }
    tree->announced[tree->announced_count++] = (struct announced){log, except};
    node->logs[log].is_announced = true;
}

/* To all links that are eager for it; true: there are others, which are to hear of it. */
static bool send_to_eager(struct parley_node *node, const struct parley_wire_place *place,
                          uint32_t author, parley_connection except,
                          const struct parley_wire_message *message) {
    struct parley_writer writer;
    struct parley_span bytes;
    bool any_lazy = false;
    parley_writer_init(&writer, node->compose, PARLEY_MESSAGE_BYTES_MAX);
    parley_wire_encode(&writer, message);
    if (parley_writer_finish(&writer, &bytes) != PARLEY_E_OK)
        return false;
    for (uint32_t i = 0; i < node->peers_count; i++) {
        if (!takes(node, &node->peers[i], author, except))
            continue;
        enum parley_gossip_way way = parley_gossip_way(&node->tree.gossip, i, place);
        any_lazy |= way == PARLEY_GOSSIP_ANNOUNCE;
        if (way == PARLEY_GOSSIP_PUSH && peer_send(node, &node->peers[i], bytes))
            parley_gossip_note(&node->tree.gossip, i, place);
    }
    return any_lazy;
}

void tree_push(struct parley_node *node, const struct pending_store *pending,
               struct parley_span chunk) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_PUSH};
    struct parley_wire_place place = place_of(&node->logs[pending->log].log, &pending->run);
    message.as.push.chunk = chunk;
    if (send_to_eager(node, &place, pending->author, pending->source_connection, &message))
        announce_soon(node, pending->log, pending->source_connection);
}

void tree_announce(struct parley_node *node, uint32_t log, parley_connection except,
                   bool is_prompt) {
    const struct log_row *row = &node->logs[log];
    struct parley_wire_message message = {.type = PARLEY_WIRE_ANNOUNCE};
    struct parley_wire_place place = {row->log, row->durable.seq, row->durable.id};
    uint8_t buffer[128];
    struct parley_writer writer;
    parley_writer_init(&writer, buffer, sizeof buffer);
    parley_wire_put_place(&writer, &place);
    message.as.announce.places = parley_wire_list_of(&writer, 1);
    if (!is_prompt || send_to_eager(node, &place, row->author, except, &message))
        announce_soon(node, log, except);
}

/* --- what was announced -------------------------------------------------------------------- */

/* The log of an announced entry, if that is wanted and not here; else NONE. */
static uint32_t lacks(const struct parley_node *node, const struct parley_wire_place *place) {
    uint32_t log = log_find(node, &place->log);
    return log != NONE && author_is_wanted(node, node->logs[log].author) &&
                   place->seq > log_newest(&node->logs[log])
               ? log
               : NONE;
}

/* The same of one that was announced a while ago: what came meanwhile may be above it. */
static uint32_t lacks_still(const struct parley_node *node, const struct parley_wire_place *place) {
    uint32_t log = log_find(node, &place->log);
    return log != NONE && author_is_wanted(node, node->logs[log].author) &&
                   place->seq >= log_floor(&node->logs[log]) &&
                   !parley_ranges_covers(&node->logs[log].ranges, place->seq)
               ? log
               : NONE;
}

/* An entry that is here is told of, and others below it are missing: who told may have these. */
static void want_below(struct parley_node *node, struct peer *peer,
                       const struct parley_wire_place *place) {
    uint32_t log = log_find(node, &place->log);
    if (log != NONE && author_is_wanted(node, node->logs[log].author) &&
        log_has_holes(node, &node->logs[log]))
        want(node, peer, log, place->seq, &place->id, 1);
}

void on_announce(struct parley_node *node, struct peer *peer,
                 const struct parley_wire_announce *announce) {
    struct parley_gossip *gossip = &node->tree.gossip;
    struct parley_wire_list places = announce->places;
    struct parley_wire_place place;
    uint32_t link = peer_slot(node, peer);
    while (parley_wire_next_place(&places, &place)) {
        uint32_t log = lacks(node, &place);
        if (log == NONE) {
            parley_gossip_note(gossip, link, &place);
            want_below(node, peer, &place);
        } else if (!peer->is_silent && parley_gossip_on_announce(gossip, link, &place, node->now) ==
                                           PARLEY_GOSSIP_ASK) {
            want(node, peer, log, place.seq, &place.id, 1);
        }
    }
    deadline_lower(node, gossip->next);
    fetch_pump(node);
}

void tree_ask_announcers(struct parley_node *node, uint32_t log, const struct parley_run *run) {
    struct parley_wire_place place = place_of(&node->logs[log].log, run);
    for (uint32_t i = 0; i < node->peers_count; i++)
        if (node->peers[i].phase == PEER_OPEN && parley_gossip_has(&node->tree.gossip, i, &place))
            want(node, &node->peers[i], log, place.seq, &place.id, 1);
}

void tree_gave_nothing(struct parley_node *node, uint32_t peer, uint32_t log) {
    parley_gossip_fail(&node->tree.gossip, peer, &node->logs[log].log);
    deadline_lower(node, node->tree.gossip.next);
}

/* Of the next one who announced it, unless something of the log is coming already. */
static void graft(struct parley_node *node, struct parley_gossip_entry *entry, uint32_t log) {
    struct parley_wire_place place = entry->place;
    uint32_t next = parley_gossip_announcer(&node->tree.gossip, entry);
    const struct peer *other = next == PARLEY_GOSSIP_NOBODY ? NULL : &node->peers[next];
    parley_time_ms busy_until = fetch_give_up(node, log, PARLEY_GRAFT_AGAIN_MS, other);
    struct parley_gossip_word word;
    if (busy_until != 0) {
        parley_gossip_put_off(entry, busy_until);
        return;
    }
    if (!parley_gossip_is_awaited(&node->tree.gossip, &place))
        return; /* who was asked in vain was the only one that announced it */
    uint32_t link = parley_gossip_graft(&node->tree.gossip, entry, node->now, &word);
    if (link == PARLEY_GOSSIP_NOBODY)
        return;
    if (word.buckets != 0)
        tell_link(node, &word);
    want(node, &node->peers[link], log, place.seq, &place.id, 1);
}

void tree_on_timer(struct parley_node *node) {
    struct tree *tree = &node->tree;
    struct parley_gossip_entry *entry;
    if (tree->announced_count > 0 && node->now >= tree->announce_at && effects_have_room(node))
        announce_now(node);
    if (tree->announced_count > 0)
        deadline_lower(node, tree->announce_at);
    while (effects_have_room(node) &&
           (entry = parley_gossip_due(&tree->gossip, node->now)) != NULL) {
        uint32_t log = lacks_still(node, &entry->place);
        if (log == NONE)
            parley_gossip_forget(&tree->gossip, entry);
        else
            graft(node, entry, log);
    }
    deadline_lower(node, tree->gossip.next);
}
