#include "internal.h"

/* How many links this node wants of its own, and to whom: the owner's addresses first (book.c),
 * then those that were linked for longest before the last stop, then one of the table, half of the
 * time of those that were reached before, never two of one group while there is another. */

static void set_places(struct parley_node *node, const struct parley_address *places,
                       size_t count) {
    struct views *views = &node->views;
    views->places_count = 0;
    for (size_t i = 0; i < count && i < PARLEY_ADVERTISED_MAX; i++) {
        views->places[i] = places[i];
        views->places[i].key = node->node_key;
        views->places_count++;
    }
}

/* A record with them is newer than the one before, and so takes its place at others. */
void on_places(struct parley_node *node, const struct parley_event *event) {
    set_places(node, event->places.places, event->places.places_count);
    if (node->wall > node->views.said_at)
        node->views.said_at = node->wall;
    effect_reply(node, event->places.request, PARLEY_E_OK);
}

void views_create(struct parley_node *node, const struct parley_node_config *config) {
    struct views *views = &node->views;
    uint8_t secret[16];
    parley_random_bytes(&node->random, secret, sizeof secret);
    book_table_init(views->table, secret);
    set_places(node, config->places, config->places_count);
    for (size_t i = 0; i < config->bootstrap_count && i < PARLEY_BOOTSTRAP_MAX; i++)
        if (!node_keys_meet(&config->bootstrap[i].key, &node->node_key))
            views->bootstrap[views->bootstrap_count++].address = config->bootstrap[i];
    node->config.places = node->config.bootstrap = NULL;
}

void views_start(struct parley_node *node) {
    struct views *views = &node->views;
    views->said_at = node->wall;
    views->anchors_left = PARLEY_ANCHOR_DIALS;
    views->dial_at = views->shuffle_at = node->now;
    views->feeler_at = node->now + PARLEY_FEELER_EVERY_MS;
    views->keep_at = node->now + PARLEY_BOOK_KEEP_MS;
    if (node->config.discover)
        views_keep_secret(node);
}

/* ---- how many ------------------------------------------------------------------------------ */

static bool is_own_dial(const struct peer *peer) {
    return peer->is_dialled && peer->phase != PEER_FREE && peer->phase != PEER_CLOSING;
}

size_t views_outbound(const struct parley_node *node) {
    size_t count = 0;
    for (size_t i = 0; i < node->peers_count; i++)
        count += is_own_dial(&node->peers[i]) && node->peers[i].phase == PEER_OPEN;
    return count;
}

/* Links that are there or may be soon; an owner's address that does not answer holds no place. */
static size_t outbound_hoped(const struct parley_node *node, size_t *dialling) {
    size_t count = 0;
    *dialling = 0;
    for (size_t i = 0; i < node->peers_count; i++) {
        const struct peer *peer = &node->peers[i];
        if (!is_own_dial(peer))
            continue;
        bool is_open = peer->phase == PEER_OPEN;
        bool is_learned = peer->view.known != NONE && !peer->view.is_feeler;
        count += is_open || is_learned;
        *dialling += is_learned && !is_open;
    }
    return count;
}

static size_t outbound_wanted(const struct parley_node *node) {
    size_t room = node->config.peers_max / 4;
    return node->config.outbound < room ? node->config.outbound : room;
}

static bool has_open_link(const struct parley_node *node) {
    for (size_t i = 0; i < node->peers_count; i++)
        if (node->peers[i].phase == PEER_OPEN)
            return true;
    return false;
}

bool views_have_lobby(const struct parley_node *node, const struct parley_remote *remote) {
    size_t count = 0, used = 0;
    for (size_t i = 0; i < node->peers_count; i++) {
        used += node->peers[i].phase != PEER_FREE;
        count += node->peers[i].phase != PEER_FREE && node->peers[i].view.is_lobby;
    }
    return node->config.discover && remote->network != PARLEY_NETWORK_NONE &&
           count < PARLEY_LOBBY_MAX && used + 2 * PARLEY_LOBBY_MAX <= node->config.peers_max;
}

/* ---- whom ---------------------------------------------------------------------------------- */

struct candidates {
    const struct parley_node *node;
    bool is_strict; /* none of a group that is linked already */
};

static bool is_linked(const struct parley_node *node, const struct parley_node_key *key) {
    for (size_t i = 0; i < node->peers_count; i++)
        if (node->peers[i].phase != PEER_FREE && node->peers[i].is_known &&
            node_keys_meet(&node->peers[i].node_key, key))
            return true;
    return false;
}

static bool is_group_linked(const struct parley_node *node, uint64_t group) {
    for (size_t i = 0; i < node->peers_count; i++)
        if (is_own_dial(&node->peers[i]) && node->peers[i].view.group == group)
            return true;
    return false;
}

static bool may_dial(const void *context, const struct book_item *item) {
    const struct candidates *candidates = context;
    const struct parley_node *node = candidates->node;
    return !item->is_busy && node->now >= item->dial_at &&
           !(candidates->is_strict && is_group_linked(node, item->group)) &&
           !is_linked(node, &item->key) && bans_until(node, &item->key) == 0 &&
           !book_holds(node, &item->key);
}

/* At the start half of the links are for who was linked for longest in all, before the last stop:
 * who fills the book meanwhile does not get those. */
static uint32_t choose_anchor(struct parley_node *node, size_t hoped) {
    struct views *views = &node->views;
    const struct candidates candidates = {node, false};
    size_t wanted = outbound_wanted(node);
    if (views->anchors_left == 0 || hoped >= wanted - wanted / 2)
        return NONE;
    uint32_t index = book_table_longest(views->table, may_dial, &candidates);
    views->anchors_left = index == BOOK_NONE ? 0 : views->anchors_left - 1;
    return index;
}

static uint32_t choose_known(struct parley_node *node) {
    struct candidates candidates = {node, true};
    bool tried = parley_random_below(&node->random, 2) == 0;
    for (unsigned i = 0; i < 4; i++) {
        candidates.is_strict = i < 2;
        uint32_t index = book_table_choose(node->views.table, tried ^ (i & 1), &node->random,
                                           may_dial, &candidates);
        if (index != BOOK_NONE)
            return index;
    }
    return NONE;
}

/* While nobody is linked and nobody else is to be dialled. */
static uint32_t choose_bootstrap(struct parley_node *node) {
    struct views *views = &node->views;
    uint32_t chosen = NONE;
    uint64_t seen = 0;
    for (uint32_t i = 0; !has_open_link(node) && i < views->bootstrap_count; i++) {
        struct bootstrap_row *row = &views->bootstrap[i];
        if (!row->is_busy && node->now >= row->dial_at && !is_linked(node, &row->address.key) &&
            bans_until(node, &row->address.key) == 0 && !book_holds(node, &row->address.key) &&
            parley_random_below(&node->random, ++seen) == 0)
            chosen = VIEWS_BOOTSTRAP + i;
    }
    return chosen;
}

/* ---- dialling ------------------------------------------------------------------------------ */

static struct peer *dial(struct parley_node *node, uint32_t known) {
    struct views *views = &node->views;
    struct parley_address address;
    bool is_listed = known >= VIEWS_BOOTSTRAP;
    if (is_listed)
        address = views->bootstrap[known - VIEWS_BOOTSTRAP].address;
    else
        book_table_address(views->table, known, &address);
    struct peer *peer = peer_dial_at(node, &address, is_listed);
    if (peer == NULL)
        return NULL;
    peer->view.known = known;
    if (is_listed)
        views->bootstrap[known - VIEWS_BOOTSTRAP].is_busy = true;
    else
        views->table->items[known].is_busy = true;
    return peer;
}

static void dial_outbound(struct parley_node *node) {
    struct views *views = &node->views;
    size_t dialling;
    if (node->now < views->dial_at)
        return;
    size_t hoped = outbound_hoped(node, &dialling);
    views->dial_at = node->now + PARLEY_VIEWS_LOOK_MS;
    if (hoped >= outbound_wanted(node) || dialling >= PARLEY_DIALS_MAX)
        return;
    uint32_t known = choose_anchor(node, hoped);
    if (known == NONE)
        known = choose_known(node);
    if (known == NONE)
        known = choose_bootstrap(node);
    if (known != NONE && dial(node, known) != NULL)
        views->dial_at = node->now + PARLEY_DIAL_PACE_MS;
}

/* Beside may_dial: who came in by itself is felt, too, since that says nothing of its address. */
static bool may_feel(const void *context, const struct book_item *item) {
    const struct parley_node *node = context;
    return !item->is_busy && !item->is_reached && node->now >= item->dial_at &&
           bans_until(node, &item->key) == 0;
}

/* One dial now and then shows whether what was heard of is there: only what was reached is told on,
 * and is to be had when it is needed. */
static void dial_feeler(struct parley_node *node) {
    struct views *views = &node->views;
    if (node->now < views->feeler_at)
        return;
    parley_time_ms every = views->table->tried_count < PARLEY_BOOK_FEW ? PARLEY_FEELER_SOON_MS
                                                                       : PARLEY_FEELER_EVERY_MS;
    uint32_t known = book_table_test(views->table);
    if (known == BOOK_NONE)
        known = book_table_choose(views->table, false, &node->random, may_feel, node);
    if (known == BOOK_NONE) /* it says that it has moved */
        known = book_table_choose(views->table, true, &node->random, may_feel, node);
    struct peer *peer = known == BOOK_NONE ? NULL : dial(node, known);
    if (peer != NULL)
        peer->view.is_feeler = true;
    else
        every = PARLEY_FEELER_EVERY_MS; /* nobody: views_look_again when there is somebody */
    views->feeler_at = node->now + every / 2 + parley_random_below(&node->random, every);
}

/* ---- what becomes of a link ----------------------------------------------------------------- */

void views_on_felt(struct parley_node *node, struct peer *peer) {
    peer->view.is_felt = true;
    if (peer->view.known < VIEWS_BOOTSTRAP)
        book_table_reached(node->views.table, peer->view.known);
    peer->phase = PEER_HELLO; /* a goodbye is heard from here on */
    peer_close(node, peer, PARLEY_E_OK, PARLEY_GOODBYE_STOPPING);
}

bool views_on_open(struct parley_node *node, struct peer *peer) {
    uint32_t known = peer->view.known;
    if (known < VIEWS_BOOTSTRAP)
        book_table_reached(node->views.table, known);
    if (peer->view.is_lobby) {
        shuffle_give(node, peer);
        peer_close(node, peer, PARLEY_E_FULL, PARLEY_GOODBYE_FULL);
        return false;
    }
    shuffle_ask(node, peer);
    return true;
}

/* Half of it is chance: those whom one event has cut do not come back at once. */
static parley_time_ms pause_after(struct parley_node *node, unsigned failures) {
    parley_time_ms pause = (parley_time_ms)PARLEY_KNOWN_BACKOFF_MIN_MS
                           << (failures < 16 ? failures : 16);
    if (pause > PARLEY_KNOWN_BACKOFF_MAX_MS)
        pause = PARLEY_KNOWN_BACKOFF_MAX_MS;
    return pause / 2 + parley_random_below(&node->random, pause / 2 + 1);
}

/* While nothing at all is linked it may be our own line that is cut: nobody is blamed. */
static void known_on_closed(struct parley_node *node, const struct peer *peer) {
    struct book_item *item = &node->views.table->items[peer->view.known];
    bool was_open = peer->opened_at != 0 || peer->view.is_felt;
    parley_time_ms at = node->now + pause_after(node, was_open ? 0 : item->failures);
    item->is_busy = false;
    if (peer->view.is_felt)
        return;
    if (item->dial_at < at)
        item->dial_at = at;
    if (peer->view.is_turned_away)
        item->dial_at += PARLEY_TURNED_AWAY_MS;
    if (!was_open && has_open_link(node))
        book_table_failed(node->views.table, peer->view.known);
}

void views_shun(struct parley_node *node, const struct parley_node_key *key) {
    uint32_t index = book_table_find(node->views.table, key);
    if (index != BOOK_NONE)
        node->views.table->items[index].dial_at = node->now + PARLEY_SHUNNED_MS;
}

static void listed_on_closed(struct parley_node *node, const struct peer *peer) {
    struct bootstrap_row *row = &node->views.bootstrap[peer->view.known - VIEWS_BOOTSTRAP];
    row->is_busy = false;
    row->failures = peer->opened_at != 0 ? 0 : row->failures + (row->failures < 16);
    row->dial_at = node->now + PARLEY_VIEWS_LOOK_MS * (1 + row->failures);
}

void views_count_link(struct parley_node *node, struct peer *peer) {
    struct peer_view *view = &peer->view;
    if (peer->opened_at == 0 || view->known >= VIEWS_BOOTSTRAP)
        return;
    if (view->counted_at < peer->opened_at)
        view->counted_at = peer->opened_at;
    uint32_t seconds = (uint32_t)((node->now - view->counted_at) / 1000);
    view->counted_at += (parley_time_ms)seconds * 1000;
    book_table_linked(node->views.table, view->known, seconds);
}

void views_on_closed(struct parley_node *node, struct peer *peer) {
    uint32_t known = peer->view.known;
    if (known == NONE)
        return;
    views_count_link(node, peer);
    peer->view.known = NONE;
    struct peer gone = *peer;
    gone.view.known = known;
    if (known < VIEWS_BOOTSTRAP)
        known_on_closed(node, &gone);
    else
        listed_on_closed(node, &gone);
    views_look_again(node);
}

void views_look_again(struct parley_node *node) {
    struct views *views = &node->views;
    parley_time_ms at = node->now + PARLEY_DIAL_PACE_MS;
    if (at < views->dial_at)
        views->dial_at = at;
    if (views->table->tried_count < PARLEY_BOOK_FEW &&
        node->now + PARLEY_FEELER_SOON_MS < views->feeler_at)
        views->feeler_at = node->now + PARLEY_FEELER_SOON_MS;
    if (node->config.discover && node->is_started)
        deadline_lower(node, views->dial_at < views->feeler_at ? views->dial_at : views->feeler_at);
}

/* ---- time ---------------------------------------------------------------------------------- */

static bool may_ask(const struct parley_node *node, const struct peer *peer) {
    return peer->phase == PEER_OPEN && peer->view.is_addressing &&
           peer->view.remote.network != PARLEY_NETWORK_NONE &&
           node->now - peer->view.asked_at >= PARLEY_SHUFFLE_PAUSE_MS;
}

static void shuffle_with_one(struct parley_node *node) {
    struct views *views = &node->views;
    struct peer *chosen = NULL;
    uint64_t seen = 0;
    size_t dialling;
    if (node->now < views->shuffle_at)
        return;
    bool is_short = outbound_hoped(node, &dialling) < outbound_wanted(node);
    parley_time_ms every = is_short ? PARLEY_SHUFFLE_SHORT_MS : PARLEY_SHUFFLE_EVERY_MS;
    views->shuffle_at = node->now + every / 2 + parley_random_below(&node->random, every);
    for (size_t i = 0; i < node->peers_count; i++)
        if (may_ask(node, &node->peers[i]) && parley_random_below(&node->random, ++seen) == 0)
            chosen = &node->peers[i];
    if (chosen != NULL)
        shuffle_ask(node, chosen);
}

void views_on_timer(struct parley_node *node) {
    struct views *views = &node->views;
    if (!node->config.discover || !node->is_started || node->is_stopping)
        return;
    dial_outbound(node);
    dial_feeler(node);
    shuffle_with_one(node);
    if (node->now >= views->keep_at) {
        views->keep_at = node->now + PARLEY_BOOK_KEEP_MS;
        views_keep(node);
    }
    deadline_lower(node, views->dial_at);
    deadline_lower(node, views->feeler_at);
    deadline_lower(node, views->shuffle_at);
    deadline_lower(node, views->keep_at);
}

void views_invariants(const struct parley_node *node) {
    const struct views *views = &node->views;
    size_t busy = 0, linked = 0;
    if (views->table->count == 0)
        return;
    book_table_check(views->table);
    for (size_t i = 0; i < PARLEY_BOOK_ITEMS_MAX; i++)
        busy += views->table->items[i].is_busy;
    for (size_t i = 0; i < node->peers_count; i++) {
        uint32_t known = node->peers[i].view.known;
        if (node->peers[i].phase == PEER_FREE || known >= VIEWS_BOOTSTRAP)
            continue;
        assert(views->table->items[known].is_busy);
        linked++;
    }
    assert(busy == linked);
}
