/* Import: whole sections of a bundle into the node.
 *
 * The sections of one author go one after the other: a chunk needs the records before it, and what
 * vouches for it. Authors go side by side, so that those of a page share the syncs of the disk that
 * each answer waits for.
 */
#include "api_job.h"
#include <parley/bundle.h>
#include <stdio.h>
#include <stdlib.h>

/* Authors at a time. The command sends four pages at once: together they take half of the node's
 * jobs, so that peers are heard meanwhile. */
#define LANES_MAX 16u
/* What is passed over is told one by one up to here, and counted above. */
#define PASSED_MAX 16u

/* Whose sections these are. Not known at the beginning of a page. */
struct owner {
    bool is_known;
    struct parley_author author;
};

struct section {
    size_t offset;
    unsigned kind;
    struct parley_span bytes;
    struct parley_chunk chunk;
};

/* Sections of one author, of which one is under way. */
struct lane {
    struct api_job *job;
    bool is_busy;
    bool is_followed;      /* the one under way, by another */
    bool is_unsure;        /* a record was taken, and nothing behind it was told of as durable */
    struct section record; /* it */
    struct owner owner;
    size_t at, end; /* of what is left */
    struct section section;
};

struct import {
    struct lane lanes[LANES_MAX];
    size_t next; /* where the next author begins */
    size_t busy_count;
    uint64_t records, chunks, entries, added, passed_over;
    bool is_unsure;        /* a record was taken, and nothing was told of its way to the disk */
    struct section record; /* it */
    json_t *passed;
    enum parley_error error; /* ends it */
    size_t error_offset;
};

static void free_import(void *state) {
    struct import *import = state;
    json_decref(import->passed);
    free(import);
}

static void stop(struct import *import, enum parley_error error, size_t offset) {
    if (import->error != PARLEY_E_OK)
        return;
    import->error = error;
    import->error_offset = offset;
}

/* ---- sections ------------------------------------------------------------------------------ */

static struct parley_fault read_section(const struct api_job *job, size_t offset,
                                        struct section *section, size_t *next) {
    struct parley_reader reader;
    *section = (struct section){.offset = offset};
    parley_reader_init(&reader, PARLEY_SPAN(job->body + offset, job->body_size - offset));
    parley_read_array(&reader, "section", 2, 2);
    section->kind =
        (unsigned)parley_read_uint(&reader, "kind", PARLEY_SECTION_RECORD, PARLEY_SECTION_CHUNK);
    section->bytes = parley_read_bin(&reader, "section", 1, PARLEY_CHUNK_LARGEST);
    *next = offset + parley_reader_offset(&reader);
    if (reader.fault.error != PARLEY_E_OK || section->kind != PARLEY_SECTION_CHUNK)
        return reader.fault;
    return parley_chunk_decode(&section->chunk, section->bytes);
}

/* Another author's sections begin here, or the same one's anew. */
static bool begins_lane(const struct section *section, const struct lane *lane, bool has_chunks,
                        struct parley_author *author) {
    struct parley_record record;
    if (section->kind != PARLEY_SECTION_RECORD ||
        parley_record_decode(&record, section->bytes).error != PARLEY_E_OK ||
        record.kind != PARLEY_RECORD_ROTATION)
        return false;
    *author = record.author;
    return has_chunks || !lane->owner.is_known || !PARLEY_EQUAL(lane->owner.author, *author);
}

/* The sections from import->next on that are one author's. False at the end of what is good. */
static bool find_lane(struct api_job *job, struct import *import, struct lane *lane) {
    struct section section;
    bool has_chunks = false;
    size_t next;
    *lane = (struct lane){.job = job, .at = import->next, .end = import->next};
    while (lane->end < job->body_size) {
        struct parley_author author;
        struct parley_fault fault = read_section(job, lane->end, &section, &next);
        if (fault.error != PARLEY_E_OK) {
            /* What stands before it is taken; then it is found again, and ends the import. */
            if (lane->end == lane->at)
                stop(import, fault.error, lane->at);
            break;
        }
        if (begins_lane(&section, lane, has_chunks, &author)) {
            if (lane->end > lane->at)
                break;
            lane->owner = (struct owner){true, author};
        }
        has_chunks |= section.kind == PARLEY_SECTION_CHUNK;
        lane->end = next;
    }
    return lane->end > lane->at;
}

/* An author under way, or one that may be, is waited for. */
static bool must_wait(const struct import *import, const struct lane *lane) {
    for (size_t i = 0; i < LANES_MAX; i++) {
        const struct lane *other = &import->lanes[i];
        if (other->is_busy && (!other->owner.is_known || !lane->owner.is_known ||
                               PARLEY_EQUAL(other->owner.author, lane->owner.author)))
            return true;
    }
    return false;
}

/* ---- what became of a section -------------------------------------------------------------- */

static void answer_import(struct api_job *job) {
    struct import *import = job->state;
    json_t *problem = json_null();
    if (import->error != PARLEY_E_OK) {
        problem = api_problem(import->error, NULL, parley_strerror(import->error));
        json_object_set_new(problem, "offset", json_integer((json_int_t)import->error_offset));
    }
    api_answer_json(
        job, 200,
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:O, s:o}", "records", (json_int_t)import->records,
                  "chunks", (json_int_t)import->chunks, "entries", (json_int_t)import->entries,
                  "added", (json_int_t)import->added, "passed_over",
                  (json_int_t)import->passed_over, "passed", import->passed, "problem", problem));
}

static void add_passed(struct import *import, json_t *item) {
    if (json_array_size(import->passed) < PASSED_MAX)
        json_array_append_new(import->passed, item);
    else
        json_decref(item);
}

static json_t *item_of(enum parley_error error) {
    return json_pack("{s:s, s:s}", "error", parley_error_name(error), "detail",
                     parley_strerror(error));
}

static void pass_over_entries(struct import *import, const struct parley_chunk *chunk,
                              parley_seq low, enum parley_error error) {
    json_t *item = item_of(error);
    parley_seq high = parley_chunk_seq_last(chunk);
    import->passed_over += high - low + 1;
    json_object_set_new(item, "log", api_json_hex(chunk->log.bytes, sizeof(chunk->log.bytes)));
    json_object_set_new(item, "low", json_integer((json_int_t)low));
    json_object_set_new(item, "high", json_integer((json_int_t)high));
    add_passed(import, item);
}

static void pass_over(struct import *import, const struct section *section,
                      enum parley_error error) {
    if (section->kind == PARLEY_SECTION_CHUNK)
        pass_over_entries(import, &section->chunk, section->chunk.seq_first, error);
    else
        add_passed(import, item_of(error));
}

/* Of a chunk that was taken what stands above the end of its log was not: how many were. */
static uint64_t take_to_the_end(struct import *import, const struct parley_node *node,
                                const struct parley_chunk *chunk) {
    struct parley_node_log log;
    if (!parley_node_log_find(node, &chunk->log, &log) || log.policy.kind != PARLEY_POLICY_CLOSED ||
        log.policy.seq >= parley_chunk_seq_last(chunk) || log.policy.seq < chunk->seq_first)
        return chunk->count;
    pass_over_entries(import, chunk, log.policy.seq + 1, PARLEY_E_LOG_CLOSED);
    return log.policy.seq - chunk->seq_first + 1;
}

/* The disk, the memory, or no place now: nothing that follows would fare better. */
static bool ends_import(enum parley_error error) {
    return parley_error_class(error) == PARLEY_CLASS_LOCAL || error == PARLEY_E_READ_ONLY;
}

static void count_section(struct import *import, const struct parley_node *node,
                          const struct section *section, uint64_t added) {
    if (section->kind == PARLEY_SECTION_RECORD) {
        import->records++;
        return;
    }
    import->chunks++;
    import->entries += take_to_the_end(import, node, &section->chunk);
    import->added += added;
}

/* ---- lanes --------------------------------------------------------------------------------- */

static void on_imported(void *context, const struct parley_effect *effect);

/* The next section of the lane; false when none is left to be sent. */
static bool send_section(struct lane *lane) {
    struct import *import = lane->job->state;
    struct parley_event event = {.kind = PARLEY_EVENT_IMPORT_RECORD};
    if (lane->at == lane->end || import->error != PARLEY_E_OK)
        return false;
    struct parley_fault fault = read_section(lane->job, lane->at, &lane->section, &lane->at);
    if (fault.error != PARLEY_E_OK) /* find_lane has read it */
        return false;
    if (lane->section.kind == PARLEY_SECTION_CHUNK)
        event.kind = PARLEY_EVENT_IMPORT_CHUNK;
    event.import.bytes = lane->section.bytes;
    lane->is_followed = lane->section.kind == PARLEY_SECTION_RECORD && lane->at < lane->end;
    event.import.is_followed = lane->is_followed;
    /* The bytes are the request's, which waits for the answer. */
    parley_host_submit_patiently(lane->job->api->host, &event, on_imported, lane);
    return true;
}

static void on_certain(void *context, const struct parley_effect *effect) {
    struct api_job *job = context;
    struct import *import = job->state;
    enum parley_error error = api_reply_error(job->api, effect);
    if (ends_import(error))
        stop(import, error, import->record.offset);
    answer_import(job);
}

/* What is held is answered when all before it is on disk. */
static void make_certain(struct api_job *job) {
    struct import *import = job->state;
    struct parley_event event = {.kind = PARLEY_EVENT_IMPORT_RECORD};
    event.import.bytes = import->record.bytes;
    parley_host_submit_patiently(job->api->host, &event, on_certain, job);
}

/* As many authors as there are lanes; answers when nothing is under way and nothing left. */
static void pump(struct api_job *job) {
    struct import *import = job->state;
    for (size_t i = 0; i < LANES_MAX && import->error == PARLEY_E_OK; i++) {
        struct lane found;
        if (import->lanes[i].is_busy)
            continue;
        if (!find_lane(job, import, &found) || must_wait(import, &found))
            break;
        import->next = found.end;
        import->lanes[i] = found;
        import->lanes[i].is_busy = send_section(&import->lanes[i]);
        import->busy_count += import->lanes[i].is_busy;
    }
    if (import->busy_count > 0)
        return;
    if (import->is_unsure && import->error == PARLEY_E_OK)
        make_certain(job);
    else
        answer_import(job);
}

static void note_certainty(struct lane *lane, bool is_taken) {
    if (!is_taken)
        return;
    lane->is_unsure = lane->is_followed;
    lane->record = lane->section;
}

static void on_imported(void *context, const struct parley_effect *effect) {
    struct lane *lane = context;
    struct api_job *job = lane->job;
    struct import *import = job->state;
    enum parley_error error = api_reply_error(job->api, effect);
    if (error == PARLEY_E_OK || error == PARLEY_E_EXISTS)
        count_section(import, parley_host_node(job->api->host), &lane->section,
                      effect->reply.count);
    else if (ends_import(error))
        stop(import, error, lane->section.offset);
    else
        pass_over(import, &lane->section, error);
    note_certainty(lane, error == PARLEY_E_OK || error == PARLEY_E_EXISTS);
    if (send_section(lane))
        return;
    if (lane->is_unsure) {
        import->is_unsure = true;
        import->record = lane->record;
    }
    lane->is_busy = false;
    import->busy_count--;
    pump(job);
}

void api_run_import(struct api_job *job) {
    struct import *import = calloc(1, sizeof(*import));
    if (import != NULL)
        import->passed = json_array();
    if (import == NULL || import->passed == NULL) {
        free(import);
        api_no_memory(job);
        return;
    }
    job->state = import;
    job->free_state = free_import;
    pump(job);
}
