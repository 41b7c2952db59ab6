/* Writes tests/vectors/{entries,chunks,runs}.txt: log_vectors NAME > FILE. What it writes follows
 * from nothing but this file and the encoding; a test compares it with what is in the tree. */
#include "log_fixture.h"

#include <parley/body.h>
#include <stdio.h>
#include <stdlib.h>

static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
static struct fixture_device device;
static struct parley_entry entries[6];

static void print_hex(struct parley_span bytes) {
    static char hex[2 * PARLEY_CHUNK_BUFFER_SIZE + 1];
    parley_hex_encode(hex, bytes.data, bytes.size);
    printf(" %s", bytes.size > 0 ? hex : "-");
}

/* ---- headers */

static void print_header(const char *name, struct parley_span bytes) {
    struct parley_header header;
    printf("header %s %s", name, parley_error_name(parley_header_decode(&header, bytes).error));
    print_hex(bytes);
    puts("");
}

/* A header's bytes with `drop` bytes at `at` replaced. */
static void print_edited(const char *name, const struct parley_header *header, size_t at,
                         size_t drop, const char *put, size_t put_size) {
    uint8_t bytes[PARLEY_HEADER_BYTES_MAX], edited[2 * PARLEY_HEADER_BYTES_MAX];
    size_t size = parley_header_encode(bytes, header);
    memcpy(edited, bytes, at);
    memcpy(edited + at, put, put_size);
    memcpy(edited + at + put_size, bytes + at + drop, size - at - drop);
    print_header(name, PARLEY_SPAN(edited, size - drop + put_size));
}

static void print_good(const char *name, const struct parley_header *header) {
    print_edited(name, header, 0, 0, "", 0);
}

static void good_headers(void) {
    struct parley_header header = entries[0].header;
    print_good("first", &header);
    header = entries[1].header;
    print_good("second", &header);
    header.seq = PARLEY_SEQ_MAX;
    print_good("seq-largest", &header);
    header.time = 0;
    print_good("time-zero", &header);
    header.time = PARLEY_TIME_MAX;
    print_good("time-largest", &header);
    header.body_size = 0;
    print_good("body-empty", &header);
    header.body_size = PARLEY_BODY_BYTES_MAX;
    print_good("body-largest", &header);
    header.version = PARLEY_VERSION_MAX;
    print_good("version-unknown", &header);
    header.ext_size = 1;
    print_good("ext-smallest", &header);
    header.ext_size = PARLEY_EXT_BYTES_MAX;
    memset(header.ext, 0xe5, sizeof header.ext);
    print_good("ext-largest", &header);
}

/* Of entries[1]: array 0, version 1, log 2, seq 36, prev 37, time 71, size 80, hash 81, end 115. */
static void bad_headers(void) {
    const struct parley_header *header = &entries[1].header;
    print_edited("six-elements", header, 0, 1, "\x96", 1);
    print_edited("nine-elements", header, 0, 1, "\x99", 1);
    print_edited("eight-elements-without-ext", header, 0, 1, "\x98", 1);
    print_edited("map", header, 0, 1, "\x87", 1);
    print_edited("long-array", header, 0, 1, "\xdc\x00\x07", 3);
    print_edited("version-zero", header, 1, 1, "\x00", 1);
    print_edited("version-128", header, 1, 1, "\xcc\x80", 2);
    print_edited("version-long-form", header, 1, 1, "\xcc\x01", 2);
    print_edited("log-as-text", header, 2, 2, "\xd9\x20", 2);
    print_edited("log-too-short", header, 2, 3, "\xc4\x1f", 2);
    print_edited("seq-zero", header, 36, 1, "\x00", 1);
    print_edited("seq-one-with-prev", header, 36, 1, "\x01", 1);
    print_edited("seq-negative", header, 36, 1, "\xff", 1);
    print_edited("seq-beyond-48-bits", header, 36, 1, "\xcf\x00\x01\x00\x00\x00\x00\x00\x00", 9);
    print_edited("seq-long-form", header, 36, 1, "\xcd\x00\x02", 3);
    print_edited("time-beyond-53-bits", header, 71, 9, "\xcf\x00\x20\x00\x00\x00\x00\x00\x00", 9);
    print_edited("time-float", header, 71, 1, "\xcb", 1);
    print_edited("size-beyond-limit", header, 80, 1, "\xce\x00\x01\x00\x01", 5);
    print_edited("size-nil", header, 80, 1, "\xc0", 1);
    print_edited("hash-too-long", header, 81, 2, "\xc4\x21", 2);
    print_edited("trailing", header, 115, 0, "\x00", 1);
    print_edited("cut", header, 114, 1, "", 0);
    struct parley_header first = entries[0].header;
    print_edited("seq-two-without-prev", &first, 36, 1, "\x02", 1);
    first.ext_size = 1;
    print_edited("ext-empty", &first, 115, 3, "\xc4\x00", 2);
    print_edited("ext-as-text", &first, 115, 3, "\xa1x", 2);
    print_header("empty", PARLEY_NO_SPAN);
}

/* ---- entries */

static void print_entry(const char *name, const struct parley_entry *entry) {
    uint8_t header[PARLEY_HEADER_BYTES_MAX];
    struct parley_entry own = *entry;
    struct parley_check check;
    size_t size = parley_header_encode(header, &own.header);
    parley_entry_id(&own);
    parley_entry_check(&check, &own, &device.key);
    enum parley_error error = parley_body_check(&own.header, &own.salt, own.body);
    if (error == PARLEY_E_OK && !parley_check_holds(&check))
        error = PARLEY_E_BAD_SIGNATURE;
    printf("entry %s %s", name, parley_error_name(error));
    print_hex(PARLEY_SPAN_OF(device.key));
    print_hex(PARLEY_SPAN(header, size));
    print_hex(PARLEY_SPAN_OF(own.signature));
    print_hex(PARLEY_SPAN_OF(own.salt));
    print_hex(own.body);
    print_hex(PARLEY_SPAN_OF(check.digest));
    print_hex(PARLEY_SPAN_OF(own.id));
    puts("");
}

static void print_entries(void) {
    struct parley_entry entry = entries[0];
    print_entry("first", &entry);
    print_entry("second", &entries[1]);
    entry.signature.bytes[0] ^= 1;
    print_entry("signature-changed", &entry);
    entry = entries[0];
    entry.header.time++;
    print_entry("header-changed", &entry);
    entry = entries[0];
    entry.body.size--;
    print_entry("body-shorter", &entry);
    entry = entries[0];
    entry.salt.bytes[0] ^= 1;
    print_entry("salt-changed", &entry);
}

/* ---- bodies */

static void print_body(const char *name, struct parley_span bytes) {
    static struct parley_body body;
    struct parley_fault fault = parley_body_decode(&body, bytes);
    printf("body %s %s %u", name, parley_error_name(fault.error), (unsigned)body.kind);
    print_hex(bytes);
    puts("");
}

static void print_encoded(const char *name, const struct parley_body *body) {
    static uint8_t bytes[PARLEY_BODY_BYTES_MAX];
    struct parley_span out;
    if (parley_body_encode(&out, bytes, sizeof bytes, body) != PARLEY_E_OK)
        abort();
    print_body(name, out);
}

static void good_bodies(void) {
    static struct parley_body body;
    struct parley_ref ref = {device.author, device.log, 2, entries[1].id};
    body = (struct parley_body){.kind = PARLEY_BODY_POST,
                                .post = {.text = PARLEY_SPAN("hello\r\nworld", 12)}};
    print_encoded("post", &body);
    body.post.has_root = body.post.has_parent = body.post.has_quote = true;
    body.post.root = body.post.parent = body.post.quote = ref;
    body.post.mentions_count = body.post.tags_count = 1;
    body.post.mentions[0] = device.author;
    body.post.tags[0] = PARLEY_SPAN("tag", 3);
    body.post.language = PARLEY_SPAN("en", 2);
    body.post.warning = PARLEY_SPAN("w", 1);
    print_encoded("post-with-everything", &body);
    body = (struct parley_body){.kind = PARLEY_BODY_PROFILE,
                                .profile = {PARLEY_SPAN("name", 4), PARLEY_SPAN("about", 5)}};
    print_encoded("profile", &body);
    body = (struct parley_body){.kind = PARLEY_BODY_ECHO, .echo = {ref, PARLEY_SPAN("see", 3)}};
    print_encoded("echo", &body);
    body = (struct parley_body){.kind = PARLEY_BODY_VOTE, .vote = {ref, -1}};
    print_encoded("vote", &body);
    body = (struct parley_body){.kind = PARLEY_BODY_FOLLOW, .follow = {device.author, true}};
    print_encoded("follow", &body);
    body = (struct parley_body){.kind = PARLEY_BODY_ERASE, .erase = {1, {ref}}};
    print_encoded("erase", &body);
    print_body("post-empty-text", PARLEY_SPAN("\x82\x00\x02\x01\xa0", 5));
    print_body("unknown-key-skipped", PARLEY_SPAN("\x83\x00\x02\x01\xa1x\x7f\x91\xc4\x00", 10));
}

static void bad_bodies(void) {
    print_body("kind-reserved", PARLEY_SPAN("\x81\x00\x07", 3));
    print_body("kind-zero", PARLEY_SPAN("\x81\x00\x00", 3));
    print_body("kind-unknown", PARLEY_SPAN("\x82\x00\xcd\x03\xe8\x01\xc0", 7));
    print_body("empty", PARLEY_NO_SPAN);
    print_body("empty-map", PARLEY_SPAN("\x80", 1));
    print_body("no-kind", PARLEY_SPAN("\x81\x01\xa1x", 4));
    print_body("array", PARLEY_SPAN("\x91\x02", 2));
    print_body("post-without-text", PARLEY_SPAN("\x81\x00\x02", 3));
    print_body("keys-descending", PARLEY_SPAN("\x83\x00\x02\x07\xa2"
                                              "en\x01\xa1x",
                                              10));
    print_body("key-twice", PARLEY_SPAN("\x83\x00\x02\x01\xa1x\x01\xa1y", 9));
    print_body("text-not-utf8", PARLEY_SPAN("\x82\x00\x02\x01\xa1\xff", 6));
    print_body("text-as-bin", PARLEY_SPAN("\x82\x00\x02\x01\xc4\x01x", 7));
    print_body("text-long-form", PARLEY_SPAN("\x82\x00\x02\x01\xd9\x01x", 7));
    print_body("tag-empty", PARLEY_SPAN("\x83\x00\x02\x01\xa1x\x06\x91\xa0", 9));
    print_body("tags-empty", PARLEY_SPAN("\x83\x00\x02\x01\xa1x\x06\x90", 8));
    print_body("trailing", PARLEY_SPAN("\x82\x00\x02\x01\xa1x\x00", 7));
    print_body("cut", PARLEY_SPAN("\x82\x00\x02\x01\xa2x", 6));
    print_body("vote-without-ref", PARLEY_SPAN("\x82\x00\x04\x02\x01", 5));
    print_body("unknown-key-float", PARLEY_SPAN("\x83\x00\x02\x01\xa1x\x7f\xca\0\0\0\0", 12));
    print_body("allocation-bomb", PARLEY_SPAN("\xdf\xff\xff\xff\xff", 5));
}

/* ---- chunks */

static void print_chunk(const char *name, struct parley_span bytes) {
    struct parley_chunk chunk;
    struct parley_entry top;
    struct parley_fault fault = parley_chunk_decode(&chunk, bytes);
    printf("chunk %s %s", name, parley_error_name(fault.error));
    print_hex(bytes);
    if (fault.error != PARLEY_E_OK) {
        puts(" - - - - -");
        return;
    }
    parley_chunk_find(&chunk, parley_chunk_seq_last(&chunk), &top);
    print_hex(PARLEY_SPAN_OF(chunk.log));
    printf(" %llu %zu %zu", (unsigned long long)chunk.seq_first, chunk.count, chunk.bodies_count);
    print_hex(PARLEY_SPAN_OF(top.id));
    puts("");
}

static struct parley_entry signed_again(struct parley_entry entry) {
    parley_entry_sign(&entry, &device.secret);
    return entry;
}

static void good_chunks(void) {
    print_chunk("one", fixture_chunk(buffer, entries, 1, true));
    print_chunk("six", fixture_chunk(buffer, entries, 6, true));
    print_chunk("six-header-only", fixture_chunk(buffer, entries, 6, false));
    print_chunk("from-the-middle", fixture_chunk(buffer, entries + 3, 3, true));
    struct parley_entry entry = entries[0];
    entry.header.version = 2;
    entry = signed_again(entry);
    print_chunk("version-two", fixture_chunk(buffer, &entry, 1, true));
    entry.header.ext_size = 3;
    memcpy(entry.header.ext, "ext", 3);
    entry = signed_again(entry);
    print_chunk("version-two-with-ext", fixture_chunk(buffer, &entry, 1, false));
    entry.header.version = 1;
    entry = signed_again(entry);
    print_chunk("version-one-with-ext", fixture_chunk(buffer, &entry, 1, true));
    entry = entries[0];
    entry.body = PARLEY_SPAN("", 0);
    entry = signed_again(entry);
    print_chunk("body-empty", fixture_chunk(buffer, &entry, 1, true));
    struct parley_entry pair[2] = {entries[0], entries[1]};
    pair[1].header.time = 5;
    pair[1] = signed_again(pair[1]);
    print_chunk("time-goes-back", fixture_chunk(buffer, pair, 2, true));
}

/* The bytes of a good chunk with `drop` bytes at `at` replaced. */
static void print_edited_chunk(const char *name, struct parley_span bytes, size_t at, size_t drop,
                               const char *put, size_t put_size) {
    static uint8_t edited[PARLEY_CHUNK_BUFFER_SIZE];
    memcpy(edited, bytes.data, at);
    memcpy(edited + at, put, put_size);
    memcpy(edited + at + put_size, bytes.data + at + drop, bytes.size - at - drop);
    print_chunk(name, PARLEY_SPAN(edited, bytes.size - drop + put_size));
}

/* Of entries[0] alone: log 1, seq 35, prev 36, count 70, item 71, time 72, signature 81, body 163.
 */
static void bad_chunks(void) {
    struct parley_span one = fixture_chunk(buffer, entries, 1, true);
    print_edited_chunk("no-entries", one, 70, one.size - 70, "\x90", 1);
    print_edited_chunk("more-entries-said", one, 70, 1, "\x92", 1);
    print_edited_chunk("fewer-entries-said", one, 70, 1, "\x90", 1);
    print_edited_chunk("count-long-form", one, 70, 1, "\xdc\x00\x01", 3);
    print_edited_chunk("count-huge", one, 70, 1, "\xdd\xff\xff\xff\xff", 5);
    print_edited_chunk("three-elements", one, 0, 1, "\x93", 1);
    print_edited_chunk("seq-zero", one, 35, 1, "\x00", 1);
    print_edited_chunk("seq-two-without-prev", one, 35, 1, "\x02", 1);
    print_edited_chunk("prev-of-the-first", one, 38, 1, "\x01", 1);
    print_edited_chunk("item-of-two", one, 71, 1, "\x92", 1);
    print_edited_chunk("item-of-six", one, 71, 1, "\x96", 1);
    print_edited_chunk("version-one-said", one, one.size, 0, "\x01", 1);
    static uint8_t four[256];
    memcpy(four, one.data, one.size);
    four[71] = 0x94;
    four[one.size] = 1;
    print_chunk("version-one-written", PARLEY_SPAN(four, one.size + 1));
    print_edited_chunk("time-negative", one, 72, 9, "\xff", 1);
    print_edited_chunk("time-too-large", one, 72, 9, "\xcf\x00\x20\x00\x00\x00\x00\x00\x00", 9);
    print_edited_chunk("signature-of-79", one, 81, 3, "\xc4\x4f", 2);
    print_edited_chunk("signature-of-81", one, 81, 2, "\xc4\x51x", 3);
    print_edited_chunk("body-as-text", one, 163, 2, "\xa5", 1);
    print_edited_chunk("trailing", one, one.size, 0, "\xc0", 1);
    print_edited_chunk("cut", one, one.size - 1, 1, "", 0);
    print_edited_chunk("seq-runs-over", fixture_chunk(buffer, entries + 1, 2, true), 35, 1,
                       "\xcf\x00\x00\xff\xff\xff\xff\xff\xff", 9);
    print_chunk("empty", PARLEY_NO_SPAN);
    print_chunk("allocation-bomb", PARLEY_SPAN("\xdd\xff\xff\xff\xff", 5));
}

/* ---- runs and the judge */

static const char *const policy_words[] = {
    [PARLEY_POLICY_VOID] = "void",
    [PARLEY_POLICY_CLOSED] = "closed",
    [PARLEY_POLICY_OPEN] = "open",
};

static void print_run(const char *name, enum parley_policy_kind kind, size_t pin, size_t anchor_at,
                      const struct parley_log *log, struct parley_span bytes) {
    struct parley_judged judged;
    struct parley_policy policy = {kind, pin, {{0}}};
    struct parley_anchor anchor = {anchor_at, {{0}}};
    if (pin > 0)
        policy.id = entries[pin - 1].id;
    if (anchor_at > 0)
        anchor.id = entries[anchor_at - 1].id;
    enum parley_error error = parley_judge_chunk(&judged, log, &policy, &device.key,
                                                 anchor_at > 0 ? &anchor : NULL, bytes)
                                  .error;
    if (error == PARLEY_E_OK && judged.needs_check && !parley_check_holds(&judged.check))
        error = PARLEY_E_BAD_SIGNATURE;
    printf("run %s %s %s %zu", name, parley_error_name(error), policy_words[kind], pin);
    print_hex(pin > 0 ? PARLEY_SPAN_OF(policy.id) : PARLEY_NO_SPAN);
    print_hex(PARLEY_SPAN_OF(device.key));
    printf(" %zu", anchor_at);
    print_hex(anchor_at > 0 ? PARLEY_SPAN_OF(anchor.id) : PARLEY_NO_SPAN);
    print_hex(PARLEY_SPAN_OF(*log));
    print_hex(bytes);
    puts("");
}

static void print_runs(void) {
    struct parley_log other = {{1}};
    struct parley_span bytes = fixture_chunk(buffer, entries + 1, 4, true);
    print_run("from-the-head", PARLEY_POLICY_OPEN, 0, 0, &device.log, bytes);
    print_run("above-a-listing", PARLEY_POLICY_OPEN, 4, 0, &device.log, bytes);
    print_run("at-a-listing", PARLEY_POLICY_OPEN, 5, 0, &device.log, bytes);
    print_run("below-a-listing", PARLEY_POLICY_OPEN, 6, 0, &device.log, bytes);
    print_run("log-void", PARLEY_POLICY_VOID, 0, 0, &device.log, bytes);
    print_run("log-closed", PARLEY_POLICY_CLOSED, 5, 0, &device.log, bytes);
    print_run("of-another-log", PARLEY_POLICY_OPEN, 0, 0, &other, bytes);
    print_run("anchored", PARLEY_POLICY_OPEN, 0, 5, &device.log, bytes);
    print_run("anchored-closed", PARLEY_POLICY_CLOSED, 5, 5, &device.log, bytes);
    print_run("anchored-at-a-listing", PARLEY_POLICY_OPEN, 5, 5, &device.log, bytes);
    print_run("anchored-elsewhere", PARLEY_POLICY_OPEN, 0, 4, &device.log, bytes);
    print_run("anchored-another-log", PARLEY_POLICY_OPEN, 0, 5, &other, bytes);
}

static void print_changed_runs(void) {
    struct parley_entry changed[3] = {entries[0], entries[1], entries[2]};
    changed[1].body = PARLEY_SPAN("changed", 7);
    struct parley_span bytes = fixture_chunk(buffer, changed, 3, true);
    print_run("body-changed", PARLEY_POLICY_OPEN, 0, 0, &device.log, bytes);
    print_run("body-changed-anchored", PARLEY_POLICY_OPEN, 0, 3, &device.log, bytes);
    changed[1] = entries[1];
    changed[2].signature.bytes[63] ^= 0x80;
    bytes = fixture_chunk(buffer, changed, 3, true);
    print_run("top-signature-changed", PARLEY_POLICY_OPEN, 0, 0, &device.log, bytes);
    print_run("top-signature-changed-anchored", PARLEY_POLICY_OPEN, 0, 3, &device.log, bytes);
    changed[0].signature.bytes[0] ^= 1;
    parley_entry_id(&changed[0]);
    changed[1] = fixture_entry(&device, 2, &changed[0].id, 9, "commits to it");
    bytes = fixture_chunk(buffer, changed, 2, true);
    print_run("chained", PARLEY_POLICY_OPEN, 0, 0, &device.log, bytes);
    bytes = fixture_chunk(buffer, changed, 1, true);
    print_run("not-chained", PARLEY_POLICY_OPEN, 0, 0, &device.log, bytes);
    print_run("not-a-chunk", PARLEY_POLICY_OPEN, 0, 0, &device.log, PARLEY_SPAN("\x94", 1));
}

int main(int argc, char **argv) {
    const char *what = argc == 2 ? argv[1] : "";
    if (parley_crypto_self_test() != PARLEY_E_OK)
        return 1;
    fixture_device(&device, 1);
    fixture_log(&device, entries, 6);
    if (strcmp(what, "entries") == 0) {
        puts("# header NAME EXPECT HEADER");
        good_headers();
        bad_headers();
        puts("# entry NAME EXPECT DEVICE_KEY HEADER SIGNATURE SALT BODY SIGN_DIGEST ID");
        print_entries();
        puts("# body NAME EXPECT KIND BODY");
        good_bodies();
        bad_bodies();
    } else if (strcmp(what, "chunks") == 0) {
        puts("# chunk NAME EXPECT CHUNK LOG SEQ_FIRST COUNT BODIES ID_OF_THE_TOP");
        good_chunks();
        bad_chunks();
    } else if (strcmp(what, "runs") == 0) {
        puts("# run NAME EXPECT POLICY ITS_SEQ ITS_ID DEVICE_KEY ANCHOR_SEQ ANCHOR_ID LOG CHUNK");
        print_runs();
        print_changed_runs();
    } else {
        fputs("usage: log_vectors entries|chunks|runs\n", stderr);
        return 64;
    }
    return 0;
}
