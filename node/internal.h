/* The inside of a node. Only files of this folder include it.
 *
 * Who decides what:
 *   node.c     create, free, step, deadline       tables.c  rows of authors and logs
 *   effects.c  what leaves a step                 peers.c   connections, handshake, hello, goodbye
 *   hello.c    the first message, and repeats     messages.c one message, to where it belongs
 *   book.c     whom the owner wants dialled   views.c   and who is dialled beside them
 *   book_table.c  whom peers told of          shuffle.c addresses told and taken
 *   views_keep.c  both over a restart         bans.c    who is kept out
 *   network.c  which network an address is of     budget.c  what a peer may cause
 *   interest.c what peers want of us, and we      ingest.c  the one door for every entry
 *   jobs.c     messages that wait                 records.c and for every identity record
 *   commit.c   the disk said yes                  publish.c a person's words become an entry
 *   catchup.c  who has what: heads; sessions.h    fetch.c   what is missing, and asking for it
 *   identities.c asking for identity records      serve.c   answers to asks
 *   named.c    authors who are a name so far  bodies.c  bodies apart from their headers
 *   edges.c    who follows whom           tree.c     to whom new entries are pushed or announced
 *   query.c    what the owner's programs may ask, erase.c when erased bytes go
 *   import.c   bundles that the owner brings in  quota.c   what goes when it is too much
 *   view.c     what of a log is good         place.c    a chunk to where it belongs
 *   review.c   what is held, judged anew      suspects.c chunks that contradict what is held
 *   sides.c    two chains side by side        verdict.c  what a review decided
 *   lists.c    whom the owner mutes, blocks   parents.c what replies answer
 *   review_head.c  the newest entry whose own signature holds
 *   review_named.c what only evidence holds   cut.c     parts of a log that go
 *   source.c   whom to ask for a log          unwanted.c what is held, and wanted by others alone
 */
#ifndef PARLEY_NODE_INTERNAL_H
#define PARLEY_NODE_INTERNAL_H

#include "arena.h"

#include <assert.h>
#include <parley/body.h>
#include <parley/fork.h>
#include <parley/identity.h>
#include <parley/link.h>
#include <parley/node.h>
#include <parley/node_limits.h>
#include <parley/ranges.h>

#define NONE UINT32_MAX

#define PARLEY_HEADS_BYTES (256u * 96u)
#define PARLEY_ITEMS_BYTES 65536u /* half of it full, and one author of the largest size */

/* Whether what the policy names stands on the chain that is held. */
enum pin_state { PIN_ABSENT, PIN_HELD, PIN_OTHER };

#include "bans.h"
#include "bodies.h"
#include "budget.h"
#include "edges.h"
#include "erase.h"
#include "jobs.h"
#include "lists.h"
#include "own.h"
#include "parents.h"
#include "quota.h"
#include "review.h"
#include "sessions.h"
#include "ticket.h"
#include "tree.h"
#include "unwanted.h"
#include "views.h"

/* --- rows ---------------------------------------------------------------------------------- */

struct author_row {
    struct parley_identity set;
    uint32_t logs_first; /* list through log_row.next_of_author */
    bool is_followed;    /* by the owner, directly */
    bool is_private;
    uint8_t lists;  /* marks of lists.c */
    bool is_asked;  /* its records, of source */
    bool is_queued; /* to be asked for, of source */
    bool is_free;   /* nobody's row: next in the list of free ones is queue_next */
    bool is_named;  /* a peer said the name; nothing that it signed is here. Counted by named.c */
    uint32_t named_slot; /* the peer that said it */
    parley_connection named_by;
    bool is_given;           /* records of it came since it was asked for */
    bool is_again;           /* it is asked for again of who gave none: asked_s stays */
    parley_connection other; /* whom to ask when source gives nothing; 0: nobody has told */
    bool is_stale; /* a peer told of another set while it was asked: the answer may lack it */
    uint32_t queue_next;
    parley_connection source;
    uint32_t records_in_flight; /* to the disk: heads are told after the last of them */
    uint32_t asked_s;           /* when its records were asked for last, in seconds */
    uint64_t changed;           /* the number of the last change of anything that its heads tell */
    struct own_stamp said;      /* of the owner, of following them */
    uint8_t depth;        /* hops from the owner: 0 oneself, 1 followed, ...; 255 not reached */
    bool was_wanted;      /* before depths were counted anew */
    uint32_t edges_first; /* whom they follow: list of edges.c, or NONE */
    struct author_quota quota;
};

struct log_row {
    struct parley_log log;
    struct parley_device_key device;
    uint32_t author;
    uint32_t next_of_author;
    struct parley_policy policy;
    struct parley_ranges ranges;  /* accepted: sign and judge on it */
    struct parley_anchor durable; /* announce it; seq 0 when nothing that is signed is on disk */
    parley_seq forked;            /* the verdict; entries from there on are held and hidden */
    struct parley_anchor below;   /* with a fork: below it the newest entry here that is signed; the
                                     view of the ranges ends there */
    parley_seq unsigned_hi;       /* without: the newest entry held, if no signature vouches for it;
                                     the view ends at `below` as well. 0: none is known to be so */
    enum pin_state pin;
    bool is_unjudged;   /* the policy has changed and what is held was not compared with it yet */
    bool is_doubted;    /* a review is wanted, or under way */
    bool is_unreviewed; /* it was loaded with one wanted, and that has not come to an end */
    uint32_t evidence_version; /* counts how often it was written anew */
    parley_seq marked; /* the fork of which mark and evidence are on the disk, or on their way */
    bool is_proved;    /* they are on the disk */
    bool overlaps;     /* ask from above into what is held: it is another branch */
    uint32_t review_next;
    uint32_t world;    /* counts what a review must not miss */
    uint64_t tried;    /* a difference that asking did not change */
    uint64_t shown_to; /* whom the evidence went to last, and what it said then */
    uint32_t stores_in_flight;
    uint64_t entries_count; /* durable */
    struct log_bodies bodies;
    struct log_quota quota;
    bool is_free;            /* nobody's row: next in the list of free ones is queue_next */
    parley_time_ms erase_ms; /* wall time of the oldest erasure whose bytes wait; 0: none */
    /* what some peer said that it has beyond ours */
    bool is_queued;    /* in the list of logs to fetch */
    bool is_announced; /* or is soon: of tree.c */
    uint32_t queue_next;
    uint32_t fetch; /* slot of the ask in flight, or NONE */
    parley_connection source;
    parley_seq source_seq, source_low;
    parley_seq source_named; /* it holds what the records name as well, down to there; 0: no word */
    struct parley_id source_id;
    bool goes_on; /* the ask that comes next takes up where the one before ended */
    bool is_late; /* what was missing for a while has come: others may wait for it, too */
    uint8_t failures;
    parley_time_ms retry_at;
};

/* --- connections --------------------------------------------------------------------------- */

enum peer_phase {
    PEER_FREE,
    PEER_DIALLING,
    PEER_LINKING, /* the handshake */
    PEER_HELLO,   /* sealed; the peer's hello is awaited */
    PEER_OPEN,
    PEER_CLOSING, /* CLOSE was said; CLOSED is awaited */
};

struct peer {
    enum peer_phase phase;
    bool is_dialled;
    bool is_relay;
    bool is_silent;  /* its hello does not say that it answers asks */
    bool is_leaving; /* it said goodbye */
    bool is_known;   /* node_key is that of the peer: dialled, or proved by its hello */
    bool is_owners;  /* it came in, and the owner has named it */
    bool is_starved; /* bytes wait because no job was free, or no budget */
    parley_connection connection;
    uint32_t book; /* address of the owner's that it was dialled by, or NONE */
    struct peer_view view;
    struct parley_link link;
    struct parley_node_key node_key;
    parley_time_ms since;
    parley_time_ms opened_at; /* hello exchanged; 0: not yet */
    parley_time_ms deadline;  /* of the handshake; then of the peer's silence */
    parley_time_ms ping_at;
    parley_time_ms taken_at; /* something that was sent, last */
    uint64_t received_bytes, sent_bytes, unsent_bytes;
    uint32_t stalled; /* job that holds the message to be handled next, or NONE */
    uint8_t vain;     /* how often it told of what was not to be had, less what it gave; source.c */
    uint32_t jobs_count, serves_count, fetches_count, bodies_count;
    struct parley_log evidence_log; /* of the evidence that it sent last, and what the next chunk */
    struct parley_anchor evidence_next; /* of it must end in */
    uint64_t serve_round;               /* in which something was read for it last */
    uint32_t evidence_serve; /* slot of the serve that sends it evidence, or NONE: one at a time */
    uint32_t identities_count; /* authors whose records we asked of it */
    uint32_t named_count;      /* authors of whom it said the name, and nothing else is known */
    bool has_more_names;       /* there was no place for all that it said */
    parley_time_ms identities_deadline;
    parley_time_ms identities_sweep; /* those that it did not answer while it answered others */
    /* what it wants of us */
    bool owes_interest; /* ours has changed, and there was no room to say so */
    enum parley_interest_mode mode;
    uint64_t *interest; /* sorted keyed hashes of authors; of node->interests */
    uint32_t interest_count, interest_max;
    /* heads on their way to it */
    bool is_told; /* all of heads_next .. are still to be sent */
    uint32_t heads_next; /* author to go on with, around */
    uint32_t heads_left; /* rows of authors that are still to be looked at */
    uint32_t heads_log; /* the author's next log, when a message ended within an author; or NONE */
    uint64_t heads_session;
    uint64_t heads_since; /* only authors that changed after this */
    uint64_t heads_until; /* the newest change when this telling began */
    uint64_t heads_told;  /* all that it wants was told up to this change */
    struct peer_unwanted unwanted;
    /* heads from it */
    bool is_forgotten; /* something that it told was lost here: it is asked for everything again */
    uint64_t asked;    /* the regular turn that was its last; 0: none yet */
    struct peer_session session;
    struct peer_budget budget;
};

struct book_row {
    bool is_used;
    bool is_kept; /* written to the store */
    struct parley_address address;
    uint32_t peer; /* slot of the connection, or NONE */
    uint8_t failures;
    parley_time_ms dial_at;
};

/* --- work in flight ------------------------------------------------------------------------ */

enum serve_kind { SERVE_RUN, SERVE_RECORDS, SERVE_BODIES, SERVE_EVIDENCE };

struct serve {
    bool is_used;
    bool is_reading;
    enum serve_kind kind;
    uint32_t peer;
    parley_connection connection;
    uint16_t generation;
    uint64_t request;
    struct parley_log log;
    struct parley_author author;
    bool is_anchored; /* the next chunk must end in top_id */
    struct parley_id top_id;
    parley_seq top, down;  /* RUN, BODIES: next to send; exclusive lower bound */
    bool bodies, is_small; /* the answer may go with others */
    uint64_t bytes_left;
    size_t index;              /* EVIDENCE, RECORDS */
    uint32_t evidence_version; /* of what was sent first */
    bool is_read;              /* RECORDS: all were sent, and heads are to follow */
};

struct fetch {
    bool is_used;
    uint32_t request;
    uint32_t peer;
    parley_connection connection;
    uint32_t log;
    bool is_small, is_anchored; /* anchor is what the next chunk must end in */
    struct parley_anchor anchor;
    parley_seq down;
    bool any_new;         /* something was stored by it */
    bool is_contradicted; /* it brought what a review decides about */
    bool is_late;         /* asked for when nobody had it before */
    bool is_hurried;      /* somebody else is to be asked soon */
    parley_time_ms since; /* it was asked, or something came */
};

enum store_after {
    AFTER_NOTHING,
    AFTER_CHUNK,
    AFTER_RECORD,
    AFTER_ERASE,
    AFTER_CUT,
    AFTER_VERDICT,
    AFTER_BODIES,
    AFTER_PURGE,
    AFTER_RECALL,
    AFTER_PRUNE,
    AFTER_EVICT,
};

struct pending_store {
    enum store_after after;
    uint32_t log, author;
    struct parley_run run;
    size_t count, bytes;
    parley_seq bare_low, bare_high; /* its entries that came without a body are among these */
    uint32_t source_peer;           /* not told again */
    parley_connection source_connection;
    parley_request request; /* 0: nobody waits */
    bool is_live;           /* push it on */
    bool is_prompt;         /* or announce it at once: it is live, and more than a push takes */
    size_t stage_offset, stage_size;
};

/* --- the node ------------------------------------------------------------------------------ */

struct parley_node {
    struct parley_node_config config;
    struct parley_random random;
    struct parley_node_key node_key;
    struct parley_device_key device_key;
    uint8_t prelude[PARLEY_PRELUDE_BYTES_MAX];
    uint8_t table_key[16]; /* of crypto_shorthash, wherever peers choose keys */
    parley_time_ms now, wall, deadline;
    parley_time_ms settled_at,
        settle_due;          /* of what goes through all peers; due: UINT64_MAX, not */
    parley_time_ms heads_at; /* next regular exchange of heads */
    uint64_t heads_turns;    /* of these so far */
    parley_time_ms erase_at; /* next look at erasures; 0: none waits */
    size_t erases_count;     /* logs with erase_ms */
    uint64_t changes_count;  /* of anything that heads tell, since the node was created */
    bool is_started;
    bool is_stopping;  /* goodbyes are said; nobody new is let in, nobody is dialled */
    bool is_failed;    /* a store failed and was not opened again yet */
    bool owes_follows; /* what it may have lost of them is kept again when it takes something */
    bool is_reloading; /* and it tells anew what it holds */

    struct author_row *authors;
    uint32_t *authors_index;
    size_t authors_count, authors_index_size; /* rows ever used; places, as many as these need */
    size_t authors_used;                      /* rows in use */
    uint32_t authors_free;                    /* list through queue_next, or NONE */
    size_t named_count;                       /* rows of authors who were only named */
    struct lists lists;
    struct edges edges;
    struct parents parents;
    struct tree tree;
    struct sessions sessions;
    struct arena facts;
    void *facts_memory;
    struct log_row *logs;
    uint32_t *logs_index;
    size_t logs_count, logs_index_size; /* as of authors */
    size_t logs_used;
    uint32_t logs_free;
    uint32_t own_log;                 /* row, or NONE */
    bool own_is_elsewhere;            /* somebody else signs with this device's key */
    uint32_t queue_first, queue_last; /* of logs to fetch */
    uint32_t authors_queue_first, authors_queue_last; /* whose records to ask for */
    uint32_t reviews_first, reviews_last;             /* of logs to judge anew */
    size_t unreviewed_count;                          /* of logs */
    struct review review;
    struct suspect suspects[SUSPECTS_MAX];
    uint64_t suspects_order;
    uint8_t *review_memory;

    struct peer *peers;
    struct arena interests;
    void *interests_memory;
    size_t peers_count;  /* slots in use */
    size_t unsent_bytes; /* of all of them */
    struct budget budget;
    struct book_row book[PARLEY_BOOK_ADDRESSES_MAX];
    struct views views;
    struct bans bans;
    struct parley_replay replay;
    bool replay_is_kept; /* its key is in the store */
    parley_connection next_dial;

    struct job jobs[PARLEY_JOBS_MAX];
    uint8_t *jobs_memory;
    size_t jobs_free;
    struct serve serves[PARLEY_SERVES_MAX];
    uint32_t serve_cursor, serves_high; /* all in use are below */
    uint64_t serve_round;               /* in which each peer has a turn */
    size_t serves_count;                /* in use; those of reads_in_flight wait for the disk */
    size_t reads_in_flight;
    struct fetch fetches[PARLEY_FETCHES_MAX];
    uint32_t next_request;
    struct bodies_ask bodies_asks[PARLEY_BODIES_ASKS_MAX];
    uint8_t *bodies_memory;
    uint32_t bodies_first, bodies_last; /* queue of logs whose bodies to ask for */

    struct pending_store *stores; /* a ring, in order */
    uint64_t stores_head, stores_tail;
    size_t store_bytes;
    uint8_t *stage; /* a ring of live chunks until they are durable */
    size_t stage_head, stage_used;

    struct parley_effect *effects;
    size_t effects_count;
    uint8_t *out;
    size_t out_used;
    uint8_t *scratch; /* the opened message */
    uint8_t *compose; /* the message being written */
    uint8_t *heads;   /* one author's heads being written */
    uint8_t *items;   /* the authors' items around them */
    struct parley_body body;
    struct parley_identity nobody; /* the empty set of an author without a row, while looked at */

    struct quota quota;
    uint64_t entries_count, duplicates_count;
    struct parley_node_traffic received[PARLEY_TRAFFIC_KINDS], sent[PARLEY_TRAFFIC_KINDS];
};

/* tables.c */
/* Of the index of a table with so many rows. */
size_t table_places(size_t rows);
/* Nothing is in them. */
void tables_begin(struct parley_node *node);
uint64_t table_hash(const struct parley_node *node, const uint8_t key[32]);
/* The same of any bytes: to remember what was said without keeping it. */
uint64_t table_hash_of(const struct parley_node *node, struct parley_span bytes);
uint32_t author_find(const struct parley_node *node, const struct parley_author *author);
/* NONE when the table is full. */
uint32_t author_take_stranger(struct parley_node *node, const struct parley_author *author);
/* Into the part that strangers cannot fill, too: whom the owner follows, or what is on disk. */
uint32_t author_take(struct parley_node *node, const struct parley_author *author);
/* Of a row without records and logs, not asked for. */
void author_give(struct parley_node *node, uint32_t author);
bool author_is_wanted(const struct parley_node *node, uint32_t author);
/* His records go, and the memory that they took. */
void author_clear_set(struct parley_node *node, uint32_t author);
uint32_t log_find(const struct parley_node *node, const struct parley_log *log);
uint32_t log_take(struct parley_node *node, uint32_t author,
                  const struct parley_device_key *device);
/* A row that nothing refers to, out of its author's list already. */
void log_give(struct parley_node *node, uint32_t log);
/* Adds to the author's set, growing its memory. */
enum parley_identity_answer author_add_record(struct parley_node *node, uint32_t author,
                                              const struct parley_record *record,
                                              struct parley_identity_change *change);
/* After a record came: rows for its logs, policies anew. */
void author_refresh_logs(struct parley_node *node, uint32_t author,
                         const struct parley_record *record,
                         const struct parley_identity_change *change);

/* Accepted entries of it are on their way to the disk: what is not there yet may still come. */
bool log_is_storing(const struct parley_node *node, const struct parley_log *log);
/* Every entry of this run is held, and its own signature may be known only now: from here on its
 * top is a head. Here at once, on disk as soon as it says yes. bytes: the chunk of the run. */
void log_learn_signed(struct parley_node *node, uint32_t log, const struct parley_run *run,
                      struct parley_span bytes);

/* effects.c */
void effects_begin(struct parley_node *node);
struct parley_effect *effect_push(struct parley_node *node, enum parley_effect_kind kind);
/* Room for what one message can cause. */
bool effects_have_room(const struct parley_node *node);
/* Bytes that stay until the next step, or NULL. */
uint8_t *out_take(struct parley_node *node, size_t size);
void effect_log(struct parley_node *node, enum parley_log_level level, enum parley_error error,
                parley_connection connection, const char *text);
void effect_reply(struct parley_node *node, parley_request request, enum parley_error error);
void deadline_lower(struct parley_node *node, parley_time_ms at);
/* Stage and emit. False: no place now. bytes are borrowed until the next step. */
bool store_emit(struct parley_node *node, const struct parley_store_op *op,
                const struct pending_store *after);
bool store_has_room(const struct parley_node *node);
bool store_has_room_for_more(const struct parley_node *node);
/* Answers once all that was stored before is on disk. */
void reply_when_durable(struct parley_node *node, parley_request request, uint64_t count);
/* request: answered when it is on disk, or at once when it cannot be kept; 0: nobody waits. */
void meta_put(struct parley_node *node, struct parley_span key, struct parley_span value,
              parley_request request);

/* messages.c */
/* Handles one opened message; false: it must wait (then job is where it is kept). */
void message_handle(struct parley_node *node, struct peer *peer, struct parley_span bytes);
void message_retry_stalled(struct parley_node *node, struct peer *peer);

/* jobs.c */
struct job *job_take(struct parley_node *node, struct peer *peer, enum job_kind kind,
                     struct parley_span bytes);
void job_give(struct parley_node *node, struct job *job);
bool log_has_job(const struct parley_node *node, const struct parley_log *log);
/* Whether they are of one author, and of which. */
bool records_are_of_one(struct parley_wire_list records, struct parley_author *author);
/* NULL: the owner's. */
struct peer *job_peer(struct parley_node *node, const struct job *job);
void verify_emit(struct parley_node *node, const struct job *job, const struct parley_check *check);
void on_verified(struct parley_node *node, parley_ticket ticket, bool holds);

/* place.c */
/* What is held commits to this id there, as far as that is known without reading. */
bool log_commits(const struct log_row *row, const struct chunk_task *task, parley_seq seq,
                 struct parley_id *id);
/* Whether the identity records name this entry, or what is held commits to it. */
bool log_vouches(const struct log_row *row, const struct chunk_task *task,
                 const struct parley_anchor *top);
/* Puts a judged chunk, whose check holds, where it belongs. RETRY with *conflict: the id of that
 * entry, which is held, is needed. */
enum parley_error place_chunk(struct parley_node *node, struct peer *peer, parley_request request,
                              const struct chunk_task *task, uint32_t log,
                              struct parley_judged *judged, parley_seq *conflict);

/* ingest.c */
void ingest_chunk(struct parley_node *node, struct peer *peer, parley_request request,
                  const struct chunk_task *task, struct parley_span bytes);
void on_evidence(struct parley_node *node, struct peer *peer,
                 const struct parley_wire_evidence *evidence);
void chunk_on_verified(struct parley_node *node, struct job *job, bool holds);
void ingest_records(struct parley_node *node, struct peer *peer, parley_request request,
                    bool is_followed, struct parley_wire_list records, struct parley_span bytes);
void records_on_verified(struct parley_node *node, struct job *job, bool holds);
void ingest_on_read(struct parley_node *node, uint32_t job, uint16_t generation,
                    enum parley_error error, struct parley_span bytes);

/* commit.c */
void on_stored(struct parley_node *node, parley_ticket ticket, enum parley_error error,
               const struct parley_store_log *log);
void on_store_opened(struct parley_node *node);
/* At the first thing that a store opened again tells. */
void reload_begin(struct parley_node *node);
void on_load_log(struct parley_node *node, const struct parley_store_log *log);
void on_load_record(struct parley_node *node, const struct parley_author *author,
                    struct parley_span record);

/* import.c */
/* Judges a chunk from outside: with what the identity records or what is held commit to where its
 * top is, or by its own signature. RETRY: the id of *needed, which is held, has to be read for
 * that. Or what the judge says. */
enum parley_error import_judge(const struct log_row *row, const struct chunk_task *task,
                               struct parley_span bytes, struct parley_judged *judged,
                               parley_seq *needed);
/* Bodies of entries that may be held without: ask before the chunk is placed. */
bool import_has_bodies(const struct log_row *row, const struct chunk_task *task,
                       const struct parley_chunk *chunk);
/* The chunk's entries are held: their bodies, too. Answers when they are on disk. */
void import_bodies(struct parley_node *node, uint32_t log, const struct parley_chunk *chunk,
                   parley_request request);
void on_import(struct parley_node *node, const struct parley_event *event);

/* source.c */
void source_open(struct peer *peer);
/* Something of a log that was asked of it came, and was new. */
void source_gave(struct peer *peer);
/* Nothing came, not even an answer; or it was empty, and told of was more than is here. */
void source_was_silent(struct peer *peer);
void source_was_empty(struct peer *peer);
/* Nobody else need be asked what that one told of, as long as it does not fail. */
bool source_is_believed(struct parley_node *node, parley_connection connection);
/* Asks of runs that it may have at a time. */
size_t source_window(const struct peer *peer);
/* It told that it has a log up to seq, down from there to low; 0: it did not say. */
void want(struct parley_node *node, struct peer *peer, uint32_t log, parley_seq seq,
          const struct parley_id *id, parley_seq low);
/* The second head of a log: it holds what the identity records name, apart from its own head. */
void want_named(struct parley_node *node, struct peer *peer, uint32_t log,
                const struct parley_wire_head *head);

/* fetch.c */
/* The newest seq accepted; 0 when none. */
parley_seq log_newest(const struct log_row *row);
void fetch_on_timer(struct parley_node *node);
/* What is held has changed: what its source has may have become worth asking for. */
void queue_log(struct parley_node *node, uint32_t log);
/* Something below the newest is missing. */
bool log_has_holes(const struct parley_node *node, const struct log_row *row);
/* The disk has more of it. */
void log_is_filled(struct parley_node *node, uint32_t log);
/* An ask brought nothing: later, and of somebody else. */
void log_back_off(struct parley_node *node, uint32_t log);
void fetch_pump(struct parley_node *node);
/* Somebody else may be asked for the log now: an ask of which nothing came for so long ends, and
 * its peer is the log's source no more. other: who that is, or NULL; nobody gives way to one whose
 * word counts for less. 0; or when that may be tried again, since something is asked. */
parley_time_ms fetch_give_up(struct parley_node *node, uint32_t log, parley_time_ms silence_ms,
                             const struct peer *other);
/* Another is to be asked instead, whose word counts for more: who is asked has little time left. */
void fetch_hurry(struct parley_node *node, uint32_t log, const struct peer *other);
/* What to ask the source of a log for. False: nothing that it has. */
bool fetch_next_ask(const struct parley_node *node, const struct log_row *row,
                    struct parley_wire_ask_run *ask);
void fetch_end(struct parley_node *node, struct fetch *fetch, bool failed);
void fetch_drop_peer(struct parley_node *node, uint32_t peer);
void on_run(struct parley_node *node, struct peer *peer, const struct parley_wire_run *run);
bool node_is_catching_up(const struct parley_node *node);

/* serve.c */
void on_ask_run(struct parley_node *node, struct peer *peer, const struct parley_wire_ask_run *ask);
void on_ask_bodies(struct parley_node *node, struct peer *peer,
                   const struct parley_wire_ask_bodies *ask);
void on_ask_identity(struct parley_node *node, struct peer *peer,
                     struct parley_wire_ask_identity *ask);
/* False: no place now. */
bool serve_evidence(struct parley_node *node, struct peer *peer, uint32_t log);
void serve_pump(struct parley_node *node);
void serve_drop_peer(struct parley_node *node, uint32_t peer);
void on_read_done(struct parley_node *node, parley_ticket ticket, enum parley_error error,
                  struct parley_span bytes, size_t count);

#include "catchup.h"
#include "identities.h"
#include "interest.h"
#include "judge.h"
#include "peers.h"

#endif
