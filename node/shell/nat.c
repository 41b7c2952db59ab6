#include "nat.h"
#include "log.h"
#include "memory.h"
#include "nat_gateway.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* RFC 6886 recommends two hours and a renewal at half. A node that is killed leaves its mapping
 * behind for no longer than this. */
#define LEASE_S     3600u
#define RENEW_S     (LEASE_S / 2)
#define ASK_AGAIN_S 300u

/* A router that works gives a port back within a second. */
#define STOP_MS 6000u

struct parley_nat {
    uv_thread_t thread;
    uv_async_t ended;
    uv_timer_t patience; /* at the end */
    unsigned handles_count;
    uv_mutex_t mutex; /* over all below */
    uv_cond_t wake;
    bool is_stopping;
    bool is_left; /* nobody waits for the thread: it and this memory end with the process */
    uint16_t port;
    enum parley_nat_state state;
    struct nat_mapping mapping;
};

/* --- the thread ------------------------------------------------------------------------------- */

static enum parley_nat_state state_of(const struct nat_mapping *mapping) {
    if (mapping->protocol == NAT_NOBODY)
        return PARLEY_NAT_NOBODY;
    return parley_network_of_ip(&mapping->ip) == PARLEY_NETWORK_CLEAR ? PARLEY_NAT_MAPPED
                                                                      : PARLEY_NAT_DOUBLED;
}

static void publish(struct parley_nat *nat, enum parley_nat_state state,
                    const struct nat_mapping *mapping) {
    uv_mutex_lock(&nat->mutex);
    nat->state = state;
    nat->mapping = *mapping;
    uv_mutex_unlock(&nat->mutex);
}

/* What is to be mapped; false: nothing any more. Waits until then, or until it is another port. */
static bool wait_until(struct parley_nat *nat, uint16_t *port, uint64_t until) {
    uv_mutex_lock(&nat->mutex);
    for (uint64_t now = uv_hrtime(); !nat->is_stopping && nat->port == *port && now < until;
         now = uv_hrtime())
        (void)uv_cond_timedwait(&nat->wake, &nat->mutex, until - now);
    *port = nat->port;
    bool goes_on = !nat->is_stopping;
    uv_mutex_unlock(&nat->mutex);
    return goes_on;
}

/* Asks, tells, sleeps: until stopped. */
static void keep_mapping(struct parley_nat *nat, struct nat_mapping *mapping) {
    uint16_t port = mapping->port_inside;
    for (uint64_t sleep_s = 0;
         wait_until(nat, &port, uv_hrtime() + sleep_s * UINT64_C(1000000000));) {
        if (port != mapping->port_inside) {
            nat_gateway_unmap(mapping);
            *mapping = (struct nat_mapping){.port_inside = port};
            publish(nat, PARLEY_NAT_ASKING, mapping);
        }
        bool is_mapped = port != 0 && nat_gateway_map(mapping, LEASE_S);
        sleep_s = is_mapped ? RENEW_S : ASK_AGAIN_S;
        publish(nat, state_of(mapping), mapping);
    }
}

static void run(void *context) {
    struct parley_nat *nat = context;
    struct nat_mapping mapping = nat->mapping;
    keep_mapping(nat, &mapping);
    nat_gateway_unmap(&mapping);
    uv_mutex_lock(&nat->mutex);
    if (!nat->is_left)
        (void)uv_async_send(&nat->ended);
    uv_mutex_unlock(&nat->mutex);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle) {
    struct parley_nat *nat = handle->data;
    if (--nat->handles_count > 0 || nat->is_left)
        return;
    uv_mutex_destroy(&nat->mutex);
    uv_cond_destroy(&nat->wake);
    free(nat);
}

static void close_handles(struct parley_nat *nat) {
    uv_close((uv_handle_t *)&nat->ended, on_closed);
    uv_close((uv_handle_t *)&nat->patience, on_closed);
}

static void on_ended(uv_async_t *ended) {
    struct parley_nat *nat = ended->data;
    (void)uv_thread_join(&nat->thread);
    close_handles(nat);
}

static void on_patience_over(uv_timer_t *timer) {
    struct parley_nat *nat = timer->data;
    uv_mutex_lock(&nat->mutex);
    nat->is_left = true;
    uv_mutex_unlock(&nat->mutex);
    parley_log_line(PARLEY_LOG_WARNING, "the router does not take the port back: its lease ends");
    (void)pthread_detach(nat->thread);
    close_handles(nat);
}

struct parley_nat *parley_nat_open(uv_loop_t *loop, uint16_t port) {
    struct parley_nat *nat = parley_memory(sizeof *nat);
    nat->port = nat->mapping.port_inside = port;
    if (uv_mutex_init(&nat->mutex) != 0 || uv_cond_init(&nat->wake) != 0)
        abort(); /* they take no memory on Linux */
    (void)uv_async_init(loop, &nat->ended, on_ended);
    (void)uv_timer_init(loop, &nat->patience);
    nat->ended.data = nat->patience.data = nat;
    nat->handles_count = 2;
    if (uv_thread_create(&nat->thread, run, nat) == 0)
        return nat;
    parley_log_line(PARLEY_LOG_WARNING, "no thread to ask the router with");
    close_handles(nat);
    return NULL;
}

void parley_nat_set_port(struct parley_nat *nat, uint16_t port) {
    uv_mutex_lock(&nat->mutex);
    nat->port = port;
    uv_cond_signal(&nat->wake); /* the same one is no news */
    uv_mutex_unlock(&nat->mutex);
}

static void write_host(struct parley_address *place, const struct parley_ip *ip) {
    bool is_v4 = parley_ip_is_v4(ip);
    (void)inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? ip->bytes + 12 : ip->bytes, place->host,
                    sizeof place->host);
}

void parley_nat_status(struct parley_nat *nat, struct parley_nat_status *status) {
    memset(status, 0, sizeof *status);
    uv_mutex_lock(&nat->mutex);
    bool is_of_before = nat->mapping.port_inside != nat->port;
    status->state = is_of_before ? PARLEY_NAT_ASKING : nat->state;
    if (nat->mapping.protocol != NAT_NOBODY && !is_of_before) {
        status->protocol = nat->mapping.protocol == NAT_PMP ? "nat-pmp" : "upnp";
        status->place.port = nat->mapping.port_outside;
        memcpy(status->place.transport, "tcp", 4);
        write_host(&status->place, &nat->mapping.ip);
    }
    uv_mutex_unlock(&nat->mutex);
}

void parley_nat_close(struct parley_nat *nat) {
    if (nat == NULL)
        return;
    uv_mutex_lock(&nat->mutex);
    nat->is_stopping = true;
    uv_cond_signal(&nat->wake);
    uv_mutex_unlock(&nat->mutex);
    (void)uv_timer_start(&nat->patience, on_patience_over, STOP_MS, 0);
}
