/* Export: an author's sections of a bundle, by the page.
 *
 * A page holds whole sections of a bundle; who asks puts the start before and the trailer behind.
 * The cursor names what comes next: "r.SKIP" for records, "e.LOG.SEQ" for entries. Logs go in
 * ascending order of their names, so a cursor stays good while others write.
 */
#include "api_job.h"
#include <parley/bundle.h>
#include <stdio.h>
#include <stdlib.h>

/* Room for one section more than this is kept free, so a page stays within 1 MiB. */
#define PAGE_BYTES_MAX (PARLEY_API_BODY_BYTES_MAX - 2u * PARLEY_BUNDLE_SECTION_MAX)
#define CURSOR_SIZE    128u

/* Entries of one log that may go out: a run of the bundle. */
struct part {
    struct parley_log log;
    struct parley_device_key device;
    parley_seq low, high;
    parley_seq named; /* vouches for what stands below; 0: nothing does but signatures */
    bool is_vouched;  /* the entry at high bears a good signature, or is the named one */
    parley_seq good;  /* the last entry whose word counts */
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

static void stop_at_entries(struct export_page *page, const struct parley_log *log,
                            parley_seq seq) {
    char hex[65];
    parley_hex_encode(hex, log->bytes, sizeof(log->bytes));
    snprintf(page->next, sizeof(page->next), "e.%s.%llu", hex, (unsigned long long)seq);
    page->is_full = true;
}

static void finish_chunk(struct export_page *page) {
    struct parley_span chunk = parley_chunk_finish(&page->writer);
    if (chunk.size > 0)
        put_section(page, PARLEY_SECTION_CHUNK, chunk);
    parley_chunk_writer_init(&page->writer, page->buffer, sizeof(page->buffer));
}

/* What is hidden goes out as its header, though its bytes may wait here still. */
static bool takes_body(struct export_page *page, const struct parley_store_log *log,
                       const struct parley_entry *entry) {
    struct parley_store_body_state state;
    if (!entry->has_body || log->erase_ms == 0)
        return entry->has_body;
    page->error =
        parley_store_body_state(page->store, &log->log, entry->header.seq, &entry->id, &state);
    return page->error == PARLEY_E_OK && (state.erased_by == 0 || state.erased_by > page->good);
}

static bool on_export_entry(void *context, const struct parley_store_log *log,
                            const struct parley_entry *entry,
                            const struct parley_timeline_place *place, parley_time_ms received) {
    struct export_page *page = context;
    bool takes = takes_body(page, log, entry);
    if (page->error != PARLEY_E_OK)
        return false;
    enum parley_error error = parley_chunk_add(&page->writer, entry, takes);
    if (error == PARLEY_E_NO_SPACE) {
        finish_chunk(page);
        if (page->size >= PAGE_BYTES_MAX) {
            stop_at_entries(page, &log->log, entry->header.seq);
            return false;
        }
        error = parley_chunk_add(&page->writer, entry, takes);
    }
    if (error != PARLEY_E_OK)
        page->error = error;
    return page->error == PARLEY_E_OK;
}

/* ---- what can be vouched for --------------------------------------------------------------- */

static parley_seq newest_signed(const struct parley_chunk *chunk,
                                const struct parley_device_key *device) {
    struct parley_chunk_cursor cursor;
    struct parley_entry entry;
    struct parley_check check;
    parley_seq newest = 0;
    parley_chunk_start(&cursor, chunk);
    while (parley_chunk_next(&cursor, &entry)) {
        parley_entry_check(&check, &entry, device);
        if (parley_check_holds(&check))
            newest = entry.header.seq;
    }
    return newest;
}

/* Chained entries at the top are left out: nothing in the bundle would vouch for them. The newest
 * that is signed is looked for downwards, as far as what is named, which needs no signature. */
static enum parley_error cut_part(struct export_page *page, struct parley_store *store,
                                  struct part *part) {
    struct parley_span bytes;
    struct parley_chunk chunk;
    bool has_named = part->named >= part->low;
    while (!part->is_vouched && part->high >= part->low) {
        enum parley_error error = parley_store_read_run(
            store, &part->log, part->high, has_named ? part->named + 1 : part->low, false,
            PARLEY_CHUNK_BYTES_MAX, page->buffer, &bytes);
        if (error == PARLEY_E_OK)
            error = parley_chunk_decode(&chunk, bytes).error;
        if (error != PARLEY_E_OK)
            return error;
        parley_seq newest = newest_signed(&chunk, &part->device);
        part->high = newest > 0 ? newest : chunk.seq_first - 1;
        part->is_vouched = newest > 0 || (has_named && part->high == part->named);
    }
    return PARLEY_E_OK;
}

/* A part that fits one chunk is that of the store, as it lies there, and the same bytes that its
 * entries would make one by one: what they hash to need not be known. False: it is to be made so.
 */
static bool put_whole(struct export_page *page, struct parley_store *store,
                      const struct part *part) {
    struct parley_store_log log;
    struct parley_span bytes;
    struct parley_chunk chunk;
    if (part->high - part->low >= PARLEY_CHUNK_ENTRIES_MAX ||
        parley_store_log_get(store, &part->log, &log) != PARLEY_E_OK ||
        log.erase_ms != 0 || /* some bodies are hidden */
        parley_store_read_run(store, &part->log, part->high, part->low, true,
                              PARLEY_CHUNK_BYTES_MAX, page->buffer, &bytes) != PARLEY_E_OK ||
        parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK || chunk.seq_first != part->low)
        return false;
    put_section(page, PARLEY_SECTION_CHUNK, bytes);
    return true;
}

static void read_part(struct export_page *page, struct parley_store *store, struct part *part) {
    page->error = cut_part(page, store, part);
    if (page->error != PARLEY_E_OK || part->high < part->low || put_whole(page, store, part))
        return;
    parley_chunk_writer_init(&page->writer, page->buffer, sizeof(page->buffer));
    page->store = store;
    page->good = part->good;
    enum parley_error error =
        parley_store_entries(store, &part->log, part->low, part->high, on_export_entry, page);
    if (error != PARLEY_E_OK && page->error == PARLEY_E_OK)
        page->error = error;
    if (page->error == PARLEY_E_OK && !page->is_full)
        finish_chunk(page);
}

static void read_export(struct api_job *job, struct parley_store *store) {
    struct export_page *page = job->state;
    if (page->in_records)
        put_records(page, store);
    for (size_t i = 0; i < page->parts_count && page->error == PARLEY_E_OK && !page->is_full; i++) {
        struct part *part = &page->parts[i];
        if (page->size >= PAGE_BYTES_MAX)
            stop_at_entries(page, &part->log, part->low);
        else
            read_part(page, store, part);
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

/* What of one range of good entries is not yet out. At and below the place that the records name
 * only the range that holds it can be verified by whoever has nothing but the bundle, and from
 * there down. */
static void add_part(struct export_page *page, const struct parley_node_log *log,
                     const struct parley_run *range) {
    const struct parley_policy *policy = &log->policy;
    int order = PARLEY_COMPARE(log->log, page->log);
    struct part part = {
        .log = log->log, .device = log->device, .low = range->lo, .high = range->hi};
    if (range->hi < policy->seq || (!page->in_records && order < 0))
        return;
    if (range->lo <= policy->seq)
        part.named = policy->seq;
    part.is_vouched = range->hi_is_signed || part.high == part.named;
    if (!page->in_records && order == 0 && part.low < page->seq)
        part.low = page->seq;
    part.good = policy->kind == PARLEY_POLICY_CLOSED ? policy->seq : PARLEY_SEQ_MAX;
    if (log->forked != 0 && log->forked <= part.good)
        part.good = log->forked - 1;
    if (part.low <= part.high)
        page->parts[page->parts_count++] = part;
}

static void add_log(struct export_page *page, const struct parley_node_log *log) {
    if (log->policy.kind == PARLEY_POLICY_VOID)
        return;
    for (size_t i = 0; i < log->good.count; i++)
        add_part(page, log, &log->good.ranges[i]);
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
    for (size_t i = 0; parley_node_log_of(node, &page->author, &i, &log);)
        count++;
    page->parts = calloc(count + 1, PARLEY_RANGES_MAX * sizeof(*page->parts));
    if (page->parts == NULL)
        return false;
    for (size_t i = 0; parley_node_log_of(node, &page->author, &i, &log);)
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
    return parley_node_author_find(node, author, &at) && at.is_revealed;
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
