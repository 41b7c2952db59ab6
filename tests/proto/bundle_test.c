#include "bundle_fixture.h"

#include <stdlib.h>

static struct fixture_bundle bundle, other;
static struct parley_bundle_judge judge;

static void make(struct fixture_bundle *out, const char *name) {
    for (size_t i = 0; i < fixture_named_bundles_count; i++)
        if (strcmp(fixture_named_bundles[i].name, name) == 0) {
            fixture_named_bundles[i].make(out);
            return;
        }
    fail_msg("no bundle %s", name);
}

/* ---- Writer and reader. */

static void test_what_is_written_is_read(void **state) {
    struct parley_bundle_reader reader;
    struct parley_bundle_section section;
    size_t consumed, count = 0;
    make(&bundle, "two-people");
    parley_bundle_reader_init(&reader);
    struct parley_span rest = fixture_bundle_bytes(&bundle);
    for (;; count++) {
        assert_int_equal(parley_bundle_read(&reader, &section, &consumed, rest, true).error,
                         PARLEY_E_OK);
        if (section.kind == PARLEY_SECTION_END)
            break;
        assert_int_equal(section.offset, bundle.sections[count]);
        rest = PARLEY_SPAN(rest.data + consumed, rest.size - consumed);
        if (section.kind != PARLEY_SECTION_TRAILER)
            assert_ptr_equal(section.payload.data, bundle.data + section.payload_offset);
    }
    assert_int_equal(section.offset, bundle.size);
    assert_int_equal(count, bundle.sections_count);
}

static void test_a_full_buffer_changes_nothing(void **state) {
    struct parley_bundle_writer writer, before;
    struct parley_span out;
    uint8_t data[64];
    parley_bundle_write_start(&writer, &out, data);
    before = writer;
    assert_int_equal(
        parley_bundle_write_record(&writer, &out, data, sizeof data, PARLEY_SPAN(bundle.data, 100)),
        PARLEY_E_NO_SPACE);
    assert_memory_equal(&writer, &before, sizeof writer);
    assert_int_equal(parley_bundle_write_trailer(&writer, &out, data, 20), PARLEY_E_NO_SPACE);
    assert_int_equal(parley_bundle_write_trailer(&writer, &out, data, sizeof data), PARLEY_E_OK);
}

static void test_a_size_beyond_the_bound_is_not_waited_for(void **state) {
    static const uint8_t bytes[] = "parley1\n\x92\x02\xc6\x00\x02\x00\x00";
    struct parley_bundle_reader reader;
    struct parley_bundle_section section;
    size_t consumed;
    parley_bundle_reader_init(&reader);
    struct parley_fault fault = parley_bundle_read(&reader, &section, &consumed,
                                                   PARLEY_SPAN(bytes, sizeof bytes - 1), false);
    assert_int_equal(fault.error, PARLEY_E_TOO_LARGE);
    assert_int_equal(fault.offset, 10);
}

/* ---- The judge over good bundles. */

static bool is_over(const struct parley_bundle_finding *finding) {
    return finding->kind == PARLEY_FINDING_END || finding->kind == PARLEY_FINDING_REFUSED;
}

/* Gives step bytes more each time, from a window that moves. */
static void judge_in_steps(struct parley_bundle_finding *finding, struct parley_span bytes,
                           size_t step) {
    size_t start = 0, end = 0, consumed;
    parley_bundle_judge_init(&judge);
    do {
        parley_bundle_judge_next(&judge, finding, &consumed,
                                 PARLEY_SPAN(bytes.data + start, end - start), end == bytes.size);
        start += consumed;
        if (finding->kind == PARLEY_FINDING_MORE && consumed == 0 && end < bytes.size)
            end = end + step < bytes.size ? end + step : bytes.size;
    } while (!is_over(finding));
}

static void test_verdicts_do_not_depend_on_the_cuts(void **state) {
    static const size_t steps[] = {1, 7, 100, 1000};
    struct parley_bundle_finding whole, in_steps;
    for (size_t i = 0; i < fixture_named_bundles_count; i++) {
        fixture_named_bundles[i].make(&bundle);
        fixture_judge(&whole, fixture_bundle_bytes(&bundle));
        for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
            judge_in_steps(&in_steps, fixture_bundle_bytes(&bundle), steps[k]);
            assert_int_equal(whole.kind, in_steps.kind);
            assert_int_equal(whole.error, in_steps.error);
            assert_int_equal(whole.offset, in_steps.offset);
            assert_int_equal(whole.seq, in_steps.seq);
        }
    }
}

static void test_a_refusal_stays(void **state) {
    struct parley_bundle_finding first, again;
    size_t consumed;
    make(&bundle, "bad-certificate");
    judge_in_steps(&first, fixture_bundle_bytes(&bundle), 50);
    parley_bundle_judge_next(&judge, &again, &consumed, fixture_bundle_bytes(&bundle), true);
    assert_int_equal(consumed, 0);
    assert_int_equal(again.kind, PARLEY_FINDING_REFUSED);
    assert_int_equal(again.offset, first.offset);
}

struct tally {
    size_t records, chunks, signed_entries, chained_entries;
    uint64_t chained_offset;
};

static void tally_chunk(struct tally *tally, const struct parley_bundle_finding *finding) {
    struct parley_bundle_entries entries;
    struct parley_bundle_entry entry;
    parley_seq seq = finding->chunk.seq_first;
    tally->chunks++;
    parley_bundle_entries_start(&entries, finding);
    while (parley_bundle_entries_next(&entries, &entry)) {
        assert_int_equal(entry.entry.header.seq, seq++);
        tally->signed_entries += entry.is_signed;
        if (!entry.is_signed) {
            tally->chained_entries++;
            tally->chained_offset = entry.offset;
        }
    }
    assert_true(PARLEY_EQUAL(entry.entry.id, finding->top_id));
    assert_int_equal(entry.is_signed, finding->top_is_signed);
}

static struct tally tally_of(const char *name) {
    struct tally tally = {0};
    struct parley_bundle_finding finding;
    size_t consumed;
    make(&bundle, name);
    struct parley_span rest = fixture_bundle_bytes(&bundle);
    parley_bundle_judge_init(&judge);
    do {
        parley_bundle_judge_next(&judge, &finding, &consumed, rest, true);
        rest = PARLEY_SPAN(rest.data + consumed, rest.size - consumed);
        if (finding.kind == PARLEY_FINDING_RECORD)
            tally.records++;
        if (finding.kind == PARLEY_FINDING_CHUNK)
            tally_chunk(&tally, &finding);
    } while (!is_over(&finding));
    assert_int_equal(finding.kind, PARLEY_FINDING_END);
    assert_int_equal(judge.entries_count, tally.signed_entries + tally.chained_entries);
    assert_int_equal(judge.records_count, tally.records);
    return tally;
}

static void test_what_good_bundles_hold(void **state) {
    static const struct {
        const char *name;
        struct tally tally;
        size_t authors;
    } rows[] = {
        {"nothing", {0, 0, 0, 0, 0}, 0},
        {"small", {2, 2, 5, 0, 0}, 1},
        {"two-people", {5, 5, 17, 0, 0}, 2},
        {"rotated", {1, 4, 10, 0, 0}, 1},
        {"chained", {2, 1, 4, 1, 0}, 1},
        {"closed-at-chained", {3, 1, 2, 1, 0}, 1},
        {"chained-across-chunks", {2, 3, 2, 4, 0}, 1},
        {"listed-chained", {1, 3, 1, 5, 0}, 1},
        {"records-reduced", {7, 2, 6, 0, 0}, 1},
        {"author-again", {4, 2, 6, 0, 0}, 2},
        {"records-passed-over", {2, 2, 5, 0, 0}, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tally tally = tally_of(rows[i].name);
        assert_int_equal(tally.records, rows[i].tally.records);
        assert_int_equal(tally.chunks, rows[i].tally.chunks);
        assert_int_equal(tally.signed_entries, rows[i].tally.signed_entries);
        assert_int_equal(tally.chained_entries, rows[i].tally.chained_entries);
        assert_int_equal(judge.authors_count, rows[i].authors);
        if (tally.chained_entries > 0)
            assert_int_equal(bundle.data[tally.chained_offset] & 0xf0, 0x90);
    }
}

/* ---- How far a run is vouched for. */

/* Of the last chunk that was found. */
static parley_seq vouched_until(const char *name) {
    struct parley_bundle_finding finding;
    parley_seq vouched = 0;
    size_t consumed;
    make(&bundle, name);
    struct parley_span rest = fixture_bundle_bytes(&bundle);
    parley_bundle_judge_init(&judge);
    do {
        parley_bundle_judge_next(&judge, &finding, &consumed, rest, true);
        rest = PARLEY_SPAN(rest.data + consumed, rest.size - consumed);
        if (finding.kind == PARLEY_FINDING_CHUNK)
            vouched = finding.vouched_seq;
    } while (!is_over(&finding));
    return vouched;
}

static void test_how_far_a_run_is_vouched_for(void **state) {
    assert_int_equal(vouched_until("small"), 5);
    assert_int_equal(vouched_until("cut"), 3);
    assert_int_equal(vouched_until("bad-top"), 4);
    assert_int_equal(vouched_until("chained-to-the-end"), 2);
    assert_int_equal(vouched_until("chained-across-chunks"), 6);
    assert_int_equal(vouched_until("listed-chained"), 6);
    /* Good signatures, and nothing says that they are of the closed log's branch. */
    assert_int_equal(vouched_until("before-closing"), 0);
}

/* ---- Damage. */

static void test_every_cut_is_refused(void **state) {
    struct parley_bundle_finding finding;
    make(&bundle, "two-people");
    for (size_t size = 0; size < bundle.size; size++) {
        fixture_judge(&finding, PARLEY_SPAN(bundle.data, size));
        assert_int_equal(finding.kind, PARLEY_FINDING_REFUSED);
        assert_int_equal(finding.error, PARLEY_E_TRUNCATED);
        assert_int_equal(finding.offset, size);
    }
}

static void test_what_trails_is_refused(void **state) {
    struct parley_bundle_finding finding;
    make(&bundle, "small");
    size_t size = bundle.size;
    /* A whole second bundle, too. */
    memcpy(bundle.data + size, bundle.data, size);
    for (size_t more = 1; more <= size; more += 40) {
        fixture_judge(&finding, PARLEY_SPAN(bundle.data, size + more));
        assert_int_equal(finding.error, PARLEY_E_TRAILING);
        assert_int_equal(finding.offset, size);
    }
}

/* Where the entries of the bundle lie: the seq of the one that holds that byte, or 0. */
static parley_seq seq_at[FIXTURE_BUNDLE_MAX];

static void map_entries(const struct fixture_bundle *of) {
    struct parley_bundle_finding finding;
    struct parley_bundle_entries entries;
    struct parley_bundle_entry entry;
    size_t consumed;
    struct parley_span rest = fixture_bundle_bytes(of);
    memset(seq_at, 0, sizeof seq_at);
    parley_bundle_judge_init(&judge);
    do {
        parley_bundle_judge_next(&judge, &finding, &consumed, rest, true);
        rest = PARLEY_SPAN(rest.data + consumed, rest.size - consumed);
        if (finding.kind != PARLEY_FINDING_CHUNK)
            continue;
        parley_bundle_entries_start(&entries, &finding);
        while (parley_bundle_entries_next(&entries, &entry))
            for (uint64_t at = entry.offset; at < finding.offset + finding.bytes.size; at++)
                seq_at[at] = entry.entry.header.seq;
    } while (!is_over(&finding));
}

/* chained: entries without a good signature of their own stand there, and what is named is the
 * lowest one that may be the damaged one. */
static void refuse_flips(const char *name, size_t step, bool chained) {
    struct parley_bundle_finding finding;
    make(&bundle, name);
    map_entries(&bundle);
    for (size_t bit = 0; bit < bundle.size * 8; bit += step) {
        bundle.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        fixture_judge(&finding, fixture_bundle_bytes(&bundle));
        assert_int_equal(finding.kind, PARLEY_FINDING_REFUSED);
        assert_int_not_equal(finding.error, PARLEY_E_OK);
        assert_true(finding.offset <= bundle.size);
        /* Damage within an entry names that very entry. */
        parley_seq damaged = seq_at[bit / 8];
        if (damaged > 0 &&
            (!finding.has_entry || finding.seq > damaged || (finding.seq < damaged && !chained)))
            fail_msg("%s: bit %zu is in entry %lu: %s at %lu, entry %lu", name, bit,
                     (unsigned long)damaged, parley_error_name(finding.error),
                     (unsigned long)finding.offset, (unsigned long)finding.seq);
        bundle.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_every_flip_is_refused_and_named(void **state) {
    refuse_flips("small", 1, false);
    refuse_flips("rotated", 11, false);
    refuse_flips("chained-across-chunks", 11, true);
}

static void test_swapped_sections_are_refused(void **state) {
    struct parley_bundle_finding finding;
    make(&bundle, "two-people");
    for (size_t a = 0; a + 1 < bundle.sections_count; a++)
        for (size_t b = a + 1; b + 1 < bundle.sections_count; b++) {
            const size_t *at = bundle.sections;
            size_t size_a = at[a + 1] - at[a], size_b = at[b + 1] - at[b];
            size_t between = at[b] - at[a + 1];
            uint8_t *out = other.data;
            memcpy(out, bundle.data, bundle.size);
            memcpy(out + at[a], bundle.data + at[b], size_b);
            memcpy(out + at[a] + size_b, bundle.data + at[a + 1], between);
            memcpy(out + at[a] + size_b + between, bundle.data + at[a], size_a);
            fixture_judge(&finding, PARLEY_SPAN(out, bundle.size));
            assert_int_equal(finding.kind, PARLEY_FINDING_REFUSED);
        }
}

static void test_swapped_entries_are_named(void **state) {
    struct parley_bundle_finding finding;
    size_t at[8], count = 0;
    make(&bundle, "small");
    map_entries(&bundle);
    for (size_t i = 1; i < bundle.size; i++)
        if (seq_at[i] != seq_at[i - 1])
            at[count++] = i;
    /* Entries 2 and 3, which stand beside each other in the first chunk. */
    size_t size_two = at[2] - at[1], size_three = at[3] - at[2];
    memcpy(other.data, bundle.data, bundle.size);
    memcpy(other.data + at[1], bundle.data + at[2], size_three);
    memcpy(other.data + at[1] + size_three, bundle.data + at[1], size_two);
    fixture_judge(&finding, PARLEY_SPAN(other.data, bundle.size));
    assert_int_equal(finding.error, PARLEY_E_BAD_SIGNATURE);
    assert_true(finding.has_entry);
    assert_int_equal(finding.seq, 2);
    assert_int_equal(finding.offset, at[1]);
}

static int start(void **state) {
    return parley_crypto_self_test() == PARLEY_E_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_a_full_buffer_changes_nothing),
        cmocka_unit_test(test_a_size_beyond_the_bound_is_not_waited_for),
        cmocka_unit_test(test_verdicts_do_not_depend_on_the_cuts),
        cmocka_unit_test(test_a_refusal_stays),
        cmocka_unit_test(test_what_good_bundles_hold),
        cmocka_unit_test(test_how_far_a_run_is_vouched_for),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_what_trails_is_refused),
        cmocka_unit_test(test_every_flip_is_refused_and_named),
        cmocka_unit_test(test_swapped_sections_are_refused),
        cmocka_unit_test(test_swapped_entries_are_named),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, start, NULL);
    return 0;
}
