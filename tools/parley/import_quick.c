/* Sections as they stand, by their form alone, newest chunk of a run first: the node checks every
 * signature and every hash of what it takes in. As soon as it passes over anything, and where the
 * file's form is not good, the bundle is judged here from its beginning, so that what is said of it
 * is the same. What stands behind the damage may be here by then: it was good by itself. */
#include "import_quick.h"
#include <parley/bundle.h>
#include <stdlib.h>
#include <string.h>

/* Below, judging takes a moment. */
#define WORTH_BYTES ((off_t)1 << 20)
/* Of a run, sent when the next section is not of it: 2 MiB of entries for each of few. */
#define RUN_CHUNKS_MAX 1024u
#define BUFFER_SIZE    (16u * PARLEY_BUNDLE_SECTION_MAX)

struct run_chunk {
    uint64_t offset; /* in the bundle */
    uint32_t size;
};

struct quick {
    struct import_pages *pages;
    const struct bundle_file *file;
    struct parley_bundle_reader reader;
    struct run_chunk chunks[RUN_CHUNKS_MAX]; /* of the run at hand */
    size_t chunks_count;
    struct parley_log log;
    parley_seq seq_last;
    uint64_t entries_count;
    bool has_author, has_chunks; /* of the author at hand */
    struct parley_author author;
    bool is_failed; /* what the node was asked had no answer */
    int status;
    size_t size; /* of what the buffer holds */
    uint8_t chunk[PARLEY_CHUNK_LARGEST];
    uint8_t buffer[BUFFER_SIZE];
};

static bool is_sent(struct quick *quick, int status) {
    quick->status = status;
    quick->is_failed = status != EXIT_DONE && !quick->pages->has_problem;
    return status == EXIT_DONE;
}

static bool end_run(struct quick *quick) {
    for (size_t i = quick->chunks_count; i-- > 0;) {
        const struct run_chunk *at = &quick->chunks[i];
        if (!bundle_read_at(quick->file, quick->chunk, at->size, at->offset) ||
            !is_sent(quick, import_pages_add(quick->pages, PARLEY_SECTION_CHUNK,
                                             PARLEY_SPAN(quick->chunk, at->size))))
            return false;
    }
    quick->chunks_count = 0;
    return true;
}

static bool take_record(struct quick *quick, struct parley_span bytes) {
    struct parley_record record;
    enum parley_error error = parley_record_decode(&record, bytes).error;
    if (error != PARLEY_E_OK || !end_run(quick))
        return false;
    bool is_same = quick->has_author && PARLEY_EQUAL(record.author, quick->author);
    if (is_same && quick->has_chunks)
        return false; /* an author who comes again: what is judged says whether he may */
    if (!is_same && !is_sent(quick, import_pages_break(quick->pages)))
        return false;
    quick->has_author = true;
    quick->has_chunks = quick->has_chunks && is_same;
    quick->author = record.author;
    return is_sent(quick, import_pages_add(quick->pages, PARLEY_SECTION_RECORD, bytes));
}

static bool take_chunk(struct quick *quick, const struct parley_bundle_section *section) {
    struct parley_chunk chunk;
    if (parley_chunk_decode(&chunk, section->payload).error != PARLEY_E_OK)
        return false;
    bool continues = quick->chunks_count > 0 && PARLEY_EQUAL(chunk.log, quick->log) &&
                     chunk.seq_first == quick->seq_last + 1;
    if (!continues && !end_run(quick))
        return false;
    if (quick->chunks_count == RUN_CHUNKS_MAX)
        return false;
    quick->chunks[quick->chunks_count++] =
        (struct run_chunk){section->payload_offset, (uint32_t)section->payload.size};
    quick->log = chunk.log;
    quick->seq_last = parley_chunk_seq_last(&chunk);
    quick->entries_count += chunk.count;
    quick->has_chunks = true;
    return true;
}

/* False: to be judged, or over. */
static bool take_section(struct quick *quick, const struct parley_bundle_section *section) {
    switch (section->kind) {
    case PARLEY_SECTION_RECORD:
        return take_record(quick, section->payload);
    case PARLEY_SECTION_CHUNK:
        return take_chunk(quick, section);
    case PARLEY_SECTION_TRAILER:
        return section->entries_count == quick->entries_count && end_run(quick);
    case PARLEY_SECTION_NONE:
    case PARLEY_SECTION_END:
        return true;
    }
    return false;
}

/* True: every section was sent, and the trailer's hash holds. */
static bool take_all(struct quick *quick) {
    size_t at = 0;
    bool is_last = false;
    for (;;) {
        struct parley_bundle_section section;
        size_t consumed = 0;
        struct parley_fault fault =
            parley_bundle_read(&quick->reader, &section, &consumed,
                               PARLEY_SPAN(quick->buffer + at, quick->size - at), is_last);
        if (fault.error != PARLEY_E_OK || json_array_size(quick->pages->words) > 0 ||
            !take_section(quick, &section))
            return false;
        at += consumed;
        if (section.kind == PARLEY_SECTION_END)
            return true;
        if (section.kind != PARLEY_SECTION_NONE)
            continue;
        quick->size -= at;
        memmove(quick->buffer, quick->buffer + at, quick->size);
        at = 0;
        size_t got =
            fread(quick->buffer + quick->size, 1, BUFFER_SIZE - quick->size, quick->file->file);
        quick->size += got;
        is_last = got == 0;
        if (ferror(quick->file->file))
            return false;
    }
}

static bool is_worth_it(const struct bundle_file *file) {
    bool is_large = fseeko(file->file, 0, SEEK_END) == 0 &&
                    ftello(file->file) - (off_t)file->start > WORTH_BYTES;
    return fseeko(file->file, (off_t)file->start, SEEK_SET) == 0 && is_large;
}

enum import_quick import_quickly(struct import_pages *pages, const struct bundle_file *file,
                                 int *status) {
    struct quick *quick = is_worth_it(file) ? calloc(1, sizeof(*quick)) : NULL;
    if (quick == NULL)
        return IMPORT_UNSURE;
    import_pages_begin(pages, false, true);
    quick->pages = pages;
    quick->file = file;
    parley_bundle_reader_init(&quick->reader);
    bool is_whole = take_all(quick);
    bool is_failed = quick->is_failed;
    *status = quick->status;
    int ended = import_pages_end(pages, is_whole);
    if (ended != EXIT_DONE && !is_failed) {
        is_failed = !pages->has_problem;
        *status = ended;
    }
    free(quick);
    if (is_failed)
        return IMPORT_FAILED;
    if (is_whole && ended == EXIT_DONE && json_array_size(pages->words) == 0)
        return IMPORT_WHOLE;
    (void)fseeko(file->file, (off_t)file->start, SEEK_SET);
    return IMPORT_UNSURE;
}
