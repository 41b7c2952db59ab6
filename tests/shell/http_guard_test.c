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
};

static void rows_are_judged(void **state) {
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        unsigned status = 0;
        const char *why = http_guard_refuse(&ROWS[i].visitor, 8080, TOKEN, &status);
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
    for (size_t i = 0; i < 2; i++) {
        unsigned status = 0;
        assert_non_null(http_guard_refuse(&VISITORS[i], 8080, "", &status));
        assert_int_equal(status, 401);
    }
}

int main(void) {
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(rows_are_judged),
        cmocka_unit_test(an_empty_token_opens_nothing),
    };
    if (parley_crypto_self_test() != PARLEY_E_OK)
        return 1;
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_guard", TESTS, NULL, NULL) != 0;
}
