/* Messages that wait: for a signature check, for the disk, or for one another. A part of
 * internal.h.
 */
#ifndef PARLEY_NODE_JOBS_H
#define PARLEY_NODE_JOBS_H

#include <parley/log.h>
#include <parley/node.h>

enum job_state {
    JOB_FREE,
    JOB_STALLED, /* a message that waits for another job of the same log or author */
    JOB_CHECKING,
    JOB_READING, /* for the id of an entry that is held */
};

enum job_kind { JOB_MESSAGE, JOB_CHUNK, JOB_RECORDS };

enum chunk_source { CHUNK_PUSH, CHUNK_RUN, CHUNK_IMPORT, CHUNK_OWN, CHUNK_EVIDENCE, CHUNK_PARENT };

struct chunk_task {
    enum chunk_source source;
    struct parley_log log;
    bool is_anchored;
    struct parley_anchor anchor;
    bool check_held; /* the own signature of the top was checked and holds */
    bool id_known;   /* known_* was read from the disk for this task */
    parley_seq known_seq;
    struct parley_id known_id;
    uint32_t fetch; /* CHUNK_RUN; CHUNK_PARENT: of parents.c */
    uint32_t fetch_request;
    bool is_last; /* CHUNK_RUN: nothing follows */
};

struct records_task {
    struct parley_wire_list left; /* into the job's buffer; the first is being checked */
    bool is_followed;             /* of an import: the answer does not wait for the disk */
    bool is_of_one;               /* all are of one author: */
    struct parley_author author;
    uint32_t checks_left;
    bool check_failed;
    uint32_t checks_good; /* of records that were added */
    uint64_t added;
};

struct job {
    enum job_state state;
    enum job_kind kind;
    uint16_t generation; /* part of tickets: a late answer finds another generation */
    uint32_t peer;       /* slot, or NONE: the owner */
    parley_connection connection;
    parley_request request;
    size_t size;
    size_t done; /* of a message's runs, those that need no more */
    struct chunk_task chunk;
    bool is_judged;              /* a chunk's signature is or was checked: */
    struct parley_judged judged; /* what the judge said, */
    struct parley_policy policy; /* going by this */
    struct records_task records;
    uint8_t *buffer; /* PARLEY_MESSAGE_BYTES_MAX */
};

#endif
