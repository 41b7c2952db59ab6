/* The life of a host: open, start, stop. */
#include "host.h"
#include "host_internal.h"
#include "kv_sizes.h"
#include "log.h"
#include "memory.h"
#include <parley/crypto.h>
#include <parley/node_limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* The database's tables, its log and lock, listeners, the API's clients, a margin. */
#define DESCRIPTORS_RESERVED 640u
#define DESCRIPTORS_WANTED   65536u
#define CONNECTIONS_MAX      4096u
#define CONNECTIONS_MIN      16u

/* --- what the sockets tell -------------------------------------------------------------------- */

static void step_connection(struct parley_host *host, enum parley_event_kind kind,
                            uint64_t connection) {
    struct parley_event event = {.kind = kind, .connection = connection};
    (void)host_step(host, &event);
}

static void step_opened(struct parley_host *host, enum parley_event_kind kind,
                        uint64_t connection) {
    struct parley_event event = {.kind = kind};
    event.opened.connection = connection;
    parley_tcp_remote(host->tcp, connection, &event.opened.remote);
    (void)host_step(host, &event);
}

static void on_accepted(void *context, uint64_t connection) {
    step_opened(context, PARLEY_EVENT_ACCEPTED, connection);
}

static void on_dialled(void *context, uint64_t connection) {
    step_opened(context, PARLEY_EVENT_DIALLED, connection);
}

static void on_dial_failed(void *context, uint64_t connection) {
    step_connection(context, PARLEY_EVENT_DIAL_FAILED, connection);
}

static void on_closed(void *context, uint64_t connection) {
    step_connection(context, PARLEY_EVENT_CLOSED, connection);
}

static size_t on_received(void *context, uint64_t connection, struct parley_span bytes) {
    struct parley_event event = {.kind = PARLEY_EVENT_RECEIVED};
    event.received.connection = connection;
    event.received.bytes = bytes;
    return host_step(context, &event);
}

static void on_sent(void *context, uint64_t connection, size_t bytes_count) {
    struct parley_event event = {.kind = PARLEY_EVENT_SENT};
    event.sent.connection = connection;
    event.sent.bytes_count = bytes_count;
    (void)host_step(context, &event);
}

static void on_tcp_stopped(void *context) {
    struct parley_host *host = context;
    host->is_tcp_stopped = true;
    host_continue_stop(host);
}

/* --- what the worker tells -------------------------------------------------------------------- */

static void on_stored(void *context, uint64_t ticket, enum parley_error error,
                      const struct parley_store_log *log) {
    struct parley_event event = {.kind = PARLEY_EVENT_STORED};
    event.stored.ticket = ticket;
    event.stored.error = error;
    event.stored.log = log;
    (void)host_step(context, &event);
    host_continue_stop(context);
}

static void on_reopened(void *context, struct parley_store *store) {
    struct parley_host *host = context;
    enum parley_error error = host_load_all(host, store);
    if (error != PARLEY_E_OK) {
        /* What the node believes and what the disk holds can no longer be brought together here.
         * All that was acknowledged is on disk: a new start sorts it out or says why not. */
        parley_log_line(PARLEY_LOG_ERROR, "cannot read the database that was opened again: %s",
                        parley_strerror(error));
        _exit(4);
    }
    struct parley_event event = {.kind = PARLEY_EVENT_STORE_OPENED};
    (void)host_step(host, &event);
    parley_worker_resume(host->worker);
}

static void on_compacted(void *context) {
    struct parley_host *host = context;
    struct parley_event event = {.kind = PARLEY_EVENT_COMPACTED};
    if (!host->is_worker_stopping)
        (void)host_step(host, &event);
}

static void on_worker_stopped(void *context) {
    struct parley_host *host = context;
    host->is_worker_stopped = true;
    host_continue_stop(host);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* More descriptors if the system lets us; how many connections they are good for. */
static size_t connections_max(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return CONNECTIONS_MIN;
    if (limit.rlim_cur < DESCRIPTORS_WANTED) {
        struct rlimit wanted = limit;
        wanted.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
        if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
            limit = wanted;
    }
    if (limit.rlim_cur < DESCRIPTORS_RESERVED + CONNECTIONS_MIN)
        return CONNECTIONS_MIN;
    size_t count = (size_t)limit.rlim_cur - DESCRIPTORS_RESERVED;
    return count < CONNECTIONS_MAX ? count : CONNECTIONS_MAX;
}

/* Strangers fill what they are let: a tenth of a small server's disk. A person decides whom to
 * follow, and loses nothing unasked. */
#define RELAY_QUOTA_BYTES (UINT64_C(10) << 30)
static uint64_t quota_of(const struct parley_host_config *config) {
    if (config->has_quota)
        return config->quota_bytes;
    return config->relay ? RELAY_QUOTA_BYTES : 0;
}

/* Whoever comes new dials relays first, and most of them stay: 8 MB when all are there. */
#define RELAY_CONNECTIONS 1024u

/* What the owner says; else where we listen, if that is an address that others can have. */
static size_t find_places(struct parley_address places[PARLEY_ADVERTISED_MAX],
                          const struct parley_host_config *config) {
    size_t count = 0;
    for (; count < config->advertised_count && count < PARLEY_ADVERTISED_MAX; count++)
        places[count] = config->advertised[count];
    for (size_t i = 0; config->advertised_count == 0 && i < config->listeners_count; i++) {
        struct parley_address address = {.transport = "tcp", .port = config->listeners[i].port};
        struct parley_network_place place;
        (void)snprintf(address.host, sizeof address.host, "%s", config->listeners[i].host);
        parley_network_of_place(&place, &address);
        if (place.is_ip && place.network != PARLEY_NETWORK_NONE && address.port != 0 &&
            count < PARLEY_ADVERTISED_MAX)
            places[count++] = address;
    }
    return count;
}

static enum parley_error create_node(struct parley_host *host,
                                     const struct parley_host_config *config) {
    struct parley_node_config node;
    parley_node_config_defaults(&node);
    randombytes_buf(node.seed.bytes, sizeof node.seed.bytes);
    node.node_key = host->home.node_secret;
    node.has_device = host->home.has_device;
    node.has_author = host->home.has_author;
    node.author = host->home.author;
    node.device_key = host->home.device_secret;
    node.relay = config->relay;
    if (config->hops > 0)
        node.hops = config->hops;
    if (config->has_erase_after)
        node.erase_after_ms = config->erase_after_ms;
    node.quota_bytes = parley_kv_room(quota_of(config));
    if (config->connections_max > 0)
        node.peers_max = config->connections_max;
    else if (config->relay)
        node.peers_max = RELAY_CONNECTIONS;
    if (config->offline)
        node.erase_after_ms = PARLEY_TIME_MAX; /* the node that runs here may be told another */
    node.discover = config->discover && !config->offline;
    node.outbound = config->relay ? PARLEY_OUTBOUND_RELAY : PARLEY_OUTBOUND_PERSON;
    struct parley_address places[PARLEY_ADVERTISED_MAX];
    node.places = places;
    node.places_count = find_places(places, config);
    node.bootstrap = config->bootstrap;
    node.bootstrap_count = config->offline ? 0 : config->bootstrap_count;
    node.peers = host->peers;
    node.peers_count = config->offline ? 0 : config->peers_count;
    host->node = parley_node_create(&node);
    parley_wipe(&node, sizeof node);
    return host->node == NULL ? PARLEY_E_NO_MEMORY : PARLEY_E_OK;
}

static void copy_config(struct parley_host *host, const struct parley_host_config *config) {
    host->is_offline = config->offline;
    host->is_relay = config->relay;
    host->quota_bytes = quota_of(config);
    host->peers = parley_memory(config->peers_count * sizeof *host->peers + 1);
    for (size_t i = 0; i < config->peers_count; i++) {
        host->peers[i] = config->peers[i];
        parley_host_note_owners(host, &config->peers[i]);
    }
    for (size_t i = 0; i < config->listeners_count && i < HOST_LISTENERS_MAX; i++)
        host->listen_at[host->listen_at_count++] = config->listeners[i];
}

static void open_sockets(struct parley_host *host) {
    struct parley_tcp_config config = {
        .handlers = {.context = host,
                     .on_accepted = on_accepted,
                     .on_dialled = on_dialled,
                     .on_dial_failed = on_dial_failed,
                     .on_received = on_received,
                     .on_sent = on_sent,
                     .on_closed = on_closed,
                     .on_stopped = on_tcp_stopped},
        .receive_bytes_max = PARLEY_RECEIVE_BYTES_MAX,
        .connections_max = connections_max(),
    };
    host->tcp = parley_tcp_create(host->loop, &config);
}

static void open_handles(struct parley_host *host) {
    (void)uv_timer_init(host->loop, &host->timer);
    (void)uv_idle_init(host->loop, &host->idle);
    (void)uv_prepare_init(host->loop, &host->prepare);
    host->timer.data = host->idle.data = host->prepare.data = host;
    host->handles_count = 3;
    (void)uv_prepare_start(&host->prepare, host_on_prepare);
}

static void open_worker(struct parley_host *host, const struct parley_disk *disk,
                        const char *directory) {
    struct parley_worker_handlers handlers = {.on_stored = on_stored,
                                              .on_reopened = on_reopened,
                                              .on_compacted = on_compacted,
                                              .on_stopped = on_worker_stopped,
                                              .context = host};
    host->worker = parley_worker_create(host->loop, disk, directory, &handlers);
}

static void free_deferred(struct parley_host *host) {
    while (host->deferred_first != NULL) {
        struct host_deferred *deferred = host->deferred_first;
        host->deferred_first = deferred->next;
        free(deferred);
    }
}

static void free_host(struct parley_host *host) {
    free_deferred(host);
    parley_node_free(host->node);
    parley_tcp_free(host->tcp);
    parley_worker_free(host->worker);
    parley_home_close(&host->home);
    free(host->peers);
    free(host);
}

enum parley_error parley_host_open(struct parley_host **out,
                                   const struct parley_host_config *config, uv_loop_t *loop,
                                   struct parley_problem *problem) {
    struct parley_host *host = parley_memory(sizeof *host);
    struct parley_disk disk = {.kv = NULL};
    char directory[PATH_MAX];
    host->loop = loop;
    host->started = host_monotonic();
    enum parley_error error =
        parley_home_open(&host->home, config->home, config->same_device, problem);
    copy_config(host, config);
    if (error == PARLEY_E_OK && !parley_home_file(directory, &host->home, "db"))
        error = parley_problem_set(problem, PARLEY_E_BAD_INPUT, "the home's path is too long");
    /* Before the database: what that takes to read its log would become the node's tables, and be
     * cleared; new memory is zeros that take no room until they are written. */
    if (error == PARLEY_E_OK && create_node(host, config) != PARLEY_E_OK)
        error = parley_problem_set(problem, PARLEY_E_NO_MEMORY, "not enough memory for a node");
    if (error == PARLEY_E_OK)
        error = parley_disk_open(&disk, directory, false, quota_of(config), problem);
    if (error != PARLEY_E_OK) {
        parley_disk_close(&disk);
        free_host(host);
        return error;
    }
    open_handles(host);
    open_worker(host, &disk, directory);
    if (!config->offline)
        open_sockets(host);
    *out = host;
    return PARLEY_E_OK;
}

/* --- starting --------------------------------------------------------------------------------- */

enum parley_error parley_host_start(struct parley_host *host, struct parley_problem *problem) {
    enum parley_error error = host_load_all(host, parley_worker_held(host->worker));
    parley_worker_resume(host->worker);
    if (error != PARLEY_E_OK)
        return parley_problem_set(problem, error,
                                  "cannot read the database in %s: %s; parley --home %s check "
                                  "names what",
                                  host->home.path, parley_strerror(error), host->home.path);
    error = parley_host_listen(host, host->listen_at, host->listen_at_count, problem);
    if (error != PARLEY_E_OK)
        return error;
    struct parley_event event = {.kind = PARLEY_EVENT_START};
    (void)host_step(host, &event);
    return PARLEY_E_OK;
}

/* --- stopping --------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle) {
    struct parley_host *host = handle->data;
    if (--host->handles_count == 0)
        host->on_stopped(host->stopped_context);
}

static void close_handles(struct parley_host *host) {
    uv_close((uv_handle_t *)&host->timer, on_handle_closed);
    uv_close((uv_handle_t *)&host->idle, on_handle_closed);
    uv_close((uv_handle_t *)&host->prepare, on_handle_closed);
}

/* Sockets first, so that nothing more comes in; then what was begun; then the database. */
void host_continue_stop(struct parley_host *host) {
    if (!host->is_stopping || !host->is_tcp_stopped || host->handles_count < 3 ||
        uv_is_closing((uv_handle_t *)&host->timer))
        return;
    bool is_idle = parley_worker_may_stop(host->worker) && host->verify_first == NULL &&
                   host->deferred_first == NULL;
    if (!is_idle)
        return;
    if (!host->is_worker_stopping) {
        host->is_worker_stopping = true;
        parley_worker_stop(host->worker);
    } else if (host->is_worker_stopped) {
        host_answer_all(host, PARLEY_E_RETRY);
        close_handles(host);
    }
}

void parley_host_stop(struct parley_host *host, void (*on_stopped)(void *context), void *context) {
    struct parley_event event = {.kind = PARLEY_EVENT_STOP};
    (void)host_step(host, &event); /* the goodbyes leave first: the sockets close after them */
    host->is_stopping = true;
    host->on_stopped = on_stopped;
    host->stopped_context = context;
    host_end_patience(host);
    (void)uv_timer_stop(&host->timer);
    if (host->tcp != NULL)
        parley_tcp_stop(host->tcp);
    else
        host->is_tcp_stopped = true;
    host_continue_stop(host);
}

void parley_host_free(struct parley_host *host) {
    if (host != NULL)
        free_host(host);
}
