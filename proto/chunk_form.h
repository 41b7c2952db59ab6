/* The shape of a chunk, for its reader and its writer. SPEC 6.1. */
#ifndef PARLEY_PROTO_CHUNK_FORM_H
#define PARLEY_PROTO_CHUNK_FORM_H

#include <parley/log.h>

#define CHUNK_ELEMENTS_COUNT  4u
#define ITEM_ELEMENTS_MIN     3u
#define ITEM_ELEMENTS_MAX     5u
#define SIGNATURE_SIZE        sizeof(struct parley_signature)
#define SIGNED_BODY_SIZE      (SIGNATURE_SIZE + sizeof(struct parley_salt))
#define SIGNED_BODY_HASH_SIZE (SIGNATURE_SIZE + sizeof(struct parley_body_hash))

#endif
