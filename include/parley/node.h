/* The seam between what a node decides and what the world does: events in, effects out.
 *
 * parley_node_step takes one event and answers with effects, which are plain data. The node holds
 * no socket, clock, file, thread or source of chance: an event carries both clocks, the seed is
 * an argument of create, and the only memory it takes is taken in create. The product and the
 * simulator run the same object code.
 *
 * The contract:
 * - Effects are performed, in order, before the next step: spans in effects (and in the event
 *   while it lasts) are borrowed until then. Whoever performs a STORE, READ or VERIFY later copies
 *   what it needs.
 * - STORE, READ and VERIFY carry a ticket and come back as STORED, READ_DONE and VERIFIED with it,
 *   exactly once each; STOREDs in the order of their STOREs.
 * - After a STORED with a disk error the store is closed and opened again by the shell, once every
 *   STORE has had its STORED; it then sends LOAD_RECORD, LOAD_LOG and LOAD_META for everything held
 *   and STORE_OPENED. Until then nothing is acknowledged.
 * - RECEIVED answers how many bytes were consumed. The rest is offered again, at the front, with
 *   the next bytes or when RESUME names the connection; a shell keeps at most
 *   PARLEY_RECEIVE_BYTES_MAX of it and stops reading the socket until there is room.
 * - Connections that the shell accepts have even numbers, those that the node dials odd ones;
 *   none is used twice. CLOSED is sent exactly once for each connection that was ACCEPTED or
 *   DIALLED, also after a CLOSE effect; DIAL_FAILED takes its place for a dial that failed.
 * - parley_node_deadline says at which monotonic time to send TIMER at the latest.
 */
#ifndef PARLEY_NODE_H
#define PARLEY_NODE_H

#include <parley/lists.h>
#include <parley/node_network.h>
#include <parley/store.h>
#include <parley/text.h>
#include <parley/wire.h>

typedef uint64_t parley_connection;
typedef uint64_t parley_ticket;
typedef uint64_t parley_request; /* chosen by who asks; comes back in REPLY */

/* A whole message of largest size as it stands on the wire. */
#define PARLEY_RECEIVE_BYTES_MAX (PARLEY_MESSAGE_BYTES_MAX + 19u + 2u * 16u)

struct parley_node;

struct parley_node_config {
    struct parley_seed seed; /* of all chance inside */
    struct parley_secret_key node_key;
    bool has_device; /* author and device_key are set: this node can publish */
    bool has_author; /* author is set: whose node this is; has_device says so, too */
    struct parley_author author;
    struct parley_secret_key device_key;
    bool relay;     /* carries for strangers: interest in everything */
    bool tells_all; /* speaks no reconciliation, as nodes that do not know it: to compare */
    bool flood;     /* pushes to all that want it, with no tree: to compare */
    unsigned hops;  /* 1: whom the owner follows; 2: whom they follow, too; ... */
    /* SPEC 5.7: from an erasure's arrival until the bytes go; PARLEY_TIME_MAX: never. In the log
     * of this device they go at once. */
    parley_time_ms erase_after_ms;
    uint64_t quota_bytes;       /* of the store's files; 0: nothing is pruned */
    size_t prelude_size;        /* SPEC 8: of the first flight */
    struct parley_span prelude; /* what a dialler sends; empty: random letters */
    size_t peers_max;
    size_t logs_max;
    size_t authors_max;
    /* Addresses to keep a connection to (given on the command line). */
    const struct parley_address *peers;
    size_t peers_count;
    bool discover;   /* learns addresses, tells them, dials them */
    size_t outbound; /* links that it wants of its own, the owner's among them */
    /* Where others reach this node; keys are not looked at. */
    const struct parley_address *places;
    size_t places_count;
    /* Dialled while nobody else is known. */
    const struct parley_address *bootstrap;
    size_t bootstrap_count;
};
void parley_node_config_defaults(struct parley_node_config *config);

/* The one place with an allocator. NULL: out of memory. */
struct parley_node *parley_node_create(const struct parley_node_config *config);
void parley_node_free(struct parley_node *node);

/* What is said about invites, SPEC 9.12. Which are good is not decided here. */
struct parley_said {
    bool is_answer;
    uint8_t secret[PARLEY_INVITE_SECRET_SIZE]; /* the fields of a question */
    struct parley_author author;
    bool has_place;
    struct parley_address place;       /* its key is that of who says it */
    uint8_t id[PARLEY_INVITE_ID_SIZE]; /* those of an answer */
    uint64_t verdict;
};

enum parley_event_kind {
    /* what was on disk, before START; LOAD_LOG also after a store was opened again */
    PARLEY_EVENT_LOAD_RECORD,
    PARLEY_EVENT_LOAD_LOG,
    PARLEY_EVENT_LOAD_META,
    PARLEY_EVENT_START,
    /* The end is near: says goodbye and CLOSE to every peer, lets nobody in, dials nobody. What is
     * under way is answered as before; there is no way back. */
    PARLEY_EVENT_STOP,
    /* the network */
    PARLEY_EVENT_ACCEPTED,
    PARLEY_EVENT_DIALLED,
    PARLEY_EVENT_DIAL_FAILED,
    PARLEY_EVENT_RECEIVED,
    PARLEY_EVENT_SENT, /* that many bytes of earlier SENDs have left this process */
    PARLEY_EVENT_CLOSED,
    /* answers */
    PARLEY_EVENT_STORED,
    PARLEY_EVENT_READ_DONE,
    PARLEY_EVENT_VERIFIED,
    PARLEY_EVENT_STORE_OPENED,
    PARLEY_EVENT_COMPACTED, /* what COMPACT asked for has ended, well or not */
    PARLEY_EVENT_TIMER,
    /* the owner */
    PARLEY_EVENT_DEVICE, /* goes on with another device key, of the same author */
    PARLEY_EVENT_PUBLISH,
    PARLEY_EVENT_FOLLOW,
    PARLEY_EVENT_CONNECT,
    PARLEY_EVENT_DISCONNECT,
    PARLEY_EVENT_IMPORT_RECORD,
    PARLEY_EVENT_IMPORT_CHUNK,
    PARLEY_EVENT_PURGE,
    PARLEY_EVENT_LIST,
    PARLEY_EVENT_SAY,    /* about an invite, over an open link */
    PARLEY_EVENT_PLACES, /* where others reach this node is known better now */
};

struct parley_event {
    enum parley_event_kind kind;
    parley_time_ms now;  /* monotonic; never goes back */
    parley_time_ms wall; /* since 1970; may jump */
    union {
        struct {
            struct parley_author author;
            struct parley_span record;
        } load_record;
        const struct parley_store_log *load_log;
        struct {
            struct parley_span key, value;
        } load_meta;
        parley_connection connection; /* DIAL_FAILED, CLOSED; and of those in opened */
        struct {
            parley_connection connection;
            struct parley_remote remote;
        } opened; /* ACCEPTED, DIALLED */
        struct {
            parley_connection connection;
            struct parley_span bytes;
        } received;
        struct {
            parley_connection connection;
            size_t bytes_count;
        } sent;
        struct {
            parley_ticket ticket;
            enum parley_error error;
            /* What is held of the operation's log after it, or after later ones of the same
             * batch. NULL: nothing is, or it is not told; no quota holds then. */
            const struct parley_store_log *log;
        } stored;
        struct {
            parley_ticket ticket;
            enum parley_error error;
            struct parley_span bytes; /* a chunk, or records one after the other */
            size_t count; /* RECORDS: how many; LACKING: where to go on below, 0: that was all */
        } read_done;
        struct {
            parley_ticket ticket;
            bool holds;
        } verified;
        const struct parley_secret_key *device; /* copied */
        struct {
            parley_request request;
            struct parley_span body;
            parley_time_ms time; /* claimed; 0: the wall clock */
        } publish;
        struct {
            parley_request request;
            struct parley_author author;
            bool on;
            bool is_private; /* not published */
        } follow;
        struct {
            parley_request request;
            struct parley_address address;
            bool is_passing; /* not kept on disk: for this run of the node */
            bool is_heard;   /* by what somebody said on the network: lifts no ban */
        } connect;
        struct {
            parley_request request;
            struct parley_node_key key;
        } disconnect;
        struct {
            parley_request request;
            struct parley_span bytes;
            /* Of a record: more of its author's comes, which is answered when all is durable. This
             * one is answered as soon as it is in its set. */
            bool is_followed;
        } import; /* IMPORT_RECORD, IMPORT_CHUNK (own signature of the top is checked) */
        struct {
            parley_request request;
            struct parley_log log;
            parley_seq seq_low, seq_high; /* their bodies go, here and for good */
            bool undo;                    /* or may come again; what their author erased may not */
        } purge;
        /* Onto one of the owner's lists, or off it (NOT_FOUND: it is not there). BAD_INPUT:
         * oneself, or no word; FULL. */
        struct {
            parley_request request;
            struct parley_listed listed;
            bool on;
        } list;
        /* NOT_FOUND: no such link; RETRY: too much waits there. */
        struct {
            parley_request request;
            parley_connection connection;
            const struct parley_said *said;
        } say;
        /* In place of those before; copied, at most PARLEY_ADVERTISED_MAX. Keys are not looked at.
         */
        struct {
            parley_request request;
            const struct parley_address *places;
            size_t places_count;
        } places;
    };
};

enum parley_effect_kind {
    PARLEY_EFFECT_SEND,
    PARLEY_EFFECT_DIAL,
    PARLEY_EFFECT_CLOSE,  /* after what was sent has left, or failed to within a second */
    PARLEY_EFFECT_RESUME, /* offer again what was not consumed */
    PARLEY_EFFECT_STORE,
    PARLEY_EFFECT_READ,
    PARLEY_EFFECT_VERIFY,
    PARLEY_EFFECT_SHOW, /* an entry of interest has become durable: for whoever watches */
    PARLEY_EFFECT_REPLY,
    PARLEY_EFFECT_LOG,
    PARLEY_EFFECT_SAID, /* by a peer, about an invite */
    /* Much was dropped: the disk gets it back, beside everything else. Answered by COMPACTED; not
     * asked for again before that, unless the store was opened anew. */
    PARLEY_EFFECT_COMPACT,
};

enum parley_read_kind {
    PARLEY_READ_RUN,
    PARLEY_READ_EVIDENCE,
    PARLEY_READ_RECORDS,
    PARLEY_READ_LACKING, /* headers without a body that may still come; NOT_FOUND never */
};

enum parley_log_level { PARLEY_LOG_DEBUG, PARLEY_LOG_INFO, PARLEY_LOG_WARNING, PARLEY_LOG_ERROR };

struct parley_effect {
    enum parley_effect_kind kind;
    union {
        struct {
            parley_connection connection;
            struct parley_span bytes;
        } send;
        struct {
            parley_connection connection;
            struct parley_address address;
            /* By the owner's word; else by a peer's: only to where SPEC 9.11.4 lets it lead. */
            bool is_owners;
        } dial;
        struct {
            parley_connection connection;
            enum parley_error reason;
        } close;
        parley_connection resume;
        struct {
            parley_ticket ticket;
            struct parley_store_op op;
        } store;
        struct {
            parley_ticket ticket;
            enum parley_read_kind kind;
            struct parley_log log;       /* RUN, EVIDENCE, LACKING */
            struct parley_author author; /* RECORDS */
            parley_seq seq_top;          /* RUN, LACKING */
            parley_seq seq_low;          /* RUN, LACKING */
            bool bodies;                 /* RUN */
            size_t bytes_max;            /* RUN, RECORDS */
            size_t index;                /* EVIDENCE: which; RECORDS: how many to skip */
        } read;
        struct {
            parley_ticket ticket;
            struct parley_check check;
        } verify;
        struct {
            struct parley_author author;
            struct parley_log log;
            parley_seq seq_low, seq_high;
            struct parley_id id; /* of seq_high */
        } show;
        struct {
            parley_request request;
            enum parley_error error;
            struct parley_log log; /* PUBLISH, FOLLOW: what was written; zero when nothing */
            parley_seq seq;
            struct parley_id id;
            uint64_t count; /* IMPORT_*: entries that were new */
        } reply;
        struct {
            parley_connection connection;
            struct parley_node_key key;
            struct parley_remote remote;
            struct parley_said said;
        } said;
        struct {
            enum parley_log_level level;
            enum parley_error error;
            parley_connection connection; /* 0: none */
            const char *text;             /* a literal; no address, no secret */
        } log;
    };
};

/* Owned by the node, good until its next step. */
struct parley_effects {
    const struct parley_effect *items;
    size_t count;
};

/* Never fails: what cannot be done is an effect. Answers the bytes consumed of a RECEIVED, else 0.
 * A step is bounded: what is left to do makes the deadline come at once. */
size_t parley_node_step(struct parley_node *node, const struct parley_event *event,
                        struct parley_effects *effects);
parley_time_ms parley_node_deadline(const struct parley_node *node);

/* --- what can be asked between steps; changes nothing ------------------------------------- */

struct parley_node_status {
    size_t peers_count;     /* with hello exchanged */
    size_t outbound_count;  /* of them those that this node dialled */
    size_t addresses_count; /* of nodes that peers told of */
    size_t reached_count;   /* of them those that were reached */
    bool has_nobody_to_dial;
    size_t connections_count;
    size_t logs_count;
    size_t authors_count;
    uint64_t entries_count;
    bool is_writable;
    bool is_catching_up; /* a run is being fetched */
    bool is_judging; /* what is held of some log is compared with its records: it is hidden yet */
    uint64_t stores_in_flight;
    uint64_t duplicates_count; /* pushes of what was here already */
    uint64_t held_bytes;       /* what the store's files take when they are compacted */
    uint64_t strangers_bytes;  /* of them those of authors whom the owner does not want */
    uint64_t quota_bytes;      /* 0: none */
    bool is_at_quota;          /* what comes pushes out what is here */
    bool is_full;              /* more is held than the quota, and nothing of it may go */
};
void parley_node_status(const struct parley_node *node, struct parley_node_status *out);
/* Logs of which what was loaded is compared with its records and its fork yet, for the first time
 * since: until then less of them shows than is good. 0 while the store takes nothing: it may take
 * long, and what is hidden stays so. Cost: none. */
size_t parley_node_unreviewed(const struct parley_node *node);

/* What went over all links since the node was created, in one direction: messages of one type of
 * SPEC 8, and their bytes before they were sealed. */
struct parley_node_traffic {
    uint64_t messages_count, bytes;
};
#define PARLEY_TRAFFIC_KINDS 40u /* every type that is sent is below */
/* type: of enum parley_wire_type, below PARLEY_TRAFFIC_KINDS. What is not known is told as the
 * last one. */
void parley_node_traffic(const struct parley_node *node, unsigned type,
                         struct parley_node_traffic *received, struct parley_node_traffic *sent);

struct parley_node_peer {
    parley_connection connection;
    struct parley_node_key key;
    bool is_open; /* handshake and hello done */
    bool is_dialled;
    bool is_relay;
    struct parley_remote remote;
    parley_time_ms since; /* monotonic */
    uint64_t received_bytes, sent_bytes;
};
/* The peer at the place or, if there is none, behind it; the place is then the next one. From 0 on
 * all are told, one at a time. False: nobody is left. */
bool parley_node_peer_next(const struct parley_node *node, size_t *place,
                           struct parley_node_peer *out);

struct parley_node_log {
    struct parley_author author;
    struct parley_device_key device;
    struct parley_log log;
    struct parley_policy policy;
    struct parley_ranges ranges; /* as on disk */
    struct parley_ranges good;   /* of them what the policy and the fork verdict leave: the rest is
                                    kept and hidden */
    parley_seq floor;            /* entries below were pruned here; 0: none were */
    parley_seq forked;           /* the verdict; 0: no fork, or the log is not open */
    parley_seq head_seq;         /* durable */
    struct parley_id head_id;
};
bool parley_node_log_at(const struct parley_node *node, size_t index, struct parley_node_log *out);
/* Of one author, in no order; *position is 0 to begin. False past the last. Cost: by their number.
 */
bool parley_node_log_of(const struct parley_node *node, const struct parley_author *author,
                        size_t *position, struct parley_node_log *out);
bool parley_node_log_find(const struct parley_node *node, const struct parley_log *log,
                          struct parley_node_log *out);

/* Whether this node may go on with the log of its device. */
enum parley_own {
    PARLEY_OWN_NONE,    /* no device: nothing is published here */
    PARLEY_OWN_WAITING, /* no certificate of the device is here, or none that counts any more */
    PARLEY_OWN_OPEN,
    PARLEY_OWN_CLOSED,
    PARLEY_OWN_FORKED,
    /* entries of the log have come that were signed elsewhere: this is a copy, or was put back */
    PARLEY_OWN_ELSEWHERE,
};
enum parley_own parley_node_own(const struct parley_node *node);

struct parley_node_author {
    struct parley_author author;
    bool is_followed; /* by the owner, directly */
    bool is_private;
    bool is_wanted;                        /* in the interest of this node */
    bool is_muted, is_blocked, is_allowed; /* by the owner's lists */
    unsigned generation;
    bool is_revealed;
};
bool parley_node_author_at(const struct parley_node *node, size_t index,
                           struct parley_node_author *out);
bool parley_node_author_find(const struct parley_node *node, const struct parley_author *author,
                             struct parley_node_author *out);
/* Words and posts of the lists, in no order; spans are good until the next step. Authors stand in
 * parley_node_author_at. False past the last. */
bool parley_node_list_at(const struct parley_node *node, size_t index, struct parley_listed *out);
bool parley_node_post_is_allowed(const struct parley_node *node, const struct parley_log *log,
                                 parley_seq seq, const struct parley_id *id);

/* What is being done for entries of a log that are not here, or for bodies of those that are. */
struct parley_node_asking {
    bool has_source; /* a peer said that it has more than we do */
    bool is_asked;   /* and it is being asked */
    struct parley_node_key peer;
    unsigned failures;          /* asks in a row that brought nothing */
    parley_time_ms again_in_ms; /* 0: as soon as there is room */
};
/* False: the log is not known here. */
bool parley_node_asking(const struct parley_node *node, const struct parley_log *log, bool bodies,
                        struct parley_node_asking *out);

/* Equal on two nodes exactly when they hold the same headers that the heads of these authors'
 * logs commit to (SPEC 10). authors NULL: all held. Cost: by the number of logs. */
void parley_node_digest(const struct parley_node *node, const struct parley_author *authors,
                        size_t authors_count, struct parley_hash *out);

/* Recomputes what the node keeps incrementally and aborts on a difference. For the simulator. */
void parley_node_check_invariants(const struct parley_node *node);

#endif
