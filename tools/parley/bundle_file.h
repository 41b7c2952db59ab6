/* A bundle from a file or from standard input, walked once through the judge. */
#ifndef PARLEY_TOOL_BUNDLE_FILE_H
#define PARLEY_TOOL_BUNDLE_FILE_H

#include <jansson.h>
#include <parley/bundle.h>
#include <stdio.h>

struct bundle_file {
    const char *path; /* "-": standard input */
    FILE *file;
    uint64_t start; /* where the bundle begins in it */
};
/* EXIT_DONE, or EXIT_SYSTEM and it has been said. */
int bundle_open(struct bundle_file *bundle, const char *path);
/* The same so that it can be read a second time: what cannot be sought in is copied first, into a
 * file of the home that has no name. */
int bundle_open_again(struct bundle_file *bundle, const char *path, const char *home);
/* Bytes at an offset of the bundle; after bundle_open_again. */
bool bundle_read_at(const struct bundle_file *bundle, uint8_t *data, size_t size, uint64_t offset);
void bundle_close(struct bundle_file *bundle);

struct bundle_visitor {
    void *context;
    /* For each record and chunk that holds; anything but EXIT_DONE ends the walk. Of a run that is
     * not over yet a chunk holds up to the finding's vouched_seq. */
    int (*on_section)(void *context, const struct parley_bundle_finding *finding);
    /* filled by the walk */
    bool has_stopped; /* on_section ended it */
    bool is_refused;
    struct parley_bundle_finding refusal;
    uint64_t entries_count, records_count, authors_count;
};

/* EXIT_DONE when all of it is good; EXIT_NO when it is refused, and the entry or the byte has been
 * named on standard error; EXIT_SYSTEM when it cannot be read. */
int bundle_walk(const struct bundle_file *bundle, struct bundle_visitor *visitor);
/* {"error", "offset", "field", "log", "seq"}. */
json_t *bundle_refusal_json(const struct parley_bundle_finding *refusal);

#endif
