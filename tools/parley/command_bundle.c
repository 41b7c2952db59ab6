/* Bundles: export and verify. */
#include "bundle_file.h"
#include "command.h"
#include "terminal.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- export ------------------------------------------------------------------------------- */

struct export {
    struct client *client;
    struct parley_bundle_writer writer;
    bool is_begun;
    struct progress progress;
    uint8_t buffer[PARLEY_BUNDLE_SECTION_MAX];
};

static int write_out(struct parley_span bytes) {
    if (fwrite(bytes.data, 1, bytes.size, stdout) != bytes.size)
        return complain_of_output();
    return EXIT_DONE;
}

/* The sections of a page, once more through the bundle's own writer, which counts and hashes. */
static int write_page(struct export *export, struct parley_span page) {
    struct parley_reader reader;
    struct parley_chunk chunk;
    parley_reader_init(&reader, page);
    while (!parley_reader_is_done(&reader)) {
        struct parley_span out;
        parley_read_array(&reader, "section", 2, 2);
        uint64_t kind =
            parley_read_uint(&reader, "kind", PARLEY_SECTION_RECORD, PARLEY_SECTION_CHUNK);
        struct parley_span bytes = parley_read_bin(&reader, "section", 1, PARLEY_CHUNK_LARGEST);
        enum parley_error error = reader.fault.error;
        if (error == PARLEY_E_OK && kind == PARLEY_SECTION_RECORD)
            error = parley_bundle_write_record(&export->writer, &out, export->buffer,
                                               sizeof(export->buffer), bytes);
        else if (error == PARLEY_E_OK) {
            error = parley_chunk_decode(&chunk, bytes).error;
            if (error == PARLEY_E_OK)
                error = parley_bundle_write_chunk(&export->writer, &out, export->buffer,
                                                  sizeof(export->buffer), &chunk);
        }
        if (error != PARLEY_E_OK)
            return complain(EXIT_SYSTEM, "the export's page is damaged: %s",
                            parley_strerror(error));
        int status = write_out(out);
        if (status != EXIT_DONE)
            return status;
    }
    return EXIT_DONE;
}

/* Nothing at all is written where there is nothing to export. */
static int begin(struct export *export) {
    struct parley_span out;
    if (export->is_begun)
        return EXIT_DONE;
    export->is_begun = true;
    parley_bundle_write_start(&export->writer, &out, export->buffer);
    return write_out(out);
}

static int export_author(struct export *export, const char *author) {
    char cursor[256] = "";
    int status = EXIT_DONE;
    do {
        struct client_request request = {.method = PARLEY_API_GET, .path = "/v1/export"};
        struct client_answer answer;
        client_add(&request, "author", author);
        client_add(&request, "cursor", cursor[0] != '\0' ? cursor : NULL);
        status = client_call(export->client, &request, &answer);
        if (status != EXIT_DONE)
            return status;
        status = begin(export);
        if (status == EXIT_DONE)
            status = write_page(export, PARLEY_SPAN(answer.body, answer.size));
        snprintf(cursor, sizeof(cursor), "%s", answer.next);
        client_answer_clear(&answer);
        progress_show(&export->progress, export->writer.entries_count, "entries");
    } while (status == EXIT_DONE && cursor[0] != '\0');
    return status;
}

/* One's own name, to be freed; NULL after an error. */
static char *own_author(struct client *client, int *status) {
    struct client_request request = {.method = PARLEY_API_GET, .path = "/v1/id"};
    json_t *json;
    *status = client_call_json(client, &request, NULL, &json);
    if (*status != EXIT_DONE)
        return NULL;
    const char *author = json_string_value(json_object_get(json, "author"));
    char *copy = author != NULL ? strdup(author) : NULL;
    if (copy == NULL)
        *status = complain(EXIT_NO, "this home has no author of its own: name one with --author");
    json_decref(json);
    return copy;
}

static int export_all(struct export *export, const struct options *options) {
    struct parley_span out;
    char *own = NULL;
    int status = EXIT_DONE;
    const char *const *authors = options->authors;
    size_t count = options->authors_count;
    if (count == 0) {
        own = own_author(export->client, &status);
        authors = (const char *const *)&own;
        count = 1;
    }
    for (size_t i = 0; status == EXIT_DONE && i < count; i++)
        status = export_author(export, authors[i]);
    if (status == EXIT_DONE && parley_bundle_write_trailer(&export->writer, &out, export->buffer,
                                                           sizeof(export->buffer)) == PARLEY_E_OK)
        status = write_out(out);
    free(own);
    return status;
}

int command_export(const struct options *options) {
    int status;
    if (isatty(STDOUT_FILENO))
        return complain(EXIT_USAGE, "a bundle is not for a terminal: parley export > FILE");
    struct export *export = calloc(1, sizeof(*export));
    if (export == NULL)
        return complain(EXIT_SYSTEM, "out of memory");
    export->client = client_open(options, false, &status);
    if (export->client != NULL) {
        progress_start(&export->progress, "exported");
        status = export_all(export, options);
        progress_end(&export->progress);
        client_close(export->client);
    }
    free(export);
    return status;
}

/* ---- verify ------------------------------------------------------------------------------- */

struct verify {
    const struct options *options;
    unsigned long long chained;
    unsigned long long entries;
    struct progress progress;
};

static void print_chained(const struct verify *verify, const struct parley_bundle_entry *entry) {
    char log[65];
    const struct parley_header *header = &entry->entry.header;
    parley_hex_encode(log, header->log.bytes, sizeof(header->log.bytes));
    if (verify->options->json) {
        json_t *json = json_pack("{s:s, s:s, s:I, s:I}", "entry", "chained", "log", log, "seq",
                                 (json_int_t)header->seq, "offset", (json_int_t)entry->offset);
        print_json(json);
        json_decref(json);
        return;
    }
    printf("chained: entry %llu of log %s at byte %llu\n", (unsigned long long)header->seq, log,
           (unsigned long long)entry->offset);
}

static int on_verify(void *context, const struct parley_bundle_finding *finding) {
    struct verify *verify = context;
    struct parley_bundle_entries entries;
    struct parley_bundle_entry entry;
    if (finding->kind != PARLEY_FINDING_CHUNK)
        return EXIT_DONE;
    parley_bundle_entries_start(&entries, finding);
    while (parley_bundle_entries_next(&entries, &entry)) {
        verify->entries++;
        progress_show(&verify->progress, verify->entries, "entries");
        if (entry.is_signed)
            continue;
        verify->chained++;
        print_chained(verify, &entry);
    }
    return EXIT_DONE;
}

static void print_verdict(const struct verify *verify, const struct bundle_visitor *visitor,
                          bool is_good) {
    json_t *json;
    if (verify->options->json) {
        json = json_pack(
            "{s:b, s:I, s:I, s:I, s:I}", "valid", (int)is_good, "entries",
            (json_int_t)visitor->entries_count, "records", (json_int_t)visitor->records_count,
            "authors", (json_int_t)visitor->authors_count, "chained", (json_int_t)verify->chained);
        if (!is_good)
            json_object_update_new(json, bundle_refusal_json(&visitor->refusal));
        print_json(json);
        json_decref(json);
    } else if (is_good) {
        printf("good: %llu entries of %llu authors\n", (unsigned long long)visitor->entries_count,
               (unsigned long long)visitor->authors_count);
    }
}

int command_verify(const struct options *options) {
    const char *path = options->arguments_count > 0 ? options->arguments[0] : "-";
    struct verify verify = {.options = options};
    struct bundle_visitor visitor = {.context = &verify, .on_section = on_verify};
    struct bundle_file file;
    int status = bundle_open(&file, path);
    if (status != EXIT_DONE)
        return status;
    progress_start(&verify.progress, "verified");
    status = bundle_walk(&file, &visitor);
    progress_end(&verify.progress);
    bundle_close(&file);
    if (status == EXIT_DONE || visitor.is_refused)
        print_verdict(&verify, &visitor, status == EXIT_DONE);
    return status;
}
