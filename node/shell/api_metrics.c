/* GET metrics: the figures of the node in the text format of Prometheus, version 0.0.4.
 *
 * Names end in _total where they only grow, and bear their unit. What is told of messages and
 * commits counts from the start of the node. No figure names a peer.
 */
#include "api_job.h"
#include <inttypes.h>
#include <parley/wire.h>
#include <stdio.h>
#include <stdlib.h>

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

static const struct {
    unsigned type;
    const char *word;
} KINDS[] = {
    {PARLEY_WIRE_HELLO, "hello"},
    {PARLEY_WIRE_PING, "ping"},
    {PARLEY_WIRE_GOODBYE, "goodbye"},
    {PARLEY_WIRE_PONG, "pong"},
    {PARLEY_WIRE_INTEREST, "interest"},
    {PARLEY_WIRE_ADDRESSES, "addresses"},
    {PARLEY_WIRE_SHUFFLE, "shuffle"},
    {PARLEY_WIRE_INVITE, "invite"},
    {PARLEY_WIRE_WELCOME, "welcome"},
    {PARLEY_WIRE_INTEREST_CHANGE, "interest_change"},
    {PARLEY_WIRE_PRUNE, "prune"},
    {PARLEY_WIRE_HEADS, "heads"},
    {PARLEY_WIRE_GRAFT, "graft"},
    {PARLEY_WIRE_ASK_RUN, "ask_run"},
    {PARLEY_WIRE_RUN, "run"},
    {PARLEY_WIRE_ASK_BODIES, "ask_bodies"},
    {PARLEY_WIRE_BODIES, "bodies"},
    {PARLEY_WIRE_PUSH, "push"},
    {PARLEY_WIRE_ANNOUNCE, "announce"},
    {PARLEY_WIRE_ASK_IDENTITY, "ask_identity"},
    {PARLEY_WIRE_IDENTITY, "identity"},
    {PARLEY_WIRE_EVIDENCE, "evidence"},
    {PARLEY_WIRE_ASK_HEADS, "ask_heads"},
    {PARLEY_WIRE_RECONCILE, "reconcile"},
    {PARLEY_WIRE_ASK_HEADS_OF, "ask_heads_of"},
    {PARLEY_WIRE_ASK_RUNS, "ask_runs"},
    {PARLEY_WIRE_RUNS, "runs"},
    {PARLEY_TRAFFIC_KINDS - 1, "other"},
};

static void put_head(FILE *out, const char *name, const char *type, const char *help) {
    (void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put(FILE *out, const char *name, const char *type, const char *help, uint64_t value) {
    put_head(out, name, type, help);
    (void)fprintf(out, "%s %" PRIu64 "\n", name, value);
}

/* --- what there is -----------------------------------------------------------------------------
 */

static void put_state(FILE *out, struct parley_host *host) {
    struct parley_node_status status;
    parley_node_status(parley_host_node(host), &status);
    bool is_writable = status.is_writable && parley_host_store_error(host) == PARLEY_E_OK;
    put(out, "parley_peers", "gauge", "Peers whose hello has come.", status.peers_count);
    put(out, "parley_connections", "gauge", "Connections, with those that are being made.",
        status.connections_count);
    put(out, "parley_authors", "gauge", "Authors whose records are held.", status.authors_count);
    put(out, "parley_logs", "gauge", "Logs with an entry.", status.logs_count);
    put(out, "parley_entries", "gauge", "Entries on disk.", status.entries_count);
    put(out, "parley_store_bytes", "gauge", "Bytes of the database on disk.",
        parley_host_store_bytes(host));
    put(out, "parley_writable", "gauge", "1 while entries can be stored, else 0.", is_writable);
    put(out, "parley_catching_up", "gauge", "1 while a run of entries is being fetched, else 0.",
        status.is_catching_up);
    put(out, "parley_stores_in_flight", "gauge", "Stores asked for and not yet on disk.",
        status.stores_in_flight);
    put(out, "parley_duplicates_total", "counter", "Pushes of what was here already.",
        status.duplicates_count);
}

static void put_process(FILE *out, const struct parley_host *host) {
    parley_time_ms uptime = parley_host_uptime(host);
    put_head(out, "parley_uptime_seconds", "gauge", "Time since the node was started.");
    (void)fprintf(out, "parley_uptime_seconds %" PRIu64 ".%03u\n", uptime / 1000,
                  (unsigned)(uptime % 1000));
    put(out, "process_resident_memory_bytes", "gauge", "Bytes of the process in memory.",
        api_resident_bytes());
}

/* --- what was done ------------------------------------------------------------------------------
 */

static void put_traffic(FILE *out, const struct parley_node *node, bool is_sent, bool is_bytes) {
    char name[64];
    (void)snprintf(name, sizeof name, "parley_%s_%s_total", is_sent ? "sent" : "received",
                   is_bytes ? "bytes" : "messages");
    put_head(out, name, "counter",
             is_bytes ? "Bytes of messages by their kind, before they are sealed."
                      : "Messages by their kind.");
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        struct parley_node_traffic received, sent;
        parley_node_traffic(node, KINDS[i].type, &received, &sent);
        const struct parley_node_traffic *traffic = is_sent ? &sent : &received;
        (void)fprintf(out, "%s{kind=\"%s\"} %" PRIu64 "\n", name, KINDS[i].word,
                      is_bytes ? traffic->bytes : traffic->messages_count);
    }
}

static void put_commits(FILE *out, const struct parley_worker_counts *commits) {
    put(out, "parley_commit_bytes_total", "counter", "Bytes of what was committed.",
        commits->bytes);
    put(out, "parley_commit_failures_total", "counter", "Commits that the disk refused.",
        commits->failures_count);
    put_head(out, "parley_commit_operations", "histogram",
             "Operations that shared one synced commit.");
    for (unsigned i = 0; i < PARLEY_COMMIT_BUCKETS; i++)
        (void)fprintf(out, "parley_commit_operations_bucket{le=\"%u\"} %" PRIu64 "\n", 1u << i,
                      commits->up_to[i]);
    (void)fprintf(out,
                  "parley_commit_operations_bucket{le=\"+Inf\"} %" PRIu64 "\n"
                  "parley_commit_operations_sum %" PRIu64 "\n"
                  "parley_commit_operations_count %" PRIu64 "\n",
                  commits->commits_count, commits->operations_count, commits->commits_count);
}

static void put_work(FILE *out, const struct parley_host *host) {
    struct parley_host_counts counts;
    parley_host_counts(host, &counts);
    put(out, "parley_published_total", "counter", "Entries that the owner published.",
        counts.published_count);
    put_head(out, "parley_checks_total", "counter", "Signatures that were checked.");
    (void)fprintf(out,
                  "parley_checks_total{result=\"good\"} %" PRIu64 "\n"
                  "parley_checks_total{result=\"bad\"} %" PRIu64 "\n",
                  counts.checks_good_count, counts.checks_bad_count);
    put_commits(out, &counts.commits);
}

void api_run_metrics(struct api_job *job) {
    struct parley_host *host = job->api->host;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        api_no_memory(job);
        return;
    }
    put_state(out, host);
    put_process(out, host);
    for (unsigned i = 0; i < 4; i++)
        put_traffic(out, parley_host_node(host), i & 1, i & 2);
    put_work(out, host);
    if (fclose(out) == 0)
        api_answer(job, 200, METRICS_TYPE, PARLEY_SPAN(text, size), NULL);
    else
        api_no_memory(job);
    free(text);
}

/* --- whether it lives, whether it serves: for what starts it again, or sends it work -------------
 */

void api_run_healthz(struct api_job *job) {
    api_answer_json(job, 200, json_pack("{s:s}", "status", "ok"));
}

void api_run_readyz(struct api_job *job) {
    size_t logs = parley_node_unreviewed(parley_host_node(job->api->host));
    enum parley_error error = parley_host_store_error(job->api->host);
    if (error != PARLEY_E_OK)
        api_refuse(job, PARLEY_E_RETRY, NULL, "nothing can be stored: %s", parley_strerror(error));
    else if (logs > 0)
        api_refuse(job, PARLEY_E_RETRY, NULL, "still judging what the store holds, %zu %s left",
                   logs, logs == 1 ? "log" : "logs");
    else
        api_answer_json(job, 200, json_pack("{s:s}", "status", "ok"));
}
