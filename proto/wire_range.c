#include <parley/wire.h>

#include <assert.h>

#include "wire_list.h"

/* Ranges of reconciliation and the small asks and runs that follow it: one element each. SPEC 11.
 */

#define FINGERPRINT_SIZE 16u
#define SHORT_SIZE       4u

static unsigned bits_of(uint64_t path) {
    unsigned bits = 0;
    while (path >> (bits + 1) != 0)
        bits++;
    return bits;
}

static size_t ones_of(uint8_t bitmap) {
    size_t count = 0;
    for (; bitmap != 0; bitmap &= (uint8_t)(bitmap - 1))
        count++;
    return count;
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

/* Each is above the one before. */
static uint8_t read_index(struct parley_reader *reader, uint64_t *least) {
    uint64_t index = parley_read_uint(reader, "index", *least, PARLEY_RECONCILE_LIST_MAX - 1);
    *least = index + 1;
    return (uint8_t)index;
}

static struct parley_wire_list read_indexes(struct parley_reader *reader) {
    size_t count = parley_read_array(reader, "indexes", 0, PARLEY_RECONCILE_LIST_MAX);
    const uint8_t *start = reader->at;
    uint64_t least = 0;
    for (size_t i = 0; i < count && reader->fault.error == PARLEY_E_OK; i++)
        (void)read_index(reader, &least);
    return (struct parley_wire_list){PARLEY_SPAN(start, reader->at - start), count};
}

static void read_item(struct parley_reader *reader, enum parley_range_form form, uint64_t *least,
                      struct parley_wire_item *item) {
    *item = (struct parley_wire_item){.index = read_index(reader, least)};
    if (form == PARLEY_RANGE_MORE) {
        item->seq = parley_read_uint(reader, "seq", 1, PARLEY_SEQ_MAX);
        return;
    }
    item->tag = (uint32_t)parley_read_uint(reader, "tag", 0, UINT32_MAX);
    uint64_t state = parley_read_uint(reader, "seq and set", 0, PARLEY_SEQ_MAX << 8 | 0xff);
    item->seq = state >> 8;
    item->set = state & 0xff;
}

/* Their numbers stand one after the other in one array. */
static size_t width_of(enum parley_range_form form) {
    return form == PARLEY_RANGE_DIFFER ? 3 : 2;
}

static struct parley_wire_list read_items(struct parley_reader *reader,
                                          enum parley_range_form form) {
    size_t width = width_of(form);
    size_t numbers = parley_read_array(reader, "items", 0, width * PARLEY_RECONCILE_LIST_MAX);
    if (numbers % width != 0)
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, "items");
    const uint8_t *start = reader->at;
    struct parley_wire_item item;
    uint64_t least = 0;
    for (size_t i = 0; i < numbers / width && reader->fault.error == PARLEY_E_OK; i++)
        read_item(reader, form, &least, &item);
    return (struct parley_wire_list){PARLEY_SPAN(start, reader->at - start), numbers / width};
}

static void read_split(struct parley_reader *reader, struct parley_wire_range *range) {
    range->children = (uint8_t)parley_read_uint(reader, "children", 1, UINT8_MAX);
    size_t size = FINGERPRINT_SIZE * ones_of(range->children);
    range->bytes = parley_read_bin(reader, "fingerprints", size, size);
}

static void read_list(struct parley_reader *reader, struct parley_wire_range *range) {
    range->bytes = parley_read_bin(reader, "list", 0, SHORT_SIZE * PARLEY_RECONCILE_LIST_MAX);
    if (range->bytes.size % SHORT_SIZE != 0)
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, "list");
}

static void read_answer(struct parley_reader *reader, struct parley_wire_range *range) {
    range->lacks = read_indexes(reader);
    range->items = read_items(reader, range->form);
    if (range->lacks.count == 0 && range->items.count == 0)
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, "range");
}

void parley_wire_read_range(struct parley_reader *reader, struct parley_wire_range *range) {
    memset(range, 0, sizeof *range);
    size_t count = parley_read_array(reader, "range", 3, 4);
    range->path =
        parley_read_uint(reader, "path", 1, (UINT64_C(2) << PARLEY_RECONCILE_DEPTH_BITS) - 1);
    range->form = (enum parley_range_form)parley_read_uint(reader, "form", PARLEY_RANGE_SPLIT,
                                                           PARLEY_RANGE_MORE);
    bool is_list = range->form == PARLEY_RANGE_LIST;
    bool may_split = bits_of(range->path) < PARLEY_RECONCILE_DEPTH_BITS;
    if (bits_of(range->path) % PARLEY_RECONCILE_SPLIT_BITS != 0 || count != (is_list ? 3 : 4) ||
        (range->form == PARLEY_RANGE_SPLIT && !may_split))
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, "range");
    if (range->form == PARLEY_RANGE_SPLIT)
        read_split(reader, range);
    else if (is_list)
        read_list(reader, range);
    else
        read_answer(reader, range);
}

void parley_wire_read_ask_small(struct parley_reader *reader, struct parley_wire_ask_small *ask) {
    parley_read_array(reader, "ask", 3, 3);
    ask->request = parley_read_uint(reader, "request", 0, PARLEY_WIRE_REQUEST_MAX);
    ask->place = parley_read_uint(reader, "place", 0, UINT64_MAX);
    ask->down_seq = parley_read_uint(reader, "down seq", 0, PARLEY_SEQ_MAX);
}

void parley_wire_read_small_run(struct parley_reader *reader, struct parley_wire_run *run) {
    parley_read_array(reader, "run", 3, 3);
    run->request = parley_read_uint(reader, "request", 0, PARLEY_WIRE_REQUEST_MAX);
    run->last = parley_read_uint(reader, "last", 0, 1) == 1;
    run->chunk = parley_read_bin(reader, "chunk", 0, PARLEY_CHUNK_LARGEST);
    if (run->chunk.size == 0 && !run->last)
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, "chunk");
}

/* The first key that comes after those of the path; 0 when it is the end of all. */
static uint64_t end_of(uint64_t path) {
    unsigned bits = bits_of(path);
    return bits == 0 ? 0 : (path + 1) << (64 - bits);
}

bool parley_wire_ranges_ascend(struct parley_wire_list ranges) {
    struct parley_wire_range range;
    uint64_t from = 0;
    for (bool is_first = true; parley_wire_next_range(&ranges, &range); is_first = false) {
        unsigned bits = bits_of(range.path);
        uint64_t start = bits == 0 ? 0 : range.path << (64 - bits);
        if (!is_first && (from == 0 || start < from))
            return false;
        from = end_of(range.path);
    }
    return true;
}

/* ---- Walking -----------------------------------------------------------------------------------
 */

bool parley_wire_next_range(struct parley_wire_list *list, struct parley_wire_range *range) {
    struct parley_reader reader;
    if (!parley_wire_begin_element(list, &reader))
        return false;
    parley_wire_read_range(&reader, range);
    return parley_wire_end_element(list, &reader);
}

bool parley_wire_next_index(struct parley_wire_list *list, uint8_t *index) {
    struct parley_reader reader;
    uint64_t least = 0;
    if (!parley_wire_begin_element(list, &reader))
        return false;
    *index = read_index(&reader, &least);
    return parley_wire_end_element(list, &reader);
}

bool parley_wire_next_item(struct parley_wire_list *list, enum parley_range_form form,
                           struct parley_wire_item *item) {
    struct parley_reader reader;
    uint64_t least = 0;
    if (!parley_wire_begin_element(list, &reader))
        return false;
    read_item(&reader, form, &least, item);
    return parley_wire_end_element(list, &reader);
}

bool parley_wire_next_ask_small(struct parley_wire_list *list, struct parley_wire_ask_small *ask) {
    struct parley_reader reader;
    if (!parley_wire_begin_element(list, &reader))
        return false;
    parley_wire_read_ask_small(&reader, ask);
    return parley_wire_end_element(list, &reader);
}

bool parley_wire_next_run(struct parley_wire_list *list, struct parley_wire_run *run) {
    struct parley_reader reader;
    if (!parley_wire_begin_element(list, &reader))
        return false;
    parley_wire_read_small_run(&reader, run);
    return parley_wire_end_element(list, &reader);
}

/* ---- Writing -----------------------------------------------------------------------------------
 */

static void write_items(struct parley_writer *writer, enum parley_range_form form,
                        const struct parley_wire_list *items) {
    parley_write_array(writer, width_of(form) * items->count);
    parley_write_raw(writer, items->bytes);
}

void parley_wire_put_range(struct parley_writer *writer, const struct parley_wire_range *range) {
    parley_write_array(writer, range->form == PARLEY_RANGE_LIST ? 3 : 4);
    parley_write_uint(writer, range->path);
    parley_write_uint(writer, range->form);
    switch (range->form) {
    case PARLEY_RANGE_SPLIT:
        assert(range->bytes.size == FINGERPRINT_SIZE * ones_of(range->children));
        parley_write_uint(writer, range->children);
        parley_write_bin(writer, range->bytes);
        break;
    case PARLEY_RANGE_LIST:
        parley_write_bin(writer, range->bytes);
        break;
    case PARLEY_RANGE_DIFFER:
    case PARLEY_RANGE_MORE:
        parley_wire_write_list(writer, &range->lacks);
        write_items(writer, range->form, &range->items);
        break;
    }
}

void parley_wire_put_index(struct parley_writer *writer, uint8_t index) {
    parley_write_uint(writer, index);
}

void parley_wire_put_item(struct parley_writer *writer, enum parley_range_form form,
                          const struct parley_wire_item *item) {
    parley_write_uint(writer, item->index);
    if (form == PARLEY_RANGE_DIFFER)
        parley_write_uint(writer, item->tag);
    parley_write_uint(writer, form == PARLEY_RANGE_DIFFER ? item->seq << 8 | item->set : item->seq);
}

void parley_wire_put_ask_small(struct parley_writer *writer,
                               const struct parley_wire_ask_small *ask) {
    parley_write_array(writer, 3);
    parley_write_uint(writer, ask->request);
    parley_write_uint(writer, ask->place);
    parley_write_uint(writer, ask->down_seq);
}

void parley_wire_put_run(struct parley_writer *writer, const struct parley_wire_run *run) {
    parley_write_array(writer, 3);
    parley_write_uint(writer, run->request);
    parley_write_uint(writer, run->last);
    parley_write_bin(writer, run->chunk);
}
