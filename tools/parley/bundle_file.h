/* A bundle from a file or from standard input, walked once through the judge. */
#ifndef PARLEY_TOOL_BUNDLE_FILE_H
#define PARLEY_TOOL_BUNDLE_FILE_H

#include <jansson.h>
#include <parley/bundle.h>

struct bundle_visitor {
    void *context;
    /* For each record and chunk that holds; anything but EXIT_DONE ends the walk. */
    int (*on_section)(void *context, const struct parley_bundle_finding *finding);
    /* filled by the walk */
    bool has_stopped; /* on_section ended it */
    bool is_refused;
    struct parley_bundle_finding refusal;
    uint64_t entries_count, records_count, authors_count;
};

/* path "-": standard input. EXIT_DONE when all of it is good; EXIT_NO when it is refused, and the
 * entry or the byte has been named on standard error; EXIT_SYSTEM when it cannot be read. */
int bundle_walk(const char *path, struct bundle_visitor *visitor);
/* {"error", "offset", "field", "log", "seq"}. */
json_t *bundle_refusal_json(const struct parley_bundle_finding *refusal);

#endif
