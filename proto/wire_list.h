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
    WIRE_LOG,
    WIRE_RANGE,
    WIRE_ASK_SMALL,
    WIRE_RUN,
};

/* Reads and checks a whole list; the bounds of its count are inclusive. */
struct parley_wire_list parley_wire_read_list(struct parley_reader *reader, const char *field,
                                              enum wire_element element, size_t count_min,
                                              size_t count_max);
void parley_wire_write_list(struct parley_writer *writer, const struct parley_wire_list *list);

/* Elements that begin one after another; true while one is left to be read from it. */
bool parley_wire_begin_element(const struct parley_wire_list *list, struct parley_reader *reader);
bool parley_wire_end_element(struct parley_wire_list *list, const struct parley_reader *reader);

/* wire_range.c: one element each. */
void parley_wire_read_range(struct parley_reader *reader, struct parley_wire_range *range);
void parley_wire_read_ask_small(struct parley_reader *reader, struct parley_wire_ask_small *ask);
void parley_wire_read_small_run(struct parley_reader *reader, struct parley_wire_run *run);
/* Each begins where the one before ends, or later. */
bool parley_wire_ranges_ascend(struct parley_wire_list ranges);

/* A field of one element that is a fixed-size thing. */
#define READ_THING(reader, field, thing)                                                           \
    parley_read_fixed((reader), (field), (thing).bytes, sizeof(thing).bytes)

#endif
