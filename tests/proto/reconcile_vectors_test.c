#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reconcile_pair.h"
#include "vector_file.h"

/* Whole sessions that another implementation wrote: the same messages, byte by byte, and the same
 * findings. */

#define ITEMS_MAX 1024u

struct replay {
    struct vector_file vectors;
    char *columns[8];
    size_t sessions, messages, findings;
    size_t next[2]; /* of a side's findings */
};

/* False at the end. */
static bool next_line(struct replay *replay) {
    char *save, *line;
    if (!vector_next(&replay->vectors))
        return false;
    line = replay->vectors.line;
    for (size_t i = 0; i < 8; i++, line = NULL)
        replay->columns[i] = strtok_r(line, "\t", &save);
    return true;
}

static bool is_line(const struct replay *replay, const char *word) {
    return strcmp(replay->columns[0], word) == 0;
}

static void hex(const char *text, uint8_t *out, size_t size) {
    assert_true(parley_hex_decode(out, size, PARLEY_SPAN(text, strlen(text))));
}

static void on_message(struct pair *pair, unsigned from, struct parley_span message) {
    static uint8_t expected[PARLEY_MESSAGE_BYTES_MAX];
    struct replay *replay = pair->context;
    assert_true(is_line(replay, "says"));
    assert_int_equal(from, (unsigned)atoi(replay->columns[1]));
    assert_int_equal(strlen(replay->columns[2]), 2 * message.size);
    hex(replay->columns[2], expected, message.size);
    assert_memory_equal(message.data, expected, message.size);
    replay->messages++;
    (void)next_line(replay);
}

static void add_item(struct replay *replay, struct pair *pair) {
    struct parley_reconcile_log log;
    hex(replay->columns[2], log.name, sizeof log.name);
    log.seq = strtoull(replay->columns[3], NULL, 10);
    hex(replay->columns[4], log.id.bytes, sizeof log.id.bytes);
    log.forked_seq = strtoull(replay->columns[5], NULL, 10);
    hex(replay->columns[6], log.set_hash, sizeof log.set_hash);
    pair_side_add(&pair->sides[atoi(replay->columns[1])], &log);
}

static void check_finding(struct replay *replay, struct pair *pair) {
    static const char *const words[] = {"absent", "asked", "above", "other"};
    unsigned side = (unsigned)atoi(replay->columns[1]);
    const struct pair_finding *found = &pair->sides[side].findings[replay->next[side]++];
    uint8_t name[32];
    char text[64];
    bool has_seq =
        found->finding == PARLEY_RECONCILE_ABOVE || found->finding == PARLEY_RECONCILE_OTHER;
    snprintf(text, sizeof text, has_seq ? "%s %llu" : "%s", words[found->finding],
             (unsigned long long)found->seq);
    hex(replay->columns[2], name, sizeof name);
    assert_memory_equal(pair->sides[side].logs[found->mark].name, name, sizeof name);
    assert_string_equal(replay->columns[3], text);
    replay->findings++;
}

static bool replay_session(struct replay *replay) {
    struct pair pair = {.on_message = on_message, .context = replay};
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    assert_true(is_line(replay, "session"));
    hex(replay->columns[2], key, sizeof key);
    for (unsigned side = 0; side < 2; side++)
        pair_side_begin(&pair.sides[side], key, ITEMS_MAX);
    bool more = next_line(replay);
    for (; is_line(replay, "item"); more = next_line(replay))
        add_item(replay, &pair);
    pair_run(&pair);
    memset(replay->next, 0, sizeof replay->next);
    for (; !feof(replay->vectors.file) && is_line(replay, "finds"); more = next_line(replay))
        check_finding(replay, &pair);
    for (unsigned side = 0; side < 2; side++) {
        if (more)
            assert_int_equal(replay->next[side], pair.sides[side].findings_count);
        pair_side_end(&pair.sides[side]);
    }
    replay->sessions++;
    return more;
}

static void test_sessions(void **state) {
    struct replay replay = {0};
    (void)state;
    vector_open(&replay.vectors, "reconcile.txt");
    assert_true(next_line(&replay));
    while (replay_session(&replay))
        continue;
    vector_close(&replay.vectors);
    assert_int_equal(replay.sessions, 7);
    assert_true(replay.messages > 20 && replay.findings > 300);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sessions)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("reconcile_vectors", tests, NULL, NULL);
}
