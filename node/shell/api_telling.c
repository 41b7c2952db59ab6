#include "api_telling.h"
#include "api_concern.h"
#include "api_job.h"
#include <stdlib.h>

bool api_telling_is_any(const struct parley_entry *entry) {
    struct parley_body body;
    return entry->has_body && entry->header.version == PARLEY_ENTRY_VERSION &&
           entry->header.ext_size == 0 &&
           parley_body_decode(&body, entry->body).error == PARLEY_E_OK;
}

static const char *kind_of(const struct api_entry *entry) {
    struct parley_body body;
    if (!api_entry_body(entry, &body))
        return "post";
    switch (body.kind) {
    case PARLEY_BODY_PROFILE:
        return "profile";
    case PARLEY_BODY_VOTE:
        return "vote";
    case PARLEY_BODY_FOLLOW:
        return "follow";
    case PARLEY_BODY_ERASE:
        return "erase";
    case PARLEY_BODY_POST:
    case PARLEY_BODY_ECHO:
        break;
    }
    return "post";
}

void api_telling_make(struct api_telling *telling, const struct api_entry *entry,
                      const struct api_view *view, const struct parley_author *owner) {
    *telling = (struct api_telling){.entry = entry, .kind = kind_of(entry)};
    telling->concern = owner != NULL ? api_entry_concern(entry, owner) : NULL;
    json_t *json = api_entry_json(entry, view);
    if (json != NULL)
        telling->plain = api_dump(json, &telling->plain_size);
    if (json != NULL && telling->concern != NULL) {
        json_object_set_new(json, "concerns", json_string(telling->concern));
        telling->with_concern = api_dump(json, &telling->with_concern_size);
    }
    json_decref(json);
}

void api_telling_clear(struct api_telling *telling) {
    free(telling->plain);
    free(telling->with_concern);
    *telling = (struct api_telling){0};
}

bool api_telling_has_tag(const struct api_telling *telling, const char *tag) {
    const struct api_entry *entry = telling->entry;
    struct parley_entry plain = {.has_body = true};
    plain.header.version = PARLEY_ENTRY_VERSION;
    plain.body = PARLEY_SPAN(entry->body, entry->body_size);
    return tag[0] == '\0' || api_entry_is_listed(&plain, tag);
}
