#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <parley/node_network.h>

#include <stdio.h>

/* Which network an address is of, by its text alone. */

static const struct row {
    const char *place;
    enum parley_network network;
} ROWS[] = {
    {"9.1.2.3:7373", PARLEY_NETWORK_CLEAR},
    {"223.255.255.255:7373", PARLEY_NETWORK_CLEAR},
    {"172.15.0.1:7373", PARLEY_NETWORK_CLEAR},
    {"172.32.0.1:7373", PARLEY_NETWORK_CLEAR},
    {"100.128.0.1:7373", PARLEY_NETWORK_CLEAR},
    {"[2a00:1:2::3]:7373", PARLEY_NETWORK_CLEAR},
    {"[2001:4860:0:1:2:3:4:5]:7373", PARLEY_NETWORK_CLEAR},
    {"relay.example.org:7373", PARLEY_NETWORK_CLEAR},
    {"a-1.B2.net:7373", PARLEY_NETWORK_CLEAR},
    {"10.0.0.1:7373", PARLEY_NETWORK_LAN},
    {"172.16.0.1:7373", PARLEY_NETWORK_LAN},
    {"172.31.255.255:7373", PARLEY_NETWORK_LAN},
    {"192.168.1.1:7373", PARLEY_NETWORK_LAN},
    {"169.254.0.1:7373", PARLEY_NETWORK_LAN},
    {"100.64.0.1:7373", PARLEY_NETWORK_LAN},
    {"[fd00::1]:7373", PARLEY_NETWORK_LAN},
    {"[fe80::1]:7373", PARLEY_NETWORK_LAN},
    {"tor/abcdefgh.onion:7373", PARLEY_NETWORK_OTHER},
    {"abcdefgh.ONION:7373", PARLEY_NETWORK_OTHER},
    {"i2p/x:7373", PARLEY_NETWORK_OTHER},
    /* this machine, nobody, everybody */
    {"127.0.0.1:7373", PARLEY_NETWORK_NONE},
    {"127.255.0.1:7373", PARLEY_NETWORK_NONE},
    {"0.0.0.0:7373", PARLEY_NETWORK_NONE},
    {"0.1.2.3:7373", PARLEY_NETWORK_NONE},
    {"224.0.0.1:7373", PARLEY_NETWORK_NONE},
    {"255.255.255.255:7373", PARLEY_NETWORK_NONE},
    {"192.0.2.1:7373", PARLEY_NETWORK_NONE},
    {"198.51.100.1:7373", PARLEY_NETWORK_NONE},
    {"203.0.113.9:7373", PARLEY_NETWORK_NONE},
    {"198.19.0.1:7373", PARLEY_NETWORK_NONE},
    {"[::1]:7373", PARLEY_NETWORK_NONE},
    {"[::]:7373", PARLEY_NETWORK_NONE},
    {"[ff02::1]:7373", PARLEY_NETWORK_NONE},
    {"[2001:db8::1]:7373", PARLEY_NETWORK_NONE},
    /* IPv4 in IPv6 */
    {"[::ffff:9.1.2.3]:7373", PARLEY_NETWORK_NONE},
    {"[::ffff:7f00:1]:7373", PARLEY_NETWORK_NONE},
    {"[::ffff:901:203]:7373", PARLEY_NETWORK_NONE},
    {"[64:ff9b::7f00:1]:7373", PARLEY_NETWORK_NONE},
    {"[2002:7f00:1::]:7373", PARLEY_NETWORK_NONE},
    {"[2001:0:1::1]:7373", PARLEY_NETWORK_NONE},
    /* not in the one form */
    {"[fe80::1%eth0]:7373", PARLEY_NETWORK_NONE},
    {"[1:2:3]:7373", PARLEY_NETWORK_NONE},
    {"[1:2:3:4:5:6:7:8:9]:7373", PARLEY_NETWORK_NONE},
    {"[2a00:::1]:7373", PARLEY_NETWORK_NONE},
    {"[2a00::1::2]:7373", PARLEY_NETWORK_NONE},
    {"[2a00:12345::1]:7373", PARLEY_NETWORK_NONE},
    {"[2a00::1:]:7373", PARLEY_NETWORK_NONE},
    /* what some resolvers take for an address */
    {"127.1:7373", PARLEY_NETWORK_NONE},
    {"0177.0.0.1:7373", PARLEY_NETWORK_NONE},
    {"127.0.0.01:7373", PARLEY_NETWORK_NONE},
    {"0x7f000001:7373", PARLEY_NETWORK_NONE},
    {"2130706433:7373", PARLEY_NETWORK_NONE},
    {"a.0x7f:7373", PARLEY_NETWORK_NONE},
    {"9.1.2.256:7373", PARLEY_NETWORK_NONE},
    /* names that are not everybody's */
    {"localhost:7373", PARLEY_NETWORK_NONE},
    {"x.LocalHost:7373", PARLEY_NETWORK_NONE},
    {"printer:7373", PARLEY_NETWORK_NONE},
    {"printer.local:7373", PARLEY_NETWORK_NONE},
    {"db.internal:7373", PARLEY_NETWORK_NONE},
    {"example.org.:7373", PARLEY_NETWORK_NONE},
    {".org:7373", PARLEY_NETWORK_NONE},
    {"a..org:7373", PARLEY_NETWORK_NONE},
    {"a_b.org:7373", PARLEY_NETWORK_NONE},
};

static struct parley_network_place place_of(const char *text) {
    struct parley_address address = {.port = 0};
    struct parley_network_place place;
    assert_int_equal(parley_place_decode(&address, PARLEY_SPAN(text, strlen(text))).error,
                     PARLEY_E_OK);
    parley_network_of_place(&place, &address);
    return place;
}

static void test_every_row(void **state) {
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        if (place_of(ROWS[i].place).network != ROWS[i].network)
            fail_msg("%s: %d", ROWS[i].place, (int)place_of(ROWS[i].place).network);
}

static struct parley_remote remote_of(const char *host, unsigned bits) {
    struct parley_remote remote = {.prefix_bits = bits};
    assert_true(parley_ip_decode(&remote.ip, host));
    remote.network = parley_network_of_ip(&remote.ip);
    return remote;
}

static bool holds(const struct parley_remote *remote, const char *text) {
    struct parley_network_place place = place_of(text);
    return parley_network_holds(remote, &place);
}

/* Two private networks of one machine are two networks. */
static void test_networks_are_kept_apart(void **state) {
    struct parley_remote clear = remote_of("9.1.2.3", 0), left = remote_of("10.7.1.2", 96 + 24);
    struct parley_remote six = remote_of("fd00:0:0:1::2", 64), alone = remote_of("10.7.1.2", 128);
    struct parley_remote tor = {.network = PARLEY_NETWORK_OTHER, .transport = "tor"};
    struct parley_remote here = remote_of("127.0.0.1", 0);
    assert_true(holds(&clear, "8.8.8.8:7373") && holds(&clear, "relay.example.org:7373"));
    assert_true(holds(&left, "10.7.1.77:7373"));
    assert_false(holds(&left, "10.7.2.77:7373"));
    assert_false(holds(&left, "9.1.2.3:7373") || holds(&clear, "10.7.1.77:7373"));
    assert_true(holds(&six, "[fd00:0:0:1::77]:7373"));
    assert_false(holds(&six, "[fd00:0:0:2::77]:7373"));
    assert_false(holds(&alone, "10.7.1.77:7373"));
    assert_true(holds(&tor, "x.onion:7373"));
    assert_false(holds(&tor, "i2p/x:7373") || holds(&tor, "9.1.2.3:7373"));
    assert_false(holds(&clear, "x.onion:7373"));
    assert_false(holds(&here, "127.0.0.1:7373") || holds(&here, "9.1.2.3:7373"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_networks_are_kept_apart),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("network", tests, NULL, NULL) == 0 ? 0 : 1;
}
