/* The API's handlers without HTTP, over a real store in a folder of its own: rows of requests, each
 * with the status and a part of the answer. */
#include "../../node/shell/api.h"
#include "../../node/shell/finding.h"
#include "../../node/shell/host.h"
#include "host_bed.h"
#include <parley/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define JSON   "application/json"
#define NDJSON "application/x-ndjson"
#define BYTES  "application/octet-stream"

static char directory[64];
static uv_loop_t loop;
static struct parley_host *host;
static struct parley_api *api;
static char *big_json; /* a text beyond what fits a post */

static int open_all(void **state) {
    char words[PARLEY_WORDS_TEXT_SIZE];
    struct parley_problem problem;
    struct parley_host_config config = {.home = directory, .offline = true};
    (void)strcpy(directory, "/tmp/parley_api_XXXXXX");
    if (mkdtemp(directory) == NULL || parley_crypto_self_test() != PARLEY_E_OK)
        return -1;
    if (parley_home_init(directory, words, &problem) != PARLEY_E_OK || uv_loop_init(&loop) != 0 ||
        parley_host_open(&host, &config, &loop, &problem) != PARLEY_E_OK ||
        parley_host_start(host, &problem) != PARLEY_E_OK)
        return -1;
    api = parley_api_create(host);
    big_json = malloc(70100);
    if (api == NULL || big_json == NULL)
        return -1;
    memset(big_json, 'x', 70000);
    memcpy(big_json, "{\"text\":\"", 9);
    (void)strcpy(big_json + 70000, "\"}");
    return 0;
}

static int close_all(void **state) {
    parley_api_free(api);
    free(big_json);
    return host_bed_close(host, &loop, directory);
}

/* --- asking -------------------------------------------------------------------------------- */

struct answer {
    unsigned count;
    unsigned status;
    char next[256];
    size_t size;
    char body[1u << 20];
};
static struct answer answer;

static void on_answer(void *context, const struct parley_api_answer *from) {
    answer.count++;
    answer.status = from->status;
    answer.size = from->body.size;
    assert_true(from->body.size < sizeof answer.body);
    if (from->body.size > 0)
        memcpy(answer.body, from->body.data, from->body.size);
    answer.body[from->body.size] = '\0';
    (void)snprintf(answer.next, sizeof answer.next, "%s", from->next != NULL ? from->next : "");
}

/* parameter: "name=value" or NULL. */
static void ask(enum parley_api_method method, const char *path, const char *parameter,
                const char *type, struct parley_span body) {
    char text[512] = "";
    struct parley_api_parameter parsed = {text, ""};
    struct parley_api_request request = {.method = method,
                                         .path = path,
                                         .parameters = &parsed,
                                         .parameters_count = parameter != NULL,
                                         .content_type = type,
                                         .body = body};
    if (parameter != NULL) {
        (void)snprintf(text, sizeof text, "%s", parameter);
        char *equals = strchr(text, '=');
        *equals = '\0';
        parsed.value = equals + 1;
    }
    answer = (struct answer){0};
    parley_api_handle(api, &request, on_answer, NULL);
    while (answer.count == 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(answer.count, 1);
}

struct row {
    enum parley_api_method method;
    const char *path, *parameter, *type, *body;
    unsigned status;
    const char *part; /* of the answer; NULL: anything */
};

static void run_rows(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *body = rows[i].body != NULL ? rows[i].body : "";
        ask(rows[i].method, rows[i].path, rows[i].parameter, rows[i].type,
            PARLEY_SPAN(body, strlen(body)));
        if (answer.status != rows[i].status ||
            (rows[i].part != NULL && strstr(answer.body, rows[i].part) == NULL))
            fail_msg("row %zu, %s %.60s: %u %.300s", i, rows[i].path, body, answer.status,
                     answer.body);
    }
}
#define RUN_ROWS(rows) run_rows(rows, sizeof(rows) / sizeof((rows)[0]))

#define GET    PARLEY_API_GET
#define POST   PARLEY_API_POST
#define DELETE PARLEY_API_DELETE

/* --- rows ---------------------------------------------------------------------------------- */

static void paths_and_types(void **state) {
    static const struct row ROWS[] = {
        {GET, "/", NULL, NULL, NULL, 404, "NOT_FOUND"},
        {GET, "/v1/", NULL, NULL, NULL, 404, NULL},
        {GET, "/v1/status/more", NULL, NULL, NULL, 404, NULL},
        {GET, "/v1/posts/", NULL, NULL, NULL, 404, NULL},
        {DELETE, "/v1/posts", NULL, NULL, NULL, 405, NULL},
        {POST, "/v1/status", NULL, JSON, "{}", 405, NULL},
        {POST, "/v1/posts", NULL, NULL, "{\"text\":\"x\"}", 415, NULL},
        {POST, "/v1/posts", NULL, "text/plain", "{\"text\":\"x\"}", 415, NULL},
        {POST, "/v1/posts", NULL, "application/jsonx", "{\"text\":\"x\"}", 415, NULL},
        {POST, "/v1/posts", NULL, "application/json; charset=utf-8", "{\"text\":\"x\"}", 201,
         "post1"},
        {POST, "/v1/import", NULL, JSON, "{}", 415, NULL},
        {GET, "/v1/status", NULL, NULL, NULL, 200, "\"state\":\"ok\""},
        {GET, "/v1/id", NULL, NULL, NULL, 200, "\"author\":\"parley1"},
        {GET, "/v1/peers", NULL, NULL, NULL, 200, "{\"peers\":[]}"},
        {GET, "/v1/follows", NULL, NULL, NULL, 200, "{\"follows\":[]}"},
    };
    RUN_ROWS(ROWS);
}

static void posts_have_bounds(void **state) {
    static const struct row ROWS[] = {
        {POST, "/v1/posts", NULL, JSON, "", 400, "body"},
        {POST, "/v1/posts", NULL, JSON, "[]", 400, "body"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"a\"} x", 400, "body"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"a\",\"text\":\"b\"}", 400, "body"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"\xff\"}", 400, "body"},
        {POST, "/v1/posts", NULL, JSON, "{}", 400, "\"field\":\"text\""},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":7}", 400, "\"field\":\"text\""},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"\"}", 400, "empty"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"a\",\"tags\":\"b\"}", 400, "tags"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"a\",\"tags\":[\"\"]}", 400, "tags"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"a\",\"tags\":[1]}", 400, "tags"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"a\",\"time\":0}", 400, "time"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"a\",\"time\":1.5}", 400, "time"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"a\",\"time\":9007199254740992}", 400, "time"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"a\",\"reply\":7}", 400, "reply"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"a\",\"reply\":\"\"}", 400, "reply"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"a\",\"quote\":\"post1x\"}", 400, "quote"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"a\",\"reply\":\"nobody/1\"}", 404, "nobody"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"z\\u0000z\",\"time\":9007199254740991}", 201,
         "post1"},
        {GET, "/v1/timeline", "limit=1", NULL, NULL, 200, "z\\u0000z"},
        {POST, "/v1/profile", NULL, JSON, "{\"name\":\"\"}", 400, "name"},
        {POST, "/v1/profile", NULL, JSON, "{\"name\":\"Ada\"}", 201, "post1"},
        {GET, "/v1/authors/Ada", NULL, NULL, NULL, 200, "parley1"},
        {GET, "/v1/authors/Bob", NULL, NULL, NULL, 404, "Bob"},
    };
    RUN_ROWS(ROWS);
    ask(POST, "/v1/posts", NULL, JSON, PARLEY_SPAN(big_json, strlen(big_json)));
    assert_int_equal(answer.status, 400);
    assert_non_null(strstr(answer.body, "too long"));
}

static void readers_have_bounds(void **state) {
    static const struct row ROWS[] = {
        {GET, "/v1/timeline", "limit=0", NULL, NULL, 400, "limit"},
        {GET, "/v1/timeline", "limit=1001", NULL, NULL, 400, "limit"},
        {GET, "/v1/timeline", "limit=99999999999999999999", NULL, NULL, 400, "limit"},
        {GET, "/v1/timeline", "limit=", NULL, NULL, 400, "limit"},
        {GET, "/v1/timeline", "tag=", NULL, NULL, 400, "tag"},
        {GET, "/v1/timeline", "before=1.2.3", NULL, NULL, 400, "before"},
        {GET, "/v1/timeline", "before=", NULL, NULL, 400, "before"},
        {GET, "/v1/timeline", "author=", NULL, NULL, 400, "author"},
        {GET, "/v1/timeline", "author=parley1", NULL, NULL, 400, "author"},
        {GET, "/v1/timeline", "author=parley1bbb", NULL, NULL, 404, "author"},
        {GET, "/v1/timeline", "before=1", NULL, NULL, 200,
         "{\"posts\":[],\"next\":null,\"problem\":null}"},
        {GET, "/v1/posts/Ada/0", NULL, NULL, NULL, 400, "post"},
        {GET, "/v1/posts/Ada/281474976710656", NULL, NULL, NULL, 400, "post"},
        {GET, "/v1/posts/Ada/2/1", NULL, NULL, NULL, 404, "not here"},
        {GET, "/v1/posts/Ada/1", NULL, NULL, NULL, 200, "\"verified\":true"},
        {GET, "/v1/export", NULL, NULL, NULL, 400, "author"},
        {GET, "/v1/digest", "author=Ada", NULL, NULL, 200, "digest_bodies"},
        {DELETE, "/v1/follows/Ada", NULL, NULL, NULL, 404, "not followed"},
        {DELETE, "/v1/peers/pnode1", NULL, NULL, NULL, 400, "key"},
        {POST, "/v1/peers", NULL, JSON, "{\"address\":\"x\"}", 400, "address"},
        {POST, "/v1/follows", NULL, JSON, "{\"author\":\"Ada\"}", 400, "own"},
        {POST, "/v1/follows", NULL, JSON, "{\"author\":\"Ada\",\"private\":1}", 400, "private"},
        {POST, "/v1/import", NULL, BYTES, "rubbish", 200, "\"problem\":{"},
        {POST, "/v1/import", NULL, BYTES, "", 200, "\"problem\":null"},
    };
    RUN_ROWS(ROWS);
}

/* A bad line is named and ends the batch; what stands before it is published. */
static void a_batch_ends_at_its_bad_line(void **state) {
    static const char LINES[] =
        "{\"text\":\"1\",\"tags\":[\"b\"]}\n{\"text\":\"2\",\"tags\":[\"b\"]}\n"
        "{\"text\":\"\"}\n{\"text\":\"4\",\"tags\":[\"b\"]}\n";
    ask(POST, "/v1/posts/batch", NULL, NDJSON, PARLEY_SPAN(LINES, sizeof LINES - 1));
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "\"line\":2}\n{\"status\":400"));
    assert_non_null(strstr(answer.body, "\"line\":3}"));
    assert_null(strstr(answer.body, "\"line\":4}"));
    ask(GET, "/v1/timeline", "tag=b", NULL, PARLEY_NO_SPAN);
    assert_non_null(strstr(answer.body, "\"text\":\"2\""));
    assert_null(strstr(answer.body, "\"text\":\"4\""));
}

static unsigned batches_good;

static void on_batch_answer(void *context, const struct parley_api_answer *from) {
    const char *bad = memmem(from->body.data, from->body.size, "\"status\"", 8);
    batches_good += from->status == 200 && bad == NULL;
    answer.count++;
}

/* As many at once as would fill the node's tables: each line is published. */
static void batches_share_the_node(void **state) {
    static const char LINE[] = "{\"text\":\"of many\"}\n";
    enum { LINES_COUNT = 1000, BATCHES_COUNT = 8 };
    size_t size = (sizeof LINE - 1) * LINES_COUNT;
    char *lines = malloc(size + 1);
    assert_non_null(lines);
    for (size_t i = 0; i < LINES_COUNT; i++)
        (void)strcpy(lines + i * (sizeof LINE - 1), LINE);
    struct parley_api_request request = {.method = POST,
                                         .path = "/v1/posts/batch",
                                         .content_type = NDJSON,
                                         .body = PARLEY_SPAN(lines, size)};
    answer = (struct answer){0};
    for (unsigned i = 0; i < BATCHES_COUNT; i++)
        parley_api_handle(api, &request, on_batch_answer, NULL);
    while (answer.count < BATCHES_COUNT)
        (void)uv_run(&loop, UV_RUN_ONCE);
    free(lines);
    assert_int_equal(batches_good, BATCHES_COUNT);
}

/* Pages of an export meet, and each stays within its bound. */
static void an_export_goes_by_pages(void **state) {
    char parameter[300] = "";
    size_t pages = 0, total = 0;
    memcpy(big_json + 60000, "\"}", 3);
    for (int i = 0; i < 25; i++) {
        ask(POST, "/v1/posts", NULL, JSON, PARLEY_SPAN(big_json, strlen(big_json)));
        assert_int_equal(answer.status, 201);
    }
    do {
        struct parley_api_parameter parameters[] = {{"author", "Ada"}, {"cursor", parameter}};
        struct parley_api_request request = {.method = GET,
                                             .path = "/v1/export",
                                             .parameters = parameters,
                                             .parameters_count = pages == 0 ? 1 : 2};
        answer = (struct answer){0};
        parley_api_handle(api, &request, on_answer, NULL);
        while (answer.count == 0)
            (void)uv_run(&loop, UV_RUN_ONCE);
        assert_int_equal(answer.status, 200);
        (void)strcpy(parameter, answer.next);
        total += answer.size;
        pages++;
    } while (parameter[0] != '\0');
    assert_true(pages == 2);
    assert_true(total > 25u * 60000);
}

/* Entries of one's own, by their places: it goes on where the tests before have left the log. */
static void sayings_have_bounds(void **state) {
    static const struct row ROWS[] = {
        {GET, "/v1/profile", NULL, NULL, NULL, 200, "\"name\":\"Ada\",\"about\":null"},
        {GET, "/v1/profiles/Ada", NULL, NULL, NULL, 200, "\"name\":\"Ada\""},
        {GET, "/v1/profiles/Bob", NULL, NULL, NULL, 404, "Bob"},
        {POST, "/v1/profile", NULL, JSON, "{}", 400, "name or about"},
        {POST, "/v1/profile", NULL, JSON, "{\"name\":7}", 400, "\"field\":\"name\""},
        {POST, "/v1/profile", NULL, JSON, "{\"about\":\"words\"}", 201, "post1"},
        {GET, "/v1/profile", NULL, NULL, NULL, 200, "\"name\":\"Ada\",\"about\":\"words\""},
        {POST, "/v1/profile", NULL, JSON, "{\"about\":\"\"}", 201, "post1"},
        {GET, "/v1/profile", NULL, NULL, NULL, 200, "\"about\":null"},
        {POST, "/v1/votes", NULL, JSON, "{}", 400, "\"field\":\"post\""},
        {POST, "/v1/votes", NULL, JSON, "{\"post\":\"Ada/1\"}", 400, "value"},
        {POST, "/v1/votes", NULL, JSON, "{\"post\":\"Ada/1\",\"value\":2}", 400, "value"},
        {POST, "/v1/votes", NULL, JSON, "{\"post\":\"Ada/1\",\"value\":1}", 201, "\"ref\":\"post1"},
        {GET, "/v1/posts/Ada/1", NULL, NULL, NULL, 200, "\"up\":1,\"down\":0"},
        {POST, "/v1/votes", NULL, JSON, "{\"post\":\"Ada/1\",\"value\":-1}", 201, NULL},
        {GET, "/v1/posts/Ada/1", NULL, NULL, NULL, 200,
         "\"up\":0,\"down\":1,\"complete\":true,\"mine\":-1"},
        {POST, "/v1/votes", NULL, JSON, "{\"post\":\"Ada/1\",\"value\":0}", 201, NULL},
        {GET, "/v1/threads/Ada/1", NULL, NULL, NULL, 200, "\"up\":0,\"down\":0"},
        {POST, "/v1/echoes", NULL, JSON, "{\"post\":\"Ada/1\",\"text\":7}", 400, "text"},
        {POST, "/v1/echoes", NULL, JSON, "{\"post\":\"Ada/4000\"}", 404, "not here"},
        {POST, "/v1/echoes", NULL, JSON, "{\"post\":\"Ada/1\",\"text\":\"hear\"}", 201, "post1"},
        {GET, "/v1/timeline", "limit=1", NULL, NULL, 200, "\"echoed\":{\"post\":\"post1"},
        {GET, "/v1/threads/Ada/1", "limit=0", NULL, NULL, 400, "limit"},
        {GET, "/v1/threads/Ada/1", "after=x", NULL, NULL, 400, "after"},
        {GET, "/v1/threads/Ada/4000", NULL, NULL, NULL, 404, "not here"},
        {POST, "/v1/posts", NULL, JSON, "{\"text\":\"answer\",\"reply\":\"Ada/1\"}", 201, NULL},
        {GET, "/v1/threads/Ada/1", NULL, NULL, NULL, 200, "\"parent_here\":true"},
        {POST, "/v1/erasures", NULL, JSON, "{\"post\":\"Ada/1\"}", 201, "\"ref\":\"post1"},
        {POST, "/v1/erasures", NULL, JSON, "{\"post\":\"Ada/1\"}", 404, "erased"},
        {GET, "/v1/posts/Ada/1", NULL, NULL, NULL, 200, "\"kind\":\"erased\",\"text\":null"},
        {GET, "/v1/threads/Ada/1", NULL, NULL, NULL, 200, "\"kind\":\"erased\""},
        {POST, "/v1/echoes", NULL, JSON, "{\"post\":\"Ada/1\"}", 404, "erased"},
        {GET, "/v1/timeline", "limit=2", NULL, NULL, 200, "\"echoed\":{\"post\":\"post1"},
        {POST, "/v1/purges", NULL, JSON, "{}", 400, "either"},
        {POST, "/v1/purges", NULL, JSON, "{\"post\":\"Ada/2\",\"author\":\"Ada\"}", 400, "either"},
        {POST, "/v1/purges", NULL, JSON, "{\"post\":\"Ada/2\",\"force\":1}", 400, "force"},
        {POST, "/v1/purges", NULL, JSON, "{\"post\":\"Ada/2\"}", 400, "your own"},
        {POST, "/v1/purges", NULL, JSON, "{\"post\":\"Ada/2\",\"force\":true}", 200,
         "{\"entries\":1}"},
        {GET, "/v1/posts/Ada/2", NULL, NULL, NULL, 200, "\"kind\":\"purged\",\"text\":null"},
    };
    RUN_ROWS(ROWS);
}

/* The node stops while an answer is under way: what it would tell of is closed by then. */
static void an_answer_outlives_what_it_tells_of(void **state) {
    struct parley_api_request request = {.method = GET, .path = "/v1/status"};
    struct parley_finding *finding =
        parley_finding_open(&(struct parley_finding_config){.host = host});
    parley_api_set_finding(api, finding, NULL);
    answer = (struct answer){0};
    parley_api_handle(api, &request, on_answer, NULL);
    parley_api_free(api);
    api = NULL;
    parley_finding_close(finding);
    assert_int_equal(answer.count, 0);
    while (answer.count == 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "no node runs here"));
}

int main(void) {
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(paths_and_types),
        cmocka_unit_test(posts_have_bounds),
        cmocka_unit_test(readers_have_bounds),
        cmocka_unit_test(a_batch_ends_at_its_bad_line),
        cmocka_unit_test(sayings_have_bounds),
        cmocka_unit_test(an_export_goes_by_pages),
        cmocka_unit_test(batches_share_the_node),
        cmocka_unit_test(an_answer_outlives_what_it_tells_of),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("api", TESTS, open_all, close_all) != 0;
}
