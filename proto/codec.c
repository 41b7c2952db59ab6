#include <parley/codec.h>

#include <msgpack.h>

/* ---- Reading ----------------------------------------------------------------------------------
 */

enum value_type {
    TYPE_NONE, /* outside the subset: nil, bool, float, ext and the byte that is never used */
    TYPE_INTEGER,
    TYPE_BIN,
    TYPE_TEXT,
    TYPE_ARRAY,
    TYPE_MAP,
};

/* The first bytes of a value: its type and its number, size or count. */
struct head {
    enum value_type type;
    bool negative;      /* then number is the two's complement of an int64_t */
    uint64_t number;    /* or size, or count */
    const uint8_t *end; /* the byte after the head */
};

/* The lead bytes 0xc0 to 0xdf, SPEC 1.3. The argument follows in width bytes, big endian; one that
 * a shorter form could hold is not canonical. */
struct lead_row {
    uint8_t type;
    uint8_t width;
    bool is_signed;
    int64_t shortest; /* the least argument; of signed forms the greatest */
};

static const struct lead_row lead_rows[32] = {
    [0x04] = {TYPE_BIN, 1, false, 0},
    [0x05] = {TYPE_BIN, 2, false, 0x100},
    [0x06] = {TYPE_BIN, 4, false, 0x10000},
    [0x0c] = {TYPE_INTEGER, 1, false, 0x80},
    [0x0d] = {TYPE_INTEGER, 2, false, 0x100},
    [0x0e] = {TYPE_INTEGER, 4, false, 0x10000},
    [0x0f] = {TYPE_INTEGER, 8, false, INT64_C(0x100000000)},
    [0x10] = {TYPE_INTEGER, 1, true, -0x21},
    [0x11] = {TYPE_INTEGER, 2, true, -0x81},
    [0x12] = {TYPE_INTEGER, 4, true, -0x8001},
    [0x13] = {TYPE_INTEGER, 8, true, -INT64_C(0x80000001)},
    [0x19] = {TYPE_TEXT, 1, false, 0x20},
    [0x1a] = {TYPE_TEXT, 2, false, 0x100},
    [0x1b] = {TYPE_TEXT, 4, false, 0x10000},
    [0x1c] = {TYPE_ARRAY, 2, false, 0x10},
    [0x1d] = {TYPE_ARRAY, 4, false, 0x10000},
    [0x1e] = {TYPE_MAP, 2, false, 0x10},
    [0x1f] = {TYPE_MAP, 4, false, 0x10000},
};

static uint64_t get_argument(const uint8_t *in, size_t width) {
    uint64_t argument = 0;
    for (size_t i = 0; i < width; i++)
        argument = argument << 8 | in[i];
    return argument;
}

static int64_t extend_sign(uint64_t argument, size_t width) {
    unsigned shift = (unsigned)(64 - 8 * width);
    return (int64_t)(argument << shift) >> shift;
}

/* A head whose argument stands apart from the lead byte. */
static enum parley_error parse_long_head(struct head *head, const uint8_t *in, size_t left) {
    const struct lead_row *row = &lead_rows[in[0] - 0xc0];
    if (row->type == TYPE_NONE)
        return PARLEY_E_NOT_CANONICAL;
    if (left < 1u + row->width)
        return PARLEY_E_TRUNCATED;
    uint64_t argument = get_argument(in + 1, row->width);
    if (row->is_signed) {
        int64_t number = extend_sign(argument, row->width);
        if (number > row->shortest)
            return PARLEY_E_NOT_CANONICAL;
        *head = (struct head){TYPE_INTEGER, true, (uint64_t)number, NULL};
    } else {
        if (argument < (uint64_t)row->shortest)
            return PARLEY_E_NOT_CANONICAL;
        *head = (struct head){(enum value_type)row->type, false, argument, NULL};
    }
    head->end = in + 1 + row->width;
    return PARLEY_E_OK;
}

static enum parley_error parse_head(struct head *head, const uint8_t *in, size_t left) {
    if (left == 0)
        return PARLEY_E_TRUNCATED;
    uint8_t lead = in[0];
    if (lead >= 0xc0 && lead < 0xe0)
        return parse_long_head(head, in, left);
    if (lead < 0x80)
        *head = (struct head){TYPE_INTEGER, false, lead, in + 1};
    else if (lead < 0x90)
        *head = (struct head){TYPE_MAP, false, lead & 0x0f, in + 1};
    else if (lead < 0xa0)
        *head = (struct head){TYPE_ARRAY, false, lead & 0x0f, in + 1};
    else if (lead < 0xc0)
        *head = (struct head){TYPE_TEXT, false, lead & 0x1f, in + 1};
    else
        *head = (struct head){TYPE_INTEGER, true, (uint64_t)(int64_t)(int8_t)lead, in + 1};
    return PARLEY_E_OK;
}

/* The head of a value of that type, not yet consumed; false (and the fault) when there is none. */
static bool peek_head(struct parley_reader *reader, const char *field, enum value_type type,
                      struct head *head) {
    if (reader->fault.error != PARLEY_E_OK)
        return false;
    enum parley_error error = parse_head(head, reader->at, (size_t)(reader->end - reader->at));
    if (error == PARLEY_E_OK && head->type != type)
        error = PARLEY_E_WRONG_TYPE;
    if (error != PARLEY_E_OK)
        parley_reader_fail(reader, error, field);
    return error == PARLEY_E_OK;
}

/* Judges a size or a count, of which each needs at least unit_bytes of what is left. */
static bool is_size_good(struct parley_reader *reader, const char *field, const struct head *head,
                         size_t min, size_t max, size_t unit_bytes) {
    enum parley_error error = PARLEY_E_OK;
    if (head->number > max)
        error = PARLEY_E_TOO_LARGE;
    else if (head->number < min)
        error = PARLEY_E_OUT_OF_RANGE;
    else if (head->number > (size_t)(reader->end - head->end) / unit_bytes)
        error = PARLEY_E_TRUNCATED;
    if (error != PARLEY_E_OK)
        parley_reader_fail(reader, error, field);
    return error == PARLEY_E_OK;
}

void parley_reader_init(struct parley_reader *reader, struct parley_span bytes) {
    /* An empty span may have no address; arithmetic on it must still have one. */
    static const uint8_t nothing[1];
    reader->start = bytes.size > 0 ? bytes.data : nothing;
    reader->at = reader->start;
    reader->end = reader->start + bytes.size;
    reader->fault = PARLEY_NO_FAULT;
}

uint64_t parley_read_uint(struct parley_reader *reader, const char *field, uint64_t min,
                          uint64_t max) {
    struct head head;
    if (!peek_head(reader, field, TYPE_INTEGER, &head))
        return 0;
    if (head.negative || head.number < min || head.number > max) {
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, field);
        return 0;
    }
    reader->at = head.end;
    return head.number;
}

int64_t parley_read_int(struct parley_reader *reader, const char *field, int64_t min, int64_t max) {
    struct head head;
    if (!peek_head(reader, field, TYPE_INTEGER, &head))
        return 0;
    int64_t number = (int64_t)head.number;
    bool is_beyond = !head.negative && head.number > INT64_MAX;
    if (is_beyond || number < min || number > max) {
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, field);
        return 0;
    }
    reader->at = head.end;
    return number;
}

static struct parley_span read_bytes(struct parley_reader *reader, const char *field,
                                     enum value_type type, size_t size_min, size_t size_max) {
    struct head head;
    if (!peek_head(reader, field, type, &head) ||
        !is_size_good(reader, field, &head, size_min, size_max, 1))
        return PARLEY_NO_SPAN;
    struct parley_span bytes = PARLEY_SPAN(head.end, head.number);
    if (type == TYPE_TEXT && !parley_utf8_is_valid(bytes)) {
        parley_reader_fail(reader, PARLEY_E_NOT_UTF8, field);
        return PARLEY_NO_SPAN;
    }
    reader->at = head.end + bytes.size;
    return bytes;
}

struct parley_span parley_read_bin(struct parley_reader *reader, const char *field, size_t size_min,
                                   size_t size_max) {
    return read_bytes(reader, field, TYPE_BIN, size_min, size_max);
}

struct parley_span parley_read_text(struct parley_reader *reader, const char *field,
                                    size_t size_min, size_t size_max) {
    return read_bytes(reader, field, TYPE_TEXT, size_min, size_max);
}

void parley_read_fixed(struct parley_reader *reader, const char *field, uint8_t *out, size_t size) {
    struct parley_span bytes = parley_read_bin(reader, field, size, size);
    if (bytes.size == size && size > 0)
        memcpy(out, bytes.data, size);
    else
        memset(out, 0, size);
}

static size_t read_count(struct parley_reader *reader, const char *field, enum value_type type,
                         size_t count_min, size_t count_max) {
    struct head head;
    size_t unit_bytes = type == TYPE_MAP ? 2 : 1;
    if (!peek_head(reader, field, type, &head) ||
        !is_size_good(reader, field, &head, count_min, count_max, unit_bytes))
        return 0;
    reader->at = head.end;
    return (size_t)head.number;
}

size_t parley_read_array_head(struct parley_reader *reader, const char *field) {
    struct head head;
    if (!peek_head(reader, field, TYPE_ARRAY, &head))
        return 0;
    reader->at = head.end;
    return (size_t)head.number;
}

size_t parley_read_array(struct parley_reader *reader, const char *field, size_t count_min,
                         size_t count_max) {
    return read_count(reader, field, TYPE_ARRAY, count_min, count_max);
}

size_t parley_read_map(struct parley_reader *reader, const char *field, size_t count_max) {
    return read_count(reader, field, TYPE_MAP, 0, count_max);
}

uint8_t parley_read_key(struct parley_reader *reader, const char *field, int *last) {
    const uint8_t *start = reader->at;
    uint64_t key = parley_read_uint(reader, field, 0, 127);
    if (reader->fault.error != PARLEY_E_OK)
        return 0;
    if ((int)key <= *last) {
        reader->at = start;
        parley_reader_fail(reader, PARLEY_E_NOT_CANONICAL, field);
        return 0;
    }
    *last = (int)key;
    return (uint8_t)key;
}

static void skip_elements(struct parley_reader *reader, const char *field, bool is_map,
                          size_t depth_max) {
    if (depth_max == 0) {
        parley_reader_fail(reader, PARLEY_E_TOO_DEEP, field);
        return;
    }
    size_t count = is_map ? parley_read_map(reader, field, 128)
                          : parley_read_array(reader, field, 0, SIZE_MAX);
    int last = -1;
    for (size_t i = 0; i < count && reader->fault.error == PARLEY_E_OK; i++) {
        if (is_map)
            parley_read_key(reader, field, &last);
        parley_read_skip(reader, field, depth_max - 1);
    }
}

void parley_read_skip(struct parley_reader *reader, const char *field, size_t depth_max) {
    struct head head;
    if (reader->fault.error != PARLEY_E_OK)
        return;
    enum parley_error error = parse_head(&head, reader->at, (size_t)(reader->end - reader->at));
    if (error != PARLEY_E_OK) {
        parley_reader_fail(reader, error, field);
        return;
    }
    switch (head.type) {
    case TYPE_NONE:
        break;
    case TYPE_INTEGER:
        reader->at = head.end;
        break;
    case TYPE_BIN:
    case TYPE_TEXT:
        read_bytes(reader, field, head.type, 0, SIZE_MAX);
        break;
    case TYPE_ARRAY:
    case TYPE_MAP:
        skip_elements(reader, field, head.type == TYPE_MAP, depth_max);
        break;
    }
}

bool parley_next_is_bin(const struct parley_reader *reader) {
    return reader->fault.error == PARLEY_E_OK && reader->at < reader->end &&
           reader->at[0] >= 0xc4 && reader->at[0] <= 0xc6;
}

bool parley_reader_is_done(const struct parley_reader *reader) {
    return reader->fault.error != PARLEY_E_OK || reader->at == reader->end;
}

size_t parley_reader_offset(const struct parley_reader *reader) {
    return (size_t)(reader->at - reader->start);
}

void parley_reader_fail(struct parley_reader *reader, enum parley_error error, const char *field) {
    if (reader->fault.error == PARLEY_E_OK)
        reader->fault = (struct parley_fault){error, parley_reader_offset(reader), field};
}

struct parley_fault parley_reader_finish(struct parley_reader *reader) {
    if (reader->at != reader->end)
        parley_reader_fail(reader, PARLEY_E_TRAILING, NULL);
    return reader->fault;
}

/* ---- Writing ----------------------------------------------------------------------------------
 */

/* The sink of msgpack-c's packer: bytes go to the caller's buffer, or nowhere for good. */
static int append_bytes(void *data, const char *bytes, size_t size) {
    struct parley_writer *writer = data;
    if (writer->overflowed || size > writer->size_max - writer->size) {
        writer->overflowed = true;
        return -1;
    }
    if (size > 0)
        memcpy(writer->data + writer->size, bytes, size);
    writer->size += size;
    return 0;
}

/* The packer is two pointers, made anew for each value so that a writer can be moved. */
static msgpack_packer packer_of(struct parley_writer *writer) {
    msgpack_packer packer;
    msgpack_packer_init(&packer, writer, append_bytes);
    return packer;
}

/* Sizes and counts have 32 bits; nothing larger can be meant for a buffer of ours. */
static bool is_length_good(struct parley_writer *writer, size_t length) {
    if (length > UINT32_MAX)
        writer->overflowed = true;
    return !writer->overflowed;
}

void parley_writer_init(struct parley_writer *writer, uint8_t *data, size_t size_max) {
    *writer = (struct parley_writer){.data = data, .size_max = size_max};
}

void parley_write_uint(struct parley_writer *writer, uint64_t value) {
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_uint64(&packer, value);
}

void parley_write_int(struct parley_writer *writer, int64_t value) {
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_int64(&packer, value);
}

void parley_write_bin(struct parley_writer *writer, struct parley_span bytes) {
    msgpack_packer packer = packer_of(writer);
    if (!is_length_good(writer, bytes.size) || msgpack_pack_bin(&packer, bytes.size) != 0)
        return;
    parley_write_raw(writer, bytes);
}

void parley_write_text(struct parley_writer *writer, struct parley_span text) {
    msgpack_packer packer = packer_of(writer);
    if (!is_length_good(writer, text.size) || msgpack_pack_str(&packer, text.size) != 0)
        return;
    parley_write_raw(writer, text);
}

void parley_write_array(struct parley_writer *writer, size_t count) {
    msgpack_packer packer = packer_of(writer);
    if (is_length_good(writer, count))
        msgpack_pack_array(&packer, count);
}

void parley_write_map(struct parley_writer *writer, size_t count) {
    msgpack_packer packer = packer_of(writer);
    if (is_length_good(writer, count))
        msgpack_pack_map(&packer, count);
}

void parley_write_raw(struct parley_writer *writer, struct parley_span bytes) {
    append_bytes(writer, (const char *)bytes.data, bytes.size);
}

enum parley_error parley_writer_finish(const struct parley_writer *writer,
                                       struct parley_span *out) {
    *out = writer->overflowed ? PARLEY_NO_SPAN : PARLEY_SPAN(writer->data, writer->size);
    return writer->overflowed ? PARLEY_E_NO_SPACE : PARLEY_E_OK;
}
