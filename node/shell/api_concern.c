#include "api_concern.h"

static const char *concern_of_post(const struct parley_post *post,
                                   const struct parley_author *owner) {
    if (post->has_parent && PARLEY_EQUAL(post->parent.author, *owner))
        return "reply";
    if (post->has_quote && PARLEY_EQUAL(post->quote.author, *owner))
        return "quote";
    for (size_t i = 0; i < post->mentions_count; i++)
        if (PARLEY_EQUAL(post->mentions[i], *owner))
            return "mention";
    return NULL;
}

const char *api_concern_of(const struct parley_body *body, const struct parley_author *author,
                           const struct parley_author *owner) {
    if (PARLEY_EQUAL(*author, *owner))
        return NULL;
    switch (body->kind) {
    case PARLEY_BODY_POST:
        return concern_of_post(&body->post, owner);
    case PARLEY_BODY_ECHO:
        return PARLEY_EQUAL(body->echo.ref.author, *owner) ? "echo" : NULL;
    case PARLEY_BODY_VOTE:
        return body->vote.value != 0 && PARLEY_EQUAL(body->vote.ref.author, *owner) ? "vote" : NULL;
    case PARLEY_BODY_FOLLOW:
        return body->follow.on && PARLEY_EQUAL(body->follow.author, *owner) ? "follow" : NULL;
    case PARLEY_BODY_PROFILE:
    case PARLEY_BODY_ERASE:
        break;
    }
    return NULL;
}

const char *api_entry_concern(const struct api_entry *entry, const struct parley_author *owner) {
    struct parley_body body;
    return api_entry_body(entry, &body) ? api_concern_of(&body, &entry->author, owner) : NULL;
}
