#include "log_fixture.h"

#include <stdio.h>
#include <stdlib.h>

void fixture_device(struct fixture_device *device, uint8_t number) {
    struct parley_seed seed;
    memset(seed.bytes, number, sizeof seed);
    parley_key_pair(&device->secret, device->key.bytes, &seed);
    memset(device->author.bytes, number ^ 0xa0, sizeof device->author);
    parley_hash_two(device->log.bytes, PARLEY_DOMAIN_LOG, PARLEY_SPAN_OF(device->author),
                    PARLEY_SPAN_OF(device->key));
}

struct parley_entry fixture_entry(const struct fixture_device *device, parley_seq seq,
                                  const struct parley_id *prev, parley_time_ms time,
                                  const char *text) {
    struct parley_entry entry = {
        .header = {.log = device->log,
                   .seq = seq,
                   .prev = *prev,
                   .time = time,
                   .version = PARLEY_ENTRY_VERSION},
        .has_body = true,
        .body = PARLEY_SPAN(text, strlen(text)),
    };
    for (size_t i = 0; i < sizeof entry.salt; i++)
        entry.salt.bytes[i] = (uint8_t)(seq * 7 + i);
    parley_entry_sign(&entry, &device->secret);
    return entry;
}

/* Bodies that differ by branch and place, and outlive the entries. */
static const char *text_of(unsigned branch, parley_seq seq) {
    static char texts[8][2048][16];
    char *text = texts[branch % 8][seq % 2048];
    snprintf(text, 16, "b%u e%u", branch % 8, (unsigned)(seq % 2048));
    return text;
}

void fixture_branch(const struct fixture_device *device, struct parley_entry *entries, size_t count,
                    const struct parley_entry *base, unsigned branch) {
    struct parley_id prev = {{0}};
    parley_seq seq = 1;
    if (base != NULL) {
        prev = base->id;
        seq = base->header.seq + 1;
    }
    for (size_t i = 0; i < count; i++, seq++) {
        entries[i] =
            fixture_entry(device, seq, &prev, 1700000000000 + seq * 1000, text_of(branch, seq));
        prev = entries[i].id;
    }
}

void fixture_log(const struct fixture_device *device, struct parley_entry *entries, size_t count) {
    fixture_branch(device, entries, count, NULL, 0);
}

struct parley_span fixture_chunk(uint8_t *buffer, const struct parley_entry *entries, size_t count,
                                 bool with_bodies) {
    struct parley_chunk_writer writer;
    parley_chunk_writer_init(&writer, buffer, PARLEY_CHUNK_BUFFER_SIZE);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(parley_chunk_add(&writer, &entries[i], with_bodies), PARLEY_E_OK);
    return parley_chunk_finish(&writer);
}

struct parley_policy fixture_open(void) {
    return (struct parley_policy){.kind = PARLEY_POLICY_OPEN};
}

void vector_open(struct vector_file *file, const char *name) {
    const char *root = getenv("PARLEY_SOURCE_ROOT");
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/vectors/%s", root ? root : ".", name);
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        fail_msg("cannot open %s", path);
    fseek(in, 0, SEEK_END);
    size_t size = (size_t)ftell(in);
    rewind(in);
    file->text = file->next = calloc(1, size + 1);
    assert_int_equal(fread(file->text, 1, size, in), size);
    fclose(in);
}

bool vector_next(struct vector_file *file) {
    char *line, *save;
    while ((line = strsep(&file->next, "\n")) != NULL) {
        file->words_count = 0;
        for (char *word = strtok_r(line, " ", &save); word != NULL;
             word = strtok_r(NULL, " ", &save)) {
            assert_true(file->words_count < VECTOR_WORDS_MAX);
            file->words[file->words_count++] = word;
        }
        if (file->words_count > 0 && file->words[0][0] != '#')
            return true;
    }
    return false;
}

void vector_close(struct vector_file *file) {
    free(file->text);
}

uint8_t *vector_bytes(const char *word, struct parley_span *out) {
    size_t size = strcmp(word, "-") == 0 ? 0 : strlen(word) / 2;
    uint8_t *bytes = malloc(size + 1);
    assert_true(size == 0 || parley_hex_decode(bytes, size, PARLEY_SPAN(word, strlen(word))));
    *out = PARLEY_SPAN(bytes, size);
    return bytes;
}
