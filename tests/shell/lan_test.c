/* What is believed of the local network: rows of datagrams, each with one thing wrong. */
#include "../../node/shell/lan_group.h"
#include "../../node/shell/lan_record.h"
#include "../../node/shell/options.h"
#include <parley/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define WALL UINT64_C(1700000000000)

static struct parley_secret_key secret_of(uint8_t letter, struct parley_node_key *key) {
    struct parley_seed seed;
    struct parley_secret_key secret;
    memset(seed.bytes, letter, sizeof seed.bytes);
    parley_key_pair(&secret, key->bytes, &seed);
    return secret;
}

static struct parley_interface interface_of(const char *text, unsigned prefix_bits) {
    struct parley_interface one = {.prefix_bits = prefix_bits};
    (void)snprintf(one.text, sizeof one.text, "%s", text);
    assert_true(parley_ip_decode(&one.ip, text));
    return one;
}

struct row {
    const char *words;
    const char *place;  /* that the record says */
    const char *source; /* of the datagram */
    uint16_t port;
    int64_t behind_ms; /* of the record's time, behind the clock */
    bool is_good;
};

static const struct row ROWS[] = {
    {"a neighbour", "192.168.7.9", "192.168.7.9", 7373, 0, true},
    {"a neighbour of another link", "10.0.0.9", "10.0.0.9", 7373, 0, true},
    {"a clock an hour behind", "192.168.7.9", "192.168.7.9", 7373, 3600000, true},
    {"a clock an hour ahead", "192.168.7.9", "192.168.7.9", 7373, -3600000, true},
    {"from another network", "192.168.8.9", "192.168.8.9", 7373, 0, false},
    {"from the Internet", "9.9.9.9", "9.9.9.9", 7373, 0, false},
    {"somebody else's place", "192.168.7.8", "192.168.7.9", 7373, 0, false},
    {"a place in another network", "9.9.9.9", "192.168.7.9", 7373, 0, false},
    {"this machine", "192.168.7.2", "192.168.7.2", 7373, 0, false},
    {"loopback", "127.0.0.1", "127.0.0.1", 7373, 0, false},
    {"a port of a service", "192.168.7.9", "192.168.7.9", 1023, 0, false},
    {"the lowest port", "192.168.7.9", "192.168.7.9", 1024, 0, true},
    {"yesterday's", "192.168.7.9", "192.168.7.9", 7373, 86400000, false},
    {"a second too old", "192.168.7.9", "192.168.7.9", 7373, 3601000, false},
    {"a second too new", "192.168.7.9", "192.168.7.9", 7373, -3601000, false},
};

static bool judge(struct parley_address *address, struct parley_span datagram, const char *source) {
    struct parley_interface links[] = {interface_of("192.168.7.2", 96 + 24),
                                       interface_of("10.0.0.2", 96 + 8)};
    struct parley_node_key own;
    struct parley_check check;
    struct parley_ip ip;
    (void)secret_of('o', &own);
    assert_true(parley_ip_decode(&ip, source));
    return lan_record_judge(address, &check, datagram, &ip, WALL, &own, links, 2) &&
           parley_check_holds(&check);
}

static void each_datagram_is_judged(void **state) {
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const struct row *row = &ROWS[i];
        uint8_t data[LAN_DATAGRAM_BYTES_MAX];
        struct parley_interface at = interface_of(row->place, 96 + 24);
        struct parley_address address;
        struct parley_node_key key;
        struct parley_span datagram;
        struct parley_secret_key secret = secret_of('a', &key);
        parley_time_ms time = (parley_time_ms)((int64_t)WALL - row->behind_ms);
        assert_int_equal(lan_record_make(&datagram, data, &secret, time, &at, row->port),
                         PARLEY_E_OK);
        if (judge(&address, datagram, row->source) != row->is_good)
            fail_msg("%s", row->words);
        if (!row->is_good)
            continue;
        assert_true(PARLEY_EQUAL(address.key, key));
        assert_string_equal(address.host, row->place);
        assert_int_equal(address.port, row->port);
    }
}

static void ones_own_is_passed_over(void **state) {
    uint8_t data[LAN_DATAGRAM_BYTES_MAX];
    struct parley_interface at = interface_of("192.168.7.9", 96 + 24);
    struct parley_address address;
    struct parley_node_key key;
    struct parley_span datagram;
    struct parley_secret_key secret = secret_of('o', &key);
    assert_int_equal(lan_record_make(&datagram, data, &secret, WALL, &at, 7373), PARLEY_E_OK);
    assert_false(judge(&address, datagram, "192.168.7.9"));
}

/* Each bit turned, each length cut: nothing that was not signed is believed, and nothing breaks. */
static void broken_bytes_are_nothing(void **state) {
    uint8_t data[LAN_DATAGRAM_BYTES_MAX], broken[LAN_DATAGRAM_BYTES_MAX];
    struct parley_interface at = interface_of("192.168.7.9", 96 + 24);
    struct parley_address address;
    struct parley_node_key key;
    struct parley_span datagram;
    struct parley_secret_key secret = secret_of('a', &key);
    assert_int_equal(lan_record_make(&datagram, data, &secret, WALL, &at, 7373), PARLEY_E_OK);
    assert_true(judge(&address, datagram, "192.168.7.9"));
    for (size_t bit = 0; bit < datagram.size * 8; bit++) {
        memcpy(broken, data, datagram.size);
        broken[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(judge(&address, PARLEY_SPAN(broken, datagram.size), "192.168.7.9"));
    }
    for (size_t size = 0; size < datagram.size; size++)
        assert_false(judge(&address, PARLEY_SPAN(data, size), "192.168.7.9"));
}

/* ---- networks that come and go --------------------------------------------------------------- */

#define GROUP "239.255.73.74"

static bool is_in(uv_udp_t *socket, const char *text) {
    return uv_udp_set_membership(socket, GROUP, text, UV_JOIN_GROUP) == UV_EADDRINUSE;
}

static void a_network_that_has_gone_is_left(void **state) {
    struct parley_interface here[] = {interface_of("127.0.0.1", 96 + 8)};
    struct lan_group group = {.count = 0};
    uv_loop_t loop;
    uv_udp_t socket;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_udp_init_ex(&loop, &socket, AF_INET), 0);
    for (unsigned i = 0; i < 2; i++) {
        lan_group_follow(&group, &socket, GROUP, here, 1);
        lan_group_follow(&group, &socket, GROUP, here, 1);
        assert_int_equal(group.count, 1);
        assert_true(is_in(&socket, "127.0.0.1"));
        lan_group_follow(&group, &socket, GROUP, here, 0);
        assert_int_equal(group.count, 0);
        assert_int_equal(uv_udp_set_membership(&socket, GROUP, "127.0.0.1", UV_LEAVE_GROUP),
                         UV_EADDRNOTAVAIL);
    }
    uv_close((uv_handle_t *)&socket, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* ---- whether it is on ---------------------------------------------------------------------- */

static bool is_on(const char *listen, bool relay, const char *lan, const char *discover) {
    static struct options options;
    memset(&options, 0, sizeof options);
    options.relay = relay;
    assert_null(options_set(&options, OPTION_LISTEN, listen));
    if (lan != NULL)
        assert_null(options_set(&options, OPTION_LAN, lan));
    if (discover != NULL)
        assert_null(options_set(&options, OPTION_DISCOVER, discover));
    return options_lan(&options);
}

static void who_hides_is_not_announced(void **state) {
    assert_true(is_on(":7373", false, NULL, NULL));
    assert_true(is_on("192.168.7.2:7373", false, NULL, "yes"));
    assert_true(is_on("127.0.0.1:7373", false, "yes", NULL));
    assert_true(is_on(":7373", true, "yes", NULL));
    assert_false(is_on(":7373", true, NULL, NULL));
    assert_false(is_on("127.0.0.1:7373", false, NULL, NULL));
    assert_false(is_on("[::1]:7373", false, NULL, NULL));
    assert_false(is_on(":7373", false, "no", NULL));
    assert_false(is_on(":7373", false, NULL, "no"));
    assert_false(is_on(":7373", false, "yes", "no"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_datagram_is_judged),
        cmocka_unit_test(ones_own_is_passed_over),
        cmocka_unit_test(broken_bytes_are_nothing),
        cmocka_unit_test(a_network_that_has_gone_is_left),
        cmocka_unit_test(who_hides_is_not_announced),
    };
    if (parley_crypto_self_test() != PARLEY_E_OK)
        return 1;
    cmocka_set_message_output(CM_OUTPUT_TAP);
    (void)cmocka_run_group_tests_name("lan", tests, NULL, NULL);
    return 0;
}
