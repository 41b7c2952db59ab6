/* Every bound that the protocol fixes, with its reason. What one node decides for itself (tables,
 * queues, timers) stands in node_limits.h; nothing there decides whether bytes are valid.
 */
#ifndef PARLEY_LIMITS_H
#define PARLEY_LIMITS_H

#include <assert.h>
#include <stdint.h>

/* SPEC 1.10: what is not understood is passed over this many arrays or maps deep. */
#define PARLEY_SKIP_DEPTH_MAX 8u

/* SPEC 5: limits that decide validity are constants for ever. */
#define PARLEY_HEADER_BYTES_MAX 512u   /* a full header with ext needs 240; room for versions */
#define PARLEY_BODY_BYTES_MAX   65536u /* a long article; media goes elsewhere */
#define PARLEY_EXT_BYTES_MAX    64u    /* a hash and a few words */
#define PARLEY_SEQ_MAX          ((UINT64_C(1) << 48) - 1) /* six bytes in a post's address */
#define PARLEY_TIME_MAX         ((UINT64_C(1) << 53) - 1) /* exact in every language's number */
#define PARLEY_VERSION_MAX      127u                      /* one byte */
#define PARLEY_ENTRY_VERSION    1u
#define PARLEY_RECORD_VERSION   1u

/* SPEC 5: bounds of what is shown. A body beyond them is carried and not shown. */
#define PARLEY_NAME_BYTES_MAX     256u  /* a long name in any script */
#define PARLEY_ABOUT_BYTES_MAX    8192u /* a page */
#define PARLEY_MENTIONS_MAX       64u   /* a thread of many; each costs its reader a look-up */
#define PARLEY_TAGS_MAX           32u   /* each is a line in an index */
#define PARLEY_TAG_BYTES_MAX      64u   /* a word or two in any script */
#define PARLEY_LANGUAGE_BYTES_MAX 35u   /* RFC 5646, 4.4.1 */
#define PARLEY_WARNING_BYTES_MAX  256u  /* one line */
#define PARLEY_ERASE_REFS_MAX     64u   /* more are said in several entries */
#define PARLEY_BODY_DEPTH_MAX     8u    /* of unknown keys that are skipped */

/* SPEC 4: identity. */
#define PARLEY_GENERATIONS_COUNT  64u    /* a rotation a year for a lifetime */
#define PARLEY_SET_RECORDS_MAX    1024u  /* certificates and closings of one generation */
#define PARLEY_ROTATION_ITEMS_MAX 512u   /* logs that one rotation lists */
#define PARLEY_RECORD_BYTES_MAX   65536u /* 512 items of 80 bytes and 64 roots of 34 fit */

/* SPEC 6: runs. */
#define PARLEY_CHUNK_BYTES_MAX    65536u /* a chunk of several entries */
#define PARLEY_CHUNK_OVERHEAD_MAX 512u   /* chunk and item around one entry of full size */
#define PARLEY_CHUNK_LARGEST      (PARLEY_BODY_BYTES_MAX + PARLEY_CHUNK_OVERHEAD_MAX)
#define PARLEY_CHUNK_ENTRIES_MAX  1024u /* 64 bytes of signature each bound it anyway */
#define PARLEY_RANGES_MAX         8u    /* holes come from interrupted catching up: few */
#define PARLEY_EVIDENCE_REACH     1024u /* a fork shows only this near below an own signature */

/* SPEC 8: between two nodes. */
#define PARLEY_MESSAGE_BYTES_MAX 67584u /* the largest chunk, and 1.5 KiB for what is around it */
#define PARLEY_PRELUDE_BYTES_MAX 64u
#ifndef PARLEY_FRAME_BYTES_MAX        /* a fuzz target's are small: sealing is most of its time */
#define PARLEY_FRAME_BYTES_MAX 65519u /* Noise allows 65,535 with the tag of 16 */
#define PARLEY_REKEY_EVERY     1024u
#endif

/* SPEC 9: elements of one message's list; what does not fit comes in another message. Each list of
 * full length fits a message, but for heads, bodies and records, which the message's size bounds
 * as well. */
#define PARLEY_WIRE_AUTHORS_MAX   1024u /* 34 bytes each */
#define PARLEY_WIRE_HEADS_MAX     512u  /* of one author in one element; 96 bytes each */
#define PARLEY_WIRE_PLACES_MAX    512u  /* 78 bytes each */
#define PARLEY_WIRE_RECORDS_MAX   512u  /* a certificate has about 210 bytes */
#define PARLEY_WIRE_ADDRESSES_MAX 16u   /* records of some neighbours */
#define PARLEY_WIRE_PADDING_MAX   2048u /* for an answer of 16 usual records */
#define PARLEY_PLACE_TEXT_MAX     280u  /* TRANSPORT/[HOST]:PORT at its longest */
#define PARLEY_ADDRESS_RECORD_MAX 1024u /* some places, a time, a signature */
#define PARLEY_PLACES_MAX         8u    /* in one record: listeners of one machine */
#define PARLEY_GOSSIP_BUCKETS     64u   /* a bit each in one word; enough that trees spread load */
#define PARLEY_WIRE_LOGS_MAX      512u  /* 34 bytes each; the answers take several messages */
#define PARLEY_WIRE_RANGES_MAX    64u   /* each may be answered by eight: what a step can do */
#define PARLEY_WIRE_RUNS_MAX      128u  /* small ones, of as many logs */

/* SPEC 11: reconciliation. */
#define PARLEY_RECONCILE_SPLIT_BITS 3u   /* of the key space at once: 128 bytes in one range */
#define PARLEY_RECONCILE_DEPTH_BITS 60u  /* beyond, nobody splits */
#define PARLEY_RECONCILE_LIST_MAX   128u /* items of one range: an index takes one byte */

static_assert(PARLEY_CHUNK_LARGEST + 64 <= PARLEY_MESSAGE_BYTES_MAX, "a chunk fits a message");
static_assert(PARLEY_RECORD_BYTES_MAX + 64 <= PARLEY_MESSAGE_BYTES_MAX, "a record fits a message");
static_assert(PARLEY_WIRE_AUTHORS_MAX * 34 + 64 <= PARLEY_MESSAGE_BYTES_MAX, "a list fits");
static_assert(PARLEY_WIRE_HEADS_MAX * 96 + 64 <= PARLEY_MESSAGE_BYTES_MAX, "a list fits");
static_assert(PARLEY_WIRE_PLACES_MAX * 78 + 64 <= PARLEY_MESSAGE_BYTES_MAX, "a list fits");
static_assert(PARLEY_WIRE_LOGS_MAX * 34 + 64 <= PARLEY_MESSAGE_BYTES_MAX, "a list fits");
static_assert(PARLEY_WIRE_RANGES_MAX * (PARLEY_RECONCILE_LIST_MAX * 16 + 32) + 64 >
                  PARLEY_MESSAGE_BYTES_MAX,
              "ranges of full length do not fit: whoever writes them counts bytes as well");
static_assert(PARLEY_WIRE_ADDRESSES_MAX * (PARLEY_ADDRESS_RECORD_MAX + 3) +
                      PARLEY_WIRE_PADDING_MAX + 64 <=
                  PARLEY_MESSAGE_BYTES_MAX,
              "a list fits");

#endif
