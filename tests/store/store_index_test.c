/* What entries say of other entries: found, in order, gone with their bodies, made anew alike; and
 * erasures: what they name goes when it is due, and stays out. The same over both engines. */
#include "../../node/store/kv.h"
#include "harness.h"
#include <parley/body.h>
#include <stdio.h>
#include <stdlib.h>

#define T0 UINT64_C(1600000000000)

/* ---- entries with bodies that say something */

struct writer {
    struct fixture_log *log;
    struct parley_secret_key secret;
};

static struct writer writer_of(unsigned number, size_t count) {
    struct writer writer = {.log = fixture_log_make(number, count, T0)};
    struct parley_seed seed = {{0}};
    struct parley_device_key device;
    parley_put_u32(seed.bytes, number + 1);
    parley_key_pair(&writer.secret, device.bytes, &seed);
    assert_true(PARLEY_EQUAL(device, writer.log->device));
    return writer;
}

static struct parley_ref ref_to(const struct fixture_log *log, parley_seq seq) {
    return (struct parley_ref){log->author, log->log, seq, log->entries[seq - 1].id};
}

/* Entry seq says that; all above are signed anew. */
static void say(struct writer *writer, parley_seq seq, const struct parley_body *body) {
    struct fixture_log *log = writer->log;
    uint8_t *bytes = log->bodies[seq - 1];
    assert_int_equal(parley_body_encode(&log->entries[seq - 1].body, bytes, FIXTURE_BODY_MAX, body),
                     PARLEY_E_OK);
    for (size_t i = seq - 1; i < log->count; i++) {
        if (i > 0)
            log->entries[i].header.prev = log->entries[i - 1].id;
        parley_entry_sign(&log->entries[i], &writer->secret);
    }
}

static void say_vote(struct writer *writer, parley_seq seq, struct parley_ref ref, int8_t value) {
    struct parley_body body = {.kind = PARLEY_BODY_VOTE};
    body.vote.ref = ref;
    body.vote.value = value;
    say(writer, seq, &body);
}

static void say_reply(struct writer *writer, parley_seq seq, struct parley_ref root,
                      struct parley_ref parent) {
    struct parley_body body = {.kind = PARLEY_BODY_POST};
    body.post.text = PARLEY_SPAN("so?", 3);
    body.post.has_root = body.post.has_parent = true;
    body.post.root = root;
    body.post.parent = parent;
    say(writer, seq, &body);
}

static void say_echo(struct writer *writer, parley_seq seq, struct parley_ref ref) {
    struct parley_body body = {.kind = PARLEY_BODY_ECHO};
    body.echo.ref = ref;
    say(writer, seq, &body);
}

static void say_profile(struct writer *writer, parley_seq seq, const char *name) {
    struct parley_body body = {.kind = PARLEY_BODY_PROFILE};
    body.profile.name = PARLEY_SPAN(name, strlen(name));
    say(writer, seq, &body);
}

static void say_erase(struct writer *writer, parley_seq seq, const struct parley_ref *refs,
                      size_t count) {
    struct parley_body body = {.kind = PARLEY_BODY_ERASE};
    body.erase.refs_count = count;
    memcpy(body.erase.refs, refs, count * sizeof *refs);
    say(writer, seq, &body);
}

/* ---- asking */

struct found {
    char text[512];
    size_t used;
    size_t limit;
    struct parley_timeline_place last;
};

static bool on_link(void *context, const struct parley_store_link *link) {
    struct found *found = context;
    found->used += (size_t)snprintf(found->text + found->used, sizeof found->text - found->used,
                                    "%s%u.%llu:%d", found->used == 0 ? "" : " ",
                                    fixture_author_number(&link->log.author),
                                    (unsigned long long)link->seq, link->vote);
    found->last = (struct parley_timeline_place){link->time, link->log.log, link->seq};
    return --found->limit > 0;
}

/* As "author.seq:vote ..." in the order given. */
static void assert_links(struct harness *harness, struct parley_ref ref, enum parley_link_kind kind,
                         const char *expected) {
    struct found found = {.limit = SIZE_MAX};
    assert_int_equal(
        parley_store_links(harness->store, &ref.log, ref.seq, kind, NULL, on_link, &found),
        PARLEY_E_OK);
    assert_string_equal(found.text, expected);
}

static void assert_profiles(struct harness *harness, const struct fixture_log *log,
                            const char *expected) {
    struct found found = {.limit = SIZE_MAX};
    assert_int_equal(parley_store_profiles(harness->store, &log->author, on_link, &found),
                     PARLEY_E_OK);
    assert_string_equal(found.text, expected);
}

static struct parley_store_body_state state_of(struct harness *harness, struct parley_ref ref) {
    struct parley_store_body_state state;
    assert_int_equal(parley_store_body_state(harness->store, &ref.log, ref.seq, &ref.id, &state),
                     PARLEY_E_OK);
    return state;
}

static parley_time_ms erase_ms(struct harness *harness, const struct fixture_log *log) {
    struct parley_store_log held;
    assert_int_equal(parley_store_log_get(harness->store, &log->log, &held), PARLEY_E_OK);
    return held.erase_ms;
}

static enum parley_error erase_until(struct harness *harness, const struct fixture_log *log,
                                     parley_seq seq_high, parley_time_ms until) {
    struct parley_store_op op = {
        .kind = PARLEY_STORE_ERASE, .log = log->log, .seq_high = seq_high, .received_ms = until};
    return harness_commit(harness, &op);
}

/* ---- links */

static void test_links(void **state) {
    struct harness *harness = *state;
    struct writer a = writer_of(8, 40), b = writer_of(16, 40), c = writer_of(24, 40);
    struct parley_ref post = ref_to(a.log, 3);
    say_reply(&a, 9, post, post);
    say_reply(&b, 5, post, ref_to(a.log, 9));
    say_echo(&b, 6, post);
    say_vote(&b, 7, post, 1);
    say_vote(&b, 8, post, -1);
    say_vote(&c, 2, post, 1);
    say_profile(&c, 3, "See");
    say_profile(&c, 30, "Sea");
    /* The rows do not need the entry that is meant. */
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, c.log, 1, 40, true, T0 + 9000000),
                     PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, b.log, 1, 7, true, T0 + 9000000),
                     PARLEY_E_OK);
    for (parley_seq seq = 8; seq <= 40; seq++)
        assert_int_equal(
            harness_run(harness, PARLEY_STORE_APPEND, b.log, seq, seq, true, T0 + 9000000),
            PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, a.log, 1, 40, true, T0 + 9000000),
                     PARLEY_E_OK);
    for (int round = 0; round < 2; round++) {
        assert_links(harness, post, PARLEY_LINK_REPLY, "2.5:0 1.9:0");
        assert_links(harness, post, PARLEY_LINK_ECHO, "2.6:0");
        /* Each voter's newest stands last of theirs. */
        assert_links(harness, post, PARLEY_LINK_VOTE, "3.2:1 2.7:1 2.8:-1");
        assert_links(harness, ref_to(a.log, 9), PARLEY_LINK_REPLY, "");
        assert_profiles(harness, c.log, "3.30:0 3.3:0");
        assert_profiles(harness, a.log, "");
        assert_int_equal(parley_store_rebuild(harness->store), PARLEY_E_OK);
    }
    struct found first = {.limit = 1}, second = {.limit = 1};
    assert_int_equal(
        parley_store_links(harness->store, &post.log, 3, PARLEY_LINK_REPLY, NULL, on_link, &first),
        PARLEY_E_OK);
    assert_int_equal(parley_store_links(harness->store, &post.log, 3, PARLEY_LINK_REPLY,
                                        &first.last, on_link, &second),
                     PARLEY_E_OK);
    assert_string_equal(second.text, "1.9:0");
    free(a.log);
    free(b.log);
    free(c.log);
}

static void test_links_go(void **state) {
    struct harness *harness = *state;
    struct writer a = writer_of(8, 20);
    struct parley_ref post = ref_to(a.log, 1);
    for (parley_seq seq = 2; seq <= 20; seq++)
        say_vote(&a, seq, post, seq % 2 == 0 ? 1 : -1);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, a.log, 1, 6, true, T0 + 9000000),
                     PARLEY_E_OK);
    assert_links(harness, post, PARLEY_LINK_VOTE, "1.2:1 1.3:-1 1.4:1 1.5:-1 1.6:1");
    struct parley_store_op drop = {
        .kind = PARLEY_STORE_DROP_BODIES, .log = a.log->log, .seq_low = 3, .seq_high = 4};
    assert_int_equal(harness_commit(harness, &drop), PARLEY_E_OK);
    assert_links(harness, post, PARLEY_LINK_VOTE, "1.2:1 1.5:-1 1.6:1");
    struct parley_store_op cut = {
        .kind = PARLEY_STORE_CUT, .log = a.log->log, .seq_high = 5, .top_signed = true};
    assert_int_equal(harness_commit(harness, &cut), PARLEY_E_OK);
    assert_links(harness, post, PARLEY_LINK_VOTE, "1.2:1 1.5:-1");
    struct parley_store_op prune = {.kind = PARLEY_STORE_PRUNE, .log = a.log->log, .seq_low = 3};
    assert_int_equal(harness_commit(harness, &prune), PARLEY_E_OK);
    assert_links(harness, post, PARLEY_LINK_VOTE, "1.5:-1");
    free(a.log);
}

/* ---- erasures */

static void test_erase(void **state) {
    struct harness *harness = *state;
    struct writer a = writer_of(8, 20), b = writer_of(9, 20);
    struct parley_ref wrong = ref_to(a.log, 5);
    wrong.id.bytes[0] ^= 1;
    struct parley_ref refs[] = {ref_to(a.log, 3), wrong, ref_to(b.log, 2)};
    say_erase(&a, 10, refs, 3);
    struct parley_ref second[] = {ref_to(a.log, 4), ref_to(a.log, 10)};
    say_erase(&a, 12, second, 2);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, b.log, 1, 20, true, T0),
                     PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, a.log, 1, 10, true, T0 + 100),
                     PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, a.log, 11, 20, true, T0 + 200),
                     PARLEY_E_OK);
    /* Hidden at once, and the bytes are there. */
    assert_int_equal(state_of(harness, ref_to(a.log, 3)).erased_by, 10);
    assert_int_equal(state_of(harness, ref_to(a.log, 4)).erased_by, 12);
    assert_int_equal(state_of(harness, ref_to(a.log, 5)).erased_by, 0);
    assert_int_equal(state_of(harness, ref_to(b.log, 2)).erased_by, 0);
    assert_false(state_of(harness, ref_to(a.log, 3)).is_forgotten);
    harness_assert_entries(harness, a.log, 1, 20, NULL);
    assert_int_equal(erase_ms(harness, a.log), T0 + 100);
    assert_int_equal(erase_ms(harness, b.log), 0);

    assert_int_equal(erase_until(harness, a.log, PARLEY_SEQ_MAX, T0 + 99), PARLEY_E_EXISTS);
    harness_assert_entries(harness, a.log, 1, 20, NULL);
    assert_int_equal(erase_until(harness, a.log, 9, T0 + 100), PARLEY_E_EXISTS); /* not good */
    harness_assert_entries(harness, a.log, 1, 20, NULL);
    assert_int_equal(erase_until(harness, a.log, PARLEY_SEQ_MAX, T0 + 100), PARLEY_E_EXISTS);
    static const parley_seq first[] = {3, 0};
    harness_assert_entries(harness, a.log, 1, 20, first);
    harness_assert_entries(harness, b.log, 1, 20, NULL); /* another log of the same person */
    assert_int_equal(erase_ms(harness, a.log), T0 + 200);
    harness_reopen(harness);
    assert_int_equal(erase_until(harness, a.log, PARLEY_SEQ_MAX, T0 + 200), PARLEY_E_OK);
    static const parley_seq both[] = {3, 4, 0}; /* an erasure is not erased: 10 has its body */
    harness_assert_entries(harness, a.log, 1, 20, both);
    assert_int_equal(erase_ms(harness, a.log), 0);
    assert_true(state_of(harness, ref_to(a.log, 3)).is_forgotten);
    assert_int_equal(state_of(harness, ref_to(a.log, 3)).erased_by, 10);
    free(a.log);
    free(b.log);
}

/* What names nothing of its own log waits for nothing. */
static void test_erase_of_others(void **state) {
    struct harness *harness = *state;
    struct writer a = writer_of(8, 20), b = writer_of(9, 20);
    struct parley_ref refs[] = {ref_to(b.log, 2)};
    say_erase(&a, 10, refs, 1);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, b.log, 1, 20, true, T0),
                     PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, a.log, 1, 20, true, T0),
                     PARLEY_E_OK);
    assert_int_equal(erase_ms(harness, a.log), 0);
    assert_int_equal(erase_until(harness, a.log, PARLEY_SEQ_MAX, T0 + 1), PARLEY_E_OK);
    harness_assert_entries(harness, a.log, 1, 20, NULL);
    harness_assert_entries(harness, b.log, 1, 20, NULL);
    free(a.log);
    free(b.log);
}

static void test_erased_stays_out(void **state) {
    struct harness *harness = *state;
    struct writer a = writer_of(8, 20);
    struct parley_ref refs[] = {ref_to(a.log, 3)};
    say_erase(&a, 10, refs, 1);
    /* The newest first: what is erased comes after its erasure, late. */
    assert_int_equal(harness_run(harness, PARLEY_STORE_TOP, a.log, 8, 20, true, T0), PARLEY_E_OK);
    assert_int_equal(erase_until(harness, a.log, PARLEY_SEQ_MAX, T0), PARLEY_E_OK);
    assert_int_equal(harness_run(harness, PARLEY_STORE_FILL, a.log, 1, 7, true, T0 + 500),
                     PARLEY_E_OK);
    static const parley_seq without[] = {3, 0};
    harness_assert_entries(harness, a.log, 1, 20, without);
    assert_int_equal(state_of(harness, refs[0]).erased_by, 10);
    free(a.log);
}

/* The owner takes a purge back: what the author erased stays out all the same. */
static void test_recalled(void **state) {
    struct harness *harness = *state;
    struct writer a = writer_of(8, 20);
    struct parley_ref refs[] = {ref_to(a.log, 3)};
    struct parley_store_log held;
    say_erase(&a, 10, refs, 1);
    struct parley_store_op recall = {
        .kind = PARLEY_STORE_RECALL, .log = a.log->log, .seq_low = 1, .seq_high = 20};
    assert_int_equal(harness_commit(harness, &recall), PARLEY_E_NOT_FOUND);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, a.log, 1, 20, true, T0),
                     PARLEY_E_OK);
    assert_int_equal(harness_commit(harness, &recall), PARLEY_E_EXISTS);
    struct parley_store_op purge = {.kind = PARLEY_STORE_DROP_BODIES,
                                    .log = a.log->log,
                                    .seq_low = 2,
                                    .seq_high = 6,
                                    .forget = true};
    assert_int_equal(harness_commit(harness, &purge), PARLEY_E_OK);
    recall.seq_high = 4;
    assert_int_equal(harness_commit(harness, &recall), PARLEY_E_OK);
    assert_int_equal(parley_store_log_get(harness->store, &a.log->log, &held), PARLEY_E_OK);
    assert_int_equal(held.lacks_low, 2);
    assert_int_equal(held.lacks_high, 4);
    static const bool forgotten[] = {false, false, false, true, false, true, true, false};
    for (parley_seq seq = 1; seq <= 7; seq++)
        assert_int_equal(state_of(harness, ref_to(a.log, seq)).is_forgotten, forgotten[seq]);
    harness_records(harness, a.log);
    harness_assert_sound(harness);
    free(a.log);
}

static void test_cut_undoes(void **state) {
    struct harness *harness = *state;
    struct writer a = writer_of(8, 20);
    struct parley_ref refs[] = {ref_to(a.log, 3)};
    say_erase(&a, 10, refs, 1);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, a.log, 1, 20, true, T0),
                     PARLEY_E_OK);
    assert_int_equal(state_of(harness, refs[0]).erased_by, 10);
    struct parley_store_op cut = {
        .kind = PARLEY_STORE_CUT, .log = a.log->log, .seq_high = 9, .top_signed = true};
    assert_int_equal(harness_commit(harness, &cut), PARLEY_E_OK);
    assert_int_equal(state_of(harness, refs[0]).erased_by, 0);
    assert_int_equal(erase_until(harness, a.log, PARLEY_SEQ_MAX, T0 + 1000), PARLEY_E_OK);
    harness_assert_entries(harness, a.log, 1, 9, NULL);
    free(a.log);
}

static void test_rebuilt_waits(void **state) {
    struct harness *harness = *state;
    struct writer a = writer_of(8, 20);
    struct parley_ref refs[] = {ref_to(a.log, 3)};
    say_erase(&a, 10, refs, 1);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, a.log, 1, 20, true, T0 + 100),
                     PARLEY_E_OK);
    assert_int_equal(parley_store_rebuild(harness->store), PARLEY_E_OK);
    assert_int_equal(erase_ms(harness, a.log), T0 + 100);
    assert_int_equal(state_of(harness, refs[0]).erased_by, 10);
    assert_int_equal(erase_until(harness, a.log, PARLEY_SEQ_MAX, T0 + 100), PARLEY_E_OK);
    /* Made anew after it was done: it waits once more, and finds nothing to do. */
    assert_int_equal(parley_store_rebuild(harness->store), PARLEY_E_OK);
    assert_int_equal(erase_until(harness, a.log, PARLEY_SEQ_MAX, T0 + 100), PARLEY_E_OK);
    static const parley_seq without[] = {3, 0};
    harness_assert_entries(harness, a.log, 1, 20, without);
    assert_int_equal(erase_ms(harness, a.log), 0);
    free(a.log);
}

/* ---- a store of the layout before */

static bool on_first(void *context, struct parley_span key, struct parley_span value) {
    struct parley_span *first = context;
    (void)value;
    memcpy((uint8_t *)first->data, key.data, key.size);
    first->size = key.size;
    return false;
}

static void test_older_layout(void **state) {
    struct harness *harness = *state;
    struct writer a = writer_of(8, 20);
    struct parley_ref post = ref_to(a.log, 1);
    uint8_t row[256], version[8];
    size_t size = 0;
    struct parley_span first = {row, 0};
    struct parley_kv *kv = harness->engine.kv;
    say_echo(&a, 5, post);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, a.log, 1, 20, true, T0),
                     PARLEY_E_OK);
    struct parley_kv_bounds links = {PARLEY_SPAN("b", 1), PARLEY_SPAN("c", 1), false};
    assert_int_equal(kv->calls->scan(kv, NULL, &links, on_first, &first), PARLEY_E_OK);
    assert_true(first.size > 0);
    assert_int_equal(kv->calls->get(kv, NULL, PARLEY_SPAN("V", 1), version, sizeof version, &size),
                     PARLEY_E_OK);
    parley_put_u32(version, 1);
    struct parley_kv_change older[] = {
        {first, PARLEY_NO_SPAN, true},
        {PARLEY_SPAN("V", 1), PARLEY_SPAN(version, sizeof version), false},
    };
    assert_int_equal(kv->calls->write(kv, older, 2), PARLEY_E_OK);
    assert_links(harness, post, PARLEY_LINK_ECHO, "");
    harness_reopen(harness);
    assert_links(harness, post, PARLEY_LINK_ECHO, "1.5:0");
    harness_assert_entries(harness, a.log, 1, 20, NULL);
    free(a.log);
}

/* ---- checked */

static void drop_first(struct harness *harness, const char *letter) {
    uint8_t row[256];
    struct parley_span first = {row, 0};
    struct parley_kv *kv = harness->engine.kv;
    const char after[] = {(char)(letter[0] + 1)};
    struct parley_kv_bounds rows = {PARLEY_SPAN(letter, 1), PARLEY_SPAN(after, 1), false};
    assert_int_equal(kv->calls->scan(kv, NULL, &rows, on_first, &first), PARLEY_E_OK);
    assert_true(first.size > 0);
    struct parley_kv_change change = {first, PARLEY_NO_SPAN, true};
    assert_int_equal(kv->calls->write(kv, &change, 1), PARLEY_E_OK);
}

static void test_checked(void **state) {
    struct harness *harness = *state;
    struct writer a = writer_of(8, 20);
    struct parley_ref refs[] = {ref_to(a.log, 1), ref_to(a.log, 3)};
    char text[HARNESS_OBJECTIONS_SIZE];
    harness_records(harness, a.log);
    say_echo(&a, 5, refs[0]);
    say_profile(&a, 6, "Ada");
    say_erase(&a, 10, refs, 2);
    assert_int_equal(harness_run(harness, PARLEY_STORE_APPEND, a.log, 1, 20, true, T0 + 100),
                     PARLEY_E_OK);
    harness_assert_sound(harness);
    for (const char *letter = "bph"; *letter != '\0'; letter++) {
        drop_first(harness, letter);
        harness_check(harness, text);
        assert_string_equal(text, "INDEX b 1-20\n");
        assert_int_equal(parley_store_rebuild(harness->store), PARLEY_E_OK);
        harness_assert_sound(harness);
    }
    /* Rows that no entry makes: copies of those that are there, under another seq. */
    struct parley_kv *kv = harness->engine.kv;
    for (const char *letter = "bphd"; *letter != '\0'; letter++) {
        uint8_t row[256];
        struct parley_span first = {row, 0};
        const char after[] = {(char)(letter[0] + 1)};
        struct parley_kv_bounds rows = {PARLEY_SPAN(letter, 1), PARLEY_SPAN(after, 1), false};
        assert_int_equal(kv->calls->scan(kv, NULL, &rows, on_first, &first), PARLEY_E_OK);
        row[first.size - 1] = 17;
        struct parley_kv_change change = {first, PARLEY_NO_SPAN, false};
        assert_int_equal(kv->calls->write(kv, &change, 1), PARLEY_E_OK);
        harness_check(harness, text);
        const char expected[] = {'I', 'N', 'D', 'E', 'X',  ' ', *letter,
                                 ' ', '0', '-', '0', '\n', 0};
        assert_string_equal(text, expected);
        assert_int_equal(parley_store_rebuild(harness->store), PARLEY_E_OK);
        harness_assert_sound(harness);
    }
    free(a.log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_checked),    ON_BOTH(test_links),           ON_BOTH(test_links_go),
        ON_BOTH(test_erase),      ON_BOTH(test_erase_of_others), ON_BOTH(test_erased_stays_out),
        ON_BOTH(test_cut_undoes), ON_BOTH(test_rebuilt_waits),   ON_BOTH(test_older_layout),
        ON_BOTH(test_recalled),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("store_index", tests, NULL, NULL) == 0 ? 0 : 1;
}
