/* Address records: where a node says that it can be reached, signed by its node key. SPEC 9.11.1.
 *
 * A record is one msgpack array whose last element is the signature. Signed is everything before
 * it, with the header of the complete array. What a place means, and whether anybody should dial
 * it, is not decided here.
 */
#ifndef PARLEY_ADDRESS_H
#define PARLEY_ADDRESS_H

#include <parley/crypto.h>
#include <parley/limits.h>
#include <parley/text.h>

#define PARLEY_ADDRESS_RECORD_VERSION 1u

/* Spans point into the bytes that were decoded. */
struct parley_address_record {
    struct parley_node_key key;
    parley_time_ms time; /* claimed; of two records of one node the newer counts */
    struct parley_span places;
    size_t places_count;
    struct parley_span signed_part;
    struct parley_signature signature;
};

/* The record of the node with that key; of places transport, host and port are written. Errors:
 * BAD_INPUT (no place or too many, a time beyond PARLEY_TIME_MAX), NO_SPACE. */
PARLEY_USE_RESULT enum parley_error
parley_address_record_make(struct parley_span *record, uint8_t *data, size_t size_max,
                           const struct parley_secret_key *node, parley_time_ms time,
                           const struct parley_address *places, size_t places_count);

/* The form alone, not the signature. Errors: those of the reader; BAD_VERSION; NOT_CANONICAL and
 * BAD_TEXT for a place that is not in the one form in which places are written. */
PARLEY_USE_RESULT struct parley_fault
parley_address_record_decode(struct parley_address_record *record, struct parley_span bytes);
/* What must hold for its signature. */
void parley_address_record_check(struct parley_check *check,
                                 const struct parley_address_record *record);
/* The next place, with the record's key; false at the end. Start with places = record->places. */
bool parley_address_record_next(struct parley_address *address,
                                const struct parley_address_record *record,
                                struct parley_span *places);

#endif
