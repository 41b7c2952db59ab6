#include "bundle_file.h"
#include "options.h"
#include "terminal.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

int bundle_walk(const struct bundle_file *bundle, struct bundle_visitor *visitor) {
    struct walk *walk = calloc(1, sizeof(*walk));
    if (walk == NULL)
        return complain(EXIT_SYSTEM, "out of memory");
    parley_bundle_judge_init(&walk->judge);
    int status = judge_all(walk, bundle->file, bundle->path, visitor);
    visitor->entries_count = walk->judge.entries_count;
    visitor->records_count = walk->judge.records_count;
    visitor->authors_count = walk->judge.authors_count;
    free(walk);
    return status;
}

/* ---- the file ------------------------------------------------------------------------------ */

int bundle_open(struct bundle_file *bundle, const char *path) {
    *bundle = (struct bundle_file){.path = path, .file = stdin};
    if (strcmp(path, "-") != 0)
        bundle->file = fopen(path, "rbe");
    if (bundle->file == NULL)
        return complain(EXIT_SYSTEM, "%s cannot be opened: %s", path, strerror(errno));
    return EXIT_DONE;
}

void bundle_close(struct bundle_file *bundle) {
    if (bundle->file != stdin)
        fclose(bundle->file);
    bundle->file = NULL;
}

/* NULL: errno says why. */
static FILE *open_unnamed(const char *home) {
    char path[PATH_MAX];
    int size = snprintf(path, sizeof(path), "%s/import.XXXXXX", home);
    int handle = size > 0 && (size_t)size < sizeof(path) ? mkostemp(path, O_CLOEXEC) : -1;
    if (handle < 0)
        return NULL;
    (void)unlink(path);
    FILE *file = fdopen(handle, "w+b");
    if (file == NULL)
        close(handle);
    return file;
}

static bool copy_all(FILE *to, FILE *from) {
    static uint8_t buffer[PARLEY_BUNDLE_SECTION_MAX];
    size_t got;
    while ((got = fread(buffer, 1, sizeof(buffer), from)) > 0)
        if (fwrite(buffer, 1, got, to) != got)
            return false;
    return !ferror(from) && fflush(to) == 0 && fseeko(to, 0, SEEK_SET) == 0;
}

int bundle_open_again(struct bundle_file *bundle, const char *path, const char *home) {
    int status = bundle_open(bundle, path);
    if (status != EXIT_DONE)
        return status;
    off_t start = ftello(bundle->file);
    if (start >= 0 && fseeko(bundle->file, start, SEEK_SET) == 0) {
        bundle->start = (uint64_t)start;
        return EXIT_DONE;
    }
    FILE *copy = open_unnamed(home);
    bool is_copied = copy != NULL && copy_all(copy, bundle->file);
    int error = errno;
    bundle_close(bundle);
    bundle->file = copy;
    if (is_copied)
        return EXIT_DONE;
    if (copy != NULL)
        fclose(copy);
    return complain(EXIT_SYSTEM, "the bundle cannot be copied into %s: %s", home, strerror(error));
}

bool bundle_read_at(const struct bundle_file *bundle, uint8_t *data, size_t size, uint64_t offset) {
    while (size > 0) {
        ssize_t got = pread(fileno(bundle->file), data, size, (off_t)(bundle->start + offset));
        if (got <= 0 && !(got < 0 && errno == EINTR))
            return false;
        size_t read = got > 0 ? (size_t)got : 0;
        data += read;
        size -= read;
        offset += read;
    }
    return true;
}
