#include "log_fixture.h"

#include <parley/body.h>
#include <stdlib.h>

static uint8_t buffer[PARLEY_BODY_BYTES_MAX];

static struct parley_ref ref_of(uint8_t number) {
    struct parley_ref ref = {.seq = number};
    memset(ref.author.bytes, number, 32);
    memset(ref.log.bytes, number + 1, 32);
    memset(ref.id.bytes, number + 2, 32);
    return ref;
}

static void assert_same_ref(const struct parley_ref *a, const struct parley_ref *b) {
    assert_memory_equal(a->author.bytes, b->author.bytes, 32);
    assert_memory_equal(a->log.bytes, b->log.bytes, 32);
    assert_int_equal(a->seq, b->seq);
    assert_memory_equal(a->id.bytes, b->id.bytes, 32);
}

static struct parley_span text_of(const char *text) {
    return PARLEY_SPAN(text, strlen(text));
}

/* There and back; the bytes encode to themselves. */
static void round_trip(struct parley_body *out, const struct parley_body *in) {
    static uint8_t again[PARLEY_BODY_BYTES_MAX];
    struct parley_span bytes, same;
    assert_int_equal(parley_body_encode(&bytes, buffer, sizeof buffer, in), PARLEY_E_OK);
    assert_int_equal(parley_body_decode(out, bytes).error, PARLEY_E_OK);
    assert_int_equal(out->kind, in->kind);
    assert_int_equal(parley_body_encode(&same, again, sizeof again, out), PARLEY_E_OK);
    assert_true(parley_span_equal(bytes, same));
}

static void test_a_post_with_everything(void **state) {
    struct parley_body in = {.kind = PARLEY_BODY_POST}, out;
    struct parley_post *post = &in.post;
    (void)state;
    post->text = text_of("a\r\nb \xef\xbf\xbd \xe2\x80\xae");
    post->has_root = post->has_parent = post->has_quote = true;
    post->root = ref_of(1);
    post->parent = ref_of(10);
    post->quote = ref_of(20);
    post->mentions_count = PARLEY_MENTIONS_MAX;
    for (size_t i = 0; i < PARLEY_MENTIONS_MAX; i++)
        memset(post->mentions[i].bytes, (int)i, 32);
    post->tags_count = PARLEY_TAGS_MAX;
    for (size_t i = 0; i < PARLEY_TAGS_MAX; i++)
        post->tags[i] = text_of("tag");
    post->language = text_of("sr-Latn");
    post->warning = text_of("");
    round_trip(&out, &in);
    assert_true(parley_span_equal(out.post.text, post->text));
    assert_same_ref(&out.post.root, &post->root);
    assert_same_ref(&out.post.parent, &post->parent);
    assert_same_ref(&out.post.quote, &post->quote);
    assert_memory_equal(out.post.mentions, post->mentions, sizeof post->mentions);
    assert_int_equal(out.post.tags_count, PARLEY_TAGS_MAX);
    assert_true(parley_span_equal(out.post.language, post->language));
    assert_non_null(out.post.warning.data);
    assert_int_equal(out.post.warning.size, 0);
}

static void test_what_is_absent_stays_absent(void **state) {
    struct parley_body in = {.kind = PARLEY_BODY_POST}, out;
    (void)state;
    round_trip(&out, &in);
    assert_int_equal(out.post.text.size, 0);
    assert_false(out.post.has_root || out.post.has_parent || out.post.has_quote);
    assert_null(out.post.language.data);
    assert_null(out.post.warning.data);
    in = (struct parley_body){.kind = PARLEY_BODY_ECHO, .echo = {.ref = ref_of(3)}};
    round_trip(&out, &in);
    assert_null(out.echo.comment.data);
    in = (struct parley_body){.kind = PARLEY_BODY_PROFILE, .profile = {.name = text_of("n")}};
    round_trip(&out, &in);
    assert_null(out.profile.about.data);
}

static void test_the_other_kinds(void **state) {
    struct parley_body in, out;
    (void)state;
    in = (struct parley_body){.kind = PARLEY_BODY_PROFILE,
                              .profile = {text_of("name"), text_of("about")}};
    round_trip(&out, &in);
    assert_true(parley_span_equal(out.profile.about, in.profile.about));
    in = (struct parley_body){.kind = PARLEY_BODY_ECHO, .echo = {ref_of(9), text_of("look")}};
    round_trip(&out, &in);
    assert_same_ref(&out.echo.ref, &in.echo.ref);
    for (int value = -1; value <= 1; value++) {
        in = (struct parley_body){.kind = PARLEY_BODY_VOTE, .vote = {ref_of(9), (int8_t)value}};
        round_trip(&out, &in);
        assert_int_equal(out.vote.value, value);
    }
    in = (struct parley_body){.kind = PARLEY_BODY_FOLLOW, .follow = {.on = true}};
    round_trip(&out, &in);
    assert_true(out.follow.on);
    memset(&in, 0, sizeof in);
    in.kind = PARLEY_BODY_ERASE;
    in.erase.refs_count = PARLEY_ERASE_REFS_MAX;
    for (size_t i = 0; i < PARLEY_ERASE_REFS_MAX; i++)
        in.erase.refs[i] = ref_of((uint8_t)(i + 1));
    round_trip(&out, &in);
    assert_same_ref(&out.erase.refs[63], &in.erase.refs[63]);
}

static void test_what_is_not_valid_is_not_written(void **state) {
    struct parley_span bytes;
    static struct parley_body body;
    static char long_text[PARLEY_BODY_BYTES_MAX];
    (void)state;
    memset(long_text, 'x', sizeof long_text);
    struct parley_span span = PARLEY_SPAN(long_text, sizeof long_text);
#define REFUSED(error, change)                                                                     \
    do {                                                                                           \
        memset(&body, 0, sizeof body);                                                             \
        body.kind = PARLEY_BODY_POST;                                                              \
        change;                                                                                    \
        assert_int_equal(parley_body_encode(&bytes, buffer, sizeof buffer, &body), error);         \
        assert_int_equal(bytes.size, 0);                                                           \
    } while (0)
    REFUSED(PARLEY_E_NO_SPACE, body.post.text = span);
    REFUSED(PARLEY_E_BAD_INPUT, body.post.text = PARLEY_SPAN("\xff", 1));
    REFUSED(PARLEY_E_BAD_INPUT, body.post.mentions_count = PARLEY_MENTIONS_MAX + 1);
    REFUSED(PARLEY_E_BAD_INPUT, body.post.tags_count = PARLEY_TAGS_MAX + 1);
    REFUSED(PARLEY_E_BAD_INPUT, body.post.tags_count = 1; body.post.tags[0] = text_of(""));
    REFUSED(PARLEY_E_BAD_INPUT, body.post.has_root = true); /* seq 0 */
    REFUSED(PARLEY_E_BAD_INPUT, body.post.language = PARLEY_SPAN(long_text, 36));
    REFUSED(PARLEY_E_BAD_INPUT, body.kind = PARLEY_BODY_ERASE);
    REFUSED(PARLEY_E_BAD_INPUT, body.kind = PARLEY_BODY_VOTE; body.vote.ref = ref_of(1);
            body.vote.value = 2);
    REFUSED(PARLEY_E_BAD_INPUT, body.kind = (enum parley_body_kind)7);
#undef REFUSED
}

/* body NAME EXPECT KIND HEX */
static void test_vectors(void **state) {
    struct vector_file file;
    struct parley_body body;
    struct parley_span bytes;
    size_t count = 0;
    (void)state;
    vector_open(&file, "entries.txt");
    while (vector_next(&file)) {
        if (strcmp(file.words[0], "body") != 0)
            continue;
        uint8_t *memory = vector_bytes(file.words[4], &bytes);
        struct parley_fault fault = parley_body_decode(&body, bytes);
        assert_string_equal(parley_error_name(fault.error), file.words[2]);
        if (fault.error == PARLEY_E_OK)
            assert_int_equal(body.kind, strtoull(file.words[3], NULL, 10));
        free(memory);
        count++;
    }
    vector_close(&file);
    assert_true(count >= 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_post_with_everything),
        cmocka_unit_test(test_what_is_absent_stays_absent),
        cmocka_unit_test(test_the_other_kinds),
        cmocka_unit_test(test_what_is_not_valid_is_not_written),
        cmocka_unit_test(test_vectors),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests_name("body", tests, NULL, NULL);
    return 0;
}
