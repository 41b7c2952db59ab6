/* The product's shell: one node, its store and its sockets on one libuv loop. It performs effects
 * and decides nothing.
 *
 * Everything here is called on the loop's thread; every callback comes on it. No callback comes
 * before the call that asked for it has returned. The same host serves parleyd and, offline, a
 * command that works on a home directly.
 *
 *   parley_host_open     lock, keys, database
 *   parley_host_start    rows into the node, START, listeners; then uv_run does the rest
 *   parley_host_stop     finishes what was begun, closes all; then parley_host_free
 */
#ifndef PARLEY_HOST_H
#define PARLEY_HOST_H

#include "home.h"
#include "problem.h"
#include "worker.h"
#include <parley/node.h>
#include <uv.h>

struct parley_host;

struct parley_host_endpoint {
    char host[PARLEY_HOST_SIZE_MAX + 1]; /* an address; a name is resolved; "": every address */
    uint16_t port;                       /* 0: choose one */
};

struct parley_host_config {
    const char *home;     /* an absolute path, see parley_home_resolve */
    bool offline;         /* no listeners, no dials: for commands without a running node */
    bool relay;           /* carries for strangers */
    bool same_device;     /* see parley_home_open */
    unsigned hops;        /* 0: the node's default */
    bool has_erase_after; /* else the node's default */
    parley_time_ms erase_after_ms;
    bool has_quota; /* else none, and a relay's default */
    uint64_t quota_bytes;
    size_t connections_max; /* 0: the node's default, or a relay's */
    const struct parley_host_endpoint *listeners;
    size_t listeners_count;
    const struct parley_address *peers;
    size_t peers_count;
    bool discover; /* learns of other nodes from peers, and dials them */
    /* Where others reach this node; none: the listeners with an address that others can have. */
    const struct parley_address *advertised;
    size_t advertised_count;
    const struct parley_address *bootstrap; /* see parley_node_config */
    size_t bootstrap_count;
};

/* Spans in config may go after the call. Errors: those of parley_home_open and parley_store_open;
 * NO_MEMORY. */
PARLEY_USE_RESULT enum parley_error parley_host_open(struct parley_host **host,
                                                     const struct parley_host_config *config,
                                                     uv_loop_t *loop,
                                                     struct parley_problem *problem);
/* Reads every row (a second for a million logs), starts the node, listens. Errors: BAD_INPUT (an
 * address that cannot be listened on), STORE_DAMAGED, DISK_FAILED. After an error: stop and free.
 */
PARLEY_USE_RESULT enum parley_error parley_host_start(struct parley_host *host,
                                                      struct parley_problem *problem);
/* Listens at these and no others: what is there stays, what is not wanted closes, what is new
 * opens. At most 16. After an error (as of start) all is as before. Offline: nothing. */
PARLEY_USE_RESULT enum parley_error parley_host_listen(struct parley_host *host,
                                                       const struct parley_host_endpoint *endpoints,
                                                       size_t endpoints_count,
                                                       struct parley_problem *problem);
/* Closes listeners and connections, finishes commits and reads, closes the store; then calls
 * back. Pending submissions are answered RETRY and pending reads done. Run the loop for it. */
void parley_host_stop(struct parley_host *host, void (*on_stopped)(void *context), void *context);
/* After on_stopped only. NULL is allowed. */
void parley_host_free(struct parley_host *host);

/* --- asking the node ---------------------------------------------------------------------- */

typedef void parley_host_on_reply(void *context, const struct parley_effect *reply);

/* Steps the node with an event of the owner (PUBLISH, FOLLOW, CONNECT, DISCONNECT, IMPORT_*): the
 * request number and both clocks are set here. Spans in the event are borrowed until the call
 * returns. on_reply comes exactly once, later, with the REPLY effect; a PUBLISH is answered when it
 * is on disk. Answers the number, for parley_host_forget. After stop: RETRY. */
parley_request parley_host_submit(struct parley_host *host, struct parley_event *event,
                                  parley_host_on_reply *on_reply, void *context);
/* The same, and while the answer is RETRY asked again for half a minute: a long import goes on
 * while peers keep the node busy. Spans of the event stay until the reply, which cannot be
 * forgotten. */
void parley_host_submit_patiently(struct parley_host *host, const struct parley_event *event,
                                  parley_host_on_reply *on_reply, void *context);
/* Whoever asked has gone: its on_reply will not be called. What was asked is still done. */
void parley_host_forget(struct parley_host *host, parley_request request);

/* --- reading the store --------------------------------------------------------------------- */

/* On a worker thread; beside commits, not beside the closing of the store. */
typedef void parley_host_work(void *context, struct parley_store *store);
/* On the loop. error is not OK when the work could not be done (RETRY: the store is being opened
 * again, or the host stops); then work was not called. */
typedef void parley_host_done(void *context, enum parley_error error);

/* Calls work on a worker, then done on the loop, exactly once. Keep work short (a page of posts):
 * a few workers are shared by all. Not after on_stopped. */
void parley_host_read(struct parley_host *host, parley_host_work *work, parley_host_done *done,
                      void *context);

/* What was just stored, on the committing thread: see parley_worker_listen. */
typedef void parley_host_on_commit(void *context, struct parley_store *store,
                                   const struct parley_store_op *op);
void parley_host_listen_commits(struct parley_host *host, parley_host_on_commit *on_commit,
                                void *context);

/* The files give back what was dropped, beside everything else; a compaction that is under way goes
 * round once more. */
void parley_host_compact(struct parley_host *host);
bool parley_host_is_compacting(const struct parley_host *host);

/* --- watching ------------------------------------------------------------------------------ */

/* Called for every SHOW, after the entry is on disk. */
typedef void parley_host_on_show(void *context, const struct parley_effect *show);
struct parley_host_watch {
    parley_host_on_show *on_show;
    void *context;
    struct parley_host_watch *next; /* the host's */
};
/* The watch is the caller's and must stay until unwatch, which may be called in any callback. */
void parley_host_watch(struct parley_host *host, struct parley_host_watch *watch);
void parley_host_unwatch(struct parley_host *host, struct parley_host_watch *watch);

/* Called for every SAID. NULL: no more. */
typedef void parley_host_on_said(void *context, const struct parley_effect *said);
void parley_host_listen_said(struct parley_host *host, parley_host_on_said *on_said, void *context);

/* Device and root key again, which a command has changed in the home; the node goes on with them.
 * Errors: those of parley_home_read_again. */
PARLEY_USE_RESULT enum parley_error parley_host_read_keys(struct parley_host *host,
                                                          struct parley_problem *problem);

/* --- what there is -------------------------------------------------------------------------- */

uv_loop_t *parley_host_loop(struct parley_host *host);
/* For the questions of node.h between steps. */
const struct parley_node *parley_host_node(const struct parley_host *host);
const struct parley_home *parley_host_home(const struct parley_host *host);
bool parley_host_is_offline(const struct parley_host *host);
bool parley_host_is_relay(const struct parley_host *host);

/* What the files of the database are to stay within; 0: nothing limits them. */
uint64_t parley_host_quota_bytes(const struct parley_host *host);
/* "KEY@HOST:PORT" of listener number index, with the port that was chosen; NULL past the last. */
const char *parley_host_listener_text(const struct parley_host *host, size_t index);
/* Where the owner said that this node is; NULL: he named none of that key. Good until the next
 * call. */
const struct parley_address *parley_host_owners_address(struct parley_host *host,
                                                        const struct parley_node_key *key);
/* A CONNECT that passes is the owner's word, too. */
void parley_host_note_owners(struct parley_host *host, const struct parley_address *address);
/* Named by an invite, which a stranger made, or by who came with one: that place is dialled only
 * where a peer's word may lead, whatever a name resolves to, also where it is kept as the owner's.
 * Until the node is disconnected, or the owner names another place of it. False: there is no room,
 * and it must not be dialled. */
PARLEY_USE_RESULT bool parley_host_note_invited(struct parley_host *host,
                                                const struct parley_address *address);
bool parley_host_is_invited(const struct parley_host *host, const struct parley_address *address);
/* The owner has named it now, or nobody dials it any more. */
void parley_host_forget_invited(struct parley_host *host, const struct parley_address *address);
/* Bytes of the database on disk; 0 while it is being opened again. */
uint64_t parley_host_store_bytes(struct parley_host *host);
/* Why nothing can be stored now; OK when all is as it should be. */
enum parley_error parley_host_store_error(const struct parley_host *host);
parley_time_ms parley_host_uptime(const struct parley_host *host);
/* Whether the store's thread has moved since the last call, or has nothing to do. */
bool parley_host_store_moves(struct parley_host *host);
/* What was done since the host was opened. */
struct parley_host_counts {
    uint64_t published_count;                     /* by the owner, and on disk */
    uint64_t checks_good_count, checks_bad_count; /* signatures */
    struct parley_worker_counts commits;
};
void parley_host_counts(const struct parley_host *host, struct parley_host_counts *out);
/* Milliseconds since 1970, as events carry it. */
parley_time_ms parley_host_wall(const struct parley_host *host);

#endif
