#include "reload.h"
#include "log.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What a reload did is what its sender waits for: said at any level of the log but the highest. */
#define SAY(...) parley_log_line(PARLEY_LOG_WARNING, "configuration: " __VA_ARGS__)

void options_default_listener(struct options *options) {
    if (options->listeners_count > 0)
        return;
    struct parley_host_endpoint *endpoint = &options->listeners[options->listeners_count++];
    bool is_open =
        options->relay || options->wants_nat || (options->wants_lan && !options->is_closed);
    endpoint->port = PARLEY_PORT;
    (void)snprintf(endpoint->host, sizeof endpoint->host, "%s", is_open ? "" : "127.0.0.1");
}

/* --- peers ------------------------------------------------------------------------------------ */

static void on_reply(void *context, const struct parley_effect *reply) {
}

static const struct parley_address *find_peer(const struct options *options,
                                              const struct parley_node_key *key) {
    for (size_t i = 0; i < options->peers_count; i++)
        if (PARLEY_EQUAL(options->peers[i].key, *key))
            return &options->peers[i];
    return NULL;
}

static bool is_same_place(const struct parley_address *a, const struct parley_address *b) {
    return a->port == b->port && strcmp(a->host, b->host) == 0 &&
           strcmp(a->transport, b->transport) == 0;
}

static size_t connect_new(struct parley_host *host, const struct options *old,
                          const struct options *fresh) {
    size_t count = 0;
    for (size_t i = 0; i < fresh->peers_count; i++) {
        const struct parley_address *before = find_peer(old, &fresh->peers[i].key);
        if (before != NULL && is_same_place(before, &fresh->peers[i]))
            continue;
        struct parley_event event = {.kind = PARLEY_EVENT_CONNECT};
        event.connect.address = fresh->peers[i];
        event.connect.is_passing = true;
        parley_host_note_owners(host, &fresh->peers[i]);
        (void)parley_host_submit(host, &event, on_reply, NULL);
        count++;
    }
    return count;
}

static size_t disconnect_gone(struct parley_host *host, const struct options *old,
                              const struct options *fresh) {
    size_t count = 0;
    for (size_t i = 0; i < old->peers_count; i++) {
        if (find_peer(fresh, &old->peers[i].key) != NULL)
            continue;
        struct parley_event event = {.kind = PARLEY_EVENT_DISCONNECT};
        event.disconnect.key = old->peers[i].key;
        (void)parley_host_submit(host, &event, on_reply, NULL);
        count++;
    }
    return count;
}

static unsigned change_peers(struct parley_host *host, const struct options *old,
                             const struct options *fresh) {
    size_t new_count = connect_new(host, old, fresh);
    size_t gone_count = disconnect_gone(host, old, fresh);
    if (new_count + gone_count == 0)
        return 0;
    SAY("peer: %zu new or moved, %zu gone", new_count, gone_count);
    return 1;
}

/* --- the log and the listeners -----------------------------------------------------------------
 */

static enum parley_log_level level_of(const struct options *options) {
    return options->has_level ? options->level : PARLEY_LOG_WARNING;
}

static unsigned change_level(const struct options *old, const struct options *fresh) {
    if (level_of(old) == level_of(fresh))
        return 0;
    SAY("log: from %s to %s", parley_log_level_word(level_of(old)),
        parley_log_level_word(level_of(fresh)));
    parley_log_set_level(level_of(fresh));
    return 1;
}

static bool has_same_listeners(const struct options *a, const struct options *b) {
    if (a->listeners_count != b->listeners_count)
        return false;
    for (size_t i = 0; i < a->listeners_count; i++)
        if (a->listeners[i].port != b->listeners[i].port ||
            strcmp(a->listeners[i].host, b->listeners[i].host) != 0)
            return false;
    return true;
}

static enum parley_error change_listeners(struct parley_host *host, const struct options *old,
                                          const struct options *fresh, unsigned *changes,
                                          struct parley_problem *problem) {
    if (has_same_listeners(old, fresh))
        return PARLEY_E_OK;
    enum parley_error error =
        parley_host_listen(host, fresh->listeners, fresh->listeners_count, problem);
    if (error == PARLEY_E_OK) {
        SAY("listen: %zu now, %zu before", fresh->listeners_count, old->listeners_count);
        (*changes)++;
    }
    return error;
}

/* --- what waits --------------------------------------------------------------------------------
 */

/* What is in force stays in the options, so that the next reload still finds it new. */
static unsigned keep_until_start(struct options *fresh, const struct options *old) {
    const struct {
        const char *name;
        bool is_new;
    } rows[] = {
        {"api", fresh->has_api != old->has_api || fresh->is_api_off != old->is_api_off ||
                    memcmp(&fresh->api, &old->api, sizeof fresh->api) != 0},
        {"advertise", fresh->advertised_count != old->advertised_count ||
                          memcmp(fresh->advertised, old->advertised, sizeof old->advertised) != 0},
        {"connections", fresh->connections != old->connections},
        {"discover", fresh->is_closed != old->is_closed},
        {"erase-after", fresh->has_erase_after != old->has_erase_after ||
                            fresh->erase_after_ms != old->erase_after_ms},
        {"home", strcmp(fresh->home, old->home) != 0},
        {"hops", fresh->hops != old->hops},
        {"quota", fresh->has_quota != old->has_quota || fresh->quota_bytes != old->quota_bytes},
        {"relay", fresh->relay != old->relay},
    };
    unsigned count = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!rows[i].is_new)
            continue;
        SAY("%s: from the next start", rows[i].name);
        count++;
    }
    fresh->advertised_count = old->advertised_count;
    memcpy(fresh->advertised, old->advertised, sizeof fresh->advertised);
    fresh->is_closed = old->is_closed;
    memcpy(fresh->bootstrap, old->bootstrap, sizeof fresh->bootstrap);
    fresh->has_api = old->has_api;
    fresh->is_api_off = old->is_api_off;
    fresh->api = old->api;
    fresh->has_erase_after = old->has_erase_after;
    fresh->erase_after_ms = old->erase_after_ms;
    memcpy(fresh->home, old->home, sizeof fresh->home);
    fresh->hops = old->hops;
    fresh->connections = old->connections;
    fresh->has_quota = old->has_quota;
    fresh->quota_bytes = old->quota_bytes;
    fresh->relay = old->relay;
    return count;
}

static const char *word_of(bool is_on) {
    return is_on ? "yes" : "no";
}

static unsigned change_finding(struct parley_finding *finding, const struct options *old,
                               const struct options *fresh) {
    bool lan = options_lan(fresh), was_lan = options_lan(old), nat = fresh->wants_nat;
    if (lan == was_lan && nat == old->wants_nat && has_same_listeners(old, fresh))
        return 0;
    if (lan != was_lan)
        SAY("lan: %s", word_of(lan));
    if (nat != old->wants_nat)
        SAY("nat: %s", word_of(nat));
    parley_finding_set(finding, lan, nat);
    return (lan != was_lan) + (nat != old->wants_nat);
}

enum parley_error parley_config_read(struct options *options,
                                     const struct parley_config_files *files,
                                     struct parley_problem *problem) {
    enum parley_error error = PARLEY_E_OK;
    *options = *files->said;
    if (files->said->config != NULL || access(files->path, F_OK) == 0)
        error = options_read_file(options, files->path, problem);
    if (error == PARLEY_E_OK && access(files->chosen_path, F_OK) == 0)
        error = options_read_file(options, files->chosen_path, problem);
    return error;
}

bool parley_reload(struct parley_host *host, struct parley_finding *finding,
                   struct options *options, const struct parley_config_files *files,
                   struct parley_problem *problem) {
    static struct options fresh;
    unsigned changes = 0;
    enum parley_error error = parley_config_read(&fresh, files, problem);
    if (error == PARLEY_E_OK) {
        options_default_listener(&fresh);
        error = change_listeners(host, options, &fresh, &changes, problem);
    }
    if (error != PARLEY_E_OK) {
        parley_log_line(PARLEY_LOG_ERROR, "%s; the old configuration stays", problem->text);
        return false;
    }
    changes += keep_until_start(&fresh, options);
    changes += change_finding(finding, options, &fresh);
    changes += change_peers(host, options, &fresh);
    changes += change_level(options, &fresh);
    if (changes == 0)
        SAY("read again, nothing is new");
    *options = fresh;
    return true;
}
