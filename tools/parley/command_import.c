/* Import: a bundle is judged in one pass, and every run that holds goes in newest chunk first, so
 * that each chunk is vouched for by the one above it. SPEC 7.6.2. While the node works on one page
 * the next is judged. */
#include "bundle_file.h"
#include "command.h"
#include "home.h"
#include "terminal.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Chunks of a run that are remembered, 2 MiB: a run of 4 GiB as export writes it. */
#define RUN_CHUNKS_MAX 65536u
/* A page that the node has no room for is sent again, up to a minute. */
#define PAGE_TRIES   600u
#define PAGE_WAIT_MS 100
/* What was passed over is told one by one up to here. */
#define WORDS_MAX 16u

struct run_chunk {
    uint64_t offset; /* in the bundle */
    uint32_t size;
    parley_seq low, high;
};

struct import {
    const struct options *options;
    struct client *client;
    struct bundle_file *file;
    uint8_t *page; /* sections that wait to be sent */
    size_t size;
    /* the page under way, a thread's alone until it is waited for, as is what is counted below */
    uint8_t *sent;
    size_t sent_size;
    bool is_sending;
    pthread_t sender;
    int sent_status;
    /* the run at hand */
    struct run_chunk *chunks;
    size_t chunks_count;
    parley_seq vouched;
    uint8_t chunk[PARLEY_CHUNK_LARGEST];
    uint8_t part[PARLEY_CHUNK_BUFFER_SIZE];
    /* so far */
    json_int_t records, entries, added, passed_over;
    json_t *words; /* of what was passed over */
    struct progress progress;
};

static json_int_t number_of(const json_t *json, const char *name) {
    return json_integer_value(json_object_get(json, name));
}

/* ---- pages -------------------------------------------------------------------------------- */

static void say_passed(struct import *import, const json_t *item) {
    const char *log = json_string_value(json_object_get(item, "log"));
    const char *detail = json_string_value(json_object_get(item, "detail"));
    if (json_array_size(import->words) >= WORDS_MAX)
        return;
    (void)json_array_append(import->words, (json_t *)item);
    if (log == NULL)
        (void)complain(EXIT_NO, "an identity record was passed over: %s", detail);
    else
        (void)complain(EXIT_NO, "entries %lld to %lld of log %s were passed over: %s",
                       (long long)number_of(item, "low"), (long long)number_of(item, "high"), log,
                       detail);
}

static void count_page(struct import *import, const json_t *json) {
    size_t index;
    const json_t *item;
    import->records += number_of(json, "records");
    import->entries += number_of(json, "entries");
    import->passed_over += number_of(json, "passed_over");
    json_array_foreach(json_object_get(json, "passed"), index, item) {
        say_passed(import, item);
    }
}

static int post_page(struct import *import, json_t **json) {
    struct client_request request = {.method = PARLEY_API_POST,
                                     .path = "/v1/import",
                                     .content_type = "application/octet-stream",
                                     .body = PARLEY_SPAN(import->sent, import->sent_size)};
    return client_call_json(import->client, &request, NULL, json);
}

static bool is_for_later(const json_t *problem) {
    const char *error = json_string_value(json_object_get(problem, "error"));
    return error != NULL && strcmp(error, parley_error_name(PARLEY_E_RETRY)) == 0;
}

/* What a page brought before the node had no room stays: sending it again changes nothing there. */
static int send_sections(struct import *import) {
    json_t *json = NULL;
    int status = EXIT_DONE;
    for (unsigned tries = 1; import->sent_size > 0; tries++) {
        status = post_page(import, &json);
        if (status != EXIT_DONE)
            return status;
        const json_t *problem = json_object_get(json, "problem");
        import->added += number_of(json, "added");
        if (json_is_object(problem) && is_for_later(problem) && tries < PAGE_TRIES) {
            json_decref(json);
            (void)nanosleep(&(struct timespec){.tv_nsec = PAGE_WAIT_MS * 1000000L}, NULL);
            continue;
        }
        count_page(import, json);
        if (json_is_object(problem))
            status = client_complain(problem, (unsigned)number_of(problem, "status"));
        json_decref(json);
        import->sent_size = 0;
    }
    progress_show(&import->progress, (unsigned long long)import->entries, "entries");
    return status;
}

static void *run_sender(void *context) {
    struct import *import = context;
    import->sent_status = send_sections(import);
    return NULL;
}

/* What became of the page under way, if there is one. */
static int end_page(struct import *import) {
    if (!import->is_sending)
        return EXIT_DONE;
    (void)pthread_join(import->sender, NULL);
    import->is_sending = false;
    return import->sent_status;
}

static int send_page(struct import *import) {
    uint8_t *page = import->page;
    int status = end_page(import);
    if (status != EXIT_DONE || import->size == 0)
        return status;
    import->page = import->sent;
    import->sent = page;
    import->sent_size = import->size;
    import->size = 0;
    import->is_sending = pthread_create(&import->sender, NULL, run_sender, import) == 0;
    return import->is_sending ? EXIT_DONE : send_sections(import);
}

static int add_section(struct import *import, unsigned kind, struct parley_span payload) {
    struct parley_writer writer;
    struct parley_span out;
    if (import->size + PARLEY_BUNDLE_SECTION_MAX > PARLEY_API_BODY_BYTES_MAX) {
        int status = send_page(import);
        if (status != EXIT_DONE)
            return status;
    }
    parley_writer_init(&writer, import->page + import->size,
                       PARLEY_API_BODY_BYTES_MAX - import->size);
    parley_write_array(&writer, 2);
    parley_write_uint(&writer, kind);
    parley_write_bin(&writer, payload);
    if (parley_writer_finish(&writer, &out) != PARLEY_E_OK)
        return complain(EXIT_SYSTEM, "a section does not fit");
    import->size += out.size;
    return EXIT_DONE;
}

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
    return add_section(import, PARLEY_SECTION_CHUNK, bytes);
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
    return status == EXIT_DONE ? add_section(import, PARLEY_SECTION_RECORD, finding->bytes)
                               : status;
}

/* ---- the command -------------------------------------------------------------------------- */

static void print_import(const struct import *import, bool whole) {
    if (import->options->json) {
        json_t *json =
            json_pack("{s:I, s:I, s:I, s:b, s:I, s:O}", "records", import->records, "entries",
                      import->entries, "added", import->added, "whole", (int)whole, "passed_over",
                      import->passed_over, "passed", import->words);
        print_json(json);
        json_decref(json);
        return;
    }
    printf("%lld entries taken in, %lld of them new", (long long)import->entries,
           (long long)import->added);
    if (import->passed_over > 0)
        printf(", %lld passed over", (long long)import->passed_over);
    printf("\n");
}

static int import_file(struct import *import) {
    struct bundle_visitor visitor = {.context = import, .on_section = on_section};
    int status = bundle_walk(import->file, &visitor);
    /* What stands before the damage is good, and is taken. */
    int sent = visitor.has_stopped ? EXIT_DONE : end_run(import);
    if (sent == EXIT_DONE && !visitor.has_stopped)
        sent = send_page(import);
    int ended = end_page(import);
    sent = sent != EXIT_DONE ? sent : ended;
    status = status != EXIT_DONE ? status : sent;
    if (status == EXIT_DONE && json_array_size(import->words) > 0)
        status = EXIT_NO;
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
    progress_start(&import->progress, "taken in");
    status = import_file(import);
    progress_end(&import->progress);
    bundle_close(&file);
    return status;
}

int command_import(const struct options *options) {
    struct parley_problem problem = {0};
    char home[PATH_MAX];
    int status = EXIT_SYSTEM;
    struct import *import = calloc(1, sizeof(*import));
    if (parley_home_resolve(home, options->home, &problem) != PARLEY_E_OK) {
        free(import);
        return complain(parley_exit_status(problem.error), "%s", problem.text);
    }
    if (import != NULL) {
        import->options = options;
        import->page = malloc(PARLEY_API_BODY_BYTES_MAX);
        import->sent = malloc(PARLEY_API_BODY_BYTES_MAX);
        import->chunks = malloc(RUN_CHUNKS_MAX * sizeof(*import->chunks));
        import->words = json_array();
    }
    if (import == NULL || import->page == NULL || import->sent == NULL || import->chunks == NULL ||
        import->words == NULL)
        complain(EXIT_SYSTEM, "out of memory");
    else
        import->client = client_open(options, false, &status);
    if (import != NULL && import->client != NULL) {
        status = with_file(import, home);
        client_close(import->client);
    }
    if (import != NULL) {
        free(import->page);
        free(import->sent);
        free(import->chunks);
        json_decref(import->words);
    }
    free(import);
    return status;
}
