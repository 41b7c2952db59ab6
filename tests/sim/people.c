#include "sim.h"

#include <parley/body.h>
#include <stdio.h>
#include <stdlib.h>

/* Who is there and what they do: relays that know one another, persons who dial relays or friends,
 * most of them authors; each follows some of the others and posts now and then, in bursts. */

#define ACT_MS         2500u /* an owner does something about that often */
#define BURST_ONE_IN   6u
#define LARGE_ONE_IN   40u /* too large to be pushed: announced, and asked for */
#define TEXT_BYTES_MAX 40000u
#define ERASE_ONE_IN   8u

/* --- making them --------------------------------------------------------------------------- */

static void make_node_key(struct sim *sim, uint32_t node) {
    struct sim_node *host = &sim->nodes[node];
    struct parley_seed seed;
    parley_random_bytes(&sim->random, seed.bytes, sizeof seed.bytes);
    parley_key_pair(&host->key, host->address.key.bytes, &seed);
    snprintf(host->address.transport, sizeof host->address.transport, "tcp");
    snprintf(host->address.host, sizeof host->address.host, "9.%u.0.1", node);
    host->address.port = 4000;
    host->hops = sim_chance(sim, 4) ? 2 : 1;
}

/* Most have a person of their own. A few are the second device of another, or a copied home. */
static void choose_author(struct sim *sim, uint32_t node) {
    struct sim_node *host = &sim->nodes[node];
    uint32_t other = (uint32_t)sim_below(sim, node + 1);
    bool is_shared = other != node && sim->nodes[other].has_author;
    host->has_author = true;
    if (is_shared && sim->enabled[BAD_TWINS] && sim_chance(sim, 10)) {
        host->author = sim->nodes[other].author;
        host->log = sim->nodes[other].log;
        sim->logs[host->log].kind = LOG_TORN;
        fault_fired(sim, BAD_TWINS);
        return;
    }
    if (is_shared && sim->enabled[BAD_SECOND_DEVICE] && sim_chance(sim, 6)) {
        host->author = sim->nodes[other].author;
        fault_fired(sim, BAD_SECOND_DEVICE);
    } else {
        host->author = author_add(sim);
    }
    host->log = log_add(sim, host->author, node, LOG_HONEST);
}

static void make_author(struct sim *sim, uint32_t node) {
    choose_author(sim, node);
    struct sim_node *host = &sim->nodes[node];
    const struct sim_author *author = &sim->authors[host->author];
    if (!home_make(host->disk.store, author->entropy, &author->author,
                   &sim->logs[host->log].device))
        sim_fail(sim, "the identity of n%u was not stored", node);
}

static void make_home(struct sim *sim, uint32_t node, bool has_author) {
    struct sim_disk *disk = &sim->nodes[node].disk;
    disk->disk = parley_disk_create();
    if (disk->disk == NULL || parley_kv_memory_open(&disk->kv, disk->disk, true) != PARLEY_E_OK ||
        parley_store_open(&disk->store, disk->kv, true) != PARLEY_E_OK)
        sim_fail(sim, "no disk for n%u", node);
    if (has_author)
        make_author(sim, node);
    parley_store_close(disk->store);
    disk->kv->calls->close(disk->kv);
    disk->store = NULL;
    disk->kv = NULL;
}

static void dials(struct sim *sim, uint32_t node, uint32_t to) {
    struct sim_node *host = &sim->nodes[node];
    for (size_t i = 0; i < host->peers_count; i++)
        if (host->peers_index[i] == to)
            return;
    host->peers_index[host->peers_count] = to;
    host->peers[host->peers_count++] = sim->nodes[to].address;
}

static void make_links(struct sim *sim, uint32_t node, uint32_t relays) {
    if (node < relays) {
        if (node > 0)
            dials(sim, node, (uint32_t)sim_below(sim, node));
        return;
    }
    if (node > relays &&
        sim_chance(sim, 6)) { /* behind a friend: reached only as far as he cares */
        dials(sim, node, relays + (uint32_t)sim_below(sim, node - relays));
        return;
    }
    dials(sim, node, (uint32_t)sim_below(sim, relays));
    if (sim_chance(sim, 2))
        dials(sim, node, (uint32_t)sim_below(sim, relays));
    if (sim_chance(sim, 3)) {
        uint32_t friend = (uint32_t)sim_below(sim, sim->config.nodes_count);
        sim->nodes[node].friends_wanted[friend] = friend != node;
    }
}

void people_make(struct sim *sim) {
    uint32_t count = sim->config.nodes_count, relays = count < 8 ? 1 : count / 4;
    for (uint32_t i = 0; i < count; i++)
        sim->nodes[i].author = sim->nodes[i].log = SIM_NOBODY;
    for (uint32_t i = 0; i < count; i++) {
        struct sim_node *host = &sim->nodes[i];
        make_node_key(sim, i);
        host->is_relay = i < relays;
        bool writes = host->is_relay ? sim_chance(sim, 4) : i == relays || !sim_chance(sim, 4);
        make_home(sim, i, writes);
    }
    for (uint32_t i = 0; i < count; i++) {
        make_links(sim, i, relays);
        for (uint32_t j = 0; j < sim->authors_count; j++)
            sim->nodes[i].follows_wanted[j] = sim->nodes[i].author != j && sim_chance(sim, 2);
    }
}

/* --- what they do -------------------------------------------------------------------------- */

uint64_t people_ask(struct sim *sim, struct sim_request request) {
    if (sim->requests_count == sim->requests_max) {
        sim->requests_max = sim->requests_max == 0 ? 1024 : sim->requests_max * 2;
        sim->requests = realloc(sim->requests, sim->requests_max * sizeof *sim->requests);
        if (sim->requests == NULL)
            abort();
    }
    request.life = sim->nodes[request.node].life;
    sim->requests[sim->requests_count++] = request;
    return sim->requests_count;
}

static void publish(struct sim *sim, uint32_t node) {
    static struct parley_body body;
    static char text[TEXT_BYTES_MAX];
    static uint8_t bytes[TEXT_BYTES_MAX + 64];
    size_t size = 1 + (size_t)sim_below(sim, sim_chance(sim, LARGE_ONE_IN) ? TEXT_BYTES_MAX : 300);
    for (size_t i = 0; i < size; i++)
        text[i] = (char)('a' + (i * 7 + sim->requests_count) % 26);
    body = (struct parley_body){.kind = PARLEY_BODY_POST};
    body.post.text = PARLEY_SPAN(text, size);
    struct parley_event event = {.kind = PARLEY_EVENT_PUBLISH};
    if (parley_body_encode(&event.publish.body, bytes, sizeof bytes, &body) != PARLEY_E_OK)
        abort();
    event.publish.request =
        people_ask(sim, (struct sim_request){.kind = REQUEST_PUBLISH, .node = node});
    sim->nodes[node].published++;
    host_step(sim, node, &event);
}

/* One of those that are kept; NULL: none, or one that was taken back already. */
static struct sim_known *entry_to_erase(struct sim *sim, uint32_t node) {
    struct sim_log *log = &sim->logs[sim->nodes[node].log];
    if (log->known_count == 0)
        return NULL;
    struct sim_known *known = &log->known[sim_below(sim, log->known_count)];
    return known->is_acknowledged && !known->is_taken_back && !known->is_erasure ? known : NULL;
}

static void erase(struct sim *sim, uint32_t node, struct sim_known *known) {
    static struct parley_body body;
    uint8_t bytes[256];
    struct sim_node *host = &sim->nodes[node];
    struct parley_event event = {.kind = PARLEY_EVENT_PUBLISH};
    body = (struct parley_body){.kind = PARLEY_BODY_ERASE};
    body.erase.refs_count = 1;
    body.erase.refs[0] = (struct parley_ref){sim->authors[host->author].author,
                                             sim->logs[host->log].log, known->seq, known->id};
    if (parley_body_encode(&event.publish.body, bytes, sizeof bytes, &body) != PARLEY_E_OK)
        abort();
    known->is_taken_back = true;
    event.publish.request = people_ask(
        sim, (struct sim_request){.kind = REQUEST_PUBLISH, .node = node, .erased = known->seq});
    host->published++;
    fault_fired(sim, FAULT_ERASED);
    host_step(sim, node, &event);
}

static void follow(struct sim *sim, uint32_t node, uint32_t whom) {
    struct sim_node *host = &sim->nodes[node];
    struct parley_event event = {.kind = PARLEY_EVENT_FOLLOW};
    bool on = host->follows_wanted[whom];
    event.follow.request = people_ask(
        sim, (struct sim_request){.kind = REQUEST_FOLLOW, .node = node, .whom = whom, .on = on});
    event.follow.author = sim->authors[whom].author;
    event.follow.on = on;
    event.follow.is_private = sim_chance(sim, 3);
    host->follows[whom] = FOLLOW_UNKNOWN;
    host->follow_asked[whom] = event.follow.request;
    host_step(sim, node, &event);
}

static void connect(struct sim *sim, uint32_t node, uint32_t to) {
    struct parley_event event = {.kind = PARLEY_EVENT_CONNECT};
    event.connect.request =
        people_ask(sim, (struct sim_request){.kind = REQUEST_CONNECT, .node = node, .whom = to});
    event.connect.address = sim->nodes[to].address;
    host_step(sim, node, &event);
}

static void disconnect(struct sim *sim, uint32_t node, uint32_t from) {
    struct parley_event event = {.kind = PARLEY_EVENT_DISCONNECT};
    event.disconnect.request = people_ask(
        sim, (struct sim_request){.kind = REQUEST_DISCONNECT, .node = node, .whom = from});
    event.disconnect.key = sim->nodes[from].address.key;
    sim->nodes[node].friends[from] = sim->nodes[node].friends_wanted[from] = false;
    fault_fired(sim, BAD_DISCONNECTS);
    host_step(sim, node, &event);
}

/* Whom the owner added by hand, and nobody whom the command line names. */
static void forget_a_friend(struct sim *sim, uint32_t node) {
    struct sim_node *host = &sim->nodes[node];
    uint32_t friend = (uint32_t)sim_below(sim, sim->config.nodes_count);
    bool is_dialled = false;
    for (size_t i = 0; i < host->peers_count; i++)
        is_dialled |= host->peers_index[i] == friend;
    if (host->friends[friend] && !is_dialled)
        disconnect(sim, node, friend);
    else if (friend != node && sim_chance(sim, 4))
        host->friends_wanted[friend] = true;
}

/* One question about one author at a time; a killed node answers none. */
static bool is_asked(const struct sim *sim, const struct sim_node *host, uint32_t whom) {
    if (host->follow_asked[whom] == 0)
        return false;
    const struct sim_request *request = &sim->requests[host->follow_asked[whom] - 1];
    return !request->is_answered && request->life == host->life;
}

static bool is_follow_due(const struct sim_node *host, uint32_t whom) {
    enum sim_follow is = host->follows[whom];
    return host->follows_wanted[whom] ? is != FOLLOW_ON : is != FOLLOW_NEVER && is != FOLLOW_OFF;
}

/* One of the changes that are due; false when there is none. */
static bool change_something(struct sim *sim, uint32_t node) {
    struct sim_node *host = &sim->nodes[node];
    uint32_t authors = sim->authors_count, from = (uint32_t)sim_below(sim, authors);
    uint32_t count = sim->config.nodes_count;
    for (uint32_t i = 0; i < authors; i++) {
        uint32_t whom = (from + i) % authors;
        if (is_follow_due(host, whom) && !is_asked(sim, host, whom)) {
            follow(sim, node, whom);
            return true;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t whom = (from + i) % count;
        if (host->friends_wanted[whom] && !host->friends[whom]) {
            connect(sim, node, whom);
            return true;
        }
    }
    return false;
}

static void change_mind(struct sim *sim, uint32_t node) {
    uint32_t whom = (uint32_t)sim_below(sim, sim->authors_count);
    struct sim_node *host = &sim->nodes[node];
    if (whom != host->author)
        host->follows_wanted[whom] = !host->follows_wanted[whom] || sim_chance(sim, 2);
}

static void publish_something(struct sim *sim, uint32_t node) {
    struct sim_known *known = sim->enabled[FAULT_ERASED] && sim_chance(sim, ERASE_ONE_IN)
                                  ? entry_to_erase(sim, node)
                                  : NULL;
    if (known != NULL)
        erase(sim, node, known);
    else
        publish(sim, node);
}

static void run_act(struct sim *sim, struct sim_item *item) {
    uint32_t node = (uint32_t)item->number;
    struct sim_node *host = &sim->nodes[node];
    if (host->core != NULL) {
        if (sim->has_faults && sim_chance(sim, 10))
            change_mind(sim, node);
        if (sim->has_faults && sim->enabled[BAD_DISCONNECTS] && sim_chance(sim, 12))
            forget_a_friend(sim, node);
        bool changes = (!sim->has_faults || sim_chance(sim, 3)) && change_something(sim, node);
        unsigned posts = sim_chance(sim, BURST_ONE_IN) ? 2 + (unsigned)sim_below(sim, 8) : 1;
        for (unsigned i = 0; sim->has_faults && !changes && host->has_author && i < posts; i++)
            publish_something(sim, node);
    }
    sim_put(sim, 1 + sim_below(sim, 2 * ACT_MS), SIM_NOBODY, run_act, NULL, node);
}

void people_begin(struct sim *sim) {
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        sim_put(sim, sim_below(sim, ACT_MS), SIM_NOBODY, run_act, NULL, i);
}

bool people_are_done(const struct sim *sim) {
    for (uint32_t i = 0; i < sim->config.nodes_count; i++) {
        for (uint32_t j = 0; j < sim->authors_count; j++)
            if (is_follow_due(&sim->nodes[i], j))
                return false;
        for (uint32_t j = 0; j < sim->config.nodes_count; j++)
            if (sim->nodes[i].friends_wanted[j] && !sim->nodes[i].friends[j])
                return false;
    }
    return true;
}

/* --- answers ------------------------------------------------------------------------------- */

/* From now on the entry is without its words wherever the erasure is and has been swept. */
static void on_erased(struct sim *sim, struct sim_log *log, parley_seq erased,
                      const struct parley_effect *effect) {
    for (size_t i = 0; i < log->known_count; i++)
        if (log->known[i].seq == erased && log->known[i].is_taken_back)
            log->known[i].erased_by = effect->reply.seq;
    ledger_take(log, effect->reply.seq, &effect->reply.id)->is_erasure = true;
}

static void on_published(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    struct sim_node *host = &sim->nodes[node];
    if (effect->reply.error != PARLEY_E_OK) {
        host->refused++;
        return;
    }
    host->acknowledged++;
    sim->acknowledged++;
    if (!PARLEY_EQUAL(effect->reply.log, sim->logs[host->log].log))
        sim_fail(sim, "n%u acknowledged a post in a log that is not its own", node);
    check_acknowledged(sim, node, effect->reply.seq, &effect->reply.id);
    parley_seq erased = sim->requests[effect->reply.request - 1].erased;
    if (erased != 0)
        on_erased(sim, &sim->logs[host->log], erased, effect);
}

void people_on_reply(struct sim *sim, uint32_t node, const struct parley_effect *effect) {
    struct sim_node *host = &sim->nodes[node];
    if (effect->reply.request == 0 || effect->reply.request > sim->requests_count)
        sim_fail(sim, "n%u answers what nobody asked", node);
    struct sim_request *request = &sim->requests[effect->reply.request - 1];
    if (request->is_answered || request->node != node || request->life != host->life)
        sim_fail(sim, "n%u answers a request of another or for the second time", node);
    request->is_answered = true;
    bool is_ok = effect->reply.error == PARLEY_E_OK;
    switch (request->kind) {
    case REQUEST_PUBLISH:
        on_published(sim, node, effect);
        return;
    case REQUEST_FOLLOW:
        if (is_ok)
            host->follows[request->whom] = request->on ? FOLLOW_ON : FOLLOW_OFF;
        if (is_ok && effect->reply.seq != 0)
            check_acknowledged(sim, node, effect->reply.seq, &effect->reply.id);
        return;
    case REQUEST_CONNECT:
        host->friends[request->whom] |= is_ok && host->friends_wanted[request->whom];
        return;
    case REQUEST_DISCONNECT:
        return;
    case REQUEST_IMPORT:
        piece_on_reply(sim, request, effect->reply.error);
        return;
    }
}

void people_clear(struct sim *sim) {
    free(sim->requests);
    sim->requests = NULL;
}
