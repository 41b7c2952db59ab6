/* Who may speak to the API over TCP: rows of headers and the answer. */
#include "../../node/shell/http_guard.h"
#include <parley/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TOKEN "0123456789abcdef"
#define BEAR  "Bearer " TOKEN

struct row {
    const char *words;
    struct http_visitor visitor;
    unsigned status; /* 0: may go on */
};

static const struct row ROWS[] = {
    {"an address", {"127.0.0.1:8080", "", BEAR}, 0},
    {"localhost", {"LocalHost:8080", "", BEAR}, 0},
    {"an address of the next version", {"[::1]:8080", "", BEAR}, 0},
    {"its own page", {"127.0.0.1:8080", "http://127.0.0.1:8080", BEAR}, 0},
    {"no Host", {"", "", BEAR}, 403},
    {"no port", {"127.0.0.1", "", BEAR}, 403},
    {"another port", {"127.0.0.1:8081", "", BEAR}, 403},
    {"a port with more behind", {"127.0.0.1:8080x", "", BEAR}, 403},
    {"a port that wraps", {"127.0.0.1:73616", "", BEAR}, 403},
    {"a name pointed here", {"rebound.example:8080", "", BEAR}, 403},
    {"a name that looks like an address", {"127.0.0.1.example:8080", "", BEAR}, 403},
    {"brackets around nothing", {"[]:8080", "", BEAR}, 403},
    {"localhost as a beginning", {"localhost.example:8080", "", BEAR}, 403},
    {"a page of another origin", {"127.0.0.1:8080", "http://example.com", BEAR}, 403},
    {"a page of another port", {"127.0.0.1:8080", "http://127.0.0.1:8081", BEAR}, 403},
    {"a page without an origin", {"127.0.0.1:8080", "null", BEAR}, 403},
    {"another scheme", {"127.0.0.1:8080", "https://127.0.0.1:8080", BEAR}, 403},
    {"no token", {"127.0.0.1:8080", "", ""}, 401},
    {"a shorter token", {"127.0.0.1:8080", "", "Bearer 0123456789abcde"}, 401},
    {"a longer token", {"127.0.0.1:8080", "", BEAR "0"}, 401},
    {"another token", {"127.0.0.1:8080", "", "Bearer 0123456789abcdee"}, 401},
    {"another scheme of it", {"127.0.0.1:8080", "", "Basic! " TOKEN}, 401},
    {"the host is looked at before the token", {"example.com:8080", "", ""}, 403},
    {"what is open", {"127.0.0.1:8080", .is_open = true}, 0},
    {"what is open, under a name pointed here", {"rebound.example:8080", .is_open = true}, 403},
    {"what is open, by a link elsewhere",
     {"127.0.0.1:8080", .site = "cross-site", .is_open = true},
     0},
    {"a change that says nothing of its origin",
     {"127.0.0.1:8080", .changes = true, .is_open = true},
     403},
    {"a change by a program", {"127.0.0.1:8080", "", BEAR, .changes = true}, 0},
};

static struct http_sessions sessions;

static struct http_door door(const char *token) {
    return (struct http_door){8080, token, &sessions, 1000};
}

static void rows_are_judged(void **state) {
    const struct http_door at = door(TOKEN);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        unsigned status = 0;
        const char *why = http_guard_refuse(&ROWS[i].visitor, &at, &status);
        if (ROWS[i].status == 0 ? why != NULL : why == NULL || status != ROWS[i].status)
            fail_msg("%s: %s, %u", ROWS[i].words, why != NULL ? why : "may go on", status);
    }
}

/* A node that could make no token lets nobody in. */
static void an_empty_token_opens_nothing(void **state) {
    static const struct http_visitor VISITORS[] = {
        {"127.0.0.1:8080", "", ""},
        {"127.0.0.1:8080", "", "Bearer "},
    };
    const struct http_door at = door("");
    for (size_t i = 0; i < 2; i++) {
        unsigned status = 0;
        assert_non_null(http_guard_refuse(&VISITORS[i], &at, &status));
        assert_int_equal(status, 401);
    }
}

/* ---- sessions ----------------------------------------------------------------------------- */

static struct http_pass enter(parley_time_ms now) {
    static uint8_t random[16];
    char secret[HTTP_SECRET_SIZE];
    struct http_pass pass;
    random[0]++;
    http_sessions_open(&sessions, secret, random, now);
    random[1]++;
    assert_true(http_sessions_enter(&sessions, &pass, secret, random, now));
    return pass;
}

static void a_link_is_good_once_and_for_minutes(void **state) {
    static const uint8_t random[16] = {7};
    char secret[HTTP_SECRET_SIZE], others[HTTP_SECRET_SIZE];
    struct http_pass pass;
    http_sessions_open(&sessions, secret, random, 5);
    assert_false(http_sessions_enter(&sessions, &pass, "", random, 6));
    assert_false(
        http_sessions_enter(&sessions, &pass, "00000000000000000000000000000000", random, 6));
    assert_false(http_sessions_enter(&sessions, &pass, secret, random, 5 + HTTP_OPENING_MS));
    assert_true(http_sessions_enter(&sessions, &pass, secret, random, 4 + HTTP_OPENING_MS));
    assert_false(http_sessions_enter(&sessions, &pass, secret, random, 6));
    http_sessions_open(&sessions, secret, random, 5);
    for (uint8_t i = 0; i < HTTP_OPENINGS_MAX; i++)
        http_sessions_open(&sessions, others, (uint8_t[16]){100, i}, 5);
    assert_false(http_sessions_enter(&sessions, &pass, secret, random, 6));
    assert_true(http_sessions_enter(&sessions, &pass, others, random, 6));
}

static void both_halves_of_one_session_are_needed(void **state) {
    struct http_pass one = enter(1000), other = enter(1000);
    parley_time_ms end = 1000 + HTTP_SESSION_MS;
    assert_true(one.until == end);
    assert_true(http_sessions_holds(&sessions, one.cookie, one.word, 1001));
    assert_true(http_sessions_holds(&sessions, other.cookie, other.word, end - 1));
    assert_false(http_sessions_holds(&sessions, one.cookie, one.word, end));
    assert_false(http_sessions_holds(&sessions, one.cookie, other.word, 1001));
    assert_false(http_sessions_holds(&sessions, one.cookie, "", 1001));
    assert_false(http_sessions_holds(&sessions, "", one.word, 1001));
    for (size_t i = 0; i < HTTP_COOKIE_SIZE - 1; i++) {
        struct http_pass bad = one;
        bad.cookie[i] = bad.cookie[i] == '0' ? '1' : '0';
        assert_false(http_sessions_holds(&sessions, bad.cookie, bad.word, 1001));
    }
    uint8_t key[HTTP_SESSION_KEY_BYTES] = {1};
    http_sessions_set_key(&sessions, key);
    assert_false(http_sessions_holds(&sessions, one.cookie, one.word, 1001));
}

/* Nor does a session that goes on become fresh: only another link makes one that is. */
static void keys_are_changed_soon_after_a_link_alone(void **state) {
    struct http_pass pass = enter(1000);
    struct http_door at = door(TOKEN);
    struct http_visitor page = {"127.0.0.1:8080", "http://127.0.0.1:8080", .changes = true};
    struct http_visitor program = {"127.0.0.1:8080", "", BEAR, .changes = true};
    unsigned status = 0;
    strcpy(page.cookie, pass.cookie);
    strcpy(page.word, pass.word);
    page.changes_keys = program.changes_keys = true;
    at.now = 999 + HTTP_FRESH_MS;
    assert_null(http_guard_refuse(&page, &at, &status));
    at.now = 1000 + HTTP_FRESH_MS;
    assert_non_null(http_guard_refuse(&page, &at, &status));
    assert_int_equal(status, 403);
    assert_null(http_guard_refuse(&program, &at, &status));
    page.changes_keys = false;
    assert_null(http_guard_refuse(&page, &at, &status));
    page.makes_link = program.makes_link = true; /* nor does it get one by itself */
    assert_non_null(http_guard_refuse(&page, &at, &status));
    assert_int_equal(status, 403);
    assert_null(http_guard_refuse(&program, &at, &status));
    page.makes_link = false;
    page.changes_keys = true;
    pass = enter(at.now);
    strcpy(page.cookie, pass.cookie);
    strcpy(page.word, pass.word);
    assert_null(http_guard_refuse(&page, &at, &status));
}

static void a_session_comes_from_the_nodes_own_page(void **state) {
    struct http_pass pass = enter(1000);
    const struct http_door at = door(TOKEN);
    struct http_visitor visitor = {"127.0.0.1:8080"};
    unsigned status = 0;
    strcpy(visitor.cookie, pass.cookie);
    strcpy(visitor.word, pass.word);
    assert_null(http_guard_refuse(&visitor, &at, &status));
    strcpy(visitor.site, "same-origin");
    assert_null(http_guard_refuse(&visitor, &at, &status));
    strcpy(visitor.site, "same-site"); /* another port of this machine */
    assert_non_null(http_guard_refuse(&visitor, &at, &status));
    assert_int_equal(status, 403);
    strcpy(visitor.site, "same-origin");
    visitor.changes = true;
    assert_non_null(http_guard_refuse(&visitor, &at, &status));
    assert_int_equal(status, 403);
    strcpy(visitor.origin, "http://127.0.0.1:8080");
    assert_null(http_guard_refuse(&visitor, &at, &status));
    visitor.word[0] = '\0';
    assert_non_null(http_guard_refuse(&visitor, &at, &status));
    assert_int_equal(status, 401);
}

static void a_cookie_is_found_by_its_name(void **state) {
    static const struct {
        const char *header, *value;
    } rows[] = {
        {"", ""},
        {"parley_80=x", "x"},
        {"a=b; parley_80=x", "x"},
        {"a=b;parley_80=x;c=d", "x"},
        {"parley_8080=y; parley_80=x", "x"},
        {"xparley_80=y", ""},
        {"parley_80", ""},
        {"parley_80=", ""},
        {"parley_80=0123456789", ""}, /* none of ours is so long */
        {"; ;; parley_80=x;", "x"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char value[8];
        http_guard_cookie(value, sizeof(value), rows[i].header, "parley_80");
        assert_string_equal(value, rows[i].value);
    }
}

int main(void) {
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(rows_are_judged),
        cmocka_unit_test(an_empty_token_opens_nothing),
        cmocka_unit_test(a_link_is_good_once_and_for_minutes),
        cmocka_unit_test(both_halves_of_one_session_are_needed),
        cmocka_unit_test(keys_are_changed_soon_after_a_link_alone),
        cmocka_unit_test(a_session_comes_from_the_nodes_own_page),
        cmocka_unit_test(a_cookie_is_found_by_its_name),
    };
    if (parley_crypto_self_test() != PARLEY_E_OK)
        return 1;
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_guard", TESTS, NULL, NULL) != 0;
}
