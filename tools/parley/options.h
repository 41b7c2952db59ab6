/* What was typed: the common options, the command and its own. */
#ifndef PARLEY_TOOL_OPTIONS_H
#define PARLEY_TOOL_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses, cli.md. */
enum {
    EXIT_DONE = 0,
    EXIT_NO = 1, /* not valid, not found, refused */
    EXIT_USAGE = 2,
    EXIT_NO_NODE = 3,
    EXIT_SYSTEM = 4, /* the disk or the system failed */
    EXIT_TIMED_OUT = 5,
};

#define OPTION_LIST_MAX 64u

struct options {
    const char *home; /* NULL: the default */
    bool json;
    /* of commands */
    bool relay, ndjson, is_private, follow, force, same_device;
    bool is_online; /* the command itself dials while no node runs; not typed */
    const char *name, *about, *reply, *quote, *before, *limit, *tag, *word, *days;
    const char *last, *join, *generation;
    const char *tags[OPTION_LIST_MAX];
    size_t tags_count;
    const char *authors[OPTION_LIST_MAX];
    size_t authors_count;
    const char *keep[OPTION_LIST_MAX], *end[OPTION_LIST_MAX], *drop[OPTION_LIST_MAX];
    size_t keep_count, end_count, drop_count;
    const char **arguments;
    size_t arguments_count;
};

struct command;
/* The command and its options; does not return on --help, --version and wrong usage. */
const struct command *options_parse(struct options *options, int argc, char **argv,
                                    const struct command *commands, size_t commands_count);

void options_clear(struct options *options);
/* A decimal number, as far as it fits; NULL: the usual one. False: it is none. */
bool option_number(const char *text, uint64_t usual, uint64_t *value);

#endif
