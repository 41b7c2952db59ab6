#include "story.h"

/* The owner's lists: what a blocked author's words still do here, what of them leaves, and that the
 * lists are kept. */

static void list_author(struct story *story, parley_request request, enum parley_list list,
                        const struct parley_author *author, bool on) {
    struct parley_event event = {.kind = PARLEY_EVENT_LIST};
    event.list.request = request;
    event.list.listed.list = list;
    event.list.listed.author = *author;
    event.list.on = on;
    story_step(story, &event);
}

static void list_word(struct story *story, parley_request request, const char *word, bool on) {
    struct parley_event event = {.kind = PARLEY_EVENT_LIST};
    event.list.request = request;
    event.list.listed.list = PARLEY_LIST_WORD;
    event.list.listed.word = PARLEY_SPAN(word, strlen(word));
    event.list.on = on;
    story_step(story, &event);
}

/* The node follows a person whose first post puppet A pushed; puppet A wants everything. */
static struct story_puppet *begin(struct story *story, struct story_person *other) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin(story);
    story_person(other, 9);
    story_follow(story, 1, &other->author, true, true);
    struct story_puppet *puppet = story_peer(story, 'A');
    story_introduce(story, puppet, other);
    story_verified(story);
    story_verified(story);
    story_settle(story);
    story_push(story, puppet, story_entry(other, "one", buffer));
    story_settle(story);
    assert_true(story_has(story, "SHOW 1..1"));
    story_forget(story);
    return puppet;
}

/* --- not taken ----------------------------------------------------------------------------- */

static void test_blocked_is_not_taken(void **state) {
    struct story story;
    struct story_person other;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct story_puppet *puppet = begin(&story, &other);
    list_author(&story, 2, PARLEY_LIST_BLOCK, &other.author, true);
    /* Nobody is asked for the author any more; nothing is published. */
    story_expect(&story, "STORE meta\nA interest +0 -1\n");
    story_settle(&story);
    story_expect(&story, "REPLY 2 OK 0\n");
    struct story_person ahead = other;
    struct parley_span two = story_entry(&other, "two", buffer);
    story_push(&story, puppet, two);
    story_settle(&story);
    story_expect(&story, ""); /* and the peer is not to blame */
    /* Nor from a stick: what is said is why. */
    story_import(&story, 3, PARLEY_EVENT_IMPORT_CHUNK, two);
    story_expect(&story, "REPLY 3 BLOCKED 0\n");
    list_author(&story, 4, PARLEY_LIST_BLOCK, &other.author, false);
    story_expect(&story, "STORE meta\nA interest +1 -0\nA heads of 1\n");
    story_settle(&story);
    story_forget(&story);
    other = ahead;
    story_push(&story, puppet, story_entry(&other, "two", buffer));
    story_settle(&story);
    assert_true(story_has(&story, "SHOW 2..2"));
    story_end(&story);
}

/* --- not given ----------------------------------------------------------------------------- */

static void ask_run(struct story *story, struct story_puppet *puppet,
                    const struct story_person *person) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_RUN};
    message.as.ask_run.request = 7;
    message.as.ask_run.log = person->log;
    message.as.ask_run.kind = PARLEY_RUN_FROM_HEAD;
    message.as.ask_run.bodies = true;
    message.as.ask_run.bytes_max = 1000;
    story_send(story, puppet, &message);
}

static void ask_bodies(struct story *story, struct story_puppet *puppet,
                       const struct story_person *person) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_BODIES};
    message.as.ask_bodies.request = 8;
    message.as.ask_bodies.log = person->log;
    message.as.ask_bodies.top_seq = 1;
    message.as.ask_bodies.top_id = person->id;
    message.as.ask_bodies.low_seq = 1;
    story_send(story, puppet, &message);
}

static void ask_identity(struct story *story, struct story_puppet *puppet,
                         const struct story_person *person) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_IDENTITY};
    struct parley_writer writer;
    uint8_t bytes[64];
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_author(&writer, &person->author);
    message.as.ask_identity.authors = parley_wire_list_of(&writer, 1);
    story_send(story, puppet, &message);
}

static void test_blocked_is_not_given(void **state) {
    struct story story;
    struct story_person other;
    struct story_puppet *puppet = begin(&story, &other);
    /* Not blocked, all three are read for the peer. */
    ask_run(&story, puppet, &other);
    ask_bodies(&story, puppet, &other);
    ask_identity(&story, puppet, &other);
    story_expect(&story, "READ\nREAD\nREAD\n");
    list_author(&story, 2, PARLEY_LIST_BLOCK, &other.author, true);
    story_settle(&story);
    story_forget(&story);
    /* What the disk answers after the block does not leave any more. */
    struct parley_span bytes = PARLEY_SPAN("\1\2\3", 3);
    story_read(&story, PARLEY_E_OK, bytes, 1);
    story_read(&story, PARLEY_E_OK, bytes, 1);
    story_read(&story, PARLEY_E_OK, bytes, 1);
    story_expect(&story, "A run\nA message 16\n"); /* both empty; of records and heads none */
    ask_run(&story, puppet, &other);
    ask_bodies(&story, puppet, &other);
    ask_identity(&story, puppet, &other);
    story_expect(&story, "A run\nA message 16\n");
    story_end(&story);
}

static void count_heads(struct story *story, const struct story_puppet *puppet,
                        const struct parley_wire_message *message) {
    if (message->type == PARLEY_WIRE_HEADS)
        *(size_t *)story->context += message->as.heads.authors.count;
}

static void test_blocked_is_not_told(void **state) {
    struct story story;
    struct story_person other;
    size_t authors = 0;
    begin(&story, &other);
    story.on_message = count_heads;
    story.context = &authors;
    struct story_puppet *before = story_peer(&story, 'B');
    assert_int_equal(authors, 2); /* oneself, and whom one follows */
    list_author(&story, 2, PARLEY_LIST_BLOCK, &other.author, true);
    story_settle(&story);
    authors = 0;
    story_forget(&story);
    struct story_puppet *after = story_peer(&story, 'C');
    assert_int_equal(authors, 1);
    assert_true(story_has(&story, "C interest authors 1")); /* oneself: nobody is named */
    story_end(&story);
    (void)before;
    (void)after;
}

static void count_asks(struct story *story, const struct story_puppet *puppet,
                       const struct parley_wire_message *message) {
    if (message->type == PARLEY_WIRE_ASK_HEADS)
        *(size_t *)story->context += message->as.ask_heads.session == PARLEY_HEADS_ALL;
}

/* A relay wants everything: no change of interest tells that an author is wanted again, so what it
 * did not hear meanwhile it asks for. */
static void test_relay_asks_again(void **state) {
    struct story story;
    struct story_person other;
    size_t asks = 0;
    story_begin_relay(&story);
    story_person(&other, 9);
    story_know(&story, &other);
    struct story_puppet *puppet = story_peer(&story, 'A');
    story.on_message = count_asks;
    story.context = &asks;
    list_author(&story, 1, PARLEY_LIST_BLOCK, &other.author, true);
    story_wait(&story, PARLEY_HEADS_EVERY_MS * 3 / 2);
    assert_int_equal(asks, 0);
    story_interest(&story, puppet, PARLEY_INTEREST_EVERYTHING); /* a sign of life */
    list_author(&story, 1, PARLEY_LIST_BLOCK, &other.author, false);
    story_wait(&story, PARLEY_HEADS_EVERY_MS * 3 / 2);
    assert_int_equal(asks, 1);
    story_end(&story);
}

/* --- the lists themselves ------------------------------------------------------------------ */

static void test_refusals(void **state) {
    struct story story;
    struct story_person other;
    char word[PARLEY_WORD_BYTES_MAX + 2];
    begin(&story, &other);
    list_author(&story, 2, PARLEY_LIST_BLOCK, &story.own.author, true);
    list_author(&story, 3, PARLEY_LIST_MUTE, &story.own.author, true);
    story_expect(&story, "REPLY 2 BAD_INPUT 0\nREPLY 3 BAD_INPUT 0\n");
    list_author(&story, 4, PARLEY_LIST_MUTE, &other.author, false);
    list_word(&story, 5, "none", false);
    story_expect(&story, "REPLY 4 NOT_FOUND 0\nREPLY 5 NOT_FOUND 0\n");
    memset(word, 'w', sizeof word);
    word[sizeof word - 1] = 0;
    list_word(&story, 6, word, true);
    list_word(&story, 7, "", true);
    story_expect(&story, "REPLY 6 BAD_INPUT 0\nREPLY 7 BAD_INPUT 0\n");
    word[PARLEY_WORD_BYTES_MAX] = 0;
    list_word(&story, 8, word, true);
    story_settle(&story);
    story_expect(&story, "STORE meta\nREPLY 8 OK 0\n");
    /* Who is blocked is not followed in passing. */
    list_author(&story, 9, PARLEY_LIST_BLOCK, &other.author, true);
    story_settle(&story);
    story_forget(&story);
    story_follow(&story, 10, &other.author, true, false);
    story_expect(&story, "REPLY 10 BLOCKED 0\n");
    story_end(&story);
}

static size_t words_count(const struct story *story) {
    struct parley_listed listed;
    size_t count = 0;
    while (parley_node_list_at(story->node, count, &listed))
        count++;
    return count;
}

static void test_full(void **state) {
    struct story story;
    struct story_person other;
    begin(&story, &other);
    story.is_silent = true;
    for (unsigned i = 0; i < PARLEY_LIST_ITEMS_MAX; i++) {
        char word[16];
        snprintf(word, sizeof word, "word%u", i);
        list_word(&story, 0, word, true);
        story_settle(&story);
        story_forget(&story);
    }
    assert_int_equal(words_count(&story), PARLEY_LIST_ITEMS_MAX);
    list_word(&story, 5, "one more", true);
    story_expect(&story, "REPLY 5 FULL 0\n");
    list_word(&story, 6, "word0", true); /* is there */
    list_word(&story, 7, "word1", false);
    story_settle(&story);
    assert_int_equal(words_count(&story), PARLEY_LIST_ITEMS_MAX - 1);
    list_word(&story, 8, "one more", true);
    story_settle(&story);
    assert_true(story_has(&story, "REPLY 8 OK 0"));
    story_end(&story);
}

/* Every list, as rows of the disk: what was put there comes back. */
static void test_kept(void **state) {
    struct story story;
    struct story_person other;
    struct parley_node_author author;
    struct parley_listed listed;
    uint8_t value = 1, key[64];
    story_begin(&story);
    story_person(&other, 9);
    static const char *const names[] = {"mute/", "block/", "allow/"};
    for (unsigned i = 0; i < 3; i++) {
        struct parley_event event = {.kind = PARLEY_EVENT_LOAD_META};
        size_t size = strlen(names[i]);
        memcpy(key, names[i], size);
        memcpy(key + size, other.author.bytes, 32);
        event.load_meta.key = PARLEY_SPAN(key, size + 32);
        event.load_meta.value = PARLEY_SPAN(&value, 1);
        story_step(&story, &event);
        assert_true(parley_node_author_find(story.node, &other.author, &author));
        assert_true(author.is_muted);
        assert_int_equal(author.is_blocked, i >= 1);
        assert_int_equal(author.is_allowed, i >= 2);
    }
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_META};
    event.load_meta.key = PARLEY_SPAN("word/spam", 9);
    event.load_meta.value = PARLEY_SPAN(&value, 1);
    story_step(&story, &event);
    assert_true(parley_node_list_at(story.node, 0, &listed));
    assert_true(listed.list == PARLEY_LIST_WORD && listed.word.size == 4 &&
                memcmp(listed.word.data, "spam", 4) == 0);
    assert_false(parley_node_list_at(story.node, 1, &listed));
    story_end(&story);
}

static void test_posts(void **state) {
    struct story story;
    struct story_person other;
    struct parley_listed listed;
    begin(&story, &other);
    struct parley_event event = {.kind = PARLEY_EVENT_LIST};
    event.list.listed.list = PARLEY_LIST_POST;
    event.list.listed.log = other.log;
    event.list.listed.seq = 1;
    event.list.listed.id = other.id;
    event.list.on = true;
    story_step(&story, &event);
    assert_true(parley_node_post_is_allowed(story.node, &other.log, 1, &other.id));
    assert_false(parley_node_post_is_allowed(story.node, &other.log, 2, &other.id));
    struct parley_id branch = other.id; /* another branch's entry is another post */
    branch.bytes[0] ^= 1;
    assert_false(parley_node_post_is_allowed(story.node, &other.log, 1, &branch));
    assert_true(parley_node_list_at(story.node, 0, &listed));
    assert_true(listed.list == PARLEY_LIST_POST && listed.seq == 1 &&
                PARLEY_EQUAL(listed.id, other.id));
    event.list.on = false;
    story_step(&story, &event);
    assert_false(parley_node_post_is_allowed(story.node, &other.log, 1, &other.id));
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocked_is_not_taken),
        cmocka_unit_test(test_blocked_is_not_given),
        cmocka_unit_test(test_blocked_is_not_told),
        cmocka_unit_test(test_relay_asks_again),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_posts),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("lists", tests, NULL, NULL) == 0 ? 0 : 1;
}
