/* SIGHUP: the configuration file is read again, and what can change while a node runs does. */
#ifndef PARLEY_RELOAD_H
#define PARLEY_RELOAD_H

#include "finding.h"
#include "options.h"

/* Where options stand beside the command line; a file that is not there says nothing. */
struct parley_config_files {
    const struct options *said; /* by the command line, which wins */
    const char *path;           /* of the owner's file */
    const char *chosen_path;    /* of what was chosen in the page: below both */
};
/* Adds what the files say. Errors: of options_read_file. */
PARLEY_USE_RESULT enum parley_error parley_config_read(struct options *options,
                                                       const struct parley_config_files *files,
                                                       struct parley_problem *problem);

/* options: in force, with the default listener; changed to what is in force afterwards.
 *
 * Changes: log, listen, peer, lan, nat. What else is new in the files is named and waits for the
 * next start. A file that is wrong, or an address that cannot be listened on, changes nothing. A
 * line in the log for each change, and one when there is none. False: the old configuration stays,
 * and the problem says why. */
PARLEY_USE_RESULT bool parley_reload(struct parley_host *host, struct parley_finding *finding,
                                     struct options *options,
                                     const struct parley_config_files *files,
                                     struct parley_problem *problem);
/* Where nodes are accepted if nobody said. */
void options_default_listener(struct options *options);

#endif
