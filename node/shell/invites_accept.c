/* Invites of others: dialled, shown, answered. */
#include "interfaces.h"
#include "invites_internal.h"
#include "log.h"
#include <parley/crypto.h>
#include <parley/node_limits.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 200u
/* A place that answers does so within this; then comes the next one. After some rounds nobody is
 * there today: the node's own pauses do. */
#define PLACE_MS      4000u
#define DIALS_QUICK   (3u * INVITE_PLACES_MAX)
#define PLACE_REST_MS 120000u
/* What was given once may not have left, or its answer not: both are 80 bytes. */
#define SHOWN_AGAIN_MS 5000u

static void on_reply(void *context, const struct parley_effect *reply) {
}

/* --- whether and where ------------------------------------------------------------------------ */

static bool is_shared(const struct parley_ip *ip) {
    struct parley_interface interfaces[PARLEY_INTERFACES_MAX];
    return parley_ip_is_near(ip, interfaces, parley_interfaces_find(interfaces));
}

static bool is_own_loopback(const struct parley_address *address) {
    return strcmp(address->host, "127.0.0.1") == 0 || strcmp(address->host, "::1") == 0;
}

/* Whether a stranger's text may have this node dial there: SPEC 9.11.4, and where an invite names
 * this machine alone, that. */
static bool may_dial(const struct parley_address *address, bool is_of_this_machine) {
    struct parley_network_place place;
    if (address->port < PARLEY_LEARNED_PORT_MIN || strcmp(address->transport, "tcp") != 0)
        return false;
    if (is_own_loopback(address))
        return is_of_this_machine;
    parley_network_of_place(&place, address);
    switch (place.network) {
    case PARLEY_NETWORK_CLEAR:
        return true;
    case PARLEY_NETWORK_LAN:
        return is_shared(&place.ip);
    case PARLEY_NETWORK_NONE:
    case PARLEY_NETWORK_OTHER:
        return false;
    }
    return false;
}

static bool is_of_this_machine(const struct parley_invite *invite) {
    bool is_here = true;
    for (size_t i = 0; i < invite->places_count; i++)
        is_here &= is_own_loopback(&invite->places[i]);
    return is_here;
}

/* Leaves the places that may be dialled. */
static void sift_places(struct parley_invite *invite) {
    bool is_here = is_of_this_machine(invite);
    size_t count = 0;
    for (size_t i = 0; i < invite->places_count; i++)
        if (may_dial(&invite->places[i], is_here))
            invite->places[count++] = invite->places[i];
    invite->places_count = count;
}

static enum parley_error judge(struct parley_invites *invites, struct parley_invite *invite,
                               struct parley_problem *problem) {
    const struct parley_home *home = parley_host_home(invites->host);
    if (!home->has_author)
        return parley_problem_set(problem, PARLEY_E_NO_IDENTITY, "this node is nobody's");
    if (PARLEY_EQUAL(invite->author, home->author) || PARLEY_EQUAL(invite->node, home->node))
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT,
                                  "this is your own invite: give it to somebody else");
    if (parley_host_wall(invites->host) > invite->expires)
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT,
                                  "this invite has expired: ask for another");
    /* No node makes one that is good for longer, and what its maker wrote is not to stay for years.
     */
    parley_time_ms latest = parley_host_wall(invites->host) + (INVITE_DAYS_MAX + 1) * INVITE_DAY_MS;
    if (invite->expires > latest)
        invite->expires = latest;
    sift_places(invite);
    if (invite->places_count == 0)
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT,
                                  "this invite is for another network: no address in it is reached "
                                  "from here");
    return PARLEY_E_OK;
}

/* --- one that is taken ------------------------------------------------------------------------ */

void invites_watch(struct parley_invites *invites) {
    if (invites->taken_count > 0 && !uv_is_active((uv_handle_t *)&invites->timer))
        (void)uv_timer_start(&invites->timer, invites_on_tick, 0, TICK_MS);
    else if (invites->taken_count == 0)
        (void)uv_timer_stop(&invites->timer);
}

static void let_go(struct parley_invites *invites, struct invite_taken *taken) {
    struct parley_problem problem = {0};
    *taken = invites->taken[--invites->taken_count];
    parley_wipe(&invites->taken[invites->taken_count], sizeof *taken);
    if (invites_save(invites, &problem) != PARLEY_E_OK)
        parley_log_line(PARLEY_LOG_ERROR, "%s", problem.text);
    invites_watch(invites);
}

static void answer(struct invite_taken *taken, enum parley_error error, const char *words) {
    parley_invites_done *done = taken->done;
    taken->done = NULL;
    if (done != NULL)
        done(taken->context, error, words);
}

static void submit_connect(struct parley_invites *invites, const struct parley_address *place,
                           bool is_passing) {
    struct parley_event event = {.kind = PARLEY_EVENT_CONNECT};
    event.connect.address = *place;
    event.connect.is_passing = is_passing;
    (void)parley_host_submit(invites->host, &event, on_reply, NULL);
}

static void submit_disconnect(struct parley_invites *invites, const struct parley_node_key *key) {
    struct parley_event event = {.kind = PARLEY_EVENT_DISCONNECT};
    event.disconnect.key = *key;
    (void)parley_host_submit(invites->host, &event, on_reply, NULL);
}

/* What was dialled for it alone is dialled no more. */
static void forget_places(struct parley_invites *invites, const struct invite_taken *taken) {
    const struct parley_address *owners =
        parley_host_owners_address(invites->host, &taken->invite.node);
    for (size_t i = 0; i < taken->invite.places_count; i++)
        if (!invites_have_met(invites, &taken->invite.places[i]))
            parley_host_forget_invited(invites->host, &taken->invite.places[i]);
    if (taken->dials == 0)
        return;
    if (owners != NULL)
        submit_connect(invites, owners, true);
    else
        submit_disconnect(invites, &taken->invite.node);
}

static void end(struct parley_invites *invites, struct invite_taken *taken, enum parley_error error,
                const char *words) {
    parley_invites_done *done = taken->done;
    void *context = taken->context;
    if (error != PARLEY_E_OK)
        forget_places(invites, taken);
    let_go(invites, taken);
    if (done != NULL)
        done(context, error, words);
}

enum parley_error parley_invites_accept(struct parley_invites *invites,
                                        const struct parley_invite *invite, bool is_private,
                                        parley_invites_done *done, void *context,
                                        struct parley_problem *problem) {
    struct parley_invite sifted = *invite;
    enum parley_error error = judge(invites, &sifted, problem);
    if (error != PARLEY_E_OK)
        return error;
    struct invite_taken *taken = NULL, before = {0};
    size_t count_before = invites->taken_count;
    for (size_t i = 0; i < invites->taken_count; i++)
        if (memcmp(invites->taken[i].invite.secret, invite->secret, sizeof invite->secret) == 0)
            taken = &invites->taken[i];
    if (taken != NULL)
        before = *taken;
    else if (invites->taken_count == INVITES_TAKEN_MAX)
        return parley_problem_set(problem, PARLEY_E_FULL,
                                  "%u invites wait for their makers already", INVITES_TAKEN_MAX);
    else
        taken = &invites->taken[invites->taken_count++];
    uint64_t now = uv_now(parley_host_loop(invites->host));
    *taken = (struct invite_taken){.invite = sifted, .is_private = is_private, .since = now};
    parley_invite_id(taken->id, invite->secret);
    error = invites_save(invites, problem);
    if (error != PARLEY_E_OK) {
        *taken = before;
        invites->taken_count = count_before;
        return error;
    }
    answer(&before, PARLEY_E_RETRY, "it is being accepted elsewhere");
    parley_wipe(&before, sizeof before);
    taken->done = done;
    taken->context = context;
    invites_watch(invites);
    return PARLEY_E_OK;
}

/* --- dialling and showing --------------------------------------------------------------------- */

static bool find_peer(const struct parley_invites *invites, const struct parley_node_key *key,
                      bool is_open, struct parley_node_peer *peer) {
    for (size_t place = 0; parley_node_peer_next(parley_host_node(invites->host), &place, peer);)
        if (peer->is_open == is_open && PARLEY_EQUAL(peer->key, *key))
            return true;
    return false;
}

static bool is_same_place(const struct parley_address *a, const struct parley_address *b) {
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* Not by the owner's word, but for what the owner named before. */
static bool restrict_place(struct parley_invites *invites, const struct parley_address *place) {
    const struct parley_address *owners = parley_host_owners_address(invites->host, &place->key);
    bool is_owners = owners != NULL && is_same_place(owners, place);
    if (is_own_loopback(place) || (is_owners && !invites_have_met(invites, place)))
        return true;
    return parley_host_note_invited(invites->host, place);
}

/* The node tries one place at a time, for as long as a slow link may take: what hangs is left. */
static void dial(struct parley_invites *invites, struct invite_taken *taken, uint64_t now) {
    const struct parley_node_key *key = &taken->invite.node;
    struct parley_node_peer peer;
    taken->dialled_at = now;
    if (find_peer(invites, key, false, &peer)) {
        if (parley_host_owners_address(invites->host, key) != NULL)
            return; /* what the owner named is not given up for it */
        submit_disconnect(invites, key);
    }
    taken->place = taken->dials % taken->invite.places_count;
    taken->dials++;
    const struct parley_address *place = &taken->invite.places[taken->place];
    /* This machine may be in another network by now. */
    if (may_dial(place, is_of_this_machine(&taken->invite)) && restrict_place(invites, place))
        submit_connect(invites, place, true);
}

/* Where they may come to on the link's network: the first that is ours. */
static void add_own_place(struct parley_invites *invites, const struct parley_remote *remote,
                          struct parley_said *said) {
    struct parley_address places[PARLEY_PLACES_MAX];
    size_t count = parley_finding_places(invites->finding, places, PARLEY_PLACES_MAX);
    for (size_t i = 0; i < count && !said->has_place; i++) {
        struct parley_network_place place;
        parley_network_of_place(&place, &places[i]);
        said->has_place = parley_network_holds(remote, &place);
        said->place = places[i];
    }
}

static void show(struct parley_invites *invites, struct invite_taken *taken,
                 const struct parley_node_peer *peer) {
    struct parley_said said = {.is_answer = false};
    memcpy(said.secret, taken->invite.secret, sizeof said.secret);
    said.author = parley_host_home(invites->host)->author;
    add_own_place(invites, &peer->remote, &said);
    taken->told = peer->connection;
    taken->told_at = uv_now(parley_host_loop(invites->host));
    invites_say(invites, peer->connection, &said);
    parley_wipe(&said, sizeof said);
}

static bool is_due(const struct invite_taken *taken, uint64_t now) {
    uint64_t pause = taken->dials < DIALS_QUICK ? PLACE_MS : PLACE_REST_MS;
    return taken->dials == 0 || now - taken->dialled_at >= pause;
}

/* False: it has gone. */
static bool tick(struct parley_invites *invites, struct invite_taken *taken, uint64_t now) {
    struct parley_node_peer peer;
    if (parley_host_wall(invites->host) > taken->invite.expires) {
        end(invites, taken, PARLEY_E_NOT_FOUND, "this invite has expired: ask for another");
        return false;
    }
    if (find_peer(invites, &taken->invite.node, true, &peer)) {
        if (taken->told != peer.connection || now - taken->told_at >= SHOWN_AGAIN_MS)
            show(invites, taken, &peer);
    } else if (is_due(taken, now)) {
        dial(invites, taken, now);
    }
    if (taken->done != NULL && now - taken->since >= INVITE_PATIENCE_MS)
        answer(
            taken, PARLEY_E_TIMED_OUT,
            "their node does not answer now: this one keeps trying, and you follow each other as "
            "soon as it does");
    return true;
}

void invites_on_tick(uv_timer_t *timer) {
    struct parley_invites *invites = timer->data;
    uint64_t now = uv_now(timer->loop);
    for (size_t i = invites->taken_count; i > 0; i--)
        (void)tick(invites, &invites->taken[i - 1], now);
}

/* --- the answer ------------------------------------------------------------------------------- */

static const char *words_of(uint64_t verdict) {
    if (verdict == PARLEY_INVITE_USED)
        return "this invite was used already: ask for another";
    if (verdict == PARLEY_INVITE_EXPIRED)
        return "this invite has expired: ask for another";
    return "their node knows nothing of this invite: ask for another";
}

static struct invite_taken *find_taken(struct parley_invites *invites,
                                       const uint8_t id[INVITE_ID_SIZE]) {
    for (size_t i = 0; i < invites->taken_count; i++)
        if (memcmp(invites->taken[i].id, id, INVITE_ID_SIZE) == 0)
            return &invites->taken[i];
    return NULL;
}

/* The place at which they were reached is kept; where they came to us, the best that they named.
 * Over a link of which the owner says where it leads, that stays. */
static void keep_place(struct parley_invites *invites, const struct invite_taken *taken) {
    const struct parley_address *place = &taken->invite.places[taken->place];
    const struct parley_address *owners = parley_host_owners_address(invites->host, &place->key);
    struct parley_problem problem = {0};
    bool is_owners = owners != NULL && is_same_place(owners, place);
    if (is_owners || (owners != NULL && taken->dials == 0))
        return;
    if (!is_own_loopback(place) && !invites_meet(invites, place))
        return;
    /* Kept first as what it is: a place that others named. */
    if (invites_save(invites, &problem) == PARLEY_E_OK)
        submit_connect(invites, place, false);
    else
        parley_log_line(PARLEY_LOG_ERROR, "%s", problem.text);
}

static void on_followed(struct parley_invites *invites, const struct invite_following *following,
                        bool is_followed) {
    struct invite_taken *taken = find_taken(invites, following->id);
    if (taken == NULL)
        return;
    if (!is_followed) {
        answer(taken, PARLEY_E_READ_ONLY,
               "their node says welcome, but this one cannot follow them now: it keeps trying");
        return;
    }
    keep_place(invites, taken);
    end(invites, taken, PARLEY_E_OK, "");
}

void invites_on_answer(struct parley_invites *invites, const struct parley_effect *effect) {
    const struct parley_said *said = &effect->said.said;
    struct invite_taken *taken = find_taken(invites, said->id);
    if (taken == NULL || !PARLEY_EQUAL(taken->invite.node, effect->said.key))
        return;
    if (said->verdict != PARLEY_INVITE_WELCOME) {
        end(invites, taken, PARLEY_E_NOT_FOUND, words_of(said->verdict));
        return;
    }
    struct invite_following following = {
        .on_end = on_followed, .author = taken->invite.author, .is_private = taken->is_private};
    memcpy(following.id, taken->id, sizeof following.id);
    invites_follow(invites, &following);
}
