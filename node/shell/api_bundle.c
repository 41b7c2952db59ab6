/* Bundles by the page: export gives an author's sections, import takes some.
 *
 * A page holds whole sections of a bundle; who asks puts the start before and the trailer behind.
 * The cursor names what comes next: "r.SKIP" for records, "e.LOG.SEQ" for entries. Logs go in
 * ascending order of their names, so a cursor stays good while others write.
 */
#include "api_job.h"
#include <parley/bundle.h>
#include <parley/digest.h>
#include <stdio.h>
#include <stdlib.h>

/* Room for one section more than this is kept free, so a page stays within 1 MiB. */
#define PAGE_BYTES_MAX (PARLEY_API_BODY_BYTES_MAX - 2u * PARLEY_BUNDLE_SECTION_MAX)
#define CURSOR_SIZE    128u

/* ---- export ------------------------------------------------------------------------------- */

/* Entries of one log that may go out. */
struct part {
    struct parley_log log;
    parley_seq low, high;
    parley_seq good; /* the last entry whose word counts */
};

struct export_page {
    struct parley_author author;
    bool in_records;
    size_t records_skip;
    struct parley_log log; /* entries: begin in this log at this seq */
    parley_seq seq;
    struct part *parts;
    size_t parts_count;
    uint8_t *data;
    size_t size;
    bool is_full;
    char next[CURSOR_SIZE];
    enum parley_error error;
    /* of the part and the chunk at hand */
    struct parley_store *store;
    parley_seq good;
    struct parley_chunk_writer writer;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
};

static void free_export(void *state) {
    struct export_page *page = state;
    free(page->parts);
    free(page->data);
    free(page);
}

static void put_section(struct export_page *page, unsigned kind, struct parley_span payload) {
    struct parley_writer writer;
    struct parley_span out;
    parley_writer_init(&writer, page->data + page->size, PARLEY_API_BODY_BYTES_MAX - page->size);
    parley_write_array(&writer, 2);
    parley_write_uint(&writer, kind);
    parley_write_bin(&writer, payload);
    page->error = parley_writer_finish(&writer, &out);
    if (page->error == PARLEY_E_OK)
        page->size += out.size;
}

static void stop_at_records(struct export_page *page) {
    page->is_full = true;
    snprintf(page->next, sizeof(page->next), "r.%zu", page->records_skip);
}

static void put_records(struct export_page *page, struct parley_store *store) {
    static const size_t ROOM = PARLEY_MESSAGE_BYTES_MAX;
    uint8_t *buffer = malloc(ROOM);
    page->error = buffer == NULL ? PARLEY_E_NO_MEMORY : PARLEY_E_OK;
    while (page->error == PARLEY_E_OK && !page->is_full) {
        struct parley_span records;
        struct parley_reader reader;
        size_t count = 0;
        page->error = parley_store_read_records(store, &page->author, page->records_skip, buffer,
                                                ROOM, &records, &count);
        if (page->error != PARLEY_E_OK)
            break;
        parley_reader_init(&reader, records);
        for (size_t i = 0; i < count && page->error == PARLEY_E_OK && !page->is_full; i++) {
            struct parley_span record =
                parley_read_bin(&reader, "record", 1, PARLEY_RECORD_BYTES_MAX);
            put_section(page, PARLEY_SECTION_RECORD, record);
            page->records_skip++;
            if (page->size >= PAGE_BYTES_MAX)
                stop_at_records(page);
        }
    }
    if (page->error == PARLEY_E_NOT_FOUND)
        page->error = PARLEY_E_OK; /* past the last */
    free(buffer);
}

static void finish_chunk(struct export_page *page) {
    struct parley_span chunk = parley_chunk_finish(&page->writer);
    if (chunk.size > 0)
        put_section(page, PARLEY_SECTION_CHUNK, chunk);
    parley_chunk_writer_init(&page->writer, page->buffer, sizeof(page->buffer));
}

/* What is hidden goes out as its header, though its bytes may wait here still. */
static bool takes_body(const struct export_page *page, const struct parley_store_log *log,
                       const struct parley_entry *entry) {
    struct parley_store_body_state state;
    if (!entry->has_body || log->erase_ms == 0)
        return entry->has_body;
    return parley_store_body_state(page->store, &log->log, entry->header.seq, &entry->id, &state) ==
               PARLEY_E_OK &&
           (state.erased_by == 0 || state.erased_by > page->good);
}

static bool on_export_entry(void *context, const struct parley_store_log *log,
                            const struct parley_entry *entry,
                            const struct parley_timeline_place *place, parley_time_ms received) {
    struct export_page *page = context;
    bool takes = takes_body(page, log, entry);
    enum parley_error error = parley_chunk_add(&page->writer, entry, takes);
    if (error == PARLEY_E_NO_SPACE) {
        finish_chunk(page);
        if (page->size >= PAGE_BYTES_MAX) {
            char hex[65];
            parley_hex_encode(hex, log->log.bytes, sizeof(log->log.bytes));
            snprintf(page->next, sizeof(page->next), "e.%s.%llu", hex,
                     (unsigned long long)entry->header.seq);
            page->is_full = true;
            return false;
        }
        error = parley_chunk_add(&page->writer, entry, takes);
    }
    if (error != PARLEY_E_OK)
        page->error = error;
    return page->error == PARLEY_E_OK;
}

static void read_export(struct api_job *job, struct parley_store *store) {
    struct export_page *page = job->state;
    if (page->in_records)
        put_records(page, store);
    parley_chunk_writer_init(&page->writer, page->buffer, sizeof(page->buffer));
    for (size_t i = 0; i < page->parts_count; i++) {
        struct part *part = &page->parts[i];
        if (page->error != PARLEY_E_OK || page->is_full)
            break;
        page->store = store;
        page->good = part->good;
        enum parley_error error =
            parley_store_entries(store, &part->log, part->low, part->high, on_export_entry, page);
        if (error != PARLEY_E_OK && page->error == PARLEY_E_OK)
            page->error = error;
        if (page->error == PARLEY_E_OK && !page->is_full)
            finish_chunk(page);
    }
}

static void answer_export(struct api_job *job) {
    struct export_page *page = job->state;
    if (page->error != PARLEY_E_OK) {
        api_refuse(job, page->error, NULL, "the export cannot go on: %s",
                   parley_strerror(page->error));
        return;
    }
    api_answer(job, 200, "application/octet-stream", PARLEY_SPAN(page->data, page->size),
               page->is_full ? page->next : NULL);
}

static bool decode_cursor(struct export_page *page, const char *text) {
    page->in_records = true;
    if (text == NULL)
        return true;
    if (text[0] == 'r' && text[1] == '.' && strlen(text) <= 12) {
        page->records_skip = strtoull(text + 2, NULL, 10);
        return strspn(text + 2, "0123456789") == strlen(text + 2);
    }
    page->in_records = false;
    size_t size = strlen(text);
    if (size < 68 || size > 67 + 15 || text[0] != 'e' || text[1] != '.' || text[66] != '.' ||
        strspn(text + 67, "0123456789") != size - 67)
        return false;
    page->seq = strtoull(text + 67, NULL, 10);
    return parley_hex_decode(page->log.bytes, sizeof(page->log.bytes), PARLEY_SPAN(text + 2, 64));
}

/* What of one counted stretch is not yet out. Of a listed or closed log only the stretch that
 * reaches the entry named can be verified by whoever has nothing but the bundle. */
static void add_part(struct export_page *page, const struct parley_node_log *log,
                     const struct parley_digest_range *range) {
    int order = PARLEY_COMPARE(log->log, page->log);
    parley_seq low = range->lo, high = range->hi < log->head_seq ? range->hi : log->head_seq;
    if (log->policy.seq > 0 && (low > log->policy.seq || high < log->policy.seq))
        return;
    if (!page->in_records && order == 0 && low < page->seq)
        low = page->seq;
    if (low > high || (!page->in_records && order < 0))
        return;
    parley_seq good = log->policy.kind == PARLEY_POLICY_CLOSED ? log->policy.seq : PARLEY_SEQ_MAX;
    if (log->forked != 0 && log->forked <= good)
        good = log->forked - 1;
    page->parts[page->parts_count++] = (struct part){log->log, low, high, good};
}

static void add_log(struct export_page *page, const struct parley_node_log *log) {
    struct parley_digest_range ranges[PARLEY_DIGEST_RANGES_MAX];
    size_t count = parley_digest_counted(ranges, &log->ranges, &log->policy);
    for (size_t i = 0; i < count; i++)
        add_part(page, log, &ranges[i]);
}

static int compare_parts(const void *a, const void *b) {
    const struct part *left = a, *right = b;
    int order = PARLEY_COMPARE(left->log, right->log);
    if (order != 0)
        return order;
    return left->low < right->low ? -1 : left->low > right->low;
}

static bool list_parts(struct export_page *page, const struct parley_node *node) {
    struct parley_node_log log;
    size_t count = 0;
    for (size_t i = 0; parley_node_log_at(node, i, &log); i++)
        count += PARLEY_EQUAL(log.author, page->author);
    page->parts = calloc(count + 1, PARLEY_DIGEST_RANGES_MAX * sizeof(*page->parts));
    if (page->parts == NULL)
        return false;
    for (size_t i = 0; parley_node_log_at(node, i, &log); i++)
        if (PARLEY_EQUAL(log.author, page->author))
            add_log(page, &log);
    qsort(page->parts, page->parts_count, sizeof(*page->parts), compare_parts);
    return true;
}

void api_names_export(struct api_job *job) {
    const char *author = api_parameter(job, "author");
    if (author == NULL)
        api_refuse(job, PARLEY_E_BAD_INPUT, "author", "author is missing");
    else if (api_name_add(job, API_AUTHOR, "author", author))
        api_names_find(job);
}

static bool is_known(const struct parley_node *node, const struct parley_author *author) {
    struct parley_node_author at;
    for (size_t i = 0; parley_node_author_at(node, i, &at); i++)
        if (PARLEY_EQUAL(at.author, *author))
            return at.is_revealed;
    return false;
}

void api_run_export(struct api_job *job) {
    const struct parley_node *node = parley_host_node(job->api->host);
    if (!is_known(node, &job->names[0].author)) {
        api_refuse(job, PARLEY_E_UNKNOWN_AUTHOR, "author", "nothing of %s is here",
                   job->names[0].text);
        return;
    }
    struct export_page *page = calloc(1, sizeof(*page));
    if (page == NULL) {
        api_no_memory(job);
        return;
    }
    job->state = page;
    job->free_state = free_export;
    page->author = job->names[0].author;
    page->data = malloc(PARLEY_API_BODY_BYTES_MAX);
    if (!decode_cursor(page, api_parameter(job, "cursor")))
        api_refuse(job, PARLEY_E_BAD_INPUT, "cursor", "cursor is not one that was given");
    else if (page->data == NULL || !list_parts(page, node))
        api_no_memory(job);
    else
        api_read(job, read_export, answer_export);
}

/* ---- import ------------------------------------------------------------------------------- */

struct import {
    struct parley_reader reader;
    uint64_t records, chunks, entries, added;
    unsigned kind; /* of the section under way */
    size_t offset;
    uint64_t chunk_entries;
};

static void answer_import(struct api_job *job, enum parley_error error, const char *detail) {
    struct import *import = job->state;
    json_t *problem = error == PARLEY_E_OK ? json_null() : api_problem(error, NULL, detail);
    if (error != PARLEY_E_OK)
        json_object_set_new(problem, "offset", json_integer((json_int_t)import->offset));
    api_answer_json(job, 200,
                    json_pack("{s:I, s:I, s:I, s:I, s:o}", "records", (json_int_t)import->records,
                              "chunks", (json_int_t)import->chunks, "entries",
                              (json_int_t)import->entries, "added", (json_int_t)import->added,
                              "problem", problem));
}

static void import_next(struct api_job *job);

/* What is here already, or is void by now, is no reason to stop. */
static bool goes_on(enum parley_error error) {
    return error == PARLEY_E_OK || error == PARLEY_E_EXISTS || error == PARLEY_E_LOG_VOID ||
           error == PARLEY_E_LOG_CLOSED;
}

static void on_imported(void *context, const struct parley_effect *effect) {
    struct api_job *job = context;
    struct import *import = job->state;
    enum parley_error error = api_reply_error(job->api, effect);
    if (!goes_on(error)) {
        answer_import(job, error, parley_strerror(error));
        return;
    }
    if (import->kind == PARLEY_SECTION_RECORD) {
        import->records++;
    } else {
        import->chunks++;
        import->entries += import->chunk_entries;
        import->added += effect->reply.count;
    }
    import_next(job);
}

/* One section at a time: a chunk needs the records before it, and the chunk below it. */
static void import_next(struct api_job *job) {
    struct import *import = job->state;
    struct parley_event event = {.kind = PARLEY_EVENT_IMPORT_RECORD};
    if (parley_reader_is_done(&import->reader)) {
        answer_import(job, PARLEY_E_OK, NULL);
        return;
    }
    import->offset = parley_reader_offset(&import->reader);
    parley_read_array(&import->reader, "section", 2, 2);
    import->kind = (unsigned)parley_read_uint(&import->reader, "kind", PARLEY_SECTION_RECORD,
                                              PARLEY_SECTION_CHUNK);
    event.import.bytes = parley_read_bin(&import->reader, "section", 1, PARLEY_CHUNK_LARGEST);
    struct parley_fault fault = import->reader.fault;
    struct parley_chunk chunk = {0};
    if (fault.error == PARLEY_E_OK && import->kind == PARLEY_SECTION_CHUNK) {
        event.kind = PARLEY_EVENT_IMPORT_CHUNK;
        fault = parley_chunk_decode(&chunk, event.import.bytes);
    }
    if (fault.error != PARLEY_E_OK) {
        answer_import(job, fault.error, parley_strerror(fault.error));
        return;
    }
    import->chunk_entries = chunk.count;
    /* The bytes are the request's, which waits for the answer. */
    parley_host_submit_patiently(job->api->host, &event, on_imported, job);
}

void api_run_import(struct api_job *job) {
    struct import *import = calloc(1, sizeof(*import));
    if (import == NULL) {
        api_no_memory(job);
        return;
    }
    job->state = import;
    job->free_state = free;
    parley_reader_init(&import->reader, PARLEY_SPAN(job->body, job->body_size));
    import_next(job);
}
