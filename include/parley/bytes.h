/* Spans, and the 32-byte things that the compiler keeps apart.
 *
 * A span is borrowed until the call returns (or, in effects, until the next step). Each kind of
 * key, name and hash is a struct of its own, so that a log cannot be passed where an author is
 * meant.
 */
#ifndef PARLEY_BYTES_H
#define PARLEY_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct parley_span {
    const uint8_t *data;
    size_t size;
};

#define PARLEY_SPAN(pointer, length)                                                               \
    ((struct parley_span){(const uint8_t *)(pointer), (size_t)(length)})
#define PARLEY_NO_SPAN ((struct parley_span){NULL, 0})
/* The span of one fixed-size thing below. */
#define PARLEY_SPAN_OF(thing) PARLEY_SPAN((thing).bytes, sizeof(thing).bytes)

#define PARLEY_BYTES_32(name)                                                                      \
    struct name {                                                                                  \
        uint8_t bytes[32];                                                                         \
    }

PARLEY_BYTES_32(parley_hash);       /* any BLAKE2b-256 that has no name of its own */
PARLEY_BYTES_32(parley_digest);     /* what a signature is made over */
PARLEY_BYTES_32(parley_author);     /* the name of a person */
PARLEY_BYTES_32(parley_root_key);   /* Ed25519 public key of one generation */
PARLEY_BYTES_32(parley_device_key); /* Ed25519 public key of a device */
PARLEY_BYTES_32(parley_node_key);   /* Ed25519 public key of a node */
PARLEY_BYTES_32(parley_log);        /* the name of a log */
PARLEY_BYTES_32(parley_id);         /* the id of an entry */
PARLEY_BYTES_32(parley_body_hash);
PARLEY_BYTES_32(parley_seed); /* secret: an Ed25519 seed */

struct parley_signature {
    uint8_t bytes[64];
};
struct parley_salt {
    uint8_t bytes[16];
};
/* Secret: what libsodium calls an Ed25519 secret key (seed and public key). */
struct parley_secret_key {
    uint8_t bytes[64];
};

typedef uint64_t parley_seq;     /* 1-based place in a log; 0 is "before the first" */
typedef uint64_t parley_time_ms; /* milliseconds since 1970, or of a monotonic clock */

/* Equality and order of two things of one kind; order is that of memcmp. */
#define PARLEY_EQUAL(a, b)                                                                         \
    (sizeof((a).bytes) == sizeof((b).bytes) && memcmp((a).bytes, (b).bytes, sizeof((a).bytes)) == 0)
#define PARLEY_COMPARE(a, b) memcmp((a).bytes, (b).bytes, sizeof((a).bytes))
#define PARLEY_IS_ZERO(a)    parley_is_zero((a).bytes, sizeof((a).bytes))

/* True when all bytes are zero. Not constant time: for public values. */
bool parley_is_zero(const uint8_t *data, size_t size);
bool parley_span_equal(struct parley_span a, struct parley_span b);

/* Lower-case hex of data and a final zero byte; text must hold 2 * size + 1 bytes. */
void parley_hex_encode(char *text, const uint8_t *data, size_t size);
/* Exactly size bytes from 2 * size hex digits of either case; false otherwise. */
bool parley_hex_decode(uint8_t *data, size_t size, struct parley_span text);

/* Big endian, as many bytes as the name says. */
void parley_put_u32(uint8_t *out, uint32_t value);
void parley_put_u48(uint8_t *out, uint64_t value);
void parley_put_u64(uint8_t *out, uint64_t value);
uint32_t parley_get_u32(const uint8_t *in);
uint64_t parley_get_u48(const uint8_t *in);
uint64_t parley_get_u64(const uint8_t *in);

/* True when the bytes are well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
 * Zero bytes are allowed: text is a span. */
bool parley_utf8_is_valid(struct parley_span text);

#endif
