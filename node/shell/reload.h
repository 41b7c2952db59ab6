/* SIGHUP: the configuration file is read again, and what can change while a node runs does. */
#ifndef PARLEY_RELOAD_H
#define PARLEY_RELOAD_H

#include "options.h"

/* options: in force, with the default listener; changed to what is in force afterwards. said: what
 * the command line says. path: of the file; NULL or absent: there is none, and the command line
 * alone counts.
 *
 * Changes: log, listen, peer. What else is new in the file is named and waits for the next start. A
 * file that is wrong, or an address that cannot be listened on, changes nothing. A line in the log
 * for each change, and one when there is none. False: the old configuration stays. */
bool parley_reload(struct parley_host *host, struct options *options, const struct options *said,
                   const char *path);
/* Where nodes are accepted if nobody said. */
void options_default_listener(struct options *options);

#endif
