/* A log of signed entries for tests of the store, the same in every run. */
#ifndef PARLEY_TEST_STORE_FIXTURE_H
#define PARLEY_TEST_STORE_FIXTURE_H

#include <parley/identity.h>
#include <parley/store.h>

#define FIXTURE_ENTRIES_MAX 512u
#define FIXTURE_BODY_MAX    320u

struct fixture_log {
    unsigned number;
    struct parley_author author;
    struct parley_device_key device;
    struct parley_log log;
    size_t count;
    struct parley_entry entries[FIXTURE_ENTRIES_MAX]; /* entries[i] has seq i + 1 */
    uint8_t bodies[FIXTURE_ENTRIES_MAX][FIXTURE_BODY_MAX];
};

/* Entries of `count` posts; number tells logs and authors apart (the author is number / 8). Times
 * claimed go up by 1000 from time_first. */
struct fixture_log *fixture_log_make(unsigned number, size_t count, parley_time_ms time_first);
/* number / 8 of that author's logs. */
unsigned fixture_author_number(const struct parley_author *author);
/* A log with the same entries below seq, and others from there on. */
struct fixture_log *fixture_log_fork(const struct fixture_log *log, parley_seq seq);

/* The inception of the log's author and the certificate of its device, as two operations whose
 * bytes live in `records`. */
struct fixture_records {
    uint8_t bytes[2][PARLEY_STATEMENT_BYTES_MAX];
    struct parley_hash hashes[2];
    struct parley_store_op ops[2];
};
void fixture_records(struct fixture_records *records, const struct fixture_log *log);

struct fixture_chunk {
    uint8_t data[PARLEY_CHUNK_LARGEST];
    struct parley_span bytes;
};
/* The entries low .. high as one chunk; fails the test when they do not fit. */
struct parley_span fixture_chunk(struct fixture_chunk *chunk, const struct fixture_log *log,
                                 parley_seq low, parley_seq high, bool bodies);

/* An operation that brings such a chunk; the chunk must outlive it. */
struct parley_store_op fixture_run(struct fixture_chunk *chunk, enum parley_store_kind kind,
                                   const struct fixture_log *log, parley_seq low, parley_seq high,
                                   bool bodies, parley_time_ms received_ms);

#endif
