#include "internal.h"
#include "traffic.h"

/* Connections: handshake, hello, silence, the end. */

struct peer *peer_find(struct parley_node *node, parley_connection connection) {
    for (size_t i = 0; i < node->peers_count; i++)
        if (node->peers[i].phase != PEER_FREE && node->peers[i].connection == connection)
            return &node->peers[i];
    return NULL;
}

uint32_t peer_slot(const struct parley_node *node, const struct peer *peer) {
    return peer == NULL ? NONE : (uint32_t)(peer - node->peers);
}

/* A moment that tells nothing: who waits without the key is closed like who knew too little. */
static parley_time_ms handshake_deadline(struct parley_node *node) {
    return node->now + PARLEY_HANDSHAKE_MS +
           parley_random_below(&node->random, PARLEY_HANDSHAKE_JITTER_MS);
}

static struct peer *peer_take(struct parley_node *node, parley_connection connection,
                              enum peer_phase phase) {
    size_t slot = 0;
    while (slot < node->peers_count && node->peers[slot].phase != PEER_FREE)
        slot++;
    if (slot == node->config.peers_max)
        return NULL;
    if (slot == node->peers_count)
        node->peers_count++;
    struct peer *peer = &node->peers[slot];
    memset(peer, 0, sizeof *peer);
    peer->phase = phase;
    peer->connection = connection;
    peer->book = NONE;
    peer->view.known = NONE;
    peer->stalled = NONE;
    peer->evidence_serve = NONE;
    budget_begin(node, peer);
    peer->since = node->now;
    peer->deadline = handshake_deadline(node);
    deadline_lower(node, peer->deadline);
    return peer;
}

static void close_effect(struct parley_node *node, parley_connection connection,
                         enum parley_error reason) {
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_CLOSE);
    effect->close.connection = connection;
    effect->close.reason = reason;
}

void on_accepted(struct parley_node *node, parley_connection connection,
                 const struct parley_remote *remote) {
    /* A quarter of the places is for those whom we dial: strangers cannot take them all. */
    size_t accepted = 0;
    for (size_t i = 0; i < node->peers_count; i++)
        accepted += node->peers[i].phase != PEER_FREE && !node->peers[i].is_dialled &&
                    !node->peers[i].view.is_lobby;
    bool is_full = accepted >= node->config.peers_max - node->config.peers_max / 4;
    if (node->is_stopping) {
        close_effect(node, connection, PARLEY_E_OK);
        return;
    }
    if (bans_hold_place(node, remote)) {
        effect_log(node, PARLEY_LOG_DEBUG, PARLEY_E_FULL, connection, "kept out");
        close_effect(node, connection, PARLEY_E_FULL);
        return;
    }
    bool is_lobby = is_full && views_have_lobby(node, remote);
    struct peer *peer = is_full && !is_lobby ? NULL : peer_take(node, connection, PEER_LINKING);
    if (peer == NULL) {
        effect_log(node, PARLEY_LOG_WARNING, PARLEY_E_FULL, connection, "no place for a peer");
        close_effect(node, connection, PARLEY_E_FULL);
        return;
    }
    peer->view.remote = *remote;
    peer->view.is_lobby = is_lobby;
    struct parley_link_chance chance;
    parley_link_chance_draw(&chance, &node->random);
    parley_link_init_listener(&peer->link, &node->config.node_key, &chance,
                              node->config.prelude_size);
    parley_wipe(&chance, sizeof chance);
}

struct peer *peer_dial_at(struct parley_node *node, const struct parley_address *address,
                          bool is_owners) {
    struct peer *peer = peer_take(node, node->next_dial, PEER_DIALLING);
    if (peer == NULL)
        return NULL;
    node->next_dial += 2;
    peer->is_dialled = true;
    budget_begin(node, peer);
    peer->is_known = true;
    peer->node_key = address->key;
    peer->view.group = book_group_of_place(node->views.table, address);
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_DIAL);
    effect->dial.connection = peer->connection;
    effect->dial.address = *address;
    effect->dial.is_owners = is_owners;
    return peer;
}

bool peer_dial(struct parley_node *node, uint32_t book) {
    struct peer *peer = peer_dial_at(node, &node->book[book].address, true);
    if (peer == NULL)
        return false;
    peer->book = book;
    node->book[book].peer = peer_slot(node, peer);
    return true;
}

static void send_bytes(struct parley_node *node, struct peer *peer, struct parley_span bytes) {
    struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_SEND);
    effect->send.connection = peer->connection;
    effect->send.bytes = bytes;
    if (peer->unsent_bytes == 0) /* its time to take something begins */
        peer->taken_at = node->now;
    peer->sent_bytes += bytes.size;
    peer->unsent_bytes += bytes.size;
    node->unsent_bytes += bytes.size;
}

static void send_flight(struct parley_node *node, struct peer *peer, const uint8_t *flight,
                        size_t size) {
    uint8_t *out = size == 0 ? NULL : out_take(node, size);
    if (out == NULL)
        return;
    memcpy(out, flight, size);
    send_bytes(node, peer, PARLEY_SPAN(out, size));
}

void on_dialled(struct parley_node *node, parley_connection connection,
                const struct parley_remote *remote) {
    struct peer *peer = peer_find(node, connection);
    if (peer == NULL || peer->phase != PEER_DIALLING)
        return;
    peer->phase = PEER_LINKING;
    peer->view.remote = *remote;
    peer->deadline = handshake_deadline(node);
    deadline_lower(node, peer->deadline);
    if ((peer->book == NONE && peer->view.known == NONE) ||
        node->is_stopping) { /* the owner thought better of it meanwhile */
        peer_close(node, peer, PARLEY_E_OK, PARLEY_GOODBYE_STOPPING);
        return;
    }
    uint8_t prelude[PARLEY_PRELUDE_BYTES_MAX];
    struct parley_span said = node->config.prelude;
    if (said.size != node->config.prelude_size) {
        parley_link_prelude_draw(prelude, node->config.prelude_size, &node->random);
        said = PARLEY_SPAN(prelude, node->config.prelude_size);
    }
    struct parley_link_chance chance;
    parley_link_chance_draw(&chance, &node->random);
    uint8_t flight[PARLEY_LINK_FLIGHT_MAX];
    size_t size = 0;
    enum parley_error error = parley_link_init_dialler(&peer->link, &node->config.node_key,
                                                       &peer->node_key, &chance, said);
    if (error == PARLEY_E_OK)
        error = parley_link_start(&peer->link, flight, &size);
    parley_wipe(&chance, sizeof chance);
    if (error != PARLEY_E_OK)
        peer_close(node, peer, error, PARLEY_GOODBYE_FAULT);
    else
        send_flight(node, peer, flight, size);
}

/* Frees the slot and all that hangs on it. */
static void peer_free(struct parley_node *node, struct peer *peer) {
    uint32_t slot = peer_slot(node, peer), book = peer->book;
    bool lasted = peer->opened_at != 0 && node->now - peer->opened_at >= PARLEY_LINK_LASTED_MS;
    peer->phase = PEER_CLOSING; /* what ends with it is told to others alone */
    for (size_t i = 0; i < PARLEY_JOBS_MAX; i++)
        if (node->jobs[i].state != JOB_FREE && node->jobs[i].peer == slot)
            job_give(node, &node->jobs[i]);
    serve_drop_peer(node, slot);
    fetch_drop_peer(node, slot);
    parents_drop_peer(node, &node->peers[slot]);
    bodies_drop_peer(node, slot);
    identity_drop_peer(node, peer);
    sessions_drop_peer(node, peer);
    tree_close(node, peer);
    interest_clear(node, peer);
    parley_link_close(&peer->link);
    node->unsent_bytes -= peer->unsent_bytes;
    peer->phase = PEER_FREE;
    views_on_closed(node, peer);
    peer->connection = 0;
    while (node->peers_count > 0 && node->peers[node->peers_count - 1].phase == PEER_FREE)
        node->peers_count--;
    if (book != NONE)
        book_on_closed(node, book, lasted);
}

void on_dial_failed(struct parley_node *node, parley_connection connection) {
    struct peer *peer = peer_find(node, connection);
    if (peer != NULL)
        peer_free(node, peer);
}

void on_closed(struct parley_node *node, parley_connection connection) {
    struct peer *peer = peer_find(node, connection);
    if (peer != NULL)
        peer_free(node, peer);
}

void on_sent(struct parley_node *node, parley_connection connection, size_t bytes_count) {
    struct peer *peer = peer_find(node, connection);
    if (peer == NULL)
        return;
    assert(bytes_count <= peer->unsent_bytes);
    peer->unsent_bytes -= bytes_count;
    node->unsent_bytes -= bytes_count;
    peer->taken_at = node->now;
}

bool peer_send(struct parley_node *node, struct peer *peer, struct parley_span message) {
    if (peer->phase != PEER_HELLO && peer->phase != PEER_OPEN)
        return false;
    size_t size = PARLEY_LINK_SEALED_SIZE(message.size);
    uint8_t *out = out_take(node, size);
    if (out == NULL || node->effects_count + 64 > PARLEY_EFFECTS_MAX)
        return false;
    if (parley_link_seal(&peer->link, out, size, &size, message) != PARLEY_E_OK)
        return false;
    traffic_count(node->sent, message);
    send_bytes(node, peer, PARLEY_SPAN(out, size));
    return true;
}

bool peer_send_message(struct parley_node *node, struct peer *peer,
                       const struct parley_wire_message *message) {
    struct parley_writer writer;
    parley_writer_init(&writer, node->compose, PARLEY_MESSAGE_BYTES_MAX);
    parley_wire_encode(&writer, message);
    struct parley_span bytes;
    if (parley_writer_finish(&writer, &bytes) != PARLEY_E_OK)
        return false;
    return peer_send(node, peer, bytes);
}

void peer_close(struct parley_node *node, struct peer *peer, enum parley_error reason,
                enum parley_goodbye goodbye) {
    if (peer->phase == PEER_CLOSING || peer->phase == PEER_FREE || peer->phase == PEER_DIALLING)
        return;
    struct parley_wire_message message = {.type = PARLEY_WIRE_GOODBYE};
    message.as.goodbye.reason = goodbye;
    bool is_heard =
        peer->phase != PEER_LINKING && peer->link.state == PARLEY_LINK_OPEN && !peer->is_leaving;
    if (is_heard)
        (void)peer_send_message(node, peer, &message);
    peer->phase = PEER_CLOSING;
    peer->stalled = NONE;
    tree_close(node, peer);
    close_effect(node, peer->connection, reason);
    bans_blame(node, peer, reason);
    enum parley_log_level level =
        parley_error_class(reason) == PARLEY_CLASS_REMOTE ? PARLEY_LOG_WARNING : PARLEY_LOG_INFO;
    effect_log(node, level, reason, peer->connection, "peer closed");
}

/* False when nothing more can be done with these bytes now. */
static bool receive_one(struct parley_node *node, struct peer *peer, struct parley_span in,
                        size_t *consumed) {
    bool was_linking = peer->phase == PEER_LINKING;
    struct parley_link_step step;
    uint64_t noted = node->replay.noted;
    enum parley_error error = parley_link_receive(
        &peer->link, peer->is_dialled ? NULL : &node->replay, in, node->scratch, &step);
    *consumed = step.consumed;
    if (node->replay.noted != noted)
        replay_keep(node);
    if (error != PARLEY_E_OK) {
        if (peer->link.state == PARLEY_LINK_MUTED)
            effect_log(node, PARLEY_LOG_DEBUG, error, peer->connection, "a handshake failed");
        else
            peer_close(node, peer, error, PARLEY_GOODBYE_FAULT);
        return step.consumed != 0;
    }
    if (was_linking && !peer->is_dialled && step.consumed > 0)
        budget_take_flight(node);
    else if (step.consumed > 0)
        budget_take(node, peer, BUDGET_BYTES, step.consumed);
    send_flight(node, peer, step.flight, step.flight_size);
    if (was_linking && peer->link.state == PARLEY_LINK_OPEN && peer->view.is_feeler)
        views_on_felt(node, peer);
    else if (was_linking && peer->link.state == PARLEY_LINK_OPEN)
        say_hello(node, peer);
    if (step.message.size != 0)
        message_handle(node, peer, step.message);
    return step.consumed != 0;
}

/* More than anybody may have, or than its part when all of them together have too much. */
static bool asks_on_and_takes_nothing(const struct parley_node *node, const struct peer *peer) {
    return peer->unsent_bytes > PARLEY_UNSENT_BYTES_MAX ||
           (node->unsent_bytes > PARLEY_UNSENT_ALL_BYTES_MAX &&
            peer->unsent_bytes > PARLEY_UNSENT_ALL_BYTES_MAX / node->config.peers_max);
}

static bool may_read(struct parley_node *node, struct peer *peer) {
    if (peer->phase == PEER_LINKING) {
        /* A muted link swallows what comes, which costs nothing. */
        bool may = peer->is_dialled || peer->link.state != PARLEY_LINK_HANDSHAKING ||
                   budget_may_shake(node);
        peer->is_starved |= !may;
        return may;
    }
    if (asks_on_and_takes_nothing(node, peer)) {
        peer_close(node, peer, PARLEY_E_OVER_BUDGET, PARLEY_GOODBYE_BUDGET);
        return false;
    }
    if (peer->stalled != NONE || node->jobs_free < 2 || !store_has_room_for_more(node) ||
        peer->jobs_count >= PARLEY_JOBS_PER_PEER || !budget_may_read(node, peer)) {
        peer->is_starved = true; /* resumed when a job or a store is done, or a bucket filled */
        return false;
    }
    if (!effects_have_room(node)) {
        effect_push(node, PARLEY_EFFECT_RESUME)->resume = peer->connection;
        return false;
    }
    return true;
}

size_t on_received(struct parley_node *node, parley_connection connection, struct parley_span in) {
    struct peer *peer = peer_find(node, connection);
    if (peer == NULL || peer->phase == PEER_CLOSING)
        return in.size;
    size_t all = 0, consumed = 0;
    while (all < in.size && may_read(node, peer)) {
        if (!receive_one(node, peer, PARLEY_SPAN(in.data + all, in.size - all), &consumed))
            break;
        all += consumed;
        if (peer->phase == PEER_CLOSING)
            return in.size;
    }
    /* A frame that does not become whole is silence. */
    if (peer->phase == PEER_OPEN && all > 0)
        peer->deadline = node->now + PARLEY_IDLE_MS;
    peer->received_bytes += all;
    return peer->phase == PEER_CLOSING ? in.size : all;
}

static void peer_on_timer(struct parley_node *node, struct peer *peer) {
    if (peer->phase == PEER_FREE || peer->phase == PEER_CLOSING || peer->phase == PEER_DIALLING)
        return;
    /* Its silence is ours: what it said waits until we can read it. */
    if (peer->phase == PEER_OPEN && (peer->is_starved || peer->stalled != NONE))
        peer->deadline = node->now + PARLEY_IDLE_MS;
    /* And who takes nothing holds what was meant for him. */
    bool is_stuck = peer->unsent_bytes > 0 && node->now >= peer->taken_at + PARLEY_STUCK_MS;
    if (node->now >= peer->deadline || is_stuck) {
        if (peer->phase == PEER_LINKING) {
            peer->phase = PEER_CLOSING;
            close_effect(node, peer->connection, PARLEY_E_BAD_HANDSHAKE);
        } else {
            peer_close(node, peer, PARLEY_E_OK, PARLEY_GOODBYE_IDLE);
        }
        return;
    }
    if (peer->phase == PEER_OPEN && node->now >= peer->ping_at) {
        struct parley_wire_message message = {.type = PARLEY_WIRE_PING};
        message.as.ping.token = parley_random_below(&node->random, UINT32_MAX);
        (void)peer_send_message(node, peer, &message);
        peer->ping_at = node->now + PARLEY_PING_AFTER_MS;
    }
    deadline_lower(node, peer->deadline);
    if (peer->unsent_bytes > 0)
        deadline_lower(node, peer->taken_at + PARLEY_STUCK_MS);
    if (peer->phase == PEER_OPEN)
        deadline_lower(node, peer->ping_at);
}

void peers_on_timer(struct parley_node *node) {
    for (size_t i = 0; i < node->peers_count; i++)
        peer_on_timer(node, &node->peers[i]);
}

void peers_stop(struct parley_node *node) {
    node->is_stopping = true;
    for (size_t i = 0; i < node->peers_count; i++)
        peer_close(node, &node->peers[i], PARLEY_E_OK, PARLEY_GOODBYE_STOPPING);
}
