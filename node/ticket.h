/* Tickets: who waits for the answer. A part of internal.h. */
#ifndef PARLEY_NODE_TICKET_H
#define PARLEY_NODE_TICKET_H

#include <parley/node.h>

enum ticket_kind {
    TICKET_JOB,
    TICKET_SERVE,
    TICKET_STORE,
    TICKET_REVIEW,
    TICKET_BODIES,
    TICKET_ADDRESS
};
static inline parley_ticket ticket_make(enum ticket_kind kind, uint32_t index,
                                        uint64_t generation) {
    return (parley_ticket)kind | (parley_ticket)index << 3 | (parley_ticket)generation << 35;
}
static inline enum ticket_kind ticket_kind_of(parley_ticket ticket) {
    return (enum ticket_kind)(ticket & 7);
}
static inline uint32_t ticket_index(parley_ticket ticket) {
    return (uint32_t)(ticket >> 3);
}
static inline uint16_t ticket_generation(parley_ticket ticket) {
    return (uint16_t)(ticket >> 35);
}

#endif
