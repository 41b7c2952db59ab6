/* One event into the node, its effects into the world. */
#include "host_internal.h"
#include "log.h"
#include "memory.h"
#include <stdlib.h>
#include <time.h>

parley_time_ms host_monotonic(void) {
    return uv_hrtime() / (1000 * 1000);
}

parley_time_ms parley_host_wall(const struct parley_host *host) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (parley_time_ms)now.tv_sec * 1000 + (parley_time_ms)now.tv_nsec / (1000 * 1000);
}

/* --- effects --------------------------------------------------------------------------------- */

static void perform_dial(struct parley_host *host, const struct parley_effect *effect) {
    bool is_ours = strcmp(effect->dial.address.transport, "tcp") == 0 ||
                   effect->dial.address.transport[0] == '\0';
    parley_log_line(PARLEY_LOG_DEBUG, "connection %llu: dialling %s port %u",
                    (unsigned long long)effect->dial.connection, effect->dial.address.host,
                    effect->dial.address.port);
    if (host->tcp == NULL || host->is_stopping || !is_ours)
        host_defer(host, effect);
    else
        parley_tcp_dial(host->tcp, effect->dial.connection, effect->dial.address.host,
                        effect->dial.address.port,
                        effect->dial.is_owners &&
                            !parley_host_is_invited(host, &effect->dial.address));
}

static void perform_store(struct parley_host *host, const struct parley_effect *effect) {
    if (!host->is_worker_stopping)
        parley_worker_store(host->worker, effect->store.ticket, &effect->store.op);
}

/* " of KEY", or nothing while it is not known who is at the other end. */
static void name_peer(char text[PARLEY_NODE_TEXT_SIZE + 8], const struct parley_host *host,
                      parley_connection connection) {
    static const struct parley_node_key nobody;
    struct parley_node_peer peer;
    text[0] = '\0';
    for (size_t place = 0; parley_node_peer_next(host->node, &place, &peer);) {
        if (peer.connection != connection)
            continue;
        if (PARLEY_EQUAL(peer.key, nobody))
            return;
        memcpy(text, " of ", 4);
        parley_node_key_encode(text + 4, &peer.key);
        return;
    }
}

/* A peer is named by its key, which a person can do something with, and never by its address. */
static void perform_log(const struct parley_host *host, const struct parley_effect *effect) {
    const char *error = effect->log.error == PARLEY_E_OK ? "" : parley_strerror(effect->log.error);
    const char *separator = effect->log.error == PARLEY_E_OK ? "" : ": ";
    char peer[PARLEY_NODE_TEXT_SIZE + 8];
    if (!parley_log_is_on(effect->log.level))
        return;
    if (effect->log.connection == 0) {
        parley_log_line(effect->log.level, "%s%s%s", effect->log.text, separator, error);
        return;
    }
    name_peer(peer, host, effect->log.connection);
    parley_log_line(effect->log.level, "connection %llu%s: %s%s%s",
                    (unsigned long long)effect->log.connection, peer, effect->log.text, separator,
                    error);
}

static void perform(struct parley_host *host, const struct parley_effect *effect) {
    bool has_sockets = host->tcp != NULL && !host->is_tcp_stopped;
    switch (effect->kind) {
    case PARLEY_EFFECT_SEND:
        if (has_sockets)
            parley_tcp_send(host->tcp, effect->send.connection, effect->send.bytes);
        break;
    case PARLEY_EFFECT_DIAL:
        perform_dial(host, effect);
        break;
    case PARLEY_EFFECT_CLOSE:
        if (has_sockets)
            parley_tcp_close(host->tcp, effect->close.connection);
        break;
    case PARLEY_EFFECT_RESUME:
        if (has_sockets)
            parley_tcp_resume(host->tcp, effect->resume);
        break;
    case PARLEY_EFFECT_STORE:
        perform_store(host, effect);
        break;
    case PARLEY_EFFECT_READ:
        host_read(host, effect);
        break;
    case PARLEY_EFFECT_VERIFY:
        host_verify(host, effect->verify.ticket, &effect->verify.check);
        break;
    case PARLEY_EFFECT_SHOW:
    case PARLEY_EFFECT_REPLY:
    case PARLEY_EFFECT_SAID:
        host_defer(host, effect);
        break;
    case PARLEY_EFFECT_LOG:
        perform_log(host, effect);
        break;
    case PARLEY_EFFECT_COMPACT:
        if (!host->is_worker_stopping)
            parley_worker_compact(host->worker);
        break;
    }
}

/* --- the step -------------------------------------------------------------------------------- */

static void set_timer(struct parley_host *host) {
    parley_time_ms deadline = parley_node_deadline(host->node);
    if (host->is_stopping || deadline == UINT64_MAX) {
        (void)uv_timer_stop(&host->timer);
        return;
    }
    parley_time_ms now = host_monotonic();
    uv_update_time(host->loop);
    (void)uv_timer_start(&host->timer, host_on_timer, deadline > now ? deadline - now : 0, 0);
}

size_t host_step(struct parley_host *host, struct parley_event *event) {
    struct parley_effects effects = {NULL, 0};
    if (host->is_stepping)
        abort(); /* an effect called back at once: our own bug */
    host->is_stepping = true;
    event->now = host_monotonic();
    event->wall = parley_host_wall(host);
    size_t consumed = parley_node_step(host->node, event, &effects);
    for (size_t i = 0; i < effects.count; i++)
        perform(host, &effects.items[i]);
    host->is_stepping = false;
    set_timer(host);
    return consumed;
}

void host_on_timer(uv_timer_t *timer) {
    struct parley_event event = {.kind = PARLEY_EVENT_TIMER};
    (void)host_step(timer->data, &event);
}

/* --- what is told on the next turn ------------------------------------------------------------ */

void host_defer(struct parley_host *host, const struct parley_effect *effect) {
    struct host_deferred *deferred = parley_memory(sizeof *deferred);
    deferred->effect = *effect;
    if (host->deferred_last == NULL)
        host->deferred_first = deferred;
    else
        host->deferred_last->next = deferred;
    host->deferred_last = deferred;
    (void)uv_idle_start(&host->idle, host_on_idle);
}

static void show(struct parley_host *host, const struct parley_effect *effect) {
    struct parley_host_watch *watch = host->watches;
    while (watch != NULL) {
        host->watch_next = watch->next;
        watch->on_show(watch->context, effect);
        watch = host->watch_next;
    }
}

static void host_said(struct parley_host *host, const struct parley_effect *effect) {
    if (host->on_said != NULL)
        host->on_said(host->said_context, effect);
}

static void fail_dial(struct parley_host *host, const struct parley_effect *effect) {
    struct parley_event event = {.kind = PARLEY_EVENT_DIAL_FAILED,
                                 .connection = effect->dial.connection};
    (void)host_step(host, &event);
}

static void tell(struct parley_host *host, const struct parley_effect *effect) {
    if (effect->kind == PARLEY_EFFECT_REPLY)
        host_answer_request(host, effect);
    else if (effect->kind == PARLEY_EFFECT_SHOW)
        show(host, effect);
    else if (effect->kind == PARLEY_EFFECT_SAID)
        host_said(host, effect);
    else
        fail_dial(host, effect);
}

/* Only what was deferred before: what is told may defer more, for the turn after. */
void host_on_idle(uv_idle_t *idle) {
    struct parley_host *host = idle->data;
    struct host_deferred *list = host->deferred_first;
    host->deferred_first = host->deferred_last = NULL;
    (void)uv_idle_stop(idle);
    while (list != NULL) {
        struct host_deferred *deferred = list;
        list = deferred->next;
        tell(host, &deferred->effect);
        free(deferred);
    }
    host_continue_stop(host);
}

void host_on_prepare(uv_prepare_t *prepare) {
    host_verify_turn(prepare->data);
    host_mind_device(prepare->data);
}
