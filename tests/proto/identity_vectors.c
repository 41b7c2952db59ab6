/* Writes tests/vectors/identity.txt to standard output: derivations, records good and bad, sets in
 * an order of arrival and their verdicts. A test compares it with what is in the tree. */
#include "person.h"

#include <stdio.h>

static struct person alice;
static struct made_record rotation_0, rotation_0b, rotation_2, closing, closing_void, certificate,
    certificate_2;

static void print_hex(const void *data, size_t size) {
    static char hex[2 * PARLEY_RECORD_BYTES_MAX + 1];
    parley_hex_encode(hex, data, size);
    printf(" %s", size > 0 ? hex : "-");
}

#define PRINT(thing) print_hex((thing).bytes, sizeof(thing).bytes)

static void print_person(uint8_t number) {
    struct person person;
    char words[PARLEY_WORDS_TEXT_SIZE];
    person_init(&person, number);
    parley_words_encode(words, person.entropy);
    printf("author");
    print_hex(person.entropy, sizeof person.entropy);
    PRINT(person.author);
    printf(" %s\n", words);
}

static void print_root(uint8_t generation) {
    struct parley_secret_key secret;
    struct parley_root_key key;
    struct parley_hash next;
    parley_root_derive(&secret, &key, alice.entropy, generation);
    parley_root_commitment(&next, alice.entropy, generation);
    printf("root");
    print_hex(alice.entropy, sizeof alice.entropy);
    printf(" %u", generation);
    PRINT(key);
    PRINT(next);
    puts("");
}

static void print_log(unsigned number) {
    struct parley_device_key device = person_device_key(number);
    struct parley_log log;
    parley_log_derive(&log, &alice.author, &device);
    printf("log");
    PRINT(alice.author);
    PRINT(device);
    PRINT(log);
    puts("");
}

static void print_record(const char *name, struct parley_span bytes,
                         const struct parley_root_key *root) {
    struct parley_record record;
    struct parley_fault fault = parley_record_decode(&record, bytes);
    bool has_form = fault.error == PARLEY_E_OK;
    if (has_form)
        fault = parley_record_verify(&record, root);
    printf("record %s %s", name, parley_error_name(fault.error));
    print_hex(bytes.data, bytes.size);
    PRINT(*root);
    if (has_form) {
        PRINT(record.author);
        printf(" %u", record.generation);
        PRINT(record.hash);
    } else {
        printf(" - 0 -");
    }
    puts("");
}

/* With a byte put in. */
static void print_edited(const char *name, const struct made_record *made, size_t offset,
                         uint8_t byte, const struct parley_root_key *root) {
    uint8_t copy[4096];
    memcpy(copy, made->bytes.data, made->bytes.size);
    copy[offset] = byte;
    print_record(name, PARLEY_SPAN(copy, made->bytes.size), root);
}

static void print_records(void) {
    struct parley_secret_key secret;
    struct parley_root_key root, other;
    parley_root_derive(&secret, &root, alice.entropy, 0);
    parley_root_derive(&secret, &other, alice.entropy, 1);
    print_record("inception", rotation_0.bytes, &root);
    print_record("rotation", rotation_2.bytes, &root);
    print_record("closing", closing.bytes, &root);
    print_record("closing-void", closing_void.bytes, &root);
    print_record("certificate", certificate.bytes, &root);
    print_record("another-root", certificate.bytes, &other);
    print_record("empty", PARLEY_NO_SPAN, &root);
    print_record("cut", PARLEY_SPAN(closing.bytes.data, closing.bytes.size - 1), &root);
    print_edited("version-unknown", &closing, 1, 2, &root);
    print_edited("version-0", &closing, 1, 0, &root);
    print_edited("kind-unknown", &closing, 2, 3, &root);
    print_edited("kind-of-other-form", &closing, 2, 2, &root);
    print_edited("generation-64", &closing, 37, 64, &root);
    print_edited("id-without-seq", &closing, 72, 0, &root);
    print_edited("root-signature", &closing, closing.bytes.size - 1, 0xff, &root);
    print_edited("device-signature", &certificate, certificate.bytes.size - 1, 0xff, &root);
    print_edited("listings-not-ascending", &rotation_2, 3 + 1 + 3 * 34 + 34 + 1 + 3, 0xff, &root);
    print_edited("another-author", &rotation_0, 10, 0x55, &root);
}

static void print_set(const char *name, const struct made_record *const *records, size_t count) {
    static const char *const kinds[] = {"void", "closed", "open"};
    struct parley_identity_fact facts[8];
    struct parley_listing listings[8];
    struct parley_identity_storage storage = {facts, 8, listings, 8};
    struct parley_identity set;
    struct parley_identity_hash hash;
    struct parley_identity_change change;
    parley_identity_init(&set, &alice.author, &storage);
    printf("set %s", name);
    for (size_t i = 0; i < count; i++) {
        (void)parley_identity_add(&set, &records[i]->record, &change);
        print_hex(records[i]->bytes.data, records[i]->bytes.size);
    }
    parley_identity_hash(&hash, &set);
    printf("\nhash %s", name);
    PRINT(hash);
    puts("");
    for (unsigned d = 1; d <= 3; d++) {
        struct parley_device_key device = person_device_key(d);
        struct parley_policy policy = parley_identity_policy(&set, &device);
        printf("verdict %s", name);
        PRINT(device);
        printf(" %s %llu", kinds[policy.kind], (unsigned long long)policy.seq);
        PRINT(policy.id);
        puts("");
    }
}

#define SET(name, ...)                                                                             \
    do {                                                                                           \
        const struct made_record *const records[] = {__VA_ARGS__};                                 \
        print_set(name, records, sizeof records / sizeof *records);                                \
    } while (0)

static void make_records(void) {
    struct parley_listing one[1] = {person_listing(2, 3, 0, false)};
    struct parley_listing two[2] = {person_listing(1, 6, 0, true), person_listing(2, 4, 0, false)};
    make_rotation(&rotation_0, &alice, 0, NULL, 0);
    make_rotation(&rotation_0b, &alice, 0, one, 1);
    make_rotation(&rotation_2, &alice, 2, two, 2);
    make_closing(&closing, &alice, 0, 1, 9, 0);
    make_closing(&closing_void, &alice, 0, 2, 0, 0);
    make_certificate(&certificate, &alice, 0, 1);
    make_certificate(&certificate_2, &alice, 2, 3);
}

int main(void) {
    if (parley_crypto_self_test() != PARLEY_E_OK)
        return 2;
    person_init(&alice, 1);
    make_records();
    puts("# Identity, SPEC 4. Columns are separated by spaces; bytes are hex, - for none.\n"
         "# author ENTROPY AUTHOR WORDS...");
    print_person(1);
    print_person(2);
    puts("# root ENTROPY GENERATION ROOT_KEY COMMITMENT");
    print_root(0);
    print_root(1);
    print_root(62);
    print_root(63);
    puts("# log AUTHOR DEVICE LOG");
    print_log(1);
    print_log(2);
    puts("# record NAME VERDICT BYTES ROOT_OF_THE_SET AUTHOR GENERATION HASH");
    print_records();
    puts("# set NAME RECORDS... in their order of arrival; then the set's hash, and\n"
         "# verdict NAME DEVICE void|closed|open SEQ ID");
    SET("nothing-revealed", &certificate);
    SET("certified", &rotation_0, &certificate);
    SET("closed", &rotation_0, &certificate, &closing);
    SET("closed-first", &rotation_0, &closing, &certificate);
    SET("voided", &rotation_0, &certificate, &closing, &closing_void);
    SET("two-rotations", &rotation_0, &rotation_0b);
    SET("two-rotations-turned", &rotation_0b, &rotation_0);
    SET("rotated", &rotation_0, &certificate, &closing, &rotation_2, &certificate_2);
    SET("rotated-late-records", &rotation_2, &closing, &rotation_0, &certificate, &certificate_2);
    return 0;
}
