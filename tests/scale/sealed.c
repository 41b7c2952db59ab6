#include "scale.h"

#include <parley/link.h>
#include <parley/log.h>
#include <stdlib.h>

/* Messages are counted where they are sealed (--wrap): behind that they are bytes. */

enum parley_error __real_parley_link_seal(struct parley_link *link, uint8_t *out, size_t size_max,
                                          size_t *size, struct parley_span message);
enum parley_error __wrap_parley_link_seal(struct parley_link *link, uint8_t *out, size_t size_max,
                                          size_t *size, struct parley_span message);

static struct sealed {
    const uint8_t *out;
    struct scale_load load;
} * sealed;
static size_t sealed_count, sealed_max, sealed_next;

void sealed_begin(void) {
    sealed_count = sealed_next = 0;
}

static void read_chunk(struct scale_load *load, struct parley_span bytes) {
    struct parley_chunk chunk;
    if (bytes.size == 0 || parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK)
        return;
    load->author = person_of_log(sim_current, &chunk.log);
    load->low = chunk.seq_first;
    load->high = parley_chunk_seq_last(&chunk);
    load->payload_bytes = (uint32_t)bytes.size;
}

static struct scale_load load_of(struct parley_span bytes) {
    struct scale_load load = {.author = NOBODY};
    struct parley_wire_message message;
    uint64_t type;
    if (parley_wire_type(&type, bytes).error != PARLEY_E_OK || type >= TYPES_MAX)
        type = TYPES_MAX - 1;
    load.type = (uint8_t)type;
    bool has_chunk = type == PARLEY_WIRE_PUSH || type == PARLEY_WIRE_RUN;
    if (type == PARLEY_WIRE_BODIES)
        load.payload_bytes = (uint32_t)bytes.size;
    if (!has_chunk || parley_wire_decode(&message, bytes).error != PARLEY_E_OK)
        return load;
    read_chunk(&load, type == PARLEY_WIRE_PUSH ? message.as.push.chunk : message.as.run.chunk);
    return load;
}

enum parley_error __wrap_parley_link_seal(struct parley_link *link, uint8_t *out, size_t size_max,
                                          size_t *size, struct parley_span message) {
    if (sealed_count == sealed_max) {
        sealed_max = sealed_max == 0 ? 1024 : 2 * sealed_max;
        sealed = must(realloc(sealed, sealed_max * sizeof *sealed));
    }
    sealed[sealed_count++] = (struct sealed){out, load_of(message)};
    return __real_parley_link_seal(link, out, size_max, size, message);
}

bool sealed_find(const uint8_t *bytes, struct scale_load *load) {
    for (; sealed_next < sealed_count; sealed_next++)
        if (sealed[sealed_next].out == bytes) {
            *load = sealed[sealed_next++].load;
            return true;
        }
    return false;
}
