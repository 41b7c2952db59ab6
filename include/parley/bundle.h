/* Bundles: identity records and runs in a file, verifiable with no node. SPEC 7.
 *
 *   "parley1\n"  section*  trailer
 *
 * A section is one identity record or one chunk; of each author the records come first, then the
 * chunks, log by log, ascending. The trailer's count and hash show a cut.
 *
 * The writer makes one section at a time into a buffer; the reader takes bytes as they come, or a
 * whole mapped file at once, and keeps nothing of them; the judge walks the sections and says of
 * each whether it holds and of the first that does not where it fails. Offsets count from the
 * start of the file.
 */
#ifndef PARLEY_BUNDLE_H
#define PARLEY_BUNDLE_H

#include <parley/codec.h>
#include <parley/identity.h>
#include <parley/log.h>

#define PARLEY_BUNDLE_START      "parley1\n"
#define PARLEY_BUNDLE_START_SIZE 8u
/* The largest section: a reader that is given this much makes progress. */
#define PARLEY_BUNDLE_SECTION_MAX (PARLEY_CHUNK_LARGEST + 64u)

/* Writing. Each call makes the next bytes of the file in data (PARLEY_BUNDLE_SECTION_MAX suffices
 * for any) and answers them in out. Error: NO_SPACE; the writer is then unchanged. */
struct parley_bundle_writer {
    struct parley_hasher hasher;
    uint64_t bytes_count; /* made so far */
    uint64_t entries_count;
};
void parley_bundle_write_start(struct parley_bundle_writer *writer, struct parley_span *out,
                               uint8_t data[PARLEY_BUNDLE_START_SIZE]);
PARLEY_USE_RESULT enum parley_error parley_bundle_write_record(struct parley_bundle_writer *writer,
                                                               struct parley_span *out,
                                                               uint8_t *data, size_t size_max,
                                                               struct parley_span record);
/* Of each author the logs ascend by name, the chunks of one by seq. The top of a run's last chunk
 * must bear a good own signature, or be the very entry that a closing or listing names; those of
 * the chunks below need not. Of a closed or listed log the run must reach that entry. SPEC 7.3,
 * 7.4. */
PARLEY_USE_RESULT enum parley_error parley_bundle_write_chunk(struct parley_bundle_writer *writer,
                                                              struct parley_span *out,
                                                              uint8_t *data, size_t size_max,
                                                              const struct parley_chunk *chunk);
PARLEY_USE_RESULT enum parley_error
parley_bundle_write_trailer(const struct parley_bundle_writer *writer, struct parley_span *out,
                            uint8_t *data, size_t size_max);

/* Reading: form, sizes and the trailer's hash, not what the sections say. */

enum parley_bundle_section_kind {
    PARLEY_SECTION_TRAILER = 0,
    PARLEY_SECTION_RECORD = 1,
    PARLEY_SECTION_CHUNK = 2,
    PARLEY_SECTION_NONE, /* more bytes are needed */
    PARLEY_SECTION_END,  /* the trailer was the last thing, and nothing follows */
};

struct parley_bundle_section {
    enum parley_bundle_section_kind kind;
    uint64_t offset;            /* of the section */
    struct parley_span payload; /* the record or chunk, inside the bytes given */
    uint64_t payload_offset;
    uint64_t entries_count; /* of a trailer: what it claims */
};

struct parley_bundle_reader {
    struct parley_hasher hasher;
    uint64_t offset; /* consumed so far */
    bool has_started, has_ended;
};
void parley_bundle_reader_init(struct parley_bundle_reader *reader);
/* The next section of bytes, which begin at reader->offset. Answers in *consumed how many of them
 * are done with: give the rest again, with more behind it. is_last: nothing comes after these.
 * Faults carry the offset in the file: those of the codec, TOO_LARGE, TRUNCATED (is_last and no
 * trailer), BAD_KIND, BAD_TRAILER (the hash), TRAILING. */
PARLEY_USE_RESULT struct parley_fault parley_bundle_read(struct parley_bundle_reader *reader,
                                                         struct parley_bundle_section *section,
                                                         size_t *consumed, struct parley_span bytes,
                                                         bool is_last);

/* Judging. */

enum parley_bundle_finding_kind {
    PARLEY_FINDING_MORE,   /* give more bytes */
    PARLEY_FINDING_RECORD, /* an identity record whose signatures hold */
    /* A record of a version or kind that is not known here: nothing of it was judged. */
    PARLEY_FINDING_PASSED,
    /* A chunk that holds if the run that it is of does (vouched_seq tells how far that is so), see
       parley_bundle_entries_start. */
    PARLEY_FINDING_CHUNK,
    PARLEY_FINDING_END,     /* the trailer holds: the bundle is whole and good */
    PARLEY_FINDING_REFUSED, /* here it fails; the judge stays here */
};

/* Spans are borrowed from the bytes given. */
struct parley_bundle_finding {
    enum parley_bundle_finding_kind kind;
    uint64_t offset;             /* of the record or chunk itself; of what is wrong when refused */
    struct parley_author author; /* RECORD, CHUNK */
    struct parley_record record; /* RECORD */
    struct parley_span bytes;    /* RECORD, CHUNK, PASSED */
    /* CHUNK */
    struct parley_chunk chunk;
    struct parley_device_key device;
    struct parley_policy policy; /* with seq > 0 the log is ended or listed there: what stands at or
                                    below is vouched for by the entry at that seq, further up */
    struct parley_id top_id;
    bool continues;      /* the run of the chunk before; else it begins one */
    bool top_is_signed;  /* its own signature is good */
    bool top_is_vouched; /* that, or it is the very entry that policy names; else the next chunk has
                            to be built on it */
    /* The newest entry of the run so far that is vouched for, by itself or by the one that policy
     * names: up to it the run is good, whatever follows in the file. 0: none is yet. */
    parley_seq vouched_seq;
    /* REFUSED */
    enum parley_error error;
    const char *field; /* NULL or what of it, a literal */
    bool has_entry;    /* the damage is in entry seq of log, else outside any entry */
    struct parley_log log;
    parley_seq seq;
};

struct parley_bundle_damage {
    parley_seq seq;
    uint64_t offset; /* of where that entry begins in the file */
};

/* About 160 KiB: static or allocated, not on a stack. */
struct parley_bundle_judge {
    struct parley_bundle_reader reader;
    /* the author at hand */
    struct parley_identity set;
    struct parley_identity_fact facts[PARLEY_SET_RECORDS_MAX];
    struct parley_listing listings[PARLEY_ROTATION_ITEMS_MAX];
    bool has_author, has_chunks;
    /* the run at hand; log and seq_last also of the one before, with has_chunks */
    bool has_run;
    bool is_hanging;                    /* nothing vouches for its newest entries yet */
    struct parley_bundle_damage damage; /* of it, should nothing ever do so */
    parley_seq vouched_seq;             /* as in findings */
    struct parley_log log;
    struct parley_device_key device;
    struct parley_policy policy;
    parley_seq seq_last;
    struct parley_id id_last;
    uint64_t run_offset; /* of its last chunk */
    /* so far */
    uint64_t entries_count;
    uint64_t records_count;
    uint64_t authors_count;
    bool is_refused;
    struct parley_bundle_finding refusal;
};
void parley_bundle_judge_init(struct parley_bundle_judge *judge);
/* Takes one section of bytes, as parley_bundle_read does. Cost: one signature check a chunk and
 * one or two a record; the entries of a chunk one by one only when nothing vouches for its top, to
 * name the first that is damaged. The damage named in a run is right behind its last entry that is
 * named or whose own signature holds: all before it is good, nothing from it on is. */
void parley_bundle_judge_next(struct parley_bundle_judge *judge,
                              struct parley_bundle_finding *finding, size_t *consumed,
                              struct parley_span bytes, bool is_last);

/* The entries of a chunk that was found good, each with its own signature checked. */
struct parley_bundle_entries {
    struct parley_chunk_cursor cursor;
    struct parley_device_key device;
    uint64_t offset; /* of the first entry in the file */
};
struct parley_bundle_entry {
    struct parley_entry entry;
    uint64_t offset; /* of the entry in the file */
    bool is_signed;  /* else chained: its own signature fails, a later entry commits to it */
};
void parley_bundle_entries_start(struct parley_bundle_entries *entries,
                                 const struct parley_bundle_finding *finding);
/* False at the end. 100 us each. */
bool parley_bundle_entries_next(struct parley_bundle_entries *entries,
                                struct parley_bundle_entry *out);

#endif
