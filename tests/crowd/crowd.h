/* A few whole nodes with stores in memory, linked to one another: what happens when what they hold
 * contradicts. Nothing fails here but on order; in which order things happen a seed decides.
 */
#ifndef PARLEY_TESTS_CROWD_H
#define PARLEY_TESTS_CROWD_H

#include "../node/story.h"
#include "../sim/kv_memory.h"

#define CROWD_NODES_MAX 100u
#define CROWD_LINKS_MAX 160u

/* What an effect asked for and the world did not do yet. */
struct crowd_task {
    struct crowd_task *next;
    struct parley_effect effect;
    uint8_t bytes[];
};

struct crowd_link {
    bool is_open;
    unsigned nodes[2];
    parley_connection connections[2];
    bool is_told[2];   /* ACCEPTED or DIALLED was; CLOSED was not */
    uint8_t *bytes[2]; /* on the way to nodes[i], and what it did not take yet */
    size_t sizes[2];
    bool is_fresh[2]; /* something arrived since it was offered */
};

struct crowd_node {
    struct parley_node *core;
    struct parley_node_config config;
    struct parley_address address;
    struct parley_disk *disk;
    struct parley_kv *kv;
    struct parley_store *store;
    struct crowd_task *stores, *others; /* STOREs in order; reads and checks in any */
    bool is_failed;
    parley_connection next_accept;
    enum parley_error reply; /* the last one */
    unsigned warnings, compactions_count;
    bool compacts_for_ever; /* a compaction is not told of as ended */
    uint64_t shown_count;   /* entries */
};

struct crowd {
    struct crowd_node nodes[CROWD_NODES_MAX];
    unsigned count;
    struct crowd_link links[CROWD_LINKS_MAX];
    struct parley_random random;
    parley_time_ms now;
    uint64_t messages_bytes;
    uint64_t checks_count;
    unsigned blamed; /* connections closed for a fault */
    bool fails_next_store;
};

void crowd_begin(struct crowd *crowd, unsigned count, uint64_t seed);
void crowd_end(struct crowd *crowd);
/* Everyone to everyone, or just two. */
void crowd_meet(struct crowd *crowd);
void crowd_link(struct crowd *crowd, unsigned a, unsigned b);
void crowd_part(struct crowd *crowd);
/* Until nothing is on its way. */
void crowd_settle(struct crowd *crowd);
/* Time goes by, settled after each second. */
void crowd_wait(struct crowd *crowd, unsigned seconds);
/* Killed, and started from its disk. */
void crowd_restart(struct crowd *crowd, unsigned node);
void crowd_import(struct crowd *crowd, unsigned node, struct parley_span chunk);
void crowd_record(struct crowd *crowd, unsigned node, struct parley_span record);
struct parley_node_log crowd_log(struct crowd *crowd, unsigned node, const struct parley_log *log);
/* All say the same of this log, and of all others; else the words for it. */
void crowd_agrees(struct crowd *crowd, const struct parley_log *log);
bool crowd_differs(struct crowd *crowd, const struct parley_log *log, char *why, size_t why_size);

/* --- inside --------------------------------------------------------------------------------- */

void crowd_step(struct crowd *crowd, unsigned node, struct parley_event *event, size_t *consumed);
void crowd_load(struct crowd *crowd, unsigned node);
void crowd_close_link(struct crowd *crowd, struct crowd_link *link);

/* --- an author who writes what they like ---------------------------------------------------- */

/* Entries of one log as a tree: each stands on another. */
#define CROWD_ENTRIES_MAX 16384u
struct crowd_entry {
    struct parley_entry entry;
    uint32_t below; /* index; CROWD_ENTRIES_MAX: none */
    bool is_bad;    /* its own signature does not hold */
};
struct crowd_author {
    struct story_person person;
    uint8_t number;
    struct crowd_entry *entries;
    uint32_t count;
};
#define CROWD_NOTHING CROWD_ENTRIES_MAX
void crowd_author(struct crowd_author *author, uint8_t number);
void crowd_author_end(struct crowd_author *author);
/* Both records, to all. */
void crowd_introduce(struct crowd *crowd, const struct crowd_author *author);
/* A crowd that knows an author; and its end, when nobody was blamed for anything. */
void crowd_begin_written(struct crowd *crowd, struct crowd_author *author, unsigned count,
                         uint64_t seed);
void crowd_end_unblamed(struct crowd *crowd, struct crowd_author *author);
/* So many more above an entry (or CROWD_NOTHING); returns the newest. */
uint32_t crowd_write(struct crowd_author *author, uint32_t below, unsigned count);
/* The same with own signatures that do not hold. */
uint32_t crowd_write_bad(struct crowd_author *author, uint32_t below, unsigned count);
/* One whose prev names an entry that is not the one before it. */
uint32_t crowd_write_bent(struct crowd_author *author, uint32_t below, parley_seq seq);
parley_seq crowd_seq(const struct crowd_author *author, uint32_t entry);
struct parley_id crowd_id(const struct crowd_author *author, uint32_t entry);
/* The chain up to an entry, from seq low, given to a node: the newest chunk first. */
void crowd_give(struct crowd *crowd, unsigned node, const struct crowd_author *author,
                uint32_t entry, parley_seq low);
/* At an entry, or CROWD_NOTHING: void. */
void crowd_close(struct crowd *crowd, unsigned node, const struct crowd_author *author,
                 uint32_t entry);
/* At its id and whatever number. */
void crowd_close_at(struct crowd *crowd, unsigned node, const struct crowd_author *author,
                    uint32_t entry, parley_seq seq);
/* The rotation to a generation; entry CROWD_NOTHING: the log is not listed. */
void crowd_rotate(struct crowd *crowd, unsigned node, const struct crowd_author *author,
                  uint8_t generation, uint32_t entry, bool ended);

#endif
