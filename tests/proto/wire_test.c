#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <parley/text.h>
#include <parley/wire.h>

#include "vector_file.h"

#define BYTES_MAX (2 * PARLEY_MESSAGE_BYTES_MAX)

static uint8_t message_bytes[BYTES_MAX];
static uint8_t list_bytes[BYTES_MAX];
static uint8_t other_list_bytes[BYTES_MAX];
static uint8_t head_bytes[BYTES_MAX];
static uint8_t input_bytes[BYTES_MAX];

/* ---- Lists taken apart and put together again --------------------------------------------------
 */

static void rebuild_authors(struct parley_wire_list *list, uint8_t *buffer) {
    struct parley_writer writer;
    struct parley_author author;
    size_t count = 0;
    parley_writer_init(&writer, buffer, BYTES_MAX);
    for (; parley_wire_next_author(list, &author); count++)
        parley_wire_put_author(&writer, &author);
    assert_int_equal(list->bytes.size, 0);
    *list = parley_wire_list_of(&writer, count);
}

static void rebuild_heads_of(struct parley_wire_author_heads *heads) {
    struct parley_writer writer;
    struct parley_wire_head head;
    size_t count = 0;
    parley_writer_init(&writer, head_bytes, BYTES_MAX);
    for (; parley_wire_next_head(&heads->heads, &head); count++)
        parley_wire_put_head(&writer, &head);
    heads->heads = parley_wire_list_of(&writer, count);
}

static void rebuild_author_heads(struct parley_wire_list *list) {
    struct parley_writer writer;
    struct parley_wire_author_heads heads;
    size_t count = 0;
    parley_writer_init(&writer, list_bytes, BYTES_MAX);
    for (; parley_wire_next_author_heads(list, &heads); count++) {
        rebuild_heads_of(&heads);
        parley_wire_put_author_heads(&writer, &heads);
    }
    *list = parley_wire_list_of(&writer, count);
}

static void rebuild_bodies(struct parley_wire_list *list) {
    struct parley_writer writer;
    struct parley_wire_body body;
    size_t count = 0;
    parley_writer_init(&writer, list_bytes, BYTES_MAX);
    for (; parley_wire_next_body(list, &body); count++)
        parley_wire_put_body(&writer, &body);
    *list = parley_wire_list_of(&writer, count);
}

static void rebuild_places(struct parley_wire_list *list) {
    struct parley_writer writer;
    struct parley_wire_place place;
    size_t count = 0;
    parley_writer_init(&writer, list_bytes, BYTES_MAX);
    for (; parley_wire_next_place(list, &place); count++)
        parley_wire_put_place(&writer, &place);
    *list = parley_wire_list_of(&writer, count);
}

static void rebuild_records(struct parley_wire_list *list) {
    struct parley_writer writer;
    struct parley_span record;
    size_t count = 0;
    parley_writer_init(&writer, list_bytes, BYTES_MAX);
    for (; parley_wire_next_record(list, &record); count++)
        parley_wire_put_record(&writer, record);
    *list = parley_wire_list_of(&writer, count);
}

static void rebuild_addresses(struct parley_wire_list *list) {
    struct parley_writer writer;
    struct parley_span record;
    size_t count = 0;
    parley_writer_init(&writer, list_bytes, BYTES_MAX);
    for (; parley_wire_next_address(list, &record); count++)
        parley_wire_put_address(&writer, record);
    *list = parley_wire_list_of(&writer, count);
}

#define REBUILD(name, list, next, put, type)                                                       \
    static void rebuild_##name(struct parley_wire_list *list) {                                    \
        struct parley_writer writer;                                                               \
        struct type element;                                                                       \
        size_t count = 0;                                                                          \
        parley_writer_init(&writer, list_bytes, BYTES_MAX);                                        \
        for (; next(list, &element); count++)                                                      \
            put(&writer, &element);                                                                \
        assert_int_equal(list->bytes.size, 0);                                                     \
        *list = parley_wire_list_of(&writer, count);                                               \
    }
REBUILD(logs, list, parley_wire_next_log, parley_wire_put_log, parley_log)
REBUILD(asks, list, parley_wire_next_ask_small, parley_wire_put_ask_small, parley_wire_ask_small)
REBUILD(runs, list, parley_wire_next_run, parley_wire_put_run, parley_wire_run)

static void rebuild_range(struct parley_wire_range *range) {
    static uint8_t indexes[PARLEY_RECONCILE_LIST_MAX], items[PARLEY_RECONCILE_LIST_MAX * 16];
    struct parley_writer writer;
    struct parley_wire_item item;
    uint8_t index;
    size_t count = 0;
    parley_writer_init(&writer, indexes, sizeof indexes);
    for (; parley_wire_next_index(&range->lacks, &index); count++)
        parley_wire_put_index(&writer, index);
    range->lacks = parley_wire_list_of(&writer, count);
    parley_writer_init(&writer, items, sizeof items);
    for (count = 0; parley_wire_next_item(&range->items, range->form, &item); count++)
        parley_wire_put_item(&writer, range->form, &item);
    range->items = parley_wire_list_of(&writer, count);
}

static void rebuild_ranges(struct parley_wire_list *list) {
    struct parley_writer writer;
    struct parley_wire_range range;
    size_t count = 0;
    parley_writer_init(&writer, list_bytes, BYTES_MAX);
    for (; parley_wire_next_range(list, &range); count++) {
        rebuild_range(&range);
        parley_wire_put_range(&writer, &range);
    }
    *list = parley_wire_list_of(&writer, count);
}

static void rebuild_lists(struct parley_wire_message *message) {
    switch (message->type) {
    case PARLEY_WIRE_INTEREST:
        rebuild_authors(&message->as.interest.authors, list_bytes);
        break;
    case PARLEY_WIRE_INTEREST_CHANGE:
        rebuild_authors(&message->as.interest_change.added, list_bytes);
        rebuild_authors(&message->as.interest_change.removed, other_list_bytes);
        break;
    case PARLEY_WIRE_ASK_IDENTITY:
        rebuild_authors(&message->as.ask_identity.authors, list_bytes);
        break;
    case PARLEY_WIRE_HEADS:
        rebuild_author_heads(&message->as.heads.authors);
        break;
    case PARLEY_WIRE_BODIES:
        rebuild_bodies(&message->as.bodies.bodies);
        break;
    case PARLEY_WIRE_ANNOUNCE:
        rebuild_places(&message->as.announce.places);
        break;
    case PARLEY_WIRE_IDENTITY:
        rebuild_records(&message->as.identity.records);
        break;
    case PARLEY_WIRE_ADDRESSES:
        rebuild_addresses(&message->as.addresses.records);
        break;
    case PARLEY_WIRE_SHUFFLE:
        rebuild_addresses(&message->as.shuffle.records);
        break;
    case PARLEY_WIRE_RECONCILE:
        rebuild_ranges(&message->as.reconcile.ranges);
        break;
    case PARLEY_WIRE_ASK_HEADS_OF:
        rebuild_logs(&message->as.ask_heads_of.logs);
        break;
    case PARLEY_WIRE_ASK_RUNS:
        rebuild_asks(&message->as.ask_runs.asks);
        break;
    case PARLEY_WIRE_RUNS:
        rebuild_runs(&message->as.runs.runs);
        break;
    case PARLEY_WIRE_HELLO:
    case PARLEY_WIRE_PING:
    case PARLEY_WIRE_GOODBYE:
    case PARLEY_WIRE_PONG:
    case PARLEY_WIRE_ASK_RUN:
    case PARLEY_WIRE_RUN:
    case PARLEY_WIRE_ASK_BODIES:
    case PARLEY_WIRE_PUSH:
    case PARLEY_WIRE_INVITE:
    case PARLEY_WIRE_WELCOME:
    case PARLEY_WIRE_PRUNE:
    case PARLEY_WIRE_GRAFT:
    case PARLEY_WIRE_EVIDENCE:
    case PARLEY_WIRE_ASK_HEADS:
    case PARLEY_WIRE_IGNORED:
        break;
    }
}

static struct parley_span encode(const struct parley_wire_message *message) {
    struct parley_writer writer;
    struct parley_span out;
    parley_writer_init(&writer, message_bytes, sizeof message_bytes);
    parley_wire_encode(&writer, message);
    assert_int_equal(parley_writer_finish(&writer, &out), PARLEY_E_OK);
    return out;
}

/* What is accepted and taken apart gives the same bytes again. */
static void check_round_trip(struct parley_span bytes) {
    struct parley_wire_message message;
    uint64_t type;
    assert_int_equal(parley_wire_decode(&message, bytes).error, PARLEY_E_OK);
    assert_int_equal(parley_wire_type(&type, bytes).error, PARLEY_E_OK);
    if (message.type == PARLEY_WIRE_IGNORED)
        return;
    assert_int_equal(type, message.type);
    rebuild_lists(&message);
    assert_true(parley_span_equal(encode(&message), bytes));
}

/* ---- Vectors -----------------------------------------------------------------------------------
 */

/* Verdict, name, bytes, fields; the columns of a line of wire.txt. */
static struct parley_span read_columns(char *line, const char **verdict, const char **name) {
    char *save;
    *verdict = strtok_r(line, "\t", &save);
    *name = strtok_r(NULL, "\t", &save);
    const char *hex = strtok_r(NULL, "\t", &save);
    assert_non_null(hex);
    size_t size = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
    assert_true(size <= sizeof input_bytes);
    if (size > 0)
        assert_true(parley_hex_decode(input_bytes, size, PARLEY_SPAN(hex, strlen(hex))));
    return PARLEY_SPAN(input_bytes, size);
}

static void check_verdict(const char *verdict, const char *name, struct parley_span bytes) {
    struct parley_wire_message message;
    struct parley_fault fault = parley_wire_decode(&message, bytes);
    bool is_good = strcmp(verdict, "OK") == 0 || strcmp(verdict, "IGNORED") == 0;
    const char *got = message.type == PARLEY_WIRE_IGNORED && fault.error == PARLEY_E_OK
                          ? "IGNORED"
                          : parley_error_name(fault.error);
    if (strcmp(got, verdict) != 0)
        fail_msg("%s: %s instead of %s (byte %zu, %s)", name, got, verdict, fault.offset,
                 fault.field == NULL ? "-" : fault.field);
    if (is_good)
        check_round_trip(bytes);
    else
        assert_true(fault.offset <= bytes.size);
}

static void test_vectors(void **state) {
    (void)state;
    struct vector_file vectors;
    size_t count = 0;
    vector_open(&vectors, "wire.txt");
    while (vector_next(&vectors)) {
        const char *verdict;
        const char *name;
        struct parley_span bytes = read_columns(vectors.line, &verdict, &name);
        check_verdict(verdict, name, bytes);
        count++;
    }
    vector_close(&vectors);
    assert_true(count > 90);
}

/* Of every good message: each cut is refused, and each flip is refused or means the same bytes. */
static void test_cuts_and_flips(void **state) {
    (void)state;
    struct vector_file vectors;
    vector_open(&vectors, "wire.txt");
    while (vector_next(&vectors)) {
        const char *verdict;
        const char *name;
        struct parley_wire_message message;
        struct parley_span bytes = read_columns(vectors.line, &verdict, &name);
        if (strcmp(verdict, "OK") != 0)
            continue;
        for (size_t size = 0; size < bytes.size; size++)
            assert_int_not_equal(parley_wire_decode(&message, PARLEY_SPAN(bytes.data, size)).error,
                                 PARLEY_E_OK);
        for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
            input_bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (parley_wire_decode(&message, bytes).error == PARLEY_E_OK)
                check_round_trip(bytes);
            input_bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    vector_close(&vectors);
}

/* ---- Bounds ------------------------------------------------------------------------------------
 */

static enum parley_error decode_again(const struct parley_wire_message *message) {
    struct parley_wire_message back;
    return parley_wire_decode(&back, encode(message)).error;
}

static struct parley_wire_list authors_of(size_t count) {
    struct parley_writer writer;
    struct parley_author author = {{1}};
    parley_writer_init(&writer, list_bytes, sizeof list_bytes);
    for (size_t i = 0; i < count; i++)
        parley_wire_put_author(&writer, &author);
    return parley_wire_list_of(&writer, count);
}

static void test_counts_of_authors(void **state) {
    (void)state;
    struct parley_wire_message message = {.type = PARLEY_WIRE_INTEREST};
    message.as.interest.mode = PARLEY_INTEREST_AUTHORS;
    message.as.interest.authors = authors_of(PARLEY_WIRE_AUTHORS_MAX);
    assert_int_equal(decode_again(&message), PARLEY_E_OK);
    assert_true(encode(&message).size <= PARLEY_MESSAGE_BYTES_MAX);
    message.as.interest.authors = authors_of(PARLEY_WIRE_AUTHORS_MAX + 1);
    assert_int_equal(decode_again(&message), PARLEY_E_TOO_LARGE);
}

static size_t heads_of(struct parley_wire_message *message, size_t count) {
    struct parley_wire_head head = {.seq = PARLEY_SEQ_MAX - 1,
                                    .forked_seq = PARLEY_SEQ_MAX,
                                    .low_seq = PARLEY_SEQ_MAX - 1,
                                    .id = {{1}}};
    struct parley_wire_author_heads heads = {.author = {{1}}};
    struct parley_writer writer;
    parley_writer_init(&writer, head_bytes, sizeof head_bytes);
    for (size_t i = 0; i < count; i++)
        parley_wire_put_head(&writer, &head);
    heads.heads = parley_wire_list_of(&writer, count);
    parley_writer_init(&writer, list_bytes, sizeof list_bytes);
    parley_wire_put_author_heads(&writer, &heads);
    *message = (struct parley_wire_message){.type = PARLEY_WIRE_HEADS};
    message->as.heads.authors = parley_wire_list_of(&writer, 1);
    return encode(message).size;
}

static void test_counts_of_heads(void **state) {
    (void)state;
    struct parley_wire_message message;
    assert_true(heads_of(&message, PARLEY_WIRE_HEADS_MAX) <= PARLEY_MESSAGE_BYTES_MAX);
    assert_int_equal(decode_again(&message), PARLEY_E_OK);
    heads_of(&message, PARLEY_WIRE_HEADS_MAX + 1);
    assert_int_equal(decode_again(&message), PARLEY_E_TOO_LARGE);
}

static enum parley_error announce_of(size_t count) {
    struct parley_wire_place place = {.seq = PARLEY_SEQ_MAX};
    struct parley_wire_message message = {.type = PARLEY_WIRE_ANNOUNCE};
    struct parley_writer writer;
    parley_writer_init(&writer, list_bytes, sizeof list_bytes);
    for (size_t i = 0; i < count; i++)
        parley_wire_put_place(&writer, &place);
    message.as.announce.places = parley_wire_list_of(&writer, count);
    if (count <= PARLEY_WIRE_PLACES_MAX)
        assert_true(encode(&message).size <= PARLEY_MESSAGE_BYTES_MAX);
    return decode_again(&message);
}

static void test_counts_of_places(void **state) {
    (void)state;
    assert_int_equal(announce_of(0), PARLEY_E_OUT_OF_RANGE);
    assert_int_equal(announce_of(PARLEY_WIRE_PLACES_MAX), PARLEY_E_OK);
    assert_int_equal(announce_of(PARLEY_WIRE_PLACES_MAX + 1), PARLEY_E_TOO_LARGE);
}

static enum parley_error identity_of(size_t count, size_t record_size) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_IDENTITY};
    struct parley_writer writer;
    parley_writer_init(&writer, list_bytes, sizeof list_bytes);
    for (size_t i = 0; i < count; i++)
        parley_wire_put_record(&writer, PARLEY_SPAN(input_bytes, record_size));
    message.as.identity.records = parley_wire_list_of(&writer, count);
    return decode_again(&message);
}

static void test_counts_and_sizes_of_records(void **state) {
    (void)state;
    assert_int_equal(identity_of(PARLEY_WIRE_RECORDS_MAX, 100), PARLEY_E_OK);
    assert_int_equal(identity_of(PARLEY_WIRE_RECORDS_MAX + 1, 100), PARLEY_E_TOO_LARGE);
    assert_int_equal(identity_of(1, PARLEY_RECORD_BYTES_MAX), PARLEY_E_OK);
    assert_int_equal(identity_of(1, PARLEY_RECORD_BYTES_MAX + 1), PARLEY_E_TOO_LARGE);
}

static enum parley_error addresses_of(size_t count) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ADDRESSES};
    struct parley_writer writer;
    parley_writer_init(&writer, list_bytes, sizeof list_bytes);
    for (size_t i = 0; i < count; i++)
        parley_wire_put_address(&writer, PARLEY_SPAN("k@h:1", 5));
    message.as.addresses.records = parley_wire_list_of(&writer, count);
    return decode_again(&message);
}

static void test_counts_of_addresses(void **state) {
    (void)state;
    assert_int_equal(addresses_of(PARLEY_WIRE_ADDRESSES_MAX), PARLEY_E_OK);
    assert_int_equal(addresses_of(PARLEY_WIRE_ADDRESSES_MAX + 1), PARLEY_E_TOO_LARGE);
    /* The text's bound is the longest place there is. */
    assert_int_equal(PARLEY_PLACE_TEXT_MAX + 1, PARLEY_PLACE_TEXT_SIZE);
}

static void test_sizes_of_chunks(void **state) {
    (void)state;
    struct parley_wire_message message = {.type = PARLEY_WIRE_RUN};
    message.as.run.last = true;
    message.as.run.request = PARLEY_WIRE_REQUEST_MAX;
    message.as.run.chunk = PARLEY_SPAN(input_bytes, PARLEY_CHUNK_LARGEST);
    assert_int_equal(decode_again(&message), PARLEY_E_OK);
    assert_true(encode(&message).size <= PARLEY_MESSAGE_BYTES_MAX);
    message.as.run.chunk.size++;
    assert_int_equal(decode_again(&message), PARLEY_E_TOO_LARGE);
}

static void test_the_largest_body(void **state) {
    (void)state;
    struct parley_wire_message message = {.type = PARLEY_WIRE_BODIES};
    struct parley_wire_body body = {.seq = 1};
    struct parley_writer writer;
    body.body = PARLEY_SPAN(input_bytes, PARLEY_BODY_BYTES_MAX);
    parley_writer_init(&writer, list_bytes, sizeof list_bytes);
    parley_wire_put_body(&writer, &body);
    message.as.bodies.bodies = parley_wire_list_of(&writer, 1);
    assert_int_equal(decode_again(&message), PARLEY_E_OK);
    assert_true(encode(&message).size <= PARLEY_MESSAGE_BYTES_MAX);
    body.body.size++;
    parley_writer_init(&writer, list_bytes, sizeof list_bytes);
    parley_wire_put_body(&writer, &body);
    message.as.bodies.bodies = parley_wire_list_of(&writer, 1);
    assert_int_equal(decode_again(&message), PARLEY_E_TOO_LARGE);
}

static void test_a_buffer_too_small(void **state) {
    (void)state;
    struct parley_wire_message message = {.type = PARLEY_WIRE_HELLO};
    message.as.hello.version = PARLEY_WIRE_VERSION;
    size_t size = encode(&message).size;
    for (size_t size_max = 0; size_max < size; size_max++) {
        struct parley_writer writer;
        struct parley_span out;
        parley_writer_init(&writer, message_bytes, size_max);
        parley_wire_encode(&writer, &message);
        assert_int_equal(parley_writer_finish(&writer, &out), PARLEY_E_NO_SPACE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_cuts_and_flips),
        cmocka_unit_test(test_counts_of_authors),
        cmocka_unit_test(test_counts_of_heads),
        cmocka_unit_test(test_counts_of_places),
        cmocka_unit_test(test_counts_and_sizes_of_records),
        cmocka_unit_test(test_counts_of_addresses),
        cmocka_unit_test(test_sizes_of_chunks),
        cmocka_unit_test(test_the_largest_body),
        cmocka_unit_test(test_a_buffer_too_small),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
