/* The scale model: thousands of nodes in one process, with the object code of the product's core
 * and store, and every byte on the links. The simulator (tests/sim) judges whether a few nodes stay
 * right whatever goes wrong; this one measures what many cost and how fast they are, on a network
 * with distances, narrow links and people who come and go.
 *
 * What is cheap here and not in the product: signatures are not checked and the curve is a toy
 * (tests/fuzz/crypto_stub.c). Hashes, seals and the sizes of everything are the real ones.
 *
 *   world.c      one run from its first boot to the last figure
 *   people.c     who is there: keys, homes, whom they follow and dial; popularity
 *   net.c        connections: distance, bandwidth, an order that holds, silence
 *   disk.c       the store over memory, a few milliseconds late
 *   host.c       a node's life: boot, steps and their effects, kill
 *   memory.c     each node's memory in a place of its own: what it takes and what it touches
 *   sealed.c     what a message is, seen where it is sealed: its type and which entries are in it
 *   posts.c      who posts when, and who has got it
 *   figures.c    what is counted, by phases
 *   report.c     as one JSON object
 *   halves.c     two halves that were a day apart
 *   surge.c      as many newcomers as there are nodes
 *   sybil.c      peers that are nobody
 *   scenarios.c  the worlds that are asked about, and their bounds
 *   main.c       options
 *   draw.py      the same as a picture
 */
#ifndef PARLEY_SCALE_H
#define PARLEY_SCALE_H

#include "../sim/home_make.h"
#include "../sim/kv_memory.h"
#include "../sim/queue.h"
#include "../sim/store_parts.h"

#include <parley/node.h>
#include <parley/random.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <time.h>

#define NOBODY      QUEUE_NOBODY
#define WALL_START  UINT64_C(1767225600000) /* 2026-01-01 */
#define TYPES_MAX   64u                     /* of messages; the rest is counted as the last */
#define PHASES_MAX  8u
#define BOUNDS_MAX  16u
#define SLOW_WAY_MS 250u /* more, each way, over a slow link */

struct scale_config {
    uint64_t seed;
    unsigned nodes_count, relays_count;
    unsigned follows_mean; /* whom a person follows; the tail is heavy */
    unsigned relays_dialled, friends_dialled;
    unsigned slow_percent;           /* of links: 64 kB/s and half a second */
    unsigned posts;                  /* in each phase */
    unsigned warm_posts;             /* before the first of them */
    double copies_most, delay_times; /* bounds of what a tree may cost */
    bool discovers;                  /* nodes learn addresses, and dial them */
    bool is_halved;                  /* nobody dials into the other half: odd and even nodes */
    unsigned sybils_count;
    unsigned old_count;     /* there before the surge, relays among them; 0: half of all persons */
    unsigned places;        /* of a relay, for connections; 0: as everybody */
    unsigned surge_minutes; /* in which the others come */
    bool is_flooding;       /* every push goes to everybody who wants it */
    bool is_verbose;
};

/* --- net.c --------------------------------------------------------------------------------- */

/* What one message carries, for the count. */
struct scale_load {
    uint32_t author; /* of the entries in it; NOBODY: none */
    parley_seq low, high;
    uint32_t payload_bytes;
    uint8_t type;
};

struct scale_piece {
    struct scale_load load;
    bool is_end;
    size_t size;
    uint8_t bytes[];
};

struct scale_end {
    uint32_t node, life;
    parley_connection connection;
    bool is_told;    /* it waits for its CLOSED */
    bool is_closing; /* it said CLOSE */
    uint8_t *arrived;
    size_t arrived_size, arrived_max;
    uint64_t waiting_count; /* pieces in the receiver's line */
    size_t untold_bytes;    /* that it sent, and that were taken at the other end */
    bool is_telling;        /* it hears of them in a while */
    uint64_t free_us;       /* of its own direction */
    parley_time_ms last_at;
};

/* Lives as long as the world: events name it. */
struct scale_wire {
    struct scale_wire *next;
    struct scale_end ends[2]; /* who dialled, who accepted */
    uint32_t way_ms;          /* one way */
    bool is_slow, is_silent;
    parley_time_ms since;
};

void net_dial(struct sim *sim, uint32_t node, const struct parley_effect *effect);
void net_send(struct sim *sim, uint32_t node, parley_connection connection,
              struct parley_span bytes);
void net_close(struct sim *sim, uint32_t node, parley_connection connection);
/* Who is at the other end; NOBODY. */
uint32_t net_other(const struct sim *sim, uint32_t node, parley_connection connection);
void net_resume(struct sim *sim, uint32_t node, parley_connection connection);
/* All its connections break. In silence: nobody is told. */
void net_node_died(struct sim *sim, uint32_t node, bool in_silence);
void net_clear(struct sim *sim);

/* --- disk.c -------------------------------------------------------------------------------- */

struct scale_disk {
    struct parley_disk *disk;
    struct parley_kv *kv;
    struct parley_store *store;
    struct kept_op *first, *last;
    bool is_writing;
};

void disk_create(struct sim *sim, uint32_t node);
void disk_open(struct sim *sim, uint32_t node);
void disk_close(struct sim *sim, uint32_t node);
void disk_store(struct sim *sim, uint32_t node, const struct parley_effect *effect);
void disk_read(struct sim *sim, uint32_t node, const struct parley_effect *effect);

/* --- memory.c ------------------------------------------------------------------------------ */

struct scale_memory {
    uint8_t *base;
    size_t allocated;
};
/* Addresses for so many, and none for anybody. */
void memory_reserve(uint32_t places_count);
void memory_release(void);
/* Between these two all that is allocated is the node's; place: a number of its own. */
void memory_begin(struct scale_memory *memory, uint32_t place);
void memory_end(void);
/* Frees within it are ignored; this gives all of it back. */
void memory_clear(struct scale_memory *memory);
/* Bytes in pages that were written to, by place. */
void memory_touched(size_t *touched, size_t count);
size_t memory_of_process(void);

/* --- people.c ------------------------------------------------------------------------------ */

#define DIALLED_MAX 16u

struct scale_node {
    /* what outlives the process */
    struct parley_secret_key key;
    struct parley_address address;
    unsigned region;
    bool is_relay;
    uint32_t up_rate, down_rate; /* bytes a millisecond */
    struct parley_author author; /* persons */
    struct parley_secret_key device;
    struct parley_device_key device_key;
    struct parley_log log;
    uint32_t *follows; /* sorted */
    uint32_t follows_count, follows_max;
    uint32_t *followers;
    uint32_t followers_count, followers_max;
    uint32_t dialled[DIALLED_MAX];
    size_t dialled_count;
    size_t peers_max;  /* 0: as everybody */
    bool has_followed; /* its home knows whom */
    struct scale_disk disk;
    uint32_t *posts; /* [seq - 1]: number of the post, or NOBODY */
    size_t posts_count, posts_max;
    /* the process */
    struct parley_node *core; /* NULL: not running */
    struct scale_memory memory;
    uint32_t life;
    bool is_gone; /* does not come back */
    parley_connection next_accept;
    parley_time_ms timer_at, up_since;
    struct scale_wire **wires[2]; /* by connection / 2: accepted, dialled */
    size_t wires_max[2];
    uint64_t up_free_us, down_free_us;
    uint64_t duplicates, held;
    uint64_t copies, foreign; /* of the payloads of one phase */
};

void people_make(struct sim *sim);
void people_clear(struct sim *sim);
uint32_t person_of_log(const struct sim *sim, const struct parley_log *log);
/* Whose address it is, or NOBODY. */
uint32_t people_at(const struct sim *sim, const char *host);
bool person_follows(const struct sim *sim, uint32_t node, uint32_t author);
/* Wants what the author says, and is not the author. */
bool node_wants(const struct sim *sim, uint32_t node, uint32_t author);
/* By popularity; a running one. */
uint32_t people_pick_author(struct sim *sim);
uint32_t people_pick_popular(struct sim *sim);
void people_dial(struct sim *sim, uint32_t node, uint32_t to);
void people_follow(struct sim *sim, uint32_t node, uint32_t author);

/* --- host.c -------------------------------------------------------------------------------- */

void host_boot(struct sim *sim, uint32_t node, parley_time_ms delay);
size_t host_step(struct sim *sim, uint32_t node, struct parley_event *event);
void host_kill(struct sim *sim, uint32_t node, bool in_silence);
/* People come and go, with sessions of a heavy tail, until it is off again. */
void churn_begin(struct sim *sim);
void churn_end(struct sim *sim); /* and whoever is away comes back */

/* --- posts.c ------------------------------------------------------------------------------- */

struct scale_arrival {
    uint32_t after_ms; /* and one; 0: not yet */
    uint16_t from;     /* who brought the first copy, if hops > 0 */
    uint8_t hops, copies;
    uint8_t way;   /* of the first copy: enum scale_way */
    bool was_away; /* the node was not running all the time since, or the author had just come */
};

struct scale_post {
    uint32_t author;
    parley_seq seq; /* 0: not kept yet */
    bool is_early;  /* its author had just come, and dials yet */
    parley_time_ms at;
    unsigned phase;
    uint32_t size;
    struct scale_arrival *arrivals; /* by node */
};

/* So many posts, evenly by chance over the time. */
void posts_schedule(struct sim *sim, unsigned count, parley_time_ms duration);
#define POST_BYTES_MAX 4096u
/* One that is drawn, written into bytes. */
struct parley_span post_body(struct sim *sim, uint8_t *bytes, size_t size_max);
void post_now(struct sim *sim, uint32_t author);
void post_on_reply(struct sim *sim, uint32_t node, const struct parley_effect *effect);
void post_on_show(struct sim *sim, uint32_t node, const struct parley_effect *effect);
void post_on_arrived(struct sim *sim, const struct scale_wire *wire, unsigned to,
                     const struct scale_load *load);
struct scale_missing {
    uint64_t wanted; /* by nodes that run: pairs of a post and a node */
    uint64_t had;
    uint64_t
        missed; /* though the node is connected with one that has it, through such as want it */
    uint64_t cut_off; /* no such connection */
};
/* Of posts made in [from, until]. */
struct scale_missing posts_missing(struct sim *sim, parley_time_ms from, parley_time_ms until);
void posts_clear(struct sim *sim);

/* --- figures.c ----------------------------------------------------------------------------- */

struct scale_spread {
    uint64_t count;
    double mean;
    uint32_t p50, p90, p99, max;
};
/* Sorts. */
struct scale_spread spread_of(uint32_t *values, size_t count);

struct scale_traffic {
    uint64_t messages[TYPES_MAX], bytes[TYPES_MAX], payload[TYPES_MAX];
    uint64_t wire_bytes; /* sealed, and handshakes */
};

/* How a copy comes: by a push, or a run that was asked for; over a slow link; between whom. */
enum scale_way {
    WAY_PULLED = 1,
    WAY_SLOW = 2,
    WAY_FROM_PERSON = 4,
    WAY_TO_PERSON = 8,
    WAYS_COUNT = 16
};

struct scale_phase {
    const char *name;
    parley_time_ms from, until;
    uint64_t posts;
    uint64_t pairs, reached; /* a post and a node that wants it, runs at the end, and has it */
    uint64_t missed;
    double reached_worst;         /* of one post */
    struct scale_spread delay_ms; /* where the node ran all the time */
    struct scale_spread late_ms;  /* where it, or the author, was away or had just come */
    struct scale_spread hops;
    struct scale_spread copies_permille; /* by node: payloads that came for each that is held */
    struct scale_traffic traffic;
    double control_bytes_per_post;
    uint64_t again[WAYS_COUNT];   /* copies of what was here, or on its way, by how they came */
    uint64_t crossed[WAYS_COUNT]; /* of these, where the sender could not know yet */
    uint64_t late[WAYS_COUNT];    /* that took long, by the hop on which they were longest */
};

void phase_begin(struct sim *sim, const char *name);
void phase_end(struct sim *sim);
/* Once the run is over. */
void phases_count(struct sim *sim);

struct scale_bound {
    const char *what;
    double value, limit;
    bool is_minimum;
};
/* The run fails where one does not hold. */
void bound(struct sim *sim, const char *what, double value, double limit);
void bound_below(struct sim *sim, const char *what, double value, double at_least);
/* A figure beside those of the phases. */
void figure(struct sim *sim, const char *what, double value);

/* --- report.c ------------------------------------------------------------------------------ */

/* False when a bound does not hold. */
bool report(struct sim *sim, FILE *out);

/* --- sybil.c ------------------------------------------------------------------------------- */

void sybils_make(struct sim *sim);
void sybils_begin(struct sim *sim);
void sybils_clear(struct sim *sim);
/* In the place of a core's. */
size_t sybil_step(struct sim *sim, uint32_t node, const struct parley_event *event);

/* --- scenarios.c --------------------------------------------------------------------------- */

struct scenario {
    const char *name, *words;
    struct scale_config config;
    void (*run)(struct sim *sim);
    bool compares; /* with flooding, which runs first */
};
/* Boots everybody, and lets a tree grow. */
void settle(struct sim *sim);
void run_halves(struct sim *sim);
void run_surge(struct sim *sim);
void run_sybil(struct sim *sim);
extern const struct scenario scenarios[];
const struct scenario *scenario_find(const char *name);

/* --- the world ----------------------------------------------------------------------------- */

struct sim {
    struct scale_config config;
    const char *scenario;
    struct parley_random random;
    parley_time_ms now;
    struct sim_queue queue;
    struct scale_node *nodes;
    uint32_t *logs_index; /* person by log */
    size_t logs_index_size;
    uint32_t *edges; /* whom somebody follows, once for each: a chance by popularity */
    size_t edges_count, edges_max;
    struct scale_wire *wires;
    uint64_t wires_count;
    struct scale_post *posts;
    size_t posts_count, posts_max;
    bool is_churning;
    uint64_t departures;
    struct scale_traffic traffic;
    struct scale_phase phases[PHASES_MAX];
    unsigned phases_count;
    struct scale_bound bounds[BOUNDS_MAX], figures[BOUNDS_MAX];
    unsigned bounds_count, figures_count;
    uint64_t steps, warnings, closed_for_fault;
    void (*judge)(struct sim *sim); /* the scenario's bounds, once all is counted */
    uint32_t flooding_p99_ms[PHASES_MAX];
    struct scale_missing missing;
    double idle_bytes;
    struct scale_sybil *sybils;
    uint64_t sybils_sent, sybils_received, sybils_closed;
    uint64_t sybils_told;     /* of what they received all but entries, */
    uint64_t sybils_answered; /* and of that what was said on asking */
    uint64_t missing_bytes, crossed_bytes, crossed_payload; /* halves */
    parley_time_ms equal_ms;
    uint32_t delays_below; /* of nodes with such numbers; 0: of all */
    size_t idle_peers, idle_before;
    struct timespec wall_began;
    size_t memory_allocated, memory_touched_mean, memory_touched_max;
    size_t memory_of_persons_mean; /* touched; relays carry what all of them wrote */
    uint8_t *scratch;              /* PARLEY_MESSAGE_BYTES_MAX and a chunk's head */
};

/* False when a bound does not hold. */
bool world_run(const struct scenario *scenario, const struct scale_config *config, FILE *out);
void sim_put(struct sim *sim, parley_time_ms delay, uint32_t node, sim_run *run, void *data,
             uint64_t number);
void run_for(struct sim *sim, parley_time_ms duration);
/* Everybody boots within so long. */
void boot_all(struct sim *sim, parley_time_ms within);
void memory_measure(struct sim *sim);
uint64_t chance_below(struct sim *sim, uint64_t bound);
double chance_unit(struct sim *sim);
/* exp of a normal number: the median is 1. */
double chance_log_normal(struct sim *sim, double sigma);
/* At least `least`, with a tail of that exponent. */
double chance_pareto(struct sim *sim, double least, double alpha);
void *must(void *memory); /* or the end */
/* The run's, for what the linker put in the place of the core's calls. */
extern struct sim *sim_current;

/* --- sealed.c ------------------------------------------------------------------------------ */

void sealed_begin(void); /* before a step */
/* What was sealed into these bytes; false: a flight of a handshake. */
bool sealed_find(const uint8_t *bytes, struct scale_load *load);

#endif
