/* What an owner chooses in the page, where a newcomer would not open a file: it stands in a file of
 * its own in the home, in the form of the configuration, and below that and the command line.
 */
#ifndef PARLEY_CHOICE_H
#define PARLEY_CHOICE_H

#include "reload.h"

#define PARLEY_CHOICE_FILE "chosen.conf"

/* How others find this node, from now on and at each start: whether it says so on the local
 * network, whether the router is asked to pass a port on. With either it listens beyond this
 * machine. Errors: READ_ONLY (the owner's file or the command line says otherwise), BAD_INPUT (that
 * file is wrong), of listening and of the disk; all is then as before. */
PARLEY_USE_RESULT enum parley_error
parley_choice_reach(struct parley_host *host, struct parley_finding *finding,
                    struct options *options, const struct parley_config_files *files, bool lan,
                    bool nat, struct parley_problem *problem);

#endif
