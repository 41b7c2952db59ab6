#include "finding.h"
#include "interfaces.h"
#include "lan.h"
#include "memory.h"
#include <parley/node_limits.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOK_EVERY_MS 2000u /* a link that lasts is seen; what is shorter proves little */

struct parley_finding {
    struct parley_finding_config config;
    struct parley_lan *lan; /* NULL: off */
    struct parley_nat *nat; /* NULL: never on yet */
    uint16_t nat_port;      /* that it passes on; 0: off */
    uv_timer_t timer;
    struct parley_address told; /* of the router's places: the last that peers are told of */
    bool was_reached, was_reached_near; /* from outside; from a local network */
};

static void on_reply(void *context, const struct parley_effect *reply) {
}

/* --- who came in ------------------------------------------------------------------------------ */

/* With an address that everybody can have, but on a link of this machine: nothing lay between. */
static bool is_near(const struct parley_ip *ip) {
    struct parley_interface interfaces[PARLEY_INTERFACES_MAX];
    return parley_ip_is_near(ip, interfaces, parley_interfaces_find(interfaces));
}

static void look(struct parley_finding *finding) {
    const struct parley_node *node = parley_host_node(finding->config.host);
    struct parley_node_peer peer;
    for (size_t place = 0; parley_node_peer_next(node, &place, &peer);) {
        if (!peer.is_open || peer.is_dialled)
            continue;
        if (peer.remote.network == PARLEY_NETWORK_LAN)
            finding->was_reached_near = true;
        else if (peer.remote.network == PARLEY_NETWORK_CLEAR && !finding->was_reached)
            *(is_near(&peer.remote.ip) ? &finding->was_reached_near : &finding->was_reached) = true;
    }
}

/* --- where we are ----------------------------------------------------------------------------- */

/* What is listened at, one after the other; false past the last. */
static bool listener_at(const struct parley_finding *finding, size_t index,
                        struct parley_address *address) {
    const char *text = parley_host_listener_text(finding->config.host, index);
    return text != NULL &&
           parley_address_decode(address, PARLEY_SPAN(text, strlen(text))).error == PARLEY_E_OK;
}

static bool is_everywhere(const struct parley_address *address) {
    return strcmp(address->host, "0.0.0.0") == 0 || strcmp(address->host, "::") == 0;
}

static bool is_beyond(const struct parley_address *address) {
    struct parley_network_place place;
    parley_network_of_place(&place, address);
    return is_everywhere(address) || place.network != PARLEY_NETWORK_NONE;
}

/* 0: nothing is listened at beyond this machine. */
static uint16_t port_beyond(const struct parley_finding *finding) {
    struct parley_address address;
    for (size_t i = 0; listener_at(finding, i, &address); i++)
        if (is_beyond(&address))
            return address.port;
    return 0;
}

struct places {
    struct parley_address *items;
    size_t count, max;
    struct parley_node_key key;
};

static bool is_same_place(const struct parley_address *a, const struct parley_address *b) {
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

static void add_place(struct places *places, const struct parley_address *address) {
    for (size_t i = 0; i < places->count; i++)
        if (is_same_place(&places->items[i], address))
            return;
    if (places->count == places->max)
        return;
    places->items[places->count] = *address;
    places->items[places->count++].key = places->key;
}

/* Addresses of this machine at which that listener is reached, of one network. An address of a link
 * alone means nothing without the link. */
static void add_own(struct places *places, const struct parley_address *listener,
                    enum parley_network network) {
    static const struct parley_ip link_local = {{0xfe, 0x80}};
    struct parley_interface interfaces[PARLEY_INTERFACES_MAX];
    size_t count = parley_interfaces_find(interfaces);
    for (size_t i = 0; i < count; i++) {
        struct parley_address address = {.transport = "tcp", .port = listener->port};
        (void)snprintf(address.host, sizeof address.host, "%s", interfaces[i].text);
        bool is_there = is_everywhere(listener) || strcmp(listener->host, address.host) == 0;
        if (is_there && parley_network_of_ip(&interfaces[i].ip) == network &&
            !parley_ip_shares(&interfaces[i].ip, &link_local, 10))
            add_place(places, &address);
    }
}

static void add_listeners(const struct parley_finding *finding, struct places *places,
                          enum parley_network network) {
    struct parley_address listener;
    for (size_t i = 0; listener_at(finding, i, &listener); i++)
        add_own(places, &listener, network);
}

size_t parley_finding_places(struct parley_finding *finding, struct parley_address *items,
                             size_t items_max) {
    struct places places = {items, 0, items_max, parley_host_home(finding->config.host)->node};
    struct parley_nat_status nat;
    for (size_t i = 0; i < finding->config.advertised_count; i++)
        add_place(&places, &finding->config.advertised[i]);
    if (parley_finding_nat(finding, &nat) && nat.state == PARLEY_NAT_MAPPED)
        add_place(&places, &nat.place);
    add_listeners(finding, &places, PARLEY_NETWORK_CLEAR);
    add_listeners(finding, &places, PARLEY_NETWORK_LAN);
    return places.count;
}

/* What the owner advertises stands as it is; else peers are told of what the router passes on, once
 * for each place that it gives, beside what they were told of without it. And that it does no more.
 */
static void tell_peers(struct parley_finding *finding) {
    struct parley_address items[PARLEY_ADVERTISED_MAX], listener, place = {.port = 0};
    struct places places = {items, 0, PARLEY_ADVERTISED_MAX,
                            parley_host_home(finding->config.host)->node};
    struct parley_event event = {.kind = PARLEY_EVENT_PLACES};
    struct parley_nat_status nat;
    if (finding->config.advertised_count > 0)
        return;
    if (parley_finding_nat(finding, &nat) && nat.state == PARLEY_NAT_MAPPED)
        place = nat.place;
    if (is_same_place(&place, &finding->told))
        return;
    finding->told = place;
    if (place.port != 0)
        add_place(&places, &place);
    for (size_t i = 0; listener_at(finding, i, &listener); i++)
        if (!is_everywhere(&listener) && is_beyond(&listener))
            add_place(&places, &listener);
    event.places.places = items;
    event.places.places_count = places.count;
    (void)parley_host_submit(finding->config.host, &event, on_reply, NULL);
}

static void on_look(uv_timer_t *timer) {
    look(timer->data);
    tell_peers(timer->data);
}

/* --- what is said of it ----------------------------------------------------------------------- */

bool parley_finding_lan(const struct parley_finding *finding) {
    return finding->lan != NULL;
}

bool parley_finding_nat(struct parley_finding *finding, struct parley_nat_status *status) {
    if (finding->nat == NULL || finding->nat_port == 0)
        return false;
    parley_nat_status(finding->nat, status);
    return true;
}

enum parley_reach parley_finding_reach(struct parley_finding *finding, const char **words) {
    struct parley_nat_status nat = {.state = PARLEY_NAT_ASKING};
    bool asks = parley_finding_nat(finding, &nat);
    look(finding);
    *words = "a node from outside has connected to this one since it was started";
    if (finding->was_reached)
        return PARLEY_REACH_YES;
    *words = "it listens to this machine only, so nobody can connect to it; it connects to others";
    if (port_beyond(finding) == 0 && finding->config.advertised_count == 0)
        return PARLEY_REACH_NO;
    *words = "the router passes a port on, but is itself behind another router";
    if (nat.state == PARLEY_NAT_DOUBLED)
        return PARLEY_REACH_NO;
    *words = "a node of the local network has connected to this one; from outside nobody has yet";
    if (finding->was_reached_near)
        return PARLEY_REACH_LAN;
    if (!asks)
        *words = "nobody from outside has connected yet, which proves nothing";
    else if (nat.state == PARLEY_NAT_MAPPED)
        *words = "the router passes a port on; nobody has come in by it yet";
    else if (nat.state == PARLEY_NAT_NOBODY)
        *words = "no router here passes a port on by itself, and nobody has connected yet: set it "
                 "up in the router by hand, and say so with advertise";
    else
        *words = "the router is being asked to pass a port on";
    return PARLEY_REACH_UNKNOWN;
}

/* --- beginning and end ------------------------------------------------------------------------ */

struct parley_finding *parley_finding_open(const struct parley_finding_config *config) {
    struct parley_finding *finding = parley_memory(sizeof *finding);
    uv_loop_t *loop = parley_host_loop(config->host);
    finding->config = *config;
    (void)uv_timer_init(loop, &finding->timer);
    finding->timer.data = finding;
    (void)uv_timer_start(&finding->timer, on_look, LOOK_EVERY_MS, LOOK_EVERY_MS);
    parley_finding_set(finding, config->lan, config->nat);
    return finding;
}

static void set_lan(struct parley_finding *finding, bool is_wanted) {
    if (is_wanted && finding->lan == NULL) {
        finding->lan = parley_lan_open(finding->config.host);
    } else if (is_wanted) {
        parley_lan_say(finding->lan);
    } else if (finding->lan != NULL) {
        parley_lan_forget(finding->lan);
        parley_lan_close(finding->lan);
        finding->lan = NULL;
    }
}

/* One thread for good: who asks for a port that another one is about to give back loses it. */
void parley_finding_set(struct parley_finding *finding, bool lan, bool nat) {
    uint16_t port = nat ? port_beyond(finding) : 0;
    set_lan(finding, lan);
    finding->nat_port = port;
    if (finding->nat != NULL)
        parley_nat_set_port(finding->nat, port);
    else if (port != 0)
        finding->nat = parley_nat_open(parley_host_loop(finding->config.host), port);
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

void parley_finding_close(struct parley_finding *finding) {
    if (finding == NULL)
        return;
    parley_lan_close(finding->lan);
    parley_nat_close(finding->nat);
    uv_close((uv_handle_t *)&finding->timer, on_closed);
}
