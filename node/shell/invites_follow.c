/* What an invite leads to: following somebody, and keeping where they are. */
#include "invites_internal.h"
#include "memory.h"
#include <stdlib.h>
#include <string.h>

/* --- following -------------------------------------------------------------------------------- */

/* The words about it may fail where the following itself is in force. */
static bool is_followed_now(const struct parley_invites *invites,
                            const struct invite_following *following) {
    struct parley_node_author known;
    return parley_node_author_find(parley_host_node(invites->host), &following->author, &known) &&
           known.is_followed;
}

static void on_reply(void *context, const struct parley_effect *reply) {
    struct invite_following *following = context;
    struct parley_invites *invites = following->invites;
    if (invites != NULL) {
        struct invite_following **place = &invites->following;
        while (*place != following)
            place = &(*place)->next;
        *place = following->next;
        following->on_end(invites, following,
                          reply->reply.error == PARLEY_E_OK || is_followed_now(invites, following));
    }
    free(following);
}

void invites_follow(struct parley_invites *invites, const struct invite_following *following) {
    struct parley_event event = {.kind = PARLEY_EVENT_FOLLOW};
    for (struct invite_following *one = invites->following; one != NULL; one = one->next)
        if (one->on_end == following->on_end &&
            memcmp(one->id, following->id, sizeof one->id) == 0) {
            one->connection = following->connection;
            return;
        }
    struct invite_following *made = parley_memory(sizeof *made);
    *made = *following;
    made->invites = invites;
    made->next = invites->following;
    invites->following = made;
    event.follow.author = made->author;
    event.follow.on = true;
    event.follow.is_private = made->is_private;
    parley_host_submit_patiently(invites->host, &event, on_reply, made);
}

/* --- places ----------------------------------------------------------------------------------- */

static bool is_same_place(const struct parley_address *a, const struct parley_address *b) {
    return PARLEY_EQUAL(a->key, b->key) && a->port == b->port && strcmp(a->host, b->host) == 0;
}

static bool is_owners(const struct parley_invites *invites, const struct parley_address *place) {
    const struct parley_address *owners = parley_host_owners_address(invites->host, &place->key);
    return owners != NULL && is_same_place(owners, place);
}

bool invites_have_met(const struct parley_invites *invites, const struct parley_address *place) {
    for (size_t i = 0; i < invites->met_count; i++)
        if (is_same_place(&invites->met[i], place))
            return true;
    return false;
}

static void forget_gone(struct parley_invites *invites) {
    size_t count = 0;
    for (size_t i = 0; i < invites->met_count; i++)
        if (is_owners(invites, &invites->met[i]))
            invites->met[count++] = invites->met[i];
    invites->met_count = count;
}

bool invites_meet(struct parley_invites *invites, const struct parley_address *place) {
    if (invites_have_met(invites, place))
        return parley_host_note_invited(invites->host, place);
    if (invites->met_count == INVITES_MET_MAX)
        forget_gone(invites);
    if (invites->met_count == INVITES_MET_MAX || !parley_host_note_invited(invites->host, place))
        return false;
    invites->met[invites->met_count++] = *place;
    return true;
}

void invites_part(struct parley_invites *invites, const struct parley_address *place) {
    for (size_t i = 0; i < invites->met_count; i++)
        if (is_same_place(&invites->met[i], place)) {
            invites->met[i] = invites->met[--invites->met_count];
            parley_host_forget_invited(invites->host, place);
            return;
        }
}

void invites_restrict_met(struct parley_invites *invites) {
    forget_gone(invites);
    for (size_t i = 0; i < invites->met_count; i++)
        if (!parley_host_note_invited(invites->host, &invites->met[i]))
            abort(); /* there is a place for each that the book holds */
}
