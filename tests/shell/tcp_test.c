/* Sockets on loopback: two sets on one loop talk, one pushes back, one ends. */
#include "../../node/shell/log.h"
#include "../../node/shell/tcp.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define RECEIVE_MAX 100000u

struct side {
    struct parley_tcp *tcp;
    uint64_t accepted, dialled, failed, closed, stopped;
    uint64_t connection; /* the last accepted or dialled */
    uint64_t received, sent;
    size_t consume_max; /* at a time */
    size_t offered_max; /* most at once */
    size_t end_after;   /* closes when that much was received; 0: never */
    unsigned slow_ms;   /* what it is told takes so long */
    unsigned told_in_turn, told_in_turn_max;
    bool is_echo;
    bool resumes; /* at once: what it waited for came while it was told */
    uint8_t next; /* what the next byte must be, when order is checked */
    bool is_in_order;
};

static uv_loop_t loop;

static void on_accepted(void *context, uint64_t connection) {
    struct side *side = context;
    assert_int_equal(connection % 2, 0);
    side->accepted++;
    side->connection = connection;
}

static void on_dialled(void *context, uint64_t connection) {
    struct side *side = context;
    side->dialled++;
    side->connection = connection;
}

static void on_dial_failed(void *context, uint64_t connection) {
    struct side *side = context;
    side->failed++;
}

static size_t on_received(void *context, uint64_t connection, struct parley_span bytes) {
    struct side *side = context;
    size_t count = bytes.size < side->consume_max ? bytes.size : side->consume_max;
    if (bytes.size > side->offered_max)
        side->offered_max = bytes.size;
    if (side->slow_ms > 0)
        uv_sleep(side->slow_ms);
    side->told_in_turn++;
    if (side->told_in_turn > side->told_in_turn_max)
        side->told_in_turn_max = side->told_in_turn;
    for (size_t i = 0; i < count; i++) {
        if (bytes.data[i] != side->next++)
            side->is_in_order = false;
    }
    side->received += count;
    if (side->resumes && count < bytes.size)
        parley_tcp_resume(side->tcp, connection);
    if (side->is_echo)
        parley_tcp_send(side->tcp, connection, PARLEY_SPAN(bytes.data, count));
    if (side->end_after > 0 && side->received >= side->end_after)
        parley_tcp_close(side->tcp, connection);
    return count;
}

static void on_sent(void *context, uint64_t connection, size_t bytes_count) {
    struct side *side = context;
    side->sent += bytes_count;
}

static void on_closed(void *context, uint64_t connection) {
    struct side *side = context;
    side->closed++;
}

static void on_stopped(void *context) {
    struct side *side = context;
    side->stopped++;
}

static void begin(struct side *side, size_t connections_max) {
    memset(side, 0, sizeof *side);
    side->consume_max = SIZE_MAX;
    side->is_in_order = true;
    struct parley_tcp_config config = {
        .handlers = {side, on_accepted, on_dialled, on_dial_failed, on_received, on_sent, on_closed,
                     on_stopped},
        .receive_bytes_max = RECEIVE_MAX,
        .connections_max = connections_max,
    };
    side->tcp = parley_tcp_create(&loop, &config);
}

static void end(struct side *a, struct side *b) {
    parley_tcp_stop(a->tcp);
    parley_tcp_stop(b->tcp);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(a->stopped, 1);
    assert_int_equal(b->stopped, 1);
    assert_int_equal(a->accepted + a->dialled, a->closed);
    assert_int_equal(b->accepted + b->dialled, b->closed);
    parley_tcp_free(a->tcp);
    parley_tcp_free(b->tcp);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static uint16_t pair(struct side *a, struct side *b) {
    struct parley_tcp_listener made = {0};
    assert_int_equal(uv_loop_init(&loop), 0);
    begin(a, 100);
    begin(b, 100);
    assert_int_equal(parley_tcp_listen(a->tcp, &made, "127.0.0.1", 0, NULL), PARLEY_E_OK);
    assert_int_not_equal(made.port, 0);
    return made.port;
}

static void connect_pair(struct side *a, struct side *b) {
    uint16_t port = pair(a, b);
    parley_tcp_dial(b->tcp, 1, "127.0.0.1", port, true);
    while (a->accepted == 0 || b->dialled == 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
}

static void send_pattern(struct side *side, size_t count) {
    uint8_t bytes[4096];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    for (size_t i = 0; i < count; i++)
        parley_tcp_send(side->tcp, side->connection, PARLEY_SPAN(bytes, sizeof bytes));
}

static void an_echo_comes_back_whole(void **state) {
    struct side a, b;
    connect_pair(&a, &b);
    a.is_echo = true;
    send_pattern(&b, 1000);
    while (b.received < 4096000 || b.sent < 4096000)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(b.sent, 4096000);
    assert_true(a.is_in_order && b.is_in_order);
    end(&a, &b);
}

static void a_reader_that_takes_little_is_offered_the_rest(void **state) {
    struct side a, b;
    connect_pair(&a, &b);
    a.consume_max = 1000;
    send_pattern(&b, 100);
    while (a.received < 409600) {
        parley_tcp_resume(a.tcp, a.connection);
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_true(a.is_in_order);
    assert_in_range(a.offered_max, 1, RECEIVE_MAX);
    end(&a, &b);
}

static void a_reader_that_resumes_while_it_is_told_is_offered_the_rest(void **state) {
    struct side a, b;
    connect_pair(&a, &b);
    a.consume_max = 100;
    a.resumes = true;
    send_pattern(&b, 1);
    for (unsigned turns = 0; a.received < 4096 && turns < 200; turns++) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
        uv_sleep(1);
    }
    assert_int_equal(a.received, 4096);
    assert_true(a.is_in_order);
    end(&a, &b);
}

static void a_reader_that_takes_nothing_stops_the_sender(void **state) {
    struct side a, b;
    connect_pair(&a, &b);
    a.consume_max = 0;
    send_pattern(&b, 8000); /* 32 MB: more than two sockets hold */
    for (size_t i = 0; i < 300; i++)
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(a.offered_max, RECEIVE_MAX);
    assert_true(b.sent < 8000 * 4096);
    a.consume_max = SIZE_MAX;
    parley_tcp_resume(a.tcp, a.connection);
    while (a.received < 8000 * 4096)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_true(a.is_in_order);
    end(&a, &b);
}

static void what_was_sent_arrives_before_the_end(void **state) {
    struct side a, b;
    connect_pair(&a, &b);
    send_pattern(&a, 50); /* unread by a, which ends while b sends */
    send_pattern(&b, 500);
    parley_tcp_close(b.tcp, b.connection);
    while (a.closed == 0 || b.closed == 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(a.received, 500 * 4096);
    end(&a, &b);
}

static void an_end_waits_a_second_at_most(void **state) {
    struct side a, b;
    connect_pair(&a, &b);
    a.consume_max = 0;
    send_pattern(&b, 8000);
    uint64_t begun = uv_hrtime();
    parley_tcp_close(b.tcp, b.connection);
    while (b.closed == 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_in_range(uv_hrtime() - begun, 900000000, 1900000000);
    end(&a, &b);
}

static void closing_within_a_callback_is_allowed(void **state) {
    struct side a, b;
    connect_pair(&a, &b);
    a.end_after = 1;
    send_pattern(&b, 1);
    while (a.closed == 0 || b.closed == 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
    end(&a, &b);
}

static void a_dial_to_nobody_fails(void **state) {
    struct side a, b;
    uint16_t port = pair(&a, &b);
    parley_tcp_stop(a.tcp);
    while (a.stopped == 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
    a.stopped = 0;
    parley_tcp_free(a.tcp);
    begin(&a, 100);
    parley_tcp_dial(b.tcp, 1, "127.0.0.1", port, true);
    parley_tcp_dial(b.tcp, 3, "no host has spaces", 1, true);
    while (b.failed < 2)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(b.dialled, 0);
    end(&a, &b);
}

/* A listener of this machine is there; what a peer told must not lead to it, by whatever name. */
static void a_peers_word_leads_to_no_service_here(void **state) {
    struct side a, b;
    uint16_t port = pair(&a, &b);
    parley_tcp_dial(b.tcp, 1, "127.0.0.1", port, false);
    parley_tcp_dial(b.tcp, 3, "localhost", port, false);
    parley_tcp_dial(b.tcp, 5, "127.1", port, false);
    parley_tcp_dial(b.tcp, 7, "0.0.0.0", port, false);
    while (b.failed < 4)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(b.dialled + a.accepted, 0);
    parley_tcp_dial(b.tcp, 9, "127.0.0.1", port, true);
    while (a.accepted == 0 || b.dialled == 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
    /* Within one machine there is nothing to tell of addresses. */
    struct parley_remote remote;
    parley_tcp_remote(b.tcp, 9, &remote);
    assert_int_equal(remote.network, PARLEY_NETWORK_NONE);
    end(&a, &b);
}

static void a_dial_that_is_called_off_fails(void **state) {
    struct side a, b;
    uint16_t port = pair(&a, &b);
    parley_tcp_dial(b.tcp, 1, "127.0.0.1", port, true);
    parley_tcp_close(b.tcp, 1);
    parley_tcp_close(b.tcp, 1);
    while (b.failed == 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(b.failed, 1);
    end(&a, &b);
}

static void a_port_in_use_is_named(void **state) {
    struct side a, b;
    uint16_t port = pair(&a, &b);
    struct parley_tcp_listener other;
    struct parley_problem problem;
    assert_int_equal(parley_tcp_listen(b.tcp, &other, "127.0.0.1", port, &problem), PARLEY_E_RETRY);
    assert_non_null(strstr(problem.text, "127.0.0.1"));
    assert_int_equal(parley_tcp_listen(b.tcp, &other, "192.0.2.1", 0, &problem),
                     PARLEY_E_BAD_INPUT);
    end(&a, &b);
}

static void a_full_table_lets_clients_wait(void **state) {
    struct side a, b;
    struct parley_tcp_listener made = {0};
    assert_int_equal(uv_loop_init(&loop), 0);
    begin(&a, 2);
    begin(&b, 100);
    assert_int_equal(parley_tcp_listen(a.tcp, &made, "", 0, NULL), PARLEY_E_OK);
    for (uint64_t i = 0; i < 5; i++)
        parley_tcp_dial(b.tcp, 2 * i + 1, "127.0.0.1", made.port, true);
    while (b.dialled < 5) /* the kernel takes them into the backlog */
        (void)uv_run(&loop, UV_RUN_ONCE);
    for (size_t i = 0; i < 20; i++)
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(a.accepted, 2);
    while (a.accepted < 5) {
        parley_tcp_close(a.tcp, a.connection);
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_in_range(parley_tcp_connections_count(a.tcp), 1, 2);
    end(&a, &b);
}

static void a_listener_that_ended_takes_nobody_and_leaves_who_is_there(void **state) {
    struct side a, b;
    struct parley_tcp_listener other;
    connect_pair(&a, &b);
    assert_int_equal(parley_tcp_listen(a.tcp, &other, "127.0.0.1", 0, NULL), PARLEY_E_OK);
    parley_tcp_unlisten(a.tcp, other.number);
    parley_tcp_unlisten(a.tcp, other.number);
    parley_tcp_dial(b.tcp, 3, "127.0.0.1", other.port, true);
    while (b.failed == 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(a.accepted, 1);
    assert_int_equal(a.closed, 0);
    end(&a, &b);
}

/* Whatever peers say and whatever it costs, what else the loop has to do comes in between. */
#define TALKERS_COUNT 20u
static void many_peers_do_not_take_the_loop(void **state) {
    struct side a, b;
    uint16_t port = pair(&a, &b);
    for (unsigned i = 0; i < TALKERS_COUNT; i++)
        parley_tcp_dial(b.tcp, 2 * i + 1, "127.0.0.1", port, true);
    while (a.accepted < TALKERS_COUNT || b.dialled < TALKERS_COUNT)
        (void)uv_run(&loop, UV_RUN_ONCE);
    a.slow_ms = 3;
    for (unsigned i = 0; i < TALKERS_COUNT; i++)
        parley_tcp_send(b.tcp, 2 * i + 1, PARLEY_SPAN("\0", 1));
    while (a.received < TALKERS_COUNT) {
        a.told_in_turn = 0;
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    assert_in_range(a.told_in_turn_max, 1, 2);
    end(&a, &b);
}

int main(void) {
    parley_log_set_level(PARLEY_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_echo_comes_back_whole),
        cmocka_unit_test(a_reader_that_takes_little_is_offered_the_rest),
        cmocka_unit_test(a_reader_that_resumes_while_it_is_told_is_offered_the_rest),
        cmocka_unit_test(a_reader_that_takes_nothing_stops_the_sender),
        cmocka_unit_test(what_was_sent_arrives_before_the_end),
        cmocka_unit_test(an_end_waits_a_second_at_most),
        cmocka_unit_test(closing_within_a_callback_is_allowed),
        cmocka_unit_test(a_dial_to_nobody_fails),
        cmocka_unit_test(a_peers_word_leads_to_no_service_here),
        cmocka_unit_test(a_dial_that_is_called_off_fails),
        cmocka_unit_test(a_port_in_use_is_named),
        cmocka_unit_test(a_full_table_lets_clients_wait),
        cmocka_unit_test(many_peers_do_not_take_the_loop),
        cmocka_unit_test(a_listener_that_ended_takes_nobody_and_leaves_who_is_there),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
