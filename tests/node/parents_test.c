#include "story.h"

#include <parley/body.h>

/* A reply whose parent is not here: what is asked of the peer that brought it, what is taken of the
 * answer, and where it ends. */

/* The person's next post as a chunk, in answer to a post. */
static struct parley_span reply(struct story_person *person, const struct parley_ref *parent,
                                uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE]) {
    static struct parley_body body;
    struct parley_entry entry = {.has_body = true};
    struct parley_chunk_writer writer;
    uint8_t bytes[1024];
    body = (struct parley_body){.kind = PARLEY_BODY_POST};
    body.post.text = PARLEY_SPAN("yes", 3);
    body.post.has_parent = body.post.has_root = true;
    body.post.parent = body.post.root = *parent;
    assert_int_equal(parley_body_encode(&entry.body, bytes, sizeof bytes, &body), PARLEY_E_OK);
    entry.header.version = PARLEY_ENTRY_VERSION;
    entry.header.log = person->log;
    entry.header.seq = ++person->seq;
    entry.header.prev = person->id;
    parley_entry_sign(&entry, &person->device);
    person->id = entry.id;
    parley_chunk_writer_init(&writer, buffer, PARLEY_CHUNK_BUFFER_SIZE);
    assert_int_equal(parley_chunk_add(&writer, &entry, true), PARLEY_E_OK);
    return parley_chunk_finish(&writer);
}

static struct parley_ref newest_of(const struct story_person *person) {
    return (struct parley_ref){person->author, person->log, person->seq, person->id};
}

struct world {
    struct story story;
    struct story_person friend, stranger;
    struct story_puppet *puppet;
    struct parley_span post; /* the stranger's third */
    struct parley_wire_ask_run asked;
    size_t runs, identities;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE], other[PARLEY_CHUNK_BUFFER_SIZE];
};

static void note_asks(struct story *story, const struct story_puppet *puppet,
                      const struct parley_wire_message *message) {
    struct world *world = story->context;
    if (message->type == PARLEY_WIRE_ASK_RUN) {
        world->asked = message->as.ask_run;
        world->runs++;
    }
    world->identities += message->type == PARLEY_WIRE_ASK_IDENTITY;
}

/* The node follows the friend, whose records are here. */
static void begin(struct world *world) {
    struct story *story = &world->story;
    story_begin(story);
    story_person(&world->friend, 9);
    story_person(&world->stranger, 10);
    story_follow(story, 1, &world->friend.author, true, true);
    world->puppet = story_peer(story, 'A');
    story_introduce(story, world->puppet, &world->friend);
    story_verified(story);
    story_verified(story);
    story_settle(story);
    (void)story_entries(&world->stranger, 2, world->buffer);
    world->post = story_entry(&world->stranger, "what is answered", world->buffer);
    world->runs = world->identities = 0;
    story->on_message = note_asks;
    story->context = world;
    story_forget(story);
}

static void push_reply(struct world *world, const struct parley_ref *parent) {
    story_push(&world->story, world->puppet, reply(&world->friend, parent, world->other));
    story_settle(&world->story);
}

/* Heads that follow identity records: these were all. */
static void end_records(struct world *world) {
    story_tell(&world->story, world->puppet, &world->stranger.author, NULL,
               PARLEY_HEADS_AFTER_RECORDS);
}

static void give_records(struct world *world) {
    story_introduce(&world->story, world->puppet, &world->stranger);
    story_settle(&world->story);
    end_records(world);
}

static void give_run(struct world *world, struct parley_span chunk) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_RUN};
    message.as.run.request = world->asked.request;
    message.as.run.last = true;
    message.as.run.chunk = chunk;
    story_send(&world->story, world->puppet, &message);
    story_settle(&world->story);
}

static bool holds_parent(const struct world *world) {
    struct parley_node_log log;
    return parley_node_log_find(world->story.node, &world->stranger.log, &log) &&
           parley_ranges_covers(&log.ranges, 3);
}

static void test_parent_comes(void **state) {
    static struct world world;
    begin(&world);
    struct parley_ref parent = newest_of(&world.stranger);
    push_reply(&world, &parent);
    assert_int_equal(world.identities, 1); /* once, though it is parent and root */
    assert_int_equal(world.runs, 0);
    give_records(&world);
    assert_int_equal(world.runs, 1);
    assert_true(world.asked.kind == PARLEY_RUN_ANCHORED && world.asked.top_seq == 3 &&
                world.asked.down_seq == 2 && PARLEY_EQUAL(world.asked.top_id, parent.id));
    story_forget(&world.story);
    give_run(&world, world.post);
    assert_true(story_has(&world.story, "VERIFY")); /* a reply proves nothing of what it names */
    assert_true(story_has(&world.story, "SHOW 3..3"));
    assert_true(holds_parent(&world));
    /* Nothing else of the stranger is asked for, and what is here is not asked for again. */
    push_reply(&world, &parent);
    story_wait(&world.story, PARLEY_FETCH_MS);
    assert_int_equal(world.runs, 1);
    assert_int_equal(world.identities, 1);
    story_end(&world.story);
}

static void test_bad_parent_is_nobodys_fault(void **state) {
    static struct world world;
    begin(&world);
    struct parley_chunk chunk;
    struct parley_entry entry;
    struct parley_chunk_writer writer;
    static uint8_t bytes[PARLEY_CHUNK_BUFFER_SIZE];
    assert_int_equal(parley_chunk_decode(&chunk, world.post).error, PARLEY_E_OK);
    assert_true(parley_chunk_find(&chunk, 3, &entry));
    entry.signature.bytes[5] ^= 1;
    parley_entry_id(&entry);
    parley_chunk_writer_init(&writer, bytes, sizeof bytes);
    assert_int_equal(parley_chunk_add(&writer, &entry, true), PARLEY_E_OK);
    struct parley_ref parent = newest_of(&world.stranger);
    parent.id = entry.id;
    push_reply(&world, &parent);
    give_records(&world);
    story_forget(&world.story);
    give_run(&world, parley_chunk_finish(&writer));
    assert_false(holds_parent(&world));
    assert_false(story_has(&world.story, "CLOSE A BAD_SIGNATURE"));
    /* Nor is anything else taken than what the reply names. */
    struct parley_ref good = newest_of(&world.stranger);
    good.id.bytes[0] ^= 1;
    push_reply(&world, &good);
    assert_int_equal(world.runs, 2);
    give_run(&world, world.post);
    assert_false(holds_parent(&world));
    story_end(&world.story);
}

static void test_blocked_parent_is_not_asked_for(void **state) {
    static struct world world;
    begin(&world);
    struct parley_event event = {.kind = PARLEY_EVENT_LIST};
    event.list.listed.list = PARLEY_LIST_BLOCK;
    event.list.listed.author = world.stranger.author;
    event.list.on = true;
    story_step(&world.story, &event);
    struct parley_ref parent = newest_of(&world.stranger);
    push_reply(&world, &parent);
    assert_int_equal(world.identities + world.runs, 0);
    story_end(&world.story);
}

static void test_bounds(void **state) {
    static struct world world;
    begin(&world);
    for (uint8_t i = 0; i < 2 * PARLEY_PARENTS_PER_PEER; i++) {
        struct parley_ref parent = newest_of(&world.stranger);
        parent.author.bytes[0] ^= (uint8_t)(i + 1); /* strangers of whom nothing comes */
        parent.log.bytes[0] ^= (uint8_t)(i + 1);
        parent.id.bytes[0] ^= (uint8_t)(i + 1);
        push_reply(&world, &parent);
    }
    assert_int_equal(world.identities, PARLEY_PARENTS_PER_PEER);
    story_wait(&world.story, PARLEY_FETCH_MS); /* they are given up: the others have their turn */
    assert_int_equal(world.identities, 2 * PARLEY_PARENTS_PER_PEER);
    struct parley_ref parent = newest_of(&world.stranger);
    push_reply(&world, &parent);
    assert_int_equal(world.identities, 2 * PARLEY_PARENTS_PER_PEER);
    story_wait(&world.story, PARLEY_FETCH_MS);
    assert_int_equal(world.identities, 2 * PARLEY_PARENTS_PER_PEER + 1);
    /* Records of whom nobody waits for are not taken. */
    story_wait(&world.story, PARLEY_FETCH_MS);
    story_forget(&world.story);
    story_introduce(&world.story, world.puppet, &world.stranger);
    assert_false(story_has(&world.story, "VERIFY"));
    story_end(&world.story);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parent_comes),
        cmocka_unit_test(test_bad_parent_is_nobodys_fault),
        cmocka_unit_test(test_blocked_parent_is_not_asked_for),
        cmocka_unit_test(test_bounds),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("parents", tests, NULL, NULL) == 0 ? 0 : 1;
}
