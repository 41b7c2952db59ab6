/* Writes a bundle of made-up posts to standard output: AUTHORS people with POSTS posts of 200
 * characters each, always the same ones. For benchmarks and tests. */
#include <parley/body.h>
#include <parley/bundle.h>
#include <parley/identity.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_BYTES 200u

static uint8_t section[PARLEY_BUNDLE_SECTION_MAX];

static void must(bool holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "make_bundle: %s\n", what);
    exit(4);
}

static void put(struct parley_span bytes) {
    must(fwrite(bytes.data, 1, bytes.size, stdout) == bytes.size, "cannot write");
}

struct person {
    struct parley_author author;
    struct parley_secret_key device;
    struct parley_log log;
};

static void write_identity(struct parley_bundle_writer *writer, struct person *person,
                           uint32_t number) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE] = {0}, bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_secret_key root;
    struct parley_root_key root_key;
    struct parley_device_key device_key;
    struct parley_seed seed = {{1}};
    struct parley_span record, out;
    parley_put_u32(entropy, number);
    parley_put_u32(seed.bytes + 4, number);
    parley_root_derive(&root, &root_key, entropy, 0);
    parley_author_derive(&person->author, entropy);
    parley_key_pair(&person->device, device_key.bytes, &seed);
    parley_log_derive(&person->log, &person->author, &device_key);
    must(parley_rotation_make(&record, bytes, sizeof bytes, entropy, 0, NULL, 0) == PARLEY_E_OK &&
             parley_bundle_write_record(writer, &out, section, sizeof section, record) ==
                 PARLEY_E_OK,
         "the inception does not fit");
    put(out);
    must(parley_certificate_make(&record, bytes, sizeof bytes, &root, &person->device,
                                 &person->author, 0) == PARLEY_E_OK &&
             parley_bundle_write_record(writer, &out, section, sizeof section, record) ==
                 PARLEY_E_OK,
         "the certificate does not fit");
    put(out);
}

static void fill_text(char *text, uint32_t number, uint32_t seq) {
    static const char *words[] = {"river ",  "stone ",  "lantern ", "morning ", "harbour ",
                                  "letter ", "winter ", "bridge ",  "orchard ", "signal "};
    size_t size = (size_t)snprintf(text, TEXT_BYTES, "%u/%u ", number, seq);
    for (uint32_t i = number * 31 + seq; size < TEXT_BYTES; i = i * 1103515245u + 12345u) {
        const char *word = words[(i >> 16) % 10];
        for (; *word != 0 && size < TEXT_BYTES; word++)
            text[size++] = *word;
    }
}

static void flush_chunk(struct parley_bundle_writer *writer, struct parley_chunk_writer *entries) {
    struct parley_chunk chunk;
    struct parley_span out;
    must(parley_chunk_decode(&chunk, parley_chunk_finish(entries)).error == PARLEY_E_OK &&
             parley_bundle_write_chunk(writer, &out, section, sizeof section, &chunk) ==
                 PARLEY_E_OK,
         "a chunk does not fit");
    put(out);
}

static void write_posts(struct parley_bundle_writer *writer, const struct person *person,
                        uint32_t number, uint32_t posts) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    static struct parley_body body;
    struct parley_chunk_writer entries;
    char text[TEXT_BYTES];
    uint8_t bytes[512];
    struct parley_entry entry = {.has_body = true};
    entry.header.version = PARLEY_ENTRY_VERSION;
    entry.header.log = person->log;
    parley_chunk_writer_init(&entries, buffer, sizeof buffer);
    for (uint32_t seq = 1; seq <= posts; seq++) {
        fill_text(text, number, seq);
        body = (struct parley_body){.kind = PARLEY_BODY_POST};
        body.post.text = PARLEY_SPAN(text, sizeof text);
        must(parley_body_encode(&entry.body, bytes, sizeof bytes, &body) == PARLEY_E_OK, "a body");
        entry.header.seq = seq;
        entry.header.time = 1600000000000u + 60000u * (uint64_t)seq + number;
        uint8_t salt[32];
        parley_hash_two(salt, "parley bench salt", PARLEY_SPAN_OF(person->log),
                        PARLEY_SPAN(&seq, sizeof seq));
        memcpy(entry.salt.bytes, salt, sizeof entry.salt.bytes);
        parley_entry_sign(&entry, &person->device);
        if (parley_chunk_add(&entries, &entry, true) != PARLEY_E_OK) {
            flush_chunk(writer, &entries);
            parley_chunk_writer_init(&entries, buffer, sizeof buffer);
            must(parley_chunk_add(&entries, &entry, true) == PARLEY_E_OK, "an entry");
        }
        entry.header.prev = entry.id;
    }
    flush_chunk(writer, &entries);
}

int main(int argc, char **argv) {
    if (argc != 3 || atol(argv[1]) < 1 || atol(argv[2]) < 1) {
        fprintf(stderr, "usage: make_bundle AUTHORS POSTS > FILE\n");
        return 2;
    }
    struct parley_bundle_writer writer;
    struct parley_span out;
    uint8_t start[PARLEY_BUNDLE_START_SIZE];
    must(parley_crypto_self_test() == PARLEY_E_OK, "the self test failed");
    parley_bundle_write_start(&writer, &out, start);
    put(out);
    for (uint32_t number = 0; number < (uint32_t)atol(argv[1]); number++) {
        struct person person;
        write_identity(&writer, &person, number);
        write_posts(&writer, &person, number, (uint32_t)atol(argv[2]));
    }
    must(parley_bundle_write_trailer(&writer, &out, section, sizeof section) == PARLEY_E_OK,
         "the trailer");
    put(out);
    must(fflush(stdout) == 0, "cannot write");
    return 0;
}
