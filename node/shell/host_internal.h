/* What the files of the host share. */
#ifndef PARLEY_HOST_INTERNAL_H
#define PARLEY_HOST_INTERNAL_H

#include "host.h"
#include "tcp.h"
#include "worker.h"
#include <parley/node_limits.h>

#define HOST_BUCKETS_COUNT 1024u
#define HOST_LISTENERS_MAX 16u
/* One that is kept for each node that the owner's book holds, and those of the invites that are
 * being accepted. */
#define HOST_INVITED_MAX    (PARLEY_BOOK_ADDRESSES_MAX + 64u)
#define HOST_CHECKS_A_BATCH 4u /* 0.2 ms of one core: worth a thread, and all cores get some */

struct host_listener {
    struct parley_host_endpoint at;
    struct parley_tcp_listener socket;
    char text[PARLEY_ADDRESS_TEXT_SIZE];
};

/* An owner's event whose REPLY has not come. */
struct host_request {
    struct host_request *next;
    parley_request number;
    bool is_publish;
    parley_host_on_reply *on_reply; /* NULL: forgotten */
    void *context;
};

/* An effect that calls somebody, kept for the loop's next turn so that nobody is called within a
 * step or before the call that caused it has returned. Holds no span. */
struct host_deferred {
    struct host_deferred *next;
    struct parley_effect effect; /* REPLY, SHOW, SAID, DIAL (which fails) */
};

/* Checks of one turn of the loop, answered in the order in which they were asked. */
struct verify_batch {
    struct verify_batch *next;
    struct parley_host *host;
    uv_work_t request;
    bool is_done;
    size_t count;
    parley_ticket tickets[HOST_CHECKS_A_BATCH];
    struct parley_check checks[HOST_CHECKS_A_BATCH];
    bool holds[HOST_CHECKS_A_BATCH];
};

struct parley_host {
    uv_loop_t *loop;
    struct parley_home home;
    bool is_offline, is_relay;
    uint64_t quota_bytes;                                    /* of all files; 0: none */
    struct parley_address *peers;                            /* as the node got them */
    struct parley_address owners[PARLEY_BOOK_ADDRESSES_MAX]; /* whom the owner named */
    size_t owners_count;
    struct parley_address invited[HOST_INVITED_MAX]; /* named by strangers, by way of an invite */
    size_t invited_count;
    struct parley_node *node;
    struct parley_worker *worker;
    struct parley_tcp *tcp; /* NULL: offline */
    bool is_stepping;
    parley_time_ms started;
    uint64_t published_count, checks_good_count, checks_bad_count;

    struct parley_host_endpoint listen_at[HOST_LISTENERS_MAX]; /* as asked for at first */
    size_t listen_at_count;
    struct host_listener listeners[HOST_LISTENERS_MAX]; /* open */
    size_t listeners_count;

    uv_timer_t timer; /* the node's deadline */
    uv_idle_t idle;   /* runs while something is deferred */
    uv_prepare_t prepare;
    unsigned handles_count;
    struct host_deferred *deferred_first, *deferred_last;

    parley_request request_last;
    struct host_request *requests[HOST_BUCKETS_COUNT];
    struct host_patient *patients;
    parley_host_on_said *on_said; /* NULL: nobody listens */
    void *said_context;
    struct parley_host_watch *watches;
    struct parley_host_watch *watch_next; /* of a round of calls that is under way */

    struct verify_batch *verify_first, *verify_last; /* asked, not answered */
    struct verify_batch *verify_open;                /* takes more; the last */

    struct parley_new_device *new_device; /* while its certificate is on its way to the disk */
    uint64_t ended_at;   /* as of uv_now, when it was seen to be revoked or void; 0: it is not */
    bool has_said_end;   /* that it was revoked, or that its root counts no more */
    bool is_device_lost; /* somebody else signs with its key: has been said */

    bool is_stopping, is_tcp_stopped, is_worker_stopping, is_worker_stopped;
    void (*on_stopped)(void *context);
    void *stopped_context;
};

/* Sets both clocks, steps, performs the effects, sets the timer. Not within itself. */
size_t host_step(struct parley_host *host, struct parley_event *event);
parley_time_ms host_monotonic(void);

void host_defer(struct parley_host *host, const struct parley_effect *effect);
void host_on_idle(uv_idle_t *idle);
void host_on_prepare(uv_prepare_t *prepare);
void host_on_timer(uv_timer_t *timer);

/* Work off the loop. */
void host_verify(struct parley_host *host, parley_ticket ticket, const struct parley_check *check);
/* Before the loop waits. A check that is alone is made at once, on the loop. */
void host_verify_turn(struct parley_host *host);
void host_read(struct parley_host *host, const struct parley_effect *effect);

/* Who waits to ask again is answered RETRY: the host stops. */
void host_end_patience(struct parley_host *host);
void host_answer_request(struct parley_host *host, const struct parley_effect *reply);
/* Answers all that are open: the host stops. */
void host_answer_all(struct parley_host *host, enum parley_error error);

/* What of it says whom the owner wants to be connected with (host_book.c). */
void host_note_event(struct parley_host *host, const struct parley_event *event);
void host_note_meta(struct parley_host *host, struct parley_span key, struct parley_span value);

/* Every row into the node, in the order in which rows depend on each other. */
PARLEY_USE_RESULT enum parley_error host_load_all(struct parley_host *host,
                                                  struct parley_store *store);

/* Where somebody else signs with this device's key, the owner goes on with a new one. */
void host_mind_device(struct parley_host *host);

/* The next thing of stopping that can be done. */
void host_continue_stop(struct parley_host *host);

#endif
