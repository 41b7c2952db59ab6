/* Messages that a peer in node_fuzz.c can say, each made of a few bytes of the input. What is
 * returned stands until the next call. */
#ifndef PARLEY_TESTS_FUZZ_NODE_MESSAGE_H
#define PARLEY_TESTS_FUZZ_NODE_MESSAGE_H

#include "node_world.h"

enum parley_wire_type message_type(unsigned number);
/* a and b choose whom and what it is about. */
const struct parley_wire_message *message_make(struct puppet *puppet, enum parley_wire_type type,
                                               uint8_t a, uint8_t b);
/* NULL when there is nothing to say. how 0: as an honest peer who has everything. */
const struct parley_wire_message *message_answer(struct puppet *puppet, const struct ask *ask,
                                                 uint8_t how);
/* which: those to leave out as low bits; the highest: the last one is badly signed. */
const struct parley_wire_message *message_records(const struct person *person, uint8_t which);
const struct parley_wire_message *message_push(struct parley_span chunk);
struct parley_span message_record(const struct person *person, size_t index, bool is_badly_signed);
/* how: branch, bodies and a bad signature as bits; place: the lower and the upper end. */
struct parley_span message_chunk(const struct person *person, uint8_t how, uint8_t place);
/* Empty when it does not fit. */
struct parley_span message_write(const struct parley_wire_message *message);

#endif
