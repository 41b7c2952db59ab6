/* An entry: a signed header and, apart from it, a body that can be erased. SPEC 5.
 *
 * Only the header decides whether an entry is valid; of the body exactly its size and salted hash.
 * Header bytes and header fields are a bijection, so that chunks may leave out what follows from
 * the neighbours and restore it bit for bit. An entry of an unknown version, or with ext, is
 * chained and carried like any other and never shown.
 */
#ifndef PARLEY_ENTRY_H
#define PARLEY_ENTRY_H

#include <parley/bytes.h>
#include <parley/crypto.h>
#include <parley/error.h>
#include <parley/limits.h>

struct parley_header {
    struct parley_log log;
    parley_seq seq;        /* 1 .. PARLEY_SEQ_MAX */
    struct parley_id prev; /* of seq - 1; zero exactly when seq is 1 */
    parley_time_ms time;   /* as claimed by the author, 0 .. PARLEY_TIME_MAX */
    uint32_t body_size;    /* 0 .. PARLEY_BODY_BYTES_MAX */
    struct parley_body_hash body_hash;
    uint8_t version;  /* 1 .. PARLEY_VERSION_MAX */
    uint8_t ext_size; /* 0: no ext; else 1 .. PARLEY_EXT_BYTES_MAX */
    uint8_t ext[PARLEY_EXT_BYTES_MAX];
};

struct parley_entry {
    struct parley_header header;
    struct parley_signature signature;
    struct parley_id id;     /* H("parley id", header bytes, signature) */
    bool has_body;           /* salt and body are here */
    struct parley_salt salt; /* with has_body only */
    struct parley_span body; /* borrowed; with has_body only */
};

/* A place in a log that is known to be authentic, or the zero place before the first entry. */
struct parley_anchor {
    parley_seq seq;
    struct parley_id id;
};

/* SPEC 5.1. OK, or OUT_OF_RANGE with the field when the fields are not those of a valid header. */
PARLEY_USE_RESULT struct parley_fault parley_header_validate(const struct parley_header *header);
/* The header's bytes; the header must be valid (asserted). Returns their count, at most
 * PARLEY_HEADER_BYTES_MAX. */
size_t parley_header_encode(uint8_t out[PARLEY_HEADER_BYTES_MAX],
                            const struct parley_header *header);
/* Strict. What is accepted encodes to the same bytes again (asserted). */
PARLEY_USE_RESULT struct parley_fault parley_header_decode(struct parley_header *header,
                                                           struct parley_span bytes);

/* H("parley body", salt, body). SPEC 5.3. */
void parley_body_hash(struct parley_body_hash *out, const struct parley_salt *salt,
                      struct parley_span body);
/* OK, or BAD_BODY when salt and body are not those of the header. */
PARLEY_USE_RESULT enum parley_error parley_body_check(const struct parley_header *header,
                                                      const struct parley_salt *salt,
                                                      struct parley_span body);

/* Fills id from header and signature. SPEC 5.4. */
void parley_entry_id(struct parley_entry *entry);
/* Signs: with has_body fills the header's body size and hash from salt and body, then signature
 * and id. The rest of the header is the caller's and must be valid (asserted). Deterministic.
 * About 40 us. */
void parley_entry_sign(struct parley_entry *entry, const struct parley_secret_key *device);
/* What must hold for the entry's own signature: one check for parley_check_holds, here or on
 * another thread. Looks at header and signature only. */
void parley_entry_check(struct parley_check *check, const struct parley_entry *entry,
                        const struct parley_device_key *device);

#endif
