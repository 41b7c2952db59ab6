/* Invites of one's own: made, shown by somebody, used once. */
#include "invites.h"
#include "invites_internal.h"
#include "log.h"
#include "memory.h"
#include <parley/crypto.h>
#include <parley/node_limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS    (UINT64_C(24) * 3600 * 1000)
#define MINUTE_MS 60000u
/* Who shows one an hour after its end has a clock that is wrong, or took long to reach us. */
#define GRACE_MS (UINT64_C(3600) * 1000)

static void on_reply(void *context, const struct parley_effect *reply) {
}

/* --- making ----------------------------------------------------------------------------------- */

static bool is_loopback_only(const struct parley_address *listener) {
    return strcmp(listener->host, "127.0.0.1") == 0 || strcmp(listener->host, "::1") == 0;
}

/* Two nodes on one machine meet, too: to try things with oneself. */
static size_t loopback_places(const struct parley_invites *invites, struct parley_address *places) {
    const char *text;
    size_t count = 0;
    for (size_t i = 0; (text = parley_host_listener_text(invites->host, i)) != NULL; i++)
        if (count < INVITE_PLACES_MAX &&
            parley_address_decode(&places[count], PARLEY_SPAN(text, strlen(text))).error ==
                PARLEY_E_OK &&
            is_loopback_only(&places[count]))
            count++;
    return count;
}

static size_t find_places(struct parley_invites *invites, struct parley_address *places) {
    struct parley_address all[PARLEY_PLACES_MAX];
    size_t count = 0, all_count = parley_finding_places(invites->finding, all, PARLEY_PLACES_MAX);
    for (size_t i = 0; i < all_count && count < INVITE_PLACES_MAX; i++)
        if (all[i].port >= PARLEY_LEARNED_PORT_MIN) /* nobody is to be led below, SPEC 9.11.4 */
            places[count++] = all[i];
    return count > 0 ? count : loopback_places(invites, places);
}

static enum parley_error add_made(struct parley_invites *invites,
                                  const struct parley_invite *invite, bool is_private,
                                  struct parley_problem *problem) {
    struct invite_made *made = &invites->made[invites->made_count];
    if (invites->made_count == INVITES_MADE_MAX)
        return parley_problem_set(problem, PARLEY_E_FULL,
                                  "%u invites are out already: they must expire first",
                                  INVITES_MADE_MAX);
    *made = (struct invite_made){.expires = invite->expires, .is_private = is_private};
    parley_invite_id(made->id, invite->secret);
    invites->made_count++;
    enum parley_error error = invites_save(invites, problem);
    if (error != PARLEY_E_OK)
        invites->made_count--;
    return error;
}

enum parley_error parley_invites_make(struct parley_invites *invites, struct parley_invite *invite,
                                      bool is_private, unsigned days,
                                      struct parley_problem *problem) {
    const struct parley_home *home = parley_host_home(invites->host);
    memset(invite, 0, sizeof *invite);
    if (!home->has_author)
        return parley_problem_set(problem, PARLEY_E_NO_IDENTITY,
                                  "this node is nobody's: there is nobody to follow");
    invite->places_count = find_places(invites, invite->places);
    if (invite->places_count == 0)
        return parley_problem_set(problem, PARLEY_E_NOT_FOUND,
                                  "nobody can reach this node: nothing is listened at; start it "
                                  "with --listen :7373, and --nat yes behind a router");
    invite->node = home->node;
    invite->author = home->author;
    randombytes_buf(invite->secret, sizeof invite->secret);
    parley_time_ms until = parley_host_wall(invites->host) + days * DAY_MS;
    invite->expires = until - until % MINUTE_MS;
    return add_made(invites, invite, is_private, problem);
}

/* --- somebody came with one --------------------------------------------------------------------
 */

void invites_say(struct parley_invites *invites, parley_connection connection,
                 const struct parley_said *said) {
    struct parley_event event = {.kind = PARLEY_EVENT_SAY};
    event.say.connection = connection;
    event.say.said = said;
    (void)parley_host_submit(invites->host, &event, on_reply, NULL);
}

static struct invite_made *find_made(struct parley_invites *invites,
                                     const uint8_t id[INVITE_ID_SIZE]) {
    for (size_t i = 0; i < invites->made_count; i++)
        if (sodium_memcmp(invites->made[i].id, id, INVITE_ID_SIZE) == 0)
            return &invites->made[i];
    return NULL;
}

static bool is_welcome(const struct parley_invites *invites, const struct parley_author *author) {
    const struct parley_home *home = parley_host_home(invites->host);
    struct parley_node_author known;
    if (home->has_author && PARLEY_EQUAL(home->author, *author))
        return false;
    return !parley_node_author_find(parley_host_node(invites->host), author, &known) ||
           !known.is_blocked;
}

enum parley_invite_verdict invites_judge(const struct parley_invites *invites,
                                         const struct invite_made *made,
                                         const struct parley_author *author) {
    if (made == NULL || !is_welcome(invites, author))
        return PARLEY_INVITE_UNKNOWN;
    if (made->is_used)
        return PARLEY_EQUAL(made->author, *author) ? PARLEY_INVITE_WELCOME : PARLEY_INVITE_USED;
    return parley_host_wall(invites->host) > made->expires + GRACE_MS ? PARLEY_INVITE_EXPIRED
                                                                      : PARLEY_INVITE_WELCOME;
}

/* False: it could not be written down, and who came may come again. */
static bool use(struct parley_invites *invites, struct invite_made *made,
                const struct parley_author *author) {
    struct parley_problem problem = {0};
    made->is_used = true;
    made->author = *author;
    if (invites_save(invites, &problem) == PARLEY_E_OK)
        return true;
    made->is_used = false;
    parley_log_line(PARLEY_LOG_ERROR, "an invite cannot be used now: %s", problem.text);
    return false;
}

static void welcome(struct parley_invites *invites, const struct invite_made *made,
                    const struct parley_said *said) {
    struct parley_event follow = {.kind = PARLEY_EVENT_FOLLOW};
    struct parley_event connect = {.kind = PARLEY_EVENT_CONNECT};
    follow.follow.author = said->author;
    follow.follow.on = true;
    follow.follow.is_private = made->is_private;
    parley_host_submit_patiently(invites->host, &follow, on_reply, NULL);
    if (!said->has_place || parley_host_owners_address(invites->host, &said->place.key) != NULL)
        return;
    connect.connect.address = said->place;
    (void)parley_host_submit(invites->host, &connect, on_reply, NULL);
}

void invites_on_shown(struct parley_invites *invites, const struct parley_effect *effect) {
    const struct parley_said *said = &effect->said.said;
    struct parley_said answer = {.is_answer = true};
    parley_invite_id(answer.id, said->secret);
    struct invite_made *made = find_made(invites, answer.id);
    enum parley_invite_verdict verdict = invites_judge(invites, made, &said->author);
    if (verdict == PARLEY_INVITE_WELCOME && !made->is_used) {
        uint8_t id[INVITE_ID_SIZE];
        memcpy(id, made->id, sizeof id);
        if (!use(invites, made, &said->author))
            return;
        made = find_made(invites, id); /* saving may have moved it */
        parley_log_line(PARLEY_LOG_INFO, "an invite was used");
        if (made != NULL)
            welcome(invites, made, said);
    }
    answer.verdict = verdict;
    invites_say(invites, effect->said.connection, &answer);
}

static void on_said(void *context, const struct parley_effect *effect) {
    struct parley_invites *invites = context;
    if (effect->said.said.is_answer)
        invites_on_answer(invites, effect);
    else
        invites_on_shown(invites, effect);
}

/* --- beginning and end ------------------------------------------------------------------------ */

struct parley_invites *parley_invites_open(struct parley_host *host,
                                           struct parley_finding *finding) {
    struct parley_invites *invites = parley_memory(sizeof *invites);
    invites->host = host;
    invites->finding = finding;
    (void)uv_timer_init(parley_host_loop(host), &invites->timer);
    invites->timer.data = invites;
    invites_load(invites);
    invites_watch(invites);
    parley_host_listen_said(host, on_said, invites);
    return invites;
}

static void on_closed(uv_handle_t *handle) {
    struct parley_invites *invites = handle->data;
    parley_wipe(invites, sizeof *invites);
    free(invites);
}

void parley_invites_close(struct parley_invites *invites) {
    if (invites == NULL)
        return;
    parley_host_listen_said(invites->host, NULL, NULL);
    for (size_t i = 0; i < invites->taken_count; i++) {
        struct invite_taken *taken = &invites->taken[i];
        if (taken->done != NULL)
            taken->done(taken->context, PARLEY_E_RETRY, "the node stops: it goes on at its start");
        taken->done = NULL;
    }
    uv_close((uv_handle_t *)&invites->timer, on_closed);
}
