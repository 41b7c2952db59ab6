/* The wall around msgpack: one canonical subset, read without allocating. SPEC 1.
 *
 * Canonical: shortest integers and lengths, definite lengths, maps with ascending small-integer
 * keys, UTF-8 strings only where text is meant; no floats, no ext types, no duplicate keys.
 *
 * The reader is sticky: after the first error every read returns zero or an empty span and the
 * error stays, so a decoder reads all of its fields and asks once at the end. Spans that it
 * returns point into the input. The writer is sticky in the same way and writes through msgpack-c's
 * packer into a buffer of the caller's.
 */
#ifndef PARLEY_CODEC_H
#define PARLEY_CODEC_H

#include <parley/bytes.h>
#include <parley/error.h>

struct parley_reader {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    struct parley_fault fault; /* the first one */
};

void parley_reader_init(struct parley_reader *reader, struct parley_span bytes);
/* The field's name is a string literal that a fault carries. Bounds are inclusive. */
uint64_t parley_read_uint(struct parley_reader *reader, const char *field, uint64_t min,
                          uint64_t max);
int64_t parley_read_int(struct parley_reader *reader, const char *field, int64_t min, int64_t max);
/* A bin of exactly size bytes, copied to out. */
void parley_read_fixed(struct parley_reader *reader, const char *field, uint8_t *out, size_t size);
struct parley_span parley_read_bin(struct parley_reader *reader, const char *field, size_t size_min,
                                   size_t size_max);
/* A str that is valid UTF-8. */
struct parley_span parley_read_text(struct parley_reader *reader, const char *field,
                                    size_t size_min, size_t size_max);
/* The count of an array's elements; 0 after an error. What is left is not asked whether it holds
 * them: for heads of messages that nobody reads further (SPEC 9.1.1). */
size_t parley_read_array_head(struct parley_reader *reader, const char *field);
/* The count of elements; 0 after an error. */
size_t parley_read_array(struct parley_reader *reader, const char *field, size_t count_min,
                         size_t count_max);
size_t parley_read_map(struct parley_reader *reader, const char *field, size_t count_max);
/* The next key of a map: 0..127 and greater than *last (start with -1, updated here). */
uint8_t parley_read_key(struct parley_reader *reader, const char *field, int *last);
/* Reads over one canonical value of any allowed type, at most depth_max arrays or maps deep. */
void parley_read_skip(struct parley_reader *reader, const char *field, size_t depth_max);
/* True when the next value is a bin (and nothing failed); reads nothing. */
bool parley_next_is_bin(const struct parley_reader *reader);
/* True when nothing is left or an error stands. */
bool parley_reader_is_done(const struct parley_reader *reader);
/* Bytes consumed so far. */
size_t parley_reader_offset(const struct parley_reader *reader);
/* Records a fault at the current offset, unless one stands. */
void parley_reader_fail(struct parley_reader *reader, enum parley_error error, const char *field);
/* The first fault; TRAILING when bytes are left. */
PARLEY_USE_RESULT struct parley_fault parley_reader_finish(struct parley_reader *reader);

struct parley_writer {
    uint8_t *data;
    size_t size; /* written so far */
    size_t size_max;
    bool overflowed;
};

void parley_writer_init(struct parley_writer *writer, uint8_t *data, size_t size_max);
void parley_write_uint(struct parley_writer *writer, uint64_t value);
void parley_write_int(struct parley_writer *writer, int64_t value);
void parley_write_bin(struct parley_writer *writer, struct parley_span bytes);
void parley_write_text(struct parley_writer *writer, struct parley_span text);
void parley_write_array(struct parley_writer *writer, size_t count);
void parley_write_map(struct parley_writer *writer, size_t count);
/* Bytes that are canonical msgpack already. */
void parley_write_raw(struct parley_writer *writer, struct parley_span bytes);
#define PARLEY_WRITE_FIXED(writer, thing) parley_write_bin((writer), PARLEY_SPAN_OF(thing))

/* NO_SPACE when something did not fit; *out is what was written. */
PARLEY_USE_RESULT enum parley_error parley_writer_finish(const struct parley_writer *writer,
                                                         struct parley_span *out);

#endif
