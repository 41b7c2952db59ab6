#include "lan.h"
#include "lan_group.h"
#include "lan_record.h"
#include "log.h"
#include "memory.h"
#include <stdio.h>
#include <stdlib.h>

#define TICK_MS 1000u
/* Said when the node starts, and then as often as somebody who has just come may wait. */
#define FIRST_TICKS 3u
#define EVERY_TICKS 30u
/* Whoever is new is answered soon, but nobody makes us talk more often than this. */
#define ANSWER_TICKS 5u

/* Datagrams that are worth a look, a second and at once: a large office starts up. */
#define LOOKS_A_TICK 16u
#define LOOKS_MAX    64u
/* Nodes that are dialled because they were heard. More on one link hear of each other by their
 * peers. */
#define HEARD_MAX 8u
/* Without a link for so long, a node is not dialled any more; and may be again after as long. */
#define GIVE_UP_TICKS 60u
#define REST_TICKS    600u

struct heard {
    bool is_used;
    bool is_resting; /* its place is kept, so that it does not come back at once */
    struct parley_node_key key;
    unsigned ticks; /* since it was linked, heard first, or given up */
};

struct parley_lan {
    struct parley_host *host;
    uv_udp_t socket;
    uv_timer_t timer;
    unsigned handles_count;
    unsigned ticks, next_said, last_said;
    unsigned looks;
    struct lan_group group;
    struct heard heard[HEARD_MAX];
    uint8_t buffer[LAN_DATAGRAM_BYTES_MAX + 1];
};

static void on_reply(void *context, const struct parley_effect *reply) {
}

/* --- saying ----------------------------------------------------------------------------------- */

/* The port of a listener that is reached at that address; 0: none. */
static uint16_t port_at(const struct parley_host *host, const struct parley_interface *at) {
    const char *text;
    for (size_t i = 0; (text = parley_host_listener_text(host, i)) != NULL; i++) {
        struct parley_address address;
        if (parley_address_decode(&address, PARLEY_SPAN(text, strlen(text))).error != PARLEY_E_OK)
            continue;
        if (strcmp(address.host, "0.0.0.0") == 0 || strcmp(address.host, "::") == 0 ||
            strcmp(address.host, at->text) == 0)
            return address.port;
    }
    return 0;
}

static void say_at(struct parley_lan *lan, const struct parley_interface *at) {
    const struct parley_home *home = parley_host_home(lan->host);
    uint8_t data[LAN_DATAGRAM_BYTES_MAX];
    struct parley_span datagram;
    struct sockaddr_in group;
    uint16_t port = port_at(lan->host, at);
    if (port == 0 || lan_record_make(&datagram, data, &home->node_secret,
                                     parley_host_wall(lan->host), at, port) != PARLEY_E_OK)
        return;
    (void)uv_ip4_addr(LAN_GROUP, LAN_PORT, &group);
    uv_buf_t buffer = uv_buf_init((char *)data, (unsigned)datagram.size);
    if (uv_udp_set_multicast_interface(&lan->socket, at->text) == 0)
        (void)uv_udp_try_send(&lan->socket, &buffer, 1, (const struct sockaddr *)&group);
}

static void say(struct parley_lan *lan) {
    struct parley_interface interfaces[PARLEY_INTERFACES_MAX];
    size_t count = parley_interfaces_find(interfaces);
    lan_group_follow(&lan->group, &lan->socket, LAN_GROUP, interfaces, count);
    for (size_t i = 0; i < count; i++)
        if (parley_ip_is_v4(&interfaces[i].ip))
            say_at(lan, &interfaces[i]);
    lan->last_said = lan->ticks;
    lan->next_said = lan->ticks + (lan->ticks < FIRST_TICKS ? 1 : EVERY_TICKS);
}

static void say_soon(struct parley_lan *lan) {
    unsigned soonest = lan->last_said + ANSWER_TICKS;
    unsigned soon = lan->ticks + 1 > soonest ? lan->ticks + 1 : soonest;
    if (soon < lan->next_said)
        lan->next_said = soon;
}

/* --- hearing ---------------------------------------------------------------------------------- */

static bool is_linked(const struct parley_lan *lan, const struct parley_node_key *key) {
    struct parley_node_peer peer;
    for (size_t place = 0; parley_node_peer_next(parley_host_node(lan->host), &place, &peer);)
        if (peer.is_open && PARLEY_EQUAL(peer.key, *key))
            return true;
    return false;
}

/* NULL: it is known already, or there is no place for it. */
static struct heard *take_place(struct parley_lan *lan, const struct parley_node_key *key) {
    struct heard *free_one = NULL;
    for (size_t i = 0; i < HEARD_MAX; i++) {
        if (lan->heard[i].is_used && PARLEY_EQUAL(lan->heard[i].key, *key))
            return NULL;
        if (!lan->heard[i].is_used)
            free_one = &lan->heard[i];
    }
    return free_one;
}

static void connect_to(struct parley_lan *lan, const struct parley_address *address) {
    struct parley_event event = {.kind = PARLEY_EVENT_CONNECT};
    event.connect.address = *address;
    event.connect.is_passing = true;
    event.connect.is_heard = true;
    (void)parley_host_submit(lan->host, &event, on_reply, NULL);
}

static void hear(struct parley_lan *lan, struct parley_span datagram,
                 const struct sockaddr *source) {
    const struct parley_home *home = parley_host_home(lan->host);
    struct parley_interface interfaces[PARLEY_INTERFACES_MAX];
    struct parley_address address;
    struct parley_check check;
    struct parley_ip ip;
    if (lan->looks == 0 || !parley_ip_of_socket(&ip, source))
        return;
    lan->looks--;
    size_t count = parley_interfaces_find(interfaces);
    if (!lan_record_judge(&address, &check, datagram, &ip, parley_host_wall(lan->host), &home->node,
                          interfaces, count) ||
        is_linked(lan, &address.key))
        return;
    struct heard *heard = take_place(lan, &address.key);
    if (heard == NULL || !parley_check_holds(&check))
        return;
    *heard = (struct heard){.is_used = true, .key = address.key};
    parley_log_line(PARLEY_LOG_INFO, "a node was heard on the local network");
    connect_to(lan, &address);
    say_soon(lan);
}

/* What the owner said of where it is counts again; whom nobody named is forgotten. */
static void give_up(struct parley_lan *lan, struct heard *heard) {
    const struct parley_address *owners = parley_host_owners_address(lan->host, &heard->key);
    heard->is_resting = true;
    heard->ticks = 0;
    if (owners != NULL) {
        connect_to(lan, owners);
        return;
    }
    struct parley_event event = {.kind = PARLEY_EVENT_DISCONNECT};
    event.disconnect.key = heard->key;
    (void)parley_host_submit(lan->host, &event, on_reply, NULL);
}

static void mind(struct parley_lan *lan, struct heard *heard) {
    if (!heard->is_used)
        return;
    heard->ticks++;
    if (!heard->is_resting && is_linked(lan, &heard->key))
        heard->ticks = 0;
    else if (!heard->is_resting && heard->ticks >= GIVE_UP_TICKS)
        give_up(lan, heard);
    else if (heard->is_resting && heard->ticks >= REST_TICKS)
        heard->is_used = false;
}

/* --- the loop --------------------------------------------------------------------------------- */

static void on_allocate(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
    struct parley_lan *lan = handle->data;
    *buffer = uv_buf_init((char *)lan->buffer, sizeof lan->buffer);
}

static void on_datagram(uv_udp_t *socket, ssize_t size, const uv_buf_t *buffer,
                        const struct sockaddr *source, unsigned flags) {
    struct parley_lan *lan = socket->data;
    if (size > 0 && source != NULL && (flags & UV_UDP_PARTIAL) == 0)
        hear(lan, PARLEY_SPAN(buffer->base, (size_t)size), source);
}

static void on_tick(uv_timer_t *timer) {
    struct parley_lan *lan = timer->data;
    lan->ticks++;
    lan->looks = lan->looks + LOOKS_A_TICK > LOOKS_MAX ? LOOKS_MAX : lan->looks + LOOKS_A_TICK;
    for (size_t i = 0; i < HEARD_MAX; i++)
        mind(lan, &lan->heard[i]);
    if (lan->ticks >= lan->next_said)
        say(lan);
}

static int open_socket(struct parley_lan *lan) {
    struct sockaddr_in group;
    /* Bound to the group, it gets nothing that was sent to this machine alone. */
    (void)uv_ip4_addr(LAN_GROUP, LAN_PORT, &group);
    int status = uv_udp_bind(&lan->socket, (const struct sockaddr *)&group, UV_UDP_REUSEADDR);
    if (status == 0)
        status = uv_udp_set_multicast_ttl(&lan->socket, 1);
    if (status == 0)
        status = uv_udp_recv_start(&lan->socket, on_allocate, on_datagram);
    return status;
}

struct parley_lan *parley_lan_open(struct parley_host *host) {
    struct parley_lan *lan = parley_memory(sizeof *lan);
    lan->host = host;
    lan->looks = LOOKS_MAX;
    (void)uv_udp_init(parley_host_loop(host), &lan->socket);
    (void)uv_timer_init(parley_host_loop(host), &lan->timer);
    lan->socket.data = lan->timer.data = lan;
    lan->handles_count = 2;
    int status = open_socket(lan);
    if (status != 0) {
        parley_log_line(PARLEY_LOG_WARNING, "no announcements on the local network: %s",
                        uv_strerror(status));
        parley_lan_close(lan);
        return NULL;
    }
    say(lan);
    (void)uv_timer_start(&lan->timer, on_tick, TICK_MS, TICK_MS);
    return lan;
}

void parley_lan_say(struct parley_lan *lan) {
    say_soon(lan);
}

void parley_lan_forget(struct parley_lan *lan) {
    for (size_t i = 0; i < HEARD_MAX; i++)
        if (lan->heard[i].is_used && !lan->heard[i].is_resting)
            give_up(lan, &lan->heard[i]);
}

static void on_closed(uv_handle_t *handle) {
    struct parley_lan *lan = handle->data;
    if (--lan->handles_count == 0)
        free(lan);
}

void parley_lan_close(struct parley_lan *lan) {
    if (lan == NULL)
        return;
    uv_close((uv_handle_t *)&lan->socket, on_closed);
    uv_close((uv_handle_t *)&lan->timer, on_closed);
}
