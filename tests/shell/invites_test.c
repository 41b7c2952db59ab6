/* Invites: what a text may be, what its maker answers, and that nothing else follows of it. */
#include "../../node/shell/invites_internal.h"
#include "host_bed.h"
#include <parley/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOUR_MS UINT64_C(3600000)

static char directory[64];
static uv_loop_t loop;
static struct parley_host *host;
static struct parley_finding *finding;
static struct parley_invites *invites;

static int open_all(void **state) {
    char words[PARLEY_WORDS_TEXT_SIZE];
    struct parley_problem problem;
    struct parley_host_endpoint endpoint = {.host = "127.0.0.1"};
    struct parley_host_config config = {
        .home = directory, .listeners = &endpoint, .listeners_count = 1};
    (void)strcpy(directory, "/tmp/parley_invites_XXXXXX");
    if (mkdtemp(directory) == NULL || parley_crypto_self_test() != PARLEY_E_OK)
        return -1;
    if (parley_home_init(directory, words, &problem) != PARLEY_E_OK || uv_loop_init(&loop) != 0 ||
        parley_host_open(&host, &config, &loop, &problem) != PARLEY_E_OK ||
        parley_host_start(host, &problem) != PARLEY_E_OK)
        return -1;
    struct parley_finding_config how = {.host = host};
    finding = parley_finding_open(&how);
    invites = parley_invites_open(host, finding);
    return 0;
}

static int close_all(void **state) {
    parley_invites_close(invites);
    parley_finding_close(finding);
    return host_bed_close(host, &loop, directory);
}

static struct parley_invite make(void) {
    struct parley_problem problem;
    struct parley_invite invite;
    assert_int_equal(parley_invites_make(invites, &invite, false, 1, &problem), PARLEY_E_OK);
    return invite;
}

static struct parley_author author_of(uint8_t letter) {
    struct parley_author author;
    memset(author.bytes, letter, sizeof author.bytes);
    return author;
}

static struct invite_made *find_made(const struct parley_invite *invite) {
    uint8_t id[INVITE_ID_SIZE];
    parley_invite_id(id, invite->secret);
    for (size_t i = 0; i < invites->made_count; i++)
        if (memcmp(invites->made[i].id, id, sizeof id) == 0)
            return &invites->made[i];
    return NULL;
}

static enum parley_invite_verdict judge(const struct parley_invite *invite, uint8_t letter) {
    struct parley_author author = author_of(letter);
    return invites_judge(invites, find_made(invite), &author);
}

/* Somebody comes with it over a link that has gone since: what is answered goes nowhere. */
static void come(const struct parley_invite *invite, uint8_t letter) {
    struct parley_effect effect = {.kind = PARLEY_EFFECT_SAID};
    memcpy(effect.said.said.secret, invite->secret, sizeof effect.said.said.secret);
    effect.said.said.author = author_of(letter);
    effect.said.connection = 4000;
    invites_on_shown(invites, &effect);
    for (unsigned i = 0; i < 200; i++)
        (void)uv_run(&loop, UV_RUN_NOWAIT);
}

static bool follows(uint8_t letter) {
    struct parley_author author = author_of(letter);
    struct parley_node_author known;
    return parley_node_author_find(parley_host_node(host), &author, &known) && known.is_followed;
}

static void an_invite_is_good_once(void **state) {
    struct parley_invite invite = make(), other = make();
    assert_int_equal(judge(&invite, 'x'), PARLEY_INVITE_WELCOME);
    assert_false(follows('x'));
    come(&invite, 'x');
    assert_true(follows('x'));
    assert_int_equal(judge(&invite, 'x'), PARLEY_INVITE_WELCOME); /* it stays theirs */
    assert_int_equal(judge(&invite, 'y'), PARLEY_INVITE_USED);
    come(&invite, 'y');
    assert_false(follows('y'));
    assert_int_equal(judge(&other, 'y'), PARLEY_INVITE_WELCOME);
}

static void what_was_used_stays_so_over_a_start(void **state) {
    struct parley_invite invite = make(), open = make();
    come(&invite, 'v');
    parley_invites_close(invites);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    invites = parley_invites_open(host, finding);
    assert_int_equal(judge(&invite, 'v'), PARLEY_INVITE_WELCOME);
    assert_int_equal(judge(&invite, 'w'), PARLEY_INVITE_USED);
    assert_int_equal(judge(&open, 'w'), PARLEY_INVITE_WELCOME);
}

static void an_invite_ends(void **state) {
    struct parley_invite invite = make();
    parley_time_ms wall = parley_host_wall(host);
    assert_true(invite.expires > wall + 23 * HOUR_MS && invite.expires <= wall + 24 * HOUR_MS);
    find_made(&invite)->expires = wall - 2 * HOUR_MS;
    assert_int_equal(judge(&invite, 'z'), PARLEY_INVITE_EXPIRED);
    come(&invite, 'z');
    assert_false(follows('z'));
}

static void what_nobody_made_is_nothing(void **state) {
    struct parley_invite invite = make();
    struct parley_author own = parley_host_home(host)->author;
    invite.secret[0] ^= 1;
    assert_int_equal(judge(&invite, 'n'), PARLEY_INVITE_UNKNOWN);
    come(&invite, 'n');
    assert_false(follows('n'));
    invite.secret[0] ^= 1;
    assert_int_equal(invites_judge(invites, find_made(&invite), &own), PARLEY_INVITE_UNKNOWN);
}

/* ---- accepting ---------------------------------------------------------------------------- */

static void on_done(void *context, enum parley_error error, const char *words) {
    fail();
}

static void what_is_refused_is_not_begun(void **state) {
    static const struct {
        const char *place, *words;
        int64_t lasts_ms;
    } rows[] = {
        {"9.9.9.9:7373", "expired", -1000},
        {"9.9.9.9:1023", "another network", 1000000},
        {"127.0.0.1:22", "another network", 1000000},
        {"0.0.0.0:7373", "another network", 1000000},
        {"10.255.255.9:7373", "another network", 1000000},
        {"localhost:7373", "another network", 1000000},
        {"tor/abc.onion:7373", "another network", 1000000},
    };
    struct parley_problem problem;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parley_invite invite = {.author = author_of('m'), .places_count = 1};
        memset(invite.node.bytes, 'm', sizeof invite.node.bytes);
        invite.expires = (parley_time_ms)((int64_t)parley_host_wall(host) + rows[i].lasts_ms);
        assert_int_equal(parley_place_decode(&invite.places[0],
                                             PARLEY_SPAN(rows[i].place, strlen(rows[i].place)))
                             .error,
                         PARLEY_E_OK);
        if (parley_invites_accept(invites, &invite, false, on_done, NULL, &problem) !=
                PARLEY_E_BAD_INPUT ||
            strstr(problem.text, rows[i].words) == NULL)
            fail_msg("%s: %s", rows[i].place, problem.text);
        assert_int_equal(invites->taken_count, 0);
    }
    struct parley_invite own = make();
    assert_int_equal(parley_invites_accept(invites, &own, false, on_done, NULL, &problem),
                     PARLEY_E_BAD_INPUT);
    assert_non_null(strstr(problem.text, "your own"));
}

/* ---- the text ----------------------------------------------------------------------------- */

static void a_text_is_read_as_it_was_written(void **state) {
    struct parley_invite invite = make(), again;
    char text[INVITE_TEXT_SIZE], broken[INVITE_TEXT_SIZE];
    parley_invite_encode(text, &invite);
    size_t size = strlen(text);
    assert_int_equal(parley_invite_decode(&again, PARLEY_SPAN(text, size)), PARLEY_E_OK);
    assert_true(PARLEY_EQUAL(again.author, invite.author) && PARLEY_EQUAL(again.node, invite.node));
    assert_memory_equal(again.secret, invite.secret, sizeof again.secret);
    assert_true(again.expires == invite.expires && again.places_count == invite.places_count);
    assert_string_equal(again.places[0].host, invite.places[0].host);
    assert_int_equal(again.places[0].port, invite.places[0].port);
    for (size_t i = 0; i < size; i++) {
        memcpy(broken, text, size);
        broken[i] = broken[i] == 'x' ? 'y' : 'x';
        assert_int_not_equal(parley_invite_decode(&again, PARLEY_SPAN(broken, size)), PARLEY_E_OK);
        assert_int_not_equal(parley_invite_decode(&again, PARLEY_SPAN(text, i)), PARLEY_E_OK);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invite_is_good_once),
        cmocka_unit_test(what_was_used_stays_so_over_a_start),
        cmocka_unit_test(an_invite_ends),
        cmocka_unit_test(what_nobody_made_is_nothing),
        cmocka_unit_test(what_is_refused_is_not_begun),
        cmocka_unit_test(a_text_is_read_as_it_was_written),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("invites", tests, open_all, close_all) == 0 ? 0 : 1;
}
