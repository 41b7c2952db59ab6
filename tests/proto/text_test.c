#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <parley/text.h>

#include "../vector_file.h"

#define KEY "pnode1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0stm2ewy"

/* The text must be the row's, and read back as the row's bytes, in upper case too. */
static void check_author(const uint8_t *bytes, const char *wanted) {
    struct parley_author author;
    struct parley_author back;
    char text[PARLEY_AUTHOR_TEXT_SIZE];
    memcpy(author.bytes, bytes, 32);
    parley_author_encode(text, &author);
    assert_string_equal(text, wanted);
    assert_int_equal(parley_author_decode(&back, vector_text(text)).error, PARLEY_E_OK);
    assert_true(PARLEY_EQUAL(author, back));
}

static void check_node_key(const uint8_t *bytes, const char *wanted) {
    struct parley_node_key key;
    struct parley_node_key back;
    char text[PARLEY_NODE_TEXT_SIZE];
    memcpy(key.bytes, bytes, 32);
    parley_node_key_encode(text, &key);
    assert_string_equal(text, wanted);
    assert_int_equal(parley_node_key_decode(&back, vector_text(text)).error, PARLEY_E_OK);
    assert_true(PARLEY_EQUAL(key, back));
}

static void check_post(const uint8_t *bytes, const char *wanted) {
    struct parley_post_address post;
    struct parley_post_address back;
    char text[PARLEY_POST_TEXT_SIZE];
    memcpy(post.log.bytes, bytes, 32);
    post.seq = parley_get_u48(bytes + 32);
    memcpy(post.id_start, bytes + 38, 8);
    parley_post_address_encode(text, &post);
    assert_string_equal(text, wanted);
    assert_int_equal(parley_post_address_decode(&back, vector_text(text)).error, PARLEY_E_OK);
    assert_true(PARLEY_EQUAL(post.log, back.log) && post.seq == back.seq);
    assert_memory_equal(post.id_start, back.id_start, 8);
}

static void test_every_vector(void **state) {
    struct vector_file file;
    vector_open(&file, "text.txt", "\t");
    while (vector_next(&file)) {
        uint8_t bytes[46];
        size_t size;
        assert_int_equal(file.columns_count, 3);
        assert_true(vector_bytes(file.columns[1], bytes, sizeof bytes, &size));
        if (strcmp(file.columns[0], "author") == 0)
            check_author(bytes, file.columns[2]);
        else if (strcmp(file.columns[0], "node") == 0)
            check_node_key(bytes, file.columns[2]);
        else
            check_post(bytes, file.columns[2]);
    }
    assert_int_equal(file.rows_count, 5);
}

/* A name of one kind is never taken for another, even of the same size. */
static void test_kinds_are_kept_apart(void **state) {
    struct parley_author author = {{7}};
    struct parley_node_key key;
    struct parley_post_address post = {.seq = 0};
    char author_text[PARLEY_AUTHOR_TEXT_SIZE];
    char post_text[PARLEY_POST_TEXT_SIZE];
    parley_author_encode(author_text, &author);
    assert_int_equal(parley_node_key_decode(&key, vector_text(author_text)).error,
                     PARLEY_E_BAD_TEXT);
    assert_int_equal(parley_author_decode(&author, vector_text(KEY)).error, PARLEY_E_BAD_TEXT);
    assert_int_equal(parley_author_decode(&author, PARLEY_NO_SPAN).error, PARLEY_E_BAD_TEXT);
    parley_post_address_encode(post_text, &post);
    assert_int_equal(parley_post_address_decode(&post, vector_text(post_text)).error,
                     PARLEY_E_BAD_TEXT);
}

struct address_row {
    const char *text;
    const char *transport;
    const char *host;
    uint16_t port;
    const char *canonical; /* NULL: the text itself */
};

static const struct address_row good_rows[] = {
    {KEY "@127.0.0.1:4040", "tcp", "127.0.0.1", 4040, NULL},
    {KEY "@relay.example:1", "tcp", "relay.example", 1, NULL},
    {KEY "@[::1]:65535", "tcp", "::1", 65535, NULL},
    {KEY "@[fe80::1%eth0]:80", "tcp", "fe80::1%eth0", 80, NULL},
    {KEY "@tor/abcdefgh.onion:9", "tor", "abcdefgh.onion", 9, NULL},
    {KEY "@0123456789abcdef/x:9", "0123456789abcdef", "x", 9, NULL},
    {KEY "@tcp/h:10", "tcp", "h", 10, KEY "@h:10"},
};

static void test_good_addresses(void **state) {
    for (size_t i = 0; i < sizeof good_rows / sizeof good_rows[0]; i++) {
        const struct address_row *row = &good_rows[i];
        struct parley_address address;
        char text[PARLEY_ADDRESS_TEXT_SIZE];
        assert_int_equal(parley_address_decode(&address, vector_text(row->text)).error,
                         PARLEY_E_OK);
        assert_string_equal(address.transport, row->transport);
        assert_string_equal(address.host, row->host);
        assert_int_equal(address.port, row->port);
        assert_int_equal(address.key.bytes[31], 31);
        parley_address_encode(text, &address);
        assert_string_equal(text, row->canonical != NULL ? row->canonical : row->text);
    }
}

struct bad_row {
    const char *place; /* what follows "KEY@" */
    size_t offset;     /* in it */
    const char *field;
};

static const struct bad_row bad_rows[] = {
    {"", 0, "port"},
    {"host", 4, "port"},
    {":80", 0, "host"},
    {"host:", 5, "port"},
    {"host:0", 5, "port"},
    {"host:080", 5, "port"},
    {"host:65536", 5, "port"},
    {"host:99999", 5, "port"},
    {"host:100000", 5, "port"},
    {"host:8o", 6, "port"},
    {"host:+8", 5, "port"},
    {"host:80 ", 7, "port"},
    {"ho st:80", 2, "host"},
    {"ho\x7fst:80", 2, "host"},
    {"h\xc3\xa4:80", 1, "host"},
    {"a@b:80", 1, "host"},
    {"a[b:80", 1, "host"},
    {"::1:80", 0, "host"},
    {"[::1]80", 7, "port"},
    {"[::1:80", 7, "port"},
    {"[]:80", 1, "host"},
    {"[host]:80", 1, "host"},
    {"/host:80", 0, "transport"},
    {"TCP/host:80", 0, "transport"},
    {"a-b/host:80", 1, "transport"},
    {"0123456789abcdefg/host:80", 0, "transport"},
    {"tor/a/b:80", 5, "host"},
};

static void test_bad_addresses(void **state) {
    for (size_t i = 0; i < sizeof bad_rows / sizeof bad_rows[0]; i++) {
        struct parley_address address = {.port = 7};
        char text[256];
        snprintf(text, sizeof text, "%s@%s", KEY, bad_rows[i].place);
        struct parley_fault fault = parley_address_decode(&address, vector_text(text));
        size_t offset = strlen(KEY) + 1 + bad_rows[i].offset;
        if (fault.error != PARLEY_E_BAD_TEXT || fault.offset != offset ||
            strcmp(fault.field, bad_rows[i].field) != 0)
            fail_msg("%s: %s at %zu in %s", bad_rows[i].place, parley_error_name(fault.error),
                     fault.offset - strlen(KEY) - 1, fault.field);
        assert_int_equal(address.port, 7);
    }
    struct parley_address address;
    assert_int_equal(parley_address_decode(&address, vector_text("host:80")).error,
                     PARLEY_E_BAD_TEXT);
    assert_int_equal(parley_address_decode(&address, vector_text("@host:80")).error,
                     PARLEY_E_BAD_TEXT);
    assert_int_equal(parley_address_decode(&address, PARLEY_NO_SPAN).error, PARLEY_E_BAD_TEXT);
}

static void test_hosts_of_every_length(void **state) {
    struct parley_address address = {.transport = "0123456789abcdef", .port = 65535};
    struct parley_address back;
    char text[PARLEY_ADDRESS_TEXT_SIZE];
    memset(address.host, ':', PARLEY_HOST_SIZE_MAX);
    parley_address_encode(text, &address);
    assert_int_equal(strlen(text), PARLEY_ADDRESS_TEXT_SIZE - 1);
    assert_int_equal(parley_address_decode(&back, vector_text(text)).error, PARLEY_E_OK);
    assert_string_equal(back.host, address.host);
    char longer[300];
    uint16_t port;
    memset(longer, 'h', 256);
    memcpy(longer + 256, ":80", 4);
    assert_int_equal(parley_host_port_decode(back.host, &port, vector_text(longer)).error,
                     PARLEY_E_BAD_TEXT);
    assert_int_equal(parley_host_port_decode(back.host, &port, vector_text(longer + 1)).error,
                     PARLEY_E_OK);
}

static void test_a_listener_may_ask_for_any_port(void **state) {
    char host[PARLEY_HOST_SIZE_MAX + 1];
    uint16_t port = 1;
    assert_int_equal(parley_host_port_decode(host, &port, vector_text("127.0.0.1:0")).error,
                     PARLEY_E_OK);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(port, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_vector),
        cmocka_unit_test(test_kinds_are_kept_apart),
        cmocka_unit_test(test_good_addresses),
        cmocka_unit_test(test_bad_addresses),
        cmocka_unit_test(test_hosts_of_every_length),
        cmocka_unit_test(test_a_listener_may_ask_for_any_port),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
