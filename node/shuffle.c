#include "internal.h"
#include "ticket.h"

/* Address records told and taken. SPEC 9.11. A record is told over links of its network alone, and
 * only when its node was reached from here; it is taken when its signature held. */

/* ---- ours ---------------------------------------------------------------------------------- */

/* What this node says of itself over that link. */
static struct parley_span own_record(struct parley_node *node, const struct peer *peer,
                                     uint8_t bytes[PARLEY_BOOK_RECORD_BYTES_MAX]) {
    struct parley_address places[PARLEY_PLACES_MAX];
    struct parley_span record = PARLEY_NO_SPAN;
    size_t count = 0;
    if (node->wall > node->views.said_at + PARLEY_OWN_RECORD_MS)
        node->views.said_at = node->wall;
    for (size_t i = 0; i < node->views.places_count && count < PARLEY_PLACES_MAX; i++) {
        struct parley_network_place place;
        parley_network_of_place(&place, &node->views.places[i]);
        if (parley_network_holds(&peer->view.remote, &place))
            places[count++] = node->views.places[i];
    }
    /* Fewer, when not all of them fit what others keep. */
    while (count > 0 && parley_address_record_make(&record, bytes, PARLEY_BOOK_RECORD_BYTES_MAX,
                                                   &node->config.node_key, node->views.said_at,
                                                   places, count) != PARLEY_E_OK)
        count--;
    return count == 0 ? PARLEY_NO_SPAN : record;
}

/* ---- which are told ------------------------------------------------------------------------ */

static bool is_timely(const struct parley_node *node, parley_time_ms time) {
    return time <= node->wall + PARLEY_RECORD_AHEAD_MS &&
           node->wall <= time + PARLEY_RECORD_AGE_MAX_MS;
}

/* Every place of it is one that this link's network holds. */
static bool is_of_link(const struct parley_node *node, const struct peer *peer,
                       const struct parley_address_record *record) {
    struct parley_span places = record->places;
    struct parley_address address;
    while (parley_address_record_next(&address, record, &places)) {
        struct parley_network_place place;
        parley_network_of_place(&place, &address);
        if (!parley_network_holds(&peer->view.remote, &place) ||
            address.port < PARLEY_LEARNED_PORT_MIN)
            return false;
        for (size_t i = 0; i < node->views.places_count; i++)
            if (address.port == node->views.places[i].port &&
                strcmp(address.host, node->views.places[i].host) == 0)
                return false; /* ours, whatever key it says */
    }
    return true;
}

static bool may_tell(const struct parley_node *node, const struct peer *peer,
                     const struct book_item *item) {
    struct parley_address_record record;
    if (!item->is_used || !item->is_reached || node_keys_meet(&item->key, &peer->node_key) ||
        !is_timely(node, item->time) || bans_until(node, &item->key) != 0)
        return false;
    return parley_address_record_decode(&record, PARLEY_SPAN(item->record, item->record_size))
                   .error == PARLEY_E_OK &&
           is_of_link(node, peer, &record);
}

/* Up to so many by chance, and our own first, within so many bytes. */
static struct parley_wire_list choose_records(struct parley_node *node, const struct peer *peer,
                                              struct parley_writer *writer, size_t count_max,
                                              size_t bytes_max) {
    uint8_t own[PARLEY_BOOK_RECORD_BYTES_MAX];
    const struct book_item *chosen[PARLEY_SHUFFLE_RECORDS];
    size_t count = 0, told = 0;
    uint64_t seen = 0;
    struct parley_span record = own_record(node, peer, own);
    for (size_t i = 0; node->views.table->count > 0 && i < PARLEY_BOOK_ITEMS_MAX; i++) {
        const struct book_item *item = &node->views.table->items[i];
        if (!may_tell(node, peer, item))
            continue;
        uint64_t at = parley_random_below(&node->random, ++seen);
        if (count < count_max)
            chosen[count++] = item;
        else if (at < count_max)
            chosen[at] = item;
    }
    if (record.size != 0 && record.size + 3 <= bytes_max) {
        parley_wire_put_address(writer, record);
        told++;
    }
    for (size_t i = 0; i < count && told < count_max; i++) {
        if (writer->size + chosen[i]->record_size + 3 > bytes_max)
            break;
        parley_wire_put_address(writer, PARLEY_SPAN(chosen[i]->record, chosen[i]->record_size));
        told++;
    }
    return parley_wire_list_of(writer, told);
}

/* ---- telling ------------------------------------------------------------------------------- */

static bool may_send(const struct parley_node *node, const struct peer *peer) {
    return node->config.discover && peer->view.is_addressing &&
           peer->view.remote.network != PARLEY_NETWORK_NONE &&
           peer->unsent_bytes < peer_window(node, PARLEY_WINDOW_BYTES);
}

void shuffle_ask(struct parley_node *node, struct peer *peer) {
    static const uint8_t nothing[PARLEY_SHUFFLE_BYTES];
    uint8_t bytes[PARLEY_SHUFFLE_RECORDS * (PARLEY_BOOK_RECORD_BYTES_MAX + 3)];
    struct parley_wire_message message = {.type = PARLEY_WIRE_SHUFFLE};
    struct parley_writer writer;
    if (!may_send(node, peer))
        return;
    parley_writer_init(&writer, bytes, sizeof bytes);
    message.as.shuffle.records =
        choose_records(node, peer, &writer, PARLEY_SHUFFLE_RECORDS, sizeof bytes);
    if (writer.size < PARLEY_SHUFFLE_BYTES)
        message.as.shuffle.padding = PARLEY_SPAN(nothing, PARLEY_SHUFFLE_BYTES - writer.size);
    if (!peer_send_message(node, peer, &message))
        return;
    peer->view.asked_at = node->now;
    peer->view.has_asked = true;
}

static void send_addresses(struct parley_node *node, struct peer *peer, size_t count_max,
                           size_t bytes_max) {
    uint8_t bytes[PARLEY_SHUFFLE_RECORDS * (PARLEY_BOOK_RECORD_BYTES_MAX + 3)];
    struct parley_wire_message message = {.type = PARLEY_WIRE_ADDRESSES};
    struct parley_writer writer;
    parley_writer_init(&writer, bytes, sizeof bytes);
    message.as.addresses.records = choose_records(
        node, peer, &writer, count_max, bytes_max < sizeof bytes ? bytes_max : sizeof bytes);
    (void)peer_send_message(node, peer, &message);
}

void shuffle_give(struct parley_node *node, struct peer *peer) {
    if (may_send(node, peer))
        send_addresses(node, peer, PARLEY_GIVEN_RECORDS, SIZE_MAX);
}

/* ---- taking -------------------------------------------------------------------------------- */

/* A peer that says more than a few a minute is not listened to. */
static bool spend_record(struct parley_node *node, struct peer *peer) {
    struct peer_view *view = &peer->view;
    if (view->records_at == 0) {
        view->records_at = node->now;
        view->records_left = PARLEY_RECORDS_BURST;
    }
    parley_time_ms more = (node->now - view->records_at) / PARLEY_RECORD_EVERY_MS;
    view->records_at += more * PARLEY_RECORD_EVERY_MS;
    view->records_left += more > PARLEY_RECORDS_BURST ? PARLEY_RECORDS_BURST : (uint32_t)more;
    if (view->records_left > PARLEY_RECORDS_BURST)
        view->records_left = PARLEY_RECORDS_BURST;
    if (view->records_left == 0)
        return false;
    view->records_left--;
    return true;
}

/* Whether its signature is worth a check. */
static bool is_welcome(const struct parley_node *node, const struct peer *peer,
                       const struct parley_address_record *record, size_t size) {
    uint32_t index = book_table_find(node->views.table, &record->key);
    return size <= PARLEY_BOOK_RECORD_BYTES_MAX && is_timely(node, record->time) &&
           !node_keys_meet(&record->key, &node->node_key) && bans_until(node, &record->key) == 0 &&
           (index == BOOK_NONE || node->views.table->items[index].time < record->time) &&
           is_of_link(node, peer, record);
}

static void check_record(struct parley_node *node, struct peer *peer,
                         const struct parley_address_record *record, struct parley_span bytes) {
    for (size_t i = 0; i < PARLEY_RECORD_CHECKS_MAX; i++) {
        struct record_check *check = &node->views.checks[i];
        if (check->is_used)
            continue;
        check->is_used = true;
        check->generation++;
        check->peer = peer_slot(node, peer);
        check->connection = peer->connection;
        check->source =
            book_group_of_remote(node->views.table, &peer->view.remote, &peer->node_key);
        check->size = bytes.size;
        memcpy(check->bytes, bytes.data, bytes.size);
        struct parley_effect *effect = effect_push(node, PARLEY_EFFECT_VERIFY);
        effect->verify.ticket = ticket_make(TICKET_ADDRESS, (uint32_t)i, check->generation);
        parley_address_record_check(&effect->verify.check, record);
        return;
    }
}

static void take_records(struct parley_node *node, struct peer *peer,
                         struct parley_wire_list records) {
    struct parley_span bytes;
    while (parley_wire_next_address(&records, &bytes) && spend_record(node, peer)) {
        struct parley_address_record record;
        enum parley_error error = parley_address_record_decode(&record, bytes).error;
        if (parley_error_class(error) == PARLEY_CLASS_REMOTE) {
            peer_close(node, peer, error, PARLEY_GOODBYE_FAULT);
            return;
        }
        if (error == PARLEY_E_OK && is_welcome(node, peer, &record, bytes.size))
            check_record(node, peer, &record, bytes);
    }
}

void record_on_verified(struct parley_node *node, parley_ticket ticket, bool holds) {
    uint32_t index = ticket_index(ticket);
    struct parley_address_record record;
    if (index >= PARLEY_RECORD_CHECKS_MAX || !node->views.checks[index].is_used ||
        node->views.checks[index].generation != ticket_generation(ticket))
        return;
    struct record_check *check = &node->views.checks[index];
    struct parley_span bytes = PARLEY_SPAN(check->bytes, check->size);
    check->is_used = false;
    struct peer *peer = peer_find(node, check->connection);
    if (!holds) {
        if (peer != NULL)
            peer_close(node, peer, PARLEY_E_BAD_SIGNATURE, PARLEY_GOODBYE_FAULT);
        return;
    }
    if (parley_address_record_decode(&record, bytes).error == PARLEY_E_OK &&
        book_table_add(node->views.table, &record, bytes, check->source) != BOOK_NONE)
        views_look_again(node);
}

static bool takes(const struct parley_node *node, const struct peer *peer) {
    return node->config.discover && peer->view.remote.network != PARLEY_NETWORK_NONE;
}

void on_shuffle(struct parley_node *node, struct peer *peer,
                const struct parley_wire_shuffle *shuffle, size_t bytes_count) {
    if (!takes(node, peer))
        return;
    bool is_early =
        peer->view.answered_at != 0 && node->now - peer->view.answered_at < PARLEY_SHUFFLE_PAUSE_MS;
    take_records(node, peer, shuffle->records);
    if (is_early || peer->phase != PEER_OPEN || !may_send(node, peer))
        return;
    peer->view.answered_at = node->now;
    send_addresses(node, peer, PARLEY_SHUFFLE_RECORDS, 2 * bytes_count);
}

void on_addresses(struct parley_node *node, struct peer *peer,
                  const struct parley_wire_addresses *addresses) {
    bool is_given = !peer->view.has_asked && peer->is_dialled && !peer->view.has_given;
    if (!takes(node, peer) || (!peer->view.has_asked && !is_given))
        return;
    peer->view.has_given |= is_given;
    peer->view.has_asked = false;
    take_records(node, peer, addresses->records);
}
