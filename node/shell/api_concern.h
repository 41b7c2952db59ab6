/* What concerns the owner: what others say of what the owner said, or of the owner. */
#ifndef PARLEY_SHELL_API_CONCERN_H
#define PARLEY_SHELL_API_CONCERN_H

#include "api_entry.h"

/* "reply", "quote", "mention", "echo", "vote" or "follow", the first that fits; NULL: it does not
 * concern them, is their own, or takes back (a vote of 0, a follow that ends). */
const char *api_concern_of(const struct parley_body *body, const struct parley_author *author,
                           const struct parley_author *owner);
/* The same of an entry whose body may not be here. */
const char *api_entry_concern(const struct api_entry *entry, const struct parley_author *owner);

#endif
