/* A store with damage in it under the API: what can be read is told, the answer says that it is not
 * all, and what is damaged is never taken for what is not here. The engine below the store is one
 * that cannot read the keys that a test names. */
#include "../../node/shell/api.h"
#include "../../node/shell/host.h"
#include "../../node/shell/search.h"
#include "../../node/store/internal.h"
#include "damaged_kv.h"
#include "host_bed.h"
#include <jansson.h>
#include <parley/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a home with a thread ----------------------------------------------------------------- */

static char directory[64];
static uv_loop_t loop;
static struct parley_host *host;
static struct parley_api *api;
static struct parley_store *store;
static struct parley_kv *whole;

struct answer {
    unsigned count, status;
    json_t *json;
};
static struct answer answer;

static void on_answer(void *context, const struct parley_api_answer *from) {
    answer.count++;
    answer.status = from->status;
    answer.json = json_loadb((const char *)from->body.data, from->body.size, 0, NULL);
}

/* parameter: "name=value" or NULL. */
static json_t *ask(enum parley_api_method method, const char *path, const char *parameter,
                   const char *body) {
    char text[64] = "";
    struct parley_api_parameter parsed = {text, ""};
    struct parley_api_request request = {.method = method,
                                         .path = path,
                                         .parameters = &parsed,
                                         .parameters_count = parameter != NULL,
                                         .content_type = body != NULL ? "application/json" : NULL,
                                         .body = PARLEY_SPAN(body, body ? strlen(body) : 0)};
    if (parameter != NULL) {
        (void)snprintf(text, sizeof text, "%s", parameter);
        char *equals = strchr(text, '=');
        *equals = '\0';
        parsed.value = equals + 1;
    }
    json_decref(answer.json);
    answer = (struct answer){0};
    parley_api_handle(api, &request, on_answer, NULL);
    while (answer.count == 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
    return answer.json;
}

static json_t *get_json(const char *path, const char *parameter, unsigned status) {
    json_t *json = ask(PARLEY_API_GET, path, parameter, NULL);
    if (answer.status != status)
        fail_msg("%s: %u %s", path, answer.status, json_dumps(json, 0));
    return json;
}

static void post_json(const char *path, const char *body) {
    (void)ask(PARLEY_API_POST, path, NULL, body);
    if (answer.status != 201)
        fail_msg("%s: %u %s", path, answer.status, json_dumps(answer.json, 0));
}

/* So large that it is a segment of its own. */
static void say(const char *word, const char *more) {
    static char body[40000];
    char pad[30001];
    memset(pad, 'x', sizeof pad - 1);
    pad[sizeof pad - 1] = '\0';
    (void)snprintf(body, sizeof body, "{\"text\":\"%s %s\"%s}", word, pad, more);
    post_json("/v1/posts", body);
}

static void on_read(void *context, enum parley_error error) {
    *(bool *)context = error == PARLEY_E_OK;
}

static void take_store(void *context, struct parley_store *of_worker) {
    store = of_worker; /* nobody closes it before close_all */
}

/* 1 the profile, 2 the thread, 3..5 its replies, 6 votes for it, 7 passes it on, 8 quotes it, and 9
 * answers the first reply. */
static int open_all(void **state) {
    char words[PARLEY_WORDS_TEXT_SIZE];
    struct parley_problem problem;
    struct parley_host_config config = {.home = directory, .offline = true};
    bool is_read = false;
    (void)strcpy(directory, "/tmp/parley_unread_XXXXXX");
    if (mkdtemp(directory) == NULL || parley_crypto_self_test() != PARLEY_E_OK ||
        parley_home_init(directory, words, &problem) != PARLEY_E_OK || uv_loop_init(&loop) != 0 ||
        parley_host_open(&host, &config, &loop, &problem) != PARLEY_E_OK ||
        parley_host_start(host, &problem) != PARLEY_E_OK)
        return -1;
    api = parley_api_create(host);
    post_json("/v1/profile", "{\"name\":\"Ada\",\"about\":\"numbers\"}");
    say("root", ",\"tags\":[\"tag\"]");
    say("one", ",\"reply\":\"Ada/2\",\"tags\":[\"tag\"]");
    say("two", ",\"reply\":\"Ada/2\",\"tags\":[\"tag\"]");
    say("three", ",\"reply\":\"Ada/2\",\"tags\":[\"tag\"]");
    post_json("/v1/votes", "{\"post\":\"Ada/2\",\"value\":1}");
    post_json("/v1/echoes", "{\"post\":\"Ada/2\"}");
    say("four", ",\"quote\":\"Ada/2\"");
    say("five", ",\"reply\":\"Ada/3\"");
    parley_host_read(host, take_store, on_read, &is_read);
    while (!is_read)
        (void)uv_run(&loop, UV_RUN_ONCE);
    whole = store->kv;
    store->kv = damaged_kv_around(whole);
    return 0;
}

static int close_all(void **state) {
    store->kv = whole;
    json_decref(answer.json);
    parley_api_free(api);
    return host_bed_close(host, &loop, directory);
}

static int mend(void **state) {
    damage_nothing();
    return 0;
}

/* ---- what is told ------------------------------------------------------------------------- */

static bool has_problem(const json_t *json) {
    const json_t *problem = json_object_get(json, "problem");
    assert_non_null(problem);
    if (json_is_null(problem))
        return false;
    assert_string_equal(json_string_value(json_object_get(problem, "error")), "STORE_DAMAGED");
    return true;
}

/* How many posts are told; the seqs of those that are, as bits. */
static unsigned seqs_of(const json_t *json) {
    const json_t *post;
    size_t i;
    unsigned seqs = 0;
    json_array_foreach(json_object_get(json, "posts"), i, post) {
        seqs |= 1u << json_integer_value(json_object_get(post, "seq"));
    }
    return seqs;
}

static const json_t *post_of(const json_t *json, json_int_t seq) {
    const json_t *post;
    size_t i;
    json_array_foreach(json_object_get(json, "posts"), i, post) {
        if (json_integer_value(json_object_get(post, "seq")) == seq)
            return post;
    }
    fail_msg("no post %lld", (long long)seq);
    return NULL;
}

static bool lacks(const json_t *json, const char *name) {
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(json, "unread"), i, item) {
        if (strcmp(json_string_value(item), name) == 0)
            return true;
    }
    return false;
}

#define BIT(seq) (1u << (seq))

static void a_whole_store_has_no_problem(void **state) {
    static const char *const PATHS[] = {"/v1/timeline",    "/v1/notifications", "/v1/threads/Ada/3",
                                        "/v1/posts/Ada/2", "/v1/people",        "/v1/people/Ada",
                                        "/v1/profile",     "/v1/why/Ada/3",     "/v1/digest",
                                        "/v1/status",      "/v1/devices"};
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++)
        assert_false(has_problem(get_json(PATHS[i], NULL, 200)));
    assert_false(has_problem(get_json("/v1/search", "q=two", 200)));
}

static void the_timeline_goes_on_behind_damage(void **state) {
    damage_entry(4);
    const json_t *json = get_json("/v1/timeline", NULL, 200);
    assert_true(has_problem(json));
    assert_int_equal(seqs_of(json), BIT(2) | BIT(3) | BIT(5) | BIT(7) | BIT(8) | BIT(9));
    damage('t');
    (void)get_json("/v1/timeline", NULL, 500);
}

static void a_thread_goes_on_behind_damage(void **state) {
    damage_entry(4);
    const json_t *json = get_json("/v1/threads/Ada/2", NULL, 200);
    assert_true(has_problem(json));
    assert_int_equal(seqs_of(json), BIT(2) | BIT(3) | BIT(5) | BIT(9));
    assert_true(json_is_true(json_object_get(json, "root_here")));
    damage_row('b', 4); /* that it answers */
    json = get_json("/v1/threads/Ada/2", NULL, 200);
    assert_true(has_problem(json));
    assert_int_equal(seqs_of(json), BIT(2) | BIT(3) | BIT(5) | BIT(9));
    damage('b');
    json = get_json("/v1/threads/Ada/2", NULL, 200);
    assert_true(has_problem(json));
    assert_int_equal(seqs_of(json), BIT(2));
}

static void what_is_answered_is_damaged_not_away(void **state) {
    damage_entry(2);
    const json_t *json = get_json("/v1/threads/Ada/3", NULL, 200);
    assert_true(has_problem(json));
    assert_true(json_is_null(json_object_get(json, "root_here")));
    assert_int_equal(seqs_of(json), BIT(3) | BIT(4) | BIT(5) | BIT(9));
    json = post_of(json, 3);
    assert_true(json_is_null(json_object_get(json, "parent_here")));
    assert_true(lacks(json, "parent_here"));
    json = get_json("/v1/posts/Ada/3", NULL, 200);
    assert_true(has_problem(json));
    json = get_json("/v1/why/Ada/3", NULL, 200);
    assert_true(has_problem(json));
    char *text = json_dumps(json, 0);
    assert_null(strstr(text, "which is not here"));
    free(text);
}

static void votes_that_cannot_be_read_are_not_all(void **state) {
    damage('b');
    const json_t *json = get_json("/v1/posts/Ada/2", NULL, 200);
    assert_true(has_problem(json));
    assert_true(lacks(json, "votes"));
    assert_true(json_is_false(json_object_get(json_object_get(json, "votes"), "complete")));
    damage_entry(6); /* whether the voter took it back is not known */
    json = json_object_get(get_json("/v1/posts/Ada/2", NULL, 200), "votes");
    assert_int_equal(json_integer_value(json_object_get(json, "up")), 0);
    assert_true(json_is_false(json_object_get(json, "complete")));
}

static void what_stands_around_a_post_is_named(void **state) {
    damage_entry(2);
    const json_t *json = get_json("/v1/timeline", "details=1", 200);
    assert_true(has_problem(json));
    assert_true(lacks(post_of(json, 3), "about"));
    assert_true(lacks(post_of(json, 7), "echoed"));
    assert_true(lacks(post_of(json, 8), "quoted"));
    damage('b');
    json = post_of(get_json("/v1/timeline", "details=1", 200), 2);
    assert_true(lacks(json, "replies") && lacks(json, "echoes") && lacks(json, "votes"));
    assert_true(json_is_null(json_object_get(json, "echoes")));
    assert_true(json_is_null(json_object_get(json, "replies")));
}

/* Whether its author took it back cannot be said. */
static void words_of_an_unknown_state_are_not_shown(void **state) {
    char *text;
    damage_range('h');
    (void)get_json("/v1/posts/Ada/8", NULL, 500);
    const json_t *json = get_json("/v1/timeline", NULL, 200);
    assert_true(has_problem(json));
    assert_true(lacks(post_of(json, 8), "text"));
    text = json_dumps(json, 0);
    assert_null(strstr(text, "four x"));
    free(text);
}

static void a_profile_is_damaged_not_away(void **state) {
    char path[160];
    damage('p');
    (void)get_json("/v1/profile", NULL, 500);
    (void)get_json("/v1/authors/Ada", NULL, 500); /* it may be that one */
    /* What is left out stays: what that is, is not known. */
    (void)ask(PARLEY_API_POST, "/v1/profile", NULL, "{\"name\":\"Eve\"}");
    assert_int_equal(answer.status, 500);
    const json_t *json = get_json("/v1/timeline", NULL, 200);
    assert_true(has_problem(json));
    assert_true(lacks(post_of(json, 3), "author_name"));
    (void)snprintf(path, sizeof path, "/v1/people/%s",
                   json_string_value(json_object_get(post_of(json, 3), "author")));
    json = get_json(path, NULL, 200);
    assert_true(has_problem(json) && lacks(json, "profile"));
}

static void times_of_devices_and_digests_are_named(void **state) {
    damage('s');
    const json_t *json = get_json("/v1/devices", NULL, 200);
    assert_true(has_problem(json));
    damage('l');
    json = get_json("/v1/digest", NULL, 200);
    assert_true(has_problem(json));
    assert_true(json_is_string(json_object_get(json, "digest")));
    assert_true(json_is_null(json_object_get(json, "digest_bodies")));
    assert_true(has_problem(get_json("/v1/status", NULL, 200)));
}

/* ---- searching ---------------------------------------------------------------------------- */

static size_t find(struct search *search, const char *word, enum parley_error *unread) {
    static struct parley_timeline_place places[SEARCH_FOUND_ROOM];
    struct search_asked asked = {.count = 0};
    size_t count;
    bool is_whole;
    *unread = PARLEY_E_OK;
    assert_true(search_ask_word(search, &asked, PARLEY_SPAN(word, strlen(word))));
    (void)search_find(search, store, &asked, NULL, places, &count, &is_whole, unread);
    assert_true(is_whole);
    return count;
}

static struct search *fill(void) {
    struct search *search = search_create(NULL, SEARCH_BYTES_MAX);
    while (search_fill(search, store))
        ;
    return search;
}

static void the_index_is_filled_behind_damage(void **state) {
    enum parley_error unread;
    damage_entry(4);
    struct search *search = fill();
    damage_nothing();
    assert_int_equal(find(search, "three", &unread), 1);
    assert_int_equal(find(search, "two", &unread), 0);
    assert_int_equal(find(search, "one", &unread), 1);
    assert_int_equal(unread, PARLEY_E_STORE_DAMAGED);
    assert_int_equal(search_counts(search).unread, PARLEY_E_STORE_DAMAGED);
    search_renew(search);
    while (search_fill(search, store))
        ;
    assert_int_equal(find(search, "two", &unread), 1);
    assert_int_equal(unread, PARLEY_E_OK);
    search_free(search);
}

static void what_comes_is_found_behind_damage(void **state) {
    struct parley_node_log log = {0};
    enum parley_error unread;
    struct search *search = fill();
    assert_true(parley_node_log_at(parley_host_node(host), 0, &log));
    search_forget(search, &log.log, 1, 9);
    assert_int_equal(find(search, "three", &unread), 0);
    search_note(search, &log.log, 1, 9);
    damage_entry(4);
    (void)search_fill(search, store);
    damage_nothing();
    assert_int_equal(find(search, "one", &unread), 1);
    assert_int_equal(find(search, "three", &unread), 1);
    assert_int_equal(unread, PARLEY_E_STORE_DAMAGED);
    search_free(search);
}

static void an_answer_of_words_says_that_it_is_not_all(void **state) {
    (void)get_json("/v1/search", "q=two", 200); /* the index is there */
    damage_entry(4);
    (void)get_json("/v1/search", "q=two", 500); /* the one that is found */
    const json_t *json = get_json("/v1/timeline", "tag=tag", 200);
    assert_true(has_problem(json));
    assert_int_equal(seqs_of(json), BIT(2) | BIT(3) | BIT(5));
}

/* ---- what comes ----------------------------------------------------------------------------- */

static unsigned gaps;

static void on_event(void *context, const struct parley_api_event *event) {
    gaps += strcmp(event->kind, "gap") == 0;
}

static void what_came_and_cannot_be_read_is_a_gap(void **state) {
    struct parley_api_request request = {.method = PARLEY_API_GET, .path = "/v1/events"};
    struct parley_api_answer problem;
    struct parley_node_log log = {0};
    struct parley_api_watch *watch = parley_api_watch_open(api, &request, on_event, NULL, &problem);
    assert_non_null(watch);
    assert_true(parley_node_log_at(parley_host_node(host), 0, &log));
    damage_entry(log.ranges.ranges[0].hi + 1);
    say("six", "");
    for (unsigned i = 0; i < 5000 && gaps == 0; i++) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
        (void)usleep(1000);
    }
    parley_api_watch_close(watch);
    assert_true(gaps > 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, mend)

int main(void) {
    const struct CMUnitTest TESTS[] = {
        TEST(a_whole_store_has_no_problem),
        TEST(the_timeline_goes_on_behind_damage),
        TEST(a_thread_goes_on_behind_damage),
        TEST(what_is_answered_is_damaged_not_away),
        TEST(votes_that_cannot_be_read_are_not_all),
        TEST(what_stands_around_a_post_is_named),
        TEST(a_profile_is_damaged_not_away),
        TEST(times_of_devices_and_digests_are_named),
        TEST(the_index_is_filled_behind_damage),
        TEST(what_comes_is_found_behind_damage),
        TEST(an_answer_of_words_says_that_it_is_not_all),
        TEST(words_of_an_unknown_state_are_not_shown),
        TEST(what_came_and_cannot_be_read_is_a_gap),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("unread", TESTS, open_all, close_all) != 0;
}
