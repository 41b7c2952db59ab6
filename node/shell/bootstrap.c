#include "bootstrap.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINE_LETTERS_MAX 1024u

/* False: not an address, and not a line that says nothing. */
static bool read_line(char *line, struct parley_address *address, bool *is_address) {
    char *start = line + strspn(line, " \t");
    size_t size = strlen(start);
    while (size > 0 && strchr(" \t\r\n", start[size - 1]) != NULL)
        size--;
    *is_address = size > 0 && start[0] != '#';
    return !*is_address ||
           parley_address_decode(address, PARLEY_SPAN(start, size)).error == PARLEY_E_OK;
}

enum parley_error parley_bootstrap_read(struct parley_address *addresses, size_t *count,
                                        size_t count_max, const char *path,
                                        struct parley_problem *problem) {
    char line[LINE_LETTERS_MAX];
    FILE *file = fopen(path, "re");
    enum parley_error error = PARLEY_E_OK;
    *count = 0;
    if (file == NULL)
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT, "cannot read the list %s: %s", path,
                                  strerror(errno));
    for (unsigned number = 1; error == PARLEY_E_OK && fgets(line, sizeof line, file); number++) {
        struct parley_address address = {.port = 0};
        bool is_address;
        if (strlen(line) + 1 == sizeof line || !read_line(line, &address, &is_address))
            error = parley_problem_set(problem, PARLEY_E_BAD_INPUT,
                                       "%s:%u: KEY@HOST:PORT is expected", path, number);
        else if (is_address && *count == count_max)
            error = parley_problem_set(problem, PARLEY_E_BAD_INPUT,
                                       "%s:%u: more than %zu addresses", path, number, count_max);
        else if (is_address)
            addresses[(*count)++] = address;
    }
    (void)fclose(file);
    return error;
}
