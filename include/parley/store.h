/* The seam of the disk: operations on one log, conditional, durable in groups. SPEC names none of
 * this: the layout is private to a node and versioned.
 *
 * The calls are synchronous and not thread safe but for what is said below. The product calls
 * commit and the reads on a worker thread; the simulator calls them later, in simulated time, over
 * a key-value engine that fails and forgets. An acknowledged operation is on disk.
 *
 * A log is held as at most PARLEY_RANGES_MAX ranges of consecutive entries (log.h), each entry with
 * or without its body. Every index can be made anew from the entries.
 */
#ifndef PARLEY_STORE_H
#define PARLEY_STORE_H

#include <parley/entry.h>
#include <parley/log.h>
#include <parley/ranges.h>

struct parley_kv; /* an ordered key-value engine: node/store/kv.h */
struct parley_store;

enum parley_store_kind {
    /* A chunk that continues the newest range: its first entry has seq head + 1 and prev = head id
     * (an empty log: seq 1). GAP or FORKED when the head is another. */
    PARLEY_STORE_APPEND,
    /* A chunk whose last entry is exactly the (seq, id) that the lowest entry of some range names
     * as its prev. */
    PARLEY_STORE_FILL,
    /* A chunk above the newest range whose link downwards is still open. */
    PARLEY_STORE_TOP,
    /* Bodies for entries that are held without one; others, those that were erased and those that
     * do not match are passed over. EXISTS when no entry took any. */
    PARLEY_STORE_BODIES,
    /* Drops bodies and salts of seq_low .. seq_high; with `forget` an entry remembers that it was
     * erased, so that a body served again stays out; without, the body lacks and may come again. */
    PARLEY_STORE_DROP_BODIES,
    PARLEY_STORE_PRUNE, /* drops entries below seq_low and remembers that: it is the log's floor */
    PARLEY_STORE_CUT,   /* drops entries above seq_high, up to seq_low unless that is 0: then all.
                         * seq_low must end a range. */
    PARLEY_STORE_FORK,  /* marks the lowest forked seq (seq_low); 0: settled, drops evidence */
    PARLEY_STORE_EVIDENCE, /* keeps a chunk of another branch beside the log, 16 at most: when more
                            * come, it is for a lower fork, and what was held goes */
    PARLEY_STORE_RECORD,   /* an identity record of an author; key is its hash */
    PARLEY_STORE_UNRECORD, /* drops the record with that hash; all of the author's when key is empty
                            */
    PARLEY_STORE_META,     /* key -> value; an empty value drops the key */
    /* Drops the bodies and salts that erasures of this log name (SPEC 5.7), as DROP_BODIES with
     * forget: of erasures by entries up to seq_high that came at received_ms or before. An erasure
     * loses no body of its own. EXISTS when more of them wait, for their time or for another call
     * (it takes 16 at most); else OK. */
    PARLEY_STORE_ERASE,
    /* All of a log goes: entries, evidence, what was erased and its row; what the owner purged (by
     * DROP_BODIES with forget) is remembered. With `forget` nothing else of the author is held, and
     * his number goes, too. */
    PARLEY_STORE_FORGET,
    /* Takes back DROP_BODIES with forget: of seq_low .. seq_high what is held without its body, and
     * was not erased by an entry of the log that is held, lacks it again. EXISTS: nothing is so. */
    PARLEY_STORE_RECALL,
};

/* Spans are borrowed until the call returns. */
struct parley_store_op {
    enum parley_store_kind kind;
    /* RECORD, UNRECORD: the author. APPEND, FILL, TOP: whose log it is. FORK, EVIDENCE and
     * DROP_BODIES with forget: the same where the log may not be held yet; zero author: NOT_FOUND
     * then. */
    struct parley_author author;
    struct parley_device_key device;
    struct parley_log log;
    struct parley_span bytes; /* a chunk, a record, a value; BODIES: [[seq, salt, body]...] items */
    struct parley_span key;
    parley_seq seq_low;
    parley_seq seq_high;
    parley_time_ms received_ms; /* wall time at which the chunk arrived here; ERASE: the latest */
    struct parley_id top_id;    /* of the chunk's newest entry, as the judge found it; zero: it is
                                   computed here, a microsecond for each entry */
    bool top_signed;            /* the own signature of the chunk's newest entry was verified */
    bool forget;
};

/* What is held of a log, as loaded at start. */
struct parley_store_log {
    struct parley_author author;
    struct parley_device_key device;
    struct parley_log log;
    struct parley_ranges ranges;
    parley_seq forked; /* lowest forked seq, 0 for none */
    uint64_t entries_count;
    uint64_t bodies_count;
    /* Every entry that is held without a body, and whose body was not erased or dropped for good,
     * is among these, and others may be; 0 and 0: there is none. */
    parley_seq lacks_low, lacks_high;
    parley_time_ms erase_ms; /* when the first erasure came whose bodies wait; 0: none does */
    /* Bytes of an engine's files that are the log's, once they are compacted: entries, evidence and
     * every row, with what the engine adds to each (README: "A limit on the disk"). */
    uint64_t bytes;
    /* min(claimed, received) of the newest entry that ever was here, by time, and of the lowest
     * that is. */
    parley_time_ms active_ms, low_ms;
    parley_seq floor; /* entries below were pruned here; 0: none were */
};

/* Opens what is there. Errors: STORE_MISSING, STORE_LOCKED, STORE_DAMAGED, DISK_FAILED, NO_MEMORY.
 * The engine stays the caller's and must outlive the store. `create` makes an empty layout in an
 * empty engine; without it an empty engine is STORE_MISSING. */
PARLEY_USE_RESULT enum parley_error parley_store_open(struct parley_store **store,
                                                      struct parley_kv *kv, bool create);
void parley_store_close(struct parley_store *store);

/* Group commit: every operation is judged on the state that those before it left, all that hold
 * are written as one synced batch. results[i]: OK (stored), EXISTS, FORKED, GAP, FULL (too many
 * ranges), NOT_FOUND (nothing of the log is held), what the decoder says of bytes that are not what
 * the operation takes, UNKNOWN_LOG (a chunk of another log); or for all of them DISK_FULL,
 * DISK_FAILED, STORE_DAMAGED, NO_MEMORY. After one of these nothing is acknowledged any more:
 * close, reopen, load again. One commit at a time; reads may run beside it. */
void parley_store_commit(struct parley_store *store, const struct parley_store_op *ops,
                         size_t ops_count, enum parley_error *results);

/* Calls back for each thing held, in no order that matters. Stops when a callback answers false.
 * Any callback may be NULL. */
struct parley_store_visitor {
    void *context;
    bool (*on_record)(void *context, const struct parley_author *author, struct parley_span record);
    bool (*on_log)(void *context, const struct parley_store_log *log);
    bool (*on_meta)(void *context, struct parley_span key, struct parley_span value);
};
PARLEY_USE_RESULT enum parley_error parley_store_load(struct parley_store *store,
                                                      const struct parley_store_visitor *visitor);
/* One log's row. NOT_FOUND when nothing is held. */
PARLEY_USE_RESULT enum parley_error parley_store_log_get(struct parley_store *store,
                                                         const struct parley_log *log,
                                                         struct parley_store_log *out);

/* One chunk that ends at seq_top and goes down as far as it fits bytes_max (at least one entry)
 * and seq_low, within one unbroken range. buffer must hold PARLEY_CHUNK_LARGEST bytes. Bodies that
 * are not here come as header-only items. NOT_FOUND when seq_top is not held. Thread safe beside
 * commit. */
PARLEY_USE_RESULT enum parley_error
parley_store_read_run(struct parley_store *store, const struct parley_log *log, parley_seq seq_top,
                      parley_seq seq_low, bool bodies, size_t bytes_max, uint8_t *buffer,
                      struct parley_span *chunk);
/* Of the entries seq_low .. seq_top that lack a body which may still come: headers alone, as one
 * chunk, of a stretch that ends with the newest of them and has the next ones below, as many as
 * stand close by; entries between them that have their bodies may be in it. Looks at a bounded
 * number of entries, newest first: OK and an empty span when it came down to *next and found none,
 * and then 0 in *next says that it has looked at all. Errors as parley_store_read_run's but for
 * NOT_FOUND, which says that nothing of the log is held. Thread safe beside commit. */
PARLEY_USE_RESULT enum parley_error
parley_store_read_lacking(struct parley_store *store, const struct parley_log *log,
                          parley_seq seq_top, parley_seq seq_low, uint8_t *buffer,
                          struct parley_span *chunk, parley_seq *next);
/* The evidence chunk number `index`. NOT_FOUND past the last. */
PARLEY_USE_RESULT enum parley_error parley_store_read_evidence(struct parley_store *store,
                                                               const struct parley_log *log,
                                                               size_t index, uint8_t *buffer,
                                                               struct parley_span *chunk);
/* Records of an author, rotation first, one after the other, each as a msgpack bin, starting at
 * record number `skip`, as many as fit (at least one; buffer holds PARLEY_MESSAGE_BYTES_MAX).
 * *count is how many. NOT_FOUND when none is left. */
PARLEY_USE_RESULT enum parley_error
parley_store_read_records(struct parley_store *store, const struct parley_author *author,
                          size_t skip, uint8_t *buffer, size_t buffer_size,
                          struct parley_span *records, size_t *count);

/* The order of every list for people: min(claimed, received), then log, then seq. */
struct parley_timeline_place {
    parley_time_ms time;
    struct parley_log log;
    parley_seq seq;
};
/* Entries below `before` (NULL: from the newest), newest first, until the callback answers false;
 * of one author or log only when given. Entries at or above a fork, and of void logs, are the
 * caller's to leave out. received_ms is when it came here. What is damaged is passed over: the walk
 * goes on behind it, and answers STORE_DAMAGED at its end. */
typedef bool parley_store_on_entry(void *context, const struct parley_store_log *log,
                                   const struct parley_entry *entry,
                                   const struct parley_timeline_place *place,
                                   parley_time_ms received_ms);
PARLEY_USE_RESULT enum parley_error
parley_store_timeline(struct parley_store *store, const struct parley_timeline_place *before,
                      const struct parley_author *author, parley_store_on_entry *on_entry,
                      void *context);
/* Entries seq_low .. seq_high of one log, ascending. */
PARLEY_USE_RESULT enum parley_error
parley_store_entries(struct parley_store *store, const struct parley_log *log, parley_seq seq_low,
                     parley_seq seq_high, parley_store_on_entry *on_entry, void *context);

/* What entries say of other entries; each is the saying entry. */
enum parley_link_kind {
    PARLEY_LINK_REPLY = 1, /* of a thread's first entry; where a reply names none, its parent */
    PARLEY_LINK_ECHO,
    PARLEY_LINK_VOTE,
    PARLEY_LINK_PROFILE, /* of an author */
};
struct parley_store_link {
    struct parley_store_log log; /* of who says it */
    parley_time_ms time;         /* min(claimed, received) */
    parley_seq seq;
    uint8_t id_start[8]; /* of the entry that is meant: another branch's id is not it */
    int8_t vote;         /* -1, 0, 1 */
};
/* Borrowed until it returns. False ends the walk. */
typedef bool parley_store_on_link(void *context, const struct parley_store_link *link);
/* Replies and echoes in the order of time, from behind `after` (NULL: the first) on; votes by
 * voters, each's newest last (after is not looked at). The entry itself need not be held. Whether
 * the log of a link is void, closed or forked is the caller's to ask. Damage is passed over, and
 * STORE_DAMAGED answered at the end. Cost: two reads a link. */
PARLEY_USE_RESULT enum parley_error
parley_store_links(struct parley_store *store, const struct parley_log *log, parley_seq seq,
                   enum parley_link_kind kind, const struct parley_timeline_place *after,
                   parley_store_on_link *on_link, void *context);
/* An author's profiles, newest first; damage as in links. */
PARLEY_USE_RESULT enum parley_error parley_store_profiles(struct parley_store *store,
                                                          const struct parley_author *author,
                                                          parley_store_on_link *on_link,
                                                          void *context);
/* What became of an entry's body, held or not. */
struct parley_store_body_state {
    parley_seq erased_by; /* the lowest entry of its log that erases it; 0: none */
    bool is_forgotten;    /* erased or purged here: its body stays out */
};
PARLEY_USE_RESULT enum parley_error
parley_store_body_state(struct parley_store *store, const struct parley_log *log, parley_seq seq,
                        const struct parley_id *id, struct parley_store_body_state *out);

/* Makes every index anew from the entries held; not beside commit or reads. What was cut short is
 * done again at the next open. Errors: STORE_DAMAGED (entries that are not one chain, or fewer than
 * a log's row says: nothing is changed then), DISK_FULL, DISK_FAILED, NO_MEMORY. Cost: two walks of
 * everything, a microsecond for each entry. */
PARLEY_USE_RESULT enum parley_error parley_store_rebuild(struct parley_store *store);

/* What can be wrong, and in words. Rebuilding mends INDEX and nothing else; repairing drops all of
 * the others, and a range that lacks entries is filled by peers. */
#define PARLEY_DAMAGES(X)                                                                          \
    X(UNREADABLE, "a part of the database cannot be read")                                         \
    X(ROW, "a row is not what the layout says")                                                    \
    X(RECORD, "an identity record does not hold")                                                  \
    X(RECORDS_MISSING, "the identity records of the author are missing")                           \
    X(ENTRIES, "entries do not decode, or are not one chain")                                      \
    X(SIGNATURE, "no valid signature vouches for the newest entry")                                \
    X(MISSING, "entries are missing")                                                              \
    X(UNOWNED, "entries belong to a log that is not known")                                        \
    X(EVIDENCE, "evidence of a fork is missing or does not decode")                                \
    X(INDEX, "an index does not agree with the entries")

enum parley_damage_kind {
#define X(name, words) PARLEY_DAMAGE_##name,
    PARLEY_DAMAGES(X)
#undef X
};

struct parley_damage {
    enum parley_damage_kind kind;
    char letter; /* of the row, layout.h */
    bool has_author, has_log;
    struct parley_author author;
    struct parley_log log;
    parley_seq seq_low, seq_high; /* 0: no entries in particular */
};
/* "INDEX" and its words. Never NULL. */
const char *parley_damage_name(enum parley_damage_kind kind);
const char *parley_damage_words(enum parley_damage_kind kind);

typedef void parley_store_on_damage(void *context, const struct parley_damage *damage);

/* How far a check has come; all zero to begin. key may be carried elsewhere and back. */
#define PARLEY_STORE_KEY_MAX 256u
struct parley_store_check {
    uint8_t key[PARLEY_STORE_KEY_MAX]; /* the next row */
    size_t key_size;
    bool is_done;
    uint64_t logs_count, entries_count, records_count; /* checked so far */
    uint64_t damages_count;
};
/* Checks on from there until about work_max entries and rows have been looked at, at least one log
 * or author whole: every segment through the judge of log.h against the records of its author, each
 * range's signature, every index row against its entries and the reverse. Each call sees one state
 * of its own, so it runs beside commits; what is found while others write still holds. Errors:
 * DISK_FAILED, NO_MEMORY; damage is no error. Cost: 2 us an entry, 100 us for each range and twice
 * for each record. */
PARLEY_USE_RESULT enum parley_error
parley_store_check_next(struct parley_store *store, struct parley_store_check *check,
                        uint64_t work_max, parley_store_on_damage *on_damage, void *context);

/* The last resort, on an engine that no store is open on: drops every record, row and entry that a
 * check would object to, finds the author of entries whose row is lost, makes the indexes anew.
 * on_damage hears of each loss. Ranges that lack entries are wanted again from peers. The newest
 * entries of a log may be gone without a trace: one's own log must not be continued. What was cut
 * short is done by repairing again. Errors: STORE_MISSING (an empty engine), BAD_VERSION,
 * STORE_DAMAGED (what the engine cannot read stays in the way), DISK_FULL, DISK_FAILED, NO_MEMORY.
 */
PARLEY_USE_RESULT enum parley_error
parley_store_repair(struct parley_kv *kv, parley_store_on_damage *on_damage, void *context);

/* How many commits have changed the store since it was made: it never goes down, so a database
 * with fewer than were once acknowledged has lost some. */
uint64_t parley_store_commits_count(const struct parley_store *store);
/* The error after which nothing is acknowledged; OK before. */
enum parley_error parley_store_broken(const struct parley_store *store);

/* Bytes on disk as the engine tells, cheap: also those of what was dropped and not compacted yet.
 */
uint64_t parley_store_bytes(struct parley_store *store);

/* What an identity record of that size takes of the disk, with its key; parley_store_log has it of
 * a log. */
static inline uint64_t parley_store_record_bytes(size_t record_size) {
    return 82u + record_size;
}

/* How far a compaction has come; all zero to begin. */
struct parley_store_compaction {
    uint32_t log_number; /* segments of the logs below are done */
    bool is_begun, is_done;
};
/* Gives the disk back a part of what was dropped, of about 16 MB each; call until is_done. Thread
 * safe beside commit and reads, which go on; seconds at most. */
void parley_store_compact_next(struct parley_store *store,
                               struct parley_store_compaction *compaction);

#endif
