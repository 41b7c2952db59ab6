/* Invites: what a text may be, what its maker answers, and that nothing else follows of it. */
#include "../../node/shell/invites_internal.h"
#include "host_bed.h"
#include <netinet/in.h>
#include <parley/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR_MS UINT64_C(3600000)

static char directory[64];
static uv_loop_t loop;
static struct parley_host *host;
static struct parley_finding *finding;
static struct parley_invites *invites;

/* Who is invited, or who accepts: a node on the same loop. */
static struct friend {
    char directory[64];
    struct parley_host *host;
    struct parley_finding *finding;
    struct parley_invites *invites;
}
friend;

static int open_one(char home[64], struct parley_host **opened) {
    char words[PARLEY_WORDS_TEXT_SIZE];
    struct parley_problem problem;
    struct parley_host_endpoint endpoint = {.host = "127.0.0.1"};
    struct parley_host_config config = {.home = home, .listeners = &endpoint, .listeners_count = 1};
    if (home[0] == '\0') {
        (void)strcpy(home, "/tmp/parley_invites_XXXXXX");
        if (mkdtemp(home) == NULL || parley_home_init(home, words, &problem) != PARLEY_E_OK)
            return -1;
    }
    return parley_host_open(opened, &config, &loop, &problem) == PARLEY_E_OK &&
                   parley_host_start(*opened, &problem) == PARLEY_E_OK
               ? 0
               : -1;
}

static int open_all(void **state) {
    if (parley_crypto_self_test() != PARLEY_E_OK || uv_loop_init(&loop) != 0 ||
        open_one(directory, &host) != 0 || open_one(friend.directory, &friend.host) != 0)
        return -1;
    finding = parley_finding_open(&(struct parley_finding_config){.host = host});
    invites = parley_invites_open(host, finding);
    friend.finding = parley_finding_open(&(struct parley_finding_config){.host = friend.host});
    friend.invites = parley_invites_open(friend.host, friend.finding);
    return 0;
}

static void run_until(bool *holds) {
    while (!*holds && uv_run(&loop, UV_RUN_ONCE) != 0)
        ;
}

static void close_one(struct parley_host *one, const char *home) {
    bool is_stopped = false;
    char command[128];
    parley_host_stop(one, host_bed_on_stopped, &is_stopped);
    run_until(&is_stopped);
    parley_host_free(one);
    if (home == NULL)
        return;
    (void)snprintf(command, sizeof command, "rm -rf %s", home);
    assert_int_equal(system(command), 0);
}

static int close_all(void **state) {
    parley_invites_close(friend.invites);
    parley_finding_close(friend.finding);
    close_one(friend.host, friend.directory);
    parley_invites_close(invites);
    parley_finding_close(finding);
    return host_bed_close(host, &loop, directory);
}

static void reopen_invites(void) {
    parley_invites_close(invites);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    invites = parley_invites_open(host, finding);
}

/* The whole of it, from the same home. */
static void restart(void) {
    parley_invites_close(invites);
    parley_finding_close(finding);
    close_one(host, NULL);
    assert_int_equal(open_one(directory, &host), 0);
    finding = parley_finding_open(&(struct parley_finding_config){.host = host});
    invites = parley_invites_open(host, finding);
}

static void path_of(char path[128], const char *name) {
    (void)snprintf(path, 128, "%s/%s", directory, name);
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
    reopen_invites();
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

/* ---- what is kept ------------------------------------------------------------------------- */

/* The disk fails while one is used: that one alone is open again, whatever expired meanwhile. */
static void only_what_could_not_be_written_is_open_again(void **state) {
    char path[128];
    struct parley_invite old = make(), open = make(), used = make();
    come(&used, 'p');
    find_made(&old)->expires = parley_host_wall(host) - 48 * HOUR_MS;
    path_of(path, "invites.new");
    assert_int_equal(mkdir(path, 0700), 0);
    come(&open, 'q');
    assert_int_equal(judge(&used, 'r'), PARLEY_INVITE_USED);
    assert_int_equal(judge(&open, 'r'), PARLEY_INVITE_WELCOME);
    assert_false(follows('q'));
    assert_int_equal(rmdir(path), 0);
    come(&open, 'q');
    assert_true(follows('q'));
    assert_int_equal(judge(&open, 'r'), PARLEY_INVITE_USED);
}

static void what_expired_makes_room(void **state) {
    size_t count = invites->made_count;
    struct parley_problem problem;
    struct parley_invite invite;
    for (; invites->made_count < INVITES_MADE_MAX; invites->made_count++) {
        invites->made[invites->made_count] =
            (struct invite_made){.expires = parley_host_wall(host) - 48 * HOUR_MS};
        memcpy(invites->made[invites->made_count].id, &invites->made_count, sizeof(size_t));
    }
    assert_int_equal(parley_invites_make(invites, &invite, false, 1, &problem), PARLEY_E_OK);
    assert_true(invites->made_count <= count + 1);
}

static void write_made(FILE *file, size_t count) {
    for (size_t i = 0; i < count; i++)
        (void)fprintf(file, "%s{\"id\":\"%032zx\",\"expires\":%llu,\"private\":false}",
                      i == 0 ? "" : ",", i + 1,
                      (unsigned long long)(parley_host_wall(host) + HOUR_MS));
}

static void write_taken(FILE *file, size_t count, struct parley_invite invite) {
    char text[INVITE_TEXT_SIZE];
    for (size_t i = 0; i < count; i++) {
        invite.secret[0] = (uint8_t)i;
        parley_invite_encode(text, &invite);
        (void)fprintf(file, "%s{\"invite\":\"%s\",\"private\":false}", i == 0 ? "" : ",", text);
    }
}

/* A file that is damaged, or was made by hand. */
static void a_file_with_too_many_is_put_aside(void **state) {
    static const struct {
        size_t made, taken;
        bool is_good;
    } rows[] = {
        {INVITES_MADE_MAX, 0, true},
        {INVITES_MADE_MAX + 1, 0, false},
        {0, INVITES_TAKEN_MAX + 1, false},
    };
    char path[128], aside[128], kept[128];
    struct parley_invite invite = make();
    path_of(path, "invites"), path_of(aside, "invites.damaged"), path_of(kept, "kept");
    assert_int_equal(rename(path, kept), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        (void)fprintf(file, "{\"version\":1,\"made\":[");
        write_made(file, rows[i].made);
        (void)fprintf(file, "],\"taken\":[");
        write_taken(file, rows[i].taken, invite);
        (void)fprintf(file, "]}");
        (void)fclose(file);
        reopen_invites();
        assert_int_equal(invites->made_count, rows[i].is_good ? rows[i].made : 0);
        assert_int_equal(invites->taken_count, 0);
        assert_int_equal(access(aside, F_OK) == 0, !rows[i].is_good);
        (void)unlink(aside);
    }
    assert_int_equal(rename(kept, path), 0);
    reopen_invites();
    assert_int_equal(judge(&invite, 'a'), PARLEY_INVITE_WELCOME);
}

/* The node was killed between the two, so who comes again is followed; whom the owner has
 * unfollowed since, is not. */
static void who_comes_again_is_followed_if_they_never_were(void **state) {
    struct parley_invite invite = make();
    struct invite_made *made = find_made(&invite);
    struct parley_problem problem;
    made->is_used = true;
    made->author = author_of('k');
    assert_int_equal(invites_save(invites, &problem), PARLEY_E_OK);
    reopen_invites();
    assert_false(follows('k'));
    come(&invite, 'k');
    while (!find_made(&invite)->is_followed)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_true(follows('k'));
    struct parley_event event = {.kind = PARLEY_EVENT_FOLLOW};
    event.follow.author = author_of('k');
    (void)parley_host_submit(host, &event, NULL, NULL);
    come(&invite, 'k');
    reopen_invites();
    come(&invite, 'k');
    assert_false(follows('k'));
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

/* ---- two nodes ---------------------------------------------------------------------------- */

struct outcome {
    bool is_there;
    enum parley_error error;
};

static void on_outcome(void *context, enum parley_error error, const char *words) {
    struct outcome *outcome = context;
    outcome->is_there = true;
    outcome->error = error;
}

static struct parley_invite make_other(void) {
    struct parley_problem problem;
    struct parley_invite invite;
    assert_int_equal(parley_invites_make(friend.invites, &invite, false, 1, &problem), PARLEY_E_OK);
    return invite;
}

static void begin(struct outcome *outcome, const struct parley_invite *invite) {
    struct parley_problem problem;
    *outcome = (struct outcome){false};
    assert_int_equal(parley_invites_accept(invites, invite, false, on_outcome, outcome, &problem),
                     PARLEY_E_OK);
}

static enum parley_error accept_it(const struct parley_invite *invite) {
    struct outcome outcome;
    begin(&outcome, invite);
    run_until(&outcome.is_there);
    assert_int_equal(invites->taken_count, 0);
    return outcome.error;
}

static bool is_followed(struct parley_host *by, struct parley_host *whom) {
    struct parley_node_author known;
    return parley_node_author_find(parley_host_node(by), &parley_host_home(whom)->author, &known) &&
           known.is_followed;
}

static bool has_nobody_to_dial(void) {
    struct parley_node_status status;
    parley_node_status(parley_host_node(host), &status);
    return status.has_nobody_to_dial;
}

static void part(void) {
    struct parley_event event = {.kind = PARLEY_EVENT_DISCONNECT};
    event.disconnect.key = parley_host_home(friend.host)->node;
    (void)parley_host_submit(host, &event, NULL, NULL);
    for (unsigned i = 0; i < 200; i++)
        (void)uv_run(&loop, UV_RUN_NOWAIT);
}

/* A port at which a connection is neither made nor refused: what waits there is one too many. */
static uint16_t hang(int sockets[3]) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    for (size_t i = 0; i < 3; i++)
        sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(sockets[0], (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(sockets[0], 0), 0);
    assert_int_equal(getsockname(sockets[0], (struct sockaddr *)&at, &size), 0);
    for (size_t i = 1; i < 3; i++)
        (void)connect(sockets[i], (struct sockaddr *)&at, size);
    return ntohs(at.sin_port);
}

/* Routers that do not let their own network in from outside swallow what goes to the first place.
 */
static void a_place_that_hangs_is_left_for_the_next(void **state) {
    struct parley_invite invite = make_other();
    int sockets[3];
    invite.places[1] = invite.places[0];
    invite.places[0].port = hang(sockets);
    invite.places_count = 2;
    uint64_t began = uv_now(&loop);
    assert_int_equal(accept_it(&invite), PARLEY_E_OK);
    assert_true(uv_now(&loop) - began < 8000);
    for (size_t i = 0; i < 3; i++)
        (void)close(sockets[i]);
    assert_true(is_followed(host, friend.host) && is_followed(friend.host, host));
    const struct parley_address *kept = parley_host_owners_address(host, &invite.node);
    assert_true(kept != NULL && kept->port == invite.places[1].port);
    part();
}

static unsigned lost_count;

static void lose_the_first(void *context, const struct parley_effect *effect) {
    if (lost_count++ > 0)
        invites_on_shown(friend.invites, effect);
}

static void what_was_lost_is_shown_again(void **state) {
    struct parley_invite invite = make_other();
    lost_count = 0;
    parley_host_listen_said(friend.host, lose_the_first, NULL);
    assert_int_equal(accept_it(&invite), PARLEY_E_OK);
    assert_int_equal(lost_count, 2);
    part();
}

static void what_came_to_nothing_is_dialled_no_more(void **state) {
    struct parley_invite invite = make_other();
    struct outcome outcome;
    int sockets[3];
    assert_true(has_nobody_to_dial());
    invite.secret[0] ^= 1;
    assert_int_equal(accept_it(&invite), PARLEY_E_NOT_FOUND);
    assert_true(has_nobody_to_dial());
    /* One that nobody answers, and whose end its maker put far away. */
    invite.places[0].port = hang(sockets);
    invite.expires = UINT32_MAX * UINT64_C(60000);
    begin(&outcome, &invite);
    assert_true(invites->taken[0].invite.expires < parley_host_wall(host) + 32 * 24 * HOUR_MS);
    for (unsigned i = 0; i < 20; i++)
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    assert_true(invites->taken[0].dials == 1 && !has_nobody_to_dial());
    invites->taken[0].invite.expires = 1;
    run_until(&outcome.is_there);
    assert_int_equal(outcome.error, PARLEY_E_NOT_FOUND);
    assert_true(invites->taken_count == 0 && has_nobody_to_dial());
    for (size_t i = 0; i < 3; i++)
        (void)close(sockets[i]);
}

static void what_cannot_be_written_is_not_begun(void **state) {
    struct parley_invite first = make_other(), second = make_other();
    struct parley_problem problem;
    struct outcome outcome;
    int sockets[3];
    char path[128];
    path_of(path, "invites.new");
    first.places[0].port = second.places[0].port = hang(sockets);
    begin(&outcome, &first);
    begin(&outcome, &second);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_not_equal(parley_invites_accept(invites, &first, true, on_done, NULL, &problem),
                         PARLEY_E_OK);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(invites->taken_count, 2);
    assert_memory_equal(invites->taken[0].invite.secret, first.secret, sizeof first.secret);
    assert_false(invites->taken[0].is_private);
    for (size_t i = 0; i < 2; i++) {
        outcome.is_there = false;
        invites->taken[0].invite.expires = 1;
        run_until(&outcome.is_there);
    }
    assert_int_equal(invites->taken_count, 0);
    for (size_t i = 0; i < 3; i++)
        (void)close(sockets[i]);
}

/* ---- where strangers lead ------------------------------------------------------------------ */

static struct parley_address place_of(uint8_t letter, const char *text) {
    struct parley_address place;
    assert_int_equal(parley_place_decode(&place, PARLEY_SPAN(text, strlen(text))).error,
                     PARLEY_E_OK);
    memset(place.key.bytes, letter, sizeof place.key.bytes);
    return place;
}

static bool is_kept_and_restricted(const struct parley_address *place) {
    const struct parley_address *kept = parley_host_owners_address(host, &place->key);
    return kept != NULL && strcmp(kept->host, place->host) == 0 &&
           parley_host_is_invited(host, place);
}

/* A place that is kept is still one that a stranger named, when it is dialled a year later. */
static void what_strangers_named_stays_restricted(void **state) {
    struct parley_address theirs = place_of('s', "192.0.2.7:7373");
    struct parley_address guests = place_of('g', "192.0.2.8:7373");
    struct parley_invite invite = make();
    struct parley_effect effect = {.kind = PARLEY_EFFECT_SAID};
    struct invite_taken *taken = &invites->taken[invites->taken_count++];
    *taken = (struct invite_taken){.invite = {.node = theirs.key, .author = author_of('s')}};
    taken->invite.expires = parley_host_wall(host) + HOUR_MS;
    taken->invite.places[taken->invite.places_count++] = theirs;
    effect.said.key = theirs.key;
    effect.said.said.is_answer = true;
    invites_on_answer(invites, &effect);
    while (invites->taken_count > 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_true(is_kept_and_restricted(&theirs));
    effect.said.said = (struct parley_said){.author = author_of('g'), .has_place = true};
    memcpy(effect.said.said.secret, invite.secret, sizeof invite.secret);
    effect.said.said.place = guests;
    invites_on_shown(invites, &effect);
    while (!follows('g'))
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_true(is_kept_and_restricted(&guests));
    for (unsigned i = 0; i < 200; i++)
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    restart();
    assert_true(is_kept_and_restricted(&theirs) && is_kept_and_restricted(&guests));
    /* The owner's word is another thing, and so is the end. */
    parley_host_forget_invited(host, &theirs);
    assert_false(parley_host_is_invited(host, &theirs));
    struct parley_event event = {.kind = PARLEY_EVENT_DISCONNECT};
    event.disconnect.key = guests.key;
    (void)parley_host_submit(host, &event, NULL, NULL);
    assert_false(parley_host_is_invited(host, &guests));
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
        cmocka_unit_test(only_what_could_not_be_written_is_open_again),
        cmocka_unit_test(what_expired_makes_room),
        cmocka_unit_test(a_file_with_too_many_is_put_aside),
        cmocka_unit_test(who_comes_again_is_followed_if_they_never_were),
        cmocka_unit_test(what_is_refused_is_not_begun),
        cmocka_unit_test(a_place_that_hangs_is_left_for_the_next),
        cmocka_unit_test(what_was_lost_is_shown_again),
        cmocka_unit_test(what_came_to_nothing_is_dialled_no_more),
        cmocka_unit_test(what_cannot_be_written_is_not_begun),
        cmocka_unit_test(what_strangers_named_stays_restricted),
        cmocka_unit_test(a_text_is_read_as_it_was_written),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("invites", tests, open_all, close_all) == 0 ? 0 : 1;
}
