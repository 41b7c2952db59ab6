/* People of the stories: keys, records and entries from a number. */
#include "story.h"

void story_person(struct story_person *person, uint8_t number) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_secret_key root;
    struct parley_root_key root_key;
    struct parley_seed seed;
    memset(person, 0, sizeof *person);
    memset(entropy, number, sizeof entropy);
    memset(seed.bytes, number, sizeof seed.bytes);
    parley_author_derive(&person->author, entropy);
    parley_root_derive(&root, &root_key, entropy, 0);
    parley_key_pair(&person->device, person->device_key.bytes, &seed);
    parley_log_derive(&person->log, &person->author, &person->device_key);
    assert_int_equal(parley_rotation_make(&person->inception, person->inception_bytes,
                                          sizeof person->inception_bytes, entropy, 0, NULL, 0),
                     PARLEY_E_OK);
    assert_int_equal(parley_certificate_make(&person->certificate, person->certificate_bytes,
                                             sizeof person->certificate_bytes, &root,
                                             &person->device, &person->author, 0),
                     PARLEY_E_OK);
}

void story_device(struct story_person *person, uint8_t number, unsigned index) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_secret_key root;
    struct parley_root_key root_key;
    struct parley_seed seed = {{(uint8_t)index, (uint8_t)(index >> 8), 77}};
    memset(entropy, number, sizeof entropy);
    parley_root_derive(&root, &root_key, entropy, 0);
    parley_key_pair(&person->device, person->device_key.bytes, &seed);
    parley_log_derive(&person->log, &person->author, &person->device_key);
    memset(&person->id, 0, sizeof person->id);
    person->seq = 0;
    assert_int_equal(parley_certificate_make(&person->certificate, person->certificate_bytes,
                                             sizeof person->certificate_bytes, &root,
                                             &person->device, &person->author, 0),
                     PARLEY_E_OK);
}

static void add_entry(struct story_person *person, struct parley_chunk_writer *writer,
                      struct parley_span body) {
    struct parley_entry entry = {.has_body = true, .body = body};
    entry.header.version = PARLEY_ENTRY_VERSION;
    entry.header.log = person->log;
    entry.header.seq = ++person->seq;
    entry.header.prev = person->id;
    entry.header.time = STORY_WALL_START;
    parley_entry_sign(&entry, &person->device);
    person->id = entry.id;
    assert_int_equal(parley_chunk_add(writer, &entry, true), PARLEY_E_OK);
}

struct parley_span story_body(struct story_person *person, struct parley_span body,
                              uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE]) {
    struct parley_chunk_writer writer;
    parley_chunk_writer_init(&writer, buffer, PARLEY_CHUNK_BUFFER_SIZE);
    add_entry(person, &writer, body);
    return parley_chunk_finish(&writer);
}

struct parley_span story_entry(struct story_person *person, const char *text,
                               uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE]) {
    return story_body(person, PARLEY_SPAN(text, strlen(text)), buffer);
}

struct parley_span story_entries(struct story_person *person, size_t count,
                                 uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE]) {
    struct parley_chunk_writer writer;
    parley_chunk_writer_init(&writer, buffer, PARLEY_CHUNK_BUFFER_SIZE);
    for (size_t i = 0; i < count; i++)
        add_entry(person, &writer, PARLEY_SPAN("one of many", 11));
    return parley_chunk_finish(&writer);
}
