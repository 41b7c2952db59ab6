/* What a start loaded is judged before handlers speak of it: a home with a forked log is opened
 * again and again, and asked in the same moment. Argument: the folder of the bundles. */
#include "../../node/shell/api.h"
#include "../../node/shell/host.h"
#include <parley/bundle.h>
#include <parley/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define TRAILER_SIZE 37u /* SPEC 7; an import takes sections alone */

static const char *bundles;
static char directory[64];
static uv_loop_t loop;
static struct parley_host *host;
static struct parley_api *api;

struct answer {
    unsigned count, status;
    char body[1u << 16];
};

static void on_answer(void *context, const struct parley_api_answer *from) {
    struct answer *answer = context;
    answer->count++;
    answer->status = from->status;
    (void)snprintf(answer->body, sizeof answer->body, "%.*s", (int)from->body.size,
                   (const char *)from->body.data);
}

static void begin(struct answer *answer, enum parley_api_method method, const char *path,
                  struct parley_span body) {
    struct parley_api_request request = {
        .method = method, .path = path, .content_type = "application/octet-stream", .body = body};
    *answer = (struct answer){0};
    parley_api_handle(api, &request, on_answer, answer);
}

static void finish(const struct answer *answer) {
    while (answer->count == 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(answer->count, 1);
}

static void open_home(void) {
    struct parley_problem problem;
    struct parley_host_config config = {.home = directory, .offline = true, .relay = true};
    assert_int_equal(parley_host_open(&host, &config, &loop, &problem), PARLEY_E_OK);
    assert_int_equal(parley_host_start(host, &problem), PARLEY_E_OK);
    api = parley_api_create(host);
    assert_non_null(api);
}

static void on_stopped(void *context) {
    *(bool *)context = true;
}

static void close_home(void) {
    bool is_stopped = false;
    parley_api_free(api);
    parley_host_stop(host, on_stopped, &is_stopped);
    while (!is_stopped)
        (void)uv_run(&loop, UV_RUN_ONCE);
    parley_host_free(host);
    while (uv_run(&loop, UV_RUN_ONCE) != 0)
        ;
}

static void import(const char *name) {
    static uint8_t bytes[1u << 16];
    static struct answer answer;
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s.parley", bundles, name);
    FILE *file = fopen(path, "rbe");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    assert_true(size > PARLEY_BUNDLE_START_SIZE + TRAILER_SIZE);
    struct parley_span sections = PARLEY_SPAN(bytes + PARLEY_BUNDLE_START_SIZE,
                                              size - PARLEY_BUNDLE_START_SIZE - TRAILER_SIZE);
    begin(&answer, PARLEY_API_POST, "/v1/import", sections);
    finish(&answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "\"problem\":null"));
}

static bool is_judging(void) {
    struct parley_node_status status;
    parley_node_status(parley_host_node(host), &status);
    return status.is_judging;
}

static int open_all(void **state) {
    struct parley_problem problem;
    (void)strcpy(directory, "/tmp/parley_gate_XXXXXX");
    if (mkdtemp(directory) == NULL || parley_crypto_self_test() != PARLEY_E_OK ||
        parley_home_init_relay(directory, &problem) != PARLEY_E_OK || uv_loop_init(&loop) != 0)
        return -1;
    open_home();
    import("small");
    import("other-branch");
    while (is_judging())
        (void)uv_run(&loop, UV_RUN_ONCE);
    return 0;
}

static int close_all(void **state) {
    char command[128];
    close_home();
    (void)snprintf(command, sizeof command, "rm -rf %s", directory);
    return uv_loop_close(&loop) != 0 || system(command) != 0 ? -1 : 0;
}

static void the_first_answer_is_whole(void **state) {
    static struct answer judged, first;
    begin(&judged, PARLEY_API_GET, "/v1/digest", PARLEY_NO_SPAN);
    finish(&judged);
    for (unsigned round = 0; round < 10; round++) {
        close_home();
        open_home();
        assert_int_equal(parley_node_unreviewed(parley_host_node(host)), 1);
        begin(&first, PARLEY_API_GET, "/v1/digest", PARLEY_NO_SPAN);
        finish(&first);
        assert_int_equal(first.status, 200);
        assert_string_equal(first.body, judged.body);
    }
}

static void the_wait_has_an_end(void **state) {
    static struct answer id, status, digest;
    close_home();
    open_home();
    parley_api_set_judging_ms(api, 0);
    begin(&id, PARLEY_API_GET, "/v1/id", PARLEY_NO_SPAN);
    assert_int_equal(id.status, 200); /* says nothing of what is held: at once */
    begin(&status, PARLEY_API_GET, "/v1/status", PARLEY_NO_SPAN);
    begin(&digest, PARLEY_API_GET, "/v1/digest", PARLEY_NO_SPAN);
    assert_int_equal(digest.count, 0);
    finish(&digest);
    assert_int_equal(digest.status, 503);
    assert_non_null(strstr(digest.body, "still judging what the store holds, 1 log left"));
    assert_non_null(strstr(digest.body, "\"error\":\"TIMED_OUT\""));
    finish(&status);
    assert_int_equal(status.status, 200);
    assert_non_null(strstr(status.body, "\"state\":\"catching_up\""));
    assert_int_equal(parley_exit_status(PARLEY_E_TIMED_OUT), 5);
}

/* Who waits is answered when the node stops. */
static void a_stop_ends_the_wait(void **state) {
    static struct answer digest;
    close_home();
    open_home();
    begin(&digest, PARLEY_API_GET, "/v1/digest", PARLEY_NO_SPAN);
    close_home();
    assert_int_equal(digest.count, 1);
    assert_int_equal(digest.status, 503);
    open_home();
}

int main(int count, char **words) {
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(the_first_answer_is_whole),
        cmocka_unit_test(the_wait_has_an_end),
        cmocka_unit_test(a_stop_ends_the_wait),
    };
    if (count != 2)
        return 2;
    bundles = words[1];
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("gate", TESTS, open_all, close_all) != 0;
}
