/* Who is here and whom the owner follows: id, status, peers, follows. */
#include "api_job.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- id and status ------------------------------------------------------------------------ */

static json_t *json_node_key(const struct parley_node_key *key) {
    char text[PARLEY_NODE_TEXT_SIZE];
    parley_node_key_encode(text, key);
    return json_string(text);
}

static json_t *json_listeners(const struct parley_host *host) {
    json_t *list = json_array();
    const char *text;
    for (size_t i = 0; (text = parley_host_listener_text(host, i)) != NULL; i++)
        json_array_append_new(list, json_string(text));
    return list;
}

static json_t *json_self(const struct parley_host *host) {
    const struct parley_home *home = parley_host_home(host);
    json_t *json = json_object();
    bool has = home->has_device;
    json_object_set_new(json, "author",
                        home->has_author ? api_json_author(&home->author) : json_null());
    json_object_set_new(json, "device", has ? api_json_hex(home->device.bytes, 32) : json_null());
    json_object_set_new(json, "log", has ? api_json_hex(home->log.bytes, 32) : json_null());
    json_object_set_new(json, "node_key", json_node_key(&home->node));
    json_object_set_new(json, "listen", json_listeners(host));
    return json;
}

void api_run_id(struct api_job *job) {
    api_answer_json(job, 200, json_self(job->api->host));
}

uint64_t api_resident_bytes(void) {
    unsigned long long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    int count = fscanf(file, "%llu %llu", &all, &resident);
    fclose(file);
    return count == 2 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static const char *state_word(const struct parley_host *host,
                              const struct parley_node_status *status) {
    enum parley_error error = parley_host_store_error(host);
    if (error == PARLEY_E_DISK_FULL)
        return "disk_full";
    if (error != PARLEY_E_OK)
        return "disk_failed";
    if (!status->is_writable)
        return "read_only";
    if (status->is_full)
        return "over_quota"; /* and nothing of it may go */
    if (status->is_catching_up)
        return "catching_up";
    return status->is_at_quota ? "at_quota" : "ok";
}

static void set_number(json_t *json, const char *name, uint64_t value) {
    json_object_set_new(json, name, json_integer((json_int_t)value));
}

static void answer_status(struct api_job *job) {
    struct parley_host *host = job->api->host;
    struct parley_node_status status;
    parley_node_status(parley_host_node(host), &status);
    json_t *json = json_self(host);
    const char *url = job->api->url;
    json_object_set_new(json, "api", url[0] != '\0' ? json_string(url) : json_null());
    json_object_set_new(json, "version", json_string(PARLEY_VERSION));
    json_object_set_new(json, "relay", json_boolean(parley_host_is_relay(host)));
    set_number(json, "peers", status.peers_count);
    set_number(json, "outbound", status.outbound_count);
    set_number(json, "connections", status.connections_count);
    set_number(json, "addresses", status.addresses_count);
    set_number(json, "addresses_reached", status.reached_count);
    api_reach_set(job, json);
    json_object_set_new(json, "dials", json_boolean(!status.has_nobody_to_dial));
    set_number(json, "logs", status.logs_count);
    set_number(json, "entries", status.entries_count);
    set_number(json, "authors", status.authors_count);
    set_number(json, "store_bytes", parley_host_store_bytes(host));
    set_number(json, "quota_bytes", parley_host_quota_bytes(host)); /* 0: nothing is pruned */
    set_number(json, "held_bytes", status.held_bytes);
    set_number(json, "strangers_bytes", status.strangers_bytes);
    api_digest_set(job, json);
    json_object_set_new(
        json, "writable",
        json_boolean(status.is_writable && parley_host_store_error(host) == PARLEY_E_OK));
    json_object_set_new(json, "device_state", json_string(api_device_word(host)));
    json_object_set_new(json, "state", json_string(state_word(host, &status)));
    set_number(json, "duplicates", status.duplicates_count);
    set_number(json, "uptime_ms", parley_host_uptime(host));
    set_number(json, "rss_bytes", api_resident_bytes());
    api_answer_json(job, 200, json);
}

void api_run_status(struct api_job *job) {
    api_digest_read(job, NULL, 0, answer_status);
}

/* ---- one author --------------------------------------------------------------------------- */

void api_names_author(struct api_job *job) {
    if (api_name_add(job, API_AUTHOR, "author", job->rest))
        api_names_find(job);
}

/* A beginning or a person's name as the whole name. */
void api_run_author(struct api_job *job) {
    api_answer_json(job, 200, json_pack("{s:o}", "author", api_json_author(&job->names[0].author)));
}

/* ---- peers -------------------------------------------------------------------------------- */

static const char *network_word(const struct parley_remote *remote) {
    switch (remote->network) {
    case PARLEY_NETWORK_NONE:
        return "machine";
    case PARLEY_NETWORK_CLEAR:
        return "clear";
    case PARLEY_NETWORK_LAN:
        return "lan";
    case PARLEY_NETWORK_OTHER:
        return remote->transport;
    }
    return "?";
}

void api_run_peers(struct api_job *job) {
    const struct parley_node *node = parley_host_node(job->api->host);
    struct parley_node_peer peer;
    json_t *list = json_array();
    for (size_t place = 0; parley_node_peer_next(node, &place, &peer);) {
        if (!peer.is_open)
            continue;
        json_t *json = json_object();
        json_object_set_new(json, "node_key", json_node_key(&peer.key));
        json_object_set_new(json, "direction", json_string(peer.is_dialled ? "out" : "in"));
        json_object_set_new(json, "network", json_string(network_word(&peer.remote)));
        json_object_set_new(json, "relay", json_boolean(peer.is_relay));
        set_number(json, "received_bytes", peer.received_bytes);
        set_number(json, "sent_bytes", peer.sent_bytes);
        json_array_append_new(list, json);
    }
    api_answer_json(job, 200, json_pack("{s:o}", "peers", list));
}

static void on_connect_reply(void *context, const struct parley_effect *effect) {
    struct api_job *job = context;
    enum parley_error error = api_reply_error(job->api, effect);
    if (error == PARLEY_E_OK || error == PARLEY_E_EXISTS)
        api_answer_json(job, 200, json_pack("{s:b}", "done", 1));
    else if (error == PARLEY_E_BAD_INPUT)
        api_refuse(job, error, "address", "that is the address of this node itself");
    else if (error == PARLEY_E_NOT_FOUND)
        api_refuse(job, error, "key", "that node is neither connected nor dialled: parley peers");
    else
        api_refuse(job, error, NULL, "%s", parley_strerror(error));
}

/* False: the job was refused. */
static bool read_address(struct api_job *job, const char *text, struct parley_address *address) {
    struct parley_fault fault = parley_address_decode(address, PARLEY_SPAN(text, strlen(text)));
    if (fault.error == PARLEY_E_OK && strcmp(address->transport, "tcp") == 0) {
        parley_host_forget_invited(job->api->host, address); /* the owner says it now */
        return true;
    }
    if (fault.error == PARLEY_E_OK)
        api_refuse(job, PARLEY_E_BAD_INPUT, "address", "no transport %s here", address->transport);
    else
        api_refuse(job, fault.error, "address",
                   "address: %s (at letter %zu): it must be KEY@HOST:PORT",
                   parley_strerror(fault.error), fault.offset + 1);
    return false;
}

void api_run_connect(struct api_job *job) {
    struct parley_event event = {.kind = PARLEY_EVENT_CONNECT};
    const char *text = api_member_text(job->json, "address");
    if (text == NULL)
        api_refuse(job, PARLEY_E_BAD_INPUT, "address", "address is missing or not text");
    else if (read_address(job, text, &event.connect.address))
        parley_host_submit(job->api->host, &event, on_connect_reply, job);
}

void api_run_disconnect(struct api_job *job) {
    struct parley_event event = {.kind = PARLEY_EVENT_DISCONNECT};
    struct parley_fault fault =
        parley_node_key_decode(&event.disconnect.key, PARLEY_SPAN(job->rest, strlen(job->rest)));
    if (fault.error != PARLEY_E_OK)
        api_refuse(job, fault.error, "key", "key: %s (at letter %zu)", parley_strerror(fault.error),
                   fault.offset + 1);
    else
        parley_host_submit(job->api->host, &event, on_connect_reply, job);
}

/* ---- follows ------------------------------------------------------------------------------ */

void api_run_follows(struct api_job *job) {
    const struct parley_node *node = parley_host_node(job->api->host);
    struct parley_node_author author;
    json_t *list = json_array();
    for (size_t i = 0; parley_node_author_at(node, i, &author); i++)
        if (author.is_followed)
            json_array_append_new(list, json_pack("{s:o, s:b, s:b}", "author",
                                                  api_json_author(&author.author), "private",
                                                  (int)author.is_private, "known",
                                                  (int)author.is_revealed));
    api_answer_json(job, 200, json_pack("{s:o}", "follows", list));
}

/* What is kept between the follow's reply and the address's. */
struct follow {
    bool has_address;
    struct parley_address address;
    json_t *answer;
};

static void free_follow(void *state) {
    struct follow *follow = state;
    json_decref(follow->answer);
    free(follow);
}

static void on_follow_connected(void *context, const struct parley_effect *effect) {
    struct api_job *job = context;
    struct follow *follow = job->state;
    if (effect->reply.error == PARLEY_E_OK || effect->reply.error == PARLEY_E_EXISTS)
        api_answer_json(job, 200, json_incref(follow->answer));
    else
        api_refuse(job, effect->reply.error, "address", "followed, but the address was refused: %s",
                   parley_strerror(effect->reply.error));
}

static void on_follow_reply(void *context, const struct parley_effect *effect) {
    struct api_job *job = context;
    struct follow *follow = job->state;
    const char *field = "author";
    enum parley_error error = api_reply_error(job->api, effect);
    if (error != PARLEY_E_OK && error != PARLEY_E_EXISTS) {
        api_refuse(job, error, field, "%s", api_publish_words(job->api, error));
        return;
    }
    if (effect->reply.seq != 0)
        json_object_set_new(
            follow->answer, "post",
            api_json_post_address(&effect->reply.log, effect->reply.seq, &effect->reply.id));
    if (!follow->has_address) {
        api_answer_json(job, 200, json_incref(follow->answer));
        return;
    }
    struct parley_event event = {.kind = PARLEY_EVENT_CONNECT};
    event.connect.address = follow->address;
    parley_host_submit(job->api->host, &event, on_follow_connected, job);
}

static void submit_follow(struct api_job *job, bool on, bool is_private) {
    struct follow *follow = calloc(1, sizeof(*follow));
    const char *address = on ? api_member_text(job->json, "address") : NULL;
    if (follow == NULL) {
        api_no_memory(job);
        return;
    }
    job->state = follow;
    job->free_state = free_follow;
    if (address != NULL) {
        if (!read_address(job, address, &follow->address))
            return;
        follow->has_address = true;
    }
    struct parley_event event = {.kind = PARLEY_EVENT_FOLLOW};
    event.follow.author = job->names[0].author;
    event.follow.on = on;
    event.follow.is_private = is_private;
    follow->answer = json_pack("{s:o, s:b, s:b}", "author", api_json_author(&event.follow.author),
                               "followed", (int)on, "private", (int)is_private);
    parley_host_submit(job->api->host, &event, on_follow_reply, job);
}

void api_names_follow(struct api_job *job) {
    const char *author = api_member_text(job->json, "author");
    const json_t *address = json_object_get(job->json, "address");
    const json_t *is_private = json_object_get(job->json, "private");
    if (author == NULL)
        api_refuse(job, PARLEY_E_BAD_INPUT, "author", "author is missing or not text");
    else if (address != NULL && !json_is_null(address) && !json_is_string(address))
        api_refuse(job, PARLEY_E_BAD_INPUT, "address", "address must be text");
    else if (is_private != NULL && !json_is_boolean(is_private))
        api_refuse(job, PARLEY_E_BAD_INPUT, "private", "private must be true or false");
    else if (api_name_add(job, API_AUTHOR, "author", author))
        api_names_find(job);
}

void api_run_follow(struct api_job *job) {
    const struct parley_home *home = parley_host_home(job->api->host);
    if (home->has_author && PARLEY_EQUAL(home->author, job->names[0].author)) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "author", "this is your own name");
        return;
    }
    submit_follow(job, true, json_is_true(json_object_get(job->json, "private")));
}

void api_run_unfollow(struct api_job *job) {
    const struct parley_node *node = parley_host_node(job->api->host);
    struct parley_node_author author;
    for (size_t i = 0; parley_node_author_at(node, i, &author); i++)
        if (author.is_followed && PARLEY_EQUAL(author.author, job->names[0].author)) {
            submit_follow(job, false, author.is_private);
            return;
        }
    api_refuse(job, PARLEY_E_NOT_FOUND, "author", "%s is not followed", job->names[0].text);
}
