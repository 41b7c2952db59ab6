#include "bundle_file.h"
#include "options.h"
#include "terminal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE (4u * PARLEY_BUNDLE_SECTION_MAX)

/* About 160 KiB: not on the stack. */
struct walk {
    struct parley_bundle_judge judge;
    uint8_t buffer[BUFFER_SIZE];
    size_t size;
    bool is_last; /* nothing comes after the buffer */
};

json_t *bundle_refusal_json(const struct parley_bundle_finding *refusal) {
    char log[65];
    parley_hex_encode(log, refusal->log.bytes, sizeof(refusal->log.bytes));
    json_t *json = json_pack("{s:s, s:I, s:s?}", "error", parley_error_name(refusal->error),
                             "offset", (json_int_t)refusal->offset, "field", refusal->field);
    json_object_set_new(json, "log", refusal->has_entry ? json_string(log) : json_null());
    json_object_set_new(json, "seq",
                        refusal->has_entry ? json_integer((json_int_t)refusal->seq) : json_null());
    return json;
}

static int say_refusal(const char *path, const struct parley_bundle_finding *refusal) {
    char log[65], where[160] = "";
    parley_hex_encode(log, refusal->log.bytes, sizeof(refusal->log.bytes));
    if (refusal->has_entry)
        snprintf(where, sizeof(where), "entry %llu of log %s, ", (unsigned long long)refusal->seq,
                 log);
    return complain(
        EXIT_NO, "%s is not good: %sbyte %llu: %s%s%s%s",
        strcmp(path, "-") == 0 ? "the bundle" : path, where, (unsigned long long)refusal->offset,
        parley_strerror(refusal->error), refusal->field != NULL ? " (" : "",
        refusal->field != NULL ? refusal->field : "", refusal->field != NULL ? ")" : "");
}

static bool fill(struct walk *walk, FILE *file) {
    size_t got = fread(walk->buffer + walk->size, 1, BUFFER_SIZE - walk->size, file);
    walk->size += got;
    walk->is_last = got == 0 && feof(file);
    return !ferror(file);
}

static int judge_all(struct walk *walk, FILE *file, const char *path,
                     struct bundle_visitor *visitor) {
    for (;;) {
        struct parley_bundle_finding finding;
        size_t consumed = 0;
        int status = EXIT_DONE;
        parley_bundle_judge_next(&walk->judge, &finding, &consumed,
                                 PARLEY_SPAN(walk->buffer, walk->size), walk->is_last);
        switch (finding.kind) {
        case PARLEY_FINDING_MORE:
        case PARLEY_FINDING_PASSED:
            break;
        case PARLEY_FINDING_RECORD:
        case PARLEY_FINDING_CHUNK:
            status = visitor->on_section(visitor->context, &finding);
            visitor->has_stopped = status != EXIT_DONE;
            break;
        case PARLEY_FINDING_END:
            return EXIT_DONE;
        case PARLEY_FINDING_REFUSED:
            visitor->is_refused = true;
            visitor->refusal = finding;
            return say_refusal(path, &finding);
        }
        if (status != EXIT_DONE)
            return status;
        memmove(walk->buffer, walk->buffer + consumed, walk->size - consumed);
        walk->size -= consumed;
        if (finding.kind == PARLEY_FINDING_MORE && !walk->is_last && !fill(walk, file))
            return complain(EXIT_SYSTEM, "%s cannot be read: %s", path, strerror(errno));
    }
}

int bundle_walk(const char *path, struct bundle_visitor *visitor) {
    bool is_input = strcmp(path, "-") == 0;
    FILE *file = is_input ? stdin : fopen(path, "rbe");
    if (file == NULL)
        return complain(EXIT_SYSTEM, "%s cannot be opened: %s", path, strerror(errno));
    struct walk *walk = calloc(1, sizeof(*walk));
    int status = EXIT_SYSTEM;
    if (walk == NULL) {
        complain(EXIT_SYSTEM, "out of memory");
    } else {
        parley_bundle_judge_init(&walk->judge);
        status = judge_all(walk, file, path, visitor);
        visitor->entries_count = walk->judge.entries_count;
        visitor->records_count = walk->judge.records_count;
        visitor->authors_count = walk->judge.authors_count;
    }
    free(walk);
    if (!is_input)
        fclose(file);
    return status;
}
