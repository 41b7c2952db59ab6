#include "option_fault.h"
#include <stdbool.h>
#include <string.h>

/* By its name or the beginning of it, or by its letter, as getopt takes it. */
static const struct argp_option *find_option(const struct argp_option *all, const char *word,
                                             const char *value) {
    const char *name = word + 2;
    size_t size = value != NULL ? (size_t)(value - name) : strlen(name);
    for (; all->name != NULL; all++)
        if (word[1] == '-' ? strncmp(all->name, name, size) == 0 : all->key == word[1])
            return all;
    return NULL;
}

/* What is wrong with a word, where argp said no; NULL: nothing. */
static const char *fault_of(const struct argp_option *all, const char *word, bool is_last,
                            bool *takes_next) {
    const char *value = word[1] == '-' ? strchr(word, '=') : word[2] != '\0' ? word + 2 : NULL;
    const struct argp_option *option = find_option(all, word, value);
    if (option == NULL)
        return "no such option";
    if (option->arg == NULL)
        return value != NULL && word[1] == '-' ? "it takes no value" : NULL;
    *takes_next = value == NULL;
    return *takes_next && is_last ? "its value is missing" : NULL;
}

const char *parley_option_fault(const char **word, const struct argp_option *all, int argc,
                                char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        bool takes_next = false;
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            continue;
        const char *fault = fault_of(all, argv[i], i == argc - 1, &takes_next);
        *word = argv[i];
        if (fault != NULL)
            return fault;
        i += takes_next;
    }
    *word = argc > 1 ? argv[argc - 1] : "";
    return "an option is wrong";
}
