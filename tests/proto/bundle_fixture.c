#include "bundle_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static void add(struct fixture_bundle *bundle, enum parley_error error, struct parley_span out) {
    assert_int_equal(error, PARLEY_E_OK);
    assert_ptr_equal(out.data, bundle->data + bundle->size);
    assert_true(bundle->sections_count < FIXTURE_SECTIONS_MAX);
    bundle->sections[bundle->sections_count++] = bundle->size;
    bundle->size += out.size;
}

void fixture_bundle_start(struct fixture_bundle *bundle) {
    struct parley_span out;
    bundle->sections_count = 0;
    parley_bundle_write_start(&bundle->writer, &out, bundle->data);
    bundle->size = out.size;
}

void fixture_bundle_record(struct fixture_bundle *bundle, struct parley_span record) {
    struct parley_span out;
    enum parley_error error =
        parley_bundle_write_record(&bundle->writer, &out, bundle->data + bundle->size,
                                   sizeof bundle->data - bundle->size, record);
    add(bundle, error, out);
}

void fixture_bundle_chunk(struct fixture_bundle *bundle, struct parley_span bytes) {
    struct parley_span out;
    struct parley_chunk chunk;
    assert_int_equal(parley_chunk_decode(&chunk, bytes).error, PARLEY_E_OK);
    enum parley_error error =
        parley_bundle_write_chunk(&bundle->writer, &out, bundle->data + bundle->size,
                                  sizeof bundle->data - bundle->size, &chunk);
    add(bundle, error, out);
}

void fixture_bundle_trailer(struct fixture_bundle *bundle) {
    struct parley_span out;
    enum parley_error error = parley_bundle_write_trailer(
        &bundle->writer, &out, bundle->data + bundle->size, sizeof bundle->data - bundle->size);
    add(bundle, error, out);
}

struct parley_span fixture_bundle_bytes(const struct fixture_bundle *bundle) {
    return PARLEY_SPAN(bundle->data, bundle->size);
}

static void add_made(struct fixture_bundle *bundle, struct made_record *made) {
    fixture_bundle_record(bundle, made->bytes);
    free_records(made, 1);
}

void fixture_bundle_rotation(struct fixture_bundle *bundle, const struct person *person,
                             uint8_t generation, struct parley_listing *listings, size_t count) {
    struct made_record made;
    make_rotation(&made, person, generation, listings, count);
    add_made(bundle, &made);
}

void fixture_bundle_certificate(struct fixture_bundle *bundle, const struct person *person,
                                uint8_t generation, unsigned device) {
    struct made_record made;
    make_certificate(&made, person, generation, device);
    add_made(bundle, &made);
}

void fixture_bundle_closing(struct fixture_bundle *bundle, const struct person *person,
                            uint8_t generation, unsigned device, const struct parley_entry *last) {
    uint8_t data[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_span bytes;
    struct parley_secret_key root;
    struct parley_root_key root_key;
    struct parley_device_key key = person_device_key(device);
    parley_root_derive(&root, &root_key, person->entropy, generation);
    assert_int_equal(parley_closing_make(&bytes, data, sizeof data, &root, &person->author,
                                         generation, &key, last->header.seq, &last->id),
                     PARLEY_E_OK);
    fixture_bundle_record(bundle, bytes);
}

void fixture_bundle_run(struct fixture_bundle *bundle, const struct parley_entry *entries,
                        size_t count, size_t chunk_count, bool with_bodies) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    for (size_t i = 0; i < count; i += chunk_count) {
        size_t left = count - i;
        fixture_bundle_chunk(bundle,
                             fixture_chunk(buffer, entries + i,
                                           left < chunk_count ? left : chunk_count, with_bodies));
    }
}

void fixture_person_device(struct fixture_device *device, const struct person *person,
                           unsigned number) {
    person_device(&device->secret, &device->key, number);
    device->author = person->author;
    parley_log_derive(&device->log, &device->author, &device->key);
}

struct parley_listing fixture_listing(unsigned device, const struct parley_entry *last,
                                      bool ended) {
    return (struct parley_listing){.device = person_device_key(device),
                                   .seq = last->header.seq,
                                   .id = last->id,
                                   .ended = ended};
}

void fixture_judge(struct parley_bundle_finding *finding, struct parley_span bytes) {
    static struct parley_bundle_judge judge;
    size_t consumed;
    parley_bundle_judge_init(&judge);
    do {
        parley_bundle_judge_next(&judge, finding, &consumed, bytes, true);
        bytes = PARLEY_SPAN(bytes.data + consumed, bytes.size - consumed);
    } while (finding->kind != PARLEY_FINDING_END && finding->kind != PARLEY_FINDING_REFUSED);
}

/* ---- The named bundles. */

#define ENTRIES 6

static struct person alice, bob;
static struct fixture_device phone, laptop, other;
static struct parley_entry on_phone[ENTRIES], on_laptop[ENTRIES], of_bob[ENTRIES];

/* Alice with a phone (device 1) and a laptop (2); Bob with a device 3. */
static void make_people(void) {
    person_init(&alice, 1);
    person_init(&bob, 2);
    fixture_person_device(&phone, &alice, 1);
    fixture_person_device(&laptop, &alice, 2);
    fixture_person_device(&other, &bob, 3);
    fixture_log(&phone, on_phone, ENTRIES);
    fixture_log(&laptop, on_laptop, ENTRIES);
    fixture_log(&other, of_bob, ENTRIES);
}

/* What most begin with: Alice's inception and her phone. */
static void start_alice(struct fixture_bundle *bundle) {
    make_people();
    fixture_bundle_start(bundle);
    fixture_bundle_rotation(bundle, &alice, 0, NULL, 0);
    fixture_bundle_certificate(bundle, &alice, 0, 1);
}

static void make_small(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_run(bundle, on_phone, 5, 3, true);
    fixture_bundle_trailer(bundle);
}

static void make_nothing(struct fixture_bundle *bundle) {
    fixture_bundle_start(bundle);
    fixture_bundle_trailer(bundle);
}

static void make_two_people(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_certificate(bundle, &alice, 0, 2);
    fixture_bundle_run(bundle, on_phone, 6, 4, true);
    fixture_bundle_run(bundle, on_laptop, 2, 4, false);
    fixture_bundle_run(bundle, on_laptop + 3, 3, 4, true);
    fixture_bundle_rotation(bundle, &bob, 0, NULL, 0);
    fixture_bundle_certificate(bundle, &bob, 0, 3);
    fixture_bundle_run(bundle, of_bob, 6, 6, true);
    fixture_bundle_trailer(bundle);
}

static void make_rotated(struct fixture_bundle *bundle) {
    make_people();
    struct parley_listing listings[2] = {fixture_listing(1, &on_phone[3], true),
                                         fixture_listing(2, &on_laptop[1], false)};
    fixture_bundle_start(bundle);
    fixture_bundle_rotation(bundle, &alice, 2, listings, 2);
    fixture_bundle_run(bundle, on_phone, 4, 2, true);
    fixture_bundle_run(bundle, on_laptop, 6, 4, true);
    fixture_bundle_trailer(bundle);
}

/* An entry whose own signature is bad, with good ones on top of it. */
static void break_signature(struct parley_entry *entry) {
    entry->signature.bytes[5] ^= 1;
    parley_entry_id(entry);
}

static void make_chained(struct fixture_bundle *bundle) {
    start_alice(bundle);
    break_signature(&on_phone[1]);
    fixture_branch(&phone, &on_phone[2], 3, &on_phone[1], 0);
    fixture_bundle_run(bundle, on_phone, 5, 5, true);
    fixture_bundle_trailer(bundle);
}

static void make_closed_at_chained(struct fixture_bundle *bundle) {
    start_alice(bundle);
    break_signature(&on_phone[2]);
    fixture_bundle_closing(bundle, &alice, 0, 1, &on_phone[2]);
    fixture_bundle_run(bundle, on_phone, 3, 3, true);
    fixture_bundle_trailer(bundle);
}

static void make_bad_top(struct fixture_bundle *bundle) {
    start_alice(bundle);
    break_signature(&on_phone[4]);
    fixture_bundle_run(bundle, on_phone, 5, 5, true);
    fixture_bundle_trailer(bundle);
}

static void make_bad_middle(struct fixture_bundle *bundle) {
    make_small(bundle);
    /* In the second entry: behind the section's head, the chunk's head and the first item. */
    bundle->data[bundle->sections[2] + 6 + 72 + 120] ^= 4;
}

static void make_bad_certificate(struct fixture_bundle *bundle) {
    make_small(bundle);
    bundle->data[bundle->sections[2] - 1] ^= 1;
}

static void make_foreign_log(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_run(bundle, on_laptop, 3, 3, true);
    fixture_bundle_trailer(bundle);
}

static void make_void_log(struct fixture_bundle *bundle) {
    struct parley_entry none = {0};
    start_alice(bundle);
    fixture_bundle_closing(bundle, &alice, 0, 1, &none);
    fixture_bundle_run(bundle, on_phone, 3, 3, true);
    fixture_bundle_trailer(bundle);
}

static void make_beyond_closing(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_closing(bundle, &alice, 0, 1, &on_phone[2]);
    fixture_bundle_run(bundle, on_phone, 5, 5, true);
    fixture_bundle_trailer(bundle);
}

static void make_before_closing(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_closing(bundle, &alice, 0, 1, &on_phone[4]);
    fixture_bundle_run(bundle, on_phone, 3, 3, true);
    fixture_bundle_trailer(bundle);
}

/* The thief's branch leaves the owner's below the listed entry. */
static void make_off_the_listing(struct fixture_bundle *bundle) {
    make_people();
    struct parley_listing listing = fixture_listing(1, &on_phone[3], false);
    fixture_branch(&phone, &on_phone[2], 4, &on_phone[1], 1);
    fixture_bundle_start(bundle);
    fixture_bundle_rotation(bundle, &alice, 1, &listing, 1);
    fixture_bundle_run(bundle, on_phone, 6, 6, true);
    fixture_bundle_trailer(bundle);
}

static void make_chunk_missing_link(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_run(bundle, on_phone, 3, 3, true);
    fixture_branch(&phone, &on_phone[2], 3, &on_phone[1], 1);
    fixture_bundle_run(bundle, on_phone + 3, 2, 2, true);
    fixture_bundle_trailer(bundle);
}

static void make_chunks_swapped(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_run(bundle, on_phone + 3, 2, 2, true);
    fixture_bundle_run(bundle, on_phone, 3, 3, true);
    fixture_bundle_trailer(bundle);
}

static void make_no_records(struct fixture_bundle *bundle) {
    make_people();
    fixture_bundle_start(bundle);
    fixture_bundle_run(bundle, on_phone, 3, 3, true);
    fixture_bundle_trailer(bundle);
}

static void make_unrevealed(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_certificate(bundle, &alice, 1, 2);
    fixture_bundle_trailer(bundle);
}

static void make_record_late(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_run(bundle, on_phone, 3, 3, true);
    fixture_bundle_certificate(bundle, &alice, 0, 2);
    fixture_bundle_trailer(bundle);
}

static void make_wrong_count(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_run(bundle, on_phone, 3, 3, true);
    bundle->writer.entries_count++;
    fixture_bundle_trailer(bundle);
}

static void make_wrong_hash(struct fixture_bundle *bundle) {
    make_small(bundle);
    bundle->data[bundle->size - 1] ^= 1;
}

static void make_no_trailer(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_run(bundle, on_phone, 5, 3, true);
}

static void make_cut(struct fixture_bundle *bundle) {
    make_small(bundle);
    bundle->size = bundle->sections[3] + 100;
}

static void make_trailing(struct fixture_bundle *bundle) {
    make_small(bundle);
    bundle->data[bundle->size++] = '\n';
}

static void make_no_bundle(struct fixture_bundle *bundle) {
    make_small(bundle);
    bundle->data[6] = '2';
}

/* The phone goes on above its first entry, whatever was said of it before. */
static void make_listing_alone(struct fixture_bundle *bundle) {
    make_people();
    struct parley_listing listing = fixture_listing(1, &on_phone[0], false);
    fixture_bundle_start(bundle);
    fixture_bundle_rotation(bundle, &alice, 1, &listing, 1);
    fixture_bundle_trailer(bundle);
}

static void make_closed_at_another(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_branch(&phone, &on_phone[3], 1, &on_phone[2], 1);
    fixture_bundle_closing(bundle, &alice, 0, 1, &on_phone[3]);
    fixture_bundle_trailer(bundle);
}

static void make_other_branch(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_branch(&phone, &on_phone[3], 2, &on_phone[2], 1);
    fixture_bundle_run(bundle, on_phone, 5, 5, true);
    fixture_bundle_trailer(bundle);
}

static void make_newest_alone(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_run(bundle, &on_phone[4], 1, 1, true);
    fixture_bundle_trailer(bundle);
}

static void make_headers_alone(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_run(bundle, on_phone, 5, 5, false);
    fixture_bundle_trailer(bundle);
}

/* Entries of the phone from the one at index `first` on, chained: signatures bad, up to the one at
 * index `good`, which bears a good one. */
static void chain_phone(size_t first, size_t good) {
    for (size_t i = first; i < ENTRIES; i++) {
        fixture_branch(&phone, &on_phone[i], 1, &on_phone[i - 1], 0);
        if (i != good)
            break_signature(&on_phone[i]);
    }
}

static void make_chained_across_chunks(struct fixture_bundle *bundle) {
    start_alice(bundle);
    chain_phone(1, 5);
    fixture_bundle_run(bundle, on_phone, 6, 2, true);
    fixture_bundle_trailer(bundle);
}

static void make_chained_to_the_end(struct fixture_bundle *bundle) {
    start_alice(bundle);
    chain_phone(2, ENTRIES);
    fixture_bundle_run(bundle, on_phone, 6, 3, true);
    fixture_bundle_trailer(bundle);
}

static void make_chained_then_a_gap(struct fixture_bundle *bundle) {
    start_alice(bundle);
    chain_phone(2, 5);
    fixture_bundle_run(bundle, on_phone, 3, 3, true);
    fixture_bundle_run(bundle, on_phone + 4, 2, 2, true);
    fixture_bundle_trailer(bundle);
}

/* A device that the records name without a certificate of its own: nothing bears its key. */
static void make_listed_chained(struct fixture_bundle *bundle) {
    make_people();
    chain_phone(1, ENTRIES);
    struct parley_listing listing = fixture_listing(1, &on_phone[5], true);
    fixture_bundle_start(bundle);
    fixture_bundle_rotation(bundle, &alice, 1, &listing, 1);
    fixture_bundle_run(bundle, on_phone, 6, 2, true);
    fixture_bundle_trailer(bundle);
}

static void make_log_comes_back(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_certificate(bundle, &alice, 0, 2);
    fixture_bundle_run(bundle, on_phone, 3, 3, true);
    fixture_bundle_run(bundle, on_laptop, 2, 2, true);
    fixture_bundle_run(bundle, on_phone + 3, 2, 2, true);
    fixture_bundle_trailer(bundle);
}

static void make_logs_descending(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_certificate(bundle, &alice, 0, 2);
    fixture_bundle_run(bundle, on_laptop, 2, 2, true);
    fixture_bundle_run(bundle, on_phone, 3, 3, true);
    fixture_bundle_trailer(bundle);
}

/* Lower rotations, void and repeated statements: reduced, and no damage. */
static void make_records_reduced(struct fixture_bundle *bundle) {
    start_alice(bundle);
    struct parley_listing listing = fixture_listing(1, &on_phone[1], false);
    fixture_bundle_rotation(bundle, &alice, 1, &listing, 1);
    fixture_bundle_rotation(bundle, &alice, 0, NULL, 0);
    fixture_bundle_certificate(bundle, &alice, 0, 1);
    fixture_bundle_certificate(bundle, &alice, 1, 2);
    fixture_bundle_certificate(bundle, &alice, 1, 2);
    fixture_bundle_run(bundle, on_phone, 4, 4, true);
    fixture_bundle_run(bundle, on_laptop, 2, 2, true);
    fixture_bundle_trailer(bundle);
}

/* The author again: another set, and whatever it says is judged by itself. */
static void make_author_again(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_run(bundle, on_phone, 3, 3, true);
    fixture_bundle_rotation(bundle, &alice, 0, NULL, 0);
    fixture_bundle_certificate(bundle, &alice, 0, 1);
    fixture_branch(&phone, on_phone, 3, NULL, 1);
    fixture_bundle_run(bundle, on_phone, 3, 3, true);
    fixture_bundle_trailer(bundle);
}

static void make_other_statement(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_rotation(bundle, &bob, 0, NULL, 0);
    fixture_bundle_certificate(bundle, &alice, 0, 2);
    fixture_bundle_trailer(bundle);
}

/* [2, "?"] and [1, 9, nil], of which the rest is not looked at; the second between two chunks. */
static void make_records_passed_over(struct fixture_bundle *bundle) {
    start_alice(bundle);
    fixture_bundle_record(bundle, PARLEY_SPAN((const uint8_t *)"\x92\x02\xa1?", 4));
    fixture_bundle_run(bundle, on_phone, 3, 3, true);
    fixture_bundle_record(bundle, PARLEY_SPAN((const uint8_t *)"\x93\x01\x09\xc0", 4));
    fixture_bundle_run(bundle, on_phone + 3, 2, 2, true);
    fixture_bundle_trailer(bundle);
}

const struct fixture_named_bundle fixture_named_bundles[] = {
    {"small", "one person, one device, five entries in two chunks", make_small},
    {"nothing", "no sections but the trailer", make_nothing},
    {"two-people", "two devices; two runs with a gap, one of them headers only; two people",
     make_two_people},
    {"rotated", "generation 2; one log listed as ended at 4, one as going on above 2",
     make_rotated},
    {"chained", "entry 2 bears a bad signature and a good one stands above it", make_chained},
    {"closed-at-chained", "the closing names an entry whose own signature is bad",
     make_closed_at_chained},
    {"bad-top", "the newest entry bears a bad signature", make_bad_top},
    {"bad-middle", "one bit of entry 2 flipped", make_bad_middle},
    {"bad-certificate", "one bit of the device's signature flipped", make_bad_certificate},
    {"foreign-log", "a log that no record speaks of", make_foreign_log},
    {"void-log", "a log that is closed at 0", make_void_log},
    {"beyond-closing", "entries above the closing", make_beyond_closing},
    {"before-closing", "a run that ends below the entry that the closing names",
     make_before_closing},
    {"off-the-listing", "signed entries that are not built on the listed one",
     make_off_the_listing},
    {"chunk-missing-link", "the second chunk continues another branch", make_chunk_missing_link},
    {"chunks-swapped", "the second chunk before the first", make_chunks_swapped},
    {"no-records", "a chunk and no identity record", make_no_records},
    {"unrevealed", "a certificate of a generation that no rotation reveals", make_unrevealed},
    {"record-late", "a record of the person behind the chunks", make_record_late},
    {"wrong-count", "the trailer counts one entry more", make_wrong_count},
    {"wrong-hash", "one bit of the trailer's hash flipped", make_wrong_hash},
    {"no-trailer", "ends where the trailer should be", make_no_trailer},
    {"cut", "ends within the second chunk", make_cut},
    {"trailing", "a line feed behind the trailer", make_trailing},
    {"no-bundle", "another file's start", make_no_bundle},
    {"closed-at-another", "a closing at 4 of another branch than that of `small`, and no entries",
     make_closed_at_another},
    {"other-branch", "entries 4 and 5 are others than those of `small`", make_other_branch},
    {"headers-alone", "the entries of `small` without their bodies", make_headers_alone},
    {"newest-alone", "entry 5 of `small` and none below", make_newest_alone},
    {"listing-alone", "a rotation that lists a log as going on above 1, and no entries",
     make_listing_alone},
    {"chained-across-chunks", "only the last of three chunks has a top with a good signature",
     make_chained_across_chunks},
    {"chained-to-the-end", "no signature is good from entry 3 to the end of the second chunk",
     make_chained_to_the_end},
    {"chained-then-a-gap", "a chained top, and the next run begins one higher",
     make_chained_then_a_gap},
    {"listed-chained", "three chunks without a good top; the last is the entry that is listed",
     make_listed_chained},
    {"log-comes-back", "a log, another one, and the first again", make_log_comes_back},
    {"logs-descending", "two logs, the one with the higher name first", make_logs_descending},
    {"records-reduced", "three rotations, void and repeated certificates", make_records_reduced},
    {"author-again", "the author a second time, with another branch of the log", make_author_again},
    {"other-statement", "a certificate of another author than the one at hand",
     make_other_statement},
    {"records-passed-over", "a record of version 2 and one of kind 9", make_records_passed_over},
};
const size_t fixture_named_bundles_count =
    sizeof fixture_named_bundles / sizeof *fixture_named_bundles;
