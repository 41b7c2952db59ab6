/* What is wrong with a command line that argp refused: its own words take two lines, and of a
 * letter that is none they name no more than the letter. */
#ifndef PARLEY_SHELL_OPTION_FAULT_H
#define PARLEY_SHELL_OPTION_FAULT_H

#include <argp.h>

/* The first word of argv[1 ..] that is not as the options say, and what is wrong with it. Never
 * NULL. */
const char *parley_option_fault(const char **word, const struct argp_option *all, int argc,
                                char **argv);

#endif
