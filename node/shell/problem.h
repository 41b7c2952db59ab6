/* What went wrong on this machine, as one line for a person: what, where, and what to do. The
 * error decides the exit status, the text is printed as it stands.
 */
#ifndef PARLEY_PROBLEM_H
#define PARLEY_PROBLEM_H

#include <parley/error.h>

struct parley_problem {
    enum parley_error error;
    char text[512];
};

/* Fills the problem (which may be NULL) and answers the error, so that it can be returned. */
enum parley_error parley_problem_set(struct parley_problem *problem, enum parley_error error,
                                     const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The exit status of cli.md for an error: 0 done, 1 the answer is no, 4 disk or system, 5
 * timed out. */
int parley_exit_status(enum parley_error error);

#endif
