/* What was just stored, read by the thread that stored it while somebody watches a stream: no
 * thread has to be woken for it when the loop hears that it is on the disk. A few; what is not here
 * is read as ever.
 */
#ifndef PARLEY_SHELL_API_FRESH_H
#define PARLEY_SHELL_API_FRESH_H

#include "api_view.h"
#include "host.h"

struct api_fresh;

/* NULL: out of memory. */
struct api_fresh *api_fresh_create(struct parley_host *host);
void api_fresh_free(struct api_fresh *fresh);

/* On the loop, as all that follows. From now on; or no more, and what is kept goes. */
void api_fresh_listen(struct api_fresh *fresh, bool listens);
/* The entries low .. high of the log that a stream tells of, and what stands around them. False:
 * they are not here. */
bool api_fresh_take(struct api_fresh *fresh, const struct parley_log *log, parley_seq low,
                    parley_seq high, struct api_entries *entries, struct api_view *view);

#endif
