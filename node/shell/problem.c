#include "problem.h"
#include <stdarg.h>
#include <stdio.h>

enum parley_error parley_problem_set(struct parley_problem *problem, enum parley_error error,
                                     const char *format, ...) {
    if (problem == NULL)
        return error;
    problem->error = error;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    return error;
}

int parley_exit_status(enum parley_error error) {
    if (error == PARLEY_E_TIMED_OUT)
        return 5;
    switch (parley_error_class(error)) {
    case PARLEY_CLASS_NONE:
        return 0;
    case PARLEY_CLASS_LOCAL:
        return 4;
    case PARLEY_CLASS_REMOTE:
    case PARLEY_CLASS_NOBODY:
    case PARLEY_CLASS_CALLER:
        break;
    }
    return 1;
}
