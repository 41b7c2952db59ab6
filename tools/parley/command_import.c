/* Import: a bundle is judged in one pass, and every run that holds goes in newest chunk first, so
 * that each chunk is vouched for by the one above it. SPEC 7.6.2. While the node works on one page
 * the next is judged. */
#include "bundle_file.h"
#include "command.h"
#include "home.h"
#include "import_pages.h"
#include "import_quick.h"
#include <stdlib.h>
#include <string.h>

/* Chunks of a run that are remembered, 2 MiB: a run of 4 GiB as export writes it. */
#define RUN_CHUNKS_MAX 65536u

struct run_chunk {
    uint64_t offset; /* in the bundle */
    uint32_t size;
    parley_seq low, high;
};

struct import {
    const struct options *options;
    struct bundle_file *file;
    struct import_pages pages;
    /* the run at hand */
    struct run_chunk *chunks;
    size_t chunks_count;
    parley_seq vouched;
    uint8_t chunk[PARLEY_CHUNK_LARGEST];
    uint8_t part[PARLEY_CHUNK_BUFFER_SIZE];
};

/* ---- runs --------------------------------------------------------------------------------- */

/* The chunk again, without what nothing vouches for. */
static int add_chunk(struct import *import, const struct run_chunk *at) {
    struct parley_span bytes = PARLEY_SPAN(import->chunk, at->size);
    struct parley_chunk chunk;
    if (!bundle_read_at(import->file, import->chunk, at->size, at->offset))
        return complain(EXIT_SYSTEM, "the bundle cannot be read a second time");
    if (parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK || chunk.seq_first != at->low ||
        parley_chunk_seq_last(&chunk) != at->high)
        return complain(EXIT_SYSTEM, "the bundle has changed while it was read");
    if (at->high > import->vouched &&
        parley_chunk_slice(&bytes, import->part, sizeof(import->part), &chunk, at->low,
                           import->vouched, true) != PARLEY_E_OK)
        return complain(EXIT_SYSTEM, "a part of a chunk does not fit");
    return import_pages_add(&import->pages, PARLEY_SECTION_CHUNK, bytes);
}

static int end_run(struct import *import) {
    int status = EXIT_DONE;
    for (size_t i = import->chunks_count; i-- > 0 && status == EXIT_DONE;)
        if (import->chunks[i].low <= import->vouched)
            status = add_chunk(import, &import->chunks[i]);
    import->chunks_count = 0;
    return status;
}

static int on_chunk(struct import *import, const struct parley_bundle_finding *finding) {
    const struct parley_chunk *chunk = &finding->chunk;
    int status = finding->continues ? EXIT_DONE : end_run(import);
    if (status != EXIT_DONE)
        return status;
    if (import->chunks_count == RUN_CHUNKS_MAX)
        return complain(EXIT_NO, "nothing vouches for a run within %u chunks", RUN_CHUNKS_MAX);
    import->chunks[import->chunks_count++] =
        (struct run_chunk){.offset = finding->offset,
                           .size = (uint32_t)finding->bytes.size,
                           .low = chunk->seq_first,
                           .high = parley_chunk_seq_last(chunk)};
    import->vouched = finding->vouched_seq;
    if (import->chunks_count == RUN_CHUNKS_MAX && import->vouched == parley_chunk_seq_last(chunk))
        return end_run(import);
    return EXIT_DONE;
}

static int on_section(void *context, const struct parley_bundle_finding *finding) {
    struct import *import = context;
    if (finding->kind == PARLEY_FINDING_CHUNK)
        return on_chunk(import, finding);
    int status = end_run(import);
    return status == EXIT_DONE
               ? import_pages_add(&import->pages, PARLEY_SECTION_RECORD, finding->bytes)
               : status;
}

/* ---- the command -------------------------------------------------------------------------- */

static void print_import(const struct import *import, bool whole) {
    const struct import_pages *pages = &import->pages;
    if (import->options->json) {
        json_t *json =
            json_pack("{s:I, s:I, s:I, s:b, s:I, s:O}", "records", pages->records, "entries",
                      pages->entries, "added", pages->added, "whole", (int)whole, "passed_over",
                      pages->passed_over, "passed", pages->words);
        print_json(json);
        json_decref(json);
        return;
    }
    printf("%lld entries taken in, %lld of them new", (long long)pages->entries,
           (long long)pages->added);
    if (pages->passed_over > 0)
        printf(", %lld passed over", (long long)pages->passed_over);
    printf("\n");
}

static int import_carefully(struct import *import) {
    struct bundle_visitor visitor = {.context = import, .on_section = on_section};
    import_pages_begin(&import->pages, true, false);
    int status = bundle_walk(import->file, &visitor);
    /* What stands before the damage is good, and is taken. */
    int sent = visitor.has_stopped ? EXIT_DONE : end_run(import);
    int ended = import_pages_end(&import->pages, sent == EXIT_DONE && !visitor.has_stopped);
    sent = sent != EXIT_DONE ? sent : ended;
    status = status != EXIT_DONE ? status : sent;
    if (status == EXIT_DONE && json_array_size(import->pages.words) > 0)
        status = EXIT_NO;
    return status;
}

static int import_file(struct import *import) {
    int status = EXIT_DONE;
    enum import_quick quick = import_quickly(&import->pages, import->file, &status);
    if (quick == IMPORT_UNSURE)
        status = import_carefully(import);
    /* Of what stands behind the damage some may have been taken in, too. */
    if (import->pages.entries < import->pages.added)
        import->pages.entries = import->pages.added;
    print_import(import, status == EXIT_DONE);
    return status;
}

static int with_file(struct import *import, const char *home) {
    const char *path = import->options->arguments_count > 0 ? import->options->arguments[0] : "-";
    struct bundle_file file;
    int status = bundle_open_again(&file, path, home);
    if (status != EXIT_DONE)
        return status;
    import->file = &file;
    progress_start(&import->pages.progress, "taken in");
    status = import_file(import);
    progress_end(&import->pages.progress);
    bundle_close(&file);
    return status;
}

static int with_node(struct import *import, const char *home) {
    int status = EXIT_SYSTEM;
    struct client *client = client_open(import->options, false, &status);
    if (client == NULL)
        return status;
    status = import_pages_open(&import->pages, client);
    if (status == EXIT_DONE)
        status = with_file(import, home);
    import_pages_close(&import->pages);
    return status;
}

int command_import(const struct options *options) {
    struct parley_problem problem = {0};
    char home[PATH_MAX];
    int status = EXIT_SYSTEM;
    if (parley_home_resolve(home, options->home, &problem) != PARLEY_E_OK)
        return complain(parley_exit_status(problem.error), "%s", problem.text);
    struct import *import = calloc(1, sizeof(*import));
    struct run_chunk *chunks = malloc(RUN_CHUNKS_MAX * sizeof(*chunks));
    if (import == NULL || chunks == NULL) {
        complain(EXIT_SYSTEM, "out of memory");
    } else {
        import->options = import->pages.options = options;
        import->chunks = chunks;
        status = with_node(import, home);
    }
    free(chunks);
    free(import);
    return status;
}
