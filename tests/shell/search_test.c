/* The index of words against what it stands for: reading every post. It may name posts that do not
 * bear what is asked, but never miss one that does. */
#include "../../node/shell/api.h"
#include "../../node/shell/api_hide.h"
#include "../../node/shell/host.h"
#include "../../node/shell/search.h"
#include "../../node/shell/search_words.h"
#include "host_bed.h"
#include <parley/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- words -------------------------------------------------------------------------------- */

#define FOUND_MAX 256u

struct words {
    struct parley_span items[FOUND_MAX];
    size_t count;
};

static void on_word(void *context, struct parley_span word) {
    struct words *words = context;
    assert_true(words->count < FOUND_MAX);
    words->items[words->count++] = word;
}

static bool has_word(const struct words *words, struct parley_span word) {
    for (size_t i = 0; i < words->count; i++)
        if (parley_span_equal(words->items[i], word))
            return true;
    return false;
}

static void words_are_parted(void **state) {
    static const struct {
        const char *text;
        bool fewest;
        const char *words; /* each with a bar behind it */
    } rows[] = {
        {"", false, ""},
        {"-- ++", false, ""},
        {"one, two-three", false, "one|two|three|"},
        {"caf\xC3\xA9 9", false, "caf\xC3\xA9|9|"},
        {"ab漢字c", false, "ab|漢|漢字|字|c|"},
        {"ab漢字c", true, "ab|漢字|c|"},
        {"漢 字", true, "漢|字|"},
        {"漢字語", true, "漢字|字語|"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct words words = {.count = 0};
        char joined[256] = "";
        search_words_each(PARLEY_SPAN(rows[i].text, strlen(rows[i].text)), rows[i].fewest, on_word,
                          &words);
        for (size_t j = 0; j < words.count; j++) {
            (void)strncat(joined, (const char *)words.items[j].data, words.items[j].size);
            (void)strcat(joined, "|");
        }
        assert_string_equal(joined, rows[i].words);
    }
}

/* What the search finds in a text, the text has all marks of. */
static void no_word_is_missed(void **state) {
    static const char *letters[] = {"a",  "B",  "c", " ", "-", "é", "e\xCC\x81", "ß",
                                    "漢", "字", "ไ", "ด", "ﬁ", "İ", "👩",         "\xE2\x80\x8D",
                                    "1",  "Σ",  "'", "゙"};
    size_t hits = 0;
    srandom(7);
    for (unsigned round = 0; round < 20000; round++) {
        char text[160] = "", word[40] = "";
        size_t text_size, word_size;
        for (long i = random() % 16; i >= 0; i--)
            (void)strcat(text, letters[(size_t)random() % (sizeof letters / sizeof letters[0])]);
        for (long i = random() % 3; i >= 0; i--)
            (void)strcat(word, letters[(size_t)random() % (sizeof letters / sizeof letters[0])]);
        char *folded = api_fold(PARLEY_SPAN(text, strlen(text)), &text_size);
        char *asked = api_fold(PARLEY_SPAN(word, strlen(word)), &word_size);
        assert_true(folded != NULL && asked != NULL);
        if (memchr(asked, ' ', word_size) == NULL &&
            api_fold_has(PARLEY_SPAN(folded, text_size), PARLEY_SPAN(asked, word_size))) {
            struct words all = {.count = 0}, few = {.count = 0};
            search_words_each(PARLEY_SPAN(folded, text_size), false, on_word, &all);
            search_words_each(PARLEY_SPAN(asked, word_size), true, on_word, &few);
            for (size_t i = 0; i < few.count; i++)
                if (!has_word(&all, few.items[i]))
                    fail_msg("“%s” has “%s”, but not its mark %zu", text, word, i);
            hits += few.count > 0;
        }
        free(folded);
        free(asked);
    }
    assert_true(hits > 1000);
}

/* ---- posts -------------------------------------------------------------------------------- */

#define POSTS_COUNT     375u
#define WORDS_A_POST    900u
#define VOCABULARY      4000u /* words; the rarer the higher their number */
#define SMALL_BYTES_MAX (1024u * 1024u)

static char directory[64];
static uv_loop_t loop;
static struct parley_host *host;
static struct parley_api *api;
static unsigned posts_count;

static void on_answer(void *context, const struct parley_api_answer *answer) {
    *(unsigned *)context = answer->status;
}

/* Posts of random words; each says its own number, too. */
static void publish(unsigned count) {
    static char lines[1u << 20];
    size_t size = 0;
    unsigned status = 0;
    for (unsigned i = 0; i < count; i++, posts_count++) {
        size += (size_t)sprintf(lines + size, "{\"time\":%u,\"text\":\"n%u",
                                1000000 + posts_count * 7919u % 50000u, posts_count);
        for (unsigned j = 0; j < WORDS_A_POST; j++) {
            long range = 1 + random() % VOCABULARY;
            size += (size_t)sprintf(lines + size, " w%ld", random() % range);
        }
        size += (size_t)sprintf(lines + size, "\"}\n");
    }
    struct parley_api_request request = {.method = PARLEY_API_POST,
                                         .path = "/v1/posts/batch",
                                         .content_type = "application/x-ndjson",
                                         .body = PARLEY_SPAN(lines, size)};
    parley_api_handle(api, &request, on_answer, &status);
    while (status == 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(status, 200);
}

static int open_all(void **state) {
    char words[PARLEY_WORDS_TEXT_SIZE];
    struct parley_problem problem;
    struct parley_host_config config = {.home = directory, .offline = true};
    (void)strcpy(directory, "/tmp/parley_search_XXXXXX");
    if (mkdtemp(directory) == NULL || parley_crypto_self_test() != PARLEY_E_OK ||
        parley_home_init(directory, words, &problem) != PARLEY_E_OK || uv_loop_init(&loop) != 0 ||
        parley_host_open(&host, &config, &loop, &problem) != PARLEY_E_OK ||
        parley_host_start(host, &problem) != PARLEY_E_OK)
        return -1;
    api = parley_api_create(host);
    if (api == NULL)
        return -1;
    while (posts_count < POSTS_COUNT)
        publish(125);
    return 0;
}

static int close_all(void **state) {
    parley_api_free(api);
    return host_bed_close(host, &loop, directory);
}

/* ---- asking ------------------------------------------------------------------------------- */

static void on_read(void *context, enum parley_error error) {
    assert_int_equal(error, PARLEY_E_OK);
    *(bool *)context = true;
}

static struct parley_store *the_store;

static void take_store(void *context, struct parley_store *store) {
    the_store = store; /* nobody closes it before close_all */
}

static struct parley_store *store_of_host(void) {
    bool is_done = false;
    parley_host_read(host, take_store, on_read, &is_done);
    while (!is_done)
        (void)uv_run(&loop, UV_RUN_ONCE);
    return the_store;
}

static void fill(struct search *search, struct parley_store *store) {
    for (unsigned turns = 0; search_fill(search, store); turns++)
        assert_true(turns < 1000);
}

struct truth {
    struct parley_span word;
    struct parley_timeline_place places[POSTS_COUNT + 200];
    size_t count;
};

static bool on_entry(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received) {
    struct truth *truth = context;
    struct parley_body body;
    if (entry->has_body && parley_body_decode(&body, entry->body).error == PARLEY_E_OK &&
        api_body_has(&body, truth->word))
        truth->places[truth->count++] = *place;
    return true;
}

/* Every post with the word is found in order, as far down as the floor; what is found has it but
 * for two marks that meet, which is rare. */
static void compare_word(struct search *search, struct parley_store *store, const char *word,
                         bool is_whole) {
    static struct truth truth;
    static struct parley_timeline_place places[SEARCH_FOUND_ROOM];
    struct search_asked asked = {.count = 0};
    struct parley_timeline_place before = {.time = UINT64_MAX}, floor;
    size_t count = SEARCH_FOUND_MAX, met = 0, wrong = 0;
    bool whole = false;
    enum parley_error unread = PARLEY_E_OK;
    truth.word = PARLEY_SPAN(word, strlen(word));
    truth.count = 0;
    assert_int_equal(parley_store_timeline(store, NULL, NULL, on_entry, &truth), PARLEY_E_OK);
    assert_true(search_ask_word(search, &asked, truth.word));
    while (count == SEARCH_FOUND_MAX) {
        floor = search_find(search, store, &asked, &before, places, &count, &whole, &unread);
        assert_int_equal(whole, is_whole);
        assert_int_equal(unread, PARLEY_E_OK);
        for (size_t i = 0; i < count; i++) {
            assert_true(search_place_compare(&places[i], &before) < 0);
            before = places[i];
            if (met < truth.count && search_place_compare(&places[i], &truth.places[met]) == 0)
                met++;
            else
                wrong++;
        }
    }
    while (!whole && met < truth.count && search_place_compare(&truth.places[met], &floor) < 0)
        met++;
    if (met != truth.count || wrong > 2)
        fail_msg("%s: %zu of %zu, and %zu wrong ones", word, met, truth.count, wrong);
}

static void compare_words(struct search *search, struct parley_store *store, bool is_whole) {
    char word[16];
    for (unsigned i = 0; i < 6; i++) {
        (void)snprintf(word, sizeof word, "w%ld", random() % (i < 3 ? 20 : VOCABULARY));
        compare_word(search, store, word, is_whole);
    }
    compare_word(search, store, "n0", is_whole);
    (void)snprintf(word, sizeof word, "n%u", posts_count - 1);
    compare_word(search, store, word, is_whole);
    compare_word(search, store, "nowhere", is_whole);
}

static struct parley_log own_log(void) {
    struct parley_node_log log = {0};
    assert_true(parley_node_log_at(parley_host_node(host), 0, &log));
    return log.log;
}

static void all_posts_are_found(void **state) {
    struct parley_store *store = store_of_host();
    struct search *search = search_create(NULL, SEARCH_BYTES_MAX);
    compare_word(search, store, "w1", false); /* nothing is read yet: all is below the floor */
    fill(search, store);
    compare_words(search, store, true);
    assert_in_range(search_counts(search).rows, POSTS_COUNT, POSTS_COUNT + 10);
    search_free(search);
}

static void what_comes_is_found_once(void **state) {
    struct parley_store *store = store_of_host();
    struct search *search = search_create(NULL, SEARCH_BYTES_MAX);
    const struct parley_log log = own_log();
    fill(search, store);
    unsigned before = posts_count;
    publish(50);
    search_note(search, &log, before, posts_count + 10);
    search_note(search, &log, before, posts_count + 10); /* said twice */
    fill(search, store);
    compare_words(search, store, true);
    search_free(search);
}

static void it_holds_the_newest_when_there_are_too_many(void **state) {
    struct parley_store *store = store_of_host();
    struct search *search = search_create(NULL, SMALL_BYTES_MAX);
    fill(search, store);
    struct search_counts counts = search_counts(search);
    assert_false(counts.is_whole);
    assert_in_range(counts.bytes, 1, SMALL_BYTES_MAX);
    assert_in_range(counts.rows, 100, posts_count - 50);
    compare_words(search, store, false);
    /* What comes makes it too large: it begins anew. */
    const struct parley_log log = own_log();
    unsigned before = posts_count;
    for (unsigned i = 0; i < 10; i++)
        search_note(search, &log, before - 100, before);
    while (search_fill(search, store))
        assert_in_range(search_counts(search).bytes, 0, SMALL_BYTES_MAX);
    compare_words(search, store, false);
    search_free(search);
}

static void more_than_can_wait_is_read_again(void **state) {
    struct parley_store *store = store_of_host();
    struct search *search = search_create(NULL, SEARCH_BYTES_MAX);
    const struct parley_log log = own_log();
    fill(search, store);
    unsigned before = posts_count;
    publish(10);
    search_note(search, &log, before, posts_count + 10);
    for (unsigned i = 0; i <= SEARCH_RUNS_MAX; i++)
        search_note(search, &log, 1, 1);
    fill(search, store);
    compare_words(search, store, true);
    search_free(search);
}

static void what_is_forgotten_has_no_marks(void **state) {
    struct parley_store *store = store_of_host();
    struct search *search = search_create(NULL, SEARCH_BYTES_MAX);
    static struct parley_timeline_place places[SEARCH_FOUND_ROOM];
    const struct parley_log log = own_log();
    struct search_asked asked = {.count = 0};
    size_t count;
    bool is_whole;
    enum parley_error unread = PARLEY_E_OK;
    fill(search, store);
    assert_true(search_ask_word(search, &asked, PARLEY_SPAN("n5", 2)));
    (void)search_find(search, store, &asked, NULL, places, &count, &is_whole, &unread);
    assert_int_equal(count, 1);
    search_forget(search, &log, places[0].seq, places[0].seq);
    (void)search_find(search, store, &asked, NULL, places, &count, &is_whole, &unread);
    assert_int_equal(count, 0);
    search_renew(search);
    fill(search, store);
    compare_words(search, store, true); /* it was in the store all the time */
    search_free(search);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_parted),
        cmocka_unit_test(no_word_is_missed),
        cmocka_unit_test(all_posts_are_found),
        cmocka_unit_test(what_comes_is_found_once),
        cmocka_unit_test(it_holds_the_newest_when_there_are_too_many),
        cmocka_unit_test(more_than_can_wait_is_read_again),
        cmocka_unit_test(what_is_forgotten_has_no_marks),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("search", tests, open_all, close_all) != 0;
}
