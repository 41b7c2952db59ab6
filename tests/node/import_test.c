#include "story.h"

/* Bundles that the owner brings in: newest chunk of a run first. */

static struct story story;
static struct story_person writer;
static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];

static struct parley_span part(struct parley_span all, parley_seq from, parley_seq to,
                               bool with_bodies) {
    static uint8_t data[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_chunk chunk;
    struct parley_span out;
    assert_int_equal(parley_chunk_decode(&chunk, all).error, PARLEY_E_OK);
    assert_int_equal(parley_chunk_slice(&out, data, sizeof data, &chunk, from, to, with_bodies),
                     PARLEY_E_OK);
    return out;
}

static struct parley_id id_of(struct parley_span all, parley_seq seq) {
    struct parley_chunk chunk;
    struct parley_entry entry;
    assert_int_equal(parley_chunk_decode(&chunk, all).error, PARLEY_E_OK);
    assert_true(parley_chunk_find(&chunk, seq, &entry));
    return entry.id;
}

static struct parley_span begin(size_t entries_count) {
    story_begin(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    return story_entries(&writer, entries_count, buffer);
}

static void import(parley_request request, struct parley_span chunk) {
    story_import(&story, request, PARLEY_EVENT_IMPORT_CHUNK, chunk);
}

static void close_at(parley_seq seq, const struct parley_id *id) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE], bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_secret_key root;
    struct parley_root_key root_key;
    struct parley_span record;
    memset(entropy, 9, sizeof entropy);
    parley_root_derive(&root, &root_key, entropy, 0);
    assert_int_equal(parley_closing_make(&record, bytes, sizeof bytes, &root, &writer.author, 0,
                                         &writer.device_key, seq, id),
                     PARLEY_E_OK);
    story_import(&story, 0, PARLEY_EVENT_IMPORT_RECORD, record);
    story_settle(&story);
    story_forget(&story);
}

/* What is held vouches for the chunk below it: one signature for a run. */
static void test_one_check_a_run(void **state) {
    struct parley_span all = begin(9);
    import(1, part(all, 7, 9, true));
    story_settle(&story);
    story_expect(&story, "VERIFY\nSTORE top 7..9\nSHOW 7..9\nREPLY 1 OK 9\n");
    import(2, part(all, 4, 6, true));
    story_settle(&story);
    story_expect(&story, "STORE fill 4..6\nSHOW 4..6\nREPLY 2 OK 6\n");
    import(3, part(all, 1, 3, true));
    story_settle(&story);
    story_expect(&story, "STORE fill 1..3\nSHOW 1..3\nREPLY 3 OK 3\n");
    story_end(&story);
}

/* A closed log takes what its end commits to, and nothing of it is checked by signature. */
static void test_a_closed_log_comes_from_its_end(void **state) {
    struct parley_span all = begin(6);
    struct parley_id fifth = id_of(all, 5);
    close_at(5, &fifth);
    import(1, part(all, 4, 5, true));
    import(2, part(all, 1, 3, true));
    story_settle(&story);
    story_expect(&story, "STORE top 4..5\nSTORE fill 1..3\nSHOW 4..5\nREPLY 1 OK 5\nSHOW 1..3\n"
                         "REPLY 2 OK 3\n");
    story_end(&story);
}

/* Who wrote the bundle knew of no closing. */
static void test_what_stands_above_an_end_is_left_out(void **state) {
    struct parley_span all = begin(6);
    struct parley_id third = id_of(all, 3);
    close_at(3, &third);
    import(1, part(all, 5, 6, true));
    story_expect(&story, "REPLY 1 LOG_CLOSED 0\n");
    import(2, part(all, 1, 4, true));
    story_settle(&story);
    story_expect(&story, "STORE append 1..3\nSHOW 1..3\nREPLY 2 OK 3\n");
    story_end(&story);
}

/* It may be another branch, and names an end that this one does not have. */
static void test_another_end_is_not_taken(void **state) {
    struct parley_span all = begin(4);
    struct parley_id third = id_of(all, 3);
    close_at(4, &third);
    import(1, part(all, 1, 4, true));
    story_settle(&story);
    story_expect(&story, "REPLY 1 LOG_CLOSED 0\n");
    story_end(&story);
}

static void test_bodies_come_to_headers(void **state) {
    struct parley_span all = begin(4);
    import(1, part(all, 1, 2, false));
    story_settle(&story);
    story_expect(&story, "VERIFY\nSTORE append 1..2\nSHOW 1..2\nREPLY 1 OK 2\n");
    /* Held without bodies, so they are kept, and answered when they are on disk. */
    import(2, part(all, 1, 2, true));
    story_expect(&story, "STORE bodies\n");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "REPLY 2 OK 0\n");
    /* Two held and two new; what is new needs no second time. */
    import(3, all);
    story_settle(&story);
    story_expect(&story, "VERIFY\nSTORE append 3..4\nSTORE bodies\nSHOW 3..4\nREPLY 3 OK 4\n");
    /* Nothing to add: no body is in it. */
    import(4, part(all, 3, 4, false));
    story_settle(&story);
    story_expect(&story, "REPLY 4 OK 0\n");
    story_end(&story);
}

/* An entry inside of what is held: its id is compared with the one on disk. */
static void test_what_is_held_is_read(void **state) {
    struct parley_span all = begin(4);
    import(1, all);
    story_settle(&story);
    story_forget(&story);
    import(2, part(all, 1, 2, true));
    story_expect(&story, "READ\n");
    story_read(&story, PARLEY_E_OK, part(all, 2, 2, true), 0);
    story_expect(&story, "STORE bodies\n");
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_check_a_run),
        cmocka_unit_test(test_a_closed_log_comes_from_its_end),
        cmocka_unit_test(test_what_stands_above_an_end_is_left_out),
        cmocka_unit_test(test_another_end_is_not_taken),
        cmocka_unit_test(test_bodies_come_to_headers),
        cmocka_unit_test(test_what_is_held_is_read),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
