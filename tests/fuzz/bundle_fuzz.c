/* Bundles: the verdict does not depend on how the bytes come, and a good one is written again in
 * the same bytes. SPEC 7.
 *
 * Signatures are judged by crypto_stub.c, so that damaged bundles come as far as good ones. */
#include "fuzz.h"

#include <parley/bundle.h>

struct verdict {
    enum parley_bundle_finding_kind kind;
    enum parley_error error;
    uint64_t offset;
    uint64_t entries_count;
};

/* Writes each section that was found; what comes out is what was read. */
struct again {
    struct parley_bundle_writer writer;
    struct parley_span whole;
    uint64_t at;
};

static void expect(struct again *again, struct parley_span written) {
    FUZZ_HOLDS(written.size <= again->whole.size - again->at);
    FUZZ_HOLDS(
        parley_span_equal(written, PARLEY_SPAN(again->whole.data + again->at, written.size)));
    again->at += written.size;
}

static void walk_entries(const struct parley_bundle_finding *finding) {
    struct parley_bundle_entries entries;
    struct parley_bundle_entry entry = {0};
    size_t count = 0;
    parley_bundle_entries_start(&entries, finding);
    while (parley_bundle_entries_next(&entries, &entry))
        count++;
    FUZZ_HOLDS(count == finding->chunk.count && PARLEY_EQUAL(entry.entry.id, finding->top_id));
    FUZZ_HOLDS(entry.is_signed || !finding->top_is_signed);
    FUZZ_HOLDS(finding->top_is_vouched || !finding->top_is_signed);
    FUZZ_HOLDS(finding->vouched_seq <= entry.entry.header.seq);
}

static void write_again(struct again *again, const struct parley_bundle_finding *finding) {
    static uint8_t room[PARLEY_BUNDLE_SECTION_MAX];
    struct parley_span out;
    if (again->at == 0) {
        parley_bundle_write_start(&again->writer, &out, room);
        expect(again, out);
    }
    if (finding->kind == PARLEY_FINDING_RECORD || finding->kind == PARLEY_FINDING_PASSED)
        FUZZ_HOLDS(parley_bundle_write_record(&again->writer, &out, room, sizeof room,
                                              finding->bytes) == PARLEY_E_OK);
    else if (finding->kind == PARLEY_FINDING_CHUNK)
        FUZZ_HOLDS(parley_bundle_write_chunk(&again->writer, &out, room, sizeof room,
                                             &finding->chunk) == PARLEY_E_OK);
    else
        FUZZ_HOLDS(parley_bundle_write_trailer(&again->writer, &out, room, sizeof room) ==
                   PARLEY_E_OK);
    expect(again, out);
    if (finding->kind == PARLEY_FINDING_CHUNK)
        walk_entries(finding);
    FUZZ_HOLDS(finding->kind != PARLEY_FINDING_END || again->at == again->whole.size);
}

/* Gives `portion` more bytes whenever the judge asks for more. Behind the trailer it asks once
 * without need: then nothing more is given. */
static struct verdict judge(struct parley_span bytes, size_t portion) {
    static struct parley_bundle_judge judge;
    struct parley_bundle_finding finding;
    size_t start = 0, given = 0;
    struct again again = {.whole = bytes};
    parley_bundle_judge_init(&judge);
    do {
        size_t consumed = 0;
        parley_bundle_judge_next(&judge, &finding, &consumed,
                                 PARLEY_SPAN(bytes.data + start, given - start),
                                 given == bytes.size);
        FUZZ_HOLDS(consumed <= given - start);
        start += consumed;
        if (finding.kind != PARLEY_FINDING_MORE && finding.kind != PARLEY_FINDING_REFUSED)
            write_again(&again, &finding);
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

/* The bytes as they are; without a start, which is the end of it, as the only section behind a good
 * one, too. */
void fuzz_target(struct parley_span bytes) {
    static uint8_t file[PARLEY_BUNDLE_START_SIZE + 4 * PARLEY_CHUNK_LARGEST];
    bool has_start = bytes.size >= PARLEY_BUNDLE_START_SIZE &&
                     memcmp(bytes.data, PARLEY_BUNDLE_START, PARLEY_BUNDLE_START_SIZE) == 0;
    if (has_start) {
        compare(bytes);
        return;
    }
    struct verdict verdict = judge(bytes, bytes.size + 1);
    FUZZ_HOLDS(verdict.kind == PARLEY_FINDING_REFUSED && verdict.entries_count == 0);
    if (bytes.size > sizeof file - PARLEY_BUNDLE_START_SIZE)
        return;
    memcpy(file, PARLEY_BUNDLE_START, PARLEY_BUNDLE_START_SIZE);
    memcpy(file + PARLEY_BUNDLE_START_SIZE, bytes.data, bytes.size);
    compare(PARLEY_SPAN(file, PARLEY_BUNDLE_START_SIZE + bytes.size));
}
