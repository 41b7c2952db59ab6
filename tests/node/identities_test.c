#include "story.h"

#include <parley/wire.h>

/* Identity sets that differ are asked for once; what changes while an answer is due is not lost. */

static void tell_set(struct story *story, struct story_puppet *puppet,
                     const struct parley_author *author, uint8_t hash_byte, uint64_t session) {
    uint8_t bytes[256];
    struct parley_writer writer;
    struct parley_wire_message message = {.type = PARLEY_WIRE_HEADS};
    struct parley_wire_author_heads item = {.author = *author};
    memset(item.set_hash, hash_byte, sizeof item.set_hash);
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_author_heads(&writer, &item);
    message.as.heads.session = session;
    message.as.heads.last = true;
    message.as.heads.authors = parley_wire_list_of(&writer, 1);
    story_send(story, puppet, &message);
}

static void test_asked_once(void **state) {
    struct story story;
    struct story_person writer;
    story_begin_relay(&story);
    story_person(&writer, 40);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_settle(&story);
    story_forget(&story);
    tell_set(&story, peer, &writer.author, 1, 0);
    story_expect(&story, "A message 22\n");
    /* The same again changes nothing while the answer is due. */
    tell_set(&story, peer, &writer.author, 1, 0);
    story_expect(&story, "");
    story_end(&story);
}

/* Two records stored one after the other: the peer tells of each, and its answer to the ask of the
 * first may have left before the second was there. */
static void test_changed_while_asked(void **state) {
    struct story story;
    struct story_person writer;
    story_begin_relay(&story);
    story_person(&writer, 40);
    struct story_puppet *peer = story_peer(&story, 'A');
    story_settle(&story);
    story_forget(&story);
    tell_set(&story, peer, &writer.author, 1, 0);
    tell_set(&story, peer, &writer.author, 2, 0);
    story_expect(&story, "A message 22\n");
    tell_set(&story, peer, &writer.author, 1, 1); /* the end of the answer */
    story_expect(&story, "A message 22\n");
    tell_set(&story, peer, &writer.author, 2, 1);
    story_expect(&story, "");
    story_end(&story);
}

/* Who told of an author first gives nothing of him, in one way or another: who told of him
 * meanwhile is asked then, and told of nothing again. */
static void test_asked_of_another(void **state) {
    enum { SILENT, EMPTY, OTHERS_ALONE, AGAIN_AND_AGAIN, WAYS };
    for (int way = 0; way < WAYS; way++) {
        struct story story;
        struct story_person writer;
        struct parley_author junk = {{9}};
        story_begin_relay(&story);
        story_person(&writer, 40);
        struct story_puppet *first = story_peer(&story, 'A'), *other = story_peer(&story, 'B');
        story_settle(&story);
        story_forget(&story);
        tell_set(&story, first, &writer.author, 1, 0);
        story_expect(&story, "A message 22\n");
        tell_set(&story, other, &writer.author, 1, 0);
        for (unsigned i = 0; i < 8 && way != SILENT; i++) {
            story_wait(&story, 10000);
            junk.bytes[1] = (uint8_t)i;
            if (way == OTHERS_ALONE) {
                tell_set(&story, first, &junk, 1, 0);
                tell_set(&story, first, &junk, 1, 1);
            } else {
                if (way == AGAIN_AND_AGAIN)
                    tell_set(&story, first, &writer.author, 1, 0);
                tell_set(&story, first, &writer.author, 1, 1);
            }
            story_settle(&story);
        }
        if (way == SILENT)
            story_wait(&story, PARLEY_FETCH_MS);
        assert_true(story_has(&story, "B message 22"));
        story_end(&story);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked_once),
        cmocka_unit_test(test_changed_while_asked),
        cmocka_unit_test(test_asked_of_another),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
