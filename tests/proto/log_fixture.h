/* Logs for tests: keys, salts and bodies follow from small numbers, so every run is the same. */
#ifndef PARLEY_TESTS_LOG_FIXTURE_H
#define PARLEY_TESTS_LOG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <parley/log.h>

struct fixture_device {
    struct parley_secret_key secret;
    struct parley_device_key key;
    struct parley_author author;
    struct parley_log log;
};
void fixture_device(struct fixture_device *device, uint8_t number);

/* Entry number seq on top of prev, signed. The body is text; it lives in the entry's caller. */
struct parley_entry fixture_entry(const struct fixture_device *device, parley_seq seq,
                                  const struct parley_id *prev, parley_time_ms time,
                                  const char *text);
/* count entries from seq 1 upwards, into entries[0 .. count - 1]; bodies say which one it is. */
void fixture_log(const struct fixture_device *device, struct parley_entry *entries, size_t count);
/* `count` entries above *base (NULL: from seq 1); branch makes them differ from other branches. */
void fixture_branch(const struct fixture_device *device, struct parley_entry *entries, size_t count,
                    const struct parley_entry *base, unsigned branch);
/* One chunk of entries; buffer holds PARLEY_CHUNK_BUFFER_SIZE; all must fit. */
struct parley_span fixture_chunk(uint8_t *buffer, const struct parley_entry *entries, size_t count,
                                 bool with_bodies);
struct parley_policy fixture_open(void);

/* The file tests/vectors/NAME, a case a line: words separated by blanks; '#' begins a comment. */
#define VECTOR_WORDS_MAX 16
struct vector_file {
    char *text;
    char *next;
    char *words[VECTOR_WORDS_MAX];
    size_t words_count;
};
void vector_open(struct vector_file *file, const char *name);
bool vector_next(struct vector_file *file);
void vector_close(struct vector_file *file);
/* The bytes of a hex word ("-" is none), in memory that the caller frees. */
uint8_t *vector_bytes(const char *word, struct parley_span *out);

#endif
