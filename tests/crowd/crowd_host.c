#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>

/* --- begin and end ------------------------------------------------------------------------- */

static void boot(struct crowd *crowd, unsigned node) {
    struct crowd_node *host = &crowd->nodes[node];
    struct parley_event event = {.kind = PARLEY_EVENT_START};
    bool is_new = parley_disk_writes_count(host->disk) == 0;
    assert_int_equal(parley_kv_memory_open(&host->kv, host->disk, is_new), PARLEY_E_OK);
    assert_int_equal(parley_store_open(&host->store, host->kv, is_new), PARLEY_E_OK);
    host->core = parley_node_create(&host->config);
    assert_non_null(host->core);
    crowd_load(crowd, node);
    crowd_step(crowd, node, &event, NULL);
}

void crowd_begin(struct crowd *crowd, unsigned count, uint64_t seed) {
    struct parley_seed chance = {{0}};
    memset(crowd, 0, sizeof *crowd);
    parley_put_u48(chance.bytes, seed);
    parley_random_init(&crowd->random, &chance);
    crowd->count = count;
    for (unsigned i = 0; i < count; i++) {
        struct crowd_node *host = &crowd->nodes[i];
        struct parley_seed key = {{0}};
        parley_node_config_defaults(&host->config);
        key.bytes[0] = (uint8_t)(i + 1);
        parley_random_bytes(&crowd->random, host->config.seed.bytes, 32);
        parley_key_pair(&host->config.node_key, host->address.key.bytes, &key);
        snprintf(host->address.transport, sizeof host->address.transport, "tcp");
        snprintf(host->address.host, sizeof host->address.host, "%u", i);
        host->address.port = 1;
        host->config.relay = true;
        host->config.peers_max = 8;
        host->config.authors_max = 16;
        host->config.logs_max = 1024;
        host->next_accept = 2;
        host->disk = parley_disk_create();
        boot(crowd, i);
    }
    crowd_settle(crowd);
}

static void kill_node(struct crowd *crowd, unsigned node) {
    struct crowd_node *host = &crowd->nodes[node];
    for (struct crowd_task *task; (task = host->stores) != NULL || (task = host->others) != NULL;) {
        if (task == host->stores)
            host->stores = task->next;
        else
            host->others = task->next;
        free(task);
    }
    parley_node_free(host->core);
    parley_store_close(host->store);
    parley_disk_crash(host->disk);
}

void crowd_end(struct crowd *crowd) {
    for (unsigned i = 0; i < crowd->count; i++) {
        kill_node(crowd, i);
        parley_disk_free(crowd->nodes[i].disk);
    }
    for (size_t i = 0; i < CROWD_LINKS_MAX; i++) {
        free(crowd->links[i].bytes[0]);
        free(crowd->links[i].bytes[1]);
    }
}

void crowd_restart(struct crowd *crowd, unsigned node) {
    for (size_t i = 0; i < CROWD_LINKS_MAX; i++)
        for (unsigned end = 0; end < 2; end++)
            if (crowd->links[i].is_told[end] && crowd->links[i].nodes[end] == node) {
                crowd->links[i].is_told[end] = false;
                crowd_close_link(crowd, &crowd->links[i]);
            }
    kill_node(crowd, node);
    parley_random_bytes(&crowd->random, crowd->nodes[node].config.seed.bytes, 32);
    boot(crowd, node);
    crowd_settle(crowd);
}

/* --- meeting ------------------------------------------------------------------------------- */

void crowd_link(struct crowd *crowd, unsigned a, unsigned b) {
    struct parley_event event = {.kind = PARLEY_EVENT_CONNECT};
    event.connect.address = crowd->nodes[b].address;
    crowd_step(crowd, a, &event, NULL);
    crowd_settle(crowd);
}

void crowd_meet(struct crowd *crowd) {
    for (unsigned a = 0; a < crowd->count; a++)
        for (unsigned b = 0; b < a; b++)
            crowd_link(crowd, a, b);
}

void crowd_part(struct crowd *crowd) {
    for (unsigned a = 0; a < crowd->count; a++)
        for (unsigned b = 0; b < crowd->count; b++) {
            struct parley_event event = {.kind = PARLEY_EVENT_DISCONNECT};
            event.disconnect.key = crowd->nodes[b].address.key;
            if (a != b)
                crowd_step(crowd, a, &event, NULL);
        }
    crowd_settle(crowd);
}

void crowd_import(struct crowd *crowd, unsigned node, struct parley_span chunk) {
    struct parley_event event = {.kind = PARLEY_EVENT_IMPORT_CHUNK};
    event.import.request = 1;
    event.import.bytes = chunk;
    crowd_step(crowd, node, &event, NULL);
    crowd_settle(crowd);
}

void crowd_record(struct crowd *crowd, unsigned node, struct parley_span record) {
    struct parley_event event = {.kind = PARLEY_EVENT_IMPORT_RECORD};
    event.import.request = 1;
    event.import.bytes = record;
    crowd_step(crowd, node, &event, NULL);
    crowd_settle(crowd);
}

/* --- looking ------------------------------------------------------------------------------- */

struct parley_node_log crowd_log(struct crowd *crowd, unsigned node, const struct parley_log *log) {
    struct parley_node_log out = {.policy = PARLEY_NO_POLICY};
    (void)parley_node_log_find(crowd->nodes[node].core, log, &out);
    return out;
}

bool crowd_differs(struct crowd *crowd, const struct parley_log *log, char *why, size_t why_size) {
    struct parley_hash first, digest;
    struct parley_node_log a = crowd_log(crowd, 0, log);
    parley_node_digest(crowd->nodes[0].core, NULL, 0, &first);
    for (unsigned i = 1; i < crowd->count; i++) {
        struct parley_node_log b = crowd_log(crowd, i, log);
        parley_node_digest(crowd->nodes[i].core, NULL, 0, &digest);
        const char *what = !parley_policy_equal(&a.policy, &b.policy) ? "policy"
                           : a.forked != b.forked                     ? "fork"
                           : a.head_seq != b.head_seq || !PARLEY_EQUAL(a.head_id, b.head_id)
                               ? "head"
                           : !PARLEY_EQUAL(first, digest) ? "digest"
                                                          : NULL;
        if (what == NULL)
            continue;
        snprintf(why, why_size,
                 "%s: node 0 and %u: policy %d %llu, %d %llu; forked %llu, %llu; head %llu, %llu; "
                 "ranges %u, %u; good %u, %u",
                 what, i, (int)a.policy.kind, (unsigned long long)a.policy.seq, (int)b.policy.kind,
                 (unsigned long long)b.policy.seq, (unsigned long long)a.forked,
                 (unsigned long long)b.forked, (unsigned long long)a.head_seq,
                 (unsigned long long)b.head_seq, a.ranges.count, b.ranges.count, a.good.count,
                 b.good.count);
        return true;
    }
    return false;
}

void crowd_agrees(struct crowd *crowd, const struct parley_log *log) {
    char why[512];
    for (unsigned rounds = 0; rounds < 40; rounds++) {
        if (!crowd_differs(crowd, log, why, sizeof why))
            return;
        crowd_wait(crowd, 10);
    }
    fail_msg("%s", why);
}
