/* Whether a configuration file is right, for whoever only looks (config_file.c). */
#ifndef PARLEY_CONFIG_CHECK_H
#define PARLEY_CONFIG_CHECK_H

#include "problem.h"

/* Of the file in a home. Errors: as of options_read_file. */
PARLEY_USE_RESULT enum parley_error parley_config_check(const char *path,
                                                        struct parley_problem *problem);

#endif
