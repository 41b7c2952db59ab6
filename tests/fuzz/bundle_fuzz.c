/* Bundles: the verdict does not depend on how the bytes come. SPEC 7. */
#include "fuzz.h"

#include <parley/bundle.h>

struct verdict {
    enum parley_bundle_finding_kind kind;
    enum parley_error error;
    uint64_t offset;
    uint64_t entries_count;
};

/* Gives `portion` more bytes whenever the judge asks for more. Behind the trailer it asks once
 * without need: then nothing more is given. */
static struct verdict judge(struct parley_span bytes, size_t portion) {
    static struct parley_bundle_judge judge;
    struct parley_bundle_finding finding;
    size_t start = 0, given = 0;
    parley_bundle_judge_init(&judge);
    do {
        size_t consumed = 0;
        parley_bundle_judge_next(&judge, &finding, &consumed,
                                 PARLEY_SPAN(bytes.data + start, given - start),
                                 given == bytes.size);
        FUZZ_HOLDS(consumed <= given - start);
        start += consumed;
        if (finding.kind == PARLEY_FINDING_MORE) {
            FUZZ_HOLDS(given < bytes.size || consumed > 0);
            given = bytes.size - given > portion ? given + portion : bytes.size;
        }
    } while (finding.kind != PARLEY_FINDING_END && finding.kind != PARLEY_FINDING_REFUSED);
    FUZZ_HOLDS(finding.kind != PARLEY_FINDING_END || start == bytes.size);
    FUZZ_HOLDS(finding.kind != PARLEY_FINDING_REFUSED || finding.offset <= bytes.size);
    return (struct verdict){finding.kind, finding.kind == PARLEY_FINDING_END ? 0 : finding.error,
                            finding.kind == PARLEY_FINDING_END ? 0 : finding.offset,
                            judge.entries_count};
}

static void compare(struct parley_span bytes) {
    struct verdict whole = judge(bytes, bytes.size + 1);
    struct verdict parts = judge(bytes, 1 + bytes.size / 7);
    FUZZ_HOLDS(whole.kind == parts.kind && whole.error == parts.error);
    FUZZ_HOLDS(whole.offset == parts.offset && whole.entries_count == parts.entries_count);
}

/* The bytes as they are, and as the only section behind a good start. */
void fuzz_target(struct parley_span bytes) {
    static uint8_t file[PARLEY_BUNDLE_START_SIZE + 4 * PARLEY_CHUNK_LARGEST];
    compare(bytes);
    if (bytes.size > sizeof file - PARLEY_BUNDLE_START_SIZE)
        return;
    memcpy(file, PARLEY_BUNDLE_START, PARLEY_BUNDLE_START_SIZE);
    memcpy(file + PARLEY_BUNDLE_START_SIZE, bytes.data, bytes.size);
    compare(PARLEY_SPAN(file, PARLEY_BUNDLE_START_SIZE + bytes.size));
}
