#include "story.h"

/* The one door: what is asked of an entry before it is kept, and what is answered. */

static struct parley_span slice(struct parley_span bytes, parley_seq from, parley_seq to,
                                uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE]) {
    struct parley_chunk chunk;
    struct parley_span part;
    assert_int_equal(parley_chunk_decode(&chunk, bytes).error, PARLEY_E_OK);
    assert_int_equal(
        parley_chunk_slice(&part, buffer, PARLEY_CHUNK_BUFFER_SIZE, &chunk, from, to, true),
        PARLEY_E_OK);
    return part;
}

static struct parley_id id_of(struct parley_span bytes, parley_seq seq) {
    struct parley_chunk chunk;
    struct parley_entry entry;
    assert_int_equal(parley_chunk_decode(&chunk, bytes).error, PARLEY_E_OK);
    assert_true(parley_chunk_find(&chunk, seq, &entry));
    return entry.id;
}

static struct parley_node_log log_of(const struct story *story, const struct story_person *person) {
    struct parley_node_log log = {0};
    assert_true(parley_node_log_find(story->node, &person->log, &log));
    return log;
}

/* --- imports ------------------------------------------------------------------------------- */

static void test_import_is_durable(void **state) {
    struct story story;
    struct story_person writer;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin(&story);
    story_person(&writer, 9);
    /* Neither a record nor an entry is answered before it is on disk. */
    story_import(&story, 1, PARLEY_EVENT_IMPORT_RECORD, writer.inception);
    story_verified(&story);
    story_expect(&story, "VERIFY\nSTORE record\nSTORE meta\n");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "REPLY 1 OK 0\n");
    story_import(&story, 2, PARLEY_EVENT_IMPORT_RECORD, writer.certificate);
    story_settle(&story);
    story_forget(&story);
    struct parley_span chunk = story_entry(&writer, "from a stick", buffer);
    story_import(&story, 3, PARLEY_EVENT_IMPORT_CHUNK, chunk);
    story_verified(&story);
    /* A second time while the first is on its way to the disk: here, and not yet kept. */
    story_import(&story, 4, PARLEY_EVENT_IMPORT_CHUNK, chunk);
    story_expect(&story, "VERIFY\nSTORE append 1..1\nSTORE bodies\n");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "SHOW 1..1\nREPLY 3 OK 1\n");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "REPLY 4 OK 0\n");
    story_end(&story);
}

/* A record that more follows is answered when it is taken: what follows is answered when both are
 * on disk, for the disk keeps the order. */
static void test_import_that_is_followed(void **state) {
    struct story story;
    struct story_person writer;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin(&story);
    story_person(&writer, 9);
    struct parley_event event = {.kind = PARLEY_EVENT_IMPORT_RECORD};
    event.import.is_followed = true;
    event.import.request = 1;
    event.import.bytes = writer.inception;
    story_step(&story, &event);
    story_verified(&story);
    story_expect(&story, "VERIFY\nSTORE record\nREPLY 1 OK 0\n");
    event.import.request = 2;
    event.import.bytes = writer.certificate;
    story_step(&story, &event);
    story_verified(&story);
    story_verified(&story);
    story_expect(&story, "VERIFY\nVERIFY\nSTORE record\nREPLY 2 OK 0\n");
    story_import(&story, 3, PARLEY_EVENT_IMPORT_CHUNK,
                 story_entry(&writer, "right behind", buffer));
    story_verified(&story);
    story_expect(&story, "VERIFY\nSTORE append 1..1\n");
    story_stored(&story, PARLEY_E_OK);
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "");
    story_stored(&story, PARLEY_E_OK);
    story_expect(&story, "SHOW 1..1\nREPLY 3 OK 1\n");
    /* A bad one is refused as ever. */
    uint8_t bad[PARLEY_RECORD_BYTES_MAX];
    struct story_person other;
    story_person(&other, 10);
    memcpy(bad, other.inception.data, other.inception.size);
    bad[other.inception.size - 1] ^= 1;
    event.import.request = 4;
    event.import.bytes = PARLEY_SPAN(bad, other.inception.size);
    story_step(&story, &event);
    story_verified(&story);
    story_expect(&story, "VERIFY\nREPLY 4 BAD_SIGNATURE 0\n");
    story_end(&story);
}

/* What decides an overlap is an id that was accepted and is not on disk yet: that is no gap. */
static void test_import_waits_for_the_disk(void **state) {
    struct story story;
    struct story_person writer;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE], part[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin(&story);
    story_person(&writer, 9);
    story_know(&story, &writer);
    struct parley_span all = story_entries(&writer, 3, buffer);
    story_import(&story, 1, PARLEY_EVENT_IMPORT_CHUNK, all);
    story_verified(&story);
    story_import(&story, 2, PARLEY_EVENT_IMPORT_CHUNK, slice(all, 2, 2, part));
    assert_true(story_has(&story, "READ"));
    story_read(&story, PARLEY_E_NOT_FOUND, PARLEY_NO_SPAN, 0);
    assert_true(story_has(&story, "REPLY 2 RETRY 0"));
    /* On disk, and gone from there: that is one. */
    story_settle(&story);
    story_import(&story, 3, PARLEY_EVENT_IMPORT_CHUNK, slice(all, 2, 2, part));
    story_read(&story, PARLEY_E_NOT_FOUND, PARLEY_NO_SPAN, 0);
    assert_true(story_has(&story, "REPLY 3 GAP 0"));
    story_end(&story);
}

/* --- serving ------------------------------------------------------------------------------- */

struct runs_seen {
    size_t count, empty;
};

static void count_runs(struct story *story, const struct story_puppet *puppet,
                       const struct parley_wire_message *message) {
    struct runs_seen *seen = story->context;
    seen->count += message->type == PARLEY_WIRE_RUN;
    seen->empty += message->type == PARLEY_WIRE_RUN && message->as.run.chunk.size == 0;
    (void)puppet;
}

/* Of a fork the disk may hold the other branch: an anchored ask is answered with what hashes to the
 * id that was asked for, or with nothing. */
static void test_anchored_ask_compares(void **state) {
    struct story story;
    struct story_person writer;
    struct runs_seen seen = {0};
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE], part[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_relay(&story);
    story_person(&writer, 9);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_know(&story, &writer);
    struct parley_span all = story_entries(&writer, 3, buffer);
    story_import(&story, 1, PARLEY_EVENT_IMPORT_CHUNK, all);
    story_settle(&story);
    struct parley_wire_message ask = {.type = PARLEY_WIRE_ASK_RUN};
    ask.as.ask_run.log = writer.log;
    ask.as.ask_run.kind = PARLEY_RUN_ANCHORED;
    ask.as.ask_run.top_seq = 2;
    ask.as.ask_run.top_id = id_of(all, 2);
    ask.as.ask_run.bodies = true;
    ask.as.ask_run.bytes_max = PARLEY_RUN_ASK_BYTES;
    story.on_message = count_runs;
    story.context = &seen;
    for (unsigned wrong = 0; wrong < 2; wrong++) {
        ask.as.ask_run.request = wrong;
        ask.as.ask_run.top_id.bytes[0] ^= (uint8_t)wrong;
        story_send(&story, peer, &ask);
        story_read(&story, PARLEY_E_OK, slice(all, 1, 2, part), 0);
        assert_int_equal(seen.count, wrong + 1);
        assert_int_equal(seen.empty, wrong);
    }
    story_end(&story);
}

/* --- ranges -------------------------------------------------------------------------------- */

static void test_ninth_range(void **state) {
    struct story story;
    struct story_person writer;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE], part[PARLEY_CHUNK_BUFFER_SIZE];
    const parley_seq count = 2 * PARLEY_RANGES_MAX + 2;
    story_begin_relay(&story);
    story_person(&writer, 9);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_know(&story, &writer);
    struct parley_span all = story_entries(&writer, count, buffer);
    for (parley_seq seq = 2; seq < count; seq += 2) {
        story_push(&story, peer, slice(all, seq, seq, part));
        story_settle(&story);
    }
    assert_int_equal(log_of(&story, &writer).ranges.count, PARLEY_RANGES_MAX);
    story_forget(&story);
    /* Nobody's fault, and nothing is kept; whoever brings it by hand hears it. */
    story_push(&story, peer, slice(all, count, count, part));
    story_settle(&story);
    story_expect(&story, "VERIFY\n");
    story_import(&story, 7, PARLEY_EVENT_IMPORT_CHUNK, slice(all, count, count, part));
    story_settle(&story);
    story_expect(&story, "VERIFY\nREPLY 7 FULL 0\n");
    /* What fills the holes makes room. */
    story_import(&story, 8, PARLEY_EVENT_IMPORT_CHUNK, slice(all, 1, count - 2, part));
    story_settle(&story);
    story_import(&story, 9, PARLEY_EVENT_IMPORT_CHUNK, slice(all, count, count, part));
    story_settle(&story);
    assert_true(story_has(&story, "REPLY 9 OK 18"));
    assert_int_equal(log_of(&story, &writer).ranges.count, 2);
    story_end(&story);
}

static void import_closing(struct story *story, const struct story_person *person, uint8_t number,
                           parley_seq seq, const struct parley_id *id) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE], bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_secret_key root;
    struct parley_root_key root_key;
    struct parley_span record;
    memset(entropy, number, sizeof entropy);
    parley_root_derive(&root, &root_key, entropy, 0);
    assert_int_equal(parley_closing_make(&record, bytes, sizeof bytes, &root, &person->author, 0,
                                         &person->device_key, seq, id),
                     PARLEY_E_OK);
    story_import(story, 0, PARLEY_EVENT_IMPORT_RECORD, record);
    story_settle(story);
}

static void import_listing(struct story *story, const struct story_person *person, uint8_t number,
                           parley_seq seq, const struct parley_id *id) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE], bytes[512];
    struct parley_listing listing = {.device = person->device_key, .seq = seq, .id = *id};
    struct parley_span record;
    memset(entropy, number, sizeof entropy);
    assert_int_equal(parley_rotation_make(&record, bytes, sizeof bytes, entropy, 1, &listing, 1),
                     PARLEY_E_OK);
    story_import(story, 0, PARLEY_EVENT_IMPORT_RECORD, record);
    story_settle(story);
}

/* Entries that a closing vouched for; a rotation takes the closing back; then the newest is pushed,
 * and its own signature holds: from then on it is a head that is served and announced. */
static void test_signature_learned_later(void **state) {
    struct story story;
    struct story_person writer;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE], part[PARLEY_CHUNK_BUFFER_SIZE];
    story_begin_relay(&story);
    story_person(&writer, 9);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_know(&story, &writer);
    struct parley_span all = story_entries(&writer, 5, buffer);
    struct parley_id second = id_of(all, 2), fifth = id_of(all, 5);
    import_closing(&story, &writer, 9, 5, &fifth);
    story_forget(&story);
    story_import(&story, 1, PARLEY_EVENT_IMPORT_CHUNK, all);
    story_settle(&story);
    assert_false(story_has(&story, "VERIFY"));
    import_listing(&story, &writer, 9, 2, &second);
    /* Whether the second is the one that is listed, the disk says. */
    story_read(&story, PARLEY_E_OK, slice(all, 2, 2, part), 0);
    assert_int_equal(log_of(&story, &writer).head_seq, 0);
    story_forget(&story);
    story_read(&story, PARLEY_E_OK, slice(all, 3, 5, part), 0);
    story_verified(&story);
    story_expect(&story, "VERIFY\nSTORE top 3..5\n"); /* the disk learns it, too */
    story_stored(&story, PARLEY_E_EXISTS);
    assert_int_equal(log_of(&story, &writer).head_seq, 5);
    assert_true(log_of(&story, &writer).ranges.ranges[0].hi_is_signed);
    story_forget(&story);
    /* Once is enough. */
    story_push(&story, peer, slice(all, 5, 5, part));
    story_settle(&story);
    story_expect(&story, "");
    story_end(&story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_import_is_durable),
        cmocka_unit_test(test_import_that_is_followed),
        cmocka_unit_test(test_import_waits_for_the_disk),
        cmocka_unit_test(test_anchored_ask_compares),
        cmocka_unit_test(test_ninth_range),
        cmocka_unit_test(test_signature_learned_later),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ingest", tests, NULL, NULL) == 0 ? 0 : 1;
}
