#include "story.h"

/* A difference that an exchange did not change is not tried again, until something changes that may
 * make it another one. */

struct asks {
    size_t count, answered;
    uint64_t request;
};

static void count_asks(struct story *story, const struct story_puppet *puppet,
                       const struct parley_wire_message *message) {
    struct asks *asks = story->context;
    if (message->type != PARLEY_WIRE_ASK_RUN)
        return;
    asks->count++;
    asks->request = message->as.ask_run.request;
}

/* A head that the puppet says it has. */
static void tell_head(struct story *story, struct story_puppet *puppet,
                      const struct story_person *person, const struct parley_anchor *at) {
    struct parley_wire_head head = {.log = person->log, .seq = at->seq, .id = at->id, .low_seq = 1};
    story_tell(story, puppet, &person->author, &head, PARLEY_HEADS_AFTER_RECORDS);
}

/* What was asked of the puppet brings nothing. */
static void answer_asks(struct story *story, struct story_puppet *puppet) {
    struct asks *asks = story->context;
    struct parley_wire_message run = {.type = PARLEY_WIRE_RUN};
    run.as.run.last = true;
    for (; asks->answered < asks->count; asks->answered++) {
        run.as.run.request = asks->request;
        story_send(story, puppet, &run);
    }
}

/* The puppet's head, again and again. Returns how often something was asked so far. */
static size_t tell_on(struct story *story, struct story_puppet *puppet,
                      const struct story_person *person, const struct parley_anchor *at) {
    for (unsigned i = 0; i < 10; i++) {
        tell_head(story, puppet, person, at);
        answer_asks(story, puppet);
        story_wait(story, PARLEY_LOG_BACKOFF_MAX_MS);
        answer_asks(story, puppet);
    }
    return ((struct asks *)story->context)->count;
}

static void list_at(struct story *story, parley_seq seq, const struct parley_id *id,
                    const struct story_person *person) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE], bytes[1024];
    struct parley_listing listing = {.device = person->device_key, .seq = seq, .id = *id};
    struct parley_span record;
    memset(entropy, 9, sizeof entropy);
    assert_int_equal(parley_rotation_make(&record, bytes, sizeof bytes, entropy, 1, &listing, 1),
                     PARLEY_E_OK);
    story_import(story, 0, PARLEY_EVENT_IMPORT_RECORD, record);
    story_settle(story);
}

/* What a review wants to see of the chain that is held: one header. */
static void answer_read(struct story *story, const struct parley_chunk *chunk, parley_seq seq) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_span part;
    assert_int_equal(parley_chunk_slice(&part, buffer, sizeof buffer, chunk, seq, seq, false),
                     PARLEY_E_OK);
    story_read(story, PARLEY_E_OK, part, 1);
}

static void test_declined_until_the_records_change(void **state) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct story story;
    struct story_person writer;
    struct asks asks = {0};
    struct parley_chunk chunk;
    struct parley_entry third;
    struct parley_anchor theirs = {5, {{1, 2, 3}}};
    story_begin_relay(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    struct parley_span bytes = story_entries(&writer, 5, buffer);
    assert_int_equal(parley_chunk_decode(&chunk, bytes).error, PARLEY_E_OK);
    assert_true(parley_chunk_find(&chunk, 3, &third));
    story_import(&story, 0, PARLEY_EVENT_IMPORT_CHUNK, bytes);
    story_settle(&story);
    struct story_puppet *peer = story_peer(&story, 'A');
    story.on_message = count_asks;
    story.context = &asks;
    story.is_silent = true;
    assert_int_equal(tell_on(&story, peer, &writer, &theirs), 1);
    /* Listed below: what was another branch may be settled now, so it is asked once more. */
    list_at(&story, 3, &third.id, &writer);
    answer_read(&story, &chunk, 3);
    assert_int_equal(tell_on(&story, peer, &writer, &theirs), 2);
    assert_true(peer->is_open);
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_declined_until_the_records_change),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("declined", tests, NULL, NULL) == 0 ? 0 : 1;
}
