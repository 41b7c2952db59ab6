#include "wire_list.h"

#include <assert.h>

/* ---- Reading one element: what these accept, next may rely on ----------------------------------
 */

static void read_author(struct parley_reader *reader, struct parley_author *author) {
    READ_THING(reader, "author", *author);
}

static void read_head(struct parley_reader *reader, struct parley_wire_head *head) {
    parley_read_array(reader, "head", 5, 5);
    READ_THING(reader, "log", head->log);
    head->seq = parley_read_uint(reader, "seq", 0, PARLEY_SEQ_MAX);
    READ_THING(reader, "id", head->id);
    if ((head->seq == 0) != PARLEY_IS_ZERO(head->id))
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, "id");
    head->forked_seq = parley_read_uint(reader, "forked seq", 0, PARLEY_SEQ_MAX);
    if (head->forked_seq != 0 && head->forked_seq <= head->seq)
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, "forked seq");
    head->low_seq = parley_read_uint(reader, "low seq", 0, head->seq);
}

static void read_author_heads(struct parley_reader *reader,
                              struct parley_wire_author_heads *heads) {
    parley_read_array(reader, "heads of an author", 3, 3);
    READ_THING(reader, "author", heads->author);
    parley_read_fixed(reader, "set hash", heads->set_hash, sizeof heads->set_hash);
    heads->heads = parley_wire_read_list(reader, "heads", WIRE_HEAD, 0, PARLEY_WIRE_HEADS_MAX);
}

static void read_body(struct parley_reader *reader, struct parley_wire_body *body) {
    parley_read_array(reader, "body of an entry", 3, 3);
    body->seq = parley_read_uint(reader, "seq", 1, PARLEY_SEQ_MAX);
    READ_THING(reader, "salt", body->salt);
    body->body = parley_read_bin(reader, "body", 0, PARLEY_BODY_BYTES_MAX);
}

static void read_place(struct parley_reader *reader, struct parley_wire_place *place) {
    parley_read_array(reader, "place", 3, 3);
    READ_THING(reader, "log", place->log);
    place->seq = parley_read_uint(reader, "seq", 1, PARLEY_SEQ_MAX);
    READ_THING(reader, "id", place->id);
}

static void read_record(struct parley_reader *reader, struct parley_span *record) {
    *record = parley_read_bin(reader, "record", 1, PARLEY_RECORD_BYTES_MAX);
}

static void read_address(struct parley_reader *reader, struct parley_span *record) {
    *record = parley_read_bin(reader, "address record", 1, PARLEY_ADDRESS_RECORD_MAX);
}

static void check_element(struct parley_reader *reader, enum wire_element element) {
    union {
        struct parley_author author;
        struct parley_wire_author_heads author_heads;
        struct parley_wire_head head;
        struct parley_wire_body body;
        struct parley_wire_place place;
        struct parley_span record;
        struct parley_log log;
        struct parley_wire_range range;
        struct parley_wire_ask_small ask;
        struct parley_wire_run run;
    } unused;
    switch (element) {
    case WIRE_AUTHOR:
        read_author(reader, &unused.author);
        break;
    case WIRE_AUTHOR_HEADS:
        read_author_heads(reader, &unused.author_heads);
        break;
    case WIRE_HEAD:
        read_head(reader, &unused.head);
        break;
    case WIRE_BODY:
        read_body(reader, &unused.body);
        break;
    case WIRE_PLACE:
        read_place(reader, &unused.place);
        break;
    case WIRE_RECORD:
        read_record(reader, &unused.record);
        break;
    case WIRE_ADDRESS:
        read_address(reader, &unused.record);
        break;
    case WIRE_LOG:
        READ_THING(reader, "log", unused.log);
        break;
    case WIRE_RANGE:
        parley_wire_read_range(reader, &unused.range);
        break;
    case WIRE_ASK_SMALL:
        parley_wire_read_ask_small(reader, &unused.ask);
        break;
    case WIRE_RUN:
        parley_wire_read_small_run(reader, &unused.run);
        break;
    }
}

/* ---- Lists -------------------------------------------------------------------------------------
 */

struct parley_wire_list parley_wire_read_list(struct parley_reader *reader, const char *field,
                                              enum wire_element element, size_t count_min,
                                              size_t count_max) {
    size_t count = parley_read_array(reader, field, count_min, count_max);
    const uint8_t *start = reader->at;
    for (size_t i = 0; i < count && reader->fault.error == PARLEY_E_OK; i++)
        check_element(reader, element);
    return (struct parley_wire_list){PARLEY_SPAN(start, reader->at - start), count};
}

void parley_wire_write_list(struct parley_writer *writer, const struct parley_wire_list *list) {
    parley_write_array(writer, list->count);
    parley_write_raw(writer, list->bytes);
}

struct parley_wire_list parley_wire_list_of(const struct parley_writer *writer, size_t count) {
    assert(!writer->overflowed);
    return (struct parley_wire_list){PARLEY_SPAN(writer->data, writer->size), count};
}

/* ---- Walking -----------------------------------------------------------------------------------
 */

bool parley_wire_begin_element(const struct parley_wire_list *list, struct parley_reader *reader) {
    parley_reader_init(reader, list->bytes);
    return list->count > 0;
}

/* A list was checked when it was decoded, or written by the put functions here. */
bool parley_wire_end_element(struct parley_wire_list *list, const struct parley_reader *reader) {
    assert(reader->fault.error == PARLEY_E_OK);
    list->bytes = PARLEY_SPAN(reader->at, reader->end - reader->at);
    list->count--;
    return true;
}

bool parley_wire_next_author(struct parley_wire_list *list, struct parley_author *author) {
    struct parley_reader reader;
    if (!parley_wire_begin_element(list, &reader))
        return false;
    read_author(&reader, author);
    return parley_wire_end_element(list, &reader);
}

bool parley_wire_next_author_heads(struct parley_wire_list *list,
                                   struct parley_wire_author_heads *heads) {
    struct parley_reader reader;
    if (!parley_wire_begin_element(list, &reader))
        return false;
    read_author_heads(&reader, heads);
    return parley_wire_end_element(list, &reader);
}

bool parley_wire_next_head(struct parley_wire_list *list, struct parley_wire_head *head) {
    struct parley_reader reader;
    if (!parley_wire_begin_element(list, &reader))
        return false;
    read_head(&reader, head);
    return parley_wire_end_element(list, &reader);
}

bool parley_wire_next_body(struct parley_wire_list *list, struct parley_wire_body *body) {
    struct parley_reader reader;
    if (!parley_wire_begin_element(list, &reader))
        return false;
    read_body(&reader, body);
    return parley_wire_end_element(list, &reader);
}

bool parley_wire_next_place(struct parley_wire_list *list, struct parley_wire_place *place) {
    struct parley_reader reader;
    if (!parley_wire_begin_element(list, &reader))
        return false;
    read_place(&reader, place);
    return parley_wire_end_element(list, &reader);
}

bool parley_wire_next_record(struct parley_wire_list *list, struct parley_span *record) {
    struct parley_reader reader;
    if (!parley_wire_begin_element(list, &reader))
        return false;
    read_record(&reader, record);
    return parley_wire_end_element(list, &reader);
}

bool parley_wire_next_address(struct parley_wire_list *list, struct parley_span *record) {
    struct parley_reader reader;
    if (!parley_wire_begin_element(list, &reader))
        return false;
    read_address(&reader, record);
    return parley_wire_end_element(list, &reader);
}

bool parley_wire_next_log(struct parley_wire_list *list, struct parley_log *log) {
    struct parley_reader reader;
    if (!parley_wire_begin_element(list, &reader))
        return false;
    READ_THING(&reader, "log", *log);
    return parley_wire_end_element(list, &reader);
}

/* ---- Writing one element -----------------------------------------------------------------------
 */

void parley_wire_put_author(struct parley_writer *writer, const struct parley_author *author) {
    PARLEY_WRITE_FIXED(writer, *author);
}

void parley_wire_put_head(struct parley_writer *writer, const struct parley_wire_head *head) {
    parley_write_array(writer, 5);
    PARLEY_WRITE_FIXED(writer, head->log);
    parley_write_uint(writer, head->seq);
    PARLEY_WRITE_FIXED(writer, head->id);
    parley_write_uint(writer, head->forked_seq);
    parley_write_uint(writer, head->low_seq);
}

void parley_wire_put_author_heads(struct parley_writer *writer,
                                  const struct parley_wire_author_heads *heads) {
    parley_write_array(writer, 3);
    PARLEY_WRITE_FIXED(writer, heads->author);
    parley_write_bin(writer, PARLEY_SPAN(heads->set_hash, sizeof heads->set_hash));
    parley_wire_write_list(writer, &heads->heads);
}

void parley_wire_put_body(struct parley_writer *writer, const struct parley_wire_body *body) {
    parley_write_array(writer, 3);
    parley_write_uint(writer, body->seq);
    PARLEY_WRITE_FIXED(writer, body->salt);
    parley_write_bin(writer, body->body);
}

void parley_wire_put_place(struct parley_writer *writer, const struct parley_wire_place *place) {
    parley_write_array(writer, 3);
    PARLEY_WRITE_FIXED(writer, place->log);
    parley_write_uint(writer, place->seq);
    PARLEY_WRITE_FIXED(writer, place->id);
}

void parley_wire_put_record(struct parley_writer *writer, struct parley_span record) {
    parley_write_bin(writer, record);
}

void parley_wire_put_address(struct parley_writer *writer, struct parley_span record) {
    parley_write_bin(writer, record);
}

void parley_wire_put_log(struct parley_writer *writer, const struct parley_log *log) {
    PARLEY_WRITE_FIXED(writer, *log);
}
