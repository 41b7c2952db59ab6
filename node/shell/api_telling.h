/* An entry as a stream tells it: made once, on the loop, for all who watch. */
#ifndef PARLEY_SHELL_API_TELLING_H
#define PARLEY_SHELL_API_TELLING_H

#include "api_view.h"

struct api_telling {
    const struct api_entry *entry;
    const char *kind;    /* as api.h names them: "post" for posts and echoes */
    const char *concern; /* what it is to the owner (api_concern.h); NULL: nothing */
    /* One line each; the second says "concerns", and is NULL where there is none. plain NULL: out
     * of memory. */
    char *plain, *with_concern;
    size_t plain_size, with_concern_size;
};

/* Whether it says anything: of this version, and with a body that decodes. */
bool api_telling_is_any(const struct parley_entry *entry);
/* owner NULL: nobody. */
void api_telling_make(struct api_telling *telling, const struct api_entry *entry,
                      const struct api_view *view, const struct parley_author *owner);
void api_telling_clear(struct api_telling *telling);
/* "": any. */
bool api_telling_has_tag(const struct api_telling *telling, const char *tag);

#endif
