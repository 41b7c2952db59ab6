/* The list of nodes to begin with: an address a line, empty lines and those that begin with "#"
 * passed over.
 */
#ifndef PARLEY_BOOTSTRAP_H
#define PARLEY_BOOTSTRAP_H

#include "problem.h"
#include <parley/text.h>

#define BOOTSTRAP_FILE_BYTES_MAX ((size_t)64 << 10)

/* Errors: BAD_INPUT (the problem begins with FILE:LINE:; or there is no such file; or more than
 * count_max). No address is in the problem: no log is to bear one. */
PARLEY_USE_RESULT enum parley_error parley_bootstrap_read(struct parley_address *addresses,
                                                          size_t *count, size_t count_max,
                                                          const char *path,
                                                          struct parley_problem *problem);

#endif
