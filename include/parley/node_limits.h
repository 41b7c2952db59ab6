/* What one node decides for itself: every table, queue, buffer and timer of the core, with its
 * reason. Nothing here decides whether bytes are valid (limits.h does).
 */
#ifndef PARLEY_NODE_LIMITS_H
#define PARLEY_NODE_LIMITS_H

#include <parley/limits.h>

/* Tables. Memory is taken at create but touched only when used. */
#define PARLEY_PEERS_DEFAULT          256u    /* neighbours; below the descriptors */
#define PARLEY_LOGS_DEFAULT           100000u /* a large relay today; 0.4 KiB each */
#define PARLEY_AUTHORS_DEFAULT        65536u
#define PARLEY_OWNERS_SHARE           8u     /* one part of so many is for whom the owner follows */
#define PARLEY_NAMED_SHARE            4u     /* at most one row of so many is of a name alone */
#define PARLEY_NAMED_PER_PEER         1024u  /* a message of heads; asked for 64 at a time */
#define PARLEY_BOOK_ADDRESSES_MAX     256u   /* addresses the owner gave; never pushed out */
#define PARLEY_FACTS_BYTES_PER_AUTHOR 512u   /* one device: one class of 128 bytes; four devices */
#define PARLEY_EDGES_MAX              65536u /* who follows whom within the hops: 72 bytes each */
#define PARLEY_EDGES_PER_AUTHOR       4096u /* so that nobody has them all; more than people follow */
#define PARLEY_INTEREST_AUTHORS_MAX   8192u /* that one peer may name: 64 KiB of it */

/* Addresses that peers told: 1,024 nodes, 350 KB. A quarter of the places is for those who were
 * reached. Addrman's figures, with a sixteenth of its places: one group that tells reaches a sixth
 * of the new buckets, all that one group holds a quarter of the tried ones. */
#define PARLEY_BOOK_BUCKET_SIZE      16u
#define PARLEY_BOOK_NEW_BUCKETS      48u
#define PARLEY_BOOK_TRIED_BUCKETS    16u
#define PARLEY_BOOK_ITEMS_MAX        1024u
#define PARLEY_BOOK_SOURCE_BUCKETS   8u
#define PARLEY_BOOK_GROUP_BUCKETS    4u
#define PARLEY_BOOK_OTHER_GROUPS     16u  /* where addresses cost nothing, as an onion's */
#define PARLEY_BOOK_TESTS_MAX        8u   /* places of tried ones that others want */
#define PARLEY_BOOK_FEW              32u  /* reached: a young book looks at what it hears at once */
#define PARLEY_BOOK_FAILURES_MAX     3u   /* then another may have the place of a new one */
#define PARLEY_BOOK_RECORD_BYTES_MAX 256u /* one IPv4, one IPv6 and a name; an onion or two */

/* Whom to be linked with. */
#define PARLEY_OUTBOUND_RELAY    8u /* links of its own: as Bitcoin's nodes have */
#define PARLEY_OUTBOUND_PERSON   4u /* two of four may lie before reading suffers */
#define PARLEY_DIALS_MAX         3u /* at a time, of those that were learned */
#define PARLEY_ANCHOR_DIALS      8u /* at the start, for half of the links: every second may be away */
#define PARLEY_LINKED_MIN_S      30u   /* a link that lasted so long is remembered */
#define PARLEY_BOOTSTRAP_MAX     64u   /* a list of well-known relays */
#define PARLEY_ADVERTISED_MAX    8u    /* what the owner may say of where this node is reached */
#define PARLEY_LOBBY_MAX         4u    /* who comes in only to be told of others */
#define PARLEY_LEARNED_PORT_MIN  1024u /* below are services that are not ours to knock at */
#define PARLEY_SHUFFLE_RECORDS   8u    /* in one message */
#define PARLEY_SHUFFLE_BYTES     640u  /* of a question at least: eight usual records in answer */
#define PARLEY_GIVEN_RECORDS     3u    /* unasked: twice the bytes of a handshake */
#define PARLEY_RECORDS_BURST     24u   /* of one peer: three messages */
#define PARLEY_RECORD_CHECKS_MAX 32u   /* signatures of records in flight: 8 KB */
#define PARLEY_BOOK_KEEP_ROWS    64u   /* written in one go: 20 KB */

/* Who is kept out. A fault is enough for a key; four are, from whoever, for a place. */
#define PARLEY_BANS_MAX          256u /* 12 KB; what is forgotten first gives way */
#define PARLEY_BAN_FAULT_POINTS  2u
#define PARLEY_BAN_KEY_POINTS    2u
#define PARLEY_BAN_PLACE_POINTS  8u
#define PARLEY_BAN_DOUBLINGS_MAX 10u /* of a minute: seventeen hours */

/* The owner's lists. Whoever shows compares each post with every word. */
#define PARLEY_LIST_ITEMS_MAX 1024u /* words and posts; 136 bytes each */
#define PARLEY_WORD_BYTES_MAX 128u  /* folded; the longest words of any language, or a phrase */

/* The quota. Above the high mark pruning begins, below the low one it ends: each stroke gives back
 * a sixteenth, and the last sixteenth is for what is dropped and not compacted yet. Strangers have
 * all but PARLEY_OWNERS_SHARE of each mark, of the table and of the asks in flight. */
#define PARLEY_QUOTA_PARTS       16u
#define PARLEY_QUOTA_HIGH        15u
#define PARLEY_QUOTA_LOW         14u
#define PARLEY_QUOTA_VICTIMS_MAX 256u   /* chosen in one walk over a table */
#define PARLEY_EVICTED_MAX       65536u /* strangers remembered who went: 1 MB, with a quota only */

/* Work in flight. */
#define PARLEY_JOBS_MAX             128u  /* messages that wait for a signature check: 8.7 MB */
#define PARLEY_JOBS_PER_PEER        8u    /* so that sixteen peers can work at once */
#define PARLEY_SERVES_MAX           4096u /* asks that we answer */
#define PARLEY_SERVES_PER_PEER      128u  /* more than we ask of one peer ourselves */
#define PARLEY_READS_MAX            16u   /* of the disk at once; each up to 64 KiB */
#define PARLEY_FETCHES_MAX          128u  /* asks of ours, in all */
#define PARLEY_FETCHES_PER_PEER     28u   /* of 64 KiB each: 2 MiB on the way */
#define PARLEY_FETCHES_OF_STRANGER  8u    /* before it gave anything: 512 KiB */
#define PARLEY_FETCHES_OF_DOUBTED   64u   /* of all whose word is not proved */
#define PARLEY_VAIN_OF_STRANGERS    1u    /* gone with the first that it gives */
#define PARLEY_VAIN_MAX             16u   /* as many good ones bring it back */
#define PARLEY_BODIES_ASKS_MAX      16u /* asks for bodies alone, in all; 64 KiB of headers each */
#define PARLEY_BODIES_ASKS_PER_PEER 4u  /* of up to 1 MiB each */
#define PARLEY_IDENTITIES_PER_ASK   30u /* authors in one message: half of a peer's budget */
#define PARLEY_IDENTITIES_PER_PEER  60u /* authors asked for and not answered */
#define PARLEY_STORES_MAX           4096u       /* operations between STORE and STORED */
#define PARLEY_STORE_BYTES_MAX      (16u << 20) /* bytes of them: a second of a slow disk */
#define PARLEY_STAGE_BYTES_MAX      (8u << 20)  /* live entries kept until they are durable */

/* Reconciliation. A set takes 40 bytes for a log and as many for an author, touched when used. */
#define PARLEY_SESSIONS_OURS     2u     /* that we open, at a time */
#define PARLEY_SESSIONS_MAX      4u     /* with those that we answer: neither waits for the other */
#define PARLEY_SESSION_TURNS_MAX 24u    /* of ours: the deepest split, a list and what follows */
#define PARLEY_SESSION_BYTES_MIN 65536u /* that we say in one, and 16 for each item: four lists */
#define PARLEY_SESSION_TURNS     16u    /* regular asks, and then a session, whatever was pushed */
#define PARLEY_SESSION_DOUBLINGS 5u     /* of the pause while the same is found: 16 minutes */
#define PARLEY_SAID_MAX          65536u /* things told that are not told again: half a MiB */
#define PARLEY_TELLS_PER_MESSAGE 128u   /* of 127 bytes: several messages to a window */
#define PARLEY_SMALL_BATCH_BYTES 32768u /* small asks, or small runs, of one message */

/* What replies answer, of authors who are not carried. */
#define PARLEY_PARENTS_MAX      32u /* asked for at a time */
#define PARLEY_PARENTS_PER_PEER 4u  /* with the asks above SPEC 9.2.7: 32 runs, 64 authors */
#define PARLEY_PARENTS_WAITING_MAX                                                                 \
    256u                             /* for their turn: what two or three chunks of replies name */
#define PARLEY_PARENTS_DEPTH_MAX 16u /* up a thread from the reply that was brought */
#define PARLEY_PARENTS_TRIED_MAX 1024u /* entries not asked for again */
#define PARLEY_PARENTS_KEPT_MAX  4096u /* since the start: 16 MiB of the longest usual posts */

/* The broadcast tree. What does not fit is found by catching up. */
#define PARLEY_TREE_ENTRIES_MAX    1024u /* remembered: seconds of a busy relay; 0.1 MB */
#define PARLEY_TREE_WAITS_PER_PEER 64u   /* announced and not here; 16 liars have them all */
#define PARLEY_ANNOUNCED_MAX       64u   /* logs in one message: 5 KiB, to every peer in one step */

/* One step. */
#define PARLEY_EFFECTS_MAX   8192u
#define PARLEY_OUT_BYTES_MAX (4u << 20) /* sealed bytes of one step */

/* Sending. */
#define PARLEY_WINDOW_BYTES      (512u << 10) /* unsent bytes above which answers wait */
#define PARLEY_PUSH_WINDOW_BYTES (1u << 20)   /* above which pushes are left to catching up */
#define PARLEY_UNSENT_BYTES_MAX  (2u << 20)   /* above which a peer that asks on is closed */
#define PARLEY_UNSENT_ALL_BYTES_MAX                                                                \
    (64u << 20)                          /* of all peers: from half of it on windows are a         \
                                          */
#define PARLEY_WINDOW_SHARE   16u        /* part of so many, above it who asks on is closed */
#define PARLEY_PUSH_BYTES_MAX 8192u      /* larger entries are announced, and asked for */
#define PARLEY_RUN_ASK_BYTES  (1u << 20) /* asked for at once, of one log */

/* What a peer may cause: in a second, and at once. Above it is not read for a while. What was of
 * use costs nothing, so these are for what is said in vain. */
#define PARLEY_PEER_BYTES_RATE   (2u << 20) /* duplicates of all that comes in a busy second */
#define PARLEY_PEER_BYTES_BURST  (8u << 20)
#define PARLEY_PEER_ASKS_RATE    4096u  /* half of what one core answers from memory */
#define PARLEY_PEER_ASKS_BURST   16384u /* a session over as many logs, and what follows */
#define PARLEY_ASKS_FOR_HELD     4u     /* more at once, for each author and log that is held */
#define PARLEY_PEER_CHECKS_RATE  4096u  /* of some 10,000 that a core does */
#define PARLEY_PEER_CHECKS_BURST 8192u
/* All strangers together; each has at least that, divided by the places. */
#define PARLEY_STRANGERS_BYTES_RATE  (8u << 20)
#define PARLEY_STRANGERS_ASKS_RATE   8192u /* a fifth of a core */
#define PARLEY_STRANGERS_CHECKS_RATE 4096u
#define PARLEY_HANDSHAKES_RATE       1024u /* flights: two each, a seventh of a core */
#define PARLEY_ASKS_PER_STEP         64u   /* of one peer: then the others have a turn */
#define PARLEY_RESUMES_PER_STEP      16u   /* of peers that wait */
#define PARLEY_PEERS_FEW             64u   /* above, all are looked at once in a millisecond */
#define PARLEY_RESUME_EVERY_MS       20u   /* what waits for a bucket is looked at */
/* What is told again, and to strangers even at first, is paid for in bytes, or with time. */
#define PARLEY_TELLING_FOR_EACH 2u   /* byte of his; of a stranger one */
#define PARLEY_TELLING_RATE     128u /* bytes a second: twenty logs in half a minute */
#define PARLEY_TELLING_BURST    (64u << 10)
#define PARLEY_TELLING_START    4096u /* of who comes in: what thirty authors have */
#define PARLEY_TELLING_SECONDS  3600u /* and all that is held, once in so long */
#define PARLEY_HEAD_BYTES       128u  /* of an author with one log, in heads */

/* Time, in ms. */
#define PARLEY_HANDSHAKE_MS        10000u /* a slow link, twice over */
#define PARLEY_HANDSHAKE_JITTER_MS 5000u  /* so that the moment of closing tells nothing */
#define PARLEY_PING_AFTER_MS       30000u /* keeps address translators open */
#define PARLEY_IDLE_MS             90000u /* three pings unanswered, or a frame that does not end */
#define PARLEY_STUCK_MS            120000u /* nothing was taken of what waits to be sent */
#define PARLEY_FETCH_MS            20000u  /* an ask without any chunk */
#define PARLEY_IDENTITY_LONGEST_S  40u     /* one identity, while others of that peer come */
#define PARLEY_FETCH_DOUBTED_MS    5000u   /* of one whose word is not proved */
#define PARLEY_HEADS_EVERY_MS      30000u  /* catching up runs regardless of what was pushed */
#define PARLEY_ANNOUNCE_AFTER_MS   50u  /* gathers what comes at a time, and lets pushes go ahead */
#define PARLEY_GRAFT_AFTER_MS      500u /* longer than any way along the tree but a broken one */
#define PARLEY_PUSH_LATE_MS        100u /* a slow link is worse than this, most detours are not */
#define PARLEY_GRAFT_AGAIN_MS      2000u   /* a slow link there and back, with an entry */
#define PARLEY_SESSION_IDLE_MS     30000u  /* a turn that does not come */
#define PARLEY_SESSION_PATIENCE_MS 2000u   /* with a turn, when another peer waits for the place */
#define PARLEY_SESSION_LONGEST_MS  120000u /* of one session, whatever comes */
#define PARLEY_SESSION_EVERY_MS    10000u  /* of one link, opened or answered */
#define PARLEY_SESSION_AGAIN_MS    1000u   /* answered, when the one before found something */
#define PARLEY_SAID_AGAIN_MS       600000u /* of what both have in another form */
#define PARLEY_MISSING_AGAIN_MS    480000u /* what a peer had nothing of: first sooner */
#define PARLEY_DIAL_BACKOFF_MIN_MS 500u
#define PARLEY_DIAL_BACKOFF_MAX_MS 60000u /* a relay that comes back is found in a minute */
#define PARLEY_LINK_LASTED_MS      30000u /* open for so long, and the pause begins small again */
#define PARLEY_LOG_BACKOFF_MIN_MS  1000u
#define PARLEY_LOG_BACKOFF_MAX_MS  60000u

/* Whom to be linked with, in ms. */
#define PARLEY_DIAL_PACE_MS         500u    /* between dials of those that were learned */
#define PARLEY_VIEWS_LOOK_MS        20000u  /* without anybody to dial: look again */
#define PARLEY_FEELER_EVERY_MS      120000u /* Bitcoin's */
#define PARLEY_FEELER_SOON_MS       2000u   /* while few were reached */
#define PARLEY_KNOWN_BACKOFF_MIN_MS 60000u
#define PARLEY_KNOWN_BACKOFF_MAX_MS 21600000u /* a quarter of a day */
#define PARLEY_TURNED_AWAY_MS       600000u   /* a full node has a place again */
#define PARLEY_SHUFFLE_PAUSE_MS     10000u    /* SPEC 9.11.2: between two on one link */
#define PARLEY_SHUFFLE_SHORT_MS     20000u    /* while links are missing */
#define PARLEY_SHUFFLE_EVERY_MS     120000u   /* a few records in two minutes: 10 bytes a second */
#define PARLEY_RECORD_EVERY_MS      5000u     /* one more record of a peer is looked at */
#define PARLEY_BOOK_KEEP_MS         30000u    /* between two writings of the table */
#define PARLEY_OWN_RECORD_MS        UINT64_C(43200000)   /* signed anew twice a day */
#define PARLEY_RECORD_AGE_MAX_MS    UINT64_C(2592000000) /* SPEC 9.11.1 */
#define PARLEY_RECORD_AHEAD_MS      UINT64_C(86400000)
#define PARLEY_BAN_MIN_MS           UINT64_C(60000)
#define PARLEY_BAN_POINT_MS         UINT64_C(600000)   /* a point is forgiven */
#define PARLEY_BAN_FORGIVEN_MS      UINT64_C(21600000) /* a doubling is: a quarter of a day */
/* Whom the owner sent away is not dialled for a day. */
#define PARLEY_SHUNNED_MS UINT64_C(86400000)

/* Bodies that nobody has are asked for ever more rarely: most of them were erased elsewhere. */
#define PARLEY_BODIES_BACKOFF_MAX_MS 3600000u
/* Erased bytes go so long after the erasure came: the owner of a stolen device has a week to close
 * its log. They are looked for eight times in that time, within these bounds. */
#define PARLEY_ERASE_AFTER_MS    UINT64_C(604800000)
#define PARLEY_ERASE_LOOK_MIN_MS 1000u
#define PARLEY_ERASE_LOOK_MAX_MS 3600000u

static_assert(PARLEY_BOOK_ITEMS_MAX ==
                  (PARLEY_BOOK_NEW_BUCKETS + PARLEY_BOOK_TRIED_BUCKETS) * PARLEY_BOOK_BUCKET_SIZE,
              "an item for each place");
static_assert(PARLEY_SHUFFLE_RECORDS <= PARLEY_WIRE_ADDRESSES_MAX &&
                  PARLEY_SHUFFLE_BYTES <= PARLEY_WIRE_PADDING_MAX,
              "SPEC 9.11");
static_assert(PARLEY_PUSH_BYTES_MAX < PARLEY_OUT_BYTES_MAX / PARLEY_PEERS_DEFAULT,
              "one post for every peer fits a step");

static_assert(PARLEY_ANNOUNCED_MAX * 80 < PARLEY_OUT_BYTES_MAX / PARLEY_PEERS_DEFAULT / 2,
              "and beside it a message of announcements");
static_assert(PARLEY_ANNOUNCED_MAX <= PARLEY_WIRE_PLACES_MAX, "they fit a message");

static_assert(PARLEY_FETCHES_PER_PEER + PARLEY_PARENTS_PER_PEER <= 32 &&
                  PARLEY_IDENTITIES_PER_PEER + PARLEY_PARENTS_PER_PEER <= 64,
              "SPEC 9.2.7");
static_assert(PARLEY_IDENTITIES_PER_PEER + PARLEY_FETCHES_PER_PEER + PARLEY_BODIES_ASKS_PER_PEER +
                      2 * PARLEY_PARENTS_PER_PEER <=
                  PARLEY_SERVES_PER_PEER,
              "a peer like us stays within its budget");

#endif
