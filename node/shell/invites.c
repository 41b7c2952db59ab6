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
    invites_forget_expired(invites);
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
    parley_time_ms until = parley_host_wall(invites->host) + days * INVITE_DAY_MS;
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

/* False: it could not be written down, and who came may come again. Nothing moves. */
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

static void answer(struct parley_invites *invites, parley_connection connection,
                   const uint8_t id[INVITE_ID_SIZE], enum parley_invite_verdict verdict) {
    struct parley_said said = {.is_answer = true, .verdict = verdict};
    memcpy(said.id, id, sizeof said.id);
    invites_say(invites, connection, &said);
}

/* Who is not followed yet is answered nothing, and may come again. */
static void on_followed(struct parley_invites *invites, const struct invite_following *following,
                        bool is_followed) {
    struct parley_problem problem = {0};
    struct invite_made *made = find_made(invites, following->id);
    if (!is_followed) {
        parley_log_line(PARLEY_LOG_ERROR, "who came with an invite cannot be followed now");
        return;
    }
    if (made != NULL) {
        made->is_followed = true;
        if (invites_save(invites, &problem) != PARLEY_E_OK)
            parley_log_line(PARLEY_LOG_ERROR, "%s", problem.text);
    }
    answer(invites, following->connection, following->id, PARLEY_INVITE_WELCOME);
}

static void follow(struct parley_invites *invites, const struct invite_made *made,
                   parley_connection connection) {
    struct invite_following following = {.on_end = on_followed,
                                         .author = made->author,
                                         .is_private = made->is_private,
                                         .connection = connection};
    memcpy(following.id, made->id, sizeof following.id);
    invites_follow(invites, &following);
}

/* What the owner named before stays. */
static void connect_to(struct parley_invites *invites, const struct parley_address *place) {
    struct parley_event event = {.kind = PARLEY_EVENT_CONNECT};
    event.connect.address = *place;
    (void)parley_host_submit(invites->host, &event, on_reply, NULL);
}

void invites_on_shown(struct parley_invites *invites, const struct parley_effect *effect) {
    const struct parley_said *said = &effect->said.said;
    uint8_t id[INVITE_ID_SIZE];
    parley_invite_id(id, said->secret);
    struct invite_made *made = find_made(invites, id);
    enum parley_invite_verdict verdict = invites_judge(invites, made, &said->author);
    if (verdict != PARLEY_INVITE_WELCOME || made->is_followed) {
        answer(invites, effect->said.connection, id, verdict);
        return;
    }
    if (!made->is_used) {
        bool is_new = said->has_place &&
                      parley_host_owners_address(invites->host, &said->place.key) == NULL &&
                      invites_meet(invites, &said->place);
        if (!use(invites, made, &said->author)) {
            if (is_new)
                invites_part(invites, &said->place);
            return;
        }
        parley_log_line(PARLEY_LOG_INFO, "an invite was used");
        if (is_new)
            connect_to(invites, &said->place);
    }
    follow(invites, made, effect->said.connection);
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
    invites_restrict_met(invites);
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
    for (struct invite_following *one = invites->following; one != NULL; one = one->next)
        one->invites = NULL;
    for (size_t i = 0; i < invites->taken_count; i++) {
        struct invite_taken *taken = &invites->taken[i];
        if (taken->done != NULL)
            taken->done(taken->context, PARLEY_E_RETRY, "the node stops: it goes on at its start");
        taken->done = NULL;
    }
    uv_close((uv_handle_t *)&invites->timer, on_closed);
}
