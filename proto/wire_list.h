/* The elements of the lists in messages: how each is read and checked. SPEC 9. */
#ifndef PARLEY_PROTO_WIRE_LIST_H
#define PARLEY_PROTO_WIRE_LIST_H

#include <parley/wire.h>

enum wire_element {
    WIRE_AUTHOR,
    WIRE_AUTHOR_HEADS,
    WIRE_HEAD,
    WIRE_BODY,
    WIRE_PLACE,
    WIRE_RECORD,
    WIRE_ADDRESS,
};

/* Reads and checks a whole list; the bounds of its count are inclusive. */
struct parley_wire_list parley_wire_read_list(struct parley_reader *reader, const char *field,
                                              enum wire_element element, size_t count_min,
                                              size_t count_max);
void parley_wire_write_list(struct parley_writer *writer, const struct parley_wire_list *list);

/* A field of one element that is a fixed-size thing. */
#define READ_THING(reader, field, thing)                                                           \
    parley_read_fixed((reader), (field), (thing).bytes, sizeof(thing).bytes)

#endif
